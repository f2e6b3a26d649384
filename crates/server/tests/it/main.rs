//! The binary itself, started as a child: what a person at a terminal and a browser get.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test stops where the binary is not as it says"
)]

mod admin;
mod child;
#[path = "../../src/courier.rs"]
#[expect(dead_code, reason = "the binary uses the rest of it")]
mod courier;
#[path = "../../src/deadline.rs"]
mod deadline;
mod demo;
mod export;
#[path = "../../src/peer.rs"]
#[expect(dead_code, reason = "the binary uses the rest of it")]
mod peer;
mod serve;
mod verify;
mod webhooks;
mod witness;
