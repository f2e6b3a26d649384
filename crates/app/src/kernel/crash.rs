//! Crash points: places where the simulator ends the process, named in the order of a batch.
//!
//! Outside of a simulation nothing is armed, and a point costs one relaxed load.

use std::sync::OnceLock;

static ARMED: OnceLock<fn(&'static str)> = OnceLock::new();

/// Arms the points: `end` is called at each with its name and may end the process.
pub fn arm(end: fn(&'static str)) {
    // Arming twice keeps the first: a simulation arms once, at its start.
    let _already = ARMED.set(end);
}

/// Passes a named point.
pub fn point(name: &'static str) {
    if let Some(end) = ARMED.get() {
        end(name);
    }
}
