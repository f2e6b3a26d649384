//! Reading one object: its label by the importing agency's table, and what is shown of it.

use base::{Label, Marking, SchemeId, Time};
use interop::stix::search::SearchText;
use interop::stix::{Definitions, Detail, LabelMap, StixObject, Timestamp, Tlp};

use super::{DEFINITIONS_MAX, Table};
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

    fn labels(&self, like: &Label) -> Result<Vec<Label>, Fault> {
        let mut labels = Vec::with_capacity(5);
        for marking in self.markings() {
            let markings = [(self.scheme.clone(), marking.clone())].into();
            let label = Label::new(markings, like.originators().clone(), like.play());
            labels.push(label.map_err(|e| Fault::invalid("invalid-label", e.to_string()))?);
        }
        Ok(labels)
    }
}

/// How objects are read: the table, the agency's default, the definitions.
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
    pub created: Option<Time>,
    pub modified: Option<Time>,
    pub revoked: bool,
    pub relationship: Option<Ends>,
    /// The digest of the canonical content.
    pub content: [u8; 32],
}

/// What a relationship or sighting names.
pub struct Ends {
    pub kind: String,
    pub source: String,
    pub target: String,
    /// What else a sighting names.
    pub others: Vec<String>,
}

/// LIMIT: bytes of a portion that are left for what is shown beside the original.
const RESERVE_BYTES: usize = 8 * 1024;

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
        let labels = table.labels(&unmarked)?;
        let mut pairs = labels.iter().zip(labels.iter().skip(1));
        if !pairs.all(|(low, high)| policy::leq(low, high)) {
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

    /// The label of what says nothing that is understood: the strictest of the table and the
    /// agency's default together.
    ///
    /// # Errors
    /// `invalid-label` when the two cannot stand together.
    pub fn strictest(&self) -> Result<Label, Fault> {
        let labels = self.table.labels(&self.unmarked)?;
        policy::join_all(labels.iter().chain([&self.unmarked]))
            .map_err(|e| Fault::invalid("invalid-label", e.to_string()))
    }

    /// Reads one object. Its label is the strictest of all its markings, those of its parts
    /// included, and the agency's default; a marking that is not understood is the strictest.
    ///
    /// # Errors
    /// `invalid-object` with the rule that it breaks; `object-too-large` when it does not fit into
    /// one portion.
    pub fn object(&self, raw: &str) -> Result<Object, Fault> {
        let object = object_of(raw)?;
        // The text stands in JSON once more, and shares the portion with what is shown of it.
        let escaped = serde_json::to_vec(raw).map_err(Fault::bug)?.len();
        if escaped > base::limit::PORTION_BYTES - RESERVE_BYTES {
            return Err(Fault::invalid("object-too-large", "the object fits into no portion"));
        }
        let claim = self.definitions.claims(&object.head).ceiling();
        let label = claim.label(&self.table, &self.unmarked);
        let label = label.map_err(|e| Fault::invalid("invalid-label", e.to_string()))?;
        let label = policy::join(&label, &self.unmarked)
            .map_err(|e| Fault::invalid("invalid-label", e.to_string()))?;
        let text = SearchText::of(&object);
        Ok(Object {
            content: object.value_digest().map_err(invalid)?.0,
            id: object.head.id.as_str().to_owned(),
            label,
            name: text.title,
            description: text.snippet,
            created: object.head.created.and_then(Timestamp::time),
            modified: object.head.modified.and_then(Timestamp::time),
            revoked: object.head.revoked,
            relationship: relationship(&object),
        })
    }
}

/// The ends of a relationship, or of a sighting: where it was sighted or what was observed first.
fn relationship(object: &StixObject<'_>) -> Option<Ends> {
    let text = |id: &interop::stix::StixId| id.as_str().to_owned();
    match &object.head.detail {
        Detail::Relationship { kind, source, target } => {
            let (kind, source, target) = (kind.clone(), text(source), text(target));
            Some(Ends { kind, source, target, others: Vec::new() })
        }
        Detail::Sighting { of, observed_data, where_sighted } => {
            let mut at = where_sighted.iter().chain(observed_data);
            let (kind, target) = ("sighting".to_owned(), text(of));
            let source = at.next().map_or_else(|| target.clone(), text);
            Some(Ends { kind, source, target, others: at.map(text).collect() })
        }
        Detail::About { .. }
        | Detail::Indicator { .. }
        | Detail::Marking(_)
        | Detail::Language { .. }
        | Detail::None => None,
    }
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
