//! Single measurements for people, found in the log that the rows were made from.
//!
//! A question is about one client and some minutes. Where their events may lie follows from the rules: an event is ahead of the log
//! by no more than is allowed, and counts until its window is closed, or until the log time that a corrected row reflects. So only records of
//! those log times are looked at, of the client's partition alone, newest first and no more than a bound for one answer.
//!
//! Decision: D-100.

use std::ops::{ControlFlow, Range};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::FutureExt;
use futures::future::BoxFuture;
use memchr::memmem::Finder;
use netqoe_eventlog::{FoundRecord, LogSearch, Search, SearchLimits};
use netqoe_model::{Event, EventTime, LogTime, MAX_TIME_MS, Partition, Position, Rules};
use netqoe_query::{Found, FoundEvent, Measurements, MeasurementsError, Place, Sample, Sampled, Sought};
use tokio::sync::Semaphore;

use crate::sampled::sample;

/// Questions that are answered at once: those who compute and append need the processors and the disk, too.
const TOGETHER: usize = 2;
/// How long one question may wait for its turn, and then read. People wait no longer, and a snapshot of the embedded log is not held
/// for longer, since its file can't be tidied up meanwhile.
const PATIENCE: Duration = Duration::from_secs(2);
/// Records of one partition that one answer looks at: those of some hours of a small log, or of the busiest minutes of a large one.
const MAX_RECORDS: u64 = 100_000;
/// Bytes of them: a tenth of a second's work, once they are in memory.
const MAX_BYTES: u64 = 64 << 20;
/// Bytes of events that one answer may hold.
const MAX_FOUND_BYTES: usize = 8 << 20;

/// Finds measurements in a log whose rows were made by these rules.
pub struct LogMeasurements {
    log: Arc<dyn LogSearch>,
    rules: Rules,
    places: Arc<Semaphore>,
}

impl LogMeasurements {
    /// Of this log, by these rules.
    pub fn new(log: Arc<dyn LogSearch>, rules: Rules) -> Self {
        Self { log, rules, places: Arc::new(Semaphore::new(TOGETHER)) }
    }

    /// Reads the log once it is this question's turn.
    async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&dyn LogSearch) -> Result<T, MeasurementsError> + Send + 'static,
    ) -> Result<T, MeasurementsError> {
        let place = tokio::time::timeout(PATIENCE, Arc::clone(&self.places).acquire_owned());
        let Ok(Ok(place)) = place.await else { return Err(MeasurementsError::Busy) };
        let log = Arc::clone(&self.log);
        let found = tokio::task::spawn_blocking(move || {
            // Until the work is done, also where nobody waits for it any more.
            let _place = place;
            read(&*log)
        });
        found.await.map_err(|_| MeasurementsError::Unavailable("the search was given up".to_owned()))?
    }
}

impl Measurements for LogMeasurements {
    fn find(&self, sought: Sought) -> BoxFuture<'_, Result<Found, MeasurementsError>> {
        let mut times = log_times(sought.from_ms, sought.to_ms, &self.rules);
        let late_until = sought.late_until_ms.map(|ms| LogTime::from_ms(ms.saturating_add(1)));
        times.end = times.end.max(late_until.unwrap_or_default());
        let max_future_ms = self.rules.max_future_ms;
        self.read(move |log| find(log, &sought, times, max_future_ms)).boxed()
    }

    fn sample(&self, sampled: Sampled) -> BoxFuture<'_, Result<Sample, MeasurementsError>> {
        let rules = self.rules.clone();
        self.read(move |log| sample(log, &sampled, &rules)).boxed()
    }
}

/// When the log may have taken events of the time that is asked for, if they count.
pub(crate) fn log_times(from_ms: i64, to_ms: i64, rules: &Rules) -> Range<LogTime> {
    let last = EventTime::from_ms(to_ms.clamp(1, MAX_TIME_MS) - 1).window(rules.window_ms);
    let first_ms = from_ms.saturating_sub(rules.max_future_ms);
    LogTime::from_ms(first_ms)..LogTime::from_ms(rules.closes_after(last).ms().saturating_add(1))
}

