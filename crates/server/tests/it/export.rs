//! Export of what an account may read, and backup beside a running node, on the demonstration.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::Value;

use crate::child::{Directory, Running, run};
use crate::demo::{read, sign_in};

/// What an export wrote, after its sums were held against its files.
fn manifest(out: &str) -> Value {
    let text = fs::read_to_string(format!("{out}/manifest.json")).expect("a manifest");
    let manifest: Value = serde_json::from_str(&text).expect("JSON");
    for file in manifest["files"].as_array().expect("files") {
        let path = format!("{out}/{}", file["path"].as_str().expect("a path"));
        let bytes = fs::read(&path).expect("the file");
        assert_eq!(file["bytes"], bytes.len(), "{path}");
        let sum = base::crypto::sha256(&bytes).to_string();
        assert_eq!(file["sha256"], Value::String(sum), "{path}");
        let mode = fs::metadata(&path).expect("it").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{path}");
    }
    assert!(!fs::exists(format!("{out}/progress.json")).expect("looked"));
    manifest
}

fn ids(out: &str, kind: &str) -> Vec<String> {
    let text = fs::read_to_string(format!("{out}/{kind}.jsonl")).expect("a file of records");
    let record = |line: &str| -> Value { serde_json::from_str(line).expect("JSON") };
    let mut ids: Vec<String> = Vec::new();
    for line in text.lines() {
        let record = record(line);
        assert!(record["layers"][0]["label"].is_object(), "each line keeps its label: {record}");
        ids.push(record["id"].as_str().expect("an id").to_owned());
    }
    ids.sort();
    ids
}

fn listed(running: &Running, cookie: &str, path: &str) -> Vec<String> {
    let (mut ids, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = read(running, cookie, &format!("{path}?limit=50{cursor}"));
        for record in page["items"].as_array().expect("records") {
            ids.push(record["id"].as_str().expect("an id").to_owned());
        }
        let Some(next) = page["next"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    ids.sort();
    ids
}

/// The demonstration goes on meanwhile: what was listed before is exported, and nothing that is not
/// listed after.
fn between(before: &[String], exported: &[String], after: &[String]) {
    assert!(before.iter().all(|id| exported.contains(id)), "{before:?} {exported:?}");
    assert!(exported.iter().all(|id| after.contains(id)), "{exported:?} {after:?}");
    assert!(!exported.is_empty());
}

#[test]
fn an_account_exports_what_it_may_read_and_nothing_else() {
    let directory = Directory::new();
    let data = directory.join("demo");
    let running = Running::start(&["demo", "--data", &data, "--listen", "127.0.0.1:0"]);
    let server = format!("http://{}", running.address);
    let token = |seat: &str, file: &str| {
        let cookie = sign_in(&running, seat);
        let path = directory.join(file);
        let token = cookie.strip_prefix("__Host-muster=").expect("a token");
        fs::write(&path, token).expect("written");
        (cookie, path)
    };
    let (police, police_token) = token("POLICE: Duty officer", "police");
    let (partner, partner_token) = token("EST: Liaison officer", "partner");
    let (out, other) = (directory.join("out"), directory.join("other"));
    let export = |token: &str, out: &str, more: &[&str]| {
        run(&[&["export", "--server", &server, "--token", token, "--out", out], more].concat())
    };
    let before = listed(&running, &police, "/api/alerts");
    let said = export(&police_token, &out, &["--kind", "alert", "--kind", "entity"]);
    assert_eq!(said.code, Some(0), "{said:?}");
    assert_eq!(manifest(&out)["files"].as_array().map(Vec::len), Some(3));
    between(&before, &ids(&out, "alert"), &listed(&running, &police, "/api/alerts"));
    let bundle = fs::read_to_string(format!("{out}/entity.stix.json")).expect("a bundle");
    let bundle: Value = serde_json::from_str(&bundle).expect("JSON");
    let objects = bundle["objects"].as_array().expect("objects");
    assert_eq!(bundle["type"], "bundle");
    assert!(objects.iter().all(|object| object["id"].is_string()), "{objects:?}");
    // Never over what is there, and never what the account does not read.
    let again = export(&police_token, &out, &[]);
    assert!(again.code == Some(1) && again.err.contains("is not empty"), "{again:?}");
    let before = listed(&running, &partner, "/api/agreements");
    let said = export(&partner_token, &other, &[]);
    assert_eq!(said.code, Some(0), "{said:?}");
    let whole = manifest(&other);
    assert!(whole["files"].as_array().map(Vec::len) > Some(10), "{whole}");
    let after = listed(&running, &partner, "/api/agreements");
    between(&before, &ids(&other, "agreement"), &after);
    let alerts = listed(&running, &partner, "/api/alerts");
    assert!(ids(&other, "alert").iter().all(|id| alerts.contains(id)), "{alerts:?}");
    assert_eq!(ids(&other, "agreement").len(), 2, "of the others it does not learn");
    let wrong = directory.join("wrong");
    fs::write(&wrong, "AAAA").expect("written");
    let none = directory.join("none");
    let said = export(&wrong, &none, &[]);
    assert!(said.code == Some(1) && said.err.contains("does not know this token"), "{said:?}");
    assert!(!fs::exists(format!("{none}/manifest.json")).expect("looked"));
    let said = export(&wrong, &none, &["--continue"]);
    assert_eq!(said.code, Some(1), "{said:?}");
    let said = export(&police_token, &none, &["--continue", "--kind", "alert"]);
    assert_eq!(said.code, Some(0), "it goes on where it was cut off: {said:?}");
    between(&ids(&out, "alert"), &ids(&none, "alert"), &listed(&running, &police, "/api/alerts"));
    let said = export(&police_token, &directory.join("no"), &["--kind", "nothing"]);
    assert!(said.err.contains("no kind is named `nothing`"), "{said:?}");
    the_open_minute_is_in_a_backup(&directory, &data);
    assert!(running.stop().success());
}

/// Rows of the access log that are in no leaf yet go with a backup that is taken meanwhile.
fn the_open_minute_is_in_a_backup(directory: &Directory, data: &str) {
    let (backup, restored) = (directory.join("backup"), directory.join("restored"));
    let keys = format!("{data}-keys");
    let said = run(&["backup", "--data", data, "--to", &backup]);
    assert_eq!(said.code, Some(0), "{said:?}");
    let said = run(&["restore", "--from", &backup, "--data", &restored, "--keys", &keys]);
    assert_eq!(said.code, Some(0), "{said:?}");
    let said = run(&["verify", "--data", &restored, "--keys", &keys]);
    assert_eq!(said.code, Some(0), "{said:?}");
    let line = said.out.lines().find(|line| line.contains("not in a leaf yet")).expect("a line");
    let rows = line.split_whitespace().nth(1).and_then(|rows| rows.parse::<u64>().ok());
    assert!(rows > Some(0), "{line}");
}
