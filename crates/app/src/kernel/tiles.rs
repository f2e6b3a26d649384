//! The stored hashes of a log, read through the store: full tiles, and what follows from them.

use base::Digest;
use ledger::tree::{Frontier, Hashes, leaf_hash};
use ledger::{Error, tile::TILE_WIDTH};
use store::log::{LogName, LogReader};

/// The hashes of one log. The store keeps full tiles and leaves; the rest is computed.
pub struct LogHashes<'a> {
    pub reader: &'a LogReader,
    pub log: LogName,
}

impl Hashes for LogHashes<'_> {
    fn hashes(&self, level: u8, first: u64, count: u16) -> Result<Vec<Digest>, Error> {
        let fault = |source: store::Error| Error::Hashes(Box::new(source));
        let width = u64::from(TILE_WIDTH);
        if let Some(tile) = self.reader.tile(self.log, level, first / width).map_err(fault)? {
            let skip = usize::try_from(first % width).unwrap_or(0);
            let hashes = tile.chunks_exact(32).filter_map(Digest::from_slice);
            return Ok(hashes.skip(skip).take(usize::from(count)).collect());
        }
        let Some(below) = level.checked_sub(1) else {
            let leaves = self.reader.leaves(self.log, first, u32::from(count)).map_err(fault)?;
            return Ok(leaves.iter().map(|leaf| leaf_hash(leaf)).collect());
        };
        let mut roots = Vec::with_capacity(usize::from(count));
        for index in first..first + u64::from(count) {
            let tile = self.reader.tile(self.log, below, index).map_err(fault)?;
            let tile = tile.ok_or_else(|| fault(store::Error::Form("tile: it is missing")))?;
            let mut root = Frontier::new();
            for hash in tile.chunks_exact(32).filter_map(Digest::from_slice) {
                root.append(hash);
            }
            roots.push(root.head().root);
        }
        Ok(roots)
    }
}
