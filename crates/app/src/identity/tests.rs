//! Identity: what passkeys, sessions, codes, services and signatures let nobody do.

use app::kernel::ceremony::{self, Passkeys};
use app::kernel::cursor::{decode, encode};
use app::kernel::{Act, signing};
use base::crypto::{Secret, sha256};
use base::{PersonId, RecordId};
use ledger::act_signature::ActSignature;
use ledger::assertion::RelyingParty;
use ledger::authenticator::{Authenticator, client_data};
use serde_json::{Value, json};
use testkit::World;
use testkit::world::{Being, Who, marking};

const ORIGIN: &str = "https://centre.example";

struct Scene {
    world: World,
    police: Who,
    fire: Who,
    admin: Who,
}

fn scene() -> Scene {
    let world = World::new();
    let (pol, fir) = (world.agency("POL"), world.agency("FIR"));
    let roles = &["SIGNATORY", "DUTY"];
    let police = world.person(pol, &Being { level: 4, compartments: &[], roles });
    let fire = world.person(fir, &Being { level: 4, compartments: &[], roles });
    let roles = &["ADMIN", "SIGNATORY", "DUTY"];
    let admin = world.person(pol, &Being { level: 4, compartments: &[], roles });
    world.charter(&[pol, fir]);
    Scene { world, police, fire, admin }
}

fn passkey(seed: u8) -> Authenticator {
    Authenticator::from_seed(&Secret::new([seed; 32]), "centre.example").expect("a passkey")
}

fn challenge(options: &Value) -> [u8; 32] {
    let text = options["challenge"].as_str().expect("a challenge");
    decode(text).expect("base64url").try_into().expect("32 bytes")
}

fn answer(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap_or_default()
}

impl Scene {
    fn post(&self, token: &str, path: &str, body: &Value) -> (u16, Value) {
        let (status, headers, bytes) = self.world.post(token, path, body);
        let mut answer = answer(&bytes);
        if let Some(cookie) = headers.get("set-cookie") {
            let cookie = cookie.to_str().expect("text");
            let token = cookie.strip_prefix("__Host-muster=").and_then(|c| c.split(';').next());
            answer = json!({ "token": token.expect("a session"), "cookie": cookie });
        }
        (status.as_u16(), answer)
    }

    fn refused(&self, token: &str, path: &str, body: &Value) -> String {
        let (status, problem) = self.post(token, path, body);
        assert!((400..500).contains(&status), "{path}: {status} {problem}");
        problem["title"].as_str().expect("a slug").to_owned()
    }

    /// An answer to a fresh challenge to sign in.
    fn given(&self, key: &Authenticator, origin: &str) -> Value {
        let (_, options) = self.post("", "/api/session/challenge", &json!({}));
        let assertion = key.assert(&challenge(&options), origin).expect("an answer");
        json!(signing::Given::of(key.credential(), &assertion))
    }

    fn sign_in(&self, key: &Authenticator) -> String {
        let (status, session) = self.post("", "/api/session", &self.given(key, ORIGIN));
        assert_eq!(status, 204, "{session}");
        session["token"].as_str().expect("a token").to_owned()
    }

    /// Adds a passkey of one's own.
    fn add(&self, token: &str, key: &Authenticator) -> (u16, Value) {
        let (status, options) = self.post(token, "/api/me/credentials/challenge", &json!({}));
        assert_eq!(status, 200, "{options}");
        let (client, attestation) = key.register(&challenge(&options), ORIGIN);
        self.post(token, "/api/me/credentials", &new_passkey(&client, &attestation))
    }

    fn issue(&self, token: &str, person: PersonId, code: &str) -> (u16, Value) {
        let body = json!({
            "code": sha256(code.as_bytes()), "expires_at": self.world.node().play_now().plus_s(3600)
        });
        self.post(token, &format!("/api/people/{person}/enrolment"), &body)
    }

    fn enrol(&self, code: &str, key: &Authenticator) -> (u16, Value) {
        let (status, options) = self.post("", "/api/enrolment/challenge", &json!({ "code": code }));
        if status != 200 {
            return (status, options);
        }
        let (client, attestation) = key.register(&challenge(&options), ORIGIN);
        self.post("", "/api/enrolment", &new_passkey(&client, &attestation))
    }

    fn proposed(&self) -> (Value, Value) {
        let (pol, fir) = (self.police.agency, self.fire.agency);
        let parties = [pol, fir];
        let agreement = self.world.agreement(&parties, &[(&[pol], &[fir], &["alert:read"], 3)]);
        let command =
            json!({ "do": "propose", "agreement": agreement, "markings": marking(1, &[]) });
        self.world.act(self.police, "agreement:propose", &command).expect("proposed");
        let typed: policy::Agreement = serde_json::from_value(agreement.clone()).expect("typed");
        let id = agreement["id"].clone();
        (id.clone(), json!({ "do": "sign", "agreement": id, "digest": typed.digest() }))
    }

    /// An act that is ready to be signed.
    fn unsigned(&self, who: Who, action: &str, command: &Value) -> Act {
        Act {
            action: action.to_owned(),
            command: command.to_string().into_bytes(),
            idempotency_key: self.world.key(),
            actor: self.world.context(who),
            signature: None,
        }
    }

    fn asked(&self, act: &Act) -> [u8; 32] {
        let named = (act.action.as_str(), act.command.as_slice(), act.idempotency_key.as_str());
        let asked = signing::challenge(self.world.node(), &act.actor, named).expect("a challenge");
        decode(&asked.challenge).expect("base64url").try_into().expect("32 bytes")
    }

