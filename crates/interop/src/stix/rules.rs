//! What STIX 2.1 §3 to §7 demands of an object, type by type.
//!
//! The tables are held against the standard's own JSON Schemas in a test. An object of a type that
//! is not in them (`x-mitre-tactic`) is held to the common properties alone.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::json::Json;
use crate::stix::head::Class;
use crate::stix::{StixId, Timestamp};
use crate::{Effect, Fault, limit};

/// The faults of one object while it is read; each kind is told at most
/// [`limit::FAULTS_PER_OBJECT`] times.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    pub refused: Vec<Fault>,
    pub remarked: Vec<Fault>,
}

impl Findings {
    pub fn push(&mut self, fault: Fault) {
        let list = match fault.effect() {
            Effect::Refused => &mut self.refused,
            Effect::Remarked => &mut self.remarked,
        };
        if list.len() < limit::FAULTS_PER_OBJECT {
            list.push(fault);
        }
    }
}

/// The kind of value that a property has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    Text,
    Texts,
    Bool,
    Integer,
    Number,
    Time,
    Id,
    Ids,
    Object,
    Objects,
}

/// The properties of STIX 2.1 by kind; no name has two kinds.
const SHAPES: &[(Shape, &str)] = &[
    (
        Shape::Text,
        "abstract account_login account_type administrative_area analysis_definition_version \
         analysis_engine_version body city command_line configuration_version contact_information \
         content content_type context country cpe credential cwd decryption_key definition_type \
         description display_name encryption_algorithm explanation identity_class issuer key lang \
         magic_number_hex message_id mime_type name name_enc objective opinion path path_enc \
         pattern pattern_type pattern_version payload_bin postal_code primary_motivation product \
         region relationship_type resource_level result result_name rir schema serial_number \
         signature_algorithm sophistication spec_version street_address subject \
         subject_public_key_algorithm subject_public_key_modulus swid tool_version type url \
         user_id value vendor version",
    ),
    (
        Shape::Texts,
        "aliases architecture_execution_envs arguments authors capabilities extension_properties \
         extension_types goals implementation_languages indicator_types infrastructure_types \
         labels languages malware_types modules personal_motivations protocols received_lines \
         report_types roles secondary_motivations sectors threat_actor_types tool_types",
    ),
    (
        Shape::Bool,
        "can_escalate_privs defanged is_active is_disabled is_family is_hidden is_multipart \
         is_privileged is_self_signed is_service_account revoked summary",
    ),
    (
        Shape::Integer,
        "confidence count dst_byte_count dst_packets dst_port number number_observed \
         number_of_subkeys pid size src_byte_count src_packets src_port \
         subject_public_key_exponent",
    ),
    (Shape::Number, "latitude longitude precision"),
    (
        Shape::Time,
        "account_created account_expires account_first_login account_last_login analysis_ended \
         analysis_started atime created created_time credential_last_changed ctime date end \
         first_observed first_seen last_observed last_seen modified modified_time mtime \
         object_modified published start start_time stop_time submitted valid_from valid_until \
         validity_not_after validity_not_before",
    ),
    (
        Shape::Id,
        "belongs_to_ref content_ref created_by_ref creator_user_ref dst_payload_ref dst_ref \
         encapsulated_by_ref from_ref host_vm_ref id image_ref object_ref operating_system_ref \
         parent_directory_ref parent_ref raw_email_ref sample_ref sender_ref sighting_of_ref \
         source_ref src_payload_ref src_ref target_ref",
    ),
    (
        Shape::Ids,
        "analysis_sco_refs bcc_refs belongs_to_refs cc_refs child_refs contains_refs \
         encapsulates_refs installed_software_refs object_marking_refs object_refs \
         observed_data_refs opened_connection_refs operating_system_refs resolves_to_refs \
         sample_refs to_refs where_sighted_refs",
    ),
    (
        Shape::Object,
        "additional_header_fields contents definition environment_variables extensions hashes \
         ipfix objects x509_v3_extensions",
    ),
    (
        Shape::Objects,
        "body_multipart external_references granular_markings kill_chain_phases values",
    ),
];

