//! Reading: which cells a reader may read, and `open`, the one place where a row becomes content.
//!
//! INVARIANT: queries give [`Labelled`] rows, which cannot be serialised; only [`Reader::open`]
//! turns one into content, after asking the readable set again, and records the access.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use base::crypto::Hasher;
use base::{AgencyId, CircleId, Digest, Kind, Label, OperationId, Place, RecordId, Time};
use ledger::portion::HEADER_SLOT;
use roaring::RoaringBitmap;
use serde::Serialize;
use store::Keyring;
use store::log::{LogName, StoredEntry, StoredSecrets, secret_of};

use super::access::{AccessKind, AccessRow};
use super::apply::{Content, refold};
use super::capability::{ActorContext, Capability, Layer};
use super::cells::CellNumber;
use super::cursor::Cursor;
use super::fault::Fault;
use super::floor::LayerId;
use super::node::Node;
use super::sequencer::Core;
use super::start::open_entry;
use super::view::{Hit, LayerRow, Piece, RecordRow, Views};

/// A row of which this reader may read at least the base; its content is still sealed.
pub struct Labelled {
    record: RecordId,
    row: RecordRow,
    /// The readable layers, base first, and no other.
    layers: Vec<LayerRow>,
    /// Their portions, in the order of the log.
    pieces: Vec<Piece>,
}

impl Labelled {
    /// The record's id, which says nothing.
    pub const fn record(&self) -> RecordId {
        self.record
    }

    /// For each of the layers, base first, the cells that its readers must be able to read.
    pub fn gates(&self) -> Vec<BTreeSet<CellNumber>> {
        let record = [Some(self.row.base), self.row.floor];
        let of = |layer: &LayerRow| {
            let own = [Some(layer.cell), Some(layer.gate)];
            record.into_iter().chain(own).flatten().collect()
        };
        self.layers.iter().map(of).collect()
    }

    /// When one of the layers last changed.
    pub fn changed_at(&self) -> Time {
        self.layers.iter().map(|layer| layer.changed_at).max().unwrap_or(Time::MIN)
    }
}

/// One layer as a reader gets it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OpenLayer {
    /// Names the layer to those who read it: see [`super::floor::layer_id`].
    pub id: LayerId,
    /// What it is shown under: its own label, and above that what it was raised to.
    pub label: Label,
    /// The label as a portion mark, such as `(S//REL TO FRA)`.
    pub mark: String,
    pub circle: Option<CircleId>,
    pub changed_at: Time,
    /// How many of its facts were erased; what they said is nowhere any more.
    pub erased: u32,
    pub body: serde_json::Map<String, serde_json::Value>,
}

/// A record as one reader may see it: the readable layers put together.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Rendition {
    pub id: RecordId,
    pub kind: String,
    pub agency: AgencyId,
    /// Changes exactly when something that this reader may read changes.
    pub etag: String,
    /// The join of the labels of all layers shown.
    pub banner: String,
    pub changed_at: Time,
    pub state: Option<String>,
    pub due_at: Option<Time>,
    pub place: Option<Place>,
    pub operation: Option<OperationId>,
    /// Base first; each overrides those before it.
    pub layers: Vec<OpenLayer>,
}

/// A page of renditions and where the next one starts.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Page {
    pub items: Vec<Rendition>,
    /// Absent on the last page.
    pub next: Option<String>,
    /// How many records of this kind the reader may know of.
    pub total: u64,
}

/// One signed-in reader at one state of the log.
pub struct Reader<'n> {
    node: &'n Node,
    core: Arc<Core>,
    actor: ActorContext,
    owner: Digest,
}

impl<'n> Reader<'n> {
    /// A reader at the newest state that this replica has.
    pub fn new(node: &'n Node, actor: ActorContext) -> Self {
        let core = node.core();
        let owner = owner_of(&actor);
        Self { node, core, actor, owner }
    }

    /// The state it reads.
    pub fn core(&self) -> &Core {
        &self.core
    }

    /// Who reads.
    pub const fn actor(&self) -> &ActorContext {
        &self.actor
    }

    /// The cells of a kind of record that this reader may read.
    pub fn readable(&self, noun: &'static str) -> Arc<RoaringBitmap> {
        self.node.readable(&self.core, &self.actor, noun)
    }

