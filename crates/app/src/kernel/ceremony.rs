//! Ceremonies of passkeys: sign-in, enrolment, and the first two administrators of a node.
//!
//! Each begins with a challenge that is given out once, answered once and forgotten after five
//! minutes. A wrong answer tells nobody why it was wrong.

use base::crypto::{Digest, Hasher, sha256};
use base::{AgencyId, Kind, Line, PersonId, RecordId, Time, Token};
use ledger::assertion::{
    self, Expected, PublicKey, RelyingParty, Verification, challenge_of, check_count,
};
use serde::{Deserialize, Serialize};
use store::state::{StateRow, StateTable};

use super::capability::ActorContext;
use super::cursor::{decode, encode};
use super::fault::Fault;
use super::node::Node;
use super::register::Credential;
use super::session::{self, MethodOfProof, duty};
use super::signing::{Asked, Given};
use crate::identity::{Founder, NewCredential, code_refused};

/// Seconds that a challenge waits for its answer.
const CHALLENGE_S: i64 = 300;
/// Seconds that the one-time code of the set-up is good for.
pub const FOUNDING_S: i64 = 900;

/// What a challenge was given out for.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Waiting {
    SignIn,
    Enrol { person: PersonId, code: Option<Digest> },
    Found { code: Digest },
    Act(Box<Asked>),
}

/// The relying party of a node: the host name that it was made with.
pub fn party(node: &Node) -> RelyingParty {
    let name = node.config().name.as_str();
    RelyingParty { id: name.split('/').next().unwrap_or(name).to_owned() }
}

fn row_key(challenge: &[u8; 32]) -> Vec<u8> {
    Hasher::new("muster/challenge/v1").part(challenge).finish().0.to_vec()
}

/// Keeps a challenge until it is answered; gives the time at which it is forgotten.
pub(crate) fn wait(node: &Node, challenge: &[u8; 32], waiting: &Waiting) -> Result<Time, Fault> {
    let now = node.now();
    let expires_at = now.plus_s(CHALLENGE_S);
    node.state().expire(StateTable::Challenge, now)?;
    let value = serde_json::to_vec(waiting).map_err(Fault::bug)?;
    let row = StateRow { key: row_key(challenge), value, expires_at };
    node.state().put(StateTable::Challenge, &row)?;
    Ok(expires_at)
}

/// Takes the challenge that client data answers: it is gone then, whatever comes of it.
pub(crate) fn answered(node: &Node, client_data: &[u8]) -> Result<Option<Waiting>, Fault> {
    let Ok(challenge) = challenge_of(client_data) else { return Ok(None) };
    let found = node.state().take(StateTable::Challenge, &row_key(&challenge), node.now())?;
    Ok(found.and_then(|value| serde_json::from_slice(&value).ok()))
}

/// The key of a credential that was not removed, and is that person's where one is named.
pub(crate) fn key_of(
    node: &Node,
    id: &str,
    person: Option<PersonId>,
) -> Option<(RecordId, PublicKey)> {
    let kernel = node.core();
    let identity = &kernel.register.identity;
    let record = identity.by_id.get(id)?;
    let known = identity.credentials.get(record)?;
    let fits = known.active && person.is_none_or(|person| known.person == person);
    let key = decode(&known.key).and_then(|key| PublicKey::from_cose(&key).ok());
    key.filter(|_| fits).map(|(key, _)| (*record, key))
}

/// Holds the signature counter of a credential against the last one, and keeps it.
pub(crate) fn count(node: &Node, id: &str, now: u32) -> Result<(), Fault> {
    let key = sha256(id.as_bytes()).0.to_vec();
    let known = node.state().get(StateTable::Counter, &key, node.now())?;
    let last = known.and_then(|bytes| bytes.try_into().ok()).map_or(0, u32::from_be_bytes);
    if let Err(cause) = check_count(last, now) {
        tracing::warn!("a passkey's counter did not grow: it may have been copied");
        return Err(refused().because(cause));
    }
    if now > last {
        let row = StateRow { key, value: now.to_be_bytes().to_vec(), expires_at: Time::MAX };
        node.state().put(StateTable::Counter, &row)?;
    }
    Ok(())
}

fn refused() -> Fault {
    Fault::new(Kind::Unauthenticated, "passkey-refused", "the passkey's answer was refused")
}

