//! Notes, checkpoints and cosignatures against the specification and other people's programs.
#![expect(clippy::unwrap_used, reason = "a fault in a helper is a fault of the test")]

use std::slice::from_ref;

use base::crypto::{Algorithm, sha256};
use base::{Digest, Time, limit};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ledger::Error;
use ledger::checkpoint::{Checkpoint, LogKeys, Origin};
use ledger::cosignature::{Cosigner, timestamp_s};
use ledger::note::{
    KeyName, Note, Require, Signature, SignatureType, Signer, VerifierKey, VerifierKeys,
};
use ledger::tree::Head;
use proptest::prelude::*;
use signed_note::{StandardSigner, StandardVerifier, Verifier as _, VerifierList};

use crate::log::{cosigner, private, signer};

/// The note in the documentation of Go's `note` package: its author's key and signature.
const PETER_KEY: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
/// Its private key: the type, then the seed.
const PETER_PRIVATE: &str = "AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
const PETER_TEXT: &str = "If you think cryptography is the answer to your problem,\n\
                          then you don't know what your problem is.\n";
const PETER_LINE: &str = "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFY\
                          C2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=";
const ENOCH_KEY: &str = "EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop";
const ENOCH_LINE: &str = "— EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ\
                          5ovTG01oOTGwnWLox33WWd1RvMc+QQ=";

const ORIGIN: &str = "agency.example/acts";

fn keys(keys: &[&str]) -> VerifierKeys {
    VerifierKeys::new(keys.iter().map(|key| key.parse().unwrap()).collect()).unwrap()
}

fn keys_of(signers: &[&Signer]) -> VerifierKeys {
    VerifierKeys::new(signers.iter().map(|signer| signer.key().clone()).collect()).unwrap()
}

fn peter(lines: &[&str]) -> String {
    format!("{PETER_TEXT}\n{}\n", lines.join("\n"))
}

fn checkpoint() -> Checkpoint {
    let head = Head { size: 20_852_163, root: sha256(b"a root") };
    Checkpoint::new(Origin::new(ORIGIN).unwrap(), head)
}

/// Reads a note with the other library and says whether it found a good signature by these keys.
fn theirs(note: &str, keys: &[&str]) -> Result<usize, signed_note::NoteError> {
    let key = |key: &&str| -> Box<dyn signed_note::Verifier> {
        Box::new(StandardVerifier::new(key).unwrap())
    };
    let known = VerifierList::new(keys.iter().map(key).collect());
    let note = signed_note::Note::from_bytes(note.as_bytes())?;
    note.verify(&known).map(|(good, _unknown)| good.len())
}

#[test]
fn signed_note_the_note_of_gos_documentation_is_opened() {
    let note = Note::parse(peter(&[PETER_LINE, ENOCH_LINE]).as_bytes()).unwrap();
    let (one, both) = (keys(&[PETER_KEY]), keys(&[ENOCH_KEY, PETER_KEY]));
    let opened = note.open(&one, Require::Any).unwrap();
    assert_eq!(opened.text, PETER_TEXT);
    assert_eq!(opened.by.len(), 1);
    assert_eq!(opened.by.first().unwrap().0.to_string(), PETER_KEY);
    assert_eq!(note.open(&both, Require::Ed25519).unwrap().by.len(), 2);
    assert_eq!(note.to_string(), peter(&[PETER_LINE, ENOCH_LINE]));
}

#[test]
fn signed_note_the_same_key_makes_the_same_note() {
    let material = STANDARD.decode(PETER_PRIVATE).unwrap();
    let seed = base::crypto::Secret::from_slice(material.strip_prefix(&[1]).unwrap()).unwrap();
    let private = base::crypto::SeedKey::from_seed(Algorithm::Ed25519, &seed).unwrap();
    let name = KeyName::new("PeterNeumann").unwrap();
    let signer = Signer::new(name, std::sync::Arc::new(private)).unwrap();
    assert_eq!(signer.key().to_string(), PETER_KEY);
    let note = Note::sign(PETER_TEXT, &[signer]).unwrap();
    assert_eq!(note.to_string(), peter(&[PETER_LINE]));
}