    /// Every kind of record.
    pub fn nouns(&self) -> impl Iterator<Item = &'static str> {
        self.node.capabilities().iter().map(|capability| capability.noun)
    }

    fn capability(&self, noun: &str) -> Result<&'static Capability, Fault> {
        self.node.capabilities().iter().find(|c| c.noun == noun).copied().ok_or_else(Fault::absent)
    }

    /// The newest records of a kind, from a cursor on.
    ///
    /// # Errors
    /// `invalid-cursor`, or the store's own fault.
    pub fn list(
        &self,
        noun: &'static str,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Page, Fault> {
        self.list_as_of(noun, cursor, limit, None)
    }

    /// A page of records as [`Reader::as_of`] gives each; those that were not there yet are left
    /// out, and a page may be shorter for it. Without a time, as they are now.
    ///
    /// # Errors
    /// As [`Reader::list`].
    pub fn list_as_of(
        &self,
        noun: &'static str,
        cursor: Option<&str>,
        limit: usize,
        at: Option<Time>,
    ) -> Result<Page, Fault> {
        let limit = limit.clamp(1, base::limit::PAGE_RECORDS);
        let before = match cursor {
            Some(text) => Cursor::open(text, self.node.cursor_key(), &self.owner)?.sequence,
            None => u64::MAX >> 1,
        };
        let readable = self.readable(noun);
        let (labelled, total, last) = self.node.views().with(|views| {
            let hits = views.page(noun, &readable, before, limit + 1)?;
            let more = hits.len() > limit;
            let shown: Vec<Hit> = hits.into_iter().take(limit).collect();
            let last = shown.last().map(|hit| hit.sequence).filter(|_| more);
            let mut labelled = Vec::with_capacity(shown.len());
            for hit in &shown {
                let Some(found) = labelled_of(views, hit.record, &readable)? else { continue };
                labelled.extend(match at {
                    Some(at) => known_at(views, found, at)?,
                    None => Some(found),
                });
            }
            Ok((labelled, views.count(noun, &readable)?, last))
        })?;
        let items = self.open_all(labelled)?;
        let asked = Hasher::new("muster/access-query/v1").part(noun.as_bytes());
        let asked = asked.part(cursor.unwrap_or_default().as_bytes());
        let asked = match at {
            Some(at) => asked.part(&at.ms().to_be_bytes()),
            None => asked,
        };
        self.note(AccessKind::Listed, &items, Some(asked.part(&limit.to_be_bytes()).finish()))?;
        let next = last.map(|sequence| self.cursor(sequence)).transpose()?;
        Ok(Page { items, next, total })
    }

    /// A cursor for the next page of this reader.
    ///
    /// # Errors
    /// A bug when it cannot be sealed.
    pub fn cursor(&self, sequence: u64) -> Result<String, Fault> {
        let cursor = Cursor {
            sequence,
            epoch: self.core.policy.epoch(),
            people: self.core.register.people_changes,
            profile: self.core.policy.profile_digest(&self.core.register, &self.actor),
            at: self.core.at,
        };
        cursor.seal(self.node.cursor_key(), &self.owner, &mut self.node.entropy())
    }

    /// A record by its id.
    ///
    /// # Errors
    /// `absent` when it does not exist or may not be known to exist: the same answer for both.
    pub fn get(&self, noun: &'static str, id: RecordId) -> Result<Rendition, Fault> {
        let readable = self.readable(noun);
        let found = self.node.views().with(|views| labelled_of(views, id, &readable))?;
        let found = found.filter(|labelled| labelled.row.kind == noun);
        if let Some(labelled) = found {
            self.open(labelled)
        } else {
            self.denied(id)?;
            Err(Fault::absent())
        }
    }

    /// A record by its id, and for each of its layers the cells that had to be readable.
    ///
    /// # Errors
    /// As [`Reader::get`].
    pub fn get_with_cells(
        &self,
        noun: &'static str,
        id: RecordId,
    ) -> Result<(Rendition, Vec<BTreeSet<CellNumber>>), Fault> {
        let readable = self.readable(noun);
        let found = self.node.views().with(|views| labelled_of(views, id, &readable))?;
        let Some(labelled) = found.filter(|labelled| labelled.row.kind == noun) else {
            self.denied(id)?;
            return Err(Fault::absent());
        };
        let cells = labelled.gates();
        Ok((self.open(labelled)?, cells))
    }

    /// The records of a kind that changed since a time, newest first, still sealed; at most
    /// `limit`, and whether there are more.
    ///
    /// Whoever asks notes what is opened of them.
    ///
    /// # Errors
    /// The store's own fault.
    pub fn since(
        &self,
        noun: &'static str,
        since: Time,
        limit: usize,
    ) -> Result<(Vec<Labelled>, bool), Fault> {
        let readable = self.readable(noun);
        let (mut found, mut before) = (Vec::new(), u64::MAX >> 1);
        self.node.views().with(|views| {
            loop {
                let hits = views.page(noun, &readable, before, base::limit::PAGE_RECORDS)?;
                let Some(last) = hits.last() else { return Ok((found, false)) };
                before = last.sequence;
                for hit in &hits {
                    let Some(labelled) = labelled_of(views, hit.record, &readable)? else {
                        continue;
                    };
                    // Log time never goes back, so what follows is older still.
                    if labelled.changed_at() < since {
                        return Ok((found, false));
                    }
                    if found.len() >= limit {
                        return Ok((found, true));
                    }
                    found.push(labelled);
                }
            }
        })
    }

    /// Whether this reader may know of a record of a kind; nothing of it leaves.
    ///
    /// # Errors
    /// The store's own fault.
    pub fn knows(&self, noun: &'static str, id: RecordId) -> Result<bool, Fault> {
        let readable = self.readable(noun);
        let row = self.node.views().with(|views| views.record(id))?;
        Ok(row.is_some_and(|row| row.kind == noun && row.readable(&readable)))
    }

    /// A record as this reader might have read what is known of it up to `at`, by today's rules;
    /// `at` is a time of the play, as all times that people see.
    ///
    /// # Errors
    /// As [`Reader::get`].
    pub fn as_of(&self, noun: &'static str, id: RecordId, at: Time) -> Result<Rendition, Fault> {
        let readable = self.readable(noun);
        let known = self.node.views().with(|views| {
            let found = labelled_of(views, id, &readable)?;
            let found = found.filter(|labelled| labelled.row.kind == noun);
            found.map(|labelled| known_at(views, labelled, at)).transpose()
        })?;
        self.open(known.flatten().ok_or_else(Fault::absent)?)
    }

    /// Finds something in the portions of a record that this reader may read, and records that it
    /// was opened, before it is given.
    ///
    /// # Errors
    /// `absent` when the record may not be known to exist, and when nothing readable has it: the
    /// same answer for both; `access-log` when the row cannot be written.
    pub fn open_part<T>(
        &self,
        noun: &'static str,
        id: RecordId,
        find: impl Fn(&[u8]) -> Option<T>,
    ) -> Result<T, Fault> {
        let readable = self.readable(noun);
        let labelled = self.node.views().with(|views| labelled_of(views, id, &readable))?;
        let labelled = labelled.filter(|labelled| labelled.row.kind == noun);
        let found = labelled.map(|labelled| self.find_in(&labelled, find)).transpose()?.flatten();
        let Some((label, found)) = found else {
            self.denied(id)?;
            return Err(Fault::absent());
        };
        let row = AccessRow::of(&self.actor, AccessKind::Opened, Some(id), self.at());
        self.node.access().record(AccessRow { labels: vec![label], ..row })?;
        Ok(found)
    }

    fn find_in<T>(
        &self,
        labelled: &Labelled,
        find: impl Fn(&[u8]) -> Option<T>,
    ) -> Result<Option<(Digest, T)>, Fault> {
        let sequences = distinct(&labelled.pieces);
        let log = self.node.log();
        let entries = by_sequence(log.entries_at(LogName::Acts, &sequences)?, |e| e.sequence);
        let secrets = by_sequence(log.secrets_at(LogName::Acts, &sequences)?, |s| s.sequence);
        for piece in labelled.pieces.iter().filter(|piece| !piece.erased) {
            let missing = || Fault::from(store::Error::Missing(piece.sequence));
            let entry = entries.get(&piece.sequence).ok_or_else(missing)?;
            let secrets = secrets.get(&piece.sequence).ok_or_else(missing)?;
            for (slot, content) in open_entry(self.node.keys(), entry, secrets)?.contents {
                let Content::Open(body) = content else { continue };
                if slot == piece.slot
                    && let Some(found) = find(&body)
                {
                    return Ok(Some((self.label_digest(labelled, piece.cell)?, found)));
                }
            }
        }
        Ok(None)
    }

    /// The digest of the label that a layer bears for its readers: its own, raised by its floor.
    fn label_digest(&self, labelled: &Labelled, cell: CellNumber) -> Result<Digest, Fault> {
        let layer = labelled.layers.iter().find(|layer| layer.cell == cell);
        let layer = layer.ok_or_else(|| Fault::bug("a portion has no layer"))?;
        let of = |cell| self.core.cells.label_of(cell);
        let (own, gate) =
            of(cell).zip(of(layer.gate)).ok_or_else(|| Fault::bug("a layer has no label"))?;
        Ok(policy::join(own, gate).map_err(Fault::bug)?.digest())
    }

    /// Opens a row: asks the readable set again, unseals its portions, and records the access.
    ///
    /// # Errors
    /// The store's own fault; a bug when a row holds a layer that the reader may not read.
    pub fn open(&self, labelled: Labelled) -> Result<Rendition, Fault> {
        let mut opened = self.open_all(vec![labelled])?;
        self.note(AccessKind::Opened, &opened, None)?;
        opened.pop().ok_or_else(Fault::absent)
    }

    /// The id and kind of the record that an entry made; both are nothing to give away.
    ///
    /// # Errors
    /// The store's own fault.
    pub fn made_by(&self, sequence: u64) -> Result<Option<(RecordId, String)>, Fault> {
        self.node.views().with(|views| {
            let Some((record, _)) = views.entry_at(sequence)? else { return Ok(None) };
            Ok(views.record(record)?.map(|row| (record, row.kind)))
        })
    }

    /// A record that a question speaks of, or `None` when it may not be known to exist.
    ///
    /// The question notes what it answers with; nothing of it may leave before.
    ///
    /// # Errors
    /// The store's own fault.
    pub fn find(&self, noun: &'static str, id: RecordId) -> Result<Option<Rendition>, Fault> {
        let readable = self.readable(noun);
        let found = self.node.views().with(|views| labelled_of(views, id, &readable))?;
        let found = found.filter(|labelled| labelled.row.kind == noun);
        found.map(|labelled| self.peek(labelled)).transpose()
    }

    /// Opens a row for live streams: what was sent is noted by each stream's interval.
    ///
    /// # Errors
    /// As [`Reader::open`].
    pub fn peek(&self, labelled: Labelled) -> Result<Rendition, Fault> {
        self.open_all(vec![labelled])?.pop().ok_or_else(Fault::absent)
    }

    /// When something is read: by the node's clock, never before what is read was written.
    pub fn at(&self) -> Time {
        self.node.now().max(self.core.at)
    }

    /// Records that a record was asked for and is not given.
    ///
    /// # Errors
    /// `access-log` when that cannot be recorded.
    pub fn denied(&self, id: RecordId) -> Result<(), Fault> {
        let row = AccessRow::of(&self.actor, AccessKind::Denied, Some(id), self.at());
        self.node.access().record(row)
    }

    /// Records what leaves the node, before it does.
    ///
    /// # Errors
    /// `access-log` when that cannot be recorded.
    pub fn note(
        &self,
        kind: AccessKind,
        renditions: &[Rendition],
        query: Option<Digest>,
    ) -> Result<(), Fault> {
        let row = AccessRow::of(&self.actor, kind, None, self.at());
        self.node.access().record(row_of(row, renditions, query))
    }

    fn open_all(&self, rows: Vec<Labelled>) -> Result<Vec<Rendition>, Fault> {
        let mut sequences: Vec<u64> =
            rows.iter().flat_map(|row| row.pieces.iter().map(|p| p.sequence)).collect();
        sequences.sort_unstable();
        sequences.dedup();
        let log = self.node.log();
        let entries = by_sequence(log.entries_at(LogName::Acts, &sequences)?, |e| e.sequence);
        let secrets = by_sequence(log.secrets_at(LogName::Acts, &sequences)?, |s| s.sequence);
        let mut renditions = Vec::with_capacity(rows.len());
        for row in rows {
            let capability = self.capability(&row.row.kind)?;
            let readable = self.readable(capability.noun);
            if row.layers.iter().any(|layer| !layer.readable(&readable)) {
                return Err(Fault::bug("a row holds a layer above its reader"));
            }
            renditions.push(self.render(capability, &row, &entries, &secrets)?);
        }
        Ok(renditions)
    }

    fn render(
        &self,
        capability: &Capability,
        row: &Labelled,
        entries: &BTreeMap<u64, StoredEntry>,
        secrets: &BTreeMap<u64, StoredSecrets>,
    ) -> Result<Rendition, Fault> {
        let mut layers = Vec::with_capacity(row.layers.len());
        let schemes = self.core.policy.schemes();
        let mut merged = Layer::default();
        let mut versions = Hasher::new("muster/etag/v1").part(&row.record.0);
        let mut changed_at = Time::MIN;
        let mut banner: Option<Label> = None;
        for layer in &row.layers {
            let cells = &self.core.cells;
            let known = cells.row(layer.cell).zip(cells.label_of(layer.cell));
            let gate = cells.label_of(layer.gate);
            let (cell, own) = known.ok_or_else(|| Fault::bug("a layer has no label"))?;
            let gate = gate.ok_or_else(|| Fault::bug("a floor has no label"))?;
            let label = policy::join(own, gate).map_err(Fault::bug)?;
            let of = (capability, row, layer.cell);
            let folded = fold(self.node.keys(), of, (entries, secrets))?;
            let digest = label.digest();
            let of_layer = row.pieces.iter().filter(|piece| piece.cell == layer.cell);
            let erased = u32::try_from(of_layer.filter(|piece| piece.erased).count());
            let erased = erased.unwrap_or(u32::MAX);
            versions = versions.part(&digest.0).part(&layer.version.to_be_bytes());
            versions = versions.part(&erased.to_be_bytes());
            changed_at = changed_at.max(layer.changed_at);
            override_with(&mut merged, &folded);
            banner = match banner {
                Some(banner) => Some(policy::join(&banner, &label).map_err(Fault::bug)?),
                None => Some(label.clone()),
            };
            layers.push(OpenLayer {
                id: super::floor::layer_id(row.record, own, cell.circle),
                mark: schemes.portion(&label).map_err(Fault::bug)?,
                label,
                circle: cell.circle,
                changed_at: layer.changed_at,
                erased,
                body: folded.body,
            });
        }
        let key = self.node.cursor_key();
        let etag = Hasher::new("muster/etag-seal/v1")
            .part(key.expose())
            .part(&versions.finish().0)
            .finish();
        let etag = etag.to_string().chars().take(32).collect();
        Ok(Rendition {
            id: row.record,
            kind: row.row.kind.clone(),
            agency: row.row.agency,
            etag,
            banner: banner
                .map(|label| schemes.banner(&label))
                .transpose()
                .map_err(Fault::bug)?
                .unwrap_or_default(),
            changed_at,
            state: merged.state,
            due_at: merged.due_at,
            place: merged.place,
            operation: merged.operation,
            layers,
        })
    }
}

