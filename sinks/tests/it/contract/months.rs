//! PostgreSQL's monthly partitions are there before the first row that needs them.

use netqoe_sinks::Maintenance;

use crate::contract::bench::Bench;
use crate::contract::contents::{AGGREGATES, Cell, Kind, Table};
use crate::contract::make::{YEAR_2026_MS, commit, row};

/// The partitions of `agg_1m`, with their bounds and settings.
const PARTITIONS: Table = Table {
    name: "(SELECT relname, pg_get_expr(relpartbound, pg_class.oid) AS bound, coalesce(reloptions::text, '') AS options
            FROM pg_class JOIN pg_inherits ON inhrelid = pg_class.oid
            WHERE inhparent = 'agg_1m'::regclass) AS partitions",
    columns: &[("relname", Kind::Text), ("bound", Kind::Text), ("options", Kind::Text)],
};

fn partitions(bench: &Bench) -> Vec<[String; 3]> {
    let text = |cell: &Cell| match cell {
        Cell::Text(text) => text.clone(),
        other => panic!("{other:?} is no text"),
    };
    let mut partitions: Vec<_> =
        bench.rows(&PARTITIONS).iter().map(|row| [text(&row[0]), text(&row[1]), text(&row[2])]).collect();
    partitions.sort_unstable();
    partitions
}

fn names(bench: &Bench) -> Vec<String> {
    partitions(bench).into_iter().map(|[name, ..]| name).collect()
}

const YEAR_2027_MS: i64 = 1_798_761_600_000;
const YEAR_9999_DECEMBER_MS: i64 = 253_399_622_400_000;

#[test]
fn rows_find_the_month_that_they_belong_to() {
    let bench = Bench::postgres();
    let (mut store, generation) = bench.open();
    let mut processed = 0;
    let mut months_after = |starts: &[i64]| {
        processed += 1;
        let rows = starts.iter().map(|start| row("a", "x", *start, 1)).collect();
        store.commit(generation, &[commit(0, processed, rows)]).unwrap();
        names(&bench)
    };
    assert_eq!(months_after(&[]), [""; 0]);
    // The last minute of a year, the first of the next; then what is long past and what is far ahead.
    assert_eq!(months_after(&[YEAR_2026_MS - 60_000, YEAR_2026_MS]), ["agg_1m_2025_12", "agg_1m_2026_01"]);
    assert_eq!(months_after(&[YEAR_2026_MS + 60_000]).len(), 2);
    let all = ["agg_1m_1970_01", "agg_1m_2025_12", "agg_1m_2026_01", "agg_1m_2026_12", "agg_1m_9999_12"];
    assert_eq!(months_after(&[0, YEAR_2027_MS - 60_000, YEAR_9999_DECEMBER_MS]), all);
    assert_eq!(bench.rows(&AGGREGATES).len(), 6);
    let count_in = |month: &'static str| bench.rows(&Table { name: month, ..AGGREGATES }).len();
    assert_eq!(["agg_1m_2025_12", "agg_1m_2026_01", "agg_1m_2026_12"].map(count_in), [1, 2, 1]);
}

#[test]
fn a_month_begins_at_midnight_in_utc_and_has_its_settings() {
    let bench = Bench::postgres();
    // Whatever the zone that a session has.
    bench.execute(
        "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET timezone = ''Asia/Kathmandu''', current_database()); END $$",
    );
    let (mut store, generation) = bench.open();
    store.commit(generation, &[commit(0, 1, vec![row("a", "x", YEAR_2026_MS, 1)])]).unwrap();
    bench.execute("SET timezone = 'UTC'");
    let [[name, bound, options]] = &partitions(&bench)[..] else { panic!("{:?}", partitions(&bench)) };
    assert_eq!(name, "agg_1m_2026_01");
    assert_eq!(bound, "FOR VALUES FROM ('2026-01-01 00:00:00+00') TO ('2026-02-01 00:00:00+00')");
    assert_eq!(options, "{fillfactor=90,autovacuum_vacuum_scale_factor=0.1,autovacuum_analyze_scale_factor=0.05}");
}

#[test]
fn processes_that_need_a_month_at_once_make_one() {
    let bench = Bench::postgres();
    let (first, generation) = bench.open();
    let committing = (0..).zip([first, bench.connect(), bench.connect()]).map(|(partition, mut store)| {
        std::thread::spawn(move || {
            let rows = (0..12).map(|n| row("a", "x", YEAR_2026_MS + n * 31 * 86_400_000, 1)).collect();
            store.commit(generation, &[commit(partition, 1, rows)]).unwrap();
        })
    });
    committing.collect::<Vec<_>>().into_iter().for_each(|thread| thread.join().unwrap());
    assert_eq!(names(&bench).len(), 12);
}

/// The last day of January 2027 and ninety days before it: 2 November 2026.
const MAINTENANCE: Maintenance =
    Maintenance { now_ms: YEAR_2027_MS + 30 * 86_400_000, retention_ms: 90 * 86_400_000, months_ahead: 2 };

#[test]
fn months_are_made_ahead_and_dropped_once_they_are_wholly_past() {
    let bench = Bench::postgres();
    let (mut store, generation) = bench.open();
    let starts = [0, YEAR_2026_MS, YEAR_2027_MS - 62 * 86_400_000, YEAR_2027_MS - 61 * 86_400_000];
    let rows = starts.map(|start| row("a", "x", start, 1)).to_vec();
    store.commit(generation, &[commit(0, 1, rows)]).unwrap();
    assert_eq!(names(&bench), ["agg_1m_1970_01", "agg_1m_2026_01", "agg_1m_2026_10", "agg_1m_2026_11"]);
    // One by another name is somebody else's.
    bench.execute("CREATE TABLE agg_1m_archive PARTITION OF agg_1m FOR VALUES FROM ('2020-01-01Z') TO ('2021-01-01Z')");

    let done = bench.maintainer().maintain(&MAINTENANCE).unwrap();
    assert_eq!((done.months_made, done.months_dropped), (3, 3));
    let left = ["agg_1m_2026_11", "agg_1m_2027_01", "agg_1m_2027_02", "agg_1m_2027_03", "agg_1m_archive"];
    assert_eq!(names(&bench), left);
    assert_eq!(bench.rows(&AGGREGATES).len(), 1);
    // What comes for a month that is gone has it made again.
    store.commit(generation, &[commit(0, 2, vec![row("a", "x", YEAR_2026_MS, 1)])]).unwrap();
    assert_eq!(bench.rows(&AGGREGATES).len(), 2);
}

#[test]
fn the_planner_learns_of_all_months_together() {
    const STATISTICS: Table = Table {
        name: "(SELECT attname FROM pg_stats WHERE tablename = 'agg_1m' AND inherited) AS statistics",
        columns: &[("attname", Kind::Text)],
    };
    let bench = Bench::postgres();
    let (mut store, generation) = bench.open();
    store.commit(generation, &[commit(0, 1, vec![row("a", "x", YEAR_2027_MS, 1)])]).unwrap();
    assert!(bench.rows(&STATISTICS).is_empty());
    bench.maintainer().maintain(&MAINTENANCE).unwrap();
    assert!(!bench.rows(&STATISTICS).is_empty());
}
