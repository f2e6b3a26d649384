//! The header: who did what under which policy. It is kept for ever; ids and enums only, no words.
//!
//! A header has two sections with a commitment each, so that a peer can be given the *shared* one
//! with proof while the *local* one stays at home: which labels an entry has besides the ones that
//! a peer may know, under which policy it was decided, how the actor was authenticated.
//!
//! ```text
//! C_shared = H("muster/header-shared/v1", salt_shared, shared)
//! C_local  = H("muster/header-local/v1",  salt_local,  local)
//! header commitment = H("muster/header/v1", C_shared, C_local)
//! salt_shared = HKDF-SHA-256(header secret, salt = "", info = "muster/header-shared-salt/v1")
//! salt_local  = HKDF-SHA-256(header secret, salt = "", info = "muster/header-local-salt/v1")
//! ```
//! `H` is [`base::crypto::Hasher`]. Each section is deterministic CBOR (RFC 8949 §4.2.1): a map
//! with ascending integer keys, without the keys of absent fields.
//!
//! ```text
//! shared  0 version 1 · 1 suite · 2 ledger · 3 entry · 4 kind · 5 record · 6 actor · 7 agency
//!         8 on behalf of? · 9 exercise? · 10 acted at · 11 valid at? · 12 imported?
//! local   0 version 1 · 1 seat? · 2 device? · 3 cause? · 4 purpose · 5 authority? · 6 basis?
//!         7 version of the record · 8 idempotency · 9 command · 10 policy epoch · 11 policy
//!         12 profile · 13 [clause…] · 14 authentication? · 15 base · 16 circle? · 17 [label…]
//!         18 [slot…]
//!
//! actor          [0] the system / [1, person] / [2, service]
//! imported       [ledger, entry, leaf hash]
//! clause         [clause, version]
//! authentication [session, method, verified at]
//! label          canonical bytes; each label of the slots once, in the order of its first slot
//! slot           [slot, index of its label, circle / null], in the order of the portions
//! ```
//! Ids and digests are byte strings, times are milliseconds since 1970.

use base::crypto::{self, Digest, Hasher, Secret};
use base::{
    AgencyId, AuthorityId, CircleId, ClauseId, DeviceId, EntryId, ExerciseId, Label, LedgerId,
    PersonId, Play, RecordId, SeatId, ServiceId, SessionId, Time, limit,
};
use minicbor::data::Type;
use minicbor::{Decoder, Encoder};

use crate::format::{FormatError, Suite};
use crate::leaf::Leaf;

/// Who acts: a person, a program with a token, or the system under a duty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Actor {
    System,
    Person(PersonId),
    Service(ServiceId),
}

/// Why an actor acts, as agreements name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Purpose {
    /// Running the node and its register.
    Administration,
    /// Preventing or answering an incident.
    Protection,
    /// Saving life now.
    Emergency,
    /// Producing intelligence.
    Intelligence,
    /// Inspecting, auditing, answering an inquiry.
    Inspection,
    /// Training and exercise.
    Training,
}

/// An entry of another ledger that this entry brings in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Imported {
    pub ledger: LedgerId,
    pub entry: EntryId,
    /// SHA-256(0x00 ‖ leaf), as it stands in the other ledger's tree (RFC 6962 §2.1).
    pub leaf: Digest,
}

/// The section that may cross to a peer together with the portions that it may read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shared {
    pub suite: Suite,
    pub ledger: LedgerId,
    pub entry: EntryId,
    /// `noun.participle/version`, for example `alert.raised/1`; at most 64 bytes of ASCII.
    pub kind: String,
    pub record: RecordId,
    pub actor: Actor,
    /// The agency for which the actor acts.
    pub agency: AgencyId,
    /// The person whose act caused this one, when the system acts.
    pub on_behalf_of: Option<PersonId>,
    pub play: Play,
    /// The time of the act in its play.
    pub acted_at: Time,
    /// The time at which what is said was so, where it differs.
    pub valid_at: Option<Time>,
    pub imported: Option<Imported>,
}

/// A clause and its version that permitted the act.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClauseRef {
    pub clause: ClauseId,
    pub version: u32,
}

