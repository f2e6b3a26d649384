//! What is decided about operations, for their own commands and for declarations.

use super::{
    AGENCIES_MAX, AgencyId, Assigned, BTreeMap, BTreeSet, Cell, CircleId, ClauseId, Deciding,
    Fault, Label, Line, Marking, Member, Moved, NOTES_MAX, NewEntry, NewPortion, NonEmpty, Noted,
    OBJECTIVES_MAX, Open, Opened, OperationId, PersonId, ROLES_MAX, RecordId, Register, Role,
    SchemeId, SeatId, Set, Text, Wanted, circles, conflict, view,
};

/// What a reader of an operation reads.
const READ: &str = "operation:read";

pub(super) fn decide_open(asked: Open, on: &mut Deciding<'_>) -> Result<Vec<NewEntry>, Fault> {
    open(asked, None, on).map(|(_, entries)| entries)
}

/// Decides about an operation, for its own command or for the declaration that opens one.
///
/// # Errors
/// `no-clause` with the agency that none lets through, `seat-not-in-operation`, or what the form
/// lacks.
pub fn open(
    asked: Open,
    declaration: Option<RecordId>,
    on: &mut Deciding<'_>,
) -> Result<(OperationId, Vec<NewEntry>), Fault> {
    let own = on.actor.agency;
    let operation = OperationId::draw(&mut on.ids);
    let circle = CircleId::draw(&mut on.ids);
    let mut agencies = vec![own];
    agencies.extend(asked.agencies.iter().copied().filter(|agency| *agency != own));
    check_agencies(&agencies, on)?;
    check_objectives(&asked.objectives)?;
    let cell = on.cell(asked.markings, own, Some(circle))?;
    let clauses = clauses(&agencies, &cell.label, on)?;
    let roles = filled(&asked.roles, &agencies, on.register)?;
    let members: Vec<Member> = agencies.iter().copied().map(Member::Agency).collect();
    let formed = circles::Formed {
        circle,
        purpose: Line::new("operation").map_err(Fault::bug)?,
        members: NonEmpty::new(members).map_err(Fault::bug)?,
    };
    let formed = circles::form(cell.clone(), &formed)?;
    let phase = match asked.phase {
        Some(phase) => phase,
        None => Line::new("Response").map_err(Fault::bug)?,
    };
    let fact = Opened {
        operation,
        title: asked.title,
        incident: asked.incident,
        declaration,
        place: asked.place,
        phase,
        objectives: asked.objectives,
        agencies: NonEmpty::new(agencies).map_err(Fault::bug)?,
        roles,
    };
    let portion = NewPortion::of(cell, &fact)?;
    let opened = NewEntry::new("operation.opened/1", RecordId(operation.0), portion);
    Ok((operation, vec![formed, NewEntry { clauses, ..opened }]))
}

fn check_agencies(agencies: &[AgencyId], on: &Deciding<'_>) -> Result<(), Fault> {
    if agencies.len() > AGENCIES_MAX {
        let detail = format!("an operation has at most {AGENCIES_MAX} agencies");
        return Err(Fault::invalid("too-many-agencies", detail));
    }
    if agencies.iter().collect::<BTreeSet<_>>().len() != agencies.len() {
        return Err(Fault::invalid("audience-repeats", "an agency is named twice"));
    }
    match agencies.iter().find(|agency| !on.register.agencies.contains_key(*agency)) {
        Some(agency) => Err(Fault::invalid("unknown-agency", format!("no agency `{agency}`"))),
        None => Ok(()),
    }
}

fn check_objectives(objectives: &[Line<160>]) -> Result<(), Fault> {
    if objectives.len() <= OBJECTIVES_MAX {
        return Ok(());
    }
    let detail = format!("an operation has at most {OBJECTIVES_MAX} objectives");
    Err(Fault::invalid("too-many-objectives", detail))
}

fn clauses(
    agencies: &[AgencyId],
    label: &Label,
    on: &Deciding<'_>,
) -> Result<Vec<(ClauseId, u32)>, Fault> {
    let mut cited = BTreeSet::new();
    for agency in agencies {
        if *agency != on.actor.agency {
            cited.extend(on.flow(*agency, READ, label)?);
        }
    }
    Ok(cited.into_iter().collect())
}