    fn sign(&self, act: &mut Act, key: &Authenticator) {
        let assertion = key.assert(&self.asked(act), ORIGIN).expect("signed");
        act.signature = Some(signing::Given::of(key.credential(), &assertion));
    }

    fn submit(&self, act: Act) -> Result<app::kernel::Done, String> {
        let done = self.world.node().submit(act, None, None);
        let done = done.map_err(|fault| fault.code.slug.to_owned())?;
        let done = done.blocking_recv().expect("an answer");
        done.map_err(|fault| fault.code.slug.to_owned())
    }
}

fn new_passkey(client: &[u8], attestation: &[u8]) -> Value {
    json!({ "name": "My key", "client_data": encode(client), "attestation": encode(attestation) })
}

#[test]
fn a_person_enrols_signs_out_and_signs_in_by_passkey() {
    let scene = scene();
    let key = passkey(1);
    let (status, _) = scene.add(&scene.world.token(scene.police), &key);
    assert_eq!(status, 201);
    let token = scene.sign_in(&key);
    let (_, _, me) = scene.world.read(&token, "/api/me");
    assert_eq!(answer(&me)["person"], json!(scene.police.person));
    assert_eq!(answer(&me)["seat"], json!(scene.police.seat), "on the seat that they hold");
    let (_, _, own) = scene.world.read(&token, "/api/me/credentials");
    assert_eq!(answer(&own)["items"][0]["name"], "My key");
    assert_eq!(scene.post(&token, "/api/me/departure", &json!({})).0, 204);
    assert_eq!(scene.world.read(&token, "/api/me").0, 401);
}

#[test]
fn a_session_cookie_is_secure_and_for_our_pages_alone() {
    let scene = scene();
    let key = scene.world.authenticator(scene.police.person);
    let (_, session) = scene.post("", "/api/session", &scene.given(&key, ORIGIN));
    let cookie = session["cookie"].as_str().expect("a cookie");
    for part in ["__Host-muster=", "Path=/", "Secure", "HttpOnly", "SameSite=Strict"] {
        assert!(cookie.contains(part), "{part}");
    }
}

#[test]
fn sign_in_is_refused_without_telling_why() {
    let scene = scene();
    let key = scene.world.authenticator(scene.police.person);
    let refused = |given: &Value| scene.refused("", "/api/session", given);
    let good = scene.given(&key, ORIGIN);
    assert_eq!(scene.post("", "/api/session", &good).0, 204);
    assert_eq!(refused(&good), "passkey-refused", "a replayed answer");
    let elsewhere = scene.given(&key, "https://centre.example.evil.example");
    assert_eq!(refused(&elsewhere), "passkey-refused", "another origin");
    assert_eq!(refused(&scene.given(&passkey(9), ORIGIN)), "passkey-refused", "an unknown passkey");
    let (_, options) = scene.post("", "/api/session/challenge", &json!({}));
    let client = client_data("webauthn.get", &challenge(&options), ORIGIN);
    let unverified = key.assert_with(&client, 1, 0).expect("signed");
    let unverified = json!(signing::Given::of(key.credential(), &unverified));
    assert_eq!(refused(&unverified), "passkey-refused", "nobody was verified");
    let invented = key.assert(&[7; 32], ORIGIN).expect("signed");
    let invented = json!(signing::Given::of(key.credential(), &invented));
    assert_eq!(refused(&invented), "passkey-refused", "a challenge that was never given out");
    let late = scene.given(&key, ORIGIN);
    scene.world.clock.advance_s(301);
    assert_eq!(refused(&late), "passkey-refused", "after five minutes");
    let other = scene.world.authenticator(scene.fire.person);
    let mut borrowed = scene.given(&other, ORIGIN);
    borrowed["credential"] = json!(encode(key.credential()));
    assert_eq!(refused(&borrowed), "passkey-refused", "another person's signature");
}

#[test]
fn a_counter_that_does_not_grow_is_a_copied_passkey() {
    let scene = scene();
    let key = scene.world.authenticator(scene.police.person);
    let at = |count: u32| {
        let (_, options) = scene.post("", "/api/session/challenge", &json!({}));
        let client = client_data("webauthn.get", &challenge(&options), ORIGIN);
        let assertion = key.assert_with(&client, 5, count).expect("signed");
        let given = json!(signing::Given::of(key.credential(), &assertion));
        scene.post("", "/api/session", &given).0
    };
    assert_eq!([at(5), at(6), at(6), at(4), at(0), at(7)], [204, 204, 401, 401, 401, 204]);
}

#[test]
fn a_removed_passkey_ends_its_sessions_at_once_and_live_within_a_second() {
    let scene = scene();
    let key = passkey(1);
    let first = scene.world.token(scene.police);
    let (_, added) = scene.add(&first, &key);
    let credential = added["record"].as_str().expect("an id").to_owned();
    let token = scene.sign_in(&key);
    let listening = scene.world.listen();
    let mut live = listening.live(&token, &["alert"]);
    let removal = format!("/api/credentials/{credential}/removal");
    let fire = scene.world.token(scene.fire);
    assert_eq!(scene.refused(&fire, &removal, &json!({})), "absent", "another's is not there");
    assert_eq!(scene.post(&first, &removal, &json!({})).0, 201);
    assert_eq!(scene.world.read(&token, "/api/me").0, 401);
    assert_eq!(scene.world.read(&first, "/api/me").0, 200, "a session of another way lives on");
    assert_eq!(live.frame_within(1000).expect("a frame")["type"], "signed_out");
    let given = scene.given(&key, ORIGIN);
    assert_eq!(scene.refused("", "/api/session", &given), "passkey-refused");
    let (status, again) = scene.add(&first, &key);
    assert_eq!(
        (status, &again["title"]),
        (409, &json!("credential-exists")),
        "it is dead for ever"
    );
}

