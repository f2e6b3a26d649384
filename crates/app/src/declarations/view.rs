//! What a declaration has done so far: its operation, its alerts, and each duty that is done.

use base::{AgencyId, CircleId, OperationId, SeatId};
use rusqlite::{OptionalExtension, params};

use super::{DeclarationId, Declared, Duty, Own, Performed};
use crate::alerts::AlertId;
use crate::kernel::Fact;
use crate::kernel::fault::Fault;
use crate::kernel::view::Views;
use crate::plans::PlanId;

/// The capability's own tables: ids, enums, times and numbers only.
pub const TABLES: &str = "
CREATE TABLE IF NOT EXISTS declaration (
    id BLOB PRIMARY KEY, operation BLOB NOT NULL, own BLOB, plan BLOB) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS declaration_duty (
    declaration BLOB NOT NULL, duty INTEGER NOT NULL, subject BLOB NOT NULL,
    PRIMARY KEY (declaration, duty, subject)) STRICT, WITHOUT ROWID;";

const INSERT: &str = "INSERT INTO declaration (id, operation) VALUES (?1, ?2)";
const SET_OWN: &str = "UPDATE declaration SET own = ?2, plan = ?3 WHERE id = ?1";
const SELECT: &str = "SELECT operation, own, plan FROM declaration WHERE id = ?1";
const INSERT_DUTY: &str = "INSERT INTO declaration_duty (declaration, duty, subject)
    VALUES (?1, ?2, ?3) ON CONFLICT (declaration, duty, subject) DO NOTHING";
const SELECT_DUTIES: &str = "SELECT duty, subject FROM declaration_duty
    WHERE declaration = ?1 ORDER BY duty, subject LIMIT 4096";

const ALERTED: u8 = 0;
const JOINED: u8 = 1;
const FILLED: u8 = 2;
const ALERT: u8 = 3;

/// A declaration as decisions see it.
#[derive(Default)]
pub struct DeclarationRow {
    pub operation: Option<OperationId>,
    /// The circle of those who declared.
    pub own: Option<CircleId>,
    pub plan: Option<PlanId>,
    pub alerts: Vec<AlertId>,
    pub alerted: Vec<AgencyId>,
    pub joined: Vec<AgencyId>,
    /// Seats whose role somebody fills.
    pub filled: Vec<SeatId>,
}

/// Loads a declaration.
///
/// # Errors
/// The store's own fault.
pub fn load(views: Views<'_>, declaration: DeclarationId) -> Result<DeclarationRow, Fault> {
    let connection = views.connection();
    let row = connection
        .prepare_cached(SELECT)?
        .query_row([declaration.0], |r| {
            Ok(DeclarationRow {
                operation: Some(OperationId(r.get(0)?)),
                own: r.get::<_, Option<[u8; 16]>>(1)?.map(CircleId),
                plan: r.get::<_, Option<[u8; 16]>>(2)?.map(PlanId),
                ..DeclarationRow::default()
            })
        })
        .optional()?;
    let mut row = row.unwrap_or_default();
    let mut select = connection.prepare_cached(SELECT_DUTIES)?;
    let mut rows = select.query([declaration.0])?;
    while let Some(r) = rows.next()? {
        let subject = r.get(1)?;
        match r.get::<_, u8>(0)? {
            ALERTED => row.alerted.push(AgencyId(subject)),
            JOINED => row.joined.push(AgencyId(subject)),
            FILLED => row.filled.push(SeatId(subject)),
            _ => row.alerts.push(AlertId(subject)),
        }
    }
    Ok(row)
}

/// Notes what a fact says was done.
///
/// # Errors
/// The store's own fault.
pub fn index(fact: &Fact<'_>, views: Views<'_>) -> Result<(), Fault> {
    let id = fact.record.0;
    if let Some(declared) = fact.read::<Declared>() {
        let row = params![id, declared.operation.0];
        views.connection().prepare_cached(INSERT)?.execute(row)?;
        return add(views, id, &declared.duties, declared.alert);
    }
    if let Some(performed) = fact.read::<Performed>() {
        return add(views, id, &performed.duties, performed.alert);
    }
    if let Some(own) = fact.read::<Own>() {
        let row = params![id, fact.circle.map(|circle| circle.0), own.plan.0];
        views.connection().prepare_cached(SET_OWN)?.execute(row)?;
    }
    Ok(())
}

fn add(
    views: Views<'_>,
    id: [u8; 16],
    duties: &[Duty],
    alert: Option<AlertId>,
) -> Result<(), Fault> {
    let mut insert = views.connection().prepare_cached(INSERT_DUTY)?;
    for duty in duties {
        let (code, subject) = match duty {
            Duty::Alert { agency } => (ALERTED, agency.0),
            Duty::Join { agency } => (JOINED, agency.0),
            Duty::Fill { seat, person: Some(_), .. } => (FILLED, seat.0),
            Duty::Fill { person: None, .. } => continue,
        };
        insert.execute(params![id, code, subject])?;
    }
    if let Some(alert) = alert {
        insert.execute(params![id, ALERT, alert.0])?;
    }
    Ok(())
}
