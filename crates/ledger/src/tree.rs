//! The Merkle tree of RFC 6962 §2.1 (RFC 9162 §2.1.1): hashes, roots, and the frontier that grows.
//!
//! The root over no leaves is SHA-256 of nothing. A leaf hashes to SHA-256(0x00 ‖ leaf), a node to
//! SHA-256(0x01 ‖ left ‖ right), and of n leaves the left subtree takes the largest power of two
//! below n. A subtree of 2^h leaves is *perfect* and of *height* h.

use base::Digest;
use base::crypto::{sha256, sha256_concat};

use crate::error::Error;

/// Heights between two levels of tiles: a tile's hash spans 256 hashes of the level below.
const TILE_HEIGHT: u8 = 8;

/// The hash of a leaf (RFC 9162 §2.1.1).
pub fn leaf_hash(leaf: &[u8]) -> Digest {
    // One hash of one buffer costs half of what an incremental hash does; ours have 124 bytes.
    let mut buffer = [0; 256];
    let Some(room) = buffer.get_mut(1..=leaf.len()) else {
        return sha256_concat(&[&[0], leaf]);
    };
    room.copy_from_slice(leaf);
    let (whole, _rest) = buffer.split_at(leaf.len() + 1);
    sha256(whole)
}

/// The hash of a node over two subtrees (RFC 9162 §2.1.1).
pub fn node_hash(left: &Digest, right: &Digest) -> Digest {
    let mut buffer = [1; 65];
    let (_prefix, rest) = buffer.split_at_mut(1);
    let (to_left, to_right) = rest.split_at_mut(32);
    to_left.copy_from_slice(&left.0);
    to_right.copy_from_slice(&right.0);
    sha256(&buffer)
}

/// The size and root of a tree: what a checkpoint states and a witness keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Leaves in the tree.
    pub size: u64,
    /// The root over them.
    pub root: Digest,
}

impl Head {
    /// The head of the tree without leaves.
    pub fn empty() -> Self {
        Self { size: 0, root: sha256(&[]) }
    }
}

/// Reads stored hashes: the source of roots, proofs and tiles.
///
/// Only hashes that stand in tiles are asked for: those of perfect subtrees of height 8 × level.
/// What is read here is not trusted by those who verify; it is by those who prove.
pub trait Hashes {
    /// Reads `count` hashes of `level`, from the one at index `first`; all are of one tile.
    ///
    /// At `level` l the hash at index i is the root over the leaves from i × 256^l to
    /// (i + 1) × 256^l. `count` is from 1 to 256.
    ///
    /// # Errors
    /// [`Error::Hashes`] when a hash is not there or cannot be read.
    fn hashes(&self, level: u8, first: u64, count: u16) -> Result<Vec<Digest>, Error>;
}

/// The root over neighbouring subtrees of one height, in place; `None` for none.
///
/// A last one without a neighbour moves up, which is the split of RFC 9162 §2.1.1.
fn fold(mut hashes: Vec<Digest>) -> Option<Digest> {
    while hashes.len() > 1 {
        hashes = hashes
            .chunks(2)
            .filter_map(|pair| match pair {
                [left, right] => Some(node_hash(left, right)),
                [last] => Some(*last),
                _ => None,
            })
            .collect();
    }
    hashes.pop()
}

/// The root over subtrees from left to right, of which each is larger than the next.
fn join(subtrees: impl DoubleEndedIterator<Item = Digest>) -> Option<Digest> {
    subtrees.rev().reduce(|right, left| node_hash(&left, &right))
}

/// The perfect subtrees that make up the leaves from `start` to `end`: height, then index at it.
fn perfect(start: u64, end: u64) -> impl Iterator<Item = (u8, u64)> {
    let length = end.saturating_sub(start);
    let mut at = start;
    (0..64_u8).rev().filter(move |height| length >> height & 1 == 1).map(move |height| {
        let index = at >> height;
        at = at.saturating_add(1 << height);
        (height, index)
    })
}

/// The root of one perfect subtree, from the hashes of the tile beneath it.
fn perfect_root(height: u8, index: u64, hashes: &dyn Hashes) -> Result<Digest, Error> {
    let (level, above) = (height / TILE_HEIGHT, height % TILE_HEIGHT);
    let count = 1_u16 << above;
    let read = hashes.hashes(level, index << above, count)?;
    let got = read.len();
    let wrong = Error::HashCount { want: usize::from(count), got };
    if got != usize::from(count) {
        return Err(wrong);
    }
    fold(read).ok_or(wrong)
}

fn perfect_roots(start: u64, end: u64, hashes: &dyn Hashes) -> Result<Vec<Digest>, Error> {
    perfect(start, end).map(|(height, index)| perfect_root(height, index, hashes)).collect()
}

/// The root over the leaves from `start` to `end`, which is the whole tree or a subtree of it.
///
/// A subtree starts at a multiple of the smallest power of two that is not below its length.
///
/// # Errors
/// [`Error::Subtree`] when there is no such subtree; what reading the hashes gives.
pub fn subtree_root(start: u64, end: u64, hashes: &dyn Hashes) -> Result<Digest, Error> {
    let last = end.wrapping_sub(start).wrapping_sub(1);
    let below_its_height = u64::MAX.checked_shr(last.leading_zeros()).unwrap_or(0);
    if start >= end || start & below_its_height != 0 {
        return Err(Error::Subtree { start, end });
    }
    let roots = perfect_roots(start, end, hashes)?;
    join(roots.into_iter()).ok_or(Error::Subtree { start, end })
}

