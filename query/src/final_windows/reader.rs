//! A store as readers see it, with the final windows of the last day in memory.

use std::cell::OnceCell;
use std::num::NonZeroU16;
use std::sync::Arc;

use netqoe_model::Rules;
use netqoe_sinks::read::{
    DegradedRecord, Extent, Matching, Names, PointRecord, ReadError, Reader, Snapshot, SplitRecord, Summaries,
};
use parking_lot::{Mutex, RwLock};

use super::block::Block;
use super::kept::{Kept, Seen};
use super::totals::Totals;
use super::{degraded, points, split};

/// Answers as the store does. [`Summaries`] come from memory, as far as it reaches; each snapshot of the store decides how far
/// that is, so that both agree.
pub struct FinalWindowsReader {
    pub(super) store: Arc<dyn Reader>,
    pub(super) rules: Rules,
    /// Of the log; none is final before each of them has a checkpoint.
    pub(super) partitions: NonZeroU16,
    pub(super) kept: RwLock<Kept>,
    /// Those of the blocks.
    pub(super) names: Mutex<Names>,
}

/// One snapshot of the store, with what memory has of it.
struct WithMemory<'a> {
    reader: &'a FinalWindowsReader,
    store: Snapshot<'a>,
    /// Known from the first question on that they answer a part of.
    blocks: OnceCell<Vec<Arc<Block>>>,
}

/// What memory has of an extent, and what the store must be asked for.
struct Parts {
    blocks: Vec<Arc<Block>>,
    beside: Vec<Extent>,
}

impl FinalWindowsReader {
    /// Of a store whose rows are made by these rules from a log of so many partitions. Memory is empty until
    /// [`keep_filled`](super::keep_filled) is at work.
    pub fn new(store: Arc<dyn Reader>, rules: &Rules, partitions: NonZeroU16) -> Self {
        Self { store, rules: rules.clone(), partitions, kept: RwLock::default(), names: Mutex::default() }
    }
}

impl Reader for FinalWindowsReader {
    fn at_once(&self, ask: &mut dyn FnMut(Snapshot<'_>)) -> Result<(), ReadError> {
        self.store.at_once(&mut |store| {
            let summaries = WithMemory { reader: self, store, blocks: OnceCell::new() };
            ask(Snapshot { summaries: &summaries, ..store });
        })
    }
}

impl WithMemory<'_> {
    /// Those of which the snapshot itself says that they have the rows that it has: they are final, and were not corrected before
    /// memory read them or since. Memory may have come further meanwhile, or have been filled from a store that this one has replaced.
    fn blocks(&self) -> Result<&[Arc<Block>], ReadError> {
        if let Some(blocks) = self.blocks.get() {
            return Ok(blocks);
        }
        let seen = self.reader.kept.read().seen();
        let blocks = if seen.is_empty() { Vec::new() } else { self.shared_with_snapshot(seen)? };
        Ok(self.blocks.get_or_init(|| blocks))
    }

    fn shared_with_snapshot(&self, seen: Seen) -> Result<Vec<Arc<Block>>, ReadError> {
        let settled_before_ms = self.reader.settled_before_ms(&self.store.rows.checkpoints()?);
        let since = self.store.rows.corrected_since(seen.corrected)?;
        Ok(seen.shared_with(settled_before_ms, since))
    }

    fn parts(&self, extent: &Extent) -> Result<Parts, ReadError> {
        let blocks: Vec<_> = self.blocks()?.iter().filter(|block| block.overlaps(extent)).cloned().collect();
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
        Ok(Parts { blocks, beside })
    }
}

impl Summaries for WithMemory<'_> {
    fn points(&self, extent: &Extent, point_ms: i64, limit: u32) -> Result<Vec<PointRecord>, ReadError> {
        let Parts { blocks, beside } = self.parts(extent)?;
        let mut totals = Totals::new();
        blocks.iter().for_each(|block| points::add(&mut totals, block, extent, point_ms));
        for extent in beside {
            points::add_records(&mut totals, self.store.summaries.points(&extent, point_ms, limit)?);
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
        let Parts { blocks, beside } = self.parts(extent)?;
        let mut totals = Totals::new();
        blocks.iter().for_each(|block| split::add(&mut totals, block, extent, inside_ms, matching));
        for extent in beside {
            split::add_records(&mut totals, &self.store.summaries.split(&extent, inside_ms, matching, limit)?);
        }
        Ok(split::records(totals, limit))
    }

    fn degraded(&self, extent: &Extent, limit: u32) -> Result<Vec<DegradedRecord>, ReadError> {
        let Parts { blocks, beside } = self.parts(extent)?;
        let mut windows: Vec<_> = blocks.iter().flat_map(|block| degraded::records(block, extent)).collect();
        for extent in beside {
            windows.extend(self.store.summaries.degraded(&extent, limit)?);
        }
        windows.sort_by_key(|window| window.window_start);
        windows.truncate(limit as usize);
        Ok(windows)
    }
}
