//! Benchmark: searching a million layers, by readers of all, of one in ten and of one in a hundred.
//!
//! `cargo xtask bench search [-- LAYERS]`. Words are drawn by Zipf's law from 50,000; cells so that
//! a few hold most. Prints the rate of indexing, bytes on disk, and p50/p95 of each kind of query.
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::expect_used,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_possible_wrap,
    reason = "a benchmark measures time, prints its figures and stops when something is wrong"
)]

use std::path::Path;
use std::time::Instant;

use base::crypto::{Entropy, Secret};
use store::search::{Document, Filter, Query, open, remove, words};

const WORDS: u32 = 50_000;
const CELLS: u32 = 64;
const KINDS: usize = 4;
const TURNS: usize = 60;

struct Drawing(Entropy);

impl Drawing {
    /// A rank by Zipf's law: the first is drawn most often.
    fn rank(&mut self, ranks: u32) -> u32 {
        let part = f64::from(self.0.below(1_000_000)) / 1e6;
        (f64::from(ranks).powf(part) - 1.0) as u32
    }

    fn text(&mut self, count: usize) -> String {
        let words: Vec<String> = (0..count).map(|_| word(self.rank(WORDS))).collect();
        words.join(" ")
    }
}

fn word(rank: u32) -> String {
    const PARTS: [&str; 16] = [
        "ka", "lo", "mi", "ne", "ru", "sa", "to", "va", "bel", "dor", "fan", "gis", "hul", "jor",
        "pel", "tam",
    ];
    let part = |n: u32| PARTS.get((n % 16) as usize).copied().unwrap_or_default();
    [part(rank), part(rank / 16), part(rank / 256), part(rank / 4096)].concat()
}

fn main() {
    let layers: u64 = std::env::args().nth(1).and_then(|n| n.parse().ok()).unwrap_or(1_000_000);
    let folder = testkit::world::scratch().join("search");
    let (index, mut writer, _) = open(&folder, &Secret::new([7; 32])).expect("an index");
    let mut drawing = Drawing(Entropy::new(Secret::new([5; 32])));
    let began = Instant::now();
    for n in 0..layers {
        let cell = drawing.rank(CELLS);
        let document = Document {
            record: n,
            kind: (n % KINDS as u64) as u32,
            cells: [cell; 4],
            agency: n % 11,
            sequence: n,
            at_ms: n as i64 * 1000,
            title: drawing.text(5),
            text: drawing.text(30),
        };
        writer.replace(n, &[document]).expect("put");
        if n % 32_768 == 32_767 {
            writer.commit("").expect("committed");
        }
    }
    writer.commit("").expect("committed");
    let s = began.elapsed().as_secs_f64();
    println!("{layers} layers indexed in {s:.1} s: {:.0} a second", layers as f64 / s);
    writer.close().expect("merged");
    index.reload().expect("turned");
    println!("{:.0} MB on disk", size(&folder) as f64 / 1e6);
    let queries = [
        ("common word", word(3)),
        ("rare word", word(40_000)),
        ("two words", format!("{} {}", word(3), word(20))),
        ("phrase", format!("\"{} {}\"", word(3), word(4))),
        ("beginning", "kalo_".to_owned()),
    ];
    for (reader, cells) in [("all", 0..CELLS), ("1 in 10", 35..48), ("1 in 100", 60..62)] {
        let reads: Vec<bool> = (0..CELLS).map(|cell| cells.contains(&cell)).collect();
        let filter = Filter { readable: vec![reads; KINDS], ..Filter::default() };
        for (name, text) in &queries {
            let query = query(text);
            let mut took = Vec::new();
            let mut total = 0;
            for _ in 0..TURNS {
                let began = Instant::now();
                total = index.search(&query, &filter, 21).expect("found").total;
                took.push(began.elapsed().as_secs_f64() * 1e3);
            }
            took.sort_by(f64::total_cmp);
            let at = |part: usize| took.get(TURNS * part / 100).copied().unwrap_or_default();
            println!(
                "reader of {reader:<8} {name:<12} {total:>7} found  p50 {:>6.2} ms  p95 {:>6.2} ms",
                at(50),
                at(95)
            );
        }
    }
    remove(&folder).expect("removed");
}

fn query(text: &str) -> Query {
    let of = |text: &str| words(text).into_iter().map(|word| word.text).collect::<Vec<_>>();
    if let Some(phrase) = text.strip_prefix('"') {
        return Query { phrases: vec![of(phrase)], open_end: false };
    }
    let phrases = text.split(' ').map(of).collect();
    Query { phrases, open_end: text.ends_with('_') }
}

fn size(folder: &Path) -> u64 {
    let files = std::fs::read_dir(folder).expect("a folder");
    files.map(|file| file.expect("a file").metadata().expect("its size").len()).sum()
}
