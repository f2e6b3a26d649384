//! `muster verify`: holds a node's log against its signatures, offline.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Args;
use ledger::note::VerifierKey;
use store::log::{LogName, LogReader};
use store::{Blobs, Keyring, Provider};

use super::Where;
use crate::config::{Config, Environment, blobs_of, local_of};
use crate::layout::{VERIFIER_KEYS, verifier_file, verifier_keys};
use crate::terminal::{complain, say};
use crate::verify::{Checked, Finding, Findings, Looked, Part, Verifier, check, compare, unsealed};
use crate::witness::note_file;
use crate::{disk, reason};

/// Exit code when something is faulty.
const FAULTY: u8 = 1;
/// Exit code when nothing could be verified.
const UNUSABLE: u8 = 2;

/// Verifies the log without trusting the node. Ends with 0 when nothing is faulty, 1 when
/// something is, 2 when it could not be verified.
#[derive(Args)]
pub struct Verify {
    /// The node. With `--keys` every entry is opened; without, tree and signatures are verified.
    #[command(flatten)]
    node: Where,
    /// The file with the keys that verify checkpoints; `muster.pub` of the data when absent.
    #[arg(long, visible_alias = "key", value_name = "FILE")]
    trust: Option<PathBuf>,
    /// Verifies the bundle of an inquiry in place of a node; needs `--key`, and nothing else.
    #[arg(long, value_name = "FILE", requires = "trust", conflicts_with_all = ["views", "data"])]
    bundle: Option<PathBuf>,
    /// A witness that must have cosigned a head of the log of acts; give it once for each.
    #[arg(long, value_name = "KEY")]
    witness: Vec<VerifierKey>,
    /// Builds the views anew in a scratch directory and compares them; needs `--keys`.
    #[arg(long)]
    views: bool,
}

impl Verify {
    pub fn run(self) -> ExitCode {
        match self.verify() {
            Ok(true) => ExitCode::SUCCESS,
            Ok(false) => ExitCode::from(FAULTY),
            Err(fault) => {
                complain(format_args!("{fault:#}"));
                ExitCode::from(UNUSABLE)
            }
        }
    }

    fn verify(&self) -> Result<bool> {
        if let (Some(bundle), Some(keys)) = (&self.bundle, &self.trust) {
            return verify_bundle(bundle, keys);
        }
        let environment = Environment::read()?;
        let config = self.node.given(None).load(&environment)?;
        let with_keys = self.node.keys.is_some() || environment.keys.is_some();
        let keys = with_keys.then(|| keyring(&config)).transpose()?;
        if self.views && keys.is_none() {
            anyhow::bail!("--views opens entries: it needs --keys");
        }
        let reader = LogReader::open(&config.place)
            .map_err(|fault| anyhow::anyhow!("{}", reason::of_store(&fault, &config)))?;
        let mut findings = Findings::default();
        let file = config.data.join(VERIFIER_KEYS);
        let trust = trust(self.trust.as_deref().unwrap_or(&file), keys.as_ref(), &config)?;
        trust.compare(&mut findings);
        let blobs = Blobs::at(&blobs_of(&config.data));
        let verifier = Verifier {
            name: &config.name,
            ledger: config.ledger,
            reader: &reader,
            trust: &trust.keys,
            keys: keys.as_ref(),
            blobs: &blobs,
        };
        let looked = verifier.run(&mut findings).context("the log cannot be read")?;
        for witness in &self.witness {
            verifier.cosigned(witness, &note_file(&config.data, witness), &mut findings)?;
        }
        let rows = match (&keys, self.views) {
            (Some(keys), true) => Some(views(&config, keys, &reader, &mut findings)?),
            (Some(_) | None, _) => None,
        };
        if let Some(keys) = &keys {
            let unsealed =
                unsealed(&local_of(&config.data).join("access"), &reader, keys, &mut findings)
                    .map_err(|fault| anyhow::anyhow!("{}", reason::of_fault(&fault, &config)))?;
            say(format_args!("access  {unsealed} rows that are not in a leaf yet"));
        }
        report(&looked, rows, with_keys, &findings);
        Ok(findings.count() == 0)
    }
}

