//! Identity: passkeys, sessions, service accounts, and the first two administrators of a node.
//!
//! There are no passwords. Whoever signs in answers a challenge with a passkey; whoever has none
//! yet enrols one with a one-time code. What happens to any of them is an entry.

use std::collections::{BTreeMap, BTreeSet};

use base::label::Cleared;
use base::{
    AgencyId, Clearance, Digest, Kind, Level, Line, Marking, PersonId, RecordId, SchemeId,
    ServiceId, SessionId, Time, Token,
};
use ledger::leaf::Class as LeafClass;
use policy::Class;
use serde::{Deserialize, Serialize};

use crate::kernel::reader::conflict;
use crate::kernel::register::{Credential, Enrolment, Person, Register, Service};
use crate::kernel::session::MethodOfProof;
use crate::kernel::{
    Action, Capability, Cell, Deciding, Fact, Fault, Lane, Layer, NewEntry, NewPortion,
};
use crate::{agencies, people};

pub mod http;

/// The capability.
pub const CAPABILITY: Capability = Capability {
    name: "identity",
    noun: "credential",
    kinds: &[
        "node.founded/1",
        "enrolment.issued/1",
        "enrolment.confirmed/1",
        "credential.enrolled/1",
        "credential.renamed/1",
        "session.opened/1",
        "session.verified/1",
        "session.closed/1",
        "session.revoked/1",
        "service.added/1",
        "service.revoked/1",
        "credential.removed/1",
        "administrator.recovered/1",
    ],
    actions: &[
        action("node:found", Lane::Normal, true),
        action("administrator:recover", Lane::Normal, true),
        action("enrolment:issue", Lane::Normal, false),
        action("enrolment:confirm", Lane::Normal, false),
        action("credential:enrol", Lane::Normal, true),
        action("credential:rename", Lane::Normal, false),
        action("credential:remove", Lane::Alert, false),
        action("session:open", Lane::Alert, true),
        action("session:verify", Lane::Alert, true),
        action("session:close", Lane::Alert, true),
        action("session:revoke", Lane::Alert, false),
        action("service:add", Lane::Normal, false),
        action("service:revoke", Lane::Alert, false),
    ],
    routes: http::ROUTES,
    urgent: false,
    registers: true,
    policy: include_str!("policy.cedar"),
    tables: "",
    act,
    fold,
    index: |_, _| Ok(()),
    register,
    react: |_| Vec::new(),
};

const fn action(name: &'static str, lane: Lane, duty: bool) -> Action {
    Action { name, lane, class: Class::Own, duty, signed: false }
}

/// LIMIT: passkeys of one person that are not removed.
const CREDENTIALS: usize = 16;
/// LIMIT: hours that a one-time code of an enrolment is good for.
const ENROLMENT_HOURS: i64 = 72;
/// People that one recovery lets enrol again.
const RECOVERED: usize = 2;
/// LIMIT: seconds that the code of a recovery is good for.
pub const RECOVERY_S: i64 = 3600;
/// LIMIT: days that a service account lasts without being added anew.
const SERVICE_DAYS: i64 = 366;
/// LIMIT: actions and kinds that one service account is good for.
const SCOPE: usize = 64;

/// The first two administrators were enrolled: the code of the set-up is dead for ever.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Founded {
    pub agency: AgencyId,
    pub founders: BTreeSet<PersonId>,
}

/// The operator of the machine let an administrator enrol anew, who had lost their passkeys. It
/// grants no role and no clearance that they did not have. Two are always recovered together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recovered {
    pub person: PersonId,
    /// The code that they enrol with, as a record.
    pub enrolment: RecordId,
    /// Whether the passkeys that they had were removed with it.
    pub revoked: bool,
}

/// An administrator let a person enrol a passkey.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Issued {
    pub person: PersonId,
    /// SHA-256 of the one-time code, which the node does not keep.
    pub code: Digest,
    pub expires_at: Time,
    /// Whether another administrator must confirm it first.
    pub waiting: bool,
}

