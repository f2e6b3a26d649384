//! Files that a command makes: for their owner only, and never over one that exists.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Makes a directory and those above it.
///
/// # Errors
/// The file system's own fault.
pub fn make_directory(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Writes a file that must not exist yet, and makes its directory.
///
/// # Errors
/// The file system's own fault; [`io::ErrorKind::AlreadyExists`] for a file that is there.
pub fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if let Some(parent) = path.parent() {
        make_directory(parent)?;
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Where a file lies before it takes the place of another: the path with one more ending.
pub fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    PathBuf::from(name)
}

/// Moves a file that is durable into the place of another, durably.
///
/// # Errors
/// The file system's own fault; the old file stays then.
pub fn replace(from: &Path, to: &Path) -> io::Result<()> {
    fs::rename(from, to)?;
    match to.parent() {
        Some(parent) => fs::File::open(parent)?.sync_all(),
        None => Ok(()),
    }
}

/// Finds out whether a directory can be written, and makes it when it does not exist.
///
/// # Errors
/// The file system's own fault.
pub fn probe(directory: &Path) -> io::Result<()> {
    let path = directory.join(format!(".write.{}", std::process::id()));
    write_new(&path, b"")?;
    fs::remove_file(path)
}

/// A directory of this process that is removed with everything in it.
pub struct Scratch {
    path: PathBuf,
}

impl Scratch {
    /// Makes an empty one where the system keeps such.
    ///
    /// # Errors
    /// The file system's own fault.
    pub fn new(name: &str) -> io::Result<Self> {
        let path = std::env::temp_dir().join(format!("{name}-{}", std::process::id()));
        // An earlier process of the same number may have left it.
        if path.exists() {
            fs::remove_dir_all(&path)?;
        }
        make_directory(&path)?;
        Ok(Self { path })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What is left behind lies where the system cleans up.
        let _left = fs::remove_dir_all(&self.path);
    }
}
