//! What administrators are shown of a webhook besides its record: its outbox, its secret once, and
//! the outcome of a test.

use base::{Kind, RecordId, Time};
use serde::Serialize;

use super::carry::answered;
use super::outbox::{self, Outbox, Outcome};
use super::{Keyed, WebhookId, letter};
use crate::kernel::question::{Answer, Asked};
use crate::kernel::reader::conflict;
use crate::kernel::register::Webhook;
use crate::kernel::{Act, Fault, Reader, cursor, session};
use crate::people;

/// How deliveries stand.
#[derive(Serialize)]
struct Shown {
    /// Why nothing may be sent to its address, as an error's slug.
    refused: Option<&'static str>,
    /// Whether the service account was revoked or has expired: nothing is delivered for it.
    account_ended: bool,
    /// Withheld from an administrator who is cleared for less than the account: how much happens
    /// tells of what happens.
    deliveries: Option<Deliveries>,
}

#[derive(Serialize)]
struct Deliveries {
    last: Option<Outcome>,
    failing_since: Option<Time>,
    tries: u32,
    next_try_at: Option<Time>,
    waiting: u32,
    /// Whether more may wait than were counted.
    more: bool,
}

/// The webhook that is asked about, when it lives and is of the asker's agency.
fn found(asked: &Asked<'_>, action: &'static str) -> Result<(RecordId, Webhook), Fault> {
    let id = asked.id.ok_or_else(Fault::absent)?;
    let (core, actor) = (asked.reader.core(), asked.reader.actor());
    let known = core.register.webhooks.get(&id);
    let own = known.filter(|known| known.agency == actor.agency);
    let readable = own.is_some() && asked.reader.knows("webhook", id)?;
    let Some(webhook) = own.filter(|_| readable) else {
        asked.reader.denied(id)?;
        return Err(Fault::absent());
    };
    core.policy
        .may_upon(&core.register, actor, action, webhook.agency)
        .map_err(|cause| Fault::absent().because(cause))?;
    Ok((id, (**webhook).clone()))
}

/// Answers how the deliveries of a webhook stand.
///
/// # Errors
/// `absent` for whoever may not know of it.
pub fn outbox(asked: &Asked<'_>) -> Result<Answer, Fault> {
    let (id, webhook) = found(asked, "webhook:ping")?;
    let node = asked.node;
    let allowed = outbox::address(&webhook)
        .and_then(|to| node.webhooks().courier().and_then(|courier| courier.allows(&to)));
    let account = session::account(node, webhook.service).ok();
    let account_ended = account.is_none();
    let (core, actor) = (asked.reader.core(), asked.reader.actor());
    let services = &core.register.identity.services;
    let held = core.policy.profile(&core.register, actor)?;
    let cleared = services
        .get(&webhook.service)
        .is_some_and(|service| people::within(&service.clearance, &held.attributes().clearance));
    let deliveries = match account.filter(|_| cleared) {
        Some(account) => {
            let outbox = Outbox::load(node, id, &webhook)?;
            let reader = Reader::new(node, account);
            let (waiting, more) = outbox::waiting(node, &reader, &webhook, outbox.next)?;
            let Outbox { failing_since, tries, next_try_at, last, .. } = outbox;
            Some(Deliveries { last, failing_since, tries, next_try_at, waiting, more })
        }
        None => None,
    };
    let row = crate::kernel::access::AccessRow::of(
        actor,
        crate::kernel::access::AccessKind::Opened,
        Some(id),
        asked.reader.at(),
    );
    node.access().record(row)?;
    let refused = allowed.err().map(|fault| fault.code.slug);
    Answer::json(&Shown { refused, account_ended, deliveries })
}

#[derive(Serialize)]
struct Secret {
    /// `whsec_` and 32 bytes in base64 (Standard Webhooks, "Secret").
    secret: String,
}

