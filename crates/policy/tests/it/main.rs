//! What policy promises.

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
