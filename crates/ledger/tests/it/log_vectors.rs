//! The frozen vectors of the tree and the signed formats, byte for byte.
//!
//! Both files were written once from what is computed here. They never change: a difference means
//! that a format changed. Ed25519 is deterministic; an ML-DSA-87 line is taken from the file and
//! verified, because each signature is another.
#![expect(clippy::unwrap_used, reason = "a fault in a helper is a fault of the test")]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use base::crypto::{Algorithm, sha256};
use base::{Digest, Time};
use ledger::checkpoint::{Checkpoint, Origin};
use ledger::cosignature::timestamp_s;
use ledger::note::{Note, Require, Signature, VerifierKey};
use ledger::proof::{prove_consistency, prove_inclusion};
use ledger::receipt::Receipt;
use ledger::tile::{Stored, grown};
use ledger::tree::{Frontier, Head, leaf_hash, root_at};
use ledger::trust::Trust;
use ledger::witness::Request;
use serde_json::{Value, json};

use crate::log::{cosigner, signer};

const ABOUT_TREE: [&str; 3] = [
    "Muster tree vectors, version 1: RFC 6962 hashing, proofs and C2SP tlog-tiles.",
    "The leaf at index i is the decimal number i in ASCII. Hashes are hexadecimal.",
    "crates/ledger/tests/verify_log.py checks this file with the standard library of Python alone.",
];
const ABOUT_NOTE: [&str; 4] = [
    "Muster note vectors, version 1: C2SP signed-note, tlog-checkpoint, tlog-cosignature,",
    "tlog-witness, tlog-policy and tlog-proof, over the tree of vectors/tree.json.",
    "Seeds are hexadecimal. ML-DSA-87 signatures are randomised: verify them only.",
    "crates/ledger/tests/verify_log.py checks this file, but for ML-DSA, with Python alone.",
];
const ORIGIN: &str = "agency.example/acts";
const LARGEST: u64 = 65_537;
const LOG_SEED: u8 = 1;
const WITNESS_SEEDS: [u8; 3] = [11, 12, 13];
const TIMESTAMP_S: i64 = 1_795_385_400;

fn leaf(index: u64) -> Digest {
    leaf_hash(index.to_string().as_bytes())
}

fn tree() -> Stored {
    let mut tree = Stored::new();
    for index in 0..LARGEST {
        tree.append(leaf(index));
    }
    tree
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").unwrap();
        hex
    })
}

fn texts(hashes: &[Digest]) -> Vec<String> {
    hashes.iter().map(ToString::to_string).collect()
}

fn tree_vectors() -> Value {
    let tree = tree();
    let sizes = (0..=20).chain(255..=258).chain(65_535..=LARGEST);
    let roots: Vec<_> = sizes
        .map(|size| json!({ "size": size, "root": root_at(size, &tree).unwrap().to_string() }))
        .collect();
    let frontiers: Vec<_> = [0, 1, 7, 256, 65_535]
        .map(|size| {
            let bytes = Frontier::at(size, &tree).unwrap().to_bytes();
            json!({ "size": size, "bytes": hex(&bytes) })
        })
        .into();
    let small = (1..=8_u64).flat_map(|size| (0..size).map(move |index| (index, size)));
    let large =
        [(0, 257), (255, 257), (256, 257), (12_345, 65_536), (0, LARGEST), (65_536, LARGEST)];
    let inclusion: Vec<_> = small
        .chain(large)
        .map(|(index, size)| {
            let path = prove_inclusion(index, size, &tree).unwrap();
            json!({ "index": index, "size": size, "path": texts(&path) })
        })
        .collect();
    let small = (0..=8_u64).flat_map(|new| (0..=new).map(move |old| (old, new)));
    let large = [(3, 257), (256, 257), (255, 65_536), (65_535, 65_536), (65_536, LARGEST)];
    let consistency: Vec<_> = small
        .chain(large)
        .map(|(old, new)| {
            let path = prove_consistency(old, new, &tree).unwrap();
            json!({ "old": old, "new": new, "path": texts(&path) })
        })
        .collect();
    let tiles: Vec<_> = [(0, 1), (0, 258), (255, 257), (65_279, LARGEST)]
        .map(|(old, new)| {
            let written: Vec<_> = grown(old, new)
                .iter()
                .map(|tile| {
                    let digest = sha256(&tile.bytes(&tree).unwrap());
                    json!({ "path": tile.to_string(), "sha256": digest.to_string() })
                })
                .collect();
            json!({ "old": old, "new": new, "tiles": written })
        })
        .into();
    json!({
        "about": ABOUT_TREE,
        "roots": roots,
        "frontiers": frontiers,
        "inclusion": inclusion,
        "consistency": consistency,
        "tiles": tiles,
    })
}

