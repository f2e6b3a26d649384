//! Bundles: one bad object never loses the others, and the text is kept to the byte.

use base::crypto::sha256;
use interop::stix::{Bundle, Class, Detail, StixId, StixObject};
use interop::{Effect, Fault};

use crate::sample::{ADDRESS, IDENTITY, INDICATOR};
use crate::{bundle_of, read, refused, slugs_of, taken, with};

/// The small fixture: nine objects of which five are taken.
const MIXED: &[u8] = include_bytes!("../fixtures/mixed.json");

#[test]
fn one_bad_object_never_loses_the_others() {
    let bundle = Bundle::read(MIXED).expect("frame is read");
    let outcomes: Vec<_> = bundle.objects().collect();
    let refused: Vec<_> = outcomes
        .iter()
        .filter_map(|outcome| outcome.as_ref().err())
        .map(|refusal| (refusal.index, slugs_of(&refusal.faults)))
        .collect();
    assert_eq!(
        refused,
        [
            (2, vec!["stix-id"]),
            (3, vec!["stix-timestamp"]),
            (5, vec!["stix-missing"]),
            (7, vec!["stix-not-an-object"]),
        ]
    );
    let taken: Vec<_> = outcomes.iter().flatten().map(|object| object.index).collect();
    assert_eq!(taken, [0, 1, 4, 6, 8]);
}

#[test]
fn every_fault_of_an_object_is_told() {
    let text = with(&with(INDICATOR, "pattern", ""), "created", r#""yesterday""#);
    let refusal = refused(&with(&text, "confidence", "101"));
    assert_eq!(slugs_of(&refusal.faults), ["stix-missing", "stix-range", "stix-timestamp"]);
    assert_eq!(refusal.id.expect("id was read").type_name(), "indicator");
    assert!(refusal.faults.iter().all(|fault| fault.effect() == Effect::Refused));
}

#[test]
fn the_text_of_an_object_is_kept_to_the_byte() {
    let odd = "{ \"type\":\"x-odd\",\t\"id\":\"x-odd--a932fcc6-e032-476c-826f-cb970a5a1ade\",\r\n\
               \"x\\u0061\":1.0e+2 , \"z\":\"\\/\\u00e9\u{e9}\" }";
    let text = bundle_of(&[odd]);
    let bundle = read(&text);
    let object = bundle.objects().next().expect("one object").expect("it is taken");
    assert_eq!(object.raw, odd);
    assert_eq!(object.digest, sha256(odd.as_bytes()));
    assert_eq!(object.head.class, Class::Custom);
    assert_eq!(object.value().get("xa").and_then(interop::json::Json::number), Some(100.0));
}

#[test]
fn the_head_of_an_indicator_is_read() {
    let text = with(INDICATOR, "confidence", "85");
    let text = with(&text, "created_by_ref", r#""identity--311b2d2d-f010-4473-83ec-1edf84858f4c""#);
    let text = with(&text, "lang", r#""en""#);
    let text = with(&text, "revoked", "true");
    let references = r#"[{"source_name":"cve","external_id":"CVE-2026-1"},{"source_name":"blog"}]"#;
    let text = with(&text, "external_references", references);
    let object = taken(&text);
    let head = &object.head;
    assert_eq!(head.type_name(), "indicator");
    assert_eq!(head.class, Class::Domain);
    assert_eq!(head.spec_version.as_deref(), Some("2.1"));
    assert_eq!(
        head.created.and_then(interop::stix::Timestamp::time).expect("after 1970").ms() % 1000,
        678
    );
    assert_eq!(head.created_by.as_ref().map(StixId::type_name), Some("identity"));
    assert!(head.revoked);
    assert_eq!(head.name.as_deref(), Some("beacon"));
    assert_eq!(head.description.as_deref(), Some("Seen twice."));
    assert_eq!(head.labels, ["low", "slow"]);
    assert_eq!(head.confidence, Some(85));
    assert_eq!(head.lang.as_deref(), Some("en"));
    assert_eq!(head.external_ids.len(), 1);
    let Detail::Indicator { pattern, pattern_type, valid_until, .. } = &head.detail else {
        panic!("detail of an indicator");
    };
    assert_eq!(pattern, "[ipv4-addr:value = '198.51.100.3']");
    assert_eq!((pattern_type.as_str(), *valid_until), ("stix", None));
    assert!(object.remarks.is_empty());
}

#[test]
fn relationship_sighting_report_and_translation_name_their_objects() {
    let of = "malware--6b616fc1-1505-48e3-8b2c-0d19337bff38";
    let by = "identity--311b2d2d-f010-4473-83ec-1edf84858f4c";
    let common = r#""spec_version":"2.1","created":"2026-01-02T03:04:05.678Z",
        "modified":"2026-01-02T03:04:05.678Z""#;
    let text = format!(
        r#"{{"type":"relationship","id":"relationship--a932fcc6-e032-476c-826f-cb970a5a1ade",
        {common},"relationship_type":"uses","source_ref":"{by}","target_ref":"{of}"}}"#
    );
    let object = taken(&text);
    let Detail::Relationship { kind, source, target } = &object.head.detail else {
        panic!("detail of a relationship");
    };
    assert_eq!((kind.as_str(), source.as_str(), target.as_str()), ("uses", by, of));
    let named: Vec<_> = object.references().map(|(name, _)| name.to_owned()).collect();
    assert_eq!(named, ["source_ref", "target_ref"]);

    let text = format!(
        r#"{{"type":"sighting","id":"sighting--a932fcc6-e032-476c-826f-cb970a5a1ade",{common},
        "sighting_of_ref":"{of}","where_sighted_refs":["{by}"],"count":2}}"#
    );
    let Detail::Sighting { of: seen, where_sighted, observed_data } = taken(&text).head.detail
    else {
        panic!("detail of a sighting");
    };
    assert_eq!((seen.as_str(), where_sighted.len(), observed_data.len()), (of, 1, 0));

    let text = format!(
        r#"{{"type":"report","id":"report--a932fcc6-e032-476c-826f-cb970a5a1ade",{common},
        "name":"weekly","published":"2026-01-02T03:04:05Z","object_refs":["{of}","{by}"]}}"#
    );
    let Detail::About { objects } = taken(&text).head.detail else {
        panic!("detail of a report");
    };
    assert_eq!(objects.len(), 2);

    let text = format!(
        r#"{{"type":"language-content",
        "id":"language-content--a932fcc6-e032-476c-826f-cb970a5a1ade",
        {common},"object_ref":"{of}","object_modified":"2026-01-01T00:00:00Z",
        "contents":{{"de":{{"name":"Wurm"}}}}}}"#
    );
    let Detail::Language { object, object_modified } = taken(&text).head.detail else {
        panic!("detail of a translation");
    };
    assert_eq!((object.as_str(), object_modified.is_some()), (of, true));
}

