//! How every SQLite file of a node is opened.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use crate::Error;

/// How a file promises to keep what was committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// `synchronous=FULL`: a committed transaction survives power loss.
    Full,
    /// `synchronous=NORMAL`: the last transactions may be lost, the file stays whole. For views and
    /// state, which can be made again.
    Rebuildable,
}

/// Opens a file for writing, in WAL mode, with `secure_delete` on and a bounded WAL.
///
/// # Errors
/// [`Error::Sqlite`] when the file cannot be opened, [`Error::Corrupt`] when it is no database,
/// [`Error::NoWal`] when its file system cannot keep that promise.
pub fn open(path: &Path, durability: Durability) -> Result<Connection, Error> {
    let connection = Connection::open(path).map_err(Error::file(path, "open a file"))?;
    set_up(&connection, path, durability)?;
    connection.set_prepared_statement_cache_capacity(256);
    Ok(connection)
}

/// Sets up a connection that is no longer, or not yet, as [`open`] leaves it.
///
/// # Errors
/// As [`open`].
pub fn set_up(connection: &Connection, path: &Path, durability: Durability) -> Result<(), Error> {
    let what = "set up a file";
    let mode: String = connection
        .query_row("PRAGMA journal_mode=WAL", [], |r| r.get(0))
        .map_err(Error::file(path, what))?;
    if mode != "wal" {
        return Err(Error::NoWal(path.to_owned()));
    }
    let synchronous = match durability {
        Durability::Full => "FULL",
        Durability::Rebuildable => "NORMAL",
    };
    let pragmas = format!(
        "PRAGMA synchronous={synchronous}; PRAGMA secure_delete=ON; PRAGMA foreign_keys=ON;
         PRAGMA temp_store=MEMORY; PRAGMA cell_size_check=ON;
         PRAGMA wal_autocheckpoint=4000; PRAGMA journal_size_limit=67108864;
         PRAGMA cache_size=-32768; PRAGMA trusted_schema=OFF;"
    );
    connection.execute_batch(&pragmas).map_err(Error::file(path, what))
}

/// Opens a file for reading beside its writer.
///
/// # Errors
/// [`Error::Sqlite`] when the file cannot be opened.
pub fn open_reader(path: &Path) -> Result<Connection, Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_URI;
    let connection =
        Connection::open_with_flags(path, flags).map_err(Error::file(path, "open a file"))?;
    connection
        .execute_batch(
            "PRAGMA query_only=ON; PRAGMA cache_size=-16384; PRAGMA mmap_size=268435456;
             PRAGMA busy_timeout=5000; PRAGMA trusted_schema=OFF;",
        )
        .map_err(Error::file(path, "set up a reader"))?;
    connection.set_prepared_statement_cache_capacity(256);
    Ok(connection)
}
