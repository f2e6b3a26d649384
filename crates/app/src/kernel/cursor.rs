//! Cursors and receipts: sealed, of one length, and good for one session.
//!
//! A sequence number tells a reader how much goes on that it may not see, so none ever leaves in
//! the clear.

use base::crypto::{Digest, Entropy, Secret};
use base::{Kind, Time};

use super::fault::Fault;

/// What a cursor remembers of where its reader stood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    pub sequence: u64,
    /// The policy epoch, and the state of people and circles, under which it was made.
    pub epoch: u64,
    pub people: u64,
    pub profile: Digest,
    pub at: Time,
}

const PLAIN_BYTES: usize = 8 * 4 + 32;

impl Cursor {
    /// Seals a cursor for `owner`, the digest of a session, as URL-safe text.
    ///
    /// # Errors
    /// A bug when the module fails.
    pub fn seal(
        &self,
        key: &Secret,
        owner: &Digest,
        entropy: &mut Entropy,
    ) -> Result<String, Fault> {
        let mut plain = Vec::with_capacity(PLAIN_BYTES);
        plain.extend_from_slice(&self.sequence.to_be_bytes());
        plain.extend_from_slice(&self.epoch.to_be_bytes());
        plain.extend_from_slice(&self.people.to_be_bytes());
        plain.extend_from_slice(&self.at.ms().to_be_bytes());
        plain.extend_from_slice(&self.profile.0);
        let mut sealed = Vec::with_capacity(PLAIN_BYTES + 28);
        let mut nonce = [0; 12];
        for (to, from) in nonce.iter_mut().zip(entropy.draw()) {
            *to = from;
        }
        sealed.extend_from_slice(&nonce);
        sealed.extend(key.seal(nonce, &owner.0, &plain).map_err(Fault::bug)?);
        Ok(encode(&sealed))
    }

    /// Opens a cursor of `owner`.
    ///
    /// # Errors
    /// `invalid-cursor` when it was changed, is of another session or of an older key.
    pub fn open(text: &str, key: &Secret, owner: &Digest) -> Result<Self, Fault> {
        let wrong =
            || Fault::new(Kind::Invalid, "invalid-cursor", "the cursor is not of this session");
        let sealed = decode(text).ok_or_else(wrong)?;
        let (nonce, sealed) = sealed.split_first_chunk::<12>().ok_or_else(wrong)?;
        let plain = key.open(*nonce, &owner.0, sealed).map_err(|cause| wrong().because(cause))?;
        parse(&plain).ok_or_else(wrong)
    }
}

fn parse(plain: &[u8]) -> Option<Cursor> {
    let (sequence, rest) = plain.split_first_chunk::<8>()?;
    let (epoch, rest) = rest.split_first_chunk::<8>()?;
    let (people, rest) = rest.split_first_chunk::<8>()?;
    let (at, profile) = rest.split_first_chunk::<8>()?;
    Some(Cursor {
        sequence: u64::from_be_bytes(*sequence),
        epoch: u64::from_be_bytes(*epoch),
        people: u64::from_be_bytes(*people),
        at: Time::from_ms(i64::from_be_bytes(*at)).ok()?,
        profile: Digest::from_slice(profile)?,
    })
}

/// URL-safe base64 without padding (RFC 4648 §5).
pub fn encode(bytes: &[u8]) -> String {
    use base64::Engine;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
}

/// Reads what [`encode`] wrote.
pub fn decode(text: &str) -> Option<Vec<u8>> {
    use base64::Engine;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(text).ok()
}
