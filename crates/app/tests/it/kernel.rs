//! The kernel's promises: one outcome a key, no side door, rebuild equals live, rights act at once.

use app::kernel::start::label_key;
use app::kernel::view::{self, Views};
use base::{Kind, RecordId};
use serde_json::{Value, json};
use testkit::world::{Being, marking};
use testkit::{Who, World};

const DESK: Being<'static> =
    Being { level: 4, compartments: &["KESTREL"], roles: &["DUTY", "SIGNATORY", "ADMIN"] };

struct Pair {
    world: World,
    police: Who,
    fire: Who,
    agreement: base::AgreementId,
}

fn pair() -> Pair {
    pair_in(World::new())
}

fn pair_in(world: World) -> Pair {
    let (pol, fir) = (world.agency("POL"), world.agency("FIRE"));
    let police = world.person(pol, &DESK);
    let fire = world.person(fir, &Being { level: 3, compartments: &[], ..DESK });
    let both = [pol, fir];
    world.charter(&both);
    let text = world.agreement(&both, &[(&both, &both, &["alert:read", "circle:read"], 4)]);
    let agreement = world.enact(&text, &[police, fire]);
    Pair { world, police, fire, agreement }
}

fn alert(pair: &Pair, title: &str) -> Value {
    json!({
        "do": "raise", "markings": marking(2, &[]), "precedence": "FLASH", "title": title,
        "text": "text", "audience": [pair.fire.agency], "options": ["responding"], "place": null
    })
}

fn raise(pair: &Pair, title: &str) -> RecordId {
    pair.world.act(pair.police, "alert:raise", &alert(pair, title)).expect("an alert").record
}

fn titles(pair: &Pair, who: Who) -> Vec<String> {
    let items = pair.world.list(who, "alert").items;
    items.iter().map(|r| r.layers[0].body["title"].as_str().expect("title").to_owned()).collect()
}

#[test]
fn the_same_key_gives_the_first_receipt_also_after_a_restart() {
    let mut pair = pair();
    let command = alert(&pair, "once");
    let first = pair.world.act_with_key(pair.police, "alert:raise", &command, "k").expect("done");
    let again = pair.world.act_with_key(pair.police, "alert:raise", &command, "k").expect("done");
    assert_eq!(first, again);
    pair.world.restart();
    let later = pair.world.act_with_key(pair.police, "alert:raise", &command, "k").expect("done");
    assert_eq!(first, later);
    assert_eq!(pair.world.list(pair.police, "alert").total, 1);
}

#[test]
fn the_same_key_with_another_command_is_a_conflict() {
    let pair = pair();
    let world = &pair.world;
    world.act_with_key(pair.police, "alert:raise", &alert(&pair, "a"), "k").expect("done");
    let fault = world.act_with_key(pair.police, "alert:raise", &alert(&pair, "b"), "k");
    assert_eq!(fault.expect_err("a conflict").code.slug, "idempotency-conflict");
}

#[test]
fn the_same_key_of_another_person_is_another_key() {
    let pair = pair();
    let own = json!({
        "do": "raise", "markings": marking(2, &[]), "precedence": "FLASH", "title": "t",
        "text": "text", "audience": [pair.police.agency], "options": ["yes"], "place": null
    });
    pair.world.act_with_key(pair.police, "alert:raise", &alert(&pair, "a"), "k").expect("done");
    pair.world.act_with_key(pair.fire, "alert:raise", &own, "k").expect("done too");
}

#[test]
fn a_refused_act_leaves_no_trace_in_views_or_log() {
    let pair = pair();
    let before = pair.world.node().core().head.clone();
    let mut wrong = alert(&pair, "x");
    wrong["options"] = json!(["1", "2", "3", "4", "5", "6", "7", "8", "9"]);
    let fault = pair.world.act(pair.police, "alert:raise", &wrong).expect_err("too many");
    assert_eq!(fault.code.slug, "too-many-options");
    assert_eq!(pair.world.node().core().head, before);
    assert_eq!(pair.world.list(pair.police, "alert").total, 0);
}

