//! Erasures: given an alert with a higher layer, when two people have it erased, then this follows.

use app::kernel::{Fault, Rendition};
use base::RecordId;
use serde_json::{Value, json};
use testkit::world::{Being, marking};
use testkit::{Who, World};

const HEAD: Being<'static> =
    Being { level: 3, compartments: &[], roles: &["HEAD", "SIGNATORY", "ADMIN"] };
const LOW: Being<'static> = Being { level: 1, ..HEAD };

struct Scene {
    world: World,
    police: Who,
    head: Who,
    /// Of the same agency, and not cleared for the higher layer.
    low: Who,
    low_head: Who,
    fire: Who,
    alert: RecordId,
}

fn scene_of(higher: &Value) -> Scene {
    let world = World::new();
    let agencies = ["POL", "FIRE"].map(|code| world.agency(code));
    let [pol, fir] = agencies;
    let (police, fire) = (world.person(pol, &HEAD), world.person(fir, &HEAD));
    let head = world.person(pol, &HEAD);
    let (low, low_head) = (world.person(pol, &LOW), world.person(pol, &LOW));
    world.charter(&agencies);
    let text =
        world.agreement(&agencies, &[(&agencies, &agencies, &["alert:read", "circle:read"], 5)]);
    world.enact(&text, &[police, fire]);
    let raise = json!({
        "do": "raise", "markings": marking(1, &[]), "precedence": "FLASH", "title": "Source",
        "text": "what the source said", "audience": [fir], "options": ["yes"], "higher": higher
    });
    let alert = world.act(police, "alert:raise", &raise).expect("an alert").record;
    Scene { world, police, head, low, low_head, fire, alert }
}

fn scene() -> Scene {
    scene_of(&json!([{ "markings": marking(2, &[]), "text": "where the source is" }]))
}

impl Scene {
    fn request(&self, who: Who, more: &Value) -> Result<RecordId, Fault> {
        let mut command =
            json!({ "do": "request", "record": self.alert, "basis": "ARCHIVES-ACT-12" });
        let fields = command.as_object_mut().expect("an object");
        fields.extend(more.as_object().expect("an object").clone());
        self.world.act(who, "erasure:request", &command).map(|done| done.record)
    }

    fn approve(&self, who: Who, erasure: RecordId) -> Result<RecordId, Fault> {
        let command = json!({ "do": "approve", "erasure": erasure });
        self.world.act(who, "erasure:approve", &command).map(|done| done.record)
    }

    fn erase(&self, more: &Value) -> RecordId {
        let erasure = self.request(self.police, more).expect("requested");
        self.approve(self.head, erasure).expect("approved")
    }

    fn read(&self, who: Who) -> Result<Rendition, Fault> {
        self.world.get(who, "alert", self.alert)
    }

    fn settled(&self) {
        self.world.eventually(|world| world.node().refold().settled().then_some(()));
    }
}

fn slug<T>(outcome: Result<T, Fault>) -> &'static str {
    outcome.err().expect("refused").code.slug
}

#[test]
fn what_is_erased_is_gone_for_everybody_at_once_and_backward() {
    let scene = scene();
    let then = scene.world.node().now();
    let before = scene.read(scene.fire).expect("read before");
    assert_eq!(before.layers[1].body["text"], "where the source is");
    scene.erase(&json!({}));
    for who in [scene.police, scene.head, scene.fire] {
        let seen = scene.read(who).expect("that it was is no secret");
        let past = scene.world.as_(who).as_of("alert", scene.alert, then).expect("as of then");
        for rendition in [&seen, &past] {
            assert_eq!(rendition.layers.len(), 2);
            for layer in &rendition.layers {
                assert_eq!(layer.erased, 1);
                assert!(layer.body.is_empty(), "{:?}", layer.body);
            }
        }
        assert_ne!(seen.etag, before.etag);
    }
    let answer = json!({ "do": "acknowledge", "alert": scene.alert, "option": 0 });
    scene.settled();
    assert_eq!(slug(scene.world.act(scene.fire, "alert:acknowledge", &answer)), "absent");
}

#[test]
fn one_layer_is_erased_and_the_rest_stays() {
    let scene = scene();
    let higher = scene.read(scene.police).expect("read").layers[1].id;
    scene.erase(&json!({ "layer": higher }));
    let seen = scene.read(scene.fire).expect("read");
    assert_eq!(seen.layers[0].body["text"], "what the source said");
    assert_eq!((seen.layers[0].erased, seen.layers[1].erased), (0, 1));
    assert!(!seen.layers[1].body.contains_key("text"));
    scene.settled();
    assert_eq!(scene.read(scene.low).expect("read").layers[0].erased, 0);
}

#[test]
fn it_takes_two_people_of_the_originator() {
    let scene = scene();
    assert_eq!(slug(scene.request(scene.fire, &json!({}))), "other-agency");
    let erasure = scene.request(scene.police, &json!({})).expect("requested");
    assert_eq!(slug(scene.approve(scene.police, erasure)), "own-request");
    assert_eq!(slug(scene.approve(scene.fire, erasure)), "absent");
    assert_eq!(scene.read(scene.fire).expect("still there").layers[0].erased, 0);
    let decline = json!({ "do": "decline", "erasure": erasure, "reason": "the trial goes on" });
    scene.world.act(scene.head, "erasure:decline", &decline).expect("declined");
    assert_eq!(slug(scene.approve(scene.head, erasure)), "declined");
    assert!(scene.read(scene.fire).expect("still there").layers[0].body.contains_key("text"));
}

