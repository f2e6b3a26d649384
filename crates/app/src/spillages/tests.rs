//! Spillages: given an alert under too low a label, when it is contained, then this follows.

use app::kernel::{Fault, Rendition};
use base::RecordId;
use serde_json::{Value, json};
use testkit::world::{Being, marking};
use testkit::{Who, World};

const DESK: Being<'static> =
    Being { level: 3, compartments: &[], roles: &["DUTY", "SIGNATORY", "ADMIN"] };
const CLEARED: Being<'static> =
    Being { level: 5, compartments: &["KESTREL"], roles: &["DUTY", "ADMIN"] };

struct Scene {
    world: World,
    police: Who,
    police_cleared: Who,
    fire: Who,
    fire_cleared: Who,
    ambulance: Who,
    alert: RecordId,
}

fn scene() -> Scene {
    let world = World::new();
    let agencies = ["POL", "FIRE", "AMB"].map(|code| world.agency(code));
    let [pol, fir, amb] = agencies;
    let (police, fire) = (world.person(pol, &DESK), world.person(fir, &DESK));
    let ambulance = world.person(amb, &DESK);
    let police_cleared = world.person(pol, &CLEARED);
    let fire_cleared = world.person(fir, &CLEARED);
    world.charter(&agencies);
    let text =
        world.agreement(&agencies, &[(&agencies, &agencies, &["alert:read", "circle:read"], 5)]);
    world.enact(&text, &[police, fire, ambulance]);
    let raise = json!({
        "do": "raise", "markings": marking(1, &[]), "precedence": "FLASH", "title": "Source",
        "text": "what the source said", "audience": [fir, amb], "options": ["yes"],
        "higher": [{ "markings": marking(2, &[]), "text": "where the source is" }]
    });
    let alert = world.act(police, "alert:raise", &raise).expect("an alert").record;
    Scene { world, police, police_cleared, fire, fire_cleared, ambulance, alert }
}

impl Scene {
    fn contain(&self, who: Who, more: &Value) -> Result<RecordId, Fault> {
        let mut command = json!({
            "do": "contain", "record": self.alert, "markings": marking(5, &["KESTREL"]),
            "reason": "names a source"
        });
        let fields = command.as_object_mut().expect("an object");
        fields.extend(more.as_object().expect("an object").clone());
        self.world.act(who, "spillage:contain", &command).map(|done| done.record)
    }

    fn read(&self, who: Who) -> Result<Rendition, Fault> {
        self.world.get(who, "alert", self.alert)
    }
}

fn slug<T>(outcome: Result<T, Fault>) -> &'static str {
    outcome.err().expect("refused").code.slug
}

#[test]
fn containing_takes_it_from_everybody_who_is_not_cleared_at_once_and_backward() {
    let scene = scene();
    let before = scene.world.node().now();
    assert_eq!(scene.read(scene.fire).expect("read before").layers.len(), 2);
    scene.contain(scene.police, &json!({})).expect("contained");
    for who in [scene.police, scene.fire, scene.ambulance] {
        assert_eq!(slug(scene.read(who)), "absent");
        assert_eq!(scene.world.list(who, "alert").total, 0);
        assert!(scene.world.list(who, "alert").items.is_empty());
        let then = scene.world.as_(who).as_of("alert", scene.alert, before);
        assert_eq!(slug(then), "absent", "at any time asked for");
    }
}

#[test]
fn whoever_is_cleared_reads_it_under_the_label_it_was_raised_to() {
    let scene = scene();
    scene.contain(scene.police, &json!({})).expect("contained");
    for who in [scene.police_cleared, scene.fire_cleared] {
        let seen = scene.read(who).expect("cleared");
        assert_eq!(seen.layers.len(), 2);
        assert_eq!(seen.layers[0].body["text"], "what the source said");
        assert!(seen.layers.iter().all(|layer| layer.mark.contains("KST")), "{}", seen.banner);
        assert_eq!(scene.world.list(who, "alert").total, 1);
    }
}

#[test]
fn whoever_finds_it_contains_it_above_their_own_head_and_does_not_read_on() {
    let scene = scene();
    let spillage = scene.contain(scene.police, &json!({})).expect("contained");
    assert_eq!(slug(scene.world.get(scene.police, "spillage", spillage)), "absent");
    let seen = scene.world.get(scene.police_cleared, "spillage", spillage).expect("cleared");
    assert_eq!(seen.state.as_deref(), Some("contained"));
    assert_eq!(seen.layers[0].body["reason"], "names a source");
    assert_eq!(seen.layers[0].body["by"], json!(scene.police.person));
}

#[test]
fn one_layer_is_raised_and_the_rest_stays() {
    let scene = scene();
    let layers = scene.read(scene.fire).expect("read").layers;
    let higher = layers.iter().find(|l| l.body["text"] == "where the source is").expect("higher");
    scene.contain(scene.police, &json!({ "layer": higher.id })).expect("contained");
    let seen = scene.read(scene.fire).expect("the rest");
    assert_eq!(seen.layers.len(), 1);
    assert_eq!(seen.layers[0].body["text"], "what the source said");
    assert_eq!(scene.read(scene.fire_cleared).expect("cleared").layers.len(), 2);
    assert_eq!(scene.world.list(scene.fire, "alert").total, 1);
}