fn witness(seed: u8) -> ledger::cosignature::Cosigner {
    cosigner(&format!("witness.example/w{seed}"), seed)
}

/// Computes the note vectors, with the ML-DSA-87 lines that `quantum` gives for each text.
fn note_vectors(quantum: impl Fn(&str) -> Signature) -> Value {
    let tree = tree();
    let classic = signer(ORIGIN, Algorithm::Ed25519, LOG_SEED);
    let at = Time::from_ms(TIMESTAMP_S * 1000).unwrap();
    let key = |algorithm: &str, seed: u8, key: &VerifierKey| {
        json!({
            "algorithm": algorithm,
            "seed": hex(&[seed; 32]),
            "name": key.name().to_string(),
            "id": key.id().to_string(),
            "verifier_key": key.to_string(),
        })
    };
    let mut keys = vec![
        key("Ed25519", LOG_SEED, classic.key()),
        key("ML-DSA-87", LOG_SEED, signer(ORIGIN, Algorithm::MlDsa87, LOG_SEED).key()),
    ];
    keys.extend(WITNESS_SEEDS.map(|seed| key("cosignature/v1", seed, witness(seed).key())));
    let note = |size: u64| {
        let head = Head { size, root: root_at(size, &tree).unwrap() };
        let checkpoint = Checkpoint::new(Origin::new(ORIGIN).unwrap(), head);
        let mut note = checkpoint.sign(std::slice::from_ref(&classic)).unwrap();
        note.add(quantum(note.unverified_text())).unwrap();
        note
    };
    let cosigned = |size: u64| {
        let mut note = note(size);
        for seed in WITNESS_SEEDS {
            note.add(witness(seed).cosign(note.unverified_text(), at).unwrap()).unwrap();
        }
        note
    };
    let checkpoints: Vec<_> = [0, 1, 8, 257, LARGEST]
        .map(|size| json!({ "size": size, "note": note(size).to_string() }))
        .into();
    let request = |(old, new): (u64, u64)| Request::new(old, &note(new), &tree).unwrap();
    let requests: Vec<_> = [(0, 1), (0, 0), (1, 8), (8, 257), (257, 257), (257, LARGEST)]
        .map(request)
        .map(|request| {
            let cosign = |seed| witness(seed).cosign(request.checkpoint.unverified_text(), at);
            let answer: String =
                WITNESS_SEEDS.map(|seed| format!("{}\n", cosign(seed).unwrap())).concat();
            json!({ "body": request.to_string(), "answer": answer })
        })
        .into();
    let witnesses = WITNESS_SEEDS.map(|seed| witness(seed).key().clone());
    let policy = Trust::k_of_n(&[classic.key().clone()], &witnesses, 2).unwrap().to_file();
    let receipts: Vec<_> = [(0, 1), (5, 8), (256, 257), (12_345, LARGEST)]
        .map(|(index, size)| {
            let mut receipt = Receipt::new(index, &cosigned(size), &tree).unwrap();
            receipt.extra = (index == 5).then(|| b"extra".to_vec());
            json!({ "leaf": index.to_string(), "file": receipt.to_string() })
        })
        .into();
    json!({
        "about": ABOUT_NOTE,
        "keys": keys,
        "checkpoints": checkpoints,
        "timestamp_s": TIMESTAMP_S,
        "requests": requests,
        "policy": String::from_utf8(policy).unwrap(),
        "receipts": receipts,
    })
}

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors").join(name)
}

fn frozen(name: &str) -> Value {
    serde_json::from_str(&std::fs::read_to_string(file(name)).unwrap()).unwrap()
}

fn strings<'v>(value: &'v Value, list: &str, field: &str) -> Vec<&'v str> {
    let members = value.get(list).unwrap().as_array().unwrap();
    members.iter().map(|member| member.get(field).unwrap().as_str().unwrap()).collect()
}

#[test]
fn the_tree_is_that_of_the_frozen_vectors() {
    assert_eq!(tree_vectors(), frozen("tree.json"));
}

