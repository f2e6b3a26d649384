//! Webhooks: given an account that may read something, exactly that is delivered, once it is taken.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use app::kernel::Fault;
use app::kernel::access::AccessKind;
use app::kernel::cursor::encode;
use app::webhooks::{self, Address, Courier, Letter};
use base::crypto::{Secret, sha256};
use base::{Kind, RecordId};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use store::log::LogName;
use testkit::World;
use testkit::world::{Being, Who, marking};

/// Receivers by host: what each answers, and what it was sent.
#[derive(Default)]
struct Receivers {
    /// Held while `slow.example` does not answer.
    slow: Mutex<()>,
    answers: Mutex<BTreeMap<String, u16>>,
    sent: Mutex<Vec<Letter>>,
}

impl Receivers {
    fn answer(&self, host: &str, status: u16) {
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        answers.insert(host.to_owned(), status);
    }

    /// Bodies that a host was sent, with their ids.
    fn bodies(&self, host: &str) -> Vec<Value> {
        let sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        let to = sent.iter().filter(|letter| letter.to.host == host);
        to.map(|letter| serde_json::from_slice(&letter.body).expect("json")).collect()
    }

    fn last(&self) -> (Vec<(&'static str, String)>, Vec<u8>) {
        let sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        let letter = sent.last().expect("a letter");
        (letter.headers.clone(), letter.body.clone())
    }
}

impl Courier for Receivers {
    fn allows(&self, to: &Address) -> Result<(), Fault> {
        if to.host == "unlisted.example" {
            return Err(Fault::new(Kind::Denied, "webhook-not-listed", "it is not listed"));
        }
        Ok(())
    }

    fn send(&self, letter: &Letter) -> Result<u16, Fault> {
        if letter.to.host == "slow.example" {
            drop(self.slow.lock().unwrap_or_else(PoisonError::into_inner));
        }
        let answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        let status = answers.get(&letter.to.host).copied().unwrap_or(204);
        let mut sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        sent.push(Letter {
            to: letter.to.clone(),
            headers: letter.headers.clone(),
            body: letter.body.clone(),
        });
        if status == 0 {
            return Err(Fault::new(Kind::Unavailable, "webhook-unreachable", "nobody answers"));
        }
        Ok(status)
    }
}

struct Scene {
    world: World,
    receivers: Arc<Receivers>,
    police: Who,
    ambulance: Who,
    admin: Who,
    /// An administrator of the police.
    other: Who,
    agreement: Value,
}

const HOST: &str = "dispatch.example";

fn scene() -> Scene {
    scene_in(World::new())
}

fn scene_in(world: World) -> Scene {
    let (pol, amb) = (world.agency("POL"), world.agency("AMB"));
    let desk = Being { level: 4, compartments: &["KESTREL"], roles: &["DUTY", "SIGNATORY"] };
    let office = Being { level: 3, compartments: &[], roles: &["ADMIN"] };
    let (police, ambulance) = (world.person(pol, &desk), world.person(amb, &desk));
    let (admin, other) = (world.person(amb, &office), world.person(pol, &office));
    world.charter(&[pol, amb]);
    let both = [pol, amb];
    let agreement = world.agreement(&both, &[(&both, &both, &["alert:read"], 4)]);
    world.enact(&agreement, &[police, ambulance]);
    let receivers = Arc::new(Receivers::default());
    let scene = Scene { world, receivers, police, ambulance, admin, other, agreement };
    scene.follow();
    scene
}

fn answer(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap_or_default()
}

impl Scene {
    fn follow(&self) {
        let courier = Arc::clone(&self.receivers) as Arc<dyn Courier>;
        webhooks::follow(self.world.node(), courier).expect("threads");
    }

    fn post(&self, who: Who, path: &str, body: &Value) -> (u16, Value) {
        let (status, _, bytes) = self.world.post(&self.world.token(who), path, body);
        (status.as_u16(), answer(&bytes))
    }

    fn read(&self, who: Who, path: &str) -> (u16, Value) {
        let (status, _, bytes) = self.world.read(&self.world.token(who), path);
        (status.as_u16(), answer(&bytes))
    }

    /// A service account of the ambulance, cleared up to level 3.
    fn account(&self, kinds: &[&str]) -> String {
        self.account_of(self.admin, kinds)
    }

