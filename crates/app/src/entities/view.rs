//! What deciding about an object needs to know: what came of it under which labels, and what names
//! it. Every digest is under the key of the views.

use base::{AgencyId, RecordId, Time};
use rusqlite::params;

use super::{EntityId, Held, Imported};
use crate::kernel::Fact;
use crate::kernel::cells::CellNumber;
use crate::kernel::fault::Fault;
use crate::kernel::view::Views;

/// The capability's own tables.
pub const TABLES: &str = "
CREATE TABLE IF NOT EXISTS entity (
    identity BLOB NOT NULL, id BLOB NOT NULL, cell INTEGER NOT NULL, modified INTEGER,
    PRIMARY KEY (identity, id, cell)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS entity_content (
    identity BLOB NOT NULL, cell INTEGER NOT NULL, content BLOB NOT NULL,
    PRIMARY KEY (identity, cell, content)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS entity_link (
    identity BLOB NOT NULL, link BLOB NOT NULL,
    PRIMARY KEY (identity, link)) STRICT, WITHOUT ROWID;";

const SELECT_ROWS: &str = "SELECT id, cell, modified FROM entity WHERE identity = ?1 LIMIT 64";
const UPSERT: &str = "INSERT INTO entity (identity, id, cell, modified) VALUES (?1, ?2, ?3, ?4)
    ON CONFLICT (identity, id, cell) DO UPDATE SET modified = excluded.modified";
const SELECT_CONTENT: &str =
    "SELECT cell FROM entity_content WHERE identity = ?1 AND content = ?2 LIMIT 64";
const INSERT_CONTENT: &str =
    "INSERT OR IGNORE INTO entity_content (identity, cell, content) VALUES (?1, ?2, ?3)";
const SELECT_LINKS: &str = "SELECT link FROM entity_link WHERE identity = ?1 LIMIT ?2";
const INSERT_LINK: &str = "INSERT OR IGNORE INTO entity_link (identity, link) VALUES (?1, ?2)";

/// The newest version of an object in one layer of one record.
#[derive(Clone, Copy)]
pub struct EntityRow {
    pub entity: EntityId,
    pub cell: CellNumber,
    pub modified: Option<Time>,
}

/// What an object is to an agency: its id.
pub fn identity(views: Views<'_>, agency: AgencyId, id: &str) -> [u8; 32] {
    views.keyed("entity", &[&agency.0, id.as_bytes()])
}

/// Every layer in which an object came.
///
/// # Errors
/// The store's own fault.
pub fn rows(views: Views<'_>, identity: &[u8; 32]) -> Result<Vec<EntityRow>, Fault> {
    let mut select = views.connection().prepare_cached(SELECT_ROWS)?;
    let rows = select.query_map([identity], |r| {
        let modified: Option<i64> = r.get(2)?;
        // Only times are written, so that what is none cannot stand here.
        let modified = modified.and_then(|ms| Time::from_ms(ms).ok());
        Ok(EntityRow { entity: EntityId(r.get(0)?), cell: r.get(1)?, modified })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// The cells in which a content of an object came.
///
/// # Errors
/// The store's own fault.
pub fn cells_of(
    views: Views<'_>,
    identity: &[u8; 32],
    content: &str,
) -> Result<Vec<CellNumber>, Fault> {
    let content = views.keyed("entity-content", &[content.as_bytes()]);
    let mut select = views.connection().prepare_cached(SELECT_CONTENT)?;
    let cells = select.query_map(params![identity, content], |r| r.get(0))?;
    Ok(cells.collect::<rusqlite::Result<_>>()?)
}

/// Records that name an object, at most `limit`.
///
/// # Errors
/// The store's own fault.
pub fn links(views: Views<'_>, identity: &[u8; 32], limit: u32) -> Result<Vec<RecordId>, Fault> {
    let mut select = views.connection().prepare_cached(SELECT_LINKS)?;
    let links = select.query_map(params![identity, limit], |r| r.get(0).map(RecordId))?;
    Ok(links.collect::<rusqlite::Result<_>>()?)
}

/// Notes what came.
///
/// # Errors
/// The store's own fault.
pub fn index(fact: &Fact<'_>, views: Views<'_>) -> Result<(), Fault> {
    let connection = views.connection();
    let (id, content) = if let Some(imported) = fact.read::<Imported>() {
        let identity = identity(views, fact.agency, &imported.stix_id);
        if !imported.older {
            let modified = imported.modified.map(Time::ms);
            let row = params![identity, imported.entity.0, fact.cell, modified];
            connection.prepare_cached(UPSERT)?.execute(row)?;
        }
        let mut insert = connection.prepare_cached(INSERT_LINK)?;
        for link in &imported.links {
            let end = self::identity(views, fact.agency, link);
            insert.execute(params![end, fact.record.0])?;
        }
        (imported.stix_id, imported.content)
    } else {
        let Some(held) = fact.read::<Held>() else { return Ok(()) };
        (held.stix_id, held.content)
    };
    let identity = identity(views, fact.agency, &id);
    let content = views.keyed("entity-content", &[content.as_bytes()]);
    connection.prepare_cached(INSERT_CONTENT)?.execute(params![identity, fact.cell, content])?;
    Ok(())
}
