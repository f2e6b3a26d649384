//! Non-interference: what a reader may not see changes nothing that the reader gets, on any exit.
//!
//! A *transcript* is everything that every exit gives to one reader: statuses, headers, bodies,
//! list order, counts, entity tags, cursors, history, errors and live frames. Random values are
//! replaced by the order in which they first stand, sealed ones by their length. Two worlds that
//! differ only above the reader's head must give the same transcript, byte for byte.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::{Arc, Mutex, PoisonError};

use app::kernel::Fault;
use app::webhooks::{self, Address, Courier, Letter};
use base::RecordId;
use proptest::prelude::*;
use serde_json::{Value, json};
use testkit::world::{Being, marking};
use testkit::{Who, World};

/// What happens above the head of the observed reader.
#[derive(Clone, Debug, Default)]
struct Hidden {
    /// Higher texts of the first alert.
    higher: Vec<String>,
    /// Alerts that address only the author's agency, raised before each visible act.
    own: usize,
    /// Alerts in a compartment that also address the reader's agency.
    compartmented: usize,
    /// Answers of others, to alerts that the reader cannot read.
    answers: bool,
    /// Higher portions of each report, and revisions of them.
    portions: usize,
    /// Reports that are not released, reports in a compartment, and requests to nobody here.
    reports: usize,
    /// Declarations, with their operations, that oblige only the author's agency.
    declared: usize,
    /// Higher versions of the imported objects, and objects and relationships above the reader.
    entities: usize,
    /// People added to the other agency, whose records no clause lets through.
    people: usize,
}

struct Worlds {
    world: World,
    police: Who,
    fire: Who,
    fire_head: Who,
    /// An administrator of the reader's agency, with the reader's clearance.
    fire_admin: Who,
    /// What a webhook of the reader's agency was sent.
    letters: Arc<Letters>,
    /// Of the reader's agency, with the reader's clearance.
    inspector: Who,
    /// The agreement by which both read.
    text: Value,
}

/// A receiver that takes everything.
#[derive(Default)]
struct Letters(Mutex<Vec<Value>>);

impl Letters {
    fn all(&self) -> Vec<Value> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Courier for Letters {
    fn allows(&self, _to: &Address) -> Result<(), Fault> {
        Ok(())
    }

    fn send(&self, letter: &Letter) -> Result<u16, Fault> {
        let body = serde_json::from_slice(&letter.body).expect("json");
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(body);
        Ok(204)
    }
}

const DESK: Being<'static> =
    Being { level: 4, compartments: &["KESTREL", "LANTERN"], roles: &["DUTY", "SIGNATORY"] };

const READS: [&str; 7] = [
    "alert:read",
    "circle:read",
    "declaration:read",
    "entity:read",
    "operation:read",
    "plan:read",
    "report:read",
];

fn begin() -> Worlds {
    let world = World::new();
    let (pol, fir) = (world.agency("POL"), world.agency("FIRE"));
    let heads = Being { roles: &["DUTY", "HEAD", "SIGNATORY"], ..DESK };
    let police = world.person(pol, &heads);
    let fire = world.person(fir, &Being { level: 3, compartments: &[], ..DESK });
    let fire_head = world.person(fir, &Being { level: 4, ..DESK });
    let being = Being { level: 3, compartments: &[], roles: &["INSPECTOR"] };
    let inspector = world.person(fir, &being);
    let fire_admin = world.person(fir, &Being { roles: &["ADMIN"], ..being });
    let letters = Arc::new(Letters::default());
    webhooks::follow(world.node(), Arc::clone(&letters) as Arc<dyn Courier>).expect("threads");
    let both = [pol, fir];
    let charter = world.agreement(&both, &[(&both, &both, &["agreement:read"], 2)]);
    let found = json!({ "do": "found", "agreement": charter, "markings": marking(1, &[]) });
    world.found(pol, "agreement:found", &found).expect("the charter");
    let text = world.agreement(&both, &[(&both, &both, &READS, 5)]);
    world.enact(&text, &[police, fire]);
    Worlds { world, police, fire, fire_head, fire_admin, letters, inspector, text }
}

impl Worlds {
    fn raise(&self, title: &str, level: u8, compartments: &[&str], to: &[Who]) -> RecordId {
        self.raise_higher(title, (level, compartments), to, &[])
    }

