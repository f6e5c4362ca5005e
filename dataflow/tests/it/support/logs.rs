//! Generated logs: few names and ids, values on thresholds, late, early, repeated and broken lines; and pairs with faults.

use proptest::prelude::*;

use super::pairs::{self, Measurement, START_MS, Window};

/// An event as its line, with the time at which a log would take it.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) client: String,
    pub(crate) recv_ms: i64,
    pub(crate) text: String,
}

/// What events say of their network: some name none, and some say nothing that can be one.
const CONTEXTS: [&str; 12] = [
    "",
    r#""network_context":null,"#,
    r#""network_context":{},"#,
    r#""network_context":{"vpn_enabled":true,"source_ip":"192.0.2.7"},"#,
    r#""network_context":[1],"#,
    r#""network_context":{"isp":5,"network_type":null},"#,
    r#""network_context":{"isp":"A"},"#,
    r#""network_context":{"isp":"B","network_type":"wifi","interface_type":"other"},"#,
    r#""network_context":{"interface_type":"cellular"},"#,
    r#""network_context":{"user_label":"home","isp":"A"},"#,
    r#""network_context":{"site":"Oslo","user_label":"home"},"#,
    r#""network_context":{"isp":"A","network_type":"wifi","site":"Oslo","vpn_enabled":false},"#,
];

/// What events say of labels: most carry none, some carry what is none, and the last breaks a bound.
const LABELS: [&str; 10] = [
    "",
    "",
    "",
    r#""client_labels":null,"target_labels":{},"#,
    r#""client_labels":{"team":"core"},"#,
    r#""client_labels":{"team":"core","site":"Oslo"},"target_labels":{"service":"a"},"#,
    r#""client_labels":{ "site":"Oslo", "te\u0061m":"core" },"target_labels":{"service":"a"},"#,
    r#""target_labels":{"service":"a"},"#,
    r#""target_labels":{"service":"b","service":"a","tier":""},"client_labels":{},"#,
    r#""client_labels":{"team":5},"#,
];

fn line() -> impl Strategy<Value = (i64, Line)> {
    let value = prop_oneof![
        4 => prop::sample::select(vec![10.0, 20.0, 30.0, 33.3, 66.6, 100.0, 0.1, 0.0]),
        1 => 0.0..500.0_f64,
    ];
    let stage = prop_oneof![6 => Just("null"), 1 => Just("\"tcp\""), 1 => Just("\"HTTP\"")];
    // Mostly prompt; some around the moment at which windows close, some from the future.
    let delay =
        prop_oneof![8 => 0..20_000_i64, 1 => 110_000..190_000_i64, 1 => -320_000..-280_000_i64, 1 => -60_000..0_i64];
    let broken = prop::bool::weighted(0.03);
    // Some of many events that have the same time.
    let at = prop_oneof![3 => 0..1_500_000_i64, 1 => (0..50_i64).prop_map(|half_minute| half_minute * 30_000)];
    let kind = (broken, prop::sample::select(&CONTEXTS[..]), prop::sample::select(&LABELS[..]));
    (0..4_usize, 0..2_usize, 0..12_u32, at, prop::collection::vec(prop::option::weighted(0.8, value), 5), stage, delay, kind)
        .prop_map(|(client, target, id, at, values, stage, delay, (broken, context, labels))| {
            let (ts, client) = (START_MS + at, format!("client-{client}"));
            let names = ["dns_ms", "tcp_ms", "tls_ms", "ttfb_ms", "throughput_mbps"];
            let measured = names.iter().zip(values).filter_map(|(name, value)| Some(format!("\"{name}\":{}", value?)));
            let measured = measured.collect::<Vec<_>>().join(",");
            let text = format!(
                r#"{{"event_id":"e{id}","client_id":"{client}","ts_ms":{ts},"target":"https://t{target}/",{context}{labels}"timing_measurements":{{{measured}}},"error_stage":{stage},"recv_ts_ms":{}}}"#,
                ts + delay
            );
            let text = if broken { text[..text.len() / 2].to_owned() } else { text };
            (ts + delay, Line { client, recv_ms: ts + delay, text })
        })
}

/// Up to `max` lines in the order in which a log would take them.
pub(crate) fn lines(max: usize) -> impl Strategy<Value = Vec<Line>> {
    prop::collection::vec(line(), 1..max).prop_map(|mut lines| {
        lines.sort_by_key(|(recv, _)| *recv);
        lines.into_iter().map(|(_, line)| line).collect()
    })
}

/// The lines of up to three pairs with faults, in the order in which a log would take them: nearly all of them in time.
pub(crate) fn lines_of_pairs(stretches: usize) -> impl Strategy<Value = Vec<Line>> {
    prop::collection::vec(pairs::windows(stretches), 1..4).prop_map(|pairs| {
        let mut lines: Vec<_> =
            pairs.iter().enumerate().flat_map(|(nth, windows)| lines_of_pair(nth, windows)).collect();
        lines.sort_by_key(|line| line.recv_ms);
        lines
    })
}

fn lines_of_pair(nth: usize, windows: &[Window]) -> Vec<Line> {
    let (client, target) = (format!("client-{}", nth / 2), format!("https://t{}/", nth % 2));
    let mut lines = Vec::new();
    for window in windows {
        for (at, measurement) in window.measurements.iter().enumerate() {
            let ts = window.start_ms + at as i64 * 2_500;
            // Every 40th comes long after the others, and may be late.
            let delay = if lines.len() % 40 == 39 { 150_000 } else { (at as i64 % 7) * 300 };
            let (measured, stage) = said(measurement);
            let context = CONTEXTS[(nth + window.start_ms as usize / 60_000 + at / 3) % CONTEXTS.len()];
            let labels = LABELS[(nth + window.start_ms as usize / 60_000 + at / 5) % (LABELS.len() - 1)];
            let text = format!(
                r#"{{"event_id":"e{at}","client_id":"{client}","ts_ms":{ts},"target":"{target}",{context}{labels}"timing_measurements":{{{measured}}},"error_stage":{stage},"recv_ts_ms":{}}}"#,
                ts + delay
            );
            lines.push(Line { client: client.clone(), recv_ms: ts + delay, text });
        }
    }
    lines
}

/// A measurement's timings and its stage of failure, as JSON.
fn said(measurement: &Measurement) -> (String, &'static str) {
    let names = ["dns_ms", "tcp_ms", "tls_ms", "ttfb_ms", "throughput_mbps"];
    match measurement {
        Err(stage) => (String::new(), ["\"dns\"", "\"tcp\"", "\"tls\"", "\"http\"", "\"throughput\""][*stage]),
        Ok(figures) => {
            let ms = |figure: u64| format!("{}.{:03}", figure / 1000, figure % 1000);
            let said =
                names.iter().zip(figures).filter_map(|(name, figure)| Some(format!("\"{name}\":{}", ms((*figure)?))));
            (said.collect::<Vec<_>>().join(","), "null")
        }
    }
}
