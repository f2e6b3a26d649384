//! State: small, mutable rows whose loss costs convenience, never truth.
//!
//! Every table has the same shape; ARCHITECTURE.md lists them by name. A revocation entry in the
//! ledger wins over any row here.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use base::Time;
use postgres::NoTls;
use rusqlite::{Connection, OptionalExtension, params};

use crate::Error;
use crate::log::Place;
use crate::sqlite::{Durability, open};

/// The tables of state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StateTable {
    /// Signed-in sessions, by digest of their token.
    Session,
    /// Challenges given out and not yet answered.
    Challenge,
    /// Drafts, sealed to their author.
    Draft,
    /// Settings of a person's client.
    Preference,
    /// Uploads in progress.
    Upload,
    /// Outbox: deliveries to the outside, not yet done.
    Delivery,
    /// Published keys of encrypted conversations.
    KeyPackage,
    /// Keys under which cursors are sealed, two generations.
    CursorKey,
    /// The size and root of the last checkpoint signed: the second copy.
    Signed,
}

impl StateTable {
    /// Every table.
    pub const ALL: [Self; 9] = [
        Self::Session,
        Self::Challenge,
        Self::Draft,
        Self::Preference,
        Self::Upload,
        Self::Delivery,
        Self::KeyPackage,
        Self::CursorKey,
        Self::Signed,
    ];

    /// The table's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Challenge => "challenge",
            Self::Draft => "draft",
            Self::Preference => "preference",
            Self::Upload => "upload",
            Self::Delivery => "delivery",
            Self::KeyPackage => "key_package",
            Self::CursorKey => "cursor_key",
            Self::Signed => "signed",
        }
    }
}

/// One row of a state table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateRow {
    pub key: Vec<u8>,
    pub value: Vec<u8>,
    /// After this time the row is as if it were not there.
    pub expires_at: Time,
}

/// The state of a node, beside its log.
pub enum State {
    Sqlite(Mutex<Connection>),
    Postgres(Mutex<postgres::Client>),
}

