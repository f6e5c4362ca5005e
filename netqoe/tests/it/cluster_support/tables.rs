//! What a store holds, in a form in which two stores can be compared: every value as text, exactly.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::UNIX_EPOCH;

use postgres::types::Type;
use postgres::{Client, NoTls};
use rusqlite::types::Value;

/// The client of the event that ends an exported log: what it leads to is in no live store.
pub(crate) const THE_END: &str = "the end";

/// Values in the order of the columns asked for.
pub(crate) type Row = Vec<String>;

/// All but `as_of` and `updated_at`, the key first.
pub(crate) const ROW_COLUMNS: &str = "client_id, target, window_start_ts, count_total, count_success, count_error, \
    dns_error_count, tcp_error_count, tls_error_count, http_error_count, throughput_error_count, dns_p50, dns_p95, \
    tcp_p50, tcp_p95, tls_p50, tls_p95, ttfb_p50, ttfb_p95, throughput_p50, throughput_p95, diagnosis_label, is_final, \
    network_type, isp, site";
const DIAGNOSIS_COLUMNS: &str = "client_id, target, window_start_ts, label, severity, stage, observed, usual, \
    usual_low, usual_high, sigmas, share_of_total, samples, bad_samples, windows, since_ts, is_final, as_of";
const CLIENT_COLUMNS: &str = "client_id, network_type, isp, context, first_seen, last_seen";
/// The look first, up to which incidents are comparable.
const REVISION_COLUMNS: &str = "at, incident, revision, change, cause_dimension, cause_value, severity, degraded";
const LEDGER_COLUMNS: &str = "partition, read, accepted, duplicate, late, invalid";

/// Where an event went: read, accepted, duplicate, late, invalid.
pub(crate) type Ledger = [u64; 5];

/// The contents of a store.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Tables {
    /// `ROW_COLUMNS`, `as_of` and `pair_state`.
    pub(crate) rows: BTreeSet<Row>,
    pub(crate) diagnoses: BTreeSet<Row>,
    pub(crate) clients: BTreeSet<Row>,
    /// What was told of incidents, and the newest look that they reflect.
    pub(crate) revisions: BTreeSet<Row>,
    pub(crate) incidents_through: Option<u64>,
    pub(crate) ledgers: BTreeMap<u64, Ledger>,
    pub(crate) dead_letters: usize,
}

impl Tables {
    pub(crate) fn postgres(url: &str) -> Self {
        let mut client = Client::connect(url, NoTls).unwrap();
        Self::read(|sql| postgres_rows(&mut client, sql))
    }

    pub(crate) fn sqlite(path: &Path) -> Self {
        let connection = rusqlite::Connection::open(path).unwrap();
        Self::read(|sql| sqlite_rows(&connection, sql))
    }

    fn read(mut select: impl FnMut(&str) -> Vec<Row>) -> Self {
        let mut table = |columns: &str, table: &str| -> BTreeSet<Row> {
            let sql = format!("SELECT {columns} FROM {table} WHERE client_id <> '{THE_END}'");
            select(&sql).into_iter().collect()
        };
        let (rows, diagnoses) =
            (table(&format!("{ROW_COLUMNS}, as_of, pair_state"), "agg_1m"), table(DIAGNOSIS_COLUMNS, "diagnoses"));
        let clients = table(CLIENT_COLUMNS, "clients");
        let number = |text: &String| text.parse::<u64>().unwrap();
        let ledger = |row: Row| (number(&row[0]), std::array::from_fn(|count| number(&row[count + 1])));
        let ledgers = select(&format!("SELECT {LEDGER_COLUMNS} FROM checkpoint")).into_iter().map(ledger).collect();
        let dead_letters = select("SELECT reason FROM dead_letters").len();
        let revisions = select(&format!("SELECT {REVISION_COLUMNS} FROM incident_revisions")).into_iter().collect();
        let incidents_through = select("SELECT through FROM fleet").first().map(|row| number(&row[0]));
        Self { rows, diagnoses, clients, revisions, incidents_through, ledgers, dead_letters }
    }

    /// Leaves out what tells a history that was corrected from one in which all came in time: `as_of`, and what was told on the way.
    pub(crate) fn forget_when_it_was_known(&mut self) {
        let without = |rows: &BTreeSet<Row>, from_end: usize| -> BTreeSet<Row> {
            let shorter = |row: &Row| {
                let (mut row, column) = (row.clone(), row.len() - from_end);
                row[column].clear();
                row
            };
            rows.iter().map(shorter).collect()
        };
        self.rows = without(&self.rows, 2);
        self.diagnoses = without(&self.diagnoses, 1);
        self.revisions.clear();
    }

    /// What was told of incidents up to the newest look that those of `other` reflect.
    pub(crate) fn told_by(&self, other: &Self) -> BTreeSet<Row> {
        let is_by_then = |row: &&Row| Some(row[0].parse().unwrap()) <= other.incidents_through;
        self.revisions.iter().filter(is_by_then).cloned().collect()
    }

    /// The sum over all partitions.
    pub(crate) fn ledger(&self) -> Ledger {
        std::array::from_fn(|count| self.ledgers.values().map(|ledger| ledger[count]).sum())
    }
}

/// Every row that a query gives.
pub(crate) fn postgres_rows(client: &mut Client, sql: &str) -> Vec<Row> {
    let rows = client.query(sql, &[]).unwrap();
    rows.iter().map(|row| (0..row.len()).map(|column| postgres_text(row, column)).collect()).collect()
}

fn postgres_text(row: &postgres::Row, column: usize) -> String {
    let null = || "null".to_owned();
    match *row.columns()[column].type_() {
        Type::BOOL => row.get::<_, Option<bool>>(column).map_or_else(null, |value| u8::from(value).to_string()),
        Type::INT4 => row.get::<_, Option<i32>>(column).map_or_else(null, |value| value.to_string()),
        Type::INT8 => row.get::<_, Option<i64>>(column).map_or_else(null, |value| value.to_string()),
        Type::FLOAT8 => row.get::<_, Option<f64>>(column).map_or_else(null, |value| format!("{value:?}")),
        Type::TIMESTAMPTZ => row
            .get::<_, Option<std::time::SystemTime>>(column)
            .map_or_else(null, |value| value.duration_since(UNIX_EPOCH).unwrap().as_millis().to_string()),
        Type::BYTEA => row.get::<_, Option<Vec<u8>>>(column).map_or_else(null, |value| format!("{value:?}")),
        _ => row.get::<_, Option<String>>(column).unwrap_or_else(null),
    }
}

fn sqlite_rows(connection: &rusqlite::Connection, sql: &str) -> Vec<Row> {
    let mut statement = connection.prepare(sql).unwrap();
    let columns = statement.column_count();
    let text = |value: Value| match value {
        Value::Null => "null".to_owned(),
        Value::Integer(value) => value.to_string(),
        Value::Real(value) => format!("{value:?}"),
        Value::Text(value) => value,
        Value::Blob(value) => format!("{value:?}"),
    };
    let row = |row: &rusqlite::Row<'_>| (0..columns).map(|column| Ok(text(row.get(column)?))).collect();
    statement.query_map([], row).unwrap().map(Result::unwrap).collect()
}
