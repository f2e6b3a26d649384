//! Findings: for each person, what the ledger and the access log prove of one instant.
//!
//! *Available* is decided anew under the rules, people and circles of that instant, folded from the
//! entries up to it; *sent*, *listed* and *opened* are rows of the access log; *acknowledged* is an
//! entry. Persons of other agencies are their agencies' own matter: of those
//! only the agency is named, with the clause that let the record flow.

use std::collections::{BTreeMap, BTreeSet};

use base::{AgencyId, CircleId, Digest, EntryId, Label, PersonId, RecordId, SeatId, Time};
use ledger::header::{Actor, Header, Purpose};
use ledger::leaf::Leaf;
use policy::{Reason, Shortfall};
use serde::{Deserialize, Serialize};
use store::log::LogName;

use super::Opened;
use crate::kernel::access::{AccessKind, AccessRow};
use crate::kernel::capability::ActorContext;
use crate::kernel::oversight::{Sight, inspects, oversees};
use crate::kernel::policy::Policy;
use crate::kernel::question::{Answer, Asked};
use crate::kernel::reader::Reader;
use crate::kernel::register::Register;
use crate::kernel::segment::first_at;
use crate::kernel::start::{open_entry, register_at};
use crate::kernel::view::Piece;
use crate::kernel::{Fault, Node};

/// LIMIT: rows of the access log and entries that findings may rest on.
const EVIDENCE: usize = 20_000;

/// A row of the access log, by its place: the leaf and the number within it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RowRef {
    pub leaf: u64,
    pub row: u64,
}

/// Something that a row of the access log proves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    pub at: Time,
    pub row: RowRef,
}

/// Something that an entry proves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acted {
    pub at: Time,
    pub entry: EntryId,
    pub sequence: u64,
    pub kind: String,
}

/// Why a record is withheld from somebody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Withheld {
    /// `circle`, `clearance`, `clause`, `forbidden`, `not-yet` or `rules`.
    pub by: String,
    /// What falls short: `level`, `compartment`, `audience`, `scheme`, `play`; or clauses.
    pub because: Vec<String>,
}

/// What is found of one person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfPerson {
    pub person: PersonId,
    pub agency: AgencyId,
    pub seats: Vec<SeatId>,
    /// Whether the person could have read it then, on some seat.
    pub available: bool,
    /// Clauses and rules on which that rests.
    pub grounds: Vec<String>,
    /// How many of the layers that were there the person could have read.
    pub layers: u64,
    pub withheld: Option<Withheld>,
    pub sent: Option<Seen>,
    pub listed: Option<Seen>,
    pub opened: Option<Seen>,
    pub denied: Option<Seen>,
    pub acknowledged: Option<Acted>,
}

/// What is found of an agency whose persons are its own matter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfAgency {
    pub agency: AgencyId,
    /// Whether somebody of it could have read the record then.
    pub available: bool,
    pub grounds: Vec<String>,
    pub withheld: Option<Withheld>,
    pub acknowledged: Option<Acted>,
}

/// Who looked at the inquiry itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnRead {
    pub at: Time,
    pub person: Option<PersonId>,
    pub kind: AccessKind,
}

/// The answer of an inquiry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Findings {
    pub inquiry: RecordId,
    pub subject: RecordId,
    pub kind: String,
    pub instant: Time,
    /// Entries of the log of acts up to the instant.
    pub size: u64,
    /// Layers of the record that were there, as far as the inspector may know of them.
    pub layers: u64,
    /// The digest of the rules that the last entry up to then names.
    pub policy: Digest,
    pub people: Vec<OfPerson>,
    pub agencies: Vec<OfAgency>,
    /// Entries about the record up to the instant.
    pub entries: Vec<Acted>,
    /// Who looked at the inquiry itself, up to now.
    pub reads: Vec<OwnRead>,
}

/// What findings are made of, and what their evidence is.
pub struct Found {
    pub findings: Findings,
    /// Sequence numbers of the entries about the record.
    pub sequences: Vec<u64>,
    /// The portions of it that the inspector may read, by sequence and slot.
    pub readable: BTreeSet<(u64, u8)>,
    /// Rows of the access log by leaf.
    pub rows: BTreeMap<u64, BTreeSet<u64>>,
}

