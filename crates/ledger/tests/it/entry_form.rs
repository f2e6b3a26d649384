//! The JSON form of the entry vectors, and how their values are computed from their inputs.

use std::error::Error;

use base::crypto::{Secret, sha256_concat};
use base::{
    AgencyId, AuthorityId, CircleId, ClauseId, DeviceId, Digest, EntryId, ExerciseId, Label,
    LedgerId, PersonId, Play, RecordId, SeatId, ServiceId, SessionId, Time,
};
use ledger::format::Suite;
use ledger::header::{
    self, Actor, Authentication, ClauseRef, Header, Imported, Local, Purpose, Shared, Slot,
};
use ledger::leaf::{Class, Leaf, signature_digest, signature_salt};
use ledger::portion::{
    HEADER_SLOT, Portion, Position, SIGNATURE_SLOT, commitment, commitment_salt, payload_commitment,
};
use serde::{Deserialize, Serialize};

pub type Outcome<T> = Result<T, Box<dyn Error>>;

/// Bytes that stand in JSON as lower-case hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Hex(pub Vec<u8>);

impl From<Hex> for String {
    fn from(hex: Hex) -> Self {
        let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or('?');
        hex.0.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
    }
}

impl TryFrom<String> for Hex {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        let pairs = text.as_bytes().chunks(2).map(|pair| {
            let pair = std::str::from_utf8(pair).ok().filter(|pair| pair.len() == 2)?;
            u8::from_str_radix(pair, 16).ok()
        });
        let bytes: Option<Vec<u8>> = pairs.collect();
        bytes.map(Self).ok_or_else(|| format!("`{text}` is not hexadecimal"))
    }
}

impl Hex {
    pub fn secret(&self) -> Outcome<Secret> {
        Secret::from_slice(&self.0).ok_or_else(|| "secret is not 32 bytes".into())
    }
}

fn hex(bytes: impl AsRef<[u8]>) -> Hex {
    Hex(bytes.as_ref().to_vec())
}

/// The whole file.
#[derive(Debug, Serialize, Deserialize)]
pub struct Vectors {
    pub about: Vec<String>,
    pub entries: Vec<Vector>,
}

/// One entry.
#[derive(Debug, Serialize, Deserialize)]
pub struct Vector {
    pub name: String,
    pub inputs: Inputs,
    pub expected: Expected,
}

