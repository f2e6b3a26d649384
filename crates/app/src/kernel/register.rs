//! The register: what policy needs in memory — agencies, persons, seats, circles, agreements.
//!
//! It is folded from the log like every view, but small, and never written to disk.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use base::{AgencyId, AgreementId, CircleId, Clearance, PersonId, RecordId, SeatId, Time, Token};
use imbl::OrdMap;
use policy::Agreement;
use serde::{Deserialize, Serialize};

/// An agency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Agency {
    pub name: String,
    /// The code that releasable-to lists use.
    pub code: Token,
    pub parent: Option<AgencyId>,
    /// Whether it is a unit of its parent, so that each reads what is the other's by rule alone; a
    /// service under a ministry is not.
    #[serde(default)]
    pub unit: bool,
}

/// A person, as policy sees one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Person {
    pub name: String,
    pub agency: AgencyId,
    pub clearance: Clearance,
    pub cleared_until: Option<Time>,
    #[serde(default)]
    pub roles: BTreeSet<Token>,
    /// Courses passed, and until when each counts.
    #[serde(default)]
    pub training: BTreeMap<Token, Time>,
    #[serde(default)]
    pub active: bool,
}

/// A seat: a post that a person holds for a watch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seat {
    pub name: String,
    pub agency: AgencyId,
    #[serde(default)]
    pub roles: BTreeSet<Token>,
    pub holder: Option<PersonId>,
    /// Whom to call when its holder is silent, in order.
    #[serde(default)]
    pub deputies: Vec<SeatId>,
}

/// Who belongs to a circle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Member {
    Agency(AgencyId),
    Person(PersonId),
    Seat(SeatId),
}

/// An agreement and whether it is in force.
#[derive(Clone, Debug)]
pub struct Signed {
    /// The newest version, signed or not.
    pub agreement: Agreement,
    /// Whether it was founded with the node.
    pub founded: bool,
    pub signed_by: BTreeSet<AgencyId>,
    pub resumed_by: BTreeSet<AgencyId>,
    pub suspended: bool,
    /// The version that every party has signed.
    pub in_force: Option<Agreement>,
}

/// Everything that policy asks about people and instruments.
///
/// Each act is tried on a copy: the maps share what is the same, so that a copy costs nothing.
#[derive(Clone, Default)]
pub struct Register {
    pub agencies: OrdMap<AgencyId, Arc<Agency>>,
    pub persons: OrdMap<PersonId, Arc<Person>>,
    pub seats: OrdMap<SeatId, Arc<Seat>>,
    pub circles: OrdMap<CircleId, Arc<BTreeSet<Member>>>,
    pub agreements: OrdMap<AgreementId, Arc<Signed>>,
    /// What other capabilities act by, such as a plan of declaration: the newest fact, as JSON.
    pub instruments: OrdMap<RecordId, Arc<Vec<u8>>>,
    /// Raised by each change that policy decisions depend on.
    pub policy_changes: u64,
    /// Raised by each change of membership, seat or person.
    pub people_changes: u64,
}

/// A value of one of the maps, to be changed; what other copies share stays as it is.
pub fn changed<'r, K: Ord + Clone, V: Clone>(
    map: &'r mut OrdMap<K, Arc<V>>,
    key: &K,
) -> Option<&'r mut V> {
    map.get_mut(key).map(Arc::make_mut)
}

impl Register {
    /// The agency and all above it, nearest first.
    pub fn ancestors(&self, agency: AgencyId) -> Vec<AgencyId> {
        let mut found = vec![agency];
        let mut at = agency;
        // LIMIT: a tree of agencies deeper than 16 is a cycle or a mistake.
        for _ in 0..16 {
            match self.agencies.get(&at).and_then(|a| a.parent) {
                Some(parent) if !found.contains(&parent) => {
                    found.push(parent);
                    at = parent;
                }
                Some(_) | None => break,
            }
        }
        found
    }

    /// The seats that a person holds now.
    pub fn seats_of(&self, person: PersonId) -> impl Iterator<Item = (&SeatId, &Seat)> {
        let held = self.seats.iter().filter(move |(_, seat)| seat.holder == Some(person));
        held.map(|(id, seat)| (id, &**seat))
    }

    /// Whether a person on a seat belongs to a circle; nobody belongs to one that is unknown.
    pub fn belongs(
        &self,
        circle: CircleId,
        (person, seat): (Option<PersonId>, Option<SeatId>),
        line: &[AgencyId],
    ) -> bool {
        let Some(members) = self.circles.get(&circle) else { return false };
        person.is_some_and(|id| members.contains(&Member::Person(id)))
            || seat.is_some_and(|id| members.contains(&Member::Seat(id)))
            || line.iter().any(|agency| members.contains(&Member::Agency(*agency)))
    }
}
