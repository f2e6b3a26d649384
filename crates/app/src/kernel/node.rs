//! A node: what every request of this process shares.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError, RwLock};
use std::time::Duration;

use base::crypto::{Algorithm, Digest, Entropy, Hasher, Secret, system_random};
use base::{EntryId, Kind, LedgerId, PersonId, Play, Time};
use ledger::header::{Actor, Purpose};
use ledger::note::{KeyName, Signer};
use roaring::RoaringBitmap;
use store::log::{Log, LogName, LogReader, Place};
use store::state::State;
use store::{Blobs, Keyring, Provider};
use tokio::sync::oneshot;

use super::access::{AccessKind, AccessLog, AccessRow, Opening};
use super::capability::{Action, ActorContext, Capability, command_digest};
use super::clock::{Clock, PlayClock};
use super::fault::Fault;
use super::lanes::{Lanes, Refused};
use super::live::Hub;
use super::reach::Reach;
use super::refold::Refold;
use super::register::Register;
use super::search::Search;
use super::segment::{Recorded, Segments, each_since};
use super::sequencer::{Core, Done, Published, Sequencer, Setup, Submission};
use super::session;
use super::signing;
use super::start::{Loss, Start, label_key, open_entry, start, start_access};
use super::upkeep::Upkeep;
use super::view_file::{self, ViewPool};
use crate::webhooks::Webhooks;

/// What a node is opened with.
pub struct Config {
    /// The first part of the origins of its logs, such as `centre.example.mod/muster`.
    pub name: String,
    pub ledger: LedgerId,
    pub place: Place,
    /// Local files: views, access log.
    pub directory: PathBuf,
    /// Encrypted files beside the log; a backup covers them.
    pub blobs: PathBuf,
    pub provider: Provider,
    pub play: PlayClock,
    pub capabilities: &'static [&'static Capability],
}

/// Numbers for a supervisor: they tell how much goes on, and of nothing what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counts {
    /// Entries in the log of acts.
    pub entries: u64,
    /// Batches committed since the start.
    pub batches: u64,
    /// Acts that wait in each lane: alert, normal, bulk.
    pub waiting: [u64; 3],
    /// Open live streams.
    pub live: u64,
    pub epoch: u64,
}

/// A command as a caller hands it in.
pub struct Act {
    /// `alert:raise`
    pub action: String,
    /// JSON.
    pub command: Vec<u8>,
    pub idempotency_key: String,
    pub actor: ActorContext,
    /// The person's own signature, as [`super::signing::Given`], where the action asks for one.
    pub signature: Option<super::signing::Given>,
}

/// A head of the log of acts that a witness has cosigned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cosigned {
    pub size: u64,
    pub at: Time,
    /// The checkpoint with the node's signatures and the witness's (C2SP tlog-cosignature).
    pub note: Vec<u8>,
}

