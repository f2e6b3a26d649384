//! Benchmark: 10,000 open streams in a second process, and one entry that all of them may read.
//!
//! `cargo xtask bench live [-- --clients N]`. For each of ten alerts: milliseconds from handing the
//! act in until the first, the middle and the last client has its frame; then the same until an
//! agreement that was suspended has taken the alerts off the screens; then what a client takes of
//! the node's memory. Clients are sessions of 1,000 people.
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::expect_used,
    clippy::cast_precision_loss,
    reason = "a benchmark measures time, prints its figures and stops when something is wrong"
)]

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use testkit::world::{Being, marking, runtime};
use testkit::{Who, World};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

const PEOPLE: usize = 1000;
const ALERTS: usize = 10;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let after = |name: &str| {
        let at = arguments.iter().position(|argument| argument == name)?;
        arguments.get(at + 1).cloned()
    };
    if let Some(address) = after("--connect") {
        return connect(&address);
    }
    let clients = after("--clients").map_or(10_000, |text| text.parse().expect("a number"));
    serve(clients);
}

fn micros() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    u64::try_from(since.as_micros()).expect("within range")
}

/// Resident memory of this process, in kB.
fn resident_kb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("a status");
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("a line");
    line.split_whitespace().nth(1).expect("a number").parse().expect("a number")
}

fn serve(clients: usize) {
    let world = World::new();
    let desk = Being { level: 4, compartments: &[], roles: &["DUTY", "SIGNATORY"] };
    let (pol, fir) = (world.agency("POL"), world.agency("FIRE"));
    let (police, fire) = (world.person(pol, &desk), world.person(fir, &desk));
    let both = [pol, fir];
    world.charter(&both);
    let text = world.agreement(&both, &[(&both, &both, &["alert:read", "circle:read"], 4)]);
    let agreement = world.enact(&text, &[police, fire]);
    let people: Vec<Who> =
        (0..PEOPLE.min(clients)).map(|_| world.person(fire.agency, &desk)).collect();
    let token = |n: usize| world.token(*people.get(n % people.len()).expect("a person"));
    let tokens: Vec<String> = (0..clients).map(token).collect();
    let listening = world.listen();
    let before = resident_kb();
    let mut child = Command::new(std::env::current_exe().expect("a path"))
        .args(["--connect", &listening.address().to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("a second process");
    let mut input = child.stdin.take().expect("its input");
    let mut output = BufReader::new(child.stdout.take().expect("its output")).lines();
    for token in &tokens {
        writeln!(input, "{token}").expect("written");
    }
    writeln!(input).expect("written");
    println!("{}", output.next().expect("a line").expect("connected"));
    println!("memory: {:.1} kB a client", (resident_kb() - before) as f64 / clients as f64);
    for _ in 0..ALERTS {
        let command = json!({
            "do": "raise", "markings": marking(2, &[]), "precedence": "FLASH",
            "title": micros().to_string(), "text": "x".repeat(400), "audience": [fire.agency],
            "options": ["yes"], "place": null
        });
        world.act(police, "alert:raise", &command).expect("an alert");
        println!("{}", output.next().expect("a line").expect("told"));
    }
    // The command has no room for a time: the other process is told through its input.
    writeln!(input, "{}", micros()).expect("written");
    drop(input);
    let suspend = json!({ "do": "suspend", "agreement": agreement, "reason": "measured" });
    world.act(police, "agreement:suspend", &suspend).expect("suspended");
    println!("{}", output.next().expect("a line").expect("told"));
    println!("memory: {:.1} kB a client, told", (resident_kb() - before) as f64 / clients as f64);
    child.wait().expect("ended");
}

/// The second process: opens a stream for each token, and says when each frame has come.
fn connect(address: &str) {
    let lines = std::io::stdin().lines().map(|line| line.expect("a token"));
    let tokens: Vec<String> = lines.take_while(|token| !token.is_empty()).collect();
    let clients = tokens.len();
    let runtime = runtime();
    let (frames, mut arrived) = tokio::sync::mpsc::unbounded_channel::<(u64, u64)>();
    let (ready, mut open) = tokio::sync::mpsc::unbounded_channel::<()>();
    let began = micros();
    for chunk in tokens.chunks(200) {
        for token in chunk {
            let (address, token) = (address.to_owned(), token.clone());
            let (frames, ready) = (frames.clone(), ready.clone());
            runtime.spawn(async move {
                let mut request =
                    format!("ws://{address}/api/live").into_client_request().expect("a request");
                let bearer = format!("Bearer {token}").parse().expect("a header");
                request.headers_mut().insert("authorization", bearer);
                let (mut socket, _) =
                    tokio_tungstenite::connect_async(request).await.expect("a socket");
                let watch = json!({ "watch": ["alert"] }).to_string();
                socket.send(Message::Text(watch.into())).await.expect("sent");
                while let Some(Ok(message)) = socket.next().await {
                    let at = micros();
                    let text = message.to_text().expect("text");
                    if text.starts_with("{\"type\":\"ready\"") {
                        ready.send(()).expect("counted");
                    } else if text.starts_with("{\"type\":\"record\"") {
                        let frame: Value = serde_json::from_str(text).expect("json");
                        let title = frame.pointer("/rendition/layers/0/body/title");
                        let title = title.and_then(Value::as_str).expect("a title");
                        let sent: u64 = title.parse().expect("a time");
                        frames.send((sent, at)).expect("counted");
                    } else if text.starts_with("{\"type\":\"gone\"") {
                        frames.send((0, at)).expect("counted");
                    }
                }
            });
        }
        for _ in chunk {
            runtime.block_on(open.recv()).expect("open");
        }
    }
    let s = Duration::from_micros(micros() - began).as_secs_f64();
    println!("{clients} streams opened in {s:.1} s");
    for _ in 0..ALERTS {
        let frames = (0..clients).map(|_| runtime.block_on(arrived.recv()).expect("a frame"));
        tell("one entry", frames.map(|(sent, at)| at - sent).collect());
    }
    let line = std::io::stdin().lines().next().expect("a line").expect("a time");
    let sent: u64 = line.parse().expect("a time");
    let frames = (0..clients).map(|_| runtime.block_on(arrived.recv()).expect("a frame"));
    tell("suspended, off the screens", frames.map(|(_, at)| at.saturating_sub(sent)).collect());
}

fn tell(what: &str, mut took: Vec<u64>) {
    took.sort_unstable();
    let last = took.len().saturating_sub(1);
    let ms = |part: usize| *took.get(last * part / 100).expect("a time") as f64 / 1e3;
    let (first, middle, last) = (ms(0), ms(50), ms(100));
    println!("{what}: first {first:.0} ms  middle {middle:.0} ms  last {last:.0} ms");
}
