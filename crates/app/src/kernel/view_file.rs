//! The files of the views: their names, and the connections of readers.
//!
//! A file of views is folded beside the live one and then takes its place, with the next number.
//! The newest is the one that counts; readers of an older one finish what they read.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use base::crypto::Secret;
use rusqlite::Connection;
use store::sqlite;

use super::fault::Fault;
use super::tally::Tallies;
use super::view::{Views, search_of};

/// `views.db` is the first, `views-1.db` the second.
fn name(number: u64) -> String {
    if number == 0 { "views.db".to_owned() } else { format!("views-{number}.db") }
}

fn number_of(name: &str) -> Option<u64> {
    match name {
        "views.db" => Some(0),
        other => other.strip_prefix("views-")?.strip_suffix(".db")?.parse().ok(),
    }
}

/// The numbers of the files in a directory, ascending; none when there is no directory.
fn numbers(directory: &Path) -> Result<Vec<u64>, Fault> {
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(absent) if absent.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(other) => return Err(Fault::unavailable(other)),
    };
    let mut numbers = Vec::new();
    for entry in entries {
        let name = entry.map_err(Fault::unavailable)?.file_name();
        numbers.extend(name.to_str().and_then(number_of));
    }
    numbers.sort_unstable();
    Ok(numbers)
}

/// The file of the views of a node, or the one that it will be.
///
/// # Errors
/// The file system's own fault.
pub fn current(directory: &Path) -> Result<PathBuf, Fault> {
    let newest = numbers(directory)?.last().copied().unwrap_or(0);
    Ok(directory.join(name(newest)))
}

/// The file that takes the place of the current one.
///
/// # Errors
/// The file system's own fault.
pub fn next(directory: &Path) -> Result<PathBuf, Fault> {
    let newest = numbers(directory)?.last().copied().unwrap_or(0);
    Ok(directory.join(name(newest + 1)))
}

/// Removes every file of views but `kept`.
///
/// # Errors
/// The file system's own fault.
pub fn keep_only(directory: &Path, kept: Option<&Path>) -> Result<(), Fault> {
    for number in numbers(directory)? {
        let path = directory.join(name(number));
        if Some(path.as_path()) != kept {
            remove(&path)?;
        }
    }
    Ok(())
}

/// Removes a file of views and its companions; views are made again from the log.
///
/// # Errors
/// The file system's own fault.
pub fn remove(path: &Path) -> Result<(), Fault> {
    store::search::remove(&search_of(path))?;
    for suffix in ["", "-wal", "-shm"] {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        match fs::remove_file(&name) {
            Ok(()) => {}
            Err(absent) if absent.kind() == std::io::ErrorKind::NotFound => {}
            Err(other) => return Err(Fault::unavailable(other)),
        }
    }
    Ok(())
}

/// Readers of the views, for the threads of one process.
pub struct ViewPool {
    readers: Mutex<Readers>,
    key: Secret,
}

struct Readers {
    path: PathBuf,
    idle: Vec<Connection>,
    tallies: Arc<Tallies>,
}

impl Readers {
    fn of(path: PathBuf) -> Self {
        Self { path, idle: Vec::new(), tallies: Arc::default() }
    }
}

/// LIMIT: idle connections kept for readers.
const IDLE_READERS: usize = 16;

impl ViewPool {
    /// Reads the file at `path`, whose digests are under `key`.
    pub fn new(path: PathBuf, key: Secret) -> Self {
        Self { readers: Mutex::new(Readers::of(path)), key }
    }

    /// The file that is read.
    pub fn path(&self) -> PathBuf {
        self.readers.lock().unwrap_or_else(PoisonError::into_inner).path.clone()
    }

    /// Reads the file at `path` from now on.
    pub fn turn_to(&self, path: PathBuf) {
        let mut readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
        *readers = Readers::of(path);
    }

    /// Runs `read` on one consistent state of the views.
    ///
    /// # Errors
    /// What `read` answers, or the store's own fault.
    pub fn with<T>(&self, read: impl FnOnce(Views<'_>) -> Result<T, Fault>) -> Result<T, Fault> {
        let lock = || self.readers.lock().unwrap_or_else(PoisonError::into_inner);
        let (idle, path, tallies) = {
            let mut readers = lock();
            (readers.idle.pop(), readers.path.clone(), Arc::clone(&readers.tallies))
        };
        let connection = match idle {
            Some(connection) => connection,
            None => sqlite::open_reader(&path)?,
        };
        connection.execute_batch("BEGIN")?;
        let outcome = read(Views::tallied(&connection, &self.key, &tallies));
        connection.execute_batch("COMMIT")?;
        let mut readers = lock();
        if readers.path == path && readers.idle.len() < IDLE_READERS {
            readers.idle.push(connection);
        }
        drop(readers);
        outcome
    }
}
