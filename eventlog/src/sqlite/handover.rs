//! Spans of transactions, for the readers of what they wrote: in memory alone, since a record has no place for them. What is
//! read after a restart is part of no trace.

use std::collections::VecDeque;

use netqoe_model::{Chunk, Partition, Position, TraceContext};
use parking_lot::Mutex;

/// Records whose span is remembered, at most: those of some seconds in which every request is traced. A reader that is further
/// behind finds none.
const MAX_REMEMBERED: usize = 1_024;

/// The spans of the newest traced records.
#[derive(Default)]
pub(super) struct Handover(Mutex<VecDeque<(Position, TraceContext)>>);

impl Handover {
    /// Takes in which span wrote these records, before anybody can read them. Positions never fall.
    pub(super) fn put(&self, written: &[(Partition, Position)], context: TraceContext) {
        let mut remembered = self.0.lock();
        for (_, position) in written {
            if remembered.len() == MAX_REMEMBERED {
                remembered.pop_front();
            }
            remembered.push_back((*position, context));
        }
    }

    /// Says of each of these records which span wrote it, where that is known.
    pub(super) fn mark(&self, chunks: &mut [Chunk]) {
        let remembered = self.0.lock();
        if remembered.is_empty() {
            return;
        }
        for chunk in chunks {
            let found = remembered.binary_search_by_key(&chunk.position, |(position, _)| *position);
            chunk.trace = found.ok().map(|index| remembered[index].1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn context(number: u8) -> TraceContext {
        TraceContext { trace_id: [number; 16], span_id: [number; 8], sampled: true }
    }

    fn found(handover: &Handover, position: u64) -> Option<TraceContext> {
        let (partition, lines) = (Some(Partition(0)), Vec::new());
        let mut chunks = [Chunk {
            partition,
            position: Position(position),
            log_time: None,
            lines,
            set_aside: None,
            came_late: false,
            trace: None,
        }];
        handover.mark(&mut chunks);
        chunks[0].trace
    }

    #[test]
    fn a_record_has_the_span_that_wrote_it() {
        let handover = Handover::default();
        handover.put(&[(Partition(0), Position(3)), (Partition(7), Position(4))], context(1));
        handover.put(&[(Partition(0), Position(9))], context(2));
        assert_eq!([3, 4, 9].map(|position| found(&handover, position)), [1, 1, 2].map(|n| Some(context(n))));
        assert_eq!([1, 5, 10].map(|position| found(&handover, position)), [None; 3]);
    }

    #[test]
    fn the_oldest_are_forgotten() {
        let handover = Handover::default();
        for position in 0..=MAX_REMEMBERED as u64 {
            handover.put(&[(Partition(0), Position(position))], context(1));
        }
        assert_eq!((found(&handover, 0), found(&handover, 1)), (None, Some(context(1))));
    }
}
