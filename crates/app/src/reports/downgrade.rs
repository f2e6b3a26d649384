//! Downgrades: what a layer says, said again under a lower label, by two persons.
//!
//! Labels stand in sealed headers, so nothing is relabelled. One person writes what may be said
//! under the lower label and names the layer from which it is taken; another, who answers for it,
//! reads both side by side and signs the same words. Until then they lie under the label of that
//! layer, for the originator alone. Nothing of this is visible below it.

use std::collections::BTreeMap;

use base::{Kind, Line, Marking, NonEmpty, RecordId, SchemeId};
use serde::{Deserialize, Serialize};

use super::view::{self, DowngradeRow};
use super::{Lying, Marked, Portion, ReportId, cell_of, check_portion, entry, replace};
use crate::kernel::floor::{self, LayerId};
use crate::kernel::reader::conflict;
use crate::kernel::view::{LayerRow, Views};
use crate::kernel::{Cell, Deciding, Fact, Fault, Layer, NewEntry, NewPortion};

base::id!(/// Names one proposal to downgrade.
    DowngradeId);

/// Portions of one downgrade.
pub const PORTIONS_MAX: usize = 16;

/// What is to be said under a lower label.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Downgrade {
    pub report: ReportId,
    /// The layer from which the words are taken.
    pub from: LayerId,
    /// The label to come: below that of the layer, at or above that of the report.
    pub markings: BTreeMap<SchemeId, Marking>,
    pub portions: NonEmpty<Portion>,
    pub reason: Line<160>,
}

/// Signs a proposal as the second person: the words stand in the command once more, so that the
/// signature is over them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Countersign {
    pub report: ReportId,
    pub downgrade: DowngradeId,
    pub from: LayerId,
    pub markings: BTreeMap<SchemeId, Marking>,
    pub portions: NonEmpty<Portion>,
    pub reason: Line<160>,
}

/// Refuses a proposal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decline {
    pub report: ReportId,
    pub downgrade: DowngradeId,
    pub from: LayerId,
    pub reason: Line<160>,
}

/// A downgrade was proposed: under the label of the layer, in the circle of the originator alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proposed {
    pub downgrade: DowngradeId,
    pub proposal: Downgrade,
}

/// Words were added under a lower label.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Downgraded {
    pub downgraded: ReportId,
    pub portions: Vec<Portion>,
}

/// The second person signed; where the proposal lies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Countersigned {
    pub countersigned: DowngradeId,
}

/// The proposal was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Declined {
    pub declined: DowngradeId,
    pub reason: Line<160>,
}

/// What a downgrade starts from: the layer, and the cell in which proposals about it lie.
struct Source {
    at: Lying,
    layer: LayerRow,
    /// The label of the layer, in the circle of the originator alone.
    desk: Cell,
}

impl Source {
    /// A layer of a report that the actor may change, as the actor may read it.
    fn load(report: ReportId, from: LayerId, on: &Deciding<'_>) -> Result<Self, Fault> {
        let at = Lying::load(report, on)?;
        let record = RecordId(report.0);
        let layers = on.views.layers(record)?;
        let layer = floor::layer_of(record, &layers, on.cells, from)
            .filter(|layer| on.reads("report", layer.cell) && on.reads("report", layer.gate))
            .filter(|layer| on.cells.row(layer.cell).is_some_and(|r| r.circle == at.cell.circle))
            .ok_or_else(Fault::absent)?;
        if layer.cell != layer.gate {
            let detail = "the layer was contained: nothing of it is downgraded";
            return Err(conflict("layer-contained", detail));
        }
        let label = on.cells.label_of(layer.cell).ok_or_else(Fault::absent)?;
        let desk = Cell { label: (**label).clone(), circle: Some(at.desk) };
        Ok(Self { layer: layer.clone(), desk, at })
    }

