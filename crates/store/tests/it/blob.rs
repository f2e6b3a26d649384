//! Blobs: what is put is got; whatever was changed is found.

use std::fs;
use std::io::{self, Read};
use std::path::PathBuf;

use base::crypto::{Digest, Entropy, Secret, sha256};
use store::blob::CHUNK_BYTES;
use store::{Blob, Blobs, Error};

use crate::postgres::TemporaryDirectory;
use crate::world::files;

/// Bytes of a sealed chunk.
const SEALED: usize = CHUNK_BYTES + 16;

struct Shelf {
    directory: TemporaryDirectory,
    blobs: Blobs,
    entropy: Entropy,
}

impl Shelf {
    fn new(bytes_max: u64) -> Self {
        let directory = TemporaryDirectory::new().expect("a directory");
        let blobs = Blobs::open(&directory.path().join("blobs"), bytes_max).expect("blobs");
        Self { directory, blobs, entropy: Entropy::new(Secret::new([5; 32])) }
    }

    fn put(&mut self, bytes: &[u8]) -> Blob {
        self.blobs.put(bytes, &mut self.entropy).expect("it is put")
    }

    fn path(&self, address: Digest) -> PathBuf {
        let name = address.to_string();
        let group: String = name.chars().take(2).collect();
        self.directory.path().join("blobs").join(group).join(name)
    }

    fn sealed(&self, blob: &Blob) -> Vec<u8> {
        fs::read(self.path(blob.address)).expect("a file")
    }

    /// Puts bytes under the address that is theirs, as somebody without the secret could.
    fn plant(&self, bytes: &[u8]) -> Digest {
        let address = sha256(bytes);
        let path = self.path(address);
        fs::create_dir_all(path.parent().expect("a directory")).expect("a directory");
        fs::write(path, bytes).expect("a file");
        address
    }

    fn left(&self) -> usize {
        files(self.directory.path()).len()
    }
}

fn content(bytes: usize) -> Vec<u8> {
    (0..bytes).map(|i| u8::try_from((i / 7 + i / CHUNK_BYTES) % 251).expect("below 251")).collect()
}

fn changed(outcome: Result<Vec<u8>, Error>, address: Digest) {
    assert!(matches!(outcome, Err(Error::BlobChanged(named)) if named == address), "{outcome:?}");
}

#[test]
fn what_is_put_is_got() {
    let mut shelf = Shelf::new(1 << 30);
    for bytes in [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES, 200_000] {
        let content = content(bytes);
        let blob = shelf.put(&content);
        assert_eq!(blob.bytes, bytes as u64);
        assert_eq!(shelf.blobs.get(blob.address, &blob.secret).expect("it is got"), content);
        let sealed = shelf.sealed(&blob);
        assert_eq!(blob.address, sha256(&sealed), "the address is that of the file");
        let mut reader = shelf.blobs.read(blob.address, &blob.secret).expect("it is read");
        assert_eq!(reader.bytes(), bytes as u64);
        let first = reader.chunk().expect("a chunk").expect("the first chunk");
        assert_eq!(first, &content[..bytes.min(CHUNK_BYTES)]);
    }
}

#[test]
fn a_file_shows_neither_content_nor_equality() {
    let mut shelf = Shelf::new(1 << 20);
    let content = b"a name that nobody else may see".repeat(9);
    let (one, two) = (shelf.put(&content), shelf.put(&content));
    assert_ne!(one.address, two.address);
    assert_ne!(one.secret, two.secret);
    let sealed = shelf.sealed(&one);
    assert!(!sealed.windows(6).any(|window| window == b"a name"));
    changed(shelf.blobs.get(one.address, &two.secret), one.address);
}

#[test]
fn another_content_under_the_same_secret_is_found() {
    // Whoever was given the secret can seal with it, but not under the address that the log has.
    let (mut one, mut two) = (Shelf::new(1 << 20), Shelf::new(1 << 20));
    let (blob, other) = (one.put(b"what was put"), two.put(b"what was not"));
    assert_eq!(blob.secret, other.secret, "both draw from the same seed");
    fs::write(one.path(blob.address), two.sealed(&other)).expect("it is exchanged");
    changed(one.blobs.get(blob.address, &blob.secret), blob.address);
}

#[test]
fn a_slow_source_gives_the_same_chunks() {
    struct Slow<'a>(&'a [u8]);
    impl Read for Slow<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let few = buffer.len().min(4093);
            self.0.read(&mut buffer[..few])
        }
    }
    let mut shelf = Shelf::new(1 << 20);
    let content = content(2 * CHUNK_BYTES + 5);
    let blob = shelf.blobs.put(Slow(&content), &mut shelf.entropy).expect("it is put");
    assert_eq!(shelf.blobs.get(blob.address, &blob.secret).expect("it is got"), content);
}

#[test]
fn a_blob_has_at_most_the_bytes_allowed() {
    let max = 2 * CHUNK_BYTES + 10;
    let mut shelf = Shelf::new(max as u64);
    let blob = shelf.put(&content(max));
    assert_eq!(blob.bytes, max as u64);
    for bytes in [max + 1, max + CHUNK_BYTES, 10 * max] {
        let outcome = shelf.blobs.put(content(bytes).as_slice(), &mut shelf.entropy);
        assert!(matches!(outcome, Err(Error::BlobBytes(most)) if most == max as u64));
    }
    // Nobody who never ends fills the disk.
    let outcome = shelf.blobs.put(io::repeat(7), &mut shelf.entropy);
    assert!(matches!(outcome, Err(Error::BlobBytes(_))));
    assert_eq!(shelf.left(), 1, "nothing of them is kept");
}

