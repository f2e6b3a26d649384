//! Replays: what a draft would have let flow is what then happens, and tells nothing else.

use std::collections::BTreeSet;

use app::agreements::replay::{NAMED_MAX, RECORDS_MAX};
use base::{AgencyId, RecordId};
use serde_json::{Value, json};
use testkit::world::{Being, marking};
use testkit::{Who, World};

struct Scene {
    world: World,
    police: Who,
    /// Of the police, without a compartment, cleared up to level 3.
    clerk: Who,
    fire: Who,
    customs: Who,
    /// Police and fire share entities and alerts up to level 2.
    text: Value,
}

const DESK: Being<'static> =
    Being { level: 5, compartments: &["KESTREL", "LANTERN"], roles: &["DUTY", "SIGNATORY"] };
const READS: &[&str] = &["alert:read", "entity:read"];

fn scene() -> Scene {
    let world = World::new();
    let agencies: Vec<_> = ["POL", "FIRE", "CUS"].map(|code| world.agency(code)).into();
    let [pol, fir, cus] = agencies[..] else { unreachable!() };
    let police = world.person(pol, &DESK);
    let clerk = world.person(pol, &Being { level: 3, compartments: &[], ..DESK });
    let [fire, customs] = [fir, cus].map(|agency| world.person(agency, &DESK));
    world.charter(&agencies);
    let both = [pol, fir];
    let text = world.agreement(&both, &[(&both, &both, READS, 2)]);
    world.enact(&text, &[police, fire]);
    Scene { world, police, clerk, fire, customs, text }
}

impl Scene {
    fn import(&self, who: Who, number: u8, level: u8, compartments: &[&str]) -> RecordId {
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
        self.world.act(who, "entity:import", &command).expect("imported").record
    }

    fn raise(&self, to: AgencyId, level: u8, higher: Option<u8>) -> RecordId {
        let higher = higher.map(|level| json!({ "markings": marking(level, &[]), "text": "more" }));
        let command = json!({
            "do": "raise", "markings": marking(level, &[]), "precedence": "PRIORITY",
            "title": "title", "text": "text", "audience": [to], "options": ["yes"],
            "place": null, "higher": higher.into_iter().collect::<Vec<_>>()
        });
        self.world.act(self.police, "alert:raise", &command).expect("an alert").record
    }

    /// The next version of the agreement, with another highest level.
    fn draft(&self, version: u32, level: u8) -> Value {
        let mut draft = self.text.clone();
        draft["version"] = json!(version);
        draft["clauses"][0]["version"] = json!(version);
        draft["clauses"][0]["limits"]["ceilings"]["NAT"]["level"] = json!(level);
        draft
    }

    fn ask(&self, who: Who, body: &Value) -> (u16, Vec<u8>) {
        let token = self.world.token(who);
        let (status, _, bytes) = self.world.post(&token, "/api/agreements/replay", body);
        (status.as_u16(), bytes)
    }

    fn replay(&self, who: Who, draft: &Value) -> Value {
        let (status, bytes) = self.ask(who, &json!({ "draft": draft, "days": 30 }));
        let text = String::from_utf8_lossy(&bytes).into_owned();
        assert_eq!(status, 200, "{text}");
        serde_json::from_str(&text).expect("JSON")
    }

    fn slug(&self, who: Who, body: &Value) -> (u16, String) {
        let (status, bytes) = self.ask(who, body);
        let problem: Value = serde_json::from_slice(&bytes).expect("a problem");
        (status, problem["title"].as_str().expect("a slug").to_owned())
    }

    fn enact(&self, text: &Value, signatories: &[Who]) {
        self.world.enact(text, signatories);
    }

    /// Each record that somebody reads, with how many layers.
    fn reads(&self, who: Who) -> BTreeSet<(RecordId, u64)> {
        let kinds = ["alert", "entity"].into_iter();
        let items = kinds.flat_map(|kind| self.world.list(who, kind).items);
        items.map(|record| (record.id, record.layers.len() as u64)).collect()
    }
}

/// The records that turn for an agency, with how many layers do.
fn turned(replay: &Value, which: &str, agency: AgencyId) -> BTreeSet<(RecordId, u64)> {
    let turns = replay[which].as_array().expect("turns").iter();
    let named = turns.filter(|turn| turn["agency"] == json!(agency)).flat_map(|turn| {
        let named = turn["named"].as_array().expect("records").clone();
        assert_eq!(turn["records"], json!(named.len()), "each is named in a small world");
        named
    });
    named
        .map(|named| {
            let id = serde_json::from_value(named["id"].clone()).expect("an id");
            (id, named["layers"].as_u64().expect("a number"))
        })
        .collect()
}

