//! Assertions of passkeys: published vectors, and one refusal for each step.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test stops where the vectors are not as they say"
)]

use base::crypto::{Algorithm, Digest, Secret, SeedKey, Sign, sha256};
use base::{LedgerId, RecordId};
use ledger::act_signature::{ActSignature, Subject, Target, text_digest};
use ledger::assertion::{
    Assertion, Error, Expected, PublicKey, RelyingParty, Verification, challenge_of, check_count,
    register, verify,
};
use ledger::authenticator::{Authenticator, client_data};

/// W3C Web Authentication Level 3 §16.2, ES256 credential with no attestation.
mod w3c {
    pub const CREDENTIAL: &str = "f91f391db4c9b2fde0ea70189cba3fb63f579ba6122b33ad94ff3ec330084be4";
    pub const REGISTRATION_CHALLENGE: &str =
        "00c30fb78531c464d2b6771dab8d7b603c01162f2fa486bea70f283ae556e130";
    pub const REGISTRATION_CLIENT_DATA: &str = "7b2274797065223a22776562617574686e2e637265617465222\
c226368616c6c656e6765223a22414d4d507434557878475453746e63647134313759447742466938767049612d7077386f\
4f755657345441222c226f726967696e223a2268747470733a2f2f6578616d706c652e6f7267222c2263726f73734f72696\
7696e223a66616c73652c22657874726144617461223a22636c69656e74446174614a534f4e206d61792062652065787465\
6e6465642077697468206164646974696f6e616c206669656c647320696e20746865206675747572652c207375636820617\
320746869733a20426b5165446a646354427258426941774a544c453551227d";
    pub const ATTESTATION: &str = "a363666d74646e6f6e656761747453746d74a068617574684461746158a4bf\
abc\
37432958b063360d3ad6461c9c4735ae7f8edd46592a5e0f01452b2e4b559000000008446ccb9ab1db374750b2367ff6f3a\
1f0020f91f391db4c9b2fde0ea70189cba3fb63f579ba6122b33ad94ff3ec330084be4a5010203262001215820afefa16f9\
7ca9b2d23eb86ccb64098d20db90856062eb249c33a9b672f26df61225820930a56b87a2fca66334b03458abf879717c12c\
c68ed73290af2e2664796b9220";
    pub const KEY: &str = "a5010203262001215820afefa16f97ca9b2d23eb86ccb64098d20db90856062eb249c3\
3a9\
b672f26df61225820930a56b87a2fca66334b03458abf879717c12cc68ed73290af2e2664796b9220";
    pub const CHALLENGE: &str = "39c0e7521417ba54d43e8dc95174f423dee9bf3cd804ff6d65c857c9abf4d408";
    pub const AUTHENTICATOR_DATA: &str =
        "bfabc37432958b063360d3ad6461c9c4735ae7f8edd46592a5e0f01452b2e4b51900000000";
    pub const CLIENT_DATA: &str = "7b2274797065223a22776562617574686e2e676574222c226368616c6c656e\
676\
5223a224f63446e55685158756c5455506f334a5558543049393770767a7a59425039745a63685879617630314167222c22\
6f726967696e223a2268747470733a2f2f6578616d706c652e6f7267222c2263726f73734f726967696e223a66616c73657\
d";
    pub const SIGNATURE: &str = "3046022100f50a4e2e4409249c4a853ba361282f09841df4dd4547a13a877802\
18d\
effcd380221008480ac0f0b93538174f575bf11a1dd5d78c6e486013f937295ea13653e331e87";
}

fn bytes(hex: &str) -> Vec<u8> {
    assert!(hex.len().is_multiple_of(2), "pairs of digits");
    let digit = |c: u8| (c as char).to_digit(16).expect("hexadecimal");
    let byte = |pair: &[u8]| u8::try_from(digit(pair[0]) * 16 + digit(pair[1])).expect("a byte");
    hex.as_bytes().chunks(2).map(byte).collect()
}

fn challenge(hex: &str) -> [u8; 32] {
    bytes(hex).try_into().expect("32 bytes")
}

fn party(id: &str) -> RelyingParty {
    RelyingParty { id: id.to_owned() }
}

