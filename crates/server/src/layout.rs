//! A node on disk: which files lie where, and how they come to be.
//!
//! ```text
//! DIR/muster.toml            name, ledger and settings; written last
//! DIR/muster.pub             keys that verify its checkpoints, for whoever checks them
//! DIR/store/                 log, secrets, state, blobs: what a backup covers
//! DIR/local/                 views, rebuilt at will, and the access log
//! KEYS/root.key, KEYS/shred  without which nothing of DIR can be opened
//! KEYS/tls/                  the node's own authority and certificate
//! ```

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};

use app::kernel::node::seed;
use base::crypto::{Algorithm, Entropy, Sign};
use base::{Ids, LedgerId, Time};
use ledger::note::{KeyName, SignatureType, VerifierKey};
use store::log::LogName;
use store::{Keyring, Provider};

use crate::certificate::{self, Files};
use crate::config::{
    Backend, Demonstration, FILE, File, KeysSection, Listen, LogSection, ProviderName, Trace,
    store_of,
};
use crate::disk;

/// The name of the file with the keys that verify checkpoints.
pub const VERIFIER_KEYS: &str = "muster.pub";

/// Why a node cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("`{0}` holds a node already: nothing is written over")]
    Exists(PathBuf),
    #[error("`{0}` is no host name: letters, digits, points and hyphens")]
    Name(String),
    #[error("`{0}` is no directory")]
    NoDirectory(PathBuf),
    #[error("the operating system gives no randomness")]
    Randomness(#[source] app::kernel::Fault),
    #[error(transparent)]
    Keys(#[from] store::Error),
    #[error(transparent)]
    Certificate(#[from] certificate::Error),
    #[error("configuration cannot be written")]
    Form(#[from] toml::ser::Error),
    #[error("a verifier key cannot be made")]
    Verifier(#[from] ledger::Error),
    #[error("`{path}` cannot be {what}")]
    Io { path: PathBuf, what: &'static str, source: io::Error },
}

/// A node to be made.
pub struct New {
    /// The host names and addresses that it is reached by, its own name first.
    pub names: Vec<String>,
    pub data: PathBuf,
    /// Beside the data directory when absent: `DIR-keys`.
    pub keys: Option<PathBuf>,
    pub postgres: Option<String>,
    pub demonstration: Option<Demonstration>,
}

/// What was made.
pub struct Made {
    pub config: PathBuf,
    pub keys: PathBuf,
    pub ledger: LedgerId,
}

/// Whether a directory holds a node.
pub fn exists(data: &Path) -> bool {
    data.join(FILE).exists() || store_of(data).join("log.db").exists()
}

/// Where the keys of a data directory lie when nobody says otherwise.
///
/// # Errors
/// [`Error::Io`] for a directory that has no place.
pub fn keys_beside(data: &Path) -> Result<PathBuf, Error> {
    let whole = absolute(data)?;
    let mut name = whole.file_name().map(OsStr::to_os_string).unwrap_or_default();
    name.push("-keys");
    Ok(whole.with_file_name(name))
}

fn absolute(path: &Path) -> Result<PathBuf, Error> {
    let fault = |source| Error::Io { path: path.to_owned(), what: "found", source };
    std::path::absolute(path).map_err(fault)
}

/// Makes a node: keys, certificate, verifier keys, configuration; the log is made at its start.
///
/// # Errors
/// [`Error`]; whatever exists is left as it is.
pub fn create(new: &New, now: Time) -> Result<Made, Error> {
    let name = new.names.first().map_or("localhost", String::as_str);
    check_name(name)?;
    if new.data.exists() && !new.data.is_dir() {
        return Err(Error::NoDirectory(new.data.clone()));
    }
    if exists(&new.data) {
        return Err(Error::Exists(new.data.clone()));
    }
    let keys = match &new.keys {
        Some(keys) => absolute(keys)?,
        None => keys_beside(&new.data)?,
    };
    let write = |path: &Path| {
        let path = path.to_owned();
        move |source| Error::Io { path, what: "written", source }
    };
    // The directory first: one that cannot be written must not leave keys that belong to nothing.
    disk::probe(&new.data).map_err(write(&new.data))?;
    let mut entropy = Entropy::new(seed().map_err(Error::Randomness)?);
    let ledger = LedgerId::draw(&mut Ids::new(entropy.secret()));
    let provider = Provider::File { directory: keys.clone() };
    Keyring::create(&provider, &mut entropy)?;
    certificate::create(&Files::of(&keys), &new.names, now)?;
    let public = verifier_file(&verifier_keys(name, &Keyring::open(&provider)?)?);
    let verifiers = new.data.join(VERIFIER_KEYS);
    disk::write_new(&verifiers, public.as_bytes()).map_err(write(&verifiers))?;
    let config = new.data.join(FILE);
    let text = file_of(new, name, ledger, &keys).to_text()?;
    disk::write_new(&config, text.as_bytes()).map_err(write(&config))?;
    Ok(Made { config, keys, ledger })
}

fn file_of(new: &New, name: &str, ledger: LedgerId, keys: &Path) -> File {
    // Keys beside the data are found from there, so that both can be moved together.
    let beside = match (&new.keys, keys.file_name()) {
        (None, Some(name)) => Path::new("..").join(name),
        (Some(_), _) | (None, None) => keys.to_owned(),
    };
    let backend = if new.postgres.is_some() { Backend::Postgres } else { Backend::Sqlite };
    File {
        name: name.to_owned(),
        ledger,
        data: None,
        listen: Listen::default(),
        tls: None,
        log: LogSection { backend, url: new.postgres.clone() },
        keys: KeysSection { provider: ProviderName::File, directory: beside },
        witness: Vec::new(),
        webhooks: crate::courier::WebhooksSection::default(),
        trace: Trace::default(),
        demonstration: new.demonstration,
    }
}

fn check_name(name: &str) -> Result<(), Error> {
    let fits = |b: u8| b.is_ascii_alphanumeric() || b == b'.' || b == b'-';
    let form = !name.is_empty() && name.len() <= 253 && name.bytes().all(fits);
    let edges = name.starts_with(['.', '-']) || name.ends_with(['.', '-']);
    if form && !edges { Ok(()) } else { Err(Error::Name(name.chars().take(64).collect())) }
}

/// The origin of one of a node's logs.
pub fn origin(name: &str, log: LogName) -> String {
    format!("{name}/muster/{}", log.name())
}

/// The keys that verify the checkpoints of a node's logs.
///
/// # Errors
/// [`Error::Keys`] or [`Error::Verifier`] when one cannot be made.
pub fn verifier_keys(name: &str, keys: &Keyring) -> Result<Vec<VerifierKey>, Error> {
    let kinds = [
        (Algorithm::Ed25519, SignatureType::Ed25519),
        (Algorithm::MlDsa87, SignatureType::MlDsa87),
    ];
    let mut made = Vec::new();
    for log in LogName::ALL {
        for (algorithm, kind) in kinds {
            let signer = keys.signer(algorithm)?;
            let name = KeyName::new(&origin(name, log))?;
            made.push(VerifierKey::new(name, kind, signer.public_key())?);
        }
    }
    Ok(made)
}

/// The keys as the file has them, one a line.
pub fn verifier_file(keys: &[VerifierKey]) -> String {
    let mut text = String::new();
    for key in keys {
        text.push_str(&key.to_string());
        text.push('\n');
    }
    text
}
