//! `netqoe bench shared-limits`: what it takes of a client's latency that instances of ingest hold rates together.
//!
//! Two instances before the given NATS servers are posted to at a rate that they keep up with easily, without `--shared-limits` and with it,
//! in turn, forwards and backwards. Each run has new instances, and one number of each is compared: the medians of all runs. So
//! a run in which the machine was busy with something else does not decide.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use netqoe_simulator::Load;
use tokio::time::sleep;

use crate::cluster::processes::Cluster;
use crate::now::now_ms;
use crate::options::{BenchClusterOptions, BenchSharedLimitsOptions};
use crate::output;
use crate::poster::Poster;
use crate::posting::{Pace, Posting};
use crate::product::Product;
use crate::scrape::{EVERY, PATIENCE, Scrape};
use crate::threads::request_threads;

/// 500 clients with 10 targets each. A client's ten events follow each other, so instances tell each other of every client.
const PAIRS: u64 = 5_000;
/// Not measured, before each run.
const WARM_UP: Duration = Duration::from_secs(1);
/// How many instances each instance hears, itself included; 0 where rates are not shared.
const INSTANCES: &str = "telemetry_ingest_instances";

const HEADING: &str = "| rates | runs | posts | p50 ms | p99 ms | p99 of each alone | p99, least to most |\n\
    | --- | --- | --- | --- | --- | --- | --- |";

/// One run.
#[derive(Clone, Copy, Debug)]
struct Seen {
    posts: u64,
    p50_ms: f64,
    p99_ms: f64,
}

pub(crate) fn run(options: &BenchSharedLimitsOptions, product: &Product) -> anyhow::Result<()> {
    let servers = BenchClusterOptions::smallest(&options.nats_url, "");
    let (runtime, cluster) = (request_threads()?, Cluster::new(&servers)?);
    let measured = runtime.block_on(async {
        let stop = (product.stop_on_signals)().context("can't listen for signals")?;
        tokio::select! {
            measured = measure(&cluster, options) => measured,
            () = stop.cancelled() => bail!("stopped before all was measured"),
        }
    });
    let removed = cluster.remove_streams(product).context("can't remove the streams of the measurement");
    let [each, together] = measured?;
    output::line(HEADING)?;
    output::line(line("of each instance", &each, &each))?;
    output::line(line("of all together", &together, &each))?;
    output::caution_of_debug_build()?;
    removed
}

/// The runs without shared limits, and those with them.
async fn measure(cluster: &Cluster<'_>, options: &BenchSharedLimitsOptions) -> anyhow::Result<[Vec<Seen>; 2]> {
    let [mut each, mut together] = [Vec::new(), Vec::new()];
    for is_shared in (0..options.rounds.get()).flat_map(|_| [false, true, true, false]) {
        tracing::info!("{}", if is_shared { "with --shared-limits" } else { "without" });
        let seen = one_run(cluster, options, is_shared).await?;
        if is_shared { &mut together } else { &mut each }.push(seen);
    }
    Ok([each, together])
}

async fn one_run(cluster: &Cluster<'_>, options: &BenchSharedLimitsOptions, is_shared: bool) -> anyhow::Result<Seen> {
    // The usual rates: with those that nobody reaches, there would be nothing to tell.
    let words: &[&str] = if is_shared { &["--shared-limits"] } else { &[] };
    let (processes, addresses) = cluster.ingests_with(words).await?;
    if is_shared {
        hear_each_other(&addresses).await?;
    }
    let posting = Posting::new(addresses, Load::healthy(u64::try_from(now_ms()).unwrap_or(0), PAIRS));
    let pace = Pace::PerSecond(options.rate.get().into());
    posting.post(1, pace, WARM_UP).await?;
    let posted = posting.post(1, pace, Duration::from_secs(options.seconds.get().into())).await?;
    for process in processes {
        process.stop().await?;
    }
    let ms = |share| posted.latency.value_at_quantile(share) as f64 / 1000.0;
    Ok(Seen { posts: posted.latency.len(), p50_ms: ms(0.5), p99_ms: ms(0.99) })
}

/// Waits until each instance hears all of them: else nothing would be shared.
async fn hear_each_other(addresses: &[SocketAddr]) -> anyhow::Result<()> {
    let began = Instant::now();
    while began.elapsed() < PATIENCE {
        let mut heard = Scrape::default();
        for address in addresses {
            heard.ask(&mut Poster::connect(*address).await?).await?;
        }
        if heard.sum(INSTANCES) == (addresses.len() * addresses.len()) as f64 {
            return Ok(());
        }
        sleep(EVERY).await;
    }
    bail!("the instances of ingest do not hear each other after {PATIENCE:?}")
}

/// A line of the table.
fn line(rates: &str, runs: &[Seen], alone: &[Seen]) -> String {
    let posts: u64 = runs.iter().map(|run| run.posts).sum();
    let p99s = sorted(runs, |run| run.p99_ms);
    let (p50, p99) = (median(&sorted(runs, |run| run.p50_ms)), median(&p99s));
    let ratio = p99 / median(&sorted(alone, |run| run.p99_ms));
    let (least, most) = (p99s.first().unwrap_or(&f64::NAN), p99s.last().unwrap_or(&f64::NAN));
    format!("| {rates} | {} | {posts} | {p50:.2} | {p99:.2} | {ratio:.2} | {least:.2} to {most:.2} |", runs.len())
}

fn sorted(runs: &[Seen], figure: impl Fn(&Seen) -> f64) -> Vec<f64> {
    let mut figures: Vec<_> = runs.iter().map(figure).collect();
    figures.sort_by(f64::total_cmp);
    figures
}

/// The mean of the two in the middle where their number is even; of none, not a number.
fn median(sorted: &[f64]) -> f64 {
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => f64::NAN,
        even if even.is_multiple_of(2) => f64::midpoint(sorted[middle - 1], sorted[middle]),
        _ => sorted[middle],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ratio_is_that_of_the_median_p99() {
        let runs = |p99s: &[f64]| -> Vec<_> {
            p99s.iter().map(|&p99_ms| Seen { posts: 100, p50_ms: p99_ms / 4.0, p99_ms }).collect()
        };
        let (alone, together) = (runs(&[4.0, 2.0, 90.0, 4.0]), runs(&[3.0, 70.0, 1.0]));
        assert_eq!(line("alone", &alone, &alone), "| alone | 4 | 400 | 1.00 | 4.00 | 1.00 | 2.00 to 90.00 |");
        assert_eq!(line("shared", &together, &alone), "| shared | 3 | 300 | 0.75 | 3.00 | 0.75 | 1.00 to 70.00 |");
    }
}
