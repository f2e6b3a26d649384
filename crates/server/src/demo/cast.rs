//! The people of the world as they act and read: each in a session, on a seat.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use app::kernel::ceremony;
use app::kernel::cursor::encode;
use app::kernel::session::{self, MethodOfProof};
use app::kernel::{Act, ActorContext, Done, Fault, Node, Reader, Rendition};
use base::{AgencyId, Kind, PersonId, Play, RecordId, SeatId};
use ledger::authenticator::Authenticator;
use ledger::header::{Actor, Purpose};
use serde_json::Value;

use super::world::Founded;

/// Everybody of the world, on one node.
pub struct Cast {
    node: Arc<Node>,
    founded: Founded,
    /// Names this performance, so that its acts are not those of an earlier one.
    run: String,
    acts: AtomicU64,
    /// The sessions that were opened, by person and seat.
    sessions: Mutex<BTreeMap<(PersonId, SeatId), String>>,
}

fn ended() -> Fault {
    Fault::new(Kind::Unavailable, "stopping", "the node is stopping")
}

impl Cast {
    /// The people of a node whose world was founded.
    pub fn new(node: &Arc<Node>, founded: Founded) -> Self {
        let run = node.now().ms().to_string();
        let (acts, sessions) = (AtomicU64::new(0), Mutex::default());
        Self { node: Arc::clone(node), founded, run, acts, sessions }
    }

    /// The node.
    pub const fn node(&self) -> &Arc<Node> {
        &self.node
    }

    /// The world's ids.
    pub const fn founded(&self) -> &Founded {
        &self.founded
    }

    /// A key for an act of this performance.
    fn key(&self) -> String {
        format!("play:{}:{}", self.run, self.acts.fetch_add(1, Ordering::SeqCst))
    }

    /// Whoever holds a seat now.
    ///
    /// # Errors
    /// `absent` for a seat that nobody holds.
    pub fn holder(&self, seat: &str) -> Result<PersonId, Fault> {
        let id = self.founded.seat(seat);
        let core = self.node.core();
        core.register.seats.get(&id).and_then(|seat| seat.holder).ok_or_else(Fault::absent)
    }

    /// The session of a person on a seat, opened when it is first needed; gives its token.
    ///
    /// # Errors
    /// As [`session::open`].
    pub fn sign_in(&self, person: PersonId, seat: &str) -> Result<String, Fault> {
        let seat = self.founded.seat(seat);
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(token) = sessions.get(&(person, seat)) {
            return Ok(token.clone());
        }
        let method = MethodOfProof::SoftwareAuthenticator;
        let token = session::open(&self.node, person, Some(seat), method)?;
        sessions.insert((person, seat), token.clone());
        Ok(token)
    }

    /// Who the holder of a seat is to the node.
    ///
    /// # Errors
    /// As [`Cast::holder`] and [`Cast::sign_in`].
    pub fn actor(&self, seat: &str) -> Result<ActorContext, Fault> {
        let token = self.sign_in(self.holder(seat)?, seat)?;
        session::resolve(&self.node, &token)
    }

    /// The node itself, acting for an agency as its duty.
    pub fn system(agency: AgencyId) -> ActorContext {
        ActorContext {
            actor: Actor::System,
            person: None,
            seat: None,
            agency,
            session: None,
            authentication: None,
            purpose: Purpose::Administration,
            play: Play::Live,
        }
    }

    /// Acts as the holder of a seat.
    ///
    /// # Errors
    /// What the act was refused with.
    pub fn act(&self, seat: &str, action: &str, command: &Value) -> Result<Done, Fault> {
        self.act_as(self.actor(seat)?, action, command)
    }

    /// Acts as somebody who is signed in.
    ///
    /// # Errors
    /// What the act was refused with.
    pub fn act_as(
        &self,
        actor: ActorContext,
        action: &str,
        command: &Value,
    ) -> Result<Done, Fault> {
        let waiting = self.submit(actor, action, command, self.key())?;
        waiting.blocking_recv().map_err(|_dropped| ended())?
    }

    /// Hands in acts of one kind and waits for all of them; their keys are fixed, so that a
    /// founding that was interrupted goes on where it ended.
    ///
    /// # Errors
    /// What the first refused act was refused with.
    pub fn all(&self, acts: Vec<FixedAct>) -> Result<Vec<Done>, Fault> {
        let ended = |waiting: Waiting| waiting.blocking_recv().map_err(|_dropped| ended())?;
        let mut done = Vec::with_capacity(acts.len());
        let mut waiting = Vec::with_capacity(acts.len());
        for FixedAct { actor, action, command, key } in acts {
            let person = actor.person.is_some();
            let handed_in = self.submit(actor, action, &command, format!("demo:{key}"))?;
            // What is signed must still be as its signer read it: one signature after another.
            if person && self.node.action(action)?.1.signed {
                done.push(ended(handed_in)?);
            } else {
                waiting.push(handed_in);
            }
        }
        done.extend(waiting.into_iter().map(ended).collect::<Result<Vec<_>, _>>()?);
        Ok(done)
    }

    fn submit(
        &self,
        actor: ActorContext,
        action: &str,
        command: &Value,
        key: String,
    ) -> Result<Waiting, Fault> {
        let mut act = Act {
            action: action.to_owned(),
            command: command.to_string().into_bytes(),
            idempotency_key: key,
            actor,
            signature: None,
        };
        if let (true, Some(person)) = (self.node.action(action)?.1.signed, act.actor.person) {
            ceremony::sign_by_software(&self.node, &self.passkey(person)?, &mut act)?;
        }
        self.node.submit(act, None, None)
    }

    /// The passkey of a person, made of software; it is enrolled when it is first needed.
    fn passkey(&self, person: PersonId) -> Result<Authenticator, Fault> {
        let root = self.node.keys().derive(&person.0, "muster/demo-passkey/v1")?;
        let party = ceremony::party(&self.node).id;
        let key = Authenticator::from_seed(&root, &party).map_err(Fault::bug)?;
        let core = self.node.core();
        if !core.register.identity.by_id.contains_key(&encode(key.credential())) {
            ceremony::enrol_software(&self.node, person, &key)?;
        }
        Ok(key)
    }

    /// What the holder of a seat reads of a record.
    ///
    /// # Errors
    /// `absent` when there is nothing that this reader may know of.
    pub fn read(&self, seat: &str, noun: &'static str, id: RecordId) -> Result<Rendition, Fault> {
        Reader::new(&self.node, self.actor(seat)?).get(noun, id)
    }
}

type Waiting = tokio::sync::oneshot::Receiver<Result<Done, Fault>>;

/// An act with a key of its own for ever.
pub struct FixedAct {
    pub actor: ActorContext,
    pub action: &'static str,
    pub command: Value,
    pub key: String,
}
