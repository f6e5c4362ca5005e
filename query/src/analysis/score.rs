//! How well something did: Apdex over the total time of measurements, with failures; the quality of outcome of round trips and
//! failures; and availability.
//!
//! `docs/score.md` has the formulas and where they come from.

use std::collections::BTreeMap;
use std::fmt::{self, Display};

use netqoe_model::{Rules, TagName};
use netqoe_sinks::read::{PERFECT, Pair, RoundTripTerms, Rows, ScoreRecord, ScoreTerms};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::asked::{Resolved, Scope};
use super::pairs::of_all_pairs;
use crate::answer::Refusal;
use crate::labelled::Labelled;
use crate::schema;
use crate::values::{Share, Time, Whole};

/// Up to this total time a measurement satisfies, where nothing else is asked for: the usual threshold of Apdex.
const SATISFIED_MS: u32 = 500;
/// No measurement takes longer than this.
const MAX_SATISFIED_MS: u32 = 60_000;
/// A time that a measurement can take, or none.
type AnyMs = Whole<0, MAX_SATISFIED_MS>;
/// A time that a measurement can take.
type SomeMs = Whole<1, MAX_SATISFIED_MS>;
/// What round trips are wanted to be, where nothing else is asked for. A conversation does not notice a delay of 150 ms one way, and is not
/// possible any more from 400 ms on (ITU-T G.114): twice that for a round trip at the p95, and half of it at the p50.
const ROUND_TRIP: [RoundTripTerms; 2] =
    [RoundTripTerms { perfect_ms: 150, unusable_ms: 400 }, RoundTripTerms { perfect_ms: 300, unusable_ms: 800 }];
/// The share of failures that is perfect, and the one that is of no use: a measurement fails after what is lost was sent again.
const LOSS: LossTerms = LossTerms { perfect: 0.001, unusable: 0.05 };
/// How many windows a measured window speaks for at most: a pair with a row among the five newest windows is current.
const HELD_WINDOWS: i64 = 5;
const DAY_MS: i64 = 86_400_000;
/// A month. Each question goes through all rows of its range.
const MAX_RANGE_MS: i64 = 31 * DAY_MS;
/// Scores that are listed.
const MAX_ITEMS: usize = 500;

/// What has a score, of whom, and when.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ScoreParameters {
    /// `pair`, `target`, `client`, `isp`, a label such as `client.team`, or `fleet`, which is the default.
    #[param(inline, value_type = Option<schema::ScoredBy>)]
    by: Option<String>,
    /// Of this client only.
    client_id: Option<String>,
    /// Of this target only.
    target: Option<String>,
    /// Windows that start at or after this time: Unix milliseconds or RFC 3339; a day before `to` where absent.
    #[param(inline, value_type = Option<Time>)]
    from: Option<String>,
    /// Windows that start before this time: Unix milliseconds or RFC 3339; after the newest where absent.
    #[param(inline, value_type = Option<Time>)]
    to: Option<String>,
    /// With this label of their client or target only, such as `client.team=core`; several: with each of them.
    #[serde(default)]
    #[param(inline, value_type = Option<Labelled>)]
    labelled: Vec<String>,
    /// Up to this total time in milliseconds a measurement satisfies; 500 where absent.
    #[param(inline, value_type = Option<SomeMs>)]
    satisfied_ms: Option<String>,
    /// Up to this time in milliseconds the p50 of round trips is perfect; 150 where absent.
    #[param(inline, value_type = Option<AnyMs>)]
    perfect_p50_ms: Option<String>,
    /// From this time in milliseconds on the p50 of round trips is of no use; 400 where absent.
    #[param(inline, value_type = Option<SomeMs>)]
    unusable_p50_ms: Option<String>,
    /// Up to this time in milliseconds the p95 of round trips is perfect; 300 where absent.
    #[param(inline, value_type = Option<AnyMs>)]
    perfect_p95_ms: Option<String>,
    /// From this time in milliseconds on the p95 of round trips is of no use; 800 where absent.
    #[param(inline, value_type = Option<SomeMs>)]
    unusable_p95_ms: Option<String>,
    /// Up to this share of failed measurements loss is perfect; 0.001 where absent.
    #[param(inline, value_type = Option<Share>)]
    perfect_loss: Option<String>,
    /// From this share of failed measurements on loss is of no use; 0.05 where absent.
    #[param(inline, value_type = Option<Share>)]
    unusable_loss: Option<String>,
}

