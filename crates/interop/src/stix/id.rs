//! Identifiers, and the ones that an observable's own properties give (STIX 2.1 §2.9, §3.4).

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::json::Json;
use crate::{Fault, limit};

/// An identifier of the form `type--UUID`, in small letters (STIX 2.1 §2.9).
///
/// Two ids that differ in the letters of their hexadecimal digits are one id (RFC 9562 §4).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StixId(Box<str>);

/// A text that is no identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an identifier of the form type--UUID")]
pub struct StixIdError;

/// Characters of a hyphenated UUID.
const UUID_BYTES: usize = 36;

impl StixId {
    /// Joins a type and 16 bytes of a UUID.
    ///
    /// # Errors
    /// [`StixIdError`] when either has not its form.
    pub fn new(type_name: &str, uuid: [u8; 16]) -> Result<Self, StixIdError> {
        format!("{type_name}--{}", uuid::Uuid::from_bytes(uuid).hyphenated()).parse()
    }

    /// The type of the object that is named.
    pub fn type_name(&self) -> &str {
        self.0.rsplit_once("--").map_or("", |(type_name, _)| type_name)
    }

    /// The 16 bytes of the UUID.
    pub fn uuid(&self) -> [u8; 16] {
        let uuid = self.0.rsplit_once("--").and_then(|(_, text)| uuid::Uuid::from_str(text).ok());
        uuid.unwrap_or_default().into_bytes()
    }

    /// The version of the UUID, 1 to 8 (RFC 9562 §4.2).
    pub fn version(&self) -> usize {
        uuid::Uuid::from_bytes(self.uuid()).get_version_num()
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for StixId {
    type Err = StixIdError;

    fn from_str(text: &str) -> Result<Self, StixIdError> {
        let at = text.len().checked_sub(UUID_BYTES).ok_or(StixIdError)?;
        let (front, uuid) = text.split_at_checked(at).ok_or(StixIdError)?;
        let type_name = front.strip_suffix("--").ok_or(StixIdError)?;
        if !is_type_name(type_name) || !is_uuid(uuid.as_bytes()) {
            return Err(StixIdError);
        }
        let mut text: Box<str> = text.into();
        text.make_ascii_lowercase();
        Ok(Self(text))
    }
}

impl fmt::Display for StixId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for StixId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for StixId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for StixId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// Whether `name` may be the name of a type: 3 to 250 of a–z, 0–9 and single hyphens, a letter
/// first (STIX 2.1 §3.1).
pub fn is_type_name(name: &str) -> bool {
    let bytes = name.as_bytes();
    (3..=limit::TYPE_BYTES).contains(&bytes.len())
        && bytes.iter().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || *b == b'-')
        && bytes.first().is_some_and(u8::is_ascii_lowercase)
        && !name.ends_with('-')
        && !name.contains("--")
}

/// Whether the 36 bytes are a UUID of the variant and one of the versions of RFC 9562.
fn is_uuid(text: &[u8]) -> bool {
    text.len() == UUID_BYTES
        && text.iter().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => *byte == b'-',
            14 => (b'1'..=b'8').contains(byte),
            19 => b"89abAB".contains(byte),
            _ => byte.is_ascii_hexdigit(),
        })
}

/// The namespace of observables' ids: 00abedb4-aa42-466c-9c01-fed23315a9b7 (STIX 2.1 §2.9).
const NAMESPACE: [u8; 16] = [
    0x00, 0xab, 0xed, 0xb4, 0xaa, 0x42, 0x46, 0x6c, 0x9c, 0x01, 0xfe, 0xd2, 0x33, 0x15, 0xa9, 0xb7,
];

/// Of several hashes the first of these contributes (STIX 2.1 §3.4).
const HASHES: [&str; 4] = ["MD5", "SHA-1", "SHA-256", "SHA-512"];

/// The properties that give an observable its id, by type (STIX 2.1 §6).
fn contributing(type_name: &str) -> &'static [&'static str] {
    match type_name {
        "artifact" => &["hashes", "payload_bin"],
        "autonomous-system" => &["number"],
        "directory" => &["path"],
        "domain-name" | "email-addr" | "ipv4-addr" | "ipv6-addr" | "mac-addr" | "url" => &["value"],
        "email-message" => &["from_ref", "subject", "body"],
        "file" => &["hashes", "name", "parent_directory_ref", "extensions"],
        "mutex" => &["name"],
        "network-traffic" => &[
            "start",
            "end",
            "src_ref",
            "dst_ref",
            "src_port",
            "dst_port",
            "protocols",
            "extensions",
        ],
        "software" => &["name", "cpe", "swid", "vendor", "version"],
        "user-account" => &["account_type", "user_id", "account_login"],
        "windows-registry-key" => &["key", "values"],
        "x509-certificate" => &["hashes", "serial_number"],
        _ => &[],
    }
}

/// The id that the properties of an observable give: a UUID of version 5 over their canonical JSON.
///
/// `None` for other objects and for an observable that has none of the properties that contribute.
///
/// # Errors
/// [`Fault::Json`] never for a value that [`Json::parse`] gave.
pub fn observable_id(object: &Json<'_>) -> Result<Option<StixId>, Fault> {
    let type_name = object.get("type").and_then(Json::text).unwrap_or_default();
    let mut properties = Vec::new();
    for name in contributing(type_name) {
        let value = object.get(name).filter(|value| !matches!(value, Json::Null));
        let value = if *name == "hashes" { value.and_then(one_hash) } else { value.cloned() };
        properties.extend(value.map(|value| (Cow::Borrowed(*name), value)));
    }
    if properties.is_empty() {
        return Ok(None);
    }
    let mut bytes = NAMESPACE.to_vec();
    bytes.extend(Json::Object(properties).canonical()?);
    let sha1 = digest(&SHA1_FOR_LEGACY_USE_ONLY, &bytes);
    let first = sha1.as_ref().first_chunk::<16>().copied().unwrap_or_default();
    let uuid = uuid::Builder::from_sha1_bytes(first).into_uuid();
    Ok(StixId::new(type_name, uuid.into_bytes()).ok())
}

/// The one hash that contributes: the first of [`HASHES`], else the first by name.
fn one_hash<'a>(hashes: &Json<'a>) -> Option<Json<'a>> {
    let preferred =
        HASHES.iter().find_map(|name| hashes.entries().iter().find(|(other, _)| other == name));
    let first = || hashes.entries().iter().min_by(|(a, _), (b, _)| a.cmp(b));
    preferred.or_else(first).map(|entry| Json::Object(vec![entry.clone()]))
}
