//! A scene: the duty officer declares a major incident, and what the plan demands is done at once.

use app::kernel::{Fault, Rendition};
use base::{PersonId, RecordId, Time};
use serde_json::{Value, json};

use super::cast::Cast;
use super::founding::marking;
use super::record::{Handoff, Record};
use super::world::{Declaration, World};

/// LIMIT: real time from the declaration to the screen of every obliged agency.
const REACHED_MS_MAX: i64 = 1000;

/// Performs the scene.
///
/// # Errors
/// What an act was refused with that must not be.
pub fn perform(
    cast: &Cast,
    world: &World,
    (began, record): (Time, &mut Record),
) -> Result<(), Fault> {
    let scene = &world.play.declaration;
    stand_down(cast, scene)?;
    let plan = plan(cast, world, scene)?;
    // Nobody sits on one of the seats: its role is a gap.
    let (gap, relief) = (cast.founded().seat(&scene.gap), cast.holder(&scene.gap)?);
    take(cast, scene, &json!({ "do": "take", "seat": gap, "person": null }))?;
    let declared = declare(cast, world, scene, (plan, began, record))?;
    let seen = cast.read(&scene.seat, "declaration", declared)?;
    let waits = |seen: &Rendition| {
        let duties = list(seen, 0, "duties");
        let role = duties.into_iter().find(|duty| duty.get("seat") == Some(&json!(gap)));
        role.and_then(|role| role.get("person").cloned())
    };
    record.expect("a role whose seat is empty is a gap", waits(&seen) == Some(Value::Null));
    take(cast, scene, &json!({ "do": "take", "seat": gap, "person": relief }))?;
    let perform = json!({ "do": "perform", "declaration": declared });
    cast.act(&scene.seat, "declaration:perform", &perform)?;
    let seen = cast.read(&scene.seat, "declaration", declared)?;
    let filled = waits(&seen) == Some(json!(relief));
    record.expect("the gap is filled once somebody sits there", filled);
    partners(cast, world, scene, (&seen, record))
}

fn list(rendition: &Rendition, layer: usize, field: &str) -> Vec<Value> {
    let body = rendition.layers.get(layer).map(|layer| &layer.body);
    body.and_then(|body| body.get(field)?.as_array().cloned()).unwrap_or_default()
}

fn take(cast: &Cast, scene: &Declaration, command: &Value) -> Result<(), Fault> {
    cast.act(&scene.head, "seat:take", command).map(drop)
}

