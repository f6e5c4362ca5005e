//! A store as readers see it, with the settled windows of the last day in memory.

use std::num::NonZeroU16;
use std::sync::Arc;

use netqoe_model::{Checkpoint, Rules};
use netqoe_sinks::read::{
    AggregateRecord, ClientRecord, CurrentRecord, DegradedRecord, DiagnosisRecord, Extent, Filter, Matching, Names,
    Page, Pair, PastLabel, PointRecord, Query, ReadError, Reader, RowPosition, RunRecord, SplitRecord, TargetRecord,
};
use parking_lot::{Mutex, RwLock};

use super::block::Block;
use super::kept::Kept;
use super::totals::Totals;
use super::{degraded, points, split};

/// Answers as the store does. Questions that add up the windows of many pairs are answered from memory, as far as it
/// reaches.
pub struct SettledReader {
    pub(super) store: Arc<dyn Reader>,
    pub(super) rules: Rules,
    /// Of the log; none is settled before each of them has a checkpoint.
    pub(super) partitions: NonZeroU16,
    pub(super) kept: RwLock<Kept>,
    /// Those of the blocks.
    pub(super) names: Mutex<Names>,
}

/// What memory has of an extent, and what the store must be asked for.
struct Parts {
    blocks: Vec<Arc<Block>>,
    beside: Vec<Extent>,
}

impl SettledReader {
    /// Of a store whose rows are made by these rules from a log of so many partitions. Memory is empty until
    /// [`keep_filled`](super::keep_filled) is at work.
    pub fn new(store: Arc<dyn Reader>, rules: &Rules, partitions: NonZeroU16) -> Self {
        Self { store, rules: rules.clone(), partitions, kept: RwLock::default(), names: Mutex::default() }
    }

    fn parts(&self, extent: &Extent) -> Parts {
        let blocks = self.kept.read().within(extent);
        let beside = match (blocks.first(), blocks.last()) {
            (Some(first), Some(last)) => [
                Extent { to_ms: first.start_ms, ..extent.clone() },
                Extent { from_ms: last.end_ms(), ..extent.clone() },
            ]
            .into_iter()
            .filter(|extent| extent.from_ms < extent.to_ms)
            .collect(),
            _ => vec![extent.clone()],
        };
        Parts { blocks, beside }
    }
}

impl Reader for SettledReader {
    fn points(&self, extent: &Extent, point_ms: i64, limit: u32) -> Result<Vec<PointRecord>, ReadError> {
        let Parts { blocks, beside } = self.parts(extent);
        let mut totals = Totals::new();
        blocks.iter().for_each(|block| points::add(&mut totals, block, extent, point_ms));
        for extent in beside {
            points::add_records(&mut totals, self.store.points(&extent, point_ms, limit)?);
        }
        Ok(points::records(totals, limit))
    }

    fn split(
        &self,
        extent: &Extent,
        inside_ms: [i64; 2],
        matching: &Matching,
        limit: u32,
    ) -> Result<Vec<SplitRecord>, ReadError> {
        let Parts { blocks, beside } = self.parts(extent);
        let mut totals = Totals::new();
        blocks.iter().for_each(|block| split::add(&mut totals, block, extent, inside_ms, matching));
        for extent in beside {
            split::add_records(&mut totals, &self.store.split(&extent, inside_ms, matching, limit)?);
        }
        Ok(split::records(totals, limit))
    }

    fn degraded(&self, extent: &Extent, limit: u32) -> Result<Vec<DegradedRecord>, ReadError> {
        let Parts { blocks, beside } = self.parts(extent);
        let mut windows: Vec<_> = blocks.iter().flat_map(|block| degraded::records(block, extent)).collect();
        for extent in beside {
            windows.extend(self.store.degraded(&extent, limit)?);
        }
        windows.sort_by_key(|window| window.window_start);
        windows.truncate(limit as usize);
        Ok(windows)
    }

    fn aggregates(&self, query: &Query<RowPosition>) -> Result<Page<AggregateRecord>, ReadError> {
        self.store.aggregates(query)
    }

    fn diagnoses(&self, query: &Query<RowPosition>) -> Result<Page<DiagnosisRecord>, ReadError> {
        self.store.diagnoses(query)
    }

    fn clients(&self, query: &Query<String>) -> Result<Page<ClientRecord>, ReadError> {
        self.store.clients(query)
    }

    fn targets(&self, query: &Query<String>) -> Result<Page<TargetRecord>, ReadError> {
        self.store.targets(query)
    }

    fn checkpoints(&self) -> Result<Vec<Checkpoint>, ReadError> {
        self.store.checkpoints()
    }

    fn current(&self, extent: &Extent, limit: u32) -> Result<Vec<CurrentRecord>, ReadError> {
        self.store.current(extent, limit)
    }

    fn latest_labels(&self, pairs: &[Pair], times_ms: [i64; 2], limit: u32) -> Result<Vec<Vec<PastLabel>>, ReadError> {
        self.store.latest_labels(pairs, times_ms, limit)
    }

    fn runs(&self, filter: &Filter, limit: u16) -> Result<Page<RunRecord>, ReadError> {
        self.store.runs(filter, limit)
    }

    fn rules(&self) -> Result<Option<String>, ReadError> {
        self.store.rules()
    }
}
