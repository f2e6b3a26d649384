//! Alerts: given a small world, when somebody acts, then exactly this follows.

use app::kernel::Rendition;
use base::{Kind, RecordId};
use serde_json::{Value, json};
use testkit::world::{Being, marking};
use testkit::{Who, World};

struct Scene {
    world: World,
    police: Who,
    fire: Who,
    ambulance: Who,
    fire_head: Who,
    customs: Who,
}

const DESK: Being<'static> =
    Being { level: 4, compartments: &["KESTREL"], roles: &["DUTY", "SIGNATORY", "ADMIN"] };

fn scene() -> Scene {
    let world = World::new();
    let agencies: Vec<_> = ["POL", "FIRE", "AMB", "CUS"].map(|code| world.agency(code)).into();
    let [pol, fire, amb, cus] = agencies[..] else { unreachable!() };
    let police = world.person(pol, &DESK);
    let fire_desk = world.person(fire, &Being { level: 3, compartments: &[], ..DESK });
    let ambulance = world.person(amb, &Being { level: 3, compartments: &[], ..DESK });
    let fire_head =
        world.person(fire, &Being { level: 4, compartments: &["KESTREL"], roles: &["HEAD"] });
    let customs = world.person(cus, &DESK);
    world.charter(&agencies);
    let emergency = [pol, fire, amb];
    let clauses: &[testkit::world::Flow<'_>] =
        &[(&emergency, &emergency, &["alert:read", "circle:read"], 4)];
    let agreement = world.agreement(&emergency, clauses);
    world.enact(&agreement, &[police, fire_desk, ambulance]);
    Scene { world, police, fire: fire_desk, ambulance, fire_head, customs }
}

fn raise(scene: &Scene) -> Value {
    json!({
        "do": "raise", "markings": marking(2, &[]), "precedence": "IMMEDIATE",
        "title": "Explosion at the station", "text": "Casualties reported.",
        "audience": [scene.fire.agency, scene.ambulance.agency],
        "options": ["responding", "standing by"], "place": { "lat": 60.17, "lon": 24.94 },
        "ladder_s": [60, 120, 180],
        "higher": [{ "markings": marking(4, &["KESTREL"]), "text": "Known cell involved." }]
    })
}

fn raised(scene: &Scene) -> RecordId {
    scene.world.act(scene.police, "alert:raise", &raise(scene)).expect("an alert").record
}

fn acknowledge(scene: &Scene, who: Who, alert: RecordId, option: u8) -> Result<(), Kind> {
    let command = json!({ "do": "acknowledge", "alert": alert, "option": option, "note": null });
    let done = scene.world.act(who, "alert:acknowledge", &command);
    done.map(drop).map_err(|fault| fault.code.kind)
}

fn alert(scene: &Scene, who: Who, id: RecordId) -> Rendition {
    scene.world.get(who, "alert", id).expect("the alert")
}

#[test]
fn each_reader_gets_the_layers_that_clearance_and_clause_allow() {
    let scene = scene();
    let id = raised(&scene);
    let texts = |who: Who| -> Vec<String> {
        let layers = alert(&scene, who, id).layers;
        layers.iter().map(|l| l.body["text"].as_str().expect("text").to_owned()).collect()
    };
    assert_eq!(texts(scene.police), ["Casualties reported.", "Known cell involved."]);
    assert_eq!(texts(scene.fire), ["Casualties reported."]);
    assert_eq!(texts(scene.fire_head), ["Casualties reported.", "Known cell involved."]);
}

#[test]
fn an_alert_with_a_higher_part_is_listed_once() {
    let scene = scene();
    let mut newest_first = Vec::new();
    // Few cells are merged index by index, many are scanned: both ways.
    for alerts in [2, 70] {
        for _ in 0..alerts {
            newest_first.insert(0, raised(&scene));
        }
        for who in [scene.police, scene.fire, scene.fire_head] {
            let page = scene.world.list(who, "alert");
            let listed: Vec<RecordId> = page.items.iter().map(|item| item.id).collect();
            assert_eq!(listed, newest_first);
            assert_eq!(page.total, newest_first.len() as u64);
        }
    }
}

#[test]
fn whoever_is_not_addressed_does_not_learn_that_it_exists() {
    let scene = scene();
    let id = raised(&scene);
    let fault = scene.world.get(scene.customs, "alert", id).expect_err("not for customs");
    let never = scene.world.get(scene.customs, "alert", RecordId([3; 16])).expect_err("no such");
    assert_eq!(fault.to_string(), never.to_string());
    assert_eq!(scene.world.list(scene.customs, "alert").total, 0);
}

#[test]
fn why_cites_the_clause_to_whom_it_lets_read_and_nothing_to_anyone_else() {
    let scene = scene();
    let id = raised(&scene);
    let asked = |who: Who, id: RecordId| {
        let token = scene.world.token(who);
        let (status, _, body) = scene.world.read(&token, &format!("/api/alerts/{id}/why"));
        (status.as_u16(), body)
    };
    let told = |who: Who| -> Value {
        let (status, body) = asked(who, id);
        assert_eq!(status, 200);
        serde_json::from_slice(&body).expect("JSON")
    };
    let fire = told(scene.fire);
    let ground = &fire["layers"][0]["grounds"][0];
    let cited = &ground["clauses"][0];
    let agreement = scene.world.list(scene.fire, "agreement").items;
    assert!(agreement.iter().any(|known| cited["agreement"] == json!(known.id)), "{fire}");
    assert_eq!(ground["withheld"], false);
    assert_eq!(fire["layers"].as_array().map(Vec::len), Some(1), "no layer above its reader");
    let police = told(scene.police);
    assert_eq!(police["layers"].as_array().map(Vec::len), Some(2));
    let unknown = RecordId([3; 16]);
    assert_eq!(asked(scene.customs, id).0, 404);
    assert_eq!(asked(scene.customs, id), asked(scene.customs, unknown));
    for who in [scene.police, scene.fire, scene.ambulance, scene.fire_head, scene.customs] {
        let opens = scene.world.get(who, "alert", id).is_ok();
        assert_eq!(asked(who, id).0 == 200, opens, "why and open agree");
    }
    let fire_agreement = cited["cite"].as_str().expect("a citation");
    assert_eq!(fire_agreement.split(':').count(), 3);
}

#[test]
fn an_alert_that_no_clause_lets_through_is_refused_with_the_agency_named() {
    let scene = scene();
    let mut command = raise(&scene);
    command["audience"] = json!([scene.fire.agency, scene.customs.agency]);
    let fault = scene.world.act(scene.police, "alert:raise", &command).expect_err("no clause");
    assert_eq!(fault.code.slug, "no-clause");
    assert!(fault.detail.contains("CUS"), "{}", fault.detail);
    assert_eq!(scene.world.list(scene.police, "alert").total, 0);
}

#[test]
fn an_alert_without_audience_cannot_be_written() {
    let scene = scene();
    let mut command = raise(&scene);
    command["audience"] = json!([]);
    let fault = scene.world.act(scene.police, "alert:raise", &command).expect_err("nobody");
    assert_eq!(fault.code.slug, "invalid-command");
}

#[test]
fn unknown_fields_are_refused() {
    let scene = scene();
    let mut command = raise(&scene);
    command["audince"] = json!([scene.fire.agency]);
    let fault = scene.world.act(scene.police, "alert:raise", &command).expect_err("a typo");
    assert_eq!(fault.code.slug, "invalid-command");
}

#[test]
fn a_higher_part_must_be_higher() {
    let scene = scene();
    let mut command = raise(&scene);
    command["higher"] = json!([{ "markings": marking(1, &[]), "text": "lower" }]);
    let fault = scene.world.act(scene.police, "alert:raise", &command).expect_err("lower");
    assert_eq!(fault.code.slug, "label-not-higher");
}

#[test]
fn nobody_writes_above_their_own_clearance() {
    let scene = scene();
    let mut command = raise(&scene);
    command["markings"] = marking(5, &[]);
    command["higher"] = json!([]);
    let fault = scene.world.act(scene.police, "alert:raise", &command).expect_err("too high");
    assert_eq!(fault.code.kind, Kind::Denied);
}

#[test]
fn acknowledgement_is_per_person_and_per_agency() {
    let scene = scene();
    let id = raised(&scene);
    acknowledge(&scene, scene.fire, id, 0).expect("fire answers");
    let seen = alert(&scene, scene.police, id);
    let answers = seen.layers[0].body["acknowledgements"].as_array().expect("answers").clone();
    assert_eq!(answers.len(), 1);
    assert_eq!(answers[0]["agency"], json!(scene.fire.agency));
    assert_eq!(seen.state.as_deref(), Some("open"), "the ambulance has not answered");
    acknowledge(&scene, scene.ambulance, id, 1).expect("the ambulance answers");
    assert_eq!(alert(&scene, scene.police, id).state.as_deref(), Some("answered"));
}

#[test]
fn an_answer_that_is_not_offered_is_refused() {
    let scene = scene();
    let id = raised(&scene);
    assert_eq!(acknowledge(&scene, scene.fire, id, 1), Ok(()));
    assert_eq!(acknowledge(&scene, scene.ambulance, id, 2), Err(Kind::Invalid));
}

#[test]
fn whoever_may_not_read_an_alert_cannot_acknowledge_it() {
    let scene = scene();
    let id = raised(&scene);
    assert_eq!(acknowledge(&scene, scene.customs, id, 0), Err(Kind::Absent));
}

#[test]
fn the_author_is_not_an_addressee() {
    let scene = scene();
    let id = raised(&scene);
    assert_eq!(acknowledge(&scene, scene.police, id, 0), Err(Kind::Conflict));
}

#[test]
fn a_cancelled_alert_cannot_be_acknowledged() {
    let scene = scene();
    let id = raised(&scene);
    let command = json!({ "do": "cancel", "alert": id, "reason": "false alarm" });
    scene.world.act(scene.police, "alert:cancel", &command).expect("cancelled");
    assert_eq!(acknowledge(&scene, scene.fire, id, 0), Err(Kind::Conflict));
    assert_eq!(alert(&scene, scene.fire, id).state.as_deref(), Some("cancelled"));
}

#[test]
fn the_ladder_calls_deputy_head_and_centre_for_the_silent_only() {
    let scene = scene();
    let id = raised(&scene);
    acknowledge(&scene, scene.ambulance, id, 0).expect("the ambulance answers");
    let rungs = |scene: &Scene| -> Vec<Value> {
        let body = alert(scene, scene.police, id).layers[0].body.clone();
        body.get("escalations").and_then(Value::as_array).cloned().unwrap_or_default()
    };
    for (seconds, rung) in [(59, 0), (2, 1), (58, 1), (2, 2), (60, 3)] {
        scene.world.clock.advance_s(seconds);
        let called = scene.world.eventually(|_| {
            let called = rungs(&scene);
            (called.len() >= rung).then_some(called)
        });
        assert_eq!(called.len(), rung, "after {seconds} s more");
    }
    let called = rungs(&scene);
    let names: Vec<&str> = called.iter().filter_map(|c| c["rung"].as_str()).collect();
    assert_eq!(names, ["deputy", "head", "centre"]);
    for call in &called {
        assert_eq!(call["silent"], json!([scene.fire.agency]));
    }
    assert_eq!(called[1]["called"], json!([scene.fire_head.seat]));
}

#[test]
fn an_answered_alert_calls_nobody() {
    let scene = scene();
    let id = raised(&scene);
    acknowledge(&scene, scene.fire, id, 0).expect("fire answers");
    acknowledge(&scene, scene.ambulance, id, 0).expect("the ambulance answers");
    let due = scene.world.node().views().with(|views| views.next_due()).expect("timers");
    assert_eq!(due, None, "the ladder's timer is cleared");
}

#[test]
fn only_a_desk_raises_alerts() {
    let scene = scene();
    let analyst = scene
        .world
        .person(scene.police.agency, &Being { level: 4, compartments: &[], roles: &["ANALYST"] });
    let fault = scene.world.act(analyst, "alert:raise", &raise(&scene)).expect_err("no desk");
    assert_eq!(fault.code.kind, Kind::Denied);
}
