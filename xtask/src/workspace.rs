//! Where the workspace is, and how a program is started in it.

use std::env;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// The tree that holds this crate, and the folder that its builds go to.
pub struct Workspace {
    root: PathBuf,
    target: PathBuf,
}

impl Workspace {
    /// Finds the workspace from cargo's own variable, else from the current folder upwards.
    pub fn find() -> Result<Self> {
        let given = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
        let here = env::current_dir().context("cannot tell the current folder")?;
        let root = [given.as_deref(), Some(here.as_path())]
            .into_iter()
            .flatten()
            .flat_map(Path::ancestors)
            .find(|folder| folder.join("xtask/Cargo.toml").is_file())
            .context("no xtask/Cargo.toml here or above")?
            .to_path_buf();
        let target = match env::var_os("CARGO_TARGET_DIR") {
            Some(folder) => here.join(folder),
            None => root.join("target"),
        };
        Ok(Self { root, target })
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    pub fn path(&self, relative: &str) -> PathBuf {
        self.root.join(relative)
    }

    pub fn has(&self, relative: &str) -> bool {
        self.path(relative).exists()
    }

    /// Names a built program of the workspace.
    pub fn built(&self, profile: &str, program: &str) -> PathBuf {
        self.target.join(profile).join(program)
    }

    /// The folder of tools that were installed here because the machine lacked them.
    pub fn tools(&self) -> PathBuf {
        self.target.join("tools")
    }

    fn search_folders(&self) -> Vec<PathBuf> {
        let own = ["node/bin", "cargo/bin"].map(|folder| self.tools().join(folder));
        let debian = PathBuf::from("/usr/lib/go/bin");
        let path = env::var_os("PATH").unwrap_or_default();
        own.into_iter()
            .filter(|folder| folder.is_dir())
            .chain(env::split_paths(&path))
            .chain([debian])
            .collect()
    }

    /// Finds a program where [`Self::command`] would.
    pub fn program(&self, name: &str) -> Option<PathBuf> {
        self.search_folders().into_iter().map(|folder| folder.join(name)).find(|p| p.is_file())
    }

    /// Prepares a program to run at the root, with our tools on its path.
    ///
    /// What cargo told this program about itself is taken out again: to a nested cargo it would
    /// be a changed environment, and build scripts would run anew.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.root).env("CARGO_TARGET_DIR", &self.target);
        if let Ok(path) = env::join_paths(self.search_folders()) {
            command.env("PATH", path);
        }
        for (name, _) in env::vars_os() {
            if told_by_cargo(&name) {
                command.env_remove(name);
            }
        }
        command
    }

    pub fn cargo(&self, args: &[&str]) -> Command {
        let mut command = self.command("cargo");
        command.args(args);
        command
    }
}

fn told_by_cargo(name: &OsString) -> bool {
    let name = name.to_string_lossy();
    ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_"]
        .iter()
        .any(|prefix| name.starts_with(prefix))
}

/// Shows a command as a person would type it.
pub fn line(command: &Command) -> String {
    let mut words = vec![command.get_program().to_string_lossy()];
    words.extend(command.get_args().map(OsStr::to_string_lossy));
    words.join(" ")
}

/// Runs a command on this terminal; its failure is an error that names it.
pub fn run(command: &mut Command) -> Result<()> {
    println!("$ {}", line(command));
    let status = command.status().with_context(|| format!("cannot start `{}`", line(command)))?;
    if !status.success() {
        bail!("`{}` ended with {status}", line(command));
    }
    Ok(())
}

/// Runs a command and returns what it printed.
pub fn output(command: &mut Command) -> Result<Vec<u8>> {
    let done = command
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("cannot start `{}`", line(command)))?;
    if !done.status.success() {
        bail!("`{}` ended with {}", line(command), done.status);
    }
    Ok(done.stdout)
}

/// Asks a command whether all is well, without a word on the terminal.
pub fn succeeds(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}
