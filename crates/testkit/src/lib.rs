//! DEV: the World of the tests, simulations, fuzzers and loads.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    clippy::indexing_slicing,
    reason = "a test kit stops its test when the world is not as the test says"
)]

pub mod crash;
pub mod postgres;
pub mod world;

pub use world::{ManualClock, Who, World};