/// What one has that the other has not, layer by layer.
fn gained(
    before: &BTreeSet<(RecordId, u64)>,
    after: &BTreeSet<(RecordId, u64)>,
) -> BTreeSet<(RecordId, u64)> {
    let had = |id: RecordId| before.iter().find(|(known, _)| *known == id).map_or(0, |(_, n)| *n);
    let more = after.iter().map(|(id, layers)| (*id, layers.saturating_sub(had(*id))));
    more.filter(|(_, layers)| *layers > 0).collect()
}

#[test]
fn what_would_start_and_stop_is_what_starts_and_stops() {
    let scene = scene();
    for (number, level) in (1u8..).zip([1, 2, 3, 4, 5]) {
        scene.import(scene.police, number, level, &[]);
        scene.import(scene.fire, number + 10, level, &[]);
    }
    scene.import(scene.police, 20, 3, &["KESTREL"]);
    scene.raise(scene.fire.agency, 2, Some(4));
    scene.raise(scene.fire.agency, 1, None);
    scene.raise(scene.police.agency, 2, Some(3));
    let mut signed = 1;
    for level in [4, 1, 3, 5] {
        signed += 1;
        let draft = scene.draft(signed, level);
        let of_police = scene.replay(scene.police, &draft);
        let of_fire = scene.replay(scene.fire, &draft);
        assert_eq!(of_police["cut"], false);
        let before = (scene.reads(scene.police), scene.reads(scene.fire));
        scene.enact(&draft, &[scene.police, scene.fire]);
        let after = (scene.reads(scene.police), scene.reads(scene.fire));
        let (police, fire) = (scene.police.agency, scene.fire.agency);
        // Each party sees what turns of its own records, and what turns for it of what it reads.
        let up = level > if signed == 2 { 2 } else { 4 } || [4, 3, 5].contains(&level);
        if up {
            assert_eq!(turned(&of_police, "starting", fire), gained(&before.1, &after.1));
            assert_eq!(turned(&of_fire, "starting", police), gained(&before.0, &after.0));
        } else {
            assert_eq!(turned(&of_police, "stopping", fire), gained(&after.1, &before.1));
            assert_eq!(turned(&of_fire, "stopping", police), gained(&after.0, &before.0));
        }
        assert_eq!(scene.replay(scene.police, &draft)["starting"], json!([]), "it is in force");
        assert_eq!(scene.replay(scene.police, &draft)["stopping"], json!([]));
    }
}

#[test]
fn a_draft_with_a_new_party_reaches_it_under_the_clause_that_is_cited() {
    let scene = scene();
    let tool = scene.import(scene.police, 1, 2, &[]);
    scene.raise(scene.fire.agency, 1, None);
    let both = [scene.police.agency, scene.customs.agency];
    let draft = scene.world.agreement(&both, &[(&both, &both, READS, 2)]);
    let told = scene.replay(scene.police, &draft);
    let turns = told["starting"].as_array().expect("turns");
    assert_eq!(turns.len(), 1, "the alert lies in a circle without customs: {told}");
    assert_eq!(turns[0]["agency"], json!(scene.customs.agency));
    assert_eq!(turns[0]["clauses"][0]["clause"], draft["clauses"][0]["id"]);
    let named = &turns[0]["named"][0];
    assert_eq!((&named["id"], &named["title"]), (&json!(tool), &json!("tool 1")));
    assert_eq!((&named["layers"], &named["of"]), (&json!(1), &json!(1)));
    assert_eq!(scene.replay(scene.customs, &draft)["starting"], json!([]), "not what it reads");
    // What was proposed is asked about by its id.
    let propose = json!({ "do": "propose", "agreement": draft, "markings": marking(1, &[]) });
    scene.world.act(scene.police, "agreement:propose", &propose).expect("proposed");
    let (status, bytes) = scene.ask(scene.police, &json!({ "agreement": draft["id"], "days": 30 }));
    let again: Value = serde_json::from_slice(&bytes).expect("JSON");
    assert_eq!((status, &again["starting"]), (200, &told["starting"]));
}