    /// The cell of the lower label.
    fn target(
        &self,
        markings: &BTreeMap<SchemeId, Marking>,
        on: &Deciding<'_>,
    ) -> Result<Cell, Fault> {
        let cell = cell_of(&self.at.cell, Some(markings), on)?;
        let (low, high) = (&cell.label, &self.desk.label);
        if !policy::leq(low, high) || policy::leq(high, low) {
            let detail = "the label to come is below that of the layer";
            return Err(Fault::invalid("label-not-lower", detail));
        }
        Ok(cell)
    }
}

fn check(downgrade: &Downgrade, on: &Deciding<'_>) -> Result<(), Fault> {
    let portions = downgrade.portions.as_slice();
    if portions.len() > PORTIONS_MAX {
        let detail = format!("a downgrade has at most {PORTIONS_MAX} portions");
        return Err(Fault::invalid("too-many-portions", detail));
    }
    let form = view::form(on.views, downgrade.report)?;
    for Portion { line, text, grade } in portions {
        let marked =
            Marked { markings: None, line: line.clone(), text: text.clone(), grade: *grade };
        check_portion(form, &marked)?;
    }
    Ok(())
}

/// What the views keep of a proposal: a digest that only this node can make.
fn digest(downgrade: &Downgrade, on: &Deciding<'_>) -> Result<base::Digest, Fault> {
    let bytes = serde_json::to_vec(downgrade).map_err(Fault::bug)?;
    Ok(on.keyed("muster/report-downgrade/v1", &[&bytes]))
}

/// Proposes a downgrade.
///
/// # Errors
/// `absent`, `layer-contained`, `label-not-lower`, `label-not-higher`, and what is wrong with the
/// portions.
pub fn propose(downgrade: Downgrade, on: &mut Deciding<'_>) -> Result<Vec<NewEntry>, Fault> {
    let source = Source::load(downgrade.report, downgrade.from, on)?;
    source.target(&downgrade.markings, on)?;
    check(&downgrade, on)?;
    let report = downgrade.report;
    let fact = Proposed { downgrade: DowngradeId::draw(&mut on.ids), proposal: downgrade };
    let portion = NewPortion::of(source.desk, &fact)?;
    Ok(vec![entry("report.downgrade_proposed/1", report, portion)])
}

/// The proposal that waits for another person.
fn waiting(
    (report, from): (ReportId, LayerId),
    downgrade: DowngradeId,
    on: &Deciding<'_>,
) -> Result<DowngradeRow, Fault> {
    let row = view::downgrade(on.views, downgrade)?;
    let here = |row: &DowngradeRow| row.report == report && row.from == from;
    let row = row.filter(here).ok_or_else(Fault::absent)?;
    if row.decided {
        return Err(conflict("downgrade-decided", "the downgrade was decided before"));
    }
    Ok(row)
}

/// Signs a proposal: its words are added under the lower label.
///
/// # Errors
/// `absent`, `downgrade-decided`, `own-proposal`, `proposal-differs`, `source-changed`, and those
/// of [`propose`].
pub fn countersign(command: Countersign, on: &Deciding<'_>) -> Result<Vec<NewEntry>, Fault> {
    let Countersign { report, downgrade, from, markings, portions, reason } = command;
    let proposal = Downgrade { report, from, markings, portions, reason };
    let source = Source::load(report, from, on)?;
    let row = waiting((report, from), downgrade, on)?;
    if row.by.is_none() || row.by == on.actor.person {
        let detail = "whoever proposes a downgrade does not countersign it";
        return Err(Fault::new(Kind::Denied, "own-proposal", detail));
    }
    if row.digest != digest(&proposal, on)? {
        return Err(conflict("proposal-differs", "the words signed are not those proposed"));
    }
    if row.sequence < source.layer.sequence {
        let detail = "the layer was changed after the downgrade was proposed";
        return Err(conflict("source-changed", detail));
    }
    let cell = source.target(&proposal.markings, on)?;
    check(&proposal, on)?;
    let portions = proposal.portions.as_slice().to_vec();
    let said = NewPortion::of(cell, &Downgraded { downgraded: report, portions })?;
    let signed = Countersigned { countersigned: downgrade };
    // Two entries: whoever reads only the lower label learns nothing of the one above.
    Ok(vec![
        entry("report.downgrade_signed/1", report, NewPortion::of(source.desk, &signed)?),
        entry("report.downgraded/1", report, said),
    ])
}

