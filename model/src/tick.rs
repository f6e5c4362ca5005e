//! A tick in an exported log: nobody measured anything, and the log's time moved on.
//!
//! Decision: D-086.

use crate::LogTime;

const BEGINNING: &[u8] = br#"{"recv_ts_ms":"#;
const END: &[u8] = br#","event_id":"tick"}"#;

/// A line that moves the log time of a replay and is no event. It closes the windows that a record without events has closed
/// when the log was live.
///
/// It is a JSON object with an `event_id`, as every line of an exported log, so that programs that collect ids can read it.
/// No event is written like it: where a line is stamped with its log time, `recv_ts_ms` is the last member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tick(pub LogTime);

impl Tick {
    /// The line, without a line end.
    pub fn line(self) -> Vec<u8> {
        [BEGINNING, self.0.to_string().as_bytes(), END].concat()
    }

    /// Reads a line that [`Tick::line`] has written; `None` for every other line.
    pub fn parse(line: &[u8]) -> Option<Self> {
        let digits = line.trim_ascii().strip_prefix(BEGINNING)?.strip_suffix(END)?;
        let ms = std::str::from_utf8(digits).ok()?.parse().ok()?;
        let tick = Self(LogTime::from_ms(ms));
        (tick.line() == line.trim_ascii()).then_some(tick)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_tick_is_one_form_of_a_line() {
        let line = Tick(LogTime::from_ms(1_700_000_000_000)).line();
        assert_eq!(line, br#"{"recv_ts_ms":1700000000000,"event_id":"tick"}"#);
        assert_eq!(Tick::parse(b"{\"recv_ts_ms\":7,\"event_id\":\"tick\"}\r"), Some(Tick(LogTime::from_ms(7))));
        for other in [
            r#"{"event_id":"tick","recv_ts_ms":7}"#,
            r#"{"recv_ts_ms":7,"event_id":"tick","ts_ms":1}"#,
            r#"{"recv_ts_ms":+7,"event_id":"tick"}"#,
            r#"{"recv_ts_ms":07,"event_id":"tick"}"#,
            r#"{"recv_ts_ms": 7,"event_id":"tick"}"#,
            r#"{"recv_ts_ms":99999999999999999999,"event_id":"tick"}"#,
            r#"{"recv_ts_ms":,"event_id":"tick"}"#,
            "",
        ] {
            assert_eq!(Tick::parse(other.as_bytes()), None, "{other}");
        }
    }

    proptest! {
        #[test]
        fn every_time_is_read_back(ms: i64) {
            let tick = Tick(LogTime::from_ms(ms));
            prop_assert_eq!(Tick::parse(&tick.line()), Some(tick));
            prop_assert!(crate::Event::parse(&tick.line()).is_err());
        }

        #[test]
        fn any_bytes_are_looked_at(line: Vec<u8>) {
            Tick::parse(&line);
        }
    }
}
