//! Live secrets move to the key of the week; what was erased does not come back.

use base::Time;
use store::log::Page;
use store::secrets::Rewrapped;
use store::{Keyring, Log, LogName};

use crate::on_both;
use crate::world::{WEEK, World};

on_both! {
    everything_opens_after_the_old_key_is_destroyed,
    pages_are_bounded_and_continue,
    secrets_of_the_week_are_left_alone,
    a_secret_that_cannot_be_unwrapped_holds_its_key,
}

/// Wraps a whole log anew; how many rows each page moved.
fn rewrap(world: &mut World, log: &mut Log, name: LogName, at: Time) -> Vec<Rewrapped> {
    let mut pages = Vec::new();
    let mut from = Some(0);
    while let Some(start) = from {
        let page = Page { log: name, from: start, limit: 4 };
        let outcome = log.rewrap(page, &world.keys, at, &mut world.entropy).expect("a page");
        from = outcome.next;
        pages.push(outcome);
    }
    pages
}

fn everything_opens_after_the_old_key_is_destroyed(world: &mut World) {
    let mut log = world.lead();
    for name in LogName::ALL {
        world.commit(&mut log, name, &[&["a", "b"], &["c"], &[]]);
    }
    let first = Keyring::week(world.at);
    let erased = world.slot_of(LogName::Acts, 0, "a");
    log.erase(&[erased]).expect("it is erased");
    let header = world.slot_of(LogName::Talk, 1, "c");
    let all = world.reader().secrets(LogName::Talk, 1, 1).expect("secrets").remove(0);
    let whole: Vec<_> =
        all.secrets.iter().map(|(slot, _)| store::log::Erase { slot: *slot, ..header }).collect();
    log.erase(&whole).expect("all of an entry is erased");

    world.at = world.at.plus_ms(6 * WEEK);
    for name in LogName::ALL {
        rewrap(world, &mut log, name, world.at);
    }
    let outcome = log.destroy_shred_keys(&world.keys, world.at).expect("destroyed");
    assert_eq!((outcome.weeks, outcome.held), (vec![first], Vec::new()));
    drop(log);
    world.reopen_keys();
    world.lead();
    assert_eq!(world.open(LogName::Acts, 0).expect("it opens"), ["b"]);
    assert_eq!(world.open(LogName::Acts, 1).expect("it opens"), ["c"]);
    assert_eq!(world.open(LogName::Access, 0).expect("it opens").len(), 2);
    let gone = world.reader().secrets(LogName::Talk, 1, 1).expect("secrets").remove(0);
    assert_eq!((gone.week, gone.secrets), (first + 6, Vec::new()));
}

fn pages_are_bounded_and_continue(world: &mut World) {
    let mut log = world.lead();
    let bodies: Vec<&[&str]> = vec![&["a"]; 10];
    world.commit(&mut log, LogName::Acts, &bodies);
    world.commit(&mut log, LogName::Access, &[&["b"]]);
    let at = world.at.plus_ms(WEEK);
    let pages = rewrap(world, &mut log, LogName::Acts, at);
    let page = |next, wrapped| Rewrapped { next, wrapped, failed: Vec::new() };
    assert_eq!(pages, [page(Some(4), 4), page(Some(8), 4), page(None, 2)]);
    let week = |log| world.reader().secrets(log, 0, 1).expect("secrets")[0].week;
    assert_eq!(week(LogName::Acts), Keyring::week(at));
    assert_eq!(week(LogName::Access), Keyring::week(world.at), "another log is left alone");
}

fn secrets_of_the_week_are_left_alone(world: &mut World) {
    let mut log = world.lead();
    world.commit(&mut log, LogName::Acts, &[&["a"]]);
    let before = world.reader().secrets(LogName::Acts, 0, 1).expect("secrets");
    let pages = rewrap(world, &mut log, LogName::Acts, world.at);
    assert_eq!(pages, [Rewrapped::default()]);
    assert_eq!(world.reader().secrets(LogName::Acts, 0, 1).expect("secrets"), before);
    let empty = rewrap(world, &mut log, LogName::Talk, world.at);
    assert_eq!(empty, [Rewrapped::default()]);
}

fn a_secret_that_cannot_be_unwrapped_holds_its_key(world: &mut World) {
    let mut log = world.lead();
    world.commit(&mut log, LogName::Acts, &[&["a"], &["b"], &["c"]]);
    world.sql(
        "secrets.db",
        "UPDATE secret SET wrapped = zeroblob(61) WHERE place = 0;
         UPDATE secret SET wrapped = zeroblob(60) WHERE place = 2;",
        "UPDATE muster_secret.secret SET wrapped = decode(repeat('00', 61), 'hex')
         WHERE sequence = 0;
         UPDATE muster_secret.secret SET wrapped = decode(repeat('00', 60), 'hex')
         WHERE sequence = 2",
    );
    let week = Keyring::week(world.at);
    let at = world.at.plus_ms(6 * WEEK);
    let pages = rewrap(world, &mut log, LogName::Acts, at);
    assert_eq!(pages, [Rewrapped { next: None, wrapped: 1, failed: vec![0, 2] }]);
    let outcome = log.destroy_shred_keys(&world.keys, at).expect("it is held");
    assert_eq!(outcome.held, [week]);
    assert_eq!(world.open(LogName::Acts, 1).expect("it opens"), ["b"]);
}
