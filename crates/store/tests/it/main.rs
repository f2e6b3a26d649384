//! The store's rules, each held on SQLite and on a PostgreSQL that the tests start.
#![cfg(test)]

mod backup;
mod blob;
mod damage;
mod erase;
mod keys;
mod leader;
mod log;
#[path = "../../../testkit/src/postgres.rs"]
mod postgres;
mod rewrap;
mod search;
mod server;
mod state;
mod world;

/// Makes two tests of each rule: one a backend.
macro_rules! on_both {
    ($($rule:ident),* $(,)?) => {
        mod on_sqlite {
            $(#[test] fn $rule() { super::$rule(&mut crate::world::World::sqlite()); })*
        }
        mod on_postgresql {
            $(#[test] fn $rule() { super::$rule(&mut crate::world::World::postgres()); })*
        }
    };
}
use on_both;
