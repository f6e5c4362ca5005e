//! One question is answered from one snapshot of the store, whatever is committed between its reads.

use std::num::NonZeroU16;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use netqoe_model::{AggregateRow, Checkpoint, Label, Ledger, LogTime, Percentiles, Position, Rules};
use netqoe_query::{Filling, FinalWindowsReader};
use netqoe_sinks::read::{ReadError, Reader, Watch, Watched};

use crate::stores::{Kind, on_each_store};
use crate::support::{Api, diagnosed, minute_ms, row, since};

on_each_store!(
    no_answer_mixes_two_states_of_the_store,
    memory_that_has_come_further_does_not_answer_for_an_older_snapshot
);

const MINUTES: i64 = 10;

/// Does something after each question, so that the next one would see it.
struct Meanwhile<F> {
    act: F,
    is_acting: AtomicBool,
}

impl<F: Fn() + Send + Sync> Watch for Meanwhile<F> {
    fn question<T>(&self, _: &'static str, ask: impl FnOnce() -> Result<T, ReadError>) -> Result<T, ReadError> {
        let answer = ask();
        if !self.is_acting.swap(true, Ordering::SeqCst) {
            (self.act)();
            self.is_acting.store(false, Ordering::SeqCst);
        }
        answer
    }
}

fn watched(reader: Arc<dyn Reader>, act: impl Fn() + Send + Sync + 'static) -> Arc<dyn Reader> {
    Arc::new(Watched::new(reader, Meanwhile { act, is_acting: AtomicBool::new(false) }))
}

/// What stands in the store after so many commits: each changes every row, adds a client, a target and a window, and counts on.
fn state(nth: u64) -> (Checkpoint, Vec<AggregateRow>) {
    let mut rows = Vec::new();
    for minute in 0..MINUTES + nth as i64 {
        for client in ["a".to_owned(), "b".to_owned(), format!("c{nth}")] {
            for target in ["t".to_owned(), format!("u{nth}")] {
                let mut row = row(&client, &target, minute);
                row.window.count_success = 10 + nth as u32;
                row.window.percentiles = [Some(Percentiles { p50: 1_000, p95: 2_000 + 1_000 * nth }); 5];
                let label = [Label::Healthy, Label::DnsBound, Label::ErrorBound][(nth % 3) as usize];
                rows.push(since(minute - nth as i64, diagnosed(row, label)));
            }
        }
    }
    let ledger = Ledger { read: 100 * nth, accepted: 100 * nth, ..Ledger::default() };
    (Checkpoint { processed: Position(nth), ledger, ..Checkpoint::default() }, rows)
}

async fn no_answer_mixes_two_states_of_the_store(kind: Kind) {
    let api = Api::on(kind, &[]).await;
    let (write, commits) = (Arc::new(api.writer()), Arc::new(AtomicU64::new(0)));
    let commit_next = {
        let (write, commits) = (Arc::clone(&write), Arc::clone(&commits));
        move || {
            let (checkpoint, rows) = state(commits.fetch_add(1, Ordering::SeqCst) + 1);
            write(checkpoint, &rows);
        }
    };
    commit_next();
    let interrupted = watched(api.reader(), commit_next);
    let (from, to) = (minute_ms(0), minute_ms(60));
    for question in [
        "overview".to_owned(),
        "matrix".to_owned(),
        format!("timeline?from={from}&to={to}"),
        format!("series?client_id=a&target=t&from={from}&to={to}"),
        format!("compare?target=t&from={from}&to={to}"),
        format!("different?from={from}&to={to}&inside_from={from}&inside_to={}", minute_ms(5)),
        format!("runs?client_id=a&from={from}&to={to}"),
    ] {
        let path = format!("/api/v1/{question}");
        let before = api.reading_with(api.reader()).get(&path).await.body;
        let done = commits.load(Ordering::SeqCst);
        let answer = api.reading_with(Arc::clone(&interrupted)).get(&path).await.body;
        assert_eq!(answer, before, "{question}");
        assert!(commits.load(Ordering::SeqCst) > done, "{question}: nothing was committed meanwhile");
        assert_ne!(api.reading_with(api.reader()).get(&path).await.body, before, "{question}");
    }
}

/// A block of windows, final and otherwise than they were before.
fn changed() -> Vec<AggregateRow> {
    let change = |minute| {
        let mut row = row("a", "t", minute);
        row.window.is_final = true;
        row.window.count_success = 99;
        diagnosed(row, Label::ErrorBound)
    };
    (0..MINUTES).map(change).collect()
}

async fn memory_that_has_come_further_does_not_answer_for_an_older_snapshot(kind: Kind) {
    let api = Api::on(kind, &(0..MINUTES).map(|minute| row("a", "t", minute)).collect::<Vec<_>>()).await;
    let (write, memory) = (api.writer(), Arc::new(OnceLock::<Arc<FinalWindowsReader>>::new()));
    let filled = Arc::clone(&memory);
    let reader = watched(api.reader(), move || {
        let rules = Rules::default();
        let log_time = LogTime::from_ms(minute_ms(MINUTES) + rules.window_ms + rules.lateness_ms);
        write(Checkpoint { log_time, ..Checkpoint::default() }, &changed());
        let memory = filled.get().unwrap();
        while memory.fill_one().unwrap() == Filling::GoesOn {}
        assert!(memory.tell().starts_with("10 final windows"), "{}", memory.tell());
    });
    let reader = memory.get_or_init(|| Arc::new(FinalWindowsReader::new(reader, &Rules::default(), NonZeroU16::MIN)));
    let (from, to) = (minute_ms(0), minute_ms(MINUTES));
    let path = format!("/api/v1/compare?target=t&from={from}&to={to}");
    let before = api.reading_with(api.reader()).get(&path).await.body;
    assert_eq!(api.reading_with(reader.clone()).get(&path).await.body, before);
    let after = api.reading_with(api.reader()).get(&path).await.body;
    assert_ne!(after, before);
    assert_eq!(api.reading_with(reader.clone()).get(&path).await.body, after);
}
