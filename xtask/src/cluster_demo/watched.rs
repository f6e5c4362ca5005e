//! What the outside sees of the cluster.

use anyhow::Context;
use serde_json::Value;

/// Rows and diagnoses that are shown.
const SHOWN: usize = 5;

/// Where it is asked.
pub(super) struct Watched {
    /// The port of nats-server's monitoring, which answers also while no aggregate runs.
    pub(super) monitoring: u16,
    /// The URL of the aggregate's query API.
    pub(super) aggregate: String,
}

impl Watched {
    /// Messages that the durable consumer has not acknowledged, as the server counts them: those that rows do not reflect.
    /// None before the aggregate has made the consumer.
    pub(super) fn lag(&self) -> anyhow::Result<Option<u64>> {
        let answer = get(&format!("http://127.0.0.1:{}/jsz?consumers=true", self.monitoring))?;
        let streams = answer["account_details"][0]["stream_detail"].as_array().cloned().unwrap_or_default();
        let consumers =
            streams.iter().flat_map(|stream| stream["consumer_detail"].as_array().cloned().unwrap_or_default());
        let aggregator = consumers.into_iter().find(|consumer| consumer["name"] == "aggregator");
        let Some(aggregator) = aggregator else { return Ok(None) };
        let count = |name: &str| aggregator[name].as_u64().with_context(|| format!("nats-server shows no {name}"));
        Ok(Some(count("num_pending")? + count("num_ack_pending")?))
    }
}

/// The newest rows, and what hurts.
pub(super) fn show(aggregate: &str) -> anyhow::Result<()> {
    for (name, columns) in [
        ("aggregates", &["client_id", "target", "window_start_ts", "count_total", "ttfb_p50", "is_final"][..]),
        ("diagnoses", &["client_id", "target", "window_start_ts", "label", "severity", "evidence"]),
    ] {
        println!("\n{aggregate}/api/v1/{name}?limit={SHOWN}");
        let answer = get(&format!("{aggregate}/api/v1/{name}?limit={SHOWN}"))?;
        for item in answer["items"].as_array().context("the answer has no items")? {
            let shown: Vec<_> = columns.iter().map(|column| format!("{column} {}", item[column])).collect();
            println!("  {}", shown.join("  "));
        }
    }
    Ok(())
}

fn get(url: &str) -> anyhow::Result<Value> {
    let text = ureq::get(url).call().with_context(|| format!("{url} gave no answer"))?.body_mut().read_to_string()?;
    serde_json::from_str(&text).with_context(|| format!("{url} answered with no JSON"))
}
