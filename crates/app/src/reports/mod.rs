//! Reports: one envelope for METHANE, SITREP, SALUTE and intelligence reports, marked by portion.
//!
//! A report lies in a circle of its originator and of those to whom it was released. Its portions
//! are layers, each under its own label: every reader gets those that clearance and clause allow,
//! and learns nothing of the others. A revision names the layers that it replaces, so that who may
//! not read a layer neither sees nor undoes it.
//! METHANE and ETHANE follow JESIP, grades the Admiralty system (AJP-2.1, 6x6).

use std::collections::{BTreeMap, BTreeSet};

use base::{
    AgencyId, AgreementId, CircleId, ClauseId, Line, Marking, NonEmpty, Place, RecordId, SchemeId,
    Text, Time,
};
use ledger::header::Actor;
use policy::Class;
use serde::{Deserialize, Serialize};

use attachment::{Attached, Ticket};
use downgrade::{Countersign, Decline, Downgrade};

use crate::circles;
use crate::kernel::reader::conflict;
use crate::kernel::register::Member;
use crate::kernel::view::Views;
use crate::kernel::{
    Action, Capability, Cell, Deciding, Fact, Fault, Lane, Layer, NewEntry, NewPortion, Timer,
};

pub mod attachment;
pub mod downgrade;
pub mod http;
mod preview;
mod view;
mod why;

base::id!(/// A report, or the request for one.
    ReportId);

const fn own(name: &'static str) -> Action {
    Action { name, lane: Lane::Normal, class: Class::Own, duty: false, signed: false }
}

/// The capability.
pub const CAPABILITY: Capability = Capability {
    name: "reports",
    noun: "report",
    kinds: &[
        "report.submitted/1",
        "report.revised/1",
        "report.attached/1",
        "report.released/1",
        "report.withdrawn/1",
        "report.requested/1",
        "report.answered/1",
        "report.overdue/1",
        "report.downgrade_proposed/1",
        "report.downgrade_signed/1",
        "report.downgrade_declined/1",
        "report.downgraded/1",
    ],
    actions: &[
        own("report:submit"),
        own("report:revise"),
        own("report:attach"),
        own("report:release"),
        Action { lane: Lane::Alert, ..own("report:withdraw") },
        own("report:request"),
        Action { duty: true, ..own("report:overdue") },
        Action { signed: true, ..own("report:downgrade") },
        Action { signed: true, ..own("report:countersign") },
        own("report:decline"),
    ],
    routes: http::ROUTES,
    urgent: false,
    registers: false,
    policy: include_str!("policy.cedar"),
    tables: view::TABLES,
    act,
    fold,
    index,
    register: |_, _| {},
    react: |_| Vec::new(),
};

/// Agencies to which one act may release.
pub const RECIPIENTS_MAX: usize = 64;
/// Portions of one report.
pub const PORTIONS_MAX: usize = 48;
/// Different labels in one report, the base among them.
pub const LAYERS_MAX: usize = 16;
/// Records that one report may cite.
pub const CITES_MAX: usize = 32;
/// Files that one act attaches.
pub const ATTACHMENTS_MAX: usize = 8;

/// The form of a report, which says what its lines are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// First report of a major incident (JESIP).
    Methane,
    /// First report below a major incident (JESIP).
    Ethane,
    /// Situation report.
    Sitrep,
    /// What an observer saw: size, activity, location, unit, time, equipment.
    Salute,
    /// Intelligence report; each portion is graded.
    Intelligence,
}

impl Form {
    /// The lines that a report of this form may have.
    pub const fn lines(self) -> &'static [&'static str] {
        match self {
            Self::Methane => &[
                "major_incident",
                "exact_location",
                "type_of_incident",
                "hazards",
                "access",
                "number_of_casualties",
                "services_present",
                "services_required",
            ],
            Self::Ethane => &[
                "exact_location",
                "type_of_incident",
                "hazards",
                "access",
                "number_of_casualties",
                "services_present",
                "services_required",
            ],
            Self::Sitrep => &[
                "headline",
                "situation",
                "impacts",
                "actions",
                "forecast",
                "intelligence",
                "decisions",
                "resources",
                "assessment",
                "next_report",
            ],
            Self::Salute => &[
                "size",
                "activity",
                "location",
                "unit",
                "time",
                "equipment",
                "observer",
                "assessment",
            ],
            Self::Intelligence => {
                &["summary", "source_description", "information", "comment", "assessment", "gaps"]
            }
        }
    }
}

