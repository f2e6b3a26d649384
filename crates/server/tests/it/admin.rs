//! What the operator of the machine does: status, recovery, certificate.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};

use crate::child::{Directory, Running, Said, muster, run};

const EVERYWHERE: &str = "0.0.0.0:0";
/// Handshakes tried until a new certificate is in use.
const HANDSHAKES_MAX: u32 = 200_000;
const HOST: &str = "centre.example";

fn made(directory: &Directory) -> String {
    let data = directory.join("node");
    let said = run(&["init", "--name", HOST, "--also", "10.1.2.3", "--data", &data]);
    assert_eq!(said.code, Some(0), "{said:?}");
    data
}

/// Replaces the node's certificate by one of its own authority that ends in `days`.
fn shortened(data: &str, days: i64) {
    let tls = format!("{data}-keys/tls");
    let now = time::OffsetDateTime::now_utc();
    let key = fs::read_to_string(format!("{tls}/ca.key")).expect("a key");
    let key = rcgen::KeyPair::from_pem(&key).expect("a key");
    let mut authority = rcgen::CertificateParams::new(Vec::new()).expect("parameters");
    authority.distinguished_name = rcgen::DistinguishedName::new();
    let subject = format!("Muster authority of {HOST}");
    authority.distinguished_name.push(rcgen::DnType::CommonName, subject);
    let issuer = rcgen::Issuer::from_params(&authority, &key);
    let names = vec![HOST.to_owned(), "10.1.2.3".to_owned()];
    let mut leaf = rcgen::CertificateParams::new(names).expect("parameters");
    leaf.distinguished_name = rcgen::DistinguishedName::new();
    leaf.distinguished_name.push(rcgen::DnType::CommonName, HOST);
    leaf.not_before = now - time::Duration::days(300);
    leaf.not_after = now + time::Duration::days(days);
    leaf.use_authority_key_identifier_extension = true;
    let key = rcgen::KeyPair::generate().expect("a key");
    let leaf = leaf.signed_by(&key, &issuer).expect("a certificate");
    fs::write(format!("{tls}/node.key"), key.serialize_pem()).expect("written");
    fs::write(format!("{tls}/node.pem"), leaf.pem()).expect("written");
}

fn file(data: &str, name: &str) -> Vec<u8> {
    fs::read(format!("{data}-keys/tls/{name}")).expect("a file")
}

fn shown(data: &str) -> Vec<u8> {
    CertificateDer::from_pem_slice(&file(data, "node.pem")).expect("a certificate").to_vec()
}

/// A session with a node, of whoever trusts its authority and nobody else.
fn session(running: &Running, data: &str) -> (rustls::ClientConnection, TcpStream) {
    let mut roots = rustls::RootCertStore::empty();
    let authority = CertificateDer::from_pem_slice(&file(data, "ca.pem")).expect("an authority");
    roots.add(authority).expect("trusted");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("TLS 1.3")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from(HOST).expect("a name");
    let mut session = rustls::ClientConnection::new(Arc::new(config), name).expect("a session");
    let address = ("127.0.0.1", running.address.port());
    let mut tcp = TcpStream::connect(address).expect("a connection");
    while session.is_handshaking() {
        session.complete_io(&mut tcp).expect("a handshake");
    }
    (session, tcp)
}

/// The certificate that a node shows.
fn presented(running: &Running, data: &str) -> Vec<u8> {
    let (session, _tcp) = session(running, data);
    session.peer_certificates().and_then(|chain| chain.first()).expect("a leaf").to_vec()
}

/// The counters of a node that speaks TLS.
fn running_metrics(running: &Running, data: &str) -> String {
    let (session, tcp) = session(running, data);
    let mut stream = rustls::StreamOwned::new(session, tcp);
    stream.write_all(b"GET /metrics HTTP/1.0\r\nHost: centre.example\r\n\r\n").expect("asked");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    answer
}

fn days_left(data: &str) -> i64 {
    let said = run(&["admin", "certificate", "--data", data]);
    assert_eq!(said.code, Some(0), "{said:?}");
    let line = said.out.lines().next().expect("a line").to_owned();
    let (_, rest) = line.rsplit_once(", in ").expect("an end");
    rest.trim_end_matches(" days").parse().expect("a number")
}

