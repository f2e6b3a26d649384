//! Sessions: opaque tokens, hashed at rest, bound to a person and a seat.
//!
//! A session proves who was authenticated; what the person may do is asked of the register each
//! time, so that a lost seat, role or clearance acts at once.

use base::crypto::{Digest, Hasher};
use base::{Kind, PersonId, Play, SeatId, SessionId, Time};
use ledger::header::{Actor, Authentication, Purpose};
use serde::{Deserialize, Serialize};
use store::state::{StateRow, StateTable};

use super::capability::ActorContext;
use super::cursor::{decode, encode};
use super::fault::Fault;
use super::node::Node;

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

/// A session as it is stored, under the digest of its token.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct SessionRow {
    session: SessionId,
    person: PersonId,
    seat: Option<SeatId>,
    method: MethodOfProof,
    verified_at: Time,
    play: Play,
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
    let core = node.core();
    let known = core.register.persons.get(&person).filter(|person| person.active);
    if known.is_none() {
        return Err(unauthenticated());
    }
    let mut entropy = node.entropy();
    let token = entropy.draw();
    let mut id = [0; 16];
    for (to, from) in id.iter_mut().zip(entropy.draw()) {
        *to = from;
    }
    let at = node.now();
    let row = SessionRow {
        session: SessionId(id),
        person,
        seat,
        method,
        verified_at: at,
        play: Play::Live,
    };
    node.state().put(
        StateTable::Session,
        &StateRow {
            key: digest(&token).0.to_vec(),
            value: serde_json::to_vec(&row).map_err(Fault::bug)?,
            expires_at: at.plus_s(SESSION_HOURS * 3600),
        },
    )?;
    Ok(encode(&token))
}

/// Who a token stands for now.
///
/// # Errors
/// `unauthenticated` for a token that is malformed, unknown or expired, or of a removed person.
pub fn resolve(node: &Node, token: &str) -> Result<ActorContext, Fault> {
    let bytes = decode(token).filter(|bytes| bytes.len() == 32).ok_or_else(unauthenticated)?;
    let found = node.state().get(StateTable::Session, &digest(&bytes).0, node.now())?;
    let row: SessionRow =
        found.and_then(|value| serde_json::from_slice(&value).ok()).ok_or_else(unauthenticated)?;
    let core = node.core();
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

/// Ends a session.
///
/// # Errors
/// The store's own fault.
pub fn close(node: &Node, token: &str) -> Result<(), Fault> {
    match decode(token) {
        Some(bytes) => Ok(node.state().remove(StateTable::Session, &digest(&bytes).0)?),
        None => Ok(()),
    }
}
