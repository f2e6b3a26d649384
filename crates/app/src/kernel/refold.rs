//! Refolding: after an erasure views are folded anew beside the live ones and take their place.
//!
//! What is erased cannot be read any more from the moment of the order. But a state, a due time or
//! a row of a capability's own table may have been derived from it, in its own record or in
//! another. So nothing is patched: views are a pure function of the log, and the log has changed.
//! Acts go on meanwhile; the sequencer stands still only for the last few entries.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use super::fault::Fault;
use super::node::{Node, seed};
use super::start::{Folding, Source, label_key};
use super::view_file;

/// Views that were folded anew, up to some entry.
pub struct Refolded {
    pub folding: Folding,
    /// How many erasing batches there had been when the folding began.
    pub asked: u64,
}

/// What sequencer and refolding thread share.
#[derive(Default)]
pub struct Refold {
    asked: AtomicU64,
    ready: Mutex<Option<Refolded>>,
    /// How many erasing batches the live views were refolded after.
    done: AtomicU64,
}

impl Refold {
    /// Asks for views without what was just erased.
    pub fn ask(&self) {
        self.asked.fetch_add(1, Ordering::SeqCst);
    }

    /// How often it was asked for.
    pub fn asked(&self) -> u64 {
        self.asked.load(Ordering::SeqCst)
    }

    /// Whether the live views know nothing of what was erased so far.
    pub fn settled(&self) -> bool {
        self.done.load(Ordering::SeqCst) == self.asked()
    }

    /// Notes that views folded after so many askings are live.
    pub fn settle(&self, asked: u64) {
        self.done.store(asked, Ordering::SeqCst);
    }

    /// Takes what is ready.
    pub fn take(&self) -> Option<Refolded> {
        self.ready.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn hand(&self, refolded: Refolded) {
        *self.ready.lock().unwrap_or_else(PoisonError::into_inner) = Some(refolded);
    }
}

/// Entries that may be left for the sequencer, which does nothing else meanwhile.
const TAIL: u64 = 256;
/// Milliseconds until the thread looks again without being woken.
const LOOK_MS: u64 = 1000;

/// Refolds when asked, until the node stops.
pub fn run(node: &Weak<Node>) {
    let (mut seen, mut built) = (0, 0);
    loop {
        let Some(node) = node.upgrade() else { return };
        if node.stopped() {
            return;
        }
        let asked = node.refold().asked();
        if asked == built {
            seen = node.wait(seen, LOOK_MS);
            continue;
        }
        match refold(&node, asked) {
            Ok(refolded) => {
                node.refold().hand(refolded);
                node.rouse();
            }
            Err(fault) => {
                // The mark in the views stays, so that the next start folds them anew.
                let cause = format!("{fault:?}");
                tracing::error!(error = %fault, cause, "views were not folded after an erasure");
            }
        }
        built = asked;
    }
}

fn refold(node: &Arc<Node>, asked: u64) -> Result<Refolded, Fault> {
    let label_key = label_key(node.keys())?;
    let from = Source {
        keys: node.keys(),
        capabilities: node.capabilities(),
        label_key: &label_key,
        reader: node.log(),
    };
    let path = view_file::next(&node.config().directory)?;
    let building = path.with_extension("building");
    view_file::remove(&building)?;
    let mut folding = Folding::begin(&building, &from, seed()?)?;
    loop {
        let size = node.core().head.size;
        folding.advance(&from, size)?;
        if node.stopped() || node.core().head.size - size <= TAIL {
            break;
        }
    }
    // A file of its final name is whole: whoever starts takes the newest.
    let folding = folding.renamed(&path, &from)?;
    Ok(Refolded { folding, asked })
}
