//! What deciding about an alert needs to know: whom it addresses and who has answered.

use base::{AgencyId, RecordId, Time};
use rusqlite::{OptionalExtension, params};

use super::{Acknowledged, AlertId, Escalated, Raised, Rung};
use crate::kernel::fault::Fault;
use crate::kernel::view::Views;

/// The capability's own tables: ids, enums, times and numbers only.
pub const TABLES: &str = "
CREATE TABLE IF NOT EXISTS alert (
    id BLOB PRIMARY KEY, options INTEGER NOT NULL, ladder TEXT NOT NULL, rung INTEGER)
    STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS alert_audience (
    alert BLOB NOT NULL, agency BLOB NOT NULL, answered_at INTEGER, person BLOB, option INTEGER,
    PRIMARY KEY (alert, agency)) STRICT, WITHOUT ROWID;";

const INSERT_ALERT: &str =
    "INSERT INTO alert (id, options, ladder, rung) VALUES (?1, ?2, ?3, NULL)";
const INSERT_AUDIENCE: &str = "INSERT INTO alert_audience (alert, agency) VALUES (?1, ?2)";
const SELECT_ALERT: &str = "SELECT options, ladder, rung FROM alert WHERE id = ?1";
const SELECT_AUDIENCE: &str = "SELECT agency, answered_at FROM alert_audience
    WHERE alert = ?1 ORDER BY agency LIMIT 256";
const UPDATE_AUDIENCE: &str = "UPDATE alert_audience SET answered_at = ?3, person = ?4, option = ?5
    WHERE alert = ?1 AND agency = ?2";
const UPDATE_RUNG: &str = "UPDATE alert SET rung = ?2 WHERE id = ?1";

/// An alert as decisions see it.
pub struct AlertRow {
    /// How many answers it offers.
    pub options: u8,
    pub rung: Option<Rung>,
    pub audience: Vec<AgencyId>,
    answered: Vec<AgencyId>,
}

impl AlertRow {
    /// The agencies that have not answered.
    pub fn silent(&self) -> Vec<AgencyId> {
        self.audience.iter().filter(|agency| !self.answered.contains(agency)).copied().collect()
    }
}

/// Loads an alert.
///
/// # Errors
/// `absent` when there is none.
pub fn load(views: Views<'_>, alert: AlertId) -> Result<AlertRow, Fault> {
    let connection = views.connection();
    let (options, rung): (u8, Option<u8>) = connection
        .prepare_cached(SELECT_ALERT)?
        .query_row([alert.0], |r| Ok((r.get(0)?, r.get(2)?)))?;
    let mut row = AlertRow {
        options,
        rung: rung.and_then(|rung| Rung::ALL.get(usize::from(rung)).copied()),
        audience: Vec::new(),
        answered: Vec::new(),
    };
    let mut select = connection.prepare_cached(SELECT_AUDIENCE)?;
    let mut rows = select.query([alert.0])?;
    while let Some(r) = rows.next()? {
        let agency = AgencyId(r.get(0)?);
        row.audience.push(agency);
        if r.get::<_, Option<i64>>(1)?.is_some() {
            row.answered.push(agency);
        }
    }
    Ok(row)
}

/// Seconds until each rung of an alert's ladder; `None` when its raising was erased.
///
/// # Errors
/// The store's own fault.
pub fn ladder(views: Views<'_>, alert: AlertId) -> Result<Option<[u32; 3]>, Fault> {
    let mut select = views.connection().prepare_cached(SELECT_ALERT)?;
    let ladder = select.query_row([alert.0], |r| r.get::<_, String>(1)).optional()?;
    ladder.map(|text| serde_json::from_str(&text).map_err(Fault::bug)).transpose()
}

/// Adds an alert with its audience.
///
/// # Errors
/// The store's own fault.
pub fn add(views: Views<'_>, raised: &Raised) -> Result<(), Fault> {
    let connection = views.connection();
    let options = u8::try_from(raised.options.as_slice().len()).map_err(Fault::bug)?;
    let ladder = serde_json::to_string(&raised.ladder_s).map_err(Fault::bug)?;
    connection.prepare_cached(INSERT_ALERT)?.execute(params![raised.alert.0, options, ladder])?;
    let mut insert = connection.prepare_cached(INSERT_AUDIENCE)?;
    for agency in &raised.audience {
        insert.execute(params![raised.alert.0, agency.0])?;
    }
    Ok(())
}

/// Notes an answer; a later one of the same agency replaces it.
///
/// # Errors
/// The store's own fault.
pub fn answer(views: Views<'_>, fact: &Acknowledged, at: Time) -> Result<(), Fault> {
    views.connection().prepare_cached(UPDATE_AUDIENCE)?.execute(params![
        fact.alert.0,
        fact.agency.0,
        at.ms(),
        fact.person.0,
        fact.option
    ])?;
    Ok(())
}

/// Notes the rung that was called.
///
/// # Errors
/// The store's own fault.
pub fn call(views: Views<'_>, fact: &Escalated) -> Result<(), Fault> {
    let record = RecordId(fact.alert.0);
    views
        .connection()
        .prepare_cached(UPDATE_RUNG)?
        .execute(params![record.0, fact.rung.index()])?;
    Ok(())
}