/// The root over the first `size` leaves, from stored hashes.
///
/// # Errors
/// What reading the hashes gives; none for `size` 0.
pub fn root_at(size: u64, hashes: &dyn Hashes) -> Result<Digest, Error> {
    if size == 0 { Ok(Head::empty().root) } else { subtree_root(0, size, hashes) }
}

/// The right edge of a tree: all that is needed to add leaves and to know the root.
///
/// It holds the roots of the perfect subtrees that make up the tree, one for each bit set in its
/// size, the largest first: 32 hashes for any tree this century.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Frontier {
    size: u64,
    // INVARIANT: as many as there are bits set in `size`.
    peaks: Vec<Digest>,
}

impl Frontier {
    /// The frontier of the tree without leaves.
    pub const fn new() -> Self {
        Self { size: 0, peaks: Vec::new() }
    }

    /// The frontier of the first `size` leaves, from stored hashes.
    ///
    /// # Errors
    /// What reading the hashes gives.
    pub fn at(size: u64, hashes: &dyn Hashes) -> Result<Self, Error> {
        Ok(Self { size, peaks: perfect_roots(0, size, hashes)? })
    }

    /// Leaves in the tree.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The size and root of the tree; O(log n) hashes.
    pub fn head(&self) -> Head {
        match join(self.peaks.iter().copied()) {
            Some(root) => Head { size: self.size, root },
            None => Head::empty(),
        }
    }

    /// Adds the hash of a leaf and returns its index; amortised one hash, O(log n) at worst.
    ///
    /// # Panics
    /// When the tree has 2⁶⁴ − 1 leaves: a further one would falsify the record.
    pub fn append(&mut self, leaf: Digest) -> u64 {
        self.append_seen(leaf, |_height, _root| ())
    }

    /// Adds the hash of a leaf and shows each perfect subtree above it that is now whole.
    pub(crate) fn append_seen(&mut self, leaf: Digest, mut seen: impl FnMut(u8, Digest)) -> u64 {
        assert!(self.size < u64::MAX, "a tree has at most 2⁶⁴ − 1 leaves");
        let index = self.size;
        let mut root = leaf;
        let mut height = 0;
        while self.size >> height & 1 == 1 {
            // INVARIANT: a bit set in the size has its peak.
            let Some(left) = self.peaks.pop() else { break };
            root = node_hash(&left, &root);
            height += 1;
            seen(height, root);
        }
        self.peaks.push(root);
        self.size += 1;
        index
    }

    /// The bytes that [`Frontier::from_bytes`] reads: u64 big-endian size, then 32 bytes a peak.
    pub fn to_bytes(&self) -> Vec<u8> {
        let peaks = self.peaks.iter().flat_map(|peak| peak.0);
        self.size.to_be_bytes().into_iter().chain(peaks).collect()
    }

    /// Reads the bytes of a frontier.
    ///
    /// # Errors
    /// [`Error::Frontier`] unless there is exactly one hash for each bit set in the size.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let (size, peaks) = bytes.split_first_chunk::<8>().ok_or(Error::Frontier)?;
        let size = u64::from_be_bytes(*size);
        if peaks.len() as u64 != u64::from(size.count_ones()) * 32 {
            return Err(Error::Frontier);
        }
        Ok(Self { size, peaks: peaks.chunks_exact(32).filter_map(Digest::from_slice).collect() })
    }
}

/// Checks a stream of leaves against heads that were claimed of them.
///
/// It holds a frontier and nothing else: a log of any length is checked in one pass.
pub struct TreeCheck {
    frontier: Frontier,
    claimed: Head,
}

impl TreeCheck {
    /// Starts at the first leaf, for a log of which `claimed` is said.
    pub const fn new(claimed: Head) -> Self {
        Self { frontier: Frontier::new(), claimed }
    }

    /// Goes on behind leaves that were checked before.
    ///
    /// # Errors
    /// [`Error::Sizes`] when `checked` is beyond what is claimed.
    pub fn resume(checked: Frontier, claimed: Head) -> Result<Self, Error> {
        if checked.size > claimed.size {
            return Err(Error::Sizes { old: checked.size, new: claimed.size });
        }
        Ok(Self { frontier: checked, claimed })
    }

    /// Takes the bytes of the next leaf and returns its hash.
    ///
    /// # Errors
    /// [`Error::TooManyLeaves`] when the claimed size is reached already.
    pub fn leaf(&mut self, leaf: &[u8]) -> Result<Digest, Error> {
        if self.frontier.size >= self.claimed.size {
            return Err(Error::TooManyLeaves(self.claimed.size));
        }
        let hash = leaf_hash(leaf);
        self.frontier.append(hash);
        Ok(hash)
    }

    /// Leaves taken so far.
    pub const fn size(&self) -> u64 {
        self.frontier.size
    }

    /// Checks another head, claimed of the leaves taken so far: an older checkpoint, say.
    ///
    /// # Errors
    /// [`Error::Size`] or [`Error::Root`] when it is not their head.
    pub fn agrees(&self, claimed: &Head) -> Result<(), Error> {
        let found = self.frontier.head();
        if found.size != claimed.size {
            return Err(Error::Size { claimed: claimed.size, got: found.size });
        }
        if found.root == claimed.root { Ok(()) } else { Err(Error::Root(claimed.size)) }
    }

    /// Ends the check and returns the frontier, from which a later one may go on.
    ///
    /// # Errors
    /// [`Error::Size`] when leaves are missing, [`Error::Root`] when they have another root.
    pub fn finish(self) -> Result<Frontier, Error> {
        self.agrees(&self.claimed)?;
        Ok(self.frontier)
    }
}