/// Another administrator confirmed that a person may enrol.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Confirmed {
    pub code: Digest,
}

/// A person enrolled a passkey.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Enrolled {
    pub credential: RecordId,
    pub person: PersonId,
    pub name: Line<60>,
    /// The credential id of WebAuthn, in base64url.
    pub id: Line<1400>,
    /// The `COSE_Key`, in base64url.
    pub key: Line<200>,
    /// Whether it is made of software, for the demonstration.
    pub software: bool,
    /// Whether copies of it may exist on other devices (WebAuthn §6.1.3).
    pub backup_eligible: bool,
    /// The code that it was enrolled with.
    #[serde(default)]
    pub code: Option<Digest>,
}

/// A person gave a passkey another name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Renamed {
    pub credential: RecordId,
    pub name: Line<60>,
}

/// A passkey ended, and every session that it opened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Removed {
    pub credential: RecordId,
}

/// A person signed in, or was verified again (step-up).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Opened {
    pub session: SessionId,
    pub person: PersonId,
    pub method: MethodOfProof,
    #[serde(default)]
    pub credential: Option<RecordId>,
}

/// A person signed out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Closed {
    pub session: SessionId,
    pub person: PersonId,
}

/// Every session of a person ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Revoked {
    pub person: PersonId,
}

/// A service account was added.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceAdded {
    pub service: ServiceId,
    pub name: Line<120>,
    pub agency: AgencyId,
    /// SHA-256 of the token, which the node does not keep.
    pub token: Digest,
    /// What it may do: `alert:raise`.
    pub actions: BTreeSet<Line<64>>,
    /// Kinds of record that it may read: `alert`.
    pub kinds: BTreeSet<Line<64>>,
    pub clearance: Clearance,
    pub roles: BTreeSet<Token>,
    pub expires_at: Time,
}

/// A service account ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceRevoked {
    pub service: ServiceId,
}

/// One of the first two administrators.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Founder {
    pub name: Line<120>,
    pub credential: NewCredential,
}

/// A passkey that the kernel has verified.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewCredential {
    pub name: Line<60>,
    pub id: Line<1400>,
    pub key: Line<200>,
    pub software: bool,
    pub backup_eligible: bool,
}

#[derive(Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
enum Command {
    Found { name: Line<120>, code: Token, founders: (Box<Founder>, Box<Founder>) },
    Recover { people: Vec<Recovering>, revoke: bool },
    Issue { person: PersonId, code: Digest, expires_at: Time },
    Confirm { enrolment: RecordId },
    Enrol { person: PersonId, credential: Box<NewCredential>, code: Option<Digest> },
    Rename { credential: RecordId, name: Line<60> },
    Remove { credential: RecordId },
    Open(Opened),
    Verify(Opened),
    Close(Closed),
    RevokeSessions { person: PersonId },
    AddService(Box<AddService>),
    RevokeService { service: ServiceId },
}

/// One of the administrators that are let in again.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Recovering {
    person: PersonId,
    code: Digest,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AddService {
    name: Line<120>,
    token: Digest,
    actions: BTreeSet<Line<64>>,
    kinds: BTreeSet<Line<64>>,
    clearance: Clearance,
    roles: BTreeSet<Token>,
    expires_at: Time,
    markings: BTreeMap<SchemeId, Marking>,
}

