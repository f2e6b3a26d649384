//! `cargo xtask bench NAME`: one benchmark, with what the machine was doing around it.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;

use anyhow::{Context, Result};

use crate::workspace::{self, Workspace};

/// Runs a benchmark, or lists all when none is named.
pub fn run(ws: &Workspace, name: Option<&str>, args: &[OsString]) -> Result<()> {
    let found = benches(ws);
    let Some(name) = name else {
        if found.is_empty() {
            println!("no crate has an examples/bench_NAME.rs yet");
        }
        for (name, package) in &found {
            println!("{name:<24} {package}");
        }
        return Ok(());
    };
    let package = found.get(name).with_context(|| {
        let names: Vec<&str> = found.keys().map(String::as_str).collect();
        format!("there is no benchmark `{name}`; there are: {}", names.join(", "))
    })?;
    let example = format!("bench_{name}");
    let build = ["build", "--release", "--package", package, "--example", &example];
    workspace::run(&mut ws.cargo(&build))?;
    println!("{}", machine(ws));
    let bench = ["run", "--release", "--package", package, "--example", &example, "--"];
    let outcome = workspace::run(ws.cargo(&bench).args(args));
    println!("load after: {}", load());
    outcome
}

/// Maps the name of each benchmark to its crate.
fn benches(ws: &Workspace) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for package in fs::read_dir(ws.path("crates")).into_iter().flatten().flatten() {
        let examples = fs::read_dir(package.path().join("examples"));
        for example in examples.into_iter().flatten().flatten() {
            let file = example.file_name().to_string_lossy().into_owned();
            let name = file.strip_prefix("bench_").and_then(|rest| rest.strip_suffix(".rs"));
            if let Some(name) = name {
                let package = package.file_name().to_string_lossy().into_owned();
                found.insert(name.to_owned(), package);
            }
        }
    }
    found
}

fn machine(ws: &Workspace) -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let git = |args: &[&str]| {
        let printed = workspace::output(ws.command("git").args(args)).unwrap_or_default();
        String::from_utf8_lossy(&printed).trim().to_owned()
    };
    let commit = git(&["rev-parse", "--short", "HEAD"]);
    let changed = if git(&["status", "--porcelain"]).is_empty() { "" } else { " with changes" };
    format!("cores: {cores}; commit: {commit}{changed}; load before: {}", load())
}

/// The load averages of 1, 5 and 15 minutes.
fn load() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split_whitespace().take(3).collect::<Vec<_>>().join(" ")
}
