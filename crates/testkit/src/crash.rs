//! Crash loops: a child process acts under load and is ended at a named point or by kill −9.
//!
//! Whatever the child had acknowledged must be there afterwards, once, with the same receipt.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};

use base::crypto::{Entropy, Secret};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::log::Place;

use crate::world::{Being, marking};
use crate::{Who, World};

/// The points of a batch, in their order.
pub const POINTS: [&str; 4] = ["before-log", "after-log", "after-views", "after-segment"];

/// Who acts in the loop; written once beside the data.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Cast {
    police: (base::PersonId, base::AgencyId, Option<base::SeatId>),
    fire: base::AgencyId,
}

/// Sets up the world of a loop.
pub fn set_up(directory: &Path, place: &Place) {
    let mut world = World::at(directory.to_owned(), place.clone(), app::capabilities::ALL);
    world.keep();
    let desk = Being { level: 4, compartments: &[], roles: &["DUTY", "SIGNATORY"] };
    let (pol, fire) = (world.agency("POL"), world.agency("FIRE"));
    let (police, other) = (world.person(pol, &desk), world.person(fire, &desk));
    let both = [pol, fire];
    world.charter(&both);
    let text = world.agreement(&both, &[(&both, &both, &["alert:read", "circle:read"], 4)]);
    world.enact(&text, &[police, other]);
    let cast = Cast { police: (police.person, police.agency, police.seat), fire };
    let cast = serde_json::to_vec(&cast).expect("json");
    std::fs::write(directory.join("cast.json"), cast).expect("the cast");
    let config = format!(
        "name = \"{}\"\nledger = \"{}\"\n[keys]\nprovider = \"file\"\ndirectory = \"keys\"\n",
        World::NAME,
        world.ledger()
    );
    std::fs::write(directory.join("muster.toml"), config).expect("a configuration");
}

/// Verifies the log, every entry opened, by the product's own offline verifier.
///
/// # Panics
/// When it finds a fault or cannot verify.
pub fn verify(muster: &Path, directory: &Path, place: &Place) {
    let mut command = Command::new(muster);
    command.arg("verify").arg("--data").arg(directory).arg("--keys").arg(directory.join("keys"));
    if let Place::Postgres { url } = place {
        command.arg("--postgres").arg(url);
    }
    let output = command.output().expect("the verifier");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "the log does not verify: {text}{complaint}");
}

fn open(directory: &Path, place: &Place) -> (World, Who, base::AgencyId) {
    let bytes = std::fs::read(directory.join("cast.json")).expect("the cast");
    let cast: Cast = serde_json::from_slice(&bytes).expect("the cast");
    let mut world = World::at(directory.to_owned(), place.clone(), app::capabilities::ALL);
    world.keep();
    let (person, agency, seat) = cast.police;
    (world, Who { person, agency, seat }, cast.fire)
}

fn alert(number: u64, fire: base::AgencyId) -> Value {
    json!({
        "do": "raise", "markings": marking(2, &[]), "precedence": "ROUTINE",
        "title": format!("act {number}"), "text": "under load", "audience": [fire],
        "options": ["yes"], "place": null
    })
}

/// Acts until it is ended: prints `number entry` for each acknowledged act.
///
/// With a point, the process aborts when it passes the point for the `after`-th time.
pub fn child(directory: &Path, place: &Place, first: u64, point: Option<(&'static str, u64)>) {
    if let Some((name, after)) = point {
        arm(name, after);
    }
    let (world, police, fire) = open(directory, place);
    let next = AtomicU64::new(first);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                // LIMIT: a child that nobody ends stops by itself.
                for _ in 0..20_000 {
                    let number = next.fetch_add(1, Ordering::SeqCst);
                    let key = format!("crash-{number}");
                    let done =
                        world.act_with_key(police, "alert:raise", &alert(number, fire), &key);
                    match done {
                        Ok(done) => {
                            print_line(&format!("{number} {}", done.entry));
                            if number.is_multiple_of(4) {
                                read(&world, police, done.record, number);
                            }
                        }
                        Err(_stopped) => return,
                    }
                }
            });
        }
    });
}

/// Reads an alert, says so, and now and then makes a leaf of what was read.
fn read(world: &World, police: Who, alert: base::RecordId, number: u64) {
    if world.get(police, "alert", alert).is_ok() {
        print_line(&format!("read {alert}"));
    }
    if number.is_multiple_of(32) {
        // A node that stops takes no more rows, which the next line shows.
        let _rolled = world.node().access().roll(1000);
    }
}

