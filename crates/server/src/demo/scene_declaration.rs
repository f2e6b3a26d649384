//! A scene: the duty officer declares a major incident, and what the plan demands is done at once.

use std::collections::{BTreeMap, BTreeSet};

use app::kernel::{Fault, Rendition};
use base::{AgencyId, Label, Level, Marking, Place, Play, RecordId, SchemeId, Token};
use ledger::header::Purpose;
use serde_json::{Value, json};

use super::cast::Cast;
use super::founding::marking;
use super::screens::shows;
use super::stage::{REACHED_MS_MAX, Stage, list, list_of};
use super::world::Declaration;

/// What was declared, with what came out of it.
#[derive(Clone, Copy)]
pub struct Incident {
    pub declaration: RecordId,
    pub alert: RecordId,
    pub operation: RecordId,
}

impl Incident {
    /// Its records with their kinds.
    pub const fn records(self) -> [(&'static str, RecordId); 3] {
        let Self { declaration, alert, operation } = self;
        [("alert", alert), ("declaration", declaration), ("operation", operation)]
    }
}

/// Performs the scene: declares at the place of a report.
///
/// # Errors
/// What an act was refused with that must not be.
pub fn perform(stage: &mut Stage<'_>, place: Option<Place>) -> Result<Incident, Fault> {
    let (cast, scene) = (stage.cast, &stage.world.play.declaration);
    let plan = plan(cast, scene)?;
    reached(stage)?;
    // Nobody sits on one of the seats: its role is a gap.
    let (gap, relief) = (cast.founded().seat(&scene.gap), cast.holder(&scene.gap)?);
    take(cast, scene, &json!({ "do": "take", "seat": gap, "person": null }))?;
    let incident = declare(stage, plan, place)?;
    let seen = cast.read(&scene.seat, "declaration", incident.declaration)?;
    let waits = |seen: &Rendition| {
        let duties = list(seen, "duties");
        let role = duties.into_iter().find(|duty| duty.get("seat") == Some(&json!(gap)));
        role.and_then(|role| role.get("person").cloned())
    };
    let open = waits(&seen) == Some(Value::Null);
    stage.record.expect("a role whose seat is empty is a gap", open);
    take(cast, scene, &json!({ "do": "take", "seat": gap, "person": relief }))?;
    let perform = json!({ "do": "perform", "declaration": incident.declaration });
    cast.act(&scene.seat, "declaration:perform", &perform)?;
    let seen = cast.read(&scene.seat, "declaration", incident.declaration)?;
    let filled = waits(&seen) == Some(json!(relief));
    stage.record.expect("the gap is filled once somebody sits there", filled);
    roles(stage, incident)?;
    clocks(stage, incident, &seen)?;
    Ok(incident)
}

fn take(cast: &Cast, scene: &Declaration, command: &Value) -> Result<(), Fault> {
    cast.act(&scene.head, "seat:take", command).map(drop)
}

/// Stands down what an earlier performance declared, and closes its operation.
///
/// # Errors
/// What an act was refused with.
pub fn stand_down(cast: &Cast, scene: &Declaration) -> Result<(), Fault> {
    let actor = cast.actor(&scene.seat)?;
    let reader = app::kernel::Reader::new(cast.node(), actor);
    for before in reader.list("declaration", None, 50)?.items {
        if before.state.as_deref() != Some("declared") {
            continue;
        }
        let end = json!({ "do": "end", "declaration": before.id, "reason": scene.stood_down });
        cast.act(&scene.seat, "declaration:end", &end)?;
        let close =
            json!({ "do": "close", "operation": before.operation, "reason": scene.stood_down });
        cast.act(&scene.seat, "operation:close", &close)?;
    }
    Ok(())
}

/// The plan of the agency; made by its head at the first performance.
fn plan(cast: &Cast, scene: &Declaration) -> Result<RecordId, Fault> {
    let reader = app::kernel::Reader::new(cast.node(), cast.actor(&scene.head)?);
    let plans = reader.list("plan", None, 50)?.items;
    let ours = |plan: &&Rendition| {
        let body = plan.layers.first().map(|layer| &layer.body);
        plan.state.as_deref() == Some("in_force")
            && body.and_then(|body| body.get("name")) == Some(&json!(scene.name))
    };
    if let Some(plan) = plans.iter().find(ours) {
        return Ok(plan.id);
    }
    let founded = cast.founded();
    let obliged: Vec<Value> = scene
        .obliged
        .iter()
        .map(|one| {
            let (agency, by) = (founded.agency(&one.agency), founded.agreement(&one.by));
            json!({ "agency": agency, "agreement": by })
        })
        .collect();
    let roles: Vec<Value> = scene
        .roles
        .iter()
        .map(|role| json!({ "name": role.name, "seat": founded.seat(&role.seat) }))
        .collect();
    let markings = marking(scene.level, &BTreeSet::new());
    let content = json!({
        "name": scene.name, "incident": scene.incident, "incident_markings": markings,
        "precedence": scene.precedence, "text": scene.text, "options": scene.options,
        "ladder_s": scene.ladder_s, "obliged": obliged, "roles": roles,
        "objectives": scene.objectives
    });
    let make = json!({ "do": "make", "content": content, "markings": markings });
    Ok(cast.act(&scene.head, "plan:make", &make)?.record)
}

fn national(level: u8) -> Result<BTreeMap<SchemeId, Marking>, Fault> {
    let scheme = SchemeId(Token::new("NAT").map_err(Fault::bug)?);
    let marking = Marking { level: Level(level), ..Marking::default() };
    Ok(BTreeMap::from([(scheme, marking)]))
}

/// Expects that the clauses reach those whom the scene alerts, and nobody else.
fn reached(stage: &mut Stage<'_>) -> Result<(), Fault> {
    let (cast, scene) = (stage.cast, &stage.world.play.declaration);
    let own = stage.code(&scene.seat).to_owned();
    let from = cast.founded().agency(&own);
    let label = Label::new(national(scene.level)?, BTreeSet::from([from]), Play::Live)
        .map_err(Fault::bug)?;
    let core = cast.node().core();
    let flows = |agency: AgencyId| {
        let (policy, register) = (&core.policy, &core.register);
        policy.flow(register, agency, "alert:read", &label, Purpose::Protection).is_ok()
    };
    let others = stage.world.agencies.iter().map(|agency| &agency.code);
    let others = others.filter(|code| **code != own);
    let reached: BTreeSet<&String> =
        others.filter(|code| flows(cast.founded().agency(code))).collect();
    let as_written = reached == scene.alerted().collect();
    let codes: Vec<&str> = reached.iter().map(|code| code.as_str()).collect();
    stage.record.expect(format!("{own} reaches {}, nobody else", codes.join(" ")), as_written);
    Ok(())
}

/// Declares, and looks at the open screen of every agency that a clause reaches.
fn declare(stage: &mut Stage<'_>, plan: RecordId, place: Option<Place>) -> Result<Incident, Fault> {
    let (cast, scene) = (stage.cast, &stage.world.play.declaration);
    let own = stage.code(&scene.seat).to_owned();
    let command = json!({
        "do": "declare", "plan": plan, "title": scene.title, "text": scene.words, "place": place
    });
    let from = cast.node().now();
    let done = stage.hand_off(format!("{own} declares"), Some(0), |cast| {
        cast.act(&scene.seat, "declaration:declare", &command)
    })?;
    let seen = cast.read(&scene.seat, "declaration", done.record)?;
    let alert = list(&seen, "alerts").first().and_then(|id| id.as_str()?.parse().ok());
    let alert = alert.ok_or_else(|| Fault::bug("the declaration raised no alert"))?;
    let operation = seen.operation.map(|operation| RecordId(operation.0));
    let operation = operation.ok_or_else(|| Fault::bug("the declaration opened no operation"))?;
    let incident = Incident { declaration: done.record, alert, operation };
    let codes: Vec<&str> = scene.alerted().map(String::as_str).collect();
    let mut whole: BTreeMap<String, (usize, i64)> = BTreeMap::new();
    for (noun, id) in incident.records() {
        for (code, ms) in stage.screens.since(from, &codes, |frame| shows(frame, noun, id)) {
            let (kinds, last) = whole.entry(code).or_default();
            (*kinds, *last) = (*kinds + 1, ms.max(*last));
        }
    }
    whole.retain(|_, (kinds, _)| *kinds == incident.records().len());
    for (code, (_, ms)) in &whole {
        stage.note(format!("alert, clock, operation on the screen of {code}"), None, *ms);
    }
    let last = whole.values().map(|(_, ms)| *ms).max().unwrap_or_default();
    stage.note("declaration to the last obliged screen", None, last);
    let all = whole.len() == codes.len();
    stage.record.expect("every obliged agency is alerted and sees the clock", all);
    stage.record.expect("within a second of real time", all && last <= REACHED_MS_MAX);
    stage.record.counted.alerts += 1;
    refused(stage, &seen, incident)?;
    let alert = cast.read(&scene.seat, "alert", incident.alert)?;
    let here = place.is_some() && alert.place == place && seen.place == place;
    stage.record.expect("it stands at the place of the report", here);
    let linked = alert.operation == seen.operation;
    stage.record.expect("its alert leads to the operation", linked);
    Ok(incident)
}

/// Expects that those whom no clause reaches are named to whoever declared, and learn nothing.
fn refused(stage: &mut Stage<'_>, seen: &Rendition, incident: Incident) -> Result<(), Fault> {
    let scene = &stage.world.play.declaration;
    let refused: Vec<Value> = list_of(seen, 1, "refused");
    let as_written = refused.len() == scene.unreached.len();
    stage.record.expect("no other duty is refused", as_written);
    for code in &scene.unreached {
        let agency = json!(stage.cast.founded().agency(code));
        let named = refused.iter().any(|refused| {
            refused.get("duty").and_then(|duty| duty.get("agency")) == Some(&agency)
                && refused.get("reason") == Some(&json!("no-clause"))
        });
        let what = format!("{code} is obliged and no clause reaches it: it is named");
        stage.record.expect(what, named);
        stage.record.counted.refusals += u32::from(named);
        let desk = stage.world.with_role(code, "DUTY").map_err(Fault::bug)?;
        let mut shown = false;
        for record in incident.records() {
            stage.absent(&desk.id, record, "no clause");
            shown |= stage.screens.ever(code, |frame| shows(frame, record.0, record.1));
        }
        stage.record.expect(format!("nothing of it comes to the open screen of {code}"), !shown);
    }
    Ok(())
}

/// Expects that every role is filled by who sits on its seat now.
fn roles(stage: &mut Stage<'_>, incident: Incident) -> Result<(), Fault> {
    let scene = &stage.world.play.declaration;
    let seen = stage.cast.read(&scene.seat, "operation", incident.operation)?;
    let given = list(&seen, "roles");
    let mut filled = given.len() == scene.roles.len();
    for role in &scene.roles {
        let holder = json!(stage.cast.holder(&role.seat)?);
        let of = given.iter().find(|given| given.get("name") == Some(&json!(role.name)));
        filled &= of.and_then(|given| given.get("person")) == Some(&holder);
    }
    stage.record.expect("every role of the operation is filled from who sits now", filled);
    Ok(())
}

/// Expects that every partner sees the clock and the duties, not what was refused to others.
fn clocks(stage: &mut Stage<'_>, incident: Incident, own: &Rendition) -> Result<(), Fault> {
    let scene = &stage.world.play.declaration;
    let duties = list(own, "duties").len();
    let (mut whole, mut layers) = (true, 0);
    for code in scene.alerted() {
        let desk = stage.world.with_role(code, "DUTY").map_err(Fault::bug)?;
        let seen = stage.cast.read(&desk.id, "declaration", incident.declaration)?;
        let clock = seen.layers.first().and_then(|layer| layer.body.get("declared_at"));
        whole &= clock.is_some() && list(&seen, "duties").len() == duties;
        layers = layers.max(seen.layers.len());
    }
    stage.record.expect("every partner sees the clock and every duty that is done", whole);
    stage.record.expect("no partner sees what was refused to others", layers == 1);
    Ok(())
}

fn note(operation: RecordId, text: &str, markings: &Value) -> Value {
    json!({ "do": "note", "operation": operation, "text": text, "markings": markings })
}

/// A partner writes in the log of the operation, and the police a line for those who are cleared.
///
/// # Errors
/// What an act was refused with that must not be.
pub fn log(stage: &mut Stage<'_>, incident: Incident) -> Result<(), Fault> {
    let scene = &stage.world.play.declaration;
    let operation = incident.operation;
    let desk = stage.world.with_role(&scene.partner, "DUTY").map_err(Fault::bug)?;
    stage.cast.act(&desk.id, "operation:note", &note(operation, &scene.note, &Value::Null))?;
    let seen = stage.cast.read(&scene.seat, "operation", operation)?;
    let written = list(&seen, "notes").len() == 1;
    stage.record.expect("a partner writes in the log of the operation", written);
    let above = marking(scene.higher_level, &scene.higher_codes);
    let higher = note(operation, &scene.higher, &above);
    let from = stage.cast.node().now();
    stage.cast.act(&scene.seat, "operation:note", &higher)?;
    let answers = &stage.world.play.answers;
    let of = |layers: usize| -> Vec<&str> {
        let seats = answers.iter().filter(|answer| answer.layers == layers);
        seats.filter_map(|answer| Some(stage.world.seat(&answer.seat)?.0.code.as_str())).collect()
    };
    let (cleared, others) = (of(2), of(1));
    let has_it = |frame: &Value| frame.to_string().contains(&scene.higher);
    let got = stage.screens.since(from, &cleared, has_it);
    let last = got.iter().map(|(_, ms)| *ms).max().unwrap_or_default();
    let what = format!("a line of the log above its label reaches {}", cleared.join(" "));
    stage.record.expect(what, got.len() == cleared.len() && last <= REACHED_MS_MAX);
    stage.note("a higher line to the last cleared screen", None, last);
    let leaked = others.iter().any(|code| stage.screens.ever(code, has_it));
    stage.record.expect(format!("and no screen of {}", others.join(" ")), !leaked);
    for answer in answers {
        let seen = stage.cast.read(&answer.seat, "operation", operation)?;
        let (layers, code) = (answer.layers, stage.code(&answer.seat).to_owned());
        let what = format!("{code} reads {layers} of the 2 parts of the operation");
        stage.record.expect(what, seen.layers.len() == layers);
    }
    Ok(())
}
