//! Agreements: given three agencies, when parties propose, sign and suspend, then this follows.

use app::kernel::{Done, Fault};
use base::{AgencyId, AgreementId, Digest, RecordId};
use serde_json::{Value, json};
use testkit::world::{Being, marking};
use testkit::{Who, World};

const DESK: Being<'static> = Being { level: 4, compartments: &[], roles: &["DUTY", "SIGNATORY"] };

/// Police and fire, who make an agreement on alerts, and customs, which is no party to it.
struct Scene {
    world: World,
    police: Who,
    fire: Who,
    customs: Who,
    text: Value,
}

fn scene() -> Scene {
    let world = World::new();
    let agencies: Vec<_> = ["POL", "FIRE", "CUS"].map(|code| world.agency(code)).into();
    let desks: Vec<Who> = agencies.iter().map(|agency| world.person(*agency, &DESK)).collect();
    let [police, fire, customs] = desks[..] else { unreachable!() };
    world.charter(&agencies);
    let parties = [police.agency, fire.agency];
    let text =
        world.agreement(&parties, &[(&parties, &parties, &["alert:read", "circle:read"], 4)]);
    Scene { world, police, fire, customs, text }
}

fn digest(text: &Value) -> Digest {
    let agreement: policy::Agreement = serde_json::from_value(text.clone()).expect("an agreement");
    agreement.digest()
}

fn slug(outcome: Result<Done, Fault>) -> &'static str {
    outcome.expect_err("a refusal").code.slug
}

impl Scene {
    fn id(&self) -> AgreementId {
        serde_json::from_value(self.text["id"].clone()).expect("an id")
    }

    fn propose(&self, who: Who, text: &Value) -> Result<Done, Fault> {
        let command = json!({ "do": "propose", "agreement": text, "markings": marking(1, &[]) });
        self.world.act(who, "agreement:propose", &command)
    }

    fn sign(&self, who: Who, text: &Value) -> Result<Done, Fault> {
        let command = json!({ "do": "sign", "agreement": text["id"], "digest": digest(text) });
        self.world.act(who, "agreement:sign", &command)
    }

    fn suspend(&self, who: Who) -> Result<Done, Fault> {
        let command = json!({ "do": "suspend", "agreement": self.id(), "reason": "breach" });
        self.world.act(who, "agreement:suspend", &command)
    }

    fn resume(&self, who: Who) -> Result<Done, Fault> {
        let command = json!({ "do": "resume", "agreement": self.id() });
        self.world.act(who, "agreement:resume", &command)
    }

    /// Proposes and signs a text for both parties.
    fn enact(&self, text: &Value) {
        self.propose(self.police, text).expect("proposed");
        self.sign(self.police, text).expect("signed");
        self.sign(self.fire, text).expect("signed");
    }

    /// Whether an alert of the police may flow to the fire service.
    fn flows(&self) -> bool {
        let command = json!({
            "do": "raise", "markings": marking(2, &[]), "precedence": "ROUTINE", "title": "Test",
            "text": "text", "audience": [self.fire.agency], "options": ["yes"], "place": null
        });
        match self.world.act(self.police, "alert:raise", &command) {
            Ok(_) => true,
            Err(fault) => {
                assert_eq!(fault.code.slug, "no-clause");
                false
            }
        }
    }

    fn state(&self) -> Option<String> {
        let id = RecordId(self.id().0);
        self.world.get(self.fire, "agreement", id).expect("a party reads it").state
    }

    /// The next version: the same without its clauses.
    fn next(&self) -> Value {
        let mut next = self.text.clone();
        next["version"] = json!(2);
        next["clauses"] = json!([]);
        next
    }
}

#[test]
fn an_agreement_is_in_force_when_the_last_party_has_signed() {
    let scene = scene();
    scene.propose(scene.police, &scene.text).expect("proposed");
    assert!(!scene.flows(), "nobody has signed");
    scene.sign(scene.fire, &scene.text).expect("signed");
    assert_eq!(scene.state().as_deref(), Some("proposed"));
    assert!(!scene.flows(), "the proposer has not signed either");
    scene.sign(scene.police, &scene.text).expect("signed");
    assert_eq!(scene.state().as_deref(), Some("in_force"));
    assert!(scene.flows());
}

