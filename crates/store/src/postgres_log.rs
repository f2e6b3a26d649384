//! The log on PostgreSQL: when one machine is not enough.
//!
//! The leader holds an advisory lock, for speed, and a fencing epoch checked in each batch's
//! transaction, for safety: a paused old leader cannot commit. Secrets lie in a schema of their own
//! and are written in the same transaction. Each batch sends one notification.

use std::sync::{Arc, Mutex, PoisonError};

use base::Time;
use base::crypto::Digest;
use postgres::{Client, NoTls, Row};

use crate::log::{Batch, Erase, Head, LogName, Page, Receipt, Signed, StoredEntry, StoredSecrets};
use crate::secrets::{PackedSecrets, Rewrap};
use crate::{Error, row};

pub(crate) const SCHEMA: &str = "
CREATE SCHEMA IF NOT EXISTS muster;
CREATE SCHEMA IF NOT EXISTS muster_secret;
CREATE TABLE IF NOT EXISTS muster.head (
    log INTEGER PRIMARY KEY, epoch BIGINT NOT NULL, size BIGINT NOT NULL, root BYTEA NOT NULL,
    frontier BYTEA NOT NULL, note BYTEA NOT NULL);
CREATE TABLE IF NOT EXISTS muster.entry (
    log INTEGER NOT NULL, sequence BIGINT NOT NULL, leaf BYTEA NOT NULL, header BYTEA NOT NULL,
    commitments BYTEA NOT NULL, portions BYTEA NOT NULL, signature BYTEA,
    PRIMARY KEY (log, sequence));
CREATE TABLE IF NOT EXISTS muster.tile (
    log INTEGER NOT NULL, level INTEGER NOT NULL, number BIGINT NOT NULL, hashes BYTEA NOT NULL,
    PRIMARY KEY (log, level, number));
CREATE TABLE IF NOT EXISTS muster.checkpoint (
    log INTEGER NOT NULL, size BIGINT NOT NULL, note BYTEA NOT NULL, PRIMARY KEY (log, size));
CREATE TABLE IF NOT EXISTS muster.receipt (
    key BYTEA PRIMARY KEY, command BYTEA NOT NULL, sequence BIGINT NOT NULL,
    entries BIGINT NOT NULL, at BIGINT NOT NULL);
CREATE TABLE IF NOT EXISTS muster_secret.secret (
    log INTEGER NOT NULL, sequence BIGINT NOT NULL, week BIGINT NOT NULL, wrapped BYTEA NOT NULL,
    PRIMARY KEY (log, sequence));
CREATE INDEX IF NOT EXISTS secret_week ON muster_secret.secret (week);";

/// The schema of the log.
pub(crate) const LOG: &str = "muster";
/// The schema of its secrets.
pub(crate) const SECRET: &str = "muster_secret";

/// The advisory lock of the leader: any fixed number that nothing else in the database uses.
pub(crate) const LEADER_LOCK: i64 = 0x006d_7573_7465_7201;

const SELECT_HEAD: &str =
    "SELECT epoch, size, root, frontier, note FROM muster.head WHERE log = $1";
const INSERT_HEAD: &str = "INSERT INTO muster.head (log, epoch, size, root, frontier, note)
    VALUES ($1, 0, 0, $2, '', '') ON CONFLICT DO NOTHING";
const RAISE_EPOCH: &str = "UPDATE muster.head SET epoch = epoch + 1 WHERE log = $1 RETURNING epoch";
const SELECT_EPOCH: &str = "SELECT epoch FROM muster.head WHERE log = $1 FOR UPDATE";
const UPDATE_HEAD: &str = "UPDATE muster.head SET size = $4, root = $5, frontier = $6, note = $7
    WHERE log = $1 AND epoch = $2 AND size = $3";
const INSERT_ENTRIES: &str = "INSERT INTO muster.entry
    (log, sequence, leaf, header, commitments, portions, signature)
    SELECT $1, * FROM unnest($2::bigint[], $3::bytea[], $4::bytea[], $5::bytea[], $6::bytea[],
    $7::bytea[])";
