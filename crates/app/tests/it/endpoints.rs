//! Every route × every kind of caller: none unauthenticated, none ungated, mixed ids refused.

use app::kernel::http::routes;
use app::kernel::route::{Gate, Method, Route, Serves};
use base::RecordId;
use serde_json::{Value, json};
use testkit::World;
use testkit::world::Being;

fn path(route: &Route) -> String {
    let path = route.path.replace("{id}", &RecordId([1; 16]).to_string());
    format!("/api{}", path.replace("{digest}", &base::Digest([1; 32]).to_string()))
}

fn ask(world: &World, token: &str, route: &Route) -> u16 {
    let status = match route.method {
        Method::Get => world.read(token, &path(route)).0,
        Method::Post => world.post(token, &path(route), &json!({})).0,
    };
    status.as_u16()
}

#[test]
fn no_route_answers_a_caller_without_a_valid_session() {
    let world = World::new();
    let bad = ["", "x", "AAAA", &"A".repeat(43), &"A".repeat(5000)];
    for route in routes(world.node()) {
        if matches!(route.gate, Gate::Public(_)) || route.serves == Serves::Kernel("live") {
            continue;
        }
        for token in bad {
            assert_eq!(ask(&world, token, route), 401, "{} with `{token:.9}`", route.path);
        }
    }
}

#[test]
fn every_route_has_a_gate_and_public_ones_say_why() {
    let world = World::new();
    let mut gated = 0;
    for route in routes(world.node()) {
        match route.gate {
            Gate::Public(reason) => assert!(reason.len() > 20, "{}", route.path),
            Gate::Action(name) => assert!(world.node().action(name).is_ok(), "{name}"),
            Gate::Reads(noun) => {
                assert!(world.node().capabilities().iter().any(|c| c.noun == noun), "{noun}");
            }
            Gate::SignedIn => {}
        }
        gated += 1;
    }
    assert!(gated > 20, "{gated} routes");
}

#[test]
fn every_action_has_a_route_or_is_a_duty() {
    let world = World::new();
    let routed: Vec<&str> = routes(world.node())
        .filter_map(|route| match route.gate {
            Gate::Action(name) => Some(name),
            Gate::Reads(_) | Gate::SignedIn | Gate::Public(_) => None,
        })
        .collect();
    for action in world.node().capabilities().iter().flat_map(|c| c.actions) {
        assert!(action.duty || routed.contains(&action.name), "{}", action.name);
    }
}

#[test]
fn a_person_without_any_role_can_do_nothing_and_break_nothing() {
    let world = World::new();
    let agency = world.agency("POL");
    let who = world.person(agency, &Being { level: 1, compartments: &[], roles: &[] });
    let token = world.token(who);
    let before = world.node().core().head.size;
    // Signing out ends the session, and asking for a challenge to sign in is anybody's right.
    let harmless = ["live", "sign-out", "sign-in-challenge", "my-credential-challenge"];
    let asked = |route: &&Route| !harmless.iter().any(|h| route.serves == Serves::Kernel(h));
    for route in routes(world.node()).filter(asked) {
        let status = ask(&world, &token, route);
        assert!(status < 500, "{} answered {status}", route.path);
        if route.method == Method::Post {
            assert!((400..=404).contains(&status), "{} answered {status}", route.path);
        }
    }
    assert_eq!(world.node().core().head.size, before, "the ledger is unchanged");
}

#[test]
fn an_id_in_the_body_beside_the_one_in_the_path_is_refused() {
    let world = World::new();
    let agency = world.agency("POL");
    let roles = &["DUTY", "ADMIN", "SIGNATORY", "HEAD"];
    let who = world.person(agency, &Being { level: 4, compartments: &[], roles });
    let token = world.token(who);
    for route in routes(world.node()) {
        let Serves::Command { id: Some(field), .. } = route.serves else { continue };
        let mut body = serde_json::Map::new();
        body.insert(field.to_owned(), json!(RecordId([2; 16])));
        let (status, _, bytes) = world.post(&token, &path(route), &Value::Object(body));
        let problem: Value = serde_json::from_slice(&bytes).expect("a problem");
        assert_eq!(
            (status.as_u16(), &problem["title"]),
            (400, &json!("mixed-ids")),
            "{}",
            route.path
        );
    }
}

