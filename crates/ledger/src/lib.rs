//! PURE: the tamper-evident log — leaf, tree, tiles, proofs, checkpoint, witness, verifier.
//!
//! No clock, no disk, no randomness: bytes in, bytes out.

pub mod header;
pub mod leaf;
pub mod portion;
