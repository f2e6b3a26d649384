//! The dispatch system of the ambulance: a program that is told of an alert by a webhook, and
//! checks the signature as every receiver should.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use app::kernel::cursor::{decode, encode};
use app::kernel::question::{Answer, Asked};
use app::kernel::{ActorContext, Fault, Reader, session};
use app::webhooks::show;
use base::crypto::Secret;
use base::{Digest, RecordId, Time};
use serde::Deserialize;
use serde_json::{Value, json};

use super::cast::Cast;
use super::founding::marking;
use super::record::{Handoff, Record};
use super::world::World;
use crate::clock;

/// LIMIT: deliveries that wait to be looked at; what comes beyond is taken and forgotten.
const HEARD: usize = 64;
/// LIMIT: bytes of a request, and how long one may take.
const REQUEST_BYTES_MAX: u64 = 1024 * 1024;
const PATIENCE: Duration = Duration::from_secs(10);

/// Who registers the webhook, who raises the alert, and what it says.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Webhooks {
    admin: String,
    account: String,
    seat: String,
    /// Who answers it beside the program.
    desk: String,
    level: u8,
    title: String,
    text: String,
}

impl Webhooks {
    /// The seats that it names.
    pub fn seats(&self) -> [&String; 3] {
        [&self.admin, &self.seat, &self.desk]
    }
}

/// A delivery as the dispatch system heard it.
struct Heard {
    at: Time,
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
}

/// The dispatch system: it listens on this machine as long as the demonstration lives.
pub struct Dispatch {
    address: SocketAddr,
    heard: Mutex<Receiver<Heard>>,
}

impl Dispatch {
    /// Begins to listen.
    ///
    /// # Errors
    /// When the system gives no port or thread.
    pub fn listen() -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let (to, heard) = sync_channel(HEARD);
        std::thread::Builder::new().name("dispatch".to_owned()).spawn(move || {
            for stream in listener.incoming().flatten() {
                if let Err(fault) = hear(stream, &to) {
                    tracing::debug!(%fault, "a request to the dispatch system was not whole");
                }
            }
        })?;
        Ok(Self { address, heard: Mutex::new(heard) })
    }

    /// Where it listens, as the operator lists it.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    fn next(&self) -> Option<Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).recv_timeout(PATIENCE).ok()
    }
}

fn hear(stream: TcpStream, to: &SyncSender<Heard>) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut reader = BufReader::new(Read::take(stream.try_clone()?, REQUEST_BYTES_MAX));
    let (mut headers, mut line) = (BTreeMap::new(), String::new());
    while reader.read_line(&mut line)? > 2 {
        if let Some((name, value)) = line.trim_end().split_once(": ") {
            headers.insert(name.to_ascii_lowercase(), value.to_owned());
        }
        line.clear();
    }
    let length = headers.get("content-length").and_then(|length| length.parse().ok());
    let mut body = Vec::new();
    reader.take(length.unwrap_or(0)).read_to_end(&mut body)?;
    let at = clock::now();
    let mut stream = stream;
    stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n")?;
    // Nobody may be looking any more.
    let _full = to.try_send(Heard { at, headers, body });
    Ok(())
}

/// Performs the scene.
///
/// # Errors
/// What an act was refused with that must not be.
pub fn perform(
    cast: &Cast,
    world: &World,
    (began, record): (Time, &mut Record),
) -> Result<(), Fault> {
    let (scene, Some(dispatch)) = (&world.play.webhooks, &world.dispatch) else { return Ok(()) };
    // Whoever lets records out was here a moment ago.
    let (person, seat) = (cast.holder(&scene.admin)?, cast.founded().seat(&scene.admin));
    let method = session::MethodOfProof::SoftwareAuthenticator;
    let token = session::open(cast.node(), person, Some(seat), method)?;
    let admin = session::resolve(cast.node(), &token)?;
    let account = account(cast, scene, &admin)?;
    for old in registered(cast, &admin) {
        let command = json!({ "do": "remove", "webhook": old });
        cast.act_as(admin.clone(), "webhook:remove", &command)?;
    }
    let none = BTreeSet::new();
    let command = json!({
        "do": "register", "service": account, "kinds": ["alert"], "markings": marking(1, &none),
        "url": format!("http://{}/alerts", dispatch.address())
    });
    let hook = cast.act_as(admin.clone(), "webhook:register", &command)?.record;
    let reader = Reader::new(cast.node(), admin.clone());
    let secret = secret(cast, reader, hook)?;
    let command = json!({
        "do": "raise", "markings": marking(scene.level, &none), "precedence": "PRIORITY",
        "title": scene.title, "text": scene.text, "audience": [admin.agency],
        "options": ["received"]
    });
    let raised = cast.act(&scene.seat, "alert:raise", &command)?;
    let heard = until(dispatch, raised.record);
    let code = world.seat(&scene.admin).map_or("", |(agency, _)| &agency.code);
    let at = cast.node().play_now();
    if let Some((heard, _)) = &heard {
        let ms = i32::try_from(at.ms_since(began)).unwrap_or(i32::MAX);
        record.handoffs.push(Handoff {
            what: format!("alert to webhook: {} of {code}", scene.account),
            due_s: None,
            at_s: f64::from(ms) / 1000.0,
            real_ms: heard.at.ms_since(raised.at),
        });
    }
    let title = |body: &Value| body.pointer("/rendition/layers/0/body/title").cloned();
    let said = heard.as_ref().and_then(|(_, body)| title(body));
    let what = format!("the dispatch system of {code} gets the alert that its account may read");
    record.expect(what, said == Some(json!(scene.title)));
    let signed = heard.is_some_and(|(heard, _)| genuine(&heard, &secret).unwrap_or(false));
    record.expect("the signature of the delivery is that of the secret shown once", signed);
    let command = json!({ "do": "acknowledge", "alert": raised.record, "option": 0, "note": null });
    cast.act(&scene.desk, "alert:acknowledge", &command)?;
    record.counted.alerts += 1;
    record.counted.acknowledgements += 1;
    Ok(())
}

