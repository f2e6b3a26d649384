//! What was committed is read again as it was; a batch is all or nothing.

use base::Digest;
use base::crypto::sha256;
use store::log::Signed;
use store::{Error, LogName, Place, Receipt};

use crate::on_both;
use crate::world::World;

on_both! {
    a_batch_is_read_as_it_was_written,
    logs_do_not_mix,
    sequences_are_dense_and_pages_continue,
    named_entries_come_in_order_and_once,
    receipts_are_found_by_key,
    the_newest_checkpoint_up_to_a_size_is_found,
    a_head_is_signed_again_without_an_entry,
    a_failed_batch_leaves_nothing,
    a_batch_that_does_not_continue_the_log_changes_nothing,
    sweeping_spares_what_belongs_to_entries,
    a_reader_sees_what_was_committed_after_it_was_opened,
}

fn a_batch_is_read_as_it_was_written(world: &mut World) {
    let mut log = world.lead();
    let before = log.head(LogName::Acts).expect("a head");
    let batch = world.batch(LogName::Acts, &before, &[&["one", "two"], &["three"], &[]]);
    log.commit(&batch).expect("a batch is committed");

    let reader = world.reader();
    assert_eq!(log.head(LogName::Acts).expect("a head"), batch.after);
    assert_eq!(reader.head(LogName::Acts).expect("a head"), batch.after);
    let entries = reader.entries(LogName::Acts, 0, 10).expect("entries");
    let secrets = reader.secrets(LogName::Acts, 0, 10).expect("secrets");
    let leaves = reader.leaves(LogName::Acts, 0, 10).expect("leaves");
    assert_eq!((entries.len(), secrets.len(), leaves.len()), (3, 3, 3));
    for (i, written) in batch.entries.iter().enumerate() {
        let (entry, kept) = (&entries[i], &secrets[i]);
        assert_eq!((entry.sequence, kept.sequence), (i as u64, i as u64));
        assert_eq!(entry.leaf, written.leaf);
        assert_eq!(leaves[i], written.leaf);
        assert_eq!(entry.header, written.header);
        assert_eq!(entry.commitments, written.commitments);
        assert_eq!(entry.portions, written.portions);
        assert_eq!(entry.signature, written.signature);
        assert_eq!(entry.signature.is_some(), i.is_multiple_of(2));
        assert_eq!((kept.week, &kept.secrets), (written.week, &written.secrets));
    }
    let tile = &batch.tiles[0];
    let found = reader.tile(LogName::Acts, tile.level, tile.index).expect("a tile");
    assert_eq!(found.as_ref(), Some(&tile.hashes));
    assert_eq!(reader.tile(LogName::Acts, tile.level, tile.index + 1).expect("no tile"), None);
    assert_eq!(reader.tile(LogName::Talk, tile.level, tile.index).expect("no tile"), None);
    let mut bodies = world.open(LogName::Acts, 0).expect("it opens");
    bodies.sort_unstable();
    assert_eq!(bodies, ["one", "two"]);
    assert_eq!(world.open(LogName::Acts, 2).expect("it opens"), Vec::<String>::new());
}

fn logs_do_not_mix(world: &mut World) {
    let mut log = world.lead();
    for (name, body) in LogName::ALL.into_iter().zip(["of acts", "of access", "of talk"]) {
        world.commit(&mut log, name, &[&[body], &[body]]);
    }
    let reader = world.reader();
    for (name, body) in LogName::ALL.into_iter().zip(["of acts", "of access", "of talk"]) {
        assert_eq!(reader.entries(name, 0, 10).expect("entries").len(), 2);
        assert_eq!(reader.secrets(name, 0, 10).expect("secrets").len(), 2);
        assert_eq!(reader.leaves(name, 0, 10).expect("leaves").len(), 2);
        assert_eq!(world.open(name, 1).expect("it opens"), [body]);
    }
}