impl State {
    /// Opens the state beside the log.
    ///
    /// # Errors
    /// The backend's own fault.
    pub fn open(place: &Place) -> Result<Self, Error> {
        let make = |table: StateTable, kinds: [&str; 3]| {
            let [bytes, number, end] = kinds;
            let name = table.name();
            format!(
                "CREATE TABLE IF NOT EXISTS {name} (key {bytes} PRIMARY KEY,
                 value {bytes} NOT NULL, expires_at {number} NOT NULL){end};"
            )
        };
        match place {
            Place::Sqlite { directory } => {
                let connection =
                    open(&Path::new(directory).join("state.db"), Durability::Rebuildable)?;
                for table in StateTable::ALL {
                    connection
                        .execute_batch(&make(table, ["BLOB", "INTEGER", " STRICT"]))
                        .map_err(Error::sqlite("make a state table"))?;
                }
                Ok(Self::Sqlite(Mutex::new(connection)))
            }
            Place::Postgres { url } => {
                let mut client =
                    postgres::Client::connect(url, NoTls).map_err(Error::postgres("connect"))?;
                client
                    .batch_execute("CREATE SCHEMA IF NOT EXISTS muster_state")
                    .and_then(|()| client.batch_execute("SET search_path TO muster_state"))
                    .map_err(Error::postgres("make the state schema"))?;
                for table in StateTable::ALL {
                    client
                        .batch_execute(&make(table, ["BYTEA", "BIGINT", ""]))
                        .map_err(Error::postgres("make a state table"))?;
                }
                Ok(Self::Postgres(Mutex::new(client)))
            }
        }
    }

    /// Writes a row, replacing one of the same key.
    ///
    /// # Errors
    /// The backend's own fault.
    pub fn put(&self, table: StateTable, row: &StateRow) -> Result<(), Error> {
        let statement = format!(
            "INSERT INTO {} (key, value, expires_at) VALUES ($1, $2, $3)
             ON CONFLICT (key) DO UPDATE SET value = $2, expires_at = $3",
            table.name()
        );
        let at = row.expires_at.ms();
        match self {
            Self::Sqlite(c) => lock(c)
                .execute(&statement, params![row.key, row.value, at])
                .map(drop)
                .map_err(Error::sqlite("write state")),
            Self::Postgres(c) => lock(c)
                .execute(&statement, &[&row.key, &row.value, &at])
                .map(drop)
                .map_err(Error::postgres("write state")),
        }
    }

    /// Reads a row that has not expired at `at`.
    ///
    /// # Errors
    /// The backend's own fault.
    pub fn get(&self, table: StateTable, key: &[u8], at: Time) -> Result<Option<Vec<u8>>, Error> {
        let statement =
            format!("SELECT value FROM {} WHERE key = $1 AND expires_at > $2", table.name());
        match self {
            Self::Sqlite(c) => lock(c)
                .query_row(&statement, params![key, at.ms()], |r| r.get(0))
                .optional()
                .map_err(Error::sqlite("read state")),
            Self::Postgres(c) => lock(c)
                .query_opt(&statement, &[&key, &at.ms()])
                .map(|row| row.map(|row| row.get(0)))
                .map_err(Error::postgres("read state")),
        }
    }

    /// Removes a row and returns it, so that what is single-use is used once.
    ///
    /// # Errors
    /// The backend's own fault.
    pub fn take(&self, table: StateTable, key: &[u8], at: Time) -> Result<Option<Vec<u8>>, Error> {
        let statement = format!(
            "DELETE FROM {} WHERE key = $1 AND expires_at > $2 RETURNING value",
            table.name()
        );
        match self {
            Self::Sqlite(c) => lock(c)
                .query_row(&statement, params![key, at.ms()], |r| r.get(0))
                .optional()
                .map_err(Error::sqlite("take state")),
            Self::Postgres(c) => lock(c)
                .query_opt(&statement, &[&key, &at.ms()])
                .map(|row| row.map(|row| row.get(0)))
                .map_err(Error::postgres("take state")),
        }
    }

    /// Every row of a table that has not expired, by key; at most `limit`.
    ///
    /// # Errors
    /// The backend's own fault.
    pub fn list(&self, table: StateTable, at: Time, limit: u32) -> Result<Vec<StateRow>, Error> {
        let statement = format!(
            "SELECT key, value, expires_at FROM {} WHERE expires_at > $1 ORDER BY key LIMIT $2",
            table.name()
        );
        match self {
            Self::Sqlite(c) => {
                let connection = lock(c);
                let what = "list state";
                let mut select = connection.prepare(&statement).map_err(Error::sqlite(what))?;
                let rows = select
                    .query_map(params![at.ms(), limit], |r| {
                        Ok((r.get(0)?, r.get(1)?, r.get::<_, i64>(2)?))
                    })
                    .map_err(Error::sqlite(what))?;
                rows.map(|row| row.map(state_row))
                    .collect::<rusqlite::Result<_>>()
                    .map_err(Error::sqlite(what))
            }
            Self::Postgres(c) => {
                let rows = lock(c)
                    .query(&statement, &[&at.ms(), &i64::from(limit)])
                    .map_err(Error::postgres("list state"))?;
                Ok(rows.iter().map(|r| state_row((r.get(0), r.get(1), r.get(2)))).collect())
            }
        }
    }

    /// Removes a row.
    ///
    /// # Errors
    /// The backend's own fault.
    pub fn remove(&self, table: StateTable, key: &[u8]) -> Result<(), Error> {
        let statement = format!("DELETE FROM {} WHERE key = $1", table.name());
        match self {
            Self::Sqlite(c) => lock(c)
                .execute(&statement, params![key])
                .map(drop)
                .map_err(Error::sqlite("remove state")),
            Self::Postgres(c) => lock(c)
                .execute(&statement, &[&key])
                .map(drop)
                .map_err(Error::postgres("remove state")),
        }
    }
}

fn state_row((key, value, at): (Vec<u8>, Vec<u8>, i64)) -> StateRow {
    StateRow { key, value, expires_at: Time::from_ms(at).unwrap_or(Time::MAX) }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
