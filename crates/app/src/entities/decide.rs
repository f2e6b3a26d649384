//! Deciding about each object of an act: its label, its record, and what is new about it.

use std::collections::BTreeMap;

use base::{Digest, Label, RecordId, Time};

use super::read::{Ends, Object, Reading};
use super::{EntityId, Held, Import, Imported, Relationship, view};
use crate::kernel::{Cell, Deciding, Fault, NewEntry, NewPortion};

/// Why an object is held that has the version of another and not its content.
pub const OTHER_CONTENT: &str = "other-content";

/// What comes of one object.
pub enum Outcome {
    Accepted(NewEntry),
    /// A version older than one that is known.
    Older(NewEntry),
    /// Kept aside beside what it contradicts.
    Held(NewEntry),
    Unchanged,
    /// Not taken, for this reason.
    Refused(&'static str),
}

/// A version as this act sees it.
#[derive(Clone)]
struct Version {
    label: Label,
    modified: Option<Time>,
    content: [u8; 32],
    taken: bool,
}

/// An object that is known: its record, the label below which nothing of it stands, its versions.
#[derive(Clone)]
struct Known {
    entity: EntityId,
    base: Label,
    versions: Vec<Version>,
}

/// One act: how it reads, and what it has come to before the views know of it.
pub struct Importing {
    reading: Reading,
    strictest: Label,
    known: BTreeMap<Digest, Option<Known>>,
}

impl Importing {
    /// Prepares an act. Whoever imports is cleared for the whole table, so that no label that an
    /// object may get tells them anything.
    ///
    /// # Errors
    /// `invalid-label`, `label-above-clearance`; as [`Reading::new`].
    pub fn begin(import: &Import, on: &Deciding<'_>) -> Result<Self, Fault> {
        let unmarked = on.cell(import.markings.clone(), on.actor.agency, None)?;
        on.policy.may_write(on.register, on.actor, &unmarked)?;
        for marking in import.table.markings() {
            let markings = BTreeMap::from([(import.table.scheme.clone(), marking.clone())]);
            let cell = on.cell(markings, on.actor.agency, None)?;
            on.policy.may_write(on.register, on.actor, &cell)?;
        }
        let definitions = import.definitions.iter().map(String::as_str);
        let reading = Reading::new(import.table.clone(), unmarked.label, definitions)?;
        let strictest = reading.strictest()?;
        Ok(Self { reading, strictest, known: BTreeMap::new() })
    }

    /// Decides about one object.
    ///
    /// # Errors
    /// The store's own fault. A fault of the object alone is an outcome.
    pub fn object(&mut self, raw: &str, on: &mut Deciding<'_>) -> Result<Outcome, Fault> {
        let object = match self.reading.object(raw) {
            Ok(object) => object,
            Err(fault) => return Ok(Outcome::Refused(fault.code.slug)),
        };
        let found_by = name_of(&object.id, on);
        let known = self.known(found_by, on)?;
        let mut label = object.label.clone();
        let mut ends = Vec::new();
        if let Some(Ends { source, target, others, .. }) = &object.relationship {
            for id in [source, target].into_iter().chain(others) {
                let name = name_of(id, on);
                let end = self.known(name, on)?.map_or_else(|| self.strictest.clone(), |k| k.base);
                label = join(&label, &end)?;
                ends.push(name);
            }
        }
        if let Some(known) = &known {
            label = join(&label, &known.base)?;
        }
        let cell = Cell { label, circle: None };
        if let Err(fault) = on.policy.check_label(&cell.label) {
            return Ok(Outcome::Refused(fault.code.slug));
        }
        if let Err(fault) = on.policy.may_write(on.register, on.actor, &cell) {
            return Ok(Outcome::Refused(fault.code.slug));
        }
        let name = found_by.0;
        let content = on.keyed("muster/entity-content/v1", &[&name, &object.content]);
        self.compare((object, raw), (found_by, content), (known, cell, ends), on)
    }