#[test]
fn notes_requests_and_receipts_are_those_of_the_frozen_vectors() {
    let value = frozen("note.json");
    let quantum = signer(ORIGIN, Algorithm::MlDsa87, LOG_SEED);
    let notes = strings(&value, "checkpoints", "note");
    let notes: Vec<Note> = notes.iter().map(|note| Note::parse(note.as_bytes()).unwrap()).collect();
    let computed = note_vectors(|text| {
        let note = notes.iter().find(|note| note.unverified_text() == text).unwrap();
        let line = note.signatures().iter().find(|line| quantum.key().made(line)).unwrap();
        quantum.key().verify(text, line).unwrap();
        line.clone()
    });
    assert_eq!(computed, value);
}

#[test]
fn the_frozen_receipts_are_verified_by_their_policy() {
    let value = frozen("note.json");
    let policy = value.get("policy").unwrap().as_str().unwrap();
    let trust = Trust::parse(policy.as_bytes()).unwrap();
    let leaves = strings(&value, "receipts", "leaf");
    for (file, leaf) in strings(&value, "receipts", "file").into_iter().zip(leaves) {
        let receipt = Receipt::parse(file.as_bytes()).unwrap();
        let witnessed = receipt.verify(&leaf_hash(leaf.as_bytes()), &trust).unwrap();
        assert_eq!(witnessed.cosigned.len(), WITNESS_SEEDS.len());
        let stated = |by: &ledger::trust::Cosigned| i64::try_from(by.timestamp_s).unwrap();
        assert!(witnessed.cosigned.iter().all(|by| stated(by) == TIMESTAMP_S));
    }
}

#[test]
fn the_frozen_answers_are_cosignatures_of_the_frozen_requests() {
    let value = frozen("note.json");
    let answers = strings(&value, "requests", "answer");
    for (body, answer) in strings(&value, "requests", "body").into_iter().zip(answers) {
        let request = Request::parse(body.as_bytes()).unwrap();
        for (line, seed) in Signature::parse_lines(answer).unwrap().iter().zip(WITNESS_SEEDS) {
            let text = request.checkpoint.unverified_text();
            witness(seed).key().verify(text, line).unwrap();
            assert_eq!(i64::try_from(timestamp_s(line).unwrap()).unwrap(), TIMESTAMP_S);
        }
    }
    let log = [signer(ORIGIN, Algorithm::MlDsa87, LOG_SEED).key().clone()];
    let log = ledger::checkpoint::LogKeys::new(log.into(), Require::MlDsa87).unwrap();
    for note in strings(&value, "checkpoints", "note") {
        log.open(&Note::parse(note.as_bytes()).unwrap()).unwrap();
    }
}

/// Runs the second implementation with the directory of vectors and says what it printed.
fn second_implementation(vectors: &Path) -> (Option<i32>, String) {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/verify_log.py");
    let output = Command::new("python3").arg("-I").arg(program).arg(vectors).output();
    let output = output.unwrap();
    (output.status.code(), String::from_utf8(output.stdout).unwrap())
}

#[test]
fn a_second_implementation_in_python_agrees_with_the_frozen_vectors() {
    let (code, printed) = second_implementation(&file(""));
    assert_eq!(code, Some(0), "{printed}");
    assert!(printed.starts_with("ok: "), "{printed}");
}

#[test]
fn the_second_implementation_finds_a_changed_vector() {
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("ledger-changed-vectors");
    std::fs::create_dir_all(&place).unwrap();
    let names = ["tree.json", "note.json"];
    let replaced = [
        ("tree.json", "\"size\": 7\n", "\"size\": 6\n"),
        ("tree.json", "\"old\": 255,\n", "\"old\": 254,\n"),
        ("tree.json", "tile/1/000.p/1", "tile/1/000.p/2"),
        ("note.json", "\\n257\\n", "\\n258\\n"),
        ("note.json", "index 12345\\n", "index 12344\\n"),
        ("note.json", "old 8\\n", "old 7\\n"),
        ("note.json", "\"leaf\": \"5\"", "\"leaf\": \"6\""),
    ];
    for (name, from, to) in replaced {
        for name in names {
            std::fs::copy(file(name), place.join(name)).unwrap();
        }
        let text = std::fs::read_to_string(file(name)).unwrap();
        let changed = text.replacen(from, to, 1);
        assert!(changed != text, "{from} is in {name}");
        std::fs::write(place.join(name), changed).unwrap();
        let (code, printed) = second_implementation(&place);
        assert_eq!(code, Some(1), "{from}: {printed}");
    }
}
