//! A small world on a real node: agencies, people, agreements, and a clock that moves by hand.
//!
//! Tests go through it and never through SQL.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use app::capabilities;
use app::kernel::access::AccessRow;
use app::kernel::capability::{ActorContext, Capability};
use app::kernel::ceremony;
use app::kernel::clock::{Clock, PlayClock};
use app::kernel::session::{self, MethodOfProof};
use app::kernel::view_file;
use app::kernel::{Act, Config, Done, Fault, Node, Page, Reader, Rendition};
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use base::crypto::{Entropy, Hasher, Secret};
use base::{
    AgencyId, AgreementId, ClauseId, Ids, LedgerId, PersonId, Play, RecordId, SeatId, Time,
};
use ledger::authenticator::Authenticator;
use ledger::header::{Actor, Purpose};
use serde_json::{Value, json};
use store::log::Place;
use store::{Keyring, Provider};
use tower::ServiceExt;

/// A clock that moves by hand only.
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// Starts at a time.
    pub fn new(at: Time) -> Self {
        Self(AtomicI64::new(at.ms()))
    }

    /// Moves the clock, forwards or back.
    pub fn advance_s(&self, s: i64) {
        self.0.fetch_add(s * 1000, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Time {
        Time::from_ms(self.0.load(Ordering::SeqCst)).expect("a time")
    }
}

/// A person of the world, on a seat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Who {
    pub person: PersonId,
    pub agency: AgencyId,
    pub seat: Option<SeatId>,
}

/// What a test asks of a new person.
#[derive(Clone, Debug)]
pub struct Being<'a> {
    /// The level in the national scheme, 1 OPEN to 5 TOP SECRET.
    pub level: u8,
    pub compartments: &'a [&'a str],
    pub roles: &'a [&'a str],
}

/// Grantors, grantees, actions and the highest level that flows.
pub type Flow<'a> = (&'a [AgencyId], &'a [AgencyId], &'a [&'a str], u8);

static WORLDS: AtomicU64 = AtomicU64::new(0);

/// A node with its directories, removed when dropped.
pub struct World {
    node: Option<Arc<Node>>,
    pub clock: Arc<ManualClock>,
    directory: PathBuf,
    place: Place,
    ledger: LedgerId,
    capabilities: &'static [&'static Capability],
    ids: Mutex<Ids>,
    keys: AtomicU64,
    remove: bool,
}

/// When worlds begin: 2026-11-22T12:00:00Z.
pub const BEGINS_MS: i64 = 1_795_348_800_000;

impl World {
    /// The host name of every world's node.
    pub const NAME: &str = "centre.example";

    /// A world on an embedded data directory.
    pub fn new() -> Self {
        let directory = scratch();
        let place = Place::Sqlite { directory: directory.join("store") };
        Self::at(directory, place, capabilities::ALL)
    }

    /// A world whose log is in PostgreSQL.
    pub fn on_postgres(url: &str) -> Self {
        let place = Place::Postgres { url: url.to_owned() };
        Self::at(scratch(), place, capabilities::ALL)
    }

