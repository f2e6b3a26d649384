//! Three bounded lanes before the sequencer: alert, normal, bulk — drained in that order.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use base::limit;

use super::capability::Lane;

/// Why a lane took nothing.
#[derive(Debug, PartialEq, Eq)]
pub enum Refused {
    /// The lane holds [`limit::LANE_ACTS`] acts.
    Full,
    /// The node is stopping.
    Stopping,
}

struct Inner<T> {
    lanes: [VecDeque<T>; 3],
    stopping: bool,
    /// Whether the taker is to wake without acts.
    roused: bool,
}

/// The queues of one sequencer.
pub struct Lanes<T> {
    inner: Mutex<Inner<T>>,
    filled: Condvar,
}

impl<T> Default for Lanes<T> {
    fn default() -> Self {
        let inner = Inner { lanes: [const { VecDeque::new() }; 3], stopping: false, roused: false };
        Self { inner: Mutex::new(inner), filled: Condvar::new() }
    }
}

const fn index(lane: Lane) -> usize {
    match lane {
        Lane::Alert => 0,
        Lane::Normal => 1,
        Lane::Bulk => 2,
    }
}

impl<T> Lanes<T> {
    fn lock(&self) -> MutexGuard<'_, Inner<T>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts an act into its lane; gives it back when the lane is full or the node stops.
    ///
    /// # Errors
    /// [`Refused`] with the act.
    pub fn put(&self, lane: Lane, act: T) -> Result<(), (Refused, T)> {
        let mut inner = self.lock();
        if inner.stopping {
            return Err((Refused::Stopping, act));
        }
        let Some(queue) = inner.lanes.get_mut(index(lane)) else {
            return Err((Refused::Stopping, act));
        };
        if queue.len() >= limit::LANE_ACTS {
            return Err((Refused::Full, act));
        }
        queue.push_back(act);
        drop(inner);
        self.filled.notify_one();
        Ok(())
    }

    /// Wakes the taker, for other work of its own.
    pub fn rouse(&self) {
        self.lock().roused = true;
        self.filled.notify_one();
    }

    /// Waits for acts and takes the next batch; `None` when the node stops and all is done.
    ///
    /// The batch is empty after [`Lanes::rouse`], when no act waits.
    /// There is no timer: what has come while the last batch was made durable is the next batch.
    pub fn take(&self) -> Option<Vec<T>> {
        let mut inner = self.lock();
        while inner.lanes.iter().all(VecDeque::is_empty) {
            if std::mem::take(&mut inner.roused) {
                return Some(Vec::new());
            }
            if inner.stopping {
                return None;
            }
            inner = self.filled.wait(inner).unwrap_or_else(PoisonError::into_inner);
        }
        let mut batch = Vec::new();
        for (lane, queue) in inner.lanes.iter_mut().enumerate() {
            let room = limit::ACTS_PER_BATCH.saturating_sub(batch.len());
            let room = if lane == 2 { room.min(limit::BULK_ACTS_PER_BATCH) } else { room };
            let count = room.min(queue.len());
            batch.extend(queue.drain(..count));
        }
        Some(batch)
    }

    /// How many acts wait in each lane: alert, normal, bulk.
    pub fn waiting(&self) -> [usize; 3] {
        self.lock().lanes.each_ref().map(VecDeque::len)
    }

    /// Refuses new acts; those that wait are still taken.
    pub fn stop(&self) {
        self.lock().stopping = true;
        self.filled.notify_all();
    }
}
