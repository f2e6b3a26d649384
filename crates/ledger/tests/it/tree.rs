//! The tree against its definition, against other people's trees, and against tampering.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a fault in a helper is a fault of the test"
)]

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::LazyLock;

use base::Digest;
use ct_merkle::mem_backed_tree::MemoryBackedTree;
use ct_merkle::{ConsistencyProof, InclusionProof, RootHash};
use ledger::Error;
use ledger::proof::{prove_consistency, prove_inclusion, verify_consistency, verify_inclusion};
use ledger::tile::{Bundle, Edge, Resource, Stored, Tile, TileHashes, grown, grown_bundles};
use ledger::tree::{
    Frontier, Hashes, Head, TreeCheck, leaf_hash, node_hash, root_at, subtree_root,
};
use proptest::prelude::*;
use sha2::Sha256;
use tlog_tiles::HashReader;

use crate::log::{defined, hashes, leaf, stored};

const SMALL: u64 = 72;
const LARGE: u64 = 70_000;
static LARGE_LOG: LazyLock<Stored> = LazyLock::new(|| stored(LARGE));

/// The leaves with which the authors of RFC 6962 tried their own code, and the roots they found.
const RFC_6962: [(&str, &str); 9] = [
    ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    ("", "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"),
    ("00", "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"),
    ("10", "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"),
    ("2021", "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"),
    ("3031", "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4"),
    ("40414243", "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef"),
    ("5051525354555657", "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c"),
    (
        "606162636465666768696a6b6c6d6e6f",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ),
];

fn from_hex(text: &str) -> Vec<u8> {
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    text.as_bytes().chunks(2).map(byte).collect()
}

fn head(size: u64, hashes: &dyn Hashes) -> Head {
    Head { size, root: root_at(size, hashes).unwrap() }
}

/// The tree of the `tlog_tiles` crate, which is a port of Go's.
struct Theirs(Vec<tlog_tiles::Hash>);

impl Theirs {
    fn of(size: u64) -> Self {
        let mut theirs = Self(Vec::new());
        for index in 0..size {
            let more = tlog_tiles::stored_hashes(index, &leaf(index), &theirs).unwrap();
            theirs.0.extend(more);
        }
        theirs
    }
}

impl HashReader for Theirs {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<tlog_tiles::Hash>, tlog_tiles::Error> {
        Ok(indexes.iter().map(|index| self.0[usize::try_from(*index).unwrap()]).collect())
    }
}

fn to_theirs(hashes: &[Digest]) -> Vec<tlog_tiles::Hash> {
    hashes.iter().map(|hash| tlog_tiles::Hash(hash.0)).collect()
}

fn to_ours(hashes: Vec<tlog_tiles::Hash>) -> Vec<Digest> {
    hashes.into_iter().map(|hash| Digest(hash.0)).collect()
}

#[test]
fn rfc_6962_2_1_the_roots_are_those_of_its_authors() {
    let mut frontier = Frontier::new();
    let mut stored = Stored::new();
    for (size, (leaf, root)) in (0_u64..).zip(RFC_6962) {
        if size > 0 {
            frontier.append(leaf_hash(&from_hex(leaf)));
            stored.append(leaf_hash(&from_hex(leaf)));
        }
        assert_eq!(frontier.head(), Head { size, root: root.parse().unwrap() });
        assert_eq!(root_at(size, &stored).unwrap(), frontier.head().root);
    }
}

#[test]
fn rfc_9162_2_1_1_a_leaf_and_a_node_never_hash_alike() {
    let (left, right) = (leaf_hash(b"left"), leaf_hash(b"right"));
    let joined = [left.0, right.0].concat();
    assert_ne!(leaf_hash(&joined), node_hash(&left, &right));
    assert_ne!(leaf_hash(&[&[1], joined.as_slice()].concat()), node_hash(&left, &right));
}

#[test]
fn a_leaf_hashes_alike_whether_it_fits_the_buffer_or_not() {
    for length in [0, 1, 124, 254, 255, 256, 257, 65_535] {
        let leaf = vec![7; length];
        let expected = base::crypto::sha256(&[&[0], leaf.as_slice()].concat());
        assert_eq!(leaf_hash(&leaf), expected, "{length} bytes");
    }
}

#[test]
fn frontier_and_tiles_give_the_root_that_is_defined() {
    let hashes = hashes(600);
    let all = stored(600);
    let mut frontier = Frontier::new();
    for size in 0..=600 {
        let expected = defined(&hashes[..size]);
        let known = size as u64;
        assert_eq!(frontier.head(), Head { size: known, root: expected });
        assert_eq!(root_at(known, &all).unwrap(), expected);
        assert_eq!(Frontier::at(known, &all).unwrap(), frontier);
        if let Some(next) = hashes.get(size) {
            assert_eq!(frontier.append(*next), known);
        }
    }
}

