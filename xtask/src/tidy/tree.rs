//! What the rules look at: the files of the tree, and what other programs say of them.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::Value;

use super::lex::{self, Lexed};
use crate::workspace::{self, Workspace};

/// LIMIT: larger files are data, and are not read as text.
const FILE_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// The tree as the rules see it.
#[derive(Default)]
pub struct Tree {
    files: BTreeMap<String, File>,
    /// Every crate of the lock file.
    pub crates: Vec<Package>,
    /// Every installed package of the web client; empty when none is installed.
    pub packages: Vec<Package>,
    /// SHA-256 of each golden file.
    pub sums: BTreeMap<String, String>,
}

/// A text file; a Rust source is parted into code and literals.
pub struct File {
    pub path: String,
    pub text: String,
    pub rust: Option<Lexed>,
}

/// Somebody else's work and its licence.
pub struct Package {
    pub name: String,
    pub licence: Option<String>,
}

impl Tree {
    /// Reads what git tracks and what it would track.
    pub fn read(ws: &Workspace) -> Result<Self> {
        let mut git = ws.command("git");
        git.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
        let listed = workspace::output(&mut git).context("the rules need git")?;
        let mut tree = Self::default();
        for path in String::from_utf8_lossy(&listed).split_terminator('\0') {
            let full = ws.path(path);
            let small = fs::metadata(&full)
                .is_ok_and(|meta| meta.is_file() && meta.len() <= FILE_BYTES_MAX);
            if let (true, Ok(text)) = (small, fs::read_to_string(&full)) {
                tree.add(path, text);
            }
        }
        tree.sums = sums(ws, tree.paths().filter(|path| golden(path)))?;
        tree.crates = crates(ws)?;
        tree.packages = packages(&ws.path("web/node_modules"));
        Ok(tree)
    }

    fn add(&mut self, path: &str, text: String) {
        let rust = is(path, "rs").then(|| lex::lex(&text));
        self.files.insert(path.to_owned(), File { path: path.to_owned(), text, rust });
    }

    pub fn get(&self, path: &str) -> Option<&File> {
        self.files.get(path)
    }

    pub fn files(&self) -> impl Iterator<Item = &File> {
        self.files.values()
    }

    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }

    /// The Rust sources, each with its parts.
    pub fn rust(&self) -> impl Iterator<Item = (&File, &Lexed)> {
        self.files().filter_map(|file| file.rust.as_ref().map(|lexed| (file, lexed)))
    }

    /// The Rust sources of the crates, without their tests, examples and benches.
    pub fn product(&self) -> impl Iterator<Item = (&File, &Lexed)> {
        self.rust().filter(|(file, _)| {
            let mut parts = file.path.split('/');
            parts.next() == Some("crates") && parts.nth(1) == Some("src")
        })
    }

    /// The manifests of our crates, with the folder of each.
    pub fn manifests(&self) -> impl Iterator<Item = (&str, &File)> {
        self.files().filter_map(|file| {
            let folder = file.path.strip_suffix("/Cargo.toml")?;
            let ours = folder == "xtask" || folder.strip_prefix("crates/").is_some();
            ours.then_some((folder, file))
        })
    }

    /// Tells whether any file lies in a folder.
    pub fn has_folder(&self, folder: &str) -> bool {
        self.paths().any(|path| within(path, folder))
    }
}

#[cfg(test)]
impl Tree {
    /// Makes a tree of a few files, for the test of a rule.
    pub fn of(files: &[(&str, &str)]) -> Self {
        let mut tree = Self::default();
        for (path, text) in files {
            tree.add(path, (*text).to_owned());
        }
        tree
    }
}

/// Tells whether a path lies in a folder, at any depth.
pub fn within(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

/// Tells whether a path ends in `.end`.
pub fn is(path: &str, end: &str) -> bool {
    Path::new(path).extension().is_some_and(|found| found == end)
}

/// Tells whether a file is a golden one: under `crates`, in a folder of that name.
pub fn golden(path: &str) -> bool {
    path.starts_with("crates/") && path.contains("/golden/")
}

/// Reads every Rust source below a folder.
pub fn sources(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|end| end == "rs") {
            found.extend(fs::read_to_string(&path));
        }
    }
    found
}

/// Sums files with `sha256sum`, whose lines are `SUM  PATH`.
fn sums<'a>(
    ws: &Workspace,
    paths: impl Iterator<Item = &'a str>,
) -> Result<BTreeMap<String, String>> {
    let paths: Vec<&str> = paths.collect();
    if paths.is_empty() {
        return Ok(BTreeMap::new());
    }
    let mut command = ws.command("sha256sum");
    let printed = workspace::output(command.arg("--").args(paths))?;
    Ok(parse_sums(&String::from_utf8_lossy(&printed)))
}

/// Maps each path of a list of sums to its sum.
pub fn parse_sums(text: &str) -> BTreeMap<String, String> {
    let pair = |line: &str| line.split_once("  ").map(|(sum, path)| (path.into(), sum.into()));
    text.lines().filter_map(pair).collect()
}

fn crates(ws: &Workspace) -> Result<Vec<Package>> {
    let printed = workspace::output(&mut ws.cargo(&["metadata", "--locked", "--format-version=1"]))
        .context("Cargo.lock does not fit the manifests, or a crate cannot be had")?;
    let value: Value = serde_json::from_slice(&printed).context("cargo metadata is not JSON")?;
    let all = value.get("packages").and_then(Value::as_array);
    Ok(all.into_iter().flatten().map(package).collect())
}

fn package(value: &Value) -> Package {
    let text = |name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
    // Old npm manifests have `{"type": …}`, or a list of those under `licenses`.
    let listed = || value.get("licenses")?.get(0)?.get("type")?.as_str().map(str::to_owned);
    let typed = || value.get("license")?.get("type")?.as_str().map(str::to_owned);
    Package {
        name: text("name").unwrap_or_default(),
        licence: text("license").or_else(typed).or_else(listed),
    }
}

/// Reads the manifest of each installed package, scoped and nested ones too.
fn packages(folder: &Path) -> Vec<Package> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let name = entry.file_name();
        if name.to_string_lossy().starts_with('.') {
            continue;
        }
        if name.to_string_lossy().starts_with('@') {
            found.extend(packages(&path));
            continue;
        }
        let text = fs::read_to_string(path.join("package.json")).unwrap_or_default();
        if let Ok(value) = serde_json::from_str::<Value>(&text) {
            found.push(package(&value));
        }
        found.extend(packages(&path.join("node_modules")));
    }
    found
}
