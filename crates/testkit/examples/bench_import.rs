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

use app::entities::{Import, Table, job};
use base::{Label, Level, Marking, Play, SchemeId, Token};
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
    let job = plan(&bytes, analyst);
    let refused: usize = job.refused.values().sum();
    println!(
        "{} objects, {:.1} MB: cut into {} acts in {:.2} s; {} definitions, {refused} refused",
        job.objects,
        bytes.len() as f64 / 1e6,
        job.acts.len(),
        began.elapsed().as_secs_f64(),
        job.definitions
    );
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let alerts = scope.spawn(|| alerts(&world, analyst, &stop));
        let began = Instant::now();
        for act in &job.acts {
            give(&world, analyst, act).expect("imported");
        }
        let s = began.elapsed().as_secs_f64();
        println!("imported in {s:.2} s: {:.0} objects/s", job.taken as f64 / s);
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
    let again = job.acts.iter().filter(|act| give(&world, analyst, act).is_ok()).count();
    println!("again: {again} acts wrote, {:.2} s", began.elapsed().as_secs_f64());
}

fn plan(bytes: &[u8], analyst: Who) -> job::Job {
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
    let markings = [(scheme, level(1))].into();
    let unmarked = Label::new(markings, [analyst.agency].into(), Play::Live).expect("a label");
    job::plan(bytes, &unmarked.markings().clone(), &table, &unmarked).expect("a bundle")
}

fn give(world: &World, analyst: Who, act: &Import) -> Result<(), app::kernel::Fault> {
    let mut command = serde_json::to_value(act).expect("json");
    command.as_object_mut().expect("an object").insert("do".to_owned(), json!("import"));
    world.act(analyst, "entity:import", &command).map(drop)
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
