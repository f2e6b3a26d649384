//! The views: local SQLite tables folded from the log, and every question the kernel asks them.
//!
//! INVARIANT: rows change only here and in a capability's `index`, as pure functions of the log.
//! Bodies stay sealed: a layer points at its portions, and `open` unseals them row by row.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Deref;
use std::path::{Path, PathBuf};

use base::crypto::{Entropy, Secret};
use base::{AgencyId, CircleId, EntryId, Label, OperationId, PersonId, RecordId, Time};
use roaring::RoaringBitmap;
use rusqlite::{Connection, OptionalExtension, params};
use store::sqlite::{self, Durability};

use super::capability::{Capability, Fact, Layer, Timer};
use super::cells::{CellNumber, Cells};
use super::fault::Fault;
use super::tally::{Tallies, Tally};

// Parameters are `?1` here: SQLite takes `$1` for a name and numbers it by where it first stands.

/// Counts changes of the tables and of what is folded into them.
const VERSION: i32 = 2;

const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS applied (log INTEGER PRIMARY KEY, size INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS label (number INTEGER PRIMARY KEY, sealed BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS cell (
    number INTEGER PRIMARY KEY, label INTEGER NOT NULL, circle BLOB) STRICT;
CREATE TABLE IF NOT EXISTS record (
    id BLOB PRIMARY KEY, kind TEXT NOT NULL, agency BLOB NOT NULL, base INTEGER NOT NULL,
    floor INTEGER, created INTEGER NOT NULL, version INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS layer (
    record BLOB NOT NULL, cell INTEGER NOT NULL, gate INTEGER NOT NULL, kind TEXT NOT NULL,
    version INTEGER NOT NULL,
    sequence INTEGER NOT NULL, changed_at INTEGER NOT NULL, state TEXT, due_at INTEGER,
    lat REAL, lon REAL, operation BLOB,
    PRIMARY KEY (record, cell)) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS layer_by_cell ON layer (kind, cell, sequence);
CREATE INDEX IF NOT EXISTS layer_by_sequence ON layer (kind, sequence);
CREATE TABLE IF NOT EXISTS piece (
    record BLOB NOT NULL, cell INTEGER NOT NULL, sequence INTEGER NOT NULL,
    slot INTEGER NOT NULL, erased INTEGER NOT NULL,
    PRIMARY KEY (record, cell, sequence, slot)) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS piece_by_sequence ON piece (sequence, slot);
CREATE TABLE IF NOT EXISTS entry (
    sequence INTEGER PRIMARY KEY, id BLOB NOT NULL, record BLOB NOT NULL, kind TEXT NOT NULL,
    actor BLOB, agency BLOB NOT NULL, acted_at INTEGER NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS entry_by_id ON entry (id);
CREATE TABLE IF NOT EXISTS registered (sequence INTEGER PRIMARY KEY) STRICT;
CREATE TABLE IF NOT EXISTS touched (
    sequence INTEGER NOT NULL, record BLOB NOT NULL,
    PRIMARY KEY (sequence, record)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS counter (
    kind TEXT NOT NULL, cell INTEGER NOT NULL, gate INTEGER NOT NULL, records INTEGER NOT NULL,
    changed INTEGER NOT NULL, PRIMARY KEY (kind, cell, gate)) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS counter_by_change ON counter (kind, changed);
CREATE TABLE IF NOT EXISTS timer (
    record BLOB NOT NULL, name TEXT NOT NULL, due_at INTEGER NOT NULL, sequence INTEGER NOT NULL,
    action TEXT NOT NULL, command TEXT NOT NULL,
    PRIMARY KEY (record, name)) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS timer_by_due ON timer (due_at);";

const SELECT_APPLIED: &str = "SELECT size FROM applied WHERE log = 0";
const SELECT_STALE: &str = "SELECT size FROM applied WHERE log = 1";
const SET_STALE: &str = "INSERT OR REPLACE INTO applied (log, size) VALUES (1, 1)";
const UPSERT_APPLIED: &str = "INSERT INTO applied (log, size) VALUES (0, ?1)
    ON CONFLICT (log) DO UPDATE SET size = ?1";
const SELECT_LABELS: &str = "SELECT sealed FROM label ORDER BY number";
const SELECT_CELLS: &str = "SELECT label, circle FROM cell ORDER BY number";
const INSERT_LABEL: &str = "INSERT INTO label (number, sealed) VALUES (?1, ?2)";
const INSERT_CELL: &str = "INSERT INTO cell (number, label, circle) VALUES (?1, ?2, ?3)";
const SELECT_RECORD: &str = "SELECT kind, agency, base, floor, created, version FROM record
    WHERE id = ?1";
const INSERT_RECORD: &str = "INSERT INTO record (id, kind, agency, base, created, version)
    VALUES (?1, ?2, ?3, ?4, ?5, 1)";
const BUMP_RECORD: &str = "UPDATE record SET version = version + 1 WHERE id = ?1";
const COUNT: &str = "INSERT INTO counter (kind, cell, gate, records, changed)
    VALUES (?1, ?2, ?3, ?4, ?5)
    ON CONFLICT (kind, cell, gate) DO UPDATE SET records = records + ?4, changed = ?5";
const SET_FLOOR: &str = "UPDATE record SET floor = ?2 WHERE id = ?1";
const SET_GATE: &str = "UPDATE layer SET gate = ?3 WHERE record = ?1 AND cell = ?2";
const SET_GATES: &str = "UPDATE layer SET gate = ?2 WHERE record = ?1";
const SELECT_LAYER: &str = "SELECT cell, gate, version, sequence, changed_at, state, due_at, lat,
    lon, operation FROM layer WHERE record = ?1 AND cell = ?2";
const SELECT_LAYERS: &str = "SELECT cell, gate, version, sequence, changed_at, state, due_at, lat,
    lon, operation FROM layer WHERE record = ?1 ORDER BY cell LIMIT 256";
const UPSERT_LAYER: &str = "INSERT INTO layer (record, cell, kind, version, sequence, changed_at,
    state, due_at, lat, lon, operation, gate)
    VALUES (?1, ?2, ?3, 1, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
    ON CONFLICT (record, cell) DO UPDATE SET version = version + 1, sequence = ?4,
    changed_at = ?5, state = ?6, due_at = ?7, lat = ?8, lon = ?9, operation = ?10";
const SET_LAYER: &str = "UPDATE layer SET state = ?3, due_at = ?4, lat = ?5, lon = ?6,
    operation = ?7 WHERE record = ?1 AND cell = ?2";
const INSERT_PIECE: &str = "INSERT INTO piece (record, cell, sequence, slot, erased)
    VALUES (?1, ?2, ?3, ?4, 0)";
const SELECT_PIECES: &str = "SELECT cell, sequence, slot, erased FROM piece
    WHERE record = ?1 ORDER BY sequence, slot LIMIT 65536";
const SELECT_PIECE_OWNER: &str = "SELECT record, cell FROM piece WHERE sequence = ?1 AND slot = ?2";
const ERASE_PIECE: &str = "UPDATE piece SET erased = 1 WHERE sequence = ?1 AND slot = ?2";
const INSERT_ENTRY: &str = "INSERT INTO entry (sequence, id, record, kind, actor, agency, acted_at)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
const SELECT_ENTRY_BY_ID: &str = "SELECT sequence FROM entry WHERE id = ?1";
const SELECT_ENTRY: &str = "SELECT record, id FROM entry WHERE sequence = ?1";
const INSERT_TOUCHED: &str = "INSERT OR IGNORE INTO touched (sequence, record) VALUES (?1, ?2)";
const SELECT_ACTED_AT: &str = "SELECT acted_at FROM entry WHERE sequence = ?1";
const SELECT_TOUCHED: &str = "SELECT record FROM entry WHERE sequence >= ?1 AND sequence < ?2
    UNION SELECT record FROM touched WHERE sequence >= ?1 AND sequence < ?2";
const INSERT_REGISTERED: &str = "INSERT INTO registered (sequence) VALUES (?1)";
const SELECT_REGISTERED: &str =
    "SELECT sequence FROM registered WHERE sequence < ?1 ORDER BY sequence";
const PAGE_BY_CELL: &str = "SELECT record, sequence FROM layer
    WHERE kind = ?1 AND cell = ?2 AND sequence < ?3 ORDER BY sequence DESC LIMIT ?4";
const PAGE_BY_SEQUENCE: &str = "SELECT record, cell, gate, sequence FROM layer
    WHERE kind = ?1 AND sequence < ?2 ORDER BY sequence DESC LIMIT ?3";
const CHANGED_SINCE: &str = "SELECT cell, gate, version, sequence, changed_at, state, due_at, lat,
    lon, operation, record FROM layer
    WHERE kind = ?1 AND sequence >= ?2 ORDER BY sequence LIMIT ?3";
const SELECT_COUNTERS: &str = "SELECT cell, gate, records, changed FROM counter
    WHERE kind = ?1 AND changed > ?2";
const UPSERT_TIMER: &str = "INSERT INTO timer (record, name, due_at, sequence, action, command)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (record, name)
    DO UPDATE SET due_at = ?3, sequence = ?4, action = ?5, command = ?6";
const DELETE_TIMER: &str = "DELETE FROM timer WHERE record = ?1 AND name = ?2";
const SELECT_DUE: &str = "SELECT record, name, due_at, sequence, action, command FROM timer
    WHERE due_at <= ?1 ORDER BY due_at, record, name LIMIT ?2";
const SELECT_NEXT_DUE: &str = "SELECT due_at FROM timer ORDER BY due_at LIMIT 1";

fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// The connection of the one writer of a view file; others hold it without knowing what it is.
pub struct ViewWriter {
    connection: Connection,
    key: Secret,
}

impl Deref for ViewWriter {
    type Target = Connection;
    fn deref(&self) -> &Connection {
        &self.connection
    }
}

impl From<rusqlite::Error> for Fault {
    fn from(source: rusqlite::Error) -> Self {
        match source {
            // What a decision looks for was erased.
            rusqlite::Error::QueryReturnedNoRows => Self::absent(),
            other => Self::unavailable(other),
        }
    }
}

/// Where the search index of a view file lies: it ends with its views.
pub fn search_of(views: &Path) -> PathBuf {
    views.with_extension("search")
}

/// Opens the view file for writing and makes its tables.
///
/// `key` seals the labels and keys the digests in it.
///
/// # Errors
/// The store's own fault.
pub fn open(path: &Path, capabilities: &[&Capability], key: &Secret) -> Result<ViewWriter, Fault> {
    if path.exists() && version(path)? != VERSION {
        // Folded by another version: made again from the log.
        super::view_file::remove(path)?;
    }
    if !path.exists() {
        // An index of other views knows other cells.
        store::search::remove(&search_of(path))?;
    }
    let connection = sqlite::open(path, Durability::Rebuildable)?;
    connection.execute_batch(SCHEMA)?;
    connection.pragma_update(None, "user_version", VERSION)?;
    for capability in capabilities {
        connection.execute_batch(capability.tables)?;
    }
    Ok(ViewWriter { connection, key: key.clone() })
}

/// How many entries are folded between two commits of [`ViewWriter::in_bulk`].
pub const BULK: u64 = 16_384;

impl ViewWriter {
    /// Prepares an empty file for folding a whole log into it: without a journal, in few and large
    /// transactions.
    ///
    /// Until [`ViewWriter::settled`] the file has no version: after a crash it is made again.
    ///
    /// # Errors
    /// The store's own fault.
    pub fn in_bulk(&self) -> Result<(), Fault> {
        self.connection.execute_batch(
            "PRAGMA user_version=0; PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF;
             PRAGMA cache_size=-262144; DROP INDEX entry_by_id;",
        )?;
        Ok(())
    }

    /// Makes a file that was folded in bulk what every other is.
    ///
    /// # Errors
    /// The store's own fault.
    pub fn settled(&self, path: &Path) -> Result<(), Fault> {
        self.connection.execute_batch(SCHEMA)?;
        sqlite::set_up(&self.connection, path, Durability::Rebuildable)?;
        self.connection.pragma_update(None, "user_version", VERSION)?;
        Ok(())
    }
}

fn version(path: &Path) -> Result<i32, Fault> {
    let connection = sqlite::open(path, Durability::Rebuildable)?;
    Ok(connection.query_row("PRAGMA user_version", [], |r| r.get(0))?)
}

/// A record's own row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordRow {
    pub kind: String,
    pub agency: AgencyId,
    pub base: CellNumber,
    /// What a reader must be able to read besides, since the record's label was raised.
    pub floor: Option<CellNumber>,
    pub created: u64,
    /// Counts every layer; it never leaves the node.
    pub version: u64,
}

/// A layer's row.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerRow {
    pub cell: CellNumber,
    /// What a reader must be able to read besides; the cell itself as long as nothing was raised.
    pub gate: CellNumber,
    pub version: u64,
    pub sequence: u64,
    pub changed_at: Time,
    pub columns: Layer,
}

impl RecordRow {
    /// Whether a reader of these cells may know of the record.
    pub fn readable(&self, cells: &RoaringBitmap) -> bool {
        cells.contains(self.base) && self.floor.is_none_or(|floor| cells.contains(floor))
    }
}

impl LayerRow {
    /// Whether a reader of these cells may read the layer.
    pub fn readable(&self, cells: &RoaringBitmap) -> bool {
        cells.contains(self.cell) && cells.contains(self.gate)
    }
}

/// Where a portion of a record lies in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Piece {
    pub cell: CellNumber,
    pub sequence: u64,
    pub slot: u8,
    pub erased: bool,
}

/// A line of a page: a record at the newest layer that the reader may read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hit {
    pub record: RecordId,
    pub sequence: u64,
}

/// A timer that is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DueTimer {
    pub record: RecordId,
    pub timer: Timer,
    /// The entry that set it; with record and name it is the timer's id.
    pub sequence: u64,
}

