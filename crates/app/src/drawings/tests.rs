//! Drawings: given agencies and an operation, when somebody draws, then exactly its readers see it.

use app::kernel::{Done, Fault};
use base::RecordId;
use serde_json::{Value, json};
use testkit::world::{Being, marking};
use testkit::{Who, World};

const DESK: Being<'static> = Being { level: 3, compartments: &[], roles: &["DUTY", "SIGNATORY"] };

/// Police and fire have a clause for operations and drawings, customs has none.
struct Scene {
    world: World,
    police: Who,
    fire: Who,
    customs: Who,
}

fn scene() -> Scene {
    let world = World::new();
    let agencies: Vec<_> = ["POL", "FIRE", "CUS"].map(|code| world.agency(code)).into();
    let [pol, fir, cus] = agencies[..] else { unreachable!() };
    let police = world.person(pol, &DESK);
    let fire = world.person(fir, &DESK);
    let customs = world.person(cus, &DESK);
    world.charter(&agencies);
    let both = [pol, fir];
    let reads = ["operation:read", "circle:read", "drawing:read"];
    let text = world.agreement(&both, &[(&both, &both, &reads, 3)]);
    world.enact(&text, &[police, fire]);
    Scene { world, police, fire, customs }
}

fn point() -> Value {
    json!({ "kind": "point", "at": [[24.9414, 60.1719]], "text": "Post",
            "sidc": "10031000001101000000" })
}

fn draw(scene: &Scene, who: Who, rest: Value) -> Result<Done, Fault> {
    let mut command = json!({
        "do": "make", "title": "Cordon", "markings": marking(2, &[]), "features": [point()]
    });
    for (field, value) in rest.as_object().into_iter().flatten() {
        command[field] = value.clone();
    }
    scene.world.act(who, "drawing:make", &command)
}

fn operation(scene: &Scene, agencies: &[Who]) -> RecordId {
    let agencies: Vec<_> = agencies.iter().map(|who| who.agency).collect();
    let open = json!({
        "do": "open", "markings": marking(2, &[]), "title": "Flood", "agencies": agencies
    });
    scene.world.act(scene.police, "operation:open", &open).expect("opened").record
}

fn slug(outcome: Result<Done, Fault>) -> &'static str {
    outcome.expect_err("refused").code.slug
}

#[test]
fn what_is_drawn_in_an_operation_is_read_by_those_in_it_alone() {
    let scene = scene();
    let alone = operation(&scene, &[]);
    let hidden = draw(&scene, scene.police, json!({ "operation": alone })).expect("drawn").record;
    let never = RecordId([7; 16]);
    for id in [hidden, never] {
        let fault = scene.world.get(scene.fire, "drawing", id).expect_err("not in it");
        assert_eq!(fault.code.slug, "absent");
    }
    let joint = operation(&scene, &[scene.fire]);
    let seen = draw(&scene, scene.police, json!({ "operation": joint })).expect("drawn").record;
    let body = &scene.world.get(scene.fire, "drawing", seen).expect("in it").layers[0].body;
    assert_eq!(body["features"][0]["at"], json!([[24.9414, 60.1719]]));
    assert_eq!(body["operation"], json!(joint));
    assert_eq!(scene.world.list(scene.fire, "drawing").total, 1);
    assert_eq!(scene.world.list(scene.customs, "drawing").total, 0);
    // A partner draws in it, too; whoever is not in it learns nothing of the operation.
    draw(&scene, scene.fire, json!({ "operation": joint })).expect("drawn by a partner");
    assert_eq!(slug(draw(&scene, scene.customs, json!({ "operation": joint }))), "absent");
    assert_eq!(slug(draw(&scene, scene.fire, json!({ "operation": alone }))), "absent");
    // Nothing tells of an operation below its label.
    let low = json!({ "operation": joint, "markings": marking(1, &[]) });
    assert_eq!(slug(draw(&scene, scene.police, low)), "label-below-operation");
}

