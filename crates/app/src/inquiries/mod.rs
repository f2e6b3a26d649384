//! Inquiries: who knew of a record at an instant, by the rules of that instant.
//!
//! Opening one is an act of an inspector and an entry. Its findings are computed from the ledger
//! and the access log each time they are asked for (`findings.rs`) and leave the node as a signed
//! file (`bundle.rs`). An inspector sees metadata of records that originate with the inspector's
//! agency or below it, and content only as far as the inspector may read it.

use std::collections::BTreeMap;

use base::{Line, Marking, RecordId, SchemeId, Time};
use policy::Class;
use serde::{Deserialize, Serialize};

use crate::kernel::oversight::inspects;
use crate::kernel::{Action, Capability, Deciding, Fact, Fault, Lane, Layer, NewEntry, NewPortion};

pub mod bundle;
pub mod findings;
pub mod http;

/// The capability.
pub const CAPABILITY: Capability = Capability {
    name: "inquiries",
    noun: "inquiry",
    kinds: &["inquiry.opened/1"],
    actions: &[Action {
        name: "inquiry:open",
        lane: Lane::Normal,
        class: Class::Own,
        duty: false,
        signed: false,
    }],
    routes: http::ROUTES,
    urgent: false,
    registers: false,
    policy: include_str!("policy.cedar"),
    tables: "",
    act,
    fold,
    index: |_, _| Ok(()),
    register: |_, _| {},
    react: |_| Vec::new(),
};

/// An inspector asked who knew of a record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Opened {
    /// The record that is asked about, and its kind.
    pub subject: RecordId,
    pub kind: Line<64>,
    /// By the ledger's own time.
    pub instant: Time,
    pub reason: Line<400>,
}

#[derive(Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
enum Command {
    Open {
        markings: BTreeMap<SchemeId, Marking>,
        subject: RecordId,
        instant: Time,
        reason: Line<400>,
    },
}

fn act(command: &[u8], on: &mut Deciding<'_>) -> Result<Vec<NewEntry>, Fault> {
    let Command::Open { markings, subject, instant, reason } = on.parse(command)?;
    // What the inspector may not know of is absent, as for every reader.
    let row = on.views.record(subject)?.ok_or_else(Fault::absent)?;
    let of = (on.register, on.cells);
    inspects(on.policy, of, on.actor, (&row.kind, row.base)).ok_or_else(Fault::absent)?;
    if instant > on.at {
        return Err(Fault::invalid("instant-ahead", "the instant has not come yet"));
    }
    let kind = Line::new(&row.kind).map_err(Fault::bug)?;
    let cell = on.cell(markings, on.actor.agency, None)?;
    let id = RecordId::draw(&mut on.ids);
    let fact = Opened { subject, kind, instant, reason };
    Ok(vec![NewEntry::new("inquiry.opened/1", id, NewPortion::of(cell, &fact)?)])
}

fn fold(fact: &Fact<'_>, layer: &mut Layer) {
    let Some(opened) = fact.read::<Opened>() else { return };
    layer.state = Some("opened".to_owned());
    layer.set("subject", opened.subject);
    layer.set("subject_kind", opened.kind);
    layer.set("instant", opened.instant);
    layer.set("reason", opened.reason);
    layer.set("opened_at", fact.acted_at);
    layer.set("opened_by", fact.person());
}
