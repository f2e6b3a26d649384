//! Floors: a label raised backward, on a record or on one layer of it, for every version at once.
//!
//! Whoever reads must be able to read both the cell of the content and the cell of the floor, today
//! and at any time asked for. A floor is only ever raised on a floor, so it never widens anything.

use base::crypto::Hasher;
use base::{CircleId, Label, RecordId};
use serde::{Deserialize, Serialize};

use super::apply::{Change, capability_of};
use super::capability::{Capability, Fact};
use super::cells::{CellNumber, Cells};
use super::fault::Fault;
use super::view::{LayerRow, RecordRow, Views};

/// The kind of the entry that raises. Its own cell is the floor.
pub const KIND: &str = "spillage.contained/1";

base::id!(/// Names a layer of a record; made of what its readers know, so it tells them nothing.
    LayerId);

/// What is raised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    pub record: RecordId,
    /// One layer of it; absent for the record with all layers, those to come too.
    #[serde(default)]
    pub layer: Option<LayerId>,
}

/// The part of the fact that the kernel reads.
#[derive(Deserialize)]
struct Contained {
    target: Target,
}

/// The id of the layer that a record has, or would have, under a label and circle.
pub fn layer_id(record: RecordId, label: &Label, circle: Option<CircleId>) -> LayerId {
    let digest = Hasher::new("muster/layer/v1")
        .part(&record.0)
        .part(&label.digest().0)
        .part(&circle.map_or([0; 16], |circle| circle.0))
        .finish();
    let mut id = [0; 16];
    for (to, from) in id.iter_mut().zip(digest.0) {
        *to = from;
    }
    LayerId(id)
}

/// The layer of a record that has this id.
pub fn layer_of<'l>(
    record: RecordId,
    layers: &'l [LayerRow],
    cells: &Cells,
    id: LayerId,
) -> Option<&'l LayerRow> {
    layers.iter().find(|layer| {
        let row = cells.row(layer.cell);
        let named = row.and_then(|row| Some((cells.label(row.label)?, row.circle)));
        named.is_some_and(|(label, circle)| layer_id(record, label, circle) == id)
    })
}

/// Raises what a fact says must be raised, and gives the change that recalls it from screens.
///
/// A base layer is never raised alone: what lies above it would show that it exists.
///
/// # Errors
/// The store's own fault.
pub fn apply(
    views: Views<'_>,
    cells: &Cells,
    capabilities: &'static [&'static Capability],
    fact: &Fact<'_>,
) -> Result<Option<Change>, Fault> {
    if fact.kind != KIND {
        return Ok(None);
    }
    let Some(Contained { target }) = fact.read() else { return Ok(None) };
    let Some(record) = views.record(target.record)? else { return Ok(None) };
    let layers = views.layers(target.record)?;
    let layer = target.layer.and_then(|id| layer_of(target.record, &layers, cells, id));
    let layer = layer.filter(|layer| layer.cell != record.base);
    let (cell, before) = before_of(&record, layer);
    views.raise(target.record, layer.map(|layer| layer.cell), (fact.cell, fact.sequence))?;
    let found = capabilities.iter().find(|capability| capability.noun == record.kind);
    let (Some(capability), Some((_, kind))) = (found, capability_of(capabilities, KIND)) else {
        return Ok(None);
    };
    Ok(Some(Change {
        record: target.record,
        noun: capability.noun,
        kind,
        cell,
        gate: before,
        sequence: fact.sequence,
        urgent: true,
        recalled: true,
    }))
}

/// The cell of the content, and the cell that was asked for besides until now.
pub fn before_of(record: &RecordRow, layer: Option<&LayerRow>) -> (CellNumber, CellNumber) {
    layer.map_or_else(
        || (record.base, record.floor.unwrap_or(record.base)),
        |layer| (layer.cell, layer.gate),
    )
}
