//! The files of the index, encrypted.
//!
//! ```text
//! file    = u8 version 1 ‖ 16 random bytes ‖ chunk_0 ‖ … ‖ chunk_n-1            (n ≥ 1)
//! chunk_i = AES-256-GCM(key, nonce = u96 i, aad = "muster/search/v1" ‖ u8 last ‖ name, 16 KiB)
//! key     = HKDF-SHA-256(key of the index, salt = the random bytes, info = "muster/search/v1")
//! last    = 1 in chunk_n-1, which may be shorter, and 0 in all others
//! ```
//! Nothing is made durable: what a power cut damages no longer opens, and the index is built anew.

use std::collections::VecDeque;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, BufWriter, ErrorKind, Write};
use std::ops::Range;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use base::crypto::{Secret, system_random};
use tantivy::HasLen;
use tantivy::directory::error::{DeleteError, LockError, OpenReadError, OpenWriteError};
use tantivy::directory::{
    AntiCallToken, Directory, DirectoryLock, FileHandle, Lock, OwnedBytes, TerminatingWrite,
    WatchCallback, WatchHandle, WritePtr,
};

/// Bytes of plaintext in a chunk: the least that a read unseals.
const CHUNK_BYTES: usize = 16 * 1024;
const TAG_BYTES: usize = 16;
const SALT_BYTES: usize = 16;
const HEAD_BYTES: usize = 1 + SALT_BYTES;
const SEALED_BYTES: usize = CHUNK_BYTES + TAG_BYTES;
const VERSION: u8 = 1;
const NAME: &str = "muster/search/v1";

/// A directory whose files are encrypted under one key.
#[derive(Clone)]
pub struct Encrypted {
    path: PathBuf,
    key: Secret,
}

impl Encrypted {
    /// A directory that exists.
    pub const fn new(path: PathBuf, key: Secret) -> Self {
        Self { path, key }
    }

    fn make(&self, name: &Path, path: &Path) -> io::Result<SealedWriter> {
        let mut salt = [0; SALT_BYTES];
        system_random(&mut salt).map_err(io::Error::other)?;
        let mut file =
            fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        file.write_all(&[VERSION])?;
        file.write_all(&salt)?;
        let seal = Seal::new(&self.key, &salt, name)?;
        Ok(SealedWriter { file, seal, chunk: Vec::with_capacity(CHUNK_BYTES), written: 0 })
    }

    fn open(&self, name: &Path) -> io::Result<SealedFile> {
        let file = File::open(self.path.join(name))?;
        let mut head = [0; HEAD_BYTES];
        file.read_exact_at(&mut head, 0)?;
        let [version, salt @ ..] = head;
        if version != VERSION {
            return Err(io::Error::new(ErrorKind::InvalidData, "the version is another"));
        }
        let sealed = usize::try_from(file.metadata()?.len()).map_err(io::Error::other)?;
        let sealed = sealed.saturating_sub(HEAD_BYTES);
        let chunks = sealed.div_ceil(SEALED_BYTES);
        let len = sealed.saturating_sub(chunks * TAG_BYTES);
        let seal = Seal::new(&self.key, &salt, name)?;
        Ok(SealedFile { file, seal, chunks, len, kept: Mutex::default() })
    }
}

impl fmt::Debug for Encrypted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Encrypted").field("path", &self.path).finish_non_exhaustive()
    }
}

/// The key of one file, and what its chunks are bound to.
struct Seal {
    key: Secret,
    name: Vec<u8>,
}

impl Seal {
    fn new(key: &Secret, salt: &[u8], name: &Path) -> io::Result<Self> {
        let key = key.derive(salt, NAME).map_err(io::Error::other)?;
        Ok(Self { key, name: name.as_os_str().as_encoded_bytes().to_vec() })
    }

    fn associated(&self, last: bool) -> Vec<u8> {
        [NAME.as_bytes(), &[u8::from(last)], &self.name].concat()
    }

    fn seal(&self, i: u64, last: bool, plain: &[u8]) -> io::Result<Vec<u8>> {
        self.key.seal(nonce(i), &self.associated(last), plain).map_err(io::Error::other)
    }

    fn open(&self, i: u64, last: bool, sealed: &[u8]) -> io::Result<Vec<u8>> {
        let changed = |_| io::Error::new(ErrorKind::InvalidData, "a chunk was changed");
        self.key.open(nonce(i), &self.associated(last), sealed).map_err(changed)
    }
}

fn nonce(i: u64) -> [u8; 12] {
    let mut nonce = [0; 12];
    if let Some(low) = nonce.last_chunk_mut::<8>() {
        *low = i.to_be_bytes();
    }
    nonce
}

/// Writes a file chunk by chunk; the last one waits for the end.
struct SealedWriter {
    file: File,
    seal: Seal,
    chunk: Vec<u8>,
    written: u64,
}

impl SealedWriter {
    fn put(&mut self, last: bool) -> io::Result<()> {
        let sealed = self.seal.seal(self.written, last, &self.chunk)?;
        self.file.write_all(&sealed)?;
        self.chunk.clear();
        self.written += 1;
        Ok(())
    }
}

