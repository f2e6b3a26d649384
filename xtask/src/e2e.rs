//! `cargo xtask e2e`: the journeys, in Chromium, against the real binary.
//!
//! The runner finds the binary in `MUSTER_BIN` and the browser in `CHROMIUM_PATH`.

use std::ffi::OsStr;

use anyhow::{Context, Result, bail};

use crate::install::{self, Tool};
use crate::web::Web;
use crate::workspace::{self, Workspace};

/// The program that runs the journeys.
pub const RUNNER: &str = "web/e2e/run.mjs";
/// The program that takes pictures of every screen.
const GALLERY: &str = "web/e2e/gallery.mjs";

/// Which binary is driven.
#[derive(Clone, Copy)]
pub enum Profile {
    Debug,
    Release,
}

/// Builds what the journeys need and runs them.
pub fn run<S: AsRef<OsStr>>(ws: &Workspace, profile: Profile, args: &[S]) -> Result<()> {
    if !ws.has(RUNNER) {
        bail!("{RUNNER} does not exist: there are no journeys yet");
    }
    install::require(ws, &[Tool::Node, Tool::Chromium])?;
    journeys(ws, &mut Web::new(ws), profile, args)
}

/// Builds what the pictures need and takes them, into a folder.
pub fn gallery<S: AsRef<OsStr>>(ws: &Workspace, args: &[S]) -> Result<()> {
    install::require(ws, &[Tool::Node, Tool::Chromium])?;
    drive(ws, &mut Web::new(ws), Profile::Debug, (GALLERY, args))
}

/// Runs the journeys on a machine that has the tools.
pub fn journeys<S: AsRef<OsStr>>(
    ws: &Workspace,
    web: &mut Web,
    profile: Profile,
    args: &[S],
) -> Result<()> {
    drive(ws, web, profile, (RUNNER, args))
}

/// Runs a program that drives the real binary in Chromium.
fn drive<S: AsRef<OsStr>>(
    ws: &Workspace,
    web: &mut Web,
    profile: Profile,
    (program, args): (&str, &[S]),
) -> Result<()> {
    web.build()?;
    let mut build = ws.cargo(&["build", "--workspace", "--bin", "muster"]);
    let folder = match profile {
        Profile::Debug => "debug",
        Profile::Release => {
            build.arg("--release");
            "release"
        }
    };
    workspace::run(&mut build)?;
    let browser = install::chromium(ws).context("Chromium is missing")?;
    let mut node = ws.command("node");
    node.arg(program).args(args);
    node.env("MUSTER_BIN", ws.built(folder, "muster")).env("CHROMIUM_PATH", browser);
    workspace::run(&mut node)
}