#[test]
fn other_peoples_trees_have_the_same_roots() {
    let theirs = Theirs::of(SMALL);
    let ours = stored(SMALL);
    let mut third = MemoryBackedTree::<Sha256, Vec<u8>>::new();
    for size in 1..=SMALL {
        third.push(leaf(size - 1));
        let root = root_at(size, &ours).unwrap();
        assert_eq!(root.0, tlog_tiles::tree_hash(size, &theirs).unwrap().0);
        assert_eq!(root.0.as_slice(), third.root().as_bytes().as_slice());
    }
}

#[test]
fn rfc_9162_2_1_3_inclusion_proofs_are_other_peoples_both_ways() {
    let theirs = Theirs::of(SMALL);
    let ours = stored(SMALL);
    let mut third = MemoryBackedTree::<Sha256, Vec<u8>>::new();
    for size in 1..=SMALL {
        third.push(leaf(size - 1));
        let head = head(size, &ours);
        let third_root = RootHash::<Sha256>::new(head.root.0.into(), size);
        for index in 0..size {
            let hash = leaf_hash(&leaf(index));
            let path = prove_inclusion(index, size, &ours).unwrap();
            verify_inclusion(&hash, index, &head, &path).unwrap();
            let their_path = tlog_tiles::prove_record(size, index, &theirs).unwrap();
            let (root, leaf_hash) = (tlog_tiles::Hash(head.root.0), tlog_tiles::Hash(hash.0));
            tlog_tiles::check_record(&to_theirs(&path), size, root, index, leaf_hash).unwrap();
            assert_eq!(path, to_ours(their_path));
            let place = usize::try_from(index).unwrap();
            let third_path = third.prove_inclusion(place);
            let bytes: Vec<u8> = path.iter().flat_map(|hash| hash.0).collect();
            assert_eq!(third_path.as_bytes(), bytes);
            let path = InclusionProof::from_bytes(bytes);
            third_root.verify_inclusion(&leaf(index), index, &path).unwrap();
        }
    }
}

#[test]
fn rfc_9162_2_1_4_consistency_proofs_are_other_peoples_both_ways() {
    let theirs = Theirs::of(SMALL);
    let ours = stored(SMALL);
    let mut third = MemoryBackedTree::<Sha256, Vec<u8>>::new();
    for new in 1..=SMALL {
        third.push(leaf(new - 1));
        let new_head = head(new, &ours);
        let new_root = tlog_tiles::Hash(new_head.root.0);
        let third_root = RootHash::<Sha256>::new(new_head.root.0.into(), new);
        for old in 1..=new {
            let old_head = head(old, &ours);
            let old_root = tlog_tiles::Hash(old_head.root.0);
            let path = prove_consistency(old, new, &ours).unwrap();
            verify_consistency(&old_head, &new_head, &path).unwrap();
            let their_path = tlog_tiles::prove_tree(new, old, &theirs).unwrap();
            tlog_tiles::check_tree(&to_theirs(&path), new, new_root, old, old_root).unwrap();
            assert_eq!(path, to_ours(their_path), "{old} to {new}");
            let added = usize::try_from(new - old).unwrap();
            let bytes: Vec<u8> = path.iter().flat_map(|hash| hash.0).collect();
            assert_eq!(third.prove_consistency(added).as_bytes(), bytes, "{old} to {new}");
            let path = ConsistencyProof::try_from_bytes(bytes).unwrap();
            let old_root = RootHash::<Sha256>::new(old_head.root.0.into(), old);
            third_root.verify_consistency(&old_root, &path).unwrap();
        }
    }
}

#[test]
fn the_empty_tree_is_consistent_with_any_by_the_empty_proof_alone() {
    let ours = stored(5);
    let (empty, five) = (Head::empty(), head(5, &ours));
    assert_eq!(prove_consistency(0, 5, &ours).unwrap(), []);
    verify_consistency(&empty, &five, &[]).unwrap();
    verify_consistency(&empty, &empty, &[]).unwrap();
    verify_consistency(&five, &five, &[]).unwrap();
    let junk = [five.root];
    assert!(matches!(verify_consistency(&empty, &five, &junk), Err(Error::ProofLength(1))));
    assert!(matches!(verify_consistency(&five, &five, &junk), Err(Error::ProofLength(1))));
    let false_empty = Head { size: 0, root: five.root };
    assert!(matches!(verify_consistency(&false_empty, &five, &[]), Err(Error::Root(0))));
    assert!(matches!(verify_consistency(&false_empty, &false_empty, &[]), Err(Error::Root(0))));
    let other_five = Head { size: 5, root: empty.root };
    let fault = verify_consistency(&five, &other_five, &[]);
    assert!(matches!(fault, Err(Error::Consistency { old: 5, new: 5 })));
}

