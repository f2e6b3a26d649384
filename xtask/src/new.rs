//! `cargo xtask new NAME`: the folders of a new capability, from `xtask/templates`.
//!
//! A template `app/X.tmpl` becomes `crates/app/src/NAME/X`, `web/X.tmpl` becomes
//! `web/src/NAME/X` and `docs/X.tmpl` becomes `docs/capabilities/X`. The templates beside those
//! folders are lines, put among their like in the files that list capabilities. Placeholders stand
//! in contents and in file names: `{{name}}`, `{{Name}}`, `{{noun}}`, `{{Noun}}`. Last, the new
//! golden file is sealed.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::tidy;
use crate::workspace::Workspace;

const TEMPLATES: &str = "xtask/templates";

/// A file that lists capabilities, and how the line of a new one gets into it.
struct List {
    template: &'static str,
    file: &'static str,
    /// What the items of the list begin with; an item has as many lines as the template.
    begins: &'static str,
    order: Order,
}

#[derive(Clone, Copy)]
enum Order {
    /// By name.
    Sorted,
    /// The newest last.
    Last,
}

const LISTS: [List; 3] = [
    List {
        template: "module.tmpl",
        file: "crates/app/src/lib.rs",
        begins: "pub mod ",
        order: Order::Sorted,
    },
    List {
        template: "line.tmpl",
        file: "crates/app/src/capabilities.rs",
        begins: "&crate::",
        order: Order::Last,
    },
    List {
        template: "mount.tmpl",
        file: "crates/app/tests/it/main.rs",
        begins: "#[path = ",
        order: Order::Sorted,
    },
];

