//! Entities: given two agencies and a clause, when one imports, then exactly this follows.

use std::collections::BTreeMap;

use app::entities::{Import, Table, Tally, job};
use app::kernel::{Done, Fault};
use base::{Marking, RecordId, SchemeId};
use serde_json::{Value, json};
use testkit::world::{Being, marking};
use testkit::{Who, World};

const DESK: Being<'static> = Being { level: 4, compartments: &[], roles: &["DUTY", "SIGNATORY"] };
const CLEAR: &str = "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487";
const AMBER: &str = "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421";
const RED: &str = "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1";
const UNKNOWN: &str = "marking-definition--0a0a0a0a-486f-44da-b317-01333bde0b82";
const TOOL: &str = "tool--2c1d8a4e-7f31-4c6d-8d4b-5e6f7a8b9c0d";
const ACTOR: &str = "intrusion-set--6b3b7e0c-0a3b-4b3a-9c1f-2f6a7d8e9b10";
const USES: &str = "relationship--9f5a4f4e-5d0e-4f0c-8f66-0d2a3c1b7e55";

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

fn marked(mut object: Value, marks: &[&str]) -> String {
    if !marks.is_empty() {
        object["object_marking_refs"] = json!(marks);
    }
    object.to_string()
}

fn tool(id: &str, name: &str, modified: &str, marks: &[&str]) -> String {
    let object = json!({
        "type": "tool", "spec_version": "2.1", "id": id, "name": name,
        "created": "2026-01-01T00:00:00.000Z", "modified": modified
    });
    marked(object, marks)
}

fn first(name: &str, marks: &[&str]) -> String {
    tool(TOOL, name, "2026-02-01T00:00:00.000Z", marks)
}

fn actor(name: &str, marks: &[&str]) -> String {
    let object = json!({
        "type": "intrusion-set", "spec_version": "2.1", "id": ACTOR, "name": name,
        "created": "2026-01-01T00:00:00.000Z", "modified": "2026-02-01T00:00:00.000Z"
    });
    marked(object, marks)
}

fn uses(marks: &[&str]) -> String {
    let object = json!({
        "type": "relationship", "spec_version": "2.1", "id": USES,
        "created": "2026-01-01T00:00:00.000Z", "modified": "2026-02-01T00:00:00.000Z",
        "relationship_type": "uses", "source_ref": ACTOR, "target_ref": TOOL
    });
    marked(object, marks)
}

fn command(level: u8, objects: &[String]) -> Value {
    json!({ "markings": marking(level, &[]), "table": table(), "objects": objects })
}

impl Scene {
    fn import_as(&self, who: Who, objects: &[String]) -> Result<Done, Fault> {
        let mut command = command(1, objects);
        command["do"] = json!("import");
        self.world.act(who, "entity:import", &command)
    }

    fn import(&self, objects: &[String]) -> Result<Done, Fault> {
        self.import_as(self.police, objects)
    }

    fn one(&self, raw: String) -> RecordId {
        self.import(&[raw]).expect("imported").record
    }

    fn slug(&self, objects: &[String]) -> &'static str {
        self.import(objects).expect_err("refused").code.slug
    }

    fn tally(&self, who: Who, objects: &[String]) -> Tally {
        let token = self.world.token(who);
        let (status, _, body) =
            self.world.post(&token, "/api/entities/preview", &command(1, objects));
        assert_eq!(status.as_u16(), 200, "{}", String::from_utf8_lossy(&body));
        serde_json::from_slice(&body).expect("a tally")
    }

    fn held(&self, object: &str) -> Vec<String> {
        let tally = self.tally(self.police, &[object.to_owned()]);
        assert_eq!(tally.objects(), 1);
        tally.held.into_keys().collect()
    }

    fn levels(&self, record: RecordId) -> Vec<u8> {
        let seen = self.world.get(self.police, "entity", record).expect("readable");
        let markings = |layer: &app::kernel::reader::OpenLayer| {
            layer.label.markings().values().next().expect("a marking").level.0
        };
        seen.layers.iter().map(markings).collect()
    }

    fn related(&self, who: Who, record: RecordId) -> (u16, Value) {
        let token = self.world.token(who);
        let path = format!("/api/entities/{record}/related");
        let (status, _, body) = self.world.read(&token, &path);
        (status.as_u16(), serde_json::from_slice(&body).expect("JSON"))
    }
}

