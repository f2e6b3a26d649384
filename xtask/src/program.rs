//! `cargo xtask simulate` and `fuzz`: programs that look for what tests do not, built for speed.

use std::ffi::OsString;

use anyhow::Result;

use crate::workspace::{self, Workspace};

/// A program that runs from a seed.
#[derive(Clone, Copy)]
pub enum Program {
    Simulate,
    Fuzz,
}

/// Builds the program and hands the arguments through.
pub fn run(ws: &Workspace, program: Program, args: &[OsString]) -> Result<()> {
    let (package, kind, name) = match program {
        Program::Simulate => ("testkit", "--bin", "simulate"),
        Program::Fuzz => ("interop", "--example", "fuzz_stix"),
    };
    let mut command = ws.cargo(&["run", "--release", "--package", package, kind, name, "--"]);
    workspace::run(command.args(args))
}
