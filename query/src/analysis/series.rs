//! The chart of one pair.

use std::collections::{HashMap, HashSet};

use netqoe_dataflow::judge::UsualRanges;
use netqoe_model::{ErrorStage, Label, Metric, Rules, Severity, TagValue, WindowRow, from_thousandths};
use netqoe_sinks::read::point::{maximum, minimum, start_ms};
use netqoe_sinks::read::{DiagnosisRecord, Rows};
use serde::Serialize;
use utoipa::ToSchema;

use super::asked::Scope;
use super::band::{UsualColumns, judged_by};
use super::history::{self, PairHistory};
use super::points::length_ms;
use crate::answer::{DiagnosisItem, Refusal};
use crate::schema;

/// Diagnoses that are listed, the newest.
const MAX_DIAGNOSES: usize = 500;

/// The windows of one pair in points: columns, of which each has a value for each point with a window. Where a point
/// stands for several windows, a latency is the greatest of theirs, a throughput the least, a count their sum, a label
/// the most severe, what is usual that of the last window; percentiles are never averaged.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(crate) struct Series {
    /// Length of a window.
    window_ms: i64,
    /// Length of a point.
    point_ms: i64,
    /// `maximum`.
    latency: &'static str,
    /// `minimum`.
    throughput: &'static str,
    /// Where each point begins, Unix milliseconds; whole multiples of `point_ms`. Points without a window are left out.
    start: Vec<i64>,
    /// How many windows it has.
    windows: Vec<u64>,
    count_total: Vec<u64>,
    count_error: Vec<u64>,
    /// Failed events by stage.
    errors: ByStage,
    /// ms, Mbit/s for throughput.
    p50: ByMetric,
    /// ms, Mbit/s for throughput.
    p95: ByMetric,
    /// What was usual as the window was judged.
    usual: UsualBand,
    #[schema(value_type = Vec<Option<schema::Label>>)]
    labels: Vec<Option<Label>>,
    #[schema(value_type = Vec<Option<schema::Severity>>)]
    severities: Vec<Option<Severity>>,
    /// Whether all of its windows are final: only a correction changes them.
    is_final: Vec<bool>,
    /// The log time of the last correction of one of its windows, Unix milliseconds: then a measurement was counted that came after
    /// the window was final. Null where there was none.
    corrected_at: Vec<Option<i64>>,
    /// Newest first, up to 500.
    diagnoses: Vec<DiagnosisItem>,
}

/// A column for each stage.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(crate) struct ByStage {
    dns: Vec<u64>,
    tcp: Vec<u64>,
    tls: Vec<u64>,
    http: Vec<u64>,
    throughput: Vec<u64>,
}

/// A column for each metric.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(crate) struct ByMetric {
    dns: Vec<Option<f64>>,
    tcp: Vec<Option<f64>>,
    tls: Vec<Option<f64>>,
    ttfb: Vec<Option<f64>>,
    throughput: Vec<Option<f64>>,
}

/// Columns for each phase.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(crate) struct UsualBand {
    dns: UsualColumns,
    handshake: UsualColumns,
    ttfb: UsualColumns,
    /// All null where the rules compare each phase alone.
    total: UsualColumns,
    throughput: UsualColumns,
}

/// What a chart is made of.
pub(crate) struct Found {
    point_ms: i64,
    history: PairHistory,
    /// Which labels the windows that are shown have.
    tags: Vec<TagValue>,
}

pub(crate) fn read(rows: &dyn Rows, scope: Scope, max_points: u32, rules: &Rules) -> Result<Found, Refusal> {
    let extent = scope.resolve(rows, rules)?.extent;
    let point_ms = length_ms(&extent, rules.window_ms, max_points);
    let history = history::read(rows, &extent, rules)?;
    Ok(Found { point_ms, history, tags: extent.tags })
}

pub(crate) fn of(found: Found, rules: &Rules) -> Series {
    series(found.history, found.point_ms, &found.tags, rules)
}