type Stored<'a> = (&'a BTreeMap<u64, StoredEntry>, &'a BTreeMap<u64, StoredSecrets>);

/// Folds one layer of a record from the portions of its cell.
fn fold(
    keys: &Keyring,
    (capability, row, cell): (&Capability, &Labelled, CellNumber),
    (entries, secrets): Stored<'_>,
) -> Result<Layer, Fault> {
    let mut facts = Vec::new();
    for piece in row.pieces.iter().filter(|piece| piece.cell == cell) {
        let sequence = piece.sequence;
        let missing = || Fault::from(store::Error::Missing(sequence));
        let entry = entries.get(&sequence).ok_or_else(missing)?;
        let secrets = secrets.get(&sequence).ok_or_else(missing)?;
        debug_assert!(
            !secrets.secrets.is_empty() || secret_of(&[], HEADER_SLOT).is_none(),
            "a header keeps its secret for ever"
        );
        let opened = open_entry(keys, entry, secrets)?;
        let content = opened
            .contents
            .into_iter()
            .find(|(slot, _)| *slot == piece.slot)
            .map_or(Content::Erased, |(_, content)| content);
        if content == Content::Erased && !piece.erased {
            // The order is in the log and not in this state of the views yet, or it is damage.
            let secret = store::Error::SecretMissing { sequence, slot: piece.slot };
            return Err(Fault::unavailable(secret));
        }
        let slot = opened.header.local.slots.iter().find(|s| s.slot == piece.slot).cloned();
        let slot = slot.ok_or_else(|| Fault::bug("a portion has no slot"))?;
        facts.push((sequence, opened.header, slot, content));
    }
    Ok(refold(capability, cell, &facts))
}