#[test]
fn signed_note_a_verifier_key_has_one_spelling() {
    for key in [PETER_KEY, ENOCH_KEY] {
        assert_eq!(key.parse::<VerifierKey>().unwrap().to_string(), key);
    }
    let material = "ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    let refused = [
        "",
        "+",
        "++",
        "PeterNeumann",
        "PeterNeumann+c74f20a3",
        "PeterNeumann+c74f20a3+",
        "+c74f20a3+ARpc",
        "Peter Neumann+c74f20a3+ARpc",
        "PeterNeumann+c74f20a3+!!!!",
        "PeterNeumann+c74f20a3+AQ==",
    ];
    for key in refused {
        assert!(key.parse::<VerifierKey>().is_err(), "`{key}`");
    }
    let fault = |id: &str| format!("PeterNeumann+{id}+{material}").parse::<VerifierKey>();
    assert!(matches!(fault("c74f20a4"), Err(Error::KeyId(_))));
    assert!(matches!(fault("C74F20A3"), Err(Error::KeyId(_))));
    assert!(matches!(fault("0c74f20a3"), Err(Error::KeyId(_))));
    let unknown = format!("PeterNeumann+c74f20a3+{}", STANDARD.encode([2; 33]));
    assert!(matches!(unknown.parse::<VerifierKey>(), Err(Error::SignatureType(_))));
    let private_type = format!("PeterNeumann+c74f20a3+{}", STANDARD.encode([0xff; 33]));
    assert!(matches!(private_type.parse::<VerifierKey>(), Err(Error::SignatureType(_))));
    let long = format!("PeterNeumann+c74f20a3+{}", "A".repeat(9000));
    assert!(matches!(long.parse::<VerifierKey>(), Err(Error::VerifierKey(_))));
}

#[test]
fn signed_note_a_name_is_not_empty_and_has_neither_space_nor_plus() {
    for name in ["a", "agency.example/acts", "émile", "λ/κ", "—", "a-b_c.d:e"] {
        assert_eq!(KeyName::new(name).unwrap().as_str(), name);
    }
    let refused = [
        "",
        " ",
        "a b",
        "a+b",
        "a\tb",
        "a\nb",
        "a\u{1}",
        "a\u{b}b",
        "a\u{85}b",
        "a\u{a0}b",
        "a\u{1680}b",
        "a\u{2003}b",
        "a\u{2028}b",
        "a\u{202f}b",
        "a\u{3000}b",
    ];
    for name in refused {
        assert!(matches!(KeyName::new(name), Err(Error::KeyName(_))), "`{name}`");
    }
}

#[test]
fn signed_note_unknown_keys_are_ignored_even_when_name_or_id_is_known() {
    let known = signer("agency.example/acts", Algorithm::Ed25519, 1);
    let same_name = signer("agency.example/acts", Algorithm::Ed25519, 2);
    let note = Note::sign("text\n", &[known.clone(), same_name.clone()]).unwrap();
    assert_eq!(note.open(&keys_of(&[&known]), Require::Any).unwrap().by.len(), 1);
    // A line under another name with the id of the known key is somebody else's.
    let line = note.signatures().first().unwrap().to_string();
    let renamed = line.replace("agency.example/acts", "other.example/acts");
    let forged = format!("text\n\n{renamed}\n{line}\n");
    let forged = Note::parse(forged.as_bytes()).unwrap();
    assert_eq!(forged.open(&keys_of(&[&known]), Require::Any).unwrap().by.len(), 1);
    let other = signer("agency.example/acts", Algorithm::Ed25519, 3);
    assert!(matches!(note.open(&keys_of(&[&other]), Require::Any), Err(Error::Unsigned)));
    let nobody = VerifierKeys::default();
    assert!(matches!(note.open(&nobody, Require::Any), Err(Error::Unsigned)));
}