    fn raise_higher(
        &self,
        title: &str,
        (level, compartments): (u8, &[&str]),
        to: &[Who],
        higher: &[String],
    ) -> RecordId {
        let audience: Vec<_> = to.iter().map(|who| who.agency).collect();
        let codes = ["KESTREL", "LANTERN"];
        let higher: Vec<Value> = higher
            .iter()
            .zip(codes)
            .map(|(text, code)| json!({ "markings": marking(4, &[code]), "text": text }))
            .collect();
        let command = json!({
            "do": "raise", "markings": marking(level, compartments), "precedence": "PRIORITY",
            "title": title, "text": "text", "audience": audience, "options": ["yes", "no"],
            "place": null, "higher": higher
        });
        self.world.act(self.police, "alert:raise", &command).expect("an alert").record
    }

    fn answer(&self, who: Who, alert: RecordId) {
        let command = json!({ "do": "acknowledge", "alert": alert, "option": 0, "note": null });
        self.world.act(who, "alert:acknowledge", &command).expect("answered");
    }

    fn report(&self, title: &str, cell: (u8, &[&str]), to: &[Who], higher: usize) -> RecordId {
        let codes = ["KESTREL", "LANTERN"];
        let portion = |markings: Value, text: &str| {
            let line = "hazards";
            json!({ "markings": markings, "line": line, "text": text })
        };
        let mut portions = vec![portion(Value::Null, "gas")];
        for code in codes.iter().take(higher) {
            portions.push(portion(marking(4, &[code]), "a known cell"));
        }
        let recipients: Vec<_> = to.iter().map(|who| who.agency).collect();
        let command = json!({
            "do": "submit", "form": "methane", "markings": marking(cell.0, cell.1),
            "title": title, "portions": portions, "recipients": recipients
        });
        let report = self.world.act(self.police, "report:submit", &command);
        let report = report.expect("a report").record;
        for code in codes.iter().take(higher) {
            let portions = [portion(marking(4, &[code]), "two known cells")];
            let command =
                json!({ "do": "revise", "report": report, "reason": "more", "portions": portions });
            self.world.act(self.police, "report:revise", &command).expect("revised");
            self.downgrade(report, code);
        }
        report
    }

    /// Proposes to say what the layer of a compartment says without it, and has it refused.
    fn downgrade(&self, report: RecordId, code: &str) {
        let shown = self.world.get(self.police, "report", report).expect("the report");
        let above =
            |layer: &&app::kernel::reader::OpenLayer| json!(layer.label).to_string().contains(code);
        let layer = shown.layers.iter().filter(above).find(|l| l.body.contains_key("portions"));
        let from = layer.expect("a layer").id;
        let propose = json!({
            "do": "downgrade", "report": report, "from": from, "markings": marking(3, &[]),
            "portions": [{ "line": "hazards", "text": "cells", "grade": null }], "reason": "why"
        });
        self.world.act(self.police, "report:downgrade", &propose).expect("proposed");
        let shown = self.world.get(self.police, "report", report).expect("the report");
        let mut proposals = shown.layers.iter().filter(above);
        let named = |body: &serde_json::Map<String, Value>| {
            body.get("downgrades")?.get(0)?.get("downgrade").cloned()
        };
        let downgrade = proposals.find_map(|layer| named(&layer.body));
        let decline = json!({
            "do": "decline", "report": report, "downgrade": downgrade.expect("a proposal"),
            "from": from, "reason": "no"
        });
        self.world.act(self.police, "report:decline", &decline).expect("refused");
    }