#[test]
fn what_is_imported_keeps_its_bytes_and_is_read_by_its_agency_and_under_a_clause() {
    let scene = scene();
    let raw = first("Mimikatz", &[AMBER]);
    let record = scene.one(raw.clone());
    for who in [scene.police, scene.fire] {
        let seen = scene.world.get(who, "entity", record).expect("readable");
        assert_eq!(seen.state.as_deref(), Some("current"));
        let body = &seen.layers[0].body;
        assert_eq!(body["title"], "Mimikatz");
        assert_eq!(body["type"], "tool");
        assert_eq!(body["original"], json!(raw));
    }
}

#[test]
fn markings_become_levels_by_the_table_and_never_fall_below_the_default() {
    let scene = scene();
    let cases: [(&[&str], u8); 6] =
        [(&[], 1), (&[CLEAR], 1), (&[AMBER], 2), (&[RED], 4), (&[UNKNOWN], 4), (&[CLEAR, RED], 4)];
    for (n, (marks, level)) in cases.into_iter().enumerate() {
        let id = format!("tool--2c1d8a4e-7f31-4c6d-8d4b-{n:012x}");
        let record = scene.one(tool(&id, "Tool", "2026-02-01T00:00:00.000Z", marks));
        assert_eq!(scene.levels(record), [level], "{marks:?}");
    }
    let mut higher = command(3, &[first("Default", &[CLEAR])]);
    higher["do"] = json!("import");
    let done = scene.world.act(scene.police, "entity:import", &higher).expect("imported");
    assert_eq!(scene.levels(done.record), [3]);
}

#[test]
fn what_is_red_reaches_nobody_whom_no_clause_names_and_leaves_no_trace() {
    let scene = scene();
    let before = serde_json::to_value(scene.world.list(scene.fire, "entity")).expect("a page");
    let red = scene.one(first("Hidden", &[RED]));
    assert_eq!(scene.world.list(scene.police, "entity").total, 1);
    let fault = scene.world.get(scene.fire, "entity", red).expect_err("no clause");
    let nothing = RecordId([7; 16]);
    let absent = scene.world.get(scene.fire, "entity", nothing).expect_err("absent");
    assert_eq!((fault.code.slug, &fault.detail), (absent.code.slug, &absent.detail));
    let hidden = scene.related(scene.fire, red);
    assert_eq!(hidden.0, 404);
    assert_eq!(hidden, scene.related(scene.fire, nothing));
    let after = serde_json::to_value(scene.world.list(scene.fire, "entity")).expect("a page");
    assert_eq!(before, after);
}

#[test]
fn one_object_is_one_record_of_its_agency_whatever_the_labels_of_its_versions() {
    let scene = scene();
    let amber = scene.one(first("Amber", &[AMBER]));
    let red = scene.one(tool(TOOL, "Red", "2026-03-01T00:00:00.000Z", &[RED]));
    assert_eq!(amber, red);
    assert_eq!(scene.levels(amber), [2, 4]);
    let seen = scene.world.get(scene.fire, "entity", amber).expect("the lower layer");
    assert_eq!(seen.layers.len(), 1, "what is RED is not in it");
    assert_eq!(seen.layers[0].body["title"], "Amber");
    // An import raises and never lowers.
    let clear = scene.one(tool(TOOL, "Clear", "2026-04-01T00:00:00.000Z", &[CLEAR]));
    assert_eq!(clear, amber);
    assert_eq!(scene.levels(amber), [2, 4]);
}

#[test]
fn the_same_object_of_two_agencies_is_two_records() {
    let scene = scene();
    let police = scene.one(first("Same", &[AMBER]));
    let fire = scene.import_as(scene.fire, &[first("Same", &[AMBER])]).expect("their own").record;
    assert_ne!(police, fire);
    assert_eq!(scene.world.list(scene.fire, "entity").total, 2);
}

