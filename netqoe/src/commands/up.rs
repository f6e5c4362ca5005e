//! `netqoe up`: probe, ingest, log, dataflow, store and API in one process, on one file.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context;
use netqoe_dashboard::{LiveFeed, QueryApi};
use netqoe_eventlog::{EventLog, SqliteLog, SqliteLogOptions, add_recv_ts};
use netqoe_ingest::{Authentication, ComponentCheck, Ingest, SystemClock, Tokens};
use netqoe_model::metrics::Metrics;
use netqoe_model::{Event, EventTime, LogTime, Partition, Position, Rules};
use netqoe_probe::{Plan, Reporter, Settings};
use netqoe_sinks::SqliteStore;
use netqoe_sinks::read::SqliteReader;
use rand::SeedableRng;
use rand::rngs::StdRng;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{data_file, demo, now_ms, store_clock, ticker};
use crate::options::UpOptions;
use crate::pipeline::{Committed, Failures, Gathering, LogFeeds, OpenedStore, Pipeline, by_owner, owner, starts};
use crate::shutdown;

/// Threads for requests. They wait for the log more than they compute.
const HTTP_THREADS: usize = 2;

pub(crate) fn run(options: &UpOptions) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(HTTP_THREADS).enable_all().build();
    runtime.context("can't start the request threads")?.block_on(up(options))
}

async fn up(options: &UpOptions) -> anyhow::Result<()> {
    let stop = shutdown::on_signals().context("can't listen for signals")?;
    let tokens = options.server.tokens()?;
    let listener = netqoe_ingest::listen(SocketAddr::new(options.listen, options.port), &tokens)?;
    let address = listener.local_addr().context("can't tell the port that is listened on")?;

    let rules = options.rules.rules();
    let (metrics, live, states) = (Metrics::new(), LiveFeed::new(), ticker::States::default());
    let (failures, failed) = Failures::new();
    let Opened { log, store, reader } = open(options)?;
    let observer = observer(options.workers.get(), &metrics, &live, &states, &log);
    let (feeds, pipeline) = start_pipeline(options, &log, store, &rules, observer, failures)?;

    let app = app(options, &log, reader, live, tokens, &metrics, &rules, &stop);
    let mut tasks = JoinSet::new();
    tasks.spawn(ticker::run(Arc::new(log.clone()), states, stop.clone()));
    if options.demo {
        let (demo, from) = demo::load(&log).await?;
        tasks.spawn(demo::run(demo, from, log.clone(), stop.clone()));
    }
    if !options.target.is_empty() {
        tasks.spawn(probe(options, log.clone(), stop.clone())?);
    }
    tracing::info!("listening on http://{address}");

    let limits = options.server.limits();
    let served = tokio::select! {
        served = netqoe_ingest::serve(listener, app, &limits, stop.clone()) => served.context("can't go on serving"),
        error = failure(failed) => Err(error),
    };
    stop.cancel();
    served?;
    while tasks.join_next().await.is_some() {}
    feeds.end();
    let totals =
        tokio::task::spawn_blocking(move || pipeline.join()).await.context("can't wait for the pipeline")??;
    log.close();
    tracing::info!(events = totals.events.read, rows = totals.rows, "drained");
    Ok(())
}

/// The data file, opened three ways.
struct Opened {
    log: SqliteLog,
    store: SqliteStore,
    reader: SqliteReader,
}

fn open(options: &UpOptions) -> anyhow::Result<Opened> {
    let folder = &options.data;
    std::fs::create_dir_all(folder)
        .with_context(|| format!("can't make the data folder {}; choose another with --data", folder.display()))?;
    let path = data_file(folder);
    let write_turn = Arc::default();
    let clock = Arc::new(|| LogTime::from_ms(now_ms()));
    let log_options = SqliteLogOptions {
        retention_ms: i64::try_from(options.log_max_age.as_millis()).unwrap_or(i64::MAX),
        max_bytes: options.log_max_bytes,
        ..SqliteLogOptions::new(clock, Arc::clone(&write_turn))
    };
    let log = SqliteLog::open(&path, log_options)?;
    let store = SqliteStore::open(&path, write_turn, store_clock())?;
    let reader = SqliteReader::open(&path).context("can't read the store")?;
    Ok(Opened { log, store, reader })
}

