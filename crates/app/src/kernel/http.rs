//! HTTP: every route of the tables, one handler a shape; the only place that knows axum's requests.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, FromRequestParts, Path, Query, Request, State};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::{MethodRouter, get, post};
use base::{Kind, RecordId, Time};
use serde::{Deserialize, Serialize};

use super::access::{AccessKind, AccessRow};
use super::capability::{ActorContext, Capability, Deciding};
use super::cursor::encode;
use super::fault::Fault;
use super::http_identity;
use super::http_live;
use super::http_log;
use super::ledger;
use super::node::{Act, Node};
use super::problem::Problem;
use super::question::{Answer, Asked, Question};
use super::reader::Reader;
use super::route::{Gate, Method, Preview, Route, Serves};
use super::search;
use super::session;
use super::signing::Given;
use super::why_not;

/// The cookie of a browser's session.
pub const COOKIE: &str = "__Host-muster";

/// Routes of the kernel itself.
pub const ROUTES: &[Route] = &[
    Route {
        method: Method::Get,
        path: "/me",
        gate: Gate::SignedIn,
        serves: Serves::Kernel("me"),
        summary: "who you are, on which seat, with what clearance",
    },
    Route {
        method: Method::Get,
        path: "/me/device-key",
        gate: Gate::SignedIn,
        serves: Serves::Kernel("device-key"),
        summary: "the key under which this person's drafts are kept on a device",
    },
    Route {
        method: Method::Post,
        path: "/me/departure",
        gate: Gate::SignedIn,
        serves: Serves::Kernel("sign-out"),
        summary: "sign out",
    },
    Route {
        method: Method::Get,
        path: "/live",
        gate: Gate::SignedIn,
        serves: Serves::Kernel("live"),
        summary: "changes as they happen, over a WebSocket",
    },
    Route {
        method: Method::Get,
        path: "/events",
        gate: Gate::SignedIn,
        serves: Serves::Kernel("events"),
        summary: "changes of the kinds in `watch`, as they happen, as server-sent events",
    },
    Route {
        method: Method::Get,
        path: "/openapi.json",
        gate: Gate::Public("the document names routes and fields, no content"),
        serves: Serves::Kernel("openapi"),
        summary: "this document",
    },
    Route {
        method: Method::Get,
        path: "/health",
        gate: Gate::Public("a supervisor has no session; it learns alive or not"),
        serves: Serves::Kernel("health"),
        summary: "whether the node decides",
    },
    Route::question(
        "/search",
        "search:ask",
        Question { answer: search::answer, query: &["q", "cursor", "limit"] },
        "records that have every word of `q`, titles first, then the newest",
    ),
    Route::question(
        "/ledger",
        "ledger:read",
        Question { answer: ledger::entries, query: &["before"] },
        "entries by their metadata, newest first, and the signed heads",
    ),
    Route::question(
        "/ledger/{id}/proof",
        "ledger:read",
        Question::new(ledger::proof),
        "the proof of an entry",
    ),
    Route::asking(
        "/why",
        "access:explain",
        Question::new(why_not::answer),
        "why an agency or a colleague reads what originates with you, and why not",
    ),
];

/// Every route of the kernel and of the capabilities.
pub fn routes(node: &Node) -> impl Iterator<Item = &'static Route> + use<> {
    routes_of(node.capabilities())
}

/// Every route of the kernel and of some capabilities, for whoever has no node.
pub fn routes_of(
    capabilities: &'static [&'static Capability],
) -> impl Iterator<Item = &'static Route> {
    ROUTES.iter().chain(capabilities.iter().flat_map(|c| c.routes))
}