/// Adds to a row what was read: records, labels, and the digest of the answer.
pub fn row_of<'r>(
    row: AccessRow,
    renditions: impl IntoIterator<Item = &'r Rendition>,
    query: Option<Digest>,
) -> AccessRow {
    let mut result = Hasher::new("muster/access-result/v1");
    let mut labels: Vec<Digest> = Vec::new();
    let mut records = Vec::new();
    for rendition in renditions {
        records.push(rendition.id);
        result = result.part(&rendition.id.0).part(rendition.etag.as_bytes());
        labels.extend(rendition.layers.iter().map(|layer| layer.label.digest()));
    }
    labels.sort_unstable();
    labels.dedup();
    let result = query.map(|_| result.finish());
    AccessRow { records, labels, query, result, ..row }
}

fn by_sequence<T>(rows: Vec<T>, sequence: impl Fn(&T) -> u64) -> BTreeMap<u64, T> {
    rows.into_iter().map(|row| (sequence(&row), row)).collect()
}

/// What was known of a record up to a time; `None` when that was nothing.
fn known_at(views: Views<'_>, mut labelled: Labelled, at: Time) -> Result<Option<Labelled>, Fault> {
    let known = views.acted_by(&distinct(&labelled.pieces), at)?;
    labelled.pieces.retain(|piece| known.contains(&piece.sequence));
    labelled.layers.retain(|l| labelled.pieces.iter().any(|piece| piece.cell == l.cell));
    Ok((!labelled.layers.is_empty()).then_some(labelled))
}

