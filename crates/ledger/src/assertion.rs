//! Assertions of passkeys: WebAuthn Level 3 §7.1 and §7.2, ES256 and EdDSA, without trust in
//! attestation.
//!
//! One verifier for registration, sign-in and the signatures of acts; [`crate::act_signature`] says
//! what an act's challenge is. Steps are numbered as in the recommendation of the W3C.

use base::crypto::{self, Algorithm, sha256};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use minicbor::data::Type;
use minicbor::{Decoder, Encoder};
use serde::Deserialize;

/// LIMIT: bytes of client data; browsers send a few hundred.
pub const CLIENT_DATA_BYTES: usize = 4096;
/// LIMIT: bytes of authenticator data and of an attestation object.
pub const AUTHENTICATOR_DATA_BYTES: usize = 16 * 1024;
/// LIMIT: bytes of a credential id (WebAuthn §7.1 step 25).
pub const CREDENTIAL_ID_BYTES: usize = 1023;

/// Why an assertion or a registration was refused.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Error {
    #[error("client data is not the JSON of WebAuthn §5.8.1")]
    ClientData,
    #[error("client data is of another ceremony")]
    Ceremony,
    #[error("challenge is another")]
    Challenge,
    #[error("origin is another")]
    Origin,
    #[error("ceremony ran in a frame of another origin")]
    CrossOrigin,
    #[error("authenticator data has another form than WebAuthn §6.1")]
    AuthenticatorData,
    #[error("relying party is another")]
    RelyingParty,
    #[error("nobody was present")]
    UserPresence,
    #[error("the person was not verified")]
    UserVerification,
    #[error("backup flags contradict each other or the registration")]
    Backup,
    #[error("signature does not fit")]
    Signature(#[source] crypto::Error),
    #[error("signature counter did not grow: the authenticator may have been copied")]
    Counter,
    #[error("attestation object has another form than WebAuthn §6.5")]
    Attestation,
    #[error("key is none of ES256 or EdDSA in the form of RFC 9053")]
    Key,
}

/// The public key of a credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PublicKey {
    /// COSE algorithm -7: the uncompressed point on P-256.
    Es256([u8; 65]),
    /// COSE algorithm -8 on Ed25519.
    EdDsa([u8; 32]),
}

impl PublicKey {
    /// Reads a `COSE_Key` (RFC 9052 §7, RFC 9053 §7) and gives how many bytes it takes.
    ///
    /// # Errors
    /// [`Error::Key`] for other algorithms, other curves, a compressed point or another form.
    pub fn from_cose(bytes: &[u8]) -> Result<(Self, usize), Error> {
        let mut decoder = Decoder::new(bytes);
        let key = cose(&mut decoder).map_err(|_form| Error::Key)?;
        Ok((key.ok_or(Error::Key)?, decoder.position()))
    }

    /// The canonical `COSE_Key`.
    pub fn to_cose(&self) -> Vec<u8> {
        let mut encoder = Encoder::new(Vec::new());
        // Writing to a vector cannot fail.
        let _infallible = match self {
            Self::Es256(point) => encoder
                .map(5)
                .and_then(|e| e.i8(1)?.i8(2)?.i8(3)?.i8(-7)?.i8(-1)?.i8(1)?.i8(-2))
                .and_then(|e| e.bytes(point.get(1..33).unwrap_or_default()))
                .and_then(|e| e.i8(-3)?.bytes(point.get(33..).unwrap_or_default()))
                .map(drop),
            Self::EdDsa(key) => encoder
                .map(4)
                .and_then(|e| e.i8(1)?.i8(1)?.i8(3)?.i8(-8)?.i8(-1)?.i8(6)?.i8(-2)?.bytes(key))
                .map(drop),
        };
        encoder.into_writer()
    }

    fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), Error> {
        match self {
            Self::Es256(point) => crypto::verify_p256(point, message, signature),
            Self::EdDsa(key) => Algorithm::Ed25519.verify(key, message, signature),
        }
        .map_err(Error::Signature)
    }
}

