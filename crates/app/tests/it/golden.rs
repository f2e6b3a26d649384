//! Golden files: a fact of each kind as it was once released, which decodes for ever.
//!
//! Each goes through the capability's own `fold` and `register`, behind those of the kinds declared
//! before its own. The files of a capability tell one small story, so that each finds what it
//! changes. A fact without a required field, or with one that no version has, is no fact: it leaves
//! what an erased one leaves.

use std::path::PathBuf;

use app::capabilities;
use app::kernel::register::Register;
use app::kernel::{Capability, Fact, Layer};
use base::{AgencyId, EntryId, Label, Marking, Play, RecordId, SchemeId, Time, Token};
use ledger::header::Actor;
use serde_json::{Map, Value};

/// Fields that a fact may lack: they came later, or say nothing when they are absent.
const OPTIONAL: &[(&str, &[&str])] = &[
    ("agency.added/1", &["parent", "unit"]),
    ("person.added/1", &["cleared_until"]),
    ("person.cleared/1", &["cleared_until"]),
    ("seat.taken/1", &["person"]),
    ("credential.enrolled/1", &["code"]),
    ("session.opened/1", &["credential"]),
    ("session.verified/1", &["credential"]),
    ("alert.raised/1", &["place"]),
    ("alert.acknowledged/1", &["seat", "note"]),
    ("spillage.contained/1", &["keep"]),
    ("erasure.requested/1", &["layer"]),
    ("report.submitted/1", &["place", "request", "due_at"]),
    ("report.answered/1", &["report"]),
    ("declaration.declared/1", &["text", "place", "alert"]),
    ("declaration.performed/1", &["alert"]),
    ("declaration.changed/1", &["alert"]),
    ("operation.opened/1", &["incident", "declaration", "place"]),
    ("operation.joined/1", &["reason"]),
    ("operation.left/1", &["reason"]),
    ("operation.set/1", &["title", "phase", "place", "objectives"]),
    ("handover.proposed/1", &["notes"]),
    ("watch.planned/1", &["person"]),
    ("drawing.made/1", &["operation"]),
    ("drawing.revised/1", &["title"]),
    ("operation.noted/1", &["person", "seat"]),
    ("entity.imported/1", &["created", "modified", "relationship"]),
    ("entity.held/1", &["modified"]),
];

struct Golden {
    kind: &'static str,
    file: String,
    fields: Map<String, Value>,
}

/// What a capability has made of the facts so far.
#[derive(Clone, Default)]
struct Told {
    layer: Layer,
    register: Register,
}

impl Told {
    fn tell(&mut self, capability: &Capability, kind: &str, body: Option<&[u8]>) {
        let label = label();
        let fact = Fact {
            sequence: 7,
            kind,
            record: RecordId([1; 16]),
            entry: EntryId([2; 16]),
            actor: Actor::System,
            agency: AgencyId([3; 16]),
            seat: None,
            cell: 0,
            label: &label,
            circle: None,
            acted_at: Time::from_ms(1_780_000_000_000).expect("a time"),
            body,
        };
        (capability.fold)(&fact, &mut self.layer);
        (capability.register)(&fact, &mut self.register);
    }

    /// The same after one more fact, as text: its layer, and all that policy asks about.
    fn after(&self, capability: &Capability, kind: &str, body: Option<&[u8]>) -> String {
        let mut told = self.clone();
        told.tell(capability, kind, body);
        let Register { agencies, persons, seats, circles, agreements, .. } = told.register;
        format!("{:?} {agencies:?} {persons:?} {seats:?} {circles:?} {agreements:?}", told.layer)
    }
}

fn label() -> Label {
    let scheme = SchemeId(Token::new("NAT").expect("a code"));
    Label::simple(scheme, Marking::default(), AgencyId([3; 16]), Play::Live)
}

fn bytes(fields: &Map<String, Value>) -> Vec<u8> {
    serde_json::to_vec(fields).expect("JSON")
}