/// How the actor was authenticated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Authentication {
    pub session: SessionId,
    /// 1 passkey, 2 OpenID Connect, 3 client certificate, 4 service token, 5 software
    /// authenticator.
    pub method: u8,
    /// When the person was last verified by it.
    pub verified_at: Time,
}

/// A slot of the payload that holds a portion, with the portion's label and circle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    pub slot: u8,
    pub label: Label,
    pub circle: Option<CircleId>,
}

/// The section that stays on the node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Local {
    pub seat: Option<SeatId>,
    pub device: Option<DeviceId>,
    /// The entry that caused this one.
    pub cause: Option<EntryId>,
    pub purpose: Purpose,
    pub authority: Option<AuthorityId>,
    /// The record on which the authority rests.
    pub basis: Option<RecordId>,
    /// The version that the record has after this entry, counting every layer.
    pub version: u64,
    /// Digest of actor and idempotency key.
    pub idempotency: Digest,
    /// Digest of the command that was decided, keyed with something that is not kept (such as the
    /// idempotency key): a bare digest would let erased content be guessed and confirmed.
    pub command: Digest,
    pub policy_epoch: u64,
    pub policy: Digest,
    pub profile: Digest,
    pub clauses: Vec<ClauseRef>,
    pub authentication: Option<Authentication>,
    /// Digest of the label at which the entry may be known to exist. The label itself stands in a
    /// slot of this entry or of an earlier one.
    pub base: Digest,
    /// The circle of the base.
    pub circle: Option<CircleId>,
    /// The slots that hold portions, in the order of the portions, each once and below
    /// [`limit::PORTIONS_PER_ENTRY`]; the other slots of the payload are padding.
    pub slots: Vec<Slot>,
}

/// Both sections.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    pub shared: Shared,
    pub local: Local,
}

/// The bytes of both sections and their commitments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderBytes {
    pub shared: Vec<u8>,
    pub local: Vec<u8>,
}

const SHARED: &str = "muster/header-shared/v1";
const LOCAL: &str = "muster/header-local/v1";

/// The salt of the shared section; given to a peer together with the section.
///
/// # Errors
/// [`crypto::Error::Module`] when the module fails.
pub fn shared_salt(secret: &Secret) -> Result<Secret, crypto::Error> {
    secret.derive(b"", "muster/header-shared-salt/v1")
}

/// The salt of the local section.
///
/// # Errors
/// [`crypto::Error::Module`] when the module fails.
pub fn local_salt(secret: &Secret) -> Result<Secret, crypto::Error> {
    secret.derive(b"", "muster/header-local-salt/v1")
}

/// The commitment to the shared section.
pub fn shared_commitment(salt: &Secret, section: &[u8]) -> Digest {
    Hasher::new(SHARED).part(salt.expose()).part(section).finish()
}

/// The commitment to the local section.
pub fn local_commitment(salt: &Secret, section: &[u8]) -> Digest {
    Hasher::new(LOCAL).part(salt.expose()).part(section).finish()
}

/// The commitment that stands in the leaf.
pub fn header_commitment(shared: Digest, local: Digest) -> Digest {
    Hasher::new("muster/header/v1").part(&shared.0).part(&local.0).finish()
}

/// Checks a shared section that a peer was given against the leaf, and reads it.
///
/// The caller compares `ledger` with the log from which the leaf was proved.
///
/// # Errors
/// [`FormatError`] when the section is not the committed one, not canonical or of another entry.
pub fn open_shared(
    leaf: &Leaf,
    salt: &Secret,
    section: &[u8],
    local: Digest,
) -> Result<Shared, FormatError> {
    if header_commitment(shared_commitment(salt, section), local) != leaf.header {
        return Err(FormatError::HeaderCommitment);
    }
    let shared = Shared::from_bytes(section)?;
    shared.check(leaf)?;
    Ok(shared)
}

impl HeaderBytes {
    /// The commitment to both sections under one header secret.
    ///
    /// # Errors
    /// [`FormatError::Sealed`] when the module fails.
    pub fn commitment(&self, secret: &Secret) -> Result<Digest, FormatError> {
        let shared = shared_commitment(&shared_salt(secret)?, &self.shared);
        let local = local_commitment(&local_salt(secret)?, &self.local);
        Ok(header_commitment(shared, local))
    }

