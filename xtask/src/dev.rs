//! `cargo xtask dev`: a debug server, and the client with live reload in front of it.

use std::ffi::OsString;
use std::process::{Child, Command};
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::install::{self, Tool};
use crate::web::Web;
use crate::workspace::{self, Workspace};

/// Vite itself, not npm's wrapper: ending the wrapper would leave Vite running.
const VITE: &str = "node_modules/vite/bin/vite.js";
const LOOK_EVERY: Duration = Duration::from_millis(200);
const END_WITHIN_LOOKS: u32 = 50;

/// Runs both until one ends, then ends the other.
pub fn run(ws: &Workspace, url: &str, args: &[OsString]) -> Result<()> {
    install::require(ws, &[Tool::Node])?;
    Web::new(ws).packages()?;
    workspace::run(&mut ws.cargo(&["build", "--workspace", "--bin", "muster"]))?;
    let mut server = ws.command(ws.built("debug", "muster"));
    server.args(["serve", "--data", ".muster/dev"]).args(args);
    let mut vite = ws.command("node");
    vite.arg(VITE).current_dir(ws.path("web")).env("MUSTER_URL", url);
    let mut children = [Running::start("muster", server)?, Running::start("vite", vite)?];
    loop {
        sleep(LOOK_EVERY);
        for running in &mut children {
            if let Some(status) = running.child.try_wait().context("cannot watch a child")? {
                bail!("{} ended with {status}", running.name);
            }
        }
    }
}

/// A child that ends when this value does.
struct Running {
    name: &'static str,
    child: Child,
}

impl Running {
    fn start(name: &'static str, mut command: Command) -> Result<Self> {
        println!("$ {}", workspace::line(&command));
        let child = command.spawn().with_context(|| format!("cannot start {name}"))?;
        Ok(Self { name, child })
    }
}

impl Drop for Running {
    /// Asks the child to stop, waits ten seconds, and kills it if it is still there.
    fn drop(&mut self) {
        // A child that has been waited for has given up its number, perhaps to a stranger.
        if !matches!(self.child.try_wait(), Ok(None)) {
            return;
        }
        let mut term = Command::new("kill");
        workspace::succeeds(term.args(["-TERM", &self.child.id().to_string()]));
        for _ in 0..END_WITHIN_LOOKS {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            sleep(LOOK_EVERY);
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_ends_with_its_owner() {
        let mut command = Command::new("sleep");
        command.arg("60");
        let running = Running::start("sleep", command).expect("sleep is everywhere");
        let id = running.child.id().to_string();
        assert!(workspace::succeeds(Command::new("kill").args(["-0", &id])));
        drop(running);
        assert!(!workspace::succeeds(Command::new("kill").args(["-0", &id])));
    }
}