fn vector() -> (PublicKey, Assertion) {
    let key = PublicKey::from_cose(&bytes(w3c::KEY)).expect("a key").0;
    let assertion = Assertion {
        authenticator_data: bytes(w3c::AUTHENTICATOR_DATA),
        client_data: bytes(w3c::CLIENT_DATA),
        signature: bytes(w3c::SIGNATURE),
    };
    (key, assertion)
}

#[test]
fn webauthn_16_2_an_es256_credential_registers_and_asserts() {
    let (party, verification) = (party("example.org"), Verification::Discouraged);
    let asked = challenge(w3c::REGISTRATION_CHALLENGE);
    let expected = Expected { party: &party, challenge: &asked, verification };
    let (client, attestation) = (bytes(w3c::REGISTRATION_CLIENT_DATA), bytes(w3c::ATTESTATION));
    let registered = register(&client, &attestation, &expected).expect("registered");
    assert_eq!(registered.credential, bytes(w3c::CREDENTIAL));
    assert_eq!(registered.key.to_cose(), bytes(w3c::KEY), "the key in its canonical form");
    let asked = challenge(w3c::CHALLENGE);
    let expected = Expected { party: &party, challenge: &asked, verification };
    let (key, assertion) = vector();
    let verified = verify(&key, &assertion, &expected).expect("verified");
    assert_eq!(
        (verified.count, verified.user_verified, verified.backup_eligible),
        (0, false, true)
    );
    assert_eq!(challenge_of(&assertion.client_data), Ok(asked));
    let strict = Expected { verification: Verification::Required, ..expected };
    assert_eq!(verify(&key, &assertion, &strict), Err(Error::UserVerification));
}

#[test]
fn every_changed_byte_of_a_published_assertion_is_refused() {
    let (party, asked) = (party("example.org"), challenge(w3c::CHALLENGE));
    let expected =
        Expected { party: &party, challenge: &asked, verification: Verification::Discouraged };
    let (key, whole) = vector();
    for i in 0..whole.authenticator_data.len() {
        let mut changed = whole.clone();
        changed.authenticator_data[i] ^= 1;
        assert!(verify(&key, &changed, &expected).is_err(), "authenticator data, byte {i}");
    }
    for i in 0..whole.client_data.len() {
        let mut changed = whole.clone();
        changed.client_data[i] ^= 1;
        assert!(verify(&key, &changed, &expected).is_err(), "client data, byte {i}");
    }
    for i in 0..whole.signature.len() {
        let mut changed = whole.clone();
        changed.signature[i] ^= 1;
        assert!(verify(&key, &changed, &expected).is_err(), "signature, byte {i}");
    }
}

