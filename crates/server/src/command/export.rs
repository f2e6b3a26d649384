//! `muster export`: everything that an account may read, by the public API, into a directory.
//!
//! ```text
//! OUT/<kind>.jsonl          one record a line, with its labels, as the API opened it
//! OUT/entity.stix.json      the STIX 2.1 objects of entities, as they were received
//! OUT/attachments/<digest>  files of reports; the digest is the one that the report names
//! OUT/manifest.json         written last: sums of all files, and the signed head
//! ```

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use app::capabilities::ALL;
use app::kernel::route::{Gate, Serves};
use base::crypto::{sha256, system_random};
use base::limit::{ATTACHMENT_BYTES, PAGE_RECORDS};
use base::{RecordId, Time};
use clap::Args;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::peer::Peer;
use crate::terminal::say;
use crate::{clock, disk};

const MANIFEST: &str = "manifest.json";
const PROGRESS: &str = "progress.json";
const BUNDLE: &str = "entity.stix.json";
const ATTACHMENTS: &str = "attachments";
/// LIMIT: bytes of one page of records.
const PAGE_BYTES: u64 = 256 * 1024 * 1024;
/// How often a page is asked for that is answered by `busy`, and how long after the time before.
const TRIES: u32 = 20;
const PAUSE: Duration = Duration::from_millis(500);

/// Exports everything that an account may read; each record opened is a row of the access log.
#[derive(Args)]
pub struct Export {
    /// The node, as `https://host:port`; `http://` on this machine only.
    #[arg(long, value_name = "URL")]
    server: String,
    /// A file with the token of a service account or session.
    #[arg(long, visible_alias = "token-file", value_name = "FILE")]
    token: PathBuf,
    /// The directory to make.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Exports this kind of record alone, such as `alert`; give it once for each.
    #[arg(long, value_name = "KIND")]
    kind: Vec<String>,
    /// Goes on with an export that was cut off: kinds that are whole are not read again.
    #[arg(long = "continue")]
    resume: bool,
    /// A file with the certificates that are trusted for `https`, as PEM.
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
}

/// A file of the export.
#[derive(Clone, Serialize, Deserialize)]
struct Sum {
    path: String,
    bytes: u64,
    sha256: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    records: Option<u64>,
}

#[derive(Serialize)]
struct Manifest<'a> {
    format: &'static str,
    server: &'a str,
    at: Time,
    files: Vec<Sum>,
    /// Kinds that the account may not read at all.
    refused: Vec<&'static str>,
    /// The signed head of the log of acts; nothing for an account that may not read it.
    checkpoint: Option<String>,
}

/// Kinds that are whole, with their files.
#[derive(Default, Serialize, Deserialize)]
struct Progress {
    done: BTreeMap<String, Vec<Sum>>,
}

#[derive(Deserialize)]
struct Page {
    items: Vec<Value>,
    next: Option<String>,
}

impl Export {
    pub fn run(self) -> Result<ExitCode> {
        let kinds = kinds();
        if let Some(unknown) = self.kind.iter().find(|kind| !kinds.contains_key(kind.as_str())) {
            let known: Vec<&str> = kinds.keys().copied().collect();
            bail!("no kind is named `{unknown}`; there are {}", known.join(", "));
        }
        let node = Asking::new(&self)?;
        let used = fs::read_dir(&self.out).is_ok_and(|mut found| found.next().is_some());
        if used && !self.resume {
            bail!("`{}` is not empty; --continue goes on with an export", self.out.display());
        }
        disk::make_directory(&self.out)
            .with_context(|| format!("make `{}`", self.out.display()))?;
        let mut progress = match fs::read(self.out.join(PROGRESS)) {
            Ok(bytes) => serde_json::from_slice(&bytes).context("read how far the export was")?,
            Err(_none) if used => bail!("`{}` is no export", self.out.display()),
            Err(_none) => Progress::default(),
        };
        keep(&self.out.join(PROGRESS), &serde_json::to_vec(&progress)?)?;
        let mut refused = Vec::new();
        for (kind, path) in kinds {
            let asked = self.kind.is_empty() || self.kind.iter().any(|named| named == kind);
            if !asked || progress.done.contains_key(kind) {
                continue;
            }
            match node.export(kind, path, &self.out)? {
                Some(sums) => {
                    let records = sums.first().and_then(|sum| sum.records).unwrap_or_default();
                    say(format_args!("{kind:<12} {records}"));
                    progress.done.insert(kind.to_owned(), sums);
                    keep(&self.out.join(PROGRESS), &serde_json::to_vec(&progress)?)?;
                }
                None if self.kind.is_empty() => refused.push(kind),
                None => bail!("this account may not read `{kind}`"),
            }
        }
        let (status, head) = node.get("/log/checkpoint", PAGE_BYTES)?;
        let manifest = Manifest {
            format: "muster export 1",
            server: &self.server,
            at: clock::now(),
            files: progress.done.into_values().flatten().collect(),
            refused,
            checkpoint: (status == 200).then(|| String::from_utf8(head)).transpose()?,
        };
        keep(&self.out.join(MANIFEST), &serde_json::to_vec_pretty(&manifest)?)?;
        fs::remove_file(self.out.join(PROGRESS)).context("end the export")?;
        say(format_args!("{} files, listed in {MANIFEST}", manifest.files.len()));
        Ok(ExitCode::SUCCESS)
    }
}

