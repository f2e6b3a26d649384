//! The policy matrix: role × action × label as a printed table, for snapshots and for review.

use std::collections::BTreeSet;

use base::{Label, Token};

use crate::agreement::Action;
use crate::compile::{Class, PolicyEpoch};
use crate::decide::{Intent, Reason, Target, decide, decide_act};
use crate::profile::Profile;

/// Prints what each profile may do with each label: one block an action, one row a profile.
///
/// `yes` is allowed; `no` is no consent; `label` is kept back by the mandatory rules; `never` is
/// forbidden; `fault` is an alarm; `–` is an action that is not declared. An act is upon a record
/// of the label's first originator, without state or facts.
pub fn matrix(
    epoch: &PolicyEpoch,
    profiles: &[(&str, &Profile)],
    actions: &[&Action],
    labels: &[(&str, &Label)],
    purpose: &Token,
) -> String {
    let names = profiles.iter().map(|(name, _)| name.chars().count());
    let words = actions.iter().map(|action| action.as_str().len());
    let width = names.chain(words).max().unwrap_or(0);
    let heads: Vec<&str> = labels.iter().map(|(name, _)| *name).collect();
    let mut text = String::new();
    for action in actions {
        let intent = Intent { action, purpose };
        text.push_str(&row((action.as_str(), width), labels, &heads));
        for (name, profile) in profiles {
            let cells = labels.iter().map(|(_, label)| cell(epoch, profile, intent, label));
            let cells: Vec<&str> = cells.collect();
            text.push_str(&row((name, width), labels, &cells));
        }
        text.push('\n');
    }
    text
}

/// One row: the first column, then a cell under each label.
fn row(first: (&str, usize), labels: &[(&str, &Label)], cells: &[&str]) -> String {
    let (name, width) = first;
    let padded = |((head, _), cell): (&(&str, &Label), &&str)| {
        let width = head.chars().count().max(5);
        format!("{cell:width$}")
    };
    let cells: Vec<String> = labels.iter().zip(cells).map(padded).collect();
    format!("{name:width$} | {}", cells.join(" | ")).trim_end().to_owned() + "\n"
}

fn cell(epoch: &PolicyEpoch, profile: &Profile, intent: Intent<'_>, label: &Label) -> &'static str {
    let reason = match (epoch.class(intent.action), label.originators().first()) {
        (Some(Class::Own | Class::Joint), Some(agency)) => {
            let facts = BTreeSet::new();
            let target = Target { agency: *agency, label: Some(label), state: None, facts: &facts };
            decide_act(epoch, profile, intent, &target).reason
        }
        (Some(Class::Own | Class::Joint | Class::Read) | None, _) => {
            decide(epoch, profile, intent, label).reason
        }
    };
    match reason {
        Reason::Permitted => "yes",
        Reason::NoConsent(_) => "no",
        Reason::Mandatory(_) | Reason::Scheme(_) => "label",
        Reason::Forbidden => "never",
        Reason::Failed(_) => "fault",
        Reason::Action => "–",
    }
}
