//! The demonstration: the play to its end, and a visitor's first minutes.

use serde_json::{Value, json};
use testkit::postgres::TemporaryPostgres;

use crate::child::{Directory, Running, Said, run};

const ANY: &str = "127.0.0.1:0";

/// The session token that a sign-in link gives, as a cookie.
pub fn sign_in(running: &Running, seat: &str) -> String {
    let line = running.before.iter().find(|line| line.trim().starts_with(seat));
    let line = line.unwrap_or_else(|| panic!("no link for {seat}: {:?}", running.before));
    let path = line.split_once("/demo/").expect("a link").1;
    let answer = running.get(&format!("/demo/{path}"), &[]);
    assert_eq!((answer.status, answer.header("location")), (303, "/"));
    let cookie = answer.header("set-cookie");
    for attribute in ["; Path=/", "; Secure", "; HttpOnly", "; SameSite=Strict"] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    assert!(cookie.starts_with("__Host-muster="), "{cookie}");
    cookie.split(';').next().expect("a cookie").to_owned()
}

pub fn read(running: &Running, cookie: &str, path: &str) -> Value {
    let answer = running.get(path, &[("cookie", cookie)]);
    assert_eq!(answer.status, 200, "{path}: {}", answer.body);
    answer.json()
}

/// Asserts that a performance went as it must.
fn went(said: &Said) {
    assert_eq!(said.code, Some(0), "{said:?}");
    for part in ["the deputy is called for BORDER", "last obliged screen", "held", "refusals"] {
        assert!(said.out.contains(part), "{part}: {}", said.out);
    }
    assert!(!said.out.contains("NOT HELD"), "{}", said.out);
}

#[test]
fn the_play_goes_as_it_must_and_again_on_the_same_node() {
    let directory = Directory::new();
    let data = directory.join("demo");
    for _ in 0..2 {
        went(&run(&["demo", "--once", "--data", &data]));
    }
}

#[test]
fn the_play_goes_as_it_must_on_postgresql() {
    let postgres = TemporaryPostgres::shared().expect("PostgreSQL");
    let url = postgres.new_database().expect("a database");
    went(&run(&["demo", "--once", "--postgres", &url]));
}

#[test]
fn a_visitor_signs_in_by_a_link_and_acts() {
    let directory = Directory::new();
    let data = directory.join("demo");
    let running = Running::start(&["demo", "--data", &data, "--listen", ANY, "--speed", "1"]);
    assert!(running.before.iter().any(|line| line.starts_with("address  http://localhost:")));
    let police = sign_in(&running, "POLICE: Duty officer");
    let me = read(&running, &police, "/api/me");
    assert_eq!((&me["name"], &me["key_provider"]), (&json!("Oskari Vanamo"), &json!("file")));
    assert!(me["roles"].as_array().expect("roles").contains(&json!("DUTY")));
    let agencies = read(&running, &police, "/api/agencies");
    assert_eq!(agencies["total"], 10);
    assert!(read(&running, &police, "/api/people")["total"].as_u64() >= Some(120));
    // The police are a party to these; of the others they do not learn.
    let agreements = read(&running, &police, "/api/agreements")["total"].clone();
    assert_eq!(agreements, 8);
    let partner = sign_in(&running, "EST: Liaison officer");
    assert_eq!(read(&running, &partner, "/api/agreements")["total"], 2);
    assert!(read(&running, &partner, "/api/alerts")["total"].as_u64() >= Some(1));
    cookies_act_only_from_our_own_pages(&running, &police);
    assert_eq!(running.get("/demo/sign-in?token=00", &[]).status, 401);
    assert_eq!(running.get("/api/me", &[("cookie", "__Host-muster=AAAA")]).status, 401);
    assert!(running.stop().success());
    let said = run(&["verify", "--data", &data, "--keys", &format!("{data}-keys"), "--views"]);
    assert_eq!(said.code, Some(0), "{said:?}");
    // What was founded stays; the next start has other links to the same people.
    let again = Running::start(&["demo", "--data", &data, "--listen", ANY]);
    let police = sign_in(&again, "POLICE: Duty officer");
    assert_eq!(read(&again, &police, "/api/agencies")["total"], 10);
    assert!(again.stop().success());
}

fn cookies_act_only_from_our_own_pages(running: &Running, cookie: &str) {
    let agencies = read(running, cookie, "/api/agencies");
    let fire = agencies["items"]
        .as_array()
        .expect("agencies")
        .iter()
        .find(|agency| agency["layers"][0]["body"]["code"] == "FIRE");
    let command = json!({
        "markings": { "NAT": { "level": 2, "compartments": [] } }, "precedence": "ROUTINE",
        "title": "Test of the line", "text": "Please answer.",
        "audience": [fire.expect("the fire service")["id"]], "options": ["heard"]
    })
    .to_string();
    let base = [("cookie", cookie), ("content-type", "application/json"), ("idempotency-key", "k")];
    let foreign = [&base[..], &[("sec-fetch-site", "cross-site")]].concat();
    assert_eq!(running.post("/api/alerts", &foreign, &command).status, 403);
    let own = [&base[..], &[("sec-fetch-site", "same-origin")]].concat();
    let accepted = running.post("/api/alerts", &own, &command);
    assert_eq!(accepted.status, 201, "{}", accepted.body);
    let again = running.post("/api/alerts", &own, &command);
    assert_eq!(again.json()["entry"], accepted.json()["entry"], "the same key is the same act");
}

#[test]
fn a_node_that_is_no_demonstration_is_left_alone() {
    let directory = Directory::new();
    let data = directory.join("node");
    assert_eq!(run(&["init", "--name", "a.example", "--data", &data]).code, Some(0));
    let said = run(&["demo", "--once", "--data", &data]);
    assert_eq!(said.code, Some(1));
    assert!(said.err.contains("is no demonstration"), "{}", said.err);
}
