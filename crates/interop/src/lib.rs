//! PURE: codecs of other people's formats.
//!
//! Bytes in, values out; values in, bytes out. What was received is kept as it was received: the
//! parsed form stands beside the original text and never replaces it.

pub mod fault;
pub mod json;
pub mod limit;
pub mod stix;

pub use fault::{Effect, Fault};
