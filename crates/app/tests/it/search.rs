//! Search: what is found is what may be read, the moment it is asked.

use app::kernel::access::AccessKind;
use base::RecordId;
use serde_json::{Value, json};
use testkit::world::{Being, marking};
use testkit::{Who, World};

const DESK: Being<'static> =
    Being { level: 3, compartments: &[], roles: &["DUTY", "HEAD", "SIGNATORY", "ADMIN"] };
const CLEARED: Being<'static> = Being { level: 5, compartments: &["KESTREL"], ..DESK };

struct Scene {
    world: World,
    police: Who,
    cleared: Who,
    fire: Who,
    agreement: base::AgreementId,
}

fn scene() -> Scene {
    let world = World::new();
    let agencies = ["POL", "FIRE"].map(|code| world.agency(code));
    let [pol, fir] = agencies;
    let (police, fire) = (world.person(pol, &DESK), world.person(fir, &DESK));
    let cleared = world.person(pol, &CLEARED);
    world.charter(&agencies);
    let reads = ["alert:read", "circle:read", "report:read"];
    let text = world.agreement(&agencies, &[(&agencies, &agencies, &reads, 5)]);
    let agreement = world.enact(&text, &[police, fire]);
    Scene { world, police, cleared, fire, agreement }
}

/// A query as it stands in an address.
fn encoded(query: &str) -> String {
    query.bytes().fold(String::new(), |text, byte| text + &format!("%{byte:02X}"))
}

impl Scene {
    fn raise(&self, title: &str, text: &str, audience: &[Who]) -> RecordId {
        let audience: Vec<_> = audience.iter().map(|who| who.agency).collect();
        let command = json!({
            "do": "raise", "markings": marking(2, &[]), "precedence": "FLASH", "title": title,
            "text": text, "audience": audience, "options": ["yes"],
            "higher": [{ "markings": marking(4, &["KESTREL"]), "text": "a nightingale sings" }]
        });
        self.world.act(self.cleared, "alert:raise", &command).expect("an alert").record
    }

    fn ask(&self, who: Who, query: &str) -> Value {
        self.ask_with(&self.world.token(who), &format!("q={}", encoded(query)))
    }

    fn ask_with(&self, token: &str, query: &str) -> Value {
        let (status, _, body) = self.world.read(token, &format!("/api/search?{query}"));
        assert_eq!(status, 200, "{query}: {}", String::from_utf8_lossy(&body));
        serde_json::from_slice(&body).expect("json")
    }

    fn titles(&self, who: Who, query: &str) -> Vec<String> {
        let found = self.ask(who, query);
        let items = found["items"].as_array().expect("hits").clone();
        assert_eq!(found["total"], items.len(), "{query}");
        items.iter().map(|hit| hit["title"].as_str().expect("a title").to_owned()).collect()
    }
}

#[test]
fn what_was_just_written_is_found_by_its_words_with_what_stands_around_them() {
    let scene = scene();
    scene.raise(
        "Fire at the harbour",
        "Smoke over the Überseequartier, send everybody",
        &[scene.fire],
    );
    scene.raise("Smoke", "nothing else", &[scene.fire]);
    assert_eq!(scene.titles(scene.fire, "smoke"), ["Smoke", "Fire at the harbour"]);
    assert_eq!(scene.titles(scene.fire, "ubersee"), ["Fire at the harbour"], "while it is typed");
    assert_eq!(scene.titles(scene.fire, "ubersee "), Vec::<String>::new(), "a whole word");
    assert_eq!(scene.titles(scene.fire, "\"send everybody\" smoke"), ["Fire at the harbour"]);
    assert_eq!(scene.titles(scene.fire, "\"everybody send\""), Vec::<String>::new());
    let found = scene.ask(scene.fire, "überseequartier");
    let hit = &found["items"][0];
    assert_eq!((&hit["kind"], &hit["state"]), (&json!("alert"), &json!("open")));
    assert_eq!(hit["agency"], json!(scene.police.agency));
    let snippet = hit["snippet"].as_array().expect("pieces");
    let whole: String = snippet.iter().filter_map(|piece| piece["text"].as_str()).collect();
    assert_eq!(whole, "Smoke over the Überseequartier, send everybody");
    let matched: Vec<&Value> = snippet.iter().filter(|piece| piece["match"] == true).collect();
    assert_eq!(matched, [&json!({ "text": "Überseequartier", "match": true })]);
}

#[test]
fn a_layer_is_found_by_its_readers_alone_and_says_its_mark() {
    let scene = scene();
    scene.raise("Alert", "plain words", &[scene.fire]);
    assert_eq!(scene.titles(scene.cleared, "nightingale"), ["Alert"]);
    for who in [scene.fire, scene.police] {
        let nothing = scene.ask(who, "neverwritten");
        assert_eq!(scene.ask(who, "nightingale"), nothing, "hidden is as absent");
        assert_eq!(nothing["total"], 0);
        assert_eq!(scene.titles(who, "plain"), ["Alert"]);
    }
    let mark = |query| scene.ask(scene.cleared, query)["items"][0]["mark"].clone();
    assert_ne!(mark("nightingale"), mark("plain"));
    // The circle of an alert is its audience.
    scene.raise("Inner", "plain matter", &[scene.police]);
    assert_eq!(scene.titles(scene.fire, "plain"), ["Alert"]);
    assert_eq!(scene.titles(scene.police, "plain"), ["Inner", "Alert"]);
}

