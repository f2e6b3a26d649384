//! Plans: given two agencies under an agreement, when somebody plans, then exactly this follows.

use serde_json::{Value, json};
use testkit::world::{Being, marking};
use testkit::{Who, World};

const HEAD: Being<'static> =
    Being { level: 4, compartments: &[], roles: &["HEAD", "DUTY", "SIGNATORY"] };

struct Scene {
    world: World,
    police: Who,
    fire: Who,
    agreement: base::AgreementId,
}

fn scene() -> Scene {
    let world = World::new();
    let (pol, fir) = (world.agency("POL"), world.agency("FIRE"));
    let (police, fire) = (world.person(pol, &HEAD), world.person(fir, &HEAD));
    let both = [pol, fir];
    world.charter(&both);
    let text = world.agreement(&both, &[(&both, &both, &["alert:read"], 4)]);
    let agreement = world.enact(&text, &[police, fire]);
    Scene { world, police, fire, agreement }
}

fn content(scene: &Scene) -> Value {
    json!({
        "name": "Major incident", "incident": "MAJOR-INCIDENT",
        "incident_markings": marking(2, &[]), "precedence": "IMMEDIATE", "text": "Send a liaison.",
        "options": ["responding"], "ladder_s": [60, 120, 180],
        "obliged": [{ "agency": scene.fire.agency, "agreement": scene.agreement }],
        "roles": [{ "name": "Commander", "seat": scene.police.seat }], "objectives": ["Save life"]
    })
}

fn make(scene: &Scene, content: &Value) -> Result<base::RecordId, &'static str> {
    let command = json!({ "do": "make", "content": content, "markings": marking(2, &[]) });
    let done = scene.world.act(scene.police, "plan:make", &command);
    done.map(|done| done.record).map_err(|fault| fault.code.slug)
}

#[test]
fn a_plan_stays_with_the_people_of_its_agency() {
    let scene = scene();
    let plan = make(&scene, &content(&scene)).expect("a plan");
    let seen = scene.world.get(scene.police, "plan", plan).expect("one's own");
    assert_eq!(seen.state.as_deref(), Some("in_force"));
    assert_eq!(seen.layers[0].body["incident"], "MAJOR-INCIDENT");
    let fault = scene.world.get(scene.fire, "plan", plan).expect_err("no clause, no flow");
    assert_eq!(fault.code.slug, "absent");
    let revise = json!({ "do": "revise", "plan": plan, "content": content(&scene) });
    let fault = scene.world.act(scene.fire, "plan:revise", &revise).expect_err("unknown to them");
    assert_eq!(fault.code.slug, "absent");
    assert_eq!(scene.world.list(scene.fire, "plan").total, 0);
}

#[test]
fn an_obligation_needs_an_agreement_of_both() {
    let scene = scene();
    for (agreement, slug) in [
        (Value::Null, "agreement-needed"),
        (json!(base::AgreementId([5; 16])), "unknown-agreement"),
    ] {
        let mut content = content(&scene);
        content["obliged"][0]["agreement"] = agreement;
        assert_eq!(make(&scene, &content), Err(slug));
    }
    let mut content = content(&scene);
    content["obliged"][0]["agency"] = json!(base::AgencyId([5; 16]));
    assert_eq!(make(&scene, &content), Err("unknown-agency"));
}

#[test]
fn a_plan_with_a_wrong_form_is_refused_with_its_reason() {
    let scene = scene();
    let with = |field: &str, value: Value| {
        let mut content = content(&scene);
        content[field] = value;
        make(&scene, &content)
    };
    let role = json!({ "name": "Commander", "seat": scene.police.seat });
    assert_eq!(with("roles", json!([role.clone(), role])), Err("role-repeats"));
    let unknown = json!([{ "name": "Commander", "seat": base::SeatId([5; 16]) }]);
    assert_eq!(with("roles", unknown), Err("unknown-seat"));
    assert_eq!(with("ladder_s", json!([60, 60, 70])), Err("ladder-order"));
    let obliged = content(&scene)["obliged"][0].clone();
    assert_eq!(with("obliged", json!([obliged.clone(), obliged])), Err("audience-repeats"));
    assert!(with("objectives", json!(vec!["Save life"; 16])).is_ok());
    assert_eq!(with("objectives", json!(vec!["Save life"; 17])), Err("plan-too-large"));
    let roles = |count: usize| -> Value {
        let seat = scene.police.seat;
        (0..count).map(|i| json!({ "name": format!("R{i}"), "seat": seat })).collect()
    };
    assert!(with("roles", roles(32)).is_ok());
    assert_eq!(with("roles", roles(33)), Err("plan-too-large"));
}

#[test]
fn a_withdrawn_plan_is_changed_no_more() {
    let scene = scene();
    let plan = make(&scene, &content(&scene)).expect("a plan");
    let withdraw = json!({ "do": "withdraw", "plan": plan, "reason": "replaced" });
    scene.world.act(scene.police, "plan:withdraw", &withdraw).expect("withdrawn");
    let seen = scene.world.get(scene.police, "plan", plan).expect("the plan");
    assert_eq!(seen.state.as_deref(), Some("withdrawn"));
    let revise = json!({ "do": "revise", "plan": plan, "content": content(&scene) });
    for (action, command) in [("plan:revise", &revise), ("plan:withdraw", &withdraw)] {
        let fault = scene.world.act(scene.police, action, command).expect_err("withdrawn");
        assert_eq!(fault.code.slug, "plan-withdrawn");
    }
}

