//! Cosignatures (C2SP tlog-cosignature v1.0.1, `cosignature/v1`): a witness's timed signature.
//!
//! It states that at its time the checkpoint's tree was the largest consistent one that the witness
//! had seen of that log. It does not state that any entry is true or lawful.

use std::fmt;
use std::sync::Arc;

use base::Time;
use base::crypto::{Algorithm, Sign};

use crate::checkpoint::Checkpoint;
use crate::error::Error;
use crate::note::{KeyName, Signature, SignatureType, VerifierKey};

/// The bytes that are signed: header line, time line, and the whole text of the checkpoint.
fn message(timestamp_s: u64, text: &str) -> Vec<u8> {
    format!("cosignature/v1\ntime {timestamp_s}\n{text}").into_bytes()
}

/// The time that a cosignature states, in seconds since 1970; the key has to be of type `0x04`.
///
/// # Errors
/// [`Error::Timestamp`] when there is none or it is above 2⁶³ − 1.
pub fn timestamp_s(signature: &Signature) -> Result<u64, Error> {
    let (timestamp, _rest) = signature.bytes().split_first_chunk::<8>().ok_or(Error::Timestamp)?;
    let timestamp_s = u64::from_be_bytes(*timestamp);
    if i64::try_from(timestamp_s).is_ok() { Ok(timestamp_s) } else { Err(Error::Timestamp) }
}

/// Parts a cosignature into the message that was signed and the Ed25519 signature.
pub(crate) fn part<'s>(text: &str, signature: &'s Signature) -> Result<(Vec<u8>, &'s [u8]), Error> {
    Checkpoint::parse(text)?;
    let timestamp_s = timestamp_s(signature)?;
    let (_timestamp, bytes) = signature.bytes().split_at_checked(8).ok_or(Error::Timestamp)?;
    Ok((message(timestamp_s, text), bytes))
}

/// The private key of a witness.
///
/// The message does not name the witness, so one key serves one witness only.
#[derive(Clone)]
pub struct Cosigner {
    key: VerifierKey,
    private: Arc<dyn Sign>,
}

impl Cosigner {
    /// Takes an Ed25519 key and the name of the witness.
    ///
    /// # Errors
    /// [`Error::SignatureType`] for a key of another algorithm.
    pub fn new(name: KeyName, private: Arc<dyn Sign>) -> Result<Self, Error> {
        if private.algorithm() != Algorithm::Ed25519 {
            return Err(Error::SignatureType(name.to_string()));
        }
        let key = VerifierKey::new(name, SignatureType::Cosignature, private.public_key())?;
        Ok(Self { key, private })
    }

    /// The key that verifies what this one cosigns.
    pub const fn key(&self) -> &VerifierKey {
        &self.key
    }

    /// Cosigns the text of a checkpoint, extension lines and all, as of the second of `at`.
    ///
    /// # Errors
    /// [`Error::Checkpoint`] for another text, [`Error::Timestamp`] in the first second of 1970,
    /// [`Error::Sign`] when the key or its token fails.
    pub fn cosign(&self, text: &str, at: Time) -> Result<Signature, Error> {
        Checkpoint::parse(text)?;
        let timestamp_s = u64::try_from(at.ms() / 1000).unwrap_or(0);
        if timestamp_s == 0 {
            return Err(Error::Timestamp);
        }
        let signed = self.private.sign(&message(timestamp_s, text));
        let bytes = signed.map_err(|source| Error::Sign { key: self.key.label(), source })?;
        let timed = [timestamp_s.to_be_bytes().as_slice(), &bytes].concat();
        Ok(Signature::new(&self.key, timed))
    }
}

impl fmt::Debug for Cosigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cosigner({})", self.key.label())
    }
}