static SHAPE_OF: LazyLock<HashMap<&'static str, Shape>> = LazyLock::new(|| {
    let named = |(shape, names): &(Shape, &'static str)| {
        let shape = *shape;
        names.split_ascii_whitespace().map(move |name| (name, shape))
    };
    SHAPES.iter().flat_map(named).collect()
});

/// The kind of value that STIX 2.1 gives the property `name`; `None` for names it does not have.
pub fn shape(name: &str) -> Option<Shape> {
    SHAPE_OF.get(name).copied()
}

/// Properties that objects of every type may have (STIX 2.1 §3.2), so custom ones as well.
const COMMON: &[&str] = &[
    "type",
    "id",
    "spec_version",
    "created",
    "modified",
    "revoked",
    "created_by_ref",
    "labels",
    "confidence",
    "lang",
    "external_references",
    "object_marking_refs",
    "granular_markings",
    "extensions",
];

/// Whether a later time may equal the earlier one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bound {
    NotEarlier,
    Later,
}

/// What a type demands besides the common properties.
#[derive(Clone, Copy)]
struct Rule {
    class: Class,
    required: &'static [&'static str],
    one_of: &'static [&'static str],
    requires: &'static [(&'static str, &'static str)],
    excludes: &'static [(&'static str, &'static str)],
    order: &'static [(&'static str, &'static str, Bound)],
}

const DOMAIN: Rule = Rule {
    class: Class::Domain,
    required: &[],
    one_of: &[],
    requires: &[],
    excludes: &[],
    order: &[],
};
const NAMED: Rule = Rule { required: &["name"], ..DOMAIN };
const SEEN: Rule = Rule { order: &[("first_seen", "last_seen", Bound::NotEarlier)], ..NAMED };
const OBSERVABLE: Rule = Rule { class: Class::Observable, ..DOMAIN };
const VALUE: Rule = Rule { required: &["value"], ..OBSERVABLE };
const META: Rule = Rule { class: Class::Meta, ..DOMAIN };

