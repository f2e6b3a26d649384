//! The policy epoch: advanced by an entry whenever time alone changes what policy allows.
//!
//! Until that entry is written, nothing that needs the old epoch is served: rights expire also when
//! nobody acts, and also when nobody can append.

use base::crypto::Hasher;
use base::{Level, Marking, RecordId, SchemeId, Time, Token};
use ledger::leaf::Class as LeafClass;
use policy::Class;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use super::capability::{Action, Capability, Deciding, Fact, Lane, Layer, NewEntry, NewPortion};
use super::fault::Fault;

/// The kernel's own records of epochs; nobody reads them but inspectors of the ledger.
pub const CAPABILITY: Capability = Capability {
    name: "epochs",
    noun: "epoch",
    kinds: &["epoch.advanced/1"],
    actions: &[Action {
        name: "epoch:advance",
        lane: Lane::Alert,
        class: Class::Own,
        duty: true,
        signed: false,
    }],
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

/// A boundary in time has passed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Advanced {
    /// The boundary: an agreement, a clearance or a course began or ended.
    pub boundary: Time,
}

fn act(command: &[u8], on: &mut Deciding<'_>) -> Result<Vec<NewEntry>, Fault> {
    let advanced: Advanced = on.parse(command)?;
    let scheme = SchemeId(Token::new("NAT").map_err(Fault::bug)?);
    let marking = Marking { level: Level(1), ..Marking::default() };
    let cell = on.cell(BTreeMap::from([(scheme, marking)]), on.actor.agency, None)?;
    let entry = NewEntry::new("epoch.advanced/1", record(), NewPortion::of(cell, &advanced)?);
    Ok(vec![NewEntry { class: LeafClass::Policy, ..entry }])
}

/// The one record of a node's epochs.
pub fn record() -> RecordId {
    let digest = Hasher::new("muster/epoch-record/v1").finish();
    RecordId(digest.0.first_chunk().copied().unwrap_or_default())
}

fn fold(fact: &Fact<'_>, layer: &mut Layer) {
    if let Some(advanced) = fact.read::<Advanced>() {
        layer.set("boundary", advanced.boundary);
    }
}