fn act(command: &[u8], on: &mut Deciding<'_>) -> Result<Vec<NewEntry>, Fault> {
    match on.parse(command)? {
        Command::Found { name, code, founders } => found(name, code, founders, on),
        Command::Recover { people, revoke } => recover(people, revoke, on),
        Command::Issue { person, code, expires_at } => {
            issue(Issued { person, code, expires_at, waiting: true }, on)
        }
        Command::Confirm { enrolment } => confirm(enrolment, on),
        Command::Enrol { person, credential, code } => enrol(person, *credential, code, on),
        Command::Rename { credential, name } => {
            let known = credential_of(credential, on)?;
            if on.actor.person != Some(known.person) {
                return Err(Fault::absent());
            }
            let cell = cell_of(on, credential)?;
            let portion = NewPortion::of(cell, &Renamed { credential, name })?;
            Ok(vec![entry("credential.renamed/1", credential, portion)])
        }
        Command::Remove { credential } => {
            let known = credential_of(credential, on)?;
            own_or_administered(on, known.person)?;
            let portion = NewPortion::of(cell_of(on, credential)?, &Removed { credential })?;
            Ok(vec![entry("credential.removed/1", credential, portion)])
        }
        Command::Open(opened) => {
            session("session.opened/1", (opened.session, opened.person), &opened, on)
        }
        Command::Verify(opened) => {
            session("session.verified/1", (opened.session, opened.person), &opened, on)
        }
        Command::Close(closed) => {
            session("session.closed/1", (closed.session, closed.person), &closed, on)
        }
        Command::RevokeSessions { person } => {
            own_or_administered(on, person)?;
            let record = RecordId::draw(&mut on.ids);
            let cell = cell_of(on, RecordId(person.0))?;
            let portion = NewPortion::of(cell, &Revoked { person })?;
            Ok(vec![entry("session.revoked/1", record, portion)])
        }
        Command::AddService(added) => add_service(*added, on),
        Command::RevokeService { service } => {
            let record = RecordId(service.0);
            let cell = on.base_of(record, "credential")?;
            let known = on.register.identity.services.get(&service).filter(|s| s.active);
            on.administers(known.ok_or_else(Fault::absent)?.agency)?;
            let portion = NewPortion::of(cell, &ServiceRevoked { service })?;
            Ok(vec![entry("service.revoked/1", record, portion)])
        }
    }
}

fn entry(kind: &'static str, record: RecordId, portion: NewPortion) -> NewEntry {
    NewEntry { class: LeafClass::Identity, ..NewEntry::new(kind, record, portion) }
}

/// The cell of a record that the register has vouched for.
fn cell_of(on: &Deciding<'_>, record: RecordId) -> Result<Cell, Fault> {
    let row = on.views.record(record)?.ok_or_else(Fault::absent)?;
    let cell = on.cells.row(row.base).ok_or_else(Fault::absent)?;
    let label = on.cells.label(cell.label).ok_or_else(Fault::absent)?;
    Ok(Cell { label: (**label).clone(), circle: cell.circle })
}

fn credential_of<'a>(id: RecordId, on: &'a Deciding<'_>) -> Result<&'a Credential, Fault> {
    let known = on.register.identity.credentials.get(&id).filter(|known| known.active);
    known.ok_or_else(Fault::absent)
}

/// A person decides about what is their own; an administrator about people of the same agency.
fn own_or_administered(on: &Deciding<'_>, person: PersonId) -> Result<(), Fault> {
    if on.actor.person == Some(person) {
        return Ok(());
    }
    let of = on.register.persons.get(&person).map(|person| person.agency);
    let profile = on.profile()?;
    let administrator = profile.is_some_and(|profile| {
        profile.attributes().roles.iter().any(|role| role.as_str() == "ADMIN")
    });
    if administrator && of == Some(on.actor.agency) { Ok(()) } else { Err(Fault::absent()) }
}

