//! Rules of direction: which crate may know which, and what a pure crate may touch.

use super::Fault;
use super::lex::{self, line_at, without_tests};
use super::tree::{File, Tree};

/// A crate of ours: the word that its first line opens with, and the crates that it may use.
struct Crate {
    name: &'static str,
    role: &'static str,
    may: &'static [&'static str],
}

const PURE: &str = "PURE";

const CRATES: &[Crate] = &[
    Crate { name: "base", role: PURE, may: &[] },
    Crate { name: "ledger", role: PURE, may: &["base"] },
    Crate { name: "policy", role: PURE, may: &["base"] },
    Crate { name: "interop", role: PURE, may: &["base"] },
    Crate { name: "analysis", role: PURE, may: &["base"] },
    Crate { name: "media", role: "HEAVY", may: &[] },
    // The store keeps what the ledger lays out: its leaves, tiles and checkpoints.
    Crate { name: "store", role: "RIM", may: &["base", "ledger"] },
    Crate {
        name: "app",
        role: "The product",
        may: &["base", "ledger", "policy", "interop", "analysis", "media", "store"],
    },
    Crate {
        name: "server",
        role: "RIM",
        may: &["base", "ledger", "policy", "interop", "analysis", "media", "store", "app"],
    },
    Crate {
        name: "testkit",
        role: "DEV",
        may: &["base", "ledger", "policy", "interop", "analysis", "media", "store", "app"],
    },
    Crate { name: "xtask", role: "DEV", may: &[] },
];

/// Crates of others that reach for the network, a database or a runtime.
const IMPURE: [&str; 12] = [
    "async-std",
    "axum",
    "hyper",
    "hyper-util",
    "mio",
    "postgres",
    "reqwest",
    "rusqlite",
    "sqlx",
    "tokio",
    "tower",
    "tracing-subscriber",
];
/// Crates that may be known of only in the crates beside them.
const KEPT: [(&str, &[&str]); 4] = [
    ("axum", &["app", "server", "testkit"]),
    ("postgres", &["store", "testkit"]),
    ("tokio-postgres", &["store", "testkit"]),
    ("anyhow", &["server", "testkit", "xtask"]),
];

/// Tells whether a crate is one of ours.
pub fn ours(name: &str) -> bool {
    row(name).is_some()
}

fn row(name: &str) -> Option<&'static Crate> {
    CRATES.iter().find(|row| row.name == name)
}

/// The word that the crate's first line opens with.
pub fn role(name: &str) -> Option<&'static str> {
    row(name).map(|row| row.role)
}

/// A dependency as a manifest names it.
pub struct Dependency {
    pub name: String,
    /// Whether only the crate's tests see it.
    pub for_tests: bool,
}

/// Lists what a manifest depends on.
pub fn dependencies_of(manifest: &File) -> Vec<Dependency> {
    let Ok(table) = toml::from_str::<toml::Table>(&manifest.text) else { return Vec::new() };
    let mut holders = vec![&table];
    let targets = table.get("target").and_then(toml::Value::as_table);
    let for_target = targets.into_iter().flatten().filter_map(|(_, value)| value.as_table());
    holders.extend(for_target);
    let mut found = Vec::new();
    for holder in holders {
        for section in ["dependencies", "build-dependencies", "dev-dependencies"] {
            let names = holder.get(section).and_then(toml::Value::as_table);
            let for_tests = section == "dev-dependencies";
            let names = names.into_iter().flatten();
            found.extend(names.map(|(name, _)| Dependency { name: name.clone(), for_tests }));
        }
    }
    found
}

/// The line on which a manifest names a dependency.
pub fn line_of(manifest: &File, name: &str) -> usize {
    let stands =
        |line: &str| line.strip_prefix(name).is_some_and(|rest| rest.starts_with([' ', '.', '=']));
    manifest.text.lines().position(stands).map_or(1, |at| at + 1)
}

/// Every crate stands in the table and uses only those below it.
pub fn crates(tree: &Tree) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (folder, manifest) in tree.manifests() {
        let name = folder.rsplit('/').next().unwrap_or(folder);
        let Some(own) = row(name) else {
            let message = format!("crate `{name}` has no place in the order of crates");
            faults.push(Fault::new(&manifest.path, 1, message));
            continue;
        };
        for dependency in dependencies_of(manifest) {
            let used = dependency.name.as_str();
            let in_tests = dependency.for_tests && used == "testkit" && own.role != PURE;
            if row(used).is_some() && !own.may.contains(&used) && !in_tests {
                let message = format!("`{name}` must not use `{used}`: see the order of crates");
                faults.push(Fault::new(&manifest.path, line_of(manifest, used), message));
            }
        }
    }
    faults
}

/// A pure crate depends on nothing that reaches outside; some crates are kept to few of ours.
pub fn dependencies(tree: &Tree) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (folder, manifest) in tree.manifests() {
        let name = folder.rsplit('/').next().unwrap_or(folder);
        let pure = role(name) == Some(PURE);
        for dependency in dependencies_of(manifest).iter().filter(|found| !found.for_tests) {
            let used = dependency.name.as_str();
            let line = line_of(manifest, used);
            if pure && (IMPURE.contains(&used) || used.starts_with("tokio-")) {
                let message = format!("pure crate `{name}` must not use `{used}`");
                faults.push(Fault::new(&manifest.path, line, message));
            }
            let kept = KEPT.iter().find(|(kept, _)| *kept == used);
            if let Some((_, ours)) = kept.filter(|(_, ours)| !pure && !ours.contains(&name)) {
                let message = format!("`{used}` is kept to {}", ours.join(", "));
                faults.push(Fault::new(&manifest.path, line, message));
            }
        }
    }
    faults
}

