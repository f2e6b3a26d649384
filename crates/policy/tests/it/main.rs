//! What policy promises.

#![expect(clippy::expect_used, reason = "helpers of tests fail as tests do")]

mod agreement;
mod compile;
mod decide;
mod dominance;
mod equivalence;
mod explain;
mod oracle;
mod property;
mod scheme;
mod simulate;
mod world;
