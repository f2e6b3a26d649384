//! Alerts: a notification that demands an answer, per person and per agency, with a ladder.
//!
//! An alert goes to agencies under a clause that lets them read it; one that no clause lets through
//! is refused with the agency named, for a message without a resolved audience cannot be encoded.
//! Each agency answers for itself: the first acknowledgement silences nobody else. Who stays silent
//! is called rung by rung — deputy, head, centre — until the whole audience has answered.

use std::collections::{BTreeMap, BTreeSet};

use base::{
    AgencyId, CircleId, Line, Marking, NonEmpty, OperationId, PersonId, Place, RecordId, SchemeId,
    SeatId, Text,
};
use policy::Class;
use serde::{Deserialize, Serialize};

use crate::circles;
use crate::kernel::reader::conflict;
use crate::kernel::register::Member;
use crate::kernel::view::Views;
use crate::kernel::{
    Action, Capability, Cell, Deciding, Fact, Fault, Lane, Layer, NewEntry, NewPortion, Timer,
};
use crate::operations;

pub mod http;
mod view;

base::id!(/// An alert.
    AlertId);

/// The capability.
pub const CAPABILITY: Capability = Capability {
    name: "alerts",
    noun: "alert",
    kinds: &["alert.raised/1", "alert.acknowledged/1", "alert.escalated/1", "alert.cancelled/1"],
    actions: &[
        Action {
            name: "alert:raise",
            lane: Lane::Alert,
            class: Class::Own,
            duty: true,
            signed: false,
        },
        Action {
            name: "alert:acknowledge",
            lane: Lane::Alert,
            class: Class::Joint,
            duty: false,
            signed: false,
        },
        Action {
            name: "alert:escalate",
            lane: Lane::Alert,
            class: Class::Own,
            duty: true,
            signed: false,
        },
        Action {
            name: "alert:cancel",
            lane: Lane::Alert,
            class: Class::Own,
            duty: false,
            signed: false,
        },
    ],
    routes: http::ROUTES,
    urgent: true,
    registers: false,
    policy: include_str!("policy.cedar"),
    tables: view::TABLES,
    act,
    fold,
    index,
    register: |_, _| {},
    react: |_| Vec::new(),
};

/// Agencies that one alert may address.
pub const AUDIENCE_MAX: usize = 64;
/// Answers that one alert may offer.
pub const OPTIONS_MAX: usize = 8;
/// Seconds after which the rungs of the ladder are called when nobody says otherwise.
pub const LADDER_S: [u32; 3] = [60, 120, 180];

/// How fast a message must be dealt with (ACP 127).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Precedence {
    Routine,
    Priority,
    Immediate,
    Flash,
}

/// Who is called at a rung of the ladder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rung {
    Deputy,
    Head,
    Centre,
}

impl Rung {
    /// The rungs in the order in which they are called.
    pub const ALL: [Self; 3] = [Self::Deputy, Self::Head, Self::Centre];

    const fn index(self) -> u8 {
        match self {
            Self::Deputy => 0,
            Self::Head => 1,
            Self::Centre => 2,
        }
    }

    const fn next(self) -> Option<Self> {
        match self {
            Self::Deputy => Some(Self::Head),
            Self::Head => Some(Self::Centre),
            Self::Centre => None,
        }
    }
}

/// A text under a higher label than the alert's own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Higher {
    pub markings: BTreeMap<SchemeId, Marking>,
    pub text: Text<8000>,
}

/// Raises an alert.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Raise {
    pub markings: BTreeMap<SchemeId, Marking>,
    pub precedence: Precedence,
    pub title: Line<160>,
    pub text: Text<8000>,
    /// At least one agency; the alert's circle.
    pub audience: NonEmpty<AgencyId>,
    /// Answers to choose from, such as `responding`; at most 8.
    pub options: NonEmpty<Line<40>>,
    pub place: Option<Place>,
    /// Seconds until each rung of the ladder is called, ascending.
    #[serde(default = "default_ladder")]
    pub ladder_s: [u32; 3],
    /// What only the higher cleared may read.
    #[serde(default)]
    pub higher: Vec<Higher>,
    /// The operation that it belongs to: everybody addressed is in it.
    #[serde(default)]
    pub operation: Option<OperationId>,
}

