//! A segment: the rows of a minute as one entry of the log `access`.
//!
//! The first portion is a [`Summary`], with the root of a tree over the rows, so that one row can
//! be shown and proved without the others; the rows themselves follow in portions of at most
//! 64 KiB. The hash of a row is `H("muster/access-row/v1", salt, JSON)`, hashed as a leaf
//! (RFC 9162 §2.1.1). A summary names the head of the log of acts, which names that of this log in
//! turn (`access.anchored/1`): neither can be cut back alone.

use std::path::PathBuf;
use std::sync::mpsc::SyncSender;
use std::sync::{Mutex, PoisonError};

use base::crypto::{Digest, Entropy, Hasher};
use base::{
    AgencyId, EntryId, Label, LedgerId, Level, Marking, Play, RecordId, SchemeId, Time, Token,
};
use ledger::checkpoint::{Checkpoint, Origin};
use ledger::format::Suite;
use ledger::header::{Actor, Header, Local, Purpose, Shared};
use ledger::leaf::Class;
use ledger::note::Signer;
use ledger::portion::{Draft, Portion, SealedEntry, seal};
use ledger::proof::prove_inclusion;
use ledger::tile::Edge;
use ledger::tree::{Frontier, Hashes, leaf_hash};
use serde::{Deserialize, Serialize};
use store::log::{Batch, FullTile, Head, Log, LogName, LogReader, NewEntry, Signed};
use store::{Error, Keyring, secrets};

use super::access::AccessRow;
use super::apply::Content;
use super::fault::Fault;
use super::start::{OpenedEntry, open_entry_of};

/// The kind of the entries of the log `access`.
pub const KIND: &str = "access.recorded/1";
/// LIMIT: segments that wait for the sequencer; more mean that it does not work any more.
const WAITING: usize = 1024;

/// A row with the salt of its hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    pub salt: [u8; 32],
    /// An [`AccessRow`].
    pub json: Vec<u8>,
}

impl Row {
    /// The hash that stands in the tree of the rows.
    pub fn hash(&self) -> Digest {
        let hasher = Hasher::new("muster/access-row/v1");
        leaf_hash(&hasher.part(&self.salt).part(&self.json).finish().0)
    }

    /// What the row says; `None` for one of another form.
    pub fn read(&self) -> Option<AccessRow> {
        serde_json::from_slice(&self.json).ok()
    }
}

/// The rows of a minute, on their way to the log.
pub struct Segment {
    /// The leaf that it becomes.
    pub number: u64,
    pub rows: Vec<Row>,
    /// The file to remove once the log has them.
    pub path: PathBuf,
    /// Whether an earlier process left no file although it left a later one.
    pub missing: bool,
    pub done: Option<SyncSender<()>>,
}

/// What the access log's writer hands to the sequencer.
pub enum Handed {
    Segment(Segment),
    /// Wants to know when everything before it is in the log.
    Asked(SyncSender<()>),
}

/// What a segment says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Summary {
    pub rows: u64,
    /// The root of the tree over the rows (RFC 9162 §2.1.1).
    pub root: Digest,
    pub first_at: Option<Time>,
    pub last_at: Option<Time>,
    pub missing: bool,
    /// The head of the log of acts when it was written.
    pub acts: Anchor,
}

/// The head of another log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Anchor {
    pub size: u64,
    pub root: Digest,
}

/// The hashes of the rows of one segment.
pub struct RowHashes(pub Vec<Digest>);

impl Hashes for RowHashes {
    fn hashes(&self, level: u8, first: u64, count: u16) -> Result<Vec<Digest>, ledger::Error> {
        let whole = usize::try_from(first).unwrap_or(usize::MAX);
        let span = 1_usize.checked_shl(u32::from(level) * 8).unwrap_or(usize::MAX);
        let mut found = Vec::with_capacity(usize::from(count));
        for index in whole..whole.saturating_add(usize::from(count)) {
            let leaves = self.0.iter().skip(index.saturating_mul(span)).take(span);
            let mut tree = Frontier::new();
            for leaf in leaves {
                tree.append(*leaf);
            }
            found.push(tree.head().root);
        }
        Ok(found)
    }
}