/// The router of everything below `/api`, and of the log's static tiles below `/log`.
pub fn router(node: &Arc<Node>) -> Router {
    let mut by_path: BTreeMap<&'static str, MethodRouter<Arc<Node>>> = BTreeMap::new();
    for route in routes(node) {
        let handler = match (route.method, route.serves) {
            (_, Serves::Kernel("live")) => get(http_live::upgrade),
            (Method::Post, Serves::Upload(_)) => {
                post(move |node: NodeState, request: Request| upload(node.0, request, route))
            }
            (_, Serves::Kernel("events")) => get(http_live::events),
            (Method::Get, _) => get(move |request: ReadRequest| read(request, route)),
            (Method::Post, _) => post(move |request: ActRequest| act(request, route)),
        };
        let known = by_path.remove(route.path).unwrap_or_default();
        by_path.insert(route.path, known.merge(handler));
    }
    let mut router = Router::new();
    for (path, handler) in by_path {
        router = router.route(&format!("/api{path}"), handler);
    }
    router
        .merge(http_log::router())
        .layer(DefaultBodyLimit::max(base::limit::BODY_BYTES))
        .with_state(Arc::clone(node))
}

/// What a reading handler is given.
pub struct ReadRequest {
    node: Arc<Node>,
    headers: HeaderMap,
    path: BTreeMap<String, String>,
    query: BTreeMap<String, String>,
}

/// What an acting handler is given.
pub struct ActRequest {
    node: Arc<Node>,
    headers: HeaderMap,
    path: BTreeMap<String, String>,
    body: Bytes,
}

impl axum::extract::FromRequest<Arc<Node>> for ReadRequest {
    type Rejection = Response<Body>;

    async fn from_request(
        request: axum::extract::Request,
        node: &Arc<Node>,
    ) -> Result<Self, Self::Rejection> {
        let (mut parts, _body) = request.into_parts();
        let path = Path::<BTreeMap<String, String>>::from_request_parts(&mut parts, node).await;
        let query = Query::<BTreeMap<String, String>>::from_request_parts(&mut parts, node).await;
        let wrong = |what: &str| refuse(&Fault::invalid("invalid-request", what));
        Ok(Self {
            node: Arc::clone(node),
            path: path.map_err(|_form| wrong("the path cannot be read"))?.0,
            query: query.map_err(|_form| wrong("the query cannot be read"))?.0,
            headers: parts.headers,
        })
    }
}

impl axum::extract::FromRequest<Arc<Node>> for ActRequest {
    type Rejection = Response<Body>;

    async fn from_request(
        request: axum::extract::Request,
        node: &Arc<Node>,
    ) -> Result<Self, Self::Rejection> {
        let (mut parts, body) = request.into_parts();
        let path = Path::<BTreeMap<String, String>>::from_request_parts(&mut parts, node).await;
        let path = path.map_err(|_form| {
            refuse(&Fault::invalid("invalid-request", "the path cannot be read"))
        })?;
        let body = axum::body::to_bytes(body, base::limit::BODY_BYTES).await.map_err(|_long| {
            refuse(&Fault::new(Kind::TooLarge, "body-too-large", "the body is above 1 MiB"))
        })?;
        Ok(Self { node: Arc::clone(node), path: path.0, headers: parts.headers, body })
    }
}

/// The token of a request: a bearer token, or the browser's cookie.
pub fn token(headers: &HeaderMap) -> Option<(String, bool)> {
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    if let Some(bearer) = text(header::AUTHORIZATION).and_then(|v| v.strip_prefix("Bearer ")) {
        return Some((bearer.to_owned(), false));
    }
    let cookies = text(header::COOKIE)?;
    let ours = cookies.split("; ").find_map(|c| c.strip_prefix(COOKIE)?.strip_prefix('='))?;
    Some((ours.to_owned(), true))
}

/// Who sends a request.
///
/// # Errors
/// `unauthenticated`.
pub fn authenticate(node: &Node, headers: &HeaderMap) -> Result<ActorContext, Fault> {
    let missing = || Fault::new(Kind::Unauthenticated, "unauthenticated", "sign in first");
    let (token, _) = token(headers).ok_or_else(missing)?;
    session::resolve(node, &token)
}

/// A browser's cookie counts only when the browser says that our own page sent the request.
pub(super) fn same_origin(headers: &HeaderMap) -> Result<(), Fault> {
    let by_cookie = token(headers).is_some_and(|(_, cookie)| cookie);
    let site = headers.get("sec-fetch-site").and_then(|value| value.to_str().ok());
    if by_cookie && site != Some("same-origin") {
        return Err(Fault::new(
            Kind::Denied,
            "cross-site",
            "acts with a cookie come from the node's own pages",
        ));
    }
    Ok(())
}

