//! The same header or portion in other bytes is refused (RFC 8949 §4.2.1).

use super::*;

fn shared() -> Vec<u8> {
    small_header().to_bytes().expect("bytes").shared
}

fn local() -> Vec<u8> {
    small_header().to_bytes().expect("bytes").local
}

/// `bytes` with `from` at `place` replaced by `to`; `from` is what must stand there.
fn replaced(bytes: &[u8], place: usize, from: &[u8], to: &[u8]) -> Vec<u8> {
    assert_eq!(&bytes[place..place + from.len()], from, "what the test expects to change");
    [&bytes[..place], to, &bytes[place + from.len()..]].concat()
}

/// Refuses the spelling made by replacing at the start of each section.
fn refused_at_start(from: &[u8], to: &[u8]) {
    for (bytes, read) in [
        (shared(), (|b| Shared::from_bytes(b).is_ok()) as fn(&[u8]) -> bool),
        (local(), |b| Local::from_bytes(b).is_ok()),
    ] {
        assert!(read(&bytes));
        assert!(!read(&replaced(&bytes, 1, from, to)));
    }
}

#[test]
fn with_keys_in_another_order_is_refused() {
    let bytes = shared();
    assert!(Shared::from_bytes(&replaced(&bytes, 1, &[0, 1, 1, 1], &[1, 1, 0, 1])).is_err());
    let bytes = local();
    assert!(Local::from_bytes(&replaced(&bytes, 1, &[0, 1, 4, 2], &[4, 2, 0, 1])).is_err());
}

#[test]
fn with_a_longer_integer_is_refused() {
    for longer in [
        &[0, 0x18, 1][..],
        &[0, 0x19, 0, 1],
        &[0, 0x1a, 0, 0, 0, 1],
        &[0, 0x1b, 0, 0, 0, 0, 0, 0, 0, 1],
    ] {
        refused_at_start(&[0, 1], longer);
    }
}

#[test]
fn with_a_longer_key_is_refused() {
    refused_at_start(&[0, 1], &[0x18, 0, 1]);
}

#[test]
fn with_a_longer_head_of_a_byte_string_is_refused() {
    let bytes = replaced(&shared(), 5, &[2, 0x50], &[2, 0x58, 0x10]);
    assert!(Shared::from_bytes(&bytes).is_err());
}

#[test]
fn with_a_longer_head_of_the_map_is_refused() {
    for (bytes, read) in [
        (shared(), (|b| Shared::from_bytes(b).is_ok()) as fn(&[u8]) -> bool),
        (local(), |b| Local::from_bytes(b).is_ok()),
    ] {
        let count = bytes[0] & 0x1f;
        assert!(!read(&replaced(&bytes, 0, &[0xa0 | count], &[0xb8, count])));
    }
}

#[test]
fn of_indefinite_length_is_refused() {
    let mut bytes = shared();
    bytes[0] = 0xbf;
    bytes.push(0xff);
    assert!(Shared::from_bytes(&bytes).is_err());
}

#[test]
fn with_a_key_twice_is_refused() {
    for (bytes, read) in [
        (shared(), (|b| Shared::from_bytes(b).is_ok()) as fn(&[u8]) -> bool),
        (local(), |b| Local::from_bytes(b).is_ok()),
    ] {
        let mut twice = replaced(&bytes, 1, &[0, 1], &[0, 1, 0, 1]);
        twice[0] += 1;
        assert!(!read(&twice));
    }
}

#[test]
fn with_an_unknown_key_is_refused() {
    for (bytes, read) in [
        (shared(), (|b| Shared::from_bytes(b).is_ok()) as fn(&[u8]) -> bool),
        (local(), |b| Local::from_bytes(b).is_ok()),
    ] {
        let mut more = [bytes.as_slice(), &[0x13, 0]].concat();
        more[0] += 1;
        assert!(!read(&more));
    }
}

#[test]
fn with_trailing_bytes_is_refused() {
    assert!(Shared::from_bytes(&[shared(), vec![0]].concat()).is_err());
    assert!(Local::from_bytes(&[local(), vec![0]].concat()).is_err());
    assert!(
        Opened::from_bytes(&[portion(1, "a").to_bytes().expect("bytes"), vec![0]].concat())
            .is_err()
    );
}

