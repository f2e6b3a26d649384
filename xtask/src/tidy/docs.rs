//! Rules of the documents: what the code names, the manual names.

use std::collections::BTreeSet;

use super::Fault;
use super::direction;
use super::lex::{self, Lexed, Literal, line_at};
use super::tree::{File, Tree};

const ERRORS: &str = "docs/errors.md";
const PAGES: &str = "docs/capabilities/";
const DECISIONS: &str = "docs/adr/";
const REASONS: &str = "docs/adr/0002-dependencies.md";
const NEGATIVE: &str = "docs/negative-tests.md";
const JOURNEYS: &str = "web/e2e/journeys.mjs";
const CLASSES: usize = 24;
/// The classes of faults, as functions that make them are named, and their statuses.
const STATUSES: [(&str, &str); 10] = [
    ("invalid", "400"),
    ("unauthenticated", "401"),
    ("denied", "403"),
    ("absent", "404"),
    ("conflict", "409"),
    ("gone", "410"),
    ("too_large", "413"),
    ("too_many", "429"),
    ("bug", "500"),
    ("unavailable", "503"),
];

/// Every slug of a fault stands in the table of errors, with the status of its class.
pub fn slugs(tree: &Tree) -> Vec<Fault> {
    let table = tree.get(ERRORS).map_or("", |file| file.text.as_str());
    let mut faults = Vec::new();
    for (file, lexed) in tree.product().filter(|(file, _)| !file.path.ends_with("/tests.rs")) {
        for literal in &lexed.strings {
            let Some(class) = class_of_slug(lexed, literal) else { continue };
            let slug = &literal.text;
            let row = table.lines().find_map(|line| line.strip_prefix(&format!("| `{slug}` |")));
            let status = row.and_then(|rest| rest.split('|').next()).map(str::trim);
            let message = match (status, class.status()) {
                (None, _) => format!("slug `{slug}` has no row in {ERRORS}"),
                (Some(told), Some(is)) if told != is => {
                    format!("slug `{slug}` is {is} here and {told} in {ERRORS}")
                }
                _ => continue,
            };
            faults.push(Fault::new(&file.path, line_at(&file.text, literal.offset), message));
        }
    }
    faults
}

/// What the code beside a slug says of its class.
#[derive(Clone, Copy)]
enum Class<'a> {
    /// Its name, in the spelling of a type or of a function.
    Named(&'a str),
    Elsewhere,
}

impl Class<'_> {
    fn status(self) -> Option<&'static str> {
        let Self::Named(name) = self else { return None };
        let plain = |name: &str| name.replace('_', "").to_ascii_lowercase();
        STATUSES.iter().find(|(known, _)| plain(known) == plain(name)).map(|(_, status)| *status)
    }
}

/// Tells whether a literal is the slug of a fault, by what stands before it.
///
/// `slug: "…"`; `Kind::X, "…"`, as in a call or a pair; `Fault::invalid("…"`, named after a class.
fn class_of_slug<'a>(lexed: &'a Lexed, literal: &Literal) -> Option<Class<'a>> {
    let before = lexed.code.get(..literal.offset).unwrap_or("").trim_end();
    if let Some(field) = before.strip_suffix(':') {
        return (last_path(field) == "slug").then_some(Class::Elsewhere);
    }
    if let Some(kind) = before.strip_suffix(',') {
        let (path, name) = last_path(kind).rsplit_once("::")?;
        return (path.rsplit("::").next() == Some("Kind")).then_some(Class::Named(name));
    }
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let function = last_path(before.strip_suffix('(')?).rsplit("::").next()?;
    let named = STATUSES.iter().any(|(name, _)| *name == function);
    (named && literal.text.chars().all(plain)).then_some(Class::Named(function))
}

/// Takes the path that ends a piece of code.
fn last_path(code: &str) -> &str {
    let joins = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    let code = code.trim_end();
    code.get(code.trim_end_matches(joins).len()..).unwrap_or("")
}

/// Every kind of entry stands in a page of the manual.
pub fn kinds(tree: &Tree) -> Vec<Fault> {
    let pages: Vec<&File> = tree.files().filter(|file| file.path.starts_with(PAGES)).collect();
    let mut faults = Vec::new();
    for (file, line, kind) in declared_kinds(tree) {
        if !pages.iter().any(|page| page.text.contains(&format!("`{kind}`"))) {
            let message = format!("kind `{kind}` stands in no page of {PAGES}");
            faults.push(Fault::new(&file.path, line, message));
        }
    }
    faults
}