/// A challenge to sign in, or to be verified again.
#[derive(Debug, Serialize)]
pub struct SignInOptions {
    pub challenge: String,
    pub rp_id: String,
    pub expires_at: Time,
}

/// Gives out a challenge to sign in.
///
/// # Errors
/// The store's own fault.
pub fn sign_in_challenge(node: &Node) -> Result<SignInOptions, Fault> {
    let challenge = node.entropy().draw();
    let expires_at = wait(node, &challenge, &Waiting::SignIn)?;
    Ok(SignInOptions { challenge: encode(&challenge), rp_id: party(node).id, expires_at })
}

/// Verifies an answer to a challenge to sign in; gives the credential and its person.
fn asserted(
    node: &Node,
    given: &Given,
    person: Option<PersonId>,
) -> Result<(RecordId, PersonId, Credential), Fault> {
    let assertion = given.assertion().ok_or_else(refused)?;
    let Some(Waiting::SignIn) = answered(node, &assertion.client_data)? else {
        return Err(refused());
    };
    let challenge = challenge_of(&assertion.client_data).map_err(|f| refused().because(f))?;
    let (record, key) = key_of(node, &given.credential, person).ok_or_else(refused)?;
    let party = party(node);
    let verification = Verification::Required;
    let expected = Expected { party: &party, challenge: &challenge, verification };
    let verified =
        assertion::verify(&key, &assertion, &expected).map_err(|cause| refused().because(cause))?;
    count(node, &given.credential, verified.count)?;
    let kernel = node.core();
    let known = kernel.register.identity.credentials.get(&record).ok_or_else(refused)?;
    Ok((record, known.person, known.clone()))
}

/// Signs a person in by a passkey, on the first seat that they hold; gives the token.
///
/// # Errors
/// `passkey-refused`, without a reason.
pub fn sign_in(node: &Node, given: &Given) -> Result<String, Fault> {
    let (record, person, known) = asserted(node, given, None)?;
    let kernel = node.core();
    let seat = kernel.register.seats_of(person).map(|(seat, _)| *seat).next();
    session::open_by(node, person, seat, (method_of(&known), Some(record)))
}

const fn method_of(known: &Credential) -> MethodOfProof {
    if known.software { MethodOfProof::SoftwareAuthenticator } else { MethodOfProof::Passkey }
}

/// Verifies the person of a session again (step-up).
///
/// # Errors
/// `passkey-refused`, without a reason.
pub fn step_up(node: &Node, actor: &ActorContext, token: &str, given: &Given) -> Result<(), Fault> {
    let person = actor.person.ok_or_else(refused)?;
    let (record, ..) = asserted(node, given, Some(person))?;
    session::verified(node, token, record)
}

/// What a browser needs to make a passkey (WebAuthn §5.4).
#[derive(Debug, Serialize)]
pub struct EnrolOptions {
    pub challenge: String,
    pub rp_id: String,
    /// A handle that tells nothing about the person.
    pub user_id: String,
    pub user_name: String,
    /// Credentials that the person has already, by id.
    pub exclude: Vec<String>,
    pub expires_at: Time,
}

/// A new passkey as a browser sends it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewPasskey {
    /// What its owner calls it.
    pub name: Line<60>,
    /// `clientDataJSON` and `attestationObject`, in base64url without padding.
    pub client_data: String,
    pub attestation: String,
}

fn enrol_options(
    node: &Node,
    waiting: &Waiting,
    user: (&str, &str),
    exclude: Vec<String>,
) -> Result<EnrolOptions, Fault> {
    let challenge = node.entropy().draw();
    let expires_at = wait(node, &challenge, waiting)?;
    let handle = Hasher::new("muster/user-handle/v1").part(user.0.as_bytes()).finish();
    Ok(EnrolOptions {
        challenge: encode(&challenge),
        rp_id: party(node).id,
        user_id: encode(&handle.0),
        user_name: user.1.to_owned(),
        exclude,
        expires_at,
    })
}

