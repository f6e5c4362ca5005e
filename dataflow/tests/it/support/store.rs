//! A store in memory, with the rules that stores have.

use std::collections::BTreeMap;
use std::num::{NonZeroU16, NonZeroUsize};
use std::sync::{Arc, Mutex};

use netqoe_dataflow::judge::PairState;
use netqoe_dataflow::{Feed, Links, Pace, PartitionOutput, PartitionState, Pasts, Seed, WorkerPart, start};
use netqoe_model::{
    AggregateRow, Checkpoint, ClientRow, DeadLetter, Ledger, Look, Partition, Position, Rules, Sighting,
};

use super::reference::looks::Looks;
use super::reference::{Client, Judged, Key, Row};

#[derive(Clone, Debug, Default)]
pub(crate) struct Store {
    pub(crate) rows: BTreeMap<Key, AggregateRow>,
    pub(crate) clients: BTreeMap<String, ClientRow>,
    pub(crate) checkpoints: BTreeMap<Partition, Checkpoint>,
    pub(crate) states: BTreeMap<Partition, PartitionState>,
    pub(crate) dead_letters: Vec<DeadLetter>,
    pub(crate) looks: BTreeMap<Partition, Looks>,
}

impl Store {
    pub(crate) fn commit(&mut self, output: &PartitionOutput) {
        let commit = &output.commit;
        assert!(commit.checkpoint.ledger.balances(), "{:?}", commit.checkpoint);
        self.states.insert(commit.checkpoint.partition, output.state);
        let before = self.checkpoints.insert(commit.checkpoint.partition, commit.checkpoint);
        let goes_on = |before: Checkpoint| {
            before.processed <= commit.checkpoint.processed && before.log_time <= commit.checkpoint.log_time
        };
        assert!(before.is_none_or(goes_on), "progress never goes back");
        let late_before = before.map_or(0, |before| before.ledger.late);
        let told: u64 = output.late.iter().map(|events| events.count).sum();
        assert_eq!(told, commit.checkpoint.ledger.late - late_before, "each late event is told once: {output:?}");
        for row in &commit.rows {
            let key = (row.client_id.to_string(), row.target.to_string(), row.window.start.ms());
            let before = self.rows.get(&key);
            assert!(
                before.is_none_or(|before| !before.window.is_final || before == row),
                "a final row never changes: {before:?} {row:?}"
            );
            if before.is_none_or(|before| before.window.as_of <= row.window.as_of) {
                self.rows.insert(key, row.clone());
            }
        }
        commit.clients.iter().for_each(|client| self.see(client));
        self.dead_letters.extend(commit.dead_letters.clone());
        commit.looks.iter().for_each(|look| self.look(look));
    }

    /// Looks are made once, in order, and before the log has gone further.
    fn look(&mut self, look: &Look) {
        let key = |it: &Sighting| (it.client_id.to_string(), it.target.to_string(), it.window.ms());
        assert!(look.sightings.is_sorted_by(|a, b| key(a) < key(b)), "by client, target and window: {look:?}");
        let what = |it: &Sighting| (it.standing, it.network.clone(), it.tags.clone());
        let seen = look.sightings.iter().map(|sighting| (key(sighting), what(sighting)));
        let looks = self.looks.entry(look.partition).or_default();
        assert!(looks.last_key_value().is_none_or(|(at, _)| *at < look.at.ms()), "{:?}", look.at);
        looks.insert(look.at.ms(), seen.collect());
    }

    /// The looks of all partitions, without what was said before: where windows close between two looks, a start says again
    /// how those stand that are open.
    pub(crate) fn plain_looks(&self, said_again: bool) -> Looks {
        let mut all = Looks::new();
        for (at, look) in self.looks.values().flatten() {
            all.entry(*at).or_default().extend(look.clone());
        }
        if said_again {
            let mut seen = BTreeMap::new();
            all.values_mut().for_each(|look| {
                look.retain(|key, news| seen.insert(key.clone(), news.clone()).as_ref() != Some(news));
            });
            all.retain(|_, look| !look.is_empty());
        }
        all
    }

    /// Keeps the earlier first time, the later last time, and the context that came with that.
    fn see(&mut self, client: &ClientRow) {
        let mut seen = client.clone();
        if let Some(before) = self.clients.get(&*client.client_id) {
            if before.last_seen > client.last_seen {
                seen = before.clone();
            }
            seen.first_seen = before.first_seen.min(client.first_seen);
        }
        self.clients.insert(client.client_id.to_string(), seen);
    }

    /// The clients in the reference's form.
    pub(crate) fn plain_clients(&self) -> BTreeMap<String, Client> {
        let plain = |client: &ClientRow| Client {
            first_seen_ms: client.first_seen.ms(),
            last_seen_ms: client.last_seen.ms(),
            context: client.context.json.as_deref().map(|json| serde_json::from_str(json).unwrap()),
            network_type: client.context.network_type.clone(),
            isp: client.context.isp.clone(),
        };
        self.clients.iter().map(|(client_id, client)| (client_id.clone(), plain(client))).collect()
    }

