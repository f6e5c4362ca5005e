//! The answer to `debug=true`: the measurement in plain words, and beside it the metrics, as blackbox_exporter shows them.

use std::time::{SystemTime, UNIX_EPOCH};

use prometheus::TextEncoder;
use prometheus::proto::MetricFamily;

use super::question::{Families, Question};
use crate::{Family, Measurement, Settings, waterfall};

pub(super) fn explained(
    question: &Question,
    settings: &Settings,
    measurement: &Measurement,
    families: &[MetricFamily],
) -> String {
    let now_s = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let shown = waterfall(measurement, None, i64::try_from(now_s).unwrap_or_default(), false);
    let metrics = TextEncoder::new().encode_to_string(families);
    let metrics = metrics.unwrap_or_else(|error| format!("the metrics can't be written: {error}\n"));
    format!(
        "Logs for the probe:\n{shown}\n\nMetrics that would have been returned:\n{metrics}\n\nModule configuration:\n{}",
        understood(question, settings)
    )
}

/// What the question was taken to ask for.
fn understood(question: &Question, settings: &Settings) -> String {
    let mut lines = format!("target: {}\ntimeout: {:?}\n", question.target, settings.timeout);
    if let Some(asked_for) = question.target.as_web().and_then(|web| web.asked_for()) {
        lines.push_str(&format!("hostname: {asked_for}\n"));
    }
    if let Some(Families { preferred, falls_back }) = question.families {
        let preferred = match preferred {
            Family::V4 => "ip4",
            Family::V6 => "ip6",
        };
        lines.push_str(&format!("preferred_ip_protocol: {preferred}\nip_protocol_fallback: {falls_back}\n"));
    }
    lines
}
