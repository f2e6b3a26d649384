//! Near: which of one's own agreements comes nearest to letting something through.
//!
//! Only agreements that the asker may read are looked at. What is told here explains a refusal that
//! policy has decided; nothing is ever let through because of it.

use std::collections::BTreeSet;

use base::{AgencyId, ClauseId, Label, RecordId, SchemeId, Time, Token};
use policy::{AgencyTree, Agreement, Clause, Discloses, Effect};
use serde::Serialize;

use super::fault::Fault;
use super::reader::Reader;
use super::register::Signed;

/// Agreements and clauses that are told.
const NEAREST: usize = 3;

/// An agreement, or a clause of it, and what it lacks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Near {
    pub agreement: RecordId,
    /// Absent when no clause of it speaks of the action from there to here.
    pub clause: Option<ClauseId>,
    pub version: Option<u32>,
    pub lacks: Vec<Lack>,
}

/// One thing that keeps a clause from permitting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum Lack {
    /// The agreement has no clause for this action from the originator to the agency.
    Clause,
    /// Not every party has signed the version.
    Signature,
    /// A party has suspended the agreement.
    Suspended,
    NotYet {
        starts_at: Time,
    },
    Ended {
        ends_at: Time,
    },
    Purpose,
    /// The clause does not reach the scheme at all.
    Scheme {
        scheme: SchemeId,
    },
    /// The clause ends at a lower level of the scheme.
    Level {
        scheme: SchemeId,
        ceiling: String,
    },
    Compartments {
        scheme: SchemeId,
        missing: BTreeSet<Token>,
    },
    /// The clause leaves out what bears these.
    Caveats {
        excluded: BTreeSet<Token>,
    },
}

/// The nearest agreements that the asker may read, at most three, the nearest first.
///
/// `missing` are the originators of whom no clause permits.
///
/// # Errors
/// The store's own fault.
pub fn near(
    reader: &Reader<'_>,
    (noun, agency): (&'static str, AgencyId),
    labels: &[&Label],
    missing: &BTreeSet<AgencyId>,
) -> Result<Vec<Near>, Fault> {
    let core = reader.core();
    let tree = core.policy.rules().tree();
    let action = format!("{noun}:read");
    let of = Of { reader, tree, action: &action, agency, labels, missing };
    let mut found = Vec::new();
    for (id, signed) in &core.register.agreements {
        let parties = signed.agreement.parties.as_slice();
        let gives = |party| missing.iter().any(|o| tree.within(*o, party));
        let both = parties.iter().any(|party| gives(*party))
            && parties.iter().any(|party| tree.within(agency, *party));
        if both && reader.knows("agreement", RecordId(id.0))? {
            found.extend(of.agreement(signed));
        }
    }
    // What has a clause of the kind is nearer than what has none.
    if found.iter().any(|near| near.clause.is_some()) {
        found.retain(|near| near.clause.is_some());
    }
    found.sort_by_key(|near| near.lacks.len());
    found.truncate(NEAREST);
    Ok(found)
}

/// What is asked of an agreement.
struct Of<'a> {
    reader: &'a Reader<'a>,
    tree: &'a AgencyTree,
    action: &'a str,
    agency: AgencyId,
    labels: &'a [&'a Label],
    missing: &'a BTreeSet<AgencyId>,
}

impl Of<'_> {
    fn agreement(&self, signed: &Signed) -> Vec<Near> {
        let (newest, agreement) = (&signed.agreement, RecordId(signed.agreement.id.0));
        let in_force = signed.in_force.as_ref();
        let unsigned = Some(newest).filter(|n| in_force.is_none_or(|f| f.version < n.version));
        let mut found = Vec::new();
        for (text, signature) in
            in_force.map(|text| (text, true)).into_iter().chain(unsigned.map(|text| (text, false)))
        {
            for clause in text.clauses.iter().filter(|clause| self.speaks(clause)) {
                let mut lacks = self.lacks(text, clause);
                if signed.suspended {
                    lacks.insert(0, Lack::Suspended);
                }
                if !signature {
                    lacks.insert(0, Lack::Signature);
                }
                let (clause, version) = (Some(clause.id), Some(clause.version));
                if !lacks.is_empty() {
                    found.push(Near { agreement, clause, version, lacks });
                }
            }
        }
        if found.is_empty() {
            let lacks = vec![Lack::Clause];
            found.push(Near { agreement, clause: None, version: None, lacks });
        }
        found
    }

    /// Whether a clause is about this action, from an originator to the agency.
    fn speaks(&self, clause: &Clause) -> bool {
        let gives = |grantor| self.missing.iter().any(|o| self.tree.within(*o, grantor));
        clause.effect == Effect::Permit
            && clause.discloses == Discloses::Content
            && clause.actions.iter().any(|action| action.as_str() == self.action)
            && clause.grantors.iter().any(|grantor| gives(*grantor))
            && clause.grantees.iter().any(|g| self.tree.within(self.agency, g.agency))
    }

    fn lacks(&self, text: &Agreement, clause: &Clause) -> Vec<Lack> {
        let at = self.reader.at();
        let mut lacks = Vec::new();
        let starts_at = text.force.starts_at.max(clause.force.starts_at);
        let ends_at = text.force.ends_at.min(clause.force.ends_at);
        if starts_at > at {
            lacks.push(Lack::NotYet { starts_at });
        }
        if ends_at <= at {
            lacks.push(Lack::Ended { ends_at });
        }
        let purpose = super::policy::purpose_code(self.reader.actor().purpose);
        if !clause.purposes.iter().any(|named| named.as_str() == purpose) {
            lacks.push(Lack::Purpose);
        }
        for label in self.labels {
            for lack in self.short(clause, label) {
                if !lacks.contains(&lack) {
                    lacks.push(lack);
                }
            }
        }
        lacks
    }

    /// Which limits of a clause a label does not keep.
    fn short(&self, clause: &Clause, label: &Label) -> Vec<Lack> {
        let schemes = self.reader.core().policy.schemes();
        let mut lacks = Vec::new();
        for (id, marking) in label.markings() {
            let scheme = id.clone();
            let Some(ceiling) = clause.limits.ceilings.get(id) else {
                lacks.push(Lack::Scheme { scheme });
                continue;
            };
            if marking.level > ceiling.level {
                let level = schemes.get(id).ok().and_then(|known| known.level(ceiling.level));
                let name =
                    level.map_or_else(|| ceiling.level.0.to_string(), |l| l.name.to_string());
                lacks.push(Lack::Level { scheme: scheme.clone(), ceiling: name });
            }
            let missing = marking.compartments.difference(&ceiling.compartments);
            let missing: BTreeSet<Token> = missing.cloned().collect();
            if !missing.is_empty() {
                lacks.push(Lack::Compartments { scheme, missing });
            }
            let excluded = marking.caveats.intersection(&clause.limits.caveats_excluded);
            let excluded: BTreeSet<Token> = excluded.cloned().collect();
            if !excluded.is_empty() {
                lacks.push(Lack::Caveats { excluded });
            }
        }
        lacks
    }
}
