//! Tiles and entry bundles: the log as files (C2SP tlog-tiles v0.1.0).
//!
//! A tile holds up to 256 neighbouring hashes of a level, 32 bytes each; at level l each is the
//! root over 256^l leaves. A bundle holds the up to 256 entries beneath a tile of level 0. Full
//! ones never change. The one at the right edge of a level is *partial*: a new width, a new file.

use std::fmt;
use std::str::FromStr;

use base::Digest;

use crate::encoding::{decimal, excerpt};
use crate::error::Error;
use crate::tree::{Frontier, Hashes, Head};

/// Hashes in a full tile, entries in a full bundle.
pub const TILE_WIDTH: u16 = 256;
/// The highest level that a path may name (tlog-tiles, "Merkle Tree").
pub const LEVEL_MAX: u8 = 63;
/// Bits of a leaf's index that a tile spans.
const TILE_BITS: u32 = 8;
const HASH_BYTES: usize = 32;
/// Levels that a tree can have whose size is 64 bits.
const LEVELS: usize = 8;

/// The coordinates of a tile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tile {
    level: u8,
    index: u64,
    width: u16,
}

impl Tile {
    /// The tile at `level` (0 to 63) and `index`, with `width` hashes (1 to 256).
    ///
    /// # Errors
    /// [`Error::Tile`] when the level or width is out of range.
    pub const fn new(level: u8, index: u64, width: u16) -> Result<Self, Error> {
        if level > LEVEL_MAX || width == 0 || width > TILE_WIDTH {
            return Err(Error::Tile { level, width });
        }
        Ok(Self { level, index, width })
    }

    /// The tile at `level` and `index` as it is in a tree of `size` leaves; `None` when not in it.
    pub fn in_tree(size: u64, level: u8, index: u64) -> Option<Self> {
        let hashes = hashes_at(size, level);
        let start = index.checked_mul(u64::from(TILE_WIDTH))?;
        let width = hashes.checked_sub(start)?.min(u64::from(TILE_WIDTH));
        Self::new(level, index, u16::try_from(width).ok()?).ok()
    }

    /// The level, 0 for hashes of leaves.
    pub const fn level(&self) -> u8 {
        self.level
    }

    /// The index of the tile among those of its level, from 0.
    pub const fn index(&self) -> u64 {
        self.index
    }

    /// Hashes in the tile, 1 to 256.
    pub const fn width(&self) -> u16 {
        self.width
    }

    /// Whether it has all its 256 hashes, so that it never changes.
    pub const fn full(&self) -> bool {
        self.width == TILE_WIDTH
    }

    /// The bytes of the tile, from stored hashes.
    ///
    /// # Errors
    /// [`Error::Hashes`] or [`Error::HashCount`] when they cannot be read.
    pub fn bytes(&self, hashes: &dyn Hashes) -> Result<Vec<u8>, Error> {
        let first = self.index.saturating_mul(u64::from(TILE_WIDTH));
        let read = hashes.hashes(self.level, first, self.width)?;
        if read.len() != usize::from(self.width) {
            return Err(Error::HashCount { want: usize::from(self.width), got: read.len() });
        }
        Ok(tile_bytes(&read))
    }

    /// Parts the bytes of the tile into its hashes.
    ///
    /// # Errors
    /// [`Error::TileBytes`] unless there are 32 for each hash of its width.
    pub fn part(&self, bytes: &[u8]) -> Result<Vec<Digest>, Error> {
        if bytes.len() != usize::from(self.width) * HASH_BYTES {
            return Err(Error::TileBytes(self.to_string()));
        }
        Ok(bytes.chunks_exact(HASH_BYTES).filter_map(Digest::from_slice).collect())
    }
}

/// Writes the path, `tile/<L>/<N>[.p/<W>]`.
impl fmt::Display for Tile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "tile/{}/", self.level)?;
        write_index(self.index, self.width, f)
    }
}

/// The coordinates of an entry bundle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bundle {
    index: u64,
    width: u16,
}

impl Bundle {
    /// The bundle at `index`, with `width` entries (1 to 256).
    ///
    /// # Errors
    /// [`Error::Tile`] when the width is out of range.
    pub const fn new(index: u64, width: u16) -> Result<Self, Error> {
        if width == 0 || width > TILE_WIDTH {
            return Err(Error::Tile { level: 0, width });
        }
        Ok(Self { index, width })
    }

