//! Deciding again: whether each entry still follows from what it committed to.
//!
//! The register and the rules are folded anew from the entries before each one. A header names the
//! rules and the profile that it was decided under, and the clauses that it cites: the same must
//! come out again. The command itself is not kept, only its digest, so what a capability made of it
//! is not done again.

use std::sync::Arc;

use base::{ClauseId, Time};
use ledger::header::{Actor, Header};
use store::Keyring;
use store::log::LogReader;

use super::apply::{Content, capability_of};
use super::capability::{ActorContext, Capability};
use super::cells::{Cell, Cells};
use super::erasure::{KIND, Ordered};
use super::fault::Fault;
use super::policy::Policy;
use super::register::Register;
use super::start::{OpenedEntry, open_chunk, register_entry};

/// What differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Differs {
    /// The digest of the rules in force.
    Rules,
    /// The digest of what policy knew of the actor.
    Profile,
    /// The actor was not cleared for a label that it wrote under.
    Clearance,
    /// A cited clause was not in force.
    Clause,
}

impl Differs {
    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Rules => "rules",
            Self::Profile => "profile",
            Self::Clearance => "clearance",
            Self::Clause => "clause",
        }
    }
}

/// What deciding an entry again gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Same,
    Different(Vec<Differs>),
    /// A fact that it rests on was erased by this entry, or by an order that is not known.
    Undecidable(Option<u64>),
}

/// One entry, decided again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redecided {
    pub sequence: u64,
    pub kind: String,
    pub verdict: Verdict,
}

/// Decides the first `size` entries again, in order.
///
/// # Errors
/// The store's own fault, damage of an entry, a bug when rules cannot be compiled.
pub fn redecide(
    reader: &LogReader,
    keys: &Keyring,
    capabilities: &'static [&'static Capability],
    size: u64,
    mut each: impl FnMut(Redecided),
) -> Result<(), Fault> {
    let orders = orders(reader, keys, size)?;
    let mut state = State {
        capabilities,
        cells: Cells::default(),
        register: Register::default(),
        policy: Policy::empty(capabilities)?,
        erased: None,
    };
    let mut at = 0;
    while at < size {
        let chunk = open_chunk(keys, reader, at)?;
        if chunk.is_empty() {
            return Err(store::Error::Missing(at).into());
        }
        for entry in chunk.into_iter().filter(|entry| entry.sequence < size) {
            at = entry.sequence + 1;
            each(state.entry(&entry, &orders)?);
        }
    }
    Ok(())
}

/// Which entry ordered the erasure of which.
fn orders(reader: &LogReader, keys: &Keyring, size: u64) -> Result<Vec<(u64, u64)>, Fault> {
    let mut orders = Vec::new();
    let mut at = 0;
    while at < size {
        let chunk = open_chunk(keys, reader, at)?;
        let Some(last) = chunk.last() else { return Err(store::Error::Missing(at).into()) };
        at = last.sequence + 1;
        for entry in chunk.iter().filter(|entry| entry.header.shared.kind == KIND) {
            for (_, content) in &entry.contents {
                let Content::Open(body) = content else { continue };
                let ordered = serde_json::from_slice::<Ordered>(body).ok();
                let places = ordered.iter().flat_map(Ordered::places);
                orders.extend(places.map(|(sequence, _slot)| (sequence, entry.sequence)));
            }
        }
    }
    Ok(orders)
}

/// What has been folded so far.
struct State {
    capabilities: &'static [&'static Capability],
    cells: Cells,
    register: Register,
    policy: Arc<Policy>,
    /// The first order that took a fact which people or rules rest on.
    erased: Option<Lost>,
}

/// A fact was erased: by this entry, or by an order that is not known.
#[derive(Clone, Copy)]
struct Lost {
    by: Option<u64>,
}

impl State {
    fn entry(&mut self, entry: &OpenedEntry, orders: &[(u64, u64)]) -> Result<Redecided, Fault> {
        let (sequence, header) = (entry.sequence, &entry.header);
        self.renew(entry.leaf.at)?;
        let differs = self.differs(header);
        let verdict = match (differs.is_empty(), self.erased) {
            (true, _) => Verdict::Same,
            (false, Some(lost)) => Verdict::Undecidable(lost.by),
            (false, None) => Verdict::Different(differs),
        };
        for slot in &header.local.slots {
            let (label, _) = self.cells.add_label(&slot.label);
            self.cells.add_cell(label, slot.circle);
        }
        register_entry(self.capabilities, &self.cells, entry, &mut self.register);
        let registers = capability_of(self.capabilities, &header.shared.kind)
            .is_some_and(|(capability, _)| capability.registers);
        let lost = |(_, content): &(u8, Content)| *content == Content::Erased;
        if registers && self.erased.is_none() && entry.contents.iter().any(lost) {
            let by = orders.iter().find(|(of, _)| *of == sequence).map(|(_, by)| *by);
            self.erased = Some(Lost { by });
        }
        // As the sequencer does it: what an entry changes holds for the next one of its act.
        self.renew(entry.leaf.at)?;
        let kind = header.shared.kind.clone();
        Ok(Redecided { sequence, kind, verdict })
    }

    fn renew(&mut self, at: Time) -> Result<(), Fault> {
        self.policy = Policy::renewed(&self.policy, &self.register, at)?;
        Ok(())
    }

    fn differs(&self, header: &Header) -> Vec<Differs> {
        let mut differs = Vec::new();
        let actor = actor(header);
        if self.policy.digest() != header.local.policy {
            differs.push(Differs::Rules);
        }
        if self.policy.profile_digest(&self.register, &actor) != header.local.profile {
            differs.push(Differs::Profile);
        }
        let cells = header.local.slots.iter();
        let mut cells = cells.map(|s| Cell { label: s.label.clone(), circle: s.circle });
        if cells.any(|cell| self.policy.may_write(&self.register, &actor, &cell).is_err()) {
            differs.push(Differs::Clearance);
        }
        let in_force = |clause: ClauseId, version: u32| {
            let mut clauses = self.policy.rules().clauses();
            clauses.any(|(_, known)| known.id == clause && known.version == version)
        };
        if header.local.clauses.iter().any(|cited| !in_force(cited.clause, cited.version)) {
            differs.push(Differs::Clause);
        }
        differs
    }
}

fn actor(header: &Header) -> ActorContext {
    let person = match header.shared.actor {
        Actor::Person(person) => Some(person),
        Actor::System | Actor::Service(_) => None,
    };
    ActorContext {
        actor: header.shared.actor,
        person,
        seat: header.local.seat,
        agency: header.shared.agency,
        session: None,
        authentication: None,
        purpose: header.local.purpose,
        play: header.shared.play,
    }
}