#[test]
fn signed_note_one_false_signature_by_a_known_key_refuses_the_note() {
    let (first, second) =
        (signer("a.example", Algorithm::Ed25519, 1), signer("b.example", Algorithm::Ed25519, 2));
    let note = Note::sign("text\n", from_ref(&first)).unwrap();
    let other = Note::sign("other\n", from_ref(&second)).unwrap();
    let false_line = other.signatures().first().unwrap();
    let mixed = format!("{note}{false_line}\n");
    let mixed = Note::parse(mixed.as_bytes()).unwrap();
    assert!(mixed.open(&keys_of(&[&first]), Require::Any).is_ok());
    let both = keys_of(&[&first, &second]);
    let fault = mixed.open(&both, Require::Any);
    assert!(matches!(fault, Err(Error::Signature { key, .. }) if key.starts_with("b.example+")));
    // So does a second, false line by a key that signed well before.
    let again = Note::sign("other\n", from_ref(&first)).unwrap();
    let doubled = format!("{note}{}\n", again.signatures().first().unwrap());
    let doubled = Note::parse(doubled.as_bytes()).unwrap();
    assert!(matches!(
        doubled.open(&keys_of(&[&first]), Require::Any),
        Err(Error::Signature { .. })
    ));
}

#[test]
fn signed_note_a_key_that_signs_twice_counts_once() {
    let key = signer("a.example", Algorithm::Ed25519, 1);
    let note = Note::sign("text\n", &[key.clone(), key.clone()]).unwrap();
    assert_eq!(note.signatures().len(), 1);
    let line = note.signatures().first().unwrap();
    let doubled = format!("{note}{line}\n{line}\n");
    let read = Note::parse(doubled.as_bytes()).unwrap();
    let known = keys_of(&[&key]);
    assert_eq!(read.open(&known, Require::Any).unwrap().by.len(), 1);
    assert_eq!(read.to_string(), doubled);
    assert_eq!(read.signed_only(&known).to_string(), note.to_string());
    assert!(matches!(
        VerifierKeys::new(vec![key.key().clone(), key.key().clone()]),
        Err(Error::DuplicateKey(_))
    ));
}

#[test]
fn signed_note_what_is_no_note_is_refused() {
    let line = PETER_LINE;
    let refused = [
        String::new(),
        "\n".to_owned(),
        "\n\n".to_owned(),
        "text\n".to_owned(),
        "text\n\n".to_owned(),
        format!("text\n{line}\n"),
        format!("text\n\n{line}"),
        format!("text\n\n{line}\n\n"),
        format!("text\n\n{line}\ntext\n"),
        format!("text\n\n\u{feff}{line}\n"),
        format!("text\r\n\r\n{line}\n"),
        format!("te\u{0}xt\n\n{line}\n"),
        format!("te\txt\n\n{line}\n"),
        format!("te\u{1f}xt\n\n{line}\n"),
        format!("text\n\n{line}\r\n"),
        format!("text\n\n {line}\n"),
        format!("text\n\n{line} \n"),
        format!("text\n\n{}\n", line.replace('—', "-")),
        format!("text\n\n{}\n", line.replace("— ", "—")),
        format!("text\n\n{}\n", line.replace(" x08", "  x08")),
        format!("text\n\n{}\n", line.replace("JnAM=", "JnAM")),
        format!("text\n\n{}\n", line.replace("JnAM=", "JnAN=")),
        "text\n\n— a.example \n".to_owned(),
        "text\n\n— a.example AAAAAA==\n".to_owned(),
        "text\n\n— a+b AAAAAAA=\n".to_owned(),
        "text\n\n—  AAAAAAA=\n".to_owned(),
    ];
    for note in refused {
        assert!(Note::parse(note.as_bytes()).is_err(), "{note:?}");
        assert!(signed_note::Note::from_bytes(note.as_bytes()).is_err(), "{note:?}");
    }
    let latin = [b"caf\xe9\n\n".as_slice(), line.as_bytes(), b"\n"].concat();
    assert!(matches!(Note::parse(&latin), Err(Error::Note)));
    assert!(Note::parse("text\n\n— a.example AAAAAAA=\n".as_bytes()).is_ok());
}

