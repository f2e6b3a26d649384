//! Prints how fast the tree, its proofs and its signatures are: `cargo run --release -p ledger
//! --example bench_ledger`, on one core; one line a figure.
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a benchmark reads the clock and prints"
)]

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use base::crypto::{Algorithm, Secret, SeedKey};
use base::{Digest, Time};
use ledger::Error;
use ledger::checkpoint::{Checkpoint, LogKeys, Origin};
use ledger::cosignature::Cosigner;
use ledger::note::{KeyName, Require, Signer};
use ledger::proof::{prove_consistency, prove_inclusion, verify_consistency, verify_inclusion};
use ledger::receipt::Receipt;
use ledger::tile::{Edge, Stored};
use ledger::tree::{Frontier, Head, TreeCheck, leaf_hash, root_at};
use ledger::trust::Trust;

const LEAVES: u32 = 1_000_000;
const SIZE: u64 = LEAVES as u64;
const LEAF_BYTES: usize = 124;
/// A batch of the sequencer: its tiles are taken once.
const BATCH: u64 = 512;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

fn main() -> Outcome<()> {
    let leaves = leaves();
    println!("leaves: {LEAVES} of {LEAF_BYTES} bytes");
    let stored = trees(&leaves)?;
    proofs(&stored, &leaves)?;
    signatures(&stored, &leaves)
}

fn leaves() -> Vec<[u8; LEAF_BYTES]> {
    let leaf = |index: u64| {
        let mut leaf = [7; LEAF_BYTES];
        for (to, from) in leaf.iter_mut().zip(index.to_be_bytes()) {
            *to = from;
        }
        leaf
    };
    (0..SIZE).map(leaf).collect()
}

fn rate(what: &str, count: u32, took: Duration) {
    let per_s = f64::from(count) / took.as_secs_f64();
    println!("{what}: {per_s:.0}/s ({:.3} s)", took.as_secs_f64());
}

/// Runs a step `count` times and prints its mean time.
fn each<T>(
    what: &str,
    count: u32,
    mut step: impl FnMut(u64) -> Result<T, Error>,
) -> Result<(), Error> {
    let start = Instant::now();
    for round in 0..u64::from(count) {
        black_box(step(round)?);
    }
    let took_us = start.elapsed().as_secs_f64() * 1e6 / f64::from(count);
    println!("{what}: {took_us:.1} µs");
    Ok(())
}

fn trees(leaves: &[[u8; LEAF_BYTES]]) -> Outcome<Stored> {
    let start = Instant::now();
    let hashes: Vec<Digest> = leaves.iter().map(|leaf| leaf_hash(leaf)).collect();
    rate("leaf hashes", LEAVES, start.elapsed());

    let start = Instant::now();
    let mut frontier = Frontier::new();
    for hash in &hashes {
        frontier.append(*hash);
    }
    rate("append to a frontier, leaf hash given", LEAVES, start.elapsed());

    let start = Instant::now();
    let mut edge = Edge::new();
    let mut tile_bytes = 0;
    for leaf in leaves {
        edge.append(leaf_hash(leaf));
        if edge.size().is_multiple_of(BATCH) {
            tile_bytes += edge.take().iter().map(|(_tile, bytes)| bytes.len()).sum::<usize>();
            black_box(edge.head());
        }
    }
    rate("append with tiles and root a batch of 512", LEAVES, start.elapsed());
    println!("tiles written: {} MiB", tile_bytes >> 20);

    let start = Instant::now();
    let mut check = TreeCheck::new(frontier.head());
    for leaf in leaves {
        check.leaf(leaf)?;
    }
    check.finish()?;
    rate("verify a log", LEAVES, start.elapsed());

    let mut stored = Stored::new();
    for hash in hashes {
        stored.append(hash);
    }
    Ok(stored)
}

/// An index below `bound`, spread over the tree.
const fn spread(round: u64, bound: u64) -> u64 {
    round.wrapping_mul(0x9e37_79b9_7f4a_7c15) % bound
}

fn proofs(stored: &Stored, leaves: &[[u8; LEAF_BYTES]]) -> Result<(), Error> {
    let head = stored.head();
    each("root of any size, from tiles", 1000, |round| root_at(spread(round, SIZE), stored))?;
    each("prove inclusion", 1000, |round| prove_inclusion(spread(round, SIZE), SIZE, stored))?;
    let index = 123_456;
    let leaf = leaves.get(123_456).map(|leaf| leaf_hash(leaf)).unwrap_or_default();
    let path = prove_inclusion(index, SIZE, stored)?;
    each("verify inclusion", 10_000, |_| verify_inclusion(&leaf, index, &head, &path))?;
    each("prove consistency", 1000, |round| {
        prove_consistency(1 + spread(round, SIZE), SIZE, stored)
    })?;
    let old = Head { size: index, root: root_at(index, stored)? };
    let path = prove_consistency(index, SIZE, stored)?;
    each("verify consistency", 10_000, |_| verify_consistency(&old, &head, &path))
}

fn key(algorithm: Algorithm, number: u8) -> Outcome<Arc<SeedKey>> {
    Ok(Arc::new(SeedKey::from_seed(algorithm, &Secret::new([number; 32]))?))
}

fn signatures(stored: &Stored, leaves: &[[u8; LEAF_BYTES]]) -> Outcome<()> {
    let name = KeyName::new("agency.example/acts")?;
    let classic = Signer::new(name.clone(), key(Algorithm::Ed25519, 1)?)?;
    let quantum = Signer::new(name, key(Algorithm::MlDsa87, 1)?)?;
    let checkpoint = Checkpoint::new(Origin::new("agency.example/acts")?, stored.head());
    let both = [classic.clone(), quantum.clone()];
    each("sign a checkpoint, Ed25519", 1000, |_| checkpoint.sign(std::slice::from_ref(&classic)))?;
    each("sign a checkpoint, Ed25519 and ML-DSA-87", 200, |_| checkpoint.sign(&both))?;
    let note = checkpoint.sign(&both)?;
    let keys = vec![classic.key().clone(), quantum.key().clone()];
    let log = LogKeys::new(keys, Require::Both)?;
    each("open a checkpoint, Ed25519 and ML-DSA-87", 200, |_| log.open(&note))?;

    let mut cosigned = checkpoint.sign(std::slice::from_ref(&classic))?;
    let mut witnesses = Vec::new();
    for number in 1..=3 {
        let name = KeyName::new(&format!("witness.example/w{number}"))?;
        let witness = Cosigner::new(name, key(Algorithm::Ed25519, number)?)?;
        let at = Time::from_ms(1_795_385_400_000)?;
        cosigned.add(witness.cosign(cosigned.unverified_text(), at)?)?;
        witnesses.push(witness.key().clone());
    }
    let trust = Trust::k_of_n(&[classic.key().clone()], &witnesses, 2)?;
    let receipt = Receipt::new(123_456, &cosigned, stored)?;
    let leaf = leaves.get(123_456).map(|leaf| leaf_hash(leaf)).unwrap_or_default();
    println!("receipt: {} bytes", receipt.to_string().len());
    each("verify a receipt with 3 witnesses", 500, |_| receipt.verify(&leaf, &trust))?;
    Ok(())
}
