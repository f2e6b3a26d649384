//! Roster: what this capability is for, in one sentence.

use std::collections::BTreeMap;

use base::{Line, Marking, RecordId, SchemeId};
use policy::Class;
use serde::{Deserialize, Serialize};

use crate::kernel::{Action, Capability, Deciding, Fact, Fault, Lane, Layer, NewEntry, NewPortion};

pub mod http;

base::id!(/// Names one roster.
    RosterId);

/// The capability.
pub const CAPABILITY: Capability = Capability {
    name: "roster",
    noun: "roster",
    kinds: &["roster.opened/1"],
    actions: &[Action {
        name: "roster:open",
        lane: Lane::Normal,
        class: Class::Own,
        duty: false,
        signed: false,
    }],
    routes: http::ROUTES,
    urgent: false,
    registers: false,
    policy: include_str!("policy.cedar"),
    tables: "",
    act,
    fold,
    index: |_, _| Ok(()),
    register: |_, _| {},
    react: |_| Vec::new(),
};

/// What a caller asks; the path of the route may fill a field.
#[derive(Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
enum Command {
    Open { title: Line<160>, markings: BTreeMap<SchemeId, Marking> },
}

/// A roster was opened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Opened {
    pub roster: RosterId,
    pub title: Line<160>,
}

fn act(command: &[u8], on: &mut Deciding<'_>) -> Result<Vec<NewEntry>, Fault> {
    let Command::Open { title, markings } = on.parse(command)?;
    let roster = RosterId::draw(&mut on.ids);
    let cell = on.cell(markings, on.actor.agency, None)?;
    let portion = NewPortion::of(cell, &Opened { roster, title })?;
    Ok(vec![NewEntry::new("roster.opened/1", RecordId(roster.0), portion)])
}

fn fold(fact: &Fact<'_>, layer: &mut Layer) {
    layer.state = Some("open".to_owned());
    if let Some(opened) = fact.read::<Opened>() {
        layer.set("title", opened.title);
    }
}
