//! Agencies: given a small tree, when somebody administers it, then exactly this follows.

use app::kernel::{Done, Fault};
use base::{AgencyId, RecordId};
use serde_json::{Value, json};
use testkit::world::{Being, marking};
use testkit::{Who, World};

const ADMIN: Being<'static> = Being { level: 4, compartments: &[], roles: &["ADMIN"] };

struct Scene {
    world: World,
    police: Who,
    fire: Who,
}

fn scene() -> Scene {
    let world = World::new();
    let (pol, fir) = (world.agency("POL"), world.agency("FIRE"));
    let (police, fire) = (world.person(pol, &ADMIN), world.person(fir, &ADMIN));
    Scene { world, police, fire }
}

fn agency(code: &str, parent: Option<AgencyId>) -> Value {
    json!({
        "do": "add", "name": format!("Agency {code}"), "code": code, "parent": parent,
        "unit": false, "markings": marking(1, &[])
    })
}

fn add(scene: &Scene, command: &Value) -> Result<Done, Fault> {
    scene.world.act(scene.police, "agency:add", command)
}

fn rename(scene: &Scene, who: Who, agency: AgencyId, name: &str) -> Result<Done, Fault> {
    let command = json!({ "do": "rename", "agency": agency, "name": name });
    scene.world.act(who, "agency:rename", &command)
}

fn slug(outcome: Result<Done, Fault>) -> &'static str {
    outcome.expect_err("a refusal").code.slug
}

fn codes(scene: &Scene, who: Who) -> Vec<String> {
    let items = scene.world.list(who, "agency").items;
    items.iter().map(|r| r.layers[0].body["code"].as_str().expect("a code").to_owned()).collect()
}

#[test]
fn a_unit_is_of_the_line_above_it_and_a_service_is_not() {
    let scene = scene();
    let mut unit = agency("POL/PIER", Some(scene.police.agency));
    unit["unit"] = json!(true);
    add(&scene, &unit).expect("a unit");
    add(&scene, &agency("COAST", Some(scene.police.agency))).expect("a service");
    assert_eq!(codes(&scene, scene.police), ["POL/PIER", "POL"]);
    assert_eq!(codes(&scene, scene.fire), ["FIRE"]);
}

#[test]
fn a_code_is_used_once() {
    let scene = scene();
    assert_eq!(slug(add(&scene, &agency("FIRE", None))), "agency-exists");
    let mut again = agency("OTHER", None);
    again["agency"] = json!(scene.fire.agency);
    assert_eq!(slug(add(&scene, &again)), "agency-exists");
}

#[test]
fn the_agency_above_must_exist() {
    let scene = scene();
    let orphan = agency("COAST", Some(AgencyId([9; 16])));
    assert_eq!(slug(add(&scene, &orphan)), "unknown-agency");
}

#[test]
fn only_an_administrator_adds_and_renames() {
    let scene = scene();
    let desk = Being { roles: &["DUTY", "HEAD", "SIGNATORY"], ..ADMIN };
    let desk = scene.world.person(scene.police.agency, &desk);
    let outcome = scene.world.act(desk, "agency:add", &agency("COAST", None));
    assert_eq!(slug(outcome), "denied");
    assert_eq!(slug(rename(&scene, desk, desk.agency, "Ours")), "denied");
}

#[test]
fn a_new_name_leaves_the_code() {
    let scene = scene();
    let agency = scene.police.agency;
    rename(&scene, scene.police, agency, "National Police").expect("renamed");
    let seen = scene.world.get(scene.police, "agency", RecordId(agency.0)).expect("one's own");
    assert_eq!(seen.layers[0].body["name"], "National Police");
    assert_eq!(seen.layers[0].body["code"], "POL");
}

#[test]
fn an_agency_does_not_rename_another() {
    let scene = scene();
    scene.world.charter(&[scene.police.agency, scene.fire.agency]);
    assert_eq!(slug(rename(&scene, scene.fire, scene.police.agency, "Theirs")), "other-agency");
}

#[test]
fn whoever_may_not_know_of_an_agency_cannot_rename_it() {
    let scene = scene();
    let hidden = rename(&scene, scene.fire, scene.police.agency, "Theirs").expect_err("hidden");
    let never = rename(&scene, scene.fire, AgencyId([9; 16]), "Theirs").expect_err("no such");
    assert_eq!(hidden.code.slug, "absent");
    assert_eq!(hidden.to_string(), never.to_string());
}

#[test]
fn a_name_has_a_length_and_a_code_its_letters() {
    let scene = scene();
    let named = |bytes: usize| {
        let mut command = agency("COAST", None);
        command["name"] = json!("n".repeat(bytes));
        add(&scene, &command)
    };
    assert_eq!(slug(named(0)), "invalid-command");
    assert_eq!(slug(named(121)), "invalid-command");
    named(120).expect("the longest name");
    for code in ["coast", "", " COAST", "CÔTE"] {
        assert_eq!(slug(add(&scene, &agency(code, None))), "invalid-command", "`{code}`");
    }
}

#[test]
fn unknown_fields_are_refused() {
    let scene = scene();
    let mut command = agency("COAST", None);
    command["perent"] = json!(scene.police.agency);
    assert_eq!(slug(add(&scene, &command)), "invalid-command");
}

#[test]
fn an_administrator_adds_below_its_own_agency_only() {
    let scene = scene();
    let mut unit = agency("FIRE/POL", Some(scene.fire.agency));
    unit["unit"] = json!(true);
    assert_eq!(slug(add(&scene, &unit)), "other-agency");
}
