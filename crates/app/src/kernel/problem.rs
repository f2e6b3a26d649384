//! Problems: faults as callers see them (RFC 9457). The one place where a kind becomes a status.

use base::Kind;
use serde::Serialize;

use super::fault::Fault;

/// The HTTP status of a kind of fault.
pub const fn status(kind: Kind) -> u16 {
    match kind {
        Kind::Invalid => 400,
        Kind::Unauthenticated => 401,
        Kind::Denied => 403,
        Kind::Absent => 404,
        Kind::Conflict => 409,
        Kind::Gone => 410,
        Kind::TooLarge => 413,
        Kind::TooMany => 429,
        Kind::Bug => 500,
        Kind::Unavailable => 503,
    }
}

/// The body of an error, `application/problem+json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// A path into the documentation of errors.
    #[serde(rename = "type")]
    pub kind: String,
    pub title: &'static str,
    pub status: u16,
    pub detail: String,
}

impl Problem {
    /// The problem that a fault is for its caller; the cause stays here.
    pub fn of(fault: &Fault) -> Self {
        Self {
            kind: format!("/docs/errors#{}", fault.code.slug),
            title: fault.code.slug,
            status: status(fault.code.kind),
            detail: fault.detail.clone(),
        }
    }
}
