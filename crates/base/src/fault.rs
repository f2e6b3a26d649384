//! What can go wrong, as a person and a program are told.

use std::fmt;

/// The class of a fault; each has one HTTP status, mapped in one place of the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// The request breaks a rule of form or content.
    Invalid,
    /// No valid session or token.
    Unauthenticated,
    /// The caller may know of the thing but may not do this.
    Denied,
    /// The thing does not exist, or the caller may not know that it does.
    Absent,
    /// The thing is in another state, or another command used the same key.
    Conflict,
    /// The thing was erased.
    Gone,
    /// A body or list is larger than its limit.
    TooLarge,
    /// The caller must slow down.
    TooMany,
    /// The node cannot answer now; the same request may succeed later.
    Unavailable,
    /// An invariant is broken.
    Bug,
}

/// A fault's class and its stable name, which stands in `docs/errors.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Code {
    pub kind: Kind,
    pub slug: &'static str,
}

impl Code {
    /// Names a fault.
    pub const fn new(kind: Kind, slug: &'static str) -> Self {
        Self { kind, slug }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.slug)
    }
}
