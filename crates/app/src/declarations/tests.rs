//! Declarations: given a plan, when somebody declares, then exactly what it demands follows, once.

use app::kernel::{Done, Fault, Rendition};
use base::{AgreementId, RecordId};
use serde_json::{Value, json};
use testkit::world::{Being, marking};
use testkit::{Who, World};

const DESK: Being<'static> =
    Being { level: 4, compartments: &[], roles: &["DUTY", "HEAD", "SIGNATORY"] };
const READS: [&str; 4] = ["alert:read", "declaration:read", "operation:read", "circle:read"];

/// Police declares; fire is obliged and may read all; the ambulance is obliged and may be alerted
/// only; customs is obliged and no clause lets anything through; the port is not obliged.
struct Scene {
    world: World,
    police: Who,
    fire: Who,
    ambulance: Who,
    customs: Who,
    port: Who,
    full: AgreementId,
    plan: RecordId,
}

fn scene() -> Scene {
    let world = World::new();
    let agencies: Vec<_> =
        ["POL", "FIRE", "AMB", "CUS", "PORT"].map(|code| world.agency(code)).into();
    let [police, fire, ambulance, customs, port] =
        agencies.iter().map(|agency| world.person(*agency, &DESK)).collect::<Vec<_>>()[..]
    else {
        unreachable!()
    };
    world.charter(&agencies);
    let enact = |with: &[Who], actions: &[&str]| {
        let parties: Vec<_> = with.iter().map(|who| who.agency).collect();
        let text = world.agreement(&parties, &[(&parties, &parties, actions, 4)]);
        world.enact(&text, with)
    };
    let full = enact(&[police, fire, port], &READS);
    let alerts = enact(&[police, ambulance], &["alert:read"]);
    let none = enact(&[police, customs], &["agency:read"]);
    let obliged = json!([
        { "agency": fire.agency, "agreement": full },
        { "agency": ambulance.agency, "agreement": alerts },
        { "agency": customs.agency, "agreement": none }
    ]);
    let roles = json!([
        { "name": "Commander", "seat": police.seat }, { "name": "Fire", "seat": fire.seat },
        { "name": "Medical", "seat": ambulance.seat }
    ]);
    let plan = plan(&world, police, &obliged, &roles);
    Scene { world, police, fire, ambulance, customs, port, full, plan }
}

fn plan(world: &World, who: Who, obliged: &Value, roles: &Value) -> RecordId {
    let content = json!({
        "name": "Major incident", "incident": "MAJOR-INCIDENT",
        "incident_markings": marking(2, &[]), "precedence": "IMMEDIATE", "text": "Send a liaison.",
        "options": ["responding"], "ladder_s": [60, 120, 180],
        "obliged": obliged, "roles": roles, "objectives": ["Save life"]
    });
    let command = json!({ "do": "make", "content": content, "markings": marking(2, &[]) });
    world.act(who, "plan:make", &command).expect("a plan").record
}

fn command(scene: &Scene) -> Value {
    json!({
        "do": "declare", "plan": scene.plan, "title": "Explosion at the station",
        "text": "Platform 4.", "place": { "lat": 60.17, "lon": 24.94 }
    })
}

fn declare(scene: &Scene) -> RecordId {
    let done = scene.world.act(scene.police, "declaration:declare", &command(scene));
    done.expect("declared").record
}

fn seen(scene: &Scene, who: Who, id: RecordId) -> Rendition {
    scene.world.get(who, "declaration", id).expect("the declaration")
}

fn act(scene: &Scene, who: Who, verb: &str, rest: Value) -> Result<Done, Fault> {
    let mut command = rest;
    command["do"] = json!(verb);
    scene.world.act(who, &format!("declaration:{verb}"), &command)
}

fn slug(outcome: Result<Done, Fault>) -> &'static str {
    outcome.expect_err("refused").code.slug
}

fn duties(rendition: &Rendition) -> Vec<Value> {
    rendition.layers[0].body["duties"].as_array().expect("duties").clone()
}

fn refused(rendition: &Rendition) -> Value {
    rendition.layers[1].body["refused"].clone()
}

