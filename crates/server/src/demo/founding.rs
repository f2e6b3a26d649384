//! The founding of the world: its agencies, people and agreements, and what happened before.

use std::collections::BTreeSet;

use app::kernel::session;
use app::kernel::{ActorContext, Fault};
use base::{AgencyId, Digest, Token};
use policy::Agreement;
use serde_json::{Value, json};

use super::cast::{Cast, FixedAct};
use super::world::{Agency, Founded, Seat, World};

/// The level of the directory: agencies are known to all, people to all who are cleared for
/// RESTRICTED.
const OPEN: u8 = 1;
const RESTRICTED: u8 = 2;

/// Markings of the national scheme as commands write them.
pub fn marking(level: u8, codes: &BTreeSet<Token>) -> Value {
    json!({ "NAT": { "level": level, "compartments": codes } })
}

fn open(level: u8) -> Value {
    marking(level, &BTreeSet::new())
}

/// Founds the world, or goes on with a founding that was interrupted.
///
/// # Errors
/// What the first refused act was refused with.
pub fn found(cast: &Cast, world: &World) -> Result<(), Fault> {
    let agreements = world.agreements(cast.founded()).map_err(Fault::bug)?;
    if !in_force(cast, &agreements) {
        cast.all(world.agencies.iter().map(|agency| add_agency(cast.founded(), agency)).collect())?;
        cast.all(each_seat(world, |agency, seat| add_person(cast.founded(), agency, seat)))?;
        cast.all(each_seat(world, |agency, seat| add_seat(cast.founded(), agency, seat)))?;
        cast.all(each_seat(world, |agency, seat| take_seat(cast.founded(), agency, seat)))?;
        charter(cast, world, &agreements)?;
        enact(cast, world, &agreements)?;
    }
    before(cast, world)
}

fn in_force(cast: &Cast, agreements: &[Agreement]) -> bool {
    let core = cast.node().core();
    let known = |a: &Agreement| core.register.agreements.get(&a.id);
    agreements.iter().all(|a| known(a).is_some_and(|signed| signed.in_force.is_some()))
}

fn each_seat(world: &World, act: impl Fn(&Agency, &Seat) -> FixedAct) -> Vec<FixedAct> {
    let seats = world.agencies.iter().flat_map(|a| a.seats.iter().map(move |seat| (a, seat)));
    seats.map(|(agency, seat)| act(agency, seat)).collect()
}

fn system(agency: AgencyId, action: &'static str, key: String, command: Value) -> FixedAct {
    FixedAct { actor: Cast::system(agency), action, command, key }
}

fn add_agency(founded: &Founded, agency: &Agency) -> FixedAct {
    let id = founded.agency(&agency.code);
    let command = json!({
        "do": "add", "agency": id, "name": agency.name, "code": agency.code,
        "parent": agency.parent.as_ref().map(|parent| founded.agency(parent)),
        "markings": open(OPEN)
    });
    system(id, "agency:add", format!("agency:{}", agency.code), command)
}

fn add_person(founded: &Founded, agency: &Agency, seat: &Seat) -> FixedAct {
    let id = founded.agency(&agency.code);
    let mut schemes = json!({ "NAT": { "level": seat.level, "compartments": seat.codes } });
    if let (Some(nato), Value::Object(schemes)) = (seat.nato, &mut schemes) {
        schemes.insert("NATO".to_owned(), json!({ "level": nato, "compartments": [] }));
    }
    let courses: serde_json::Map<String, Value> = seat
        .courses
        .iter()
        .map(|(course, days)| (course.to_string(), json!(founded.day(*days))))
        .collect();
    let command = json!({
        "do": "add", "person": founded.person(&seat.holder), "name": seat.holder, "agency": id,
        "clearance": { "schemes": schemes, "audiences": agency.audiences },
        "cleared_until": null, "roles": [], "training": courses, "markings": open(RESTRICTED)
    });
    system(id, "person:add", format!("person:{}", seat.id), command)
}