/// Each window is judged by all that came before it, also by those that are not shown.
fn series(history: PairHistory, point_ms: i64, tags: &[TagValue], rules: &Rules) -> Series {
    let PairHistory { before, windows, labels, mut diagnoses, corrected } = history;
    let is_shown = |row: &WindowRow| tags.iter().all(|tag| tag.is_of(row.tags.as_deref()));
    let hidden: HashSet<_> = windows.iter().filter(|row| !is_shown(row)).map(|row| row.start).collect();
    diagnoses.retain(|found| !hidden.contains(&found.window_start));
    let severities: HashMap<_, _> =
        diagnoses.iter().map(|found| (found.window_start, found.finding.severity)).collect();
    let mut series =
        Series { window_ms: rules.window_ms, point_ms, latency: "maximum", throughput: "minimum", ..Series::default() };
    let mut judged = judged_by(before, windows, rules);
    judged.retain(|(row, _)| !hidden.contains(&row.start));
    for windows in
        judged.chunk_by(|(a, _), (b, _)| start_ms(a.start.ms(), point_ms) == start_ms(b.start.ms(), point_ms))
    {
        let hurt = |row: &WindowRow| (severities.get(&row.start).copied(), labels.get(&row.start).copied());
        let worst = windows.iter().map(|(row, _)| hurt(row)).max_by_key(|(severity, label)| (*severity, rank(*label)));
        series.push(point_ms, windows, worst.unwrap_or_default());
        let corrections = windows.iter().filter(|(row, _)| corrected.contains(&row.start));
        series.corrected_at.push(corrections.map(|(row, _)| row.as_of.ms()).max());
    }
    series.diagnoses = listed(diagnoses);
    series
}

fn listed(diagnoses: Vec<DiagnosisRecord>) -> Vec<DiagnosisItem> {
    diagnoses.into_iter().take(MAX_DIAGNOSES).map(DiagnosisItem::from).collect()
}

/// Of equally severe labels, the first that a measurement meets is the most severe.
fn rank(label: Option<Label>) -> Option<usize> {
    Label::ALL.iter().rev().position(|&other| Some(other) == label)
}

impl Series {
    fn push(
        &mut self,
        point_ms: i64,
        windows: &[(WindowRow, UsualRanges)],
        (severity, label): (Option<Severity>, Option<Label>),
    ) {
        let rows = || windows.iter().map(|(row, _)| row);
        let sum = |count: fn(&WindowRow) -> u32| rows().map(|row| u64::from(count(row))).sum();
        self.start.extend(rows().next().map(|row| start_ms(row.start.ms(), point_ms)));
        self.windows.push(windows.len() as u64);
        self.count_total.push(sum(WindowRow::count_total));
        self.count_error.push(sum(WindowRow::count_error));
        for stage in ErrorStage::ALL {
            self.errors.of(stage).push(rows().map(|row| u64::from(row.errors_at(stage))).sum());
        }
        for metric in Metric::ALL {
            let worse = if metric == Metric::Throughput { minimum } else { maximum };
            let percentiles = || rows().filter_map(|row| row.of(metric));
            let of = |values: &mut dyn Iterator<Item = u64>| {
                values.map(|value| Some(from_thousandths(value))).fold(None, worse)
            };
            self.p50.of(metric).push(of(&mut percentiles().map(|both| both.p50)));
            self.p95.of(metric).push(of(&mut percentiles().map(|both| both.p95)));
        }
        self.usual.push(windows.last().map(|(_, usual)| *usual).unwrap_or_default());
        self.labels.push(label);
        self.severities.push(severity);
        self.is_final.push(rows().all(|row| row.is_final));
    }
}

