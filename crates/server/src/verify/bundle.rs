//! The bundle of an inquiry, verified offline: signatures, parts, entries, rows, and the evidence
//! of each finding.
//!
//! Nothing of the node is needed but its verifier keys. What an entry or a row proves is held
//! against it; that a record was *available* is computed by the node and signed by it, not proved.

use std::collections::BTreeMap;

use app::inquiries::bundle::About;
use app::inquiries::findings::{Acted, Findings, OfPerson, Seen};
use app::kernel::access::{AccessKind, AccessRow};
use app::kernel::segment::{Row, Summary};
use ledger::bundle::{Fault, Parts, Shown, entry, folders, read};
use ledger::checkpoint::LogKeys;
use ledger::header::Actor;
use ledger::note::{Note, Require, VerifierKey};
use ledger::proof::verify_inclusion;
use ledger::tree::Head;
use serde::de::DeserializeOwned;
use store::log::LogName;

/// What was looked at, and what is wrong.
#[derive(Debug, Default)]
pub struct Checked {
    pub faults: Vec<Fault>,
    pub parts: u64,
    pub entries: u64,
    pub portions: u64,
    pub rows: u64,
    /// Findings whose evidence was held against it.
    pub proved: u64,
}

/// Verifies a bundle with the keys of the node that made it.
///
/// A changed byte is named by its part. When every part is the one that was signed, each is held
/// against the others too: a node that signs what does not fit is named as well.
pub fn check(file: &[u8], trust: &[VerifierKey]) -> Checked {
    let mut checked = Checked::default();
    let Some(acts) = keys_of(trust, LogName::Acts) else {
        checked.faults.push(Fault::of("keys", "they are not those of a node"));
        return checked;
    };
    let origin = acts.origin().as_str().to_owned();
    let read = read(file, &origin, acts.keys());
    checked.faults = read.faults;
    checked.parts = read.parts.0.len() as u64;
    if checked.faults.is_empty()
        && let Err(fault) = inside(&read.parts, &acts, trust, &mut checked)
    {
        checked.faults.push(fault);
    }
    checked
}

/// The keys of one of a node's logs, by the last part of their name.
fn keys_of(trust: &[VerifierKey], log: LogName) -> Option<LogKeys> {
    let of = |key: &&VerifierKey| key.name().as_str().ends_with(&format!("/{}", log.name()));
    let keys: Vec<VerifierKey> = trust.iter().filter(of).cloned().collect();
    LogKeys::new(keys, Require::Both).ok()
}

fn inside(
    parts: &Parts,
    acts: &LogKeys,
    trust: &[VerifierKey],
    checked: &mut Checked,
) -> Result<(), Fault> {
    let about: About = json(parts, "about.json")?;
    if about.origin != acts.origin().as_str() {
        return Err(Fault::of("about.json", "it is of another node"));
    }
    keys(parts, trust)?;
    let findings: Findings = json(parts, "findings.json")?;
    if findings.inquiry != about.inquiry {
        return Err(Fault::of("findings.json", "it is of another inquiry"));
    }
    let head = head(parts, "acts.checkpoint", acts)?;
    let mut entries = BTreeMap::new();
    for (index, folder) in folders(parts, LogName::Acts.name()) {
        let shown = entry(parts, &folder, index, &head)?;
        if shown.shared.ledger != about.ledger {
            return Err(Fault::of(format!("{folder}/header"), "it is of another ledger"));
        }
        checked.entries += 1;
        checked.portions += shown.portions.len() as u64;
        entries.insert(index, shown);
    }
    let mut rows = BTreeMap::new();
    let segments = folders(parts, LogName::Access.name());
    if !segments.is_empty() {
        let access = keys_of(trust, LogName::Access);
        let access =
            access.ok_or_else(|| Fault::of("access.checkpoint", "no key of it is known"))?;
        let head = self::head(parts, "access.checkpoint", &access)?;
        for (index, folder) in segments {
            let shown = entry(parts, &folder, index, &head)?;
            checked.entries += 1;
            segment(parts, &folder, &shown, &mut rows)?;
        }
    }
    checked.rows = rows.len() as u64;
    let evidence = Evidence { findings: &findings, entries, rows };
    checked.proved = evidence.check()?;
    Ok(())
}

fn json<T: DeserializeOwned>(parts: &Parts, name: &str) -> Result<T, Fault> {
    serde_json::from_slice(parts.get(name)?).map_err(|form| Fault::of(name, form.to_string()))
}

/// The keys that the bundle carries are for people to compare; those that are given decide.
fn keys(parts: &Parts, trust: &[VerifierKey]) -> Result<(), Fault> {
    let name = "keys.pub";
    let text = String::from_utf8_lossy(parts.get(name)?).into_owned();
    for line in text.lines() {
        let key: VerifierKey =
            line.parse().map_err(|why: ledger::Error| Fault::of(name, why.to_string()))?;
        if !trust.contains(&key) {
            return Err(Fault::of(name, format!("`{}` is not a key that is known", key.name())));
        }
    }
    Ok(())
}

