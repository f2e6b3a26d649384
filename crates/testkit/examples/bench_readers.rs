//! Benchmark: a million records, and readers who may read all, some, hardly any or three of them.
//!
//! `cargo xtask bench readers [-- ENTITIES ALERTS]`, 900,000 and 100,000 when not given. Entities
//! lie under five labels, each alert in a circle of its own. Prints how long writing took, bytes a
//! record and a reader's hour, lists, search through the router, opening and the row it writes,
//! what it costs to ask the rules for a reader who was never seen, start, and rebuilding the views.
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::expect_used,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a benchmark measures time, prints its figures and stops when something is wrong"
)]

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use app::kernel::access::{AccessKind, AccessRow};
use base::RecordId;
use base::crypto::{Entropy, Secret};
use serde_json::{Value, json};
use store::log::{LogName, StoredEntry, StoredSecrets};
use testkit::world::{Being, marking};
use testkit::{Who, World};

/// Objects of one act.
const PART: u64 = 256;
/// Distinct words, drawn by Zipf's law.
const WORDS: u32 = 50_000;
const TURNS: usize = 300;
/// TLP 2.0: RED, AMBER and CLEAR as STIX 2.1 names them.
const RED: &str = "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1";
const AMBER: &str = "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421";
const CLEAR: &str = "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487";

fn main() {
    let given = |at: usize, otherwise: u64| {
        std::env::args().nth(at).map_or(otherwise, |n| n.parse().expect("a number"))
    };
    let (entities, alerts) = (given(1, 900_000), given(2, 100_000));
    let mut world = World::new();
    let cast = cast(&world);
    println!("memory of an empty node: {:.0} MB", resident_mb());
    write_entities(&world, cast.dense, entities);
    write_alerts(&world, &cast, alerts);
    let records = entities + alerts;
    let size = world.node().core().head.size;
    let on_disk = |part: &str| bytes_of(&world.directory().join(part)) as f64;
    println!(
        "{records} records in {size} entries: {:.0} bytes a record of log and secrets, {:.0} of \
         views, {:.0} of search; memory {:.0} MB",
        on_disk("store") / records as f64,
        (on_disk("local") - search_bytes(&world)) / records as f64,
        search_bytes(&world) / records as f64,
        resident_mb()
    );
    lists(&world, &cast);
    misses(&world);
    open(&world, &cast);
    hour(&world, cast.dense);
    search(&world, &cast);
    let began = Instant::now();
    world.restart();
    println!("start at {size} entries: {:.2} s", began.elapsed().as_secs_f64());
    let began = Instant::now();
    world.rebuild().expect("views");
    let s = began.elapsed().as_secs_f64();
    println!("rebuild of the views: {s:.1} s, {:.0} entries/s", size as f64 / s);
}

/// Who reads: entities by label, alerts by circle.
struct Cast {
    dense: Who,
    sparse: Who,
    needle: Who,
    fire: Who,
    bound: Who,
}

fn cast(world: &World) -> Cast {
    let roles = &["DUTY", "SIGNATORY", "ANALYST"];
    let being = |level| Being { level, compartments: &[], roles };
    let (pol, fir, bound) = (world.agency("POL"), world.agency("FIRE"), world.agency("BOUND"));
    let cast = Cast {
        dense: world.person(pol, &being(5)),
        sparse: world.person(pol, &being(3)),
        needle: world.person(pol, &being(1)),
        fire: world.person(fir, &being(4)),
        bound: world.person(bound, &being(4)),
    };
    let all = [pol, fir, bound];
    world.charter(&all);
    let text = world.agreement(&all, &[(&all, &all, &["alert:read", "circle:read"], 4)]);
    world.enact(&text, &[cast.dense, cast.fire, cast.bound]);
    cast
}

/// Draws words, the first of them most often.
struct Drawing(Entropy);

impl Drawing {
    fn text(&mut self, count: usize) -> String {
        let mut words = String::new();
        for _ in 0..count {
            let part = f64::from(self.0.below(1_000_000)) / 1e6;
            let rank = (f64::from(WORDS).powf(part) - 1.0) as u32;
            words.push_str(&word(rank));
            words.push(' ');
        }
        words
    }
}

fn word(rank: u32) -> String {
    format!("w{rank}")
}

