//! Crash loops on both backends: whatever was acknowledged is there, once, after any end.

use std::path::Path;

use store::log::Place;
use testkit::crash;
use testkit::postgres::TemporaryPostgres;
use testkit::world::scratch;

fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_simulate"))
}

#[test]
fn no_acknowledged_act_is_lost_on_sqlite() {
    let directory = scratch();
    let place = Place::Sqlite { directory: directory.join("store") };
    let outcome = crash::run(program(), &directory, &place, (7, 20), None);
    assert_eq!(outcome.loops, 20);
    assert!(outcome.acknowledged > 100 && outcome.read > 20, "{outcome:?}");
    std::fs::remove_dir_all(&directory).expect("removed");
}

#[test]
fn no_acknowledged_act_is_lost_on_postgresql() {
    let directory = scratch();
    let cluster = TemporaryPostgres::start().expect("PostgreSQL");
    let url = cluster.create_database("crash").expect("a database");
    let outcome = crash::run(program(), &directory, &Place::Postgres { url }, (11, 20), None);
    assert_eq!(outcome.loops, 20);
    assert!(outcome.acknowledged > 100 && outcome.read > 20, "{outcome:?}");
    std::fs::remove_dir_all(&directory).expect("removed");
}
