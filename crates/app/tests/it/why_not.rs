//! Why not: who reads what originates with the asker, and what stands in the way, and nobody else
//! learns anything of it.

use std::collections::BTreeSet;

use base::RecordId;
use proptest::prelude::*;
use serde_json::{Value, json};
use testkit::world::{Being, marking};
use testkit::{Who, World};

struct Scene {
    world: World,
    police: Who,
    /// Of the police, cleared up to level 3 and for no compartment.
    constable: Who,
    fire: Who,
    /// Cleared for everything, without any clause from the police.
    customs: Who,
    /// Whose agreement with the police ends at level 1.
    harbour: Who,
    agreement: RecordId,
    low: RecordId,
}

const DESK: Being<'static> =
    Being { level: 5, compartments: &["KESTREL", "LANTERN"], roles: &["DUTY", "SIGNATORY"] };
const READS: &[&str] = &["alert:read", "entity:read", "report:read", "circle:read"];

fn scene() -> Scene {
    let world = World::new();
    let agencies: Vec<_> = ["POL", "FIRE", "CUS", "HARB"].map(|code| world.agency(code)).into();
    let [pol, fir, cus, har] = agencies[..] else { unreachable!() };
    let police = world.person(pol, &DESK);
    let constable = world.person(pol, &Being { level: 3, compartments: &[], ..DESK });
    let [fire, customs, harbour] = [fir, cus, har].map(|agency| world.person(agency, &DESK));
    world.charter(&agencies);
    let both = [pol, fir];
    let text = world.agreement(&both, &[(&both, &both, READS, 4)]);
    let agreement = RecordId(world.enact(&text, &[police, fire]).0);
    let both = [pol, har];
    let text = world.agreement(&both, &[(&both, &both, READS, 1)]);
    let low = RecordId(world.enact(&text, &[police, harbour]).0);
    Scene { world, police, constable, fire, customs, harbour, agreement, low }
}

impl Scene {
    fn raise(&self, to: &[Who], level: u8, higher: &[(u8, &[&str])]) -> RecordId {
        let audience: Vec<_> = to.iter().map(|who| who.agency).collect();
        let higher: Vec<Value> = higher
            .iter()
            .map(|(level, codes)| json!({ "markings": marking(*level, codes), "text": "higher" }))
            .collect();
        let command = json!({
            "do": "raise", "markings": marking(level, &[]), "precedence": "PRIORITY",
            "title": "title", "text": "text", "audience": audience, "options": ["yes"],
            "place": null, "higher": higher
        });
        self.world.act(self.police, "alert:raise", &command).expect("an alert").record
    }

    /// An object of intelligence, which lies in no circle.
    fn import(&self, number: u8, level: u8, compartments: &[&str]) -> RecordId {
        let object = json!({
            "type": "tool", "spec_version": "2.1", "name": format!("tool {number}"),
            "id": format!("tool--2c1d8a4e-7f31-4c6d-8d4b-{number:012x}"),
            "created": "2026-01-01T00:00:00.000Z", "modified": "2026-02-01T00:00:00.000Z"
        });
        let of = |level: u8| json!({ "level": level });
        let command = json!({
            "do": "import", "markings": marking(level, compartments),
            "table": { "scheme": "NAT", "clear": of(1), "green": of(1), "amber": of(2),
                "amber_strict": of(3), "red": of(4) },
            "objects": [object.to_string()]
        });
        self.world.act(self.police, "entity:import", &command).expect("imported").record
    }

    fn ask(&self, who: Who, body: &Value) -> (u16, Vec<u8>) {
        let (status, _, bytes) = self.world.post(&self.world.token(who), "/api/why", body);
        (status.as_u16(), bytes)
    }

    fn of_agency(&self, who: Who, kind: &str, id: RecordId, of: Who) -> Value {
        let body = json!({ "record": { "kind": kind, "id": id }, "agency": of.agency });
        let (status, bytes) = self.ask(who, &body);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        assert_eq!(status, 200, "{text}");
        serde_json::from_str(&text).expect("JSON")
    }

    fn of_person(&self, who: Who, kind: &str, id: RecordId, of: Who) -> Value {
        let body = json!({ "record": { "kind": kind, "id": id }, "person": of.person });
        let (status, bytes) = self.ask(who, &body);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        assert_eq!(status, 200, "{text}");
        serde_json::from_str(&text).expect("JSON")
    }

    /// The layers that somebody opens.
    fn opens(&self, who: Who, noun: &'static str, id: RecordId) -> BTreeSet<String> {
        let opened = self.world.get(who, noun, id);
        let layers = opened.map(|rendition| rendition.layers).unwrap_or_default();
        layers.iter().map(|layer| layer.id.to_string()).collect()
    }
}

