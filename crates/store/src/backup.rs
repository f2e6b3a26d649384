//! Backup and restore: one form for both backends, so that either is restored to either.
//!
//! ```text
//! log.db  secrets.db  state.db    SQLite files, whatever the backend was
//! blobs/<two digits>/<address>    encrypted, as they lie on the node
//! manifest                        written last: what has none is no backup
//! ```
//! Keys are never in a backup, and views are built anew from the log. The secrets in it lie under
//! shred keys, so that a backup opens as long as those keys are kept: five weeks, and not without
//! the node's key provider.
//!
//! `SAFETY OF ORDER:` a node writes secrets before entries and destroys them after the entry that
//! orders it. A copy must therefore see secrets that are not older than its log, and no erasure
//! that its log does not know. Log and secrets are read in snapshots taken one after the other, and
//! both are dropped and taken again when the log has moved in between. Secrets beyond the log are
//! swept when the backup is restored; orders of erasure are carried out again by the start of the
//! node.

use std::fs::{self, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use base::crypto::Digest;
use postgres::IsolationLevel;
use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags, ffi};

use crate::Error;
use crate::blob::{self, Blobs};
use crate::keys::{make_directory, sync_directory};
use crate::log::{LogName, Place};
use crate::manifest::{File, Manifest, Size, blob_name};
use crate::postgres_log::{LEADER_LOCK, SCHEMA, connect};
use crate::sqlite::open_reader;
use crate::sqlite_log::{select_head, sweep};
use crate::state::postgres_schema;
use crate::sum::{Sum, each_piece, of_file};
use crate::table::Part;

/// The name of the manifest.
pub const MANIFEST: &str = "manifest";
/// LIMIT: bytes of a manifest that are read (1 GiB: seven million blobs).
const MANIFEST_BYTES: u64 = 1 << 30;
/// LIMIT: how often snapshots are taken again while the log moves on.
const SNAPSHOTS: u32 = 100;
/// Pages that are copied at once.
const PAGES: i32 = 4096;

/// Everything of a node that a backup covers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Data {
    pub place: Place,
    /// The directory of its blobs.
    pub blobs: PathBuf,
}

impl Data {
    /// A node whose log and blobs lie in one data directory.
    pub fn directory(directory: &Path) -> Self {
        let place = Place::Sqlite { directory: directory.to_owned() };
        Self { place, blobs: directory.join(blob::DIRECTORY) }
    }
}

/// Copies a node, which may be running, into a directory that must be empty or absent.
///
/// # Errors
/// [`Error::NotEmpty`]; [`Error::Corrupt`] or [`Error::BlobChanged`] when the node's own files are
/// damaged; [`Error::Busy`] when the log never stood still for the blink that two snapshots need.
pub fn backup(data: &Data, target: &Path) -> Result<Manifest, Error> {
    require_empty(target)?;
    make_directory(target)?;
    match &data.place {
        Place::Sqlite { directory } => copy_sqlite(directory, target)?,
        Place::Postgres { url } => export_postgres(url, target)?,
    }
    let mut files = Vec::new();
    for part in Part::ALL {
        let path = target.join(part.file());
        check(&path)?;
        let (digest, bytes) = of_file(&path)?;
        files.push(File { name: part.file().to_owned(), digest, bytes });
    }
    // A blob is put before the entry that names it, so every blob of the copied log is there by
    // now.
    if data.blobs.is_dir() {
        let blobs = Blobs::open(&data.blobs, 0)?;
        for address in blobs.addresses()? {
            let name = blob_name(address);
            let to = target.join(&name);
            let copied = copy(&blobs.path(address), &to, address, Absent::Passed);
            let copied = copied.map_err(|fault| match fault {
                Error::Changed(_) => Error::BlobChanged(address),
                other => other,
            })?;
            if let Some(bytes) = copied {
                files.push(File { name, digest: address, bytes });
            }
        }
    }
    let log = open_reader(&target.join(Part::Log.file()))?;
    let manifest = Manifest { logs: sizes(&log)?, files };
    drop(log);
    write_whole(&target.join(MANIFEST), manifest.to_text().as_bytes())?;
    Ok(manifest)
}

/// Reads a backup and compares every file with the manifest.
///
/// # Errors
/// [`Error::Changed`] names the first file that is missing or was changed; [`Error::Form`] when the
/// manifest was.
pub fn verify(backup: &Path) -> Result<Manifest, Error> {
    let manifest = read_manifest(backup)?;
    for file in &manifest.files {
        let path = backup.join(&file.name);
        if !path.is_file() || of_file(&path)? != (file.digest, file.bytes) {
            return Err(Error::Changed(file.name.clone().into()));
        }
    }
    Ok(manifest)
}

