//! Receipts (C2SP tlog-proof, `c2sp.org/tlog-proof@v1`): a file that proves, without any server,
//! that an entry is in a log and that witnesses saw that log.

use std::fmt;

use base::{Digest, limit};

use crate::checkpoint::Checkpoint;
use crate::encoding::{base64, decimal, from_base64, line_and_hashes};
use crate::error::Error;
use crate::note::Note;
use crate::proof::{prove_inclusion, verify_inclusion};
use crate::tree::Hashes;
use crate::trust::{Trust, Witnessed};

/// The first line of a receipt.
const FIRST_LINE: &str = "c2sp.org/tlog-proof@v1";
/// LIMIT: hashes in an inclusion proof: one for each bit of a size.
const PATH_HASHES: usize = 64;
/// LIMIT: bytes of a receipt: as much extra data as checkpoint, and the proof.
pub const RECEIPT_BYTES: usize = 2 * limit::NOTE_BYTES;

/// A receipt for one entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The index of the entry in its log, from 0.
    pub index: u64,
    /// The inclusion proof, from the leaf's sibling to the root's child.
    pub path: Vec<Digest>,
    /// Data for the application, which nothing authenticates; none is the same as no bytes.
    pub extra: Option<Vec<u8>>,
    /// The checkpoint, with all its signatures.
    pub checkpoint: Note,
}

impl Receipt {
    /// Makes the receipt for the entry at `index` under a checkpoint.
    ///
    /// # Errors
    /// [`Error::Index`] when the checkpoint does not cover it; what reading the hashes gives.
    pub fn new(index: u64, checkpoint: &Note, hashes: &dyn Hashes) -> Result<Self, Error> {
        let size = Checkpoint::parse(checkpoint.unverified_text())?.head().size;
        let path = prove_inclusion(index, size, hashes)?;
        Ok(Self { index, path, extra: None, checkpoint: checkpoint.clone() })
    }

    /// Reads a receipt.
    ///
    /// # Errors
    /// [`Error::Receipt`] for another form; what [`Note::parse`] and [`Checkpoint::parse`] give.
    pub fn parse(file: &[u8]) -> Result<Self, Error> {
        if file.len() > RECEIPT_BYTES {
            return Err(Error::Receipt);
        }
        let file = std::str::from_utf8(file).ok().ok_or(Error::Receipt)?;
        let (before, note) = file.split_once("\n\n").ok_or(Error::Receipt)?;
        let (index, path, extra) = parse_proof(before).ok_or(Error::Receipt)?;
        let checkpoint = Note::parse(note.as_bytes())?;
        Checkpoint::parse(checkpoint.unverified_text())?;
        Ok(Self { index, path, extra, checkpoint })
    }

    /// Verifies the receipt for a leaf, by its hash, and gives the checkpoint that it rests on.
    ///
    /// # Errors
    /// What [`Trust::verify`] and [`verify_inclusion`] give.
    pub fn verify(&self, leaf: &Digest, trust: &Trust) -> Result<Witnessed, Error> {
        let witnessed = trust.verify(&self.checkpoint)?;
        verify_inclusion(leaf, self.index, witnessed.checkpoint.head(), &self.path)?;
        Ok(witnessed)
    }
}

type Proof = (u64, Vec<Digest>, Option<Vec<u8>>);

/// Reads the lines above the checkpoint, the last one without its newline.
fn parse_proof(before: &str) -> Option<Proof> {
    let rest = before.strip_prefix(FIRST_LINE)?.strip_prefix('\n')?;
    let (extra, rest) = match rest.strip_prefix("extra ") {
        Some(rest) => {
            let (extra, rest) = rest.split_once('\n')?;
            (Some(from_base64(extra).filter(|extra| !extra.is_empty())?), rest)
        }
        None => (None, rest),
    };
    let (index, path) = line_and_hashes(rest)?;
    let index = decimal(index.strip_prefix("index ")?)?;
    (path.len() <= PATH_HASHES).then_some((index, path, extra))
}

/// Writes the receipt as a `.tlog-proof` file.
impl fmt::Display for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{FIRST_LINE}")?;
        if let Some(extra) = self.extra.as_ref().filter(|extra| !extra.is_empty()) {
            writeln!(f, "extra {}", base64(extra))?;
        }
        writeln!(f, "index {}", self.index)?;
        self.path.iter().try_for_each(|hash| writeln!(f, "{}", base64(&hash.0)))?;
        write!(f, "\n{}", self.checkpoint)
    }
}