async fn read(request: ReadRequest, route: &'static Route) -> Response<Body> {
    let outcome = tokio::task::spawn_blocking(move || serve_read(&request, route)).await;
    match outcome {
        Ok(Ok(response)) => response,
        Ok(Err(fault)) => refuse(&fault),
        Err(panicked) => refuse(&Fault::bug(panicked)),
    }
}

fn serve_read(request: &ReadRequest, route: &Route) -> Result<Response<Body>, Fault> {
    let node = &request.node;
    if let Serves::Kernel(name) = route.serves {
        return serve_kernel(request, name);
    }
    if let Serves::Question(question) = route.serves {
        return serve_question(request, route.gate, question);
    }
    let Gate::Reads(noun) = route.gate else {
        return Err(Fault::bug("a reading route has no kind of record"));
    };
    let reader = Reader::new(node, authenticate(node, &request.headers)?);
    match route.serves {
        Serves::List => {
            let limit = match request.query.get("limit") {
                Some(text) => text.parse::<usize>().map_err(|_form| {
                    Fault::invalid("invalid-limit", "`limit` is a number of records")
                })?,
                None => 50,
            };
            let page = reader.list(noun, request.query.get("cursor").map(String::as_str), limit)?;
            json(StatusCode::OK, &page)
        }
        Serves::Record => {
            let id = record_id(&request.path)?;
            let rendition = match request.query.get("as_of") {
                Some(text) => {
                    let at = text
                        .parse::<Time>()
                        .map_err(|cause| Fault::invalid("invalid-time", cause.to_string()))?;
                    reader.as_of(noun, id, at)?
                }
                None => reader.get(noun, id)?,
            };
            let etag = format!("\"{}\"", rendition.etag);
            let known = request.headers.get(header::IF_NONE_MATCH);
            if known.is_some_and(|known| known.as_bytes() == etag.as_bytes()) {
                return Ok(StatusCode::NOT_MODIFIED.into_response());
            }
            let mut response = json(StatusCode::OK, &rendition)?;
            if let Ok(value) = HeaderValue::from_str(&etag) {
                response.headers_mut().insert(header::ETAG, value);
            }
            Ok(response)
        }
        Serves::Command { .. }
        | Serves::Preview(_)
        | Serves::Kernel(_)
        | Serves::Question(_)
        | Serves::Upload(_) => Err(Fault::bug("a command came over a reading route")),
    }
}

/// Lets a gate be passed, or records the refusal.
fn pass(node: &Node, reader: &Reader<'_>, gate: Gate) -> Result<(), Fault> {
    let action = match gate {
        Gate::Action(action) => action,
        // The question itself asks the readable set of this kind.
        Gate::Reads(_) => return Ok(()),
        Gate::SignedIn | Gate::Public(_) => {
            return Err(Fault::bug("a question has no gate of its own"));
        }
    };
    let (core, actor) = (reader.core(), reader.actor());
    if let Err(denied) = core.policy.may(&core.register, actor, action) {
        let row = AccessRow::of(actor, AccessKind::Denied, None, reader.at());
        node.access().record(row)?;
        return Err(denied);
    }
    Ok(())
}

/// Asks a question: its gate first, then what it asks itself.
fn serve_question(
    request: &ReadRequest,
    gate: Gate,
    question: Question,
) -> Result<Response<Body>, Fault> {
    let node = &request.node;
    let reader = Reader::new(node, authenticate(node, &request.headers)?);
    pass(node, &reader, gate)?;
    let id = request.path.get("id").and_then(|id| id.parse().ok());
    let (path, query) = (&request.path, &request.query);
    answered((question.answer)(&Asked { node, reader, id, query, path, body: &[], media: "" })?)
}

