//! The one start path, after an installation, a crash, an election or a doubt: always these steps.
//!
//! Lock and raise the epoch → read the head → refuse a rolled-back log → sweep secrets → bring the
//! views up to the head → recompute the tree and compare it with the head and its signature → only
//! then decide.

use std::fs;
use std::num::NonZero;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::thread::ScopedJoinHandle;

use base::Time;
use base::crypto::{Algorithm, Digest, Entropy, Secret, Sign};
use ledger::checkpoint::LogKeys;
use ledger::header::Header;
use ledger::leaf::Leaf;
use ledger::note::{KeyName, Note, Require, SignatureType, Signer, VerifierKey};
use ledger::portion::{HEADER_SLOT, open_commitments, open_header, open_portion, open_signature};
use ledger::tile::Edge;
use store::log::{Erase, Head, Log, LogName, LogReader, StoredEntry, StoredSecrets, secret_of};
use store::{Error, Keyring};

use super::apply::{Applying, Content, apply, capability_of};
use super::capability::{Capability, Fact};
use super::cells::Cells;
use super::fault::Fault;
use super::policy::Policy;
use super::register::Register;
use super::segment::AccessLedger;
use super::sequencer::Core;
use super::tiles::LogHashes;
use super::view::{self, BULK, ViewWriter, Views};
use super::view_file;

/// Entries read from the log at once.
const CHUNK: u32 = 512;

/// What the start path works with.
pub struct Start<'a> {
    pub keys: &'a Keyring,
    pub origin: &'a str,
    pub capabilities: &'static [&'static Capability],
    pub label_key: &'a Secret,
    pub seed: Secret,
    pub now: Time,
    pub loss: Loss,
}

/// What becomes of a log that is smaller than one that was signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    Refused,
    /// The operator of the machine knows; see [`super::loss`].
    Accepted,
}

/// An entry with everything that this node may open of it.
pub struct OpenedEntry {
    pub sequence: u64,
    pub leaf: Leaf,
    pub header: Header,
    /// By slot, in the order of the header's slots.
    pub contents: Vec<(u8, Content)>,
    /// The actor's own signature, where the act carries one.
    pub signature: Option<Vec<u8>>,
}

/// Opens an entry and checks it against its commitments.
///
/// A portion without secret is [`Content::Erased`] here; whether an order says so is known once the
/// whole log was read.
///
/// # Errors
/// [`Error::Damaged`] when a byte was changed, [`Error::SecretMissing`] for a header without one.
pub fn open_entry(
    keys: &Keyring,
    stored: &StoredEntry,
    secrets: &StoredSecrets,
) -> Result<OpenedEntry, Error> {
    open_entry_of(LogName::Acts, keys, stored, secrets)
}

/// Opens an entry of any of the node's logs, as [`open_entry`] does one of the log of acts.
///
/// # Errors
/// As [`open_entry`].
pub fn open_entry_of(
    log: LogName,
    keys: &Keyring,
    stored: &StoredEntry,
    secrets: &StoredSecrets,
) -> Result<OpenedEntry, Error> {
    let sequence = stored.sequence;
    let damaged = |fault| Error::Damaged(sequence, fault);
    let leaf = Leaf::from_bytes(&stored.leaf).map_err(damaged)?;
    let secrets = secrets.unwrap(keys, log)?;
    let header_secret = secret_of(&secrets, HEADER_SLOT)
        .ok_or(Error::SecretMissing { sequence, slot: HEADER_SLOT })?;
    let header =
        open_header(&leaf, &stored.header, &header_secret.secret, keys).map_err(damaged)?;
    let commitments = open_commitments(&leaf, &stored.commitments).map_err(damaged)?;
    let signature = stored.signature.as_deref();
    let signature =
        open_signature(&leaf, signature, &header_secret.secret, keys).map_err(damaged)?;
    let mut contents = Vec::with_capacity(header.local.slots.len());
    for slot in &header.local.slots {
        let content = match (secret_of(&secrets, slot.slot), stored.portion(slot.slot)) {
            (Some(secret), Some(sealed)) => {
                let commitment =
                    commitments.get(usize::from(slot.slot)).copied().unwrap_or_default();
                let committed = (commitment, keys);
                let portion = open_portion(&header.shared, slot, sealed, &secret.secret, committed)
                    .map_err(damaged)?;
                Content::Open(portion.body)
            }
            (None, _) => Content::Erased,
            (Some(_), None) => {
                let fault = ledger::format::FormatError::PortionCommitment(slot.slot);
                return Err(damaged(fault));
            }
        };
        contents.push((slot.slot, content));
    }
    Ok(OpenedEntry { sequence, leaf, header, contents, signature })
}

