//! Blobs: attachments and other large bytes, encrypted on disk under their digest.
//!
//! ```text
//! address = SHA-256 of the file
//! file    = u8 version 1 ‖ chunk_0 ‖ … ‖ chunk_n-1            (n ≥ 1)
//! chunk_i = AES-256-GCM(key, nonce = u96 i, aad = "muster/blob/v1" ‖ u8 last, 64 KiB of plaintext)
//! key     = HKDF-SHA-256(secret, salt = "", info = "muster/blob/v1")
//! last    = 1 in chunk_n-1, which may be shorter, and 0 in all others
//! ```
//! Each blob has a secret of its own, drawn when it is put and kept by the caller in a portion of
//! an entry: destroying the portion's secret erases the blob too. Equal contents have different
//! addresses, so that a file tells nothing but its length. A name is the hexadecimal digest and
//! nothing else, so that no name leads out of the directory.

use std::fs::{self, File, OpenOptions};
use std::io::{BufReader, ErrorKind, Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use base::crypto::{Digest, Entropy, Secret};

use crate::Error;
use crate::keys::{make_directory, sync_directory};
use crate::sum::{Sum, of_file};

/// The name of the directory, within a data directory and a backup.
pub const DIRECTORY: &str = "blobs";
/// Bytes of plaintext in a chunk (64 KiB): the most that is held in memory for one reader.
pub const CHUNK_BYTES: usize = 64 * 1024;
const TAG_BYTES: usize = 16;
const SEALED_BYTES: usize = CHUNK_BYTES + TAG_BYTES;
const VERSION: u8 = 1;
const NAME: &[u8; 14] = b"muster/blob/v1";

/// A blob that was put: what a portion keeps of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blob {
    pub address: Digest,
    pub secret: Secret,
    /// Bytes of plaintext.
    pub bytes: u64,
}

/// The blobs of a node.
#[derive(Clone, Debug)]
pub struct Blobs {
    directory: PathBuf,
    bytes_max: u64,
}

impl Blobs {
    /// Opens a directory of blobs, of at most `bytes_max` bytes each; makes it when it is absent.
    ///
    /// # Errors
    /// [`Error::Io`] when it cannot be made.
    pub fn open(directory: &Path, bytes_max: u64) -> Result<Self, Error> {
        let blobs = Self { directory: directory.to_owned(), bytes_max };
        make_directory(&blobs.unfinished())?;
        Ok(blobs)
    }

    /// The blobs of a directory that is only read; there are none when it is absent.
    pub fn at(directory: &Path) -> Self {
        Self { directory: directory.to_owned(), bytes_max: 0 }
    }

    /// Encrypts what `from` gives under a new secret and keeps it durably.
    ///
    /// # Errors
    /// [`Error::BlobBytes`] above the limit, [`Error::Io`] when a disk or `from` fails; nothing is
    /// kept.
    pub fn put(&self, from: impl Read, entropy: &mut Entropy) -> Result<Blob, Error> {
        let secret = entropy.secret();
        let new = self.unfinished().join(Digest(entropy.draw()).to_string());
        let outcome = self.write(from, &secret, &new).and_then(|(address, bytes)| {
            self.keep(&new, address)?;
            Ok(Blob { address, secret, bytes })
        });
        if outcome.is_err() {
            // What is left of it has no name that anybody knows; sweeping removes it too.
            let _gone = fs::remove_file(&new);
        }
        outcome
    }

    fn write(&self, from: impl Read, secret: &Secret, new: &Path) -> Result<(Digest, u64), Error> {
        let key = blob_key(secret)?;
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(new)
            .map_err(Error::io(new, "made"))?;
        let mut sum = Sum::new();
        let mut keep = |bytes: &[u8]| {
            sum.add(bytes);
            file.write_all(bytes).map_err(Error::io(new, "written"))
        };
        keep(&[VERSION])?;
        let mut chunks = Chunks::new(from, CHUNK_BYTES);
        let mut bytes = 0;
        while let Some((i, chunk, last)) = chunks.next().map_err(Error::io(new, "read"))? {
            bytes += chunk.len() as u64;
            if bytes > self.bytes_max {
                return Err(Error::BlobBytes(self.bytes_max));
            }
            keep(&key.seal(nonce(i), &associated(last), chunk)?)?;
        }
        file.sync_all().map_err(Error::io(new, "made durable"))?;
        Ok((sum.digest(), bytes))
    }