fn head(parts: &Parts, name: &str, keys: &LogKeys) -> Result<Head, Fault> {
    let fault = |why: ledger::Error| Fault::of(name, why.to_string());
    let note = Note::parse(parts.get(name)?).map_err(fault)?;
    Ok(*keys.open(&note).map_err(fault)?.head())
}

type Rows = BTreeMap<(u64, u64), AccessRow>;

/// Holds the rows that are shown of a leaf against its summary.
fn segment(parts: &Parts, folder: &str, shown: &Shown, rows: &mut Rows) -> Result<(), Fault> {
    let summary = shown.portions.values().next();
    let summary: Option<Summary> = summary.and_then(|s| serde_json::from_slice(&s.body).ok());
    let summary = summary.ok_or_else(|| Fault::of(format!("{folder}/portion"), "no summary"))?;
    let tree = Head { size: summary.rows, root: summary.root };
    let below = format!("{folder}/row.");
    for (name, bytes) in parts.0.range(below.clone()..) {
        let Some(index) = name.strip_prefix(&below) else { break };
        let cut = || Fault::of(name, "it is cut off");
        let index: u64 = index.parse().ok().ok_or_else(|| Fault::of(name, "it has no number"))?;
        let (salt, rest) = bytes.split_first_chunk::<32>().ok_or_else(cut)?;
        let (count, rest) = rest.split_first_chunk::<2>().ok_or_else(cut)?;
        let hashes = usize::from(u16::from_be_bytes(*count)) * 32;
        let (path, json) = rest.split_at_checked(hashes).ok_or_else(cut)?;
        let path: Vec<_> = path.chunks_exact(32).filter_map(base::Digest::from_slice).collect();
        let row = Row { salt: *salt, json: json.to_vec() };
        verify_inclusion(&row.hash(), index, &tree, &path)
            .map_err(|why| Fault::of(name, why.to_string()))?;
        let row = row.read().ok_or_else(|| Fault::of(name, "it has another form"))?;
        rows.insert((shown.index, index), row);
    }
    Ok(())
}

/// The findings with what was verified.
struct Evidence<'a> {
    findings: &'a Findings,
    entries: BTreeMap<u64, Shown>,
    rows: Rows,
}

impl Evidence<'_> {
    fn check(&self) -> Result<u64, Fault> {
        let mut proved = 0;
        for acted in &self.findings.entries {
            self.entry(acted, None)?;
            proved += 1;
        }
        for person in &self.findings.people {
            let seen = [
                (&person.sent, AccessKind::Delivered),
                (&person.listed, AccessKind::Listed),
                (&person.opened, AccessKind::Opened),
                (&person.denied, AccessKind::Denied),
            ];
            for (seen, kind) in seen {
                let Some(seen) = seen else { continue };
                self.row(person, seen, kind)?;
                proved += 1;
            }
            if let Some(acted) = &person.acknowledged {
                self.entry(acted, Some(Actor::Person(person.person)))?;
                proved += 1;
            }
        }
        for agency in &self.findings.agencies {
            let Some(acted) = &agency.acknowledged else { continue };
            let shown = self.entry(acted, None)?;
            if shown.shared.agency != agency.agency {
                return Err(wrong(&format!("entry {} is of another agency", acted.sequence)));
            }
            proved += 1;
        }
        Ok(proved)
    }

    fn entry(&self, acted: &Acted, actor: Option<Actor>) -> Result<&Shown, Fault> {
        let sequence = acted.sequence;
        let shown = self.entries.get(&sequence);
        let shown =
            shown.ok_or_else(|| wrong(&format!("entry {sequence} is not in the bundle")))?;
        let same = shown.leaf.entry == acted.entry
            && shown.leaf.at == acted.at
            && shown.shared.kind == acted.kind
            && shown.shared.record == self.findings.subject
            && acted.at <= self.findings.instant
            && actor.is_none_or(|actor| actor == shown.shared.actor);
        if same { Ok(shown) } else { Err(wrong(&format!("entry {sequence} says another thing"))) }
    }

    fn row(&self, person: &OfPerson, seen: &Seen, kind: AccessKind) -> Result<(), Fault> {
        let (leaf, number) = (seen.row.leaf, seen.row.row);
        let named = format!("row {number} of leaf {leaf} of the access log");
        let row = self.rows.get(&(leaf, number));
        let row = row.ok_or_else(|| wrong(&format!("{named} is not in the bundle")))?;
        let same = row.at == seen.at
            && row.kind == kind
            && row.person == Some(person.person)
            && row.records.contains(&self.findings.subject)
            && row.at <= self.findings.instant;
        if same { Ok(()) } else { Err(wrong(&format!("{named} says another thing"))) }
    }
}

fn wrong(why: &str) -> Fault {
    Fault::of("findings.json", why)
}
