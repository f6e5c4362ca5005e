//! What is older than it is kept goes, in every table, and the rest stays.

use std::thread;

use netqoe_model::{AggregateRow, LogTime, PartitionCommit};
use netqoe_sinks::{Maintained, Maintenance};

use crate::contract::bench::Bench;
use crate::contract::contents::{AGGREGATES, CLIENTS, CORRECTIONS, Cell, DEAD_LETTERS, DIAGNOSES, assert_same};
use crate::contract::make::{MINUTE_MS, YEAR_2026_MS, client, commit, dead_letter, full_row, log};
use crate::contract::model::Model;

for_each_store!(
    old_results_go_and_the_rest_stays,
    old_corrections_go,
    many_old_results_go_a_few_at_a_time,
    commits_go_on_meanwhile,
    nothing_is_old_in_an_empty_store,
);

/// The first of April 2026, which is 90 days after the year began.
const NOW_MS: i64 = YEAR_2026_MS + 90 * 86_400_000;

const MAINTENANCE: Maintenance = Maintenance { now_ms: NOW_MS, retention_ms: 90 * 86_400_000, months_ahead: 2 };

/// Results of these times.
fn of_times(processed: u64, times_ms: impl Iterator<Item = i64> + Clone) -> PartitionCommit {
    let rows: Vec<AggregateRow> = times_ms.clone().map(|time_ms| full_row("a", "x", time_ms, time_ms)).collect();
    let mut partition = commit(0, processed, rows);
    for (line, time_ms) in (0..).zip(times_ms) {
        partition.clients.push(client(&format!("last seen at {time_ms}"), 1, time_ms, "A"));
        let mut letter = dead_letter(0, processed, line, "no event");
        letter.log_time = LogTime::from_ms(time_ms);
        partition.dead_letters.push(letter);
    }
    partition
}

fn old_results_go_and_the_rest_stays(bench: &Bench) {
    let old = of_times(1, [YEAR_2026_MS - 40 * 86_400_000, YEAR_2026_MS - MINUTE_MS].into_iter());
    let young = of_times(2, [YEAR_2026_MS, NOW_MS - MINUTE_MS, NOW_MS].into_iter());
    let (mut store, generation) = bench.open();
    store.commit(generation, &[old]).unwrap();
    store.commit(generation, std::slice::from_ref(&young)).unwrap();

    let done = bench.maintainer().maintain(&MAINTENANCE).unwrap();
    assert_eq!((done.diagnoses_deleted, done.clients_deleted, done.dead_letters_deleted), (2, 2, 2));
    assert_eq!(done.months_dropped + done.rows_deleted, 2);
    let mut model = Model::of(&log());
    model.commit(generation, &[young], 1);
    assert_same(&bench.contents(), &model.contents());

    let again = bench.maintainer().maintain(&MAINTENANCE).unwrap();
    assert_eq!(again, Maintained::default());
    assert_same(&bench.contents(), &model.contents());
}

fn old_corrections_go(bench: &Bench) {
    drop(bench.open());
    for at_ms in [YEAR_2026_MS - MINUTE_MS, YEAR_2026_MS, NOW_MS] {
        let at = bench.time(at_ms);
        bench.execute(&format!(
            "INSERT INTO corrections (partition, at, from_window, pairs, accepted, duplicate, rows_written, written_at)
             VALUES (0, {at}, {at}, 1, 1, 0, 1, {at})"
        ));
    }
    bench.maintainer().maintain(&MAINTENANCE).unwrap();
    let kept: Vec<_> = bench.rows(&CORRECTIONS).into_iter().map(|mut row| row.remove(1)).collect();
    assert_eq!(kept, [YEAR_2026_MS, NOW_MS].map(Cell::Integer));
}

fn many_old_results_go_a_few_at_a_time(bench: &Bench) {
    const COUNT: i64 = 10_001;
    let (mut store, generation) = bench.open();
    let times_ms = (1..=COUNT).map(|minutes| YEAR_2026_MS - minutes * MINUTE_MS);
    store.commit(generation, &[of_times(1, times_ms)]).unwrap();
    let done = bench.maintainer().maintain(&MAINTENANCE).unwrap();
    let deleted = [done.diagnoses_deleted, done.clients_deleted, done.dead_letters_deleted];
    assert_eq!(deleted, [COUNT.cast_unsigned(); 3]);
    assert_eq!([&AGGREGATES, &DIAGNOSES, &CLIENTS, &DEAD_LETTERS].map(|table| bench.rows(table).len()), [0; 4]);
}

fn commits_go_on_meanwhile(bench: &Bench) {
    let (mut store, generation) = bench.open();
    store.commit(generation, &[of_times(1, (1..3_000).map(|minutes| YEAR_2026_MS - minutes * MINUTE_MS))]).unwrap();
    let mut maintainers = [bench.maintainer(), bench.maintainer()];
    thread::scope(|scope| {
        let maintaining = maintainers.each_mut().map(|it| scope.spawn(move || it.maintain(&MAINTENANCE).unwrap()));
        for processed in 2..20_u64 {
            let row = full_row("young", "x", NOW_MS - MINUTE_MS, processed.cast_signed());
            store.commit(generation, &[commit(0, processed, vec![row])]).unwrap();
        }
        let done = maintaining.map(|thread| thread.join().unwrap());
        assert_eq!(done[0].diagnoses_deleted + done[1].diagnoses_deleted, 2_999, "each is deleted once");
    });
    assert_eq!([&AGGREGATES, &DIAGNOSES].map(|table| bench.rows(table).len()), [1, 1]);
}

fn nothing_is_old_in_an_empty_store(bench: &Bench) {
    let for_ever = Maintenance { retention_ms: i64::MAX, months_ahead: 0, ..MAINTENANCE };
    for maintenance in [MAINTENANCE, for_ever] {
        let done = bench.maintainer().maintain(&maintenance).unwrap();
        assert_eq!(Maintained { months_made: 0, ..done }, Maintained::default());
    }
}
