//! Under which clause a report flows, and which one is missing when it does not.
//!
//! INVARIANT: only agreements to which the asker's own agency is a party are looked at, so that a
//! refusal tells nothing of what others have agreed.

use base::{AgencyId, ClauseId, Label};
use policy::{Agreement, Clause};

use super::Cited;
use crate::kernel::register::Signed;
use crate::kernel::{Deciding, Fault};

/// The action that a release needs a clause for.
pub const READ: &str = "report:read";

/// The clauses under which an agency may read what bears a label.
///
/// # Errors
/// `no-clause` that names the agency and the clause that is missing.
pub fn clauses(
    recipient: AgencyId,
    label: &Label,
    on: &Deciding<'_>,
) -> Result<Vec<(ClauseId, u32)>, Fault> {
    on.flow(recipient, READ, label).map_err(|fault| {
        if fault.code.slug != "no-clause" {
            return fault;
        }
        let detail = format!("{}: {}", fault.detail, missing(recipient, label, on));
        Fault::new(fault.code.kind, "no-clause", detail)
    })
}

/// The clauses with the agreements that they stand in.
pub fn cited(clauses: &[(ClauseId, u32)], on: &Deciding<'_>) -> Vec<Cited> {
    let signed = on.register.agreements.values();
    let in_force: Vec<&Agreement> = signed.filter_map(|s| s.in_force.as_ref()).collect();
    let named = |(clause, version): &(ClauseId, u32)| {
        let stands =
            |a: &&&Agreement| a.clauses.iter().any(|c| c.id == *clause && c.version == *version);
        let agreement = in_force.iter().find(stands)?;
        Some(Cited { agreement: agreement.id, clause: *clause, version: *version })
    };
    clauses.iter().filter_map(named).collect()
}

/// What keeps a label from an agency: the nearest agreement, and what it lacks.
fn missing(recipient: AgencyId, label: &Label, on: &Deciding<'_>) -> String {
    let own = on.actor.agency;
    let ours = on.register.agreements.values().filter(|signed| {
        let parties = signed.agreement.parties.as_slice();
        parties.contains(&own) && parties.contains(&recipient)
    });
    let nearest = ours.map(|signed| lacks(signed, recipient, label, on)).max_by_key(|(n, _)| *n);
    nearest.map_or_else(|| "there is no agreement with it".to_owned(), |(_, text)| text)
}

/// How near an agreement comes to letting a label through, and what it lacks.
fn lacks(signed: &Signed, to: AgencyId, label: &Label, on: &Deciding<'_>) -> (u8, String) {
    let newest = signed.in_force.as_ref().unwrap_or(&signed.agreement);
    let title = newest.title.as_str();
    let lacking = |near: u8, what: &str| (near, format!("agreement `{title}` {what}"));
    let grants = |clause: &&Clause| {
        clause.effect == policy::Effect::Permit
            && clause.discloses == policy::Discloses::Content
            && clause.actions.iter().any(|action| action.as_str() == READ)
            && clause.grantors.iter().any(|grantor| *grantor == on.actor.agency)
            && clause.grantees.iter().any(|grantee| grantee.agency == to)
    };
    let granted: Vec<&Clause> = newest.clauses.iter().filter(grants).collect();
    if granted.is_empty() {
        return lacking(0, "has no clause with `report:read` from your agency to it");
    }
    if signed.in_force.is_none() {
        return lacking(2, "is not signed by every party");
    }
    if signed.suspended {
        return lacking(3, "is suspended");
    }
    if !newest.force.contains(on.at) {
        return lacking(1, "has expired or is not yet in force");
    }
    let nearest = granted.iter().map(|clause| short(clause, label, on)).max_by_key(|(n, _)| *n);
    nearest.map_or_else(|| lacking(0, "has no such clause"), |(near, what)| lacking(near, &what))
}

fn short(clause: &Clause, label: &Label, on: &Deciding<'_>) -> (u8, String) {
    let id = clause.id;
    if !clause.force.contains(on.at) {
        return (1, format!("has clause {id}, which has expired or is not yet in force"));
    }
    for (scheme, marking) in label.markings() {
        let name = &scheme.0;
        let Some(ceiling) = clause.limits.ceilings.get(scheme) else {
            return (4, format!("has clause {id}, which does not reach scheme {name}"));
        };
        if marking.level > ceiling.level {
            let level = on.policy.schemes().get(scheme).ok().and_then(|s| s.level(ceiling.level));
            let level = level.map_or_else(|| ceiling.level.0.to_string(), |l| l.name.to_string());
            return (6, format!("has clause {id}, whose level ends at {level}"));
        }
        if !marking.compartments.is_subset(&ceiling.compartments) {
            return (
                5,
                format!("has clause {id}, which does not reach a compartment of the label"),
            );
        }
        let excluded = &clause.limits.caveats_excluded;
        if let Some(caveat) = marking.caveats.iter().find(|c| excluded.contains(*c)) {
            return (5, format!("has clause {id}, which excludes the caveat {caveat}"));
        }
    }
    (7, format!("has clause {id}, yet no desk there may read this label"))
}
