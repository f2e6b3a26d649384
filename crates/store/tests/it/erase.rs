//! An erasure destroys one secret, for good, and nothing beside it.

use std::fs;

use ledger::portion::HEADER_SLOT;
use store::log::{Erase, StoredSecrets};
use store::secrets::{SecretPlace, unwrap};
use store::{Error, Keyring, LogName, Wrapped};

use crate::on_both;
use crate::world::{World, stand_in_files};

on_both! {
    an_erasure_removes_one_secret,
    an_erasure_in_a_batch_is_durable_with_it,
    erasing_twice_is_the_same,
    a_wrapped_secret_opens_nowhere_else,
    a_secret_whose_key_is_lost_is_not_called_erased,
}

fn wrapped(world: &World, erase: Erase) -> Option<Wrapped> {
    let stored = world.reader().secrets_at(erase.log, &[erase.sequence]).expect("secrets");
    let found = stored[0].secrets.iter().find(|(slot, _)| *slot == erase.slot);
    found.map(|(_, wrapped)| wrapped.clone())
}

fn an_erasure_removes_one_secret(world: &mut World) {
    let mut log = world.lead();
    world.commit(&mut log, LogName::Acts, &[&["a", "b", "c"], &["d"]]);
    let erased = world.slot_of(LogName::Acts, 0, "b");
    let entry = world.reader().entries(LogName::Acts, 0, 1).expect("an entry");
    log.erase(&[erased]).expect("it is erased");
    drop(log);

    world.lead();
    assert_eq!(wrapped(world, erased), None);
    let mut bodies = world.open(LogName::Acts, 0).expect("it opens");
    bodies.sort_unstable();
    assert_eq!(bodies, ["a", "c"]);
    assert_eq!(world.open(LogName::Acts, 1).expect("it opens"), ["d"]);
    assert_eq!(world.reader().entries(LogName::Acts, 0, 1).expect("an entry"), entry);
}

fn an_erasure_in_a_batch_is_durable_with_it(world: &mut World) {
    let mut log = world.lead();
    let acts = world.commit(&mut log, LogName::Acts, &[&["a"]]);
    world.commit(&mut log, LogName::Talk, &[&["b", "c"]]);
    let erased = [world.slot_of(LogName::Acts, 0, "a"), world.slot_of(LogName::Talk, 0, "c")];
    let mut batch = world.batch(LogName::Acts, &acts, &[&["an order"]]);
    batch.erased = erased.to_vec();
    log.commit(&batch).expect("a batch is committed");
    assert_eq!(erased.map(|erase| wrapped(world, erase)), [None, None]);
    assert_eq!(world.open(LogName::Acts, 0).expect("it opens"), Vec::<String>::new());
    assert_eq!(world.open(LogName::Talk, 0).expect("it opens"), ["b"]);
}

fn erasing_twice_is_the_same(world: &mut World) {
    let mut log = world.lead();
    world.commit(&mut log, LogName::Acts, &[&["a", "b"]]);
    let erased = world.slot_of(LogName::Acts, 0, "a");
    log.erase(&[erased]).expect("it is erased");
    let once = world.reader().secrets(LogName::Acts, 0, 1).expect("secrets");
    log.erase(&[erased, erased]).expect("it is erased");
    log.erase(&[Erase { slot: 63, ..erased }]).expect("no such slot");
    log.erase(&[Erase { sequence: 99, ..erased }]).expect("no such entry");
    log.erase(&[]).expect("nothing");
    assert_eq!(world.reader().secrets(LogName::Acts, 0, 9).expect("secrets"), once);
}

fn a_wrapped_secret_opens_nowhere_else(world: &mut World) {
    let mut log = world.lead();
    world.commit(&mut log, LogName::Acts, &[&["a"], &["b"]]);
    let week = Keyring::week(world.at);
    world.keys.shred_key(week + 1, Some(&mut world.entropy)).expect("a key of another week");
    let place = SecretPlace { log: LogName::Acts, sequence: 0, slot: HEADER_SLOT, week };
    let own = wrapped(world, Erase { log: place.log, sequence: 0, slot: place.slot });
    let own = own.expect("a header's secret");
    unwrap(&world.keys, place, &own).expect("it opens in its place");
    let elsewhere = [
        SecretPlace { log: LogName::Talk, ..place },
        SecretPlace { sequence: 1, ..place },
        SecretPlace { slot: 0, ..place },
        SecretPlace { week: week + 1, ..place },
    ];
    for place in elsewhere {
        let fault = unwrap(&world.keys, place, &own).expect_err("it is elsewhere");
        assert!(matches!(fault, Error::Unwrap { .. }), "{place:?}: {fault:?}");
    }

    // The same in the database: two entries' rows are exchanged.
    world.sql(
        "secrets.db",
        "UPDATE secret SET wrapped = (SELECT wrapped FROM secret WHERE place = 1) WHERE place = 0",
        "UPDATE muster_secret.secret SET wrapped =
         (SELECT wrapped FROM muster_secret.secret WHERE sequence = 1) WHERE sequence = 0",
    );
    let stored: StoredSecrets =
        world.reader().secrets(LogName::Acts, 0, 1).expect("secrets").remove(0);
    let fault = stored.unwrap(&world.keys, LogName::Acts).expect_err("they are another's");
    assert!(matches!(fault, Error::Unwrap { sequence: 0, .. }), "{fault:?}");
}

