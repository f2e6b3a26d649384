//! What the tree, its proofs and the signed formats refuse.

use base::crypto;

use crate::note::Require;

/// A fault of a tree, a proof, a note, a witness or a receipt.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An index at or beyond the size.
    #[error("leaf {index} is not in a tree of {size} leaves")]
    Index {
        /// The index asked for, from 0.
        index: u64,
        /// Leaves in the tree.
        size: u64,
    },
    /// An old tree that is larger than the new one.
    #[error("a tree of {old} leaves is not older than one of {new}")]
    Sizes {
        /// Leaves in the tree that was said to be older.
        old: u64,
        /// Leaves in the tree that was said to be newer.
        new: u64,
    },
    /// Leaves that are not all there is beneath one node.
    #[error("leaves from {start} to {end} are no subtree")]
    Subtree {
        /// Index of the first leaf.
        start: u64,
        /// Index behind the last leaf.
        end: u64,
    },
    /// Bytes that are no frontier.
    #[error("frontier is not a size and one hash for each bit set in it")]
    Frontier,
    /// A source of hashes failed.
    #[error("stored hashes cannot be read")]
    Hashes(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A source gave fewer or more hashes than it was asked for.
    #[error("{got} stored hashes were read instead of {want}")]
    HashCount {
        /// Hashes asked for.
        want: usize,
        /// Hashes given.
        got: usize,
    },
    /// A leaf beyond the claimed size.
    #[error("there are more leaves than the {0} claimed")]
    TooManyLeaves(u64),
    /// A size that differs from the claimed one.
    #[error("there are {got} leaves, not the {claimed} claimed")]
    Size {
        /// Leaves claimed.
        claimed: u64,
        /// Leaves found.
        got: u64,
    },
    /// A root that the leaves do not have.
    #[error("root over {0} leaves is not the one claimed")]
    Root(u64),
    /// A proof with too few or too many hashes for its sizes.
    #[error("proof has {0} hashes, which does not fit the tree")]
    ProofLength(usize),
    /// An inclusion proof that leads to another root.
    #[error("inclusion proof of leaf {index} does not lead to the root over {size} leaves")]
    Inclusion {
        /// Index of the leaf, from 0.
        index: u64,
        /// Leaves in the tree.
        size: u64,
    },
    /// A consistency proof that leads to other roots.
    #[error("consistency proof from {old} to {new} leaves does not lead to both roots")]
    Consistency {
        /// Leaves in the older tree.
        old: u64,
        /// Leaves in the newer tree.
        new: u64,
    },

    /// A level, index or width that no tile has.
    #[error("no tile is at level {level} with width {width}")]
    Tile {
        /// Level asked for.
        level: u8,
        /// Width asked for, in hashes.
        width: u16,
    },
    /// A path that names no resource of a log, or not in its one spelling.
    #[error("`{0}` is not the path of a checkpoint, tile or entry bundle")]
    Path(String),
    /// Bytes of a tile or bundle that do not fit its width.
    #[error("bytes do not fit `{0}`")]
    TileBytes(String),
    /// An entry that its length prefix cannot hold.
    #[error("entry has {0} bytes, more than 65535")]
    EntryBytes(usize),

    /// A note above [`base::limit::NOTE_BYTES`].
    #[error("note has {0} bytes, more than {max}", max = base::limit::NOTE_BYTES)]
    NoteBytes(usize),
    /// A note above [`base::limit::NOTE_SIGNATURES`].
    #[error("note has {0} signatures, more than {max}", max = base::limit::NOTE_SIGNATURES)]
    NoteSignatures(usize),
    /// Bytes that are no note.
    #[error("note is not UTF-8 text, an empty line and signature lines")]
    Note,
    /// A signature line in another form.
    #[error("`{0}` is not a signature line")]
    SignatureLine(String),
    /// A name with spaces, a plus sign or control characters, or none.
    #[error("`{0}` is not the name of a key")]
    KeyName(String),
    /// A verifier key in another form.
    #[error("`{0}` is not a verifier key")]
    VerifierKey(String),
    /// A verifier key whose id is not the digest of the rest.
    #[error("verifier key `{0}` has another id than its name and key give")]
    KeyId(String),
    /// A signature type that is not supported, or not for this use.
    #[error("verifier key `{0}` has a signature type that is not for this use")]
    SignatureType(String),
    /// Two keys that a note could not tell apart, or one key named twice.
    #[error("verifier key `{0}` is named twice")]
    DuplicateKey(String),
    /// A signature that its known key refuses.
    #[error("signature by `{key}` does not fit the note")]
    Signature {
        /// Name and id of the key.
        key: String,
        /// What the primitive said.
        #[source]
        source: crypto::Error,
    },
    /// A note without a signature by a known key.
    #[error("no known key signed the note")]
    Unsigned,
    /// Signatures of other kinds than the reader requires.
    #[error("note lacks a signature that is required: {0}")]
    Required(Require),
    /// A key that could not sign.
    #[error("`{key}` cannot sign")]
    Sign {
        /// Name and id of the key.
        key: String,
        /// What the primitive said.
        #[source]
        source: crypto::Error,
    },

    /// A text that is no checkpoint.
    #[error("note text is not origin, size and root, each on a line")]
    Checkpoint,
    /// A line that cannot be an origin.
    #[error("`{0}` is not the origin of a log")]
    Origin(String),
    /// A checkpoint of another log than the one asked for.
    #[error("checkpoint is of `{0}`, another log")]
    OtherLog(String),
    /// A checkpoint with extension lines, which a log of ours never signs.
    #[error("checkpoint has extension lines")]
    Extension,
    /// A cosignature whose time is missing or above 2⁶³ − 1 s.
    #[error("cosignature has no time that can be stated")]
    Timestamp,

    /// A request to a witness in another form.
    #[error("request is not an old size, hashes, an empty line and a checkpoint")]
    Request,
    /// An answer of a witness in another form.
    #[error("answer of the witness cannot be read")]
    Answer,
    /// A witness that saw a larger tree than the log has: the log was set back, or forked.
    #[error("witness cosigned {theirs} leaves, but the log has {ours}: the log was set back")]
    WitnessAhead {
        /// Leaves in the log.
        ours: u64,
        /// Leaves in the tree that the witness cosigned last.
        theirs: u64,
    },
    /// A log that is configured twice.
    #[error("log `{0}` is named twice")]
    DuplicateLog(String),

    /// A proof file in another form.
    #[error("receipt is not a c2sp.org/tlog-proof@v1")]
    Receipt,
    /// A trust policy in another form.
    #[error("line {line} of the trust policy: {fault}")]
    Policy {
        /// Line, from 1; 0 for the policy as a whole.
        line: usize,
        /// What is wrong with it.
        fault: &'static str,
    },
    /// A key in a trust policy that cannot be taken.
    #[error("line {line} of the trust policy names a key that cannot be taken")]
    PolicyKey {
        /// Line, from 1.
        line: usize,
        /// Why not.
        #[source]
        source: Box<Error>,
    },
    /// Too few cosignatures by witnesses that the reader trusts.
    #[error("cosignatures of {0} known witnesses are not a quorum")]
    Quorum(usize),
}
