//! Entities: given two agencies and a clause, when one imports, then exactly this follows.

use std::collections::{BTreeMap, BTreeSet};

use app::entities::{Table, job};
use app::kernel::{Done, Fault};
use base::{Label, Marking, Play, SchemeId};
use serde_json::{Value, json};
use testkit::world::{Being, marking};
use testkit::{Who, World};

const DESK: Being<'static> = Being { level: 4, compartments: &[], roles: &["DUTY", "SIGNATORY"] };
const AMBER: &str = "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82";
const RED: &str = "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed";
const UNKNOWN: &str = "marking-definition--0a0a0a0a-486f-44da-b317-01333bde0b82";
const TOOL: &str = "tool--2c1d8a4e-7f31-4c6d-8d4b-5e6f7a8b9c0d";

struct Scene {
    world: World,
    police: Who,
    fire: Who,
}

fn scene() -> Scene {
    let world = World::new();
    let both = ["POL", "FIRE"].map(|code| world.agency(code));
    let police = world.person(both[0], &DESK);
    let fire = world.person(both[1], &DESK);
    world.charter(&both);
    // The clause lets through up to level 3: not what is RED.
    let text = world.agreement(&both, &[(&both, &both, &["entity:read"], 3)]);
    world.enact(&text, &[police, fire]);
    Scene { world, police, fire }
}

fn table() -> Value {
    let level = |level: u8| json!({ "level": level, "compartments": [] });
    json!({
        "scheme": "NAT", "clear": level(1), "green": level(1), "amber": level(2),
        "amber_strict": level(3), "red": level(4)
    })
}

fn tool(id: &str, name: &str, modified: &str, marks: &[&str]) -> String {
    let mut object = json!({
        "type": "tool", "spec_version": "2.1", "id": id, "name": name,
        "created": "2026-01-01T00:00:00.000Z", "modified": modified
    });
    if !marks.is_empty() {
        object["object_marking_refs"] = json!(marks);
    }
    object.to_string()
}

fn first(name: &str, marks: &[&str]) -> String {
    tool(TOOL, name, "2026-02-01T00:00:00.000Z", marks)
}

impl Scene {
    fn import_as(&self, who: Who, objects: &[String]) -> Result<Done, Fault> {
        let command = json!({
            "do": "import", "markings": marking(2, &[]), "table": table(), "objects": objects
        });
        self.world.act(who, "entity:import", &command)
    }

    fn import(&self, objects: &[String]) -> Result<Done, Fault> {
        self.import_as(self.police, objects)
    }

    fn slug(&self, objects: &[String]) -> &'static str {
        self.import(objects).expect_err("refused").code.slug
    }
}

#[test]
fn what_is_imported_keeps_its_bytes_and_is_read_by_its_agency_and_under_a_clause() {
    let scene = scene();
    let raw = first("Mimikatz", &[AMBER]);
    let done = scene.import(std::slice::from_ref(&raw)).expect("imported");
    for who in [scene.police, scene.fire] {
        let seen = scene.world.get(who, "entity", done.record).expect("readable");
        assert_eq!(seen.state.as_deref(), Some("current"));
        let body = &seen.layers[0].body;
        assert_eq!(body["title"], "Mimikatz");
        assert_eq!(body["type"], "tool");
        assert_eq!(body["original"], json!(raw));
    }
}

#[test]
fn what_is_red_reaches_nobody_whom_no_clause_names_and_leaves_no_trace() {
    let scene = scene();
    let before = serde_json::to_value(scene.world.list(scene.fire, "entity")).expect("a page");
    let red = scene.import(&[first("Hidden", &[RED])]).expect("imported").record;
    assert_eq!(scene.world.list(scene.police, "entity").total, 1);
    let fault = scene.world.get(scene.fire, "entity", red).expect_err("no clause");
    let nothing = base::RecordId([7; 16]);
    let absent = scene.world.get(scene.fire, "entity", nothing).expect_err("absent");
    assert_eq!((fault.code.slug, &fault.detail), (absent.code.slug, &absent.detail));
    let after = serde_json::to_value(scene.world.list(scene.fire, "entity")).expect("a page");
    assert_eq!(before, after);
}

#[test]
fn the_same_object_of_another_agency_or_under_another_label_is_another_record() {
    let scene = scene();
    let red = scene.import(&[first("Same", &[RED])]).expect("imported").record;
    let amber = scene.import(&[first("Same", &[AMBER])]).expect("not known below").record;
    assert_ne!(red, amber);
    let own = scene.import_as(scene.fire, &[first("Same", &[AMBER])]).expect("their own").record;
    assert_ne!(amber, own);
}

#[test]
fn what_was_imported_before_is_not_written_again() {
    let scene = scene();
    let raw = first("Once", &[]);
    scene.import(&[raw.clone(), raw.clone()]).expect("imported");
    assert_eq!(scene.slug(&[raw]), "nothing-to-do");
    assert_eq!(scene.world.list(scene.police, "entity").total, 1);
}

