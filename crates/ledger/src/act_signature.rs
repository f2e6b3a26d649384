//! Signatures of acts: what a person signs with a passkey, and how an entry keeps it.
//!
//! ```text
//! challenge = H("muster/act/v1", ledger, command, target…, text, nonce)
//! target    = record (16 bytes) ‖ state (32 bytes), one part for all targets in their order
//! text      = H("muster/act-text/v1", idempotency key, text as it was shown)
//! ```
//! `H` is [`base::crypto::Hasher`]; `command` is the digest in the entry's header. The text is
//! digested with the caller's idempotency key, which is not kept, so that the signature confirms no
//! guess of what was erased.
//!
//! An entry keeps, sealed, deterministic CBOR (RFC 8949 §4.2.1):
//! `[1, credential, authenticator data, client data, signature, [[record, state]…], text, nonce]`.

use base::crypto::{Digest, Hasher};
use base::{LedgerId, RecordId};
use minicbor::{Decoder, Encoder};

use crate::assertion::{
    self, Assertion, Expected, PublicKey, RelyingParty, Verification, Verified,
};

/// LIMIT: records that one signed act names.
pub const TARGETS: usize = 16;

/// A record that the act is upon, in the state in which its signer read it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    pub record: RecordId,
    /// Digest of the versions of the layers that the signer may read.
    pub state: Digest,
}

/// What is signed besides the ledger and the command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    pub targets: Vec<Target>,
    pub text: Digest,
    /// Drawn by the server for each challenge.
    pub nonce: [u8; 32],
}

/// The digest of the text that was shown.
pub fn text_digest(idempotency_key: &str, text: &str) -> Digest {
    let hasher = Hasher::new("muster/act-text/v1").part(idempotency_key.as_bytes());
    hasher.part(text.as_bytes()).finish()
}

impl Subject {
    /// The challenge of an act of `ledger` with the header's digest of its command.
    pub fn challenge(&self, ledger: LedgerId, command: Digest) -> [u8; 32] {
        let mut targets = Vec::with_capacity(self.targets.len() * 48);
        for target in &self.targets {
            targets.extend_from_slice(&target.record.0);
            targets.extend_from_slice(&target.state.0);
        }
        let hasher = Hasher::new("muster/act/v1").part(&ledger.0).part(&command.0);
        hasher.part(&targets).part(&self.text.0).part(&self.nonce).finish().0
    }
}

/// The signature of an act as its entry keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActSignature {
    pub credential: Vec<u8>,
    pub assertion: Assertion,
    pub subject: Subject,
}

impl ActSignature {
    /// The bytes that an entry seals.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut encoder = Encoder::new(Vec::new());
        // Writing to a vector cannot fail.
        let _infallible = self.encode(&mut encoder);
        encoder.into_writer()
    }

    fn encode(
        &self,
        encoder: &mut Encoder<Vec<u8>>,
    ) -> Result<(), minicbor::encode::Error<std::convert::Infallible>> {
        let Assertion { authenticator_data, client_data, signature } = &self.assertion;
        encoder.array(8)?.u8(1)?.bytes(&self.credential)?;
        encoder.bytes(authenticator_data)?.bytes(client_data)?.bytes(signature)?;
        encoder.array(self.subject.targets.len() as u64)?;
        for target in &self.subject.targets {
            encoder.array(2)?.bytes(&target.record.0)?.bytes(&target.state.0)?;
        }
        encoder.bytes(&self.subject.text.0)?.bytes(&self.subject.nonce)?;
        Ok(())
    }

    /// Reads what [`ActSignature::to_bytes`] wrote; `None` for any other form.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let read = decode(&mut Decoder::new(bytes)).ok().flatten()?;
        (read.to_bytes() == bytes).then_some(read)
    }

    /// Verifies it for an act of `ledger` with the header's digest of its command.
    ///
    /// # Errors
    /// [`assertion::Error`] with the step of WebAuthn §7.2 that failed.
    pub fn verify(
        &self,
        key: &PublicKey,
        party: &RelyingParty,
        (ledger, command): (LedgerId, Digest),
    ) -> Result<Verified, assertion::Error> {
        let challenge = self.subject.challenge(ledger, command);
        let verification = Verification::Required;
        let expected = Expected { party, challenge: &challenge, verification };
        assertion::verify(key, &self.assertion, &expected)
    }
}

fn decode(decoder: &mut Decoder<'_>) -> Result<Option<ActSignature>, minicbor::decode::Error> {
    if decoder.array()? != Some(8) || decoder.u8()? != 1 {
        return Ok(None);
    }
    let credential = decoder.bytes()?.to_vec();
    let authenticator_data = decoder.bytes()?.to_vec();
    let client_data = decoder.bytes()?.to_vec();
    let signature = decoder.bytes()?.to_vec();
    let mut targets = Vec::new();
    for _ in 0..decoder.array()?.filter(|n| *n <= TARGETS as u64).unwrap_or(0) {
        decoder.array()?;
        let record = RecordId::from_slice(decoder.bytes()?);
        let state = Digest::from_slice(decoder.bytes()?);
        let (Some(record), Some(state)) = (record, state) else { return Ok(None) };
        targets.push(Target { record, state });
    }
    let text = Digest::from_slice(decoder.bytes()?);
    let nonce = decoder.bytes()?.try_into().ok();
    let (Some(text), Some(nonce)) = (text, nonce) else { return Ok(None) };
    Ok(Some(ActSignature {
        credential,
        assertion: Assertion { authenticator_data, client_data, signature },
        subject: Subject { targets, text, nonce },
    }))
}
