//! Witnesses, trust policies and receipts: each answer of the protocol, and each thing that must
//! not be believed.
#![expect(clippy::unwrap_used, reason = "a fault in a helper is a fault of the test")]

use base::crypto::{Algorithm, sha256};
use base::{Digest, Time, limit};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ledger::Error;
use ledger::checkpoint::{Checkpoint, LogKeys, Origin};
use ledger::note::{Note, Require, Signature, Signer, VerifierKey, VerifierKeys};
use ledger::proof::prove_consistency;
use ledger::receipt::{RECEIPT_BYTES, Receipt};
use ledger::tile::Stored;
use ledger::tree::{Head, leaf_hash, root_at};
use ledger::trust::Trust;
use ledger::witness::{
    Answer, PROOF_HASHES, REQUEST_BYTES, Refusal, Request, Response, SIZE_MEDIA_TYPE, Witness,
};
use proptest::prelude::*;

use crate::log::{cosigner, leaf, signer, stored};

const ORIGIN: &str = "agency.example/acts";
const WITNESS: &str = "witness.example/w1";

fn log_key() -> Signer {
    signer(ORIGIN, Algorithm::Ed25519, 1)
}

fn at() -> Time {
    Time::from_ms(1_795_385_400_000).unwrap()
}

fn head(size: u64, log: &Stored) -> Head {
    Head { size, root: root_at(size, log).unwrap() }
}

fn signed(head: Head) -> Note {
    Checkpoint::new(Origin::new(ORIGIN).unwrap(), head).sign(&[log_key()]).unwrap()
}

fn witness() -> Witness {
    let log = LogKeys::new(vec![log_key().key().clone()], Require::Any).unwrap();
    Witness::new(cosigner(WITNESS, 9), vec![log]).unwrap()
}

fn witness_keys() -> VerifierKeys {
    VerifierKeys::new(vec![witness().key().clone()]).unwrap()
}

fn request(old: u64, new: u64, log: &Stored) -> Request {
    Request::new(old, &signed(head(new, log)), log).unwrap()
}

/// What a caller does, without its disk: decide, keep the head, cosign.
fn ask(kept: &mut Head, request: &Request) -> Result<Vec<Signature>, Refusal> {
    let witness = witness();
    let pending = witness.add_checkpoint(kept, request)?;
    *kept = *pending.head();
    Ok(vec![pending.cosign(at()).unwrap().cosignature().clone()])
}

fn status(kept: &Head, request: &Request) -> u16 {
    witness().add_checkpoint(kept, request).err().map_or(200, |refusal| refusal.status())
}

#[test]
fn tlog_witness_a_growing_log_is_cosigned() {
    let log = stored(300);
    let mut kept = Head::empty();
    for (old, new) in [(0, 0), (0, 1), (1, 1), (1, 7), (7, 256), (256, 300), (300, 300)] {
        let request = request(old, new, &log);
        let body = request.to_string();
        let read = Request::parse(body.as_bytes()).unwrap();
        assert_eq!(read, request);
        let cosigned = ask(&mut kept, &read).unwrap();
        assert_eq!(kept, head(new, &log));
        let text = request.checkpoint.unverified_text();
        witness().key().verify(text, cosigned.first().unwrap()).unwrap();
    }
}

#[test]
fn tlog_witness_the_body_is_old_size_proof_empty_line_and_checkpoint() {
    let log = stored(8);
    let proof: String = prove_consistency(3, 8, &log)
        .unwrap()
        .iter()
        .map(|hash| STANDARD.encode(hash.0) + "\n")
        .collect();
    let note = signed(head(8, &log)).to_string();
    assert_eq!(request(3, 8, &log).to_string(), format!("old 3\n{proof}\n{note}"));
    assert_eq!(request(0, 8, &log).to_string(), format!("old 0\n\n{note}"));
}

#[test]
fn tlog_witness_404_for_an_unknown_origin() {
    let log = stored(3);
    let other = signer("other.example/acts", Algorithm::Ed25519, 1);
    let origin = Origin::new("other.example/acts").unwrap();
    let note = Checkpoint::new(origin, head(3, &log)).sign(&[other]).unwrap();
    let request = Request::new(0, &note, &log).unwrap();
    let refusal = witness().add_checkpoint(&Head::empty(), &request).unwrap_err();
    assert!(matches!(refusal, Refusal::UnknownLog));
    assert_eq!(refusal.status(), 404);
    assert!(witness().log_of(&request).is_err());
}

