//! Other people's data: ATT&CK, the standard's examples, schemas and test objects.
//!
//! The data set stands beside the repository and is not part of it. Where it is absent, each test
//! says so on the terminal and checks the fixtures of this crate instead.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use interop::stix::export::{ObjectText, Writer};
use interop::stix::rules::{self, Shape, shape};
use interop::stix::search::SearchText;
use interop::stix::{Bundle, Class, Definitions, StixObject, Tlp};
use serde_json::Value;

use crate::hold::hold;
use crate::slugs_of;

const MIXED: &[u8] = include_bytes!("../fixtures/mixed.json");

/// The path of a file or folder of the data set; tells plainly when it is absent.
fn shared(path: &str) -> Option<PathBuf> {
    let found = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data").join(path);
    if found.exists() {
        return Some(found);
    }
    let told =
        format!("shared/data/{path} is absent: only the fixtures of this crate are checked\n");
    std::io::stderr().write_all(told.as_bytes()).expect("the terminal is there");
    assert!(hold(MIXED) > 0);
    None
}

fn load(path: &Path) -> Vec<u8> {
    let bytes = std::fs::read(path).expect("the file is read");
    if path.extension().is_none_or(|extension| extension != "gz") {
        return bytes;
    }
    let mut plain = Vec::new();
    flate2::read::GzDecoder::new(bytes.as_slice()).read_to_end(&mut plain).expect("a gzip file");
    plain
}

/// The JSON files below a folder, in order.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("the folder is there") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|extension| extension == "json") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Reads a bundle all of whose objects are taken, writes it again, and compares both as values.
fn round_trip(bytes: &[u8], objects: usize) -> BTreeMap<String, usize> {
    let bundle = Bundle::read(bytes).expect("frame is read");
    assert_eq!(bundle.len(), objects);
    let mut writer = Writer::new(bundle.id().expect("id")).expect("id of a bundle");
    let mut types = BTreeMap::new();
    let mut remarks = Vec::new();
    for outcome in bundle.objects() {
        let object =
            outcome.unwrap_or_else(|refusal| panic!("{:?} {:?}", refusal.id, refusal.faults));
        writer.push(ObjectText::from(&object)).expect("room");
        *types.entry(object.head.type_name().to_owned()).or_default() += 1;
        remarks.extend(slugs_of(&object.remarks));
        assert!(!SearchText::of(&object).title.is_empty());
    }
    assert!(remarks.is_empty(), "{remarks:?}");
    let written: Value = serde_json::from_slice(&writer.finish()).expect("JSON");
    let original: Value = serde_json::from_slice(bytes).expect("JSON");
    assert!(written["objects"] == original["objects"], "every object is equal in value");
    types
}

#[test]
fn attack_enterprise_is_taken_whole_and_written_again_equal() {
    let Some(file) = shared("attack/enterprise-attack-18.1-lifted21.json.gz") else { return };
    let types = round_trip(&load(&file), 24_771);
    assert_eq!((types["relationship"], types["x-mitre-analytic"]), (20_048, 1_739));
}

#[test]
fn attack_ics_is_taken_whole_and_written_again_equal() {
    let Some(file) = shared("attack/ics-attack-18.1.json.gz") else { return };
    let types = round_trip(&load(&file), 1_826);
    assert_eq!(types["x-mitre-collection"], 1);
}

#[test]
fn attack_mobile_is_taken_whole_and_written_again_equal() {
    let Some(file) = shared("attack/mobile-attack-17.1.json.gz") else { return };
    let bytes = load(&file);
    round_trip(&bytes, 2_148);
    hold(&bytes);
}

#[test]
fn attack_carries_a_statement_and_no_level() {
    let Some(file) = shared("attack/ics-attack-18.1.json.gz") else { return };
    let bytes = load(&file);
    let bundle = Bundle::read(&bytes).expect("frame is read");
    let mut definitions = Definitions::standard();
    definitions.learn_bundle(&bundle);
    for object in bundle.objects().flatten().filter(|o| !o.head.object_markings.is_empty()) {
        let claims = definitions.claims(&object.head);
        assert!(claims.whole.silent() && claims.whole.statements.len() == 1);
    }
}

