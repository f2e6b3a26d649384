//! Duties: timers that fire and reactions that must follow, each an act with a key of its own.
//!
//! Both come from durable rows and may be tried again at any time: the key makes the act happen
//! once.

use std::sync::{Arc, Weak};

use base::crypto::Hasher;
use base::{AgencyId, Play, Time};
use ledger::header::{Actor, Purpose};
use store::Keyring;
use store::log::LogName;

use super::anchor::ANCHOR_S;
use super::apply::{Content, capability_of};
use super::capability::{ActorContext, Fact};
use super::fault::Fault;
use super::node::{Act, Node};
use super::segment::Anchor;
use super::start::OpenedEntry;

/// Timers fired in one round.
const TIMERS: u32 = 256;
/// Longest wait between two looks at the timers.
const ROUND_MS: u64 = 200;
/// Milliseconds between two looks at uploads that no report names.
const SWEEP_MS: i64 = 60_000;
/// Entries looked at in one round of reactions.
const ENTRIES: u32 = 256;

/// Runs until the node ends.
pub fn run(node: &Weak<Node>) {
    let mut seen = 0;
    // Reactions begin at the log's first entry after each start: those that were carried out are
    // found by their keys. Only the last part of the log can hold any that were not.
    let mut reacted = match node.upgrade() {
        Some(node) => node.core().head.size.saturating_sub(u64::from(ENTRIES) * 16),
        None => return,
    };
    let mut week = None;
    let mut swept = None;
    let mut anchored = (node.upgrade().map_or(Time::MAX, |node| node.now()), 0);
    loop {
        let Some(node) = node.upgrade() else { return };
        if node.stopped() {
            return;
        }
        // The sequencer looks after the keys: it must not sleep through the end of a week.
        if week.replace(Keyring::week(node.now())) != Some(Keyring::week(node.now())) {
            node.rouse();
        }
        let done = advance(&node).and_then(|()| fire(&node));
        let done = done.and_then(|()| anchor(&node, &mut anchored));
        let done = done.and_then(|()| sweep(&node, &mut swept));
        if let Err(fault) = done.and_then(|()| react(&node, &mut reacted)) {
            tracing::warn!(error = %fault, "a duty could not be carried out and is tried again");
        }
        seen = node.wait(seen, ROUND_MS);
    }
}

fn system(agency: AgencyId) -> ActorContext {
    ActorContext {
        actor: Actor::System,
        person: None,
        seat: None,
        agency,
        session: None,
        authentication: None,
        purpose: Purpose::Protection,
        play: Play::Live,
    }
}

/// Writes that a boundary has passed, so that the log says under which rules it goes on.
fn advance(node: &Arc<Node>) -> Result<(), Fault> {
    let core = node.core();
    let boundary = core.policy.valid_until();
    if node.now() < boundary {
        return Ok(());
    }
    let Some(agency) = core.register.agencies.keys().next() else { return Ok(()) };
    let command = serde_json::to_vec(&super::epoch::Advanced { boundary }).map_err(Fault::bug)?;
    let act = Act {
        action: "epoch:advance".to_owned(),
        command,
        idempotency_key: format!("epoch:{}:{boundary}", core.policy.epoch()),
        actor: system(*agency),
        signature: None,
    };
    let outcome = node.submit(act, None, None)?.blocking_recv();
    if let Ok(Err(fault)) = outcome {
        tracing::error!(error = %fault, "the epoch could not be advanced: nothing is served");
    }
    Ok(())
}

