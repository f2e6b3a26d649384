//! PURE: the tamper-evident log — leaf, tree, tiles, proofs, checkpoint, witness, verifier.
//!
//! No clock, no disk, no randomness: bytes in, bytes out.

pub mod act_signature;
pub mod assertion;
pub mod authenticator;
pub mod bundle;
pub mod checkpoint;
pub mod cosignature;
mod encoding;
pub mod error;
pub mod format;
pub mod header;
pub mod leaf;
pub mod note;
pub mod portion;
pub mod proof;
pub mod receipt;
pub mod tile;
pub mod tree;
pub mod trust;
pub mod witness;

pub use error::Error;
