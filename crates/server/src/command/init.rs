//! `muster init`: makes a node — keys, certificate, configuration.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Args;

use crate::clock;
use crate::layout::{self, Made, New};
use crate::terminal::say;

/// Makes a node: its keys, its certificate and its configuration. Nothing is written over.
#[derive(Args)]
pub struct Init {
    /// The host name under which people reach it; it stands in every checkpoint and never changes.
    #[arg(long, value_name = "HOST")]
    name: String,
    /// Other host names or addresses that its certificate is good for.
    #[arg(long, value_name = "HOST")]
    also: Vec<String>,
    /// The data directory.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// The directory of the keys; `DIR-keys` beside the data when absent.
    #[arg(long, value_name = "DIR")]
    keys: Option<PathBuf>,
    /// Keeps the log in this PostgreSQL database.
    #[arg(long, value_name = "URL")]
    postgres: Option<String>,
}

impl Init {
    pub fn run(self) -> Result<ExitCode> {
        let new = New {
            names: [vec![self.name], self.also].concat(),
            data: self.data,
            keys: self.keys,
            postgres: self.postgres,
            demonstration: None,
        };
        report(&layout::create(&new, clock::now())?);
        Ok(ExitCode::SUCCESS)
    }
}

/// Says what was made and what must be kept.
pub fn report(made: &Made) {
    say(format_args!("ledger         {}", made.ledger));
    say(format_args!("configuration  {}", made.config.display()));
    say(format_args!("keys           {}", made.keys.display()));
    say("Keep the keys apart from the data: without them nothing of it can be opened, by anybody.");
}
