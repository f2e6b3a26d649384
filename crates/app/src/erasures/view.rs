//! What deciding about an erasure needs to know: what was asked for, and by whom.

use base::{Line, PersonId, RecordId};
use rusqlite::{OptionalExtension, params};

use super::{Declined, ErasureId, Requested};
use crate::kernel::Fact;
use crate::kernel::fault::Fault;
use crate::kernel::floor::LayerId;
use crate::kernel::view::Views;

/// The capability's own tables.
pub const TABLES: &str = "
CREATE TABLE IF NOT EXISTS erasure (
    id BLOB PRIMARY KEY, record BLOB NOT NULL, layer BLOB, basis TEXT NOT NULL, asked_by BLOB,
    declined INTEGER NOT NULL) STRICT, WITHOUT ROWID;";

const INSERT: &str = "INSERT INTO erasure (id, record, layer, basis, asked_by, declined)
    VALUES (?1, ?2, ?3, ?4, ?5, 0)";
const DECLINE: &str = "UPDATE erasure SET declined = 1 WHERE id = ?1";
const SELECT: &str = "SELECT record, layer, basis, asked_by, declined FROM erasure WHERE id = ?1";

/// An erasure as decisions see it.
pub struct ErasureRow {
    pub record: RecordId,
    pub layer: Option<LayerId>,
    pub basis: Line<160>,
    pub asked_by: Option<PersonId>,
    pub declined: bool,
}

/// Loads an erasure.
///
/// # Errors
/// The store's own fault.
pub fn load(views: Views<'_>, erasure: ErasureId) -> Result<Option<ErasureRow>, Fault> {
    let mut select = views.connection().prepare_cached(SELECT)?;
    let row = select
        .query_row([erasure.0], |r| {
            Ok((
                RecordId(r.get(0)?),
                r.get::<_, Option<[u8; 16]>>(1)?.map(LayerId),
                r.get::<_, String>(2)?,
                r.get::<_, Option<[u8; 16]>>(3)?.map(PersonId),
                r.get(4)?,
            ))
        })
        .optional()?;
    let Some((record, layer, basis, asked_by, declined)) = row else { return Ok(None) };
    let basis = Line::new(&basis).map_err(Fault::bug)?;
    Ok(Some(ErasureRow { record, layer, basis, asked_by, declined }))
}

/// Notes a request and its refusal.
///
/// # Errors
/// The store's own fault.
pub fn index(fact: &Fact<'_>, views: Views<'_>) -> Result<(), Fault> {
    if let Some(requested) = fact.read::<Requested>() {
        views.connection().prepare_cached(INSERT)?.execute(params![
            requested.erasure.0,
            requested.record.0,
            requested.layer.map(|layer| layer.0),
            requested.basis.as_str(),
            fact.person().map(|person| person.0)
        ])?;
    }
    if let Some(declined) = fact.read::<Declined>() {
        views.connection().prepare_cached(DECLINE)?.execute([declined.erasure.0])?;
    }
    Ok(())
}
