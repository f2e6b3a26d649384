//! Parts a Rust source into code and string literals, well enough for the rules.

/// A source whose comments and literals are blank, and its string literals.
///
/// `code` has the length and the line breaks of the source, so an offset means the same in both.
pub struct Lexed {
    pub code: String,
    pub strings: Vec<Literal>,
}

/// The inside of a string literal as written, and where its opening quote stands.
pub struct Literal {
    pub offset: usize,
    pub text: String,
}

/// Parts a source; what does not lex is taken as code.
pub fn lex(source: &str) -> Lexed {
    let mut lexer = Lexer { source, at: 0, code: Vec::new(), strings: Vec::new() };
    while let Some(byte) = lexer.peek(0) {
        lexer.step(byte);
    }
    Lexed { code: String::from_utf8_lossy(&lexer.code).into_owned(), strings: lexer.strings }
}

struct Lexer<'a> {
    source: &'a str,
    at: usize,
    code: Vec<u8>,
    strings: Vec<Literal>,
}

impl Lexer<'_> {
    fn peek(&self, ahead: usize) -> Option<u8> {
        self.source.as_bytes().get(self.at + ahead).copied()
    }

    fn rest(&self, ahead: usize) -> &str {
        self.source.get(self.at + ahead..).unwrap_or("")
    }

    fn step(&mut self, byte: u8) {
        match (byte, self.peek(1)) {
            (b'/', Some(b'/')) => {
                let length = self.rest(0).find('\n').unwrap_or(self.rest(0).len());
                self.blank(length);
            }
            (b'/', Some(b'*')) => self.block_comment(),
            (b'"', _) => self.string(),
            (b'\'', _) => self.quote(),
            (b'r' | b'b' | b'c', _) if !self.inside_word() => self.prefixed(),
            _ => self.keep(),
        }
    }

    fn keep(&mut self) {
        self.code.extend(self.peek(0));
        self.at += 1;
    }

    fn blank(&mut self, length: usize) {
        for _ in 0..length {
            let Some(byte) = self.peek(0) else { return };
            self.code.push(if byte == b'\n' { byte } else { b' ' });
            self.at += 1;
        }
    }

    fn inside_word(&self) -> bool {
        self.code.last().is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
    }

    /// Block comments nest.
    fn block_comment(&mut self) {
        let mut depth = 0_usize;
        loop {
            match (self.peek(0), self.peek(1)) {
                (Some(b'/'), Some(b'*')) => {
                    depth += 1;
                    self.blank(2);
                }
                (Some(b'*'), Some(b'/')) => {
                    depth = depth.saturating_sub(1);
                    self.blank(2);
                }
                (None, _) => return,
                _ => self.blank(1),
            }
            if depth == 0 {
                return;
            }
        }
    }

    fn string(&mut self) {
        let mut length = 0;
        let mut escaped = false;
        for byte in self.rest(1).bytes() {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => break,
                _ => {}
            }
            length += 1;
        }
        self.literal(1, length, 1);
    }

    fn literal(&mut self, before: usize, length: usize, after: usize) {
        let text = self.rest(before).get(..length).unwrap_or("").to_owned();
        self.strings.push(Literal { offset: self.at, text });
        self.blank(before + length + after);
    }

    /// A quote opens a character, or names a lifetime.
    fn quote(&mut self) {
        if self.peek(1) == Some(b'\\') {
            let end = self.rest(3).find('\'').map_or(1, |found| found + 4);
            return self.blank(end);
        }
        let length = self.rest(1).chars().next().map_or(0, char::len_utf8);
        if length > 0 && self.peek(1 + length) == Some(b'\'') {
            return self.blank(length + 2);
        }
        self.keep();
    }

    /// Raw strings have no escapes and end with as many hashes as they began with.
    fn prefixed(&mut self) {
        let rest = self.rest(0);
        let plain = rest.strip_prefix(['b', 'c']).unwrap_or(rest);
        let Some(after) = plain.strip_prefix('r') else { return self.keep() };
        let body = after.trim_start_matches('#');
        let hashes = after.len() - body.len();
        let Some(inner) = body.strip_prefix('"') else { return self.keep() };
        let close = format!("\"{}", "#".repeat(hashes));
        let length = inner.find(&close).unwrap_or(inner.len());
        let before = rest.len() - inner.len();
        self.literal(before, length, close.len());
    }
}