    /// A world with a scratch directory, a place for its log and its capabilities.
    pub fn at(
        directory: PathBuf,
        place: Place,
        capabilities: &'static [&'static Capability],
    ) -> Self {
        std::fs::create_dir_all(&directory).expect("a scratch directory");
        if !directory.join("keys").exists() {
            let mut entropy = Entropy::new(Secret::new([7; 32]));
            Keyring::create(&provider(&directory), &mut entropy).expect("keys");
        }
        let clock = ManualClock::new(Time::from_ms(BEGINS_MS).expect("a time"));
        let mut world = Self {
            node: None,
            clock: Arc::new(clock),
            directory,
            place,
            ledger: LedgerId([9; 16]),
            capabilities,
            ids: Mutex::new(Ids::new(Secret::new([8; 32]))),
            keys: AtomicU64::new(0),
            remove: true,
        };
        world.start().expect("a node");
        world
    }

    /// Uses other idempotency keys than an earlier process of the same world.
    pub fn number_keys_from(&self, first: u64) {
        self.keys.store(first, Ordering::SeqCst);
    }

    /// Opens the node of this world's directories.
    ///
    /// # Errors
    /// Why it cannot be opened.
    pub fn start(&mut self) -> Result<(), Fault> {
        let started = PlayClock { started_at: self.clock.now(), speed: 1 };
        let config = Config {
            name: format!("{}/muster", Self::NAME),
            ledger: self.ledger,
            place: self.place.clone(),
            directory: self.directory.join("local"),
            blobs: store::Data::directory(&self.directory.join("store")).blobs,
            provider: provider(&self.directory),
            play: started,
            capabilities: self.capabilities,
        };
        let clock: Arc<dyn Clock> = Arc::clone(&self.clock) as Arc<dyn Clock>;
        self.node = Some(Node::open(config, clock)?);
        Ok(())
    }

    /// Stops the node and waits until its threads are gone, so that it can be opened again.
    pub fn stop(&mut self) {
        if let Some(node) = self.node.take() {
            node.stop();
            node.join();
        }
    }

    /// Stops the node and opens it again.
    pub fn restart(&mut self) {
        self.stop();
        self.start().expect("a node");
    }

    /// The node.
    pub fn node(&self) -> &Arc<Node> {
        self.node.as_ref().expect("the node runs")
    }

    /// The scratch directory: `store`, `local` and `keys` are in it, as in a node's own.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The id of its ledger.
    pub const fn ledger(&self) -> LedgerId {
        self.ledger
    }

    /// Where the log is.
    pub const fn place(&self) -> &Place {
        &self.place
    }

    fn draw<T>(&self, draw: impl FnOnce(&mut Ids) -> T) -> T {
        draw(&mut self.ids.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A fresh idempotency key.
    pub fn key(&self) -> String {
        format!("test-{}", self.keys.fetch_add(1, Ordering::SeqCst))
    }

    /// Acts as the node itself, at its set-up.
    ///
    /// # Errors
    /// Why the act was refused.
    pub fn found(&self, agency: AgencyId, action: &str, command: &Value) -> Result<Done, Fault> {
        let actor = ActorContext {
            actor: Actor::System,
            person: None,
            seat: None,
            agency,
            session: None,
            authentication: None,
            purpose: Purpose::Administration,
            play: Play::Live,
        };
        self.submit(actor, action, command, &self.key())
    }

    fn submit(
        &self,
        actor: ActorContext,
        action: &str,
        command: &Value,
        key: &str,
    ) -> Result<Done, Fault> {
        let mut act = Act {
            action: action.to_owned(),
            command: command.to_string().into_bytes(),
            idempotency_key: key.to_owned(),
            actor,
            signature: None,
        };
        let signed = self.node().action(action).is_ok_and(|(_, action)| action.signed);
        if let (true, Some(person)) = (signed, act.actor.person) {
            ceremony::sign_by_software(self.node(), &self.authenticator(person), &mut act)?;
        }
        self.node().submit(act, None, None)?.blocking_recv().expect("an answer")
    }

    /// The passkey of a person, made of software; it is enrolled when it is first asked for.
    pub fn authenticator(&self, person: PersonId) -> Authenticator {
        let seed = Hasher::new("muster/test-passkey/v1").part(&person.0).finish();
        let party = ceremony::party(self.node()).id;
        let key = Authenticator::from_seed(&Secret::new(seed.0), &party).expect("a passkey");
        let core = self.node().core();
        let known = core.register.persons.contains_key(&person);
        let enrolled = core.register.identity.credentials.values();
        let id = app::kernel::cursor::encode(key.credential());
        if known && !enrolled.into_iter().any(|known| known.id == id) {
            ceremony::enrol_software(self.node(), person, &key).expect("enrolled");
        }
        key
    }

    /// Adds an agency; its id follows from the world's seed.
    pub fn agency(&self, code: &str) -> AgencyId {
        let agency = self.draw(AgencyId::draw);
        let command = json!({
            "do": "add", "agency": agency, "name": format!("Agency {code}"), "code": code,
            "parent": null, "markings": marking(1, &[])
        });
        self.found(agency, "agency:add", &command).expect("an agency");
        agency
    }

    /// Adds a person with a seat that has the same roles, and seats the person.
    pub fn person(&self, agency: AgencyId, being: &Being<'_>) -> Who {
        let (person, seat) = (self.draw(PersonId::draw), self.draw(SeatId::draw));
        let command = json!({
            "do": "add", "person": person, "name": "Person", "agency": agency,
            "clearance": {
                "schemes": { "NAT": { "level": being.level, "compartments": being.compartments } },
                "audiences": []
            },
            "cleared_until": null, "roles": being.roles, "training": {},
            "markings": marking(1, &[])
        });
        self.found(agency, "person:add", &command).expect("a person");
        let command = json!({
            "do": "add_seat", "seat": seat, "name": "Desk", "agency": agency,
            "roles": being.roles, "deputies": [], "markings": marking(1, &[])
        });
        self.found(agency, "seat:add", &command).expect("a seat");
        let command = json!({ "do": "take", "seat": seat, "person": person });
        self.found(agency, "seat:take", &command).expect("the seat is taken");
        Who { person, agency, seat: Some(seat) }
    }

    /// Founds the charter: every party reads the directory, circles and agreements of the others.
    pub fn charter(&self, parties: &[AgencyId]) -> AgreementId {
        let actions = ["agency:read", "person:read", "circle:read", "agreement:read"];
        let agreement = self.agreement(parties, &[(parties, parties, &actions, 2)]);
        let first = parties.first().copied().expect("a party");
        let command = json!({ "do": "found", "agreement": agreement, "markings": marking(1, &[]) });
        self.found(first, "agreement:found", &command).expect("the charter");
        serde_json::from_value(agreement["id"].clone()).expect("an id")
    }

    /// An agreement with a clause for each (grantors, grantees, actions, highest level).
    pub fn agreement(&self, parties: &[AgencyId], clauses: &[Flow<'_>]) -> Value {
        let id = self.draw(AgreementId::draw);
        let force = json!({
            "starts_at": "2026-01-01T00:00:00.000Z", "ends_at": "2030-01-01T00:00:00.000Z"
        });
        let clause =
            |(grantors, grantees, actions, level): &(&[AgencyId], &[AgencyId], &[&str], u8)| {
                let grantees: Vec<Value> = grantees
                    .iter()
                    .map(|agency| json!({ "agency": agency, "roles": "any" }))
                    .collect();
                json!({
                    "id": self.draw(ClauseId::draw), "version": 1,
                    "grantors": grantors, "grantees": grantees, "effect": "permit",
                    "actions": actions, "discloses": "content",
                    "limits": { "ceilings": { "NAT": {
                        "level": level, "compartments": ["KESTREL", "TIDEWATER", "LANTERN"]
                    } } },
                    "purposes": ["PROTECTION", "ADMINISTRATION"], "force": force
                })
            };
        json!({
            "id": id, "version": 1, "title": "Agreement of the world", "parties": parties,
            "legal_basis": "Order 1", "purposes": ["PROTECTION", "ADMINISTRATION"],
            "force": force, "clauses": clauses.iter().map(clause).collect::<Vec<_>>(),
            "retention_days_max": null, "onward": "forbidden"
        })
    }

    /// Proposes an agreement and signs it for every party, by the given signatories.
    pub fn enact(&self, agreement: &Value, signatories: &[Who]) -> AgreementId {
        let id: AgreementId = serde_json::from_value(agreement["id"].clone()).expect("an id");
        let proposer = signatories.first().expect("a signatory");
        let command =
            json!({ "do": "propose", "agreement": agreement, "markings": marking(1, &[]) });
        self.act(*proposer, "agreement:propose", &command).expect("a proposal");
        let typed: policy::Agreement =
            serde_json::from_value(agreement.clone()).expect("an agreement");
        for who in signatories {
            let command = json!({ "do": "sign", "agreement": id, "digest": typed.digest() });
            self.act(*who, "agreement:sign", &command).expect("a signature");
        }
        id
    }

    /// The context of a person.
    pub fn context(&self, who: Who) -> ActorContext {
        ActorContext {
            actor: Actor::Person(who.person),
            person: Some(who.person),
            seat: who.seat,
            agency: who.agency,
            session: None,
            authentication: None,
            purpose: Purpose::Protection,
            play: Play::Live,
        }
    }

    /// Acts as a person.
    ///
    /// # Errors
    /// Why the act was refused.
    pub fn act(&self, who: Who, action: &str, command: &Value) -> Result<Done, Fault> {
        self.submit(self.context(who), action, command, &self.key())
    }

    /// Acts as a person under a given idempotency key.
    ///
    /// # Errors
    /// Why the act was refused.
    pub fn act_with_key(
        &self,
        who: Who,
        action: &str,
        command: &Value,
        key: &str,
    ) -> Result<Done, Fault> {
        self.submit(self.context(who), action, command, key)
    }

    /// What a person may read.
    pub fn as_(&self, who: Who) -> Reader<'_> {
        Reader::new(self.node(), self.context(who))
    }

    /// A person's list of a kind.
    pub fn list(&self, who: Who, noun: &'static str) -> Page {
        self.as_(who).list(noun, None, 200).expect("a list")
    }

    /// A record as a person reads it.
    ///
    /// # Errors
    /// Why it cannot be read.
    pub fn get(&self, who: Who, noun: &'static str, id: RecordId) -> Result<Rendition, Fault> {
        self.as_(who).get(noun, id)
    }

    /// A session token of a person.
    pub fn token(&self, who: Who) -> String {
        session::open(self.node(), who.person, who.seat, MethodOfProof::SoftwareAuthenticator)
            .expect("a session")
    }

    /// Sends a request through the router, without a socket.
    pub fn http(&self, request: Request<Body>) -> (StatusCode, HeaderMap, Vec<u8>) {
        let router = app::kernel::http::router(self.node());
        runtime().block_on(async {
            let response = router.oneshot(request).await.expect("an answer");
            let (parts, body) = response.into_parts();
            let bytes = axum::body::to_bytes(body, usize::MAX).await.expect("a body");
            (parts.status, parts.headers, bytes.to_vec())
        })
    }

    /// Reads a path as the holder of a token; without one when it is empty.
    pub fn read(&self, token: &str, path: &str) -> (StatusCode, HeaderMap, Vec<u8>) {
        let mut request = Request::builder().uri(path);
        if !token.is_empty() {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        self.http(request.body(Body::empty()).expect("a request"))
    }

    /// Posts a command to a path as the holder of a token.
    pub fn post(&self, token: &str, path: &str, body: &Value) -> (StatusCode, HeaderMap, Vec<u8>) {
        self.post_with_key((token, &self.key()), path, body)
    }

    /// Posts a command under a given idempotency key.
    pub fn post_with_key(
        &self,
        (token, key): (&str, &str),
        path: &str,
        body: &Value,
    ) -> (StatusCode, HeaderMap, Vec<u8>) {
        let mut request = Request::builder()
            .method("POST")
            .uri(path)
            .header("content-type", "application/json")
            .header("idempotency-key", key);
        if !token.is_empty() {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        self.http(request.body(Body::from(body.to_string())).expect("a request"))
    }

    /// Posts bytes of a media type to a path as the holder of a token.
    pub fn send(
        &self,
        token: &str,
        path: &str,
        media: &str,
        bytes: &[u8],
    ) -> (StatusCode, HeaderMap, Vec<u8>) {
        let request = Request::builder()
            .method("POST")
            .uri(path)
            .header("content-type", media)
            .header("authorization", format!("Bearer {token}"));
        self.http(request.body(Body::from(bytes.to_vec())).expect("a request"))
    }

    /// Waits for something that follows from an act, such as a timer; bounded by ten seconds.
    pub fn eventually<T>(&self, mut look: impl FnMut(&Self) -> Option<T>) -> T {
        let mut seen = 0;
        for _ in 0..200 {
            if let Some(found) = look(self) {
                return found;
            }
            seen = self.node().wait(seen, 50);
        }
        panic!("it did not happen");
    }

    /// Every row of the access log so far, from its leaves.
    pub fn access_rows(&self) -> Vec<AccessRow> {
        let mut rows = Vec::new();
        let begin = Time::from_ms(0).expect("a time");
        let read = self.node().each_segment(begin, |segment| {
            rows.extend(segment.rows.iter().map(|row| row.read().expect("a row")));
            Ok(())
        });
        read.expect("the access log");
        rows
    }

    /// Stops the node, removes its views and starts it: they are folded from the log.
    ///
    /// # Errors
    /// What the start path answers.
    pub fn rebuild(&mut self) -> Result<(), Fault> {
        self.stop();
        view_file::keep_only(&self.directory.join("local"), None)?;
        self.start()
    }

    /// Every row of the views, in order.
    pub fn dump(&self) -> Vec<String> {
        let key = self.node().keys().derive(b"", "muster/view-labels/v1").expect("a key");
        self.node().views().with(|views| views.dump(&key)).expect("a dump")
    }

    /// Keeps the directories when the world is dropped.
    pub fn keep(&mut self) {
        self.remove = false;
    }
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.stop();
        if self.remove {
            // A directory that stays behind is litter, not a failed test.
            let _litter = std::fs::remove_dir_all(&self.directory);
        }
    }
}

/// Markings of the national scheme as commands write them.
pub fn marking(level: u8, compartments: &[&str]) -> Value {
    json!({ "NAT": { "level": level, "compartments": compartments } })
}

fn provider(directory: &Path) -> Provider {
    Provider::File { directory: directory.join("keys") }
}

/// A fresh directory of this process.
pub fn scratch() -> PathBuf {
    let number = WORLDS.fetch_add(1, Ordering::SeqCst);
    let directory = std::env::temp_dir().join(format!("muster-{}-{number}", std::process::id()));
    // It may be left from an earlier process of the same number.
    let _old = std::fs::remove_dir_all(&directory);
    directory
}

/// A runtime for one test.
pub fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime")
}

/// A listening node and a way to stop it, for what needs a socket.
pub struct Listening {
    runtime: tokio::runtime::Runtime,
    address: std::net::SocketAddr,
}

impl World {
    /// Serves the node's router on a free loopback port.
    pub fn listen(&self) -> Listening {
        let runtime = runtime();
        let router = app::kernel::http::router(self.node());
        let listener =
            runtime.block_on(tokio::net::TcpListener::bind(("127.0.0.1", 0))).expect("a free port");
        let address = listener.local_addr().expect("an address");
        runtime.handle().clone().spawn(async move {
            axum::serve(listener, router).await.expect("served");
        });
        Listening { runtime, address }
    }
}

/// One client of the live stream.
pub struct LiveClient<'a> {
    listening: &'a Listening,
    /// Where a next stream may go on.
    pub cursor: Option<String>,
    socket: tokio_tungstenite::WebSocketStream<
        tokio_tungstenite::MaybeTlsStream<tokio::net::TcpStream>,
    >,
}