#[test]
fn signed_note_the_last_empty_line_parts_text_and_signatures() {
    let key = signer("a.example", Algorithm::Ed25519, 1);
    for text in ["\n", "\n\n", "a\n", "a\n\n", "a\n\nb\n", "\n\n\na\n", "— a.example AAAA\n"] {
        let note = Note::sign(text, from_ref(&key)).unwrap();
        let read = Note::parse(note.to_string().as_bytes()).unwrap();
        assert_eq!(read.unverified_text(), text);
        assert_eq!(read, note);
        assert_eq!(theirs(&note.to_string(), &[&key.key().to_string()]).unwrap(), 1);
    }
    for text in ["", "a", "a\nb", "a\r\n", "a\u{7}\n"] {
        assert!(matches!(Note::sign(text, from_ref(&key)), Err(Error::Note)), "{text:?}");
    }
    assert!(matches!(Note::sign("a\n", &[]), Err(Error::Unsigned)));
}

#[test]
fn limit_note_signatures() {
    let line = |number: u16| {
        format!(
            "— a.example {}\n",
            STANDARD.encode([&number.to_be_bytes(), [0; 6].as_slice()].concat())
        )
    };
    let note = |count| format!("text\n\n{}", (0..count).map(line).collect::<String>());
    let max = u16::try_from(limit::NOTE_SIGNATURES).unwrap();
    let mut full = Note::parse(note(max).as_bytes()).unwrap();
    let fault = Note::parse(note(max + 1).as_bytes());
    assert!(matches!(fault, Err(Error::NoteSignatures(count)) if count == usize::from(max) + 1));
    let before = full.clone();
    let one_more = signer("a.example", Algorithm::Ed25519, 1).sign("text\n").unwrap();
    assert!(matches!(full.add(one_more), Err(Error::NoteSignatures(_))));
    assert_eq!(full, before);
}

#[test]
fn limit_note_bytes() {
    let key = signer("a.example", Algorithm::Ed25519, 1);
    let overhead = Note::sign("\n", from_ref(&key)).unwrap().to_string().len();
    let text = |bytes: usize| format!("{}\n", "x".repeat(bytes - overhead));
    let largest = Note::sign(&text(limit::NOTE_BYTES), from_ref(&key)).unwrap();
    assert_eq!(largest.to_string().len(), limit::NOTE_BYTES);
    assert_eq!(Note::parse(largest.to_string().as_bytes()).unwrap(), largest);
    let larger = limit::NOTE_BYTES + 1;
    let fault = Note::sign(&text(larger), &[key]);
    assert!(matches!(fault, Err(Error::NoteBytes(bytes)) if bytes == larger));
    let fault = Note::parse(&vec![b'x'; larger]);
    assert!(matches!(fault, Err(Error::NoteBytes(bytes)) if bytes == larger));
}

#[test]
fn a_note_may_need_either_signature_or_both() {
    let classic = signer(ORIGIN, Algorithm::Ed25519, 1);
    let quantum = signer(ORIGIN, Algorithm::MlDsa87, 1);
    let known = keys_of(&[&classic, &quantum]);
    let cases = [
        (vec![classic.clone()], [true, true, false, false]),
        (vec![quantum.clone()], [true, false, true, false]),
        (vec![classic.clone(), quantum.clone()], [true, true, true, true]),
    ];
    for (signers, met) in cases {
        let note = checkpoint().sign(&signers).unwrap();
        let wants = [Require::Any, Require::Ed25519, Require::MlDsa87, Require::Both];
        for (require, met) in wants.into_iter().zip(met) {
            let opened = note.open(&known, require);
            assert_eq!(opened.is_ok(), met, "{require}");
            assert!(met || matches!(opened, Err(Error::Required(_))));
        }
    }
}

#[test]
fn an_ml_dsa_key_has_the_private_type_with_its_identifier() {
    let quantum = signer(ORIGIN, Algorithm::MlDsa87, 1);
    let key = quantum.key().to_string();
    let mut parts = key.splitn(3, '+');
    assert_eq!(parts.next().unwrap(), ORIGIN);
    let id = parts.next().unwrap();
    let material = STANDARD.decode(parts.next().unwrap()).unwrap();
    let public = material.strip_prefix(b"\xffmuster/ml-dsa-87/v1").unwrap();
    assert_eq!(public, quantum.key().public());
    assert_eq!(public.len(), 2592);
    let digest = sha256(&[ORIGIN.as_bytes(), b"\n", &material].concat());
    assert!(digest.to_string().starts_with(id));
    let read: VerifierKey = key.parse().unwrap();
    assert_eq!(&read, quantum.key());
    assert_eq!(read.kind(), SignatureType::MlDsa87);
    assert_eq!(quantum.sign("text\n").unwrap().bytes().len(), 4627);
}

