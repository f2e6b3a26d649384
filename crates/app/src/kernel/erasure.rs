//! Erasure: destroying the secret of a portion, on an order that stays in the log for ever.

use base::{EntryId, Line};
use serde::{Deserialize, Serialize};
use store::log::{Erase, LogName};

use super::apply::Change;
use super::capability::{Capability, Fact};
use super::fault::Fault;
use super::view::Views;

/// The kind of an order to erase.
pub const KIND: &str = "erasure.ordered/1";

/// What an order says. The basis is a code of law or of a retention clause and never describes
/// content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ordered {
    pub basis: Line<160>,
    /// Portions of the same label and circle as the order's own portion.
    pub pieces: Vec<Target>,
}

/// Portions of one entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Target {
    pub entry: EntryId,
    /// The entry's place in this node's log.
    pub sequence: u64,
    pub slots: Vec<u8>,
}

impl Ordered {
    /// Each portion that is to be destroyed, as its place in the log and its slot.
    pub fn places(&self) -> impl Iterator<Item = (u64, u8)> {
        let each = |piece: &Target| {
            let sequence = piece.sequence;
            piece.slots.clone().into_iter().map(move |slot| (sequence, slot))
        };
        self.pieces.iter().flat_map(each)
    }
}

/// The secrets that a fact orders to be destroyed.
pub fn order(fact: &Fact<'_>) -> Option<Vec<Erase>> {
    if fact.kind != KIND {
        return None;
    }
    let ordered: Ordered = fact.read()?;
    let erase = |(sequence, slot)| Erase { log: LogName::Acts, sequence, slot };
    Some(ordered.places().map(erase).collect())
}

/// Marks what a fact orders to be destroyed, and gives the changes that tell live readers.
///
/// # Errors
/// The store's own fault.
pub fn apply(
    views: Views<'_>,
    capabilities: &'static [&'static Capability],
    (sequence, kind): (u64, &'static str),
    orders: &[Erase],
) -> Result<Vec<Change>, Fault> {
    let mut changes: Vec<Change> = Vec::new();
    for order in orders {
        let Some((record, cell)) = views.piece_owner(order.sequence, order.slot)? else { continue };
        views.erase_piece(order.sequence, order.slot)?;
        if changes.iter().any(|change| change.record == record && change.cell == cell) {
            continue;
        }
        let row = views.record(record)?;
        let noun = row.and_then(|row| {
            capabilities.iter().map(|capability| capability.noun).find(|noun| *noun == row.kind)
        });
        let (Some(noun), Some(layer)) = (noun, views.layer(record, cell)?) else { continue };
        let (gate, urgent, recalled) = (layer.gate, false, false);
        changes.push(Change { record, noun, kind, cell, gate, sequence, urgent, recalled });
    }
    Ok(changes)
}
