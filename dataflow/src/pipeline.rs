//! The pipeline, on one page.

use std::num::NonZeroU16;
use std::sync::Arc;

use netqoe_model::Rules;
use timely::dataflow::operators::Probe;
use timely::dataflow::{ProbeHandle, StreamVec};

use crate::decode::Decoder;
use crate::diagnose::diagnose;
use crate::feed::Batch;
use crate::operators;
use crate::output::Outlet;
use crate::run::Seed;

/// From batches of the log to what an [`Outlet`] takes:
///
/// ```text
/// batches ─ decode ─▶ events ─ window ─▶ windows ─ baseline ─▶ ─ diagnose ─▶ rows ─┐
///            any worker       │ the partition's worker, from here on              ├─ collect ─▶ outlet
///                             └──────────────────── progress, clients, dead letters ┘
/// ```
///
/// `probe` tells which epochs have been handed to the outlet.
pub fn build<'s>(
    batches: StreamVec<'s, u64, Batch>,
    partitions: NonZeroU16,
    rules: Arc<Rules>,
    seeds: Vec<Seed>,
    outlet: Box<dyn Outlet>,
    probe: &ProbeHandle<u64>,
) {
    let events = operators::decode(batches, Decoder::new(partitions, rules.max_future_ms));
    let (windows, progress) = operators::windows(events, rules.clone(), seeds);
    let with_baselines = operators::with_baselines(windows, rules.clone());
    let rows = with_baselines.map(move |(pair, (_, row, baseline))| {
        let diagnosis = diagnose(&row, baseline.as_deref(), &rules.diagnosis);
        (pair, (row, diagnosis))
    });
    operators::collect(rows.inner, progress, outlet).probe_with(probe);
}
