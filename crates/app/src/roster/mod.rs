//! The roster: a seat changes hands by the signatures of both, with a brief of what is open.
//!
//! The outgoing officer proposes: the brief names the alerts that are open, those that wait for the
//! agency's answer, and the operations, as far as both may read them; it lies in a circle of the
//! two. The incoming officer signs exactly that brief, and with the same act holds the seat.

use std::collections::BTreeMap;

use base::crypto::Hasher;
use base::{
    CircleId, Digest, Line, Marking, NonEmpty, PersonId, Play, RecordId, SchemeId, SeatId, Text,
};
use ledger::header::{Actor, Purpose};
use policy::Class;
use roaring::RoaringBitmap;
use serde::{Deserialize, Serialize};

use crate::alerts::{self, AlertId};
use crate::kernel::reader::conflict;
use crate::kernel::register::Member;
use crate::kernel::{
    Action, ActorContext, Capability, Deciding, Fact, Fault, Lane, Layer, NewEntry, NewPortion,
};
use crate::{circles, people};

pub mod http;
mod view;

base::id!(/// Names one handover.
    HandoverId);

/// The capability.
pub const CAPABILITY: Capability = Capability {
    name: "roster",
    noun: "handover",
    kinds: &["handover.proposed/1", "handover.signed/1", "handover.withdrawn/1"],
    actions: &[
        act_of("handover:propose", true),
        act_of("handover:sign", true),
        act_of("handover:withdraw", false),
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

/// Both officers sign: with the second signature the seat, and its authority, changes hands.
const fn act_of(name: &'static str, signed: bool) -> Action {
    Action { name, lane: Lane::Alert, class: Class::Own, duty: false, signed }
}

/// LIMIT: records of a kind that a brief looks at, newest first.
const BRIEFED: usize = 200;

/// An alert that is open when the seat changes hands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpenAlert {
    pub alert: AlertId,
    /// Whether it waits for an answer of the agency whose seat it is.
    pub asks: bool,
    /// Whether a rung of its ladder was called.
    pub overdue: bool,
}

/// The outgoing officer proposed to hand the seat over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proposed {
    pub handover: HandoverId,
    pub seat: SeatId,
    pub from: PersonId,
    pub to: PersonId,
    pub alerts: Vec<OpenAlert>,
    pub operations: Vec<RecordId>,
    pub notes: Option<Text<4000>>,
}

impl Proposed {
    /// What the incoming officer signs.
    pub fn digest(&self) -> Digest {
        let text = serde_json::to_vec(self).unwrap_or_default();
        Hasher::new("muster/handover/v1").part(&text).finish()
    }
}

/// The incoming officer signed the brief, and holds the seat.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signed {
    pub handover: HandoverId,
    pub digest: Digest,
}

/// The outgoing officer withdrew the proposal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Withdrawn {
    pub handover: HandoverId,
    pub reason: Line<160>,
}

#[derive(Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
enum Command {
    Propose {
        seat: SeatId,
        to: PersonId,
        markings: BTreeMap<SchemeId, Marking>,
        notes: Option<Text<4000>>,
    },
    Sign(Signed),
    Withdraw(Withdrawn),
}

fn act(command: &[u8], on: &mut Deciding<'_>) -> Result<Vec<NewEntry>, Fault> {
    match on.parse(command)? {
        Command::Propose { seat, to, markings, notes } => propose((seat, to), markings, notes, on),
        Command::Sign(signed) => sign(&signed, on),
        Command::Withdraw(withdrawn) => {
            let record = RecordId(withdrawn.handover.0);
            let cell = on.base_of(record, "handover")?;
            let row = view::load(on.views, record)?;
            open(on, record)?;
            if on.actor.person != Some(row.from) {
                return Err(denied("not-outgoing", "the outgoing officer withdraws a proposal"));
            }
            let portion = NewPortion::of(cell, &withdrawn)?;
            Ok(vec![NewEntry::new("handover.withdrawn/1", record, portion)])
        }
    }
}

fn denied(slug: &'static str, detail: &str) -> Fault {
    Fault::new(base::Kind::Denied, slug, detail)
}

/// Refuses when a handover was signed or withdrawn.
fn open(on: &Deciding<'_>, record: RecordId) -> Result<(), Fault> {
    let layers = on.views.layers(record)?;
    if layers.iter().any(|layer| layer.columns.state.as_deref() == Some("proposed")) {
        return Ok(());
    }
    Err(conflict("handover-over", "the handover was signed or withdrawn"))
}

