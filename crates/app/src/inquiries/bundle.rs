//! The bundle of an inquiry: its findings with their evidence, in one file that the node signs.
//!
//! Whoever has the node's verifier keys checks it offline: `muster verify --bundle FILE`. The parts
//! are those of `docs/formats/inquiry-bundle.md`. Content is in it only as far as the inspector may
//! read it.

use base::crypto::{Algorithm, Digest};
use base::{AgencyId, LedgerId, PersonId, RecordId, Time};
use ledger::bundle::{Parts, folder};
use ledger::checkpoint::{Checkpoint, Origin};
use ledger::header::{local_commitment, local_salt, shared_salt};
use ledger::note::{KeyName, Signer};
use ledger::portion::{HEADER_SLOT, Portion, commitment_salt};
use ledger::proof::prove_inclusion;
use ledger::tree::Head;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::sync::Arc;
use store::log::{LogName, StoredEntry, StoredSecrets, secret_of};

use super::findings::{Found, find};
use crate::kernel::access::{AccessKind, AccessRow};
use crate::kernel::apply::Content;
use crate::kernel::question::{Answer, Asked};
use crate::kernel::segment::{prove_row, recorded};
use crate::kernel::start::{OpenedEntry, open_entry_of};
use crate::kernel::tiles::LogHashes;
use crate::kernel::{Fault, Node};

/// LIMIT: entries and leaves of the access log in one bundle.
const ENTRIES: usize = 20_000;

/// The media type of a bundle.
pub const MEDIA: &str = "application/vnd.muster.bundle";

/// Which inquiry, of which node, made by whom.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct About {
    pub origin: String,
    pub ledger: LedgerId,
    pub inquiry: RecordId,
    pub made_at: Time,
    pub person: Option<PersonId>,
    pub agency: AgencyId,
}

/// Answers `GET /api/inquiries/{id}/bundle`.
///
/// # Errors
/// As [`find`]; `evidence-too-large` above the limit.
pub fn answer(asked: &Asked<'_>) -> Result<Answer, Fault> {
    let found = find(asked)?;
    let inquiry = found.findings.inquiry;
    let bytes = write(asked, &found)?;
    let row = AccessRow::of(asked.reader.actor(), AccessKind::Exported, None, asked.reader.at());
    let result = Some(base::crypto::sha256(&bytes));
    let records = vec![inquiry, found.findings.subject];
    asked.node.access().record(AccessRow { records, result, ..row })?;
    Ok(Answer::File { name: format!("inquiry-{inquiry}.muster"), media: MEDIA, bytes })
}

fn signers(node: &Node, origin: &str) -> Result<[Signer; 2], Fault> {
    let signer = |algorithm| {
        let name = KeyName::new(origin).map_err(Fault::bug)?;
        Signer::new(name, Arc::new(node.keys().signer(algorithm)?)).map_err(Fault::bug)
    };
    Ok([signer(Algorithm::Ed25519)?, signer(Algorithm::MlDsa87)?])
}

fn write(asked: &Asked<'_>, found: &Found) -> Result<Vec<u8>, Fault> {
    if found.sequences.len() + found.rows.len() > ENTRIES {
        let detail = format!("the evidence is more than {ENTRIES} entries");
        return Err(Fault::new(base::Kind::TooLarge, "evidence-too-large", detail));
    }
    let (node, reader) = (asked.node, &asked.reader);
    let actor = reader.actor();
    let about = About {
        origin: node.origin().to_owned(),
        ledger: node.config().ledger,
        inquiry: found.findings.inquiry,
        made_at: reader.at(),
        person: actor.person,
        agency: actor.agency,
    };
    let mut parts = Parts::default();
    let mut put = |name: &str, bytes: Vec<u8>| parts.put(name, bytes).map_err(Fault::bug);
    put("about.json", serde_json::to_vec(&about).map_err(Fault::bug)?)?;
    put("findings.json", serde_json::to_vec(&found.findings).map_err(Fault::bug)?)?;
    let signers = signers(node, node.origin())?;
    let mut keys: Vec<String> = signers.iter().map(|s| s.key().to_string()).collect();
    let access = node.log().head(LogName::Access)?;
    let name = format!("{}/{}", node.config().name, LogName::Access.name());
    keys.extend(self::signers(node, &name)?.iter().map(|signer| signer.key().to_string()));
    put("keys.pub", (keys.join("\n") + "\n").into_bytes())?;
    // The same head as the one in the log, with both signatures at once.
    let acts = &reader.core().head;
    let head = Head { size: acts.size, root: acts.root };
    let checkpoint = Checkpoint::new(Origin::new(node.origin()).map_err(Fault::bug)?, head);
    let signed = checkpoint.sign(&signers).map_err(Fault::bug)?;
    put("acts.checkpoint", signed.to_string().into_bytes())?;
    if access.size > 0 {
        put("access.checkpoint", access.note.clone())?;
    }
    let entries = Showing { node, log: LogName::Acts, size: acts.size };
    for sequence in &found.sequences {
        let (_, stored, secrets) = entries.open(*sequence)?;
        let chosen = |slot: u8| found.readable.contains(&(*sequence, slot));
        entries.show(&mut parts, (&stored, &secrets), &chosen)?;
    }
    let segments = Showing { node, log: LogName::Access, size: access.size };
    for (leaf, rows) in &found.rows {
        segments.show_rows(&mut parts, *leaf, rows)?;
    }
    parts.sign(node.origin(), &signers).map_err(Fault::bug)
}

