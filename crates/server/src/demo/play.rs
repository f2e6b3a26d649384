//! The play: one incident, from the first report to the inquiry into who knew of it.

use app::kernel::Fault;

use super::cast::Cast;
use super::record::Record;
use super::scene_inquiry::{self, Asking};
use super::scene_reports::Scene as Reports;
use super::screens::Screens;
use super::stage::Stage;
use super::world::{Answer, World};
use super::{
    scene_answers, scene_clauses, scene_declaration, scene_entities, scene_handover,
    scene_suspension, scene_webhooks,
};

/// Performs the play to its end.
///
/// # Errors
/// What an act was refused with that must not be, or that the node is stopping.
pub fn perform(cast: &Cast, world: &World) -> Result<Record, Fault> {
    let scene = &world.play.declaration;
    scene_declaration::stand_down(cast, scene)?;
    let desks = scene.obliged.iter().map(|obliged| &obliged.agency);
    let screens = Screens::open(cast, world, desks)?;
    let (began, record) = (cast.node().play_now(), Record::default());
    let mut stage = Stage { cast, world, began, record, screens };
    let place = Reports::new(&mut stage).methane()?;
    let incident = scene_declaration::perform(&mut stage, place)?;
    let first_rung = scene.ladder_s.first().copied().unwrap_or(0);
    let (early, late): (Vec<&Answer>, Vec<&Answer>) =
        world.play.answers.iter().partition(|answer| answer.at_s < first_rung);
    let answered = early.iter().map(|answer| answer.seat.clone()).collect();
    for answer in early {
        scene_answers::answer(&mut stage, incident.alert, answer)?;
    }
    let asking = Asking { alert: incident.alert, instant: cast.node().now(), answered };
    Reports::new(&mut stage).sitreps()?;
    Reports::new(&mut stage).intelligence()?;
    scene_declaration::log(&mut stage, incident)?;
    scene_answers::ladder(&mut stage, incident.alert)?;
    for answer in late {
        scene_answers::answer(&mut stage, incident.alert, answer)?;
    }
    scene_answers::answered(&mut stage, incident.alert)?;
    scene_suspension::perform(&mut stage, incident)?;
    scene_handover::perform(&mut stage, incident)?;
    scene_entities::perform(cast, world, &mut stage.record)?;
    scene_clauses::perform(cast, world, &mut stage.record)?;
    let began = stage.began;
    scene_webhooks::perform(cast, world, (began, &mut stage.record))?;
    inspect(&mut stage)?;
    stage.record.bundle = scene_inquiry::perform(cast, world, &asking, &mut stage.record)?;
    stage.record.counted.entries = cast.node().counts().entries;
    Ok(stage.record)
}

/// Who may see the ledger itself.
fn inspect(stage: &mut Stage<'_>) -> Result<(), Fault> {
    let core = stage.cast.node().core();
    let may = |seat: &str| {
        let actor = stage.cast.actor(seat)?;
        Ok::<_, Fault>(core.policy.may(&core.register, &actor, "ledger:read").is_ok())
    };
    let desk = may(&stage.world.play.declaration.seat)?;
    let inspector = may(&stage.world.play.inquiry.seat)?;
    stage.record.expect("an inspector may read the ledger", inspector);
    stage.record.expect("a duty officer may not", !desk);
    Ok(())
}