/// One in a hundred is AMBER, one in a hundred thousand CLEAR, the others RED.
fn write_entities(world: &World, who: Who, count: u64) {
    let next = AtomicU64::new(0);
    let began = Instant::now();
    let write = |thread: u8| {
        let mut drawing = Drawing(Entropy::new(Secret::new([thread; 32])));
        loop {
            let first = next.fetch_add(PART, Ordering::SeqCst);
            if first >= count {
                return;
            }
            let objects: Vec<String> = (first..(first + PART).min(count))
                .map(|n| object(n, &drawing.text(24)).to_string())
                .collect();
            let level = |level: u8| json!({ "level": level });
            let command = json!({
                "do": "import", "markings": marking(1, &[]), "objects": objects,
                "table": { "scheme": "NAT", "clear": level(1), "green": level(2),
                           "amber": level(3), "amber_strict": level(4), "red": level(5) },
            });
            world.act(who, "entity:import", &command).expect("imported");
        }
    };
    std::thread::scope(|scope| {
        for thread in 1..=4 {
            let write = &write;
            scope.spawn(move || write(thread));
        }
    });
    let s = began.elapsed().as_secs_f64();
    println!("{count} entities in {s:.1} s: {:.0} objects/s", count as f64 / s);
}

fn object(n: u64, text: &str) -> Value {
    let marking = match n {
        n if n.is_multiple_of(100_000) => CLEAR,
        n if n.is_multiple_of(100) => AMBER,
        _ => RED,
    };
    let id = format!("tool--00000000-0000-4000-8000-{n:012x}");
    json!({
        "type": "tool", "spec_version": "2.1", "id": id,
        "created": "2026-01-01T00:00:00.000Z", "modified": "2026-01-01T00:00:00.000Z",
        "name": format!("tool {n}"), "description": text, "object_marking_refs": [marking]
    })
}

/// Every alert in a circle of its own; three of them reach the bound agency as well.
fn write_alerts(world: &World, cast: &Cast, count: u64) {
    let next = AtomicU64::new(0);
    let began = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..64 {
            scope.spawn(|| {
                loop {
                    let n = next.fetch_add(1, Ordering::SeqCst);
                    if n >= count {
                        return;
                    }
                    let mut audience = vec![cast.fire.agency];
                    if [count / 5, count / 2, count / 2 + 1].contains(&n) {
                        audience.push(cast.bound.agency);
                    }
                    let command = json!({
                        "do": "raise", "markings": marking(2, &[]), "precedence": "ROUTINE",
                        "title": format!("alert {n}"), "text": "x".repeat(400),
                        "audience": audience, "options": ["yes", "no"], "place": null
                    });
                    world.act(cast.dense, "alert:raise", &command).expect("an alert");
                }
            });
        }
    });
    let s = began.elapsed().as_secs_f64();
    println!("{count} alerts in {s:.1} s: {:.0} acts/s", count as f64 / s);
}

fn lists(world: &World, cast: &Cast) {
    let readers = [
        ("dense", cast.dense, "entity"),
        ("sparse", cast.sparse, "entity"),
        ("needle", cast.needle, "entity"),
        ("all circles", cast.dense, "alert"),
        ("three circles", cast.bound, "alert"),
        ("none", cast.bound, "entity"),
    ];
    for (name, who, noun) in readers {
        let reader = world.as_(who);
        let first = took(|| drop(reader.list(noun, None, 50).expect("a page")));
        let (mut times, mut total) = (Vec::new(), 0);
        for _ in 0..TURNS {
            times.push(took(|| total = reader.list(noun, None, 50).expect("a page").total));
        }
        let first = first.as_secs_f64() * 1e3;
        println!("list of {name}, {total} {noun}: {}, first {first:.1} ms", spread(&mut times));
    }
}

/// The rules are asked for a reader of whom nothing is known yet.
fn misses(world: &World) {
    for noun in ["entity", "alert"] {
        let mut times = Vec::new();
        for n in 0..20_u8 {
            let code = format!("NEW{n}{}", noun.len());
            let agency = world.agency(&code);
            let who =
                world.person(agency, &Being { level: 3, compartments: &[], roles: &["DUTY"] });
            let reader = world.as_(who);
            times.push(took(|| drop(reader.readable(noun))));
        }
        let cells = world.node().core().cells.len();
        println!("readable set of a new reader, {noun}, {cells} cells: {}", spread(&mut times));
    }
}

