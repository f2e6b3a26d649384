//! The leaf: 124 bytes that a witness may see, committing to everything else of an entry.
//!
//! ```text
//! offset  bytes
//!      0      1  version, 1
//!      1      1  suite
//!      2      1  class
//!      3      1  reserved, 0
//!      4     16  entry id, random
//!     20      8  log time, milliseconds since 1970, big-endian, never decreasing in a log
//!     28     32  commitment to the header
//!     60     32  commitment to the payload
//!     92     32  commitment to the actor's signature, or to there being none
//! ```
//! A witness learns count, time and coarse class, nothing else: each commitment is salted, and an
//! unsigned act looks like a signed one.
//!
//! ```text
//! salt = HKDF-SHA-256(header secret, salt = "", info = "muster/signature-salt/v1")
//! signed:   H("muster/signature/v1", salt, signature)
//! unsigned: H("muster/signature/v1", salt)
//! ```
//! `H` is [`base::crypto::Hasher`].

use base::crypto::{self, Digest, Hasher, Secret};
use base::{EntryId, Time};

use crate::format::{FormatError, Suite};

/// Bytes of a leaf.
pub const LEAF_BYTES: usize = 124;

/// The coarse class of an entry, which everybody with the leaf may see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// Any act that is none of the others.
    Act,
    /// Persons, seats, keys, sessions.
    Identity,
    /// Agreements, policy, epochs.
    Policy,
    /// Erasure of portions.
    Erasure,
    /// A checkpoint of another log.
    Anchor,
    /// A segment of the access log.
    Access,
    /// A message of an end-to-end encrypted conversation.
    Talk,
}

impl Class {
    /// The number that stands in the leaf.
    pub const fn number(self) -> u8 {
        match self {
            Self::Act => 0,
            Self::Identity => 1,
            Self::Policy => 2,
            Self::Erasure => 3,
            Self::Anchor => 4,
            Self::Access => 5,
            Self::Talk => 6,
        }
    }

    /// Reads the number of a class.
    ///
    /// # Errors
    /// [`FormatError::Class`] when no class has it.
    pub const fn from_number(number: u8) -> Result<Self, FormatError> {
        match number {
            0 => Ok(Self::Act),
            1 => Ok(Self::Identity),
            2 => Ok(Self::Policy),
            3 => Ok(Self::Erasure),
            4 => Ok(Self::Anchor),
            5 => Ok(Self::Access),
            6 => Ok(Self::Talk),
            other => Err(FormatError::Class(other)),
        }
    }
}

/// What a leaf says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaf {
    pub suite: Suite,
    pub class: Class,
    pub entry: EntryId,
    pub at: Time,
    pub header: Digest,
    pub payload: Digest,
    /// The [`signature_digest`]; it does not show whether there is a signature.
    pub signature: Digest,
}

impl Leaf {
    /// The bytes of the leaf: the record whose hash is in the tree.
    pub fn to_bytes(&self) -> [u8; LEAF_BYTES] {
        let mut bytes = [0; LEAF_BYTES];
        let ms = self.at.ms().to_be_bytes();
        let fields: [&[u8]; 6] = [
            &[1, self.suite.0, self.class.number(), 0],
            &self.entry.0,
            &ms,
            &self.header.0,
            &self.payload.0,
            &self.signature.0,
        ];
        for (to, from) in bytes.iter_mut().zip(fields.into_iter().flatten()) {
            *to = *from;
        }
        bytes
    }

    /// Reads a leaf.
    ///
    /// # Errors
    /// [`FormatError`] when the length, version, suite, class, reserved byte or time is not valid.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, FormatError> {
        let length = FormatError::LeafLength(bytes.len());
        let Ok(leaf) = <&[u8; LEAF_BYTES]>::try_from(bytes) else { return Err(length) };
        let [version, suite, class, reserved, rest @ ..] = leaf;
        if *version != 1 {
            return Err(FormatError::LeafVersion(*version));
        }
        if *suite != Suite::ONE.0 {
            return Err(FormatError::Suite(*suite));
        }
        if *reserved != 0 {
            return Err(FormatError::Reserved);
        }
        let (entry, rest) = rest.split_at(16);
        let (ms, rest) = rest.split_at(8);
        let (header, rest) = rest.split_at(32);
        let (payload, signature) = rest.split_at(32);
        let ms = ms.try_into().map_or(-1, i64::from_be_bytes);
        let digest = |part| Digest::from_slice(part).unwrap_or_default();
        Ok(Self {
            suite: Suite(*suite),
            class: Class::from_number(*class)?,
            entry: EntryId::from_slice(entry).unwrap_or(EntryId([0; 16])),
            at: Time::from_ms(ms).map_err(|_range| FormatError::Time)?,
            header: digest(header),
            payload: digest(payload),
            signature: digest(signature),
        })
    }
}

/// The salt of the commitment to the signature; given to whoever may verify the signature.
///
/// # Errors
/// [`crypto::Error::Module`] when the module fails.
pub fn signature_salt(header_secret: &Secret) -> Result<Secret, crypto::Error> {
    header_secret.derive(b"", "muster/signature-salt/v1")
}

/// The salted digest of an actor's signature, or of its absence, as it stands in the leaf.
pub fn signature_digest(salt: &Secret, signature: Option<&[u8]>) -> Digest {
    let hasher = Hasher::new("muster/signature/v1").part(salt.expose());
    match signature {
        Some(signature) => hasher.part(signature).finish(),
        None => hasher.finish(),
    }
}
