//! Plans: what must follow when an incident of a type is declared, agreed before it happens.
//!
//! A plan says whom a declaration alerts and by which agreement, with what text and ladder, which
//! roles of the operation are filled from which seats, under which label all of it stands. It is
//! a record of the coordinating centre and stays with its people: a partner sees what was declared.
//! Whoever plans proposes it, and another person, who answers for it, approves it by signature.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use base::{
    AgencyId, AgreementId, Kind, Line, Marking, NonEmpty, PersonId, RecordId, SchemeId, SeatId,
    Text, Token,
};
use policy::Class;
use serde::{Deserialize, Serialize};

use crate::alerts::{self, Precedence};
use crate::kernel::reader::conflict;
use crate::kernel::register::Register;
use crate::kernel::{Action, Capability, Deciding, Fact, Fault, Lane, Layer, NewEntry, NewPortion};

pub mod http;

base::id!(/// Names one plan.
    PlanId);

/// The capability.
pub const CAPABILITY: Capability = Capability {
    name: "plans",
    noun: "plan",
    kinds: &[
        "plan.made/1",
        "plan.revised/1",
        "plan.withdrawn/1",
        "plan.proposed/1",
        "plan.approved/1",
    ],
    actions: &[
        act_of("plan:make"),
        act_of("plan:propose"),
        Action { signed: true, duty: false, ..act_of("plan:approve") },
        act_of("plan:revise"),
        act_of("plan:withdraw"),
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

const fn act_of(name: &'static str) -> Action {
    Action { name, lane: Lane::Normal, class: Class::Own, duty: true, signed: false }
}

/// Roles that one plan may fill.
pub const ROLES_MAX: usize = 32;
/// Objectives that one plan may set.
pub const OBJECTIVES_MAX: usize = 16;

/// An agency that must be alerted, and the agreement that obliges it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Obliged {
    pub agency: AgencyId,
    /// Both are parties of it; absent for the agency whose plan it is.
    pub agreement: Option<AgreementId>,
}

/// A role of the operation, and the seat whose holder fills it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoleOf {
    pub name: Line<60>,
    pub seat: SeatId,
}

/// What a plan says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Content {
    pub name: Line<80>,
    /// What is declared, as a code: `MAJOR-INCIDENT`.
    pub incident: Token,
    /// The label of the declaration, its alert and its operation.
    pub incident_markings: BTreeMap<SchemeId, Marking>,
    pub precedence: Precedence,
    /// What the alert says before the words of whoever declares.
    pub text: Text<4000>,
    pub options: NonEmpty<Line<40>>,
    /// Seconds until each rung of the alert's ladder is called, ascending.
    pub ladder_s: [u32; 3],
    /// At most 64.
    pub obliged: NonEmpty<Obliged>,
    /// At most 32, no two of one name.
    pub roles: Vec<RoleOf>,
    /// At most 16.
    pub objectives: Vec<Line<160>>,
}

/// A plan was made, proposed or approved, or a new text took the place of the one before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Made {
    pub plan: PlanId,
    pub content: Content,
}

/// A plan was withdrawn: nothing is declared by it any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Withdrawn {
    pub plan: PlanId,
    pub reason: Line<160>,
}

/// A proposal as the register keeps it; nothing is declared by it before it is approved.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Waiting {
    proposal: Made,
    by: Option<PersonId>,
}

#[derive(Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
enum Command {
    Make { content: Box<Content>, markings: BTreeMap<SchemeId, Marking> },
    Propose { content: Box<Content>, markings: BTreeMap<SchemeId, Marking> },
    Approve { plan: PlanId },
    Revise { plan: PlanId, content: Box<Content> },
    Withdraw(Withdrawn),
}

