//! The pairs of a target or of a client, ranked.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use netqoe_model::{Label, PairTags, Rules, Severity, Side};
use netqoe_sinks::read::{CurrentRecord, Extent, Matching, Pair, PointRecord, Snapshot, SplitRecord, Summaries};
use serde::Serialize;
use utoipa::ToSchema;

use super::asked::Scope;
use super::current::{self, since_ms};
use super::networks::{Network, of_most_windows};
use super::pairs::of_all_pairs;
use super::points::length_ms;
use crate::answer::{Labels, Refusal};
use crate::schema;

/// Pairs that are listed.
const MAX_PAIRS: usize = 2000;

/// More points than this, of all pairs together, take more memory than an answer may.
const MAX_POINT_RECORDS: u32 = 500_000;

/// Pairs, worst first: by what hurts now, then by how many windows were degraded, then by how slow they were.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Comparison {
    /// Length of a point.
    point_ms: i64,
    /// What `values` are: the phase that the label of most degraded pairs speaks of (`dns`, `handshake`, `ttfb`, `throughput`), else
    /// `total`.
    #[schema(value_type = schema::ShownPhase)]
    phase: &'static str,
    /// Where each point begins, Unix milliseconds; whole multiples of `point_ms`. Points without a window are left out.
    start: Vec<i64>,
    /// Pairs with a measurement that did not fail, at each point.
    answered: Vec<u64>,
    pairs: Vec<ComparedPair>,
    /// Those beyond the 2,000 worst.
    pairs_left_off: usize,
}

/// What a pair's windows add up to. Latencies are the greatest of the windows, throughput is the least.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ComparedPair {
    client_id: String,
    target: String,
    /// Of the network that most of its windows were measured over; null if it is unknown.
    #[schema(required)]
    isp: Option<String>,
    #[schema(required)]
    network_type: Option<String>,
    /// The labels that most of its windows have; empty if these have none.
    client_labels: Labels,
    /// The same of the target.
    target_labels: Labels,
    windows: u64,
    degraded_windows: u64,
    count_total: u64,
    count_error: u64,
    /// ms.
    #[schema(required)]
    ttfb_p95_max: Option<f64>,
    /// ms; the sum of the p95 of all phases.
    #[schema(required)]
    total_p95_max: Option<f64>,
    /// Mbit/s.
    #[schema(required)]
    throughput_p50_min: Option<f64>,
    /// As it is at the end of the range; null where there is no baseline, or no recent row.
    #[schema(required, value_type = Option<schema::Label>)]
    label: Option<Label>,
    #[schema(required, value_type = Option<schema::Severity>)]
    severity: Option<Severity>,
    /// Since when it has had its label, where that hurts: Unix milliseconds; null where its row does not say so.
    #[schema(required)]
    since: Option<i64>,
    /// Of `phase`, at each point: of a latency the greatest p95 of its windows, ms; of throughput the least p50, Mbit/s.
    values: Vec<Option<f64>>,
    /// Degraded windows of each point.
    degraded: Vec<u64>,
}

/// What a comparison is made of.
pub(crate) struct Found {
    point_ms: i64,
    /// By pair.
    points: Vec<PointRecord>,
    current: Vec<CurrentRecord>,
    /// By pair.
    splits: Vec<SplitRecord>,
}

pub(crate) fn read(store: Snapshot<'_>, scope: Scope, max_points: u32, rules: &Rules) -> Result<Found, Refusal> {
    let asked = scope.resolve(store.rows, rules)?;
    let point_ms = length_ms(&asked.extent, rules.window_ms, max_points);
    let points = store.summaries.points(&asked.extent, point_ms, MAX_POINT_RECORDS + 1)?;
    if points.len() > MAX_POINT_RECORDS as usize {
        return Err(Refusal::invalid("there are too many pairs for so many points; ask for fewer with max_points"));
    }
    let current = current::rows(store.rows, &asked, rules)?;
    let splits = splits(store.summaries, &asked.extent)?;
    Ok(Found { point_ms, points, current, splits })
}

pub(crate) fn of(found: &Found) -> Comparison {
    let networks = of_most_windows(&found.splits, |record| &record.network);
    let tags = of_most_windows(&found.splits, |record| &record.tags);
    let most = |pair: &Pair| Most {
        network: Network::of(networks.get(pair).and_then(|network| network.as_deref())),
        tags: tags.get(pair).and_then(|tags| tags.as_ref()),
    };
    comparison(found.point_ms, &found.points, &found.current, most)
}

/// What most windows of a pair have.
#[derive(Default)]
struct Most<'a> {
    network: Network,
    tags: Option<&'a Arc<PairTags>>,
}

/// The windows of each pair by their networks and labels.
fn splits(summaries: &dyn Summaries, extent: &Extent) -> Result<Vec<SplitRecord>, Refusal> {
    let all_ms = [extent.from_ms, extent.to_ms];
    of_all_pairs(|limit| summaries.split(extent, all_ms, &Matching::Degraded, limit))
}

