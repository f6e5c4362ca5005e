//! How each pair is now: its newest row, if that is recent.

use std::cmp::{Ordering, Reverse};

use netqoe_model::{Label, Ledger, Rules};
use netqoe_sinks::read::{CurrentRecord, Extent, Rows, Snapshot};

use super::asked::{Resolved, Scope};
use super::fleet_now::{self, FleetNow};
use super::networks::Networks;
use super::pairs::of_all_pairs;
use super::tags::NewestTags;
use crate::answer::Refusal;

/// A pair whose newest row lies this many windows back is current: it measures seldom, or its rows are on their way.
const CURRENT_WINDOWS: i64 = 5;

/// The current rows at one time, by client and target, the networks of their clients, the labels of these and of their targets, and where all events of the log went,
/// from one snapshot of the store.
#[derive(Debug, Default)]
pub(crate) struct Current {
    pub(crate) at_ms: Option<i64>,
    pub(crate) rows: Vec<CurrentRecord>,
    pub(crate) networks: Networks,
    pub(crate) tags: NewestTags,
    pub(crate) ledger: Ledger,
    pub(crate) fleet: FleetNow,
}

impl Current {
    pub(crate) fn read(store: Snapshot<'_>, scope: Scope, rules: &Rules) -> Result<Self, Refusal> {
        let checkpoints = store.rows.checkpoints()?;
        let mut ledger = Ledger::default();
        checkpoints.iter().for_each(|checkpoint| ledger += checkpoint.ledger);
        let to_ms = scope.to_ms();
        let asked = scope.resolve(store.rows, rules)?;
        let mut rows = rows(store.rows, &asked, rules)?;
        let mut fleet = FleetNow::read(store.incidents, &checkpoints, &asked, to_ms, rules)?;
        fleet_now::separate(&mut rows, &mut fleet.unmeasured);
        let (networks, tags) = (Networks::of_clients(&rows), NewestTags::of(&rows));
        Ok(Self { at_ms: asked.at_ms, rows, networks, tags, ledger, fleet })
    }

    /// Memory that it takes, about.
    pub(crate) fn bytes(&self) -> usize {
        let of_finding = |row: &CurrentRecord| row.finding.as_ref().map_or(0, |finding| size_of_val(&**finding));
        let of_row = |row| size_of::<CurrentRecord>() + of_finding(row);
        self.rows.iter().map(of_row).sum::<usize>() + self.networks.bytes() + self.tags.bytes() + self.fleet.bytes()
    }
}

/// The current rows alone.
pub(crate) fn rows(store: &dyn Rows, asked: &Resolved, rules: &Rules) -> Result<Vec<CurrentRecord>, Refusal> {
    let Some(at_ms) = asked.at_ms else { return Ok(Vec::new()) };
    let extent = Extent { from_ms: earliest_ms(at_ms, rules), to_ms: at_ms + 1, ..asked.extent.clone() };
    of_all_pairs(|limit| store.current(&extent, limit))
}

/// Start of the earliest window whose rows are current.
fn earliest_ms(at_ms: i64, rules: &Rules) -> i64 {
    at_ms - (CURRENT_WINDOWS - 1) * rules.window_ms
}

/// Rows with a label that is not healthy, worst first.
pub(crate) fn degraded(rows: &[CurrentRecord]) -> Vec<&CurrentRecord> {
    let mut degraded: Vec<_> = rows.iter().filter(|row| is_degraded(row)).collect();
    degraded.sort_by(|a, b| worst_first(a, b));
    degraded
}

pub(crate) fn is_degraded(row: &CurrentRecord) -> bool {
    row.finding.is_some()
}

/// Since when the pair has had its label; none where it is healthy, or where the row is of a netqoe that did not say.
pub(crate) fn since_ms(row: &CurrentRecord) -> Option<i64> {
    Some(row.finding.as_ref()?.since?.ms())
}

/// By severity, by how early a measurement meets what hurts, by how far it is from usual; then by name.
fn worst_first(a: &CurrentRecord, b: &CurrentRecord) -> Ordering {
    let rank = |row: &CurrentRecord| {
        let severity = row.finding.as_ref().map(|finding| finding.severity);
        (Reverse(severity), row.label.and_then(place))
    };
    let sigmas = |row: &CurrentRecord| row.finding.as_ref().and_then(|finding| finding.sigmas).map_or(0.0, f64::abs);
    rank(a).cmp(&rank(b)).then_with(|| sigmas(b).total_cmp(&sigmas(a))).then_with(|| a.pair.cmp(&b.pair))
}

fn place(label: Label) -> Option<usize> {
    Label::ALL.iter().position(|&other| other == label)
}
