//! Measurements of some time from a log, whosever they are: the newest of them, as many as one answer may read.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use memchr::memmem::Finder;
use netqoe_eventlog::{FoundRecord, LogSearch, Search, SearchLimits};
use netqoe_model::{Event, Partition, Rules};
use netqoe_query::{MeasurementsError, Sample, Sampled};

use crate::measurements::log_times;

/// How long one sample may take, and what it may read and hold: a comparison takes three of them.
const LONGEST: Duration = Duration::from_secs(1);
const MAX_RECORDS: u64 = 50_000;
const MAX_BYTES: u64 = 32 << 20;
const MAX_FOUND_BYTES: usize = 4 << 20;

/// A client's events are in one partition; else all are looked at, each for its share of what is left, so that none crowds the others
/// out.
pub(crate) fn sample(log: &dyn LogSearch, sampled: &Sampled, rules: &Rules) -> Result<Sample, MeasurementsError> {
    let count = log.identity().partitions;
    let partitions: Vec<_> = match &sampled.client_id {
        Some(client_id) => vec![Partition::of(client_id, count)],
        None => (0..count.get()).map(Partition).collect(),
    };
    let until = Instant::now() + LONGEST;
    let mut finder = SampleFinder::new(sampled, rules.max_future_ms);
    let (mut records, mut bytes, mut left) = (MAX_RECORDS, MAX_BYTES, partitions.len() as u64);
    for partition in partitions {
        if Instant::now() >= until {
            finder.sample.is_whole = false;
            break;
        }
        let limits = SearchLimits { records: records / left, bytes: bytes / left, until };
        let times = log_times(sampled.from_ms, sampled.to_ms, rules);
        let room = (MAX_FOUND_BYTES - finder.bytes.min(MAX_FOUND_BYTES)) / usize::try_from(left).unwrap_or(1);
        finder.fills_at = finder.bytes + room;
        let (mut seen_records, mut seen_bytes) = (0, 0);
        let searched = log.search(&Search { partition, times, through: None }, &limits, &mut |record| {
            (seen_records, seen_bytes) = (seen_records + 1, seen_bytes + record.lines.len() as u64);
            finder.look(record)
        });
        let searched = searched.map_err(|error| MeasurementsError::Unavailable(error.to_string()))?;
        finder.sample.is_whole &= searched.rest.is_none();
        finder.sample.kept_since_ms =
            finder.sample.kept_since_ms.max(searched.kept_since.map(netqoe_model::LogTime::ms));
        (records, bytes, left) = (records.saturating_sub(seen_records), bytes.saturating_sub(seen_bytes), left - 1);
    }
    Ok(finder.sample)
}

/// Takes the events that are asked for from records.
struct SampleFinder<'a> {
    sampled: &'a Sampled,
    max_future_ms: i64,
    /// What a line must hold; a name that is written with escapes is found all the same.
    name: Option<Finder<'a>>,
    sample: Sample,
    bytes: usize,
    fills_at: usize,
}

impl<'a> SampleFinder<'a> {
    fn new(sampled: &'a Sampled, max_future_ms: i64) -> Self {
        let name = sampled.client_id.as_deref().or(sampled.target.as_deref());
        let sample = Sample { is_whole: true, ..Sample::default() };
        let name = name.map(|name| Finder::new(name.as_bytes()));
        Self { sampled, max_future_ms, name, sample, bytes: 0, fills_at: 0 }
    }

    fn look(&mut self, record: FoundRecord<'_>) -> ControlFlow<()> {
        for line in record.lines.split(|byte| *byte == b'\n').rev() {
            if !self.is_sought(line, record.log_time.ms()) {
                continue;
            }
            if self.bytes >= self.fills_at {
                self.sample.is_whole = false;
                return ControlFlow::Break(());
            }
            self.bytes += line.len();
            self.sample.lines.push(line.to_vec());
        }
        ControlFlow::Continue(())
    }