impl ByStage {
    fn of(&mut self, stage: ErrorStage) -> &mut Vec<u64> {
        match stage {
            ErrorStage::Dns => &mut self.dns,
            ErrorStage::Tcp => &mut self.tcp,
            ErrorStage::Tls => &mut self.tls,
            ErrorStage::Http => &mut self.http,
            ErrorStage::Throughput => &mut self.throughput,
        }
    }
}

impl ByMetric {
    fn of(&mut self, metric: Metric) -> &mut Vec<Option<f64>> {
        match metric {
            Metric::Dns => &mut self.dns,
            Metric::Tcp => &mut self.tcp,
            Metric::Tls => &mut self.tls,
            Metric::Ttfb => &mut self.ttfb,
            Metric::Throughput => &mut self.throughput,
        }
    }
}

impl UsualBand {
    fn push(&mut self, usual: UsualRanges) {
        self.dns.push(usual.dns);
        self.handshake.push(usual.handshake);
        self.ttfb.push(usual.ttfb);
        self.total.push(usual.total);
        self.throughput.push(usual.throughput);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use netqoe_dataflow::judge::PairState;
    use netqoe_model::{LogTime, Percentiles, WindowStart};
    use proptest::collection::{btree_set, vec};
    use proptest::prelude::*;

    use super::*;

    fn windows() -> impl Strategy<Value = Vec<WindowRow>> {
        let percentiles = (0_u64..1_000_000, 0_u64..1_000_000).prop_map(|(p50, p95)| Percentiles { p50, p95 });
        let window = (0_u32..5, [0_u32..3, 0..3, 0..3, 0..3, 0..3], vec(prop::option::of(percentiles), 5));
        let window = window.prop_map(|(count_success, errors, percentiles)| WindowRow {
            start: WindowStart::from_ms(0),
            is_final: true,
            as_of: LogTime::from_ms(0),
            count_success,
            errors,
            percentiles: std::array::from_fn(|nth| percentiles[nth]),
            network: None,
            tags: None,
        });
        (btree_set(0_i64..500, 0..60), vec(window, 60)).prop_map(|(minutes, windows)| {
            let at = |(minute, window)| WindowRow { start: WindowStart::from_ms(minute * 60_000), ..window };
            minutes.into_iter().zip(windows).map(at).collect()
        })
    }

    proptest! {
        #[test]
        fn points_keep_counts_and_the_worst_of_their_windows(rows in windows(), minutes in 1_i64..60) {
            let (point_ms, rules) = (minutes * 60_000, Rules::default());
            let (before, labels) = (PairState::new(&rules.diagnosis), HashMap::new());
            let history = PairHistory { before, windows: rows.clone(), labels, diagnoses: Vec::new(), corrected: HashSet::new() };
            let series = series(history, point_ms, &[], &rules);

            prop_assert!(series.start.is_sorted_by(|a, b| a < b));
            prop_assert_eq!(series.windows.iter().sum::<u64>(), rows.len() as u64);
            let total = rows.iter().map(|row| u64::from(row.count_total())).sum::<u64>();
            prop_assert_eq!(series.count_total.iter().sum::<u64>(), total);
            for (place, start_ms) in series.start.iter().enumerate() {
                let of_point = || rows.iter().filter(|row| (*start_ms..start_ms + point_ms).contains(&row.start.ms()));
                prop_assert!(of_point().count() > 0);
                prop_assert_eq!(series.windows[place], of_point().count() as u64);
                let ttfb = of_point().filter_map(|row| row.of(Metric::Ttfb)).map(|both| both.p95).max();
                prop_assert_eq!(series.p95.ttfb[place], ttfb.map(from_thousandths));
                let throughput = of_point().filter_map(|row| row.of(Metric::Throughput)).map(|both| both.p50).min();
                prop_assert_eq!(series.p50.throughput[place], throughput.map(from_thousandths));
                let failed = of_point().map(|row| u64::from(row.errors_at(ErrorStage::Tls))).sum::<u64>();
                prop_assert_eq!(series.errors.tls[place], failed);
            }
        }
    }
}