/// Answers a question that has a body.
fn posted_question(
    request: &ActRequest,
    actor: ActorContext,
    (gate, question): (Gate, Question),
) -> Result<Response<Body>, Fault> {
    let node = &request.node;
    let reader = Reader::new(node, actor);
    pass(node, &reader, gate)?;
    let id = request.path.get("id").and_then(|id| id.parse().ok());
    let (path, query, body) = (&request.path, &BTreeMap::new(), &*request.body);
    answered((question.answer)(&Asked { node, reader, id, query, path, body, media: "" })?)
}

/// What a browser may do with a file that a person sent: keep it, and never show it as a page.
const FILE_POLICY: &str = "default-src 'none'; sandbox";

fn answered(answer: Answer) -> Result<Response<Body>, Fault> {
    match answer {
        Answer::Json(value) => json(StatusCode::OK, &value),
        Answer::Created(value) => json(StatusCode::CREATED, &value),
        Answer::File { name, media, bytes } => {
            let mut response = bytes_of(StatusCode::OK, media, bytes);
            let disposition = format!("attachment; filename*=UTF-8''{}", percent(&name));
            let headers = response.headers_mut();
            if let Ok(value) = HeaderValue::from_str(&disposition) {
                headers.insert(header::CONTENT_DISPOSITION, value);
            }
            let policy = HeaderValue::from_static(FILE_POLICY);
            headers.insert(header::CONTENT_SECURITY_POLICY, policy);
            Ok(response)
        }
    }
}

/// A name as an extended value of a header (RFC 8187, section 3.2.1).
fn percent(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._".contains(&byte) {
            text.push(char::from(byte));
        } else {
            text.push('%');
            for nibble in [byte >> 4, byte & 15] {
                let digit = char::from_digit(u32::from(nibble), 16);
                text.extend(digit.map(|digit| digit.to_ascii_uppercase()));
            }
        }
    }
    text
}

/// LIMIT: uploads that are taken at the same time; beyond it callers get 503 at once.
static UPLOADS: tokio::sync::Semaphore = tokio::sync::Semaphore::const_new(4);

async fn upload(node: Arc<Node>, request: Request, route: &'static Route) -> Response<Body> {
    match serve_upload(node, request, route).await {
        Ok(response) => response,
        Err(fault) => refuse(&fault),
    }
}

/// Takes a large body, of which nothing is read before its sender has passed the gate.
async fn serve_upload(
    node: Arc<Node>,
    request: Request,
    route: &'static Route,
) -> Result<Response<Body>, Fault> {
    let Serves::Upload(question) = route.serves else {
        return Err(Fault::bug("an upload came over another route"));
    };
    let (mut parts, body) = request.into_parts();
    same_origin(&parts.headers)?;
    let query = Query::<BTreeMap<String, String>>::from_request_parts(&mut parts, &node).await;
    let query =
        query.map_err(|_form| Fault::invalid("invalid-request", "the query cannot be read"))?.0;
    let (blocking, headers) = (Arc::clone(&node), parts.headers.clone());
    let actor = tokio::task::spawn_blocking(move || {
        let actor = authenticate(&blocking, &headers)?;
        pass(&blocking, &Reader::new(&blocking, actor.clone()), route.gate)?;
        Ok::<_, Fault>(actor)
    });
    let actor = actor.await.map_err(Fault::bug)??;
    let busy = |_full| Fault::new(Kind::Unavailable, "busy", "too many uploads; try again");
    let _turn = UPLOADS.try_acquire().map_err(busy)?;
    let body = axum::body::to_bytes(body, base::limit::ATTACHMENT_BYTES).await;
    let body = body.map_err(|_long| {
        Fault::new(Kind::TooLarge, "attachment-too-large", "the attachment is above 32 MiB")
    })?;
    let media = parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let media = media.unwrap_or_default().to_owned();
    let served = tokio::task::spawn_blocking(move || {
        let reader = Reader::new(&node, actor);
        let (path, body) = (&BTreeMap::new(), &*body);
        let asked =
            Asked { node: &node, reader, id: None, query: &query, path, body, media: &media };
        answered((question.answer)(&asked)?)
    });
    served.await.map_err(Fault::bug)?
}

