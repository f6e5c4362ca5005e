//! What a window says of one phase, and when its figures are slow.

use netqoe_model::{Condition, Metric, PhaseRule, Rules, WindowRow, WindowStart};

use super::phase::{UsualValue, rank};
use super::{DNS, HANDSHAKE, LATENCIES, THROUGHPUT, TTFB, in_ms};

/// What a window says of one phase.
#[derive(Clone)]
pub(super) struct PhaseWindow {
    pub(super) start: WindowStart,
    pub(super) samples: u32,
    pub(super) slow: u32,
    pub(super) beyond: u32,
    pub(super) slow_for_sure: u32,
    pub(super) middle: u64,
    pub(super) share_of_total: Option<f64>,
}

/// "A p50 and a p95: `dns`, `handshake` (p50 of TCP plus p50 of TLS, and so the p95; where one is missing, the other
/// alone), `ttfb` and `throughput`."
pub(super) fn percentiles(row: &WindowRow, phase: usize) -> Option<[u64; 2]> {
    let of = |metric: Metric| row.percentiles[metric as usize].map(|p| [p.p50, p.p95]);
    match phase {
        DNS => of(Metric::Dns),
        HANDSHAKE => match (of(Metric::Tcp), of(Metric::Tls)) {
            (Some(tcp), Some(tls)) => Some([tcp[0] + tls[0], tcp[1] + tls[1]]),
            (tcp, tls) => tcp.or(tls),
        },
        TTFB => of(Metric::Ttfb),
        _ => of(Metric::Throughput),
    }
}

/// "Of two samples what lies between them, rounded up to whole microseconds or kbit/s, else the p50."
pub(super) fn middle(row: &WindowRow, phase: usize) -> Option<u64> {
    let [p50, p95] = percentiles(row, phase)?;
    Some(if row.count_success == 2 { (p50 + p95).div_ceil(2) } else { p50 })
}

/// "Its p50; of two samples the p95 where a third of that start, rounded down, is even."
pub(super) fn history_figure(row: &WindowRow, [p50, p95]: [u64; 2], rules: &Rules) -> u64 {
    let third = row.start.ms() / rules.window_ms / i64::from(rules.diagnosis.usual.every_windows);
    let is_even = third % 2 == 0;
    if row.count_success == 2 && is_even { p95 } else { p50 }
}

/// Whether the p50 (0) or the p95 (1) of a phase is slow.
pub(super) fn is_slow(
    row: &WindowRow,
    phase: usize,
    percentile: usize,
    usual: &[Option<UsualValue>; 4],
    rules: &Rules,
) -> bool {
    let figure_of = |phase: usize| percentiles(row, phase).map(|both| in_ms(both[percentile]));
    let (Some(figure), Some(own)) = (figure_of(phase), usual[phase]) else { return false };
    let rule = rule_of(phase, rules);
    // "The total is the sum of the three latencies at the same percentile; what is missing counts as 0."
    let total: f64 = LATENCIES.into_iter().map(|phase| figure_of(phase).unwrap_or(0.0)).sum();
    // "By what it is more than the sum of the usual values of the three, as far as they are judged."
    let usual_total: f64 = LATENCIES.into_iter().filter_map(|phase| usual[phase]).map(|usual| usual.value).sum();
    let holds = |condition: &Condition| {
        if phase == THROUGHPUT {
            condition.ratio.is_none_or(|ratio| own.value > 0.0 && figure <= ratio * own.value)
                && condition.spreads.is_none_or(|spreads| takes_longer(figure, own, spreads))
        } else {
            let can_be_times = if phase == DNS { figure > 0.0 } else { own.value > 0.0 };
            condition.ratio.is_none_or(|ratio| can_be_times && figure >= ratio * own.value)
                && condition.extra_ms.is_none_or(|extra| figure >= own.value + extra)
                && condition.spreads.is_none_or(|spreads| figure > own.value + spreads * own.above)
                && condition.share_of_total.is_none_or(|share| figure >= share * total)
                && condition.share_of_extra.is_none_or(|share| figure - own.value >= share * (total - usual_total))
        }
    };
    // "By more than 1.3 times what the handshake is more than its own (0 if it is not, or has no usual value)."
    let handshake = figure_of(HANDSHAKE).zip(usual[HANDSHAKE]);
    let more_handshake = handshake.map_or(0.0, |(handshake, usual)| handshake - usual.value).max(0.0);
    let beyond = |times: f64| figure - own.value > times * more_handshake;
    let near = |spreads: f64| handshake.is_some_and(|(figure, usual)| figure <= usual.value + spreads * usual.above);
    rule.when.iter().any(holds) && rule.beyond_handshake.is_none_or(beyond) && rule.handshake_spreads.is_none_or(near)
}