/// How reliable the source is (Admiralty system): A completely, E not, F cannot be judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Source {
    A,
    B,
    C,
    D,
    E,
    F,
}

/// A grade of the Admiralty system, such as B2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grade {
    pub source: Source,
    /// How credible the information is: 1 confirmed, 5 improbable, 6 cannot be judged.
    pub information: u8,
}

/// One line of a report, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Portion {
    /// One of the form's lines.
    pub line: Line<40>,
    pub text: Text<4000>,
    pub grade: Option<Grade>,
}

/// One line of a report, as it is submitted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Marked {
    /// Absent for the label of the report itself; otherwise one that dominates it.
    pub markings: Option<BTreeMap<SchemeId, Marking>>,
    pub line: Line<40>,
    pub text: Text<4000>,
    pub grade: Option<Grade>,
}

/// Submits a report, and releases it when it names recipients.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Submit {
    pub form: Form,
    /// The label of the report itself: its title, form and place.
    pub markings: BTreeMap<SchemeId, Marking>,
    pub title: Line<160>,
    pub portions: NonEmpty<Marked>,
    pub place: Option<Place>,
    #[serde(default)]
    pub recipients: Vec<AgencyId>,
    /// Records on which it rests; its label is at least theirs.
    #[serde(default)]
    pub cites: Vec<RecordId>,
    /// The request that it answers.
    pub request: Option<ReportId>,
    #[serde(default)]
    pub attachments: Vec<Attaching>,
}

/// A file as it is attached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attaching {
    /// Absent for the label of the report itself; otherwise one that dominates it.
    pub markings: Option<BTreeMap<SchemeId, Marking>>,
    /// What uploading answered.
    pub attachment: Ticket,
}

/// Attaches files to a report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attach {
    pub report: ReportId,
    pub attachments: NonEmpty<Attaching>,
}

/// Replaces the layers whose labels the portions have; every other layer stays as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Revise {
    pub report: ReportId,
    pub reason: Line<160>,
    pub portions: NonEmpty<Marked>,
}

/// Releases a report to agencies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Release {
    pub report: ReportId,
    pub recipients: NonEmpty<AgencyId>,
}

/// Ends the reading of an agency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Withdraw {
    pub report: ReportId,
    pub agency: AgencyId,
    pub reason: Line<160>,
}

/// Asks an agency for a report by a time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    pub form: Form,
    pub markings: BTreeMap<SchemeId, Marking>,
    pub title: Line<160>,
    pub agency: AgencyId,
    pub due_at: Time,
}

#[derive(Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
enum Command {
    Submit(Box<Submit>),
    Revise(Revise),
    Attach(Attach),
    Release(Release),
    Withdraw(Withdraw),
    Request(Request),
    Overdue { report: ReportId },
    Downgrade(Box<Downgrade>),
    Countersign(Box<Countersign>),
    Decline(Decline),
}

/// A report was submitted: what everybody to whom it is released may know.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Submitted {
    pub report: ReportId,
    /// The circle of the originator alone, in which clauses are cited.
    pub desk: CircleId,
    pub form: Form,
    pub title: Line<160>,
    pub portions: Vec<Portion>,
    pub place: Option<Place>,
    pub cites: Vec<RecordId>,
    pub request: Option<ReportId>,
    pub due_at: Option<Time>,
    /// Whether it came after its due time.
    pub late: bool,
}

/// The portions of a report under one higher label.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SubmittedHigher {
    pub higher: Vec<Portion>,
}

/// The portions under one label were replaced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Revised {
    pub report: ReportId,
    pub reason: Line<160>,
    pub portions: Vec<Portion>,
}

/// The report was released to an agency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Released {
    pub report: ReportId,
    pub agency: AgencyId,
}

/// A clause of an agreement, as a release cites it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cited {
    pub agreement: AgreementId,
    pub clause: ClauseId,
    pub version: u32,
}

/// Under what a release was made: for the originator's own line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReleasedUnder {
    pub to: AgencyId,
    pub clauses: Vec<Cited>,
}

/// The release to an agency was withdrawn.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Withdrawn {
    pub report: ReportId,
    pub agency: AgencyId,
    pub reason: Line<160>,
}

/// A report was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Requested {
    pub report: ReportId,
    pub form: Form,
    pub title: Line<160>,
    pub agency: AgencyId,
    pub due_at: Time,
}

