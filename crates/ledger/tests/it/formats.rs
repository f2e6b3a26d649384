//! What the frozen formats of an entry promise: leaf, header sections, portions, commitments.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test stops where something is not as it expects"
)]

mod a_peer;
mod another_spelling;
mod changed_byte;
#[path = "entry_form.rs"]
mod entry_form;
mod limits;
mod property;
mod vectors;
mod what_belongs_elsewhere;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use base::crypto::{Entropy, Secret};
use base::{
    AgencyId, AuthorityId, CircleId, ClauseId, DeviceId, Digest, EntryId, ExerciseId, Label,
    LedgerId, Level, Marking, PersonId, Play, RecordId, Releasable, SchemeId, SeatId, ServiceId,
    SessionId, Time, Token, limit,
};
use entry_form::{Inputs, Vectors, compute};
use ledger::format::{FormatError, Suite};
use ledger::header::{
    Actor, Authentication, ClauseRef, Header, HeaderBytes, Imported, Local, Purpose, Shared, Slot,
    local_commitment, local_salt, open_shared, shared_salt,
};
use ledger::leaf::{Class, LEAF_BYTES, Leaf, signature_digest, signature_salt};
use ledger::portion::{
    CompartmentKeys, Draft, HEADER_SLOT, Opened, Portion, Position, SealedEntry, commitment,
    commitment_salt, open_commitments, open_committed, open_header, open_portion, open_signature,
    part_commitments, payload_commitment, seal,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

/// Keys that derive from one root, as a node's do.
struct Keys(Secret);

impl CompartmentKeys for Keys {
    fn portion_key(&self, label: &Label) -> Result<Secret, base::crypto::Error> {
        self.0.derive(&label.digest().0, "test/compartment")
    }

    fn header_key(&self) -> Result<Secret, base::crypto::Error> {
        self.0.derive(b"", "test/header")
    }
}

fn keys() -> Keys {
    Keys(Secret::new([1; 32]))
}

fn at(ms: i64) -> Time {
    Time::from_ms(ms).expect("a time")
}

fn label(level: u8) -> Label {
    let marking = Marking { level: Level(level), ..Marking::default() };
    let scheme = SchemeId(Token::new("NATO").expect("a token"));
    Label::simple(scheme, marking, AgencyId([7; 16]), Play::Live)
}

fn portion(level: u8, body: &str) -> Portion {
    Portion {
        label: label(level),
        circle: None,
        media: "text/plain".to_owned(),
        body: body.as_bytes().to_vec(),
    }
}

fn portions(count: usize) -> Vec<Portion> {
    (0..count).map(|n| portion(1, &n.to_string())).collect()
}

/// A header without its optional fields.
fn small_header() -> Header {
    let shared = Shared {
        suite: Suite::ONE,
        ledger: LedgerId([20; 16]),
        entry: EntryId([21; 16]),
        kind: "alert.raised/1".to_owned(),
        record: RecordId([22; 16]),
        actor: Actor::System,
        agency: AgencyId([23; 16]),
        on_behalf_of: None,
        play: Play::Live,
        acted_at: at(1_000),
        valid_at: None,
        imported: None,
    };
    let local = Local {
        seat: None,
        device: None,
        cause: None,
        purpose: Purpose::Emergency,
        authority: None,
        basis: None,
        version: 1,
        idempotency: Digest([40; 32]),
        command: Digest([41; 32]),
        policy_epoch: 2,
        policy: Digest([42; 32]),
        profile: Digest([43; 32]),
        clauses: Vec::new(),
        authentication: None,
        base: label(0).digest(),
        circle: None,
        slots: Vec::new(),
    };
    Header { shared, local }
}

/// A header with every field.
fn full_header() -> Header {
    let Header { shared, local } = small_header();
    let shared = Shared {
        actor: Actor::Person(PersonId([24; 16])),
        on_behalf_of: Some(PersonId([25; 16])),
        play: Play::Exercise(ExerciseId([26; 16])),
        valid_at: Some(at(900)),
        imported: Some(Imported {
            ledger: LedgerId([27; 16]),
            entry: EntryId([28; 16]),
            leaf: Digest([29; 32]),
        }),
        ..shared
    };
    let local = Local {
        seat: Some(SeatId([30; 16])),
        device: Some(DeviceId([31; 16])),
        cause: Some(EntryId([32; 16])),
        authority: Some(AuthorityId([33; 16])),
        basis: Some(RecordId([34; 16])),
        clauses: vec![
            ClauseRef { clause: ClauseId([35; 16]), version: 1 },
            ClauseRef { clause: ClauseId([36; 16]), version: 70_000 },
        ],
        authentication: Some(Authentication {
            session: SessionId([37; 16]),
            method: 1,
            verified_at: at(800),
        }),
        circle: Some(CircleId([38; 16])),
        slots: vec![
            Slot { slot: 6, label: label(2), circle: None },
            Slot { slot: 1, label: label(1), circle: Some(CircleId([39; 16])) },
            Slot { slot: 63, label: label(2), circle: None },
        ],
        ..local
    };
    Header { shared, local }
}

fn draft(header: Header, portions: Vec<Portion>) -> Draft {
    Draft { class: Class::Act, header, at: at(2_000), portions, signature: None }
}

fn sealed_with(seed: u8, draft: Draft) -> (SealedEntry, Header) {
    seal(draft, &keys(), &mut Entropy::new(Secret::new([seed; 32]))).expect("a sealed entry")
}

/// A signed entry of three portions under two labels, with every field of the header.
fn entry() -> (SealedEntry, Header) {
    let mut draft = draft(full_header(), vec![portion(2, "one"), portion(1, "two")]);
    draft.portions.push(Portion { circle: Some(CircleId([50; 16])), ..portion(2, "three") });
    draft.signature = Some(vec![9; 64]);
    sealed_with(2, draft)
}

fn secret(entry: &SealedEntry, slot: u8) -> Secret {
    let found = entry.secrets.iter().find(|secret| secret.slot == slot);
    found.expect("a secret").secret.clone()
}

fn leaf_of(entry: &SealedEntry) -> Leaf {
    Leaf::from_bytes(&entry.leaf).expect("a leaf")
}

fn sealed_portion(entry: &SealedEntry, slot: u8) -> &[u8] {
    let found = entry.portions.iter().find(|(of, _)| *of == slot);
    &found.expect("a portion").1
}

fn opened_header(entry: &SealedEntry, keys: &Keys) -> Result<Header, FormatError> {
    open_header(&leaf_of(entry), &entry.header, &secret(entry, HEADER_SLOT), keys)
}

/// Opens one portion with everything that belongs to it.
fn opened_portion(entry: &SealedEntry, header: &Header, slot: &Slot) -> Portion {
    let commitments = open_commitments(&leaf_of(entry), &entry.commitments).expect("commitments");
    let sealed = sealed_portion(entry, slot.slot);
    let committed = (commitments[usize::from(slot.slot)], &keys());
    open_portion(&header.shared, slot, sealed, &secret(entry, slot.slot), committed)
        .expect("a portion")
}

/// Each copy of `bytes` in which one bit of one byte is another.
fn flipped(bytes: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    (0..bytes.len() * 8).map(|bit| {
        let mut copy = bytes.to_vec();
        copy[bit / 8] ^= 1 << (bit % 8);
        copy
    })
}

mod round_trip {
    use super::*;

    #[test]
    fn a_leaf_reads_as_it_was_written() {
        for class in 0..=6 {
            let leaf = Leaf {
                suite: Suite::ONE,
                class: Class::from_number(class).expect("a class"),
                entry: EntryId([3; 16]),
                at: at(1_763_839_845_123),
                header: Digest([4; 32]),
                payload: Digest([5; 32]),
                signature: Digest([6; 32]),
            };
            assert_eq!(leaf.class.number(), class);
            assert_eq!(Leaf::from_bytes(&leaf.to_bytes()), Ok(leaf));
        }
    }

    #[test]
    fn a_header_reads_as_it_was_written() {
        for header in [small_header(), full_header()] {
            let bytes = header.to_bytes().expect("bytes");
            assert_eq!(Header::from_bytes(&bytes), Ok(header));
        }
    }

    #[test]
    fn each_kind_of_actor_reads_as_it_was_written() {
        let (person, service) = (PersonId([1; 16]), ServiceId([1; 16]));
        for actor in [Actor::System, Actor::Person(person), Actor::Service(service)] {
            let mut header = small_header();
            header.shared.actor = actor;
            let bytes = header.to_bytes().expect("bytes");
            assert_eq!(Header::from_bytes(&bytes).map(|header| header.shared.actor), Ok(actor));
        }
    }

    #[test]
    fn each_purpose_reads_as_it_was_written() {
        for purpose in [
            Purpose::Administration,
            Purpose::Protection,
            Purpose::Emergency,
            Purpose::Intelligence,
            Purpose::Inspection,
            Purpose::Training,
        ] {
            let mut header = small_header();
            header.local.purpose = purpose;
            let bytes = header.to_bytes().expect("bytes");
            assert_eq!(Header::from_bytes(&bytes).map(|header| header.local.purpose), Ok(purpose));
        }
    }

    #[test]
    fn joined_sections_part_again() {
        let bytes = full_header().to_bytes().expect("bytes");
        assert_eq!(HeaderBytes::part(&bytes.join()), Ok(bytes));
    }

    #[test]
    fn a_portion_reads_as_it_was_written() {
        let portion = Portion { circle: Some(CircleId([0; 16])), ..portion(3, "body") };
        let opened = Opened::from_bytes(&portion.to_bytes().expect("bytes")).expect("a portion");
        assert_eq!(opened.label, portion.label.digest());
        assert_eq!(opened.circle, portion.circle);
        assert_eq!(opened.media, portion.media);
        assert_eq!(opened.body, portion.body);
    }

    #[test]
    fn a_sealed_entry_opens_to_what_was_sealed() {
        let (sealed, header) = entry();
        assert_eq!(opened_header(&sealed, &keys()), Ok(header.clone()));
        let bodies: Vec<Vec<u8>> = header
            .local
            .slots
            .iter()
            .map(|slot| opened_portion(&sealed, &header, slot).body)
            .collect();
        assert_eq!(bodies, [b"one".as_slice(), b"two", b"three"]);
    }

    #[test]
    fn a_signature_opens_to_what_was_sealed() {
        let (sealed, _) = entry();
        let secret = secret(&sealed, HEADER_SLOT);
        let signature = sealed.signature.as_deref();
        let opened = open_signature(&leaf_of(&sealed), signature, &secret, &keys());
        assert_eq!(opened, Ok(Some(vec![9; 64])));
    }

    #[test]
    fn an_entry_without_portions_and_signature_opens() {
        let (sealed, header) = sealed_with(2, draft(small_header(), Vec::new()));
        assert_eq!(opened_header(&sealed, &keys()), Ok(header));
        let secret = secret(&sealed, HEADER_SLOT);
        assert_eq!(open_signature(&leaf_of(&sealed), None, &secret, &keys()), Ok(None));
    }

    #[test]
    fn slots_of_a_draft_are_replaced() {
        let (_, header) = sealed_with(2, draft(full_header(), Vec::new()));
        assert_eq!(header.local.slots, []);
    }

    #[test]
    fn sealing_is_the_same_for_the_same_entropy() {
        assert_eq!(entry(), entry());
    }
}

mod erasure {
    use super::*;

    #[test]
    fn of_a_secret_leaves_leaf_header_and_payload_verifying() {
        let (mut sealed, header) = entry();
        let erased = header.local.slots[0].slot;
        sealed.secrets.retain(|secret| secret.slot != erased);
        sealed.portions.retain(|(slot, _)| *slot != erased);
        assert_eq!(opened_header(&sealed, &keys()), Ok(header));
        assert!(open_commitments(&leaf_of(&sealed), &sealed.commitments).is_ok());
    }

    #[test]
    fn of_a_secret_leaves_the_other_portions_readable() {
        let (mut sealed, header) = entry();
        let erased = header.local.slots[0].slot;
        sealed.secrets.retain(|secret| secret.slot != erased);
        let kept = &header.local.slots[1];
        assert_eq!(opened_portion(&sealed, &header, kept).body, b"two");
    }

    #[test]
    fn of_a_secret_leaves_nothing_that_opens_the_portion() {
        let (sealed, header) = entry();
        let commitments = part_commitments(&sealed.commitments).expect("commitments");
        let erased = &header.local.slots[0];
        let committed = (commitments[usize::from(erased.slot)], &keys());
        let bytes = sealed_portion(&sealed, erased.slot);
        for left in sealed.secrets.iter().filter(|secret| secret.slot != erased.slot) {
            let opened = open_portion(&header.shared, erased, bytes, &left.secret, committed);
            assert!(opened.is_err(), "{}", left.slot);
        }
    }

    #[test]
    fn leaves_no_commitment_that_a_guess_of_the_content_confirms() {
        let (sealed, header) = entry();
        let commitments = part_commitments(&sealed.commitments).expect("commitments");
        let Shared { ledger, entry, .. } = header.shared;
        let guess = portion(2, "one").to_bytes().expect("bytes");
        let erased = header.local.slots[0].slot;
        let position = Position { ledger, entry, slot: erased };
        for left in sealed.secrets.iter().filter(|secret| secret.slot != erased) {
            let salt = commitment_salt(&left.secret).expect("a salt");
            assert_ne!(commitment(&salt, position, &guess), commitments[usize::from(erased)]);
        }
    }
}

mod what_does_not_show {
    use super::*;

    #[test]
    fn up_to_eight_portions_is_in_the_length_of_the_commitments() {
        for (counts, length) in [(0..=8, 8), (9..=16, 16), (17..=32, 32), (33..=64, 64)] {
            for count in counts {
                let (sealed, _) = sealed_with(5, draft(small_header(), portions(count)));
                assert_eq!(sealed.commitments.len(), length * 32, "{count}");
            }
        }
    }

    #[test]
    fn the_place_of_a_portion_varies_with_the_entropy_over_all_slots() {
        let places: BTreeSet<u8> = (0..100)
            .map(|seed| sealed_with(seed, draft(small_header(), portions(1))).1.local.slots[0].slot)
            .collect();
        assert_eq!(places, (0..8).collect());
    }

    #[test]
    fn the_order_of_portions_is_kept_in_the_header_alone() {
        let (sealed, header) = sealed_with(6, draft(small_header(), portions(40)));
        let order: Vec<u8> = header.local.slots.iter().map(|slot| slot.slot).collect();
        assert!(!order.is_sorted());
        assert!(sealed.portions.is_sorted_by_key(|(slot, _)| *slot));
        assert!(sealed.secrets.is_sorted_by_key(|secret| secret.slot));
        for (n, slot) in header.local.slots.iter().enumerate() {
            assert_eq!(opened_portion(&sealed, &header, slot).body, n.to_string().as_bytes());
        }
    }

    #[test]
    fn no_commitment_is_twice_in_an_entry() {
        let same = vec![portion(1, "same"); 20];
        let (sealed, _) = sealed_with(5, draft(small_header(), same));
        let commitments = part_commitments(&sealed.commitments).expect("commitments");
        assert_eq!(commitments.iter().collect::<BTreeSet<_>>().len(), 32);
    }

    #[test]
    fn no_part_of_an_entry_with_the_same_content_is_twice_in_a_log() {
        let (first, _) = sealed_with(1, draft(full_header(), portions(1)));
        let (second, _) = sealed_with(2, draft(full_header(), portions(1)));
        let (one, other) = (leaf_of(&first), leaf_of(&second));
        assert_ne!(one.header, other.header);
        assert_ne!(one.payload, other.payload);
        assert_ne!(one.signature, other.signature);
        assert_ne!(first.header, second.header);
    }

    #[test]
    fn one_signature_of_two_entries_gives_two_digests() {
        let signed = |seed| {
            let mut draft = draft(small_header(), Vec::new());
            draft.signature = Some(vec![9; 64]);
            leaf_of(&sealed_with(seed, draft).0).signature
        };
        assert_ne!(signed(1), signed(2));
    }

    #[test]
    fn an_unsigned_act_has_a_digest_like_a_signed_one() {
        let (unsigned, _) = sealed_with(1, draft(small_header(), Vec::new()));
        let salt = signature_salt(&secret(&unsigned, HEADER_SLOT)).expect("a salt");
        let digest = leaf_of(&unsigned).signature;
        assert_eq!(digest, signature_digest(&salt, None));
        assert_ne!(digest, signature_digest(&salt, Some(b"")));
        assert_ne!(digest, Digest::default());
    }

    #[test]
    fn a_signature_is_not_in_the_stored_bytes() {
        let (sealed, _) = entry();
        let stored = sealed.signature.expect("a signature");
        assert_eq!(stored.len(), 64 + 16);
        assert!(!stored.windows(4).any(|window| window == [9; 4]));
    }
}

mod kind {
    use super::*;

    fn outcome(kind: &str) -> Result<HeaderBytes, FormatError> {
        let mut header = small_header();
        header.shared.kind = String::from(kind);
        header.to_bytes()
    }

    #[test]
    fn is_noun_participle_and_version() {
        let longest = format!("{}.raised/1", "a".repeat(64 - ".raised/1".len()));
        for right in ["alert.raised/1", "sop_run.step_done/65535", "a.b/2", &longest] {
            assert!(outcome(right).is_ok(), "{right}");
        }
    }

    #[test]
    fn of_another_form_is_refused() {
        let long = format!("{}.raised/1", "a".repeat(65 - ".raised/1".len()));
        for wrong in [
            "",
            "alert",
            "alert/1",
            "alert.raised",
            "alert.raised/",
            "alert.raised/0",
            "alert.raised/01",
            "alert.raised/+1",
            "alert.raised/65536",
            "alert.raised/1/1",
            "alert.raised.again/1",
            ".raised/1",
            "alert./1",
            "Alert.raised/1",
            "alert raised.x/1",
            "alért.raised/1",
            "alert.raised/1 ",
            &long,
        ] {
            assert_eq!(outcome(wrong), Err(FormatError::Header), "{wrong}");
        }
    }
}

mod what_cannot_be_read_again_is_not_written {
    use super::*;

    fn refused(change: impl FnOnce(&mut Header)) {
        let mut header = small_header();
        change(&mut header);
        assert_eq!(header.to_bytes(), Err(FormatError::Header));
    }

    fn slot(slot: u8) -> Slot {
        Slot { slot, label: label(1), circle: None }
    }

    #[test]
    fn an_unknown_suite() {
        refused(|header| header.shared.suite = Suite(2));
    }

    #[test]
    fn a_slot_twice() {
        refused(|header| header.local.slots = vec![slot(1), slot(2), slot(1)]);
    }

    #[test]
    fn a_slot_that_no_payload_has() {
        refused(|header| header.local.slots = vec![slot(64)]);
    }

    #[test]
    fn a_slot_that_is_the_headers_own() {
        refused(|header| header.local.slots = vec![slot(HEADER_SLOT)]);
    }

    #[test]
    fn a_label_over_its_limits() {
        let codes = |count: usize| {
            (0..count).map(|n| Token::new(n.to_string()).expect("a token")).collect()
        };
        let marking = Marking { compartments: codes(65), ..Marking::default() };
        let scheme = SchemeId(Token::new("NATO").expect("a token"));
        let label = Label::simple(scheme, marking, AgencyId([7; 16]), Play::Live);
        refused(|header| header.local.slots = vec![Slot { slot: 1, label, circle: None }]);
    }
}