#[test]
fn an_administrator_ends_every_session_of_a_person_and_an_entry_wins_over_the_row() {
    let mut scene = scene();
    let tokens = [scene.world.token(scene.police), scene.world.token(scene.police)];
    let path = format!("/api/people/{}/sessions/revocation", scene.police.person);
    let fire = scene.world.token(scene.fire);
    assert_eq!(scene.refused(&fire, &path, &json!({})), "absent");
    let admin = scene.world.token(scene.admin);
    assert_eq!(scene.post(&admin, &path, &json!({})).0, 201);
    let dead = |scene: &Scene| tokens.iter().all(|t| scene.world.read(t, "/api/me").0 == 401);
    assert!(dead(&scene));
    let later = scene.world.token(scene.police);
    assert_eq!(scene.world.read(&later, "/api/me").0, 200, "one may sign in again");
    scene.world.restart();
    assert!(dead(&scene), "the rows are still there, and the entry wins");
}

#[test]
fn a_code_lets_one_person_in_once() {
    let scene = scene();
    let admin = scene.world.token(scene.admin);
    let being = Being { level: 2, compartments: &[], roles: &["DUTY"] };
    let person = scene.world.person(scene.admin.agency, &being).person;
    let (code, key) = ("a code of 128 bits, drawn by the browser", passkey(1));
    assert_eq!(scene.issue(&admin, person, code).0, 201);
    let (status, session) = scene.enrol(code, &key);
    assert_eq!(status, 204, "{session}");
    let token = session["token"].as_str().expect("signed in");
    let (_, _, me) = scene.world.read(token, "/api/me");
    assert_eq!(answer(&me)["person"], json!(person));
    assert_eq!(scene.enrol(code, &passkey(2)).1["title"], "code-refused", "used");
    assert_eq!(scene.enrol("another", &passkey(2)).1["title"], "code-refused", "wrong");
    let other = "another code, for another person";
    assert_eq!(scene.issue(&admin, scene.admin.person, other).0, 201);
    let (status, problem) = scene.enrol(other, &key);
    assert_eq!(
        (status, &problem["title"]),
        (409, &json!("credential-exists")),
        "one key, two people"
    );
    scene.world.clock.advance_s(3601);
    assert_eq!(scene.enrol(other, &passkey(3)).1["title"], "code-refused", "expired");
}

#[test]
fn codes_are_issued_by_administrators_of_the_same_agency_who_were_verified_lately() {
    let scene = scene();
    let person = scene.police.person;
    let police = scene.world.token(scene.police);
    assert_eq!(scene.issue(&police, person, "a").1["title"], "denied");
    let roles = &["ADMIN"];
    let being = Being { level: 4, compartments: &[], roles };
    let others = scene.world.token(scene.world.person(scene.fire.agency, &being));
    assert_eq!(scene.issue(&others, person, "b").1["title"], "absent");
    let admin = scene.world.token(scene.admin);
    scene.world.clock.advance_s(601);
    assert_eq!(scene.issue(&admin, person, "c").1["title"], "step-up-needed");
    let given = scene.given(&scene.world.authenticator(person), ORIGIN);
    assert_eq!(
        scene.refused(&admin, "/api/me/verification", &given),
        "passkey-refused",
        "somebody else's passkey"
    );
    let given = scene.given(&scene.world.authenticator(scene.admin.person), ORIGIN);
    assert_eq!(scene.post(&admin, "/api/me/verification", &given).0, 204);
    assert_eq!(scene.issue(&admin, person, "c").0, 201);
    let late = json!({
        "code": sha256(b"d"), "expires_at": scene.world.node().play_now().plus_s(72 * 3600 + 1)
    });
    let path = format!("/api/people/{person}/enrolment");
    assert_eq!(scene.refused(&admin, &path, &late), "invalid-expiry");
}

/// Two administrators of the police, and what each of them reads of a record above them.
fn two_administrators(scene: &Scene) -> [Who; 2] {
    let being = Being { level: 2, compartments: &[], roles: &["ADMIN"] };
    [
        scene.world.person(scene.police.agency, &being),
        scene.world.person(scene.police.agency, &being),
    ]
}

fn recovered(
    scene: &Scene,
    people: &[Who],
    passkeys: Passkeys,
) -> Result<Vec<(PersonId, String)>, String> {
    let people: Vec<PersonId> = people.iter().map(|who| who.person).collect();
    ceremony::recover(scene.world.node(), "POL", &people, passkeys)
        .map_err(|fault| fault.code.slug.to_owned())
}