/// The service account of the dispatch system, that of an earlier performance where there is one.
fn account(cast: &Cast, scene: &Webhooks, admin: &ActorContext) -> Result<RecordId, Fault> {
    let (core, now) = (cast.node().core(), cast.node().play_now());
    let mut services = core.register.identity.services.iter();
    let known = services.find(|(_, known)| {
        let own = known.agency == admin.agency && known.name == scene.account;
        own && known.active && known.expires_at > now.plus_s(86_400)
    });
    if let Some((id, _)) = known {
        return Ok(RecordId(id.0));
    }
    let none = BTreeSet::new();
    // Nobody holds its token: it receives and asks nothing.
    let command = json!({
        "do": "add_service", "name": scene.account, "token": Digest(cast.node().entropy().draw()),
        "actions": [], "kinds": ["alert"], "roles": ["DUTY"], "markings": marking(1, &none),
        "clearance": { "schemes": { "NAT": { "level": scene.level, "compartments": [] } } },
        "expires_at": now.plus_s(30 * 86_400)
    });
    Ok(cast.act_as(admin.clone(), "service:add", &command)?.record)
}

/// Webhooks of the agency, which an earlier performance left.
fn registered(cast: &Cast, admin: &ActorContext) -> Vec<RecordId> {
    let core = cast.node().core();
    let own = core.register.webhooks.iter().filter(|(_, known)| known.agency == admin.agency);
    own.map(|(id, _)| *id).collect()
}

fn secret(cast: &Cast, reader: Reader<'_>, hook: RecordId) -> Result<String, Fault> {
    let (query, given) = (BTreeMap::new(), b"{}");
    let (path, body) = (&query, &given[..]);
    let id = Some(hook);
    let asked = Asked { node: cast.node(), reader, id, query: &query, path, body, media: "" };
    match show::secret(&asked)? {
        Answer::Created(Value::Object(fields)) => {
            let secret = fields.get("secret").and_then(Value::as_str).map(str::to_owned);
            secret.ok_or_else(|| Fault::bug("no secret was made"))
        }
        Answer::Created(_) | Answer::Json(_) | Answer::File { .. } => {
            Err(Fault::bug("no secret was made"))
        }
    }
}

/// The delivery of a record; what else comes meanwhile is passed over.
fn until(dispatch: &Dispatch, record: RecordId) -> Option<(Heard, Value)> {
    for _ in 0..HEARD {
        let heard = dispatch.next()?;
        let body: Value = serde_json::from_slice(&heard.body).unwrap_or_default();
        if body.get("record") == Some(&json!(record)) {
            return Some((heard, body));
        }
    }
    None
}

/// Whether a delivery bears the signature of a secret; both are base64, with and without padding.
fn genuine(heard: &Heard, secret: &str) -> Option<bool> {
    let plain = |text: &str| text.replace('+', "-").replace('/', "_").replace('=', "");
    let key = decode(&plain(secret.strip_prefix("whsec_")?))?;
    let header = |name: &str| heard.headers.get(name);
    let signed = format!("{}.{}.", header("webhook-id")?, header("webhook-timestamp")?);
    let signed = [signed.as_bytes(), &heard.body].concat();
    let mac = Secret::from_slice(&key)?.mac(&signed);
    let given = header("webhook-signature")?.strip_prefix("v1,")?;
    Some(encode(&mac) == plain(given))
}
