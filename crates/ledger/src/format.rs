//! What every frozen format shares: suites, limits of form, and the faults of reading.

/// The suite of a ledger: which hash, cipher and derivation its bytes use.
///
/// Suite 1 is SHA-256, HKDF-SHA-256 and AES-256-GCM.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Suite(pub u8);

impl Suite {
    /// SHA-256, HKDF-SHA-256, AES-256-GCM.
    pub const ONE: Self = Self(1);
}

/// Bytes that are not what their format says, or not what was committed to.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum FormatError {
    #[error("leaf has {0} bytes, not {size}", size = crate::leaf::LEAF_BYTES)]
    LeafLength(usize),
    #[error("leaf version {0} is unknown")]
    LeafVersion(u8),
    #[error("suite {0} is unknown")]
    Suite(u8),
    #[error("leaf class {0} is unknown")]
    Class(u8),
    #[error("leaf has a reserved byte that is not zero")]
    Reserved,
    #[error("time is out of range")]
    Time,
    #[error("header is not in canonical form")]
    Header,
    #[error("header has {0} bytes, more than {max}", max = base::limit::HEADER_BYTES)]
    HeaderBytes(usize),
    #[error("portion is not in canonical form")]
    Portion,
    #[error("portion has {0} bytes, more than {max}", max = base::limit::PORTION_BYTES)]
    PortionBytes(usize),
    #[error("entry has {0} portions, more than {max}", max = base::limit::PORTIONS_PER_ENTRY)]
    Portions(usize),
    #[error("list of commitments has a wrong length")]
    Commitments,
    #[error("header does not fit its commitment")]
    HeaderCommitment,
    #[error("portion {0} does not fit its commitment")]
    PortionCommitment(u8),
    #[error("payload does not fit its commitment")]
    PayloadCommitment,
    #[error("signature, or its absence, does not fit its digest")]
    SignatureDigest,
    #[error("label of a slot cannot be read")]
    Label(#[from] base::label::LabelError),
    #[error("sealed bytes cannot be opened")]
    Sealed(#[from] base::crypto::Error),
}