#[test]
fn two_administrators_who_lost_their_passkeys_enrol_again_and_gain_nothing() {
    let scene = scene();
    let [one, two] = two_administrators(&scene);
    let raise = json!({
        "do": "raise", "markings": marking(4, &[]), "precedence": "IMMEDIATE",
        "title": "Above them", "text": "Not for level 2.", "audience": [scene.fire.agency],
        "options": ["responding"], "ladder_s": [60, 120, 180], "higher": []
    });
    let (pol, fir) = (scene.police.agency, scene.fire.agency);
    let clause: (&[_], &[_], &[&str], u8) = (&[pol], &[fir], &["alert:read"], 4);
    let agreement = scene.world.agreement(&[pol, fir], &[clause]);
    scene.world.enact(&agreement, &[scene.police, scene.fire]);
    let before = (scene.world.list(one, "alert").total, scene.world.list(one, "report").total);
    let above = scene.world.act(scene.police, "alert:raise", &raise).expect("an alert above them");
    assert!(scene.world.get(scene.police, "alert", above.record).is_ok(), "it can be read");
    let drawn = recovered(&scene, &[one, two], Passkeys::Kept).expect("two codes");
    assert_eq!(drawn.len(), 2);
    for (who, (_, code)) in [one, two].into_iter().zip(&drawn) {
        let (status, answer) = scene.enrol(code, &passkey(u8::from(who.person == one.person) + 3));
        assert_eq!(status, 204, "{answer}");
        assert_eq!(scene.enrol(code, &passkey(8)).1["title"], "code-refused", "once");
        let (status, _, bytes) =
            scene.world.read(answer["token"].as_str().expect("a token"), "/api/me");
        let me = self::answer(&bytes);
        assert_eq!((status.as_u16(), &me["person"]), (200, &json!(who.person)), "{me}");
    }
    let after = (scene.world.list(one, "alert").total, scene.world.list(one, "report").total);
    assert_eq!(before, after, "no record more than before");
    for who in [one, two] {
        let fault = scene.world.get(who, "alert", above.record).expect_err("above them");
        assert_eq!(fault.code.slug, "absent");
    }
    let seen = |who: Who| {
        let page = scene.world.list(who, "credential");
        page.items.iter().filter(|item| item.state.as_deref() == Some("recovered")).count()
    };
    assert_eq!(seen(scene.admin), 2, "another administrator of the agency sees both");
    assert_eq!(seen(scene.fire), 0, "another agency sees neither");
}

#[test]
fn only_administrators_of_that_agency_are_recovered_and_two_of_them() {
    let scene = scene();
    let [one, two] = two_administrators(&scene);
    let refused = |people: &[Who]| recovered(&scene, people, Passkeys::Kept).expect_err("refused");
    assert_eq!(refused(&[one]), "same-person", "one alone");
    assert_eq!(refused(&[one, one]), "same-person", "one person twice");
    assert_eq!(refused(&[one, two, scene.admin]), "same-person", "three");
    assert_eq!(refused(&[one, scene.police]), "no-administrator", "a role that they never had");
    assert_eq!(refused(&[one, scene.fire]), "absent", "of another agency");
    let person = [one.person, two.person];
    let unknown = ceremony::recover(scene.world.node(), "NONE", &person, Passkeys::Kept);
    assert_eq!(unknown.expect_err("no such agency").code.slug, "absent");
    assert_eq!(
        scene
            .world
            .list(scene.admin, "credential")
            .items
            .iter()
            .filter(|item| item.state.as_deref() == Some("recovered"))
            .count(),
        0
    );
}

#[test]
fn the_code_of_a_recovery_ends_after_an_hour() {
    let scene = scene();
    let [one, two] = two_administrators(&scene);
    let drawn = recovered(&scene, &[one, two], Passkeys::Kept).expect("two codes");
    scene.world.clock.advance_s(3601);
    for (_, code) in &drawn {
        assert_eq!(scene.enrol(code, &passkey(4)).1["title"], "code-refused");
    }
}

#[test]
fn a_recovery_ends_every_older_code_of_those_people() {
    let scene = scene();
    let [one, two] = two_administrators(&scene);
    let first = recovered(&scene, &[one, two], Passkeys::Kept).expect("two codes");
    let second = recovered(&scene, &[one, two], Passkeys::Removed).expect("two codes");
    for (_, code) in &first {
        assert_eq!(scene.enrol(code, &passkey(4)).1["title"], "code-refused");
    }
    for ((_, code), number) in second.iter().zip([5, 6]) {
        assert_eq!(scene.enrol(code, &passkey(number)).0, 204);
    }
}

#[test]
fn a_recovery_ends_passkeys_and_sessions_only_when_asked() {
    let scene = scene();
    let [one, two] = two_administrators(&scene);
    let token = scene.world.token(one);
    recovered(&scene, &[one, two], Passkeys::Kept).expect("two codes");
    assert_eq!(scene.world.read(&token, "/api/me").0.as_u16(), 200);
    let third = scene.world.token(scene.admin);
    recovered(&scene, &[one, two], Passkeys::Removed).expect("two codes");
    assert_eq!(scene.world.read(&token, "/api/me").0.as_u16(), 401);
    assert_eq!(scene.world.read(&third, "/api/me").0.as_u16(), 200, "nobody else's");
}

#[test]
fn nobody_becomes_somebody_with_more_rights_alone() {
    let scene = scene();
    let admin = scene.world.token(scene.admin);
    let pol = scene.admin.agency;
    let being = |level, roles| {
        let person = scene.world.person(pol, &Being { level, compartments: &[], roles });
        person.person
    };
    let waits = |person: PersonId, code: &str| {
        let (status, answer) = scene.issue(&admin, person, code);
        assert_eq!(status, 201, "{answer}");
        scene.enrol(code, &passkey(9)).1["title"] == "enrolment-waits"
    };
    assert!(waits(being(5, &[]), "a"), "a higher clearance");
    assert!(waits(being(1, &["INSPECTOR"]), "b"), "a role that the issuer lacks");
    assert!(waits(being(1, &["HEAD"]), "c"), "on a seat, too");
    assert!(waits(being(1, &["ADMIN"]), "d"), "another administrator, who could confirm");
    assert!(!waits(being(1, &[]), "e"), "no more than the issuer has");
    let (_, issued) = scene.issue(&admin, being(5, &[]), "f");
    let path = format!("/api/enrolments/{}/confirmation", issued["record"].as_str().expect("id"));
    let others = Being { level: 5, compartments: &[], roles: &["ADMIN"] };
    let others = scene.world.token(scene.world.person(scene.fire.agency, &others));
    assert_eq!(scene.refused(&others, &path, &json!({})), "absent", "of another agency");
    let police = scene.world.token(scene.police);
    assert_eq!(scene.refused(&police, &path, &json!({})), "denied", "no administrator");
}