/// What loss is wanted to be, as shares of the measurements.
#[derive(Clone, Copy, Debug, PartialEq)]
struct LossTerms {
    /// Up to this it is perfect.
    perfect: f64,
    /// From this on, which is greater, it is of no use.
    unusable: f64,
}

impl LossTerms {
    /// What a share of failures has, from 0 to 1.
    fn quality(self, share: f64) -> f64 {
        ((self.unusable - share) / (self.unusable - self.perfect)).clamp(0.0, 1.0)
    }
}

/// What has a score.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum By {
    Pair,
    Target,
    Client,
    Isp,
    /// Each value of a label.
    Label(TagName),
    Fleet,
}

impl By {
    /// All but labels.
    const PLAIN: [Self; 5] = [Self::Pair, Self::Target, Self::Client, Self::Isp, Self::Fleet];

    fn parse(text: &str) -> Result<Self, Refusal> {
        let plain = Self::PLAIN.into_iter().find(|by| by.to_string() == text);
        plain.or_else(|| TagName::parse(text).map(Self::Label)).ok_or_else(|| {
            let names = Self::PLAIN.map(|by| by.to_string()).join(", ");
            Refusal::invalid(format!("by must be one of {names}, or a label as client.NAME or target.NAME"))
        })
    }
}

impl Display for By {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pair => f.write_str("pair"),
            Self::Target => f.write_str("target"),
            Self::Client => f.write_str("client"),
            Self::Isp => f.write_str("isp"),
            Self::Label(name) => name.fmt(f),
            Self::Fleet => f.write_str("fleet"),
        }
    }
}

/// What is asked for.
pub(crate) struct Question {
    by: By,
    scope: Scope,
    satisfied_ms: u32,
    round_trip: [RoundTripTerms; 2],
    loss: LossTerms,
}

impl ScoreParameters {
    pub(crate) fn question(&self) -> Result<Question, Refusal> {
        let by = self.by.as_deref().map_or(Ok(By::Fleet), By::parse)?;
        let satisfied_ms = SomeMs::read("satisfied_ms", self.satisfied_ms.as_deref())?.unwrap_or(SATISFIED_MS);
        let scope = Scope::of([&self.client_id, &self.target, &self.from, &self.to], &self.labelled)?;
        let p50 = [("perfect_p50_ms", &self.perfect_p50_ms), ("unusable_p50_ms", &self.unusable_p50_ms)];
        let p95 = [("perfect_p95_ms", &self.perfect_p95_ms), ("unusable_p95_ms", &self.unusable_p95_ms)];
        let round_trip = [round_trip(p50, ROUND_TRIP[0])?, round_trip(p95, ROUND_TRIP[1])?];
        let loss = [("perfect_loss", &self.perfect_loss), ("unusable_loss", &self.unusable_loss)];
        Ok(Question { by, scope, satisfied_ms, round_trip, loss: loss_terms(loss)? })
    }
}

/// A parameter's name and what was asked.
type Given<'a> = (&'a str, &'a Option<String>);