/// The layers that are said to be read.
fn read(answer: &Value) -> BTreeSet<String> {
    let layers = answer["layers"].as_array().expect("layers").iter();
    let read = layers.filter(|layer| layer["reads"] == true);
    read.map(|layer| layer["id"].as_str().expect("an id").to_owned()).collect()
}

fn by(layer: &Value) -> Vec<&str> {
    let obstacles = layer["obstacles"].as_array().expect("obstacles").iter();
    obstacles.map(|obstacle| obstacle["by"].as_str().expect("what")).collect()
}

#[test]
fn an_agency_reads_under_the_clause_that_is_cited_with_what_its_readers_need() {
    let scene = scene();
    let id = scene.raise(&[scene.fire], 2, &[(4, &["KESTREL"]), (5, &[])]);
    let told = scene.of_agency(scene.police, "alert", id, scene.fire);
    let [base, cell, above] = told["layers"].as_array().expect("layers").as_slice() else {
        panic!("{told}")
    };
    let [base, cell, above] = [base, cell, above];
    assert_eq!(base["reads"], true);
    assert_eq!(base["clauses"][0]["agreement"], json!(scene.agreement));
    assert_eq!(base["clauses"][0]["cite"].as_str().map(|cite| cite.split(':').count()), Some(3));
    let nothing = json!({ "roles": [], "training": [], "releasable_to": [] });
    assert_eq!(base["needs"], nothing, "the clearance of the mark, and nothing else");
    assert_eq!(cell["reads"], true, "whatever anybody there is cleared for");
    assert_eq!(by(above), ["clause"], "above the clause's level");
    let near = &above["obstacles"][0]["near"][0];
    assert_eq!(near["agreement"], json!(scene.agreement));
    assert_eq!(near["lacks"][0]["what"], "level");
    assert_eq!(near["lacks"][0]["scheme"], "NAT");
    assert_eq!(told["person"], Value::Null);
}

#[test]
fn a_missing_clause_and_a_circle_are_both_named() {
    let scene = scene();
    let id = scene.raise(&[scene.fire], 2, &[]);
    let customs = scene.of_agency(scene.police, "alert", id, scene.customs);
    assert_eq!(by(&customs["layers"][0]), ["clause", "circle"]);
    let near = &customs["layers"][0]["obstacles"][0]["near"];
    assert_eq!(near[0]["lacks"], json!([{ "what": "clause" }]), "the charter speaks of no alert");
    assert_eq!(near[0]["clause"], Value::Null);
    let harbour = scene.of_agency(scene.police, "alert", id, scene.harbour);
    let near = &harbour["layers"][0]["obstacles"][0]["near"][0];
    assert_eq!(
        (&near["agreement"], &near["lacks"][0]["what"]),
        (&json!(scene.low), &json!("level"))
    );
}

#[test]
fn a_suspended_an_unsigned_and_an_ended_agreement_say_what_they_lack() {
    let scene = scene();
    let tool = scene.import(1, 2, &[]);
    let lacks = |of: Who| -> Vec<String> {
        let told = scene.of_agency(scene.police, "entity", tool, of);
        let near = told["layers"][0]["obstacles"][0]["near"].as_array().expect("near").clone();
        let lacks = near.iter().flat_map(|near| near["lacks"].as_array().expect("lacks").clone());
        lacks.map(|lack| lack["what"].as_str().expect("what").to_owned()).collect()
    };
    let told = scene.of_agency(scene.police, "entity", tool, scene.fire);
    assert_eq!(told["layers"][0]["reads"], true);
    let suspend = json!({ "do": "suspend", "agreement": scene.agreement, "reason": "sources" });
    scene.world.act(scene.police, "agreement:suspend", &suspend).expect("suspended");
    assert!(lacks(scene.fire).contains(&"suspended".to_owned()));
    let both = [scene.police.agency, scene.customs.agency];
    let draft = scene.world.agreement(&both, &[(&both, &both, &["entity:read"], 4)]);
    let propose = json!({ "do": "propose", "agreement": draft, "markings": marking(1, &[]) });
    scene.world.act(scene.police, "agreement:propose", &propose).expect("proposed");
    assert_eq!(lacks(scene.customs)[0], "signature");
    let both = [scene.police.agency, scene.fire.agency];
    let mut short = scene.world.agreement(&both, &[(&both, &both, &["entity:read"], 5)]);
    short["force"]["ends_at"] = json!("2026-12-31T00:00:00.000Z");
    scene.world.enact(&short, &[scene.police, scene.fire]);
    let told = scene.of_agency(scene.police, "entity", tool, scene.fire);
    assert_eq!(told["layers"][0]["reads"], true);
    scene.world.clock.advance_s(60 * 86_400);
    let past = scene.raise(&[scene.police], 1, &[]);
    assert!(scene.world.get(scene.police, "alert", past).is_ok(), "the rules are renewed");
    assert!(lacks(scene.fire).contains(&"ended".to_owned()));
}