#[test]
fn rfc_8032_7_1_test_1_and_an_eddsa_assertion() {
    // RFC 8032 §7.1 TEST 1: the empty message.
    let seed = challenge("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60");
    let key = SeedKey::from_seed(Algorithm::Ed25519, &Secret::new(seed)).expect("a key");
    let public = bytes("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
    assert_eq!(key.public_key(), public);
    let signed = bytes(
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e3970\
1cf9\
b46bd25bf5f0595bbe24655141438e7a100b",
    );
    assert_eq!(key.sign(b"").expect("signed"), signed);
    let cose = PublicKey::EdDsa(public.try_into().expect("32 bytes"));
    assert_eq!(PublicKey::from_cose(&cose.to_cose()), Ok((cose.clone(), cose.to_cose().len())));
    let party = party("localhost");
    let client = client_data("webauthn.get", &[3; 32], "http://localhost:8080");
    let data = [sha256(b"localhost").0.as_slice(), &[5], &7u32.to_be_bytes()].concat();
    let message = [data.as_slice(), &sha256(&client).0].concat();
    let signature = key.sign(&message).expect("signed");
    let mut assertion = Assertion { authenticator_data: data, client_data: client, signature };
    let expected =
        Expected { party: &party, challenge: &[3; 32], verification: Verification::Required };
    assert_eq!(verify(&cose, &assertion, &expected).expect("verified").count, 7);
    assertion.signature[0] ^= 1;
    assert!(matches!(verify(&cose, &assertion, &expected), Err(Error::Signature(_))));
}

const ORIGIN: &str = "https://centre.example";

fn own() -> Authenticator {
    Authenticator::from_seed(&Secret::new([5; 32]), "centre.example").expect("an authenticator")
}

/// What the verifier says of one assertion of our own authenticator.
fn says(assertion: &Assertion) -> Result<(), Error> {
    let party = party("centre.example");
    let expected =
        Expected { party: &party, challenge: &[9; 32], verification: Verification::Required };
    verify(&own().public_key(), assertion, &expected).map(drop)
}

fn with(client: &[u8], flags: u8) -> Result<(), Error> {
    says(&own().assert_with(client, flags, 0).expect("signed"))
}

#[test]
fn webauthn_7_2_each_step_refuses() {
    let good = client_data("webauthn.get", &[9; 32], ORIGIN);
    assert_eq!(with(&good, 5), Ok(()), "present and verified");
    assert_eq!(with(&client_data("webauthn.create", &[9; 32], ORIGIN), 5), Err(Error::Ceremony));
    assert_eq!(with(&client_data("webauthn.get", &[8; 32], ORIGIN), 5), Err(Error::Challenge));
    assert_eq!(with(&good, 4), Err(Error::UserPresence));
    assert_eq!(with(&good, 1), Err(Error::UserVerification));
    assert_eq!(with(&good, 0b1_0101), Err(Error::Backup), "backed up, and cannot be");
    assert_eq!(with(&good, 0b1_1101), Ok(()), "backed up, and can be");
    assert_eq!(with(b"{", 5), Err(Error::ClientData));
    assert_eq!(with(&good, 0b1000_0101), Err(Error::AuthenticatorData), "no extension follows");
    assert_eq!(with(&good, 0b0100_0101), Err(Error::AuthenticatorData), "no credential follows");
    let framed = String::from_utf8(good.clone()).expect("text").replace("false", "true");
    assert_eq!(with(framed.as_bytes(), 5), Err(Error::CrossOrigin));
    let top = framed.replace("\"crossOrigin\":true", "\"topOrigin\":\"https://other.example\"");
    assert_eq!(with(top.as_bytes(), 5), Err(Error::CrossOrigin));
    let long = vec![b' '; ledger::assertion::CLIENT_DATA_BYTES + 1];
    assert_eq!(with(&long, 5), Err(Error::ClientData));
    let other = Authenticator::from_seed(&Secret::new([5; 32]), "other.example").expect("one");
    assert_eq!(says(&other.assert_with(&good, 5, 0).expect("signed")), Err(Error::RelyingParty));
    let other = Authenticator::from_seed(&Secret::new([6; 32]), "centre.example").expect("one");
    let forged = other.assert_with(&good, 5, 0).expect("signed");
    assert!(matches!(says(&forged), Err(Error::Signature(_))), "another person's key");
}

#[test]
fn webauthn_7_2_step_12_origins_of_others_are_refused() {
    for (origin, ours) in [
        (ORIGIN, true),
        ("https://centre.example:8443", true),
        ("http://centre.example", false),
        ("https://centre.example.evil.example", false),
        ("https://evil.example", false),
        ("https://sub.centre.example", false),
        ("https://centre.example:8443.evil.example", false),
        ("https://centre.example@evil.example", false),
        ("https://centre.example/", false),
        ("null", false),
        ("", false),
    ] {
        let outcome = with(&client_data("webauthn.get", &[9; 32], origin), 5);
        assert_eq!(outcome.is_ok(), ours, "{origin}");
    }
    assert!(party("localhost").is_origin("http://localhost:8080"), "browsers hold it secure");
    assert!(!party("localhost").is_origin("http://127.0.0.1:8080"));
}

#[test]
fn webauthn_7_2_step_22_a_counter_grows() {
    assert_eq!(check_count(0, 0), Ok(()), "it does not count");
    assert_eq!(check_count(0, 1), Ok(()));
    assert_eq!(check_count(5, 6), Ok(()));
    for (last, now) in [(5, 5), (5, 4), (5, 0), (u32::MAX, u32::MAX)] {
        assert_eq!(check_count(last, now), Err(Error::Counter), "{last} then {now}");
    }
}

#[test]
fn webauthn_7_1_a_registration_is_bound_to_challenge_origin_and_party() {
    let (client, attestation) = own().register(&[9; 32], ORIGIN);
    let ask = |id: &str, challenge: &[u8; 32], client: &[u8], attestation: &[u8]| {
        let party = party(id);
        let expected = Expected { party: &party, challenge, verification: Verification::Required };
        register(client, attestation, &expected)
    };
    let registered = ask("centre.example", &[9; 32], &client, &attestation).expect("registered");
    assert_eq!(registered.credential, own().credential());
    assert_eq!(registered.key, own().public_key());
    let refused = |id, challenge, client: &[u8], attestation: &[u8]| {
        ask(id, challenge, client, attestation).expect_err("refused")
    };
    assert_eq!(refused("centre.example", &[8; 32], &client, &attestation), Error::Challenge);
    assert_eq!(refused("other.example", &[9; 32], &client, &attestation), Error::Origin);
    let (elsewhere, _) = own().register(&[9; 32], "https://other.example");
    assert_eq!(
        refused("other.example", &[9; 32], &elsewhere, &attestation),
        Error::RelyingParty,
        "the authenticator knows better than the page"
    );
    let sign_in = client_data("webauthn.get", &[9; 32], ORIGIN);
    assert_eq!(refused("centre.example", &[9; 32], &sign_in, &attestation), Error::Ceremony);
    for end in 0..attestation.len() {
        let cut = &attestation[..end];
        assert!(ask("centre.example", &[9; 32], &client, cut).is_err(), "cut at {end}");
    }
}

#[test]
fn keys_of_other_algorithms_curves_and_forms_are_refused() {
    let good = bytes(w3c::KEY);
    for (place, value, what) in
        [(2, 3, "another type of key"), (4, 0x38, "another algorithm"), (6, 2, "another curve")]
    {
        let mut changed = good.clone();
        changed[place] = value;
        assert_eq!(PublicKey::from_cose(&changed), Err(Error::Key), "{what}");
    }
    assert_eq!(PublicKey::from_cose(&good[..40]), Err(Error::Key));
    assert_eq!(PublicKey::from_cose(&[]), Err(Error::Key));
}

fn signed() -> (ActSignature, LedgerId, Digest) {
    let (ledger, command) = (LedgerId([1; 16]), Digest([2; 32]));
    let subject = Subject {
        targets: vec![Target { record: RecordId([3; 16]), state: Digest([4; 32]) }],
        text: text_digest("key", "the text"),
        nonce: [5; 32],
    };
    let challenge = subject.challenge(ledger, command);
    let assertion = own().assert(&challenge, ORIGIN).expect("signed");
    let credential = own().credential().to_vec();
    (ActSignature { credential, assertion, subject }, ledger, command)
}

#[test]
fn a_signature_of_an_act_covers_ledger_command_targets_text_and_nonce() {
    let (whole, ledger, command) = signed();
    let key = own().public_key();
    let party = party("centre.example");
    let says = |signature: &ActSignature, ledger, command| {
        signature.verify(&key, &party, (ledger, command)).map(drop)
    };
    assert_eq!(says(&whole, ledger, command), Ok(()));
    let other = Err(Error::Challenge);
    assert_eq!(says(&whole, LedgerId([7; 16]), command), other, "another ledger");
    assert_eq!(says(&whole, ledger, Digest([7; 32])), other, "another command");
    let changed = |change: fn(&mut Subject)| {
        let mut signature = whole.clone();
        change(&mut signature.subject);
        says(&signature, ledger, command)
    };
    assert_eq!(changed(|s| s.targets[0].state.0[0] ^= 1), other, "another state of the target");
    assert_eq!(changed(|s| s.targets[0].record.0[0] ^= 1), other, "another target");
    assert_eq!(changed(|s| s.targets.clear()), other, "no target");
    assert_eq!(changed(|s| s.text = text_digest("key", "other")), other, "another text");
    assert_eq!(changed(|s| s.nonce[0] ^= 1), other, "another nonce");
    assert_ne!(text_digest("key", "text"), text_digest("other", "text"), "no guess is confirmed");
}

#[test]
fn a_signature_of_an_act_has_one_form() {
    let (whole, _, _) = signed();
    let written = whole.to_bytes();
    assert_eq!(ActSignature::from_bytes(&written), Some(whole));
    for end in 0..written.len() {
        assert_eq!(ActSignature::from_bytes(&written[..end]), None, "cut at {end}");
    }
    let longer = [written.as_slice(), &[0]].concat();
    assert_eq!(ActSignature::from_bytes(&longer), None, "with something behind it");
}
