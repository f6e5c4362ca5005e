//! Some minutes of all pairs.

use std::ops::Range;
use std::sync::Arc;

use netqoe_model::{Label, Metric, Network, PairTags, from_thousandths};
use netqoe_sinks::read::{AggregateRecord, Extent, Measure, Names, Pair};

use super::column::Column;

/// Windows in the length of a block. Shorter ones would repeat the pairs more often; of longer ones, more minutes are
/// asked of the store until they are whole.
pub(super) const WINDOWS: u8 = 10;

/// The places of the two percentiles of a metric.
const P50: usize = 0;
const P95: usize = 1;

/// All windows that start within some time, by pair, each pair's in order. Never changed once it is made: after a correction another one takes its place.
#[derive(Debug)]
pub(super) struct Block {
    pub(super) start_ms: i64,
    window_ms: i64,
    /// In order.
    pairs: Box<[PairRows]>,
    /// Which window of the block each row is.
    nth: Box<[u8]>,
    /// What hurts, where something does.
    findings: Box<[Option<Label>]>,
    count_total: Column,
    count_error: Column,
    /// Rows that follow each other, were measured over the same network and have the same labels: pairs of a client mostly have one
    /// network, and no labels.
    alike: Box<[AlikeRows]>,
    /// p50 and p95, in thousandths, in the order of [`Metric::ALL`].
    percentiles: [[Column; 2]; Metric::ALL.len()],
}

#[derive(Debug)]
struct PairRows {
    pair: Pair,
    /// Where the next pair's begin.
    end: u32,
}

#[derive(Debug)]
struct AlikeRows {
    network: Option<Arc<Network>>,
    tags: Option<Arc<PairTags>>,
    /// Where the next ones begin.
    end: u32,
}

impl Block {
    /// Of all rows that start in its time, in any order.
    pub(super) fn of(start_ms: i64, window_ms: i64, mut rows: Vec<AggregateRecord>, names: &mut Names) -> Self {
        rows.sort_unstable_by(|a, b| {
            let key = |row: &AggregateRecord| row.window.start;
            (&a.client_id, &a.target, key(a)).cmp(&(&b.client_id, &b.target, key(b)))
        });
        let mut pairs: Vec<PairRows> = Vec::new();
        for (row, end) in rows.iter().zip(1..) {
            match pairs.last_mut() {
                Some(last) if *last.pair.client_id == *row.client_id && *last.pair.target == *row.target => {
                    last.end = end;
                }
                _ => {
                    pairs.push(PairRows { pair: names.pair(&row.client_id, &row.target), end });
                }
            }
        }
        let alike = alike(&rows, names);
        // A row starts in the block's time, which has fewer windows than a byte can number.
        let nth = |row: &AggregateRecord| ((row.window.start.ms() - start_ms) / window_ms) as u8;
        let column =
            |value: &dyn Fn(&AggregateRecord) -> Option<u64>| Column::of(&rows.iter().map(value).collect::<Vec<_>>());
        Self {
            start_ms,
            window_ms,
            pairs: pairs.into(),
            nth: rows.iter().map(nth).collect(),
            findings: rows.iter().map(|row| row.diagnosis_label.filter(|label| *label != Label::Healthy)).collect(),
            count_total: column(&|row| Some(row.window.count_total().into())),
            count_error: column(&|row| Some(row.window.count_error().into())),
            alike,
            percentiles: std::array::from_fn(|metric| {
                let percentiles = |row: &AggregateRecord| row.window.percentiles[metric];
                [
                    column(&|row| percentiles(row).map(|both| both.p50)),
                    column(&|row| percentiles(row).map(|both| both.p95)),
                ]
            }),
        }
    }

    pub(super) fn end_ms(&self) -> i64 {
        self.start_ms + i64::from(WINDOWS) * self.window_ms
    }

    /// Whether an extent has a part of its time.
    pub(super) fn overlaps(&self, extent: &Extent) -> bool {
        self.start_ms < extent.to_ms && extent.from_ms < self.end_ms()
    }

