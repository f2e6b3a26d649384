//! Witnesses (C2SP tlog-witness): a program that cosigns the heads of others' logs, and the part of
//! a node that has its own cosigned.

mod client;
mod heads;
mod service;

pub use client::{Asked, WitnessSection, follow, not_set_back, note_file};
pub use service::{Service, router};