type ReadableKey = (Digest, &'static str);

struct CachedReadable {
    epoch: u64,
    people: u64,
    cells: usize,
    set: Arc<RoaringBitmap>,
}

/// One running node.
pub struct Node {
    config: Config,
    origin: String,
    keys: Arc<Keyring>,
    log: LogReader,
    views: ViewPool,
    state: State,
    blobs: Blobs,
    upload_key: Secret,
    lanes: Arc<Lanes<Submission>>,
    refold: Arc<Refold>,
    search: Search,
    webhooks: Webhooks,
    /// The newest head that each witness has cosigned.
    cosigned: Mutex<BTreeMap<String, Cosigned>>,
    core: RwLock<Arc<Core>>,
    hub: Hub,
    access: AccessLog,
    clock: Arc<dyn Clock>,
    cursor_key: Secret,
    readable: Mutex<BTreeMap<ReadableKey, CachedReadable>>,
    reach: Mutex<Reach>,
    /// Counts committed batches, to wake timers and reactions.
    woken: (Mutex<u64>, Condvar),
    stopped: AtomicBool,
    /// Wrong codes since a time: whoever guesses is stopped.
    guesses: Mutex<(Time, u32)>,
    /// When a refusal of an actor was last recorded.
    refused: Mutex<BTreeMap<Actor, Time>>,
    /// Threads of this node that still run.
    threads: Arc<(Mutex<u32>, Condvar)>,
}

/// LIMIT: readable sets kept; each is a few kilobytes.
const READABLE_SETS: usize = 4096;
/// LIMIT: actors whose last refusal is remembered.
const REFUSED_ACTORS: usize = 65_536;
/// LIMIT: wrong codes within a minute.
const GUESSES: u32 = 10;

/// Takes the lead, waiting for a leader that is just ending: the server frees its lock when it sees
/// that the connection is gone.
fn lead(place: &Place) -> Result<Log, Fault> {
    for _ in 0..LEAD_TRIES {
        match Log::lead(place) {
            Err(store::Error::NotLeader) => std::thread::sleep(Duration::from_millis(LEAD_WAIT_MS)),
            led => return Ok(led?),
        }
    }
    Err(Fault::unavailable(store::Error::NotLeader))
}

/// Longest wait until what was read is a leaf.
const ROLL_MS: u64 = 10_000;
/// Longest wait at a stop until the last rows of the access log are a leaf.
const STOP_MS: u64 = 2000;
/// Tries to take the lead, and milliseconds between them: ten seconds together.
const LEAD_TRIES: u32 = 100;
const LEAD_WAIT_MS: u64 = 100;

/// Draws a seed from the operating system.
///
/// # Errors
/// A bug when the system gives none.
pub fn seed() -> Result<Secret, Fault> {
    let mut bytes = [0; 32];
    system_random(&mut bytes).map_err(Fault::bug)?;
    Ok(Secret::new(bytes))
}

impl Node {
    /// Opens a node and starts its sequencer, timers and reactions.
    ///
    /// # Errors
    /// A clear fault for each thing that stands in the way: another process, a missing key, a
    /// damaged or rolled-back log, an unwritable directory.
    pub fn open(config: Config, clock: Arc<dyn Clock>) -> Result<Arc<Self>, Fault> {
        Self::open_from(config, clock, Loss::Refused)
    }

    /// As [`Node::open`], on a log that is smaller than one that was signed: only
    /// [`super::loss::accept`] may.
    pub(super) fn open_after_loss(
        config: Config,
        clock: Arc<dyn Clock>,
    ) -> Result<Arc<Self>, Fault> {
        Self::open_from(config, clock, Loss::Accepted)
    }

    fn open_from(config: Config, clock: Arc<dyn Clock>, loss: Loss) -> Result<Arc<Self>, Fault> {
        let keys = Arc::new(Keyring::open(&config.provider)?);
        std::fs::create_dir_all(&config.directory).map_err(Fault::unavailable)?;
        let origin = format!("{}/{}", config.name, LogName::Acts.name());
        let mut log = lead(&config.place)?;
        let reader = LogReader::open(&config.place)?;
        let views_path = view_file::current(&config.directory)?;
        view_file::keep_only(&config.directory, Some(&views_path))?;
        let label_key = label_key(&keys)?;
        let started = Start {
            keys: &keys,
            origin: &origin,
            capabilities: config.capabilities,
            label_key: &label_key,
            seed: seed()?,
            now: clock.now(),
            loss,
        };
        let (core, views) = start(&started, &mut log, &reader, &views_path)?;
        let access_origin = format!("{}/{}", config.name, LogName::Access.name());
        let access = start_access(&mut log, &reader, &keys, &access_origin)?;
        let lanes = Arc::new(Lanes::default());
        let segments = Arc::new(Segments::default());
        let opening = opening(&config, &keys, access.head.size, &clock, (&segments, &lanes))?;
        let node = Arc::new(Self {
            origin,
            access: AccessLog::open(opening)?,
            cursor_key: keys.derive(b"", "muster/cursor/v1")?,
            state: State::open(&config.place)?,
            blobs: Blobs::open(&config.blobs, base::limit::ATTACHMENT_BYTES as u64)?,
            upload_key: keys.derive(b"", "muster/upload/v1")?,
            views: ViewPool::new(views_path, label_key.clone()),
            lanes,
            refold: Arc::default(),
            search: Search::default(),
            webhooks: Webhooks::default(),
            cosigned: Mutex::default(),
            core: RwLock::new(Arc::new(core.clone())),
            readable: Mutex::new(BTreeMap::new()),
            reach: Mutex::default(),
            woken: (Mutex::new(0), Condvar::new()),
            stopped: AtomicBool::new(false),
            threads: Arc::default(),
            guesses: Mutex::new((Time::MIN, 0)),
            refused: Mutex::default(),
            log: reader,
            keys,
            hub: Hub::default(),
            clock,
            config,
        });
        node.blobs.sweep()?;
        let setup = node.setup(label_key)?;
        let second_signed_at = Time::MIN;
        let refold = Arc::clone(&node.refold);
        let upkeep = Upkeep::default();
        let sequencer =
            Sequencer { setup, log, views, core, second_signed_at, access, refold, upkeep };
        let (weak, lanes) = (Arc::downgrade(&node), Arc::clone(&node.lanes));
        node.spawn("sequencer", move || run_sequencer(sequencer, (&lanes, &segments), &weak))?;
        let weak = Arc::downgrade(&node);
        node.spawn("duties", move || super::duties::run(&weak))?;
        let weak = Arc::downgrade(&node);
        node.spawn("live", move || super::live::run(&weak))?;
        let weak = Arc::downgrade(&node);
        node.spawn("refold", move || super::refold::run(&weak))?;
        let weak = Arc::downgrade(&node);
        node.spawn("search", move || super::search::run(&weak))?;
        Ok(node)
    }

    /// Starts a named thread that [`Node::join`] waits for.
    pub(crate) fn spawn(
        &self,
        name: &str,
        run: impl FnOnce() + Send + 'static,
    ) -> Result<(), Fault> {
        let threads = Arc::clone(&self.threads);
        *threads.0.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || {
                run();
                *threads.0.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
                threads.1.notify_all();
            })
            .map(drop)
            .map_err(Fault::unavailable)
    }

    /// Waits after [`Node::stop`] until sequencer and duties have ended and the log is free.
    pub fn join(&self) {
        let running = self.threads.0.lock().unwrap_or_else(PoisonError::into_inner);
        let ended = self.threads.1.wait_while(running, |running| *running > 0);
        drop(ended.unwrap_or_else(PoisonError::into_inner));
    }

    fn setup(self: &Arc<Self>, label_key: Secret) -> Result<Setup, Fault> {
        let signer = |algorithm| {
            let name = KeyName::new(&self.origin).map_err(Fault::bug)?;
            let key = Arc::new(self.keys.signer(algorithm)?);
            Signer::new(name, key).map_err(Fault::bug)
        };
        let weak = Arc::downgrade(self);
        let clock = Arc::clone(&self.clock);
        let play = self.config.play;
        Ok(Setup {
            ledger: self.config.ledger,
            origin: self.origin.clone(),
            keys: Arc::clone(&self.keys),
            capabilities: self.config.capabilities,
            label_key,
            upload_key: self.upload_key.clone(),
            signer: signer(Algorithm::Ed25519)?,
            second_signer: signer(Algorithm::MlDsa87)?,
            now: Box::new(move || clock.now()),
            play: Box::new(move |_play: Play, now| play.at(now)),
            publish: Box::new(move |published| {
                if let Some(node) = weak.upgrade() {
                    node.publish(published);
                }
            }),
        })
    }

    fn publish(&self, published: Published) {
        let Published { core, changes } = published;
        *self.core.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(core);
        self.hub.publish(changes);
        self.wake();
    }

    /// Lets the sequencer take up views that were folded anew.
    fn adopt(&self, sequencer: &mut Sequencer) {
        let asked = self.refold.asked();
        match sequencer.adopt(&self.log) {
            Ok(None) => {}
            Ok(Some(path)) => {
                self.views.turn_to(path.clone());
                if let Err(fault) = view_file::keep_only(&self.config.directory, Some(&path)) {
                    tracing::warn!(error = %fault, "the views before an erasure were not removed");
                }
                self.refold.settle(asked);
                self.wake();
            }
            Err(fault) => {
                let cause = format!("{fault:?}");
                tracing::error!(error = %fault, cause, "views were not folded after an erasure");
            }
        }
    }

    /// Wakes the sequencer, which looks at what else there is to do.
    pub(crate) fn rouse(&self) {
        self.lanes.rouse();
    }

    /// Notes that a witness has cosigned a head of the log of acts.
    pub fn keep_cosigned(&self, witness: &str, cosigned: Cosigned) {
        let mut kept = self.cosigned.lock().unwrap_or_else(PoisonError::into_inner);
        kept.insert(witness.to_owned(), cosigned);
    }

    /// The newest head that each witness has cosigned, by the name of the witness.
    pub fn cosigned(&self) -> BTreeMap<String, Cosigned> {
        self.cosigned.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The search index, and who waits for it.
    pub const fn search(&self) -> &Search {
        &self.search
    }

    /// Deliveries to webhooks, and who carries them.
    pub const fn webhooks(&self) -> &Webhooks {
        &self.webhooks
    }

    /// What sequencer and refolding thread share.
    pub fn refold(&self) -> &Refold {
        &self.refold
    }

    fn wake(&self) {
        let mut woken = self.woken.0.lock().unwrap_or_else(PoisonError::into_inner);
        *woken += 1;
        drop(woken);
        self.woken.1.notify_all();
    }

    /// Waits until something was committed since `seen`, at most `ms`; gives the new count.
    pub fn wait(&self, seen: u64, ms: u64) -> u64 {
        let woken = self.woken.0.lock().unwrap_or_else(PoisonError::into_inner);
        let changed = self
            .woken
            .1
            .wait_timeout_while(woken, Duration::from_millis(ms), |woken| *woken == seen)
            .unwrap_or_else(PoisonError::into_inner);
        *changed.0
    }

    /// Hands in a command and waits for its receipt.
    ///
    /// # Errors
    /// Whatever the act was refused with; `busy` when its lane is full.
    pub async fn act(self: &Arc<Self>, act: Act) -> Result<Done, Fault> {
        let actor = act.actor.clone();
        let node = Arc::clone(self);
        // A signature is looked up in the state, which blocks.
        let submitted = tokio::task::spawn_blocking(move || node.submit(act, None, None)).await;
        let outcome = match submitted.map_err(Fault::bug)? {
            Ok(receipt) => receipt.await.unwrap_or_else(|_stopped| {
                Err(Fault::new(Kind::Unavailable, "stopping", "the node is stopping"))
            }),
            Err(fault) => Err(fault),
        };
        if outcome.is_err() {
            self.refused(&actor);
        }
        outcome
    }

    /// Records a refusal, at most one a second for each actor, else refusals could fill the disk.
    fn refused(&self, actor: &ActorContext) {
        let now = self.clock.now();
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        if refused.get(&actor.actor).is_some_and(|last| now.ms_since(*last).abs() < 1000) {
            return;
        }
        if refused.len() >= REFUSED_ACTORS {
            refused.clear();
        }
        refused.insert(actor.actor, now);
        drop(refused);
        let row = AccessRow::of(actor, AccessKind::Denied, None, now);
        if let Err(fault) = self.access.record(row) {
            tracing::error!(error = %fault, "a refusal was not recorded");
        }
    }

    /// Hands in a command; the receipt comes later.
    ///
    /// # Errors
    /// `unknown-action`, `busy` or `stopping`; nothing was done.
    pub fn submit(
        &self,
        act: Act,
        on_behalf_of: Option<PersonId>,
        cause: Option<EntryId>,
    ) -> Result<oneshot::Receiver<Result<Done, Fault>>, Fault> {
        let (capability, action) = self.action(&act.action)?;
        if act.command.len() > base::limit::ACT_BYTES {
            return Err(Fault::new(Kind::TooLarge, "act-too-large", "the command is too large"));
        }
        let length = act.idempotency_key.len();
        if length == 0 || length > base::limit::IDEMPOTENCY_KEY_BYTES {
            return Err(Fault::invalid(
                "invalid-idempotency-key",
                format!("an idempotency key has 1 to {} bytes", base::limit::IDEMPOTENCY_KEY_BYTES),
            ));
        }
        session::fresh(self, &act.actor, action)?;
        let key = idempotency_digest(&act.actor.actor, &act.idempotency_key);
        let digest = command_digest(&act.idempotency_key, action.name, &act.command);
        let proof = signing::prove(self, &act, action, digest);
        let (answer, receipt) = oneshot::channel();
        let submission = Submission {
            capability,
            action,
            command: act.command,
            digest,
            key,
            actor: act.actor,
            on_behalf_of,
            cause,
            proof,
            answer,
        };
        match self.lanes.put(action.lane, submission) {
            Ok(()) => Ok(receipt),
            Err((Refused::Full, _)) => {
                Err(Fault::new(Kind::Unavailable, "busy", "too many acts wait; try again"))
            }
            Err((Refused::Stopping, _)) => {
                Err(Fault::new(Kind::Unavailable, "stopping", "the node is stopping"))
            }
        }
    }

    /// Finds an action by its name.
    ///
    /// # Errors
    /// `unknown-action`.
    pub fn action(&self, name: &str) -> Result<(&'static Capability, &'static Action), Fault> {
        let found = |c: &&'static Capability| {
            c.actions.iter().find(|a| a.name == name).map(|action| (*c, action))
        };
        self.config.capabilities.iter().find_map(found).ok_or_else(|| {
            Fault::invalid("unknown-action", format!("no capability has the action `{name}`"))
        })
    }

    /// Whether this process still leads the log: no other has taken it.
    ///
    /// # Errors
    /// The store's own fault.
    pub fn leads(&self) -> Result<bool, Fault> {
        Ok(!self.stopped() && self.log.head(LogName::Acts)?.epoch == self.core().head.epoch)
    }

    /// The newest committed state.
    pub fn core(&self) -> Arc<Core> {
        Arc::clone(&self.core.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// What a supervisor may count.
    pub fn counts(&self) -> Counts {
        let core = self.core();
        Counts {
            entries: core.head.size,
            batches: *self.woken.0.lock().unwrap_or_else(PoisonError::into_inner),
            waiting: self.lanes.waiting().map(|acts| acts as u64),
            live: self.hub.clients(),
            epoch: core.policy.epoch(),
        }
    }

    /// Where live streams begin.
    pub const fn hub(&self) -> &Hub {
        &self.hub
    }

    /// The cells of `noun` that an actor may read, cached by profile, circles, epoch and cells.
    pub fn readable(
        &self,
        core: &Core,
        actor: &ActorContext,
        noun: &'static str,
    ) -> Arc<RoaringBitmap> {
        // Past their boundary the rules decide nothing, until an entry has advanced the epoch.
        if core.at.max(self.clock.now()) >= core.policy.valid_until() {
            return Arc::default();
        }
        let key = (reader_digest(&core.register, actor), noun);
        let (epoch, people) = (core.policy.epoch(), core.register.people_changes);
        let cells = core.cells.len();
        let lock = || self.readable.lock().unwrap_or_else(PoisonError::into_inner);
        let mut known = (RoaringBitmap::new(), 0);
        if let Some(found) = lock().get(&key).filter(|f| f.epoch == epoch && f.people == people) {
            if found.cells == cells {
                return Arc::clone(&found.set);
            }
            // Cells are only ever added: what was asked of the first ones still holds.
            if found.cells < cells {
                known = ((*found.set).clone(), found.cells);
            }
        }
        let set = if known.1 == 0 {
            self.reached(core, actor, noun)
        } else {
            core.policy.readable(&core.register, &core.cells, actor, noun, known)
        };
        let set = Arc::new(set);
        let mut cache = lock();
        if cache.len() >= READABLE_SETS {
            cache.clear();
        }
        cache.insert(key, CachedReadable { epoch, people, cells, set: Arc::clone(&set) });
        set
    }

    /// The cells of `noun` for a reader of whom nothing is known yet.
    fn reached(&self, core: &Core, actor: &ActorContext, noun: &str) -> RoaringBitmap {
        let (register, cells) = (&core.register, &core.cells);
        let labels = core.policy.labels_of(register, cells, actor, noun);
        let mut reach = self.reach.lock().unwrap_or_else(PoisonError::into_inner);
        if !reach.follow(core.head.size, cells, register) {
            drop(reach);
            // A state before the one that is followed, still held by a reader.
            return core.policy.readable(register, cells, actor, noun, (RoaringBitmap::new(), 0));
        }
        let set = reach.of(&register.memberships(actor), &labels);
        drop(reach);
        debug_assert_eq!(
            set,
            core.policy.readable(register, cells, actor, noun, (RoaringBitmap::new(), 0)),
            "a union and asking each cell give the same"
        );
        set
    }

    /// The log, for reading.
    pub const fn log(&self) -> &LogReader {
        &self.log
    }

    /// The views, for reading.
    pub const fn views(&self) -> &ViewPool {
        &self.views
    }

    /// Small mutable state beside the log.
    pub const fn state(&self) -> &State {
        &self.state
    }

    /// Encrypted files beside the log.
    pub const fn blobs(&self) -> &Blobs {
        &self.blobs
    }

    /// The key under which answers to uploads are sealed.
    pub const fn upload_key(&self) -> &Secret {
        &self.upload_key
    }

    /// The keys of the node.
    pub fn keys(&self) -> &Keyring {
        &self.keys
    }

    /// The access log.
    pub const fn access(&self) -> &AccessLog {
        &self.access
    }

    /// Makes a leaf of everything that was read so far, and gives each segment that can hold a row
    /// of `since` or later, in order.
    ///
    /// # Errors
    /// `access-log` when the log does not take the rows; the store's own fault, or what `each`
    /// answers.
    pub fn each_segment(
        &self,
        since: Time,
        each: impl FnMut(Recorded) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        if !self.access.roll(ROLL_MS) {
            let detail = "the access log cannot be read now";
            return Err(Fault::new(Kind::Unavailable, "access-log", detail));
        }
        let size = self.log.head(LogName::Access)?.size;
        each_since(&self.log, &self.keys, (since, size), each)
    }

    /// The key under which cursors are sealed.
    pub const fn cursor_key(&self) -> &Secret {
        &self.cursor_key
    }

    /// Every capability of this build.
    pub const fn capabilities(&self) -> &'static [&'static Capability] {
        self.config.capabilities
    }

    /// The origin of the log of acts.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// What the node was opened with.
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// The node's clock.
    pub fn now(&self) -> Time {
        self.clock.now()
    }

    /// The time of a play now.
    pub fn play_now(&self) -> Time {
        self.config.play.at(self.clock.now())
    }

    /// Fresh randomness.
    pub fn entropy(&self) -> Entropy {
        let seed = seed().unwrap_or_else(|fault| {
            tracing::error!(error = %fault, "the operating system gives no randomness");
            self.cursor_key.clone()
        });
        Entropy::new(seed)
    }

    /// Stops taking acts; what waits is still done.
    pub fn stop(&self) {
        // What was read so far becomes a leaf while the sequencer still works.
        if !self.stopped() && !self.access.roll(STOP_MS) {
            tracing::warn!("the last rows of the access log wait for the next start");
        }
        self.lanes.stop();
        self.stopped.store(true, Ordering::SeqCst);
        self.search.rouse();
        self.wake();
    }

    /// Counts a wrong code, or asks whether there were too many.
    ///
    /// # Errors
    /// `too-many-codes` after [`GUESSES`] wrong codes within a minute, whoever sent them.
    pub(crate) fn guess(&self, wrong: bool) -> Result<(), Fault> {
        let now = self.clock.now();
        let mut guesses = self.guesses.lock().unwrap_or_else(PoisonError::into_inner);
        if now.ms_since(guesses.0).abs() > 60_000 {
            *guesses = (now, 0);
        }
        guesses.1 += u32::from(wrong);
        let many = guesses.1 >= GUESSES;
        drop(guesses);
        if many && !wrong {
            let detail = "too many wrong codes were tried; wait a minute";
            return Err(Fault::new(Kind::TooMany, "too-many-codes", detail));
        }
        Ok(())
    }

    /// Whether the node has stopped or failed, so that nothing more is decided.
    pub fn stopped(&self) -> bool {
        self.stopped.load(Ordering::SeqCst)
    }

    /// Opens an entry by its place, for the kernel's own duties.
    ///
    /// # Errors
    /// The store's own fault.
    pub(crate) fn entries(
        &self,
        from: u64,
        limit: u32,
    ) -> Result<Vec<super::start::OpenedEntry>, Fault> {
        let entries = self.log.entries(LogName::Acts, from, limit)?;
        let secrets = self.log.secrets(LogName::Acts, from, limit)?;
        let mut opened = Vec::with_capacity(entries.len());
        for entry in &entries {
            let secrets = secrets
                .iter()
                .find(|s| s.sequence == entry.sequence)
                .ok_or(store::Error::Missing(entry.sequence))?;
            opened.push(open_entry(&self.keys, entry, secrets)?);
        }
        Ok(opened)
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.lanes.stop();
    }
}

/// What the access log of a node is opened with.
fn opening(
    config: &Config,
    keys: &Keyring,
    size: u64,
    clock: &Arc<dyn Clock>,
    to: (&Arc<Segments>, &Arc<Lanes<Submission>>),
) -> Result<Opening, Fault> {
    let (segments, lanes) = (Arc::clone(to.0), Arc::clone(to.1));
    let clock = Arc::clone(clock);
    Ok(Opening {
        directory: config.directory.join("access"),
        key: keys.derive(b"", "muster/access/v1")?,
        seed: seed()?,
        size,
        seal: Box::new(move |segment| {
            segments.put(segment);
            lanes.rouse();
        }),
        now: Box::new(move || clock.now()),
    })
}

fn run_sequencer(
    mut sequencer: Sequencer,
    (lanes, segments): (&Lanes<Submission>, &Segments),
    node: &std::sync::Weak<Node>,
) {
    while let Some(acts) = lanes.take() {
        if let Some(node) = node.upgrade() {
            node.adopt(&mut sequencer);
        }
        let done = sequencer.batch(acts).and_then(|()| sequencer.record(segments.take()));
        let more = done.and_then(|()| sequencer.keep_up());
        if let Ok(true) = more {
            lanes.rouse();
        }
        if let Err(fault) = more {
            let cause = format!("{fault:?}");
            tracing::error!(error = %fault, cause, "the log failed; no more acts are taken");
            lanes.stop();
            // Whoever still waits is answered by the closing of its channel.
            while lanes.take().is_some() {}
            if let Some(node) = node.upgrade() {
                node.stopped.store(true, Ordering::SeqCst);
            }
            return;
        }
    }
    if let Err(fault) = sequencer.record(segments.take()) {
        // Their files stay, and the next start finds them.
        tracing::error!(error = %fault, "the last rows of the access log are not in the log yet");
    }
    sequencer.sign_last();
}

/// The digest under which an act's receipt is kept: unique by actor and key.
pub fn idempotency_digest(actor: &Actor, key: &str) -> Digest {
    let (kind, id) = match actor {
        Actor::System => (0u8, [0; 16]),
        Actor::Person(id) => (1, id.0),
        Actor::Service(id) => (2, id.0),
    };
    Hasher::new("muster/idempotency/v1").part(&[kind]).part(&id).part(key.as_bytes()).finish()
}

/// What a reader's rights depend on: who it is, on which seat, for which agency, in which play.
fn reader_digest(register: &Register, actor: &ActorContext) -> Digest {
    let person = actor.person.map_or([0; 16], |id| id.0);
    let seat = actor.seat.map_or([0; 16], |id| id.0);
    let play = match actor.play {
        Play::Live => [0; 16],
        Play::Exercise(id) => id.0,
    };
    let purpose = match actor.purpose {
        Purpose::Administration => 0u8,
        Purpose::Protection => 1,
        Purpose::Emergency => 2,
        Purpose::Intelligence => 3,
        Purpose::Inspection => 4,
        Purpose::Training => 5,
    };
    let service = match actor.actor {
        Actor::Service(id) => id.0,
        Actor::Person(_) | Actor::System => [0; 16],
    };
    let known = u8::from(actor.person.is_some_and(|id| register.persons.contains_key(&id)));
    Hasher::new("muster/reader/v1")
        .part(&person)
        .part(&seat)
        .part(&actor.agency.0)
        .part(&play)
        .part(&[purpose, known])
        .part(&service)
        .finish()
}
