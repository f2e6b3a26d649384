//! Equivalence of two schemes under one agreement, and the laws that a table keeps before signing.
//!
//! A table maps markings of one scheme to another. All rows of a marking's level whose required
//! codes it has apply together: the highest level and every added code. A marking of which a code
//! is in no row that applies, or whose level has no row without codes, is refused: no row, no flow.

use std::collections::BTreeSet;
use std::fmt;

use base::{Label, Level, Marking, Releasable, SchemeId, Token};
use serde::{Deserialize, Serialize};

use crate::dominance::{marking_join, marking_leq};
use crate::marking::Form;
use crate::scheme::{Scheme, Schemes, Sort};
use crate::{Error, canonical::Canonical};

/// Codes that one table may name: the laws are tried on every set of them.
pub const CODES_PER_TABLE: usize = 6;

/// What becomes of a marking that fits a row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Outcome {
    /// The level and the codes to add in the other scheme.
    Map {
        level: Level,
        #[serde(default)]
        add: BTreeSet<Token>,
    },
    /// The record does not cross.
    Reject,
    /// A person marks the record anew.
    NeedsHuman,
}

/// A row of a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    pub level: Level,
    /// Compartments of the origin that this row answers for; none for the level as such.
    #[serde(default)]
    pub required: BTreeSet<Token>,
    pub outcome: Outcome,
}

/// A table of equivalences in one direction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    pub from: SchemeId,
    pub to: SchemeId,
    pub rows: Vec<Row>,
}

/// What a table makes of one marking or label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mapped<T> {
    To(T),
    Reject,
    NeedsHuman,
}

/// A law of equivalence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Law {
    /// A lower marking never becomes a higher one: x ⊑ y ⇒ f(x) ⊑ f(y).
    Monotone,
    /// There and back never lowers: x ⊑ g(f(x)).
    RoundTrip,
}

/// Markings that break a law, as they are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counterexample {
    pub law: Law,
    pub from: SchemeId,
    pub to: SchemeId,
    /// The marking and what it becomes.
    pub first: (String, String),
    /// The higher marking and what it becomes; for a round trip, what comes back.
    pub second: (String, String),
}

impl fmt::Display for Counterexample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { law, from, to, first: (x, fx), second: (y, fy) } = self;
        write!(f, "equivalence `{from}` to `{to}`: ")?;
        match law {
            Law::Monotone => {
                write!(f, "({x}) becomes ({fx}), but the higher ({y}) becomes only ({fy})")
            }
            Law::RoundTrip => write!(f, "({x}) becomes ({fx}) and comes back as only ({fy})"),
        }
    }
}

impl Table {
    /// Maps a marking of the table's origin; `to` is the scheme of its destination.
    ///
    /// Audiences that the destination does not know are dropped, which only narrows the list; a
    /// caveat that it does not know needs a person.
    pub fn map(&self, marking: &Marking, to: &Scheme) -> Mapped<Marking> {
        let applies = |row: &&Row| {
            row.level == marking.level && row.required.is_subset(&marking.compartments)
        };
        let mut level = None;
        let mut compartments = BTreeSet::new();
        let mut answered = BTreeSet::new();
        let mut human = marking.caveats.iter().any(|caveat| to.caveat(caveat).is_none());
        for row in self.rows.iter().filter(applies) {
            match &row.outcome {
                Outcome::Reject => return Mapped::Reject,
                Outcome::NeedsHuman => human = true,
                Outcome::Map { level: mapped, add } => {
                    level = level.max(Some(*mapped));
                    compartments.extend(add.iter().cloned());
                }
            }
            answered.extend(&row.required);
        }
        let based = self.rows.iter().filter(applies).any(|row| row.required.is_empty());
        if !based || answered.len() != marking.compartments.len() {
            return Mapped::Reject;
        }
        match level {
            Some(level) if !human => Mapped::To(Marking {
                level,
                compartments,
                releasable_to: known_audience(&marking.releasable_to, to),
                caveats: marking.caveats.clone(),
            }),
            Some(_) | None => Mapped::NeedsHuman,
        }
    }

    /// Replaces the origin's marking of a label by the destination's, joined with one it has.
    ///
    /// A label without a marking of the origin stays as it is.
    ///
    /// # Errors
    /// [`Error::SchemeUnknown`] for a destination that is not here; [`Error::Label`] over a limit.
    pub fn relabel(&self, label: &Label, schemes: &Schemes) -> Result<Mapped<Label>, Error> {
        let Some(marking) = label.markings().get(&self.from) else {
            return Ok(Mapped::To(label.clone()));
        };
        let mapped = match self.map(marking, schemes.get(&self.to)?) {
            Mapped::To(mapped) => mapped,
            Mapped::Reject => return Ok(Mapped::Reject),
            Mapped::NeedsHuman => return Ok(Mapped::NeedsHuman),
        };
        let mut markings = label.markings().clone();
        markings.remove(&self.from);
        let joined = markings.get(&self.to).map(|other| marking_join(other, &mapped));
        markings.insert(self.to.clone(), joined.unwrap_or(mapped));
        Ok(Mapped::To(Label::new(markings, label.originators().clone(), label.play())?))
    }

