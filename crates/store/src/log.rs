//! The log: the only truth of a node, on SQLite or PostgreSQL, behind one enum.
//!
//! `SAFETY OF ORDER:` secrets become durable before the entries that need them, entries before the
//! views that show them. A secret without entry is swept at start; an entry without secret, and
//! without an entry that says it was erased, is damage.

use std::path::{Path, PathBuf};

use base::crypto::{Digest, Entropy};
use base::{EntryId, Time};
use ledger::portion::SlotSecret;

use crate::keys::Destroyed;
use crate::postgres_log::{PostgresLog, PostgresReader};
use crate::secrets::{Rewrap, Rewrapped, SecretPlace, Wrapped, unwrap};
use crate::sqlite_log::{SqliteLog, SqliteReader};
use crate::{Error, Keyring, row};

/// One of a node's logs; they share a format and anchor each other's checkpoints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LogName {
    /// What changed state.
    Acts,
    /// What was read and refused.
    Access,
    /// Messages of encrypted conversations.
    Talk,
}

impl LogName {
    /// All logs, in the order of their numbers.
    pub const ALL: [Self; 3] = [Self::Acts, Self::Access, Self::Talk];

    /// The number that stands in stored rows.
    pub const fn number(self) -> u8 {
        match self {
            Self::Acts => 0,
            Self::Access => 1,
            Self::Talk => 2,
        }
    }

    /// The last part of the log's origin.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Acts => "acts",
            Self::Access => "access",
            Self::Talk => "talk",
        }
    }
}

/// Where the log is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A data directory of this machine.
    Sqlite { directory: PathBuf },
    /// A PostgreSQL database, by connection string.
    Postgres { url: String },
}

/// The end of a log.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Head {
    /// Counts leaders: raised once by each that took the log.
    pub epoch: u64,
    /// Entries in the log; the next entry gets this sequence number.
    pub size: u64,
    pub root: Digest,
    /// The right edge of the tree, as `ledger` writes it.
    pub frontier: Vec<u8>,
    /// The last signed checkpoint; empty before the first.
    pub note: Vec<u8>,
}

/// The answer to an act, kept so that a retry with the same key gets it again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Digest of actor and idempotency key.
    pub key: Digest,
    /// Digest of the command; the same key with another command is a conflict.
    pub command: Digest,
    /// The act's first entry.
    pub sequence: u64,
    /// How many entries it wrote.
    pub entries: u32,
    pub at: Time,
}

/// An entry with its wrapped secrets, ready to be written.
pub struct NewEntry {
    pub leaf: Vec<u8>,
    pub header: Vec<u8>,
    pub commitments: Vec<u8>,
    pub portions: Vec<(u8, Vec<u8>)>,
    pub signature: Option<Vec<u8>>,
    pub week: u32,
    pub secrets: Vec<(u8, Wrapped)>,
}

/// A full tile of 256 hashes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FullTile {
    pub level: u8,
    pub index: u64,
    pub hashes: Vec<u8>,
}

/// A secret to be destroyed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Erase {
    pub log: LogName,
    pub sequence: u64,
    pub slot: u8,
}

/// A signed checkpoint to be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    pub size: u64,
    pub note: Vec<u8>,
}

/// A part of a log that is worked on at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    pub log: LogName,
    /// The first sequence number.
    pub from: u64,
    /// Entries, at most.
    pub limit: u32,
}

/// What becomes durable together: everything of it, or nothing.
pub struct Batch {
    pub log: LogName,
    /// The log before the batch.
    pub before: Head,
    /// The log after it; its epoch equals that of `before`.
    pub after: Head,
    pub entries: Vec<NewEntry>,
    pub tiles: Vec<FullTile>,
    pub receipts: Vec<Receipt>,
    /// Checkpoints worth keeping for ever, such as those with two signatures.
    pub signed: Vec<Signed>,
    /// Secrets that an entry of this batch erases.
    pub erased: Vec<Erase>,
}

/// An entry as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredEntry {
    pub sequence: u64,
    pub leaf: Vec<u8>,
    pub header: Vec<u8>,
    pub commitments: Vec<u8>,
    pub portions: Vec<(u8, Vec<u8>)>,
    pub signature: Option<Vec<u8>>,
}

impl StoredEntry {
    /// The sealed bytes of one slot.
    pub fn portion(&self, slot: u8) -> Option<&[u8]> {
        self.portions.iter().find(|(s, _)| *s == slot).map(|(_, bytes)| bytes.as_slice())
    }

    /// The entry's id, as its leaf has it.
    pub fn id(&self) -> Option<EntryId> {
        self.leaf.get(4..20).and_then(EntryId::from_slice)
    }
}

/// The secrets of an entry, as they are stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredSecrets {
    pub sequence: u64,
    pub week: u32,
    pub secrets: Vec<(u8, Wrapped)>,
}