fn round_trip(given: [Given<'_>; 2], absent: RoundTripTerms) -> Result<RoundTripTerms, Refusal> {
    let [(perfect, perfect_text), (unusable, unusable_text)] = given;
    let perfect_ms = AnyMs::read(perfect, perfect_text.as_deref())?.unwrap_or(absent.perfect_ms);
    let unusable_ms = SomeMs::read(unusable, unusable_text.as_deref())?.unwrap_or(absent.unusable_ms);
    in_order([perfect, unusable], [perfect_ms, unusable_ms])?;
    Ok(RoundTripTerms { perfect_ms, unusable_ms })
}

fn loss_terms(given: [Given<'_>; 2]) -> Result<LossTerms, Refusal> {
    let [(perfect_name, perfect_text), (unusable_name, unusable_text)] = given;
    let perfect = Share::read(perfect_name, perfect_text.as_deref())?.unwrap_or(LOSS.perfect);
    let unusable = Share::read(unusable_name, unusable_text.as_deref())?.unwrap_or(LOSS.unusable);
    in_order([perfect_name, unusable_name], [perfect, unusable])?;
    Ok(LossTerms { perfect, unusable })
}

/// What is perfect must be less than what is of no use.
fn in_order<N: PartialOrd + Display>(names: [&str; 2], [perfect, unusable]: [N; 2]) -> Result<(), Refusal> {
    if perfect < unusable {
        return Ok(());
    }
    let [perfect_name, unusable_name] = names;
    Err(Refusal::invalid(format!("{perfect_name} ({perfect}) must be less than {unusable_name} ({unusable})")))
}

/// What scores are made of.
pub(crate) struct Found {
    by: By,
    terms: ScoreTerms,
    loss: LossTerms,
    times_ms: [i64; 2],
    /// By pair.
    records: Vec<ScoreRecord>,
}

pub(crate) fn read(rows: &dyn Rows, question: Question, rules: &Rules) -> Result<Found, Refusal> {
    let Question { by, scope, satisfied_ms, round_trip, loss } = question;
    let Resolved { extent, .. } = scope.resolve_within(DAY_MS, rows, rules)?;
    if extent.to_ms - extent.from_ms > MAX_RANGE_MS {
        return Err(Refusal::invalid("scores are of 31 days at most; move from and to closer together"));
    }
    let terms = ScoreTerms { satisfied_ms, held_ms: HELD_WINDOWS * rules.window_ms, round_trip };
    let records = of_all_pairs(|limit| rows.scores(&extent, terms, limit))?;
    Ok(Found { by, terms, loss, times_ms: [extent.from_ms, extent.to_ms], records })
}

/// Scores, the lowest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Scores {
    #[schema(value_type = schema::ScoredBy)]
    by: String,
    /// Where the range begins, Unix milliseconds.
    from: i64,
    /// Where it ends, Unix milliseconds, exclusive.
    to: i64,
    /// Up to this total time a measurement satisfies; up to four times as much is tolerated.
    satisfied_ms: u32,
    /// What the quality of outcome asks for.
    outcome_terms: OutcomeTerms,
    items: Vec<Score>,
    /// Those beyond the 500 lowest.
    items_left_off: usize,
}

/// Up to which figures round trips and loss are perfect, and from which on they are of no use.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct OutcomeTerms {
    perfect_p50_ms: u32,
    unusable_p50_ms: u32,
    perfect_p95_ms: u32,
    unusable_p95_ms: u32,
    /// A share of the measurements.
    perfect_loss: f64,
    /// A share of the measurements.
    unusable_loss: f64,
}

impl OutcomeTerms {
    fn of([p50, p95]: [RoundTripTerms; 2], loss: LossTerms) -> Self {
        Self {
            perfect_p50_ms: p50.perfect_ms,
            unusable_p50_ms: p50.unusable_ms,
            perfect_p95_ms: p95.perfect_ms,
            unusable_p95_ms: p95.unusable_ms,
            perfect_loss: loss.perfect,
            unusable_loss: loss.unusable,
        }
    }
}

/// The quality of outcome, from 0 (of no use) to 100 (perfect).
#[derive(Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct QualityOfOutcome {
    /// The lesser of both; null where nothing was measured, or measurements succeeded whose round trips are not known.
    #[schema(required)]
    score: Option<f64>,
    /// Of round trips (TCP handshakes); null where none is known.
    #[schema(required)]
    latency: Option<f64>,
    /// Of failed measurements; null where nothing was measured.
    #[schema(required)]
    loss: Option<f64>,
}

/// How well a pair, target, client, provider or the fleet did. The three shares add up to 1.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct Score {
    /// Null where the score is of several clients.
    #[schema(required)]
    client_id: Option<String>,
    /// Null where the score is of several targets.
    #[schema(required)]
    target: Option<String>,
    /// The provider, where the score is of one; null for the windows of which it is unknown.
    #[schema(required)]
    isp: Option<String>,
    /// The value of the label, where the score is by one; null for the windows without it.
    #[schema(required)]
    value: Option<String>,
    /// Apdex, from 0 to 100; null where nothing was measured.
    #[schema(required)]
    score: Option<f64>,
    outcome: QualityOfOutcome,
    pairs: u64,
    measurements: u64,
    failed: u64,
    /// Share of the time in which at least half of the measurements succeeded.
    available: f64,
    /// Share of the time in which more than half of them failed.
    unavailable: f64,
    /// Share of the time of which nothing is known.
    unmeasured: f64,
}

/// What has a score: client, target, provider and value of a label, as far as it has them.
type Key<'a> = [Option<&'a str>; 4];

/// Sums over the windows of several pairs.
#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    pairs: u64,
    measurements: u64,
    failed: u64,
    satisfied_quarters: u64,
    round_trips: u64,
    round_trip_hundredths: u64,
    available_ms: u64,
    unavailable_ms: u64,
    unmeasured_ms: u64,
}

