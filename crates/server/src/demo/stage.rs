//! The stage: what the scenes of one performance share.

use std::time::Duration;

use app::kernel::{Fault, Rendition};
use base::{Kind, RecordId, Time};
use serde_json::Value;

use super::cast::Cast;
use super::record::{Handoff, Record};
use super::screens::Screens;
use super::world::World;

/// How long one look is apart from the next.
pub const LOOK: Duration = Duration::from_millis(20);
/// LIMIT: real time from an act to the open screens of those whom it concerns.
pub const REACHED_MS_MAX: i64 = 1000;

/// A performance of the play.
pub struct Stage<'a> {
    pub cast: &'a Cast,
    pub world: &'a World,
    /// When it began, in the time of the play.
    pub began: Time,
    pub record: Record,
    pub screens: Screens,
}

/// A list in the base layer of a rendition.
pub fn list(rendition: &Rendition, field: &str) -> Vec<Value> {
    list_of(rendition, 0, field)
}

/// A list in one of the layers of a rendition.
pub fn list_of(rendition: &Rendition, layer: usize, field: &str) -> Vec<Value> {
    let body = rendition.layers.get(layer).map(|layer| &layer.body);
    body.and_then(|body| body.get(field)?.as_array().cloned()).unwrap_or_default()
}

/// A time in a body.
pub fn time(value: Option<&Value>) -> Option<Time> {
    value?.as_str()?.parse().ok()
}

impl Stage<'_> {
    /// Seconds of play from its beginning.
    pub fn seconds(&self, at: Time) -> f64 {
        let ms = i32::try_from(at.ms_since(self.began)).unwrap_or(i32::MAX);
        f64::from(ms) / 1000.0
    }

    /// Seconds of play in a second.
    pub fn speed(&self) -> i64 {
        i64::from(self.cast.node().config().play.speed.max(1))
    }

    /// Waits for a second of the play.
    ///
    /// # Errors
    /// When the node is stopping.
    pub fn wait(&mut self, s: u32) -> Result<(), Fault> {
        let due = self.began.plus_s(i64::from(s));
        while self.cast.node().play_now() < due {
            if self.cast.node().stopped() {
                return Err(Fault::new(Kind::Unavailable, "stopping", "the node is stopping"));
            }
            self.screens.look();
            std::thread::sleep(LOOK);
        }
        Ok(())
    }

    /// Does something and notes when it was done and how long it took.
    ///
    /// # Errors
    /// What it was refused with.
    pub fn hand_off<T>(
        &mut self,
        what: impl Into<String>,
        due_s: Option<u32>,
        act: impl FnOnce(&Cast) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let node = self.cast.node();
        let from = node.now();
        let done = act(self.cast)?;
        let real_ms = node.now().ms_since(from);
        self.note(what, due_s, real_ms);
        Ok(done)
    }

    /// Notes a hand-off that has taken a time.
    pub fn note(&mut self, what: impl Into<String>, due_s: Option<u32>, real_ms: i64) {
        let at_s = self.seconds(self.cast.node().play_now());
        let due_s = due_s.map(f64::from);
        self.record.handoffs.push(Handoff { what: what.into(), due_s, at_s, real_ms });
    }

    /// The agency of a seat, by its code.
    pub fn code(&self, seat: &str) -> &str {
        self.world.seat(seat).map_or("", |(agency, _)| &agency.code)
    }

    /// Expects that a record is absent for a seat.
    pub fn absent(&mut self, seat: &str, (noun, id): (&'static str, RecordId), why: &str) {
        let outcome = self.cast.read(seat, noun, id);
        let absent = outcome.err().is_some_and(|fault| fault.code.kind == Kind::Absent);
        let code = self.code(seat).to_owned();
        self.record.expect(format!("{code} does not learn of the {noun}: {why}"), absent);
    }
}