fn person_options(
    node: &Node,
    person: PersonId,
    code: Option<Digest>,
) -> Result<EnrolOptions, Fault> {
    let kernel = node.core();
    let known = kernel.register.persons.get(&person).filter(|known| known.active);
    let name = known.map(|known| known.name.clone()).ok_or_else(Fault::absent)?;
    let exclude = kernel.register.identity.of(person).map(|(_, c)| c.id.clone()).collect();
    let waiting = Waiting::Enrol { person, code };
    enrol_options(node, &waiting, (&person.to_string(), &name), exclude)
}

/// Verifies a registration that answers a waiting challenge (WebAuthn Level 3 §7.1).
fn registered(node: &Node, new: NewPasskey) -> Result<(Waiting, NewCredential), Fault> {
    let (Some(client), Some(attestation)) = (decode(&new.client_data), decode(&new.attestation))
    else {
        return Err(refused());
    };
    let waiting = answered(node, &client)?.ok_or_else(refused)?;
    let challenge = challenge_of(&client).map_err(|cause| refused().because(cause))?;
    let (party, verification) = (party(node), Verification::Required);
    let expected = Expected { party: &party, challenge: &challenge, verification };
    let registered = assertion::register(&client, &attestation, &expected)
        .map_err(|cause| refused().because(cause))?;
    let credential = NewCredential {
        name: new.name,
        id: Line::new(encode(&registered.credential)).map_err(Fault::bug)?,
        key: Line::new(encode(&registered.key.to_cose())).map_err(Fault::bug)?,
        software: false,
        backup_eligible: registered.verified.backup_eligible,
    };
    Ok((waiting, credential))
}

/// Lets the node write that a person has enrolled a passkey.
fn enrol(
    node: &Node,
    person: PersonId,
    credential: &NewCredential,
    code: Option<Digest>,
) -> Result<RecordId, Fault> {
    let kernel = node.core();
    let agency = kernel.register.persons.get(&person).map(|known| known.agency);
    let agency = agency.ok_or_else(Fault::absent)?;
    let command = serde_json::json!({
        "do": "enrol", "person": person, "credential": credential, "code": code
    });
    let key = encode(&node.entropy().draw());
    let done = duty(node, (agency, Some(person)), "credential:enrol", &command, key)?;
    Ok(done.record)
}

/// Enrols a passkey made of software, for people of the demonstration and of tests.
///
/// # Errors
/// What the enrolment was refused with.
pub fn enrol_software(
    node: &Node,
    person: PersonId,
    key: &ledger::authenticator::Authenticator,
) -> Result<RecordId, Fault> {
    let credential = NewCredential {
        name: Line::new("software").map_err(Fault::bug)?,
        id: Line::new(encode(key.credential())).map_err(Fault::bug)?,
        key: Line::new(encode(&key.public_key().to_cose())).map_err(Fault::bug)?,
        software: true,
        backup_eligible: false,
    };
    enrol(node, person, &credential, None)
}

/// Signs an act by an authenticator made of software: asks for the challenge and answers it.
///
/// # Errors
/// What the challenge was refused with; an action without signature is left as it is.
pub fn sign_by_software(
    node: &Node,
    key: &ledger::authenticator::Authenticator,
    act: &mut super::node::Act,
) -> Result<(), Fault> {
    let named = (act.action.as_str(), act.command.as_slice(), act.idempotency_key.as_str());
    let asked = super::signing::challenge(node, &act.actor, named)?;
    let challenge = decode(&asked.challenge).and_then(|bytes| bytes.try_into().ok());
    let challenge: [u8; 32] = challenge.ok_or_else(|| Fault::bug("a challenge has 32 bytes"))?;
    let origin = format!("https://{}", asked.rp_id);
    let assertion = key.assert(&challenge, &origin).map_err(Fault::bug)?;
    act.signature = Some(Given::of(key.credential(), &assertion));
    Ok(())
}

/// Gives out a challenge to add a passkey of one's own.
///
/// # Errors
/// `step-up-needed` when the person was not verified lately.
pub fn own_challenge(node: &Node, actor: &ActorContext) -> Result<EnrolOptions, Fault> {
    let person = actor.person.ok_or_else(Fault::absent)?;
    session::fresh(node, actor, node.action("credential:enrol")?.1)?;
    person_options(node, person, None)
}

