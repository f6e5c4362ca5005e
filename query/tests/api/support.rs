//! A store in a temporary folder with rows in it, and questions to the router.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request};
use axum::response::Response;
use http_body_util::BodyExt;
use netqoe_model::metrics::Metrics;
use netqoe_model::{
    AggregateRow, Checkpoint, ClientContext, ClientRow, Diagnosis, EventTime, Evidence, Label, LogTime, Network,
    PairTags, PartitionCommit, Percentiles, Rules, Severity, Tags, UsualRange, WindowRow, WindowStart,
};
use netqoe_query::{Certificates, LiveFeed, QueryApi};
use netqoe_sinks::SqliteAnnotations;
use netqoe_sinks::read::Reader;
use parking_lot::Mutex;
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use crate::measurements::Kept;
use crate::stores::{Kind, TestStore};

/// The first window of each test, in Unix milliseconds: 2025-12-06T00:00:00Z.
pub(crate) const START_MS: i64 = 1_764_979_200_000;
/// When the store writes.
pub(crate) const WRITTEN_MS: i64 = 1_765_000_000_000;

/// When it is asked, where that matters: in minute 13.
pub(crate) const NOW_MS: i64 = START_MS + 13 * 60_000;

/// An API with the store behind it.
pub(crate) struct Api {
    router: Router,
    /// What the API says of itself.
    pub(crate) document: Value,
    pub(crate) live: LiveFeed,
    pub(crate) metrics: Metrics,
    pub(crate) certificates: Certificates,
    pub(crate) stop: CancellationToken,
    reader: Arc<dyn Reader>,
    store: Arc<Mutex<TestStore>>,
}

