//! Bundles out: objects are written as they were received.

use interop::stix::export::{ObjectText, Writer};
use interop::stix::{Bundle, StixId};
use interop::{Fault, limit};

use crate::sample::{ADDRESS, IDENTITY, INDICATOR};
use crate::{bundle_of, read, taken};

fn bundle_id() -> StixId {
    "bundle--5d0092c5-5f74-4287-9642-33f4c354e56d".parse().expect("an id")
}

#[test]
fn what_is_written_is_what_was_read_to_the_byte() {
    let text = bundle_of(&[IDENTITY, INDICATOR, ADDRESS]);
    let mut writer = Writer::new(&bundle_id()).expect("id of a bundle");
    for object in read(&text).objects().flatten() {
        writer.push(ObjectText::from(&object)).expect("room");
    }
    let written = writer.finish();
    let again = Bundle::read(&written).expect("frame is read");
    assert_eq!(again.id(), Some(&bundle_id()));
    let raws: Vec<&str> = again.objects().flatten().map(|object| object.raw).collect();
    assert_eq!(raws, [IDENTITY, INDICATOR, ADDRESS]);
    let value: serde_json::Value = serde_json::from_slice(&written).expect("JSON");
    let original: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(value, original);
}

#[test]
fn an_empty_bundle_can_be_written() {
    let written = Writer::new(&bundle_id()).expect("id of a bundle").finish();
    assert!(Bundle::read(&written).expect("frame is read").is_empty());
}

#[test]
fn a_bundle_has_the_id_of_a_bundle() {
    let fault = Writer::new(&taken(IDENTITY).head.id).expect_err("refused");
    assert!(matches!(fault, Fault::BundleId));
}

#[test]
fn nothing_but_one_json_object_is_written() {
    for text in ["", "7", "[]", "{},{}", "{}]}", "{\"a\":1,\"a\":2}", "{\"a\":\"\\ud800\"}"] {
        assert!(ObjectText::check(text).is_err(), "{text}");
    }
    assert_eq!(ObjectText::check(" {} ").expect("an object").as_str(), " {} ");
}

#[test]
fn a_bundle_that_would_not_be_read_is_not_written() {
    let mut writer = Writer::new(&bundle_id()).expect("id of a bundle");
    let object = ObjectText::check("{}").expect("an object");
    for _ in 0..limit::BUNDLE_OBJECTS {
        writer.push(object).expect("room");
    }
    assert!(matches!(writer.push(object), Err(Fault::BundleObjects)));
    assert_eq!(
        read(std::str::from_utf8(&writer.finish()).expect("UTF-8")).len(),
        limit::BUNDLE_OBJECTS
    );

    let mut writer = Writer::new(&bundle_id()).expect("id of a bundle");
    let full = format!("{{{}}}", " ".repeat(limit::OBJECT_BYTES - 2));
    let full = ObjectText::check(&full).expect("an object of the greatest size");
    let mut objects = 0;
    let fault = loop {
        match writer.push(full) {
            Ok(()) => objects += 1,
            Err(fault) => break fault,
        }
    };
    assert!(matches!(fault, Fault::BundleBytes(bytes) if bytes > limit::BUNDLE_BYTES));
    assert_eq!(objects, limit::BUNDLE_BYTES / limit::OBJECT_BYTES - 1);
    let written = writer.finish();
    assert!(written.len() <= limit::BUNDLE_BYTES);
}
