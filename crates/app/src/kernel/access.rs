//! The access log: what was delivered, opened, listed, searched, exported and denied.
//!
//! Rows go to a sealed file before anything is served, and are made durable with those that came
//! meanwhile; the file of a finished minute becomes one leaf of the log `access` (`segment.rs`), in
//! which its rows live from then on. If a row cannot be written, nothing is served.
//!
//! ```text
//! access/N.rows   the rows of the leaf N that is not written yet, each
//!                 u32 length ‖ 12 nonce ‖ AES-256-GCM of (32 salt ‖ JSON), bound to N
//! ```

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

use base::crypto::{Digest, Entropy, Secret};
use base::{AgencyId, Kind, PersonId, RecordId, SeatId, SessionId, Time};
use serde::{Deserialize, Serialize};

use super::capability::ActorContext;
use super::fault::Fault;
use super::segment::{Handed, Row, Segment};
use ledger::header::Actor;

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccessKind {
    Delivered,
    Opened,
    Listed,
    Searched,
    Exported,
    Denied,
    /// The node ended in the middle of a row: nobody was served under it.
    Interrupted,
}

/// A stretch of a live stream: what was sent in it is what changed in it and could be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Interval {
    /// The state of policy and of people under which it was sent.
    pub epoch: u64,
    pub people: u64,
    pub profile: Digest,
    /// Entries of the log of acts: from the first number up to, without, the second.
    pub from: u64,
    pub to: u64,
}

/// One row: ids, digests and times only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccessRow {
    pub at: Time,
    pub kind: AccessKind,
    pub session: Option<SessionId>,
    pub person: Option<PersonId>,
    pub seat: Option<SeatId>,
    pub agency: AgencyId,
    /// The records whose content left the node, or the one that was asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub records: Vec<RecordId>,
    /// The digests of the labels of all layers that were read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<Digest>,
    /// Digests of what was asked and of what was answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query: Option<Digest>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<Digest>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<Interval>,
    /// Bytes of a row that was cut off, or numbers of rows that cannot be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lost: Option<Lost>,
}

/// What a node found of the rows that it had not made durable, or that were changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lost {
    /// Bytes of a last row that is not whole.
    pub cut_bytes: u64,
    /// Rows that do not open, counted from 0.
    pub damaged: Vec<u64>,
}

impl AccessRow {
    /// A row of what `actor` did.
    pub fn of(actor: &ActorContext, kind: AccessKind, record: Option<RecordId>, at: Time) -> Self {
        let person = match actor.actor {
            Actor::Person(person) => Some(person),
            Actor::System | Actor::Service(_) => None,
        };
        Self {
            at,
            kind,
            session: actor.session,
            person,
            seat: actor.seat,
            agency: actor.agency,
            records: record.into_iter().collect(),
            labels: Vec::new(),
            query: None,
            result: None,
            interval: None,
            lost: None,
        }
    }

    fn lost(lost: Lost, at: Time) -> Self {
        Self {
            at,
            kind: AccessKind::Interrupted,
            session: None,
            person: None,
            seat: None,
            agency: AgencyId([0; 16]),
            records: Vec::new(),
            labels: Vec::new(),
            query: None,
            result: None,
            interval: None,
            lost: Some(lost),
        }
    }
}

enum Message {
    /// Answered when it stands in the file.
    Rows(Vec<AccessRow>, SyncSender<()>),
    Flush(SyncSender<()>),
    /// Makes a leaf of what there is; answered when the log has it.
    Roll(SyncSender<()>),
}

/// Where readers put their rows.
pub struct AccessLog {
    rows: SyncSender<Message>,
}

/// LIMIT: rows that wait to be written; beyond it readers wait, for nothing is served unrecorded.
const WAITING_ROWS: usize = 65_536;
/// Longest time between two looks at the clock, in which a finished minute becomes a leaf.
const ROUND_MS: u64 = 250;
/// LIMIT: bytes of rows in one leaf: 48 portions of 64 KiB, less the frames; then a leaf is made
/// within the minute.
const SEGMENT_BYTES: usize = 46 * base::limit::PORTION_BYTES;

