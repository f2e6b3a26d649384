//! What each type demands (STIX 2.1 §3 to §7).

use interop::stix::rules::{one_of, required, types};
use interop::stix::{Class, StixObject};

use crate::sample::{ADDRESS, IDENTITY, INDICATOR};
use crate::{slugs, slugs_of, taken, with};

/// A value that fits each property that some type demands.
fn value(name: &str) -> &'static str {
    match name {
        "object_refs" => r#"["identity--311b2d2d-f010-4473-83ec-1edf84858f4c"]"#,
        "analysis_sco_refs" | "opened_connection_refs" | "child_refs" => {
            r#"["ipv4-addr--28bb3599-77cd-5a82-a950-b5bc3caf07c4"]"#
        }
        "created_by_ref" | "source_ref" | "target_ref" | "object_ref" | "sighting_of_ref" => {
            r#""identity--311b2d2d-f010-4473-83ec-1edf84858f4c""#
        }
        "src_ref" | "dst_ref" | "creator_user_ref" | "image_ref" | "parent_ref" => {
            r#""ipv4-addr--28bb3599-77cd-5a82-a950-b5bc3caf07c4""#
        }
        "valid_from"
        | "published"
        | "first_observed"
        | "last_observed"
        | "created_time"
        | "modified_time"
        | "account_created"
        | "account_expires"
        | "credential_last_changed"
        | "account_first_login"
        | "account_last_login"
        | "validity_not_before"
        | "validity_not_after" => r#""2026-01-02T03:04:05Z""#,
        "is_family" | "is_multipart" | "is_hidden" | "is_self_signed" | "is_service_account"
        | "is_privileged" | "can_escalate_privs" | "is_disabled" => "false",
        "number"
        | "number_observed"
        | "pid"
        | "number_of_subkeys"
        | "subject_public_key_exponent" => "7",
        "latitude" => "7.5",
        "protocols" | "extension_types" => r#"["tcp"]"#,
        "contents"
        | "definition"
        | "extensions"
        | "hashes"
        | "objects"
        | "environment_variables"
        | "x509_v3_extensions" => r#"{"MD5":"a"}"#,
        "values" => r#"[{"name":"a"}]"#,
        _ => "\"text\"",
    }
}

fn id(type_name: &str) -> String {
    format!("\"{type_name}--a932fcc6-e032-476c-826f-cb970a5a1ade\"")
}