/// The golden files of a capability, in the order in which its kinds are declared.
fn golden(capability: &Capability) -> Vec<Golden> {
    let crates = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let own = crates.join("src").join(capability.name).join("golden");
    // What the kernel writes for itself has its files beside the kernel.
    let folder = if own.exists() { own } else { crates.join("src/kernel/golden") };
    let mut found = Vec::new();
    for entry in std::fs::read_dir(&folder).expect("a folder of golden files") {
        let path = entry.expect("an entry").path();
        let file = path.file_name().expect("a name").to_string_lossy().into_owned();
        let of = |kind: &&&str| file.starts_with(&format!("{}.", kind.replace('/', ".")));
        let Some(kind) = capability.kinds.iter().find(of).copied() else {
            let known = capabilities::ALL.iter().flat_map(|c| c.kinds).any(|kind| of(&kind));
            assert!(known, "{file} is of no kind");
            continue;
        };
        let text = std::fs::read_to_string(&path).expect("text");
        let fields = serde_json::from_str(&text).expect("an object of JSON");
        found.push(Golden { kind, file, fields });
    }
    let place = |kind| capability.kinds.iter().position(|known| *known == kind);
    found.sort_by_key(|golden| (place(golden.kind), golden.file.clone()));
    found
}

/// Walks through the files of every capability, each with what was told before it.
fn each(check: impl Fn(&Capability, &Golden, &Told)) {
    for capability in capabilities::ALL {
        let mut told = Told::default();
        for golden in golden(capability) {
            check(capability, &golden, &told);
            told.tell(capability, golden.kind, Some(&bytes(&golden.fields)));
        }
    }
}

#[test]
fn every_kind_has_a_golden_file_that_still_has_its_effect() {
    for capability in capabilities::ALL {
        let files = golden(capability);
        for kind in capability.kinds {
            assert!(files.iter().any(|golden| golden.kind == *kind), "{kind} has no golden file");
        }
    }
    each(|capability, golden, told| {
        let erased = told.after(capability, golden.kind, None);
        let open = told.after(capability, golden.kind, Some(&bytes(&golden.fields)));
        assert_ne!(open, erased, "{} says nothing any more", golden.file);
    });
}

#[test]
fn a_fact_without_a_required_field_is_no_fact_and_one_without_an_optional_field_is() {
    each(|capability, golden, told| {
        let erased = told.after(capability, golden.kind, None);
        let optional = OPTIONAL.iter().find(|(kind, _)| *kind == golden.kind);
        let optional = optional.map_or(&[] as &[&str], |(_, fields)| fields);
        for field in golden.fields.keys() {
            let mut fields = golden.fields.clone();
            fields.remove(field);
            let left = told.after(capability, golden.kind, Some(&bytes(&fields)));
            let lost = left == erased;
            let required = !optional.contains(&field.as_str());
            assert_eq!(lost, required, "{} without `{field}`", golden.file);
        }
    });
}

#[test]
fn a_fact_with_a_field_that_no_version_has_is_no_fact() {
    each(|capability, golden, told| {
        let mut fields = golden.fields.clone();
        fields.insert("unheard_of".to_owned(), Value::Null);
        let left = told.after(capability, golden.kind, Some(&bytes(&fields)));
        assert_eq!(left, told.after(capability, golden.kind, None), "{}", golden.file);
    });
}

#[test]
fn the_text_that_parties_sign_keeps_its_digest_for_ever() {
    let text = include_str!("../../src/agreements/golden/agreement.proposed.1.json");
    let proposed: app::agreements::Proposed = serde_json::from_str(text).expect("a proposal");
    assert_eq!(proposed.agreement.digest(), proposed.digest);
    let schemes = policy::Schemes::shipped().expect("schemes");
    proposed.agreement.check(&schemes).expect("it could still be proposed");
}