const fn default_ladder() -> [u32; 3] {
    LADDER_S
}

/// Answers an alert for a person and the agency of that person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Acknowledge {
    pub alert: AlertId,
    /// The place of the answer in the alert's list of options, from 0.
    pub option: u8,
    pub note: Option<Text<1000>>,
}

/// Calls a rung of the ladder for every agency that has not answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Escalate {
    pub alert: AlertId,
    pub rung: Rung,
}

/// Cancels an alert.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cancel {
    pub alert: AlertId,
    pub reason: Line<160>,
}

#[derive(Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
enum Command {
    Raise(Box<Raise>),
    Acknowledge(Acknowledge),
    Escalate(Escalate),
    Cancel(Cancel),
}

/// An alert was raised: what everybody of its audience may know.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Raised {
    pub alert: AlertId,
    pub precedence: Precedence,
    pub title: Line<160>,
    pub text: Text<8000>,
    pub audience: NonEmpty<AgencyId>,
    pub options: NonEmpty<Line<40>>,
    pub place: Option<Place>,
    pub ladder_s: [u32; 3],
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<OperationId>,
}

/// The part of an alert that only the higher cleared may read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RaisedHigher {
    pub higher: Text<8000>,
}

/// A person answered, and with that the agency of the person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Acknowledged {
    pub alert: AlertId,
    pub agency: AgencyId,
    pub person: PersonId,
    pub seat: Option<SeatId>,
    pub option: u8,
    pub note: Option<Text<1000>>,
    /// Whether every agency of the audience has answered with this.
    pub complete: bool,
}

/// A rung was called for agencies that are silent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Escalated {
    pub alert: AlertId,
    pub rung: Rung,
    pub silent: NonEmpty<AgencyId>,
    /// The seats that were called; empty when an agency has none for this rung.
    pub called: Vec<SeatId>,
}

/// The alert was cancelled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cancelled {
    pub alert: AlertId,
    pub reason: Line<160>,
}

fn act(command: &[u8], on: &mut Deciding<'_>) -> Result<Vec<NewEntry>, Fault> {
    match on.parse(command)? {
        Command::Raise(asked) => {
            if let Some(operation) = asked.operation {
                let cell = on.cell(asked.markings.clone(), on.actor.agency, None)?;
                operations::covers(operation, &cell.label, asked.audience.as_slice(), on)?;
            }
            raise(*asked, on).map(|(_, entries)| entries)
        }
        Command::Acknowledge(acknowledge) => decide_acknowledge(acknowledge, on),
        Command::Escalate(escalate) => decide_escalate(&escalate, on),
        Command::Cancel(cancel) => {
            let cell = open_alert(cancel.alert, on)?;
            let fact = Cancelled { alert: cancel.alert, reason: cancel.reason };
            Ok(entry("alert.cancelled/1", cancel.alert, NewPortion::of(cell, &fact)?))
        }
    }
}

/// Decides about an alert, for its own command or for a capability whose act raises one; the
/// operation that it names must cover it.
///
/// # Errors
/// `no-clause` with the agency that none lets through, or what the form lacks.
pub fn raise(raise: Raise, on: &mut Deciding<'_>) -> Result<(AlertId, Vec<NewEntry>), Fault> {
    check_lists(&raise)?;
    let alert = AlertId::draw(&mut on.ids);
    let circle = CircleId::draw(&mut on.ids);
    let agency = on.actor.agency;
    let cell = on.cell(raise.markings.clone(), agency, Some(circle))?;
    raise_in(raise, (alert, circle, cell), on).map(|entries| (alert, entries))
}