    /// Gives a finished file its name.
    fn keep(&self, new: &Path, address: Digest) -> Result<(), Error> {
        let path = self.path(address);
        if let Some(parent) = path.parent() {
            make_directory(parent)?;
        }
        fs::rename(new, &path).map_err(Error::io(&path, "made"))?;
        path.parent().map_or(Ok(()), sync_directory)
    }

    /// Opens a blob for reading, after its file was checked against its address.
    ///
    /// # Errors
    /// [`Error::BlobMissing`]; [`Error::BlobChanged`] when a byte was changed.
    pub fn read(&self, address: Digest, secret: &Secret) -> Result<BlobReader, Error> {
        let path = self.path(address);
        let mut file = match File::open(&path) {
            Ok(file) => file,
            Err(absent) if absent.kind() == ErrorKind::NotFound => {
                return Err(Error::BlobMissing(address));
            }
            Err(other) => return Err(Error::io(&path, "opened")(other)),
        };
        let (found, length) = of_file(&path)?;
        let chunks = length.saturating_sub(1).div_ceil(SEALED_BYTES as u64);
        let bytes = length.saturating_sub(1).checked_sub(chunks * TAG_BYTES as u64);
        let Some(bytes) = bytes.filter(|_| found == address && chunks > 0) else {
            return Err(Error::BlobChanged(address));
        };
        let mut version = [0];
        file.rewind()
            .and_then(|()| file.read_exact(&mut version))
            .map_err(Error::io(&path, "read"))?;
        if version != [VERSION] {
            return Err(Error::BlobChanged(address));
        }
        let chunks = Chunks::new(BufReader::new(file), SEALED_BYTES);
        Ok(BlobReader { address, path, key: blob_key(secret)?, bytes, chunks })
    }

    /// Reads a whole blob; for those known to be small.
    ///
    /// # Errors
    /// As [`Blobs::read`].
    pub fn get(&self, address: Digest, secret: &Secret) -> Result<Vec<u8>, Error> {
        let mut reader = self.read(address, secret)?;
        let mut bytes = Vec::new();
        while let Some(chunk) = reader.chunk()? {
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes)
    }

    /// Whether there is a file of this address; it is not read.
    ///
    /// # Errors
    /// [`Error::Io`] when the directory cannot be looked at.
    pub fn exists(&self, address: Digest) -> Result<bool, Error> {
        let path = self.path(address);
        path.try_exists().map_err(Error::io(path, "looked for"))
    }

    /// Removes a blob; doing so again changes nothing.
    ///
    /// # Errors
    /// [`Error::Io`] when it cannot be removed.
    pub fn remove(&self, address: Digest) -> Result<(), Error> {
        let path = self.path(address);
        match fs::remove_file(&path) {
            Ok(()) => path.parent().map_or(Ok(()), sync_directory),
            Err(absent) if absent.kind() == ErrorKind::NotFound => Ok(()),
            Err(other) => Err(Error::io(path, "removed")(other)),
        }
    }

    /// Removes what a crash left unfinished; called at start, before anything is put.
    ///
    /// # Errors
    /// [`Error::Io`] when a file cannot be removed.
    pub fn sweep(&self) -> Result<u64, Error> {
        let mut swept = 0;
        for path in list(&self.unfinished())? {
            fs::remove_file(&path).map_err(Error::io(path, "removed"))?;
            swept += 1;
        }
        Ok(swept)
    }

