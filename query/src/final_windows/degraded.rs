//! How many pairs were degraded in each window.

use std::collections::BTreeMap;

use netqoe_model::WindowStart;
use netqoe_sinks::read::{DegradedRecord, Extent};

use super::block::Block;

/// Of the windows of a block, in order, those with such a pair.
pub(super) fn records(block: &Block, extent: &Extent) -> Vec<DegradedRecord> {
    let mut windows: BTreeMap<i64, BTreeMap<_, u64>> = BTreeMap::new();
    block.show(extent, |_, rows| {
        for (row, finding) in rows.clone().zip(block.findings(rows)) {
            if let Some(label) = finding {
                *windows.entry(block.row_start_ms(row)).or_default().entry(*label).or_default() += 1;
            }
        }
    });
    let record = |(start_ms, pairs): (_, BTreeMap<_, _>)| DegradedRecord {
        window_start: WindowStart::from_ms(start_ms),
        pairs: pairs.into_iter().collect(),
    };
    windows.into_iter().map(record).collect()
}