/// Reads and opens entries from `from` on, at most [`CHUNK`].
///
/// # Errors
/// As [`open_entry`]; [`Error::Missing`] when an entry or its secrets are not there.
pub fn open_chunk(
    keys: &Keyring,
    reader: &LogReader,
    from: u64,
) -> Result<Vec<OpenedEntry>, Error> {
    let entries = reader.entries(LogName::Acts, from, CHUNK)?;
    let secrets = reader.secrets(LogName::Acts, from, CHUNK)?;
    for (expected, entry) in (from..).zip(&entries) {
        if entry.sequence != expected {
            return Err(Error::Missing(expected));
        }
    }
    open_all(keys, &entries, &secrets)
}

/// Opens entries whose secrets are among those given, both in the order of the log.
fn open_all(
    keys: &Keyring,
    entries: &[StoredEntry],
    secrets: &[StoredSecrets],
) -> Result<Vec<OpenedEntry>, Error> {
    let open = |entry: &StoredEntry| {
        let sequence = entry.sequence;
        let at = secrets.binary_search_by_key(&sequence, |found| found.sequence).ok();
        let found = at.and_then(|at| secrets.get(at));
        open_entry(keys, entry, found.ok_or(Error::SecretMissing { sequence, slot: HEADER_SLOT })?)
    };
    entries.iter().map(open).collect()
}

/// Takes a led log and the view file to a core that may decide.
///
/// # Errors
/// [`Error::RolledBack`] when a larger log was signed before; [`Error::Damaged`] or
/// [`Error::Missing`] when the log does not fit its head.
pub fn start(
    start: &Start<'_>,
    log: &mut Log,
    reader: &LogReader,
    views_path: &Path,
) -> Result<(Core, ViewWriter), Fault> {
    let head = log.head(LogName::Acts)?;
    if start.loss == Loss::Refused {
        let signed = start.keys.signed()?.filter(|(size, _)| *size > head.size);
        // A loss whose entry is missing is not passed over in silence.
        if let Some((seen, _)) = start.keys.loss()?.or(signed) {
            return Err(Error::RolledBack { size: head.size, seen }.into());
        }
    }
    log.sweep(LogName::Acts, head.size)?;
    let edge = restore_tree(reader, &head, (LogName::Acts, start.origin, start.keys))?;
    let mut views = view::open(views_path, start.capabilities, start.label_key)?;
    if Views::new(&views).applied()? > head.size || Views::new(&views).stale()? {
        views = fresh(start, views, views_path)?;
    }
    let at = last_time(reader, LogName::Acts, head.size)?;
    let mut core = Core {
        edge,
        cells: Arc::new(Views::new(&views).cells(start.label_key)?),
        register: Arc::new(Register::default()),
        policy: Policy::empty(start.capabilities)?,
        at: at.max(start.now),
        head,
    };
    let from = (reader, start.keys, start.capabilities);
    core.register = Arc::new(register_at(from, Views::new(&views), &core.cells, u64::MAX)?);
    let to = (&views, views_path, &mut core);
    if catch_up(start, log, reader, to)? {
        // Something was folded that an order in what followed destroyed: fold without it.
        views = fresh(start, views, views_path)?;
        core.cells = Arc::default();
        core.register = Arc::default();
        catch_up(start, log, reader, (&views, views_path, &mut core))?;
    }
    core.policy = Policy::renewed(&core.policy, &core.register, core.at)?;
    Ok((core, views))
}

