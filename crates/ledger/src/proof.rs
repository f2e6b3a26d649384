//! Inclusion and consistency proofs (RFC 9162 §2.1.3 and §2.1.4, RFC 6962 §2.1.1 and §2.1.2).
//!
//! A proof is a list of hashes, the one nearest to the leaves first. Whoever proves reads stored
//! hashes; whoever verifies needs only the heads, of which somebody trusted has signed the root.

use base::Digest;

use crate::error::Error;
use crate::tree::{Hashes, Head, node_hash, subtree_root};

/// Where a tree of more than one leaf is split: the largest power of two below its size.
fn split(size: u64) -> u64 {
    1 << (size - 1).ilog2()
}

/// Proves that the leaf at `index` is in the tree of the first `size` leaves (RFC 9162 §2.1.3.1).
///
/// # Errors
/// [`Error::Index`] when it is not; what reading the hashes gives.
pub fn prove_inclusion(index: u64, size: u64, hashes: &dyn Hashes) -> Result<Vec<Digest>, Error> {
    if index >= size {
        return Err(Error::Index { index, size });
    }
    let (mut start, mut end) = (0, size);
    let mut path = Vec::new();
    while end - start > 1 {
        let middle = start + split(end - start);
        if index < middle {
            path.push(subtree_root(middle, end, hashes)?);
            end = middle;
        } else {
            path.push(subtree_root(start, middle, hashes)?);
            start = middle;
        }
    }
    path.reverse();
    Ok(path)
}

/// Verifies that `leaf`, a leaf's hash, is at `index` in the tree of `head` (RFC 9162 §2.1.3.2).
///
/// # Errors
/// [`Error::Index`], [`Error::ProofLength`] or [`Error::Inclusion`] when that is not proven.
pub fn verify_inclusion(
    leaf: &Digest,
    index: u64,
    head: &Head,
    path: &[Digest],
) -> Result<(), Error> {
    let size = head.size;
    if index >= size {
        return Err(Error::Index { index, size });
    }
    // The numbers of the leaf's ancestor and of the last node, level by level.
    let (mut node, mut last) = (index, size - 1);
    let mut root = *leaf;
    for sibling in path {
        if last == 0 {
            return Err(Error::ProofLength(path.len()));
        }
        if node & 1 == 1 || node == last {
            root = node_hash(sibling, &root);
            while node & 1 == 0 && node != 0 {
                (node, last) = (node >> 1, last >> 1);
            }
        } else {
            root = node_hash(&root, sibling);
        }
        (node, last) = (node >> 1, last >> 1);
    }
    if last != 0 {
        return Err(Error::ProofLength(path.len()));
    }
    if root == head.root { Ok(()) } else { Err(Error::Inclusion { index, size }) }
}

/// Proves that the first `old` of `new` leaves are those of the older tree (RFC 9162 §2.1.4.1).
///
/// The proof is empty when the sizes are equal or `old` is 0.
///
/// # Errors
/// [`Error::Sizes`] when `old` is above `new`; what reading the hashes gives.
pub fn prove_consistency(old: u64, new: u64, hashes: &dyn Hashes) -> Result<Vec<Digest>, Error> {
    if old > new {
        return Err(Error::Sizes { old, new });
    }
    if old == 0 {
        return Ok(Vec::new());
    }
    let (mut start, mut end) = (0, new);
    let mut path = Vec::new();
    while old != end {
        let middle = start + split(end - start);
        if old <= middle {
            path.push(subtree_root(middle, end, hashes)?);
            end = middle;
        } else {
            path.push(subtree_root(start, middle, hashes)?);
            start = middle;
        }
    }
    // The verifier knows the root of the older tree, but not those of its smaller subtrees.
    if start > 0 {
        path.push(subtree_root(start, end, hashes)?);
    }
    path.reverse();
    Ok(path)
}

/// Verifies that the tree of `new` begins with the leaves of `old` (RFC 9162 §2.1.4.2).
///
/// The empty tree is consistent with any tree, and a tree with itself, by the empty proof.
///
/// # Errors
/// [`Error::Sizes`], [`Error::ProofLength`] or [`Error::Consistency`] when that is not proven;
/// [`Error::Root`] when a head of size 0 has another root than the empty tree.
pub fn verify_consistency(old: &Head, new: &Head, path: &[Digest]) -> Result<(), Error> {
    let inconsistent = Error::Consistency { old: old.size, new: new.size };
    if old.size > new.size {
        return Err(Error::Sizes { old: old.size, new: new.size });
    }
    if old.size == 0 && *old != Head::empty() || new.size == 0 && *new != Head::empty() {
        return Err(Error::Root(0));
    }
    if old.size == 0 || old.size == new.size {
        if !path.is_empty() {
            return Err(Error::ProofLength(path.len()));
        }
        let fits = old.size == 0 || old.root == new.root;
        return if fits { Ok(()) } else { Err(inconsistent) };
    }
    let (old_root, new_root) = consistent_roots(old, new.size, path)?;
    if old_root == old.root && new_root == new.root { Ok(()) } else { Err(inconsistent) }
}

/// The roots that a proof leads to; the sizes are not 0 and not equal.
fn consistent_roots(old: &Head, new_size: u64, path: &[Digest]) -> Result<(Digest, Digest), Error> {
    let length = Error::ProofLength(path.len());
    let (mut node, mut last) = (old.size - 1, new_size - 1);
    while node & 1 == 1 {
        (node, last) = (node >> 1, last >> 1);
    }
    // When the older tree is perfect, its root is where the proof begins, and is left out of it.
    let (first, rest) = match path {
        [] => return Err(length),
        _ if old.size.is_power_of_two() => (old.root, path),
        [first, rest @ ..] => (*first, rest),
    };
    let (mut old_root, mut new_root) = (first, first);
    for sibling in rest {
        if last == 0 {
            return Err(length);
        }
        if node & 1 == 1 || node == last {
            old_root = node_hash(sibling, &old_root);
            new_root = node_hash(sibling, &new_root);
            while node & 1 == 0 && node != 0 {
                (node, last) = (node >> 1, last >> 1);
            }
        } else {
            new_root = node_hash(&new_root, sibling);
        }
        (node, last) = (node >> 1, last >> 1);
    }
    if last == 0 { Ok((old_root, new_root)) } else { Err(length) }
}