fn distinct(pieces: &[Piece]) -> Vec<u64> {
    let mut sequences: Vec<u64> = pieces.iter().map(|piece| piece.sequence).collect();
    sequences.dedup();
    sequences
}

/// A higher layer overrides what it names.
fn override_with(merged: &mut Layer, layer: &Layer) {
    if layer.state.is_some() {
        merged.state.clone_from(&layer.state);
    }
    merged.due_at = layer.due_at.or(merged.due_at);
    merged.place = layer.place.or(merged.place);
    merged.operation = layer.operation.or(merged.operation);
}

/// Whose a cursor is: it is good for one session.
pub fn owner_of(actor: &ActorContext) -> Digest {
    let session = actor.session.map_or([0; 16], |id| id.0);
    Hasher::new("muster/cursor-owner/v1").part(&session).finish()
}

/// A record with every layer, for whoever asks about many readers at once; `None` when there is
/// none.
pub struct Whole(Labelled);

/// How a reader is told of an entry that is about a record, or has changed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// It has the first portion that the reader may read.
    New,
    /// It has another.
    Changed,
    /// It has none: a label or a portion of the record may have changed, which its tag tells.
    Touched,
    /// The record was raised above the reader.
    Raised,
}

impl Told {
    /// Whether the entry has a portion that the reader may read.
    pub const fn direct(self) -> bool {
        matches!(self, Self::New | Self::Changed)
    }
}

