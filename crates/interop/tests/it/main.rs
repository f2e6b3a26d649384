//! The tests of this crate, by rule.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops where its preparation fails"
)]

mod bundle;
mod corpus;
mod export;
mod hold;
mod id;
mod json;
mod limits;
mod marking;
mod mutate;
mod properties;
mod rules;
mod search;
mod shared;
mod timestamp;

use interop::Fault;
use interop::stix::{Bundle, Refusal, StixObject};

/// Objects around which tests are written; each is valid.
mod sample {
    pub const IDENTITY: &str = r#"{"type":"identity","spec_version":"2.1",
        "id":"identity--311b2d2d-f010-4473-83ec-1edf84858f4c","name":"Station North",
        "created":"2026-01-02T03:04:05.678Z","modified":"2026-01-02T03:04:05.678Z"}"#;
    pub const INDICATOR: &str = r#"{"type":"indicator","spec_version":"2.1",
        "id":"indicator--a932fcc6-e032-476c-826f-cb970a5a1ade","name":"beacon",
        "created":"2026-01-02T03:04:05.678Z","modified":"2026-01-02T03:04:05.678Z",
        "description":"Seen twice.","labels":["low","slow"],
        "pattern":"[ipv4-addr:value = '198.51.100.3']","pattern_type":"stix",
        "valid_from":"2026-01-01T00:00:00Z"}"#;
    pub const ADDRESS: &str = r#"{"type":"ipv4-addr","value":"198.51.100.3",
        "id":"ipv4-addr--28bb3599-77cd-5a82-a950-b5bc3caf07c4"}"#;
}

/// A sample with one property set to a JSON value; without it when the value is empty.
fn with(sample: &str, name: &str, value: &str) -> String {
    let mut object: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(sample).expect("sample is an object");
    if value.is_empty() {
        object.remove(name);
    } else {
        object.insert(name.to_owned(), serde_json::from_str(value).expect("value is JSON"));
    }
    serde_json::to_string(&object).expect("objects can be written")
}

fn bundle_of(objects: &[&str]) -> String {
    let objects = objects.join(",");
    let id = "bundle--5d0092c5-5f74-4287-9642-33f4c354e56d";
    format!(r#"{{"type":"bundle","id":"{id}","objects":[{objects}]}}"#)
}

fn taken(text: &str) -> StixObject<'_> {
    StixObject::read(text).expect("object is taken")
}

fn refused(text: &str) -> Refusal {
    StixObject::read(text).expect_err("object is refused")
}

/// The slugs of the faults for which an object is refused, in order and each once.
fn slugs(text: &str) -> Vec<&'static str> {
    slugs_of(&refused(text).faults)
}

fn slugs_of(faults: &[Fault]) -> Vec<&'static str> {
    let mut slugs: Vec<&str> = faults.iter().map(|fault| fault.code().slug).collect();
    slugs.sort_unstable();
    slugs.dedup();
    slugs
}

fn read(text: &str) -> Bundle<'_> {
    Bundle::read(text.as_bytes()).expect("frame is read")
}