#[test]
fn one_act_alerts_opens_and_fills() {
    let scene = scene();
    let id = declare(&scene);
    for who in [scene.fire, scene.ambulance, scene.police] {
        let page = scene.world.list(who, "alert");
        assert_eq!(page.total, 1);
        assert_eq!(page.items[0].layers[0].body["title"], "Explosion at the station");
        assert_eq!(page.items[0].layers[0].body["text"], "Platform 4.\n\nSend a liaison.");
    }
    let fire = seen(&scene, scene.fire, id);
    assert_eq!(fire.state.as_deref(), Some("declared"));
    let operation = fire.operation.expect("an operation");
    let operation =
        scene.world.get(scene.fire, "operation", RecordId(operation.0)).expect("the operation");
    let body = &operation.layers[0].body;
    assert_eq!(body["declaration"], json!(id));
    assert_eq!(body["objectives"], json!(["Save life"]));
    assert_eq!(body["agencies"], json!([scene.police.agency, scene.fire.agency]));
    assert_eq!(body["roles"][0]["person"], json!(scene.police.person));
    assert_eq!(body["roles"][1]["person"], json!(scene.fire.person));
    let done: Vec<_> = duties(&fire).iter().map(|duty| duty["duty"].clone()).collect();
    assert_eq!(done, ["alert", "alert", "join", "fill", "fill"]);
    for duty in duties(&fire) {
        assert!(duty["at"].is_string() && duty["entry"].is_string(), "{duty}");
    }
}

#[test]
fn what_no_clause_lets_through_is_named_to_those_who_declared_and_to_nobody_else() {
    let scene = scene();
    let id = declare(&scene);
    let own = refused(&seen(&scene, scene.police, id));
    let found: Vec<(Value, Value)> = own
        .as_array()
        .expect("a list")
        .iter()
        .map(|refused| (refused["duty"]["duty"].clone(), refused["reason"].clone()))
        .collect();
    let expected =
        [("join", "no-clause"), ("alert", "no-clause"), ("fill", "seat-not-in-operation")];
    assert_eq!(found, expected.map(|(duty, reason)| (json!(duty), json!(reason))));
    assert_eq!(own[1]["duty"]["agency"], json!(scene.customs.agency));
    let fire = seen(&scene, scene.fire, id);
    assert_eq!(fire.layers.len(), 1);
    let text = serde_json::to_string(&fire).expect("JSON");
    assert!(!text.contains(&scene.customs.agency.to_string()));
    assert!(!text.contains(&scene.plan.to_string()));
}

#[test]
fn who_is_not_obliged_or_not_let_through_learns_nothing() {
    let scene = scene();
    let id = declare(&scene);
    for who in [scene.customs, scene.port] {
        for noun in ["declaration", "operation", "alert", "plan"] {
            assert_eq!(scene.world.list(who, noun).total, 0, "{noun}");
        }
        let fault = scene.world.get(who, "declaration", id).expect_err("hidden");
        assert_eq!(fault.code.slug, "absent");
    }
    // The ambulance is alerted, and no clause lets it see more than its alert.
    assert_eq!(scene.world.list(scene.ambulance, "declaration").total, 0);
    assert_eq!(scene.world.list(scene.ambulance, "operation").total, 0);
    let alert = &scene.world.list(scene.ambulance, "alert").items[0];
    assert_eq!(alert.operation, None);
}

#[test]
fn a_repeated_key_declares_once() {
    let scene = scene();
    let once = |_| {
        let command = command(&scene);
        scene.world.act_with_key(scene.police, "declaration:declare", &command, "the key")
    };
    let [first, second] = [0, 1].map(once).map(|done| done.expect("declared"));
    assert_eq!(first, second);
    assert_eq!(scene.world.list(scene.fire, "alert").total, 1);
    assert_eq!(scene.world.list(scene.fire, "operation").total, 1);
}

#[test]
fn a_declaration_and_its_duties_survive_a_restart_and_are_not_done_again() {
    let mut scene = scene();
    let id = declare(&scene);
    let before = seen(&scene, scene.police, id);
    scene.world.restart();
    let after = seen(&scene, scene.police, id);
    assert_eq!(duties(&before), duties(&after));
    assert_eq!(refused(&before), refused(&after));
    assert_eq!(scene.world.list(scene.fire, "alert").total, 1);
    let again = act(&scene, scene.police, "perform", json!({ "declaration": id }));
    assert_eq!(slug(again), "nothing-to-do");
}

