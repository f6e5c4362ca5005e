//! `netqoe log heal-clock`: back into service after a clock that was ahead, without losing an event.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use netqoe_dataflow::window::PartitionWindows;
use netqoe_dataflow::{Batch, Decoder};
use netqoe_eventlog::ClockHealing;
use netqoe_model::{Checkpoint, DEFAULT_PARTITIONS, Ledger, LogTime, Partition, Position, Rules};
use netqoe_sinks::{SqliteRewind, StoreUrl};

use super::data_file;
use crate::clock::now_ms;
use crate::options::HealClockOptions;
use crate::output;

/// Why incidents are withdrawn that were open.
const SET_BACK: &str = "the log's clock was set back, and netqoe looks for incidents anew";

pub(crate) fn run(options: &HealClockOptions) -> anyhow::Result<()> {
    let path = data_file(&options.data);
    let rules = Arc::new(options.rules.rules());
    let Some(healing) = ClockHealing::find(&path, LogTime::from_ms(now_ms()))? else {
        output::own_line(format_args!(
            "no record of {} lies ahead of the clock: there is nothing to do",
            path.display()
        ))?;
        return Ok(());
    };
    let found = healing.found;
    let ahead = humantime::format_duration(Duration::from_secs(found.ahead_ms.unsigned_abs() / 1_000));
    output::own_line(format_args!(
        "{} records of {} from position {} on lie up to {ahead} ahead of the clock",
        found.records,
        path.display(),
        found.first.0
    ))?;
    let store = rusqlite::Connection::open(&path).context("can't open the store")?;
    let checkpoints = SqliteRewind(&store).checkpoints().context("can't read the store's progress")?;
    drop(store);
    let places = places(&healing, &rules, &checkpoints)?;
    if options.dry_run {
        output::own_line(format_args!(
            "{} partitions would be read again; nothing was changed (--dry-run)",
            places.len()
        ))?;
        return Ok(());
    }
    let mut rows = 0;
    healing
        .apply(|transaction| {
            rows = rewind(&SqliteRewind(transaction), &places, &rules, found.first)?;
            Ok(())
        })
        .with_context(|| format!("can't heal {}; nothing was changed", StoreUrl::Sqlite(path.clone())))?;
    output::own_line(format_args!(
        "their log times are now {} to {}; {rows} rows were taken back, and `netqoe up` computes them again at its next start",
        found.log_time_before, found.log_time_healed
    ))?;
    Ok(())
}

/// Where a partition that has read records from ahead goes on; none: at the log's beginning.
type Place = (Partition, Option<Checkpoint>);

fn places(healing: &ClockHealing, rules: &Arc<Rules>, checkpoints: &[Checkpoint]) -> anyhow::Result<Vec<Place>> {
    let read_ahead = checkpoints.iter().filter(|checkpoint| checkpoint.processed >= healing.found.first);
    read_ahead.map(|checkpoint| Ok((checkpoint.partition, place(healing, rules, checkpoint)?))).collect()
}

fn place(healing: &ClockHealing, rules: &Arc<Rules>, now: &Checkpoint) -> anyhow::Result<Option<Checkpoint>> {
    let begins_at = healing.begins_at()?;
    let before = healing.before(now.partition)?;
    let (last, log_time) = match (before, begins_at) {
        (Some(before), _) => (before.last, before.log_time),
        (None, None) => return Ok(None),
        // What it had is discarded, so that it was quiet for long.
        (None, Some(_)) => (Position(healing.found.first.0 - 1), healing.found.log_time_before),
    };
    // An event may be so far ahead of the log, and its record lie so far before its window.
    let needed = LogTime::from_ms(rules.earliest_open(log_time).ms() - rules.max_future_ms);
    if begins_at.is_some_and(|begins_at| begins_at > needed) {
        bail!(
            "the log begins at {}, and windows that were open at {log_time} need it from {needed} on: they can't be computed \
             again. Wait until the clock has caught up, or go on with an empty data folder",
            begins_at.unwrap_or_default()
        );
    }
    let mut first = None;
    let mut windows = None;
    let decoder = Decoder::new(DEFAULT_PARTITIONS, rules.max_future_ms);
    healing.each_chunk(now.partition, needed, now.processed, |chunk| {
        let resume_from = *first.get_or_insert(chunk.position);
        let start = || {
            let at = Checkpoint {
                partition: now.partition,
                resume_from,
                processed: last,
                log_time,
                ..Checkpoint::default()
            };
            PartitionWindows::new(Arc::clone(rules), at)
        };
        let windows = windows.get_or_insert_with(start);
        decoder
            .decode(&Batch { chunks: vec![chunk], ..Batch::default() })
            .into_iter()
            .for_each(|batch| windows.apply(batch));
    })?;
    let again =
        windows.and_then(|mut windows| windows.turn()).map(|output| output.checkpoint.ledger).unwrap_or_default();
    let resume_from = first.unwrap_or(Position(last.0 + 1)).min(Position(last.0 + 1));
    Ok(Some(Checkpoint {
        partition: now.partition,
        resume_from,
        processed: last,
        log_time,
        ledger: without(now.ledger, again),
    }))
}

/// What was counted before the events that are read again.
fn without(all: Ledger, again: Ledger) -> Ledger {
    Ledger {
        read: all.read.saturating_sub(again.read),
        accepted: all.accepted.saturating_sub(again.accepted),
        duplicate: all.duplicate.saturating_sub(again.duplicate),
        late: all.late.saturating_sub(again.late),
        invalid: all.invalid.saturating_sub(again.invalid),
    }
}

fn rewind(store: &SqliteRewind<'_>, places: &[Place], rules: &Rules, first: Position) -> rusqlite::Result<usize> {
    let mut rows = 0;
    if places.is_empty() {
        return Ok(rows);
    }
    for client_id in store.clients()? {
        let partition = Partition::of(&client_id, DEFAULT_PARTITIONS);
        let Some((_, place)) = places.iter().find(|(of, _)| *of == partition) else { continue };
        let log_time = place.as_ref().map(|place| place.log_time).unwrap_or_default();
        rows += store.delete_rows(&client_id, rules.earliest_open(log_time))?;
    }
    for (partition, place) in places {
        store.delete_letters(*partition, first)?;
        store.set_back(*partition, place.as_ref())?;
    }
    // A look that all partitions had taken by then stands.
    let log_time = places.iter().map(|(_, place)| place.as_ref().map(|place| place.log_time).unwrap_or_default()).min();
    store.delete_incidents(log_time.unwrap_or_default(), SET_BACK, now_ms())?;
    Ok(rows)
}