fn find(
    log: &dyn LogSearch,
    sought: &Sought,
    times: Range<LogTime>,
    max_future_ms: i64,
) -> Result<Found, MeasurementsError> {
    let partition = Partition::of(&sought.client_id, log.identity().partitions);
    let through = sought.before.and_then(last_record);
    if sought.before.is_some() && through.is_none() {
        // Nothing is before the first record.
        return Ok(Found::default());
    }
    let search = Search { partition, times, through };
    let limits = SearchLimits { records: MAX_RECORDS, bytes: MAX_BYTES, until: Instant::now() + PATIENCE };
    let mut finder = EventFinder::new(sought, max_future_ms);
    let searched = log.search(&search, &limits, &mut |record| finder.look(record));
    let searched = searched.map_err(|error| MeasurementsError::Unavailable(error.to_string()))?;
    // What is before the first line of the record after it.
    let rest = searched.rest.map(|rest| Place { position: rest.0.saturating_add(1), line: 0 });
    Ok(Found {
        rest: finder.stopped_at.or(rest),
        events: finder.events,
        kept_since_ms: searched.kept_since.map(LogTime::ms),
    })
}

/// The newest record that has lines before a place; none if there is none.
fn last_record(before: Place) -> Option<Position> {
    let position = if before.line == 0 { before.position.checked_sub(1)? } else { before.position };
    (position > 0).then_some(Position(position))
}

/// Takes the events that are asked for from records.
struct EventFinder<'a> {
    sought: &'a Sought,
    max_future_ms: i64,
    client_id: Finder<'a>,
    events: Vec<FoundEvent>,
    bytes: usize,
    /// Where it had enough, within a record.
    stopped_at: Option<Place>,
}

impl<'a> EventFinder<'a> {
    fn new(sought: &'a Sought, max_future_ms: i64) -> Self {
        let client_id = Finder::new(sought.client_id.as_bytes());
        Self { sought, max_future_ms, client_id, events: Vec::new(), bytes: 0, stopped_at: None }
    }

    fn look(&mut self, record: FoundRecord<'_>) -> ControlFlow<()> {
        let position = record.position.0;
        let lines: Vec<_> = record.lines.split(|byte| *byte == b'\n').collect();
        for (index, text) in lines.into_iter().enumerate().rev() {
            let place = Place { position, line: u32::try_from(index).unwrap_or(u32::MAX) };
            if self.sought.before.is_some_and(|before| place >= before) || !self.is_sought(text, record.log_time) {
                continue;
            }
            self.events.push(FoundEvent { place, log_time_ms: record.log_time.ms(), line: text.to_vec() });
            self.bytes += text.len();
            if self.bytes >= MAX_FOUND_BYTES {
                self.stopped_at = Some(place);
                return ControlFlow::Break(());
            }
        }
        ControlFlow::Continue(())
    }

