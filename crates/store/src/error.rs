//! What a disk, a database or a key provider refused.

use std::path::PathBuf;

/// A fault of the rim. The cause is kept and printed once, where the fault is handled.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("data directory `{0}` is in use by another process")]
    InUse(PathBuf),
    #[error("`{path}` cannot be {what}")]
    Io { path: PathBuf, what: &'static str, source: std::io::Error },
    #[error("database refused to {what}")]
    Sqlite { what: &'static str, source: rusqlite::Error },
    #[error("PostgreSQL refused to {what}")]
    Postgres { what: &'static str, source: postgres::Error },
    #[error("another leader holds the ledger")]
    NotLeader,
    #[error("this leader was replaced: epoch {0} is over")]
    Fenced(u64),
    #[error("connection was lost while a batch was being committed: its outcome is unknown")]
    InDoubt(#[source] postgres::Error),
    #[error("log has {size} entries, but a checkpoint of {seen} was signed or witnessed before")]
    RolledBack { size: u64, seen: u64 },
    #[error("entry {0} is damaged")]
    Damaged(u64, #[source] ledger::format::FormatError),
    #[error("entry {0} is missing")]
    Missing(u64),
    #[error("secret {slot} of entry {sequence} is missing, and no entry says that it was erased")]
    SecretMissing { sequence: u64, slot: u8 },
    #[error("secret {slot} of entry {sequence} cannot be unwrapped")]
    Unwrap { sequence: u64, slot: u8, source: base::crypto::Error },
    #[error("key `{0}` is missing at the key provider")]
    KeyMissing(String),
    #[error("key `{0}` has a wrong form")]
    KeyForm(String),
    #[error("shred key of week {0} was destroyed")]
    Shredded(u32),
    #[error("cryptographic module failed")]
    Crypto(#[from] base::crypto::Error),
    #[error("stored `{0}` cannot be read")]
    Form(&'static str),
}

impl Error {
    /// Wraps a fault of SQLite with what was attempted.
    pub fn sqlite(what: &'static str) -> impl FnOnce(rusqlite::Error) -> Self {
        move |source| Self::Sqlite { what, source }
    }

    /// Wraps a fault of PostgreSQL with what was attempted.
    pub fn postgres(what: &'static str) -> impl FnOnce(postgres::Error) -> Self {
        move |source| Self::Postgres { what, source }
    }

    /// Wraps a fault of the file system.
    pub fn io(path: impl Into<PathBuf>, what: &'static str) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { path, what, source }
    }

    /// Whether the log's own state is unknown, so that the process must take the start path again.
    pub const fn in_doubt(&self) -> bool {
        matches!(self, Self::InDoubt(_) | Self::Fenced(_) | Self::NotLeader)
    }
}