/// The kinds of record that the API lists, with the path of each list.
fn kinds() -> BTreeMap<&'static str, &'static str> {
    let routes = ALL.iter().flat_map(|capability| capability.routes);
    let lists = routes.filter_map(|route| match (route.serves, route.gate) {
        (Serves::List, Gate::Reads(noun)) => Some((noun, route.path)),
        _ => None,
    });
    lists.collect()
}

/// Writes a small file whole, in place of what it was.
fn keep(path: &Path, bytes: &[u8]) -> Result<()> {
    let part = disk::beside(path, "part");
    let write = || {
        if part.exists() {
            fs::remove_file(&part)?;
        }
        disk::write_new(&part, bytes)?;
        disk::replace(&part, path)
    };
    write().with_context(|| format!("write `{}`", path.display()))
}

/// A file that is written line by line.
struct Lines {
    path: PathBuf,
    file: fs::File,
}

impl Lines {
    fn new(path: PathBuf) -> Result<Self> {
        let mut open = OpenOptions::new();
        let open = open.write(true).create(true).truncate(true).mode(0o600).open(&path);
        let file = open.with_context(|| format!("write `{}`", path.display()))?;
        Ok(Self { path, file })
    }

    fn add(&mut self, text: &str) -> Result<()> {
        let written = self.file.write_all(text.as_bytes());
        written.with_context(|| format!("write `{}`", self.path.display()))
    }

    fn end(self, records: Option<u64>) -> Result<Sum> {
        self.file.sync_all().with_context(|| format!("write `{}`", self.path.display()))?;
        sum(&self.path, records)
    }
}

fn sum(path: &Path, records: Option<u64>) -> Result<Sum> {
    let bytes = fs::read(path).with_context(|| format!("read `{}`", path.display()))?;
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    Ok(Sum {
        path: name.to_owned(),
        bytes: bytes.len() as u64,
        sha256: sha256(&bytes).to_string(),
        records,
    })
}

/// The node that is asked, and as whom.
struct Asking {
    peer: Peer,
    headers: String,
}

impl Asking {
    fn new(export: &Export) -> Result<Self> {
        let named = || format!("read `{}`", export.token.display());
        let token = fs::read_to_string(&export.token).with_context(named)?;
        let token = token.trim();
        if token.is_empty() || token.contains(['\r', '\n']) {
            bail!("the token is one line");
        }
        let headers = format!("Authorization: Bearer {token}\r\n");
        Ok(Self { peer: Peer::new(&export.server, export.ca.as_deref())?, headers })
    }

    /// Asks, and asks again while the node is busy.
    fn get(&self, path: &str, bytes_max: u64) -> Result<(u16, Vec<u8>)> {
        for _ in 0..TRIES {
            let (status, answer) = self.peer.get(path, &self.headers, bytes_max)?;
            match status {
                429 | 503 => std::thread::sleep(PAUSE),
                401 => bail!("the node does not know this token"),
                _ => return Ok((status, answer)),
            }
        }
        bail!("the node is busy; go on later with --continue")
    }