fn cose(decoder: &mut Decoder<'_>) -> Result<Option<PublicKey>, minicbor::decode::Error> {
    let (mut kind, mut algorithm, mut curve) = (0, 0, 0);
    let (mut x, mut y) = (None, None);
    for _ in 0..decoder.map()?.filter(|fields| *fields <= 8).unwrap_or(0) {
        match decoder.i64()? {
            1 => kind = decoder.i64()?,
            3 => algorithm = decoder.i64()?,
            -1 => curve = decoder.i64()?,
            -2 => x = <[u8; 32]>::try_from(decoder.bytes()?).ok(),
            -3 if decoder.datatype()? == Type::Bool => return Ok(None),
            -3 => y = <[u8; 32]>::try_from(decoder.bytes()?).ok(),
            _ => decoder.skip()?,
        }
    }
    Ok(match (kind, algorithm, curve, x, y) {
        (2, -7, 1, Some(x), Some(y)) => {
            let point = [[4].as_slice(), &x, &y].concat();
            point.try_into().ok().map(PublicKey::Es256)
        }
        (1, -8, 6, Some(x), None) => Some(PublicKey::EdDsa(x)),
        _ => None,
    })
}

/// The party that credentials are scoped to: a node, by its host name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RelyingParty {
    /// The host name that the node was given for ever.
    pub id: String,
}

impl RelyingParty {
    /// Whether an origin is one of this node: `https` on its very name, with any port; for
    /// `localhost`, which browsers hold to be secure, `http` too.
    pub fn is_origin(&self, origin: &str) -> bool {
        let rest = match origin.strip_prefix("https://") {
            Some(rest) => Some(rest),
            None if self.id == "localhost" => origin.strip_prefix("http://"),
            None => None,
        };
        let port = rest.and_then(|rest| rest.strip_prefix(self.id.as_str()));
        port.is_some_and(|port| {
            port.is_empty() || port.strip_prefix(':').is_some_and(|p| p.parse::<u16>().is_ok())
        })
    }
}

/// What an authenticator answers to a challenge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assertion {
    pub authenticator_data: Vec<u8>,
    /// The bytes of `clientDataJSON` as the browser made them.
    pub client_data: Vec<u8>,
    pub signature: Vec<u8>,
}

/// Whether the person must have been verified by a biometric or a PIN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verification {
    Required,
    /// Presence is enough; used with published vectors and nowhere in the product.
    Discouraged,
}

/// What an assertion is held against.
#[derive(Clone, Debug)]
pub struct Expected<'a> {
    pub party: &'a RelyingParty,
    pub challenge: &'a [u8; 32],
    pub verification: Verification,
}

/// What a verified assertion says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verified {
    pub user_verified: bool,
    /// Whether copies of the credential may exist elsewhere (WebAuthn §6.1.3).
    pub backup_eligible: bool,
    /// 0 when the authenticator does not count.
    pub count: u32,
}

/// What a verified registration says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registered {
    pub credential: Vec<u8>,
    pub key: PublicKey,
    pub verified: Verified,
}

#[derive(Deserialize)]
struct ClientData {
    #[serde(rename = "type")]
    ceremony: String,
    challenge: String,
    origin: String,
    #[serde(rename = "crossOrigin", default)]
    cross_origin: bool,
    #[serde(rename = "topOrigin")]
    top_origin: Option<String>,
}

/// The challenge that client data answers, before anything of it is believed.
///
/// # Errors
/// [`Error::ClientData`] when it has another form.
pub fn challenge_of(client_data: &[u8]) -> Result<[u8; 32], Error> {
    let data = parse(client_data)?;
    let bytes = URL_SAFE_NO_PAD.decode(data.challenge).map_err(|_form| Error::ClientData)?;
    bytes.try_into().map_err(|_length| Error::ClientData)
}

fn parse(client_data: &[u8]) -> Result<ClientData, Error> {
    if client_data.len() > CLIENT_DATA_BYTES {
        return Err(Error::ClientData);
    }
    serde_json::from_slice(client_data).map_err(|_form| Error::ClientData)
}

/// Steps 9 to 14 of §7.2, and the same of §7.1: what the browser says.
fn client(bytes: &[u8], ceremony: &str, expected: &Expected<'_>) -> Result<(), Error> {
    let data = parse(bytes)?;
    if data.ceremony != ceremony {
        return Err(Error::Ceremony);
    }
    let challenge = URL_SAFE_NO_PAD.decode(&data.challenge).unwrap_or_default();
    if !crypto::equal(&challenge, expected.challenge) {
        return Err(Error::Challenge);
    }
    if !expected.party.is_origin(&data.origin) {
        return Err(Error::Origin);
    }
    if data.cross_origin || data.top_origin.is_some() {
        return Err(Error::CrossOrigin);
    }
    Ok(())
}