/// Opening a record with its row in the access log, and writing such a row alone.
fn open(world: &World, cast: &Cast) {
    let reader = world.as_(cast.dense);
    let page = reader.list("entity", None, 50).expect("a page");
    let ids: Vec<RecordId> = page.items.iter().map(|item| item.id).collect();
    let (mut opened, mut rows) = (Vec::new(), Vec::new());
    for id in ids.iter().cycle().take(TURNS) {
        opened.push(took(|| drop(reader.get("entity", *id).expect("a record"))));
        let row = AccessRow::of(reader.actor(), AccessKind::Opened, Some(*id), reader.core().at);
        rows.push(took(|| world.node().access().record(row).expect("a row")));
    }
    println!(
        "open: {}; of this the row of the access log: {}",
        spread(&mut opened),
        spread(&mut rows)
    );
}

/// What an hour of one reader takes in the log `access`: 60 lists of fifty and 120 records opened,
/// a leaf a minute, its secret among it; without what the store adds.
fn hour(world: &World, who: Who) {
    let log = world.node().log();
    let access = |from: u64| {
        let size = log.head(LogName::Access).expect("a head").size;
        let count = u32::try_from(size - from).expect("a page");
        let entries = log.entries(LogName::Access, from, count).expect("entries");
        let secrets = log.secrets(LogName::Access, from, count).expect("secrets");
        let portion = |(_, bytes): &(u8, Vec<u8>)| bytes.len();
        let entry = |entry: &StoredEntry| {
            let portions: usize = entry.portions.iter().map(portion).sum();
            entry.leaf.len() + entry.header.len() + entry.commitments.len() + portions
        };
        let secret = |stored: &StoredSecrets| stored.secrets.iter().map(|(_, w)| w.0.len()).sum();
        let bytes = entries.iter().map(entry).chain(secrets.iter().map(secret)).sum::<usize>();
        (size, bytes)
    };
    assert!(world.node().access().roll(60_000), "a leaf");
    let from = log.head(LogName::Access).expect("a head").size;
    let reader = world.as_(who);
    let page = reader.list("entity", None, 50).expect("a page");
    let mut ids = page.items.iter().map(|item| item.id).cycle();
    for _ in 0..60 {
        for id in ids.by_ref().take(2) {
            reader.get("entity", id).expect("a record");
        }
        reader.list("entity", None, 50).expect("a page");
        assert!(world.node().access().roll(60_000), "a leaf");
    }
    let (size, bytes) = access(from);
    let kb = bytes as f64 / 1e3;
    println!("an hour of a reader, 60 lists and 120 records: {} leaves, {kb:.0} kB", size - from);
}

/// Search through the router: filter, hits opened, counts, access row.
fn search(world: &World, cast: &Cast) {
    let readers = [("dense", cast.dense), ("sparse", cast.sparse), ("needle", cast.needle)];
    for (name, who) in readers {
        let token = world.token(who);
        for (kind, ranks) in [("frequent", 2..22), ("middling", 500..520), ("rare", 40_000..40_020)]
        {
            let (mut times, mut bytes) = (Vec::new(), 0);
            for rank in ranks {
                let path = format!("/api/search?q={}", word(rank));
                times.push(took(|| {
                    let (status, _, body) = world.read(&token, &path);
                    assert!(status.is_success(), "{}", String::from_utf8_lossy(&body));
                    bytes += body.len();
                }));
            }
            let kb = bytes as f64 / 20.0 / 1e3;
            println!(
                "search of {name}, {kind} words: {}, {kb:.1} kB an answer",
                spread(&mut times)
            );
        }
    }
}

fn took(work: impl FnOnce()) -> Duration {
    let began = Instant::now();
    work();
    began.elapsed()
}

/// p50, p95 and p99 in milliseconds.
fn spread(times: &mut [Duration]) -> String {
    times.sort_unstable();
    let at = |part: usize| {
        let place = times.len().saturating_sub(1) * part / 100;
        times.get(place).copied().unwrap_or_default().as_secs_f64() * 1e3
    };
    format!("p50 {:.2} p95 {:.2} p99 {:.2} ms", at(50), at(95), at(99))
}

fn search_bytes(world: &World) -> f64 {
    let local = world.directory().join("local");
    let found = std::fs::read_dir(&local).expect("a directory").flatten();
    let of_search = found.filter(|entry| entry.file_name().to_string_lossy().ends_with(".search"));
    of_search.map(|entry| bytes_of(&entry.path())).sum::<u64>() as f64
}

fn bytes_of(path: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(path) else {
        return std::fs::metadata(path).map_or(0, |found| found.len());
    };
    entries.flatten().map(|entry| bytes_of(&entry.path())).sum()
}

/// Resident memory of this process.
fn resident_mb() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("a status");
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("a line");
    let kb: f64 = line.split_whitespace().nth(1).expect("a number").parse().expect("a number");
    kb / 1e3
}