impl Sums {
    fn add(&mut self, record: &ScoreRecord) {
        self.measurements += record.count_total;
        self.failed += record.count_error;
        self.satisfied_quarters += record.satisfied_quarters;
        self.round_trips += record.round_trips;
        self.round_trip_hundredths += record.round_trip_hundredths;
        self.available_ms += record.available_ms;
        self.unavailable_ms += record.unavailable_ms;
    }

    fn score(&self) -> Option<f64> {
        (self.measurements > 0).then(|| 25.0 * self.satisfied_quarters as f64 / self.measurements as f64)
    }

    fn outcome(&self, terms: LossTerms) -> QualityOfOutcome {
        let all_perfect = (self.round_trips * PERFECT) as f64;
        let latency = (self.round_trips > 0).then(|| 100.0 * self.round_trip_hundredths as f64 / all_perfect);
        let loss =
            (self.measurements > 0).then(|| 100.0 * terms.quality(self.failed as f64 / self.measurements as f64));
        // Where all failed, there is no round trip to be known.
        let all_failed = self.failed == self.measurements;
        let score =
            loss.and_then(|loss| if all_failed { Some(loss) } else { latency.map(|latency| latency.min(loss)) });
        QualityOfOutcome { score, latency, loss }
    }
}

pub(crate) fn of(found: &Found) -> Scores {
    let Found { by, terms, loss, times_ms: [from, to], records } = found;
    let range_ms = (to - from).max(0).unsigned_abs();
    let mut groups: BTreeMap<Key<'_>, Sums> = BTreeMap::new();
    for of_pair in records.chunk_by(|a, b| a.pair == b.pair) {
        let known_ms: u64 = of_pair.iter().map(|record| record.available_ms + record.unavailable_ms).sum();
        for record in of_pair {
            groups.entry(key(by, record)).or_default().add(record);
        }
        // What is not known of a pair is nobody's but the provider's over which it was measured most, with the labels of that time.
        if let Some(main) = of_pair.iter().max_by_key(|record| (record.windows, &record.isp, &record.tags)) {
            let sums = groups.entry(key(by, main)).or_default();
            sums.pairs += 1;
            sums.unmeasured_ms += range_ms.saturating_sub(known_ms);
        }
    }
    let mut items: Vec<_> = groups.iter().map(|(key, sums)| Score::of(*key, sums, *loss)).collect();
    // By name where scores are the same. What has none comes last.
    let rank = |score: &Score| score.score.unwrap_or(f64::INFINITY);
    items.sort_by(|a, b| rank(a).total_cmp(&rank(b)));
    let items_left_off = items.len().saturating_sub(MAX_ITEMS);
    items.truncate(MAX_ITEMS);
    let (satisfied_ms, outcome_terms) = (terms.satisfied_ms, OutcomeTerms::of(terms.round_trip, *loss));
    Scores { by: by.to_string(), from: *from, to: *to, satisfied_ms, outcome_terms, items, items_left_off }
}

fn key<'a>(by: &By, record: &'a ScoreRecord) -> Key<'a> {
    let Pair { client_id, target } = &record.pair;
    match by {
        By::Pair => [Some(client_id), Some(target), None, None],
        By::Target => [None, Some(target), None, None],
        By::Client => [Some(client_id), None, None, None],
        By::Isp => [None, None, record.isp.as_deref(), None],
        By::Label(name) => {
            [None, None, None, record.tags.as_ref().and_then(|tags| tags.get(name)).map(|value| &**value)]
        }
        By::Fleet => [None; 4],
    }
}

