//! What it takes to be ready for late events where none comes: one history, imported with and without a correction horizon.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context;
use rusqlite::{Connection, OpenFlags};
use tokio::time::sleep;

use super::history::Outage;
use super::{NO_LIMIT, wait_until};
use crate::output;
use crate::poster::Poster;
use crate::process::Process;
use crate::scrape::PROCESSED;

/// None, shorter than the history, and longer: what is kept in memory does not follow from it.
const HORIZONS: [&str; 3] = ["0s", "10m", "24h"];
/// Runs of each, in turn; the medians are printed.
const RUNS: usize = 3;
/// In which the incidents of the last minutes are found and written.
const WRITTEN_AFTER: Duration = Duration::from_secs(2);

const HEADING: &str = "\n| correction horizon, nothing late | events | events/s | CPU s | MB of the store, without the log | peak memory, MB |\n\
    | --- | --- | --- | --- | --- | --- |";

/// What one import took.
#[derive(Clone, Copy)]
struct Taken {
    seconds: f64,
    cpu_s: f64,
    store_bytes: u64,
    peak_memory_bytes: u64,
}

/// Imports a history in which everybody was there.
pub(super) async fn measure(outage: Outage) -> anyhow::Result<()> {
    let outage = Outage { offline_clients: 0, ..outage };
    let folder = tempfile::tempdir().context("can't make a temporary folder")?;
    let file = folder.path().join("history.ndjson");
    outage.write(&file).context("can't write the history")?;
    let events = outage.events();
    let mut taken = HORIZONS.map(|_| Vec::new());
    for run in 0..RUNS {
        for (horizon, taken) in HORIZONS.into_iter().zip(&mut taken) {
            let data = folder.path().join(format!("{horizon}-{run}"));
            taken.push(import(&data, &file, horizon, events).await?);
            std::fs::remove_dir_all(&data).context("can't remove what was measured")?;
        }
    }
    output::line(HEADING)?;
    for (horizon, taken) in HORIZONS.into_iter().zip(&mut taken) {
        let seconds = median(taken, |taken| taken.seconds);
        output::line(format!(
            "| {horizon} | {events} | {:.0} | {:.1} | {:.1} | {:.0} |",
            events as f64 / seconds,
            median(taken, |taken| taken.cpu_s),
            median(taken, |taken| taken.store_bytes as f64) / 1e6,
            median(taken, |taken| taken.peak_memory_bytes as f64) / 1e6,
        ))?;
    }
    Ok(())
}

async fn import(data: &Path, file: &Path, horizon: &str, events: u64) -> anyhow::Result<Taken> {
    let file = file.to_str().context("the temporary folder has a name that is no text")?;
    let began = Instant::now();
    let options = ["--max-pairs", NO_LIMIT, "--correction-horizon", horizon, "--import", file];
    let mut process = Process::up(data, &options)?;
    let mut metrics = Poster::connect(process.address().await?).await?;
    wait_until(&mut metrics, |seen| seen.sum(PROCESSED) >= events as f64).await?;
    let seconds = began.elapsed().as_secs_f64();
    sleep(WRITTEN_AFTER).await;
    let (cpu_s, peak_memory_bytes) = (process.cpu_seconds()?, process.peak_memory_bytes()?);
    process.stop().await?;
    Ok(Taken { seconds, cpu_s, store_bytes: store_bytes(data)?, peak_memory_bytes })
}

/// Bytes of all tables and indexes that are not the log's.
fn store_bytes(data: &Path) -> anyhow::Result<u64> {
    let file = Connection::open_with_flags(data.join("netqoe.db"), OpenFlags::SQLITE_OPEN_READ_ONLY);
    let file = file.context("can't open the store that was measured")?;
    let sql = "SELECT sum(pgsize) FROM dbstat WHERE name NOT LIKE 'log\\_%' ESCAPE '\\' AND name NOT LIKE '%\\_log\\_%' ESCAPE '\\'";
    file.query_row(sql, [], |row| row.get(0)).context("can't tell the size of the store that was measured")
}

fn median(taken: &mut [Taken], of: impl Fn(&Taken) -> f64) -> f64 {
    taken.sort_by(|a, b| of(a).total_cmp(&of(b)));
    of(&taken[taken.len() / 2])
}