#[test]
fn a_party_signs_a_version_once() {
    let scene = scene();
    scene.propose(scene.police, &scene.text).expect("proposed");
    scene.sign(scene.police, &scene.text).expect("signed");
    let colleague = scene.world.person(scene.police.agency, &DESK);
    assert_eq!(slug(scene.sign(colleague, &scene.text)), "signed");
    assert!(!scene.flows(), "two signatures of one party are one");
}

#[test]
fn another_text_than_the_proposed_one_is_not_signed() {
    let scene = scene();
    scene.propose(scene.police, &scene.text).expect("proposed");
    let mut other = scene.text.clone();
    other["clauses"][0]["limits"]["ceilings"]["NAT"]["level"] = json!(1);
    assert_eq!(slug(scene.sign(scene.fire, &other)), "other-text");
}

#[test]
fn whoever_is_no_party_sees_nothing_and_does_nothing() {
    let scene = scene();
    scene.enact(&scene.text);
    let known = scene.world.list(scene.customs, "agreement").items;
    let (mine, id) = (json!(scene.text["id"]), RecordId(scene.id().0));
    assert!(known.iter().all(|agreement| json!(agreement.id) != mine));
    let hidden = scene.world.get(scene.customs, "agreement", id).expect_err("hidden");
    let never = scene.world.get(scene.customs, "agreement", RecordId([9; 16])).expect_err("none");
    assert_eq!(hidden.to_string(), never.to_string());
    assert_eq!(slug(scene.sign(scene.customs, &scene.text)), "absent");
    assert_eq!(slug(scene.suspend(scene.customs)), "absent");
    assert_eq!(slug(scene.resume(scene.customs)), "absent");
    assert!(scene.flows(), "nothing was suspended");
}

#[test]
fn only_a_party_proposes_and_every_party_exists() {
    let scene = scene();
    assert_eq!(slug(scene.propose(scene.customs, &scene.text)), "not-a-party");
    let mut unknown = scene.text.clone();
    unknown["parties"] = json!([scene.police.agency, AgencyId([9; 16])]);
    unknown["clauses"] = json!([]);
    assert_eq!(slug(scene.propose(scene.police, &unknown)), "unknown-agency");
}

#[test]
fn an_agreement_that_contradicts_itself_is_refused() {
    let scene = scene();
    let mut ended = scene.text.clone();
    ended["force"] = json!({
        "starts_at": "2027-01-01T00:00:00.000Z", "ends_at": "2026-01-01T00:00:00.000Z"
    });
    let mut stranger = scene.text.clone();
    stranger["clauses"][0]["grantees"] =
        json!([{ "agency": scene.customs.agency, "roles": "any" }]);
    let mut purpose = scene.text.clone();
    purpose["purposes"] = json!(["TRAINING"]);
    for text in [ended, stranger, purpose] {
        assert_eq!(slug(scene.propose(scene.police, &text)), "invalid-agreement");
    }
}

#[test]
fn a_version_is_proposed_once() {
    let scene = scene();
    scene.propose(scene.police, &scene.text).expect("proposed");
    assert_eq!(slug(scene.propose(scene.police, &scene.text)), "agreement-exists");
    let mut changed = scene.text.clone();
    changed["title"] = json!("The same version with other words");
    assert_eq!(slug(scene.propose(scene.fire, &changed)), "agreement-exists");
    scene.propose(scene.fire, &scene.next()).expect("the next version, by the other party");
}

#[test]
fn the_version_before_stays_in_force_until_all_have_signed_the_next() {
    let scene = scene();
    scene.enact(&scene.text);
    let next = scene.next();
    scene.propose(scene.fire, &next).expect("proposed");
    assert_eq!(slug(scene.sign(scene.police, &scene.text)), "other-text", "it is past signing");
    scene.sign(scene.fire, &next).expect("signed");
    assert!(scene.flows(), "the first version is in force");
    scene.sign(scene.police, &next).expect("signed");
    assert!(!scene.flows(), "the next one has no clause");
}

