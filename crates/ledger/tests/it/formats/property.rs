//! What holds of every header, portion and string of bytes.

use super::*;

fn id() -> impl Strategy<Value = [u8; 16]> {
    any::<[u8; 16]>()
}

fn digest() -> impl Strategy<Value = Digest> {
    any::<[u8; 32]>().prop_map(Digest)
}

fn time() -> impl Strategy<Value = Time> {
    (0..=Time::MAX.ms()).prop_map(at)
}

fn codes() -> impl Strategy<Value = BTreeSet<Token>> {
    proptest::collection::btree_set("[A-Z][A-Z0-9/-]{0,7}", 0..3).prop_map(|codes| {
        codes.into_iter().map(|code| Token::new(code).expect("a token")).collect()
    })
}

fn marking() -> impl Strategy<Value = Marking> {
    (any::<u8>(), codes(), option::of(codes()), codes()).prop_map(
        |(level, compartments, released, caveats)| Marking {
            level: Level(level),
            compartments,
            releasable_to: released.map_or(Releasable::Unrestricted, Releasable::Only),
            caveats,
        },
    )
}

fn any_label() -> impl Strategy<Value = Label> {
    let scheme = "[A-Z]{2,5}".prop_map(|name| SchemeId(Token::new(name).expect("a token")));
    let markings = proptest::collection::btree_map(scheme, marking(), 1..3);
    let originators = proptest::collection::btree_set(id().prop_map(AgencyId), 1..3);
    (markings, originators, play())
        .prop_map(|(markings, from, play)| Label::new(markings, from, play).expect("a label"))
}

fn play() -> impl Strategy<Value = Play> {
    option::of(id()).prop_map(|id| id.map_or(Play::Live, |id| Play::Exercise(ExerciseId(id))))
}

fn actor() -> impl Strategy<Value = Actor> {
    prop_oneof![
        Just(Actor::System),
        id().prop_map(|id| Actor::Person(PersonId(id))),
        id().prop_map(|id| Actor::Service(ServiceId(id))),
    ]
}

fn shared() -> impl Strategy<Value = Shared> {
    let ids = (id(), id(), id(), id(), option::of(id()));
    let imported = option::of((id(), id(), digest()));
    let times = (time(), option::of(time()));
    let kind = "[a-z_]{1,20}\\.[a-z_]{1,20}/[1-9][0-9]{0,3}";
    (ids, kind, actor(), play(), times, imported).prop_map(
        |(ids, kind, actor, play, (acted_at, valid_at), imported)| Shared {
            suite: Suite::ONE,
            ledger: LedgerId(ids.0),
            entry: EntryId(ids.1),
            kind,
            record: RecordId(ids.2),
            actor,
            agency: AgencyId(ids.3),
            on_behalf_of: ids.4.map(PersonId),
            play,
            acted_at,
            valid_at,
            imported: imported.map(|(ledger, entry, leaf)| Imported {
                ledger: LedgerId(ledger),
                entry: EntryId(entry),
                leaf,
            }),
        },
    )
}

fn slots() -> impl Strategy<Value = Vec<Slot>> {
    let places = proptest::sample::subsequence((0..64_u8).collect::<Vec<_>>(), 0..10);
    let labels = vec(any_label(), 1..3);
    (places.prop_shuffle(), labels, vec((any::<usize>(), option::of(id())), 10)).prop_map(
        |(places, labels, choices)| {
            let slot = |(slot, (choice, circle)): (u8, (usize, Option<[u8; 16]>))| Slot {
                slot,
                label: labels[choice % labels.len()].clone(),
                circle: circle.map(CircleId),
            };
            places.into_iter().zip(choices).map(slot).collect()
        },
    )
}

fn purpose() -> impl Strategy<Value = Purpose> {
    proptest::sample::select(vec![
        Purpose::Administration,
        Purpose::Protection,
        Purpose::Emergency,
        Purpose::Intelligence,
        Purpose::Inspection,
        Purpose::Training,
    ])
}

fn local() -> impl Strategy<Value = Local> {
    let ids = vec(option::of(id()), 6);
    let digests = vec(digest(), 5);
    let clauses = vec((id(), any::<u32>()), 0..4);
    let authentication = option::of((id(), any::<u8>(), time()));
    let numbers = (any::<u64>(), any::<u64>());
    (ids, digests, clauses, authentication, numbers, (slots(), purpose())).prop_map(
        |(ids, digests, clauses, authentication, numbers, (slots, purpose))| Local {
            seat: ids[0].map(SeatId),
            device: ids[1].map(DeviceId),
            cause: ids[2].map(EntryId),
            purpose,
            authority: ids[3].map(AuthorityId),
            basis: ids[4].map(RecordId),
            version: numbers.0,
            idempotency: digests[0],
            command: digests[1],
            policy_epoch: numbers.1,
            policy: digests[2],
            profile: digests[3],
            clauses: clauses
                .into_iter()
                .map(|(clause, version)| ClauseRef { clause: ClauseId(clause), version })
                .collect(),
            authentication: authentication.map(|(session, method, verified_at)| Authentication {
                session: SessionId(session),
                method,
                verified_at,
            }),
            base: digests[4],
            circle: ids[5].map(CircleId),
            slots,
        },
    )
}