#[test]
fn tlog_witness_403_without_a_good_signature_of_the_log() {
    let log = stored(3);
    let origin = || Origin::new(ORIGIN).unwrap();
    let thief = signer(ORIGIN, Algorithm::Ed25519, 2);
    let note = Checkpoint::new(origin(), head(3, &log)).sign(&[thief]).unwrap();
    assert_eq!(status(&Head::empty(), &Request::new(0, &note, &log).unwrap()), 403);
    // A line that names the known key, but is over another text.
    let other = signed(head(2, &log));
    let mut forged = note.clone();
    forged.add(other.signatures().first().unwrap().clone()).unwrap();
    assert_eq!(status(&Head::empty(), &Request::new(0, &forged, &log).unwrap()), 403);
    // Unknown signatures beside a good one do no harm.
    let mut both = signed(head(3, &log));
    both.add(note.signatures().first().unwrap().clone()).unwrap();
    assert_eq!(status(&Head::empty(), &Request::new(0, &both, &log).unwrap()), 200);
}

#[test]
fn tlog_witness_400_when_the_old_size_is_above_the_checkpoints() {
    let log = stored(9);
    let mut request = request(8, 8, &log);
    request.old_size = 9;
    assert_eq!(status(&head(8, &log), &request), 400);
    assert_eq!(status(&head(9, &log), &request), 400);
}

#[test]
fn tlog_witness_409_with_the_size_when_the_log_thinks_of_another() {
    let log = stored(9);
    for (kept, old) in [(5, 0), (5, 4), (5, 6), (0, 3), (9, 8)] {
        let witness = witness();
        let refused = witness.add_checkpoint(&head(kept, &log), &request(old, 9, &log));
        let refusal = refused.unwrap_err();
        assert!(matches!(refusal, Refusal::Conflict { size } if size == kept));
        assert_eq!((refusal.status(), refusal.media_type()), (409, SIZE_MEDIA_TYPE));
        assert_eq!(refusal.body(), format!("{kept}\n"));
    }
    // The conflict is told before the proof is looked at.
    let mut unproven = request(4, 9, &log);
    unproven.proof.clear();
    assert_eq!(status(&head(5, &log), &unproven), 409);
}

#[test]
fn tlog_witness_422_when_the_trees_are_not_consistent() {
    let log = stored(9);
    let kept = head(5, &log);
    let mut false_proof = request(5, 9, &log);
    false_proof.proof.first_mut().unwrap().0[0] ^= 1;
    assert_eq!(status(&kept, &false_proof), 422);
    let mut no_proof = request(5, 9, &log);
    no_proof.proof.clear();
    assert_eq!(status(&kept, &no_proof), 422);
    // From nothing, the proof must be empty.
    let mut junk = request(0, 9, &log);
    junk.proof.push(kept.root);
    assert_eq!(status(&Head::empty(), &junk), 422);
    // Of the same size, the root must be the same, and the proof empty.
    let fork = Head { size: 5, root: sha256(b"fork") };
    let forked = Request { old_size: 5, proof: Vec::new(), checkpoint: signed(fork) };
    assert_eq!(status(&kept, &forked), 422);
    let mut again = request(5, 5, &log);
    again.proof.push(kept.root);
    assert_eq!(status(&kept, &again), 422);
    // A tree of size 0 has the root of nothing.
    let nothing = Head { size: 0, root: sha256(b"fork") };
    let empty = Request { old_size: 0, proof: Vec::new(), checkpoint: signed(nothing) };
    assert_eq!(status(&Head::empty(), &empty), 422);
}

#[test]
fn tlog_witness_a_fork_is_never_cosigned() {
    let log = stored(20);
    let mut fork = stored(5);
    for index in 5..20 {
        fork.append(leaf_hash(&leaf(index + 1000)));
    }
    let mut kept = Head::empty();
    ask(&mut kept, &request(0, 10, &log)).unwrap();
    for (old, new) in [(10, 10), (10, 15), (10, 20)] {
        assert_eq!(status(&kept, &request(old, new, &fork)), 422);
    }
    for (old, new) in [(0, 20), (5, 20), (5, 5), (0, 9)] {
        assert_eq!(status(&kept, &request(old, new, &fork)), 409);
    }
}

#[test]
fn tlog_witness_of_two_requests_from_one_size_the_second_is_refused() {
    let log = stored(9);
    let (first, second) = (request(3, 9, &log), request(3, 5, &log));
    let mut kept = head(3, &log);
    ask(&mut kept, &first).unwrap();
    assert!(matches!(ask(&mut kept, &second), Err(Refusal::Conflict { size: 9 })));
    assert_eq!(kept, head(9, &log));
}

