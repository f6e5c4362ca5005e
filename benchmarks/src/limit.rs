//! `netqoe bench limit`: what one core can do at most at turning a log into rows, so that others can be held against it.
//!
//! It does what `bench peers` asks of everyone and nothing else: no baselines, no diagnoses, no store, no start where it has stopped. Events are netqoe's
//! own; the rest is one vector for each open window, sorted once when it closes.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Write};

use anyhow::{Context, ensure};
use hashbrown::HashMap;
use netqoe_model::{ErrorStage, Event, Rules, Samples, WindowStart};
use uuid::Uuid;

use crate::options::BenchLimitOptions;

/// One read or write of so much.
const BUFFER_BYTES: usize = 1 << 20;

pub(crate) fn run(options: &BenchLimitOptions) -> anyhow::Result<()> {
    let BenchLimitOptions { input, output } = options;
    let events = File::open(input).with_context(|| format!("can't open {}", input.display()))?;
    let cant_write = || format!("can't write {}", output.display());
    let rows = File::create(output).with_context(cant_write)?;
    let mut rows = BufWriter::with_capacity(BUFFER_BYTES, rows);
    write_rows(BufReader::with_capacity(BUFFER_BYTES, events), &mut rows)?;
    rows.flush().with_context(cant_write)
}

/// The rows of a log, as CSV without a header: client, target, start of the minute, successes, errors by stage, and p50 and p95 of each metric.
fn write_rows(mut events: impl BufRead, rows: &mut impl Write) -> anyhow::Result<()> {
    let mut windows = Windows::default();
    let mut line = Vec::new();
    while events.read_until(b'\n', &mut line)? > 0 {
        let event = Event::parse(line.trim_ascii_end()).context("the log has a line that is no event")?;
        windows.count(&event, rows)?;
        line.clear();
    }
    windows.close_before(WindowStart::from_ms(i64::MAX), rows)
}

#[derive(Default)]
struct Windows {
    rules: Rules,
    log_time_ms: i64,
    pairs: Pairs,
    open: BTreeMap<WindowStart, Vec<Counted>>,
}

/// What a row needs to know of an event.
struct Counted {
    pair: u32,
    id: Uuid,
    error_stage: Option<ErrorStage>,
    samples: Samples,
}

impl Windows {
    fn count(&mut self, event: &Event<'_>, rows: &mut impl Write) -> anyhow::Result<()> {
        let window = event.ts.window(self.rules.window_ms);
        self.log_time_ms = self.log_time_ms.max(event.time_in_file().ms());
        if self.log_time_ms > self.rules.closes_after(window).ms() {
            return Ok(());
        }
        let id = Uuid::try_parse(&event.event_id).context("an event's id is no UUID, and the limit knows no others")?;
        let pair = self.pairs.number(&event.client_id, &event.target)?;
        let counted = Counted { pair, id, error_stage: event.error_stage, samples: event.samples };
        let longest_open_ms = self.rules.window_ms + self.rules.lateness_ms;
        self.open.entry(window).or_default().push(counted);
        self.close_before(WindowStart::from_ms(self.log_time_ms - longest_open_ms), rows)
    }

    /// Writes the windows that start before this time. No event of theirs can come any more.
    fn close_before(&mut self, first_open: WindowStart, rows: &mut impl Write) -> anyhow::Result<()> {
        while let Some(window) = self.open.first_entry().filter(|window| *window.key() < first_open) {
            let (start, mut events) = window.remove_entry();
            // A stable sort, so that the first copy of an event is the one that counts.
            events.sort_by_key(|event| (event.pair, event.id));
            events.dedup_by_key(|event| (event.pair, event.id));
            for of_pair in events.chunk_by(|a, b| a.pair == b.pair) {
                write!(rows, "{},{start}", self.pairs.name(of_pair[0].pair))?;
                write_figures(of_pair, rows)?;
                rows.write_all(b"\n")?;
            }
        }
        Ok(())
    }
}

/// Pairs by their names, which are as rows begin: `client,target`.
#[derive(Default)]
struct Pairs {
    numbers: HashMap<Box<str>, u32>,
    names: Vec<Box<str>>,
    name: String,
}

