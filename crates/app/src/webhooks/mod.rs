//! Webhooks: a program of an agency is told over HTTPS what its service account may read.
//!
//! A webhook is a data exit. An administrator of the account's agency registers it, the operator of
//! the node lists where anything may be sent, and each delivery is opened by the kernel's reader
//! under the account's rights of that moment, and recorded, before a byte leaves.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use base::{AgencyId, Line, Marking, RecordId, SchemeId, ServiceId, Time};
use ledger::leaf::Class as LeafClass;
use policy::Class;
use serde::{Deserialize, Serialize};

use crate::kernel::reader::conflict;
use crate::kernel::register::{self, Register};
use crate::kernel::{Action, Capability, Deciding, Fact, Fault, Lane, Layer, NewEntry, NewPortion};
use crate::people;

pub mod address;
mod carry;
pub mod courier;
pub mod http;
mod letter;
mod outbox;
pub mod show;

pub use address::Address;
pub use carry::{Webhooks, follow};
pub use courier::{Courier, Letter};

base::id!(/// Names one webhook.
    WebhookId);

/// The capability.
pub const CAPABILITY: Capability = Capability {
    name: "webhooks",
    noun: "webhook",
    kinds: &[
        "webhook.registered/1",
        "webhook.keyed/1",
        "webhook.paused/1",
        "webhook.resumed/1",
        "webhook.removed/1",
    ],
    actions: &[
        action("webhook:register", Lane::Normal, false),
        action("webhook:rekey", Lane::Normal, false),
        action("webhook:ping", Lane::Normal, false),
        action("webhook:pause", Lane::Normal, true),
        action("webhook:resume", Lane::Normal, false),
        action("webhook:remove", Lane::Alert, false),
    ],
    routes: http::ROUTES,
    urgent: false,
    registers: true,
    policy: include_str!("policy.cedar"),
    tables: "",
    act,
    fold,
    index: |_, _| Ok(()),
    register: into_register,
    react: |_| Vec::new(),
};

const fn action(name: &'static str, lane: Lane, duty: bool) -> Action {
    Action { name, lane, class: Class::Own, duty, signed: false }
}

/// LIMIT: webhooks of one agency at a time; each has a thread of the node.
pub const WEBHOOKS: usize = 8;

/// What happened to a record, as far as the account may know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    New,
    Changed,
    /// Its label was raised above the account after it had been delivered.
    Recalled,
}

impl What {
    /// Every one.
    pub const ALL: [Self; 3] = [Self::New, Self::Changed, Self::Recalled];

    /// The word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Changed => "changed",
            Self::Recalled => "recalled",
        }
    }
}

/// A webhook was registered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Registered {
    pub webhook: WebhookId,
    pub service: ServiceId,
    pub agency: AgencyId,
    pub url: Line<512>,
    /// Kinds of record that are delivered.
    pub kinds: BTreeSet<Line<64>>,
    pub what: BTreeSet<What>,
}

/// A new secret was made; it follows from the node's root secret and this entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Keyed {
    pub webhook: WebhookId,
}

/// Nothing was taken for a day: deliveries wait until somebody resumes them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Paused {
    pub webhook: WebhookId,
    pub failing_since: Time,
}

/// An administrator lets deliveries go on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Resumed {
    pub webhook: WebhookId,
}

/// A webhook ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Removed {
    pub webhook: WebhookId,
}

