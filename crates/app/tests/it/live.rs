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

#[test]
fn a_stream_goes_on_where_another_of_the_same_session_ended() {
    let scene = scene();
    let listening = scene.world.listen();
    let token = scene.world.token(scene.fire);
    let mut first = listening.live(&token, &["alert"]);
    raise(&scene, "one");
    assert_eq!(title(&first.until_cursor()[0]), "one");
    let cursor = first.cursor.clone().expect("a cursor");
    drop(first);
    raise(&scene, "two");
    let (mut again, resumed) = listening.live_since(&token, &["alert"], Some(&cursor));
    assert!(resumed);
    assert_eq!(title(&again.frame().expect("what was missed")), "two");
    raise(&scene, "three");
    assert_eq!(title(&again.frame().expect("what comes")), "three");
    let other = scene.world.token(scene.fire);
    assert!(!listening.live_since(&other, &["alert"], Some(&cursor)).1, "another session");
    let changed = cursor.chars().rev().collect::<String>();
    assert!(!listening.live_since(&token, &["alert"], Some(&changed)).1, "a forged one");
}

#[test]
fn a_stream_does_not_go_on_when_rights_or_labels_changed_meanwhile() {
    let scene = scene();
    let listening = scene.world.listen();
    let token = scene.world.token(scene.fire);
    let cursor = || {
        let mut live = listening.live(&token, &["alert"]);
        live.until_cursor();
        live.cursor.expect("a cursor")
    };
    let id = raise(&scene, "one");
    let before = cursor();
    let contain = json!({
        "do": "contain", "record": id, "markings": marking(4, &[]), "reason": "a source"
    });
    scene.world.act(scene.police, "spillage:contain", &contain).expect("contained");
    assert!(!listening.live_since(&token, &["alert"], Some(&before)).1);
    let before = cursor();
    assert!(listening.live_since(&token, &["alert"], Some(&before)).1);
    let suspend = json!({ "do": "suspend", "agreement": scene.agreement, "reason": "breach" });
    scene.world.act(scene.police, "agreement:suspend", &suspend).expect("suspended");
    assert!(!listening.live_since(&token, &["alert"], Some(&before)).1);
}

#[test]
fn what_is_resumed_tells_nothing_of_what_is_hidden() {
    let told = |hidden: bool| {
        let scene = scene();
        let listening = scene.world.listen();
        let token = scene.world.token(scene.fire);
        let mut live = listening.live(&token, &["alert"]);
        live.until_cursor();
        let cursor = live.cursor.clone().expect("a cursor");
        drop(live);
        if hidden {
            let command = json!({
                "do": "raise", "markings": marking(2, &[]), "precedence": "FLASH",
                "title": "hidden", "text": "text", "audience": [scene.police.agency],
                "options": ["yes"], "place": null
            });
            scene.world.act(scene.police, "alert:raise", &command).expect("an alert");
        }
        raise(&scene, "shown");
        let (mut live, resumed) = listening.live_since(&token, &["alert"], Some(&cursor));
        let frames = live.until_cursor();
        let titles: Vec<String> = frames.iter().map(|frame| title(frame).to_owned()).collect();
        (resumed, titles, live.cursor.map(|cursor| cursor.len()))
    };
    assert_eq!(told(true), told(false));
    assert_eq!(told(true).1, ["shown"]);
}

#[test]
fn whoever_may_read_the_same_gets_the_same_bytes() {
    let scene = scene();
    let second = scene.world.person(scene.fire.agency, &DESK);
    let id = raise(&scene, "one");
    let seen = |who| serde_json::to_string(&scene.world.get(who, "alert", id).expect("read"));
    assert_eq!(seen(scene.fire).expect("json"), seen(second).expect("json"));
}

#[test]
fn events_carry_the_same_frames_and_go_on_by_their_last_id() {
    let scene = scene();
    let listening = scene.world.listen();
    let token = scene.world.token(scene.fire);
    let mut events = listening.events(&token, "alert", None);
    assert_eq!(events.frame()["type"], "ready");
    raise(&scene, "one");
    assert_eq!(title(&events.frame()), "one");
    let last = events.last_id();
    drop(events);
    raise(&scene, "two");
    let mut events = listening.events(&token, "alert", Some(&last));
    assert_eq!(events.frame(), json!({ "type": "ready", "resumed": true }));
    assert_eq!(title(&events.frame()), "two");
}
