//! A scene: an agreement is suspended, which ends its flow on open screens too, and resumed by two.

use std::collections::BTreeSet;

use app::kernel::near::Lack;
use app::kernel::question::Asked;
use app::kernel::{Fault, Reader, why, why_not};
use base::{AgencyId, AgreementId, RecordId};
use serde_json::{Value, json};

use super::founding::marking;
use super::scene_declaration::Incident;
use super::screens::takes;
use super::stage::{REACHED_MS_MAX, Stage};

/// Performs the scene.
///
/// # Errors
/// What an act was refused with that must not be.
pub fn perform(stage: &mut Stage<'_>, incident: Incident) -> Result<(), Fault> {
    let scene = &stage.world.play.suspension;
    let agreement = stage.cast.founded().agreement(&scene.agreement);
    let to = stage.code(&scene.to).to_owned();
    cited(stage, incident.alert, agreement)?;
    stage.wait(scene.at_s)?;
    let command = json!({ "do": "suspend", "agreement": agreement, "reason": scene.reason });
    let what = format!("{} suspends `{}`", stage.code(&scene.by), scene.agreement);
    let from = stage.cast.node().now();
    stage.hand_off(what, Some(scene.at_s), |cast| {
        cast.act(&scene.by, "agreement:suspend", &command)
    })?;
    taken_off(stage, incident, from);
    for record in incident.records() {
        stage.absent(&scene.to, record, "its agreement is suspended");
    }
    why_not(stage, incident.alert, agreement)?;
    refused(stage, &scene.from, &to, "its agreement is suspended");
    for (place, consent) in scene.resumed_by.iter().enumerate() {
        stage.wait(consent.at_s)?;
        let what = format!("{} consents to resume it", stage.code(&consent.seat));
        let command = json!({ "do": "resume", "agreement": agreement });
        stage.hand_off(what, Some(consent.at_s), |cast| {
            cast.act(&consent.seat, "agreement:resume", &command)
        })?;
        stage.record.counted.signatures += 1;
        if place + 1 < scene.resumed_by.len() {
            refused(stage, &scene.from, &to, "one consent does not resume it");
        }
    }
    let mut seen = true;
    for (noun, id) in incident.records() {
        seen &= stage.cast.read(&scene.to, noun, id).is_ok();
    }
    stage.record.expect(format!("{to} reads all of it again after two consents"), seen);
    cited(stage, incident.alert, agreement)?;
    let agency = stage.cast.founded().agency(&to);
    short(stage, &scene.from, (&scene.to, agency), "flow is back")
}

/// Expects that whoever reads the alert under the agreement is told its clause and version.
fn cited(stage: &mut Stage<'_>, alert: RecordId, agreement: AgreementId) -> Result<(), Fault> {
    let scene = &stage.world.play.suspension;
    let reader = Reader::new(stage.cast.node(), stage.cast.actor(&scene.to)?);
    let told = why::why(&reader, "alert", alert)?;
    let grounds = told.layers.iter().flat_map(|layer| &layer.grounds);
    let core = stage.cast.node().core();
    let known = core.register.agreements.get(&agreement);
    let text = known.and_then(|known| known.in_force.clone());
    let cited = grounds.flat_map(|ground| &ground.clauses).any(|cited| {
        let clauses = text.iter().flat_map(|text| &text.clauses);
        let mut clauses = clauses.filter(|clause| clause.id == cited.clause);
        cited.agreement == RecordId(agreement.0)
            && clauses.any(|clause| clause.version == cited.version)
    });
    let who = stage.code(&scene.to).to_owned();
    let what = format!("why {who} reads the alert: clause and version of `{}`", scene.agreement);
    stage.record.expect(what, cited);
    Ok(())
}

/// Expects that the records went off the open screen within a second.
fn taken_off(stage: &mut Stage<'_>, incident: Incident, from: base::Time) {
    let scene = &stage.world.play.suspension;
    let code = stage.code(&scene.to).to_owned();
    let mut last = 0;
    let mut all = true;
    for (noun, id) in incident.records() {
        let gone = stage.screens.since(from, &[&code], |frame| takes(frame, noun, id));
        all &= gone.len() == 1;
        last = gone.iter().map(|(_, ms)| *ms).fold(last, i64::max);
    }
    stage.note(format!("suspension to the open screen of {code}"), None, last);
    let what = format!("within a second all of it is off the open screen of {code}");
    stage.record.expect(what, all && last <= REACHED_MS_MAX);
}

/// Expects that the author is told that the suspension is what stands in the way.
fn why_not(stage: &mut Stage<'_>, alert: RecordId, agreement: AgreementId) -> Result<(), Fault> {
    let scene = &stage.world.play.suspension;
    let node = stage.cast.node();
    let reader = Reader::new(node, stage.cast.actor(&scene.from)?);
    let to = stage.code(&scene.to).to_owned();
    let agency = stage.cast.founded().agency(&to);
    let body = json!({ "record": { "kind": "alert", "id": alert }, "agency": agency }).to_string();
    let (query, body) = (std::collections::BTreeMap::new(), body.as_bytes());
    let (path, media) = (&query, "");
    let told = why_not::find(&Asked { node, reader, id: None, query: &query, path, body, media })?;
    let near = told.layers.iter().flat_map(|layer| &layer.obstacles).flat_map(|o| &o.near);
    let named = near
        .filter(|near| near.agreement == RecordId(agreement.0) && near.version.is_some())
        .any(|near| near.lacks.contains(&Lack::Suspended));
    let what = format!("why {to} does not: the clause of the suspended agreement is named");
    stage.record.expect(what, named);
    Ok(())
}

/// An alert to agencies, in the words of the plan.
pub fn command(stage: &Stage<'_>, audience: &[AgencyId], title: &str) -> Value {
    let scene = &stage.world.play.declaration;
    json!({
        "do": "raise", "markings": marking(scene.level, &BTreeSet::new()),
        "precedence": "ROUTINE", "title": title, "text": title,
        "audience": audience, "options": scene.options, "ladder_s": scene.ladder_s
    })
}

/// Expects that an alert is refused for want of a clause, and that the agency is named.
fn refused(stage: &mut Stage<'_>, from: &str, to: &str, why: &str) {
    let command = command(stage, &[stage.cast.founded().agency(to)], "Can you read this?");
    let outcome = stage.cast.act(from, "alert:raise", &command);
    let refused = outcome
        .err()
        .is_some_and(|fault| fault.code.slug == "no-clause" && fault.detail.contains(to));
    stage.record.expect(format!("an alert to {to} is refused, {to} named: {why}"), refused);
    stage.record.counted.refusals += u32::from(refused);
}

/// An alert to one desk that is answered at once.
///
/// # Errors
/// What an act was refused with.
pub fn short(
    stage: &mut Stage<'_>,
    from: &str,
    (seat, agency): (&str, AgencyId),
    what: &str,
) -> Result<(), Fault> {
    let command = command(stage, &[agency], what);
    let whole = format!("{} to {}: {what}", stage.code(from), stage.code(seat));
    let alert = stage.hand_off(whole, None, |cast| {
        let done = cast.act(from, "alert:raise", &command)?;
        let answer =
            json!({ "do": "acknowledge", "alert": done.record, "option": 0, "note": null });
        cast.act(seat, "alert:acknowledge", &answer)?;
        cast.read(from, "alert", done.record)
    })?;
    stage.record.counted.alerts += 1;
    stage.record.counted.acknowledgements += 1;
    let answered = alert.state.as_deref() == Some("answered");
    let what = format!("{} answers: {what}", stage.code(seat));
    stage.record.expect(what, answered);
    Ok(())
}