#[test]
fn a_colleague_is_told_of_by_name_and_what_is_short_without_what_is_held() {
    let scene = scene();
    let id = scene.raise(&[scene.fire], 2, &[(4, &["KESTREL"])]);
    let told = scene.of_person(scene.police, "alert", id, scene.constable);
    assert_eq!(told["person"], json!(scene.constable.person));
    assert_eq!(told["layers"][0]["reads"], true);
    assert_eq!(told["layers"][0]["rules"], json!(["alerts/own-people-read"]));
    let higher = &told["layers"][1];
    assert_eq!(by(higher), ["clearance"]);
    assert_eq!(higher["obstacles"][0]["because"], json!(["compartment", "level"]));
}

#[test]
fn a_person_of_another_agency_is_answered_for_as_the_agency_is() {
    let scene = scene();
    let id = scene.raise(&[scene.fire], 2, &[(4, &["KESTREL"])]);
    let low = Being { level: 1, compartments: &[], roles: &[] };
    let uncleared = scene.world.person(scene.fire.agency, &low);
    let agency = scene.of_agency(scene.police, "alert", id, scene.fire);
    for person in [scene.fire, uncleared] {
        let told = scene.of_person(scene.police, "alert", id, person);
        assert_eq!(told, agency, "their clearances are their agency's own matter");
    }
}

#[test]
fn who_may_not_know_of_the_record_gets_the_bytes_of_an_unknown_one() {
    let scene = scene();
    let id = scene.raise(&[scene.fire], 2, &[]);
    let never = RecordId([3; 16]);
    for of in [scene.customs, scene.police, scene.fire] {
        for kind in ["alert", "report", "nonsense"] {
            let ask = |id: RecordId| {
                let record = json!({ "kind": kind, "id": id });
                scene.ask(scene.customs, &json!({ "record": record, "agency": of.agency }))
            };
            assert_eq!(ask(id), ask(never));
            assert_eq!(ask(id).0, 404);
        }
    }
    let record = json!({ "kind": "alert", "id": id });
    let unknown = json!({ "record": record, "agency": RecordId([4; 16]) });
    let nobody = json!({ "record": record, "person": RecordId([4; 16]) });
    let absent = json!({ "record": { "kind": "alert", "id": never }, "agency": of(&scene) });
    assert_eq!(scene.ask(scene.police, &unknown), scene.ask(scene.police, &absent));
    assert_eq!(scene.ask(scene.police, &nobody), scene.ask(scene.police, &absent));
}

fn of(scene: &Scene) -> Value {
    json!(scene.fire.agency)
}

#[test]
fn a_reader_of_another_agency_does_not_explain_what_is_not_its_own() {
    let scene = scene();
    let id = scene.raise(&[scene.fire], 2, &[]);
    let record = json!({ "kind": "alert", "id": id });
    let (status, bytes) = scene.ask(scene.fire, &json!({ "record": record, "agency": of(&scene) }));
    let problem: Value = serde_json::from_slice(&bytes).expect("a problem");
    assert_eq!((status, &problem["title"]), (403, &json!("other-agency")));
    let plain = Being { level: 5, compartments: &["KESTREL"], roles: &[] };
    let plain = scene.world.person(scene.police.agency, &plain);
    let (status, _) = scene.ask(plain, &json!({ "record": record, "agency": of(&scene) }));
    assert_eq!(status, 403, "without a role of the desk");
    let neither = json!({ "record": record });
    let both = json!({ "record": record, "agency": of(&scene), "person": scene.fire.person });
    let more = json!({ "record": record, "agency": of(&scene), "x": 1 });
    for body in [neither, both, more] {
        assert_eq!(scene.ask(scene.police, &body).0, 400);
    }
}

#[test]
fn a_layer_above_the_asker_is_not_told() {
    let scene = scene();
    let with = scene.raise(&[scene.fire], 2, &[(4, &["KESTREL"])]);
    let without = scene.raise(&[scene.fire], 2, &[]);
    let layers = |id| {
        let told = scene.of_agency(scene.constable, "alert", id, scene.fire);
        told["layers"].as_array().map(Vec::len)
    };
    assert_eq!((layers(with), layers(without)), (Some(1), Some(1)));
}