/// An id that is not one cannot exist: the same answer as for one that does not.
fn record_id(path: &BTreeMap<String, String>) -> Result<RecordId, Fault> {
    path.get("id").and_then(|id| id.parse().ok()).ok_or_else(Fault::absent)
}

#[derive(Serialize)]
struct Me {
    person: Option<base::PersonId>,
    name: String,
    agency: base::AgencyId,
    agency_name: String,
    seat: Option<base::SeatId>,
    seat_name: Option<String>,
    roles: Vec<String>,
    clearance: base::Clearance,
    /// Who keeps the keys; `file` means demonstration, and every page says so.
    key_provider: &'static str,
    at: Time,
}

fn serve_kernel(request: &ReadRequest, name: &str) -> Result<Response<Body>, Fault> {
    let node = &request.node;
    match name {
        "me" => {
            let actor = authenticate(node, &request.headers)?;
            let core = node.core();
            let register = &core.register;
            let person = actor.person.and_then(|id| register.persons.get(&id));
            let person = person.ok_or_else(Fault::absent)?;
            let seat = actor.seat.and_then(|id| register.seats.get(&id));
            let roles = person.roles.iter().chain(seat.iter().flat_map(|seat| &seat.roles));
            let agency = register.agencies.get(&actor.agency);
            let me = Me {
                person: actor.person,
                name: person.name.clone(),
                agency: actor.agency,
                agency_name: agency.map(|a| a.name.clone()).unwrap_or_default(),
                seat: actor.seat,
                seat_name: seat.map(|seat| seat.name.clone()),
                roles: roles.map(ToString::to_string).collect(),
                clearance: person.clearance.clone(),
                key_provider: node.keys().provider(),
                at: node.play_now(),
            };
            json(StatusCode::OK, &me)
        }
        "device-key" => {
            // Drafts on a device open for who is signed in, and for nobody who finds the device.
            let actor = authenticate(node, &request.headers)?;
            let person = actor.person.ok_or_else(Fault::absent)?;
            let key = node.keys().derive(&person.0, "muster/device-drafts/v1")?;
            let key = super::cursor::encode(key.expose());
            json(StatusCode::OK, &serde_json::json!({ "key": key }))
        }
        "my-credentials" => {
            http_identity::own_credentials(node, &authenticate(node, &request.headers)?)
        }
        "founding-state" => {
            let waits = super::ceremony::unfounded(node);
            json(StatusCode::OK, &serde_json::json!({ "waits": waits }))
        }
        "openapi" => json(StatusCode::OK, &super::openapi::document(routes(node))),
        "health" if node.stopped() => {
            Err(Fault::new(Kind::Unavailable, "stopped", "the node does not decide any more"))
        }
        "health" => json(StatusCode::OK, &serde_json::json!({ "state": "deciding" })),
        _ => Err(Fault::absent()),
    }
}

/// The answer to an accepted act.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accepted {
    pub record: RecordId,
    pub entry: base::EntryId,
    pub at: Time,
    /// Sealed: whoever may see the ledger can ask for the proof of this entry with it.
    pub receipt: String,
    /// What the capability tells of the act besides; absent when the act is repeated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub told: Option<serde_json::Value>,
}

async fn act(request: ActRequest, route: &'static Route) -> Response<Body> {
    match serve_act(request, route).await {
        Ok(response) => response,
        Err(fault) => refuse(&fault),
    }
}

/// Serves what the kernel does for a session, or before there is one.
async fn serve_ceremony(
    request: ActRequest,
    gate: Gate,
    name: &'static str,
) -> Result<Response<Body>, Fault> {
    let serve = move || match (gate, name) {
        (Gate::Public(_), _) => http_identity::serve_public(&request, name),
        (_, "sign-out") => sign_out(&request),
        (_, _) => http_identity::serve_own(&request, name),
    };
    tokio::task::spawn_blocking(serve).await.map_err(Fault::bug)?
}

