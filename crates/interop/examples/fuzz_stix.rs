//! Fuzz program: changes bundles at random and holds every invariant; the same for the same seed.
//!
//! `cargo run --release -p interop --example fuzz_stix -- [SEED] [ROUNDS]`
//! Where an invariant does not hold, the panic's message is followed by the round's seed: run that
//! seed with one round, and put the input that it writes into `corpus/`.

#![expect(clippy::expect_used, reason = "an invariant that does not hold stops the program")]

#[path = "../tests/it/hold.rs"]
mod hold;
#[path = "../tests/it/mutate.rs"]
mod mutate;

use std::io::Write;

use mutate::{Random, mutate};

const SEEDS: [&[u8]; 7] = [
    include_bytes!("../tests/fixtures/mixed.json"),
    include_bytes!("../tests/fixtures/markings.json"),
    include_bytes!("../tests/fixtures/observable-ids.json"),
    include_bytes!("../corpus/selectors.json"),
    include_bytes!("../corpus/null-everything.json"),
    include_bytes!("../corpus/numbers.json"),
    include_bytes!("../corpus/empty-hashes.json"),
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let seed = arguments.next().map_or(Ok(1), |seed| seed.parse::<u64>())?;
    let rounds = arguments.next().map_or(Ok(200_000), |rounds| rounds.parse::<u64>())?;
    let mut out = std::io::stdout().lock();
    let (mut taken, mut framed) = (0, 0);
    for round in 0..rounds {
        let seed = seed.wrapping_add(round);
        let bytes = input(seed);
        let outcome = std::panic::catch_unwind(|| hold::hold(&bytes));
        match outcome {
            Ok(objects) => {
                taken += objects;
                framed += usize::from(objects > 0);
            }
            Err(_panic) => {
                std::fs::write(format!("crash-{seed}.json"), &bytes)?;
                return Err(format!("seed {seed}: input written to crash-{seed}.json").into());
            }
        }
    }
    writeln!(out, "{rounds} inputs from seed {seed}: all held")?;
    writeln!(out, "{framed} of them had objects that were taken, {taken} in all")?;
    Ok(())
}

/// The input of a seed: a bundle, or two spliced, with a few changes.
fn input(seed: u64) -> Vec<u8> {
    let mut random = Random(seed);
    let pick = |random: &mut Random| SEEDS.get(random.below(SEEDS.len())).copied().unwrap_or(b"{}");
    let mut bytes = pick(&mut random).to_vec();
    if random.below(4) == 0 {
        let other = pick(&mut random);
        let from = random.below(other.len());
        let at = random.below(bytes.len());
        let tail = other.get(from..).unwrap_or_default();
        bytes.splice(at.., tail.iter().copied());
    }
    let changes = [1, 2, 4, 16].get(random.below(4)).copied().unwrap_or(1);
    mutate(&mut bytes, changes, &mut random);
    bytes
}
