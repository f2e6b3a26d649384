//! A bundle file: parts by name, named with their digests in a note that the node signs.
//!
//! ```text
//! "muster bundle 1\n" ‖ u32 count ‖ count × (u16 length ‖ name ‖ u64 length ‖ bytes)
//! ```
//! Numbers are big-endian, parts stand in the order of their names, nothing follows the last. The
//! part `manifest` is a signed note (C2SP signed-note) whose text no checkpoint can have:
//!
//! ```text
//! muster-bundle/v1
//! <origin of the log of acts>
//! <SHA-256, hexadecimal> <bytes, decimal> <name>      one line for each other part
//! ```
//! `docs/formats/inquiry-bundle.md` says which parts an inquiry's bundle has.

use std::collections::BTreeMap;
use std::fmt;

use base::crypto::{Digest, Secret, sha256};

use crate::encoding::decimal;
use crate::leaf::Leaf;
use crate::note::{Note, Require, Signer, VerifierKeys};
use crate::portion::{Opened, Position, open_commitments, open_committed};
use crate::proof::verify_inclusion;
use crate::tree::{Head, leaf_hash};
use crate::{header, header::Shared};

/// What a bundle begins with.
pub const MAGIC: &[u8] = b"muster bundle 1\n";
/// The part with the signatures.
pub const MANIFEST: &str = "manifest";
/// LIMIT: bytes of a bundle, which is read whole.
pub const BUNDLE_BYTES: usize = 256 * 1024 * 1024;
const TITLE: &str = "muster-bundle/v1";

/// What is wrong with a part of a bundle.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// The part, or the place in the container.
    pub part: String,
    pub why: String,
}

impl Fault {
    /// A fault of a part.
    pub fn of(part: impl Into<String>, why: impl Into<String>) -> Self {
        Self { part: part.into(), why: why.into() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.part, self.why)
    }
}

impl std::error::Error for Fault {}

/// The parts of a bundle, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parts(pub BTreeMap<String, Vec<u8>>);

impl Parts {
    /// Adds a part.
    ///
    /// # Errors
    /// [`Fault`] for a name that is taken, or that is not of `a-z`, `0-9`, `.`, `-` and `/`.
    pub fn put(&mut self, name: impl Into<String>, bytes: Vec<u8>) -> Result<(), Fault> {
        let name = name.into();
        if !valid_name(&name) || name == MANIFEST {
            return Err(Fault::of(name, "this is no name of a part"));
        }
        match self.0.insert(name.clone(), bytes) {
            None => Ok(()),
            Some(_) => Err(Fault::of(name, "there are two parts of this name")),
        }
    }

    /// A part.
    ///
    /// # Errors
    /// [`Fault`] that names it when it is missing.
    pub fn get(&self, name: &str) -> Result<&[u8], Fault> {
        self.0.get(name).map(Vec::as_slice).ok_or_else(|| Fault::of(name, "it is missing"))
    }

    /// Signs the parts and writes the file.
    ///
    /// # Errors
    /// [`crate::Error::Sign`] when a signer fails.
    pub fn sign(mut self, origin: &str, signers: &[Signer]) -> Result<Vec<u8>, crate::Error> {
        let mut text = format!("{TITLE}\n{origin}\n");
        for (name, bytes) in &self.0 {
            text.push_str(&listing(name, bytes));
        }
        let note = Note::sign(&text, signers)?;
        self.0.insert(MANIFEST.to_owned(), note.to_string().into_bytes());
        Ok(self.to_bytes())
    }

    fn to_bytes(&self) -> Vec<u8> {
        let mut file = MAGIC.to_vec();
        file.extend_from_slice(&u32::try_from(self.0.len()).unwrap_or(u32::MAX).to_be_bytes());
        for (name, bytes) in &self.0 {
            let length = u16::try_from(name.len()).unwrap_or(u16::MAX);
            file.extend_from_slice(&length.to_be_bytes());
            file.extend_from_slice(name.as_bytes());
            file.extend_from_slice(&(bytes.len() as u64).to_be_bytes());
            file.extend_from_slice(bytes);
        }
        file
    }
}

