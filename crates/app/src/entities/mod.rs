//! Entities: what is known of actors, tools and places, as partners write it in STIX 2.1.
//!
//! An agency imports objects under labels that its own table makes of their markings, never below
//! its default, read as strictly as they can be. The received bytes are kept. An object is one
//! record of one agency, whatever the labels of its versions: an import raises and never lowers.
//! A relationship stands at or above both its ends; an end that is not known counts as strictest.
//! What an importer may not know of is not there for them: it is neither compared nor joined.

use std::collections::BTreeMap;

use base::{Digest, Marking, SchemeId, Time};
use policy::Class;
use serde::{Deserialize, Serialize};

use crate::kernel::{Action, Capability, Deciding, Fact, Fault, Lane, Layer, NewEntry};

mod decide;
pub mod http;
pub mod job;
mod read;
mod related;
mod view;

use decide::{Importing, Outcome};

base::id!(/// Names one entity.
    EntityId);

/// The capability.
pub const CAPABILITY: Capability = Capability {
    name: "entities",
    noun: "entity",
    kinds: &["entity.imported/1", "entity.held/1"],
    actions: &[
        Action {
            name: "entity:import",
            lane: Lane::Bulk,
            class: Class::Own,
            duty: false,
            signed: false,
        },
        Action {
            name: "entity:relate",
            lane: Lane::Normal,
            class: Class::Own,
            duty: false,
            signed: false,
        },
    ],
    routes: http::ROUTES,
    urgent: false,
    registers: false,
    policy: include_str!("policy.cedar"),
    tables: view::TABLES,
    act,
    fold,
    index,
    register: |_, _| {},
    react: |_| Vec::new(),
};

/// Marking definitions that one act may bring.
pub const DEFINITIONS_MAX: usize = 64;

/// What each level of the Traffic Light Protocol 2.0 becomes: one scheme, never less strict above.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    pub scheme: SchemeId,
    pub clear: Marking,
    pub green: Marking,
    pub amber: Marking,
    pub amber_strict: Marking,
    pub red: Marking,
}

/// Imports objects: at most 256, and at most 256 KiB with what is shown of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Import {
    /// The agency's default: the label of what bears no marking, and joined into every other.
    pub markings: BTreeMap<SchemeId, Marking>,
    pub table: Table,
    /// The marking definitions of the bundle, as received; at most 64.
    #[serde(default)]
    pub definitions: Vec<String>,
    /// STIX 2.1 objects, as received.
    pub objects: Vec<String>,
}

#[derive(Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
enum Command {
    Import(Import),
}

/// An object was imported, or a version of one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Imported {
    pub entity: EntityId,
    /// The id of the object, `type--UUID` (STIX 2.1 §2.9).
    pub stix_id: String,
    /// Agency, play and id under a key of the node: by it the object is found again.
    pub found_by: Digest,
    pub name: String,
    /// One line; empty when nothing is described.
    pub description: String,
    pub created: Option<Time>,
    /// The version (STIX 2.1 §3.6), to the millisecond; observables have none.
    pub modified: Option<Time>,
    pub revoked: bool,
    /// Whether a newer version was known under the same label before.
    pub older: bool,
    /// Kind and ends of a relationship or sighting (STIX 2.1 §5).
    pub relationship: Option<Relationship>,
    /// The canonical content under a key of the node.
    pub content: Digest,
    /// The object as received, to the byte.
    pub original: String,
}

/// How objects are related.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Relationship {
    /// `uses`, `targets`; `sighting` for a sighting.
    pub kind: String,
    pub source: String,
    pub target: String,
    /// Every end, as `found_by` names it: source, target, and what else a sighting names.
    pub ends: Vec<Digest>,
}

/// Another content came under a version that was known: it is held, and changes nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Held {
    pub entity: EntityId,
    pub stix_id: String,
    pub modified: Option<Time>,
    /// Why, as a slug: `other-content`.
    pub reason: String,
    pub content: Digest,
    /// The object as received, to the byte.
    pub original: String,
}

/// What came, or would come, of each object of an act.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// New objects, and versions newer than every one known.
    pub accepted: usize,
    /// Known before with the same content.
    pub unchanged: usize,
    /// Versions older than one known: kept as history.
    pub older: usize,
    /// Not taken, or kept aside, by the slug of the reason.
    pub held: BTreeMap<String, usize>,
}

impl Tally {
    /// Objects of which it tells.
    pub fn objects(&self) -> usize {
        self.accepted + self.unchanged + self.older + self.held.values().sum::<usize>()
    }

    /// Counts one object that is not taken.
    pub fn hold(&mut self, reason: &str) {
        *self.held.entry(reason.to_owned()).or_default() += 1;
    }

    /// Adds another.
    pub fn add(&mut self, other: &Self) {
        self.accepted += other.accepted;
        self.unchanged += other.unchanged;
        self.older += other.older;
        for (reason, count) in &other.held {
            *self.held.entry(reason.clone()).or_default() += count;
        }
    }
}

