//! The one test binary of the ledger.

mod assertion;
mod formats;
mod go;
mod log;
mod log_vectors;
mod note;
mod tree;
mod witness;
