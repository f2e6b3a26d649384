//! What the words of `base` promise.
#![expect(clippy::expect_used, reason = "a test stops where the world is not as it says")]

use base::crypto::{Algorithm, Entropy, Hasher, Secret, SeedKey, Sign, sha256, sha256_concat};
use base::{
    AgencyId, Ids, Label, Lat, Level, Line, Lon, Marking, NonEmpty, Play, Releasable, SchemeId,
    Text, Time, Token, limit,
};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

fn token(text: &str) -> Token {
    Token::new(text).expect("a token")
}

fn label(compartments: &[&str]) -> Label {
    let marking = Marking {
        level: Level(3),
        compartments: compartments.iter().map(|c| token(c)).collect(),
        releasable_to: Releasable::Only(BTreeSet::from([token("FRA")])),
        caveats: BTreeSet::new(),
    };
    Label::simple(SchemeId(token("NATO")), marking, AgencyId([7; 16]), Play::Live)
}

#[test]
fn a_date_time_group_is_read_and_written() {
    let at: Time = "2026-11-22T19:30:45.123Z".parse().expect("a time");
    assert_eq!(at.dtg(), "221930ZNOV26");
    assert_eq!(
        Time::from_dtg("221930ZNOV26").expect("a group").to_string(),
        "2026-11-22T19:30:00.000Z"
    );
    assert_eq!(
        Time::from_dtg("222030aNov26"),
        Time::from_dtg("221930ZNOV26"),
        "A is one hour east"
    );
    assert_eq!(
        Time::from_dtg("221430RNOV26"),
        Time::from_dtg("221930ZNOV26"),
        "R is five hours west"
    );
}

