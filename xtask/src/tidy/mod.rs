//! `cargo xtask tidy`: the rules of the tree, each a function from the tree to its faults.
//!
//! A rule reads only the [`Tree`], which is filled once; so a rule is tested on a tree of three
//! lines. What does not exist yet breaks no rule.

mod direction;
mod docs;
mod form;
mod golden;
mod leak;
mod lex;
mod licence;
mod placement;
mod reach;
mod tree;
mod twins;

use std::fmt;

use anyhow::{Result, bail};

pub use golden::seal;
pub use tree::sources;

use crate::stage;
use crate::workspace::Workspace;
use tree::Tree;

/// A breach of a rule, at a place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    path: String,
    line: usize,
    message: String,
}

impl Fault {
    fn new(path: &str, line: usize, message: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, message: message.into() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.message)
    }
}

type Rule = fn(&Tree) -> Vec<Fault>;

const RULES: &[Rule] = &[
    form::opening,
    form::role,
    form::width,
    form::unfinished,
    form::discarded_causes,
    direction::crates,
    direction::dependencies,
    direction::pure_sources,
    placement::axum,
    placement::sql,
    reach::dead_files,
    reach::unmounted_tests,
    reach::silent_tests,
    golden::sums,
    golden::kinds,
    twins::capabilities,
    docs::slugs,
    docs::kinds,
    docs::decisions,
    docs::dependencies,
    docs::negative_tests,
    licence::crates,
    licence::packages,
    leak::machine,
    leak::lock_file,
];

/// Prints every fault and fails when there is one.
pub fn run(ws: &Workspace) -> Result<()> {
    let (faults, took) = stage::timed(|| faults(ws));
    let faults = faults?;
    for fault in &faults {
        println!("{fault}");
    }
    if !faults.is_empty() {
        bail!("the tree breaks its rules in {} places", faults.len());
    }
    println!("tidy: {} rules hold ({:.1} s)", RULES.len(), took.as_secs_f64());
    Ok(())
}

fn faults(ws: &Workspace) -> Result<Vec<Fault>> {
    let tree = Tree::read(ws)?;
    let mut faults: Vec<Fault> = RULES.iter().flat_map(|rule| rule(&tree)).collect();
    faults.sort();
    faults.dedup();
    Ok(faults)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tree_keeps_its_rules() {
        let ws = Workspace::find().expect("this test runs in the workspace");
        let faults = faults(&ws).expect("the tree can be read");
        let lines: Vec<String> = faults.iter().map(Fault::to_string).collect();
        assert!(lines.is_empty(), "\n{}", lines.join("\n"));
    }
}
