//! `netqoe bench cluster`: what a cluster takes, how soon rows show it, and how it comes back after a crash.

mod figures;
pub(crate) mod processes;

use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use netqoe_simulator::Load;

use self::figures::{Figure, HEADING, QUANTILES, grouped};
use self::processes::{Aggregate, CaughtUp, Cluster};
use crate::now::now_ms;
use crate::options::BenchClusterOptions;
use crate::output;
use crate::posting::{Pace, Posted, Posting};
use crate::product::Product;
use crate::threads::request_threads;

/// As in `netqoe bench replay`: 500 clients with 10 targets each.
const PAIRS: u64 = 5_000;
/// So many that hardly any pair has two events in one commit: each event is a row to be written.
const MANY_PAIRS: u64 = 100_000;
/// Events of a post.
const BATCHES: [u64; 3] = [1, 100, 1000];
/// What a post at the steady rate holds: what a client measures in turn, from ten of them.
const STEADY_BATCH: u64 = 100;
/// Latencies are measured at this share of the greatest rate: nobody runs a server at its limit.
const SHARE: f64 = 0.5;
/// Not measured, before each measurement: connections, caches, the server's idea of its own speed.
const WARM_UP: Duration = Duration::from_secs(1);
/// How long the lag is looked at before the kill.
const BEFORE_THE_KILL: Duration = Duration::from_secs(2);
/// A recovery that takes longer is none.
const LONGEST: Duration = Duration::from_secs(600);
const DELAY: &str = "telemetry_processing_delay_seconds";

pub(crate) fn run(options: &BenchClusterOptions, product: &Product) -> anyhow::Result<()> {
    let (runtime, cluster) = (request_threads()?, Cluster::new(options)?);
    let figures = runtime.block_on(async {
        let stop = (product.stop_on_signals)().context("can't listen for signals")?;
        tokio::select! {
            figures = measure(&cluster, options) => figures,
            () = stop.cancelled() => bail!("stopped before all was measured"),
        }
    });
    // All processes are gone by now. Why a measurement failed says more than that its streams could not be removed.
    let removed = cluster.remove_streams(product).context("can't remove the streams of the measurement");
    let figures = figures?;
    output::line(HEADING)?;
    for figure in &figures {
        output::line(figure)?;
    }
    removed
}

async fn measure(cluster: &Cluster<'_>, options: &BenchClusterOptions) -> anyhow::Result<Vec<Figure>> {
    let duration = Duration::from_secs(options.seconds.get().into());
    // A store that follows another log is refused here, before anything is posted.
    cluster.aggregate().await?.stop().await?;
    let (_running, ingests) = cluster.ingests().await?;
    let load = |pairs| Load::healthy(u64::try_from(now_ms()).unwrap_or(0), pairs);
    let posting = Posting::new(ingests.clone(), load(PAIRS));

    // First, while the log is short: a process that starts reads all of it that open windows need.
    let steady = steady(cluster, &posting, options.rate.get(), duration).await?;
    let mut figures = Vec::new();
    let before = posting.accepted();
    for batch in BATCHES {
        figures.extend(accepted(&posting, batch, duration).await?);
    }
    let caught_up = catch_up(cluster, posting.accepted() - before).await?;
    figures.push(Figure::rate("events from JetStream to committed rows", caught_up.events_per_s));
    figures.extend(steady);

    let posting = Posting::new(ingests, load(MANY_PAIRS));
    tracing::info!("filling the log with events of {MANY_PAIRS} pairs");
    posting.post(STEADY_BATCH, Pace::Most, duration).await?;
    let caught_up = catch_up(cluster, posting.accepted()).await?;
    figures.push(Figure::rate("rows into the store", caught_up.rows_per_s));
    Ok(figures)
}

/// How many events ingest takes at most, and how soon it answers at half of that.
async fn accepted(posting: &Posting, batch: u64, duration: Duration) -> anyhow::Result<[Figure; 2]> {
    let what = if batch == 1 { "single posts".to_owned() } else { format!("posts of {batch} events") };
    tracing::info!("{what}");
    posting.post(batch, Pace::Most, WARM_UP).await?;
    let most = posting.post(batch, Pace::Most, duration).await?;
    let pace = Pace::PerSecond(most.posts_per_s * SHARE);
    let half = posting.post(batch, pace, duration).await?;
    Ok([
        Figure::quantiles(format!("accepted events, {what}, all that it takes"), most.events_per_s, answered(&most)),
        Figure::quantiles(format!("accepted events, {what}, half of that"), half.events_per_s, answered(&half)),
    ])
}

/// How soon posts were answered, in milliseconds.
fn answered(posted: &Posted) -> [f64; 3] {
    QUANTILES.map(|share| posted.latency.value_at_quantile(share) as f64 / 1000.0)
}

/// Events and rows that an aggregate commits a second, from a log that has these events before it.
async fn catch_up(cluster: &Cluster<'_>, events: u64) -> anyhow::Result<CaughtUp> {
    tracing::info!("catching up with {events} events");
    let mut aggregate = cluster.aggregate().await?;
    let caught_up = aggregate.catch_up(events).await?;
    aggregate.stop().await?;
    Ok(caught_up)
}

/// The delay at a steady rate, and how long it takes until a cluster that was killed is where it was.
async fn steady(
    cluster: &Cluster<'_>,
    posting: &Posting,
    rate: u32,
    duration: Duration,
) -> anyhow::Result<[Figure; 2]> {
    let pace = Pace::PerSecond(f64::from(rate) / STEADY_BATCH as f64);
    tracing::info!("{rate} events a second");
    let mut aggregate = cluster.aggregate().await?;
    posting.post(STEADY_BATCH, pace, WARM_UP).await?;
    let before = aggregate.scrape().await?.buckets(DELAY);
    let posted = posting.post(STEADY_BATCH, pace, duration).await?;
    let seen = aggregate.scrape().await?.buckets(DELAY).since(&before);
    let delay = QUANTILES.map(|share| seen.quantile(share).map_or(f64::NAN, |seconds| seconds * 1000.0));
    let recovery = tokio::select! {
        recovery = recovery(cluster, aggregate) => recovery?,
        posted = posting.post(STEADY_BATCH, pace, LONGEST) => {
            posted?;
            bail!("the cluster has not recovered within {LONGEST:?}")
        }
    };
    Ok([
        Figure::quantiles("delay from log time to durable row", posted.events_per_s, delay),
        Figure::time(format!("recovery after kill -9 at {} events a second", grouped(rate.into())), recovery),
    ])
}

/// From the kill until no more records wait than did at most before it. Somebody else posts meanwhile.
async fn recovery(cluster: &Cluster<'_>, mut aggregate: Aggregate) -> anyhow::Result<Duration> {
    let lag = aggregate.greatest_lag(BEFORE_THE_KILL).await?;
    tracing::info!("kill -9, with {lag} records that wait");
    let killed = Instant::now();
    aggregate.kill()?;
    let mut restarted = cluster.aggregate().await?;
    restarted.recover(lag).await?;
    let recovery = killed.elapsed();
    restarted.stop().await?;
    Ok(recovery)
}