/// Takes finished segments to the log.
pub type Seal = Box<dyn Fn(Handed) + Send>;
/// Tells the time.
pub type Now = Box<dyn Fn() -> Time + Send>;

/// What an access log is opened with.
pub struct Opening {
    pub directory: PathBuf,
    pub key: Secret,
    pub seed: Secret,
    /// Leaves that the log `access` has.
    pub size: u64,
    pub seal: Seal,
    pub now: Now,
}

impl AccessLog {
    /// Opens the log, hands over what an earlier process left, and starts its writer.
    ///
    /// # Errors
    /// The file system's own fault.
    pub fn open(opening: Opening) -> Result<Self, Fault> {
        let Opening { directory, key, seed, size, seal, now } = opening;
        fs::create_dir_all(&directory).map_err(Fault::unavailable)?;
        let (sender, receiver) = sync_channel(WAITING_ROWS);
        let mut entropy = Entropy::new(seed);
        let left = recover(&directory, &key, size, (now(), &mut entropy))?;
        let number = size + left.len() as u64;
        left.into_iter().map(Handed::Segment).for_each(&seal);
        let mut writer = Writer { directory, key, entropy, number, open: None, seal, now };
        std::thread::Builder::new()
            .name("access".to_owned())
            .spawn(move || writer.run(&receiver))
            .map_err(Fault::unavailable)?;
        Ok(Self { rows: sender })
    }

    /// Writes a row, and waits until it stands in the file: it survives the end of the process, and
    /// the end of the machine some milliseconds later.
    ///
    /// # Errors
    /// `access-log` when rows cannot be written: then nothing may be served.
    pub fn record(&self, row: AccessRow) -> Result<(), Fault> {
        self.record_all(vec![row])
    }

    /// Writes rows as [`AccessLog::record`] does one.
    ///
    /// # Errors
    /// As [`AccessLog::record`].
    pub fn record_all(&self, rows: Vec<AccessRow>) -> Result<(), Fault> {
        let (done, wait) = sync_channel(1);
        let sent = self.rows.send(Message::Rows(rows, done)).is_ok();
        if sent && wait.recv().is_ok() {
            return Ok(());
        }
        let detail = "what is read cannot be recorded, so nothing is served";
        Err(Fault::new(Kind::Unavailable, "access-log", detail))
    }

    /// Whether rows are still written; when not, nothing may be served.
    pub fn flush(&self) -> bool {
        let (done, wait) = sync_channel(1);
        self.rows.send(Message::Flush(done)).is_ok() && wait.recv().is_ok()
    }

    /// Makes a leaf of all rows so far, and waits at most `ms` until the log has it.
    ///
    /// Gives whether it has.
    pub fn roll(&self, ms: u64) -> bool {
        let (done, wait) = sync_channel(1);
        self.rows.send(Message::Roll(done)).is_ok()
            && wait.recv_timeout(Duration::from_millis(ms)).is_ok()
    }
}

/// The file of the rows of a leaf that is not written yet.
pub fn file(directory: &Path, number: u64) -> PathBuf {
    directory.join(format!("{number}.rows"))
}

/// What a file of rows holds.
#[derive(Default)]
pub struct Read {
    pub rows: Vec<Row>,
    pub lost: Option<Lost>,
}

/// Reads a file of rows, and names what is cut off or was changed.
///
/// # Errors
/// The file system's own fault.
pub fn read(path: &Path, number: u64, key: &Secret) -> Result<Read, Fault> {
    let bytes = fs::read(path).map_err(Fault::unavailable)?;
    let mut left = bytes.as_slice();
    let (mut rows, mut damaged, mut count) = (Vec::new(), Vec::new(), 0);
    while let Some((sealed, rest)) = frame(left) {
        match open_row(sealed, number, key) {
            Some(row) => rows.push(row),
            None => damaged.push(count),
        }
        count += 1;
        left = rest;
    }
    let cut_bytes = left.len() as u64;
    let whole = cut_bytes == 0 && damaged.is_empty();
    Ok(Read { rows, lost: (!whole).then_some(Lost { cut_bytes, damaged }) })
}

