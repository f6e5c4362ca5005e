//! What a store should hold after a sequence of commits: the contract as plain code over maps.

use std::collections::BTreeMap;

use netqoe_model::{
    AggregateRow, Checkpoint, ClientRow, DeadLetter, Generation, LogIdentity, Look, PartitionCommit, Percentiles,
    UsualRange,
};

use crate::contract::contents::{Cell, Contents};

type Key = (String, String, i64);

/// A store in memory.
#[derive(Debug, Default)]
pub(crate) struct Model {
    log_id: String,
    /// Each row with the time at which it was written.
    rows: BTreeMap<Key, (AggregateRow, i64)>,
    clients: BTreeMap<String, ClientRow>,
    checkpoints: BTreeMap<u16, (Checkpoint, Generation)>,
    dead_letters: BTreeMap<(u16, u64, u32), DeadLetter>,
    looks: BTreeMap<(i64, u16), Look>,
}

impl Model {
    pub(crate) fn of(log: &LogIdentity) -> Self {
        Self { log_id: log.id.clone(), ..Self::default() }
    }

    pub(crate) fn commit(&mut self, generation: Generation, partitions: &[PartitionCommit], updated_at: i64) {
        for partition in partitions {
            for row in &partition.rows {
                let key = (row.client_id.to_string(), row.target.to_string(), row.window.start.ms());
                let is_newer_here =
                    self.rows.get(&key).is_some_and(|(stored, _)| stored.window.as_of > row.window.as_of);
                if !is_newer_here {
                    self.rows.insert(key, (row.clone(), updated_at));
                }
            }
            partition.clients.iter().for_each(|client| self.merge(client));
            for letter in &partition.dead_letters {
                let key = (letter.partition.0, letter.position.0, letter.line);
                self.dead_letters.entry(key).or_insert_with(|| letter.clone());
            }
            self.looks.extend(partition.looks.iter().map(|look| ((look.at.ms(), look.partition.0), look.clone())));
            let checkpoint = partition.checkpoint;
            self.checkpoints.insert(checkpoint.partition.0, (checkpoint, generation));
        }
    }

    fn merge(&mut self, client: &ClientRow) {
        let mut merged = client.clone();
        if let Some(stored) = self.clients.get(&*client.client_id) {
            merged.first_seen = stored.first_seen.min(client.first_seen);
            if stored.last_seen > client.last_seen {
                merged.last_seen = stored.last_seen;
                merged.context = stored.context.clone();
            }
        }
        self.clients.insert(client.client_id.to_string(), merged);
    }

    /// As the tables should show it.
    pub(crate) fn contents(&self) -> Contents {
        let contents = Contents([
            self.rows.values().map(|(row, updated_at)| aggregate(row, *updated_at)).collect(),
            self.rows.values().filter_map(|(row, updated_at)| diagnosis(row, *updated_at)).collect(),
            self.clients.values().map(client).collect(),
            self.checkpoints
                .values()
                .map(|(reached, generation)| checkpoint(&self.log_id, reached, *generation))
                .collect(),
            self.dead_letters.values().map(dead_letter).collect(),
            self.looks.values().map(look).collect(),
        ]);
        contents.sorted()
    }
}

fn text(text: &str) -> Cell {
    Cell::Text(text.to_owned())
}

/// PostgreSQL has no U+0000, so no store keeps one in a text.
fn storable(given: &str) -> Cell {
    text(&given.replace('\0', "\u{FFFD}"))
}

fn optional(given: Option<&String>) -> Cell {
    given.map_or(Cell::Null, |given| storable(given))
}

fn real(value: Option<f64>) -> Cell {
    value.map_or(Cell::Null, Cell::Real)
}

fn count(count: impl Into<u64>) -> Cell {
    Cell::Integer(count.into().cast_signed())
}