    /// Joins both sections behind the length of the first (u32, big-endian), for sealing at rest.
    pub fn join(&self) -> Vec<u8> {
        let length = u32::try_from(self.shared.len()).unwrap_or(u32::MAX);
        let mut bytes = Vec::with_capacity(4 + self.shared.len() + self.local.len());
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(&self.shared);
        bytes.extend_from_slice(&self.local);
        bytes
    }

    /// Parts what [`HeaderBytes::join`] joined.
    ///
    /// # Errors
    /// [`FormatError::Header`] when the length does not fit.
    pub fn part(bytes: &[u8]) -> Result<Self, FormatError> {
        let (length, rest) = bytes.split_first_chunk::<4>().ok_or(FormatError::Header)?;
        let length = u32::from_be_bytes(*length) as usize;
        let (shared, local) = rest.split_at_checked(length).ok_or(FormatError::Header)?;
        Ok(Self { shared: shared.to_vec(), local: local.to_vec() })
    }
}

impl Header {
    /// The canonical bytes of both sections.
    ///
    /// # Errors
    /// [`FormatError::HeaderBytes`] above the limit, [`FormatError::Header`] for a header that
    /// could not be read again: a wrong kind or suite, a slot twice or out of range, a label over
    /// a limit.
    pub fn to_bytes(&self) -> Result<HeaderBytes, FormatError> {
        let bytes = HeaderBytes { shared: self.shared.encode(), local: self.local.encode() };
        // INVARIANT: what could not be read again is never written, because it would stay for ever.
        if Self::from_bytes(&bytes)? == *self { Ok(bytes) } else { Err(FormatError::Header) }
    }

    /// Reads both sections; any other spelling of the same header is refused.
    ///
    /// # Errors
    /// [`FormatError`] when a section is not canonical.
    pub fn from_bytes(bytes: &HeaderBytes) -> Result<Self, FormatError> {
        let total = bytes.shared.len() + bytes.local.len();
        if total > limit::HEADER_BYTES {
            return Err(FormatError::HeaderBytes(total));
        }
        let shared = Shared::from_bytes(&bytes.shared)?;
        let local = Local::from_bytes(&bytes.local)?;
        Ok(Self { shared, local })
    }
}

/// A kind is `noun.participle/version` in lower case: `alert.raised/1`.
fn valid_kind(kind: &str) -> bool {
    let word = |w: &str| !w.is_empty() && w.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    let Some((name, version)) = kind.split_once('/') else { return false };
    let Some((noun, participle)) = name.split_once('.') else { return false };
    let number = version.parse::<u16>().is_ok_and(|n| n > 0 && n.to_string() == version);
    kind.len() <= 64 && word(noun) && word(participle) && number
}

type Out<'a> = Encoder<&'a mut Vec<u8>>;
type Wrote = Result<(), minicbor::encode::Error<std::convert::Infallible>>;

/// Writes a map whose absent fields have no key.
#[derive(Default)]
struct Fields {
    count: u8,
    bytes: Vec<u8>,
}

impl Fields {
    /// Writing to a vector cannot fail, so outcomes are dropped here and nowhere else.
    fn put(&mut self, key: u8, write: impl FnOnce(&mut Out<'_>) -> Wrote) {
        let mut e = Encoder::new(&mut self.bytes);
        let _infallible = e.u8(key).map(drop).and_then(|()| write(&mut e));
        self.count += 1;
    }

    fn bytes(&mut self, key: u8, value: &[u8]) {
        self.put(key, |e| e.bytes(value).map(drop));
    }

    fn maybe_bytes(&mut self, key: u8, value: Option<&[u8]>) {
        if let Some(value) = value {
            self.bytes(key, value);
        }
    }

    fn number(&mut self, key: u8, value: u64) {
        self.put(key, |e| e.u64(value).map(drop));
    }

    fn time(&mut self, key: u8, value: Time) {
        self.put(key, |e| e.i64(value.ms()).map(drop));
    }

    fn finish(self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.bytes.len() + 2);
        let _infallible = Encoder::new(&mut bytes).map(u64::from(self.count)).map(drop);
        bytes.extend_from_slice(&self.bytes);
        bytes
    }
}

