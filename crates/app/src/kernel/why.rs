//! Why a reader may read a record: the grounds of the same decision that opened it.
//!
//! INVARIANT: nothing is decided here. The record is opened by [`Reader`] first, so who may not
//! know of it gets `absent`; then each cell that was needed is asked of `Policy::decision`, the
//! function that the readable sets are made from, and its answer is told.

use base::{AgencyId, CircleId, ClauseId, RecordId};
use policy::{ClauseRef, Decision};
use serde::Serialize;

use super::cells::CellNumber;
use super::fault::Fault;
use super::floor::LayerId;
use super::question::{Answer, Asked};
use super::reader::Reader;

/// Why one reader may read one record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Why {
    pub record: RecordId,
    /// The agency as which it is read.
    pub agency: AgencyId,
    /// Those that the reader may read, base first, and no other.
    pub layers: Vec<WhyLayer>,
}

/// Why one layer may be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WhyLayer {
    pub id: LayerId,
    /// The portion mark that the reader's clearance covers.
    pub mark: String,
    /// The circle of which the reader is a member.
    pub circle: Option<CircleId>,
    /// One of each label that had to be readable: its own and, when it was raised, its floors.
    pub grounds: Vec<Ground>,
}

/// What permitted the reading of one label.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Ground {
    pub clauses: Vec<Cited>,
    /// Rules of a capability, `capability/id`: within its originator's own line.
    pub rules: Vec<String>,
    /// Whether a clause is left out, as its agreement may not be read by the reader.
    pub withheld: bool,
}

/// A clause of an agreement that the reader may read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Cited {
    /// `agreement:clause:version`.
    pub cite: String,
    pub agreement: RecordId,
    pub clause: ClauseId,
    pub version: u32,
}

impl From<ClauseRef> for Cited {
    fn from(clause: ClauseRef) -> Self {
        let (cite, agreement) = (clause.to_string(), RecordId(clause.agreement.0));
        Self { cite, agreement, clause: clause.clause, version: clause.version }
    }
}

/// Answers why the reader may read the record in the path.
///
/// # Errors
/// `absent` when it does not exist or may not be known to exist: the same answer for both.
pub fn answer(asked: &Asked<'_>, noun: &'static str) -> Result<Answer, Fault> {
    let id = asked.id.ok_or_else(Fault::absent)?;
    Answer::json(&why(&asked.reader, noun, id)?)
}

/// Says why a reader may read a record.
///
/// # Errors
/// `absent` when it does not exist or may not be known to exist: the same answer for both.
pub fn why(reader: &Reader<'_>, noun: &'static str, id: RecordId) -> Result<Why, Fault> {
    let (rendition, cells) = reader.get_with_cells(noun, id)?;
    let mut layers = Vec::with_capacity(rendition.layers.len());
    for (layer, cells) in rendition.layers.into_iter().zip(cells) {
        let grounds = cells.into_iter().map(|cell| ground(reader, noun, cell));
        layers.push(WhyLayer {
            id: layer.id,
            mark: layer.mark,
            circle: layer.circle,
            grounds: grounds.collect::<Result<_, _>>()?,
        });
    }
    Ok(Why { record: id, agency: reader.actor().agency, layers })
}

fn ground(reader: &Reader<'_>, noun: &str, cell: CellNumber) -> Result<Ground, Fault> {
    let core = reader.core();
    let label = core.cells.label_of(cell).ok_or_else(|| Fault::bug("a cell has no label"))?;
    let Decision { clauses, rules, .. } =
        core.policy.decision(&core.register, reader.actor(), noun, label)?;
    let (clauses, withheld) = cited(reader, clauses)?;
    Ok(Ground { clauses, rules, withheld })
}

/// Those of some clauses whose agreements a reader may read, and whether others are left out.
///
/// # Errors
/// The store's own fault.
pub fn cited(
    reader: &Reader<'_>,
    clauses: impl IntoIterator<Item = ClauseRef>,
) -> Result<(Vec<Cited>, bool), Fault> {
    let (mut told, mut withheld) = (Vec::new(), false);
    for clause in clauses {
        let agreement = RecordId(clause.agreement.0);
        if reader.knows("agreement", agreement)? {
            told.push(Cited::from(clause));
        } else {
            withheld = true;
        }
    }
    Ok((told, withheld))
}