/// `points` are by pair.
fn comparison<'a>(
    point_ms: i64,
    points: &[PointRecord],
    current: &[CurrentRecord],
    most: impl Fn(&Pair) -> Most<'a>,
) -> Comparison {
    let current: HashMap<_, _> = current.iter().map(|row| (&row.pair, row)).collect();
    let start: Vec<_> = points.iter().map(|point| point.start_ms).collect::<BTreeSet<_>>().into_iter().collect();
    let places: BTreeMap<_, _> = start.iter().copied().zip(0..).collect();
    let phase = hurting(points, &current);
    let mut answered = vec![0; start.len()];
    for point in points.iter().filter(|point| point.total_p95_max.is_some()) {
        answered[places[&point.start_ms]] += 1;
    }
    let mut pairs: Vec<_> = points
        .chunk_by(|a, b| a.pair == b.pair)
        .map(|points| {
            let pair = &points[0].pair;
            let row = current.get(pair).copied();
            ComparedPair::of(points, phase, &places, most(pair)).with_state(row)
        })
        .collect();
    pairs.sort_by(|a, b| {
        let rank = |pair: &ComparedPair| (Reverse(pair.severity), Reverse(pair.degraded_windows));
        let slow = |pair: &ComparedPair| pair.ttfb_p95_max.unwrap_or(0.0);
        rank(a).cmp(&rank(b)).then_with(|| slow(b).total_cmp(&slow(a)))
    });
    let pairs_left_off = pairs.len().saturating_sub(MAX_PAIRS);
    pairs.truncate(MAX_PAIRS);
    Comparison { point_ms, phase: phase.as_str(), start, answered, pairs, pairs_left_off }
}

/// What of a pair is shown over time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Dns,
    Handshake,
    Ttfb,
    Throughput,
    Total,
}

impl Phase {
    /// A failure is of no phase.
    fn of(label: Label) -> Self {
        match label {
            Label::DnsBound => Self::Dns,
            Label::HandshakeBound => Self::Handshake,
            Label::ServerBound => Self::Ttfb,
            Label::ThroughputBound => Self::Throughput,
            Label::ErrorBound | Label::Healthy => Self::Total,
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Dns => "dns",
            Self::Handshake => "handshake",
            Self::Ttfb => "ttfb",
            Self::Throughput => "throughput",
            Self::Total => "total",
        }
    }

    fn value(self, point: &PointRecord) -> Option<f64> {
        match self {
            Self::Dns => point.dns_p95_max,
            Self::Handshake => point.handshake_p95_max,
            Self::Ttfb => point.ttfb_p95_max,
            Self::Throughput => point.throughput_p50_min,
            Self::Total => point.total_p95_max,
        }
    }
}

/// What hurts most of the pairs that have points; where as many are hurt by several, what a measurement meets first.
fn hurting(points: &[PointRecord], current: &HashMap<&Pair, &CurrentRecord>) -> Phase {
    let pairs = points.chunk_by(|a, b| a.pair == b.pair).filter_map(|points| current.get(&points[0].pair));
    let labels: Vec<_> = pairs.filter(|row| row.finding.is_some()).filter_map(|row| row.label).collect();
    let count = |label: Label| labels.iter().filter(|other| **other == label).count();
    // Of equals, the last is taken.
    let most = Label::ALL.into_iter().rev().max_by_key(|label| count(*label));
    most.filter(|label| count(*label) > 0).map_or(Phase::Total, Phase::of)
}

impl ComparedPair {
    /// Of points of one pair, which are not none.
    fn of(
        points: &[PointRecord],
        phase: Phase,
        places: &BTreeMap<i64, usize>,
        Most { network, tags }: Most<'_>,
    ) -> Self {
        let mut all = points[0].clone();
        points[1..].iter().for_each(|point| all.absorb(point));
        let mut compared = Self {
            client_id: all.pair.client_id.to_string(),
            target: all.pair.target.to_string(),
            isp: network.isp,
            network_type: network.network_type,
            client_labels: Labels::of(tags.map(|tags| &**tags), Side::Client),
            target_labels: Labels::of(tags.map(|tags| &**tags), Side::Target),
            windows: all.windows,
            degraded_windows: all.degraded_windows,
            count_total: all.count_total,
            count_error: all.count_error,
            ttfb_p95_max: all.ttfb_p95_max,
            total_p95_max: all.total_p95_max,
            throughput_p50_min: all.throughput_p50_min,
            label: None,
            severity: None,
            since: None,
            values: vec![None; places.len()],
            degraded: vec![0; places.len()],
        };
        for point in points {
            let place = places[&point.start_ms];
            compared.values[place] = phase.value(point);
            compared.degraded[place] = point.degraded_windows;
        }
        compared
    }

    fn with_state(self, row: Option<&CurrentRecord>) -> Self {
        Self {
            label: row.and_then(|row| row.label),
            severity: row.and_then(|row| row.finding.as_ref()).map(|finding| finding.severity),
            since: row.and_then(since_ms),
            ..self
        }
    }
}