/// Answers `GET /api/inquiries/{id}/findings`.
///
/// # Errors
/// `absent` for an inquiry or a subject that the reader may not know of.
pub fn answer(asked: &Asked<'_>) -> Result<Answer, Fault> {
    Answer::json(&find(asked)?.findings)
}

/// A cell of the record, with its label.
struct Part<'a> {
    label: &'a Label,
    circle: Option<CircleId>,
}

/// The state of the node at the instant.
struct Then {
    register: Register,
    policy: Policy,
    size: u64,
}

impl Then {
    fn at(asked: &Asked<'_>, instant: Time) -> Result<Self, Fault> {
        let (node, core) = (asked.node, asked.reader.core());
        let size = first_at(node.log(), LogName::Acts, core.head.size, instant)?;
        let from = (node.log(), node.keys(), node.capabilities());
        let register = node.views().with(|views| register_at(from, views, &core.cells, size))?;
        let policy = core.policy.as_of(&register, instant)?;
        Ok(Self { register, policy, size })
    }

    /// Whether somebody could have read a part of a record then, on what grounds, or why not.
    fn reads(
        &self,
        actor: &ActorContext,
        noun: &str,
        part: &Part<'_>,
    ) -> Result<Vec<String>, Withheld> {
        let withheld = |by: &str, because| Withheld { by: by.to_owned(), because };
        let decision = self.policy.decision(&self.register, actor, noun, part.label);
        let Ok(decision) = decision else { return Err(withheld("rules", Vec::new())) };
        if !decision.allows() {
            let cited = || decision.clauses.iter().map(ToString::to_string).collect();
            return Err(match &decision.reason {
                Reason::Mandatory(short) => {
                    withheld("clearance", short.iter().map(shortfall).collect())
                }
                Reason::NoConsent(_) => withheld("clause", Vec::new()),
                Reason::Forbidden => withheld("forbidden", cited()),
                Reason::Permitted | Reason::Action | Reason::Scheme(_) | Reason::Failed(_) => {
                    withheld("rules", Vec::new())
                }
            });
        }
        let line = self.register.ancestors(actor.agency);
        let reader = (actor.person, actor.seat);
        let member = |circle| self.register.belongs(circle, reader, &line);
        if part.circle.is_some_and(|circle| !member(circle)) {
            return Err(withheld("circle", Vec::new()));
        }
        let rules = decision.rules.iter().cloned();
        Ok(decision.clauses.iter().map(ToString::to_string).chain(rules).collect())
    }
}

impl Then {
    /// Whether no clause lets a cleared reader of an agency through, whoever was there.
    fn without_clause(&self, agency: AgencyId, (subject, parts, _): About<'_>) -> Option<Withheld> {
        let (base, none) = (parts.first()?, BTreeSet::new());
        let labels = [base.label];
        let reach = self.policy.reach((agency, &none), subject.noun, &labels, Purpose::Protection);
        let reach = reach.ok()?;
        let missing = matches!(reach.refused?.reason, Reason::NoConsent(_));
        missing.then(|| Withheld { by: "clause".to_owned(), because: Vec::new() })
    }
}

fn shortfall(shortfall: &Shortfall) -> String {
    match shortfall {
        Shortfall::Scheme(_) => "scheme",
        Shortfall::Level { .. } => "level",
        Shortfall::Compartments { .. } => "compartment",
        Shortfall::Audience { .. } => "audience",
        Shortfall::Play => "play",
    }
    .to_owned()
}

