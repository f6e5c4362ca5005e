//! The dataflow graph, on one page.

use std::num::NonZeroU16;
use std::rc::Rc;
use std::sync::Arc;

use netqoe_model::Rules;
use timely::dataflow::operators::Probe;
use timely::dataflow::{ProbeHandle, StreamVec};

use crate::decode::Decoder;
use crate::due::Due;
use crate::feed::Batch;
use crate::operators;
use crate::output::Outlet;
use crate::seed::Pasts;

/// From batches of the log to what an [`Outlet`] takes:
///
/// ```text
/// batches ─ decode ─▶ events ─ window ─▶ open windows ─ judge ─▶ rows ──────────────┐
///            any worker       │ the partition's worker, from here on              ├─ collect ─▶ outlet
///                             └────── closed windows, progress, clients, dead letters ┘
/// ```
///
/// `probe` tells which epochs have been handed to the outlet; `due`, how much may be done in a turn of what is due.
pub(crate) fn build<'s>(
    batches: StreamVec<'s, u64, Batch>,
    partitions: NonZeroU16,
    rules: Arc<Rules>,
    pasts: Pasts,
    due: Rc<Due>,
    outlet: Box<dyn Outlet>,
    probe: &ProbeHandle<u64>,
) {
    let events = operators::decode(batches, Decoder::new(partitions, rules.max_future_ms));
    let (windows, progress) = operators::windows(events, rules.clone(), pasts, due);
    let rows = operators::judged(windows, rules).map(|(pair, (_, row, judged))| (pair, (row, judged)));
    operators::collect(rows.inner, progress, outlet).probe_with(probe);
}
