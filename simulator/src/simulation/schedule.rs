//! Which faults a run has, and when.

use std::ops::Range;

use netqoe_model::ErrorStage;

use super::Configuration;
use super::draws::{Draws, Purpose};
use super::effect::Effect;
use super::fault::{Cause, Fault, Scope, Shape};
use super::fleet::{Access, Fleet};
use super::stretch::Stretch;

const MINUTE_MS: i64 = 60_000;
/// Nothing is wrong in the first minutes: whoever judges must learn what is usual.
pub(super) const QUIET_MS: i64 = 40 * MINUTE_MS;
/// Shares of the faults that are not simply there and then gone.
const RAMPING_SHARE: f64 = 0.15;
const FLAPPING_SHARE: f64 = 0.15;
/// How long a ramping fault grows, and how long it lasts at least.
pub(super) const RAMP_MS: i64 = 60 * MINUTE_MS;
const SHORTEST_RAMPING_MS: i64 = 75 * MINUTE_MS;
/// How long a flapping fault is there, or gone, each time, and how long it lasts at least.
const FLAP_MS: Range<f64> = 120_000.0..300_000.0;
const SHORTEST_FLAPPING_MS: i64 = 20 * MINUTE_MS;
/// One fault of three is mild.
const MILD_SHARE: f64 = 1.0 / 3.0;
const MILD_FACTOR: Range<f64> = 1.6..2.0;
const CLEAR_FACTOR: Range<f64> = 2.0..10.0;
const DNS_ADDED_MS: Range<f64> = 60.0..2000.0;
const DNS_FACTOR: Range<f64> = 8.0..50.0;
const FAILED_SHARE: Range<f64> = 0.6..1.0;
/// Half of the faults begin with a minute, as those do that people plan.
const WHOLE_MINUTE_SHARE: f64 = 0.5;

/// The faults of a run, in the order in which they begin. Causes come equally often, but what hurts everybody comes a third
/// as often: it alone would be most of what is measured in a fault.
pub(super) fn faults(configuration: &Configuration, fleet: &Fleet, run: Stretch) -> Vec<Fault> {
    let mut draws = Draws::new(configuration.seed, Purpose::Faults, 0);
    let count = (f64::from(configuration.hours) * configuration.faults_an_hour).round() as usize;
    let mut faults = Vec::with_capacity(count);
    let seldom = Cause::ALL.into_iter().filter(|cause| *cause != Cause::Everything);
    let deck: Vec<_> = Cause::ALL.into_iter().chain(seldom.clone()).chain(seldom).collect();
    while faults.len() < count {
        for cause in draws.shuffled(&deck).into_iter().take(count - faults.len()) {
            faults.push(fault(&mut draws, cause, configuration, fleet, run));
        }
    }
    faults.sort_by_key(|fault| fault.whole());
    faults
}

fn fault(draws: &mut Draws, cause: Cause, configuration: &Configuration, fleet: &Fleet, run: Stretch) -> Fault {
    let (cause, scope) = scope(draws, cause, fleet);
    let mild = draws.happens(MILD_SHARE);
    let factor = draws.between_logs(if mild { MILD_FACTOR } else { CLEAR_FACTOR });
    let (factor, effect) = effect(draws, cause, factor);
    let (shape, length_ms) = length(draws, effect, configuration);
    let latest_ms = (run.to_ms - length_ms).max(run.from_ms + QUIET_MS + 1);
    let mut from_ms = draws.between((run.from_ms + QUIET_MS) as f64..latest_ms as f64) as i64;
    if draws.happens(WHOLE_MINUTE_SHARE) {
        from_ms = (from_ms + MINUTE_MS - 1).div_euclid(MINUTE_MS) * MINUTE_MS;
    }
    let whole = Stretch { from_ms, to_ms: from_ms + length_ms };
    let present = if shape == Shape::Flapping { flaps(draws, whole) } else { vec![whole] };
    let ramp_ms = if shape == Shape::Ramping { RAMP_MS } else { 0 };
    Fault { cause, scope, shape, factor, present, ramp_ms, effect }
}