    /// Shows the rows of an extent: those of each pair, in order, and in several parts where others, without its labels, lie between.
    pub(super) fn show<'a>(&'a self, extent: &'a Extent, mut see: impl FnMut(&'a Pair, Range<usize>)) {
        for (pair, rows) in self.within(extent) {
            // Mostly no label is asked for, and none is looked up.
            if extent.tags.is_empty() {
                see(pair, rows);
                continue;
            }
            for (_, tags, rows) in self.alike(rows) {
                if extent.tags.iter().all(|tag| tag.is_of(tags.map(|tags| &**tags))) {
                    see(pair, rows);
                }
            }
        }
    }

    /// The pairs that an extent names, in order, and the rows of each that lie in its time, whatever their labels.
    fn within<'a>(&'a self, extent: &'a Extent) -> impl Iterator<Item = (&'a Pair, Range<usize>)> {
        let client = extent.client_id.as_deref();
        let first = client.map_or(0, |client| self.pairs.partition_point(|rows| *rows.pair.client_id < *client));
        let last = client
            .map_or(self.pairs.len(), |client| self.pairs.partition_point(|rows| *rows.pair.client_id <= *client));
        let target = extent.target.as_deref();
        (first..last.max(first))
            .filter(move |nth| target.is_none_or(|target| *self.pairs[*nth].pair.target == *target))
            .map(|nth| {
                let begin = nth.checked_sub(1).map_or(0, |before| self.pairs[before].end);
                let all = begin as usize..self.pairs[nth].end as usize;
                (&self.pairs[nth].pair, self.between(all, [extent.from_ms, extent.to_ms]))
            })
            .filter(|(_, rows)| !rows.is_empty())
    }

    /// Those of one pair's rows that start between two times.
    pub(super) fn between(&self, rows: Range<usize>, [from_ms, to_ms]: [i64; 2]) -> Range<usize> {
        if from_ms <= self.start_ms && self.end_ms() <= to_ms {
            return rows;
        }
        let before = |ms: i64| rows.start + self.nth[rows.clone()].partition_point(|nth| self.nth_start_ms(*nth) < ms);
        let (first, last) = (before(from_ms), before(to_ms));
        first..last.max(first)
    }

    /// Some of one pair's rows, apart where their network or their labels change.
    pub(super) fn alike(
        &self,
        rows: Range<usize>,
    ) -> impl Iterator<Item = (Option<&Arc<Network>>, Option<&Arc<PairTags>>, Range<usize>)> {
        let first = self.alike.partition_point(|alike| alike.end as usize <= rows.start);
        let mut start = rows.start;
        self.alike[first..].iter().map_while(move |AlikeRows { network, tags, end }| {
            let part = start..rows.end.min(*end as usize);
            start = part.end;
            (!part.is_empty()).then_some((network.as_ref(), tags.as_ref(), part))
        })
    }

    fn nth_start_ms(&self, nth: u8) -> i64 {
        self.start_ms + i64::from(nth) * self.window_ms
    }

    pub(super) fn row_start_ms(&self, row: usize) -> i64 {
        self.nth_start_ms(self.nth[row])
    }

    pub(super) fn findings(&self, rows: Range<usize>) -> &[Option<Label>] {
        &self.findings[rows]
    }

    pub(super) fn count_total(&self, row: usize) -> u64 {
        self.count_total.get(row).unwrap_or(0)
    }

    pub(super) fn count_error(&self, row: usize) -> u64 {
        self.count_error.get(row).unwrap_or(0)
    }

    /// As the store has it: in milliseconds or Mbit/s.
    pub(super) fn p50(&self, metric: Metric, row: usize) -> Option<f64> {
        self.percentiles[metric as usize][P50].get(row).map(from_thousandths)
    }

    /// As the store has it: in milliseconds or Mbit/s.
    pub(super) fn p95(&self, metric: Metric, row: usize) -> Option<f64> {
        self.percentiles[metric as usize][P95].get(row).map(from_thousandths)
    }

    /// How many of these rows have a value of this measure that lies between the two, both included.
    pub(super) fn count_within(&self, rows: Range<usize>, measure: Measure, [min, max]: [f64; 2]) -> u64 {
        let bounds = min..=max;
        let percentiles = |metric: Metric, place: usize| {
            self.percentiles[metric as usize][place]
                .count(rows.clone(), |value| bounds.contains(&from_thousandths(value)))
        };
        match measure {
            Measure::P50(metric) => percentiles(metric, P50),
            Measure::P95(metric) => percentiles(metric, P95),
            Measure::CountError => self.count_error.count(rows.clone(), |value| bounds.contains(&(value as f64))),
        }
    }

    pub(super) fn windows(&self) -> usize {
        self.nth.len()
    }

    pub(super) fn bytes(&self) -> usize {
        let columns = [&self.count_total, &self.count_error].into_iter().chain(self.percentiles.iter().flatten());
        let figures: usize = columns.map(Column::bytes).sum();
        let flags = size_of_val(&*self.nth) + size_of_val(&*self.findings);
        let alike = size_of_val(&*self.alike) + self.alike.iter().map(AlikeRows::text_bytes).sum::<usize>();
        size_of::<Self>() + size_of_val(&*self.pairs) + flags + figures + alike
    }
}

impl AlikeRows {
    /// Counted for each, though many share their texts: they may be as many as there are rows.
    fn text_bytes(&self) -> usize {
        let names = self.network.iter().flat_map(|network| network.names());
        // Once as the JSON of all, and once for each name and value.
        let labels = self.tags.iter().flat_map(|tags| tags.json());
        names.flatten().map(str::len).sum::<usize>() + 2 * labels.flatten().map(str::len).sum::<usize>()
    }
}

fn alike(rows: &[AggregateRecord], names: &mut Names) -> Box<[AlikeRows]> {
    let mut alike: Vec<AlikeRows> = Vec::new();
    for (row, end) in rows.iter().zip(1..) {
        match alike.last_mut() {
            Some(last) if last.network == row.window.network && last.tags == row.window.tags => last.end = end,
            _ => {
                let network = row.window.network.as_deref().map(|network| names.shared_network(network));
                let tags = row.window.tags.as_deref().map(|tags| names.shared_tags(tags));
                alike.push(AlikeRows { network, tags, end });
            }
        }
    }
    alike.into()
}