/// The tree over rows.
pub fn root_of(rows: &[Row]) -> Digest {
    let mut tree = Frontier::new();
    for row in rows {
        tree.append(row.hash());
    }
    tree.head().root
}

/// Proves that a row stands at `index` among `rows`.
///
/// # Errors
/// [`ledger::Error::Index`] when it does not.
pub fn prove_row(rows: &[Row], index: u64) -> Result<Vec<Digest>, ledger::Error> {
    let hashes = RowHashes(rows.iter().map(Row::hash).collect());
    prove_inclusion(index, rows.len() as u64, &hashes)
}

/// Segments on their way from the access log's writer to the sequencer.
#[derive(Default)]
pub struct Segments(Mutex<Vec<Handed>>);

impl Segments {
    /// Puts one behind the others.
    pub fn put(&self, handed: Handed) {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() >= WAITING {
            // Its file stays: the next start finds it.
            tracing::error!("too many segments of the access log wait");
            return;
        }
        waiting.push(handed);
    }

    /// Takes all.
    pub fn take(&self) -> Vec<Handed> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The end of the log `access`, as the sequencer keeps it.
pub struct AccessLedger {
    pub head: Head,
    pub edge: Edge,
    /// The time of its last leaf; it never goes back.
    pub at: Time,
    pub origin: String,
    pub signer: Signer,
    pub second_signer: Signer,
}

/// What writing a segment needs besides.
pub struct Writing<'a> {
    pub log: &'a mut Log,
    pub keys: &'a Keyring,
    pub ledger: LedgerId,
    pub acts: Anchor,
    pub at: Time,
    pub entropy: &'a mut Entropy,
}

impl AccessLedger {
    /// Writes a segment as the next leaf, signed with both keys; then its file is removed.
    ///
    /// # Errors
    /// The log's own fault: then the log must not go on.
    pub fn write(&mut self, segment: Segment, on: Writing<'_>) -> Result<(), Error> {
        if segment.number != self.head.size {
            return Err(Error::Form("a segment of the access log that is not the next one"));
        }
        let at = self.at.max(on.at);
        let draft = draft(&segment, &on, at)?;
        let (sealed, _) = seal(draft, on.keys, on.entropy)
            .map_err(|fault| Error::Damaged(segment.number, fault))?;
        let place = (LogName::Access, self.head.size);
        let (week, wrapped) = secrets::wrap(on.keys, at, place, &sealed.secrets, on.entropy)?;
        let mut edge = self.edge.clone();
        edge.append(leaf_hash(&sealed.leaf));
        let tiles = edge.take_full().into_iter().map(|(tile, hashes)| FullTile {
            level: tile.level(),
            index: tile.index(),
            hashes,
        });
        let tiles = tiles.collect();
        let after = self.signed(&edge)?;
        let signed = vec![Signed { size: after.size, note: after.note.clone() }];
        let SealedEntry { leaf, header, commitments, portions, signature, .. } = sealed;
        let entry =
            NewEntry { leaf, header, commitments, portions, signature, week, secrets: wrapped };
        on.log.commit(&Batch {
            log: LogName::Access,
            before: self.head.clone(),
            after: after.clone(),
            entries: vec![entry],
            tiles,
            receipts: Vec::new(),
            signed,
            erased: Vec::new(),
        })?;
        super::crash::point("after-segment");
        (self.head, self.edge, self.at) = (after, edge, at);
        if let Err(fault) = std::fs::remove_file(&segment.path)
            && fault.kind() != std::io::ErrorKind::NotFound
        {
            tracing::warn!(error = %fault, "a file of the access log could not be removed");
        }
        if let Some(done) = segment.done {
            let _gone = done.send(());
        }
        Ok(())
    }