fn found(
    name: Line<120>,
    code: Token,
    founders: (Box<Founder>, Box<Founder>),
    on: &mut Deciding<'_>,
) -> Result<Vec<NewEntry>, Fault> {
    if !on.register.persons.is_empty() || !on.register.agencies.is_empty() {
        return Err(conflict("node-founded", "the node has its first administrators"));
    }
    let (first, second) = (*founders.0, *founders.1);
    if first.name == second.name || first.credential.id == second.credential.id {
        return Err(Fault::invalid("same-person", "two people with a passkey each are needed"));
    }
    let agency = AgencyId(on.actor.agency.0);
    let open = SchemeId(Token::new("NAT").map_err(Fault::bug)?);
    let marking = Marking { level: Level(1), ..Marking::default() };
    let cleared = Cleared { level: Level(1), ..Cleared::default() };
    let markings: BTreeMap<_, _> = [(open.clone(), marking)].into();
    let cell = on.cell(markings, agency, None)?;
    let added = agencies::Added { agency, name, code, parent: None, unit: false };
    let mut entries = vec![agencies::added(cell.clone(), &added)?];
    let mut persons = BTreeSet::new();
    for founder in [first, second] {
        let person = PersonId::draw(&mut on.ids);
        persons.insert(person);
        let added = people::Added {
            person,
            name: founder.name,
            agency,
            // The lowest level there is: an administrator reads no content by being one.
            clearance: Clearance {
                schemes: [(open.clone(), cleared.clone())].into(),
                ..Clearance::default()
            },
            cleared_until: None,
            roles: [Token::new("ADMIN").map_err(Fault::bug)?].into(),
            training: BTreeMap::new(),
        };
        entries.push(people::added(cell.clone(), &added)?);
        let credential = RecordId::draw(&mut on.ids);
        let enrolled = enrolled(credential, person, founder.credential, None);
        let portion = NewPortion::of(cell.clone(), &enrolled)?;
        entries.push(entry("credential.enrolled/1", credential, portion));
    }
    let founded = Founded { agency, founders: persons };
    let record = RecordId::draw(&mut on.ids);
    entries.push(entry("node.founded/1", record, NewPortion::of(cell, &founded)?));
    Ok(entries)
}

fn enrolled(
    credential: RecordId,
    person: PersonId,
    new: NewCredential,
    code: Option<Digest>,
) -> Enrolled {
    let NewCredential { name, id, key, software, backup_eligible } = new;
    Enrolled { credential, person, name, id, key, software, backup_eligible, code }
}

fn issue(mut issued: Issued, on: &mut Deciding<'_>) -> Result<Vec<NewEntry>, Fault> {
    let known = on.register.persons.get(&issued.person).filter(|person| person.active);
    let known = known.ok_or_else(Fault::absent)?;
    if known.agency == on.actor.agency {
        on.base_of(RecordId(issued.person.0), "person")?;
    } else if on.administers(known.agency).is_err() {
        return Err(Fault::absent());
    }
    let left_ms = issued.expires_at.ms_since(on.at);
    if left_ms <= 0 || left_ms > ENROLMENT_HOURS * 3_600_000 {
        let detail = format!("a code is good for at most {ENROLMENT_HOURS} hours from now");
        return Err(Fault::invalid("invalid-expiry", detail));
    }
    // Whoever draws the code could use it: nobody becomes somebody with more than they have alone.
    issued.waiting = on.actor.person != Some(issued.person) && gains(on, issued.person, known)?;
    if on.register.identity.enrolments.contains_key(&issued.code) {
        return Err(conflict("code-used", "draw another code"));
    }
    let record = RecordId::draw(&mut on.ids);
    let cell = cell_of(on, RecordId(issued.person.0))?;
    Ok(vec![entry("enrolment.issued/1", record, NewPortion::of(cell, &issued)?)])
}

/// The roles of administrators, by person and by seat.
fn administers(person: PersonId, known: &Person, register: &Register) -> bool {
    let seats = register.seats_of(person).flat_map(|(_, seat)| &seat.roles);
    known.roles.iter().chain(seats).any(|role| role.as_str() == "ADMIN")
}