/// Bytes of a file up to the end of its last whole row: a row that is being written is none yet.
pub fn whole_bytes(bytes: &[u8]) -> usize {
    let mut left = bytes;
    while let Some((_, rest)) = frame(left) {
        left = rest;
    }
    bytes.len() - left.len()
}

fn frame(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    rest.split_at_checked(u32::from_be_bytes(*length) as usize)
}

fn open_row(sealed: &[u8], number: u64, key: &Secret) -> Option<Row> {
    let (nonce, sealed) = sealed.split_first_chunk::<12>()?;
    let plain = key.open(*nonce, &number.to_be_bytes(), sealed).ok()?;
    let (salt, json) = plain.split_first_chunk::<32>()?;
    serde_json::from_slice::<AccessRow>(json).ok()?;
    Some(Row { salt: *salt, json: json.to_vec() })
}

/// The numbers of the files of a directory, in order.
///
/// # Errors
/// The file system's own fault.
pub fn numbers(directory: &Path) -> Result<Vec<u64>, Fault> {
    let mut numbers = Vec::new();
    for file in fs::read_dir(directory).map_err(Fault::unavailable)? {
        let path = file.map_err(Fault::unavailable)?.path();
        let rows = path.extension().is_some_and(|end| end == "rows");
        let number = path.file_stem().and_then(|name| name.to_str()?.parse::<u64>().ok());
        numbers.extend(number.filter(|_| rows));
    }
    numbers.sort_unstable();
    Ok(numbers)
}

/// What an earlier process left: removes files whose leaf is written, and reads the others.
///
/// A file that is missing before another leaves a segment without rows, so that it is noticed.
fn recover(
    directory: &Path,
    key: &Secret,
    size: u64,
    by: (Time, &mut Entropy),
) -> Result<Vec<Segment>, Fault> {
    let (at, entropy) = by;
    let found = numbers(directory)?;
    for number in found.iter().filter(|number| **number < size) {
        fs::remove_file(file(directory, *number)).map_err(Fault::unavailable)?;
    }
    let Some(last) = found.last().copied().filter(|last| *last >= size) else {
        return Ok(Vec::new());
    };
    let mut segments = Vec::new();
    for number in size..=last {
        let path = file(directory, number);
        let missing = !found.contains(&number);
        let mut read = if missing { Read::default() } else { read(&path, number, key)? };
        if let Some(lost) = read.lost.take() {
            let (cut_bytes, damaged) = (lost.cut_bytes, lost.damaged.len());
            tracing::warn!(number, cut_bytes, damaged, "rows of the access log were not whole");
            read.rows.push(row_of(&AccessRow::lost(lost, at), entropy)?);
        }
        if missing {
            tracing::error!(number, "a file of the access log is missing");
        }
        segments.push(Segment { number, rows: read.rows, path, missing, done: None });
    }
    Ok(segments)
}

fn row_of(row: &AccessRow, entropy: &mut Entropy) -> Result<Row, Fault> {
    Ok(Row { salt: entropy.draw(), json: serde_json::to_vec(row).map_err(Fault::bug)? })
}

/// The file that is being written.
struct Open {
    file: File,
    /// Bytes that wait to be written, of rows that nobody was told of yet.
    pending: Vec<u8>,
    /// Minutes since 1970, by the node's clock.
    minute: i64,
    bytes: usize,
    rows: Vec<Row>,
}

struct Writer {
    directory: PathBuf,
    key: Secret,
    entropy: Entropy,
    /// The leaf that the open file, or else the next one, becomes.
    number: u64,
    open: Option<Open>,
    seal: Seal,
    now: Now,
}

impl Writer {
    fn run(&mut self, receiver: &Receiver<Message>) {
        loop {
            let outcome = match receiver.recv_timeout(Duration::from_millis(ROUND_MS)) {
                Ok(message) => self.all(message, receiver),
                Err(RecvTimeoutError::Timeout) => {
                    // All that was written then is durable, and is handed over.
                    if self.minute_is_over() {
                        self.finish(None);
                    }
                    Ok(())
                }
                Err(RecvTimeoutError::Disconnected) => return,
            };
            if let Err(fault) = outcome {
                tracing::error!(error = %fault, "access log cannot be written");
                return;
            }
        }
    }

