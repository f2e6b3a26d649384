//! Circles: given an alert in its circle, when members join or leave, then exactly this follows.

use app::kernel::{Done, Fault};
use base::RecordId;
use serde_json::{Value, json};
use testkit::world::{Being, marking};
use testkit::{Who, World};

const DESK: Being<'static> =
    Being { level: 4, compartments: &[], roles: &["DUTY", "SIGNATORY", "ADMIN"] };

/// An alert of the police to the fire service; customs is of the agreement, the ambulance is not.
struct Scene {
    world: World,
    police: Who,
    fire: Who,
    customs: Who,
    ambulance: Who,
    circle: RecordId,
}

fn scene() -> Scene {
    let world = World::new();
    let agencies: Vec<_> = ["POL", "FIRE", "CUS", "AMB"].map(|code| world.agency(code)).into();
    let desks: Vec<Who> = agencies.iter().map(|agency| world.person(*agency, &DESK)).collect();
    let [police, fire, customs, ambulance] = desks[..] else { unreachable!() };
    let parties = [police.agency, fire.agency, customs.agency];
    let reads: &[&str] = &["alert:read", "circle:read", "agreement:read"];
    let charter = world.agreement(&parties, &[(&parties, &parties, reads, 4)]);
    let command = json!({ "do": "found", "agreement": charter, "markings": marking(1, &[]) });
    world.found(police.agency, "agreement:found", &command).expect("the charter");
    let command = json!({
        "do": "raise", "markings": marking(2, &[]), "precedence": "PRIORITY", "title": "Found",
        "text": "text", "audience": [fire.agency], "options": ["coming"], "place": null
    });
    world.act(police, "alert:raise", &command).expect("an alert");
    let circles = world.list(police, "circle").items;
    let of_alert = circles.iter().find(|c| c.layers[0].body["purpose"] == "alert");
    let circle = of_alert.expect("the alert's circle").id;
    Scene { world, police, fire, customs, ambulance, circle }
}

impl Scene {
    fn change(&self, who: Who, verb: &str, members: &Value) -> Result<Done, Fault> {
        let command = json!({ "do": verb, "circle": self.circle, "members": members });
        self.world.act(who, &format!("circle:{verb}"), &command)
    }

    fn changed(&self, verb: &str, members: &Value) {
        self.change(self.police, verb, members).expect("changed");
    }

    fn refused(&self, who: Who, verb: &str, members: &Value) -> &'static str {
        self.change(who, verb, members).expect_err("a refusal").code.slug
    }

    fn alerts(&self, who: Who) -> u64 {
        self.world.list(who, "alert").total
    }
}

#[test]
fn who_joins_reads_at_once_and_who_leaves_stops_at_once() {
    let scene = scene();
    assert_eq!((scene.alerts(scene.fire), scene.alerts(scene.customs)), (1, 0));
    scene.changed("join", &json!([{ "agency": scene.customs.agency }]));
    assert_eq!((scene.alerts(scene.fire), scene.alerts(scene.customs)), (1, 1));
    scene.changed("leave", &json!([{ "agency": scene.fire.agency }]));
    assert_eq!((scene.alerts(scene.fire), scene.alerts(scene.customs)), (0, 1));
}

#[test]
fn membership_alone_is_not_enough() {
    let scene = scene();
    scene.changed("join", &json!([{ "agency": scene.ambulance.agency }]));
    assert_eq!(scene.alerts(scene.ambulance), 0, "no clause, no flow");
}

#[test]
fn an_empty_circle_is_nobodys() {
    let scene = scene();
    let all = json!([{ "agency": scene.police.agency }, { "agency": scene.fire.agency }]);
    scene.changed("leave", &all);
    assert_eq!((scene.alerts(scene.police), scene.alerts(scene.fire)), (0, 0));
    let back = json!([{ "agency": scene.police.agency }]);
    assert_eq!(scene.refused(scene.police, "join", &back), "absent", "the circle went with it");
}

#[test]
fn a_person_joins_without_the_agency() {
    let scene = scene();
    let colleague = scene.world.person(scene.customs.agency, &DESK);
    scene.changed("join", &json!([{ "person": scene.customs.person }]));
    assert_eq!((scene.alerts(scene.customs), scene.alerts(colleague)), (1, 0));
}