    fn compare(
        &mut self,
        (object, raw): (Object, &str),
        (found_by, content): (Digest, Digest),
        (known, cell, ends): (Option<Known>, Cell, Vec<Digest>),
        on: &mut Deciding<'_>,
    ) -> Result<Outcome, Fault> {
        let mut known = known.unwrap_or_else(|| Known {
            entity: EntityId::draw(&mut on.ids),
            base: cell.label.clone(),
            versions: Vec::new(),
        });
        if known.versions.iter().any(|version| version.content == content.0) {
            return Ok(Outcome::Unchanged);
        }
        let taken = || known.versions.iter().filter(|version| version.taken);
        let contradicts = taken().any(|version| version.modified == object.modified);
        let newer = |version: &&Version| version.modified > object.modified;
        let older = taken().any(|version| newer(&version));
        let older_here = taken().any(|v| v.label == cell.label && newer(&v));
        let record = RecordId(known.entity.0);
        let (label, modified) = (cell.label.clone(), object.modified);
        let entity = known.entity;
        let version = Version { label, modified, content: content.0, taken: !contradicts };
        known.versions.push(version);
        self.known.insert(found_by, Some(known));
        if contradicts {
            let reason = OTHER_CONTENT.to_owned();
            let (stix_id, original) = (object.id, raw.to_owned());
            let held = Held { entity, stix_id, modified, reason, content, original };
            let portion = NewPortion::of(cell, &held)?;
            return Ok(Outcome::Held(NewEntry::new("entity.held/1", record, portion)));
        }
        let relationship = object.relationship.map(|named| {
            let Ends { kind, source, target, others: _ } = named;
            Relationship { kind, source, target, ends }
        });
        let imported = Imported {
            entity,
            stix_id: object.id,
            found_by,
            name: object.name,
            description: object.description,
            created: object.created,
            modified,
            revoked: object.revoked,
            older: older_here,
            relationship,
            content,
            original: raw.to_owned(),
        };
        let entry = NewEntry::new("entity.imported/1", record, NewPortion::of(cell, &imported)?);
        Ok(if older { Outcome::Older(entry) } else { Outcome::Accepted(entry) })
    }

    /// What the actor may know of an object; `None` when nothing is known to them.
    fn known(&mut self, name: Digest, on: &Deciding<'_>) -> Result<Option<Known>, Fault> {
        if let Some(known) = self.known.get(&name) {
            return Ok(known.clone());
        }
        let mut found = None;
        for record in view::named(on.views, &name.0)? {
            if on.knows(record, "entity") {
                found = Some(load(record, on)?);
                break;
            }
        }
        self.known.insert(name, found.clone());
        Ok(found)
    }
}

/// Reads a record, as far as the actor may read it.
fn load(record: RecordId, on: &Deciding<'_>) -> Result<Known, Fault> {
    let row = on.views.record(record)?.ok_or_else(Fault::absent)?;
    let label_of = |cell| {
        let label = on.cells.label_of(cell);
        label.map(|label| (**label).clone()).ok_or_else(|| Fault::bug("a cell has no label"))
    };
    let mut base = label_of(row.base)?;
    if let Some(floor) = row.floor {
        base = join(&base, &label_of(floor)?)?;
    }
    let layers = on.views.layers(record)?;
    let readable = |cell| {
        let layer = layers.iter().find(|layer| layer.cell == cell);
        layer.is_some_and(|l| on.reads("entity", l.cell) && on.reads("entity", l.gate))
    };
    let mut versions = Vec::new();
    for (version, stands) in view::versions(on.views, record)? {
        if readable(version.cell) {
            versions.push(Version {
                label: label_of(version.cell)?,
                modified: version.modified,
                content: version.content,
                taken: stands == view::Stands::Taken,
            });
        }
    }
    Ok(Known { entity: EntityId(record.0), base, versions })
}

/// How an object is found again: its id among those of one agency in one play.
fn name_of(id: &str, on: &Deciding<'_>) -> Digest {
    let play = match on.actor.play {
        base::Play::Live => Vec::new(),
        base::Play::Exercise(exercise) => exercise.0.to_vec(),
    };
    on.keyed("muster/entity-name/v1", &[&on.actor.agency.0, &play, id.as_bytes()])
}

fn join(a: &Label, b: &Label) -> Result<Label, Fault> {
    policy::join(a, b).map_err(Fault::bug)
}
