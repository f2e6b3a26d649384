//! A bundle as a job of many acts: in the order of the bundle, each act within its limits.
//!
//! The same bundle cut again gives the same acts, so a job that was broken off is given again as a
//! whole: what was imported before is not written twice.

use std::collections::BTreeMap;

use base::{Label, Marking, SchemeId};
use interop::stix::Bundle;

use super::read::Reading;
use super::{Import, Table};
use crate::kernel::Fault;

/// A bundle, cut into acts.
#[derive(Debug)]
pub struct Job {
    pub acts: Vec<Import>,
    /// Objects of the bundle.
    pub objects: usize,
    /// Marking definitions among them, which say what the others bear.
    pub definitions: usize,
    /// Objects that the acts have.
    pub taken: usize,
    /// Objects that are refused, by the slug of the reason.
    pub refused: BTreeMap<&'static str, usize>,
}

/// LIMIT: bytes of an act's entries, below the kernel's own: what is shown stands beside the text.
const OBJECTS_BYTES: usize = base::limit::ACT_BYTES / 2;
/// LIMIT: bytes counted for each object beside its text: ids, name, description.
const OBJECT_EXTRA_BYTES: usize = 2048;

/// Cuts a bundle into acts; `unmarked` is the label of what bears no marking.
///
/// # Errors
/// `invalid-bundle` when the bytes are no bundle; as [`Reading::new`].
pub fn plan(
    bytes: &[u8],
    markings: &BTreeMap<SchemeId, Marking>,
    table: &Table,
    unmarked: &Label,
) -> Result<Job, Fault> {
    let bundle = Bundle::read(bytes)
        .map_err(|fault| Fault::invalid("invalid-bundle", fault.to_string()).because(fault))?;
    let definitions: Vec<String> =
        bundle.definitions().map(|object| object.raw.to_owned()).collect();
    let texts = definitions.iter().map(String::as_str);
    let reading = Reading::new(table.clone(), unmarked.clone(), texts)?;
    let empty = || Import {
        markings: markings.clone(),
        table: table.clone(),
        definitions: definitions.clone(),
        objects: Vec::new(),
    };
    let mut job = Job {
        acts: Vec::new(),
        objects: bundle.len(),
        definitions: 0,
        taken: 0,
        refused: BTreeMap::new(),
    };
    let fixed = serde_json::to_vec(&empty()).map_err(Fault::bug)?.len();
    let (mut next, mut bytes) = (empty(), fixed);
    for object in bundle.objects() {
        let Ok(object) = object else {
            *job.refused.entry("invalid-object").or_default() += 1;
            continue;
        };
        if object.head.type_name() == "marking-definition" {
            job.definitions += 1;
            continue;
        }
        if let Err(fault) = reading.object(object.raw) {
            *job.refused.entry(fault.code.slug).or_default() += 1;
            continue;
        }
        let size = serde_json::to_vec(object.raw).map_err(Fault::bug)?.len() + OBJECT_EXTRA_BYTES;
        let full = next.objects.len() == base::limit::ENTRIES_PER_ACT;
        if !next.objects.is_empty() && (full || bytes + size > OBJECTS_BYTES) {
            job.acts.push(std::mem::replace(&mut next, empty()));
            bytes = fixed;
        }
        bytes += size;
        job.taken += 1;
        next.objects.push(object.raw.to_owned());
    }
    if !next.objects.is_empty() {
        job.acts.push(next);
    }
    Ok(job)
}
