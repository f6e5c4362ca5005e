//! The clocks of the servers, against this machine's.

use netqoe_model::ClockDifference;

use super::finding::Finding;

/// How far clocks may be apart. Events come late after two minutes of the log's time and too early by five; clocks that are kept by NTP
/// differ by milliseconds.
const MAX_DIFFERENCE_MS: i64 = 5_000;

/// That of PostgreSQL.
pub(super) fn of_postgres(difference: ClockDifference) -> Option<Finding> {
    let advice =
        "let NTP set both: messages of the two can't be laid beside each other, nor can the times at which it vacuumed";
    judge("clock of PostgreSQL", difference.certain_ms(), advice)
}

/// That of the log, whose time is the time of its newest message where the server does not tell its own.
pub(super) fn of_log(difference: Option<ClockDifference>, newest_ahead_ms: Option<i64>) -> Option<Finding> {
    const WHAT: &str = "clock of NATS";
    const ADVICE: &str =
        "let NTP set both: the time of a message decides which windows are open, and which events are late";
    match (difference, newest_ahead_ms) {
        (Some(difference), _) => judge(WHAT, difference.certain_ms(), ADVICE),
        (None, Some(ahead_ms)) if ahead_ms > MAX_DIFFERENCE_MS => judge(WHAT, ahead_ms, ADVICE),
        (None, _) => {
            let advice = "see that NTP runs there: nats-server 2.9 does not tell its time, and only a message from the future would show it";
            Some(Finding::note(WHAT, "not known", advice))
        }
    }
}

fn judge(what: &str, ahead_ms: i64, advice: &str) -> Option<Finding> {
    let apart_ms = ahead_ms.saturating_abs();
    if apart_ms <= MAX_DIFFERENCE_MS {
        return None;
    }
    let direction = if ahead_ms > 0 { "ahead of" } else { "behind" };
    let present = format!("{:.1} s {direction} this machine's", apart_ms as f64 / 1_000.0);
    Some(Finding::problem(what, present, advice))
}

#[cfg(test)]
mod tests {
    use super::super::finding::Grade;
    use super::*;

    fn difference(ahead_ms: i64) -> ClockDifference {
        ClockDifference { ahead_ms, error_ms: 1_000 }
    }

    #[test]
    fn a_difference_must_be_certain() {
        for ahead_ms in [0, 6_000, -6_000] {
            assert_eq!(of_postgres(difference(ahead_ms)), None);
            assert_eq!(of_log(Some(difference(ahead_ms)), None), None);
        }
        assert_eq!(of_postgres(difference(6_001)).unwrap().present, "5.0 s ahead of this machine's");
        assert_eq!(of_log(Some(difference(-60_000)), None).unwrap().present, "59.0 s behind this machine's");
    }

    #[test]
    fn a_server_that_tells_no_time_is_ahead_where_its_newest_message_is() {
        assert_eq!(of_log(None, Some(9_000)).unwrap().grade, Grade::Problem);
        for newest in [None, Some(-90_000), Some(1_000)] {
            assert_eq!(of_log(None, newest).unwrap().grade, Grade::Note, "{newest:?}");
        }
        assert_eq!(of_log(Some(difference(0)), Some(9_000)), None, "its own word goes before");
    }
}
