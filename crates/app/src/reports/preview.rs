//! Who would see what: a draft, asked of the same policy that decides the reading.
//!
//! A recipient is shown as its desks: the held seats with the role `DUTY`. Nothing is said of any
//! other person, and a draft reaches no further than its author may write, so that asking tells an
//! author no more than releasing would.

use base::{AgencyId, Label, NonEmpty};
use serde::Serialize;

use super::{Cited, check_recipients, why};
use crate::kernel::{Deciding, Fault};
use std::collections::BTreeMap;

use base::{Marking, SchemeId};
use serde::Deserialize;

/// Portions and files of a draft together.
const PARTS_MAX: usize = super::PORTIONS_MAX + super::ATTACHMENTS_MAX;

/// A draft, as far as its labels go; texts are not sent.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Draft {
    markings: BTreeMap<SchemeId, Marking>,
    /// The markings of each portion and of each file; absent for those of the report.
    portions: NonEmpty<Option<BTreeMap<SchemeId, Marking>>>,
    recipients: Vec<AgencyId>,
}

#[derive(Serialize)]
struct Answer {
    recipients: Vec<Seen>,
}

/// What the desks of one recipient would read.
#[derive(Serialize)]
struct Seen {
    agency: AgencyId,
    /// The role whose seats were asked.
    role: &'static str,
    /// Whether the report may be released to it.
    flows: bool,
    /// Why not, and which clause is missing.
    why: Option<String>,
    clauses: Vec<Cited>,
    /// For each portion of the draft, in order, whether a desk would read it.
    portions: Vec<bool>,
}

/// Answers who would read which portion of a draft.
///
/// # Errors
/// As submitting the draft would be refused for its labels.
pub fn answer(command: &[u8], on: &mut Deciding<'_>) -> Result<serde_json::Value, Fault> {
    let draft: Draft = on.parse(command)?;
    check_recipients(&draft.recipients, on)?;
    if draft.portions.as_slice().len() > PARTS_MAX {
        let detail = format!("a report has at most {PARTS_MAX} portions and files");
        return Err(Fault::invalid("too-many-portions", detail));
    }
    let base = on.cell(draft.markings, on.actor.agency, None)?;
    on.policy.may_write(on.register, on.actor, &base)?;
    let mut labels = Vec::new();
    for markings in &draft.portions {
        let cell = super::cell_of(&base, markings.as_ref(), on)?;
        on.policy.may_write(on.register, on.actor, &cell)?;
        labels.push(cell.label);
    }
    let seen = draft.recipients.iter().map(|agency| seen(*agency, &base.label, &labels, on));
    let answer = Answer { recipients: seen.collect::<Result<_, Fault>>()? };
    serde_json::to_value(answer).map_err(Fault::bug)
}

fn seen(
    agency: AgencyId,
    base: &Label,
    labels: &[Label],
    on: &Deciding<'_>,
) -> Result<Seen, Fault> {
    let (clauses, why) = match why::clauses(agency, base, on) {
        Ok(clauses) => (Some(clauses), None),
        Err(fault) if fault.code.slug == "no-clause" => (None, Some(fault.detail.clone())),
        Err(fault) => return Err(fault),
    };
    let flows = clauses.is_some();
    let reads = |label: &Label| {
        flows
            && on.register.seats.iter().any(|(id, seat)| {
                let duty = seat.agency == agency && seat.roles.iter().any(|r| r.as_str() == "DUTY");
                let Some(holder) = seat.holder.filter(|_| duty) else { return false };
                let desk = (holder, agency, Some(*id));
                let read =
                    |label| on.policy.reads(on.register, desk, why::READ, label, on.actor.purpose);
                // Who may not know of the report reads nothing of it.
                read(base) && read(label)
            })
    };
    Ok(Seen {
        agency,
        role: "DUTY",
        flows,
        why,
        clauses: why::cited(&clauses.unwrap_or_default(), on),
        portions: labels.iter().map(reads).collect(),
    })
}