    /// Writes all rows that wait, then makes them durable at once.
    fn all(&mut self, first: Message, receiver: &Receiver<Message>) -> Result<(), Fault> {
        let (mut flushed, mut rolled) = (Vec::new(), Vec::new());
        let mut next = Some(first);
        while let Some(message) = next {
            match message {
                Message::Rows(rows, done) => {
                    for row in &rows {
                        self.write(row)?;
                    }
                    self.flush()?;
                    let _gone = done.send(());
                }
                Message::Flush(done) => flushed.push(done),
                Message::Roll(done) => rolled.push(done),
            }
            next = receiver.try_recv().ok();
        }
        if let Some(open) = &self.open {
            open.file.sync_data().map_err(Fault::unavailable)?;
        }
        for done in flushed {
            let _gone = done.send(());
        }
        for done in rolled {
            if self.open.is_some() {
                self.finish(Some(done));
            } else {
                (self.seal)(Handed::Asked(done));
            }
        }
        Ok(())
    }

    fn write(&mut self, row: &AccessRow) -> Result<(), Fault> {
        if self.minute_is_over() {
            self.sync_and_finish()?;
        }
        let row = row_of(row, &mut self.entropy)?;
        let plain = [row.salt.as_slice(), &row.json].concat();
        let nonce = self.entropy.nonce();
        let bound = self.number.to_be_bytes();
        let sealed = self.key.seal(nonce, &bound, &plain).map_err(Fault::bug)?;
        let length = u32::try_from(sealed.len() + 12).unwrap_or(u32::MAX);
        let bytes = [length.to_be_bytes().as_slice(), &nonce, &sealed].concat();
        if self.open.as_ref().is_some_and(|open| open.bytes + bytes.len() > SEGMENT_BYTES) {
            self.sync_and_finish()?;
            // The row is bound to another number now.
            let number = self.number;
            let sealed = self.key.seal(nonce, &number.to_be_bytes(), &plain).map_err(Fault::bug)?;
            let bytes = [length.to_be_bytes().as_slice(), &nonce, &sealed].concat();
            return self.put(row, &bytes);
        }
        self.put(row, &bytes)
    }

    fn put(&mut self, row: Row, bytes: &[u8]) -> Result<(), Fault> {
        if self.open.is_none() {
            let path = file(&self.directory, self.number);
            let file = OpenOptions::new().create_new(true).append(true).open(path);
            let file = file.map_err(Fault::unavailable)?;
            // The name must be durable too, else a crash could take the whole file.
            let directory = File::open(&self.directory).map_err(Fault::unavailable)?;
            directory.sync_all().map_err(Fault::unavailable)?;
            let minute = (self.now)().ms() / 60_000;
            let pending = Vec::new();
            self.open = Some(Open { file, pending, minute, bytes: 0, rows: Vec::new() });
        }
        let Some(open) = &mut self.open else { return Ok(()) };
        open.pending.extend_from_slice(bytes);
        open.bytes += bytes.len();
        open.rows.push(row);
        Ok(())
    }

    fn flush(&mut self) -> Result<(), Fault> {
        let Some(open) = &mut self.open else { return Ok(()) };
        open.file.write_all(&open.pending).map_err(Fault::unavailable)?;
        open.pending.clear();
        Ok(())
    }

    fn sync_and_finish(&mut self) -> Result<(), Fault> {
        self.flush()?;
        if let Some(open) = &self.open {
            open.file.sync_data().map_err(Fault::unavailable)?;
        }
        self.finish(None);
        Ok(())
    }

    fn minute_is_over(&self) -> bool {
        let minute = (self.now)().ms() / 60_000;
        self.open.as_ref().is_some_and(|open| open.minute < minute)
    }

    fn finish(&mut self, done: Option<SyncSender<()>>) {
        let Some(open) = self.open.take() else { return };
        let path = file(&self.directory, self.number);
        let number = self.number;
        let segment = Segment { number, rows: open.rows, path, missing: false, done };
        (self.seal)(Handed::Segment(segment));
        self.number += 1;
    }
}
