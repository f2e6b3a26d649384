//! The register: what policy needs in memory — agencies, persons, seats, circles, agreements.
//!
//! It is folded from the log like every view, but small, and never written to disk.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::capability::ActorContext;
use super::loss::CutBack;
use base::{
    AgencyId, AgreementId, CircleId, Clearance, Digest, EntryId, PersonId, RecordId, SeatId,
    ServiceId, SessionId, Time, Token,
};
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

/// A passkey.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential {
    pub person: PersonId,
    pub name: String,
    /// The credential id of WebAuthn, in base64url.
    pub id: String,
    /// The `COSE_Key`, in base64url.
    pub key: String,
    /// Whether it is made of software, for the demonstration.
    pub software: bool,
    pub enrolled_at: Time,
    /// Whether it was not removed.
    pub active: bool,
}

/// A one-time code with which a person may enrol a passkey; kept under its digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Enrolment {
    pub record: RecordId,
    pub person: PersonId,
    pub issued_by: Option<PersonId>,
    pub expires_at: Time,
    /// Whether another administrator must confirm it first.
    pub waiting: bool,
}

impl Enrolment {
    /// Whether it lets its person in at a time.
    pub fn admits(&self, at: Time) -> bool {
        !self.waiting && self.expires_at > at
    }
}

/// A service account: a program that acts with a scoped token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    pub name: String,
    pub agency: AgencyId,
    /// SHA-256 of the token.
    pub token: Digest,
    pub actions: BTreeSet<String>,
    /// Kinds of record that it may read.
    pub kinds: BTreeSet<String>,
    pub clearance: Clearance,
    pub roles: BTreeSet<Token>,
    pub expires_at: Time,
    /// Whether it was not revoked.
    pub active: bool,
}

/// An endpoint to which a node delivers what a service account may read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhook {
    pub service: ServiceId,
    pub agency: AgencyId,
    pub url: String,
    /// Kinds of record that are delivered.
    pub kinds: BTreeSet<String>,
    /// What of them is: `new`, `changed`, `recalled`.
    pub what: BTreeSet<String>,
    /// The first entry that can be delivered.
    pub since: u64,
    /// The entry with which its newest secret was made; nothing is delivered before the first.
    pub keyed: Option<EntryId>,
    pub paused: bool,
    /// The entry with which it last began: registered, given a secret or resumed.
    pub begun: u64,
}

/// How people and programs show who they are.
#[derive(Clone, Debug, Default)]
pub struct Identity {
    /// The first two administrators of the node.
    pub founders: BTreeSet<PersonId>,
    pub credentials: OrdMap<RecordId, Credential>,
    /// Credentials by their id of WebAuthn, removed ones among them: none is enrolled twice.
    pub by_id: OrdMap<String, RecordId>,
    pub enrolments: BTreeMap<Digest, Enrolment>,
    /// Sessions that were signed out of, lately.
    pub closed: BTreeMap<SessionId, Time>,
    /// How often all sessions of a person were ended.
    pub generations: OrdMap<PersonId, u64>,
    pub services: OrdMap<ServiceId, Service>,
}

impl Identity {
    /// The credentials of a person that were not removed.
    pub fn of(&self, person: PersonId) -> impl Iterator<Item = (&RecordId, &Credential)> {
        self.credentials.iter().filter(move |(_, known)| known.active && known.person == person)
    }
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
    pub identity: Identity,
    /// Where records are delivered on their own, while it is so.
    pub webhooks: OrdMap<RecordId, Arc<Webhook>>,
    /// Heads that were signed and lost, in the order of the log.
    pub losses: Vec<Arc<CutBack>>,
    /// What other capabilities act by, such as a plan of declaration: the newest fact, as JSON.
    pub instruments: OrdMap<RecordId, Arc<Vec<u8>>>,
    /// Raised by each change that policy decisions depend on.
    pub policy_changes: u64,
    /// Raised by each change of membership, seat or person.
    pub people_changes: u64,
    /// Counts who joined or left circles: a new circle changes nothing about cells that exist.
    pub circle_changes: u64,
    /// Counts what can end a session before its time.
    pub session_changes: u64,
}

/// A value of one of the maps, to be changed; what other copies share stays as it is.
pub fn changed<'r, K: Ord + Clone, V: Clone>(
    map: &'r mut OrdMap<K, Arc<V>>,
    key: &K,
) -> Option<&'r mut V> {
    map.get_mut(key).map(Arc::make_mut)
}

impl Register {
    /// Whether anybody of an agency can sign in, so that it administers itself.
    pub fn administers_itself(&self, agency: AgencyId) -> bool {
        let of = |person: &PersonId| self.persons.get(person).map(|person| person.agency);
        let mut credentials = self.identity.credentials.values();
        credentials.any(|known| known.active && of(&known.person) == Some(agency))
    }

    /// The agency and all above it of which it is a unit, nearest first.
    ///
    /// A service is no unit of its ministry: what is for the ministry is not for the service.
    pub fn ancestors(&self, agency: AgencyId) -> Vec<AgencyId> {
        let mut found = vec![agency];
        let mut at = agency;
        // LIMIT: a tree of agencies deeper than 16 is a cycle or a mistake.
        for _ in 0..16 {
            match self.agencies.get(&at).filter(|a| a.unit).and_then(|a| a.parent) {
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

    /// Whether an agency belongs to a circle as a whole, or a person or a seat of it does.
    pub fn circle_has(&self, circle: CircleId, agency: AgencyId) -> bool {
        let Some(members) = self.circles.get(&circle) else { return false };
        let line = self.ancestors(agency);
        members.iter().any(|member| match member {
            Member::Agency(member) => line.contains(member),
            Member::Person(id) => self.persons.get(id).is_some_and(|p| p.agency == agency),
            Member::Seat(id) => self.seats.get(id).is_some_and(|seat| seat.agency == agency),
        })
    }

    /// As what an actor belongs to circles: person, seat, and the agencies of the own line.
    pub fn memberships(&self, actor: &ActorContext) -> Vec<Member> {
        let person = actor.person.map(Member::Person);
        let seat = actor.seat.map(Member::Seat);
        let line = self.ancestors(actor.agency).into_iter().map(Member::Agency);
        person.into_iter().chain(seat).chain(line).collect()
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