#[test]
fn a_request_in_another_form_is_refused() {
    let log = stored(8);
    let good = request(3, 8, &log).to_string();
    let note = signed(head(8, &log)).to_string();
    let hash = STANDARD.encode([1; 32]);
    let refused = [
        String::new(),
        note.clone(),
        format!("\n{note}"),
        format!("old\n\n{note}"),
        format!("old \n\n{note}"),
        format!("old 03\n\n{note}"),
        format!("old +3\n\n{note}"),
        format!("old  3\n\n{note}"),
        format!("old 3 \n\n{note}"),
        format!("Old 3\n\n{note}"),
        format!("old 18446744073709551616\n\n{note}"),
        format!("old 3\n{note}"),
        format!("old 3\n{hash}\n{note}"),
        format!("old 3\n{hash} \n\n{note}"),
        format!("old 3\n{}\n\n{note}", STANDARD.encode([1; 31])),
        format!("old 3\r\n\r\n{note}"),
        format!("old 3\n\n\n{note}"),
        good.trim_end().to_owned(),
        format!("old 3\n\ntext\n\n{}\n", log_key().sign("text\n").unwrap()),
        format!("old 3\n{}\n{note}", format!("{hash}\n").repeat(PROOF_HASHES + 1)),
    ];
    for body in refused {
        assert!(Request::parse(body.as_bytes()).is_err(), "{body:?}");
    }
    let most = format!("old 3\n{}\n{note}", format!("{hash}\n").repeat(PROOF_HASHES));
    assert_eq!(Request::parse(most.as_bytes()).unwrap().proof.len(), PROOF_HASHES);
    assert!(matches!(Request::parse(&vec![b'x'; REQUEST_BYTES + 1]), Err(Error::Request)));
    assert!(matches!(Request::parse(b"old 3\n\xff\n\n"), Err(Error::Request)));
    assert_eq!(Refusal::Malformed(Error::Request).status(), 400);
}

#[test]
fn a_witness_shows_the_logs_line_and_its_own_but_no_others() {
    let log = stored(3);
    let mut note = signed(head(3, &log));
    let stranger = signer("stranger.example", Algorithm::Ed25519, 7);
    note.add(stranger.sign(note.unverified_text()).unwrap()).unwrap();
    let request = Request::new(0, &note, &log).unwrap();
    let witness = witness();
    let pending = witness.add_checkpoint(&Head::empty(), &request).unwrap();
    assert_eq!(pending.checkpoint().origin().as_str(), ORIGIN);
    let accepted = pending.cosign(at()).unwrap();
    let shown: Vec<&str> =
        accepted.note().signatures().iter().map(|line| line.name().as_str()).collect();
    assert_eq!(shown, [ORIGIN, WITNESS]);
    assert_eq!(accepted.body(), format!("{}\n", accepted.cosignature()));
    assert!(accepted.body().starts_with("— witness.example/w1 "));
}

#[test]
fn a_witness_watches_a_log_once() {
    let log = LogKeys::new(vec![log_key().key().clone()], Require::Any).unwrap();
    let twice = Witness::new(cosigner(WITNESS, 9), vec![log.clone(), log]);
    assert!(matches!(twice, Err(Error::DuplicateLog(origin)) if origin == ORIGIN));
}

#[test]
fn a_log_adds_the_cosignatures_that_it_verified() {
    let log = stored(9);
    let request = request(0, 9, &log);
    let cosignature = ask(&mut Head::empty(), &request).unwrap().remove(0);
    let stranger = cosigner("witness.example/w2", 8);
    let unknown = stranger.cosign(request.checkpoint.unverified_text(), at()).unwrap();
    let body = format!("{unknown}\n{cosignature}\n");
    let response = Response { status: 200, body: body.as_bytes() };
    let answer = request.answered(response, &witness_keys(), 9).unwrap();
    let Answer::Cosigned(lines) = answer else { panic!("{answer:?}") };
    assert_eq!(lines, std::slice::from_ref(&cosignature));
    let mut note = request.checkpoint.clone();
    note.add(lines.first().unwrap().clone()).unwrap();
    assert_eq!(note.to_string(), format!("{}{cosignature}\n", request.checkpoint));
}