const INSERT_SECRETS: &str = "INSERT INTO muster_secret.secret (log, sequence, week, wrapped)
    SELECT $1, * FROM unnest($2::bigint[], $3::bigint[], $4::bytea[])";
const INSERT_RECEIPTS: &str = "INSERT INTO muster.receipt (key, command, sequence, entries, at)
    SELECT * FROM unnest($1::bytea[], $2::bytea[], $3::bigint[], $4::bigint[], $5::bigint[])";
const INSERT_TILE: &str =
    "INSERT INTO muster.tile (log, level, number, hashes) VALUES ($1, $2, $3, $4)";
const INSERT_CHECKPOINT: &str = "INSERT INTO muster.checkpoint (log, size, note)
    VALUES ($1, $2, $3) ON CONFLICT (log, size) DO UPDATE SET note = $3";
const SELECT_RECEIPTS: &str =
    "SELECT key, command, sequence, entries, at FROM muster.receipt WHERE key = ANY($1)";
const SELECT_SECRETS_AT: &str = "SELECT sequence, week, wrapped FROM muster_secret.secret
    WHERE log = $1 AND sequence = ANY($2) ORDER BY sequence";
const SELECT_SECRETS: &str = "SELECT sequence, week, wrapped FROM muster_secret.secret
    WHERE log = $1 AND sequence >= $2 ORDER BY sequence LIMIT $3";
const UPDATE_SECRET: &str =
    "UPDATE muster_secret.secret SET wrapped = $3 WHERE log = $1 AND sequence = $2";
const REWRAP_SECRETS: &str = "UPDATE muster_secret.secret AS old
    SET week = $2, wrapped = new.wrapped
    FROM unnest($3::bigint[], $4::bytea[]) AS new (sequence, wrapped)
    WHERE old.log = $1 AND old.sequence = new.sequence";
const SELECT_WEEK: &str = "SELECT week FROM muster_secret.secret WHERE week >= $1
    ORDER BY week LIMIT 1";
const SELECT_ENTRIES: &str = "SELECT sequence, leaf, header, commitments, portions, signature
    FROM muster.entry WHERE log = $1 AND sequence >= $2 ORDER BY sequence LIMIT $3";
const SELECT_ENTRIES_AT: &str = "SELECT sequence, leaf, header, commitments, portions, signature
    FROM muster.entry WHERE log = $1 AND sequence = ANY($2) ORDER BY sequence";
const SELECT_LEAVES: &str = "SELECT leaf FROM muster.entry
    WHERE log = $1 AND sequence >= $2 ORDER BY sequence LIMIT $3";
const SELECT_TILE: &str =
    "SELECT hashes FROM muster.tile WHERE log = $1 AND level = $2 AND number = $3";
const SELECT_CHECKPOINT: &str = "SELECT size, note FROM muster.checkpoint
    WHERE log = $1 AND size <= $2 ORDER BY size DESC LIMIT 1";
const NOTIFY: &str = "SELECT pg_notify('muster_head', $1)";

fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn log_number(log: LogName) -> i32 {
    i32::from(log.number())
}

/// Connects with the settings that make a dead host seen in seconds, not hours.
pub(crate) fn connect(url: &str) -> Result<Client, Error> {
    let mut config: postgres::Config =
        url.parse().map_err(Error::postgres("read the connection string"))?;
    config
        .keepalives_idle(std::time::Duration::from_secs(2))
        .keepalives_interval(std::time::Duration::from_secs(1))
        .keepalives_retries(3)
        .tcp_user_timeout(std::time::Duration::from_secs(5))
        .connect_timeout(std::time::Duration::from_secs(5));
    // Nothing was lost when nothing was had: the cause says that nobody answers.
    config.connect(NoTls).map_err(|source| Error::Postgres { what: "connect", source })
}