fn sequences_are_dense_and_pages_continue(world: &mut World) {
    let mut log = world.lead();
    for n in 0..7 {
        let bodies = vec![["x"].as_slice(); n];
        world.commit(&mut log, LogName::Acts, &bodies);
    }
    let reader = world.reader();
    let mut sequences = Vec::new();
    let mut from = 0;
    loop {
        let page = reader.entries(LogName::Acts, from, 4).expect("entries");
        let Some(last) = page.last() else { break };
        assert!(page.len() <= 4);
        from = last.sequence + 1;
        sequences.extend(page.iter().map(|entry| entry.sequence));
    }
    assert_eq!(sequences, (0..21).collect::<Vec<u64>>());
    assert_eq!(log.head(LogName::Acts).expect("a head").size, 21);
}

fn named_entries_come_in_order_and_once(world: &mut World) {
    let mut log = world.lead();
    world.commit(&mut log, LogName::Acts, &[&["a"], &["b"], &["c"]]);
    let reader = world.reader();
    let entries = reader.entries_at(LogName::Acts, &[2, 0, 9, 2]).expect("entries");
    assert_eq!(entries.iter().map(|e| e.sequence).collect::<Vec<_>>(), [0, 2]);
    let secrets = reader.secrets_at(LogName::Acts, &[2, 0, 9, 2]).expect("secrets");
    assert_eq!(secrets.iter().map(|s| s.sequence).collect::<Vec<_>>(), [0, 2]);
    assert!(reader.entries_at(LogName::Acts, &[]).expect("none").is_empty());
}

fn receipts_are_found_by_key(world: &mut World) {
    let mut log = world.lead();
    let before = log.head(LogName::Acts).expect("a head");
    let mut batch = world.batch(LogName::Acts, &before, &[&["a"], &["b"]]);
    let receipt = |n: u8| Receipt {
        key: Digest([n; 32]),
        command: Digest([n + 100; 32]),
        sequence: u64::from(n),
        entries: u32::from(n),
        at: world.at,
    };
    batch.receipts = vec![receipt(1), receipt(2)];
    log.commit(&batch).expect("a batch is committed");
    let mut found = log.receipts(&[2, 3, 1].map(|n| Digest([n; 32]))).expect("receipts");
    found.sort_unstable_by_key(|receipt| receipt.sequence);
    assert_eq!(found, [receipt(1), receipt(2)]);
    assert!(log.receipts(&[]).expect("none").is_empty());
}

fn the_newest_checkpoint_up_to_a_size_is_found(world: &mut World) {
    let mut log = world.lead();
    for _ in 0..3 {
        world.commit(&mut log, LogName::Acts, &[&["a"], &["b"]]);
    }
    world.commit(&mut log, LogName::Talk, &[&["a"]]);
    let reader = world.reader();
    let size = |log, at| reader.signed(log, at).expect("a read").map(|signed| signed.size);
    assert_eq!(size(LogName::Acts, 1), None);
    assert_eq!(size(LogName::Acts, 2), Some(2));
    assert_eq!(size(LogName::Acts, 5), Some(4));
    assert_eq!(size(LogName::Acts, u64::MAX >> 9), Some(6));
    assert_eq!(size(LogName::Access, 100), None);
    assert_eq!(size(LogName::Talk, 100), Some(1));
}

fn a_head_is_signed_again_without_an_entry(world: &mut World) {
    let mut log = world.lead();
    let mut head = world.commit(&mut log, LogName::Acts, &[&["a"]]);
    head.note = b"signed by two".to_vec();
    log.resign(LogName::Acts, &head, true).expect("it is signed again");
    assert_eq!(log.head(LogName::Acts).expect("a head"), head);
    let kept = world.reader().signed(LogName::Acts, 1).expect("a checkpoint");
    assert_eq!(kept, Some(Signed { size: 1, note: head.note.clone() }));
    head.note = b"signed by one".to_vec();
    log.resign(LogName::Acts, &head, false).expect("it is signed again");
    let kept = world.reader().signed(LogName::Acts, 1).expect("a checkpoint");
    assert_eq!(kept.expect("the kept one").note, b"signed by two");
}

