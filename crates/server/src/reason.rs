//! Why a node does not start, in words that say what to do.

use std::error::Error as StdError;
use std::io;

use app::kernel::Fault;
use store::Error;
use store::log::Place;

use crate::config::Config;
use crate::terminal::chain;

/// What stands in the way of a node, and what to do about it.
pub fn of_fault(fault: &Fault, config: &Config) -> String {
    let mut at: Option<&(dyn StdError + 'static)> = Some(fault);
    while let Some(cause) = at {
        if let Some(known) = cause.downcast_ref::<Error>() {
            return of_store(known, config);
        }
        if let Some(known) = cause.downcast_ref::<io::Error>() {
            let data = config.data.display();
            return format!("data directory `{data}` cannot be used: {known}{}", advice(known));
        }
        at = cause.source();
    }
    chain(fault)
}

/// What a store refused, and what to do about it.
pub fn of_store(fault: &Error, config: &Config) -> String {
    let said = chain(fault);
    let keys = config.keys.display();
    let advice = match fault {
        Error::InUse(_) => "; stop the node that runs on it, or name another directory".to_owned(),
        Error::Io { source, .. } => advice(source).to_owned(),
        Error::KeyMissing(_) | Error::KeyForm(_) => format!(
            "; the keys of this node are looked for in `{keys}`: without them nothing of it opens"
        ),
        Error::KeyExposed(_) => format!("; take every right of others off `{keys}`"),
        Error::RolledBack { .. } => {
            "; the data is older than what its keys have signed: put the newer data back, for \
             a log that signs twice at one size would look like a forgery. When it is lost for \
             good, `muster admin accept-loss` goes on from here and says so in the log"
                .to_owned()
        }
        Error::Lost(_) | Error::Postgres { .. } => match &config.place {
            Place::Postgres { url } => format!("; PostgreSQL is looked for at {}", host(url)),
            Place::Sqlite { .. } => String::new(),
        },
        Error::NotLeader => "; another process leads this ledger".to_owned(),
        Error::Damaged(..)
        | Error::Missing(_)
        | Error::SecretMissing { .. }
        | Error::Unwrap { .. }
        | Error::Corrupt { .. }
        | Error::Form(_) => "; `muster verify` names what is damaged".to_owned(),
        Error::Shredded(_) => "; the data is older than 35 days, or a clock was wrong".to_owned(),
        // The others say all that there is to say.
        _ => String::new(),
    };
    format!("{said}{advice}")
}

/// What to do about a fault of the file system.
pub fn advice(fault: &io::Error) -> &'static str {
    match fault.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            "; give the user of this process the right to write there, or name another directory"
        }
        io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists => {
            "; a file stands where a directory is needed"
        }
        io::ErrorKind::StorageFull => "; the disk is full",
        _ => "",
    }
}

/// The host of a connection string, without whatever password it has.
fn host(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let rest = rest.rsplit_once('@').map_or(rest, |(_, rest)| rest);
    let host = rest.split(['/', '?']).next().unwrap_or(rest);
    if host.contains('=') || host.is_empty() { "its url".to_owned() } else { format!("`{host}`") }
}