#[test]
fn a_suspended_agreement_a_raised_label_and_an_erasure_end_finding() {
    let scene = scene();
    let raised = scene.raise("Raised", "common words", &[scene.fire]);
    let erased = scene.raise("Erased", "common words", &[scene.fire]);
    assert_eq!(scene.titles(scene.fire, "common"), ["Erased", "Raised"]);
    let contain = json!({ "do": "contain", "record": raised, "reason": "names a source",
        "markings": marking(5, &["KESTREL"]) });
    scene.world.act(scene.cleared, "spillage:contain", &contain).expect("contained");
    assert_eq!(scene.titles(scene.fire, "common"), ["Erased"]);
    assert_eq!(
        scene.ask(scene.fire, "common")["kinds"],
        json!([{ "kind": "alert", "records": 1 }])
    );
    assert_eq!(scene.titles(scene.cleared, "common"), ["Erased", "Raised"]);
    let request = json!({ "do": "request", "record": erased, "basis": "ARCHIVES-ACT-12" });
    let head = scene.world.person(scene.police.agency, &CLEARED);
    let erasure =
        scene.world.act(scene.cleared, "erasure:request", &request).expect("asked").record;
    let approve = json!({ "do": "approve", "erasure": erasure });
    scene.world.act(head, "erasure:approve", &approve).expect("approved");
    assert_eq!(scene.titles(scene.fire, "common"), Vec::<String>::new());
    scene.world.eventually(|world| world.node().refold().settled().then_some(()));
    assert_eq!(scene.titles(scene.fire, "common"), Vec::<String>::new(), "in the new index, too");
    assert_eq!(scene.titles(scene.cleared, "common"), ["Raised"]);
    scene.raise("Later", "common words", &[scene.fire]);
    assert_eq!(scene.titles(scene.fire, "common"), ["Later"]);
    let suspend = json!({ "do": "suspend", "agreement": scene.agreement, "reason": "breach" });
    scene.world.act(scene.police, "agreement:suspend", &suspend).expect("suspended");
    assert_eq!(scene.titles(scene.fire, "common"), Vec::<String>::new());
}

#[test]
fn kinds_agencies_and_times_narrow_and_are_counted() {
    let scene = scene();
    scene.raise("Alert", "common words", &[scene.fire]);
    let submit = json!({
        "do": "submit", "form": "methane", "markings": marking(2, &[]), "title": "Report",
        "portions": [{ "markings": null, "line": "hazards", "text": "common gas" }],
        "recipients": [scene.fire.agency]
    });
    scene.world.act(scene.police, "report:submit", &submit).expect("a report");
    assert_eq!(scene.titles(scene.fire, "common"), ["Report", "Alert"]);
    let found = scene.ask(scene.fire, "common");
    let of = |kind| json!({ "kind": kind, "records": 1 });
    assert_eq!(found["kinds"], json!([of("alert"), of("report")]));
    let police = json!({ "agency": scene.police.agency, "records": 2 });
    assert_eq!(found["agencies"], json!([police]));
    assert_eq!(scene.titles(scene.fire, "common kind:report"), ["Report"]);
    assert_eq!(scene.titles(scene.fire, "kind:alerts kind:report"), ["Report", "Alert"]);
    assert_eq!(scene.titles(scene.fire, "common from:pol"), ["Report", "Alert"]);
    let nothing = scene.ask(scene.fire, "common from:FIRE");
    assert_eq!(scene.ask(scene.fire, "common from:NOBODY"), nothing);
    assert_eq!(scene.ask(scene.fire, "kind:unheardof"), nothing);
    assert_eq!(
        scene.titles(scene.fire, "common before:2020-01-01T00:00:00Z"),
        Vec::<String>::new()
    );
    assert_eq!(scene.titles(scene.fire, "common after:2020-01-01T00:00:00Z").len(), 2);
    scene.world.clock.advance_s(120);
    // The alert was not answered: calling the next one has changed it since.
    let called = json!({ "kind": "alert", "records": 1 });
    let later = scene.world.node().now().dtg();
    let since = format!("common after:{later}");
    scene
        .world
        .eventually(|_| (scene.ask(scene.fire, &since)["kinds"] == json!([called])).then_some(()));
    assert_eq!(scene.titles(scene.fire, &format!("common before:{later}")), ["Report"]);
}