    /// The bundle at `index` as it is in a log of `size` entries; `None` when not in it.
    pub fn in_log(size: u64, index: u64) -> Option<Self> {
        let Tile { index, width, .. } = Tile::in_tree(size, 0, index)?;
        Some(Self { index, width })
    }

    /// The index of the bundle, from 0.
    pub const fn index(&self) -> u64 {
        self.index
    }

    /// Entries in the bundle, 1 to 256.
    pub const fn width(&self) -> u16 {
        self.width
    }

    /// The bytes of the bundle: each entry behind its length in 2 bytes, big-endian.
    ///
    /// # Errors
    /// [`Error::EntryBytes`] for an entry above 65,535 bytes; [`Error::TileBytes`] when there are
    /// fewer or more entries than its width.
    pub fn bytes<'e>(&self, entries: impl IntoIterator<Item = &'e [u8]>) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::new();
        let mut count = 0_usize;
        for entry in entries {
            let Ok(length) = u16::try_from(entry.len()) else {
                return Err(Error::EntryBytes(entry.len()));
            };
            bytes.extend_from_slice(&length.to_be_bytes());
            bytes.extend_from_slice(entry);
            count += 1;
        }
        let whole = count == usize::from(self.width);
        if whole { Ok(bytes) } else { Err(Error::TileBytes(self.to_string())) }
    }

    /// Parts the bytes of the bundle into its entries.
    ///
    /// # Errors
    /// [`Error::TileBytes`] unless they are exactly as many entries as its width.
    pub fn part<'b>(&self, bytes: &'b [u8]) -> Result<Vec<&'b [u8]>, Error> {
        let mut entries = Vec::with_capacity(usize::from(self.width));
        let mut rest = bytes;
        while let Some((length, behind)) = rest.split_first_chunk::<2>() {
            let length = usize::from(u16::from_be_bytes(*length));
            let Some((entry, next)) = behind.split_at_checked(length) else { break };
            entries.push(entry);
            rest = next;
        }
        let whole = rest.is_empty() && entries.len() == usize::from(self.width);
        if whole { Ok(entries) } else { Err(Error::TileBytes(self.to_string())) }
    }
}

/// Writes the path, `tile/entries/<N>[.p/<W>]`.
impl fmt::Display for Bundle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("tile/entries/")?;
        write_index(self.index, self.width, f)
    }
}

/// What a log serves (tlog-tiles, "APIs").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resource {
    /// The newest checkpoint, at `checkpoint`.
    Checkpoint,
    /// A tile of hashes.
    Tile(Tile),
    /// A bundle of entries.
    Entries(Bundle),
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Checkpoint => f.write_str("checkpoint"),
            Self::Tile(tile) => tile.fmt(f),
            Self::Entries(bundle) => bundle.fmt(f),
        }
    }
}

impl FromStr for Resource {
    type Err = Error;

    /// Reads a path without leading slash; each resource has exactly one spelling.
    fn from_str(path: &str) -> Result<Self, Error> {
        parse_path(path)
            .filter(|resource| resource.to_string() == path)
            .ok_or_else(|| Error::Path(excerpt(path)))
    }
}

/// Reads a path; what is not its one spelling differs when it is written again.
fn parse_path(path: &str) -> Option<Resource> {
    if path == "checkpoint" {
        return Some(Resource::Checkpoint);
    }
    let (level, rest) = path.strip_prefix("tile/")?.split_once('/')?;
    let (index, width) = match rest.split_once(".p/") {
        Some((index, width)) => (index, decimal(width)?),
        None => (rest, u64::from(TILE_WIDTH)),
    };
    let index = index.split('/').try_fold(0_u64, |index, group| {
        let digits = group.strip_prefix('x').unwrap_or(group);
        let group = digits.parse::<u16>().ok().filter(|group| *group < 1000)?;
        index.checked_mul(1000)?.checked_add(u64::from(group))
    })?;
    let width = u16::try_from(width).ok()?;
    match level {
        "entries" => Bundle::new(index, width).ok().map(Resource::Entries),
        level => {
            let level = u8::try_from(decimal(level)?).ok()?;
            Tile::new(level, index, width).ok().map(Resource::Tile)
        }
    }
}

/// Writes an index in groups of three digits, each but the last behind an `x`, and a partial width.
fn write_index(index: u64, width: u16, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let mut groups = vec![index % 1000];
    let mut above = index / 1000;
    while above > 0 {
        groups.push(above % 1000);
        above /= 1000;
    }
    for (place, group) in groups.iter().enumerate().rev() {
        if place == 0 {
            write!(f, "{group:03}")?;
        } else {
            write!(f, "x{group:03}/")?;
        }
    }
    if width < TILE_WIDTH { write!(f, ".p/{width}") } else { Ok(()) }
}

