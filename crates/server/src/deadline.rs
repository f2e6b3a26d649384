//! Deadlines by the steady clock: when something must have ended, whatever the time of day does.

use std::io;
use std::time::{Duration, Instant};

/// An instant of the machine's steady clock, by which something must have ended.
#[derive(Clone, Copy)]
pub struct Deadline(Instant);

impl Deadline {
    /// The instant some time from now.
    #[expect(clippy::disallowed_methods, reason = "the rim's clock gives time to everybody else")]
    pub fn after(time: Duration) -> Self {
        Self(Instant::now() + time)
    }

    /// What is left until then.
    ///
    /// # Errors
    /// [`io::ErrorKind::TimedOut`] when nothing is.
    #[expect(clippy::disallowed_methods, reason = "the rim's clock gives time to everybody else")]
    pub fn left(self) -> io::Result<Duration> {
        let left = self.0.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(io::ErrorKind::TimedOut.into()) } else { Ok(left) }
    }

    /// Brings it nearer: at most some time from now.
    pub fn shorten(&mut self, time: Duration) {
        self.0 = self.0.min(Self::after(time).0);
    }
}
