//! People: persons with clearances and training, and the seats that they hold for a watch.
//!
//! Authority sits on seats, acts are by persons. Each agency administers its own.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use base::{AgencyId, Clearance, Line, Marking, PersonId, RecordId, SchemeId, SeatId, Time, Token};
use ledger::leaf::Class as LeafClass;
use policy::Class;
use serde::{Deserialize, Serialize};

use crate::kernel::reader::conflict;
use crate::kernel::register::{Person, Register, Seat, changed};
use crate::kernel::{
    Action, Capability, Cell, Deciding, Fact, Fault, Lane, Layer, NewEntry, NewPortion,
};

pub mod http;

/// The capability.
pub const CAPABILITY: Capability = Capability {
    name: "people",
    noun: "person",
    kinds: &[
        "person.added/1",
        "person.cleared/1",
        "person.removed/1",
        "seat.added/1",
        "seat.taken/1",
    ],
    actions: &[
        Action {
            name: "person:add",
            lane: Lane::Normal,
            class: Class::Own,
            duty: true,
            signed: false,
        },
        Action {
            name: "person:clear",
            lane: Lane::Alert,
            class: Class::Own,
            duty: false,
            signed: false,
        },
        Action {
            name: "person:remove",
            lane: Lane::Alert,
            class: Class::Own,
            duty: false,
            signed: false,
        },
        Action {
            name: "seat:add",
            lane: Lane::Normal,
            class: Class::Own,
            duty: true,
            signed: false,
        },
        Action {
            name: "seat:take",
            lane: Lane::Alert,
            class: Class::Own,
            duty: true,
            signed: true,
        },
    ],
    routes: http::ROUTES,
    urgent: false,
    registers: true,
    policy: include_str!("policy.cedar"),
    tables: "",
    act,
    fold,
    index: |_, _| Ok(()),
    register,
    react: |_| Vec::new(),
};

/// A person was added to an agency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Added {
    pub person: PersonId,
    pub name: Line<120>,
    pub agency: AgencyId,
    pub clearance: Clearance,
    pub cleared_until: Option<Time>,
    pub roles: BTreeSet<Token>,
    pub training: BTreeMap<Token, Time>,
}

/// A person's clearance, roles or training changed: the whole new state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cleared {
    pub person: PersonId,
    pub clearance: Clearance,
    pub cleared_until: Option<Time>,
    pub roles: BTreeSet<Token>,
    pub training: BTreeMap<Token, Time>,
}

/// A person left: every right ends at once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Removed {
    pub person: PersonId,
}

/// A seat was added to an agency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeatAdded {
    pub seat: SeatId,
    pub name: Line<120>,
    pub agency: AgencyId,
    pub roles: BTreeSet<Token>,
    /// Whom to call when its holder is silent, in order.
    pub deputies: Vec<SeatId>,
}

/// A person took a seat; with `person` absent it stands empty.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Taken {
    pub seat: SeatId,
    pub person: Option<PersonId>,
}

#[derive(Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
enum Command {
    Add {
        person: Option<PersonId>,
        name: Line<120>,
        agency: AgencyId,
        clearance: Clearance,
        cleared_until: Option<Time>,
        #[serde(default)]
        roles: BTreeSet<Token>,
        #[serde(default)]
        training: BTreeMap<Token, Time>,
        markings: BTreeMap<SchemeId, Marking>,
    },
    Clear(Cleared),
    Remove(Removed),
    AddSeat {
        seat: Option<SeatId>,
        name: Line<120>,
        agency: AgencyId,
        #[serde(default)]
        roles: BTreeSet<Token>,
        #[serde(default)]
        deputies: Vec<SeatId>,
        markings: BTreeMap<SchemeId, Marking>,
    },
    Take(Taken),
}

fn act(command: &[u8], on: &mut Deciding<'_>) -> Result<Vec<NewEntry>, Fault> {
    match on.parse(command)? {
        Command::Add {
            person,
            name,
            agency,
            clearance,
            cleared_until,
            roles,
            training,
            markings,
        } => {
            on.administers(agency)?;
            known_agency(on, agency)?;
            may_grant(on, &clearance, &roles)?;
            let person = person.unwrap_or_else(|| PersonId::draw(&mut on.ids));
            if on.register.persons.contains_key(&person) {
                return Err(conflict("person-exists", "this person was added before"));
            }
            let cell = on.cell(markings, agency, None)?;
            let added = Added { person, name, agency, clearance, cleared_until, roles, training };
            Ok(vec![self::added(cell, &added)?])
        }
        Command::Clear(cleared) => {
            let id = cleared.person;
            let cell = on.base_of(RecordId(id.0), "person")?;
            on.administers(agency_of(on, id)?)?;
            if on.actor.person == Some(id) || both_founded(on, id) {
                return Err(denied("own-rights", "nobody changes rights of their own"));
            }
            may_grant(on, &cleared.clearance, &cleared.roles)?;
            Ok(entry("person.cleared/1", id.0, NewPortion::of(cell, &cleared)?))
        }
        Command::Remove(removed) => {
            let id = removed.person;
            let cell = on.base_of(RecordId(id.0), "person")?;
            on.administers(agency_of(on, id)?)?;
            Ok(entry("person.removed/1", id.0, NewPortion::of(cell, &removed)?))
        }
        Command::AddSeat { seat, name, agency, roles, deputies, markings } => {
            on.administers(agency)?;
            known_agency(on, agency)?;
            may_grant(on, &Clearance::default(), &roles)?;
            let seat = seat.unwrap_or_else(|| SeatId::draw(&mut on.ids));
            if on.register.seats.contains_key(&seat) {
                return Err(conflict("seat-exists", "this seat was added before"));
            }
            let cell = on.cell(markings, agency, None)?;
            let added = SeatAdded { seat, name, agency, roles, deputies };
            Ok(entry("seat.added/1", seat.0, NewPortion::of(cell, &added)?))
        }
        Command::Take(taken) => take(&taken, on),
    }
}