/// Makes a new secret and shows it: it is in this answer and nowhere else.
///
/// # Errors
/// `absent`; what the act is refused with.
pub fn secret(asked: &Asked<'_>) -> Result<Answer, Fault> {
    let (id, _) = found(asked, "webhook:rekey")?;
    let node = asked.node;
    let mut command =
        serde_json::to_value(Keyed { webhook: WebhookId(id.0) }).map_err(Fault::bug)?;
    if let serde_json::Value::Object(fields) = &mut command {
        fields.insert("do".to_owned(), "rekey".into());
    }
    let act = Act {
        action: "webhook:rekey".to_owned(),
        command: command.to_string().into_bytes(),
        // Each asking makes another secret, so that none is shown twice.
        idempotency_key: cursor::encode(&node.entropy().draw()),
        actor: asked.reader.actor().clone(),
        signature: None,
    };
    let done = node.submit(act, None, None)?.blocking_recv().unwrap_or_else(|_stopped| {
        Err(Fault::new(Kind::Unavailable, "stopping", "the node is stopping"))
    })?;
    let secret = letter::written(&letter::secret(node, id, done.entry)?);
    serde_json::to_value(Secret { secret }).map(Answer::Created).map_err(Fault::bug)
}

#[derive(Serialize)]
struct Pinged {
    delivered: bool,
    status: Option<u16>,
    /// Why it was not taken: an error's slug and sentence.
    fault: Option<&'static str>,
    detail: Option<String>,
}

/// Delivers a test that names nothing but the webhook, and answers what came of it.
///
/// # Errors
/// `absent`; `webhook-keyless`; `webhook-account-ended`; `webhook-pinged` when one was just sent.
pub fn ping(asked: &Asked<'_>) -> Result<Answer, Fault> {
    let (id, webhook) = found(asked, "webhook:ping")?;
    let node = asked.node;
    let keyed = webhook.keyed.ok_or_else(|| {
        conflict("webhook-keyless", "the webhook has no secret yet; make one first")
    })?;
    let account = session::account(node, webhook.service).map_err(|cause| {
        conflict("webhook-account-ended", "the service account has ended").because(cause)
    })?;
    node.webhooks().ping(id, node.now())?;
    let sent = send_ping(asked, (id, &webhook), letter::secret(node, id, keyed)?, account)?;
    let pinged = match sent {
        Ok(status) => Pinged { delivered: true, status: Some(status), fault: None, detail: None },
        Err((status, fault)) => {
            let (slug, detail) = (Some(fault.code.slug), Some(fault.detail));
            Pinged { delivered: false, status, fault: slug, detail }
        }
    };
    Answer::json(&pinged)
}

type Sent = Result<u16, (Option<u16>, Fault)>;

fn send_ping(
    asked: &Asked<'_>,
    (id, webhook): (RecordId, &Webhook),
    key: base::crypto::Secret,
    account: crate::kernel::ActorContext,
) -> Result<Sent, Fault> {
    let node = asked.node;
    let to = outbox::address(webhook)?;
    let courier = match node.webhooks().courier() {
        Ok(courier) => courier,
        Err(refused) => return Ok(Err((None, refused))),
    };
    if let Err(refused) = courier.allows(&to) {
        return Ok(Err((None, refused)));
    }
    if !node.leads()? {
        return Err(Fault::new(Kind::Unavailable, "stopping", "the node is stopping"));
    }
    let mut drawn = [[0; 16]; 3];
    for (to, from) in drawn.as_flattened_mut().iter_mut().zip(node.entropy().draw()) {
        *to = from;
    }
    let name = letter::id_of(node, drawn)?;
    letter::note(node, &Reader::new(node, account), id)?;
    let payload = letter::Payload {
        id: &name,
        kind: "webhook",
        what: "ping",
        record: id,
        at: node.now(),
        rendition: None,
    };
    let letter = letter::letter(to, &payload, node.now(), &key)?;
    Ok(answered(courier.send(&letter)))
}
