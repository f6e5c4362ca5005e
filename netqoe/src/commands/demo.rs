//! `up --demo`: an hour of history with faults of every kind, then the same network live.

use std::time::Duration;

use anyhow::Context;
use netqoe_eventlog::{AppendError, EventLog, SqliteLog};
use netqoe_model::{Event, LogTime, Partition};
use netqoe_simulator::Demo;
use tokio_util::sync::CancellationToken;

use crate::clock::now_ms;

/// Live events come this often, as many as have been measured since.
const EVERY: Duration = Duration::from_millis(250);
/// Fixed, so that a demo that is started again goes on as the same network. Of this one's history the page has much to
/// tell: a slow server alone, faults of a client and of a kind of access, and at the end a provider's slow name servers.
const SEED: u64 = 20_880;

/// Loads the history, or of it what came after a demo that ran here before. Returns the demo, and from when it is live.
pub(super) async fn load(log: &SqliteLog) -> anyhow::Result<(Demo, i64)> {
    let now = now_ms();
    let mut from = now - Demo::HISTORY_MS;
    let demo = Demo::new(SEED, from);
    loop {
        let records = records(&demo, from, now, log);
        match log.import(records).await {
            Ok(_) => return Ok((demo, now)),
            Err(AppendError::TimeFalls { last, .. }) if last.ms() >= from => from = last.ms() + 1,
            Err(error) => return Err(error).context("can't load the demo's history"),
        }
    }
}

/// Appends what the demo's clients measure, until `stop`.
pub(super) async fn run(demo: Demo, mut from: i64, log: SqliteLog, stop: CancellationToken) {
    let mut interval = tokio::time::interval(EVERY);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = interval.tick() => {}
        }
        let to = now_ms().max(from);
        let lines = records(&demo, from, to, &log).into_iter().flat_map(|(_, lines)| lines).collect();
        from = to;
        if let Err(error) = log.append(lines).await {
            tracing::warn!("the demo's events of the last moment are lost: {error}");
        }
    }
}

/// What ingest would have received in a stretch of time, as the log takes it.
fn records(demo: &Demo, from: i64, to: i64, log: &SqliteLog) -> Vec<Record> {
    let partitions = log.identity().partitions;
    let record = |line: netqoe_simulator::Line| {
        let partition =
            Event::parse(line.text.as_bytes()).ok().map(|event| Partition::of(&event.client_id, partitions))?;
        Some((LogTime::from_ms(line.recv_ms), vec![(partition, line.text.into_bytes())]))
    };
    demo.lines(from, to).filter_map(record).collect()
}

/// A log time, and the lines that the log takes at it.
type Record = (LogTime, Vec<(Partition, Vec<u8>)>);