    fn account_of(&self, admin: Who, kinds: &[&str]) -> String {
        let token = sha256(self.world.key().as_bytes()).to_string();
        let body = json!({
            "name": "Dispatch", "token": sha256(token.as_bytes()), "actions": [], "kinds": kinds,
            "roles": ["DUTY"], "markings": marking(1, &[]),
            "clearance": { "schemes": { "NAT": { "level": 3, "compartments": [] } } },
            "expires_at": self.world.node().play_now().plus_s(30 * 86_400)
        });
        let (status, added) = self.post(admin, "/api/services", &body);
        assert_eq!(status, 201, "{added}");
        added["record"].as_str().expect("an id").to_owned()
    }

    fn register(&self, account: &str, host: &str, change: impl FnOnce(&mut Value)) -> (u16, Value) {
        let mut body = json!({
            "service": account, "url": format!("https://{host}/alerts"), "markings": marking(1, &[])
        });
        change(&mut body);
        self.post(self.admin, "/api/webhooks", &body)
    }

    /// A webhook that may deliver; its id and its secret.
    fn hook(&self, host: &str) -> (String, String) {
        let (status, hook) = self.register(&self.account(&["alert"]), host, |_| {});
        assert_eq!(status, 201, "{hook}");
        let id = hook["record"].as_str().expect("an id").to_owned();
        let secret = self.secret(&id);
        (id, secret)
    }

    fn secret(&self, id: &str) -> String {
        let (status, made) =
            self.post(self.admin, &format!("/api/webhooks/{id}/secret"), &json!({}));
        assert_eq!(status, 201, "{made}");
        made["secret"].as_str().expect("a secret").to_owned()
    }

    fn raise(&self, title: &str, level: u8) -> RecordId {
        let command = json!({
            "do": "raise", "markings": marking(level, &[]), "precedence": "IMMEDIATE",
            "title": title, "text": "Text", "audience": [self.ambulance.agency], "options": ["yes"]
        });
        self.world.act(self.police, "alert:raise", &command).expect("raised").record
    }

    /// What a host was sent, once it is at least so many.
    fn sent(&self, host: &str, count: usize) -> Vec<Value> {
        self.world.eventually(|_| {
            let bodies = self.receivers.bodies(host);
            (bodies.len() >= count).then_some(bodies)
        })
    }

    fn outbox(&self, id: &str) -> Value {
        let (status, outbox) = self.read(self.admin, &format!("/api/webhooks/{id}/outbox"));
        assert_eq!(status, 200, "{outbox}");
        outbox["deliveries"].clone()
    }

    fn state(&self, id: &str) -> String {
        let (status, hook) = self.read(self.admin, &format!("/api/webhooks/{id}"));
        assert_eq!(status, 200, "{hook}");
        hook["state"].as_str().expect("a state").to_owned()
    }

