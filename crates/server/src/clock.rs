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
