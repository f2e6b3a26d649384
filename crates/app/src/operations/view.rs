//! What deciding about an operation needs to know: how many roles were set and lines were written.

use base::{OperationId, RecordId};
use rusqlite::{OptionalExtension, params};

use super::{Assigned, Opened};
use crate::kernel::Fact;
use crate::kernel::fault::Fault;
use crate::kernel::view::Views;

/// The capability's own tables: ids, enums, times and numbers only.
pub const TABLES: &str = "
CREATE TABLE IF NOT EXISTS operation (
    id BLOB PRIMARY KEY, roles INTEGER NOT NULL, notes INTEGER NOT NULL)
    STRICT, WITHOUT ROWID;";

const UPSERT: &str = "INSERT INTO operation (id, roles, notes) VALUES (?1, ?2, ?3)
    ON CONFLICT (id) DO UPDATE SET roles = roles + ?2, notes = notes + ?3";
const SELECT: &str = "SELECT roles, notes FROM operation WHERE id = ?1";

/// An operation as decisions see it.
#[derive(Default)]
pub struct OperationRow {
    /// How often a role was set.
    pub roles: u16,
    pub notes: u32,
}

/// Loads an operation.
///
/// # Errors
/// The store's own fault.
pub fn load(views: Views<'_>, operation: OperationId) -> Result<OperationRow, Fault> {
    let row = views
        .connection()
        .prepare_cached(SELECT)?
        .query_row([operation.0], |r| Ok(OperationRow { roles: r.get(0)?, notes: r.get(1)? }))
        .optional()?;
    Ok(row.unwrap_or_default())
}

/// Counts what a fact adds.
///
/// # Errors
/// The store's own fault.
pub fn index(fact: &Fact<'_>, views: Views<'_>) -> Result<(), Fault> {
    let (roles, notes) = match fact.kind {
        "operation.opened/1" => (fact.read::<Opened>().map_or(0, |o| o.roles.len()), 0),
        "operation.assigned/1" => {
            (fact.read::<Assigned>().map_or(0, |a| a.roles.as_slice().len()), 0)
        }
        "operation.noted/1" => (0, 1),
        _ => return Ok(()),
    };
    add(views, fact.record, (roles, notes))
}

fn add(views: Views<'_>, record: RecordId, (roles, notes): (usize, u32)) -> Result<(), Fault> {
    let roles = u32::try_from(roles).map_err(Fault::bug)?;
    views.connection().prepare_cached(UPSERT)?.execute(params![record.0, roles, notes])?;
    Ok(())
}
