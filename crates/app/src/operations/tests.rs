//! Operations: given agencies under a clause, when one joins or leaves, then its reading does too.

use app::kernel::{Done, Fault};
use base::RecordId;
use serde_json::{Value, json};
use testkit::world::{Being, marking};
use testkit::{Who, World};

const DESK: Being<'static> =
    Being { level: 4, compartments: &["KESTREL"], roles: &["DUTY", "SIGNATORY"] };
const READS: [&str; 3] = ["alert:read", "operation:read", "circle:read"];

/// Police and fire have a clause, customs has none.
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
    let fire = world.person(fir, &Being { level: 3, compartments: &[], ..DESK });
    let customs = world.person(cus, &DESK);
    world.charter(&agencies);
    let both = [pol, fir];
    let text = world.agreement(&both, &[(&both, &both, &READS, 4)]);
    world.enact(&text, &[police, fire]);
    Scene { world, police, fire, customs }
}

fn open_with(scene: &Scene, agencies: &[Who]) -> Result<Done, Fault> {
    let agencies: Vec<_> = agencies.iter().map(|who| who.agency).collect();
    let command = json!({
        "do": "open", "markings": marking(2, &[]), "title": "Flood", "incident": null,
        "place": null, "phase": null, "agencies": agencies,
        "roles": [{ "name": "Commander", "seat": scene.police.seat }]
    });
    scene.world.act(scene.police, "operation:open", &command)
}

fn act(scene: &Scene, who: Who, verb: &str, of: (RecordId, Value)) -> Result<Done, Fault> {
    let mut command = of.1;
    command["do"] = json!(verb);
    command["operation"] = json!(of.0);
    scene.world.act(who, &format!("operation:{verb}"), &command)
}

fn slug(outcome: Result<Done, Fault>) -> &'static str {
    outcome.expect_err("refused").code.slug
}

fn body(scene: &Scene, who: Who, id: RecordId) -> serde_json::Map<String, Value> {
    scene.world.get(who, "operation", id).expect("readable").layers[0].body.clone()
}

#[test]
fn joining_opens_all_of_it_and_leaving_ends_reading_at_once() {
    let scene = scene();
    let id = open_with(&scene, &[]).expect("opened").record;
    let absent = scene.world.get(scene.fire, "operation", id).expect_err("not in it");
    assert_eq!(absent.code.slug, "absent");
    let note = |text: &str| (id, json!({ "text": text, "markings": null }));
    act(&scene, scene.police, "note", note("before")).expect("noted");
    let join =
        || act(&scene, scene.police, "join", (id, json!({ "agencies": [scene.fire.agency] })));
    join().expect("joined");
    assert_eq!(body(&scene, scene.fire, id)["notes"][0]["text"], "before");
    act(&scene, scene.fire, "note", note("by a partner")).expect("noted");
    act(&scene, scene.fire, "leave", (id, json!({ "agency": null, "reason": "done" })))
        .expect("left");
    let absent = scene.world.get(scene.fire, "operation", id).expect_err("left");
    assert_eq!(absent.code.slug, "absent");
    assert_eq!(scene.world.list(scene.fire, "operation").total, 0);
    assert_eq!(slug(act(&scene, scene.fire, "note", note("after"))), "absent");
    let own = body(&scene, scene.police, id);
    assert_eq!(own["agencies"], json!([scene.police.agency]));
    assert_eq!(own["left"][0]["reason"], "done");
    assert_eq!(own["notes"].as_array().map(Vec::len), Some(2));
    join().expect("joined again");
    assert!(scene.world.get(scene.fire, "operation", id).is_ok());
}

#[test]
fn no_clause_no_operation() {
    let scene = scene();
    let known = scene.world.list(scene.customs, "circle").total;
    let fault = open_with(&scene, &[scene.fire, scene.customs]).expect_err("no clause");
    assert_eq!((fault.code.slug, fault.detail.contains("CUS")), ("no-clause", true));
    let id = open_with(&scene, &[scene.fire]).expect("opened").record;
    let join = (id, json!({ "agencies": [scene.customs.agency] }));
    assert_eq!(slug(act(&scene, scene.police, "join", join)), "no-clause");
    assert_eq!(scene.world.list(scene.customs, "operation").total, 0);
    assert_eq!(scene.world.list(scene.customs, "circle").total, known);
}

#[test]
fn only_the_agency_that_opened_it_runs_it() {
    let scene = scene();
    let id = open_with(&scene, &[scene.fire]).expect("opened").record;
    let set = json!({ "title": null, "phase": "Recovery", "place": null, "objectives": null });
    let close = json!({ "reason": "over" });
    let assign = json!({ "roles": [{ "name": "Fire", "seat": scene.fire.seat }] });
    let send = json!({ "agency": scene.police.agency, "reason": null });
    for (verb, rest) in [("set", &set), ("close", &close), ("assign", &assign), ("leave", &send)] {
        let refused = act(&scene, scene.fire, verb, (id, rest.clone()));
        assert_eq!(slug(refused), "other-agency", "{verb}");
        let hidden = act(&scene, scene.customs, verb, (id, rest.clone()));
        assert_eq!(slug(hidden), "absent", "{verb}");
        let never = act(&scene, scene.customs, verb, (RecordId([5; 16]), rest.clone()));
        assert_eq!(slug(never), "absent", "{verb}");
    }
    act(&scene, scene.police, "set", (id, set)).expect("set");
    act(&scene, scene.police, "assign", (id, assign)).expect("assigned");
    let seen = body(&scene, scene.fire, id);
    assert_eq!(seen["phase"], "Recovery");
    assert_eq!(seen["title"], "Flood");
    assert_eq!(seen["roles"][1]["person"], json!(scene.fire.person));
    let own = json!({ "agency": null, "reason": null });
    assert_eq!(slug(act(&scene, scene.police, "leave", (id, own))), "originator-stays");
}