fn propose(
    (seat, to): (SeatId, PersonId),
    markings: BTreeMap<SchemeId, Marking>,
    notes: Option<Text<4000>>,
    on: &mut Deciding<'_>,
) -> Result<Vec<NewEntry>, Fault> {
    on.base_of(RecordId(seat.0), "person")?;
    let held = on.register.seats.get(&seat).ok_or_else(Fault::absent)?.holder;
    let from = on.actor.person.filter(|person| held == Some(*person));
    let Some(from) = from.filter(|_| on.actor.seat == Some(seat)) else {
        return Err(denied("not-outgoing", "whoever sits on a seat hands it over"));
    };
    if from == to {
        return Err(conflict("seat-taken", "the seat is held so already"));
    }
    people::may_sit(seat, to, on)?;
    let incoming = ActorContext {
        actor: Actor::Person(to),
        person: Some(to),
        seat: Some(seat),
        agency: on.actor.agency,
        session: None,
        authentication: None,
        purpose: Purpose::Protection,
        play: Play::Live,
    };
    let handover = HandoverId::draw(&mut on.ids);
    let circle = CircleId::draw(&mut on.ids);
    let cell = on.cell(markings, on.actor.agency, Some(circle))?;
    if on.policy.may_write(on.register, &incoming, &cell).is_err() {
        let detail = "the incoming officer is not cleared for the label of the brief";
        return Err(denied("incoming-not-cleared", detail));
    }
    let mut alerts = Vec::new();
    for record in open_of("alert", &incoming, on)? {
        let (asks, overdue) = alerts::standing(on.views, AlertId(record.0), on.actor.agency)?;
        alerts.push(OpenAlert { alert: AlertId(record.0), asks, overdue });
    }
    let operations = open_of("operation", &incoming, on)?;
    let fact = Proposed { handover, seat, from, to, alerts, operations, notes };
    let members = NonEmpty::new(vec![Member::Person(from), Member::Person(to)]);
    let formed = circles::Formed {
        circle,
        purpose: Line::new("handover").map_err(Fault::bug)?,
        members: members.map_err(Fault::bug)?,
    };
    let formed = circles::form(cell.clone(), &formed)?;
    let portion = NewPortion::of(cell, &fact)?;
    Ok(vec![formed, NewEntry::new("handover.proposed/1", RecordId(handover.0), portion)])
}

/// The open records of a kind that the outgoing and the incoming officer both may read.
fn open_of(
    noun: &'static str,
    incoming: &ActorContext,
    on: &Deciding<'_>,
) -> Result<Vec<RecordId>, Fault> {
    let cells = |actor: &ActorContext| {
        on.policy.readable(on.register, on.cells, actor, noun, (RoaringBitmap::new(), 0))
    };
    let readable = cells(on.actor) & cells(incoming);
    let mut open = Vec::new();
    for hit in on.views.page(noun, &readable, u64::MAX >> 1, BRIEFED)? {
        let Some(row) = on.views.record(hit.record)? else { continue };
        let layers = on.views.layers(hit.record)?;
        let mut own = layers.iter().filter(|layer| layer.cell == row.base);
        if row.readable(&readable) && own.any(|l| l.columns.state.as_deref() == Some("open")) {
            open.push(hit.record);
        }
    }
    Ok(open)
}

fn sign(signed: &Signed, on: &Deciding<'_>) -> Result<Vec<NewEntry>, Fault> {
    let record = RecordId(signed.handover.0);
    let cell = on.base_of(record, "handover")?;
    let row = view::load(on.views, record)?;
    open(on, record)?;
    if on.actor.person != Some(row.to) {
        return Err(denied("not-incoming", "the incoming officer signs a handover"));
    }
    if row.digest != signed.digest {
        return Err(conflict("other-text", "this is not the brief that was proposed"));
    }
    let holder = on.register.seats.get(&row.seat).and_then(|seat| seat.holder);
    if holder != Some(row.from) {
        return Err(conflict("seat-changed", "the seat has changed hands since it was proposed"));
    }
    people::may_sit(row.seat, row.to, on)?;
    let taken = people::taken(row.seat, row.to, on)?;
    let portion = NewPortion::of(cell, signed)?;
    Ok(vec![taken, NewEntry::new("handover.signed/1", record, portion)])
}

fn fold(fact: &Fact<'_>, layer: &mut Layer) {
    match fact.kind {
        "handover.proposed/1" => {
            layer.state = Some("proposed".to_owned());
            let Some(proposed) = fact.read::<Proposed>() else { return };
            layer.set("digest", proposed.digest());
            layer.set("seat", proposed.seat);
            layer.set("from", proposed.from);
            layer.set("to", proposed.to);
            layer.set("alerts", proposed.alerts);
            layer.set("operations", proposed.operations);
            layer.set("notes", proposed.notes);
            layer.set("proposed_at", fact.acted_at);
        }
        "handover.signed/1" => {
            layer.state = Some("signed".to_owned());
            if let Some(signed) = fact.read::<Signed>() {
                layer.set("signed", signed.digest);
                layer.set("signed_at", fact.acted_at);
            }
        }
        _ => {
            layer.state = Some("withdrawn".to_owned());
            if let Some(withdrawn) = fact.read::<Withdrawn>() {
                layer.set("withdrawn", withdrawn.reason);
            }
        }
    }
}
