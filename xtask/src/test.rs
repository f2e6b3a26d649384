//! `cargo xtask test` and `ci`: installs what is missing and runs every stage.
//!
//! A stage that fails does not stop the ones after it, unless they need what it makes: one run
//! shows all faults. Nothing is skipped in silence; what does not exist yet is shown as absent.

use std::ffi::OsString;
use std::fs;

use anyhow::{Result, bail};

use crate::install::{self, Missing, Tool};
use crate::stage::{self, Outcome, Row};
use crate::web::Web;
use crate::workspace::{self, Workspace};
use crate::{api, check, e2e, tidy};

/// A part of the run, in its place in the order.
struct Stage {
    name: &'static str,
    tools: &'static [Tool],
    /// Stages without whose success this one cannot run.
    after: &'static [&'static str],
    /// Says what is not in the tree, when the stage has nothing to work on.
    absent: fn(&Workspace) -> Option<&'static str>,
    run: fn(&mut Run) -> Result<()>,
}

/// What the stages of one run share.
struct Run<'a> {
    ws: &'a Workspace,
    web: Web<'a>,
    nextest: Vec<String>,
}

const STAGES: &[Stage] = &[
    Stage {
        name: "fmt",
        tools: &[Tool::Rust],
        after: &[],
        absent: always,
        run: |run| check::fmt(run.ws),
    },
    Stage { name: "tidy", tools: &[], after: &[], absent: always, run: |run| tidy::run(run.ws) },
    Stage {
        name: "clippy",
        tools: &[Tool::Rust],
        after: &[],
        absent: always,
        run: |run| check::clippy(run.ws),
    },
    Stage { name: "build", tools: &[], after: &[], absent: always, run: |run| build(run.ws) },
    Stage {
        name: "nextest",
        tools: &[Tool::Nextest, Tool::Postgres, Tool::Go],
        after: &["build"],
        absent: always,
        run: nextest,
    },
    Stage {
        name: "doctest",
        tools: &[],
        after: &["build"],
        absent: |ws| documented(ws).is_empty().then_some("no crate has code in its documentation"),
        run: |run| doctest(run.ws),
    },
    Stage {
        name: "web",
        tools: &[Tool::Node],
        after: &[],
        absent: |ws| (!ws.has("web/package.json")).then_some("web/package.json does not exist"),
        run: |run| run.web.check().and_then(|()| run.web.test()).and_then(|()| run.web.build()),
    },
    Stage {
        name: "e2e",
        tools: &[Tool::Node, Tool::Chromium],
        after: &["build", "web"],
        absent: |ws| (!ws.has(e2e::RUNNER)).then_some("web/e2e/run.mjs does not exist"),
        run: |run| e2e::journeys(run.ws, &mut run.web, e2e::Profile::Debug, &[] as &[OsString]),
    },
    Stage {
        name: "openapi",
        tools: &[],
        after: &["build"],
        absent: |ws| (!ws.has(api::DOCUMENT)).then_some("api/openapi.json does not exist"),
        run: |run| api::run(run.ws, api::Mode::Check),
    },
];

fn always(_: &Workspace) -> Option<&'static str> {
    None
}

/// Runs the stages named, or all, and fails when any did not pass.
pub fn run(ws: &Workspace, names: &[String], nextest: Vec<String>) -> Result<()> {
    let chosen = choose(names)?;
    let budgets = stage::budgets(ws)?;
    let mut tools: Vec<Tool> = Vec::new();
    for stage in chosen.iter().filter(|stage| (stage.absent)(ws).is_none()) {
        let unlisted = |tool: &&Tool| !tools.contains(tool);
        let more: Vec<Tool> = stage.tools.iter().filter(unlisted).copied().collect();
        tools.extend(more);
    }
    let (missing, took) = stage::timed(|| install::ensure(ws, &tools));
    let mut rows = vec![Row { name: "install", outcome: installed(&missing), took }];
    let mut run = Run { ws, web: Web::new(ws), nextest };
    for stage in chosen {
        println!("\n== {}", stage.name);
        let (outcome, took) = stage::timed(|| perform(stage, &mut run, &missing, &rows));
        if let Outcome::Failed(cause) | Outcome::Blocked(cause) = &outcome {
            println!("== {} did not pass: {cause}", stage.name);
        }
        rows.push(Row { name: stage.name, outcome, took });
    }
    println!("\n{}", stage::table(&rows, &budgets));
    let failed: Vec<&str> = rows.iter().filter(|row| row.failed()).map(|row| row.name).collect();
    if !failed.is_empty() {
        bail!("did not pass: {}", failed.join(", "));
    }
    Ok(())
}

fn choose(names: &[String]) -> Result<Vec<&'static Stage>> {
    if let Some(unknown) = names.iter().find(|name| STAGES.iter().all(|s| s.name != name.as_str()))
    {
        let known: Vec<&str> = STAGES.iter().map(|stage| stage.name).collect();
        bail!("there is no stage `{unknown}`; there are {}", known.join(", "));
    }
    let asked = |stage: &&Stage| names.is_empty() || names.iter().any(|name| name == stage.name);
    Ok(STAGES.iter().filter(asked).collect())
}

fn installed(missing: &[Missing]) -> Outcome {
    if missing.is_empty() {
        return Outcome::Passed;
    }
    let causes: Vec<String> =
        missing.iter().map(|m| format!("{}: {:#}", m.tool.name(), m.cause)).collect();
    Outcome::Failed(causes.join("; "))
}