/// Verifies the bundle of an inquiry.
fn verify_bundle(bundle: &Path, keys: &Path) -> Result<bool> {
    let named = || format!("`{}` cannot be read", bundle.display());
    let limit = ledger::bundle::BUNDLE_BYTES as u64;
    let length = std::fs::metadata(bundle).with_context(named)?.len();
    anyhow::ensure!(length <= limit, "`{}` is no bundle: it is too large", bundle.display());
    let file = std::fs::read(bundle).with_context(named)?;
    let checked = check(&file, &keys_of(keys)?);
    for fault in &checked.faults {
        say(fault);
    }
    let Checked { faults, parts, entries, portions, rows, proved } = &checked;
    say(format_args!(
        "bundle  {parts} parts, {entries} entries, {portions} portions, {rows} rows, {proved} \
         findings proved"
    ));
    match faults.len() {
        0 => say("nothing is faulty"),
        1 => say("1 fault was found"),
        count => say(format_args!("{count} faults were found")),
    }
    Ok(faults.is_empty())
}

fn keys_of(file: &Path) -> Result<Vec<VerifierKey>> {
    let named = || format!("`{}` has no keys that verify checkpoints", file.display());
    let text = std::fs::read_to_string(file).with_context(named)?;
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    lines.map(str::parse).collect::<Result<_, _>>().with_context(named)
}

/// The keys that verify checkpoints, and whether two sources of them agree.
struct Trust {
    keys: Vec<VerifierKey>,
    file_differs: bool,
}

impl Trust {
    fn compare(&self, findings: &mut Findings) {
        if self.file_differs {
            let why = "the file has other keys than the key provider";
            findings.add(Finding::log(LogName::Acts, Part::VerifierKey, why));
        }
    }
}

fn trust(file: &Path, keys: Option<&Keyring>, config: &Config) -> Result<Trust> {
    let read = std::fs::read_to_string(file);
    let Some(keyring) = keys else {
        return Ok(Trust { keys: keys_of(file)?, file_differs: false });
    };
    let keys = verifier_keys(&config.name, keyring)?;
    let ours = verifier_file(&keys);
    Ok(Trust { keys, file_differs: read.is_ok_and(|text| text != ours) })
}

fn keyring(config: &Config) -> Result<Keyring> {
    let provider: Provider = config.provider()?;
    Keyring::open(&provider)
        .map_err(|fault| anyhow::anyhow!("{}", reason::of_store(&fault, config)))
}

fn views(
    config: &Config,
    keys: &Keyring,
    reader: &LogReader,
    findings: &mut Findings,
) -> Result<u64> {
    let scratch = disk::Scratch::new("muster-verify").context("make a scratch directory")?;
    let compared =
        config.views().and_then(|views| compare(keys, reader, (&views, scratch.path()), findings));
    compared.map_err(|fault| anyhow::anyhow!("{}", reason::of_fault(&fault, config)))
}

fn report(looked: &[Looked], rows: Option<u64>, with_keys: bool, findings: &Findings) {
    for finding in findings.remarks().chain(findings.iter()) {
        say(finding);
    }
    for Looked { log, entries, checkpoints, tiles, portions, erased, rows, signed, blobs } in looked
    {
        let opened = if with_keys && *log == LogName::Acts {
            format!(
                ", {portions} portions opened, {erased} erased by order, {signed} signatures, \
                 {blobs} files"
            )
        } else if with_keys && *log == LogName::Access {
            format!(", {rows} rows opened")
        } else {
            String::new()
        };
        let log = log.name();
        say(format_args!(
            "{log:<7} {entries} entries, {checkpoints} signed heads, {tiles} full tiles{opened}"
        ));
    }
    if let Some(rows) = rows {
        say(format_args!("views   {rows} rows compared"));
    }
    match findings.count() {
        0 => say("nothing is faulty"),
        1 => say("1 fault was found"),
        count => say(format_args!("{count} faults were found")),
    }
}
