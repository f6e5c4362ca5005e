//! `netqoe bench backfill`: how soon rows show what clients send that were offline, how long other events wait meanwhile, and what it takes
//! to be ready for that.
//!
//! A history in which a part of the fleet was offline is imported into `netqoe up`. Then all clients measure, and those that were offline
//! send what they kept, as a probe does: a hundred events at a time. At last, a history of the same length in which all was in time is imported
//! with a correction horizon and without.

mod history;
mod nothing_late;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use hyper::StatusCode;
use netqoe_simulator::Load;
use tokio::task::JoinSet;
use tokio::time::sleep;

use self::history::Outage;
use crate::now::now_ms;
use crate::options::BenchBackfillOptions;
use crate::output;
use crate::poster::Poster;
use crate::posting::{Pace, Posting};
use crate::process::Process;
use crate::product::Product;
use crate::scrape::{LAG, PATIENCE, Scrape};
use crate::threads::request_threads;

/// Events that a probe sends at once.
const BATCH: usize = 100;
/// Connections over which clients send what they kept.
const CONNECTIONS: u64 = 8;
/// Events that are posted together while nothing is wrong.
const LIVE_BATCH: u64 = 10;
/// More pairs than the fleet has.
const NO_LIMIT: &str = "10000000";
/// How often it is looked how far the corrections are.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// Longer than it takes until pairs are seen to wait: only then does it mean something that none does.
const SEEN_AFTER: Duration = Duration::from_secs(3);

const WAITING: &str = "telemetry_corrections_waiting_pairs";
const CORRECTED: &str = "telemetry_corrections_events_total{status=\"success\"}";
const ROWS: &str = "telemetry_corrections_rows_total";
const HOLD: &str = "telemetry_corrections_hold_seconds";
const DELAY: &str = "telemetry_processing_delay_seconds";

const HEADING: &str = "| pairs offline | events that came late | sent within s | rows written | all amended within s \
    | delay of others p50, p99 ms | held p99 ms | CPU s |\n| --- | --- | --- | --- | --- | --- | --- | --- |";

pub(crate) fn run(options: &BenchBackfillOptions, product: &Product) -> anyhow::Result<()> {
    request_threads()?.block_on(async {
        let stop = (product.stop_on_signals)().context("can't listen for signals")?;
        output::line(HEADING)?;
        for percent in &options.offline_percent {
            tokio::select! {
                measured = measure(options, u64::from(*percent)) => measured?,
                () = stop.cancelled() => bail!("stopped before all was measured"),
            }
        }
        tokio::select! {
            measured = nothing_late::measure(outage(options, 0)) => measured?,
            () = stop.cancelled() => bail!("stopped before all was measured"),
        }
        Ok(output::caution_of_debug_build()?)
    })
}

async fn measure(options: &BenchBackfillOptions, percent: u64) -> anyhow::Result<()> {
    let folder = tempfile::tempdir().context("can't make a temporary folder")?;
    let outage = outage(options, percent);
    let file = folder.path().join("history.ndjson");
    outage.write(&file).context("can't write the history")?;
    let file = file.to_str().context("the temporary folder has a name that is no text")?;
    let mut process = Process::up(&folder.path().join("data"), &["--max-pairs", NO_LIMIT, "--import", file])?;
    let address = process.address().await?;
    let mut metrics = Poster::connect(address).await?;
    let before = wait_until(&mut metrics, |seen| seen.sample(LAG) == 0.0).await?;
    let cpu_before_s = process.cpu_seconds()?;

    let live = tokio::spawn(measure_on(address, outage));
    let began = Instant::now();
    let late = send_kept(address, outage).await?;
    let sent_within = began.elapsed();
    sleep(SEEN_AFTER).await;
    // What was measured in the last minutes comes in time.
    let at_least = late.saturating_sub(IN_TIME_MINUTES * outage.per_minute * outage.offline_pairs());
    let is_done = |seen: &Scrape| seen.sample(WAITING) == 0.0 && seen.sample(CORRECTED) >= at_least as f64;
    let after = wait_until(&mut metrics, is_done).await?;
    let amended_within = began.elapsed();
    live.abort();

    let delay = after.buckets(DELAY).since(&before.buckets(DELAY));
    let ms = |seconds: Option<f64>| seconds.unwrap_or(f64::NAN) * 1000.0;
    output::line(format!(
        "| {} | {} | {:.1} | {} | {:.1} | {:.1}, {:.1} | {:.1} | {:.1} |",
        outage.offline_pairs(),
        after.sample(CORRECTED),
        sent_within.as_secs_f64(),
        after.sample(ROWS),
        amended_within.as_secs_f64(),
        ms(delay.quantile(0.5)),
        ms(delay.quantile(0.99)),
        ms(after.buckets(HOLD).quantile(0.99)),
        process.cpu_seconds()? - cpu_before_s,
    ))?;
    process.stop().await
}

/// Windows take events for two minutes after their end.
const IN_TIME_MINUTES: u64 = 4;

fn outage(options: &BenchBackfillOptions, percent: u64) -> Outage {
    let load = Load::healthy(1, options.pairs.get());
    let offline_clients = (load.pairs / load.targets * percent).div_ceil(100);
    Outage {
        load,
        per_minute: options.per_minute.get().into(),
        offline_clients,
        before: options.minutes_before,
        offline: options.minutes_offline.get(),
        end_ms: now_ms(),
    }
}

/// All clients measure, until nobody listens any more.
async fn measure_on(address: SocketAddr, outage: Outage) -> anyhow::Result<()> {
    let posting = Posting::new(vec![address], Load { run: outage.load.run + 1, ..outage.load });
    let per_s = outage.load.pairs as f64 * outage.per_minute as f64 / 60.0;
    posting.post(LIVE_BATCH, Pace::PerSecond(per_s / LIVE_BATCH as f64), PATIENCE).await.map(drop)
}

/// The clients that were offline send what they kept. Returns how many events.
async fn send_kept(address: SocketAddr, outage: Outage) -> anyhow::Result<u64> {
    let mut connections = JoinSet::new();
    for connection in 0..CONNECTIONS {
        let share = |nth: u64| outage.offline_clients * nth / CONNECTIONS;
        let clients = share(connection)..share(connection + 1);
        let mut poster = Poster::connect(address).await?;
        connections.spawn(async move {
            let kept = outage.kept(clients);
            for batch in kept.chunks(BATCH) {
                let answer = poster.post("/api/v1/events", "application/x-ndjson", batch.join("\n").into()).await?;
                ensure!(answer.status == StatusCode::OK, "late events were answered with {}", answer.status);
            }
            Ok(kept.len() as u64)
        });
    }
    let mut sent = 0;
    while let Some(kept) = connections.join_next().await {
        sent += kept.context("a connection's task failed")??;
    }
    Ok(sent)
}

async fn wait_until(metrics: &mut Poster, is_so: impl Fn(&Scrape) -> bool) -> anyhow::Result<Scrape> {
    let began = Instant::now();
    while began.elapsed() < PATIENCE {
        let mut seen = Scrape::default();
        seen.ask(metrics).await?;
        if is_so(&seen) {
            return Ok(seen);
        }
        sleep(LOOK_EVERY).await;
    }
    bail!("it is not done after {PATIENCE:?}")
}
