//! `netqoe bench incidents`: how soon incidents reflect a look at a large fleet of which a part fails, and how long other events
//! wait meanwhile.
//!
//! The load is real: each pair is measured at its own second of each minute, by events that are posted. So the bench lasts as
//! many minutes as it prints lines.

mod minutes;

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, bail};
use netqoe_simulator::Load;
use tokio::time::sleep;

use self::minutes::{Minutes, POLL};
use crate::cluster::processes::{Aggregate, Cluster};
use crate::now::now_ms;
use crate::options::{BenchClusterOptions, BenchIncidentsOptions};
use crate::output;
use crate::poster::Poster;
use crate::posting::{Pace, Posting};
use crate::process::Process;
use crate::product::{Product, WrongUsage};
use crate::scrape::Scrape;
use crate::threads::request_threads;

/// Posts a second: each connection has one about every second, since the server closes those on which nothing comes.
const POSTS_PER_S: u64 = 64;
const MINUTE: Duration = Duration::from_secs(60);
const MINUTE_MS: i64 = 60_000;
/// Minutes in which nothing is wrong, before the fault. From the fourth on, the windows of a minute close with each look, which
/// takes longer than incidents do: so two of these show what a look costs without a fault.
const BEFORE: u32 = 5;
/// Minutes after it, in which members recover.
const AFTER: u32 = 2;
/// More pairs than the fleet may have.
const NO_LIMIT: &str = "10000000";

pub(crate) fn run(options: &BenchIncidentsOptions, product: &Product) -> anyhow::Result<()> {
    let cluster = match (&options.nats_url[..], &options.database_url) {
        ([], None) => None,
        ([_, ..], Some(database_url)) => Some(BenchClusterOptions::smallest(&options.nats_url, database_url)),
        _ => return Err(WrongUsage("give both --nats-url and --database-url, or none of them".to_owned()).into()),
    };
    request_threads()?.block_on(async {
        let stop = (product.stop_on_signals)().context("can't listen for signals")?;
        let measured = async {
            match &cluster {
                None => on_one_file(options).await,
                Some(cluster) => in_a_cluster(options, cluster).await,
            }
        };
        tokio::select! {
            measured = measured => measured,
            () = stop.cancelled() => bail!("stopped before all was measured"),
        }
    })?;
    if let Some(cluster) = &cluster {
        Cluster::new(cluster)?.remove_streams(product).context("can't remove the streams of the measurement")?;
    }
    Ok(output::caution_of_debug_build()?)
}

async fn on_one_file(options: &BenchIncidentsOptions) -> anyhow::Result<()> {
    let folder = tempfile::tempdir().context("can't make a temporary folder")?;
    let mut process = Process::up(folder.path(), &["--max-pairs", NO_LIMIT])?;
    let address = process.address().await?;
    measure(options, vec![address], Watched::One(Poster::connect(address).await?)).await?;
    process.stop().await
}

async fn in_a_cluster(options: &BenchIncidentsOptions, cluster: &BenchClusterOptions) -> anyhow::Result<()> {
    let cluster = Cluster::new(cluster)?;
    let aggregate = cluster.aggregate().await?;
    let (_running, ingests) = cluster.ingests().await?;
    measure(options, ingests, Watched::Aggregate(aggregate)).await
}

/// Where the metrics are.
enum Watched {
    One(Poster),
    Aggregate(Aggregate),
}

impl Watched {
    async fn scrape(&mut self) -> anyhow::Result<Scrape> {
        match self {
            Self::One(process) => {
                let mut scrape = Scrape::default();
                scrape.ask(process).await?;
                Ok(scrape)
            }
            Self::Aggregate(aggregate) => aggregate.scrape().await,
        }
    }
}

/// Posts minute after minute, and prints a line for each.
async fn measure(
    options: &BenchIncidentsOptions,
    ingests: Vec<SocketAddr>,
    mut watched: Watched,
) -> anyhow::Result<()> {
    output::line(minutes::HEADING)?;
    let minutes = BEFORE + options.fault_minutes.get() + AFTER;
    begin_a_minute(&mut watched).await?;
    let posted = async {
        for minute in 0..minutes {
            let fails = (BEFORE..BEFORE + options.fault_minutes.get()).contains(&minute);
            post(options, &ingests, u64::from(minute), fails).await?;
        }
        Ok::<_, anyhow::Error>(())
    };
    let watching = async {
        let mut seen = Minutes::from(now_ms(), watched.scrape().await?);
        loop {
            sleep(POLL).await;
            if let Some(line) = seen.take(now_ms(), watched.scrape().await?) {
                output::line(line)?;
            }
        }
    };
    tokio::select! {
        posted = posted => posted,
        watched = watching => watched,
    }
}

/// Waits for the beginning of a minute, so that each pair is measured equally often in every one, at the same seconds. The server
/// closes connections that nothing is asked on meanwhile.
async fn begin_a_minute(watched: &mut Watched) -> anyhow::Result<()> {
    let ends_ms = now_ms().div_euclid(MINUTE_MS) * MINUTE_MS + MINUTE_MS;
    while now_ms() < ends_ms {
        watched.scrape().await?;
        sleep(POLL.min(Duration::from_millis((ends_ms - now_ms()).max(0).unsigned_abs()))).await;
    }
    Ok(())
}

/// A minute of the load.
async fn post(options: &BenchIncidentsOptions, ingests: &[SocketAddr], minute: u64, fails: bool) -> anyhow::Result<()> {
    let pairs = u64::from(options.clients.get()) * u64::from(options.targets.get());
    let load = Load {
        targets: options.targets.get().into(),
        failing_targets: if fails { options.failing_targets.into() } else { 0 },
        // Each minute has events of its own.
        ..Load::healthy(now_ms().unsigned_abs() + minute, pairs)
    };
    let events = pairs * u64::from(options.per_minute.get());
    let batch = (events / (POSTS_PER_S * MINUTE.as_secs())).max(1);
    let pace = Pace::PerSecond(events as f64 / batch as f64 / MINUTE.as_secs_f64());
    Posting::new(ingests.to_vec(), load).post(batch, pace, MINUTE).await.map(drop)
}