/// Hashes that a tree of `size` leaves has at `level`.
fn hashes_at(size: u64, level: u8) -> u64 {
    size.checked_shr(TILE_BITS * u32::from(level)).unwrap_or(0)
}

/// The tiles that must be written when a tree grows from `old` to `new` leaves, low levels first.
///
/// At each level: those that became full, then the partial one at the right edge when it changed.
/// Widths that were passed over are not written: only those of sizes with a checkpoint are served.
pub fn grown(old: u64, new: u64) -> Vec<Tile> {
    let mut tiles = Vec::new();
    for level in 0..=LEVEL_MAX {
        let (before, after) = (hashes_at(old, level), hashes_at(new, level));
        if before >= after {
            break;
        }
        let edge = after >> TILE_BITS;
        tiles.extend(
            (before >> TILE_BITS..=edge).filter_map(|index| Tile::in_tree(new, level, index)),
        );
    }
    tiles
}

/// The bundles that must be written when a log grows from `old` to `new` entries.
pub fn grown_bundles(old: u64, new: u64) -> Vec<Bundle> {
    if old >= new {
        return Vec::new();
    }
    let (first, last) = (old >> TILE_BITS, new >> TILE_BITS);
    (first..=last).filter_map(|index| Bundle::in_log(new, index)).collect()
}

fn tile_bytes(hashes: &[Digest]) -> Vec<u8> {
    hashes.iter().flat_map(|hash| hash.0).collect()
}

/// The right edge of a tree in tiles: what a sequencer keeps to write the tiles of a growing log.
///
/// Holds at most 255 hashes a level, with a frontier that makes the hash of each full tile.
#[derive(Clone, Debug)]
pub struct Edge {
    frontier: Frontier,
    /// Leaves at the last [`Edge::take`].
    taken: u64,
    /// The hashes of the partial tile of each level.
    levels: [Vec<Digest>; LEVELS],
    /// Full tiles since the last [`Edge::take`].
    full: Vec<(Tile, Vec<u8>)>,
}

impl Edge {
    /// The edge of the tree without leaves.
    pub const fn new() -> Self {
        Self {
            frontier: Frontier::new(),
            taken: 0,
            levels: [const { Vec::new() }; LEVELS],
            full: Vec::new(),
        }
    }

    /// The edge of the first `size` leaves, from stored hashes.
    ///
    /// # Errors
    /// What reading the hashes gives.
    pub fn at(size: u64, hashes: &dyn Hashes) -> Result<Self, Error> {
        let frontier = Frontier::at(size, hashes)?;
        let mut levels = [const { Vec::new() }; LEVELS];
        for (level, held) in (0..=LEVEL_MAX).zip(&mut levels) {
            let edge = hashes_at(size, level) >> TILE_BITS;
            if let Some(tile) = Tile::in_tree(size, level, edge) {
                *held = tile.part(&tile.bytes(hashes)?)?;
            }
        }
        Ok(Self { frontier, taken: size, levels, full: Vec::new() })
    }

    /// Adds the hash of a leaf and returns its index; amortised one hash.
    pub fn append(&mut self, leaf: Digest) -> u64 {
        let Self { frontier, levels, full, .. } = self;
        let index = frontier.size();
        push(levels, full, (0, leaf, index));
        frontier.append_seen(leaf, |height, root| {
            if u32::from(height) % TILE_BITS == 0 {
                push(levels, full, (height / 8, root, index >> height));
            }
        })
    }

    /// Leaves in the tree.
    pub const fn size(&self) -> u64 {
        self.frontier.size()
    }

    /// The size and root of the tree; O(log n) hashes.
    pub fn head(&self) -> Head {
        self.frontier.head()
    }

    /// The frontier of the tree.
    pub const fn frontier(&self) -> &Frontier {
        &self.frontier
    }

    /// The tiles that became full since they were last taken, for a store that keeps no others.
    ///
    /// [`Tile::bytes`] makes a partial tile from what such a store keeps.
    pub fn take_full(&mut self) -> Vec<(Tile, Vec<u8>)> {
        std::mem::take(&mut self.full)
    }

