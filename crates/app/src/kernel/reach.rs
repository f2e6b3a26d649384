//! What a reader reaches: the cells that labels and circles leave, from bitmaps kept beside the
//! state.
//!
//! A node has few labels and many circles. Asking each cell whether the reader belongs to its
//! circle costs as much as there are cells; a union of what each member reaches does not.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use base::CircleId;
use imbl::OrdMap;
use imbl::ordmap::DiffItem;
use roaring::{MultiOps, RoaringBitmap};

use super::cells::{CellNumber, Cells};
use super::register::{Member, Register};

type Members = Arc<BTreeSet<Member>>;

/// The cells of each label and of each member of circles, as of one state of the log.
#[derive(Default)]
pub struct Reach {
    /// How much of the log it follows.
    size: u64,
    cells: usize,
    circles: OrdMap<CircleId, Members>,
    /// Cells without a circle.
    open: RoaringBitmap,
    by_label: Vec<RoaringBitmap>,
    by_member: BTreeMap<Member, RoaringBitmap>,
    of_circle: BTreeSet<(CircleId, CellNumber)>,
}

impl Reach {
    /// Goes on to a state; `false`, and nothing is changed, when it was at a later one.
    pub fn follow(&mut self, size: u64, cells: &Cells, register: &Register) -> bool {
        if size < self.size {
            return false;
        }
        let before = std::mem::replace(&mut self.circles, register.circles.clone());
        for change in before.diff(&register.circles) {
            match change {
                DiffItem::Add(circle, new) => self.change(*circle, None, Some(new)),
                DiffItem::Update { old, new } => self.change(*new.0, Some(old.1), Some(new.1)),
                DiffItem::Remove(circle, old) => self.change(*circle, Some(old), None),
            }
        }
        let first = CellNumber::try_from(self.cells).unwrap_or(CellNumber::MAX);
        for (number, row) in cells.rows_from(first) {
            let label = row.label as usize;
            if self.by_label.len() <= label {
                self.by_label.resize_with(label + 1, RoaringBitmap::new);
            }
            if let Some(of_label) = self.by_label.get_mut(label) {
                of_label.insert(number);
            }
            let Some(circle) = row.circle else {
                self.open.insert(number);
                continue;
            };
            self.of_circle.insert((circle, number));
            for member in self.circles.get(&circle).iter().flat_map(|members| members.iter()) {
                self.by_member.entry(*member).or_default().insert(number);
            }
        }
        self.cells = cells.len();
        self.size = size;
        true
    }

    /// The cells of a circle change hands.
    fn change(&mut self, circle: CircleId, old: Option<&Members>, new: Option<&Members>) {
        let range = (circle, CellNumber::MIN)..=(circle, CellNumber::MAX);
        let cells: RoaringBitmap = self.of_circle.range(range).map(|(_, cell)| *cell).collect();
        for member in old.iter().flat_map(|members| members.iter()) {
            if let Some(reached) = self.by_member.get_mut(member) {
                *reached -= &cells;
            }
        }
        for member in new.iter().flat_map(|members| members.iter()) {
            *self.by_member.entry(*member).or_default() |= &cells;
        }
    }

    /// The cells of some labels that are in no circle, or in one of any of `members`.
    pub fn of(&self, members: &[Member], labels: &RoaringBitmap) -> RoaringBitmap {
        let mine = members.iter().filter_map(|member| self.by_member.get(member));
        let mine = mine.chain([&self.open]).collect::<Vec<_>>().union();
        let labels = labels.iter().filter_map(|label| self.by_label.get(label as usize));
        mine & labels.collect::<Vec<_>>().union()
    }
}
