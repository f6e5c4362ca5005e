//! From when on each fault can be seen.

use netqoe_model::{Label, WindowStart};
use netqoe_simulator::simulation::{Cause, Fault, Pair, Simulation, Stretch, Truth};

/// Pairs that must show a fault, and windows in which they must.
const LEAST_PAIRS: u32 = 3;
const LEAST_WINDOWS: u32 = 3;

/// Whether and when a fault can be seen.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Visible {
    /// The first window in which enough pairs show it.
    pub(super) from: Option<WindowStart>,
    windows: u32,
}

impl Visible {
    #[cfg(test)]
    pub(super) fn of(from: WindowStart, windows: u32) -> Self {
        Self { from: Some(from), windows }
    }

    pub(super) fn is_enough(self) -> bool {
        self.windows >= LEAST_WINDOWS
    }

    fn add(&mut self, window: Stretch) {
        self.from.get_or_insert(WindowStart::from_ms(window.from_ms));
        self.windows += 1;
    }
}

/// The labels that are right for a fault, where it is strong enough.
pub(super) fn labels(cause: Cause) -> &'static [Label] {
    match cause {
        Cause::ClientUplink | Cause::SiteWifi | Cause::ProviderCongestion => {
            &[Label::HandshakeBound, Label::ThroughputBound]
        }
        Cause::ProviderResolver => &[Label::DnsBound],
        Cause::Shaping => &[Label::ThroughputBound],
        Cause::TargetSlow => &[Label::ServerBound],
        Cause::TargetFailing | Cause::Certificate => &[Label::ErrorBound],
        Cause::HostingNetwork | Cause::ProviderToTarget | Cause::Everything => &[Label::HandshakeBound],
    }
}

/// Counts, window by window.
pub(super) struct Following<'a> {
    simulation: &'a Simulation,
    pairs: Vec<(Pair, Truth<'a>)>,
    visible: Vec<Visible>,
}

impl<'a> Following<'a> {
    pub(super) fn new(simulation: &'a Simulation, pairs: &[Pair]) -> Self {
        Self {
            simulation,
            pairs: pairs.iter().map(|pair| (*pair, simulation.truth(*pair))).collect(),
            visible: vec![Visible::default(); simulation.faults().len()],
        }
    }

    /// The next window, and of which pairs it was measured.
    pub(super) fn window(&mut self, window: Stretch, is_measured: &[bool]) {
        let faults = self.simulation.faults().iter().enumerate();
        let present: Vec<_> =
            faults.filter(|(_, fault)| fault.present.iter().any(|present| present.contains(window))).collect();
        if present.is_empty() {
            return;
        }
        let fleet = self.simulation.fleet();
        let mut shown = vec![0; present.len()];
        for ((pair, truth), _) in self.pairs.iter().zip(is_measured).filter(|(_, is_measured)| **is_measured) {
            let holds: Vec<bool> = present.iter().map(|(_, fault)| fault.scope.holds(fleet, *pair)).collect();
            if !holds.contains(&true) {
                continue;
            }
            let right = truth.during(window);
            for (index, (_, fault)) in present.iter().enumerate() {
                let is_shown = |label: &Label| {
                    // A pair has one label: that which is tried first.
                    let hides = |(other, (_, hiding)): (usize, &(usize, &Fault))| {
                        other != index && holds[other] && labels(hiding.cause).iter().any(|first| first <= label)
                    };
                    right.is_right(*label) && !present.iter().enumerate().any(hides)
                };
                if holds[index] && labels(fault.cause).iter().any(is_shown) {
                    shown[index] += 1;
                }
            }
        }
        for ((number, _), shown) in present.into_iter().zip(shown) {
            if shown >= LEAST_PAIRS {
                self.visible[number].add(window);
            }
        }
    }

    pub(super) fn finish(self) -> Vec<Visible> {
        self.visible
    }
}
