//! Timestamps (STIX 2.1 §2.16).

use interop::stix::Timestamp;

fn parse(text: &str) -> Option<Timestamp> {
    text.parse().ok()
}

#[test]
fn a_timestamp_is_rfc_3339_in_utc_with_z() {
    for text in [
        "2016-01-20T12:31:12Z",
        "2016-01-20T12:31:12.1Z",
        "2016-01-20T12:31:12.123456789Z",
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59.999Z",
        "2024-02-29T00:00:00Z",
        "2000-02-29T00:00:00Z",
        "2016-12-31T23:59:60Z",
    ] {
        assert!(parse(text).is_some(), "{text}");
    }
    for text in [
        "",
        "2016-01-20",
        "2016-01-20T12:31:12",
        "2016-01-20T12:31:12z",
        "2016-01-20t12:31:12Z",
        "2016-01-20 12:31:12Z",
        "2016-01-20T12:31:12+00:00",
        "2016-01-20T12:31:12.Z",
        "2016-01-20T12:31Z",
        "2016-1-20T12:31:12Z",
        "2016-13-20T12:31:12Z",
        "2016-00-20T12:31:12Z",
        "2016-01-32T12:31:12Z",
        "2016-01-00T12:31:12Z",
        "2016-02-30T12:31:12Z",
        "2023-02-29T00:00:00Z",
        "1900-02-29T00:00:00Z",
        "2016-01-20T24:00:00Z",
        "2016-01-20T12:60:00Z",
        "2016-01-20T12:31:60Z",
        "2016-01-20T12:31:12ZZ",
        "２016-01-20T12:31:12Z",
        "+016-01-20T12:31:12Z",
    ] {
        assert!(parse(text).is_none(), "{text}");
    }
}

#[test]
fn timestamps_are_compared_as_instants() {
    assert_eq!(parse("2016-01-20T12:31:12Z"), parse("2016-01-20T12:31:12.000Z"));
    assert_eq!(parse("2016-12-31T23:59:60Z"), parse("2017-01-01T00:00:00Z"));
    assert!(parse("2016-01-20T12:31:12.9Z") > parse("2016-01-20T12:31:12.12Z"));
    assert!(parse("1969-12-31T23:59:59.5Z") < parse("1970-01-01T00:00:00Z"));
}

#[test]
fn a_timestamp_becomes_a_time_of_the_product() {
    let time = |text| parse(text).and_then(Timestamp::time).map(|time| time.to_string());
    assert_eq!(time("2016-01-20T12:31:12.1239Z").as_deref(), Some("2016-01-20T12:31:12.123Z"));
    assert_eq!(time("9999-12-31T23:59:59.999Z").as_deref(), Some("9999-12-31T23:59:59.999Z"));
    assert_eq!(time("1969-12-31T23:59:59.999Z"), None);
    let at = parse("1970-01-02T00:00:01.000000002Z").expect("a timestamp");
    assert_eq!((at.unix_s(), at.subsecond_ns()), (86_401, 2));
}
