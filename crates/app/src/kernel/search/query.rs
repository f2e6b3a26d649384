//! The language of the search box.
//!
//! ```text
//! smoke "platform four" kind:alert from:POLICE after:221930ZNOV26 before:2026-11-23T00:00:00Z
//! ```
//! Every part must be there. A last word that nothing follows may go on. What has another name
//! before its colon is text like any other.

use base::Time;
use store::search::{Query, WORDS_MAX, words};

use crate::kernel::fault::Fault;

/// LIMIT: characters of a query.
const CHARS_MAX: usize = 200;

/// A query, read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    pub query: Query,
    /// Kinds of record, as they are called in the query.
    pub kinds: Vec<String>,
    /// The code of an agency.
    pub from: Option<String>,
    pub after: Option<Time>,
    pub before: Option<Time>,
}

/// Reads a query.
///
/// # Errors
/// `invalid-query` that names the part: too long, too many words, empty, no time.
pub fn parse(text: &str) -> Result<Asked, Fault> {
    let wrong = |detail: String| Fault::invalid("invalid-query", detail);
    if text.chars().count() > CHARS_MAX {
        return Err(wrong(format!("`q` has more than {CHARS_MAX} characters")));
    }
    let mut asked = Asked::default();
    for part in parts(text) {
        match part {
            Part::Phrase(phrase) => asked.add(phrase, false),
            Part::Word(word) => match word.split_once(':') {
                Some((name, value)) if !value.is_empty() => asked.narrow(name, value, word)?,
                _ => asked.add(word, true),
            },
        }
    }
    asked.query.open_end &= !text.ends_with(char::is_whitespace);
    let count: usize = asked.query.phrases.iter().map(Vec::len).sum();
    if count > WORDS_MAX {
        return Err(wrong(format!("`q` has more than {WORDS_MAX} words")));
    }
    let narrowed = asked.from.is_some() || asked.after.is_some() || asked.before.is_some();
    if count == 0 && asked.kinds.is_empty() && !narrowed {
        return Err(wrong("`q` has no word to look for".to_owned()));
    }
    Ok(asked)
}

impl Asked {
    fn add(&mut self, text: &str, open_end: bool) {
        let phrase: Vec<String> = words(text).into_iter().map(|word| word.text).collect();
        if !phrase.is_empty() {
            self.query.phrases.push(phrase);
            self.query.open_end = open_end;
        }
    }

    fn narrow(&mut self, name: &str, value: &str, whole: &str) -> Result<(), Fault> {
        let time = || {
            let read = Time::from_dtg(value).or_else(|_dtg| value.parse::<Time>());
            read.map_err(|form| {
                let detail = format!("`{name}:` takes a time such as 221930ZNOV26");
                Fault::invalid("invalid-query", detail).because(form)
            })
        };
        match name {
            "kind" => self.kinds.push(value.to_lowercase()),
            "from" => self.from = Some(value.to_uppercase()),
            "after" => self.after = Some(time()?),
            "before" => self.before = Some(time()?),
            _ => {
                self.add(whole, true);
                return Ok(());
            }
        }
        // A narrowing is not a word that may go on.
        self.query.open_end = false;
        Ok(())
    }
}

enum Part<'a> {
    Word(&'a str),
    Phrase(&'a str),
}

/// Words by spaces, and what stands between quotation marks; one that is not closed goes to the
/// end.
fn parts(text: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    for (n, run) in text.split('"').enumerate() {
        if n % 2 == 1 {
            parts.push(Part::Phrase(run));
        } else {
            parts.extend(run.split_whitespace().map(Part::Word));
        }
    }
    parts
}
