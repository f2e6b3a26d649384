//! Signed acts: what a person is shown and signs, and that the node holds them to it.
//!
//! A challenge is given out for one command under one idempotency key. It names the records that
//! the command is upon, in the state in which the person may read them now; when the act is
//! decided they must still be in it, else the person signs again.

use base::crypto::Digest;
use base::{Kind, PersonId, RecordId, SeatId, Time};
use ledger::act_signature::{ActSignature, Subject, Target, text_digest};
use ledger::assertion::{Assertion, RelyingParty};
use ledger::header::Actor;
use serde::{Deserialize, Serialize};

use super::capability::{Action, ActorContext, Capability, command_digest};
use super::cells::Cells;
use super::ceremony::{self, Waiting};
use super::cursor::{decode, encode};
use super::fault::Fault;
use super::node::{Act, Node};
use super::policy::Policy;
use super::reader::{Reader, Rendition};
use super::register::Register;
use super::route::{Gate, Serves};
use super::view::{LayerRow, Views};

/// A passkey's answer to a challenge, as clients send it: each in base64url without padding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Given {
    /// The id of the credential.
    pub credential: String,
    pub authenticator_data: String,
    pub client_data: String,
    pub signature: String,
}

impl Given {
    /// Writes an answer as clients send it.
    pub fn of(credential: &[u8], assertion: &Assertion) -> Self {
        Self {
            credential: encode(credential),
            authenticator_data: encode(&assertion.authenticator_data),
            client_data: encode(&assertion.client_data),
            signature: encode(&assertion.signature),
        }
    }

    /// The bytes of an answer; `None` when they are no base64url.
    pub fn assertion(&self) -> Option<Assertion> {
        Some(Assertion {
            authenticator_data: decode(&self.authenticator_data)?,
            client_data: decode(&self.client_data)?,
            signature: decode(&self.signature)?,
        })
    }
}

/// What a person is asked to sign.
#[derive(Clone, Debug, Serialize)]
pub struct Challenge {
    /// In base64url; single use.
    pub challenge: String,
    /// What is shown; its digest is in the challenge.
    pub text: String,
    /// The person's passkeys that are not made of software, by their ids in base64url.
    pub credentials: Vec<String>,
    /// The relying party of WebAuthn: the host name of the node.
    pub rp_id: String,
    pub expires_at: Time,
}

/// A challenge of an act that waits for its answer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Asked {
    person: PersonId,
    command: Digest,
    targets: Vec<(RecordId, Digest)>,
    text: Digest,
    nonce: Digest,
}

/// A state of the node, as it is asked for what somebody may read of a record.
pub struct Seen<'a> {
    pub policy: &'a Policy,
    pub register: &'a Register,
    pub cells: &'a Cells,
}

/// The digest of the layers of a record that somebody may read; changes above them change nothing.
///
/// # Errors
/// `absent` when it may not be known to exist.
fn state_of(
    views: Views<'_>,
    seen: &Seen<'_>,
    actor: &ActorContext,
    record: RecordId,
) -> Result<Digest, Fault> {
    let row = views.record(record)?.ok_or_else(Fault::absent)?;
    let reads = |cell| {
        seen.policy.readable_cell(seen.register, seen.cells, actor, (row.kind.as_str(), cell))
    };
    if ![Some(row.base), row.floor].into_iter().flatten().all(&reads) {
        return Err(Fault::absent());
    }
    let mut state = base::crypto::Hasher::new("muster/act-target/v1").part(&record.0);
    let readable = |layer: &&LayerRow| reads(layer.cell) && reads(layer.gate);
    for layer in views.layers(record)?.iter().filter(readable) {
        let label = seen.cells.label_of(layer.cell).map(|label| label.digest());
        let circle = seen.cells.row(layer.cell).and_then(|row| row.circle);
        let circle = circle.map_or([0; 16], |circle| circle.0);
        state = state.part(&label.unwrap_or_default().0).part(&circle);
        state = state.part(&layer.version.to_be_bytes());
    }
    Ok(state.finish())
}

/// The records that a command is upon: the one that its route names.
fn targets(capability: &Capability, action: &Action, command: &[u8]) -> Vec<RecordId> {
    let mut routes = capability.routes.iter().filter(|r| r.gate == Gate::Action(action.name));
    let field = routes.find_map(|route| match route.serves {
        Serves::Command { id, .. } => id,
        Serves::List
        | Serves::Record
        | Serves::Question(_)
        | Serves::Upload(_)
        | Serves::Preview(_)
        | Serves::Kernel(_) => None,
    });
    let Some(field) = field else { return Vec::new() };
    let value: serde_json::Value = serde_json::from_slice(command).unwrap_or_default();
    let id = value.get(field).and_then(|id| id.as_str()?.parse().ok());
    id.into_iter().collect()
}

