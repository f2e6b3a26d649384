//! Cells: labels and circles, numbered in the order of their first appearance in the log.
//!
//! A *cell* is a pair of label and circle that occurs. Reading is a question about cells, never
//! about single records: which cells may this reader read?

use std::sync::Arc;

use base::{CircleId, Digest, Label};
use imbl::{OrdMap, Vector};

/// A label and, where need-to-know is narrower than the label, a circle.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cell {
    pub label: Label,
    pub circle: Option<CircleId>,
}

/// The number of a cell on this node; it never leaves it.
pub type CellNumber = u32;

/// A cell as it is interned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CellRow {
    pub label: u32,
    pub circle: Option<CircleId>,
}

/// The interned labels and cells; grows only, so that a number means the same for ever.
///
/// Each act is tried on a copy: the tables share what is the same, so that a copy costs nothing.
#[derive(Clone, Default)]
pub struct Cells {
    labels: Vector<Arc<Label>>,
    by_digest: OrdMap<Digest, u32>,
    rows: Vector<CellRow>,
    by_pair: OrdMap<(u32, Option<CircleId>), CellNumber>,
}

impl Cells {
    /// The number of a label that was seen before.
    pub fn label_number(&self, digest: &Digest) -> Option<u32> {
        self.by_digest.get(digest).copied()
    }

    /// The label of a number.
    pub fn label(&self, number: u32) -> Option<&Arc<Label>> {
        self.labels.get(number as usize)
    }

    /// All labels in the order of their numbers.
    pub const fn labels(&self) -> &Vector<Arc<Label>> {
        &self.labels
    }

    /// The number of a cell that was seen before.
    pub fn number(&self, label: u32, circle: Option<CircleId>) -> Option<CellNumber> {
        self.by_pair.get(&(label, circle)).copied()
    }

    /// The cell of a number.
    pub fn row(&self, number: CellNumber) -> Option<CellRow> {
        self.rows.get(number as usize).copied()
    }

    /// The label of a cell.
    pub fn label_of(&self, number: CellNumber) -> Option<&Arc<Label>> {
        self.row(number).and_then(|row| self.label(row.label))
    }

    /// How many cells there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is no cell yet.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The cells from a number on, in order.
    pub fn rows_from(&self, first: CellNumber) -> impl Iterator<Item = (CellNumber, CellRow)> {
        let end = u32::try_from(self.rows.len()).unwrap_or(u32::MAX);
        (first..end).filter_map(|number| Some((number, self.row(number)?)))
    }

    /// Interns a label; `true` when it is new.
    pub fn add_label(&mut self, label: &Label) -> (u32, bool) {
        let digest = label.digest();
        if let Some(number) = self.by_digest.get(&digest) {
            return (*number, false);
        }
        let number = u32::try_from(self.labels.len()).unwrap_or(u32::MAX);
        self.labels.push_back(Arc::new(label.clone()));
        self.by_digest.insert(digest, number);
        (number, true)
    }

    /// Interns a cell; `true` when it is new.
    pub fn add_cell(&mut self, label: u32, circle: Option<CircleId>) -> (CellNumber, bool) {
        if let Some(number) = self.by_pair.get(&(label, circle)) {
            return (*number, false);
        }
        let number = u32::try_from(self.rows.len()).unwrap_or(u32::MAX);
        self.rows.push_back(CellRow { label, circle });
        self.by_pair.insert((label, circle), number);
        (number, true)
    }
}
