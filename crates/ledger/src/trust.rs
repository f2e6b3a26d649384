//! Trust policies (C2SP tlog-policy): which logs count, and which witnesses make a quorum.
//!
//! A policy is a text file that an auditor keeps: logs and witnesses by verifier key, groups of k
//! of n, and one quorum. A checkpoint is good when one of the logs signed it and the quorum
//! cosigned it. Names of witnesses and groups mean nothing outside the file.

use base::limit;

use crate::checkpoint::{Checkpoint, LogKeys, Origin};
use crate::cosignature::timestamp_s;
use crate::encoding::decimal;
use crate::error::Error;
use crate::note::{KeyName, Note, Require, SignatureType, VerifierKey};

/// LIMIT: lines of each kind in a policy; the specification asks for room for 32.
const DEFINITIONS: usize = 64;

/// Octets of a name or URL, which need not be UTF-8.
type Octets = Vec<u8>;

/// A log that the policy accepts.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Log {
    key: VerifierKey,
    url: Option<Octets>,
}

/// What a name in the policy stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Member {
    Witness {
        key: VerifierKey,
        url: Option<Octets>,
    },
    /// At least `threshold` of the members at these places.
    Group {
        threshold: usize,
        members: Vec<usize>,
    },
}

/// What has to have cosigned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Quorum {
    None,
    Of(usize),
}

/// A witness that cosigned, with the time that it states.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cosigned {
    /// The name of the witness's key.
    pub witness: KeyName,
    /// Seconds since 1970.
    pub timestamp_s: u64,
}

/// A checkpoint that a policy accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Witnessed {
    /// What the log states.
    pub checkpoint: Checkpoint,
    /// Every known witness that cosigned, whether the quorum needed it or not.
    pub cosigned: Vec<Cosigned>,
}

/// Whom a verifier trusts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trust {
    logs: Vec<Log>,
    // INVARIANT: a group's members stand before it.
    members: Vec<(Octets, Member)>,
    quorum: Quorum,
    require: Require,
}

impl Trust {
    /// Reads a policy file.
    ///
    /// # Errors
    /// [`Error::Policy`] or [`Error::PolicyKey`], with the line.
    pub fn parse(file: &[u8]) -> Result<Self, Error> {
        if file.len() > limit::NOTE_BYTES {
            return Err(Error::Policy { line: 0, fault: "file is too large" });
        }
        let mut draft = Draft::default();
        for (place, line) in file.split(|octet| *octet == b'\n').enumerate() {
            draft.read(line).map_err(|fault| fault.at(place + 1))?;
        }
        draft.finish().map_err(|fault| fault.at(0))
    }

    /// Makes the policy of some logs and of any `threshold` of some witnesses.
    ///
    /// # Errors
    /// [`Error::Policy`] or [`Error::PolicyKey`], with line 0, when keys are named twice, are not
    /// for their use, or the threshold is not from 0 (no witness needed) to their number.
    pub fn k_of_n(
        logs: &[VerifierKey],
        witnesses: &[VerifierKey],
        threshold: usize,
    ) -> Result<Self, Error> {
        let mut draft = Draft::default();
        let at = |fault: Fault| fault.at(0);
        for key in logs {
            draft.log(key.clone(), None).map_err(at)?;
        }
        let mut names = Vec::new();
        for (place, key) in witnesses.iter().enumerate() {
            let name = format!("w{}", place + 1).into_bytes();
            draft.witness(&name, key.clone(), None).map_err(at)?;
            names.push(name);
        }
        if threshold == 0 {
            draft.quorum(b"none").map_err(at)?;
        } else {
            let names: Vec<&[u8]> = names.iter().map(Vec::as_slice).collect();
            draft.group(b"q", threshold.to_string().as_bytes(), &names).map_err(at)?;
            draft.quorum(b"q").map_err(at)?;
        }
        draft.finish().map_err(at)
    }

    /// The same policy for a reader who wants certain signatures of the log as well.
    #[must_use]
    pub fn requiring(self, require: Require) -> Self {
        Self { require, ..self }
    }

    /// The keys and, where the file gives them, the URLs of the witnesses.
    pub fn witnesses(&self) -> impl Iterator<Item = (&VerifierKey, Option<&[u8]>)> {
        self.members.iter().filter_map(|(_name, member)| match member {
            Member::Witness { key, url } => Some((key, url.as_deref())),
            Member::Group { .. } => None,
        })
    }

