//! Rules of reach: every source is compiled by something, and every test runs.

use std::collections::BTreeSet;

use super::Fault;
use super::lex::{self, Lexed, line_at};
use super::tree::{File, Tree, within};

const TEST_BINARY: &str = "crates/app/tests/it/main.rs";
/// Crates whose library and binary are compiled without their unit tests.
const SILENT: [&str; 2] = ["crates/app/src", "crates/server/src"];

/// A `mod x;` of a source.
struct Declared {
    name: String,
    /// The modules of the same file that it stands in.
    inside: Vec<String>,
    path: Option<String>,
}

/// Every source is reached from a root by `mod` lines.
pub fn dead_files(tree: &Tree) -> Vec<Fault> {
    let mut queue: Vec<(String, bool)> = roots(tree).into_iter().map(|path| (path, true)).collect();
    let mut reached = BTreeSet::new();
    while let Some((path, root)) = queue.pop() {
        let Some(file) = tree.get(&path) else { continue };
        let Some(lexed) = &file.rust else { continue };
        if !reached.insert(path.clone()) {
            continue;
        }
        for declared in declarations(file, lexed) {
            queue.extend(candidates(&path, root, &declared).into_iter().map(|path| (path, false)));
        }
    }
    tree.rust()
        .filter(|(file, _)| !reached.contains(&file.path))
        .map(|(file, _)| Fault::new(&file.path, 1, "no `mod` line leads here: nothing compiles it"))
        .collect()
}

/// The sources that cargo compiles by their place or by a path in a manifest.
fn roots(tree: &Tree) -> Vec<String> {
    let mut roots = Vec::new();
    for (folder, manifest) in tree.manifests() {
        for path in tree.paths().filter(|path| within(path, folder)) {
            let inside = path.strip_prefix(folder).unwrap_or(path).trim_start_matches('/');
            let parts: Vec<&str> = inside.split('/').collect();
            let found = match parts.as_slice() {
                ["build.rs"] | ["src", "lib.rs" | "main.rs"] => true,
                ["tests" | "examples" | "benches", rest @ ..] | ["src", "bin", rest @ ..] => {
                    matches!(rest, [_] | [_, "main.rs"])
                }
                _ => false,
            };
            if found {
                roots.push(path.to_owned());
            }
        }
        let Ok(table) = toml::from_str::<toml::Table>(&manifest.text) else { continue };
        for section in ["lib", "bin", "test", "example", "bench"] {
            let paths = table.get(section).into_iter().flat_map(|value| match value {
                toml::Value::Array(items) => items.iter().collect(),
                other => vec![other],
            });
            let paths = paths.filter_map(|target| target.get("path")?.as_str());
            roots.extend(paths.map(|path| normal(&format!("{folder}/{path}"))));
        }
    }
    roots
}

fn declarations(file: &File, lexed: &Lexed) -> Vec<Declared> {
    let mut found = Vec::new();
    for at in lex::words(&lexed.code, "mod") {
        let rest = lexed.code.get(at + "mod".len()..).unwrap_or("");
        let end = rest.find([';', '{', '}', '(', ')', '=']).unwrap_or(rest.len());
        let ended = rest.get(end..).is_some_and(|tail| tail.starts_with(';'));
        let name = rest.get(..end).unwrap_or("").trim().trim_start_matches("r#");
        if ended && !name.is_empty() && !name.contains(char::is_whitespace) {
            let before = lexed.code.get(..at).unwrap_or("");
            let inside = open_modules(before);
            found.push(Declared { name: name.to_owned(), inside, path: path_of(file, lexed, at) });
        }
    }
    found
}

/// Names the modules that are open at the end of a piece of code.
fn open_modules(code: &str) -> Vec<String> {
    let mut open: Vec<Option<String>> = Vec::new();
    let mut item = String::new();
    for c in code.chars() {
        match c {
            '{' => {
                let mut words = item.split_whitespace().rev();
                let name = words.next().map(str::to_owned);
                open.push(name.filter(|_| words.next() == Some("mod")));
                item.clear();
            }
            '}' => {
                open.pop();
                item.clear();
            }
            ';' => item.clear(),
            _ => item.push(c),
        }
    }
    open.into_iter().flatten().collect()
}

/// Reads `#[path = "…"]` off the item whose `mod` stands at an offset.
fn path_of(file: &File, lexed: &Lexed, at: usize) -> Option<String> {
    let before = lexed.code.get(..at)?;
    let start = before.rfind([';', '{', '}']).map_or(0, |found| found + 1);
    let attribute = start + lexed.code.get(start..at)?.find("#[path")?;
    let literal = lexed.strings.iter().find(|s| s.offset > attribute && s.offset < at)?;
    file.text.get(attribute..literal.offset)?.contains('=').then(|| literal.text.clone())
}

/// The files that a `mod` line may mean.
fn candidates(path: &str, root: bool, declared: &Declared) -> Vec<String> {
    let (folder, file) = path.rsplit_once('/').unwrap_or(("", path));
    let stem = file.strip_suffix(".rs").unwrap_or(file);
    let own = if root || stem == "mod" { folder.to_owned() } else { format!("{folder}/{stem}") };
    let mut deep = own.clone();
    for module in &declared.inside {
        deep = format!("{deep}/{module}");
    }
    if let Some(given) = &declared.path {
        let from = if declared.inside.is_empty() { folder } else { &deep };
        return vec![normal(&format!("{from}/{given}"))];
    }
    let name = &declared.name;
    vec![normal(&format!("{deep}/{name}.rs")), normal(&format!("{deep}/{name}/mod.rs"))]
}

