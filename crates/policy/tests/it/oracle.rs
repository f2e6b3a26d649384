//! The reference evaluator: what the instruments say, in plain Rust, without Cedar and without the
//! compiler. It is written from the words of the agreement, not from the code under test.

use base::{AgencyId, Label, Play, Releasable, Time, Token};
use policy::{Agreement, Attributes, Clause, Discloses, Effect, Roles};

use crate::world::{DISTRICT, POLICE};

/// One question to the oracle.
pub struct Question<'a> {
    pub agreements: &'a [Agreement],
    pub at: Time,
    pub reader: &'a Attributes,
    /// `report` or `entity`.
    pub noun: &'a str,
    /// Whether only existence is asked for.
    pub existence: bool,
    pub purpose: &'a Token,
    pub label: &'a Label,
}

fn unit_of(unit: AgencyId, agency: AgencyId) -> bool {
    unit == agency || (unit == DISTRICT && agency == POLICE)
}

impl Question<'_> {
    /// Whether the reader may.
    pub fn allowed(&self) -> bool {
        self.cleared() && (self.content() || (self.existence && self.existence_alone()))
    }

    pub fn cleared(&self) -> bool {
        let held = &self.reader.clearance;
        if let Play::Exercise(id) = self.label.play()
            && !held.exercises.contains(&id)
        {
            return false;
        }
        for (scheme, marking) in self.label.markings() {
            let Some(cleared) = held.schemes.get(scheme) else { return false };
            if cleared.level < marking.level {
                return false;
            }
            for compartment in &marking.compartments {
                if !cleared.compartments.contains(compartment) {
                    return false;
                }
            }
            if let Releasable::Only(codes) = &marking.releasable_to
                && !codes.iter().any(|code| held.audiences.contains(code))
            {
                return false;
            }
        }
        true
    }

    fn content(&self) -> bool {
        self.label.originators().iter().all(|originator| {
            let own = unit_of(*originator, self.reader.agency)
                && self.reader.roles.iter().any(|role| role.as_str() == "ANALYST");
            let mobile = self.noun == "entity" && self.reader.device.as_str() == "MOBILE";
            (own || self.any(*originator, Effect::Permit, Discloses::Content))
                && !mobile
                && !self.any(*originator, Effect::Forbid, Discloses::Content)
        })
    }

    fn existence_alone(&self) -> bool {
        self.label.originators().iter().all(|originator| {
            self.any(*originator, Effect::Permit, Discloses::Existence)
                && !self.any(*originator, Effect::Forbid, Discloses::Existence)
        })
    }

    /// Whether a clause of the effect bites for the originator.
    fn any(&self, originator: AgencyId, effect: Effect, discloses: Discloses) -> bool {
        for agreement in self.agreements {
            if !(agreement.force.starts_at <= self.at && self.at < agreement.force.ends_at) {
                continue;
            }
            for clause in &agreement.clauses {
                let in_force = clause.force.starts_at <= self.at && self.at < clause.force.ends_at;
                let about = clause.effect == effect
                    && clause.discloses == discloses
                    && clause.actions.iter().any(|a| a.as_str() == format!("{}:read", self.noun))
                    && clause.grantors.iter().any(|grantor| unit_of(originator, *grantor))
                    && self.receives(clause);
                let within = self.within(clause);
                let bites = match effect {
                    Effect::Permit => within,
                    Effect::Forbid => !within,
                };
                if in_force && about && bites {
                    return true;
                }
            }
        }
        false
    }

    fn receives(&self, clause: &Clause) -> bool {
        clause.grantees.iter().any(|grantee| {
            unit_of(self.reader.agency, grantee.agency)
                && match &grantee.roles {
                    Roles::Any => true,
                    Roles::Only(roles) => roles.iter().any(|r| self.reader.roles.contains(r)),
                }
        })
    }

    fn within(&self, clause: &Clause) -> bool {
        if !clause.purposes.iter().any(|purpose| purpose == self.purpose) {
            return false;
        }
        if clause.training.iter().any(|course| !self.reader.training.contains(course)) {
            return false;
        }
        for (scheme, marking) in self.label.markings() {
            let Some(ceiling) = clause.limits.ceilings.get(scheme) else { return false };
            if marking.level > ceiling.level {
                return false;
            }
            if marking.compartments.iter().any(|code| !ceiling.compartments.contains(code)) {
                return false;
            }
            if marking.caveats.iter().any(|c| clause.limits.caveats_excluded.contains(c)) {
                return false;
            }
        }
        true
    }
}
