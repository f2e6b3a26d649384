//! Sessions: opaque tokens, hashed at rest, bound to a person and a seat, or to a service account.
//!
//! A session proves who was authenticated; what the person may do is asked of the register each
//! time, so that a lost seat, role, clearance or passkey acts at once. Opening, verifying again
//! and closing are entries, and an entry that ends a session wins over any row.

use base::crypto::{Digest, Hasher, sha256};
use base::{Kind, PersonId, Play, RecordId, SeatId, ServiceId, SessionId, Time};
use ledger::header::{Actor, Authentication, Purpose};
use serde::{Deserialize, Serialize};
use store::state::{StateRow, StateTable};

use super::capability::{Action, ActorContext};
use super::cursor::{decode, encode};
use super::fault::Fault;
use super::node::{Act, Node};
use super::register::{Register, Service};
use super::sequencer::Core;
use crate::identity::{Closed, Opened};

/// How a person was authenticated (numbers of `ledger::header::Authentication`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MethodOfProof {
    Passkey,
    OpenId,
    ClientCertificate,
    ServiceToken,
    SoftwareAuthenticator,
}

impl MethodOfProof {
    const fn number(self) -> u8 {
        match self {
            Self::Passkey => 1,
            Self::OpenId => 2,
            Self::ClientCertificate => 3,
            Self::ServiceToken => 4,
            Self::SoftwareAuthenticator => 5,
        }
    }
}

/// Hours that a session lasts.
const SESSION_HOURS: i64 = 8;

/// Acts that ask for a person who was verified lately (step-up), and within how many seconds.
///
/// Acts that are signed are not named here: each signature verifies the person.
pub const FRESH: &[(&str, i64)] = &[
    ("enrolment:issue", 600),
    ("enrolment:confirm", 600),
    ("service:add", 600),
    ("webhook:register", 600),
    ("webhook:rekey", 600),
    ("credential:enrol", 600),
];

/// A session as it is stored, under the digest of its token.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct SessionRow {
    session: SessionId,
    person: PersonId,
    seat: Option<SeatId>,
    method: MethodOfProof,
    verified_at: Time,
    play: Play,
    /// The passkey that opened it.
    credential: Option<RecordId>,
    /// How often the person's sessions had been ended before.
    generation: u64,
}

impl SessionRow {
    /// Whether no entry has ended it: by sign-out, by revocation, or with its passkey.
    fn lives(&self, register: &Register) -> bool {
        let identity = &register.identity;
        let generation = identity.generations.get(&self.person).copied().unwrap_or_default();
        let removed = self.credential.is_some_and(|credential| {
            !identity.credentials.get(&credential).is_some_and(|known| known.active)
        });
        !identity.closed.contains_key(&self.session) && generation == self.generation && !removed
    }
}

fn unauthenticated() -> Fault {
    Fault::new(Kind::Unauthenticated, "unauthenticated", "sign in first")
}

fn digest(token: &[u8]) -> Digest {
    Hasher::new("muster/session/v1").part(token).finish()
}

/// Opens a session for a person who was just authenticated; gives the token.
///
/// # Errors
/// `unauthenticated` for a person who is unknown or was removed; the store's own fault.
pub fn open(
    node: &Node,
    person: PersonId,
    seat: Option<SeatId>,
    method: MethodOfProof,
) -> Result<String, Fault> {
    open_by(node, person, seat, (method, None))
}

/// Opens a session for a person who was just authenticated by a passkey; gives the token.
///
/// # Errors
/// As [`open`].
pub fn open_by(
    node: &Node,
    person: PersonId,
    seat: Option<SeatId>,
    (method, credential): (MethodOfProof, Option<RecordId>),
) -> Result<String, Fault> {
    let core = node.core();
    let known = core.register.persons.get(&person).filter(|person| person.active);
    let Some(known) = known else { return Err(unauthenticated()) };
    let mut entropy = node.entropy();
    let token = entropy.draw();
    let mut id = [0; 16];
    for (to, from) in id.iter_mut().zip(entropy.draw()) {
        *to = from;
    }
    let identity = &core.register.identity;
    let row = SessionRow {
        session: SessionId(id),
        person,
        seat,
        method,
        verified_at: node.now(),
        play: Play::Live,
        credential,
        generation: identity.generations.get(&person).copied().unwrap_or_default(),
    };
    let opened = Opened { session: row.session, person, method, credential };
    note(node, (person, known.agency), "session:open", ("open", &opened))?;
    keep(node, &digest(&token), &row)?;
    Ok(encode(&token))
}

