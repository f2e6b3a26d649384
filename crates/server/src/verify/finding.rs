//! What verification finds: which log, which entry, which part, and why.

use std::fmt;

use store::log::LogName;

/// LIMIT: findings that are kept; more of them say nothing new, and are counted.
const KEPT: usize = 10_000;

/// The part that is faulty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// The stored row as a whole.
    Row,
    Leaf,
    Header,
    Commitments,
    Signature,
    /// The sealed bytes in a slot.
    Portion(u8),
    /// The secret of a slot; 255 is the header's.
    Secret(u8),
    /// A log that goes on from an older copy of itself.
    Loss,
    /// An order to erase that was not carried out.
    Order,
    Tile {
        level: u8,
        index: u64,
    },
    /// The newest head with its note.
    Head,
    /// A kept checkpoint, by its size.
    Checkpoint(u64),
    /// What the keys remember of the last head.
    SecondCopy,
    VerifierKey,
    View,
    /// Rows of the access log.
    Rows,
    /// What an entry says about the head of another log.
    Anchor,
    /// A file that a portion names.
    Blob,
    /// The head that a witness has cosigned.
    Cosignature,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Row => f.write_str("row"),
            Self::Leaf => f.write_str("leaf"),
            Self::Header => f.write_str("header"),
            Self::Commitments => f.write_str("commitments"),
            Self::Signature => f.write_str("signature"),
            Self::Portion(slot) => write!(f, "portion {slot}"),
            Self::Secret(255) => f.write_str("secret 255 (header)"),
            Self::Secret(slot) => write!(f, "secret {slot}"),
            Self::Loss => f.write_str("cut back"),
            Self::Order => f.write_str("order of erasure"),
            Self::Tile { level, index } => write!(f, "tile {level}/{index}"),
            Self::Head => f.write_str("head"),
            Self::Checkpoint(size) => write!(f, "checkpoint {size}"),
            Self::SecondCopy => f.write_str("second copy"),
            Self::VerifierKey => f.write_str("verifier key"),
            Self::View => f.write_str("view"),
            Self::Rows => f.write_str("rows"),
            Self::Anchor => f.write_str("anchor"),
            Self::Blob => f.write_str("blob"),
            Self::Cosignature => f.write_str("cosignature"),
        }
    }
}

/// Where in a log something is faulty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The log as a whole.
    Log,
    Entry(u64),
    /// One of these entries, first and last; which one cannot be told.
    Among(u64, u64),
}

/// One fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub log: LogName,
    pub place: Place,
    pub part: Part,
    pub why: String,
}

impl Finding {
    /// A fault of one entry.
    pub fn entry(log: LogName, sequence: u64, part: Part, why: impl Into<String>) -> Self {
        Self { log, place: Place::Entry(sequence), part, why: why.into() }
    }

    /// A fault of a log.
    pub fn log(log: LogName, part: Part, why: impl Into<String>) -> Self {
        Self { log, place: Place::Log, part, why: why.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.log.name())?;
        match self.place {
            Place::Log => {}
            Place::Entry(sequence) => write!(f, " entry {sequence}")?,
            Place::Among(first, last) => write!(f, " one of entries {first} to {last}")?,
        }
        write!(f, ": {}: {}", self.part, self.why)
    }
}

/// Everything that was found.
#[derive(Default)]
pub struct Findings {
    kept: Vec<Finding>,
    remarks: Vec<Finding>,
    count: u64,
}

impl Findings {
    /// Adds a fault.
    pub fn add(&mut self, finding: Finding) {
        self.count += 1;
        if self.kept.len() < KEPT {
            self.kept.push(finding);
        }
    }

    /// Adds what is no fault, but what whoever relies on the log must know.
    pub fn remark(&mut self, remark: Finding) {
        if self.remarks.len() < KEPT {
            self.remarks.push(remark);
        }
    }

    /// What is no fault, in the order in which it was found.
    pub fn remarks(&self) -> std::slice::Iter<'_, Finding> {
        self.remarks.iter()
    }

    /// How many faults there are.
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// Those that are kept, in the order in which they were found.
    pub fn iter(&self) -> std::slice::Iter<'_, Finding> {
        self.kept.iter()
    }
}
