//! DEV: crash loops. `simulate loop [--seed S] [--loops N] [--postgres [URL]] [--muster FILE]`; it
//! calls itself as child. PostgreSQL without a URL is a private cluster; `muster`, the product's
//! own binary, verifies the log after each loop.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::expect_used,
    reason = "a program for developers speaks on the terminal and stops on a wrong call"
)]

use std::path::PathBuf;

use store::log::Place;
use testkit::crash;
use testkit::postgres::TemporaryPostgres;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let after = |name: &str| {
        let at = arguments.iter().position(|argument| argument == name)?;
        arguments.get(at + 1).cloned()
    };
    let place = |directory: &PathBuf| match after("--postgres") {
        Some(url) => Place::Postgres { url },
        None => Place::Sqlite { directory: directory.join("store") },
    };
    match arguments.first().map(String::as_str) {
        Some("child") => {
            let directory = PathBuf::from(arguments.get(1).expect("a directory"));
            let first = arguments.get(2).and_then(|n| n.parse().ok()).expect("a number");
            let point = arguments.iter().position(|argument| argument == "--point").map(|at| {
                let named = arguments.get(at + 1).expect("a point");
                let name = crash::POINTS.into_iter().find(|point| point == named);
                let passes = arguments.get(at + 2).and_then(|n| n.parse().ok());
                (name.expect("a known point"), passes.expect("a number"))
            });
            crash::child(&directory, &place(&directory), first, point);
        }
        Some("loop") => {
            let number =
                |name, otherwise| after(name).map_or(otherwise, |n| n.parse().expect("a number"));
            let (seed, loops) = (number("--seed", 1), number("--loops", 200));
            let directory = testkit::world::scratch();
            let program = std::env::current_exe().expect("this program");
            let asked = arguments.iter().any(|argument| argument == "--postgres");
            let private = asked && after("--postgres").is_none_or(|next| next.starts_with("--"));
            let cluster = private.then(|| TemporaryPostgres::start().expect("PostgreSQL"));
            let place = cluster.as_ref().map_or_else(
                || place(&directory),
                |cluster| Place::Postgres { url: cluster.create_database("crash").expect("made") },
            );
            let muster = after("--muster").map(PathBuf::from);
            let turns = (seed, loops);
            let outcome = crash::run(&program, &directory, &place, turns, muster.as_deref());
            println!(
                "seed {seed}: {} loops, {} acts acknowledged, 0 lost, {} reads, all recorded{}",
                outcome.loops,
                outcome.acknowledged,
                outcome.read,
                if muster.is_some() { ", verified after each" } else { "" }
            );
            std::fs::remove_dir_all(&directory).expect("removed");
        }
        _ => eprintln!("simulate loop [--seed S] [--loops N] [--postgres [URL]] [--muster FILE]"),
    }
}