/// Slugs by file: what the standard's own examples are refused for, or remarked on.
#[test]
fn the_standards_examples_are_taken() {
    let Some(folder) = shared("stix/examples") else { return };
    let mut told: Vec<(String, &str)> = Vec::new();
    let mut taken = 0;
    for path in files(&folder) {
        let bytes = load(&path);
        let name = path.file_name().and_then(|name| name.to_str()).expect("a name").to_owned();
        if let Ok(bundle) = Bundle::read(&bytes) {
            hold(&bytes);
            for outcome in bundle.objects() {
                let remarks =
                    outcome.map_or_else(|r| panic!("{name}: {r:?}"), |o| slugs_of(&o.remarks));
                told.extend(remarks.into_iter().map(|slug| (name.clone(), slug)));
                taken += 1;
            }
        } else {
            let text = std::str::from_utf8(&bytes).expect("UTF-8");
            StixObject::read(text).unwrap_or_else(|refusal| panic!("{name}: {refusal:?}"));
            taken += 1;
        }
    }
    told.dedup();
    let told: Vec<(&str, &str)> = told.iter().map(|(name, slug)| (name.as_str(), *slug)).collect();
    assert_eq!(told, EXAMPLES);
    assert_eq!(taken, 158);
}

const EXAMPLES: [(&str, &str); 1] = [("infrastructure.json", "stix-id-capitals")];

/// Test objects of the Python library: several versions of one id, bundles and bare objects, and
/// one of STIX 2.0.
#[test]
fn the_files_of_the_python_librarys_store_are_read() {
    let Some(folder) = shared("stix/filesystem-store") else { return };
    let mut versions = BTreeMap::new();
    let mut refused = Vec::new();
    for path in files(&folder) {
        let bytes = load(&path);
        let text = std::str::from_utf8(&bytes).expect("UTF-8");
        let outcomes: Vec<_> = match Bundle::read(&bytes) {
            Ok(bundle) => bundle.objects().collect(),
            Err(_) => vec![StixObject::read(text)],
        };
        for outcome in outcomes {
            match outcome {
                Ok(object) => {
                    versions.insert((object.head.id, object.head.modified), object.digest);
                }
                Err(refusal) => refused.push(slugs_of(&refusal.faults)),
            }
        }
    }
    assert_eq!(refused, [["stix-spec-version"]]);
    let malware = "malware--6b616fc1-1505-48e3-8b2c-0d19337bff38";
    let of = versions.keys().filter(|(id, _)| id.as_str() == malware).count();
    assert_eq!((versions.len(), of), (30, 4));
}

#[test]
fn the_definitions_of_tlp_2_are_the_ones_that_we_send() {
    let Some(file) = shared("stix/tlp2/tlp2-markings.json") else { return };
    let bytes = load(&file);
    let bundle = Bundle::read(&bytes).expect("frame is read");
    let mut found = 0;
    for (object, tlp) in bundle.objects().zip(Tlp::ALL) {
        let object = object.expect("object is taken");
        assert!(object.remarks.is_empty());
        let own = tlp.definition();
        let own = StixObject::read(&own).expect("object is taken");
        assert_eq!(own.value_digest().expect("digest"), object.value_digest().expect("digest"));
        found += 1;
    }
    assert_eq!(found, 5);
}

/// Bundles that other programs wrote: MISP's converter and the Attack Flow project.
#[test]
fn what_other_programs_write_is_taken() {
    let Some(folder) = shared("misp/stix-pairs") else { return };
    let Some(flow) = shared("attack-flow/attack-flow-example.json") else { return };
    let mut paths = files(&folder);
    paths.retain(|path| path.to_string_lossy().ends_with("_stix21.json"));
    paths.push(flow);
    let mut told = BTreeMap::new();
    let mut taken = 0;
    for path in paths {
        let bytes = load(&path);
        taken += hold(&bytes);
        let bundle = Bundle::read(&bytes).expect("frame is read");
        for outcome in bundle.objects() {
            let faults = outcome.map_or_else(|refusal| refusal.faults, |object| object.remarks);
            for slug in slugs_of(&faults) {
                *told.entry(slug).or_insert(0) += 1;
            }
        }
    }
    assert_eq!(told, BTreeMap::new());
    assert_eq!(taken, 79);
}

