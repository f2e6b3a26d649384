//! The rule of twins: a capability has the same name in the product, the client and the manual.

use super::Fault;
use super::lex;
use super::tree::Tree;

/// Every capability folder has its folder in the client and its page in the manual.
///
/// Before the client has any source, only the page is asked for.
pub fn capabilities(tree: &Tree) -> Vec<Fault> {
    let client = tree.has_folder("web/src");
    let mut faults = Vec::new();
    for (file, lexed) in tree.product() {
        let inside = file.path.strip_prefix("crates/app/src/");
        let Some(name) = inside.and_then(|path| path.strip_suffix("/mod.rs")) else { continue };
        let declares = lex::words(&lexed.code, "CAPABILITY").any(|at| {
            let before = lexed.code.get(..at).unwrap_or("").trim_end();
            before.ends_with("const") || before.ends_with("static")
        });
        if !declares || name == "kernel" {
            continue;
        }
        if client && !tree.has_folder(&format!("web/src/{name}")) {
            faults.push(Fault::new(&file.path, 1, format!("no twin web/src/{name}/")));
        }
        let page = format!("docs/capabilities/{name}.md");
        if tree.get(&page).is_none() {
            faults.push(Fault::new(&file.path, 1, format!("no page {page}")));
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    const MODULE: (&str, &str) =
        ("crates/app/src/alerts/mod.rs", "pub const CAPABILITY: Capability = x;\n");
    const PAGE: (&str, &str) = ("docs/capabilities/alerts.md", "# Alerts\n");

    #[test]
    fn a_capability_has_its_twins() {
        let client = ("web/src/alerts/index.ts", "");
        assert!(capabilities(&Tree::of(&[MODULE, PAGE, client])).is_empty());
        assert!(capabilities(&Tree::of(&[MODULE, PAGE])).is_empty());
        assert_eq!(capabilities(&Tree::of(&[MODULE])).len(), 1);
        let other = ("web/src/bodies/index.ts", "");
        assert_eq!(capabilities(&Tree::of(&[MODULE, PAGE, other])).len(), 1);
    }

    #[test]
    fn a_folder_that_declares_no_capability_has_no_twin() {
        let kernel = ("crates/app/src/kernel/mod.rs", "pub const CAPABILITY: X = x;\n");
        let user = ("crates/app/src/live/mod.rs", "use alerts::CAPABILITY;\n");
        assert!(capabilities(&Tree::of(&[kernel, user])).is_empty());
    }
}