/// Shows entries of one log.
struct Showing<'a> {
    node: &'a Node,
    log: LogName,
    size: u64,
}

impl Showing<'_> {
    fn open(&self, sequence: u64) -> Result<(OpenedEntry, StoredEntry, StoredSecrets), Fault> {
        let missing = || Fault::from(store::Error::Missing(sequence));
        let log = self.node.log();
        let stored = log.entries_at(self.log, &[sequence])?.pop().ok_or_else(missing)?;
        let secrets = log.secrets_at(self.log, &[sequence])?.pop().ok_or_else(missing)?;
        let opened = open_entry_of(self.log, self.node.keys(), &stored, &secrets)?;
        Ok((opened, stored, secrets))
    }

    /// Puts leaf, proof, metadata and the chosen portions of an entry, with the salts of what is
    /// shown and of nothing else.
    fn show(
        &self,
        parts: &mut Parts,
        (stored, secrets): (&StoredEntry, &StoredSecrets),
        chosen: &dyn Fn(u8) -> bool,
    ) -> Result<(), Fault> {
        let sequence = stored.sequence;
        let folder = folder(self.log.name(), sequence);
        let mut put = |name: &str, bytes: Vec<u8>| {
            parts.put(format!("{folder}/{name}"), bytes).map_err(Fault::bug)
        };
        put("leaf", stored.leaf.clone())?;
        let hashes = LogHashes { reader: self.node.log(), log: self.log };
        let path = prove_inclusion(sequence, self.size, &hashes).map_err(Fault::bug)?;
        put("proof", path.iter().flat_map(|hash| hash.0).collect())?;
        put("commitments", stored.commitments.clone())?;
        let opened = open_entry_of(self.log, self.node.keys(), stored, secrets)?;
        let secrets = secrets.unwrap(self.node.keys(), self.log)?;
        let header = secret_of(&secrets, HEADER_SLOT);
        let header = header.ok_or_else(|| Fault::from(store::Error::Missing(sequence)))?;
        let bytes = opened.header.to_bytes().map_err(Fault::bug)?;
        let local = local_salt(&header.secret).map_err(Fault::bug)?;
        let local = local_commitment(&local, &bytes.local);
        let salt = shared_salt(&header.secret).map_err(Fault::bug)?;
        put("header", [salt.expose().as_slice(), &local.0, &bytes.shared].concat())?;
        for (slot, content) in &opened.contents {
            let (Content::Open(body), true) = (content, chosen(*slot)) else { continue };
            let named = opened.header.local.slots.iter().find(|named| named.slot == *slot);
            let secret = secret_of(&secrets, *slot);
            let (Some(named), Some(secret)) = (named, secret) else { continue };
            let media =
                match (self.log, named == opened.header.local.slots.first().unwrap_or(named)) {
                    (LogName::Access, false) => "application/octet-stream",
                    (LogName::Access, true) | (LogName::Acts | LogName::Talk, _) => {
                        "application/json"
                    }
                };
            let portion = Portion {
                label: named.label.clone(),
                circle: named.circle,
                media: media.to_owned(),
                body: body.clone(),
            };
            let salt = commitment_salt(&secret.secret).map_err(Fault::bug)?;
            let bytes = portion.to_bytes().map_err(Fault::bug)?;
            put(&format!("portion.{slot:03}"), [salt.expose().as_slice(), &bytes].concat())?;
        }
        Ok(())
    }

    /// Puts a leaf of the access log with its summary, and some of its rows with their proofs.
    fn show_rows(&self, parts: &mut Parts, leaf: u64, rows: &BTreeSet<u64>) -> Result<(), Fault> {
        let (opened, stored, secrets) = self.open(leaf)?;
        let segment = recorded(opened).map_err(Fault::bug)?;
        self.show(parts, (&stored, &secrets), &|slot| slot == segment.slot)?;
        for index in rows {
            let row = usize::try_from(*index).ok().and_then(|i| segment.rows.get(i));
            let row = row.ok_or_else(|| Fault::bug("a row of the access log is not there"))?;
            let path = prove_row(&segment.rows, *index).map_err(Fault::bug)?;
            let count = u16::try_from(path.len()).map_err(Fault::bug)?;
            let path: Vec<u8> = path.iter().flat_map(|hash: &Digest| hash.0).collect();
            let bytes = [row.salt.as_slice(), &count.to_be_bytes(), &path, &row.json].concat();
            let name = format!("{}/row.{index:08}", folder(self.log.name(), leaf));
            parts.put(name, bytes).map_err(Fault::bug)?;
        }
        Ok(())
    }
}
