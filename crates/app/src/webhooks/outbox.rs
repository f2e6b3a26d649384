//! The outbox of a webhook: a sealed place in the log, which moves on once a letter was taken.
//!
//! Its loss costs convenience: deliveries begin again where the webhook was registered, under the
//! same ids.

use base::crypto::Secret;
use base::{Kind, RecordId, Time};
use serde::{Deserialize, Serialize};
use store::state::{StateRow, StateTable};

use super::address::Address;
use super::carry::Carried;
use super::letter;
use super::{Courier, Paused, WebhookId};
use crate::kernel::register::Webhook;
use crate::kernel::{Fault, Node, Reader, session};

/// Seconds until the first new try; each is twice as long as the one before.
const AGAIN_S: i64 = 5;
/// LIMIT: seconds between two tries.
const AGAIN_S_MAX: i64 = 3600;
/// LIMIT: hours without any success, after which a webhook is paused.
const PAUSE_HOURS: i64 = 24;
/// The answer by which a receiver says that it is gone for good (RFC 9110 §15.5.11).
const GONE: u16 = 410;

/// What came of the last try.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    pub at: Time,
    /// Of the receiver's answer; absent when there was none.
    pub status: Option<u16>,
    /// Why it was not taken.
    pub fault: Option<String>,
}

/// Where deliveries of a webhook stand.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outbox {
    /// The first entry that was not delivered or passed over.
    pub next: u64,
    /// The entry with which the webhook last began, when this was written.
    pub begun: u64,
    pub failing_since: Option<Time>,
    /// Tries since then.
    pub tries: u32,
    pub next_try_at: Option<Time>,
    pub last: Option<Outcome>,
}

/// What there is to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Something was delivered: look for more.
    Again,
    /// Nothing until something happens.
    Rest,
    /// The webhook was removed.
    Ended,
}

fn key(node: &Node) -> Result<Secret, Fault> {
    Ok(node.keys().derive(b"", "muster/webhook-outbox/v1")?)
}

/// Seconds until the next try after some that failed.
fn again_s(tries: u32) -> i64 {
    let doubled = tries.saturating_sub(1).min(16);
    (AGAIN_S << doubled).min(AGAIN_S_MAX)
}

impl Outbox {
    /// Reads it; one that is not there, or does not open, begins with the webhook.
    ///
    /// # Errors
    /// The store's own fault.
    pub fn load(node: &Node, id: RecordId, webhook: &Webhook) -> Result<Self, Fault> {
        let kept = node.state().get(StateTable::Delivery, &id.0, node.now())?;
        let sealing = key(node)?;
        let opened = kept.and_then(|bytes| {
            let (nonce, sealed) = bytes.split_first_chunk::<12>()?;
            serde_json::from_slice(&sealing.open(*nonce, &id.0, sealed).ok()?).ok()
        });
        let fresh = Self { next: webhook.since, begun: webhook.begun, ..Self::default() };
        Ok(opened.unwrap_or(fresh))
    }

    /// Keeps it.
    ///
    /// # Errors
    /// The store's own fault.
    pub fn keep(&self, node: &Node, id: RecordId) -> Result<(), Fault> {
        let nonce = node.entropy().nonce();
        let plain = serde_json::to_vec(self).map_err(Fault::bug)?;
        let sealed = key(node)?.seal(nonce, &id.0, &plain).map_err(Fault::bug)?;
        let value = [&nonce[..], &sealed].concat();
        let row = StateRow { key: id.0.to_vec(), value, expires_at: Time::MAX };
        Ok(node.state().put(StateTable::Delivery, &row)?)
    }

    /// Delivers what comes next, at most what one entry has to tell.
    ///
    /// # Errors
    /// The node's own faults; those of a receiver are in [`Outbox::last`].
    pub fn step(
        &mut self,
        node: &Node,
        courier: &dyn Courier,
        id: RecordId,
    ) -> Result<Step, Fault> {
        let core = node.core();
        let Some(webhook) = core.register.webhooks.get(&id) else { return Ok(Step::Ended) };
        let before = self.clone();
        if self.begun != webhook.begun {
            (self.begun, self.failing_since, self.tries) = (webhook.begun, None, 0);
            self.next_try_at = None;
        }
        let waits = self.next_try_at.is_some_and(|at| node.now() < at);
        let step = if webhook.paused || webhook.keyed.is_none() || waits {
            Step::Rest
        } else if let Ok(account) = session::account(node, webhook.service) {
            self.look(&Carried { node, courier, id, webhook }, &Reader::new(node, account))?
        } else {
            Step::Rest
        };
        if *self != before {
            self.keep(node, id)?;
        }
        Ok(step)
    }

