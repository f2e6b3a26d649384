//! Anchors: the log of acts names the head of the log `access`, as each segment names that of acts.
//!
//! Whoever holds a checkpoint of one log can tell that the other was not cut back behind it.

use std::collections::BTreeMap;

use base::crypto::Hasher;
use base::{Level, Marking, RecordId, SchemeId, Token};
use ledger::leaf::Class as LeafClass;
use policy::Class;

use super::capability::{Action, Capability, Deciding, Fact, Lane, Layer, NewEntry, NewPortion};
use super::fault::Fault;
use super::segment::Anchor;

/// The kernel's own record of anchors; nobody reads it but inspectors of the ledger.
pub const CAPABILITY: Capability = Capability {
    name: "anchors",
    noun: "access",
    kinds: &["access.anchored/1"],
    actions: &[
        Action {
            name: "access:anchor",
            lane: Lane::Normal,
            class: Class::Own,
            duty: true,
            signed: false,
        },
        // What is asked of the ledger, of policy and of the index: there are no such commands.
        asked("ledger:read"),
        asked("access:explain"),
        asked("search:ask"),
    ],
    routes: &[],
    urgent: false,
    registers: false,
    policy: "",
    tables: "",
    act,
    fold,
    index: |_, _| Ok(()),
    register: |_, _| {},
    react: |_| Vec::new(),
};

const fn asked(name: &'static str) -> Action {
    Action { name, lane: Lane::Normal, class: Class::Own, duty: false, signed: false }
}

/// Seconds between two anchors, while anything is read.
pub const ANCHOR_S: i64 = 600;

fn act(command: &[u8], on: &mut Deciding<'_>) -> Result<Vec<NewEntry>, Fault> {
    if on.action.name != "access:anchor" {
        return Err(Fault::invalid("unknown-action", "this is no command"));
    }
    let anchor: Anchor = on.parse(command)?;
    let scheme = SchemeId(Token::new("NAT").map_err(Fault::bug)?);
    let marking = Marking { level: Level(1), ..Marking::default() };
    let cell = on.cell(BTreeMap::from([(scheme, marking)]), on.actor.agency, None)?;
    let entry = NewEntry::new("access.anchored/1", record(), NewPortion::of(cell, &anchor)?);
    Ok(vec![NewEntry { class: LeafClass::Anchor, ..entry }])
}

/// The one record of a node's anchors.
pub fn record() -> RecordId {
    let digest = Hasher::new("muster/anchor-record/v1").finish();
    RecordId(digest.0.first_chunk().copied().unwrap_or_default())
}

fn fold(fact: &Fact<'_>, layer: &mut Layer) {
    if let Some(anchor) = fact.read::<Anchor>() {
        layer.set("size", anchor.size);
        layer.set("root", anchor.root);
    }
}
