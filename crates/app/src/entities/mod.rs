//! Entities: what is known of actors, tools and places, as partners write it in STIX 2.1.
//!
//! An agency imports objects under labels that its own table makes of their markings, read as
//! strictly as they can be; an object with a marking that nobody here understands is refused.
//! The received bytes are kept. An object is one record of an agency, whatever the labels of its
//! versions: a version under a higher label is a higher layer of it. What is decided depends on
//! nothing above the label of what is imported, so that nobody learns from importing what is known
//! above their head. A relationship lies no lower than its ends.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use base::{Label, Marking, RecordId, SchemeId, Time};
use policy::Class;
use serde::{Deserialize, Serialize};

use crate::kernel::{
    Action, Capability, Cell, Deciding, Fact, Fault, Lane, Layer, NewEntry, NewPortion,
};

pub mod http;
pub mod job;
mod read;
pub mod related;
mod view;

use read::{Object, Reading};

base::id!(/// Names one entity.
    EntityId);

/// The capability.
pub const CAPABILITY: Capability = Capability {
    name: "entities",
    noun: "entity",
    kinds: &["entity.imported/1", "entity.held/1"],
    actions: &[Action {
        name: "entity:import",
        lane: Lane::Bulk,
        class: Class::Own,
        duty: false,
        signed: false,
    }],
    routes: http::ROUTES,
    urgent: false,
    registers: false,
    policy: include_str!("policy.cedar"),
    tables: view::TABLES,
    act,
    fold,
    index: view::index,
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

/// Imports objects: at most 256, and at most 256 KiB with the command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Import {
    /// The label of what bears no marking.
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
    pub name: String,
    /// One line; empty when nothing is described.
    pub description: String,
    /// The version (STIX 2.1 §3.6), to the millisecond; observables have none.
    pub modified: Option<Time>,
    pub revoked: bool,
    /// Whether a newer version was known before.
    pub older: bool,
    /// Kind, source and target of a relationship (STIX 2.1 §5.1).
    pub relationship: Option<Relationship>,
    /// Ids of the objects that it relates or speaks of; at most 64.
    pub links: Vec<String>,
    /// The digest of its canonical content (RFC 8785), in hexadecimal.
    pub content: String,
    /// The object as received, to the byte.
    pub original: String,
}

/// How two objects are related.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Relationship {
    pub kind: String,
    pub source: String,
    pub target: String,
}

/// Another content came under a version that was known: it is held, and changes nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Held {
    pub entity: EntityId,
    pub stix_id: String,
    pub modified: Option<Time>,
    pub content: String,
    /// The object as received, to the byte.
    pub original: String,
}

/// One version, in the list of those that came.
#[derive(Serialize)]
struct Version<'a> {
    modified: Option<Time>,
    name: &'a str,
}

fn act(command: &[u8], on: &mut Deciding<'_>) -> Result<Vec<NewEntry>, Fault> {
    let Command::Import(import) = on.parse(command)?;
    if import.objects.is_empty() {
        return Err(Fault::invalid("no-objects", "an import has at least one object"));
    }
    if import.objects.len() > base::limit::ENTRIES_PER_ACT {
        let max = base::limit::ENTRIES_PER_ACT;
        let detail = format!("one act imports at most {max} objects");
        return Err(Fault::invalid("too-many-objects", detail));
    }
    let unmarked = on.cell(import.markings, on.actor.agency, None)?.label;
    for marking in import.table.markings() {
        let scheme = import.table.scheme.clone();
        on.cell(BTreeMap::from([(scheme, marking.clone())]), on.actor.agency, None)?;
    }
    let definitions = import.definitions.iter().map(String::as_str);
    let reading = Reading::new(import.table, unmarked, definitions)?;
    let mut entries = Vec::with_capacity(import.objects.len());
    let mut known = Known::default();
    for (place, raw) in import.objects.iter().enumerate() {
        let object = reading.object(raw).map_err(|fault| at(place, &fault))?;
        entries.extend(decide_object(object, raw, &mut known, on)?);
    }
    Ok(entries)
}

/// What this act has decided before the views know of it: by identity, then every content.
#[derive(Default)]
struct Known {
    rows: BTreeMap<[u8; 32], Vec<Row>>,
    contents: BTreeSet<([u8; 32], String)>,
}

/// A layer in which an object came.
#[derive(Clone)]
struct Row {
    entity: EntityId,
    label: Label,
    modified: Option<Time>,
}