/// Refuses a proposal; its author may withdraw it so, too.
///
/// # Errors
/// `absent`, `downgrade-decided`.
pub fn decline(command: Decline, on: &Deciding<'_>) -> Result<Vec<NewEntry>, Fault> {
    let Decline { report, downgrade, from, reason } = command;
    let source = Source::load(report, from, on)?;
    waiting((report, from), downgrade, on)?;
    let portion = NewPortion::of(source.desk, &Declined { declined: downgrade, reason })?;
    Ok(vec![entry("report.downgrade_declined/1", report, portion)])
}

/// Puts a fact of a downgrade into the layer in which it lies.
pub fn fold(fact: &Fact<'_>, layer: &mut Layer) {
    if let Some(proposed) = fact.read::<Proposed>() {
        let said = serde_json::json!({
            "downgrade": proposed.downgrade, "from": proposed.proposal.from,
            "markings": proposed.proposal.markings, "portions": proposed.proposal.portions,
            "reason": proposed.proposal.reason, "by": fact.person(), "state": "proposed",
        });
        layer.push("downgrades", fact.acted_at, &said);
    } else if let Some(Countersigned { countersigned }) = fact.read() {
        decide(fact, layer, (countersigned, "countersigned"), None);
    } else if let Some(Declined { declined, reason }) = fact.read() {
        decide(fact, layer, (declined, "declined"), Some(&reason));
    } else if let Some(Downgraded { portions, .. }) = fact.read() {
        let before = layer.body.get("portions").cloned();
        let mut all: Vec<Portion> =
            before.and_then(|said| serde_json::from_value(said).ok()).unwrap_or_default();
        all.extend(portions);
        replace(layer, &all, fact.acted_at);
        layer.set("downgraded_at", fact.acted_at);
    }
}

fn decide(
    fact: &Fact<'_>,
    layer: &mut Layer,
    (downgrade, state): (DowngradeId, &str),
    because: Option<&Line<160>>,
) {
    let id = downgrade.to_string();
    let Some(serde_json::Value::Array(items)) = layer.body.get_mut("downgrades") else { return };
    let objects = items.iter_mut().filter_map(serde_json::Value::as_object_mut);
    let named = |item: &&mut serde_json::Map<String, serde_json::Value>| {
        item.get("downgrade").and_then(serde_json::Value::as_str) == Some(id.as_str())
    };
    for item in objects.filter(named) {
        item.insert("state".to_owned(), state.into());
        item.insert("decided_at".to_owned(), fact.acted_at.to_string().into());
        item.insert("decided_by".to_owned(), serde_json::json!(fact.person()));
        if let Some(because) = because {
            item.insert("because".to_owned(), because.as_str().into());
        }
    }
}

/// Notes who proposed what, and that it was decided.
///
/// # Errors
/// The store's own fault.
pub fn index(fact: &Fact<'_>, views: Views<'_>) -> Result<(), Fault> {
    if let Some(Proposed { downgrade, proposal }) = fact.read() {
        let bytes = serde_json::to_vec(&proposal).map_err(Fault::bug)?;
        let row = DowngradeRow {
            report: proposal.report,
            from: proposal.from,
            by: fact.person(),
            digest: base::Digest(views.keyed("muster/report-downgrade/v1", &[&bytes])),
            sequence: fact.sequence,
            decided: false,
        };
        return view::propose(views, downgrade, &row);
    }
    let decided = fact.read().map(|Countersigned { countersigned }| countersigned);
    let decided = decided.or_else(|| fact.read().map(|Declined { declined, .. }| declined));
    decided.map_or(Ok(()), |downgrade| view::decided(views, downgrade))
}