    fn signed(&self, edge: &Edge) -> Result<Head, Error> {
        let tree = edge.head();
        let origin = Origin::new(&self.origin).map_err(Error::Sign)?;
        let signers = [self.signer.clone(), self.second_signer.clone()];
        let note = Checkpoint::new(origin, tree).sign(&signers).map_err(Error::Sign)?;
        Ok(Head {
            epoch: self.head.epoch,
            size: tree.size,
            root: tree.root,
            frontier: edge.frontier().to_bytes(),
            note: note.to_string().into_bytes(),
        })
    }
}

fn draft(segment: &Segment, on: &Writing<'_>, at: Time) -> Result<Draft, Error> {
    let label = label().ok_or(Error::Form("label of a segment"))?;
    let times: Vec<Time> = segment.rows.iter().filter_map(|r| r.read().map(|r| r.at)).collect();
    let summary = Summary {
        rows: segment.rows.len() as u64,
        root: root_of(&segment.rows),
        first_at: times.iter().min().copied(),
        last_at: times.iter().max().copied(),
        missing: segment.missing,
        acts: on.acts,
    };
    let json = serde_json::to_vec(&summary);
    let portion = |body| Portion {
        label: label.clone(),
        circle: None,
        media: "application/octet-stream".to_owned(),
        body,
    };
    let mut portions = vec![Portion {
        media: "application/json".to_owned(),
        ..portion(json.map_err(|_form| Error::Form("summary of a segment"))?)
    }];
    portions.extend(chunks(&segment.rows).into_iter().map(portion));
    Ok(Draft {
        class: Class::Access,
        header: header(on.ledger, label.digest(), (segment, at)),
        at,
        portions,
        signature: None,
    })
}

/// The rows, each `u32 length of the JSON ‖ 32 salt ‖ JSON`, in pieces that fit a portion.
fn chunks(rows: &[Row]) -> Vec<Vec<u8>> {
    let mut bytes = Vec::new();
    for row in rows {
        let length = u32::try_from(row.json.len()).unwrap_or(u32::MAX);
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(&row.salt);
        bytes.extend_from_slice(&row.json);
    }
    bytes.chunks(base::limit::PORTION_BYTES).map(<[u8]>::to_vec).collect()
}

/// Everybody with the ledger's own right may know that a segment is there; rows stay sealed.
fn label() -> Option<Label> {
    let scheme = SchemeId(Token::new("NAT").ok()?);
    let marking = Marking { level: Level(1), ..Marking::default() };
    Some(Label::simple(scheme, marking, AgencyId([0; 16]), Play::Live))
}

fn header(ledger: LedgerId, base: Digest, of: (&Segment, Time)) -> Header {
    let (segment, at) = of;
    let digest = Hasher::new("muster/access-segment/v1")
        .part(&ledger.0)
        .part(&segment.number.to_be_bytes())
        .finish();
    let id = |part: usize| {
        let mut id = [0; 16];
        for (to, from) in id.iter_mut().zip(digest.0.iter().skip(part * 16)) {
            *to = *from;
        }
        id
    };
    let shared = Shared {
        suite: Suite::ONE,
        ledger,
        entry: EntryId(id(0)),
        kind: KIND.to_owned(),
        record: RecordId(id(1)),
        actor: Actor::System,
        agency: AgencyId([0; 16]),
        on_behalf_of: None,
        play: Play::Live,
        acted_at: at,
        valid_at: None,
        imported: None,
    };
    let local = Local {
        seat: None,
        device: None,
        cause: None,
        purpose: Purpose::Inspection,
        authority: None,
        basis: None,
        version: 1,
        idempotency: Digest::default(),
        command: Digest::default(),
        policy_epoch: 0,
        policy: Digest::default(),
        profile: Digest::default(),
        clauses: Vec::new(),
        authentication: None,
        base,
        circle: None,
        slots: Vec::new(),
    };
    Header { shared, local }
}

/// A segment as it stands in the log.
pub struct Recorded {
    pub entry: OpenedEntry,
    /// The slot of the summary.
    pub slot: u8,
    pub summary: Summary,
    pub rows: Vec<Row>,
}