    /// Declares, above the head of the observed reader, what obliges nobody else.
    fn declare(&self) {
        let (markings, agency) = (marking(4, &["KESTREL"]), self.police.agency);
        let content = json!({
            "name": "Own", "incident": "CBRN", "incident_markings": markings,
            "precedence": "FLASH", "text": "text", "options": ["yes"], "ladder_s": [60, 120, 180],
            "obliged": [{ "agency": agency, "agreement": null }],
            "roles": [{ "name": "Commander", "seat": self.police.seat }], "objectives": []
        });
        let make = json!({ "do": "make", "content": content, "markings": markings });
        let plan = self.world.act(self.police, "plan:make", &make).expect("a plan").record;
        let declare = json!({
            "do": "declare", "plan": plan, "title": "hidden", "text": null, "place": null
        });
        let done = self.world.act(self.police, "declaration:declare", &declare);
        let id = done.expect("declared").record;
        let end = json!({ "do": "end", "declaration": id, "reason": "over" });
        self.world.act(self.police, "declaration:end", &end).expect("ended");
        let starts = self.world.node().play_now();
        let watch = json!({
            "do": "plan", "seat": self.police.seat, "person": self.police.person,
            "starts_at": starts, "ends_at": starts.plus_s(3600),
            "markings": marking(4, &["KESTREL"])
        });
        self.world.act(self.police, "watch:plan", &watch).expect("planned");
        let draw = json!({
            "do": "make", "title": "hidden", "markings": marking(4, &["KESTREL"]),
            "features": [{ "kind": "point", "at": [[24.9, 60.1]], "text": "hidden" }]
        });
        self.world.act(self.police, "drawing:make", &draw).expect("drawn");
        let keep = json!({
            "do": "keep", "name": "hidden", "query": "hidden",
            "markings": marking(4, &["KESTREL"])
        });
        self.world.act(self.police, "query:keep", &keep).expect("kept");
    }

    /// Imports an object; relationships name the ids of objects by their number.
    fn entity(&self, number: u8, version: usize, compartments: &[&str]) -> RecordId {
        let object = json!({
            "type": "tool", "spec_version": "2.1", "name": format!("tool {number}"),
            "id": format!("tool--2c1d8a4e-7f31-4c6d-8d4b-{number:012x}"),
            "created": "2026-01-01T00:00:00.000Z",
            "modified": format!("2026-02-01T00:00:00.{version:03}Z")
        });
        self.import(&object, compartments)
    }

    fn relate(&self, number: u8, ends: (u8, u8), compartments: &[&str]) -> RecordId {
        let end = |number: u8| format!("tool--2c1d8a4e-7f31-4c6d-8d4b-{number:012x}");
        let object = json!({
            "type": "relationship", "spec_version": "2.1", "relationship_type": "uses",
            "id": format!("relationship--2c1d8a4e-7f31-4c6d-8d4b-{number:012x}"),
            "created": "2026-01-01T00:00:00.000Z", "modified": "2026-02-01T00:00:00.000Z",
            "source_ref": end(ends.0), "target_ref": end(ends.1)
        });
        self.import(&object, compartments)
    }

    fn import(&self, object: &Value, compartments: &[&str]) -> RecordId {
        let level = if compartments.is_empty() { 2 } else { 4 };
        let of = |level: u8| json!({ "level": level });
        let command = json!({
            "do": "import", "markings": marking(level, compartments),
            "table": { "scheme": "NAT", "clear": of(1), "green": of(1), "amber": of(2),
                "amber_strict": of(3), "red": of(4) },
            "objects": [object.to_string()]
        });
        self.world.act(self.police, "entity:import", &command).expect("imported").record
    }

    /// A newer version of the first object, and others that are related to it, above the reader.
    fn intelligence(&self, round: usize) {
        let new = u8::try_from(10 + round).expect("a small number");
        self.entity(1, 100 + round, &["KESTREL"]);
        self.entity(new, 0, &["KESTREL"]);
        self.relate(new, (new, 1), &["KESTREL"]);
        self.relate(new + 100, (1, 2), &["LANTERN"]);
    }