impl Score {
    fn of(key: Key<'_>, sums: &Sums, loss: LossTerms) -> Self {
        let [client_id, target, isp, value] = key.map(|name| name.map(str::to_owned));
        let all_ms = sums.available_ms + sums.unavailable_ms + sums.unmeasured_ms;
        let share = |ms: u64| if all_ms == 0 { 0.0 } else { ms as f64 / all_ms as f64 };
        Self {
            client_id,
            target,
            isp,
            value,
            score: sums.score(),
            outcome: sums.outcome(loss),
            pairs: sums.pairs,
            measurements: sums.measurements,
            failed: sums.failed,
            available: share(sums.available_ms),
            unavailable: share(sums.unavailable_ms),
            unmeasured: share(sums.unmeasured_ms),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(pair: [&str; 2], isp: Option<&str>, windows: u64, counts: [u64; 3], times_ms: [u64; 2]) -> ScoreRecord {
        let [count_total, count_error, satisfied_quarters] = counts;
        let [available_ms, unavailable_ms] = times_ms;
        let [client_id, target] = pair.map(Into::into);
        ScoreRecord {
            tags: None,
            pair: Pair { client_id, target },
            isp: isp.map(Into::into),
            windows,
            count_total,
            count_error,
            satisfied_quarters,
            round_trips: 0,
            round_trip_hundredths: 0,
            available_ms,
            unavailable_ms,
        }
    }

    /// `a` is measured over two providers, all satisfied; half of what `b` measures fails, and it is silent half of the time.
    fn found(by: By) -> Found {
        let records = vec![
            record(["a", "t"], Some("x"), 6, [10, 0, 40], [600, 0]),
            record(["a", "t"], Some("y"), 4, [10, 0, 40], [400, 0]),
            record(["b", "t"], None, 5, [20, 10, 20], [250, 250]),
        ];
        let terms = ScoreTerms { satisfied_ms: 500, held_ms: 300_000, round_trip: ROUND_TRIP };
        Found { by, terms, loss: LOSS, times_ms: [0, 1_000], records }
    }

    fn scores(by: By) -> Vec<(String, Option<f64>, u64, [f64; 3])> {
        let score = |score: &Score| {
            let names = [&score.client_id, &score.target, &score.isp].map(|name| name.as_deref().unwrap_or("-"));
            (names.join(" "), score.score, score.pairs, [score.available, score.unavailable, score.unmeasured])
        };
        of(&found(by)).items.iter().map(score).collect()
    }

    #[test]
    fn sums_are_put_together_by_what_is_asked_for() {
        let of = |name: &str, score, pairs, shares| (name.to_owned(), Some(score), pairs, shares);
        let (a, b) = ([1.0, 0.0, 0.0], [0.25, 0.25, 0.5]);
        assert_eq!(scores(By::Pair), [of("b t -", 25.0, 1, b), of("a t -", 100.0, 1, a)]);
        assert_eq!(scores(By::Client), [of("b - -", 25.0, 1, b), of("a - -", 100.0, 1, a)]);
        assert_eq!(scores(By::Target), [of("- t -", 62.5, 2, [0.625, 0.125, 0.25])]);
        assert_eq!(scores(By::Fleet), [of("- - -", 62.5, 2, [0.625, 0.125, 0.25])]);
        assert_eq!(scores(By::Isp), [of("- - -", 25.0, 1, b), of("- - x", 100.0, 1, a), of("- - y", 100.0, 0, a)]);
    }

    #[test]
    fn nothing_has_no_score() {
        let nothing = Found { records: Vec::new(), ..found(By::Fleet) };
        assert_eq!(of(&nothing).items, []);
        let idle = Found { records: vec![record(["a", "t"], None, 1, [0, 0, 0], [300, 0])], ..found(By::Pair) };
        assert_eq!(of(&idle).items[0].score, None);
    }

    #[test]
    fn the_outcome_is_the_lesser_of_latency_and_loss() {
        let outcome = |measurements, failed, round_trips, round_trip_hundredths| {
            let sums = Sums { measurements, failed, round_trips, round_trip_hundredths, ..Sums::default() };
            let QualityOfOutcome { score, latency, loss } = sums.outcome(LossTerms { perfect: 0.1, unusable: 0.5 });
            [score, latency, loss].map(|value| value.map(|value| (value * 10.0_f64).round() / 10.0))
        };
        assert_eq!(outcome(10, 0, 10, 100_000), [Some(100.0); 3]);
        assert_eq!(outcome(10, 1, 9, 45_000), [Some(50.0), Some(50.0), Some(100.0)]);
        assert_eq!(outcome(10, 4, 6, 60_000), [Some(25.0), Some(100.0), Some(25.0)]);
        assert_eq!(outcome(10, 6, 4, 40_000), [Some(0.0), Some(100.0), Some(0.0)]);
        assert_eq!(outcome(10, 10, 0, 0), [Some(0.0), None, Some(0.0)], "nothing succeeded");
        assert_eq!(outcome(10, 0, 0, 0), [None, None, Some(100.0)], "round trips are not known");
        assert_eq!(outcome(0, 0, 0, 0), [None; 3]);
    }

    #[test]
    fn the_lowest_are_listed() {
        let of_pair = |nth: u64| record([&format!("{nth:04}"), "t"], None, 1, [1_000, 0, nth], [1, 0]);
        let many = Found { records: (0..600).map(of_pair).collect(), ..found(By::Pair) };
        let scores = of(&many);
        assert_eq!((scores.items.len(), scores.items_left_off), (500, 100));
        assert_eq!(scores.items[1].client_id.as_deref(), Some("0001"));
    }
}
