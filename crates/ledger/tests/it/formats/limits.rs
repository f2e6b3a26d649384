//! The limits of an entry, at their value and one above.

use super::*;

fn try_seal(draft: Draft) -> Result<(SealedEntry, Header), FormatError> {
    seal(draft, &keys(), &mut Entropy::new(Secret::new([7; 32])))
}

#[test]
fn an_entry_of_64_portions_is_sealed() {
    let most = portions(limit::PORTIONS_PER_ENTRY);
    let (sealed, header) = try_seal(draft(small_header(), most)).expect("an entry");
    assert_eq!(opened_header(&sealed, &keys()), Ok(header));
}

#[test]
fn an_entry_of_65_portions_is_refused() {
    let outcome = try_seal(draft(small_header(), portions(limit::PORTIONS_PER_ENTRY + 1)));
    assert_eq!(outcome, Err(FormatError::Portions(65)));
}

#[test]
fn an_entry_of_64_portions_under_one_label_of_16_originators_is_sealed() {
    let marking = Marking { level: Level(1), ..Marking::default() };
    let markings = [(SchemeId(Token::new("NATO").expect("a token")), marking)];
    let originators = (0..16).map(|n| AgencyId([n; 16])).collect();
    let label =
        Label::new(markings.into_iter().collect(), originators, Play::Live).expect("a label");
    let mut most = portions(limit::PORTIONS_PER_ENTRY);
    for portion in &mut most {
        portion.label = label.clone();
        portion.circle = Some(CircleId([1; 16]));
    }
    assert!(try_seal(draft(small_header(), most)).is_ok());
}

#[test]
fn a_portion_of_64_kib_is_sealed() {
    let mut most = portion(1, "");
    most.body = vec![7; limit::PORTION_BYTES];
    let bytes = most.to_bytes().expect("bytes");
    assert_eq!(Opened::from_bytes(&bytes).map(|opened| opened.body), Ok(most.body));
}

#[test]
fn a_portion_of_one_byte_more_is_refused() {
    let mut more = portion(1, "");
    more.body = vec![7; limit::PORTION_BYTES + 1];
    assert_eq!(more.to_bytes(), Err(FormatError::PortionBytes(65_537)));
    assert_eq!(try_seal(draft(small_header(), vec![more])), Err(FormatError::PortionBytes(65_537)));
}

#[test]
fn a_portion_of_one_byte_more_is_not_read() {
    let mut most = portion(1, "");
    most.body = vec![7; limit::PORTION_BYTES];
    let mut bytes = most.to_bytes().expect("bytes");
    let place = bytes.len() - limit::PORTION_BYTES - 4;
    bytes[place..place + 4].copy_from_slice(&65_537_u32.to_be_bytes());
    bytes.push(7);
    assert_eq!(Opened::from_bytes(&bytes), Err(FormatError::Portion));
}

#[test]
fn a_media_name_of_255_bytes_is_sealed() {
    let media = Portion { media: "m".repeat(255), ..portion(1, "") };
    assert!(Opened::from_bytes(&media.to_bytes().expect("bytes")).is_ok());
}

#[test]
fn a_media_name_of_256_bytes_is_refused() {
    let media = Portion { media: "m".repeat(256), ..portion(1, "") };
    assert_eq!(media.to_bytes(), Err(FormatError::Portion));
}

#[test]
fn a_media_name_that_is_empty_or_not_printable_ascii_is_refused() {
    for wrong in ["", "text\n", "téxt/plain", "text\u{7f}"] {
        let media = Portion { media: wrong.to_owned(), ..portion(1, "") };
        assert_eq!(media.to_bytes(), Err(FormatError::Portion), "{wrong:?}");
    }
}

#[test]
fn a_media_name_that_is_empty_or_not_printable_ascii_is_not_read() {
    let right = Portion { media: "m".to_owned(), ..portion(1, "") }.to_bytes().expect("bytes");
    for wrong in [b'\n', 0x7f, 0xe9, 0] {
        let mut bytes = right.clone();
        bytes[51] = wrong;
        assert_eq!(Opened::from_bytes(&bytes), Err(FormatError::Portion), "{wrong}");
    }
    let mut empty = right;
    assert_eq!(empty.splice(50..52, [0]).collect::<Vec<_>>(), [1, b'm']);
    assert_eq!(Opened::from_bytes(&empty), Err(FormatError::Portion));
}

/// A header whose sections have `bytes` bytes.
fn header_of(bytes: usize) -> Header {
    let length =
        |header: &Header| header.to_bytes().map_or(usize::MAX, |b| b.shared.len() + b.local.len());
    let mut header = small_header();
    let clause = ClauseRef { clause: ClauseId([1; 16]), version: 0 };
    header.local.clauses = vec![clause; (bytes - length(&header)) / 20];
    while length(&header) + 19 <= bytes {
        header.local.clauses.push(clause);
    }
    // Each version of 24 takes one byte more than one of 0.
    let rest = bytes.saturating_sub(length(&header));
    for clause in header.local.clauses.iter_mut().take(rest) {
        clause.version = 24;
    }
    header
}

#[test]
fn a_header_of_16_kib_is_written_and_read() {
    let header = header_of(limit::HEADER_BYTES);
    let bytes = header.to_bytes().expect("bytes");
    assert_eq!(bytes.shared.len() + bytes.local.len(), limit::HEADER_BYTES);
    assert_eq!(Header::from_bytes(&bytes), Ok(header));
}

#[test]
fn a_header_of_one_byte_more_is_refused() {
    let mut header = header_of(limit::HEADER_BYTES);
    header.shared.kind.push('0');
    let over = FormatError::HeaderBytes(limit::HEADER_BYTES + 1);
    assert_eq!(header.to_bytes(), Err(over));
}

#[test]
fn a_list_of_commitments_has_8_16_32_or_64_members() {
    for count in 0..=65_usize {
        let right = matches!(count, 8 | 16 | 32 | 64);
        let list = vec![Digest([1; 32]); count];
        assert_eq!(payload_commitment(&list).is_ok(), right, "{count}");
        assert_eq!(part_commitments(&vec![1; count * 32]).is_ok(), right, "{count}");
    }
}

#[test]
fn a_list_of_commitments_with_a_part_of_one_is_refused() {
    for length in [255, 257, 287, 2047, 2049] {
        assert_eq!(part_commitments(&vec![1; length]), Err(FormatError::Commitments));
    }
}

#[test]
fn a_leaf_has_124_bytes() {
    for length in [0, 123, 125] {
        let outcome = Leaf::from_bytes(&vec![1; length]);
        assert_eq!(outcome, Err(FormatError::LeafLength(length)));
    }
}
