//! Logs and keys that are made from fixed numbers, for the tests.
#![expect(clippy::unwrap_used, reason = "a fault here is a fault of the test")]

use std::sync::Arc;

use base::Digest;
use base::crypto::{Algorithm, Hasher, Secret, SeedKey};
use ledger::cosignature::Cosigner;
use ledger::note::{KeyName, Signer};
use ledger::tile::Stored;
use ledger::tree::{leaf_hash, node_hash};

/// The bytes of a leaf, 124 as in a log of ours.
pub fn leaf(index: u64) -> Vec<u8> {
    let part = |which: u8| Hasher::new("test/leaf").part(&index.to_be_bytes()).part(&[which]);
    (0..4).flat_map(|which| part(which).finish().0).take(124).collect()
}

/// The hashes of the first leaves.
pub fn hashes(size: u64) -> Vec<Digest> {
    (0..size).map(|index| leaf_hash(&leaf(index))).collect()
}

/// A tree of the first leaves.
pub fn stored(size: u64) -> Stored {
    let mut stored = Stored::new();
    for hash in hashes(size) {
        stored.append(hash);
    }
    stored
}

/// The Merkle tree hash, word for word as RFC 9162 §2.1.1 defines it.
pub fn defined(hashes: &[Digest]) -> Digest {
    match hashes {
        [] => base::crypto::sha256(b""),
        [one] => *one,
        many => {
            let (left, right) = many.split_at(many.len().next_power_of_two() / 2);
            node_hash(&defined(left), &defined(right))
        }
    }
}

/// The private key that belongs to a number.
pub fn private(algorithm: Algorithm, number: u8) -> Arc<SeedKey> {
    Arc::new(SeedKey::from_seed(algorithm, &Secret::new([number; 32])).unwrap())
}

/// A key of a log.
pub fn signer(name: &str, algorithm: Algorithm, number: u8) -> Signer {
    Signer::new(KeyName::new(name).unwrap(), private(algorithm, number)).unwrap()
}

/// The key of a witness.
pub fn cosigner(name: &str, number: u8) -> Cosigner {
    let private = private(Algorithm::Ed25519, number);
    Cosigner::new(KeyName::new(name).unwrap(), private).unwrap()
}
