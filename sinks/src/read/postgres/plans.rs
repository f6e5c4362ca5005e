//! How the server finds what is asked for: by an index, and in the months that are asked for.
//!
//! Decisions: D-022, D-045.

use std::collections::BTreeSet;
use std::sync::Arc;

use netqoe_model::{
    AggregateRow, IncidentState, Label, LogIdentity, LogTime, PartitionCommit, Severity, TagValue, WindowRow,
    WindowStart,
};
use netqoe_testbed::Database;
use postgres::{Client, NoTls};
use serde_json::Value as Json;

use super::execute::{Parameter, numbered};
use super::{
    LABELLED, aggregates, clients, corrections, current, degraded, diagnoses, labels, points, runs, score, split,
    targets,
};
use crate::read::incidents::statements::{self, Newest};
use crate::read::statement::{Statement, Value};
use crate::read::{
    Extent, Filter, IncidentFilter, IncidentPosition, IncidentQuery, MaintenancePosition, Matching, Measure, Paged,
    Pair, Query, RoundTripTerms, RowPosition, ScoreTerms, UnmeasuredFilter,
};
use crate::{Opening, PostgresOptions, PostgresStore, Store};

/// The first milliseconds of January to April 2026.
const MONTHS_MS: [i64; 4] = [1_767_225_600_000, 1_769_904_000_000, 1_772_323_200_000, 1_775_001_600_000];

/// What the server calls the indexes of a partition, after the partition's name.
const DIAGNOSED_INDEX: &str = "_client_id_window_start_ts_idx";
const ERRORS_INDEX: &str = "_client_id_target_window_start_ts_idx";
const WINDOW_INDEX: &str = "_window_start_ts_idx";

/// What a page of 100 may cost, of 200,000 rows: it does not walk through them.
const MAX_ROWS: u64 = 10_000;

const TARGET: &str = "https://3.example/";
const SCORE_TERMS: ScoreTerms = ScoreTerms {
    satisfied_ms: 500,
    held_ms: 300_000,
    round_trip: [RoundTripTerms { perfect_ms: 100, unusable_ms: 400 }; 2],
};

/// 200,000 rows of 500 pairs over three months, one of a hundred with a finding; and many clients without rows. All have a label.
const FILL: &str = "
    ALTER TABLE agg_1m ALTER COLUMN client_labels SET DEFAULT '{\"team\":\"core\"}';
    INSERT INTO agg_1m
    SELECT 'client-' || client, 'https://' || target || '.example/', month + nth * interval '324 minutes', 10, 9,
           ((client + nth) % 97 = 0)::int, 0, 0, 0, 0, 0, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2,
           CASE WHEN (client * 7 + target * 3 + nth) % 101 = 0 THEN 'dns-bound' WHEN nth < 5 THEN NULL ELSE 'healthy' END,
           true, month, month
    FROM generate_series(1, 50) client, generate_series(1, 10) target, generate_series(0, 132) nth,
         unnest('{2026-01-01Z, 2026-02-01Z, 2026-03-01Z}'::timestamptz[]) month
    ON CONFLICT DO NOTHING;
    INSERT INTO diagnoses (client_id, target, window_start_ts, label, severity, stage, observed, since_ts, is_final, as_of,
                           updated_at)
    SELECT client_id, target, window_start_ts, 'dns-bound', 'minor', 'dns', 1, window_start_ts, true, as_of, updated_at
    FROM agg_1m WHERE diagnosis_label = 'dns-bound';
    INSERT INTO clients
    SELECT client_id, 'wifi', 'isp', NULL, min(window_start_ts), max(window_start_ts) FROM agg_1m GROUP BY client_id
    UNION ALL
    SELECT 'quiet-' || nth, 'wifi', 'isp', NULL, '2026-01-01Z', '2026-03-01Z' FROM generate_series(1, 4000) nth;
    ANALYZE";