    /// The tiles to write before a checkpoint of this size is published, as [`grown`] lists them.
    ///
    /// Takes them: the next call gives what changed after this one.
    pub fn take(&mut self) -> Vec<(Tile, Vec<u8>)> {
        let (taken, size) = (self.taken, self.frontier.size());
        let mut tiles = self.take_full();
        for (level, hashes) in (0..=LEVEL_MAX).zip(&self.levels) {
            let changed = hashes_at(taken, level) != hashes_at(size, level);
            let edge = hashes_at(size, level) >> TILE_BITS;
            if let Some(tile) = Tile::in_tree(size, level, edge).filter(|_| changed) {
                tiles.push((tile, tile_bytes(hashes)));
            }
        }
        self.taken = size;
        tiles.sort_by_key(|(tile, _bytes)| *tile);
        tiles
    }
}

impl Default for Edge {
    fn default() -> Self {
        Self::new()
    }
}

/// Adds the hash (level, hash, its index at the level) to its tile and sets a full one aside.
fn push(
    levels: &mut [Vec<Digest>; LEVELS],
    full: &mut Vec<(Tile, Vec<u8>)>,
    hash: (u8, Digest, u64),
) {
    let (level, hash, index) = hash;
    let Some(hashes) = levels.get_mut(usize::from(level)) else { return };
    hashes.push(hash);
    if hashes.len() == usize::from(TILE_WIDTH) {
        let tile = Tile { level, index: index >> TILE_BITS, width: TILE_WIDTH };
        full.push((tile, tile_bytes(hashes)));
        hashes.clear();
    }
}

/// Every stored hash of a tree, held in memory: for tests, small logs and verifiers.
#[derive(Clone, Debug, Default)]
pub struct Stored {
    frontier: Frontier,
    levels: [Vec<Digest>; LEVELS],
}

impl Stored {
    /// The tree without leaves.
    pub const fn new() -> Self {
        Self { frontier: Frontier::new(), levels: [const { Vec::new() }; LEVELS] }
    }

    /// Adds the hash of a leaf and returns its index.
    pub fn append(&mut self, leaf: Digest) -> u64 {
        let Self { frontier, levels } = self;
        let mut push = |level: u8, hash| {
            if let Some(hashes) = levels.get_mut(usize::from(level)) {
                hashes.push(hash);
            }
        };
        push(0, leaf);
        frontier.append_seen(leaf, |height, root| {
            if u32::from(height) % TILE_BITS == 0 {
                push(height / 8, root);
            }
        })
    }

    /// The size and root of the tree.
    pub fn head(&self) -> Head {
        self.frontier.head()
    }
}

impl Hashes for Stored {
    fn hashes(&self, level: u8, first: u64, count: u16) -> Result<Vec<Digest>, Error> {
        let found = self.levels.get(usize::from(level)).and_then(|hashes| {
            let first = usize::try_from(first).ok()?;
            hashes.get(first..first.checked_add(usize::from(count))?)
        });
        let missing = || Error::HashCount { want: usize::from(count), got: 0 };
        found.map(<[Digest]>::to_vec).ok_or_else(missing)
    }
}

/// Reads hashes from the tiles of a log of a known size: from files, a database or a server.
///
/// It asks for the tile that a tree of that size has, full or partial. A tile of level 1 or above
/// is only as true as who gave it: a verifier checks what it computes against a signed root.
pub struct TileHashes<R> {
    size: u64,
    read: R,
}

impl<R> TileHashes<R>
where
    R: Fn(&Tile) -> Result<Vec<u8>, Box<dyn std::error::Error + Send + Sync>>,
{
    /// Takes the size of the tree, in leaves, and what reads the bytes of a tile.
    pub const fn new(size: u64, read: R) -> Self {
        Self { size, read }
    }
}

impl<R> Hashes for TileHashes<R>
where
    R: Fn(&Tile) -> Result<Vec<u8>, Box<dyn std::error::Error + Send + Sync>>,
{
    fn hashes(&self, level: u8, first: u64, count: u16) -> Result<Vec<Digest>, Error> {
        let want = usize::from(count);
        let index = first >> TILE_BITS;
        let Some(tile) = Tile::in_tree(self.size, level, index) else {
            return Err(Error::HashCount { want, got: 0 });
        };
        let hashes = tile.part(&(self.read)(&tile).map_err(Error::Hashes)?)?;
        let skip = usize::try_from(first % u64::from(TILE_WIDTH)).unwrap_or(0);
        let found: Vec<_> = hashes.into_iter().skip(skip).take(want).collect();
        let got = found.len();
        if got == want { Ok(found) } else { Err(Error::HashCount { want, got }) }
    }
}