#[test]
fn sequence_numbers_are_dense_and_log_time_never_goes_back() {
    let pair = pair();
    raise(&pair, "first");
    pair.world.clock.advance_s(-3600);
    raise(&pair, "second");
    let size = pair.world.node().core().head.size;
    let leaves = pair.world.node().log().leaves(store::LogName::Acts, 0, 10_000).expect("leaves");
    assert_eq!(leaves.len() as u64, size);
    let times: Vec<_> = leaves
        .iter()
        .map(|leaf| ledger::leaf::Leaf::from_bytes(leaf).expect("a leaf").at)
        .collect();
    assert!(times.is_sorted(), "the clock went back an hour");
}

#[test]
fn suspending_an_agreement_stops_the_flow_at_once_and_resuming_takes_two() {
    let pair = pair();
    raise(&pair, "seen");
    assert_eq!(titles(&pair, pair.fire), ["seen"]);
    let suspend = json!({ "do": "suspend", "agreement": pair.agreement, "reason": "breach" });
    pair.world.act(pair.fire, "agreement:suspend", &suspend).expect("suspended");
    assert_eq!(titles(&pair, pair.fire), Vec::<String>::new());
    assert_eq!(titles(&pair, pair.police), ["seen"], "one's own stays");
    let fault = pair.world.act(pair.police, "alert:raise", &alert(&pair, "more"));
    assert_eq!(fault.expect_err("no flow").code.slug, "no-clause");
    let resume = json!({ "do": "resume", "agreement": pair.agreement });
    pair.world.act(pair.police, "agreement:resume", &resume).expect("one");
    assert_eq!(titles(&pair, pair.fire), Vec::<String>::new(), "one signature is not two");
    let again = pair.world.act(pair.police, "agreement:resume", &resume);
    assert_eq!(again.expect_err("the same party").code.kind, Kind::Conflict);
    pair.world.act(pair.fire, "agreement:resume", &resume).expect("two");
    assert_eq!(titles(&pair, pair.fire), ["seen"]);
}

#[test]
fn an_agreement_that_ends_stops_the_flow_without_any_act() {
    let pair = pair();
    raise(&pair, "seen");
    let epoch = pair.world.node().core().policy.epoch();
    // The agreements of this world end with the year 2029.
    pair.world.clock.advance_s(4 * 366 * 24 * 3600);
    assert_eq!(titles(&pair, pair.fire), Vec::<String>::new(), "at once, before any entry");
    pair.world.eventually(|world| (world.node().core().policy.epoch() > epoch).then_some(()));
    assert_eq!(titles(&pair, pair.fire), Vec::<String>::new());
    assert_eq!(titles(&pair, pair.police), ["seen"], "one's own is served under the new epoch");
}

#[test]
fn a_removed_person_reads_and_does_nothing_more() {
    let pair = pair();
    raise(&pair, "seen");
    let token = pair.world.token(pair.fire);
    assert_eq!(pair.world.read(&token, "/api/alerts").0, 200);
    let admin = pair.world.person(pair.fire.agency, &DESK);
    let remove = json!({ "do": "remove", "person": pair.fire.person });
    pair.world.act(admin, "person:remove", &remove).expect("removed");
    assert_eq!(pair.world.read(&token, "/api/alerts").0, 401);
    let page = pair.world.list(pair.fire, "alert");
    assert_eq!((page.total, page.items.len()), (0, 0), "an open session's reader is empty too");
}

#[test]
fn an_agency_does_not_administer_another() {
    let pair = pair();
    let remove = json!({ "do": "remove", "person": pair.fire.person });
    let fault = pair.world.act(pair.police, "person:remove", &remove).expect_err("not theirs");
    assert_eq!(fault.code.slug, "other-agency");
}

#[test]
fn rebuilt_views_equal_the_live_ones() {
    let mut pair = pair();
    let id = raise(&pair, "first");
    raise(&pair, "second");
    let answer = json!({ "do": "acknowledge", "alert": id, "option": 0, "note": "on our way" });
    pair.world.act(pair.fire, "alert:acknowledge", &answer).expect("answered");
    let live = pair.world.dump();
    pair.world.rebuild().expect("a node");
    assert_eq!(pair.world.dump(), live);
    assert!(live.len() > 50, "the dump has rows: {}", live.len());
}

