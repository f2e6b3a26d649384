//! Live streams over HTTP: a WebSocket for the client, server-sent events for walls and programs.
//!
//! Both carry the frames of [`super::live`] and nothing else.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::ws::{Message, Utf8Bytes, WebSocket, WebSocketUpgrade};
use axum::extract::{Query, State};
use axum::http::{HeaderMap, Response};
use axum::response::IntoResponse;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::stream::{self, Stream};
use serde::Deserialize;

use super::capability::ActorContext;
use super::fault::Fault;
use super::http::{authenticate, refuse, token};
use super::live::{Frame, Frames, Joining, Told};
use super::node::Node;
use super::session::{self, Held};

/// What a client asks for, once, after connecting.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Watch {
    /// Kinds of record, such as `alert`.
    watch: BTreeSet<String>,
    /// The cursor of the last `at` frame of an earlier stream of the same session.
    #[serde(default)]
    since: Option<String>,
}

/// Seconds within which a client says what it watches.
const WATCH_S: u64 = 10;

/// Takes a WebSocket of somebody signed in.
pub async fn upgrade(
    State(node): State<Arc<Node>>,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Response<Body> {
    // A browser sends cookies with any page's WebSocket: ours is known by its Origin.
    let by_cookie = token(&headers).is_some_and(|(_, by_cookie)| by_cookie);
    if by_cookie && !same_host(&headers) {
        return refuse(&Fault::new(base::Kind::Denied, "cross-site", "open it from our pages"));
    }
    match who(&node, &headers).await {
        Ok(who) => upgrade
            .read_buffer_size(4096)
            .write_buffer_size(0)
            .max_message_size(16 * 1024)
            .on_upgrade(move |socket| serve(node, who, socket)),
        Err(fault) => refuse(&fault),
    }
}

async fn who(node: &Arc<Node>, headers: &HeaderMap) -> Result<(Held, ActorContext), Fault> {
    let missing = || Fault::new(base::Kind::Unauthenticated, "unauthenticated", "sign in first");
    let (token, _) = token(headers).ok_or_else(missing)?;
    let (node, headers) = (Arc::clone(node), headers.clone());
    // The session is looked up in the state, which blocks.
    let found = tokio::task::spawn_blocking(move || {
        let actor = authenticate(&node, &headers)?;
        Ok((session::hold(&node, &token)?, actor))
    });
    found.await.map_err(Fault::bug)?
}

fn same_host(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let origin = text("origin").and_then(|origin| origin.split_once("://")).map(|(_, host)| host);
    origin.is_some() && origin == text("host")
}

async fn serve(node: Arc<Node>, (held, actor): (Held, ActorContext), mut socket: WebSocket) {
    let asked = tokio::time::timeout(Duration::from_secs(WATCH_S), socket.recv()).await;
    let Ok(Some(Ok(Message::Text(text)))) = asked else { return };
    let Ok(Watch { watch, since }) = serde_json::from_str(&text) else { return };
    let mut frames = node.hub().join(Joining { held, actor, watch, since });
    // Nothing of the node is held while the stream waits: it may stop meanwhile.
    drop((node, text));
    loop {
        let sent = tokio::select! {
            told = frames.recv() => match told {
                Some(told) => socket.send(message(&told)).await.is_ok(),
                None => return,
            },
            said = socket.recv() => !matches!(said, Some(Ok(Message::Close(_)) | Err(_)) | None),
        };
        if !sent {
            return;
        }
    }
}

fn message(told: &Told) -> Message {
    let bytes = match told {
        Told::Frame(bytes) => bytes.clone(),
        Told::At(cursor) => Frame::At { cursor }.bytes(),
    };
    // Frames are JSON, hence text.
    Message::Text(Utf8Bytes::try_from(bytes).unwrap_or_default())
}

/// The kinds that a stream of events is asked for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// Kinds of record, separated by commas.
    watch: String,
}

/// Serves changes as server-sent events: `data` is a frame, `id` says where it stands.
///
/// A client that names the last `id` as `Last-Event-ID` goes on from there (HTML standard, 9.2).
pub async fn events(
    State(node): State<Arc<Node>>,
    asked: Result<Query<Asked>, QueryRejection>,
    headers: HeaderMap,
) -> Response<Body> {
    let (held, actor) = match who(&node, &headers).await {
        Ok(who) => who,
        Err(fault) => return refuse(&fault),
    };
    let Ok(Query(Asked { watch })) = asked else {
        let detail = "`watch` names kinds of record, separated by commas";
        return refuse(&Fault::invalid("invalid-query", detail));
    };
    let watch = watch.split(',').map(|kind| kind.trim().to_owned()).collect();
    let last = headers.get("last-event-id").and_then(|id| id.to_str().ok());
    let since = last.map(str::to_owned);
    let frames = node.hub().join(Joining { held, actor, watch, since });
    let events = Sse::new(told(frames)).keep_alive(KeepAlive::default());
    ([("cache-control", "no-store")], events).into_response()
}

fn told(frames: Frames) -> impl Stream<Item = Result<Event, Infallible>> {
    stream::unfold(frames, |mut frames| async {
        let event = match frames.recv().await? {
            Told::Frame(bytes) => Event::default().data(String::from_utf8_lossy(&bytes)),
            Told::At(cursor) => Event::default().id(cursor),
        };
        Some((Ok(event), frames))
    })
}