/// Writes everything, or nothing when a part cannot be written.
pub fn run(ws: &Workspace, name: &str, noun: Option<&str>) -> Result<()> {
    let names = Names::new(name, noun)?;
    let places = [
        ("app", format!("crates/app/src/{name}")),
        ("web", format!("web/src/{name}")),
        ("docs", "docs/capabilities".to_owned()),
    ];
    let mut writes: Vec<(PathBuf, String)> = Vec::new();
    for (folder, place) in &places {
        let from = ws.path(TEMPLATES).join(folder);
        for template in templates(&from)? {
            let text = read(&template)?;
            let relative = template.strip_prefix(&from).context("a template outside its folder")?;
            let file = names.fill(&relative.with_extension("").to_string_lossy())?;
            let path = ws.path(place).join(file);
            if path.exists() {
                bail!("{} exists already", path.display());
            }
            writes.push((path, names.fill(&text)?));
        }
    }
    for list in LISTS {
        let line = names.fill(&read(&ws.path(TEMPLATES).join(list.template))?)?;
        let path = ws.path(list.file);
        let text =
            list.insert(&read(&path)?, &line).with_context(|| format!("in {}", list.file))?;
        writes.push((path, text));
    }
    for (path, text) in writes {
        let folder = path.parent().unwrap_or(ws.root());
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
        println!("{}", path.strip_prefix(ws.root()).unwrap_or(&path).display());
    }
    tidy::seal(ws)?;
    println!("next: CONTRIBUTING.md, \"A capability\"; then `cargo xtask api` for its routes");
    Ok(())
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

fn templates(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let entries =
        fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(templates(&path)?);
        } else if path.extension().is_some_and(|end| end == "tmpl") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

impl List {
    /// Puts an item among those that begin like it, as deep as they stand.
    fn insert(&self, text: &str, item: &str) -> Result<String> {
        let old: Vec<&str> = text.lines().collect();
        let alike = |at: &usize| {
            old.get(*at).is_some_and(|found| found.trim_start().starts_with(self.begins))
        };
        let Some(last) = (0..old.len()).rfind(alike) else {
            bail!("no line begins with `{}`", self.begins);
        };
        let known = |line: &&str| old.iter().any(|found| found.trim() == line.trim());
        if let Some(line) = item.lines().find(known) {
            bail!("`{line}` stands there already");
        }
        let first = item.lines().next().unwrap_or("").trim();
        let later = |at: &usize| alike(at) && old.get(*at).is_some_and(|o| o.trim() > first);
        let end = last + item.lines().count();
        let place = match self.order {
            Order::Sorted => (0..old.len()).find(later).unwrap_or(end),
            Order::Last => end,
        };
        let beside = old.get(last).copied().unwrap_or("");
        let indent = beside.strip_suffix(beside.trim_start()).unwrap_or("");
        let mut new: Vec<String> = old.iter().map(|line| (*line).to_owned()).collect();
        new.splice(place..place, item.lines().map(|line| format!("{indent}{line}")));
        Ok(new.join("\n") + "\n")
    }
}

/// The words that fill a template.
struct Names {
    name: String,
    noun: String,
}

impl Names {
    fn new(name: &str, noun: Option<&str>) -> Result<Self> {
        let noun = noun.map_or_else(|| singular(name), str::to_owned);
        for word in [name, &noun] {
            let first = word.chars().next().is_some_and(|c| c.is_ascii_lowercase());
            let rest = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
            if !first || !word.chars().all(rest) || word == "kernel" {
                bail!("`{word}` cannot name a capability: use lower-case letters");
            }
        }
        // A kind allows no digit and no hyphen, an action no underscore: both begin with the noun.
        if !noun.chars().all(|c| c.is_ascii_lowercase()) {
            bail!("`{noun}` cannot begin kinds and actions: give --noun in lower-case letters");
        }
        Ok(Self { name: name.to_owned(), noun })
    }

    fn fill(&self, template: &str) -> Result<String> {
        let text = template
            .replace("{{name}}", &self.name)
            .replace("{{Name}}", &title(&self.name))
            .replace("{{noun}}", &self.noun)
            .replace("{{Noun}}", &title(&self.noun));
        for rest in text.split("{{").skip(1) {
            let Some((word, _)) = rest.split_once("}}") else { continue };
            if !word.is_empty() && word.chars().all(|c| c.is_ascii_alphabetic()) {
                bail!("a template asks for `{word}`, which is not a placeholder");
            }
        }
        Ok(text)
    }
}

fn singular(name: &str) -> String {
    if let Some(stem) = name.strip_suffix("ies") {
        return format!("{stem}y");
    }
    for end in ["sses", "xes", "ches", "shes"] {
        if name.ends_with(end) {
            return name.strip_suffix("es").unwrap_or(name).to_owned();
        }
    }
    name.strip_suffix('s').unwrap_or(name).to_owned()
}

/// Writes `task_force` as `TaskForce`.
fn title(word: &str) -> String {
    word.split('_')
        .map(|part| {
            let mut chars = part.chars();
            let first = chars.next().map(|c| c.to_ascii_uppercase());
            first.into_iter().chain(chars).collect::<String>()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_noun_is_the_singular_of_its_folder() {
        for (name, noun) in
            [("alerts", "alert"), ("agencies", "agency"), ("boxes", "box"), ("passes", "pass")]
        {
            assert_eq!(singular(name), noun);
        }
        assert_eq!(title("task_force"), "TaskForce");
    }

    #[test]
    fn a_template_is_filled_whole_or_refused() {
        let names = Names::new("agencies", None).expect("a good name");
        let filled = names.fill("{{name}} {{Name}} {{noun}} {{Noun}}").expect("all known");
        assert_eq!(filled, "agencies Agencies agency Agency");
        assert!(names.fill("{{nome}}").is_err());
        assert!(names.fill("format!(\"{{\")").is_ok(), "Rust's own braces stay");
        for bad in ["Alerts", "", "a-b", "../x", "kernel", "1a", "task_forces", "mark2s"] {
            assert!(Names::new(bad, None).is_err(), "{bad}");
        }
        assert!(Names::new("task_forces", Some("taskforce")).is_ok());
    }

    #[test]
    fn a_line_goes_among_its_like() {
        let list = |order| List { template: "", file: "", begins: "&crate::", order };
        let text = "[\n    &crate::b,\n    &crate::a,\n];\n";
        let made = list(Order::Last).insert(text, "&crate::aa,\n").expect("there is a list");
        assert_eq!(made, "[\n    &crate::b,\n    &crate::a,\n    &crate::aa,\n];\n");
        let text = "//! X.\n&crate::a,\n&crate::c,\n\nrest\n";
        let made = list(Order::Sorted).insert(text, "&crate::b,").expect("there is a list");
        assert_eq!(made, "//! X.\n&crate::a,\n&crate::b,\n&crate::c,\n\nrest\n");
        let made = list(Order::Sorted).insert(text, "&crate::d,").expect("there is a list");
        assert_eq!(made, "//! X.\n&crate::a,\n&crate::c,\n&crate::d,\n\nrest\n");
        assert!(list(Order::Last).insert("[]\n", "&crate::b,").is_err());
    }

    #[test]
    fn an_item_of_two_lines_goes_whole_among_its_like() {
        let list = List { template: "", file: "", begins: "#[p", order: Order::Sorted };
        let text = "mod x;\n\n#[p = a]\nmod a;\n#[p = c]\nmod c;\n";
        let made = list.insert(text, "#[p = b]\nmod b;\n").expect("there is a list");
        let whole = "mod x;\n\n#[p = a]\nmod a;\n#[p = b]\nmod b;\n#[p = c]\nmod c;\n";
        assert_eq!(made, whole);
        let made = list.insert(text, "#[p = d]\nmod d;\n").expect("there is a list");
        assert_eq!(made, format!("{text}#[p = d]\nmod d;\n"));
        assert!(list.insert(text, "#[p = b]\nmod x;\n").is_err(), "another module has the name");
    }

    #[test]
    fn every_template_of_the_tree_can_be_filled() {
        let ws = Workspace::find().expect("this test runs in the workspace");
        let names = Names::new("alerts", None).expect("a good name");
        let found = templates(&ws.path(TEMPLATES)).expect("the templates are there");
        assert!(found.len() >= 10, "{found:?}");
        for template in found {
            let text = read(&template).expect("a template is text");
            names.fill(&text).unwrap_or_else(|e| panic!("{}: {e}", template.display()));
        }
    }
}