fn header() -> impl Strategy<Value = Header> {
    (shared(), local()).prop_map(|(shared, local)| Header { shared, local })
}

fn any_portion() -> impl Strategy<Value = Portion> {
    (any_label(), option::of(id()), "[ -~]{1,40}", vec(any::<u8>(), 0..200)).prop_map(
        |(label, circle, media, body)| Portion { label, circle: circle.map(CircleId), media, body },
    )
}

/// Changes a byte, takes one away or puts one in.
fn mutated(mut bytes: Vec<u8>, changes: &[(usize, u8, u8)]) -> Vec<u8> {
    for (place, how, value) in changes {
        let place = place % bytes.len().max(1);
        match how % 3 {
            0 if !bytes.is_empty() => bytes[place] = *value,
            1 if !bytes.is_empty() => drop(bytes.remove(place)),
            _ => bytes.insert(place, *value),
        }
    }
    bytes
}

fn changes() -> impl Strategy<Value = Vec<(usize, u8, u8)>> {
    vec((any::<usize>(), any::<u8>(), any::<u8>()), 1..4)
}

/// Reads bytes with every parser; what one accepts must be the only spelling of what it read.
fn read_everything(bytes: &[u8]) {
    if let Ok(leaf) = Leaf::from_bytes(bytes) {
        assert_eq!(leaf.to_bytes().as_slice(), bytes);
    }
    let Header { shared, local } = small_header();
    if let Ok(shared) = Shared::from_bytes(bytes) {
        let written = Header { shared, local }.to_bytes();
        assert!(written.is_ok_and(|written| written.shared == bytes));
    }
    if let Ok(local) = Local::from_bytes(bytes) {
        let written = Header { shared, local }.to_bytes();
        assert!(written.is_ok_and(|written| written.local == bytes));
    }
    if let Ok(sections) = HeaderBytes::part(bytes) {
        assert_eq!(sections.join(), bytes);
        let _outcome = Header::from_bytes(&sections);
    }
    if let Ok(commitments) = part_commitments(bytes) {
        assert_eq!(commitments.iter().flat_map(|digest| digest.0).collect::<Vec<_>>(), bytes);
    }
    if let Ok(opened) = Opened::from_bytes(bytes) {
        assert_eq!(55 + opened.media.len() + opened.body.len(), bytes.len());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn every_header_reads_as_it_was_written(header in header()) {
        let bytes = header.to_bytes().expect("bytes");
        prop_assert_eq!(Header::from_bytes(&bytes), Ok(header));
    }

    #[test]
    fn every_portion_reads_as_it_was_written(portion in any_portion()) {
        let opened = Opened::from_bytes(&portion.to_bytes().expect("bytes"));
        let expected = Opened {
            label: portion.label.digest(),
            circle: portion.circle,
            media: portion.media,
            body: portion.body,
        };
        prop_assert_eq!(opened, Ok(expected));
    }

    #[test]
    fn every_entry_opens_to_what_was_sealed(
        header in header(),
        portions in vec(any_portion(), 0..12),
        seed in any::<[u8; 32]>(),
    ) {
        let draft = draft(header, portions.clone());
        let (sealed, header) =
            seal(draft, &keys(), &mut Entropy::new(Secret::new(seed))).expect("an entry");
        prop_assert_eq!(opened_header(&sealed, &keys()), Ok(header.clone()));
        let opened: Vec<Portion> = header
            .local
            .slots
            .iter()
            .map(|slot| opened_portion(&sealed, &header, slot))
            .collect();
        prop_assert_eq!(opened, portions);
    }

    #[test]
    fn two_different_headers_are_written_in_different_bytes(one in header(), other in header()) {
        prop_assume!(one != other);
        prop_assert_ne!(one.to_bytes(), other.to_bytes());
    }

    #[test]
    fn no_parser_panics_on_random_bytes(bytes in vec(any::<u8>(), 0..400)) {
        read_everything(&bytes);
    }

    #[test]
    fn no_parser_accepts_a_second_spelling_among_mutated_bytes(
        header in header(),
        portion in any_portion(),
        changes in changes(),
    ) {
        let bytes = header.to_bytes().expect("bytes");
        read_everything(&mutated(bytes.join(), &changes));
        read_everything(&mutated(bytes.shared, &changes));
        read_everything(&mutated(bytes.local, &changes));
        read_everything(&mutated(portion.to_bytes().expect("bytes"), &changes));
    }

    #[test]
    fn no_leaf_has_a_second_spelling(
        bytes in vec(any::<u8>(), LEAF_BYTES),
        class in 0..8_u8,
    ) {
        let mut bytes = bytes;
        bytes[..4].copy_from_slice(&[1, 1, class, 0]);
        bytes[20] = 0;
        bytes[21] = 0;
        read_everything(&bytes);
    }
}
