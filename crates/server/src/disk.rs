//! Files that a command makes: for their owner only, and never over one that exists.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

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

/// Finds out whether a directory can be written, and makes it when it does not exist.
///
/// # Errors
/// The file system's own fault.
pub fn probe(directory: &Path) -> io::Result<()> {
    let path = directory.join(format!(".write.{}", std::process::id()));
    write_new(&path, b"")?;
    fs::remove_file(path)
}