/// The types of STIX 2.1: domain (§4), relationship (§5), observable (§6), meta (§7).
const RULES: &[(&str, Rule)] = &[
    ("attack-pattern", NAMED),
    ("campaign", SEEN),
    ("course-of-action", NAMED),
    ("grouping", Rule { required: &["context", "object_refs"], ..DOMAIN }),
    ("identity", NAMED),
    ("incident", NAMED),
    (
        "indicator",
        Rule {
            required: &["pattern", "pattern_type", "valid_from"],
            order: &[("valid_from", "valid_until", Bound::Later)],
            ..DOMAIN
        },
    ),
    ("infrastructure", SEEN),
    ("intrusion-set", SEEN),
    (
        "location",
        Rule {
            one_of: &["region", "country", "latitude"],
            requires: &[
                ("latitude", "longitude"),
                ("longitude", "latitude"),
                ("precision", "latitude"),
            ],
            ..DOMAIN
        },
    ),
    ("malware", Rule { required: &["is_family"], ..SEEN }),
    (
        "malware-analysis",
        Rule { required: &["product"], one_of: &["result", "analysis_sco_refs"], ..DOMAIN },
    ),
    ("note", Rule { required: &["content", "object_refs"], ..DOMAIN }),
    (
        "observed-data",
        Rule {
            required: &["first_observed", "last_observed", "number_observed"],
            one_of: &["objects", "object_refs"],
            excludes: &[("objects", "object_refs")],
            order: &[("first_observed", "last_observed", Bound::NotEarlier)],
            ..DOMAIN
        },
    ),
    ("opinion", Rule { required: &["opinion", "object_refs"], ..DOMAIN }),
    ("report", Rule { required: &["name", "published", "object_refs"], ..DOMAIN }),
    ("threat-actor", SEEN),
    ("tool", NAMED),
    ("vulnerability", NAMED),
    (
        "relationship",
        Rule {
            class: Class::Relationship,
            required: &["relationship_type", "source_ref", "target_ref"],
            order: &[("start_time", "stop_time", Bound::Later)],
            ..DOMAIN
        },
    ),
    ("sighting", Rule { class: Class::Relationship, required: &["sighting_of_ref"], ..SEEN }),
    (
        "artifact",
        Rule {
            one_of: &["payload_bin", "url"],
            requires: &[("url", "hashes"), ("decryption_key", "encryption_algorithm")],
            excludes: &[("payload_bin", "url")],
            ..OBSERVABLE
        },
    ),
    ("autonomous-system", Rule { required: &["number"], ..OBSERVABLE }),
    ("directory", Rule { required: &["path"], ..OBSERVABLE }),
    ("domain-name", VALUE),
    ("email-addr", VALUE),
    ("email-message", Rule { required: &["is_multipart"], ..OBSERVABLE }),
    ("file", Rule { one_of: &["hashes", "name"], ..OBSERVABLE }),
    ("ipv4-addr", VALUE),
    ("ipv6-addr", VALUE),
    ("mac-addr", VALUE),
    ("mutex", Rule { required: &["name"], ..OBSERVABLE }),
    (
        "network-traffic",
        Rule {
            required: &["protocols"],
            one_of: &["src_ref", "dst_ref"],
            order: &[("start", "end", Bound::NotEarlier)],
            ..OBSERVABLE
        },
    ),
    (
        "process",
        Rule {
            one_of: &[
                "extensions",
                "is_hidden",
                "pid",
                "created_time",
                "cwd",
                "command_line",
                "environment_variables",
                "opened_connection_refs",
                "creator_user_ref",
                "image_ref",
                "parent_ref",
                "child_refs",
            ],
            ..OBSERVABLE
        },
    ),
    ("software", Rule { required: &["name"], ..OBSERVABLE }),
    ("url", VALUE),
    (
        "user-account",
        Rule {
            one_of: &[
                "extensions",
                "user_id",
                "credential",
                "account_login",
                "account_type",
                "display_name",
                "is_service_account",
                "is_privileged",
                "can_escalate_privs",
                "is_disabled",
                "account_created",
                "account_expires",
                "credential_last_changed",
                "account_first_login",
                "account_last_login",
            ],
            ..OBSERVABLE
        },
    ),
    (
        "windows-registry-key",
        Rule {
            one_of: &["key", "values", "modified_time", "creator_user_ref", "number_of_subkeys"],
            ..OBSERVABLE
        },
    ),
    (
        "x509-certificate",
        Rule {
            one_of: &[
                "is_self_signed",
                "hashes",
                "version",
                "serial_number",
                "signature_algorithm",
                "issuer",
                "validity_not_before",
                "validity_not_after",
                "subject",
                "subject_public_key_algorithm",
                "subject_public_key_modulus",
                "subject_public_key_exponent",
                "x509_v3_extensions",
            ],
            ..OBSERVABLE
        },
    ),
    (
        "extension-definition",
        Rule {
            required: &["created_by_ref", "name", "schema", "version", "extension_types"],
            ..META
        },
    ),
    ("language-content", Rule { required: &["object_ref", "contents"], ..META }),
    (
        "marking-definition",
        Rule {
            one_of: &["definition", "extensions"],
            requires: &[("definition", "definition_type"), ("definition_type", "definition")],
            ..META
        },
    ),
];

/// Properties that may name objects of these types only.
const TARGETS: &[(&str, &[&str])] = &[
    ("created_by_ref", &["identity"]),
    ("object_marking_refs", &["marking-definition"]),
    ("observed_data_refs", &["observed-data"]),
    ("where_sighted_refs", &["identity", "location"]),
];

/// Numbers between two bounds, both included.
const RANGES: &[(&str, f64, f64)] = &[
    ("confidence", 0.0, 100.0),
    ("count", 0.0, 999_999_999.0),
    ("dst_port", 0.0, 65_535.0),
    ("latitude", -90.0, 90.0),
    ("longitude", -180.0, 180.0),
    ("number_observed", 1.0, 999_999_999.0),
    ("src_port", 0.0, 65_535.0),
];

