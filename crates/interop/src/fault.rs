//! What is wrong with something received: refused, or taken and remarked on.
//!
//! A fault names properties of the standard, positions and limits, never what was received: it may
//! stand in a log or an answer whose label is lower than the content's.

use base::{Code, Kind};

use crate::limit;

/// What follows from a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Effect {
    /// The thing is taken; a person may want to know.
    Remarked,
    /// The thing is not taken; its neighbours are.
    Refused,
}

/// A fault of something received.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    #[error("bundle has {0} bytes, more than {max}", max = limit::BUNDLE_BYTES)]
    BundleBytes(usize),
    #[error("bundle has more than {max} objects", max = limit::BUNDLE_OBJECTS)]
    BundleObjects,
    #[error("text is not UTF-8")]
    Utf8(#[source] std::str::Utf8Error),
    #[error("text is not JSON")]
    Json(#[source] serde_json::Error),
    #[error("an object of the text has one name twice")]
    RepeatedName(#[source] serde_json::Error),
    #[error("text has more than {max} levels", max = limit::JSON_DEPTH)]
    Depth,
    #[error("text has more than {max} values", max = limit::JSON_VALUES)]
    Values,
    #[error("text is not a STIX bundle")]
    NotABundle,
    #[error("STIX object is not a JSON object")]
    NotAnObject,
    #[error("STIX object has {0} bytes, more than {max}", max = limit::OBJECT_BYTES)]
    ObjectBytes(usize),
    #[error("type is not a name of a STIX type")]
    TypeName,
    #[error("spec_version is not 2.1")]
    SpecVersion,
    #[error("`{0}` is missing")]
    Missing(&'static str),
    #[error("none of {0:?} is there")]
    MissingOneOf(&'static [&'static str]),
    #[error("`{0}` is there without `{1}`")]
    Requires(&'static str, &'static str),
    #[error("`{0}` and `{1}` exclude each other")]
    Excludes(&'static str, &'static str),
    #[error("`{0}` has a value of another kind than the standard gives it")]
    WrongKind(&'static str),
    #[error("`{0}` is not an identifier of the form type--UUID")]
    Id(&'static str),
    #[error("`{0}` names an object of a type that it may not name")]
    IdType(&'static str),
    #[error("`{0}` is not a timestamp of RFC 3339 in UTC with `Z`")]
    Timestamp(&'static str),
    #[error("`{1}` is earlier than `{0}`")]
    Order(&'static str, &'static str),
    #[error("`{0}` is outside its range")]
    Range(&'static str),
    #[error("`{0}` has more members than the limit")]
    TooMany(&'static str),
    #[error("another object of the bundle has this id and version and other content")]
    Conflict {
        /// Position of the object that was taken.
        first: usize,
    },
    #[error("the same object stands in the bundle twice")]
    Repeated {
        /// Position of the object that was taken.
        first: usize,
    },
    #[error("the bundle has no identifier of the form bundle--UUID")]
    BundleId,
    #[error("`{0}` has an identifier with capital letters")]
    IdCapitals(&'static str),
    #[error("`{0}` is null or empty, which STIX does not allow; read as absent")]
    Empty(&'static str),
    #[error("a selector names nothing; its marking is read as one of the whole object")]
    Selector,
    #[error("id is not the one that the observable's properties give")]
    ObservableId,
    #[error("TLP marking is not one of the standard's own objects; read by what it says")]
    Tlp,
    #[error("marking definition is not understood; what it marks is read as strictly as can be")]
    Marking,
}

impl Fault {
    /// The class and the stable name of the fault.
    pub const fn code(&self) -> Code {
        let (kind, slug) = match self {
            Self::BundleBytes(_) => (Kind::TooLarge, "bundle-bytes"),
            Self::BundleObjects => (Kind::TooLarge, "bundle-objects"),
            Self::Utf8(_) => (Kind::Invalid, "not-utf8"),
            Self::Json(_) => (Kind::Invalid, "not-json"),
            Self::RepeatedName(_) => (Kind::Invalid, "json-repeated-name"),
            Self::Depth => (Kind::TooLarge, "json-depth"),
            Self::Values => (Kind::TooLarge, "json-values"),
            Self::NotABundle => (Kind::Invalid, "stix-not-a-bundle"),
            Self::NotAnObject => (Kind::Invalid, "stix-not-an-object"),
            Self::ObjectBytes(_) => (Kind::TooLarge, "stix-object-bytes"),
            Self::TypeName => (Kind::Invalid, "stix-type"),
            Self::SpecVersion => (Kind::Invalid, "stix-spec-version"),
            Self::Missing(_) => (Kind::Invalid, "stix-missing"),
            Self::MissingOneOf(_) => (Kind::Invalid, "stix-missing-one-of"),
            Self::Requires(..) => (Kind::Invalid, "stix-requires"),
            Self::Excludes(..) => (Kind::Invalid, "stix-excludes"),
            Self::WrongKind(_) => (Kind::Invalid, "stix-wrong-kind"),
            Self::Id(_) => (Kind::Invalid, "stix-id"),
            Self::IdType(_) => (Kind::Invalid, "stix-id-type"),
            Self::Timestamp(_) => (Kind::Invalid, "stix-timestamp"),
            Self::Order(..) => (Kind::Invalid, "stix-order"),
            Self::Range(_) => (Kind::Invalid, "stix-range"),
            Self::TooMany(_) => (Kind::TooLarge, "stix-too-many"),
            Self::Conflict { .. } => (Kind::Conflict, "stix-conflict"),
            Self::Repeated { .. } => (Kind::Conflict, "stix-repeated"),
            Self::BundleId => (Kind::Invalid, "stix-bundle-id"),
            Self::IdCapitals(_) => (Kind::Invalid, "stix-id-capitals"),
            Self::Empty(_) => (Kind::Invalid, "stix-empty"),
            Self::Selector => (Kind::Invalid, "stix-selector"),
            Self::ObservableId => (Kind::Invalid, "stix-observable-id"),
            Self::Tlp => (Kind::Invalid, "stix-tlp"),
            Self::Marking => (Kind::Invalid, "stix-marking"),
        };
        Code::new(kind, slug)
    }

    /// What follows from the fault.
    pub const fn effect(&self) -> Effect {
        match self {
            Self::BundleId
            | Self::IdCapitals(_)
            | Self::Empty(_)
            | Self::Selector
            | Self::ObservableId
            | Self::Tlp
            | Self::Marking => Effect::Remarked,
            Self::BundleBytes(_)
            | Self::BundleObjects
            | Self::Utf8(_)
            | Self::Json(_)
            | Self::RepeatedName(_)
            | Self::Depth
            | Self::Values
            | Self::NotABundle
            | Self::NotAnObject
            | Self::ObjectBytes(_)
            | Self::TypeName
            | Self::SpecVersion
            | Self::Missing(_)
            | Self::MissingOneOf(_)
            | Self::Requires(..)
            | Self::Excludes(..)
            | Self::WrongKind(_)
            | Self::Id(_)
            | Self::IdType(_)
            | Self::Timestamp(_)
            | Self::Order(..)
            | Self::Range(_)
            | Self::TooMany(_)
            | Self::Conflict { .. }
            | Self::Repeated { .. } => Effect::Refused,
        }
    }
}