#[test]
fn the_node_has_one_charter_and_nobody_signs_it() {
    let scene = scene();
    let parties = [scene.police.agency, scene.fire.agency];
    let charter = scene.world.agreement(&parties, &[(&parties, &parties, &["agency:read"], 2)]);
    let command = json!({ "do": "found", "agreement": charter, "markings": marking(1, &[]) });
    let again = scene.world.found(scene.police.agency, "agreement:found", &command);
    assert_eq!(slug(again), "charter-exists");
    let person = scene.world.act(scene.police, "agreement:found", &command);
    assert_eq!(slug(person), "denied", "persons found nothing");
    let known = scene.world.list(scene.police, "agreement").items;
    let charter = known[0].layers[0].body["agreement"].clone();
    assert_eq!(slug(scene.sign(scene.police, &charter)), "signed");
}

#[test]
fn what_is_suspended_is_not_suspended_again_and_what_is_not_is_not_resumed() {
    let scene = scene();
    scene.enact(&scene.text);
    assert_eq!(slug(scene.resume(scene.police)), "not-suspended");
    scene.suspend(scene.police).expect("suspended");
    assert_eq!(scene.state().as_deref(), Some("suspended"));
    assert_eq!(slug(scene.suspend(scene.fire)), "suspended");
}

#[test]
fn a_suspension_survives_a_restart_and_consents_before_it_count_for_nothing() {
    let mut scene = scene();
    scene.enact(&scene.text);
    scene.suspend(scene.police).expect("suspended");
    scene.resume(scene.police).expect("one");
    scene.resume(scene.fire).expect("two");
    scene.suspend(scene.fire).expect("suspended anew");
    scene.world.restart();
    assert!(!scene.flows());
    scene.resume(scene.police).expect("one of two");
    assert!(!scene.flows(), "the consents of the first time are spent");
}

#[test]
fn only_signatories_propose_sign_and_suspend() {
    let scene = scene();
    scene.propose(scene.police, &scene.text).expect("proposed");
    let desk = Being { roles: &["DUTY", "HEAD", "ADMIN"], ..DESK };
    let desk = scene.world.person(scene.police.agency, &desk);
    assert_eq!(slug(scene.propose(desk, &scene.next())), "denied");
    assert_eq!(slug(scene.sign(desk, &scene.text)), "denied");
    assert_eq!(slug(scene.suspend(desk)), "denied");
    assert_eq!(slug(scene.resume(desk)), "denied");
}

#[test]
fn a_suspension_gives_its_reason() {
    let scene = scene();
    scene.enact(&scene.text);
    let with = |reason: &str| {
        let command = json!({ "do": "suspend", "agreement": scene.id(), "reason": reason });
        scene.world.act(scene.fire, "agreement:suspend", &command)
    };
    assert_eq!(slug(with(" ")), "invalid-command");
    assert_eq!(slug(with(&"r".repeat(401))), "invalid-command");
    with(&"r".repeat(400)).expect("the longest reason");
}

#[test]
fn a_new_version_does_not_lift_a_suspension() {
    let scene = scene();
    scene.enact(&scene.text);
    scene.suspend(scene.police).expect("suspended");
    scene.propose(scene.fire, &scene.next()).expect("proposed");
    assert!(!scene.flows(), "one party alone lifts nothing");
}

#[test]
fn what_flows_under_an_agreement_ends_with_it_though_nobody_acts() {
    let mut scene = scene();
    scene.text["force"]["ends_at"] = json!("2026-11-22T13:00:00.000Z");
    scene.enact(&scene.text);
    assert!(scene.flows());
    assert_eq!(scene.world.list(scene.fire, "alert").total, 1);
    scene.world.clock.advance_s(3601);
    assert_eq!(scene.world.list(scene.fire, "alert").total, 0);
}

#[test]
fn what_flows_under_an_agreement_ends_with_it_for_the_first_act_too() {
    let mut scene = scene();
    scene.text["force"]["ends_at"] = json!("2026-11-22T13:00:00.000Z");
    scene.enact(&scene.text);
    scene.world.clock.advance_s(3601);
    assert!(!scene.flows(), "it ended");
}

#[test]
fn a_party_that_a_new_version_adds_can_sign_it() {
    let scene = scene();
    scene.enact(&scene.text);
    let mut wider = scene.next();
    wider["parties"] = json!([scene.police.agency, scene.fire.agency, scene.customs.agency]);
    scene.propose(scene.police, &wider).expect("proposed");
    scene.sign(scene.customs, &wider).expect("the new party signs");
}