/// The report that was asked for was submitted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answered {
    pub request: ReportId,
    /// Absent when the report was not released to the agency that asked.
    pub report: Option<ReportId>,
    pub late: bool,
}

/// The due time has passed without a report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Overdue {
    pub overdue: ReportId,
}

fn act(command: &[u8], on: &mut Deciding<'_>) -> Result<Vec<NewEntry>, Fault> {
    match on.parse(command)? {
        Command::Submit(submit) => decide_submit(*submit, on),
        Command::Revise(revise) => decide_revise(revise, on),
        Command::Attach(attach) => {
            let at = Lying::load(attach.report, on)?;
            attach_to(&at, attach.attachments.as_slice(), on)
        }
        Command::Release(release) => decide_release(&release, on),
        Command::Withdraw(withdraw) => decide_withdraw(withdraw, on),
        Command::Request(request) => decide_request(request, on),
        Command::Overdue { report } => decide_overdue(report, on),
        Command::Downgrade(downgrade) => downgrade::propose(*downgrade, on),
        Command::Countersign(countersign) => downgrade::countersign(*countersign, on),
        Command::Decline(decline) => downgrade::decline(decline, on),
    }
}

/// A report as it would lie in the record: the base first, each higher label once.
struct Layered {
    layers: Vec<(Cell, Vec<Portion>)>,
}

impl Layered {
    /// Sorts portions by label and checks that each label dominates that of the base.
    fn of(
        base: &Cell,
        form: Option<Form>,
        marked: &[Marked],
        on: &Deciding<'_>,
    ) -> Result<Self, Fault> {
        if marked.len() > PORTIONS_MAX {
            let detail = format!("a report has at most {PORTIONS_MAX} portions");
            return Err(Fault::invalid("too-many-portions", detail));
        }
        let mut layers = vec![(base.clone(), Vec::new())];
        for portion in marked {
            check_portion(form, portion)?;
            let cell = cell_of(base, portion.markings.as_ref(), on)?;
            let kept = Portion {
                line: portion.line.clone(),
                text: portion.text.clone(),
                grade: portion.grade,
            };
            match layers.iter_mut().find(|(known, _)| *known == cell) {
                Some((_, portions)) => portions.push(kept),
                None => layers.push((cell, vec![kept])),
            }
        }
        if layers.len() > LAYERS_MAX {
            let detail = format!("a report has at most {LAYERS_MAX} labels");
            return Err(Fault::invalid("too-many-labels", detail));
        }
        Ok(Self { layers })
    }
}

/// The cell of a portion, which dominates that of the report.
fn cell_of(
    base: &Cell,
    markings: Option<&BTreeMap<SchemeId, Marking>>,
    on: &Deciding<'_>,
) -> Result<Cell, Fault> {
    let Some(markings) = markings else { return Ok(base.clone()) };
    let mut cell = on.cell(markings.clone(), on.actor.agency, base.circle)?;
    // The originators of a report stay those of its base, whoever of the line revises it.
    cell.label =
        base::Label::new(markings.clone(), base.label.originators().clone(), base.label.play())
            .map_err(|cause| Fault::invalid("invalid-label", cause.to_string()))?;
    if !policy::leq(&base.label, &cell.label) {
        return Err(Fault::invalid(
            "label-not-higher",
            "the label of a portion dominates the label of the report",
        ));
    }
    Ok(cell)
}

fn check_portion(form: Option<Form>, portion: &Marked) -> Result<(), Fault> {
    if form.is_some_and(|form| !form.lines().contains(&portion.line.as_str())) {
        let detail = format!("this form has no line `{}`", portion.line.as_str());
        return Err(Fault::invalid("unknown-line", detail));
    }
    if portion.grade.is_some_and(|grade| !(1..=6).contains(&grade.information)) {
        return Err(Fault::invalid("invalid-grade", "information is graded from 1 to 6"));
    }
    if form == Some(Form::Intelligence) && portion.grade.is_none() {
        let detail =
            format!("line `{}` of an intelligence report has no grade", portion.line.as_str());
        return Err(Fault::invalid("grade-missing", detail));
    }
    Ok(())
}

