//! The binary, started as a child.