impl Pairs {
    fn number(&mut self, client: &str, target: &str) -> anyhow::Result<u32> {
        self.name.clear();
        self.name.extend([client, ",", target]);
        if let Some(number) = self.numbers.get(&*self.name) {
            return Ok(*number);
        }
        let is_plain = |text: &str| !text.contains([',', '"', '\r', '\n']);
        ensure!(is_plain(client) && is_plain(target), "the limit quotes nothing, and {} would need it", self.name);
        let number = u32::try_from(self.names.len())?;
        self.numbers.insert(self.name.as_str().into(), number);
        self.names.push(self.name.as_str().into());
        Ok(number)
    }

    fn name(&self, number: u32) -> &str {
        &self.names[number as usize]
    }
}

/// Counts and percentiles, each behind a comma.
fn write_figures(events: &[Counted], rows: &mut impl Write) -> io::Result<()> {
    let mut number = itoa::Buffer::new();
    let mut write_field = |field: Option<u64>| {
        rows.write_all(b",")?;
        rows.write_all(field.map_or("", |field| number.format(field)).as_bytes())
    };
    let successes = || events.iter().filter(|event| event.error_stage.is_none());
    let mut samples = Vec::new();
    write_field(Some(successes().count() as u64))?;
    for stage in ErrorStage::ALL {
        write_field(Some(events.iter().filter(|event| event.error_stage == Some(stage)).count() as u64))?;
    }
    for metric in 0..Samples::default().len() {
        samples.clear();
        samples.extend(successes().filter_map(|event| event.samples[metric]));
        samples.sort_unstable();
        write_field(nearest_rank(&samples, 50))?;
        write_field(nearest_rank(&samples, 95))?;
    }
    Ok(())
}

/// The sample at rank ⌈q·n⌉.
fn nearest_rank(sorted: &[u64], percent: usize) -> Option<u64> {
    let rank = (percent * sorted.len()).div_ceil(100);
    sorted.get(rank.checked_sub(1)?).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(id: u128, ts_ms: i64, recv_ms: i64, dns_ms: f64, error: &str) -> String {
        let id = Uuid::from_u128(id);
        format!(
            r#"{{"event_id":"{id}","client_id":"c","ts_ms":{ts_ms},"target":"t","timing_measurements":{{"dns_ms":{dns_ms}}},"error_stage":{error},"recv_ts_ms":{recv_ms}}}"#
        )
    }

    fn rows(events: &[String]) -> String {
        let mut rows = Vec::new();
        write_rows(events.join("\n").as_bytes(), &mut rows).unwrap();
        String::from_utf8(rows).unwrap()
    }

    #[test]
    fn a_row_counts_what_the_semantics_say() {
        let events = [
            event(1, 60_001, 60_001, 3.0, "null"),
            event(2, 60_002, 60_002, 1.0, "null"),
            event(2, 60_002, 60_003, 1.0, "null"),
            event(3, 60_003, 60_003, 9.0, r#""tls""#),
            event(4, 119_999, 240_000, 2.0005, "null"),
            event(5, 119_999, 240_001, 9.0, "null"),
            event(6, 180_000, 240_001, 4.0, r#""dns""#),
        ];
        let nothing = ",".repeat(8);
        assert_eq!(
            rows(&events),
            format!("c,t,60000,3,0,0,1,0,0,2001,3000{nothing}\nc,t,180000,0,1,0,0,0,0,,{nothing}\n")
        );
    }

    #[test]
    fn a_percentile_is_the_sample_at_the_nearest_rank() {
        let sorted: Vec<_> = (1..=20).collect();
        assert_eq!(nearest_rank(&sorted, 50), Some(10));
        assert_eq!(nearest_rank(&sorted, 95), Some(19));
        assert_eq!(nearest_rank(&sorted[..3], 50), Some(2));
        assert_eq!(nearest_rank(&sorted[..1], 95), Some(1));
        assert_eq!(nearest_rank(&[], 50), None);
    }
}