/// Gives out a challenge for an act that its person is about to sign.
///
/// # Errors
/// `not-signed` for an act that is not; `denied` or `absent` as the act itself would be refused;
/// `no-passkey` for somebody who has none.
pub fn challenge(
    node: &Node,
    actor: &ActorContext,
    (name, command, key): (&str, &[u8], &str),
) -> Result<Challenge, Fault> {
    let (capability, action) = node.action(name)?;
    let person = actor.person.ok_or_else(signature_needed)?;
    if !action.signed {
        return Err(Fault::invalid("not-signed", "this act needs no signature"));
    }
    let core = node.core();
    core.policy.may(&core.register, actor, action.name)?;
    let mut own = core.register.identity.of(person).peekable();
    if own.peek().is_none() {
        let detail = "enrol a passkey first: this act needs your own signature";
        return Err(Fault::new(Kind::Denied, "no-passkey", detail));
    }
    // A browser cannot ask one that is made of software.
    let real = own.filter(|(_, known)| !known.software);
    let credentials: Vec<String> = real.map(|(_, known)| known.id.clone()).collect();
    let seen = Seen { policy: &core.policy, register: &core.register, cells: &core.cells };
    let records = targets(capability, action, command);
    let states = node.views().with(|views| {
        let state = |record: &RecordId| Ok((*record, state_of(views, &seen, actor, *record)?));
        records.iter().map(state).collect::<Result<Vec<_>, Fault>>()
    })?;
    let text = text(node, actor, (capability, action), command)?;
    let asked = Asked {
        person,
        command: command_digest(key, action.name, command),
        targets: states,
        text: text_digest(key, &text),
        nonce: Digest(node.entropy().draw()),
    };
    let challenge = asked.subject().challenge(node.config().ledger, asked.command);
    let expires_at = ceremony::wait(node, &challenge, &Waiting::Act(Box::new(asked)))?;
    let rp_id = ceremony::party(node).id;
    Ok(Challenge { challenge: encode(&challenge), text, credentials, rp_id, expires_at })
}

impl Asked {
    fn subject(&self) -> Subject {
        let target =
            |(record, state): &(RecordId, Digest)| Target { record: *record, state: *state };
        let targets = self.targets.iter().map(target).collect();
        Subject { targets, text: self.text, nonce: self.nonce.0 }
    }
}

/// What a person is shown: who acts, what for, upon what, with which particulars.
fn text(
    node: &Node,
    actor: &ActorContext,
    (capability, action): (&Capability, &Action),
    command: &[u8],
) -> Result<String, Fault> {
    let core = node.core();
    let register = &core.register;
    let named = |agency: base::AgencyId| {
        register.agencies.get(&agency).map_or_else(|| agency.to_string(), |a| a.name.clone())
    };
    let person = actor.person.and_then(|id| register.persons.get(&id));
    let seat = actor.seat.and_then(|id| register.seats.get(&id));
    let route = capability.routes.iter().find(|r| r.gate == Gate::Action(action.name));
    let summary = route.map_or(action.name, |route| route.summary);
    let mut lines = vec![
        format!("{} at {}", summary, ceremony::party(node).id),
        format!("for {}", named(actor.agency)),
        format!("by {}", person.map(|p| p.name.as_str()).unwrap_or_default()),
    ];
    lines.extend(seat.map(|seat| format!("on the seat {}", seat.name)));
    let reader = Reader::new(node, actor.clone());
    for record in targets(capability, action, command) {
        let rendition = reader.get(capability.noun, record)?;
        lines.push(String::new());
        lines.extend(described(&rendition, &core.policy, &named));
    }
    let fields: serde_json::Map<String, serde_json::Value> =
        serde_json::from_slice(command).unwrap_or_default();
    lines.push(String::new());
    for (field, value) in fields.iter().filter(|(field, _)| field.as_str() != "do") {
        let value = match value {
            serde_json::Value::String(text) => match people(&reader, text) {
                Some(name) => format!("{name} ({text})"),
                None => text.clone(),
            },
            other => other.to_string(),
        };
        lines.push(format!("{field}: {value}"));
    }
    Ok(lines.join("\n"))
}

/// The name of a person or seat that the signer may read.
fn people(reader: &Reader<'_>, id: &str) -> Option<String> {
    let register = &reader.core().register;
    let person = id.parse().is_ok_and(|id: PersonId| register.persons.contains_key(&id));
    // Asking for what is no person would be recorded as a refused read.
    if !person && !id.parse().is_ok_and(|id: SeatId| register.seats.contains_key(&id)) {
        return None;
    }
    let rendition = reader.get("person", id.parse().ok()?).ok()?;
    let body = rendition.layers.first().map(|layer| &layer.body)?;
    let name = body.get("name").or_else(|| body.get("seat"))?;
    name.as_str().map(str::to_owned)
}