/// Stands down what an earlier performance declared, and closes its operation.
fn stand_down(cast: &Cast, scene: &Declaration) -> Result<(), Fault> {
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
fn plan(cast: &Cast, world: &World, scene: &Declaration) -> Result<RecordId, Fault> {
    let reader = app::kernel::Reader::new(cast.node(), cast.actor(&scene.head)?);
    if let Some(plan) = reader.list("plan", None, 1)?.items.first() {
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
    let alert = &world.play.alert;
    let markings = marking(alert.level, &std::collections::BTreeSet::new());
    let content = json!({
        "name": scene.name, "incident": scene.incident, "incident_markings": markings,
        "precedence": alert.precedence, "text": scene.text, "options": alert.options,
        "ladder_s": [600, 1200, 1800], "obliged": obliged, "roles": roles,
        "objectives": scene.objectives
    });
    let make = json!({ "do": "make", "content": content, "markings": markings });
    Ok(cast.act(&scene.head, "plan:make", &make)?.record)
}

/// Declares, and looks at the alert from the desk of every agency that a clause reaches.
fn declare(
    cast: &Cast,
    world: &World,
    scene: &Declaration,
    (plan, began, record): (RecordId, Time, &mut Record),
) -> Result<RecordId, Fault> {
    let command = json!({
        "do": "declare", "plan": plan, "title": scene.title, "text": scene.words,
        "place": world.place(&world.play.alert.place).map_err(Fault::bug)?
    });
    let node = cast.node();
    let from = node.now();
    let declared = cast.act(&scene.seat, "declaration:declare", &command)?.record;
    let seen = cast.read(&scene.seat, "declaration", declared)?;
    let alert = list(&seen, 0, "alerts").first().and_then(|id| id.as_str()?.parse().ok());
    let alert: RecordId = alert.ok_or_else(|| Fault::bug("the declaration raised no alert"))?;
    let mut everybody = true;
    let mut answered = 0;
    for one in scene.obliged.iter().filter(|one| !scene.unreached.contains(&one.agency)) {
        let desk = world.with_role(&one.agency, "DUTY").map_err(Fault::bug)?;
        everybody &= cast.read(&desk.id, "alert", alert).is_ok();
    }
    let real_ms = node.now().ms_since(from);
    for one in scene.obliged.iter().filter(|one| !scene.unreached.contains(&one.agency)) {
        let desk = world.with_role(&one.agency, "DUTY").map_err(Fault::bug)?;
        let answer = json!({ "do": "acknowledge", "alert": alert, "option": 0 });
        answered += u32::from(cast.act(&desk.id, "alert:acknowledge", &answer).is_ok());
    }
    let complete = cast.read(&scene.seat, "alert", alert)?.state.as_deref() == Some("answered");
    record.expect("every obliged agency has answered the declaration", complete);
    record.counted.acknowledgements += answered;
    let what = "declared, and on the desk of every obliged agency".to_owned();
    let after = i32::try_from(node.play_now().ms_since(began)).unwrap_or(i32::MAX);
    let at_s = f64::from(after) / 1000.0;
    record.handoffs.push(Handoff { what, due_s: None, at_s, real_ms });
    record.expect("every obliged agency is alerted", everybody);
    record.expect("within a second of real time", real_ms <= REACHED_MS_MAX);
    record.counted.alerts += 1;
    let refused: Vec<Value> = list(&seen, 1, "refused");
    for code in &scene.unreached {
        let agency = json!(cast.founded().agency(code));
        let named = refused.iter().any(|refused| {
            refused.get("duty").and_then(|duty| duty.get("agency")) == Some(&agency)
                && refused.get("reason") == Some(&json!("no-clause"))
        });
        record.expect(format!("{code} is obliged and no clause reaches it: it is named"), named);
        let desk = world.with_role(code, "DUTY").map_err(Fault::bug)?;
        let hidden = cast.read(&desk.id, "declaration", declared).is_err();
        record.expect(format!("{code} learns nothing of the declaration"), hidden);
        record.counted.refusals += u32::from(named);
    }
    Ok(declared)
}

/// What the partners see of it, and what they write.
fn partners(
    cast: &Cast,
    world: &World,
    scene: &Declaration,
    (declared, record): (&Rendition, &mut Record),
) -> Result<(), Fault> {
    let Some(operation) = declared.operation.map(|operation| RecordId(operation.0)) else {
        record.expect("the operation is open", false);
        return Ok(());
    };
    let desk = world.with_role(&scene.partner, "DUTY").map_err(Fault::bug)?;
    let seen = cast.read(&desk.id, "declaration", declared.id)?;
    let clock = seen.layers.first().and_then(|layer| layer.body.get("declared_at"));
    let what = format!("{} sees the clock and every duty that is done", scene.partner);
    let duties = list(&seen, 0, "duties").len();
    record.expect(what, clock.is_some() && duties == list(declared, 0, "duties").len());
    let what = format!("{} does not see what was refused to others", scene.partner);
    record.expect(what, seen.layers.len() == 1);
    let note =
        json!({ "do": "note", "operation": operation, "text": scene.note, "markings": null });
    cast.act(&desk.id, "operation:note", &note)?;
    let seen = cast.read(&scene.seat, "operation", operation)?;
    let person = |role: &Value| -> Option<PersonId> {
        serde_json::from_value(role.get("person")?.clone()).ok()
    };
    let filled = list(&seen, 0, "roles").iter().all(|role| person(role).is_some());
    record.expect("every role of the operation is filled from who sits now", filled);
    let written = list(&seen, 0, "notes").len() == 1;
    record.expect("a partner writes in the log of the operation", written);
    Ok(())
}
