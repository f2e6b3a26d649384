//! Makes the folder that the web client is built to, before its path is compiled in.
//!
//! A debug build reads files from that folder and serves only what lies below its canonical path,
//! which a folder that does not exist yet has not got.

fn main() -> std::io::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    std::fs::create_dir_all("../../web/dist")
}