#[derive(Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
enum Command {
    Register(Box<New>),
    Rekey(Keyed),
    Pause(Paused),
    Resume(Resumed),
    Remove(Removed),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct New {
    service: ServiceId,
    url: Line<512>,
    /// All that the account may read when absent.
    kinds: Option<BTreeSet<Line<64>>>,
    /// Everything when absent.
    what: Option<BTreeSet<What>>,
    markings: BTreeMap<SchemeId, Marking>,
}

fn act(command: &[u8], on: &mut Deciding<'_>) -> Result<Vec<NewEntry>, Fault> {
    match on.parse(command)? {
        Command::Register(new) => register_new(*new, on),
        Command::Rekey(keyed) => {
            let of = known(keyed.webhook, on)?;
            may_grant(of.service, on)?;
            one("webhook.keyed/1", keyed.webhook, &keyed, on)
        }
        Command::Pause(paused) => {
            if known(paused.webhook, on)?.paused {
                return Ok(Vec::new());
            }
            one("webhook.paused/1", paused.webhook, &paused, on)
        }
        Command::Resume(resumed) => {
            let of = known(resumed.webhook, on)?;
            if !of.paused {
                return Err(conflict("webhook-not-paused", "the webhook is not paused"));
            }
            may_grant(of.service, on)?;
            one("webhook.resumed/1", resumed.webhook, &resumed, on)
        }
        Command::Remove(removed) => {
            known(removed.webhook, on)?;
            one("webhook.removed/1", removed.webhook, &removed, on)
        }
    }
}

fn one(
    kind: &'static str,
    webhook: WebhookId,
    fact: &impl Serialize,
    on: &Deciding<'_>,
) -> Result<Vec<NewEntry>, Fault> {
    let record = RecordId(webhook.0);
    let portion = NewPortion::of(on.base_of(record, "webhook")?, fact)?;
    Ok(vec![NewEntry { class: LeafClass::Identity, ..NewEntry::new(kind, record, portion) }])
}

/// A webhook that lives, of an agency that the actor administers; anything else is absent.
fn known<'a>(webhook: WebhookId, on: &'a Deciding<'_>) -> Result<&'a register::Webhook, Fault> {
    let record = RecordId(webhook.0);
    on.known(record, "webhook")?;
    let known = on.register.webhooks.get(&record).ok_or_else(Fault::absent)?;
    on.administers(known.agency).map_err(|cause| Fault::absent().because(cause))?;
    Ok(known)
}

/// Nobody lets an account receive what they could not have given it to read.
fn may_grant(service: ServiceId, on: &Deciding<'_>) -> Result<(), Fault> {
    let known = on.register.identity.services.get(&service).filter(|known| known.active);
    let known = known.ok_or_else(Fault::absent)?;
    people::may_grant(on, &known.clearance, &known.roles)
}

fn register_new(new: New, on: &mut Deciding<'_>) -> Result<Vec<NewEntry>, Fault> {
    on.known(RecordId(new.service.0), "credential")?;
    let services = &on.register.identity.services;
    let account =
        services.get(&new.service).filter(|known| known.active && known.expires_at > on.at);
    let account = account.ok_or_else(Fault::absent)?;
    on.administers(account.agency).map_err(|cause| Fault::absent().because(cause))?;
    may_grant(new.service, on)?;
    Address::parse(new.url.as_str())?;
    let kinds = match new.kinds {
        Some(kinds) => kinds,
        None => {
            account.kinds.iter().map(Line::new).collect::<Result<_, _>>().map_err(Fault::bug)?
        }
    };
    if kinds.is_empty() || !kinds.iter().all(|kind| account.kinds.contains(kind.as_str())) {
        let detail = "name kinds of record that the service account may read";
        return Err(Fault::invalid("webhook-kinds", detail));
    }
    let what = new.what.unwrap_or_else(|| What::ALL.into());
    if what.is_empty() {
        let detail = "name what is delivered: new, changed or recalled records";
        return Err(Fault::invalid("webhook-kinds", detail));
    }
    let agency = account.agency;
    let own = on.register.webhooks.values().filter(|known| known.agency == agency);
    if own.count() >= WEBHOOKS {
        let detail = format!("an agency has at most {WEBHOOKS} webhooks; remove one first");
        return Err(Fault::invalid("too-many-webhooks", detail));
    }
    let webhook = WebhookId::draw(&mut on.ids);
    let cell = on.cell(new.markings, agency, None)?;
    let registered =
        Registered { webhook, service: new.service, agency, url: new.url, kinds, what };
    let portion = NewPortion::of(cell, &registered)?;
    let entry = NewEntry::new("webhook.registered/1", RecordId(webhook.0), portion);
    Ok(vec![NewEntry { class: LeafClass::Identity, ..entry }])
}

fn fold(fact: &Fact<'_>, layer: &mut Layer) {
    let at = fact.acted_at;
    match fact.kind {
        "webhook.registered/1" => {
            layer.state = Some("keyless".to_owned());
            if let Some(registered) = fact.read::<Registered>() {
                layer.set("service", registered.service);
                layer.set("url", registered.url);
                layer.set("kinds", registered.kinds);
                layer.set("what", registered.what);
                layer.set("registered_by", fact.person());
                layer.set("registered_at", at);
            }
        }
        "webhook.keyed/1" => {
            if layer.state.as_deref() == Some("keyless") {
                layer.state = Some("active".to_owned());
            }
            if fact.read::<Keyed>().is_some() {
                layer.set("keyed_by", fact.person());
                layer.set("keyed_at", at);
            }
        }
        "webhook.paused/1" => {
            layer.state = Some("paused".to_owned());
            if let Some(paused) = fact.read::<Paused>() {
                layer.set("failing_since", paused.failing_since);
                layer.set("paused_at", at);
            }
        }
        "webhook.resumed/1" => {
            layer.state = Some("active".to_owned());
            if fact.read::<Resumed>().is_some() {
                layer.set("resumed_by", fact.person());
                layer.set("resumed_at", at);
            }
        }
        _ => {
            layer.state = Some("removed".to_owned());
            if fact.read::<Removed>().is_some() {
                layer.set("removed_by", fact.person());
                layer.set("removed_at", at);
            }
        }
    }
}

fn into_register(fact: &Fact<'_>, register: &mut Register) {
    if fact.kind == "webhook.registered/1" {
        let Some(registered) = fact.read::<Registered>() else { return };
        let webhook = register::Webhook {
            service: registered.service,
            agency: registered.agency,
            url: registered.url.to_string(),
            kinds: registered.kinds.iter().map(ToString::to_string).collect(),
            what: registered.what.iter().map(|what| what.as_str().to_owned()).collect(),
            since: fact.sequence + 1,
            keyed: None,
            paused: false,
            begun: fact.sequence,
        };
        register.webhooks.insert(fact.record, Arc::new(webhook));
        return;
    }
    if fact.kind == "webhook.removed/1" {
        register.webhooks.remove(&fact.record);
        return;
    }
    let Some(known) = register::changed(&mut register.webhooks, &fact.record) else { return };
    match fact.kind {
        "webhook.keyed/1" => {
            known.keyed = Some(fact.entry);
            known.begun = fact.sequence;
        }
        "webhook.paused/1" => known.paused = true,
        _ => {
            known.paused = false;
            known.begun = fact.sequence;
        }
    }
}