fn sign_out(request: &ActRequest) -> Result<Response<Body>, Fault> {
    same_origin(&request.headers)?;
    authenticate(&request.node, &request.headers)?;
    if let Some((token, _)) = token(&request.headers) {
        session::close(&request.node, &token)?;
    }
    let mut response = StatusCode::NO_CONTENT.into_response();
    let gone = format!("{COOKIE}=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0");
    if let Ok(value) = HeaderValue::from_str(&gone) {
        response.headers_mut().insert(header::SET_COOKIE, value);
    }
    Ok(response)
}

async fn serve_act(request: ActRequest, route: &'static Route) -> Result<Response<Body>, Fault> {
    if let Serves::Kernel(name) = route.serves {
        return serve_ceremony(request, route.gate, name).await;
    }
    same_origin(&request.headers)?;
    let node = Arc::clone(&request.node);
    let headers = request.headers.clone();
    let blocking = Arc::clone(&node);
    let actor = tokio::task::spawn_blocking(move || authenticate(&blocking, &headers))
        .await
        .map_err(Fault::bug)??;
    if let (Gate::Action(action), Serves::Preview(preview)) = (route.gate, route.serves) {
        request.is_json()?;
        let answer = move || ask(&node, actor, action, (preview, &request.body));
        return tokio::task::spawn_blocking(answer).await.map_err(Fault::bug)?;
    }
    if let Serves::Question(question) = route.serves {
        request.is_json()?;
        let answer = move || posted_question(&request, actor, (route.gate, question));
        return tokio::task::spawn_blocking(answer).await.map_err(Fault::bug)?;
    }
    let (Gate::Action(action), Serves::Command { tag, id }) = (route.gate, route.serves) else {
        return Err(Fault::bug("an acting route has no action"));
    };
    let signed = node.action(action)?.1.signed;
    let (command, signature) = command(&request, (tag, id), signed)?;
    let key = request.headers.get("idempotency-key").and_then(|value| value.to_str().ok());
    let key = key.ok_or_else(|| {
        Fault::invalid("idempotency-key-missing", "send an `Idempotency-Key` with every act")
    })?;
    let act = Act {
        action: action.to_owned(),
        command,
        idempotency_key: key.to_owned(),
        actor,
        signature,
    };
    let done = node.act(act).await?;
    let accepted = Accepted {
        record: done.record,
        entry: done.entry,
        at: done.at,
        receipt: receipt(&node, done.sequence)?,
        told: done.told,
    };
    json(StatusCode::CREATED, &accepted)
}

fn ask(
    node: &Node,
    actor: ActorContext,
    name: &'static str,
    (preview, body): (Preview, &[u8]),
) -> Result<Response<Body>, Fault> {
    json(StatusCode::OK, &answer_preview(node, &actor, name, (preview, body))?)
}

/// Answers a preview at the newest state, as an act would be decided; nothing is written.
///
/// # Errors
/// As the act would be refused.
pub fn answer_preview(
    node: &Node,
    actor: &ActorContext,
    name: &'static str,
    (preview, body): (Preview, &[u8]),
) -> Result<serde_json::Value, Fault> {
    let (core, (_, action)) = (node.core(), node.action(name)?);
    core.policy.may(&core.register, actor, name)?;
    let at = node.play_now();
    node.views().with(|views| {
        let ids = base::Ids::new(node.entropy().secret());
        let (register, cells, policy) = (&core.register, &core.cells, &core.policy);
        let uploads = node.upload_key();
        let told = None;
        let mut on =
            Deciding { views, register, cells, policy, actor, action, at, ids, uploads, told };
        (preview.0)(body, &mut on)
    })
}

fn receipt(node: &Node, sequence: u64) -> Result<String, Fault> {
    let mut nonce = [0; 12];
    for (to, from) in nonce.iter_mut().zip(node.entropy().draw()) {
        *to = from;
    }
    let sealed =
        node.cursor_key().seal(nonce, b"receipt", &sequence.to_be_bytes()).map_err(Fault::bug)?;
    Ok(encode(&[nonce.as_slice(), &sealed].concat()))
}