/// Finds who knew of the subject of an inquiry at its instant.
///
/// # Errors
/// `absent` for an inquiry or a subject that the reader may not know of; `evidence-too-large` when
/// the findings would rest on more than the limit; the store's own fault.
pub fn find(asked: &Asked<'_>) -> Result<Found, Fault> {
    let (reader, node) = (&asked.reader, asked.node);
    let inquiry = asked.id.ok_or_else(Fault::absent)?;
    let opened = subject_of(reader, inquiry)?;
    let subject = Subject::of(asked, &opened)?;
    let then = Then::at(asked, opened.instant)?;
    let entries = subject.entries(node, then.size)?;
    let rows = Rows::read(node, (inquiry, opened.subject), (subject.began, opened.instant))?;
    let acted: Vec<Acted> = entries.iter().map(Entry::acted).collect();
    let there = !acted.is_empty();
    let parts = subject.parts(asked, &entries)?;
    let mut findings = Findings {
        inquiry,
        subject: opened.subject,
        kind: opened.kind.to_string(),
        instant: opened.instant,
        size: then.size,
        layers: parts.len() as u64,
        policy: policy_then(node, then.size)?,
        people: Vec::new(),
        agencies: Vec::new(),
        entries: acted,
        reads: rows.own.clone(),
    };
    let actor = reader.actor();
    for (person, known) in then.register.persons.iter().filter(|(_, known)| known.active) {
        if oversees(&then.register, actor, known.agency) {
            let of = (*person, known.agency);
            findings.people.push(of_person(
                &then,
                of,
                (&subject, &parts, there),
                (&entries, &rows),
            ));
        }
    }
    for agency in then.register.agencies.keys() {
        if !oversees(&then.register, actor, *agency) {
            let found = of_agency(&then, *agency, (&subject, &parts, there), &entries);
            findings.agencies.push(found);
        }
    }
    let mut used: BTreeMap<u64, BTreeSet<u64>> = BTreeMap::new();
    for person in &findings.people {
        let seen = [&person.sent, &person.listed, &person.opened, &person.denied];
        for seen in seen.into_iter().flatten() {
            used.entry(seen.row.leaf).or_default().insert(seen.row.row);
        }
    }
    let sequences = entries.iter().map(|entry| entry.sequence).collect();
    Ok(Found { findings, sequences, readable: subject.readable, rows: used })
}

/// The digest of the rules that the last entry of the first `size` was decided under.
fn policy_then(node: &Node, size: u64) -> Result<Digest, Fault> {
    let Some(last) = size.checked_sub(1) else { return Ok(Digest::default()) };
    let entry = node.entries(last, 1)?.pop();
    Ok(entry.map(|entry| entry.header.local.policy).unwrap_or_default())
}

/// What an inquiry asks about.
fn subject_of(reader: &Reader<'_>, inquiry: RecordId) -> Result<Opened, Fault> {
    let rendition = reader.get("inquiry", inquiry)?;
    let body = rendition.layers.first().map(|layer| &layer.body);
    let field = |name: &str| body.and_then(|body| body.get(name)).cloned().unwrap_or_default();
    let fields = serde_json::json!({
        "subject": field("subject"), "kind": field("subject_kind"),
        "instant": field("instant"), "reason": field("reason"),
    });
    // An inquiry whose content was erased asks nothing any more.
    serde_json::from_value(fields).map_err(|erased| Fault::absent().because(erased))
}

/// The record that is asked about, as far as the inspector may know of it.
struct Subject {
    noun: &'static str,
    /// Its portions: all of them by oversight, the readable ones otherwise.
    pieces: Vec<Piece>,
    base: u32,
    readable: BTreeSet<(u64, u8)>,
    /// When its first entry was written.
    began: Time,
}

impl Subject {
    fn of(asked: &Asked<'_>, opened: &Opened) -> Result<Self, Fault> {
        let (node, reader) = (asked.node, &asked.reader);
        let core = reader.core();
        let record = opened.subject;
        let row = node.views().with(|views| views.record(record))?;
        let of = (&*core.register, &*core.cells);
        let sight = row
            .as_ref()
            .and_then(|row| inspects(&core.policy, of, reader.actor(), (&row.kind, row.base)));
        let (Some(row), Some(sight)) = (row, sight) else {
            reader.denied(record)?;
            return Err(Fault::absent());
        };
        let capability = node.capabilities().iter().find(|c| c.noun == row.kind);
        let noun = capability.ok_or_else(Fault::absent)?.noun;
        let set = reader.readable(noun);
        if sight == Sight::Reads && !row.readable(&set) {
            reader.denied(record)?;
            return Err(Fault::absent());
        }
        let found = node.views().with(|views| Ok((views.pieces(record)?, views.layers(record)?)));
        let (mut pieces, layers) = found?;
        // A layer whose label was raised is read by those alone who may read that, too.
        let open = |cell| layers.iter().any(|layer| layer.cell == cell && layer.readable(&set));
        if sight == Sight::Reads {
            pieces.retain(|piece| open(piece.cell));
        }
        let readable = pieces.iter().filter(|piece| open(piece.cell) && !piece.erased);
        let readable = readable.map(|piece| (piece.sequence, piece.slot)).collect();
        let began = pieces.iter().map(|piece| piece.sequence).min();
        let leaf = match began {
            Some(first) => node.log().leaves(LogName::Acts, first, 1)?.into_iter().next(),
            None => None,
        };
        let began = leaf.and_then(|leaf| Leaf::from_bytes(&leaf).ok()).map(|leaf| leaf.at);
        Ok(Self { noun, pieces, base: row.base, readable, began: began.unwrap_or(Time::MIN) })
    }

