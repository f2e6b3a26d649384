//! What a layer can be found by: every text that its readers read, and nothing else.

use std::collections::HashSet;

use base::{Digest, RecordId, Time};
use serde_json::{Map, Value};
use store::search::{Word, words};

/// LIMIT: bytes of one layer that can be found.
const TEXT_BYTES: usize = 1024 * 1024;
/// Where a layer says its title, the best first.
const TITLES: &[&[&str]] = &[&["title"], &["name"], &["agreement", "title"]];
/// Bytes of a snippet before its first match, and in all.
const BEFORE_BYTES: usize = 48;
const SNIPPET_BYTES: usize = 200;

/// The title of a layer, when it has one.
pub fn title(body: &Map<String, Value>) -> Option<&str> {
    TITLES.iter().find_map(|path| {
        let (first, rest) = path.split_first()?;
        let value = rest.iter().try_fold(body.get(*first)?, |value, key| value.get(*key))?;
        value.as_str()
    })
}

/// Every text of a layer, each once. Ids, digests and times are none.
pub fn texts(body: &Map<String, Value>) -> Vec<String> {
    let mut texts = Texts::default();
    for value in body.values() {
        texts.add(value);
    }
    texts.found
}

#[derive(Default)]
struct Texts {
    known: HashSet<String>,
    found: Vec<String>,
    bytes: usize,
}

impl Texts {
    fn add(&mut self, value: &Value) {
        match value {
            Value::String(text) => self.add_text(text),
            Value::Array(items) => items.iter().for_each(|item| self.add(item)),
            Value::Object(fields) => fields.values().for_each(|field| self.add(field)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn add_text(&mut self, text: &str) {
        // An object that is kept as it came.
        if text.starts_with('{')
            && let Ok(inner @ Value::Object(_)) = serde_json::from_str(text)
        {
            return self.add(&inner);
        }
        let machine = text.parse::<RecordId>().is_ok()
            || text.parse::<Digest>().is_ok()
            || text.parse::<Time>().is_ok();
        if machine || text.is_empty() || self.bytes + text.len() > TEXT_BYTES {
            return;
        }
        if self.known.insert(text.to_owned()) {
            self.bytes += text.len();
            self.found.push(text.to_owned());
        }
    }
}

/// A piece of a snippet, and whether it is what was looked for.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Piece {
    pub text: String,
    #[serde(rename = "match")]
    pub matched: bool,
}

/// What a query looks for in a text.
pub struct Wanted<'a> {
    pub words: HashSet<&'a str>,
    /// A word may also begin with this.
    pub beginning: Option<&'a str>,
}

impl Wanted<'_> {
    fn has(&self, word: &Word) -> bool {
        self.words.contains(word.text.as_str())
            || self.beginning.is_some_and(|beginning| word.text.starts_with(beginning))
    }
}

/// The text in which most of the wanted words stand, cut around the first of them; the first text
/// when there is none.
pub fn snippet(texts: &[String], wanted: &Wanted<'_>) -> (usize, Vec<Piece>) {
    let mut best: (usize, &str, Vec<Word>) = (0, "", Vec::new());
    for text in texts {
        let found: Vec<Word> = words(text).into_iter().filter(|word| wanted.has(word)).collect();
        let different = found.iter().map(|word| word.text.as_str()).collect::<HashSet<_>>().len();
        if different > best.0 || best.1.is_empty() {
            best = (different, text, found);
        }
    }
    let (different, text, found) = best;
    (different, cut(text, &found))
}

fn cut(text: &str, found: &[Word]) -> Vec<Piece> {
    let first = found.first().map_or(0, |word| word.from);
    let near = floor(text, first.saturating_sub(BEFORE_BYTES));
    let before = text.get(near..first).filter(|_| near > 0);
    let from = before.and_then(|before| before.find(' ')).map_or(near, |space| near + space + 1);
    let to = floor(text, from.saturating_add(SNIPPET_BYTES));
    let mut pieces = Vec::new();
    let mut add = |range: std::ops::Range<usize>, matched| {
        let text = text.get(range).unwrap_or_default();
        if !text.is_empty() {
            pieces.push(Piece { text: text.replace(['\n', '\r', '\t'], " "), matched });
        }
    };
    let mut at = from;
    for word in found.iter().filter(|word| word.to <= to) {
        add(at..word.from, false);
        add(word.from..word.to, true);
        at = word.to;
    }
    add(at..to, false);
    if from > 0
        && let Some(piece) = pieces.first_mut()
    {
        piece.text.insert(0, '…');
    }
    if to < text.len()
        && let Some(piece) = pieces.last_mut()
    {
        piece.text.push('…');
    }
    pieces
}

/// The nearest place at or before `at` where a character begins.
fn floor(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}