    fn is_sought(&self, line: &[u8], log_time_ms: i64) -> bool {
        let may_hold = |name: &Finder<'_>| name.find(line).is_some() || memchr::memchr(b'\\', line).is_some();
        if !self.name.as_ref().is_none_or(may_hold) {
            return false;
        }
        let Ok(event) = Event::parse(line) else { return false };
        let Sampled { client_id, target, from_ms, to_ms } = self.sampled;
        client_id.as_ref().is_none_or(|client_id| event.client_id == *client_id)
            && target.as_ref().is_none_or(|target| event.target == *target)
            && (*from_ms..*to_ms).contains(&event.ts.ms())
            && event.ts.ms().saturating_sub(log_time_ms) <= self.max_future_ms
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use futures::executor::block_on;
    use netqoe_eventlog::{EventLog, SqliteLog, SqliteLogOptions};
    use netqoe_model::LogTime;
    use tempfile::TempDir;

    use super::*;

    const AT_MS: i64 = 600_000;

    fn line(id: usize, client_id: &str, target: &str, ts_ms: i64) -> Vec<u8> {
        format!(
            r#"{{"event_id":"{id}","client_id":"{client_id}","ts_ms":{ts_ms},"target":"{target}","timing_measurements":{{}}}}"#
        )
        .into_bytes()
    }

    /// A log with these lines, each in the partition of its client.
    fn log(lines: Vec<Vec<u8>>) -> (TempDir, SqliteLog) {
        let folder = TempDir::new().unwrap();
        let options = SqliteLogOptions::new(Arc::new(|| LogTime::from_ms(AT_MS)), Arc::default());
        let log = SqliteLog::open(&folder.path().join("netqoe.db"), options).unwrap();
        let partitions = log.identity().partitions;
        let record = |line: Vec<u8>| {
            let partition = Partition::of(&Event::parse(&line).unwrap().client_id, partitions);
            (LogTime::from_ms(AT_MS), vec![(partition, line)])
        };
        block_on(log.import(lines.into_iter().map(record))).unwrap();
        (folder, log)
    }

    fn sampled(client_id: Option<&str>, target: Option<&str>) -> Sampled {
        let (client_id, target) = (client_id.map(str::to_owned), target.map(str::to_owned));
        Sampled { client_id, target, from_ms: AT_MS, to_ms: AT_MS + 60_000 }
    }

    #[test]
    fn measurements_of_all_partitions_are_found_by_client_target_and_time() {
        let clients: Vec<_> = (0..40).map(|number| format!("c{number}")).collect();
        let mut lines: Vec<_> = clients.iter().map(|client| line(1, client, "t", AT_MS + 59_999)).collect();
        lines.extend([line(2, "c1", "u", AT_MS), line(3, "c1", "t", AT_MS - 1), line(4, "c1", "t", AT_MS + 60_000)]);
        let (_folder, log) = log(lines);
        let found = |client, target| {
            let sample = sample(&log, &sampled(client, target), &Rules::default()).unwrap();
            assert!(sample.is_whole);
            sample.lines.len()
        };
        assert_eq!(found(None, None), 41);
        assert_eq!(found(None, Some("t")), 40);
        assert_eq!(found(Some("c1"), None), 2);
        assert_eq!(found(Some("c1"), Some("u")), 1);
        assert_eq!(found(Some("c2"), Some("u")), 0);
    }

    #[test]
    fn a_sample_is_bounded_and_each_partition_has_its_share() {
        let padding = "y".repeat(MAX_FOUND_BYTES / 8);
        let padded = |id: usize, client: &str| {
            let text = String::from_utf8(line(id, client, "t", AT_MS)).unwrap();
            text.replace("{}", &format!("{{}},\"x\":\"{padding}\"")).into_bytes()
        };
        let clients: Vec<_> = (0..40).map(|number| format!("c{number}")).collect();
        let lines = clients.iter().flat_map(|client| (0..2).map(|id| padded(id, client))).collect();
        let (_folder, log) = log(lines);
        let sample = sample(&log, &sampled(None, None), &Rules::default()).unwrap();
        let bytes: usize = sample.lines.iter().map(Vec::len).sum();
        assert!(
            !sample.is_whole && bytes >= MAX_FOUND_BYTES / 2 && bytes <= MAX_FOUND_BYTES + padding.len() + 200,
            "{bytes}"
        );
    }
}