#[test]
fn raising_the_base_layer_raises_the_record() {
    let scene = scene();
    let base = scene.read(scene.police).expect("read").layers[0].id;
    scene.contain(scene.police, &json!({ "layer": base })).expect("contained");
    assert_eq!(slug(scene.read(scene.fire)), "absent");
}

#[test]
fn a_wrong_recipient_loses_it_and_the_others_keep_it() {
    let scene = scene();
    let narrowed = json!({ "markings": marking(1, &[]), "keep": [scene.fire.agency] });
    scene.contain(scene.police, &narrowed).expect("contained");
    assert_eq!(slug(scene.read(scene.ambulance)), "absent");
    assert!(scene.read(scene.fire).is_ok());
    assert!(scene.read(scene.police).is_ok(), "its originator keeps it");
    // Nobody gets it back by being named later, nor by joining the circle.
    let wider = json!({
        "markings": marking(2, &[]), "keep": [scene.fire.agency, scene.ambulance.agency]
    });
    scene.contain(scene.police, &wider).expect("contained again");
    assert_eq!(slug(scene.read(scene.ambulance)), "absent");
    let circles = scene.world.list(scene.police, "circle").items;
    let fixed: Vec<_> = circles.iter().filter(|c| c.state.as_deref() == Some("spillage")).collect();
    assert_eq!(fixed.len(), 2);
    for circle in fixed {
        let join = json!({
            "do": "join", "circle": circle.id, "members": [{ "agency": scene.ambulance.agency }]
        });
        assert_eq!(slug(scene.world.act(scene.police, "circle:join", &join)), "circle-fixed");
    }
}

#[test]
fn a_floor_is_never_lowered() {
    let scene = scene();
    scene.contain(scene.police, &json!({})).expect("contained");
    let lower = json!({ "markings": marking(1, &[]) });
    assert_eq!(slug(scene.contain(scene.police_cleared, &lower)), "nothing-to-do");
    assert_eq!(slug(scene.read(scene.fire)), "absent");
}

#[test]
fn what_comes_later_lies_on_the_floor_too() {
    let scene = scene();
    scene.contain(scene.police, &json!({})).expect("contained");
    let answer = json!({ "do": "acknowledge", "alert": scene.alert, "option": 0, "note": null });
    assert_eq!(slug(scene.world.act(scene.fire, "alert:acknowledge", &answer)), "absent");
    scene.world.act(scene.fire_cleared, "alert:acknowledge", &answer).expect("cleared");
    assert_eq!(slug(scene.read(scene.fire)), "absent");
    assert_eq!(scene.world.list(scene.fire, "alert").total, 0);
}

#[test]
fn only_a_desk_of_the_originator_contains() {
    let scene = scene();
    assert_eq!(slug(scene.contain(scene.fire, &json!({}))), "other-agency");
    let analyst = Being { roles: &["ANALYST"], ..DESK };
    let analyst = scene.world.person(scene.police.agency, &analyst);
    assert_eq!(slug(scene.contain(analyst, &json!({}))), "denied");
    assert!(scene.read(scene.fire).is_ok());
}

#[test]
fn what_is_hidden_and_what_never_was_are_contained_alike() {
    let scene = scene();
    let customs = scene.world.person(scene.world.agency("CUS"), &DESK);
    let hidden = scene.contain(customs, &json!({})).expect_err("not for customs");
    let never = scene.contain(customs, &json!({ "record": RecordId([9; 16]) }));
    assert_eq!(hidden.to_string(), never.expect_err("no such").to_string());
    let layer = json!({ "layer": RecordId([9; 16]) });
    assert_eq!(slug(scene.contain(scene.police, &layer)), "absent");
}

#[test]
fn an_open_screen_loses_it_and_a_screen_that_never_had_it_is_told_nothing() {
    let scene = scene();
    let never = scene.world.person(scene.world.agency("CUS"), &DESK);
    let listening = scene.world.listen();
    let mut fire = listening.live(&scene.world.token(scene.fire), &["alert", "spillage"]);
    let mut cleared = listening.live(&scene.world.token(scene.fire_cleared), &["alert"]);
    let mut customs = listening.live(&scene.world.token(never), &["alert", "spillage"]);
    scene.contain(scene.police, &json!({})).expect("contained");
    let gone = fire.frame_within(1000).expect("told within a second");
    assert_eq!((gone["type"].as_str(), &gone["ids"]), (Some("gone"), &json!([scene.alert])));
    let raised = cleared.frame_within(1000).expect("a frame");
    assert_eq!(raised["rendition"]["id"], json!(scene.alert));
    assert_eq!(customs.frame_within(700), None);
}

#[test]
fn rebuilt_views_have_the_same_floors() {
    let mut scene = scene();
    let layers = scene.read(scene.police).expect("read").layers;
    let higher = json!({ "layer": layers[1].id, "markings": marking(3, &[]) });
    scene.contain(scene.police, &higher).expect("one layer");
    scene.contain(scene.police, &json!({})).expect("the record");
    let live = scene.world.dump();
    scene.world.rebuild().expect("a node");
    assert_eq!(scene.world.dump(), live);
    assert_eq!(slug(scene.read(scene.fire)), "absent");
    assert!(scene.read(scene.fire_cleared).is_ok());
}