fn act(command: &[u8], on: &mut Deciding<'_>) -> Result<Vec<NewEntry>, Fault> {
    match on.parse(command)? {
        Command::Make { content, markings } => new(on, "plan.made/1", *content, markings),
        Command::Propose { content, markings } => new(on, "plan.proposed/1", *content, markings),
        Command::Approve { plan } => {
            let cell = on.base_of(RecordId(plan.0), "plan")?;
            let waiting = waiting(plan, on)?;
            if waiting.by.is_none() || waiting.by == on.actor.person {
                let detail = "whoever proposes a plan does not approve it";
                return Err(Fault::new(Kind::Denied, "own-proposal", detail));
            }
            // What the proposal rests on may have changed since.
            check(&waiting.proposal.content, on.actor.agency, on)?;
            let portion = NewPortion::of(cell, &waiting.proposal)?;
            Ok(vec![NewEntry::new("plan.approved/1", RecordId(plan.0), portion)])
        }
        Command::Revise { plan, content } => {
            let cell = on.base_of(RecordId(plan.0), "plan")?;
            in_force(plan, on)?;
            check(&content, on.actor.agency, on)?;
            let portion = NewPortion::of(cell, &Made { plan, content: *content })?;
            Ok(vec![NewEntry::new("plan.revised/1", RecordId(plan.0), portion)])
        }
        Command::Withdraw(withdrawn) => {
            let record = RecordId(withdrawn.plan.0);
            let cell = on.base_of(record, "plan")?;
            if !on.register.instruments.contains_key(&record) {
                return Err(not_in_force(withdrawn.plan));
            }
            let portion = NewPortion::of(cell, &withdrawn)?;
            Ok(vec![NewEntry::new("plan.withdrawn/1", record, portion)])
        }
    }
}

/// A new plan, in force or waiting as its kind says.
fn new(
    on: &mut Deciding<'_>,
    kind: &'static str,
    content: Content,
    markings: BTreeMap<SchemeId, Marking>,
) -> Result<Vec<NewEntry>, Fault> {
    let agency = on.actor.agency;
    check(&content, agency, on)?;
    let plan = PlanId::draw(&mut on.ids);
    let cell = on.cell(markings, agency, None)?;
    let portion = NewPortion::of(cell, &Made { plan, content })?;
    Ok(vec![NewEntry::new(kind, RecordId(plan.0), portion)])
}

/// The plan by which somebody declares who may read it.
///
/// # Errors
/// `absent` when the actor may not know of it; `plan-withdrawn`; `plan-contained` when its label
/// was raised since, so that its text reaches nobody under the label that it gives to an incident.
pub fn of(plan: PlanId, on: &Deciding<'_>) -> Result<Content, Fault> {
    let record = RecordId(plan.0);
    on.base_of(record, "plan")?;
    let floor = on.views.record(record)?.and_then(|row| row.floor);
    let layers = on.views.layers(record)?;
    if floor.is_some() || layers.iter().any(|layer| layer.gate != layer.cell) {
        return Err(conflict("plan-contained", "the label of the plan was raised: make a new one"));
    }
    in_force(plan, on)
}

fn in_force(plan: PlanId, on: &Deciding<'_>) -> Result<Content, Fault> {
    let made = on.register.instruments.get(&RecordId(plan.0));
    let made = made.and_then(|body| serde_json::from_slice::<Made>(body).ok());
    Ok(made.ok_or_else(|| not_in_force(plan))?.content)
}

fn not_in_force(plan: PlanId) -> Fault {
    conflict("plan-withdrawn", format!("plan `{plan}` is not in force"))
}

/// A proposal that waits for its approval.
fn waiting(plan: PlanId, on: &Deciding<'_>) -> Result<Waiting, Fault> {
    let kept = on.register.instruments.get(&RecordId(plan.0)).ok_or_else(|| not_in_force(plan))?;
    serde_json::from_slice(kept)
        .map_err(|_approved| conflict("plan-approved", format!("plan `{plan}` is in force")))
}