    /// Waits until nothing that a webhook may deliver waits any more.
    fn settled(&self, id: &str) -> Value {
        self.world.eventually(|_| {
            let outbox = self.outbox(id);
            (outbox["waiting"] == 0 && !outbox["last"].is_null()).then_some(outbox)
        })
    }
}

#[test]
fn what_an_account_may_read_is_delivered_and_signed() {
    let scene = scene();
    let (_, secret) = scene.hook(HOST);
    let alert = scene.raise("Explosion", 2);
    let sent = scene.sent(HOST, 1);
    let payload = &sent[0];
    assert_eq!((&payload["kind"], &payload["what"]), (&json!("alert"), &json!("new")));
    assert_eq!(payload["record"], json!(alert));
    assert_eq!(payload["rendition"]["layers"][0]["body"]["title"], "Explosion");
    let (headers, body) = scene.receivers.last();
    let header = |name: &str| headers.iter().find(|(n, _)| *n == name).expect("a header").1.clone();
    assert_eq!(payload["id"], json!(header("webhook-id")));
    let key = STANDARD.decode(secret.strip_prefix("whsec_").expect("a prefix")).expect("base64");
    let key = Secret::from_slice(&key).expect("32 bytes");
    let head = format!("{}.{}.", header("webhook-id"), header("webhook-timestamp"));
    let signed = [head.as_bytes(), &body].concat();
    assert_eq!(header("webhook-signature"), format!("v1,{}", STANDARD.encode(key.mac(&signed))));
    let now = scene.world.node().now().ms() / 1000;
    assert_eq!(header("webhook-timestamp"), now.to_string());
}

#[test]
fn a_delivery_is_the_rendition_that_the_account_itself_reads() {
    let scene = scene();
    let token = encode(&[7; 32]);
    let body = json!({
        "name": "Dispatch", "token": sha256(token.as_bytes()), "actions": [], "kinds": ["alert"],
        "roles": ["DUTY"], "markings": marking(1, &[]),
        "clearance": { "schemes": { "NAT": { "level": 3, "compartments": [] } } },
        "expires_at": scene.world.node().play_now().plus_s(86_400)
    });
    let (_, added) = scene.post(scene.admin, "/api/services", &body);
    let (_, hook) = scene.register(added["record"].as_str().expect("an id"), HOST, |_| {});
    scene.secret(hook["record"].as_str().expect("an id"));
    let alert = scene.raise("Explosion", 2);
    let sent = scene.sent(HOST, 1);
    let (_, _, read) = scene.world.read(&token, &format!("/api/alerts/{alert}"));
    assert_eq!(sent[0]["rendition"], answer(&read));
}

#[test]
fn each_delivery_stands_in_the_access_log_before_it_is_sent() {
    let scene = scene();
    scene.hook(HOST);
    let alert = scene.raise("Explosion", 2);
    scene.sent(HOST, 1);
    let rows = scene.world.access_rows();
    let of = |row: &&app::kernel::access::AccessRow| {
        row.kind == AccessKind::Delivered && row.records == [alert] && !row.labels.is_empty()
    };
    let row = rows.iter().find(of).expect("a row");
    assert_eq!((row.agency, row.person), (scene.ambulance.agency, None));
}

#[test]
fn what_an_account_may_not_read_makes_no_delivery_and_no_row() {
    let scene = scene();
    let (id, _) = scene.hook(HOST);
    let hidden = scene.raise("Above its clearance", 4);
    let command = json!({
        "do": "raise", "markings": marking(2, &[]), "precedence": "IMMEDIATE", "title": "Own",
        "text": "Text", "audience": [scene.police.agency], "options": ["yes"]
    });
    let elsewhere = scene.world.act(scene.police, "alert:raise", &command).expect("raised").record;
    let seen = scene.raise("Explosion", 2);
    let note = json!({ "do": "acknowledge", "alert": hidden, "option": 0, "note": null });
    scene.world.act(scene.ambulance, "alert:acknowledge", &note).expect("answered");
    let last = scene.raise("Last", 2);
    let sent = scene.sent(HOST, 2);
    let records: Vec<_> = sent.iter().map(|payload| payload["record"].clone()).collect();
    assert_eq!(records, [json!(seen), json!(last)]);
    scene.settled(&id);
    let rows = scene.world.access_rows();
    let delivered = rows.iter().filter(|row| row.kind == AccessKind::Delivered);
    let named: Vec<_> = delivered.flat_map(|row| row.records.clone()).collect();
    assert!(!named.contains(&hidden) && !named.contains(&elsewhere), "{named:?}");
}

#[test]
fn a_higher_layer_makes_no_delivery_below_it() {
    let scene = scene();
    scene.hook(HOST);
    let command = json!({
        "do": "raise", "markings": marking(2, &[]), "precedence": "IMMEDIATE", "title": "Both",
        "text": "Text", "audience": [scene.ambulance.agency], "options": ["yes"],
        "higher": [{ "markings": marking(4, &["KESTREL"]), "text": "canary" }]
    });
    scene.world.act(scene.police, "alert:raise", &command).expect("raised");
    let sent = scene.sent(HOST, 1);
    assert_eq!(sent[0]["rendition"]["layers"].as_array().map(Vec::len), Some(1));
    assert!(!sent[0].to_string().contains("canary"));
}

#[test]
fn what_waits_is_asked_again_when_it_is_sent() {
    let scene = scene();
    let (id, _) = scene.hook(HOST);
    scene.receivers.answer(HOST, 0);
    scene.raise("Explosion", 2);
    scene.sent(HOST, 1);
    let agreement = json!({ "do": "suspend", "agreement": scene.agreement["id"], "reason": "x" });
    scene.world.act(scene.police, "agreement:suspend", &agreement).expect("suspended");
    scene.receivers.answer(HOST, 204);
    scene.world.clock.advance_s(60);
    let last = scene.settled(&id);
    assert_eq!(last["last"]["fault"], "webhook-unreachable", "nothing was sent again");
    assert_eq!(scene.receivers.bodies(HOST).len(), 1);
}

#[test]
fn a_receiver_that_is_down_is_tried_again_with_the_same_id() {
    let scene = scene();
    let (id, _) = scene.hook(HOST);
    scene.receivers.answer(HOST, 503);
    scene.raise("Explosion", 2);
    scene.raise("Second", 2);
    for (count, wait) in [(1, 5), (2, 10), (3, 20)] {
        scene.sent(HOST, count);
        let outbox = scene.world.eventually(|_| {
            let outbox = scene.outbox(&id);
            (outbox["tries"] == count).then_some(outbox)
        });
        assert_eq!(outbox["last"]["status"], 503);
        assert_eq!(outbox["last"]["fault"], "webhook-refused");
        assert_eq!(outbox["waiting"], 2);
        let next = scene.world.node().now().plus_s(wait);
        assert_eq!(outbox["next_try_at"], json!(next));
        scene.world.clock.advance_s(wait - 1);
        assert_eq!(scene.receivers.bodies(HOST).len(), count, "not before its time");
        if count == 3 {
            scene.receivers.answer(HOST, 200);
        }
        scene.world.clock.advance_s(1);
    }
    let sent = scene.sent(HOST, 5);
    let ids: Vec<_> = sent.iter().map(|payload| payload["id"].clone()).collect();
    assert!(ids[..4].iter().all(|id| *id == ids[0]), "{ids:?}");
    let title = &sent.last().expect("the second")["rendition"]["layers"][0]["body"]["title"];
    assert_eq!((title, ids.last() != ids.first()), (&json!("Second"), true));
    assert_eq!(scene.settled(&id)["tries"], 0);
}

#[test]
fn after_a_day_without_success_a_webhook_is_paused_until_it_is_resumed() {
    let scene = scene();
    let (id, _) = scene.hook(HOST);
    let resume = format!("/api/webhooks/{id}/resumption");
    let (status, problem) = scene.post(scene.admin, &resume, &json!({}));
    assert_eq!((status, &problem["title"]), (409, &json!("webhook-not-paused")));
    scene.receivers.answer(HOST, 500);
    let alert = scene.raise("Explosion", 2);
    scene.sent(HOST, 1);
    scene.world.clock.advance_s(23 * 3600);
    scene.sent(HOST, 2);
    assert_eq!(scene.state(&id), "active", "less than a day");
    scene.world.clock.advance_s(3600);
    scene.world.eventually(|_| (scene.state(&id) == "paused").then_some(()));
    scene.receivers.answer(HOST, 204);
    let tried = scene.receivers.bodies(HOST).len();
    scene.world.clock.advance_s(3600);
    let second = scene.raise("Second", 2);
    // The ladder of the first has called meanwhile.
    assert!(scene.outbox(&id)["waiting"].as_u64() >= Some(2));
    assert_eq!(scene.receivers.bodies(HOST).len(), tried, "it is paused");
    assert_eq!(scene.post(scene.other, &resume, &json!({})).0, 404, "not theirs to resume");
    assert_eq!(scene.post(scene.admin, &resume, &json!({})).0, 201);
    scene.settled(&id);
    let sent = scene.receivers.bodies(HOST);
    let new = sent[tried..].iter().filter(|payload| payload["what"] == "new");
    let records: Vec<_> = new.map(|payload| payload["record"].clone()).collect();
    assert_eq!(records, [json!(alert), json!(second)]);
    assert_eq!(scene.state(&id), "active");
}

#[test]
fn a_receiver_that_says_it_is_gone_is_paused_at_once() {
    let scene = scene();
    let (id, _) = scene.hook(HOST);
    scene.receivers.answer(HOST, 410);
    scene.raise("Explosion", 2);
    scene.world.eventually(|_| (scene.state(&id) == "paused").then_some(()));
    assert_eq!(scene.receivers.bodies(HOST).len(), 1);
}

#[test]
fn a_restart_goes_on_where_it_was() {
    let mut scene = scene();
    let (id, secret) = scene.hook(HOST);
    let first = scene.raise("First", 2);
    scene.sent(HOST, 1);
    scene.settled(&id);
    scene.receivers.answer(HOST, 0);
    let second = scene.raise("Second", 2);
    let before = scene.sent(HOST, 2);
    scene.world.restart();
    scene.receivers.answer(HOST, 200);
    scene.follow();
    scene.world.clock.advance_s(60);
    // The minute also calls whoever has not answered, which changes the alerts.
    let sent = scene.sent(HOST, 3);
    let records: Vec<_> = sent[..3].iter().map(|payload| payload["record"].clone()).collect();
    assert_eq!(records, [json!(first), json!(second), json!(second)]);
    assert_eq!(sent[2]["id"], before[1]["id"]);
    let (headers, body) = scene.receivers.last();
    let value = |at: usize| headers[at].1.clone();
    let key = STANDARD.decode(secret.trim_start_matches("whsec_")).expect("base64");
    let head = format!("{}.{}.", value(1), value(2));
    let mac = Secret::from_slice(&key).expect("a key").mac(&[head.as_bytes(), &body].concat());
    assert_eq!(value(3), format!("v1,{}", STANDARD.encode(mac)), "the secret lives on");
}

#[test]
fn a_slow_receiver_delays_no_other_and_no_act() {
    let scene = scene();
    scene.hook("slow.example");
    scene.hook(HOST);
    let slow = scene.receivers.slow.lock().unwrap_or_else(PoisonError::into_inner);
    scene.raise("First", 2);
    scene.raise("Second", 2);
    assert_eq!(scene.sent(HOST, 2).len(), 2);
    assert!(scene.receivers.bodies("slow.example").is_empty());
    drop(slow);
    assert_eq!(scene.sent("slow.example", 2).len(), 2);
}

#[test]
fn a_dead_receiver_delays_no_other() {
    let scene = scene();
    scene.hook(HOST);
    scene.hook("second.example");
    scene.receivers.answer(HOST, 0);
    scene.raise("First", 2);
    scene.raise("Second", 2);
    assert_eq!(scene.sent("second.example", 2).len(), 2);
    assert_eq!(scene.receivers.bodies(HOST).len(), 1);
}

#[test]
fn to_anybody_but_its_administrators_a_webhook_is_absent() {
    let scene = scene();
    let (id, _) = scene.hook(HOST);
    let never = RecordId([5; 16]).to_string();
    let posts = ["secret", "ping", "resumption", "removal"];
    for who in [scene.other, scene.police, scene.ambulance] {
        let token = scene.world.token(who);
        for part in ["", "/outbox"] {
            let of = |id: &str| scene.world.read(&token, &format!("/api/webhooks/{id}{part}"));
            assert_eq!(of(&id), of(&never), "{part}");
            assert_eq!(of(&id).0, 404);
        }
        for verb in posts {
            let of = |id: &str| {
                let path = format!("/api/webhooks/{id}/{verb}");
                scene.world.post(&token, &path, &json!({}))
            };
            assert_eq!(of(&id), of(&never), "{verb}");
            assert!([403, 404].contains(&of(&id).0.as_u16()), "{verb}");
        }
        assert_eq!(scene.read(who, "/api/webhooks").1["total"], 0);
    }
    assert_eq!(scene.state(&id), "active", "nothing of it was done");
    assert_eq!(scene.read(scene.admin, "/api/webhooks").1["total"], 1);
}

#[test]
fn an_account_of_another_agency_gets_no_webhook() {
    let scene = scene();
    let account = scene.account_of(scene.other, &["alert"]);
    let refused = |account: &str| scene.register(account, HOST, |_| {});
    assert_eq!(refused(&account), refused(&RecordId([5; 16]).to_string()));
    assert_eq!(refused(&account).0, 404);
    let person = scene.ambulance.person.to_string();
    assert_eq!(refused(&person).0, 404, "a person is no account");
}

#[test]
fn a_registration_names_an_address_and_kinds_of_the_account() {
    let scene = scene();
    let account = scene.account(&["alert"]);
    let slug = |change: fn(&mut Value)| {
        let (status, problem) = scene.register(&account, HOST, change);
        assert_eq!(status, 400, "{problem}");
        problem["title"].as_str().expect("a slug").to_owned()
    };
    assert_eq!(slug(|body| body["url"] = json!("http://dispatch.example/")), "webhook-url");
    assert_eq!(slug(|body| body["url"] = json!("https://a@dispatch.example/")), "webhook-url");
    assert_eq!(slug(|body| body["kinds"] = json!([])), "webhook-kinds");
    assert_eq!(slug(|body| body["kinds"] = json!(["report"])), "webhook-kinds");
    assert_eq!(slug(|body| body["what"] = json!([])), "webhook-kinds");
    assert_eq!(slug(|body| body["what"] = json!(["all"])), "invalid-command");
    for _ in 0..webhooks::WEBHOOKS {
        assert_eq!(scene.register(&account, HOST, |_| {}).0, 201);
    }
    assert_eq!(slug(|_| {}), "too-many-webhooks");
    let hooks = scene.read(scene.admin, "/api/webhooks").1;
    let first = hooks["items"][0]["id"].as_str().expect("an id");
    assert_eq!(
        scene.post(scene.admin, &format!("/api/webhooks/{first}/removal"), &json!({})).0,
        201
    );
    assert_eq!(scene.register(&account, HOST, |_| {}).0, 201);
}

#[test]
fn nobody_lets_an_account_receive_what_they_could_not_have_given_it() {
    let scene = scene();
    let account = scene.account(&["alert"]);
    let office = Being { level: 2, compartments: &[], roles: &["ADMIN"] };
    let lower = scene.world.person(scene.ambulance.agency, &office);
    let body = json!({
        "service": account, "url": "https://dispatch.example/", "markings": marking(1, &[])
    });
    let (status, problem) = scene.post(lower, "/api/webhooks", &body);
    assert_eq!((status, &problem["title"]), (403, &json!("above-own-clearance")));
    let (_, hook) = scene.register(&account, HOST, |_| {});
    let path = format!("/api/webhooks/{}", hook["record"].as_str().expect("an id"));
    let (_, problem) = scene.post(lower, &format!("{path}/secret"), &json!({}));
    assert_eq!(problem["title"], "above-own-clearance");
    let (status, outbox) = scene.read(lower, &format!("{path}/outbox"));
    assert_eq!((status, &outbox["deliveries"]), (200, &Value::Null), "no numbers from above");
}

#[test]
fn a_webhook_without_a_secret_delivers_nothing_and_each_asking_makes_another() {
    let scene = scene();
    let (_, hook) = scene.register(&scene.account(&["alert"]), HOST, |_| {});
    let id = hook["record"].as_str().expect("an id");
    scene.raise("Before", 2);
    let (status, problem) =
        scene.post(scene.admin, &format!("/api/webhooks/{id}/ping"), &json!({}));
    assert_eq!((status, &problem["title"]), (409, &json!("webhook-keyless")));
    assert_eq!(scene.outbox(id)["waiting"], 1);
    assert!(scene.receivers.bodies(HOST).is_empty());
    assert_eq!(scene.state(id), "keyless");
    let secret = scene.secret(id);
    assert_ne!(secret, scene.secret(id), "none is shown twice");
    assert_eq!(scene.sent(HOST, 1).len(), 1, "what waited is delivered");
}

#[test]
fn the_secret_stands_in_no_file_and_no_view() {
    let mut scene = scene();
    let (id, secret) = scene.hook(HOST);
    scene.raise("Explosion", 2);
    scene.sent(HOST, 1);
    scene.settled(&id);
    let shown = scene.read(scene.admin, &format!("/api/webhooks/{id}")).1.to_string();
    let text = secret.strip_prefix("whsec_").expect("a prefix");
    assert!(!shown.contains(text));
    scene.world.stop();
    let key = STANDARD.decode(text).expect("base64");
    let mut looked = 0;
    let mut folders = vec![scene.world.directory().to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let bytes = std::fs::read(&path).expect("a file");
            for planted in [text.as_bytes(), &key] {
                let found = bytes.windows(planted.len()).any(|part| part == planted);
                assert!(!found, "{}", path.display());
            }
            looked += 1;
        }
    }
    assert!(looked > 5, "{looked} files");
}

