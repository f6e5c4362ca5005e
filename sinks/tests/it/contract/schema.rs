//! A store of any version is either brought up to date or refused, and never harmed.

use std::thread;

use netqoe_model::{Label, UsualRange};
use netqoe_sinks::StoreError;
use netqoe_sinks::read::{DiagnosisRecord, Filter, Query};

use crate::contract::bench::Bench;
use crate::contract::contents::assert_same;
use crate::contract::make::{MINUTE_MS, YEAR_2026_MS, commit, full_row, row};

for_each_store!(
    a_newer_schema_is_refused_in_one_line,
    connecting_again_keeps_what_is_there,
    processes_that_start_at_once_make_one_schema,
    diagnoses_of_before_have_a_usual_range,
);

fn a_newer_schema_is_refused_in_one_line(bench: &Bench) {
    drop(bench.connect());
    bench.execute("INSERT INTO store_schema_history VALUES (99, 'of_tomorrow', '2040-01-01T00:00:00Z', '1')");
    let Err(refused) = bench.try_connect() else { panic!("a newer schema is opened") };
    assert!(matches!(refused, StoreError::Newer { found: 99, .. }), "{refused:?}");
    let message = refused.to_string();
    assert!(message.contains("99") && message.contains("newer netqoe") && !message.contains('\n'), "{message}");
}

fn connecting_again_keeps_what_is_there(bench: &Bench) {
    let (mut store, generation) = bench.open();
    store.commit(generation, &[commit(0, 1, vec![row("a", "x", 0, 1)])]).unwrap();
    let before = bench.contents();
    drop(store);
    bench.connect();
    assert_same(&bench.contents(), &before);
}

fn processes_that_start_at_once_make_one_schema(bench: &Bench) {
    let starting: Vec<_> = (0..4).map(|_| thread::spawn(bench.connector())).collect();
    starting.into_iter().for_each(|thread| drop(thread.join().unwrap().unwrap()));
    let (mut store, generation) = bench.open();
    store.commit(generation, &[commit(0, 1, vec![row("a", "x", 0, 1)])]).unwrap();
}

/// They held a mean and a sigma, and did not say since when they hold.
fn diagnoses_of_before_have_a_usual_range(bench: &Bench) {
    bench.make_schema_without_states();
    let [start, as_of] = [YEAR_2026_MS, YEAR_2026_MS + MINUTE_MS].map(|ms| bench.time(ms));
    bench.execute(&format!(
        "INSERT INTO diagnoses (client_id, target, window_start_ts, label, severity, stage, observed, mean, sigma, sigmas,
             share_of_total, is_final, as_of, updated_at)
         VALUES ('a', 'x', {start}, 'dns-bound', 'major', 'dns', 90.0, 30.0, 8.0, 7.5, 0.5, true, {as_of}, {as_of}),
                ('a', 'y', {start}, 'error-bound', 'minor', 'tcp', 0.25, NULL, NULL, NULL, NULL, true, {as_of}, {as_of})"
    ));
    let (mut store, generation) = bench.open();
    let query = Query { filter: Filter::default(), after: None, limit: 9 };
    let found = bench.reader().ask(|store| store.rows.diagnoses(&query)).unwrap().items;
    let figures = |record: &DiagnosisRecord| {
        let finding = &record.finding;
        (record.label, finding.observed, finding.usual, finding.sigmas, finding.share_of_total)
    };
    let [failing, slow] = &found[..] else { panic!("{found:?}") };
    let usual = Some(UsualRange { centre: 30.0, low: 22.0, high: 38.0 });
    assert_eq!(figures(slow), (Label::DnsBound, 90.0, usual, Some(7.5), Some(0.5)));
    assert_eq!(figures(failing), (Label::ErrorBound, 0.25, None, None, None));
    for record in &found {
        let finding = &record.finding;
        assert_eq!((finding.samples, finding.bad_samples, finding.windows, finding.since), (None, None, None, None));
    }
    store
        .commit(generation, &[commit(0, 1, vec![full_row("a", "x", YEAR_2026_MS, YEAR_2026_MS + MINUTE_MS)])])
        .unwrap();
    let replaced = bench.reader().ask(|store| store.rows.diagnoses(&query)).unwrap().items;
    assert_eq!(replaced.iter().map(|record| record.finding.samples).collect::<Vec<_>>(), [None, Some(12)]);
}