impl Shared {
    fn encode(&self) -> Vec<u8> {
        let mut f = Fields::default();
        f.number(0, 1);
        f.number(1, u64::from(self.suite.0));
        f.bytes(2, &self.ledger.0);
        f.bytes(3, &self.entry.0);
        f.put(4, |e| e.str(&self.kind).map(drop));
        f.bytes(5, &self.record.0);
        f.put(6, |e| encode_actor(e, self.actor));
        f.bytes(7, &self.agency.0);
        f.maybe_bytes(8, self.on_behalf_of.as_ref().map(|id| id.0.as_slice()));
        if let Play::Exercise(id) = self.play {
            f.bytes(9, &id.0);
        }
        f.time(10, self.acted_at);
        if let Some(at) = self.valid_at {
            f.time(11, at);
        }
        if let Some(imported) = &self.imported {
            f.put(12, |e| {
                e.array(3)?.bytes(&imported.ledger.0)?.bytes(&imported.entry.0)?;
                e.bytes(&imported.leaf.0).map(drop)
            });
        }
        f.finish()
    }

    /// Reads the shared section; any other spelling is refused.
    ///
    /// # Errors
    /// [`FormatError::Header`] when it is not canonical.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, FormatError> {
        let shared = decode_shared(bytes).ok_or(FormatError::Header)?;
        if valid_kind(&shared.kind) && shared.encode() == bytes {
            Ok(shared)
        } else {
            Err(FormatError::Header)
        }
    }

    /// Whether the section belongs to the leaf's entry.
    pub(crate) fn check(&self, leaf: &Leaf) -> Result<(), FormatError> {
        if self.entry == leaf.entry && self.suite == leaf.suite {
            Ok(())
        } else {
            Err(FormatError::HeaderCommitment)
        }
    }
}

impl Local {
    fn encode(&self) -> Vec<u8> {
        let mut f = Fields::default();
        f.number(0, 1);
        f.maybe_bytes(1, self.seat.as_ref().map(|id| id.0.as_slice()));
        f.maybe_bytes(2, self.device.as_ref().map(|id| id.0.as_slice()));
        f.maybe_bytes(3, self.cause.as_ref().map(|id| id.0.as_slice()));
        f.number(4, purpose_number(self.purpose));
        f.maybe_bytes(5, self.authority.as_ref().map(|id| id.0.as_slice()));
        f.maybe_bytes(6, self.basis.as_ref().map(|id| id.0.as_slice()));
        f.number(7, self.version);
        f.bytes(8, &self.idempotency.0);
        f.bytes(9, &self.command.0);
        f.number(10, self.policy_epoch);
        f.bytes(11, &self.policy.0);
        f.bytes(12, &self.profile.0);
        f.put(13, |e| {
            e.array(self.clauses.len() as u64)?;
            for clause in &self.clauses {
                e.array(2)?.bytes(&clause.clause.0)?.u32(clause.version)?;
            }
            Ok(())
        });
        if let Some(a) = &self.authentication {
            f.put(14, |e| {
                e.array(3)?.bytes(&a.session.0)?.u8(a.method)?.i64(a.verified_at.ms()).map(drop)
            });
        }
        f.bytes(15, &self.base.0);
        f.maybe_bytes(16, self.circle.as_ref().map(|id| id.0.as_slice()));
        let labels = self.labels();
        f.put(17, |e| {
            e.array(labels.len() as u64)?;
            labels.iter().try_for_each(|label| e.bytes(&label.to_bytes()).map(drop))
        });
        f.put(18, |e| {
            e.array(self.slots.len() as u64)?;
            self.slots.iter().try_for_each(|slot| encode_slot(e, slot, &labels))
        });
        f.finish()
    }

    /// Each label of the slots once, in the order of its first slot.
    fn labels(&self) -> Vec<&Label> {
        let mut labels = Vec::new();
        for slot in &self.slots {
            if !labels.contains(&&slot.label) {
                labels.push(&slot.label);
            }
        }
        labels
    }