#[test]
fn a_record_that_is_raised_above_the_account_is_recalled_once() {
    let scene = scene();
    let (id, _) = scene.hook(HOST);
    let alert = scene.raise("Explosion", 2);
    let other = scene.raise("Second", 2);
    scene.sent(HOST, 2);
    let contain = |level: u8| {
        let command = json!({
            "do": "contain", "record": alert, "markings": marking(level, &["KESTREL"]),
            "reason": "names a source"
        });
        scene.world.act(scene.police, "spillage:contain", &command).expect("contained");
    };
    contain(4);
    let sent = scene.sent(HOST, 3);
    let told = &sent[2];
    assert_eq!((&told["what"], &told["record"]), (&json!("recalled"), &json!(alert)));
    assert_eq!(told["rendition"], Value::Null);
    let note = json!({ "do": "acknowledge", "alert": alert, "option": 0, "note": null });
    scene.world.act(scene.ambulance, "alert:acknowledge", &note).expect("answered");
    let note = json!({ "do": "acknowledge", "alert": other, "option": 0, "note": null });
    scene.world.act(scene.ambulance, "alert:acknowledge", &note).expect("answered");
    let sent = scene.sent(HOST, 4);
    assert_eq!((&sent[3]["what"], &sent[3]["record"]), (&json!("changed"), &json!(other)));
    scene.settled(&id);
    assert_eq!(scene.receivers.bodies(HOST).len(), 4);
}

