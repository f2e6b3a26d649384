//! Erasure: destroying the secret of a portion, on an order that stays in the log for ever.

use base::{EntryId, Line};
use serde::{Deserialize, Serialize};
use store::log::{Erase, LogName};

use super::capability::Fact;

/// The kind of an order to erase.
pub const KIND: &str = "erasure.ordered/1";

/// What an order says. The reason is a code of the retention clause and never describes content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ordered {
    pub entry: EntryId,
    /// The entry's place in this node's log.
    pub sequence: u64,
    pub slots: Vec<u8>,
    pub basis: Line<160>,
}

/// The secrets that a fact orders to be destroyed.
pub fn order(fact: &Fact<'_>) -> Option<Vec<Erase>> {
    if fact.kind != KIND {
        return None;
    }
    let ordered: Ordered = fact.read()?;
    let erase = |slot: &u8| Erase { log: LogName::Acts, sequence: ordered.sequence, slot: *slot };
    Some(ordered.slots.iter().map(erase).collect())
}