#[test]
fn an_agreement_that_the_asker_may_not_read_is_not_named() {
    let scene = scene();
    let both = [scene.police.agency, scene.customs.agency];
    let secret = scene.world.agreement(&both, &[(&both, &both, &["entity:read"], 4)]);
    let markings = marking(4, &["LANTERN"]);
    let propose = json!({ "do": "propose", "agreement": secret, "markings": markings });
    scene.world.act(scene.police, "agreement:propose", &propose).expect("proposed");
    let tool = scene.import(1, 2, &[]);
    let near = |who: Who| {
        let told = scene.of_agency(who, "entity", tool, scene.customs);
        told["layers"][0]["obstacles"][0]["near"].to_string()
    };
    let id = secret["id"].as_str().expect("an id");
    assert!(near(scene.police).contains(id));
    assert!(!near(scene.constable).contains(id), "it is above the constable");
}

#[test]
fn asking_is_a_reading_and_stands_in_the_access_log() {
    let scene = scene();
    let id = scene.raise(&[scene.fire], 2, &[]);
    let mine = |scene: &Scene| {
        let rows = scene.world.access_rows();
        let mine = rows.iter().filter(|row| row.person == Some(scene.police.person));
        mine.filter(|row| row.records.contains(&id)).count()
    };
    scene.of_agency(scene.police, "alert", id, scene.fire);
    scene.world.clock.advance_s(120);
    // The next minute closes the one before.
    scene.of_agency(scene.police, "alert", id, scene.fire);
    let seen = scene.world.eventually(|_| Some(mine(&scene)).filter(|seen| *seen > 0));
    assert!(seen > 0);
}

const CODES: [&[&str]; 2] = [&[], &["KESTREL"]];

/// A record: its kind, level, compartments, and what lies above it.
type Made = (bool, u8, bool, Vec<(u8, bool)>, bool);

fn made() -> impl Strategy<Value = Vec<Made>> {
    let higher = proptest::collection::vec((3u8..=5, any::<bool>()), 0..2);
    let one = (any::<bool>(), 1u8..=5, any::<bool>(), higher, any::<bool>());
    proptest::collection::vec(one, 1..4)
}

fn people() -> impl Strategy<Value = Vec<(u8, bool, bool)>> {
    proptest::collection::vec((1u8..=5, any::<bool>(), any::<bool>()), 1..4)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4, ..ProptestConfig::default() })]

    /// Why-not says that a layer is read exactly when that reader opens it.
    #[test]
    fn why_not_and_open_agree(made in made(), people in people()) {
        let scene = scene();
        let mut records = Vec::new();
        for (number, (alert, level, code, higher, addressed)) in (1u8..).zip(&made) {
            // A compartment stands with the two highest levels alone.
            let codes = |level: u8, code: bool| CODES[usize::from(code && level >= 4)];
            let higher: Vec<(u8, &[&str])> =
                higher.iter().map(|(above, code)| (*above, codes(*above, *code))).collect();
            let to = [if *addressed { scene.fire } else { scene.police }];
            records.push(if *alert {
                ("alert", scene.raise(&to, (*level).min(2), &higher))
            } else {
                ("entity", scene.import(number, *level, codes(*level, *code)))
            });
        }
        let mut colleagues = vec![scene.police, scene.constable];
        for (level, code, duty) in people {
            let being = Being {
                level,
                compartments: CODES[usize::from(code)],
                roles: if duty { &["DUTY"] } else { &[] },
            };
            colleagues.push(scene.world.person(scene.police.agency, &being));
            for agency in [scene.fire, scene.customs, scene.harbour] {
                scene.world.person(agency.agency, &being);
            }
        }
        for (noun, id) in records {
            let mine = scene.opens(scene.police, noun, id);
            for colleague in &colleagues {
                let told = scene.of_person(scene.police, noun, id, *colleague);
                let opened = scene.opens(*colleague, noun, id);
                prop_assert_eq!(read(&told), &opened & &mine, "{}", told);
            }
            // The first desk of each is cleared for everything: the reader that is described.
            for agency in [scene.fire, scene.customs, scene.harbour] {
                let told = scene.of_agency(scene.police, noun, id, agency);
                let opened = scene.opens(agency, noun, id);
                prop_assert_eq!(read(&told), opened, "{}", told);
                for layer in told["layers"].as_array().expect("layers") {
                    prop_assert_eq!(layer["reads"] == true, by(layer).is_empty());
                }
            }
        }
    }
}
