//! Letters of webhooks on real sockets: to what is listed and nowhere else, whole and signed.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver as Heard, channel};

use app::kernel::Fault;
use app::webhooks::address::{listed, public};
use app::webhooks::{Address, Courier, Letter};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use serde_json::json;
use testkit::World;
use testkit::world::{Being, marking};

use crate::child::{Directory, PATIENCE};
use crate::courier::{Allowed, Outside, Receiver, WebhooksSection, carry};

/// A request as a receiver hears it.
struct Request {
    line: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Request {
    fn read(stream: &mut impl Read) -> Option<Self> {
        let mut reader = BufReader::new(stream);
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).ok().filter(|count| *count > 0)?;
            let line = line.trim_end().to_owned();
            if line.is_empty() {
                break;
            }
            lines.push(line);
        }
        let line = lines.first().cloned()?;
        let headers: Vec<(String, String)> = lines
            .iter()
            .skip(1)
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect();
        let length = headers.iter().find(|(name, _)| name == "content-length");
        let mut body = vec![0; length?.1.parse().ok()?];
        reader.read_exact(&mut body).ok()?;
        Some(Self { line, headers, body })
    }

    fn header(&self, name: &str) -> &str {
        &self.headers.iter().find(|(known, _)| known == name).expect("a header").1
    }
}

/// A receiver on this machine that answers everything alike.
fn receiver(answer: &'static str) -> (SocketAddr, Heard<Request>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let (heard, requests) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let Some(request) = Request::read(&mut stream) else { continue };
            let _gone = stream.write_all(answer.as_bytes());
            if heard.send(request).is_err() {
                return;
            }
        }
    });
    (address, requests)
}

fn outside(allow: Vec<Allowed>) -> Outside {
    Outside::new(&WebhooksSection { allow }).expect("a list")
}

fn host(text: impl ToString) -> Allowed {
    Allowed::Host(text.to_string())
}

fn letter(url: &str) -> Letter {
    let headers = vec![("webhook-id", "msg_1".to_owned())];
    Letter { to: Address::parse(url).expect("an address"), headers, body: b"{}".to_vec() }
}

fn slug(outcome: Result<u16, Fault>) -> &'static str {
    outcome.expect_err("refused").code.slug
}

const TAKEN: &str = "HTTP/1.1 204 No Content\r\n\r\n";

#[test]
fn a_letter_arrives_whole_and_its_status_is_told() {
    let answer = "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 202 Accepted\r\n\r\nbody";
    let (address, heard) = receiver(answer);
    let courier = outside(vec![host(address)]);
    let status = courier.send(&letter(&format!("http://{address}/alerts?of=us"))).expect("sent");
    assert_eq!(status, 202);
    let request = heard.recv_timeout(PATIENCE).expect("a request");
    assert_eq!(request.line, "POST /alerts?of=us HTTP/1.1");
    assert_eq!(request.header("host"), address.to_string());
    assert_eq!((request.header("webhook-id"), &*request.body), ("msg_1", &b"{}"[..]));
    assert!(!request.headers.iter().any(|(name, _)| name == "authorization" || name == "cookie"));
}

#[test]
fn what_is_not_listed_is_never_connected_to() {
    let (address, heard) = receiver(TAKEN);
    let url = format!("http://{address}/");
    assert_eq!(slug(outside(vec![]).send(&letter(&url))), "webhook-not-listed");
    let other = SocketAddr::new(address.ip(), address.port() ^ 1);
    let courier = outside(vec![host(other), host(format!("localhost:{}", address.port()))]);
    assert_eq!(slug(courier.send(&letter(&url))), "webhook-not-listed");
    for url in ["https://169.254.169.254/latest", "https://10.0.0.1/", "https://[fe80::1]/"] {
        assert_eq!(slug(courier.send(&letter(url))), "webhook-not-listed", "{url}");
    }
    assert!(heard.try_recv().is_err());
}

#[test]
fn a_name_that_stands_for_an_address_of_this_machine_is_refused_unless_that_is_listed() {
    let directory = Directory::new();
    let (address, ca) = secure_receiver(&directory);
    let to = format!("localhost:{}", address.port());
    let url = format!("https://{to}/");
    let of = |addresses: &[&str]| {
        let addresses: BTreeSet<IpAddr> =
            addresses.iter().map(|ip| ip.parse().expect("ip")).collect();
        let ca = Some(ca.clone());
        outside(vec![Allowed::Receiver(Receiver { to: to.clone(), ca, addresses })])
    };
    assert_eq!(slug(of(&[]).send(&letter(&url))), "webhook-address-refused");
    assert_eq!(slug(of(&["10.1.2.3"]).send(&letter(&url))), "webhook-address-refused");
    assert_eq!(of(&["127.0.0.1"]).send(&letter(&url)).expect("sent"), 204);
}