    fn look(&mut self, of: &Carried<'_>, reader: &Reader<'_>) -> Result<Step, Fault> {
        let until = until(of.node, reader)?;
        while self.next < until {
            let changes = letter::changes(of.node, reader, of.webhook, self.next)?;
            if past(of.node, reader) {
                // Past their boundary the rules show nothing, until an entry has renewed them.
                return Ok(Step::Rest);
            }
            let mut told = false;
            for change in &changes {
                let subject = (of.webhook, of.id);
                let delivery = match letter::delivery(of.node, reader, subject, change) {
                    Ok(None) => continue,
                    Ok(Some(delivery)) => delivery,
                    // It became unreadable in between: it is asked for again.
                    Err(fault) if fault.code.kind == Kind::Absent => return Ok(Step::Rest),
                    // What does not open holds up what follows, and administrators see it.
                    Err(fault) => {
                        let cause = format!("{fault:?}");
                        tracing::warn!(error = %fault, cause, webhook.id = %of.id, "not opened");
                        self.note(of, of.failed(None, &fault));
                        return Ok(Step::Rest);
                    }
                };
                if !of.node.leads()? {
                    return Ok(Step::Rest);
                }
                let outcome = of.carry(reader, &delivery)?;
                let taken = outcome.fault.is_none();
                self.note(of, outcome);
                if !taken {
                    return Ok(Step::Rest);
                }
                delivery.taken(of.node, of.id)?;
                told = true;
            }
            self.next += 1;
            if told {
                return Ok(Step::Again);
            }
        }
        Ok(Step::Rest)
    }

    fn note(&mut self, of: &Carried<'_>, outcome: Outcome) {
        let (now, failed) = (outcome.at, outcome.fault.is_some());
        let gone = outcome.status == Some(GONE);
        self.last = Some(outcome);
        if !failed {
            (self.failing_since, self.tries, self.next_try_at) = (None, 0, None);
            return;
        }
        let since = *self.failing_since.get_or_insert(now);
        self.tries = self.tries.saturating_add(1);
        self.next_try_at = Some(now.plus_s(again_s(self.tries)));
        if gone || now.ms_since(since) >= PAUSE_HOURS * 3_600_000 {
            tracing::warn!(webhook.id = %of.id, "a webhook is paused: nothing is taken");
            if let Err(fault) = pause(of, since) {
                // The next try that fails pauses it.
                tracing::error!(error = %fault, webhook.id = %of.id, "it could not be paused");
            }
        }
    }
}

fn pause(of: &Carried<'_>, failing_since: Time) -> Result<(), Fault> {
    let paused = Paused { webhook: WebhookId(of.id.0), failing_since };
    let mut command = serde_json::to_value(&paused).map_err(Fault::bug)?;
    if let serde_json::Value::Object(fields) = &mut command {
        fields.insert("do".to_owned(), "pause".into());
    }
    let key = format!("webhook-pause:{}:{}:{failing_since}", of.id, of.webhook.begun);
    session::duty(of.node, (of.webhook.agency, None), "webhook:pause", &command, key).map(drop)
}

/// Entries that both the reader's rights and the views know.
fn until(node: &Node, reader: &Reader<'_>) -> Result<u64, Fault> {
    let applied = node.views().with(|views| views.applied())?;
    Ok(applied.min(reader.core().head.size))
}

/// Whether the reader's rules decide nothing any more.
fn past(node: &Node, reader: &Reader<'_>) -> bool {
    let core = reader.core();
    core.at.max(node.now()) >= core.policy.valid_until()
}

/// LIMIT: changes that are counted, and entries that are looked at for it.
const COUNTED: u32 = 1000;
const LOOKED_AT: u64 = 4000;

/// How many changes wait, and whether there may be more than were counted.
///
/// # Errors
/// The store's own fault.
pub fn waiting(
    node: &Node,
    reader: &Reader<'_>,
    webhook: &Webhook,
    from: u64,
) -> Result<(u32, bool), Fault> {
    let end = until(node, reader)?;
    let mut count = 0;
    for sequence in from..end.min(from.saturating_add(LOOKED_AT)) {
        let changes = letter::changes(node, reader, webhook, sequence)?;
        count += u32::try_from(changes.iter().filter(|change| change.told.direct()).count())
            .unwrap_or(u32::MAX);
        if count >= COUNTED {
            return Ok((COUNTED, true));
        }
    }
    Ok((count, from.saturating_add(LOOKED_AT) < end))
}

/// The address of a webhook.
///
/// # Errors
/// `webhook-url` when it cannot be one any more.
pub fn address(webhook: &Webhook) -> Result<Address, Fault> {
    Address::parse(&webhook.url)
}