#[test]
fn who_may_not_know_of_a_record_imports_as_if_it_were_not_there() {
    let scene = scene();
    let cleared = Being { level: 4, compartments: &["KESTREL"], roles: &["DUTY"] };
    let cleared = scene.world.person(scene.police.agency, &cleared);
    let mut secret = command(4, &[first("Same", &[])]);
    secret["markings"] = marking(4, &["KESTREL"]);
    secret["do"] = json!("import");
    let hidden = scene.world.act(cleared, "entity:import", &secret).expect("imported").record;
    let tally = scene.tally(scene.police, &[first("Same", &[])]);
    assert_eq!((tally.accepted, tally.unchanged), (1, 0), "nothing tells of the other");
    assert_ne!(scene.one(first("Same", &[])), hidden);
    assert_eq!(scene.world.list(scene.police, "entity").total, 1);
}

#[test]
fn what_was_imported_before_is_not_written_again() {
    let scene = scene();
    let raw = first("Once", &[]);
    scene.import(&[raw.clone(), raw.clone()]).expect("imported");
    assert_eq!(scene.slug(std::slice::from_ref(&raw)), "nothing-to-do");
    let spaced = raw.replace("\":", "\" : ");
    assert_eq!(scene.tally(scene.police, &[raw, spaced]).unchanged, 2);
    assert_eq!(scene.world.list(scene.police, "entity").total, 1);
}

#[test]
fn the_newest_version_is_shown_whatever_the_order_in_which_they_came() {
    let scene = scene();
    let newer = tool(TOOL, "Newer", "2026-03-01T00:00:00.000Z", &[]);
    let newest = tool(TOOL, "Newest", "2026-04-01T00:00:00.000Z", &[]);
    let record = scene.import(&[newer, newest]).expect("imported").record;
    assert_eq!(scene.tally(scene.police, &[first("Oldest", &[])]).older, 1);
    scene.import(&[first("Oldest", &[])]).expect("kept");
    let seen = scene.world.get(scene.police, "entity", record).expect("read");
    assert_eq!(seen.layers[0].body["title"], "Newest");
    assert_eq!(seen.layers[0].body["versions"].as_array().expect("versions").len(), 3);
    assert_eq!(scene.world.list(scene.police, "entity").total, 1);
}

#[test]
fn another_content_of_one_version_is_held_and_changes_nothing() {
    let scene = scene();
    let record = scene.one(first("Right", &[]));
    assert_eq!(scene.held(&first("Wrong", &[])), ["other-content"]);
    scene.import(&[first("Wrong", &[])]).expect("held");
    let seen = scene.world.get(scene.police, "entity", record).expect("read");
    assert_eq!(seen.layers[0].body["title"], "Right");
    assert_eq!(seen.layers[0].body["held"].as_array().expect("held").len(), 1);
    assert_eq!(scene.slug(&[first("Wrong", &[])]), "nothing-to-do", "held once");
}

#[test]
fn a_relationship_stands_at_or_above_both_its_ends() {
    let scene = scene();
    scene.import(&[actor("Group", &[RED]), first("Tool", &[CLEAR])]).expect("imported");
    let relationship = scene.one(uses(&[CLEAR]));
    assert_eq!(scene.levels(relationship), [4]);
    assert_eq!(scene.world.list(scene.fire, "entity").total, 1, "the tool alone");
}

#[test]
fn an_end_that_is_not_known_counts_as_the_strictest() {
    let scene = scene();
    scene.import(&[first("Tool", &[CLEAR])]).expect("imported");
    let relationship = scene.one(uses(&[CLEAR]));
    assert_eq!(scene.levels(relationship), [4]);
    let fault = scene.world.get(scene.fire, "entity", relationship).expect_err("hidden");
    assert_eq!(fault.code.slug, "absent");
}

