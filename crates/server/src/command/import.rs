//! `muster import`: gives a bundle of STIX 2.1 to a running node, part after part.
//!
//! Every part has an idempotency key that follows from the bundle, the settings and its place: an
//! import that was broken off, here or by the node's end, is given again and does nothing twice.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use app::entities::{Table, Tally, job};
use base::{Marking, SchemeId};
use clap::Args;
use serde::Deserialize;
use serde_json::Value;

use crate::demo::read_bundle;
use crate::peer::Peer;
use crate::terminal::say;

/// How often a part is given that is answered by `busy`, and how long after the time before.
const TRIES: u32 = 20;
const PAUSE: Duration = Duration::from_millis(500);

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
        let node = Asking::new(&self.server, token.trim(), self.ca.as_deref())?;
        let bytes = read_bundle(&self.file)?;
        let job = job::plan(&bytes, &markings, &table).map_err(|fault| anyhow!("{fault}"))?;
        let mut all = job.held.clone();
        let parts = job.parts.len();
        for (place, part) in (1..).zip(&job.parts) {
            let body = serde_json::to_vec(&part.import).context("write a part")?;
            let done = node.post("/api/entities", &part.idempotency_key, &body);
            let done =
                done.with_context(|| format!("part {place} of {parts}; what was done stays"))?;
            // Of a part that was done before, or that does nothing, it is told what would come.
            let told = match done.and_then(|done| done.get("told").cloned()) {
                Some(told) => told,
                None => node
                    .post("/api/entities/preview", &part.idempotency_key, &body)?
                    .context("the node tells nothing of a part")?,
            };
            all.add(&serde_json::from_value(told).context("read the answer")?);
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

/// The node that is asked, and as whom.
struct Asking {
    peer: Peer,
    headers: String,
}

impl Asking {
    fn new(url: &str, token: &str, ca: Option<&Path>) -> Result<Self> {
        if token.is_empty() || token.contains(['\r', '\n']) {
            bail!("the token is one line");
        }
        let headers =
            format!("Authorization: Bearer {token}\r\nContent-Type: application/json\r\n");
        Ok(Self { peer: Peer::new(url, ca)?, headers })
    }

    /// Posts, and posts again while the node is busy; gives the answer, `None` where the node says
    /// that there is nothing to do.
    fn post(&self, path: &str, key: &str, body: &[u8]) -> Result<Option<Value>> {
        let headers = format!("{}Idempotency-Key: {key}\r\n", self.headers);
        for _ in 0..TRIES {
            let (status, answer) = self.peer.post(path, &headers, body)?;
            let told: Value = serde_json::from_slice(&answer).context("read the answer")?;
            match status {
                200 | 201 => return Ok(Some(told)),
                409 if said(&told).contains("nothing-to-do") => return Ok(None),
                429 | 503 => std::thread::sleep(PAUSE),
                _ => bail!("the node answers {status}: {}", said(&told)),
            }
        }
        bail!("the node is busy; give the import again later")
    }
}

/// What a problem says, without more than its slug and sentence.
fn said(problem: &Value) -> String {
    let field = |name| problem.get(name).and_then(Value::as_str).unwrap_or_default();
    format!("{} {}", field("type"), field("detail"))
}
