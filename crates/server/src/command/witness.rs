//! `muster witness`: cosigns the heads of logs of other nodes, so that none can be set back unseen.

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use base::crypto::{Algorithm, Secret, SeedKey, system_random};
use clap::Args;
use ledger::checkpoint::LogKeys;
use ledger::cosignature::Cosigner;
use ledger::note::{KeyName, Require, VerifierKey};
use ledger::witness::Witness as Decider;

use crate::listen::{Listener, loopback};
use crate::running::{self, Signals};
use crate::terminal::say;
use crate::witness::{Service, router};

/// Runs a witness (C2SP tlog-witness): it cosigns a head only when it follows from the one that it
/// cosigned before. It sees sizes and hashes, never content.
#[derive(Args)]
pub struct Witness {
    /// Where its key and the heads that it keeps lie; made when absent. Keep it: a witness that
    /// forgets can be led to cosign a fork.
    #[arg(long, value_name = "DIR")]
    dir: PathBuf,
    /// The name of the witness, such as `witness.example/one`.
    #[arg(long, value_name = "NAME")]
    name: String,
    /// A file with the keys that verify the heads of one log: `muster.pub` of a node, or its lines
    /// for the log of acts. Give it once for each node.
    #[arg(long, value_name = "FILE", required = true)]
    log: Vec<PathBuf>,
    /// The address and port to listen on: this machine only, with TLS in front of it for others.
    #[arg(long, value_name = "ADDR")]
    listen: SocketAddr,
}

impl Witness {
    pub fn run(self) -> Result<ExitCode> {
        if !loopback(self.listen) {
            bail!("a witness listens on this machine only; put TLS in front of it for others");
        }
        running::trace(&crate::config::Trace::default());
        fs::create_dir_all(&self.dir).with_context(|| format!("make `{}`", self.dir.display()))?;
        let name = KeyName::new(&self.name)?;
        let cosigner = Cosigner::new(name, Arc::new(key(&self.dir.join("witness.key"))?))?;
        let mut logs = Vec::new();
        for file in &self.log {
            logs.push(log_keys(file)?);
        }
        let witness = Decider::new(cosigner, logs)?;
        say(format_args!("key  {}", witness.key()));
        let service = Arc::new(Service::new(witness, self.dir));
        let runtime = running::runtime().context("start the runtime")?;
        let listener = runtime.block_on(Listener::open(self.listen, None))?;
        let mut signals = {
            let _within = runtime.enter();
            Signals::new().context("wait for signals")?
        };
        say(format_args!("listening on {}", listener.address()));
        runtime.block_on(async {
            let stop = async { signals.asked().await };
            listener.serve(router(service), stop).await;
        });
        runtime.shutdown_background();
        Ok(ExitCode::SUCCESS)
    }
}

/// The keys of the log of acts among the lines of a file.
fn log_keys(file: &Path) -> Result<LogKeys> {
    let text = fs::read_to_string(file).with_context(|| format!("read `{}`", file.display()))?;
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    let keys: Vec<VerifierKey> = lines
        .map(str::parse)
        .collect::<Result<_, _>>()
        .with_context(|| format!("read the keys in `{}`", file.display()))?;
    let acts: Vec<VerifierKey> =
        keys.into_iter().filter(|key| key.name().as_str().ends_with("/acts")).collect();
    LogKeys::new(acts, Require::Any)
        .with_context(|| format!("`{}` has no keys of a log of acts", file.display()))
}

/// The key of the witness, drawn at the first start.
fn key(path: &Path) -> Result<SeedKey> {
    let named = || format!("the key `{}`", path.display());
    if !path.exists() {
        let mut seed = [0; 32];
        system_random(&mut seed)?;
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)
            .with_context(named)?;
        std::io::Write::write_all(&mut file, &seed).with_context(named)?;
        file.sync_all().with_context(named)?;
    }
    let seed = fs::read(path).with_context(named)?;
    let seed = Secret::from_slice(&seed).with_context(|| format!("{} is damaged", named()))?;
    Ok(SeedKey::from_seed(Algorithm::Ed25519, &seed)?)
}
