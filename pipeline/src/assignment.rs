//! Which worker owns which partition, over all processes.

use std::num::NonZeroUsize;

use netqoe_eventlog::Start;
use netqoe_model::Partition;

/// The workers of this process among all workers, which are numbered process by process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Assignment {
    process: usize,
    here: NonZeroUsize,
    all: NonZeroUsize,
}

impl Assignment {
    /// All workers are in this process.
    pub fn of_one_process(workers: NonZeroUsize) -> Self {
        Self { process: 0, here: workers, all: workers }
    }

    /// One of several processes with as many workers each.
    pub fn of_cluster(process: usize, processes: NonZeroUsize, workers: NonZeroUsize) -> Self {
        Self { process, here: workers, all: workers.saturating_mul(processes) }
    }

    /// The numbers of this process's workers.
    pub fn numbers(&self) -> std::ops::Range<usize> {
        let first = self.process * self.here.get();
        first..first + self.here.get()
    }

    /// The number of this process.
    pub fn process(&self) -> usize {
        self.process
    }

    /// How many processes there are.
    pub fn processes(&self) -> usize {
        self.all.get() / self.here.get()
    }

    /// Whether a worker of this process owns a partition.
    pub fn owns(&self, partition: Partition) -> bool {
        self.numbers().contains(&self.owner(partition))
    }

    /// The number of the worker that owns a partition.
    pub fn owner(&self, partition: Partition) -> usize {
        usize::from(partition.0) % self.all.get()
    }

    /// What each worker of this process reads of these partitions.
    pub fn share(&self, starts: &[Start]) -> Vec<Vec<Start>> {
        let owned = |worker| starts.iter().filter(|start| self.owner(start.partition) == worker).copied().collect();
        self.numbers().map(owned).collect()
    }
}

#[cfg(test)]
mod tests {
    use netqoe_model::Position;

    use super::*;

    #[test]
    fn each_partition_has_one_owner_in_one_process() {
        let (processes, workers) = (NonZeroUsize::new(3).unwrap(), NonZeroUsize::new(2).unwrap());
        let assignments: Vec<_> = (0..3).map(|process| Assignment::of_cluster(process, processes, workers)).collect();
        let start =
            |number| Start { partition: Partition(number), from: Position(0), processed: Position(0), log_time: None };
        let starts: Vec<_> = (0..16).map(start).collect();
        let shares: Vec<_> = assignments.iter().flat_map(|assignment| assignment.share(&starts)).collect();
        assert_eq!(shares.len(), 6);
        assert_eq!(shares.iter().map(Vec::len).sum::<usize>(), 16);
        for (worker, share) in shares.iter().enumerate() {
            for start in share {
                assert_eq!(usize::from(start.partition.0) % 6, worker);
                assert!(assignments.iter().all(|assignment| assignment.owner(start.partition) == worker));
            }
        }
    }
}