impl Write for SealedWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut rest = bytes;
        while !rest.is_empty() {
            // A full chunk is the last one when nothing comes after it.
            if self.chunk.len() == CHUNK_BYTES {
                self.put(false)?;
            }
            let room = (CHUNK_BYTES - self.chunk.len()).min(rest.len());
            let (now, later) = rest.split_at(room);
            self.chunk.extend_from_slice(now);
            rest = later;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl TerminatingWrite for SealedWriter {
    fn terminate_ref(&mut self, _: AntiCallToken) -> io::Result<()> {
        self.put(true)
    }
}

/// LIMIT: unsealed chunks that are kept of one file: lists of words that follow each other lie in
/// one chunk, and are read one by one.
const KEPT_CHUNKS: usize = 4;

/// A file that is read chunk by chunk; it stays readable when its name is removed.
struct SealedFile {
    file: File,
    seal: Seal,
    chunks: usize,
    len: usize,
    /// The chunks that were read last, the newest behind.
    kept: Mutex<VecDeque<(usize, OwnedBytes)>>,
}

impl fmt::Debug for SealedFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SealedFile").field("len", &self.len).finish_non_exhaustive()
    }
}

impl HasLen for SealedFile {
    fn len(&self) -> usize {
        self.len
    }
}

impl SealedFile {
    fn chunk(&self, i: usize, sealed: &mut Vec<u8>) -> io::Result<Vec<u8>> {
        let last = i + 1 == self.chunks;
        let rest = self.len - (i * CHUNK_BYTES).min(self.len);
        sealed.resize(rest.min(CHUNK_BYTES) + TAG_BYTES, 0);
        self.file.read_exact_at(sealed, (HEAD_BYTES + i * SEALED_BYTES) as u64)?;
        self.seal.open(i as u64, last, sealed)
    }

    /// A chunk, unsealed now or a moment ago.
    fn kept_chunk(&self, i: usize) -> io::Result<OwnedBytes> {
        let kept = || self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, chunk)) = kept().iter().find(|(n, _)| *n == i) {
            return Ok(chunk.clone());
        }
        let chunk = OwnedBytes::new(self.chunk(i, &mut Vec::new())?);
        let mut kept = kept();
        if kept.len() >= KEPT_CHUNKS {
            kept.pop_front();
        }
        kept.push_back((i, chunk.clone()));
        Ok(chunk)
    }
}

impl FileHandle for SealedFile {
    fn read_bytes(&self, range: Range<usize>) -> io::Result<OwnedBytes> {
        if range.start > range.end || range.end > self.len {
            return Err(io::Error::new(ErrorKind::UnexpectedEof, "beyond the end of the file"));
        }
        let first = range.start / CHUNK_BYTES;
        if range.end.div_ceil(CHUNK_BYTES) <= first + 1 && !range.is_empty() {
            let from = range.start - first * CHUNK_BYTES;
            return Ok(self.kept_chunk(first)?.slice(from..from + range.len()));
        }
        let mut plain = Vec::with_capacity(range.len());
        let mut sealed = Vec::new();
        for i in first..range.end.div_ceil(CHUNK_BYTES) {
            let chunk = self.chunk(i, &mut sealed)?;
            let from = range.start.saturating_sub(i * CHUNK_BYTES);
            let to = (range.end - i * CHUNK_BYTES).min(chunk.len());
            plain.extend_from_slice(chunk.get(from..to).unwrap_or_default());
        }
        Ok(OwnedBytes::new(plain))
    }
}

fn unread(path: &Path) -> impl FnOnce(io::Error) -> OpenReadError {
    |cause| {
        if cause.kind() == ErrorKind::NotFound {
            OpenReadError::FileDoesNotExist(path.to_owned())
        } else {
            OpenReadError::wrap_io_error(cause, path.to_owned())
        }
    }
}

impl Directory for Encrypted {
    fn get_file_handle(&self, path: &Path) -> Result<Arc<dyn FileHandle>, OpenReadError> {
        Ok(Arc::new(self.open(path).map_err(unread(path))?))
    }

    fn delete(&self, path: &Path) -> Result<(), DeleteError> {
        fs::remove_file(self.path.join(path)).map_err(|cause| {
            if cause.kind() == ErrorKind::NotFound {
                DeleteError::FileDoesNotExist(path.to_owned())
            } else {
                DeleteError::IoError { io_error: Arc::new(cause), filepath: path.to_owned() }
            }
        })
    }

    fn exists(&self, path: &Path) -> Result<bool, OpenReadError> {
        self.path.join(path).try_exists().map_err(unread(path))
    }

    fn open_write(&self, path: &Path) -> Result<WritePtr, OpenWriteError> {
        let made = self.make(path, &self.path.join(path)).map_err(|cause| {
            if cause.kind() == ErrorKind::AlreadyExists {
                OpenWriteError::FileAlreadyExists(path.to_owned())
            } else {
                OpenWriteError::wrap_io_error(cause, path.to_owned())
            }
        })?;
        Ok(BufWriter::new(Box::new(made)))
    }

    fn atomic_read(&self, path: &Path) -> Result<Vec<u8>, OpenReadError> {
        let file = self.open(path).map_err(unread(path))?;
        Ok(file.read_bytes(0..file.len).map_err(unread(path))?.as_slice().to_vec())
    }

    fn atomic_write(&self, path: &Path, data: &[u8]) -> io::Result<()> {
        let new = self.path.join(path).with_extension("new");
        match fs::remove_file(&new) {
            Err(cause) if cause.kind() != ErrorKind::NotFound => return Err(cause),
            _ => {}
        }
        let mut file = self.make(path, &new)?;
        file.write_all(data)?;
        file.put(true)?;
        fs::rename(&new, self.path.join(path))
    }

    fn sync_directory(&self) -> io::Result<()> {
        Ok(())
    }

    /// The data directory has one process: its own lock stands for this one.
    fn acquire_lock(&self, _lock: &Lock) -> Result<DirectoryLock, LockError> {
        Ok(DirectoryLock::from(Box::new(())))
    }

    fn watch(&self, _callback: WatchCallback) -> tantivy::Result<WatchHandle> {
        Ok(WatchHandle::empty())
    }
}
