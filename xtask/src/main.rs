//! DEV: `cargo xtask`.
fn main() {}