/// Lets two administrators of one agency enrol again, by the operator of the machine.
fn recover(
    people: Vec<Recovering>,
    revoke: bool,
    on: &mut Deciding<'_>,
) -> Result<Vec<NewEntry>, Fault> {
    let agency = on.actor.agency;
    let persons: BTreeSet<PersonId> = people.iter().map(|each| each.person).collect();
    let codes: BTreeSet<Digest> = people.iter().map(|each| each.code).collect();
    if [people.len(), persons.len(), codes.len()] != [RECOVERED; 3] {
        let detail = "two people are recovered together, each with a code of their own";
        return Err(Fault::invalid("same-person", detail));
    }
    let expires_at = on.at.plus_s(RECOVERY_S);
    let mut entries = Vec::new();
    for Recovering { person, code } in people {
        let known = on.register.persons.get(&person).filter(|known| known.active);
        let known = known.filter(|known| known.agency == agency).ok_or_else(Fault::absent)?;
        if !administers(person, known, on.register) {
            let detail = "only who is an administrator of the agency already is recovered";
            return Err(Fault::new(Kind::Denied, "no-administrator", detail));
        }
        if on.register.identity.enrolments.contains_key(&code) {
            return Err(conflict("code-used", "draw another code"));
        }
        let enrolment = RecordId::draw(&mut on.ids);
        let cell = cell_of(on, RecordId(person.0))?;
        // The other administrator is the second pair of eyes; there is nobody else to confirm.
        let issued = Issued { person, code, expires_at, waiting: false };
        let portion = NewPortion::of(cell.clone(), &issued)?;
        entries.push(entry("enrolment.issued/1", enrolment, portion));
        if revoke {
            entries.extend(revoked(person, &cell, on)?);
        }
        // Each under the label of its person: who knows of one need not know of the other.
        let recovered = Recovered { person, enrolment, revoked: revoke };
        let record = RecordId::draw(&mut on.ids);
        let portion = NewPortion::of(cell, &recovered)?;
        entries.push(entry("administrator.recovered/1", record, portion));
    }
    Ok(entries)
}

/// The ends of every passkey and session of a person.
fn revoked(person: PersonId, cell: &Cell, on: &mut Deciding<'_>) -> Result<Vec<NewEntry>, Fault> {
    let own: Vec<RecordId> = on.register.identity.of(person).map(|(record, _)| *record).collect();
    let mut entries = Vec::new();
    for credential in own {
        let portion = NewPortion::of(cell_of(on, credential)?, &Removed { credential })?;
        entries.push(entry("credential.removed/1", credential, portion));
    }
    let record = RecordId::draw(&mut on.ids);
    let portion = NewPortion::of(cell.clone(), &Revoked { person })?;
    entries.push(entry("session.revoked/1", record, portion));
    Ok(entries)
}

/// Whether the actor would gain anything by becoming a person: rights that it lacks, or a
/// privileged role, under which it could confirm what it asked for itself.
fn gains(on: &Deciding<'_>, person: PersonId, known: &Person) -> Result<bool, Fault> {
    let Some(profile) = on.profile()? else { return Ok(false) };
    let held = &profile.attributes().roles;
    let seats = on.register.seats_of(person).flat_map(|(_, seat)| &seat.roles);
    let more = known
        .roles
        .iter()
        .chain(seats)
        .any(|role| !held.contains(role) || people::PRIVILEGED.contains(&role.as_str()));
    Ok(more || people::may_grant_clearance(on, &known.clearance).is_err())
}

fn confirm(enrolment: RecordId, on: &Deciding<'_>) -> Result<Vec<NewEntry>, Fault> {
    let cell = on.base_of(enrolment, "credential")?;
    let mut waiting = on.register.identity.enrolments.iter();
    let found = waiting.find(|(_, known)| known.record == enrolment && known.expires_at > on.at);
    let (code, known) = found.ok_or_else(Fault::absent)?;
    let agency = on.register.persons.get(&known.person).map(|person| person.agency);
    on.administers(agency.ok_or_else(Fault::absent)?)?;
    if !known.waiting {
        return Err(conflict("enrolment-confirmed", "another administrator has confirmed it"));
    }
    if on.actor.person.is_none() || on.actor.person == known.issued_by {
        let detail = "another administrator than the one who issued it confirms it";
        return Err(Fault::new(Kind::Denied, "second-administrator", detail));
    }
    let portion = NewPortion::of(cell, &Confirmed { code: *code })?;
    Ok(vec![entry("enrolment.confirmed/1", enrolment, portion)])
}

