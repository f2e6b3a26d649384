//! People and seats: given two agencies, when somebody administers, then exactly this follows.

use app::kernel::{Done, Fault};
use base::{AgencyId, PersonId, RecordId, SeatId};
use serde_json::{Value, json};
use testkit::world::{Being, marking};
use testkit::{Who, World};

const ADMIN: Being<'static> = Being { level: 4, compartments: &[], roles: &["ADMIN", "DUTY"] };
const NOBODY: Being<'static> = Being { level: 4, compartments: &[], roles: &[] };

struct Scene {
    world: World,
    police: Who,
    fire: Who,
}

fn scene() -> Scene {
    let world = World::new();
    let (pol, fir) = (world.agency("POL"), world.agency("FIRE"));
    let (police, fire) = (world.person(pol, &ADMIN), world.person(fir, &ADMIN));
    Scene { world, police, fire }
}

fn person(agency: AgencyId) -> Value {
    json!({
        "do": "add", "name": "Aino Korhonen", "agency": agency,
        "clearance": { "schemes": { "NAT": { "level": 3 } } }, "markings": marking(1, &[])
    })
}

fn seat(agency: AgencyId, roles: &[&str]) -> Value {
    json!({
        "do": "add_seat", "name": "Duty desk", "agency": agency, "roles": roles,
        "markings": marking(1, &[])
    })
}

fn clear(person: PersonId, level: u8) -> Value {
    json!({
        "do": "clear", "person": person, "cleared_until": null, "roles": [], "training": {},
        "clearance": { "schemes": { "NAT": { "level": level } } }
    })
}

fn take(seat: SeatId, person: Option<PersonId>) -> Value {
    json!({ "do": "take", "seat": seat, "person": person })
}

/// An alert to one's own agency, as the body of a request.
fn alert(agency: AgencyId, level: u8) -> Value {
    json!({
        "markings": marking(level, &[]), "precedence": "ROUTINE", "title": "Roll call",
        "text": "text", "audience": [agency], "options": ["here"], "place": null
    })
}

impl Scene {
    fn act(&self, action: &str, command: &Value) -> Result<Done, Fault> {
        self.world.act(self.police, action, command)
    }

    fn refused(&self, action: &str, command: &Value) -> &'static str {
        self.act(action, command).expect_err("a refusal").code.slug
    }

    /// Adds an empty seat to the police.
    fn seat(&self, roles: &[&str]) -> SeatId {
        let added = self.act("seat:add", &seat(self.police.agency, roles)).expect("a seat");
        SeatId(added.record.0)
    }

    fn state(&self, id: RecordId) -> Option<String> {
        self.world.get(self.police, "person", id).expect("one's own").state
    }
}

#[test]
fn each_agency_administers_its_own_people_and_seats_only() {
    let scene = scene();
    let own = scene.act("person:add", &person(scene.police.agency)).expect("one's own");
    assert_eq!(scene.state(own.record).as_deref(), Some("active"));
    assert_eq!(scene.refused("person:add", &person(scene.fire.agency)), "other-agency");
    assert_eq!(scene.refused("seat:add", &seat(scene.fire.agency, &[])), "other-agency");
    // With a charter the other agency's people may be known of, and are still not ours.
    scene.world.charter(&[scene.police.agency, scene.fire.agency]);
    let fire = scene.fire;
    assert_eq!(scene.refused("person:clear", &clear(fire.person, 5)), "other-agency");
    let remove = json!({ "do": "remove", "person": fire.person });
    assert_eq!(scene.refused("person:remove", &remove), "other-agency");
    let theirs = take(fire.seat.expect("a seat"), None);
    assert_eq!(scene.refused("seat:take", &theirs), "other-agency");
}

#[test]
fn only_an_administrator_adds_and_clears_people() {
    let scene = scene();
    let roles = Being { roles: &["DUTY", "HEAD", "SIGNATORY"], ..ADMIN };
    let desk = scene.world.person(scene.police.agency, &roles);
    for (action, command) in [
        ("person:add", person(desk.agency)),
        ("person:clear", clear(desk.person, 5)),
        ("seat:add", seat(desk.agency, &["HEAD"])),
    ] {
        let fault = scene.world.act(desk, action, &command).expect_err("no administrator");
        assert_eq!(fault.code.slug, "denied", "{action}");
    }
}

