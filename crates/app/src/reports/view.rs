//! What deciding about a report needs to know: its desk, its form, and what was asked for.

use base::{AgencyId, CircleId, Digest, PersonId, RecordId, Time};
use rusqlite::{OptionalExtension, params};

use super::attachment::Attached;
use super::downgrade::DowngradeId;
use super::{Form, ReportId, Requested, Submitted};
use crate::kernel::fault::Fault;
use crate::kernel::floor::LayerId;
use crate::kernel::view::Views;

/// The capability's own tables: ids, enums, times and numbers only.
pub const TABLES: &str = "
CREATE TABLE IF NOT EXISTS report (
    id BLOB PRIMARY KEY, desk BLOB NOT NULL, form INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS report_request (
    id BLOB PRIMARY KEY, asked_by BLOB NOT NULL, agency BLOB NOT NULL, form INTEGER NOT NULL,
    due_at INTEGER NOT NULL, answered INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS report_attachment (
    address BLOB PRIMARY KEY) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS report_downgrade (
    id BLOB PRIMARY KEY, report BLOB NOT NULL, layer BLOB NOT NULL, person BLOB,
    digest BLOB NOT NULL, sequence INTEGER NOT NULL, decided INTEGER NOT NULL)
    STRICT, WITHOUT ROWID;";

const INSERT_REPORT: &str = "INSERT INTO report (id, desk, form) VALUES (?1, ?2, ?3)";
const SELECT_REPORT: &str = "SELECT desk, form FROM report WHERE id = ?1";
const INSERT_REQUEST: &str = "INSERT INTO report_request
    (id, asked_by, agency, form, due_at, answered) VALUES (?1, ?2, ?3, ?4, ?5, 0)";
const SELECT_REQUEST: &str =
    "SELECT asked_by, agency, form, due_at, answered FROM report_request WHERE id = ?1";
const UPDATE_REQUEST: &str = "UPDATE report_request SET answered = 1 WHERE id = ?1";

const INSERT_ATTACHMENT: &str = "INSERT OR IGNORE INTO report_attachment (address) VALUES (?1)";
const SELECT_ATTACHMENT: &str = "SELECT 1 FROM report_attachment WHERE address = ?1";

const INSERT_DOWNGRADE: &str = "INSERT INTO report_downgrade
    (id, report, layer, person, digest, sequence, decided) VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0)";
const SELECT_DOWNGRADE: &str = "SELECT report, layer, person, digest, sequence, decided
    FROM report_downgrade WHERE id = ?1";
const UPDATE_DOWNGRADE: &str = "UPDATE report_downgrade SET decided = 1 WHERE id = ?1";

/// The forms in the order of their numbers, which never changes.
const FORMS: [Form; 5] =
    [Form::Methane, Form::Ethane, Form::Sitrep, Form::Salute, Form::Intelligence];

fn number(form: Form) -> u8 {
    (0..).zip(FORMS).find(|(_, known)| *known == form).map_or(0, |(number, _)| number)
}

fn form_of(number: u8) -> Result<Form, Fault> {
    let form = FORMS.get(usize::from(number)).copied();
    form.ok_or_else(|| Fault::bug("a form of a report has no such number"))
}

/// A request as decisions see it.
pub struct RequestRow {
    pub asked_by: AgencyId,
    /// Who is asked.
    pub agency: AgencyId,
    pub form: Form,
    pub due_at: Time,
    pub answered: bool,
}

/// A proposal to downgrade as decisions see it.
pub struct DowngradeRow {
    pub report: ReportId,
    pub from: LayerId,
    /// Who proposed it.
    pub by: Option<PersonId>,
    /// Of the proposal, under a key of the node.
    pub digest: Digest,
    /// The entry that proposed it.
    pub sequence: u64,
    pub decided: bool,
}

/// The circle of a report's originator alone; `None` for what is no report.
///
/// # Errors
/// The store's own fault.
pub fn desk(views: Views<'_>, report: ReportId) -> Result<Option<CircleId>, Fault> {
    let mut select = views.connection().prepare_cached(SELECT_REPORT)?;
    Ok(select.query_row([report.0], |r| Ok(CircleId(r.get(0)?))).optional()?)
}

/// The form of a report.
///
/// # Errors
/// The store's own fault.
pub fn form(views: Views<'_>, report: ReportId) -> Result<Option<Form>, Fault> {
    let mut select = views.connection().prepare_cached(SELECT_REPORT)?;
    let found = select.query_row([report.0], |r| r.get::<_, u8>(1)).optional()?;
    found.map(form_of).transpose()
}

/// A request; `None` when there is none of this id.
///
/// # Errors
/// The store's own fault.
pub fn request(views: Views<'_>, request: ReportId) -> Result<Option<RequestRow>, Fault> {
    let mut select = views.connection().prepare_cached(SELECT_REQUEST)?;
    let found = select
        .query_row([request.0], |r| {
            let form: u8 = r.get(2)?;
            Ok((AgencyId(r.get(0)?), AgencyId(r.get(1)?), form, r.get::<_, i64>(3)?, r.get(4)?))
        })
        .optional()?;
    let Some((asked_by, agency, form, due_at, answered)) = found else { return Ok(None) };
    let due_at = Time::from_ms(due_at).map_err(Fault::bug)?;
    Ok(Some(RequestRow { asked_by, agency, form: form_of(form)?, due_at, answered }))
}

/// Adds a report.
///
/// # Errors
/// The store's own fault.
pub fn add(views: Views<'_>, fact: &Submitted) -> Result<(), Fault> {
    views.connection().prepare_cached(INSERT_REPORT)?.execute(params![
        fact.report.0,
        fact.desk.0,
        number(fact.form)
    ])?;
    Ok(())
}

/// Adds a request.
///
/// # Errors
/// The store's own fault.
pub fn ask(views: Views<'_>, fact: &Requested, asked_by: AgencyId) -> Result<(), Fault> {
    views.connection().prepare_cached(INSERT_REQUEST)?.execute(params![
        fact.report.0,
        asked_by.0,
        fact.agency.0,
        number(fact.form),
        fact.due_at.ms()
    ])?;
    Ok(())
}

/// Notes that a request was answered.
///
/// # Errors
/// The store's own fault.
pub fn answered(views: Views<'_>, request: RecordId) -> Result<(), Fault> {
    views.connection().prepare_cached(UPDATE_REQUEST)?.execute([request.0])?;
    Ok(())
}

/// Notes that uploads were attached.
///
/// # Errors
/// The store's own fault.
pub fn attach(views: Views<'_>, fact: &Attached) -> Result<(), Fault> {
    for file in &fact.files {
        views.connection().prepare_cached(INSERT_ATTACHMENT)?.execute([file.digest.0])?;
    }
    Ok(())
}

/// Whether an upload was attached to any report.
///
/// # Errors
/// The store's own fault.
pub fn attached(views: Views<'_>, address: Digest) -> Result<bool, Fault> {
    Ok(views.connection().prepare_cached(SELECT_ATTACHMENT)?.exists([address.0])?)
}

/// Adds a proposal to downgrade.
///
/// # Errors
/// The store's own fault.
pub fn propose(views: Views<'_>, id: DowngradeId, row: &DowngradeRow) -> Result<(), Fault> {
    views.connection().prepare_cached(INSERT_DOWNGRADE)?.execute(params![
        id.0,
        row.report.0,
        row.from.0,
        row.by.map(|person| person.0),
        row.digest.0,
        i64::try_from(row.sequence).map_err(Fault::bug)?,
    ])?;
    Ok(())
}

/// A proposal to downgrade; `None` when there is none of this id.
///
/// # Errors
/// The store's own fault.
pub fn downgrade(views: Views<'_>, id: DowngradeId) -> Result<Option<DowngradeRow>, Fault> {
    let mut select = views.connection().prepare_cached(SELECT_DOWNGRADE)?;
    let found = select.query_row([id.0], |r| {
        Ok(DowngradeRow {
            report: ReportId(r.get(0)?),
            from: LayerId(r.get(1)?),
            by: r.get::<_, Option<[u8; 16]>>(2)?.map(PersonId),
            digest: Digest(r.get(3)?),
            sequence: r.get::<_, i64>(4)?.unsigned_abs(),
            decided: r.get(5)?,
        })
    });
    Ok(found.optional()?)
}

/// Notes that a proposal to downgrade was decided.
///
/// # Errors
/// The store's own fault.
pub fn decided(views: Views<'_>, id: DowngradeId) -> Result<(), Fault> {
    views.connection().prepare_cached(UPDATE_DOWNGRADE)?.execute([id.0])?;
    Ok(())
}
