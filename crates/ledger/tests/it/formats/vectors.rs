//! The published vectors, and the second implementation that agrees with them.

use super::*;

fn vectors() -> Vectors {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors/entry.json");
    let json = std::fs::read_to_string(path).expect("the file of vectors");
    serde_json::from_str(&json).expect("vectors")
}

/// The keys of one vector.
struct VectorKeys<'a>(&'a Inputs);

impl CompartmentKeys for VectorKeys<'_> {
    fn portion_key(&self, label: &Label) -> Result<Secret, base::crypto::Error> {
        let found = self.0.portions.iter().find(|portion| portion.label == *label);
        Ok(found.expect("a label").compartment_key.secret().expect("a key"))
    }

    fn header_key(&self) -> Result<Secret, base::crypto::Error> {
        Ok(self.0.header_key.secret().expect("a key"))
    }
}

#[test]
fn are_recomputed_byte_for_byte_from_their_inputs() {
    for vector in vectors().entries {
        let computed = compute(&vector.inputs).expect("an entry");
        assert_eq!(computed, vector.expected, "{}", vector.name);
    }
}

#[test]
fn have_every_length_of_commitments_and_both_signed_and_unsigned_acts() {
    let entries = vectors().entries;
    assert!(entries.len() >= 4);
    let lengths: BTreeSet<usize> =
        entries.iter().map(|vector| vector.expected.commitments.len()).collect();
    assert!(lengths.is_superset(&BTreeSet::from([8, 16, 64])));
    let signed: BTreeSet<bool> =
        entries.iter().map(|vector| vector.inputs.signature.is_some()).collect();
    assert_eq!(signed.len(), 2);
}

#[test]
fn open_to_their_inputs() {
    for vector in vectors().entries {
        let (inputs, expected) = (&vector.inputs, &vector.expected);
        let keys = VectorKeys(inputs);
        let leaf = Leaf::from_bytes(&expected.leaf.0).expect("a leaf");
        let secret = inputs.header_secret.secret().expect("a secret");
        let header = open_header(&leaf, &expected.sealed_header.0, &secret, &keys);
        let header = header.expect("a header");
        assert_eq!(header, inputs.header());
        let list: Vec<u8> = expected.commitments.iter().flat_map(|digest| digest.0).collect();
        let commitments = open_commitments(&leaf, &list).expect("commitments");
        for (form, value) in inputs.portions.iter().zip(&expected.portions) {
            let found = header.local.slots.iter().find(|slot| slot.slot == form.slot);
            let secret = form.secret.secret().expect("a secret");
            let committed = (commitments[usize::from(form.slot)], &keys);
            let slot = found.expect("a slot");
            let opened = open_portion(&header.shared, slot, &value.sealed.0, &secret, committed);
            assert_eq!(opened, Ok(form.portion()), "{}", vector.name);
        }
        let sealed = expected.sealed_signature.as_ref().map(|sealed| sealed.0.as_slice());
        let signature = open_signature(&leaf, sealed, &secret, &keys).expect("a signature");
        assert_eq!(signature, inputs.signature.as_ref().map(|hex| hex.0.clone()));
    }
}

/// Runs the second implementation on a file and returns its exit code and what it printed.
fn verify(path: Option<&Path>) -> (Option<i32>, String) {
    let crate_directory = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut command = Command::new("python3");
    command.arg("-I").arg(crate_directory.join("tests/verify_entry.py")).args(path);
    let output = command.output().expect("python3");
    let printed = String::from_utf8(output.stdout).expect("text");
    (output.status.code(), printed)
}

#[test]
fn agree_with_the_second_implementation_in_python() {
    let vectors = vectors().entries;
    let portions: usize = vectors.iter().map(|vector| vector.inputs.portions.len()).sum();
    let commitments: usize = vectors.iter().map(|vector| vector.expected.commitments.len()).sum();
    // Of each entry twelve values and the counts of two lists; of each portion five values.
    let values = vectors.len() * 14 + portions * 5 + commitments;
    let printed = format!("{} entries, {values} values\n", vectors.len());
    assert_eq!(verify(None), (Some(0), printed));
}

#[test]
fn that_were_changed_are_found_by_the_second_implementation() {
    let mut vectors = vectors();
    vectors.entries[1].expected.portions[0].commitment.0[0] ^= 1;
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("changed-entry.json");
    let json = serde_json::to_string(&vectors).expect("json");
    std::fs::write(&path, json).expect("a file");
    let (code, _) = verify(Some(&path));
    std::fs::remove_file(&path).expect("the file");
    assert_eq!(code, Some(1));
}