#[test]
fn a_wrong_date_time_group_is_refused() {
    for wrong in [
        "",
        "221930",
        "321930ZNOV26",
        "222530ZNOV26",
        "221930JNOV26",
        "221930ZNOX26",
        "221930ZNOV2",
        "221930ZNOV266",
        "22193éZNOV26",
    ] {
        assert!(Time::from_dtg(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn a_time_outside_four_digit_years_is_refused() {
    assert!(Time::from_ms(-1).is_err());
    assert!(Time::from_ms(Time::MAX.ms()).is_ok());
    assert!(Time::from_ms(Time::MAX.ms() + 1).is_err());
    assert_eq!(Time::MAX.plus_s(1), Time::MAX);
}

#[test]
fn ids_of_one_seed_repeat_and_differ_from_each_other() {
    let draw = |seed: u8| {
        let mut ids = Ids::new(Secret::new([seed; 32]));
        (AgencyId::draw(&mut ids), AgencyId::draw(&mut ids))
    };
    let (first, second) = draw(1);
    assert_eq!(draw(1), (first, second));
    assert_ne!(first, second);
    assert_ne!(draw(2).0, first);
    assert_eq!(first.to_string().parse::<AgencyId>().expect("an id"), first);
}

#[test]
fn an_id_has_one_spelling() {
    let id = AgencyId([0xab; 16]).to_string();
    assert!(id.to_uppercase().parse::<AgencyId>().is_err());
    assert!(id.replace('-', "").parse::<AgencyId>().is_err());
    assert!(format!("{{{id}}}").parse::<AgencyId>().is_err());
}

#[test]
fn text_is_bounded_and_has_no_hidden_characters() {
    assert!(Line::<4>::new("four").is_ok());
    assert!(Line::<4>::new("fives").is_err());
    assert!(Line::<40>::new("two\nlines").is_err());
    assert!(Text::<40>::new("two\nlines").is_ok());
    assert!(Text::<40>::new("bell\u{7}").is_err());
    assert!(Line::<40>::new("right\u{202E}left").is_err(), "an override of direction");
    assert!(Line::<40>::new("   ").is_err());
    assert!(Token::new("REL TO").is_ok());
    for wrong in ["", " A", "secret", "É", "A\n"] {
        assert!(Token::new(wrong).is_err(), "{wrong:?}");
    }
}

#[test]
fn an_empty_list_is_not_a_non_empty_list() {
    assert!(NonEmpty::<u8>::new(Vec::new()).is_err());
    assert!(serde_json::from_str::<NonEmpty<u8>>("[]").is_err());
    assert_eq!(serde_json::from_str::<NonEmpty<u8>>("[1]").expect("a list").as_slice(), &[1]);
}

#[test]
fn a_position_off_the_earth_is_refused() {
    assert!(Lat::new(90.0).is_ok() && Lat::new(90.001).is_err() && Lat::new(f64::NAN).is_err());
    assert!(Lon::new(-180.0).is_ok() && Lon::new(180.1).is_err());
}

#[test]
fn nobody_and_everybody_are_different_labels() {
    let with = |releasable_to| {
        let marking = Marking { releasable_to, ..Marking::default() };
        Label::simple(SchemeId(token("NATO")), marking, AgencyId([1; 16]), Play::Live)
    };
    let everybody = with(Releasable::Unrestricted);
    let nobody = with(Releasable::Only(BTreeSet::new()));
    assert_ne!(everybody.digest(), nobody.digest());
    assert_eq!(Label::from_bytes(&nobody.to_bytes()).expect("a label"), nobody);
}

#[test]
fn a_label_without_marking_or_originator_cannot_be_made() {
    let markings = label(&[]).markings().clone();
    assert!(Label::new(BTreeMap::new(), BTreeSet::from([AgencyId([1; 16])]), Play::Live).is_err());
    assert!(Label::new(markings, BTreeSet::new(), Play::Live).is_err());
    assert!(serde_json::from_str::<Label>(r#"{"markings":{},"originators":[]}"#).is_err());
}

#[test]
fn a_label_holds_its_limits() {
    let codes = |n: usize| (0..n).map(|i| token(&format!("C{i}"))).collect::<BTreeSet<_>>();
    let with = |n| {
        let marking = Marking { compartments: codes(n), ..Marking::default() };
        Label::new(
            BTreeMap::from([(SchemeId(token("NATO")), marking)]),
            BTreeSet::from([AgencyId([1; 16])]),
            Play::Live,
        )
    };
    assert!(with(limit::CODES_PER_SET).is_ok());
    assert!(with(limit::CODES_PER_SET + 1).is_err());
}

#[test]
fn label_bytes_have_one_spelling() {
    let bytes = label(&["A", "B"]).to_bytes();
    assert_eq!(Label::from_bytes(&bytes).expect("a label").to_bytes(), bytes);
    let mut longer = bytes.clone();
    longer.push(0);
    assert!(Label::from_bytes(&longer).is_err());
    // The same label with its compartments in the other order.
    let at = bytes.windows(2).position(|w| w == b"\x61A").expect("the first compartment");
    let mut swapped = bytes.clone();
    swapped[at + 1] = b'B';
    swapped[at + 3] = b'A';
    assert!(Label::from_bytes(&swapped).is_err());
}

#[test]
fn hash_parts_cannot_be_moved_between_each_other() {
    let two = Hasher::new("test").part(b"ab").part(b"c").finish();
    assert_ne!(two, Hasher::new("test").part(b"a").part(b"bc").finish());
    assert_ne!(two, Hasher::new("tes").part(b"ab").part(b"c").finish());
    assert_eq!(sha256(b"abc"), sha256_concat(&[b"a", b"bc"]));
    assert_eq!(
        sha256(b"abc").to_string(),
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        "FIPS 180-4 example"
    );
}

#[test]
fn a_changed_ciphertext_does_not_open() {
    let key = Secret::new([1; 32]);
    let sealed = key.seal([0; 12], b"aad", b"plain").expect("sealed");
    assert_eq!(key.open([0; 12], b"aad", &sealed).expect("opened"), b"plain");
    for i in 0..sealed.len() {
        let mut changed = sealed.clone();
        changed[i] ^= 1;
        assert!(key.open([0; 12], b"aad", &changed).is_err());
    }
    assert!(key.open([0; 12], b"other", &sealed).is_err());
    assert!(Secret::new([2; 32]).open([0; 12], b"aad", &sealed).is_err());
}

#[test]
fn hkdf_follows_rfc_5869() {
    // RFC 5869 lists no 32-byte key, so the expected bytes were computed with Python's `hmac`.
    let derived = Secret::new([0x0b; 32]).derive(&[0, 1, 2, 3], "muster/test").expect("derived");
    let expected = "93e06e073388f4a0bec42bb5e4da233f8e00bad3a1c42605e9aab8a22bf299f3";
    assert_eq!(hex::encode(derived.expose()), expected);
}

#[test]
fn both_signature_algorithms_sign_and_refuse() {
    for algorithm in [Algorithm::Ed25519, Algorithm::MlDsa87] {
        let key = SeedKey::from_seed(algorithm, &Secret::new([3; 32])).expect("a key");
        let signature = key.sign(b"message").expect("signed");
        algorithm.verify(key.public_key(), b"message", &signature).expect("verified");
        assert!(algorithm.verify(key.public_key(), b"messagf", &signature).is_err());
        let again = SeedKey::from_seed(algorithm, &Secret::new([3; 32])).expect("a key");
        assert_eq!(key.public_key(), again.public_key());
    }
}

#[test]
fn a_secret_is_never_printed() {
    assert_eq!(format!("{:?}", Secret::new([9; 32])), "Secret(..)");
}

#[test]
fn entropy_stays_below_its_bound() {
    let mut entropy = Entropy::new(Secret::new([4; 32]));
    let drawn: BTreeSet<u32> = (0..200).map(|_| entropy.below(7)).collect();
    assert_eq!(drawn, (0..7).collect());
}

proptest! {
    #[test]
    fn times_survive_their_text(ms in 0i64..=253_402_300_799_999) {
        let at = Time::from_ms(ms).expect("in range");
        prop_assert_eq!(at.to_string().parse::<Time>().expect("a time"), at);
        prop_assert_eq!(at.dtg().len(), 12);
    }

    #[test]
    fn label_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(label) = Label::from_bytes(&bytes) {
            prop_assert_eq!(label.to_bytes(), bytes);
        }
    }
}