/// Adds a passkey of one's own.
///
/// # Errors
/// `passkey-refused`, `step-up-needed`, `credential-exists`, `too-many-credentials`.
pub fn add_own(node: &Node, actor: &ActorContext, new: NewPasskey) -> Result<RecordId, Fault> {
    session::fresh(node, actor, node.action("credential:enrol")?.1)?;
    let (waiting, credential) = registered(node, new)?;
    match waiting {
        Waiting::Enrol { person, code: None } if actor.person == Some(person) => {
            enrol(node, person, &credential, None)
        }
        Waiting::Enrol { .. } | Waiting::SignIn | Waiting::Found { .. } | Waiting::Act(_) => {
            Err(refused())
        }
    }
}

/// Gives out a challenge to enrol with a one-time code.
///
/// # Errors
/// `code-refused`, `enrolment-waits`, `too-many-codes`.
pub fn enrolment_challenge(node: &Node, code: &str) -> Result<EnrolOptions, Fault> {
    node.guess(false)?;
    let (kernel, digest) = (node.core(), sha256(code.trim().as_bytes()));
    let issued = kernel.register.identity.enrolments.get(&digest);
    let issued = issued.filter(|issued| issued.expires_at > node.play_now());
    let Some(issued) = issued else {
        node.guess(true)?;
        return Err(code_refused());
    };
    if !issued.admits(node.play_now()) {
        let detail = "another administrator must confirm the code before it is good";
        return Err(Fault::new(Kind::Denied, "enrolment-waits", detail));
    }
    person_options(node, issued.person, Some(digest))
}

/// Enrols a passkey with a one-time code and signs its person in; gives the token.
///
/// # Errors
/// `passkey-refused`, `code-refused`.
pub fn enrolment(node: &Node, new: NewPasskey) -> Result<String, Fault> {
    let (waiting, credential) = registered(node, new)?;
    let Waiting::Enrol { person, code: Some(code) } = waiting else { return Err(refused()) };
    let record = enrol(node, person, &credential, Some(code))?;
    let kernel = node.core();
    let seat = kernel.register.seats_of(person).map(|(seat, _)| *seat).next();
    session::open_by(node, person, seat, (MethodOfProof::Passkey, Some(record)))
}

/// What the set-up has so far, under the digest of its code.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Founding {
    agency: Option<(Line<120>, Token)>,
    first: Option<Founder>,
}

fn founding_key(code: &Digest) -> Vec<u8> {
    Hasher::new("muster/founding/v1").part(&code.0).finish().0.to_vec()
}

/// Whether a node has nobody yet, so that it waits for its first administrators.
pub fn unfounded(node: &Node) -> bool {
    let kernel = node.core();
    kernel.register.persons.is_empty() && kernel.register.agencies.is_empty()
}

/// Draws the one-time code of the set-up, for the console alone: 128 bits, good for 15 minutes.
///
/// # Errors
/// The store's own fault.
pub fn founding_code(node: &Node) -> Result<Option<String>, Fault> {
    if !unfounded(node) {
        return Ok(None);
    }
    let code = spoken_code(node);
    keep_founding(node, &plain_code(&code), &Founding::default())?;
    Ok(Some(code))
}

/// Lets two administrators of an agency enrol again, by the operator of the machine; gives each
/// person their one-time code, good for [`crate::identity::RECOVERY_S`] seconds.
///
/// # Errors
/// `absent` for an agency or person that is not there, `no-administrator`, `same-person`.
pub fn recover(
    node: &Node,
    agency: &str,
    people: &[PersonId],
    passkeys: Passkeys,
) -> Result<Vec<(PersonId, String)>, Fault> {
    let kernel = node.core();
    let mut agencies = kernel.register.agencies.iter();
    let found = agencies.find(|(_, known)| known.code.as_str() == agency).map(|(id, _)| *id);
    let agency = found.ok_or_else(Fault::absent)?;
    let drawn: Vec<(PersonId, String)> =
        people.iter().map(|person| (*person, spoken_code(node))).collect();
    let asked: Vec<_> = drawn
        .iter()
        .map(|(person, code)| {
            serde_json::json!({ "person": person, "code": sha256(code.as_bytes()) })
        })
        .collect();
    let revoke = passkeys == Passkeys::Removed;
    let command = serde_json::json!({ "do": "recover", "people": asked, "revoke": revoke });
    let key = encode(&node.entropy().draw());
    duty(node, (agency, None), "administrator:recover", &command, key)?;
    Ok(drawn)
}