impl StoredSecrets {
    /// Unwraps every secret that is still there.
    ///
    /// # Errors
    /// [`Error::Unwrap`] when a byte was changed, [`Error::Shredded`] when the week's key is gone.
    pub fn unwrap(&self, keys: &Keyring, log: LogName) -> Result<Vec<SlotSecret>, Error> {
        let open = |(slot, wrapped): &(u8, Wrapped)| {
            let place = SecretPlace { log, sequence: self.sequence, slot: *slot, week: self.week };
            Ok(SlotSecret { slot: *slot, secret: unwrap(keys, place, wrapped)? })
        };
        self.secrets.iter().map(open).collect()
    }
}

/// Looks for a secret by slot.
pub fn secret_of(secrets: &[SlotSecret], slot: u8) -> Option<&SlotSecret> {
    row::find(secrets, slot)
}

/// The log as its one leader writes it.
pub enum Log {
    Sqlite(Box<SqliteLog>),
    Postgres(Box<PostgresLog>),
}

impl Log {
    /// Opens the log and takes the lead: takes the lock and raises the epoch.
    ///
    /// A PostgreSQL log whose lock another process holds answers [`Error::NotLeader`]; ask again.
    ///
    /// # Errors
    /// [`Error::InUse`] when another process has the directory, or the backend's own fault.
    pub fn lead(place: &Place) -> Result<Self, Error> {
        match place {
            Place::Sqlite { directory } => {
                SqliteLog::lead(directory).map(|log| Self::Sqlite(Box::new(log)))
            }
            Place::Postgres { url } => {
                PostgresLog::lead(url).map(|log| Self::Postgres(Box::new(log)))
            }
        }
    }

    /// The end of a log as the backend has it.
    ///
    /// # Errors
    /// The backend's own fault.
    pub fn head(&mut self, log: LogName) -> Result<Head, Error> {
        match self {
            Self::Sqlite(sqlite) => sqlite.head(log),
            Self::Postgres(postgres) => postgres.head(log),
        }
    }

    /// Makes a batch durable: all of it, or nothing.
    ///
    /// # Errors
    /// [`Error::Fenced`] when another leader took the log; [`Error::InDoubt`] when the outcome is
    /// unknown; anything else means that nothing was written.
    pub fn commit(&mut self, batch: &Batch) -> Result<(), Error> {
        debug_assert!(batch.before.epoch == batch.after.epoch, "a batch is of one leader");
        debug_assert!(
            batch.after.size == batch.before.size + batch.entries.len() as u64,
            "sequence numbers are dense"
        );
        match self {
            Self::Sqlite(sqlite) => sqlite.commit(batch),
            Self::Postgres(postgres) => postgres.commit(batch),
        }
    }

    /// Replaces the note of a log's head, with no new entry.
    ///
    /// # Errors
    /// As [`Log::commit`].
    pub fn resign(&mut self, log: LogName, head: &Head, keep: bool) -> Result<(), Error> {
        let signed = if keep {
            vec![Signed { size: head.size, note: head.note.clone() }]
        } else {
            Vec::new()
        };
        self.commit(&Batch {
            log,
            before: head.clone(),
            after: head.clone(),
            entries: Vec::new(),
            tiles: Vec::new(),
            receipts: Vec::new(),
            signed,
            erased: Vec::new(),
        })
    }

    /// Removes secrets that belong to no entry: a crash came between them and their entries.
    ///
    /// # Errors
    /// The backend's own fault.
    pub fn sweep(&mut self, log: LogName, size: u64) -> Result<u64, Error> {
        match self {
            Self::Sqlite(sqlite) => sqlite.sweep(log, size),
            // There secrets and entries share one transaction.
            Self::Postgres(_) => Ok(0),
        }
    }

    /// Wraps the secrets of a page under the key in use at `at`, where they lie under another.
    ///
    /// Called weekly from the log's start until [`Rewrapped::next`] is `None`, so that the keys of
    /// past weeks can be destroyed. What was erased stays erased.
    ///
    /// # Errors
    /// The backend's own fault, or that of the key provider; then nothing of the page was written.
    pub fn rewrap(
        &mut self,
        page: Page,
        keys: &Keyring,
        at: Time,
        entropy: &mut Entropy,
    ) -> Result<Rewrapped, Error> {
        let week = keys.open_week(at);
        let key = keys.shred_key(week, Some(&mut *entropy))?;
        let mut rewrap = Rewrap { keys, week, key, entropy, outcome: Rewrapped::default() };
        match self {
            Self::Sqlite(sqlite) => sqlite.rewrap(page, &mut rewrap)?,
            Self::Postgres(postgres) => postgres.rewrap(page, &mut rewrap)?,
        }
        Ok(rewrap.outcome)
    }

    /// Destroys the shred keys of weeks that ended more than 35 days ago, as far as no live secret
    /// needs them; [`Destroyed::held`] is to be alarmed.
    ///
    /// # Errors
    /// The backend's own fault, or that of the key provider.
    pub fn destroy_shred_keys(&mut self, keys: &Keyring, at: Time) -> Result<Destroyed, Error> {
        let first = keys.first_week();
        let live = match self {
            Self::Sqlite(sqlite) => sqlite.live_week(first)?,
            Self::Postgres(postgres) => postgres.live_week(first)?,
        };
        keys.destroy_shred_keys(at, live)
    }