#[test]
fn an_agency_that_does_not_exist_has_no_people_and_no_seats() {
    let scene = scene();
    let nowhere = AgencyId([9; 16]);
    for (action, command) in
        [("person:add", person(nowhere)), ("seat:add", seat(nowhere, &["DUTY"]))]
    {
        let fault = scene.world.found(nowhere, action, &command).expect_err("no agency");
        assert_eq!(fault.code.slug, "unknown-agency", "{action}");
    }
}

#[test]
fn a_person_and_a_seat_are_added_once() {
    let scene = scene();
    let mut again = person(scene.police.agency);
    again["person"] = json!(scene.police.person);
    assert_eq!(scene.refused("person:add", &again), "person-exists");
    let mut again = seat(scene.police.agency, &[]);
    again["seat"] = json!(scene.police.seat);
    assert_eq!(scene.refused("seat:add", &again), "seat-exists");
}

#[test]
fn a_seat_goes_to_people_of_its_own_agency_only() {
    let scene = scene();
    let desk = scene.seat(&["DUTY"]);
    let theirs = take(desk, Some(scene.fire.person));
    assert_eq!(scene.refused("seat:take", &theirs), "person-of-other-agency");
    assert_eq!(scene.state(RecordId(desk.0)).as_deref(), Some("empty"));
}

#[test]
fn what_does_not_exist_is_neither_cleared_nor_taken() {
    let scene = scene();
    let desk = scene.seat(&["DUTY"]);
    let nobody = PersonId([9; 16]);
    assert_eq!(scene.refused("person:clear", &clear(nobody, 3)), "absent");
    assert_eq!(scene.refused("seat:take", &take(desk, Some(nobody))), "absent");
    let nowhere = take(SeatId([9; 16]), Some(scene.police.person));
    assert_eq!(scene.refused("seat:take", &nowhere), "absent");
}

#[test]
fn a_seat_that_is_held_so_is_not_taken_again() {
    let scene = scene();
    let desk = scene.seat(&["DUTY"]);
    assert_eq!(scene.refused("seat:take", &take(desk, None)), "seat-taken");
    let taken = take(desk, Some(scene.police.person));
    scene.act("seat:take", &taken).expect("taken");
    assert_eq!(scene.state(RecordId(desk.0)).as_deref(), Some("held"));
    assert_eq!(scene.refused("seat:take", &taken), "seat-taken");
}

#[test]
fn authority_stays_with_the_seat_and_leaves_its_holder_at_once() {
    let scene = scene();
    let agency = scene.police.agency;
    let (first, next) = (scene.world.person(agency, &NOBODY), scene.world.person(agency, &NOBODY));
    let desk = scene.seat(&["DUTY"]);
    let tokens = [first, next].map(|who| scene.world.token(Who { seat: Some(desk), ..who }));
    let raise = || {
        let raised = |token| scene.world.post(token, "/api/alerts", &alert(agency, 2)).0.as_u16();
        tokens.each_ref().map(|token| raised(token))
    };
    assert_eq!(raise(), [403, 403], "the seat stands empty");
    scene.act("seat:take", &take(desk, Some(first.person))).expect("taken");
    assert_eq!(raise(), [201, 403]);
    scene.act("seat:take", &take(desk, Some(next.person))).expect("handed over");
    assert_eq!(raise(), [403, 201]);
}

#[test]
fn a_lowered_clearance_acts_with_the_next_read() {
    let scene = scene();
    let agency = scene.police.agency;
    let reader = scene.world.person(agency, &NOBODY);
    let token = scene.world.token(scene.police);
    assert_eq!(scene.world.post(&token, "/api/alerts", &alert(agency, 4)).0, 201);
    assert_eq!(scene.world.list(reader, "alert").total, 1);
    scene.act("person:clear", &clear(reader.person, 3)).expect("cleared lower");
    assert_eq!(scene.world.list(reader, "alert").total, 0);
}

