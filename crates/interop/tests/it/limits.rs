//! Every limit, at its value and one above.

use interop::json::Json;
use interop::stix::search::SearchText;
use interop::stix::{Bundle, StixId, StixObject, Timestamp, Tlp};
use interop::{Fault, limit};

use crate::sample::{IDENTITY, INDICATOR};
use crate::{bundle_of, read, refused, slugs, taken, with};

fn quoted(text: &str) -> String {
    serde_json::to_string(text).expect("text")
}

#[test]
fn bytes_of_a_bundle() {
    // No JSON: the size is looked at first, so the fault tells whether the limit was met.
    let bytes = vec![b'x'; limit::BUNDLE_BYTES + 1];
    let fault = Bundle::read(&bytes).expect_err("refused");
    assert!(matches!(fault, Fault::BundleBytes(bytes) if bytes == limit::BUNDLE_BYTES + 1));
    let fault = Bundle::read(&bytes[1..]).expect_err("refused");
    assert!(matches!(fault, Fault::Json(_)));
}

#[test]
fn objects_of_a_bundle() {
    let bundle = |count| bundle_of(&vec!["0"; count]);
    assert_eq!(read(&bundle(limit::BUNDLE_OBJECTS)).len(), limit::BUNDLE_OBJECTS);
    let text = bundle(limit::BUNDLE_OBJECTS + 1);
    assert!(matches!(Bundle::read(text.as_bytes()), Err(Fault::BundleObjects)));
}

#[test]
fn bytes_of_an_object() {
    let sized = |bytes: usize| {
        let without = with(IDENTITY, "x_fill", "\"\"");
        with(IDENTITY, "x_fill", &quoted(&"x".repeat(bytes - without.len())))
    };
    let largest = sized(limit::OBJECT_BYTES);
    assert_eq!(taken(&largest).raw.len(), limit::OBJECT_BYTES);
    let larger = sized(limit::OBJECT_BYTES + 1);
    assert!(matches!(refused(&larger).faults[..], [Fault::ObjectBytes(_)]));
    let text = bundle_of(&[&larger, IDENTITY]);
    assert_eq!(read(&text).objects().flatten().count(), 1, "the other is taken");
}

#[test]
fn levels_of_a_text() {
    let deep = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
    assert!(Json::parse(&deep(limit::JSON_DEPTH)).is_ok());
    assert!(matches!(Json::parse(&deep(limit::JSON_DEPTH + 1)), Err(Fault::Depth)));
    // The object itself is the first level.
    assert!(StixObject::read(&with(IDENTITY, "x", &deep(limit::JSON_DEPTH - 1))).is_ok());
    let deeper = IDENTITY.replace('{', &format!("{{\"x\":{},", deep(limit::JSON_DEPTH)));
    assert_eq!(slugs(&deeper), ["json-depth"]);
    let abyss = IDENTITY.replace('{', &format!("{{\"x\":{},", deep(100_000)));
    let text = bundle_of(&[&abyss, IDENTITY]);
    assert_eq!(read(&text).objects().flatten().count(), 1, "the other is taken");
}

#[test]
fn values_of_a_text() {
    let list = |members: usize| format!("[{}]", vec!["0"; members].join(","));
    assert!(Json::parse(&list(limit::JSON_VALUES - 1)).is_ok());
    assert!(matches!(Json::parse(&list(limit::JSON_VALUES)), Err(Fault::Values)));
}