fn raise_in(
    raise: Raise,
    (alert, circle, cell): (AlertId, CircleId, Cell),
    on: &Deciding<'_>,
) -> Result<Vec<NewEntry>, Fault> {
    let agency = on.actor.agency;
    let mut clauses = BTreeSet::new();
    for recipient in &raise.audience {
        clauses.extend(on.flow(*recipient, "alert:read", &cell.label)?);
    }
    let mut portions = Vec::with_capacity(1 + raise.higher.len());
    let fact = Raised {
        alert,
        precedence: raise.precedence,
        title: raise.title,
        text: raise.text,
        audience: raise.audience.clone(),
        options: raise.options,
        place: raise.place,
        ladder_s: raise.ladder_s,
        operation: raise.operation,
    };
    portions.push(NewPortion::of(cell.clone(), &fact)?);
    for higher in raise.higher {
        let above = on.cell(higher.markings, agency, Some(circle))?;
        if above == cell || !policy::leq(&cell.label, &above.label) {
            return Err(Fault::invalid(
                "label-not-higher",
                "the label of a higher part dominates the label of the alert",
            ));
        }
        portions.push(NewPortion::of(above, &RaisedHigher { higher: higher.text })?);
    }
    let mut members: Vec<Member> = raise.audience.iter().map(|a| Member::Agency(*a)).collect();
    if !raise.audience.iter().any(|a| *a == agency) {
        members.push(Member::Agency(agency));
    }
    let members = NonEmpty::new(members).map_err(Fault::bug)?;
    let purpose = Line::new("alert").map_err(Fault::bug)?;
    // The circle lies within itself: whoever is not in it does not learn that it was formed.
    let formed = circles::form(cell, &circles::Formed { circle, purpose, members })?;
    let raised = NewEntry {
        kind: "alert.raised/1",
        class: ledger::leaf::Class::Act,
        record: RecordId(alert.0),
        portions,
        clauses: clauses.into_iter().collect(),
        valid_at: None,
    };
    Ok(vec![formed, raised])
}

/// Whether answers and ladder have the form that an alert needs.
///
/// # Errors
/// `too-many-options` or `ladder-order`.
pub fn check_form(options: &[Line<40>], ladder_s: [u32; 3]) -> Result<(), Fault> {
    if options.len() > OPTIONS_MAX {
        let detail = format!("an alert offers at most {OPTIONS_MAX} answers");
        return Err(Fault::invalid("too-many-options", detail));
    }
    let [deputy, head, centre] = ladder_s;
    if deputy == 0 || deputy >= head || head >= centre {
        return Err(Fault::invalid("ladder-order", "the rungs are called one after the other"));
    }
    Ok(())
}

fn check_lists(raise: &Raise) -> Result<(), Fault> {
    let audience = raise.audience.as_slice();
    if audience.len() > AUDIENCE_MAX {
        let detail = format!("an alert addresses at most {AUDIENCE_MAX} agencies");
        return Err(Fault::invalid("audience-too-large", detail));
    }
    if audience.iter().collect::<BTreeSet<_>>().len() != audience.len() {
        return Err(Fault::invalid("audience-repeats", "an agency is addressed twice"));
    }
    check_form(raise.options.as_slice(), raise.ladder_s)
}

/// The entry that cancels an alert of one's own, for a capability whose act ends its cause; `None`
/// when it is not open any more.
///
/// # Errors
/// `absent` when the actor may not know of the alert.
pub fn cancel(
    alert: AlertId,
    reason: Line<160>,
    on: &Deciding<'_>,
) -> Result<Option<NewEntry>, Fault> {
    let record = RecordId(alert.0);
    let cell = on.base_of(record, "alert")?;
    let layers = on.views.layers(record)?;
    if layers.iter().any(|layer| layer.columns.state.as_deref() != Some("open")) {
        return Ok(None);
    }
    let portion = NewPortion::of(cell, &Cancelled { alert, reason })?;
    Ok(Some(NewEntry::new("alert.cancelled/1", record, portion)))
}