/// Takes the log `access` to where it may be written: swept, recomputed, held against its
/// signature.
///
/// # Errors
/// As [`start`].
pub fn start_access(
    log: &mut Log,
    reader: &LogReader,
    keys: &Keyring,
    origin: &str,
) -> Result<AccessLedger, Fault> {
    let head = log.head(LogName::Access)?;
    log.sweep(LogName::Access, head.size)?;
    let edge = restore_tree(reader, &head, (LogName::Access, origin, keys))?;
    let at = last_time(reader, LogName::Access, head.size)?;
    let signer = |algorithm| {
        let name = KeyName::new(origin).map_err(Fault::bug)?;
        Signer::new(name, Arc::new(keys.signer(algorithm)?)).map_err(Fault::bug)
    };
    Ok(AccessLedger {
        signer: signer(Algorithm::Ed25519)?,
        second_signer: signer(Algorithm::MlDsa87)?,
        origin: origin.to_owned(),
        head,
        edge,
        at,
    })
}

/// An empty file in the place of one that cannot be carried on.
fn fresh(start: &Start<'_>, views: ViewWriter, path: &Path) -> Result<ViewWriter, Fault> {
    drop(views);
    view_file::remove(path)?;
    view::open(path, start.capabilities, start.label_key)
}

/// Applies entries that the views have not seen, up to the head.
///
/// Says whether an order among them destroyed something that the views may have been folded with.
fn catch_up(
    start: &Start<'_>,
    log: &mut Log,
    reader: &LogReader,
    to: (&ViewWriter, &Path, &mut Core),
) -> Result<bool, Fault> {
    let (writer, path, core) = to;
    let views = Views::new(writer);
    let mut entropy = Entropy::new(start.seed.clone());
    let (mut applied, size) = (views.applied()?, core.head.size);
    let from_nothing = applied == 0;
    let in_bulk = from_nothing && size > 0;
    if in_bulk {
        writer.in_bulk()?;
    }
    let (mut stale, mut pending) = (false, 0);
    open_ahead((start.keys, reader), applied..size, |chunk| {
        if pending == 0 {
            views.begin()?;
        }
        let mut on = Applying {
            views,
            cells: &mut core.cells,
            register: &mut core.register,
            key: start.label_key,
            entropy: &mut entropy,
            capabilities: start.capabilities,
        };
        let erased = apply_all(&mut on, &chunk)?;
        applied += chunk.len() as u64;
        views.set_applied(applied)?;
        // A crash may have come between an order and its execution: carry it out again.
        let destroyed = log.erase(&erased)?;
        if destroyed > 0 || (!erased.is_empty() && !from_nothing) {
            views.set_stale()?;
            stale = true;
        }
        pending += chunk.len() as u64;
        if !in_bulk || pending >= BULK || applied >= size {
            views.commit()?;
            pending = 0;
        }
        Ok(())
    })?;
    if in_bulk {
        writer.settled(path)?;
    }
    Ok(stale)
}

/// Opens entries chunk by chunk, each while `take` works on the one before.
fn open_ahead(
    (keys, reader): (&Keyring, &LogReader),
    entries: Range<u64>,
    mut take: impl FnMut(Vec<OpenedEntry>) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let (to, opened) = sync_channel(1);
    let Range { start: mut at, end } = entries;
    std::thread::scope(|scope| {
        scope.spawn(move || {
            while at < end {
                let chunk = open_chunk(keys, reader, at).and_then(|mut chunk| {
                    chunk.retain(|entry| entry.sequence < end);
                    if chunk.is_empty() { Err(Error::Missing(at)) } else { Ok(chunk) }
                });
                at = chunk.as_ref().map_or(end, |chunk| at + chunk.len() as u64);
                if to.send(chunk).is_err() {
                    return;
                }
            }
        });
        opened.into_iter().try_for_each(|chunk| take(chunk?))
    })
}

fn apply_all(on: &mut Applying<'_>, chunk: &[OpenedEntry]) -> Result<Vec<Erase>, Fault> {
    let mut erased = Vec::new();
    for entry in chunk {
        erased.extend(apply(on, entry.sequence, &entry.header, &entry.contents)?.erased);
    }
    Ok(erased)
}

