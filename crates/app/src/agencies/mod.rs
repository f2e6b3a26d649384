//! Agencies: organisations with their own people, resources and authority; a tree.

use base::{AgencyId, Line, Marking, RecordId, SchemeId, Token};
use policy::Class;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::kernel::register::{Agency, Register, changed};
use crate::kernel::{
    Action, Capability, Cell, Deciding, Fact, Fault, Lane, Layer, NewEntry, NewPortion,
};
use ledger::leaf::Class as LeafClass;

pub mod http;

/// The capability.
pub const CAPABILITY: Capability = Capability {
    name: "agencies",
    noun: "agency",
    kinds: &["agency.added/1", "agency.renamed/1"],
    actions: &[
        Action {
            name: "agency:add",
            lane: Lane::Normal,
            class: Class::Own,
            duty: true,
            signed: false,
        },
        Action {
            name: "agency:rename",
            lane: Lane::Normal,
            class: Class::Own,
            duty: false,
            signed: false,
        },
    ],
    routes: http::ROUTES,
    urgent: false,
    registers: true,
    policy: include_str!("policy.cedar"),
    tables: "",
    act,
    fold,
    index: |_, _| Ok(()),
    register,
    react: |_| Vec::new(),
};

/// An agency was added to the tree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Added {
    pub agency: AgencyId,
    pub name: Line<120>,
    /// The code that releasable-to lists use; unique on a node.
    pub code: Token,
    pub parent: Option<AgencyId>,
    /// Whether it is a unit of its parent, and not a body of its own.
    #[serde(default)]
    pub unit: bool,
}

/// An agency got another name; its code stays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Renamed {
    pub agency: AgencyId,
    pub name: Line<120>,
}

#[derive(Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
enum Command {
    Add {
        /// Given when the world is set up; drawn otherwise.
        agency: Option<AgencyId>,
        name: Line<120>,
        code: Token,
        parent: Option<AgencyId>,
        #[serde(default)]
        unit: bool,
        markings: BTreeMap<SchemeId, Marking>,
    },
    Rename {
        agency: AgencyId,
        name: Line<120>,
    },
}

fn act(command: &[u8], on: &mut Deciding<'_>) -> Result<Vec<NewEntry>, Fault> {
    match on.parse(command)? {
        Command::Add { agency, name, code, parent, unit, markings } => {
            let agency = agency.unwrap_or_else(|| AgencyId::draw(&mut on.ids));
            add(Added { agency, name, code, parent, unit }, markings, on)
        }
        Command::Rename { agency, name } => {
            let record = RecordId(agency.0);
            let cell = on.base_of(record, "agency")?;
            on.administers(agency)?;
            let portion = NewPortion::of(cell, &Renamed { agency, name })?;
            Ok(vec![identity(NewEntry::new("agency.renamed/1", record, portion))])
        }
    }
}

fn add(
    added: Added,
    markings: BTreeMap<SchemeId, Marking>,
    on: &Deciding<'_>,
) -> Result<Vec<NewEntry>, Fault> {
    let agencies = &on.register.agencies;
    if agencies.contains_key(&added.agency) || agencies.values().any(|a| a.code == added.code) {
        return Err(crate::kernel::reader::conflict(
            "agency-exists",
            format!("an agency with the code `{}` exists", added.code),
        ));
    }
    if let Some(parent) = added.parent.filter(|parent| !agencies.contains_key(parent)) {
        return Err(Fault::invalid("unknown-agency", format!("no agency `{parent}`")));
    }
    if let Some(parent) = added.parent {
        on.administers(parent)?;
    }
    let cell = on.cell(markings, added.agency, None)?;
    Ok(vec![self::added(cell, &added)?])
}

/// The entry that adds an agency, for acts that add one with something else.
///
/// # Errors
/// A bug when the fact cannot be written.
pub fn added(cell: Cell, added: &Added) -> Result<NewEntry, Fault> {
    let portion = NewPortion::of(cell, added)?;
    Ok(identity(NewEntry::new("agency.added/1", RecordId(added.agency.0), portion)))
}

fn identity(entry: NewEntry) -> NewEntry {
    NewEntry { class: LeafClass::Identity, ..entry }
}

fn fold(fact: &Fact<'_>, layer: &mut Layer) {
    if let Some(added) = fact.read::<Added>() {
        layer.set("name", added.name);
        layer.set("code", added.code);
        layer.set("parent", added.parent);
    } else if let Some(renamed) = fact.read::<Renamed>() {
        layer.set("name", renamed.name);
    }
}

fn register(fact: &Fact<'_>, register: &mut Register) {
    if let Some(Added { agency, name, code, parent, unit }) = fact.read() {
        let name = name.to_string();
        register.agencies.insert(agency, Arc::new(Agency { name, code, parent, unit }));
        register.people_changes += 1;
        register.policy_changes += 1;
    } else if let Some(Renamed { agency, name }) = fact.read()
        && let Some(known) = changed(&mut register.agencies, &agency)
    {
        known.name = name.to_string();
    }
}