/// The names that the standard gives types, with each type's class.
pub fn types() -> impl Iterator<Item = (&'static str, Class)> {
    RULES.iter().map(|(name, rule)| (*name, rule.class))
}

/// The properties that a type demands besides the common ones; none for types it does not have.
pub fn required(type_name: &str) -> &'static [&'static str] {
    rule(type_name).map_or(&[], |rule| rule.required)
}

/// Properties of which a type demands at least one; none for types it does not have.
pub fn one_of(type_name: &str) -> &'static [&'static str] {
    rule(type_name).map_or(&[], |rule| rule.one_of)
}

/// The class of a type; [`Class::Custom`] for names that the standard does not have.
pub fn class(type_name: &str) -> Class {
    rule(type_name).map_or(Class::Custom, |rule| rule.class)
}

fn rule(type_name: &str) -> Option<&'static Rule> {
    RULES.iter().find_map(|(name, rule)| (*name == type_name).then_some(rule))
}

/// Whether a property is there; null and the empty list are not (STIX 2.1 §2.12).
fn has(object: &Json<'_>, name: &str) -> bool {
    object.get(name).is_some_and(|value| !is_empty(value))
}

const fn is_empty(value: &Json<'_>) -> bool {
    match value {
        Json::Null => true,
        Json::List(members) => members.is_empty(),
        Json::Bool(_) | Json::Number(_) | Json::Text(_) | Json::Object(_) => false,
    }
}

/// Holds an object, whose type and id have been read, to every rule.
pub(crate) fn check(object: &Json<'_>, type_name: &str, findings: &mut Findings) {
    check_shapes(object, class(type_name), findings);
    check_common(object, type_name, findings);
    if let Some(rule) = rule(type_name) {
        check_rule(object, rule, findings);
        check_ranges(object, findings);
        check_by_value(object, type_name, findings);
    }
    check_order(object, ("created", "modified", Bound::NotEarlier), findings);
}

/// Every property that the standard knows has the kind of value that it gives (STIX 2.1 §2).
fn check_shapes(object: &Json<'_>, class: Class, findings: &mut Findings) {
    for (name, value) in object.entries() {
        let Some((name, shape)) = SHAPE_OF.get_key_value(name.as_ref()) else {
            continue;
        };
        if class == Class::Custom && !COMMON.contains(name) {
            continue;
        }
        if is_empty(value) {
            // A null list of markings may have been meant to say something; an empty one says none.
            let marking = matches!(*name, "object_marking_refs" | "granular_markings");
            let unclear = marking && matches!(value, Json::Null);
            findings.push(if unclear { Fault::WrongKind(name) } else { Fault::Empty(name) });
        } else {
            check_value(name, *shape, value, findings);
        }
    }
}

fn check_value(name: &'static str, shape: Shape, value: &Json<'_>, findings: &mut Findings) {
    let fits = match shape {
        Shape::Text => value.text().is_some(),
        Shape::Texts => all(value, |member| member.text().is_some()),
        Shape::Bool => value.truth().is_some(),
        Shape::Integer => value.integer().is_some(),
        Shape::Number => value.number().is_some(),
        Shape::Object => matches!(value, Json::Object(_)),
        Shape::Objects => all(value, |member| matches!(member, Json::Object(_))),
        Shape::Time => {
            if value.text().is_some_and(|text| text.parse::<Timestamp>().is_err()) {
                findings.push(Fault::Timestamp(name));
            }
            value.text().is_some()
        }
        Shape::Id => check_id(name, value, findings),
        Shape::Ids => {
            // Each member is looked at; `all` would stop at the first fault.
            let misfits = value.members().iter().filter(|id| !check_id(name, id, findings)).count();
            matches!(value, Json::List(_)) && misfits == 0
        }
    };
    if !fits {
        findings.push(Fault::WrongKind(name));
    }
}

fn all(list: &Json<'_>, fits: impl Fn(&Json<'_>) -> bool) -> bool {
    matches!(list, Json::List(_)) && list.members().iter().all(fits)
}

