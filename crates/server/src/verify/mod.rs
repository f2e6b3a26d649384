//! Verification without trust in the node: tree, tiles, checkpoints, and with the keys every entry.
//!
//! It reads and changes nothing, needs no lock and no running node. Every fault is named by log,
//! sequence and part, so that whoever repairs or investigates knows where to look.

mod access;
mod bundle;
mod checkpoint;
mod entry;
mod finding;
mod signature;
mod tree;
mod views;

use std::path::Path;

use base::LedgerId;
use ledger::checkpoint::LogKeys;
use ledger::note::{Note, Require, VerifierKey};
use ledger::tree::Head;
use store::log::{LogName, LogReader, StoredEntry};
use store::{Blobs, Keyring};

pub use access::unsealed;
pub use bundle::{Checked, check};
pub use finding::{Finding, Findings, Part};
pub use views::compare;

use app::kernel::tiles::LogHashes;
use checkpoint::Checkpoints;
use entry::{Anchored, Contents};
use ledger::tree::root_at;
use tree::TreeWalk;

use crate::terminal::chain;

/// A row as it was read, or the number of one that cannot be.
type Row = Result<StoredEntry, (u64, store::Error)>;

/// Entries read at once.
const PAGE: u32 = 256;

/// What verification works with.
pub struct Verifier<'a> {
    /// The host name of the node, which stands in the origins of its logs.
    pub name: &'a str,
    pub ledger: LedgerId,
    pub reader: &'a LogReader,
    /// The keys that verify checkpoints; those of every log.
    pub trust: &'a [VerifierKey],
    /// With the node's own keys, entries are opened too.
    pub keys: Option<&'a Keyring>,
    /// Where the files of portions lie.
    pub blobs: &'a Blobs,
}

/// What was looked at in one log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Looked {
    pub log: LogName,
    pub entries: u64,
    /// Signed heads that were held against the leaves.
    pub checkpoints: u64,
    pub tiles: u64,
    /// Portions that were opened, and those whose secret was destroyed by order.
    pub portions: u64,
    pub erased: u64,
    /// Rows of the access log that were opened.
    pub rows: u64,
    /// Signatures of acts that fit.
    pub signed: u64,
    /// Files of portions that were read whole.
    pub blobs: u64,
}