/// STIX 2.1 §3.6, §7.2.1: neither has versions.
#[test]
fn an_observable_and_a_marking_definition_have_no_version() {
    let text = interop::stix::Tlp::Red.definition();
    let marking = with(&text, "modified", r#""2026-01-02T03:04:05Z""#);
    assert_eq!(taken(&marking).head.modified, None);
    let object = with(ADDRESS, "modified", r#""2026-01-02T03:04:05Z""#);
    assert_eq!(taken(&object).head.modified, None);
}

#[test]
fn of_two_objects_with_one_version_and_other_content_the_first_is_taken() {
    let second = with(IDENTITY, "name", r#""Station South""#);
    let text = bundle_of(&[IDENTITY, &second]);
    let outcomes: Vec<_> = read(&text).objects().collect();
    assert_eq!(outcomes.len(), 2);
    assert_eq!(
        outcomes[0].as_ref().expect("first is taken").head.name.as_deref(),
        Some("Station North")
    );
    let refusal = outcomes[1].as_ref().expect_err("second is refused");
    assert!(matches!(refusal.faults[..], [Fault::Conflict { first: 0 }]));
}

#[test]
fn the_same_object_again_is_passed_over_however_it_is_spelt() {
    let spelt = with(IDENTITY, "name", r#""Station\u0020North""#);
    let text = bundle_of(&[IDENTITY, IDENTITY, &spelt]);
    let outcomes: Vec<_> = read(&text).objects().collect();
    for outcome in &outcomes[1..] {
        let refusal = outcome.as_ref().expect_err("it is refused");
        assert!(matches!(refusal.faults[..], [Fault::Repeated { first: 0 }]));
    }
    assert_eq!(
        taken(IDENTITY).value_digest().expect("digest"),
        taken(&spelt).value_digest().expect("digest")
    );
    assert_ne!(taken(IDENTITY).digest, taken(&spelt).digest);
}

/// STIX 2.1 §3.6: the version is the instant of `modified`, to its last digit.
#[test]
fn versions_differ_by_the_instant_and_not_by_its_spelling() {
    let later = with(IDENTITY, "modified", r#""2026-01-02T03:04:05.678001Z""#);
    let same = with(IDENTITY, "modified", r#""2026-01-02T03:04:05.6780Z""#);
    let text = bundle_of(&[IDENTITY, &later, &same]);
    let outcomes: Vec<_> = read(&text).objects().collect();
    assert!(outcomes[1].is_ok());
    let refusal = outcomes[2].as_ref().expect_err("it is the first version");
    assert!(matches!(refusal.faults[..], [Fault::Conflict { first: 0 }]));
}

#[test]
fn a_refused_object_holds_no_version() {
    let bad = with(IDENTITY, "name", "7");
    let text = bundle_of(&[&bad, IDENTITY]);
    let outcomes: Vec<_> = read(&text).objects().collect();
    assert!(outcomes[0].is_err() && outcomes[1].is_ok());
}

#[test]
fn a_text_that_is_no_bundle_is_refused_as_a_whole() {
    let slug = |text: &str| Bundle::read(text.as_bytes()).expect_err("refused").code().slug;
    assert_eq!(slug(""), "not-json");
    assert_eq!(slug("{"), "not-json");
    assert_eq!(slug("[]"), "stix-not-a-bundle");
    assert_eq!(slug("\"secret\""), "stix-not-a-bundle");
    assert_eq!(slug("{}"), "stix-not-a-bundle");
    assert_eq!(slug(IDENTITY), "stix-not-a-bundle");
    assert_eq!(slug(r#"{"type":"bundle","objects":{}}"#), "stix-not-a-bundle");
    assert_eq!(slug(r#"{"type":["bundle"],"objects":[]}"#), "stix-not-a-bundle");
    assert_eq!(slug(r#"{"type":"bundle","objects":[{"a":tru}]}"#), "not-json");
    assert_eq!(slug(r#"{"type":"bundle"} x"#), "not-json");
    assert_eq!(slug(r#"{"type":"bundle","objects":[],"objects":[]}"#), "json-repeated-name");
    let latin = Bundle::read(b"{\"type\":\"bundle\xe9\"}").expect_err("refused");
    assert_eq!(latin.code().slug, "not-utf8");
}

#[test]
fn the_frame_of_a_bundle_may_lack_much() {
    let empty = read(r#"{"type":"bundle","id":"bundle--5d0092c5-5f74-4287-9642-33f4c354e56d"}"#);
    assert!(empty.is_empty() && empty.id().is_some() && empty.remarks().is_empty());
    let text =
        format!("\u{feff}{{\"objects\":[{IDENTITY}],\"x\":[[]],\"id\":7,\"type\":\"bundle\"}}");
    let bundle = read(&text);
    assert_eq!((bundle.len(), bundle.objects().flatten().count()), (1, 1));
    assert_eq!(bundle.id(), None);
    assert_eq!(slugs_of(bundle.remarks()), ["stix-bundle-id"]);
}

/// RFC 7493 §2.3: of two values under one name each reader takes another.
#[test]
fn a_name_that_stands_twice_refuses_the_object() {
    let twice = IDENTITY.replace("\"name\":", "\"n\\u0061me\":\"A\",\"name\":");
    assert_eq!(slugs_of(&refused(&twice).faults), ["json-repeated-name"]);
    let deep = with(IDENTITY, "x_deep", r#"[{"a":{"b":1,"c":2}}]"#).replace("\"c\"", "\"b\"");
    assert_eq!(slugs_of(&refused(&deep).faults), ["json-repeated-name"]);
}

/// RFC 7493 §2.1: half a surrogate pair is no character.
#[test]
fn half_a_surrogate_pair_refuses_the_object_and_no_other() {
    let half = IDENTITY.replace("Station North", "\\ud800");
    let text = bundle_of(&[&half, ADDRESS]);
    let outcomes: Vec<_> = read(&text).objects().collect();
    assert_eq!(slugs_of(&outcomes[0].as_ref().expect_err("refused").faults), ["not-json"]);
    assert!(outcomes[1].is_ok());
}

#[test]
fn null_and_empty_lists_are_read_as_absent() {
    let text = with(&with(IDENTITY, "labels", "[]"), "description", "null");
    let object = taken(&text);
    assert_eq!(slugs_of(&object.remarks), ["stix-empty"]);
    assert_eq!(object.head.description, None);
    assert_eq!(slugs_of(&refused(&with(IDENTITY, "name", "null")).faults), ["stix-missing"]);
    assert!(StixObject::read(&with(IDENTITY, "object_marking_refs", "[]")).is_ok());
    let unclear = with(IDENTITY, "object_marking_refs", "null");
    assert_eq!(slugs_of(&refused(&unclear).faults), ["stix-wrong-kind"]);
}

#[test]
fn a_fault_never_quotes_what_was_received() {
    let secret = "ZEBRA";
    let texts = [
        with(IDENTITY, "id", &format!("\"identity--{secret}\"")),
        with(IDENTITY, "type", &format!("\"{secret}\"")),
        with(IDENTITY, "created", &format!("\"{secret}\"")),
        with(IDENTITY, "name", &format!("{{\"{secret}\":1}}")),
        with(IDENTITY, "spec_version", &format!("\"{secret}\"")),
        with(IDENTITY, "x", "1").replace("\"x\":1", &format!("\"{secret}\":1,\"{secret}\":2")),
        format!("\"{secret}\""),
        format!("{{\"{secret}\":{secret}}}"),
        bundle_of(&[]).replace("\"bundle\"", &format!("\"{secret}\"")),
        bundle_of(&[]).replace("[]", &format!("\"{secret}\"")),
    ];
    for text in texts {
        let told = |fault: &Fault| {
            let mut told = format!("{fault} {fault:?}");
            let mut cause = std::error::Error::source(fault);
            while let Some(error) = cause {
                told.push_str(&error.to_string());
                cause = error.source();
            }
            told
        };
        for fault in StixObject::read(&text).map_or_else(|refusal| refusal.faults, |_| Vec::new()) {
            assert!(!told(&fault).contains(secret), "{}", told(&fault));
        }
        if let Err(fault) = Bundle::read(text.as_bytes()) {
            assert!(!told(&fault).contains(secret), "{}", told(&fault));
        }
    }
}