/// The roles with who sits on their seats now.
fn filled(
    wanted: &[Wanted],
    agencies: &[AgencyId],
    register: &Register,
) -> Result<Vec<Role>, Fault> {
    if wanted.len() > ROLES_MAX {
        let detail = format!("an operation has at most {ROLES_MAX} roles");
        return Err(Fault::invalid("too-many-roles", detail));
    }
    let names: BTreeSet<String> = wanted.iter().map(|role| role.name.to_string()).collect();
    if names.len() != wanted.len() {
        return Err(Fault::invalid("role-repeats", "two roles have one name"));
    }
    let mut roles = Vec::with_capacity(wanted.len());
    for role in wanted {
        let person = match role.seat {
            None => None,
            Some(seat) => {
                let known = register.seats.get(&seat);
                if known.is_none_or(|known| !agencies.contains(&known.agency)) {
                    let detail = format!("no agency of the operation has the seat `{seat}`");
                    return Err(Fault::invalid("seat-not-in-operation", detail));
                }
                sitting(seat, register)
            }
        };
        roles.push(Role { name: role.name.clone(), seat: role.seat, person });
    }
    Ok(roles)
}

/// Who sits on a seat now.
pub fn sitting(seat: SeatId, register: &Register) -> Option<PersonId> {
    let holder = register.seats.get(&seat)?.holder?;
    register.persons.get(&holder).filter(|person| person.active).map(|_| holder)
}

/// The base cell of an operation that is open.
///
/// # Errors
/// `absent` when the actor may not know of it, `other-agency`, `operation-closed`.
pub fn open_cell(operation: OperationId, on: &Deciding<'_>) -> Result<Cell, Fault> {
    let record = RecordId(operation.0);
    let cell = on.base_of(record, "operation")?;
    let layers = on.views.layers(record)?;
    if layers.iter().any(|layer| layer.columns.state.as_deref() == Some("closed")) {
        return Err(conflict("operation-closed", format!("operation `{operation}` was closed")));
    }
    Ok(cell)
}

/// The agencies that are in an operation, by its circle.
fn members(cell: &Cell, register: &Register) -> Vec<AgencyId> {
    let circle = cell.circle.and_then(|circle| register.circles.get(&circle));
    let agency = |member: &Member| match member {
        Member::Agency(agency) => Some(*agency),
        Member::Person(_) | Member::Seat(_) => None,
    };
    circle.iter().flat_map(|members| members.iter()).filter_map(agency).collect()
}

/// Whether an operation covers what is written under a label for these agencies.
///
/// # Errors
/// `absent` when the actor may not know of it; `operation-closed`; `label-below-operation`;
/// `not-in-operation` when one of them is not in it, so that it does not learn of it.
pub fn covers(
    operation: OperationId,
    label: &Label,
    agencies: &[AgencyId],
    on: &Deciding<'_>,
) -> Result<(), Fault> {
    let record = RecordId(operation.0);
    if !on.knows(record, "operation") {
        return Err(Fault::absent());
    }
    let row = on.views.record(record)?.ok_or_else(Fault::absent)?;
    let own = on.cells.label_of(row.base).ok_or_else(Fault::absent)?.clone();
    let circle = on.cells.row(row.base).and_then(|row| row.circle);
    let layers = on.views.layers(record)?;
    if layers.iter().any(|layer| layer.columns.state.as_deref() == Some("closed")) {
        return Err(conflict("operation-closed", format!("operation `{operation}` was closed")));
    }
    let joined = policy::join(&own, label);
    if !joined.is_ok_and(|joined| joined.markings() == label.markings()) {
        let detail = "the label is below that of the operation, which it would tell of";
        return Err(Fault::invalid("label-below-operation", detail));
    }
    let within = members(&Cell { label: (*own).clone(), circle }, on.register);
    match agencies.iter().find(|agency| !within.contains(agency)) {
        Some(agency) => {
            let detail = format!("agency `{agency}` is not in the operation");
            Err(conflict("not-in-operation", detail))
        }
        None => Ok(()),
    }
}

pub(super) fn decide_join(
    operation: OperationId,
    agencies: &NonEmpty<AgencyId>,
    on: &mut Deciding<'_>,
) -> Result<Vec<NewEntry>, Fault> {
    let cell = open_cell(operation, on)?;
    let within = members(&cell, on.register);
    check_agencies(agencies.as_slice(), on)?;
    let new: Vec<AgencyId> =
        agencies.iter().copied().filter(|agency| !within.contains(agency)).collect();
    if within.len() + new.len() > AGENCIES_MAX {
        let detail = format!("an operation has at most {AGENCIES_MAX} agencies");
        return Err(Fault::invalid("too-many-agencies", detail));
    }
    join(operation, new, &cell, on)
}

/// The entries by which agencies join an operation, whose circle widens with them.
///
/// # Errors
/// `no-clause` with the agency that none lets through.
pub fn join(
    operation: OperationId,
    agencies: Vec<AgencyId>,
    cell: &Cell,
    on: &Deciding<'_>,
) -> Result<Vec<NewEntry>, Fault> {
    let clauses = clauses(&agencies, &cell.label, on)?;
    let members = agencies.iter().copied().map(Member::Agency).collect();
    let (Ok(members), Ok(agencies)) = (NonEmpty::new(members), NonEmpty::new(agencies)) else {
        return Ok(Vec::new());
    };
    let circle = cell.circle.ok_or_else(|| Fault::bug("an operation has no circle"))?;
    let joined = circles::join(cell.clone(), &circles::Changed { circle, members })?;
    let fact = Moved { operation, agencies, reason: None };
    let portion = NewPortion::of(cell.clone(), &fact)?;
    let entry = NewEntry::new("operation.joined/1", RecordId(operation.0), portion);
    Ok(vec![joined, NewEntry { clauses, ..entry }])
}