#[test]
fn a_log_refuses_answers_that_do_not_count() {
    let log = stored(9);
    let request = request(0, 9, &log);
    let text = request.checkpoint.unverified_text();
    let witness = cosigner(WITNESS, 9);
    let answered = |status, body: &str| {
        let response = Response { status, body: body.as_bytes() };
        request.answered(response, &witness_keys(), 9)
    };
    let good = witness.cosign(text, at()).unwrap();
    assert!(matches!(answered(200, &format!("{good}\n")), Ok(Answer::Cosigned(_))));
    let other = witness.cosign(&text.replace('9', "8"), at()).unwrap();
    assert!(matches!(answered(200, &format!("{other}\n")), Err(Error::Signature { .. })));
    let both = format!("{good}\n{other}\n");
    assert!(matches!(answered(200, &both), Err(Error::Signature { .. })));
    let stranger = cosigner("witness.example/w2", 8).cosign(text, at()).unwrap();
    assert!(matches!(answered(200, &format!("{stranger}\n")), Err(Error::Unsigned)));
    assert!(matches!(answered(200, &good.to_string()), Err(Error::Note)));
    assert!(matches!(answered(200, ""), Err(Error::Note)));
    assert!(matches!(answered(200, "text\n"), Err(Error::SignatureLine(_))));
    for body in ["", "7", "07\n", "7\n\n", " 7\n", "-1\n", "7\r\n", "seven\n"] {
        assert!(matches!(answered(409, body), Err(Error::Answer)), "{body:?}");
    }
    for status in [400, 403, 404, 422, 500, 503] {
        assert_eq!(answered(status, "why").unwrap(), Answer::Refused { status });
    }
    let endless = "x".repeat(limit::NOTE_BYTES + 1);
    assert!(matches!(answered(200, &endless), Err(Error::Answer)));
    let as_log = VerifierKeys::new(vec![log_key().key().clone()]).unwrap();
    let response = Response { status: 200, body: b"x\n" };
    assert!(request.answered(response, &as_log, 9).is_err());
}

#[test]
fn tlog_witness_a_cosignature_without_a_time_does_not_count() {
    let log = stored(9);
    let request = request(0, 9, &log);
    let message = format!("cosignature/v1\ntime 0\n{}", request.checkpoint.unverified_text());
    let private = crate::log::private(Algorithm::Ed25519, 9);
    let signed = base::crypto::Sign::sign(&*private, message.as_bytes()).unwrap();
    let id = witness().key().id().0;
    let bytes = [id.as_slice(), &[0; 8], &signed].concat();
    let body = format!("— {WITNESS} {}\n", STANDARD.encode(bytes));
    let response = Response { status: 200, body: body.as_bytes() };
    let answer = request.answered(response, &witness_keys(), 9);
    assert!(matches!(answer, Err(Error::Timestamp)));
}

#[test]
fn a_witness_that_is_ahead_shows_that_the_log_was_set_back() {
    let log = stored(9);
    let from_backup = request(0, 5, &log);
    let kept = head(9, &log);
    let refusal = witness().add_checkpoint(&kept, &from_backup).unwrap_err();
    let body = refusal.body();
    let response = Response { status: refusal.status(), body: body.as_bytes() };
    let answer = from_backup.answered(response, &witness_keys(), 5);
    assert!(matches!(answer, Err(Error::WitnessAhead { ours: 5, theirs: 9 })));
    // Not so when the log itself has grown since it asked.
    let answer = from_backup.answered(response, &witness_keys(), 9).unwrap();
    assert_eq!(answer, Answer::Conflict { size: 9 });
    let fault = Request::new(9, &signed(head(5, &log)), &log);
    assert!(matches!(fault, Err(Error::WitnessAhead { ours: 5, theirs: 9 })));
}

// Trust policies.

fn witness_key(number: u8) -> VerifierKey {
    cosigner(&format!("witness.example/w{number}"), number).key().clone()
}

/// The two-level example of the specification.
fn two_groups() -> String {
    let mut file = format!("# An example.\n\nlog {}\n", log_key().key());
    for (name, number) in [("X1", 11), ("X2", 12), ("X3", 13), ("Y1", 21), ("Y2", 22), ("Y3", 23)] {
        let line = format!("\twitness {name}  {} \n", witness_key(number));
        file += &line;
    }
    file += "group X-witnesses 2 X1 X2 X3\n  # Others.\ngroup Y-witnesses any Y1 Y2 Y3\n";
    file + "group X-and-Y all X-witnesses Y-witnesses\nquorum X-and-Y\n"
}

fn cosigned_by(numbers: &[u8], note: &Note) -> Note {
    let mut note = note.clone();
    for number in numbers {
        let witness = cosigner(&format!("witness.example/w{number}"), *number);
        note.add(witness.cosign(note.unverified_text(), at()).unwrap()).unwrap();
    }
    note
}