/// Names the head of the log `access` in the log of acts, when something was read since.
fn anchor(node: &Arc<Node>, anchored: &mut (Time, u64)) -> Result<(), Fault> {
    let now = node.now();
    if now.ms_since(anchored.0) < ANCHOR_S * 1000 {
        return Ok(());
    }
    let head = node.log().head(LogName::Access)?;
    let core = node.core();
    let agency = core.register.agencies.keys().next();
    let Some(agency) = agency.filter(|_| head.size > anchored.1) else { return Ok(()) };
    *anchored = (now, head.size);
    let command = serde_json::to_vec(&Anchor { size: head.size, root: head.root });
    let act = Act {
        action: "access:anchor".to_owned(),
        command: command.map_err(Fault::bug)?,
        // The same head is named once, whoever restarts.
        idempotency_key: format!("anchor:{}", head.size),
        actor: system(*agency),
        signature: None,
    };
    let outcome = node.submit(act, None, None)?.blocking_recv();
    if let Ok(Err(fault)) = outcome {
        tracing::warn!(error = %fault, "the log `access` could not be anchored");
    }
    Ok(())
}

/// Removes uploads that no report named in time: at the start, and once a minute.
fn sweep(node: &Node, swept: &mut Option<Time>) -> Result<(), Fault> {
    let now = node.now();
    if swept.is_some_and(|at| now.ms_since(at) < SWEEP_MS) {
        return Ok(());
    }
    crate::reports::attachment::sweep(node)?;
    *swept = Some(now);
    Ok(())
}

fn fire(node: &Arc<Node>) -> Result<(), Fault> {
    let now = node.play_now();
    let due = node.views().with(|views| {
        let due = views.due(now, TIMERS)?;
        let mut with_agency = Vec::with_capacity(due.len());
        for timer in due {
            let agency = views.record(timer.record)?.map(|record| record.agency);
            with_agency.extend(agency.map(|agency| (timer, agency)));
        }
        Ok(with_agency)
    })?;
    for (timer, agency) in due {
        let key = Hasher::new("muster/timer/v1")
            .part(&timer.record.0)
            .part(timer.timer.name.as_bytes())
            .part(&timer.sequence.to_be_bytes())
            .finish();
        let act = Act {
            action: timer.timer.action,
            command: timer.timer.command.to_string().into_bytes(),
            idempotency_key: format!("timer:{key}"),
            actor: system(agency),
            signature: None,
        };
        let outcome = node.submit(act, None, None)?.blocking_recv();
        if let Ok(Err(fault)) = outcome {
            tracing::warn!(error = %fault, timer.name = %timer.timer.name, "a timer was refused");
        }
    }
    Ok(())
}

fn react(node: &Arc<Node>, reacted: &mut u64) -> Result<(), Fault> {
    while *reacted < node.core().head.size {
        let entries = node.entries(*reacted, ENTRIES)?;
        if entries.is_empty() {
            return Ok(());
        }
        for entry in entries {
            react_to(node, &entry)?;
            *reacted = entry.sequence + 1;
        }
    }
    Ok(())
}

fn react_to(node: &Arc<Node>, entry: &OpenedEntry) -> Result<(), Fault> {
    let header = &entry.header;
    let found = capability_of(node.capabilities(), &header.shared.kind);
    let Some((capability, _)) = found else { return Ok(()) };
    for (slot, content) in &entry.contents {
        let Content::Open(body) = content else { continue };
        let Some(named) = header.local.slots.iter().find(|s| s.slot == *slot) else { continue };
        let fact = Fact {
            sequence: entry.sequence,
            kind: &header.shared.kind,
            record: header.shared.record,
            entry: header.shared.entry,
            actor: header.shared.actor,
            agency: header.shared.agency,
            seat: header.local.seat,
            cell: 0,
            label: &named.label,
            circle: named.circle,
            acted_at: header.shared.acted_at,
            body: Some(body),
        };
        let person = fact.person().or(header.shared.on_behalf_of);
        for (i, reaction) in (capability.react)(&fact).into_iter().enumerate() {
            let act = Act {
                action: reaction.action.to_owned(),
                command: reaction.command,
                idempotency_key: format!("reaction:{}:{slot}:{i}", header.shared.entry),
                actor: system(header.shared.agency),
                signature: None,
            };
            let cause = Some(header.shared.entry);
            let outcome = node.submit(act, person, cause)?.blocking_recv();
            if let Ok(Err(fault)) = outcome {
                tracing::warn!(error = %fault, "a reaction was refused");
            }
        }
    }
    Ok(())
}