    /// Checks the table by itself, then its laws by trying every marking it can tell apart.
    ///
    /// `back` is the table of the other direction, where the agreement has one.
    ///
    /// # Errors
    /// [`Error::Table`] when it names what does not exist; [`Error::Equivalence`] with markings
    /// that break a law.
    pub fn check(&self, back: Option<&Self>, schemes: &Schemes) -> Result<(), Error> {
        let (from, to) = (schemes.get(&self.from)?, schemes.get(&self.to)?);
        if let Some(rule) = self.fault(from, to) {
            return Err(Error::Table { from: self.from.clone(), to: self.to.clone(), rule });
        }
        let mapped: Vec<(Marking, Marking)> = self
            .domain()
            .into_iter()
            .filter_map(|marking| match self.map(&marking, to) {
                Mapped::To(mapped) => Some((marking, mapped)),
                Mapped::Reject | Mapped::NeedsHuman => None,
            })
            .collect();
        for (x, fx) in &mapped {
            let broken = |(y, fy): &&(Marking, Marking)| marking_leq(x, y) && !marking_leq(fx, fy);
            if let Some((y, fy)) = mapped.iter().find(broken) {
                let texts = [(from, x), (to, fx), (from, y), (to, fy)];
                return Err(self.counterexample(Law::Monotone, texts));
            }
            if let Some(Mapped::To(again)) = back.map(|back| back.map(fx, from))
                && !marking_leq(x, &again)
            {
                let texts = [(from, x), (to, fx), (to, fx), (from, &again)];
                return Err(self.counterexample(Law::RoundTrip, texts));
            }
        }
        Ok(())
    }

    fn counterexample(&self, law: Law, markings: [(&Scheme, &Marking); 4]) -> Error {
        let [x, fx, y, fy] = markings.map(|(scheme, marking)| {
            scheme.write(marking, Form::Portion).unwrap_or_else(|fault| fault.to_string())
        });
        let (from, to) = (self.from.clone(), self.to.clone());
        let (first, second) = ((x, fx), (y, fy));
        Error::Equivalence(Box::new(Counterexample { law, from, to, first, second }))
    }

    fn codes(&self) -> BTreeSet<&Token> {
        self.rows.iter().flat_map(|row| &row.required).collect()
    }

    fn fault(&self, from: &Scheme, to: &Scheme) -> Option<String> {
        if self.from == self.to {
            return Some("a scheme is equivalent to itself without a table".into());
        }
        if [from, to].iter().any(|scheme| scheme.file().kind == Sort::Audience) {
            return Some("an audience is never mapped to or from a classification".into());
        }
        if self.codes().len() > CODES_PER_TABLE {
            return Some(format!("more than {CODES_PER_TABLE} codes"));
        }
        let mut seen = BTreeSet::new();
        for row in &self.rows {
            if !seen.insert((row.level, &row.required)) {
                return Some("two rows are for the same marking".into());
            }
            let there = row.required.iter().all(|code| from.compartment(code).is_some());
            let (level, added) = match &row.outcome {
                Outcome::Map { level, add } => (
                    to.level(*level).is_some(),
                    add.iter().all(|code| to.compartment(code).is_some()),
                ),
                Outcome::Reject | Outcome::NeedsHuman => (true, true),
            };
            if from.level(row.level).is_none() || !there || !level || !added {
                return Some("a row names a level or code that its scheme does not have".into());
            }
        }
        None
    }

    /// Every marking that the rows can tell apart: each level with each set of named codes.
    fn domain(&self) -> Vec<Marking> {
        let levels: BTreeSet<Level> = self.rows.iter().map(|row| row.level).collect();
        let mut sets = vec![BTreeSet::new()];
        for code in self.codes() {
            let with: Vec<BTreeSet<Token>> = sets
                .iter()
                .map(|set: &BTreeSet<Token>| set.iter().chain([code]).cloned().collect())
                .collect();
            sets.extend(with);
        }
        let marked = |level| {
            let of = move |compartments: &BTreeSet<Token>| Marking {
                level,
                compartments: compartments.clone(),
                ..Marking::default()
            };
            sets.iter().map(of)
        };
        levels.into_iter().flat_map(marked).collect()
    }

    pub(crate) fn encode(&self, to: &mut Canonical) {
        to.list(3).text(self.from.0.as_str()).text(self.to.0.as_str()).list(self.rows.len());
        for row in &self.rows {
            to.list(3).number(u64::from(row.level.0)).codes(&row.required);
            match &row.outcome {
                Outcome::Map { level, add } => {
                    to.list(2).number(u64::from(level.0)).codes(add);
                }
                Outcome::Reject => {
                    to.text("reject");
                }
                Outcome::NeedsHuman => {
                    to.text("needs-human");
                }
            }
        }
    }
}

fn known_audience(audience: &Releasable, to: &Scheme) -> Releasable {
    match audience {
        Releasable::Unrestricted => Releasable::Unrestricted,
        Releasable::Only(codes) => {
            Releasable::Only(codes.iter().filter(|code| to.knows_audience(code)).cloned().collect())
        }
    }
}