fn normal(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "." | "" => {}
            ".." => {
                parts.pop();
            }
            _ => parts.push(part),
        }
    }
    parts.join("/")
}

/// Every tests.rs of the product is mounted in its one test binary.
pub fn unmounted_tests(tree: &Tree) -> Vec<Fault> {
    let mounts = tree.get(TEST_BINARY).map_or("", |file| file.text.as_str());
    tree.paths()
        .filter_map(|path| Some((path, path.strip_prefix("crates/app/src/")?)))
        .filter(|(_, inside)| inside.ends_with("/tests.rs"))
        .filter(|(_, inside)| !mounts.contains(&format!("#[path = \"../../src/{inside}\"]")))
        .map(|(path, _)| Fault::new(path, 1, format!("not mounted in {TEST_BINARY}: never runs")))
        .collect()
}

/// No unit test hides where it would silently never run.
pub fn silent_tests(tree: &Tree) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (file, lexed) in tree.rust() {
        let silent = SILENT.iter().any(|folder| within(&file.path, folder));
        if !silent || file.path.ends_with("/tests.rs") {
            continue;
        }
        for mark in ["#[cfg(test)]", "#[cfg(all(test", "#[cfg(any(test", "#[test]"] {
            for (at, _) in lexed.code.match_indices(mark) {
                let message = "a test here would never run: put it in tests.rs";
                faults.push(Fault::new(&file.path, line_at(&lexed.code, at), message));
            }
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: (&str, &str) = ("crates/app/Cargo.toml", "");

    fn dead(files: &[(&str, &str)]) -> Vec<String> {
        let mut all = vec![MANIFEST];
        all.extend(files);
        dead_files(&Tree::of(&all)).into_iter().map(|fault| fault.path).collect()
    }

    #[test]
    fn a_source_is_reached_by_its_mod_line() {
        let none: [&str; 0] = [];
        assert_eq!(
            dead(&[
                ("crates/app/src/lib.rs", "pub mod alerts;\nmod kernel { mod deep; }\n"),
                ("crates/app/src/alerts/mod.rs", "mod http;"),
                ("crates/app/src/alerts/http.rs", ""),
                ("crates/app/src/kernel/deep.rs", "mod deeper;"),
                ("crates/app/src/kernel/deep/deeper.rs", ""),
                ("crates/app/src/bin/tool.rs", ""),
                ("crates/app/examples/bench_x.rs", ""),
            ]),
            none
        );
    }

    #[test]
    fn a_source_without_a_mod_line_is_dead() {
        assert_eq!(
            dead(&[
                ("crates/app/src/lib.rs", "// mod gone;\nlet mod_x = 1;\n"),
                ("crates/app/src/gone.rs", ""),
                ("crates/app/tests/it/more.rs", ""),
            ]),
            ["crates/app/src/gone.rs", "crates/app/tests/it/more.rs"]
        );
    }

    #[test]
    fn a_path_attribute_and_a_manifest_path_are_followed() {
        let mount = "#[path = \"../../src/alerts/tests.rs\"]\nmod alerts;\n";
        let files = [
            ("crates/app/tests/it/main.rs", mount),
            ("crates/app/src/alerts/tests.rs", ""),
            ("crates/app/odd/place.rs", ""),
            ("crates/app/src/lib.rs", ""),
        ];
        assert_eq!(dead(&files), ["crates/app/odd/place.rs"]);
        let manifest =
            ("crates/app/Cargo.toml", "[[bin]]\nname = \"a\"\npath = \"odd/place.rs\"\n");
        let mut all = vec![manifest];
        all.extend(files);
        assert!(dead_files(&Tree::of(&all)).is_empty());
    }

    #[test]
    fn tests_of_a_folder_are_mounted() {
        let tests = ("crates/app/src/alerts/tests.rs", "//! Rules.\n");
        let mount = (TEST_BINARY, "#[path = \"../../src/alerts/tests.rs\"]\nmod alerts;\n");
        assert!(unmounted_tests(&Tree::of(&[tests, mount])).is_empty());
        assert_eq!(unmounted_tests(&Tree::of(&[tests])).len(), 1);
        assert_eq!(unmounted_tests(&Tree::of(&[tests, (TEST_BINARY, "mod alerts;")])).len(), 1);
    }

    #[test]
    fn a_unit_test_that_would_never_run_is_a_fault() {
        let faults = |path| silent_tests(&Tree::of(&[(path, "//! X.\n#[cfg(test)]\nmod t {}\n")]));
        assert_eq!(faults("crates/app/src/kernel/act.rs")[0].line, 2);
        assert_eq!(faults("crates/server/src/main.rs").len(), 1);
        assert!(faults("crates/base/src/lib.rs").is_empty());
        let tests = Tree::of(&[("crates/app/src/alerts/tests.rs", "#[test]\nfn a() {}\n")]);
        assert!(silent_tests(&tests).is_empty());
    }
}
