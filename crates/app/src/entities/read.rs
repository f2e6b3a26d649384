//! Reading one object: its label by the importing agency's table, and what is shown of it.

use base::{Label, Marking, SchemeId, Time};
use interop::stix::search::SearchText;
use interop::stix::{Definitions, Detail, LabelMap, StixId, StixObject, Tlp};

use super::{DEFINITIONS_MAX, Relationship, Table};
use crate::kernel::Fault;

impl LabelMap for Table {
    fn tlp(&self, tlp: Tlp) -> (SchemeId, Marking) {
        let marking = match tlp {
            Tlp::Clear => &self.clear,
            Tlp::Green => &self.green,
            Tlp::Amber => &self.amber,
            Tlp::AmberStrict => &self.amber_strict,
            Tlp::Red => &self.red,
        };
        (self.scheme.clone(), marking.clone())
    }
}

impl Table {
    /// The markings, from the least to the most strict level.
    pub fn markings(&self) -> [&Marking; 5] {
        [&self.clear, &self.green, &self.amber, &self.amber_strict, &self.red]
    }

    /// Whether each level is at least as strict as the one before.
    fn ascends(&self, like: &Label) -> Result<bool, Fault> {
        let mut labels = Vec::with_capacity(5);
        for marking in self.markings() {
            let markings = [(self.scheme.clone(), marking.clone())].into();
            let label = Label::new(markings, like.originators().clone(), like.play());
            labels.push(label.map_err(|e| Fault::invalid("invalid-label", e.to_string()))?);
        }
        let pairs = labels.iter().zip(labels.iter().skip(1));
        Ok(pairs.into_iter().all(|(low, high)| policy::leq(low, high)))
    }
}

/// How objects are read: the table, the label of what is not marked, the definitions.
pub struct Reading {
    table: Table,
    unmarked: Label,
    definitions: Definitions,
}

/// What is taken of one object.
pub struct Object {
    pub id: String,
    pub label: Label,
    pub name: String,
    pub description: String,
    pub modified: Option<Time>,
    pub revoked: bool,
    pub relationship: Option<Relationship>,
    /// Ids of the objects that it relates or speaks of.
    pub links: Vec<String>,
    /// Ids of the ends of a relationship or sighting, below which its label may not lie.
    pub ends: Vec<String>,
    /// The digest of the canonical content.
    pub content: String,
}

impl Reading {
    /// Prepares reading.
    ///
    /// # Errors
    /// `table-order` when a stricter level has a less strict marking; `too-many-definitions`;
    /// `invalid-object` for a definition that breaks the standard.
    pub fn new<'a>(
        table: Table,
        unmarked: Label,
        texts: impl Iterator<Item = &'a str>,
    ) -> Result<Self, Fault> {
        if !table.ascends(&unmarked)? {
            let detail = "a stricter level of the table has a marking that is not stricter";
            return Err(Fault::invalid("table-order", detail));
        }
        let mut definitions = Definitions::standard();
        for (place, text) in texts.enumerate() {
            if place >= DEFINITIONS_MAX {
                let detail = format!("one act brings at most {DEFINITIONS_MAX} definitions");
                return Err(Fault::invalid("too-many-definitions", detail));
            }
            definitions.learn(&object_of(text)?.head);
        }
        Ok(Self { table, unmarked, definitions })
    }

    /// Reads one object.
    ///
    /// # Errors
    /// `invalid-object` with the rule that it breaks; `object-too-large` when it does not fit into
    /// one portion; `unknown-marking` when it bears one that nobody here understands.
    pub fn object(&self, raw: &str) -> Result<Object, Fault> {
        let object = object_of(raw)?;
        // The text stands in JSON once more, and shares the portion with what is shown of it.
        let escaped = serde_json::to_vec(raw).map_err(Fault::bug)?.len();
        if escaped > base::limit::PORTION_BYTES - RESERVE_BYTES {
            return Err(Fault::invalid("object-too-large", "the object fits into no portion"));
        }
        let claim = self.definitions.claims(&object.head).ceiling();
        if !claim.unknown.is_empty() {
            let detail = "the object bears a marking that is not understood here";
            return Err(Fault::invalid("unknown-marking", detail));
        }
        let label = claim.label(&self.table, &self.unmarked);
        let label = label.map_err(|e| Fault::invalid("invalid-label", e.to_string()))?;
        let text = SearchText::of(&object);
        let relationship = match &object.head.detail {
            Detail::Relationship { kind, source, target } => Some(Relationship {
                kind: kind.clone(),
                source: source.as_str().to_owned(),
                target: target.as_str().to_owned(),
            }),
            _ => None,
        };
        let (ends, mut links) = linked(&object.head.detail);
        links.truncate(LINKS_MAX);
        Ok(Object {
            links,
            ends,
            content: object.value_digest().map_err(invalid)?.to_string(),
            id: object.head.id.as_str().to_owned(),
            label,
            name: text.title,
            description: text.snippet,
            modified: object.head.modified.and_then(interop::stix::Timestamp::time),
            revoked: object.head.revoked,
            relationship,
        })
    }
}

/// LIMIT: bytes of a portion that are left for what is shown beside the original.
const RESERVE_BYTES: usize = 8 * 1024;

/// LIMIT: objects that one object is linked to.
const LINKS_MAX: usize = 64;

/// The ends of a relationship or sighting, and every object that an object speaks of.
fn linked(detail: &Detail) -> (Vec<String>, Vec<String>) {
    let text = |id: &StixId| id.as_str().to_owned();
    let ends: Vec<String> = match detail {
        Detail::Relationship { source, target, .. } => vec![text(source), text(target)],
        Detail::Sighting { of, where_sighted, .. } => {
            std::iter::once(of).chain(where_sighted).map(text).collect()
        }
        _ => Vec::new(),
    };
    let links = match detail {
        Detail::About { objects } => objects.iter().map(text).collect(),
        _ => ends.clone(),
    };
    (ends, links)
}

fn object_of(raw: &str) -> Result<StixObject<'_>, Fault> {
    StixObject::read(raw).map_err(|refusal| {
        let said: Vec<String> = refusal.faults.iter().map(ToString::to_string).collect();
        Fault::invalid("invalid-object", said.join("; "))
    })
}

fn invalid(fault: interop::Fault) -> Fault {
    Fault::invalid("invalid-object", fault.to_string()).because(fault)
}