#[test]
fn a_source_that_fails_leaves_nothing() {
    struct Broken(usize);
    impl Read for Broken {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let left = self.0.min(buffer.len());
            self.0 -= left;
            if left == 0 { Err(io::Error::other("the client went away")) } else { Ok(left) }
        }
    }
    let mut shelf = Shelf::new(1 << 20);
    let outcome = shelf.blobs.put(Broken(100_000), &mut shelf.entropy);
    assert!(matches!(outcome, Err(Error::Io { .. })));
    assert_eq!(shelf.left(), 0);
}

#[test]
fn a_changed_byte_is_found() {
    let mut shelf = Shelf::new(1 << 20);
    let blob = shelf.put(&content(CHUNK_BYTES + 100));
    let sealed = shelf.sealed(&blob);
    for at in [0, 1, 500, SEALED, SEALED + 1, SEALED + 100, sealed.len() - 1] {
        let mut bytes = sealed.clone();
        bytes[at] ^= 0x40;
        fs::write(shelf.path(blob.address), &bytes).expect("it is changed");
        changed(shelf.blobs.get(blob.address, &blob.secret), blob.address);
        // And by the cipher itself, where the address was changed too.
        let planted = shelf.plant(&bytes);
        changed(shelf.blobs.get(planted, &blob.secret), planted);
    }
    fs::write(shelf.path(blob.address), &sealed).expect("it is put right");
    shelf.blobs.get(blob.address, &blob.secret).expect("it is got");
}

#[test]
fn a_truncated_or_extended_file_is_found() {
    let mut shelf = Shelf::new(1 << 20);
    let blob = shelf.put(&content(3 * CHUNK_BYTES));
    let sealed = shelf.sealed(&blob);
    let lengths = [0, 1, 16, 17, 1 + SEALED, 1 + 2 * SEALED, sealed.len() - 1];
    let mut longer = sealed.clone();
    longer.push(0);
    let mut twice = sealed.clone();
    twice.extend_from_slice(&sealed[1 + 2 * SEALED..]);
    let mut empty_last = sealed.clone();
    empty_last.extend_from_slice(&[0; 16]);
    let cut = lengths.iter().map(|length| sealed[..*length].to_vec());
    for bytes in cut.chain([longer, twice, empty_last]) {
        let planted = shelf.plant(&bytes);
        changed(shelf.blobs.get(planted, &blob.secret), planted);
        fs::write(shelf.path(blob.address), &bytes).expect("it is changed");
        changed(shelf.blobs.get(blob.address, &blob.secret), blob.address);
    }
}

#[test]
fn exchanged_chunks_are_found() {
    let mut shelf = Shelf::new(1 << 20);
    let blob = shelf.put(&content(3 * CHUNK_BYTES));
    let other = shelf.put(&content(3 * CHUNK_BYTES));
    let (sealed, of_other) = (shelf.sealed(&blob), shelf.sealed(&other));
    let chunk = |bytes: &[u8], i: usize| bytes[1 + i * SEALED..][..SEALED].to_vec();
    let join = |chunks: [Vec<u8>; 3]| [vec![1], chunks.concat()].concat();
    let [a, b, c] = [0, 1, 2].map(|i| chunk(&sealed, i));
    let foreign = chunk(&of_other, 1);
    let files = [
        join([b.clone(), a.clone(), c.clone()]),
        join([a.clone(), a.clone(), c.clone()]),
        join([a.clone(), c.clone(), b.clone()]),
        join([a.clone(), foreign, c.clone()]),
    ];
    for bytes in files {
        let planted = shelf.plant(&bytes);
        changed(shelf.blobs.get(planted, &blob.secret), planted);
    }
    let same = shelf.plant(&join([a, b, c]));
    assert_eq!(same, blob.address);
    shelf.blobs.get(same, &blob.secret).expect("it is got");
}

#[test]
fn a_removed_blob_is_missing() {
    let mut shelf = Shelf::new(1 << 20);
    let (blob, other) = (shelf.put(b"one"), shelf.put(b"two"));
    assert!(shelf.blobs.exists(blob.address).expect("a look"));
    let mut addresses = vec![blob.address, other.address];
    addresses.sort_unstable();
    assert_eq!(shelf.blobs.addresses().expect("a list"), addresses);
    for _ in 0..2 {
        shelf.blobs.remove(blob.address).expect("it is removed");
    }
    assert!(!shelf.blobs.exists(blob.address).expect("a look"));
    let outcome = shelf.blobs.get(blob.address, &blob.secret);
    assert!(matches!(outcome, Err(Error::BlobMissing(named)) if named == blob.address));
    assert_eq!(shelf.blobs.addresses().expect("a list"), [other.address]);
}

#[test]
fn what_a_crash_left_is_swept() {
    let mut shelf = Shelf::new(1 << 20);
    let blob = shelf.put(b"whole");
    fs::write(shelf.directory.path().join("blobs/unfinished/half"), b"hal").expect("a file");
    assert_eq!(shelf.blobs.addresses().expect("a list"), [blob.address]);
    assert_eq!(shelf.blobs.sweep().expect("swept"), 1);
    assert_eq!(shelf.blobs.sweep().expect("swept"), 0);
    assert_eq!(shelf.blobs.get(blob.address, &blob.secret).expect("it is got"), b"whole");
}