/// A pure crate's own source reads no file, no socket and no clock.
pub fn pure_sources(tree: &Tree) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (file, lexed) in tree.product() {
        let name = file.path.split('/').nth(1).unwrap_or("");
        if role(name) != Some(PURE) || file.path.ends_with("/tests.rs") {
            continue;
        }
        let code = without_tests(&lexed.code);
        let mut found = |at: usize, what: &str| {
            let message = format!("pure crate `{name}` must not reach for `{what}`");
            faults.push(Fault::new(&file.path, line_at(&code, at), message));
        };
        for what in ["SystemTime", "Instant", "std::fs", "std::net"] {
            for at in lex::words(&code, what) {
                found(at, what);
            }
        }
        for (at, what) in grouped(&code) {
            found(at, what);
        }
    }
    faults
}

/// Finds `fs` and `net` in `std::{…}`.
fn grouped(code: &str) -> Vec<(usize, &'static str)> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices("std::{") {
        let mut depth = 0_usize;
        let mut word = String::new();
        for c in code.get(at + "std::{".len()..).unwrap_or("").chars() {
            match c {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                ',' if depth == 0 => word.clear(),
                _ if depth == 0 && !c.is_whitespace() => word.push(c),
                _ => {}
            }
            for (name, what) in [("fs", "std::fs"), ("net", "std::net")] {
                let whole = word == name || word.strip_prefix(name).is_some_and(|r| r == "::");
                if whole && !found.contains(&(at, what)) {
                    found.push((at, what));
                }
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(name: &str, text: &str) -> Tree {
        Tree::of(&[(&format!("crates/{name}/Cargo.toml"), text)])
    }

    #[test]
    fn a_crate_uses_only_those_below_it() {
        let good = "[dependencies]\nbase.workspace = true\nserde = \"1\"\n";
        assert!(crates(&manifest("ledger", good)).is_empty());
        let faults = crates(&manifest("ledger", "[dependencies]\nstore.workspace = true\n"));
        assert_eq!(
            faults[0].to_string(),
            "crates/ledger/Cargo.toml:2: `ledger` must not use `store`: see the order of crates"
        );
        assert_eq!(
            crates(&manifest("app", "[dependencies]\nserver = { path = \"x\" }\n")).len(),
            1
        );
        assert_eq!(crates(&manifest("novel", "")).len(), 1);
    }

    #[test]
    fn tests_may_use_the_testkit_but_not_those_of_a_pure_crate() {
        let text = "[dev-dependencies]\ntestkit.workspace = true\n";
        assert!(crates(&manifest("app", text)).is_empty());
        assert_eq!(crates(&manifest("policy", text)).len(), 1);
        assert_eq!(crates(&manifest("app", &text.replace("dev-", ""))).len(), 1);
    }

    #[test]
    fn a_pure_crate_depends_on_nothing_that_reaches_outside() {
        for used in ["tokio", "axum", "rusqlite", "postgres", "tokio-postgres"] {
            let text = format!("[dependencies]\n{used} = \"1\"\n");
            assert_eq!(dependencies(&manifest("policy", &text)).len(), 1, "{used}");
            let tests = text.replace("dependencies", "dev-dependencies");
            assert!(dependencies(&manifest("policy", &tests)).is_empty(), "{used}");
        }
        assert!(dependencies(&manifest("app", "[dependencies]\naxum = \"1\"\n")).is_empty());
        assert_eq!(dependencies(&manifest("store", "[dependencies]\naxum = \"1\"\n")).len(), 1);
        assert_eq!(dependencies(&manifest("app", "[dependencies]\nanyhow = \"1\"\n")).len(), 1);
    }

    #[test]
    fn a_pure_source_reads_no_clock_file_or_socket() {
        let faults = |text| pure_sources(&Tree::of(&[("crates/ledger/src/a.rs", text)])).len();
        for bad in [
            "use std::fs;",
            "fn f() { std::net::TcpStream::connect(x); }",
            "use std::{fmt, fs};",
            "use std::{fmt::{self, Write}, net::IpAddr};",
            "use std::time::{Duration, Instant};",
            "let now = SystemTime::now();",
        ] {
            assert_eq!(faults(bad), 1, "{bad}");
        }
        for good in [
            "// std::fs\nuse std::fmt;",
            "use std::{fmt, collections::BTreeMap};",
            "#[cfg(test)]\nmod tests { use std::fs; }",
            "let text = \"SystemTime\";",
            "struct NotInstant;",
        ] {
            assert_eq!(faults(good), 0, "{good}");
        }
        assert!(pure_sources(&Tree::of(&[("crates/store/src/a.rs", "use std::fs;")])).is_empty());
        assert!(pure_sources(&Tree::of(&[("crates/base/tests/a.rs", "use std::fs;")])).is_empty());
    }
}
