//! The pairs that are computed again, and the lines that are theirs.

use std::collections::HashMap;
use std::sync::Arc;

use memchr::memchr;
use memchr::memmem::{Finder, find_iter};
use netqoe_model::{Event, LogTime, Position, Rules, WaitingCorrection, WindowStart};
use netqoe_sinks::PairBefore;

/// A pair that is computed again.
pub(super) struct SoughtPair {
    pub(super) client_id: Arc<str>,
    pub(super) target: Arc<str>,
    /// The first window that changes.
    pub(super) from: WindowStart,
    /// The first window that is computed: the first that was open when the log came to `from`, since looks see it together with `from`.
    pub(super) first: WindowStart,
    /// The first record with an event that waits.
    pub(super) since: Position,
}

/// All of them.
pub(super) struct Sought {
    pub(super) pairs: Vec<SoughtPair>,
    /// By client, then by target: its place in `pairs`.
    places: HashMap<Arc<str>, HashMap<Arc<str>, usize>>,
    client_key: Finder<'static>,
}

impl Sought {
    pub(super) fn new(waiting: Vec<WaitingCorrection>, rules: &Rules) -> Self {
        let mut places: HashMap<Arc<str>, HashMap<Arc<str>, usize>> = HashMap::new();
        let mut pairs = Vec::with_capacity(waiting.len());
        for WaitingCorrection { client_id, target, from, since, .. } in waiting {
            places.entry(Arc::clone(&client_id)).or_default().insert(Arc::clone(&target), pairs.len());
            let first = rules.first_open(LogTime::from_ms(from.ms()));
            pairs.push(SoughtPair { client_id, target, from, first, since });
        }
        Self { pairs, places, client_key: Finder::new(br#""client_id""#) }
    }

    /// The first window of any of them that changes.
    pub(super) fn from(&self) -> WindowStart {
        self.pairs.iter().map(|pair| pair.from).min().unwrap_or_default()
    }

    /// No event of theirs was taken by the log before this time that counts in a window that is computed.
    pub(super) fn reads_from(&self, rules: &Rules) -> LogTime {
        let first = self.pairs.iter().map(|pair| pair.first).min().unwrap_or_default();
        LogTime::from_ms(first.ms() - rules.max_future_ms)
    }

    /// Before which window the past of each is wanted.
    pub(super) fn before(&self) -> Vec<PairBefore> {
        let before = |pair: &SoughtPair| PairBefore {
            client_id: Arc::clone(&pair.client_id),
            target: Arc::clone(&pair.target),
            before: pair.first,
        };
        self.pairs.iter().map(before).collect()
    }

    pub(super) fn place_of(&self, client_id: &str, target: &str) -> Option<usize> {
        self.places.get(client_id)?.get(target).copied()
    }

    /// The event of a line, if it is of one of the pairs, with the place of that.
    pub(super) fn event<'a>(&self, line: &'a [u8], log_time: LogTime, rules: &Rules) -> Option<(usize, Event<'a>)> {
        if !self.may_be_sought(line) {
            return None;
        }
        let event = Event::parse(line).ok()?;
        let place = self.place_of(&event.client_id, &event.target)?;
        // What is further ahead is no event, but a dead letter.
        let is_event = event.ts.ms().saturating_sub(log_time.ms()) <= rules.max_future_ms;
        is_event.then_some((place, event))
    }

    /// Whether an event of a pair counts in a window that is computed.
    pub(super) fn is_computed(&self, place: usize, event: &Event<'_>, rules: &Rules) -> bool {
        event.ts.window(rules.window_ms) >= self.pairs[place].first
    }

    /// Whether a line may be one of theirs, told without parsing it: most are of other clients. An escape may hide a name, and a name may
    /// stand in another object, so only a line that names other clients everywhere is none of theirs.
    fn may_be_sought(&self, line: &[u8]) -> bool {
        if memchr(b'\\', line).is_some() {
            return true;
        }
        let mut names_another = false;
        for at in self.client_key.find_iter(line) {
            let value = line[at + self.client_key.needle().len()..].strip_prefix(br#":""#);
            let Some((value, end)) = value.and_then(|value| Some((value, memchr(b'"', value)?))) else { return true };
            let is_sought = std::str::from_utf8(&value[..end]).is_ok_and(|name| self.places.contains_key(name));
            if is_sought {
                return true;
            }
            names_another = true;
        }
        !names_another
    }
}

/// Lines of a record that are not empty, each with its number.
pub(super) fn lines_of(record: &[u8]) -> impl Iterator<Item = (u32, &[u8])> {
    let ends = find_iter(record, b"\n").chain([record.len()]);
    let mut start = 0;
    let lines = ends.map(move |end| {
        let line = record.get(start..end).unwrap_or_default();
        start = end + 1;
        line
    });
    (0..).zip(lines).filter(|(_, line)| !line.trim_ascii().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sought() -> Sought {
        let waiting = |client_id: &str, from_ms| WaitingCorrection {
            client_id: client_id.into(),
            target: "t".into(),
            from: WindowStart::from_ms(from_ms),
            since: Position(1),
            events: 1,
        };
        Sought::new(vec![waiting("a", 600_000), waiting("é", 300_000)], &Rules::default())
    }

    fn place(line: &str) -> Option<usize> {
        let (sought, rules) = (sought(), Rules::default());
        let found = sought.event(line.as_bytes(), LogTime::from_ms(900_000), &rules);
        found.filter(|(place, event)| sought.is_computed(*place, event, &rules)).map(|(place, _)| place)
    }

    #[test]
    fn lines_of_the_pairs_are_found_however_they_are_written() {
        let line = |client: &str, more: &str| {
            format!(r#"{{{more}"event_id":"e",{client},"ts_ms":700000,"target":"t","timing_measurements":{{}}}}"#)
        };
        assert_eq!(place(&line(r#""client_id":"a""#, "")), Some(0));
        assert_eq!(place(&line(r#""client_id" : "a""#, "")), Some(0));
        assert_eq!(place(&line(r#""client\u005fid":"\u0061""#, "")), Some(0));
        assert_eq!(place(&line(r#""client_id":"é""#, "")), Some(1));
        assert_eq!(place(&line(r#""client_id":"a""#, r#""network_context":{"client_id":"b"},"#)), Some(0));
        assert_eq!(place(&line(r#""client_id":"b""#, r#""network_context":{"client_id":"a"},"#)), None);
        assert_eq!(place(&line(r#""client_id":"b""#, "")), None);
    }

    #[test]
    fn only_events_of_windows_that_are_computed_are_found() {
        let line = |ts_ms: i64| {
            format!(r#"{{"event_id":"e","client_id":"a","ts_ms":{ts_ms},"target":"t","timing_measurements":{{}}}}"#)
        };
        // The window from 600 s on changes; when the log came to it, those from 420 s on were open.
        assert_eq!(sought().pairs[0].first, WindowStart::from_ms(420_000));
        assert_eq!(place(&line(420_000)), Some(0));
        assert_eq!(place(&line(419_999)), None);
        assert_eq!(place(&line(1_200_000)), Some(0));
        assert_eq!(place(&line(1_200_001)), None, "it is too far ahead");
        assert_eq!(sought().reads_from(&Rules::default()), LogTime::from_ms(120_000 - 300_000));
    }

    #[test]
    fn lines_have_their_numbers() {
        let lines: Vec<_> = lines_of(b"a\n \nb\n").collect();
        assert_eq!(lines, [(0, &b"a"[..]), (2, &b"b"[..])]);
        assert_eq!(lines_of(b"").count(), 0);
    }
}
