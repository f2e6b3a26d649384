//! One leader at a time; an old one cannot write.

use std::fs;

use store::log::Page;
use store::{Error, Log, LogName, Place, State};

use crate::on_both;
use crate::world::{World, client};

on_both! {
    a_second_leader_is_refused,
    each_leader_raises_the_epoch,
    what_was_committed_is_there_after_a_restart,
}

fn a_second_leader_is_refused(world: &mut World) {
    let log = world.lead();
    let refused = Log::lead(&world.place).err().expect("there is a leader");
    match &world.place {
        Place::Sqlite { directory } => {
            assert!(matches!(refused, Error::InUse(path) if path == *directory));
        }
        Place::Postgres { .. } => assert!(matches!(refused, Error::NotLeader)),
    }
    drop(log);
    world.lead();
}

fn each_leader_raises_the_epoch(world: &mut World) {
    for epoch in 1..=3 {
        let mut log = world.lead();
        for name in LogName::ALL {
            assert_eq!(log.head(name).expect("a head").epoch, epoch);
        }
    }
}

fn what_was_committed_is_there_after_a_restart(world: &mut World) {
    let mut log = world.lead();
    let head = world.commit(&mut log, LogName::Acts, &[&["a"]]);
    drop(log);
    let mut log = world.lead();
    let now = log.head(LogName::Acts).expect("a head");
    assert_eq!((now.size, now.root, now.epoch), (head.size, head.root, head.epoch + 1));
    assert_eq!(world.open(LogName::Acts, 0).expect("it opens"), ["a"]);
}

/// Ends the connection of every leader, as a failed network would; they do not notice.
fn cut_leaders(url: &str) {
    let statement = "SELECT pg_terminate_backend(pid) FROM pg_locks
        WHERE locktype = 'advisory' AND pid <> pg_backend_pid()
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    let cut = client(url).query(statement, &[]).expect("leaders are cut");
    assert_eq!(cut.len(), 1);
}

fn url(world: &World) -> &str {
    match &world.place {
        Place::Postgres { url } => url,
        Place::Sqlite { .. } => panic!("a node on PostgreSQL"),
    }
}

#[test]
fn a_leader_that_was_cut_off_writes_nothing() {
    let mut world = World::postgres();
    let mut old = world.lead();
    let head = world.commit(&mut old, LogName::Acts, &[&["a", "b"]]);
    let erased = world.slot_of(LogName::Acts, 0, "a");
    cut_leaders(url(&world));
    let mut new = world.lead();

    let late = world.batch(LogName::Acts, &head, &[&["late"]]);
    let fault = old.commit(&late).expect_err("it is no leader");
    assert!(matches!(fault, Error::Lost(_)) && fault.in_doubt(), "{fault:?}");
    let fault = old.erase(&[erased]).expect_err("it is no leader");
    assert!(fault.in_doubt(), "{fault:?}");
    assert_eq!(new.head(LogName::Acts).expect("a head").size, 1);
    assert_eq!(world.open(LogName::Acts, 0).expect("it opens").len(), 2);
}

#[test]
fn a_leader_of_an_old_epoch_is_fenced() {
    let mut world = World::postgres();
    let mut old = world.lead();
    let head = world.commit(&mut old, LogName::Acts, &[&["a", "b"]]);
    let erased = world.slot_of(LogName::Acts, 0, "a");
    let secrets = world.reader().secrets(LogName::Acts, 0, 10).expect("secrets");
    // Another leader came and went while this one was paused, and its lock with it.
    client(url(&world)).batch_execute("UPDATE muster.head SET epoch = epoch + 1").expect("SQL");

    let late = world.batch(LogName::Acts, &head, &[&["late"]]);
    assert!(matches!(old.commit(&late), Err(Error::Fenced(1))));
    assert!(matches!(old.erase(&[erased]), Err(Error::Fenced(1))));
    let page = Page { log: LogName::Acts, from: 0, limit: 10 };
    let rewrapped = old.rewrap(page, &world.keys, world.at, &mut world.entropy);
    assert!(matches!(rewrapped, Err(Error::Fenced(1))));
    let reader = world.reader();
    assert_eq!(reader.entries(LogName::Acts, 0, 10).expect("entries").len(), 1);
    assert_eq!(reader.secrets(LogName::Acts, 0, 10).expect("secrets"), secrets);
}

#[test]
fn a_directory_that_cannot_be_written_is_named() {
    let world = World::sqlite();
    let file = world.path("file");
    fs::write(&file, b"not a directory").expect("a file");
    for directory in [file.join("data"), file.clone()] {
        let place = Place::Sqlite { directory };
        let fault = Log::lead(&place).err().expect("it is no directory");
        assert!(matches!(fault, Error::Io { .. }), "{fault:?}");
        assert!(fault.to_string().contains("/file"), "{fault}");
        assert!(State::open(&place).is_err());
    }
}

#[test]
fn a_server_that_does_not_answer_is_no_lost_leader() {
    let place = Place::Postgres { url: "postgresql://muster@127.0.0.1:1/none".to_owned() };
    let fault = Log::lead(&place).err().expect("nobody is there");
    assert!(matches!(fault, Error::Postgres { what: "connect", .. }), "{fault:?}");
    let place = Place::Postgres { url: "no connection string".to_owned() };
    assert!(matches!(Log::lead(&place), Err(Error::Postgres { .. })));
}