/// A client of a filled store with all its months.
fn filled() -> (Database, Client) {
    let database = Database::fresh().unwrap();
    let mut store = PostgresStore::connect(database.url(), &PostgresOptions::default(), Arc::new(|| 0)).unwrap();
    let log = LogIdentity { id: "live".to_owned(), partitions: netqoe_model::DEFAULT_PARTITIONS };
    let generation = store.open(&log, &Opening::default()).unwrap();
    store.commit(generation, &[months()]).unwrap();
    let mut client = Client::connect(database.url(), NoTls).unwrap();
    client.batch_execute(FILL).unwrap();
    (database, client)
}

/// A row in each month.
fn months() -> PartitionCommit {
    let row = |start_ms| AggregateRow {
        client_id: "client-1".into(),
        target: "https://1.example/".into(),
        window: WindowRow {
            start: WindowStart::from_ms(start_ms),
            is_final: true,
            as_of: LogTime::from_ms(start_ms),
            count_success: 1,
            errors: [0; 5],
            percentiles: [None; 5],
            network: None,
            tags: None,
        },
        diagnosis: None,
        ended_runs: vec![],
        pair_state: None,
    };
    PartitionCommit {
        checkpoint: netqoe_model::Checkpoint::default(),
        rows: MONTHS_MS[..3].iter().map(|start_ms| row(*start_ms)).collect(),
        clients: vec![],
        dead_letters: vec![],
        looks: Vec::new(),
        waiting: Vec::new(),
        oldest_record: None,
    }
}

/// What a plan does, as far as it matters here.
#[derive(Debug, Default)]
struct Plan {
    /// The partitions of `agg_1m` in it, also those that were not needed in the end.
    partitions: BTreeSet<String>,
    /// Those that it reads from one end to the other.
    scanned: BTreeSet<String>,
    /// The indexes that it walks, without their partition.
    indexes: BTreeSet<String>,
    /// How it reads `diagnoses`.
    diagnoses: BTreeSet<String>,
    /// Other tables that it reads from one end to the other.
    walked: BTreeSet<String>,
    /// Rows that it read from tables and indexes.
    rows: u64,
}

impl Plan {
    /// Of a statement that is carried out.
    fn of(client: &mut Client, statement: &Statement) -> Self {
        let parameters = Parameter::of(statement);
        let parameters: Vec<_> = parameters.iter().map(Parameter::typed).collect();
        let sql = format!("EXPLAIN (ANALYZE, FORMAT JSON) {}", numbered(statement));
        let explained: Json = client.query_typed(&sql, &parameters).unwrap()[0].get(0);
        let mut plan = Self::default();
        plan.take(&explained[0]["Plan"]);
        plan
    }

    fn take(&mut self, node: &Json) {
        let text = |key: &str| node[key].as_str().unwrap_or_default().to_owned();
        let number = |key: &str| node[key].as_f64().unwrap_or_default();
        if let Some(partition) = text("Relation Name").strip_prefix("agg_1m_") {
            self.partitions.insert(partition.to_owned());
            if node["Node Type"] == "Seq Scan" {
                self.scanned.insert(partition.to_owned());
            }
            let index = text("Index Name");
            self.indexes
                .extend(index.strip_prefix("agg_1m_").and_then(|name| name.strip_prefix(partition)).map(str::to_owned));
        }
        if node["Relation Name"] == "diagnoses" {
            self.diagnoses.insert(format!("{} {}", text("Node Type"), text("Index Name")));
        }
        if node["Node Type"] == "Seq Scan" {
            self.walked.insert(text("Relation Name"));
        }
        if node.get("Relation Name").is_some() {
            let per_loop = number("Actual Rows") + number("Rows Removed by Filter");
            self.rows += (per_loop * number("Actual Loops")) as u64;
        }
        node["Plans"].as_array().into_iter().flatten().for_each(|below| self.take(below));
    }
}

/// None, or the label of all clients.
fn labelled() -> [Vec<TagValue>; 2] {
    [Vec::new(), vec![TagValue::parse("client.team=core").unwrap()]]
}

