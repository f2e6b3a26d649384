//! Upkeep of keys: each week live secrets are wrapped anew, and keys of past weeks are destroyed.
//!
//! A copy of the secrets, wherever it went, dies with the key of its week. The work is done a page
//! at a time between two batches, so that no act waits for it.

use base::Time;
use base::crypto::Entropy;
use store::log::{Log, LogName, Page};
use store::{Error, Keyring};

/// Entries whose secrets are wrapped anew between two batches.
const PAGE: u32 = 256;
/// Milliseconds until a step that failed is tried again.
const AGAIN_MS: i64 = 60_000;
/// The logs that have secrets.
const LOGS: [LogName; 2] = [LogName::Acts, LogName::Access];

/// How far this week's upkeep is.
#[derive(Default)]
pub struct Upkeep {
    /// The week whose upkeep is done.
    done: Option<u32>,
    /// The place in [`LOGS`] and the entry that come next.
    next: Option<(usize, u64)>,
    not_before: Option<Time>,
}

impl Upkeep {
    /// Does one step, and says whether there is more to do now.
    ///
    /// # Errors
    /// [`Error::Fenced`] when another leads the log; anything else is told, and tried again later.
    pub fn step(
        &mut self,
        log: &mut Log,
        keys: &Keyring,
        at: Time,
        entropy: &mut Entropy,
    ) -> Result<bool, Error> {
        let week = keys.open_week(at);
        if self.done == Some(week) || self.not_before.is_some_and(|time| at < time) {
            return Ok(false);
        }
        match self.page(log, keys, at, entropy) {
            Ok(true) => Ok(true),
            Ok(false) => {
                (self.done, self.not_before) = (Some(week), None);
                Ok(false)
            }
            Err(fenced @ Error::Fenced(_)) => Err(fenced),
            Err(fault) => {
                tracing::error!(error = %fault, "secrets could not be wrapped anew");
                self.not_before = Some(at.plus_ms(AGAIN_MS));
                Ok(false)
            }
        }
    }

    fn page(
        &mut self,
        log: &mut Log,
        keys: &Keyring,
        at: Time,
        entropy: &mut Entropy,
    ) -> Result<bool, Error> {
        let (place, from) = self.next.unwrap_or_default();
        if let Some(name) = LOGS.get(place).copied() {
            let page = Page { log: name, from, limit: PAGE };
            let wrapped = log.rewrap(page, keys, at, entropy)?;
            if !wrapped.failed.is_empty() {
                let (log, entries) = (name.name(), &wrapped.failed);
                tracing::error!(log, ?entries, "secrets are damaged; `muster verify` names them");
            }
            self.next = Some(wrapped.next.map_or((place + 1, 0), |next| (place, next)));
            return Ok(true);
        }
        self.next = None;
        let destroyed = log.destroy_shred_keys(keys, at)?;
        if !destroyed.weeks.is_empty() {
            tracing::info!(weeks = ?destroyed.weeks, "keys of past weeks were destroyed");
        }
        if !destroyed.held.is_empty() {
            tracing::error!(weeks = ?destroyed.held, "keys of past weeks are still needed");
        }
        Ok(false)
    }
}