    /// The entries about it among the first `size`, opened as far as their headers.
    fn entries(&self, node: &Node, size: u64) -> Result<Vec<Entry>, Fault> {
        let mut sequences: Vec<u64> = self.pieces.iter().map(|piece| piece.sequence).collect();
        sequences.sort_unstable();
        sequences.dedup();
        sequences.retain(|sequence| *sequence < size);
        if sequences.len() > EVIDENCE {
            return Err(too_large());
        }
        let stored = node.log().entries_at(LogName::Acts, &sequences)?;
        let secrets = node.log().secrets_at(LogName::Acts, &sequences)?;
        let mut entries = Vec::with_capacity(stored.len());
        for entry in &stored {
            let secrets = secrets.iter().find(|s| s.sequence == entry.sequence);
            let secrets = secrets.ok_or(store::Error::Missing(entry.sequence))?;
            let opened = open_entry(node.keys(), entry, secrets)?;
            entries.push(Entry {
                sequence: entry.sequence,
                at: opened.leaf.at,
                header: opened.header,
            });
        }
        Ok(entries)
    }

    /// Its cells that had a portion then, the base first.
    fn parts<'a>(&self, asked: &'a Asked<'_>, entries: &[Entry]) -> Result<Vec<Part<'a>>, Fault> {
        let there: BTreeSet<u64> = entries.iter().map(|entry| entry.sequence).collect();
        let known = self.pieces.iter().filter(|piece| there.contains(&piece.sequence));
        let mut cells: Vec<u32> = known.map(|piece| piece.cell).collect();
        cells.push(self.base);
        cells.sort_unstable();
        cells.dedup();
        cells.sort_by_key(|cell| *cell != self.base);
        let table = &asked.reader.core().cells;
        cells
            .into_iter()
            .map(|cell| {
                let label = table.label_of(cell).ok_or_else(Fault::absent)?;
                Ok(Part { label, circle: table.row(cell).and_then(|row| row.circle) })
            })
            .collect()
    }
}

fn too_large() -> Fault {
    let detail = format!("the findings would rest on more than {EVIDENCE} entries or rows");
    Fault::new(base::Kind::TooLarge, "evidence-too-large", detail)
}

struct Entry {
    sequence: u64,
    at: Time,
    header: Header,
}

impl Entry {
    fn acted(&self) -> Acted {
        let (entry, kind) = (self.header.shared.entry, self.header.shared.kind.clone());
        Acted { at: self.at, entry, sequence: self.sequence, kind }
    }

    fn acknowledges(&self) -> bool {
        self.header.shared.kind.split_once('.').is_some_and(|(_, k)| k.starts_with("acknowledged/"))
    }
}

/// Rows of the access log that concern an inquiry.
struct Rows {
    of_subject: Vec<(RowRef, AccessRow)>,
    own: Vec<OwnRead>,
}

impl Rows {
    fn read(
        node: &Node,
        (inquiry, subject): (RecordId, RecordId),
        (since, until): (Time, Time),
    ) -> Result<Self, Fault> {
        let mut rows = Self { of_subject: Vec::new(), own: Vec::new() };
        node.each_segment(since, |segment| {
            let leaf = segment.entry.sequence;
            for (number, row) in (0..).zip(&segment.rows) {
                let Some(row) = row.read() else { continue };
                if row.records.contains(&inquiry) {
                    rows.own.push(OwnRead { at: row.at, person: row.person, kind: row.kind });
                }
                if row.at <= until && row.records.contains(&subject) {
                    rows.of_subject.push((RowRef { leaf, row: number }, row));
                }
            }
            if rows.of_subject.len() + rows.own.len() > EVIDENCE {
                return Err(too_large());
            }
            Ok(())
        })?;
        Ok(rows)
    }

