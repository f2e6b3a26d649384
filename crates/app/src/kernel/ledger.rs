//! The ledger as inspectors see it: entries by their metadata, the signed head, proofs.

use std::sync::Arc;

use base::{AgencyId, EntryId, PersonId, RecordId, Time};
use ledger::header::Actor;
use ledger::leaf::{Class, Leaf};
use ledger::proof::prove_inclusion;
use serde::Serialize;
use store::log::{LogName, StoredEntry, StoredSecrets};

use super::access::{AccessKind, AccessRow};
use super::apply::capability_of;
use super::fault::Fault;
use super::loss::CutBack;
use super::node::Cosigned;
use super::oversight::{Sight, inspects};
use super::question::{Answer, Asked};
use super::start::open_entry;
use super::tiles::LogHashes;

/// LIMIT: entries of one page.
const PAGE: u64 = 100;

/// One log's signed head.
#[derive(Serialize)]
struct SignedHead {
    size: u64,
    root: String,
    /// The note with its signatures (C2SP signed-note).
    checkpoint: String,
    /// The names of the keys that signed it.
    signed_by: Vec<String>,
}

/// An entry as an inspector may know it; what may not be known is null.
#[derive(Serialize)]
struct Known {
    id: EntryId,
    sequence: u64,
    at: Time,
    class: &'static str,
    kind: Option<String>,
    record: Option<RecordId>,
    person: Option<PersonId>,
    agency: Option<AgencyId>,
    acted_at: Option<Time>,
    /// The clauses that it cites, with their versions.
    clauses: Vec<String>,
    /// How many portions it has, and how many of them were erased by order.
    portions: Option<usize>,
    erased: Option<usize>,
}

/// The newest head of the log of acts that a witness has cosigned.
#[derive(Serialize)]
struct Witnessed {
    witness: String,
    size: u64,
    at: Time,
}

#[derive(Serialize)]
struct LedgerPage {
    acts: SignedHead,
    access: SignedHead,
    witnesses: Vec<Witnessed>,
    /// Heads that were signed and lost, in the order of the log.
    losses: Vec<Arc<CutBack>>,
    entries: Vec<Known>,
    /// Where the next page starts; absent on the last.
    next: Option<u64>,
}

const fn class_word(class: Class) -> &'static str {
    match class {
        Class::Act => "act",
        Class::Identity => "identity",
        Class::Policy => "policy",
        Class::Erasure => "erasure",
        Class::Anchor => "anchor",
        Class::Access => "access",
        Class::Talk => "talk",
    }
}

fn signed_head(size: u64, root: base::Digest, note: &[u8]) -> SignedHead {
    let checkpoint = String::from_utf8_lossy(note).into_owned();
    let signed_by = checkpoint
        .lines()
        .filter_map(|line| Some(line.strip_prefix("\u{2014} ")?.split(' ').next()?.to_owned()))
        .collect();
    SignedHead { size, root: root.to_string(), checkpoint, signed_by }
}

/// The newest entries, or those before the sequence number `before`.
///
/// # Errors
/// `invalid-cursor` for a `before` that is no number; the store's own fault.
pub fn entries(asked: &Asked<'_>) -> Result<Answer, Fault> {
    let core = asked.reader.core();
    let size = core.head.size;
    let before = match asked.query.get("before") {
        Some(text) => text
            .parse::<u64>()
            .map_err(|form| Fault::invalid("invalid-cursor", "`before` is a number").because(form))?
            .min(size),
        None => size,
    };
    let from = before.saturating_sub(PAGE);
    let count = u32::try_from(before - from).unwrap_or(0);
    let log = asked.node.log();
    let stored = log.entries(LogName::Acts, from, count)?;
    let secrets = log.secrets(LogName::Acts, from, count)?;
    let mut entries = Vec::with_capacity(stored.len());
    for entry in stored.iter().rev() {
        let secrets = secrets.iter().find(|secrets| secrets.sequence == entry.sequence);
        entries.push(known(asked, entry, secrets)?);
    }
    let access = log.head(LogName::Access)?;
    note(asked, AccessKind::Listed)?;
    Answer::json(&LedgerPage {
        acts: signed_head(size, core.head.root, &core.head.note),
        access: signed_head(access.size, access.root, &access.note),
        witnesses: asked.node.cosigned().into_iter().map(witnessed).collect(),
        losses: core.register.losses.clone(),
        entries,
        next: (from > 0).then_some(from),
    })
}

fn witnessed((witness, cosigned): (String, Cosigned)) -> Witnessed {
    Witnessed { witness, size: cosigned.size, at: cosigned.at }
}

fn note(asked: &Asked<'_>, kind: AccessKind) -> Result<(), Fault> {
    let row = AccessRow::of(asked.reader.actor(), kind, None, asked.reader.at());
    let query = base::crypto::Hasher::new("muster/access-query/v1").part(b"ledger").finish();
    asked.node.access().record(AccessRow { query: Some(query), ..row })
}

