//! Reading what has settled, block by block.

use std::sync::Arc;
use std::time::{Duration, Instant};

use netqoe_model::{Checkpoint, Frontier};
use netqoe_sinks::read::{AggregateRecord, Filter, Query, ReadError, Rows};
use tokio_util::sync::CancellationToken;

use super::block::{Block, WINDOWS};
use super::reader::FinalWindowsReader;
use crate::pages::pages;

/// How often is looked whether more has settled. A block settles once in ten minutes, and until it is here the store
/// answers for it.
const EVERY: Duration = Duration::from_secs(5);

/// Rows that are read at once: also from a cold disk in much less than a question may take.
const PAGE: u16 = 5_000;

/// A block with more rows is not kept: of so large a fleet memory would hold a few hours only, and reading a block would
/// take a good part of the time that it spans.
const MAX_ROWS: usize = 100_000;

/// What one step has done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filling {
    /// There may be more to read.
    GoesOn,
    /// All that has settled and may be kept is here.
    IsDone,
}

/// A block as it is read.
struct NextBlock {
    start_ms: i64,
    /// None where it can't be kept.
    rows: Option<Vec<AggregateRecord>>,
}

impl FinalWindowsReader {
    /// Reads one block, where there is one to read. Blocks its thread.
    ///
    /// # Errors
    /// Where the store can't be read, is busy, or takes too long; memory is as it was.
    pub fn fill_one(&self) -> Result<Filling, ReadError> {
        let Some(NextBlock { start_ms, rows }) = self.store.ask(|store| self.next(store.rows))? else {
            return Ok(Filling::IsDone);
        };
        let mut names = self.names.lock();
        let block = rows.map(|rows| Block::of(start_ms, self.rules.window_ms, rows, &mut names));
        match block {
            Some(block) => self.kept.write().keep(block),
            None => self.kept.write().refuse(start_ms),
        }
        names.forget_unused();
        Ok(Filling::GoesOn)
    }

    /// The next block, from a snapshot that says that its rows are final; none where nothing is to be read.
    fn next(&self, store: &dyn Rows) -> Result<Option<NextBlock>, ReadError> {
        let settled_before_ms = self.settled_before_ms(&store.checkpoints()?);
        let known = self.kept.read().corrected();
        let since = store.corrected_since(known)?;
        let mut kept = self.kept.write();
        if settled_before_ms.is_none_or(|settled_before_ms| kept.reaches(settled_before_ms)) {
            // The store is another one than it was.
            kept.clear();
        }
        kept.correct(since);
        drop(kept);
        let next_ms = |settled_before_ms| self.kept.read().next_ms(settled_before_ms, self.rules.window_ms);
        let Some(start_ms) = settled_before_ms.and_then(next_ms) else { return Ok(None) };
        Ok(Some(NextBlock { start_ms, rows: self.rows(store, start_ms)? }))
    }

    /// Windows that start before this time are final: only a correction changes them.
    pub(super) fn settled_before_ms(&self, checkpoints: &[Checkpoint]) -> Option<i64> {
        let log_times = checkpoints.iter().map(|checkpoint| checkpoint.log_time);
        Some(Frontier::of_all(log_times, self.partitions)?.final_before(&self.rules).ms())
    }

    /// All rows of a block, unless they are too many, or one of them was made by other rules: it is not final, or its window
    /// has another length.
    fn rows(&self, store: &dyn Rows, start_ms: i64) -> Result<Option<Vec<AggregateRecord>>, ReadError> {
        let to_ms = start_ms + i64::from(WINDOWS) * self.rules.window_ms;
        let filter = Filter { from_ms: Some(start_ms), to_ms: Some(to_ms), ..Filter::default() };
        let query = Query { filter, after: None, limit: PAGE };
        let is_ours =
            |row: &AggregateRecord| row.window.is_final && row.window.start.ms().rem_euclid(self.rules.window_ms) == 0;
        let mut rows = Vec::new();
        for page in pages(query, |query| store.aggregates(query), AggregateRecord::position) {
            let page = page?;
            if rows.len() + page.len() > MAX_ROWS || !page.iter().all(is_ours) {
                return Ok(None);
            }
            rows.extend(page);
        }
        Ok(Some(rows))
    }

    /// What memory has.
    pub fn tell(&self) -> String {
        let kept = self.kept.read();
        let mebibytes = kept.bytes() as f64 / f64::from(1 << 20);
        format!("{} final windows are in memory, in {mebibytes:.1} MiB", kept.windows())
    }
}

/// Keeps memory filled until `stop`. Takes half of one core and one connection at most, and only while it catches up.
pub async fn keep_filled(reader: Arc<FinalWindowsReader>, stop: CancellationToken) {
    let (mut has_told, mut has_failed) = (false, false);
    while !stop.is_cancelled() {
        let (filling, began) = (Arc::clone(&reader), Instant::now());
        let filled = tokio::task::spawn_blocking(move || filling.fill_one()).await;
        let pause = match filled {
            Ok(Ok(Filling::GoesOn)) => began.elapsed(),
            Ok(Ok(Filling::IsDone)) => {
                if !has_told && reader.kept.read().windows() > 0 {
                    has_told = true;
                    tracing::info!("{}", reader.tell());
                }
                has_failed = false;
                EVERY
            }
            Ok(Err(error)) => {
                // Once for each time that it begins to fail: the store's health tells the rest.
                if !has_failed {
                    tracing::warn!("windows are not taken into memory, so questions take longer: {error}");
                }
                has_failed = true;
                EVERY
            }
            Err(ended) => {
                tracing::error!("windows are taken into memory no more, so questions take longer: {ended}");
                return;
            }
        };
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(pause) => {}
        }
    }
}
