//! Portions: the unit of marking, of release and of erasure.
//!
//! Each portion has a 32-byte secret. From it derive the salt of its commitment and, with the key
//! of its compartment, the key of its ciphertext. Whoever may open the portion is given the salt;
//! destroying the secret erases the portion everywhere while the chain still verifies.
//!
//! ```text
//! salt = HKDF-SHA-256(secret, salt = "", info = "muster/commit/v1")
//! C    = H("muster/portion/v1", salt, ledger, entry id, u8 slot, portion bytes)
//! key  = HKDF-SHA-256(secret, salt = compartment key, info = "muster/dek/v1")
//! sealed = AES-256-GCM(key, nonce = 0, aad = entry id ‖ slot, portion bytes)
//! payload commitment = H("muster/payload/v1", u16 n, C_0, … C_n-1),  n ∈ {8, 16, 32, 64}
//!
//! portion bytes = u8 version 1 ‖ 32 label digest ‖ u8 circle present ‖ 16 circle or zeros
//!               ‖ u8 length ‖ media name ‖ u32 length ‖ body       (big-endian)
//! ```
//! Slots that hold no portion hold random bytes, and which slot a portion gets is drawn, so that
//! neither the number nor the place of the others shows. The commitment names its ledger, entry and
//! slot: else whoever was given the list could put a commitment that it cannot open into an entry
//! of its own, and later claim to have known what it hides.
//!
//! Header and signature are sealed in the same way, with the header's key, in slots 255 and 254.
//! The signature's secret derives from the header's:
//! HKDF-SHA-256(header secret, salt = "", info = "muster/signature-secret/v1").

use base::crypto::{self, Digest, Entropy, Hasher, Secret};
use base::{CircleId, EntryId, Label, LedgerId, limit};

use crate::format::FormatError;
use crate::header::{Header, HeaderBytes, Shared, Slot};
use crate::leaf::{Class, Leaf, signature_digest, signature_salt};

/// The slot number under which a header's secret is kept.
pub const HEADER_SLOT: u8 = 255;
/// The slot number under which a signature is sealed.
pub const SIGNATURE_SLOT: u8 = 254;

/// Where a portion stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    pub ledger: LedgerId,
    pub entry: EntryId,
    pub slot: u8,
}

/// One portion in the clear.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Portion {
    pub label: Label,
    pub circle: Option<CircleId>,
    /// What the body is: a media type, or the name of a typed fact; 1 to 255 bytes of printable
    /// ASCII.
    pub media: String,
    pub body: Vec<u8>,
}

/// What a portion's bytes say: the label itself stands in the header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    pub label: Digest,
    pub circle: Option<CircleId>,
    pub media: String,
    pub body: Vec<u8>,
}

impl Portion {
    /// The bytes that are committed to and sealed.
    ///
    /// # Errors
    /// [`FormatError::PortionBytes`] above the limit, [`FormatError::Portion`] for a media name
    /// that breaks its rule.
    pub fn to_bytes(&self) -> Result<Vec<u8>, FormatError> {
        if self.body.len() > limit::PORTION_BYTES {
            return Err(FormatError::PortionBytes(self.body.len()));
        }
        if !valid_media(self.media.as_bytes()) {
            return Err(FormatError::Portion);
        }
        let media = u8::try_from(self.media.len()).map_err(|_long| FormatError::Portion)?;
        let body = u32::try_from(self.body.len()).map_err(|_long| FormatError::Portion)?;
        let mut bytes = Vec::with_capacity(56 + self.media.len() + self.body.len());
        bytes.push(1);
        bytes.extend_from_slice(&self.label.digest().0);
        bytes.push(u8::from(self.circle.is_some()));
        bytes.extend_from_slice(&self.circle.map_or([0; 16], |circle| circle.0));
        bytes.push(media);
        bytes.extend_from_slice(self.media.as_bytes());
        bytes.extend_from_slice(&body.to_be_bytes());
        bytes.extend_from_slice(&self.body);
        Ok(bytes)
    }
}

impl Opened {
    /// Reads a portion's bytes.
    ///
    /// # Errors
    /// [`FormatError::Portion`] when they have another form.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, FormatError> {
        parse_portion(bytes).ok_or(FormatError::Portion)
    }
}

fn valid_media(media: &[u8]) -> bool {
    (1..=255).contains(&media.len()) && media.iter().all(|b| matches!(b, b' '..=b'~'))
}

