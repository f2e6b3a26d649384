//! Agreements: the signed instruments between agencies. No clause, no flow.
//!
//! An agreement is proposed by one party, signed by a signatory of each, and in force when the last
//! has signed. Any party suspends it alone and at once; it is resumed by two parties. The text that
//! people read is generated from the clauses that the machine executes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use base::{
    AgencyId, AgreementId, CircleId, Digest, Line, Marking, NonEmpty, PersonId, RecordId, SchemeId,
};
use ledger::leaf::Class as LeafClass;
use policy::{Agreement, Class, Schemes};
use serde::{Deserialize, Serialize};

use crate::circles;
use crate::kernel::reader::conflict;
use crate::kernel::register::{Member, Register, Signed, changed};
use crate::kernel::{
    Action, Capability, Cell, Deciding, Fact, Fault, Lane, Layer, NewEntry, NewPortion,
};

pub mod http;
pub mod replay;

/// The capability.
pub const CAPABILITY: Capability = Capability {
    name: "agreements",
    noun: "agreement",
    kinds: &[
        "agreement.proposed/1",
        "agreement.signed/1",
        "agreement.suspended/1",
        "agreement.resumed/1",
    ],
    actions: &[
        act_of("agreement:found", Lane::Normal, Class::Own, true),
        act_of("agreement:propose", Lane::Normal, Class::Joint, false),
        signed("agreement:sign", Lane::Normal),
        signed("agreement:suspend", Lane::Alert),
        signed("agreement:resume", Lane::Normal),
    ],
    routes: http::ROUTES,
    urgent: true,
    registers: true,
    policy: include_str!("policy.cedar"),
    tables: "",
    act,
    fold,
    index: |_, _| Ok(()),
    register,
    react: |_| Vec::new(),
};

const fn act_of(name: &'static str, lane: Lane, class: Class, duty: bool) -> Action {
    Action { name, lane, class, duty, signed: false }
}

/// An act of a party, which carries the signatory's own signature.
const fn signed(name: &'static str, lane: Lane) -> Action {
    Action { name, lane, class: Class::Joint, duty: false, signed: true }
}

/// Parties whose consent lifts a suspension.
const RESUMED_BY: usize = 2;

/// An agreement was proposed, or founded with the node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proposed {
    pub agreement: Agreement,
    /// The digest of the canonical bytes that the parties sign.
    pub digest: Digest,
    /// Whether it was founded with the node, and so needs no signatures.
    pub founded: bool,
}

/// A party signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartySigned {
    pub agreement: AgreementId,
    pub agency: AgencyId,
    pub person: PersonId,
    pub digest: Digest,
    /// Whether every party has signed with this.
    pub complete: bool,
}

/// A party suspended the agreement: nothing flows under it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Suspended {
    pub agreement: AgreementId,
    pub agency: AgencyId,
    pub reason: Line<400>,
}

/// A party consented to the resumption.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Resumed {
    pub agreement: AgreementId,
    pub agency: AgencyId,
    pub person: PersonId,
    /// Whether enough parties have consented with this.
    pub complete: bool,
}

#[derive(Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
enum Command {
    Found { agreement: Box<Agreement>, markings: BTreeMap<SchemeId, Marking> },
    Propose { agreement: Box<Agreement>, markings: BTreeMap<SchemeId, Marking> },
    Sign { agreement: AgreementId, digest: Digest },
    Suspend { agreement: AgreementId, reason: Line<400> },
    Resume { agreement: AgreementId },
}

fn act(command: &[u8], on: &mut Deciding<'_>) -> Result<Vec<NewEntry>, Fault> {
    match on.parse(command)? {
        Command::Found { agreement, markings } => {
            if on.register.agreements.values().any(|known| known.founded) {
                return Err(conflict("charter-exists", "the node has its founding agreement"));
            }
            propose(*agreement, markings, true, on)
        }
        Command::Propose { agreement, markings } => propose(*agreement, markings, false, on),
        Command::Sign { agreement, digest } => sign(agreement, digest, on),
        Command::Suspend { agreement, reason } => {
            let (cell, known) = party(agreement, on)?;
            if known.suspended {
                return Err(conflict("suspended", "the agreement is suspended already"));
            }
            let fact = Suspended { agreement, agency: on.actor.agency, reason };
            Ok(entry("agreement.suspended/1", agreement, NewPortion::of(cell, &fact)?))
        }
        Command::Resume { agreement } => resume(agreement, on),
    }
}

