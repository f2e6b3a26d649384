//! `cargo xtask web`: the client's packages, checks and build.
//!
//! The contract with `web/package.json` is the names of four scripts: `check` (types and
//! components), `test` (unit tests, once), `build` (to `web/dist`) and `dev`.

use std::fs;

use anyhow::{Context, Result, bail};

use crate::install::{self, Tool};
use crate::workspace::{self, Workspace};

const LOCK: &str = "web/package-lock.json";
/// A copy of the lock file that the installed packages came from.
const INSTALLED: &str = "web/node_modules/.installed-lock.json";

/// The client's folder, and what was already done in it by this process.
pub struct Web<'a> {
    ws: &'a Workspace,
    built: bool,
}

/// Builds the client.
pub fn run(ws: &Workspace) -> Result<()> {
    install::require(ws, &[Tool::Node])?;
    Web::new(ws).build()
}

impl<'a> Web<'a> {
    pub const fn new(ws: &'a Workspace) -> Self {
        Self { ws, built: false }
    }

    /// Installs the locked packages, without their scripts, unless they are the ones installed.
    pub fn packages(&self) -> Result<()> {
        if !self.ws.has("web/package.json") {
            bail!("web/package.json does not exist: there is no web client yet");
        }
        let lock = self.ws.path(LOCK);
        let wanted = fs::read(&lock).with_context(|| format!("cannot read {}", lock.display()))?;
        let installed = self.ws.path(INSTALLED);
        if fs::read(&installed).is_ok_and(|bytes| bytes == wanted) {
            println!("the packages of {LOCK} are installed");
            return Ok(());
        }
        self.npm(&["ci", "--ignore-scripts", "--no-audit", "--no-fund"])?;
        fs::write(&installed, wanted).context("cannot note which packages are installed")
    }

    pub fn check(&self) -> Result<()> {
        self.packages()?;
        self.npm(&["run", "check"])
    }

    pub fn test(&self) -> Result<()> {
        self.packages()?;
        self.npm(&["run", "test"])
    }

    /// Builds `web/dist`, once a process.
    pub fn build(&mut self) -> Result<()> {
        if self.built {
            return Ok(());
        }
        self.packages()?;
        self.npm(&["run", "build"])?;
        self.built = true;
        Ok(())
    }

    fn npm(&self, args: &[&str]) -> Result<()> {
        let mut command = self.ws.command("npm");
        workspace::run(command.args(args).current_dir(self.ws.path("web")))
    }
}
