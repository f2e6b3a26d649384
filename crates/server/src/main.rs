//! RIM: the binary muster.

mod certificate;
mod clock;
mod command;
mod config;
mod courier;
mod deadline;
mod demo;
mod disk;
mod headers;
mod layout;
mod listen;
mod metrics;
mod pages;
mod peer;
mod reason;
mod running;
mod site;
mod terminal;
mod verify;
mod witness;

use std::process::ExitCode;

fn main() -> ExitCode {
    command::run()
}
