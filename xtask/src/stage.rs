//! Timed stages and the table of them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::workspace::Workspace;

/// How a stage ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Passed,
    /// What the stage is about does not exist in the tree.
    Absent(&'static str),
    Failed(String),
    /// Could not run, for the reason given; counts as failed.
    Blocked(String),
}

/// A stage that has ended.
pub struct Row {
    pub name: &'static str,
    pub outcome: Outcome,
    pub took: Duration,
}

impl Row {
    pub fn failed(&self) -> bool {
        matches!(self.outcome, Outcome::Failed(_) | Outcome::Blocked(_))
    }

    fn words(&self) -> (&'static str, &str) {
        match &self.outcome {
            Outcome::Passed => ("passed", ""),
            Outcome::Absent(what) => ("absent", what),
            Outcome::Failed(cause) => ("FAILED", cause),
            Outcome::Blocked(cause) => ("BLOCKED", cause),
        }
    }
}

/// Runs a piece of work and says how long it took.
pub fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    #[expect(clippy::disallowed_methods, reason = "a stopwatch for a person at the terminal")]
    let start = Instant::now();
    let result = work();
    (result, start.elapsed())
}

/// Minutes that a stage may take on two cores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    pub cold_min: u64,
    pub warm_min: u64,
}

/// Reads the budgets from the table of docs/ci.md.
pub fn budgets(ws: &Workspace) -> Result<BTreeMap<String, Budget>> {
    let path = ws.path("docs/ci.md");
    let text =
        fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(parse_budgets(&text))
}

/// Takes the rows whose first cell is a name in backticks and whose last two are numbers.
pub fn parse_budgets(text: &str) -> BTreeMap<String, Budget> {
    let mut budgets = BTreeMap::new();
    for line in text.lines() {
        let cells: Vec<&str> = line.trim().trim_matches('|').split('|').map(str::trim).collect();
        let [first, .., cold, warm] = cells.as_slice() else { continue };
        let Some(name) = first.strip_prefix('`').and_then(|n| n.strip_suffix('`')) else {
            continue;
        };
        if let (Ok(cold_min), Ok(warm_min)) = (cold.parse(), warm.parse()) {
            budgets.insert(name.to_owned(), Budget { cold_min, warm_min });
        }
    }
    budgets
}

/// Lays the ended stages out as a table.
pub fn table(rows: &[Row], budgets: &BTreeMap<String, Budget>) -> String {
    let mut text = String::from("stage      result    seconds   budget cold / warm\n");
    let mut total = Duration::ZERO;
    for row in rows {
        total += row.took;
        let (word, cause) = row.words();
        let seconds = row.took.as_secs_f64();
        let _ = write!(text, "{:<10} {word:<8} {seconds:>8.1}   ", row.name);
        if let Some(budget) = budgets.get(row.name) {
            let _ = write!(text, "{:>2} / {:>2} min", budget.cold_min, budget.warm_min);
            if row.took > Duration::from_secs(budget.cold_min * 60) {
                text.push_str("  OVER BUDGET");
            }
        }
        if !cause.is_empty() {
            let _ = write!(text, "  {cause}");
        }
        text.truncate(text.trim_end().len());
        text.push('\n');
    }
    let _ = writeln!(text, "{:<10} {:<8} {:>8.1}", "total", "", total.as_secs_f64());
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn budgets_are_the_rows_with_a_name_and_two_numbers() {
        let text = "| Stage | What | Cold | Warm |\n| --- | --- | --- | --- |\n\
                    | `fmt` | form | 1 | 2 |\n| `web` | client | some | 2 |\n| total | | 9 | 9 |\n";
        let budgets = parse_budgets(text);
        assert_eq!(budgets.get("fmt"), Some(&Budget { cold_min: 1, warm_min: 2 }));
        assert_eq!(budgets.len(), 1);
    }

    #[test]
    fn the_table_names_the_fault_and_the_budget_that_was_passed() {
        let budgets = parse_budgets("| `fmt` | | 1 | 1 |");
        let row =
            |outcome, seconds| Row { name: "fmt", outcome, took: Duration::from_secs(seconds) };
        let text = table(&[row(Outcome::Passed, 61)], &budgets);
        assert!(text.contains("OVER BUDGET"), "{text}");
        let text = table(&[row(Outcome::Failed("`cargo fmt` ended".to_owned()), 1)], &budgets);
        assert!(text.contains("FAILED") && text.contains("`cargo fmt` ended"), "{text}");
        assert!(!text.contains("OVER BUDGET"), "{text}");
    }
}
