//! Tallies: in which cells a kind of record lies and how many there are, kept in memory beside a
//! view file.
//!
//! The node counts in a row for each pair of cell and gate; a kind of which each record has a
//! circle of its own has as many rows as records. What changed since is read, and nothing else.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use roaring::RoaringBitmap;

use super::cells::CellNumber;
use super::fault::Fault;
use super::view::Views;

/// The tallies of one view file, by kind of record.
#[derive(Default)]
pub struct Tallies(Mutex<BTreeMap<String, Tally>>);

impl Tallies {
    /// Asks the tally of a kind, as new as the state of `views` or newer.
    ///
    /// # Errors
    /// The store's own fault.
    pub fn ask<T>(
        &self,
        views: Views<'_>,
        kind: &str,
        ask: impl FnOnce(&Tally) -> T,
    ) -> Result<T, Fault> {
        let mut tallies = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !tallies.contains_key(kind) {
            tallies.insert(kind.to_owned(), Tally::default());
        }
        let Some(tally) = tallies.get_mut(kind) else {
            return Err(Fault::bug("a tally is there"));
        };
        tally.follow(views, kind)?;
        Ok(ask(tally))
    }
}

/// In which cells a kind of record has layers, and how many records it has in each.
pub struct Tally {
    /// The entry that was followed last.
    until: i64,
    /// Records by their cell, where nothing was raised.
    plain: Vec<u64>,
    /// Records by their cell and what was put before it.
    raised: BTreeMap<(CellNumber, CellNumber), u64>,
    cells: RoaringBitmap,
}

impl Default for Tally {
    fn default() -> Self {
        Self { until: -1, plain: Vec::new(), raised: BTreeMap::new(), cells: RoaringBitmap::new() }
    }
}

impl Tally {
    /// Reads what changed since it was last followed.
    ///
    /// # Errors
    /// The store's own fault.
    pub fn follow(&mut self, views: Views<'_>, kind: &str) -> Result<(), Fault> {
        let mut until = self.until;
        views.counters_since(kind, self.until, |(cell, gate), records, changed| {
            until = until.max(changed);
            self.cells.insert(cell);
            if cell == gate {
                let at = cell as usize;
                if self.plain.len() <= at {
                    self.plain.resize(at + 1, 0);
                }
                if let Some(plain) = self.plain.get_mut(at) {
                    *plain = records;
                }
            } else {
                self.raised.insert((cell, gate), records);
            }
        })?;
        self.until = until;
        Ok(())
    }

    /// The cells in which there are layers, of those that somebody may read.
    pub fn within(&self, readable: &RoaringBitmap) -> RoaringBitmap {
        &self.cells & readable
    }

    /// How many records a reader of some cells may know of.
    pub fn count(&self, readable: &RoaringBitmap) -> u64 {
        let plain = self.within(readable);
        let plain = plain.iter().filter_map(|cell| self.plain.get(cell as usize)).sum::<u64>();
        let both = |(cell, gate): &(CellNumber, CellNumber)| {
            readable.contains(*cell) && readable.contains(*gate)
        };
        plain + self.raised.iter().filter(|(of, _)| both(of)).map(|(_, n)| n).sum::<u64>()
    }
}
