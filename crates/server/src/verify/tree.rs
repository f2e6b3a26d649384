//! The tree: every leaf against the tiles and against each signed head, in one pass.

use base::crypto::Digest;
use ledger::tile::{Edge, Tile};
use ledger::tree::{Frontier, leaf_hash};
use store::log::{Head, LogName, LogReader};

use super::checkpoint::Checkpoints;
use super::finding::Place;
use super::{Finding, Findings, Part};
use crate::terminal::chain;

/// Hashes in a full tile.
const TILE: u64 = 256;

/// One reading of the log's hashes: by its leaves, or by its tiles.
struct Chain {
    edge: Edge,
    /// Tiles above the first level that differ from what this reading gives.
    differing: Vec<(u8, u64)>,
    /// The last signed size whose root this reading has before the first whose root it has not.
    good: u64,
    /// The signed sizes whose roots it has not, ascending.
    bad: Vec<(u64, Part)>,
}

impl Chain {
    fn new() -> Self {
        Self { edge: Edge::new(), differing: Vec::new(), good: 0, bad: Vec::new() }
    }

    /// Adds the hash of a leaf and gives the tiles that it filled, lowest level first.
    fn append(&mut self, hash: Digest, checkpoints: &Checkpoints) -> Vec<(Tile, Vec<u8>)> {
        self.edge.append(hash);
        let size = self.edge.size();
        if let Some((root, part)) = checkpoints.at(size) {
            if self.edge.head().root != root {
                self.bad.push((size, part));
            } else if self.bad.is_empty() {
                self.good = size;
            }
        }
        self.edge.take_full()
    }
}

/// Walks over the leaves of one log.
///
/// The leaves and the lowest tiles each give a tree. Whichever has the signed root is right, and
/// where the other differs it is faulty: so a changed leaf is named exactly.
pub struct TreeWalk<'a> {
    log: LogName,
    checkpoints: &'a Checkpoints,
    by_leaf: Chain,
    by_tile: Chain,
    /// Hashes of the leaves since the last full tile.
    leaves: Vec<Digest>,
    /// Leaves that differ from their place in their tile.
    differing: Vec<u64>,
    tiles: u64,
}

impl<'a> TreeWalk<'a> {
    /// Starts at the first leaf.
    pub fn new(log: LogName, checkpoints: &'a Checkpoints) -> Self {
        let (leaves, differing) = (Vec::new(), Vec::new());
        let (by_leaf, by_tile) = (Chain::new(), Chain::new());
        Self { log, checkpoints, by_leaf, by_tile, leaves, differing, tiles: 0 }
    }

    /// Full tiles that were looked at.
    pub const fn tiles(&self) -> u64 {
        self.tiles
    }

    /// Takes the next leaf; one that is missing leaves a hole in the tree.
    pub fn leaf(
        &mut self,
        sequence: u64,
        leaf: Option<&[u8]>,
        reader: &LogReader,
        findings: &mut Findings,
    ) {
        let hash = leaf.map(leaf_hash).unwrap_or_default();
        self.leaves.push(hash);
        let full = self.by_leaf.append(hash, self.checkpoints);
        for (tile, bytes) in full.iter().filter(|(tile, _)| tile.level() > 0) {
            let stored = self.stored(*tile, bytes.len(), reader, findings);
            if stored.is_some_and(|stored| stored != *bytes) {
                self.by_leaf.differing.push((tile.level(), tile.index()));
            }
        }
        if self.leaves.len() as u64 == TILE {
            let first = sequence + 1 - TILE;
            let lowest = full.first().map(|(tile, bytes)| (*tile, bytes.len()));
            self.tile(first, lowest, reader, findings);
        }
    }

    /// Holds the leaves of a full tile against it, and goes on with the tile's own hashes.
    fn tile(
        &mut self,
        first: u64,
        made: Option<(Tile, usize)>,
        reader: &LogReader,
        findings: &mut Findings,
    ) {
        let leaves = std::mem::take(&mut self.leaves);
        let stored = made.and_then(|(tile, length)| self.stored(tile, length, reader, findings));
        let stored: Vec<Digest> = stored
            .map(|bytes| bytes.chunks_exact(32).filter_map(Digest::from_slice).collect())
            .unwrap_or_default();
        let whole = stored.len() == leaves.len();
        for (place, leaf) in leaves.iter().enumerate() {
            let hash = stored.get(place).filter(|_| whole).unwrap_or(leaf);
            if hash != leaf {
                self.differing.push(first + place as u64);
            }
            for (tile, bytes) in self.by_tile.append(*hash, self.checkpoints) {
                let (level, index) = (tile.level(), tile.index());
                let stored = reader.tile(self.log, level, index).ok().flatten();
                if level > 0 && stored.is_some_and(|stored| stored != bytes) {
                    self.by_tile.differing.push((level, index));
                }
            }
        }
    }