/// The properties of a schema, with those of the schemas it is made of.
fn properties(schema: &Value) -> BTreeMap<String, Value> {
    let mut found = BTreeMap::new();
    for part in schema["allOf"].as_array().into_iter().flatten() {
        found.extend(properties(part));
    }
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        found.insert(name.clone(), property.clone());
    }
    found
}

/// Whether a property of a schema can have this kind of value.
fn agrees(name: &str, schema: &Value, shape: Shape) -> bool {
    let of_type = |name: &str| schema["type"] == name;
    let items = |name: &str| schema["items"]["type"] == name;
    let fits = match shape {
        Shape::Text => {
            !["array", "object", "boolean", "integer", "number"].iter().any(|t| of_type(t))
        }
        Shape::Texts => of_type("array") && !items("object"),
        Shape::Bool => of_type("boolean"),
        Shape::Integer => of_type("integer"),
        Shape::Number => of_type("number"),
        Shape::Time => schema.to_string().contains("timestamp.json"),
        Shape::Id => name == "id" || name.ends_with("_ref"),
        Shape::Ids => of_type("array") && name.ends_with("_refs"),
        Shape::Object => !of_type("array") && !of_type("string"),
        Shape::Objects => of_type("array") && !items("string"),
    };
    let reference = name == "id" || name.ends_with("_ref") || name.ends_with("_refs");
    fits && reference == matches!(shape, Shape::Id | Shape::Ids)
}

/// Properties that are demanded of whole classes of types.
const COMMON: [&str; 5] = ["type", "id", "spec_version", "created", "modified"];

/// What a schema demands: itself, in each part that it is made of, and in every alternative.
fn demanded(schema: &Value) -> Vec<String> {
    let mut names: Vec<String> =
        serde_json::from_value(schema["required"].clone()).unwrap_or_default();
    for part in schema["allOf"].as_array().into_iter().flatten() {
        names.extend(demanded(part));
    }
    let mut alternatives = schema["oneOf"].as_array().into_iter().flatten().map(demanded);
    let first = alternatives.next().unwrap_or_default();
    let rest: Vec<Vec<String>> = alternatives.collect();
    names.extend(first.into_iter().filter(|name| rest.iter().all(|other| other.contains(name))));
    names.retain(|name| !COMMON.contains(&name.as_str()));
    names.sort();
    names
}

/// The names of which a schema demands one.
fn alternatives(schema: &Value) -> Vec<String> {
    let mut names = Vec::new();
    for part in schema["anyOf"].as_array().into_iter().flatten() {
        let first = part["required"].get(0).and_then(Value::as_str);
        names.extend(first.map(str::to_owned));
    }
    names.sort();
    names
}

fn check_alternatives(type_name: &str, schema: &Value) {
    let known = properties(schema);
    let mut any = alternatives(schema);
    if any.is_empty() {
        return;
    }
    // The schemas name properties of STIX 2.0 here that they do not have themselves (`created` of a
    // process) and leave out what took their place (`created_time`).
    any.retain(|name| known.contains_key(name));
    let mut one_of: Vec<&str> = rules::one_of(type_name).to_vec();
    one_of.retain(|name| !name.ends_with("_time"));
    one_of.sort_unstable();
    assert_eq!(one_of, any, "{type_name}");
}

#[test]
fn the_tables_agree_with_the_standards_schemas() {
    let Some(folder) = shared("stix/schemas") else { return };
    let mut checked = 0;
    for path in files(&folder) {
        let type_name = path.file_stem().and_then(|name| name.to_str()).expect("a name");
        if rules::class(type_name) == Class::Custom {
            continue;
        }
        let schema: Value = serde_json::from_slice(&load(&path)).expect("JSON");
        for (name, property) in properties(&schema) {
            let shape = shape(&name).unwrap_or_else(|| panic!("{type_name} {name} is not known"));
            assert!(agrees(&name, &property, shape), "{type_name} {name} {shape:?} {property}");
        }
        let mut own: Vec<&str> = rules::required(type_name).to_vec();
        own.sort_unstable();
        // The schema leaves created_by_ref out; STIX 2.1 §7.3 has it as required.
        if type_name == "extension-definition" {
            own.retain(|name| *name != "created_by_ref");
        }
        assert_eq!(own, demanded(&schema), "{type_name}");
        check_alternatives(type_name, &schema);
        checked += 1;
    }
    assert_eq!(checked, rules::types().count(), "every type has its schema");
}
