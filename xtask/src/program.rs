//! `cargo xtask simulate`, `fuzz` and `load`: the programs of `testkit`, built for speed.

use std::ffi::OsString;

use anyhow::Result;

use crate::workspace::{self, Workspace};

/// A program of `testkit`.
#[derive(Clone, Copy)]
pub enum Program {
    Simulate,
    Fuzz,
    Load,
}

/// Builds the program and hands the arguments through.
pub fn run(ws: &Workspace, program: Program, args: &[OsString]) -> Result<()> {
    let name = match program {
        Program::Simulate => "simulate",
        Program::Fuzz => "fuzz",
        Program::Load => "load",
    };
    let mut command = ws.cargo(&["run", "--release", "--package", "testkit", "--bin", name, "--"]);
    workspace::run(command.args(args))
}