/// Views that are folded from the first entry on, in a file of their own, from a log that is only
/// read: orders of erasure in it are not carried out.
///
/// Their ordered dump equals that of the node's own.
pub struct Folding {
    views: ViewWriter,
    path: PathBuf,
    cells: Arc<Cells>,
    register: Arc<Register>,
    entropy: Entropy,
    applied: u64,
}

/// What views are folded from.
pub struct Source<'a> {
    pub keys: &'a Keyring,
    pub capabilities: &'static [&'static Capability],
    pub label_key: &'a Secret,
    pub reader: &'a LogReader,
}

impl Folding {
    /// Begins in a new file.
    ///
    /// # Errors
    /// The store's own fault.
    pub fn begin(path: &Path, from: &Source<'_>, seed: Secret) -> Result<Self, Fault> {
        let views = view::open(path, from.capabilities, from.label_key)?;
        views.in_bulk()?;
        Ok(Self {
            views,
            path: path.to_owned(),
            cells: Arc::default(),
            register: Arc::default(),
            entropy: Entropy::new(seed),
            applied: 0,
        })
    }

    /// Applies what follows, up to the first `size` entries.
    ///
    /// # Errors
    /// As [`start`].
    pub fn advance(&mut self, from: &Source<'_>, size: u64) -> Result<(), Fault> {
        let views = Views::new(&self.views);
        views.begin()?;
        let mut pending = 0;
        open_ahead((from.keys, from.reader), self.applied..size, |chunk| {
            let mut on = Applying {
                views,
                cells: &mut self.cells,
                register: &mut self.register,
                key: from.label_key,
                entropy: &mut self.entropy,
                capabilities: from.capabilities,
            };
            apply_all(&mut on, &chunk)?;
            self.applied += chunk.len() as u64;
            views.set_applied(self.applied)?;
            pending += chunk.len() as u64;
            if pending >= BULK {
                views.commit()?;
                views.begin()?;
                pending = 0;
            }
            Ok(())
        })?;
        views.commit()
    }

    /// Gives the file another name.
    ///
    /// # Errors
    /// The store's or the file system's own fault.
    pub fn renamed(mut self, path: &Path, from: &Source<'_>) -> Result<Self, Fault> {
        self.views.settled(&self.path)?;
        // The last connection writes everything into the one file before it closes.
        drop(self.views);
        fs::rename(&self.path, path).map_err(Fault::unavailable)?;
        self.views = view::open(path, from.capabilities, from.label_key)?;
        path.clone_into(&mut self.path);
        Ok(self)
    }

    /// How many cells occur.
    pub fn cells(&self) -> usize {
        self.cells.len()
    }

    /// The views and where they lie.
    pub fn finish(self) -> (ViewWriter, PathBuf) {
        (self.views, self.path)
    }
}

/// The key under which labels lie in the views of a node.
///
/// # Errors
/// The key provider's own fault.
pub fn label_key(keys: &Keyring) -> Result<Secret, Error> {
    keys.derive(b"", "muster/view-labels/v1")
}

/// Folds the register as it was after the first `size` entries, from the records of the
/// capabilities that feed it.
///
/// # Errors
/// The store's own fault; [`Error::SecretMissing`] or [`Error::Damaged`] for a faulty entry.
pub fn register_at(
    from: (&LogReader, &Keyring, &'static [&'static Capability]),
    views: Views<'_>,
    cells: &Cells,
    size: u64,
) -> Result<Register, Fault> {
    let (reader, keys, capabilities) = from;
    let mut register = Register::default();
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
    for group in views.registered(size)?.chunks(CHUNK as usize * threads) {
        for entry in open_at(reader, keys, group)? {
            register_entry(capabilities, cells, &entry, &mut register);
        }
    }
    Ok(register)
}