    fn hide(&self, hidden: &Hidden) {
        for i in 0..hidden.reports {
            self.report(&format!("own report {i}"), (2, &[]), &[], 1);
            self.report(&format!("cell report {i}"), (4, &["KESTREL"]), &[self.fire], 0);
        }
        for i in 0..hidden.own {
            self.raise(&format!("own {i}"), 2, &[], &[self.police]);
        }
        for i in 0..hidden.compartmented {
            let id = self.raise(&format!("cell {i}"), 4, &["KESTREL"], &[self.fire]);
            if hidden.answers {
                self.answer(self.fire_head, id);
            }
        }
        for _ in 0..hidden.declared {
            self.declare();
        }
        for _ in 0..hidden.people {
            self.world.person(self.police.agency, &DESK);
        }
    }

    /// The same visible acts in every world, with what is hidden in between.
    fn play(&self, hidden: &Hidden, mut after_each: impl FnMut()) -> Vec<RecordId> {
        let first = self.raise_higher("first", (2, &[]), &[self.fire], &hidden.higher);
        after_each();
        self.hide(hidden);
        let second = self.raise("second", 3, &[], &[self.fire]);
        after_each();
        self.hide(hidden);
        self.answer(self.fire, first);
        after_each();
        let third = self.raise("third", 1, &[], &[self.fire]);
        after_each();
        let report = self.report("report", (2, &[]), &[self.fire], hidden.portions);
        after_each();
        let tool = self.entity(1, 0, &[]);
        after_each();
        (0..hidden.entities).for_each(|round| self.intelligence(round));
        self.entity(2, 0, &[]);
        after_each();
        self.relate(1, (1, 2), &[]);
        after_each();
        (0..hidden.entities).for_each(|round| self.intelligence(10 + round));
        self.hide(hidden);
        self.hide(hidden);
        let cancel = json!({ "do": "cancel", "alert": second, "reason": "over" });
        self.world.act(self.police, "alert:cancel", &cancel).expect("cancelled");
        after_each();
        self.hide(hidden);
        vec![first, second, third, report, tool]
    }
}

/// Replaces ids by the order in which they first stand, and sealed values by their length.
#[derive(Default)]
struct Normal {
    ids: BTreeMap<String, usize>,
}

impl Normal {
    fn value(&mut self, value: &Value) -> Value {
        match value {
            Value::String(text) if text.parse::<RecordId>().is_ok() => {
                let next = self.ids.len();
                let number = *self.ids.entry(text.clone()).or_insert(next);
                json!(format!("id {number}"))
            }
            Value::Array(items) => items.iter().map(|item| self.value(item)).collect(),
            Value::Object(fields) => {
                let mut normal = serde_json::Map::new();
                for (name, field) in fields {
                    let sealed = ["etag", "next", "receipt"].contains(&name.as_str());
                    let field = match field {
                        Value::String(text) if sealed => json!(text.len()),
                        other => self.value(other),
                    };
                    normal.insert(name.clone(), field);
                }
                Value::Object(normal)
            }
            other => other.clone(),
        }
    }

