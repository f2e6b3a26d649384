//! Losses: a log that goes on from an older copy of itself says so, for ever.
//!
//! A node does not start on a log that is smaller than one it has signed. When what is missing is
//! lost for good, the operator of the machine lets it go on: the first thing that is then written
//! is which head was signed and which is left. Whoever holds a receipt, a checkpoint or a
//! cosignature of what is missing can still prove that it was there.

use std::collections::BTreeMap;
use std::sync::Arc;

use base::crypto::Hasher;
use base::{Level, Marking, RecordId, SchemeId, Text, Token};
use ledger::leaf::Class as LeafClass;
use policy::Class;
use serde::{Deserialize, Serialize};
use store::Keyring;
use store::log::{LogName, LogReader};

use super::capability::{Action, Capability, Deciding, Fact, Lane, Layer, NewEntry, NewPortion};
use super::clock::Clock;
use super::fault::Fault;
use super::node::{Config, Node};
use super::register::Register;
use super::segment::Anchor;
use super::session::duty;
use super::view_file;

/// The kind of the entry that says it.
pub const KIND: &str = "log.cut_back/1";

/// The kernel's own records of losses; inspectors of the ledger see them with its head.
pub const CAPABILITY: Capability = Capability {
    name: "losses",
    noun: "loss",
    kinds: &[KIND],
    actions: &[Action {
        name: "log:cut-back",
        lane: Lane::Alert,
        class: Class::Own,
        duty: true,
        signed: false,
    }],
    routes: &[],
    urgent: false,
    registers: true,
    policy: "",
    tables: "",
    act,
    fold,
    index: |_, _| Ok(()),
    register,
    react: |_| Vec::new(),
};

/// The log of acts goes on behind `kept`, though `signed` was signed before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CutBack {
    /// The largest head that the node is known to have signed.
    pub signed: Anchor,
    /// The head of the copy that it goes on from.
    pub kept: Anchor,
    /// Why, in the words of the operator of the machine.
    pub reason: Text<500>,
}

fn act(command: &[u8], on: &mut Deciding<'_>) -> Result<Vec<NewEntry>, Fault> {
    let cut: CutBack = on.parse(command)?;
    let scheme = SchemeId(Token::new("NAT").map_err(Fault::bug)?);
    let marking = Marking { level: Level(1), ..Marking::default() };
    let cell = on.cell(BTreeMap::from([(scheme, marking)]), on.actor.agency, None)?;
    let entry = NewEntry::new(KIND, record(&cut.signed), NewPortion::of(cell, &cut)?);
    Ok(vec![NewEntry { class: LeafClass::Anchor, ..entry }])
}

/// The record of the loss of a head.
fn record(signed: &Anchor) -> RecordId {
    let size = signed.size.to_be_bytes();
    let digest = Hasher::new("muster/loss-record/v1").part(&size).part(&signed.root.0).finish();
    RecordId(digest.0.first_chunk().copied().unwrap_or_default())
}

fn fold(fact: &Fact<'_>, layer: &mut Layer) {
    if let Some(cut) = fact.read::<CutBack>() {
        layer.set("signed", cut.signed);
        layer.set("kept", cut.kept);
        layer.set("reason", cut.reason);
    }
}

fn register(fact: &Fact<'_>, register: &mut Register) {
    if let Some(cut) = fact.read::<CutBack>() {
        register.losses.push(Arc::new(cut));
    }
}

/// Opens a node on a log that is smaller than one it has signed, and writes what was lost.
///
/// The views are folded anew. What is accepted is kept beside the keys until the entry is in the
/// log, so that a node that stops in between does not start without it.
///
/// # Errors
/// `nothing-lost` when the log is as large as the largest that was signed, `unfounded` when it has
/// no agency yet; what [`Node::open`] refuses.
pub fn accept(
    config: Config,
    clock: Arc<dyn Clock>,
    reason: Text<500>,
) -> Result<(Arc<Node>, CutBack), Fault> {
    let keys = Keyring::open(&config.provider)?;
    let head = LogReader::open(&config.place)?.head(LogName::Acts)?;
    let signed = keys.signed()?.filter(|(size, _)| *size > head.size);
    let (size, root) = match (keys.loss()?, signed) {
        // It was begun before, and what was written since would hide it.
        (Some(begun), _) => begun,
        (None, Some(signed)) => signed,
        (None, None) => {
            return Err(Fault::new(
                base::Kind::Conflict,
                "nothing-lost",
                "this log is as large as the largest that was signed: nothing is missing",
            ));
        }
    };
    let cut = CutBack {
        signed: Anchor { size, root },
        kept: Anchor { size: head.size, root: head.root },
        reason,
    };
    keys.begin_loss(size, root)?;
    // Views of what was lost are not carried on.
    view_file::keep_only(&config.directory, None)?;
    let node = Node::open_after_loss(config, clock)?;
    match write(&node, &cut).and_then(|cut| keys.end_loss().map(|()| cut).map_err(Fault::from)) {
        Ok(cut) => Ok((node, cut)),
        Err(fault) => {
            node.stop();
            node.join();
            Err(fault)
        }
    }
}

/// Writes the loss, unless a node that stopped in between has done so.
fn write(node: &Node, cut: &CutBack) -> Result<CutBack, Fault> {
    let core = node.core();
    if let Some(written) = core.register.losses.iter().find(|loss| loss.signed == cut.signed) {
        return Ok(CutBack::clone(written));
    }
    let agency = core.register.agencies.keys().next().copied();
    let agency = agency.ok_or_else(|| {
        let why = "this log has no agency yet: begin anew with `muster init`";
        Fault::new(base::Kind::Conflict, "unfounded", why)
    })?;
    let command = serde_json::to_value(cut).map_err(Fault::bug)?;
    let key = format!("loss:{}:{}", cut.signed.size, cut.signed.root);
    duty(node, (agency, None), "log:cut-back", &command, key)?;
    Ok(cut.clone())
}