/// Finds each kind that the product's folders name, with its file and the line of its first use.
pub fn declared_kinds(tree: &Tree) -> Vec<(&File, usize, &str)> {
    let mut found = Vec::new();
    for (file, lexed) in tree.product() {
        let inside = file.path.strip_prefix("crates/app/src/");
        let Some(name) = inside.and_then(|path| path.strip_suffix("/mod.rs")) else { continue };
        if name.contains('/') {
            continue;
        }
        let mut seen = BTreeSet::new();
        for literal in lexed.strings.iter().filter(|literal| is_kind(&literal.text)) {
            if seen.insert(literal.text.as_str()) {
                found.push((file, line_at(&file.text, literal.offset), literal.text.as_str()));
            }
        }
    }
    found
}

/// Tells `noun.participle/version` from other text.
fn is_kind(text: &str) -> bool {
    let Some((words, version)) = text.split_once('/') else { return false };
    let Some((noun, participle)) = words.split_once('.') else { return false };
    let word = |word: &str| {
        word.starts_with(|c: char| c.is_ascii_lowercase())
            && word.chars().all(|c| c.is_ascii_lowercase() || c == '_' || c == '-')
    };
    let number = !version.is_empty() && version.chars().all(|c| c.is_ascii_digit());
    word(noun) && word(participle) && number
}

/// The decisions are numbered from one without a gap.
pub fn decisions(tree: &Tree) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut next = 1_u32;
    for path in tree.paths().filter(|path| path.starts_with(DECISIONS)) {
        let file = path.strip_prefix(DECISIONS).unwrap_or(path);
        if file == "README.md" {
            continue;
        }
        let number = file.split_once('-').map_or("", |(number, _)| number);
        let title = file.strip_suffix(".md").and_then(|stem| stem.split_once('-'));
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if !title.is_some_and(|(_, title)| !title.is_empty() && title.chars().all(plain)) {
            faults.push(Fault::new(path, 1, "a decision is a file NNNN-words-of-its-title.md"));
        } else if number == format!("{next:04}") {
            next += 1;
        } else {
            faults.push(Fault::new(path, 1, format!("the next number is {next:04}")));
        }
    }
    faults
}

/// Every crate of others that ours use has its row of reasons.
pub fn dependencies(tree: &Tree) -> Vec<Fault> {
    let Some(reasons) = tree.get(REASONS) else { return Vec::new() };
    let mut faults = Vec::new();
    for (_, manifest) in tree.manifests() {
        for dependency in direction::dependencies_of(manifest) {
            let name = dependency.name.as_str();
            let row = format!("| `{name}` |");
            if !direction::ours(name) && !reasons.text.lines().any(|line| line.starts_with(&row)) {
                let message = format!("dependency `{name}` has no row in {REASONS}");
                let line = direction::line_of(manifest, name);
                faults.push(Fault::new(&manifest.path, line, message));
            }
        }
    }
    faults
}

/// The table of negative tests has all classes, and names only tests that exist.
pub fn negative_tests(tree: &Tree) -> Vec<Fault> {
    let Some(table) = tree.get(NEGATIVE) else { return Vec::new() };
    let mut tests: BTreeSet<&str> = tree.rust().flat_map(|(_, lexed)| functions(lexed)).collect();
    tests.extend(tree.get(JOURNEYS).iter().flat_map(|file| journeys(&file.text)));
    let mut faults = Vec::new();
    let mut next = 1_usize;
    for (at, line) in table.text.lines().enumerate() {
        let cells: Vec<&str> = line.trim().trim_matches('|').split('|').map(str::trim).collect();
        let [number, .., tests_cell, state] = cells.as_slice() else { continue };
        let Ok(number) = number.parse::<usize>() else { continue };
        let mut fault = |message| faults.push(Fault::new(NEGATIVE, at + 1, message));
        if number != next {
            fault(format!("class {number} stands where class {next} should"));
        }
        next = number + 1;
        let names: Vec<&str> = tests_cell.split('`').skip(1).step_by(2).collect();
        for name in names.iter().filter(|name| !tests.contains(**name)) {
            fault(format!("there is no test `{name}`"));
        }
        let settled = match *state {
            "open" => true,
            "tested" => !names.is_empty(),
            other => other.strip_prefix("reason:").is_some_and(|why| !why.trim().is_empty()),
        };
        if !settled {
            fault("a class is `open`, is `tested` and names its tests, or has a `reason:`".into());
        }
    }
    if next != CLASSES + 1 {
        faults.push(Fault::new(NEGATIVE, 1, format!("the table has not all {CLASSES} classes")));
    }
    faults
}

/// Names the journeys of the browser.
fn journeys(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter_map(|line| line.trim().strip_prefix("name: \"")?.strip_suffix("\","))
}

