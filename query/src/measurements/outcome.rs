//! What has become of an event: whether its window counts it.

use std::collections::HashSet;

use netqoe_model::{Event, LogTime, Rules, WindowStart};
use serde::Serialize;

use super::FoundEvent;
use super::corrected::CorrectedWindows;

/// Whether the row of its window counts an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Outcome {
    Accepted,
    Duplicate,
    Late,
}

/// The windows of events and what has become of them, as the dataflow decides it: by the log, and of what came late by the corrections that
/// rows reflect. An event is a copy if the log has an older one of its id in the window, so that is exact where all of the window is found.
pub(super) fn outcomes(
    newest_first: &[(&FoundEvent, Event<'_>)],
    corrected: &CorrectedWindows,
    rules: &Rules,
) -> Vec<(WindowStart, Outcome)> {
    let mut counted = HashSet::new();
    let mut outcomes: Vec<_> = newest_first
        .iter()
        .rev()
        .map(|(found, event)| {
            let window = event.ts.window(rules.window_ms);
            let key = (window, &event.client_id, &event.target, &event.event_id);
            let log_time = LogTime::from_ms(found.log_time_ms);
            let outcome = if rules.is_late(event.ts, log_time) && !corrected.reflect(event, window, log_time) {
                Outcome::Late
            } else if counted.insert(key) {
                Outcome::Accepted
            } else {
                Outcome::Duplicate
            };
            (window, outcome)
        })
        .collect();
    outcomes.reverse();
    outcomes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measurements::Place;

    const MINUTE_MS: i64 = 60_000;

    fn found(position: u64, id: &str, target: &str, ts_ms: i64, log_time_ms: i64) -> FoundEvent {
        let line = format!(
            r#"{{"event_id":"{id}","client_id":"c","ts_ms":{ts_ms},"target":"{target}","timing_measurements":{{}}}}"#
        );
        FoundEvent { place: Place { position, line: 0 }, log_time_ms, line: line.into_bytes() }
    }

    #[test]
    fn the_document_knows_each_outcome() {
        let written = [Outcome::Accepted, Outcome::Duplicate, Outcome::Late].map(|outcome| serde_json::json!(outcome));
        assert_eq!(written, crate::schema::MEASUREMENT_OUTCOMES.map(serde_json::Value::from));
    }

    #[test]
    fn late_comes_first_and_the_oldest_copy_counts() {
        let last_moment = 3 * MINUTE_MS;
        let oldest_first = [
            (found(1, "a", "t", 5, 10), Outcome::Accepted),
            (found(2, "a", "u", 5, 10), Outcome::Accepted),
            (found(3, "a", "t", MINUTE_MS, 10), Outcome::Accepted),
            (found(4, "a", "t", 6, 20), Outcome::Duplicate),
            (found(5, "b", "t", 7, last_moment + 1), Outcome::Late),
            (found(6, "b", "t", MINUTE_MS + 7, last_moment + 1), Outcome::Accepted),
            (found(7, "a", "t", 7, last_moment + 1), Outcome::Late),
        ];
        let newest_first: Vec<_> =
            oldest_first.iter().rev().map(|(found, _)| (found, Event::parse(&found.line).unwrap())).collect();
        let outcomes = outcomes(&newest_first, &CorrectedWindows::default(), &Rules::default());
        let expected: Vec<_> = oldest_first.iter().rev().map(|(_, outcome)| *outcome).collect();
        assert_eq!(outcomes.iter().map(|(_, outcome)| *outcome).collect::<Vec<_>>(), expected);
        assert_eq!(outcomes[4].0.ms(), MINUTE_MS);
    }
}
