//! Generated pairs: stretches of windows with faults of each phase, failures, single slow samples and silence.

use netqoe_model::{LogTime, Percentiles, WindowRow, WindowStart};
use proptest::prelude::*;
use proptest::sample::select;

pub(crate) const START_MS: i64 = 1_700_000_040_000;
const WINDOW_MS: i64 = 60_000;

/// One measurement: whether it failed and at which stage, or microseconds (kbit/s) by metric.
pub(crate) type Measurement = Result<[Option<u64>; 5], usize>;

/// A window of a pair as its measurements.
#[derive(Clone, Debug)]
pub(crate) struct Window {
    pub(crate) start_ms: i64,
    pub(crate) measurements: Vec<Measurement>,
}

/// Some windows with the same fault.
#[derive(Clone, Debug)]
struct Stretch {
    windows: usize,
    /// Minutes without windows before it.
    silence: i64,
    /// How many times as much as usual, by metric.
    times: [f64; 5],
    /// Of a hundred measurements, how many the fault touches.
    touched_percent: u64,
    failed_percent: u64,
    samples: Option<usize>,
    /// After one of this many windows some minutes are missing; 0: never.
    missing_one_in: u64,
    seed: u64,
}

/// Windows of one pair: up to so many stretches of them.
pub(crate) fn windows(stretches: usize) -> impl Strategy<Value = Vec<Window>> {
    let base = select(vec![
        [12_000, 20_000, 30_000, 95_000, 90_000],
        [1_000, 5_000, 6_000, 40_000, 20_000],
        [100, 300, 0, 2_047, 2_049],
        [30_000, 150_000, 150_000, 900_000, 8_000],
        [40_000, 3_000, 4_000, 10_000, 4_000],
        [0, 0, 0, 0, 0],
    ]);
    // Out of a hundred measurements, how many have the metric.
    let present = prop::collection::vec(select(vec![100, 100, 100, 100, 70, 0]), 5);
    let varies = select(vec![0, 0, 1, 5, 30]);
    let first = (8..30_usize, any::<u64>(), samples()).prop_map(|(windows, seed, samples)| Stretch {
        windows,
        silence: 0,
        times: [1.0; 5],
        touched_percent: 0,
        failed_percent: 0,
        samples,
        missing_one_in: 20,
        seed,
    });
    (
        base,
        present,
        varies,
        first,
        prop::collection::vec(prop_oneof![6 => stretch(), 1 => long_stretch()], 0..stretches),
    )
        .prop_map(|(base, present, varies, first, others)| {
            let (mut windows, mut start_ms) = (Vec::new(), START_MS);
            for stretch in std::iter::once(&first).chain(&others) {
                start_ms += stretch.silence * WINDOW_MS;
                let mut chance = Chance(stretch.seed);
                for _ in 0..stretch.windows {
                    let samples = stretch.samples.unwrap_or_else(|| [1, 1, 2, 3, 8, 12, 21][chance.below(7) as usize]);
                    let mut measure = || measurement(stretch, &base, &present, varies, &mut chance);
                    let measurements = (0..samples).map(|_| measure()).collect();
                    windows.push(Window { start_ms, measurements });
                    let is_missing = stretch.missing_one_in > 0 && chance.below(stretch.missing_one_in) == 0;
                    start_ms += if is_missing { 2 + chance.below(3) as i64 } else { 1 } * WINDOW_MS;
                }
            }
            windows
        })
}

fn samples() -> impl Strategy<Value = Option<usize>> {
    select(vec![None, Some(1), Some(2), Some(3), Some(12)])
}

fn stretch() -> impl Strategy<Value = Stretch> {
    let silence = prop_oneof![12 => Just(0), 2 => 1..6_i64, 2 => 14..18_i64, 1 => 58..64_i64, 1 => 110..130_i64];
    let windows = prop_oneof![1 => 1..4_usize, 1 => 4..14_usize];
    let touched = select(vec![100, 100, 100, 60, 30, 10]);
    let failed = select(vec![0, 0, 0, 0, 5, 25, 50, 80, 100]);
    (windows, silence, times(), touched, failed, samples(), any::<u64>()).prop_map(
        |(windows, silence, times, touched_percent, failed_percent, samples, seed)| Stretch {
            windows,
            silence,
            times,
            touched_percent,
            failed_percent,
            samples,
            missing_one_in: 20,
            seed,
        },
    )
}

