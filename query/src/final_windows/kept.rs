//! The blocks that are kept: without a gap, as far back as they may go.

use std::collections::VecDeque;
use std::sync::Arc;

use netqoe_sinks::read::CorrectedSince;

use super::block::{Block, WINDOWS};

/// Memory for blocks: a day of 2,000 pairs takes three quarters of it.
const MAX_BYTES: usize = 192 << 20;

/// How far back blocks go: what a page shows of a day, for an hour more.
const MAX_AGE_MS: i64 = 25 * 3_600_000;

/// Blocks that follow each other, oldest first.
#[derive(Debug)]
pub(super) struct Kept {
    blocks: VecDeque<Arc<Block>>,
    bytes: usize,
    max_bytes: usize,
    /// The newest block that can't be kept. None before it is.
    refused_ms: Option<i64>,
    /// The number of the newest correction that the blocks reflect.
    corrected: i64,
}

/// The blocks as they were at one moment.
#[derive(Debug)]
pub(super) struct Seen {
    blocks: Vec<Arc<Block>>,
    /// The number of the newest correction that they reflect.
    pub(super) corrected: i64,
}

impl Seen {
    pub(super) fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }

    /// Those that have what a snapshot of the store has: all of their windows were settled by then, and no correction lies between.
    pub(super) fn shared_with(self, settled_before_ms: Option<i64>, since: CorrectedSince) -> Vec<Arc<Block>> {
        let Some(settled_before_ms) = settled_before_ms else { return Vec::new() };
        // The blocks reflect what the snapshot does not.
        if since.newest < self.corrected {
            return Vec::new();
        }
        let before_ms = since.from.map_or(settled_before_ms, |from| from.ms().min(settled_before_ms));
        self.blocks.into_iter().take_while(|block| block.end_ms() <= before_ms).collect()
    }
}

impl Default for Kept {
    fn default() -> Self {
        Self { blocks: VecDeque::new(), bytes: 0, max_bytes: MAX_BYTES, refused_ms: None, corrected: 0 }
    }
}

impl Kept {
    /// Where the block begins that should be read next, where all windows before this time are settled: the one after the
    /// newest, else the one before the oldest.
    pub(super) fn next_ms(&self, settled_before_ms: i64, window_ms: i64) -> Option<i64> {
        let length_ms = i64::from(WINDOWS) * window_ms;
        let newest_ms = settled_before_ms.div_euclid(length_ms) * length_ms - length_ms;
        let next_ms = match (self.blocks.front(), self.blocks.back()) {
            (Some(_), Some(back)) if back.end_ms() <= newest_ms => back.end_ms(),
            (Some(front), Some(back)) => {
                let before_ms = front.start_ms - length_ms;
                let is_wanted = before_ms >= newest_ms - MAX_AGE_MS && self.bytes + back.bytes() <= self.max_bytes;
                return Some(before_ms).filter(|_| is_wanted && self.refused_ms != Some(before_ms));
            }
            _ => newest_ms,
        };
        Some(next_ms).filter(|next_ms| self.refused_ms != Some(*next_ms))
    }

    /// Keeps a block that [`Kept::next_ms`] has named, and lets go of the oldest where they are too many or too old.
    pub(super) fn keep(&mut self, block: Block) {
        self.bytes += block.bytes();
        if self.blocks.front().is_some_and(|front| block.start_ms < front.start_ms) {
            self.blocks.push_front(Arc::new(block));
        } else {
            let oldest_ms = block.start_ms - MAX_AGE_MS;
            self.blocks.push_back(Arc::new(block));
            while self.blocks.len() > 1 && (self.bytes > self.max_bytes || self.blocks[0].start_ms < oldest_ms) {
                self.bytes -= self.blocks.pop_front().map_or(0, |block| block.bytes());
            }
        }
    }