fn propose(
    agreement: Agreement,
    markings: BTreeMap<SchemeId, Marking>,
    founded: bool,
    on: &mut Deciding<'_>,
) -> Result<Vec<NewEntry>, Fault> {
    let proposer = on.actor.agency;
    check(&agreement, proposer, on.register, on.policy.schemes())?;
    let newer = |known: &Signed| known.agreement.version < agreement.version;
    if on.register.agreements.get(&agreement.id).is_some_and(|known| !newer(known)) {
        return Err(conflict("agreement-exists", "this version was proposed before"));
    }
    let record = RecordId(agreement.id.0);
    let known = on.views.record(record)?;
    let mut entries = Vec::new();
    let cell = if known.is_some() {
        let cell = on.base_of(record, "agreement")?;
        entries.extend(join_new_parties(&agreement, &cell, on)?);
        cell
    } else {
        let circle = CircleId::draw(&mut on.ids);
        let members: Vec<Member> =
            agreement.parties.iter().map(|party| Member::Agency(*party)).collect();
        let members = NonEmpty::new(members).map_err(Fault::bug)?;
        let cell = on.cell(markings, proposer, Some(circle))?;
        let purpose = Line::new("agreement").map_err(Fault::bug)?;
        let formed = circles::Formed { circle, purpose, members };
        entries.push(circles::form(cell.clone(), &formed)?);
        cell
    };
    let digest = agreement.digest();
    let fact = Proposed { agreement, digest, founded };
    let portion = NewPortion::of(cell, &fact)?;
    entries.push(policy_entry("agreement.proposed/1", record, portion));
    Ok(entries)
}

/// What a text must keep before its proposer may propose it.
fn check(
    agreement: &Agreement,
    proposer: AgencyId,
    register: &Register,
    schemes: &Schemes,
) -> Result<(), Fault> {
    agreement
        .check(schemes)
        .map_err(|cause| Fault::invalid("invalid-agreement", cause.to_string()).because(cause))?;
    let unknown = agreement.parties.iter().find(|a| !register.agencies.contains_key(*a));
    if let Some(agency) = unknown {
        return Err(Fault::invalid("unknown-agency", format!("no agency `{agency}`")));
    }
    if !agreement.parties.iter().any(|party| *party == proposer) {
        return Err(Fault::invalid("not-a-party", "your agency is no party to the agreement"));
    }
    Ok(())
}

/// A party that a new version adds must be able to read what it signs.
fn join_new_parties(
    agreement: &Agreement,
    cell: &Cell,
    on: &Deciding<'_>,
) -> Result<Option<NewEntry>, Fault> {
    let Some(circle) = cell.circle else { return Ok(None) };
    let known = on.register.circles.get(&circle);
    let parties = agreement.parties.iter().map(|party| Member::Agency(*party));
    let new = parties.filter(|party| known.is_none_or(|known| !known.contains(party))).collect();
    match NonEmpty::new(new) {
        Ok(members) => circles::join(cell.clone(), &circles::Changed { circle, members }).map(Some),
        Err(_nobody) => Ok(None),
    }
}

/// The cell and state of an agreement of which the actor's agency is a party.
fn party<'a>(agreement: AgreementId, on: &'a Deciding<'_>) -> Result<(Cell, &'a Signed), Fault> {
    let cell = on.base_of(RecordId(agreement.0), "agreement")?;
    let known = on.register.agreements.get(&agreement).ok_or_else(Fault::absent)?;
    if known.agreement.parties.iter().any(|party| *party == on.actor.agency) {
        Ok((cell, known))
    } else {
        Err(Fault::absent())
    }
}

fn person(on: &Deciding<'_>) -> Result<PersonId, Fault> {
    on.actor
        .person
        .ok_or_else(|| Fault::invalid("person-needed", "an agreement is signed by a person"))
}

fn sign(agreement: AgreementId, digest: Digest, on: &Deciding<'_>) -> Result<Vec<NewEntry>, Fault> {
    let (cell, known) = party(agreement, on)?;
    let (person, agency) = (person(on)?, on.actor.agency);
    if known.agreement.digest() != digest {
        return Err(conflict("other-text", "the agreement has changed since you read it"));
    }
    if known.signed_by.contains(&agency) || known.founded {
        return Err(conflict("signed", "your agency has signed this version"));
    }
    let others = |party: &AgencyId| *party == agency || known.signed_by.contains(party);
    let complete = known.agreement.parties.iter().all(others);
    let fact = PartySigned { agreement, agency, person, digest, complete };
    Ok(entry("agreement.signed/1", agreement, NewPortion::of(cell, &fact)?))
}

