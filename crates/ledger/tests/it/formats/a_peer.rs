//! What a peer can verify with what it is given, and what it cannot learn.

use super::*;

#[test]
fn verifies_the_shared_section_without_the_local_one() {
    let (sealed, header) = entry();
    let sections = header.to_bytes().expect("bytes");
    let secret = secret(&sealed, HEADER_SLOT);
    let given = (
        shared_salt(&secret).expect("a salt"),
        sections.shared,
        local_commitment(&local_salt(&secret).expect("a salt"), &sections.local),
    );
    let opened = open_shared(&leaf_of(&sealed), &given.0, &given.1, given.2);
    assert_eq!(opened, Ok(header.shared));
}

#[test]
fn finds_every_changed_byte_of_what_it_was_given() {
    let (sealed, header) = entry();
    let sections = header.to_bytes().expect("bytes");
    let secret = secret(&sealed, HEADER_SLOT);
    let salt = shared_salt(&secret).expect("a salt");
    let local = local_commitment(&local_salt(&secret).expect("a salt"), &sections.local);
    let leaf = leaf_of(&sealed);
    for section in flipped(&sections.shared) {
        assert!(open_shared(&leaf, &salt, &section, local).is_err());
    }
    for bytes in flipped(salt.expose()) {
        let salt = Secret::from_slice(&bytes).expect("a salt");
        assert!(open_shared(&leaf, &salt, &sections.shared, local).is_err());
    }
    for bytes in flipped(&local.0) {
        let local = Digest::from_slice(&bytes).expect("a digest");
        assert!(open_shared(&leaf, &salt, &sections.shared, local).is_err());
    }
}

#[test]
fn is_given_the_same_shared_bytes_whatever_the_local_section_says() {
    let mut other = full_header();
    other.local = small_header().local;
    let (_, first) = sealed_with(1, draft(full_header(), portions(0)));
    let (_, second) = sealed_with(1, draft(other, portions(8)));
    assert_ne!(first.local, second.local);
    assert_eq!(first.to_bytes().expect("bytes").shared, second.to_bytes().expect("bytes").shared);
}

#[test]
fn finds_no_value_of_the_local_section_in_the_shared_one() {
    let bytes = full_header().to_bytes().expect("bytes");
    for local in (30..=43).map(|n| [n; 16]) {
        assert!(!bytes.shared.windows(16).any(|window| window == local), "{local:?}");
    }
    assert!(bytes.local.windows(16).any(|window| window == [30; 16]));
}

#[test]
fn cannot_confirm_a_guess_of_the_local_section_with_the_shared_salt() {
    let (sealed, header) = entry();
    let sections = header.to_bytes().expect("bytes");
    let secret = secret(&sealed, HEADER_SLOT);
    let (shared, local) =
        (shared_salt(&secret).expect("a salt"), local_salt(&secret).expect("a salt"));
    assert_ne!(
        local_commitment(&shared, &sections.local),
        local_commitment(&local, &sections.local)
    );
}

#[test]
fn cannot_derive_another_salt_from_the_ones_it_was_given() {
    let secret = Secret::new([8; 32]);
    let salts = [
        shared_salt(&secret).expect("a salt"),
        local_salt(&secret).expect("a salt"),
        signature_salt(&secret).expect("a salt"),
        commitment_salt(&secret).expect("a salt"),
    ];
    for (n, one) in salts.iter().enumerate() {
        assert_ne!(*one, secret);
        assert!(salts.iter().skip(n + 1).all(|other| other != one));
    }
}

#[test]
fn verifies_a_portion_with_its_salt_and_without_its_secret() {
    let (sealed, header) = entry();
    let slot = &header.local.slots[1];
    let salt = commitment_salt(&secret(&sealed, slot.slot)).expect("a salt");
    let bytes = portion(1, "two").to_bytes().expect("bytes");
    let commitments =
        open_commitments(&leaf_of(&sealed), &sealed.commitments).expect("commitments");
    let Shared { ledger, entry, .. } = header.shared;
    let position = Position { ledger, entry, slot: slot.slot };
    let expected = commitments[usize::from(slot.slot)];
    let opened = open_committed(&salt, position, &bytes, expected).expect("a portion");
    assert_eq!(opened.label, label(1).digest());
    assert_eq!(opened.body, b"two");
}
