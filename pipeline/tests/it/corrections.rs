//! What comes late is counted after all: a running pipeline comes to the rows and looks that it would have come to had all events come in
//! time, whatever is late, copied or interrupted.

use std::collections::{HashMap, HashSet};
use std::num::NonZeroUsize;
use std::time::Duration;

use netqoe_model::{DEFAULT_PARTITIONS, EventTime, LogTime, Partition, Rules};
use netqoe_pipeline::{CorrectionPace, Running};
use netqoe_query::PipelineView;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use rusqlite::types::Value;

use crate::support::{Files, eventually};

const MINUTE_MS: i64 = 60_000;
const START_MS: i64 = 28_000_000 * MINUTE_MS;
const MINUTES: i64 = 70;
const FAULT: std::ops::Range<i64> = 40..50;
const CLIENTS: i64 = 3;
const TARGETS: i64 = 2;

const AT_ONCE: CorrectionPace = CorrectionPace {
    look_every: Duration::from_millis(5),
    settled_for: Duration::ZERO,
    longest_wait: Duration::ZERO,
    pauses: 0,
};

/// Names the first seed of the histories of a soak, which prints it.
const SEED_VARIABLE: &str = "NETQOE_TEST_SEED";

/// A history, and who counts it.
#[derive(Clone, Copy, Debug)]
struct Trial {
    seed: u64,
    /// The share of the events that come late, and how late they come.
    late_share: f64,
    late_by_minutes: i64,
    horizon_minutes: i64,
    workers: usize,
}

const WITHIN_THE_HOUR: Trial =
    Trial { seed: 1, late_share: 0.01, late_by_minutes: 60, horizon_minutes: 40, workers: 2 };

/// An event, or a tick of all partitions, and when the log takes it.
#[derive(Clone, Debug)]
struct Arrival {
    log_ms: i64,
    event: Option<Measured>,
}

#[derive(Clone, Debug)]
struct Measured {
    ts_ms: i64,
    id: String,
    client: String,
    target: i64,
    ttfb_ms: i64,
    fails: bool,
    isp: i64,
}

