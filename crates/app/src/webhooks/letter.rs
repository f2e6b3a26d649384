//! What one entry means to a webhook, and the letter that tells it (Standard Webhooks 1.0).

use base::crypto::Secret;
use base::{EntryId, RecordId, Time};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use store::state::{StateRow, StateTable};

use super::What;
use super::address::Address;
use super::courier::Letter;
use crate::kernel::access::{AccessKind, AccessRow};
use crate::kernel::reader::{Told, whole_of};
use crate::kernel::register::Webhook;
use crate::kernel::{Fault, Node, Reader, Rendition};

/// LIMIT: days that a node remembers what it has delivered, to tell when it is recalled.
const REMEMBERED_DAYS: i64 = 90;

/// What a receiver gets.
#[derive(Serialize)]
pub struct Payload<'a> {
    /// The same for each try of a delivery.
    pub id: &'a str,
    pub kind: &'a str,
    pub what: &'a str,
    pub record: RecordId,
    /// When it happened; a test, when it was asked for.
    pub at: Time,
    /// The record as the account reads it now; `null` for one that is recalled, and for a test.
    pub rendition: Option<&'a Rendition>,
}

/// A change of a record that an account may know of.
pub struct Change {
    pub record: RecordId,
    pub noun: &'static str,
    pub entry: EntryId,
    pub told: Told,
}

/// A change that is to be delivered, opened for its account.
pub struct Delivery {
    pub id: String,
    pub record: RecordId,
    noun: &'static str,
    what: What,
    at: Time,
    rendition: Option<Rendition>,
}

/// The secret of a webhook: it follows from the node's root and the entry that made it, so that it
/// lies nowhere.
pub fn secret(node: &Node, webhook: RecordId, keyed: EntryId) -> Result<Secret, Fault> {
    let salt = [webhook.0, keyed.0].concat();
    Ok(node.keys().derive(&salt, "muster/webhook-secret/v1")?)
}

/// A secret as its receiver keeps it.
pub fn written(secret: &Secret) -> String {
    format!("whsec_{}", STANDARD.encode(secret.expose()))
}

/// The id of a delivery, which tells nothing of the log.
pub fn id_of(node: &Node, parts: [[u8; 16]; 3]) -> Result<String, Fault> {
    let drawn = node.keys().derive(&parts.concat(), "muster/webhook-id/v1")?;
    let digest = base::Digest(*drawn.expose()).to_string();
    Ok(format!("msg_{}", digest.chars().take(32).collect::<String>()))
}

/// The changes of an entry that an account may know of, now.
///
/// # Errors
/// The store's own fault.
pub fn changes(
    node: &Node,
    reader: &Reader<'_>,
    webhook: &Webhook,
    sequence: u64,
) -> Result<Vec<Change>, Fault> {
    node.views().with(|views| {
        let Some((_, entry)) = views.entry_at(sequence)? else { return Ok(Vec::new()) };
        let mut changes = Vec::new();
        for record in views.touched(sequence, sequence + 1)? {
            let Some(whole) = whole_of(views, record)? else { continue };
            let noun = node.capabilities().iter().map(|c| c.noun).find(|n| *n == whole.kind());
            let Some(noun) = noun.filter(|noun| webhook.kinds.contains(*noun)) else { continue };
            let readable = reader.readable(noun);
            if let Some(told) = whole.told(sequence, &|cell| readable.contains(cell)) {
                changes.push(Change { record, noun, entry, told });
            }
        }
        Ok(changes)
    })
}