impl Known {
    /// The layers of an object that lie at or below a label, which whoever writes there may know.
    fn below(
        &mut self,
        on: &Deciding<'_>,
        identity: [u8; 32],
        label: &Label,
    ) -> Result<Vec<Row>, Fault> {
        let rows = match self.rows.entry(identity) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(vacant) => {
                let row = |row: view::EntityRow| {
                    let label = on.cells.label_of(row.cell)?;
                    let (entity, modified) = (row.entity, row.modified);
                    Some(Row { entity, label: (**label).clone(), modified })
                };
                let rows = view::rows(on.views, &identity)?;
                vacant.insert(rows.into_iter().filter_map(row).collect())
            }
        };
        Ok(rows.iter().filter(|row| policy::leq(&row.label, label)).cloned().collect())
    }
}

fn decide_object(
    mut object: Object,
    raw: &str,
    known: &mut Known,
    on: &mut Deciding<'_>,
) -> Result<Option<NewEntry>, Fault> {
    object.label = no_lower_than_ends(object.label, &object.ends, known, on)?;
    on.policy.check_label(&object.label)?;
    let identity = view::identity(on.views, on.actor.agency, &object.id);
    let below = known.below(on, identity, &object.label)?;
    let cells = view::cells_of(on.views, &identity, &object.content)?;
    let came_below = |cell: &u32| {
        on.cells.label_of(*cell).is_some_and(|label| policy::leq(label, &object.label))
    };
    if !known.contents.insert((identity, object.content.clone())) || cells.iter().any(came_below) {
        return Ok(None);
    }
    let newest = below.iter().max_by_key(|row| row.modified);
    let entity = newest.map_or_else(|| EntityId::draw(&mut on.ids), |row| row.entity);
    let cell = Cell { label: object.label, circle: None };
    let record = RecordId(entity.0);
    let original = raw.to_owned();
    let (stix_id, modified, content) = (object.id, object.modified, object.content);
    if newest.is_some_and(|row| row.modified == modified) {
        let held = Held { entity, stix_id, modified, content, original };
        return Ok(Some(NewEntry::new("entity.held/1", record, NewPortion::of(cell, &held)?)));
    }
    let older = newest.is_some_and(|row| row.modified > modified);
    if !older {
        let row = Row { entity, label: cell.label.clone(), modified };
        known.rows.entry(identity).or_default().push(row);
    }
    let imported = Imported {
        entity,
        stix_id,
        name: object.name,
        description: object.description,
        modified,
        revoked: object.revoked,
        older,
        relationship: object.relationship,
        links: object.links,
        content,
        original,
    };
    Ok(Some(NewEntry::new("entity.imported/1", record, NewPortion::of(cell, &imported)?)))
}

/// The label of a relationship, raised until each end that the actor may know of lies below it.
fn no_lower_than_ends(
    mut label: Label,
    ends: &[String],
    known: &mut Known,
    on: &Deciding<'_>,
) -> Result<Label, Fault> {
    for end in ends {
        let identity = view::identity(on.views, on.actor.agency, end);
        if !known.below(on, identity, &label)?.is_empty() {
            continue;
        }
        // Above the label: what this act brought itself, or what the actor may read.
        let rows = view::rows(on.views, &identity)?;
        let read = rows.iter().find(|row| on.reads(CAPABILITY.noun, row.cell));
        let read = read.and_then(|row| on.cells.label_of(row.cell)).map(|label| (**label).clone());
        let brought = known.rows.get(&identity).and_then(|rows| rows.last());
        let brought = brought.filter(|_| rows.is_empty()).map(|row| row.label.clone());
        if let Some(above) = brought.or(read) {
            label = policy::join(&label, &above)
                .map_err(|cause| Fault::invalid("invalid-label", cause.to_string()))?;
        }
    }
    Ok(label)
}

fn at(place: usize, fault: &Fault) -> Fault {
    Fault::new(fault.code.kind, fault.code.slug, format!("objects[{place}]: {}", fault.detail))
}

fn fold(fact: &Fact<'_>, layer: &mut Layer) {
    if fact.kind == "entity.held/1" {
        if let Some(held) = fact.read::<Held>() {
            layer.push("held", fact.acted_at, &held);
        }
        return;
    }
    let Some(imported) = fact.read::<Imported>() else { return };
    let version = Version { modified: imported.modified, name: &imported.name };
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
    layer.set("modified", imported.modified);
    layer.set("revoked", imported.revoked);
    layer.set("relationship", &imported.relationship);
    layer.set("original", &imported.original);
    layer.set("imported_at", fact.acted_at);
}
