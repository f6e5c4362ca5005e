//! What scores are made of: sums over the windows of each pair, the same in both stores.

use std::sync::Arc;

use netqoe_model::PairTags;

use super::labelled;
use super::statement::{Statement, Value};
use super::{Extent, Pair};

/// By what windows are judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScoreTerms {
    /// Up to this time, in milliseconds, a measurement satisfies, and up to four times as much is tolerated.
    pub satisfied_ms: u32,
    /// For how long a measured window speaks, in milliseconds, where the pair's next one comes no sooner.
    pub held_ms: i64,
    /// What round trips are wanted to be, at the p50 and at the p95 of a window's TCP handshakes.
    pub round_trip: [RoundTripTerms; 2],
}

/// What a percentile of round trips is wanted to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RoundTripTerms {
    /// Up to this time, in milliseconds, it is perfect.
    pub perfect_ms: u32,
    /// From this time on, which is greater, it is of no use.
    pub unusable_ms: u32,
}

/// What a perfect round trip has: hundredths of a point of 100, as whole numbers, so that no order of adding gives another sum.
pub const PERFECT: u64 = 10_000;

/// The windows of a pair that were measured over one provider's network and have the same labels, as a score needs them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScoreRecord {
    /// The pair of the windows.
    pub pair: Pair,
    /// The provider; none for the windows of which it is unknown.
    pub isp: Option<Arc<str>>,
    /// The labels of its client and target; none for the windows without.
    pub tags: Option<Arc<PairTags>>,
    /// How many windows there are; never 0.
    pub windows: u64,
    /// Measurements in them.
    pub count_total: u64,
    /// Failed ones among these.
    pub count_error: u64,
    /// Quarters of a satisfied measurement: of the better half of a window's successes, judged by its p50, and of the worse half,
    /// judged by its p95, each counts two where it satisfies and one where it is tolerated.
    pub satisfied_quarters: u64,
    /// Successes of windows of which the round trip is known, ...
    pub round_trips: u64,
    /// ... and the sum over them of what their window has: the lesser of what its p50 and its p95 have, between 0 where that is of no use
    /// and [`PERFECT`].
    pub round_trip_hundredths: u64,
    /// Time for which windows speak of which at least half of the measurements succeeded, in milliseconds ...
    pub available_ms: u64,
    /// ... and the same of all other windows.
    pub unavailable_ms: u64,
}

/// How a store writes what the statement needs.
pub(super) struct Dialect {
    /// The start of a window in milliseconds.
    pub(super) start_ms: &'static str,
    /// What makes an integer of 64 bits of a sum.
    pub(super) integer: &'static str,
    /// How labels are looked for.
    pub(super) labelled: labelled::Dialect,
    /// What makes an integer of a number that is not negative, by leaving off what comes after the point: before and after it.
    pub(super) whole: [&'static str; 2],
}

/// What a percentile of a window's round trips has, and the values in it; null where the window has none.
fn quality(dialect: &Dialect, percentile: &str, terms: RoundTripTerms) -> (String, [Value; 4]) {
    let [before, after] = dialect.whole;
    let column = format!("tcp_{percentile}");
    let (perfect, unusable) = (f64::from(terms.perfect_ms), f64::from(terms.unusable_ms));
    let sql = format!(
        "CASE WHEN {column} IS NULL THEN NULL WHEN {column} <= ? THEN {PERFECT} WHEN {column} >= ? THEN 0 \
         ELSE {before}(? - {column}) * {PERFECT} / ?{after} END"
    );
    (sql, [perfect, unusable, unusable, unusable - perfect].map(Value::Real))
}

/// What the windows of a pair are added up apart for.
const APART: &str = "isp, client_labels, target_labels";

/// The sums over the windows of one pair, by provider and labels. `pair` is the condition on the pair; it has as many `?` as values.
pub(super) fn of_pair<const N: usize>(
    dialect: &Dialect,
    (pair, values): (&str, [Value; N]),
    extent: &Extent,
    terms: ScoreTerms,
) -> Statement {
    let Dialect { start_ms, integer, .. } = dialect;
    let [(p50, p50_values), (p95, p95_values)] =
        [("p50", terms.round_trip[0]), ("p95", terms.round_trip[1])].map(|(name, terms)| quality(dialect, name, terms));
    let [held_ms, to_ms] = [terms.held_ms, extent.times_ms()[1]].map(Value::Count);
    let satisfied = Value::Real(terms.satisfied_ms.into());
    let tolerated = Value::Real(f64::from(terms.satisfied_ms) * 4.0);
    let sum = |what: &str| format!("coalesce(sum({what}), 0){integer}");
    let sum_where = |what: &str| format!("coalesce(sum(held_ms) FILTER (WHERE {what}), 0){integer}");
    let weight = |percentile: &str| {
        let phases =
            ["dns", "tcp", "tls", "ttfb"].map(|phase| format!("coalesce({phase}_{percentile}, 0)")).join(" + ");
        format!("CASE WHEN {phases} <= ? THEN 2 WHEN {phases} <= ? THEN 1 ELSE 0 END")
    };
    Statement::new(&format!(
        "SELECT {APART}, count(*), {}, {}, {}, {}, {}, {}, {} FROM (",
        sum("count_total"),
        sum("count_error"),
        sum("count_success * (better + worse)"),
        sum("CASE WHEN quality_p95 IS NOT NULL THEN count_success END"),
        sum("count_success * CASE WHEN quality_p50 < quality_p95 THEN quality_p50 ELSE quality_p95 END"),
        sum_where("is_available"),
        sum_where("NOT is_available"),
    ))
    .add(&format!("SELECT {APART}, count_total, count_error, count_success, better, worse, quality_p50, quality_p95, 2 * count_error <= count_total AS is_available,"), [])
    .add("CASE WHEN next_ms - start_ms < ? THEN next_ms - start_ms ELSE ? END AS held_ms FROM (", [held_ms.clone(), held_ms])
    .add(&format!("SELECT {APART}, count_total, count_error, count_success,"), [])
    .add(&format!("{} AS better,", weight("p50")), [satisfied.clone(), tolerated.clone()])
    .add(&format!("{} AS worse,", weight("p95")), [satisfied, tolerated])
    .add(&format!("{p50} AS quality_p50,"), p50_values)
    .add(&format!("{p95} AS quality_p95,"), p95_values)
    .add(&format!("{start_ms} AS start_ms, lead({start_ms}, 1, ?) OVER (ORDER BY window_start_ts) AS next_ms"), [to_ms])
    .add(&format!("FROM agg_1m WHERE {pair} AND"), values)
    .nest(extent.in_time())
    .add(") AS windows) AS judged WHERE true", [])
    // Only here: for how long a window speaks does not depend on the labels of the next one.
    .nest(extent.tagged(dialect.labelled, "judged"))
    .add(&format!("GROUP BY {APART}"), [])
}