/// More than an hour of one fault, which is then the new normal, hardly ever interrupted.
fn long_stretch() -> impl Strategy<Value = Stretch> {
    (62..75_usize, times(), select(vec![0, 0, 5]), samples(), select(vec![0, 0, 60]), any::<u64>()).prop_map(
        |(windows, times, failed_percent, samples, missing_one_in, seed)| Stretch {
            windows,
            silence: 0,
            times,
            touched_percent: 100,
            failed_percent,
            samples,
            missing_one_in,
            seed,
        },
    )
}

fn times() -> impl Strategy<Value = [f64; 5]> {
    let slower = || select(vec![1.0, 1.25, 1.3, 1.301, 1.5, 2.0, 2.5, 10.0, 40.0]);
    let transfer = || select(vec![1.0, 0.9, 0.72, 0.71, 0.6, 0.6, 0.5, 0.2, 0.05]);
    prop_oneof![
        2 => Just([1.0; 5]),
        2 => slower().prop_map(|dns| [dns, 1.0, 1.0, 1.0, 1.0]),
        2 => slower().prop_map(|tcp| [1.0, tcp, 1.0, 1.0, 1.0]),
        1 => slower().prop_map(|way| [1.0, way, way, way, 1.0 / way]),
        2 => slower().prop_map(|ttfb| [1.0, 1.0, 1.0, ttfb, 1.0]),
        2 => transfer().prop_map(|transfer| [1.0, 1.0, 1.0, 1.0, transfer]),
        2 => select(vec![0.8, 0.79, 0.5, 0.3]).prop_map(|less| [less, less, less, less, 1.0 / less]),
        1 => (slower(), slower(), slower(), slower(), transfer()).prop_map(|(a, b, c, d, e)| [a, b, c, d, e]),
    ]
}

fn measurement(
    stretch: &Stretch,
    base: &[u64; 5],
    present: &[u64],
    varies_percent: u64,
    chance: &mut Chance,
) -> Measurement {
    if chance.below(100) < stretch.failed_percent {
        return Err(chance.below(5) as usize);
    }
    let is_touched = chance.below(100) < stretch.touched_percent;
    let mut figures = [None; 5];
    for metric in 0..5 {
        let more = 1.0 + chance.below(varies_percent + 1) as f64 / 100.0;
        let times = if is_touched { stretch.times[metric] } else { 1.0 };
        // If the usual value is 0, a fault adds to it.
        let usual = if base[metric] == 0 && times != 1.0 { 20_000 } else { base[metric] };
        let figure = (usual as f64 * times * more).round() as u64;
        figures[metric] = (chance.below(100) < present[metric]).then_some(figure);
    }
    Ok(figures)
}

impl Window {
    /// The row that the window comes to.
    pub(crate) fn row(&self) -> WindowRow {
        let mut errors = [0; 5];
        self.measurements.iter().filter_map(|measured| measured.as_ref().err()).for_each(|stage| errors[*stage] += 1);
        let succeeded: Vec<_> = self.measurements.iter().flatten().collect();
        let percentiles = |metric: usize| {
            let mut samples: Vec<u64> = succeeded.iter().filter_map(|figures| figures[metric]).collect();
            samples.sort_unstable();
            let at = |percent: usize| samples[(percent * samples.len()).div_ceil(100) - 1];
            (!samples.is_empty()).then(|| Percentiles { p50: at(50), p95: at(95) })
        };
        WindowRow {
            start: WindowStart::from_ms(self.start_ms),
            is_final: true,
            as_of: LogTime::from_ms(self.start_ms + 200_000),
            count_success: succeeded.len() as u32,
            errors,
            percentiles: [0, 1, 2, 3, 4].map(percentiles),
            network: None,
            tags: None,
        }
    }
}

/// Numbers from a seed (SplitMix64), so that a stretch shrinks as a whole.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end
    }
}
