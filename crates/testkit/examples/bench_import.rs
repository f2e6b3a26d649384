//! Benchmark: importing a bundle of STIX 2.1 into the record, with labels, ledger and views.
//!
//! `cargo xtask bench import -- FILE.json[.gz]`. Prints how long cutting the bundle and importing
//! it took, objects a second, how long an alert took meanwhile, and what importing it again costs.
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::expect_used,
    clippy::cast_precision_loss,
    reason = "a benchmark measures time, prints its figures and stops when something is wrong"
)]

use std::io::Read;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use app::entities::{Table, job};
use base::{Level, Marking, SchemeId, Token};
use flate2::read::GzDecoder;
use serde_json::json;
use testkit::world::{Being, marking};
use testkit::{Who, World};

fn main() {
    let Some(path) = std::env::args().nth(1) else {
        println!("name a bundle: cargo xtask bench import -- FILE.json[.gz]");
        return;
    };
    let file = std::fs::File::open(&path).expect("a file");
    let mut bytes = Vec::new();
    if std::path::Path::new(&path).extension().is_some_and(|extension| extension == "gz") {
        GzDecoder::new(file).read_to_end(&mut bytes).expect("gzip");
    } else {
        let mut file = file;
        file.read_to_end(&mut bytes).expect("read");
    }
    let world = World::new();
    let desk = Being { level: 5, compartments: &[], roles: &["DUTY", "ANALYST"] };
    let agency = world.agency("INTEL");
    let analyst = world.person(agency, &desk);
    let began = Instant::now();
    let job = plan(&bytes);
    println!(
        "{} objects, {:.1} MB: cut into {} acts in {:.2} s",
        job.objects,
        bytes.len() as f64 / 1e6,
        job.parts.len(),
        began.elapsed().as_secs_f64()
    );
    let actor = world.context(analyst);
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let alerts = scope.spawn(|| alerts(&world, analyst, &stop));
        let began = Instant::now();
        let tally = job::perform(world.node(), &actor, &job).expect("imported");
        let s = began.elapsed().as_secs_f64();
        println!("imported in {s:.2} s: {:.0} objects/s; {tally:?}", job.objects as f64 / s);
        stop.store(true, Ordering::SeqCst);
        let mut took = alerts.join().expect("alerts");
        took.sort_unstable();
        let ms = |part: usize| {
            let place = took.len().saturating_sub(1) * part / 100;
            took.get(place).copied().unwrap_or_default().as_secs_f64() * 1e3
        };
        println!("alerts meanwhile: {} p50 {:.1} ms p99 {:.1} ms", took.len(), ms(50), ms(99));
    });
    let began = Instant::now();
    let again = job::perform(world.node(), &actor, &job).expect("imported");
    println!("again: {} unchanged in {:.2} s", again.unchanged, began.elapsed().as_secs_f64());
}

fn plan(bytes: &[u8]) -> job::Job {
    let level = |level: u8| Marking { level: Level(level), ..Marking::default() };
    let scheme = SchemeId(Token::new("NAT").expect("a token"));
    let table = Table {
        scheme: scheme.clone(),
        clear: level(1),
        green: level(2),
        amber: level(3),
        amber_strict: level(4),
        red: level(5),
    };
    job::plan(bytes, &[(scheme, level(1))].into(), &table).expect("a bundle")
}

/// Raises an alert every 20 ms until told to stop; gives how long each took.
fn alerts(world: &World, who: Who, stop: &AtomicBool) -> Vec<Duration> {
    let mut took = Vec::new();
    while !stop.load(Ordering::SeqCst) {
        let command = json!({
            "do": "raise", "markings": marking(2, &[]), "precedence": "FLASH", "title": "meanwhile",
            "text": "text", "audience": [who.agency], "options": ["yes"], "place": null
        });
        let began = Instant::now();
        world.act(who, "alert:raise", &command).expect("an alert");
        took.push(began.elapsed());
        std::thread::sleep(Duration::from_millis(20));
    }
    took
}
