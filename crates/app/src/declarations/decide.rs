//! What is decided about declarations: which duties are done, which refused.

use super::{
    AgencyId, BTreeMap, BTreeSet, Cell, CircleId, Deciding, DeclarationId, Declare, Declared, Duty,
    Ended, Fault, Kind, Line, Member, NewEntry, NewPortion, NonEmpty, OperationId, Own, Performed,
    Place, PlanId, RecordId, Refused, Text, alerts, circles, conflict, operations, plans, view,
};

/// What a plan still demands, sorted into what can be done and what is refused.
#[derive(Default)]
struct Work {
    alert: Vec<AgencyId>,
    join: Vec<AgencyId>,
    roles: Vec<operations::Role>,
    refused: Vec<Refused>,
}

impl Work {
    const fn is_nothing(&self) -> bool {
        self.alert.is_empty() && self.join.is_empty() && self.roles.is_empty()
    }

    /// What was done, in the order in which it is shown.
    fn duties(&self) -> Vec<Duty> {
        let alerts = self.alert.iter().map(|agency| Duty::Alert { agency: *agency });
        let joins = self.join.iter().map(|agency| Duty::Join { agency: *agency });
        let roles = self.roles.iter().filter_map(|role| {
            let (role, seat, person) = (role.name.clone(), role.seat?, role.person);
            Some(Duty::Fill { role, seat, person })
        });
        alerts.chain(joins).chain(roles).collect()
    }

    fn refuse(&mut self, duty: Duty, slug: &str) -> Result<(), Fault> {
        let reason = Line::new(slug).map_err(Fault::bug)?;
        self.refused.push(Refused { duty, reason });
        Ok(())
    }
}

/// The slug under which something does not flow to an agency; `None` when it flows.
fn refusal(
    agency: AgencyId,
    actions: &[&str],
    label: &base::Label,
    on: &Deciding<'_>,
) -> Result<Option<&'static str>, Fault> {
    for action in actions {
        match on.flow(agency, action, label) {
            Ok(_clauses) => {}
            Err(fault) if fault.code.kind == Kind::Denied => return Ok(Some(fault.code.slug)),
            Err(fault) => return Err(fault),
        }
    }
    Ok(None)
}

fn work(
    plan: &plans::Content,
    done: &view::DeclarationRow,
    label: &base::Label,
    on: &Deciding<'_>,
) -> Result<Work, Fault> {
    let own = on.actor.agency;
    let mut work = Work::default();
    for obliged in &plan.obliged {
        let agency = obliged.agency;
        let lapsed = plans::lapsed(obliged, on.register);
        if !done.alerted.contains(&agency) {
            let refused = match lapsed {
                Some(slug) => Some(slug),
                None => refusal(agency, &["alert:read"], label, on)?,
            };
            match refused {
                Some(slug) => {
                    work.refuse(Duty::Alert { agency }, slug)?;
                    continue;
                }
                None => work.alert.push(agency),
            }
        }
        if agency == own || done.joined.contains(&agency) {
            continue;
        }
        let refused = match lapsed {
            Some(slug) => Some(slug),
            None => refusal(agency, &["declaration:read", "operation:read"], label, on)?,
        };
        match refused {
            Some(slug) => work.refuse(Duty::Join { agency }, slug)?,
            None => work.join.push(agency),
        }
    }
    roles(plan, done, &mut work, on)?;
    Ok(work)
}

/// The roles that can be given: to seats of agencies that are in the operation.
fn roles(
    plan: &plans::Content,
    done: &view::DeclarationRow,
    work: &mut Work,
    on: &Deciding<'_>,
) -> Result<(), Fault> {
    let within: BTreeSet<AgencyId> =
        [on.actor.agency].iter().chain(&done.joined).chain(&work.join).copied().collect();
    for role in plan.roles.iter().filter(|role| !done.filled.contains(&role.seat)) {
        let agency = on.register.seats.get(&role.seat).map(|seat| seat.agency);
        let person = operations::sitting(role.seat, on.register);
        if agency.is_none_or(|agency| !within.contains(&agency)) {
            let duty = Duty::Fill { role: role.name.clone(), seat: role.seat, person: None };
            work.refuse(duty, "seat-not-in-operation")?;
            continue;
        }
        // A gap that is known already is not said again.
        if done.operation.is_some() && person.is_none() && done.plan.is_some() {
            continue;
        }
        let (name, seat) = (role.name.clone(), Some(role.seat));
        work.roles.push(operations::Role { name, seat, person });
    }
    Ok(())
}