/// The least object of a type, with the first of the properties of which it needs one.
fn least(type_name: &str, class: Class) -> String {
    let mut text = with(&with("{}", "type", &format!("\"{type_name}\"")), "id", &id(type_name));
    if class != Class::Observable {
        for (name, value) in [
            ("spec_version", "\"2.1\""),
            ("created", r#""2026-01-02T03:04:05.678Z""#),
            ("modified", r#""2026-01-02T03:04:05.678Z""#),
        ] {
            text = with(&text, name, value);
        }
    }
    for name in required(type_name) {
        text = with(&text, name, value(name));
    }
    if let Some(name) = one_of(type_name).first() {
        text = with(&text, name, value(name));
    }
    if type_name == "marking-definition" {
        text = with(&with(&text, "definition_type", "\"statement\""), "modified", "");
    }
    text
}

#[test]
fn the_least_object_of_every_type_is_taken() {
    assert_eq!(types().count(), 42);
    for (type_name, class) in types() {
        let text = least(type_name, class);
        let outcome = StixObject::read(&text);
        assert!(outcome.is_ok(), "{text}: {:?}", outcome.map_err(|refusal| refusal.faults));
    }
}

#[test]
fn without_any_one_of_its_required_properties_an_object_is_refused() {
    for (type_name, class) in types() {
        let text = least(type_name, class);
        for name in required(type_name) {
            assert_eq!(slugs(&with(&text, name, "")), ["stix-missing"], "{type_name} {name}");
        }
        if class != Class::Observable {
            assert_eq!(slugs(&with(&text, "created", "")), ["stix-missing"], "{type_name}");
            assert_eq!(slugs(&with(&text, "spec_version", "")), ["stix-spec-version"]);
            if type_name != "marking-definition" {
                assert_eq!(slugs(&with(&text, "modified", "")), ["stix-missing"], "{type_name}");
            }
        }
    }
}

#[test]
fn without_all_of_the_properties_of_which_it_needs_one_an_object_is_refused() {
    for (type_name, class) in types() {
        let Some(first) = one_of(type_name).first() else { continue };
        let without = with(&least(type_name, class), first, "");
        assert!(slugs(&without).contains(&"stix-missing-one-of"), "{type_name}");
        for name in one_of(type_name) {
            let with_one = with(&without, name, value(name));
            let with_one =
                if *name == "latitude" { with(&with_one, "longitude", "7") } else { with_one };
            let with_one = if *name == "url" { with(&with_one, "hashes", "{}") } else { with_one };
            let extended = type_name == "marking-definition" && *name == "extensions";
            let with_one = if extended { with(&with_one, "definition_type", "") } else { with_one };
            assert!(StixObject::read(&with_one).is_ok(), "{with_one}");
        }
    }
}

#[test]
fn every_property_has_its_kind_of_value() {
    for (name, value) in [
        ("name", "7"),
        ("labels", "\"x\""),
        ("labels", "[7]"),
        ("revoked", "\"true\""),
        ("confidence", "\"85\""),
        ("confidence", "8.5"),
        ("created", "7"),
        ("created_by_ref", "7"),
        ("object_marking_refs", "{}"),
        ("object_marking_refs", "[7]"),
        ("external_references", "[\"x\"]"),
        ("extensions", "[{}]"),
    ] {
        assert!(slugs(&with(IDENTITY, name, value)).contains(&"stix-wrong-kind"), "{name} {value}");
    }
}

#[test]
fn an_identifier_names_what_it_may_name() {
    let tool = r#""tool--a932fcc6-e032-476c-826f-cb970a5a1ade""#;
    assert_eq!(slugs(&with(IDENTITY, "created_by_ref", tool)), ["stix-id-type"]);
    let tools = format!("[{tool}]");
    assert_eq!(slugs(&with(IDENTITY, "object_marking_refs", &tools)), ["stix-id-type"]);
    assert_eq!(slugs(&with(IDENTITY, "created_by_ref", "\"me\"")), ["stix-id"]);
    assert_eq!(slugs(&with(ADDRESS, "belongs_to_refs", "[\"me\"]")), ["stix-id"]);
}

#[test]
fn every_timestamp_that_the_standard_knows_is_read() {
    for name in ["created", "modified", "valid_from", "valid_until"] {
        let text = with(INDICATOR, name, r#""2026-01-02T03:04:05""#);
        assert_eq!(slugs(&text), ["stix-timestamp"], "{name}");
    }
    let file = r#"{"type":"file","id":"file--a932fcc6-e032-476c-826f-cb970a5a1ade","name":"a"}"#;
    assert_eq!(slugs(&with(file, "mtime", r#""yesterday""#)), ["stix-timestamp"]);
}

#[test]
fn a_later_time_is_not_earlier() {
    let early = r#""2025-01-01T00:00:00Z""#;
    assert_eq!(slugs(&with(IDENTITY, "modified", early)), ["stix-order"]);
    assert_eq!(slugs(&with(INDICATOR, "valid_until", early)), ["stix-order"]);
    // STIX 2.1 §4.7: valid_until is later than valid_from.
    assert_eq!(
        slugs(&with(INDICATOR, "valid_until", r#""2026-01-01T00:00:00.0Z""#)),
        ["stix-order"]
    );
    let campaign = least("campaign", Class::Domain);
    let seen = with(&campaign, "first_seen", early);
    // STIX 2.1 §4.2: last_seen may equal first_seen.
    assert!(StixObject::read(&with(&seen, "last_seen", early)).is_ok());
    assert_eq!(slugs(&with(&seen, "last_seen", r#""2024-12-31T00:00:00Z""#)), ["stix-order"]);
}

#[test]
fn a_number_lies_in_its_range() {
    for (type_name, name, fits, misses) in [
        ("tool", "confidence", ["0", "100"], ["-1", "101"]),
        ("sighting", "count", ["0", "999999999"], ["-1", "1000000000"]),
        ("observed-data", "number_observed", ["1", "999999999"], ["0", "1000000000"]),
        ("network-traffic", "src_port", ["0", "65535"], ["-1", "65536"]),
        ("network-traffic", "dst_port", ["0", "65535"], ["-1", "65536"]),
        ("location", "latitude", ["-90", "90.0"], ["-90.1", "91"]),
        ("location", "longitude", ["-180", "180.0"], ["-180.1", "181"]),
    ] {
        let class = interop::stix::rules::class(type_name);
        let mut text = least(type_name, class);
        if type_name == "location" {
            text = with(&with(&text, "latitude", "1"), "longitude", "1");
        }
        for fit in fits {
            assert!(StixObject::read(&with(&text, name, fit)).is_ok(), "{name} {fit}");
        }
        for miss in misses {
            assert_eq!(slugs(&with(&text, name, miss)), ["stix-range"], "{name} {miss}");
        }
    }
}

#[test]
fn some_properties_need_or_exclude_others() {
    let location = least("location", Class::Domain);
    assert_eq!(slugs(&with(&location, "latitude", "1")), ["stix-requires"]);
    assert_eq!(slugs(&with(&location, "precision", "1")), ["stix-requires"]);
    let artifact = least("artifact", Class::Observable);
    assert_eq!(
        slugs(&with(&artifact, "url", "\"https://example.com\"")),
        ["stix-excludes", "stix-requires"]
    );
    assert_eq!(slugs(&with(&artifact, "decryption_key", "\"infected\"")), ["stix-requires"]);
    let observed = least("observed-data", Class::Domain);
    assert_eq!(slugs(&with(&observed, "object_refs", value("object_refs"))), ["stix-excludes"]);
    let malware = least("malware", Class::Domain);
    let family = with(&with(&malware, "is_family", "true"), "name", "");
    assert!(slugs(&family).contains(&"stix-requires"));
    let message = least("email-message", Class::Observable);
    assert_eq!(slugs(&with(&message, "body_multipart", "[{}]")), ["stix-requires"]);
    let parts = with(&with(&message, "is_multipart", "true"), "body", "\"text\"");
    assert_eq!(slugs(&parts), ["stix-excludes"]);
    let traffic = with(&least("network-traffic", Class::Observable), "is_active", "true");
    assert_eq!(slugs(&with(&traffic, "end", r#""2026-01-02T03:04:05Z""#)), ["stix-excludes"]);
    let statement = least("marking-definition", Class::Meta);
    assert_eq!(slugs(&with(&statement, "definition_type", "")), ["stix-requires"]);
}

/// STIX 2.0 has no spec_version in its objects and other rules.
#[test]
fn an_object_of_another_version_of_the_standard_is_refused() {
    for version in ["", "\"2.0\"", "\"2.2\"", "2.1"] {
        let text = with(IDENTITY, "spec_version", version);
        assert!(slugs(&text).contains(&"stix-spec-version"), "{version}");
    }
    assert_eq!(slugs(&with(ADDRESS, "spec_version", "\"2.0\"")), ["stix-spec-version"]);
}

/// STIX 2.1 §11: what the standard does not know is taken and kept.
#[test]
fn a_custom_type_is_held_to_the_common_properties_alone() {
    let custom = IDENTITY.replace("identity", "x-mitre-tactic");
    let odd = with(&with(&custom, "name", "{}"), "first_seen", "7");
    let odd = with(&with(&odd, "x_ref", "7"), "value", "[]");
    let object = taken(&odd);
    assert_eq!((object.head.class, object.head.name.as_deref()), (Class::Custom, None));
    assert!(object.remarks.is_empty());
    assert_eq!(slugs(&with(&odd, "modified", "")), ["stix-missing"]);
    assert_eq!(slugs(&with(&odd, "spec_version", "")), ["stix-spec-version"]);
    assert_eq!(slugs(&with(&odd, "labels", "7")), ["stix-wrong-kind"]);
    let observable = r#"{"type":"x-thing","id":"x-thing--a932fcc6-e032-476c-826f-cb970a5a1ade"}"#;
    assert!(StixObject::read(observable).is_ok());
}

#[test]
fn an_unknown_property_of_a_known_type_is_kept() {
    let text = with(IDENTITY, "x_mitre_version", r#"{"a":[null]}"#);
    let object = taken(&text);
    assert!(object.value().get("x_mitre_version").is_some() && object.raw.contains("[null]"));
    assert_eq!(slugs_of(&object.remarks), Vec::<&str>::new());
}
