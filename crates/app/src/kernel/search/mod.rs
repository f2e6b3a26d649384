//! Search: a view of its own, fed by a thread that follows the log and never holds an act up.
//!
//! INVARIANT: the index gives places, never content. What leaves the node was opened by
//! [`super::Reader`], which asks the readable set again; hits, order, counts and facets rest on
//! nothing but layers whose four cells the searcher reads (see `store::search`).

mod answer;
mod query;
mod text;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

pub use answer::{Hits, answer, check, count_since, found};
use base::crypto::{Hasher, Secret};
use store::search::{Document, Index, Writer};

use super::capability::Capability;
use super::fault::Fault;
use super::node::{Node, seed};
use super::reader::{Folded, folded, whole_of};
use super::view::search_of;

/// Milliseconds after which the index follows the log without being asked.
const FOLLOW_MS: u64 = 1000;
/// LIMIT: milliseconds that a search waits for the index to have seen what its reader has done.
const WAIT_MS: u64 = 2000;
/// Entries whose records are indexed at once.
const PAGE: u64 = 512;
/// Entries after which what was indexed is committed, so that a restart goes on there.
const COMMIT: u64 = 32 * 1024;
/// Changes when documents are made in another way.
const SHAPE: u64 = 2;

/// What the indexing thread and searches share.
#[derive(Default)]
pub struct Search {
    shared: Mutex<Shared>,
    changed: Condvar,
}

#[derive(Default)]
struct Shared {
    /// Entries that a search waits for.
    wanted: u64,
    /// Entries that the index has seen.
    indexed: u64,
    index: Option<Arc<Index>>,
    ending: bool,
}

impl Search {
    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes the thread, which sees that the node ends.
    pub fn rouse(&self) {
        self.lock().ending = true;
        self.changed.notify_all();
    }

    /// The index, once it has seen `size` entries; whether it has, when the wait is over.
    ///
    /// # Errors
    /// `search-building` when there is none yet.
    fn at(&self, size: u64) -> Result<(Arc<Index>, bool), Fault> {
        let mut shared = self.lock();
        shared.wanted = shared.wanted.max(size);
        self.changed.notify_all();
        let wait = Duration::from_millis(WAIT_MS);
        let behind = |shared: &mut Shared| {
            !shared.ending && (shared.indexed < size || shared.index.is_none())
        };
        let (shared, _late) = self
            .changed
            .wait_timeout_while(shared, wait, behind)
            .unwrap_or_else(PoisonError::into_inner);
        let detail = "the index is being built; try again in a moment";
        let building = || Fault::new(base::Kind::Unavailable, "search-building", detail);
        let index = shared.index.clone().ok_or_else(building)?;
        Ok((index, shared.indexed >= size))
    }

    fn publish(&self, index: Option<&Arc<Index>>, indexed: u64) {
        let mut shared = self.lock();
        shared.index = index.cloned();
        shared.indexed = indexed;
        drop(shared);
        self.changed.notify_all();
    }

    /// Waits until somebody searches, or for a while.
    fn rest(&self, whatever_is_asked: bool) {
        let wait = Duration::from_millis(FOLLOW_MS);
        let idle = |shared: &mut Shared| {
            !shared.ending && (whatever_is_asked || shared.wanted <= shared.indexed)
        };
        let rested = self.changed.wait_timeout_while(self.lock(), wait, idle);
        drop(rested.unwrap_or_else(PoisonError::into_inner));
    }
}

/// An index that is written.
struct Building {
    /// The file of the views that it belongs to.
    views: PathBuf,
    index: Arc<Index>,
    writer: Writer,
    indexed: u64,
    committed: u64,
}

/// Follows the log until the node stops.
pub fn run(node: &Weak<Node>) {
    let mut building = None;
    loop {
        let Some(node) = node.upgrade() else { return };
        if node.stopped() {
            close(building.take());
            return;
        }
        let failed = match follow(&node, &mut building) {
            Ok(()) => false,
            Err(fault) => {
                let cause = format!("{fault:?}");
                tracing::warn!(error = %fault, cause, "the search index is built anew");
                let broken = building.take().map(|building| search_of(&building.views));
                node.search().publish(None, 0);
                if let Some(Err(fault)) = broken.map(|path| store::search::remove(&path)) {
                    tracing::error!(error = %fault, "a search index was not removed");
                }
                true
            }
        };
        node.search().rest(failed);
    }
}

fn close(building: Option<Building>) {
    if let Some(Err(fault)) = building.map(|building| building.writer.close()) {
        tracing::warn!(error = %fault, "the search index was not closed");
    }
}

/// Brings the index to what the views have seen.
fn follow(node: &Arc<Node>, building: &mut Option<Building>) -> Result<(), Fault> {
    let views = node.views().path();
    if building.as_ref().is_none_or(|building| building.views != views) {
        close(building.take());
        node.search().publish(None, 0);
        remove_others(&node.config().directory, &search_of(&views))?;
        *building = Some(open(node, views)?);
    }
    let Some(building) = building else { return Ok(()) };
    loop {
        let (applied, records) = node.views().with(|views| {
            let applied = views.applied()?;
            let until = applied.min(building.indexed + PAGE);
            let mut records = Vec::new();
            for record in views.touched(building.indexed, until)? {
                let Some(whole) = whole_of(views, record)? else { continue };
                // What changes again further on is indexed there, once.
                if until == applied || whole.newest() < until {
                    records.push(whole);
                }
            }
            Ok((applied, records))
        })?;
        let until = applied.min(building.indexed + PAGE);
        for record in folded(node, records)? {
            let documents = documents(node.capabilities(), &record);
            building.writer.replace(record.row.created, &documents)?;
        }
        building.indexed = until.max(building.indexed);
        let whole = building.indexed >= applied;
        let due = building.indexed - building.committed >= COMMIT;
        if (whole && building.indexed > building.committed) || due {
            building.writer.commit(&note(node.capabilities(), building.indexed))?;
            building.index.reload()?;
            building.committed = building.indexed;
        }
        if node.views().path() != building.views || node.stopped() {
            return Ok(());
        }
        if whole {
            node.search().publish(Some(&building.index), building.indexed);
            return Ok(());
        }
        if due {
            node.search().publish(Some(&building.index), building.indexed);
        }
    }
}

