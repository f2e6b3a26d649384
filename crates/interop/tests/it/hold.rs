//! What holds of any input, for the property tests, the corpus and the fuzz program.

use interop::stix::export::{ObjectText, Writer};
use interop::stix::search::SearchText;
use interop::stix::{Bundle, Definitions, StixObject};
use interop::{Effect, limit};

/// Reads `bytes` as a bundle and holds the outcome to every invariant; returns how many were taken.
///
/// # Panics
/// When one does not hold.
pub fn hold(bytes: &[u8]) -> usize {
    let bundle = match Bundle::read(bytes) {
        Ok(bundle) => bundle,
        Err(fault) => {
            assert_eq!(fault.effect(), Effect::Refused);
            return 0;
        }
    };
    let mut definitions = Definitions::standard();
    definitions.learn_bundle(&bundle);
    let id = "bundle--5d0092c5-5f74-4287-9642-33f4c354e56d".parse().expect("an id");
    let mut writer = Writer::new(&id).expect("id of a bundle");
    let mut taken = Vec::new();
    let mut seen = 0;
    for (index, outcome) in bundle.objects().enumerate() {
        seen += 1;
        match outcome {
            Ok(object) => {
                assert_eq!(object.index, index);
                hold_object(&object, bytes, &definitions);
                writer.push(ObjectText::from(&object)).expect("room");
                taken.push((object.raw, object.digest));
            }
            Err(refusal) => {
                assert_eq!(refusal.index, index);
                assert!((1..=limit::FAULTS_PER_OBJECT).contains(&refusal.faults.len()));
                assert!(refusal.faults.iter().all(|fault| fault.effect() == Effect::Refused));
            }
        }
    }
    assert_eq!(seen, bundle.len());
    let written = writer.finish();
    let again = Bundle::read(&written).expect("what is written is read");
    let again: Vec<_> = again.objects().map(|o| o.map(|o| (o.raw.to_owned(), o.digest))).collect();
    assert_eq!(again.len(), taken.len());
    for (outcome, (raw, digest)) in again.into_iter().zip(&taken) {
        assert_eq!(outcome.expect("what was taken is taken again"), ((*raw).to_owned(), *digest));
    }
    taken.len()
}

fn hold_object(object: &StixObject<'_>, bytes: &[u8], definitions: &Definitions) {
    // The text is a part of the input itself, so it is verbatim by construction.
    let input = bytes.as_ptr_range();
    let raw = object.raw.as_bytes().as_ptr_range();
    assert!(input.start <= raw.start && raw.end <= input.end);
    assert!(object.raw.starts_with('{') && object.raw.ends_with('}'));
    assert!(object.raw.len() <= limit::OBJECT_BYTES);
    assert!(object.remarks.iter().all(|fault| fault.effect() == Effect::Remarked));
    let by_itself = StixObject::read(object.raw).expect("taken by itself as well");
    assert_eq!(by_itself.head, object.head);
    // One content has one canonical form, and it is stable.
    let canonical = object.value().canonical().expect("canonical form");
    let canonical = String::from_utf8(canonical).expect("UTF-8");
    let again = interop::json::Json::parse(&canonical).expect("JSON");
    assert_eq!(again.canonical().expect("canonical form"), canonical.as_bytes());
    let claims = definitions.claims(&object.head);
    let ceiling = claims.ceiling();
    assert!(claims.parts.values().all(|claim| claim.tlp >= claims.whole.tlp));
    assert!(ceiling.tlp >= claims.whole.tlp && ceiling.unknown.is_superset(&claims.whole.unknown));
    let marked =
        !object.head.object_markings.is_empty() || !object.head.granular_markings.is_empty();
    let said = !ceiling.silent() || !ceiling.statements.is_empty();
    assert_eq!(marked, said, "a marking always says something");
    let text = SearchText::of(object);
    assert!(!text.title.is_empty() && text.title.len() <= limit::TITLE_BYTES);
    assert!(text.snippet.len() <= limit::SNIPPET_BYTES);
    assert!(text.terms.len() <= limit::SEARCH_TERMS);
    assert!(text.terms.iter().all(|term| term.len() <= limit::SEARCH_TERM_BYTES));
}
