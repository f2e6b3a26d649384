//! The mandatory rules: who may read a label at all, and what a product of several labels bears.
//!
//! Labels of one play form a join-semilattice under [`leq`]; [`join`] is its least upper bound, up
//! to the limits of a label's size. Reading is monotone: who may read a label may read every lower
//! one.

use std::collections::{BTreeMap, BTreeSet};

use base::label::Cleared;
use base::{Clearance, Label, Level, Marking, Play, Releasable, SchemeId, Token};

use crate::Error;

/// One mandatory rule that a reader does not meet.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Shortfall {
    /// The reader is not cleared in the scheme at all.
    Scheme(SchemeId),
    /// The reader is cleared too low.
    Level { scheme: SchemeId, needed: Level, held: Level },
    /// The reader lacks compartments.
    Compartments { scheme: SchemeId, missing: BTreeSet<Token> },
    /// The reader is none of those to whom the marking is releasable.
    Audience { scheme: SchemeId },
    /// The record belongs to an exercise in which the reader takes no part.
    Play,
}

/// Says whether the mandatory rules let a holder of the clearance read the label.
///
/// Every marking must be dominated, and the play be live or an exercise of the reader. Agreements
/// and circles are asked besides, never instead.
pub fn readable(clearance: &Clearance, label: &Label) -> bool {
    plays(clearance, label.play())
        && label.markings().iter().all(|(scheme, marking)| {
            clearance.schemes.get(scheme).is_some_and(|cleared| {
                cleared.level >= marking.level
                    && marking.compartments.is_subset(&cleared.compartments)
                    && addressed(&marking.releasable_to, &clearance.audiences)
            })
        })
}

fn plays(clearance: &Clearance, play: Play) -> bool {
    match play {
        Play::Live => true,
        Play::Exercise(id) => clearance.exercises.contains(&id),
    }
}

/// Nobody is addressed by `Only(∅)`; everybody by `Unrestricted`.
fn addressed(audience: &Releasable, held: &BTreeSet<Token>) -> bool {
    match audience {
        Releasable::Unrestricted => true,
        Releasable::Only(codes) => !codes.is_disjoint(held),
    }
}

/// Every mandatory rule that keeps the label from the holder; none when [`readable`].
pub fn shortfalls(clearance: &Clearance, label: &Label) -> Vec<Shortfall> {
    let mut found = Vec::new();
    if !plays(clearance, label.play()) {
        found.push(Shortfall::Play);
    }
    for (scheme, marking) in label.markings() {
        match clearance.schemes.get(scheme) {
            None => found.push(Shortfall::Scheme(scheme.clone())),
            Some(cleared) => found.extend(lacking(scheme, cleared, marking)),
        }
        if !addressed(&marking.releasable_to, &clearance.audiences) {
            found.push(Shortfall::Audience { scheme: scheme.clone() });
        }
    }
    found
}

fn lacking(scheme: &SchemeId, cleared: &Cleared, marking: &Marking) -> Vec<Shortfall> {
    let mut found = Vec::new();
    if cleared.level < marking.level {
        let (needed, held) = (marking.level, cleared.level);
        found.push(Shortfall::Level { scheme: scheme.clone(), needed, held });
    }
    let missing: BTreeSet<Token> =
        marking.compartments.difference(&cleared.compartments).cloned().collect();
    if !missing.is_empty() {
        found.push(Shortfall::Compartments { scheme: scheme.clone(), missing });
    }
    found
}

/// Says whether `a` is at most as restrictive as `b`: a ⊑ b.
///
/// Then every clearance that reads `b` reads `a`, and whoever consents to `b` consents to `a`.
/// Labels of different plays are not comparable.
pub fn leq(a: &Label, b: &Label) -> bool {
    a.play() == b.play()
        && a.originators().is_subset(b.originators())
        && a.markings().iter().all(|(scheme, low)| {
            b.markings().get(scheme).is_some_and(|high| marking_leq(low, high))
        })
}

/// Says whether one marking is at most as restrictive as another of the same scheme.
pub fn marking_leq(low: &Marking, high: &Marking) -> bool {
    let audience = match (&low.releasable_to, &high.releasable_to) {
        (Releasable::Unrestricted, _) => true,
        (Releasable::Only(_), Releasable::Unrestricted) => false,
        (Releasable::Only(wide), Releasable::Only(narrow)) => narrow.is_subset(wide),
    };
    audience
        && low.level <= high.level
        && low.compartments.is_subset(&high.compartments)
        && low.caveats.is_subset(&high.caveats)
}

/// The marking of a product of two: maximum level, all compartments and caveats, common audience.
#[must_use]
pub fn marking_join(a: &Marking, b: &Marking) -> Marking {
    let releasable_to = match (&a.releasable_to, &b.releasable_to) {
        (Releasable::Unrestricted, other) | (other, Releasable::Unrestricted) => other.clone(),
        (Releasable::Only(a), Releasable::Only(b)) => {
            Releasable::Only(a.intersection(b).cloned().collect())
        }
    };
    Marking {
        level: a.level.max(b.level),
        compartments: a.compartments.union(&b.compartments).cloned().collect(),
        releasable_to,
        caveats: a.caveats.union(&b.caveats).cloned().collect(),
    }
}

/// The least label that is at least as restrictive as both.
///
/// Releasable-to lists are intersected code by code; expand groups first
/// ([`crate::Scheme::expanded`]) where a group and its members are to meet.
///
/// # Errors
/// [`Error::Plays`] for labels of different plays; [`Error::Label`] above the limits of a label.
pub fn join(a: &Label, b: &Label) -> Result<Label, Error> {
    if a.play() != b.play() {
        return Err(Error::Plays);
    }
    let mut markings: BTreeMap<SchemeId, Marking> = a.markings().clone();
    for (scheme, marking) in b.markings() {
        markings
            .entry(scheme.clone())
            .and_modify(|mine| *mine = marking_join(mine, marking))
            .or_insert_with(|| marking.clone());
    }
    let originators = a.originators().union(b.originators()).copied().collect();
    Ok(Label::new(markings, originators, a.play())?)
}

/// The least label that is at least as restrictive as all.
///
/// # Errors
/// [`Error::NothingToJoin`] for no label, and as [`join`].
pub fn join_all<'a>(labels: impl IntoIterator<Item = &'a Label>) -> Result<Label, Error> {
    let mut labels = labels.into_iter();
    let first = labels.next().ok_or(Error::NothingToJoin)?.clone();
    labels.try_fold(first, |sum, label| join(&sum, label))
}

/// The lowest label that a product may bear: its own, joined with everything that it cites.
///
/// # Errors
/// As [`join`].
pub fn high_water<'a>(
    own: &'a Label,
    cited: impl IntoIterator<Item = &'a Label>,
) -> Result<Label, Error> {
    join_all(std::iter::once(own).chain(cited))
}
