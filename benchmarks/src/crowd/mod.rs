//! `netqoe bench crowd`: what idle and slow connections take of a good client's latency.
//!
//! A good client posts at a rate that the server keeps up with easily, alone and beside a crowd, in turn, forwards and backwards,
//! before one `netqoe up`. The ratio of both is within one measurement.

mod connections;

use std::time::Duration;

use anyhow::{Context, bail};
use hdrhistogram::Histogram;
use netqoe_simulator::Load;

use self::connections::Crowd;
use crate::now::now_ms;
use crate::options::BenchCrowdOptions;
use crate::output;
use crate::posting::{Pace, Posting, latencies};
use crate::process::Process;
use crate::product::Product;
use crate::threads::request_threads;

/// 500 clients with 10 targets each.
const PAIRS: u64 = 5_000;
/// Not measured, before each measurement.
const WARM_UP: Duration = Duration::from_secs(1);

const HEADING: &str =
    "| connections beside | posts | p50 ms | p99 ms | p99 of that alone |\n| --- | --- | --- | --- | --- |";

pub(crate) fn run(options: &BenchCrowdOptions, product: &Product) -> anyhow::Result<()> {
    let [mut alone, mut beside] = [latencies()?, latencies()?];
    let closed = request_threads()?.block_on(async {
        let stop = (product.stop_on_signals)().context("can't listen for signals")?;
        tokio::select! {
            measured = measure(options, &mut alone, &mut beside) => measured,
            () = stop.cancelled() => bail!("stopped before all was measured"),
        }
    })?;
    output::line(HEADING)?;
    output::line(line("none", &alone, &alone))?;
    output::line(line(&format!("{} idle, {} slow", options.idle, options.slow), &beside, &alone))?;
    output::line(format_args!(
        "\nThe server closed {closed} of the crowd's connections, each of which was opened again."
    ))?;
    Ok(output::caution_of_debug_build()?)
}

/// Returns how many connections of the crowd the server has closed.
async fn measure(
    options: &BenchCrowdOptions,
    alone: &mut Histogram<u64>,
    beside: &mut Histogram<u64>,
) -> anyhow::Result<u64> {
    let folder = tempfile::tempdir().context("can't make a temporary folder")?;
    let mut process = Process::up(folder.path(), &[])?;
    let address = process.address().await?;
    let posting = Posting::new(vec![address], Load::healthy(u64::try_from(now_ms()).unwrap_or(0), PAIRS));
    let pace = Pace::PerSecond(options.rate.get().into());
    let duration = Duration::from_secs(options.seconds.get().into());
    let mut closed = 0;
    for has_crowd in (0..options.rounds.get()).flat_map(|_| [false, true, true, false]) {
        tracing::info!("{}", if has_crowd { "beside the crowd" } else { "alone" });
        let crowd = match has_crowd {
            true => Some(Crowd::gather(address, options.idle, options.slow).await?),
            false => None,
        };
        posting.post(1, pace, WARM_UP).await?;
        let posted = posting.post(1, pace, duration).await?;
        *if has_crowd { &mut *beside } else { &mut *alone } += posted.latency;
        closed += crowd.map_or(0, |crowd| crowd.closed());
    }
    process.stop().await?;
    Ok(closed)
}

/// A line of the table.
fn line(beside: &str, latency: &Histogram<u64>, alone: &Histogram<u64>) -> String {
    let ms = |of: &Histogram<u64>, share| of.value_at_quantile(share) as f64 / 1000.0;
    let ratio = ms(latency, 0.99) / ms(alone, 0.99);
    format!("| {beside} | {} | {:.2} | {:.2} | {ratio:.2} |", latency.len(), ms(latency, 0.5), ms(latency, 0.99))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ratio_is_that_of_p99() {
        let of = |us: u64| {
            let mut latency = latencies().unwrap();
            latency.record_n(us, 100).unwrap();
            latency
        };
        assert_eq!(line("none", &of(2_000), &of(2_000)), "| none | 100 | 2.00 | 2.00 | 1.00 |");
        assert_eq!(line("9 idle, 9 slow", &of(3_000), &of(2_000)), "| 9 idle, 9 slow | 100 | 3.00 | 3.00 | 1.50 |");
    }
}