fn start_pipeline(
    options: &UpOptions,
    log: &SqliteLog,
    store: SqliteStore,
    rules: &Rules,
    observer: Box<dyn FnMut(Committed<'_>) + Send>,
    failures: Failures,
) -> anyhow::Result<(LogFeeds, Pipeline)> {
    let identity = log.identity().clone();
    let store = OpenedStore::open(Box::new(store), &identity, rules)?;
    let starts = by_owner(&starts(&store.resume, &identity), options.workers);
    let (feeds, workers) = LogFeeds::start(log, &starts, &failures)?;
    let pipeline = Pipeline::start(workers, &identity, store, rules.clone(), Gathering::LIVE, observer, failures)?;
    Ok((feeds, pipeline))
}

/// What happens after each commit: it is counted, shown to live readers, and the log may forget what it no longer needs.
fn observer(
    workers: usize,
    metrics: &Metrics,
    live: &LiveFeed,
    states: &ticker::States,
    log: &SqliteLog,
) -> Box<dyn FnMut(Committed<'_>) + Send> {
    let (metrics, live, states, log) = (metrics.clone(), live.clone(), Arc::clone(states), log.clone());
    Box::new(move |committed| {
        measure(&metrics, &committed);
        let mut states = states.lock();
        for (commit, state) in committed.partitions.iter().zip(committed.states) {
            let checkpoint = commit.checkpoint;
            states.insert(checkpoint.partition, *state);
            log.allow_discard_through(checkpoint.partition, Position(checkpoint.resume_from.0.saturating_sub(1)));
        }
        measure_memory(&metrics, workers, &states);
        if live.has_readers() {
            live.publish(committed.partitions.iter().flat_map(|commit| commit.rows.iter().cloned()).collect());
        }
    })
}

fn measure(metrics: &Metrics, committed: &Committed<'_>) {
    let events = committed.events;
    for (status, count) in [
        ("success", events.accepted),
        ("duplicate", events.duplicate),
        ("late", events.late),
        ("error", events.invalid),
    ] {
        metrics.events_processed.with_label_values(&[status]).inc_by(count);
    }
    let now = now_ms();
    for commit in committed.partitions {
        metrics.windows_flushed.inc_by(commit.rows.iter().filter(|row| row.window.is_final).count() as u64);
        metrics.dead_letters.inc_by(commit.dead_letters.len() as u64);
        if let Some(oldest) = commit.oldest_record {
            metrics.processing_delay.observe((now - oldest.ms()).max(0) as f64 / 1000.0);
        }
    }
}

fn measure_memory(metrics: &Metrics, workers: usize, states: &BTreeMap<Partition, netqoe_dataflow::PartitionState>) {
    for worker in 0..workers {
        let owned =
            || states.iter().filter(|(partition, _)| owner(**partition, workers) == worker).map(|(_, state)| state);
        let label = worker.to_string();
        let (windows, keys): (usize, usize) =
            (owned().map(|state| state.open_windows).sum(), owned().map(|state| state.tracked_pairs).sum());
        metrics.open_windows.with_label_values(&[&label]).set(windows as i64);
        metrics.tracked_keys.with_label_values(&[&label]).set(keys as i64);
    }
}

/// The routes of ingest and of the query API, on one listener and behind the same tokens.
#[allow(clippy::too_many_arguments)]
fn app(
    options: &UpOptions,
    log: &SqliteLog,
    reader: SqliteReader,
    live: LiveFeed,
    tokens: Tokens,
    metrics: &Metrics,
    rules: &Rules,
    stop: &CancellationToken,
) -> axum::Router {
    let authentication = Authentication::new(tokens.clone(), metrics.clone());
    let config = options.server.ingest(rules.max_future_ms);
    let ingest = Ingest::new(Arc::new(log.clone()), metrics.clone(), tokens, config, Arc::new(SystemClock::new()));
    let (queries, queries_document) = QueryApi::new(Arc::new(reader), live, stop.clone()).router();
    let checked = log.clone();
    let log_check =
        ComponentCheck { component: "log", needed_for_ready: true, check: Box::new(move || checked.healthy()) };
    netqoe_ingest::assemble(
        [ingest.router(), (authentication.guard(queries), queries_document)],
        metrics.clone(),
        vec![log_check],
    )
}

/// Waits for a thread to say that it can't go on.
async fn failure(failed: crossbeam_channel::Receiver<anyhow::Error>) -> anyhow::Error {
    let (send, receive) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || failed.recv().map(|error| send.send(error)));
    match receive.await {
        Ok(error) => error,
        // Everyone who could fail is gone, and so is the pipeline that they belong to.
        Err(_) => std::future::pending().await,
    }
}

/// The probe of this process: it measures the targets, and what it finds goes into the log like any client's events.
fn probe(
    options: &UpOptions,
    log: SqliteLog,
    stop: CancellationToken,
) -> anyhow::Result<impl Future<Output = ()> + Send + 'static> {
    let client_id = netqoe_probe::host_name()?;
    let plan = Plan {
        interval: options.interval,
        settings: Settings { timeout: options.timeout, ..Settings::default() },
        ..Plan::new(options.target.clone(), client_id)
    };
    Ok(async move {
        let mut rng = StdRng::from_rng(&mut rand::rng());
        let now = || EventTime::from_ms(now_ms());
        if let Err(error) = netqoe_probe::run_probe(plan, ToLog(log), now, &mut rng, stop).await {
            tracing::error!("{error}");
        }
    })
}

struct ToLog(SqliteLog);

impl Reporter for ToLog {
    type Error = ReportError;

    async fn report(&self, event_json: String) -> Result<(), ReportError> {
        let line = add_recv_ts(event_json.as_bytes(), now_ms());
        let partition = Partition::of(&Event::parse(&line)?.client_id, self.0.identity().partitions);
        self.0.append(vec![(partition, line)]).await?;
        Ok(())
    }
}

/// Why a measurement did not get into the log.
#[derive(Debug, thiserror::Error)]
enum ReportError {
    #[error("the measurement is no event: {0}")]
    Invalid(#[from] netqoe_model::Invalid),
    #[error(transparent)]
    Log(#[from] netqoe_eventlog::AppendError),
}