/// "With f(x) = 1/x, f(figure) > f(usual value) + 1.5 · (f(usual low) − f(usual value))."
pub(super) fn takes_longer(figure: f64, own: UsualValue, spreads: f64) -> bool {
    let low = own.value - own.below;
    // "Beyond a usual low that is not above 0 lies nothing."
    low > 0.0 && figure.recip() > own.value.recip() + spreads * (low.recip() - own.value.recip())
}

pub(super) fn rule_of(phase: usize, rules: &Rules) -> &PhaseRule {
    let rules = &rules.diagnosis;
    [&rules.dns_bound, &rules.handshake_bound, &rules.server_bound, &rules.throughput_bound][phase]
}

/// "Greater than the 97 % quantile of the phase's history (of throughput, smaller than the mirrored one)."
pub(super) fn is_beyond(figure: u64, phase: usize, usual: &[Option<UsualValue>; 4]) -> bool {
    usual[phase].is_some_and(|own| {
        if phase == THROUGHPUT { in_ms(figure) < own.beyond_below } else { in_ms(figure) > own.beyond_above }
    })
}

/// "With two samples each is known and counts for itself. Otherwise all samples of the window count where the p50 is; else,
/// where the p95 is, an eighth of them, rounded down, and at least one."
pub(super) fn counted(n: u32, p50: bool, p95: bool) -> u32 {
    match (n, p50, p95) {
        (2, ..) => u32::from(p50) + u32::from(p95),
        (_, true, _) => n,
        (_, _, true) => (n / 8).max(1),
        _ => 0,
    }
}

pub(super) fn phase_window(
    row: &WindowRow,
    phase: usize,
    usual: &[Option<UsualValue>; 4],
    rules: &Rules,
) -> Option<PhaseWindow> {
    let middle_here = middle(row, phase)?;
    let n = row.count_success;
    let p50 = is_slow(row, phase, 0, usual, rules);
    let p95 = is_slow(row, phase, 1, usual, rules);
    let slow = counted(n, p50, p95);
    let [p50_figure, p95_figure] = percentiles(row, phase)?;
    let beyond = counted(n, p50 && is_beyond(p50_figure, phase, usual), p95 && is_beyond(p95_figure, phase, usual));
    let half = n.div_ceil(2);
    let nearly_all = rank(0.95, n as usize) as u32;
    let slow_for_sure = match (p50, p95) {
        (false, false) => 0,
        // "Two samples are both known."
        _ if n == 2 => u32::from(p50) + u32::from(p95),
        // "Of throughput, which is slow downwards: ⌈0.95·n⌉ where the p95 is slow, ⌈n/2⌉ where only the p50 is."
        (_, true) if phase == THROUGHPUT => nearly_all,
        _ if phase == THROUGHPUT => half,
        // "n − ⌈n/2⌉ + 1 where the p50 is slow, n − ⌈0.95·n⌉ + 1 where only the p95 is."
        (true, _) => n - half + 1,
        _ => n - nearly_all + 1,
    };
    // "What `observed` is of the sum of all latencies' middles in the window; none for throughput."
    let total: f64 = LATENCIES.into_iter().filter_map(|phase| middle(row, phase)).map(in_ms).sum();
    let share_of_total = (phase != THROUGHPUT && total > 0.0).then(|| in_ms(middle_here) / total);
    Some(PhaseWindow { start: row.start, samples: n, slow, beyond, slow_for_sure, middle: middle_here, share_of_total })
}
