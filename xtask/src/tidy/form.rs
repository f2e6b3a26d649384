//! Rules of form: opening lines, width, nothing left undone.

use super::Fault;
use super::direction;
use super::lex::{self, line_at};
use super::tree::{Tree, is};

const WIDTH_MAX: usize = 100;
/// Files that a person writes as code, where a mark of unfinished work may hide.
const CODE: [&str; 12] =
    ["rs", "ts", "svelte", "mjs", "js", "css", "html", "cedar", "toml", "sh", "service", "tmpl"];
const MARKS: [&str; 2] = [concat!("TO", "DO"), concat!("FIX", "ME")];
const MACROS: [&str; 2] = ["todo", "unimplemented"];
/// Ways to switch a browser or unit test of the client off.
const SWITCHES: [&str; 2] = ["skip", "only"];

/// Every source says in its first line what it is.
pub fn opening(tree: &Tree) -> Vec<Fault> {
    tree.rust()
        .filter(|(file, _)| !file.text.starts_with("//!"))
        .map(|(file, _)| Fault::new(&file.path, 1, "the first line is not a `//!` line"))
        .collect()
}

/// The first line of a crate gives the reason why it is one.
pub fn role(tree: &Tree) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (folder, _) in tree.manifests() {
        let name = folder.rsplit('/').next().unwrap_or(folder);
        let Some(wanted) = direction::role(name) else { continue };
        let root =
            ["lib.rs", "main.rs"].iter().find_map(|file| tree.get(&format!("{folder}/src/{file}")));
        let Some(root) = root else { continue };
        if !root.text.starts_with(&format!("//! {wanted}")) {
            faults.push(Fault::new(&root.path, 1, format!("does not open with `//! {wanted}`")));
        }
    }
    faults
}

/// No line is wider than the page; what a generator wrote is not read by people.
pub fn width(tree: &Tree) -> Vec<Fault> {
    let mut faults = Vec::new();
    for file in tree.files() {
        let read = ["rs", "ts", "svelte"].iter().any(|end| is(&file.path, end));
        let made = file.text.lines().take(4).any(|line| line.contains("auto-generated"));
        // A sentence of a catalogue is one line, however long: translators see it whole.
        let catalogue = file.path.starts_with("web/src/text/");
        if !read || made || catalogue {
            continue;
        }
        for (number, line) in file.text.lines().enumerate() {
            let columns = line.chars().count();
            if columns > WIDTH_MAX {
                let message = format!("{columns} columns; the page has {WIDTH_MAX}");
                faults.push(Fault::new(&file.path, number + 1, message));
            }
        }
    }
    faults
}

/// Nothing is left undone, and no test is switched off.
pub fn unfinished(tree: &Tree) -> Vec<Fault> {
    let mut faults = Vec::new();
    for file in tree.files() {
        if CODE.iter().any(|end| is(&file.path, end)) {
            for mark in MARKS {
                for at in lex::words(&file.text, mark) {
                    let line = line_at(&file.text, at);
                    faults.push(Fault::new(&file.path, line, format!("{mark}: file an issue")));
                }
            }
        }
        if ["ts", "mjs"].iter().any(|end| is(&file.path, end)) {
            faults.extend(switched_off(&file.path, &file.text));
        }
        let Some(lexed) = &file.rust else { continue };
        let mut found = |at: usize, message: String| {
            faults.push(Fault::new(&file.path, line_at(&lexed.code, at), message));
        };
        for name in MACROS {
            for at in lex::words(&lexed.code, name) {
                if lexed.code.get(at + name.len()..).is_some_and(|rest| rest.starts_with('!')) {
                    found(at, format!("`{name}!` is not finished work"));
                }
            }
        }
        for at in lex::words(&lexed.code, "ignore") {
            if lexed.code.get(..at).is_some_and(|text| text.trim_end().ends_with("#[")) {
                found(at, "a test is switched off".to_owned());
            }
        }
    }
    faults
}