    /// The addresses of all blobs, in ascending order.
    ///
    /// # Errors
    /// [`Error::Io`] when a directory cannot be listed.
    pub fn addresses(&self) -> Result<Vec<Digest>, Error> {
        let mut addresses = Vec::new();
        for path in list(&self.directory)?.iter().filter(|path| **path != self.unfinished()) {
            let found = list(path)?.into_iter().filter_map(|file| {
                let address = file.file_name()?.to_str()?.parse().ok()?;
                (self.path(address) == file).then_some(address)
            });
            addresses.extend(found);
        }
        addresses.sort_unstable();
        Ok(addresses)
    }

    /// Where a blob lies: 256 directories, by the first byte of the address.
    pub(crate) fn path(&self, address: Digest) -> PathBuf {
        self.directory.join(relative(address))
    }

    fn unfinished(&self) -> PathBuf {
        self.directory.join("unfinished")
    }
}

/// A blob's place within its directory.
pub(crate) fn relative(address: Digest) -> PathBuf {
    let name = address.to_string();
    let group: String = name.chars().take(2).collect();
    Path::new(&group).join(name)
}

fn list(directory: &Path) -> Result<Vec<PathBuf>, Error> {
    let fault = || Error::io(directory, "listed");
    let entries = fs::read_dir(directory).map_err(fault())?;
    entries.map(|entry| entry.map(|entry| entry.path()).map_err(fault())).collect()
}

/// A blob that is being read.
pub struct BlobReader {
    address: Digest,
    path: PathBuf,
    key: Secret,
    bytes: u64,
    chunks: Chunks<BufReader<File>>,
}

impl BlobReader {
    /// Bytes of plaintext.
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The next piece of plaintext; `None` behind the last.
    ///
    /// # Errors
    /// [`Error::BlobChanged`] when a chunk was changed, moved or cut off, or the secret is another.
    pub fn chunk(&mut self) -> Result<Option<Vec<u8>>, Error> {
        let next = self.chunks.next().map_err(Error::io(&self.path, "read"))?;
        let Some((i, sealed, last)) = next else { return Ok(None) };
        let changed = |_open| Error::BlobChanged(self.address);
        self.key.open(nonce(i), &associated(last), sealed).map(Some).map_err(changed)
    }
}

/// Parts a stream into chunks, and knows which is the last.
struct Chunks<R> {
    from: R,
    size: usize,
    /// The chunk that was read ahead.
    ahead: Vec<u8>,
    current: Vec<u8>,
    next: Option<u64>,
}

impl<R: Read> Chunks<R> {
    fn new(from: R, size: usize) -> Self {
        Self { from, size, ahead: Vec::new(), current: Vec::new(), next: None }
    }

    /// The number and bytes of the next chunk, and whether it is the last.
    ///
    /// There is at least one, which is empty when the stream is.
    fn next(&mut self) -> std::io::Result<Option<(u64, &[u8], Last)>> {
        let number = match self.next {
            None => {
                self.ahead = self.fill()?;
                0
            }
            Some(_) if self.ahead.is_empty() => return Ok(None),
            Some(number) => number,
        };
        self.next = Some(number + 1);
        self.current = std::mem::take(&mut self.ahead);
        if self.current.len() == self.size {
            self.ahead = self.fill()?;
        }
        let last = if self.ahead.is_empty() { Last::Yes } else { Last::No };
        Ok(Some((number, &self.current, last)))
    }

    fn fill(&mut self) -> std::io::Result<Vec<u8>> {
        let mut chunk = Vec::with_capacity(self.size);
        self.from.by_ref().take(self.size as u64).read_to_end(&mut chunk)?;
        Ok(chunk)
    }
}

/// Whether a chunk is the last.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Last {
    No,
    Yes,
}

fn blob_key(secret: &Secret) -> Result<Secret, Error> {
    Ok(secret.derive(b"", "muster/blob/v1")?)
}

fn nonce(chunk: u64) -> [u8; 12] {
    let mut nonce = [0; 12];
    for (to, from) in nonce.iter_mut().skip(4).zip(chunk.to_be_bytes()) {
        *to = from;
    }
    nonce
}

fn associated(last: Last) -> [u8; 15] {
    let mut aad = [u8::from(last == Last::Yes); 15];
    for (to, from) in aad.iter_mut().zip(NAME) {
        *to = *from;
    }
    aad
}
