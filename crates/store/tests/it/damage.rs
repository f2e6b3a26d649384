//! A changed byte is found by whoever opens the entry; a damaged file is named.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt;

use ledger::format::FormatError;
use store::{Error, Log, LogName, Place, Provider, State};

use crate::on_both;
use crate::world::{Fault, World};

on_both! {
    a_changed_byte_in_any_column_is_found,
    a_missing_row_is_found,
}

/// Changes the first byte of a column of entry 0, and calls for what opening it says.
fn change(world: &mut World, file: &str, column: &str, at: u32) -> Option<Fault> {
    let (sqlite, postgres) = match file {
        "secrets.db" => ("secret WHERE place = 0", "muster_secret.secret"),
        _ => ("entry WHERE place = 0", "muster.entry"),
    };
    let table = sqlite.split(' ').next().expect("a table");
    let mut outcome = None;
    for _ in 0..2 {
        let before = outcome.is_none();
        // XOR twice: what was changed is put right again.
        let connection = match &world.place {
            Place::Sqlite { directory } => {
                let c = rusqlite::Connection::open(directory.join(file)).expect("a file");
                let mut bytes: Vec<u8> = c
                    .query_row(&format!("SELECT {column} FROM {sqlite}"), [], |r| r.get(0))
                    .expect("a row");
                bytes[at as usize] ^= 1;
                c.execute(&format!("UPDATE {table} SET {column} = $1 WHERE place = 0"), [bytes])
                    .expect("SQL");
                None
            }
            Place::Postgres { url } => Some(crate::world::client(url)),
        };
        if let Some(mut client) = connection {
            client
                .batch_execute(&format!(
                    "UPDATE {postgres} SET {column} = set_byte({column}, {at},
                     get_byte({column}, {at}) # 1) WHERE log = 0 AND sequence = 0"
                ))
                .expect("SQL");
        }
        if before {
            outcome = world.open(LogName::Acts, 0).err();
        }
    }
    outcome
}

fn a_changed_byte_in_any_column_is_found(world: &mut World) {
    let mut log = world.lead();
    world.commit(&mut log, LogName::Acts, &[&["a", "b"]]);
    drop(log);
    let format = |fault: Option<Fault>| match fault {
        Some(Fault::Format(fault)) => fault,
        other => panic!("another fault: {other:?}"),
    };
    // Version, reserved byte, entry, header, payload and signature of the leaf.
    assert_eq!(format(change(world, "log.db", "leaf", 0)), FormatError::LeafVersion(0));
    assert_eq!(format(change(world, "log.db", "leaf", 3)), FormatError::Reserved);
    for at in [4, 28, 60, 92] {
        format(change(world, "log.db", "leaf", at));
    }
    format(change(world, "log.db", "header", 40));
    assert_eq!(format(change(world, "log.db", "commitments", 0)), FormatError::PayloadCommitment);
    format(change(world, "log.db", "portions", 20));
    format(change(world, "log.db", "signature", 0));
    for at in [1, 30, 60] {
        let fault = change(world, "secrets.db", "wrapped", at);
        assert!(matches!(fault, Some(Fault::Store(Error::Unwrap { .. }))), "{fault:?}");
    }
    // The length of the first portion: the row cannot be parted.
    let fault = change(world, "log.db", "portions", 1);
    assert!(matches!(fault, Some(Fault::Store(Error::Form(_)))), "{fault:?}");
    assert_eq!(world.open(LogName::Acts, 0).expect("all is right again").len(), 2);
}

fn a_missing_row_is_found(world: &mut World) {
    let mut log = world.lead();
    world.commit(&mut log, LogName::Acts, &[&["a"], &["b"]]);
    world.sql(
        "secrets.db",
        "DELETE FROM secret WHERE place = 0",
        "DELETE FROM muster_secret.secret WHERE sequence = 0",
    );
    assert!(matches!(world.open(LogName::Acts, 0), Err(Fault::Store(Error::Missing(0)))));
    assert_eq!(world.open(LogName::Acts, 1).expect("it opens"), ["b"]);
}

#[test]
fn a_damaged_file_is_named() {
    for name in ["log.db", "secrets.db", "state.db"] {
        let mut world = World::sqlite();
        let mut log = world.lead();
        world.commit(&mut log, LogName::Acts, &[&["a"]]);
        drop(log);
        drop(State::open(&world.place).expect("state"));
        let path = world.data().expect("a directory").join(name);
        let file = OpenOptions::new().write(true).open(&path).expect("a file");
        file.write_all_at(&[0xa5; 100], 0).expect("it is damaged");
        let fault = match name {
            "state.db" => State::open(&world.place).err(),
            _ => Log::lead(&world.place).err(),
        };
        let fault = fault.expect("the header is gone");
        assert!(matches!(fault, Error::Corrupt { .. }), "{fault:?}");
        assert!(fault.to_string().contains(name), "{fault}");
    }
}

#[test]
fn a_file_that_is_no_database_is_named() {
    let world = World::sqlite();
    let data = world.data().expect("a directory");
    fs::create_dir_all(data).expect("a directory");
    fs::write(data.join("log.db"), vec![b'x'; 5000]).expect("a file");
    let fault = Log::lead(&world.place).err().expect("it is no database");
    assert!(matches!(fault, Error::Corrupt { .. }), "{fault:?}");
}

#[test]
fn a_lock_that_cannot_be_had_for_another_reason_is_not_in_use() {
    let world = World::sqlite();
    let data = world.data().expect("a directory");
    fs::create_dir_all(data.join("lock")).expect("a directory");
    assert!(matches!(Log::lead(&world.place), Err(Error::Io { .. })));
    assert!(matches!(world.provider(), Provider::File { .. }));
}
