//! Every limit of this crate, with its unit and its reason.
//!
//! A limit is tested at its value and one above.

/// Bytes of a STIX bundle (256 MiB): ATT&CK Enterprise has 34 MB, and the text is held in memory.
pub const BUNDLE_BYTES: usize = 256 * 1024 * 1024;
/// Objects of a STIX bundle: ATT&CK Enterprise has 24,771; beyond it a feed comes in parts.
pub const BUNDLE_OBJECTS: usize = 200_000;
/// Bytes of one STIX object (1 MiB): the largest of ATT&CK has 0.3 MB, and one object is one act.
pub const OBJECT_BYTES: usize = 1024 * 1024;
/// Levels of lists and objects in one JSON text, itself the first: readers go down recursively.
pub const JSON_DEPTH: usize = 32;
/// Values in one JSON text: at most 56 bytes each, so the tree of an object stays below 4 MiB.
pub const JSON_VALUES: usize = 65_536;
/// Object markings, and granular markings, of one STIX object: each is looked up for each reader.
pub const MARKINGS_PER_OBJECT: usize = 64;
/// Selectors of all granular markings of one STIX object: each walks the object.
pub const SELECTORS_PER_OBJECT: usize = 256;
/// Faults told of one STIX object: enough to mend it, few enough to read.
pub const FAULTS_PER_OBJECT: usize = 16;
/// Bytes of a STIX type name (STIX 2.1 §3.1 allows 250).
pub const TYPE_BYTES: usize = 250;
/// Bytes of a timestamp: RFC 3339 sets no end to the digits of a second.
pub const TIMESTAMP_BYTES: usize = 40;
/// Bytes of the title made of an object: one row of a list.
pub const TITLE_BYTES: usize = 160;
/// Bytes of the snippet made of an object: two rows of a list.
pub const SNIPPET_BYTES: usize = 320;
/// Search terms made of one object: names, aliases, external ids and observed values.
pub const SEARCH_TERMS: usize = 128;
/// Bytes of one search term: a longer value is found by its beginning.
pub const SEARCH_TERM_BYTES: usize = 256;
