//! Why an agency or a colleague reads a record, and why not, for whoever answers for the record.
//!
//! INVARIANT: the asker opens the record first, and policy must let the asker explain what each
//! originator has; of any other layer nothing is told. Whether it is read is what `Policy` decides
//! and circles say, never a rule of this file. A person of another agency is answered for as that
//! agency is, by a described reader: what people there are cleared for stays their agency's matter.

use std::collections::BTreeSet;

use base::{AgencyId, CircleId, Kind, Label, PersonId, RecordId, Releasable, SeatId, Token};
use ledger::header::Actor;
use policy::{Decision, Reason, Shortfall};
use serde::{Deserialize, Serialize};

use super::capability::ActorContext;
use super::cells::CellNumber;
use super::fault::Fault;
use super::floor::LayerId;
use super::near::{Near, near};
use super::oversight::oversees;
use super::question::{Answer, Asked};
use super::reader::{OpenLayer, Reader};
use super::why::{Cited, cited};

/// The action of asking.
pub const EXPLAIN: &str = "access:explain";

/// What is asked: about a record, and about an agency or a person.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Question {
    record: Named,
    #[serde(default)]
    agency: Option<AgencyId>,
    #[serde(default)]
    person: Option<PersonId>,
}

/// A record by its kind and id.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Named {
    kind: String,
    id: RecordId,
}

/// Who reads which layer of a record, and what stands in the way of the others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WhyNot {
    pub record: RecordId,
    pub agency: AgencyId,
    /// Absent when the answer is for every reader of the agency that there could be.
    pub person: Option<PersonId>,
    /// The seat on which the person reads most of it.
    pub seat: Option<SeatId>,
    /// Those that the asker may read and explain, base first.
    pub layers: Vec<Told>,
}

/// Whether one layer is read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Told {
    pub id: LayerId,
    pub mark: String,
    /// For an agency: whether a reader there who has what is needed reads it.
    pub reads: bool,
    /// The clauses on which that rests.
    pub clauses: Vec<Cited>,
    /// Rules of a capability, `capability/id`: within its originator's own line.
    pub rules: Vec<String>,
    /// Whether a clause is left out, as its agreement may not be read by the asker.
    pub withheld: bool,
    /// Of an agency: what its readers need besides the clearance that the mark says.
    pub needs: Option<Needs>,
    /// What stands in the way; empty when it is read. All of it must change.
    pub obstacles: Vec<Obstacle>,
}

/// What a reader needs to have, all of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Needs {
    pub roles: BTreeSet<Token>,
    pub training: BTreeSet<Token>,
    /// One of these codes; empty when it is releasable without restriction.
    pub releasable_to: BTreeSet<Token>,
}

/// One thing that stands in the way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Obstacle {
    /// `inactive`, `clearance`, `clause`, `forbidden`, `role`, `circle` or `rules`.
    pub by: &'static str,
    /// Of a clearance: `scheme`, `level`, `compartment`, `audience`, `play`.
    pub because: BTreeSet<&'static str>,
    /// The circle to which nobody asked about belongs.
    pub circle: Option<CircleId>,
    /// The clauses that forbid.
    pub clauses: Vec<Cited>,
    /// Of a missing clause: the asker's own agreements that come nearest, and what they lack.
    pub near: Vec<Near>,
}

impl Obstacle {
    const fn new(by: &'static str) -> Self {
        let because = BTreeSet::new();
        Self { by, because, circle: None, clauses: Vec::new(), near: Vec::new() }
    }
}

/// Answers `POST /api/why`.
///
/// # Errors
/// As [`find`].
pub fn answer(asked: &Asked<'_>) -> Result<Answer, Fault> {
    Answer::json(&find(asked)?)
}

/// Finds who reads which layer, and what stands in the way of the others.
///
/// # Errors
/// `absent` for a record, agency or person that does not exist or may not be known to exist, the
/// same answer for all; `other-agency` when it originates with another; `invalid-command`.
pub fn find(asked: &Asked<'_>) -> Result<WhyNot, Fault> {
    let question: Question = asked.parse()?;
    let (reader, id) = (&asked.reader, question.record.id);
    let subject = match (question.agency, question.person) {
        (Some(agency), None) => Ok(agency),
        (None, Some(person)) => Err(person),
        (Some(_), Some(_)) | (None, None) => {
            let detail = "question: name an `agency` or a `person`";
            return Err(Fault::invalid("invalid-command", detail));
        }
    };
    let known = asked.node.capabilities().iter().find(|c| c.noun == question.record.kind);
    let Some(noun) = known.map(|capability| capability.noun) else {
        reader.denied(id)?;
        return Err(Fault::absent());
    };
    let (rendition, cells) = reader.get_with_cells(noun, id)?;
    let parts: Vec<Part<'_>> = rendition
        .layers
        .iter()
        .zip(cells)
        .filter(|(layer, _)| explains(reader, &layer.label))
        .map(|(layer, cells)| Part { layer, cells, noun })
        .collect();
    if parts.first().map(|part| part.layer.id) != rendition.layers.first().map(|layer| layer.id) {
        let detail = "each agency explains what is its own";
        return Err(Fault::new(Kind::Denied, "other-agency", detail));
    }
    match subject {
        Ok(agency) if reader.knows("agency", RecordId(agency.0))? => {
            of_agency(reader, id, agency, &parts)
        }
        Err(person) if reader.knows("person", RecordId(person.0))? => {
            let core = reader.core();
            let agency = core.register.persons.get(&person).map(|known| known.agency);
            let agency = agency.ok_or_else(Fault::absent)?;
            if oversees(&core.register, reader.actor(), agency) {
                of_person(reader, id, (person, agency), &parts)
            } else {
                of_agency(reader, id, agency, &parts)
            }
        }
        Ok(_) | Err(_) => Err(Fault::absent()),
    }
}

