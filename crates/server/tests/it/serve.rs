//! Nodes from init to stop, and what stands in their way.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::child::{Directory, Running, run, taken};

const ANY: &str = "127.0.0.1:0";

fn made(directory: &Directory) -> String {
    let data = directory.join("node");
    let said = run(&["init", "--name", "centre.example", "--data", &data]);
    assert_eq!(said.code, Some(0), "{said:?}");
    data
}

#[test]
fn a_node_is_made_served_and_stopped() {
    let directory = Directory::new();
    let data = made(&directory);
    let file = fs::read_to_string(format!("{data}/muster.toml")).expect("a configuration");
    assert!(file.contains("name = \"centre.example\""), "{file}");
    let key = fs::metadata(format!("{data}-keys/root.key")).expect("a key");
    assert_eq!(key.permissions().mode() & 0o777, 0o600);
    let running = Running::start(&["serve", "--data", &data, "--listen", ANY]);
    let health = running.get("/api/health", &[]);
    assert_eq!((health.status, health.json()["state"].as_str()), (200, Some("deciding")));
    assert_eq!(running.get("/api/me", &[]).status, 401);
    assert!(running.stop().success());
    let again = Running::start(&["serve", "--data", &data, "--listen", ANY]);
    assert_eq!(again.get("/api/health", &[]).status, 200);
    assert!(again.stop().success());
    let said = run(&["verify", "--data", &data, "--keys", &format!("{data}-keys"), "--views"]);
    assert_eq!(said.code, Some(0), "{said:?}");
}

#[test]
fn an_empty_directory_becomes_a_node() {
    let directory = Directory::new();
    let data = directory.join("fresh");
    let running = Running::start(&["serve", "--data", &data, "--listen", ANY]);
    assert_eq!(running.get("/api/health", &[]).status, 200);
    assert!(running.stop().success());
}

#[test]
fn a_node_that_is_stopped_at_once_stops_whole() {
    let directory = Directory::new();
    let data = directory.join("node");
    for _ in 0..5 {
        let running = Running::start(&["serve", "--data", &data, "--listen", ANY]);
        assert!(running.stop().success());
    }
}

#[test]
fn init_writes_over_nothing() {
    let directory = Directory::new();
    let data = made(&directory);
    let before = fs::read(format!("{data}-keys/root.key")).expect("a key");
    let said = run(&["init", "--name", "other.example", "--data", &data]);
    assert_eq!(said.code, Some(1));
    assert!(said.err.contains("holds a node already"), "{}", said.err);
    assert_eq!(fs::read(format!("{data}-keys/root.key")).expect("a key"), before);
    let said = run(&["init", "--name", "not a host", "--data", &directory.join("b")]);
    assert!(said.err.contains("is no host name"), "{}", said.err);
}

#[test]
fn a_second_process_on_the_same_directory_is_refused() {
    let directory = Directory::new();
    let data = made(&directory);
    let running = Running::start(&["serve", "--data", &data, "--listen", ANY]);
    let said = run(&["serve", "--data", &data, "--listen", ANY]);
    assert_eq!(said.code, Some(1));
    assert!(said.err.contains("is in use by another process"), "{}", said.err);
    let said = run(&["rebuild", "--data", &data]);
    assert!(said.err.contains("is in use by another process"), "{}", said.err);
    assert!(running.stop().success());
    let said = run(&["rebuild", "--data", &data]);
    assert_eq!(said.code, Some(0), "{said:?}");
}

#[test]
fn an_address_that_is_in_use_is_named() {
    let directory = Directory::new();
    let data = made(&directory);
    let (_listener, address) = taken();
    let said = run(&["serve", "--data", &data, "--listen", &address]);
    assert_eq!(said.code, Some(1));
    assert!(said.err.contains(&format!("address {address} is in use")), "{}", said.err);
}

#[test]
fn a_place_that_cannot_hold_a_node_is_named() {
    let directory = Directory::new();
    let file = directory.join("file");
    fs::write(&file, "not a directory").expect("a file");
    let said = run(&["serve", "--data", &file, "--listen", ANY]);
    assert_eq!(said.code, Some(1));
    assert!(said.err.contains("is no directory"), "{}", said.err);
    let below = directory.join("file/below");
    let said = run(&["serve", "--data", &below, "--listen", ANY]);
    assert_eq!(said.code, Some(1));
    assert!(said.err.contains("cannot be written"), "{}", said.err);
    let said = run(&["verify", "--data", &directory.join("nothing")]);
    assert_eq!(said.code, Some(2));
    assert!(said.err.contains("cannot be read"), "{}", said.err);
}

