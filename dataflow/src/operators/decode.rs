//! Batches of log text to batches of events, on whichever worker read them.

use timely::dataflow::StreamVec;
use timely::dataflow::channels::pact::Pipeline;
use timely::dataflow::operators::generic::Operator;

use crate::decode::Decoder;
use crate::event_batch::EventBatch;
use crate::feed::Batch;

pub(crate) fn decode(batches: StreamVec<'_, u64, Batch>, decoder: Decoder) -> StreamVec<'_, u64, EventBatch> {
    batches.unary(Pipeline, "Decode", |_, _| {
        move |input, output| {
            input.for_each_stamp(|capability, batches| {
                let mut session = output.session(&capability);
                for batch in batches.flat_map(|batches| batches.drain(..)) {
                    session.give_iterator(decoder.decode(&batch).into_iter());
                }
            });
        }
    })
}
