//! The tree of agencies: whose unit a unit is.

use std::collections::BTreeMap;

use base::AgencyId;

use crate::{AGENCY_DEPTH, Error};

/// The units of each agency, each under the one above it.
///
/// The tree says whose records are *own*. An edge to a superior that has no say over content, such
/// as the ministry's over a service, is left out: then no rule of a capability can reach across it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AgencyTree(BTreeMap<AgencyId, AgencyId>);

impl AgencyTree {
    /// Takes each unit with the one above it.
    ///
    /// # Errors
    /// [`Error::AgencyTree`] when an agency stands above itself, or deeper than [`AGENCY_DEPTH`].
    pub fn new(above: BTreeMap<AgencyId, AgencyId>) -> Result<Self, Error> {
        let tree = Self(above);
        for agency in tree.0.keys() {
            if tree.ancestors(*agency).count() > AGENCY_DEPTH {
                return Err(Error::AgencyTree(*agency));
            }
        }
        Ok(tree)
    }

    /// The unit directly above `agency`.
    pub fn above(&self, agency: AgencyId) -> Option<AgencyId> {
        self.0.get(&agency).copied()
    }

    /// The units above `agency`, nearest first; never more than [`AGENCY_DEPTH`] and one.
    pub fn ancestors(&self, agency: AgencyId) -> impl Iterator<Item = AgencyId> {
        std::iter::successors(self.above(agency), |unit| self.above(*unit)).take(AGENCY_DEPTH + 1)
    }

    /// `agency` and the units above it, nearest first.
    pub fn line(&self, agency: AgencyId) -> impl Iterator<Item = AgencyId> {
        std::iter::once(agency).chain(self.ancestors(agency))
    }

    /// Says whether `unit` is `agency` or one of its units.
    pub fn within(&self, unit: AgencyId, agency: AgencyId) -> bool {
        self.line(unit).any(|above| above == agency)
    }

    /// Says whether one of the two is the other, or a unit of it.
    pub fn same_line(&self, a: AgencyId, b: AgencyId) -> bool {
        self.within(a, b) || self.within(b, a)
    }

    /// Each unit with the one above it, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&AgencyId, &AgencyId)> {
        self.0.iter()
    }
}
