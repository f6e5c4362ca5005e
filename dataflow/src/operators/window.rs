//! Events to windows, on the worker that owns their partition, epoch by epoch.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;

use differential_dataflow::{AsCollection, VecCollection};
use netqoe_model::{Checkpoint, Partition, Rules};
use timely::container::CapacityContainerBuilder;
use timely::dataflow::StreamVec;
use timely::dataflow::channels::pact::Exchange;
use timely::dataflow::operators::Capability;
use timely::dataflow::operators::generic::OutputBuilder;
use timely::dataflow::operators::generic::builder_rc::OperatorBuilder;

use crate::due::Due;
use crate::event_batch::EventBatch;
use crate::pair_window::PairWindow;
use crate::seed::{Pasts, Seed};
use crate::window::{PairId, PartitionWindows, WindowOutput};

type Changes<'s> = VecCollection<'s, u64, (PairId, PairWindow)>;

/// An epoch's batches, with the right to answer in that epoch on both outputs.
type Held = (Capability<u64>, Capability<u64>, Vec<EventBatch>);

/// The collection of windows, and what each partition came to.
///
/// An epoch is worked on once no batch of it can come any more: within a partition, epochs are in log order.
pub(crate) fn windows<'s>(
    events: StreamVec<'s, u64, EventBatch>,
    rules: Arc<Rules>,
    pasts: Pasts,
    due: Rc<Due>,
) -> (Changes<'s>, StreamVec<'s, u64, WindowOutput>) {
    let mut builder = OperatorBuilder::new("Windows".to_owned(), events.scope());
    let owner = Exchange::new(|batch: &EventBatch| u64::from(batch.partition.0));
    let mut input = builder.new_input(events, owner);
    let (changes, change_stream) = builder.new_output::<Vec<_>>();
    let (outputs, output_stream) = builder.new_output::<Vec<_>>();
    let mut changes = OutputBuilder::<_, CapacityContainerBuilder<_>>::from(changes);
    let mut outputs = OutputBuilder::<_, CapacityContainerBuilder<_>>::from(outputs);

    builder.build(move |_| {
        let Pasts { seeds, corrected } = pasts;
        let mut partitions = seeded(seeds, &rules);
        let mut held: BTreeMap<u64, Held> = BTreeMap::new();
        move |frontiers| {
            let (mut changes, mut outputs) = (changes.activate(), outputs.activate());
            input.for_each_stamp(|capability, batches| {
                let Some(&epoch) = capability.least() else { return };
                let (_, _, batch) = held
                    .entry(epoch)
                    .or_insert_with(|| (capability.delayed(&epoch, 0), capability.delayed(&epoch, 1), Vec::new()));
                batches.for_each(|batches| batch.append(batches));
            });
            while let Some(entry) = held.first_entry().filter(|entry| !frontiers[0].less_equal(entry.key())) {
                let (epoch, (change_capability, output_capability, batches)) = entry.remove_entry();
                let (mut changes, mut outputs) =
                    (changes.session(&change_capability), outputs.session(&output_capability));
                for pairs in corrected.try_iter() {
                    partition_of(&mut partitions, pairs.partition, &rules).install(pairs);
                }
                for mut output in turn(&mut partitions, batches, &rules, &due) {
                    let drained = output.changes.drain(..);
                    changes.give_iterator(drained.map(|(pair, window, diff)| ((pair, window), epoch, diff)));
                    outputs.give(output);
                }
            }
        }
    });
    (change_stream.as_collection(), output_stream)
}

/// The partitions that go on from somewhere, with what they remember.
fn seeded(seeds: Vec<Seed>, rules: &Arc<Rules>) -> BTreeMap<Partition, PartitionWindows> {
    let seed = |seed: Seed| {
        let mut windows = PartitionWindows::new(rules.clone(), seed.checkpoint);
        for (client_id, target, past) in seed.history {
            windows.remember(&client_id, &target, past);
        }
        (seed.checkpoint.partition, windows)
    };
    seeds.into_iter().map(seed).collect()
}

/// A partition, which is at its beginning where it has come nowhere.
fn partition_of<'a>(
    partitions: &'a mut BTreeMap<Partition, PartitionWindows>,
    partition: Partition,
    rules: &Arc<Rules>,
) -> &'a mut PartitionWindows {
    let start = || PartitionWindows::new(rules.clone(), Checkpoint { partition, ..Checkpoint::default() });
    partitions.entry(partition).or_insert_with(start)
}

/// One epoch: every partition takes its batches, and then, unless that can wait, says what came of them. What is due is worked
/// off in portions where others wait for this worker, of partitions in their order.
fn turn(
    partitions: &mut BTreeMap<Partition, PartitionWindows>,
    batches: Vec<EventBatch>,
    rules: &Arc<Rules>,
    due: &Due,
) -> Vec<WindowOutput> {
    let mut touched = BTreeSet::new();
    for batch in batches {
        let (partition, more_follows) = (batch.partition, batch.more_follows);
        partition_of(partitions, partition, rules).apply(batch);
        if !more_follows {
            touched.insert(partition);
        }
    }
    let Some(mut portion) = due.take_portion() else {
        return touched.iter().filter_map(|partition| partitions.get_mut(partition)?.turn()).collect();
    };
    let mut outputs = Vec::new();
    for (partition, windows) in &mut *partitions {
        if touched.contains(partition) || (portion > 0 && windows.due_pairs() > 0) {
            outputs.extend(windows.portion(&mut portion));
        }
    }
    due.leave(partitions.values().map(PartitionWindows::due_pairs).sum());
    outputs
}