/// A site without Wi-Fi can't have that disturbed: then it is a client's uplink.
fn scope(draws: &mut Draws, cause: Cause, fleet: &Fleet) -> (Cause, Scope) {
    let client = draws.below(fleet.clients.len());
    let target = draws.below(fleet.targets.len());
    let provider = fleet.clients[client].provider;
    let scope = match cause {
        Cause::ClientUplink => Scope::Client(client),
        Cause::SiteWifi => {
            let on_wifi: Vec<_> = fleet.clients.iter().filter(|client| client.access == Access::Wifi).collect();
            if on_wifi.is_empty() {
                return (Cause::ClientUplink, Scope::Client(client));
            }
            Scope::SiteWifi(on_wifi[draws.below(on_wifi.len())].site)
        }
        Cause::ProviderResolver | Cause::ProviderCongestion => Scope::Provider(provider),
        Cause::Shaping if draws.happens(0.5) => Scope::Client(client),
        Cause::Shaping => Scope::Provider(provider),
        Cause::TargetSlow | Cause::TargetFailing | Cause::Certificate => Scope::Target(target),
        Cause::HostingNetwork => Scope::Hosting(fleet.targets[target].hosting),
        Cause::ProviderToTarget => Scope::ProviderToTarget(provider, target),
        Cause::Everything => Scope::Everything,
    };
    (cause, scope)
}

/// What a cause does where it makes things so many times worse, and how many times worse it does.
fn effect(draws: &mut Draws, cause: Cause, factor: f64) -> (f64, Effect) {
    let none = Effect::NONE;
    match cause {
        Cause::ClientUplink | Cause::SiteWifi | Cause::ProviderCongestion => {
            (factor, Effect { round_trip: factor, throughput: factor, ..none })
        }
        Cause::HostingNetwork | Cause::ProviderToTarget | Cause::Everything => {
            (factor, Effect { round_trip: factor, ..none })
        }
        Cause::Shaping => (factor, Effect { throughput: factor, ..none }),
        Cause::TargetSlow => (factor, Effect { server: factor, ..none }),
        Cause::ProviderResolver if draws.happens(0.5) => {
            let factor = draws.between_logs(DNS_FACTOR);
            (factor, Effect { dns: factor, ..none })
        }
        // How many times worse that is depends on the pair; as a figure for all, of 20 ms.
        Cause::ProviderResolver => {
            let dns_added_ms = draws.between_logs(DNS_ADDED_MS);
            (1.0 + dns_added_ms / 20.0, Effect { dns_added_ms, ..none })
        }
        Cause::TargetFailing => {
            let failed_share = draws.between(FAILED_SHARE);
            (failed_share, Effect { failed_share, stage: ErrorStage::Http, ..none })
        }
        Cause::Certificate => (1.0, Effect { failed_share: 1.0, stage: ErrorStage::Tls, ..none }),
    }
}

/// Failures do not grow, and a fault that can't last long enough is steady.
fn length(draws: &mut Draws, effect: Effect, configuration: &Configuration) -> (Shape, i64) {
    let (shortest_ms, longest_ms) = (configuration.shortest_fault_ms, configuration.longest_fault_ms);
    let chance = draws.between(0.0..1.0);
    let (shape, at_least_ms) = if chance < RAMPING_SHARE && effect.failed_share == 0.0 {
        (Shape::Ramping, SHORTEST_RAMPING_MS)
    } else if (RAMPING_SHARE..RAMPING_SHARE + FLAPPING_SHARE).contains(&chance) {
        (Shape::Flapping, SHORTEST_FLAPPING_MS)
    } else {
        (Shape::Steady, 0)
    };
    let (shape, shortest_ms) =
        if at_least_ms > longest_ms { (Shape::Steady, shortest_ms) } else { (shape, shortest_ms.max(at_least_ms)) };
    (shape, draws.between_logs(shortest_ms as f64..longest_ms as f64) as i64)
}

fn flaps(draws: &mut Draws, whole: Stretch) -> Vec<Stretch> {
    let mut flaps = Vec::new();
    let mut from_ms = whole.from_ms;
    while from_ms < whole.to_ms {
        let to_ms = from_ms + draws.between(FLAP_MS) as i64;
        flaps.push(Stretch { from_ms, to_ms: to_ms.min(whole.to_ms) });
        from_ms = to_ms + draws.between(FLAP_MS) as i64;
    }
    flaps
}