fn add_seat(founded: &Founded, agency: &Agency, seat: &Seat) -> FixedAct {
    let id = founded.agency(&agency.code);
    let deputies: Vec<_> = seat.deputies.iter().map(|deputy| founded.seat(deputy)).collect();
    let command = json!({
        "do": "add_seat", "seat": founded.seat(&seat.id), "name": seat.post, "agency": id,
        "roles": seat.roles, "deputies": deputies, "markings": open(RESTRICTED)
    });
    system(id, "seat:add", format!("seat:{}", seat.id), command)
}

fn take_seat(founded: &Founded, agency: &Agency, seat: &Seat) -> FixedAct {
    let id = founded.agency(&agency.code);
    let command = json!({
        "do": "take", "seat": founded.seat(&seat.id), "person": founded.person(&seat.holder)
    });
    system(id, "seat:take", format!("take:{}", seat.id), command)
}

fn charter(cast: &Cast, world: &World, agreements: &[Agreement]) -> Result<(), Fault> {
    let first = agreements.first().ok_or_else(|| Fault::bug("the world has no charter"))?;
    let founder = first.parties.iter().next().copied();
    let founder = founder.ok_or_else(|| Fault::bug("the charter has no party"))?;
    let command = json!({ "do": "found", "agreement": first, "markings": open(RESTRICTED) });
    let key = format!("found:{}", world.agreement_name(0));
    cast.all(vec![system(founder, "agreement:found", key, command)]).map(drop)
}

/// Proposes and signs every agreement but the charter, by the signatories of its parties.
fn enact(cast: &Cast, world: &World, agreements: &[Agreement]) -> Result<(), Fault> {
    let mut proposals = Vec::new();
    let mut signatures = Vec::new();
    for (place, agreement) in agreements.iter().enumerate().skip(1) {
        let name = world.agreement_name(place);
        let signatories = world.signatories(place).map_err(Fault::bug)?;
        for (party, seat) in signatories.into_iter().enumerate() {
            let actor = original(cast, seat)?;
            if party == 0 {
                let command = json!({
                    "do": "propose", "agreement": agreement, "markings": open(RESTRICTED)
                });
                let key = format!("propose:{name}");
                let actor = actor.clone();
                proposals.push(FixedAct { actor, action: "agreement:propose", command, key });
            }
            let digest: Digest = agreement.digest();
            let command = json!({ "do": "sign", "agreement": agreement.id, "digest": digest });
            let key = format!("sign:{name}:{}", seat.id);
            signatures.push(FixedAct { actor, action: "agreement:sign", command, key });
        }
    }
    cast.all(proposals)?;
    cast.all(signatures).map(drop)
}

/// Whoever held a seat at the founding, also when it has changed hands since.
fn original(cast: &Cast, seat: &Seat) -> Result<ActorContext, Fault> {
    let token = cast.sign_in(cast.founded().person(&seat.holder), &seat.id)?;
    session::resolve(cast.node(), &token)
}

/// Raises the alerts of the time before, and has them answered.
fn before(cast: &Cast, world: &World) -> Result<(), Fault> {
    let named =
        |id: &String| world.seat(id).ok_or_else(|| Fault::bug(format!("there is no seat `{id}`")));
    let mut raised = Vec::new();
    for (place, before) in world.play.before.iter().enumerate() {
        let (_, author) = named(&before.seat)?;
        let mut audience = Vec::new();
        for id in &before.answered_by {
            audience.push(cast.founded().agency(&named(id)?.0.code));
        }
        let command = json!({
            "do": "raise", "markings": marking(before.level, &before.codes),
            "precedence": before.precedence, "title": before.title, "text": before.text,
            "audience": audience, "options": ["understood", "responding"],
            "place": world.place(&before.place).map_err(Fault::bug)?
        });
        let actor = original(cast, author)?;
        let key = format!("before:{place}");
        raised.push(FixedAct { actor, action: "alert:raise", command, key });
    }
    let alerts = cast.all(raised)?;
    let mut answers = Vec::new();
    for (before, alert) in world.play.before.iter().zip(&alerts) {
        for id in &before.answered_by {
            let command = json!({
                "do": "acknowledge", "alert": alert.record, "option": 0, "note": null
            });
            let actor = original(cast, named(id)?.1)?;
            let key = format!("answer:{}:{id}", alert.record);
            answers.push(FixedAct { actor, action: "alert:acknowledge", command, key });
        }
    }
    cast.all(answers).map(drop)
}