    /// The block that begins here can't be kept, nor what is before it.
    pub(super) fn refuse(&mut self, start_ms: i64) {
        self.refused_ms = Some(start_ms);
        if self.blocks.front().is_some_and(|front| front.start_ms < start_ms) {
            self.clear();
        }
    }

    pub(super) fn clear(&mut self) {
        self.blocks.clear();
        self.bytes = 0;
    }

    /// Lets go of what later corrections than the known one may have changed. Where the known one is not in the store, that is another
    /// one than it was.
    pub(super) fn correct(&mut self, CorrectedSince { newest, from }: CorrectedSince) {
        if newest < self.corrected {
            self.clear();
        }
        while let Some(block) = self.blocks.pop_back_if(|block| from.is_some_and(|from| block.end_ms() > from.ms())) {
            self.bytes -= block.bytes();
        }
        self.corrected = newest;
    }

    /// The number of the newest correction that the blocks reflect.
    pub(super) fn corrected(&self) -> i64 {
        self.corrected
    }

    /// Whether a block has a window that starts at or after this time.
    pub(super) fn reaches(&self, ms: i64) -> bool {
        self.blocks.back().is_some_and(|back| back.end_ms() > ms)
    }

    pub(super) fn seen(&self) -> Seen {
        Seen { blocks: self.blocks.iter().cloned().collect(), corrected: self.corrected }
    }