    /// Writes every record of a kind; nothing when the account may not read the kind.
    fn export(&self, kind: &str, path: &str, out: &Path) -> Result<Option<Vec<Sum>>> {
        let (mut cursor, mut records, mut sums) = (None::<String>, 0_u64, Vec::new());
        let mut lines = Lines::new(out.join(format!("{kind}.jsonl")))?;
        let mut bundle = if kind == "entity" { Some(begin(&out.join(BUNDLE))?) } else { None };
        let mut objects = 0_u64;
        loop {
            let from = cursor.map_or_else(String::new, |cursor| format!("&cursor={cursor}"));
            let asked = format!("/api{path}?limit={PAGE_RECORDS}{from}");
            let (status, answer) = self.get(&asked, PAGE_BYTES)?;
            if status == 403 && records == 0 {
                for path in [lines.path].into_iter().chain(bundle.map(|bundle| bundle.path)) {
                    fs::remove_file(&path).context("remove what is empty")?;
                }
                return Ok(None);
            }
            if status != 200 {
                bail!("the node answers {status} about `{kind}`");
            }
            let page: Page = serde_json::from_slice(&answer).context("read a page")?;
            for record in &page.items {
                lines.add(&format!("{record}\n"))?;
                records += 1;
                if let Some(bundle) = &mut bundle {
                    for object in originals(record) {
                        bundle.add(if objects == 0 { "\n" } else { ",\n" })?;
                        bundle.add(object)?;
                        objects += 1;
                    }
                }
                sums.extend(self.attachments(record, path, out)?);
            }
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        sums.insert(0, lines.end(Some(records))?);
        if let Some(mut bundle) = bundle {
            bundle.add("\n]}\n")?;
            sums.push(bundle.end(Some(objects))?);
        }
        Ok(Some(sums))
    }

    /// Fetches the files that a record names, of which those that are there already stay.
    fn attachments(&self, record: &Value, list: &str, out: &Path) -> Result<Vec<Sum>> {
        let mut sums = Vec::new();
        let id = record.get("id").and_then(Value::as_str).unwrap_or_default();
        for digest in digests(record) {
            let path = out.join(ATTACHMENTS).join(&digest);
            if !path.exists() {
                let asked = format!("/api{list}/{id}/attachments/{digest}");
                let (status, bytes) = self.get(&asked, ATTACHMENT_BYTES as u64 + 1)?;
                if status != 200 {
                    bail!("the node answers {status} about file {digest} of {id}");
                }
                disk::make_directory(&out.join(ATTACHMENTS)).context("make a directory")?;
                keep(&path, &bytes)?;
            }
            let found = sum(&path, None)?;
            sums.push(Sum { path: format!("{ATTACHMENTS}/{digest}"), ..found });
        }
        Ok(sums)
    }
}

/// Begins a bundle of STIX 2.1, with an id of its own.
fn begin(path: &Path) -> Result<Lines> {
    let mut id = [0; 16];
    system_random(&mut id)?;
    // Version 4 of RFC 9562 §5.4, as STIX 2.1 §2.9 has it for bundles.
    let [.., version, _, variant, _, _, _, _, _, _, _] = &mut id;
    *version = (*version & 0x0f) | 0x40;
    *variant = (*variant & 0x3f) | 0x80;
    let id = RecordId(id);
    let mut lines = Lines::new(path.to_owned())?;
    lines.add(&format!(r#"{{"type":"bundle","id":"bundle--{id}","objects":["#))?;
    Ok(lines)
}

/// The bodies of the layers of a record.
fn bodies(record: &Value) -> impl Iterator<Item = &Value> {
    let layers = record.get("layers").and_then(Value::as_array);
    layers.into_iter().flatten().filter_map(|layer| layer.get("body"))
}

/// The objects that an entity was imported from, to the byte.
fn originals(record: &Value) -> impl Iterator<Item = &str> {
    bodies(record).filter_map(|body| body.get("original")?.as_str())
}

/// The addresses of the files that a record names; each is 64 digits, so it can name a file here.
fn digests(record: &Value) -> Vec<String> {
    let files = bodies(record).filter_map(|body| body.get("attachments")?.as_array()).flatten();
    let named = files.filter_map(|file| file.get("digest")?.as_str());
    named.filter_map(|text| text.parse::<base::Digest>().ok()).map(|d| d.to_string()).collect()
}