    fn is_sought(&self, line: &[u8], log_time: LogTime) -> bool {
        // Most lines are other clients', and need not be read for that. An escape may hide a name.
        if self.client_id.find(line).is_none() && memchr::memchr(b'\\', line).is_none() {
            return false;
        }
        let Ok(event) = Event::parse(line) else { return false };
        let Sought { client_id, target, from_ms, to_ms, .. } = self.sought;
        event.client_id == *client_id
            && target.as_ref().is_none_or(|target| event.target == *target)
            && (*from_ms..*to_ms).contains(&event.ts.ms())
            // What is further ahead is no event, but a dead letter.
            && event.ts.ms().saturating_sub(log_time.ms()) <= self.max_future_ms
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU16;

    use futures::executor::block_on;
    use netqoe_eventlog::{SqliteLog, SqliteLogOptions};
    use tempfile::TempDir;

    use super::*;

    const WINDOW_MS: i64 = 600_000;

    /// A log of one partition, in which clients are told apart by their events alone.
    struct Bench {
        _folder: TempDir,
        log: SqliteLog,
    }

    impl Bench {
        fn new() -> Self {
            let folder = TempDir::new().unwrap();
            let clock = Arc::new(|| LogTime::from_ms(1));
            let options =
                SqliteLogOptions { partitions: NonZeroU16::MIN, ..SqliteLogOptions::new(clock, Arc::default()) };
            let log = SqliteLog::open(&folder.path().join("netqoe.db"), options).unwrap();
            Self { _folder: folder, log }
        }

        /// Appends records, each at a time.
        fn import(&self, records: Vec<(i64, Vec<String>)>) {
            let record = |(log_time_ms, lines): (i64, Vec<String>)| {
                let lines = lines.into_iter().map(|line| (Partition(0), line.into_bytes())).collect();
                (LogTime::from_ms(log_time_ms), lines)
            };
            block_on(self.log.import(records.into_iter().map(record))).unwrap();
        }

        fn find(&self, sought: &Sought) -> Found {
            let measurements = LogMeasurements::new(Arc::new(self.log.clone()), Rules::default());
            let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
            runtime.block_on(measurements.find(sought.clone())).unwrap()
        }
    }

    fn event(id: &str, client_id: &str, target: &str, ts_ms: i64) -> String {
        format!(
            r#"{{"event_id":"{id}","client_id":"{client_id}","ts_ms":{ts_ms},"target":"{target}","timing_measurements":{{}}}}"#
        )
    }

    /// Of the first window.
    fn sought(client_id: &str, target: Option<&str>) -> Sought {
        Sought {
            client_id: client_id.to_owned(),
            target: target.map(str::to_owned),
            from_ms: WINDOW_MS,
            to_ms: WINDOW_MS + 60_000,
            before: None,
            late_until_ms: None,
        }
    }

    fn ids(found: &Found) -> Vec<String> {
        found.events.iter().map(|found| Event::parse(&found.line).unwrap().event_id.into_owned()).collect()
    }

    #[test]
    fn all_events_of_the_window_are_found_and_no_others() {
        let bench = Bench::new();
        let own = |id, ts_ms| event(id, "c", "t", ts_ms);
        bench.import(vec![
            (WINDOW_MS - 300_000, vec![own("ahead", WINDOW_MS), own("too far ahead", WINDOW_MS + 1)]),
            (
                WINDOW_MS,
                vec![own("before", WINDOW_MS - 1), event("other", "d", "t", WINDOW_MS), own("first", WINDOW_MS)],
            ),
            (
                WINDOW_MS + 9,
                vec![
                    event("elsewhere", "c", "u", WINDOW_MS + 1),
                    "no JSON, and c".to_owned(),
                    own("second", WINDOW_MS + 59_999).replace("\"c\"", "\"\\u0063\""),
                    own("after", WINDOW_MS + 60_000),
                ],
            ),
            (WINDOW_MS + 180_000, vec![own("in time", WINDOW_MS + 5)]),
            (WINDOW_MS + 180_001, vec![own("late", WINDOW_MS + 5)]),
        ]);
        let found = bench.find(&sought("c", Some("t")));
        assert_eq!(ids(&found), ["in time", "second", "first", "ahead"]);
        let times: Vec<_> = found.events.iter().map(|found| found.log_time_ms - WINDOW_MS).collect();
        assert_eq!(times, [180_000, 9, 0, -300_000]);
        assert_eq!((found.rest, found.kept_since_ms), (None, None));
        assert_eq!(ids(&bench.find(&sought("c", None))), ["in time", "second", "elsewhere", "first", "ahead"]);
        let late = |log_ms: i64| ids(&bench.find(&Sought { late_until_ms: Some(log_ms), ..sought("c", Some("t")) }));
        assert_eq!(late(WINDOW_MS + 180_001), ["late", "in time", "second", "first", "ahead"]);
        assert_eq!(late(WINDOW_MS + 180_000), ["in time", "second", "first", "ahead"]);
        assert_eq!(late(0), ["in time", "second", "first", "ahead"]);
        assert_eq!(ids(&bench.find(&sought("d", None))), ["other"]);
        for nobody in ["", "e", "no JSON", "\\u0063", "\""] {
            assert_eq!(bench.find(&sought(nobody, None)), Found::default(), "{nobody}");
        }
    }

    #[test]
    fn any_range_is_looked_for() {
        let bench = Bench::new();
        bench.import(vec![(WINDOW_MS, vec![event("a", "c", "t", WINDOW_MS)])]);
        let ends = [i64::MIN, -1, 0, 1, WINDOW_MS, WINDOW_MS + 1, MAX_TIME_MS, i64::MAX];
        for from_ms in ends {
            for to_ms in ends {
                let found = bench.find(&Sought { from_ms, to_ms, ..sought("c", None) });
                let expected = usize::from((from_ms..to_ms).contains(&WINDOW_MS));
                assert_eq!(found.events.len(), expected, "{from_ms} to {to_ms}");
            }
        }
    }

    #[test]
    fn each_place_is_gone_on_from() {
        let bench = Bench::new();
        let lines = |record: i64| (0..3).map(|line| event(&format!("{record}-{line}"), "c", "t", WINDOW_MS)).collect();
        bench.import((0..4).map(|record| (WINDOW_MS + record, lines(record))).collect());
        let all = bench.find(&sought("c", None));
        assert_eq!(all.events.len(), 12);
        for (index, found) in all.events.iter().enumerate() {
            let rest = bench.find(&Sought { before: Some(found.place), ..sought("c", None) });
            assert_eq!(rest.events, all.events[index + 1..], "{:?}", found.place);
        }
        for (position, line, left) in [(0, 0, 0), (0, u32::MAX, 0), (1, 0, 0), (u64::MAX, u32::MAX, 12)] {
            let before = Some(Place { position, line });
            assert_eq!(bench.find(&Sought { before, ..sought("c", None) }).events.len(), left);
        }
    }

    #[test]
    fn an_answer_is_bounded_and_the_next_one_goes_on() {
        let bench = Bench::new();
        let padded = |id: usize| {
            event(&id.to_string(), "c", "t", WINDOW_MS)
                .replace("{}", &format!("{{}},\"x\":\"{}\"", "y".repeat(1 << 20)))
        };
        bench.import((0..5).map(|n| (WINDOW_MS + n, (0..4).map(|m| padded(4 * n as usize + m)).collect())).collect());
        let (mut all, mut before, mut answers) = (Vec::new(), None, 0);
        loop {
            let found = bench.find(&Sought { before, ..sought("c", None) });
            let bytes: usize = found.events.iter().map(|found| found.line.len()).sum();
            assert!(bytes <= MAX_FOUND_BYTES + (1 << 20) + 200, "{bytes}");
            all.extend(ids(&found));
            answers += 1;
            before = found.rest;
            if before.is_none() {
                break;
            }
        }
        assert_eq!(all, (0..20).rev().map(|id| id.to_string()).collect::<Vec<_>>());
        assert_eq!(answers, 3);
    }

    #[test]
    fn a_third_question_waits_for_its_turn() {
        let bench = Bench::new();
        let measurements = LogMeasurements::new(Arc::new(bench.log), Rules::default());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        let places = Arc::clone(&measurements.places);
        runtime.block_on(async {
            let taken = places.acquire_many(TOGETHER as u32).await.unwrap();
            assert_eq!(measurements.find(sought("c", None)).await, Err(MeasurementsError::Busy));
            drop(taken);
            assert_eq!(measurements.find(sought("c", None)).await, Ok(Found::default()));
        });
    }
}
