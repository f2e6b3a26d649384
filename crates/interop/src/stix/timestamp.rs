//! Timestamps of STIX, with every digit that counts.

use std::str::FromStr;

use base::Time;

use crate::limit;

/// A point in time, to the nanosecond, from the year 0 to 9999 (STIX 2.1 §2.16).
///
/// Compared as an instant, never as text: `…00Z` and `…00.000Z` are one. Finer parts than a
/// nanosecond are dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp {
    unix_s: i64,
    ns: u32,
}

/// A text that is no timestamp of STIX.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a timestamp such as 2016-04-06T20:06:37.000Z")]
pub struct TimestampError;

impl Timestamp {
    /// Seconds since 1970-01-01T00:00:00Z; negative before.
    pub const fn unix_s(self) -> i64 {
        self.unix_s
    }

    /// Nanoseconds within the second.
    pub const fn subsecond_ns(self) -> u32 {
        self.ns
    }

    /// The time in the product's own form, to the millisecond; `None` before 1970.
    pub fn time(self) -> Option<Time> {
        let ms = self.unix_s.checked_mul(1000)?.checked_add(i64::from(self.ns / 1_000_000))?;
        Time::from_ms(ms).ok()
    }
}

impl FromStr for Timestamp {
    type Err = TimestampError;

    fn from_str(text: &str) -> Result<Self, TimestampError> {
        parse(text.as_bytes()).ok_or(TimestampError)
    }
}

/// Reads `YYYY-MM-DDThh:mm:ss[.s+]Z` (RFC 3339 §5.6, with the `Z` that STIX demands).
fn parse(text: &[u8]) -> Option<Timestamp> {
    if text.len() > limit::TIMESTAMP_BYTES {
        return None;
    }
    let (year, text) = number(text, 4)?;
    let (month, text) = number(mark(text, b'-')?, 2)?;
    let (day, text) = number(mark(text, b'-')?, 2)?;
    let (hour, text) = number(mark(text, b'T')?, 2)?;
    let (minute, text) = number(mark(text, b':')?, 2)?;
    let (second, text) = number(mark(text, b':')?, 2)?;
    // A leap second is the last of its day; it is read as the first of the next.
    let leap = second == 60 && hour == 23 && minute == 59;
    let clock = hour <= 23 && minute <= 59 && (second <= 59 || leap);
    if !clock || !(1..=12).contains(&month) || day < 1 || day > days_of(year, month) {
        return None;
    }
    let (ns, text) = fraction(text)?;
    if text != b"Z" {
        return None;
    }
    let unix_s = ((days(year, month, day) * 24 + hour) * 60 + minute) * 60 + second;
    Some(Timestamp { unix_s, ns })
}

fn mark(text: &[u8], expected: u8) -> Option<&[u8]> {
    text.split_first().filter(|(first, _)| **first == expected).map(|(_, rest)| rest)
}

fn number(text: &[u8], digits: usize) -> Option<(i64, &[u8])> {
    let (digits, rest) = text.split_at_checked(digits)?;
    let mut number = 0;
    for digit in digits {
        if !digit.is_ascii_digit() {
            return None;
        }
        number = number * 10 + i64::from(digit - b'0');
    }
    Some((number, rest))
}

fn fraction(text: &[u8]) -> Option<(u32, &[u8])> {
    let Some(text) = mark(text, b'.') else {
        return Some((0, text));
    };
    let length = text.iter().take_while(|b| b.is_ascii_digit()).count();
    let (digits, rest) = text.split_at_checked(length)?;
    if digits.is_empty() {
        return None;
    }
    let mut ns = 0;
    let padded = digits.iter().copied().chain(std::iter::repeat(b'0'));
    for digit in padded.take(9) {
        ns = ns * 10 + u32::from(digit - b'0');
    }
    Some((ns, rest))
}

const fn days_of(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970-01-01 in the Gregorian calendar; the year is taken to begin in March.
const fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}