impl Listening {
    /// Where it listens.
    pub const fn address(&self) -> std::net::SocketAddr {
        self.address
    }

    /// Opens the live stream for kinds of record and waits until it has begun.
    pub fn live(&self, token: &str, kinds: &[&str]) -> LiveClient<'_> {
        self.live_since(token, kinds, None).0
    }

    /// Opens the live stream where another ended; says whether it goes on from there.
    pub fn live_since(
        &self,
        token: &str,
        kinds: &[&str],
        since: Option<&str>,
    ) -> (LiveClient<'_>, bool) {
        use futures_util::SinkExt;
        use tokio_tungstenite::tungstenite::Message;
        use tokio_tungstenite::tungstenite::client::IntoClientRequest;
        let mut request =
            format!("ws://{}/api/live", self.address).into_client_request().expect("a request");
        let bearer = format!("Bearer {token}").parse().expect("a header");
        request.headers_mut().insert("authorization", bearer);
        let socket = self.runtime.block_on(async {
            let (mut socket, _) =
                tokio_tungstenite::connect_async(request).await.expect("a socket");
            let watch = json!({ "watch": kinds, "since": since }).to_string();
            socket.send(Message::Text(watch.into())).await.expect("sent");
            socket
        });
        let mut client = LiveClient { listening: self, cursor: None, socket };
        let ready = client.frame().expect("a first frame");
        assert_eq!(ready["type"], "ready");
        let resumed = ready["resumed"] == true;
        (client, resumed)
    }
}