/// Puts the command together: the body's fields, the tag, and the id that stands in the path.
///
/// A body that names the id or the tag itself is refused, so that no check can look at one object
/// while the act changes another.
///
/// The signature of an act that carries one stands in the body as `signature` and is no part of
/// the command.
fn command(
    request: &ActRequest,
    (tag, id): (&str, Option<&'static str>),
    signed: bool,
) -> Result<(Vec<u8>, Option<Given>), Fault> {
    request.is_json()?;
    let form = |cause| Fault::invalid("invalid-command", format!("command: {cause}"));
    let mut fields: serde_json::Map<String, serde_json::Value> =
        serde_json::from_slice(&request.body).map_err(form)?;
    let signature = if signed { fields.remove("signature") } else { None };
    let signature = signature.map(serde_json::from_value).transpose().map_err(form)?;
    let id = match id {
        Some(field) if fields.contains_key(field) => return Err(mixed_ids()),
        Some(field) => Some((field, record_id(&request.path)?)),
        None => None,
    };
    Ok((command_of(fields, tag, id)?, signature))
}

fn mixed_ids() -> Fault {
    Fault::invalid("mixed-ids", "the path says what the command is about")
}

/// The bytes of a command: its fields by name, whatever order they came in.
pub(crate) fn command_of(
    fields: serde_json::Map<String, serde_json::Value>,
    tag: &str,
    id: Option<(&'static str, RecordId)>,
) -> Result<Vec<u8>, Fault> {
    if fields.contains_key("do") || id.is_some_and(|(field, _)| fields.contains_key(field)) {
        return Err(mixed_ids());
    }
    let mut fields: BTreeMap<String, serde_json::Value> = fields.into_iter().collect();
    fields.insert("do".to_owned(), tag.into());
    if let Some((field, id)) = id {
        fields.insert(field.to_owned(), id.to_string().into());
    }
    serde_json::to_vec(&fields).map_err(Fault::bug)
}

/// The tag of an action's command and the field that its path fills.
pub(super) fn route_of(node: &Node, action: &str) -> Option<(&'static str, Option<&'static str>)> {
    routes(node).find_map(|route| match (route.gate, route.serves) {
        (Gate::Action(name), Serves::Command { tag, id }) if name == action => Some((tag, id)),
        _ => None,
    })
}

impl ActRequest {
    pub(super) const fn node(&self) -> &Arc<Node> {
        &self.node
    }

    pub(super) const fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    pub(super) const fn body(&self) -> &Bytes {
        &self.body
    }

    /// # Errors
    /// `not-json` for a body of another type, which a form of another site could send.
    pub(super) fn is_json(&self) -> Result<(), Fault> {
        let kind = self.headers.get(header::CONTENT_TYPE);
        if kind.is_some_and(|kind| kind.as_bytes().starts_with(b"application/json")) {
            return Ok(());
        }
        Err(Fault::invalid("not-json", "send the command as application/json"))
    }
}

/// Answers JSON that no cache may keep.
///
/// # Errors
/// A bug when the value cannot be written.
pub fn json(status: StatusCode, value: &impl Serialize) -> Result<Response<Body>, Fault> {
    let bytes = serde_json::to_vec(value).map_err(Fault::bug)?;
    Ok(bytes_of(status, "application/json", bytes))
}

/// Answers bytes that no cache may keep.
pub fn bytes_of(status: StatusCode, kind: &'static str, bytes: Vec<u8>) -> Response<Body> {
    let mut response = Response::new(Body::from(bytes));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// Answers a fault; its cause goes to the log, once, here.
pub fn refuse(fault: &Fault) -> Response<Body> {
    let problem = Problem::of(fault);
    if problem.status >= 500 {
        let cause = std::error::Error::source(fault).map(ToString::to_string);
        tracing::error!(error.code = %fault.code, cause, "a request failed");
    }
    let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let bytes = serde_json::to_vec(&problem).unwrap_or_default();
    bytes_of(status, "application/problem+json", bytes)
}

/// Any state that handlers of other files need.
pub type NodeState = State<Arc<Node>>;