#[test]
fn only_what_was_asked_for_is_delivered() {
    let scene = scene();
    let account = scene.account(&["alert", "circle"]);
    let (_, hook) = scene.register(&account, HOST, |body| {
        body["kinds"] = json!(["alert"]);
        body["what"] = json!(["changed"]);
    });
    scene.secret(hook["record"].as_str().expect("an id"));
    let alert = scene.raise("Explosion", 2);
    let note = json!({ "do": "acknowledge", "alert": alert, "option": 0, "note": null });
    scene.world.act(scene.ambulance, "alert:acknowledge", &note).expect("answered");
    let sent = scene.sent(HOST, 1);
    assert_eq!((&sent[0]["kind"], &sent[0]["what"]), (&json!("alert"), &json!("changed")));
}

#[test]
fn an_account_that_has_ended_receives_nothing() {
    let scene = scene();
    let account = scene.account(&["alert"]);
    let (_, hook) = scene.register(&account, HOST, |_| {});
    let id = hook["record"].as_str().expect("an id");
    scene.secret(id);
    let revoke = format!("/api/services/{account}/revocation");
    assert_eq!(scene.post(scene.admin, &revoke, &json!({})).0, 201);
    scene.hook("second.example");
    scene.raise("Explosion", 2);
    scene.sent("second.example", 1);
    assert!(scene.receivers.bodies(HOST).is_empty());
    let (_, outbox) = scene.read(scene.admin, &format!("/api/webhooks/{id}/outbox"));
    assert_eq!(outbox["account_ended"], true);
    let (status, problem) =
        scene.post(scene.admin, &format!("/api/webhooks/{id}/ping"), &json!({}));
    assert_eq!((status, &problem["title"]), (409, &json!("webhook-account-ended")));
}

