//! Operations: agencies that act together on one incident, in a circle of their own.
//!
//! What an operation holds is read by the agencies that are in it, under the clauses that let it
//! reach them: who joins reads all of it, who leaves reads nothing of it from that entry on. Its
//! roles name seats, so that a change of watch changes who fills them.

use std::collections::{BTreeMap, BTreeSet};

use base::{
    AgencyId, CircleId, ClauseId, Label, Line, Marking, NonEmpty, OperationId, PersonId, Place,
    RecordId, SchemeId, SeatId, Text, Token,
};
use policy::Class;
use serde::{Deserialize, Serialize};

use crate::circles;
use crate::kernel::reader::conflict;
use crate::kernel::register::{Member, Register};
use crate::kernel::{
    Action, Capability, Cell, Deciding, Fact, Fault, Lane, Layer, NewEntry, NewPortion,
};

mod decide;
pub mod http;
mod view;

pub use decide::{assign, covers, join, open, open_cell, sitting};

/// The capability.
pub const CAPABILITY: Capability = Capability {
    name: "operations",
    noun: "operation",
    kinds: &[
        "operation.opened/1",
        "operation.joined/1",
        "operation.left/1",
        "operation.assigned/1",
        "operation.set/1",
        "operation.noted/1",
        "operation.closed/1",
    ],
    actions: &[
        act_of("operation:open", Lane::Alert, Class::Own),
        act_of("operation:join", Lane::Alert, Class::Own),
        act_of("operation:leave", Lane::Alert, Class::Joint),
        act_of("operation:assign", Lane::Alert, Class::Own),
        act_of("operation:set", Lane::Normal, Class::Own),
        act_of("operation:note", Lane::Normal, Class::Joint),
        act_of("operation:close", Lane::Normal, Class::Own),
    ],
    routes: http::ROUTES,
    urgent: true,
    registers: false,
    policy: include_str!("policy.cedar"),
    tables: view::TABLES,
    act,
    fold,
    index: view::index,
    register: |_, _| {},
    react: |_| Vec::new(),
};

const fn act_of(name: &'static str, lane: Lane, class: Class) -> Action {
    Action { name, lane, class, duty: false, signed: false }
}

/// Agencies in one operation.
pub const AGENCIES_MAX: usize = 64;
/// Roles of one operation.
pub const ROLES_MAX: usize = 64;
/// Objectives of one operation.
pub const OBJECTIVES_MAX: usize = 16;
/// Lines of the log of one operation: each is read anew when the operation is opened.
pub const NOTES_MAX: u32 = 4000;

/// A role of an operation: the seat that fills it, and who sat there when it was filled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Role {
    pub name: Line<60>,
    pub seat: Option<SeatId>,
    /// Absent when nobody sat there: a gap.
    pub person: Option<PersonId>,
}

/// A role as it is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    pub name: Line<60>,
    pub seat: Option<SeatId>,
}

/// Opens an operation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Open {
    pub markings: BTreeMap<SchemeId, Marking>,
    pub title: Line<160>,
    /// What it is about, as a code: `MAJOR-INCIDENT`.
    pub incident: Option<Token>,
    pub place: Option<Place>,
    pub phase: Option<Line<60>>,
    #[serde(default)]
    pub objectives: Vec<Line<160>>,
    /// At most 64; the agency that opens it is in it always.
    #[serde(default)]
    pub agencies: Vec<AgencyId>,
    #[serde(default)]
    pub roles: Vec<Wanted>,
}

/// An operation was opened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Opened {
    pub operation: OperationId,
    pub title: Line<160>,
    pub incident: Option<Token>,
    /// The declaration that opened it; everybody of its circle may know of it.
    pub declaration: Option<RecordId>,
    pub place: Option<Place>,
    pub phase: Line<60>,
    pub objectives: Vec<Line<160>>,
    pub agencies: NonEmpty<AgencyId>,
    pub roles: Vec<Role>,
}

/// Agencies joined, or left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Moved {
    pub operation: OperationId,
    pub agencies: NonEmpty<AgencyId>,
    pub reason: Option<Line<160>>,
}

/// Roles were given to seats, or taken from them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Assigned {
    pub operation: OperationId,
    pub roles: NonEmpty<Role>,
}

/// What the operation is after was set anew; what is absent stays.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Set {
    pub operation: OperationId,
    pub title: Option<Line<160>>,
    pub phase: Option<Line<60>>,
    pub place: Option<Place>,
    pub objectives: Option<Vec<Line<160>>>,
}

/// A line of the operation's log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Noted {
    pub operation: OperationId,
    pub text: Text<4000>,
    pub agency: AgencyId,
    pub person: Option<PersonId>,
    pub seat: Option<SeatId>,
}

