//! Labels: what a record may be shown to, and clearances: what a reader may be shown.
//!
//! This module holds the values and their canonical form. Dominance, join and the names and colours
//! of each scheme are in `policy`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use minicbor::data::Type;
use minicbor::{Decoder, Encoder};
use serde::{Deserialize, Serialize};

use crate::crypto::Hasher;
use crate::text::Token;
use crate::{AgencyId, Digest, ExerciseId, limit};

/// A label that breaks its rule.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum LabelError {
    #[error("label has no marking")]
    NoMarking,
    #[error("label has no originator")]
    NoOriginator,
    #[error("label has {0} markings, more than {max}", max = limit::MARKINGS_PER_LABEL)]
    Markings(usize),
    #[error("label has {0} originators, more than {max}", max = limit::ORIGINATORS_PER_LABEL)]
    Originators(usize),
    #[error("marking has {0} codes in one set, more than {max}", max = limit::CODES_PER_SET)]
    Codes(usize),
    #[error("label has {0} bytes, more than {max}", max = limit::LABEL_BYTES)]
    Bytes(usize),
    #[error("label bytes are not in canonical form")]
    Canonical,
}

/// The name of a scheme of labels, such as `NATO`, `UK` or `TLP`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SchemeId(pub Token);

impl fmt::Display for SchemeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The rank of a classification within its scheme: higher is more sensitive.
///
/// It is the `hierarchy` of the scheme's file (XMLSPIF 2.1); a scheme never renumbers a level.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Level(pub u8);

/// Who a marking lets in besides the cleared: everybody, or holders of one of the codes.
///
/// `Unrestricted` and `Only(∅)`, which is nobody, are different by type.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Releasable {
    #[default]
    Unrestricted,
    Only(BTreeSet<Token>),
}

/// The part of a label that belongs to one scheme.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Marking {
    pub level: Level,
    /// Restrictive: a reader needs all of them.
    #[serde(default)]
    pub compartments: BTreeSet<Token>,
    /// Permissive: a reader needs one of them.
    #[serde(default)]
    pub releasable_to: Releasable,
    /// Informative: shown, decided on by agreements, no bar by themselves.
    #[serde(default)]
    pub caveats: BTreeSet<Token>,
}

/// Real life, or one exercise. The two never mix: no join of different plays exists.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Play {
    #[default]
    Live,
    Exercise(ExerciseId),
}

/// What a record, layer or portion may be shown to.
///
/// A reader needs every marking dominated, and the consent of every originator: its own agency is
/// one of them, or a clause of each permits the flow.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Label {
    markings: BTreeMap<SchemeId, Marking>,
    originators: BTreeSet<AgencyId>,
    play: Play,
}

impl Label {
    /// Makes a label after checking its limits.
    ///
    /// # Errors
    /// [`LabelError`] when there is no marking or originator, or more than the limits allow.
    pub fn new(
        markings: BTreeMap<SchemeId, Marking>,
        originators: BTreeSet<AgencyId>,
        play: Play,
    ) -> Result<Self, LabelError> {
        if markings.is_empty() {
            return Err(LabelError::NoMarking);
        }
        if markings.len() > limit::MARKINGS_PER_LABEL {
            return Err(LabelError::Markings(markings.len()));
        }
        if originators.is_empty() {
            return Err(LabelError::NoOriginator);
        }
        if originators.len() > limit::ORIGINATORS_PER_LABEL {
            return Err(LabelError::Originators(originators.len()));
        }
        for marking in markings.values() {
            let released = match &marking.releasable_to {
                Releasable::Unrestricted => 0,
                Releasable::Only(codes) => codes.len(),
            };
            let most = marking.compartments.len().max(marking.caveats.len()).max(released);
            if most > limit::CODES_PER_SET {
                return Err(LabelError::Codes(most));
            }
        }
        let label = Self { markings, originators, play };
        match label.to_bytes().len() {
            bytes if bytes > limit::LABEL_BYTES => Err(LabelError::Bytes(bytes)),
            _ => Ok(label),
        }
    }

    /// A label of one scheme and one originator.
    pub fn simple(scheme: SchemeId, marking: Marking, originator: AgencyId, play: Play) -> Self {
        Self {
            markings: BTreeMap::from([(scheme, marking)]),
            originators: BTreeSet::from([originator]),
            play,
        }
    }

    /// The markings by scheme; never empty.
    pub const fn markings(&self) -> &BTreeMap<SchemeId, Marking> {
        &self.markings
    }

    /// The agencies whose consent a reader of another agency needs; never empty.
    pub const fn originators(&self) -> &BTreeSet<AgencyId> {
        &self.originators
    }

    /// Real life, or which exercise.
    pub const fn play(&self) -> Play {
        self.play
    }

