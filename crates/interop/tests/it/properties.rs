//! What holds of any input.

use base::Time;
use interop::json::Json;
use interop::stix::marking::Selector;
use interop::stix::search::SearchText;
use interop::stix::{Bundle, StixId, StixObject, Timestamp, Tlp};
use proptest::prelude::*;

use crate::hold::hold;
use crate::mutate::{Random, mutate};
use crate::sample::INDICATOR;
use crate::with;

const SEEDS: [&[u8]; 3] = [
    include_bytes!("../fixtures/mixed.json"),
    include_bytes!("../fixtures/markings.json"),
    include_bytes!("../fixtures/observable-ids.json"),
];

fn json() -> impl Strategy<Value = serde_json::Value> {
    use serde_json::{Value, json};
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(|truth| json!(truth)),
        any::<i64>().prop_map(|number| json!(number)),
        any::<u64>().prop_map(|number| json!(number)),
        any::<f64>().prop_map(|number| json!(number)),
        ".{0,12}".prop_map(|text| json!(text)),
    ];
    leaf.prop_recursive(4, 48, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(|list| json!(list)),
            prop::collection::hash_map(".{0,6}", inner, 0..6).prop_map(|map| json!(map)),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes_never_make_a_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        hold(&bytes);
    }

    #[test]
    fn random_text_never_makes_a_reader_panic(text in "\\PC{0,200}") {
        hold(text.as_bytes());
        let _outcome = StixObject::read(&text);
        let _outcome = text.parse::<StixId>();
        let _outcome = text.parse::<Timestamp>();
        let _outcome = text.parse::<Tlp>();
        let _outcome = Selector::find(&text, &Json::Null);
    }

    #[test]
    fn changed_bundles_hold_every_invariant(seed in any::<u64>(), which in 0..SEEDS.len()) {
        let mut bytes = SEEDS[which].to_vec();
        mutate(&mut bytes, 8, &mut Random(seed));
        hold(&bytes);
    }

    /// The oracle is the JSON library's own tree.
    #[test]
    fn the_tree_is_what_the_library_reads(value in json()) {
        let text = value.to_string();
        let tree = Json::parse(&text).expect("text is JSON");
        let written = serde_json::to_string(&tree).expect("trees can be written");
        let again: serde_json::Value = serde_json::from_str(&written).expect("JSON");
        prop_assert_eq!(again, value);
    }

    #[test]
    fn one_value_has_one_canonical_form(value in json()) {
        let plain = Json::parse(&value.to_string()).expect("JSON").digest().expect("digest");
        let pretty = serde_json::to_string_pretty(&value).expect("text");
        prop_assert_eq!(Json::parse(&pretty).expect("JSON").digest().expect("digest"), plain);
    }

    #[test]
    fn any_property_is_kept_as_it_stands(value in json()) {
        let text = with(INDICATOR, "x_any", &value.to_string());
        let object = StixObject::read(&text).expect("object is taken");
        prop_assert_eq!(object.raw, text.as_str());
        let kept = serde_json::to_value(object.value().get("x_any").expect("kept")).expect("JSON");
        prop_assert_eq!(kept, value);
    }

    /// The oracle is the product's own time, which another library reads.
    #[test]
    fn a_timestamp_is_the_time_that_another_reader_finds(ms in 0..=Time::MAX.ms()) {
        let time = Time::from_ms(ms).expect("in range");
        let stamp: Timestamp = time.to_string().parse().expect("a timestamp");
        prop_assert_eq!(stamp.time(), Some(time));
    }

    #[test]
    fn timestamps_are_ordered_as_times(a in 0..=Time::MAX.ms(), b in 0..=Time::MAX.ms()) {
        let stamp = |ms| Time::from_ms(ms).expect("in range").to_string().parse::<Timestamp>().ok();
        prop_assert_eq!(stamp(a).cmp(&stamp(b)), a.cmp(&b));
    }

    #[test]
    fn search_text_is_bounded_and_clean(name in any::<String>()) {
        let text = with(INDICATOR, "name", &serde_json::to_string(&name).expect("text"));
        let found = SearchText::of(&StixObject::read(&text).expect("object is taken"));
        prop_assert!(base::Line::<160>::new(found.title).is_ok());
    }

    #[test]
    fn a_selector_covers_itself_and_what_lies_within(a in "[a-z]{1,3}", b in "[a-z]{1,3}") {
        let text = with(INDICATOR, &format!("x_{a}"), &format!("{{\"{b}\":1}}"));
        let object = StixObject::read(&text).expect("object is taken");
        let [within, beyond] = [format!("x_{a}.{b}"), format!("x_{a}.{b}.c")];
        prop_assert!(Selector::find(&within, object.value()).is_some());
        prop_assert!(Selector::find(&beyond, object.value()).is_none());
    }
}

#[test]
fn the_seeds_themselves_hold() {
    assert_eq!(SEEDS.map(hold), [5, 8, 23]);
    assert!(SEEDS.iter().all(|bytes| Bundle::read(bytes).is_ok()));
}