fn decide_submit(submit: Submit, on: &mut Deciding<'_>) -> Result<Vec<NewEntry>, Fault> {
    check_recipients(&submit.recipients, on)?;
    let report = ReportId::draw(&mut on.ids);
    let circle = CircleId::draw(&mut on.ids);
    let desk = CircleId::draw(&mut on.ids);
    let agency = on.actor.agency;
    let cell = on.cell(submit.markings.clone(), agency, Some(circle))?;
    check_cited(&submit.cites, &cell, on)?;
    let Layered { layers } = Layered::of(&cell, Some(submit.form), submit.portions.as_slice(), on)?;
    let answered = submit.request.map(|request| answer(request, submit.form, on)).transpose()?;
    if !submit.recipients.is_empty() {
        on.policy.may(on.register, on.actor, "report:release")?;
    }
    let mut layers = layers.into_iter();
    let base = layers.next().map(|(_, portions)| portions).unwrap_or_default();
    let fact = Submitted {
        report,
        desk,
        form: submit.form,
        title: submit.title,
        portions: base,
        place: submit.place,
        cites: submit.cites,
        request: submit.request,
        due_at: answered.as_ref().map(|(request, _)| request.due_at),
        late: answered.as_ref().is_some_and(|(request, _)| on.at > request.due_at),
    };
    let late = fact.late;
    let mut portions = vec![NewPortion::of(cell.clone(), &fact)?];
    for (above, higher) in layers {
        portions.push(NewPortion::of(above, &SubmittedHigher { higher })?);
    }
    let submitted = NewEntry {
        portions,
        ..NewEntry::new("report.submitted/1", RecordId(report.0), empty(&cell))
    };
    let mut entries = Vec::new();
    if let Some((request, asked)) = answered {
        let told = submit.recipients.contains(&request.asked_by).then_some(report);
        let id = submit.request.ok_or_else(|| Fault::bug("an answer without request"))?;
        let fact = Answered { request: id, report: told, late };
        entries.push(entry("report.answered/1", id, NewPortion::of(asked, &fact)?));
    }
    // The report's own entries come last: they name it in the answer to the act.
    entries.extend([
        form_circle(&cell, circle, "report", agency)?,
        form_circle(&Cell { circle: Some(desk), ..cell.clone() }, desk, "desk", agency)?,
        submitted,
    ]);
    let at = Lying { report, cell, desk };
    entries.extend(attach_to(&at, &submit.attachments, on)?);
    entries.extend(release_to(&at, &submit.recipients, on)?);
    Ok(entries)
}

/// One entry a layer: a file above a reader leaves no trace in what they may read.
fn attach_to(
    at: &Lying,
    attachments: &[Attaching],
    on: &Deciding<'_>,
) -> Result<Vec<NewEntry>, Fault> {
    if attachments.len() > ATTACHMENTS_MAX {
        let detail = format!("an act attaches at most {ATTACHMENTS_MAX} files");
        return Err(Fault::invalid("too-many-attachments", detail));
    }
    let mut layers: Vec<(Cell, Vec<attachment::File>)> = Vec::new();
    let mut different = BTreeSet::new();
    for attaching in attachments {
        let file = attaching.attachment.open(on.uploads, on.actor.person, on.at)?;
        if !different.insert(file.digest) || view::attached(on.views, file.digest)? {
            return Err(conflict("attachment-used", "an upload is attached once"));
        }
        let cell = cell_of(&at.cell, attaching.markings.as_ref(), on)?;
        match layers.iter_mut().find(|(known, _)| *known == cell) {
            Some((_, files)) => files.push(file),
            None => layers.push((cell, vec![file])),
        }
    }
    let of = |(cell, files)| {
        let fact = Attached { report: at.report, files };
        Ok(entry("report.attached/1", at.report, NewPortion::of(cell, &fact)?))
    };
    layers.into_iter().map(of).collect()
}

fn empty(cell: &Cell) -> NewPortion {
    NewPortion { cell: cell.clone(), body: Vec::new() }
}

fn form_circle(
    cell: &Cell,
    circle: CircleId,
    purpose: &str,
    agency: AgencyId,
) -> Result<NewEntry, Fault> {
    let purpose = Line::new(purpose).map_err(Fault::bug)?;
    let members = NonEmpty::one(Member::Agency(agency));
    circles::form(cell.clone(), &circles::Formed { circle, purpose, members })
}

