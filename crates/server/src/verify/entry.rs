//! Entries: leaf and commitments without any key; header, portions and signature with the keys.

use std::collections::{BTreeMap, BTreeSet};

use app::kernel::apply::Content;
use app::kernel::erasure::{KIND, Ordered};
use app::kernel::loss::{self, CutBack};
use app::kernel::segment::{self, Anchor, recorded};
use app::kernel::start::{OpenedEntry, open_entry_of};
use app::reports::attachment::{self, Attached};
use base::Time;
use base::crypto::{Digest, Secret};
use ledger::leaf::Leaf;
use ledger::portion::{
    HEADER_SLOT, open_commitments, open_header, open_portion, open_signature, part_commitments,
};
use store::log::{LogName, StoredEntry, StoredSecrets};
use store::secrets::{SecretPlace, unwrap};
use store::{Blobs, Keyring};

use super::signature::Signatures;
use super::{Finding, Findings, Part, Verifier};
use crate::terminal::chain;

/// Looks at the content of the entries of one log, in their order.
pub struct Contents<'a> {
    verifier: &'a Verifier<'a>,
    log: LogName,
    /// Those of the page that is being read.
    secrets: BTreeMap<u64, StoredSecrets>,
    last_at: Time,
    portions: u64,
    /// Portions without a secret, which an order must name.
    without_secret: BTreeSet<(u64, u8)>,
    /// Portions whose secret is there, as far as an order names them.
    ordered: BTreeMap<(u64, u8), u64>,
    with_secret: BTreeSet<(u64, u8)>,
    anchors: Vec<Anchored>,
    rows: u64,
    signatures: Signatures,
    /// Files that were read whole.
    blobs: u64,
}

/// What an entry says about the head of another log.
#[derive(Clone, Copy, Debug)]
pub struct Anchored {
    /// The entry that says it, and of which log.
    pub by: (LogName, u64),
    pub of: LogName,
    pub anchor: Anchor,
}

impl<'a> Contents<'a> {
    /// Starts at the first entry.
    pub fn new(verifier: &'a Verifier<'a>, log: LogName) -> Self {
        Self {
            verifier,
            log,
            secrets: BTreeMap::new(),
            last_at: Time::MIN,
            portions: 0,
            without_secret: BTreeSet::new(),
            ordered: BTreeMap::new(),
            with_secret: BTreeSet::new(),
            anchors: Vec::new(),
            rows: 0,
            signatures: Signatures::default(),
            blobs: 0,
        }
    }

    /// Signatures of acts that fit.
    pub const fn signed(&self) -> u64 {
        self.signatures.good
    }

    /// Files of portions that were read whole.
    pub const fn blobs(&self) -> u64 {
        self.blobs
    }

    /// Portions that were opened.
    pub const fn portions(&self) -> u64 {
        self.portions
    }

    /// Portions whose secret was destroyed by order.
    pub fn erased(&self) -> u64 {
        let ordered = self.without_secret.iter().filter(|place| self.ordered.contains_key(*place));
        ordered.count() as u64
    }

