//! Live: one thread tells every open stream what has changed for its reader, and nothing else.
//!
//! A frame is made for each readable change: a change above a reader's head makes none. Readers who
//! may read the same layers of a record get the same bytes, opened once. Rights are asked again at
//! each batch under which they can have changed; records that may no longer be read are named as
//! gone, and kinds whose readable set grew are to be read again. What is sent is recorded first.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use base::crypto::{Digest, Hasher};
use base::{RecordId, Time, limit};
use bytes::Bytes;
use roaring::RoaringBitmap;
use serde::Serialize;
use tokio::sync::mpsc;

use super::access::{AccessKind, AccessRow, Interval};
use super::apply::Change;
use super::capability::ActorContext;
use super::cells::CellNumber;
use super::cursor::Cursor;
use super::node::Node;
use super::reader::{Labelled, Reader, Rendition, owner_of, row_of, whole_of};
use super::sequencer::Core;
use super::session::Held;

/// What a client is told.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Frame<'a> {
    /// The stream has begun. Unless it goes on where another ended, read the lists now: nothing
    /// after this is missed.
    Ready { resumed: bool },
    /// A record is new or has changed.
    Record { rendition: &'a Rendition },
    /// Records that may no longer be read.
    Gone { kind: &'a str, ids: Vec<RecordId> },
    /// Kinds to be read again from their lists.
    Resync { kinds: Vec<&'a str> },
    /// What [`Told::At`] says.
    At { cursor: &'a str },
    /// Rights have ended altogether: sign in again.
    SignedOut,
}

impl Frame<'_> {
    /// The frame as JSON.
    pub fn bytes(&self) -> Bytes {
        // Frames are made of texts and numbers; there is nothing in them that JSON has not.
        serde_json::to_vec(self).unwrap_or_default().into()
    }
}

/// Milliseconds between two looks at rights that end with time.
const RECHECK_MS: u64 = 500;
/// Milliseconds between two looks at sessions and accounts that end with time.
const EXPIRY_MS: i64 = 5000;
/// LIMIT: records remembered for one client, to name those that are gone.
const REMEMBERED: usize = 20_000;
/// Batches that wait from which on they are told as one.
const BEHIND_BATCHES: usize = 32;
/// LIMIT: frames that wait for a slow client; beyond it the client reads its lists again.
const WAITING_FRAMES: usize = 256;

/// A new stream.
pub struct Joining {
    pub held: Held,
    pub actor: ActorContext,
    /// Kinds of record that it asks for.
    pub watch: BTreeSet<String>,
    /// Where another stream of the same session ended.
    pub since: Option<String>,
}

/// What a stream is handed.
pub enum Told {
    /// A [`Frame`] as JSON.
    Frame(Bytes),
    /// Everything up to here was told: a stream that names it goes on from here.
    At(String),
}

/// What a stream tells; it ends with the rights of its session.
pub type Frames = mpsc::Receiver<Told>;

enum Message {
    Changes(Vec<Change>),
    Join(Box<Joining>, mpsc::Sender<Told>),
}

/// Where batches go in and streams begin.
pub struct Hub {
    to: Sender<Message>,
    from: Mutex<Option<Receiver<Message>>>,
    clients: AtomicU64,
}

impl Default for Hub {
    fn default() -> Self {
        let (to, from) = channel();
        Self { to, from: Mutex::new(Some(from)), clients: AtomicU64::new(0) }
    }
}

impl Hub {
    /// Tells of a committed batch.
    pub fn publish(&self, changes: Vec<Change>) {
        // Once nobody listens any more, the node is ending.
        let _ended = self.to.send(Message::Changes(changes));
    }

    /// Begins a stream: its first frame is [`Frame::Ready`].
    pub fn join(&self, joining: Joining) -> Frames {
        let (frames, receiver) = mpsc::channel(WAITING_FRAMES);
        let _ended = self.to.send(Message::Join(Box::new(joining), frames));
        receiver
    }

    /// How many streams are open.
    pub fn clients(&self) -> u64 {
        self.clients.load(Ordering::Relaxed)
    }
}

/// What a client is sent of one kind.
struct Watched {
    /// The readable cells among the first `cells`; later ones are asked one by one.
    readable: Arc<RoaringBitmap>,
    cells: usize,
    sent: BTreeSet<RecordId>,
}

struct Client {
    held: Held,
    actor: ActorContext,
    owner: Digest,
    kinds: BTreeMap<&'static str, Watched>,
    /// What the readable sets depend on, when they were last asked for.
    rights: Digest,
    /// The first entry that no interval of this stream has covered.
    sent_to: u64,
    /// Frames were left out: the lists are to be read again once there is room.
    behind: bool,
    ended: bool,
    out: mpsc::Sender<Told>,
}

impl Client {
    fn send(&mut self, frame: Bytes) {
        self.tell(Told::Frame(frame));
    }

    fn tell(&mut self, told: Told) {
        match self.out.try_send(told) {
            Ok(()) => {}
            Err(mpsc::error::TrySendError::Full(_)) => self.behind = true,
            Err(mpsc::error::TrySendError::Closed(_)) => self.ended = true,
        }
    }

    /// Whether the client may read a cell of a kind, by the rights that it has now.
    fn reads(&self, core: &Core, noun: &'static str, cell: CellNumber) -> bool {
        let Some(watched) = self.kinds.get(noun) else { return false };
        if (cell as usize) < watched.cells {
            return watched.readable.contains(cell);
        }
        core.policy.readable_cell(&core.register, &core.cells, &self.actor, (noun, cell))
    }
}

/// Tells clients of what happens until the node stops.
pub fn run(node: &Weak<Node>) {
    let Some(receiver) = node
        .upgrade()
        .and_then(|node| node.hub().from.lock().unwrap_or_else(PoisonError::into_inner).take())
    else {
        return;
    };
    let mut clients: Vec<Client> = Vec::new();
    let (mut asked, mut asked_at) = (None, Time::MIN);
    loop {
        let first = match receiver.recv_timeout(Duration::from_millis(RECHECK_MS)) {
            Ok(message) => Some(message),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => return,
        };
        let Some(node) = node.upgrade() else { return };
        if node.stopped() {
            return;
        }
        let mut batches: Vec<Vec<Change>> = Vec::new();
        let mut joining = Vec::new();
        for message in first.into_iter().chain(std::iter::from_fn(|| receiver.try_recv().ok())) {
            match message {
                Message::Changes(batch) => batches.push(batch),
                Message::Join(client, out) => joining.push((client, out)),
            }
        }
        if batches.len() > BEHIND_BATCHES {
            batches = vec![batches.concat()];
        }
        let core = node.core();
        let (standing, now) = (Some(Standing::of(&core, node.now())), node.now());
        if asked != standing || now.ms_since(asked_at).abs() >= EXPIRY_MS {
            (asked, asked_at) = (standing, now);
            for client in &mut clients {
                recheck(&node, &core, client);
            }
        }
        for client in clients.iter_mut().filter(|client| client.behind) {
            catch_up(client);
        }
        for batch in batches {
            deliver(&node, &core, &mut clients, merged(batch));
        }
        clients.retain(|client| !client.ended && !client.out.is_closed());
        for (asked, out) in joining {
            clients.extend(begin(&node, &core, *asked, out));
        }
        node.hub().clients.store(clients.len() as u64, Ordering::Relaxed);
    }
}

/// All that rights of sessions can change with, but for what ends with time.
#[derive(PartialEq, Eq)]
struct Standing {
    epoch: u64,
    past: bool,
    people: u64,
    circles: u64,
    sessions: u64,
}

impl Standing {
    fn of(core: &Core, now: Time) -> Self {
        let register = &core.register;
        Self {
            epoch: core.policy.epoch(),
            past: core.at.max(now) >= core.policy.valid_until(),
            people: register.people_changes,
            circles: register.circle_changes,
            sessions: register.session_changes,
        }
    }
}

/// The newest change of each layer, urgent ones first.
fn merged(changes: Vec<Change>) -> Vec<Change> {
    let mut merged: Vec<Change> = Vec::with_capacity(changes.len());
    for change in changes {
        // Who may know of a change depends on its layer: one of another layer stays beside it.
        let same = |known: &Change| {
            (known.record, known.cell, known.gate) == (change.record, change.cell, change.gate)
        };
        let recalled = merged.iter().any(|known| same(known) && known.recalled);
        merged.retain(|known| !same(known));
        merged.push(Change { recalled: change.recalled || recalled, ..change });
    }
    merged.sort_by_key(|change| !change.urgent);
    merged
}

fn begin(node: &Arc<Node>, core: &Core, asked: Joining, out: mpsc::Sender<Told>) -> Option<Client> {
    let Joining { held, actor, watch, since } = asked;
    let reader = Reader::new(node, actor.clone());
    let mut kinds = BTreeMap::new();
    for capability in node.capabilities().iter().take(64) {
        if watch.contains(capability.noun) {
            let readable = reader.readable(capability.noun);
            let cells = reader.core().cells.len();
            let sent = BTreeSet::new();
            kinds.insert(capability.noun, Watched { readable, cells, sent });
        }
    }
    let owner = owner_of(&actor);
    let rights = rights_digest(node, core, &actor);
    let (sent_to, behind, ended) = (core.head.size, false, false);
    let mut client = Client { held, actor, owner, kinds, rights, sent_to, behind, ended, out };
    let missed = since.and_then(|cursor| missed(node, core, &client, &cursor));
    client.send(Frame::Ready { resumed: missed.is_some() }.bytes());
    if let Some(changes) = missed {
        let mut one = vec![client];
        deliver(node, core, &mut one, changes);
        client = one.pop()?;
    }
    mark(node, core, &mut client);
    (!client.ended).then_some(client)
}

/// What changed since a cursor; `None` when the lists must be read again.
fn missed(node: &Node, core: &Core, client: &Client, cursor: &str) -> Option<Vec<Change>> {
    let cursor = Cursor::open(cursor, node.cursor_key(), &client.owner).ok()?;
    let now = cursor_of(core, client);
    if (cursor.epoch, cursor.people, cursor.profile) != (now.epoch, now.people, now.profile) {
        return None;
    }
    let changed = node.views().with(|views| {
        // A label that was raised, or an erasure, touches records without a new fact of theirs.
        for noun in ["spillage", "erasure"] {
            if !views.changed_since(noun, cursor.sequence, 1)?.is_empty() {
                return Ok(None);
            }
        }
        let mut changed = Vec::new();
        for noun in client.kinds.keys() {
            let left = limit::LIVE_FRAMES.saturating_sub(changed.len()) + 1;
            for (record, layer) in views.changed_since(noun, cursor.sequence, left)? {
                changed.push(Change {
                    record,
                    noun,
                    kind: "",
                    cell: layer.cell,
                    gate: layer.gate,
                    sequence: layer.sequence,
                    urgent: false,
                    recalled: false,
                });
            }
        }
        Ok((changed.len() <= limit::LIVE_FRAMES).then_some(changed))
    });
    changed.ok()?.map(merged)
}

fn cursor_of(core: &Core, client: &Client) -> Cursor {
    Cursor {
        sequence: core.head.size,
        epoch: core.policy.epoch(),
        people: core.register.people_changes,
        profile: core.policy.profile_digest(&core.register, &client.actor),
        at: core.at,
    }
}

/// Where the client stands, for its next stream.
fn mark(node: &Node, core: &Core, client: &mut Client) {
    let cursor = cursor_of(core, client);
    match cursor.seal(node.cursor_key(), &client.owner, &mut node.entropy()) {
        Ok(cursor) if !client.behind => client.tell(Told::At(cursor)),
        // Without one the next stream begins with the lists.
        Ok(_) | Err(_) => {}
    }
}

/// Everything that a readable set is made of, but for the cells that there are.
fn rights_digest(node: &Node, core: &Core, actor: &ActorContext) -> Digest {
    let past = core.at.max(node.now()) >= core.policy.valid_until();
    let mut rights = Hasher::new("muster/live-rights/v1")
        .part(&core.policy.epoch().to_be_bytes())
        .part(&[u8::from(past)])
        .part(&core.register.circle_changes.to_be_bytes())
        .part(&core.policy.profile_digest(&core.register, actor).0)
        .part(&actor.seat.map_or([0; 16], |seat| seat.0));
    for agency in core.register.ancestors(actor.agency) {
        rights = rights.part(&agency.0);
    }
    rights.finish()
}

/// Asks again who this is and what they may read: a lost seat, role, clause or session acts on open
/// streams too.
fn recheck(node: &Arc<Node>, core: &Core, client: &mut Client) {
    let now = client.held.actor(node, core);
    let Ok(actor) = now else {
        client.send(Frame::SignedOut.bytes());
        client.ended = true;
        return;
    };
    client.actor = actor;
    let rights = rights_digest(node, core, &client.actor);
    if rights != client.rights {
        client.rights = rights;
        renew(node, client);
    }
}

/// Tells a client that missed frames to read its lists, once it has taken some of those that wait.
fn catch_up(client: &mut Client) {
    if client.out.capacity() >= WAITING_FRAMES / 2 {
        client.behind = false;
        let kinds: Vec<&str> = client.kinds.keys().copied().collect();
        client.send(Frame::Resync { kinds }.bytes());
    }
}

/// Compares the readable sets with those of before.
fn renew(node: &Arc<Node>, client: &mut Client) {
    let reader = Reader::new(node, client.actor.clone());
    let nouns: Vec<&'static str> = client.kinds.keys().copied().collect();
    for noun in nouns {
        let (readable, cells) = (reader.readable(noun), reader.core().cells.len());
        let Some(watched) = client.kinds.get_mut(noun) else { continue };
        let known = u32::try_from(watched.cells).unwrap_or(u32::MAX);
        let before = std::mem::replace(&mut watched.readable, readable);
        watched.cells = cells;
        let gone = gone(node, watched);
        // Cells that came since hold nothing older than the change that made them, and that was
        // told under the rights of then.
        let differs = (&*before ^ &*watched.readable).iter().any(|cell| cell < known);
        if !gone.is_empty() {
            client.send(Frame::Gone { kind: noun, ids: gone }.bytes());
        }
        if differs {
            client.send(Frame::Resync { kinds: vec![noun] }.bytes());
        }
    }
}

/// Forgets and names the records sent that may not be read any more.
fn gone(node: &Node, watched: &mut Watched) -> Vec<RecordId> {
    let (sent, readable) = (&watched.sent, &watched.readable);
    let found = node.views().with(|views| {
        let mut gone = Vec::new();
        for id in sent {
            let row = views.record(*id)?;
            if !row.is_some_and(|row| row.readable(readable)) {
                gone.push(*id);
            }
        }
        Ok(gone)
    });
    let gone = found.unwrap_or_else(|fault| {
        // Nothing may stay on a screen because it could not be asked for.
        tracing::error!(error = %fault, "rights on open streams could not be compared");
        sent.iter().copied().collect()
    });
    for id in &gone {
        watched.sent.remove(id);
    }
    gone
}

/// A record as some readers see it: the same layers, hence the same bytes.
struct Shared {
    rendition: Rendition,
    frame: Bytes,
}

/// What a client is told of one record.
enum Item {
    /// The place of the opened record among those of the round.
    Shared(usize),
    Gone(&'static str, RecordId),
}

/// What one client is told in one round: each with the place of the newest change that it may know
/// of, so that the order depends on nothing else.
type Round = Vec<(usize, Item)>;

fn deliver(node: &Arc<Node>, core: &Core, clients: &mut [Client], changes: Vec<Change>) {
    let mut rounds: Vec<Round> = clients.iter().map(|_| Round::new()).collect();
    let mut shared: Vec<Shared> = Vec::new();
    let mut by_record: BTreeMap<RecordId, Vec<(usize, &Change)>> = BTreeMap::new();
    for (place, change) in changes.iter().enumerate() {
        by_record.entry(change.record).or_default().push((place, change));
    }
    for (record, changes) in by_record {
        let Ok(Some(whole)) = node.views().with(|views| whole_of(views, record)) else { continue };
        // By the layers that are readable: the place of what was opened, or nothing.
        let mut opened: BTreeMap<Vec<CellNumber>, Option<usize>> = BTreeMap::new();
        for (client, round) in clients.iter().zip(&mut rounds) {
            let concerning = changes.iter().filter(|(_, change)| {
                let reads = |cell| client.reads(core, change.noun, cell);
                reads(change.cell) && reads(change.gate)
            });
            let known = concerning.fold(None, |known: Option<(usize, &Change, bool)>, (p, c)| {
                Some((*p, *c, c.recalled || known.is_some_and(|(_, _, recalled)| recalled)))
            });
            let Some((place, change, recalled)) = known.filter(|_| !client.ended) else { continue };
            let Some(cells) = whole.cells(&|cell| client.reads(core, change.noun, cell)) else {
                if recalled {
                    round.push((place, Item::Gone(change.noun, record)));
                }
                continue;
            };
            let found = if let Some(found) = opened.get(&cells) {
                *found
            } else {
                let one = open(node, client, whole.part(&cells));
                let index = one.is_some().then_some(shared.len());
                shared.extend(one);
                *opened.entry(cells).or_insert(index)
            };
            round.extend(found.map(|index| (place, Item::Shared(index))));
        }
    }
    for round in &mut rounds {
        round.sort_by_key(|(place, _)| *place);
    }
    send_all(node, core, clients, (rounds, shared));
}

/// Opens a record for a client, and for all who may read the same layers of it.
fn open(node: &Arc<Node>, client: &Client, labelled: Labelled) -> Option<Shared> {
    let reader = Reader::new(node, client.actor.clone());
    match reader.peek(labelled) {
        Ok(rendition) => {
            let frame = Frame::Record { rendition: &rendition }.bytes();
            Some(Shared { rendition, frame })
        }
        Err(fault) => {
            // It became unreadable or was erased in between: a later batch tells of that.
            tracing::debug!(error = %fault, "a change was not opened for open streams");
            None
        }
    }
}

/// Records what each client is about to be sent, as one interval of its stream, then sends it.
fn send_all(
    node: &Arc<Node>,
    core: &Core,
    clients: &mut [Client],
    (rounds, shared): (Vec<Round>, Vec<Shared>),
) {
    let now: Time = node.now().max(core.at);
    let mut rows = Vec::new();
    let of = |item: &Item| match item {
        Item::Shared(index) => shared.get(*index),
        Item::Gone(..) => None,
    };
    for (client, round) in clients.iter().zip(&rounds) {
        let mut sent = round.iter().filter_map(|(_, item)| Some(&of(item)?.rendition)).peekable();
        if sent.peek().is_none() || round.len() > limit::LIVE_FRAMES {
            continue;
        }
        let interval = Interval {
            epoch: core.policy.epoch(),
            people: core.register.people_changes,
            profile: core.policy.profile_digest(&core.register, &client.actor),
            from: client.sent_to,
            to: core.head.size,
        };
        let row = AccessRow::of(&client.actor, AccessKind::Delivered, None, now);
        rows.push(row_of(AccessRow { interval: Some(interval), ..row }, sent, None));
    }
    if !rows.is_empty()
        && let Err(fault) = node.access().record_all(rows)
    {
        tracing::error!(error = %fault, "nothing is sent to open streams");
        for client in clients {
            client.behind = true;
        }
        return;
    }
    for (client, round) in clients.iter_mut().zip(rounds) {
        if round.is_empty() {
            continue;
        }
        if round.len() > limit::LIVE_FRAMES {
            let kinds: Vec<&str> = client.kinds.keys().copied().collect();
            client.send(Frame::Resync { kinds }.bytes());
        } else {
            for (_, item) in &round {
                if let Some(one) = of(item) {
                    remember(client, &one.rendition);
                    client.send(one.frame.clone());
                } else if let Item::Gone(kind, id) = item {
                    client.send(Frame::Gone { kind, ids: vec![*id] }.bytes());
                }
            }
        }
        client.sent_to = core.head.size;
        mark(node, core, client);
    }
}

fn remember(client: &mut Client, rendition: &Rendition) {
    let watched = client.kinds.iter_mut().find(|(noun, _)| **noun == rendition.kind);
    if let Some((_, watched)) = watched
        && watched.sent.len() < REMEMBERED
    {
        watched.sent.insert(rendition.id);
    }
}
