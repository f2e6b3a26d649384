//! The real clock: the only place of the product that asks the system for the time.

use app::kernel::clock::Clock;
use base::Time;

/// The clock of the machine.
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Time {
        now()
    }
}

/// The time by the clock of the machine; a clock before 1970 counts as 1970.
#[expect(clippy::disallowed_methods, reason = "the rim's clock gives time to everybody else")]
pub fn now() -> Time {
    let since = std::time::SystemTime::now()
        .duration_since(std::time::SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_millis()).ok().and_then(|ms| Time::from_ms(ms).ok()).unwrap_or(Time::MAX)
}

/// An instant of the machine's steady clock, by which something must have ended.
#[derive(Clone, Copy)]
pub struct Deadline(std::time::Instant);

impl Deadline {
    /// The instant some time from now.
    #[expect(clippy::disallowed_methods, reason = "the rim's clock gives time to everybody else")]
    pub fn after(time: std::time::Duration) -> Self {
        Self(std::time::Instant::now() + time)
    }

    /// What is left until then.
    ///
    /// # Errors
    /// [`std::io::ErrorKind::TimedOut`] when nothing is.
    #[expect(clippy::disallowed_methods, reason = "the rim's clock gives time to everybody else")]
    pub fn left(self) -> std::io::Result<std::time::Duration> {
        let left = self.0.saturating_duration_since(std::time::Instant::now());
        if left.is_zero() { Err(std::io::ErrorKind::TimedOut.into()) } else { Ok(left) }
    }

    /// Brings it nearer: at most some time from now.
    pub fn shorten(&mut self, time: std::time::Duration) {
        self.0 = self.0.min(Self::after(time).0);
    }
}