/// An operation was closed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Closed {
    pub operation: OperationId,
    pub reason: Line<160>,
}

#[derive(Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
enum Command {
    Open(Box<Open>),
    Join {
        operation: OperationId,
        agencies: NonEmpty<AgencyId>,
    },
    Leave {
        operation: OperationId,
        /// Absent for one's own agency.
        agency: Option<AgencyId>,
        reason: Option<Line<160>>,
    },
    Assign {
        operation: OperationId,
        roles: NonEmpty<Wanted>,
    },
    Set(Set),
    Note {
        operation: OperationId,
        text: Text<4000>,
        /// Absent for the label of the operation; joined with it otherwise.
        markings: Option<BTreeMap<SchemeId, Marking>>,
    },
    Close(Closed),
}

fn act(command: &[u8], on: &mut Deciding<'_>) -> Result<Vec<NewEntry>, Fault> {
    match on.parse(command)? {
        Command::Open(asked) => decide::decide_open(*asked, on),
        Command::Join { operation, agencies } => decide::decide_join(operation, &agencies, on),
        Command::Leave { operation, agency, reason } => {
            decide::decide_leave(operation, agency, reason, on)
        }
        Command::Assign { operation, roles } => {
            let roles = roles.as_slice();
            decide::decide_assign(operation, roles, on)
        }
        Command::Set(set) => decide::decide_set(set, on),
        Command::Note { operation, text, markings } => {
            decide::decide_note(operation, text, markings, on)
        }
        Command::Close(closed) => {
            let cell = decide::open_cell(closed.operation, on)?;
            let record = RecordId(closed.operation.0);
            let portion = NewPortion::of(cell, &closed)?;
            Ok(vec![NewEntry::new("operation.closed/1", record, portion)])
        }
    }
}

fn fold(fact: &Fact<'_>, layer: &mut Layer) {
    layer.operation = Some(OperationId(fact.record.0));
    match fact.kind {
        "operation.opened/1" => {
            layer.state = Some("open".to_owned());
            let Some(opened) = fact.read::<Opened>() else { return };
            layer.place = opened.place;
            layer.set("title", opened.title);
            layer.set("incident", opened.incident);
            layer.set("declaration", opened.declaration);
            layer.set("phase", opened.phase);
            layer.set("objectives", opened.objectives);
            layer.set("agencies", opened.agencies);
            layer.set("roles", opened.roles);
            layer.set("opened_at", fact.acted_at);
        }
        "operation.joined/1" | "operation.left/1" => {
            let Some(moved) = fact.read::<Moved>() else { return };
            fold_moved(fact.kind == "operation.joined/1", &moved, layer);
            let list = if fact.kind == "operation.joined/1" { "joined" } else { "left" };
            layer.push(list, fact.acted_at, &moved);
        }
        "operation.assigned/1" => {
            let Some(assigned) = fact.read::<Assigned>() else { return };
            fold_assigned(assigned, layer);
        }
        "operation.set/1" => {
            let Some(set) = fact.read::<Set>() else { return };
            layer.place = set.place.or(layer.place);
            let mut each = |field: &str, value: Option<serde_json::Value>| {
                if let Some(value) = value {
                    layer.set(field, value);
                }
            };
            each("title", set.title.and_then(|v| serde_json::to_value(v).ok()));
            each("phase", set.phase.and_then(|v| serde_json::to_value(v).ok()));
            each("objectives", set.objectives.and_then(|v| serde_json::to_value(v).ok()));
        }
        "operation.noted/1" => {
            if let Some(noted) = fact.read::<Noted>() {
                layer.push("notes", fact.acted_at, &noted);
            }
        }
        _ => {
            layer.state = Some("closed".to_owned());
            if let Some(closed) = fact.read::<Closed>() {
                layer.set("closed", closed.reason);
                layer.set("closed_at", fact.acted_at);
            }
        }
    }
}

fn fold_moved(joined: bool, moved: &Moved, layer: &mut Layer) {
    let before = layer.body.remove("agencies").and_then(|a| serde_json::from_value(a).ok());
    let mut agencies: Vec<AgencyId> = before.unwrap_or_default();
    agencies.retain(|agency| !moved.agencies.iter().any(|moved| moved == agency));
    if joined {
        agencies.extend(moved.agencies.iter().copied());
    }
    layer.set("agencies", agencies);
}

fn fold_assigned(assigned: Assigned, layer: &mut Layer) {
    let before = layer.body.remove("roles").and_then(|r| serde_json::from_value(r).ok());
    let mut roles: Vec<Role> = before.unwrap_or_default();
    for role in &assigned.roles {
        match roles.iter_mut().find(|known| known.name == role.name) {
            Some(known) => known.clone_from(role),
            None => roles.push(role.clone()),
        }
    }
    layer.set("roles", roles);
}