/// Restores a backup of either backend to either backend, which must be empty.
///
/// # Errors
/// As [`verify`], before anything is written; [`Error::NotEmpty`]; [`Error::NotLeader`] when a node
/// is running on the target.
pub fn restore(backup: &Path, into: &Data) -> Result<Manifest, Error> {
    let manifest = verify(backup)?;
    if let Place::Sqlite { directory } = &into.place {
        require_empty(directory)?;
    }
    require_empty(&into.blobs)?;
    let blobs = Blobs::open(&into.blobs, 0)?;
    for file in &manifest.files {
        if let Some(address) = file.blob() {
            copy(&backup.join(&file.name), &blobs.path(address), address, Absent::Fault)?;
        }
    }
    match &into.place {
        Place::Sqlite { directory } => restore_sqlite(backup, &manifest, directory)?,
        Place::Postgres { url } => import_postgres(backup, url)?,
    }
    Ok(manifest)
}

fn require_empty(directory: &Path) -> Result<(), Error> {
    if !directory.exists() {
        return Ok(());
    }
    let mut names = fs::read_dir(directory).map_err(Error::io(directory, "listed"))?;
    names.next().map_or(Ok(()), |_file| Err(Error::NotEmpty(directory.to_owned())))
}

fn read_manifest(backup: &Path) -> Result<Manifest, Error> {
    let path = backup.join(MANIFEST);
    let mut text = String::new();
    fs::File::open(&path)
        .and_then(|file| file.take(MANIFEST_BYTES).read_to_string(&mut text))
        .map_err(Error::io(&path, "read"))?;
    Manifest::from_text(&text)
}

/// What to do when a file is gone that was there a moment ago.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Absent {
    /// A blob that was erased meanwhile.
    Passed,
    Fault,
}

/// Copies a file durably, for its owner only, and checks what was copied.
fn copy(from: &Path, to: &Path, digest: Digest, absent: Absent) -> Result<Option<u64>, Error> {
    let mut source = match fs::File::open(from) {
        Ok(source) => source,
        Err(gone) if gone.kind() == std::io::ErrorKind::NotFound && absent == Absent::Passed => {
            return Ok(None);
        }
        Err(other) => return Err(Error::io(from, "opened")(other)),
    };
    if let Some(parent) = to.parent() {
        make_directory(parent)?;
    }
    let mut target = create(to)?;
    let mut sum = Sum::new();
    each_piece(&mut source, |piece| {
        sum.add(piece);
        target.write_all(piece)
    })
    .map_err(Error::io(to, "copied"))?;
    let bytes = sum.bytes;
    if sum.digest() != digest {
        return Err(Error::Changed(from.to_owned()));
    }
    target.sync_all().map_err(Error::io(to, "made durable"))?;
    to.parent().map_or(Ok(()), sync_directory)?;
    Ok(Some(bytes))
}

fn create(path: &Path) -> Result<fs::File, Error> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .map_err(Error::io(path, "made"))
}

fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let mut file = create(path)?;
    file.write_all(bytes).map_err(Error::io(path, "written"))?;
    file.sync_all().map_err(Error::io(path, "made durable"))?;
    path.parent().map_or(Ok(()), sync_directory)
}

/// Opens a new file of a backup: without a write-ahead log, so that it is one file and can be read
/// where nothing can be written.
fn create_database(path: &Path) -> Result<Connection, Error> {
    drop(create(path)?);
    Connection::open(path).map_err(Error::file(path, "open a file"))
}

fn finish_database(path: &Path, connection: Connection) -> Result<(), Error> {
    let what = "finish a file";
    connection
        .query_row("PRAGMA journal_mode=DELETE", [], |_mode| Ok(()))
        .map_err(Error::file(path, what))?;
    connection.close().map_err(|(_open, fault)| Error::file(path, what)(fault))?;
    fs::File::open(path)
        .and_then(|file| file.sync_all())
        .map_err(Error::io(path, "made durable"))?;
    path.parent().map_or(Ok(()), sync_directory)
}

fn open_copy(path: &Path) -> Result<Connection, Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(path, flags).map_err(Error::file(path, "open a file"))
}

/// Refuses to call a copy of damaged pages a backup.
fn check(path: &Path) -> Result<(), Error> {
    let what = "check a file";
    let found: String = open_copy(path)?
        .query_row("PRAGMA quick_check(1)", [], |r| r.get(0))
        .map_err(Error::file(path, what))?;
    if found == "ok" {
        return Ok(());
    }
    let code = ffi::Error::new(ffi::SQLITE_CORRUPT);
    Err(Error::file(path, what)(rusqlite::Error::SqliteFailure(code, Some(found))))
}