#[test]
fn a_missing_or_exposed_key_is_named() {
    let directory = Directory::new();
    let data = made(&directory);
    let key = format!("{data}-keys/root.key");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).expect("a mode");
    let said = run(&["serve", "--data", &data, "--listen", ANY]);
    assert!(said.err.contains("can be read by other users"), "{}", said.err);
    fs::remove_file(&key).expect("a key");
    let said = run(&["serve", "--data", &data, "--listen", ANY]);
    assert_eq!(said.code, Some(1));
    assert!(said.err.contains("key `root.key` is missing"), "{}", said.err);
}

#[test]
fn an_unreachable_database_is_named_without_its_password() {
    let directory = Directory::new();
    let (listener, address) = taken();
    drop(listener);
    let url = format!("postgres://muster:hunter2@{address}/muster");
    let data = directory.join("node");
    let said = run(&["init", "--name", "a.example", "--data", &data, "--postgres", &url]);
    assert_eq!(said.code, Some(0), "{said:?}");
    let said = run(&["serve", "--data", &data, "--listen", ANY]);
    assert_eq!(said.code, Some(1));
    assert!(said.err.contains(&format!("PostgreSQL is looked for at `{address}`")), "{}", said.err);
    assert!(!said.err.contains("hunter2"), "{}", said.err);
}

#[test]
fn another_address_than_loopback_needs_tls() {
    let directory = Directory::new();
    let data = made(&directory);
    fs::remove_file(format!("{data}-keys/tls/node.pem")).expect("a certificate");
    let said = run(&["serve", "--data", &data, "--listen", "0.0.0.0:0"]);
    assert_eq!(said.code, Some(1));
    assert!(said.err.contains("node.pem` is missing"), "{}", said.err);
}

#[test]
fn a_setting_that_does_not_exist_is_named() {
    let directory = Directory::new();
    let data = made(&directory);
    let file = format!("{data}/muster.toml");
    let text = fs::read_to_string(&file).expect("a configuration");
    fs::write(&file, format!("lisen = 1\n{text}")).expect("a file");
    let said = run(&["serve", "--data", &data, "--listen", ANY]);
    assert!(said.err.contains("lisen"), "{}", said.err);
}

#[test]
fn pages_have_strict_headers_and_unknown_files_are_not_found() {
    let directory = Directory::new();
    let running = Running::start(&["serve", "--data", &directory.join("node"), "--listen", ANY]);
    for path in ["/", "/alerts", "/assets/none.js", "/api/health", "/api/none"] {
        let answer = running.get(path, &[]);
        let policy = answer.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'; script-src 'self';"), "{path}: {policy}");
        assert!(policy.contains("require-trusted-types-for 'script'"), "{path}: {policy}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("referrer-policy"), "no-referrer", "{path}");
        assert_eq!(answer.header("cross-origin-opener-policy"), "same-origin", "{path}");
        assert_eq!(answer.header("cross-origin-resource-policy"), "same-origin", "{path}");
        assert!(answer.header("permissions-policy").contains("geolocation=()"), "{path}");
    }
    assert_eq!(running.get("/assets/none.js", &[]).status, 404);
    let unknown = running.get("/api/none", &[]);
    assert_eq!(unknown.header("content-type"), "application/problem+json");
    // Every address of the client is the same page, whether this build has a client or not.
    let (index, deep) = (running.get("/", &[]), running.get("/alerts/anything", &[]));
    assert_eq!((index.status, &index.body), (deep.status, &deep.body));
    assert!(index.header("content-type").starts_with("text/html"));
    assert_eq!(running.post("/", &[], "").status, 405);
    for path in ["/demo", "/demo/sign-in?token=00"] {
        assert_eq!(running.get(path, &[]).status, 404, "{path} exists outside a demonstration");
    }
    let authority = running.get("/ca.pem", &[]);
    assert!(authority.body.starts_with("-----BEGIN CERTIFICATE-----"), "{}", authority.body);
    let counters = running.get("/metrics", &[]).body;
    assert!(counters.contains("muster_ledger_entries 0\n"), "{counters}");
    assert!(counters.contains("muster_lane_waiting{lane=\"alert\"} 0\n"), "{counters}");
    assert!(running.stop().success());
}

#[test]
fn the_api_document_ends_in_a_line_break() {
    let said = run(&["openapi"]);
    assert_eq!(said.code, Some(0));
    assert!(said.out.ends_with("}\n"));
    let document: serde_json::Value = serde_json::from_str(&said.out).expect("JSON");
    assert_eq!(document["openapi"], "3.1.0");
    assert!(document["paths"]["/api/alerts"].is_object());
}

#[test]
fn a_wrong_command_line_ends_with_2() {
    assert_eq!(run(&["serve", "--lisen", ANY]).code, Some(2));
    assert_eq!(run(&["init"]).code, Some(2));
    assert_eq!(run(&[]).code, Some(2));
}