/// The writer of the log.
pub struct PostgresLog {
    client: Client,
    /// Of the first log: all are raised together, and none without it.
    epoch: u64,
}

impl PostgresLog {
    pub(crate) fn lead(url: &str) -> Result<Self, Error> {
        let mut client = connect(url)?;
        let what = "take the lead";
        client
            .batch_execute("SET synchronous_commit TO on; SET client_min_messages TO warning")
            .map_err(Error::postgres(what))?;
        let held: bool = client
            .query_one("SELECT pg_try_advisory_lock($1)", &[&LEADER_LOCK])
            .map_err(Error::postgres(what))?
            .get(0);
        if !held {
            return Err(Error::NotLeader);
        }
        client.batch_execute(SCHEMA).map_err(Error::postgres("make the log's tables"))?;
        let epoch = raise_epochs(&mut client).map_err(Error::postgres(what))?;
        Ok(Self { client, epoch })
    }

    pub(crate) fn head(&mut self, log: LogName) -> Result<Head, Error> {
        select_head(&mut self.client, log)
    }

    pub(crate) fn commit(&mut self, batch: &Batch) -> Result<(), Error> {
        let mut tx = self.client.transaction().map_err(Error::postgres("begin a batch"))?;
        let after = &batch.after;
        let changed = tx
            .execute(
                UPDATE_HEAD,
                &[
                    &log_number(batch.log),
                    &number(batch.before.epoch),
                    &number(batch.before.size),
                    &number(after.size),
                    &after.root.0.as_slice(),
                    &after.frontier,
                    &after.note,
                ],
            )
            .map_err(Error::postgres("move the head"))?;
        if changed != 1 {
            return Err(Error::Fenced(batch.before.epoch));
        }
        insert_batch(&mut tx, batch).map_err(Error::postgres("write a batch"))?;
        erase(&mut tx, &batch.erased)?;
        let message = format!("{}:{}", batch.log.number(), after.size);
        tx.execute(NOTIFY, &[&message]).map_err(Error::postgres("notify"))?;
        // From here on a lost connection leaves the outcome unknown.
        tx.commit()
            .map_err(Error::postgres("make a batch durable"))
            .map_err(|fault| Error::InDoubt(Box::new(fault)))
    }

    pub(crate) fn erase(&mut self, erased: &[Erase]) -> Result<u64, Error> {
        let mut tx = self.client.transaction().map_err(Error::postgres("begin an erasure"))?;
        fence(&mut tx, self.epoch)?;
        let destroyed = erase(&mut tx, erased)?;
        tx.commit().map_err(Error::postgres("destroy secrets"))?;
        Ok(destroyed)
    }

    /// Wraps secrets anew, a page at a time.
    pub(crate) fn rewrap(&mut self, page: Page, rewrap: &mut Rewrap<'_>) -> Result<(), Error> {
        let what = "wrap secrets anew";
        let mut tx = self.client.transaction().map_err(Error::postgres(what))?;
        fence(&mut tx, self.epoch)?;
        let (log, from, limit) = (log_number(page.log), number(page.from), i64::from(page.limit));
        let rows =
            tx.query(SELECT_SECRETS, &[&log, &from, &limit]).map_err(Error::postgres(what))?;
        let rows: Vec<PackedSecrets> = rows
            .iter()
            .map(|r| PackedSecrets { sequence: sequence(r), week: week(r, 1), packed: r.get(2) })
            .collect();
        let new = rewrap.page(page, &rows)?;
        let sequences: Vec<i64> = new.iter().map(|row| number(row.sequence)).collect();
        let packed: Vec<&[u8]> = new.iter().map(|row| row.packed.as_slice()).collect();
        tx.execute(REWRAP_SECRETS, &[&log, &i64::from(rewrap.week), &sequences, &packed])
            .map_err(Error::postgres(what))?;
        tx.commit().map_err(Error::postgres(what))
    }

