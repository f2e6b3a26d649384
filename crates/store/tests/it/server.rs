//! A PostgreSQL that is killed loses nothing that was committed, and readers go on.

use store::{Error, Log, LogName, Place, State, StateRow, StateTable};

use crate::postgres::{TemporaryDirectory, TemporaryPostgres};
use crate::world::World;

#[test]
fn a_killed_server_loses_nothing_and_its_users_go_on() {
    let server = TemporaryPostgres::start().expect("a server");
    let url = server.create_database("killed").expect("a database");
    server.create_database("killed").expect_err("there is one of that name");
    server.create_database("Not; a name").expect_err("no name of a database");
    assert!(server.url().ends_with("/postgres"));
    let directory = TemporaryDirectory::new().expect("a directory");
    let mut world = World::at(directory, Place::Postgres { url });
    let mut log = world.lead();
    let mut head = world.commit(&mut log, LogName::Acts, &[&["a"]]);
    let reader = world.reader();
    let state = State::open(&world.place).expect("state");
    let row = StateRow { key: vec![1], value: vec![2], expires_at: world.at.plus_s(1) };
    state.put(StateTable::Draft, &row).expect("it is put");

    for round in 0..2 {
        let idle = world.reader();
        if round == 0 {
            server.kill_9().expect("it is killed");
            server.kill_9().expect_err("it is dead");
        } else {
            server.stop().expect("it is stopped");
        }
        let batch = world.batch(LogName::Acts, &head, &[&["lost"]]);
        let fault = log.commit(&batch).expect_err("the server is gone");
        assert!(matches!(fault, Error::Lost(_)) && fault.in_doubt(), "{fault:?}");
        let down = Log::lead(&world.place).err().expect("the server is gone");
        assert!(matches!(down, Error::Postgres { what: "connect", .. }), "{down:?}");
        assert!(reader.head(LogName::Acts).is_err());
        server.restart().expect("it starts again");

        // The old leader stays dead; everybody else finds the server again.
        assert!(log.commit(&batch).is_err());
        assert_eq!(idle.head(LogName::Acts).expect("its connection is made anew"), head);
        assert_eq!(reader.head(LogName::Acts).expect("a head"), head);
        assert_eq!(reader.entries(LogName::Acts, 0, 9).expect("entries").len() as u64, head.size);
        let found = state.get(StateTable::Draft, &[1], world.at);
        let found = found.or_else(|_lost| state.get(StateTable::Draft, &[1], world.at));
        assert_eq!(found.expect("a read"), Some(vec![2]));
        log = world.lead();
        head = world.commit(&mut log, LogName::Acts, &[&["b"]]);
    }
    assert_eq!(world.open(LogName::Acts, 2).expect("it opens"), ["b"]);
}
