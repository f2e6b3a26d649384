//! Declarations: an incident is declared, and what its plan demands is done in the same act.
//!
//! One act alerts every agency that the plan obliges, opens the operation with its circle, and
//! fills its roles from who sits there now: all of it is in the record, or none. A duty that no
//! clause lets through is named with its reason to those who declared, and to nobody else; it keeps
//! no other duty from being done.

use std::collections::{BTreeMap, BTreeSet};

use base::{
    AgencyId, CircleId, Kind, Line, NonEmpty, OperationId, PersonId, Place, RecordId, SeatId, Text,
    Token,
};
use policy::Class;
use serde::{Deserialize, Serialize};

use crate::alerts::{self, AlertId};
use crate::kernel::reader::conflict;
use crate::kernel::register::Member;
use crate::kernel::{
    Action, Capability, Cell, Deciding, Fact, Fault, Lane, Layer, NewEntry, NewPortion,
};
use crate::plans::{self, PlanId};
use crate::{circles, operations};

mod decide;
pub mod http;
mod view;

base::id!(/// Names one declaration.
    DeclarationId);

/// The capability.
pub const CAPABILITY: Capability = Capability {
    name: "declarations",
    noun: "declaration",
    kinds: &[
        "declaration.declared/1",
        "declaration.performed/1",
        "declaration.changed/1",
        "declaration.ended/1",
    ],
    actions: &[
        act_of("declaration:declare"),
        act_of("declaration:perform"),
        act_of("declaration:change"),
        act_of("declaration:end"),
    ],
    routes: http::ROUTES,
    urgent: true,
    registers: false,
    policy: include_str!("policy.cedar"),
    tables: view::TABLES,
    act,
    fold,
    index: view::index,
    register: |_, _| {},
    react: |_| Vec::new(),
};

const fn act_of(name: &'static str) -> Action {
    Action { name, lane: Lane::Alert, class: Class::Own, duty: false, signed: false }
}

/// Declares an incident by a plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Declare {
    pub plan: PlanId,
    pub title: Line<160>,
    /// What has happened, after the text of the plan.
    pub text: Option<Text<3000>>,
    pub place: Option<Place>,
    /// An earlier declaration of the same incident.
    #[serde(default)]
    pub earlier: Option<DeclarationId>,
}

/// A duty that was done; one without a person waits for one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "duty", rename_all = "snake_case", deny_unknown_fields)]
pub enum Duty {
    /// The agency was alerted.
    Alert { agency: AgencyId },
    /// The agency was let into the operation, and sees the declaration.
    Join { agency: AgencyId },
    /// A role was given to the seat's holder; without one it is a gap.
    Fill { role: Line<60>, seat: SeatId, person: Option<PersonId> },
}

/// A duty that was refused, and why: the slug of the fault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refused {
    pub duty: Duty,
    pub reason: Line<40>,
}

/// An incident was declared: what the agencies that it called see.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Declared {
    pub declaration: DeclarationId,
    /// The type, as a code: `MAJOR-INCIDENT`.
    pub incident: Token,
    pub title: Line<160>,
    pub text: Option<Text<3000>>,
    pub place: Option<Place>,
    pub operation: OperationId,
    /// Absent when no agency could be alerted.
    pub alert: Option<AlertId>,
    pub duties: Vec<Duty>,
}

/// Duties were done later, or those of another type besides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Performed {
    pub declaration: DeclarationId,
    /// The type from now on.
    pub incident: Token,
    pub alert: Option<AlertId>,
    pub duties: Vec<Duty>,
}

/// What only those who declared see: the plan, and every duty that is refused by now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Own {
    pub plan: PlanId,
    pub earlier: Option<DeclarationId>,
    pub refused: Vec<Refused>,
}

/// Stood down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ended {
    pub declaration: DeclarationId,
    pub reason: Line<160>,
}

#[derive(Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
enum Command {
    Declare(Box<Declare>),
    Perform { declaration: DeclarationId },
    Change { declaration: DeclarationId, plan: PlanId },
    End(Ended),
}

fn act(command: &[u8], on: &mut Deciding<'_>) -> Result<Vec<NewEntry>, Fault> {
    match on.parse(command)? {
        Command::Declare(asked) => decide::declare(*asked, on),
        Command::Perform { declaration } => decide::perform(declaration, None, on),
        Command::Change { declaration, plan } => decide::perform(declaration, Some(plan), on),
        Command::End(ended) => decide::end(ended, on),
    }
}

fn fold(fact: &Fact<'_>, layer: &mut Layer) {
    if fact.kind == "declaration.ended/1" {
        layer.state = Some("ended".to_owned());
        if let Some(ended) = fact.read::<Ended>() {
            layer.set("ended", ended.reason);
            layer.set("ended_at", fact.acted_at);
        }
        return;
    }
    if let Some(own) = fact.read::<Own>() {
        layer.set("plan", own.plan);
        if own.earlier.is_some() {
            layer.set("earlier", own.earlier);
        }
        layer.set("refused", own.refused);
        return;
    }
    if fact.kind == "declaration.declared/1" {
        layer.state = Some("declared".to_owned());
        let Some(declared) = fact.read::<Declared>() else { return };
        layer.place = declared.place;
        layer.operation = Some(declared.operation);
        layer.set("incident", declared.incident);
        layer.set("title", declared.title);
        layer.set("text", declared.text);
        layer.set("declared_at", fact.acted_at);
        layer.set("by", fact.person());
        layer.set("alerts", Vec::<()>::new());
        layer.set("duties", Vec::<()>::new());
        fold_duties(fact, layer, declared.alert, &declared.duties);
        return;
    }
    let Some(performed) = fact.read::<Performed>() else { return };
    if fact.kind == "declaration.changed/1" {
        layer.push("changes", fact.acted_at, &serde_json::json!({ "to": performed.incident }));
    }
    layer.set("incident", performed.incident);
    fold_duties(fact, layer, performed.alert, &performed.duties);
}

/// Adds duties with the time and the entry that prove them; a role that is filled later replaces
/// its gap.
fn fold_duties(fact: &Fact<'_>, layer: &mut Layer, alert: Option<AlertId>, duties: &[Duty]) {
    if let (Some(alert), Some(serde_json::Value::Array(alerts))) =
        (alert, layer.body.get_mut("alerts"))
    {
        alerts.push(serde_json::json!(alert));
    }
    for duty in duties {
        if let (Duty::Fill { role, .. }, Some(serde_json::Value::Array(known))) =
            (duty, layer.body.get_mut("duties"))
        {
            known.retain(|known| known.get("role") != Some(&serde_json::json!(role)));
        }
        layer.push("duties", fact.acted_at, &WithEntry { duty, entry: fact.entry });
    }
}

/// A duty as it is shown: with the entry that proves it.
#[derive(Serialize)]
struct WithEntry<'a> {
    #[serde(flatten)]
    duty: &'a Duty,
    entry: base::EntryId,
}