    /// The oldest week, from `first` on, under whose key a secret of any log is wrapped.
    pub(crate) fn live_week(&mut self, first: u32) -> Result<Option<u32>, Error> {
        let found = self
            .client
            .query_opt(SELECT_WEEK, &[&i64::from(first)])
            .map_err(Error::postgres("find the oldest week"))?;
        Ok(found.map(|r| week(&r, 0)))
    }

    pub(crate) fn receipts(&mut self, keys: &[Digest]) -> Result<Vec<Receipt>, Error> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let keys: Vec<&[u8]> = keys.iter().map(|key| key.0.as_slice()).collect();
        let rows = self
            .client
            .query(SELECT_RECEIPTS, &[&keys])
            .map_err(Error::postgres("look up receipts"))?;
        let receipt = |r: &Row| Receipt {
            key: digest(r, 0),
            command: digest(r, 1),
            sequence: r.get::<_, i64>(2).cast_unsigned(),
            entries: u32::try_from(r.get::<_, i64>(3)).unwrap_or(0),
            at: Time::from_ms(r.get(4)).unwrap_or_default(),
        };
        Ok(rows.iter().map(receipt).collect())
    }
}

/// Raises the epoch of every log at once; a leader in the middle of a batch finishes it first.
fn raise_epochs(client: &mut Client) -> Result<u64, postgres::Error> {
    let mut tx = client.transaction()?;
    let root: &[u8] = &[0; 32];
    let mut epochs = Vec::with_capacity(LogName::ALL.len());
    for log in LogName::ALL {
        tx.execute(INSERT_HEAD, &[&log_number(log), &root])?;
        let raised = tx.query_one(RAISE_EPOCH, &[&log_number(log)])?;
        epochs.push(raised.get::<_, i64>(0).cast_unsigned());
    }
    tx.commit()?;
    Ok(epochs.first().copied().unwrap_or_default())
}

/// Stops a leader that was replaced, and holds off a new one until the transaction ends.
fn fence(tx: &mut postgres::Transaction<'_>, epoch: u64) -> Result<(), Error> {
    let now = tx
        .query_one(SELECT_EPOCH, &[&log_number(LogName::Acts)])
        .map_err(Error::postgres("check the epoch"))?;
    if now.get::<_, i64>(0).cast_unsigned() == epoch { Ok(()) } else { Err(Error::Fenced(epoch)) }
}

fn insert_batch(tx: &mut postgres::Transaction<'_>, batch: &Batch) -> Result<(), postgres::Error> {
    let log = log_number(batch.log);
    if !batch.entries.is_empty() {
        let sequences: Vec<i64> =
            (0..batch.entries.len()).map(|i| number(batch.before.size + i as u64)).collect();
        let column = |take: fn(&crate::log::NewEntry) -> &[u8]| -> Vec<&[u8]> {
            batch.entries.iter().map(take).collect()
        };
        let portions: Vec<Vec<u8>> =
            batch.entries.iter().map(|e| row::pack_portions(&e.portions)).collect();
        let signatures: Vec<Option<&[u8]>> =
            batch.entries.iter().map(|e| e.signature.as_deref()).collect();
        let wrapped: Vec<Vec<u8>> =
            batch.entries.iter().map(|e| row::pack_secrets(&e.secrets)).collect();
        let weeks: Vec<i64> = batch.entries.iter().map(|e| i64::from(e.week)).collect();
        tx.execute(INSERT_SECRETS, &[&log, &sequences, &weeks, &wrapped])?;
        let (leaves, headers, commitments) =
            (column(|e| &e.leaf), column(|e| &e.header), column(|e| &e.commitments));
        tx.execute(
            INSERT_ENTRIES,
            &[&log, &sequences, &leaves, &headers, &commitments, &portions, &signatures],
        )?;
    }
    if !batch.receipts.is_empty() {
        let keys: Vec<&[u8]> = batch.receipts.iter().map(|r| r.key.0.as_slice()).collect();
        let commands: Vec<&[u8]> = batch.receipts.iter().map(|r| r.command.0.as_slice()).collect();
        let sequences: Vec<i64> = batch.receipts.iter().map(|r| number(r.sequence)).collect();
        let entries: Vec<i64> = batch.receipts.iter().map(|r| i64::from(r.entries)).collect();
        let times: Vec<i64> = batch.receipts.iter().map(|r| r.at.ms()).collect();
        tx.execute(INSERT_RECEIPTS, &[&keys, &commands, &sequences, &entries, &times])?;
    }
    for tile in &batch.tiles {
        let level = i32::from(tile.level);
        tx.execute(INSERT_TILE, &[&log, &level, &number(tile.index), &tile.hashes])?;
    }
    for signed in &batch.signed {
        tx.execute(INSERT_CHECKPOINT, &[&log, &number(signed.size), &signed.note])?;
    }
    Ok(())
}