    /// The first row of a kind by a person.
    fn first(&self, person: PersonId, kind: AccessKind) -> Option<Seen> {
        let of = |(_, row): &&(RowRef, AccessRow)| row.person == Some(person) && row.kind == kind;
        self.of_subject.iter().find(of).map(|(place, row)| Seen { at: row.at, row: *place })
    }
}

fn reader_of(then: &Then, person: PersonId, agency: AgencyId) -> Vec<ActorContext> {
    let seats = then.register.seats_of(person).map(|(seat, _)| Some(*seat)).chain([None]);
    seats
        .map(|seat| ActorContext {
            actor: Actor::Person(person),
            person: Some(person),
            seat,
            agency,
            session: None,
            authentication: None,
            purpose: Purpose::Protection,
            play: base::Play::Live,
        })
        .collect()
}

type About<'a> = (&'a Subject, &'a [Part<'a>], bool);

/// How far a reader comes: rules are asked in this order.
fn nearness(withheld: &Withheld) -> usize {
    let order = ["not-yet", "rules", "clearance", "clause", "forbidden", "circle"];
    order.iter().position(|by| *by == withheld.by).unwrap_or(0)
}

/// The best that one of several readers could do: grounds and layers, or why not.
fn best(
    then: &Then,
    readers: &[ActorContext],
    (subject, parts, there): About<'_>,
) -> Result<(Vec<String>, u64), Withheld> {
    let mut withheld = Withheld { by: "not-yet".to_owned(), because: Vec::new() };
    let mut found: Option<(Vec<String>, u64)> = None;
    let Some(base) = parts.first().filter(|_| there) else { return Err(withheld) };
    for reader in readers {
        match then.reads(reader, subject.noun, base) {
            Ok(grounds) => {
                let read = |part: &&Part<'_>| then.reads(reader, subject.noun, part).is_ok();
                let layers = parts.iter().filter(read).count() as u64;
                if found.as_ref().is_none_or(|(_, most)| layers > *most) {
                    found = Some((grounds, layers));
                }
            }
            // Who comes nearest stands for all, in whatever order they are looked at.
            Err(why) if nearness(&why) > nearness(&withheld) => withheld = why,
            Err(_) => {}
        }
    }
    found.ok_or(withheld)
}

fn of_person(
    then: &Then,
    (person, agency): (PersonId, AgencyId),
    about: About<'_>,
    (entries, rows): (&[Entry], &Rows),
) -> OfPerson {
    let readers = reader_of(then, person, agency);
    let outcome = best(then, &readers, about);
    let (available, (grounds, layers), withheld) = match outcome {
        Ok(found) => (true, found, None),
        Err(why) => (false, (Vec::new(), 0), Some(why)),
    };
    let acknowledged = entries
        .iter()
        .find(|entry| entry.acknowledges() && entry.header.shared.actor == Actor::Person(person));
    OfPerson {
        person,
        agency,
        seats: readers.iter().filter_map(|reader| reader.seat).collect(),
        available,
        grounds,
        layers,
        withheld,
        sent: rows.first(person, AccessKind::Delivered),
        listed: rows.first(person, AccessKind::Listed),
        opened: rows.first(person, AccessKind::Opened),
        denied: rows.first(person, AccessKind::Denied),
        acknowledged: acknowledged.map(Entry::acted),
    }
}

fn of_agency(then: &Then, agency: AgencyId, about: About<'_>, entries: &[Entry]) -> OfAgency {
    let people = then.register.persons.iter().filter(|(_, p)| p.active && p.agency == agency);
    let readers: Vec<ActorContext> =
        people.flat_map(|(person, _)| reader_of(then, *person, agency)).collect();
    let outcome = best(then, &readers, about);
    let acknowledged =
        entries.iter().find(|entry| entry.acknowledges() && entry.header.shared.agency == agency);
    let (available, grounds, withheld) = match outcome {
        Ok((grounds, _)) => (true, grounds, None),
        Err(why) if why.by == "not-yet" => (false, Vec::new(), Some(why)),
        // Why one of its persons could not is the agency's own matter; whether a clause was
        // missing is not.
        Err(_) => (false, Vec::new(), then.without_clause(agency, about)),
    };
    OfAgency { agency, available, grounds, withheld, acknowledged: acknowledged.map(Entry::acted) }
}