#[test]
fn views_that_a_crash_left_half_folded_are_folded_anew() {
    let mut pair = pair();
    raise(&pair, "first");
    raise(&pair, "second");
    let live = pair.world.dump();
    let key = label_key(pair.world.node().keys()).expect("a key");
    pair.world.stop();
    let path = pair.world.directory().join("local/views.db");
    let half = view::open(&path, app::capabilities::ALL, &key).expect("views");
    half.in_bulk().expect("in bulk");
    Views::new(&half).set_applied(3).expect("fewer than there are");
    drop(half);
    pair.world.start().expect("a node");
    assert_eq!(pair.world.dump(), live);
    raise(&pair, "third");
    assert_eq!(titles(&pair, pair.fire), ["third", "second", "first"]);
}

#[test]
fn what_a_person_holds_survives_a_restart() {
    let mut pair = pair();
    raise(&pair, "seen");
    pair.world.restart();
    assert_eq!(titles(&pair, pair.fire), ["seen"]);
    raise(&pair, "after");
    assert_eq!(titles(&pair, pair.fire), ["after", "seen"]);
}

#[test]
fn pages_follow_each_other_without_gap_or_repeat() {
    let pair = pair();
    let made: Vec<String> = (0..7).map(|i| format!("alert {i}")).collect();
    for title in &made {
        raise(&pair, title);
    }
    let reader = pair.world.as_(pair.fire);
    let mut cursor = None;
    let mut seen = Vec::new();
    loop {
        let page = reader.list("alert", cursor.as_deref(), 3).expect("a page");
        assert_eq!(page.total, 7);
        for item in &page.items {
            seen.push(item.layers[0].body["title"].as_str().expect("title").to_owned());
        }
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    let newest_first: Vec<String> = made.into_iter().rev().collect();
    assert_eq!(seen, newest_first);
}

#[test]
fn a_cursor_is_of_its_session_and_of_one_length() {
    let pair = pair();
    for i in 0..300 {
        raise(&pair, &format!("alert {i}"));
    }
    let (mine, yours) = (pair.world.token(pair.police), pair.world.token(pair.fire));
    let next = |token: &str, path: &str| -> String {
        let (status, _, body) = pair.world.read(token, path);
        assert_eq!(status, 200);
        let page: Value = serde_json::from_slice(&body).expect("json");
        page["next"].as_str().expect("a cursor").to_owned()
    };
    let first = next(&mine, "/api/alerts?limit=1");
    let far = next(&mine, "/api/alerts?limit=200");
    assert_eq!(first.len(), far.len());
    let (status, _, _) = pair.world.read(&yours, &format!("/api/alerts?limit=1&cursor={first}"));
    assert_eq!(status, 400, "another session's cursor");
    let (status, _, _) = pair.world.read(&mine, "/api/alerts?cursor=AAAA");
    assert_eq!(status, 400);
}

#[test]
fn an_entity_tag_changes_with_what_its_reader_may_read_and_with_nothing_else() {
    let pair = pair();
    let mut command = alert(&pair, "tag");
    command["higher"] = json!([{ "markings": marking(4, &["KESTREL"]), "text": "above" }]);
    let id = pair.world.act(pair.police, "alert:raise", &command).expect("done").record;
    let etag = |who| pair.world.get(who, "alert", id).expect("the alert").etag;
    let (fire, police) = (etag(pair.fire), etag(pair.police));
    assert_eq!(etag(pair.fire), fire);
    assert_ne!(fire, police, "they read different layers");
    let answer = json!({ "do": "acknowledge", "alert": id, "option": 0, "note": null });
    pair.world.act(pair.fire, "alert:acknowledge", &answer).expect("answered");
    assert_ne!(etag(pair.fire), fire);
}

#[test]
fn as_of_shows_what_was_known_then_by_the_rights_of_today() {
    let pair = pair();
    let id = raise(&pair, "then");
    let before = pair.world.node().core().at;
    pair.world.clock.advance_s(100);
    let answer = json!({ "do": "acknowledge", "alert": id, "option": 0, "note": null });
    pair.world.act(pair.fire, "alert:acknowledge", &answer).expect("answered");
    let reader = pair.world.as_(pair.police);
    let then = reader.as_of("alert", id, before).expect("then");
    assert!(then.layers[0].body.get("acknowledgements").is_none());
    let now = reader.get("alert", id).expect("now");
    assert!(now.layers[0].body.get("acknowledgements").is_some());
    let never = base::Time::from_ms(before.ms() - 1_000_000).expect("a time");
    assert_eq!(reader.as_of("alert", id, never).expect_err("not yet").code.kind, Kind::Absent);
}

#[test]
fn a_list_as_of_shows_each_as_it_was_and_none_that_was_not_there() {
    let pair = pair();
    let first = raise(&pair, "first");
    let before = pair.world.node().core().at;
    pair.world.clock.advance_s(100);
    let answer = json!({ "do": "acknowledge", "alert": first, "option": 0, "note": null });
    pair.world.act(pair.fire, "alert:acknowledge", &answer).expect("answered");
    raise(&pair, "second");
    let reader = pair.world.as_(pair.police);
    let then = reader.list_as_of("alert", None, 50, Some(before)).expect("a page");
    let ids: Vec<_> = then.items.iter().map(|one| one.id).collect();
    assert_eq!(ids, [first]);
    assert!(then.items[0].layers[0].body.get("acknowledgements").is_none());
    assert_eq!(reader.list("alert", None, 50).expect("a page").items.len(), 2);
    let stranger = pair
        .world
        .person(pair.world.agency("CUS"), &Being { level: 5, compartments: &[], roles: &["DUTY"] });
    let hidden = pair.world.as_(stranger).list_as_of("alert", None, 50, Some(before));
    assert!(hidden.expect("a page").items.is_empty(), "the rights of today");
}

fn admin_and_colleague(world: &World) -> (Who, Who) {
    let agency = world.agency("POL");
    let admin = world.person(agency, &Being { level: 3, compartments: &[], roles: &["ADMIN"] });
    let colleague =
        world.person(agency, &Being { level: 2, compartments: &[], roles: &["ANALYST"] });
    (admin, colleague)
}

fn clear(who: Who, level: u8, roles: &[&str]) -> Value {
    json!({
        "do": "clear", "person": who.person, "roles": roles, "training": {},
        "cleared_until": null,
        "clearance": { "schemes": { "NAT": { "level": level, "compartments": [] } },
                       "audiences": [] }
    })
}

#[test]
fn nobody_gives_a_clearance_above_their_own() {
    let world = World::new();
    let (admin, colleague) = admin_and_colleague(&world);
    world.act(admin, "person:clear", &clear(colleague, 3, &["ANALYST"])).expect("up to one's own");
    let above = world.act(admin, "person:clear", &clear(colleague, 4, &["ANALYST"]));
    assert_eq!(above.expect_err("above").code.slug, "above-own-clearance");
}

#[test]
fn nobody_changes_rights_of_their_own() {
    let world = World::new();
    let (admin, _) = admin_and_colleague(&world);
    let own = world.act(admin, "person:clear", &clear(admin, 3, &["ADMIN"]));
    assert_eq!(own.expect_err("own rights").code.slug, "own-rights");
}

#[test]
fn nobody_gives_a_role_that_they_do_not_hold() {
    let world = World::new();
    let (admin, colleague) = admin_and_colleague(&world);
    for role in ["INSPECTOR", "SIGNATORY", "CENTRE", "WITNESS"] {
        let given = world.act(admin, "person:clear", &clear(colleague, 2, &[role]));
        assert_eq!(given.expect_err(role).code.slug, "role-not-held");
        let seat = json!({
            "do": "add_seat", "seat": null, "name": "Desk", "agency": admin.agency,
            "roles": [role], "deputies": [], "markings": marking(1, &[])
        });
        let given = world.act(admin, "seat:add", &seat).expect_err(role);
        assert_eq!(given.code.slug, "role-not-held");
    }
}

#[test]
fn nobody_takes_a_seat_with_privileged_roles_alone() {
    let world = World::new();
    let (admin, _) = admin_and_colleague(&world);
    let other =
        world.person(admin.agency, &Being { level: 3, compartments: &[], roles: &["ADMIN"] });
    let take = json!({ "do": "take", "seat": other.seat, "person": admin.person });
    let taken = world.act(admin, "seat:take", &take);
    assert_eq!(taken.expect_err("own rights").code.slug, "own-rights");
}

#[test]
fn two_nodes_never_accept_each_others_sessions() {
    let (one, other) = (World::new(), World::new());
    let (who, _) = admin_and_colleague(&one);
    let (same, _) = admin_and_colleague(&other);
    assert_eq!(who.person, same.person, "the worlds are twins");
    let token = one.token(who);
    assert_eq!(one.read(&token, "/api/me").0, 200);
    assert_eq!(other.read(&token, "/api/me").0, 401);
}

#[test]
fn a_refused_act_and_a_denied_read_are_recorded() {
    let pair = pair();
    let (world, token) = (&pair.world, pair.world.token(pair.fire));
    let wrong = json!({ "option": 0, "note": null });
    let path = format!("/api/alerts/{}", RecordId([4; 16]));
    assert_eq!(world.post(&token, &format!("{path}/acknowledgements"), &wrong).0, 404);
    assert_eq!(world.read(&token, &path).0, 404);
    let rows = world.access_rows();
    let denied = rows.iter().filter(|row| {
        row.kind == app::kernel::access::AccessKind::Denied && row.person == Some(pair.fire.person)
    });
    assert_eq!(denied.count(), 2);
}

#[test]
fn a_new_version_does_not_lift_a_suspension() {
    let pair = pair();
    raise(&pair, "seen");
    let suspend = json!({ "do": "suspend", "agreement": pair.agreement, "reason": "breach" });
    pair.world.act(pair.fire, "agreement:suspend", &suspend).expect("suspended");
    let both = [pair.police.agency, pair.fire.agency];
    let mut next = pair.world.agreement(&both, &[(&both, &both, &["alert:read"], 4)]);
    next["id"] = json!(pair.agreement);
    next["version"] = json!(2);
    let propose = json!({ "do": "propose", "agreement": next, "markings": marking(1, &[]) });
    pair.world.act(pair.police, "agreement:propose", &propose).expect("proposed");
    assert_eq!(titles(&pair, pair.fire), Vec::<String>::new());
}

#[test]
fn keys_of_past_weeks_are_destroyed_and_what_lives_is_still_read() {
    const WEEK_S: i64 = 7 * 86_400;
    let mut pair = pair();
    let id = raise(&pair, "first");
    let shred = pair.world.directory().join("keys");
    let keys = |at: &std::path::Path| {
        let mut found = Vec::new();
        let mut left = vec![at.to_owned()];
        while let Some(path) = left.pop() {
            for entry in std::fs::read_dir(path).expect("a directory") {
                let path = entry.expect("an entry").path();
                let name = path.file_name().expect("a name").to_string_lossy().into_owned();
                if path.is_dir() {
                    left.push(path);
                } else if name.starts_with("shred-") {
                    found.push(name);
                }
            }
        }
        found
    };
    let first = keys(&shred);
    assert_eq!(first.len(), 1);
    pair.world.clock.advance_s(4 * WEEK_S);
    pair.world.eventually(|_| (keys(&shred).len() == 2).then_some(()));
    assert!(keys(&shred).contains(&first[0]), "copies may be opened for 35 days");
    pair.world.clock.advance_s(3 * WEEK_S);
    pair.world.eventually(|_| (!keys(&shred).contains(&first[0])).then_some(()));
    pair.world.restart();
    assert!(pair.world.get(pair.police, "alert", id).is_ok(), "it lies under this week's key");
    assert!(pair.world.rebuild().is_ok());
}
