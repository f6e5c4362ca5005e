//! The windows of pairs in points.

use netqoe_model::Metric;
use netqoe_sinks::read::{Extent, Pair, PointRecord, point};

use super::block::Block;
use super::totals::Totals;

/// The points of a pair; a point that memory and the store both have a part of stands twice until all are there.
pub(super) type Points = Vec<PointRecord>;

/// Adds what a block has. Blocks come in the order of time.
pub(super) fn add(totals: &mut Totals<Points>, block: &Block, extent: &Extent, point_ms: i64) {
    block.show(extent, |pair, rows| {
        let points = totals.of(pair);
        for row in rows {
            let window = of_window(block, row, pair, point_ms);
            match points.last_mut() {
                Some(point) if point.start_ms == window.start_ms => point.absorb(&window),
                _ => points.push(window),
            }
        }
    });
}

/// Adds what the store has found.
pub(super) fn add_records(totals: &mut Totals<Points>, records: Vec<PointRecord>) {
    for record in records {
        totals.of(&record.pair).push(record);
    }
}

pub(super) fn records(totals: Totals<Points>, limit: u32) -> Points {
    totals.into_iter().flat_map(|(_, points)| whole(points)).take(limit as usize).collect()
}

/// Each point once, in order.
fn whole(mut parts: Points) -> Points {
    parts.sort_by_key(|point| point.start_ms);
    parts.dedup_by(|part, point| {
        let is_same = part.start_ms == point.start_ms;
        if is_same {
            point.absorb(part);
        }
        is_same
    });
    parts
}

/// A point of one window.
fn of_window(block: &Block, row: usize, pair: &Pair, point_ms: i64) -> PointRecord {
    let phases = [Metric::Dns, Metric::Tcp, Metric::Tls, Metric::Ttfb].map(|phase| block.p95(phase, row));
    let (count_total, count_error) = (block.count_total(row), block.count_error(row));
    PointRecord {
        pair: pair.clone(),
        start_ms: point::start_ms(block.row_start_ms(row), point_ms),
        windows: 1,
        degraded_windows: block.findings(row..row + 1).iter().flatten().count() as u64,
        count_total,
        count_error,
        dns_p95_max: phases[0],
        handshake_p95_max: [phases[1], phases[2]].into_iter().flatten().reduce(|tcp, tls| tcp + tls),
        ttfb_p95_max: phases[3],
        // In the order in which stores add, so that sums are the same to the last bit.
        total_p95_max: (count_total > count_error).then(|| phases.into_iter().map(|phase| phase.unwrap_or(0.0)).sum()),
        throughput_p50_min: block.p50(Metric::Throughput, row),
    }
}
