//! What is usual for a pair: mean and spread of its latest earlier windows with a success.
//!
//! The arithmetic is that of the reference: binary floating point in milliseconds, summed from the oldest window to
//! the newest, so that a value on a threshold falls on the same side everywhere. A window's arrival costs the same
//! whatever the length of the history, since a pair keeps no more windows than a baseline takes.

use std::cmp::Ordering;
use std::ops::Deref;
use std::rc::Rc;

use netqoe_model::{DiagnosisRules, Metric, WindowRow, WindowStart};
use serde::{Deserialize, Serialize};

/// What a baseline needs of a window with a success: whole microseconds, 0 where the metric had no samples; whole
/// kbit/s. Ordered by start first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PastWindow {
    /// First millisecond of the window.
    pub start: WindowStart,
    dns_p95: u64,
    tcp_p95: u64,
    tls_p95: u64,
    ttfb_p95: u64,
    throughput_p50: Option<u64>,
}

impl PastWindow {
    /// None where the window had no success.
    pub fn of(row: &WindowRow) -> Option<Self> {
        let p95 = |metric| row.of(metric).map_or(0, |percentiles| percentiles.p95);
        (row.count_success > 0).then(|| Self {
            start: row.start,
            dns_p95: p95(Metric::Dns),
            tcp_p95: p95(Metric::Tcp),
            tls_p95: p95(Metric::Tls),
            ttfb_p95: p95(Metric::Ttfb),
            throughput_p50: row.of(Metric::Throughput).map(|percentiles| percentiles.p50),
        })
    }
}

/// What the collection that baselines are made of holds of a pair. Shared, as differential keeps and compares many
/// copies; the start is there so that most comparisons need not look further. What is past comes before what is current.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PairWindow {
    /// The windows that are closed and diagnosed, and that a baseline can still reach, oldest first: at most as many as a
    /// baseline takes. One value a pair, replaced as a whole, so that the history that a reduction reads stays short.
    Past(WindowStart, Shared<[PastWindow]>),
    /// A window to be diagnosed: open, or closed just now.
    Current(WindowStart, Shared<WindowRow>),
}

impl PairWindow {
    /// The past of a pair; none where it is empty.
    pub fn past(windows: Rc<[PastWindow]>) -> Option<Self> {
        Some(Self::Past(windows.first()?.start, Shared(windows)))
    }

    /// A window to be diagnosed.
    pub fn current(row: Rc<WindowRow>) -> Self {
        Self::Current(row.start, Shared(row))
    }
}

/// A value of which copies are equal at a glance.
#[derive(Debug, PartialEq, Eq)]
pub struct Shared<T: ?Sized>(Rc<T>);

impl<T: ?Sized> Clone for Shared<T> {
    fn clone(&self) -> Self {
        Self(Rc::clone(&self.0))
    }
}

impl<T: ?Sized> Deref for Shared<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: Ord + ?Sized> Ord for Shared<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        if Rc::ptr_eq(&self.0, &other.0) { Ordering::Equal } else { self.0.cmp(&other.0) }
    }
}

impl<T: Ord + ?Sized> PartialOrd for Shared<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The features of a window that are compared with a baseline, in milliseconds and Mbit/s.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Features {
    /// p95 of name resolution.
    pub dns: f64,
    /// p95 of TCP plus p95 of TLS.
    pub handshake: f64,
    /// p95 of the time to first byte.
    pub ttfb: f64,
    /// Sum of the three.
    pub total: f64,
    /// p50 of the throughput.
    pub throughput: Option<f64>,
}

impl From<&PastWindow> for Features {
    fn from(window: &PastWindow) -> Self {
        let [dns, tcp, tls, ttfb] = [window.dns_p95, window.tcp_p95, window.tls_p95, window.ttfb_p95].map(thousandths);
        Self {
            dns,
            handshake: tcp + tls,
            ttfb,
            total: dns + tcp + tls + ttfb,
            throughput: window.throughput_p50.map(thousandths),
        }
    }
}

fn thousandths(value: u64) -> f64 {
    value as f64 / 1000.0
}

/// A finite, non-negative real number that can be compared for equality and order, as differential data must.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Real(u64);

impl Real {
    fn new(value: f64) -> Self {
        // The bits of non-negative floats are ordered as the floats are.
        Self(value.to_bits())
    }

    /// The number.
    pub fn get(self) -> f64 {
        f64::from_bits(self.0)
    }
}

/// Mean and population standard deviation, the latter with its floor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Usual {
    /// Arithmetic mean.
    pub mean: Real,
    /// σ.
    pub sigma: Real,
}

impl Usual {
    /// Of so many values.
    fn of(values: impl Iterator<Item = f64> + Clone, count: usize, rules: &DiagnosisRules) -> Self {
        let n = count as f64;
        let mean = values.clone().sum::<f64>() / n;
        let variance = values.map(|value| (value - mean) * (value - mean)).sum::<f64>() / n;
        let sigma = variance.sqrt().max(rules.sigma_floor_ratio * mean).max(rules.sigma_floor_ms);
        Self { mean: Real::new(mean), sigma: Real::new(sigma) }
    }
}

/// What is usual for a pair before a window.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Baseline {
    /// How many windows it is made of.
    pub windows: usize,
    /// Of `Features::dns`.
    pub dns: Usual,
    /// Of `Features::handshake`.
    pub handshake: Usual,
    /// Of `Features::ttfb`.
    pub ttfb: Usual,
    /// Of `Features::total`.
    pub total: Usual,
    /// How many of the windows have a throughput.
    pub throughput_windows: usize,
    /// Of their `Features::throughput`.
    pub throughput: Option<Usual>,
}

impl Baseline {
    /// From windows in the order of their starts; none where there are none.
    fn of(windows: &[Features], rules: &DiagnosisRules) -> Option<Self> {
        if windows.is_empty() {
            return None;
        }
        let usual = |feature: fn(&Features) -> f64| Usual::of(windows.iter().map(feature), windows.len(), rules);
        let throughputs = windows.iter().filter_map(|window| window.throughput);
        let throughput_windows = throughputs.clone().count();
        Some(Self {
            windows: windows.len(),
            dns: usual(|window| window.dns),
            handshake: usual(|window| window.handshake),
            ttfb: usual(|window| window.ttfb),
            total: usual(|window| window.total),
            throughput_windows,
            throughput: (throughput_windows > 0).then(|| Usual::of(throughputs, throughput_windows, rules)),
        })
    }
}

/// The baseline of each current window of a pair, from its past and its current windows in the order of their starts.
pub fn baselines<'a>(
    windows: impl Iterator<Item = &'a PairWindow>,
    rules: &DiagnosisRules,
    mut found: impl FnMut(&'a Shared<WindowRow>, Option<Baseline>),
) {
    let mut earlier: Vec<(WindowStart, Features)> = Vec::new();
    let mut reached = Vec::with_capacity(rules.baseline_windows);
    for window in windows {
        match window {
            PairWindow::Past(_, Shared(past)) => {
                earlier.extend(past.iter().map(|past| (past.start, Features::from(past))));
            }
            PairWindow::Current(_, row) => {
                let oldest = row.start.ms() - rules.baseline_max_age_ms;
                let latest = &earlier[earlier.len().saturating_sub(rules.baseline_windows)..];
                reached.clear();
                reached.extend(latest.iter().filter(|(start, _)| start.ms() >= oldest).map(|(_, features)| *features));
                found(row, Baseline::of(&reached, rules));
                earlier.extend(PastWindow::of(row).map(|past| (past.start, Features::from(&past))));
            }
        }
    }
}
