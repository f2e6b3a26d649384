//! The commands of the binary, one file each.

mod admin;
mod audit;
mod backup;
mod demo;
mod export;
mod import;
mod init;
mod openapi;
mod rebuild;
mod serve;
mod verify;
mod witness;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::config::Given;
use crate::terminal;

/// Muster: agencies that act as one without becoming one.
#[derive(Parser)]
#[command(name = "muster", version, arg_required_else_help = true)]
struct Muster {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Init(init::Init),
    Serve(serve::Serve),
    Demo(demo::Demo),
    Import(import::Import),
    Export(export::Export),
    Openapi,
    Verify(verify::Verify),
    Witness(witness::Witness),
    Admin(admin::Admin),
    Audit(audit::Audit),
    Rebuild(rebuild::Rebuild),
    Backup(backup::Backup),
    Restore(backup::Restore),
}

/// Where a node is: its file or its directory, and what differs from the file.
#[derive(Args, Clone, Debug)]
struct Where {
    /// The configuration file; `muster.toml` of the data directory when absent.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The data directory.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The directory of the keys.
    #[arg(long, value_name = "DIR")]
    keys: Option<PathBuf>,
    /// The log's database, in place of the one that the file names.
    #[arg(long, value_name = "URL")]
    postgres: Option<String>,
}

impl Where {
    fn given(&self, listen: Option<SocketAddr>) -> Given {
        Given {
            config: self.config.clone(),
            data: self.data.clone(),
            keys: self.keys.clone(),
            listen,
            postgres: self.postgres.clone(),
        }
    }
}

/// Reads the command line and does what it says.
pub fn run() -> ExitCode {
    let outcome = match Muster::parse().command {
        Command::Init(init) => init.run(),
        Command::Serve(serve) => serve.run(),
        Command::Demo(demo) => demo.run(),
        Command::Import(import) => import.run(),
        Command::Export(export) => export.run(),
        Command::Openapi => openapi::run(),
        Command::Witness(witness) => witness.run(),
        Command::Verify(verify) => Ok(verify.run()),
        Command::Admin(admin) => admin.run(),
        Command::Audit(audit) => audit.run(),
        Command::Rebuild(rebuild) => rebuild.run(),
        Command::Backup(backup) => backup.run(),
        Command::Restore(restore) => restore.run(),
    };
    match outcome {
        Ok(code) => code,
        Err(fault) => {
            terminal::complain(format_args!("{fault:#}"));
            ExitCode::FAILURE
        }
    }
}
