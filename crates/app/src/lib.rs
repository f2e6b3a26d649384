//! The product: the kernel and its capabilities.
//!
//! Read `kernel/sequencer.rs` first, then `alerts/mod.rs`: they are the waist and the pattern.

pub mod agencies;
pub mod agreements;
pub mod alerts;
pub mod capabilities;
pub mod circles;
pub mod declarations;
pub mod drawings;
pub mod entities;
pub mod erasures;
pub mod identity;
pub mod inquiries;
pub mod kernel;
pub mod operations;
pub mod people;
pub mod plans;
pub mod queries;
pub mod reports;
pub mod roster;
pub mod spillages;
pub mod watches;
pub mod webhooks;

/// The allocator of every program that has the product in it: acts of many threads ask for a great
/// many small pieces, and that of the C library took a fifth of the processor for them.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