#[test]
fn whoever_guesses_codes_is_stopped() {
    let scene = scene();
    for i in 0..10 {
        assert_eq!(scene.enrol(&format!("guess {i}"), &passkey(1)).1["title"], "code-refused");
    }
    let (status, problem) = scene.enrol("guess", &passkey(1));
    assert_eq!((status, &problem["title"]), (429, &json!("too-many-codes")));
    scene.world.clock.advance_s(61);
    assert_eq!(scene.enrol("guess", &passkey(1)).0, 401, "a minute later one may go on");
}

fn found(world: &World, code: &str, name: &str, key: &Authenticator) -> (u16, Value) {
    let asked = json!({ "code": code, "name": name });
    let (status, _, options) = world.post("", "/api/founding/challenge", &asked);
    if status != 200 {
        return (status.as_u16(), answer(&options));
    }
    let (client, attestation) = key.register(&challenge(&answer(&options)), ORIGIN);
    let body = json!({
        "name": name, "passkey": new_passkey(&client, &attestation),
        "agency": { "name": "Ministry of Defence", "code": "MOD" }
    });
    let (status, _, bytes) = world.post("", "/api/founding", &body);
    (status.as_u16(), answer(&bytes))
}

fn founded() -> (Scene, String) {
    let world = World::new();
    let code = app::kernel::ceremony::founding_code(world.node()).expect("drawn").expect("new");
    assert_eq!(found(&world, &code, "Aino", &passkey(1)).1["administrators"], 1);
    let (_, second) = found(&world, &code, "Bruno", &passkey(2));
    assert_eq!(second["administrators"], 2, "{second}");
    let nobody = Who { person: PersonId([0; 16]), agency: base::AgencyId([0; 16]), seat: None };
    (Scene { world, police: nobody, fire: nobody, admin: nobody }, code)
}

#[test]
fn two_different_people_found_a_node_and_then_the_code_is_dead() {
    let world = World::new();
    let code = app::kernel::ceremony::founding_code(world.node()).expect("drawn").expect("new");
    assert_eq!(found(&world, "0000-0000", "Aino", &passkey(1)).1["title"], "code-refused");
    assert_eq!(found(&world, &code, "Aino", &passkey(1)).1["administrators"], 1);
    assert_eq!(world.node().core().head.size, 0, "one alone is nobody yet");
    assert_eq!(found(&world, &code, "Aino", &passkey(2)).1["title"], "same-person", "one name");
    assert_eq!(found(&world, &code, "Bruno", &passkey(1)).1["title"], "same-person", "one passkey");
    assert_eq!(found(&world, &code, "Bruno", &passkey(2)).1["administrators"], 2);
    assert_eq!(found(&world, &code, "Cato", &passkey(3)).1["title"], "code-refused");
    assert_eq!(app::kernel::ceremony::founding_code(world.node()).expect("asked"), None);
    let (_, _, state) = world.read("", "/api/founding");
    assert_eq!(answer(&state), json!({ "waits": false }));
}

#[test]
fn the_code_of_the_set_up_ends_after_a_quarter_of_an_hour() {
    let world = World::new();
    let code = app::kernel::ceremony::founding_code(world.node()).expect("drawn").expect("new");
    world.clock.advance_s(901);
    assert_eq!(found(&world, &code, "Aino", &passkey(1)).1["title"], "code-refused");
}

