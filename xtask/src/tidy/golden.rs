//! Rules of golden files: what was once released decodes for ever.

use std::fs;

use anyhow::{Context, Result};

use super::Fault;
use super::docs;
use super::tree::{Tree, golden, parse_sums, within};
use crate::workspace::Workspace;

/// The sum of every golden file, as `sha256sum --check` reads them from the root.
const SUMS: &str = "crates/app/golden.sums";

/// Every golden file has a sum, and has it still.
pub fn sums(tree: &Tree) -> Vec<Fault> {
    let text = tree.get(SUMS).map_or("", |file| file.text.as_str());
    let sealed = parse_sums(text);
    let line = |path: &str| {
        text.lines().position(|line| line.ends_with(&format!("  {path}"))).map_or(1, |at| at + 1)
    };
    let mut faults = Vec::new();
    for path in tree.paths().filter(|path| golden(path)) {
        match sealed.get(path) {
            None => {
                let message = format!("has no sum in {SUMS}; run `cargo xtask tidy --seal`");
                faults.push(Fault::new(path, 1, message));
            }
            Some(sum) if tree.sums.get(path) != Some(sum) => {
                faults.push(Fault::new(path, 1, "a golden file was changed; make a new version"));
            }
            Some(_) => {}
        }
    }
    for path in sealed.keys().filter(|path| tree.get(path).is_none()) {
        faults.push(Fault::new(SUMS, line(path), format!("golden file {path} is gone")));
    }
    faults
}

/// Every kind that a capability declares has a golden file in its folder.
pub fn kinds(tree: &Tree) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (file, line, kind) in docs::declared_kinds(tree) {
        let folder = file.path.strip_suffix("/mod.rs").unwrap_or(&file.path);
        let stem = format!("{folder}/golden/{}.", kind.replace('/', "."));
        if !tree.paths().any(|path| within(path, folder) && path.starts_with(&stem)) {
            let message = format!("kind `{kind}` has no golden file {stem}json");
            faults.push(Fault::new(&file.path, line, message));
        }
    }
    faults
}

/// Adds the sum of each golden file that has none; leaves every other line as it is.
pub fn seal(ws: &Workspace) -> Result<()> {
    let tree = Tree::read(ws)?;
    let mut text = tree.get(SUMS).map_or_else(String::new, |file| file.text.clone());
    let sealed = parse_sums(&text);
    let mut added = 0_usize;
    for (path, sum) in tree.sums.iter().filter(|(path, _)| !sealed.contains_key(*path)) {
        text.push_str(sum);
        text.push_str("  ");
        text.push_str(path);
        text.push('\n');
        added += 1;
    }
    if added > 0 {
        fs::write(ws.path(SUMS), text).with_context(|| format!("cannot write {SUMS}"))?;
    }
    println!("{SUMS}: {added} added");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "crates/app/src/alerts/golden/alert.raised.1.json";

    fn tree(sums: &str, actual: &str) -> Tree {
        let mut tree = Tree::of(&[(FILE, "{}"), (SUMS, sums)]);
        tree.sums.insert(FILE.to_owned(), actual.to_owned());
        tree
    }

    #[test]
    fn a_golden_file_keeps_its_sum() {
        let sealed = format!("aa  {FILE}\n");
        assert!(sums(&tree(&sealed, "aa")).is_empty());
        let faults = sums(&tree(&sealed, "bb"));
        assert!(faults[0].message.contains("was changed"), "{faults:?}");
        let faults = sums(&tree("", "aa"));
        assert!(faults[0].message.contains("has no sum"), "{faults:?}");
    }

    #[test]
    fn a_golden_file_may_not_vanish() {
        let sealed = format!("aa  {FILE}\nbb  crates/app/src/x/golden/gone.json\n");
        let faults = sums(&tree(&sealed, "aa"));
        assert_eq!(faults.len(), 1);
        assert_eq!((faults[0].path.as_str(), faults[0].line), (SUMS, 2));
    }

    #[test]
    fn a_declared_kind_has_its_golden_file() {
        let module = ("crates/app/src/alerts/mod.rs", "const A: &str = \"alert.raised/1\";\n");
        assert!(kinds(&Tree::of(&[module, (FILE, "{}")])).is_empty());
        assert_eq!(kinds(&Tree::of(&[module])).len(), 1);
        let other = "crates/app/src/alerts/golden/alert.raised.12.json";
        assert_eq!(kinds(&Tree::of(&[module, (other, "{}")])).len(), 1);
    }
}