    /// Reads the local section; any other spelling is refused.
    ///
    /// # Errors
    /// [`FormatError`] when it is not canonical.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, FormatError> {
        let local = decode_local(bytes).ok_or(FormatError::Header)?;
        if local.encode() == bytes { Ok(local) } else { Err(FormatError::Header) }
    }
}

fn encode_actor(e: &mut Out<'_>, actor: Actor) -> Wrote {
    match actor {
        Actor::System => e.array(1)?.u8(0)?,
        Actor::Person(id) => e.array(2)?.u8(1)?.bytes(&id.0)?,
        Actor::Service(id) => e.array(2)?.u8(2)?.bytes(&id.0)?,
    };
    Ok(())
}

fn encode_slot(e: &mut Out<'_>, slot: &Slot, labels: &[&Label]) -> Wrote {
    let label = labels.iter().position(|label| **label == slot.label).unwrap_or(labels.len());
    e.array(3)?.u8(slot.slot)?.u64(label as u64)?;
    match &slot.circle {
        Some(circle) => e.bytes(&circle.0)?,
        None => e.null()?,
    };
    Ok(())
}

const fn purpose_number(purpose: Purpose) -> u64 {
    match purpose {
        Purpose::Administration => 0,
        Purpose::Protection => 1,
        Purpose::Emergency => 2,
        Purpose::Intelligence => 3,
        Purpose::Inspection => 4,
        Purpose::Training => 5,
    }
}

const fn purpose_of(number: u64) -> Option<Purpose> {
    match number {
        0 => Some(Purpose::Administration),
        1 => Some(Purpose::Protection),
        2 => Some(Purpose::Emergency),
        3 => Some(Purpose::Intelligence),
        4 => Some(Purpose::Inspection),
        5 => Some(Purpose::Training),
        _ => None,
    }
}

/// Reads a map by key; keys must be asked for in ascending order.
struct Keys<'b> {
    d: Decoder<'b>,
    left: u64,
    bytes: usize,
}

impl<'b> Keys<'b> {
    fn new(bytes: &'b [u8]) -> Option<Self> {
        let mut d = Decoder::new(bytes);
        let left = d.map().ok()??;
        Some(Self { d, left, bytes: bytes.len() })
    }

    /// Steps onto `key` when it comes next.
    fn at(&mut self, key: u8) -> Option<&mut Decoder<'b>> {
        if self.left == 0 || self.d.probe().u8().ok()? != key {
            return None;
        }
        self.left -= 1;
        self.d.u8().ok()?;
        Some(&mut self.d)
    }

    fn number(&mut self, key: u8) -> Option<u64> {
        self.at(key)?.u64().ok()
    }

    fn slice(&mut self, key: u8) -> Option<&'b [u8]> {
        self.at(key)?.bytes().ok()
    }

    fn time(&mut self, key: u8) -> Option<Time> {
        Time::from_ms(self.at(key)?.i64().ok()?).ok()
    }

    /// Whether every key was read and nothing follows.
    fn done(&self) -> bool {
        self.left == 0 && self.d.position() == self.bytes
    }
}

fn decode_shared(bytes: &[u8]) -> Option<Shared> {
    let mut k = Keys::new(bytes)?;
    if k.number(0)? != 1 {
        return None;
    }
    let suite = Suite(u8::try_from(k.number(1)?).ok().filter(|s| *s == Suite::ONE.0)?);
    let shared = Shared {
        suite,
        ledger: LedgerId::from_slice(k.slice(2)?)?,
        entry: EntryId::from_slice(k.slice(3)?)?,
        kind: k.at(4)?.str().ok()?.to_owned(),
        record: RecordId::from_slice(k.slice(5)?)?,
        actor: decode_actor(k.at(6)?)?,
        agency: AgencyId::from_slice(k.slice(7)?)?,
        on_behalf_of: k.slice(8).and_then(PersonId::from_slice),
        play: match k.slice(9) {
            Some(id) => Play::Exercise(ExerciseId::from_slice(id)?),
            None => Play::Live,
        },
        acted_at: k.time(10)?,
        valid_at: k.time(11),
        imported: k.at(12).and_then(decode_imported),
    };
    k.done().then_some(shared)
}