#[test]
fn rfc_9162_2_1_3_2_a_proof_has_the_length_that_the_claimed_size_gives_it() {
    let ours = stored(8);
    let hash = leaf_hash(&leaf(0));
    // A root is signed with a size: the size of another tree with the same root is a lie.
    for (size, claimed) in [(2, 1), (2, 3), (2, 8), (8, 2), (8, 4), (8, 9), (1, 2), (1, 8)] {
        let lie = Head { size: claimed, root: root_at(size, &ours).unwrap() };
        let path = prove_inclusion(0, size, &ours).unwrap();
        let fault = verify_inclusion(&hash, 0, &lie, &path);
        assert!(matches!(fault, Err(Error::ProofLength(_))), "{size} said to be {claimed}");
    }
}

#[test]
fn rfc_9162_2_1_4_2_a_proof_has_the_length_that_the_claimed_sizes_give_it() {
    let ours = stored(8);
    let one = head(1, &ours);
    for (size, claimed) in [(2, 3), (2, 8), (8, 2), (8, 4), (8, 9)] {
        let lie = Head { size: claimed, root: root_at(size, &ours).unwrap() };
        let path = prove_consistency(1, size, &ours).unwrap();
        let fault = verify_consistency(&one, &lie, &path);
        assert!(matches!(fault, Err(Error::ProofLength(_))), "{size} said to be {claimed}");
    }
    let fault = verify_consistency(&one, &head(2, &ours), &[]);
    assert!(matches!(fault, Err(Error::ProofLength(0))));
}

#[test]
fn nothing_is_proven_beyond_the_tree() {
    let ours = stored(5);
    let five = head(5, &ours);
    assert!(matches!(prove_inclusion(5, 5, &ours), Err(Error::Index { index: 5, size: 5 })));
    assert!(matches!(prove_inclusion(0, 0, &ours), Err(Error::Index { index: 0, size: 0 })));
    assert!(matches!(prove_inclusion(0, 6, &ours), Err(Error::HashCount { .. })));
    assert!(matches!(prove_consistency(6, 5, &ours), Err(Error::Sizes { old: 6, new: 5 })));
    let fault = verify_inclusion(&five.root, 5, &five, &[]);
    assert!(matches!(fault, Err(Error::Index { index: 5, size: 5 })));
    let fault = verify_inclusion(&five.root, 0, &Head::empty(), &[]);
    assert!(matches!(fault, Err(Error::Index { index: 0, size: 0 })));
    let fault = verify_consistency(&five, &head(3, &ours), &[]);
    assert!(matches!(fault, Err(Error::Sizes { old: 5, new: 3 })));
}

#[test]
fn only_what_is_beneath_one_node_is_a_subtree() {
    let ours = stored(16);
    let hashes = hashes(16);
    for start in 0..16_usize {
        for end in start + 1..=16 {
            let aligned = start % (end - start).next_power_of_two() == 0;
            let found = subtree_root(start as u64, end as u64, &ours);
            match found {
                Ok(root) => assert!(aligned && root == defined(&hashes[start..end])),
                Err(Error::Subtree { .. }) => assert!(!aligned, "{start} to {end}"),
                Err(fault) => panic!("{fault}"),
            }
        }
    }
    assert!(matches!(subtree_root(3, 3, &ours), Err(Error::Subtree { start: 3, end: 3 })));
    assert!(matches!(subtree_root(4, 3, &ours), Err(Error::Subtree { start: 4, end: 3 })));
}

#[test]
fn a_frontier_is_read_back_as_it_was_written_and_in_no_other_form() {
    let ours = stored(300);
    for size in [0, 1, 2, 3, 255, 256, 257, 300] {
        let frontier = Frontier::at(size, &ours).unwrap();
        let bytes = frontier.to_bytes();
        assert_eq!(bytes.len() as u64, 8 + 32 * u64::from(size.count_ones()));
        assert_eq!(Frontier::from_bytes(&bytes).unwrap(), frontier);
        let longer = [bytes.as_slice(), &[0]].concat();
        let shorter = &bytes[..bytes.len() - 1];
        assert!(matches!(Frontier::from_bytes(&longer), Err(Error::Frontier)));
        assert!(matches!(Frontier::from_bytes(shorter), Err(Error::Frontier)));
    }
    let full = [u64::MAX.to_be_bytes().as_slice(), &[0; 64 * 32]].concat();
    assert_eq!(Frontier::from_bytes(&full).unwrap().size(), u64::MAX);
}

#[test]
#[should_panic(expected = "at most 2⁶⁴ − 1 leaves")]
fn a_full_tree_stops_the_writer() {
    let full = [u64::MAX.to_be_bytes().as_slice(), &[0; 64 * 32]].concat();
    let mut frontier = Frontier::from_bytes(&full).unwrap();
    frontier.append(leaf_hash(b"one too many"));
}

