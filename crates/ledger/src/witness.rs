//! The witness protocol (C2SP tlog-witness v1.0.0, `add-checkpoint`), both sides, without HTTP.
//!
//! A witness keeps one head for each log and never goes back. Its caller, in this order:
//!
//! 1. reads the body ([`Request::parse`]) and finds the log ([`Witness::log_of`]);
//! 2. locks and loads the head that it keeps of that log, [`Head::empty`] at first;
//! 3. asks [`Witness::add_checkpoint`], which decides;
//! 4. makes the new head durable ([`Pending::head`]) and only then
//! 5. calls [`Pending::cosign`], unlocks, and answers with the line.
//!
//! SAFETY OF ORDER: no signature exists before the head that it states is durable. A witness that
//! cosigned first and lost power could be led to cosign a fork.

use std::fmt;

use base::{Digest, Time, limit};

use crate::checkpoint::{Checkpoint, LogKeys};
use crate::cosignature::{Cosigner, timestamp_s};
use crate::encoding::{base64, decimal, line_and_hashes};
use crate::error::Error;
use crate::note::{Note, Signature, SignatureType, VerifierKey, VerifierKeys};
use crate::proof::{prove_consistency, verify_consistency};
use crate::tree::{Hashes, Head};

/// LIMIT: hashes in a proof (tlog-witness, "add-checkpoint").
pub const PROOF_HASHES: usize = 63;
/// LIMIT: bytes of a request: its checkpoint, 63 lines of 45 bytes, and the line of the old size.
pub const REQUEST_BYTES: usize = limit::NOTE_BYTES + 45 * PROOF_HASHES + 32;
/// The media type of the size that a witness answers with status 409.
pub const SIZE_MEDIA_TYPE: &str = "text/x.tlog.size";

/// The body of a request to `add-checkpoint`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Leaves in the tree that the witness cosigned last, as far as the log knows.
    pub old_size: u64,
    /// The consistency proof from there; empty when `old_size` is 0.
    pub proof: Vec<Digest>,
    /// The checkpoint to cosign.
    pub checkpoint: Note,
}

impl Request {
    /// Reads a body.
    ///
    /// # Errors
    /// [`Error::Request`] for another form, or what [`Note::parse`] and [`Checkpoint::parse`] give.
    pub fn parse(body: &[u8]) -> Result<Self, Error> {
        if body.len() > REQUEST_BYTES {
            return Err(Error::Request);
        }
        let body = std::str::from_utf8(body).ok().ok_or(Error::Request)?;
        let (before, note) = body.split_once("\n\n").ok_or(Error::Request)?;
        let (old, proof) = line_and_hashes(before).ok_or(Error::Request)?;
        let old_size = old.strip_prefix("old ").and_then(decimal).ok_or(Error::Request)?;
        if proof.len() > PROOF_HASHES {
            return Err(Error::Request);
        }
        let checkpoint = Note::parse(note.as_bytes())?;
        Checkpoint::parse(checkpoint.unverified_text())?;
        Ok(Self { old_size, proof, checkpoint })
    }

    /// Makes the request of a log: from the size that the witness knows to its checkpoint.
    ///
    /// # Errors
    /// [`Error::WitnessAhead`] when the witness knows more leaves; what reading the hashes gives.
    pub fn new(known_size: u64, checkpoint: &Note, hashes: &dyn Hashes) -> Result<Self, Error> {
        let ours = Checkpoint::parse(checkpoint.unverified_text())?.head().size;
        if known_size > ours {
            return Err(Error::WitnessAhead { ours, theirs: known_size });
        }
        let proof = prove_consistency(known_size, ours, hashes)?;
        Ok(Self { old_size: known_size, proof, checkpoint: checkpoint.clone() })
    }