#[test]
fn tlog_policy_groups_of_groups_make_a_quorum() {
    let trust = Trust::parse(two_groups().as_bytes()).unwrap();
    assert_eq!(trust.witnesses().count(), 6);
    let note = signed(head(5, &stored(5)));
    let quorums: [&[u8]; 4] =
        [&[11, 12, 21], &[11, 13, 23], &[12, 13, 22], &[11, 12, 13, 21, 22, 23]];
    for by in quorums {
        let witnessed = trust.verify(&cosigned_by(by, &note)).unwrap();
        assert_eq!(witnessed.cosigned.len(), by.len());
        assert_eq!(witnessed.checkpoint.head().size, 5);
        assert!(witnessed.cosigned.iter().all(|by| by.timestamp_s == 1_795_385_400));
    }
    let too_few: [&[u8]; 5] = [&[], &[11, 21], &[11, 12, 13], &[21, 22, 23], &[11, 21, 22, 23]];
    for by in too_few {
        let fault = trust.verify(&cosigned_by(by, &note));
        assert!(matches!(fault, Err(Error::Quorum(count)) if count == by.len()));
    }
    // Witnesses that the policy does not name do not count.
    let fault = trust.verify(&cosigned_by(&[11, 99, 98, 21], &note));
    assert!(matches!(fault, Err(Error::Quorum(2))));
}

#[test]
fn tlog_policy_k_of_n_counts_each_witness_once() {
    let keys: Vec<_> = (1..=3).map(witness_key).collect();
    let log = [log_key().key().clone()];
    let note = signed(head(5, &stored(5)));
    for threshold in 0..=3_usize {
        let trust = Trust::k_of_n(&log, &keys, threshold).unwrap();
        for count in 0..=3_u8 {
            let by: Vec<u8> = (1..=count).collect();
            let met = trust.verify(&cosigned_by(&by, &note)).is_ok();
            assert_eq!(met, usize::from(count) >= threshold);
        }
        assert_eq!(Trust::parse(&trust.to_file()).unwrap(), trust);
    }
    let one_twice = cosigned_by(&[1], &note).to_string();
    let line = one_twice.lines().last().unwrap();
    let one_twice = Note::parse(format!("{one_twice}{line}\n").as_bytes()).unwrap();
    let trust = Trust::k_of_n(&log, &keys, 2).unwrap();
    assert!(matches!(trust.verify(&one_twice), Err(Error::Quorum(1))));
    assert!(matches!(Trust::k_of_n(&log, &keys, 4), Err(Error::Policy { .. })));
    let doubled = [witness_key(1), witness_key(1)];
    assert!(matches!(Trust::k_of_n(&log, &doubled, 1), Err(Error::Policy { .. })));
}

#[test]
fn tlog_policy_without_quorum_the_logs_signature_is_enough_and_needed() {
    let key = log_key();
    let file = format!("log {} https://agency.example/acts/\nquorum none\n", key.key());
    let trust = Trust::parse(file.as_bytes()).unwrap();
    assert_eq!(trust.to_file(), file.as_bytes());
    let note = signed(head(5, &stored(5)));
    assert_eq!(trust.verify(&note).unwrap().cosigned, []);
    let thief = signer(ORIGIN, Algorithm::Ed25519, 2);
    let forged = Note::sign(note.unverified_text(), &[thief]).unwrap();
    assert!(matches!(trust.verify(&forged), Err(Error::Unsigned)));
    let other = note.unverified_text().replace(ORIGIN, "other.example");
    let other = Note::sign(&other, &[key]).unwrap();
    assert!(matches!(trust.verify(&other), Err(Error::OtherLog(_))));
    let strict = trust.requiring(Require::Both);
    assert!(matches!(strict.verify(&note), Err(Error::Required(Require::Both))));
}

#[test]
fn tlog_policy_any_one_key_of_a_log_is_enough_unless_the_reader_wants_both() {
    let (classic, quantum) = (log_key(), signer(ORIGIN, Algorithm::MlDsa87, 1));
    let logs = [classic.key().clone(), quantum.key().clone()];
    let trust = Trust::k_of_n(&logs, &[], 0).unwrap();
    let both = trust.clone().requiring(Require::Both);
    let head = head(5, &stored(5));
    let checkpoint = Checkpoint::new(Origin::new(ORIGIN).unwrap(), head);
    let signed = |by: &[&Signer]| {
        checkpoint.sign(&by.iter().map(|key| (*key).clone()).collect::<Vec<_>>()).unwrap()
    };
    for by in [vec![&classic], vec![&quantum], vec![&classic, &quantum]] {
        assert!(trust.verify(&signed(&by)).is_ok());
        assert_eq!(both.verify(&signed(&by)).is_ok(), by.len() == 2);
    }
    assert_eq!(Trust::parse(&trust.to_file()).unwrap(), trust);
}