fn parse_portion(bytes: &[u8]) -> Option<Opened> {
    let ([version], rest) = bytes.split_first_chunk::<1>()?;
    let (label, rest) = rest.split_first_chunk::<32>()?;
    let ([present], rest) = rest.split_first_chunk::<1>()?;
    let (circle, rest) = rest.split_first_chunk::<16>()?;
    let ([length], rest) = rest.split_first_chunk::<1>()?;
    let (media, rest) = rest.split_at_checked(usize::from(*length))?;
    let (length, body) = rest.split_first_chunk::<4>()?;
    let circle = match present {
        0 if *circle == [0; 16] => None,
        1 => Some(CircleId(*circle)),
        _ => return None,
    };
    let whole = *version == 1
        && valid_media(media)
        && body.len() <= limit::PORTION_BYTES
        && u32::from_be_bytes(*length) as usize == body.len();
    whole.then_some(Opened {
        label: Digest(*label),
        circle,
        media: std::str::from_utf8(media).ok()?.to_owned(),
        body: body.to_vec(),
    })
}

/// The salt of a portion's commitment, given to whoever may open the portion.
///
/// # Errors
/// [`FormatError::Sealed`] when the module fails.
pub fn commitment_salt(secret: &Secret) -> Result<Secret, FormatError> {
    Ok(secret.derive(b"", "muster/commit/v1")?)
}

/// The commitment to a portion's bytes in their position.
pub fn commitment(salt: &Secret, position: Position, portion: &[u8]) -> Digest {
    let Position { ledger, entry, slot } = position;
    let hasher = Hasher::new("muster/portion/v1").part(salt.expose());
    hasher.part(&ledger.0).part(&entry.0).part(&[slot]).part(portion).finish()
}

/// Checks a portion that a peer was given against its commitment, and reads it.
///
/// # Errors
/// [`FormatError`] when it is not the committed one or has another form.
pub fn open_committed(
    salt: &Secret,
    position: Position,
    portion: &[u8],
    expected: Digest,
) -> Result<Opened, FormatError> {
    if commitment(salt, position, portion) != expected {
        return Err(FormatError::PortionCommitment(position.slot));
    }
    Opened::from_bytes(portion)
}

/// The commitment that stands in the leaf: over all slots, portions and padding alike.
///
/// # Errors
/// [`FormatError::Commitments`] unless there are 8, 16, 32 or 64.
pub fn payload_commitment(commitments: &[Digest]) -> Result<Digest, FormatError> {
    let count = match commitments.len() {
        8 | 16 | 32 | 64 => u16::try_from(commitments.len()).unwrap_or(0),
        _ => return Err(FormatError::Commitments),
    };
    let mut hasher = Hasher::new("muster/payload/v1").part(&count.to_be_bytes());
    for commitment in commitments {
        hasher = hasher.part(&commitment.0);
    }
    Ok(hasher.finish())
}

/// Parts a stored list of commitments and checks it against its leaf.
///
/// # Errors
/// [`FormatError::Commitments`] for a wrong length, [`FormatError::PayloadCommitment`] for another
/// list than the committed one.
pub fn open_commitments(leaf: &Leaf, bytes: &[u8]) -> Result<Vec<Digest>, FormatError> {
    let commitments = part_commitments(bytes)?;
    if payload_commitment(&commitments)? == leaf.payload {
        Ok(commitments)
    } else {
        Err(FormatError::PayloadCommitment)
    }
}

/// Parts a stored list of commitments; [`open_commitments`] checks it too.
///
/// # Errors
/// [`FormatError::Commitments`] unless it holds 8, 16, 32 or 64.
pub fn part_commitments(bytes: &[u8]) -> Result<Vec<Digest>, FormatError> {
    if !matches!(bytes.len(), 256 | 512 | 1024 | 2048) {
        return Err(FormatError::Commitments);
    }
    Ok(bytes.chunks_exact(32).filter_map(Digest::from_slice).collect())
}

/// The smallest padded length that holds `portions`.
const fn padded(portions: usize) -> usize {
    match portions {
        0..=8 => 8,
        9..=16 => 16,
        17..=32 => 32,
        _ => 64,
    }
}

/// An entry before it is sealed.
pub struct Draft {
    pub class: Class,
    /// Its `slots` are filled by [`seal`], in the order of the portions; what they hold is lost.
    pub header: Header,
    /// The ledger's own clock.
    pub at: base::Time,
    pub portions: Vec<Portion>,
    /// The actor's own signature, in the clear.
    pub signature: Option<Vec<u8>>,
}

/// A secret of an entry, with its slot: [`HEADER_SLOT`] for the header's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlotSecret {
    pub slot: u8,
    pub secret: Secret,
}