#[test]
fn a_revision_replaces_all_and_only_the_drawing_agency_revises() {
    let scene = scene();
    let id = draw(&scene, scene.police, json!({})).expect("drawn").record;
    assert!(scene.world.get(scene.fire, "drawing", id).is_ok(), "a clause lets it flow");
    let line = json!([{ "kind": "line", "at": [[24.0, 60.0], [25.0, 61.0]] }]);
    let revise = json!({ "do": "revise", "drawing": id, "features": line });
    let revised = |who| scene.world.act(who, "drawing:revise", &revise);
    assert_eq!(slug(revised(scene.fire)), "other-agency");
    assert_eq!(slug(revised(scene.customs)), "absent");
    revised(scene.police).expect("revised");
    let body = scene.world.get(scene.fire, "drawing", id).expect("read").layers[0].body.clone();
    assert_eq!((&body["title"], &body["version"]), (&json!("Cordon"), &json!(2)));
    assert_eq!(body["features"].as_array().map(Vec::len), Some(1));
    assert_eq!(body["features"][0]["kind"], "line");
    let withdraw = json!({ "do": "withdraw", "drawing": id, "reason": "Over" });
    scene.world.act(scene.police, "drawing:withdraw", &withdraw).expect("withdrawn");
    assert_eq!(slug(revised(scene.police)), "drawing-withdrawn");
    let seen = scene.world.get(scene.fire, "drawing", id).expect("its end is read");
    assert_eq!(seen.state.as_deref(), Some("withdrawn"));
}

#[test]
fn what_no_shape_is_is_refused() {
    let scene = scene();
    let refused = [
        json!({ "kind": "point", "at": [] }),
        json!({ "kind": "point", "at": [[1.0, 2.0], [3.0, 4.0]] }),
        json!({ "kind": "line", "at": [[1.0, 2.0]] }),
        json!({ "kind": "area", "at": [[1.0, 2.0], [3.0, 4.0]] }),
        json!({ "kind": "circle", "at": [[1.0, 2.0]] }),
        json!({ "kind": "circle", "at": [[1.0, 2.0]], "radius_m": 0.0 }),
        json!({ "kind": "circle", "at": [[1.0, 2.0]], "radius_m": 3_000_000.0 }),
        json!({ "kind": "point", "at": [[1.0, 2.0]], "radius_m": 10.0 }),
        json!({ "kind": "line", "at": [[1.0, 2.0], [3.0, 4.0]], "sidc": "10031000001101000000" }),
    ];
    for feature in refused {
        let outcome = draw(&scene, scene.police, json!({ "features": [feature] }));
        assert_eq!(slug(outcome), "invalid-feature", "{feature}");
    }
    for (place, code) in [("[200.0, 60.0]", "[24.0, 91.0]"), ("[24.0]", "\"24,60\"")] {
        for at in [place, code] {
            let at: Value = serde_json::from_str(&format!("[{at}]")).expect("JSON");
            let features = json!([{ "kind": "point", "at": at }]);
            let outcome = draw(&scene, scene.police, json!({ "features": features }));
            assert_eq!(slug(outcome), "invalid-command");
        }
    }
    let symbol = json!([{ "kind": "point", "at": [[1.0, 2.0]], "sidc": "SFGPU----------" }]);
    let outcome = draw(&scene, scene.police, json!({ "features": symbol }));
    assert_eq!(slug(outcome), "invalid-command");
    for features in [json!([]), json!(vec![point(); 201])] {
        let outcome = draw(&scene, scene.police, json!({ "features": features }));
        assert_eq!(slug(outcome), "drawing-size");
    }
    assert_eq!(scene.world.list(scene.police, "drawing").total, 0);
}

#[test]
fn who_has_no_desk_does_not_draw() {
    let scene = scene();
    let guest = scene.world.person(scene.police.agency, &Being { roles: &["GUEST"], ..DESK });
    assert_eq!(slug(draw(&scene, guest, json!({}))), "denied");
    assert_eq!(scene.world.list(guest, "drawing").total, 0);
}