#[test]
fn a_check_of_leaves_finds_each_fault() {
    let ours = stored(300);
    let claimed = head(300, &ours);
    let mut check = TreeCheck::new(claimed);
    for index in 0..300 {
        if index == 100 {
            check.agrees(&head(100, &ours)).unwrap();
            let other = Head { size: 100, root: claimed.root };
            assert!(matches!(check.agrees(&other), Err(Error::Root(100))));
            let fault = check.agrees(&head(99, &ours));
            assert!(matches!(fault, Err(Error::Size { claimed: 99, got: 100 })));
        }
        assert_eq!(check.leaf(&leaf(index)).unwrap(), leaf_hash(&leaf(index)));
    }
    assert!(matches!(check.leaf(&leaf(300)), Err(Error::TooManyLeaves(300))));
    let checked = check.finish().unwrap();
    assert_eq!(checked.head(), claimed);

    let fault = TreeCheck::resume(checked.clone(), head(299, &ours)).err();
    assert!(matches!(fault, Some(Error::Sizes { old: 300, new: 299 })));
    let mut more = TreeCheck::resume(checked, stored(301).head()).unwrap();
    more.leaf(&leaf(300)).unwrap();
    assert_eq!(more.size(), 301);
    more.finish().unwrap();

    let mut short = TreeCheck::new(claimed);
    short.leaf(&leaf(0)).unwrap();
    assert!(matches!(short.finish(), Err(Error::Size { claimed: 300, got: 1 })));
    let mut changed = TreeCheck::new(claimed);
    for index in 0..300 {
        changed.leaf(&leaf(index ^ 1)).unwrap();
    }
    assert!(matches!(changed.finish(), Err(Error::Root(300))));
}

#[test]
fn tlog_tiles_paths_are_spelled_as_the_specification_spells_them() {
    let spelled = [
        (Tile::new(0, 0, 256).unwrap(), "tile/0/000"),
        (Tile::new(63, 1_234_067, 256).unwrap(), "tile/63/x001/x234/067"),
        (Tile::new(1, 273, 112).unwrap(), "tile/1/273.p/112"),
        (Tile::new(2, 1000, 1).unwrap(), "tile/2/x001/000.p/1"),
    ];
    for (tile, path) in spelled {
        assert_eq!(tile.to_string(), path);
        assert_eq!(path.parse::<Resource>().unwrap(), Resource::Tile(tile));
    }
    let bundle = Bundle::new(1_234_067, 255).unwrap();
    assert_eq!(bundle.to_string(), "tile/entries/x001/x234/067.p/255");
    let read: Resource = bundle.to_string().parse().unwrap();
    assert_eq!(read, Resource::Entries(bundle));
    assert_eq!("checkpoint".parse::<Resource>().unwrap(), Resource::Checkpoint);
    let largest = Tile::new(7, u64::MAX, 256).unwrap();
    assert_eq!(largest.to_string(), "tile/7/x018/x446/x744/x073/x709/x551/615");
    assert_eq!(largest.to_string().parse::<Resource>().unwrap(), Resource::Tile(largest));
}

#[test]
fn tlog_tiles_another_spelling_of_a_path_is_refused() {
    let refused = [
        "",
        "/checkpoint",
        "checkpoint/",
        "tile",
        "tile/",
        "tile/0",
        "tile/0/",
        "/tile/0/000",
        "tile/00/000",
        "tile/64/000",
        "tile/-1/000",
        "tile/+1/000",
        "tile/256/000",
        "tile/a/000",
        "tile/0/0",
        "tile/0/00",
        "tile/0/0000",
        "tile/0/x000",
        "tile/0/x000/000",
        "tile/0/001/000",
        "tile/0/x001/0",
        "tile/0/x01/000",
        "tile/0/xx01/000",
        "tile/0/X001/000",
        "tile/0/+01",
        "tile/0/x001/x000",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/257",
        "tile/0/000.p/01",
        "tile/0/000.p/",
        "tile/0/000.p",
        "tile/0/000.p/1/",
        "tile/0/000.p/1.p/1",
        "tile/0/000/",
        "tile/0//000",
        "tile/0/000 ",
        "tile/0/00٣",
        "tile/data/000",
        "tile/Entries/000",
        "tile/8/0/000",
        "tile/0/x018/x446/x744/x073/x709/x551/616",
        "tile/0/x001/x000/x000/x000/x000/x000/x000/000",
        "tile/entries/x000/001",
    ];
    for path in refused {
        assert!(matches!(path.parse::<Resource>(), Err(Error::Path(_))), "`{path}`");
    }
}