#[test]
fn that_is_cut_short_is_refused() {
    let full = full_header().to_bytes().expect("bytes");
    for length in 0..full.shared.len() {
        assert!(Shared::from_bytes(&full.shared[..length]).is_err(), "{length}");
    }
    for length in 0..full.local.len() {
        assert!(Local::from_bytes(&full.local[..length]).is_err(), "{length}");
    }
}

#[test]
fn of_another_version_is_refused() {
    refused_at_start(&[0, 1], &[0, 2]);
    let mut bytes = portion(1, "a").to_bytes().expect("bytes");
    bytes[0] = 2;
    assert_eq!(Opened::from_bytes(&bytes), Err(FormatError::Portion));
}

#[test]
fn with_a_null_for_an_absent_field_is_refused() {
    let mut bytes = replaced(&local(), 1, &[0, 1], &[0, 1, 1, 0xf6]);
    bytes[0] += 1;
    assert!(Local::from_bytes(&bytes).is_err());
}

#[test]
fn with_an_id_of_another_length_is_refused() {
    let bytes = replaced(&shared(), 5, &[2, 0x50], &[2, 0x4f]);
    assert!(Shared::from_bytes(&bytes).is_err());
    let mut bytes = replaced(&local(), 1, &[0, 1], &[0, 1, 1, 0x41, 7]);
    bytes[0] += 1;
    assert!(Local::from_bytes(&bytes).is_err(), "also of a field that may be absent");
}

#[test]
fn with_a_time_out_of_range_is_refused() {
    let mut bytes = shared();
    let place = bytes.len() - 3;
    bytes = replaced(&bytes, place, &[0x19, 0x03, 0xe8], &[0x20]);
    assert!(Shared::from_bytes(&bytes).is_err());
}

#[test]
fn with_a_circle_behind_its_flag_of_absence_is_refused() {
    let mut bytes = portion(1, "a").to_bytes().expect("bytes");
    bytes[34] = 1;
    assert_eq!(Opened::from_bytes(&bytes), Err(FormatError::Portion));
    bytes[33] = 2;
    assert_eq!(Opened::from_bytes(&bytes), Err(FormatError::Portion));
    bytes[33] = 1;
    assert!(Opened::from_bytes(&bytes).is_ok());
}

/// A local section whose labels and slots are written by the test.
fn with_slots(labels: &[&Label], slots: &[(u8, u8)]) -> Result<Local, FormatError> {
    let mut bytes = local();
    assert_eq!(bytes.split_off(bytes.len() - 4), [0x11, 0x80, 0x12, 0x80]);
    let mut e = minicbor::Encoder::new(&mut bytes);
    e.u8(17).expect("bytes").array(labels.len() as u64).expect("bytes");
    for label in labels {
        e.bytes(&label.to_bytes()).expect("bytes");
    }
    e.u8(18).expect("bytes").array(slots.len() as u64).expect("bytes");
    for (slot, label) in slots {
        e.array(3).expect("bytes").u8(*slot).expect("bytes").u8(*label).expect("bytes");
        e.null().expect("bytes");
    }
    Local::from_bytes(&bytes)
}

#[test]
fn of_the_labels_in_the_order_of_their_first_slot_is_the_only_one() {
    let (low, high) = (&label(1), &label(2));
    let read = with_slots(&[low, high], &[(5, 0), (3, 1), (4, 0)]).expect("a section");
    let labels: Vec<&Label> = read.slots.iter().map(|slot| &slot.label).collect();
    assert_eq!(labels, [low, high, low]);
    for (labels, slots) in [
        (&[high, low][..], &[(5, 1), (3, 0), (4, 1)][..]),
        (&[low, high], &[(5, 0)]),
        (&[low, low], &[(5, 0), (3, 1)]),
        (&[low], &[(5, 1)]),
        (&[low], &[(5, 0), (5, 0)]),
        (&[low], &[(64, 0)]),
        (&[low], &[]),
        (&[], &[(5, 0)]),
    ] {
        assert_eq!(with_slots(labels, slots), Err(FormatError::Header), "{slots:?}");
    }
}