/// An entry as it is stored: nothing of it can be read without a secret and a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedEntry {
    pub leaf: Vec<u8>,
    pub header: Vec<u8>,
    pub commitments: Vec<u8>,
    /// By slot, ascending: the order in which they were given stands in the header alone.
    pub portions: Vec<(u8, Vec<u8>)>,
    /// Sealed: it would name its signer to anybody who knows the signers' public keys.
    pub signature: Option<Vec<u8>>,
    /// By slot, ascending; the header's is the last.
    pub secrets: Vec<SlotSecret>,
}

/// Gives the key of a compartment, by the label whose portions it seals.
pub trait CompartmentKeys {
    /// The key for portions under `label`.
    ///
    /// # Errors
    /// [`crypto::Error`] when the key cannot be had; nothing is sealed or opened then.
    fn portion_key(&self, label: &Label) -> Result<Secret, crypto::Error>;
    /// The key for headers.
    ///
    /// # Errors
    /// As [`CompartmentKeys::portion_key`].
    fn header_key(&self) -> Result<Secret, crypto::Error>;
}

/// Seals an entry: draws secrets and slots, commits, encrypts, and makes the leaf.
///
/// Returns the sealed entry and the header with its slots filled.
///
/// # Errors
/// [`FormatError`] when a limit is broken or the module fails; nothing is kept.
pub fn seal(
    draft: Draft,
    keys: &impl CompartmentKeys,
    entropy: &mut Entropy,
) -> Result<(SealedEntry, Header), FormatError> {
    let Draft { class, mut header, at, portions, signature } = draft;
    let payload = seal_portions(&header.shared, portions, keys, entropy)?;
    header.local.slots = payload.slots;
    let entry = header.shared.entry;
    let secret = entropy.secret();
    let bytes = header.to_bytes()?;
    let leaf = Leaf {
        suite: header.shared.suite,
        class,
        entry,
        at,
        header: bytes.commitment(&secret)?,
        payload: payload_commitment(&payload.commitments)?,
        signature: signature_digest(&signature_salt(&secret)?, signature.as_deref()),
    };
    let key = keys.header_key()?;
    let sealed_header = seal_bytes(&secret, &key, entry, HEADER_SLOT, &bytes.join())?;
    let sealed_signature = match signature {
        Some(bytes) => {
            let secret = signature_secret(&secret)?;
            Some(seal_bytes(&secret, &key, entry, SIGNATURE_SLOT, &bytes)?)
        }
        None => None,
    };
    let mut secrets = payload.secrets;
    secrets.push(SlotSecret { slot: HEADER_SLOT, secret });
    let entry = SealedEntry {
        leaf: leaf.to_bytes().to_vec(),
        header: sealed_header,
        commitments: payload.commitments.iter().flat_map(|digest| digest.0).collect(),
        portions: payload.sealed,
        signature: sealed_signature,
        secrets,
    };
    Ok((entry, header))
}

/// The portions of an entry, sealed.
struct Payload {
    /// In the order of the portions.
    slots: Vec<Slot>,
    /// By slot; padding included.
    commitments: Vec<Digest>,
    /// By slot, ascending.
    sealed: Vec<(u8, Vec<u8>)>,
    /// By slot, ascending.
    secrets: Vec<SlotSecret>,
}

fn seal_portions(
    shared: &Shared,
    portions: Vec<Portion>,
    keys: &impl CompartmentKeys,
    entropy: &mut Entropy,
) -> Result<Payload, FormatError> {
    let count = portions.len();
    if count > limit::PORTIONS_PER_ENTRY {
        return Err(FormatError::Portions(count));
    }
    let Shared { ledger, entry, .. } = *shared;
    let drawn = draw_slots(count, entropy);
    let mut commitments: Vec<Digest> = (0..padded(count)).map(|_| Digest(entropy.draw())).collect();
    let mut slots = Vec::with_capacity(count);
    let mut sealed = Vec::with_capacity(count);
    let mut secrets = Vec::with_capacity(count + 1);
    for (slot, portion) in drawn.into_iter().zip(portions) {
        let secret = entropy.secret();
        let bytes = portion.to_bytes()?;
        if let Some(place) = commitments.get_mut(usize::from(slot)) {
            let position = Position { ledger, entry, slot };
            *place = commitment(&commitment_salt(&secret)?, position, &bytes);
        }
        let key = keys.portion_key(&portion.label)?;
        sealed.push((slot, seal_bytes(&secret, &key, entry, slot, &bytes)?));
        secrets.push(SlotSecret { slot, secret });
        slots.push(Slot { slot, label: portion.label, circle: portion.circle });
    }
    sealed.sort_unstable_by_key(|(slot, _)| *slot);
    secrets.sort_unstable_by_key(|secret: &SlotSecret| secret.slot);
    Ok(Payload { slots, commitments, sealed, secrets })
}