/// An identifier has its form and names an object of an allowed type; false when it is no text.
fn check_id(name: &'static str, value: &Json<'_>, findings: &mut Findings) -> bool {
    let Some(text) = value.text() else {
        return false;
    };
    match text.parse::<StixId>() {
        Err(_form) => findings.push(Fault::Id(name)),
        Ok(id) => {
            let targets = TARGETS.iter().find(|(of, _)| *of == name);
            if targets.is_some_and(|(_, types)| !types.contains(&id.type_name())) {
                findings.push(Fault::IdType(name));
            }
            if id.as_str() != text {
                findings.push(Fault::IdCapitals(name));
            }
        }
    }
    true
}

/// The properties that the class demands (STIX 2.1 §3.2).
///
/// An object of a custom type is held to those of a domain object as soon as it has one of them:
/// without, it is an observable.
fn check_common(object: &Json<'_>, type_name: &str, findings: &mut Findings) {
    let versioned = has(object, "created") || has(object, "modified");
    let (spec_version, times): (bool, &[&'static str]) = match class(type_name) {
        Class::Meta if type_name == "marking-definition" => (true, &["created"]),
        Class::Domain | Class::Relationship | Class::Meta => (true, &["created", "modified"]),
        Class::Custom if versioned => (true, &["created", "modified"]),
        Class::Custom | Class::Observable => (false, &[]),
    };
    match object.get("spec_version").and_then(Json::text) {
        Some("2.1") => {}
        None if !spec_version => {}
        Some(_) | None => findings.push(Fault::SpecVersion),
    }
    for name in times {
        if !has(object, name) {
            findings.push(Fault::Missing(name));
        }
    }
}

fn check_rule(object: &Json<'_>, rule: &'static Rule, findings: &mut Findings) {
    for name in rule.required {
        if !has(object, name) {
            findings.push(Fault::Missing(name));
        }
    }
    if !rule.one_of.is_empty() && !rule.one_of.iter().any(|name| has(object, name)) {
        findings.push(Fault::MissingOneOf(rule.one_of));
    }
    for (name, needed) in rule.requires {
        if has(object, name) && !has(object, needed) {
            findings.push(Fault::Requires(name, needed));
        }
    }
    for (a, b) in rule.excludes {
        if has(object, a) && has(object, b) {
            findings.push(Fault::Excludes(a, b));
        }
    }
    for order in rule.order {
        check_order(object, *order, findings);
    }
}

fn check_order(
    object: &Json<'_>,
    (first, last, bound): (&'static str, &'static str, Bound),
    findings: &mut Findings,
) {
    let time = |name| object.get(name)?.text()?.parse::<Timestamp>().ok();
    if let (Some(earlier), Some(later)) = (time(first), time(last)) {
        let fits = match bound {
            Bound::NotEarlier => earlier <= later,
            Bound::Later => earlier < later,
        };
        if !fits {
            findings.push(Fault::Order(first, last));
        }
    }
}

fn check_ranges(object: &Json<'_>, findings: &mut Findings) {
    for (name, least, most) in RANGES {
        let number = object.get(name).and_then(Json::number);
        if number.is_some_and(|number| number < *least || number > *most) {
            findings.push(Fault::Range(name));
        }
    }
}

/// Rules in which the value of one property decides on another (STIX 2.1 §4.11, §6.6, §6.12).
fn check_by_value(object: &Json<'_>, type_name: &str, findings: &mut Findings) {
    let truth = |name| object.get(name).and_then(Json::truth);
    match type_name {
        "malware" if truth("is_family") == Some(true) && !has(object, "name") => {
            findings.push(Fault::Requires("is_family", "name"));
        }
        "email-message" if truth("is_multipart") == Some(true) && has(object, "body") => {
            findings.push(Fault::Excludes("is_multipart", "body"));
        }
        "email-message"
            if truth("is_multipart") == Some(false) && has(object, "body_multipart") =>
        {
            findings.push(Fault::Requires("body_multipart", "is_multipart"));
        }
        "network-traffic" if truth("is_active") == Some(true) && has(object, "end") => {
            findings.push(Fault::Excludes("is_active", "end"));
        }
        _ => {}
    }
}