/// An entry's row.
pub struct EntryRow<'a> {
    pub sequence: u64,
    pub id: EntryId,
    pub record: RecordId,
    pub kind: &'a str,
    pub actor: Option<PersonId>,
    pub agency: AgencyId,
    pub acted_at: Time,
}

/// The view tables, through a writer's transaction or a reader's connection.
#[derive(Clone, Copy)]
pub struct Views<'a> {
    connection: &'a Connection,
    key: &'a Secret,
    /// Kept in memory of the file that is read; a writer has none.
    tallies: Option<&'a Tallies>,
}

impl<'a> Views<'a> {
    /// Asks through the connection of the writer.
    pub const fn new(writer: &'a ViewWriter) -> Self {
        Self { connection: &writer.connection, key: &writer.key, tallies: None }
    }

    /// Asks through the connection of a reader; `key` is that of the file.
    pub const fn reading(connection: &'a Connection, key: &'a Secret) -> Self {
        Self { connection, key, tallies: None }
    }

    /// Asks through the connection of a reader, with what is kept in memory of its file.
    pub const fn tallied(
        connection: &'a Connection,
        key: &'a Secret,
        tallies: &'a Tallies,
    ) -> Self {
        Self { connection, key, tallies: Some(tallies) }
    }

    /// A digest for a table: without the key of the views it tells nobody whether a guess is right.
    pub fn keyed(&self, domain: &str, parts: &[&[u8]]) -> [u8; 32] {
        let keyed = base::crypto::Hasher::new("muster/view-keyed/v1").part(self.key.expose());
        parts
            .iter()
            .fold(keyed.part(domain.as_bytes()), |hasher, part| hasher.part(part))
            .finish()
            .0
    }

