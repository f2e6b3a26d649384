//! A node that has the head of its log of acts cosigned, after the fact: acts never wait for it.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use app::kernel::Node;
use app::kernel::node::Cosigned;
use app::kernel::tiles::LogHashes;
use ledger::error::Error;
use ledger::note::{Note, VerifierKey, VerifierKeys};
use ledger::witness::{Answer, Request, Response};
use serde::{Deserialize, Serialize};
use store::log::{Head, LogName, LogReader};

use crate::clock;
use crate::config::{Config, local_of};
use crate::peer::Peer;
use crate::terminal::chain;

/// Milliseconds between two requests to one witness, at least.
const AFTER_MS: u64 = 1000;
/// How long a witness that did not answer is left alone at most, in such turns.
const TURNS_MAX: u32 = 60;
/// Requests in a row when sizes do not fit: the second knows the witness's own.
const TRIES: u32 = 3;

/// `[[witness]]`: who cosigns the log.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WitnessSection {
    /// `https://host:port`, or `http://` on this machine.
    pub url: String,
    /// Its verifier key, as `muster witness` prints it.
    pub key: String,
    /// The certificates that are trusted for `https`, as PEM.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca: Option<PathBuf>,
    /// Whether the node starts only when it answers.
    #[serde(default)]
    pub required: bool,
}

/// One witness, as a log asks it.
pub struct Asked {
    peer: Peer,
    key: VerifierKey,
    keys: VerifierKeys,
    required: bool,
    /// Leaves that it cosigned last, as far as is known.
    known: u64,
}

impl Asked {
    /// Reads a section.
    ///
    /// # Errors
    /// An address, key or certificate that cannot be read.
    pub fn new(section: &WitnessSection) -> Result<Self> {
        let peer = Peer::new(&section.url, section.ca.as_deref())?;
        let key: VerifierKey = section.key.parse().context("read the key of a witness")?;
        let keys = VerifierKeys::new(vec![key.clone()])?;
        Ok(Self { peer, key, keys, required: section.required, known: 0 })
    }

    /// Has a head cosigned.
    ///
    /// # Errors
    /// [`Error::WitnessAhead`] when the log was set back; whatever keeps it from being asked.
    fn ask(&mut self, head: &Head, reader: &LogReader) -> Result<Note> {
        let mut note = Note::parse(&head.note).context("read the own head")?;
        let hashes = LogHashes { reader, log: LogName::Acts };
        for _ in 0..TRIES {
            let request = Request::new(self.known, &note, &hashes)?;
            let body = request.to_string();
            let (status, body) = self.peer.post("/add-checkpoint", "", body.as_bytes())?;
            let response = Response { status, body: &body };
            match request.answered(response, &self.keys, head.size)? {
                Answer::Cosigned(signatures) => {
                    for signature in signatures {
                        note.add(signature)?;
                    }
                    self.known = head.size;
                    return Ok(note);
                }
                Answer::Conflict { size } => self.known = size,
                Answer::Refused { status } => bail!("it answers {status}"),
            }
        }
        bail!("it tells another size each time")
    }
}

/// The file with the last head that a witness cosigned.
pub fn note_file(data: &Path, key: &VerifierKey) -> PathBuf {
    local_of(data).join(format!("cosigned-{}.note", key.id()))
}

/// Keeps a cosigned head for `muster verify`; without it the next one serves.
fn keep(data: &Path, key: &VerifierKey, checkpoint: &Note) {
    let path = note_file(data, key);
    let kept = std::fs::create_dir_all(local_of(data))
        .and_then(|()| std::fs::write(&path, checkpoint.to_string()));
    if let Err(fault) = kept {
        tracing::warn!(path = %path.display(), %fault, "a cosigned head was not kept");
    }
}

/// Asks every witness before a log is written to, whether it has seen more of it.
///
/// # Errors
/// When one has, and when one does not answer that must.
pub fn not_set_back(witnesses: &mut [Asked], config: &Config) -> Result<()> {
    if witnesses.is_empty() {
        return Ok(());
    }
    let Ok(reader) = LogReader::open(&config.place) else { return Ok(()) };
    let head = reader.head(LogName::Acts)?;
    if head.size == 0 {
        return Ok(());
    }
    for witness in witnesses {
        let name = witness.key.name().clone();
        match witness.ask(&head, &reader) {
            Ok(checkpoint) => keep(&config.data, &witness.key, &checkpoint),
            Err(fault) => {
                if let Some(Error::WitnessAhead { ours, theirs }) = fault.downcast_ref() {
                    bail!(
                        "the log has {ours} entries, but witness `{name}` cosigned {theirs}: it \
                         was set back. Restore the newest backup; if it is lost, remove the \
                         witness from the configuration, and tell everybody that the log forked"
                    );
                }
                if witness.required {
                    return Err(fault.context(format!("witness `{name}` does not answer")));
                }
                tracing::warn!(witness = %name, cause = chain(&*fault), "a witness was not asked");
            }
        }
    }
    Ok(())
}

/// Starts a thread for each witness; they end with the node.
pub fn follow(node: &Arc<Node>, witnesses: Vec<Asked>, data: &Path) -> Result<()> {
    for witness in witnesses {
        let (weak, data) = (Arc::downgrade(node), data.to_owned());
        std::thread::Builder::new()
            .name("witness".to_owned())
            .spawn(move || run(&weak, witness, &data))
            .context("start a thread")?;
    }
    Ok(())
}

fn run(node: &Weak<Node>, mut witness: Asked, data: &Path) {
    let (mut seen, mut cosigned, mut failures, mut left) = (0, 0, 0_u32, 0_u32);
    loop {
        let Some(node) = node.upgrade() else { return };
        if node.stopped() {
            return;
        }
        let core = node.core();
        if core.head.size == cosigned || left > 0 {
            left = left.saturating_sub(1);
            seen = node.wait(seen, AFTER_MS);
            continue;
        }
        let name = witness.key.name().to_string();
        match witness.ask(&core.head, node.log()) {
            Ok(checkpoint) => {
                (cosigned, failures) = (core.head.size, 0);
                keep(data, &witness.key, &checkpoint);
                let (size, at) = (core.head.size, clock::now());
                let cosigned = Cosigned { size, at, note: checkpoint.to_string().into_bytes() };
                node.keep_cosigned(&name, cosigned);
            }
            Err(fault) => {
                failures = failures.saturating_add(1);
                left = failures.saturating_mul(2).min(TURNS_MAX);
                let cause = chain(&*fault);
                if fault.downcast_ref::<Error>().is_some() {
                    tracing::error!(witness = name, cause, "a witness contradicts this log");
                } else if failures == 1 {
                    tracing::warn!(witness = name, cause, "a witness does not cosign");
                }
            }
        }
        std::thread::park_timeout(Duration::from_millis(AFTER_MS));
    }
}