fn take(taken: &Taken, on: &Deciding<'_>) -> Result<Vec<NewEntry>, Fault> {
    let cell = on.base_of(RecordId(taken.seat.0), "person")?;
    let seat = on.register.seats.get(&taken.seat).ok_or_else(Fault::absent)?;
    on.administers(seat.agency)?;
    may_grant(on, &Clearance::default(), &seat.roles)?;
    let privileged = seat.roles.iter().any(|role| PRIVILEGED.contains(&role.as_str()));
    if privileged && taken.person.is_some() && taken.person == on.actor.person {
        return Err(denied("own-rights", "nobody takes a seat with such rights alone"));
    }
    if seat.holder == taken.person {
        return Err(conflict("seat-taken", "the seat is held so already"));
    }
    if let Some(person) = taken.person
        && agency_of(on, person)? != seat.agency
    {
        let detail = "the person is of another agency than the seat";
        return Err(Fault::invalid("person-of-other-agency", detail));
    }
    Ok(entry("seat.taken/1", taken.seat.0, NewPortion::of(cell, taken)?))
}

/// The entry that adds a person, for acts that add one with something else.
///
/// # Errors
/// A bug when the fact cannot be written.
pub fn added(cell: Cell, added: &Added) -> Result<NewEntry, Fault> {
    let portion = NewPortion::of(cell, added)?;
    let entry = NewEntry::new("person.added/1", RecordId(added.person.0), portion);
    Ok(NewEntry { class: LeafClass::Identity, ..entry })
}

/// Whether a person may sit on a seat: of its agency, in service.
///
/// # Errors
/// `absent` when either is unknown; `person-of-other-agency`.
pub fn may_sit(seat: SeatId, person: PersonId, on: &Deciding<'_>) -> Result<(), Fault> {
    let known = on.register.seats.get(&seat).ok_or_else(Fault::absent)?;
    if agency_of(on, person)? == known.agency {
        return Ok(());
    }
    let detail = "the person is of another agency than the seat";
    Err(Fault::invalid("person-of-other-agency", detail))
}

/// The entry by which a person takes a seat, for a capability whose act hands it over.
///
/// # Errors
/// `absent` when the actor may not know of the seat.
pub fn taken(seat: SeatId, person: PersonId, on: &Deciding<'_>) -> Result<NewEntry, Fault> {
    let cell = on.base_of(RecordId(seat.0), "person")?;
    let portion = NewPortion::of(cell, &Taken { seat, person: Some(person) })?;
    let taken = NewEntry::new("seat.taken/1", RecordId(seat.0), portion);
    Ok(NewEntry { class: LeafClass::Identity, ..taken })
}

fn entry(kind: &'static str, record: [u8; 16], portion: NewPortion) -> Vec<NewEntry> {
    let entry = NewEntry::new(kind, RecordId(record), portion);
    vec![NewEntry { class: LeafClass::Identity, ..entry }]
}

/// Roles that only a holder may give on, and never to oneself.
pub const PRIVILEGED: [&str; 5] = ["ADMIN", "CENTRE", "INSPECTOR", "SIGNATORY", "WITNESS"];

fn denied(slug: &'static str, detail: &str) -> Fault {
    Fault::new(base::Kind::Denied, slug, detail)
}

/// Nobody gives what they do not hold: no clearance above their own, no privileged role.
///
/// The first administrators of a node hold next to nothing and have everything to give; whom they
/// give more than they hold is let in by two of them (`second-administrator`).
///
/// # Errors
/// `above-own-clearance` or `role-not-held`.
pub fn may_grant(
    on: &Deciding<'_>,
    clearance: &Clearance,
    roles: &BTreeSet<Token>,
) -> Result<(), Fault> {
    if on.actor.person.is_some_and(|person| on.register.identity.founders.contains(&person)) {
        return Ok(());
    }
    let Some(profile) = on.profile()? else { return Ok(()) };
    may_grant_clearance(on, clearance)?;
    let privileged = roles.iter().filter(|role| PRIVILEGED.contains(&role.as_str()));
    if privileged.into_iter().any(|role| !profile.attributes().roles.contains(role)) {
        return Err(denied("role-not-held", "nobody gives a role that they do not hold"));
    }
    Ok(())
}

