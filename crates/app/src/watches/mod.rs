//! Watches: who will sit on a seat from when to when, planned ahead by its agency.
//!
//! A watch says who is expected; it gives no rights. A seat changes hands by a handover, or is
//! taken, and whoever sits there acts. A watch without a person is a gap that still can be filled.

use std::collections::BTreeMap;

use base::{Kind, Line, Marking, PersonId, RecordId, SchemeId, SeatId, Time};
use policy::Class;
use serde::{Deserialize, Serialize};

use crate::kernel::reader::conflict;
use crate::kernel::{Action, Capability, Deciding, Fact, Fault, Lane, Layer, NewEntry, NewPortion};
use crate::people;

pub mod http;

base::id!(/// Names one watch.
    WatchId);

/// The capability.
pub const CAPABILITY: Capability = Capability {
    name: "watches",
    noun: "watch",
    kinds: &["watch.planned/1", "watch.cancelled/1"],
    actions: &[act_of("watch:plan"), act_of("watch:cancel")],
    routes: http::ROUTES,
    urgent: false,
    registers: false,
    policy: include_str!("policy.cedar"),
    tables: "",
    act,
    fold,
    index: |_, _| Ok(()),
    register: |_, _| {},
    react: |_| Vec::new(),
};

const fn act_of(name: &'static str) -> Action {
    Action { name, lane: Lane::Normal, class: Class::Own, duty: false, signed: false }
}

/// LIMIT: days that one watch lasts.
pub const DAYS_MAX: i64 = 31;
const DAY_MS: i64 = 24 * 3600 * 1000;

/// What a caller asks; the path of the route may fill a field.
#[derive(Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
enum Command {
    Plan {
        seat: SeatId,
        person: Option<PersonId>,
        starts_at: Time,
        ends_at: Time,
        markings: BTreeMap<SchemeId, Marking>,
    },
    Cancel(Cancelled),
}

/// A watch was planned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Planned {
    pub watch: WatchId,
    pub seat: SeatId,
    /// Absent while nobody is named: a gap.
    pub person: Option<PersonId>,
    /// In the time of the play, as all times that people plan by.
    pub starts_at: Time,
    pub ends_at: Time,
}

/// A watch was cancelled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cancelled {
    pub watch: WatchId,
    pub reason: Line<160>,
}

fn act(command: &[u8], on: &mut Deciding<'_>) -> Result<Vec<NewEntry>, Fault> {
    match on.parse(command)? {
        Command::Plan { seat, person, starts_at, ends_at, markings } => {
            let watch = WatchId::draw(&mut on.ids);
            let planned = Planned { watch, seat, person, starts_at, ends_at };
            check(&planned, on)?;
            let cell = on.cell(markings, on.actor.agency, None)?;
            let portion = NewPortion::of(cell, &planned)?;
            Ok(vec![NewEntry::new("watch.planned/1", RecordId(watch.0), portion)])
        }
        Command::Cancel(cancelled) => {
            let record = RecordId(cancelled.watch.0);
            let cell = on.base_of(record, "watch")?;
            let layers = on.views.layers(record)?;
            if layers.iter().any(|layer| layer.columns.state.as_deref() == Some("cancelled")) {
                return Err(conflict("watch-cancelled", "the watch was cancelled"));
            }
            let portion = NewPortion::of(cell, &cancelled)?;
            Ok(vec![NewEntry::new("watch.cancelled/1", record, portion)])
        }
    }
}

fn check(planned: &Planned, on: &Deciding<'_>) -> Result<(), Fault> {
    on.base_of(RecordId(planned.seat.0), "person")?;
    let seat = on.register.seats.get(&planned.seat).ok_or_else(Fault::absent)?;
    if seat.agency != on.actor.agency {
        let detail = "watches are planned on seats of one's own agency";
        return Err(Fault::new(Kind::Denied, "other-agency", detail));
    }
    if let Some(person) = planned.person {
        on.base_of(RecordId(person.0), "person")?;
        people::may_sit(planned.seat, person, on)?;
    }
    let lasts_ms = planned.ends_at.ms_since(planned.starts_at);
    if lasts_ms <= 0 || lasts_ms > DAYS_MAX * DAY_MS || planned.ends_at <= on.at {
        let detail = format!(
            "a watch ends after it starts and after now, and lasts at most {DAYS_MAX} days"
        );
        return Err(Fault::invalid("watch-times", detail));
    }
    Ok(())
}

fn fold(fact: &Fact<'_>, layer: &mut Layer) {
    if fact.kind == "watch.cancelled/1" {
        layer.state = Some("cancelled".to_owned());
        if let Some(cancelled) = fact.read::<Cancelled>() {
            layer.set("cancelled", cancelled.reason);
        }
        return;
    }
    layer.state = Some("planned".to_owned());
    if let Some(planned) = fact.read::<Planned>() {
        layer.set("seat", planned.seat);
        layer.set("person", planned.person);
        layer.set("starts_at", planned.starts_at);
        layer.set("ends_at", planned.ends_at);
    }
}