#[test]
fn markings_of_an_object() {
    let marking = quoted(Tlp::Green.definition_id());
    let refs = |count| {
        with(
            INDICATOR,
            "object_marking_refs",
            &format!("[{}]", vec![marking.as_str(); count].join(",")),
        )
    };
    assert!(StixObject::read(&refs(limit::MARKINGS_PER_OBJECT)).is_ok());
    assert_eq!(slugs(&refs(limit::MARKINGS_PER_OBJECT + 1)), ["stix-too-many"]);
    let one = format!(r#"{{"marking_ref":{marking},"selectors":["name"]}}"#);
    let granular = |count| {
        with(INDICATOR, "granular_markings", &format!("[{}]", vec![one.as_str(); count].join(",")))
    };
    assert!(StixObject::read(&granular(limit::MARKINGS_PER_OBJECT)).is_ok());
    assert_eq!(slugs(&granular(limit::MARKINGS_PER_OBJECT + 1)), ["stix-too-many"]);
}

#[test]
fn selectors_of_an_object() {
    let object = |count: usize| {
        let names: Vec<String> = (0..count).map(|n| format!("x_{n}")).collect();
        let mut text = INDICATOR.to_owned();
        for name in &names {
            text = text.replacen('{', &format!("{{{}:0,", quoted(name)), 1);
        }
        let (first, rest) = names.split_at(count / 2);
        let marking = |selectors: &[String]| {
            let id = Tlp::Red.definition_id();
            serde_json::json!({"marking_ref": id, "selectors": selectors})
        };
        let list = serde_json::json!([marking(first), marking(rest)]);
        with(&text, "granular_markings", &list.to_string())
    };
    let text = object(limit::SELECTORS_PER_OBJECT);
    assert_eq!(taken(&text).head.granular_markings.len(), limit::SELECTORS_PER_OBJECT);
    assert_eq!(slugs(&object(limit::SELECTORS_PER_OBJECT + 1)), ["stix-too-many"]);
}

#[test]
fn faults_told_of_an_object() {
    let bad = |count: usize| {
        let ids = vec!["\"x\""; count].join(",");
        with(IDENTITY, "object_marking_refs", &format!("[{ids}]"))
    };
    assert_eq!(refused(&bad(limit::FAULTS_PER_OBJECT)).faults.len(), limit::FAULTS_PER_OBJECT);
    assert_eq!(refused(&bad(limit::FAULTS_PER_OBJECT + 1)).faults.len(), limit::FAULTS_PER_OBJECT);
}

#[test]
fn many_remarks_never_hide_a_fault() {
    let id = "marking-definition--A932fcc6-e032-476c-826f-cb970a5a1ade";
    let ids = vec![quoted(id); limit::FAULTS_PER_OBJECT + 1].join(",");
    let text = with(IDENTITY, "object_marking_refs", &format!("[{ids}]"));
    assert_eq!(taken(&text).remarks.len(), limit::FAULTS_PER_OBJECT);
    assert_eq!(slugs(&with(&text, "name", "")), ["stix-missing"]);
}

#[test]
fn bytes_of_a_type() {
    let id = |bytes: usize| format!("{}--a932fcc6-e032-476c-826f-cb970a5a1ade", "x".repeat(bytes));
    assert!(id(limit::TYPE_BYTES).parse::<StixId>().is_ok());
    assert!(id(limit::TYPE_BYTES + 1).parse::<StixId>().is_err());
}

#[test]
fn bytes_of_a_timestamp() {
    let time = |bytes: usize| format!("2016-01-20T12:31:12.{:0<1$}Z", "", bytes - 21);
    assert_eq!(time(limit::TIMESTAMP_BYTES).len(), limit::TIMESTAMP_BYTES);
    assert!(time(limit::TIMESTAMP_BYTES).parse::<Timestamp>().is_ok());
    assert!(time(limit::TIMESTAMP_BYTES + 1).parse::<Timestamp>().is_err());
}

#[test]
fn bytes_of_title_snippet_and_term() {
    let text = |name: &str, bytes: usize| {
        let object = with(IDENTITY, name, &quoted(&"x".repeat(bytes)));
        SearchText::of(&taken(&object))
    };
    for more in [0, 1] {
        assert_eq!(text("name", limit::TITLE_BYTES + more).title.len(), limit::TITLE_BYTES);
        let snippet = text("description", limit::SNIPPET_BYTES + more).snippet;
        assert_eq!(snippet.len(), limit::SNIPPET_BYTES);
        let terms = text("name", limit::SEARCH_TERM_BYTES + more).terms;
        assert_eq!(terms[0].len(), limit::SEARCH_TERM_BYTES);
    }
    // The space between two words counts.
    let name = format!("{} y", "x".repeat(limit::TITLE_BYTES - 1));
    let object = with(IDENTITY, "name", &quoted(&name));
    assert_eq!(SearchText::of(&taken(&object)).title.len(), limit::TITLE_BYTES - 1);
    // A character is never cut.
    let wide = with(IDENTITY, "name", &quoted(&"\u{1F600}".repeat(limit::TITLE_BYTES)));
    assert_eq!(SearchText::of(&taken(&wide)).title.len() % 4, 0);
}

#[test]
fn search_terms_of_an_object() {
    let terms = |count: usize| {
        let labels: Vec<String> = (0..count - 1).map(|n| n.to_string()).collect();
        let object = with(IDENTITY, "labels", &serde_json::to_string(&labels).expect("list"));
        SearchText::of(&taken(&object)).terms.len()
    };
    assert_eq!(terms(limit::SEARCH_TERMS), limit::SEARCH_TERMS);
    assert_eq!(terms(limit::SEARCH_TERMS + 1), limit::SEARCH_TERMS);
}