    pub(super) fn windows(&self) -> usize {
        self.blocks.iter().map(|block| block.windows()).sum()
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use netqoe_model::WindowStart;
    use netqoe_sinks::read::{Extent, Names};

    use super::*;

    const WINDOW_MS: i64 = 60_000;
    const BLOCK_MS: i64 = 600_000;

    fn block(start_ms: i64) -> Block {
        Block::of(start_ms, WINDOW_MS, Vec::new(), &mut Names::default())
    }

    /// Keeps what it asks for until it asks for nothing.
    fn fill(kept: &mut Kept, settled_before_ms: i64) -> Vec<i64> {
        let mut asked = Vec::new();
        while let Some(next_ms) = kept.next_ms(settled_before_ms, WINDOW_MS) {
            asked.push(next_ms / BLOCK_MS);
            kept.keep(block(next_ms));
        }
        asked
    }

    #[test]
    fn the_newest_settled_block_comes_first_then_the_older_ones_and_each_new_one_once() {
        let mut kept = Kept::default();
        let asked = fill(&mut kept, 1_000 * BLOCK_MS + WINDOW_MS);
        assert_eq!(asked, (849..=999).rev().collect::<Vec<_>>());
        assert_eq!(fill(&mut kept, 1_001 * BLOCK_MS - 1), [0; 0]);
        assert_eq!(fill(&mut kept, 1_002 * BLOCK_MS), [1_000, 1_001]);
        let starts: Vec<_> = kept.blocks.iter().map(|block| block.start_ms / BLOCK_MS).collect();
        assert_eq!(starts, (851..=1_001).collect::<Vec<_>>());
        assert_eq!(kept.bytes, kept.blocks.iter().map(|block| block.bytes()).sum::<usize>());
    }

    #[test]
    fn memory_is_bounded_and_the_oldest_go_first() {
        let max_bytes = 4 * block(0).bytes() + 1;
        let mut kept = Kept { max_bytes, ..Kept::default() };
        assert_eq!(fill(&mut kept, 1_000 * BLOCK_MS), [999, 998, 997, 996]);
        assert_eq!(fill(&mut kept, 1_001 * BLOCK_MS), [1_000]);
        assert_eq!(kept.blocks[0].start_ms, 997 * BLOCK_MS);
        assert!(kept.bytes <= max_bytes);
    }

    #[test]
    fn before_a_block_that_cant_be_kept_nothing_is_kept() {
        let mut kept = Kept::default();
        kept.refuse(999 * BLOCK_MS);
        assert_eq!(kept.next_ms(1_000 * BLOCK_MS, WINDOW_MS), None);
        assert_eq!(fill(&mut kept, 1_001 * BLOCK_MS), [1_000]);
        kept.refuse(1_001 * BLOCK_MS);
        assert!(!kept.reaches(i64::MIN) && kept.bytes == 0);
        assert_eq!(fill(&mut kept, 1_003 * BLOCK_MS), [1_002]);
    }

    #[test]
    fn only_blocks_with_a_part_in_it_are_looked_at() {
        let mut kept = Kept::default();
        fill(&mut kept, 1_000 * BLOCK_MS);
        let starts = |from_ms, to_ms| {
            let extent = Extent { client_id: None, target: None, tags: Vec::new(), from_ms, to_ms };
            let overlapping = kept.blocks.iter().filter(|block| block.overlaps(&extent));
            overlapping.map(|block| block.start_ms / BLOCK_MS).collect::<Vec<_>>()
        };
        assert_eq!(starts(998 * BLOCK_MS - 1, 999 * BLOCK_MS + 1), [997, 998, 999]);
        assert_eq!(starts(998 * BLOCK_MS, 999 * BLOCK_MS), [998]);
        assert_eq!(starts(1_000 * BLOCK_MS, i64::MAX), [0; 0]);
    }

    #[test]
    fn a_block_is_whole_before_a_time_or_left_out() {
        let mut kept = Kept::default();
        fill(&mut kept, 1_000 * BLOCK_MS);
        let newest = |ms| newest_of(&kept.seen().shared_with(Some(ms), CorrectedSince::default()));
        assert_eq!(newest(1_000 * BLOCK_MS), Some(999));
        assert_eq!(newest(1_000 * BLOCK_MS - 1), Some(998));
        assert_eq!(newest(0), None);
        assert_eq!(newest_of(&kept.seen().shared_with(None, CorrectedSince::default())), None);
    }

    /// Which of them is the newest.
    fn newest_of(blocks: &[Arc<Block>]) -> Option<i64> {
        blocks.last().map(|block| block.start_ms / BLOCK_MS)
    }

    fn since(newest: i64, from_ms: Option<i64>) -> CorrectedSince {
        CorrectedSince { newest, from: from_ms.map(WindowStart::from_ms) }
    }

    #[test]
    fn what_was_corrected_is_read_again() {
        let mut kept = Kept::default();
        kept.correct(since(4, Some(0)));
        fill(&mut kept, 1_000 * BLOCK_MS);
        kept.correct(since(4, None));
        assert_eq!(fill(&mut kept, 1_000 * BLOCK_MS), [0; 0]);
        kept.correct(since(7, Some(997 * BLOCK_MS + WINDOW_MS)));
        assert_eq!(kept.bytes, kept.blocks.iter().map(|block| block.bytes()).sum::<usize>());
        assert_eq!(fill(&mut kept, 1_000 * BLOCK_MS), [997, 998, 999]);
        kept.correct(since(8, Some(0)));
        assert!(kept.seen().is_empty() && kept.bytes == 0);
    }

    #[test]
    fn a_snapshot_before_or_after_a_correction_has_other_rows_than_memory() {
        let mut kept = Kept::default();
        kept.correct(since(4, None));
        fill(&mut kept, 1_000 * BLOCK_MS);
        let newest = |since| newest_of(&kept.seen().shared_with(Some(1_000 * BLOCK_MS), since));
        assert_eq!(newest(since(4, None)), Some(999));
        assert_eq!(newest(since(6, Some(998 * BLOCK_MS))), Some(997));
        assert_eq!(newest(since(6, Some(998 * BLOCK_MS - 1))), Some(996));
        assert_eq!(newest(since(6, Some(1_001 * BLOCK_MS))), Some(999));
        assert_eq!(newest(since(3, None)), None);
        // Its corrections are gone, or it is another store.
        kept.correct(since(0, None));
        assert!(kept.seen().is_empty() && kept.corrected() == 0);
    }
}
