//! Inquiries: given an alert and its readers, when an inspector asks, then exactly this is found.

use base::{RecordId, Time};
use serde_json::{Value, json};
use testkit::world::{Being, Flow, marking};
use testkit::{Who, World};

const DESK: Being<'static> =
    Being { level: 4, compartments: &["KESTREL"], roles: &["DUTY", "SIGNATORY"] };

/// An alert of the police to the fire service, with a higher part; customs has no clause.
struct Scene {
    world: World,
    police: Who,
    /// Cleared below the alert's higher part.
    clerk: Who,
    /// Cleared below the alert.
    cadet: Who,
    fire: Who,
    customs: Who,
    inspector: Who,
    alert: RecordId,
    agreement: base::AgreementId,
}

fn scene() -> Scene {
    let world = World::new();
    let [pol, fir, cus] = ["POL", "FIRE", "CUS"].map(|code| world.agency(code));
    let police = world.person(pol, &DESK);
    let clerk = world.person(pol, &Being { level: 3, compartments: &[], roles: &["ANALYST"] });
    let cadet = world.person(pol, &Being { level: 1, compartments: &[], roles: &["ANALYST"] });
    let fire = world.person(fir, &DESK);
    let customs = world.person(cus, &DESK);
    let inspector =
        world.person(pol, &Being { level: 2, compartments: &[], roles: &["INSPECTOR"] });
    world.charter(&[pol, fir, cus]);
    let both = [pol, fir];
    let flows: &[Flow<'_>] = &[(&both, &both, &["alert:read", "circle:read"], 5)];
    let agreement = world.enact(&world.agreement(&both, flows), &[police, fire]);
    world.clock.advance_s(60);
    let command = json!({
        "do": "raise", "markings": marking(2, &[]), "precedence": "IMMEDIATE",
        "title": "Explosion", "text": "Casualties.", "audience": [fir],
        "options": ["coming"], "place": null,
        "higher": [{ "markings": marking(4, &["KESTREL"]), "text": "A known cell." }]
    });
    let alert = world.act(police, "alert:raise", &command).expect("an alert").record;
    world.clock.advance_s(60);
    Scene { world, police, clerk, cadet, fire, customs, inspector, alert, agreement }
}

fn now(scene: &Scene) -> Time {
    use app::kernel::clock::Clock;
    scene.world.clock.now()
}

fn open(scene: &Scene, who: Who, subject: RecordId, instant: Time) -> Result<RecordId, String> {
    let command = json!({
        "do": "open", "markings": marking(1, &[]), "subject": subject, "instant": instant,
        "reason": "Who knew"
    });
    let done = scene.world.act(who, "inquiry:open", &command);
    done.map(|done| done.record).map_err(|fault| fault.code.slug.to_owned())
}

fn findings(scene: &Scene, instant: Time) -> Value {
    let inquiry = open(scene, scene.inspector, scene.alert, instant).expect("an inquiry");
    let token = scene.world.token(scene.inspector);
    let path = format!("/api/inquiries/{inquiry}/findings");
    let (status, _, body) = scene.world.read(&token, &path);
    assert_eq!(status, 200, "{}", String::from_utf8_lossy(&body));
    serde_json::from_slice(&body).expect("findings")
}

fn of(findings: &Value, who: Who) -> &Value {
    let people = findings["people"].as_array().expect("people");
    people.iter().find(|p| p["person"] == json!(who.person)).expect("the person")
}

fn of_agency(findings: &Value, who: Who) -> &Value {
    let agencies = findings["agencies"].as_array().expect("agencies");
    agencies.iter().find(|a| a["agency"] == json!(who.agency)).expect("the agency")
}

#[test]
fn each_person_is_found_as_the_rules_of_the_instant_had_it() {
    let scene = scene();
    let found = findings(&scene, now(&scene));
    assert_eq!(found["layers"], 2);
    let person = |who| {
        let found = of(&found, who);
        (found["available"].clone(), found["layers"].clone(), found["withheld"].clone())
    };
    assert_eq!(person(scene.police), (json!(true), json!(2), Value::Null));
    assert_eq!(person(scene.clerk), (json!(true), json!(1), Value::Null));
    let withheld = json!({ "by": "clearance", "because": ["level"] });
    assert_eq!(person(scene.cadet), (json!(false), json!(0), withheld));
    assert_eq!(of_agency(&found, scene.fire)["available"], true);
    let grounds = of_agency(&found, scene.fire)["grounds"].as_array().expect("grounds").clone();
    assert_eq!(grounds.len(), 1, "the clause");
    let customs = of_agency(&found, scene.customs);
    assert_eq!(customs["available"], false);
    assert_eq!(customs["withheld"]["by"], "clause");
}

#[test]
fn of_another_agency_a_missing_clause_is_told_and_no_missing_clearance() {
    let scene = scene();
    // Nobody there is cleared for the alert either.
    let low = Being { level: 1, compartments: &[], roles: &["DUTY"] };
    let harbour = scene.world.person(scene.world.agency("HARB"), &low);
    let found = findings(&scene, now(&scene));
    let told = of_agency(&found, harbour);
    assert_eq!(told["withheld"], json!({ "by": "clause", "because": [] }));
    // An object that a clause lets through, to whom nobody is cleared.
    let both = [scene.police.agency, scene.fire.agency];
    let text = scene.world.agreement(&both, &[(&both, &both, &["entity:read"], 5)]);
    scene.world.enact(&text, &[scene.police, scene.fire]);
    let of = |level: u8| json!({ "level": level });
    let object = json!({
        "type": "tool", "spec_version": "2.1", "name": "tool",
        "id": "tool--2c1d8a4e-7f31-4c6d-8d4b-000000000001",
        "created": "2026-01-01T00:00:00.000Z", "modified": "2026-02-01T00:00:00.000Z"
    });
    let command = json!({
        "do": "import", "markings": marking(4, &["LANTERN"]),
        "table": { "scheme": "NAT", "clear": of(1), "green": of(1), "amber": of(2),
            "amber_strict": of(3), "red": of(4) },
        "objects": [object.to_string()]
    });
    let codes = &["LANTERN"];
    let analyst = Being { level: 4, compartments: codes, roles: &["DUTY", "ANALYST"] };
    let analyst = scene.world.person(scene.police.agency, &analyst);
    let subject = scene.world.act(analyst, "entity:import", &command).expect("imported").record;
    let fire = scene.fire;
    let later = Scene { alert: subject, ..scene };
    let found = findings(&later, now(&later));
    let told = of_agency(&found, fire);
    assert_eq!((&told["available"], &told["withheld"]), (&json!(false), &Value::Null));
    assert_eq!(of_agency(&found, harbour)["withheld"]["by"], "clause");
}

#[test]
fn persons_of_other_agencies_are_their_own_matter() {
    let scene = scene();
    scene.world.get(scene.fire, "alert", scene.alert).expect("the alert");
    let found = findings(&scene, now(&scene)).to_string();
    assert!(!found.contains(&scene.fire.person.to_string()));
    assert!(!found.contains(&scene.customs.person.to_string()));
}

#[test]
fn what_was_listed_opened_and_acknowledged_is_found_with_its_time() {
    let scene = scene();
    let before = now(&scene);
    scene.world.clock.advance_s(10);
    scene.world.list(scene.police, "alert");
    scene.world.clock.advance_s(10);
    scene.world.get(scene.police, "alert", scene.alert).expect("the alert");
    scene.world.clock.advance_s(10);
    let answer = json!({ "do": "acknowledge", "alert": scene.alert, "option": 0, "note": null });
    scene.world.act(scene.fire, "alert:acknowledge", &answer).expect("answered");
    let found = findings(&scene, now(&scene));
    let at = |s| json!(before.plus_s(s));
    let police = of(&found, scene.police);
    assert_eq!((&police["listed"]["at"], &police["opened"]["at"]), (&at(10), &at(20)));
    assert_eq!(police["acknowledged"], Value::Null);
    assert_eq!(of_agency(&found, scene.fire)["acknowledged"]["at"], at(30));
    let earlier = findings(&scene, before.plus_s(15));
    let police = of(&earlier, scene.police);
    assert_eq!((&police["listed"]["at"], &police["opened"]), (&at(10), &Value::Null));
    assert_eq!(of_agency(&earlier, scene.fire)["acknowledged"], Value::Null);
}

#[test]
fn what_was_sent_by_the_live_stream_is_found() {
    let scene = scene();
    let token = scene.world.token(scene.police);
    let listening = scene.world.listen();
    let mut live = listening.live(&token, &["alert"]);
    let answer = json!({ "do": "acknowledge", "alert": scene.alert, "option": 0, "note": null });
    scene.world.act(scene.fire, "alert:acknowledge", &answer).expect("answered");
    live.frame().expect("a frame");
    let found = findings(&scene, now(&scene));
    assert_eq!(of(&found, scene.police)["sent"]["at"], json!(now(&scene)));
    assert_eq!(of(&found, scene.clerk)["sent"], Value::Null);
}

#[test]
fn rights_are_those_of_the_instant_not_of_today() {
    let scene = scene();
    let before = now(&scene);
    scene.world.clock.advance_s(10);
    let suspend = json!({ "do": "suspend", "agreement": scene.agreement, "reason": "breach" });
    scene.world.act(scene.fire, "agreement:suspend", &suspend).expect("suspended");
    scene.world.clock.advance_s(10);
    let (then, today) = (findings(&scene, before), findings(&scene, now(&scene)));
    assert_eq!(of_agency(&then, scene.fire)["available"], true);
    assert_eq!(of_agency(&today, scene.fire)["available"], false);
    assert_eq!(of_agency(&today, scene.fire)["withheld"]["by"], "clause");
    let back = findings(&scene, before);
    assert_eq!(of_agency(&back, scene.fire), of_agency(&then, scene.fire), "asked again");
}

#[test]
fn before_the_record_was_there_nobody_knew() {
    let scene = scene();
    let found = findings(&scene, now(&scene).plus_s(-90));
    assert_eq!(found["entries"], json!([]));
    for person in found["people"].as_array().expect("people") {
        assert_eq!(
            (&person["available"], &person["withheld"]["by"]),
            (&json!(false), &json!("not-yet"))
        );
    }
}

#[test]
fn the_inspectors_own_reads_are_found_too() {
    let scene = scene();
    let instant = now(&scene);
    let inquiry = open(&scene, scene.inspector, scene.alert, instant).expect("an inquiry");
    let token = scene.world.token(scene.inspector);
    let path = format!("/api/inquiries/{inquiry}/findings");
    scene.world.read(&token, &path);
    assert_eq!(scene.world.read(&token, &format!("/api/inquiries/{inquiry}/bundle")).0, 200);
    let (_, _, body) = scene.world.read(&token, &path);
    let found: Value = serde_json::from_slice(&body).expect("findings");
    let kinds: Vec<&str> = found["reads"]
        .as_array()
        .expect("reads")
        .iter()
        .filter_map(|r| r["kind"].as_str())
        .collect();
    assert_eq!(kinds, ["opened", "opened", "exported", "opened"]);
    assert!(found["reads"][0]["person"] == json!(scene.inspector.person));
}

#[test]
fn only_an_inspector_inquires() {
    let scene = scene();
    assert_eq!(open(&scene, scene.police, scene.alert, now(&scene)), Err("denied".to_owned()));
    let inquiry = open(&scene, scene.inspector, scene.alert, now(&scene)).expect("an inquiry");
    let never = RecordId([7; 16]);
    for who in [scene.police, scene.fire] {
        let token = scene.world.token(who);
        assert_eq!(scene.world.list(who, "inquiry").total, 0);
        for part in ["findings", "bundle"] {
            let hidden = scene.world.read(&token, &format!("/api/inquiries/{inquiry}/{part}"));
            let absent = scene.world.read(&token, &format!("/api/inquiries/{never}/{part}"));
            assert_eq!(hidden, absent);
            assert_eq!(hidden.0, 403);
        }
        let hidden = scene.world.read(&token, &format!("/api/inquiries/{inquiry}"));
        assert_eq!(hidden, scene.world.read(&token, &format!("/api/inquiries/{never}")));
        assert_eq!(hidden.0, 404);
    }
}

#[test]
fn an_inspector_of_another_agency_learns_neither_of_the_record_nor_of_the_inquiry() {
    let scene = scene();
    let being = Being { level: 5, compartments: &["KESTREL"], roles: &["INSPECTOR"] };
    let stranger = scene.world.person(scene.customs.agency, &being);
    let inquiry = open(&scene, scene.inspector, scene.alert, now(&scene)).expect("an inquiry");
    let hidden = open(&scene, stranger, scene.alert, now(&scene));
    assert_eq!(hidden, open(&scene, stranger, RecordId([7; 16]), now(&scene)));
    assert_eq!(hidden, Err("absent".to_owned()));
    let token = scene.world.token(stranger);
    let never = RecordId([7; 16]);
    for part in ["", "/findings", "/bundle"] {
        let of = |id: RecordId| scene.world.read(&token, &format!("/api/inquiries/{id}{part}"));
        assert_eq!(of(inquiry), of(never));
        assert_eq!(of(inquiry).0, 404);
    }
}

#[test]
fn an_inspector_gets_no_text_above_the_own_clearance() {
    let scene = scene();
    let inquiry = open(&scene, scene.inspector, scene.alert, now(&scene)).expect("an inquiry");
    let token = scene.world.token(scene.inspector);
    let (status, headers, body) =
        scene.world.read(&token, &format!("/api/inquiries/{inquiry}/bundle"));
    assert_eq!(status, 200);
    assert_eq!(headers["content-type"], "application/vnd.muster.bundle");
    let text = String::from_utf8_lossy(&body).into_owned();
    assert!(text.contains("Casualties."), "the inspector is cleared for it");
    assert!(!text.contains("A known cell."), "and not for this");
}

#[test]
fn an_instant_that_has_not_come_is_refused() {
    let scene = scene();
    let ahead = open(&scene, scene.inspector, scene.alert, now(&scene).plus_s(1));
    assert_eq!(ahead, Err("instant-ahead".to_owned()));
}

#[test]
fn findings_are_the_same_after_a_restart() {
    let mut scene = scene();
    scene.world.get(scene.police, "alert", scene.alert).expect("the alert");
    let instant = now(&scene);
    scene.world.clock.advance_s(1);
    let mut before = findings(&scene, instant);
    scene.world.restart();
    let mut after = findings(&scene, instant);
    for found in [&mut before, &mut after] {
        // Each asks in an inquiry of its own.
        found["inquiry"] = Value::Null;
        found["reads"] = Value::Null;
    }
    assert_eq!(before, after);
}

#[test]
fn the_ledger_tells_an_inspector_metadata_of_the_own_line_and_a_desk_nothing() {
    let scene = scene();
    let page = |who: Who| scene.world.read(&scene.world.token(who), "/api/ledger");
    assert_eq!(page(scene.police).0, 403);
    let (status, _, body) = page(scene.inspector);
    assert_eq!(status, 200);
    let ledger: Value = serde_json::from_slice(&body).expect("a page");
    let entries = ledger["entries"].as_array().expect("entries");
    let raised = entries.iter().find(|e| e["kind"] == "alert.raised/1").expect("the alert");
    assert_eq!(raised["record"], json!(scene.alert));
    assert_eq!(raised["portions"], 2);
    assert!(!ledger.to_string().contains("Explosion"), "no content");
    let foreign = entries.iter().filter(|e| e["agency"] == json!(scene.customs.agency));
    for entry in foreign {
        assert_ne!(entry["kind"], "inquiry.opened/1");
    }
    let being = Being { level: 5, compartments: &["KESTREL"], roles: &["INSPECTOR"] };
    let stranger = scene.world.person(scene.customs.agency, &being);
    let (_, _, body) = page(stranger);
    let ledger: Value = serde_json::from_slice(&body).expect("a page");
    assert!(!ledger.to_string().contains(&scene.alert.to_string()), "it stays hidden");
}

#[test]
fn an_entry_is_proved_to_be_in_the_ledger() {
    use ledger::proof::verify_inclusion;
    let scene = scene();
    let token = scene.world.token(scene.inspector);
    let (_, _, body) = scene.world.read(&token, "/api/ledger");
    let page: Value = serde_json::from_slice(&body).expect("a page");
    let entry = page["entries"][3]["id"].as_str().expect("an id");
    let (status, _, body) = scene.world.read(&token, &format!("/api/ledger/{entry}/proof"));
    assert_eq!(status, 200);
    let proof: Value = serde_json::from_slice(&body).expect("a proof");
    let digest = |value: &Value| value.as_str().expect("hex").parse().expect("a digest");
    let path: Vec<base::Digest> =
        proof["path"].as_array().expect("a path").iter().map(digest).collect();
    let head = ledger::tree::Head {
        size: proof["size"].as_u64().expect("a size"),
        root: digest(&proof["root"]),
    };
    let index = proof["sequence"].as_u64().expect("a number");
    verify_inclusion(&digest(&proof["leaf_hash"]), index, &head, &path).expect("proved");
    let never = scene.world.read(&token, &format!("/api/ledger/{}/proof", RecordId([7; 16])));
    assert_eq!(never.0, 404);
}
