//! What belongs to another slot, entry, ledger, label, secret or key is refused.

use super::*;

/// Opens the first portion after something about it was exchanged.
fn open_with(change: impl FnOnce(&mut Shared, &mut Slot, &mut Secret)) -> FormatError {
    let (sealed, header) = entry();
    let mut shared = header.shared.clone();
    let mut slot = header.local.slots[0].clone();
    let commitments = part_commitments(&sealed.commitments).expect("commitments");
    let committed = (commitments[usize::from(slot.slot)], &keys());
    let bytes = sealed_portion(&sealed, slot.slot).to_vec();
    let mut secret = secret(&sealed, slot.slot);
    change(&mut shared, &mut slot, &mut secret);
    open_portion(&shared, &slot, &bytes, &secret, committed).expect_err("a fault")
}

const SEALED: FormatError = FormatError::Sealed(base::crypto::Error::Open);

#[test]
fn a_portion_in_another_slot_is_refused() {
    assert_eq!(open_with(|_, slot, _| slot.slot ^= 1), SEALED);
}

#[test]
fn a_portion_in_another_entry_is_refused() {
    assert_eq!(open_with(|shared, _, _| shared.entry.0[0] ^= 1), SEALED);
}

#[test]
fn a_portion_in_another_ledger_is_refused() {
    let fault = open_with(|shared, _, _| shared.ledger.0[0] ^= 1);
    assert!(matches!(fault, FormatError::PortionCommitment(_)));
}

#[test]
fn a_portion_under_another_label_is_refused() {
    assert_eq!(open_with(|_, slot, _| slot.label = label(9)), SEALED);
}

#[test]
fn a_portion_under_another_label_of_the_same_key_is_refused() {
    struct OneKey;
    impl CompartmentKeys for OneKey {
        fn portion_key(&self, _: &Label) -> Result<Secret, base::crypto::Error> {
            Ok(Secret::new([1; 32]))
        }
        fn header_key(&self) -> Result<Secret, base::crypto::Error> {
            Ok(Secret::new([2; 32]))
        }
    }
    let mut entropy = Entropy::new(Secret::new([3; 32]));
    let (sealed, header) =
        seal(draft(small_header(), portions(1)), &OneKey, &mut entropy).expect("an entry");
    let commitments = part_commitments(&sealed.commitments).expect("commitments");
    let slot = &header.local.slots[0];
    let committed = (commitments[usize::from(slot.slot)], &OneKey);
    let lowered = Slot { label: label(0), ..slot.clone() };
    let (bytes, secret) = (sealed_portion(&sealed, slot.slot), secret(&sealed, slot.slot));
    assert!(open_portion(&header.shared, slot, bytes, &secret, committed).is_ok());
    let opened = open_portion(&header.shared, &lowered, bytes, &secret, committed);
    assert_eq!(opened, Err(FormatError::PortionCommitment(slot.slot)));
}

#[test]
fn a_portion_in_another_circle_is_refused() {
    let fault = open_with(|_, slot, _| slot.circle = Some(CircleId([99; 16])));
    assert!(matches!(fault, FormatError::PortionCommitment(_)));
}

#[test]
fn a_portion_with_another_secret_is_refused() {
    assert_eq!(open_with(|_, _, secret| *secret = Secret::new([0; 32])), SEALED);
}

#[test]
fn a_portion_against_another_commitment_of_the_entry_is_refused() {
    let (sealed, header) = entry();
    let commitments = part_commitments(&sealed.commitments).expect("commitments");
    let slot = &header.local.slots[0];
    for (place, other) in commitments.into_iter().enumerate() {
        let (bytes, secret) = (sealed_portion(&sealed, slot.slot), secret(&sealed, slot.slot));
        let opened = open_portion(&header.shared, slot, bytes, &secret, (other, &keys()));
        assert_eq!(opened.is_ok(), place == usize::from(slot.slot), "{place}");
    }
}

#[test]
fn a_portion_with_another_key_is_refused() {
    let (sealed, header) = entry();
    let commitments = part_commitments(&sealed.commitments).expect("commitments");
    let slot = &header.local.slots[0];
    let (bytes, secret) = (sealed_portion(&sealed, slot.slot), secret(&sealed, slot.slot));
    let other = Keys(Secret::new([9; 32]));
    let committed = (commitments[usize::from(slot.slot)], &other);
    assert_eq!(open_portion(&header.shared, slot, bytes, &secret, committed), Err(SEALED));
}