fn act(command: &[u8], on: &mut Deciding<'_>) -> Result<Vec<NewEntry>, Fault> {
    let Command::Import(import) = on.parse(command)?;
    let (entries, tally) = decide_import(&import, on)?;
    on.told = Some(serde_json::to_value(tally).map_err(Fault::bug)?);
    Ok(entries)
}

/// Tells what would come of each object; nothing is written.
///
/// # Errors
/// As importing the same would be refused as a whole.
pub fn tally(command: &[u8], on: &mut Deciding<'_>) -> Result<serde_json::Value, Fault> {
    let import: Import = on.parse(command)?;
    let tally = decide_import(&import, on)?.1;
    serde_json::to_value(tally).map_err(Fault::bug)
}

fn decide_import(import: &Import, on: &mut Deciding<'_>) -> Result<(Vec<NewEntry>, Tally), Fault> {
    if import.objects.is_empty() {
        return Err(Fault::invalid("no-objects", "an import has at least one object"));
    }
    if import.objects.len() > base::limit::ENTRIES_PER_ACT {
        let max = base::limit::ENTRIES_PER_ACT;
        let detail = format!("one act imports at most {max} objects");
        return Err(Fault::invalid("too-many-objects", detail));
    }
    let mut importing = Importing::begin(import, on)?;
    let mut tally = Tally::default();
    let mut entries = Vec::with_capacity(import.objects.len());
    for raw in &import.objects {
        match importing.object(raw, on)? {
            Outcome::Accepted(entry) => {
                tally.accepted += 1;
                entries.push(entry);
            }
            Outcome::Older(entry) => {
                tally.older += 1;
                entries.push(entry);
            }
            Outcome::Held(entry) => {
                tally.hold(decide::OTHER_CONTENT);
                entries.push(entry);
            }
            Outcome::Unchanged => tally.unchanged += 1,
            Outcome::Refused(reason) => tally.hold(reason),
        }
    }
    Ok((entries, tally))
}

/// A version as the history of a layer shows it.
#[derive(Serialize)]
struct Version<'a> {
    name: &'a str,
    modified: Option<Time>,
    revoked: bool,
    older: bool,
}

/// What is held, as a layer shows it.
#[derive(Serialize)]
struct Aside<'a> {
    modified: Option<Time>,
    reason: &'a str,
    original: &'a str,
}

fn fold(fact: &Fact<'_>, layer: &mut Layer) {
    if fact.kind == "entity.held/1" {
        if let Some(held) = fact.read::<Held>() {
            let (modified, reason) = (held.modified, held.reason.as_str());
            let aside = Aside { modified, reason, original: &held.original };
            layer.push("held", fact.acted_at, &aside);
        }
        return;
    }
    let Some(imported) = fact.read::<Imported>() else { return };
    let version = Version {
        name: &imported.name,
        modified: imported.modified,
        revoked: imported.revoked,
        older: imported.older,
    };
    layer.push("versions", fact.acted_at, &version);
    if imported.older {
        return;
    }
    layer.state = Some(if imported.revoked { "revoked" } else { "current" }.to_owned());
    let kind = imported.stix_id.split_once("--").map_or("", |(kind, _)| kind);
    layer.set("type", kind);
    layer.set("title", &imported.name);
    layer.set("description", &imported.description);
    layer.set("stix_id", &imported.stix_id);
    layer.set("created", imported.created);
    layer.set("modified", imported.modified);
    layer.set("revoked", imported.revoked);
    if let Some(Relationship { kind, source, target, .. }) = &imported.relationship {
        let shown = serde_json::json!({ "kind": kind, "source": source, "target": target });
        layer.set("relationship", shown);
    }
    layer.set("original", &imported.original);
    layer.set("imported_at", fact.acted_at);
}

fn index(fact: &Fact<'_>, views: crate::kernel::view::Views<'_>) -> Result<(), Fault> {
    if fact.kind == "entity.held/1" {
        let Some(held) = fact.read::<Held>() else { return Ok(()) };
        let version =
            view::VersionRow { cell: fact.cell, modified: held.modified, content: held.content.0 };
        return view::add_version(views, fact.record, &version, view::Stands::Aside);
    }
    let Some(imported) = fact.read::<Imported>() else { return Ok(()) };
    view::add_name(views, &imported.found_by.0, fact.record)?;
    let content = imported.content.0;
    let version = view::VersionRow { cell: fact.cell, modified: imported.modified, content };
    view::add_version(views, fact.record, &version, view::Stands::Taken)?;
    if let Some(relationship) = &imported.relationship {
        let ends: Vec<[u8; 32]> = relationship.ends.iter().map(|end| end.0).collect();
        view::add_ends(views, fact.record, &ends)?;
    }
    Ok(())
}