/// Every list with every combination of filters, its first page and one further on.
fn questions(from_ms: Option<i64>, to_ms: Option<i64>) -> Vec<(String, Statement)> {
    let mut questions = Vec::new();
    let within_ms = from_ms.unwrap_or(MONTHS_MS[1]);
    let place = RowPosition {
        window_start: WindowStart::from_ms(within_ms + 20 * 86_400_000),
        client_id: "client-30".to_owned(),
        target: "https://5.example/".to_owned(),
    };
    for (client_id, target) in
        [(None, None), (Some("client-7"), None), (None, Some(TARGET)), (Some("client-7"), Some(TARGET))]
    {
        let labels = [None, Some(Label::Healthy), Some(Label::DnsBound), Some(Label::ErrorBound)];
        for (label, tags) in labels.into_iter().flat_map(|label| labelled().map(|tags| (label, tags))) {
            let filter = Filter {
                client_id: client_id.map(str::to_owned),
                target: target.map(str::to_owned),
                from_ms,
                to_ms,
                label,
                tags,
            };
            for further in [false, true] {
                let rows = Query { filter: filter.clone(), after: further.then(|| place.clone()), limit: 100 };
                let names =
                    |name: &str| Query { filter: filter.clone(), after: further.then(|| name.to_owned()), limit: 100 };
                for (list, statement) in [
                    ("aggregates", aggregates::statement(&rows)),
                    ("diagnoses", diagnoses::statement(&rows)),
                    ("clients", clients::statement(&names("client-30"))),
                    ("targets", targets::statement(&names("https://2.example/"))),
                ] {
                    questions.push((format!("{list} of {filter:?}, further: {further}"), statement));
                }
            }
        }
    }
    questions
}

/// One test, since a store takes far longer to fill than its questions take to plan.
#[test]
fn questions_are_answered_by_an_index_in_the_months_that_are_asked_for() {
    let (_database, mut client) = filled();
    every_page_is_found_by_an_index(&mut client);
    a_target_that_nobody_measures_is_looked_up_client_by_client(&mut client);
    only_the_months_that_are_asked_for_are_read(&mut client);
    many_pairs_are_found_by_an_index_in_the_month_that_is_asked_for(&mut client);
    each_index_serves_what_it_is_there_for(&mut client);
    // The last, since it vacuums a table.
    degraded_pairs_are_counted_in_the_index_alone_or_pair_by_pair(&mut client);
}

fn every_page_is_found_by_an_index(client: &mut Client) {
    for (question, statement) in questions(None, None) {
        let plan = Plan::of(client, &statement);
        assert_eq!(plan.scanned, BTreeSet::new(), "{question}");
        assert!(plan.rows < MAX_ROWS, "{question}: {plan:?}");
    }
}

fn a_target_that_nobody_measures_is_looked_up_client_by_client(client: &mut Client) {
    let filter = Filter { target: Some("https://nowhere.example/".to_owned()), ..Filter::default() };
    let query = Query { filter, after: None, limit: 100 };
    for statement in [clients::statement(&query), targets::statement(&query)] {
        let plan = Plan::of(client, &statement);
        assert!(plan.scanned.is_empty(), "{plan:?}");
    }
}

fn only_the_months_that_are_asked_for_are_read(client: &mut Client) {
    let february = BTreeSet::from(["2026_02".to_owned()]);
    for (question, statement) in questions(Some(MONTHS_MS[1] + 5), Some(MONTHS_MS[2] - 5)) {
        let plan = Plan::of(client, &statement);
        assert!(plan.partitions.is_subset(&february), "{question}: {plan:?}");
        assert!(plan.scanned.is_empty() && plan.rows < MAX_ROWS, "{question}: {plan:?}");
    }
}

