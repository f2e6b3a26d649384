//! State rows: put, got, taken once, listed, expired.

use base::Time;
use store::{State, StateRow, StateTable};

use crate::on_both;
use crate::world::World;

on_both! {
    a_row_is_got_until_it_expires,
    a_row_is_replaced,
    a_row_is_taken_once,
    rows_are_listed_by_key,
    a_removed_row_is_gone,
    expired_rows_are_removed,
    tables_do_not_mix,
    state_is_there_after_a_restart,
}

fn row(key: &[u8], value: &[u8], ms: i64) -> StateRow {
    let expires_at = Time::from_ms(ms).expect("a time");
    StateRow { key: key.to_vec(), value: value.to_vec(), expires_at }
}

fn open(world: &World) -> State {
    State::open(&world.place).expect("state")
}

fn at(ms: i64) -> Time {
    Time::from_ms(ms).expect("a time")
}

const TABLE: StateTable = StateTable::Session;

fn a_row_is_got_until_it_expires(world: &mut World) {
    let state = open(world);
    state.put(TABLE, &row(b"k", b"v", 100)).expect("it is put");
    assert_eq!(state.get(TABLE, b"k", at(99)).expect("a read"), Some(b"v".to_vec()));
    assert_eq!(state.get(TABLE, b"k", at(100)).expect("a read"), None);
    assert_eq!(state.get(TABLE, b"other", at(0)).expect("a read"), None);
    // The clock was set back: what counts is the time given.
    assert_eq!(state.get(TABLE, b"k", at(5)).expect("a read"), Some(b"v".to_vec()));
}

fn a_row_is_replaced(world: &mut World) {
    let state = open(world);
    state.put(TABLE, &row(b"k", b"old", 100)).expect("it is put");
    state.put(TABLE, &row(b"k", b"new", 300)).expect("it is put");
    assert_eq!(state.get(TABLE, b"k", at(200)).expect("a read"), Some(b"new".to_vec()));
}

fn a_row_is_taken_once(world: &mut World) {
    let state = open(world);
    let other = open(world);
    state.put(StateTable::Challenge, &row(b"k", b"v", 100)).expect("it is put");
    state.put(StateTable::Challenge, &row(b"late", b"v", 50)).expect("it is put");
    let take = |state: &State, key: &[u8], ms| {
        state.take(StateTable::Challenge, key, at(ms)).expect("a read")
    };
    assert_eq!(take(&state, b"k", 60), Some(b"v".to_vec()));
    assert_eq!(take(&state, b"k", 60), None);
    assert_eq!(take(&other, b"k", 60), None, "another connection agrees");
    assert_eq!(take(&state, b"late", 60), None);

    // Of many that take at once, one is given it.
    state.put(StateTable::Challenge, &row(b"k", b"v", 100)).expect("it is put");
    let taken = std::thread::scope(|scope| {
        let threads: Vec<_> =
            [&state, &other, &state].map(|s| scope.spawn(|| take(s, b"k", 1))).into();
        threads.into_iter().filter_map(|thread| thread.join().expect("no panic")).count()
    });
    assert_eq!(taken, 1);
}

fn rows_are_listed_by_key(world: &mut World) {
    let state = open(world);
    for (key, ms) in [(b"b", 100), (b"a", 200), (b"c", 300)] {
        state.put(TABLE, &row(key, b"v", ms)).expect("it is put");
    }
    let keys = |ms, limit| -> Vec<Vec<u8>> {
        let rows = state.list(TABLE, at(ms), limit).expect("a list");
        rows.into_iter().map(|row| row.key).collect()
    };
    assert_eq!(keys(0, 10), [b"a", b"b", b"c"]);
    assert_eq!(keys(0, 2), [b"a", b"b"]);
    assert_eq!(keys(100, 10), [b"a", b"c"]);
    assert_eq!(state.list(TABLE, at(250), 1).expect("a list"), [row(b"c", b"v", 300)]);
}

fn a_removed_row_is_gone(world: &mut World) {
    let state = open(world);
    state.put(TABLE, &row(b"k", b"v", 100)).expect("it is put");
    state.remove(TABLE, b"k").expect("it is removed");
    state.remove(TABLE, b"k").expect("it is removed already");
    assert_eq!(state.get(TABLE, b"k", at(0)).expect("a read"), None);
}

fn expired_rows_are_removed(world: &mut World) {
    let state = open(world);
    for (key, ms) in [(b"a", 100), (b"b", 101), (b"c", 50)] {
        state.put(TABLE, &row(key, b"v", ms)).expect("it is put");
    }
    assert_eq!(state.expire(TABLE, at(100)).expect("they expire"), 2);
    assert_eq!(state.expire(TABLE, at(100)).expect("none expires"), 0);
    assert_eq!(state.list(TABLE, at(0), 10).expect("a list"), [row(b"b", b"v", 101)]);
}

fn tables_do_not_mix(world: &mut World) {
    let state = open(world);
    for table in StateTable::ALL {
        state.put(table, &row(b"k", table.name().as_bytes(), 100)).expect("it is put");
    }
    for table in StateTable::ALL {
        let value = state.get(table, b"k", at(0)).expect("a read");
        assert_eq!(value.as_deref(), Some(table.name().as_bytes()));
    }
}

fn state_is_there_after_a_restart(world: &mut World) {
    open(world).put(TABLE, &row(b"k", b"v", 100)).expect("it is put");
    assert_eq!(open(world).get(TABLE, b"k", at(0)).expect("a read"), Some(b"v".to_vec()));
}