#[test]
fn a_refused_duty_is_done_once_its_clause_is_signed() {
    let scene = scene();
    let id = declare(&scene);
    let parties = [scene.police.agency, scene.customs.agency];
    let text = scene.world.agreement(&parties, &[(&parties, &parties, &READS, 4)]);
    scene.world.enact(&text, &[scene.police, scene.customs]);
    assert_eq!(scene.world.list(scene.customs, "alert").total, 0);
    act(&scene, scene.police, "perform", json!({ "declaration": id })).expect("performed");
    assert_eq!(scene.world.list(scene.customs, "alert").total, 1);
    assert_eq!(seen(&scene, scene.customs, id).state.as_deref(), Some("declared"));
    assert_eq!(scene.world.list(scene.customs, "operation").total, 1);
    assert_eq!(scene.world.list(scene.fire, "alert").total, 1, "nobody is alerted twice");
    let left = refused(&seen(&scene, scene.police, id));
    assert_eq!(left.as_array().map(Vec::len), Some(2), "{left}");
}

#[test]
fn a_suspended_agreement_obliges_nobody() {
    let scene = scene();
    let suspend = json!({ "do": "suspend", "agreement": scene.full, "reason": "breach" });
    scene.world.act(scene.fire, "agreement:suspend", &suspend).expect("suspended");
    let id = declare(&scene);
    assert_eq!(scene.world.list(scene.fire, "alert").total, 0);
    let own = refused(&seen(&scene, scene.police, id));
    assert_eq!(own[0]["reason"], "agreement-suspended");
    assert_eq!(own[0]["duty"]["agency"], json!(scene.fire.agency));
    assert_eq!(scene.world.list(scene.ambulance, "alert").total, 1, "the others are alerted");
}

#[test]
fn an_empty_seat_is_a_gap_until_somebody_sits_there() {
    let scene = scene();
    let (seat, person) = (scene.police.seat, scene.police.person);
    let second = scene.world.person(scene.police.agency, &DESK);
    let take = |person: Option<base::PersonId>| {
        let command = json!({ "do": "take", "seat": seat, "person": person });
        scene.world.found(scene.police.agency, "seat:take", &command).expect("taken");
    };
    take(None);
    let done = scene.world.act(second, "declaration:declare", &command(&scene));
    let id = done.expect("declared").record;
    let gap = |scene: &Scene| {
        let duties = duties(&seen(scene, second, id));
        let found: Vec<_> = duties.iter().filter(|duty| duty["role"] == "Commander").collect();
        assert_eq!(found.len(), 1);
        found[0]["person"].clone()
    };
    assert_eq!(gap(&scene), Value::Null);
    assert_eq!(slug(act(&scene, second, "perform", json!({ "declaration": id }))), "nothing-to-do");
    take(Some(person));
    act(&scene, second, "perform", json!({ "declaration": id })).expect("performed");
    assert_eq!(gap(&scene), json!(person));
}

#[test]
fn another_type_does_what_its_plan_demands_besides() {
    let scene = scene();
    let id = declare(&scene);
    let obliged = json!([
        { "agency": scene.fire.agency, "agreement": scene.full },
        { "agency": scene.port.agency, "agreement": scene.full }
    ]);
    let roles = json!([{ "name": "Port", "seat": scene.port.seat }]);
    let other = plan(&scene.world, scene.police, &obliged, &roles);
    let command = json!({ "declaration": id, "plan": other });
    act(&scene, scene.police, "change", command).expect("changed");
    assert_eq!(scene.world.list(scene.port, "alert").total, 1);
    assert_eq!(scene.world.list(scene.fire, "alert").total, 1);
    let port = seen(&scene, scene.port, id);
    let roles: Vec<_> = duties(&port).iter().filter_map(|d| d.get("role").cloned()).collect();
    assert_eq!(roles, ["Commander", "Fire", "Port"]);
    let operation = RecordId(port.operation.expect("an operation").0);
    let operation = scene.world.get(scene.port, "operation", operation).expect("readable");
    assert_eq!(operation.layers[0].body["roles"][2]["person"], json!(scene.port.person));
}