    /// Destroys secrets whose erasure is already in the log, and says how many there still were;
    /// doing so again changes nothing.
    ///
    /// # Errors
    /// The backend's own fault.
    pub fn erase(&mut self, erased: &[Erase]) -> Result<u64, Error> {
        match self {
            Self::Sqlite(sqlite) => sqlite.erase(erased),
            Self::Postgres(postgres) => postgres.erase(erased),
        }
    }

    /// Looks up the receipts of keys; those that were never used are left out.
    ///
    /// # Errors
    /// The backend's own fault.
    pub fn receipts(&mut self, keys: &[Digest]) -> Result<Vec<Receipt>, Error> {
        match self {
            Self::Sqlite(sqlite) => sqlite.receipts(keys),
            Self::Postgres(postgres) => postgres.receipts(keys),
        }
    }
}

/// The log as anybody of this process reads it; cheap to clone.
#[derive(Clone)]
pub enum LogReader {
    Sqlite(SqliteReader),
    Postgres(PostgresReader),
}

impl LogReader {
    /// Opens a log for reading.
    ///
    /// # Errors
    /// The backend's own fault.
    pub fn open(place: &Place) -> Result<Self, Error> {
        match place {
            Place::Sqlite { directory } => SqliteReader::open(directory).map(Self::Sqlite),
            Place::Postgres { url } => PostgresReader::open(url).map(Self::Postgres),
        }
    }

    /// Entries from `from` on, in order, at most `limit`.
    ///
    /// # Errors
    /// The backend's own fault, or [`Error::Form`] for a row that cannot be read.
    pub fn entries(&self, log: LogName, from: u64, limit: u32) -> Result<Vec<StoredEntry>, Error> {
        match self {
            Self::Sqlite(reader) => reader.entries(log, from, limit),
            Self::Postgres(reader) => reader.entries(log, from, limit),
        }
    }

    /// The named entries, each once, in ascending order; those that do not exist are left out.
    ///
    /// # Errors
    /// As [`LogReader::entries`].
    pub fn entries_at(&self, log: LogName, sequences: &[u64]) -> Result<Vec<StoredEntry>, Error> {
        let sequences = &ascending(sequences);
        match self {
            Self::Sqlite(reader) => reader.entries_at(log, sequences),
            Self::Postgres(reader) => reader.entries_at(log, sequences),
        }
    }

    /// Leaves from `from` on, in order, at most `limit`.
    ///
    /// # Errors
    /// The backend's own fault.
    pub fn leaves(&self, log: LogName, from: u64, limit: u32) -> Result<Vec<Vec<u8>>, Error> {
        match self {
            Self::Sqlite(reader) => reader.leaves(log, from, limit),
            Self::Postgres(reader) => reader.leaves(log, from, limit),
        }
    }

    /// Secrets of entries from `from` on, in order, at most `limit` entries.
    ///
    /// # Errors
    /// As [`LogReader::entries`].
    pub fn secrets(
        &self,
        log: LogName,
        from: u64,
        limit: u32,
    ) -> Result<Vec<StoredSecrets>, Error> {
        match self {
            Self::Sqlite(reader) => reader.secrets(log, from, limit),
            Self::Postgres(reader) => reader.secrets(log, from, limit),
        }
    }

    /// Secrets of the named entries, each once, in ascending order.
    ///
    /// # Errors
    /// As [`LogReader::entries`].
    pub fn secrets_at(&self, log: LogName, sequences: &[u64]) -> Result<Vec<StoredSecrets>, Error> {
        let sequences = &ascending(sequences);
        match self {
            Self::Sqlite(reader) => reader.secrets_at(log, sequences),
            Self::Postgres(reader) => reader.secrets_at(log, sequences),
        }
    }

    /// A full tile.
    ///
    /// # Errors
    /// The backend's own fault.
    pub fn tile(&self, log: LogName, level: u8, index: u64) -> Result<Option<Vec<u8>>, Error> {
        match self {
            Self::Sqlite(reader) => reader.tile(log, level, index),
            Self::Postgres(reader) => reader.tile(log, level, index),
        }
    }

    /// The end of a log.
    ///
    /// # Errors
    /// The backend's own fault.
    pub fn head(&self, log: LogName) -> Result<Head, Error> {
        match self {
            Self::Sqlite(reader) => reader.head(log),
            Self::Postgres(reader) => reader.head(log),
        }
    }

    /// The newest kept checkpoint of at most `size` entries.
    ///
    /// # Errors
    /// The backend's own fault.
    pub fn signed(&self, log: LogName, size: u64) -> Result<Option<Signed>, Error> {
        match self {
            Self::Sqlite(reader) => reader.signed(log, size),
            Self::Postgres(reader) => reader.signed(log, size),
        }
    }
}

fn ascending(sequences: &[u64]) -> Vec<u64> {
    let mut sequences = sequences.to_vec();
    sequences.sort_unstable();
    sequences.dedup();
    sequences
}

/// The data directory's file of a name; used by both backends for what is always local.
pub fn file(directory: &Path, name: &str) -> PathBuf {
    directory.join(name)
}
