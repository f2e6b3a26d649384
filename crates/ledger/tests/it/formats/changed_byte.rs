//! A changed byte of a stored entry is found.

use super::*;

#[test]
fn of_a_leaf_is_refused_or_read_as_another_leaf() {
    let (sealed, _) = entry();
    let leaf = leaf_of(&sealed);
    for bytes in flipped(&sealed.leaf) {
        match Leaf::from_bytes(&bytes) {
            Ok(other) => {
                assert_ne!(other, leaf);
                assert_eq!(other.to_bytes().as_slice(), bytes);
            }
            Err(_refused) => {}
        }
    }
}

#[test]
fn of_version_suite_class_or_reserved_byte_is_named() {
    let (sealed, _) = entry();
    let changed = |place: usize, value: u8| {
        let mut bytes = sealed.leaf.clone();
        bytes[place] = value;
        Leaf::from_bytes(&bytes)
    };
    assert_eq!(changed(0, 2), Err(FormatError::LeafVersion(2)));
    assert_eq!(changed(1, 2), Err(FormatError::Suite(2)));
    assert_eq!(changed(2, 7), Err(FormatError::Class(7)));
    assert_eq!(changed(3, 1), Err(FormatError::Reserved));
    assert_eq!(changed(20, 128), Err(FormatError::Time));
}

#[test]
fn of_the_entry_id_or_header_commitment_in_the_leaf_refuses_the_header() {
    let (sealed, _) = entry();
    let secret = secret(&sealed, HEADER_SLOT);
    for place in (4..20).chain(28..60) {
        let mut bytes = sealed.leaf.clone();
        bytes[place] ^= 1;
        let leaf = Leaf::from_bytes(&bytes).expect("a leaf");
        assert!(open_header(&leaf, &sealed.header, &secret, &keys()).is_err(), "{place}");
    }
}

#[test]
fn of_the_payload_commitment_in_the_leaf_refuses_the_commitments() {
    let (sealed, _) = entry();
    for place in 60..92 {
        let mut bytes = sealed.leaf.clone();
        bytes[place] ^= 1;
        let leaf = Leaf::from_bytes(&bytes).expect("a leaf");
        let opened = open_commitments(&leaf, &sealed.commitments);
        assert_eq!(opened, Err(FormatError::PayloadCommitment), "{place}");
    }
}

#[test]
fn of_the_signature_digest_in_the_leaf_refuses_the_signature() {
    let (sealed, _) = entry();
    let secret = secret(&sealed, HEADER_SLOT);
    for place in 92..LEAF_BYTES {
        let mut bytes = sealed.leaf.clone();
        bytes[place] ^= 1;
        let leaf = Leaf::from_bytes(&bytes).expect("a leaf");
        let opened = open_signature(&leaf, sealed.signature.as_deref(), &secret, &keys());
        assert_eq!(opened, Err(FormatError::SignatureDigest), "{place}");
    }
}

#[test]
fn of_a_sealed_header_is_found() {
    let (sealed, _) = entry();
    let (leaf, secret) = (leaf_of(&sealed), secret(&sealed, HEADER_SLOT));
    for bytes in flipped(&sealed.header) {
        let opened = open_header(&leaf, &bytes, &secret, &keys());
        assert_eq!(opened, Err(FormatError::Sealed(base::crypto::Error::Open)));
    }
}

#[test]
fn of_a_sealed_portion_is_found() {
    let (sealed, header) = entry();
    let commitments = part_commitments(&sealed.commitments).expect("commitments");
    for slot in &header.local.slots {
        let secret = secret(&sealed, slot.slot);
        for bytes in flipped(sealed_portion(&sealed, slot.slot)) {
            let committed = (commitments[usize::from(slot.slot)], &keys());
            let opened = open_portion(&header.shared, slot, &bytes, &secret, committed);
            assert_eq!(opened, Err(FormatError::Sealed(base::crypto::Error::Open)));
        }
    }
}

#[test]
fn of_a_sealed_signature_is_found() {
    let (sealed, _) = entry();
    let (leaf, secret) = (leaf_of(&sealed), secret(&sealed, HEADER_SLOT));
    for bytes in flipped(sealed.signature.as_deref().expect("a signature")) {
        let opened = open_signature(&leaf, Some(&bytes), &secret, &keys());
        assert_eq!(opened, Err(FormatError::Sealed(base::crypto::Error::Open)));
    }
}

#[test]
fn of_the_commitments_is_found_also_in_padding() {
    let (sealed, _) = entry();
    let leaf = leaf_of(&sealed);
    for bytes in flipped(&sealed.commitments) {
        let opened = open_commitments(&leaf, &bytes);
        assert_eq!(opened, Err(FormatError::PayloadCommitment));
    }
}

#[test]
fn of_a_portion_in_the_clear_does_not_fit_its_commitment() {
    let position = Position { ledger: LedgerId([1; 16]), entry: EntryId([2; 16]), slot: 3 };
    let salt = Secret::new([4; 32]);
    let bytes = portion(1, "body").to_bytes().expect("bytes");
    let expected = commitment(&salt, position, &bytes);
    assert!(open_committed(&salt, position, &bytes, expected).is_ok());
    for changed in flipped(&bytes) {
        let opened = open_committed(&salt, position, &changed, expected);
        assert_eq!(opened, Err(FormatError::PortionCommitment(3)));
    }
}

#[test]
fn exchanged_commitments_are_found() {
    let (sealed, _) = entry();
    let mut commitments = sealed.commitments.clone();
    commitments.rotate_left(32);
    let opened = open_commitments(&leaf_of(&sealed), &commitments);
    assert_eq!(opened, Err(FormatError::PayloadCommitment));
}
