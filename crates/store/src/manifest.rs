//! What a backup holds, with the digest of each file.
//!
//! ```text
//! muster backup 1
//! log <acts, access or talk> <entries> <root of the tree>          one line a log
//! file <SHA-256> <bytes> <name>                                     one line a file
//! end <SHA-256 of the lines above>
//! ```
//! It finds what was changed by accident. Whoever changes a backup on purpose changes the manifest
//! too, and is found by the log's own checkpoints.

use std::fmt::Write as _;

use base::crypto::{Digest, sha256};

use crate::blob::relative;
use crate::log::LogName;
use crate::table::Part;
use crate::{Error, blob};

/// What a backup holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// In the order of [`LogName::ALL`].
    pub logs: Vec<Size>,
    /// Databases first, then blobs.
    pub files: Vec<File>,
}

/// How far a log reached when it was copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    pub log: LogName,
    pub entries: u64,
    pub root: Digest,
}

/// A file of a backup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// `log.db`, `secrets.db`, `state.db` or `blobs/<two digits>/<address>`.
    pub name: String,
    pub digest: Digest,
    pub bytes: u64,
}

impl File {
    /// The address of a blob's file, whose digest it is.
    pub(crate) fn blob(&self) -> Option<Digest> {
        (self.name == blob_name(self.digest)).then_some(self.digest)
    }
}

/// The name of a blob's file within a backup.
pub(crate) fn blob_name(address: Digest) -> String {
    format!("{}/{}", blob::DIRECTORY, relative(address).display())
}

const FIRST: &str = "muster backup 1";

impl Manifest {
    pub(crate) fn to_text(&self) -> String {
        let mut text = format!("{FIRST}\n");
        // Writing to a string cannot fail.
        for Size { log, entries, root } in &self.logs {
            let _infallible = writeln!(text, "log {} {entries} {root}", log.name());
        }
        for File { name, digest, bytes } in &self.files {
            let _infallible = writeln!(text, "file {digest} {bytes} {name}");
        }
        let digest = sha256(text.as_bytes());
        let _infallible = writeln!(text, "end {digest}");
        text
    }

    /// Reads a manifest.
    ///
    /// # Errors
    /// [`Error::Form`] when a byte was changed or a name is not one that a backup has.
    pub(crate) fn from_text(text: &str) -> Result<Self, Error> {
        parse(text).ok_or(Error::Form("manifest of a backup"))
    }
}

fn parse(text: &str) -> Option<Manifest> {
    let (body, end) = text.split_at_checked(text.rfind("end ")?)?;
    if end != format!("end {}\n", sha256(body.as_bytes())) {
        return None;
    }
    let mut lines = body.strip_suffix('\n')?.split('\n');
    if lines.next()? != FIRST {
        return None;
    }
    let logs: Option<Vec<Size>> =
        LogName::ALL.iter().map(|log| parse_log(*log, lines.next()?)).collect();
    let files: Vec<File> = lines.map(parse_file).collect::<Option<_>>()?;
    let names = |part: Part| files.iter().filter(|file| file.name == part.file()).count();
    let known = |file: &File| {
        file.blob().is_some() || Part::ALL.iter().any(|part| file.name == part.file())
    };
    let whole = Part::ALL.iter().all(|part| names(*part) == 1) && files.iter().all(known);
    Some(Manifest { logs: logs?, files }).filter(|_| whole)
}

fn parse_log(log: LogName, line: &str) -> Option<Size> {
    let rest = line.strip_prefix("log ")?.strip_prefix(log.name())?.strip_prefix(' ')?;
    let (entries, root) = rest.split_once(' ')?;
    Some(Size { log, entries: entries.parse().ok()?, root: root.parse().ok()? })
}

fn parse_file(line: &str) -> Option<File> {
    let (digest, rest) = line.strip_prefix("file ")?.split_once(' ')?;
    let (bytes, name) = rest.split_once(' ')?;
    Some(File { name: name.to_owned(), digest: digest.parse().ok()?, bytes: bytes.parse().ok()? })
}