    /// The connection, for a capability's own `view.rs`.
    pub const fn connection(&self) -> &'a Connection {
        self.connection
    }

    /// Begins the transaction of a batch.
    ///
    /// # Errors
    /// The store's own fault.
    pub fn begin(&self) -> Result<(), Fault> {
        self.run("BEGIN IMMEDIATE")
    }

    /// Commits the transaction of a batch.
    ///
    /// # Errors
    /// The store's own fault.
    pub fn commit(&self) -> Result<(), Fault> {
        self.run("COMMIT")
    }

    /// Rolls the transaction of a batch back.
    ///
    /// # Errors
    /// The store's own fault.
    pub fn roll_back(&self) -> Result<(), Fault> {
        self.run("ROLLBACK")
    }

    /// Marks the state before one act of a batch.
    ///
    /// # Errors
    /// The store's own fault.
    pub fn mark_act(&self) -> Result<(), Fault> {
        self.run("SAVEPOINT act")
    }

    /// Keeps what the act did.
    ///
    /// # Errors
    /// The store's own fault.
    pub fn keep_act(&self) -> Result<(), Fault> {
        self.run("RELEASE act")
    }

    /// Undoes what the act did, and nothing of its batch-mates.
    ///
    /// # Errors
    /// The store's own fault.
    pub fn undo_act(&self) -> Result<(), Fault> {
        self.run("ROLLBACK TO act; RELEASE act")
    }

    /// Runs a statement of a transaction.
    ///
    /// # Errors
    /// The store's own fault.
    pub fn run(&self, statement: &str) -> Result<(), Fault> {
        Ok(self.connection.execute_batch(statement)?)
    }

    /// How many entries of the log the tables have seen.
    ///
    /// # Errors
    /// The store's own fault.
    pub fn applied(&self) -> Result<u64, Fault> {
        let size = self
            .connection
            .prepare_cached(SELECT_APPLIED)?
            .query_row([], |r| r.get::<_, i64>(0))
            .optional()?;
        Ok(size.unwrap_or(0).cast_unsigned())
    }

    /// Notes how many entries of the log the tables have seen.
    ///
    /// # Errors
    /// The store's own fault.
    pub fn set_applied(&self, size: u64) -> Result<(), Fault> {
        self.connection.prepare_cached(UPSERT_APPLIED)?.execute([number(size)])?;
        Ok(())
    }

    /// Whether something was erased since the tables were folded, so that they must be folded anew.
    ///
    /// # Errors
    /// The store's own fault.
    pub fn stale(&self) -> Result<bool, Fault> {
        Ok(self.connection.prepare_cached(SELECT_STALE)?.exists([])?)
    }

    /// Notes that something was erased; only a new folding is without this mark.
    ///
    /// # Errors
    /// The store's own fault.
    pub fn set_stale(&self) -> Result<(), Fault> {
        self.connection.prepare_cached(SET_STALE)?.execute([])?;
        Ok(())
    }

    /// Reads the interned labels and cells.
    ///
    /// # Errors
    /// The store's own fault, or a bug when a label cannot be unsealed.
    pub fn cells(&self, key: &Secret) -> Result<Cells, Fault> {
        let mut cells = Cells::default();
        let mut select = self.connection.prepare_cached(SELECT_LABELS)?;
        let mut rows = select.query([])?;
        while let Some(row) = rows.next()? {
            let label = unseal_label(key, &row.get::<_, Vec<u8>>(0)?)?;
            cells.add_label(&label);
        }
        let mut select = self.connection.prepare_cached(SELECT_CELLS)?;
        let mut rows = select.query([])?;
        while let Some(row) = rows.next()? {
            let circle = row.get::<_, Option<[u8; 16]>>(1)?.map(CircleId);
            cells.add_cell(row.get(0)?, circle);
        }
        Ok(cells)
    }

    /// Interns the label and cell of a portion, and writes what is new.
    ///
    /// # Errors
    /// The store's own fault.
    pub fn intern(
        &self,
        cells: &mut Cells,
        label: &Label,
        circle: Option<CircleId>,
        seal: (&Secret, &mut Entropy),
    ) -> Result<CellNumber, Fault> {
        let (label_number, new) = cells.add_label(label);
        if new {
            let sealed = seal_label(seal.0, seal.1, label)?;
            self.connection.prepare_cached(INSERT_LABEL)?.execute(params![label_number, sealed])?;
        }
        let (cell, new) = cells.add_cell(label_number, circle);
        if new {
            let circle = circle.map(|circle| circle.0);
            self.connection.prepare_cached(INSERT_CELL)?.execute(params![
                cell,
                label_number,
                circle
            ])?;
        }
        Ok(cell)
    }

    /// A record's own row.
    ///
    /// # Errors
    /// The store's own fault.
    pub fn record(&self, id: RecordId) -> Result<Option<RecordRow>, Fault> {
        let row = self
            .connection
            .prepare_cached(SELECT_RECORD)?
            .query_row([id.0], |r| {
                Ok(RecordRow {
                    kind: r.get(0)?,
                    agency: AgencyId(r.get(1)?),
                    base: r.get(2)?,
                    floor: r.get(3)?,
                    created: r.get::<_, i64>(4)?.cast_unsigned(),
                    version: r.get::<_, i64>(5)?.cast_unsigned(),
                })
            })
            .optional()?;
        Ok(row)
    }

    /// A record's layers, at most 256, by cell.
    ///
    /// # Errors
    /// The store's own fault.
    pub fn layers(&self, id: RecordId) -> Result<Vec<LayerRow>, Fault> {
        let mut select = self.connection.prepare_cached(SELECT_LAYERS)?;
        let rows = select.query_map([id.0], layer_row)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// One layer of a record.
    ///
    /// # Errors
    /// The store's own fault.
    pub fn layer(&self, id: RecordId, cell: CellNumber) -> Result<Option<LayerRow>, Fault> {
        let mut select = self.connection.prepare_cached(SELECT_LAYER)?;
        Ok(select.query_row(params![id.0, cell], layer_row).optional()?)
    }

    /// Where the portions of a record lie, in the order of the log.
    ///
    /// # Errors
    /// The store's own fault.
    pub fn pieces(&self, id: RecordId) -> Result<Vec<Piece>, Fault> {
        let mut select = self.connection.prepare_cached(SELECT_PIECES)?;
        let rows = select.query_map([id.0], piece_row)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// The record and cell that a portion belongs to.
    ///
    /// # Errors
    /// The store's own fault.
    pub fn piece_owner(
        &self,
        sequence: u64,
        slot: u8,
    ) -> Result<Option<(RecordId, CellNumber)>, Fault> {
        let mut select = self.connection.prepare_cached(SELECT_PIECE_OWNER)?;
        let owner = select
            .query_row(params![number(sequence), slot], |r| Ok((RecordId(r.get(0)?), r.get(1)?)))
            .optional()?;
        Ok(owner)
    }

    /// Marks a portion as erased.
    ///
    /// # Errors
    /// The store's own fault.
    pub fn erase_piece(&self, sequence: u64, slot: u8) -> Result<(), Fault> {
        self.connection.prepare_cached(ERASE_PIECE)?.execute(params![number(sequence), slot])?;
        Ok(())
    }

    /// Writes an entry's row.
    ///
    /// # Errors
    /// The store's own fault.
    pub fn add_entry(&self, entry: &EntryRow<'_>) -> Result<(), Fault> {
        self.connection.prepare_cached(INSERT_ENTRY)?.execute(params![
            number(entry.sequence),
            entry.id.0,
            entry.record.0,
            entry.kind,
            entry.actor.map(|person| person.0),
            entry.agency.0,
            entry.acted_at.ms()
        ])?;
        Ok(())
    }

    /// The sequence number of an entry.
    ///
    /// # Errors
    /// The store's own fault.
    pub fn sequence_of(&self, id: EntryId) -> Result<Option<u64>, Fault> {
        let mut select = self.connection.prepare_cached(SELECT_ENTRY_BY_ID)?;
        let found = select.query_row([id.0], |r| r.get::<_, i64>(0)).optional()?;
        Ok(found.map(i64::cast_unsigned))
    }

    /// The record and id of an entry.
    ///
    /// # Errors
    /// The store's own fault.
    pub fn entry_at(&self, sequence: u64) -> Result<Option<(RecordId, EntryId)>, Fault> {
        let mut select = self.connection.prepare_cached(SELECT_ENTRY)?;
        let found = select
            .query_row([number(sequence)], |r| Ok((RecordId(r.get(0)?), EntryId(r.get(1)?))))
            .optional()?;
        Ok(found)
    }

    /// Notes that an entry changed another record than its own: its label, or what it says.
    ///
    /// # Errors
    /// The store's own fault.
    pub fn touch(&self, sequence: u64, record: RecordId) -> Result<(), Fault> {
        let row = params![number(sequence), record.0];
        self.connection.prepare_cached(INSERT_TOUCHED)?.execute(row)?;
        Ok(())
    }

    /// The records that entries from `from` up to, and without, `until` are about or changed.
    ///
    /// # Errors
    /// The store's own fault.
    pub fn touched(&self, from: u64, until: u64) -> Result<Vec<RecordId>, Fault> {
        let mut select = self.connection.prepare_cached(SELECT_TOUCHED)?;
        let rows = select.query_map(params![number(from), number(until)], |r| r.get(0))?;
        Ok(rows.collect::<rusqlite::Result<Vec<[u8; 16]>>>()?.into_iter().map(RecordId).collect())
    }

    /// Those of some entries whose acts were done by a time of the play.
    ///
    /// # Errors
    /// The store's own fault.
    pub fn acted_by(&self, sequences: &[u64], at: Time) -> Result<BTreeSet<u64>, Fault> {
        let mut select = self.connection.prepare_cached(SELECT_ACTED_AT)?;
        let mut done = BTreeSet::new();
        for sequence in sequences {
            let acted_at: Option<i64> =
                select.query_row([number(*sequence)], |r| r.get(0)).optional()?;
            if acted_at.is_some_and(|ms| ms <= at.ms()) {
                done.insert(*sequence);
            }
        }
        Ok(done)
    }

    /// Notes an entry that feeds the register.
    ///
    /// # Errors
    /// The store's own fault.
    pub fn add_registered(&self, sequence: u64) -> Result<(), Fault> {
        self.connection.prepare_cached(INSERT_REGISTERED)?.execute([number(sequence)])?;
        Ok(())
    }

    /// The entries below `size` that feed the register, in order.
    ///
    /// # Errors
    /// The store's own fault.
    pub fn registered(&self, size: u64) -> Result<Vec<u64>, Fault> {
        let mut select = self.connection.prepare_cached(SELECT_REGISTERED)?;
        let sequence = |r: &rusqlite::Row<'_>| r.get(0).map(i64::cast_unsigned);
        Ok(select.query_map([number(size)], sequence)?.collect::<rusqlite::Result<_>>()?)
    }

    /// The layers of a kind that have changed from an entry on, oldest first.
    ///
    /// # Errors
    /// The store's own fault.
    pub fn changed_since(
        &self,
        kind: &str,
        sequence: u64,
        limit: usize,
    ) -> Result<Vec<(RecordId, LayerRow)>, Fault> {
        let mut select = self.connection.prepare_cached(CHANGED_SINCE)?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let row = |r: &rusqlite::Row<'_>| Ok((RecordId(r.get(10)?), layer_row(r)?));
        let rows = select.query_map(params![kind, number(sequence), limit], row)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Applies one fact: the record's row, its layer, its place in the log, the counters.
    ///
    /// Gives the cell that a reader of the layer must be able to read besides its own.
    ///
    /// # Errors
    /// The store's own fault.
    pub fn apply(
        &self,
        capability: &Capability,
        fact: &Fact<'_>,
        slot: u8,
    ) -> Result<CellNumber, Fault> {
        let id = fact.record.0;
        let before = self.record(fact.record)?;
        if before.is_none() {
            self.connection.prepare_cached(INSERT_RECORD)?.execute(params![
                id,
                capability.noun,
                fact.agency.0,
                fact.cell,
                number(fact.sequence)
            ])?;
            self.count_on((capability.noun, fact.sequence), (fact.cell, fact.cell), 1)?;
        } else {
            self.connection.prepare_cached(BUMP_RECORD)?.execute([id])?;
        }
        let known = self.layer(fact.record, fact.cell)?;
        let floor = before.and_then(|record| record.floor);
        let gate = known.as_ref().map_or(floor.unwrap_or(fact.cell), |row| row.gate);
        if known.is_none() {
            // No record more, but from now on the kind lies in this cell, too.
            self.count_on((capability.noun, fact.sequence), (fact.cell, gate), 0)?;
        }
        let mut layer = known.map(|row| row.columns).unwrap_or_default();
        (capability.fold)(fact, &mut layer);
        self.connection.prepare_cached(UPSERT_LAYER)?.execute(params![
            id,
            fact.cell,
            capability.noun,
            number(fact.sequence),
            fact.acted_at.ms(),
            layer.state,
            layer.due_at.map(Time::ms),
            layer.place.map(|place| place.lat.degrees()),
            layer.place.map(|place| place.lon.degrees()),
            layer.operation.map(|operation| operation.0),
            gate
        ])?;
        self.connection.prepare_cached(INSERT_PIECE)?.execute(params![
            id,
            fact.cell,
            number(fact.sequence),
            slot
        ])?;
        (capability.index)(fact, *self)?;
        Ok(gate)
    }

    fn count_on(
        self,
        (kind, sequence): (&str, u64),
        (cell, gate): (CellNumber, CellNumber),
        records: i64,
    ) -> Result<(), Fault> {
        let row = params![kind, cell, gate, records, number(sequence)];
        self.connection.prepare_cached(COUNT)?.execute(row)?;
        Ok(())
    }

    /// Puts a floor below one layer, or below a record with all its layers, those to come too.
    ///
    /// # Errors
    /// The store's own fault.
    pub fn raise(
        &self,
        id: RecordId,
        layer: Option<CellNumber>,
        (floor, sequence): (CellNumber, u64),
    ) -> Result<(), Fault> {
        if let Some(cell) = layer {
            self.connection.prepare_cached(SET_GATE)?.execute(params![id.0, cell, floor])?;
            return Ok(());
        }
        let Some(record) = self.record(id)? else { return Ok(()) };
        let gate = record.floor.unwrap_or(record.base);
        self.count_on((&record.kind, sequence), (record.base, gate), -1)?;
        self.count_on((&record.kind, sequence), (record.base, floor), 1)?;
        self.connection.prepare_cached(SET_FLOOR)?.execute(params![id.0, floor])?;
        self.connection.prepare_cached(SET_GATES)?.execute(params![id.0, floor])?;
        Ok(())
    }

    /// Sets the columns of a layer that was folded anew, without a new version.
    ///
    /// # Errors
    /// The store's own fault.
    pub fn set_layer(&self, id: RecordId, cell: CellNumber, layer: &Layer) -> Result<(), Fault> {
        self.connection.prepare_cached(SET_LAYER)?.execute(params![
            id.0,
            cell,
            layer.state,
            layer.due_at.map(Time::ms),
            layer.place.map(|place| place.lat.degrees()),
            layer.place.map(|place| place.lon.degrees()),
            layer.operation.map(|operation| operation.0)
        ])?;
        Ok(())
    }

    /// Sets or clears a record's timer.
    ///
    /// # Errors
    /// The store's own fault.
    pub fn set_timer(&self, record: RecordId, sequence: u64, timer: &Timer) -> Result<(), Fault> {
        match timer.due_at {
            Some(due_at) => self.connection.prepare_cached(UPSERT_TIMER)?.execute(params![
                record.0,
                timer.name,
                due_at.ms(),
                number(sequence),
                timer.action,
                timer.command.to_string()
            ])?,
            None => self
                .connection
                .prepare_cached(DELETE_TIMER)?
                .execute(params![record.0, timer.name])?,
        };
        Ok(())
    }

    /// Timers that are due at `at`, earliest first, at most `limit`.
    ///
    /// # Errors
    /// The store's own fault.
    pub fn due(&self, at: Time, limit: u32) -> Result<Vec<DueTimer>, Fault> {
        let mut select = self.connection.prepare_cached(SELECT_DUE)?;
        let rows = select.query_map(params![at.ms(), limit], |r| {
            let command: String = r.get(5)?;
            Ok(DueTimer {
                record: RecordId(r.get(0)?),
                sequence: r.get::<_, i64>(3)?.cast_unsigned(),
                timer: Timer {
                    name: r.get(1)?,
                    due_at: Time::from_ms(r.get(2)?).ok(),
                    action: r.get(4)?,
                    command: serde_json::from_str(&command).unwrap_or_default(),
                },
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// When the next timer is due.
    ///
    /// # Errors
    /// The store's own fault.
    pub fn next_due(&self) -> Result<Option<Time>, Fault> {
        let mut select = self.connection.prepare_cached(SELECT_NEXT_DUE)?;
        let due = select.query_row([], |r| r.get::<_, i64>(0)).optional()?;
        Ok(due.and_then(|ms| Time::from_ms(ms).ok()))
    }

    /// The counters of a kind that changed after an entry: cell and gate, records, the last entry.
    ///
    /// # Errors
    /// The store's own fault.
    pub fn counters_since(
        &self,
        kind: &str,
        sequence: i64,
        mut each: impl FnMut((CellNumber, CellNumber), u64, i64),
    ) -> Result<(), Fault> {
        let mut select = self.connection.prepare_cached(SELECT_COUNTERS)?;
        let mut rows = select.query(params![kind, sequence])?;
        while let Some(row) = rows.next()? {
            let records = row.get::<_, i64>(2)?.cast_unsigned();
            each((row.get(0)?, row.get(1)?), records, row.get(3)?);
        }
        Ok(())
    }

    /// How many records a reader of `cells` may know of.
    ///
    /// # Errors
    /// The store's own fault.
    pub fn count(&self, kind: &str, readable: &RoaringBitmap) -> Result<u64, Fault> {
        if let Some(tallies) = self.tallies {
            return tallies.ask(*self, kind, |tally| tally.count(readable));
        }
        let mut tally = Tally::default();
        tally.follow(*self, kind)?;
        Ok(tally.count(readable))
    }

    /// The newest records of a kind below `before`, as a reader of `readable` sees their order.
    ///
    /// A record stands once, at the newest of its readable layers. Few cells are merged, each by
    /// its own index; many are scanned newest first with a budget, then merged, so a page is
    /// never short.
    ///
    /// # Errors
    /// The store's own fault.
    pub fn page(
        &self,
        kind: &str,
        readable: &RoaringBitmap,
        before: u64,
        limit: usize,
    ) -> Result<Vec<Hit>, Fault> {
        let within = |tallies: &Tallies| tallies.ask(*self, kind, |tally| tally.within(readable));
        let cells = self.tallies.map(within).transpose()?.unwrap_or_else(|| readable.clone());
        if cells.len() <= MERGED_CELLS {
            return self.merge(kind, (&cells, readable), before, limit);
        }
        let mut hits = Vec::with_capacity(limit);
        let budget = u32::try_from(limit * 20).unwrap_or(u32::MAX);
        let mut select = self.connection.prepare_cached(PAGE_BY_SEQUENCE)?;
        let mut rows = select.query(params![kind, number(before), budget])?;
        let mut scanned = 0;
        while let Some(row) = rows.next()? {
            scanned += 1;
            let (cell, gate): (CellNumber, CellNumber) = (row.get(1)?, row.get(2)?);
            if !readable.contains(cell) || !readable.contains(gate) {
                continue;
            }
            let hit = Hit {
                record: RecordId(row.get(0)?),
                sequence: row.get::<_, i64>(3)?.cast_unsigned(),
            };
            if another(&hits, hit) && self.newest_readable(hit, readable)? {
                hits.push(hit);
            }
            if hits.len() == limit {
                return Ok(hits);
            }
        }
        if scanned < budget {
            return Ok(hits);
        }
        self.merge(kind, (&cells, readable), before, limit)
    }

    fn merge(
        self,
        kind: &str,
        (cells, readable): (&RoaringBitmap, &RoaringBitmap),
        before: u64,
        limit: usize,
    ) -> Result<Vec<Hit>, Fault> {
        let mut select = self.connection.prepare_cached(PAGE_BY_CELL)?;
        let mut streams: BTreeMap<(u64, CellNumber), Vec<Hit>> = BTreeMap::new();
        let chunk = limit.clamp(1, 64);
        let mut fill = |cell: CellNumber, below: u64| -> Result<Vec<Hit>, Fault> {
            let bounds = params![kind, cell, number(below), i64::try_from(chunk).unwrap_or(64)];
            let rows = select.query_map(bounds, |r| {
                let sequence = r.get::<_, i64>(1)?.cast_unsigned();
                Ok(Hit { record: RecordId(r.get(0)?), sequence })
            })?;
            let mut hits = rows.collect::<rusqlite::Result<Vec<Hit>>>()?;
            hits.reverse();
            Ok(hits)
        };
        for cell in cells {
            let hits = fill(cell, before)?;
            if let Some(newest) = hits.last() {
                streams.insert((newest.sequence, cell), hits);
            }
        }
        let mut page = Vec::with_capacity(limit);
        while page.len() < limit {
            let Some(((sequence, cell), mut hits)) = streams.pop_last() else { break };
            if let Some(hit) = hits.pop()
                && another(&page, hit)
                && self.newest_readable(hit, readable)?
            {
                page.push(hit);
            }
            if hits.is_empty() {
                hits = fill(cell, sequence)?;
            }
            if let Some(newest) = hits.last() {
                streams.insert((newest.sequence, cell), hits);
            }
        }
        Ok(page)
    }

    /// Whether a layer is the newest one of its record that the reader may read.
    fn newest_readable(self, hit: Hit, readable: &RoaringBitmap) -> Result<bool, Fault> {
        let layers = self.layers(hit.record)?;
        let readable = layers.iter().filter(|layer| layer.readable(readable));
        Ok(readable.map(|layer| layer.sequence).max() == Some(hit.sequence))
    }

    /// Every row of every view table, table by table in the order of their keys, as text.
    ///
    /// Two dumps are equal when the views are. Labels are unsealed for it.
    ///
    /// # Errors
    /// The store's own fault.
    pub fn dump(&self, key: &Secret) -> Result<Vec<String>, Fault> {
        let mut select = self.connection.prepare(
            "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name LIMIT 1000",
        )?;
        let tables: Vec<String> =
            select.query_map([], |r| r.get(0))?.collect::<rusqlite::Result<_>>()?;
        let mut lines = Vec::new();
        for table in tables {
            if table == "label" {
                for (number, label) in self.cells(key)?.labels().iter().enumerate() {
                    lines.push(format!("label|{number}|{}", label.digest()));
                }
                continue;
            }
            lines.extend(self.dump_table(&table)?);
        }
        Ok(lines)
    }

    fn dump_table(self, table: &str) -> Result<Vec<String>, Fault> {
        let mut select = self.connection.prepare(&format!("SELECT * FROM \"{table}\""))?;
        let columns = select.column_count();
        let mut rows = select.query([])?;
        let mut lines = Vec::new();
        while let Some(row) = rows.next()? {
            let mut line = table.to_owned();
            for column in 0..columns {
                line.push('|');
                line.push_str(&column_text(row.get_ref(column)?));
            }
            lines.push(line);
        }
        lines.sort_unstable();
        Ok(lines)
    }
}

fn piece_row(r: &rusqlite::Row<'_>) -> rusqlite::Result<Piece> {
    Ok(Piece {
        cell: r.get(0)?,
        sequence: r.get::<_, i64>(1)?.cast_unsigned(),
        slot: r.get(2)?,
        erased: r.get::<_, i64>(3)? != 0,
    })
}

fn column_text(value: rusqlite::types::ValueRef<'_>) -> String {
    use rusqlite::types::ValueRef;
    match value {
        ValueRef::Null => "-".to_owned(),
        ValueRef::Integer(i) => i.to_string(),
        ValueRef::Real(r) => r.to_string(),
        ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
        ValueRef::Blob(bytes) => {
            let mut text = String::with_capacity(bytes.len() * 2);
            for nibble in bytes.iter().flat_map(|b| [b >> 4, b & 15]) {
                text.extend(char::from_digit(u32::from(nibble), 16));
            }
            text
        }
    }
}

/// Whether a hit is of another record than the last one: layers of one entry have one sequence.
fn another(hits: &[Hit], hit: Hit) -> bool {
    hits.last().is_none_or(|last| last.sequence != hit.sequence)
}

/// Cells up to which a page is merged index by index.
const MERGED_CELLS: u64 = 64;

fn layer_row(r: &rusqlite::Row<'_>) -> rusqlite::Result<LayerRow> {
    let place = match (r.get::<_, Option<f64>>(7)?, r.get::<_, Option<f64>>(8)?) {
        (Some(lat), Some(lon)) => base::Place::new(lat, lon).ok(),
        _ => None,
    };
    let time = |ms: Option<i64>| ms.and_then(|ms| Time::from_ms(ms).ok());
    Ok(LayerRow {
        cell: r.get(0)?,
        gate: r.get(1)?,
        version: r.get::<_, i64>(2)?.cast_unsigned(),
        sequence: r.get::<_, i64>(3)?.cast_unsigned(),
        changed_at: time(r.get(4)?).unwrap_or_default(),
        columns: Layer {
            state: r.get(5)?,
            due_at: time(r.get(6)?),
            place,
            operation: r.get::<_, Option<[u8; 16]>>(9)?.map(OperationId),
            body: serde_json::Map::new(),
        },
    })
}

fn seal_label(key: &Secret, entropy: &mut Entropy, label: &Label) -> Result<Vec<u8>, Fault> {
    let mut nonce = [0; 12];
    for (to, from) in nonce.iter_mut().zip(entropy.draw()) {
        *to = from;
    }
    let mut sealed = nonce.to_vec();
    sealed.extend(key.seal(nonce, b"label", &label.to_bytes()).map_err(Fault::bug)?);
    Ok(sealed)
}

fn unseal_label(key: &Secret, sealed: &[u8]) -> Result<Label, Fault> {
    let (nonce, sealed) = sealed
        .split_first_chunk::<12>()
        .ok_or_else(|| Fault::bug("a sealed label is too short"))?;
    let bytes = key.open(*nonce, b"label", sealed).map_err(Fault::bug)?;
    Label::from_bytes(&bytes).map_err(Fault::bug)
}