fn open(node: &Node, views: PathBuf) -> Result<Building, Fault> {
    let path = search_of(&views);
    let opened = key(node, &path).and_then(|key| Ok(store::search::open(&path, &key)?));
    let (mut index, mut writer, noted) = match opened {
        Ok(opened) => opened,
        Err(fault) => {
            tracing::warn!(error = %fault, "the search index does not open and is built anew");
            anew(node, &path)?
        }
    };
    let mut indexed = noted.as_deref().and_then(|noted| size_of(node.capabilities(), noted));
    if noted.is_some() && indexed.is_none() {
        drop((index, writer));
        (index, writer, _) = anew(node, &path)?;
        indexed = None;
    }
    let indexed = indexed.unwrap_or(0);
    Ok(Building { views, index: Arc::new(index), writer, indexed, committed: indexed })
}

fn anew(node: &Node, path: &Path) -> Result<(Index, Writer, Option<String>), Fault> {
    store::search::remove(path)?;
    Ok(store::search::open(path, &key(node, path)?)?)
}

/// The key of an index: drawn when it is made, and sealed beside it under a key of the node.
fn key(node: &Node, path: &Path) -> Result<Secret, Fault> {
    let sealing = node.keys().derive(b"", "muster/search-key/v1")?;
    let file = path.join("key");
    let wrong = || Fault::bug("the key of the search index does not open");
    match std::fs::read(&file) {
        Ok(bytes) => {
            let (nonce, sealed) = bytes.split_first_chunk::<12>().ok_or_else(wrong)?;
            let plain = sealing.open(*nonce, b"search", sealed).map_err(Fault::bug)?;
            Secret::from_slice(&plain).ok_or_else(wrong)
        }
        Err(absent) if absent.kind() == std::io::ErrorKind::NotFound => {
            // An index whose key is gone cannot be read any more.
            store::search::remove(path)?;
            let key = seed()?;
            let nonce = node.entropy().nonce();
            let sealed = sealing.seal(nonce, b"search", key.expose()).map_err(Fault::bug)?;
            std::fs::create_dir_all(path).map_err(Fault::unavailable)?;
            std::fs::write(&file, [&nonce[..], &sealed].concat()).map_err(Fault::unavailable)?;
            Ok(key)
        }
        Err(other) => Err(Fault::unavailable(other)),
    }
}

/// Indexes of views that are gone.
fn remove_others(directory: &Path, kept: &Path) -> Result<(), Fault> {
    for entry in std::fs::read_dir(directory).map_err(Fault::unavailable)? {
        let path = entry.map_err(Fault::unavailable)?.path();
        if path.extension().is_some_and(|end| end == "search") && path != kept {
            store::search::remove(&path)?;
        }
    }
    Ok(())
}

/// What is noted with a commit: how documents were made, and of how many entries.
fn note(capabilities: &[&Capability], indexed: u64) -> String {
    format!("{} {indexed}", shape(capabilities))
}

fn size_of(capabilities: &[&Capability], note: &str) -> Option<u64> {
    let (made, indexed) = note.split_once(' ')?;
    (made == shape(capabilities)).then(|| indexed.parse().ok())?
}

fn shape(capabilities: &[&Capability]) -> String {
    let begun = Hasher::new("muster/search-shape/v1").part(&SHAPE.to_be_bytes());
    let hasher = capabilities.iter().fold(begun, |hasher, c| hasher.part(c.noun.as_bytes()));
    hasher.finish().to_string()
}

/// The number of a kind of record in the index.
fn kind_number(capabilities: &[&Capability], noun: &str) -> Option<u32> {
    let place = capabilities.iter().position(|capability| capability.noun == noun)?;
    u32::try_from(place).ok()
}

/// The number of an agency in the index: the part of its id that is drawn, not told by a clock.
fn agency_number(agency: base::AgencyId) -> u64 {
    agency.0.last_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes))
}

/// One document a layer.
fn documents(capabilities: &[&Capability], record: &Folded) -> Vec<Document> {
    let Some(kind) = kind_number(capabilities, &record.row.kind) else { return Vec::new() };
    let row = &record.row;
    let document = |(layer, content): &(super::view::LayerRow, super::capability::Layer)| {
        let mut texts = text::texts(&content.body);
        let title = text::title(&content.body).unwrap_or_default().to_owned();
        texts.retain(|text| *text != title);
        Document {
            record: row.created,
            kind,
            cells: [layer.cell, layer.gate, row.base, row.floor.unwrap_or(row.base)],
            agency: agency_number(row.agency),
            sequence: layer.sequence,
            at_ms: layer.changed_at.ms(),
            title,
            text: texts.join("\n"),
        }
    };
    record.layers.iter().map(document).collect()
}