/// No cause is thrown away: it is the first thing that whoever reads the log will ask for.
pub fn discarded_causes(tree: &Tree) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (file, lexed) in tree.rust() {
        for (at, _) in lexed.code.match_indices("map_err(|_|") {
            let message = "`map_err(|_| …)` throws the cause away";
            faults.push(Fault::new(&file.path, line_at(&lexed.code, at), message));
        }
    }
    faults
}

fn switched_off(path: &str, text: &str) -> Vec<Fault> {
    let mut faults = Vec::new();
    for caller in ["it", "test", "describe"] {
        for at in lex::words(text, caller) {
            let rest = text.get(at + caller.len()..).unwrap_or("");
            let Some(method) = rest.strip_prefix('.') else { continue };
            if let Some(word) = SWITCHES.iter().find(|word| method.starts_with(**word)) {
                let message = format!("`{caller}.{word}` switches tests off");
                faults.push(Fault::new(path, line_at(text, at), message));
            }
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_opens_with_its_doc_line() {
        assert!(opening(&Tree::of(&[("crates/base/src/x.rs", "//! X.\n")])).is_empty());
        let faults = opening(&Tree::of(&[("xtask/src/x.rs", "\n//! X.\n")]));
        assert_eq!(faults[0].to_string(), "xtask/src/x.rs:1: the first line is not a `//!` line");
    }

    #[test]
    fn a_crate_gives_its_reason() {
        let tree =
            |line| Tree::of(&[("crates/base/Cargo.toml", ""), ("crates/base/src/lib.rs", line)]);
        assert!(role(&tree("//! PURE: the words.\n")).is_empty());
        assert_eq!(role(&tree("//! RIM: the words.\n")).len(), 1);
        let product =
            |line| Tree::of(&[("crates/app/Cargo.toml", ""), ("crates/app/src/lib.rs", line)]);
        assert!(role(&product("//! The product: all of it.\n")).is_empty());
        assert_eq!(role(&product("//! the product: all of it.\n")).len(), 1);
    }

    #[test]
    fn a_line_fits_the_page() {
        let line = "é".repeat(100);
        assert!(width(&Tree::of(&[("web/src/x.ts", &line)])).is_empty());
        let long = format!("{line}x");
        assert_eq!(width(&Tree::of(&[("web/src/x.svelte", &format!("a\n{long}"))]))[0].line, 2);
        assert!(width(&Tree::of(&[("docs/x.md", &long)])).is_empty());
        assert!(width(&Tree::of(&[("a.ts", &format!("// auto-generated\n{long}"))])).is_empty());
    }

    #[test]
    fn a_cause_is_kept() {
        let faults = |text| discarded_causes(&Tree::of(&[("crates/store/src/a.rs", text)])).len();
        assert_eq!(faults("read().map_err(|_| Error::Read)?;"), 1);
        assert_eq!(faults("read().map_err(Error::Read)?; // map_err(|_| x)"), 0);
    }

    #[test]
    fn unfinished_work_is_found_wherever_it_hides() {
        let bad = [
            ("a.rs", concat!("// TO", "DO: later")),
            ("a.ts", concat!("// FIX", "ME")),
            ("a.rs", concat!("fn f() { to", "do!() }")),
            ("a.rs", concat!("fn f() { unimple", "mented!() }")),
            ("a.rs", concat!("#[ign", "ore]\nfn f() {}")),
            ("a.rs", concat!("#[ign", "ore = \"slow\"]\nfn f() {}")),
            ("a.ts", concat!("test.sk", "ip('x')")),
            ("a.mjs", concat!("describe.on", "ly('x')")),
        ];
        for (path, text) in bad {
            assert_eq!(unfinished(&Tree::of(&[(path, text)])).len(), 1, "{text}");
        }
        for (path, text) in [("a.rs", "// A ttodo list."), ("a.rs", "let x = \"ignore\";")] {
            assert!(unfinished(&Tree::of(&[(path, text)])).is_empty(), "{text}");
        }
    }
}
