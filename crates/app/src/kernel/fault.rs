//! A fault: a code for programs, a sentence for people, a cause for the log.

use std::error::Error as StdError;
use std::fmt;

use base::{Code, Kind};

/// What an act or a read was refused with.
#[derive(Debug)]
pub struct Fault {
    pub code: Code,
    /// Lower case, no full stop; says what was attempted and never what the caller may not know.
    pub detail: String,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Fault {
    /// A fault without a cause.
    pub fn new(kind: Kind, slug: &'static str, detail: impl Into<String>) -> Self {
        Self { code: Code::new(kind, slug), detail: detail.into(), source: None }
    }

    /// A fault of form or content.
    pub fn invalid(slug: &'static str, detail: impl Into<String>) -> Self {
        Self::new(Kind::Invalid, slug, detail)
    }

    /// The record does not exist, or the caller may not know that it does: one answer for both.
    pub fn absent() -> Self {
        Self::new(Kind::Absent, "absent", "no such record")
    }

    /// Something inside is broken; the cause goes to the log, not to the caller.
    pub fn bug(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self {
            code: Code::new(Kind::Bug, "bug"),
            detail: "an internal rule was broken".to_owned(),
            source: Some(source.into()),
        }
    }

    /// The store could not answer now.
    pub fn unavailable(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self {
            code: Code::new(Kind::Unavailable, "unavailable"),
            detail: "the node cannot answer now".to_owned(),
            source: Some(source.into()),
        }
    }

    /// Adds the cause.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.detail)
    }
}

impl StdError for Fault {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}

impl From<store::Error> for Fault {
    fn from(source: store::Error) -> Self {
        Self::unavailable(source)
    }
}