    /// The canonical bytes: deterministic CBOR (RFC 8949 §4.2.1).
    ///
    /// `[1, play, [originator…], [[scheme, level, [compartment…], null / [code…], [caveat…]]…]]`
    /// where play is `null` or the exercise's id; every list is in ascending order.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(96);
        // Writing to a vector cannot fail, so there is no outcome to report.
        let _infallible = self.encode(&mut Encoder::new(&mut bytes));
        bytes
    }

    fn encode(
        &self,
        e: &mut Encoder<&mut Vec<u8>>,
    ) -> Result<(), minicbor::encode::Error<std::convert::Infallible>> {
        e.array(4)?.u8(1)?;
        match self.play {
            Play::Live => e.null()?,
            Play::Exercise(id) => e.bytes(&id.0)?,
        };
        e.array(self.originators.len() as u64)?;
        for agency in &self.originators {
            e.bytes(&agency.0)?;
        }
        e.array(self.markings.len() as u64)?;
        for (scheme, marking) in &self.markings {
            e.array(5)?.str(scheme.0.as_str())?.u8(marking.level.0)?;
            encode_codes(e, &marking.compartments)?;
            match &marking.releasable_to {
                Releasable::Unrestricted => {
                    e.null()?;
                }
                Releasable::Only(codes) => encode_codes(e, codes)?,
            }
            encode_codes(e, &marking.caveats)?;
        }
        Ok(())
    }

    /// Reads canonical bytes; any other spelling of the same label is refused.
    ///
    /// # Errors
    /// [`LabelError`] when the bytes are not canonical or break a limit.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, LabelError> {
        let label = decode_label(bytes).ok_or(LabelError::Canonical)?;
        let label = Self::new(label.markings, label.originators, label.play)?;
        if label.to_bytes() == bytes { Ok(label) } else { Err(LabelError::Canonical) }
    }

    /// The digest that names the label in headers and portions.
    pub fn digest(&self) -> Digest {
        Hasher::new("muster/label/v1").part(&self.to_bytes()).finish()
    }
}

fn encode_codes(
    e: &mut Encoder<&mut Vec<u8>>,
    codes: &BTreeSet<Token>,
) -> Result<(), minicbor::encode::Error<std::convert::Infallible>> {
    e.array(codes.len() as u64)?;
    for code in codes {
        e.str(code.as_str())?;
    }
    Ok(())
}

fn decode_label(bytes: &[u8]) -> Option<Label> {
    let mut d = Decoder::new(bytes);
    if d.array().ok()? != Some(4) || d.u8().ok()? != 1 {
        return None;
    }
    let play = if d.datatype().ok()? == Type::Null {
        d.null().ok()?;
        Play::Live
    } else {
        Play::Exercise(ExerciseId::from_slice(d.bytes().ok()?)?)
    };
    let mut originators = BTreeSet::new();
    for _ in 0..bounded_length(&mut d)? {
        originators.insert(AgencyId::from_slice(d.bytes().ok()?)?);
    }
    let mut markings = BTreeMap::new();
    for _ in 0..bounded_length(&mut d)? {
        if d.array().ok()? != Some(5) {
            return None;
        }
        let scheme = SchemeId(Token::new(d.str().ok()?).ok()?);
        let level = Level(d.u8().ok()?);
        let compartments = decode_codes(&mut d)?;
        let releasable_to = if d.datatype().ok()? == Type::Null {
            d.null().ok()?;
            Releasable::Unrestricted
        } else {
            Releasable::Only(decode_codes(&mut d)?)
        };
        let caveats = decode_codes(&mut d)?;
        markings.insert(scheme, Marking { level, compartments, releasable_to, caveats });
    }
    (d.position() == bytes.len()).then_some(Label { markings, originators, play })
}

fn bounded_length(d: &mut Decoder<'_>) -> Option<u64> {
    d.array().ok()?.filter(|length| *length <= limit::CODES_PER_SET as u64)
}

fn decode_codes(d: &mut Decoder<'_>) -> Option<BTreeSet<Token>> {
    let mut codes = BTreeSet::new();
    for _ in 0..bounded_length(d)? {
        codes.insert(Token::new(d.str().ok()?).ok()?);
    }
    Some(codes)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LabelForm {
    markings: BTreeMap<SchemeId, Marking>,
    originators: BTreeSet<AgencyId>,
    #[serde(default)]
    play: Play,
}

impl<'de> Deserialize<'de> for Label {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let form = LabelForm::deserialize(deserializer)?;
        Self::new(form.markings, form.originators, form.play).map_err(serde::de::Error::custom)
    }
}

/// What one scheme's clearance lets its holder read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cleared {
    pub level: Level,
    #[serde(default)]
    pub compartments: BTreeSet<Token>,
}

/// What a reader may be shown, before agreements and circles are asked.
///
/// A scheme that is absent clears nothing in it, not even its lowest level.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clearance {
    pub schemes: BTreeMap<SchemeId, Cleared>,
    /// Codes of nationality, agency and group that a releasable-to list may name.
    #[serde(default)]
    pub audiences: BTreeSet<Token>,
    /// Exercises that the reader takes part in.
    #[serde(default)]
    pub exercises: BTreeSet<ExerciseId>,
}