    /// Verifies a note as a checkpoint that this policy accepts.
    ///
    /// # Errors
    /// [`Error::OtherLog`] when none of the logs has its origin; what [`LogKeys::open`] gives;
    /// [`Error::Signature`] when a known witness's cosignature is false; [`Error::Quorum`] when
    /// too few are there.
    pub fn verify(&self, note: &Note) -> Result<Witnessed, Error> {
        let claimed = Checkpoint::parse(note.unverified_text())?;
        let keys = self.log_keys(claimed.origin())?;
        let checkpoint = keys.open(note)?;
        let signed = note.signed_by(self.witnesses().map(|(key, _url)| key))?;
        if !self.quorum_met(|key| signed.iter().any(|(by, _line)| *by == key)) {
            return Err(Error::Quorum(signed.len()));
        }
        let cosigned = signed.into_iter().map(|(key, line)| {
            Ok(Cosigned { witness: key.name().clone(), timestamp_s: timestamp_s(line)? })
        });
        Ok(Witnessed { checkpoint, cosigned: cosigned.collect::<Result<_, Error>>()? })
    }

    fn log_keys(&self, origin: &Origin) -> Result<LogKeys, Error> {
        let named = |log: &&Log| log.key.name().as_str() == origin.as_str();
        let keys: Vec<_> = self.logs.iter().filter(named).map(|log| log.key.clone()).collect();
        if keys.is_empty() {
            return Err(Error::OtherLog(origin.to_string()));
        }
        LogKeys::new(keys, self.require)
    }

    fn quorum_met(&self, cosigned: impl Fn(&VerifierKey) -> bool) -> bool {
        let Quorum::Of(quorum) = self.quorum else { return true };
        let mut met: Vec<bool> = Vec::with_capacity(self.members.len());
        for (_name, member) in &self.members {
            met.push(match member {
                Member::Witness { key, .. } => cosigned(key),
                Member::Group { threshold, members } => {
                    let witnessing = |place: &&usize| met.get(**place).is_some_and(|met| *met);
                    members.iter().filter(witnessing).count() >= *threshold
                }
            });
        }
        met.get(quorum).is_some_and(|met| *met)
    }

    /// Writes the policy as a file that [`Trust::parse`] reads; comments are not kept.
    pub fn to_file(&self) -> Vec<u8> {
        let mut file = Vec::new();
        let mut line = |parts: &[&[u8]]| {
            file.extend_from_slice(&parts.join(&b' '));
            file.push(b'\n');
        };
        for Log { key, url } in &self.logs {
            let key = key.to_string();
            line(
                &[&[b"log".as_slice(), key.as_bytes()], url_part(url.as_ref()).as_slice()].concat(),
            );
        }
        for (name, member) in &self.members {
            match member {
                Member::Witness { key, url } => {
                    let key = key.to_string();
                    let parts = [b"witness".as_slice(), name, key.as_bytes()];
                    line(&[parts.as_slice(), url_part(url.as_ref()).as_slice()].concat());
                }
                Member::Group { threshold, members } => {
                    let least = threshold.to_string();
                    let names = members.iter().filter_map(|place| self.members.get(*place));
                    let names: Vec<&[u8]> = names.map(|(name, _)| name.as_slice()).collect();
                    let parts = [b"group".as_slice(), name, least.as_bytes()];
                    line(&[parts.as_slice(), names.as_slice()].concat());
                }
            }
        }
        let quorum = match self.quorum {
            Quorum::None => None,
            Quorum::Of(place) => self.members.get(place),
        };
        line(&[b"quorum", quorum.map_or(b"none".as_slice(), |(name, _)| name)]);
        file
    }
}

fn url_part(url: Option<&Octets>) -> Vec<&[u8]> {
    url.into_iter().map(Vec::as_slice).collect()
}

/// What is wrong with a line, before its number is known.
enum Fault {
    Form(&'static str),
    Key(Box<Error>),
}

impl Fault {
    fn at(self, line: usize) -> Error {
        match self {
            Self::Form(fault) => Error::Policy { line, fault },
            Self::Key(source) => Error::PolicyKey { line, source },
        }
    }
}

/// A policy while its lines are read.
#[derive(Default)]
struct Draft {
    logs: Vec<Log>,
    members: Vec<(Octets, Member)>,
    /// Places of those that stand in a group already.
    grouped: Vec<usize>,
    quorum: Option<Quorum>,
}

impl Draft {
    fn read(&mut self, line: &[u8]) -> Result<(), Fault> {
        if line.iter().any(|octet| (*octet < b' ' && *octet != b'\t') || *octet == 0x7f) {
            return Err(Fault::Form("control characters"));
        }
        let items: Vec<&[u8]> = line
            .split(|octet| matches!(octet, b' ' | b'\t'))
            .filter(|item| !item.is_empty())
            .collect();
        match items.as_slice() {
            [] => Ok(()),
            [first, ..] if first.starts_with(b"#") => Ok(()),
            [b"log", key] => self.log(read_key(key)?, None),
            [b"log", key, url] => self.log(read_key(key)?, Some(url.to_vec())),
            [b"witness", name, key] => self.witness(name, read_key(key)?, None),
            [b"witness", name, key, url] => self.witness(name, read_key(key)?, Some(url.to_vec())),
            [b"group", name, threshold, members @ ..] => self.group(name, threshold, members),
            [b"quorum", name] => self.quorum(name),
            _ => Err(Fault::Form("neither log, witness, group nor quorum")),
        }
    }

