//! What of an object is shown in a list and found by a search, in a bounded size.
//!
//! The texts are taken from the whole object, marked parts included: they carry the label of its
//! ceiling ([`super::marking::Claims::ceiling`]) and no lower one.

use std::collections::HashSet;

use crate::json::Json;
use crate::limit;
use crate::stix::{Detail, StixObject};

/// The text of an object for lists and search.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SearchText {
    /// One line of 1 to [`limit::TITLE_BYTES`] bytes.
    pub title: String,
    /// One line of at most [`limit::SNIPPET_BYTES`] bytes; empty when nothing is described.
    pub snippet: String,
    /// Names, aliases, external ids and observed values as they stand, each once: at most
    /// [`limit::SEARCH_TERMS`] of at most [`limit::SEARCH_TERM_BYTES`] bytes.
    pub terms: Vec<String>,
}

/// Properties that name a thing, the best first.
const TITLES: &[&str] = &[
    "name",
    "value",
    "display_name",
    "account_login",
    "user_id",
    "path",
    "key",
    "subject",
    "abstract",
    "product",
    "command_line",
    "url",
    "relationship_type",
    "opinion",
    "country",
    "region",
    "pattern",
    "content",
    "explanation",
    "serial_number",
];

/// Properties that describe a thing, the best first.
const SNIPPETS: &[&str] = &["description", "content", "explanation", "pattern", "body", "abstract"];

/// Properties whose values somebody looks for as they stand.
const VALUES: &[&str] = &[
    "value",
    "path",
    "key",
    "url",
    "user_id",
    "account_login",
    "display_name",
    "subject",
    "issuer",
    "serial_number",
    "cpe",
    "swid",
    "vendor",
    "message_id",
    "command_line",
    "cwd",
    "abstract",
    "product",
    "result_name",
];

impl SearchText {
    /// Makes the text of an object.
    pub fn of(object: &StixObject<'_>) -> Self {
        let value = object.value();
        let texts = |names: &[&str], bytes| {
            let mut lines = names.iter().filter_map(|name| value.get(name)?.text());
            lines.find_map(|text| line(text, bytes))
        };
        let title = texts(TITLES, limit::TITLE_BYTES)
            .or_else(|| first_hash(value).and_then(|hash| line(hash, limit::TITLE_BYTES)))
            .or_else(|| line(object.head.type_name(), limit::TITLE_BYTES));
        Self {
            title: title.unwrap_or_default(),
            snippet: texts(SNIPPETS, limit::SNIPPET_BYTES).unwrap_or_default(),
            terms: Terms::of(object),
        }
    }
}

fn first_hash<'j>(value: &'j Json<'_>) -> Option<&'j str> {
    value.get("hashes")?.entries().iter().find_map(|(_, hash)| hash.text())
}

/// One line of at most `bytes` bytes: runs of blanks and controls become a space, and what turns
/// the direction of writing or cannot be seen is left out. `None` when nothing remains.
fn line(text: &str, bytes: usize) -> Option<String> {
    let mut line = String::new();
    let mut blank = false;
    for c in text.chars() {
        if c.is_whitespace() || c.is_control() {
            blank = !line.is_empty();
            continue;
        }
        if hidden(c) {
            continue;
        }
        if line.len() + usize::from(blank) + c.len_utf8() > bytes {
            break;
        }
        if blank {
            line.push(' ');
            blank = false;
        }
        line.push(c);
    }
    (!line.is_empty()).then_some(line)
}

/// Marks of writing direction, and characters without width that only hide a word from a search.
const fn hidden(c: char) -> bool {
    matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{200B}' | '\u{FEFF}')
}

/// Terms while they are gathered.
struct Terms {
    list: Vec<String>,
    known: HashSet<String>,
}

impl Terms {
    fn of(object: &StixObject<'_>) -> Vec<String> {
        let head = &object.head;
        let mut terms = Self { list: Vec::new(), known: HashSet::new() };
        terms.extend(head.name.iter().chain(&head.aliases).map(String::as_str));
        terms.extend(head.external_ids.iter().map(|external| external.id.as_str()));
        let value = object.value();
        terms.extend(VALUES.iter().filter_map(|name| value.get(name)?.text()));
        terms.extend(
            value
                .get("hashes")
                .into_iter()
                .flat_map(|hashes| hashes.entries().iter().filter_map(|(_, hash)| hash.text())),
        );
        if let Some(number) = value.get("number").and_then(Json::integer) {
            terms.extend([format!("AS{number}").as_str()]);
        }
        if let Detail::Indicator { pattern, .. } = &head.detail {
            terms.extend(literals(pattern).iter().map(String::as_str));
        }
        terms.extend(head.labels.iter().map(String::as_str));
        terms.list
    }

    fn extend<'t>(&mut self, texts: impl IntoIterator<Item = &'t str>) {
        for text in texts {
            if self.list.len() >= limit::SEARCH_TERMS {
                return;
            }
            if let Some(term) = line(text, limit::SEARCH_TERM_BYTES)
                && self.known.insert(term.clone())
            {
                self.list.push(term);
            }
        }
    }
}

/// The values that a pattern compares with: its texts after a comparison operator (STIX 2.1 §9.2).
///
/// A text within a path (`hashes.'SHA-256'`) names a property and is left out. This is no parser:
/// what is no pattern gives no literals or useless ones, and never fails.
fn literals(pattern: &str) -> Vec<String> {
    let mut literals = Vec::new();
    let mut characters = pattern.chars();
    let mut before = ' ';
    while let Some(c) = characters.next() {
        if c != '\'' {
            if !c.is_whitespace() {
                before = c;
            }
            continue;
        }
        let mut literal = String::new();
        while let Some(c) = characters.next() {
            match c {
                '\\' => literal.extend(characters.next()),
                '\'' => break,
                _ => literal.push(c),
            }
        }
        if before != '.' && literals.len() < limit::SEARCH_TERMS {
            literals.push(literal);
        }
        before = '\'';
    }
    literals
}