fn keep(node: &Node, key: &Digest, row: &SessionRow) -> Result<(), Fault> {
    let row = StateRow {
        key: key.0.to_vec(),
        value: serde_json::to_vec(row).map_err(Fault::bug)?,
        expires_at: node.now().plus_s(SESSION_HOURS * 3600),
    };
    Ok(node.state().put(StateTable::Session, &row)?)
}

/// Writes what happened to a session, as a duty of the node on behalf of its person.
fn note(
    node: &Node,
    (person, agency): (PersonId, base::AgencyId),
    action: &str,
    (tag, fact): (&str, &impl Serialize),
) -> Result<(), Fault> {
    let mut command = serde_json::to_value(fact).map_err(Fault::bug)?;
    if let serde_json::Value::Object(fields) = &mut command {
        fields.insert("do".to_owned(), tag.into());
    }
    let key = encode(&node.entropy().draw());
    duty(node, (agency, Some(person)), action, &command, key).map(drop)
}

/// Lets the node do something as its duty and waits for it.
///
/// # Errors
/// What the act was refused with.
pub(crate) fn duty(
    node: &Node,
    (agency, person): (base::AgencyId, Option<PersonId>),
    action: &str,
    command: &serde_json::Value,
    idempotency_key: String,
) -> Result<super::sequencer::Done, Fault> {
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
    let command = serde_json::to_vec(command).map_err(Fault::bug)?;
    let act = Act { action: action.to_owned(), command, idempotency_key, actor, signature: None };
    node.submit(act, person, None)?.blocking_recv().unwrap_or_else(|_stopped| {
        Err(Fault::new(Kind::Unavailable, "stopping", "the node is stopping"))
    })
}

fn row_of(node: &Node, bytes: &[u8]) -> Result<Option<SessionRow>, Fault> {
    let found = node.state().get(StateTable::Session, &digest(bytes).0, node.now())?;
    let row: Option<SessionRow> = found.and_then(|value| serde_json::from_slice(&value).ok());
    Ok(row.filter(|row| row.lives(&node.core().register)))
}

/// Who a token stands for now.
///
/// # Errors
/// `unauthenticated` for a token that is malformed, unknown, expired or revoked, or of a removed
/// person.
pub fn resolve(node: &Node, token: &str) -> Result<ActorContext, Fault> {
    hold(node, token)?.actor(node, &node.core())
}

/// A session that an open stream holds on to: asking again who it stands for reads no store.
pub struct Held {
    token: String,
    row: Option<SessionRow>,
}

/// Looks a session up.
///
/// # Errors
/// `unauthenticated` for a token that is malformed; the store's own fault.
pub fn hold(node: &Node, token: &str) -> Result<Held, Fault> {
    let bytes = decode(token).filter(|bytes| bytes.len() == 32).ok_or_else(unauthenticated)?;
    Ok(Held { token: token.to_owned(), row: row_of(node, &bytes)? })
}

impl Held {
    /// Who it stands for now.
    ///
    /// # Errors
    /// As [`resolve`].
    pub fn actor(&mut self, node: &Node, core: &Core) -> Result<ActorContext, Fault> {
        let Some(row) = &self.row else { return service(node, &self.token) };
        // Being verified again lengthens a session in the store alone: look there before it ends.
        if node.now().ms_since(row.verified_at) >= SESSION_HOURS * 3_600_000 {
            self.row = hold(node, &self.token)?.row;
            return self.row.as_ref().map_or_else(|| Err(unauthenticated()), |row| of(row, core));
        }
        if !row.lives(&core.register) {
            return Err(unauthenticated());
        }
        of(row, core)
    }
}