fn enrol(
    person: PersonId,
    new: NewCredential,
    code: Option<Digest>,
    on: &mut Deciding<'_>,
) -> Result<Vec<NewEntry>, Fault> {
    let identity = &on.register.identity;
    if !on.register.persons.get(&person).is_some_and(|person| person.active) {
        return Err(Fault::absent());
    }
    if let Some(code) = code {
        let issued = identity.enrolments.get(&code);
        let good = issued.is_some_and(|e| e.admits(on.at) && e.person == person);
        if !good {
            return Err(code_refused());
        }
    }
    if identity.by_id.contains_key(new.id.as_str()) {
        return Err(conflict("credential-exists", "this passkey is enrolled already"));
    }
    let own = identity.credentials.values().filter(|c| c.active && c.person == person).count();
    if own >= CREDENTIALS {
        let detail = format!("a person has at most {CREDENTIALS} passkeys");
        return Err(Fault::invalid("too-many-credentials", detail));
    }
    let credential = RecordId::draw(&mut on.ids);
    let cell = cell_of(on, RecordId(person.0))?;
    let portion = NewPortion::of(cell, &enrolled(credential, person, new, code))?;
    Ok(vec![entry("credential.enrolled/1", credential, portion)])
}

/// One answer for a code that is wrong, used, expired or of somebody who left.
pub fn code_refused() -> Fault {
    Fault::new(Kind::Unauthenticated, "code-refused", "the code is wrong, used or expired")
}

/// The entry of a session, under the label at which its person may be known.
fn session(
    kind: &'static str,
    (session, person): (SessionId, PersonId),
    fact: &impl Serialize,
    on: &Deciding<'_>,
) -> Result<Vec<NewEntry>, Fault> {
    let portion = NewPortion::of(cell_of(on, RecordId(person.0))?, fact)?;
    Ok(vec![entry(kind, RecordId(session.0), portion)])
}

fn add_service(new: AddService, on: &mut Deciding<'_>) -> Result<Vec<NewEntry>, Fault> {
    people::may_grant(on, &new.clearance, &new.roles)?;
    let left_ms = new.expires_at.ms_since(on.at);
    if left_ms <= 0 || left_ms > SERVICE_DAYS * 24 * 3_600_000 {
        let detail = format!("a service account lasts at most {SERVICE_DAYS} days");
        return Err(Fault::invalid("invalid-expiry", detail));
    }
    if new.actions.len() + new.kinds.len() > SCOPE || new.actions.is_empty() && new.kinds.is_empty()
    {
        let detail = format!("name 1 to {SCOPE} actions and kinds that it is good for");
        return Err(Fault::invalid("invalid-scope", detail));
    }
    let tokens = on.register.identity.services.values();
    if tokens.into_iter().any(|known| known.token == new.token) {
        return Err(conflict("code-used", "draw another token"));
    }
    let service = ServiceId::draw(&mut on.ids);
    let cell = on.cell(new.markings, on.actor.agency, None)?;
    let added = ServiceAdded {
        service,
        name: new.name,
        agency: on.actor.agency,
        token: new.token,
        actions: new.actions,
        kinds: new.kinds,
        clearance: new.clearance,
        roles: new.roles,
        expires_at: new.expires_at,
    };
    Ok(vec![entry("service.added/1", RecordId(service.0), NewPortion::of(cell, &added)?)])
}

