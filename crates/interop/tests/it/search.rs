//! What is shown in a list and found by a search.

use base::Line;
use interop::limit;
use interop::stix::search::SearchText;

use crate::sample::{ADDRESS, IDENTITY, INDICATOR};
use crate::{taken, with};

fn text(object: &str) -> SearchText {
    SearchText::of(&taken(object))
}

#[test]
fn a_named_object_is_found_by_its_names() {
    let object = with(IDENTITY, "x_mitre_aliases", r#"["North","Station North","N-1"]"#);
    let object = with(&object, "description", "\"Guards  the\\n\\nnorth.\"");
    let references = r#"[{"source_name":"registry","external_id":"R/7"}]"#;
    let found = text(&with(&object, "external_references", references));
    assert_eq!(found.title, "Station North");
    assert_eq!(found.snippet, "Guards the north.");
    assert_eq!(found.terms, ["Station North", "North", "N-1", "R/7"]);
}

#[test]
fn an_observable_is_found_by_its_values() {
    assert_eq!(text(ADDRESS).terms, ["198.51.100.3"]);
    assert_eq!(text(ADDRESS).title, "198.51.100.3");
    let file = r#"{"type":"file","id":"file--a932fcc6-e032-476c-826f-cb970a5a1ade",
        "hashes":{"MD5":"d41d8cd98f00b204e9800998ecf8427e","SHA-1":"da39a3ee"},"size":7}"#;
    assert_eq!(text(file).title, "d41d8cd98f00b204e9800998ecf8427e");
    assert_eq!(text(file).terms, ["d41d8cd98f00b204e9800998ecf8427e", "da39a3ee"]);
    let system = r#"{"type":"autonomous-system","number":15139,
        "id":"autonomous-system--a932fcc6-e032-476c-826f-cb970a5a1ade"}"#;
    assert_eq!(text(system).terms, ["AS15139"]);
}

#[test]
fn an_indicator_is_found_by_the_values_of_its_pattern() {
    let pattern =
        r#""[file:hashes.'SHA-256' = 'aec0' AND file:name IN ('it\\'s', 'b')] OR [x:y='']""#;
    let object = with(&with(INDICATOR, "pattern", pattern), "labels", "");
    assert_eq!(text(&object).terms, ["beacon", "aec0", "it's", "b"]);
    let unnamed = with(&with(&object, "name", ""), "description", "");
    assert!(text(&unnamed).title.starts_with("[file:hashes."));
    for odd in ["'", "''''''", "\\", "a'\\", ".'x'"] {
        let odd = serde_json::to_string(odd).expect("text");
        text(&with(INDICATOR, "pattern", &odd));
    }
}

#[test]
fn an_object_without_words_is_called_by_its_type() {
    let observable = r#"{"type":"x-thing","id":"x-thing--a932fcc6-e032-476c-826f-cb970a5a1ade"}"#;
    let found = text(observable);
    assert_eq!(
        (found.title.as_str(), found.snippet.as_str(), found.terms.len()),
        ("x-thing", "", 0)
    );
}

/// Unicode TR 36 §3: what turns the direction of writing lets a text look other than it is.
#[test]
fn a_title_is_one_line_that_looks_like_what_it_is() {
    let found = text(&with(IDENTITY, "name", r#""\u202eevil\u200b\u0000\t\n \u2066name\ufeff ""#));
    assert_eq!(found.title, "evil name");
    assert!(Line::<{ limit::TITLE_BYTES }>::new(found.title).is_ok());
    let blank = text(&with(IDENTITY, "name", r#"" \u202e\n""#));
    assert_eq!(blank.title, "identity");
}