#[test]
fn a_test_names_nothing_and_says_what_came_of_it() {
    let scene = scene();
    let (id, _) = scene.hook(HOST);
    let ping = |id: &str| scene.post(scene.admin, &format!("/api/webhooks/{id}/ping"), &json!({}));
    let (status, outcome) = ping(&id);
    assert_eq!((status, &outcome["delivered"]), (200, &json!(true)), "{outcome}");
    let sent = scene.receivers.bodies(HOST);
    assert_eq!((&sent[0]["what"], &sent[0]["rendition"]), (&json!("ping"), &Value::Null));
    let (status, problem) = ping(&id);
    assert_eq!((status, &problem["title"]), (429, &json!("webhook-pinged")));
    scene.world.clock.advance_s(5);
    scene.receivers.answer(HOST, 301);
    let (_, outcome) = ping(&id);
    let expected = (&json!(false), &json!(301), &json!("webhook-redirect"));
    assert_eq!((&outcome["delivered"], &outcome["status"], &outcome["fault"]), expected);
    let (unlisted, _) = scene.hook("unlisted.example");
    let (_, outcome) = ping(&unlisted);
    assert_eq!(outcome["fault"], "webhook-not-listed");
    scene.raise("Explosion", 2);
    scene.world.eventually(|_| {
        (scene.outbox(&unlisted)["last"]["fault"] == "webhook-not-listed").then_some(())
    });
    assert!(scene.receivers.bodies("unlisted.example").is_empty());
    let rows = scene.world.access_rows();
    let about: RecordId = unlisted.parse().expect("an id");
    let named = rows.iter().filter(|row| row.kind == AccessKind::Delivered);
    assert!(!named.clone().any(|row| row.records.contains(&about)), "nothing left for it");
}