/// Why a segment cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    #[error("its summary was erased or has another form")]
    Summary,
    #[error("its rows were erased or have another form")]
    Rows,
    #[error("its rows are not those that its summary names")]
    Root,
}

/// Reads a segment from its entry, and holds its rows against the summary.
///
/// # Errors
/// [`Unreadable`], which says what does not fit.
pub fn recorded(entry: OpenedEntry) -> Result<Recorded, Unreadable> {
    let body = |slot: u8| {
        let content = entry.contents.iter().find(|(s, _)| *s == slot).map(|(_, c)| c);
        match content {
            Some(Content::Open(body)) => Some(body.as_slice()),
            Some(Content::Sealed | Content::Erased) | None => None,
        }
    };
    let mut slots = entry.header.local.slots.iter().map(|slot| slot.slot);
    let slot = slots.next().ok_or(Unreadable::Summary)?;
    let summary: Summary =
        body(slot).and_then(|body| serde_json::from_slice(body).ok()).ok_or(Unreadable::Summary)?;
    let mut bytes = Vec::new();
    for slot in slots {
        bytes.extend_from_slice(body(slot).ok_or(Unreadable::Rows)?);
    }
    let rows = rows_of(&bytes).ok_or(Unreadable::Rows)?;
    if rows.len() as u64 != summary.rows || root_of(&rows) != summary.root {
        return Err(Unreadable::Root);
    }
    Ok(Recorded { entry, slot, summary, rows })
}

fn rows_of(mut bytes: &[u8]) -> Option<Vec<Row>> {
    let mut rows = Vec::new();
    while !bytes.is_empty() {
        let (length, rest) = bytes.split_first_chunk::<4>()?;
        let (salt, rest) = rest.split_first_chunk::<32>()?;
        let (json, rest) = rest.split_at_checked(u32::from_be_bytes(*length) as usize)?;
        rows.push(Row { salt: *salt, json: json.to_vec() });
        bytes = rest;
    }
    Some(rows)
}

/// Segments read at once.
const PAGE: u32 = 64;

/// Gives each segment from the first that can hold a row of `since` on, in order, up to `size`.
///
/// # Errors
/// The store's own fault, [`Unreadable`] as a bug, or what `each` answers.
pub fn each_since(
    reader: &LogReader,
    keys: &Keyring,
    (since, size): (Time, u64),
    mut each: impl FnMut(Recorded) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let mut at = first_at(reader, LogName::Access, size, since.plus_ms(-1))?;
    while at < size {
        let limit = u32::try_from(size - at).unwrap_or(PAGE).min(PAGE);
        let entries = reader.entries(LogName::Access, at, limit)?;
        let secrets = reader.secrets(LogName::Access, at, limit)?;
        if entries.is_empty() {
            return Err(Error::Missing(at).into());
        }
        for (entry, secrets) in entries.iter().zip(&secrets) {
            let opened = open_entry_of(LogName::Access, keys, entry, secrets)?;
            each(recorded(opened).map_err(Fault::bug)?)?;
        }
        at += entries.len() as u64;
    }
    Ok(())
}

/// How many of the first `size` entries of a log were written at or before `at`.
///
/// Log time never goes back, so it is found in O(log n) reads.
///
/// # Errors
/// The store's own fault, or damage when a leaf cannot be read.
pub fn first_at(reader: &LogReader, log: LogName, size: u64, at: Time) -> Result<u64, Fault> {
    let (mut low, mut high) = (0, size);
    while low < high {
        let middle = low + (high - low) / 2;
        let leaf = reader.leaves(log, middle, 1)?.into_iter().next();
        let leaf = leaf.ok_or(Error::Missing(middle))?;
        let leaf =
            ledger::leaf::Leaf::from_bytes(&leaf).map_err(|fault| Error::Damaged(middle, fault))?;
        if leaf.at <= at {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    Ok(low)
}
