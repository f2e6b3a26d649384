//! The record of a performance: every hand-off with its times, and every expectation.

use std::fmt::{self, Write as _};

/// Something that went from one to another.
pub struct Handoff {
    pub what: String,
    /// Seconds of play, from the beginning.
    pub due_s: Option<f64>,
    pub at_s: f64,
    /// How long it took, or how late it was, in real time.
    pub real_ms: i64,
}

/// Something that must be so.
pub struct Expectation {
    pub what: String,
    pub held: bool,
}

/// What was counted.
#[derive(Default)]
pub struct Counted {
    pub alerts: u32,
    pub acknowledgements: u32,
    pub calls: u32,
    pub signatures: u32,
    pub handovers: u32,
    pub refusals: u32,
    pub entries: u64,
}

/// A performance as it went.
#[derive(Default)]
pub struct Record {
    pub handoffs: Vec<Handoff>,
    pub expectations: Vec<Expectation>,
    pub counted: Counted,
    /// The bundle of the inquiry.
    pub bundle: Vec<u8>,
}

impl Record {
    /// Notes whether something is as it must be.
    pub fn expect(&mut self, what: impl Into<String>, held: bool) {
        let what = what.into();
        if !held {
            tracing::warn!(expectation = %what, "the play goes otherwise than expected");
        }
        self.expectations.push(Expectation { what, held });
    }

    /// Whether everything is as it must be.
    pub fn held(&self) -> bool {
        self.expectations.iter().all(|expectation| expectation.held)
    }
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<52} {:>8} {:>8} {:>9}", "hand-off", "due s", "at s", "real ms")?;
        for handoff in &self.handoffs {
            let mut due = String::new();
            match handoff.due_s {
                Some(due_s) => write!(due, "{due_s:.1}")?,
                None => due.push('-'),
            }
            let Handoff { what, at_s, real_ms, .. } = handoff;
            writeln!(f, "{what:<52} {due:>8} {at_s:>8.1} {real_ms:>9}")?;
        }
        writeln!(f)?;
        for Expectation { what, held } in &self.expectations {
            writeln!(f, "{:<8} {what}", if *held { "held" } else { "NOT HELD" })?;
        }
        let Counted { alerts, acknowledgements, calls, signatures, handovers, refusals, entries } =
            &self.counted;
        write!(
            f,
            "\nalerts {alerts}, acknowledgements {acknowledgements}, calls of the ladder {calls}, \
             signatures {signatures}, handovers {handovers}, refusals {refusals}, \
             entries in the log {entries}"
        )
    }
}