/// What may be known of an entry: everything of a witness, more of a record that is overseen.
fn known(
    asked: &Asked<'_>,
    entry: &StoredEntry,
    secrets: Option<&StoredSecrets>,
) -> Result<Known, Fault> {
    let sequence = entry.sequence;
    let damaged = |fault| Fault::from(store::Error::Damaged(sequence, fault));
    let leaf = Leaf::from_bytes(&entry.leaf).map_err(damaged)?;
    let mut known = Known {
        id: leaf.entry,
        sequence,
        at: leaf.at,
        class: class_word(leaf.class),
        kind: None,
        record: None,
        person: None,
        agency: None,
        acted_at: None,
        clauses: Vec::new(),
        portions: None,
        erased: None,
    };
    let Some(secrets) = secrets else { return Ok(known) };
    let opened = open_entry(asked.node.keys(), entry, secrets)?;
    let header = &opened.header;
    let (core, actor) = (asked.reader.core(), asked.reader.actor());
    let of_kernel = matches!(leaf.class, Class::Anchor) || header.shared.kind == "epoch.advanced/1";
    let base = asked.node.views().with(|views| views.record(header.shared.record))?;
    let noun = capability_of(asked.node.capabilities(), &header.shared.kind);
    let sight = base.zip(noun).and_then(|(row, (capability, _))| {
        let of = (&*core.register, &*core.cells);
        inspects(&core.policy, of, actor, (capability.noun, row.base))
    });
    if sight.is_none() && !of_kernel {
        return Ok(known);
    }
    // Whoever only reads the record learns of an entry when a portion of it can be read.
    if sight == Some(Sight::Reads) {
        let reads = header.local.slots.iter().any(|slot| {
            let label = core.cells.label_number(&slot.label.digest());
            let cell = label.and_then(|label| core.cells.number(label, slot.circle));
            let noun = noun.map_or("", |(capability, _)| capability.noun);
            cell.is_some_and(|cell| {
                core.policy.readable_cell(&core.register, &core.cells, actor, (noun, cell))
            })
        });
        if !reads {
            return Ok(known);
        }
    }
    known.kind = Some(header.shared.kind.clone());
    known.record = Some(header.shared.record);
    known.person = match header.shared.actor {
        Actor::Person(person) => Some(person),
        Actor::System | Actor::Service(_) => header.shared.on_behalf_of,
    };
    known.agency = Some(header.shared.agency);
    known.acted_at = Some(header.shared.acted_at);
    let clauses = header.local.clauses.iter();
    known.clauses = clauses.map(|c| format!("{}:{}", c.clause, c.version)).collect();
    if sight != Some(Sight::Reads) {
        known.portions = Some(opened.contents.len());
        let erased = |c: &&(u8, super::apply::Content)| c.1 == super::apply::Content::Erased;
        known.erased = Some(opened.contents.iter().filter(erased).count());
    }
    Ok(known)
}

#[derive(Serialize)]
struct Proof {
    entry: EntryId,
    sequence: u64,
    /// The leaf, hexadecimal.
    leaf: String,
    leaf_hash: String,
    /// The hashes beside the way from the leaf to the root, nearest to the leaf first.
    path: Vec<String>,
    size: u64,
    root: String,
    checkpoint: String,
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _written = write!(text, "{byte:02x}");
        text
    })
}

/// The inclusion proof of an entry, by its id (RFC 9162 §2.1.3.1).
///
/// # Errors
/// `absent` when there is no such entry.
pub fn proof(asked: &Asked<'_>) -> Result<Answer, Fault> {
    let id = asked.id.ok_or_else(Fault::absent)?;
    let entry = EntryId(id.0);
    let sequence = asked.node.views().with(|views| views.sequence_of(entry))?;
    let core = asked.reader.core();
    let sequence = sequence.filter(|s| *s < core.head.size).ok_or_else(Fault::absent)?;
    let log = asked.node.log();
    let leaf = log.leaves(LogName::Acts, sequence, 1)?.into_iter().next();
    let leaf = leaf.ok_or_else(|| Fault::from(store::Error::Missing(sequence)))?;
    let hashes = LogHashes { reader: log, log: LogName::Acts };
    let path = prove_inclusion(sequence, core.head.size, &hashes).map_err(Fault::bug)?;
    note(asked, AccessKind::Opened)?;
    Answer::json(&Proof {
        entry,
        sequence,
        leaf_hash: ledger::tree::leaf_hash(&leaf).to_string(),
        leaf: hex(&leaf),
        path: path.iter().map(ToString::to_string).collect(),
        size: core.head.size,
        root: core.head.root.to_string(),
        checkpoint: String::from_utf8_lossy(&core.head.note).into_owned(),
    })
}