pub(super) fn declare(asked: Declare, on: &mut Deciding<'_>) -> Result<Vec<NewEntry>, Fault> {
    let plan = plans::of(asked.plan, on)?;
    if let Some(earlier) = asked.earlier {
        on.base_of(RecordId(earlier.0), "declaration")?;
    }
    let own = on.actor.agency;
    let declaration = DeclarationId::draw(&mut on.ids);
    let circle = CircleId::draw(&mut on.ids);
    let own_circle = CircleId::draw(&mut on.ids);
    let base = on.cell(plan.incident_markings.clone(), own, Some(circle))?;
    let work = work(&plan, &view::DeclarationRow::default(), &base.label, on)?;
    let mut entries = vec![
        formed(&base, circle, [own].iter().chain(&work.join).copied())?,
        formed(&base, own_circle, std::iter::once(own))?,
    ];
    let opening = operations::Open {
        markings: plan.incident_markings.clone(),
        title: asked.title.clone(),
        incident: Some(plan.incident.clone()),
        place: asked.place,
        phase: None,
        objectives: plan.objectives.clone(),
        agencies: work.join.clone(),
        roles: work.roles.iter().map(wanted).collect(),
    };
    let record = RecordId(declaration.0);
    let (operation, opened) = operations::open(opening, Some(record), on)?;
    let words = Words { title: &asked.title, text: asked.text.as_ref(), place: asked.place };
    let (alert, raised) = alert(&plan, &words, (&work, &[]), operation, on)?;
    entries.extend(raised);
    entries.extend(opened);
    let fact = Declared {
        declaration,
        incident: plan.incident,
        title: asked.title,
        text: asked.text,
        place: asked.place,
        operation,
        alert,
        duties: work.duties(),
    };
    let clauses = cited(&work.join, &base, on)?;
    let own = Own { plan: asked.plan, earlier: asked.earlier, refused: work.refused };
    let below = Cell { label: base.label.clone(), circle: Some(own_circle) };
    let portions = vec![NewPortion::of(base, &fact)?, NewPortion::of(below, &own)?];
    entries.push(entry("declaration.declared/1", record, portions, clauses)?);
    Ok(entries)
}

fn wanted(role: &operations::Role) -> operations::Wanted {
    operations::Wanted { name: role.name.clone(), seat: role.seat }
}

fn formed(
    base: &Cell,
    circle: CircleId,
    members: impl Iterator<Item = AgencyId>,
) -> Result<NewEntry, Fault> {
    let members = NonEmpty::new(members.map(Member::Agency).collect()).map_err(Fault::bug)?;
    let purpose = Line::new("declaration").map_err(Fault::bug)?;
    let cell = Cell { label: base.label.clone(), circle: Some(circle) };
    circles::form(cell, &circles::Formed { circle, purpose, members })
}

fn cited(
    agencies: &[AgencyId],
    base: &Cell,
    on: &Deciding<'_>,
) -> Result<Vec<(base::ClauseId, u32)>, Fault> {
    let mut cited = BTreeMap::new();
    for agency in agencies {
        cited.extend(on.flow(*agency, "declaration:read", &base.label)?);
    }
    Ok(cited.into_iter().collect())
}

fn entry(
    kind: &'static str,
    record: RecordId,
    portions: Vec<NewPortion>,
    clauses: Vec<(base::ClauseId, u32)>,
) -> Result<NewEntry, Fault> {
    let first = portions.first().cloned().ok_or_else(|| Fault::bug("no portion"))?;
    Ok(NewEntry { portions, clauses, ..NewEntry::new(kind, record, first) })
}

/// What whoever declares says.
struct Words<'a> {
    title: &'a Line<160>,
    text: Option<&'a Text<3000>>,
    place: Option<Place>,
}

