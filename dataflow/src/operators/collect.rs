//! Ends the dataflow: gathers what an epoch led to and hands it out once it is whole.

use std::collections::BTreeMap;

use timely::container::CapacityContainerBuilder;
use timely::dataflow::StreamVec;
use timely::dataflow::channels::pact::Pipeline;
use timely::dataflow::operators::Capability;
use timely::dataflow::operators::generic::Operator;

use crate::output::{JudgedRow, Names, Outlet};
use crate::window::{PairId, WindowOutput};

#[derive(Default)]
struct Epoch {
    windows: Vec<WindowOutput>,
    rows: Vec<(PairId, JudgedRow)>,
    /// Held until the epoch is handed out, so that a probe behind this operator sees when that is.
    capability: Option<Capability<u64>>,
}

/// Rows and progress of an epoch, together. Rows that are only taken back are not handed on: a window never ceases to
/// have a row, it gets another.
pub(crate) fn collect<'s>(
    rows: StreamVec<'s, u64, ((PairId, JudgedRow), u64, isize)>,
    windows: StreamVec<'s, u64, WindowOutput>,
    mut outlet: Box<dyn Outlet>,
) -> StreamVec<'s, u64, ()> {
    rows.binary_frontier::<_, CapacityContainerBuilder<Vec<()>>, _, _, _, _>(
        windows,
        Pipeline,
        Pipeline,
        "Collect",
        |_, _| {
            let (mut epochs, mut names) = (BTreeMap::<u64, Epoch>::new(), Names::default());
            move |(rows, rows_frontier), (windows, windows_frontier), _output| {
                rows.for_each_stamp(|capability, updates| {
                    for (row, epoch, diff) in updates.flat_map(|updates| updates.drain(..)) {
                        let gathered = epochs.entry(epoch).or_default();
                        gathered.capability.get_or_insert_with(|| capability.delayed(&epoch, 0));
                        if diff > 0 {
                            gathered.rows.push(row);
                        }
                    }
                });
                windows.for_each_stamp(|capability, outputs| {
                    let Some(&epoch) = capability.least() else { return };
                    let gathered = epochs.entry(epoch).or_default();
                    gathered.capability.get_or_insert_with(|| capability.delayed(&epoch, 0));
                    outputs.for_each(|outputs| gathered.windows.append(outputs));
                });
                let open = |epoch: &u64| rows_frontier.less_equal(epoch) || windows_frontier.less_equal(epoch);
                while let Some(entry) = epochs.first_entry().filter(|entry| !open(entry.key())) {
                    let Epoch { windows, rows, .. } = entry.remove();
                    let partitions = names.assemble(windows, rows);
                    if !partitions.is_empty() {
                        outlet.send(partitions);
                    }
                }
            }
        },
    )
}