/// An answer, whose body is JSON as all of them are but those of live streams.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Api {
    /// With these rows in a SQLite store.
    pub(crate) fn with(rows: &[AggregateRow]) -> Self {
        Self::of(TestStore::sqlite(), rows)
    }

    /// With these rows in a store of this kind.
    pub(crate) async fn on(kind: Kind, rows: &[AggregateRow]) -> Self {
        Self::of(TestStore::open(kind).await, rows)
    }

    fn of((store, reader): (TestStore, Arc<dyn Reader>), rows: &[AggregateRow]) -> Self {
        let (metrics, stop) = (Metrics::new(), CancellationToken::new());
        let live = LiveFeed::new(metrics.clone());
        let mut api = QueryApi::new(Arc::clone(&reader), &Rules::default(), live.clone(), stop.clone());
        let certificates = Certificates::default();
        api = api.with_clock(Arc::new(|| NOW_MS)).with_measurements(Arc::new(Kept::default()));
        api = api.with_certificates(certificates.clone());
        if let Some(path) = store.path() {
            api = api.with_annotations(Arc::new(SqliteAnnotations::open(&path, Arc::default()).unwrap()));
        }
        let (router, document) = api.router();
        let document = serde_json::to_value(document).unwrap();
        let store = Arc::new(Mutex::new(store));
        let api = Self { router, document, live, metrics, certificates, stop, reader, store };
        api.write(rows);
        api
    }

    /// Commits rows, and their clients as seen in these windows, each on a network of its own.
    pub(crate) fn write(&self, rows: &[AggregateRow]) {
        self.commit(Checkpoint::default(), rows, rows.iter().map(client_of).collect());
    }

    /// Commits rows as what leads a partition to a checkpoint.
    pub(crate) fn write_as(&self, checkpoint: Checkpoint, rows: &[AggregateRow]) {
        self.commit(checkpoint, rows, rows.iter().map(client_of).collect());
    }

    fn commit(&self, checkpoint: Checkpoint, rows: &[AggregateRow], clients: Vec<ClientRow>) {
        commit(&self.store, checkpoint, rows, clients);
    }

    /// Commits as [`Api::write_as`] does, from wherever it is called.
    pub(crate) fn writer(&self) -> impl Fn(Checkpoint, &[AggregateRow]) + Send + Sync + 'static {
        let store = Arc::clone(&self.store);
        move |checkpoint, rows| commit(&store, checkpoint, rows, rows.iter().map(client_of).collect())
    }

    /// The same API with another reader, which remembers no answer.
    pub(crate) fn reading_with(&self, reader: Arc<dyn Reader>) -> Self {
        let (metrics, live, stop) = (self.metrics.clone(), self.live.clone(), self.stop.clone());
        let (router, _) = QueryApi::new(Arc::clone(&reader), &Rules::default(), live.clone(), stop.clone()).router();
        let (document, certificates) = (Value::Null, Certificates::default());
        Self { router, document, live, metrics, certificates, stop, reader, store: Arc::clone(&self.store) }
    }

    /// Does this to the SQLite store behind its back.
    pub(crate) fn execute(&self, sql: &str) {
        let connection = rusqlite::Connection::open(self.store.lock().path().unwrap()).unwrap();
        connection.busy_timeout(Duration::from_secs(60)).unwrap();
        connection.execute_batch(sql).unwrap();
    }

    /// Sends a body; an answer without one is null.
    pub(crate) async fn send(&self, method: &str, path: &str, body: &str) -> (u16, Value) {
        let request = Request::builder().method(method).uri(path).header("content-type", "application/json");
        let response = self.router.clone().oneshot(request.body(Body::from(body.to_owned())).unwrap()).await.unwrap();
        let (head, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        (head.status.as_u16(), serde_json::from_slice(&body).unwrap_or_default())
    }

    /// Reads the store without the API.
    pub(crate) fn reader(&self) -> Arc<dyn Reader> {
        Arc::clone(&self.reader)
    }

    /// The answer to a question, in JSON.
    pub(crate) async fn get(&self, path_and_query: &str) -> Answer {
        let (head, body) = self.open(path_and_query).await.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let body = serde_json::from_slice(&body).unwrap_or_else(|error| panic!("{path_and_query}: {error}: {body:?}"));
        Answer { status: head.status.as_u16(), headers: head.headers, body }
    }

    /// The answer as it begins to come.
    pub(crate) async fn open(&self, path_and_query: &str) -> Response {
        self.open_with(path_and_query, &[]).await
    }

    pub(crate) async fn open_with(&self, path_and_query: &str, headers: &[(&str, &str)]) -> Response {
        let mut request = Request::get(path_and_query);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
    }
}

fn commit(store: &Mutex<TestStore>, checkpoint: Checkpoint, rows: &[AggregateRow], clients: Vec<ClientRow>) {
    store.lock().commit(PartitionCommit {
        checkpoint,
        rows: rows.to_vec(),
        clients,
        dead_letters: Vec::new(),
        looks: Vec::new(),
        waiting: Vec::new(),
        oldest_record: None,
    });
}

impl Answer {
    /// What was found.
    pub(crate) fn items(&self) -> &[Value] {
        assert_eq!(self.status, 200, "{}", self.body);
        self.body["items"].as_array().unwrap()
    }

    /// Each item in short: its client, its target and its window's minute, as far as it has them.
    pub(crate) fn names(&self) -> Vec<String> {
        self.items().iter().map(name).collect()
    }

    pub(crate) fn next_cursor(&self) -> Option<&str> {
        self.body["next_cursor"].as_str()
    }
}