fn erase(tx: &mut postgres::Transaction<'_>, erased: &[Erase]) -> Result<u64, Error> {
    let what = "destroy a secret";
    let mut destroyed = 0;
    for erase in erased {
        let log = log_number(erase.log);
        let sequence = number(erase.sequence);
        let rows =
            tx.query(SELECT_SECRETS_AT, &[&log, &vec![sequence]]).map_err(Error::postgres(what))?;
        for found in &rows {
            let mut left = secrets_row(found)?.secrets;
            let before = left.len();
            left.retain(|(slot, _)| *slot != erase.slot);
            destroyed += (before - left.len()) as u64;
            tx.execute(UPDATE_SECRET, &[&log, &sequence, &row::pack_secrets(&left)])
                .map_err(Error::postgres(what))?;
        }
    }
    Ok(destroyed)
}

fn select_head(client: &mut Client, log: LogName) -> Result<Head, Error> {
    let r = client
        .query_one(SELECT_HEAD, &[&log_number(log)])
        .map_err(Error::postgres("read the head"))?;
    Ok(Head {
        epoch: r.get::<_, i64>(0).cast_unsigned(),
        size: r.get::<_, i64>(1).cast_unsigned(),
        root: digest(&r, 2),
        frontier: r.get(3),
        note: r.get(4),
    })
}

fn sequence(r: &Row) -> u64 {
    r.get::<_, i64>(0).cast_unsigned()
}

fn week(r: &Row, column: usize) -> u32 {
    u32::try_from(r.get::<_, i64>(column)).unwrap_or(u32::MAX)
}

fn digest(r: &Row, column: usize) -> Digest {
    Digest::from_slice(r.get::<_, &[u8]>(column)).unwrap_or_default()
}

fn entry_row(r: &Row) -> Result<StoredEntry, Error> {
    Ok(StoredEntry {
        sequence: r.get::<_, i64>(0).cast_unsigned(),
        leaf: r.get(1),
        header: r.get(2),
        commitments: r.get(3),
        portions: row::unpack_portions(r.get(4))?,
        signature: r.get(5),
    })
}

fn secrets_row(r: &Row) -> Result<StoredSecrets, Error> {
    Ok(StoredSecrets {
        sequence: r.get::<_, i64>(0).cast_unsigned(),
        week: week(r, 1),
        secrets: row::unpack_secrets(r.get(2))?,
    })
}

/// LIMIT: idle connections kept for readers of one process.
const IDLE_READERS: usize = 4;

struct Pool {
    url: String,
    idle: Mutex<Vec<Client>>,
}

/// Readers of the log.
#[derive(Clone)]
pub struct PostgresReader {
    pool: Arc<Pool>,
}

impl PostgresReader {
    pub(crate) fn open(url: &str) -> Result<Self, Error> {
        let first = connect(url)?;
        Ok(Self { pool: Arc::new(Pool { url: url.to_owned(), idle: Mutex::new(vec![first]) }) })
    }

