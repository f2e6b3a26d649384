//! Watches: given two agencies, when somebody plans ahead, then exactly this follows.

use app::kernel::{Done, Fault};
use base::RecordId;
use serde_json::{Value, json};
use testkit::world::{Being, marking};
use testkit::{Who, World};

const DESK: Being<'static> = Being { level: 3, compartments: &[], roles: &["DUTY"] };

struct Scene {
    world: World,
    police: Who,
    relief: Who,
    fire: Who,
}

fn scene() -> Scene {
    let world = World::new();
    let (pol, fir) = (world.agency("POL"), world.agency("FIRE"));
    let police = world.person(pol, &DESK);
    let relief = world.person(pol, &Being { roles: &["RELIEF"], ..DESK });
    let fire = world.person(fir, &DESK);
    Scene { world, police, relief, fire }
}

/// A watch of the relief on the desk of the police, from and to hours from now.
fn command(scene: &Scene, hours: (i64, i64)) -> Value {
    let now = scene.world.node().play_now();
    let at = |hours: i64| now.plus_s(hours * 3600);
    json!({
        "do": "plan", "seat": scene.police.seat, "person": scene.relief.person,
        "starts_at": at(hours.0), "ends_at": at(hours.1), "markings": marking(2, &[])
    })
}

fn plan(scene: &Scene, who: Who, command: &Value) -> Result<Done, Fault> {
    scene.world.act(who, "watch:plan", command)
}

fn planned(scene: &Scene) -> RecordId {
    plan(scene, scene.police, &command(scene, (8, 16))).expect("planned").record
}

fn slug(outcome: Result<Done, Fault>) -> &'static str {
    outcome.expect_err("refused").code.slug
}

#[test]
fn a_watch_is_read_by_the_people_of_its_agency_only() {
    let scene = scene();
    let id = planned(&scene);
    let seen = scene.world.get(scene.relief, "watch", id).expect("one's own");
    assert_eq!(seen.state.as_deref(), Some("planned"));
    assert_eq!(seen.layers[0].body["person"], json!(scene.relief.person));
    let hidden = scene.world.get(scene.fire, "watch", id).expect_err("no clause, no flow");
    let never = RecordId([7; 16]);
    let absent = scene.world.get(scene.fire, "watch", never).expect_err("never was");
    assert_eq!((hidden.code.slug, hidden.detail), (absent.code.slug, absent.detail));
    assert_eq!(scene.world.list(scene.fire, "watch").total, 0);
}

#[test]
fn a_watch_gives_no_seat_and_no_role() {
    let scene = scene();
    planned(&scene);
    let seat = RecordId(scene.police.seat.expect("a seat").0);
    let seen = scene.world.get(scene.relief, "person", seat).expect("the seat");
    assert_eq!(seen.layers[0].body["holder"], json!(scene.police.person));
    let again = plan(&scene, scene.relief, &command(&scene, (8, 16)));
    assert_eq!(slug(again), "denied", "a relief plans nothing");
}

#[test]
fn a_watch_may_be_a_gap() {
    let scene = scene();
    let mut gap = command(&scene, (8, 16));
    gap["person"] = Value::Null;
    let id = plan(&scene, scene.police, &gap).expect("a gap").record;
    let seen = scene.world.get(scene.police, "watch", id).expect("the watch");
    assert_eq!(seen.layers[0].body["person"], Value::Null);
}

#[test]
fn times_that_cannot_be_are_refused() {
    let scene = scene();
    let month = 31 * 24;
    for hours in [(8, 8), (8, 7), (-9, -1), (0, month + 1)] {
        let outcome = plan(&scene, scene.police, &command(&scene, hours));
        assert_eq!(slug(outcome), "watch-times", "{hours:?}");
    }
    plan(&scene, scene.police, &command(&scene, (0, month))).expect("at the limit");
    plan(&scene, scene.police, &command(&scene, (-1, 1))).expect("one that has begun");
}

#[test]
fn nobody_plans_for_another_agency_or_with_its_people() {
    let scene = scene();
    let mut foreign = command(&scene, (8, 16));
    foreign["seat"] = json!(scene.fire.seat);
    let outcome = plan(&scene, scene.police, &foreign);
    assert_eq!(slug(outcome), "absent", "the police may not know of the seat");
    let mut lent = command(&scene, (8, 16));
    lent["person"] = json!(scene.fire.person);
    assert_eq!(slug(plan(&scene, scene.police, &lent)), "absent");
    assert_eq!(scene.world.list(scene.police, "watch").total, 0);
}

#[test]
fn a_cancelled_watch_is_cancelled_once_and_by_its_agency() {
    let scene = scene();
    let id = planned(&scene);
    let cancel = json!({ "do": "cancel", "watch": id, "reason": "Ill" });
    assert_eq!(slug(scene.world.act(scene.fire, "watch:cancel", &cancel)), "absent");
    assert_eq!(slug(scene.world.act(scene.relief, "watch:cancel", &cancel)), "denied");
    scene.world.act(scene.police, "watch:cancel", &cancel).expect("cancelled");
    let seen = scene.world.get(scene.relief, "watch", id).expect("the watch");
    assert_eq!(seen.state.as_deref(), Some("cancelled"));
    assert_eq!(seen.layers[0].body["cancelled"], "Ill");
    assert_eq!(slug(scene.world.act(scene.police, "watch:cancel", &cancel)), "watch-cancelled");
}
