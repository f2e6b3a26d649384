//! The policy matrix: role × action × label as a printed table, for snapshots and for review.

use base::{Label, Token};

use crate::agreement::Action;
use crate::compile::PolicyEpoch;
use crate::decide::{Intent, Reason, decide};
use crate::profile::Profile;

/// Prints what each profile may do with each label: one block an action, one row a profile.
///
/// `yes` is allowed; `no` is no consent; `label` is kept back by the mandatory rules; `never` is
/// forbidden; `fault` is an alarm; `–` is an action that reads no label.
pub fn matrix(
    epoch: &PolicyEpoch,
    profiles: &[(&str, &Profile)],
    actions: &[&Action],
    labels: &[(&str, &Label)],
    purpose: &Token,
) -> String {
    let first = profiles.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    let mut text = String::new();
    for action in actions {
        let intent = Intent { action, purpose };
        let heads = labels.iter().map(|(name, _)| (*name).to_owned()).collect();
        push_row(&mut text, (action.as_str(), first.max(action.as_str().len())), labels, heads);
        for (name, profile) in profiles {
            let cells = labels.iter().map(|(_, label)| cell(epoch, profile, intent, label));
            let width = first.max(action.as_str().len());
            push_row(&mut text, (name, width), labels, cells.map(str::to_owned).collect());
        }
        text.push('\n');
    }
    text
}

fn push_row(
    text: &mut String,
    first: (&str, usize),
    labels: &[(&str, &Label)],
    cells: Vec<String>,
) {
    let (name, width) = first;
    let mut row = format!("{name:width$}");
    for ((head, _), cell) in labels.iter().zip(cells) {
        let width = head.chars().count().max(5);
        row.push_str(&format!(" | {cell:width$}"));
    }
    text.push_str(row.trim_end());
    text.push('\n');
}

fn cell(epoch: &PolicyEpoch, profile: &Profile, intent: Intent<'_>, label: &Label) -> &'static str {
    match decide(epoch, profile, intent, label).reason {
        Reason::Permitted => "yes",
        Reason::NoConsent(_) => "no",
        Reason::Mandatory(_) | Reason::Scheme(_) => "label",
        Reason::Forbidden => "never",
        Reason::Failed(_) => "fault",
        Reason::Action => "–",
    }
}