/// Whether the asker may explain what bears a label: by the rules of its line, or by a clause.
fn explains(reader: &Reader<'_>, label: &Label) -> bool {
    let core = reader.core();
    let may = |originator: &AgencyId| {
        core.policy.may_upon(&core.register, reader.actor(), EXPLAIN, *originator).is_ok()
    };
    label.originators().iter().all(may)
}

/// A layer that is explained, with the cells that its readers must be able to read.
struct Part<'a> {
    layer: &'a OpenLayer,
    cells: BTreeSet<CellNumber>,
    noun: &'static str,
}

impl Part<'_> {
    fn labels<'r>(&self, reader: &'r Reader<'_>) -> Result<Vec<&'r Label>, Fault> {
        let label = |cell: &CellNumber| reader.core().cells.label_of(*cell).map(|label| &**label);
        let labels = self.cells.iter().map(label);
        labels.collect::<Option<_>>().ok_or_else(|| Fault::bug("a cell has no label"))
    }

    fn circles(&self, reader: &Reader<'_>) -> BTreeSet<CircleId> {
        let row = |cell: &CellNumber| reader.core().cells.row(*cell);
        self.cells.iter().filter_map(row).filter_map(|row| row.circle).collect()
    }

    fn audience(&self) -> BTreeSet<Token> {
        let only = self.layer.label.markings().values().filter_map(|m| match &m.releasable_to {
            Releasable::Only(codes) => Some(codes.iter().cloned()),
            Releasable::Unrestricted => None,
        });
        only.flatten().collect()
    }

    /// What is told when these stand in the way: it is read when none does.
    fn told(&self, obstacles: Vec<Obstacle>) -> Told {
        Told {
            id: self.layer.id,
            mark: self.layer.mark.clone(),
            reads: obstacles.is_empty(),
            clauses: Vec::new(),
            rules: Vec::new(),
            withheld: false,
            needs: None,
            obstacles,
        }
    }
}