#[test]
fn a_role_is_filled_from_a_seat_of_the_operation_only() {
    let scene = scene();
    let id = open_with(&scene, &[]).expect("opened").record;
    for seat in [scene.fire.seat, Some(base::SeatId([5; 16]))] {
        let assign = json!({ "roles": [{ "name": "Fire", "seat": seat }] });
        let refused = act(&scene, scene.police, "assign", (id, assign));
        assert_eq!(slug(refused), "seat-not-in-operation");
    }
}

#[test]
fn a_line_of_the_log_may_lie_higher_than_the_operation() {
    let scene = scene();
    let id = open_with(&scene, &[scene.fire]).expect("opened").record;
    let note = json!({ "text": "known cell", "markings": marking(4, &["KESTREL"]) });
    act(&scene, scene.police, "note", (id, note)).expect("noted");
    let high = scene.world.get(scene.police, "operation", id).expect("readable");
    assert_eq!(high.layers[1].body["notes"][0]["text"], "known cell");
    let low = scene.world.get(scene.fire, "operation", id).expect("readable");
    assert_eq!(low.layers.len(), 1);
    assert!(!serde_json::to_string(&low).expect("JSON").contains("notes"));
    let above = json!({ "text": "x", "markings": marking(4, &["KESTREL"]) });
    let refused = act(&scene, scene.fire, "note", (id, above));
    assert_eq!(slug(refused), "label-above-clearance");
}

#[test]
fn what_is_closed_takes_nothing_more() {
    let scene = scene();
    let id = open_with(&scene, &[scene.fire]).expect("opened").record;
    act(&scene, scene.police, "close", (id, json!({ "reason": "over" }))).expect("closed");
    let seen = scene.world.get(scene.fire, "operation", id).expect("still readable");
    assert_eq!(seen.state.as_deref(), Some("closed"));
    let note = json!({ "text": "late", "markings": null });
    assert_eq!(slug(act(&scene, scene.fire, "note", (id, note))), "operation-closed");
    let close = act(&scene, scene.police, "close", (id, json!({ "reason": "over" })));
    assert_eq!(slug(close), "operation-closed");
}

#[test]
fn an_alert_of_an_operation_addresses_its_agencies_only() {
    let scene = scene();
    let id = open_with(&scene, &[]).expect("opened").record;
    let raise = |who: Who, to: Who, level: u8, operation: RecordId| {
        let command = json!({
            "do": "raise", "markings": marking(level, &[]), "precedence": "PRIORITY",
            "title": "x", "text": "y", "audience": [to.agency], "options": ["yes"],
            "place": null, "operation": operation
        });
        scene.world.act(who, "alert:raise", &command)
    };
    assert_eq!(slug(raise(scene.police, scene.fire, 2, id)), "not-in-operation");
    assert_eq!(slug(raise(scene.police, scene.police, 1, id)), "label-below-operation");
    let hidden = slug(raise(scene.fire, scene.fire, 2, id));
    assert_eq!(hidden, slug(raise(scene.fire, scene.fire, 2, RecordId([5; 16]))));
    assert_eq!(hidden, "absent");
    act(&scene, scene.police, "join", (id, json!({ "agencies": [scene.fire.agency] })))
        .expect("joined");
    raise(scene.fire, scene.police, 2, id).expect("a partner raises within it");
    let alert = &scene.world.list(scene.police, "alert").items[0];
    assert_eq!(alert.operation.map(|operation| RecordId(operation.0)), Some(id));
}

#[test]
fn an_operation_is_no_larger_than_its_limits() {
    let scene = scene();
    let id = open_with(&scene, &[]).expect("opened").record;
    let set = |count: usize| {
        let objectives = vec!["Save life"; count];
        let set = json!({ "title": null, "phase": null, "place": null, "objectives": objectives });
        act(&scene, scene.police, "set", (id, set))
    };
    set(16).expect("at the limit");
    assert_eq!(slug(set(17)), "too-many-objectives");
    let roles = |count: usize| -> Value {
        (0..count).map(|i| json!({ "name": format!("R{i}"), "seat": null })).collect()
    };
    act(&scene, scene.police, "assign", (id, json!({ "roles": roles(63) }))).expect("64 in all");
    let more = act(&scene, scene.police, "assign", (id, json!({ "roles": roles(1) })));
    assert_eq!(slug(more), "too-many-roles");
}

#[test]
fn an_open_screen_loses_the_operation_when_its_agency_leaves() {
    let scene = scene();
    let id = open_with(&scene, &[scene.fire]).expect("opened").record;
    let listening = scene.world.listen();
    let mut live = listening.live(&scene.world.token(scene.fire), &["operation"]);
    let leave = json!({ "agency": scene.fire.agency, "reason": "its task is done" });
    act(&scene, scene.police, "leave", (id, leave)).expect("sent home");
    let frame = live.frame().expect("a frame");
    assert!(["gone", "resync"].contains(&frame["type"].as_str().expect("a type")), "{frame}");
    assert!(!frame.to_string().contains("Flood"), "{frame}");
    assert_eq!(scene.world.list(scene.fire, "operation").total, 0);
}
