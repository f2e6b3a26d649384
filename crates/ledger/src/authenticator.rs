//! An authenticator made of software, for people of the demonstration and of tests.
//!
//! What it makes passes the same verifier as what a real one makes; that it is no real one is
//! written where its credential is enrolled.

use base::crypto::{self, Hasher, P256Key, Secret, sha256};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use minicbor::Encoder;

use crate::assertion::{Assertion, PublicKey};

/// Flags: user present, user verified.
const PRESENT_AND_VERIFIED: u8 = 0b101;
/// Flag: attested credential data follows.
const ATTESTED: u8 = 0b100_0000;

/// A credential with its private key, scoped to one relying party.
pub struct Authenticator {
    key: P256Key,
    credential: Vec<u8>,
    party: String,
}

impl Authenticator {
    /// The credential that belongs to `seed`.
    ///
    /// # Errors
    /// [`crypto::Error::Key`] when the module refuses the key.
    pub fn from_seed(seed: &Secret, party: &str) -> Result<Self, crypto::Error> {
        let key = P256Key::from_seed(seed)?;
        let credential = Hasher::new("muster/credential/v1").part(key.public_key()).finish();
        Ok(Self { key, credential: credential.0.to_vec(), party: party.to_owned() })
    }

    /// The id of its credential.
    pub fn credential(&self) -> &[u8] {
        &self.credential
    }

    /// The public key of its credential.
    pub const fn public_key(&self) -> PublicKey {
        PublicKey::Es256(*self.key.public_key())
    }

    fn data(&self, flags: u8, count: u32) -> Vec<u8> {
        let party = sha256(self.party.as_bytes());
        [party.0.as_slice(), &[flags], &count.to_be_bytes()].concat()
    }

    /// Answers a challenge, as present and verified; it does not count.
    ///
    /// # Errors
    /// [`crypto::Error::Module`] when the module fails.
    pub fn assert(&self, challenge: &[u8; 32], origin: &str) -> Result<Assertion, crypto::Error> {
        self.assert_with(&client_data("webauthn.get", challenge, origin), PRESENT_AND_VERIFIED, 0)
    }

    /// Answers with given client data, flags and counter: what a faulty authenticator would do.
    ///
    /// # Errors
    /// [`crypto::Error::Module`] when the module fails.
    pub fn assert_with(
        &self,
        client_data: &[u8],
        flags: u8,
        count: u32,
    ) -> Result<Assertion, crypto::Error> {
        let authenticator_data = self.data(flags, count);
        let message = [authenticator_data.as_slice(), &sha256(client_data).0].concat();
        let signature = self.key.sign(&message)?;
        Ok(Assertion { authenticator_data, client_data: client_data.to_vec(), signature })
    }

    /// Registers: client data and attestation object, without attestation.
    pub fn register(&self, challenge: &[u8; 32], origin: &str) -> (Vec<u8>, Vec<u8>) {
        let mut data = self.data(PRESENT_AND_VERIFIED | ATTESTED, 0);
        data.extend_from_slice(&[0; 16]);
        let length = u16::try_from(self.credential.len()).unwrap_or(u16::MAX);
        data.extend_from_slice(&length.to_be_bytes());
        data.extend_from_slice(&self.credential);
        data.extend_from_slice(&self.public_key().to_cose());
        let mut encoder = Encoder::new(Vec::new());
        // Writing to a vector cannot fail.
        let _infallible = encoder
            .map(3)
            .and_then(|e| e.str("fmt")?.str("none")?.str("attStmt")?.map(0))
            .and_then(|e| e.str("authData")?.bytes(&data))
            .map(drop);
        (client_data("webauthn.create", challenge, origin), encoder.into_writer())
    }
}

/// Client data as a browser makes it (WebAuthn §5.8.1.1).
pub fn client_data(ceremony: &str, challenge: &[u8; 32], origin: &str) -> Vec<u8> {
    let challenge = URL_SAFE_NO_PAD.encode(challenge);
    let fields = format!(
        "{{\"type\":\"{ceremony}\",\"challenge\":\"{challenge}\",\"origin\":\"{origin}\",\
         \"crossOrigin\":false}}"
    );
    fields.into_bytes()
}
