//! State: small, mutable rows whose loss costs convenience, never truth.
//!
//! Every table has the same shape; ARCHITECTURE.md lists them by name. A revocation entry in the
//! ledger wins over any row here.

use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};

use base::Time;
use rusqlite::{Connection, OptionalExtension, params};

use crate::Error;
use crate::keys::make_directory;
use crate::log::Place;
use crate::postgres_log::connect;
use crate::sqlite::{Durability, open};

/// The tables of state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StateTable {
    /// Signed-in sessions, by digest of their token.
    Session,
    /// Challenges given out and not yet answered.
    Challenge,
    /// The last signature counter of each passkey that counts.
    Counter,
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
    pub const ALL: [Self; 10] = [
        Self::Session,
        Self::Challenge,
        Self::Counter,
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
            Self::Counter => "counter",
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
    Postgres(Box<Mutex<PostgresState>>),
}

/// A connection to state, made anew when it was lost.
pub struct PostgresState {
    url: String,
    client: postgres::Client,
}

impl PostgresState {
    fn open(url: &str) -> Result<Self, Error> {
        let mut client = connect(url)?;
        client.batch_execute(&postgres_schema()).map_err(Error::postgres("make state tables"))?;
        client
            .batch_execute(&format!("SET search_path TO {POSTGRES_SCHEMA}"))
            .map_err(Error::postgres("choose the state schema"))?;
        Ok(Self { url: url.to_owned(), client })
    }

    fn client(&mut self) -> Result<&mut postgres::Client, Error> {
        if self.client.is_closed() {
            *self = Self::open(&self.url)?;
        }
        Ok(&mut self.client)
    }
}

/// The schema of state in PostgreSQL.
pub(crate) const POSTGRES_SCHEMA: &str = "muster_state";

/// The statement that makes a table in SQLite.
pub(crate) fn sqlite_table(table: StateTable) -> String {
    let name = table.name();
    format!(
        "CREATE TABLE IF NOT EXISTS {name} (key BLOB PRIMARY KEY,
         value BLOB NOT NULL, expires_at INTEGER NOT NULL) STRICT;"
    )
}

/// The statements that make the tables in PostgreSQL.
///
/// Replicas that start together would make them at once and fail: they take turns by a lock, which
/// any fixed number names that nothing else in the database uses.
pub(crate) fn postgres_schema() -> String {
    let mut statements = format!(
        "SET LOCAL client_min_messages TO warning; SELECT pg_advisory_xact_lock({STATE_LOCK});
         CREATE SCHEMA IF NOT EXISTS {POSTGRES_SCHEMA};"
    );
    for table in StateTable::ALL {
        let name = table.name();
        // Writing to a string cannot fail.
        let _infallible = write!(
            statements,
            "CREATE TABLE IF NOT EXISTS {POSTGRES_SCHEMA}.{name} (key BYTEA PRIMARY KEY,
             value BYTEA NOT NULL, expires_at BIGINT NOT NULL);"
        );
    }
    format!("BEGIN; {statements} COMMIT")
}

const STATE_LOCK: i64 = 0x006d_7573_7465_7202;

impl State {
    /// Opens the state beside the log.
    ///
    /// # Errors
    /// The backend's own fault.
    pub fn open(place: &Place) -> Result<Self, Error> {
        match place {
            Place::Sqlite { directory } => {
                make_directory(directory)?;
                let connection = open(&directory.join("state.db"), Durability::Rebuildable)?;
                for table in StateTable::ALL {
                    connection
                        .execute_batch(&sqlite_table(table))
                        .map_err(Error::sqlite("make a state table"))?;
                }
                Ok(Self::Sqlite(Mutex::new(connection)))
            }
            Place::Postgres { url } => {
                PostgresState::open(url).map(|state| Self::Postgres(Box::new(Mutex::new(state))))
            }
        }
    }

    // Both backends share these statements, so parameters first stand in ascending order: SQLite
    // takes
    // `$1` for a name and numbers it by where it first stands.

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
                .client()?
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
                .client()?
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
            Self::Sqlite(c) => {
                // The row is given out only when it is known to be gone.
                let fault = || Error::sqlite("take state");
                let mut connection = lock(c);
                let tx = connection.transaction().map_err(fault())?;
                let value = tx
                    .query_row(&statement, params![key, at.ms()], |r| r.get(0))
                    .optional()
                    .map_err(fault())?;
                tx.commit().map_err(fault())?;
                Ok(value)
            }
            Self::Postgres(c) => lock(c)
                .client()?
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
                    .client()?
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
                .client()?
                .execute(&statement, &[&key])
                .map(drop)
                .map_err(Error::postgres("remove state")),
        }
    }

    /// Removes the rows of a table that have expired at `at`; returns how many.
    ///
    /// # Errors
    /// The backend's own fault.
    pub fn expire(&self, table: StateTable, at: Time) -> Result<u64, Error> {
        let statement = format!("DELETE FROM {} WHERE expires_at <= $1", table.name());
        match self {
            Self::Sqlite(c) => lock(c)
                .execute(&statement, params![at.ms()])
                .map(|rows| rows as u64)
                .map_err(Error::sqlite("expire state")),
            Self::Postgres(c) => lock(c)
                .client()?
                .execute(&statement, &[&at.ms()])
                .map_err(Error::postgres("expire state")),
        }
    }
}

fn state_row((key, value, at): (Vec<u8>, Vec<u8>, i64)) -> StateRow {
    StateRow { key, value, expires_at: Time::from_ms(at).unwrap_or(Time::MAX) }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