#[test]
fn other_peoples_tiles_have_the_same_paths() {
    for level in [0_u8, 1, 7, 63] {
        for index in [0_u64, 1, 999, 1000, 1001, 999_999, 1_000_000, 1_234_067, u64::MAX] {
            for width in [1_u16, 2, 255, 256] {
                let ours = Tile::new(level, index, width).unwrap().to_string();
                let theirs = tlog_tiles::Tile::new(8, level, index, u32::from(width), false);
                assert_eq!(ours, theirs.path().replacen("tile/8/", "tile/", 1));
                let ours = Bundle::new(index, width).unwrap().to_string();
                let theirs = tlog_tiles::Tile::new(8, 0, index, u32::from(width), true);
                assert_eq!(ours, theirs.path().replacen("tile/8/data/", "tile/entries/", 1));
            }
        }
    }
}

#[test]
fn tlog_tiles_a_tile_has_a_level_up_to_63_and_a_width_from_1_to_256() {
    assert!(matches!(Tile::new(64, 0, 1), Err(Error::Tile { level: 64, width: 1 })));
    assert!(matches!(Tile::new(0, 0, 0), Err(Error::Tile { level: 0, width: 0 })));
    assert!(matches!(Tile::new(0, 0, 257), Err(Error::Tile { level: 0, width: 257 })));
    assert!(matches!(Bundle::new(0, 0), Err(Error::Tile { .. })));
    assert!(matches!(Bundle::new(0, 257), Err(Error::Tile { .. })));
    assert!(Tile::new(63, 0, 256).unwrap().full());
}

#[test]
fn tlog_tiles_a_log_of_70000_has_the_tiles_that_the_specification_counts() {
    let tiles = grown(0, 70_000);
    let count = |level, full| {
        tiles.iter().filter(|tile| tile.level() == level && tile.full() == full).count()
    };
    assert_eq!((count(0, true), count(0, false)), (273, 1));
    assert_eq!((count(1, true), count(1, false)), (1, 1));
    assert_eq!((count(2, true), count(2, false)), (0, 1));
    assert_eq!(tiles.len(), 277);
    let partial = |level: u8| {
        tiles.iter().find(|tile| tile.level() == level && !tile.full()).map(Tile::to_string)
    };
    assert_eq!(partial(0).unwrap(), "tile/0/273.p/112");
    assert_eq!(partial(1).unwrap(), "tile/1/001.p/17");
    assert_eq!(partial(2).unwrap(), "tile/2/000.p/1");
    let of_256: Vec<String> = grown(0, 256).iter().map(Tile::to_string).collect();
    assert_eq!(of_256, ["tile/0/000", "tile/1/000.p/1"]);
    assert_eq!(grown(300, 300), []);
    let next: Vec<String> = grown(300, 301).iter().map(Tile::to_string).collect();
    assert_eq!(next, ["tile/0/001.p/45"]);
    let bundles: Vec<String> = grown_bundles(250, 512).iter().map(Bundle::to_string).collect();
    assert_eq!(bundles, ["tile/entries/000", "tile/entries/001"]);
    assert_eq!(grown_bundles(0, 0), []);
}

#[test]
fn other_peoples_list_of_new_tiles_has_ours_and_the_widths_between() {
    for (old, new) in [(0, 1), (0, 700), (255, 257), (256, 256), (300, 301), (511, 66_000)] {
        let theirs: Vec<String> = tlog_tiles::Tile::new_tiles(8, old, new)
            .iter()
            .map(|tile| tile.path().replacen("tile/8/", "tile/", 1))
            .collect();
        let ours: Vec<String> = grown(old, new).iter().map(Tile::to_string).collect();
        assert!(ours.iter().all(|tile| theirs.contains(tile)), "{old} to {new}");
        let full = |tile: &&String| !tile.contains(".p/");
        let ours_full: Vec<_> = ours.iter().filter(full).collect();
        assert_eq!(ours_full, theirs.iter().filter(full).collect::<Vec<_>>(), "{old} to {new}");
    }
}

/// Files of a growing log: what its edge gave to write at each of some sizes.
fn written(sizes: &[u64]) -> BTreeMap<String, Vec<u8>> {
    let mut edge = Edge::new();
    let mut files = BTreeMap::new();
    let mut taken = 0;
    for size in sizes {
        while edge.size() < *size {
            edge.append(leaf_hash(&leaf(edge.size())));
        }
        let tiles = edge.take();
        let coordinates: Vec<Tile> = tiles.iter().map(|(tile, _bytes)| *tile).collect();
        let mut listed = grown(taken, *size);
        listed.sort();
        assert_eq!(coordinates, listed, "{taken} to {size}");
        files.extend(tiles.into_iter().map(|(tile, bytes)| (tile.to_string(), bytes)));
        taken = *size;
    }
    files
}

type Cause = Box<dyn std::error::Error + Send + Sync>;

fn read_file(files: &BTreeMap<String, Vec<u8>>, tile: &Tile) -> Result<Vec<u8>, Cause> {
    files.get(&tile.to_string()).cloned().ok_or_else(|| format!("no `{tile}`").into())
}

