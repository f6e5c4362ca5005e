//! What the dashboards in `deploy/grafana` ask Prometheus and PostgreSQL for, as Grafana would send it.

use std::fmt;
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use postgres::types::Type;
use postgres::{NoTls, Transaction};
use serde_json::Value;

use crate::support::PATIENCE;

/// The client and the target that are chosen.
const CLIENT: &str = "c-0";
const TARGET: &str = "http://test.example.com/";
/// What a load without faults does not lead to. It is never committed.
const PLANTED: &str = "
    INSERT INTO diagnoses (client_id, target, window_start_ts, label, severity, stage, observed, is_final, as_of, updated_at)
    VALUES ('c-0', 'http://test.example.com/', now(), 'error-bound', 'major', 'tcp', 0.5, true, now(), now());
    INSERT INTO incidents VALUES (
        'one', 'error-bound', 'target', '[\"http://test.example.com/\",\"a\"]', 'open', NULL, now(), now(), now(), now(), NULL,
        'critical', 'critical', 1, 0, 1, 0, 1, 1, 1, 1, now(), now());
";

/// An expression for Prometheus, and the dashboard and panel that it is of.
pub(crate) struct Expression {
    pub(crate) of: String,
    pub(crate) text: String,
    /// Labels that the panel's legend names.
    pub(crate) labels: Vec<String>,
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} by {:?}", self.of, self.text, self.labels)
    }
}

/// The dashboards, in the order of their files' names.
fn dashboards() -> Vec<Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/grafana/dashboards");
    let mut files: Vec<_> = folder.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    files.sort();
    files.iter().map(|path| serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()).collect()
}

/// The panels' queries, with their targets as Grafana has them.
fn targets() -> Vec<(String, Value)> {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let mut targets = Vec::new();
    for dashboard in dashboards() {
        for panel in list(&dashboard["panels"]) {
            let of = format!("{}, {}", dashboard["title"], panel["title"]);
            targets.extend(list(&panel["targets"]).into_iter().map(|target| (of.clone(), target)));
        }
    }
    targets
}

/// Every expression for Prometheus.
pub(crate) fn expressions() -> Vec<Expression> {
    let expression = |(of, target): (String, Value)| {
        let text = target["expr"].as_str()?.replace("$__rate_interval", "1m");
        let legend = target["legendFormat"].as_str().unwrap_or_default();
        let labels = legend.split("{{").skip(1).map(|part| part.split_once("}}").unwrap().0.to_owned()).collect();
        Some(Expression { of, text, labels })
    };
    targets().into_iter().filter_map(expression).collect()
}

/// Runs each statement for PostgreSQL, and sees that it gives rows of the kind that its panel needs.
pub(crate) fn check_statements(url: &str) {
    let mut client = postgres::Client::connect(url, NoTls).unwrap();
    let mut transaction = client.transaction().unwrap();
    transaction.batch_execute(PLANTED).unwrap();
    let mut panels = 0;
    for (of, target) in targets() {
        if let Some(sql) = target["rawSql"].as_str() {
            check_statement(&mut transaction, &of, sql, target["format"] == "time_series");
            panels += 1;
        }
    }
    let variables = dashboards().into_iter().flat_map(|dashboard| dashboard["templating"]["list"].as_array().cloned());
    for variable in variables.flatten().filter(|variable| variable["type"] == "query") {
        check_statement(&mut transaction, &variable["name"].to_string(), variable["query"].as_str().unwrap(), false);
    }
    assert!(panels > 0);
}

fn check_statement(transaction: &mut Transaction<'_>, of: &str, sql: &str, is_over_time: bool) {
    let sql = as_sent(sql);
    let statement = transaction.prepare(&sql).unwrap_or_else(|error| panic!("{of}: {error:?}\n{sql}"));
    let rows = transaction.query(&statement, &[]).unwrap_or_else(|error| panic!("{of}: {error:?}\n{sql}"));
    assert!(!rows.is_empty(), "{of} has no rows\n{sql}");
    if is_over_time {
        let time = statement.columns().iter().find(|column| column.name() == "time");
        let is_time = time.is_some_and(|column| [Type::TIMESTAMPTZ, Type::NUMERIC].contains(column.type_()));
        assert!(is_time, "{of} has no column `time`\n{sql}");
    }
}

/// What Grafana makes of its macros, and of the variables that are chosen.
fn as_sent(sql: &str) -> String {
    let bound = |time: Timestamp| format!("'{time}'");
    let (from, to) = (Timestamp::now() - PATIENCE - Duration::from_hours(1), Timestamp::now() + PATIENCE);
    let sql = sql.replace("${client:sqlstring}", &format!("'{CLIENT}'"));
    let sql = sql.replace("${target:sqlstring}", &format!("'{TARGET}'"));
    let sql = macros(&sql, "$__timeFilter(", |column| format!("{column} BETWEEN {} AND {}", bound(from), bound(to)));
    let sql = macros(&sql, "$__timeGroup(", |arguments| {
        let column = arguments.strip_suffix(", $__interval").unwrap();
        format!("floor(extract(epoch from {column})/60)*60")
    });
    assert!(!sql.contains("$__") && !sql.contains("${"), "not known here: {sql}");
    sql
}

/// Each use of a macro replaced by what it is with its arguments.
fn macros(sql: &str, name: &str, make: impl Fn(&str) -> String) -> String {
    let mut parts = sql.split(name);
    let mut made = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (arguments, rest) = part.split_once(')').unwrap();
        made += &(make(arguments) + rest);
    }
    made
}