#[test]
fn pages_follow_each_other_and_are_one_sessions_own() {
    let scene = scene();
    for n in 0..5 {
        scene.raise(&format!("Alert {n}"), "common words", &[scene.fire]);
    }
    let token = scene.world.token(scene.fire);
    let first = scene.ask_with(&token, "q=common&limit=2");
    let cursor = first["next"].as_str().expect("more").to_owned();
    let second = scene.ask_with(&token, &format!("q=common&limit=2&cursor={cursor}"));
    let last = second["next"].as_str().expect("more").to_owned();
    let third = scene.ask_with(&token, &format!("q=common&limit=2&cursor={last}"));
    let titles = [&first, &second, &third].map(|page| {
        let hits = page["items"].as_array().expect("hits");
        hits.iter().map(|hit| hit["title"].to_string()).collect::<Vec<_>>().join(",")
    });
    assert_eq!(titles, ["\"Alert 4\",\"Alert 3\"", "\"Alert 2\",\"Alert 1\"", "\"Alert 0\""]);
    assert!(third.get("next").is_none_or(Value::is_null), "the last page");
    let other = scene.world.token(scene.police);
    let path = format!("/api/search?q=common&cursor={cursor}");
    let (status, _, body) = scene.world.read(&other, &path);
    let body: Value = serde_json::from_slice(&body).expect("json");
    assert_eq!((status.as_u16(), &body["title"]), (400, &json!("invalid-cursor")));
}

#[test]
fn what_cannot_be_read_as_a_query_is_named() {
    let scene = scene();
    let token = scene.world.token(scene.fire);
    let long = "x".repeat(201);
    let many = "a ".repeat(33);
    for (query, names) in [
        ("", "no word"),
        ("  !  ", "no word"),
        (long.as_str(), "200 characters"),
        (many.as_str(), "32 words"),
        ("fire after:yesterday", "`after:`"),
    ] {
        let path = format!("/api/search?q={}", encoded(query));
        let (status, _, body) = scene.world.read(&token, &path);
        let body: Value = serde_json::from_slice(&body).expect("json");
        assert_eq!((status.as_u16(), &body["title"]), (400, &json!("invalid-query")), "{query}");
        assert!(body["detail"].as_str().is_some_and(|detail| detail.contains(names)), "{body}");
    }
    // An open quotation, a colon in a word, and what looks like a command are text.
    for query in ["\"open", "10:30", "a:b", "'; DROP TABLE record", "*", "AND"] {
        let path = format!("/api/search?q={}x", encoded(query));
        assert_eq!(scene.world.read(&token, &path).0, 200, "{query}");
    }
    assert_eq!(scene.world.read("", "/api/search?q=fire").0, 401);
}

#[test]
fn a_search_is_recorded_with_what_it_gave_and_not_with_its_words() {
    let scene = scene();
    let id = scene.raise("Alert", "common words", &[scene.fire]);
    let token = scene.world.token(scene.fire);
    let before = scene.world.access_rows().len();
    scene.ask_with(&token, "q=common");
    scene.ask_with(&token, "q=neverwritten");
    let rows = scene.world.access_rows();
    let new: Vec<_> = rows.iter().skip(before).collect();
    let [found, nothing] = new[..] else { panic!("two rows, not {}", new.len()) };
    assert_eq!((found.kind, nothing.kind), (AccessKind::Searched, AccessKind::Searched));
    assert_eq!((&found.records[..], &nothing.records[..]), (&[id][..], &[][..]));
    assert_ne!(found.query, nothing.query);
}

#[test]
fn an_index_that_is_lost_damaged_or_old_is_built_anew() {
    let mut scene = scene();
    scene.raise("Alert", "canarycanary words", &[scene.fire]);
    assert_eq!(scene.titles(scene.fire, "canarycanary"), ["Alert"]);
    let folder = scene.world.directory().join("local/views.search");
    let files = |folder: &std::path::Path| -> Vec<std::path::PathBuf> {
        let entries = std::fs::read_dir(folder).expect("the index");
        entries.map(|entry| entry.expect("a file").path()).collect()
    };
    assert!(files(&folder).len() > 2);
    for file in files(&folder) {
        let bytes = std::fs::read(&file).expect("a file");
        assert!(!bytes.windows(6).any(|part| part == b"canary"), "{}", file.display());
    }
    let damages: [fn(&std::path::Path); 4] = [
        |folder| std::fs::remove_dir_all(folder).expect("removed"),
        |folder| std::fs::remove_file(folder.join("key")).expect("removed"),
        |folder| std::fs::write(folder.join("key"), b"nonsense").expect("written"),
        |folder| std::fs::write(folder.join("meta.json"), b"nonsense").expect("written"),
    ];
    for damage in damages {
        scene.world.stop();
        damage(&folder);
        scene.world.start().expect("it starts");
        assert_eq!(scene.titles(scene.fire, "canarycanary"), ["Alert"]);
    }
    // It goes on where it ended, and with other views it is another one.
    scene.raise("Second", "canarycanary", &[scene.fire]);
    scene.world.restart();
    assert_eq!(scene.titles(scene.fire, "canarycanary"), ["Second", "Alert"]);
    let key = std::fs::read(folder.join("key")).expect("a key");
    scene.world.rebuild().expect("rebuilt");
    assert_eq!(scene.titles(scene.fire, "canarycanary"), ["Second", "Alert"]);
    assert_ne!(std::fs::read(folder.join("key")).expect("a key"), key, "drawn anew");
}