/// A record as the signer reads it: an agreement in its prose, anything else by its fields.
fn described(
    rendition: &Rendition,
    policy: &Policy,
    named: &dyn Fn(base::AgencyId) -> String,
) -> Vec<String> {
    let mut lines = vec![format!("{} {}", rendition.kind, rendition.id)];
    lines.extend(rendition.state.as_ref().map(|state| format!("state: {state}")));
    for layer in &rendition.layers {
        let agreement = layer.body.get("agreement").cloned();
        let agreement = agreement.and_then(|value| serde_json::from_value(value).ok());
        if let Some(agreement) = agreement {
            lines.push(policy::prose::agreement_prose(&agreement, policy.schemes(), named));
            continue;
        }
        let shown = layer.body.iter().filter(|(_, value)| value.is_string());
        lines.extend(
            shown.map(|(field, value)| format!("{field}: {}", value.as_str().unwrap_or_default())),
        );
    }
    lines
}

/// What stands behind an act when it is decided.
pub enum Proof {
    /// The act needs no signature.
    Unsigned,
    /// Verified: the bytes that the entry keeps, and what was signed.
    Signed { bytes: Vec<u8>, credential: RecordId, targets: Vec<Target> },
    /// Refused, unless the same act was done before.
    Refused(Kind, &'static str, String),
}

impl From<Fault> for Proof {
    fn from(fault: Fault) -> Self {
        Self::Refused(fault.code.kind, fault.code.slug, fault.detail)
    }
}

fn signature_needed() -> Fault {
    Fault::new(Kind::Denied, "signature-needed", "this act carries the person's own signature")
}

fn signature_refused() -> Fault {
    let detail = "the signature is of another act, person or passkey, was used, or is too old";
    Fault::new(Kind::Denied, "signature-refused", detail)
}

/// Verifies the signature of an act, where its action asks for one.
///
/// The system signs nothing at its duties; nobody else acts without.
pub(crate) fn prove(node: &Node, act: &Act, action: &Action, command: Digest) -> Proof {
    if !action.signed || matches!(act.actor.actor, Actor::System) {
        return Proof::Unsigned;
    }
    let (Some(given), Some(person)) = (&act.signature, act.actor.person) else {
        return signature_needed().into();
    };
    match verify(node, given, (person, command)) {
        Ok((bytes, credential, targets)) => Proof::Signed { bytes, credential, targets },
        Err(fault) => fault.into(),
    }
}

type Verified = (Vec<u8>, RecordId, Vec<Target>);

fn verify(
    node: &Node,
    given: &Given,
    (person, command): (PersonId, Digest),
) -> Result<Verified, Fault> {
    let assertion = given.assertion().ok_or_else(signature_refused)?;
    let Some(Waiting::Act(asked)) = ceremony::answered(node, &assertion.client_data)? else {
        return Err(signature_refused());
    };
    if asked.person != person || asked.command != command {
        return Err(signature_refused());
    }
    let (credential, key) =
        ceremony::key_of(node, &given.credential, Some(person)).ok_or_else(signature_refused)?;
    let id = decode(&given.credential).ok_or_else(signature_refused)?;
    let signature = ActSignature { credential: id, assertion, subject: asked.subject() };
    let party: RelyingParty = ceremony::party(node);
    let verified = signature
        .verify(&key, &party, (node.config().ledger, command))
        .map_err(|cause| signature_refused().because(cause))?;
    ceremony::count(node, &given.credential, verified.count)
        .map_err(|cause| signature_refused().because(cause))?;
    Ok((signature.to_bytes(), credential, signature.subject.targets))
}

impl Proof {
    /// The bytes that the entry keeps.
    pub fn bytes(&self) -> Option<Vec<u8>> {
        match self {
            Self::Signed { bytes, .. } => Some(bytes.clone()),
            Self::Unsigned | Self::Refused(..) => None,
        }
    }

    /// Whether it holds when the act is decided: the passkey was not removed meanwhile, and what
    /// is acted upon is as it was read.
    ///
    /// # Errors
    /// `target-changed`, or what the signature was refused with.
    pub fn holds(
        &self,
        views: Views<'_>,
        seen: &Seen<'_>,
        actor: &ActorContext,
    ) -> Result<(), Fault> {
        let (credential, targets) = match self {
            Self::Unsigned => return Ok(()),
            Self::Refused(kind, slug, detail) => {
                return Err(Fault::new(*kind, slug, detail.clone()));
            }
            Self::Signed { credential, targets, .. } => (credential, targets),
        };
        let known = seen.register.identity.credentials.get(credential);
        if !known.is_some_and(|known| known.active && Some(known.person) == actor.person) {
            return Err(signature_refused());
        }
        for target in targets {
            if state_of(views, seen, actor, target.record)? != target.state {
                let detail = "what you signed has changed since; read it and sign again";
                return Err(Fault::new(Kind::Conflict, "target-changed", detail));
            }
        }
        Ok(())
    }
}
