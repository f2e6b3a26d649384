//! The three things of an X.509 certificate that are read here: its end, its names, its subject.
//!
//! TLS itself verifies certificates; these are read from the node's own files, to renew them.

use std::net::{Ipv4Addr, Ipv6Addr};

use base::Time;
use time::{Date, Month, PrimitiveDateTime, Time as Clock};

const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const OCTETS: u8 = 0x04;
const OBJECT: u8 = 0x06;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const VERSION: u8 = 0xa0;
const EXTENSIONS: u8 = 0xa3;
/// `dNSName` and `iPAddress` (RFC 5280 §4.2.1.6).
const DNS_NAME: u8 = 0x82;
const ADDRESS: u8 = 0x87;
/// `id-ce-subjectAltName`, 2.5.29.17.
const SUBJECT_ALT_NAME: [u8; 3] = [0x55, 0x1d, 0x11];
/// `id-at-commonName`, 2.5.4.3.
const COMMON_NAME: [u8; 3] = [0x55, 0x04, 0x03];

/// What is read of a certificate.
#[derive(Debug, PartialEq, Eq)]
pub struct Read {
    /// `notAfter`.
    pub ends_at: Time,
    /// The common name of the subject; empty when it has none.
    pub subject: String,
    /// Host names and addresses that it is good for.
    pub names: Vec<String>,
}

/// Elements of DER that follow one another (ITU-T X.690 §8.1).
struct Elements<'a>(&'a [u8]);

impl<'a> Elements<'a> {
    /// The tag and the content of the next one.
    fn next(&mut self) -> Option<(u8, &'a [u8])> {
        let (tag, rest) = self.0.split_first()?;
        let (first, mut rest) = rest.split_first()?;
        let mut length = usize::from(*first);
        if *first >= 0x80 {
            let (bytes, after) = rest.split_at_checked(usize::from(first & 0x7f))?;
            if bytes.len() > 4 {
                return None;
            }
            length = bytes.iter().fold(0, |sum, byte| (sum << 8) | usize::from(*byte));
            rest = after;
        }
        let (content, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some((*tag, content))
    }

    /// The content of the next one, which must have this tag.
    fn expect(&mut self, expected: u8) -> Option<&'a [u8]> {
        self.next().filter(|(tag, _)| *tag == expected).map(|(_, content)| content)
    }
}

/// Reads a certificate (RFC 5280 §4.1); nothing when it has another form.
pub fn read(certificate: &[u8]) -> Option<Read> {
    let mut outer = Elements(Elements(certificate).expect(SEQUENCE)?);
    let mut body = Elements(outer.expect(SEQUENCE)?);
    if body.0.first() == Some(&VERSION) {
        body.next()?;
    }
    // Serial number, algorithm and issuer.
    for _ in 0..3 {
        body.next()?;
    }
    let mut validity = Elements(body.expect(SEQUENCE)?);
    validity.next()?;
    let (tag, end) = validity.next()?;
    let ends_at = time_of(tag, end)?;
    let subject = common_name(body.expect(SEQUENCE)?).unwrap_or_default();
    let mut names = Vec::new();
    while let Some((tag, content)) = body.next() {
        if tag == EXTENSIONS {
            names = alternative_names(content).unwrap_or_default();
        }
    }
    Some(Read { ends_at, subject, names })
}

fn common_name(subject: &[u8]) -> Option<String> {
    let mut sets = Elements(subject);
    while let Some(set) = sets.expect(SET) {
        let mut attribute = Elements(Elements(set).expect(SEQUENCE)?);
        let kind = attribute.expect(OBJECT)?;
        let (_, value) = attribute.next()?;
        if kind == COMMON_NAME {
            return std::str::from_utf8(value).ok().map(str::to_owned);
        }
    }
    None
}

fn alternative_names(extensions: &[u8]) -> Option<Vec<String>> {
    let mut list = Elements(Elements(extensions).expect(SEQUENCE)?);
    while let Some(extension) = list.expect(SEQUENCE) {
        let mut extension = Elements(extension);
        if extension.expect(OBJECT)? != SUBJECT_ALT_NAME {
            continue;
        }
        let mut value = extension.next()?;
        if value.0 != OCTETS {
            // Before the value it may say whether it is critical.
            value = extension.next()?;
        }
        let mut names = Elements(Elements(value.1).expect(SEQUENCE)?);
        let mut found = Vec::new();
        while let Some((tag, name)) = names.next() {
            match tag {
                DNS_NAME => found.push(std::str::from_utf8(name).ok()?.to_owned()),
                ADDRESS => found.push(address(name)?),
                _ => {}
            }
        }
        return Some(found);
    }
    None
}

fn address(bytes: &[u8]) -> Option<String> {
    if let Ok(four) = <[u8; 4]>::try_from(bytes) {
        return Some(Ipv4Addr::from(four).to_string());
    }
    <[u8; 16]>::try_from(bytes).ok().map(|bytes| Ipv6Addr::from(bytes).to_string())
}

/// `UTCTime` and `GeneralizedTime` as certificates have them (RFC 5280 §4.1.2.5).
fn time_of(tag: u8, text: &[u8]) -> Option<Time> {
    let text = std::str::from_utf8(text).ok()?.strip_suffix('Z')?;
    let digits = |from: usize, to: usize| text.get(from..to)?.parse::<u16>().ok();
    let (year, rest) = match tag {
        UTC_TIME => {
            let year = digits(0, 2)?;
            (if year < 50 { 2000 + year } else { 1900 + year }, 2)
        }
        GENERALIZED_TIME => (digits(0, 4)?, 4),
        _ => return None,
    };
    let two = |place: usize| {
        let from = rest + 2 * place;
        digits(from, from + 2).and_then(|value| u8::try_from(value).ok())
    };
    let month = Month::try_from(two(0)?).ok()?;
    let date = Date::from_calendar_date(i32::from(year), month, two(1)?).ok()?;
    let clock = Clock::from_hms(two(2)?, two(3)?, two(4)?).ok()?;
    let seconds = PrimitiveDateTime::new(date, clock).assume_utc().unix_timestamp();
    Time::from_ms(seconds.checked_mul(1000)?).ok()
}