fn a_failed_batch_leaves_nothing(world: &mut World) {
    let mut log = world.lead();
    let head = world.commit(&mut log, LogName::Acts, &[&["a", "b"]]);
    let erased = world.slot_of(LogName::Acts, 0, "a");
    let mut batch = world.batch(LogName::Acts, &head, &[&["c"], &["d"]]);
    batch.erased = vec![erased];
    let twice = batch.receipts[0].clone();
    batch.receipts.push(twice);
    let fault = log.commit(&batch).expect_err("one key has two receipts");
    assert!(!fault.in_doubt(), "{fault}");

    let reader = world.reader();
    assert_eq!(log.head(LogName::Acts).expect("a head"), head);
    assert_eq!(reader.entries(LogName::Acts, 0, 10).expect("entries").len(), 1);
    assert!(log.receipts(&[batch.receipts[0].key]).expect("none").is_empty());
    assert_eq!(reader.tile(LogName::Acts, 0, batch.after.size).expect("no tile"), None);
    assert_eq!(reader.signed(LogName::Acts, 9).expect("a checkpoint").expect("one").size, 1);
    assert_eq!(world.open(LogName::Acts, 0).expect("it opens").len(), 2);

    // What the failed batch left is swept at the next start, and nothing else.
    drop(log);
    let mut log = world.lead();
    let left = match world.place {
        Place::Sqlite { .. } => 2,
        Place::Postgres { .. } => 0,
    };
    assert_eq!(reader.secrets(LogName::Acts, 1, 10).expect("secrets").len(), left);
    assert_eq!(log.sweep(LogName::Acts, head.size).expect("swept"), left as u64);
    assert_eq!(reader.secrets(LogName::Acts, 0, 10).expect("secrets").len(), 1);
    world.commit(&mut log, LogName::Acts, &[&["e"]]);
    assert_eq!(world.open(LogName::Acts, 1).expect("it opens"), ["e"]);
}

fn a_batch_that_does_not_continue_the_log_changes_nothing(world: &mut World) {
    let mut log = world.lead();
    let first = log.head(LogName::Acts).expect("a head");
    let head = world.commit(&mut log, LogName::Acts, &[&["a"], &["b"]]);
    let reader = world.reader();
    let secrets = reader.secrets(LogName::Acts, 0, 10).expect("secrets");

    let again = world.batch(LogName::Acts, &first, &[&["x"], &["y"]]);
    assert!(matches!(log.commit(&again), Err(Error::Fenced(1))));
    let mut other = world.batch(LogName::Acts, &head, &[&["x"]]);
    other.before.epoch += 1;
    other.after.epoch += 1;
    assert!(matches!(log.commit(&other), Err(Error::Fenced(2))));

    assert_eq!(reader.secrets(LogName::Acts, 0, 10).expect("secrets"), secrets);
    assert_eq!(log.head(LogName::Acts).expect("a head"), head);
    assert_eq!(world.open(LogName::Acts, 0).expect("it opens"), ["a"]);
}

fn sweeping_spares_what_belongs_to_entries(world: &mut World) {
    let mut log = world.lead();
    world.commit(&mut log, LogName::Acts, &[&["a"], &["b"]]);
    world.commit(&mut log, LogName::Access, &[&["c"]]);
    assert_eq!(log.sweep(LogName::Acts, 0).expect("nothing to sweep"), 0);
    assert_eq!(world.open(LogName::Acts, 1).expect("it opens"), ["b"]);
    assert_eq!(world.open(LogName::Access, 0).expect("it opens"), ["c"]);
}

fn a_reader_sees_what_was_committed_after_it_was_opened(world: &mut World) {
    let mut log = world.lead();
    let reader = world.reader();
    assert_eq!(reader.head(LogName::Acts).expect("a head").size, 0);
    let head = world.commit(&mut log, LogName::Acts, &[&["a"]]);
    let other = reader.clone();
    assert_eq!(reader.head(LogName::Acts).expect("a head"), head);
    assert_eq!(other.head(LogName::Acts).expect("a head").root, sha256(b"acts/1"));
}
