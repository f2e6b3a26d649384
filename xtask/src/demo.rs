//! `cargo xtask demo`: the product, built from a fresh clone and shown on scenario data.

use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;

use anyhow::{Result, bail};

use crate::install::{self, Tool};
use crate::web::Web;
use crate::workspace::{self, Workspace};

/// A public bundle of STIX 2.1 that may lie beside the clone: the play has a small one of its own.
const HOLDINGS: &str = "../shared/data/attack/enterprise-attack-18.1-lifted21.json.gz";

/// Builds the client and the release binary, then becomes `muster demo`.
pub fn run(ws: &Workspace, args: &[OsString]) -> Result<()> {
    if !ws.has("web/package.json") {
        bail!(
            "there is nothing to show yet: the demonstration is seen in the web client, \
             and web/package.json does not exist"
        );
    }
    install::require(ws, &[Tool::Node])?;
    Web::new(ws).build()?;
    let build = ["build", "--release", "--package", "server", "--bin", "muster"];
    workspace::run(&mut ws.cargo(&build))?;
    let mut muster = ws.command(ws.built("release", "muster"));
    muster.arg("demo").args(args);
    let given = args.iter().any(|arg| arg.to_string_lossy().starts_with("--intel"));
    if !given && ws.has(HOLDINGS) {
        muster.arg("--intel").arg(ws.path(HOLDINGS));
    }
    println!("$ {}", workspace::line(&muster));
    // Replacing this process leaves nothing between the terminal's signals and the server.
    Err(anyhow::Error::new(muster.exec()).context("cannot start the demonstration"))
}