#[test]
fn only_heads_plan() {
    let scene = scene();
    let desk = scene.world.person(scene.police.agency, &Being { roles: &["DUTY"], ..HEAD });
    let command = json!({ "do": "make", "content": content(&scene), "markings": marking(2, &[]) });
    let fault = scene.world.act(desk, "plan:make", &command).expect_err("no head");
    assert_eq!(fault.code.slug, "denied");
}

const PLANNER: Being<'static> = Being { level: 4, compartments: &[], roles: &["PLANNER"] };

fn propose(scene: &Scene, who: Who) -> Result<base::RecordId, &'static str> {
    let content = content(scene);
    let command = json!({ "do": "propose", "content": content, "markings": marking(2, &[]) });
    let done = scene.world.act(who, "plan:propose", &command);
    done.map(|done| done.record).map_err(|fault| fault.code.slug)
}

fn upon(scene: &Scene, who: Who, action: &str, command: &Value) -> Result<(), &'static str> {
    scene.world.act(who, action, command).map(|_done| ()).map_err(|fault| fault.code.slug)
}

fn approve(scene: &Scene, who: Who, plan: base::RecordId) -> Result<(), &'static str> {
    upon(scene, who, "plan:approve", &json!({ "do": "approve", "plan": plan }))
}

fn declare(scene: &Scene, plan: base::RecordId) -> Result<(), &'static str> {
    let command =
        json!({ "do": "declare", "plan": plan, "title": "Fire", "text": null, "place": null });
    upon(scene, scene.police, "declaration:declare", &command)
}

#[test]
fn a_proposal_is_in_force_when_another_person_has_signed_it() {
    let scene = scene();
    let planner = scene.world.person(scene.police.agency, &PLANNER);
    let plan = propose(&scene, planner).expect("a proposal");
    let seen = scene.world.get(scene.police, "plan", plan).expect("one's own");
    assert_eq!(seen.state.as_deref(), Some("proposed"));
    assert_eq!(seen.layers[0].body["proposed_by"], json!(planner.person));
    assert_eq!(declare(&scene, plan), Err("plan-withdrawn"), "nothing is declared by it yet");
    let revise = json!({ "do": "revise", "plan": plan, "content": content(&scene) });
    assert_eq!(upon(&scene, scene.police, "plan:revise", &revise), Err("plan-withdrawn"));

    assert_eq!(approve(&scene, planner, plan), Err("denied"), "planners do not answer for it");
    assert_eq!(approve(&scene, scene.fire, plan), Err("absent"), "others do not know of it");
    assert_eq!(approve(&scene, scene.police, plan), Ok(()));
    let seen = scene.world.get(scene.police, "plan", plan).expect("one's own");
    assert_eq!(seen.state.as_deref(), Some("in_force"));
    assert_eq!(seen.layers[0].body["approved_by"], json!(scene.police.person));
    assert_eq!(approve(&scene, scene.police, plan), Err("plan-approved"));
    assert_eq!(declare(&scene, plan), Ok(()));
}

#[test]
fn whoever_proposes_a_plan_does_not_approve_it() {
    let scene = scene();
    let plan = propose(&scene, scene.police).expect("a head may propose");
    assert_eq!(approve(&scene, scene.police, plan), Err("own-proposal"));
    let other = scene.world.person(scene.police.agency, &HEAD);
    assert_eq!(approve(&scene, other, plan), Ok(()));
}

#[test]
fn a_proposal_that_is_withdrawn_is_approved_no_more() {
    let scene = scene();
    let planner = scene.world.person(scene.police.agency, &PLANNER);
    let plan = propose(&scene, planner).expect("a proposal");
    let withdraw = json!({ "do": "withdraw", "plan": plan, "reason": "not now" });
    assert_eq!(upon(&scene, planner, "plan:withdraw", &withdraw), Err("denied"));
    assert_eq!(upon(&scene, scene.police, "plan:withdraw", &withdraw), Ok(()));
    assert_eq!(approve(&scene, scene.police, plan), Err("plan-withdrawn"));
    let analyst = Being { roles: &["ANALYST"], ..PLANNER };
    let analyst = scene.world.person(scene.police.agency, &analyst);
    assert_eq!(propose(&scene, analyst), Err("denied"));
}

#[test]
fn a_proposal_meets_every_rule_of_a_plan() {
    let scene = scene();
    let planner = scene.world.person(scene.police.agency, &PLANNER);
    let mut content = content(&scene);
    content["obliged"][0]["agreement"] = Value::Null;
    let command = json!({ "do": "propose", "content": content, "markings": marking(2, &[]) });
    let refused = upon(&scene, planner, "plan:propose", &command);
    assert_eq!(refused, Err("agreement-needed"));
    assert_eq!(scene.world.list(scene.police, "plan").total, 0);
}