#[test]
fn type_confused_ids_are_absent() {
    let world = World::new();
    let agency = world.agency("POL");
    let roles = &["DUTY", "ADMIN", "SIGNATORY", "HEAD"];
    let who = world.person(agency, &Being { level: 4, compartments: &[], roles });
    let token = world.token(who);
    let (status, _, _) = world.read(&token, &format!("/api/alerts/{}", who.person));
    assert_eq!(status, 404, "a person is no alert");
    let body = json!({ "option": 0, "note": null });
    let confused = format!("/api/alerts/{}/acknowledgements", who.person);
    assert_eq!(world.post(&token, &confused, &body).0, 404);
}

#[test]
fn a_post_needs_json_and_an_idempotency_key() {
    let world = World::new();
    let agency = world.agency("POL");
    let who = world.person(agency, &Being { level: 4, compartments: &[], roles: &["DUTY"] });
    let token = world.token(who);
    let send = |kind: &str, key: Option<&str>| {
        let mut request = axum::http::Request::builder()
            .method("POST")
            .uri("/api/alerts")
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", kind);
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        let (status, _, bytes) =
            world.http(request.body(axum::body::Body::from("{}")).expect("a request"));
        let problem: Value = serde_json::from_slice(&bytes).expect("a problem");
        (status.as_u16(), problem["title"].as_str().expect("a title").to_owned())
    };
    assert_eq!(send("text/plain", Some("k")), (400, "not-json".to_owned()));
    assert_eq!(send("application/json", None), (400, "idempotency-key-missing".to_owned()));
    let long = "k".repeat(base::limit::IDEMPOTENCY_KEY_BYTES + 1);
    assert_eq!(send("application/json", Some(&long)).1, "invalid-idempotency-key");
    let longest = "k".repeat(base::limit::IDEMPOTENCY_KEY_BYTES);
    assert_eq!(send("application/json", Some(&longest)).1, "invalid-command");
}

#[test]
fn a_cookie_counts_for_acts_from_our_own_pages_only() {
    let world = World::new();
    let agency = world.agency("POL");
    let who = world.person(agency, &Being { level: 4, compartments: &[], roles: &["DUTY"] });
    let token = world.token(who);
    let send = |site: Option<&str>| {
        let mut request = axum::http::Request::builder()
            .method("POST")
            .uri("/api/alerts")
            .header("cookie", format!("__Host-muster={token}"))
            .header("content-type", "application/json")
            .header("idempotency-key", "k");
        if let Some(site) = site {
            request = request.header("sec-fetch-site", site);
        }
        let (_, _, bytes) =
            world.http(request.body(axum::body::Body::from("{}")).expect("a request"));
        let problem: Value = serde_json::from_slice(&bytes).expect("a problem");
        problem["title"].as_str().expect("a title").to_owned()
    };
    assert_eq!(send(Some("same-origin")), "invalid-command", "it came through to the command");
    for other in [None, Some("cross-site"), Some("same-site"), Some("none")] {
        assert_eq!(send(other), "cross-site", "{other:?}");
    }
}

#[test]
fn a_body_above_its_limit_is_refused() {
    let world = World::new();
    let agency = world.agency("POL");
    let who = world.person(agency, &Being { level: 4, compartments: &[], roles: &["DUTY"] });
    let token = world.token(who);
    let big = json!({ "title": "x".repeat(base::limit::BODY_BYTES) });
    assert_eq!(world.post(&token, "/api/alerts", &big).0, 413);
}

#[test]
fn the_openapi_document_names_every_route_with_its_gate() {
    let world = World::new();
    let (status, _, bytes) = world.read("", "/api/openapi.json");
    assert_eq!(status, 200);
    let document: Value = serde_json::from_slice(&bytes).expect("json");
    for route in routes(world.node()) {
        let method = if route.method == Method::Get { "get" } else { "post" };
        let operation = &document["paths"][format!("/api{}", route.path)][method];
        let gates = ["x-action", "x-reads", "x-signed-in", "x-public"];
        let named = gates.iter().filter(|gate| operation.get(**gate).is_some()).count();
        assert_eq!(named, 1, "{}", route.path);
    }
}
