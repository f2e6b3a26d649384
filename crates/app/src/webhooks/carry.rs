//! The threads that deliver: one looks which webhooks there are, and each of them has its own, so
//! that a slow receiver delays nobody else.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};

use base::{Kind, RecordId, Time};
use store::state::StateTable;

use super::courier::Courier;
use super::letter::{self, Delivery};
use super::outbox::{self, Outbox, Outcome, Step};
use crate::kernel::register::Webhook;
use crate::kernel::{Fault, Node, Reader};

/// Milliseconds between two looks at what there is to deliver, when nothing happens.
const LOOK_MS: u64 = 250;
/// Milliseconds until a webhook whose delivery met a fault of the node is looked at again.
const FAULT_MS: u64 = 1000;
/// Seconds between two tests of one webhook.
const PING_S: i64 = 5;

/// What the node keeps for its webhooks.
#[derive(Default)]
pub struct Webhooks {
    courier: OnceLock<Arc<dyn Courier>>,
    /// Those that have a thread.
    carried: Mutex<BTreeSet<RecordId>>,
    /// When a test was last sent.
    pinged: Mutex<BTreeMap<RecordId, Time>>,
}

impl Webhooks {
    /// Who carries letters; a node that was given nobody sends nothing.
    ///
    /// # Errors
    /// `webhook-not-listed`.
    pub fn courier(&self) -> Result<&Arc<dyn Courier>, Fault> {
        self.courier.get().ok_or_else(not_listed)
    }

    /// Counts a test.
    ///
    /// # Errors
    /// `webhook-pinged` within some seconds of the last.
    pub fn ping(&self, id: RecordId, now: Time) -> Result<(), Fault> {
        let mut pinged = self.pinged.lock().unwrap_or_else(PoisonError::into_inner);
        pinged.retain(|_, at| now.ms_since(*at).abs() < PING_S * 1000);
        if pinged.insert(id, now).is_some() {
            let detail = format!("a webhook is tested at most once in {PING_S} s");
            return Err(Fault::new(Kind::TooMany, "webhook-pinged", detail));
        }
        Ok(())
    }

    fn carried(&self) -> std::sync::MutexGuard<'_, BTreeSet<RecordId>> {
        self.carried.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The answer to whoever would send where the operator has listed nothing.
pub fn not_listed() -> Fault {
    let detail = "the operator of the node has not listed this address";
    Fault::new(Kind::Denied, "webhook-not-listed", detail)
}

/// Lets a node deliver, by a courier; its threads end with the node.
///
/// # Errors
/// When the system gives no threads.
pub fn follow(node: &Arc<Node>, courier: Arc<dyn Courier>) -> Result<(), Fault> {
    if node.webhooks().courier.set(courier).is_err() {
        return Err(Fault::bug("a node has one courier"));
    }
    let weak = Arc::downgrade(node);
    node.spawn("webhooks", move || look(&weak))
}

fn look(node: &Weak<Node>) {
    let mut seen = 0;
    let mut expired = false;
    loop {
        let Some(node) = node.upgrade() else { return };
        if node.stopped() {
            return;
        }
        if !expired {
            expired = true;
            if let Err(fault) = node.state().expire(StateTable::Delivery, node.now()) {
                tracing::warn!(error = %fault, "old marks of deliveries were not removed");
            }
        }
        let core = node.core();
        for id in core.register.webhooks.keys() {
            if !node.webhooks().carried().insert(*id) {
                continue;
            }
            let (weak, id) = (Arc::downgrade(&node), *id);
            if let Err(fault) = node.spawn("webhook", move || run(&weak, id)) {
                node.webhooks().carried().remove(&id);
                tracing::error!(error = %fault, webhook.id = %id, "a webhook has no thread");
            }
        }
        seen = node.wait(seen, LOOK_MS);
    }
}

fn run(node: &Weak<Node>, id: RecordId) {
    let (mut seen, mut outbox) = (0, None);
    loop {
        let Some(node) = node.upgrade() else { return };
        let step = if node.stopped() { Ok(Step::Ended) } else { step(&node, id, &mut outbox) };
        match step {
            Ok(Step::Again) => {}
            Ok(Step::Rest) => seen = node.wait(seen, LOOK_MS),
            Ok(Step::Ended) => {
                node.webhooks().carried().remove(&id);
                return;
            }
            Err(fault) => {
                let cause = format!("{fault:?}");
                tracing::warn!(error = %fault, cause, webhook.id = %id, "it is tried again");
                outbox = None;
                std::thread::park_timeout(std::time::Duration::from_millis(FAULT_MS));
            }
        }
    }
}

fn step(node: &Node, id: RecordId, outbox: &mut Option<Outbox>) -> Result<Step, Fault> {
    let core = node.core();
    let Some(webhook) = core.register.webhooks.get(&id) else { return Ok(Step::Ended) };
    let outbox = match outbox {
        Some(outbox) => outbox,
        None => outbox.insert(Outbox::load(node, id, webhook)?),
    };
    outbox.step(node, &**node.webhooks().courier()?, id)
}

/// A webhook in the hands of its thread.
pub struct Carried<'a> {
    pub node: &'a Node,
    pub courier: &'a dyn Courier,
    pub id: RecordId,
    pub webhook: &'a Webhook,
}

impl Carried<'_> {
    /// Sends a delivery; what the receiver did with it is the outcome.
    ///
    /// # Errors
    /// The node's own faults: then nothing was sent.
    pub fn carry(&self, reader: &Reader<'_>, delivery: &Delivery) -> Result<Outcome, Fault> {
        let to = outbox::address(self.webhook)?;
        if let Err(refused) = self.courier.allows(&to) {
            return Ok(self.failed(None, &refused));
        }
        let keyed = self.webhook.keyed.ok_or_else(|| Fault::bug("a webhook without a secret"))?;
        let key = letter::secret(self.node, self.id, keyed)?;
        let letter = delivery.letter(self.node, reader, to, &key)?;
        Ok(match answered(self.courier.send(&letter)) {
            Ok(status) => Outcome { at: self.node.now(), status: Some(status), fault: None },
            Err((status, fault)) => self.failed(status, &fault),
        })
    }

    /// An outcome that is none of success.
    pub fn failed(&self, status: Option<u16>, fault: &Fault) -> Outcome {
        let slug = fault.code.slug;
        tracing::debug!(webhook.id = %self.id, slug, "a delivery was not taken");
        Outcome { at: self.node.now(), status, fault: Some(slug.to_owned()) }
    }
}

/// What an answer means: any 2xx says that the letter was taken.
///
/// # Errors
/// `webhook-redirect` for 3xx, which is not followed; `webhook-refused` for anything else; what the
/// courier says.
pub fn answered(status: Result<u16, Fault>) -> Result<u16, (Option<u16>, Fault)> {
    match status {
        Ok(status @ 200..=299) => Ok(status),
        Ok(status @ 300..=399) => {
            let detail = "the receiver names another address, which is not followed";
            Err((Some(status), Fault::new(Kind::Unavailable, "webhook-redirect", detail)))
        }
        Ok(status) => {
            let detail = format!("the receiver answers {status}");
            Err((Some(status), Fault::new(Kind::Unavailable, "webhook-refused", detail)))
        }
        Err(fault) => Err((None, fault)),
    }
}