#[test]
fn the_edge_writes_the_tiles_of_each_size_and_they_hold_the_tree() {
    let sizes = [1, 2, 255, 256, 257, 300, 300, 512, 1000, LARGE];
    let files = written(&sizes);
    for size in sizes {
        let tiles = TileHashes::new(size, |tile: &Tile| read_file(&files, tile));
        assert_eq!(root_at(size, &tiles).unwrap(), root_at(size, &*LARGE_LOG).unwrap());
        let path = prove_inclusion(size - 1, size, &tiles).unwrap();
        assert_eq!(path, prove_inclusion(size - 1, size, &*LARGE_LOG).unwrap());
        for level in 0..3 {
            let index = (size >> (8 * level)) >> 8;
            if let Some(tile) = Tile::in_tree(size, level, index) {
                let bytes = tile.bytes(&*LARGE_LOG).unwrap();
                assert_eq!(files[&tile.to_string()], bytes);
                assert_eq!(tile.part(&bytes).unwrap().len(), usize::from(tile.width()));
                let short = &bytes[1..];
                assert!(matches!(tile.part(short), Err(Error::TileBytes(_))));
            }
        }
    }
}

#[test]
fn an_edge_gives_full_tiles_alone_to_a_store_that_keeps_no_others() {
    let mut edge = Edge::new();
    let mut all = Edge::new();
    let mut kept = Vec::new();
    for index in 0..66_000 {
        edge.append(leaf_hash(&leaf(index)));
        all.append(leaf_hash(&leaf(index)));
        if index % 1000 == 0 {
            kept.extend(edge.take_full());
        }
    }
    kept.extend(edge.take_full());
    kept.sort();
    let full: Vec<_> = all.take().into_iter().filter(|(tile, _bytes)| tile.full()).collect();
    assert_eq!(kept, full);
    assert_eq!(kept.len(), 257 + 1);
    let partial: Vec<_> = edge.take().iter().map(|(tile, _bytes)| tile.to_string()).collect();
    assert_eq!(partial, ["tile/0/257.p/208", "tile/1/001.p/1", "tile/2/000.p/1"]);
    assert_eq!(edge.take(), []);
}

#[test]
fn an_edge_goes_on_from_what_is_stored() {
    for size in [0, 1, 255, 256, 257, 65_535, 65_536, 65_537] {
        let mut resumed = Edge::at(size, &*LARGE_LOG).unwrap();
        assert_eq!(resumed.head(), head(size, &*LARGE_LOG));
        assert_eq!(resumed.take(), []);
        while resumed.size() < size + 300 {
            resumed.append(leaf_hash(&leaf(resumed.size())));
        }
        let tiles = resumed.take();
        assert!(!tiles.is_empty());
        for (tile, bytes) in tiles {
            assert_eq!(bytes, tile.bytes(&*LARGE_LOG).unwrap(), "{tile} after {size}");
        }
        assert_eq!(resumed.head(), head(size + 300, &*LARGE_LOG));
    }
}

#[test]
fn a_missing_tile_is_named_with_its_cause() {
    let files = BTreeMap::new();
    let tiles = TileHashes::new(10, |tile: &Tile| read_file(&files, tile));
    let fault = root_at(10, &tiles).unwrap_err();
    assert_eq!(fault.to_string(), "stored hashes cannot be read");
    let cause = std::error::Error::source(&fault).unwrap().to_string();
    assert_eq!(cause, "no `tile/0/000.p/10`");
    let short = TileHashes::new(10, |_: &Tile| Ok(vec![0; 32]));
    assert!(matches!(root_at(10, &short), Err(Error::TileBytes(_))));
    assert!(matches!(tiles.hashes(0, 256, 1), Err(Error::HashCount { want: 1, got: 0 })));
}

/// The tile reader of the `tlog_tiles` crate, over our files.
struct Files(BTreeMap<String, Vec<u8>>, RefCell<usize>);

impl tlog_tiles::TileReader for Files {
    fn height(&self) -> u8 {
        8
    }

    fn read_tiles(&self, tiles: &[tlog_tiles::Tile]) -> Result<Vec<Vec<u8>>, tlog_tiles::Error> {
        let read = tiles.iter().map(|tile| {
            let path = tile.path().replacen("tile/8/", "tile/", 1);
            self.0.get(&path).cloned().ok_or(tlog_tiles::Error::InvalidTile)
        });
        read.collect()
    }

    fn save_tiles(&self, tiles: &[tlog_tiles::Tile], _data: &[Vec<u8>]) {
        *self.1.borrow_mut() += tiles.len();
    }
}