#[test]
fn addresses_of_a_machine_a_local_network_and_special_uses_are_not_public() {
    for ip in [
        "127.0.0.1",
        "10.0.0.1",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "192.0.0.8",
        "198.18.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "192.0.2.1",
        "::1",
        "::",
        "fe80::1",
        "fc00::1",
        "fd00:ec2::254",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::a00:1",
        "2002:7f00:1::",
        "2001:db8::1",
        "2001::1",
        "::7f00:1",
    ] {
        assert!(!public(ip.parse().expect("an address")), "{ip}");
    }
    for ip in ["8.8.8.8", "172.32.0.1", "100.128.0.1", "2a00:1450::1", "2001:4860::8888"] {
        assert!(public(ip.parse().expect("an address")), "{ip}");
    }
}

#[test]
fn an_address_that_a_resolver_would_guess_at_is_none() {
    for url in [
        "ftp://hooks.example/",
        "hooks.example",
        "http://hooks.example/",
        "http://10.0.0.1/",
        "https://user@hooks.example/",
        "https://hooks.example@127.0.0.1/",
        "https://127.1/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0x7f.1/",
        "https://hooks.example:0/",
        "https://hooks.example:65536/",
        "https://hooks.example:+443/",
        "https:///x",
        "https://a b/",
        "https://hooks.example/#x",
        "https://hooks.example\\@x/",
        "https://[::1/",
        "https://hö.example/",
        "https://-a.example/",
        "https://a..example/",
        "https://hooks.example./",
        "http://localhost/",
        "https://hooks.example/\r\nX: y",
    ] {
        let fault = Address::parse(url).map(|_| ()).expect_err(url);
        assert_eq!(fault.code.slug, "webhook-url", "{url}");
    }
    let long = |bytes: usize| format!("https://hooks.example/{}", "x".repeat(bytes - 22));
    assert!(Address::parse(&long(512)).is_ok() && Address::parse(&long(513)).is_err());
    let address = Address::parse("https://Hooks.Example?x=1").expect("an address");
    assert_eq!((address.authority(), address.path), ("hooks.example:443".into(), "/?x=1".into()));
    assert_eq!(listed("[::1]:9000").expect("listed"), "[::1]:9000");
    assert!(listed("hooks.example").is_err(), "an operator names the port");
}

#[test]
fn a_redirect_is_told_and_not_followed() {
    let (target, elsewhere) = receiver(TAKEN);
    let answer = format!("HTTP/1.1 307 Temporary Redirect\r\nLocation: http://{target}/\r\n\r\n");
    let (address, heard) = receiver(answer.leak());
    let courier = outside(vec![host(address), host(target)]);
    assert_eq!(courier.send(&letter(&format!("http://{address}/"))).expect("a status"), 307);
    heard.recv_timeout(PATIENCE).expect("a request");
    assert!(elsewhere.try_recv().is_err());
}

#[test]
fn what_is_no_answer_of_http_and_nobody_there_are_told_apart() {
    let (address, _heard) = receiver("SSH-2.0-x\r\n");
    let url = format!("http://{address}/");
    assert_eq!(slug(outside(vec![host(address)]).send(&letter(&url))), "webhook-answer");
    let free = TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a port");
    let courier = outside(vec![host(free)]);
    assert_eq!(slug(courier.send(&letter(&format!("http://{free}/")))), "webhook-unreachable");
}

/// A receiver over TLS for `localhost`, and the file of its authority.
fn secure_receiver(directory: &Directory) -> (SocketAddr, PathBuf) {
    let mut authority = CertificateParams::new(Vec::<String>::new()).expect("parameters");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority_key = KeyPair::generate().expect("a key");
    let certificate = authority.self_signed(&authority_key).expect("a certificate");
    let key = KeyPair::generate().expect("a key");
    let leaf = CertificateParams::new(vec!["localhost".to_owned()]).expect("parameters");
    let issuer = Issuer::from_params(&authority, &authority_key);
    let leaf = leaf.signed_by(&key, &issuer).expect("a certificate");
    let file = PathBuf::from(directory.join("authority.pem"));
    fs::write(&file, certificate.pem()).expect("written");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let private = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der().clone()], private)
        .expect("a certificate");
    let (config, listener) = (Arc::new(config), TcpListener::bind("127.0.0.1:0").expect("a port"));
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(stream) = stream else { return };
            serve_tls(&config, stream);
        }
    });
    (address, file)
}

fn serve_tls(config: &Arc<rustls::ServerConfig>, stream: TcpStream) {
    let session = rustls::ServerConnection::new(Arc::clone(config)).expect("a session");
    let mut stream = rustls::StreamOwned::new(session, stream);
    if Request::read(&mut stream).is_some() {
        let _gone = stream.write_all(TAKEN.as_bytes());
        stream.conn.send_close_notify();
        let _gone = stream.flush();
    }
}