/// What is asked of many pairs: ten days of February, and a day of it where all pairs are meant.
fn questions_over_pairs() -> Vec<(String, Statement)> {
    let day_ms = 86_400_000;
    let middle_ms = MONTHS_MS[1] + 15 * day_ms;
    let mut questions = Vec::new();
    let names = [(None, None), (Some("client-7"), None), (None, Some(TARGET)), (Some("client-7"), Some(TARGET))];
    for ((client_id, target), tags) in names.into_iter().flat_map(|names| labelled().map(|tags| (names, tags))) {
        let days = if client_id.or(target).is_some() { 10 } else { 1 };
        let extent = Extent {
            client_id: client_id.map(str::to_owned),
            target: target.map(str::to_owned),
            tags,
            from_ms: middle_ms - days * day_ms,
            to_ms: middle_ms,
        };
        let inside_ms = [middle_ms - day_ms / 2, middle_ms];
        let recent = Extent { from_ms: middle_ms - day_ms, ..extent.clone() };
        let slow = Matching::Within(Measure::ALL[0], [1.0, 2.0]);
        let filter = Filter {
            client_id: extent.client_id.clone(),
            target: extent.target.clone(),
            from_ms: Some(extent.from_ms),
            to_ms: Some(extent.to_ms),
            label: None,
            tags: extent.tags.clone(),
        };
        for label in [None, Some(Label::DnsBound)] {
            let of_label = Filter { label, ..filter.clone() };
            questions.push((format!("runs of {of_label:?}"), runs::statement(&of_label, 100)));
        }
        for (what, statement) in [
            ("current rows", current::statement(&recent)),
            ("degraded pairs", degraded::statement(&extent, 10_000)),
            ("points", points::statement(&extent, 3_600_000, 10_000)),
            ("degraded windows", split::statement(&extent, inside_ms, &Matching::Degraded, 10_000)),
            ("scores", score::statement(&extent, SCORE_TERMS, 10_000)),
            ("slow windows", split::statement(&extent, inside_ms, &slow, 10_000)),
        ] {
            // Points are asked of a client or of a target.
            if !["points", "scores"].contains(&what) || days > 1 {
                questions.push((format!("{what} of {extent:?}"), statement));
            }
        }
    }
    let pairs: Vec<_> =
        (1..50).map(|nth| Pair { client_id: format!("client-{nth}").into(), target: TARGET.into() }).collect();
    questions.push(("labels".to_owned(), labels::statement(&pairs, [MONTHS_MS[1] + 5, middle_ms], 32)));
    questions
}

fn many_pairs_are_found_by_an_index_in_the_month_that_is_asked_for(client: &mut Client) {
    let february = BTreeSet::from(["2026_02".to_owned()]);
    for (question, statement) in questions_over_pairs() {
        let plan = Plan::of(client, &statement);
        assert!(plan.partitions.is_subset(&february), "{question}: {plan:?}");
        assert!(plan.scanned.is_empty() && plan.rows < MAX_ROWS, "{question}: {plan:?}");
    }
}

fn degraded_pairs_are_counted_in_the_index_alone_or_pair_by_pair(client: &mut Client) {
    // The server looks into a table whose pages may hold what is no longer seen.
    client.batch_execute("VACUUM diagnoses").unwrap();
    for (client_id, target, expected) in [
        (None, None, "Index Only Scan idx_diagnoses_window"),
        (Some("client-7"), None, "Index Scan diagnoses_pkey"),
        (None, Some(TARGET), "Index Scan diagnoses_pkey"),
        (Some("client-7"), Some(TARGET), "Index Scan diagnoses_pkey"),
    ] {
        let extent = Extent {
            client_id: client_id.map(str::to_owned),
            target: target.map(str::to_owned),
            tags: Vec::new(),
            from_ms: MONTHS_MS[1],
            to_ms: MONTHS_MS[1] + 86_400_000,
        };
        let plan = Plan::of(client, &degraded::statement(&extent, 10_000));
        assert_eq!(plan.diagnoses, BTreeSet::from([expected.to_owned()]), "{extent:?}: {plan:?}");
    }
}