/// The alert to those whom `work` alerts; none when it alerts nobody.
fn alert(
    plan: &plans::Content,
    words: &Words<'_>,
    (work, joined): (&Work, &[AgencyId]),
    operation: OperationId,
    on: &mut Deciding<'_>,
) -> Result<(Option<alerts::AlertId>, Vec<NewEntry>), Fault> {
    let Ok(audience) = NonEmpty::new(work.alert.clone()) else { return Ok((None, Vec::new())) };
    let said = match words.text {
        Some(text) => format!("{text}\n\n{}", plan.text),
        None => plan.text.to_string(),
    };
    // The alert names the operation only where everybody alerted is in it.
    let own = on.actor.agency;
    let inside = |a: &AgencyId| *a == own || work.join.contains(a) || joined.contains(a);
    let raise = alerts::Raise {
        markings: plan.incident_markings.clone(),
        precedence: plan.precedence,
        title: words.title.clone(),
        text: Text::new(said).map_err(Fault::bug)?,
        operation: Some(operation).filter(|_| audience.iter().all(inside)),
        audience,
        options: plan.options.clone(),
        place: words.place,
        ladder_s: plan.ladder_s,
        higher: Vec::new(),
    };
    let (alert, entries) = alerts::raise(raise, on)?;
    Ok((Some(alert), entries))
}

/// The base cell of a declaration that has not ended.
fn open_cell(declaration: DeclarationId, on: &Deciding<'_>) -> Result<Cell, Fault> {
    let record = RecordId(declaration.0);
    let cell = on.base_of(record, "declaration")?;
    let layers = on.views.layers(record)?;
    if layers.iter().any(|layer| layer.columns.state.as_deref() == Some("ended")) {
        let detail = format!("declaration `{declaration}` was stood down");
        return Err(conflict("declaration-ended", detail));
    }
    Ok(cell)
}

/// Does what the plan demands and is not done; with another plan, what that demands besides.
pub(super) fn perform(
    declaration: DeclarationId,
    other: Option<PlanId>,
    on: &mut Deciding<'_>,
) -> Result<Vec<NewEntry>, Fault> {
    let base = open_cell(declaration, on)?;
    let mut done = view::load(on.views, declaration)?;
    let (Some(operation), Some(own), Some(before)) = (done.operation, done.own, done.plan) else {
        return Err(conflict("declaration-erased", "the plan of the declaration was erased"));
    };
    let id = other.unwrap_or(before);
    let plan = plans::of(id, on)?;
    let changes = id != before;
    if changes {
        // Another plan gives its own roles, gaps and all.
        done.filled.clear();
        done.plan = None;
    }
    let work = work(&plan, &done, &base.label, on)?;
    if work.is_nothing() && !changes {
        return Ok(Vec::new());
    }
    let at = operations::open_cell(operation, on)?;
    let mut entries = Vec::new();
    if let Some(circle) = base.circle
        && let Ok(members) = NonEmpty::new(work.join.iter().copied().map(Member::Agency).collect())
    {
        entries.push(circles::join(base.clone(), &circles::Changed { circle, members })?);
    }
    entries.extend(operations::join(operation, work.join.clone(), &at, on)?);
    entries.extend(operations::assign(operation, work.roles.clone(), &at)?);
    let title = Line::new(format!("{}: {}", plan.incident, plan.name)).map_err(Fault::bug)?;
    let words = Words { title: &title, text: None, place: None };
    let (alert, raised) = alert(&plan, &words, (&work, &done.joined), operation, on)?;
    entries.extend(raised);
    let fact = Performed { declaration, incident: plan.incident, alert, duties: work.duties() };
    let clauses = cited(&work.join, &base, on)?;
    let below = Cell { label: base.label.clone(), circle: Some(own) };
    let own = Own { plan: id, earlier: None, refused: work.refused };
    let portions = vec![NewPortion::of(base, &fact)?, NewPortion::of(below, &own)?];
    let kind = if changes { "declaration.changed/1" } else { "declaration.performed/1" };
    entries.push(entry(kind, RecordId(declaration.0), portions, clauses)?);
    Ok(entries)
}

/// Stands down: alerts that are open are cancelled with it; the operation goes on until it is
/// closed.
pub(super) fn end(ended: Ended, on: &Deciding<'_>) -> Result<Vec<NewEntry>, Fault> {
    let cell = open_cell(ended.declaration, on)?;
    let done = view::load(on.views, ended.declaration)?;
    let mut entries = Vec::new();
    for alert in done.alerts {
        entries.extend(alerts::cancel(alert, ended.reason.clone(), on)?);
    }
    let record = RecordId(ended.declaration.0);
    let portion = NewPortion::of(cell, &ended)?;
    entries.push(NewEntry::new("declaration.ended/1", record, portion));
    Ok(entries)
}