/// Draws distinct slots for `count` portions, in the order of the portions.
fn draw_slots(count: usize, entropy: &mut Entropy) -> Vec<u8> {
    let mut free: Vec<u8> = (0..=u8::MAX).take(padded(count)).collect();
    let mut drawn = Vec::with_capacity(count);
    for _ in 0..count {
        let bound = u32::try_from(free.len()).unwrap_or(1);
        drawn.push(free.swap_remove(entropy.below(bound) as usize));
    }
    drawn
}

fn signature_secret(header_secret: &Secret) -> Result<Secret, FormatError> {
    Ok(header_secret.derive(b"", "muster/signature-secret/v1")?)
}

fn associated(entry: EntryId, slot: u8) -> [u8; 17] {
    let mut aad = [slot; 17];
    for (to, from) in aad.iter_mut().zip(entry.0) {
        *to = from;
    }
    aad
}

fn seal_bytes(
    secret: &Secret,
    key: &Secret,
    entry: EntryId,
    slot: u8,
    bytes: &[u8],
) -> Result<Vec<u8>, FormatError> {
    // The derived key seals exactly one message, so the nonce may be zero.
    let key = secret.derive(key.expose(), "muster/dek/v1")?;
    Ok(key.seal([0; 12], &associated(entry, slot), bytes)?)
}

fn open_bytes(
    secret: &Secret,
    key: &Secret,
    entry: EntryId,
    slot: u8,
    sealed: &[u8],
) -> Result<Vec<u8>, FormatError> {
    let key = secret.derive(key.expose(), "muster/dek/v1")?;
    Ok(key.open([0; 12], &associated(entry, slot), sealed)?)
}

/// Opens a header and checks it against its leaf.
///
/// # Errors
/// [`FormatError`] when it cannot be opened, is not canonical or is not the committed one.
pub fn open_header(
    leaf: &Leaf,
    sealed: &[u8],
    secret: &Secret,
    keys: &impl CompartmentKeys,
) -> Result<Header, FormatError> {
    let bytes = open_bytes(secret, &keys.header_key()?, leaf.entry, HEADER_SLOT, sealed)?;
    let bytes = HeaderBytes::part(&bytes)?;
    if bytes.commitment(secret)? != leaf.header {
        return Err(FormatError::HeaderCommitment);
    }
    let header = Header::from_bytes(&bytes)?;
    header.shared.check(leaf)?;
    Ok(header)
}

/// Opens the actor's signature, or its absence, and checks it against the leaf.
///
/// Whether it is the actor's, and of this act, is for the verifier of signatures to say.
///
/// # Errors
/// [`FormatError`] when it cannot be opened or is not the committed one.
pub fn open_signature(
    leaf: &Leaf,
    sealed: Option<&[u8]>,
    header_secret: &Secret,
    keys: &impl CompartmentKeys,
) -> Result<Option<Vec<u8>>, FormatError> {
    let signature = match sealed {
        Some(sealed) => {
            let secret = signature_secret(header_secret)?;
            Some(open_bytes(&secret, &keys.header_key()?, leaf.entry, SIGNATURE_SLOT, sealed)?)
        }
        None => None,
    };
    if signature_digest(&signature_salt(header_secret)?, signature.as_deref()) == leaf.signature {
        Ok(signature)
    } else {
        Err(FormatError::SignatureDigest)
    }
}

/// Opens a portion and checks it against its commitment and its slot's label and circle.
///
/// `shared` and `slot` are of the opened header; the commitment is the slot's in the list that
/// [`open_commitments`] gave.
///
/// # Errors
/// [`FormatError`] when it cannot be opened or is not the committed one.
pub fn open_portion(
    shared: &Shared,
    slot: &Slot,
    sealed: &[u8],
    secret: &Secret,
    committed: (Digest, &impl CompartmentKeys),
) -> Result<Portion, FormatError> {
    let (expected, keys) = committed;
    let position = Position { ledger: shared.ledger, entry: shared.entry, slot: slot.slot };
    let key = keys.portion_key(&slot.label)?;
    let bytes = open_bytes(secret, &key, shared.entry, slot.slot, sealed)?;
    let opened = open_committed(&commitment_salt(secret)?, position, &bytes, expected)?;
    if opened.label != slot.label.digest() || opened.circle != slot.circle {
        return Err(FormatError::PortionCommitment(slot.slot));
    }
    Ok(Portion {
        label: slot.label.clone(),
        circle: slot.circle,
        media: opened.media,
        body: opened.body,
    })
}