    fn bytes(&mut self, bytes: &[u8]) -> String {
        match serde_json::from_slice::<Value>(bytes) {
            Ok(value) => self.value(&value).to_string(),
            Err(_) => String::from_utf8_lossy(bytes).into_owned(),
        }
    }
}

struct Transcript {
    text: String,
    normal: Normal,
}

impl Transcript {
    fn exit(&mut self, worlds: &Worlds, token: &str, path: &str, shown: &str) -> Value {
        let (status, headers, body) = worlds.world.read(token, path);
        let names: Vec<String> = headers
            .iter()
            .map(|(name, value)| format!("{name}={}", value.as_bytes().len()))
            .collect();
        let body_text = self.normal.bytes(&body);
        writeln!(self.text, "{shown} {status} {names:?} {} {body_text}", body.len()).expect("text");
        serde_json::from_slice(&body).unwrap_or(Value::Null)
    }
}

const KINDS: [&str; 14] = [
    "alert",
    "person",
    "circle",
    "agreement",
    "agency",
    "declaration",
    "operation",
    "plan",
    "report",
    "handover",
    "entity",
    "watch",
    "drawing",
    "query",
];
const LISTS: [&str; 15] = [
    "alerts",
    "people",
    "agencies",
    "circles",
    "agreements",
    "declarations",
    "operations",
    "plans",
    "reports",
    "inquiries",
    "roster",
    "entities",
    "watches",
    "drawings",
    "queries",
];

/// Everything that the observed reader gets in a world.
fn transcript(hidden: &Hidden) -> String {
    let worlds = begin();
    let token = worlds.world.token(worlds.fire);
    let mut out = Transcript { text: String::new(), normal: Normal::default() };
    let listening = worlds.world.listen();
    let mut live = listening.live(&token, &KINDS);
    let mut frames = Vec::new();
    let hook = register(&worlds);
    let seen = worlds.play(hidden, || frames.extend(live.frame()));
    // A last visible act: any frame that something hidden had made would stand before it.
    worlds.raise("last", 2, &[], &[worlds.fire]);
    while let Some(frame) = live.frame() {
        let last = frame.to_string().contains("\"last\"") && frame.to_string().contains("alert");
        frames.push(frame);
        if last {
            break;
        }
    }
    for list in LISTS {
        out.exit(&worlds, &token, &format!("/api/{list}"), list);
        let mut path = format!("/api/{list}?limit=1");
        for turn in 0..20 {
            let page = out.exit(&worlds, &token, &path, &format!("{list} page {turn}"));
            let Some(next) = page["next"].as_str() else { break };
            path = format!("/api/{list}?limit=1&cursor={next}");
        }
    }
    for (i, id) in seen.iter().enumerate() {
        out.exit(&worlds, &token, &format!("/api/entities/{id}/related"), &format!("related {i}"));
        for list in ["alerts", "reports", "entities"] {
            out.exit(&worlds, &token, &format!("/api/{list}/{id}"), &format!("{list} {i}"));
            let path = format!("/api/{list}/{id}?as_of=2026-11-22T12:00:00Z");
            out.exit(&worlds, &token, &path, &format!("{list} {i} as of"));
        }
        out.exit(&worlds, &token, &format!("/api/people/{id}"), "an id of another kind");
        let path = format!("/api/reports/{id}/attachments/{}", base::Digest([7; 32]));
        out.exit(&worlds, &token, &path, "a file that is not there");
    }
    for list in ["alerts", "reports", "drawings"] {
        let path = format!("/api/{list}?as_of=2026-11-22T12:00:00Z");
        out.exit(&worlds, &token, &path, &format!("{list} as of"));
    }
    for words in ["first", "known", "cell", "hidden", "text", "t", "tool", "kind:report", "KESTREL"]
    {
        let mut path = format!("/api/search?q={words}&limit=2");
        for turn in 0..8 {
            let page = out.exit(&worlds, &token, &path, &format!("search {words} page {turn}"));
            let Some(next) = page["next"].as_str() else { break };
            path = format!("/api/search?q={words}&limit=2&cursor={next}");
        }
    }
    deliver(&worlds, &mut out, &hook);
    inquire(&worlds, &mut out, &seen);
    question(&worlds, &mut out, &seen);
    out.exit(&worlds, &token, "/api/me", "me");
    for frame in frames {
        let frame = out.normal.value(&frame);
        writeln!(out.text, "frame {frame}").expect("text");
    }
    out.text
}

/// A webhook for an account that reads what the reader does; it waits for its secret.
fn register(worlds: &Worlds) -> String {
    let token = worlds.world.token(worlds.fire_admin);
    let post = |path: &str, body: &Value| {
        let (status, _, bytes) = worlds.world.post(&token, path, body);
        let answer: Value = serde_json::from_slice(&bytes).expect("json");
        assert_eq!(status, 201, "{answer}");
        answer["record"].as_str().expect("an id").to_owned()
    };
    let kinds = KINDS.into_iter().filter(|kind| !["person", "circle"].contains(kind));
    let account = json!({
        "name": "Dispatch", "token": base::Digest([7; 32]), "actions": [],
        "kinds": kinds.collect::<Vec<_>>(), "roles": ["DUTY"], "markings": marking(1, &[]),
        "clearance": { "schemes": { "NAT": { "level": 3, "compartments": [] } } },
        "expires_at": worlds.world.node().play_now().plus_s(86_400)
    });
    let service = post("/api/services", &account);
    let url = "https://dispatch.example/";
    post("/api/webhooks", &json!({ "service": service, "url": url, "markings": marking(1, &[]) }))
}

/// What waits for a webhook, and what it is sent once it has a secret.
fn deliver(worlds: &Worlds, out: &mut Transcript, hook: &str) {
    let token = worlds.world.token(worlds.fire_admin);
    let outbox = format!("/api/webhooks/{hook}/outbox");
    out.exit(worlds, &token, "/api/webhooks", "webhooks");
    let waiting = out.exit(worlds, &token, &outbox, "outbox")["deliveries"]["waiting"].clone();
    assert!(waiting.as_u64() >= Some(5), "{waiting}");
    assert!(worlds.letters.all().is_empty());
    let secret = format!("/api/webhooks/{hook}/secret");
    assert_eq!(worlds.world.post(&token, &secret, &json!({})).0, 201);
    worlds.world.eventually(|world| {
        let (_, _, bytes) = world.read(&token, &outbox);
        let shown: Value = serde_json::from_slice(&bytes).expect("json");
        (shown["deliveries"]["waiting"] == 0).then_some(())
    });
    let mut ids = BTreeMap::new();
    for mut letter in worlds.letters.all() {
        let next = ids.len();
        letter["id"] = json!(*ids.entry(letter["id"].to_string()).or_insert(next));
        writeln!(out.text, "letter {}", out.normal.value(&letter)).expect("text");
    }
    out.exit(worlds, &token, &outbox, "outbox after");
}

/// An inspector of the reader's agency asks who knew of what the reader may read. The ledger itself
/// tells how much goes on by the right to read it, so it is not among the exits.
fn inquire(worlds: &Worlds, out: &mut Transcript, seen: &[RecordId]) {
    let inspector = worlds.inspector;
    let token = worlds.world.token(inspector);
    for (i, id) in seen.iter().enumerate() {
        let command = json!({
            "do": "open", "markings": marking(1, &[]), "subject": id,
            "instant": "2026-11-22T12:00:00Z", "reason": "Who knew"
        });
        let opened = worlds.world.act(inspector, "inquiry:open", &command).expect("opened").record;
        let path = format!("/api/inquiries/{opened}/findings");
        let (status, _, body) = worlds.world.read(&token, &path);
        let mut found: Value = serde_json::from_slice(&body).expect("findings");
        // Sequence numbers are the ledger's own, as its sizes are.
        found["size"] = Value::Null;
        found["policy"] = Value::Null;
        for entry in found["entries"].as_array_mut().expect("entries") {
            entry["sequence"] = Value::Null;
        }
        let found = strip(&found);
        writeln!(out.text, "findings {i} {status} {}", out.normal.value(&found)).expect("text");
    }
}

/// The reader asks why, of others' records and of a record of its own, and what a draft would have
/// let flow.
fn question(worlds: &Worlds, out: &mut Transcript, seen: &[RecordId]) {
    let (world, token) = (&worlds.world, worlds.world.token(worlds.fire));
    let (police, fire) = (worlds.police.agency, worlds.fire.agency);
    let mut ask = |path: &str, body: &Value, shown: &str| {
        let (status, _, bytes) = world.post(&token, path, body);
        let text = out.normal.bytes(&bytes);
        writeln!(out.text, "{shown} {status} {} {text}", bytes.len()).expect("text");
    };
    let command = json!({
        "do": "raise", "markings": marking(2, &[]), "precedence": "PRIORITY", "title": "of fire",
        "text": "text", "audience": [police], "options": ["yes"], "place": null
    });
    let own = world.act(worlds.fire, "alert:raise", &command).expect("an alert").record;
    for (i, id) in seen.iter().chain([&own]).enumerate() {
        for kind in ["alert", "report", "entity"] {
            for agency in [police, fire] {
                let body = json!({ "record": { "kind": kind, "id": id }, "agency": agency });
                ask("/api/why", &body, &format!("why {kind} {i}"));
            }
        }
    }
    let (both, level) = ([police, fire], 3);
    for reads in [&READS[..], &[]] {
        let clauses: &[testkit::world::Flow<'_>] = &[(&both, &both, &["circle:read"], 5)];
        let more: &[testkit::world::Flow<'_>] = &[(&both, &both, reads, level)];
        let draft = world.agreement(&both, if reads.is_empty() { clauses } else { more });
        let body = json!({ "draft": draft, "days": 30 });
        ask("/api/agreements/replay", &body, "replay of a new agreement");
        let mut next = worlds.text.clone();
        next["version"] = json!(2);
        next["clauses"] = draft["clauses"].clone();
        let body = json!({ "draft": next, "days": 30 });
        ask("/api/agreements/replay", &body, "replay of the next version");
    }
}

/// Without the places of evidence in the ledger, which inspectors may know.
fn strip(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let kept =
                fields.iter().filter(|(name, _)| !["row", "sequence"].contains(&name.as_str()));
            Value::Object(kept.map(|(name, field)| (name.clone(), strip(field))).collect())
        }
        Value::Array(items) => items.iter().map(strip).collect(),
        other => other.clone(),
    }
}

fn assert_same(hidden: &Hidden) {
    let (nothing, something) = (transcript(&Hidden::default()), transcript(hidden));
    for (a, b) in nothing.lines().zip(something.lines()) {
        assert_eq!(a, b, "{hidden:?}");
    }
    assert_eq!(nothing.lines().count(), something.lines().count(), "{hidden:?}");
}

#[test]
fn a_transcript_repeats_itself() {
    let text = transcript(&Hidden::default());
    assert_eq!(text, transcript(&Hidden::default()));
    assert!(text.lines().count() > 30 && text.contains("first") && text.contains("frame"));
    let replayed = text.lines().filter(|line| line.starts_with("replay"));
    assert!(replayed.clone().all(|line| line.starts_with("replay of") && line.contains(" 200 ")));
    assert!(replayed.clone().any(|line| line.contains("tool 1")), "something would stop");
    let letters = text.lines().filter(|line| line.starts_with("letter")).count();
    assert!(letters > 5, "{letters} letters");
    let why = text.lines().filter(|line| line.starts_with("why alert"));
    assert!(why.clone().any(|line| line.contains("\"reads\":true")), "its own is explained");
}

#[test]
fn a_higher_portion_changes_nothing_below_it() {
    let higher = vec!["a known cell".to_owned(), "and a source".to_owned()];
    assert_same(&Hidden { higher, ..Hidden::default() });
}

#[test]
fn records_of_a_circle_change_nothing_outside_of_it() {
    assert_same(&Hidden { own: 2, ..Hidden::default() });
}

#[test]
fn records_in_a_compartment_and_answers_to_them_change_nothing_outside_of_it() {
    assert_same(&Hidden { compartmented: 2, answers: true, ..Hidden::default() });
}

#[test]
fn declarations_and_their_operations_change_nothing_outside_of_their_circles() {
    assert_same(&Hidden { declared: 1, ..Hidden::default() });
}

#[test]
fn people_of_another_agency_change_nothing_where_no_clause_shows_them() {
    assert_same(&Hidden { people: 1, ..Hidden::default() });
}

#[test]
fn higher_portions_of_a_report_and_their_revisions_change_nothing_below_them() {
    assert_same(&Hidden { portions: 1, ..Hidden::default() });
    assert_same(&Hidden { portions: 2, ..Hidden::default() });
}

#[test]
fn entities_versions_and_relationships_above_a_reader_change_nothing() {
    assert_same(&Hidden { entities: 1, ..Hidden::default() });
    assert_same(&Hidden { entities: 2, ..Hidden::default() });
    let text = transcript(&Hidden::default());
    let related = text.lines().find(|line| line.starts_with("related 4"));
    assert!(related.expect("a line").contains("tool 2"), "what is shown is shown");
}

#[test]
fn reports_that_are_not_released_or_in_a_compartment_change_nothing() {
    assert_same(&Hidden { reports: 1, ..Hidden::default() });
}

#[test]
fn what_is_withheld_and_what_never_was_give_the_same_answer() {
    let worlds = begin();
    let hidden = worlds.raise("cell", 4, &["KESTREL"], &[worlds.fire]);
    let token = worlds.world.token(worlds.fire);
    for path in LISTS.map(|list| format!("/api/{list}")) {
        let withheld = worlds.world.read(&token, &format!("{path}/{hidden}"));
        let never = worlds.world.read(&token, &format!("{path}/{}", RecordId([5; 16])));
        let wrong = worlds.world.read(&token, &format!("{path}/nonsense"));
        assert_eq!(withheld, never);
        assert_eq!(withheld, wrong);
        assert_eq!(withheld.0, 404);
    }
    for verb in ["acknowledgements", "cancellation"] {
        let body = json!({ "option": 0, "note": null });
        let body = if verb == "cancellation" { json!({ "reason": "x" }) } else { body };
        let withheld = worlds.world.post(&token, &format!("/api/alerts/{hidden}/{verb}"), &body);
        let never = format!("/api/alerts/{}/{verb}", RecordId([5; 16]));
        let never = worlds.world.post(&token, &never, &body);
        assert_eq!(withheld, never);
        assert_eq!(withheld.0, 404);
    }
    let hidden = worlds.report("cell", (4, &["KESTREL"]), &[worlds.fire], 0);
    let withheld = worlds.world.read(&token, &format!("/api/reports/{hidden}"));
    assert_eq!(withheld.0, 404);
    let release = json!({ "recipients": [worlds.police.agency] });
    let withdraw = json!({ "agency": worlds.police.agency, "reason": "x" });
    let portions = json!([{ "line": "hazards", "text": "x" }]);
    let revise = json!({ "reason": "x", "portions": portions });
    for (verb, body) in [("releases", release), ("withdrawals", withdraw), ("revisions", revise)] {
        let withheld = worlds.world.post(&token, &format!("/api/reports/{hidden}/{verb}"), &body);
        let never = format!("/api/reports/{}/{verb}", RecordId([5; 16]));
        assert_eq!(withheld, worlds.world.post(&token, &never, &body));
        assert_eq!(withheld.0, 404, "{verb}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3, ..ProptestConfig::default() })]
    #[test]
    fn random_hidden_acts_change_nothing(
        higher in proptest::collection::vec("[a-z]{1,40}", 0..3),
        own in 0usize..3,
        compartmented in 0usize..3,
        answers in any::<bool>(),
        people in 0usize..2,
        portions in 0usize..3,
        reports in 0usize..2,
    ) {
        let declared = own.min(1);
        assert_same(&Hidden {
            higher, own, compartmented, answers, portions, reports, declared, people, entities: own
        });
    }
}
