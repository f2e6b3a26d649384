//! A scene: the alert of the declaration is answered, and the ladder is called for the deaf desk.

use std::collections::BTreeSet;

use app::kernel::Fault;
use base::{RecordId, Time};
use serde_json::{Value, json};

use super::record::Handoff;
use super::screens::shows;
use super::stage::{LOOK, Stage, list, time};
use super::world::Answer;

/// LIMIT: real time in which what is due must have come, on a machine with much else to do.
const LATE_MS_MAX: i64 = 10_000;
/// The rungs of the ladder, as entries name them.
const RUNGS: [&str; 3] = ["deputy", "head", "centre"];

/// Answers as the play says, before or after the ladder.
///
/// # Errors
/// What an act was refused with that must not be.
pub fn answer(stage: &mut Stage<'_>, alert: RecordId, answer: &Answer) -> Result<(), Fault> {
    stage.wait(answer.at_s)?;
    let scene = &stage.world.play.declaration;
    let option = scene.options.get(usize::from(answer.option)).map_or("", String::as_str);
    let code = stage.code(&answer.seat).to_owned();
    let command = json!({
        "do": "acknowledge", "alert": alert, "option": answer.option, "note": answer.note
    });
    let agency = json!(stage.cast.founded().agency(&code));
    let what = format!("{code} answers: {option}");
    let seen = stage.hand_off(what, Some(answer.at_s), |cast| {
        cast.act(&answer.seat, "alert:acknowledge", &command)?;
        cast.read(&scene.seat, "alert", alert)
    })?;
    let answers = list(&seen, "acknowledgements");
    let by = json!(stage.cast.holder(&answer.seat)?);
    let is = |given: &&Value| given.get("agency") == Some(&agency);
    let here = answers.iter().find(is).is_some_and(|given| {
        given.get("person") == Some(&by) && given.get("option") == Some(&json!(answer.option))
    });
    let what = format!("the author sees the answer of {code}, with person and option");
    stage.record.expect(what, here);
    stage.record.counted.acknowledgements += 1;
    Ok(())
}

/// Follows the ladder that is called for the deaf desk.
///
/// # Errors
/// When the alert cannot be read, or the node is stopping.
pub fn ladder(stage: &mut Stage<'_>, alert: RecordId) -> Result<(), Fault> {
    let scene = &stage.world.play.declaration;
    let raised_at = stage.cast.read(&scene.seat, "alert", alert)?;
    let raised_at = raised_at.layers.first().and_then(|layer| layer.body.get("raised_at"));
    let raised_at = time(raised_at).unwrap_or(stage.began);
    for (place, (rung, due_s)) in RUNGS.iter().zip(scene.ladder_s).enumerate() {
        stage.wait(due_s)?;
        let due_at = raised_at.plus_s(i64::from(due_s));
        let Some(call) = called(stage, alert, place)? else {
            stage.record.expect(format!("the {rung} is called"), false);
            continue;
        };
        let at = time(call.get("at")).unwrap_or(stage.began);
        let real_ms = at.ms_since(due_at) / stage.speed();
        let what = format!("the {rung} is called for {}", scene.deaf);
        let (due_s, at_s) = (Some(stage.seconds(due_at)), stage.seconds(at));
        stage.record.handoffs.push(Handoff { what, due_s, at_s, real_ms });
        let on_time = (0..=LATE_MS_MAX).contains(&real_ms);
        stage.record.expect(format!("the {rung} is called when due, not before"), on_time);
        let silent = json!([stage.cast.founded().agency(&scene.deaf)]);
        let only = call.get("rung") == Some(&json!(rung)) && call.get("silent") == Some(&silent);
        stage.record.expect(format!("the {rung} is called for {} alone", scene.deaf), only);
        let seats = scene.called.get(place).map_or(&[][..], Vec::as_slice);
        let wanted: BTreeSet<String> =
            seats.iter().map(|seat| stage.cast.founded().seat(seat).to_string()).collect();
        let got: BTreeSet<String> = call
            .get("called")
            .and_then(Value::as_array)
            .map(|seats| seats.iter().filter_map(Value::as_str).map(str::to_owned).collect())
            .unwrap_or_default();
        stage.record.expect(format!("the call goes to {}", seats.join(", ")), wanted == got);
        stage.record.counted.calls += 1;
        deaf(stage, alert, place);
    }
    Ok(())
}

/// The call of a rung, as soon as it is there.
fn called(stage: &Stage<'_>, alert: RecordId, place: usize) -> Result<Option<Value>, Fault> {
    let node = stage.cast.node();
    let from = node.now();
    loop {
        let seen = stage.cast.read(&stage.world.play.declaration.seat, "alert", alert)?;
        if let Some(call) = list(&seen, "escalations").get(place) {
            return Ok(Some(call.clone()));
        }
        if node.stopped() || node.now().ms_since(from) > LATE_MS_MAX {
            return Ok(None);
        }
        std::thread::sleep(LOOK);
    }
}

/// Expects that the board of every partner has the deaf agency red: called for, no answer.
fn deaf(stage: &mut Stage<'_>, alert: RecordId, place: usize) {
    let scene = &stage.world.play.declaration;
    let agency = json!(stage.cast.founded().agency(&scene.deaf));
    let red = |frame: &Value| {
        let list = |field: &str| {
            let of = frame.pointer(&format!("/rendition/layers/0/body/{field}"));
            of.and_then(Value::as_array).cloned().unwrap_or_default()
        };
        let answered = list("acknowledgements").iter().any(|a| a.get("agency") == Some(&agency));
        shows(frame, "alert", alert) && list("escalations").len() > place && !answered
    };
    let codes: Vec<&str> = scene.alerted().map(String::as_str).collect();
    // The call may have come to the screens before it was looked for.
    let shown = stage.screens.since(Time::MIN, &codes, red).len();
    let what = format!("{} is red on the screen of every partner", scene.deaf);
    stage.record.expect(what, shown == codes.len());
}

/// Expects that everybody has answered, and that the ladder ended.
///
/// # Errors
/// When the alert cannot be read.
pub fn answered(stage: &mut Stage<'_>, alert: RecordId) -> Result<(), Fault> {
    let seen = stage.cast.read(&stage.world.play.declaration.seat, "alert", alert)?;
    let answered = seen.state.as_deref() == Some("answered");
    stage.record.expect("the alert is answered by every obliged agency", answered);
    let answers = list(&seen, "acknowledgements").len();
    let wanted = stage.world.play.answers.len();
    stage.record.expect(format!("it has {wanted} answers, one an agency"), answers == wanted);
    let calls = list(&seen, "escalations").len();
    stage.record.expect("the ladder ended with its third rung", calls == RUNGS.len());
    Ok(())
}