#[test]
fn a_node_that_was_given_no_courier_sends_nothing() {
    let mut scene = scene();
    let (id, _) = scene.hook(HOST);
    scene.world.restart();
    scene.raise("Explosion", 2);
    let (_, outbox) = scene.read(scene.admin, &format!("/api/webhooks/{id}/outbox"));
    assert_eq!(
        (&outbox["refused"], &outbox["deliveries"]["waiting"]),
        (&json!("webhook-not-listed"), &json!(1))
    );
    let (_, outcome) = scene.post(scene.admin, &format!("/api/webhooks/{id}/ping"), &json!({}));
    assert_eq!(outcome["fault"], "webhook-not-listed");
}

#[test]
fn registering_asks_for_a_passkey_shown_lately() {
    let scene = scene();
    let account = scene.account(&["alert"]);
    let token = scene.world.token(scene.admin);
    scene.world.clock.advance_s(601);
    let body = json!({
        "service": account, "url": "https://dispatch.example/", "markings": marking(1, &[])
    });
    let (status, _, bytes) = scene.world.post(&token, "/api/webhooks", &body);
    assert_eq!((status.as_u16(), &answer(&bytes)["title"]), (403, &json!("step-up-needed")));
}

#[test]
fn an_erasure_is_told_to_whoever_could_read_what_was_erased() {
    let scene = scene();
    let (id, _) = scene.hook(HOST);
    let heads = Being { level: 4, compartments: &["KESTREL"], roles: &["HEAD", "SIGNATORY"] };
    let [one, two] = [0, 1].map(|_| scene.world.person(scene.police.agency, &heads));
    let command = json!({
        "do": "raise", "markings": marking(2, &[]), "precedence": "IMMEDIATE", "title": "Both",
        "text": "Text", "audience": [scene.ambulance.agency], "options": ["yes"],
        "higher": [{ "markings": marking(4, &["KESTREL"]), "text": "above" }]
    });
    let alert = scene.world.act(scene.police, "alert:raise", &command).expect("raised").record;
    scene.sent(HOST, 1);
    let erase = |layer: Value| {
        let command =
            json!({ "do": "request", "record": alert, "basis": "ARCHIVES-ACT-12", "layer": layer });
        let asked = scene.world.act(one, "erasure:request", &command).expect("requested").record;
        let command = json!({ "do": "approve", "erasure": asked });
        scene.world.act(two, "erasure:approve", &command).expect("erased");
    };
    let layers = scene.world.get(one, "alert", alert).expect("an alert").layers;
    erase(json!(layers[1].id));
    scene.raise("Last", 2);
    let sent = scene.sent(HOST, 2);
    let title = &sent[1]["rendition"]["layers"][0]["body"]["title"];
    assert_eq!((sent.len(), title), (2, &json!("Last")), "what is above makes no delivery");
    erase(json!(layers[0].id));
    let sent = scene.sent(HOST, 3);
    assert_eq!((&sent[2]["what"], &sent[2]["record"]), (&json!("changed"), &json!(alert)));
    let base = &sent[2]["rendition"]["layers"][0];
    assert_eq!((&base["erased"], &base["body"]["title"]), (&json!(1), &Value::Null));
    scene.settled(&id);
    assert_eq!(scene.receivers.bodies(HOST).len(), 3);
}

#[test]
fn on_postgresql_the_node_that_leads_delivers_and_one_that_has_stopped_does_not() {
    let server = testkit::postgres::TemporaryPostgres::shared().expect("PostgreSQL");
    let mut scene = scene_in(World::on_postgres(&server.new_database().expect("a database")));
    let (id, _) = scene.hook(HOST);
    scene.raise("First", 2);
    scene.sent(HOST, 1);
    scene.settled(&id);
    assert!(scene.world.node().leads().expect("asked"));
    let before = Arc::clone(scene.world.node());
    scene.world.restart();
    let epoch = before.log().head(LogName::Acts).expect("a head").epoch;
    assert!(epoch > before.core().head.epoch, "another has taken the log");
    assert!(!before.leads().expect("asked"));
    scene.follow();
    scene.raise("Second", 2);
    assert_eq!(scene.sent(HOST, 2).len(), 2);
}
