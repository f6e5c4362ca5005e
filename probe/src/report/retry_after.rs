//! The wait that a server asks for before the next request. Pure: from the bytes of a header to a wait.

use std::time::{Duration, SystemTime};

/// What a server may ask for at most: a mistaken Retry-After must not silence a probe for days.
pub(super) const LONGEST_RETRY_AFTER: Duration = Duration::from_hours(1);

/// The wait that a `Retry-After` asks for, an hour at most: a number of seconds, or a date in any of the three forms that HTTP has. `now` is the time of
/// the server that wrote the date. `None` if the date has passed, or the value is neither.
pub fn retry_after(value: &[u8], now: SystemTime) -> Option<Duration> {
    let text = std::str::from_utf8(value).ok()?.trim_matches([' ', '\t']);
    let wait = if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // What has too many digits for a number is a long time.
        text.parse().map_or(LONGEST_RETRY_AFTER, Duration::from_secs)
    } else {
        let date = httpdate::parse_http_date(text).ok()?;
        date.duration_since(now).ok()?
    };
    Some(wait.min(LONGEST_RETRY_AFTER)).filter(|wait| !wait.is_zero())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A minute before 1994-11-06 08:49:37 UTC.
    const NOW_S: u64 = 784_111_717;

    #[track_caller]
    fn check(value: &str, expected_s: Option<u64>) {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(NOW_S);
        assert_eq!(retry_after(value.as_bytes(), now), expected_s.map(Duration::from_secs), "{value:?}");
    }

    #[test]
    fn both_forms_are_understood() {
        check("120", Some(120));
        check(" 007\t", Some(7));
        check("Sun, 06 Nov 1994 08:49:37 GMT", Some(60));
        check("Sunday, 06-Nov-94 08:49:37 GMT", Some(60));
        check("Sun Nov  6 08:49:37 1994", Some(60));
    }

    #[test]
    fn no_wait_is_absurd() {
        for value in ["3601", "18446744073709551615", "99999999999999999999999999", "Fri, 31 Dec 9999 23:59:59 GMT"] {
            check(value, Some(3600));
        }
    }

    #[test]
    fn what_has_passed_or_is_neither_is_no_wait() {
        for value in [
            "0",
            "",
            "soon",
            "-5",
            "+5",
            "1.5",
            "1e3",
            "12 0",
            "120, 60",
            "0x10",
            "Sun, 06 Nov 1994 08:48:37 GMT",
            "Thu, 01 Jan 1970 00:00:00 GMT",
            "Sun, 06 Nov 1994 08:49:37",
            "Sun, 31 Feb 1995 08:49:37 GMT",
            "\u{b2}",
        ] {
            check(value, None);
        }
        assert_eq!(retry_after(b"12\xff", SystemTime::UNIX_EPOCH), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_bounded_wait_or_none(value in proptest::collection::vec(any::<u8>(), 0..40), now_s in 0..u64::from(u32::MAX)) {
            let wait = retry_after(&value, SystemTime::UNIX_EPOCH + Duration::from_secs(now_s));
            prop_assert!(wait.is_none_or(|wait| wait <= LONGEST_RETRY_AFTER && !wait.is_zero()));
        }

        #[test]
        fn a_date_is_as_good_as_its_seconds(wait_s in 1..=3600_u64, now_s in 0..4_000_000_000_u64) {
            let now = SystemTime::UNIX_EPOCH + Duration::from_secs(now_s);
            let date = httpdate::fmt_http_date(now + Duration::from_secs(wait_s));
            prop_assert_eq!(retry_after(date.as_bytes(), now), Some(Duration::from_secs(wait_s)));
            prop_assert_eq!(retry_after(wait_s.to_string().as_bytes(), now), Some(Duration::from_secs(wait_s)));
        }
    }
}
