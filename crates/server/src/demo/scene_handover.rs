//! A scene: the seat of the duty officer changes hands while the operation goes on.

use app::kernel::session::{self, MethodOfProof};
use app::kernel::{Fault, Reader};
use base::{Digest, Kind};
use serde_json::{Value, json};

use super::founding::marking;
use super::scene_declaration::Incident;
use super::scene_suspension::{command, short};
use super::stage::{Stage, list};

/// Performs the scene; each performance hands the seat on to the other of two people.
///
/// # Errors
/// What an act was refused with that must not be.
pub fn perform(stage: &mut Stage<'_>, incident: Incident) -> Result<(), Fault> {
    let (cast, scene) = (stage.cast, &stage.world.play.handover);
    stage.wait(scene.at_s)?;
    let outgoing = cast.holder(&scene.seat)?;
    let mut incoming = cast.holder(&scene.to)?;
    if incoming == outgoing {
        let seat = stage.world.seat(&scene.seat).map(|(_, seat)| seat);
        let seat = seat.ok_or_else(|| Fault::bug("the seat of the handover is unknown"))?;
        incoming = cast.founded().person(&seat.holder);
    }
    let token = cast.sign_in(outgoing, &scene.seat)?;
    let relief = session::open(cast.node(), incoming, None, MethodOfProof::SoftwareAuthenticator)?;
    let relief = || session::resolve(cast.node(), &relief);
    let level = stage.world.play.declaration.level;
    let propose = json!({
        "do": "propose", "seat": cast.founded().seat(&scene.seat), "to": incoming,
        "markings": marking(level, &std::collections::BTreeSet::new()), "notes": scene.notes
    });
    let what = format!("`{}` changes hands by two signatures", scene.seat);
    let brief = stage.hand_off(what, Some(scene.at_s), |cast| {
        let actor = session::resolve(cast.node(), &token)?;
        let proposed = cast.act_as(actor, "handover:propose", &propose)?;
        let brief = Reader::new(cast.node(), relief()?).get("handover", proposed.record)?;
        let digest = brief.layers.first().and_then(|layer| layer.body.get("digest").cloned());
        let digest: Digest = serde_json::from_value(digest.unwrap_or(Value::Null))
            .map_err(|cause| Fault::bug(format!("the brief has no digest: {cause}")))?;
        let sign = json!({ "do": "sign", "handover": proposed.record, "digest": digest });
        cast.act_as(relief()?, "handover:sign", &sign)?;
        Ok(brief)
    })?;
    stage.record.counted.handovers += 1;
    stage.record.counted.signatures += 2;
    let named = list(&brief, "operations").contains(&json!(incident.operation));
    stage.record.expect("the brief of the handover names the operation", named);
    let now = cast.holder(&scene.seat)? == incoming;
    stage.record.expect("the seat is held by whoever signed for it", now);
    // The session of the outgoing officer lives on, and the seat is no longer in it.
    let outgoing = session::resolve(cast.node(), &token)?;
    stage.record.expect("the outgoing officer has the seat no more", outgoing.seat.is_none());
    let alerted = stage.world.play.declaration.alerted();
    let audience: Vec<_> = alerted.map(|code| cast.founded().agency(code)).collect();
    let denied = cast.act_as(outgoing, "alert:raise", &command(stage, &audience, "Who has it?"));
    let denied = denied.err().is_some_and(|fault| fault.code.kind == Kind::Denied);
    stage.record.expect("the outgoing officer raises no alert from it", denied);
    stage.record.counted.refusals += u32::from(denied);
    let agency = cast.founded().agency(stage.code(&scene.told));
    short(stage, &scene.seat, (&scene.told, agency), "I have the desk")
}