#[test]
fn standing_down_cancels_what_is_open_and_ends_it() {
    let scene = scene();
    let id = declare(&scene);
    let end = || act(&scene, scene.police, "end", json!({ "declaration": id, "reason": "over" }));
    end().expect("ended");
    assert_eq!(seen(&scene, scene.fire, id).state.as_deref(), Some("ended"));
    let alert = &scene.world.list(scene.fire, "alert").items[0];
    assert_eq!(alert.state.as_deref(), Some("cancelled"));
    assert_eq!(slug(end()), "declaration-ended");
    let perform = act(&scene, scene.police, "perform", json!({ "declaration": id }));
    assert_eq!(slug(perform), "declaration-ended");
}

#[test]
fn only_those_whose_plan_it_is_declare_change_and_stand_down() {
    let scene = scene();
    let fault = scene.world.act(scene.fire, "declaration:declare", &command(&scene));
    assert_eq!(slug(fault), "absent");
    let analyst = scene.world.person(scene.police.agency, &Being { roles: &["ANALYST"], ..DESK });
    let fault = scene.world.act(analyst, "declaration:declare", &command(&scene));
    assert_eq!(slug(fault), "denied");
    let id = declare(&scene);
    let end = json!({ "declaration": id, "reason": "over" });
    assert_eq!(slug(act(&scene, scene.fire, "end", end.clone())), "other-agency");
    assert_eq!(slug(act(&scene, scene.port, "end", end)), "absent");
    assert_eq!(
        slug(act(&scene, scene.fire, "perform", json!({ "declaration": id }))),
        "other-agency"
    );
}

#[test]
fn a_withdrawn_plan_declares_nothing() {
    let scene = scene();
    let withdraw = json!({ "do": "withdraw", "plan": scene.plan, "reason": "replaced" });
    scene.world.act(scene.police, "plan:withdraw", &withdraw).expect("withdrawn");
    let fault = scene.world.act(scene.police, "declaration:declare", &command(&scene));
    assert_eq!(slug(fault), "plan-withdrawn");
    assert_eq!(scene.world.list(scene.fire, "alert").total, 0);
}

#[test]
fn a_second_declaration_names_the_first_to_those_who_declared() {
    let scene = scene();
    let first = declare(&scene);
    let mut command = command(&scene);
    command["earlier"] = json!(first);
    let done = scene.world.act(scene.police, "declaration:declare", &command);
    let second = done.expect("declared").record;
    assert_eq!(seen(&scene, scene.police, second).layers[1].body["earlier"], json!(first));
    assert_eq!(scene.world.list(scene.fire, "declaration").total, 2);
    command["earlier"] = json!(RecordId([5; 16]));
    let fault = scene.world.act(scene.police, "declaration:declare", &command);
    assert_eq!(slug(fault), "absent");
}

#[test]
fn the_text_of_a_plan_whose_label_was_raised_flows_nowhere() {
    let scene = scene();
    let contain = json!({
        "do": "contain", "record": scene.plan, "markings": marking(4, &[]), "reason": "a name"
    });
    scene.world.act(scene.police, "spillage:contain", &contain).expect("contained");
    let fault = scene.world.act(scene.police, "declaration:declare", &command(&scene));
    assert_eq!(slug(fault), "plan-contained");
    assert_eq!(scene.world.list(scene.fire, "alert").total, 0);
}

#[test]
fn open_screens_of_the_obliged_have_it_at_once_and_those_of_others_nothing() {
    let scene = scene();
    let listening = scene.world.listen();
    let kinds = ["alert", "declaration", "operation"];
    let live = |who: Who| listening.live(&scene.world.token(who), &kinds);
    let (mut fire, mut port) = (live(scene.fire), live(scene.port));
    declare(&scene);
    let mut told: Vec<String> = Vec::new();
    while told.len() < 3 {
        let frame = fire.frame().expect("a frame of the declaration");
        told.push(frame["rendition"]["kind"].as_str().expect("a kind").to_owned());
    }
    told.sort_unstable();
    assert_eq!(told, ["alert", "declaration", "operation"]);
    assert_eq!(port.frame_within(700), None, "who is not obliged is told nothing");
}