    fn log(&mut self, key: VerifierKey, url: Option<Octets>) -> Result<(), Fault> {
        match key.kind() {
            SignatureType::Ed25519 | SignatureType::MlDsa87 => {}
            SignatureType::Cosignature => {
                let fault = Error::SignatureType(key.label());
                return Err(Fault::Key(Box::new(fault)));
            }
        }
        if self.logs.iter().any(|log| log.key.public() == key.public()) {
            return Err(Fault::Form("log key is named twice"));
        }
        self.logs.push(Log { key, url });
        if self.logs.len() > DEFINITIONS { Err(Fault::Form("too many logs")) } else { Ok(()) }
    }

    fn witness(&mut self, name: &[u8], key: VerifierKey, url: Option<Octets>) -> Result<(), Fault> {
        match key.kind() {
            SignatureType::Cosignature => {}
            SignatureType::Ed25519 | SignatureType::MlDsa87 => {
                let fault = Error::SignatureType(key.label());
                return Err(Fault::Key(Box::new(fault)));
            }
        }
        let known = |(_name, member): &(Octets, Member)| match member {
            Member::Witness { key: other, .. } => other.public() == key.public(),
            Member::Group { .. } => false,
        };
        if self.members.iter().any(known) {
            return Err(Fault::Form("witness key is named twice"));
        }
        self.define(name, Member::Witness { key, url })
    }

    fn group(&mut self, name: &[u8], threshold: &[u8], members: &[&[u8]]) -> Result<(), Fault> {
        let places = members.iter().map(|member| self.place(member));
        let places: Vec<usize> = places.collect::<Result<_, _>>()?;
        let threshold = match threshold {
            b"all" => places.len(),
            b"any" => 1,
            digits => {
                let least = decimal(utf8(digits)?).and_then(|least| usize::try_from(least).ok());
                least.ok_or(Fault::Form("threshold is not a number"))?
            }
        };
        if threshold == 0 || threshold > places.len() {
            return Err(Fault::Form("threshold is not from 1 to the number of members"));
        }
        for place in &places {
            if self.grouped.contains(place) {
                return Err(Fault::Form("member stands in a group already"));
            }
            self.grouped.push(*place);
        }
        self.define(name, Member::Group { threshold, members: places })
    }

    fn quorum(&mut self, name: &[u8]) -> Result<(), Fault> {
        if self.quorum.is_some() {
            return Err(Fault::Form("second quorum"));
        }
        let none = name == b"none";
        self.quorum = Some(if none { Quorum::None } else { Quorum::Of(self.place(name)?) });
        Ok(())
    }

    fn define(&mut self, name: &[u8], member: Member) -> Result<(), Fault> {
        if name == b"none" {
            return Err(Fault::Form("name `none` is taken"));
        }
        if self.place(name).is_ok() {
            return Err(Fault::Form("name is defined twice"));
        }
        self.members.push((name.to_vec(), member));
        let full = self.members.len() > 2 * DEFINITIONS;
        if full { Err(Fault::Form("too many witnesses and groups")) } else { Ok(()) }
    }

    fn place(&self, name: &[u8]) -> Result<usize, Fault> {
        let place = self.members.iter().position(|(known, _member)| known == name);
        place.ok_or(Fault::Form("name is not defined above"))
    }

    fn finish(self) -> Result<Trust, Fault> {
        let Self { logs, members, quorum, .. } = self;
        let quorum = quorum.ok_or(Fault::Form("no quorum"))?;
        Ok(Trust { logs, members, quorum, require: Require::default() })
    }
}

fn read_key(octets: &[u8]) -> Result<VerifierKey, Fault> {
    utf8(octets)?.parse().map_err(|fault| Fault::Key(Box::new(fault)))
}

fn utf8(octets: &[u8]) -> Result<&str, Fault> {
    std::str::from_utf8(octets).ok().ok_or(Fault::Form("key or threshold is not UTF-8"))
}
