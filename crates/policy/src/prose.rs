//! The text of an agreement, generated from what the machine executes.
//!
//! Every field of a clause appears in its prose, so two clauses that decide differently read
//! differently, and nobody signs a text that the machine does not keep.

use std::collections::BTreeSet;

use base::{AgencyId, Level, SchemeId, Token};

use crate::agreement::{Agreement, Clause, Discloses, Effect, Grantee, Limits, Onward, Window};
use crate::equivalence::{Outcome, Table};
use crate::scheme::Schemes;

fn joined(words: &[String], last: &str) -> String {
    match words {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., end] => format!("{} {last} {end}", most.join(", ")),
    }
}

fn sorted<T: Ord>(items: impl IntoIterator<Item = T>) -> BTreeSet<T> {
    items.into_iter().collect()
}

fn quoted<'a>(codes: impl IntoIterator<Item = &'a Token>, last: &str) -> String {
    let words: Vec<String> = sorted(codes).into_iter().map(|code| format!("`{code}`")).collect();
    joined(&words, last)
}

fn level(schemes: &Schemes, id: &SchemeId, rank: Level) -> String {
    let name = schemes.get(id).ok().and_then(|scheme| scheme.level(rank));
    name.map_or_else(|| format!("level {} of {id}", rank.0), |level| level.name.to_string())
}

fn span(window: Window) -> String {
    format!("from {} until {}", window.starts_at, window.ends_at)
}

fn grantee(grantee: &Grantee, names: &dyn Fn(AgencyId) -> String) -> String {
    let agency = names(grantee.agency);
    match grantee.role_set() {
        None => format!("everybody of {agency}"),
        Some(roles) => format!("{agency} in the role of {}", quoted(roles, "or")),
    }
}

fn limits(limits: &Limits, schemes: &Schemes) -> String {
    let ceiling = |(id, ceiling): (&SchemeId, &crate::agreement::Ceiling)| {
        let up_to = level(schemes, id, ceiling.level);
        if ceiling.compartments.is_empty() {
            format!("up to {up_to} without compartment")
        } else {
            format!(
                "up to {up_to} with no compartment but {}",
                quoted(&ceiling.compartments, "and")
            )
        }
    };
    let ceilings: Vec<String> = limits.ceilings.iter().map(ceiling).collect();
    let ceilings = if ceilings.is_empty() { "nothing".into() } else { ceilings.join("; ") };
    if limits.caveats_excluded.is_empty() {
        ceilings
    } else {
        format!("{ceilings}; nothing marked {}", quoted(&limits.caveats_excluded, "or"))
    }
}

/// Writes a clause as a person reads and signs it.
///
/// `names` gives the name of an agency; different agencies need different names.
pub fn prose(clause: &Clause, schemes: &Schemes, names: &dyn Fn(AgencyId) -> String) -> String {
    let grantors: Vec<String> =
        sorted(clause.grantors.iter()).into_iter().map(|agency| names(*agency)).collect();
    let grantees: BTreeSet<String> = clause.grantees.iter().map(|g| grantee(g, names)).collect();
    let grantees: Vec<String> = grantees.into_iter().collect();
    let actions: Vec<String> =
        sorted(clause.actions.iter()).into_iter().map(|action| format!("`{action}`")).collect();
    let learn = match clause.discloses {
        Discloses::Content => "",
        Discloses::Existence => "learn that something exists, and nothing of its content, under ",
    };
    let (may, bound) = match clause.effect {
        Effect::Permit => ("may", "This covers"),
        Effect::Forbid => ("may never", "Whatever other clauses permit, this spares only"),
    };
    let training = if clause.training.is_empty() {
        "no course is required".into()
    } else {
        format!("the reader must have passed {}", quoted(&clause.training, "and"))
    };
    format!(
        "Clause {} (version {}). {}, {} {may} {learn}{} upon what originates with {}. {bound} {}, \
         for the purpose of {}; {training}.",
        clause.id,
        clause.version,
        capital(&span(clause.force)),
        joined(&grantees, "and"),
        joined(&actions, "and"),
        joined(&grantors, "and"),
        limits(&clause.limits, schemes),
        quoted(&clause.purposes, "or"),
    )
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

fn table(table: &Table, schemes: &Schemes) -> String {
    let row = |row: &crate::equivalence::Row| {
        let with = |codes: &BTreeSet<Token>| {
            if codes.is_empty() { String::new() } else { format!(" with {}", quoted(codes, "and")) }
        };
        let from = format!("{}{}", level(schemes, &table.from, row.level), with(&row.required));
        match &row.outcome {
            Outcome::Map { level: to, add } => {
                format!("{from} is {}{}", level(schemes, &table.to, *to), with(add))
            }
            Outcome::Reject => format!("{from} does not cross"),
            Outcome::NeedsHuman => format!("{from} is marked anew by a person"),
        }
    };
    let rows: Vec<String> = table.rows.iter().map(row).collect();
    format!("Equivalence of {} with {}: {}.", table.from, table.to, rows.join("; "))
}

/// Writes a whole agreement as the parties read and sign it.
pub fn agreement_prose(
    agreement: &Agreement,
    schemes: &Schemes,
    names: &dyn Fn(AgencyId) -> String,
) -> String {
    let parties: Vec<String> =
        sorted(agreement.parties.iter()).into_iter().map(|agency| names(*agency)).collect();
    let retention = match agreement.retention_days_max {
        None => "Without limit of time, a grantee keeps what it received.".into(),
        Some(days) => format!("A grantee erases what it received within {days} days."),
    };
    let onward = match agreement.onward {
        Onward::Forbidden => "Nothing is handed on.",
        Onward::WithConsent => "Nothing is handed on without the originator's consent.",
        Onward::AmongParties => "What is handed on goes to parties, under their own clauses.",
    };
    let mut lines = vec![
        format!("{} (version {}), agreement {}.", agreement.title, agreement.version, agreement.id),
        format!(
            "Between {}, on the basis of {}, for the purpose of {}, {}.",
            joined(&parties, "and"),
            agreement.legal_basis,
            quoted(&agreement.purposes, "or"),
            span(agreement.force)
        ),
    ];
    lines.extend(agreement.clauses.iter().map(|clause| prose(clause, schemes, names)));
    lines.extend(agreement.equivalences.iter().map(|of| table(of, schemes)));
    lines.push(format!("{retention} {onward}"));
    lines.join("\n")
}
