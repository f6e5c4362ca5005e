//! How many windows match, inside a range of time and outside.

use std::ops::Range;

use netqoe_sinks::read::{Extent, Matching, SplitRecord};

use super::block::Block;
use super::totals::Totals;

/// Windows inside, those of them that match, windows outside, those of them that match.
pub(super) type Counts = [u64; 4];

/// Adds what a block has.
pub(super) fn add(
    totals: &mut Totals<Counts>,
    block: &Block,
    extent: &Extent,
    inside_ms: [i64; 2],
    matching: &Matching,
) {
    for (pair, rows) in block.within(extent) {
        let inside = block.between(rows.clone(), inside_ms);
        let [all, all_matching] = [rows.len() as u64, count(block, rows, matching)];
        let [within, within_matching] = [inside.len() as u64, count(block, inside, matching)];
        let counts = [within, within_matching, all - within, all_matching - within_matching];
        totals.of(pair).iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
    }
}

/// Adds what the store has found.
pub(super) fn add_records(totals: &mut Totals<Counts>, records: &[SplitRecord]) {
    for record in records {
        let SplitRecord { pair, inside_windows, inside_matching, outside_windows, outside_matching } = record;
        let counts = [inside_windows, inside_matching, outside_windows, outside_matching];
        totals.of(pair).iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
    }
}

pub(super) fn records(totals: Totals<Counts>, limit: u32) -> Vec<SplitRecord> {
    let record = |(pair, [inside_windows, inside_matching, outside_windows, outside_matching]): (_, Counts)| {
        SplitRecord { pair, inside_windows, inside_matching, outside_windows, outside_matching }
    };
    totals.into_iter().take(limit as usize).map(record).collect()
}

fn count(block: &Block, rows: Range<usize>, matching: &Matching) -> u64 {
    match matching {
        Matching::Degraded => block.findings(rows).iter().flatten().count() as u64,
        Matching::Within(measure, bounds) => block.count_within(rows, *measure, *bounds),
    }
}