#[test]
fn a_certificate_near_its_end_is_renewed_at_the_start() {
    let directory = Directory::new();
    let data = made(&directory);
    shortened(&data, 29);
    assert_eq!(days_left(&data), 28, "a part of a day less");
    let old = shown(&data);
    let running = Running::start(&["serve", "--data", &data, "--listen", EVERYWHERE]);
    let presented = presented(&running, &data);
    assert_ne!(presented, old);
    assert_eq!(presented, shown(&data), "the one that lies in the file");
    assert!(days_left(&data) > 390, "{}", days_left(&data));
    assert!(running.stop().success());
    let said = run(&["admin", "certificate", "--data", &data]);
    assert!(said.out.contains("centre.example, 10.1.2.3"), "the same names: {said:?}");
    let key = format!("{data}-keys/tls/node.key");
    let mode =
        std::os::unix::fs::PermissionsExt::mode(&fs::metadata(key).expect("it").permissions());
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_certificate_with_time_left_is_not_renewed() {
    let directory = Directory::new();
    let data = made(&directory);
    shortened(&data, 40);
    let old = shown(&data);
    let running = Running::start(&["serve", "--data", &data, "--listen", EVERYWHERE]);
    assert_eq!(presented(&running, &data), old);
    assert_eq!(shown(&data), old);
}

#[test]
fn a_running_node_takes_a_renewed_certificate_into_use() {
    let directory = Directory::new();
    let data = made(&directory);
    let old = shown(&data);
    let running = Running::start(&["serve", "--data", &data, "--listen", EVERYWHERE]);
    assert_eq!(presented(&running, &data), old);
    let said = run(&["admin", "certificate", "--data", &data, "--renew"]);
    assert_eq!(said.code, Some(0), "{said:?}");
    let new = shown(&data);
    assert_ne!(new, old);
    // It looks every few seconds; a handshake takes about a millisecond.
    let in_use = (0..HANDSHAKES_MAX).any(|_| presented(&running, &data) == new);
    assert!(in_use, "the new certificate is not in use");
    let beside = fs::exists(format!("{data}-keys/tls/node.pem.new")).expect("looked");
    assert!(!beside, "nothing is left beside it");
    let counters = running_metrics(&running, &data);
    let line = counters.lines().find(|line| line.starts_with("muster_certificate_seconds_left "));
    let left = line.and_then(|line| line.split(' ').nth(1)).and_then(|s| s.parse::<u64>().ok());
    assert!(left > Some(390 * 24 * 3600), "{line:?}");
    assert!(running.stop().success());
}

#[test]
fn a_renewal_that_was_cut_off_is_ended_or_forgotten() {
    let directory = Directory::new();
    let data = made(&directory);
    let (pem, key) = (file(&data, "node.pem"), file(&data, "node.key"));
    shortened(&data, 200);
    let old = shown(&data);
    let tls = format!("{data}-keys/tls");
    // Cut off before anything moved: both new files lie there.
    fs::write(format!("{tls}/node.key.new"), &key).expect("written");
    fs::write(format!("{tls}/node.pem.new"), b"half").expect("written");
    let running = Running::start(&["serve", "--data", &data, "--listen", EVERYWHERE]);
    assert_eq!(presented(&running, &data), old);
    assert!(running.stop().success());
    // Cut off between the two: the key is the new one, the certificate still the old one.
    fs::write(format!("{tls}/node.key"), &key).expect("written");
    fs::write(format!("{tls}/node.pem.new"), &pem).expect("written");
    let running = Running::start(&["serve", "--data", &data, "--listen", EVERYWHERE]);
    assert_ne!(presented(&running, &data), old);
    assert_eq!(file(&data, "node.pem"), pem);
    let _fits = PrivateKeyDer::from_pem_slice(&file(&data, "node.key")).expect("a key");
}

#[test]
fn status_reads_beside_a_running_node_and_writes_nothing() {
    let directory = Directory::new();
    let data = made(&directory);
    let told = |said: Said| -> serde_json::Value {
        assert_eq!(said.code, Some(0), "{said:?}");
        serde_json::from_str(&said.out).expect("JSON")
    };
    let asked = ["admin", "status", "--data", &data, "--json"];
    assert_eq!(told(run(&asked))["state"], "never started");
    assert!(!fs::exists(format!("{data}/store")).expect("looked"), "nothing was made");
    let running = Running::start(&["serve", "--data", &data, "--listen", "127.0.0.1:0"]);
    let status = told(run(&asked));
    assert_eq!(status["state"], "has a log");
    assert_eq!(status["origin"], "centre.example/muster/acts");
    assert_eq!(status["keys"].as_array().map(Vec::len), Some(6));
    assert_eq!(status["last_backup"], serde_json::Value::Null);
    assert!(running.stop().success());
    let to = directory.join("backup");
    assert_eq!(run(&["backup", "--data", &data, "--to", &to]).code, Some(0));
    assert!(told(run(&asked))["last_backup"]["at"].is_string());
    let said = run(&["admin", "status", "--data", &data]);
    assert!(said.out.contains("origin       centre.example/muster/acts"), "{said:?}");
}

#[test]
fn nobody_is_recovered_beside_a_running_node_or_in_an_agency_that_is_not_there() {
    let directory = Directory::new();
    let data = made(&directory);
    let id = "5b0e7a52-8f3d-4d6c-9a1e-2c7f40b6d913";
    let other = "9d2e6b18-54c7-4a03-b6f1-e8705c3a9d42";
    let asked = ["admin", "recover", "--data", &data, "--agency", "POL", "--person", id];
    let running = Running::start(&["serve", "--data", &data, "--listen", "127.0.0.1:0"]);
    let both = || muster(&asked).args(["--person", other]).output().expect("it runs");
    let refused = both();
    assert_eq!(refused.status.code(), Some(1));
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(said.contains("stop the node"), "{said}");
    assert!(running.stop().success());
    let refused = both();
    assert_eq!(refused.status.code(), Some(1));
    assert!(refused.stdout.is_empty(), "no code is told");
}
