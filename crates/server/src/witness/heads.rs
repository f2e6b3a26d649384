//! The heads that a witness keeps: one file a log, replaced whole and durable before it counts.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use base::Digest;
use ledger::checkpoint::Origin;
use ledger::tree::Head;

/// The directory of the heads of all logs.
pub struct Heads(PathBuf);

impl Heads {
    /// Heads in a directory that exists.
    pub const fn new(directory: PathBuf) -> Self {
        Self(directory)
    }

    fn path(&self, origin: &Origin) -> PathBuf {
        self.0.join(format!("{}.head", origin.digest()))
    }

    /// The head that is kept of a log; [`Head::empty`] when none is.
    ///
    /// # Errors
    /// A file that cannot be read or has another form: nothing is cosigned then.
    pub fn load(&self, origin: &Origin) -> Result<Head> {
        let path = self.path(origin);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(absent) if absent.kind() == ErrorKind::NotFound => return Ok(Head::empty()),
            Err(other) => return Err(other).with_context(|| format!("read `{}`", path.display())),
        };
        let read = || {
            let mut lines = text.lines();
            let size: u64 = lines.next()?.parse().ok()?;
            let root: Digest = lines.next()?.parse().ok()?;
            Some(Head { size, root })
        };
        read().with_context(|| format!("`{}` is damaged", path.display()))
    }

    /// Keeps a head, durably.
    ///
    /// # Errors
    /// What the file system answers; the head before stays then.
    pub fn keep(&self, origin: &Origin, head: &Head) -> Result<()> {
        let path = self.path(origin);
        let new = path.with_extension("new");
        let mut file = File::create(&new).with_context(|| format!("make `{}`", new.display()))?;
        write!(file, "{}\n{}\n", head.size, head.root)?;
        file.sync_all()?;
        fs::rename(&new, &path)?;
        sync(&self.0)
    }
}

fn sync(directory: &Path) -> Result<()> {
    File::open(directory)?.sync_all().with_context(|| format!("sync `{}`", directory.display()))
}