#[test]
fn what_the_asker_may_not_read_changes_no_byte_of_the_answer() {
    let scene = scene();
    scene.import(scene.police, 1, 3, &[]);
    scene.raise(scene.fire.agency, 2, None);
    let draft = scene.draft(2, 4);
    let ask = |who: Who| scene.ask(who, &json!({ "draft": draft, "days": 30 }));
    let before = (ask(scene.clerk), ask(scene.fire));
    assert_eq!(before.0.0, 200);
    for number in 30..33 {
        scene.import(scene.police, number, 4, &["KESTREL"]);
        scene.raise(scene.police.agency, 4, Some(5));
    }
    // An agreement between others, which already lets through what the draft would.
    let both = [scene.police.agency, scene.customs.agency];
    scene.enact(
        &scene.world.agreement(&both, &[(&both, &both, READS, 5)]),
        &[scene.police, scene.customs],
    );
    // People of other agencies, and what they are cleared for.
    scene.world.person(scene.fire.agency, &Being { level: 1, ..DESK });
    assert_eq!(ask(scene.clerk), before.0);
    assert_eq!(ask(scene.fire), before.1);
}

#[test]
fn an_agreement_between_others_is_not_told_by_what_would_newly_flow() {
    let scene = scene();
    // Fire reads the police's tool; a draft among three would let customs read it, too.
    scene.import(scene.police, 1, 2, &[]);
    let three = [scene.police.agency, scene.fire.agency, scene.customs.agency];
    let draft = scene.world.agreement(&three, &[(&three, &three, READS, 2)]);
    let ask = |who: Who| scene.ask(who, &json!({ "draft": draft, "days": 30 }));
    let before = (ask(scene.fire), ask(scene.police));
    let both = [scene.police.agency, scene.customs.agency];
    let text = scene.world.agreement(&both, &[(&both, &both, READS, 5)]);
    scene.enact(&text, &[scene.police, scene.customs]);
    assert_eq!(ask(scene.fire), before.0, "fire is no party to it");
    assert_ne!(ask(scene.police), before.1, "the police know that it flows already");
}

#[test]
fn who_else_is_in_the_circle_of_another_agencys_record_is_not_told() {
    let scene = scene();
    let three = [scene.police.agency, scene.fire.agency, scene.customs.agency];
    let alerts: &[&str] = &["alert:read"];
    let text = scene.world.agreement(&three, &[(&three, &three, alerts, 2)]);
    scene.enact(&text, &[scene.police, scene.fire, scene.customs]);
    let command = json!({
        "do": "raise", "markings": marking(1, &[]), "precedence": "PRIORITY", "title": "title",
        "text": "text", "audience": [scene.fire.agency, scene.customs.agency],
        "options": ["yes"], "place": null
    });
    scene.world.act(scene.police, "alert:raise", &command).expect("an alert");
    let mut draft = text;
    draft["version"] = json!(2);
    draft["clauses"] = json!([]);
    let own = scene.replay(scene.police, &draft);
    assert_eq!(own["stopping"].as_array().map(Vec::len), Some(1), "fire has another clause");
    assert_eq!(scene.replay(scene.fire, &draft)["stopping"], json!([]));
}

#[test]
fn older_records_are_left_out_and_a_suspended_agreement_lets_nothing_flow() {
    let scene = scene();
    scene.import(scene.police, 1, 3, &[]);
    scene.world.clock.advance_s(40 * 86_400);
    let new = scene.import(scene.police, 2, 3, &[]);
    let draft = scene.draft(2, 4);
    let told = scene.replay(scene.police, &draft);
    let only: BTreeSet<_> = [(new, 1)].into();
    assert_eq!(turned(&told, "starting", scene.fire.agency), only);
    let (_, bytes) = scene.ask(scene.police, &json!({ "draft": draft, "days": 60 }));
    let told: Value = serde_json::from_slice(&bytes).expect("JSON");
    assert_eq!(turned(&told, "starting", scene.fire.agency).len(), 2);
    let suspend = json!({ "do": "suspend", "agreement": scene.text["id"], "reason": "breach" });
    scene.world.act(scene.police, "agreement:suspend", &suspend).expect("suspended");
    let told = scene.replay(scene.police, &draft);
    assert_eq!((&told["suspended"], &told["starting"]), (&json!(true), &json!([])));
    assert_eq!(told["stopping"], json!([]), "nothing flows already");
}

#[test]
fn a_draft_that_begins_later_is_asked_at_its_beginning() {
    let scene = scene();
    scene.import(scene.police, 1, 3, &[]);
    let mut draft = scene.draft(2, 4);
    draft["force"]["starts_at"] = json!("2027-06-01T00:00:00.000Z");
    let told = scene.replay(scene.police, &draft);
    assert_eq!((&told["at"], &told["later"]), (&json!("2027-06-01T00:00:00.000Z"), &json!(true)));
    assert_eq!(turned(&told, "starting", scene.fire.agency).len(), 1);
}