pub(super) fn decide_leave(
    operation: OperationId,
    agency: Option<AgencyId>,
    reason: Option<Line<160>>,
    on: &Deciding<'_>,
) -> Result<Vec<NewEntry>, Fault> {
    let cell = open_cell(operation, on)?;
    let leaving = agency.unwrap_or(on.actor.agency);
    if leaving != on.actor.agency {
        cell.label.originators().iter().try_for_each(|own| on.administers(*own))?;
    }
    if cell.label.originators().contains(&leaving) {
        let detail = "the agency that opened an operation closes it; it does not leave it";
        return Err(conflict("originator-stays", detail));
    }
    if !members(&cell, on.register).contains(&leaving) {
        return Err(conflict("not-in-operation", "the agency is not in the operation"));
    }
    let circle = cell.circle.ok_or_else(|| Fault::bug("an operation has no circle"))?;
    let fact = Moved { operation, agencies: NonEmpty::one(leaving), reason };
    let portion = NewPortion::of(cell.clone(), &fact)?;
    let left = NewEntry::new("operation.left/1", RecordId(operation.0), portion);
    let members = NonEmpty::one(Member::Agency(leaving));
    // The circle narrows first: whoever leaves is not told of its own leaving by what it left.
    Ok(vec![circles::leave(cell, &circles::Changed { circle, members })?, left])
}

pub(super) fn decide_assign(
    operation: OperationId,
    wanted: &[Wanted],
    on: &Deciding<'_>,
) -> Result<Vec<NewEntry>, Fault> {
    let cell = open_cell(operation, on)?;
    let known = usize::from(view::load(on.views, operation)?.roles);
    if known + wanted.len() > ROLES_MAX {
        let detail = format!("the roles of an operation are set at most {ROLES_MAX} times");
        return Err(Fault::invalid("too-many-roles", detail));
    }
    let roles = filled(wanted, &members(&cell, on.register), on.register)?;
    Ok(assign(operation, roles, &cell)?.into_iter().collect())
}

/// The entry that gives roles to seats; a role of the same name is given anew.
///
/// # Errors
/// A bug when the fact cannot be written.
pub fn assign(
    operation: OperationId,
    roles: Vec<Role>,
    cell: &Cell,
) -> Result<Option<NewEntry>, Fault> {
    let Ok(roles) = NonEmpty::new(roles) else { return Ok(None) };
    let portion = NewPortion::of(cell.clone(), &Assigned { operation, roles })?;
    Ok(Some(NewEntry::new("operation.assigned/1", RecordId(operation.0), portion)))
}

pub(super) fn decide_set(set: Set, on: &Deciding<'_>) -> Result<Vec<NewEntry>, Fault> {
    let cell = open_cell(set.operation, on)?;
    check_objectives(set.objectives.as_deref().unwrap_or_default())?;
    let changes = [set.title.is_some(), set.phase.is_some(), set.objectives.is_some()];
    if set.place.is_none() && !changes.contains(&true) {
        return Ok(Vec::new());
    }
    let record = RecordId(set.operation.0);
    Ok(vec![NewEntry::new("operation.set/1", record, NewPortion::of(cell, &set)?)])
}

pub(super) fn decide_note(
    operation: OperationId,
    text: Text<4000>,
    markings: Option<BTreeMap<SchemeId, Marking>>,
    on: &Deciding<'_>,
) -> Result<Vec<NewEntry>, Fault> {
    let base = open_cell(operation, on)?;
    if view::load(on.views, operation)?.notes >= NOTES_MAX {
        let detail = format!("the log of an operation has at most {NOTES_MAX} lines");
        return Err(conflict("log-full", detail));
    }
    let mut cell = base.clone();
    if let Some(markings) = markings {
        let wanted = on.cell(markings, on.actor.agency, base.circle)?;
        cell.label = policy::join(&base.label, &wanted.label)
            .map_err(|cause| Fault::invalid("invalid-label", cause.to_string()))?;
        on.policy.check_label(&cell.label)?;
    }
    let fact = Noted {
        operation,
        text,
        agency: on.actor.agency,
        person: on.actor.person,
        seat: on.actor.seat,
    };
    let portion = NewPortion::of(cell, &fact)?;
    Ok(vec![NewEntry::new("operation.noted/1", RecordId(operation.0), portion)])
}
