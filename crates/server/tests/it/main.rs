//! The binary itself, started as a child: what a person at a terminal and a browser get.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test stops where the binary is not as it says"
)]

mod admin;
mod child;
mod demo;
mod export;
mod serve;
mod verify;
mod witness;
