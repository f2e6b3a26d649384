//! How text becomes words: for the index, for a query, and for marking what a query found.

use tantivy::tokenizer::{
    AsciiFoldingFilter, LowerCaser, RemoveLongFilter, TextAnalyzer, Token, TokenStream, Tokenizer,
};

/// The name of the analyser in the index.
pub const ANALYSER: &str = "muster";
/// LIMIT: bytes of a word; a longer one is not found. A SHA-512 in hexadecimal is one word.
const WORD_BYTES: usize = 129;

/// A word of a text: as the index knows it, and where it stands in the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    pub text: String,
    /// Bytes of the text.
    pub from: usize,
    pub to: usize,
}

/// The words of a text: lower case, Latin letters without accents, each ideograph by itself.
pub fn words(text: &str) -> Vec<Word> {
    let mut words = Vec::new();
    analyser().token_stream(text).process(&mut |token| {
        words.push(Word { text: token.text.clone(), from: token.offset_from, to: token.offset_to });
    });
    words
}

/// The analyser of every text field.
pub fn analyser() -> TextAnalyzer {
    TextAnalyzer::builder(Splitter::default())
        .filter(RemoveLongFilter::limit(WORD_BYTES))
        .filter(LowerCaser)
        .filter(AsciiFoldingFilter)
        .build()
}

/// Splits text into runs of letters and digits. Scripts without spaces are split by character.
#[derive(Clone, Default)]
struct Splitter {
    token: Token,
}

struct Runs<'a> {
    text: &'a str,
    at: usize,
    token: &'a mut Token,
}

impl Tokenizer for Splitter {
    type TokenStream<'a> = Runs<'a>;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> Runs<'a> {
        self.token.reset();
        Runs { text, at: 0, token: &mut self.token }
    }
}

/// Whether a character is a word by itself: Han, kana, hangul, Thai, Lao, Khmer, Burmese.
const fn alone(c: char) -> bool {
    matches!(c,
        '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1100}'..='\u{11ff}'
        | '\u{1780}'..='\u{17ff}' | '\u{2e80}'..='\u{2fdf}' | '\u{3005}'..='\u{3007}'
        | '\u{3040}'..='\u{31ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}'
        | '\u{ac00}'..='\u{d7af}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

impl TokenStream for Runs<'_> {
    fn advance(&mut self) -> bool {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let Some((skipped, first)) = rest.char_indices().find(|(_, c)| c.is_alphanumeric()) else {
            self.at = self.text.len();
            return false;
        };
        let run = rest.get(skipped..).unwrap_or_default();
        let bytes = if alone(first) {
            first.len_utf8()
        } else {
            let end = run.char_indices().find(|(_, c)| !c.is_alphanumeric() || alone(*c));
            end.map_or(run.len(), |(at, _)| at)
        };
        let from = self.at + skipped;
        self.at = from + bytes;
        self.token.position = self.token.position.wrapping_add(1);
        self.token.offset_from = from;
        self.token.offset_to = self.at;
        self.token.text.clear();
        self.token.text.push_str(run.get(..bytes).unwrap_or_default());
        true
    }

    fn token(&self) -> &Token {
        self.token
    }

    fn token_mut(&mut self) -> &mut Token {
        self.token
    }
}