fn of_agency(
    reader: &Reader<'_>,
    record: RecordId,
    agency: AgencyId,
    parts: &[Part<'_>],
) -> Result<WhyNot, Fault> {
    let roles = own_roles(reader, agency);
    let mut layers = Vec::with_capacity(parts.len());
    for part in parts {
        let core = reader.core();
        let labels = part.labels(reader)?;
        let purpose = reader.actor().purpose;
        let reach = core.policy.reach((agency, &roles), part.noun, &labels, purpose)?;
        let mut obstacles = Vec::new();
        if let Some(refusal) = &reach.refused {
            obstacles.push(obstacle(reader, (part.noun, agency), &labels, refusal)?);
        }
        let circles = part.circles(reader).into_iter();
        let outside = circles.filter(|circle| !core.register.circle_has(*circle, agency));
        obstacles.extend(outside.map(of_circle));
        let mut told = part.told(obstacles);
        if told.reads {
            (told.clauses, told.withheld) = cited(reader, reach.clauses)?;
            told.rules = reach.rules.into_iter().collect();
            let (roles, training) = (reach.roles, reach.training);
            told.needs = Some(Needs { roles, training, releasable_to: part.audience() });
        }
        layers.push(told);
    }
    Ok(WhyNot { record, agency, person: None, seat: None, layers })
}

/// The roles of an agency that the asker oversees, which rules of capabilities may ask for.
fn own_roles(reader: &Reader<'_>, agency: AgencyId) -> BTreeSet<Token> {
    let register = &reader.core().register;
    if !oversees(register, reader.actor(), agency) {
        return BTreeSet::new();
    }
    let seats = register.seats.values().filter(|seat| seat.agency == agency);
    let people = register.persons.values().filter(|person| person.agency == agency);
    let of_people = people.flat_map(|person| person.roles.iter().cloned());
    seats.flat_map(|seat| seat.roles.iter().cloned()).chain(of_people).collect()
}

fn of_circle(circle: CircleId) -> Obstacle {
    Obstacle { circle: Some(circle), ..Obstacle::new("circle") }
}

fn of_person(
    reader: &Reader<'_>,
    record: RecordId,
    (person, agency): (PersonId, AgencyId),
    parts: &[Part<'_>],
) -> Result<WhyNot, Fault> {
    let register = &reader.core().register;
    let seats = register.seats_of(person).map(|(seat, _)| Some(*seat)).chain([None]);
    let mut best: Option<(Option<SeatId>, Vec<Told>)> = None;
    for seat in seats {
        let context = ActorContext {
            actor: Actor::Person(person),
            person: Some(person),
            seat,
            agency,
            session: None,
            authentication: None,
            purpose: reader.actor().purpose,
            play: reader.actor().play,
        };
        let told = parts.iter().map(|part| of_reader(reader, &context, part));
        let told: Vec<Told> = told.collect::<Result<_, Fault>>()?;
        let reads = |told: &[Told]| told.iter().filter(|layer| layer.reads).count();
        if best.as_ref().is_none_or(|(_, most)| reads(most) < reads(&told)) {
            best = Some((seat, told));
        }
    }
    let (seat, layers) = best.unwrap_or_default();
    Ok(WhyNot { record, agency, person: Some(person), seat, layers })
}

/// Whether a person on a seat reads a part, by the decision that each of its cells is asked with.
fn of_reader(reader: &Reader<'_>, who: &ActorContext, part: &Part<'_>) -> Result<Told, Fault> {
    let core = reader.core();
    let (mut obstacles, mut clauses, mut rules) = (Vec::new(), BTreeSet::new(), BTreeSet::new());
    for label in part.labels(reader)? {
        let decided = core.policy.decision(&core.register, who, part.noun, label);
        match decided {
            Ok(decision) if decision.allows() => {
                clauses.extend(decision.clauses);
                rules.extend(decision.rules);
            }
            Ok(decision) => obstacles.extend(refusals(reader, who, (part.noun, label), &decision)?),
            // The register does not have the person, or not any more.
            Err(_unknown) => obstacles.push(Obstacle::new("inactive")),
        }
    }
    let line = core.register.ancestors(who.agency);
    let belongs = |circle| core.register.belongs(circle, (who.person, who.seat), &line);
    let circles = part.circles(reader).into_iter();
    obstacles.extend(circles.filter(|circle| !belongs(*circle)).map(of_circle));
    let mut distinct: Vec<Obstacle> = Vec::new();
    for obstacle in obstacles {
        if !distinct.contains(&obstacle) {
            distinct.push(obstacle);
        }
    }
    let mut told = part.told(distinct);
    if told.reads {
        (told.clauses, told.withheld) = cited(reader, clauses)?;
        told.rules = rules.into_iter().collect();
    }
    Ok(told)
}

/// What stands in the way of a person: of the clearance, and of what a cleared reader would meet.
fn refusals(
    reader: &Reader<'_>,
    who: &ActorContext,
    (noun, label): (&'static str, &Label),
    decision: &Decision,
) -> Result<Vec<Obstacle>, Fault> {
    let (core, held) = (reader.core(), own_roles(reader, who.agency));
    let reach = core.policy.reach((who.agency, &held), noun, &[label], who.purpose)?;
    let of = (noun, who.agency);
    let cleared = !matches!(decision.reason, Reason::Mandatory(_));
    if cleared && reach.refused.is_none() {
        return Ok(vec![Obstacle::new("role")]);
    }
    let mut found = vec![obstacle(reader, of, &[label], decision)?];
    if let Some(refusal) = reach.refused.filter(|_| !cleared) {
        found.push(obstacle(reader, of, &[label], &refusal)?);
    }
    Ok(found)
}

/// What a refusal puts in the way of an agency's readers.
fn obstacle(
    reader: &Reader<'_>,
    of: (&'static str, AgencyId),
    labels: &[&Label],
    refusal: &Decision,
) -> Result<Obstacle, Fault> {
    Ok(match &refusal.reason {
        Reason::Mandatory(short) => Obstacle {
            because: short.iter().map(shortfall).collect(),
            ..Obstacle::new("clearance")
        },
        Reason::NoConsent(missing) => {
            let near = near(reader, of, labels, missing)?;
            Obstacle { near, ..Obstacle::new("clause") }
        }
        Reason::Forbidden => {
            let (clauses, _withheld) = cited(reader, refusal.clauses.iter().copied())?;
            Obstacle { clauses, ..Obstacle::new("forbidden") }
        }
        Reason::Permitted | Reason::Action | Reason::Scheme(_) | Reason::Failed(_) => {
            Obstacle::new("rules")
        }
    })
}

const fn shortfall(shortfall: &Shortfall) -> &'static str {
    match shortfall {
        Shortfall::Scheme(_) => "scheme",
        Shortfall::Level { .. } => "level",
        Shortfall::Compartments { .. } => "compartment",
        Shortfall::Audience { .. } => "audience",
        Shortfall::Play => "play",
    }
}
