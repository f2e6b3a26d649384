//! Checkpoints (C2SP tlog-checkpoint v1.0.0): what a log states about itself, as a signed note.

use std::fmt;

use base::Digest;
use base::crypto::sha256;

use crate::encoding::{base64, decimal, excerpt, hash_from_base64};
use crate::error::Error;
use crate::note::{Note, Require, SignatureType, Signer, VerifierKey, VerifierKeys};
use crate::tree::Head;

/// The first line of a checkpoint: the identity of a log, as `agency.example/acts`.
///
/// It is a URL without a scheme by custom only; nobody may expect a server there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin(String);

impl Origin {
    /// Takes an origin: one line, not empty, without control characters.
    ///
    /// # Errors
    /// [`Error::Origin`] for any other.
    pub fn new(line: &str) -> Result<Self, Error> {
        if line.is_empty() || line.chars().any(|c| c < ' ') {
            return Err(Error::Origin(excerpt(line)));
        }
        Ok(Self(line.to_owned()))
    }

    /// The line, without its newline.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// SHA-256 of the origin: a witness shows its checkpoint at `<this>/checkpoint`
    /// (tlog-witness, "Monitor Retrieval Mechanism").
    pub fn digest(&self) -> Digest {
        sha256(self.0.as_bytes())
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a checkpoint says: which log, how many leaves, which root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    origin: Origin,
    head: Head,
    extension: Vec<String>,
}

impl Checkpoint {
    /// Makes the checkpoint of a log of ours, without extension lines.
    pub const fn new(origin: Origin, head: Head) -> Self {
        Self { origin, head, extension: Vec::new() }
    }

    /// The identity of the log.
    pub const fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The size and root of its tree.
    pub const fn head(&self) -> &Head {
        &self.head
    }

    /// Extension lines of other people's logs: opaque, and audited by nobody.
    pub fn extension(&self) -> &[String] {
        &self.extension
    }

    /// Reads the text of a note as a checkpoint.
    ///
    /// # Errors
    /// [`Error::Checkpoint`] or [`Error::Origin`] when it is none.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let mut lines = text.strip_suffix('\n').ok_or(Error::Checkpoint)?.split('\n');
        let mut line = || lines.next().filter(|line| !line.is_empty()).ok_or(Error::Checkpoint);
        let origin = Origin::new(line()?)?;
        let size = decimal(line()?).ok_or(Error::Checkpoint)?;
        let root: Digest = hash_from_base64(line()?).ok_or(Error::Checkpoint)?;
        let extension: Vec<String> = lines.map(str::to_owned).collect();
        if extension.iter().any(String::is_empty) {
            return Err(Error::Checkpoint);
        }
        Ok(Self { origin, head: Head { size, root }, extension })
    }

    /// Signs the checkpoint as its log.
    ///
    /// The log has to have made sure that it never signs two that are not consistent.
    ///
    /// # Errors
    /// [`Error::OtherLog`] when a key is not named after the origin, [`Error::Extension`] when it
    /// is another's with extension lines; what [`Note::sign`] gives.
    pub fn sign(&self, signers: &[Signer]) -> Result<Note, Error> {
        let foreign = |signer: &&Signer| signer.key().name().as_str() != self.origin.as_str();
        if let Some(signer) = signers.iter().find(foreign) {
            return Err(Error::OtherLog(signer.key().label()));
        }
        if !self.extension.is_empty() {
            return Err(Error::Extension);
        }
        Note::sign(&self.to_string(), signers)
    }
}

/// Writes the text of the note.
impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Head { size, root } = self.head;
        writeln!(f, "{}\n{size}\n{}", self.origin, base64(&root.0))?;
        self.extension.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}

/// A log as others know it: its origin, its keys, and which of them must have signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogKeys {
    origin: Origin,
    keys: VerifierKeys,
    require: Require,
}

impl LogKeys {
    /// Takes the keys of one log, all named after its origin.
    ///
    /// # Errors
    /// [`Error::Unsigned`] without keys, [`Error::OtherLog`] when names differ,
    /// [`Error::SignatureType`] for a witness's key, [`Error::DuplicateKey`] for one named twice.
    pub fn new(keys: Vec<VerifierKey>, require: Require) -> Result<Self, Error> {
        let name = keys.first().ok_or(Error::Unsigned)?.name().clone();
        if let Some(other) = keys.iter().find(|key| *key.name() != name) {
            return Err(Error::OtherLog(other.label()));
        }
        if let Some(key) = keys.iter().find(|key| key.kind() == SignatureType::Cosignature) {
            return Err(Error::SignatureType(key.label()));
        }
        let keys = VerifierKeys::new(keys)?;
        Ok(Self { origin: Origin::new(name.as_str())?, keys, require })
    }

    /// Adds an origin that differs from the names of the keys, as some older logs have it.
    #[must_use]
    pub fn with_origin(self, origin: Origin) -> Self {
        Self { origin, ..self }
    }

    /// The identity of the log.
    pub const fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Its keys.
    pub const fn keys(&self) -> &VerifierKeys {
        &self.keys
    }

    /// Verifies a note as a checkpoint of this log.
    ///
    /// # Errors
    /// [`Error::Checkpoint`] when it is none, [`Error::OtherLog`] when it is another log's, what
    /// [`Note::open`] gives.
    pub fn open(&self, note: &Note) -> Result<Checkpoint, Error> {
        let checkpoint = Checkpoint::parse(note.open(&self.keys, self.require)?.text)?;
        if checkpoint.origin == self.origin {
            Ok(checkpoint)
        } else {
            Err(Error::OtherLog(checkpoint.origin.0))
        }
    }
}