#[test]
fn a_first_administrator_sets_up_the_agency_and_reads_no_content_by_that() {
    let (scene, _) = founded();
    let (aino, bruno) = (scene.sign_in(&passkey(1)), scene.sign_in(&passkey(2)));
    let (_, _, me) = scene.world.read(&aino, "/api/me");
    let me = answer(&me);
    let add = |token: &str, name: &str, level: u8, roles: &[&str]| {
        let body = json!({
            "name": name, "agency": me["agency"],
            "clearance": { "schemes": { "NAT": { "level": level, "compartments": [] } } },
            "roles": roles, "markings": marking(1, &[])
        });
        scene.post(token, "/api/people", &body)
    };
    let (status, person) = add(&aino, "Duty officer", 4, &["DUTY"]);
    assert_eq!(status, 201, "{person}");
    let person: PersonId = person["record"].as_str().expect("an id").parse().expect("an id");
    let (status, issued) = scene.issue(&aino, person, "code");
    assert_eq!(status, 201, "{issued}");
    assert_eq!(scene.enrol("code", &passkey(3)).1["title"], "enrolment-waits");
    let enrolment = issued["record"].as_str().expect("an id");
    let path = format!("/api/enrolments/{enrolment}/confirmation");
    assert_eq!(scene.refused(&aino, &path, &json!({})), "second-administrator", "not alone");
    assert_eq!(scene.post(&bruno, &path, &json!({})).0, 201);
    assert_eq!(scene.refused(&bruno, &path, &json!({})), "enrolment-confirmed", "once");
    let (status, session) = scene.enrol("code", &passkey(3));
    assert_eq!(status, 204, "{session}");
    let officer = session["token"].as_str().expect("a token");
    let alert = json!({
        "markings": marking(2, &[]), "precedence": "FLASH", "title": "Title", "text": "Text",
        "audience": [me["agency"]], "options": ["yes"]
    });
    let (status, raised) = scene.post(officer, "/api/alerts", &alert);
    assert_eq!(status, 201, "{raised}");
    let path = format!("/api/alerts/{}", raised["record"].as_str().expect("an id"));
    assert_eq!(scene.world.read(officer, &path).0, 200);
    for administrator in [&aino, &bruno] {
        assert_eq!(scene.world.read(administrator, &path).0, 404);
        let (_, _, list) = scene.world.read(administrator, "/api/alerts");
        assert_eq!(answer(&list)["total"], 0);
        let (_, problem) = scene.post(administrator, "/api/alerts", &alert);
        assert_eq!(problem["title"], "denied");
    }
    let (_, _, other) = scene.world.read(&bruno, "/api/me");
    let other = answer(&other)["person"].as_str().expect("an id").to_owned();
    let raise = json!({
        "clearance": { "schemes": { "NAT": { "level": 5, "compartments": [] } } },
        "cleared_until": null, "roles": ["ADMIN"], "training": {}
    });
    let path = format!("/api/people/{other}/clearance");
    assert_eq!(scene.refused(&aino, &path, &raise), "own-rights", "nor raise they each other");
}

#[test]
fn an_act_of_consequence_is_signed_and_the_entry_keeps_the_proof() {
    let scene = scene();
    let (_, command) = scene.proposed();
    let key = scene.world.authenticator(scene.police.person);
    let unsigned = scene.unsigned(scene.police, "agreement:sign", &command);
    assert_eq!(scene.submit(unsigned), Err("signature-needed".to_owned()));
    let mut act = scene.unsigned(scene.police, "agreement:sign", &command);
    scene.sign(&mut act, &key);
    let done = scene.submit(act).expect("signed");
    let keyring = scene.world.node().keys();
    let log = scene.world.node().log();
    let name = store::log::LogName::Acts;
    let entry = log.entries(name, done.sequence, 1).expect("read").remove(0);
    let secrets = log.secrets(name, done.sequence, 1).expect("read").remove(0);
    let opened = app::kernel::start::open_entry(keyring, &entry, &secrets).expect("opened");
    let kept = opened.signature.as_deref().and_then(ActSignature::from_bytes).expect("kept");
    let party = RelyingParty { id: "centre.example".to_owned() };
    let of = (opened.header.shared.ledger, opened.header.local.command);
    assert!(kept.verify(&key.public_key(), &party, of).is_ok(), "anybody can check it offline");
    assert_eq!(kept.subject.targets.len(), 1, "it names the agreement");
}

#[test]
fn a_signature_is_good_for_one_act_of_one_person_once() {
    let scene = scene();
    let (_, command) = scene.proposed();
    let (police, fire) = (scene.police, scene.fire);
    let key = scene.world.authenticator(police.person);
    let others = scene.world.authenticator(fire.person);
    let refused = Err("signature-refused".to_owned());
    let ready = || scene.unsigned(police, "agreement:sign", &command);

    let mut act = ready();
    let challenge = scene.asked(&act);
    let assertion = others.assert(&challenge, ORIGIN).expect("signed");
    act.signature = Some(signing::Given::of(others.credential(), &assertion));
    assert_eq!(scene.submit(act), refused, "another person's passkey");

    let mut act = ready();
    let assertion = others.assert(&scene.asked(&act), ORIGIN).expect("signed");
    act.signature = Some(signing::Given::of(key.credential(), &assertion));
    assert_eq!(scene.submit(act), refused, "another person's signature under one's own id");

    let mut act = ready();
    let assertion = key.assert(&scene.asked(&act), "https://evil.example").expect("signed");
    act.signature = Some(signing::Given::of(key.credential(), &assertion));
    assert_eq!(scene.submit(act), refused, "another origin");

    let mut act = ready();
    let client = client_data("webauthn.get", &scene.asked(&act), ORIGIN);
    let assertion = key.assert_with(&client, 1, 0).expect("signed");
    act.signature = Some(signing::Given::of(key.credential(), &assertion));
    assert_eq!(scene.submit(act), refused, "nobody was verified");

    let mut act = ready();
    scene.sign(&mut act, &key);
    let mut other = scene.unsigned(
        police,
        "agreement:suspend",
        &json!({
            "do": "suspend", "agreement": command["agreement"], "reason": "Reason"
        }),
    );
    other.signature.clone_from(&act.signature);
    assert_eq!(scene.submit(other), refused, "another act");
    assert_eq!(scene.submit(act), refused, "and then it is used");

    let mut act = ready();
    scene.sign(&mut act, &key);
    act.idempotency_key = scene.world.key();
    assert_eq!(scene.submit(act), refused, "another attempt");

    let mut act = ready();
    scene.sign(&mut act, &key);
    scene.world.clock.advance_s(301);
    assert_eq!(scene.submit(act), refused, "after five minutes");

    let mut act = ready();
    scene.sign(&mut act, &key);
    let signature = act.signature.clone();
    let (name, body) = (act.idempotency_key.clone(), act.command.clone());
    let done = scene.submit(act).expect("signed");
    let mut again = ready();
    (again.idempotency_key, again.command, again.signature) = (name, body, signature);
    assert_eq!(scene.submit(again), Ok(done), "a retry gets the first answer");
}

