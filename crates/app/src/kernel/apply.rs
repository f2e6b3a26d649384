//! Applying an entry to the views and the register: the same code live, at start and at rebuild.

use std::sync::Arc;

use base::crypto::{Entropy, Secret};
use base::{PersonId, RecordId};
use ledger::header::{Actor, Header, Slot};
use store::log::{Erase, LogName};

use super::capability::{Capability, Fact, Layer};
use super::cells::{CellNumber, Cells};
use super::fault::Fault;
use super::register::Register;
use super::view::{EntryRow, Views};

/// A portion as a fold may see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// In the clear.
    Open(Vec<u8>),
    /// Above what this replica may hold.
    Sealed,
    /// Its secret was destroyed by an order in the log.
    Erased,
}

impl Content {
    fn body(&self) -> Option<&[u8]> {
        match self {
            Self::Open(body) => Some(body),
            Self::Sealed | Self::Erased => None,
        }
    }
}

/// One record's layer got a new version: what live readers are told of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    pub record: RecordId,
    pub noun: &'static str,
    pub kind: &'static str,
    pub cell: CellNumber,
    /// What a reader must be able to read besides: see [`super::floor`].
    pub gate: CellNumber,
    pub sequence: u64,
    /// Alerts and what concerns them go before everything else.
    pub urgent: bool,
    /// Whether it was raised: who could read it by `cell` and `gate` and cannot any more is told.
    pub recalled: bool,
}

/// What applying needs besides the tables.
pub struct Applying<'a> {
    pub views: Views<'a>,
    pub cells: &'a mut Arc<Cells>,
    pub register: &'a mut Arc<Register>,
    pub key: &'a Secret,
    pub entropy: &'a mut Entropy,
    pub capabilities: &'static [&'static Capability],
}

/// What an entry did to the views.
#[derive(Default)]
pub struct Applied {
    pub changes: Vec<Change>,
    /// Secrets that the entry orders to be destroyed.
    pub erased: Vec<Erase>,
}

/// Finds the capability whose entries have this kind.
pub fn capability_of(
    capabilities: &'static [&'static Capability],
    kind: &str,
) -> Option<(&'static Capability, &'static str)> {
    let found =
        |c: &&'static Capability| c.kinds.iter().find(|k| **k == kind).map(|kind| (*c, *kind));
    capabilities.iter().find_map(found)
}

/// Applies one entry.
///
/// The base portion goes first, so that a record's base cell is that of its first fact; the others
/// follow by slot.
///
/// # Errors
/// The store's own fault, or a bug when no capability knows the kind.
pub fn apply(
    on: &mut Applying<'_>,
    sequence: u64,
    header: &Header,
    contents: &[(u8, Content)],
) -> Result<Applied, Fault> {
    let (capability, kind) = capability_of(on.capabilities, &header.shared.kind)
        .ok_or_else(|| Fault::bug(format!("no capability knows `{}`", header.shared.kind)))?;
    on.views.add_entry(&EntryRow {
        sequence,
        id: header.shared.entry,
        record: header.shared.record,
        kind,
        actor: person_of(header),
        agency: header.shared.agency,
        acted_at: header.shared.acted_at,
    })?;
    if capability.registers {
        on.views.add_registered(sequence)?;
    }
    let mut applied = Applied::default();
    for slot in base_first(header) {
        let cell = on.views.intern(
            Arc::make_mut(on.cells),
            &slot.label,
            slot.circle,
            (on.key, on.entropy),
        )?;
        let content = contents.iter().find(|(s, _)| *s == slot.slot).map(|(_, c)| c);
        let fact = fact_of(sequence, header, slot, cell, content.and_then(Content::body));
        let gate = on.views.apply(capability, &fact, slot.slot)?;
        if content == Some(&Content::Erased) {
            on.views.erase_piece(sequence, slot.slot)?;
        }
        (capability.register)(&fact, Arc::make_mut(on.register));
        applied.changes.push(Change {
            record: header.shared.record,
            noun: capability.noun,
            kind,
            cell,
            gate,
            sequence,
            urgent: capability.urgent,
            recalled: false,
        });
        let raised = super::floor::apply(on.views, on.cells, on.capabilities, &fact)?;
        if let Some(change) = &raised {
            on.views.touch(sequence, change.record)?;
        }
        applied.changes.extend(raised);
        if let Some(order) = super::erasure::order(&fact) {
            let of = (sequence, kind);
            let changed = super::erasure::apply(on.views, on.capabilities, of, &order)?;
            for change in &changed {
                on.views.touch(sequence, change.record)?;
            }
            applied.changes.extend(changed);
            applied.erased.extend(order);
        }
    }
    Ok(applied)
}

fn person_of(header: &Header) -> Option<PersonId> {
    match header.shared.actor {
        Actor::Person(person) => Some(person),
        Actor::System | Actor::Service(_) => header.shared.on_behalf_of,
    }
}

fn base_first(header: &Header) -> Vec<&Slot> {
    let base = |slot: &&Slot| {
        slot.label.digest() == header.local.base && slot.circle == header.local.circle
    };
    let mut slots: Vec<&Slot> = header.local.slots.iter().filter(base).collect();
    slots.extend(header.local.slots.iter().filter(|slot| !base(slot)));
    slots
}

fn fact_of<'a>(
    sequence: u64,
    header: &'a Header,
    slot: &'a Slot,
    cell: CellNumber,
    body: Option<&'a [u8]>,
) -> Fact<'a> {
    Fact {
        sequence,
        kind: &header.shared.kind,
        record: header.shared.record,
        entry: header.shared.entry,
        actor: header.shared.actor,
        agency: header.shared.agency,
        seat: header.local.seat,
        cell,
        label: &slot.label,
        circle: slot.circle,
        acted_at: header.shared.acted_at,
        body,
    }
}

/// Folds one layer anew from its facts, in the order of the log.
///
/// `facts` are the header, the slot and the content of each of its portions.
pub fn refold(
    capability: &Capability,
    cell: CellNumber,
    facts: &[(u64, Header, Slot, Content)],
) -> Layer {
    let mut layer = Layer::default();
    for (sequence, header, slot, content) in facts {
        (capability.fold)(&fact_of(*sequence, header, slot, cell, content.body()), &mut layer);
    }
    layer
}

/// The log that facts come from.
pub const ACTS: LogName = LogName::Acts;
