//! Typed ids: 128 random bits each, so that no id tells when or where it was made.

use std::fmt;
use std::str::FromStr;

use crate::crypto::{Hasher, Secret};

/// An id that could not be read.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` is not an id")]
pub struct IdError(pub String);

/// Defines an id type of 16 bytes; its text form is a lower-case hyphenated UUID (RFC 9562 §4).
#[macro_export]
macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; 16]);

        impl $name {
            /// Draws a new id.
            pub fn draw(ids: &mut $crate::Ids) -> Self {
                Self(ids.next_id())
            }

            /// The 16 bytes of the id.
            pub const fn as_bytes(&self) -> &[u8; 16] {
                &self.0
            }

            /// Reads an id from 16 bytes; `None` for any other length.
            pub fn from_slice(bytes: &[u8]) -> Option<Self> {
                bytes.try_into().ok().map(Self)
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                $crate::id::write_id(&self.0, f)
            }
        }

        impl ::std::fmt::Debug for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                $crate::id::write_id(&self.0, f)
            }
        }

        impl ::std::str::FromStr for $name {
            type Err = $crate::id::IdError;
            fn from_str(text: &str) -> ::std::result::Result<Self, Self::Err> {
                $crate::id::parse_id(text).map(Self)
            }
        }

        impl ::serde::Serialize for $name {
            fn serialize<S: ::serde::Serializer>(
                &self,
                serializer: S,
            ) -> ::std::result::Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> ::serde::Deserialize<'de> for $name {
            fn deserialize<D: ::serde::Deserializer<'de>>(
                deserializer: D,
            ) -> ::std::result::Result<Self, D::Error> {
                let text = <::std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                text.parse().map_err(::serde::de::Error::custom)
            }
        }
    };
}

/// Writes 16 bytes as a hyphenated UUID.
#[doc(hidden)]
pub fn write_id(bytes: &[u8; 16], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    fmt::Display::fmt(&uuid::Uuid::from_bytes(*bytes).hyphenated(), f)
}

/// Reads a hyphenated UUID; other spellings (braces, no hyphens, capitals) are refused.
#[doc(hidden)]
pub fn parse_id(text: &str) -> Result<[u8; 16], IdError> {
    let fault = || IdError(text.chars().take(64).collect());
    let canonical = text.len() == 36 && !text.bytes().any(|b| b.is_ascii_uppercase());
    match uuid::Uuid::from_str(text) {
        Ok(uuid) if canonical => Ok(uuid.into_bytes()),
        Ok(_) | Err(_) => Err(fault()),
    }
}

id!(/// An organisation with its own people, resources and authority.
    AgencyId);
id!(/// A signed instrument between agencies.
    AgreementId);
id!(/// The smallest part of an agreement that permits a flow.
    ClauseId);
id!(/// A delegation: who may sign which kind of act.
    AuthorityId);
id!(/// Need-to-know: an operation, task force, channel or set of named recipients.
    CircleId);
id!(/// A device that a person enrolled.
    DeviceId);
id!(/// An entry of a ledger.
    EntryId);
id!(/// An exercise.
    ExerciseId);
id!(/// One ledger: the origin of its entries.
    LedgerId);
id!(/// A joint workspace of an incident, event or campaign.
    OperationId);
id!(/// A human.
    PersonId);
id!(/// Any record; each kind has its own id type with the same bytes.
    RecordId);
id!(/// A post that a person holds for a watch.
    SeatId);
id!(/// A program that acts with a scoped token.
    ServiceId);
id!(/// One signed-in session.
    SessionId);

/// A source of ids, deterministic for a given seed, so that a decision can be repeated.
///
/// The n-th id is the first 16 bytes of a domain-separated SHA-256 over (seed, n), with the version
/// and variant bits of a random UUID (RFC 9562 §5.4). The rim draws a new seed for each act.
pub struct Ids {
    seed: Secret,
    drawn: u64,
}

impl Ids {
    /// Starts the sequence that belongs to `seed`.
    pub const fn new(seed: Secret) -> Self {
        Self { seed, drawn: 0 }
    }

    /// Draws the next 16 bytes.
    pub fn next_id(&mut self) -> [u8; 16] {
        let digest = Hasher::new("muster/ids/v1")
            .part(self.seed.expose())
            .part(&self.drawn.to_be_bytes())
            .finish();
        self.drawn += 1;
        let mut id = [0; 16];
        for (to, from) in id.iter_mut().zip(digest.0) {
            *to = from;
        }
        uuid::Builder::from_random_bytes(id).into_uuid().into_bytes()
    }
}