    /// The keys with which entries of this log are opened: the node writes none of `talk` yet.
    fn keys(&self) -> Option<&'a Keyring> {
        self.verifier.keys.filter(|_| self.log != LogName::Talk)
    }

    /// What entries of this log say about the head of another.
    pub fn anchors(&self) -> &[Anchored] {
        &self.anchors
    }

    /// Rows of the access log that were opened.
    pub const fn rows(&self) -> u64 {
        self.rows
    }

    /// Reads the secrets of a page.
    pub fn read_secrets(&mut self, page: (u64, u32), findings: &mut Findings) {
        self.secrets.clear();
        if self.keys().is_none() {
            return;
        }
        let (from, limit) = page;
        let reader = self.verifier.reader;
        if let Ok(secrets) = reader.secrets(self.log, from, limit) {
            self.secrets = secrets.into_iter().map(|s| (s.sequence, s)).collect();
            return;
        }
        for sequence in from..from + u64::from(limit) {
            match reader.secrets_at(self.log, &[sequence]) {
                Ok(found) => self.secrets.extend(found.into_iter().map(|s| (s.sequence, s))),
                Err(fault) => {
                    let part = Part::Secret(HEADER_SLOT);
                    findings.add(Finding::entry(self.log, sequence, part, chain(&fault)));
                }
            }
        }
    }

    /// Looks at one entry.
    pub fn entry(&mut self, stored: &StoredEntry, findings: &mut Findings) {
        let sequence = stored.sequence;
        let leaf = match Leaf::from_bytes(&stored.leaf) {
            Ok(leaf) => leaf,
            Err(fault) => {
                findings.add(Finding::entry(self.log, sequence, Part::Leaf, chain(&fault)));
                return;
            }
        };
        if leaf.at < self.last_at {
            let why = "its time is before that of the entry before it";
            findings.add(Finding::entry(self.log, sequence, Part::Leaf, why));
        }
        self.last_at = self.last_at.max(leaf.at);
        if let Err(fault) = open_commitments(&leaf, &stored.commitments) {
            findings.add(Finding::entry(self.log, sequence, Part::Commitments, chain(&fault)));
        }
        let Some(keys) = self.keys() else { return };
        let Some(secrets) = self.secrets.remove(&sequence) else {
            let part = Part::Secret(HEADER_SLOT);
            findings.add(Finding::entry(self.log, sequence, part, "no secret of it is there"));
            return;
        };
        match open_entry_of(self.log, keys, stored, &secrets) {
            Ok(opened) => {
                self.opened(&opened, findings);
                self.anchor(opened, findings);
            }
            Err(fault) => {
                let before = findings.count();
                self.diagnose(&leaf, stored, &secrets, findings);
                // Whatever the parts say one by one, an entry that does not open is a finding.
                if findings.count() == before {
                    findings.add(Finding::entry(self.log, sequence, Part::Row, chain(&fault)));
                }
            }
        }
    }

    fn opened(&mut self, entry: &OpenedEntry, findings: &mut Findings) {
        let sequence = entry.sequence;
        let shared = &entry.header.shared;
        if shared.ledger != self.verifier.ledger {
            let why = format!("it is of another ledger, `{}`", shared.ledger);
            findings.add(Finding::entry(self.log, sequence, Part::Header, why));
        }
        if let Err(why) = self.signatures.entry(entry, self.verifier.name) {
            findings.add(Finding::entry(self.log, sequence, Part::Signature, why));
        }
        for (slot, content) in &entry.contents {
            match content {
                Content::Open(body) => {
                    self.portions += 1;
                    self.with_secret.insert((sequence, *slot));
                    if shared.kind == KIND {
                        self.order(sequence, body, findings);
                    }
                    if shared.kind == attachment::KIND {
                        self.files(sequence, body, findings);
                    }
                    if shared.kind == loss::KIND {
                        self.loss(sequence, body, findings);
                    }
                }
                Content::Sealed | Content::Erased => {
                    self.without_secret.insert((sequence, *slot));
                }
            }
        }
    }

    /// Notes what an entry says about another log; holds rows of the access log against their
    /// summary.
    fn anchor(&mut self, entry: OpenedEntry, findings: &mut Findings) {
        let sequence = entry.sequence;
        let by = (self.log, sequence);
        if entry.header.shared.kind == segment::KIND {
            match recorded(entry) {
                Ok(segment) => {
                    self.rows += segment.summary.rows;
                    let anchor = segment.summary.acts;
                    self.anchors.push(Anchored { by, of: LogName::Acts, anchor });
                    if segment.summary.missing {
                        let why = "its file was missing when the node started";
                        findings.add(Finding::entry(self.log, sequence, Part::Rows, why));
                    }
                }
                Err(fault) => {
                    findings.add(Finding::entry(self.log, sequence, Part::Rows, chain(&fault)));
                }
            }
        } else if entry.header.shared.kind == "access.anchored/1" {
            let body = entry.contents.into_iter().find_map(|(_, content)| match content {
                Content::Open(body) => Some(body),
                Content::Sealed | Content::Erased => None,
            });
            let anchor = body.and_then(|body| serde_json::from_slice(&body).ok());
            let of = LogName::Access;
            self.anchors.extend(anchor.map(|anchor| Anchored { by, of, anchor }));
        }
    }

    /// Remarks that the log goes on from an older copy, and holds what it says is left of it.
    fn loss(&mut self, sequence: u64, body: &[u8], findings: &mut Findings) {
        match serde_json::from_slice::<CutBack>(body) {
            Ok(CutBack { signed, kept, reason }) => {
                let why = format!(
                    "{} entries were signed, {} are left: {reason}",
                    signed.size, kept.size
                );
                findings.remark(Finding::entry(self.log, sequence, Part::Loss, why));
                let by = (self.log, sequence);
                self.anchors.push(Anchored { by, of: self.log, anchor: kept });
            }
            Err(fault) => {
                findings.add(Finding::entry(self.log, sequence, Part::Loss, chain(&fault)));
            }
        }
    }

    /// Reads the files that a portion names, whole.
    fn files(&mut self, sequence: u64, body: &[u8], findings: &mut Findings) {
        let attached = match serde_json::from_slice::<Attached>(body) {
            Ok(attached) => attached,
            Err(fault) => {
                findings.add(Finding::entry(self.log, sequence, Part::Blob, chain(&fault)));
                return;
            }
        };
        for file in attached.files {
            match read_whole(self.verifier.blobs, &file) {
                Ok(()) => self.blobs += 1,
                Err(fault) => {
                    findings.add(Finding::entry(self.log, sequence, Part::Blob, chain(&fault)));
                }
            }
        }
    }

    fn order(&mut self, sequence: u64, body: &[u8], findings: &mut Findings) {
        match serde_json::from_slice::<Ordered>(body) {
            Ok(ordered) => {
                self.ordered.extend(ordered.places().map(|place| (place, sequence)));
            }
            Err(fault) => {
                findings.add(Finding::entry(self.log, sequence, Part::Order, chain(&fault)));
            }
        }
    }

    /// Opens an entry part by part, to name each that is faulty.
    fn diagnose(
        &mut self,
        leaf: &Leaf,
        stored: &StoredEntry,
        secrets: &StoredSecrets,
        findings: &mut Findings,
    ) {
        let Some(keys) = self.keys() else { return };
        let sequence = stored.sequence;
        let log = self.log;
        let mut add = |part, why: String| findings.add(Finding::entry(log, sequence, part, why));
        let mut open: BTreeMap<u8, Secret> = BTreeMap::new();
        for (slot, wrapped) in &secrets.secrets {
            let place = SecretPlace { log, sequence, slot: *slot, week: secrets.week };
            match unwrap(keys, place, wrapped) {
                Ok(secret) => {
                    open.insert(*slot, secret);
                }
                Err(fault) => add(Part::Secret(*slot), chain(&fault)),
            }
        }
        let kept = |slot: u8| secrets.secrets.iter().any(|(s, _)| *s == slot);
        let Some(header_secret) = open.get(&HEADER_SLOT) else {
            if !kept(HEADER_SLOT) {
                add(Part::Secret(HEADER_SLOT), "it is missing".to_owned());
            }
            return;
        };
        let signature = stored.signature.as_deref();
        if let Err(fault) = open_signature(leaf, signature, header_secret, keys) {
            add(Part::Signature, chain(&fault));
        }
        let header = match open_header(leaf, &stored.header, header_secret, keys) {
            Ok(header) => header,
            Err(fault) => return add(Part::Header, chain(&fault)),
        };
        let commitments: Vec<Digest> = part_commitments(&stored.commitments).unwrap_or_default();
        for slot in &header.local.slots {
            let number = slot.slot;
            let committed = commitments.get(usize::from(number)).copied().unwrap_or_default();
            match (open.get(&number), stored.portion(number)) {
                (Some(secret), Some(sealed)) => {
                    let committed = (committed, keys);
                    match open_portion(&header.shared, slot, sealed, secret, committed) {
                        Ok(_portion) => self.portions += 1,
                        Err(fault) => add(Part::Portion(number), chain(&fault)),
                    }
                }
                (Some(_), None) => add(Part::Portion(number), "it is missing".to_owned()),
                // A secret that is there and does not open was named above.
                (None, _) if kept(number) => {}
                (None, _) => {
                    self.without_secret.insert((sequence, number));
                }
            }
        }
    }

    /// Holds what is erased against the orders of the log.
    pub fn finish(&mut self, findings: &mut Findings) {
        for (sequence, slot) in &self.without_secret {
            if !self.ordered.contains_key(&(*sequence, *slot)) {
                let why = "it is missing, and no order of the log says that it was erased";
                findings.add(Finding::entry(self.log, *sequence, Part::Secret(*slot), why));
            }
        }
        for (place, order) in &self.ordered {
            if self.with_secret.contains(place) {
                let (sequence, slot) = place;
                let why = format!("secret {slot} of entry {sequence} is still there");
                findings.add(Finding::entry(self.log, *order, Part::Order, why));
            }
        }
    }
}

/// Reads every chunk of a file under its own secret.
fn read_whole(blobs: &Blobs, file: &attachment::File) -> Result<(), store::Error> {
    let mut reader = blobs.read(file.digest, &file.key.secret())?;
    while reader.chunk()?.is_some() {}
    Ok(())
}