fn sizes(log: &Connection) -> Result<Vec<Size>, Error> {
    let size = |log_name| {
        let head = select_head(log, log_name)?;
        Ok(Size { log: log_name, entries: head.size, root: head.root })
    };
    LogName::ALL.into_iter().map(size).collect()
}

fn copy_sqlite(directory: &Path, target: &Path) -> Result<(), Error> {
    let state = directory.join(Part::State.file());
    let to = target.join(Part::State.file());
    if state.is_file() {
        copy_pages(&open_reader(&state)?, &to)?;
    } else {
        let empty = create_database(&to)?;
        empty.execute_batch(&Part::State.schema()).map_err(Error::sqlite("make a table"))?;
        finish_database(&to, empty)?;
    }
    let (log, secrets) = snapshots(directory, |_attempt| ())?;
    copy_pages(&log, &target.join(Part::Log.file()))?;
    drop(log);
    copy_pages(&secrets, &target.join(Part::Secrets.file()))
}

/// Log and secrets, each in the middle of a read, with no entry and no erasure between them.
///
/// `between` is what a test lets happen between the two, at each attempt.
fn snapshots(
    directory: &Path,
    mut between: impl FnMut(u32),
) -> Result<(Connection, Connection), Error> {
    let log_path = directory.join(Part::Log.file());
    let (log, now) = (open_reader(&log_path)?, open_reader(&log_path)?);
    let secrets = open_reader(&directory.join(Part::Secrets.file()))?;
    let what = "take a snapshot";
    let begin = |connection: &Connection| {
        // A snapshot is taken by the first read, not by BEGIN.
        connection
            .execute_batch("BEGIN; SELECT count(*) FROM sqlite_schema;")
            .map_err(Error::sqlite(what))
    };
    for attempt in 0..SNAPSHOTS {
        begin(&log)?;
        let sizes_of_log = sizes(&log)?;
        between(attempt);
        begin(&secrets)?;
        if sizes(&now)? == sizes_of_log {
            return Ok((log, secrets));
        }
        for connection in [&log, &secrets] {
            connection.execute_batch("ROLLBACK").map_err(Error::sqlite(what))?;
        }
    }
    Err(Error::Busy)
}

fn copy_pages(from: &Connection, to: &Path) -> Result<(), Error> {
    let mut target = create_database(to)?;
    let fault = || Error::file(to, "copy a file");
    {
        let copying = Backup::new(from, &mut target).map_err(fault())?;
        loop {
            match copying.step(PAGES).map_err(fault())? {
                StepResult::Done => break,
                StepResult::More => {}
                _ => return Err(Error::Busy),
            }
        }
    }
    finish_database(to, target)
}

fn export_postgres(url: &str, target: &Path) -> Result<(), Error> {
    let mut client = connect(url)?;
    client.batch_execute(&postgres_schema()).map_err(Error::postgres("make state tables"))?;
    // One snapshot for everything: there entries and secrets share their transactions.
    let mut tx = client
        .build_transaction()
        .isolation_level(IsolationLevel::RepeatableRead)
        .read_only(true)
        .start()
        .map_err(Error::postgres("take a snapshot"))?;
    let what = "write a backup";
    for part in Part::ALL {
        let path = target.join(part.file());
        let to = create_database(&path)?;
        to.execute_batch(&part.schema()).map_err(Error::sqlite(what))?;
        to.execute_batch("BEGIN").map_err(Error::sqlite(what))?;
        for table in part.tables() {
            table.export(&mut tx, &to)?;
        }
        to.execute_batch("COMMIT").map_err(Error::sqlite(what))?;
        finish_database(&path, to)?;
    }
    tx.commit().map_err(Error::postgres("end a snapshot"))
}

/// Puts the log last: a restore that was interrupted leaves nothing that looks like a log.
fn restore_sqlite(backup: &Path, manifest: &Manifest, directory: &Path) -> Result<(), Error> {
    make_directory(directory)?;
    for part in [Part::State, Part::Secrets, Part::Log] {
        let name = part.file();
        let Some(file) = manifest.files.iter().find(|file| file.name == name) else {
            return Err(Error::Changed(name.into()));
        };
        copy(&backup.join(name), &directory.join(name), file.digest, Absent::Fault)?;
        if part == Part::Secrets {
            let path = directory.join(name);
            let secrets = crate::sqlite::open(&path, crate::sqlite::Durability::Full)?;
            for size in &manifest.logs {
                sweep(&secrets, size.log, size.entries)?;
            }
            secrets.close().map_err(|(_open, fault)| Error::file(&path, "sweep")(fault))?;
        }
    }
    Ok(())
}