#[test]
fn an_ml_dsa_signature_is_over_its_identifier_and_the_text() {
    let quantum = signer(ORIGIN, Algorithm::MlDsa87, 1);
    let signature = quantum.sign("text\n").unwrap();
    let over = |message: &[u8]| {
        Algorithm::MlDsa87.verify(quantum.key().public(), message, signature.bytes()).is_ok()
    };
    assert!(over(b"muster/ml-dsa-87/v1\ntext\n"));
    assert!(!over(b"text\n"));
    quantum.key().verify("text\n", &signature).unwrap();
    let fault = quantum.key().verify("texts\n", &signature);
    assert!(matches!(fault, Err(Error::Signature { .. })));
}

#[test]
fn other_peoples_verifiers_ignore_the_ml_dsa_line() {
    let classic = signer(ORIGIN, Algorithm::Ed25519, 1);
    let quantum = signer(ORIGIN, Algorithm::MlDsa87, 1);
    let note = checkpoint().sign(&[quantum, classic.clone()]).unwrap();
    assert_eq!(theirs(&note.to_string(), &[&classic.key().to_string()]).unwrap(), 1);
}

#[test]
fn tlog_checkpoint_the_text_is_origin_size_and_root() {
    let text = checkpoint().to_string();
    let root = STANDARD.encode(sha256(b"a root").0);
    assert_eq!(text, format!("{ORIGIN}\n20852163\n{root}\n"));
    assert_eq!(Checkpoint::parse(&text).unwrap(), checkpoint());
    let theirs = tlog_tiles::Checkpoint::from_bytes(text.as_bytes()).unwrap();
    assert_eq!((theirs.origin(), theirs.size()), (ORIGIN, 20_852_163));
    assert_eq!(theirs.hash().0, sha256(b"a root").0);
    assert_eq!(theirs.to_bytes(), text.as_bytes());
}

#[test]
fn tlog_checkpoint_what_is_no_checkpoint_is_refused() {
    let root = STANDARD.encode([7; 32]);
    let refused = [
        String::new(),
        "\n".to_owned(),
        format!("{ORIGIN}\n1\n{root}"),
        format!("{ORIGIN}\n1\n"),
        format!("\n1\n{root}\n"),
        format!("{ORIGIN}\n\n{root}\n"),
        format!("{ORIGIN}\n1\n\n"),
        format!("{ORIGIN}\n1\n{root}\n\n"),
        format!("{ORIGIN}\n1\n{root}\n\nextension\n"),
        format!("{ORIGIN}\n1\n{root}\nextension"),
        format!("{ORIGIN}\n01\n{root}\n"),
        format!("{ORIGIN}\n00\n{root}\n"),
        format!("{ORIGIN}\n+1\n{root}\n"),
        format!("{ORIGIN}\n-1\n{root}\n"),
        format!("{ORIGIN}\n 1\n{root}\n"),
        format!("{ORIGIN}\n1 \n{root}\n"),
        format!("{ORIGIN}\n0x1\n{root}\n"),
        format!("{ORIGIN}\n18446744073709551616\n{root}\n"),
        format!("{ORIGIN}\n1\n{}\n", root.trim_end_matches('=')),
        format!("{ORIGIN}\n1\n{root} \n"),
        format!("{ORIGIN}\n1\n{}\n", STANDARD.encode([7; 31])),
        format!("{ORIGIN}\n1\n{}\n", STANDARD.encode([7; 33])),
    ];
    for text in refused {
        assert!(Checkpoint::parse(&text).is_err(), "{text:?}");
        assert!(tlog_tiles::Checkpoint::from_bytes(text.as_bytes()).is_err(), "{text:?}");
    }
    let largest = format!("{ORIGIN}\n18446744073709551615\n{root}\n");
    assert_eq!(Checkpoint::parse(&largest).unwrap().head().size, u64::MAX);
}