/// Opens entries by number, [`CHUNK`] on each processor.
fn open_at(
    reader: &LogReader,
    keys: &Keyring,
    sequences: &[u64],
) -> Result<Vec<OpenedEntry>, Fault> {
    let entries = reader.entries_at(LogName::Acts, sequences)?;
    let secrets = reader.secrets_at(LogName::Acts, sequences)?;
    let found = entries.iter().map(|entry| Some(entry.sequence)).chain(std::iter::repeat(None));
    if let Some((missing, _)) = sequences.iter().zip(found).find(|(s, found)| Some(**s) != *found) {
        return Err(Error::Missing(*missing).into());
    }
    let parts = std::thread::scope(|scope| {
        let secrets = &secrets;
        let open = |part| scope.spawn(move || open_all(keys, part, secrets));
        let parts: Vec<_> = entries.chunks(CHUNK as usize).map(open).collect();
        parts.into_iter().map(ScopedJoinHandle::join).collect::<Vec<_>>()
    });
    let mut opened = Vec::with_capacity(entries.len());
    for part in parts {
        opened.extend(part.map_err(|_panic| Fault::bug("an entry could not be opened"))??);
    }
    Ok(opened)
}

/// Folds an entry into the register.
pub(crate) fn register_entry(
    capabilities: &'static [&'static Capability],
    cells: &Cells,
    entry: &OpenedEntry,
    register: &mut Register,
) {
    let header = &entry.header;
    let Some((capability, _)) = capability_of(capabilities, &header.shared.kind) else { return };
    for (slot, content) in &entry.contents {
        let Some(named) = header.local.slots.iter().find(|s| s.slot == *slot) else { continue };
        let label = cells.label_number(&named.label.digest());
        let cell = label.and_then(|label| cells.number(label, named.circle)).unwrap_or(u32::MAX);
        let fact = Fact {
            sequence: entry.sequence,
            kind: &header.shared.kind,
            record: header.shared.record,
            entry: header.shared.entry,
            actor: header.shared.actor,
            agency: header.shared.agency,
            seat: header.local.seat,
            cell,
            label: &named.label,
            circle: named.circle,
            acted_at: header.shared.acted_at,
            body: match content {
                Content::Open(body) => Some(body),
                Content::Sealed | Content::Erased => None,
            },
        };
        (capability.register)(&fact, register);
    }
}

/// Recomputes the tree from tiles and leaves, and compares it with the head and its checkpoint.
fn restore_tree(
    reader: &LogReader,
    head: &Head,
    of: (LogName, &str, &Keyring),
) -> Result<Edge, Fault> {
    let hashes = LogHashes { reader, log: of.0 };
    let edge = Edge::at(head.size, &hashes).map_err(Fault::bug)?;
    if head.size > 0 {
        let root = edge.head().root;
        if root != head.root {
            return Err(Fault::bug(Error::Form("tree: it does not fit the stored head")));
        }
        check_signature(of, head, root)?;
    }
    Ok(edge)
}

fn check_signature(
    (_, origin, keys): (LogName, &str, &Keyring),
    head: &Head,
    root: Digest,
) -> Result<(), Fault> {
    let signer = keys.signer(Algorithm::Ed25519)?;
    let name = KeyName::new(origin).map_err(Fault::bug)?;
    let key =
        VerifierKey::new(name, SignatureType::Ed25519, signer.public_key()).map_err(Fault::bug)?;
    let keys = LogKeys::new(vec![key], Require::Ed25519).map_err(Fault::bug)?;
    let note = Note::parse(&head.note).map_err(Fault::bug)?;
    let checkpoint = keys.open(&note).map_err(Fault::bug)?;
    if checkpoint.head().size != head.size || checkpoint.head().root != root {
        return Err(Fault::bug(Error::Form("checkpoint: it is of another tree")));
    }
    Ok(())
}

fn last_time(reader: &LogReader, log: LogName, size: u64) -> Result<Time, Fault> {
    let Some(last) = size.checked_sub(1) else { return Ok(Time::MIN) };
    let leaves = reader.leaves(log, last, 1)?;
    let leaf = leaves.first().ok_or(Error::Missing(last))?;
    Ok(Leaf::from_bytes(leaf).map_err(|fault| Error::Damaged(last, fault))?.at)
}