impl Verifier<'_> {
    /// Verifies every log.
    ///
    /// # Errors
    /// The store's own fault, when the log cannot be read at all.
    pub fn run(&self, findings: &mut Findings) -> Result<Vec<Looked>, store::Error> {
        let mut looked = Vec::new();
        let mut anchors = Vec::new();
        for log in LogName::ALL {
            looked.push(self.log(log, &mut anchors, findings)?);
        }
        for anchored in anchors {
            self.anchor(anchored, findings)?;
        }
        Ok(looked)
    }

    /// Holds what an entry of one log says about the head of another against that log.
    fn anchor(&self, anchored: Anchored, findings: &mut Findings) -> Result<(), store::Error> {
        let Anchored { by: (log, sequence), of, anchor } = anchored;
        let size = self.reader.head(of)?.size;
        let name = of.name();
        let why = if anchor.size > size {
            format!("it names {} entries of `{name}`, which has {size}", anchor.size)
        } else {
            let hashes = LogHashes { reader: self.reader, log: of };
            match root_at(anchor.size, &hashes) {
                Ok(root) if anchor.size == 0 || root == anchor.root => return Ok(()),
                Ok(_) => format!("`{name}` has another root for {} entries", anchor.size),
                Err(fault) => chain(&fault),
            }
        };
        findings.add(Finding::entry(log, sequence, Part::Anchor, why));
        Ok(())
    }

    fn log(
        &self,
        log: LogName,
        anchors: &mut Vec<Anchored>,
        findings: &mut Findings,
    ) -> Result<Looked, store::Error> {
        let head = self.reader.head(log)?;
        let checkpoints = Checkpoints::read(self, log, &head, findings)?;
        let mut tree = TreeWalk::new(log, &checkpoints);
        let mut contents = Contents::new(self, log);
        let (mut at, size) = (0, checkpoints.claimed.size);
        while at < size {
            let limit = u32::try_from(size - at).unwrap_or(PAGE).min(PAGE);
            self.page(log, (at, limit), (&mut tree, &mut contents), findings);
            at += u64::from(limit);
        }
        tree.finish(&head, findings);
        contents.finish(findings);
        anchors.extend_from_slice(contents.anchors());
        self.beyond(log, size, findings)?;
        Ok(Looked {
            log,
            entries: size,
            checkpoints: checkpoints.count(),
            tiles: tree.tiles(),
            portions: contents.portions(),
            erased: contents.erased(),
            rows: contents.rows(),
            signed: contents.signed(),
            blobs: contents.blobs(),
        })
    }

    /// Holds the head of the log of acts that a witness has cosigned against the log.
    ///
    /// # Errors
    /// The store's own fault, when the log cannot be read at all.
    pub fn cosigned(
        &self,
        witness: &VerifierKey,
        note: &Path,
        findings: &mut Findings,
    ) -> Result<(), store::Error> {
        let size = self.reader.head(LogName::Acts)?.size;
        let why = match self.cosigned_head(witness, note) {
            Err(why) => why,
            Ok(head) if head.size > size => {
                format!("`{}` cosigned {} entries, the log has {size}", witness.name(), head.size)
            }
            Ok(head) => {
                let hashes = LogHashes { reader: self.reader, log: LogName::Acts };
                match root_at(head.size, &hashes) {
                    Ok(root) if root == head.root => return Ok(()),
                    Ok(_) => format!("`{}` cosigned another root", witness.name()),
                    Err(fault) => chain(&fault),
                }
            }
        };
        findings.add(Finding::log(LogName::Acts, Part::Cosignature, why));
        Ok(())
    }

    fn cosigned_head(&self, witness: &VerifierKey, path: &Path) -> Result<Head, String> {
        let missing = format!("`{}` has cosigned no head that is kept here", witness.name());
        let bytes = std::fs::read(path).map_err(|_absent| missing.clone())?;
        let note = Note::parse(&bytes).map_err(|fault| chain(&fault))?;
        let text = note.unverified_text();
        let line = note.signatures().iter().find(|line| witness.made(line)).ok_or(missing)?;
        witness.verify(text, line).map_err(|fault| chain(&fault))?;
        // The witness cosigns what the node has signed.
        let ours = self.trust.iter().filter(|key| key.name().as_str().ends_with("/acts"));
        let log = LogKeys::new(ours.cloned().collect(), Require::Any);
        let checkpoint = log.and_then(|log| log.open(&note)).map_err(|fault| chain(&fault))?;
        Ok(*checkpoint.head())
    }

    fn page(
        &self,
        log: LogName,
        page: (u64, u32),
        to: (&mut TreeWalk<'_>, &mut Contents<'_>),
        findings: &mut Findings,
    ) {
        let (from, limit) = page;
        let (tree, contents) = to;
        let read = self.reader.entries(log, from, limit);
        let mut entries = match read {
            Ok(entries) => entries.into_iter().map(Ok).collect(),
            Err(_of_one) => self.each(log, page),
        };
        contents.read_secrets(page, findings);
        entries.reverse();
        let number = |entry: &Row| match entry {
            Ok(entry) => entry.sequence,
            Err((sequence, _)) => *sequence,
        };
        for sequence in from..from + u64::from(limit) {
            let row = entries.pop_if(|entry| number(entry) <= sequence);
            let row = row.filter(|row| number(row) == sequence);
            let leaf = row.as_ref().and_then(|row| row.as_ref().ok()).map(|e| e.leaf.as_slice());
            tree.leaf(sequence, leaf, self.reader, findings);
            match row {
                Some(Ok(entry)) => contents.entry(&entry, findings),
                Some(Err((_, fault))) => {
                    findings.add(Finding::entry(log, sequence, Part::Row, chain(&fault)));
                }
                None => findings.add(Finding::entry(log, sequence, Part::Row, "it is missing")),
            }
        }
    }

    /// Reads a page row by row, when one of them cannot be read.
    fn each(&self, log: LogName, page: (u64, u32)) -> Vec<Row> {
        let (from, limit) = page;
        let row = |sequence| match self.reader.entries_at(log, &[sequence]) {
            Ok(found) => found.into_iter().next().map(Ok),
            Err(fault) => Some(Err((sequence, fault))),
        };
        (from..from + u64::from(limit)).filter_map(row).collect()
    }

    /// Entries that no head covers: nobody wrote them as part of a batch.
    fn beyond(&self, log: LogName, size: u64, findings: &mut Findings) -> Result<(), store::Error> {
        let more = self.reader.entries(log, size, 1)?;
        // A running node may have gone on since its head was read.
        let now = self.reader.head(log)?;
        if let Some(entry) = more.first().filter(|entry| entry.sequence >= now.size.max(size)) {
            findings.add(Finding::entry(
                log,
                entry.sequence,
                Part::Row,
                "the head does not cover it",
            ));
        }
        Ok(())
    }
}
