//! Benchmark: reads a STIX bundle and tells objects a second, MB a second and peak memory.
//!
//! `cargo run --release -p interop --example bench_stix -- FILE.json[.gz] [ROUNDS]`
//! Without a file: ATT&CK Enterprise of the shared data set. The best round is told, since other
//! work on the machine can only make a round slower. Beside it stands the time that serde_json
//! needs to build its own tree of the same text in the same round.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use interop::stix::export::{ObjectText, Writer};
use interop::stix::search::SearchText;
use interop::stix::{Bundle, Definitions};

type Outcome = Result<(), Box<dyn std::error::Error>>;

/// The steps of one round, each by itself.
#[derive(Clone, Copy)]
struct Round {
    tree: Duration,
    frame: Duration,
    objects: Duration,
    markings: Duration,
    search: Duration,
    export: Duration,
}

fn main() -> Outcome {
    let mut arguments = std::env::args().skip(1);
    let file = arguments.next().map_or_else(enterprise, PathBuf::from);
    let rounds = arguments.next().map_or(Ok(5), |rounds| rounds.parse::<u32>())?;
    let bytes = load(&file)?;
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}: {} bytes", file.display(), bytes.len())?;
    forget_peak();
    writeln!(out, "memory with the input alone: {}", peak())?;
    let (count, refused) = stream(&bytes)?;
    writeln!(out, "peak when objects are read one at a time: {}", peak())?;
    let kept: Vec<_> = Bundle::read(&bytes)?.objects().flatten().collect();
    writeln!(out, "peak when all {} are kept: {}", kept.len(), peak())?;
    drop(kept);
    let mut best: Option<Round> = None;
    for _ in 0..rounds.max(1) {
        let round = measure(&bytes)?;
        let total = |round: &Round| round.frame + round.objects;
        if best.is_none_or(|best| total(&round) < total(&best)) {
            best = Some(round);
        }
    }
    let best = best.ok_or("no round")?;
    writeln!(out, "{count} objects taken, {refused} refused")?;
    tell(&mut out, "serde_json tree", best.tree, count, bytes.len())?;
    tell(&mut out, "frame", best.frame, count, bytes.len())?;
    tell(&mut out, "objects", best.objects, count, bytes.len())?;
    tell(&mut out, "frame and objects", best.frame + best.objects, count, bytes.len())?;
    let ratio = (best.frame + best.objects).as_secs_f64() / best.tree.as_secs_f64();
    writeln!(out, "frame and objects take {ratio:.2} of the time of the tree")?;
    tell(&mut out, "markings", best.markings, count, bytes.len())?;
    tell(&mut out, "search text", best.search, count, bytes.len())?;
    tell(&mut out, "export", best.export, count, bytes.len())
}

fn tell(out: &mut impl Write, step: &str, time: Duration, objects: u32, bytes: usize) -> Outcome {
    let seconds = time.as_secs_f64().max(f64::EPSILON);
    let megabytes = f64::from(u32::try_from(bytes)?) / 1e6;
    let (per_s, mb_per_s) = (f64::from(objects) / seconds, megabytes / seconds);
    let ms = seconds * 1e3;
    writeln!(out, "{step:>18}: {ms:8.1} ms {per_s:12.0} objects/s {mb_per_s:8.1} MB/s")?;
    Ok(())
}

/// Reads each object and drops it, as an import does.
fn stream(bytes: &[u8]) -> Result<(u32, u32), interop::Fault> {
    let bundle = Bundle::read(bytes)?;
    let (mut taken, mut refused) = (0, 0);
    for object in bundle.objects() {
        match object {
            Ok(_) => taken += 1,
            Err(_) => refused += 1,
        }
    }
    Ok((taken, refused))
}

fn measure(bytes: &[u8]) -> Result<Round, Box<dyn std::error::Error>> {
    let (tree, building) = timed(|| serde_json::from_slice::<serde_json::Value>(bytes));
    drop(tree?);
    let (bundle, frame) = timed(|| Bundle::read(bytes));
    let bundle = bundle?;
    let (objects, read) = timed(|| bundle.objects().flatten().collect::<Vec<_>>());
    let (marked, markings) = timed(|| {
        let mut definitions = Definitions::standard();
        definitions.learn_bundle(&bundle);
        let claims = objects.iter().map(|object| definitions.claims(&object.head));
        claims.filter(|claims| !claims.whole.statements.is_empty()).count()
    });
    let (terms, search) =
        timed(|| objects.iter().map(|object| SearchText::of(object).terms.len()).sum::<usize>());
    let (written, export) = timed(|| -> Result<usize, Box<dyn std::error::Error>> {
        let mut writer = Writer::new(bundle.id().ok_or("bundle without id")?)?;
        for object in &objects {
            writer.push(ObjectText::from(object))?;
        }
        Ok(writer.finish().len())
    });
    std::hint::black_box((marked, terms, written?));
    Ok(Round { tree: building, frame, objects: read, markings, search, export })
}

#[expect(clippy::disallowed_methods, reason = "a benchmark measures time")]
fn timed<T>(step: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    let outcome = step();
    (outcome, start.elapsed())
}

fn enterprise() -> PathBuf {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    data.join("attack/enterprise-attack-18.1-lifted21.json.gz")
}

fn load(file: &Path) -> std::io::Result<Vec<u8>> {
    let bytes = std::fs::read(file)?;
    if file.extension().is_none_or(|extension| extension != "gz") {
        return Ok(bytes);
    }
    let mut plain = Vec::new();
    flate2::read::GzDecoder::new(bytes.as_slice()).read_to_end(&mut plain)?;
    plain.shrink_to_fit();
    Ok(plain)
}

/// Lets the peak begin anew, where the system allows it: unpacking has a peak of its own.
fn forget_peak() {
    let _allowed = std::fs::write("/proc/self/clear_refs", "5");
}

/// The most memory that the process has had, as Linux tells it.
fn peak() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.map_or_else(|| "not known on this system".to_owned(), |kb| kb.trim().to_owned())
}