static PASSED: AtomicU64 = AtomicU64::new(0);
static ARMED: std::sync::OnceLock<(&'static str, u64)> = std::sync::OnceLock::new();

fn arm(name: &'static str, after: u64) {
    ARMED.set((name, after)).expect("armed once");
    app::kernel::crash::arm(|passed| {
        let Some((name, after)) = ARMED.get() else { return };
        if passed == *name && PASSED.fetch_add(1, Ordering::SeqCst) + 1 >= *after {
            std::process::abort();
        }
    });
}

fn print_line(line: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}").and_then(|()| out.flush()).expect("the parent reads");
}

/// What children said before they ended.
#[derive(Clone, Debug, Default)]
pub struct Told {
    /// Acknowledged acts, with their entries.
    pub acts: BTreeMap<u64, String>,
    /// Records that were served.
    pub reads: BTreeSet<String>,
}

/// Checks every acknowledged act: the same key gives the same receipt, and nothing else is there;
/// and that whatever was served stands in the access log.
///
/// # Panics
/// When an acknowledged act is lost, changed or doubled, a read is not recorded, or the rebuilt
/// views differ.
pub fn check(directory: &Path, place: &Place, told: &Told, rebuild: bool) {
    let (mut world, police, fire) = open(directory, place);
    let before = world.node().core().head.size;
    let rows = world.access_rows();
    let opened: BTreeSet<String> =
        rows.iter().flat_map(|row| &row.records).map(ToString::to_string).collect();
    let unrecorded = told.reads.difference(&opened).count();
    assert_eq!(unrecorded, 0, "{unrecorded} of {} reads are not recorded", told.reads.len());
    let acked = &told.acts;
    for (number, entry) in acked {
        let key = format!("crash-{number}");
        let again = world
            .act_with_key(police, "alert:raise", &alert(*number, fire), &key)
            .expect("the first receipt");
        assert_eq!(again.entry.to_string(), *entry, "act {number} has another receipt");
    }
    assert_eq!(world.node().core().head.size, before, "an acknowledged act was written again");
    let total = world.as_(police).list("alert", None, 1).expect("a list").total;
    assert!(total >= acked.len() as u64, "{total} alerts, {} acknowledged", acked.len());
    if rebuild {
        let live = world.dump();
        world.rebuild().expect("a node");
        let again = world.dump();
        let differs = live.iter().zip(&again).find(|(a, b)| a != b);
        assert!(differs.is_none() && live.len() == again.len(), "views differ: {differs:?}");
    }
}

/// How a loop went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    pub loops: u64,
    pub acknowledged: u64,
    pub read: u64,
}

/// Runs `loops` children one after the other, each ended at a point or by kill −9, and checks after
/// each; `program` is the simulator's own binary, and `muster`, when given, verifies each log.
pub fn run(
    program: &Path,
    directory: &Path,
    place: &Place,
    (seed, loops): (u64, u64),
    muster: Option<&Path>,
) -> Outcome {
    set_up(directory, place);
    let mut seeded = [0; 32];
    for (to, from) in seeded.iter_mut().zip(seed.to_be_bytes()) {
        *to = from;
    }
    let mut entropy = Entropy::new(Secret::new(seeded));
    let mut told = Told::default();
    let mut next = 0;
    for turn in 0..loops {
        let mut command = Command::new(program);
        command.arg("child").arg(directory).arg(next.to_string());
        if let Place::Postgres { url } = place {
            command.arg("--postgres").arg(url);
        }
        let by_point = entropy.below(2) == 0;
        if by_point {
            let point = POINTS.get(entropy.below(4) as usize).copied().unwrap_or("before-log");
            command.arg("--point").arg(point).arg((1 + entropy.below(12)).to_string());
        }
        let lines = 1 + u64::from(entropy.below(120));
        let child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
        let mut child = child.expect("the simulator's child");
        next = follow(&mut child, &mut told, if by_point { u64::MAX } else { lines }).max(next);
        next += 1000;
        check(directory, place, &told, turn % 10 == 9);
        if let Some(muster) = muster {
            verify(muster, directory, place);
        }
    }
    Outcome { loops, acknowledged: told.acts.len() as u64, read: told.reads.len() as u64 }
}

/// Reads acknowledgements, ends the child after `lines` of them, and reads what it still had said.
fn follow(child: &mut Child, told: &mut Told, lines: u64) -> u64 {
    let out = child.stdout.take().expect("a pipe");
    let mut highest = 0;
    for (i, line) in (0u64..).zip(BufReader::new(out).lines()) {
        let Ok(line) = line else { break };
        if i == lines {
            child.kill().expect("killed");
        }
        let Some((number, entry)) = line.split_once(' ') else { continue };
        if number == "read" && entry.len() == 36 {
            told.reads.insert(entry.to_owned());
        }
        let Ok(number) = number.parse::<u64>() else { continue };
        // A line that the end cut off is no acknowledgement.
        if entry.len() == 36 {
            told.acts.insert(number, entry.to_owned());
            highest = highest.max(number);
        }
    }
    child.wait().expect("ended");
    highest
}
