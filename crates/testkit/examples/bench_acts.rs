//! Benchmark: durable acts a second, with policy, encryption, views and access log on.
//!
//! `cargo xtask bench acts [-- --postgres [URL]]`, on a private cluster when no URL is given. For
//! each number of clients: acts a second and their p50 and p99; beside it, in the same run, the raw
//! limit of the engine: prepared batches of the same rows without deciding, sealing or views.
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::expect_used,
    clippy::cast_precision_loss,
    reason = "a benchmark measures time, prints its figures and stops when something is wrong"
)]

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use store::log::{Batch, Head, Log, LogName, Place};
use testkit::postgres::TemporaryPostgres;
use testkit::world::{Being, marking, scratch};
use testkit::{Who, World};

const SECONDS: u64 = 5;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let asked = arguments.iter().position(|argument| argument == "--postgres");
    let given = asked.and_then(|at| arguments.get(at + 1)).cloned();
    let cluster = (asked.is_some() && given.is_none())
        .then(|| TemporaryPostgres::start().expect("PostgreSQL"));
    let database = |name| {
        let of = |cluster: &TemporaryPostgres| cluster.create_database(name).expect("a database");
        given.clone().or_else(|| cluster.as_ref().map(of))
    };
    let engine = if asked.is_some() { "postgresql" } else { "sqlite" };
    let (world, police, fire) = world(database("acts").as_deref());
    for clients in [1, 8, 64, 256] {
        let mut took = acts(&world, police, fire, clients);
        took.sort_unstable();
        let rate = took.len() as f64 / SECONDS as f64;
        let at = |part: usize| took.get(took.len() * part / 100).copied().unwrap_or_default();
        let (p50, p99) = (at(50).as_secs_f64() * 1e3, at(99).as_secs_f64() * 1e3);
        println!(
            "{engine} {clients:>3} clients: {rate:>8.0} acts/s  p50 {p50:.2} ms  p99 {p99:.2} ms"
        );
    }
    open_renditions(&world, fire);
    drop(world);
    raw(database("raw").as_deref(), engine);
}

fn world(url: Option<&str>) -> (World, Who, Who) {
    let world = url.map_or_else(World::new, World::on_postgres);
    let desk = Being { level: 4, compartments: &[], roles: &["DUTY", "SIGNATORY"] };
    let (pol, fir) = (world.agency("POL"), world.agency("FIRE"));
    let (police, fire) = (world.person(pol, &desk), world.person(fir, &desk));
    let both = [pol, fir];
    world.charter(&both);
    let text = world.agreement(&both, &[(&both, &both, &["alert:read", "circle:read"], 4)]);
    world.enact(&text, &[police, fire]);
    (world, police, fire)
}

fn alert(fire: Who) -> Value {
    json!({
        "do": "raise", "markings": marking(2, &[]), "precedence": "ROUTINE",
        "title": "an act of the benchmark", "text": "x".repeat(400), "audience": [fire.agency],
        "options": ["yes", "no"], "place": null
    })
}

/// Each client waits for its receipt before the next act: one alert, which is two entries.
fn acts(world: &World, police: Who, fire: Who, clients: usize) -> Vec<Duration> {
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let client = || {
            let mut took = Vec::new();
            while !stop.load(Ordering::Relaxed) {
                let began = Instant::now();
                world.act(police, "alert:raise", &alert(fire)).expect("an alert");
                took.push(began.elapsed());
            }
            took
        };
        let running: Vec<_> = (0..clients).map(|_| scope.spawn(client)).collect();
        std::thread::sleep(Duration::from_secs(SECONDS));
        stop.store(true, Ordering::Relaxed);
        running.into_iter().flat_map(|thread| thread.join().expect("a client")).collect()
    })
}

/// The newest fifty, opened from sealed portions.
fn open_renditions(world: &World, fire: Who) {
    let reader = world.as_(fire);
    let mut took = Vec::new();
    for _ in 0..200 {
        let began = Instant::now();
        let page = reader.list("alert", None, 50).expect("a page");
        took.push(began.elapsed());
        assert_eq!(page.items.len(), 50, "a full page");
    }
    took.sort_unstable();
    let at = |part: usize| took.get(took.len() * part / 100).copied().unwrap_or_default();
    let (p50, p99) = (at(50).as_secs_f64() * 1e3, at(99).as_secs_f64() * 1e3);
    let total = reader.list("alert", None, 1).expect("a page").total;
    println!("list newest 50 of {total}: p50 {p50:.2} ms  p99 {p99:.2} ms");
}

/// Batches of 512 rows of the same sizes, committed one after the other.
fn raw(url: Option<&str>, engine: &str) {
    let directory = scratch();
    let place = url.map_or_else(
        || Place::Sqlite { directory: directory.clone() },
        |url| Place::Postgres { url: url.to_owned() },
    );
    let mut log = Log::lead(&place).expect("the log");
    let mut head = log.head(LogName::Talk).expect("a head");
    let row = || store::log::NewEntry {
        leaf: vec![1; 124],
        header: vec![2; 700],
        commitments: vec![3; 256],
        portions: vec![(1, vec![4; 700])],
        signature: None,
        week: 1,
        secrets: Vec::new(),
    };
    let began = Instant::now();
    let mut rows = 0;
    while began.elapsed() < Duration::from_secs(SECONDS) {
        let after = Head { size: head.size + 512, ..head.clone() };
        let batch = Batch {
            log: LogName::Talk,
            before: head,
            after: after.clone(),
            entries: (0..512).map(|_| row()).collect(),
            tiles: Vec::new(),
            receipts: Vec::new(),
            signed: Vec::new(),
            erased: Vec::new(),
        };
        log.commit(&batch).expect("committed");
        head = after;
        rows += 512;
    }
    let rate = f64::from(rows) / began.elapsed().as_secs_f64();
    println!("{engine} raw batches of 512: {rate:>8.0} entries/s");
    drop(log);
    let _litter = std::fs::remove_dir_all(directory);
}