    /// Reads what the witness answered; `ours` is the size of the log by now, in leaves.
    ///
    /// `keys` are those of the witness. Signatures by others are ignored.
    ///
    /// # Errors
    /// [`Error::WitnessAhead`] when it cosigned more leaves than the log has: alarm, for the log
    /// was set back or forked. [`Error::Signature`], [`Error::Unsigned`] or [`Error::Timestamp`]
    /// for cosignatures that do not count; [`Error::Answer`] for a body that cannot be read.
    pub fn answered(
        &self,
        response: Response<'_>,
        keys: &VerifierKeys,
        ours: u64,
    ) -> Result<Answer, Error> {
        let Response { status, body } = response;
        if body.len() > limit::NOTE_BYTES {
            return Err(Error::Answer);
        }
        match status {
            200 => self.cosigned(body, keys).map(Answer::Cosigned),
            409 => {
                let size = std::str::from_utf8(body).ok().and_then(|body| body.strip_suffix('\n'));
                let theirs = size.and_then(decimal).ok_or(Error::Answer)?;
                let ahead = theirs > ours;
                let fault = Error::WitnessAhead { ours, theirs };
                if ahead { Err(fault) } else { Ok(Answer::Conflict { size: theirs }) }
            }
            status => Ok(Answer::Refused { status }),
        }
    }

    fn cosigned(&self, body: &[u8], keys: &VerifierKeys) -> Result<Vec<Signature>, Error> {
        let body = std::str::from_utf8(body).ok().ok_or(Error::Answer)?;
        let lines = Signature::parse_lines(body)?;
        let text = self.checkpoint.unverified_text();
        let mut cosigned = Vec::new();
        for key in keys {
            if key.kind() != SignatureType::Cosignature {
                return Err(Error::SignatureType(key.label()));
            }
            for line in lines.iter().filter(|line| key.made(line)) {
                key.verify(text, line)?;
                if timestamp_s(line)? == 0 {
                    return Err(Error::Timestamp);
                }
                cosigned.push(line.clone());
            }
        }
        if cosigned.is_empty() { Err(Error::Unsigned) } else { Ok(cosigned) }
    }
}

/// Writes the body.
impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "old {}", self.old_size)?;
        self.proof.iter().try_for_each(|hash| writeln!(f, "{}", base64(&hash.0)))?;
        write!(f, "\n{}", self.checkpoint)
    }
}

/// What came back over HTTP.
#[derive(Clone, Copy, Debug)]
pub struct Response<'b> {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: &'b [u8],
}

/// What a witness answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Cosignatures, verified, to be added to the checkpoint with [`Note::add`].
    Cosigned(Vec<Signature>),
    /// The witness knows another size: ask again from there.
    Conflict {
        /// Leaves in the tree that it cosigned last.
        size: u64,
    },
    /// The witness refused: 403 and 404 mean that it is configured otherwise, 422 that it saw
    /// another tree of the size it was asked from, which is a fork of this log or of its memory.
    Refused {
        /// The HTTP status.
        status: u16,
    },
}

/// Why a witness does not cosign; each has its HTTP status.
#[derive(Debug)]
pub enum Refusal {
    /// The body is malformed, or its old size is above that of the checkpoint: 400.
    Malformed(Error),
    /// No log with this origin is known: 404.
    UnknownLog,
    /// No known key of the log signed, or a known key's signature is false: 403.
    Unsigned(Error),
    /// The log thinks of another size than the witness keeps: 409.
    Conflict {
        /// Leaves in the tree that the witness cosigned last.
        size: u64,
    },
    /// The checkpoint does not follow from the one that the witness keeps: 422.
    ///
    /// Signed by the log, it may be a proof of misbehaviour: keep the request.
    Inconsistent(Error),
}

impl Refusal {
    /// The HTTP status.
    pub const fn status(&self) -> u16 {
        match self {
            Self::Malformed(_) => 400,
            Self::Unsigned(_) => 403,
            Self::UnknownLog => 404,
            Self::Conflict { .. } => 409,
            Self::Inconsistent(_) => 422,
        }
    }

    /// The media type of the body.
    pub const fn media_type(&self) -> &'static str {
        match self {
            Self::Conflict { .. } => SIZE_MEDIA_TYPE,
            Self::Malformed(_) | Self::Unsigned(_) | Self::UnknownLog | Self::Inconsistent(_) => {
                "text/plain; charset=utf-8"
            }
        }
    }

    /// The body: for a conflict the size and a newline, else one line for people.
    pub fn body(&self) -> String {
        match self {
            Self::Conflict { size } => format!("{size}\n"),
            Self::UnknownLog => "origin is not known\n".to_owned(),
            Self::Malformed(fault) | Self::Unsigned(fault) | Self::Inconsistent(fault) => {
                format!("{fault}\n")
            }
        }
    }
}