#[test]
fn who_may_not_propose_may_not_ask_and_what_is_asked_has_limits() {
    let scene = scene();
    let draft = scene.draft(2, 4);
    let plain = Being { level: 4, compartments: &[], roles: &["DUTY"] };
    let plain = scene.world.person(scene.police.agency, &plain);
    assert_eq!(scene.ask(plain, &json!({ "draft": draft, "days": 30 })).0, 403);
    let slug = |who, body: Value| scene.slug(who, &body);
    let not_a_party = (400, "not-a-party".to_owned());
    assert_eq!(slug(scene.customs, json!({ "draft": draft, "days": 30 })), not_a_party);
    for days in [json!(0), json!(367)] {
        let out = (400, "days-out-of-range".to_owned());
        assert_eq!(slug(scene.police, json!({ "draft": draft, "days": days })), out);
    }
    assert_eq!(scene.ask(scene.police, &json!({ "draft": draft, "days": 366 })).0, 200);
    let mut broken = draft.clone();
    broken["clauses"][0]["limits"]["ceilings"] = json!({});
    let invalid = (400, "invalid-agreement".to_owned());
    assert_eq!(slug(scene.police, json!({ "draft": broken, "days": 30 })), invalid);
    for body in [json!({ "days": 30 }), json!({ "draft": draft, "days": 30, "x": 1 })] {
        assert_eq!(slug(scene.police, body), (400, "invalid-command".to_owned()));
    }
    // An agreement of others, and one that is none.
    let hidden = json!({ "agreement": scene.text["id"], "days": 30 });
    let never = json!({ "agreement": RecordId([5; 16]), "days": 30 });
    assert_eq!(scene.ask(scene.customs, &hidden), scene.ask(scene.customs, &never));
    assert_eq!(scene.ask(scene.customs, &hidden).0, 404);
}

#[test]
fn what_is_named_is_noted_as_read() {
    let scene = scene();
    let tool = scene.import(scene.police, 1, 3, &[]);
    scene.replay(scene.clerk, &scene.draft(2, 4));
    scene.world.clock.advance_s(120);
    // The next minute closes the one before.
    scene.replay(scene.police, &scene.draft(2, 4));
    let noted = |scene: &Scene| {
        let rows = scene.world.access_rows();
        rows.iter().any(|r| r.person == Some(scene.clerk.person) && r.records.contains(&tool))
    };
    scene.world.eventually(|_| noted(&scene).then_some(()));
}

#[test]
fn the_newest_are_looked_at_and_it_is_said_when_there_were_more() {
    let scene = scene();
    let of = |level: u8| json!({ "level": level });
    let import = |from: usize, upto: usize| {
        let objects: Vec<String> = (from..upto)
            .map(|number| {
                json!({
                    "type": "tool", "spec_version": "2.1", "name": "tool",
                    "id": format!("tool--2c1d8a4e-7f31-4c6d-8d4b-{number:012x}"),
                    "created": "2026-01-01T00:00:00.000Z", "modified": "2026-02-01T00:00:00.000Z"
                })
                .to_string()
            })
            .collect();
        let command = json!({
            "do": "import", "markings": marking(3, &[]),
            "table": { "scheme": "NAT", "clear": of(1), "green": of(1), "amber": of(2),
                "amber_strict": of(3), "red": of(4) },
            "objects": objects
        });
        scene.world.act(scene.police, "entity:import", &command).expect("imported");
    };
    for from in (0..RECORDS_MAX).step_by(100) {
        import(from, from + 100);
    }
    let draft = scene.draft(2, 4);
    let count = |replay: &Value| {
        let turn = &replay["starting"][0];
        let named = turn["named"].as_array().map(Vec::len);
        (replay["cut"] == true, replay["records"].as_u64(), turn["records"].as_u64(), named)
    };
    let most = Some(RECORDS_MAX as u64);
    let told = count(&scene.replay(scene.police, &draft));
    assert_eq!(told, (false, most, most, Some(NAMED_MAX)));
    import(RECORDS_MAX, RECORDS_MAX + 1);
    let told = count(&scene.replay(scene.police, &draft));
    assert_eq!(told, (true, most, most, Some(NAMED_MAX)));
}