#[test]
fn related_entities_stand_in_both_directions_and_hidden_ones_leave_no_trace() {
    let scene = scene();
    let tool = scene.one(first("Tool", &[CLEAR]));
    let before = scene.related(scene.fire, tool);
    assert_eq!(before.1, json!({ "items": [], "more": false }));
    let group = scene.one(actor("Group", &[RED]));
    scene.one(uses(&[CLEAR]));
    assert_eq!(scene.related(scene.fire, tool), before, "nothing of it");
    let (_, out) = scene.related(scene.police, group);
    assert_eq!(out["items"][0]["direction"], "out");
    assert_eq!(out["items"][0]["kind"], "uses");
    assert_eq!(out["items"][0]["entity"], json!(tool));
    assert_eq!(out["items"][0]["title"], "Tool");
    let (_, back) = scene.related(scene.police, tool);
    assert_eq!(back["items"][0]["direction"], "in");
    assert_eq!(back["items"][0]["entity"], json!(group));
}

#[test]
fn a_relationship_whose_end_was_raised_afterwards_is_not_shown_as_related() {
    let scene = scene();
    let tool = scene.one(first("Tool", &[CLEAR]));
    let group = scene.one(actor("Group", &[CLEAR]));
    scene.one(uses(&[CLEAR]));
    assert_eq!(scene.related(scene.fire, tool).1["items"].as_array().expect("items").len(), 1);
    let contain = json!({
        "do": "contain", "record": group, "markings": marking(4, &[]), "reason": "wrong label"
    });
    let contained = scene.world.act(scene.police, "spillage:contain", &contain);
    contained.expect("contained");
    assert_eq!(scene.related(scene.fire, tool).1, json!({ "items": [], "more": false }));
    assert_eq!(scene.related(scene.police, tool).1["items"].as_array().expect("items").len(), 1);
}

#[test]
fn what_is_bad_is_counted_with_its_reason_and_the_rest_is_taken() {
    let scene = scene();
    let (good, bad) = (first("Good", &[]), "{}".to_owned());
    let large = first(&"a".repeat(60_000), &[]);
    let tally = scene.tally(scene.police, &[good.clone(), bad.clone(), large.clone()]);
    let held = [("invalid-object", 1), ("object-too-large", 1)];
    assert_eq!(tally.accepted, 1);
    assert_eq!(tally.held, held.map(|(reason, n)| (reason.to_owned(), n)).into());
    scene.import(&[good.clone(), bad, large]).expect("the good one");
    assert_eq!(scene.world.list(scene.police, "entity").total, 1);
    assert_eq!(scene.slug(&[]), "no-objects");
    assert_eq!(scene.slug(&vec![good.clone(); 257]), "too-many-objects");
    assert_eq!(scene.slug(&vec![good.clone(); 256]), "nothing-to-do");
    let mut falling = command(1, &[good]);
    falling["do"] = json!("import");
    falling["table"]["red"] = json!({ "level": 1, "compartments": [] });
    let fault = scene.world.act(scene.police, "entity:import", &falling).expect_err("weaker");
    assert_eq!(fault.code.slug, "table-order");
}

#[test]
fn nobody_imports_without_clearance_for_the_whole_table_or_without_the_role() {
    let scene = scene();
    let low = scene.world.person(scene.police.agency, &Being { level: 3, ..DESK });
    let fault = scene.import_as(low, &[first("Green", &[])]).expect_err("not cleared");
    assert_eq!(fault.code.slug, "label-above-clearance");
    let guest = scene.world.person(scene.police.agency, &Being { roles: &["SIGNATORY"], ..DESK });
    let fault = scene.import_as(guest, &[first("Green", &[])]).expect_err("no role");
    assert_eq!(fault.code.slug, "denied");
    assert_eq!(scene.world.list(scene.police, "entity").total, 0);
}

fn bundle(objects: &[Value]) -> Vec<u8> {
    let bundle = json!({
        "type": "bundle", "id": "bundle--2c1d8a4e-7f31-4c6d-8d4b-5e6f7a8b9c0d", "objects": objects
    });
    serde_json::to_vec(&bundle).expect("JSON")
}

fn parsed(raw: &str) -> Value {
    serde_json::from_str(raw).expect("JSON")
}

fn plan(bytes: &[u8]) -> Result<job::Job, Fault> {
    let markings: BTreeMap<SchemeId, Marking> =
        serde_json::from_value(marking(1, &[])).expect("markings");
    let table: Table = serde_json::from_value(table()).expect("a table");
    job::plan(bytes, &markings, &table)
}

