//! PURE: label schemes, dominance, agreements, decisions and readable sets.
//!
//! Two layers must both allow. The mandatory one is [`dominance`]: level, compartments,
//! releasable-to and play, in Rust. The discretionary one is Cedar: the capabilities' own rules and
//! the clauses of the agreements in force, put together by [`compile`] and asked by [`decide`]. No
//! clause, no flow: a rule of a capability never lets a record out of its originator's own line.
//!
//! Nothing here reads a clock, a file or a random source; times are parameters and the schemes are
//! embedded.

pub mod agency;
pub mod agreement;
mod canonical;
pub mod compile;
pub mod decide;
pub mod dominance;
mod entity;
pub mod equivalence;
mod error;
pub mod explain;
pub mod marking;
pub mod matrix;
pub mod profile;
pub mod prose;
pub mod reach;
pub mod readable;
mod rule;
pub mod scheme;
pub mod simulate;

pub use agency::AgencyTree;
pub use agreement::{
    Action, Agreement, Ceiling, Clause, ClauseRef, Discloses, Effect, Grantee, Limits, Onward,
    Roles, Window,
};
pub use compile::{Class, Declared, PolicyEpoch, Sources, Text, compile, next_boundary, recompile};
pub use decide::{Decision, Intent, Reason, Target, Verdict, decide, decide_act, decide_whole};
pub use dominance::{Shortfall, high_water, join, join_all, leq, readable, shortfalls};
pub use equivalence::{Mapped, Outcome, Row, Table};
pub use error::Error;
pub use explain::{Explanation, Shown, explain};
pub use marking::Form;
pub use matrix::matrix;
pub use profile::{Attributes, Profile};
pub use prose::{agreement_prose, prose};
pub use reach::{Reach, Readers, covering, reach};
pub use readable::{LabelTable, Readable, ReadableSets};
pub use scheme::{Scheme, Schemes};
pub use simulate::{Change, Conflict, Simulation, simulate};

/// Clauses in one agreement: more cannot be read and signed by a person.
pub const CLAUSES_PER_AGREEMENT: usize = 200;
/// Distinct labels that one node interns: a node with more has free text in its labels.
pub const LABELS_PER_NODE: usize = 65_536;
/// Readable sets kept for one epoch, about 200 profiles with 80 actions; beyond it all are dropped.
pub const READABLE_SETS: usize = 16_384;
/// Slices kept for one epoch: triples of reader's agency, action and originator.
pub const SLICES: usize = 16_384;
/// Units between an agency and the top of its line: a deeper tree is a mistake.
pub const AGENCY_DEPTH: usize = 16;