#[test]
fn a_header_with_another_key_is_refused() {
    let (sealed, _) = entry();
    assert_eq!(opened_header(&sealed, &Keys(Secret::new([9; 32]))), Err(SEALED));
}

#[test]
fn a_header_with_another_secret_is_refused() {
    let (sealed, header) = entry();
    let secret = secret(&sealed, header.local.slots[0].slot);
    let opened = open_header(&leaf_of(&sealed), &sealed.header, &secret, &keys());
    assert_eq!(opened, Err(SEALED));
}

#[test]
fn a_header_of_another_entry_is_refused() {
    let (sealed, _) = entry();
    let mut other = small_header();
    other.shared.entry = EntryId([99; 16]);
    let (other, _) = sealed_with(4, draft(other, Vec::new()));
    let secret = secret(&other, HEADER_SLOT);
    let opened = open_header(&leaf_of(&sealed), &other.header, &secret, &keys());
    assert_eq!(opened, Err(SEALED));
}

#[test]
fn a_header_sealed_anew_under_a_leaf_of_another_entry_is_refused() {
    let (sealed, header) = entry();
    let secret = secret(&sealed, HEADER_SLOT);
    let other = Leaf { entry: EntryId([99; 16]), ..leaf_of(&sealed) };
    let header_key = keys().header_key().expect("a key");
    let key = secret.derive(header_key.expose(), "muster/dek/v1").expect("a key");
    let associated = [[99; 16].as_slice(), &[HEADER_SLOT]].concat();
    let joined = header.to_bytes().expect("bytes").join();
    let anew = key.seal([0; 12], &associated, &joined).expect("sealed bytes");
    let opened = open_header(&other, &anew, &secret, &keys());
    assert_eq!(opened, Err(FormatError::HeaderCommitment));
}

#[test]
fn a_shared_section_that_names_another_entry_than_its_leaf_is_refused() {
    let (sealed, header) = entry();
    let secret = secret(&sealed, HEADER_SLOT);
    let mut leaf = leaf_of(&sealed);
    leaf.entry = EntryId([99; 16]);
    let sections = header.to_bytes().expect("bytes");
    let local = local_commitment(&local_salt(&secret).expect("a salt"), &sections.local);
    let salt = shared_salt(&secret).expect("a salt");
    let opened = open_shared(&leaf, &salt, &sections.shared, local);
    assert_eq!(opened, Err(FormatError::HeaderCommitment));
}

#[test]
fn a_commitment_names_its_ledger_entry_and_slot() {
    let salt = Secret::new([1; 32]);
    let position = Position { ledger: LedgerId([1; 16]), entry: EntryId([2; 16]), slot: 3 };
    let all = [
        position,
        Position { ledger: LedgerId([9; 16]), ..position },
        Position { entry: EntryId([9; 16]), ..position },
        Position { slot: 9, ..position },
    ];
    let digests: BTreeSet<Digest> =
        all.iter().map(|position| commitment(&salt, *position, b"bytes")).collect();
    assert_eq!(digests.len(), all.len());
}

#[test]
fn a_header_secret_does_not_open_the_signature_as_a_header() {
    let (sealed, _) = entry();
    let secret = secret(&sealed, HEADER_SLOT);
    let signature = sealed.signature.as_deref().expect("a signature");
    let opened = open_header(&leaf_of(&sealed), signature, &secret, &keys());
    assert_eq!(opened, Err(SEALED));
}

#[test]
fn a_signature_that_was_taken_away_is_missed() {
    let (sealed, _) = entry();
    let secret = secret(&sealed, HEADER_SLOT);
    let opened = open_signature(&leaf_of(&sealed), None, &secret, &keys());
    assert_eq!(opened, Err(FormatError::SignatureDigest));
}

#[test]
fn a_signature_that_was_added_is_refused() {
    let (signed, _) = entry();
    let mut unsigned = draft(full_header(), Vec::new());
    unsigned.signature = None;
    let (unsigned, _) = sealed_with(2, unsigned);
    let secret = secret(&unsigned, HEADER_SLOT);
    let signature = signed.signature.as_deref();
    assert!(open_signature(&leaf_of(&unsigned), signature, &secret, &keys()).is_err());
}