const SELECT_EPOCHS: &str = "SELECT log, epoch FROM muster.head WHERE size = 0 ORDER BY log";
const SELECT_USED: &str = "SELECT log FROM muster.head WHERE size > 0 ORDER BY log LIMIT 1";
const DELETE_HEADS: &str = "DELETE FROM muster.head";
const RAISE_EPOCHS: &str = "UPDATE muster.head SET epoch = greatest(epoch, $2) WHERE log = $1";
const SWEEP: &str = "DELETE FROM muster_secret.secret AS secret USING muster.head AS head
    WHERE head.log = secret.log AND secret.sequence >= head.size";

fn import_postgres(backup: &Path, url: &str) -> Result<(), Error> {
    let mut client = connect(url)?;
    let what = "restore a backup";
    let held: bool = client
        .query_one("SELECT pg_try_advisory_lock($1)", &[&LEADER_LOCK])
        .map_err(Error::postgres(what))?
        .get(0);
    if !held {
        return Err(Error::NotLeader);
    }
    client
        .batch_execute(&format!("SET client_min_messages TO warning; {SCHEMA}"))
        .and_then(|()| client.batch_execute(&postgres_schema()))
        .map_err(Error::postgres("make the log's tables"))?;
    let mut tx = client.transaction().map_err(Error::postgres(what))?;
    let epochs = tx.query(SELECT_EPOCHS, &[]).map_err(Error::postgres(what))?;
    if tx.query_opt(SELECT_USED, &[]).map_err(Error::postgres(what))?.is_some() {
        return Err(Error::NotEmpty("muster.head".into()));
    }
    tx.execute(DELETE_HEADS, &[]).map_err(Error::postgres(what))?;
    for part in Part::ALL {
        let from = open_copy(&backup.join(part.file()))?;
        for table in part.tables() {
            table.import(&from, &mut tx)?;
        }
    }
    // A leader of the time before, paused and forgotten, must not fit the epoch that was restored.
    for row in &epochs {
        let (log, epoch) = (row.get::<_, i32>(0), row.get::<_, i64>(1));
        tx.execute(RAISE_EPOCHS, &[&log, &epoch]).map_err(Error::postgres(what))?;
    }
    tx.execute(SWEEP, &[]).map_err(Error::postgres(what))?;
    tx.commit().map_err(Error::postgres(what))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use rusqlite::Connection;

    use super::{Error, SNAPSHOTS, snapshots};
    use crate::log::{Log, LogName, Place};
    use crate::sqlite_log::select_head;

    const GROW: &str = "UPDATE head SET size = size + 1 WHERE log = 0";

    fn node(name: &str) -> (std::path::PathBuf, Log) {
        let name = format!("muster-store-{}-{name}", std::process::id());
        let directory = std::env::temp_dir().join(name);
        let log = Log::lead(&Place::Sqlite { directory: directory.clone() }).expect("the lead");
        (directory, log)
    }

    fn run(directory: &Path, file: &str, statement: &str) {
        let connection = Connection::open(directory.join(file)).expect("a file");
        connection.execute_batch(statement).expect("SQL");
    }

    #[test]
    fn an_erasure_between_two_snapshots_drops_both() {
        let (directory, _log) = node("between");
        run(&directory, "secrets.db", "INSERT INTO secret VALUES (0, 1, x'00')");
        run(&directory, "log.db", GROW);
        // The entry that orders the erasure, and the erasure: behind the log's snapshot.
        let erase = |attempt| {
            if attempt == 0 {
                run(&directory, "log.db", GROW);
                run(&directory, "secrets.db", "DELETE FROM secret WHERE place = 0");
            }
        };
        let (log, secrets) = snapshots(&directory, erase).expect("snapshots");
        let size = select_head(&log, LogName::Acts).expect("a head").size;
        let left: i64 =
            secrets.query_row("SELECT count(*) FROM secret", [], |r| r.get(0)).expect("a count");
        assert_eq!((size, left), (2, 0), "the log knows of the erasure that was seen");
        std::fs::remove_dir_all(directory).expect("it is removed");
    }

    #[test]
    fn a_log_that_never_stands_still_is_not_copied() {
        let (directory, _log) = node("never");
        let mut attempts = 0;
        let outcome = snapshots(&directory, |_attempt| {
            attempts += 1;
            run(&directory, "log.db", GROW);
        });
        assert!(matches!(outcome, Err(Error::Busy)));
        assert_eq!(attempts, SNAPSHOTS);
        std::fs::remove_dir_all(directory).expect("it is removed");
    }
}