#[test]
fn a_clearance_that_has_ended_clears_nothing() {
    let scene = scene();
    let agency = scene.police.agency;
    let token = scene.world.token(scene.police);
    assert_eq!(scene.world.post(&token, "/api/alerts", &alert(agency, 1)).0, 201);
    let reader = scene.world.person(agency, &NOBODY);
    assert_eq!(scene.world.list(reader, "alert").total, 1);
    let mut ended = clear(reader.person, 4);
    ended["cleared_until"] = json!("2026-11-22T11:59:59.000Z");
    scene.act("person:clear", &ended).expect("a clearance of yesterday");
    assert_eq!(scene.world.list(reader, "alert").total, 0);
}

#[test]
fn whoever_was_removed_does_nothing_more() {
    let scene = scene();
    let gone = scene.world.person(scene.police.agency, &ADMIN);
    scene.act("person:remove", &json!({ "do": "remove", "person": gone.person })).expect("removed");
    let again = person(gone.agency);
    let fault = scene.world.act(gone, "person:add", &again).expect_err("removed");
    assert_eq!(fault.code.slug, "denied");
    assert_eq!(scene.world.list(gone, "person").total, 0);
    assert_eq!(scene.state(RecordId(gone.person.0)).as_deref(), Some("removed"));
}

#[test]
fn people_of_another_agency_are_unknown_without_a_clause() {
    let scene = scene();
    let of = |who: Who| -> Vec<AgencyId> {
        scene.world.list(who, "person").items.iter().map(|record| record.agency).collect()
    };
    assert!(of(scene.fire).iter().all(|agency| *agency == scene.fire.agency));
    scene.world.charter(&[scene.police.agency, scene.fire.agency]);
    assert!(of(scene.fire).contains(&scene.police.agency), "the charter shows them");
}

#[test]
fn clearances_stay_out_of_what_colleagues_read() {
    let scene = scene();
    let id = RecordId(scene.police.person.0);
    let seen = scene.world.get(scene.police, "person", id).expect("one's own");
    let mut fields: Vec<&String> = seen.layers[0].body.keys().collect();
    fields.sort();
    assert_eq!(fields, ["cleared_until", "name", "roles", "training"]);
}

#[test]
fn names_and_roles_have_their_form() {
    let scene = scene();
    let with = |field: &str, value: Value| {
        let mut command = person(scene.police.agency);
        command[field] = value;
        command
    };
    for command in [
        with("name", json!("n".repeat(121))),
        with("name", json!(" ")),
        with("roles", json!(["duty"])),
        with("nickname", json!("Aino")),
    ] {
        assert_eq!(scene.refused("person:add", &command), "invalid-command", "{command}");
    }
    scene.act("person:add", &with("name", json!("n".repeat(120)))).expect("the longest name");
}

#[test]
fn a_clearance_ends_with_its_time_though_nobody_acts() {
    let scene = scene();
    let agency = scene.police.agency;
    let token = scene.world.token(scene.police);
    assert_eq!(scene.world.post(&token, "/api/alerts", &alert(agency, 1)).0, 201);
    let reader = scene.world.person(agency, &NOBODY);
    let mut until = clear(reader.person, 4);
    until["cleared_until"] = json!("2026-11-22T13:00:00.000Z");
    scene.act("person:clear", &until).expect("a clearance for an hour");
    assert_eq!(scene.world.list(reader, "alert").total, 1);
    scene.world.clock.advance_s(3601);
    assert_eq!(scene.world.list(reader, "alert").total, 0);
}

#[test]
fn whoever_was_removed_is_not_seated() {
    let scene = scene();
    let gone = scene.world.person(scene.police.agency, &NOBODY);
    scene.act("person:remove", &json!({ "do": "remove", "person": gone.person })).expect("removed");
    let desk = scene.seat(&["DUTY"]);
    assert_eq!(scene.refused("seat:take", &take(desk, Some(gone.person))), "absent");
}

#[test]
fn whoever_may_not_know_of_a_person_gets_the_answer_for_nobody() {
    let scene = scene();
    let hidden = scene.act("person:clear", &clear(scene.fire.person, 3)).expect_err("hidden");
    let never = scene.act("person:clear", &clear(PersonId([9; 16]), 3)).expect_err("no such");
    assert_eq!(hidden.to_string(), never.to_string());
}