impl LiveClient<'_> {
    /// The next frame; `None` when none comes within five seconds or the stream has ended.
    pub fn frame(&mut self) -> Option<Value> {
        self.frame_within(5000)
    }

    /// The next frame within `ms` milliseconds that tells anything but where the stream stands.
    pub fn frame_within(&mut self, ms: u64) -> Option<Value> {
        use futures_util::StreamExt;
        let wait = std::time::Duration::from_millis(ms);
        let (socket, cursor) = (&mut self.socket, &mut self.cursor);
        let next = async {
            loop {
                let message = socket.next().await?.ok()?;
                let frame: Value = serde_json::from_str(message.to_text().ok()?).ok()?;
                if frame["type"] != "at" {
                    return Some(frame);
                }
                *cursor = frame["cursor"].as_str().map(str::to_owned);
            }
        };
        let next = async { tokio::time::timeout(wait, next).await };
        self.listening.runtime.block_on(next).ok()?
    }

    /// Reads until the stream has said where it stands; gives the frames before.
    pub fn until_cursor(&mut self) -> Vec<Value> {
        let mut frames = Vec::new();
        for _ in 0..50 {
            match self.frame_within(200) {
                Some(frame) => {
                    frames.push(frame);
                    self.cursor = None;
                }
                None if self.cursor.is_some() => return frames,
                None => {}
            }
        }
        panic!("the stream does not say where it stands");
    }
}