#[test]
fn tlog_checkpoint_extension_lines_are_kept_but_never_signed_by_a_log_of_ours() {
    let text = format!("{}line one\nline two\n", checkpoint());
    let read = Checkpoint::parse(&text).unwrap();
    assert_eq!(read.extension(), ["line one", "line two"]);
    assert_eq!(read.to_string(), text);
    let key = signer(ORIGIN, Algorithm::Ed25519, 1);
    assert!(matches!(read.sign(from_ref(&key)), Err(Error::Extension)));
    assert!(checkpoint().extension().is_empty());
    // Another's log may sign them, and its readers see them.
    let note = Note::sign(&text, from_ref(&key)).unwrap();
    let log = LogKeys::new(vec![key.key().clone()], Require::Any).unwrap();
    assert_eq!(log.open(&note).unwrap(), read);
}

#[test]
fn a_log_signs_and_is_read_under_its_origin_alone() {
    let ours = signer(ORIGIN, Algorithm::Ed25519, 1);
    let other = signer("other.example/acts", Algorithm::Ed25519, 2);
    assert!(matches!(checkpoint().sign(from_ref(&other)), Err(Error::OtherLog(_))));
    let note = checkpoint().sign(from_ref(&ours)).unwrap();
    let log = LogKeys::new(vec![ours.key().clone()], Require::Any).unwrap();
    assert_eq!(log.origin().as_str(), ORIGIN);
    assert_eq!(log.open(&note).unwrap(), checkpoint());
    // The same key signed a text that says another origin.
    let foreign = checkpoint().to_string().replace(ORIGIN, "third.example/acts");
    let foreign = Note::sign(&foreign, from_ref(&ours)).unwrap();
    assert!(
        matches!(log.open(&foreign), Err(Error::OtherLog(origin)) if origin == "third.example/acts")
    );
    // Go's checksum database has a key of another name than its first line.
    let third = log.with_origin(Origin::new("third.example/acts").unwrap());
    assert!(third.open(&foreign).is_ok());
    let mixed = vec![ours.key().clone(), other.key().clone()];
    assert!(matches!(LogKeys::new(mixed, Require::Any), Err(Error::OtherLog(_))));
    assert!(matches!(LogKeys::new(vec![], Require::Any), Err(Error::Unsigned)));
    let witness = vec![cosigner(ORIGIN, 3).key().clone()];
    assert!(matches!(LogKeys::new(witness, Require::Any), Err(Error::SignatureType(_))));
    assert_eq!(Origin::new("abc").unwrap().digest(), sha256(b"abc"));
    for origin in ["", "a\nb", "a\u{0}", "a\tb"] {
        assert!(matches!(Origin::new(origin), Err(Error::Origin(_))));
    }
}

#[test]
fn tlog_cosignature_the_message_is_header_time_and_the_whole_text() {
    let witness = cosigner("witness.example/w1", 9);
    let text = format!("{}extension\n", checkpoint());
    let at = Time::from_ms(1_679_315_147_999).unwrap();
    let signature = witness.cosign(&text, at).unwrap();
    assert_eq!(timestamp_s(&signature).unwrap(), 1_679_315_147);
    let (time, ed25519) = signature.bytes().split_at(8);
    assert_eq!(time, 1_679_315_147_u64.to_be_bytes());
    let message = format!("cosignature/v1\ntime 1679315147\n{text}");
    let public = witness.key().public();
    Algorithm::Ed25519.verify(public, message.as_bytes(), ed25519).unwrap();
    witness.key().verify(&text, &signature).unwrap();
    assert!(witness.key().verify(&checkpoint().to_string(), &signature).is_err());
}

#[test]
fn tlog_cosignature_the_key_id_has_type_4() {
    let witness = cosigner("witness.example/w1", 9);
    let public = witness.key().public();
    let digest = sha256(&[b"witness.example/w1\n\x04".as_slice(), public].concat());
    assert!(digest.to_string().starts_with(&witness.key().id().to_string()));
    let key = witness.key().to_string();
    assert_eq!(&key.parse::<VerifierKey>().unwrap(), witness.key());
    let material = STANDARD.decode(key.rsplit_once('+').unwrap().1).unwrap();
    assert_eq!(material, [b"\x04".as_slice(), public].concat());
    let as_log = signer("witness.example/w1", Algorithm::Ed25519, 9);
    assert_ne!(as_log.key().id(), witness.key().id());
}

