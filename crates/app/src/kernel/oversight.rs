//! Oversight: what an inspector may know of records beyond what the inspector may read.
//!
//! An inspector sees metadata — that an entry is there, its kind, time, actor, record — of records
//! that originate with the inspector's agency or with one below it, and of what the inspector may
//! read anyway. Content stays with those who may read it: nobody is a super-user over content.

use base::{AgencyId, Label};

use super::capability::ActorContext;
use super::cells::{CellNumber, Cells};
use super::policy::Policy;
use super::register::Register;

/// Whether an agency is the actor's own or stands below it.
pub fn oversees(register: &Register, actor: &ActorContext, agency: AgencyId) -> bool {
    register.ancestors(agency).contains(&actor.agency)
}

/// Whether an originator of a label is overseen by the actor.
pub fn oversees_label(register: &Register, actor: &ActorContext, label: &Label) -> bool {
    label.originators().iter().any(|agency| oversees(register, actor, *agency))
}

/// Whether an inspector may know of a record by its base cell, and whether by oversight.
///
/// `None` when not even its existence may be known.
pub fn inspects(
    policy: &Policy,
    of: (&Register, &Cells),
    actor: &ActorContext,
    (noun, base): (&str, CellNumber),
) -> Option<Sight> {
    let (register, cells) = of;
    let label = cells.label_of(base)?;
    // A record of another play is nobody's business who is not in it.
    if label.play() == actor.play && oversees_label(register, actor, label) {
        return Some(Sight::Oversees);
    }
    let reads = policy.readable_cell(register, cells, actor, (noun, base));
    reads.then_some(Sight::Reads)
}

/// How an inspector may look at a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sight {
    /// Metadata of everything about it.
    Oversees,
    /// What the inspector may read, and no more.
    Reads,
}