fn decode_actor(d: &mut Decoder<'_>) -> Option<Actor> {
    let length = d.array().ok()??;
    match (length, d.u8().ok()?) {
        (1, 0) => Some(Actor::System),
        (2, 1) => PersonId::from_slice(d.bytes().ok()?).map(Actor::Person),
        (2, 2) => ServiceId::from_slice(d.bytes().ok()?).map(Actor::Service),
        _ => None,
    }
}

fn decode_imported(d: &mut Decoder<'_>) -> Option<Imported> {
    if d.array().ok()?? != 3 {
        return None;
    }
    Some(Imported {
        ledger: LedgerId::from_slice(d.bytes().ok()?)?,
        entry: EntryId::from_slice(d.bytes().ok()?)?,
        leaf: Digest::from_slice(d.bytes().ok()?)?,
    })
}

fn decode_local(bytes: &[u8]) -> Option<Local> {
    let mut k = Keys::new(bytes)?;
    if k.number(0)? != 1 {
        return None;
    }
    let local = Local {
        seat: k.slice(1).and_then(SeatId::from_slice),
        device: k.slice(2).and_then(DeviceId::from_slice),
        cause: k.slice(3).and_then(EntryId::from_slice),
        purpose: purpose_of(k.number(4)?)?,
        authority: k.slice(5).and_then(AuthorityId::from_slice),
        basis: k.slice(6).and_then(RecordId::from_slice),
        version: k.number(7)?,
        idempotency: Digest::from_slice(k.slice(8)?)?,
        command: Digest::from_slice(k.slice(9)?)?,
        policy_epoch: k.number(10)?,
        policy: Digest::from_slice(k.slice(11)?)?,
        profile: Digest::from_slice(k.slice(12)?)?,
        clauses: decode_clauses(k.at(13)?)?,
        authentication: k.at(14).and_then(decode_authentication),
        base: Digest::from_slice(k.slice(15)?)?,
        circle: k.slice(16).and_then(CircleId::from_slice),
        slots: decode_slots(&mut k)?,
    };
    k.done().then_some(local)
}

fn decode_clauses(d: &mut Decoder<'_>) -> Option<Vec<ClauseRef>> {
    let mut clauses = Vec::new();
    for _ in 0..d.array().ok()?? {
        if d.array().ok()?? != 2 {
            return None;
        }
        let clause = ClauseId::from_slice(d.bytes().ok()?)?;
        clauses.push(ClauseRef { clause, version: d.u32().ok()? });
    }
    Some(clauses)
}

fn decode_authentication(d: &mut Decoder<'_>) -> Option<Authentication> {
    if d.array().ok()?? != 3 {
        return None;
    }
    Some(Authentication {
        session: SessionId::from_slice(d.bytes().ok()?)?,
        method: d.u8().ok()?,
        verified_at: Time::from_ms(d.i64().ok()?).ok()?,
    })
}

fn decode_labels(d: &mut Decoder<'_>) -> Option<Vec<Label>> {
    let count = d.array().ok()??;
    if count > limit::PORTIONS_PER_ENTRY as u64 {
        return None;
    }
    (0..count).map(|_| Label::from_bytes(d.bytes().ok()?).ok()).collect()
}

fn decode_slots(k: &mut Keys<'_>) -> Option<Vec<Slot>> {
    let labels = decode_labels(k.at(17)?)?;
    let d = k.at(18)?;
    let count = d.array().ok()??;
    if count > limit::PORTIONS_PER_ENTRY as u64 {
        return None;
    }
    let mut slots: Vec<Slot> = Vec::new();
    for _ in 0..count {
        if d.array().ok()?? != 3 {
            return None;
        }
        let slot = d.u8().ok()?;
        let twice = slots.iter().any(|other| other.slot == slot);
        if twice || usize::from(slot) >= limit::PORTIONS_PER_ENTRY {
            return None;
        }
        let label = labels.get(usize::from(d.u8().ok()?))?.clone();
        let circle = if d.datatype().ok()? == Type::Null {
            d.null().ok()?;
            None
        } else {
            Some(CircleId::from_slice(d.bytes().ok()?)?)
        };
        slots.push(Slot { slot, label, circle });
    }
    Some(slots)
}