#[test]
fn tlog_cosignature_a_changed_time_or_text_is_refused() {
    let witness = cosigner("witness.example/w1", 9);
    let text = checkpoint().to_string();
    let signature = witness.cosign(&text, Time::from_ms(1_679_315_147_000).unwrap()).unwrap();
    let line = signature.to_string();
    let bytes = STANDARD.decode(line.rsplit_once(' ').unwrap().1).unwrap();
    let changed = |at: usize, to: u8| -> Signature {
        let mut bytes = bytes.clone();
        *bytes.get_mut(at).unwrap() = to;
        format!("— witness.example/w1 {}", STANDARD.encode(bytes)).parse().unwrap()
    };
    for at in 5..bytes.len() {
        let other = changed(at, bytes.get(at).unwrap() ^ 1);
        assert!(witness.key().verify(&text, &other).is_err(), "byte {at}");
    }
    // A time above 2⁶³ − 1 is none.
    let beyond = changed(4, 0x80);
    assert!(matches!(timestamp_s(&beyond), Err(Error::Timestamp)));
    assert!(matches!(witness.key().verify(&text, &beyond), Err(Error::Timestamp)));
    let fault = witness.key().verify("no checkpoint\n", &signature);
    assert!(matches!(fault, Err(Error::Checkpoint)));
    let short: Signature = "— witness.example/w1 AAAAAAAAAAA=".parse().unwrap();
    assert!(matches!(timestamp_s(&short), Err(Error::Timestamp)));
}

#[test]
fn tlog_cosignature_a_witness_states_a_time_and_signs_checkpoints_only() {
    let witness = cosigner("witness.example/w1", 9);
    let text = checkpoint().to_string();
    assert!(matches!(witness.cosign(&text, Time::MIN), Err(Error::Timestamp)));
    let first = Time::from_ms(1000).unwrap();
    assert_eq!(timestamp_s(&witness.cosign(&text, first).unwrap()).unwrap(), 1);
    assert!(matches!(witness.cosign("text\n", first), Err(Error::Checkpoint)));
    let quantum = private(Algorithm::MlDsa87, 1);
    let name = KeyName::new("witness.example/w1").unwrap();
    assert!(matches!(Cosigner::new(name, quantum), Err(Error::SignatureType(_))));
}

/// The other library's private key for one of ours.
fn their_signer(name: &str, number: u8) -> StandardSigner {
    let key = signer(name, Algorithm::Ed25519, number).key().id();
    let seed = STANDARD.encode([&[1], [number; 32].as_slice()].concat());
    StandardSigner::new(&format!("PRIVATE+KEY+{name}+{key}+{seed}")).unwrap()
}

fn any_text() -> impl Strategy<Value = String> {
    prop::collection::vec("[^\\x00-\\x1f]{0,20}", 1..6).prop_map(|lines| lines.join("\n") + "\n")
}

/// What is put into notes, to be refused or read alike.
const CUT: &str = "[\\x00-\\x20— =+A\n]{0,3}";

fn any_root() -> impl Strategy<Value = String> {
    let encoded = any::<[u8; 32]>().prop_map(|root| STANDARD.encode(root));
    prop_oneof![encoded, "[A-Za-z0-9+/=]{43,45}"]
}

