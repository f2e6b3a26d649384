//! The log on SQLite: one data directory, `log.db` and `secrets.db`, WAL, `synchronous=FULL`.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base::Time;
use base::crypto::Digest;
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::keys::make_directory;
use crate::log::{
    Batch, Erase, Head, LogName, NewEntry, Page, Receipt, Signed, StoredEntry, StoredSecrets,
};
use crate::secrets::{PackedSecrets, Rewrap};
use crate::sqlite::{Durability, open, open_reader};
use crate::{Error, row};

// Parameters are `?1` here: SQLite takes `$1` for a name and numbers it by where it first stands.

pub(crate) const LOG_SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS head (
    log INTEGER PRIMARY KEY, epoch INTEGER NOT NULL, size INTEGER NOT NULL, root BLOB NOT NULL,
    frontier BLOB NOT NULL, note BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS entry (
    place INTEGER PRIMARY KEY, leaf BLOB NOT NULL, header BLOB NOT NULL,
    commitments BLOB NOT NULL, portions BLOB NOT NULL, signature BLOB) STRICT;
CREATE TABLE IF NOT EXISTS tile (
    log INTEGER NOT NULL, level INTEGER NOT NULL, number INTEGER NOT NULL, hashes BLOB NOT NULL,
    PRIMARY KEY (log, level, number)) STRICT;
CREATE TABLE IF NOT EXISTS checkpoint (
    place INTEGER PRIMARY KEY, note BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS receipt (
    key BLOB PRIMARY KEY, command BLOB NOT NULL, sequence INTEGER NOT NULL,
    entries INTEGER NOT NULL, at INTEGER NOT NULL) STRICT, WITHOUT ROWID;";

pub(crate) const SECRETS_SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS secret (
    place INTEGER PRIMARY KEY, week INTEGER NOT NULL, wrapped BLOB NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS secret_week ON secret (week);";

const SELECT_HEAD: &str = "SELECT epoch, size, root, frontier, note FROM head WHERE log = ?1";
const INSERT_HEAD: &str = "INSERT OR IGNORE INTO head (log, epoch, size, root, frontier, note)
    VALUES (?1, 0, 0, zeroblob(32), x'', x'')";
const RAISE_EPOCH: &str = "UPDATE head SET epoch = epoch + 1 WHERE log = ?1";
const UPDATE_HEAD: &str = "UPDATE head SET size = ?4, root = ?5, frontier = ?6, note = ?7
    WHERE log = ?1 AND epoch = ?2 AND size = ?3";
const INSERT_ENTRY: &str = "INSERT INTO entry
    (place, leaf, header, commitments, portions, signature) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
const INSERT_TILE: &str = "INSERT INTO tile (log, level, number, hashes) VALUES (?1, ?2, ?3, ?4)";
const INSERT_CHECKPOINT: &str = "INSERT OR REPLACE INTO checkpoint (place, note) VALUES (?1, ?2)";
const INSERT_RECEIPT: &str = "INSERT INTO receipt (key, command, sequence, entries, at)
    VALUES (?1, ?2, ?3, ?4, ?5)";
const SELECT_RECEIPT: &str = "SELECT command, sequence, entries, at FROM receipt WHERE key = ?1";
const INSERT_SECRET: &str =
    "INSERT OR REPLACE INTO secret (place, week, wrapped) VALUES (?1, ?2, ?3)";
const SELECT_SECRET: &str = "SELECT place, week, wrapped FROM secret WHERE place = ?1";
const SELECT_SECRETS: &str = "SELECT place, week, wrapped FROM secret
    WHERE place >= ?1 AND place < ?2 ORDER BY place LIMIT ?3";
const UPDATE_SECRET: &str = "UPDATE secret SET wrapped = ?2 WHERE place = ?1";
const REWRAP_SECRET: &str = "UPDATE secret SET week = ?2, wrapped = ?3 WHERE place = ?1";
const SELECT_WEEK: &str = "SELECT week FROM secret WHERE week >= ?1 ORDER BY week, place LIMIT 1";
const SWEEP_SECRETS: &str = "DELETE FROM secret WHERE place >= ?1 AND place < ?2";
const SELECT_ENTRY: &str = "SELECT place, leaf, header, commitments, portions, signature
    FROM entry WHERE place = ?1";
const SELECT_ENTRIES: &str = "SELECT place, leaf, header, commitments, portions, signature
    FROM entry WHERE place >= ?1 AND place < ?2 ORDER BY place LIMIT ?3";
const SELECT_LEAVES: &str = "SELECT leaf FROM entry
    WHERE place >= ?1 AND place < ?2 ORDER BY place LIMIT ?3";
const SELECT_TILE: &str = "SELECT hashes FROM tile WHERE log = ?1 AND level = ?2 AND number = ?3";
const SELECT_CHECKPOINT: &str = "SELECT place, note FROM checkpoint
    WHERE place >= ?1 AND place <= ?2 ORDER BY place DESC LIMIT 1";

/// Rows of all logs share a table: the log's number stands above 56 bits of sequence number.
fn place(log: LogName, sequence: u64) -> i64 {
    let sequence = i64::try_from(sequence).unwrap_or(i64::MAX >> 8);
    (i64::from(log.number()) << 56) | sequence
}

/// The place behind a log's last.
fn end(log: LogName) -> i64 {
    place(log, 0) + (1 << 56)
}

/// How long a statement waits for another connection of this process.
const BUSY: Duration = Duration::from_secs(5);

fn sequence(place: i64) -> u64 {
    u64::try_from(place & 0x00ff_ffff_ffff_ffff).unwrap_or(0)
}

fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// The writer of the log.
pub struct SqliteLog {
    log: Connection,
    secrets: Connection,
    /// Whether the write-ahead log of the secrets still holds some that were destroyed.
    scrub: Scrub,
    /// Freed last, when the files are closed.
    _lock: Lock,
}

/// The lock of a data directory; the system frees it however the process ends.
struct Lock(File);

impl Lock {
    fn take(directory: &Path) -> Result<Self, Error> {
        let path = directory.join("lock");
        let lock = File::create(&path).map_err(Error::io(&path, "made"))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self(lock)),
            Err(TryLockError::WouldBlock) => Err(Error::InUse(directory.to_owned())),
            Err(TryLockError::Error(other)) => Err(Error::io(&path, "locked")(other)),
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing would do, but not while a child that is just being started still shares the file.
        let _freed = self.0.unlock();
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Scrub {
    Due,
    Done,
}

impl SqliteLog {
    pub(crate) fn lead(directory: &Path) -> Result<Self, Error> {
        make_directory(directory)?;
        let lock = Lock::take(directory)?;
        let log = open(&directory.join("log.db"), Durability::Full)?;
        let secrets = open(&directory.join("secrets.db"), Durability::Full)?;
        log.execute_batch(LOG_SCHEMA).map_err(Error::sqlite("make the log's tables"))?;
        secrets.execute_batch(SECRETS_SCHEMA).map_err(Error::sqlite("make the secrets' table"))?;
        for name in LogName::ALL {
            let log_number = i64::from(name.number());
            log.execute(INSERT_HEAD, [log_number]).map_err(Error::sqlite("make a head"))?;
            log.execute(RAISE_EPOCH, [log_number]).map_err(Error::sqlite("raise the epoch"))?;
        }
        // A crash may have come before the last secrets that were destroyed were wiped.
        let mut leader = Self { log, secrets, scrub: Scrub::Due, _lock: lock };
        leader.scrub()?;
        Ok(leader)
    }

    pub(crate) fn head(&self, log: LogName) -> Result<Head, Error> {
        select_head(&self.log, log)
    }

    pub(crate) fn commit(&mut self, batch: &Batch) -> Result<(), Error> {
        // INVARIANT: secrets of entries are never written over. Those of a batch may replace what a
        // failed batch left, so a batch that does not continue the log must stop before them.
        let head = self.head(batch.log)?;
        if head.epoch != batch.before.epoch || head.size != batch.before.size {
            return Err(Error::Fenced(batch.before.epoch));
        }
        // SAFETY OF ORDER: secrets first. A crash after this line leaves secrets without entries,
        // which start sweeps; the other order would leave entries that nobody can open.
        if !batch.entries.is_empty() {
            self.commit_secrets(batch)?;
        }
        self.commit_entries(batch)?;
        // Secrets die only after the entry that orders it is durable: a crash in between leaves an
        // order that start carries out again, never a loss without an order.
        self.erase(&batch.erased).map_err(|fault| Error::InDoubt(Box::new(fault)))?;
        Ok(())
    }

    /// Destroys secrets; doing so again changes nothing.
    pub(crate) fn erase(&mut self, erased: &[Erase]) -> Result<u64, Error> {
        let mut destroyed = 0;
        if erased.is_empty() {
            self.scrub()?;
            return Ok(destroyed);
        }
        self.scrub = Scrub::Due;
        let tx = self.secrets.transaction().map_err(Error::sqlite("begin with secrets"))?;
        for erase in erased {
            let at = place(erase.log, erase.sequence);
            let stored = tx
                .query_row(SELECT_SECRET, [at], secrets_row)
                .optional()
                .map_err(Error::sqlite("find a secret"))?;
            if let Some(stored) = stored {
                let mut left = stored?.secrets;
                let before = left.len();
                left.retain(|(slot, _)| *slot != erase.slot);
                destroyed += (before - left.len()) as u64;
                tx.execute(UPDATE_SECRET, params![at, row::pack_secrets(&left)])
                    .map_err(Error::sqlite("destroy a secret"))?;
            }
        }
        tx.commit().map_err(Error::sqlite("destroy secrets"))?;
        self.scrub()?;
        Ok(destroyed)
    }

    /// Wipes destroyed secrets from the write-ahead log, where they stand until it is cut.
    ///
    /// A reader in the middle of a query, or a backup, holds that up: then it is tried again with
    /// the next batch, and no batch waits for it.
    fn scrub(&mut self) -> Result<(), Error> {
        if self.scrub == Scrub::Done {
            return Ok(());
        }
        let what = "wipe destroyed secrets";
        self.secrets.busy_timeout(Duration::ZERO).map_err(Error::sqlite(what))?;
        let held = self
            .secrets
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |r| r.get::<_, i64>(0))
            .map_err(Error::sqlite(what))?;
        self.secrets.busy_timeout(BUSY).map_err(Error::sqlite(what))?;
        if held == 0 {
            self.scrub = Scrub::Done;
        }
        Ok(())
    }

    /// Wraps secrets anew, a page at a time.
    pub(crate) fn rewrap(&mut self, page: Page, rewrap: &mut Rewrap<'_>) -> Result<(), Error> {
        let what = "wrap secrets anew";
        let tx = self.secrets.transaction().map_err(Error::sqlite(what))?;
        let bounds = params![place(page.log, page.from), end(page.log), page.limit];
        let rows = collect(&tx, SELECT_SECRETS, bounds, |r| {
            Ok(PackedSecrets { sequence: sequence(r.get(0)?), week: r.get(1)?, packed: r.get(2)? })
        })?;
        for new in rewrap.page(page, &rows)? {
            tx.prepare_cached(REWRAP_SECRET)
                .and_then(|mut update| {
                    update.execute(params![place(page.log, new.sequence), new.week, new.packed])
                })
                .map_err(Error::sqlite(what))?;
        }
        tx.commit().map_err(Error::sqlite(what))
    }

    /// The oldest week, from `first` on, under whose key a secret of any log is wrapped.
    pub(crate) fn live_week(&self, first: u32) -> Result<Option<u32>, Error> {
        self.secrets
            .query_row(SELECT_WEEK, [first], |r| r.get(0))
            .optional()
            .map_err(Error::sqlite("find the oldest week"))
    }

    fn commit_secrets(&mut self, batch: &Batch) -> Result<(), Error> {
        let tx = self.secrets.transaction().map_err(Error::sqlite("begin with secrets"))?;
        {
            let mut insert =
                tx.prepare_cached(INSERT_SECRET).map_err(Error::sqlite("keep a secret"))?;
            for (i, entry) in batch.entries.iter().enumerate() {
                let at = place(batch.log, batch.before.size + i as u64);
                insert
                    .execute(params![at, entry.week, row::pack_secrets(&entry.secrets)])
                    .map_err(Error::sqlite("keep a secret"))?;
            }
        }
        tx.commit().map_err(Error::sqlite("make secrets durable"))
    }

    fn commit_entries(&mut self, batch: &Batch) -> Result<(), Error> {
        let tx = self.log.transaction().map_err(Error::sqlite("begin a batch"))?;
        let what = "write a batch";
        {
            let mut insert = tx.prepare_cached(INSERT_ENTRY).map_err(Error::sqlite(what))?;
            for (i, entry) in batch.entries.iter().enumerate() {
                let at = place(batch.log, batch.before.size + i as u64);
                insert_entry(&mut insert, at, entry).map_err(Error::sqlite(what))?;
            }
            let log = batch.log.number();
            for tile in &batch.tiles {
                tx.execute(INSERT_TILE, params![log, tile.level, number(tile.index), tile.hashes])
                    .map_err(Error::sqlite(what))?;
            }
            let mut insert = tx.prepare_cached(INSERT_RECEIPT).map_err(Error::sqlite(what))?;
            for r in &batch.receipts {
                insert
                    .execute(params![
                        r.key.0.as_slice(),
                        r.command.0.as_slice(),
                        number(r.sequence),
                        r.entries,
                        r.at.ms()
                    ])
                    .map_err(Error::sqlite(what))?;
            }
            for signed in &batch.signed {
                let at = place(batch.log, signed.size);
                tx.execute(INSERT_CHECKPOINT, params![at, signed.note])
                    .map_err(Error::sqlite(what))?;
            }
        }
        let changed = tx
            .execute(
                UPDATE_HEAD,
                params![
                    batch.log.number(),
                    number(batch.before.epoch),
                    number(batch.before.size),
                    number(batch.after.size),
                    batch.after.root.0.as_slice(),
                    batch.after.frontier,
                    batch.after.note
                ],
            )
            .map_err(Error::sqlite(what))?;
        if changed != 1 {
            return Err(Error::Fenced(batch.before.epoch));
        }
        // A disk that fails here may or may not have kept the batch.
        tx.commit()
            .map_err(Error::sqlite("make a batch durable"))
            .map_err(|fault| Error::InDoubt(Box::new(fault)))
    }

    pub(crate) fn sweep(&self, log: LogName, size: u64) -> Result<u64, Error> {
        // INVARIANT: the secrets of an entry are never swept, whatever size the caller believes.
        let size = size.max(self.head(log)?.size);
        sweep(&self.secrets, log, size)
    }

    pub(crate) fn receipts(&self, keys: &[Digest]) -> Result<Vec<Receipt>, Error> {
        let what = "look up receipts";
        let mut select = self.log.prepare_cached(SELECT_RECEIPT).map_err(Error::sqlite(what))?;
        let mut found = Vec::new();
        for key in keys {
            let receipt = select
                .query_row([key.0.as_slice()], |r| {
                    Ok(Receipt {
                        key: *key,
                        command: digest(r, 0)?,
                        sequence: r.get::<_, i64>(1)?.cast_unsigned(),
                        entries: r.get(2)?,
                        at: Time::from_ms(r.get(3)?).unwrap_or_default(),
                    })
                })
                .optional()
                .map_err(Error::sqlite(what))?;
            found.extend(receipt);
        }
        Ok(found)
    }
}

/// Removes the secrets of a log from `size` on.
pub(crate) fn sweep(secrets: &Connection, log: LogName, size: u64) -> Result<u64, Error> {
    let swept = secrets
        .execute(SWEEP_SECRETS, params![place(log, size), end(log)])
        .map_err(Error::sqlite("sweep secrets"))?;
    Ok(swept as u64)
}

fn insert_entry(
    insert: &mut rusqlite::CachedStatement<'_>,
    at: i64,
    entry: &NewEntry,
) -> rusqlite::Result<usize> {
    insert.execute(params![
        at,
        entry.leaf,
        entry.header,
        entry.commitments,
        row::pack_portions(&entry.portions),
        entry.signature
    ])
}

pub(crate) fn select_head(connection: &Connection, log: LogName) -> Result<Head, Error> {
    let what = "read the head";
    let mut select = connection.prepare_cached(SELECT_HEAD).map_err(Error::sqlite(what))?;
    select
        .query_row([log.number()], |r| {
            Ok(Head {
                epoch: r.get::<_, i64>(0)?.cast_unsigned(),
                size: r.get::<_, i64>(1)?.cast_unsigned(),
                root: digest(r, 2)?,
                frontier: r.get(3)?,
                note: r.get(4)?,
            })
        })
        .map_err(Error::sqlite(what))
}

fn digest(r: &Row<'_>, column: usize) -> rusqlite::Result<Digest> {
    r.get::<_, [u8; 32]>(column).map(Digest)
}

fn entry_row(r: &Row<'_>) -> rusqlite::Result<Result<StoredEntry, Error>> {
    let packed: Vec<u8> = r.get(4)?;
    let entry = StoredEntry {
        sequence: sequence(r.get(0)?),
        leaf: r.get(1)?,
        header: r.get(2)?,
        commitments: r.get(3)?,
        portions: Vec::new(),
        signature: r.get(5)?,
    };
    Ok(row::unpack_portions(&packed).map(|portions| StoredEntry { portions, ..entry }))
}

fn secrets_row(r: &Row<'_>) -> rusqlite::Result<Result<StoredSecrets, Error>> {
    let packed: Vec<u8> = r.get(2)?;
    let (sequence, week) = (sequence(r.get(0)?), r.get(1)?);
    Ok(row::unpack_secrets(&packed).map(|secrets| StoredSecrets { sequence, week, secrets }))
}

/// LIMIT: idle connections kept for readers of one process.
const IDLE_READERS: usize = 8;

struct Pool {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
}

impl Pool {
    fn with<T>(&self, read: impl FnOnce(&Connection) -> Result<T, Error>) -> Result<T, Error> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let connection = match idle {
            Some(connection) => connection,
            None => open_reader(&self.path)?,
        };
        let outcome = read(&connection);
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < IDLE_READERS {
            idle.push(connection);
        }
        outcome
    }
}

/// Readers of the log.
#[derive(Clone)]
pub struct SqliteReader {
    log: Arc<Pool>,
    secrets: Arc<Pool>,
}

impl SqliteReader {
    pub(crate) fn open(directory: &Path) -> Result<Self, Error> {
        let pool = |name: &str| {
            let path = directory.join(name);
            let first = open_reader(&path)?;
            Ok::<_, Error>(Arc::new(Pool { path, idle: Mutex::new(vec![first]) }))
        };
        Ok(Self { log: pool("log.db")?, secrets: pool("secrets.db")? })
    }

    pub(crate) fn entries(
        &self,
        log: LogName,
        from: u64,
        limit: u32,
    ) -> Result<Vec<StoredEntry>, Error> {
        let bounds = params![place(log, from), end(log), limit];
        self.log.with(|c| collect(c, SELECT_ENTRIES, bounds, entry_row)?.into_iter().collect())
    }

    pub(crate) fn entries_at(
        &self,
        log: LogName,
        sequences: &[u64],
    ) -> Result<Vec<StoredEntry>, Error> {
        self.log.with(|c| each(c, SELECT_ENTRY, (log, sequences), entry_row))
    }

    pub(crate) fn leaves(
        &self,
        log: LogName,
        from: u64,
        limit: u32,
    ) -> Result<Vec<Vec<u8>>, Error> {
        let bounds = params![place(log, from), end(log), limit];
        self.log.with(|c| collect(c, SELECT_LEAVES, bounds, |r| r.get(0)))
    }

    pub(crate) fn secrets(
        &self,
        log: LogName,
        from: u64,
        limit: u32,
    ) -> Result<Vec<StoredSecrets>, Error> {
        let bounds = params![place(log, from), end(log), limit];
        self.secrets
            .with(|c| collect(c, SELECT_SECRETS, bounds, secrets_row)?.into_iter().collect())
    }

    pub(crate) fn secrets_at(
        &self,
        log: LogName,
        sequences: &[u64],
    ) -> Result<Vec<StoredSecrets>, Error> {
        self.secrets.with(|c| each(c, SELECT_SECRET, (log, sequences), secrets_row))
    }

    pub(crate) fn tile(
        &self,
        log: LogName,
        level: u8,
        index: u64,
    ) -> Result<Option<Vec<u8>>, Error> {
        self.log.with(|c| {
            c.prepare_cached(SELECT_TILE)
                .and_then(|mut select| {
                    select
                        .query_row(params![log.number(), level, number(index)], |r| r.get(0))
                        .optional()
                })
                .map_err(Error::sqlite("read a tile"))
        })
    }

    pub(crate) fn head(&self, log: LogName) -> Result<Head, Error> {
        self.log.with(|c| select_head(c, log))
    }

    pub(crate) fn signed(&self, log: LogName, size: u64) -> Result<Option<Signed>, Error> {
        self.log.with(|c| {
            c.query_row(SELECT_CHECKPOINT, params![place(log, 0), place(log, size)], |r| {
                Ok(Signed { size: sequence(r.get(0)?), note: r.get(1)? })
            })
            .optional()
            .map_err(Error::sqlite("read a checkpoint"))
        })
    }
}

fn collect<T>(
    connection: &Connection,
    statement: &str,
    bounds: &[&dyn rusqlite::ToSql],
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Vec<T>, Error> {
    let what = "read the log";
    let mut select = connection.prepare_cached(statement).map_err(Error::sqlite(what))?;
    let rows = select.query_map(bounds, read).map_err(Error::sqlite(what))?;
    rows.collect::<rusqlite::Result<Vec<T>>>().map_err(Error::sqlite(what))
}

fn each<T>(
    connection: &Connection,
    statement: &str,
    named: (LogName, &[u64]),
    mut read: impl FnMut(&Row<'_>) -> rusqlite::Result<Result<T, Error>>,
) -> Result<Vec<T>, Error> {
    let what = "read the log";
    let (log, sequences) = named;
    let mut select = connection.prepare_cached(statement).map_err(Error::sqlite(what))?;
    let mut found = Vec::with_capacity(sequences.len());
    for sequence in sequences {
        let row = select
            .query_row([place(log, *sequence)], &mut read)
            .optional()
            .map_err(Error::sqlite(what))?;
        if let Some(row) = row {
            found.push(row?);
        }
    }
    Ok(found)
}
