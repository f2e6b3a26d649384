//! DEV: `cargo xtask` — builds, checks, tests and shows Muster, one file a command.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command-line tool speaks on the terminal"
)]

mod api;
mod bench;
mod check;
mod demo;
mod dev;
mod e2e;
mod install;
mod new;
mod program;
mod stage;
mod test;
mod tidy;
mod web;
mod workspace;

use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::program::Program;
use crate::workspace::Workspace;

/// Builds, checks, tests and shows Muster.
#[derive(Parser)]
#[command(name = "xtask", bin_name = "cargo xtask", disable_help_subcommand = true)]
struct Line {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Shows the product: installs what is missing, builds the release, runs `muster demo`.
    ///
    /// `muster demo` takes --speed N, --once, --data DIR, --postgres URL and --intel FILE.
    Demo {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<OsString>,
    },
    /// Installs what is missing and runs every stage of docs/ci.md, or those named.
    Test {
        /// Names of stages; none means all.
        stages: Vec<String>,
        /// Handed to `cargo nextest run`.
        #[arg(last = true)]
        nextest: Vec<String>,
    },
    /// Runs every stage, as the machine that judges a change does.
    Ci,
    /// Checks form, lints and the rules of the tree.
    Check,
    /// Checks the rules of the tree.
    Tidy {
        /// Adds the sums of new golden files first; never changes one.
        #[arg(long)]
        seal: bool,
    },
    /// Runs a debug server, and the web client with live reload in front of it.
    Dev {
        /// Address at which the server will answer, for the client's proxy.
        #[arg(long, default_value = "http://localhost:8080")]
        url: String,
        /// Handed to `muster serve`.
        #[arg(last = true)]
        args: Vec<OsString>,
    },
    /// Writes api/openapi.json and the client's types from the server.
    Api {
        /// Changes nothing; fails when either differs.
        #[arg(long)]
        check: bool,
    },
    /// Builds the web client.
    Web,
    /// Runs the journeys in Chromium against the real binary.
    E2e {
        /// Takes the release binary instead of the debug one.
        #[arg(long)]
        release: bool,
        /// Handed to web/e2e/run.mjs.
        #[arg(last = true)]
        args: Vec<OsString>,
    },
    /// Takes pictures of every screen in each theme and size: `gallery FOLDER [words of a name]`.
    Gallery {
        #[arg(required = true)]
        args: Vec<OsString>,
    },
    /// Writes the folders of a new capability.
    New {
        /// Name of the folder and the path, plural: `alerts`.
        name: String,
        /// Noun of its kinds and actions; without it the singular of the name.
        #[arg(long)]
        noun: Option<String>,
    },
    /// Runs acts, kills and restarts from a seed: `loop [--seed S] [--loops N] [--postgres [URL]]`.
    Simulate {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<OsString>,
    },
    /// Runs the seeded fuzzer of bundles: `[SEED] [ROUNDS]`.
    Fuzz {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<OsString>,
    },
    /// Runs a benchmark, or lists them.
    Bench {
        name: Option<String>,
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<OsString>,
    },
}

fn main() -> ExitCode {
    match run(Line::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<()> {
    let ws = Workspace::find()?;
    match command {
        Command::Demo { args } => demo::run(&ws, &args),
        Command::Test { stages, nextest } => test::run(&ws, &stages, nextest),
        Command::Ci => test::run(&ws, &[], Vec::new()),
        Command::Check => check::run(&ws),
        Command::Tidy { seal: true } => tidy::seal(&ws).and_then(|()| tidy::run(&ws)),
        Command::Tidy { seal: false } => tidy::run(&ws),
        Command::Dev { url, args } => dev::run(&ws, &url, &args),
        Command::Api { check: true } => api::run(&ws, api::Mode::Check),
        Command::Api { check: false } => api::run(&ws, api::Mode::Write),
        Command::Web => web::run(&ws),
        Command::E2e { release: true, args } => e2e::run(&ws, e2e::Profile::Release, &args),
        Command::E2e { release: false, args } => e2e::run(&ws, e2e::Profile::Debug, &args),
        Command::Gallery { args } => e2e::gallery(&ws, &args),
        Command::New { name, noun } => new::run(&ws, &name, noun.as_deref()),
        Command::Simulate { args } => program::run(&ws, Program::Simulate, &args),
        Command::Fuzz { args } => program::run(&ws, Program::Fuzz, &args),
        Command::Bench { name, args } => bench::run(&ws, name.as_deref(), &args),
    }
}
