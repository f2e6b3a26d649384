//! Rules of placement: HTTP and SQL stand where a reader looks for them, and nowhere else.

use super::Fault;
use super::lex::{self, line_at};
use super::tree::{Tree, within};

/// The web framework stays in the routes and in the binary.
pub fn axum(tree: &Tree) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (file, lexed) in tree.product().filter(|(file, _)| !may_route(&file.path)) {
        for at in lex::words(&lexed.code, "axum") {
            let message = "axum stands only in a folder's http.rs, kernel/http, server and testkit";
            faults.push(Fault::new(&file.path, line_at(&lexed.code, at), message));
        }
    }
    faults
}

/// SQL stays in the store and in views.
pub fn sql(tree: &Tree) -> Vec<Fault> {
    let message = "SQL stands only in store, a folder's view.rs and kernel/view";
    let mut faults = Vec::new();
    for (file, lexed) in tree.product().filter(|(file, _)| !may_query(&file.path)) {
        let uses = lex::words(&lexed.code, "rusqlite");
        let statements = lexed.strings.iter().filter(|s| is_sql(&s.text)).map(|s| s.offset);
        for at in uses.chain(statements) {
            faults.push(Fault::new(&file.path, line_at(&file.text, at), message));
        }
    }
    faults
}

fn may_route(path: &str) -> bool {
    within(path, "crates/server") || within(path, "crates/testkit") || in_folder(path, "http")
}

fn may_query(path: &str) -> bool {
    within(path, "crates/store") || in_folder(path, "view")
}

/// `FOLDER/http.rs`, and in the kernel also `http_x.rs` and everything in `http/`.
fn in_folder(path: &str, stem: &str) -> bool {
    let Some(inside) = path.strip_prefix("crates/app/src/") else { return false };
    let Some((folder, file)) = inside.split_once('/') else { return false };
    if folder != "kernel" {
        return file == format!("{stem}.rs");
    }
    within(file, stem) || (file.starts_with(stem) && !file.contains('/'))
}

/// Tells a statement from prose by its first words, which we write in capitals.
fn is_sql(text: &str) -> bool {
    let mut words = text.split_whitespace();
    let (Some(first), Some(second)) = (words.next(), words.next()) else { return false };
    match first {
        "SELECT" | "PRAGMA" | "SAVEPOINT" | "ATTACH" => true,
        "INSERT" | "REPLACE" => ["INTO", "OR"].contains(&second),
        "DELETE" => second == "FROM",
        "UPDATE" => text.contains(" SET "),
        "BEGIN" => ["IMMEDIATE", "EXCLUSIVE", "DEFERRED"].contains(&second),
        "WITH" => text.contains("SELECT"),
        "CREATE" | "DROP" | "ALTER" => {
            let objects =
                ["TABLE", "INDEX", "UNIQUE", "VIEW", "VIRTUAL", "TRIGGER", "TEMP", "SCHEMA"];
            objects.contains(&second)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_web_framework_is_only_in_routes() {
        let faults = |path| axum(&Tree::of(&[(path, "//! X.\nuse axum::Router;\n")]));
        for good in [
            "crates/app/src/alerts/http.rs",
            "crates/app/src/kernel/http.rs",
            "crates/app/src/kernel/http_live.rs",
            "crates/app/src/kernel/http/list.rs",
            "crates/server/src/listen.rs",
            "crates/app/tests/it/main.rs",
        ] {
            assert!(faults(good).is_empty(), "{good}");
        }
        for bad in [
            "crates/app/src/alerts/mod.rs",
            "crates/app/src/alerts/http_more.rs",
            "crates/app/src/http.rs",
            "crates/store/src/log.rs",
        ] {
            assert_eq!(faults(bad).len(), 1, "{bad}");
        }
        assert!(axum(&Tree::of(&[("crates/base/src/a.rs", "// axum\n")])).is_empty());
    }

    #[test]
    fn sql_is_only_in_the_store_and_in_views() {
        let text = "//! X.\nconst A: &str = \"SELECT a FROM b\";\n";
        let faults = |path| sql(&Tree::of(&[(path, text)]));
        for good in [
            "crates/store/src/log.rs",
            "crates/app/src/alerts/view.rs",
            "crates/app/src/kernel/view.rs",
            "crates/app/src/kernel/views.rs",
            "crates/app/src/kernel/view/list.rs",
        ] {
            assert!(faults(good).is_empty(), "{good}");
        }
        for bad in ["crates/app/src/alerts/mod.rs", "crates/testkit/src/world.rs"] {
            assert_eq!(faults(bad)[0].line, 2, "{bad}");
        }
        assert_eq!(sql(&Tree::of(&[("crates/app/src/a.rs", "use rusqlite::params;")])).len(), 1);
    }

    #[test]
    fn a_statement_is_told_from_prose() {
        for good in [
            "SELECT 1",
            "\n  INSERT INTO entry (a) VALUES ($1)",
            "UPDATE head SET epoch = $1",
            "CREATE UNIQUE INDEX a ON b (c)",
            "WITH x AS (SELECT 1) TABLE x",
            "PRAGMA journal_mode = WAL",
        ] {
            assert!(is_sql(good), "{good}");
        }
        for prose in ["SELECT", "DELETE THE FILE", "UPDATE AVAILABLE NOW", "select one", "FLASH"] {
            assert!(!is_sql(prose), "{prose}");
        }
    }
}
