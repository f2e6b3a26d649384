//! What deciding and relating need to know: names, versions and ends, as keyed digests.

use base::{RecordId, Time};
use rusqlite::params;

use crate::kernel::cells::CellNumber;
use crate::kernel::fault::Fault;
use crate::kernel::view::Views;

/// The capability's own tables: ids, cells, times, and digests that only this node can make.
pub const TABLES: &str = "
CREATE TABLE IF NOT EXISTS entity (
    name BLOB NOT NULL, record BLOB NOT NULL,
    PRIMARY KEY (name, record)) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS entity_by_record ON entity (record);
CREATE TABLE IF NOT EXISTS entity_version (
    record BLOB NOT NULL, cell INTEGER NOT NULL, content BLOB NOT NULL, modified INTEGER,
    taken INTEGER NOT NULL, PRIMARY KEY (record, cell, content)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS entity_end (
    end_name BLOB NOT NULL, record BLOB NOT NULL, side INTEGER NOT NULL,
    PRIMARY KEY (end_name, record, side)) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS entity_end_by_record ON entity_end (record, side);";

// A name has several records only where importers could not know of each other's.
const SELECT_NAMED: &str = "SELECT record FROM entity WHERE name = ?1 ORDER BY record LIMIT 64";
const SELECT_NAMES: &str = "SELECT name FROM entity WHERE record = ?1 ORDER BY name LIMIT 1";
const INSERT_NAME: &str = "INSERT OR IGNORE INTO entity (name, record) VALUES (?1, ?2)";
const SELECT_VERSIONS: &str = "SELECT cell, content, modified, taken FROM entity_version
    WHERE record = ?1 ORDER BY cell, content LIMIT 65536";
const INSERT_VERSION: &str = "INSERT OR IGNORE INTO entity_version
    (record, cell, content, modified, taken) VALUES (?1, ?2, ?3, ?4, ?5)";
const INSERT_END: &str =
    "INSERT OR IGNORE INTO entity_end (end_name, record, side) VALUES (?1, ?2, ?3)";
const SELECT_ENDING: &str = "SELECT DISTINCT record FROM entity_end
    WHERE end_name = ?1 AND record > ?2 ORDER BY record LIMIT ?3";
const SELECT_ENDS: &str =
    "SELECT side, end_name FROM entity_end WHERE record = ?1 ORDER BY side, end_name LIMIT 256";

/// Whether a version was taken, or is kept aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stands {
    Taken,
    Aside,
}

/// A version under a cell.
#[derive(Clone, Copy, Debug)]
pub struct VersionRow {
    pub cell: CellNumber,
    pub modified: Option<Time>,
    pub content: [u8; 32],
}

/// The records of a name, at most 64.
///
/// # Errors
/// The store's own fault.
pub fn named(views: Views<'_>, name: &[u8; 32]) -> Result<Vec<RecordId>, Fault> {
    let mut select = views.connection().prepare_cached(SELECT_NAMED)?;
    let rows = select.query_map([name], |r| Ok(RecordId(r.get(0)?)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// The name of a record.
///
/// # Errors
/// The store's own fault.
pub fn name(views: Views<'_>, record: RecordId) -> Result<Option<[u8; 32]>, Fault> {
    let mut select = views.connection().prepare_cached(SELECT_NAMES)?;
    let mut rows = select.query_map([record.0], |r| r.get(0))?;
    Ok(rows.next().transpose()?)
}

/// Notes the name of a record.
///
/// # Errors
/// The store's own fault.
pub fn add_name(views: Views<'_>, name: &[u8; 32], record: RecordId) -> Result<(), Fault> {
    views.connection().prepare_cached(INSERT_NAME)?.execute(params![name, record.0])?;
    Ok(())
}

/// The versions of a record, under every cell.
///
/// # Errors
/// The store's own fault.
pub fn versions(views: Views<'_>, record: RecordId) -> Result<Vec<(VersionRow, Stands)>, Fault> {
    let mut select = views.connection().prepare_cached(SELECT_VERSIONS)?;
    let rows = select.query_map([record.0], |r| {
        let modified: Option<i64> = r.get(2)?;
        // Only times are written, so that what is none cannot stand here.
        let modified = modified.and_then(|ms| Time::from_ms(ms).ok());
        let stands = if r.get(3)? { Stands::Taken } else { Stands::Aside };
        Ok((VersionRow { cell: r.get(0)?, content: r.get(1)?, modified }, stands))
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Notes a version.
///
/// # Errors
/// The store's own fault.
pub fn add_version(
    views: Views<'_>,
    record: RecordId,
    version: &VersionRow,
    stands: Stands,
) -> Result<(), Fault> {
    let (cell, modified) = (version.cell, version.modified.map(Time::ms));
    let taken = stands == Stands::Taken;
    let mut insert = views.connection().prepare_cached(INSERT_VERSION)?;
    insert.execute(params![record.0, cell, version.content, modified, taken])?;
    Ok(())
}

/// Notes the ends of a relationship.
///
/// # Errors
/// The store's own fault.
pub fn add_ends(views: Views<'_>, record: RecordId, ends: &[[u8; 32]]) -> Result<(), Fault> {
    let mut insert = views.connection().prepare_cached(INSERT_END)?;
    for (side, end) in (0..).zip(ends) {
        let side: i64 = side;
        insert.execute(params![end, record.0, side])?;
    }
    Ok(())
}

/// Relationships that have this end, after one, in the order of their ids.
///
/// # Errors
/// The store's own fault.
pub fn ending(
    views: Views<'_>,
    end: &[u8; 32],
    after: RecordId,
    limit: usize,
) -> Result<Vec<RecordId>, Fault> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut select = views.connection().prepare_cached(SELECT_ENDING)?;
    let rows = select.query_map(params![end, after.0, limit], |r| Ok(RecordId(r.get(0)?)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// The ends of a relationship: side 0 is the source, 1 the target, others what else it names.
///
/// # Errors
/// The store's own fault.
pub fn ends(views: Views<'_>, record: RecordId) -> Result<Vec<(u8, [u8; 32])>, Fault> {
    let mut select = views.connection().prepare_cached(SELECT_ENDS)?;
    let rows = select.query_map([record.0], |r| Ok((r.get(0)?, r.get(1)?)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}