/// Loads a record with every layer.
///
/// # Errors
/// The store's own fault.
pub fn whole_of(views: Views<'_>, id: RecordId) -> Result<Option<Whole>, Fault> {
    let Some(row) = views.record(id)? else { return Ok(None) };
    let mut layers = views.layers(id)?;
    let base = row.base;
    layers.sort_by_key(|layer| (layer.cell != base, layer.cell));
    let pieces = views.pieces(id)?;
    Ok(Some(Whole(Labelled { record: id, row, layers, pieces })))
}

impl Whole {
    /// The entry that changed it last.
    pub fn newest(&self) -> u64 {
        self.0.layers.iter().map(|layer| layer.sequence).max().unwrap_or(0)
    }

    /// The kind of the record.
    pub fn kind(&self) -> &str {
        &self.0.row.kind
    }

    /// How a reader of some cells is told of an entry; `None` when it is no concern of theirs.
    pub fn told(&self, sequence: u64, reads: &impl Fn(CellNumber) -> bool) -> Option<Told> {
        let Some(cells) = self.cells(reads) else {
            let raised = self.0.row.floor.is_some() && reads(self.0.row.base);
            return raised.then_some(Told::Raised);
        };
        let pieces = self.0.pieces.iter().filter(|piece| cells.contains(&piece.cell));
        let mut sequences = pieces.map(|piece| piece.sequence).peekable();
        let first = sequences.peek().copied();
        let direct = sequences.any(|of| of == sequence);
        Some(match (direct, first == Some(sequence)) {
            (true, true) => Told::New,
            (true, false) => Told::Changed,
            (false, _) => Told::Touched,
        })
    }