proptest! {
    #[test]
    fn what_we_sign_others_verify_and_the_reverse(
        text in any_text(),
        name in "[^\\x00-\\x20\\s+]{1,20}",
        number: u8,
    ) {
        let ours = signer(&name, Algorithm::Ed25519, number);
        let note = Note::sign(&text, from_ref(&ours)).unwrap();
        let key = ours.key().to_string();
        prop_assert_eq!(theirs(&note.to_string(), &[&key]).unwrap(), 1);
        let verifier = StandardVerifier::new(&key).unwrap();
        prop_assert_eq!(verifier.key_id().to_be_bytes(), ours.key().id().0);

        let mut other = signed_note::Note::new(text.as_bytes(), &[]).unwrap();
        other.add_sigs(&[&their_signer(&name, number)]).unwrap();
        prop_assert_eq!(other.to_bytes(), note.to_string().into_bytes());
        let read = Note::parse(&other.to_bytes()).unwrap();
        let known = keys_of(&[&ours]);
        prop_assert_eq!(read.open(&known, Require::Any).unwrap().text, text);
    }

    #[test]
    fn a_changed_note_is_refused(
        text in any_text(),
        at in any::<prop::sample::Index>(),
        to in any::<u8>(),
    ) {
        let ours = signer("a.example", Algorithm::Ed25519, 1);
        let note = Note::sign(&text, from_ref(&ours)).unwrap().to_string().into_bytes();
        let mut changed = note.clone();
        let place = at.index(changed.len());
        prop_assume!(changed[place] != to);
        changed[place] = to;
        if let Ok(read) = Note::parse(&changed) {
            let known = keys_of(&[&ours]);
            prop_assert!(read.open(&known, Require::Any).is_err());
            prop_assert_eq!(read.to_string().into_bytes(), changed);
        }
    }

    #[test]
    fn we_read_a_note_exactly_when_others_do(
        text in any_text(),
        cuts in prop::collection::vec((any::<prop::sample::Index>(), CUT), 0..4),
    ) {
        let ours = signer("a.example", Algorithm::Ed25519, 1);
        let mut note = Note::sign(&text, &[ours]).unwrap().to_string();
        for (at, put) in cuts {
            let mut place = at.index(note.len() + 1);
            while !note.is_char_boundary(place) {
                place -= 1;
            }
            note.insert_str(place, &put);
        }
        let read = Note::parse(note.as_bytes());
        let other = signed_note::Note::from_bytes(note.as_bytes());
        prop_assert_eq!(read.is_ok(), other.is_ok(), "{:?}", note);
        if let (Ok(read), Ok(other)) = (read, other) {
            prop_assert_eq!(read.unverified_text().as_bytes(), other.text());
            prop_assert_eq!(read.to_string().into_bytes(), other.to_bytes());
        }
    }

    #[test]
    fn we_read_a_checkpoint_exactly_when_others_do(
        origin in "[^\\x00-\\x1f]{0,12}",
        size in prop_oneof!["[0-9]{0,21}", any::<u64>().prop_map(|size| size.to_string())],
        root in any_root(),
        rest in "[a-z\n]{0,6}",
    ) {
        let text = format!("{origin}\n{size}\n{root}\n{rest}");
        let ours = Checkpoint::parse(&text);
        let theirs = tlog_tiles::Checkpoint::from_bytes(text.as_bytes());
        prop_assert_eq!(ours.is_ok(), theirs.is_ok(), "{:?}", text);
        if let (Ok(ours), Ok(theirs)) = (ours, theirs) {
            prop_assert_eq!(ours.to_string().into_bytes(), theirs.to_bytes());
            prop_assert_eq!(ours.to_string(), text);
        }
    }

    #[test]
    fn a_checkpoint_is_read_back_as_it_was_written(
        origin in "[^\\x00-\\x1f]{1,30}",
        size: u64,
        root: [u8; 32],
    ) {
        let head = Head { size, root: Digest(root) };
        let checkpoint = Checkpoint::new(Origin::new(&origin).unwrap(), head);
        prop_assert_eq!(Checkpoint::parse(&checkpoint.to_string()).unwrap(), checkpoint);
    }

    #[test]
    fn no_bytes_make_the_parsers_of_notes_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..400),
    ) {
        drop(Note::parse(&bytes));
        let text = String::from_utf8_lossy(&bytes);
        drop(Checkpoint::parse(&text));
        drop(Signature::parse_lines(&text));
        drop(text.parse::<VerifierKey>());
        drop(text.parse::<Signature>());
    }

    #[test]
    fn a_verifier_key_is_read_back_as_it_was_written(
        name in "[^\\x00-\\x20\\s+]{1,20}",
        public: [u8; 32],
        cosigns: bool,
    ) {
        let kind = if cosigns { SignatureType::Cosignature } else { SignatureType::Ed25519 };
        let key = VerifierKey::new(KeyName::new(&name).unwrap(), kind, &public).unwrap();
        prop_assert_eq!(key.to_string().parse::<VerifierKey>().unwrap(), key);
        prop_assert!(VerifierKey::new(KeyName::new(&name).unwrap(), kind, &public[1..]).is_err());
    }
}