/// The line of a part in the manifest.
fn listing(name: &str, bytes: &[u8]) -> String {
    format!("{} {} {name}\n", sha256(bytes), bytes.len())
}

fn valid_name(name: &str) -> bool {
    let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b".-/".contains(&b);
    !name.is_empty() && name.len() <= 200 && name.bytes().all(fits)
}

/// A bundle as it was read: every part that could be, and whatever is wrong with the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Read {
    pub parts: Parts,
    pub faults: Vec<Fault>,
}

/// Reads a bundle, verifies its signatures and holds every part against the manifest.
///
/// Each changed byte is named by its part, or, where it breaks the container, by what it follows.
pub fn read(file: &[u8], origin: &str, keys: &VerifierKeys) -> Read {
    let mut read = Read::default();
    if let Err(fault) = parts(file, &mut read.parts) {
        read.faults.push(fault);
    }
    let manifest = read.parts.0.remove(MANIFEST);
    let Some(manifest) = manifest else {
        read.faults.push(Fault::of(MANIFEST, "it is missing"));
        return read;
    };
    match listed(&manifest, origin, keys) {
        Ok((listed, why)) => {
            read.faults.extend(why.map(|why| Fault::of(MANIFEST, why)));
            compare(&listed, &read.parts, &mut read.faults);
        }
        Err(why) => read.faults.push(Fault::of(MANIFEST, why)),
    }
    read
}

/// Reads the container as far as it goes.
fn parts(file: &[u8], into: &mut Parts) -> Result<(), Fault> {
    let behind = |last: &str| {
        let part = if last.is_empty() { "container".to_owned() } else { format!("behind {last}") };
        Fault::of(part, "the container is broken there")
    };
    if file.len() > BUNDLE_BYTES {
        return Err(Fault::of("container", "it is larger than a bundle may be"));
    }
    let rest = file.strip_prefix(MAGIC).ok_or_else(|| behind(""))?;
    let (count, mut rest) = rest.split_first_chunk::<4>().ok_or_else(|| behind(""))?;
    let mut last = String::new();
    for _ in 0..u32::from_be_bytes(*count) {
        let broken = || behind(&last);
        let (length, left) = rest.split_first_chunk::<2>().ok_or_else(broken)?;
        let (name, left) =
            left.split_at_checked(usize::from(u16::from_be_bytes(*length))).ok_or_else(broken)?;
        let name = std::str::from_utf8(name).ok().filter(|name| valid_name(name));
        let name = name.filter(|name| *name > last.as_str()).ok_or_else(broken)?;
        let (length, left) = left.split_first_chunk::<8>().ok_or_else(broken)?;
        let length = usize::try_from(u64::from_be_bytes(*length)).unwrap_or(usize::MAX);
        let (bytes, left) = left.split_at_checked(length).ok_or_else(broken)?;
        into.0.insert(name.to_owned(), bytes.to_vec());
        name.clone_into(&mut last);
        rest = left;
    }
    if rest.is_empty() { Ok(()) } else { Err(behind(&last)) }
}

type Listed = BTreeMap<String, (Digest, u64)>;

/// The lines of a manifest, and what is wrong with its signatures.
fn listed(
    manifest: &[u8],
    origin: &str,
    keys: &VerifierKeys,
) -> Result<(Listed, Option<String>), String> {
    let note = Note::parse(manifest).map_err(|fault| fault.to_string())?;
    let unknown = note.signatures().iter().any(|line| !keys.iter().any(|key| key.made(line)));
    let why = match note.open(keys, Require::Both) {
        Ok(_) if unknown => Some("a key that is not known signed it too".to_owned()),
        Ok(_) => None,
        Err(fault) => Some(fault.to_string()),
    };
    let mut lines = note.unverified_text().lines();
    if lines.next() != Some(TITLE) || lines.next() != Some(origin) {
        return Err(why.unwrap_or_else(|| "it is of another node or no bundle's".to_owned()));
    }
    let mut listed = Listed::new();
    for line in lines {
        let mut words = line.split(' ');
        let (digest, bytes, name) = (words.next(), words.next(), words.next());
        let entry = digest.and_then(|d| d.parse().ok()).zip(bytes.and_then(decimal));
        match (entry, name, words.next()) {
            (Some(entry), Some(name), None) => listed.insert(name.to_owned(), entry),
            _ => return Err("a line of it has another form".to_owned()),
        };
    }
    Ok((listed, why))
}

