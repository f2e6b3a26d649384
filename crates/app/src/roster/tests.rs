//! The roster: given a seat, when it is handed over, then both have signed, or it stays.

use app::kernel::{Done, Fault};
use base::{RecordId, SeatId};
use serde_json::{Value, json};
use testkit::world::{Being, marking};
use testkit::{Who, World};

const DESK: Being<'static> = Being { level: 3, compartments: &[], roles: &["DUTY"] };

struct Scene {
    world: World,
    out: Who,
    relief: Who,
    other: Who,
}

fn scene() -> Scene {
    let world = World::new();
    let (pol, fir) = (world.agency("POL"), world.agency("FIRE"));
    let out = world.person(pol, &DESK);
    let relief = world.person(pol, &Being { roles: &["RELIEF"], ..DESK });
    let other = world.person(fir, &DESK);
    Scene { world, out, relief, other }
}

fn propose(scene: &Scene, who: Who, to: Who) -> Result<Done, Fault> {
    let command = json!({
        "do": "propose", "seat": scene.out.seat, "to": to.person, "markings": marking(2, &[]),
        "notes": "Radio 3 is weak."
    });
    scene.world.act(who, "handover:propose", &command)
}

fn proposed(scene: &Scene) -> RecordId {
    propose(scene, scene.out, scene.relief).expect("proposed").record
}

fn body(scene: &Scene, who: Who, id: RecordId) -> serde_json::Map<String, Value> {
    scene.world.get(who, "handover", id).expect("readable").layers[0].body.clone()
}

fn sign(scene: &Scene, who: Who, id: RecordId) -> Result<Done, Fault> {
    let digest = body(scene, scene.out, id)["digest"].clone();
    let command = json!({ "do": "sign", "handover": id, "digest": digest });
    scene.world.act(who, "handover:sign", &command)
}

fn slug(outcome: Result<Done, Fault>) -> &'static str {
    outcome.expect_err("refused").code.slug
}

fn holder(scene: &Scene) -> Value {
    let seat: SeatId = scene.out.seat.expect("a seat");
    let seen = scene.world.get(scene.relief, "person", RecordId(seat.0)).expect("the seat");
    seen.layers[0].body["holder"].clone()
}

#[test]
fn the_seat_changes_hands_when_the_incoming_officer_signs_and_not_before() {
    let scene = scene();
    let id = proposed(&scene);
    assert_eq!(holder(&scene), json!(scene.out.person));
    assert_eq!(body(&scene, scene.relief, id)["notes"], "Radio 3 is weak.");
    sign(&scene, scene.relief, id).expect("signed");
    assert_eq!(holder(&scene), json!(scene.relief.person));
    let seen = scene.world.get(scene.out, "handover", id).expect("readable");
    assert_eq!(seen.state.as_deref(), Some("signed"));
    assert_eq!(slug(sign(&scene, scene.relief, id)), "handover-over");
}

#[test]
fn the_brief_names_what_is_open_as_far_as_both_may_read_it() {
    let scene = scene();
    let raise = |level: u8| {
        let command = json!({
            "do": "raise", "markings": marking(level, &[]), "precedence": "PRIORITY",
            "title": "x", "text": "y", "audience": [scene.out.agency], "options": ["yes"],
            "place": null
        });
        scene.world.act(scene.out, "alert:raise", &command).expect("raised").record
    };
    let low = scene.world.person(scene.out.agency, &Being { level: 2, ..DESK });
    let (both, _above) = (raise(2), raise(3));
    let id = propose(&scene, scene.out, low).expect("proposed").record;
    let expected = json!([{ "alert": both, "asks": true, "overdue": false }]);
    assert_eq!(body(&scene, low, id)["alerts"], expected);
    let id = proposed(&scene);
    assert_eq!(body(&scene, scene.relief, id)["alerts"].as_array().map(Vec::len), Some(2));
}

#[test]
fn only_the_holder_proposes_and_only_the_one_named_signs() {
    let scene = scene();
    assert_eq!(slug(propose(&scene, scene.relief, scene.relief)), "not-outgoing");
    assert_eq!(slug(propose(&scene, scene.other, scene.relief)), "absent");
    assert_eq!(slug(propose(&scene, scene.out, scene.out)), "seat-taken");
    assert_eq!(slug(propose(&scene, scene.out, scene.other)), "person-of-other-agency");
    let id = proposed(&scene);
    assert_eq!(slug(sign(&scene, scene.out, id)), "not-incoming");
    let third = scene.world.person(scene.out.agency, &DESK);
    assert_eq!(slug(sign(&scene, third, id)), "absent");
    assert_eq!(slug(sign(&scene, scene.other, id)), "absent");
    assert_eq!(scene.world.list(third, "handover").total, 0);
    assert_eq!(holder(&scene), json!(scene.out.person));
}

#[test]
fn of_two_who_were_proposed_the_first_to_sign_has_the_seat() {
    let scene = scene();
    let third = scene.world.person(scene.out.agency, &DESK);
    let first = proposed(&scene);
    let second = propose(&scene, scene.out, third).expect("proposed").record;
    sign(&scene, third, second).expect("signed");
    assert_eq!(slug(sign(&scene, scene.relief, first)), "seat-changed");
    assert_eq!(holder(&scene), json!(third.person));
}

#[test]
fn another_brief_than_the_one_proposed_is_not_signed_nor_one_withdrawn() {
    let scene = scene();
    let id = proposed(&scene);
    let command = json!({ "do": "sign", "handover": id, "digest": "ab".repeat(32) });
    let other = scene.world.act(scene.relief, "handover:sign", &command);
    assert_eq!(slug(other), "other-text");
    let withdraw = json!({ "do": "withdraw", "handover": id, "reason": "relief is late" });
    let refused = scene.world.act(scene.relief, "handover:withdraw", &withdraw);
    assert_eq!(slug(refused), "not-outgoing");
    scene.world.act(scene.out, "handover:withdraw", &withdraw).expect("withdrawn");
    assert_eq!(slug(sign(&scene, scene.relief, id)), "handover-over");
    assert_eq!(holder(&scene), json!(scene.out.person));
}

#[test]
fn who_is_not_cleared_for_the_brief_is_not_proposed() {
    let scene = scene();
    let low = scene.world.person(scene.out.agency, &Being { level: 1, ..DESK });
    assert_eq!(slug(propose(&scene, scene.out, low)), "incoming-not-cleared");
}