/// What the tuning guide and dashboards ask, beside the query API.
fn each_index_serves_what_it_is_there_for(client: &mut Client) {
    for (condition, index) in [
        // The primary key, walked backwards, is the index on (client_id, target, window_start_ts DESC).
        ("client_id = 'client-7' AND target = 'https://3.example/'", "_pkey"),
        ("client_id = 'client-7' AND target = 'https://3.example/' AND count_error > 0", ERRORS_INDEX),
        ("client_id = 'client-7' AND diagnosis_label IS NOT NULL", DIAGNOSED_INDEX),
        ("true", WINDOW_INDEX),
    ] {
        let statement = Statement::new(&format!("SELECT * FROM agg_1m WHERE {condition}"))
            .add("AND window_start_ts > ? ORDER BY window_start_ts DESC LIMIT 5", [Value::Time(MONTHS_MS[2])]);
        let plan = Plan::of(client, &statement);
        assert_eq!(plan.indexes, BTreeSet::from([index.to_owned()]), "{condition}: {plan:?}");
        assert_eq!(plan.partitions, BTreeSet::from(["2026_03".to_owned()]), "{condition}");
    }
}

/// 20,000 incidents, 20 of which are open, some with many pairs; 100,000 unmeasured pairs; and a few thousand notes and windows.
const FILL_INCIDENTS: &str = "
    INSERT INTO incidents
    SELECT 'incident-' || nth, 'server-bound', 'target', '[]', CASE WHEN nth % 1000 = 0 THEN 'open' ELSE 'closed' END, NULL,
           at, at, at, at, CASE WHEN nth % 1000 <> 0 THEN at + interval '1 hour' END, 'major', 'major', 3, 0, 3, 0, 3, 3, 1, 0,
           at, at
    FROM generate_series(1, 20000) nth, LATERAL (SELECT '2026-01-01Z'::timestamptz + nth * interval '5 minutes' AS at) AS times;
    INSERT INTO incident_members
    SELECT 'incident-' || nth, 'client-' || client, 'target', timestamptz '2026-01-01Z', timestamptz '2026-01-01Z', 'major'
    FROM generate_series(1, 20000) nth, generate_series(1, 3) client
    UNION ALL
    SELECT 'incident-20000', 'many-' || client, 'target', timestamptz '2026-01-01Z', timestamptz '2026-01-01Z', 'major'
    FROM generate_series(1, 50000) client;
    INSERT INTO incident_revisions
    SELECT 'incident-' || nth, revision, '2026-01-01Z', 'opened', 'target', '[]', 'major', 3
    FROM generate_series(1, 20000) nth, generate_series(0, 2) revision;
    INSERT INTO incident_notes (incident, written_at, author, acknowledges, text)
    SELECT 'incident-' || nth % 2000, '2026-01-01Z', 'x', nth % 2 = 0, 'x' FROM generate_series(1, 10000) nth;
    INSERT INTO maintenance_windows (from_ts, to_ts, cause_dimension, cause_value, author, text, written_at)
    SELECT at, at + interval '1 hour', 'everything', '[]', 'x', 'x', at
    FROM generate_series(1, 10000) nth, LATERAL (SELECT '2026-01-01Z'::timestamptz + nth * interval '5 minutes' AS at) AS times;
    INSERT INTO unmeasured
    SELECT 'client-' || client, 'target-' || target, '2026-01-01Z', 60000, NULL, NULL
    FROM generate_series(1, 1000) client, generate_series(1, 100) target;
    ANALYZE";

