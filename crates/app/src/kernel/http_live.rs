//! Live: changes as they happen, over one WebSocket a client, with resume.
//!
//! A frame is sent for each readable change and for nothing else: a change above a reader's head
//! makes no frame. When rights change, records that may no longer be read are named as gone, and
//! kinds whose readable set grew are to be read again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::http::{HeaderMap, Response};
use base::{RecordId, limit};
use roaring::RoaringBitmap;
use serde::{Deserialize, Serialize};
use tokio::sync::broadcast;

use super::access::{AccessKind, AccessRow, Interval};
use super::apply::Change;
use super::capability::ActorContext;
use super::fault::Fault;
use super::http::{authenticate, refuse, token};
use super::node::{Batch, Node};
use super::reader::{Reader, Rendition, row_of};
use super::session;

/// What a client asks for, once, after connecting.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Watch {
    /// Kinds of record, such as `alert`.
    watch: BTreeSet<String>,
}

/// What a client is told.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Frame<'a> {
    /// The stream has begun: read the lists now, nothing after this is missed.
    Ready,
    /// A record is new or has changed.
    Record { rendition: &'a Rendition },
    /// Records that may no longer be read.
    Gone { kind: &'a str, ids: Vec<RecordId> },
    /// Kinds to be read again from their lists.
    Resync { kinds: Vec<&'a str> },
    /// Rights have ended altogether: sign in again.
    SignedOut,
}

/// Milliseconds between two looks at rights that end with time.
const RECHECK_MS: u64 = 500;
/// LIMIT: records remembered for one client, to name those that are gone.
const REMEMBERED: usize = 20_000;

/// Takes a WebSocket of a signed-in person.
pub async fn upgrade(
    State(node): State<Arc<Node>>,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Response<Body> {
    let Some((token, by_cookie)) = token(&headers) else {
        return refuse(&Fault::new(
            base::Kind::Unauthenticated,
            "unauthenticated",
            "sign in first",
        ));
    };
    // A browser sends cookies with any page's WebSocket: ours is known by its Origin.
    if by_cookie && !same_host(&headers) {
        return refuse(&Fault::new(base::Kind::Denied, "cross-site", "open it from our pages"));
    }
    let (checked, asked) = (Arc::clone(&node), headers.clone());
    let actor = tokio::task::spawn_blocking(move || authenticate(&checked, &asked)).await;
    match actor {
        Ok(Ok(actor)) => {
            upgrade.read_buffer_size(4096).max_message_size(16 * 1024).on_upgrade(move |socket| {
                let sent_to = node.core().head.size;
                let live = Live { node, token, actor, kinds: BTreeMap::new(), sent_to };
                live.run(socket)
            })
        }
        Ok(Err(fault)) => refuse(&fault),
        Err(panicked) => refuse(&Fault::bug(panicked)),
    }
}

fn same_host(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let origin = text("origin").and_then(|origin| origin.split_once("://")).map(|(_, host)| host);
    origin.is_some() && origin == text("host")
}

/// What a client was sent of one kind.
struct Watched {
    readable: Arc<RoaringBitmap>,
    sent: BTreeSet<RecordId>,
}

struct Live {
    node: Arc<Node>,
    token: String,
    actor: ActorContext,
    kinds: BTreeMap<&'static str, Watched>,
    /// The first entry that no interval of this stream has covered.
    sent_to: u64,
}

type Sent = Result<(), axum::Error>;

impl Live {
    async fn run(mut self, mut socket: WebSocket) {
        let mut hub = self.node.subscribe();
        let asked = tokio::time::timeout(Duration::from_secs(10), socket.recv()).await;
        let Ok(Some(Ok(Message::Text(text)))) = asked else { return };
        let Ok(watch) = serde_json::from_str::<Watch>(&text) else { return };
        self.watch(&watch.watch);
        if send(&mut socket, &Frame::Ready).await.is_err() {
            return;
        }
        let mut recheck = tokio::time::interval(Duration::from_millis(RECHECK_MS));
        loop {
            let outcome = tokio::select! {
                batch = hub.recv() => match batch {
                    Ok(batch) => self.batch(&mut socket, &batch).await,
                    Err(broadcast::error::RecvError::Lagged(_)) => self.resync(&mut socket).await,
                    Err(broadcast::error::RecvError::Closed) => return,
                },
                _ = recheck.tick() => self.recheck(&mut socket).await,
                message = socket.recv() => match message {
                    Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                    Some(Ok(_)) => Ok(()),
                },
            };
            if outcome.is_err() {
                return;
            }
        }
    }

    fn watch(&mut self, asked: &BTreeSet<String>) {
        let reader = Reader::new(&self.node, self.actor.clone());
        for capability in self.node.capabilities().iter().take(64) {
            if asked.contains(capability.noun) {
                let readable = reader.readable(capability.noun);
                let watched = Watched { readable, sent: BTreeSet::new() };
                self.kinds.insert(capability.noun, watched);
            }
        }
    }

    async fn batch(&mut self, socket: &mut WebSocket, batch: &Batch) -> Sent {
        self.rights(socket).await?;
        let mut changes: Vec<Change> = Vec::new();
        for change in batch.changes.iter() {
            let watched = self.kinds.get(change.noun);
            let known = |watched: &Watched| {
                watched.readable.contains(change.cell) && watched.readable.contains(change.gate)
            };
            if watched.is_some_and(known) {
                let recalled = changes.iter().any(|c| c.record == change.record && c.recalled);
                changes.retain(|c| c.record != change.record);
                changes.push(Change { recalled: change.recalled || recalled, ..change.clone() });
            }
        }
        if changes.len() > limit::LIVE_FRAMES {
            return self.resync(socket).await;
        }
        changes.sort_by_key(|change| !change.urgent);
        let from = std::mem::replace(&mut self.sent_to, batch.size);
        if changes.is_empty() {
            self.sent_to = from;
            return Ok(());
        }
        let recalled = changes.iter().filter(|change| change.recalled);
        let recalled: Vec<_> = recalled.map(|change| (change.noun, change.record)).collect();
        let renditions = self.open(changes, (from, batch.size)).await?;
        for (kind, id) in recalled {
            if !renditions.iter().any(|(_, rendition)| rendition.id == id) {
                send(socket, &Frame::Gone { kind, ids: vec![id] }).await?;
            }
        }
        for (noun, rendition) in renditions {
            if let Some(watched) = self.kinds.get_mut(noun)
                && watched.sent.len() < REMEMBERED
            {
                watched.sent.insert(rendition.id);
            }
            send(socket, &Frame::Record { rendition: &rendition }).await?;
        }
        Ok(())
    }

    /// Opens what has changed and records it, as one interval of this stream, before it is sent.
    async fn open(
        &self,
        changes: Vec<Change>,
        (from, to): (u64, u64),
    ) -> Result<Vec<(&'static str, Rendition)>, axum::Error> {
        let (node, actor) = (Arc::clone(&self.node), self.actor.clone());
        let opened = tokio::task::spawn_blocking(move || {
            let reader = Reader::new(&node, actor);
            // What became unreadable or was erased in between is not there to be sent.
            let opened: Vec<(&'static str, Rendition)> = changes
                .iter()
                .filter_map(|c| Some((c.noun, reader.peek(c.noun, c.record).ok()?)))
                .collect();
            let core = reader.core();
            let interval = Interval {
                epoch: core.policy.epoch(),
                people: core.register.people_changes,
                profile: core.policy.profile_digest(&core.register, reader.actor()),
                from,
                to,
            };
            let sent: Vec<Rendition> = opened.iter().map(|(_, r)| r.clone()).collect();
            let row = AccessRow::of(reader.actor(), AccessKind::Delivered, None, reader.at());
            let row = AccessRow { interval: Some(interval), ..row_of(row, &sent, None) };
            if sent.is_empty() {
                return Ok(opened);
            }
            node.access().record(row).map(|()| opened)
        })
        .await;
        opened.map_err(axum::Error::new)?.map_err(axum::Error::new)
    }

    async fn resync(&mut self, socket: &mut WebSocket) -> Sent {
        let kinds: Vec<&str> = self.kinds.keys().copied().collect();
        send(socket, &Frame::Resync { kinds }).await
    }

    /// Asks again who this is: a lost seat, role or session acts on open screens too.
    async fn recheck(&mut self, socket: &mut WebSocket) -> Sent {
        let (node, token) = (Arc::clone(&self.node), self.token.clone());
        let resolved = tokio::task::spawn_blocking(move || session::resolve(&node, &token)).await;
        if let Ok(Ok(actor)) = resolved {
            self.actor = actor;
        } else {
            send(socket, &Frame::SignedOut).await?;
            return Err(axum::Error::new("signed out"));
        }
        self.rights(socket).await
    }

    /// Compares the readable sets with those of the last frame.
    async fn rights(&mut self, socket: &mut WebSocket) -> Sent {
        let node = Arc::clone(&self.node);
        let reader = Reader::new(&node, self.actor.clone());
        let nouns: Vec<&'static str> = self.kinds.keys().copied().collect();
        for noun in nouns {
            let now = reader.readable(noun);
            let Some(watched) = self.kinds.get_mut(noun) else { continue };
            if *now == *watched.readable {
                continue;
            }
            let lost = &*watched.readable - &*now;
            let before = std::mem::replace(&mut watched.readable, now);
            if lost.is_empty() {
                // Cells that are new since then hold nothing older than the change that made them,
                // unless rights grew; then the lists are read again.
                if self.grew(noun, &before, &reader) {
                    send(socket, &Frame::Resync { kinds: vec![noun] }).await?;
                }
                continue;
            }
            let ids = self.gone(noun, &reader);
            if !ids.is_empty() {
                send(socket, &Frame::Gone { kind: noun, ids }).await?;
            }
            send(socket, &Frame::Resync { kinds: vec![noun] }).await?;
        }
        Ok(())
    }

    /// Whether a cell that existed before has become readable.
    fn grew(&self, noun: &str, before: &RoaringBitmap, reader: &Reader<'_>) -> bool {
        let Some(watched) = self.kinds.get(noun) else { return false };
        let gained = &*watched.readable - before;
        let newest_before = before.max().unwrap_or(0);
        let _ = reader;
        gained.iter().any(|cell| cell <= newest_before)
    }

    fn gone(&mut self, noun: &'static str, reader: &Reader<'_>) -> Vec<RecordId> {
        let Some(watched) = self.kinds.get_mut(noun) else { return Vec::new() };
        let readable = Arc::clone(&watched.readable);
        let sent = watched.sent.clone();
        let _ = reader;
        let gone = self.node.views().with(|views| {
            let mut gone = Vec::new();
            for id in sent {
                if super::reader::labelled_of(views, id, &readable)?.is_none() {
                    gone.push(id);
                }
            }
            Ok(gone)
        });
        let gone = gone.unwrap_or_default();
        for id in &gone {
            watched.sent.remove(id);
        }
        gone
    }
}

async fn send(socket: &mut WebSocket, frame: &Frame<'_>) -> Sent {
    match serde_json::to_string(frame) {
        Ok(text) => socket.send(Message::Text(text.into())).await,
        Err(cause) => Err(axum::Error::new(cause)),
    }
}