#[test]
fn a_session_to_sign_in_signs_nothing_and_a_signature_signs_nobody_in() {
    let scene = scene();
    let (_, command) = scene.proposed();
    let key = scene.world.authenticator(scene.police.person);
    let mut act = scene.unsigned(scene.police, "agreement:sign", &command);
    act.signature = serde_json::from_value(scene.given(&key, ORIGIN)).expect("an answer");
    assert_eq!(scene.submit(act), Err("signature-refused".to_owned()));
    let mut act = scene.unsigned(scene.police, "agreement:sign", &command);
    scene.sign(&mut act, &key);
    let given = json!(act.signature);
    assert_eq!(scene.refused("", "/api/session", &given), "passkey-refused");
}

#[test]
fn what_has_changed_since_is_signed_again() {
    let scene = scene();
    let (_, command) = scene.proposed();
    let key = scene.world.authenticator(scene.police.person);
    let mut act = scene.unsigned(scene.police, "agreement:sign", &command);
    scene.sign(&mut act, &key);
    scene.world.act(scene.fire, "agreement:sign", &command).expect("the other party signed");
    assert_eq!(scene.submit(act), Err("target-changed".to_owned()));
    let mut act = scene.unsigned(scene.police, "agreement:sign", &command);
    scene.sign(&mut act, &key);
    assert!(scene.submit(act).is_ok());
}

#[test]
fn a_passkey_that_is_removed_between_signing_and_deciding_counts_no_more() {
    let scene = scene();
    let (_, command) = scene.proposed();
    let key = scene.world.authenticator(scene.police.person);
    let mut act = scene.unsigned(scene.police, "agreement:sign", &command);
    scene.sign(&mut act, &key);
    let core = scene.world.node().core();
    let record = core.register.identity.by_id[&encode(key.credential())];
    let token = scene.world.token(scene.police);
    let removal = format!("/api/credentials/{record}/removal");
    assert_eq!(scene.post(&token, &removal, &json!({})).0, 201);
    assert_eq!(scene.submit(act), Err("signature-refused".to_owned()));
}

#[test]
fn the_text_says_what_is_signed_and_nothing_that_the_signer_may_not_read() {
    let scene = scene();
    let (id, command) = scene.proposed();
    scene.world.authenticator(scene.police.person);
    let token = scene.world.token(scene.police);
    let asked = json!({
        "action": "agreement:sign", "record": id, "idempotency_key": "a key",
        "command": { "digest": command["digest"] }
    });
    let (status, challenge) = scene.post(&token, "/api/challenges", &asked);
    assert_eq!(status, 200, "{challenge}");
    let text = challenge["text"].as_str().expect("a text");
    let digest = command["digest"].as_str().expect("a digest");
    for part in ["Agreement of the world", "Agency POL", "Agency FIR", digest, "centre.example"] {
        assert!(text.contains(part), "{part} in {text}");
    }
    let nowhere = json!({
        "action": "agreement:sign", "record": RecordId([1; 16]), "idempotency_key": "a key",
        "command": { "digest": command["digest"] }
    });
    assert_eq!(scene.refused(&token, "/api/challenges", &nowhere), "absent");
    let outsider = scene.world.agency("CUS");
    let roles = &["SIGNATORY"];
    let outsider = scene.world.person(outsider, &Being { level: 4, compartments: &[], roles });
    scene.world.authenticator(outsider.person);
    let outsider = scene.world.token(outsider);
    assert_eq!(scene.refused(&outsider, "/api/challenges", &asked), "absent", "as if it were not");
    let alert = json!({
        "action": "alert:raise", "idempotency_key": "a key", "command": {}
    });
    assert_eq!(scene.refused(&token, "/api/challenges", &alert), "not-signed");
    let fire = scene.world.token(scene.fire);
    assert_eq!(scene.refused(&fire, "/api/challenges", &asked), "no-passkey");
}

#[test]
fn a_signed_act_over_http_carries_its_signature_in_the_body() {
    let scene = scene();
    let (id, command) = scene.proposed();
    let key = scene.world.authenticator(scene.police.person);
    let token = scene.world.token(scene.police);
    let idempotency = "one attempt";
    let asked = json!({
        "action": "agreement:sign", "record": id, "idempotency_key": idempotency,
        "command": { "digest": command["digest"] }
    });
    let (_, options) = scene.post(&token, "/api/challenges", &asked);
    let assertion = key.assert(&challenge(&options), ORIGIN).expect("signed");
    let body = json!({
        "digest": command["digest"],
        "signature": signing::Given::of(key.credential(), &assertion)
    });
    let path = format!("/api/agreements/{}/signatures", id.as_str().expect("an id"));
    let (status, _, bytes) = scene.world.post_with_key((&token, idempotency), &path, &body);
    assert_eq!(status, 201, "{}", answer(&bytes));
    assert_eq!(scene.refused(&token, &path, &body), "signature-refused", "under another key");
}

fn service(scene: &Scene, token: &str, change: impl FnOnce(&mut Value)) -> (u16, Value) {
    let admin = scene.world.token(scene.admin);
    let mut body = json!({
        "name": "Weather feed", "token": sha256(token.as_bytes()), "actions": ["alert:raise"],
        "kinds": ["alert"], "roles": ["DUTY"], "markings": marking(1, &[]),
        "clearance": { "schemes": { "NAT": { "level": 1, "compartments": [] } } },
        "expires_at": scene.world.node().play_now().plus_s(86_400)
    });
    change(&mut body);
    scene.post(&admin, "/api/services", &body)
}