fn check_recipients(recipients: &[AgencyId], on: &Deciding<'_>) -> Result<(), Fault> {
    if recipients.len() > RECIPIENTS_MAX {
        let detail = format!("an act releases to at most {RECIPIENTS_MAX} agencies");
        return Err(Fault::invalid("too-many-recipients", detail));
    }
    let different: BTreeSet<&AgencyId> = recipients.iter().collect();
    if different.len() != recipients.len() || different.contains(&on.actor.agency) {
        let detail = "each recipient is named once and is another agency";
        return Err(Fault::invalid("recipients-repeat", detail));
    }
    Ok(())
}

/// The high-water mark: a report bears at least the markings of what it cites.
fn check_cited(cites: &[RecordId], cell: &Cell, on: &Deciding<'_>) -> Result<(), Fault> {
    if cites.len() > CITES_MAX {
        let detail = format!("a report cites at most {CITES_MAX} records");
        return Err(Fault::invalid("too-many-cited", detail));
    }
    for record in cites {
        let row = on.views.record(*record)?.ok_or_else(Fault::absent)?;
        let of = (row.kind.as_str(), row.base);
        if !on.policy.readable_cell(on.register, on.cells, on.actor, of) {
            return Err(Fault::absent());
        }
        let label = on.cells.label_of(row.base).ok_or_else(Fault::absent)?;
        let own = (cell.label.originators().clone(), cell.label.play());
        let low = base::Label::new(label.markings().clone(), own.0, own.1).map_err(Fault::bug)?;
        let high = policy::leq(&low, &cell.label);
        if !high {
            return Err(Fault::invalid(
                "label-too-low",
                "the label of a report is at least the label of each record that it cites",
            ));
        }
    }
    Ok(())
}

/// The request that a report answers, with the cell in which it lies.
fn answer(
    request: ReportId,
    form: Form,
    on: &Deciding<'_>,
) -> Result<(view::RequestRow, Cell), Fault> {
    let cell = on.known(RecordId(request.0), "report")?;
    let row = view::request(on.views, request)?.ok_or_else(Fault::absent)?;
    if row.agency != on.actor.agency {
        return Err(conflict("not-asked", "the request asks another agency"));
    }
    if row.form != form {
        return Err(conflict("other-form", "the request asks for a report of another form"));
    }
    if row.answered {
        return Err(conflict("request-answered", "the request was answered before"));
    }
    Ok((row, cell))
}

/// Where a report lies.
struct Lying {
    report: ReportId,
    cell: Cell,
    /// The circle of the originator alone.
    desk: CircleId,
}

impl Lying {
    /// A report that the actor may change.
    fn load(report: ReportId, on: &Deciding<'_>) -> Result<Self, Fault> {
        let cell = on.base_of(RecordId(report.0), "report")?;
        match view::desk(on.views, report)? {
            Some(desk) => Ok(Self { report, cell, desk }),
            None => Err(conflict("a-request", "a request is not a report")),
        }
    }
}

fn members(cell: &Cell, on: &Deciding<'_>) -> BTreeSet<Member> {
    let circle = cell.circle.and_then(|circle| on.register.circles.get(&circle));
    circle.map(|members| (**members).clone()).unwrap_or_default()
}

/// The entries that release a report: who joins, and for each the clauses.
fn release_to(
    at: &Lying,
    recipients: &[AgencyId],
    on: &Deciding<'_>,
) -> Result<Vec<NewEntry>, Fault> {
    let circle = at.cell.circle.ok_or_else(|| Fault::bug("a report has no circle"))?;
    let mut entries = Vec::new();
    let joining: Vec<Member> = recipients.iter().map(|agency| Member::Agency(*agency)).collect();
    let Ok(members) = NonEmpty::new(joining) else { return Ok(entries) };
    entries.push(circles::join(at.cell.clone(), &circles::Changed { circle, members })?);
    for agency in recipients {
        let clauses = why::clauses(*agency, &at.cell.label, on)?;
        let released = Released { report: at.report, agency: *agency };
        let under = ReleasedUnder { to: *agency, clauses: why::cited(&clauses, on) };
        let desk = Cell { circle: Some(at.desk), ..at.cell.clone() };
        let mut new = NewEntry::new(
            "report.released/1",
            RecordId(at.report.0),
            NewPortion::of(at.cell.clone(), &released)?,
        );
        new.portions.push(NewPortion::of(desk, &under)?);
        new.clauses = clauses;
        entries.push(new);
    }
    Ok(entries)
}

