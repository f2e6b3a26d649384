//! Standing queries: given what people write, when a query is kept, then its owner alone learns of
//! what is new of it.

use app::kernel::{Done, Fault};
use base::RecordId;
use serde_json::{Value, json};
use testkit::world::{Being, marking};
use testkit::{Who, World};

const DESK: Being<'static> = Being { level: 3, compartments: &[], roles: &["DUTY", "SIGNATORY"] };

struct Scene {
    world: World,
    police: Who,
    colleague: Who,
    fire: Who,
}

fn scene() -> Scene {
    let world = World::new();
    let agencies = ["POL", "FIRE"].map(|code| world.agency(code));
    let [pol, fir] = agencies;
    let (police, colleague) = (world.person(pol, &DESK), world.person(pol, &DESK));
    let fire = world.person(fir, &DESK);
    world.charter(&agencies);
    let reads = ["alert:read", "circle:read", "query:read"];
    let text = world.agreement(&agencies, &[(&agencies, &agencies, &reads, 5)]);
    world.enact(&text, &[police, fire]);
    Scene { world, police, colleague, fire }
}

impl Scene {
    fn raise(&self, title: &str, level: u8) {
        let command = json!({
            "do": "raise", "markings": marking(level, &[]), "precedence": "FLASH",
            "title": title, "text": "text", "audience": [self.fire.agency], "options": ["yes"]
        });
        self.world.act(self.police, "alert:raise", &command).expect("raised");
    }

    fn keep(&self, who: Who, query: &str) -> Result<Done, Fault> {
        let markings = marking(2, &[]);
        let command = json!({ "do": "keep", "name": "Mine", "query": query, "markings": markings });
        self.world.act(who, "query:keep", &command)
    }

    fn change(&self, who: Who, verb: &str, id: RecordId) -> Result<Done, Fault> {
        let command = json!({ "do": verb, "query": id });
        self.world.act(who, &format!("query:{verb}"), &command)
    }

    fn ask(&self, who: Who, path: &str) -> (u16, Value) {
        let (status, _, body) = self.world.read(&self.world.token(who), path);
        (status.as_u16(), serde_json::from_slice(&body).expect("json"))
    }

    fn news(&self, who: Who) -> Value {
        let (status, news) = self.ask(who, "/api/queries/news");
        assert_eq!(status, 200, "{news}");
        news["items"].clone()
    }
}

fn slug(outcome: Result<Done, Fault>) -> &'static str {
    outcome.expect_err("refused").code.slug
}

#[test]
fn what_is_new_is_counted_until_it_was_seen() {
    let scene = scene();
    scene.raise("Smoke before", 2);
    let id = scene.keep(scene.fire, "smoke").expect("kept").record;
    assert_eq!(scene.news(scene.fire), json!([{ "id": id, "new": 0 }]));
    scene.world.clock.advance_s(5);
    scene.raise("Smoke after", 2);
    scene.raise("Water", 2);
    assert_eq!(scene.news(scene.fire), json!([{ "id": id, "new": 1 }]));
    let (status, hits) = scene.ask(scene.fire, &format!("/api/queries/{id}/hits"));
    assert_eq!((status, &hits["new"], &hits["total"]), (200, &json!(1), &json!(2)));
    let titles: Vec<&Value> =
        hits["items"].as_array().expect("hits").iter().map(|hit| &hit["title"]).collect();
    assert_eq!(titles, ["Smoke after", "Smoke before"], "the query itself is no hit");
    scene.world.clock.advance_s(5);
    scene.change(scene.fire, "see", id).expect("seen");
    assert_eq!(scene.news(scene.fire), json!([{ "id": id, "new": 0 }]));
    scene.change(scene.fire, "remove", id).expect("removed");
    assert_eq!(scene.news(scene.fire), json!([]));
    assert_eq!(slug(scene.change(scene.fire, "see", id)), "query-removed");
}

#[test]
fn nobody_but_its_owner_learns_of_a_query() {
    let scene = scene();
    let circles = scene.world.list(scene.colleague, "circle").total;
    let id = scene.keep(scene.police, "smoke").expect("kept").record;
    for other in [scene.colleague, scene.fire] {
        let hidden = scene.world.get(other, "query", id).expect_err("another's");
        let absent = scene.world.get(other, "query", RecordId([7; 16])).expect_err("never was");
        assert_eq!((hidden.code.slug, hidden.detail), (absent.code.slug, absent.detail));
        assert_eq!(scene.world.list(other, "query").total, 0);
        assert_eq!(scene.news(other), json!([]));
        let (status, _) = scene.ask(other, &format!("/api/queries/{id}/hits"));
        assert_eq!(status, 404);
        assert_eq!(slug(scene.change(other, "see", id)), "absent");
        assert_eq!(slug(scene.change(other, "remove", id)), "absent");
        let (_, found) = scene.ask(other, "/api/search?q=Mine");
        assert_eq!(found["total"], 0);
    }
    assert_eq!(scene.world.list(scene.colleague, "circle").total, circles);
    assert_eq!(scene.world.list(scene.police, "query").total, 1);
}

#[test]
fn a_query_finds_what_its_owner_reads_and_nothing_else() {
    let scene = scene();
    let low = scene.world.person(scene.police.agency, &Being { level: 1, ..DESK });
    let markings = marking(1, &[]);
    let command = json!({ "do": "keep", "name": "Low", "query": "smoke", "markings": markings });
    let id = scene.world.act(low, "query:keep", &command).expect("kept").record;
    scene.world.clock.advance_s(5);
    scene.raise("Smoke above", 2);
    assert_eq!(scene.news(low), json!([{ "id": id, "new": 0 }]));
    let (_, hits) = scene.ask(low, &format!("/api/queries/{id}/hits"));
    assert_eq!((&hits["total"], &hits["items"]), (&json!(0), &json!([])));
}

#[test]
fn what_no_query_is_is_not_kept() {
    let scene = scene();
    let long = "a".repeat(201);
    for query in [" ", "after:yesterday", &long] {
        let fault = scene.keep(scene.police, query).expect_err("no query");
        assert!(["invalid-query", "invalid-command"].contains(&fault.code.slug), "{query}");
    }
    assert_eq!(scene.world.list(scene.police, "query").total, 0);
}