/// One client of the stream of events.
pub struct Events {
    lines: std::io::Lines<std::io::BufReader<std::net::TcpStream>>,
    id: Option<String>,
}

impl Listening {
    /// Opens the stream of events for kinds of record, separated by commas.
    pub fn events(&self, token: &str, watch: &str, last: Option<&str>) -> Events {
        use std::io::{BufRead, Write};
        let mut socket = std::net::TcpStream::connect(self.address).expect("a socket");
        let patience = std::time::Duration::from_secs(10);
        socket.set_read_timeout(Some(patience)).expect("a limit");
        let last = last.map(|id| format!("Last-Event-ID: {id}\r\n")).unwrap_or_default();
        let request = format!(
            "GET /api/events?watch={watch} HTTP/1.1\r\nHost: test\r\n\
             Authorization: Bearer {token}\r\n{last}\r\n"
        );
        socket.write_all(request.as_bytes()).expect("sent");
        Events { lines: std::io::BufReader::new(socket).lines(), id: None }
    }
}

impl Events {
    /// The data of the next event.
    pub fn frame(&mut self) -> Value {
        loop {
            let line = self.lines.next().expect("a line").expect("within ten seconds");
            if let Some(id) = line.strip_prefix("id: ") {
                self.id = Some(id.to_owned());
            } else if let Some(data) = line.strip_prefix("data: ") {
                return serde_json::from_str(data).expect("json");
            }
        }
    }

    /// The id of what was told last.
    pub fn last_id(&mut self) -> String {
        self.id = None;
        loop {
            let line = self.lines.next().expect("a line").expect("within ten seconds");
            if let Some(id) = line.strip_prefix("id: ") {
                return id.to_owned();
            }
        }
    }
}