fn decide_release(release: &Release, on: &Deciding<'_>) -> Result<Vec<NewEntry>, Fault> {
    check_recipients(release.recipients.as_slice(), on)?;
    let at = Lying::load(release.report, on)?;
    let members = members(&at.cell, on);
    let new: Vec<AgencyId> = release
        .recipients
        .iter()
        .copied()
        .filter(|agency| !members.contains(&Member::Agency(*agency)))
        .collect();
    release_to(&at, &new, on)
}

fn decide_withdraw(withdraw: Withdraw, on: &Deciding<'_>) -> Result<Vec<NewEntry>, Fault> {
    let at = Lying::load(withdraw.report, on)?;
    let member = Member::Agency(withdraw.agency);
    let originates = at.cell.label.originators().contains(&withdraw.agency);
    if originates || !members(&at.cell, on).contains(&member) {
        return Err(conflict("not-released", "the report is not released to this agency"));
    }
    let circle = at.cell.circle.ok_or_else(|| Fault::bug("a report has no circle"))?;
    let left = circles::Changed { circle, members: NonEmpty::one(member) };
    let fact = Withdrawn { report: at.report, agency: withdraw.agency, reason: withdraw.reason };
    Ok(vec![
        circles::leave(at.cell.clone(), &left)?,
        NewEntry::new("report.withdrawn/1", RecordId(at.report.0), NewPortion::of(at.cell, &fact)?),
    ])
}

/// One entry a layer: a revision of what a reader may not read leaves no trace in what they may.
fn decide_revise(revise: Revise, on: &Deciding<'_>) -> Result<Vec<NewEntry>, Fault> {
    let at = Lying::load(revise.report, on)?;
    let form = view::form(on.views, revise.report)?;
    let Layered { layers } = Layered::of(&at.cell, form, revise.portions.as_slice(), on)?;
    let mut entries = Vec::new();
    for (cell, portions) in layers.into_iter().filter(|(_, portions)| !portions.is_empty()) {
        let fact = Revised { report: at.report, reason: revise.reason.clone(), portions };
        entries.push(entry("report.revised/1", at.report, NewPortion::of(cell, &fact)?));
    }
    Ok(entries)
}

fn decide_request(request: Request, on: &mut Deciding<'_>) -> Result<Vec<NewEntry>, Fault> {
    if request.due_at <= on.at {
        return Err(Fault::invalid("due-in-the-past", "a report is asked for a time to come"));
    }
    check_recipients(&[request.agency], on)?;
    let report = ReportId::draw(&mut on.ids);
    let circle = CircleId::draw(&mut on.ids);
    let cell = on.cell(request.markings, on.actor.agency, Some(circle))?;
    let clauses = why::clauses(request.agency, &cell.label, on)?;
    let purpose = Line::new("report").map_err(Fault::bug)?;
    let members = vec![Member::Agency(on.actor.agency), Member::Agency(request.agency)];
    let members = NonEmpty::new(members).map_err(Fault::bug)?;
    let formed = circles::form(cell.clone(), &circles::Formed { circle, purpose, members })?;
    let fact = Requested {
        report,
        form: request.form,
        title: request.title,
        agency: request.agency,
        due_at: request.due_at,
    };
    let mut new =
        NewEntry::new("report.requested/1", RecordId(report.0), NewPortion::of(cell, &fact)?);
    new.clauses = clauses;
    Ok(vec![formed, new])
}

fn decide_overdue(report: ReportId, on: &Deciding<'_>) -> Result<Vec<NewEntry>, Fault> {
    if !matches!(on.actor.actor, Actor::System) {
        return Err(Fault::absent());
    }
    let cell = on.base_of(RecordId(report.0), "report")?;
    let row = view::request(on.views, report)?.ok_or_else(Fault::absent)?;
    if row.answered || on.at < row.due_at {
        return Ok(Vec::new());
    }
    let fact = Overdue { overdue: report };
    Ok(vec![entry("report.overdue/1", report, NewPortion::of(cell, &fact)?)])
}

fn entry(kind: &'static str, report: ReportId, portion: NewPortion) -> NewEntry {
    NewEntry::new(kind, RecordId(report.0), portion)
}

