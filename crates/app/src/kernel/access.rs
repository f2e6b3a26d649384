//! The access log: what was delivered, opened, listed, searched, exported and denied.
//!
//! Rows go to a file of the minute, sealed, and are made durable at most every 250 ms. A finished
//! minute's file becomes one leaf of the log `access`.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

use base::crypto::{Entropy, Secret};
use base::{AgencyId, PersonId, RecordId, SessionId, Time};
use serde::{Deserialize, Serialize};

use super::capability::ActorContext;
use super::fault::Fault;
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
}

/// One row: ids and times only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessRow {
    pub at: Time,
    pub kind: AccessKind,
    pub session: Option<SessionId>,
    pub person: Option<PersonId>,
    pub agency: AgencyId,
    pub record: Option<RecordId>,
}

impl AccessRow {
    /// A row of what `actor` did.
    pub const fn of(
        actor: &ActorContext,
        kind: AccessKind,
        record: Option<RecordId>,
        at: Time,
    ) -> Self {
        let person = match actor.actor {
            Actor::Person(person) => Some(person),
            Actor::System | Actor::Service(_) => None,
        };
        Self { at, kind, session: actor.session, person, agency: actor.agency, record }
    }
}

enum Message {
    Row(AccessRow),
    Flush(SyncSender<()>),
}

/// Where readers put their rows.
pub struct AccessLog {
    rows: SyncSender<Message>,
}

/// LIMIT: rows that wait to be written; beyond it readers wait, for nothing is served unrecorded.
const WAITING_ROWS: usize = 65_536;
/// Longest time between two fsyncs.
const FSYNC_MS: u64 = 250;

impl AccessLog {
    /// Opens the log in `directory` and starts its writer.
    ///
    /// # Errors
    /// The file system's own fault.
    pub fn open(directory: PathBuf, key: Secret, seed: Secret) -> Result<Self, Fault> {
        fs::create_dir_all(&directory).map_err(Fault::unavailable)?;
        let (sender, receiver) = sync_channel(WAITING_ROWS);
        let mut writer = Writer { directory, key, entropy: Entropy::new(seed), open: None };
        std::thread::Builder::new()
            .name("access".to_owned())
            .spawn(move || writer.run(&receiver))
            .map_err(Fault::unavailable)?;
        Ok(Self { rows: sender })
    }

    /// Hands over a row; waits when the writer is behind.
    pub fn record(&self, row: AccessRow) {
        if self.rows.send(Message::Row(row)).is_err() {
            tracing::error!("access log has stopped: nothing more may be served");
        }
    }

    /// Whether rows are still written; when not, nothing may be served.
    pub fn flush(&self) -> bool {
        let (done, wait) = sync_channel(1);
        self.rows.send(Message::Flush(done)).is_ok() && wait.recv().is_ok()
    }
}

/// Reads every row of an access log back, in the order of its files.
///
/// # Errors
/// The file system's own fault; a bug when a row was changed or is not sealed under `key`.
pub fn read_rows(directory: &Path, key: &Secret) -> Result<Vec<AccessRow>, Fault> {
    let mut minutes = Vec::new();
    for file in fs::read_dir(directory).map_err(Fault::unavailable)? {
        let path = file.map_err(Fault::unavailable)?.path();
        let minute = path.file_stem().and_then(|name| name.to_str()?.parse::<i64>().ok());
        minutes.extend(minute.map(|minute| (minute, path)));
    }
    minutes.sort_unstable();
    let mut rows = Vec::new();
    for (minute, path) in minutes {
        let bytes = fs::read(&path).map_err(Fault::unavailable)?;
        let mut left = bytes.as_slice();
        while !left.is_empty() {
            let (row, rest) = read_row(left, minute, key)?;
            rows.push(row);
            left = rest;
        }
    }
    Ok(rows)
}

fn read_row<'a>(
    bytes: &'a [u8],
    minute: i64,
    key: &Secret,
) -> Result<(AccessRow, &'a [u8]), Fault> {
    let cut = || Fault::bug("a row of the access log is cut off");
    let (length, rest) = bytes.split_first_chunk::<4>().ok_or_else(cut)?;
    let length = u32::from_be_bytes(*length) as usize;
    let (row, rest) = rest.split_at_checked(length).ok_or_else(cut)?;
    let (nonce, sealed) = row.split_first_chunk::<12>().ok_or_else(cut)?;
    let plain = key.open(*nonce, &minute.to_be_bytes(), sealed).map_err(Fault::bug)?;
    Ok((serde_json::from_slice(&plain).map_err(Fault::bug)?, rest))
}

struct Writer {
    directory: PathBuf,
    key: Secret,
    entropy: Entropy,
    open: Option<(i64, File)>,
}

impl Writer {
    fn run(&mut self, receiver: &Receiver<Message>) {
        loop {
            let waiting = match receiver.recv_timeout(Duration::from_millis(FSYNC_MS)) {
                Ok(Message::Row(row)) => self.write_all(row, receiver),
                Ok(Message::Flush(done)) => {
                    let outcome = self.sync();
                    let _gone = done.send(());
                    outcome
                }
                Err(RecvTimeoutError::Timeout) => Ok(()),
                Err(RecvTimeoutError::Disconnected) => return,
            };
            if let Err(fault) = waiting {
                tracing::error!(error = %fault, "access log cannot be written");
                return;
            }
        }
    }

    /// Writes a row and all that wait behind it, then makes them durable at once.
    fn write_all(&mut self, first: AccessRow, receiver: &Receiver<Message>) -> Result<(), Fault> {
        self.write(&first)?;
        let mut flushed = Vec::new();
        while let Ok(message) = receiver.try_recv() {
            match message {
                Message::Row(row) => self.write(&row)?,
                Message::Flush(done) => flushed.push(done),
            }
        }
        self.sync()?;
        for done in flushed {
            let _gone = done.send(());
        }
        Ok(())
    }

    fn write(&mut self, row: &AccessRow) -> Result<(), Fault> {
        let minute = row.at.ms() / 60_000;
        if self.open.as_ref().is_none_or(|(open, _)| *open != minute) {
            self.sync()?;
            let path = self.directory.join(format!("{minute}.rows"));
            let file = OpenOptions::new().create(true).append(true).open(path);
            self.open = Some((minute, file.map_err(Fault::unavailable)?));
        }
        let plain = serde_json::to_vec(row).map_err(Fault::bug)?;
        let mut nonce = [0; 12];
        for (to, from) in nonce.iter_mut().zip(self.entropy.draw()) {
            *to = from;
        }
        let sealed = self.key.seal(nonce, &minute.to_be_bytes(), &plain).map_err(Fault::bug)?;
        let length = u32::try_from(sealed.len() + 12).unwrap_or(u32::MAX);
        let mut bytes = length.to_be_bytes().to_vec();
        bytes.extend_from_slice(&nonce);
        bytes.extend_from_slice(&sealed);
        match &mut self.open {
            Some((_, file)) => file.write_all(&bytes).map_err(Fault::unavailable),
            None => Ok(()),
        }
    }

    fn sync(&mut self) -> Result<(), Fault> {
        match &self.open {
            Some((_, file)) => file.sync_data().map_err(Fault::unavailable),
            None => Ok(()),
        }
    }
}