/// Finds a word in code, each time it stands alone.
pub fn words<'a>(code: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    let joins = |c: char| c.is_ascii_alphanumeric() || c == '_';
    code.match_indices(word).map(|(at, _)| at).filter(move |&at| {
        let before = code.get(..at).and_then(|text| text.chars().next_back());
        let after = code.get(at + word.len()..).and_then(|text| text.chars().next());
        !before.is_some_and(joins) && !after.is_some_and(joins)
    })
}

/// Tells the line of an offset, from 1.
pub fn line_at(text: &str, offset: usize) -> usize {
    1 + text.bytes().take(offset).filter(|byte| *byte == b'\n').count()
}

/// Blanks each item that is compiled for tests only.
pub fn without_tests(code: &str) -> String {
    let mut kept = code.to_owned();
    while let Some(start) = kept.find("#[cfg(test)]") {
        let rest = kept.get(start..).unwrap_or("");
        let length = item_length(rest);
        let blank: String =
            rest.chars().take(length).map(|c| if c == '\n' { c } else { ' ' }).collect();
        let bytes = rest.chars().take(length).map(char::len_utf8).sum::<usize>();
        kept.replace_range(start..start + bytes, &blank);
    }
    kept
}

/// Counts the characters up to the end of the item's braces, or its semicolon.
fn item_length(code: &str) -> usize {
    let mut depth = 0_usize;
    for (at, c) in code.chars().enumerate() {
        match c {
            '{' => depth += 1,
            '}' if depth <= 1 => return at + 1,
            '}' => depth -= 1,
            ';' if depth == 0 => return at + 1,
            _ => {}
        }
    }
    code.chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(source: &str) -> String {
        let lexed = lex(source);
        assert_eq!(lexed.code.len(), source.len());
        lexed.code.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn comments_and_literals_are_blank() {
        assert_eq!(code("a // b\nc"), "a c");
        assert_eq!(code("a /* b /* c */ d */ e"), "a e");
        assert_eq!(code(r#"a("b \" c", d)"#), "a( , d)");
        assert_eq!(code("a(r#\"b \" c\"#, br\"d\", b\"e\")"), "a( , , b )");
        assert_eq!(code("let r#type = r; car"), "let r#type = r; car");
        assert_eq!(code("f('\"', '\\'', 'é', b'x')"), "f( , , , b )");
        assert_eq!(code("fn f<'a>(x: &'a str)"), "fn f<'a>(x: &'a str)");
        assert_eq!(code("// é\nx"), "x");
    }

    #[test]
    fn string_literals_are_kept_with_their_place() {
        let lexed = lex("a(\"b\", r#\"c\"#)");
        let found: Vec<(usize, &str)> =
            lexed.strings.iter().map(|literal| (literal.offset, literal.text.as_str())).collect();
        assert_eq!(found, [(2, "b"), (7, "c")]);
    }

    #[test]
    fn a_word_stands_alone() {
        assert_eq!(words("axum axum_core my_axum axum::x", "axum").collect::<Vec<_>>(), [0, 23]);
    }

    #[test]
    fn test_items_are_blanked_and_the_rest_stays() {
        let kept =
            without_tests("a\n#[cfg(test)]\nmod t { fn f() { } }\nb\n#[cfg(test)]\nuse x;\nc");
        assert_eq!(kept.split_whitespace().collect::<Vec<_>>(), ["a", "b", "c"]);
        assert_eq!(kept.lines().count(), 7);
    }
}