fn compare(listed: &Listed, parts: &Parts, faults: &mut Vec<Fault>) {
    for (name, (digest, bytes)) in listed {
        match parts.0.get(name) {
            None => faults.push(Fault::of(name, "it is missing")),
            Some(part) if part.len() as u64 != *bytes || sha256(part) != *digest => {
                faults.push(Fault::of(name, "it is not what the node signed"));
            }
            Some(_) => {}
        }
    }
    let more = parts.0.keys().filter(|name| !listed.contains_key(*name));
    faults.extend(more.map(|name| Fault::of(name, "the node did not sign it")));
}

/// One entry as a bundle shows it: the metadata of its header, and the portions that were chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    pub index: u64,
    pub leaf: Leaf,
    pub shared: Shared,
    /// By slot.
    pub portions: BTreeMap<u8, Opened>,
}

/// Verifies an entry whose parts stand below `prefix`, against a head that was signed.
///
/// # Errors
/// [`Fault`] that names the part that does not fit.
pub fn entry(parts: &Parts, prefix: &str, index: u64, head: &Head) -> Result<Shown, Fault> {
    let name = |part: &str| format!("{prefix}/{part}");
    let fault = |part: &str, why: String| Fault::of(name(part), why);
    let bytes = parts.get(&name("leaf"))?;
    let leaf = Leaf::from_bytes(bytes).map_err(|cause| fault("leaf", cause.to_string()))?;
    let path: Vec<Digest> =
        parts.get(&name("proof"))?.chunks(32).filter_map(Digest::from_slice).collect();
    verify_inclusion(&leaf_hash(bytes), index, head, &path)
        .map_err(|cause| fault("proof", cause.to_string()))?;
    let section = parts.get(&name("header"))?;
    let form = || fault("header", "it is cut off".to_owned());
    let (salt, section) = section.split_first_chunk::<32>().ok_or_else(form)?;
    let (local, section) = section.split_first_chunk::<32>().ok_or_else(form)?;
    let shared = header::open_shared(&leaf, &Secret::new(*salt), section, Digest(*local))
        .map_err(|cause| fault("header", cause.to_string()))?;
    let list = open_commitments(&leaf, parts.get(&name("commitments"))?)
        .map_err(|cause| fault("commitments", cause.to_string()))?;
    let mut portions = BTreeMap::new();
    let below = name("portion.");
    for (part, bytes) in parts.0.range(below.clone()..) {
        let Some(slot) = part.strip_prefix(&below) else { break };
        let wrong = |why: &str| Fault::of(part, why);
        let slot: u8 = slot.parse().ok().ok_or_else(|| wrong("its slot is no number"))?;
        let (salt, portion) =
            bytes.split_first_chunk::<32>().ok_or_else(|| wrong("it is cut off"))?;
        let expected =
            list.get(usize::from(slot)).ok_or_else(|| wrong("no slot has its number"))?;
        let position = Position { ledger: shared.ledger, entry: shared.entry, slot };
        let opened = open_committed(&Secret::new(*salt), position, portion, *expected)
            .map_err(|cause| wrong(&cause.to_string()))?;
        portions.insert(slot, opened);
    }
    Ok(Shown { index, leaf, shared, portions })
}

/// The name of the folder of an entry.
pub fn folder(log: &str, index: u64) -> String {
    format!("{log}/{index:012}")
}

/// The folders of a log, with the index of each, in order.
pub fn folders(parts: &Parts, log: &str) -> Vec<(u64, String)> {
    let prefix = format!("{log}/");
    let mut found: Vec<(u64, String)> = Vec::new();
    for name in parts.0.range(prefix.clone()..).map(|(name, _)| name) {
        let Some(rest) = name.strip_prefix(&prefix) else { break };
        let Some((index, _)) = rest.split_once('/') else { continue };
        let Ok(number) = index.parse::<u64>() else { continue };
        if found.last().is_none_or(|(last, _)| *last != number) {
            found.push((number, format!("{prefix}{index}")));
        }
    }
    found
}
