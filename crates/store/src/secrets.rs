//! Secrets of portions and headers, wrapped under the shred key of a week.
//!
//! A wrapped secret that strays — into a backup, a standby, a free page — dies with its shred key
//! 35 days after that week. Live secrets are wrapped anew each week.

use base::Time;
use base::crypto::{Entropy, Secret};
use ledger::portion::SlotSecret;

use crate::log::{LogName, Page};
use crate::{Error, Keyring, row};

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
        let mut bytes = [0; 14];
        let fields: [&[u8]; 4] = [
            &[self.log.number()],
            &self.sequence.to_be_bytes(),
            &[self.slot],
            &self.week.to_be_bytes(),
        ];
        for (to, from) in bytes.iter_mut().zip(fields.into_iter().flatten()) {
            *to = *from;
        }
        bytes
    }
}

/// Wraps the secrets of an entry under the shred key that is in use at `at`.
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
    let week = keys.open_week(at);
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
    let nonce = entropy.nonce();
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
/// [`Error::Unwrap`] when a byte was changed or the row was moved, [`Error::Shredded`] when the
/// shred key of its week was destroyed, [`Error::KeyMissing`] when there never was one of that
/// week.
pub fn unwrap(keys: &Keyring, place: SecretPlace, wrapped: &Wrapped) -> Result<Secret, Error> {
    let key = keys.shred_key(place.week, None)?;
    let fault = |source| Error::Unwrap { sequence: place.sequence, slot: place.slot, source };
    let Some((nonce, sealed)) = wrapped.0.split_first_chunk::<12>() else {
        return Err(Error::Form("wrapped secret"));
    };
    let plain = key.open(*nonce, &place.associated(), sealed).map_err(fault)?;
    Secret::from_slice(&plain).ok_or(Error::Form("wrapped secret"))
}

/// What wrapping a page of secrets anew did.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Rewrapped {
    /// Where the next page begins; `None` behind the last.
    pub next: Option<u64>,
    /// Entries whose secrets now lie under the current key.
    pub wrapped: u64,
    /// Entries whose secrets could not be unwrapped. They are left as they are, and hold the key of
    /// their week; each is damage.
    pub failed: Vec<u64>,
}

/// The secrets of an entry as their row has them.
pub(crate) struct PackedSecrets {
    pub sequence: u64,
    pub week: u32,
    pub packed: Vec<u8>,
}

/// Wraps pages of secrets under the key of one week.
pub(crate) struct Rewrap<'a> {
    pub keys: &'a Keyring,
    pub week: u32,
    pub key: Secret,
    pub entropy: &'a mut Entropy,
    pub outcome: Rewrapped,
}

impl Rewrap<'_> {
    /// The rows to be written in place of those of a page that lie under other weeks' keys.
    /// A row without secrets moves too, so that what was erased never holds a week's key.
    pub fn page(
        &mut self,
        page: Page,
        rows: &[PackedSecrets],
    ) -> Result<Vec<PackedSecrets>, Error> {
        let full = rows.len() >= page.limit as usize;
        self.outcome.next = rows.last().filter(|_| full).map(|last| last.sequence + 1);
        let mut moved = Vec::new();
        let mut failed = Vec::new();
        let week = self.week;
        for old in rows.iter().filter(|old| old.week != week) {
            match self.row(page.log, old) {
                Ok(new) => moved.push(new),
                Err(
                    Error::Unwrap { .. }
                    | Error::Form(_)
                    | Error::Shredded(_)
                    | Error::KeyMissing(_),
                ) => failed.push(old.sequence),
                Err(other) => return Err(other),
            }
        }
        self.outcome.wrapped = moved.len() as u64;
        self.outcome.failed = failed;
        Ok(moved)
    }

    fn row(&mut self, log: LogName, old: &PackedSecrets) -> Result<PackedSecrets, Error> {
        let PackedSecrets { sequence, week, .. } = *old;
        let mut secrets = row::unpack_secrets(&old.packed)?;
        for (slot, wrapped) in &mut secrets {
            let place = SecretPlace { log, sequence, slot: *slot, week };
            let secret = unwrap(self.keys, place, wrapped)?;
            let place = SecretPlace { week: self.week, ..place };
            *wrapped = wrap_one(&self.key, place, &secret, self.entropy)?;
        }
        let packed = row::pack_secrets(&secrets);
        Ok(PackedSecrets { sequence, week: self.week, packed })
    }
}