    /// Reads on an idle connection; on a new one when there is none, or when it turns out dead.
    fn with<T>(
        &self,
        read: impl Fn(&mut Client) -> Result<T, postgres::Error>,
    ) -> Result<T, Error> {
        let idle = self.pool.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        if let Some(client) = idle.filter(|client| !client.is_closed()) {
            match self.read(client, &read) {
                Err(Error::Lost(_)) => {}
                outcome => return outcome,
            }
        }
        self.read(connect(&self.pool.url)?, &read)
    }

    fn read<T>(
        &self,
        mut client: Client,
        read: &impl Fn(&mut Client) -> Result<T, postgres::Error>,
    ) -> Result<T, Error> {
        let outcome = read(&mut client).map_err(Error::postgres("read the log"));
        let mut idle = self.pool.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if outcome.is_ok() && idle.len() < IDLE_READERS {
            idle.push(client);
        }
        outcome
    }

    pub(crate) fn entries(
        &self,
        log: LogName,
        from: u64,
        limit: u32,
    ) -> Result<Vec<StoredEntry>, Error> {
        let limit = i64::from(limit);
        self.with(|c| c.query(SELECT_ENTRIES, &[&log_number(log), &number(from), &limit]))?
            .iter()
            .map(entry_row)
            .collect()
    }

    pub(crate) fn entries_at(
        &self,
        log: LogName,
        sequences: &[u64],
    ) -> Result<Vec<StoredEntry>, Error> {
        let sequences: Vec<i64> = sequences.iter().map(|s| number(*s)).collect();
        self.with(|c| c.query(SELECT_ENTRIES_AT, &[&log_number(log), &sequences]))?
            .iter()
            .map(entry_row)
            .collect()
    }

    pub(crate) fn leaves(
        &self,
        log: LogName,
        from: u64,
        limit: u32,
    ) -> Result<Vec<Vec<u8>>, Error> {
        let limit = i64::from(limit);
        let rows =
            self.with(|c| c.query(SELECT_LEAVES, &[&log_number(log), &number(from), &limit]))?;
        Ok(rows.iter().map(|r| r.get(0)).collect())
    }

    pub(crate) fn secrets(
        &self,
        log: LogName,
        from: u64,
        limit: u32,
    ) -> Result<Vec<StoredSecrets>, Error> {
        let limit = i64::from(limit);
        self.with(|c| c.query(SELECT_SECRETS, &[&log_number(log), &number(from), &limit]))?
            .iter()
            .map(secrets_row)
            .collect()
    }

    pub(crate) fn secrets_at(
        &self,
        log: LogName,
        sequences: &[u64],
    ) -> Result<Vec<StoredSecrets>, Error> {
        let sequences: Vec<i64> = sequences.iter().map(|s| number(*s)).collect();
        self.with(|c| c.query(SELECT_SECRETS_AT, &[&log_number(log), &sequences]))?
            .iter()
            .map(secrets_row)
            .collect()
    }

    pub(crate) fn tile(
        &self,
        log: LogName,
        level: u8,
        index: u64,
    ) -> Result<Option<Vec<u8>>, Error> {
        let (log, level, index) = (log_number(log), i32::from(level), number(index));
        let found = self.with(|c| c.query_opt(SELECT_TILE, &[&log, &level, &index]))?;
        Ok(found.map(|r| r.get(0)))
    }

    pub(crate) fn head(&self, log: LogName) -> Result<Head, Error> {
        let row = self.with(|c| c.query_one(SELECT_HEAD, &[&log_number(log)]))?;
        Ok(Head {
            epoch: row.get::<_, i64>(0).cast_unsigned(),
            size: row.get::<_, i64>(1).cast_unsigned(),
            root: digest(&row, 2),
            frontier: row.get(3),
            note: row.get(4),
        })
    }

    pub(crate) fn signed(&self, log: LogName, size: u64) -> Result<Option<Signed>, Error> {
        let found =
            self.with(|c| c.query_opt(SELECT_CHECKPOINT, &[&log_number(log), &number(size)]))?;
        Ok(found.map(|r| Signed { size: r.get::<_, i64>(0).cast_unsigned(), note: r.get(1) }))
    }
}