    /// The layers that a reader of some cells may read, the base first; `None` when the base is not
    /// among them.
    pub fn cells(&self, reads: &impl Fn(CellNumber) -> bool) -> Option<Vec<CellNumber>> {
        let Labelled { row, layers, .. } = &self.0;
        if !reads(row.base) || !row.floor.is_none_or(reads) {
            return None;
        }
        let readable = layers.iter().filter(|layer| reads(layer.cell) && reads(layer.gate));
        Some(readable.map(|layer| layer.cell).collect())
    }

    /// The part of the record that lies in these layers.
    pub fn part(&self, cells: &[CellNumber]) -> Labelled {
        let Labelled { record, row, layers, pieces } = &self.0;
        let layers = layers.iter().filter(|layer| cells.contains(&layer.cell)).cloned().collect();
        let pieces = pieces.iter().filter(|piece| cells.contains(&piece.cell)).copied().collect();
        Labelled { record: *record, row: row.clone(), layers, pieces }
    }
}

/// A record with the content of every layer, for the search index: nothing of it leaves the node.
pub struct Folded {
    pub row: RecordRow,
    pub layers: Vec<(LayerRow, Layer)>,
}

/// Folds every layer of some records.
///
/// # Errors
/// The store's own fault.
pub fn folded(node: &Node, records: Vec<Whole>) -> Result<Vec<Folded>, Fault> {
    let all = records.iter().flat_map(|Whole(record)| distinct(&record.pieces));
    let mut sequences: Vec<u64> = all.collect();
    sequences.sort_unstable();
    sequences.dedup();
    let log = node.log();
    let entries = by_sequence(log.entries_at(LogName::Acts, &sequences)?, |e| e.sequence);
    let secrets = by_sequence(log.secrets_at(LogName::Acts, &sequences)?, |s| s.sequence);
    let mut all = Vec::with_capacity(records.len());
    for Whole(record) in records {
        let noun = &record.row.kind;
        let capability = node.capabilities().iter().find(|c| c.noun == noun);
        let capability = capability.ok_or_else(|| Fault::bug("a record of no capability"))?;
        let mut layers = Vec::with_capacity(record.layers.len());
        for layer in &record.layers {
            let of = (*capability, &record, layer.cell);
            layers.push((layer.clone(), fold(node.keys(), of, (&entries, &secrets))?));
        }
        all.push(Folded { row: record.row, layers });
    }
    Ok(all)
}

/// The readable part of a record; `None` when its base is not readable or it does not exist.
pub fn labelled_of(
    views: Views<'_>,
    id: RecordId,
    readable: &RoaringBitmap,
) -> Result<Option<Labelled>, Fault> {
    let Some(whole) = whole_of(views, id)? else { return Ok(None) };
    let cells = whole.cells(&|cell| readable.contains(cell));
    Ok(cells.map(|cells| whole.part(&cells)))
}

/// The answer when a record's state does not allow a command.
pub fn conflict(slug: &'static str, detail: impl Into<String>) -> Fault {
    Fault::new(Kind::Conflict, slug, detail)
}
