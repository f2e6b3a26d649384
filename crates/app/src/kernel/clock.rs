//! Clocks: the node's own, which is never falsified, and the clock of a play.

use base::Time;

/// Gives the time. The rim has the real one; tests have one that moves by hand.
pub trait Clock: Send + Sync {
    /// The time now.
    fn now(&self) -> Time;
}

/// The clock of a play: it starts with the real one and runs `speed` times as fast.
#[derive(Clone, Copy, Debug)]
pub struct PlayClock {
    pub started_at: Time,
    /// Play seconds per real second, at least 1.
    pub speed: u32,
}

impl PlayClock {
    /// The play's time when the real time is `now`.
    pub fn at(self, now: Time) -> Time {
        let passed = now.ms_since(self.started_at).max(0);
        self.started_at.plus_ms(passed.saturating_mul(i64::from(self.speed.max(1))))
    }

    /// The real time at which the play reaches `at`.
    pub fn real(self, at: Time) -> Time {
        let ahead = at.ms_since(self.started_at).max(0);
        self.started_at.plus_ms(ahead / i64::from(self.speed.max(1)))
    }
}