#[test]
fn other_peoples_reader_of_tiles_authenticates_ours() {
    let files = Files(written(&[1, 300, LARGE]), RefCell::new(0));
    let root = tlog_tiles::Hash(head(LARGE, &*LARGE_LOG).root.0);
    let reader = tlog_tiles::TileHashReader::new(LARGE, root, &files);
    for index in [0, 255, 256, 65_535, 65_536, LARGE - 1] {
        let path = tlog_tiles::prove_record(LARGE, index, &reader).unwrap();
        assert_eq!(to_ours(path), prove_inclusion(index, LARGE, &*LARGE_LOG).unwrap());
    }
    for old in [1, 256, 300, 65_536, LARGE] {
        let path = tlog_tiles::prove_tree(LARGE, old, &reader).unwrap();
        assert_eq!(to_ours(path), prove_consistency(old, LARGE, &*LARGE_LOG).unwrap());
    }
    assert!(*files.1.borrow() > 0, "tiles were confirmed");
}

#[test]
fn tlog_tiles_a_bundle_holds_its_entries_behind_their_lengths() {
    let bundle = Bundle::new(0, 3).unwrap();
    let entries: [&[u8]; 3] = [b"", b"a", &[9; 258]];
    let bytes = bundle.bytes(entries).unwrap();
    assert_eq!(bytes[..7], [0, 0, 0, 1, b'a', 1, 2]);
    assert_eq!(bundle.part(&bytes).unwrap(), entries);
    let fault = |bytes: &[u8]| matches!(bundle.part(bytes), Err(Error::TileBytes(_)));
    assert!(fault(&bytes[..bytes.len() - 1]));
    assert!(fault(&[bytes.as_slice(), &[0]].concat()));
    assert!(fault(&[bytes.as_slice(), &[0, 0]].concat()));
    assert!(fault(&[]));
    assert!(matches!(bundle.bytes(entries[..2].iter().copied()), Err(Error::TileBytes(_))));
}

#[test]
fn tlog_tiles_an_entry_has_at_most_65535_bytes() {
    let bundle = Bundle::new(0, 1).unwrap();
    let (longest, longer) = (vec![1; 65_535], vec![1; 65_536]);
    let bytes = bundle.bytes([longest.as_slice()]).unwrap();
    assert_eq!(bundle.part(&bytes).unwrap(), [longest.as_slice()]);
    let fault = bundle.bytes([longer.as_slice()]);
    assert!(matches!(fault, Err(Error::EntryBytes(65_536))));
}

/// An index and a size of a tree that holds it, and an older size.
fn places() -> impl Strategy<Value = (u64, u64, u64)> {
    (1..=LARGE).prop_flat_map(|size| (0..size, Just(size), 1..=size))
}

fn any_digest() -> impl Strategy<Value = Digest> {
    any::<[u8; 32]>().prop_map(Digest)
}