#[test]
fn a_service_acts_within_its_scope_until_it_expires_or_is_revoked() {
    let scene = scene();
    let (one, two) = (encode(&[1; 32]), encode(&[2; 32]));
    let (status, added) = service(&scene, &one, |_| {});
    assert_eq!(status, 201, "{added}");
    let alert = json!({
        "markings": marking(1, &[]), "precedence": "ROUTINE", "title": "Storm", "text": "Text",
        "audience": [scene.police.agency], "options": ["yes"]
    });
    let (status, raised) = scene.post(&one, "/api/alerts", &alert);
    assert_eq!(status, 201, "{raised}");
    let path = format!("/api/alerts/{}", raised["record"].as_str().expect("an id"));
    assert_eq!(scene.world.read(&one, &path).0, 200);
    let (_, _, people) = scene.world.read(&one, "/api/people");
    assert_eq!(answer(&people)["total"], 0, "no kind of its scope");
    let cancel = json!({ "reason": "Reason" });
    assert_eq!(scene.refused(&one, &format!("{path}/cancellation"), &cancel), "denied");
    let reader = |body: &mut Value| body["actions"] = json!([]);
    assert_eq!(service(&scene, &two, reader).0, 201);
    assert_eq!(scene.refused(&two, "/api/alerts", &alert), "denied", "it only reads");
    assert_eq!(scene.world.read(&two, &path).0, 200);
    let admin = scene.world.token(scene.admin);
    let revocation =
        format!("/api/services/{}/revocation", added["record"].as_str().expect("an id"));
    let police = scene.world.token(scene.police);
    assert_eq!(scene.refused(&police, &revocation, &json!({})), "denied");
    assert_eq!(scene.post(&admin, &revocation, &json!({})).0, 201);
    assert_eq!(scene.world.read(&one, &path).0, 401);
    assert_eq!(scene.world.read(&two, &path).0, 200, "another service lives on");
    scene.world.clock.advance_s(86_401);
    assert_eq!(scene.world.read(&two, &path).0, 401, "expired");
}

#[test]
fn a_service_is_given_no_more_than_its_administrator_has() {
    let scene = scene();
    let slug = |change: fn(&mut Value)| {
        let (_, problem) = service(&scene, &encode(&[3; 32]), change);
        problem["title"].as_str().unwrap_or("accepted").to_owned()
    };
    let above: fn(&mut Value) = |b| b["clearance"]["schemes"]["NAT"]["level"] = json!(5);
    assert_eq!(slug(above), "above-own-clearance");
    assert_eq!(slug(|b| b["roles"] = json!(["INSPECTOR"])), "role-not-held");
    assert_eq!(slug(|b| b["expires_at"] = json!("2026-11-22T11:00:00.000Z")), "invalid-expiry");
    assert_eq!(slug(|b| b["expires_at"] = json!("2028-11-22T11:00:00.000Z")), "invalid-expiry");
    let nothing: fn(&mut Value) = |b| {
        b["actions"] = json!([]);
        b["kinds"] = json!([]);
    };
    assert_eq!(slug(nothing), "invalid-scope", "an empty scope is no scope");
    assert_eq!(slug(|_| {}), "accepted");
    assert_eq!(slug(|_| {}), "code-used", "a token is good for one service");
}

#[test]
fn a_service_signs_nothing() {
    let scene = scene();
    let (id, command) = scene.proposed();
    let token = encode(&[4; 32]);
    let signs = |b: &mut Value| {
        b["actions"] = json!(["agreement:sign"]);
        b["kinds"] = json!(["agreement"]);
    };
    assert_eq!(service(&scene, &token, signs).0, 201);
    let path = format!("/api/agreements/{}/signatures", id.as_str().expect("an id"));
    let body = json!({ "digest": command["digest"] });
    let slug = scene.refused(&token, &path, &body);
    assert!(["denied", "signature-needed"].contains(&slug.as_str()), "{slug}");
}

#[test]
fn sessions_and_passkeys_are_seen_by_administrators_of_their_agency_alone() {
    let scene = scene();
    scene.world.authenticator(scene.police.person);
    scene.world.token(scene.police);
    let total = |who: Who| scene.world.list(who, "credential").total;
    assert!(total(scene.admin) >= 2, "a passkey and a session");
    assert_eq!(total(scene.police), 0, "not even one's own, in the agency's list");
    assert_eq!(total(scene.fire), 0);
    let being = Being { level: 5, compartments: &[], roles: &["ADMIN"] };
    assert_eq!(total(scene.world.person(scene.fire.agency, &being)), 0, "of another agency");
}

#[test]
fn the_key_of_a_device_is_each_persons_own_and_stays() {
    let scene = scene();
    let key = |token: &str| {
        let (status, _, body) = scene.world.read(token, "/api/me/device-key");
        assert_eq!(status, 200);
        answer(&body)["key"].as_str().expect("a key").to_owned()
    };
    let (police, admin) = (scene.world.token(scene.police), scene.world.token(scene.admin));
    assert_eq!(key(&police).len(), 43, "32 bytes");
    assert_eq!(key(&police), key(&scene.world.token(scene.police)), "of another session");
    assert_ne!(key(&police), key(&admin));
    let feed = encode(&[4; 32]);
    assert_eq!(service(&scene, &feed, |_| {}).0, 201);
    assert_eq!(scene.world.read(&feed, "/api/me/device-key").0, 404, "a service drafts nothing");
}