/// `client target minute` of an item or a live row.
pub(crate) fn name(item: &Value) -> String {
    let minute = item["window_start_ts"].as_i64().map(|start_ms| ((start_ms - START_MS) / 60_000).to_string());
    let texts = [item["client_id"].as_str(), item["target"].as_str(), minute.as_deref()];
    texts.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

pub(crate) fn minute_ms(minute: i64) -> i64 {
    START_MS + minute * 60_000
}

/// A final row of two successes and one failed name resolution, without a diagnosis.
pub(crate) fn row(client_id: &str, target: &str, minute: i64) -> AggregateRow {
    let percentiles = |p50, p95| Some(Percentiles { p50, p95 });
    AggregateRow {
        client_id: client_id.into(),
        target: target.into(),
        window: WindowRow {
            start: WindowStart::from_ms(minute_ms(minute)),
            is_final: true,
            as_of: LogTime::from_ms(minute_ms(minute + 3) + 1),
            count_success: 2,
            errors: [1, 0, 0, 0, 0],
            percentiles: [
                percentiles(15_300, 15_301),
                percentiles(25_000, 26_500),
                None,
                percentiles(125_800, 126_001),
                percentiles(95_400, 96_000),
            ],
            network: Network::named(Some("wifi"), Some(&format!("isp of {client_id}")), None).map(Arc::new),
            tags: None,
        },
        diagnosis: None,
        ended_runs: Vec::new(),
        pair_state: None,
    }
}

/// The same row with a diagnosis, of a run that begins with it.
pub(crate) fn diagnosed(row: AggregateRow, label: Label) -> AggregateRow {
    let evidence = Evidence {
        stage: "dns",
        observed: 15.301,
        usual: Some(UsualRange { centre: 5.5, low: 4.5, high: 6.75 }),
        sigmas: Some(9.801),
        share_of_total: Some(0.625),
        samples: 6,
        bad_samples: 4,
        windows: 2,
        since: row.window.start,
    };
    let finding = (label != Label::Healthy).then_some(Box::new((Severity::Major, evidence)));
    AggregateRow { diagnosis: Some(Diagnosis { label, finding }), ..row }
}

/// What [`diagnosed`] gives as evidence, as the API writes it.
pub(crate) fn evidence(unit: &str, since: i64) -> Value {
    serde_json::json!({
        "stage": "dns", "unit": unit, "observed": 15.301, "usual": 5.5, "usual_low": 4.5, "usual_high": 6.75,
        "sigmas": 9.801, "share_of_total": 0.625, "samples": 6, "bad_samples": 4, "windows": 2,
        "since": minute_ms(since),
    })
}

/// The same row, measured over the network with these names.
pub(crate) fn over(
    network_type: Option<&str>,
    isp: Option<&str>,
    site: Option<&str>,
    row: AggregateRow,
) -> AggregateRow {
    let network = Network::named(network_type, isp, site).map(Arc::new);
    AggregateRow { window: WindowRow { network, ..row.window }, ..row }
}

/// The same row with these labels of its client and its target, as JSON.
pub(crate) fn labelled(client: &str, target: &str, row: AggregateRow) -> AggregateRow {
    let tags = PairTags::of(Tags::parse(client).unwrap(), Tags::parse(target).unwrap()).map(Arc::new);
    AggregateRow { window: WindowRow { tags, ..row.window }, ..row }
}

/// The same row in a run that began with this minute.
pub(crate) fn since(minute: i64, mut row: AggregateRow) -> AggregateRow {
    if let Some(finding) = row.diagnosis.as_mut().and_then(|diagnosis| diagnosis.finding.as_mut()) {
        finding.1.since = WindowStart::from_ms(minute_ms(minute));
    }
    row
}

/// The same row as bad as this.
pub(crate) fn as_bad_as(severity: Severity, mut row: AggregateRow) -> AggregateRow {
    if let Some(finding) = row.diagnosis.as_mut().and_then(|diagnosis| diagnosis.finding.as_mut()) {
        finding.0 = severity;
    }
    row
}

/// Seen at the start of the row's window, on a network of its own.
fn client_of(row: &AggregateRow) -> ClientRow {
    let at = EventTime::from_ms(row.window.start.ms());
    let isp = Value::from(format!("isp of {}", row.client_id));
    let context = ClientContext::parse(&format!(r#"{{"network_type":"wifi","isp":{isp}}}"#));
    ClientRow { client_id: row.client_id.clone(), context, first_seen: at, last_seen: at }
}
