//! Signed heads: the newest one, those kept for ever, and what the keys remember.

use std::collections::BTreeMap;

use base::crypto::Digest;
use ledger::checkpoint::LogKeys;
use ledger::note::{Note, Require, SignatureType, VerifierKey};
use ledger::tree;
use store::log::{Head, LogName};

use super::{Finding, Findings, Part, Verifier};
use crate::layout::origin;
use crate::terminal::chain;

/// The heads that the leaves are held against.
pub struct Checkpoints {
    /// Verified, by size.
    by_size: BTreeMap<u64, (Digest, Part)>,
    /// What the newest head says, by its signature or, without a valid one, by its row.
    pub claimed: tree::Head,
}

impl Checkpoints {
    /// Reads and verifies every signed head of a log.
    ///
    /// # Errors
    /// The store's own fault, when the table cannot be read.
    pub fn read(
        verifier: &Verifier<'_>,
        log: LogName,
        head: &Head,
        findings: &mut Findings,
    ) -> Result<Self, store::Error> {
        let row = tree::Head { size: head.size, root: head.root };
        let empty = tree::Head::empty();
        let claimed = if head.size == 0 { empty } else { row };
        let mut this = Self { by_size: BTreeMap::new(), claimed };
        let keys = keys_of(verifier, log);
        this.newest(log, head, keys.as_ref(), findings);
        this.kept(verifier, (log, head.size), keys.as_ref(), findings)?;
        if let (LogName::Acts, Some(keyring)) = (log, verifier.keys) {
            match keyring.signed() {
                Ok(Some((size, root))) => this.second_copy(head, (size, root), findings),
                Ok(None) => {}
                Err(fault) => findings.add(Finding::log(log, Part::SecondCopy, chain(&fault))),
            }
        }
        Ok(this)
    }

    fn newest(
        &mut self,
        log: LogName,
        head: &Head,
        keys: Option<&LogKeys>,
        findings: &mut Findings,
    ) {
        if head.size == 0 && head.note.is_empty() {
            return;
        }
        match open(&head.note, Require::Ed25519, keys) {
            Ok(signed) => {
                if signed != self.claimed {
                    let why = format!(
                        "its row has {} entries and root {}, its signed note {} and {}",
                        head.size, head.root, signed.size, signed.root
                    );
                    findings.add(Finding::log(log, Part::Head, why));
                }
                // What was signed goes before what only stands there.
                self.claimed = signed;
                self.by_size.insert(signed.size, (signed.root, Part::Head));
            }
            Err(why) => findings.add(Finding::log(log, Part::Head, why)),
        }
    }

    fn kept(
        &mut self,
        verifier: &Verifier<'_>,
        of: (LogName, u64),
        keys: Option<&LogKeys>,
        findings: &mut Findings,
    ) -> Result<(), store::Error> {
        let (log, mut below) = of;
        while let Some(kept) = verifier.reader.signed(log, below)? {
            let part = Part::Checkpoint(kept.size);
            match open(&kept.note, Require::Both, keys) {
                Ok(signed) if signed.size == kept.size => {
                    let known = self.by_size.entry(signed.size).or_insert((signed.root, part));
                    if known.0 != signed.root {
                        let why = "another root was signed at the same size";
                        findings.add(Finding::log(log, part, why));
                    }
                }
                Ok(signed) => {
                    let why = format!("its note is of {} entries", signed.size);
                    findings.add(Finding::log(log, part, why));
                }
                Err(why) => findings.add(Finding::log(log, part, why)),
            }
            let Some(next) = kept.size.checked_sub(1) else { break };
            below = next;
        }
        Ok(())
    }

    fn second_copy(&mut self, head: &Head, seen: (u64, Digest), findings: &mut Findings) {
        let (size, root) = seen;
        if size > head.size {
            let why = format!("{size} entries were signed before, the log has {}", head.size);
            findings.add(Finding::log(LogName::Acts, Part::SecondCopy, why));
        } else {
            let known = self.by_size.entry(size).or_insert((root, Part::SecondCopy));
            if known.0 != root {
                let why = format!("it has another root for {size} entries");
                findings.add(Finding::log(LogName::Acts, Part::SecondCopy, why));
            }
        }
    }

    /// The root that was signed at a size, and by what.
    pub fn at(&self, size: u64) -> Option<(Digest, Part)> {
        self.by_size.get(&size).copied()
    }

    /// How many signed heads are held against the leaves.
    pub fn count(&self) -> u64 {
        self.by_size.len() as u64
    }
}

fn keys_of(verifier: &Verifier<'_>, log: LogName) -> Option<LogKeys> {
    let name = origin(verifier.name, log);
    let ours = |key: &&VerifierKey| key.name().as_str() == name;
    let keys: Vec<VerifierKey> = verifier.trust.iter().filter(ours).cloned().collect();
    LogKeys::new(keys, Require::Ed25519).ok()
}

/// Verifies a note of our own: whatever signature it carries is by a key that is known.
fn open(bytes: &[u8], require: Require, keys: Option<&LogKeys>) -> Result<tree::Head, String> {
    let keys = keys.ok_or("no key of this log is known")?;
    let note = Note::parse(bytes).map_err(|fault| chain(&fault))?;
    let known = |line: &ledger::note::Signature| keys.keys().iter().any(|key| key.made(line));
    if let Some(line) = note.signatures().iter().find(|line| !known(line)) {
        return Err(format!("`{}+{}` signed it, a key that is not known", line.name(), line.id()));
    }
    let checkpoint = keys.open(&note).map_err(|fault| chain(&fault))?;
    if require == Require::Both {
        let quantum = keys.keys().iter().filter(|key| key.kind() == SignatureType::MlDsa87);
        let signed = note.signed_by(quantum).map_err(|fault| chain(&fault))?;
        if signed.is_empty() {
            return Err("its signature by ML-DSA-87 is missing".to_owned());
        }
    }
    Ok(*checkpoint.head())
}