fn fold(fact: &Fact<'_>, layer: &mut Layer) {
    let at = fact.acted_at;
    match fact.kind {
        "node.founded/1" => {
            layer.state = Some("founded".to_owned());
            if let Some(founded) = fact.read::<Founded>() {
                layer.set("type", "founding");
                layer.set("founders", founded.founders);
            }
        }
        "enrolment.issued/1" => {
            layer.state = Some("issued".to_owned());
            if let Some(issued) = fact.read::<Issued>() {
                layer.state = Some(if issued.waiting { "waiting" } else { "issued" }.to_owned());
                layer.set("issued_by", fact.person());
                layer.due_at = Some(issued.expires_at);
                layer.set("type", "enrolment");
                layer.set("person", issued.person);
                layer.set("expires_at", issued.expires_at);
            }
        }
        "enrolment.confirmed/1" => {
            layer.state = Some("issued".to_owned());
            if fact.read::<Confirmed>().is_some() {
                layer.set("confirmed_by", fact.person());
                layer.set("confirmed_at", at);
            }
        }
        "credential.enrolled/1" => {
            layer.state = Some("active".to_owned());
            if let Some(enrolled) = fact.read::<Enrolled>() {
                layer.set("type", "passkey");
                layer.set("person", enrolled.person);
                layer.set("name", enrolled.name);
                layer.set("software", enrolled.software);
                layer.set("backup_eligible", enrolled.backup_eligible);
                layer.set("enrolled_at", at);
            }
        }
        "credential.renamed/1" => {
            if let Some(renamed) = fact.read::<Renamed>() {
                layer.set("name", renamed.name);
            }
        }
        "credential.removed/1" => {
            layer.state = Some("removed".to_owned());
            if fact.read::<Removed>().is_some() {
                layer.set("removed_at", at);
            }
        }
        "administrator.recovered/1" | "service.added/1" | "service.revoked/1" => {
            fold_account(fact, layer);
        }
        other => fold_session(other, fact, layer),
    }
}

fn fold_account(fact: &Fact<'_>, layer: &mut Layer) {
    let at = fact.acted_at;
    match fact.kind {
        "administrator.recovered/1" => {
            layer.state = Some("recovered".to_owned());
            if let Some(recovered) = fact.read::<Recovered>() {
                layer.set("type", "recovery");
                layer.set("person", recovered.person);
                layer.set("enrolment", recovered.enrolment);
                layer.set("revoked", recovered.revoked);
                layer.set("recovered_at", at);
            }
        }
        "service.added/1" => {
            layer.state = Some("active".to_owned());
            if let Some(added) = fact.read::<ServiceAdded>() {
                layer.due_at = Some(added.expires_at);
                layer.set("type", "service");
                layer.set("name", added.name);
                layer.set("actions", added.actions);
                layer.set("kinds", added.kinds);
                layer.set("roles", added.roles);
                layer.set("expires_at", added.expires_at);
            }
        }
        _ => {
            layer.state = Some("revoked".to_owned());
            if fact.read::<ServiceRevoked>().is_some() {
                layer.set("revoked_at", at);
            }
        }
    }
}

fn fold_session(kind: &str, fact: &Fact<'_>, layer: &mut Layer) {
    let at = fact.acted_at;
    match kind {
        "session.opened/1" => {
            layer.state = Some("open".to_owned());
            if let Some(opened) = fact.read::<Opened>() {
                layer.set("type", "session");
                layer.set("person", opened.person);
                layer.set("method", opened.method);
                layer.set("opened_at", at);
            }
        }
        "session.verified/1" => {
            if fact.read::<Opened>().is_some() {
                layer.set("verified_at", at);
            }
        }
        "session.closed/1" => {
            layer.state = Some("closed".to_owned());
            if fact.read::<Closed>().is_some() {
                layer.set("closed_at", at);
            }
        }
        _ => {
            layer.state = Some("revoked".to_owned());
            if let Some(revoked) = fact.read::<Revoked>() {
                layer.set("type", "revocation");
                layer.set("person", revoked.person);
                layer.set("ended_at", at);
            }
        }
    }
}

/// Hours after which a closed session need not be remembered: by then it has ended by itself.
const REMEMBERED_HOURS: i64 = 48;