/// Whether an alert waits for an answer of an agency, and whether a rung of its ladder was called.
///
/// # Errors
/// `absent` when there is none.
pub fn standing(views: Views<'_>, alert: AlertId, agency: AgencyId) -> Result<(bool, bool), Fault> {
    let row = view::load(views, alert)?;
    Ok((row.silent().contains(&agency), row.rung.is_some()))
}

/// The base cell of an alert that is open.
fn open_alert(alert: AlertId, on: &Deciding<'_>) -> Result<Cell, Fault> {
    let record = RecordId(alert.0);
    let cell = on.base_of(record, "alert")?;
    let layers = on.views.layers(record)?;
    if layers.iter().any(|layer| layer.columns.state.as_deref() == Some("cancelled")) {
        return Err(conflict("alert-cancelled", format!("alert `{alert}` was cancelled")));
    }
    Ok(cell)
}

fn decide_acknowledge(
    acknowledge: Acknowledge,
    on: &mut Deciding<'_>,
) -> Result<Vec<NewEntry>, Fault> {
    let cell = open_alert(acknowledge.alert, on)?;
    let Some(person) = on.actor.person else {
        return Err(Fault::invalid("person-needed", "an alert is acknowledged by a person"));
    };
    let agency = on.actor.agency;
    let state = view::load(on.views, acknowledge.alert)?;
    if !state.audience.contains(&agency) {
        return Err(conflict("not-addressed", "the alert does not address your agency"));
    }
    if acknowledge.option >= state.options {
        return Err(Fault::invalid("unknown-option", "the alert does not offer this answer"));
    }
    let silent = state.silent();
    let fact = Acknowledged {
        alert: acknowledge.alert,
        agency,
        person,
        seat: on.actor.seat,
        option: acknowledge.option,
        note: acknowledge.note,
        complete: silent.iter().all(|other| *other == agency),
    };
    Ok(entry("alert.acknowledged/1", acknowledge.alert, NewPortion::of(cell, &fact)?))
}

fn decide_escalate(escalate: &Escalate, on: &Deciding<'_>) -> Result<Vec<NewEntry>, Fault> {
    let cell = open_alert(escalate.alert, on)?;
    let state = view::load(on.views, escalate.alert)?;
    let Ok(silent) = NonEmpty::new(state.silent()) else {
        return Err(conflict("all-answered", "every agency has answered"));
    };
    if state.rung.is_some_and(|called| called >= escalate.rung) {
        return Err(conflict("rung-called", "this rung was called before"));
    }
    let called = silent.iter().flat_map(|a| seats(*a, escalate.rung, on)).collect();
    let fact =
        Escalated { alert: escalate.alert, rung: escalate.rung, silent: silent.clone(), called };
    Ok(entry("alert.escalated/1", escalate.alert, NewPortion::of(cell, &fact)?))
}

/// The seats to call for a silent agency at a rung.
fn seats(agency: AgencyId, rung: Rung, on: &Deciding<'_>) -> Vec<SeatId> {
    let with_role = |agency: AgencyId, role: &str| -> Vec<SeatId> {
        let fits = |s: &crate::kernel::register::Seat| {
            s.agency == agency && s.roles.iter().any(|r| r.as_str() == role)
        };
        on.register.seats.iter().filter(|(_, s)| fits(s)).map(|(id, _)| *id).collect()
    };
    match rung {
        Rung::Deputy => {
            let duty = with_role(agency, "DUTY");
            let deputies = duty.iter().filter_map(|id| on.register.seats.get(id));
            deputies.flat_map(|seat| seat.deputies.iter().copied()).collect()
        }
        Rung::Head => with_role(agency, "HEAD"),
        Rung::Centre => {
            let agencies = on.register.agencies.keys();
            agencies.flat_map(|agency| with_role(*agency, "CENTRE")).collect()
        }
    }
}

fn entry(kind: &'static str, alert: AlertId, portion: NewPortion) -> Vec<NewEntry> {
    vec![NewEntry::new(kind, RecordId(alert.0), portion)]
}