fn of(row: &SessionRow, core: &Core) -> Result<ActorContext, Fault> {
    let person = core.register.persons.get(&row.person).filter(|person| person.active);
    let person = person.ok_or_else(unauthenticated)?;
    // A seat that somebody else holds by now gives nothing.
    let holds =
        |seat: &SeatId| core.register.seats.get(seat).is_some_and(|s| s.holder == Some(row.person));
    Ok(ActorContext {
        actor: Actor::Person(row.person),
        person: Some(row.person),
        seat: row.seat.filter(holds),
        agency: person.agency,
        session: Some(row.session),
        authentication: Some(Authentication {
            session: row.session,
            method: row.method.number(),
            verified_at: row.verified_at,
        }),
        purpose: Purpose::Protection,
        play: row.play,
    })
}

/// The service account that a token belongs to.
fn service(node: &Node, token: &str) -> Result<ActorContext, Fault> {
    let (core, digest) = (node.core(), sha256(token.as_bytes()));
    let mut services = core.register.identity.services.iter();
    let found = services
        .find(|(_, known)| base::crypto::equal(&known.token.0, &digest.0))
        .filter(|(_, known)| known.active && known.expires_at > node.play_now());
    let (id, known) = found.ok_or_else(unauthenticated)?;
    Ok(acting(node, *id, known))
}

/// A service account as an actor, for what the node does in its name.
///
/// # Errors
/// `unauthenticated` when it is unknown, was revoked or has expired.
pub(crate) fn account(node: &Node, id: ServiceId) -> Result<ActorContext, Fault> {
    let core = node.core();
    let known = core.register.identity.services.get(&id);
    let known = known.filter(|known| known.active && known.expires_at > node.play_now());
    Ok(acting(node, id, known.ok_or_else(unauthenticated)?))
}

fn acting(node: &Node, id: ServiceId, known: &Service) -> ActorContext {
    let session = SessionId(id.0);
    ActorContext {
        actor: Actor::Service(id),
        person: None,
        seat: None,
        agency: known.agency,
        session: Some(session),
        authentication: Some(Authentication {
            session,
            method: MethodOfProof::ServiceToken.number(),
            verified_at: node.now(),
        }),
        purpose: Purpose::Protection,
        play: Play::Live,
    }
}

/// Whether a person was verified lately enough for an act.
///
/// # Errors
/// `step-up-needed`.
pub fn fresh(node: &Node, actor: &ActorContext, action: &Action) -> Result<(), Fault> {
    let within = FRESH.iter().find(|(name, _)| *name == action.name);
    let (Some((_, within_s)), Actor::Person(_)) = (within, actor.actor) else { return Ok(()) };
    let verified = actor.authentication.is_some_and(|authentication| {
        node.now().ms_since(authentication.verified_at) <= within_s * 1000
    });
    if verified {
        return Ok(());
    }
    let detail = format!("show with your passkey that you are here: within {} min", within_s / 60);
    Err(Fault::new(Kind::Denied, "step-up-needed", detail))
}

/// Notes that the person of a session was verified again, by a passkey.
///
/// # Errors
/// `unauthenticated` when the session has ended; the store's own fault.
pub(crate) fn verified(node: &Node, token: &str, credential: RecordId) -> Result<(), Fault> {
    let bytes = decode(token).ok_or_else(unauthenticated)?;
    let mut row = row_of(node, &bytes)?.ok_or_else(unauthenticated)?;
    let core = node.core();
    let agency = core.register.persons.get(&row.person).map(|person| person.agency);
    let who = (row.person, agency.ok_or_else(unauthenticated)?);
    let (session, person, method) = (row.session, row.person, MethodOfProof::Passkey);
    let opened = Opened { session, person, method, credential: Some(credential) };
    note(node, who, "session:verify", ("verify", &opened))?;
    row.verified_at = node.now();
    keep(node, &digest(&bytes), &row)
}

/// Ends a session.
///
/// # Errors
/// The store's own fault.
pub fn close(node: &Node, token: &str) -> Result<(), Fault> {
    let Some(bytes) = decode(token) else { return Ok(()) };
    if let Some(row) = row_of(node, &bytes)? {
        let core = node.core();
        if let Some(person) = core.register.persons.get(&row.person) {
            let closed = Closed { session: row.session, person: row.person };
            note(node, (row.person, person.agency), "session:close", ("close", &closed))?;
        }
    }
    Ok(node.state().remove(StateTable::Session, &digest(&bytes).0)?)
}
