//! What would have flowed: two epochs compared over what was really recorded.

use std::collections::{BTreeMap, BTreeSet};

use base::{AgencyId, Label, Token};

use crate::agreement::{Action, ClauseRef};
use crate::compile::PolicyEpoch;
use crate::decide::{Intent, Reason, consent, decide};
use crate::profile::Profile;

/// Records that begin or cease to flow from an originator to an agency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    pub originator: AgencyId,
    pub reader: AgencyId,
    pub action: Action,
    pub records: u64,
    /// The clauses that permit, after for a beginning and before for a ceasing flow.
    pub clauses: BTreeSet<ClauseRef>,
}

/// Records that the draft's clauses offer to an agency none of whose readers is cleared for them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    pub reader: AgencyId,
    pub action: Action,
    pub label: Label,
    pub records: u64,
    pub clauses: BTreeSet<ClauseRef>,
}

/// What a draft changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Simulation {
    pub starting: Vec<Change>,
    pub stopping: Vec<Change>,
    pub conflicts: Vec<Conflict>,
}

type Pair = (AgencyId, AgencyId, Action);
type Sums = BTreeMap<Pair, (u64, BTreeSet<ClauseRef>)>;

/// Compares two epochs over recorded flows: each an action, a label and how many records bear it.
///
/// A record flows to an agency when one of its profiles may read it; it is counted once for each of
/// its originators other than the agency's own line.
pub fn simulate(
    before: &PolicyEpoch,
    after: &PolicyEpoch,
    profiles: &[Profile],
    purpose: &Token,
    flows: impl IntoIterator<Item = (Action, Label, u64)>,
) -> Simulation {
    let mut readers: BTreeMap<AgencyId, Vec<&Profile>> = BTreeMap::new();
    for profile in profiles {
        readers.entry(profile.attributes().agency).or_default().push(profile);
    }
    let (mut starting, mut stopping) = (Sums::new(), Sums::new());
    let mut conflicts = Vec::new();
    for (action, label, records) in flows {
        let intent = Intent { action: &action, purpose };
        for (reader, profiles) in &readers {
            let was = flowing(before, profiles, intent, &label);
            let will = flowing(after, profiles, intent, &label);
            let (sums, clauses) = match (was, will) {
                (None, Some(clauses)) => (&mut starting, clauses),
                (Some(clauses), None) => (&mut stopping, clauses),
                (None, None) => {
                    let found = conflict(before, after, profiles, intent, &label);
                    conflicts.extend(found.map(|clauses| Conflict {
                        reader: *reader,
                        action: action.clone(),
                        label: label.clone(),
                        records,
                        clauses,
                    }));
                    continue;
                }
                (Some(_), Some(_)) => continue,
            };
            for originator in label.originators() {
                if !after.tree().same_line(*reader, *originator) {
                    let sum = sums.entry((*originator, *reader, action.clone())).or_default();
                    sum.0 = sum.0.saturating_add(records);
                    sum.1.extend(&clauses);
                }
            }
        }
    }
    Simulation { starting: changes(starting), stopping: changes(stopping), conflicts }
}

fn changes(sums: Sums) -> Vec<Change> {
    let change = |((originator, reader, action), (records, clauses))| Change {
        originator,
        reader,
        action,
        records,
        clauses,
    };
    sums.into_iter().map(change).collect()
}

/// The clauses under which one of the profiles may; `None` when none may.
fn flowing(
    epoch: &PolicyEpoch,
    profiles: &[&Profile],
    intent: Intent<'_>,
    label: &Label,
) -> Option<BTreeSet<ClauseRef>> {
    let decisions = profiles.iter().map(|profile| decide(epoch, profile, intent, label));
    let clauses = |decision: crate::Decision| decision.clauses.into_iter().collect();
    decisions.into_iter().find(crate::Decision::allows).map(clauses)
}

/// The clauses that newly consent although the mandatory rules keep every profile from the label.
fn conflict(
    before: &PolicyEpoch,
    after: &PolicyEpoch,
    profiles: &[&Profile],
    intent: Intent<'_>,
    label: &Label,
) -> Option<BTreeSet<ClauseRef>> {
    profiles.iter().find_map(|profile| {
        let kept = decide(after, profile, intent, label).reason;
        let offered = consent(after, profile, intent, label);
        let new = offered.allows() && !consent(before, profile, intent, label).allows();
        (matches!(kept, Reason::Mandatory(_)) && new && !offered.clauses.is_empty())
            .then(|| offered.clauses.into_iter().collect())
    })
}
