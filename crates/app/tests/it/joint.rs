//! Joint acts: upon another agency's record by rule, unless a clause of its originator forbids.

use std::collections::BTreeSet;

use app::kernel::{Done, Fault};
use base::RecordId;
use policy::Class;
use serde_json::{Value, json};
use testkit::world::{Being, marking};
use testkit::{Who, World};

const DESK: Being<'static> =
    Being { level: 4, compartments: &[], roles: &["DUTY", "SIGNATORY", "ADMIN"] };
const READS: &[&str] = &["alert:read", "operation:read", "circle:read"];

struct Scene {
    world: World,
    police: Who,
    fire: Who,
    /// Proposed by the police; nobody has signed it.
    draft: Value,
    /// Proposed by the police, in force, and nothing but a target.
    signed: Value,
}

fn scene(forbidden: Option<&str>) -> Scene {
    let world = World::new();
    let (pol, fir) = (world.agency("POL"), world.agency("FIRE"));
    let [police, fire] = [pol, fir].map(|agency| world.person(agency, &DESK));
    let both = [pol, fir];
    world.charter(&both);
    world.enact(&world.agreement(&both, &[(&both, &both, READS, 4)]), &[police, fire]);
    let signed = world.agreement(&both, &[]);
    world.enact(&signed, &[police, fire]);
    let draft = world.agreement(&both, &[]);
    let propose = json!({ "do": "propose", "agreement": draft, "markings": marking(1, &[]) });
    world.act(police, "agreement:propose", &propose).expect("proposed");
    if let Some(action) = forbidden {
        let mut text = world.agreement(&both, &[(&[pol], &[fir], &[action], 4)]);
        text["clauses"][0]["effect"] = json!("forbid");
        text["clauses"][0]["limits"] = json!({ "ceilings": {} });
        world.enact(&text, &[police, fire]);
    }
    Scene { world, police, fire, draft, signed }
}

impl Scene {
    fn alert(&self) -> RecordId {
        let command = json!({
            "do": "raise", "markings": marking(2, &[]), "precedence": "PRIORITY", "title": "t",
            "text": "text", "audience": [self.fire.agency], "options": ["yes"], "place": null
        });
        self.world.act(self.police, "alert:raise", &command).expect("an alert").record
    }

    fn operation(&self) -> RecordId {
        let command = json!({
            "do": "open", "markings": marking(2, &[]), "title": "Flood", "incident": null,
            "place": null, "phase": null, "agencies": [self.fire.agency],
            "roles": [{ "name": "Commander", "seat": self.police.seat }]
        });
        self.world.act(self.police, "operation:open", &command).expect("an operation").record
    }

    /// Does a joint act upon a record of the police.
    fn act(&self, who: Who, action: &str) -> Result<Done, Fault> {
        let command = match action {
            "alert:acknowledge" => json!({
                "do": "acknowledge", "alert": self.alert(), "option": 0, "note": null
            }),
            "operation:note" => json!({
                "do": "note", "operation": self.operation(), "text": "seen", "markings": null
            }),
            "operation:leave" => json!({
                "do": "leave", "operation": self.operation(), "agency": null, "reason": "done"
            }),
            "agreement:propose" => {
                let mut next = self.signed.clone();
                next["version"] = json!(2);
                json!({ "do": "propose", "agreement": next, "markings": marking(1, &[]) })
            }
            "agreement:sign" => {
                let text = serde_json::from_value::<policy::Agreement>(self.draft.clone());
                let digest = text.expect("an agreement").digest();
                json!({ "do": "sign", "agreement": self.draft["id"], "digest": digest })
            }
            "agreement:suspend" => json!({
                "do": "suspend", "agreement": self.signed["id"], "reason": "breach"
            }),
            "agreement:resume" => {
                let suspend = json!({
                    "do": "suspend", "agreement": self.signed["id"], "reason": "breach"
                });
                self.world.act(self.police, "agreement:suspend", &suspend).expect("suspended");
                json!({ "do": "resume", "agreement": self.signed["id"] })
            }
            other => unreachable!("no test of the joint act `{other}`"),
        };
        self.world.act(who, action, &command)
    }
}

fn joint() -> BTreeSet<&'static str> {
    let actions = app::capabilities::ALL.iter().flat_map(|capability| capability.actions);
    let joint = actions.filter(|action| action.class == Class::Joint);
    joint.map(|action| action.name).collect()
}

#[test]
fn a_joint_act_is_done_by_rule_and_not_where_a_clause_of_the_originator_forbids_it() {
    for action in joint() {
        let free = scene(None);
        free.act(free.fire, action).expect(action);
        let bound = scene(Some(action));
        let fault = bound.act(bound.fire, action).expect_err(action);
        assert_eq!(fault.code.slug, "other-agency", "{action}");
    }
}

#[test]
fn what_forbids_one_agency_binds_no_other_and_no_other_act() {
    let scene = scene(Some("alert:acknowledge"));
    scene.act(scene.fire, "operation:note").expect("another act");
    scene.act(scene.police, "agreement:suspend").expect("the originator's own");
}

#[test]
fn a_joint_act_upon_what_may_not_be_read_is_upon_nothing() {
    let scene = scene(Some("alert:acknowledge"));
    let customs = scene.world.person(scene.world.agency("CUS"), &DESK);
    let answer = |alert: RecordId| {
        let body = json!({ "option": 0, "note": null });
        let path = format!("/api/alerts/{alert}/acknowledgements");
        scene.world.post(&scene.world.token(customs), &path, &body)
    };
    let (hidden, never) = (answer(scene.alert()), answer(RecordId([5; 16])));
    assert_eq!(hidden, never);
    assert_eq!(hidden.0, 404);
}