#[test]
fn the_certificate_says_who_when_and_until_when_copies_may_be_read() {
    let scene = scene();
    let erasure = scene.erase(&json!({}));
    let seen = scene.world.get(scene.head, "erasure", erasure).expect("one's own");
    assert_eq!(seen.state.as_deref(), Some("erased"));
    let body = &seen.layers[0].body;
    assert_eq!(body["requested_by"], json!(scene.police.person));
    assert_eq!(body["approved_by"], json!(scene.head.person));
    assert_eq!(body["basis"], "ARCHIVES-ACT-12");
    assert_eq!((&body["portions"], &seen.layers[1].body["portions"]), (&json!(1), &json!(1)));
    let until = scene.world.node().now().plus_ms(42 * 86_400_000);
    assert_eq!(body["copies_until"], json!(until));
    let nothing = scene.request(scene.police, &json!({}));
    assert_eq!(slug(nothing), "erased", "nothing is left to erase");
}

#[test]
fn nobody_erases_what_they_may_not_read_nor_learns_of_it() {
    let told = |higher: &Value| {
        let scene = scene_of(higher);
        let erasure = scene.request(scene.low, &json!({})).expect("requested");
        scene.approve(scene.low_head, erasure).expect("approved");
        let seen = scene.world.get(scene.low_head, "erasure", erasure).expect("one's own");
        assert_eq!(seen.layers.len(), 1);
        (scene, seen.layers[0].body["portions"].clone())
    };
    let (scene, portions) = told(&json!([{ "markings": marking(2, &[]), "text": "the place" }]));
    let (_, alone) = told(&json!([]));
    assert_eq!(portions, alone);
    let seen = scene.read(scene.police).expect("cleared");
    assert_eq!((seen.layers[0].erased, seen.layers[1].erased), (1, 0));
    assert_eq!(seen.layers[1].body["text"], "the place");
    let hidden = json!({ "layer": seen.layers[1].id });
    assert_eq!(slug(scene.request(scene.low, &hidden)), "absent");
    let unknown = json!({ "layer": scene.alert });
    assert_eq!(slug(scene.request(scene.low, &unknown)), "absent");
}

#[test]
fn rights_floors_and_orders_cannot_be_erased() {
    let scene = scene();
    let contain = json!({
        "do": "contain", "record": scene.alert, "markings": marking(2, &[]), "reason": "a source"
    });
    let spillage = scene.world.act(scene.police, "spillage:contain", &contain).expect("contained");
    let erasure = scene.erase(&json!({}));
    let police = RecordId(scene.police.person.0);
    for record in [spillage.record, erasure, police] {
        assert_eq!(slug(scene.request(scene.police, &json!({ "record": record }))), "not-erasable");
    }
}

#[test]
fn views_folded_anew_know_nothing_of_it_and_equal_those_of_the_log() {
    let mut scene = scene();
    let other = json!({
        "do": "raise", "markings": marking(1, &[]), "precedence": "FLASH", "title": "Other",
        "text": "stays", "audience": [scene.fire.agency], "options": ["yes"]
    });
    scene.world.act(scene.police, "alert:raise", &other).expect("an alert");
    let timers = |world: &World| {
        let of_alert = scene.alert.to_string().replace('-', "");
        let line = move |line: &&String| line.starts_with("timer") && line.contains(&of_alert);
        world.dump().iter().filter(line).count()
    };
    assert_eq!(timers(&scene.world), 1, "the ladder of the alert");
    let erasure = scene.request(scene.police, &json!({})).expect("requested");
    scene.approve(scene.head, erasure).expect("approved");
    scene.settled();
    assert_eq!(timers(&scene.world), 0, "what was derived from it is gone too");
    let live = scene.world.dump();
    scene.world.rebuild().expect("a node");
    assert_eq!(scene.world.dump(), live);
    assert_eq!(scene.world.list(scene.fire, "alert").total, 2, "acts go on as before");
}

#[test]
fn a_node_that_stops_before_its_views_are_folded_anew_folds_them_at_its_start() {
    let mut scene = scene();
    scene.erase(&json!({}));
    scene.world.restart();
    let live = scene.world.dump();
    scene.world.rebuild().expect("a node");
    assert_eq!(scene.world.dump(), live);
    assert!(scene.read(scene.fire).expect("read").layers[0].body.is_empty());
}

#[test]
fn an_open_screen_loses_what_was_erased() {
    let scene = scene();
    let listening = scene.world.listen();
    let mut fire = listening.live(&scene.world.token(scene.fire), &["alert"]);
    scene.erase(&json!({}));
    let told = fire.frame_within(1000).expect("told within a second");
    assert_eq!(told["rendition"]["id"], json!(scene.alert));
    let layers = told["rendition"]["layers"].as_array().expect("layers");
    assert!(layers.iter().all(|layer| layer["erased"] == 1 && layer["body"] == json!({})));
}
