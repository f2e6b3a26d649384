//! Secrets of portions and headers, wrapped under the shred key of a week.
//!
//! A wrapped secret that strays — into a backup, a standby, a free page — dies with its shred key 35
//! days after that week. Live secrets are wrapped anew each week.

use base::Time;
use base::crypto::{Entropy, Secret};
use ledger::portion::SlotSecret;

use crate::log::LogName;
use crate::{Error, Keyring};

/// Bytes of a wrapped secret: nonce, ciphertext and tag.
pub const WRAPPED_BYTES: usize = 12 + 32 + 16;

/// A secret under a shred key: `12 nonce ‖ 32 ciphertext ‖ 16 tag`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrapped(pub [u8; WRAPPED_BYTES]);

/// Where a secret belongs; bound to its ciphertext, so that rows cannot be exchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SecretPlace {
    pub log: LogName,
    pub sequence: u64,
    pub slot: u8,
    pub week: u32,
}

impl SecretPlace {
    fn associated(self) -> [u8; 14] {
        let [a, b, c, d, e, f, g, h] = self.sequence.to_be_bytes();
        let [w, x, y, z] = self.week.to_be_bytes();
        [self.log.number(), a, b, c, d, e, f, g, h, self.slot, w, x, y, z]
    }
}

/// Wraps the secrets of an entry under the shred key of the week of `at`.
///
/// # Errors
/// [`Error`] when the shred key cannot be had.
pub fn wrap(
    keys: &Keyring,
    at: Time,
    place: (LogName, u64),
    secrets: &[SlotSecret],
    entropy: &mut Entropy,
) -> Result<(u32, Vec<(u8, Wrapped)>), Error> {
    let week = Keyring::week(at);
    let key = keys.shred_key(week, Some(entropy))?;
    let (log, sequence) = place;
    let mut wrapped = Vec::with_capacity(secrets.len());
    for secret in secrets {
        let place = SecretPlace { log, sequence, slot: secret.slot, week };
        wrapped.push((secret.slot, wrap_one(&key, place, &secret.secret, entropy)?));
    }
    Ok((week, wrapped))
}

/// Wraps one secret.
///
/// # Errors
/// [`Error::Crypto`] when the module fails.
pub fn wrap_one(
    key: &Secret,
    place: SecretPlace,
    secret: &Secret,
    entropy: &mut Entropy,
) -> Result<Wrapped, Error> {
    let mut nonce = [0; 12];
    for (to, from) in nonce.iter_mut().zip(entropy.draw()) {
        *to = from;
    }
    let sealed = key.seal(nonce, &place.associated(), secret.expose())?;
    let mut wrapped = [0; WRAPPED_BYTES];
    for (to, from) in wrapped.iter_mut().zip(nonce.iter().chain(&sealed)) {
        *to = *from;
    }
    Ok(Wrapped(wrapped))
}

/// Unwraps one secret.
///
/// # Errors
/// [`Error::Unwrap`] when a byte was changed or the row was moved, [`Error::Shredded`] when the shred
/// key of its week was destroyed.
pub fn unwrap(keys: &Keyring, place: SecretPlace, wrapped: &Wrapped) -> Result<Secret, Error> {
    let key = keys.shred_key(place.week, None)?;
    let fault = |source| Error::Unwrap { sequence: place.sequence, slot: place.slot, source };
    let Some((nonce, sealed)) = wrapped.0.split_first_chunk::<12>() else {
        return Err(Error::Form("wrapped secret"));
    };
    let plain = key.open(*nonce, &place.associated(), sealed).map_err(fault)?;
    Secret::from_slice(&plain).ok_or(Error::Form("wrapped secret"))
}
