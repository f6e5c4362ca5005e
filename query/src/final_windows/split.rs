//! How many windows match, inside a range of time and outside.

use std::ops::Range;
use std::sync::Arc;

use netqoe_model::{Network, PairTags};
use netqoe_sinks::read::{Extent, Matching, Pair, SplitRecord};

use super::block::Block;
use super::totals::Totals;

/// Over which network windows were measured, and the labels that they have.
type Apart = (Option<Arc<Network>>, Option<Arc<PairTags>>);

/// The windows of a pair, apart for each network and for all their labels.
pub(super) type Counts = Vec<(Apart, [u64; 4])>;

/// Adds what a block has.
pub(super) fn add(
    totals: &mut Totals<Counts>,
    block: &Block,
    extent: &Extent,
    inside_ms: [i64; 2],
    matching: &Matching,
) {
    block.show(extent, |pair, rows| {
        let counts = totals.of(pair);
        for (network, tags, rows) in block.alike(rows) {
            let inside = block.between(rows.clone(), inside_ms);
            let [all, all_matching] = [rows.len() as u64, count(block, rows, matching)];
            let [within, within_matching] = [inside.len() as u64, count(block, inside, matching)];
            add_to(counts, (network, tags), [within, within_matching, all - within, all_matching - within_matching]);
        }
    });
}

/// Adds what the store has found.
pub(super) fn add_records(totals: &mut Totals<Counts>, records: &[SplitRecord]) {
    for record in records {
        let SplitRecord { pair, network, tags, inside_windows, inside_matching, outside_windows, outside_matching } =
            record;
        let counts = [inside_windows, inside_matching, outside_windows, outside_matching].map(|count| *count);
        add_to(totals.of(pair), (network.as_ref(), tags.as_ref()), counts);
    }
}

/// Windows inside, those of them that match, windows outside, those of them that match.
fn add_to(counts: &mut Counts, (network, tags): (Option<&Arc<Network>>, Option<&Arc<PairTags>>), added: [u64; 4]) {
    match counts.iter_mut().rfind(|((over, with), _)| over.as_ref() == network && with.as_ref() == tags) {
        Some((_, sums)) => sums.iter_mut().zip(added).for_each(|(sum, count)| *sum += count),
        None => counts.push(((network.cloned(), tags.cloned()), added)),
    }
}

pub(super) fn records(totals: Totals<Counts>, limit: u32) -> Vec<SplitRecord> {
    totals.into_iter().flat_map(|(pair, counts)| of_pair(&pair, counts)).take(limit as usize).collect()
}

/// By network and labels.
fn of_pair(pair: &Pair, mut counts: Counts) -> Vec<SplitRecord> {
    counts.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
    let record = |((network, tags), counts): (Apart, [u64; 4])| {
        let [inside_windows, inside_matching, outside_windows, outside_matching] = counts;
        let pair = pair.clone();
        SplitRecord { pair, network, tags, inside_windows, inside_matching, outside_windows, outside_matching }
    };
    counts.into_iter().map(record).collect()
}

fn count(block: &Block, rows: Range<usize>, matching: &Matching) -> u64 {
    match matching {
        Matching::Degraded => block.findings(rows).iter().flatten().count() as u64,
        Matching::Within(measure, bounds) => block.count_within(rows, *measure, *bounds),
    }
}
