//! A bundle as a job of many acts: in the order of the bundle, ends before what relates them, each
//! act within its limits and under a key of its own.
//!
//! The same bundle cut again gives the same acts under the same keys, so a job that was broken off
//! is given again as a whole: an act that was done is answered with its first outcome.

use std::collections::{BTreeMap, BTreeSet};

use base::{Marking, SchemeId};
use interop::stix::{Bundle, Class, Head, StixObject};

use super::{DEFINITIONS_MAX, Import, Table, Tally, tally};
use crate::kernel::http::{answer_preview, command_of};
use crate::kernel::route::Preview;
use crate::kernel::{Act, ActorContext, Fault, Node};

/// What an act is refused with that changes nothing.
const NOTHING: &str = "nothing-to-do";

/// An act of a job.
#[derive(Clone, Debug)]
pub struct Part {
    pub idempotency_key: String,
    pub import: Import,
}

/// A bundle, cut into acts.
#[derive(Debug)]
pub struct Job {
    pub parts: Vec<Part>,
    /// Objects that the bundle has.
    pub objects: usize,
    /// Those that stand in no part: each is counted with its reason.
    pub held: Tally,
}

const ACTION: &str = "entity:import";

/// LIMIT: bytes of an act's objects, below the kernel's own: what is shown stands beside them.
const OBJECTS_BYTES: usize = base::limit::ACT_BYTES - 16 * 1024;
/// LIMIT: bytes counted for each object beside its text: ids, digests, name, description.
const OBJECT_EXTRA_BYTES: usize = 1280;
/// LIMIT: an object of more bytes fits into no portion.
const OBJECT_BYTES: usize = base::limit::PORTION_BYTES - 8 * 1024;

/// Cuts a bundle into acts; `markings` is the agency's default.
///
/// # Errors
/// `invalid-bundle` when the bytes are no bundle.
pub fn plan(
    bytes: &[u8],
    markings: &BTreeMap<SchemeId, Marking>,
    table: &Table,
) -> Result<Job, Fault> {
    let bundle = Bundle::read(bytes)
        .map_err(|fault| Fault::invalid("invalid-bundle", fault.to_string()).because(fault))?;
    let mut held = Tally::default();
    let (mut first, mut last) = (Vec::new(), Vec::new());
    for object in bundle.objects() {
        match object {
            Ok(object) if escaped(object.raw)? > OBJECT_BYTES => held.hold("object-too-large"),
            Ok(object) if object.head.class == Class::Relationship => last.push(object),
            Ok(object) => first.push(object),
            Err(refusal) => {
                let slug = refusal.faults.first().map(|fault| fault.code().slug);
                held.hold(slug.unwrap_or("invalid-object"));
            }
        }
    }
    let definitions: BTreeMap<String, String> = bundle
        .definitions()
        .map(|object| (object.head.id.as_str().to_owned(), object.raw.to_owned()))
        .collect();
    first.extend(last);
    let cutting = Cutting { markings, table, definitions: &definitions };
    let settings = serde_json::to_vec(&cutting.empty()).map_err(Fault::bug)?;
    let named = base::crypto::Hasher::new("muster/entity-import/v1").part(bytes).part(&settings);
    let named = named.finish();
    let parts = cutting
        .cut(&first)?
        .into_iter()
        .enumerate()
        .map(|(place, import)| Part { idempotency_key: format!("import-{named}-{place}"), import });
    Ok(Job { parts: parts.collect(), objects: bundle.len(), held })
}

/// Does a job in this process, part after part, and tells what came of every object.
///
/// It blocks until the last part is durable. A job that was broken off may be given again.
///
/// # Errors
/// What a part was refused with; what was done before it stays.
pub fn perform(node: &Node, actor: &ActorContext, job: &Job) -> Result<Tally, Fault> {
    let mut all = job.held.clone();
    for part in &job.parts {
        let fields = serde_json::to_value(&part.import).map_err(Fault::bug)?;
        let fields = serde_json::from_value(fields).map_err(Fault::bug)?;
        // The bytes are those of the same part given over HTTP, and so is the key.
        let command = command_of(fields, "import", None)?;
        let act = Act {
            action: ACTION.to_owned(),
            command,
            idempotency_key: part.idempotency_key.clone(),
            actor: actor.clone(),
            signature: None,
        };
        let waiting = node.submit(act, None, None)?;
        let told = match waiting.blocking_recv().map_err(Fault::unavailable)? {
            Ok(done) => done.told,
            Err(fault) if fault.code.slug == NOTHING => None,
            Err(fault) => return Err(fault),
        };
        // Of an act that was done before, or that does nothing, it is told what would come of it.
        let told = if let Some(told) = told {
            told
        } else {
            let command = serde_json::to_vec(&part.import).map_err(Fault::bug)?;
            answer_preview(node, actor, ACTION, (Preview(tally), &command))?
        };
        all.add(&serde_json::from_value(told).map_err(Fault::bug)?);
    }
    Ok(all)
}

struct Cutting<'a> {
    markings: &'a BTreeMap<SchemeId, Marking>,
    table: &'a Table,
    definitions: &'a BTreeMap<String, String>,
}

impl Cutting<'_> {
    fn empty(&self) -> Import {
        Import {
            markings: self.markings.clone(),
            table: self.table.clone(),
            definitions: Vec::new(),
            objects: Vec::new(),
        }
    }

    fn cut(&self, objects: &[StixObject<'_>]) -> Result<Vec<Import>, Fault> {
        let mut parts = Vec::new();
        let (mut next, mut bytes) = (self.empty(), 0);
        let mut needed: BTreeSet<&str> = BTreeSet::new();
        for object in objects {
            let size = escaped(object.raw)? + OBJECT_EXTRA_BYTES;
            let mut with = needed.clone();
            with.extend(named(&object.head).filter(|id| self.definitions.contains_key(*id)));
            let full = next.objects.len() == base::limit::ENTRIES_PER_ACT
                || bytes + size > OBJECTS_BYTES
                || with.len() > DEFINITIONS_MAX;
            if full && !next.objects.is_empty() {
                self.define(&mut next, &needed);
                parts.push(std::mem::replace(&mut next, self.empty()));
                bytes = 0;
                with.retain(|id| named(&object.head).any(|own| own == *id));
            }
            needed = with;
            bytes += size;
            next.objects.push(object.raw.to_owned());
        }
        if !next.objects.is_empty() {
            self.define(&mut next, &needed);
            parts.push(next);
        }
        Ok(parts)
    }

    /// Adds the definitions that the objects name. What is left out above the limit stays unknown,
    /// and is read as the strictest.
    fn define(&self, import: &mut Import, needed: &BTreeSet<&str>) {
        let texts = needed.iter().filter_map(|id| self.definitions.get(*id));
        import.definitions = texts.take(DEFINITIONS_MAX).cloned().collect();
    }
}

/// The marking definitions that an object names.
fn named(head: &Head) -> impl Iterator<Item = &str> {
    let parts = head.granular_markings.iter().map(|granular| granular.marking.as_str());
    head.object_markings.iter().map(interop::stix::StixId::as_str).chain(parts)
}

fn escaped(raw: &str) -> Result<usize, Fault> {
    Ok(serde_json::to_vec(raw).map_err(Fault::bug)?.len())
}