fn check(content: &Content, own: AgencyId, on: &Deciding<'_>) -> Result<(), Fault> {
    on.cell(content.incident_markings.clone(), own, None)?;
    let (roles, obliged) = (&content.roles, content.obliged.as_slice());
    if obliged.len() > alerts::AUDIENCE_MAX || roles.len() > ROLES_MAX {
        let detail = format!(
            "a plan obliges at most {} agencies and fills at most {ROLES_MAX} roles",
            alerts::AUDIENCE_MAX
        );
        return Err(Fault::invalid("plan-too-large", detail));
    }
    if content.objectives.len() > OBJECTIVES_MAX {
        let detail = format!("a plan sets at most {OBJECTIVES_MAX} objectives");
        return Err(Fault::invalid("plan-too-large", detail));
    }
    alerts::check_form(content.options.as_slice(), content.ladder_s)?;
    if obliged.iter().map(|o| o.agency).collect::<BTreeSet<_>>().len() != obliged.len() {
        return Err(Fault::invalid("audience-repeats", "an agency is obliged twice"));
    }
    if roles.iter().map(|r| r.name.to_string()).collect::<BTreeSet<_>>().len() != roles.len() {
        return Err(Fault::invalid("role-repeats", "two roles have one name"));
    }
    for role in roles {
        if !on.register.seats.contains_key(&role.seat) {
            return Err(Fault::invalid("unknown-seat", format!("no seat `{}`", role.seat)));
        }
    }
    obliged.iter().try_for_each(|obliged| check_obliged(obliged, own, on))
}

/// An obligation stands on an agreement that the actor may know and whose parties both are.
fn check_obliged(obliged: &Obliged, own: AgencyId, on: &Deciding<'_>) -> Result<(), Fault> {
    let agency = obliged.agency;
    if !on.register.agencies.contains_key(&agency) {
        return Err(Fault::invalid("unknown-agency", format!("no agency `{agency}`")));
    }
    let Some(agreement) = obliged.agreement else {
        if agency == own {
            return Ok(());
        }
        let detail = "an agreement obliges an agency; none is named";
        return Err(Fault::invalid("agreement-needed", detail));
    };
    let known = on
        .register
        .agreements
        .get(&agreement)
        .filter(|_| on.knows(RecordId(agreement.0), "agreement"));
    let parties = known.map(|known| known.agreement.parties.clone());
    let party = |of: AgencyId| parties.iter().flatten().any(|party| *party == of);
    if party(agency) && party(own) {
        return Ok(());
    }
    let detail = format!("no agreement `{agreement}` has both agencies as parties");
    Err(Fault::invalid("unknown-agreement", detail))
}

/// Why an obligation does not stand now: `None` when its agreement is in force.
pub fn lapsed(obliged: &Obliged, register: &Register) -> Option<&'static str> {
    let agreement = obliged.agreement?;
    let Some(known) = register.agreements.get(&agreement) else {
        return Some("agreement-not-in-force");
    };
    let party = |text: &policy::Agreement| text.parties.iter().any(|p| *p == obliged.agency);
    match &known.in_force {
        _ if known.suspended => Some("agreement-suspended"),
        Some(text) if party(text) => None,
        Some(_) | None => Some("agreement-not-in-force"),
    }
}

fn fold(fact: &Fact<'_>, layer: &mut Layer) {
    if fact.kind == "plan.withdrawn/1" {
        layer.state = Some("withdrawn".to_owned());
        if let Some(withdrawn) = fact.read::<Withdrawn>() {
            layer.set("withdrawn", withdrawn.reason);
        }
        return;
    }
    let proposed = fact.kind == "plan.proposed/1";
    layer.state = Some(if proposed { "proposed" } else { "in_force" }.to_owned());
    let by = match fact.kind {
        "plan.proposed/1" => Some("proposed_by"),
        "plan.approved/1" => Some("approved_by"),
        _ => None,
    };
    if let Some(by) = by {
        layer.set(by, fact.person());
    }
    let Some(made) = fact.read::<Made>() else { return };
    let content = serde_json::to_value(made.content);
    if let Ok(serde_json::Value::Object(content)) = content {
        layer.body.extend(content);
    }
    layer.set("made_at", fact.acted_at);
}

fn register(fact: &Fact<'_>, register: &mut Register) {
    if fact.kind == "plan.withdrawn/1" {
        register.instruments.remove(&fact.record);
        return;
    }
    let (Some(body), Some(made)) = (fact.body, fact.read::<Made>()) else { return };
    let waiting = Waiting { proposal: made, by: fact.person() };
    let kept = match fact.kind {
        "plan.proposed/1" => serde_json::to_vec(&waiting).ok(),
        _ => Some(body.to_vec()),
    };
    if let Some(kept) = kept {
        register.instruments.insert(fact.record, Arc::new(kept));
    }
}
