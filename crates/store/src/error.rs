//! What a disk, a database or a key provider refused.

use std::io;
use std::path::{Path, PathBuf};

use base::crypto::Digest;
use postgres::error::Severity;
use rusqlite::ErrorCode;

/// A fault of the rim. The cause is kept and printed once, where the fault is handled.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("data directory `{0}` is in use by another process")]
    InUse(PathBuf),
    #[error("`{path}` cannot be {what}")]
    Io { path: PathBuf, what: &'static str, source: io::Error },
    #[error("database refused to {what}")]
    Sqlite { what: &'static str, source: rusqlite::Error },
    #[error("`{path}` is damaged or is not a database")]
    Corrupt { path: PathBuf, source: rusqlite::Error },
    #[error("`{0}` cannot be a database here: its file system gives no write-ahead log")]
    NoWal(PathBuf),
    #[error("PostgreSQL refused to {what}")]
    Postgres { what: &'static str, source: postgres::Error },
    #[error("another leader holds the ledger")]
    NotLeader,
    #[error("this leader was replaced: epoch {0} is over")]
    Fenced(u64),
    #[error("connection to the database was lost")]
    Lost(#[source] postgres::Error),
    #[error("log failed at or after a commit: whether the batch is durable is unknown")]
    InDoubt(#[source] Box<Self>),
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
    #[error("key `{0}` can be read by other users: its mode must be 0600")]
    KeyExposed(String),
    #[error("key `{0}` exists already")]
    KeyExists(String),
    #[error("shred key of week {0} was destroyed")]
    Shredded(u32),
    #[error("checkpoint could not be signed")]
    Sign(#[source] ledger::error::Error),
    #[error("search index refused")]
    Search(#[source] tantivy::TantivyError),
    #[error("blob {0} is missing")]
    BlobMissing(Digest),
    #[error("blob {0} was changed, or its secret is another")]
    BlobChanged(Digest),
    #[error("blob has more than {0} bytes")]
    BlobBytes(u64),
    #[error("`{0}` is not empty")]
    NotEmpty(PathBuf),
    #[error("`{0}` of the backup is missing or was changed")]
    Changed(PathBuf),
    #[error("backup could not be taken between two erasures")]
    Busy,
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

    /// Wraps a fault of PostgreSQL with what was attempted; a lost connection says so.
    pub fn postgres(what: &'static str) -> impl FnOnce(postgres::Error) -> Self {
        move |source| {
            if lost(&source) { Self::Lost(source) } else { Self::Postgres { what, source } }
        }
    }

    /// Wraps a fault of SQLite that reading a file met; damage names the file.
    pub(crate) fn file(path: &Path, what: &'static str) -> impl FnOnce(rusqlite::Error) -> Self {
        let path = path.to_owned();
        move |source| match source.sqlite_error_code() {
            Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
                Self::Corrupt { path, source }
            }
            _ => Self::Sqlite { what, source },
        }
    }

    /// Wraps a fault of the file system.
    pub fn io(path: impl Into<PathBuf>, what: &'static str) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { path, what, source }
    }

    /// Whether the log's own state is unknown, so that the process must take the start path again.
    pub const fn in_doubt(&self) -> bool {
        matches!(self, Self::InDoubt(_) | Self::Lost(_) | Self::Fenced(_) | Self::NotLeader)
    }
}

/// Whether the connection is gone, so that nothing more can be asked on it.
fn lost(source: &postgres::Error) -> bool {
    let fatal = source.as_db_error().is_some_and(|fault| {
        let severity = fault.parsed_severity();
        matches!(severity, Some(Severity::Fatal | Severity::Panic))
    });
    let broken =
        std::error::Error::source(source).is_some_and(<dyn std::error::Error>::is::<io::Error>);
    fatal || broken || source.is_closed()
}
