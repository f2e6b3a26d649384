//! Every limit of the product, with its unit and its reason.
//!
//! A limit is tested at its value and one above.

/// Entries that one act may write: an act larger than this is a job of many acts.
pub const ENTRIES_PER_ACT: usize = 256;
/// Bytes of portions that one act may write (256 KiB), so that no act stalls the sequencer.
pub const ACT_BYTES: usize = 256 * 1024;
/// Portions in one entry: the largest padded list of commitments.
pub const PORTIONS_PER_ENTRY: usize = 64;
/// Bytes of one portion: larger content is an attachment.
pub const PORTION_BYTES: usize = 64 * 1024;
/// Bytes of an entry's header.
pub const HEADER_BYTES: usize = 16 * 1024;
/// Records that the decision of one act may load.
pub const LOADED_PER_ACT: usize = 256;
/// Acts in one batch: enough to share an fsync, few enough to keep its latency.
pub const ACTS_PER_BATCH: usize = 512;
/// Bulk acts in one batch, so that an import never delays a person.
pub const BULK_ACTS_PER_BATCH: usize = 64;
/// Acts waiting in each lane; beyond it callers get 503 at once.
pub const LANE_ACTS: usize = 4096;
/// Markings of different schemes in one label.
pub const MARKINGS_PER_LABEL: usize = 4;
/// Canonical bytes of one label, so that several fit into a header.
pub const LABEL_BYTES: usize = 2048;
/// Codes in each set of a marking.
pub const CODES_PER_SET: usize = 64;
/// Agencies whose consent a derived product needs.
pub const ORIGINATORS_PER_LABEL: usize = 16;
/// Bytes of a JSON request body (1 MiB) unless a route says otherwise.
pub const BODY_BYTES: usize = 1024 * 1024;
/// Bytes of one attachment (32 MiB): a plan, a photograph, a short film; it is held in memory.
pub const ATTACHMENT_BYTES: usize = 32 * 1024 * 1024;
/// Records in one page of a list.
pub const PAGE_RECORDS: usize = 200;
/// Bytes of an idempotency key.
pub const IDEMPOTENCY_KEY_BYTES: usize = 128;
/// Bytes of a search query.
pub const QUERY_BYTES: usize = 1024;
/// Depth of reactions that one act may cause.
pub const REACTION_DEPTH: usize = 8;
/// Milliseconds that a read waits for its own write to be applied.
pub const WAIT_MS: u64 = 1000;
/// Frames queued for one live client; beyond it the client is told to resync.
pub const LIVE_FRAMES: usize = 256;
/// Signatures on one checkpoint that are looked at.
pub const NOTE_SIGNATURES: usize = 64;
/// Bytes of a signed note (1 MiB: room for many ML-DSA signatures).
pub const NOTE_BYTES: usize = 1024 * 1024;