/// A witness: its key, and the logs that it watches. Their heads are kept by the caller.
#[derive(Clone, Debug)]
pub struct Witness {
    cosigner: Cosigner,
    logs: Vec<LogKeys>,
}

impl Witness {
    /// Takes the key of the witness and the logs that it watches.
    ///
    /// # Errors
    /// [`Error::DuplicateLog`] when two have one origin.
    pub fn new(cosigner: Cosigner, logs: Vec<LogKeys>) -> Result<Self, Error> {
        for (place, log) in logs.iter().enumerate() {
            if logs.iter().take(place).any(|other| other.origin() == log.origin()) {
                return Err(Error::DuplicateLog(log.origin().to_string()));
            }
        }
        Ok(Self { cosigner, logs })
    }

    /// The key that verifies its cosignatures.
    pub const fn key(&self) -> &VerifierKey {
        self.cosigner.key()
    }

    /// The log that a request is about, by its origin.
    ///
    /// # Errors
    /// [`Refusal::UnknownLog`]; [`Refusal::Malformed`] when the note is no checkpoint.
    pub fn log_of(&self, request: &Request) -> Result<&LogKeys, Refusal> {
        let checkpoint = Checkpoint::parse(request.checkpoint.unverified_text());
        let checkpoint = checkpoint.map_err(Refusal::Malformed)?;
        let log = self.logs.iter().find(|log| log.origin() == checkpoint.origin());
        log.ok_or(Refusal::UnknownLog)
    }

    /// Decides on a request, given the head that is kept of its log ([`Head::empty`] for none).
    ///
    /// The caller holds a lock on that head from before it loads it until the new one is durable.
    ///
    /// # Errors
    /// The [`Refusal`] that the protocol prescribes; nothing changes.
    pub fn add_checkpoint(&self, kept: &Head, request: &Request) -> Result<Pending<'_>, Refusal> {
        let log = self.log_of(request)?;
        let checkpoint = log.open(&request.checkpoint).map_err(Refusal::Unsigned)?;
        let head = *checkpoint.head();
        if request.old_size > head.size {
            let fault = Error::Sizes { old: request.old_size, new: head.size };
            return Err(Refusal::Malformed(fault));
        }
        if request.old_size != kept.size {
            return Err(Refusal::Conflict { size: kept.size });
        }
        verify_consistency(kept, &head, &request.proof).map_err(Refusal::Inconsistent)?;
        Ok(Pending { witness: self, note: request.checkpoint.signed_only(log.keys()), checkpoint })
    }
}

/// A checkpoint that a witness will cosign once its head is durable.
#[derive(Debug)]
#[must_use = "make the head durable, then cosign"]
pub struct Pending<'w> {
    witness: &'w Witness,
    note: Note,
    checkpoint: Checkpoint,
}

impl Pending<'_> {
    /// The checkpoint that was accepted.
    pub const fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The head to keep in place of the one given before.
    pub const fn head(&self) -> &Head {
        self.checkpoint.head()
    }

    /// Cosigns, as of `at`; the caller has made [`Pending::head`] durable before.
    ///
    /// # Errors
    /// What [`Cosigner::cosign`] gives. The head stays: the log asks again from there.
    pub fn cosign(self, at: Time) -> Result<Accepted, Error> {
        let Self { witness, mut note, .. } = self;
        let cosignature = witness.cosigner.cosign(note.unverified_text(), at)?;
        note.add(cosignature.clone())?;
        Ok(Accepted { cosignature, note })
    }
}

/// What a witness answers and shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    cosignature: Signature,
    note: Note,
}

impl Accepted {
    /// The cosignature.
    pub const fn cosignature(&self) -> &Signature {
        &self.cosignature
    }

    /// The body of the answer with status 200.
    pub fn body(&self) -> String {
        format!("{}\n", self.cosignature)
    }

    /// The checkpoint with the log's lines and the cosignature, to show to monitors.
    pub const fn note(&self) -> &Note {
        &self.note
    }
}
