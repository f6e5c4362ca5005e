//! What must be in a store, from the log alone: once from a replay, once from the reference from scratch.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use netqoe_model::{ErrorStage, Event, Network, Rules, Tick};
use serde_json::json;

use super::rig::{RULES, horizon_option, rules};
use super::tables::{Row, THE_END, Tables};
use crate::support::netqoe;

#[allow(dead_code)] // the ledger of the reference is for the dataflow's own tests
#[path = "../../../../dataflow/tests/it/support/reference/mod.rs"]
mod reference;

/// How long after the last event of an exported log it ends: every window is closed then.
const END_AFTER_MS: i64 = 3_600_000;

/// An exported log, and a moment much later at which it ends.
pub(crate) struct Log {
    pub(crate) text: String,
    end_ms: i64,
}

impl Log {
    pub(crate) fn new(exported: &[u8]) -> Self {
        // What others published need not be text; a line that is none is invalid either way.
        let text = String::from_utf8_lossy(exported).into_owned();
        let last_ms = text.lines().filter_map(recv_ms).max().unwrap_or_default();
        Self { text, end_ms: last_ms + END_AFTER_MS }
    }

    /// Its lines, without ticks.
    pub(crate) fn lines(&self) -> usize {
        self.text.lines().filter(|line| Tick::parse(line.as_bytes()).is_none()).count()
    }

    /// The ids of all events in it.
    pub(crate) fn event_ids(&self) -> BTreeSet<String> {
        let id = |line: &str| Event::parse(line.as_bytes()).ok().map(|event| event.event_id.into_owned());
        self.text.lines().filter_map(id).collect()
    }

    /// What `netqoe replay` makes of it, where what comes late counts for so long.
    pub(crate) fn replayed(&self, folder: &Path, correction_horizon: Duration) -> Tables {
        let (input, store) = (folder.join("log.ndjson"), folder.join("replayed.db"));
        let end = json!({
            "event_id": THE_END, "client_id": THE_END, "target": THE_END, "ts_ms": self.end_ms,
            "recv_ts_ms": self.end_ms, "timing_measurements": {}
        });
        std::fs::write(&input, format!("{}{end}\n", self.text)).unwrap();
        let mut command = netqoe();
        command.args(["replay", "-w", "2", "--store", &format!("sqlite:{}", store.display()), "--input"]).arg(&input);
        let output = command.args(horizon_option(correction_horizon)).envs(RULES).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let mut tables = Tables::sqlite(&store);
        let partition = netqoe_model::Partition::of(THE_END, netqoe_model::DEFAULT_PARTITIONS);
        // The event that ends the log is in no live store.
        let ledger = tables.ledgers.get_mut(&u64::from(partition.0)).unwrap();
        (ledger[0], ledger[1]) = (ledger[0] - 1, ledger[1] - 1);
        tables
    }

    /// The rows of the reference, in `ROW_COLUMNS`, where what comes late counts for so long.
    pub(crate) fn reference_rows(&self, correction_horizon: Duration) -> BTreeSet<Row> {
        let lateness_ms = rules().lateness_ms.max(correction_horizon.as_millis().try_into().unwrap());
        let rules = Rules { lateness_ms, ..rules() };
        let mut by_client: BTreeMap<String, Vec<reference::Record>> = BTreeMap::new();
        let mut log_time = 0;
        for line in self.text.lines() {
            let Ok(event) = Event::parse(line.as_bytes()) else { continue };
            log_time = log_time.max(event.recv.unwrap_or(event.ts).ms());
            by_client.entry(event.client_id.to_string()).or_default().push((Some(log_time), line.to_owned()));
        }
        let mut rows = BTreeSet::new();
        for mut records in by_client.into_values() {
            records.push((Some(self.end_ms), String::new()));
            rows.extend(reference::run(&records, &rules).0.into_iter().map(|(key, row)| texts(key, &row)));
        }
        rows
    }
}

fn recv_ms(line: &str) -> Option<i64> {
    Event::parse(line.as_bytes()).ok()?.recv.map(|recv| recv.ms())
}

fn texts((client_id, target, start_ms): reference::Key, row: &reference::Row) -> Row {
    let errors = ErrorStage::ALL.map(|stage| row.errors[stage as usize]);
    let count_error: u32 = errors.iter().sum();
    let mut texts = vec![client_id, target, start_ms.to_string()];
    let counts = [row.count_success + count_error, row.count_success, count_error];
    texts.extend(counts.iter().chain(&errors).map(u32::to_string));
    for percentiles in row.percentiles {
        let text = |of: fn(netqoe_model::Percentiles) -> u64| {
            percentiles.map_or_else(|| "null".to_owned(), |found| format!("{:?}", of(found) as f64 / 1000.0))
        };
        texts.extend([text(|found| found.p50), text(|found| found.p95)]);
    }
    let label = row.judged.diagnosis.as_ref().map_or("null", |diagnosis| diagnosis.label.as_str());
    texts.push(label.to_owned());
    texts.push(u8::from(row.is_final).to_string());
    let names = row.network.as_deref().map_or([None; 3], Network::names);
    texts.extend(names.map(|name| name.unwrap_or("null").to_owned()));
    texts
}
