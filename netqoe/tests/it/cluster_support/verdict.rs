//! The store held against the log, once everything has come to rest.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::expected::Log;
use super::tables::{Ledger, Row, Tables};
use super::{Audit, Nats, Rig, Sent};
use crate::support::PATIENCE;

/// How many columns of a row name its window.
const KEY_COLUMNS: usize = 3;

/// What was found, in numbers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Figures {
    pub(crate) lines: usize,
    pub(crate) rows: usize,
    pub(crate) diagnoses: usize,
    /// Of incidents.
    pub(crate) revisions: usize,
    pub(crate) differences: usize,
    /// read, accepted, duplicate, late, invalid
    pub(crate) ledger: Ledger,
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { lines, rows, diagnoses, revisions, differences, ledger } = self;
        let [read, accepted, duplicate, late, invalid] = ledger;
        write!(
            f,
            "{lines} lines in the log; read {read} = accepted {accepted} + duplicate {duplicate} + late {late} + \
             invalid {invalid}; {rows} rows, {diagnoses} diagnoses, {revisions} revisions of incidents, {differences} \
             differences"
        )
    }
}

/// Whether the store is what the log says.
pub(crate) struct Verdict {
    /// Each in one line; none where all is well.
    pub(crate) problems: Vec<String>,
    /// Those of them that no copy of the log would excuse: what was acknowledged and is gone, what was committed against the rules.
    pub(crate) lost: Vec<String>,
    pub(crate) figures: Figures,
}

impl Verdict {
    /// Exports the log, and holds the store, what senders were told, and what was seen of commits against it.
    pub(crate) fn of<N: Nats>(rig: &Rig<N>, database_url: &str, audit: &Audit, sent: &Sent) -> Self {
        let mut exported = Vec::new();
        let log = rig.log();
        log.export(&mut exported).unwrap();
        log.close();
        let (log, folder, horizon) = (Log::new(&exported), tempfile::tempdir().unwrap(), rig.correction_horizon);
        let (mut live, mut replayed) = (Tables::postgres(database_url), log.replayed(folder.path(), horizon));
        if !horizon.is_zero() {
            live.forget_when_it_was_known();
            replayed.forget_when_it_was_known();
        }
        let mut verdict = Self { problems: audit.problems(), lost: Vec::new(), figures: Figures::default() };
        verdict.acknowledged(&log, sent);
        verdict.lost.clone_from(&verdict.problems);
        verdict.compare("rows and their replay", &live.rows, &replayed.rows);
        let as_the_reference = |row: &Row| row[..row.len() - 2].to_vec();
        let rows = live.rows.iter().map(as_the_reference).collect();
        verdict.compare("rows and the reference", &rows, &log.reference_rows(horizon));
        verdict.compare("diagnoses and their replay", &live.diagnoses, &replayed.diagnoses);
        verdict.compare("clients and their replay", &live.clients, &replayed.clients);
        let told = live.told_by(&live);
        verdict.compare("revisions of incidents and their replay", &told, &replayed.told_by(&live));
        verdict.figures.revisions = told.len();
        verdict.ledgers(&log, &live, &replayed);
        verdict.figures.lines = log.lines();
        verdict.figures.rows = live.rows.len();
        verdict.figures.diagnoses = live.diagnoses.len();
        verdict.figures.ledger = live.ledger();
        verdict
    }

    fn acknowledged(&mut self, log: &Log, sent: &Sent) {
        let in_log = log.event_ids();
        let lost: Vec<_> = sent.acknowledged.difference(&in_log).collect();
        if let Some(example) = lost.first() {
            self.problems.push(format!("{} events were acknowledged and are not in the log, as {example}", lost.len()));
        }
        if sent.untaken > 0 {
            self.problems.push(format!("{} requests were not taken within {PATIENCE:?}", sent.untaken));
        }
    }

    fn compare(&mut self, what: &str, live: &BTreeSet<Row>, expected: &BTreeSet<Row>) {
        let key = |row: &Row| row[..KEY_COLUMNS.min(row.len())].to_vec();
        let by_key = |rows: Vec<&Row>| rows.into_iter().map(|row| (key(row), row.clone())).collect::<BTreeMap<_, _>>();
        let live_only = by_key(live.difference(expected).collect());
        let expected_only = by_key(expected.difference(live).collect());
        let keys: BTreeSet<_> = live_only.keys().chain(expected_only.keys()).collect();
        if let Some(key) = keys.first() {
            let (is, should_be) = (live_only.get(*key), expected_only.get(*key));
            self.figures.differences += keys.len();
            self.problems.push(format!("{what} differ in {}: {is:?} should be {should_be:?}", keys.len()));
        }
    }

    /// Lines that are no event count where they were published, which an exported log does not tell.
    fn ledgers(&mut self, log: &Log, live: &Tables, replayed: &Tables) {
        let events = |tables: &Tables| -> BTreeMap<_, _> {
            let counted = |(partition, ledger): (&u64, &Ledger)| (*partition, [ledger[1], ledger[2], ledger[3]]);
            tables.ledgers.iter().map(counted).filter(|(_, counts)| *counts != [0; 3]).collect()
        };
        let (live_events, replayed_events) = (events(live), events(replayed));
        for partition in live_events.keys().chain(replayed_events.keys()).collect::<BTreeSet<_>>() {
            let (is, should_be) = (live_events.get(partition), replayed_events.get(partition));
            if is != should_be {
                self.figures.differences += 1;
                let counts = "accepted, duplicate and late";
                self.problems.push(format!("{counts} of partition {partition} are {is:?}, should be {should_be:?}"));
            }
        }
        for (partition, ledger) in &live.ledgers {
            if ledger[0] != ledger[1..].iter().sum::<u64>() {
                self.problems.push(format!("the ledger of partition {partition} does not balance: {ledger:?}"));
            }
        }
        let (is, should_be) = (live.ledger(), replayed.ledger());
        if is != should_be || is[0] != log.lines() as u64 {
            let lines = log.lines();
            self.problems.push(format!("the ledger is {is:?}, should be {should_be:?} for {lines} lines"));
        }
        if live.dead_letters as u64 != is[4] {
            self.problems.push(format!("{} dead letters are kept for {} invalid lines", live.dead_letters, is[4]));
        }
    }
}