#[test]
fn a_seat_joins_for_whoever_holds_it() {
    let scene = scene();
    let seat = scene.customs.seat.expect("a seat");
    let next = scene.world.person(scene.customs.agency, &DESK);
    let next = Who { seat: Some(seat), ..next };
    scene.changed("join", &json!([{ "seat": seat }]));
    let total = |who: Who| {
        let (_, _, body) = scene.world.read(&scene.world.token(who), "/api/alerts");
        serde_json::from_slice::<Value>(&body).expect("a page")["total"].clone()
    };
    assert_eq!((total(scene.customs), total(next)), (json!(1), json!(0)));
    let take = json!({ "do": "take", "seat": seat, "person": next.person });
    scene.world.act(scene.customs, "seat:take", &take).expect("handed over");
    assert_eq!((total(scene.customs), total(next)), (json!(0), json!(1)));
}

#[test]
fn a_change_that_changes_nothing_is_refused() {
    let scene = scene();
    let (fire, customs) = (scene.fire.agency, scene.customs.agency);
    let members = json!([{ "agency": fire }]);
    assert_eq!(scene.refused(scene.police, "join", &members), "nothing-to-do");
    let strangers = json!([{ "agency": customs }]);
    assert_eq!(scene.refused(scene.police, "leave", &strangers), "nothing-to-do");
    scene.changed("join", &json!([{ "agency": fire }, { "agency": customs }]));
}

#[test]
fn whoever_is_not_in_a_circle_neither_knows_nor_joins_it() {
    let scene = scene();
    let own = json!([{ "agency": scene.customs.agency }]);
    let hidden = scene.change(scene.customs, "join", &own).expect_err("hidden");
    let circle = RecordId([9; 16]);
    let never = json!({ "do": "join", "circle": circle, "members": own });
    let never = scene.world.act(scene.customs, "circle:join", &never).expect_err("no such");
    assert_eq!(hidden.to_string(), never.to_string());
    assert_eq!(hidden.code.slug, "absent");
    let known = scene.world.list(scene.customs, "circle").items;
    assert!(known.iter().all(|circle| circle.id != scene.circle));
}

#[test]
fn only_a_desk_changes_members() {
    let scene = scene();
    let analyst = Being { roles: &["ANALYST", "ADMIN", "SIGNATORY"], ..DESK };
    let analyst = scene.world.person(scene.police.agency, &analyst);
    let customs = json!([{ "agency": scene.customs.agency }]);
    assert_eq!(scene.refused(analyst, "join", &customs), "denied");
    assert_eq!(scene.refused(analyst, "leave", &customs), "denied");
}

#[test]
fn members_are_named_and_of_a_known_sort() {
    let scene = scene();
    for members in [json!([]), json!([{ "team": scene.customs.agency }]), json!(["everybody"])] {
        assert_eq!(scene.refused(scene.police, "join", &members), "invalid-command", "{members}");
    }
}

#[test]
fn members_survive_a_restart() {
    let mut scene = scene();
    scene.changed("join", &json!([{ "agency": scene.customs.agency }]));
    scene.changed("leave", &json!([{ "agency": scene.fire.agency }]));
    scene.world.restart();
    assert_eq!((scene.alerts(scene.fire), scene.alerts(scene.customs)), (0, 1));
}

#[test]
fn a_circle_is_changed_by_desks_of_its_own_agency_only() {
    let scene = scene();
    let police = json!([{ "agency": scene.police.agency }]);
    assert_eq!(scene.refused(scene.fire, "leave", &police), "other-agency");
    let customs = json!([{ "agency": scene.customs.agency }]);
    assert_eq!(scene.refused(scene.fire, "join", &customs), "other-agency");
}

#[test]
fn whoever_reads_an_alert_of_another_agency_does_not_cancel_it() {
    let scene = scene();
    let alert = scene.world.list(scene.fire, "alert").items[0].id;
    let command = json!({ "do": "cancel", "alert": alert, "reason": "not ours" });
    let fault = scene.world.act(scene.fire, "alert:cancel", &command).expect_err("not theirs");
    assert_eq!(fault.code.slug, "other-agency");
}
