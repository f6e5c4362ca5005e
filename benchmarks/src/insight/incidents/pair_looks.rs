//! What each look sees of a pair.

use std::collections::{BTreeMap, VecDeque};
use std::iter::Peekable;

use netqoe_dataflow::judge::PairState;
use netqoe_model::{LogTime, Rules, Standing, WindowStart};
use netqoe_simulator::simulation::{Measurement, Measurements, Pair, Simulation};

use crate::insight::rows::row_of;

/// How much later the measurements come that come late.
const LATE_MS: i64 = 60_000;

/// Judges the windows of a pair as of each look.
pub(super) struct PairLooks<'a> {
    measurements: Peekable<Measurements<'a>>,
    pair: Pair,
    rules: &'a Rules,
    late_share: f64,
    /// The state after all windows that can't change any more.
    state: PairState,
    /// The windows after these, and their measurements.
    open: VecDeque<(WindowStart, Vec<Measurement>)>,
    /// What the last look saw of them.
    seen: BTreeMap<WindowStart, Standing>,
}

impl<'a> PairLooks<'a> {
    pub(super) fn new(simulation: &'a Simulation, pair: Pair, rules: &'a Rules, late_share: f64) -> Self {
        Self {
            measurements: simulation.measurements(pair).peekable(),
            pair,
            rules,
            late_share,
            state: PairState::new(&rules.diagnosis),
            open: VecDeque::new(),
            seen: BTreeMap::new(),
        }
    }

    /// The windows that are new at this look, or came to something else than at the last one.
    pub(super) fn look(&mut self, at: WindowStart) -> Vec<(WindowStart, Standing)> {
        self.take_in(at);
        let as_of = LogTime::from_ms(at.ms());
        let mut changed = Vec::new();
        let mut state = self.state.clone();
        let mut can_settle = true;
        let mut settled = 0;
        for (start, measured) in &self.open {
            if let Some(row) = row_of(*start, measured, as_of, self.rules) {
                let standing = state.judge(&row, self.rules).standing;
                if self.seen.insert(*start, standing) != Some(standing) {
                    changed.push((*start, standing));
                }
            }
            can_settle &= measured.iter().all(|measurement| measurement.recv_ms <= at.ms());
            if can_settle {
                settled += 1;
                self.state = state.clone();
            }
        }
        self.open.drain(..settled);
        let first_open = self.open.front().map_or(at, |(start, _)| *start);
        self.seen = self.seen.split_off(&first_open);
        changed
    }

    /// Measurements that come after their window has closed are in no row.
    fn take_in(&mut self, at: WindowStart) {
        while let Some(mut measurement) = self.measurements.next_if(|measurement| measurement.ts_ms < at.ms()) {
            if self.is_late(&measurement) {
                measurement.recv_ms += LATE_MS;
            }
            let start = WindowStart::from_ms(measurement.ts_ms.div_euclid(self.rules.window_ms) * self.rules.window_ms);
            if LogTime::from_ms(measurement.recv_ms) > self.rules.closes_after(start) {
                continue;
            }
            match self.open.back_mut() {
                Some((window, measured)) if *window == start => measured.push(measurement),
                _ => self.open.push_back((start, vec![measurement])),
            }
        }
    }

    /// A share of the measurements, of which the time and the pair decide.
    fn is_late(&self, measurement: &Measurement) -> bool {
        let name = format!("{} {} {}", measurement.ts_ms, self.pair.client, self.pair.target);
        let number = netqoe_model::Fingerprint::of(&name).0 as u32;
        self.late_share > 0.0 && f64::from(number) < self.late_share * f64::from(u32::MAX)
    }
}