fn fold(fact: &Fact<'_>, layer: &mut Layer) {
    match fact.kind {
        "report.submitted/1" => fold_submitted(fact, layer),
        "report.revised/1" => {
            if let Some(revised) = fact.read::<Revised>() {
                replace(layer, &revised.portions, fact.acted_at);
                layer.set("reason", revised.reason);
            }
        }
        "report.attached/1" => {
            for file in fact.read::<Attached>().iter().flat_map(|attached| &attached.files) {
                layer.push("attachments", fact.acted_at, &file.named());
            }
        }
        "report.released/1" => {
            if let Some(released) = fact.read::<Released>() {
                layer.push("releases", fact.acted_at, &released);
            } else if let Some(under) = fact.read::<ReleasedUnder>() {
                layer.push("authorities", fact.acted_at, &under);
            }
        }
        "report.withdrawn/1" => {
            if let Some(withdrawn) = fact.read::<Withdrawn>() {
                layer.push("withdrawals", fact.acted_at, &withdrawn);
            }
        }
        "report.requested/1" => {
            if let Some(requested) = fact.read::<Requested>() {
                layer.state = Some("requested".to_owned());
                layer.due_at = Some(requested.due_at);
                layer.set("form", requested.form);
                layer.set("title", requested.title);
                layer.set("asked", requested.agency);
                layer.set("submitted_at", fact.acted_at);
            }
        }
        "report.answered/1" => {
            if let Some(answered) = fact.read::<Answered>() {
                let state = if answered.late { "answered_late" } else { "answered" };
                layer.state = Some(state.to_owned());
                layer.set("answer", answered.report);
                layer.set("answered_at", fact.acted_at);
            }
        }
        "report.overdue/1" => {
            if fact.read::<Overdue>().is_some() {
                layer.state = Some("overdue".to_owned());
            }
        }
        _ => downgrade::fold(fact, layer),
    }
}

fn fold_submitted(fact: &Fact<'_>, layer: &mut Layer) {
    if let Some(submitted) = fact.read::<Submitted>() {
        let state = if submitted.late { "late" } else { "submitted" };
        layer.state = Some(state.to_owned());
        layer.place = submitted.place;
        layer.due_at = submitted.due_at;
        layer.set("form", submitted.form);
        layer.set("title", submitted.title);
        layer.set("cites", submitted.cites);
        layer.set("request", submitted.request);
        layer.set("submitted_at", fact.acted_at);
        layer.set("version", 1);
        layer.set("portions", submitted.portions);
        layer.set("version_at", fact.acted_at);
    } else if let Some(higher) = fact.read::<SubmittedHigher>() {
        replace(layer, &higher.higher, fact.acted_at);
    }
}

/// A new version of a layer's portions; the one before stays readable in `versions`.
fn replace(layer: &mut Layer, portions: &[Portion], at: Time) {
    let before = layer.body.get("version").and_then(serde_json::Value::as_u64).unwrap_or(0);
    if before > 0 {
        let kept = |field: &str| layer.body.get(field).cloned().unwrap_or_default();
        let version = serde_json::json!({
            "version": before, "at": kept("version_at"), "portions": kept("portions"),
            "reason": kept("reason")
        });
        let versions = layer
            .body
            .entry("versions".to_owned())
            .or_insert_with(|| serde_json::Value::Array(Vec::new()));
        if let serde_json::Value::Array(items) = versions {
            items.push(version);
        }
    }
    layer.set("version", before + 1);
    layer.set("version_at", at);
    layer.set("portions", portions);
}

fn index(fact: &Fact<'_>, views: Views<'_>) -> Result<(), Fault> {
    match fact.kind {
        "report.submitted/1" => match fact.read::<Submitted>() {
            Some(submitted) => view::add(views, &submitted),
            None => Ok(()),
        },
        "report.attached/1" => match fact.read::<Attached>() {
            Some(attached) => view::attach(views, &attached),
            None => Ok(()),
        },
        "report.requested/1" => {
            let Some(requested) = fact.read::<Requested>() else { return Ok(()) };
            view::ask(views, &requested, fact.agency)?;
            set_timer(fact, views, Some(requested.due_at))
        }
        "report.answered/1" => {
            view::answered(views, fact.record)?;
            set_timer(fact, views, None)
        }
        "report.overdue/1" => set_timer(fact, views, None),
        _ => downgrade::index(fact, views),
    }
}

fn set_timer(fact: &Fact<'_>, views: Views<'_>, due_at: Option<Time>) -> Result<(), Fault> {
    let timer = Timer {
        name: "due".to_owned(),
        due_at,
        action: "report:overdue".to_owned(),
        command: serde_json::json!({ "do": "overdue", "report": fact.record }),
    };
    views.set_timer(fact.record, fact.sequence, &timer)
}
