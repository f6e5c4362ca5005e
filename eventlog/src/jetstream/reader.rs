//! Reading some partitions: what a task of the log reads ahead is handed out here.

use std::sync::Arc;

use netqoe_model::{Chunk, Partition, Position};

use super::Shared;
use super::follower::Follower;
use super::read_ahead::ReadAhead;
use crate::{LogError, LogReader, Start};

pub(super) struct JetStreamReader {
    ahead: Arc<ReadAhead>,
    /// Keeps the log's thread alive.
    _shared: Arc<Shared>,
}

impl JetStreamReader {
    /// Starts reading. Returns the stream's last position at that time too.
    pub(super) fn open(shared: &Arc<Shared>, starts: &[Start]) -> Result<(Self, Position), LogError> {
        let reader = Self { ahead: Arc::default(), _shared: Arc::clone(shared) };
        let last = follow(shared, vec![(starts.to_vec(), Arc::clone(&reader.ahead))])?;
        Ok((reader, last))
    }

    /// Starts several readers that follow the stream together.
    pub(super) fn open_each(shared: &Arc<Shared>, readers: &[Vec<Start>]) -> Result<Vec<Self>, LogError> {
        let with_ahead = |starts: &Vec<Start>| (starts.clone(), Arc::<ReadAhead>::default());
        let followed: Vec<_> = readers.iter().map(with_ahead).collect();
        follow(shared, followed.clone())?;
        Ok(followed.into_iter().map(|(_, ahead)| Self { ahead, _shared: Arc::clone(shared) }).collect())
    }

    /// Everything up to here was handed out, lies ready, or is of no concern.
    pub(super) fn scanned(&self) -> Position {
        self.ahead.scanned()
    }
}

/// Starts to follow the stream for these readers, where it holds what they are to read.
fn follow(shared: &Shared, readers: Vec<(Vec<Start>, Arc<ReadAhead>)>) -> Result<Position, LogError> {
    let partitions = shared.source.identity.partitions.get();
    let starts: Vec<_> = readers.iter().flat_map(|(starts, _)| starts).copied().collect();
    if let Some(&Start { partition, .. }) = starts.iter().find(|start| start.partition.0 >= partitions) {
        return Err(LogError::NoSuchPartition { partition, partitions });
    }
    let source = shared.source.clone();
    shared.thread.wait(async move {
        let info = source.insist(|| source.check_starts(&starts)).await?;
        let last = Position(info.state.last_sequence);
        tokio::spawn(Follower::new(source, readers, &info).run());
        Ok(last)
    })
}

/// Whether the stream is what it was when these places were reached.
pub(super) fn check(shared: &Shared, starts: &[Start]) -> Result<(), LogError> {
    let (source, starts) = (shared.source.clone(), starts.to_vec());
    shared.thread.wait(async move { source.insist(|| source.check_starts(&starts)).await.map(drop) })
}

impl LogReader for JetStreamReader {
    fn read(&mut self, max_bytes: usize) -> Result<Vec<Chunk>, LogError> {
        self.ahead.take(max_bytes)
    }

    fn returned_through(&self) -> Position {
        self.ahead.taken_through()
    }

    fn lag(&self) -> u64 {
        self.ahead.lag()
    }

    fn lag_of(&self, partition: Partition) -> Option<u64> {
        self.ahead.lag_of(partition)
    }

    fn on_append(&mut self, wake: Box<dyn Fn() + Send + Sync>) {
        self.ahead.on_arrival(wake);
    }
}

impl Drop for JetStreamReader {
    fn drop(&mut self) {
        self.ahead.close();
    }
}