fn aggregate(row: &AggregateRow, updated_at: i64) -> Vec<Cell> {
    let window = &row.window;
    let failed = window.errors.iter().sum::<u32>();
    let mut cells = vec![text(&row.client_id), text(&row.target), Cell::Integer(window.start.ms())];
    cells.extend([window.count_success + failed, window.count_success, failed].map(count));
    cells.extend(window.errors.map(count));
    for both in window.percentiles {
        let of = |which: fn(Percentiles) -> u64| both.map(|both| which(both) as f64 / 1000.0);
        cells.extend([real(of(|both| both.p50)), real(of(|both| both.p95))]);
    }
    cells.push(row.diagnosis.as_ref().map_or(Cell::Null, |diagnosis| text(diagnosis.label.as_str())));
    cells.extend([window.is_final.into(), window.as_of.ms(), updated_at].map(Cell::Integer));
    cells.push(row.pair_state.as_ref().map_or(Cell::Null, |state| Cell::Bytes(state.to_vec())));
    let network = window.network.as_deref();
    let names = network.map(|network| [&network.network_type, &network.isp, &network.site]);
    cells.extend(names.map_or([Cell::Null, Cell::Null, Cell::Null], |names| {
        names.map(|name| name.as_deref().map_or(Cell::Null, text))
    }));
    let labels = window.tags.as_deref().map_or([None; 2], |tags| tags.json());
    cells.extend(labels.map(|json| json.map_or(Cell::Null, text)));
    cells
}

/// A row of `diagnoses` for each finding, and none for what is healthy or says nothing.
fn diagnosis(row: &AggregateRow, updated_at: i64) -> Option<Vec<Cell>> {
    let diagnosis = row.diagnosis.as_ref()?;
    let (severity, evidence) = diagnosis.finding.as_deref()?;
    let mut cells = vec![text(&row.client_id), text(&row.target), Cell::Integer(row.window.start.ms())];
    cells.extend([diagnosis.label.as_str(), severity.as_str(), evidence.stage].map(text));
    cells.push(Cell::Real(evidence.observed));
    let usual = |figure: fn(UsualRange) -> f64| evidence.usual.map(figure);
    cells.extend([usual(|usual| usual.centre), usual(|usual| usual.low), usual(|usual| usual.high)].map(real));
    cells.extend([evidence.sigmas, evidence.share_of_total].map(real));
    cells.extend([evidence.samples, evidence.bad_samples, evidence.windows].map(count));
    cells.push(Cell::Integer(evidence.since.ms()));
    cells.extend([row.window.is_final.into(), row.window.as_of.ms(), updated_at].map(Cell::Integer));
    Some(cells)
}

fn client(client: &ClientRow) -> Vec<Cell> {
    let context = &client.context;
    let mut cells = vec![text(&client.client_id)];
    cells.extend([&context.network_type, &context.isp, &context.json].map(|given| optional(given.as_ref())));
    cells.extend([client.first_seen, client.last_seen].map(|time| Cell::Integer(time.ms())));
    cells
}

fn checkpoint(log_id: &str, checkpoint: &Checkpoint, generation: Generation) -> Vec<Cell> {
    let ledger = checkpoint.ledger;
    let mut cells = vec![text(log_id), count(checkpoint.partition.0)];
    cells.extend([checkpoint.resume_from.0, checkpoint.processed.0].map(count));
    cells.push(Cell::Integer(checkpoint.log_time.ms()));
    cells.extend([ledger.read, ledger.accepted, ledger.duplicate, ledger.late, ledger.invalid].map(count));
    cells.push(Cell::Integer(generation.0));
    cells
}

fn look(look: &Look) -> Vec<Cell> {
    vec![Cell::Integer(look.at.ms()), count(look.partition.0), Cell::Bytes(look.sightings_to_bytes())]
}

fn dead_letter(letter: &DeadLetter) -> Vec<Cell> {
    vec![
        count(letter.partition.0),
        count(letter.position.0),
        count(letter.line),
        Cell::Integer(letter.log_time.ms()),
        storable(&letter.reason),
        Cell::Bytes(letter.original.clone()),
    ]
}