#[test]
fn tlog_policy_a_false_cosignature_of_a_known_witness_refuses_the_checkpoint() {
    let trust = Trust::k_of_n(&[log_key().key().clone()], &[witness_key(1), witness_key(2)], 1);
    let trust = trust.unwrap();
    let log = stored(5);
    let mut note = cosigned_by(&[1], &signed(head(5, &log)));
    let other = cosigned_by(&[2], &signed(head(4, &log)));
    note.add(other.signatures().last().unwrap().clone()).unwrap();
    assert!(matches!(trust.verify(&note), Err(Error::Signature { .. })));
}

#[test]
fn tlog_policy_another_form_is_refused_with_its_line() {
    let log = log_key().key().to_string();
    let (one, two) = (witness_key(1).to_string(), witness_key(2).to_string());
    let fault = |lines: &[&str]| match Trust::parse(lines.join("\n").as_bytes()) {
        Err(Error::Policy { line, .. } | Error::PolicyKey { line, .. }) => line,
        other => panic!("{other:?}"),
    };
    let w1 = format!("witness w1 {one}");
    let w2 = format!("witness w2 {two}");
    let cases: Vec<(usize, Vec<String>)> = vec![
        (0, vec![]),
        (0, vec![format!("log {log}")]),
        (1, vec!["log".into(), "quorum none".into()]),
        (1, vec![format!("log {log} url more"), "quorum none".into()]),
        (1, vec!["log key".into(), "quorum none".into()]),
        (1, vec![format!("log {one}"), "quorum none".into()]),
        (2, vec![format!("log {log}"), format!("log {log}"), "quorum none".into()]),
        (1, vec![format!("witness w1 {log}"), "quorum none".into()]),
        (1, vec![format!("witness none {one}"), "quorum none".into()]),
        (2, vec![w1.clone(), format!("witness w1 {two}"), "quorum none".into()]),
        (2, vec![w1.clone(), format!("witness w2 {one}"), "quorum none".into()]),
        (1, vec!["quorum w1".into(), w1.clone()]),
        (2, vec!["quorum none".into(), "quorum none".into()]),
        (1, vec!["quorum".into()]),
        (1, vec!["quorum none none".into()]),
        (2, vec![w1.clone(), "group g all".into(), "quorum g".into()]),
        (2, vec![w1.clone(), "group g 0 w1".into(), "quorum g".into()]),
        (2, vec![w1.clone(), "group g 2 w1".into(), "quorum g".into()]),
        (2, vec![w1.clone(), "group g 01 w1".into(), "quorum g".into()]),
        (2, vec![w1.clone(), "group g -1 w1".into(), "quorum g".into()]),
        (2, vec![w1.clone(), "group g ANY w1".into(), "quorum g".into()]),
        (2, vec![w1.clone(), "group g any none".into(), "quorum g".into()]),
        (2, vec![w1.clone(), "group g any g".into(), "quorum g".into()]),
        (2, vec![w1.clone(), "group g any w1 w1".into(), "quorum g".into()]),
        (1, vec!["group g any w1".into(), w1.clone(), "quorum g".into()]),
        (2, vec![w1.clone(), "group w1 any w1".into(), "quorum w1".into()]),
        (4, vec![w1.clone(), w2, "group g any w1".into(), "group h any w1 w2".into()]),
        (1, vec!["policy none".into()]),
        (1, vec!["quorum none\r".into()]),
        (1, vec!["quorum\u{b}none".into()]),
        (2, vec!["quorum none".into(), "# \u{7f}".into()]),
    ];
    for (line, lines) in cases {
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        assert_eq!(fault(&lines), line, "{lines:?}");
    }
    let large = vec![b'#'; limit::NOTE_BYTES + 1];
    assert!(matches!(Trust::parse(&large), Err(Error::Policy { line: 0, .. })));
}

#[test]
fn tlog_policy_names_are_octets_and_32_of_each_have_room() {
    let mut file = b"# caf\xe9\n".to_vec();
    let mut line = |parts: &[&[u8]]| {
        file.extend_from_slice(&parts.join(&b' '));
        file.push(b'\n');
    };
    let mut names = Vec::new();
    for number in 1..=32_u8 {
        let log = signer(&format!("log{number}.example"), Algorithm::Ed25519, 100 + number);
        line(&[b"log", log.key().to_string().as_bytes()]);
        let name = [b"w\xff".as_slice(), number.to_string().as_bytes()].concat();
        line(&[b"witness", &name, witness_key(number).to_string().as_bytes(), b"https://w/"]);
        let group = format!("g{number}");
        line(&[b"group", group.as_bytes(), b"all", &name]);
        names.push(group.into_bytes());
    }
    let names: Vec<&[u8]> = names.iter().map(Vec::as_slice).collect();
    line(&[[b"group".as_slice(), b"most", b"30"].as_slice(), &names].concat());
    line(&[b"quorum", b"most"]);
    let trust = Trust::parse(&file).unwrap();
    assert_eq!(trust.witnesses().filter(|(_, url)| *url == Some(b"https://w/")).count(), 32);
    let again = Trust::parse(&trust.to_file()).unwrap();
    assert_eq!(again, trust);
}

