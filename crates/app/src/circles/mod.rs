//! Circles: need-to-know beside the label — an operation, a task force, named recipients.
//!
//! A circle has members: agencies, seats, persons. A circle without members is nobody's. Membership
//! is decided when a cell is asked for, so it acts on everything in the circle at once, both ways.

use std::collections::BTreeSet;
use std::sync::Arc;

use base::{CircleId, Line, NonEmpty, RecordId};
use policy::Class;
use serde::{Deserialize, Serialize};

use crate::kernel::register::{Member, Register};
use crate::kernel::{
    Action, Capability, Cell, Deciding, Fact, Fault, Lane, Layer, NewEntry, NewPortion,
};

pub mod http;

/// The purpose of a circle that nobody joins: what was spilled stays with those who keep it.
pub const FIXED: &str = "spillage";

/// The capability.
pub const CAPABILITY: Capability = Capability {
    name: "circles",
    noun: "circle",
    kinds: &["circle.formed/1", "circle.joined/1", "circle.left/1"],
    actions: &[
        Action {
            name: "circle:join",
            lane: Lane::Normal,
            class: Class::Own,
            duty: true,
            signed: false,
        },
        Action {
            name: "circle:leave",
            lane: Lane::Alert,
            class: Class::Own,
            duty: true,
            signed: false,
        },
    ],
    routes: http::ROUTES,
    urgent: false,
    registers: true,
    policy: include_str!("policy.cedar"),
    tables: "",
    act,
    fold,
    index: |_, _| Ok(()),
    register,
    react: |_| Vec::new(),
};

/// A circle was formed with its first members.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Formed {
    pub circle: CircleId,
    /// What it is for, as a code: `alert`, `operation`, `recipients`.
    pub purpose: Line<40>,
    pub members: NonEmpty<Member>,
}

/// Members joined, or left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Changed {
    pub circle: CircleId,
    pub members: NonEmpty<Member>,
}

/// The entry that forms a circle, for a capability that needs one with its own first entry.
///
/// # Errors
/// A bug when the fact cannot be written.
pub fn form(cell: Cell, formed: &Formed) -> Result<NewEntry, Fault> {
    let portion = NewPortion::of(cell, formed)?;
    Ok(NewEntry::new("circle.formed/1", RecordId(formed.circle.0), portion))
}

/// The entry by which members join, for a capability whose own entry widens its circle.
///
/// # Errors
/// A bug when the fact cannot be written.
pub fn join(cell: Cell, joined: &Changed) -> Result<NewEntry, Fault> {
    let portion = NewPortion::of(cell, joined)?;
    Ok(NewEntry::new("circle.joined/1", RecordId(joined.circle.0), portion))
}

/// The entry by which members leave, for a capability whose own entry narrows its circle.
///
/// # Errors
/// A bug when the fact cannot be written.
pub fn leave(cell: Cell, left: &Changed) -> Result<NewEntry, Fault> {
    let portion = NewPortion::of(cell, left)?;
    Ok(NewEntry::new("circle.left/1", RecordId(left.circle.0), portion))
}

#[derive(Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
enum Command {
    Join { circle: CircleId, members: NonEmpty<Member> },
    Leave { circle: CircleId, members: NonEmpty<Member> },
}

fn act(command: &[u8], on: &mut Deciding<'_>) -> Result<Vec<NewEntry>, Fault> {
    let (kind, circle, members) = match on.parse(command)? {
        Command::Join { circle, members } => ("circle.joined/1", circle, members),
        Command::Leave { circle, members } => ("circle.left/1", circle, members),
    };
    let cell = on.base_of(RecordId(circle.0), "circle")?;
    let known = on.register.circles.get(&circle).ok_or_else(Fault::absent)?;
    let joining = kind == "circle.joined/1";
    let layers = on.views.layers(RecordId(circle.0))?;
    if joining && layers.iter().any(|layer| layer.columns.state.as_deref() == Some(FIXED)) {
        return Err(Fault::new(
            base::Kind::Conflict,
            "circle-fixed",
            "nobody joins the circle of what was spilled",
        ));
    }
    if members.iter().all(|member| known.contains(member) == joining) {
        return Ok(Vec::new());
    }
    let portion = NewPortion::of(cell, &Changed { circle, members })?;
    Ok(vec![NewEntry::new(kind, RecordId(circle.0), portion)])
}

fn fold(fact: &Fact<'_>, layer: &mut Layer) {
    if let Some(formed) = fact.read::<Formed>() {
        layer.state = Some(formed.purpose.to_string());
        layer.set("purpose", formed.purpose);
    }
}

fn register(fact: &Fact<'_>, register: &mut Register) {
    match fact.kind {
        "circle.formed/1" => {
            let Some(formed) = fact.read::<Formed>() else { return };
            let members: BTreeSet<Member> = formed.members.iter().copied().collect();
            // A new circle changes nothing about cells that exist, so no right is asked anew.
            register.circles.insert(formed.circle, Arc::new(members));
            return;
        }
        "circle.joined/1" => {
            let Some(changed) = fact.read::<Changed>() else { return };
            let members = register.circles.entry(changed.circle).or_default();
            Arc::make_mut(members).extend(changed.members.iter().copied());
        }
        _ => {
            let Some(changed) = fact.read::<Changed>() else { return };
            if let Some(members) = register.circles.get_mut(&changed.circle) {
                Arc::make_mut(members).retain(|m| !changed.members.iter().any(|gone| gone == m));
            }
        }
    }
    register.people_changes += 1;
    register.circle_changes += 1;
}