impl Measured {
    fn line(&self) -> Vec<u8> {
        let Self { ts_ms, id, client, target, ttfb_ms, fails, isp } = self;
        let stage = if *fails { r#""tcp""# } else { "null" };
        format!(
            r#"{{"event_id":"{id}","client_id":"{client}","ts_ms":{ts_ms},"target":"https://t{target}.example/","network_context":{{"isp":"isp-{isp}"}},"timing_measurements":{{"dns_ms":10,"tcp_ms":20,"tls_ms":20,"ttfb_ms":{ttfb_ms}}},"error_stage":{stage}}}"#
        )
        .into_bytes()
    }

    fn partition(&self) -> Partition {
        Partition::of(&self.client, DEFAULT_PARTITIONS)
    }
}

/// A history in which some of the events come late, and some more than once. Of a client's events some are measured at the same time, over
/// different networks.
fn history(random: &mut StdRng, trial: Trial) -> Vec<Arrival> {
    let mut arrivals = Vec::new();
    for minute in 0..MINUTES {
        arrivals.push(Arrival { log_ms: START_MS + minute * MINUTE_MS + 30_500, event: None });
        for (client, target, nth) in (0..CLIENTS)
            .flat_map(|client| (0..TARGETS).flat_map(move |target| (0..2).map(move |nth| (client, target, nth))))
        {
            let ts_ms = START_MS + minute * MINUTE_MS + random.random_range(0..6) * 10_000;
            let is_slow = client == 1 && FAULT.contains(&minute);
            let measured = Measured {
                ts_ms,
                id: format!("{minute}-{nth}"),
                client: format!("client-{client}"),
                target,
                ttfb_ms: random.random_range(50..60) + if is_slow { 500 } else { 0 },
                fails: target == 1 && FAULT.contains(&minute),
                isp: random.random_range(0..2),
            };
            let copies = if random.random_bool(0.1) { 2 } else { 1 };
            for copy in 0..copies {
                let delay_ms = match random.random_bool(trial.late_share) {
                    true => random.random_range(2 * MINUTE_MS..trial.late_by_minutes * MINUTE_MS),
                    false if random.random_bool(0.2) => random.random_range(0..2 * MINUTE_MS),
                    false => random.random_range(0..300),
                };
                // Only the one that the log takes first counts.
                let event = Some(Measured { ttfb_ms: measured.ttfb_ms + copy, ..measured.clone() });
                arrivals.push(Arrival { log_ms: ts_ms + delay_ms, event });
            }
        }
    }
    arrivals.sort_by_key(|arrival| arrival.log_ms);
    let end_ms = START_MS + (MINUTES + trial.late_by_minutes + 2) * MINUTE_MS;
    arrivals.push(Arrival { log_ms: end_ms, event: None });
    arrivals
}

/// The same history with what came late where it was measured, and how many events of it never count. Of events that a pair has measured at
/// the same time the last in the log tells the network, and what came late is behind the others there: so all of them have its network.
fn in_time(arrivals: &[Arrival], rules: &Rules) -> (Vec<Arrival>, usize) {
    let (mut seen, mut placed, mut never) = (HashSet::new(), Vec::new(), 0);
    let mut networks = HashMap::new();
    for arrival in arrivals {
        let Some(event) = &arrival.event else {
            placed.push((arrival.log_ms, false, arrival.clone()));
            continue;
        };
        let (ts, log_time) = (EventTime::from_ms(event.ts_ms), LogTime::from_ms(arrival.log_ms));
        let key = (event.client.clone(), event.target, event.id.clone());
        if !rules.is_late(ts, log_time) {
            seen.insert(key);
            placed.push((arrival.log_ms, false, arrival.clone()));
        } else if !rules.can_be_corrected(ts, log_time) {
            never += 1;
        } else if seen.insert(key) {
            networks.insert((event.client.clone(), event.target, event.ts_ms), event.isp);
            placed.push((event.ts_ms, true, Arrival { log_ms: event.ts_ms, ..arrival.clone() }));
        }
    }
    placed.sort_by_key(|(log_ms, is_moved, _)| (*log_ms, *is_moved));
    let mut placed: Vec<_> = placed.into_iter().map(|(_, _, arrival)| arrival).collect();
    for event in placed.iter_mut().filter_map(|arrival| arrival.event.as_mut()) {
        if let Some(isp) = networks.get(&(event.client.clone(), event.target, event.ts_ms)) {
            event.isp = *isp;
        }
    }
    (placed, never)
}

fn append(files: &Files, arrivals: &[Arrival]) {
    for Arrival { log_ms, event } in arrivals {
        files.set_clock(*log_ms);
        match event {
            Some(event) => files.append_all(vec![(event.partition(), event.line())]),
            None => files.tick(),
        }
    }
}

fn select(files: &Files, sql: &str) -> Vec<Vec<Value>> {
    let store = rusqlite::Connection::open(files.store_path()).unwrap();
    let mut statement = store.prepare(sql).unwrap();
    let columns = statement.column_count();
    let rows = statement.query_map([], |row| (0..columns).map(|column| row.get(column)).collect()).unwrap();
    rows.collect::<Result<_, _>>().unwrap()
}

fn count(files: &Files, sql: &str) -> i64 {
    match select(files, sql)[..] {
        [ref row] => match row[..] {
            [Value::Integer(count)] => count,
            _ => panic!("no count: {row:?}"),
        },
        ref rows => panic!("no count: {rows:?}"),
    }
}

/// What follows from the log, apart from when it was known.
const ROWS: &str = "SELECT client_id, target, window_start_ts, count_total, count_success, count_error, tcp_error_count, dns_p50, dns_p95,
        tcp_p50, tcp_p95, tls_p50, tls_p95, ttfb_p50, ttfb_p95, throughput_p50, diagnosis_label, is_final,
        network_type, isp, site, client_labels
    FROM agg_1m ORDER BY client_id, target, window_start_ts";
const DIAGNOSES: &str =
    "SELECT client_id, target, window_start_ts, label, severity, stage, observed, usual, usual_low, usual_high, sigmas,
        share_of_total, samples, bad_samples, windows, since_ts
    FROM diagnoses ORDER BY client_id, target, window_start_ts";
const LOOKS: &str = "SELECT at, partition, sightings FROM looks ORDER BY at, partition";
const CLIENTS_SEEN: &str = "SELECT client_id, isp, first_seen, last_seen FROM clients ORDER BY client_id";
const ACCEPTED: &str = "SELECT sum(accepted) FROM checkpoint";

#[track_caller]
fn assert_same(tables: &[&str], actual: &Files, expected: &Files, trial: Trial) {
    for table in tables {
        let (actual, expected) = (select(actual, table), select(expected, table));
        let first = actual.iter().zip(&expected).find(|(actual, expected)| actual != expected);
        assert_eq!(first, None, "{trial:?}: {table}");
        assert_eq!(actual.len(), expected.len(), "{trial:?}: {table}");
    }
}

fn finish(running: Running) {
    let Running { feeds, pipeline, .. } = running;
    feeds.end();
    pipeline.join().unwrap();
}

fn has_caught_up(files: &Files, running: &Running) {
    eventually(|| running.view.look().lag_records == 0);
    eventually(|| count(files, "SELECT count(*) FROM waiting_corrections") == 0);
}

/// Runs the history in parts, some of them behind a pipeline that is lost, and compares with the history in time, and with one whose windows
/// wait for all that comes late. Returns how many rows were corrected.
fn compare(trial: Trial) -> i64 {
    let mut random = StdRng::seed_from_u64(trial.seed);
    let rules = Rules { correction_horizon_ms: trial.horizon_minutes * MINUTE_MS, ..Rules::default() };
    let (workers, arrivals) = (NonZeroUsize::new(trial.workers).unwrap(), history(&mut random, trial));
    let (expected, never) = in_time(&arrivals, &rules);

    let reference = Files::new();
    append(&reference, &expected);
    finish(reference.run_without_incidents(&rules, workers, None));
    // Windows that stay open for as long as the horizon, and the log as it is.
    let patient = Files::new();
    append(&patient, &arrivals);
    let patience = Rules { lateness_ms: rules.correction_horizon_ms, ..Rules::default() };
    finish(patient.run_without_incidents(&patience, workers, None));

    let files = Files::new();
    let mut lost = Vec::new();
    let mut rest = &arrivals[..];
    let mut running = files.run_without_incidents(&rules, workers, Some(AT_ONCE));
    while !rest.is_empty() {
        let (now, later) = rest.split_at(random.random_range(1..=rest.len().min(200)));
        append(&files, now);
        rest = later;
        match random.random_range(0..4) {
            0 => has_caught_up(&files, &running),
            1 => {
                // A process that was lost, at any moment: it can commit nothing any more.
                lost.push(std::mem::replace(&mut running, files.run_without_incidents(&rules, workers, Some(AT_ONCE))));
            }
            _ => {}
        }
    }
    has_caught_up(&files, &running);
    finish(running);
    lost.into_iter().for_each(|running| running.feeds.stop());

    assert_same(&[ROWS, DIAGNOSES, LOOKS, ACCEPTED], &files, &reference, trial);
    assert_same(&[ROWS, DIAGNOSES, CLIENTS_SEEN, ACCEPTED], &files, &patient, trial);
    assert_eq!(count(&files, "SELECT sum(late) FROM checkpoint"), never as i64, "{trial:?}");
    let balance = "SELECT sum(read - accepted - duplicate - late - invalid) FROM checkpoint";
    assert_eq!(count(&files, balance), 0, "{trial:?}");
    count(&files, "SELECT count(*) FROM agg_1m WHERE revision > 0")
}

#[test]
fn few_late_events_come_to_what_they_would_have_come_to_in_time() {
    (1..=2).for_each(|seed| assert_ne!(compare(Trial { seed, ..WITHIN_THE_HOUR }), 0));
}

#[test]
fn many_late_events_come_to_what_they_would_have_come_to_in_time() {
    assert_ne!(compare(Trial { seed: 13, late_share: 0.5, ..WITHIN_THE_HOUR }), 0);
}

#[test]
fn a_horizon_of_ten_minutes_leaves_out_most_of_what_comes_late() {
    let trial = Trial { seed: 21, late_share: 0.05, horizon_minutes: 10, workers: 1, ..WITHIN_THE_HOUR };
    assert_ne!(compare(trial), 0);
}

#[test]
fn what_comes_a_day_late_counts_within_a_day() {
    let trial = Trial { seed: 31, late_share: 0.05, late_by_minutes: 1_500, horizon_minutes: 1_440, workers: 3 };
    assert_ne!(compare(trial), 0);
}

#[test]
#[ignore = "minutes: `cargo xtask soak`"]
fn any_history_comes_to_what_it_would_have_come_to_in_time() {
    let first: u64 = std::env::var(SEED_VARIABLE).map_or_else(|_| rand::random(), |seed| seed.parse().unwrap());
    println!("{SEED_VARIABLE}={first}");
    let mut corrected = 0;
    let (shares, horizons) = ([0.001, 0.01, 0.05, 0.5], [(20, 10), (60, 60), (1_500, 1_440)]);
    for (nth, (late_share, (late_by_minutes, horizon_minutes))) in
        shares.into_iter().flat_map(|share| horizons.map(|horizon| (share, horizon))).enumerate()
    {
        let (seed, workers) = (first.wrapping_add(nth as u64), nth % 3 + 1);
        println!("trial {nth}");
        corrected += compare(Trial { seed, late_share, late_by_minutes, horizon_minutes, workers });
    }
    assert_ne!(corrected, 0);
}