fn fold(fact: &Fact<'_>, layer: &mut Layer) {
    match fact.kind {
        "alert.raised/1" => {
            if let Some(raised) = fact.read::<Raised>() {
                layer.state = Some("open".to_owned());
                layer.place = raised.place;
                layer.operation = raised.operation;
                layer.due_at = Some(fact.acted_at.plus_s(i64::from(raised.ladder_s[0])));
                layer.set("precedence", raised.precedence);
                layer.set("title", raised.title);
                layer.set("text", raised.text);
                layer.set("audience", raised.audience);
                layer.set("options", raised.options);
                layer.set("raised_at", fact.acted_at);
            } else if let Some(higher) = fact.read::<RaisedHigher>() {
                layer.set("text", higher.higher);
            }
        }
        "alert.acknowledged/1" => {
            if let Some(acknowledged) = fact.read::<Acknowledged>() {
                if acknowledged.complete {
                    layer.state = Some("answered".to_owned());
                    layer.due_at = None;
                }
                layer.push("acknowledgements", fact.acted_at, &acknowledged);
            }
        }
        "alert.escalated/1" => {
            if let Some(escalated) = fact.read::<Escalated>() {
                layer.push("escalations", fact.acted_at, &escalated);
            }
        }
        _ => {
            layer.state = Some("cancelled".to_owned());
            layer.due_at = None;
            if let Some(cancelled) = fact.read::<Cancelled>() {
                layer.set("cancelled", cancelled.reason);
            }
        }
    }
}

fn index(fact: &Fact<'_>, views: Views<'_>) -> Result<(), Fault> {
    match fact.kind {
        "alert.raised/1" => {
            let Some(raised) = fact.read::<Raised>() else { return Ok(()) };
            view::add(views, &raised)?;
            set_ladder(fact, views, &raised.ladder_s, Some(Rung::Deputy))
        }
        "alert.acknowledged/1" => {
            let Some(acknowledged) = fact.read::<Acknowledged>() else { return Ok(()) };
            view::answer(views, &acknowledged, fact.acted_at)?;
            if acknowledged.complete {
                return clear_ladder(fact, views);
            }
            Ok(())
        }
        "alert.escalated/1" => {
            let Some(escalated) = fact.read::<Escalated>() else { return Ok(()) };
            view::call(views, &escalated)?;
            // The raising may have been erased; then there is no ladder any more.
            let ladder_s = view::ladder(views, escalated.alert)?;
            ladder_s.map_or(Ok(()), |s| set_ladder(fact, views, &s, escalated.rung.next()))
        }
        _ => clear_ladder(fact, views),
    }
}

fn set_ladder(
    fact: &Fact<'_>,
    views: Views<'_>,
    ladder_s: &[u32; 3],
    rung: Option<Rung>,
) -> Result<(), Fault> {
    let Some(rung) = rung else { return clear_ladder(fact, views) };
    let after = |rung: Rung| ladder_s.get(usize::from(rung.index())).copied().unwrap_or(0);
    // The ladder is counted from the raising; an escalation came `before` seconds after it.
    let before = match rung {
        Rung::Deputy => 0,
        Rung::Head => after(Rung::Deputy),
        Rung::Centre => after(Rung::Head),
    };
    let wait_s = i64::from(after(rung).saturating_sub(before));
    let timer = Timer {
        name: "ladder".to_owned(),
        due_at: Some(fact.acted_at.plus_s(wait_s)),
        action: "alert:escalate".to_owned(),
        command: serde_json::json!({ "do": "escalate", "alert": fact.record, "rung": rung }),
    };
    views.set_timer(fact.record, fact.sequence, &timer)
}

fn clear_ladder(fact: &Fact<'_>, views: Views<'_>) -> Result<(), Fault> {
    let timer = Timer {
        name: "ladder".to_owned(),
        due_at: None,
        action: String::new(),
        command: serde_json::Value::Null,
    };
    views.set_timer(fact.record, fact.sequence, &timer)
}
