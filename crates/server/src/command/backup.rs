//! `muster backup` and `muster restore`: the store with its configuration, without the keys.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, anyhow, bail};
use app::kernel::access;
use clap::Args;
use store::log::{LogName, LogReader, Place};
use store::{Data, Keyring, Manifest};

use super::Where;
use super::admin::{LastBackup, note_backup};
use crate::config::{
    Backend, Config, Environment, FILE, File, Given, LogSection, blobs_of, local_of, store_of,
};
use crate::layout::{self, VERIFIER_KEYS};
use crate::terminal::say;
use crate::{clock, disk, reason};

/// Copies a node, which may be running, into an empty directory. Keys are never in a backup.
#[derive(Args)]
pub struct Backup {
    #[command(flatten)]
    node: Where,
    /// The directory to make.
    #[arg(long, value_name = "DIR")]
    to: PathBuf,
}

/// Restores a backup into an empty data directory. Nothing is written over.
#[derive(Args)]
pub struct Restore {
    /// The backup.
    #[arg(long, value_name = "DIR")]
    from: PathBuf,
    /// The data directory to make.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// The directory of the node's keys, which no backup holds.
    #[arg(long, value_name = "DIR")]
    keys: Option<PathBuf>,
    /// Restores the log into this PostgreSQL database, which must hold none; into the data
    /// directory when absent, wherever it was before.
    #[arg(long, value_name = "URL")]
    postgres: Option<String>,
}

/// Where the rows of the access log that are in no leaf yet lie, below the local directory and in a
/// backup.
const ACCESS: &str = "access";

fn data_of(config: &Config) -> Data {
    let blobs = blobs_of(&config.data);
    Data { place: config.place.clone(), blobs }
}

impl Backup {
    pub fn run(self) -> Result<ExitCode> {
        let config = self.node.given(None).load(&Environment::read()?)?;
        if self.to.exists() && fs::read_dir(&self.to).map_or(1, Iterator::count) > 0 {
            bail!("`{}` is not empty", self.to.display());
        }
        // Before the log: a file whose leaf is written meanwhile is in the backup twice, and the
        // start drops it; one that is read after it could be in neither.
        let rows = open_rows(&local_of(&config.data).join(ACCESS))?;
        let manifest = store::backup(&data_of(&config), &store_of(&self.to))
            .map_err(|fault| anyhow!("{}", reason::of_store(&fault, &config)))?;
        for name in [FILE, VERIFIER_KEYS] {
            copy_if_there(&config.data.join(name), &self.to.join(name))?;
        }
        for (name, bytes) in &rows {
            let path = self.to.join(ACCESS).join(name);
            disk::write_new(&path, bytes).with_context(|| format!("write `{}`", path.display()))?;
        }
        let acts = manifest.logs.iter().find(|size| size.log == LogName::Acts);
        let last = LastBackup { at: clock::now(), entries: acts.map_or(0, |size| size.entries) };
        note_backup(&config, &last);
        report("backed up", &manifest);
        Ok(ExitCode::SUCCESS)
    }
}

impl Restore {
    pub fn run(self) -> Result<ExitCode> {
        if layout::exists(&self.data) {
            bail!("`{}` holds a node already: nothing is written over", self.data.display());
        }
        // The backup's own file says what node it is; where it goes is said here.
        let mut file = File::read(&self.from.join(FILE)).context("read the backup")?;
        let store = store_of(&self.data);
        let blobs = Data::directory(&store).blobs;
        let (backend, place) = match &self.postgres {
            Some(url) => (Backend::Postgres, Place::Postgres { url: url.clone() }),
            None => (Backend::Sqlite, Place::Sqlite { directory: store }),
        };
        let manifest = store::restore(&store_of(&self.from), &Data { place, blobs })?;
        file.data = None;
        file.log = LogSection { backend, url: self.postgres.clone() };
        if let Some(keys) = &self.keys {
            file.keys.directory = std::path::absolute(keys).context("find the keys")?;
        }
        for (name, bytes) in open_rows(&self.from.join(ACCESS))? {
            let path = local_of(&self.data).join(ACCESS).join(name);
            disk::write_new(&path, &bytes)
                .with_context(|| format!("write `{}`", path.display()))?;
        }
        copy_if_there(&self.from.join(VERIFIER_KEYS), &self.data.join(VERIFIER_KEYS))?;
        let path = self.data.join(FILE);
        disk::write_new(&path, file.to_text()?.as_bytes())
            .with_context(|| format!("write `{}`", path.display()))?;
        report("restored", &manifest);
        let given = Given { data: Some(self.data), ..Given::default() };
        say(second_copy(&given.load(&Environment::default())?));
        Ok(ExitCode::SUCCESS)
    }
}

/// Says whether a node may be started on what was restored.
fn second_copy(config: &Config) -> String {
    let keys = config.provider().ok().and_then(|provider| Keyring::open(&provider).ok());
    let Some(keys) = keys else {
        return format!(
            "the keys of this node are looked for in `{}`: without them it does not start",
            config.keys.display()
        );
    };
    let size = LogReader::open(&config.place).and_then(|log| log.head(LogName::Acts));
    match (size, keys.signed()) {
        (Ok(head), Ok(Some((seen, _)))) if seen > head.size => format!(
            "this node has signed {seen} entries and the backup ends at {}: it will not start on \
             an older log than it has signed; restore a newer backup",
            head.size
        ),
        _ => "the node can be started".to_owned(),
    }
}

/// The rows of the access log that are in no leaf yet, by file: sealed, and whole rows only, for a
/// running node may be writing the last one.
fn open_rows(directory: &Path) -> Result<Vec<(String, Vec<u8>)>> {
    let mut files = Vec::new();
    if !directory.is_dir() {
        return Ok(files);
    }
    let numbers = access::numbers(directory).map_err(|fault| anyhow!("{fault}"))?;
    for number in numbers {
        let path = access::file(directory, number);
        match fs::read(&path) {
            Ok(mut bytes) => {
                bytes.truncate(access::whole_bytes(&bytes));
                let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
                files.push((name.to_owned(), bytes));
            }
            // Its leaf was written meanwhile.
            Err(gone) if gone.kind() == std::io::ErrorKind::NotFound => {}
            Err(other) => return Err(other).with_context(|| format!("read `{}`", path.display())),
        }
    }
    Ok(files)
}

fn copy_if_there(from: &Path, to: &Path) -> Result<()> {
    if !from.is_file() {
        return Ok(());
    }
    let bytes = fs::read(from).with_context(|| format!("read `{}`", from.display()))?;
    disk::write_new(to, &bytes).with_context(|| format!("write `{}`", to.display()))
}

fn report(what: &str, manifest: &Manifest) {
    for size in &manifest.logs {
        say(format_args!("{:<7} {} entries {what}", size.log.name(), size.entries));
    }
    let bytes: u64 = manifest.files.iter().map(|file| file.bytes).sum();
    say(format_args!("{} files, {bytes} bytes", manifest.files.len()));
}
