//! `muster rebuild`: drops the views and builds them anew from the log.

use std::process::ExitCode;

use anyhow::{Result, anyhow};
use app::kernel::Fault;
use app::kernel::node::seed;
use app::kernel::start::{Loss, Start, label_key, start};
use app::kernel::view_file;
use clap::Args;
use store::Keyring;
use store::log::{Log, LogName, LogReader};

use super::Where;
use crate::config::{Config, Environment};
use crate::layout::origin;
use crate::terminal::say;
use crate::{clock, disk, reason};

/// Drops the views of a node that is stopped and builds them anew from its log.
#[derive(Args)]
pub struct Rebuild {
    #[command(flatten)]
    node: Where,
}

impl Rebuild {
    pub fn run(self) -> Result<ExitCode> {
        let config = self.node.given(None).load(&Environment::read()?)?;
        let provider = config.provider()?;
        let began = clock::now();
        let entries = rebuild(&config, &provider)
            .map_err(|fault| anyhow!("{}", reason::of_fault(&fault, &config)))?;
        let ms = clock::now().ms_since(began);
        say(format_args!("views of {entries} entries were built in {ms} ms"));
        Ok(ExitCode::SUCCESS)
    }
}

fn rebuild(config: &Config, provider: &store::Provider) -> Result<u64, Fault> {
    let keys = Keyring::open(provider)?;
    // The lead first: views that a running node writes must not be taken from under it.
    let mut log = Log::lead(&config.place)?;
    let reader = LogReader::open(&config.place)?;
    let views = config.views()?;
    if let Some(directory) = views.parent() {
        disk::make_directory(directory).map_err(Fault::unavailable)?;
        view_file::keep_only(directory, None)?;
    }
    let label_key = label_key(&keys)?;
    let origin = origin(&config.name, LogName::Acts);
    let begun = Start {
        keys: &keys,
        origin: &origin,
        capabilities: app::capabilities::ALL,
        label_key: &label_key,
        seed: seed()?,
        now: clock::now(),
        loss: Loss::Refused,
    };
    let (core, _views) = start(&begun, &mut log, &reader, &views)?;
    Ok(core.head.size)
}