fn give(scene: &Scene, part: &job::Part) -> Result<Done, Fault> {
    let Import { markings, table, definitions, objects } = &part.import;
    let command = json!({
        "do": "import", "markings": markings, "table": table, "definitions": definitions,
        "objects": objects
    });
    let command: BTreeMap<String, Value> =
        serde_json::from_value(command).expect("fields by their name");
    let (command, key) = (json!(command), &part.idempotency_key);
    scene.world.act_with_key(scene.police, "entity:import", &command, key)
}

#[test]
fn a_bundle_is_a_job_of_many_acts_that_goes_on_after_a_restart_and_does_nothing_twice() {
    let mut scene = scene();
    let mut objects: Vec<Value> = vec![parsed(&uses(&[])), parsed(&actor("Group", &[]))];
    objects.push(parsed(&first("Tool", &[])));
    objects.extend((0..300).map(|n| {
        let id = format!("tool--2c1d8a4e-7f31-4c6d-8d4b-{n:012x}");
        parsed(&tool(&id, &format!("Tool {n}"), "2026-02-01T00:00:00.000Z", &[]))
    }));
    objects.push(json!({ "type": "tool" }));
    let bytes = bundle(&objects);
    let job = plan(&bytes).expect("a job");
    assert_eq!(job.objects, 304);
    assert_eq!(job.held.objects(), 1, "every object stands in a part or is counted");
    let taken: usize = job.parts.iter().map(|part| part.import.objects.len()).sum();
    assert_eq!(taken, 303);
    let last = job.parts.last().and_then(|part| part.import.objects.last()).expect("an object");
    assert!(last.contains(USES), "ends come before what relates them");
    let began = give(&scene, &job.parts[0]).expect("the first act");
    scene.world.restart();
    let again = plan(&bytes).expect("the same job");
    let outcomes: Vec<_> =
        again.parts.iter().map(|part| give(&scene, part).expect("done")).collect();
    assert_eq!(outcomes[0].sequence, began.sequence, "answered, not done again");
    assert!(outcomes.len() > 1);
    assert_eq!(scene.world.list(scene.police, "entity").total, 303);
    let entries = scene.world.node().counts().entries;
    for part in &plan(&bytes).expect("the same job").parts {
        give(&scene, part).expect("answered");
    }
    assert_eq!(scene.world.node().counts().entries, entries, "nothing was written twice");
}

#[test]
fn an_import_tells_what_came_of_its_objects_and_a_repeated_one_what_would_come() {
    let scene = scene();
    let bytes = bundle(&[parsed(&first("Tool", &[])), parsed(&actor("Group", &[]))]);
    let job = plan(&bytes).expect("a job");
    let told = give(&scene, &job.parts[0]).expect("done").told.expect("a tally");
    assert_eq!((&told["accepted"], &told["unchanged"]), (&json!(2), &json!(0)));
    assert!(give(&scene, &job.parts[0]).expect("answered").told.is_none());
    let police = scene.world.context(scene.police);
    let tally = job::perform(scene.world.node(), &police, &job).expect("done before");
    assert_eq!((tally.accepted, tally.unchanged), (0, 2));
    // The same objects in another bundle: the act does nothing, and they are counted all the same.
    let more = plan(&bundle(&[parsed(&actor("Group", &[]))])).expect("a job");
    let entries = scene.world.node().counts().entries;
    let tally = job::perform(scene.world.node(), &police, &more).expect("nothing to do");
    assert_eq!((tally.accepted, tally.unchanged), (0, 1));
    assert_eq!(scene.world.node().counts().entries, entries);
}

#[test]
fn what_is_no_bundle_is_refused_without_quoting_it() {
    for bytes in [&b"secret"[..], b"{\"type\":\"secret\",\"objects\":[]}", b"\xff"] {
        let fault = plan(bytes).expect_err("no bundle");
        assert_eq!(fault.code.slug, "invalid-bundle");
        assert!(!fault.detail.contains("secret"), "{}", fault.detail);
    }
}