/// Whether a clearance lies within the actor's own.
///
/// # Errors
/// `above-own-clearance`.
pub fn may_grant_clearance(on: &Deciding<'_>, clearance: &Clearance) -> Result<(), Fault> {
    let Some(profile) = on.profile()? else { return Ok(()) };
    if !within(clearance, &profile.attributes().clearance) {
        return Err(denied("above-own-clearance", "nobody gives a clearance above their own"));
    }
    Ok(())
}

/// Whether a clearance lies within another.
pub fn within(clearance: &Clearance, held: &Clearance) -> bool {
    let schemes = clearance.schemes.iter().all(|(scheme, given)| {
        held.schemes.get(scheme).is_some_and(|own| {
            own.level >= given.level && own.compartments.is_superset(&given.compartments)
        })
    });
    schemes && held.audiences.is_superset(&clearance.audiences)
}

/// The first two administrators do not raise each other: what they may give is not for them.
fn both_founded(on: &Deciding<'_>, person: PersonId) -> bool {
    let founders = &on.register.identity.founders;
    founders.contains(&person) && on.actor.person.is_some_and(|actor| founders.contains(&actor))
}

fn known_agency(on: &Deciding<'_>, agency: AgencyId) -> Result<(), Fault> {
    if on.register.agencies.contains_key(&agency) {
        Ok(())
    } else {
        Err(Fault::invalid("unknown-agency", format!("no agency `{agency}`")))
    }
}

fn agency_of(on: &Deciding<'_>, person: PersonId) -> Result<AgencyId, Fault> {
    let known = on.register.persons.get(&person).filter(|person| person.active);
    known.map(|person| person.agency).ok_or_else(Fault::absent)
}

fn fold(fact: &Fact<'_>, layer: &mut Layer) {
    match fact.kind {
        "person.added/1" => {
            layer.state = Some("active".to_owned());
            if let Some(added) = fact.read::<Added>() {
                layer.set("name", added.name);
                layer.set("roles", added.roles);
                layer.set("training", added.training);
                layer.set("cleared_until", added.cleared_until);
            }
        }
        "person.cleared/1" => {
            if let Some(cleared) = fact.read::<Cleared>() {
                layer.set("roles", cleared.roles);
                layer.set("training", cleared.training);
                layer.set("cleared_until", cleared.cleared_until);
            }
        }
        "person.removed/1" => layer.state = Some("removed".to_owned()),
        "seat.added/1" => {
            layer.state = Some("empty".to_owned());
            if let Some(added) = fact.read::<SeatAdded>() {
                layer.set("seat", added.name);
                layer.set("roles", added.roles);
                layer.set("deputies", added.deputies);
            }
        }
        _ => {
            if let Some(taken) = fact.read::<Taken>() {
                let state = if taken.person.is_some() { "held" } else { "empty" };
                layer.state = Some(state.to_owned());
                layer.set("holder", taken.person);
            }
        }
    }
}

/// Rights that end are a new boundary: the rules are compiled anew, so that they know of it.
fn ends(cleared_until: Option<Time>, training: &BTreeMap<Token, Time>) -> u64 {
    u64::from(cleared_until.is_some() || !training.is_empty())
}

fn register(fact: &Fact<'_>, register: &mut Register) {
    match fact.kind {
        "person.added/1" => {
            let Some(a) = fact.read::<Added>() else { return };
            register.policy_changes += ends(a.cleared_until, &a.training);
            let person = Person {
                name: a.name.to_string(),
                agency: a.agency,
                clearance: a.clearance,
                cleared_until: a.cleared_until,
                roles: a.roles,
                training: a.training,
                active: true,
            };
            register.persons.insert(a.person, Arc::new(person));
        }
        "person.cleared/1" => {
            let Some(cleared) = fact.read::<Cleared>() else { return };
            register.policy_changes += ends(cleared.cleared_until, &cleared.training);
            if let Some(person) = changed(&mut register.persons, &cleared.person) {
                person.clearance = cleared.clearance;
                person.cleared_until = cleared.cleared_until;
                person.roles = cleared.roles;
                person.training = cleared.training;
            }
        }
        "person.removed/1" => {
            let Some(removed) = fact.read::<Removed>() else { return };
            if let Some(person) = changed(&mut register.persons, &removed.person) {
                person.active = false;
            }
        }
        "seat.added/1" => {
            let Some(a) = fact.read::<SeatAdded>() else { return };
            let seat = Seat {
                name: a.name.to_string(),
                agency: a.agency,
                roles: a.roles,
                holder: None,
                deputies: a.deputies,
            };
            register.seats.insert(a.seat, Arc::new(seat));
        }
        _ => {
            let Some(taken) = fact.read::<Taken>() else { return };
            if let Some(seat) = changed(&mut register.seats, &taken.seat) {
                seat.holder = taken.person;
            }
        }
    }
    register.people_changes += 1;
}
