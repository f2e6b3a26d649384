//! Live: what open screens get, and what they stop getting when rights end.

use serde_json::{Value, json};
use testkit::world::{Being, marking};
use testkit::{Who, World};

const DESK: Being<'static> =
    Being { level: 4, compartments: &[], roles: &["DUTY", "SIGNATORY", "ADMIN"] };

struct Scene {
    world: World,
    police: Who,
    fire: Who,
    agreement: base::AgreementId,
}

fn scene() -> Scene {
    let world = World::new();
    let (pol, fir) = (world.agency("POL"), world.agency("FIRE"));
    let (police, fire) = (world.person(pol, &DESK), world.person(fir, &DESK));
    let both = [pol, fir];
    world.charter(&both);
    let text = world.agreement(&both, &[(&both, &both, &["alert:read", "circle:read"], 4)]);
    let agreement = world.enact(&text, &[police, fire]);
    Scene { world, police, fire, agreement }
}

fn raise(scene: &Scene, title: &str) -> base::RecordId {
    let command = json!({
        "do": "raise", "markings": marking(2, &[]), "precedence": "FLASH", "title": title,
        "text": "text", "audience": [scene.fire.agency], "options": ["yes"], "place": null
    });
    scene.world.act(scene.police, "alert:raise", &command).expect("an alert").record
}

fn title(frame: &Value) -> &str {
    frame["rendition"]["layers"][0]["body"]["title"].as_str().unwrap_or("")
}

#[test]
fn a_change_reaches_an_open_screen() {
    let scene = scene();
    let listening = scene.world.listen();
    let mut live = listening.live(&scene.world.token(scene.fire), &["alert"]);
    let id = raise(&scene, "now");
    let frame = live.frame().expect("a frame");
    assert_eq!((frame["type"].as_str(), title(&frame)), (Some("record"), "now"));
    assert_eq!(frame["rendition"]["id"], json!(id));
}

#[test]
fn a_suspended_agreement_empties_open_screens_within_a_second() {
    let scene = scene();
    let listening = scene.world.listen();
    let mut live = listening.live(&scene.world.token(scene.fire), &["alert"]);
    let id = raise(&scene, "seen");
    assert_eq!(title(&live.frame().expect("a frame")), "seen");
    let suspend = json!({ "do": "suspend", "agreement": scene.agreement, "reason": "breach" });
    scene.world.act(scene.police, "agreement:suspend", &suspend).expect("suspended");
    let gone = live.frame_within(1000).expect("told within a second");
    assert_eq!((gone["type"].as_str(), &gone["ids"]), (Some("gone"), &json!([id])));
    let resync = live.frame_within(1000).expect("and to read again");
    assert_eq!(resync["type"], "resync");
}

#[test]
fn a_removed_person_is_signed_out_of_open_screens_within_a_second() {
    let scene = scene();
    let admin = scene.world.person(scene.fire.agency, &DESK);
    let listening = scene.world.listen();
    let mut live = listening.live(&scene.world.token(scene.fire), &["alert"]);
    let remove = json!({ "do": "remove", "person": scene.fire.person });
    scene.world.act(admin, "person:remove", &remove).expect("removed");
    let mut last = None;
    while let Some(frame) = live.frame_within(1000) {
        last = Some(frame);
    }
    assert_eq!(last.expect("a frame")["type"], "signed_out");
}

#[test]
fn nobody_without_a_session_opens_the_stream() {
    let scene = scene();
    let (status, _, _) = scene.world.read("", "/api/live");
    assert_ne!(status, 101);
    let (status, _, _) = scene.world.read("nonsense", "/api/live");
    assert_ne!(status, 101);
}
