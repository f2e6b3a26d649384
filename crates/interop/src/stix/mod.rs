//! STIX 2.1 (OASIS Standard, 10 June 2021): bundles in and out, markings, text for search.
//!
//! ```text
//! bytes ─► Bundle ─► each object: size ─► JSON ─► rules ─► version ─► StixObject { head, raw }
//!                         └─ a fault refuses that object and no other
//! StixObject ─► Definitions ─► MarkingClaim ─► Label          the claim is the sender's,
//!            └► SearchText                                    the label is ours
//! raw texts ─► Writer ─► bytes
//! ```
//! The text of an object is its truth: [`StixObject::raw`] is what was received, to the byte.

pub mod bundle;
pub mod export;
pub mod head;
pub mod id;
pub mod marking;
pub mod rules;
pub mod search;
pub mod timestamp;

pub use bundle::{Bundle, Refusal, StixObject};
pub use head::{Class, Detail, Head};
pub use id::StixId;
pub use marking::{Definitions, LabelMap, MarkingClaim, Tlp};
pub use timestamp::Timestamp;