    /// The stored bytes of a tile that the log must have.
    fn stored(
        &mut self,
        tile: Tile,
        length: usize,
        reader: &LogReader,
        findings: &mut Findings,
    ) -> Option<Vec<u8>> {
        let (level, index) = (tile.level(), tile.index());
        let part = Part::Tile { level, index };
        self.tiles += 1;
        match reader.tile(self.log, level, index) {
            Ok(Some(stored)) if stored.len() == length => return Some(stored),
            Ok(Some(stored)) => {
                let why = format!("it has {} bytes, not {length}", stored.len());
                findings.add(Finding::log(self.log, part, why));
            }
            Ok(None) => findings.add(Finding::log(self.log, part, "it is missing")),
            Err(fault) => findings.add(Finding::log(self.log, part, chain(&fault))),
        }
        None
    }

    /// Holds what was read against the newest head, and names what differs.
    pub fn finish(&mut self, head: &Head, findings: &mut Findings) {
        for hash in std::mem::take(&mut self.leaves) {
            self.by_tile.append(hash, self.checkpoints);
        }
        let claimed = self.checkpoints.claimed;
        let (leaves, tiles) = (self.by_leaf.edge.head(), self.by_tile.edge.head());
        if leaves == claimed {
            self.faulty_tiles(findings);
            self.other_checkpoints(findings);
        } else if tiles == claimed {
            for sequence in &self.differing {
                let why = "its hash is not the one in the tree that was signed";
                findings.add(Finding::entry(self.log, *sequence, Part::Leaf, why));
            }
            self.upper_tiles(&self.by_tile.differing, findings);
        } else {
            for sequence in &self.differing {
                let why = "its hash is not the one in its tile, and neither leads to the root";
                findings.add(Finding::entry(self.log, *sequence, Part::Leaf, why));
            }
            let place = self.narrow(head);
            let why = format!("root over {} leaves is not the one signed", claimed.size);
            findings.add(Finding { log: self.log, place, part: Part::Leaf, why });
        }
        self.frontier(head, leaves == claimed, findings);
    }

    /// The leaves are right: a tile that differs from them is not.
    fn faulty_tiles(&self, findings: &mut Findings) {
        let mut tiles: Vec<u64> = self.differing.iter().map(|sequence| sequence / TILE).collect();
        tiles.dedup();
        for index in tiles {
            let part = Part::Tile { level: 0, index };
            let why = "its hashes are not those of its leaves, which lead to the signed root";
            findings.add(Finding::log(self.log, part, why));
        }
        self.upper_tiles(&self.by_leaf.differing, findings);
    }

    fn upper_tiles(&self, differing: &[(u8, u64)], findings: &mut Findings) {
        for (level, index) in differing {
            let part = Part::Tile { level: *level, index: *index };
            let why = "its hashes are not the roots of the tiles below it";
            findings.add(Finding::log(self.log, part, why));
        }
    }

    /// The leaves have the newest root: an older head that they do not have was changed itself.
    fn other_checkpoints(&self, findings: &mut Findings) {
        for (size, part) in &self.by_leaf.bad {
            let why = format!("its root is not that of the first {size} leaves");
            findings.add(Finding::log(self.log, *part, why));
        }
    }

    /// The smallest stretch of leaves in which the fault lies, by signed heads and by the frontier.
    fn narrow(&self, head: &Head) -> Place {
        let size = self.by_leaf.edge.size();
        let mut first = self.by_leaf.good;
        let mut end = self.by_leaf.bad.first().map_or(size, |(bad, _)| *bad);
        let signed = Frontier::from_bytes(&head.frontier).ok();
        let signed = signed.filter(|frontier| frontier.head() == self.checkpoints.claimed);
        if let Some(signed) = signed {
            let (mine, theirs) = (self.by_leaf.edge.frontier().to_bytes(), signed.to_bytes());
            let mut start = 0;
            let heights = (0..64_u32).rev().filter(|height| size >> height & 1 == 1);
            for (place, height) in heights.enumerate() {
                // The size stands before the peaks, in eight bytes of its own.
                let at = 8 + place * 32;
                let span = 1_u64 << height;
                if mine.get(at..at + 32) != theirs.get(at..at + 32) {
                    first = first.max(start);
                    end = end.min(start + span);
                    break;
                }
                start += span;
            }
        }
        if first + 1 >= end { Place::Entry(first) } else { Place::Among(first, end - 1) }
    }

    fn frontier(&self, head: &Head, leaves_are_right: bool, findings: &mut Findings) {
        let empty = head.size == 0 && head.frontier.is_empty();
        if empty {
            return;
        }
        let same = head.frontier == self.by_leaf.edge.frontier().to_bytes();
        let fits = Frontier::from_bytes(&head.frontier)
            .is_ok_and(|frontier| frontier.head() == self.checkpoints.claimed);
        if !fits || (leaves_are_right && !same) {
            let why = "its right edge of the tree is not that of its leaves";
            findings.add(Finding::log(self.log, Part::Head, why));
        }
    }
}