/// Names the functions of a source.
fn functions(lexed: &Lexed) -> impl Iterator<Item = &str> {
    lex::words(&lexed.code, "fn").filter_map(|at| {
        let rest = lexed.code.get(at + "fn".len()..)?.trim_start();
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_')?;
        rest.get(..end).filter(|_| rest.get(end..).is_some_and(|tail| tail.starts_with('(')))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slug_stands_in_the_table_of_errors() {
        let errors = (ERRORS, "| `alert-closed` | 409 |\n");
        let faults = |text| slugs(&Tree::of(&[("crates/app/src/a.rs", text), errors])).len();
        for good in [
            "Code::new(Kind::Conflict, \"alert-closed\")",
            "Code { kind: Kind::Conflict, slug: \"alert-closed\" }",
            "let noslug: &str = \"other\"; f(a, \"other\"); f(ErrorKind::Other, \"other\");",
            "invalid(\"not a slug but a sentence\")",
            "conflict(\"alert-closed\", detail)",
        ] {
            assert_eq!(faults(good), 0, "{good}");
        }
        for bad in [
            "Code::new(\n    Kind::Conflict,\n    \"alert-open\",\n)",
            "Code { kind: Kind::Conflict, slug: \"alert-open\" }",
            "Fault::new(base::Kind::Conflict, \"alert-open\", \"alert is open\")",
            "Self::Open => (Kind::Conflict, \"alert-open\"),",
            "Fault::invalid(\"alert-open\", detail)",
            "Code::new(Kind::Invalid, \"alert-closed\")",
            "too_large(\"alert-closed\", detail)",
        ] {
            assert_eq!(faults(bad), 1, "{bad}");
        }
    }

    #[test]
    fn a_kind_stands_in_the_manual() {
        let module =
            ("crates/app/src/alerts/mod.rs", "f(\"alert.raised/1\");\ng(\"alert.raised/1\");\n");
        let page = ("docs/capabilities/alerts.md", "`alert.raised/1`");
        assert!(kinds(&Tree::of(&[module, page])).is_empty());
        let faults = kinds(&Tree::of(&[module]));
        assert_eq!((faults.len(), faults[0].line), (1, 1));
        for text in ["alert.raised", "a/b", "text/plain", "muster/act/v1", "Alert.raised/1", "a.b/"]
        {
            assert!(!is_kind(text), "{text}");
        }
    }

    #[test]
    fn decisions_are_numbered_without_a_gap() {
        let faults = |paths: &[&str]| {
            let files: Vec<(&str, &str)> = paths.iter().map(|path| (*path, "")).collect();
            decisions(&Tree::of(&files)).len()
        };
        assert_eq!(
            faults(&["docs/adr/0001-a-b.md", "docs/adr/0002-c.md", "docs/adr/README.md"]),
            0
        );
        assert_eq!(faults(&["docs/adr/0001-a.md", "docs/adr/0003-c.md"]), 1);
        assert_eq!(faults(&["docs/adr/0001-a.md", "docs/adr/0001-b.md"]), 1);
        assert_eq!(faults(&["docs/adr/notes.md"]), 1);
    }

    #[test]
    fn a_dependency_has_its_reason() {
        let reasons = (REASONS, "| `serde` | saves | leave |\n");
        let manifest = |text| ("crates/ledger/Cargo.toml", text);
        let good = manifest("[dependencies]\nbase.workspace = true\nserde = \"1\"\n");
        assert!(dependencies(&Tree::of(&[reasons, good])).is_empty());
        let bad = manifest("[dev-dependencies]\nserde_json = \"1\"\n");
        assert_eq!(dependencies(&Tree::of(&[reasons, bad]))[0].line, 2);
        assert!(dependencies(&Tree::of(&[bad])).is_empty());
    }

    #[test]
    fn a_negative_test_that_is_named_exists() {
        let table = |row: &str| {
            let mut lines = vec!["| # | Class | Test | State |".to_owned(), row.to_owned()];
            lines.extend((2..=CLASSES).map(|n| format!("| {n} | x | | open |")));
            lines.join("\n")
        };
        let faults = |row: &str| {
            let source = ("crates/app/tests/it/main.rs", "#[test]\nfn mixed_ids() {}\n");
            negative_tests(&Tree::of(&[source, (NEGATIVE, &table(row))]))
        };
        for good in [
            "| 1 | x | `mixed_ids` | tested |",
            "| 1 | x | | open |",
            "| 1 | x | | reason: no such exit exists |",
        ] {
            assert!(faults(good).is_empty(), "{good}");
        }
        for bad in [
            "| 1 | x | `mixed_idx` | tested |",
            "| 1 | x | | tested |",
            "| 1 | x | | reason: |",
            "| 1 | x | | |",
            "| 1 | x | | later |",
        ] {
            assert_eq!(faults(bad).len(), 1, "{bad}");
        }
        assert_eq!(faults("").len(), 1, "a row is missing");
        let short = (NEGATIVE, "| 1 | x | | open |\n");
        assert_eq!(negative_tests(&Tree::of(&[short])).len(), 1);
        assert!(negative_tests(&Tree::of(&[])).is_empty());
    }
}
