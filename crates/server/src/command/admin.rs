//! `muster admin`: what the operator of the machine does, who has no clearance and gets none.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, anyhow};
use app::identity::RECOVERY_S;
use app::kernel::ceremony::{self, Passkeys};
use app::kernel::loss::CutBack;
use base::{PersonId, Text, Time};
use clap::{Args, Subcommand};
use ledger::checkpoint::Checkpoint;
use ledger::note::{Note, VerifierKey};
use serde::Serialize;
use store::log::{LogName, LogReader, Place};

use super::Where;
use crate::certificate::{self, Files, RENEWED_DAYS, days};
use crate::config::{Config, Environment, Tls, local_of};
use crate::layout::{VERIFIER_KEYS, origin};
use crate::terminal::say;
use crate::witness::note_file;
use crate::{clock, reason, running};

/// LIMIT: files that are counted for the size of a data directory.
const FILES: usize = 1_000_000;
/// Where the last backup is noted, below the local directory.
const LAST_BACKUP: &str = "last-backup.json";

/// What the operator of the machine does. None of it reads a record or grants a right.
#[derive(Args)]
pub struct Admin {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    Status(Status),
    Recover(Recover),
    AcceptLoss(AcceptLoss),
    Certificate(Certificate),
}

/// Tells how a node is; it may be running, and nothing is written.
#[derive(Args)]
struct Status {
    #[command(flatten)]
    node: Where,
    /// Answers one object of JSON.
    #[arg(long)]
    json: bool,
}

/// Lets two administrators who lost their passkeys enrol again. The node is stopped.
///
/// Both must be administrators of the agency already: no role is granted. The act stands in the
/// log, where the agency's people and its inspectors read it.
#[derive(Args)]
struct Recover {
    #[command(flatten)]
    node: Where,
    /// The code of the agency, such as `POL`.
    #[arg(long, value_name = "CODE")]
    agency: String,
    /// One of the two administrators; give it twice.
    #[arg(long, value_name = "ID", required = true)]
    person: Vec<PersonId>,
    /// Removes the passkeys that they had, and ends their sessions.
    #[arg(long)]
    revoke: bool,
}