/// What an entry is made from.
#[derive(Debug, Serialize, Deserialize)]
pub struct Inputs {
    pub header_key: Hex,
    pub header_secret: Hex,
    pub class: u8,
    pub at: Time,
    pub shared: SharedForm,
    pub local: LocalForm,
    pub portions: Vec<PortionForm>,
    /// The random commitments of the other slots, ascending by slot.
    pub padding: Vec<Digest>,
    pub signature: Option<Hex>,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct SharedForm {
    pub ledger: LedgerId,
    pub entry: EntryId,
    pub kind: String,
    pub record: RecordId,
    pub actor: ActorForm,
    pub agency: AgencyId,
    pub on_behalf_of: Option<PersonId>,
    pub exercise: Option<ExerciseId>,
    pub acted_at: Time,
    pub valid_at: Option<Time>,
    pub imported: Option<ImportedForm>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActorForm {
    System,
    Person(PersonId),
    Service(ServiceId),
}

#[derive(Debug, Serialize, Deserialize)]
pub struct ImportedForm {
    pub ledger: LedgerId,
    pub entry: EntryId,
    pub leaf: Digest,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct LocalForm {
    pub seat: Option<SeatId>,
    pub device: Option<DeviceId>,
    pub cause: Option<EntryId>,
    pub purpose: PurposeForm,
    pub authority: Option<AuthorityId>,
    pub basis: Option<RecordId>,
    pub version: u64,
    pub idempotency: Digest,
    pub command: Digest,
    pub policy_epoch: u64,
    pub policy: Digest,
    pub profile: Digest,
    pub clauses: Vec<ClauseForm>,
    pub authentication: Option<AuthenticationForm>,
    pub base: Digest,
    pub circle: Option<CircleId>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PurposeForm {
    Administration,
    Protection,
    Emergency,
    Intelligence,
    Inspection,
    Training,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct ClauseForm {
    pub clause: ClauseId,
    pub version: u32,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct AuthenticationForm {
    pub session: SessionId,
    pub method: u8,
    pub verified_at: Time,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct PortionForm {
    pub slot: u8,
    pub secret: Hex,
    pub compartment_key: Hex,
    pub label: Label,
    pub circle: Option<CircleId>,
    pub media: String,
    pub body: Hex,
}

/// What comes out.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expected {
    pub leaf: Hex,
    /// SHA-256(0x00 ‖ leaf), as it stands in the tree (RFC 6962 §2.1).
    pub leaf_hash: Digest,
    pub shared: Hex,
    pub shared_salt: Hex,
    pub shared_commitment: Digest,
    pub local: Hex,
    pub local_salt: Hex,
    pub local_commitment: Digest,
    pub header_commitment: Digest,
    pub sealed_header: Hex,
    /// In the order of the inputs.
    pub portions: Vec<PortionExpected>,
    /// By slot, padding included.
    pub commitments: Vec<Digest>,
    pub payload_commitment: Digest,
    pub signature_salt: Hex,
    pub signature_digest: Digest,
    pub sealed_signature: Option<Hex>,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PortionExpected {
    pub label: Hex,
    pub label_digest: Digest,
    pub bytes: Hex,
    pub salt: Hex,
    pub commitment: Digest,
    pub sealed: Hex,
}

impl SharedForm {
    fn section(&self) -> Shared {
        Shared {
            suite: Suite::ONE,
            ledger: self.ledger,
            entry: self.entry,
            kind: self.kind.clone(),
            record: self.record,
            actor: match self.actor {
                ActorForm::System => Actor::System,
                ActorForm::Person(id) => Actor::Person(id),
                ActorForm::Service(id) => Actor::Service(id),
            },
            agency: self.agency,
            on_behalf_of: self.on_behalf_of,
            play: self.exercise.map_or(Play::Live, Play::Exercise),
            acted_at: self.acted_at,
            valid_at: self.valid_at,
            imported: self.imported.as_ref().map(|from| Imported {
                ledger: from.ledger,
                entry: from.entry,
                leaf: from.leaf,
            }),
        }
    }
}

impl LocalForm {
    fn section(&self) -> Local {
        Local {
            seat: self.seat,
            device: self.device,
            cause: self.cause,
            purpose: match self.purpose {
                PurposeForm::Administration => Purpose::Administration,
                PurposeForm::Protection => Purpose::Protection,
                PurposeForm::Emergency => Purpose::Emergency,
                PurposeForm::Intelligence => Purpose::Intelligence,
                PurposeForm::Inspection => Purpose::Inspection,
                PurposeForm::Training => Purpose::Training,
            },
            authority: self.authority,
            basis: self.basis,
            version: self.version,
            idempotency: self.idempotency,
            command: self.command,
            policy_epoch: self.policy_epoch,
            policy: self.policy,
            profile: self.profile,
            clauses: self
                .clauses
                .iter()
                .map(|c| ClauseRef { clause: c.clause, version: c.version })
                .collect(),
            authentication: self.authentication.as_ref().map(|a| Authentication {
                session: a.session,
                method: a.method,
                verified_at: a.verified_at,
            }),
            base: self.base,
            circle: self.circle,
            slots: Vec::new(),
        }
    }
}

impl PortionForm {
    pub fn portion(&self) -> Portion {
        Portion {
            label: self.label.clone(),
            circle: self.circle,
            media: self.media.clone(),
            body: self.body.0.clone(),
        }
    }
}

impl Inputs {
    pub fn header(&self) -> Header {
        let slot =
            |p: &PortionForm| Slot { slot: p.slot, label: p.label.clone(), circle: p.circle };
        let mut local = self.local.section();
        local.slots = self.portions.iter().map(slot).collect();
        Header { shared: self.shared.section(), local }
    }

    /// Seals as `portion.rs` describes, without its code.
    fn seal(&self, secret: &Secret, key: &Hex, slot: u8, bytes: &[u8]) -> Outcome<Hex> {
        let key = secret.derive(&key.0, "muster/dek/v1")?;
        let mut aad = self.shared.entry.0.to_vec();
        aad.push(slot);
        Ok(Hex(key.seal([0; 12], &aad, bytes)?))
    }

    fn portion(&self, form: &PortionForm) -> Outcome<PortionExpected> {
        let secret = form.secret.secret()?;
        let salt = commitment_salt(&secret)?;
        let bytes = form.portion().to_bytes()?;
        let (ledger, entry) = (self.shared.ledger, self.shared.entry);
        let position = Position { ledger, entry, slot: form.slot };
        Ok(PortionExpected {
            label: hex(form.label.to_bytes()),
            label_digest: form.label.digest(),
            salt: hex(salt.expose()),
            commitment: commitment(&salt, position, &bytes),
            sealed: self.seal(&secret, &form.compartment_key, form.slot, &bytes)?,
            bytes: Hex(bytes),
        })
    }

    /// The commitments by slot: those of the portions, and padding in between.
    fn commitments(&self, portions: &[PortionExpected]) -> Outcome<Vec<Digest>> {
        let mut padding = self.padding.iter();
        let count = self.padding.len() + self.portions.len();
        (0..count)
            .map(|slot| {
                let taken = self.portions.iter().position(|p| usize::from(p.slot) == slot);
                let portion = taken.and_then(|taken| portions.get(taken));
                let commitment = portion.map(|portion| portion.commitment);
                commitment.or_else(|| padding.next().copied()).ok_or_else(|| "no padding".into())
            })
            .collect()
    }
}

/// Computes every value of an entry from its inputs.
pub fn compute(inputs: &Inputs) -> Outcome<Expected> {
    let header_secret = inputs.header_secret.secret()?;
    let sections = inputs.header().to_bytes()?;
    let shared_salt = header::shared_salt(&header_secret)?;
    let shared_commitment = header::shared_commitment(&shared_salt, &sections.shared);
    let local_salt = header::local_salt(&header_secret)?;
    let local_commitment = header::local_commitment(&local_salt, &sections.local);
    let portions: Vec<PortionExpected> =
        inputs.portions.iter().map(|form| inputs.portion(form)).collect::<Outcome<_>>()?;
    let commitments = inputs.commitments(&portions)?;
    let signature_salt = signature_salt(&header_secret)?;
    let signature = inputs.signature.as_ref().map(|signature| signature.0.as_slice());
    let signature_secret = header_secret.derive(b"", "muster/signature-secret/v1")?;
    let seal_signature =
        |bytes: &[u8]| inputs.seal(&signature_secret, &inputs.header_key, SIGNATURE_SLOT, bytes);
    let leaf = Leaf {
        suite: Suite::ONE,
        class: Class::from_number(inputs.class)?,
        entry: inputs.shared.entry,
        at: inputs.at,
        header: header::header_commitment(shared_commitment, local_commitment),
        payload: payload_commitment(&commitments)?,
        signature: signature_digest(&signature_salt, signature),
    };
    let joined = sections.join();
    Ok(Expected {
        leaf: hex(leaf.to_bytes()),
        leaf_hash: sha256_concat(&[&[0], &leaf.to_bytes()]),
        shared: Hex(sections.shared),
        shared_salt: hex(shared_salt.expose()),
        shared_commitment,
        local: Hex(sections.local),
        local_salt: hex(local_salt.expose()),
        local_commitment,
        header_commitment: leaf.header,
        sealed_header: inputs.seal(&header_secret, &inputs.header_key, HEADER_SLOT, &joined)?,
        portions,
        commitments,
        payload_commitment: leaf.payload,
        signature_salt: hex(signature_salt.expose()),
        signature_digest: leaf.signature,
        sealed_signature: signature.map(seal_signature).transpose()?,
    })
}
