//! Points in time, in milliseconds, and the date-time group of the services.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use time::format_description::well_known::Rfc3339;
use time::{Month, OffsetDateTime, PrimitiveDateTime, UtcOffset};

/// A point in time: milliseconds since 1970-01-01T00:00:00Z, between the years 1970 and 9999.
///
/// Wall-clock time informs people; sequence numbers order the record. On the wire it is RFC 3339 in
/// UTC with milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Time(i64);

/// A time that could not be read.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum TimeError {
    #[error("`{0}` is not an RFC 3339 time")]
    Rfc3339(String),
    #[error("`{0}` is not a date-time group such as 221930ZNOV26")]
    Dtg(String),
    #[error("{0} ms is outside the years 1970 to 9999")]
    Range(i64),
}

const MS_MAX: i64 = 253_402_300_799_999;
const MONTHS: [&str; 12] =
    ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];

impl Time {
    /// The first point in time that can be written.
    pub const MIN: Self = Self(0);
    /// The last point in time that can be written.
    pub const MAX: Self = Self(MS_MAX);

    /// Takes milliseconds since the Unix epoch.
    ///
    /// # Errors
    /// [`TimeError::Range`] outside the years 1970 to 9999.
    pub const fn from_ms(ms: i64) -> Result<Self, TimeError> {
        if ms < 0 || ms > MS_MAX { Err(TimeError::Range(ms)) } else { Ok(Self(ms)) }
    }

    /// Milliseconds since the Unix epoch.
    pub const fn ms(self) -> i64 {
        self.0
    }

    /// The time `ms` later (or earlier, when negative), clamped to the range that can be written.
    #[must_use]
    pub const fn plus_ms(self, ms: i64) -> Self {
        let sum = self.0.saturating_add(ms);
        if sum < 0 {
            Self::MIN
        } else if sum > MS_MAX {
            Self::MAX
        } else {
            Self(sum)
        }
    }

    /// The time `s` seconds later, clamped.
    #[must_use]
    pub const fn plus_s(self, s: i64) -> Self {
        self.plus_ms(s.saturating_mul(1000))
    }

    /// Milliseconds from `earlier` to this time; negative when `earlier` is later.
    pub const fn ms_since(self, earlier: Self) -> i64 {
        self.0 - earlier.0
    }

    fn date_time(self) -> OffsetDateTime {
        // Every value within the range is a valid date, so the fallback is never taken.
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 1_000_000)
            .unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }

    /// The date-time group in Zulu time, for example `221930ZNOV26`; seconds are dropped.
    pub fn dtg(self) -> String {
        let at = self.date_time();
        let month = MONTHS.get(usize::from(u8::from(at.month())) - 1).copied().unwrap_or("");
        let (day, hour, minute) = (at.day(), at.hour(), at.minute());
        format!("{day:02}{hour:02}{minute:02}Z{month}{:02}", at.year() % 100)
    }

    /// Reads a date-time group with any of the 25 zone letters (J, local time, is refused).
    ///
    /// The two-digit year is of this century.
    ///
    /// # Errors
    /// [`TimeError::Dtg`] when a field is missing or out of range.
    pub fn from_dtg(text: &str) -> Result<Self, TimeError> {
        parse_dtg(text).ok_or_else(|| TimeError::Dtg(text.chars().take(32).collect()))
    }
}

fn parse_dtg(text: &str) -> Option<Time> {
    let upper = text.to_ascii_uppercase();
    let (day, rest) = take_number(&upper)?;
    let (hour, rest) = take_number(rest)?;
    let (minute, rest) = take_number(rest)?;
    let zone = rest.chars().next()?;
    let rest = rest.get(1..)?;
    let month = MONTHS.iter().position(|name| rest.starts_with(name))?;
    let (year, rest) = take_number(rest.get(3..)?)?;
    if !rest.is_empty() {
        return None;
    }
    let month = Month::try_from(u8::try_from(month + 1).ok()?).ok()?;
    let date = time::Date::from_calendar_date(2000 + i32::from(year), month, day).ok()?;
    let clock = time::Time::from_hms(hour, minute, 0).ok()?;
    let offset = UtcOffset::from_hms(zone_hours(zone)?, 0, 0).ok()?;
    let at = PrimitiveDateTime::new(date, clock).assume_offset(offset);
    Time::from_ms(at.unix_timestamp().checked_mul(1000)?).ok()
}

fn take_number(text: &str) -> Option<(u8, &str)> {
    let digits = text.get(..2)?;
    if !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    Some((digits.parse().ok()?, text.get(2..)?))
}

/// Hours east of Greenwich for a military zone letter (ACP 121).
fn zone_hours(letter: char) -> Option<i8> {
    let position = |of: char| i8::try_from(u32::from(letter) - u32::from(of)).ok();
    match letter {
        'A'..='I' => position('A').map(|n| n + 1),
        'K'..='M' => position('K').map(|n| n + 10),
        'N'..='Y' => position('N').map(|n| -(n + 1)),
        'Z' => Some(0),
        _ => None,
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = self.date_time();
        write!(
            f,
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
            at.year(),
            u8::from(at.month()),
            at.day(),
            at.hour(),
            at.minute(),
            at.second(),
            at.millisecond()
        )
    }
}

impl FromStr for Time {
    type Err = TimeError;

    /// Reads RFC 3339 with any offset; parts of a millisecond are dropped.
    fn from_str(text: &str) -> Result<Self, TimeError> {
        let at = OffsetDateTime::parse(text, &Rfc3339)
            .map_err(|_cause| TimeError::Rfc3339(text.chars().take(64).collect()))?;
        let ms = at.unix_timestamp_nanos().div_euclid(1_000_000);
        let ms = i64::try_from(ms).unwrap_or(i64::MAX);
        Self::from_ms(ms)
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}