#[test]
fn the_newest_version_is_shown_whatever_the_order_in_which_they_came() {
    let scene = scene();
    let newer = tool(TOOL, "Newer", "2026-03-01T00:00:00.000Z", &[]);
    let newest = tool(TOOL, "Newest", "2026-04-01T00:00:00.000Z", &[]);
    let record = scene.import(&[newer, newest]).expect("imported").record;
    scene.import(&[first("Oldest", &[])]).expect("kept");
    let seen = scene.world.get(scene.police, "entity", record).expect("read");
    assert_eq!(seen.layers[0].body["title"], "Newest");
    assert_eq!(seen.layers[0].body["versions"].as_array().expect("versions").len(), 3);
    assert_eq!(scene.world.list(scene.police, "entity").total, 1);
}

#[test]
fn another_content_of_one_version_is_held_and_changes_nothing() {
    let scene = scene();
    let record = scene.import(&[first("Right", &[])]).expect("imported").record;
    scene.import(&[first("Wrong", &[])]).expect("held");
    let seen = scene.world.get(scene.police, "entity", record).expect("read");
    assert_eq!(seen.layers[0].body["title"], "Right");
    assert_eq!(seen.layers[0].body["held"].as_array().expect("held").len(), 1);
    assert_eq!(scene.slug(&[first("Wrong", &[])]), "nothing-to-do", "held once");
}

#[test]
fn bad_input_is_refused_with_its_place_and_nothing_is_written() {
    let scene = scene();
    let good = first("Good", &[]);
    let fault = scene.import(&[good.clone(), "{}".to_owned()]).expect_err("no object");
    assert_eq!(fault.code.slug, "invalid-object");
    assert!(fault.detail.starts_with("objects[1]"), "{}", fault.detail);
    assert_eq!(scene.slug(&[good.clone(), first("Odd", &[UNKNOWN])]), "unknown-marking");
    assert_eq!(scene.slug(&[]), "no-objects");
    assert_eq!(scene.slug(&vec![good.clone(); 257]), "too-many-objects");
    assert_eq!(scene.slug(&[first(&"a".repeat(60_000), &[])]), "object-too-large");
    let mut falling = table();
    falling["red"] = json!({ "level": 1, "compartments": [] });
    let command = json!({
        "do": "import", "markings": marking(2, &[]), "table": falling, "objects": [good]
    });
    let fault = scene.world.act(scene.police, "entity:import", &command).expect_err("weaker");
    assert_eq!(fault.code.slug, "table-order");
    assert_eq!(scene.world.list(scene.police, "entity").total, 0);
}

#[test]
fn nobody_imports_above_their_clearance_or_without_the_role() {
    let scene = scene();
    let low = scene.world.person(scene.police.agency, &Being { level: 3, ..DESK });
    let fault = scene.import_as(low, &[first("Red", &[RED])]).expect_err("not cleared");
    assert_eq!(fault.code.slug, "label-above-clearance");
    let guest = scene.world.person(scene.police.agency, &Being { roles: &["SIGNATORY"], ..DESK });
    let fault = scene.import_as(guest, &[first("Green", &[])]).expect_err("no role");
    assert_eq!(fault.code.slug, "denied");
}

#[test]
fn a_bundle_is_a_job_of_many_acts_that_may_be_given_again_after_a_restart() {
    let mut scene = scene();
    let mut objects: Vec<Value> = (0..300)
        .map(|n| {
            let id = format!("tool--2c1d8a4e-7f31-4c6d-8d4b-{n:012x}");
            let raw = tool(&id, &format!("Tool {n}"), "2026-02-01T00:00:00.000Z", &[]);
            serde_json::from_str(&raw).expect("JSON")
        })
        .collect();
    objects.push(json!({ "type": "tool" }));
    let odd = first("Odd", &[UNKNOWN]);
    objects.push(serde_json::from_str(&odd).expect("JSON"));
    let bundle = json!({
        "type": "bundle", "id": "bundle--2c1d8a4e-7f31-4c6d-8d4b-5e6f7a8b9c0d", "objects": objects
    });
    let bytes = serde_json::to_vec(&bundle).expect("JSON");
    let markings: BTreeMap<SchemeId, Marking> =
        serde_json::from_value(marking(2, &[])).expect("markings");
    let table: Table = serde_json::from_value(table()).expect("a table");
    let originators = BTreeSet::from([scene.police.agency]);
    let unmarked = Label::new(markings.clone(), originators, Play::Live).expect("a label");
    let job = job::plan(&bytes, &markings, &table, &unmarked).expect("a job");
    assert_eq!(job.taken, 300);
    assert_eq!(job.refused, BTreeMap::from([("invalid-object", 1), ("unknown-marking", 1)]));
    assert!(job.acts.len() > 1, "more than one act may write");
    let give = |world: &World, act: &app::entities::Import| {
        let mut command = serde_json::to_value(act).expect("JSON");
        command["do"] = json!("import");
        world.act(scene.police, "entity:import", &command)
    };
    give(&scene.world, &job.acts[0]).expect("the first act");
    scene.world.restart();
    let outcomes: Vec<_> = job.acts.iter().map(|act| give(&scene.world, act)).collect();
    assert_eq!(outcomes[0].as_ref().expect_err("done before").code.slug, "nothing-to-do");
    assert!(outcomes[1..].iter().all(Result::is_ok));
    assert_eq!(scene.world.list(scene.police, "entity").total, 300);
}
