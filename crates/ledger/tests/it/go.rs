//! A log of ours as static files, audited by a Go program with Go's own `tlog` and `note`, and by
//! the second implementation in Python.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a fault in a helper is a fault of the test"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::LazyLock;

use base::Time;
use base::crypto::Algorithm;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ledger::checkpoint::{Checkpoint, Origin};
use ledger::note::Note;
use ledger::tile::{Bundle, Edge, grown_bundles};
use ledger::tree::{Head, leaf_hash};

use crate::log::{cosigner, leaf, signer};

const ORIGIN: &str = "agency.example/acts";
const PACKAGES: &str = "install Debian's golang-go and golang-golang-x-mod-dev";
/// Enough for three levels of tiles, each with a partial one, and the first two with a full one.
const SIZE: u64 = 65_800;
const OLD_SIZE: u64 = 300;

/// The compiled auditor. Its sources come from Debian: nothing is downloaded.
static AUDITOR: LazyLock<PathBuf> = LazyLock::new(|| {
    let place = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let auditor = place.join("ledger-go-verify");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/go/verify.go");
    let built = Command::new("go")
        .args(["build", "-o"])
        .arg(&auditor)
        .arg(source)
        .envs([("GO111MODULE", "off"), ("GOPATH", "/usr/share/gocode"), ("GOFLAGS", "")])
        .env("GOCACHE", place.join("ledger-go-cache"))
        .output();
    let built = built.unwrap_or_else(|cause| panic!("`go` cannot be run ({cause}): {PACKAGES}"));
    let told = String::from_utf8_lossy(&built.stderr);
    assert!(built.status.success(), "`go build` failed; {PACKAGES}: {told}");
    auditor
});

fn audit(log: &Path) -> Output {
    Command::new(&*AUDITOR).arg(log).output().expect("the auditor was built")
}

fn write(path: &Path, bytes: impl AsRef<[u8]>) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

/// The checkpoint of a head, signed by both keys of the log and by a witness.
fn checkpoint(head: Head) -> Note {
    let keys = [signer(ORIGIN, Algorithm::MlDsa87, 1), signer(ORIGIN, Algorithm::Ed25519, 1)];
    let mut note = Checkpoint::new(Origin::new(ORIGIN).unwrap(), head).sign(&keys).unwrap();
    let at = Time::from_ms(1_795_385_400_000).unwrap();
    let witness = cosigner("witness.example/w1", 9);
    note.add(witness.cosign(note.unverified_text(), at).unwrap()).unwrap();
    note
}

/// Writes a log that grew to [`OLD_SIZE`] and then to [`SIZE`], and returns its head.
fn write_log(log: &Path) -> Head {
    drop(fs::remove_dir_all(log));
    let mut edge = Edge::new();
    for (size, name) in [(OLD_SIZE, "checkpoint.old"), (SIZE, "checkpoint")] {
        let before = edge.size();
        while edge.size() < size {
            edge.append(leaf_hash(&leaf(edge.size())));
        }
        for (tile, bytes) in edge.take() {
            write(&log.join(tile.to_string()), bytes);
        }
        for bundle in grown_bundles(before, size) {
            write(&log.join(bundle.to_string()), bundle_bytes(&bundle));
        }
        write(&log.join(name), checkpoint(edge.head()).to_string());
    }
    write(&log.join("vkey"), signer(ORIGIN, Algorithm::Ed25519, 1).key().to_string());
    write(&log.join("witness.vkey"), cosigner("witness.example/w1", 9).key().to_string());
    edge.head()
}

fn bundle_bytes(bundle: &Bundle) -> Vec<u8> {
    let first = bundle.index() * 256;
    let leaves: Vec<_> = (first..first + u64::from(bundle.width())).map(leaf).collect();
    bundle.bytes(leaves.iter().map(Vec::as_slice)).unwrap()
}

#[test]
fn gos_tlog_and_note_accept_a_log_of_ours() {
    let log = Path::new(env!("CARGO_TARGET_TMPDIR")).join("ledger-go-accepts");
    let head = write_log(&log);
    let output = audit(&log);
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}");
    let root = STANDARD.encode(head.root.0);
    let expected = format!("ok {OLD_SIZE} {SIZE} {root}\n");
    assert_eq!(String::from_utf8(output.stdout).unwrap(), expected);
}

#[test]
fn gos_tlog_and_note_refuse_a_log_with_one_changed_byte() {
    let log = Path::new(env!("CARGO_TARGET_TMPDIR")).join("ledger-go-refuses");
    write_log(&log);
    assert!(audit(&log).status.success());
    let changed = [
        ("tile/0/000", 0),
        ("tile/0/255", 8191),
        ("tile/0/257.p/8", 100),
        ("tile/1/000", 4000),
        ("tile/1/001.p/1", 31),
        ("tile/2/000.p/1", 0),
        ("tile/entries/000", 1),
        ("tile/entries/000", 2),
        ("tile/entries/128", 30_000),
        ("tile/entries/257.p/8", 1000),
        ("checkpoint", 0),
        ("checkpoint", 21),
        ("checkpoint", 30),
        ("checkpoint.old", 21),
        ("checkpoint.old", 26),
    ];
    for (file, place) in changed {
        let path = log.join(file);
        let good = fs::read(&path).unwrap();
        let mut bad = good.clone();
        *bad.get_mut(place).unwrap() ^= 1;
        write(&path, bad);
        let output = audit(&log);
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "byte {place} of `{file}`: {told}");
        assert!(told.starts_with("refused: "), "byte {place} of `{file}`: {told}");
        write(&path, good);
    }
    // Each signature that Go knows has to be good: a changed character of either line is found.
    let path = log.join("checkpoint");
    let good = fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = good.lines().collect();
    for line in lines.iter().rev().take(2) {
        let last = line.len() - 10;
        let (head, tail) = line.split_at(last);
        let changed = if tail.starts_with('A') { "B" } else { "A" };
        let bad = good.replace(line, &format!("{head}{changed}{}", tail.get(1..).unwrap()));
        write(&path, bad);
        assert_eq!(audit(&log).status.code(), Some(1), "{line}");
    }
    write(&path, good);
    assert!(audit(&log).status.success());
}

#[test]
fn the_second_implementation_accepts_a_log_of_ours_and_refuses_a_changed_one() {
    let log = Path::new(env!("CARGO_TARGET_TMPDIR")).join("ledger-python-audits");
    write_log(&log);
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/verify_log.py");
    let audit =
        || Command::new("python3").arg("-I").arg(&program).arg("--log").arg(&log).output().unwrap();
    let output = audit();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), format!("ok: {SIZE} entries\n"));
    for (file, place) in [("tile/1/001.p/1", 31), ("tile/entries/128", 30_000), ("checkpoint", 21)]
    {
        let path = log.join(file);
        let good = fs::read(&path).unwrap();
        let mut bad = good.clone();
        *bad.get_mut(place).unwrap() ^= 1;
        write(&path, bad);
        assert_eq!(audit().status.code(), Some(1), "byte {place} of `{file}`");
        write(&path, good);
    }
}