fn register(fact: &Fact<'_>, register: &mut Register) {
    if !matches!(fact.kind, "session.opened/1" | "session.verified/1") {
        register.session_changes += 1;
    }
    let identity = &mut register.identity;
    match fact.kind {
        "node.founded/1" => {
            if let Some(founded) = fact.read::<Founded>() {
                identity.founders = founded.founders;
            }
        }
        "enrolment.issued/1" => {
            let Some(issued) = fact.read::<Issued>() else { return };
            identity.enrolments.retain(|_, known| known.expires_at > fact.acted_at);
            let enrolment = Enrolment {
                record: fact.record,
                person: issued.person,
                issued_by: fact.person(),
                expires_at: issued.expires_at,
                waiting: issued.waiting,
            };
            identity.enrolments.insert(issued.code, enrolment);
        }
        "enrolment.confirmed/1" => {
            let Some(confirmed) = fact.read::<Confirmed>() else { return };
            if let Some(known) = identity.enrolments.get_mut(&confirmed.code) {
                known.waiting = false;
            }
        }
        "credential.enrolled/1" => {
            let Some(enrolled) = fact.read::<Enrolled>() else { return };
            if let Some(code) = enrolled.code {
                identity.enrolments.remove(&code);
            }
            identity.by_id.insert(enrolled.id.to_string(), enrolled.credential);
            let credential = Credential {
                person: enrolled.person,
                name: enrolled.name.to_string(),
                id: enrolled.id.to_string(),
                key: enrolled.key.to_string(),
                software: enrolled.software,
                enrolled_at: fact.acted_at,
                active: true,
            };
            identity.credentials.insert(enrolled.credential, credential);
        }
        "administrator.recovered/1" => {
            let Some(recovered) = fact.read::<Recovered>() else { return };
            // Whoever holds an older code of theirs may be who they are recovered from.
            let Recovered { person, enrolment, .. } = recovered;
            let kept = |known: &Enrolment| known.person != person || known.record == enrolment;
            identity.enrolments.retain(|_, known| kept(known));
        }
        "credential.renamed/1" => {
            let Some(renamed) = fact.read::<Renamed>() else { return };
            if let Some(known) = identity.credentials.get_mut(&renamed.credential) {
                known.name = renamed.name.to_string();
            }
        }
        "credential.removed/1" => {
            let Some(removed) = fact.read::<Removed>() else { return };
            if let Some(known) = identity.credentials.get_mut(&removed.credential) {
                known.active = false;
            }
        }
        _ => register_session(fact, register),
    }
}

fn register_session(fact: &Fact<'_>, register: &mut Register) {
    let identity = &mut register.identity;
    match fact.kind {
        "session.closed/1" => {
            let Some(closed) = fact.read::<Closed>() else { return };
            let since = fact.acted_at.plus_s(-REMEMBERED_HOURS * 3600);
            identity.closed.retain(|_, at| *at > since);
            identity.closed.insert(closed.session, fact.acted_at);
        }
        "session.revoked/1" => {
            let Some(revoked) = fact.read::<Revoked>() else { return };
            *identity.generations.entry(revoked.person).or_default() += 1;
        }
        "service.added/1" => {
            let Some(added) = fact.read::<ServiceAdded>() else { return };
            let service = Service {
                name: added.name.to_string(),
                agency: added.agency,
                token: added.token,
                actions: added.actions.iter().map(ToString::to_string).collect(),
                kinds: added.kinds.iter().map(ToString::to_string).collect(),
                clearance: added.clearance,
                roles: added.roles,
                expires_at: added.expires_at,
                active: true,
            };
            identity.services.insert(added.service, service);
            register.people_changes += 1;
        }
        "service.revoked/1" => {
            let Some(revoked) = fact.read::<ServiceRevoked>() else { return };
            if let Some(known) = identity.services.get_mut(&revoked.service) {
                known.active = false;
            }
            register.people_changes += 1;
        }
        _ => {}
    }
}
