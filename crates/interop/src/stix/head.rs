//! The head of an object: what the product asks of it, read once.

use std::collections::HashSet;
use std::str::FromStr;

use crate::json::Json;
use crate::stix::marking::{Definition, Granular};
use crate::stix::{StixId, Timestamp, rules};

/// What an object is, as the standard divides them (STIX 2.1 §1.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// A domain object: indicator, malware, report (STIX 2.1 §4).
    Domain,
    /// A relationship or sighting (STIX 2.1 §5).
    Relationship,
    /// An observable: address, file, account (STIX 2.1 §6). It has no versions.
    Observable,
    /// Marking, language content, extension definition (STIX 2.1 §7).
    Meta,
    /// A type that the standard does not have (STIX 2.1 §11.2).
    Custom,
}

/// An id that somebody else gave the thing, such as `T1055.011` of `mitre-attack`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExternalId {
    pub source: String,
    pub id: String,
}

/// What an object carries besides the common properties, by type.
#[derive(Clone, Debug, PartialEq)]
pub enum Detail {
    Relationship {
        kind: String,
        source: StixId,
        target: StixId,
    },
    Sighting {
        of: StixId,
        observed_data: Vec<StixId>,
        where_sighted: Vec<StixId>,
    },
    /// A report, grouping, note, opinion or observation: it speaks of other objects.
    About {
        objects: Vec<StixId>,
    },
    Indicator {
        /// The pattern as it stands.
        pattern: String,
        pattern_type: String,
        valid_from: Timestamp,
        valid_until: Option<Timestamp>,
    },
    Marking(Definition),
    /// A translation of another object.
    Language {
        object: StixId,
        object_modified: Option<Timestamp>,
    },
    None,
}

/// The head of an object. Texts are as received: of any length below the object's, of any script.
#[derive(Clone, Debug, PartialEq)]
pub struct Head {
    pub id: StixId,
    pub class: Class,
    /// Absent for most observables.
    pub spec_version: Option<String>,
    pub created: Option<Timestamp>,
    /// With the id it names a version; absent for observables and marking definitions, which have
    /// none.
    pub modified: Option<Timestamp>,
    pub revoked: bool,
    pub created_by: Option<StixId>,
    pub object_markings: Vec<StixId>,
    pub granular_markings: Vec<Granular>,
    pub name: Option<String>,
    pub description: Option<String>,
    pub labels: Vec<String>,
    pub aliases: Vec<String>,
    /// 0 to 100 (STIX 2.1 Appendix A); absent when the creator says nothing.
    pub confidence: Option<u8>,
    /// An RFC 5646 tag.
    pub lang: Option<String>,
    pub external_ids: Vec<ExternalId>,
    pub detail: Detail,
}

impl Head {
    /// The type of the object.
    pub fn type_name(&self) -> &str {
        self.id.type_name()
    }

    /// Reads the head of an object that keeps the rules.
    pub(crate) fn read(object: &Json<'_>, id: StixId, granular: Vec<Granular>) -> Self {
        let class = rules::class(id.type_name());
        // An observable may have properties of these names that mean something else.
        let versioned = class != Class::Observable;
        let time = |name| versioned.then(|| parsed(object, name)).flatten();
        let confidence = object.get("confidence").and_then(Json::integer);
        Self {
            class,
            spec_version: text(object, "spec_version"),
            created: time("created"),
            modified: time("modified").filter(|_| id.type_name() != "marking-definition"),
            revoked: object.get("revoked").and_then(Json::truth).unwrap_or(false),
            created_by: parsed(object, "created_by_ref"),
            object_markings: ids(object, "object_marking_refs"),
            granular_markings: granular,
            name: text(object, "name"),
            description: text(object, "description"),
            labels: texts(object, "labels"),
            aliases: aliases(object),
            confidence: confidence.and_then(|percent| u8::try_from(percent).ok()),
            lang: text(object, "lang"),
            external_ids: external_ids(object),
            detail: detail(object, &id),
            id,
        }
    }
}

fn text(object: &Json<'_>, name: &str) -> Option<String> {
    object.get(name).and_then(Json::text).map(str::to_owned)
}

fn parsed<T: FromStr>(object: &Json<'_>, name: &str) -> Option<T> {
    object.get(name).and_then(Json::text).and_then(|text| text.parse().ok())
}

fn texts(object: &Json<'_>, name: &str) -> Vec<String> {
    let members = object.get(name).map(Json::members).unwrap_or_default();
    members.iter().filter_map(Json::text).map(str::to_owned).collect()
}

fn ids(object: &Json<'_>, name: &str) -> Vec<StixId> {
    let members = object.get(name).map(Json::members).unwrap_or_default();
    members.iter().filter_map(Json::text).filter_map(|text| text.parse().ok()).collect()
}

/// `aliases` and the custom `x_…_aliases` of others; without the name itself and repetitions.
fn aliases(object: &Json<'_>) -> Vec<String> {
    let mut aliases = Vec::new();
    let mut known: HashSet<&str> = object.get("name").and_then(Json::text).into_iter().collect();
    for (property, value) in object.entries() {
        let custom = property.starts_with("x_") && property.ends_with("_aliases");
        if property != "aliases" && !custom {
            continue;
        }
        for alias in value.members().iter().filter_map(Json::text) {
            if known.insert(alias) {
                aliases.push(alias.to_owned());
            }
        }
    }
    aliases
}

fn external_ids(object: &Json<'_>) -> Vec<ExternalId> {
    let references = object.get("external_references").map(Json::members).unwrap_or_default();
    let pair = |reference: &Json<'_>| {
        Some(ExternalId {
            source: text(reference, "source_name")?,
            id: text(reference, "external_id")?,
        })
    };
    references.iter().filter_map(pair).collect()
}

fn detail(object: &Json<'_>, id: &StixId) -> Detail {
    let read = match id.type_name() {
        "relationship" => relationship(object),
        "sighting" => sighting(object),
        "report" | "grouping" | "note" | "opinion" | "observed-data" => {
            Some(Detail::About { objects: ids(object, "object_refs") })
        }
        "indicator" => indicator(object),
        "marking-definition" => Some(Detail::Marking(Definition::read(object))),
        "language-content" => parsed(object, "object_ref").map(|of| Detail::Language {
            object: of,
            object_modified: parsed(object, "object_modified"),
        }),
        _ => None,
    };
    read.unwrap_or(Detail::None)
}

fn relationship(object: &Json<'_>) -> Option<Detail> {
    Some(Detail::Relationship {
        kind: text(object, "relationship_type")?,
        source: parsed(object, "source_ref")?,
        target: parsed(object, "target_ref")?,
    })
}

fn sighting(object: &Json<'_>) -> Option<Detail> {
    Some(Detail::Sighting {
        of: parsed(object, "sighting_of_ref")?,
        observed_data: ids(object, "observed_data_refs"),
        where_sighted: ids(object, "where_sighted_refs"),
    })
}

fn indicator(object: &Json<'_>) -> Option<Detail> {
    Some(Detail::Indicator {
        pattern: text(object, "pattern")?,
        pattern_type: text(object, "pattern_type")?,
        valid_from: parsed(object, "valid_from")?,
        valid_until: parsed(object, "valid_until"),
    })
}