#[test]
fn a_receiver_is_known_by_the_certificate_that_was_listed_for_it() {
    let (own, other) = (Directory::new(), Directory::new());
    let (address, ca) = secure_receiver(&own);
    let (_, wrong) = secure_receiver(&other);
    let to = format!("localhost:{}", address.port());
    let url = format!("https://{to}/");
    let send = |to: String, ca: Option<PathBuf>, url: &str| {
        let addresses = BTreeSet::from([address.ip()]);
        outside(vec![Allowed::Receiver(Receiver { to, ca, addresses })]).send(&letter(url))
    };
    assert_eq!(send(to.clone(), Some(ca.clone()), &url).expect("sent"), 204);
    assert_eq!(slug(send(to.clone(), Some(wrong), &url)), "webhook-untrusted");
    assert_eq!(slug(send(to.clone(), None, &url)), "webhook-no-certificate");
    let by_address = format!("https://{address}/");
    let named_otherwise = send(address.to_string(), Some(ca), &by_address);
    assert_eq!(slug(named_otherwise), "webhook-untrusted", "the certificate is for `localhost`");
    assert!(Outside::new(&WebhooksSection { allow: vec![host("no-port.example")] }).is_err());
}

#[test]
fn an_alert_reaches_a_receiver_that_verifies_its_signature() {
    let (address, heard) = receiver(TAKEN);
    let world = World::new();
    let agency = world.agency("AMB");
    let admin =
        world.person(agency, &Being { level: 3, compartments: &[], roles: &["ADMIN", "DUTY"] });
    carry(world.node(), outside(vec![host(address)])).expect("threads");
    let token = world.token(admin);
    let post = |path: &str, body: serde_json::Value| {
        let (status, _, bytes) = world.post(&token, path, &body);
        let answer: serde_json::Value = serde_json::from_slice(&bytes).expect("json");
        assert!(status.is_success(), "{path}: {answer}");
        answer
    };
    let account = post(
        "/api/services",
        json!({
            "name": "Dispatch", "token": base::crypto::sha256(b"token"), "actions": [],
            "kinds": ["alert"], "roles": ["DUTY"], "markings": marking(1, &[]),
            "clearance": { "schemes": { "NAT": { "level": 2, "compartments": [] } } },
            "expires_at": world.node().play_now().plus_s(86_400)
        }),
    );
    let hook = post(
        "/api/webhooks",
        json!({
            "service": account["record"], "url": format!("http://{address}/alerts"),
            "markings": marking(1, &[])
        }),
    );
    let path = format!("/api/webhooks/{}", hook["record"].as_str().expect("an id"));
    let secret = post(&format!("{path}/secret"), json!({}));
    let ping = post(&format!("{path}/ping"), json!({}));
    assert_eq!((&ping["delivered"], &ping["status"]), (&json!(true), &json!(204)), "{ping}");
    let request = heard.recv_timeout(PATIENCE).expect("a test");
    assert!(String::from_utf8_lossy(&request.body).contains("\"ping\""));
    post(
        "/api/alerts",
        json!({
            "markings": marking(2, &[]), "precedence": "FLASH",
            "title": "Explosion", "text": "Text", "audience": [agency], "options": ["yes"]
        }),
    );
    let request = heard.recv_timeout(PATIENCE).expect("a delivery");
    let body: serde_json::Value = serde_json::from_slice(&request.body).expect("json");
    assert_eq!(body["rendition"]["layers"][0]["body"]["title"], "Explosion");
    let secret = secret["secret"].as_str().expect("a secret");
    assert_eq!(verified_by_python(&request, secret), "True");
}

/// Verifies a request as the manual shows receivers how to, by a program that is not ours.
fn verified_by_python(request: &Request, secret: &str) -> String {
    let manual = include_str!("../../../../docs/capabilities/webhooks.md");
    let (_, example) = manual.split_once("```python\n").expect("an example");
    let (example, _) = example.split_once("```").expect("its end");
    let call = format!(
        "{example}\nimport json\nh, b, s = json.loads(sys.stdin.read())\n\
         print(verify(h, b.encode(), s, now=int(h['webhook-timestamp'])))\n"
    );
    let headers: std::collections::BTreeMap<_, _> = request.headers.iter().cloned().collect();
    let body = String::from_utf8(request.body.clone()).expect("UTF-8");
    let mut python = std::process::Command::new("python3")
        .args(["-c", &call])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("python3");
    let said = json!([headers, body, secret]).to_string();
    python.stdin.take().expect("a pipe").write_all(said.as_bytes()).expect("written");
    let output = python.wait_with_output().expect("it ends");
    String::from_utf8(output.stdout).expect("UTF-8").trim().to_owned()
}
