//! What deciding about a handover needs to know: whose seat goes to whom, by which brief.

use base::{Digest, PersonId, RecordId, SeatId};
use rusqlite::{OptionalExtension, params};

use super::Proposed;
use crate::kernel::Fact;
use crate::kernel::fault::Fault;
use crate::kernel::view::Views;

/// The capability's own tables: ids and digests only.
pub const TABLES: &str = "
CREATE TABLE IF NOT EXISTS handover (
    id BLOB PRIMARY KEY, seat BLOB NOT NULL, outgoing BLOB NOT NULL, incoming BLOB NOT NULL,
    digest BLOB NOT NULL) STRICT, WITHOUT ROWID;";

const INSERT: &str = "INSERT INTO handover (id, seat, outgoing, incoming, digest)
    VALUES (?1, ?2, ?3, ?4, ?5)";
const SELECT: &str = "SELECT seat, outgoing, incoming, digest FROM handover WHERE id = ?1";

/// A handover as decisions see it.
pub struct HandoverRow {
    pub seat: SeatId,
    pub from: PersonId,
    pub to: PersonId,
    pub digest: Digest,
}

/// Loads a handover.
///
/// # Errors
/// `absent` when its proposal was erased.
pub fn load(views: Views<'_>, handover: RecordId) -> Result<HandoverRow, Fault> {
    let row = views
        .connection()
        .prepare_cached(SELECT)?
        .query_row([handover.0], |r| {
            Ok(HandoverRow {
                seat: SeatId(r.get(0)?),
                from: PersonId(r.get(1)?),
                to: PersonId(r.get(2)?),
                digest: Digest(r.get(3)?),
            })
        })
        .optional()?;
    row.ok_or_else(Fault::absent)
}

/// Notes a proposal.
///
/// # Errors
/// The store's own fault.
pub fn index(fact: &Fact<'_>, views: Views<'_>) -> Result<(), Fault> {
    let Some(proposed) = fact.read::<Proposed>() else { return Ok(()) };
    let (from, to) = (proposed.from.0, proposed.to.0);
    let row = params![fact.record.0, proposed.seat.0, from, to, proposed.digest().0];
    views.connection().prepare_cached(INSERT)?.execute(row)?;
    Ok(())
}
