//! Spans of what happens to batches whose requests are traced: that they are read, computed and committed.
//!
//! Beside the dataflow, which knows nothing of it: a batch is computed once a commit reflects the first of its traced records.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::SystemTime;

use netqoe_model::{Chunk, Partition, PartitionCommit, Position};
use netqoe_trace::{Contexts, Kind, Span, Tracer};
use parking_lot::Mutex;

/// Traced batches that are computed at once, at most. There are more only where few rows are shown, while a log is caught up
/// with; the oldest are then left without the span of their commit.
const MAX_UNDER_WAY: usize = 256;

/// The traced batches of a process. Clones are the same.
#[derive(Clone, Default)]
pub(crate) struct TracedBatches {
    tracer: Tracer,
    under_way: Arc<Mutex<VecDeque<UnderWay>>>,
}

/// A batch that is computed.
struct UnderWay {
    /// Its first traced record.
    place: (Partition, Position),
    /// Of reading it, which computing and committing follow from.
    read: Contexts,
    /// Ends when a commit takes it in.
    _compute: Span,
}

impl TracedBatches {
    pub(crate) fn new(tracer: Tracer) -> Self {
        Self { tracer, ..Self::default() }
    }

    /// The present, where reading may have a span.
    pub(crate) fn now(&self) -> Option<SystemTime> {
        self.tracer.now()
    }

    /// Takes in what a worker has read since `started`. `processed` says which records a commit reflects: they are read again
    /// to rebuild windows, and had their spans before.
    pub(crate) fn read(
        &self,
        started: Option<SystemTime>,
        chunks: &[Chunk],
        processed: &BTreeMap<Partition, Position>,
    ) {
        let is_new =
            |place: &(Partition, Position)| processed.get(&place.0).is_none_or(|processed| place.1 > *processed);
        let traced = |chunk: &Chunk| Some((chunk.place().filter(is_new)?, chunk.trace?));
        let Some((place, _)) = chunks.iter().find_map(traced).filter(|_| self.tracer.is_on()) else { return };
        let contexts = chunks.iter().filter_map(traced).map(|(_, context)| context).collect();
        let mut span = self.tracer.follow("read", Kind::Consumer, &contexts, started);
        span.set_count("netqoe.records", chunks.len() as u64);
        span.set_count("netqoe.bytes", chunks.iter().map(|chunk| chunk.lines.len() as u64).sum());
        let read = span.sampled().into_iter().collect();
        drop(span);
        let compute = self.tracer.follow("compute", Kind::Internal, &read, None);
        let mut under_way = self.under_way.lock();
        if under_way.len() == MAX_UNDER_WAY {
            under_way.pop_front();
        }
        under_way.push_back(UnderWay { place, read, _compute: compute });
    }

    /// The span of a commit of these, to be dropped once it is done; nothing where it reflects no traced batch.
    pub(crate) fn commit(&self, partitions: &[PartitionCommit]) -> Span {
        if !self.tracer.is_on() {
            return Span::default();
        }
        let reflects = |place: (Partition, Position)| {
            let checkpoints = partitions.iter().map(|commit| &commit.checkpoint);
            checkpoints.filter(|checkpoint| checkpoint.partition == place.0).any(|found| found.processed >= place.1)
        };
        let mut contexts = Contexts::default();
        self.under_way.lock().retain(|batch| {
            let reflected = reflects(batch.place);
            if reflected {
                contexts.extend(batch.read.parent());
            }
            !reflected
        });
        let mut span = self.tracer.follow("commit", Kind::Internal, &contexts, None);
        span.set_count("netqoe.partitions", partitions.len() as u64);
        span.set_count("netqoe.rows", partitions.iter().map(|commit| commit.rows.len() as u64).sum());
        span
    }
}

#[cfg(test)]
mod tests {
    use netqoe_model::metrics::Metrics;
    use netqoe_model::{Checkpoint, LogTime, TraceContext};
    use netqoe_trace::{SampleRatio, SpanCounts, Tracing};

    use super::*;

    const PARTITION: Partition = Partition(3);

    /// Spans go to a collector that is not there.
    fn tracing() -> (Tracing, TracedBatches) {
        let to = "http://127.0.0.1:1".parse().unwrap();
        let tracing = Tracing::start("tested", to, SampleRatio::NONE, SpanCounts::of(&Metrics::new())).unwrap();
        let batches = TracedBatches::new(tracing.tracer());
        (tracing, batches)
    }

    fn chunk(position: u64, trace: Option<u8>) -> Chunk {
        let trace = trace.map(|number| TraceContext { trace_id: [number; 16], span_id: [number; 8], sampled: true });
        let (partition, position, log_time) = (Some(PARTITION), Position(position), Some(LogTime::from_ms(1)));
        Chunk { partition, position, log_time, lines: b"{}\n".to_vec(), set_aside: None, came_late: false, trace }
    }

    /// Which trace a commit up to this position is in.
    fn committed(batches: &TracedBatches, partition: Partition, processed: u64) -> Option<u8> {
        let checkpoint = Checkpoint { partition, processed: Position(processed), ..Checkpoint::default() };
        let (rows, clients, dead_letters, looks) = Default::default();
        let commit =
            PartitionCommit { checkpoint, rows, clients, dead_letters, looks, waiting: vec![], oldest_record: None };
        batches.commit(&[commit]).sampled().map(|context| context.trace_id[0])
    }

    #[test]
    fn a_batch_is_computed_until_a_commit_reflects_its_first_traced_record() {
        let (_tracing, batches) = tracing();
        batches.read(batches.now(), &[chunk(4, None), chunk(6, Some(1)), chunk(7, Some(2))], &BTreeMap::new());
        assert_eq!(committed(&batches, PARTITION, 5), None);
        assert_eq!(committed(&batches, Partition(4), 9), None, "another partition");
        assert_eq!(committed(&batches, PARTITION, 6), Some(1));
        assert_eq!(committed(&batches, PARTITION, 9), None, "it is over");
    }

    #[test]
    fn what_rows_reflect_is_read_again_without_spans() {
        let (_tracing, batches) = tracing();
        let processed = BTreeMap::from([(PARTITION, Position(5))]);
        batches.read(batches.now(), &[chunk(4, Some(1)), chunk(5, Some(1))], &processed);
        assert_eq!(committed(&batches, PARTITION, 9), None);
        batches.read(batches.now(), &[chunk(5, Some(1)), chunk(6, Some(2))], &processed);
        assert_eq!(committed(&batches, PARTITION, 9), Some(2));
    }

    #[test]
    fn what_is_under_way_is_bounded() {
        let (_tracing, batches) = tracing();
        for position in 1..=MAX_UNDER_WAY as u64 + 10 {
            batches.read(batches.now(), &[chunk(position, Some(1))], &BTreeMap::new());
        }
        assert_eq!(committed(&batches, PARTITION, 10), None, "these are forgotten");
        assert_eq!(batches.under_way.lock().len(), MAX_UNDER_WAY);
    }

    #[test]
    fn without_a_tracer_nothing_is_kept() {
        let batches = TracedBatches::default();
        batches.read(batches.now(), &[chunk(1, Some(1))], &BTreeMap::new());
        assert_eq!((batches.under_way.lock().len(), committed(&batches, PARTITION, 9)), (0, None));
    }
}