#[test]
fn limit_definitions_of_a_policy() {
    let file = |count: u8| -> String {
        let key = |number| signer("log.example", Algorithm::Ed25519, number).key().to_string();
        let lines: Vec<_> = (0..count).map(|number| format!("log {}", key(number))).collect();
        lines.join("\n") + "\nquorum none"
    };
    assert!(Trust::parse(file(64).as_bytes()).is_ok());
    assert!(matches!(Trust::parse(file(65).as_bytes()), Err(Error::Policy { line: 65, .. })));
    let file = |count: u8| -> String {
        let line = |number| format!("witness w{number} {}\n", witness_key(number));
        (0..count).map(line).collect::<String>() + "quorum none"
    };
    assert!(Trust::parse(file(128).as_bytes()).is_ok());
    assert!(matches!(Trust::parse(file(129).as_bytes()), Err(Error::Policy { line: 129, .. })));
}

// Receipts.

fn receipt() -> (Receipt, Trust) {
    let log = stored(300);
    let note = cosigned_by(&[1, 2], &signed(head(300, &log)));
    let keys = [witness_key(1), witness_key(2), witness_key(3)];
    let trust = Trust::k_of_n(&[log_key().key().clone()], &keys, 2).unwrap();
    (Receipt::new(123, &note, &log).unwrap(), trust)
}

#[test]
fn tlog_proof_a_receipt_is_verified_without_the_log() {
    let (receipt, trust) = receipt();
    let file = receipt.to_string();
    let read = Receipt::parse(file.as_bytes()).unwrap();
    assert_eq!(read, receipt);
    let witnessed = read.verify(&leaf_hash(&leaf(123)), &trust).unwrap();
    assert_eq!(witnessed.checkpoint.head().size, 300);
    assert_eq!(witnessed.cosigned.len(), 2);
    let fault = read.verify(&leaf_hash(&leaf(124)), &trust);
    assert!(matches!(fault, Err(Error::Inclusion { index: 123, size: 300 })));
    let moved = Receipt { index: 122, ..read.clone() };
    assert!(matches!(moved.verify(&leaf_hash(&leaf(123)), &trust), Err(Error::Inclusion { .. })));
    let beyond = Receipt { index: 300, ..read.clone() };
    assert!(matches!(beyond.verify(&leaf_hash(&leaf(123)), &trust), Err(Error::Index { .. })));
    let keys: Vec<_> = (1..=3).map(witness_key).collect();
    let stricter = Trust::k_of_n(&[log_key().key().clone()], &keys, 3).unwrap();
    let fault = read.verify(&leaf_hash(&leaf(123)), &stricter);
    assert!(matches!(fault, Err(Error::Quorum(2))));
    let note = signed(head(300, &stored(300)));
    assert!(matches!(Receipt::new(300, &note, &stored(300)), Err(Error::Index { .. })));
}

#[test]
fn tlog_proof_the_file_is_first_line_extra_index_hashes_and_checkpoint() {
    let log = stored(2);
    let note = signed(head(2, &log));
    let mut receipt = Receipt::new(1, &note, &log).unwrap();
    let sibling = STANDARD.encode(leaf_hash(&leaf(0)).0);
    let file = format!("c2sp.org/tlog-proof@v1\nindex 1\n{sibling}\n\n{note}");
    assert_eq!(receipt.to_string(), file);
    receipt.extra = Some(Vec::new());
    assert_eq!(receipt.to_string(), file);
    receipt.extra = Some(b"extra data".to_vec());
    let file = file.replacen("index", "extra ZXh0cmEgZGF0YQ==\nindex", 1);
    assert_eq!(receipt.to_string(), file);
    assert_eq!(Receipt::parse(file.as_bytes()).unwrap(), receipt);
    let log = stored(1);
    let note = signed(head(1, &log));
    let single = Receipt::new(0, &note, &log).unwrap();
    assert_eq!(single.to_string(), format!("c2sp.org/tlog-proof@v1\nindex 0\n\n{note}"));
    assert_eq!(Receipt::parse(single.to_string().as_bytes()).unwrap(), single);
}