/// Opens a change for its account; `None` when there is nothing to deliver of it.
///
/// # Errors
/// The store's own fault; `absent` when it became unreadable in between: ask again.
pub fn delivery(
    node: &Node,
    reader: &Reader<'_>,
    (webhook, id): (&Webhook, RecordId),
    change: &Change,
) -> Result<Option<Delivery>, Fault> {
    let before =
        node.state().get(StateTable::Delivery, &mark(node, id, change.record)?, node.now())?;
    let (what, rendition) = match change.told {
        Told::Raised if before.is_some() => (What::Recalled, None),
        Told::Raised => return Ok(None),
        Told::New | Told::Changed | Told::Touched => {
            let open = reader.find(change.noun, change.record)?.ok_or_else(Fault::absent)?;
            let as_before = before.is_none_or(|etag| etag == open.etag.as_bytes());
            if change.told == Told::Touched && as_before {
                return Ok(None);
            }
            let what = if change.told == Told::New { What::New } else { What::Changed };
            (what, Some(open))
        }
    };
    if !webhook.what.contains(what.as_str()) {
        return Ok(None);
    }
    let at = rendition.as_ref().map_or_else(|| reader.at(), |open| open.changed_at);
    let name = id_of(node, [id.0, change.entry.0, change.record.0])?;
    let (record, noun) = (change.record, change.noun);
    Ok(Some(Delivery { id: name, record, noun, what, at, rendition }))
}

impl Delivery {
    /// Records that it leaves, and writes it.
    ///
    /// # Errors
    /// `access-log` when that cannot be recorded: then nothing is sent.
    pub fn letter(
        &self,
        node: &Node,
        reader: &Reader<'_>,
        to: Address,
        key: &Secret,
    ) -> Result<Letter, Fault> {
        match &self.rendition {
            Some(open) => reader.note(AccessKind::Delivered, std::slice::from_ref(open), None)?,
            None => note(node, reader, self.record)?,
        }
        let payload = Payload {
            id: &self.id,
            kind: self.noun,
            what: self.what.as_str(),
            record: self.record,
            at: self.at,
            rendition: self.rendition.as_ref(),
        };
        letter(to, &payload, node.now(), key)
    }

    /// Notes that it was taken.
    ///
    /// # Errors
    /// The store's own fault.
    pub fn taken(&self, node: &Node, webhook: RecordId) -> Result<(), Fault> {
        let key = mark(node, webhook, self.record)?;
        let Some(open) = &self.rendition else {
            return Ok(node.state().remove(StateTable::Delivery, &key)?);
        };
        let row = StateRow {
            key,
            value: open.etag.clone().into_bytes(),
            expires_at: node.now().plus_s(REMEMBERED_DAYS * 86_400),
        };
        Ok(node.state().put(StateTable::Delivery, &row)?)
    }
}

/// Records that something leaves which shows no record.
///
/// # Errors
/// `access-log`.
pub fn note(node: &Node, reader: &Reader<'_>, about: RecordId) -> Result<(), Fault> {
    let row = AccessRow::of(reader.actor(), AccessKind::Delivered, Some(about), reader.at());
    node.access().record(row)
}

/// Under which key it is remembered that a record was delivered: a copy of the state names none.
fn mark(node: &Node, webhook: RecordId, record: RecordId) -> Result<Vec<u8>, Fault> {
    let salt = [webhook.0, record.0].concat();
    Ok(node.keys().derive(&salt, "muster/webhook-mark/v1")?.expose().to_vec())
}

/// Signs a payload: HMAC-SHA-256 over `id.timestamp.body` (Standard Webhooks, "Signature scheme").
///
/// # Errors
/// A bug when it cannot be written as JSON.
pub fn letter(
    to: Address,
    payload: &Payload<'_>,
    now: Time,
    key: &Secret,
) -> Result<Letter, Fault> {
    let body = serde_json::to_vec(payload).map_err(Fault::bug)?;
    let timestamp = now.ms() / 1000;
    let signed = [format!("{}.{timestamp}.", payload.id).as_bytes(), &body].concat();
    let signature = format!("v1,{}", STANDARD.encode(key.mac(&signed)));
    let headers = vec![
        ("content-type", "application/json".to_owned()),
        ("webhook-id", payload.id.to_owned()),
        ("webhook-timestamp", timestamp.to_string()),
        ("webhook-signature", signature),
    ];
    Ok(Letter { to, headers, body })
}
