//! The unfinished right edge of the tiles, so that each full tile is written once, with its batch.

use base::Digest;
use ledger::tree::Frontier;
use store::log::FullTile;

/// The hashes of each level that do not fill a tile yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TileEdge {
    levels: Vec<Level>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Level {
    /// Tiles of this level that are full.
    full: u64,
    hashes: Vec<Digest>,
}

/// Hashes in a tile (C2SP tlog-tiles).
const TILE: usize = 256;

impl TileEdge {
    /// Restores the edge from each level's count of full tiles and the hashes after them.
    pub fn restore(levels: Vec<(u64, Vec<Digest>)>) -> Self {
        let levels = levels.into_iter().map(|(full, hashes)| Level { full, hashes }).collect();
        Self { levels }
    }

    /// Adds a leaf hash and gives the tiles that it filled, lowest level first.
    pub fn append(&mut self, leaf: Digest) -> Vec<FullTile> {
        let mut filled = Vec::new();
        let mut carry = Some(leaf);
        let mut level = 0;
        while let Some(hash) = carry.take() {
            if self.levels.len() == level {
                self.levels.push(Level::default());
            }
            let Some(at) = self.levels.get_mut(level) else { break };
            at.hashes.push(hash);
            if at.hashes.len() == TILE {
                let hashes = std::mem::take(&mut at.hashes);
                let mut root = Frontier::new();
                for hash in &hashes {
                    root.append(*hash);
                }
                carry = Some(root.head().root);
                filled.push(FullTile {
                    level: u8::try_from(level).unwrap_or(u8::MAX),
                    index: at.full,
                    hashes: hashes.iter().flat_map(|hash| hash.0).collect(),
                });
                at.full += 1;
                level += 1;
            }
        }
        filled
    }

    /// The hashes of a level after its full tiles.
    pub fn partial(&self, level: usize) -> &[Digest] {
        self.levels.get(level).map_or(&[], |level| level.hashes.as_slice())
    }
}