#[test]
fn tlog_proof_another_form_is_refused() {
    let (receipt, _trust) = receipt();
    let file = receipt.to_string();
    let note = receipt.checkpoint.to_string();
    let first = "c2sp.org/tlog-proof@v1";
    let hash = STANDARD.encode([1; 32]);
    let refused = [
        String::new(),
        note.clone(),
        file.replace("@v1", "@v2"),
        file.replace("c2sp", "C2SP"),
        file.replace("index 123", "index 0123"),
        file.replace("index 123", "index -1"),
        file.replace("index 123", "index 18446744073709551616"),
        file.replace("index 123", "index  123"),
        file.replace("index 123", "index"),
        file.replace("index 123\n", ""),
        file.replace("index 123", "extra AAAA\nextra AAAA\nindex 123"),
        file.replace("index 123", "extra \nindex 123"),
        file.replace("index 123", "extra AAA\nindex 123"),
        file.replace("index 123", "extra\nindex 123"),
        file.replace("index 123", "index 123\nextra AAAA"),
        file.replace("index 123", &format!("index 123\n{}", STANDARD.encode([1; 33]))),
        file.replace("\n\n", "\n\n\n"),
        file.replace('\n', "\r\n"),
        format!("\n{file}"),
        file.trim_end().to_owned(),
        format!("{first}\nindex 0\n\ntext\n\n{}\n", log_key().sign("text\n").unwrap()),
        format!("{first}\nindex 0\n{}\n{note}", format!("{hash}\n").repeat(65)),
    ];
    for file in refused {
        assert!(Receipt::parse(file.as_bytes()).is_err(), "{file:?}");
    }
    let most = format!("{first}\nindex 0\n{}\n{note}", format!("{hash}\n").repeat(64));
    assert_eq!(Receipt::parse(most.as_bytes()).unwrap().path.len(), 64);
    assert!(matches!(Receipt::parse(&vec![b'x'; RECEIPT_BYTES + 1]), Err(Error::Receipt)));
    assert!(matches!(Receipt::parse(b"\xff"), Err(Error::Receipt)));
}

proptest! {
    #[test]
    fn a_changed_receipt_is_refused(at in any::<prop::sample::Index>(), to: u8) {
        let (receipt, trust) = receipt();
        let file = receipt.to_string().into_bytes();
        let mut changed = file.clone();
        let place = at.index(changed.len());
        prop_assume!(changed[place] != to);
        changed[place] = to;
        if let Ok(read) = Receipt::parse(&changed) {
            prop_assert!(read.verify(&leaf_hash(&leaf(123)), &trust).is_err());
            prop_assert_eq!(read.to_string().into_bytes(), changed);
        }
    }

    #[test]
    fn a_receipt_and_a_request_are_read_back_as_they_were_written(
        index: u64,
        hashes in prop::collection::vec(any::<[u8; 32]>(), 0..=PROOF_HASHES),
        extra in prop::option::of(prop::collection::vec(any::<u8>(), 1..100)),
        (size, root) in (any::<u64>(), any::<[u8; 32]>()),
    ) {
        let checkpoint = signed(Head { size, root: Digest(root) });
        let path: Vec<_> = hashes.into_iter().map(Digest).collect();
        let request =
            Request { old_size: index, proof: path.clone(), checkpoint: checkpoint.clone() };
        prop_assert_eq!(Request::parse(request.to_string().as_bytes()).unwrap(), request);
        let receipt = Receipt { index, path, extra, checkpoint };
        prop_assert_eq!(Receipt::parse(receipt.to_string().as_bytes()).unwrap(), receipt);
    }

    #[test]
    fn no_bytes_make_the_parsers_of_the_protocol_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..200),
        prefix in prop_oneof!["", "old 0\n\n", "c2sp.org/tlog-proof@v1\nindex 0\n\n", "log "],
    ) {
        let bytes = [prefix.as_bytes(), &bytes].concat();
        drop(Request::parse(&bytes));
        drop(Receipt::parse(&bytes));
        drop(Trust::parse(&bytes));
    }

    #[test]
    fn a_witness_never_goes_back(asked in prop::collection::vec((0_u64..40, 0_u64..40), 1..30)) {
        let log = stored(40);
        let mut kept = Head::empty();
        for (old, new) in asked {
            let before = kept;
            let request = request(old.min(new), new, &log);
            let cosigned = ask(&mut kept, &request).is_ok();
            prop_assert_eq!(cosigned, old.min(new) == before.size);
            prop_assert!(kept.size >= before.size);
            prop_assert_eq!(kept, head(kept.size, &log));
        }
    }
}