/// What is asked of incidents, and of what is beside them.
fn questions_of_incidents() -> Vec<(String, Statement)> {
    let middle_ms = MONTHS_MS[0] + 30 * 86_400_000;
    let open = IncidentFilter { state: Some(IncidentState::Open), ..IncidentFilter::default() };
    let mut questions = Vec::new();
    for filter in [
        IncidentFilter::default(),
        open.clone(),
        IncidentFilter { label: Some(Label::ServerBound), severity: Some(Severity::Major), ..open.clone() },
        IncidentFilter { from_ms: Some(middle_ms - 86_400_000), to_ms: Some(middle_ms), ..IncidentFilter::default() },
        IncidentFilter { client_id: Some("client-2".to_owned()), ..IncidentFilter::default() },
        IncidentFilter { client_id: Some("client-2".to_owned()), target: Some("target".to_owned()), ..open.clone() },
    ] {
        let place = IncidentPosition { opened: WindowStart::from_ms(middle_ms), id: "incident-7".to_owned() };
        for after in [None, Some(place)] {
            let query = IncidentQuery { filter: filter.clone(), page: Paged { after, limit: 100 } };
            questions.push((format!("page of {query:?}"), statements::incidents(&query, LABELLED)));
            let then = LogTime::from_ms(middle_ms + 86_400_000);
            let known = statements::incidents_then(&query, then, Newest::LATERAL, LABELLED);
            questions.push((format!("page then of {query:?}"), known));
        }
    }
    let pair = Pair { client_id: "client-7".into(), target: "target-3".into() };
    let pairs = Paged { after: Some(pair), limit: 100 };
    let of_client = UnmeasuredFilter { client_id: Some("client-7".to_owned()), ..UnmeasuredFilter::default() };
    let window = MaintenancePosition { from_ms: middle_ms, id: 7 };
    let named = [
        ("one", statements::incident("incident-5")),
        ("one then", statements::incident_then("incident-5", LogTime::from_ms(middle_ms), Newest::LATERAL)),
        ("gravest", statements::gravest(&open, 50, LABELLED)),
        ("count", statements::count(&open, LABELLED)),
        ("revisions", statements::revisions("incident-5", 100)),
        ("notes", statements::notes("incident-5", 100)),
        ("members", statements::members("incident-20000", &pairs)),
        ("last closed", statements::last_closed(None)),
        ("unmeasured", statements::unmeasured(&UnmeasuredFilter::default(), &pairs, LABELLED)),
        ("unmeasured of a client", statements::unmeasured(&of_client, &Paged::default(), LABELLED)),
        ("windows", statements::maintenance(&Paged { after: Some(window), limit: 100 })),
        ("newest windows", statements::maintenance(&Paged::default())),
        ("windows within", statements::maintenance_within([MONTHS_MS[2], MONTHS_MS[3]], 1_000)),
    ];
    questions.extend(named.map(|(what, statement)| (what.to_owned(), statement)));
    questions
}

#[test]
fn incidents_are_found_by_an_index() {
    let database = Database::fresh().unwrap();
    drop(PostgresStore::connect(database.url(), &PostgresOptions::default(), Arc::new(|| 0)).unwrap());
    let mut client = Client::connect(database.url(), NoTls).unwrap();
    client.batch_execute(FILL_INCIDENTS).unwrap();
    for (question, statement) in questions_of_incidents() {
        let plan = Plan::of(&mut client, &statement);
        assert_eq!(plan.walked, BTreeSet::new(), "{question}");
        assert!(plan.rows < MAX_ROWS, "{question}: {plan:?}");
    }
}

/// A year of a correction every five minutes.
const FILL_CORRECTIONS: &str = "
    INSERT INTO corrections (partition, at, from_window, pairs, accepted, duplicate, rows_written, written_at)
    SELECT 0, at, at, 1, 1, 1, 1, at
    FROM generate_series(1, 100000) nth, LATERAL (SELECT '2026-01-01Z'::timestamptz + nth * interval '5 minutes' AS at) AS times;
    ANALYZE";

#[test]
fn corrections_are_found_by_an_index() {
    let database = Database::fresh().unwrap();
    drop(PostgresStore::connect(database.url(), &PostgresOptions::default(), Arc::new(|| 0)).unwrap());
    let mut client = Client::connect(database.url(), NoTls).unwrap();
    client.batch_execute(FILL_CORRECTIONS).unwrap();
    for (question, statement) in [
        ("since", corrections::since(99_900)),
        ("hours", corrections::hours([MONTHS_MS[1], MONTHS_MS[1] + 86_400_000], 100)),
    ] {
        let plan = Plan::of(&mut client, &statement);
        assert_eq!(plan.walked, BTreeSet::new(), "{question}");
        assert!(plan.rows < MAX_ROWS, "{question}: {plan:?}");
    }
}