/// Steps 15 to 19 of §7.2, and the same of §7.1: what the authenticator says; with what follows.
fn authenticator<'a>(
    bytes: &'a [u8],
    expected: &Expected<'_>,
) -> Result<(Verified, u8, &'a [u8]), Error> {
    if bytes.len() > AUTHENTICATOR_DATA_BYTES {
        return Err(Error::AuthenticatorData);
    }
    let (party, rest) = bytes.split_at_checked(32).ok_or(Error::AuthenticatorData)?;
    let (flags, rest) = rest.split_first().ok_or(Error::AuthenticatorData)?;
    let (count, rest) = rest.split_first_chunk::<4>().ok_or(Error::AuthenticatorData)?;
    if party != sha256(expected.party.id.as_bytes()).0 {
        return Err(Error::RelyingParty);
    }
    let flag = |bit: u8| flags & (1 << bit) != 0;
    if !flag(0) {
        return Err(Error::UserPresence);
    }
    if expected.verification == Verification::Required && !flag(2) {
        return Err(Error::UserVerification);
    }
    // A credential that cannot be backed up is not backed up (§7.2 step 18).
    if flag(4) && !flag(3) {
        return Err(Error::Backup);
    }
    let verified = Verified {
        user_verified: flag(2),
        backup_eligible: flag(3),
        count: u32::from_be_bytes(*count),
    };
    Ok((verified, *flags, rest))
}

/// Verifies an assertion (WebAuthn Level 3 §7.2) by the credential's key.
///
/// Steps 5 to 7, which find the credential and its owner, and 22, the counter, are the caller's:
/// see [`check_count`]. Extensions are not asked for and not read.
///
/// # Errors
/// [`Error`] with the step that failed.
pub fn verify(
    key: &PublicKey,
    assertion: &Assertion,
    expected: &Expected<'_>,
) -> Result<Verified, Error> {
    client(&assertion.client_data, "webauthn.get", expected)?;
    let (verified, flags, rest) = authenticator(&assertion.authenticator_data, expected)?;
    // Without the extension flag nothing follows the counter (§6.1).
    if flags & 0x40 != 0 || (flags & 0x80 == 0) != rest.is_empty() {
        return Err(Error::AuthenticatorData);
    }
    let hash = sha256(&assertion.client_data);
    let message = [assertion.authenticator_data.as_slice(), &hash.0].concat();
    key.verify(&message, &assertion.signature)?;
    Ok(verified)
}

/// Holds a signature counter against the last one (§7.2 step 22): an authenticator that counts
/// counts upwards.
///
/// # Errors
/// [`Error::Counter`] when it did not grow; the credential may have been copied.
pub const fn check_count(last: u32, now: u32) -> Result<(), Error> {
    if (last == 0 && now == 0) || now > last { Ok(()) } else { Err(Error::Counter) }
}

/// Verifies a registration (WebAuthn Level 3 §7.1).
///
/// No attestation is asked for, so none is trusted: its statement is not read (§7.1 step 24).
///
/// # Errors
/// [`Error`] with the step that failed.
pub fn register(
    client_data: &[u8],
    attestation: &[u8],
    expected: &Expected<'_>,
) -> Result<Registered, Error> {
    client(client_data, "webauthn.create", expected)?;
    if attestation.len() > AUTHENTICATOR_DATA_BYTES {
        return Err(Error::Attestation);
    }
    let data = data_of(attestation).map_err(|_form| Error::Attestation)?;
    let data = data.ok_or(Error::Attestation)?;
    let (verified, flags, rest) = authenticator(data, expected)?;
    if flags & 0x40 == 0 {
        return Err(Error::AuthenticatorData);
    }
    let (_model, rest) = rest.split_at_checked(16).ok_or(Error::AuthenticatorData)?;
    let (length, rest) = rest.split_first_chunk::<2>().ok_or(Error::AuthenticatorData)?;
    let length = usize::from(u16::from_be_bytes(*length));
    if length == 0 || length > CREDENTIAL_ID_BYTES {
        return Err(Error::AuthenticatorData);
    }
    let (credential, rest) = rest.split_at_checked(length).ok_or(Error::AuthenticatorData)?;
    let (key, taken) = PublicKey::from_cose(rest)?;
    if flags & 0x80 == 0 && taken != rest.len() {
        return Err(Error::AuthenticatorData);
    }
    Ok(Registered { credential: credential.to_vec(), key, verified })
}

/// The authenticator data of an attestation object (§6.5).
fn data_of(attestation: &[u8]) -> Result<Option<&[u8]>, minicbor::decode::Error> {
    let mut decoder = Decoder::new(attestation);
    let mut data = None;
    for _ in 0..decoder.map()?.filter(|fields| *fields <= 8).unwrap_or(0) {
        match decoder.str()? {
            "authData" => data = Some(decoder.bytes()?),
            _ => decoder.skip()?,
        }
    }
    Ok(data)
}
