//! `muster import`: gives a bundle of STIX 2.1 to a running node, part after part.
//!
//! Every part has an idempotency key that follows from the bundle, the settings and its place: an
//! import that was broken off, here or by the node's end, is given again and does nothing twice.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use app::entities::{Table, Tally, job};
use base::{Marking, SchemeId};
use clap::Args;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use serde::Deserialize;
use serde_json::Value;

use crate::demo::read_bundle;
use crate::terminal::say;

/// How long the node may be silent.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often a part is given that is answered by `busy`, and how long after the time before.
const TRIES: u32 = 20;
const PAUSE: Duration = Duration::from_millis(500);
/// LIMIT: bytes of an answer.
const ANSWER_BYTES_MAX: u64 = 1024 * 1024;

/// Imports a bundle of STIX 2.1 into a running node, and tells what came of every object.
#[derive(Args)]
pub struct Import {
    /// The bundle: `.json` or `.json.gz`.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The node, as `https://host:port`; `http://` on this machine only.
    #[arg(long, value_name = "URL")]
    server: String,
    /// A file with the agency's default (`markings`) and what TLP becomes (`table`), as JSON.
    #[arg(long, value_name = "FILE")]
    settings: PathBuf,
    /// A file with the token of a service account or session.
    #[arg(long, value_name = "FILE")]
    token_file: PathBuf,
    /// A file with the certificates that are trusted for `https`, as PEM.
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    markings: BTreeMap<SchemeId, Marking>,
    table: Table,
}

impl Import {
    pub fn run(self) -> Result<ExitCode> {
        let settings = std::fs::read(&self.settings)
            .with_context(|| format!("read `{}`", self.settings.display()))?;
        let Settings { markings, table } =
            serde_json::from_slice(&settings).context("read the settings")?;
        let token = std::fs::read_to_string(&self.token_file)
            .with_context(|| format!("read `{}`", self.token_file.display()))?;
        let node = Peer::new(&self.server, token.trim(), self.ca.as_deref())?;
        let bytes = read_bundle(&self.file)?;
        let job = job::plan(&bytes, &markings, &table).map_err(|fault| anyhow!("{fault}"))?;
        let mut all = job.held.clone();
        let parts = job.parts.len();
        for (place, part) in (1..).zip(&job.parts) {
            let body = serde_json::to_vec(&part.import).context("write a part")?;
            let told = node.post("/api/entities/preview", &part.idempotency_key, &body)?;
            let told: Tally = serde_json::from_value(told).context("read the answer")?;
            if told.writes() {
                node.post("/api/entities", &part.idempotency_key, &body)
                    .with_context(|| format!("part {place} of {parts}; what was done stays"))?;
            }
            all.add(&told);
            say(format_args!("{} of {} objects", all.objects().min(job.objects), job.objects));
        }
        report(&all, job.objects);
        Ok(ExitCode::SUCCESS)
    }
}

fn report(all: &Tally, objects: usize) {
    let Tally { accepted, unchanged, older, held } = all;
    say(format_args!("objects {objects}"));
    say(format_args!("accepted {accepted}, unchanged {unchanged}, older {older}"));
    for (reason, count) in held {
        say(format_args!("held {count}: {reason}"));
    }
}

/// A node that is asked over HTTP/1.0: one connection a request, closed by its end.
struct Peer<'a> {
    host: String,
    address: String,
    token: &'a str,
    tls: Option<Arc<rustls::ClientConfig>>,
}

impl<'a> Peer<'a> {
    fn new(url: &str, token: &'a str, ca: Option<&Path>) -> Result<Self> {
        let (secure, rest) = match (url.strip_prefix("https://"), url.strip_prefix("http://")) {
            (Some(rest), _) => (true, rest),
            (None, Some(rest)) => (false, rest),
            (None, None) => bail!("`{url}` begins with neither https:// nor http://"),
        };
        let address = rest.trim_end_matches('/').to_owned();
        let host = address.rsplit_once(':').map_or(address.as_str(), |(host, _)| host).to_owned();
        let address = if address.contains(':') { address } else { format!("{address}:443") };
        if token.is_empty() || token.contains(['\r', '\n']) {
            bail!("the token is one line");
        }
        if !secure && !["localhost", "127.0.0.1"].contains(&host.as_str()) {
            bail!("a token goes to another machine over https:// only");
        }
        let tls = if secure { Some(trust(ca)?) } else { None };
        Ok(Self { host, address, token, tls })
    }

    /// Posts, and posts again while the node is busy; gives the answer.
    fn post(&self, path: &str, key: &str, body: &[u8]) -> Result<Value> {
        for _ in 0..TRIES {
            let (status, answer) = self.once(path, key, body)?;
            let told: Value = serde_json::from_slice(&answer).context("read the answer")?;
            match status {
                200 | 201 => return Ok(told),
                429 | 503 => std::thread::sleep(PAUSE),
                _ => bail!("the node answers {status}: {}", said(&told)),
            }
        }
        bail!("the node is busy; give the import again later")
    }

    fn once(&self, path: &str, key: &str, body: &[u8]) -> Result<(u16, Vec<u8>)> {
        let mut tcp = TcpStream::connect(&self.address)
            .with_context(|| format!("connect to `{}`", self.address))?;
        tcp.set_read_timeout(Some(PATIENCE))?;
        tcp.set_write_timeout(Some(PATIENCE))?;
        let head = format!(
            "POST {path} HTTP/1.0\r\nHost: {}\r\nAuthorization: Bearer {}\r\n\
             Content-Type: application/json\r\nIdempotency-Key: {key}\r\n\
             Content-Length: {}\r\n\r\n",
            self.address,
            self.token,
            body.len()
        );
        let Some(tls) = &self.tls else { return exchange(&mut tcp, &head, body) };
        let name = ServerName::try_from(self.host.clone()).context("read the host's name")?;
        let session = rustls::ClientConnection::new(Arc::clone(tls), name)?;
        exchange(&mut rustls::StreamOwned::new(session, tcp), &head, body)
    }
}

fn trust(ca: Option<&Path>) -> Result<Arc<rustls::ClientConfig>> {
    let file = ca.context("give the certificates that are trusted for https with --ca")?;
    let mut roots = rustls::RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(file).context("read the certificates")? {
        roots.add(certificate.context("read a certificate")?)?;
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

fn exchange(stream: &mut (impl Read + Write), head: &str, body: &[u8]) -> Result<(u16, Vec<u8>)> {
    stream.write_all(head.as_bytes()).context("ask the node")?;
    stream.write_all(body).context("ask the node")?;
    stream.flush().context("ask the node")?;
    let mut answer = Vec::new();
    stream.take(ANSWER_BYTES_MAX).read_to_end(&mut answer).context("hear the node")?;
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n");
    let (head, body) = end
        .and_then(|end| answer.split_at_checked(end + 4))
        .context("the answer is no answer of HTTP")?;
    let status = std::str::from_utf8(head).ok().and_then(|head| head.split(' ').nth(1));
    let status = status.and_then(|status| status.parse().ok());
    Ok((status.context("the answer has no status")?, body.to_vec()))
}

/// What a problem says, without more than its slug and sentence.
fn said(problem: &Value) -> String {
    let field = |name| problem.get(name).and_then(Value::as_str).unwrap_or_default();
    format!("{} {}", field("type"), field("detail"))
}