/// What becomes of the passkeys of those who are let in again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passkeys {
    /// They stay until their owner removes them.
    Kept,
    Removed,
}

/// Draws a one-time code of 128 bits, in groups that can be read out.
fn spoken_code(node: &Node) -> String {
    let drawn = Digest(node.entropy().draw()).to_string();
    let digits: Vec<char> = drawn.chars().take(32).collect();
    let groups: Vec<String> = digits.chunks(4).map(|group| group.iter().collect()).collect();
    groups.join("-")
}

/// The digest of a code as people type it: without case, spaces and hyphens.
fn plain_code(code: &str) -> Digest {
    let digits = code.chars().filter(char::is_ascii_alphanumeric).take(64);
    sha256(digits.collect::<String>().to_ascii_lowercase().as_bytes())
}

fn keep_founding(node: &Node, code: &Digest, founding: &Founding) -> Result<(), Fault> {
    let row = StateRow {
        key: founding_key(code),
        value: serde_json::to_vec(founding).map_err(Fault::bug)?,
        expires_at: node.now().plus_s(FOUNDING_S),
    };
    Ok(node.state().put(StateTable::Challenge, &row)?)
}

fn founding_of(node: &Node, code: &Digest) -> Result<Founding, Fault> {
    let found = node.state().get(StateTable::Challenge, &founding_key(code), node.now())?;
    let founding = found.and_then(|value| serde_json::from_slice(&value).ok());
    founding.filter(|_| unfounded(node)).ok_or_else(code_refused)
}

/// What a first administrator begins with.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FoundingAsked {
    pub code: String,
    pub name: Line<120>,
}

/// Gives out a challenge to become one of the first two administrators.
///
/// # Errors
/// `code-refused`, `too-many-codes`.
pub fn founding_challenge(node: &Node, asked: &FoundingAsked) -> Result<EnrolOptions, Fault> {
    node.guess(false)?;
    let code = plain_code(&asked.code);
    let founding = match founding_of(node, &code) {
        Ok(founding) => founding,
        Err(fault) => {
            node.guess(true)?;
            return Err(fault);
        }
    };
    let exclude = founding.first.iter().map(|first| first.credential.id.to_string()).collect();
    let handle = encode(&node.entropy().draw());
    enrol_options(node, &Waiting::Found { code }, (&handle, asked.name.as_str()), exclude)
}

/// One of the first two administrators, as a browser sends them.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FoundingPasskey {
    pub name: Line<120>,
    pub passkey: NewPasskey,
    /// The agency that the node belongs to; the first says it.
    #[serde(default)]
    pub agency: Option<FoundingAgency>,
}

/// The first agency of a node.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FoundingAgency {
    pub name: Line<120>,
    pub code: Token,
}

/// Enrols one of the first two administrators; gives how many are there now.
///
/// With the second, agency, people and passkeys are written in one act, and the code is dead.
///
/// # Errors
/// `passkey-refused`, `code-refused`, `agency-needed`, `same-person`.
pub fn founding(node: &Node, given: FoundingPasskey) -> Result<u8, Fault> {
    let (waiting, credential) = registered(node, given.passkey)?;
    let Waiting::Found { code } = waiting else { return Err(refused()) };
    let founding = founding_of(node, &code)?;
    let founder = Founder { name: given.name, credential };
    let Some(first) = founding.first else {
        let agency = given.agency.map(|agency| (agency.name, agency.code));
        if agency.is_none() {
            return Err(Fault::invalid("agency-needed", "say which agency the node belongs to"));
        }
        keep_founding(node, &code, &Founding { agency, first: Some(founder) })?;
        return Ok(1);
    };
    let (name, agency_code) = founding.agency.ok_or_else(code_refused)?;
    let mut id = [0; 16];
    for (to, from) in id.iter_mut().zip(node.entropy().draw()) {
        *to = from;
    }
    let command = serde_json::json!({
        "do": "found", "name": name, "code": agency_code, "founders": [first, founder]
    });
    let key = format!("found:{code}");
    duty(node, (AgencyId(id), None), "node:found", &command, key)?;
    node.state().remove(StateTable::Challenge, &founding_key(&code))?;
    Ok(2)
}
