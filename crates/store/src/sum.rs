//! SHA-256 of files and streams, as `sha256sum` prints it (FIPS 180-4).

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use aws_lc_rs::digest::{Context, SHA256};
use base::crypto::Digest;

use crate::Error;

/// Bytes that are read at once.
const BUFFER_BYTES: usize = 128 * 1024;

/// A digest in the making.
pub(crate) struct Sum {
    context: Context,
    /// Bytes so far.
    pub bytes: u64,
}

impl Sum {
    pub fn new() -> Self {
        Self { context: Context::new(&SHA256), bytes: 0 }
    }

    pub fn add(&mut self, bytes: &[u8]) {
        self.context.update(bytes);
        self.bytes += bytes.len() as u64;
    }

    pub fn digest(self) -> Digest {
        // SHA-256 has 32 bytes, so the fallback is never taken.
        Digest::from_slice(self.context.finish().as_ref()).unwrap_or_default()
    }
}

/// The digest and length of a file.
pub(crate) fn of_file(path: &Path) -> Result<(Digest, u64), Error> {
    let mut file = File::open(path).map_err(Error::io(path, "opened"))?;
    let mut sum = Sum::new();
    each_piece(&mut file, |piece| {
        sum.add(piece);
        Ok(())
    })
    .map_err(Error::io(path, "read"))?;
    let bytes = sum.bytes;
    Ok((sum.digest(), bytes))
}

/// Reads to the end, a piece at a time.
pub(crate) fn each_piece(
    from: &mut impl Read,
    mut take: impl FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<()> {
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        match from.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(read) => take(buffer.get(..read).unwrap_or_default())?,
            Err(again) if again.kind() == io::ErrorKind::Interrupted => {}
            Err(other) => return Err(other),
        }
    }
}