    pub(crate) fn ledger(&self) -> Ledger {
        let mut sum = Ledger::default();
        self.checkpoints.values().for_each(|checkpoint| sum += checkpoint.ledger);
        sum
    }

    /// The rows in the reference's form.
    pub(crate) fn plain_rows(&self) -> BTreeMap<Key, Row> {
        let plain = |row: &AggregateRow| {
            let mut ended_runs = row.ended_runs.clone();
            ended_runs.sort();
            Row::of(&row.window, Judged { diagnosis: row.diagnosis.clone(), suspected: None, ended_runs })
        };
        self.rows.iter().map(|(key, row)| (key.clone(), plain(row))).collect()
    }

    /// Final rows that are further than the checkpoint of their partition.
    pub(crate) fn rows_ahead(&self, partitions: NonZeroU16) -> usize {
        let log_time =
            |row: &AggregateRow| self.checkpoints.get(&Partition::of(&row.client_id, partitions)).map(|at| at.log_time);
        let is_ahead =
            |row: &&AggregateRow| row.window.is_final && log_time(row).is_none_or(|at| row.window.as_of > at);
        self.rows.values().filter(is_ahead).count()
    }

    /// Where each partition goes on.
    pub(crate) fn resume_from(&self, partitions: NonZeroU16) -> Vec<Position> {
        let partitions = (0..partitions.get()).map(Partition);
        partitions.map(|partition| self.checkpoints.get(&partition).map_or(Position(0), |at| at.resume_from)).collect()
    }

    fn seeds(&self, worker: usize, workers: usize, partitions: NonZeroU16, rules: &Rules) -> Vec<Seed> {
        let owned = self.checkpoints.values().filter(|at| usize::from(at.partition.0) % workers == worker);
        let seed = |checkpoint: &Checkpoint| {
            let mut by_pair: BTreeMap<_, Vec<_>> = BTreeMap::new();
            // Windows close again that were closed before a checkpoint said so.
            let is_past = |row: &&AggregateRow| row.window.is_final && row.window.as_of <= checkpoint.log_time;
            for row in self.rows.values().filter(is_past) {
                if Partition::of(&row.client_id, partitions) == checkpoint.partition {
                    by_pair.entry((row.client_id.clone(), row.target.clone())).or_default().push(row);
                }
            }
            let history =
                by_pair.into_iter().map(|((client_id, target), rows)| (client_id, target, past(&rows, rules)));
            Seed { checkpoint: *checkpoint, history: history.collect() }
        };
        owned.map(seed).collect()
    }
}

/// What a pair's final rows, oldest first, have led to: from the newest state on, and not before a silence that ends a past.
fn past(rows: &[&AggregateRow], rules: &Rules) -> PairState {
    let ends_past =
        |two: &[&AggregateRow]| two[1].window.start.ms() - two[0].window.start.ms() > rules.diagnosis.usual.reach_ms();
    let rows = &rows[rows.windows(2).rposition(ends_past).map_or(0, |before| before + 1)..];
    let newest = rows.iter().rposition(|row| row.pair_state.is_some());
    let (state, after) = newest.map_or((None, 0), |at| (rows[at].pair_state.as_deref(), at + 1));
    assert!(rows.len() - after < 16, "a state is never far away");
    PairState::restore(state, rows[after..].iter().map(|row| &row.window), rules)
}

/// Runs the dataflow from where the store is; only the first `commits` outputs reach it, as if it crashed then. Of what becomes
/// due of all pairs at once, `portion` pairs are worked off in a turn. `check` sees the store after each commit, and which
/// partition was committed.
pub(crate) fn run(
    store: &mut Store,
    feeds: Vec<Box<dyn Feed>>,
    partitions: NonZeroU16,
    rules: &Rules,
    commits: usize,
    portion: Option<usize>,
    check: impl Fn(&Store, Partition),
) {
    let workers = feeds.len();
    let outputs = Arc::new(Mutex::new(Vec::new()));
    let part = |(worker, feed)| {
        let outputs = outputs.clone();
        WorkerPart {
            feed,
            pace: portion.map(|portion| -> Pace { Box::new(move || portion) }),
            outlet: Box::new(move |output: Vec<PartitionOutput>| outputs.lock().unwrap().extend(output)),
            pasts: Pasts::seeded(store.seeds(worker, workers, partitions, rules)),
        }
    };
    let parts = feeds.into_iter().enumerate().map(part).collect();
    let guards =
        start(parts, Links::within(NonZeroUsize::new(workers).unwrap()).unwrap(), partitions, rules.clone()).unwrap();
    guards.join().into_iter().for_each(|worker| worker.unwrap());
    for output in outputs.lock().unwrap().iter().take(commits) {
        store.commit(output);
        check(store, output.commit.checkpoint.partition);
    }
}