fn a_secret_whose_key_is_lost_is_not_called_erased(world: &mut World) {
    let mut log = world.lead();
    world.commit(&mut log, LogName::Acts, &[&["a"]]);
    let stored = world.reader().secrets(LogName::Acts, 0, 1).expect("secrets").remove(0);
    let week = Keyring::week(world.at);
    fs::remove_file(world.path(&format!("keys/shred/shred-{week}.key"))).expect("a key");
    world.reopen_keys();
    let fault = stored.unwrap(&world.keys, LogName::Acts).expect_err("its key is lost");
    assert!(matches!(fault, Error::KeyMissing(_)), "{fault:?}");
}

#[test]
fn an_erasure_that_fails_behind_a_durable_batch_leaves_the_outcome_in_doubt() {
    let mut world = World::sqlite();
    let mut log = world.lead();
    let head = world.commit(&mut log, LogName::Acts, &[&["a"]]);
    let erased = world.slot_of(LogName::Acts, 0, "a");
    let refuse = "CREATE TRIGGER refuse BEFORE UPDATE ON secret
        BEGIN SELECT RAISE(ABORT, 'a disk that fails'); END";
    world.sql("secrets.db", refuse, "");
    let mut batch = world.batch(LogName::Acts, &head, &[&["an order"]]);
    batch.erased = vec![erased];
    let fault = log.commit(&batch).expect_err("the secret cannot be destroyed");
    assert!(matches!(fault, Error::InDoubt(_)) && fault.in_doubt(), "{fault:?}");
    drop(log);

    // The order is durable, and the start carries it out again.
    world.sql("secrets.db", "DROP TRIGGER refuse", "");
    let mut log = world.lead();
    assert_eq!(log.head(LogName::Acts).expect("a head").size, 2);
    assert!(wrapped(&world, erased).is_some());
    log.erase(&[erased]).expect("it is erased");
    assert_eq!(wrapped(&world, erased), None);
}

/// Wipes on SQLite only: PostgreSQL leaves old rows to its vacuum, where they die by their key.
#[test]
fn erased_bytes_are_in_no_file_of_the_directory() {
    let mut world = World::sqlite();
    let mut log = world.lead();
    let bodies: Vec<&[&str]> = vec![&["a", "b", "c", "d", "e", "f"]; 60];
    world.commit(&mut log, LogName::Acts, &bodies);
    let reader = world.reader();
    let data = world.data().expect("a directory").to_owned();
    let mut gone = Vec::new();
    for stored in reader.secrets(LogName::Acts, 0, 60).expect("secrets") {
        let (slot, wrapped) = &stored.secrets[usize::try_from(stored.sequence % 6).expect("few")];
        let erase = Erase { log: LogName::Acts, sequence: stored.sequence, slot: *slot };
        gone.push((erase, wrapped.0));
    }
    assert!(gone.iter().all(|(_, bytes)| stand_in_files(&data, bytes)));
    let erased: Vec<Erase> = gone.iter().map(|(erase, _)| *erase).collect();
    log.erase(&erased).expect("they are erased");
    for (erase, bytes) in &gone {
        assert!(!stand_in_files(&data, bytes), "{erase:?}");
    }
}

#[test]
fn what_a_reader_held_up_is_wiped_with_the_next_batch() {
    let mut world = World::sqlite();
    let mut log = world.lead();
    world.commit(&mut log, LogName::Acts, &[&["a"]]);
    let data = world.data().expect("a directory").to_owned();
    let erased = world.slot_of(LogName::Acts, 0, "a");
    let bytes = wrapped(&world, erased).expect("a secret").0;
    let held = rusqlite::Connection::open(data.join("secrets.db")).expect("a file");
    held.execute_batch("BEGIN; SELECT count(*) FROM secret;").expect("a long read");
    log.erase(&[erased]).expect("it is erased");
    assert!(stand_in_files(&data, &bytes), "the reader still sees it");
    held.execute_batch("COMMIT").expect("the read ends");
    world.commit(&mut log, LogName::Acts, &[&["b"]]);
    assert!(!stand_in_files(&data, &bytes));
}
