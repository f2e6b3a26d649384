//! `cargo xtask check`: form, lints and the rules of the tree.

use anyhow::{Result, bail};

use crate::install::{self, Tool};
use crate::tidy;
use crate::workspace::{self, Workspace};

/// Runs the three, all of them even when one fails.
pub fn run(ws: &Workspace) -> Result<()> {
    install::require(ws, &[Tool::Rust])?;
    let mut failed = Vec::new();
    for (name, outcome) in [("fmt", fmt(ws)), ("tidy", tidy::run(ws)), ("clippy", clippy(ws))] {
        if let Err(cause) = outcome {
            println!("{name}: {cause:#}");
            failed.push(name);
        }
    }
    if !failed.is_empty() {
        bail!("did not pass: {}", failed.join(", "));
    }
    Ok(())
}

/// Checks that the formatter would change nothing.
pub fn fmt(ws: &Workspace) -> Result<()> {
    workspace::run(&mut ws.cargo(&["fmt", "--all", "--check"]))
}

/// Checks that the linter has nothing to say.
pub fn clippy(ws: &Workspace) -> Result<()> {
    workspace::run(&mut ws.cargo(&[
        "clippy",
        "--workspace",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ]))
}