proptest! {
    #[test]
    fn what_is_proven_is_verified((index, size, old) in places()) {
        let (new_head, old_head) = (head(size, &*LARGE_LOG), head(old, &*LARGE_LOG));
        let path = prove_inclusion(index, size, &*LARGE_LOG).unwrap();
        verify_inclusion(&leaf_hash(&leaf(index)), index, &new_head, &path).unwrap();
        let path = prove_consistency(old, size, &*LARGE_LOG).unwrap();
        prop_assert!(path.len() <= 63);
        verify_consistency(&old_head, &new_head, &path).unwrap();
    }

    #[test]
    fn an_inclusion_proof_holds_for_nothing_else(
        (index, size, other) in places(),
        (bit, which) in (0_usize..256, any::<prop::sample::Index>()),
    ) {
        let head_of = |size| head(size, &*LARGE_LOG);
        let hash = leaf_hash(&leaf(index));
        let path = prove_inclusion(index, size, &*LARGE_LOG).unwrap();
        let flipped = |hash: &Digest| {
            let mut hash = *hash;
            hash.0[bit / 8] ^= 1 << (bit % 8);
            hash
        };
        prop_assert!(verify_inclusion(&flipped(&hash), index, &head_of(size), &path).is_err());
        let head = head_of(size);
        let other_root = Head { root: flipped(&head.root), ..head };
        prop_assert!(verify_inclusion(&hash, index, &other_root, &path).is_err());
        if other != size {
            prop_assert!(verify_inclusion(&hash, index, &head_of(other), &path).is_err());
        }
        let elsewhere = other - 1;
        if elsewhere != index {
            prop_assert!(verify_inclusion(&hash, elsewhere, &head, &path).is_err());
        }
        if !path.is_empty() {
            let place = which.index(path.len());
            let mut changed = path.clone();
            changed[place] = flipped(&changed[place]);
            prop_assert!(verify_inclusion(&hash, index, &head, &changed).is_err());
            let mut shorter = path.clone();
            shorter.remove(place);
            prop_assert!(verify_inclusion(&hash, index, &head, &shorter).is_err());
        }
        let mut longer = path.clone();
        longer.insert(which.index(path.len() + 1), hash);
        prop_assert!(verify_inclusion(&hash, index, &head, &longer).is_err());
    }

    #[test]
    fn a_consistency_proof_holds_for_nothing_else(
        (_index, new, old) in places(),
        (bit, which) in (0_usize..256, any::<prop::sample::Index>()),
    ) {
        let head_of = |size| head(size, &*LARGE_LOG);
        let (old_head, new_head) = (head_of(old), head_of(new));
        let path = prove_consistency(old, new, &*LARGE_LOG).unwrap();
        let flipped = |hash: &Digest| {
            let mut hash = *hash;
            hash.0[bit / 8] ^= 1 << (bit % 8);
            hash
        };
        let other = Head { root: flipped(&old_head.root), ..old_head };
        prop_assert!(verify_consistency(&other, &new_head, &path).is_err());
        let other = Head { root: flipped(&new_head.root), ..new_head };
        prop_assert!(verify_consistency(&old_head, &other, &path).is_err());
        if old + 1 < new {
            prop_assert!(verify_consistency(&head_of(old + 1), &new_head, &path).is_err());
            prop_assert!(verify_consistency(&old_head, &head_of(new - 1), &path).is_err());
        }
        if !path.is_empty() {
            let place = which.index(path.len());
            let mut changed = path.clone();
            changed[place] = flipped(&changed[place]);
            prop_assert!(verify_consistency(&old_head, &new_head, &changed).is_err());
            let mut shorter = path.clone();
            shorter.remove(place);
            prop_assert!(verify_consistency(&old_head, &new_head, &shorter).is_err());
        }
        let mut longer = path.clone();
        longer.insert(which.index(path.len() + 1), old_head.root);
        prop_assert!(verify_consistency(&old_head, &new_head, &longer).is_err());
    }

    #[test]
    fn no_numbers_make_the_verifiers_panic_or_agree(
        (old, new, index) in (any::<u64>(), any::<u64>(), any::<u64>()),
        (leaf, root) in (any_digest(), any_digest()),
        path in prop::collection::vec(any_digest(), 0..70),
    ) {
        let head = |size| Head { size, root };
        prop_assert!(verify_inclusion(&leaf, index, &head(new), &path).is_err());
        let older = Head { size: old, root: leaf };
        prop_assert!(old == new || verify_consistency(&older, &head(new), &path).is_err());
    }

    #[test]
    fn a_tile_is_read_back_from_its_path(level in 0_u8..64, index: u64, width in 1_u16..=256) {
        let tile = Tile::new(level, index, width).unwrap();
        prop_assert_eq!(tile.to_string().parse::<Resource>().unwrap(), Resource::Tile(tile));
        let bundle = Bundle::new(index, width).unwrap();
        prop_assert_eq!(bundle.to_string().parse::<Resource>().unwrap(), Resource::Entries(bundle));
    }

    #[test]
    fn a_path_that_is_read_is_the_one_that_is_written(
        path in "(tile/)?(entries|[0-9]{1,2})?/?(x?[0-9]{1,3}/){0,3}[0-9]{1,3}(\\.p/[0-9]{1,3})?",
    ) {
        if let Ok(read) = path.parse::<Resource>() {
            prop_assert_eq!(read.to_string(), path);
        }
    }

    #[test]
    fn no_path_makes_the_parser_panic(path in ".{0,60}") {
        prop_assert!(path.parse::<Resource>().is_err() || path.starts_with("tile/"));
    }

    #[test]
    fn a_bundle_is_read_back_as_it_was_written(
        entries in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 1..=256),
    ) {
        let bundle = Bundle::new(0, u16::try_from(entries.len()).unwrap()).unwrap();
        let bytes = bundle.bytes(entries.iter().map(Vec::as_slice)).unwrap();
        prop_assert_eq!(bundle.part(&bytes).unwrap(), entries);
    }

    #[test]
    fn no_bytes_make_the_parsers_of_files_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..3000),
        width in 1_u16..=256,
    ) {
        let bundle = Bundle::new(0, width).unwrap();
        if let Ok(entries) = bundle.part(&bytes) {
            prop_assert_eq!(bundle.bytes(entries).unwrap(), bytes.clone());
        }
        if let Ok(frontier) = Frontier::from_bytes(&bytes) {
            prop_assert_eq!(frontier.to_bytes(), bytes);
        }
    }

    #[test]
    fn a_frontier_that_was_stored_grows_like_the_tree(size in 0_u64..2000, more in 0_u64..600) {
        let bytes = Frontier::at(size, &*LARGE_LOG).unwrap().to_bytes();
        let mut frontier = Frontier::from_bytes(&bytes).unwrap();
        for index in size..size + more {
            frontier.append(leaf_hash(&leaf(index)));
        }
        prop_assert_eq!(frontier.head(), head(size + more, &*LARGE_LOG));
    }
}