fn perform(stage: &Stage, run: &mut Run, missing: &[Missing], rows: &[Row]) -> Outcome {
    if let Some(what) = (stage.absent)(run.ws) {
        return Outcome::Absent(what);
    }
    if let Some(lacking) = missing.iter().find(|missing| stage.tools.contains(&missing.tool)) {
        return Outcome::Blocked(format!("{} is missing", lacking.tool.name()));
    }
    let broken = |row: &&Row| row.failed() && stage.after.contains(&row.name);
    if let Some(row) = rows.iter().find(broken) {
        return Outcome::Blocked(format!("needs `{}`", row.name));
    }
    match (stage.run)(run) {
        Ok(()) => Outcome::Passed,
        Err(cause) => Outcome::Failed(format!("{cause:#}")),
    }
}

fn build(ws: &Workspace) -> Result<()> {
    workspace::run(&mut ws.cargo(&["build", "--workspace", "--bins"]))
}

fn nextest(run: &mut Run) -> Result<()> {
    let mut command = run.ws.cargo(&["nextest", "run", "--workspace", "--no-fail-fast"]);
    workspace::run(command.args(&run.nextest))
}

fn doctest(ws: &Workspace) -> Result<()> {
    let mut command = ws.cargo(&["test", "--doc", "--no-fail-fast"]);
    for name in documented(ws) {
        command.args(["-p", &name]);
    }
    workspace::run(&mut command)
}

/// Names the libraries with code in their documentation, which only a doctest compiles.
fn documented(ws: &Workspace) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(ws.path("crates"))
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| entry.path().join("src/lib.rs").is_file())
        .filter(|entry| {
            let manifest = fs::read_to_string(entry.path().join("Cargo.toml")).unwrap_or_default();
            let lib = toml::from_str::<toml::Table>(&manifest).ok();
            let off = lib.as_ref().and_then(|m| m.get("lib")?.get("doctest")?.as_bool());
            off != Some(false)
        })
        .filter(|entry| tidy::sources(&entry.path().join("src")).iter().any(|t| has_doctest(t)))
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// Tells whether a source has a fence of Rust in a doc comment.
fn has_doctest(source: &str) -> bool {
    let mut inside = false;
    for line in source.lines().map(str::trim_start) {
        let doc = line.strip_prefix("///").or_else(|| line.strip_prefix("//!"));
        let Some(fence) = doc.and_then(|text| text.trim().strip_prefix("```")) else { continue };
        inside = !inside;
        let rust = ["", "rust", "no_run", "should_panic", "compile_fail"];
        if inside && fence.split(',').all(|word| rust.contains(&word.trim())) {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stage_has_a_budget_and_every_budget_a_stage() {
        let ws = Workspace::find().expect("this test runs in the workspace");
        let budgets = stage::budgets(&ws).expect("docs/ci.md is there");
        let mut names: Vec<&str> = STAGES.iter().map(|stage| stage.name).collect();
        names.push("install");
        names.sort_unstable();
        assert_eq!(budgets.keys().map(String::as_str).collect::<Vec<_>>(), names);
        let cold: u64 = budgets.values().map(|budget| budget.cold_min).sum();
        let warm: u64 = budgets.values().map(|budget| budget.warm_min).sum();
        assert!(cold <= 60, "{cold} minutes cold");
        assert!(warm <= 25, "{warm} minutes warm");
    }

    #[test]
    fn a_stage_runs_only_after_those_it_needs() {
        for (place, stage) in STAGES.iter().enumerate() {
            for need in stage.after {
                let found = STAGES.iter().position(|other| other.name == *need);
                assert!(found.is_some_and(|at| at < place), "{} needs {need}", stage.name);
            }
        }
    }

    #[test]
    fn an_unknown_stage_is_refused_and_the_order_is_ours() {
        assert!(choose(&["nonsense".to_owned()]).is_err());
        let chosen = choose(&["tidy".to_owned(), "fmt".to_owned()]).expect("both exist");
        assert_eq!(chosen.iter().map(|stage| stage.name).collect::<Vec<_>>(), ["fmt", "tidy"]);
    }

    #[test]
    fn a_stage_is_blocked_by_a_failed_one_that_it_needs() {
        let ws = Workspace::find().expect("this test runs in the workspace");
        let mut run = Run { ws: &ws, web: Web::new(&ws), nextest: Vec::new() };
        let stage =
            Stage { after: &["build"], name: "x", tools: &[], absent: always, run: |_| Ok(()) };
        let row = |outcome| [Row { name: "build", outcome, took: std::time::Duration::ZERO }];
        let outcome = perform(&stage, &mut run, &[], &row(Outcome::Failed("no".to_owned())));
        assert_eq!(outcome, Outcome::Blocked("needs `build`".to_owned()));
        assert_eq!(perform(&stage, &mut run, &[], &row(Outcome::Passed)), Outcome::Passed);
    }

    #[test]
    fn only_a_fence_of_rust_is_a_doctest() {
        assert!(has_doctest("/// Does it.\n///\n/// ```\n/// f();\n/// ```\n"));
        assert!(has_doctest("//! ```no_run\n//! f();\n//! ```\n"));
        assert!(!has_doctest("/// ```text\n/// a\n/// ```\n"));
        assert!(!has_doctest("// ```\n// f();\n// ```\n"));
    }
}