fn resume(agreement: AgreementId, on: &Deciding<'_>) -> Result<Vec<NewEntry>, Fault> {
    let (cell, known) = party(agreement, on)?;
    let (person, agency) = (person(on)?, on.actor.agency);
    if !known.suspended {
        return Err(conflict("not-suspended", "the agreement is not suspended"));
    }
    if known.resumed_by.contains(&agency) {
        return Err(conflict("signed", "your agency has consented; another party must"));
    }
    let complete = known.resumed_by.len() + 1 >= RESUMED_BY;
    let fact = Resumed { agreement, agency, person, complete };
    Ok(entry("agreement.resumed/1", agreement, NewPortion::of(cell, &fact)?))
}

fn entry(kind: &'static str, agreement: AgreementId, portion: NewPortion) -> Vec<NewEntry> {
    vec![policy_entry(kind, RecordId(agreement.0), portion)]
}

fn policy_entry(kind: &'static str, record: RecordId, portion: NewPortion) -> NewEntry {
    NewEntry { class: LeafClass::Policy, ..NewEntry::new(kind, record, portion) }
}

fn fold(fact: &Fact<'_>, layer: &mut Layer) {
    match fact.kind {
        "agreement.proposed/1" => {
            let Some(proposed) = fact.read::<Proposed>() else { return };
            let state = if proposed.founded { "in_force" } else { "proposed" };
            layer.state = Some(state.to_owned());
            layer.due_at = Some(proposed.agreement.force.ends_at);
            layer.set("digest", proposed.digest);
            layer.set("agreement", proposed.agreement);
            layer.set("signatures", Vec::<()>::new());
        }
        "agreement.signed/1" => {
            let Some(signed) = fact.read::<PartySigned>() else { return };
            if signed.complete {
                layer.state = Some("in_force".to_owned());
            }
            layer.push("signatures", fact.acted_at, &signed);
        }
        "agreement.suspended/1" => {
            layer.state = Some("suspended".to_owned());
            if let Some(suspended) = fact.read::<Suspended>() {
                layer.push("suspensions", fact.acted_at, &suspended);
            }
        }
        _ => {
            let Some(resumed) = fact.read::<Resumed>() else { return };
            if resumed.complete {
                layer.state = Some("in_force".to_owned());
            }
            layer.push("resumptions", fact.acted_at, &resumed);
        }
    }
}

fn register(fact: &Fact<'_>, register: &mut Register) {
    match fact.kind {
        "agreement.proposed/1" => {
            let Some(proposed) = fact.read::<Proposed>() else { return };
            // A version that is not signed yet leaves the one before it in force.
            let before = register.agreements.remove(&proposed.agreement.id);
            // Nor does a proposal of one party lift what another has suspended.
            let suspended = before.as_ref().is_some_and(|known| known.suspended);
            let resumed_by = before.as_ref().map(|b| b.resumed_by.clone()).unwrap_or_default();
            let in_force = before.and_then(|known| known.in_force.clone());
            let signed = Signed {
                in_force: if proposed.founded {
                    Some(proposed.agreement.clone())
                } else {
                    in_force
                },
                agreement: proposed.agreement,
                founded: proposed.founded,
                signed_by: BTreeSet::new(),
                resumed_by,
                suspended,
            };
            register.agreements.insert(signed.agreement.id, Arc::new(signed));
            if !proposed.founded {
                return;
            }
        }
        "agreement.signed/1" => {
            let Some(signed) = fact.read::<PartySigned>() else { return };
            let known = changed(&mut register.agreements, &signed.agreement);
            let Some(known) = known else { return };
            known.signed_by.insert(signed.agency);
            if !signed.complete {
                return;
            }
            known.in_force = Some(known.agreement.clone());
        }
        "agreement.suspended/1" => {
            let Some(suspended) = fact.read::<Suspended>() else { return };
            let known = changed(&mut register.agreements, &suspended.agreement);
            let Some(known) = known else { return };
            known.suspended = true;
            known.resumed_by.clear();
        }
        _ => {
            let Some(resumed) = fact.read::<Resumed>() else { return };
            let known = changed(&mut register.agreements, &resumed.agreement);
            let Some(known) = known else { return };
            known.resumed_by.insert(resumed.agency);
            known.suspended = !resumed.complete;
        }
    }
    register.policy_changes += 1;
}