/// Goes on from an older copy of the data, when what was signed since is lost for good. The node
/// is stopped.
///
/// Which head was signed, which is left and why is written into the log before anything else. Who
/// holds a receipt of what is missing can still prove it; a witness cosigns again only when its
/// own operator has agreed.
#[derive(Args)]
struct AcceptLoss {
    #[command(flatten)]
    node: Where,
    /// Why the newer data cannot be put back, for everybody who relies on the log.
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

/// Shows the node's certificate and the end of its authority.
#[derive(Args)]
struct Certificate {
    #[command(flatten)]
    node: Where,
    /// Makes a new key and certificate under the node's own authority; a running node takes them
    /// into use within seconds.
    #[arg(long)]
    renew: bool,
}

impl Admin {
    pub fn run(self) -> Result<ExitCode> {
        match self.what {
            What::Status(status) => status.run(),
            What::Recover(recover) => recover.run(),
            What::AcceptLoss(accept) => accept.run(),
            What::Certificate(certificate) => certificate.run(),
        }
    }
}

impl Recover {
    fn run(self) -> Result<ExitCode> {
        let config = self.node.given(None).load(&Environment::read()?)?;
        running::trace(&config.trace);
        let node = running::open(&config, config.provider()?, 1)
            .map_err(|fault| anyhow!("{}", reason::of_fault(&fault, &config)))?;
        let passkeys = if self.revoke { Passkeys::Removed } else { Passkeys::Kept };
        let drawn = ceremony::recover(&node, &self.agency, &self.person, passkeys);
        running::close(&node);
        let drawn = drawn.map_err(|fault| anyhow!("{fault}"))?;
        for (person, code) in drawn {
            say(format_args!("person {person}  one-time code {code}"));
        }
        let minutes = RECOVERY_S / 60;
        say(format_args!(
            "Start the node: each code is good once, for {minutes} minutes from now."
        ));
        Ok(ExitCode::SUCCESS)
    }
}

impl AcceptLoss {
    fn run(self) -> Result<ExitCode> {
        let reason = Text::new(self.reason).context("--reason")?;
        let config = self.node.given(None).load(&Environment::read()?)?;
        running::trace(&config.trace);
        let (node, cut) = running::open_after_loss(&config, config.provider()?, reason)
            .map_err(|fault| anyhow!("{}", reason::of_fault(&fault, &config)))?;
        running::close(&node);
        let CutBack { signed, kept, .. } = cut;
        say(format_args!("signed  {} entries, root {}", signed.size, signed.root));
        say(format_args!("kept    {} entries, root {}", kept.size, kept.root));
        say(format_args!(
            "{} entries are lost. The log says so; tell everybody who relies on it.",
            signed.size.saturating_sub(kept.size)
        ));
        Ok(ExitCode::SUCCESS)
    }
}

impl Certificate {
    fn run(self) -> Result<ExitCode> {
        let config = self.node.given(None).load(&Environment::read()?)?;
        let now = clock::now();
        if self.renew {
            if config.tls.is_some() {
                anyhow::bail!("whoever made the certificate named under [tls] renews it");
            }
            certificate::renew(&Files::of(&config.keys), now)?;
        }
        for shown in certificates(&config)? {
            let Shown { what, names, ends_at } = shown;
            say(format_args!("{what:<12} ends {ends_at}, in {} days", days(now, ends_at)));
            if !names.is_empty() {
                say(format_args!("{:<12} {}", "names", names.join(", ")));
            }
        }
        if config.tls.is_none() {
            say(format_args!("a node that serves renews it {RENEWED_DAYS} days before its end"));
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// A certificate, as it is told.
#[derive(Serialize)]
struct Shown {
    what: &'static str,
    names: Vec<String>,
    ends_at: Time,
}

fn certificates(config: &Config) -> Result<Vec<Shown>> {
    let files = Files::of(&config.keys);
    let shown = |what, path: &Path| -> Result<Shown> {
        let certificate::Read { ends_at, names, .. } = certificate::read(path)?;
        Ok(Shown { what, names, ends_at })
    };
    match &config.tls {
        Some(Tls { certificate, .. }) => Ok(vec![shown("certificate", certificate)?]),
        None => Ok(vec![shown("certificate", &files.node)?, shown("authority", &files.authority)?]),
    }
}

/// The size of a log and its root.
#[derive(Serialize)]
struct LogStatus {
    log: &'static str,
    entries: u64,
    root: String,
}

/// A witness, and the last head that it cosigned as far as this node has kept it.
#[derive(Serialize)]
struct WitnessStatus {
    name: String,
    required: bool,
    entries: Option<u64>,
}

/// A key that verifies checkpoints.
#[derive(Serialize)]
struct KeyStatus {
    log: String,
    id: String,
}

/// A backup that was taken.
#[derive(Serialize, serde::Deserialize)]
pub struct LastBackup {
    pub at: Time,
    pub entries: u64,
}

/// How a node is.
#[derive(Serialize)]
struct Told {
    name: String,
    ledger: String,
    origin: String,
    state: &'static str,
    logs: Vec<LogStatus>,
    keys: Vec<KeyStatus>,
    witnesses: Vec<WitnessStatus>,
    certificates: Vec<Shown>,
    /// What could not be read, and why.
    faults: Vec<String>,
    last_backup: Option<LastBackup>,
    data_bytes: u64,
}

impl Status {
    fn run(self) -> Result<ExitCode> {
        let config = self.node.given(None).load(&Environment::read()?)?;
        let told = told(&config)?;
        if self.json {
            say(serde_json::to_string_pretty(&told)?);
        } else {
            print(&told);
        }
        Ok(if told.faults.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

fn told(config: &Config) -> Result<Told> {
    let mut logs = Vec::new();
    // A node that was made and never started has no log yet.
    let reader = LogReader::open(&config.place);
    let mut faults = Vec::new();
    let state = match &reader {
        Ok(_) => "has a log",
        Err(_) if store_is_absent(config) => "never started",
        Err(fault) => {
            faults.push(reason::of_store(fault, config));
            "log cannot be read"
        }
    };
    let certificates = certificates(config).unwrap_or_else(|fault| {
        faults.push(format!("{fault:#}"));
        Vec::new()
    });
    if let Ok(reader) = &reader {
        for log in LogName::ALL {
            let head = reader.head(log)?;
            let (entries, root) = (head.size, head.root.to_string());
            logs.push(LogStatus { log: log.name(), entries, root });
        }
    }
    let mut witnesses = Vec::new();
    for section in &config.witnesses {
        let key: VerifierKey = section.key.parse().context("read the key of a witness")?;
        let cosigned = std::fs::read(note_file(&config.data, &key)).ok();
        let note = cosigned.and_then(|bytes| Note::parse(&bytes).ok());
        let checkpoint = note.and_then(|note| Checkpoint::parse(note.unverified_text()).ok());
        let entries = checkpoint.map(|checkpoint| checkpoint.head().size);
        let (name, required) = (key.name().to_string(), section.required);
        witnesses.push(WitnessStatus { name, required, entries });
    }
    let last = std::fs::read(local_of(&config.data).join(LAST_BACKUP)).ok();
    Ok(Told {
        name: config.name.clone(),
        ledger: config.ledger.to_string(),
        origin: origin(&config.name, LogName::Acts),
        state,
        logs,
        keys: keys(config)?,
        witnesses,
        certificates,
        faults,
        last_backup: last.and_then(|bytes| serde_json::from_slice(&bytes).ok()),
        data_bytes: bytes_below(&config.data),
    })
}

fn store_is_absent(config: &Config) -> bool {
    matches!(&config.place, Place::Sqlite { directory } if !directory.join("log.db").exists())
}

fn keys(config: &Config) -> Result<Vec<KeyStatus>> {
    let file = config.data.join(VERIFIER_KEYS);
    let text =
        std::fs::read_to_string(&file).with_context(|| format!("read `{}`", file.display()))?;
    let mut keys = Vec::new();
    for line in text.lines().filter(|line| !line.is_empty()) {
        let key: VerifierKey = line.parse().context("read the keys that verify checkpoints")?;
        keys.push(KeyStatus { log: key.name().to_string(), id: key.id().to_string() });
    }
    Ok(keys)
}

/// Notes that a backup was taken; a note that cannot be written costs nothing but itself.
pub fn note_backup(config: &Config, last: &LastBackup) {
    let directory = local_of(&config.data);
    let noted = std::fs::create_dir_all(&directory)
        .map_err(anyhow::Error::from)
        .and_then(|()| Ok(serde_json::to_vec(last)?))
        .and_then(|text| Ok(std::fs::write(directory.join(LAST_BACKUP), text)?));
    if let Err(fault) = noted {
        tracing::warn!(%fault, "the backup was not noted");
    }
}

/// Bytes of all files below a directory, of which one may end while it is counted.
fn bytes_below(directory: &Path) -> u64 {
    let (mut waiting, mut bytes, mut seen) = (vec![directory.to_owned()], 0_u64, 0);
    while let Some(next) = waiting.pop() {
        for entry in std::fs::read_dir(next).into_iter().flatten().flatten() {
            seen += 1;
            if seen > FILES {
                return bytes;
            }
            match entry.metadata() {
                Ok(known) if known.is_dir() => waiting.push(entry.path()),
                Ok(known) => bytes = bytes.saturating_add(known.len()),
                Err(_gone) => {}
            }
        }
    }
    bytes
}

fn print(told: &Told) {
    say(format_args!("name         {}", told.name));
    say(format_args!("origin       {}", told.origin));
    say(format_args!("ledger       {}", told.ledger));
    say(format_args!("state        {}", told.state));
    for LogStatus { log, entries, root } in &told.logs {
        say(format_args!("log {log:<8} {entries} entries, root {root}"));
    }
    for KeyStatus { log, id } in &told.keys {
        say(format_args!("key          {id}  {log}"));
    }
    for WitnessStatus { name, required, entries } in &told.witnesses {
        let must = if *required { ", required" } else { "" };
        match entries {
            Some(size) => say(format_args!("witness      {name} cosigned {size} entries{must}")),
            None => say(format_args!("witness      {name} has cosigned nothing kept here{must}")),
        }
    }
    for Shown { what, ends_at, .. } in &told.certificates {
        say(format_args!("{what:<12} ends {ends_at}"));
    }
    for fault in &told.faults {
        say(format_args!("fault        {fault}"));
    }
    match &told.last_backup {
        Some(LastBackup { at, entries }) => {
            say(format_args!("last backup  {at}, {entries} entries"));
        }
        None => say("last backup  none is known here"),
    }
    say(format_args!("data         {} bytes", told.data_bytes));
}
