//! `netqoe up`: probe, ingest, log, dataflow, store and API in one process, on one file.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use netqoe_eventlog::{EventLog, SqliteLog, SqliteLogOptions, add_recv_ts};
use netqoe_ingest::{Ingest, IngestConfig};
use netqoe_model::metrics::Metrics;
use netqoe_model::{Event, EventTime, LogTime, PairPast, Partition, Rules};
use netqoe_pipeline::{
    Assembly, Assignment, CorrectionPace, CorrectionsOver, MeasuredReader, MeasuredStore, Observed, OpenedStore,
    Patience, Running, Source, StoreHealth, Ticker, View, links_within,
};
use netqoe_probe::{Plan, PlannedTarget, Reporter};
use netqoe_server::{OperationsAccess, SignIn, SystemClock};
use netqoe_sinks::read::{MAX_CONNECTIONS, SqliteReader};
use netqoe_sinks::{Outbox, PostgresOptions, SqliteAnnotations, SqliteDeadLetters, SqliteStore, StoreUrl};
use netqoe_trace::Tracer;
use rand::SeedableRng;
use rand::rngs::StdRng;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::admin::Admin;
use super::dashboard::{Dashboard, with_memory};
use super::first_lines::FirstLines;
use super::import::Import;
use super::notify::Receivers;
use super::reload::{CanChange, Reload, hangups};
use super::resources::resident_memory_bytes;
use super::runtime::request_threads;
use super::starting::Starting;
use super::targets::TargetSource;
use super::{
    admin, data_file, demo, dlq, fixed_object, health, listening_on, maintenance, memory, process_metrics, process_name,
};
use crate::clock::{now_ms, store_clock};
use crate::options::{ProbeOptions, UpOptions, ms};
use crate::process::Process;
use crate::{shutdown, systemd};

/// What to do where the log's time is ahead of the clock: this process writes the log itself.
const HEAL_CLOCK: &str = "set the clock where it is behind; where it is right, stop `netqoe up` and run \
    `netqoe log heal-clock` on its data folder, which loses no event";

/// How much longer a pair has its place than its past is kept: for events that are late, and for the sweep.
const STILL_ON_ITS_WAY: Duration = Duration::from_secs(3600);

/// How often the log is looked through for certificates: a look costs as much as has come since the one before.
const CERTIFICATES_EVERY: Duration = Duration::from_secs(10);

/// How long lookups of the system that are under way are waited for at the end.
const LOOKUPS: Duration = Duration::from_millis(100);

pub(crate) fn run(options: &UpOptions, process: &Arc<Process>) -> anyhow::Result<()> {
    let threads = request_threads()?;
    let done = threads.block_on(up(options, process));
    // Everything is written. What may still run is the system's lookups for the probe, which can't be given up.
    threads.shutdown_timeout(LOOKUPS);
    done
}

async fn up(options: &UpOptions, process: &Arc<Process>) -> anyhow::Result<()> {
    let stop = shutdown::on_signals().context("can't listen for signals")?;
    let hangups = hangups().context("can't listen for SIGHUP")?;
    let (tokens, tls) = (options.server.tokens()?, options.server.tls()?);
    let memory_bound = options.memory.max_memory.map(memory::bound).transpose()?;
    let receivers = Receivers::open(&process.configuration.notify)?;
    let listener = netqoe_server::listen(options.listen.address(), &tokens)?;
    let address = listener.local_addr().context("can't tell the port that is listened on")?;

    let (given, source) = watch::channel(options.probe.given()?);
    let source = TargetSource::new(source, &options.probe);
    let (list, targets) = watch::channel(source.read()?);
    let can_change = CanChange { tokens: Some((tokens.clone(), address)), tls: tls.clone(), targets: Some(given) };
    let reload = Reload::new(process, can_change);

    let rules = options.rules.rules();
    let metrics = process_metrics::metrics();
    // Dropped last, so that the spans of what is drained are delivered.
    let tracing = options.tracing.start("netqoe-up", &metrics)?;
    let tracer = tracing.tracer();
    let observed = Observed::new(metrics, now_ms, tracer.clone());
    let request_memory = options.server.memory();
    let limits = options.server.limits(&request_memory);
    let sign_in = SignIn::new(tokens.clone(), observed.metrics.clone(), Arc::new(SystemClock::new()));
    let mut starting =
        Starting::new(&listener, tls.clone(), limits.clone(), OperationsAccess::at(address, sign_in), stop.clone());
    let is_new = !data_file(options.data()).exists();
    let opened = starting.insist(|| open(options, receivers.is_some(), &rules, &observed.metrics, &tracer));
    if let Err(error) = &opened
        && stop.is_cancelled()
    {
        tracing::info!("asked to stop while waiting: {error:#}");
        return Ok(());
    }
    let Opened { log, store, incidents, corrections, outbox, letters, annotations, reader, health } = opened?;
    if let Some(file) = &options.import {
        starting.say("history is being imported; its log says how far that is")?;
        if !import(options, file, &log, &rules).run(&stop).await? {
            return Ok(());
        }
    }
    starting.end().await;
    let annotations = Arc::new(annotations);
    let store = store.with_patience(Patience::Until(stop.clone()));
    let fleet = Some(store.fleet_link_over(incidents));
    let pace = CorrectionPace::default();
    let corrections = corrections.map(|own| CorrectionsOver { link: store.fleet_link_over(own), pace });
    let known = known_pairs(&store, &rules);
    let notifier = receivers.zip(outbox).map(|(receivers, outbox)| {
        receivers.notifier(outbox, store.generation(), &rules, &observed.metrics, Handle::current())
    });
    let assembly = Assembly {
        source: Source::embedded(&log, HEAL_CLOCK, &observed.metrics),
        store,
        fleet,
        corrections,
        store_kind: "sqlite",
        store_health: health,
        rules: rules.clone(),
        assignment: Assignment::of_one_process(options.workers),
        observed: observed.clone(),
    };
    let Running { feeds, pipeline, view, mut failed } = assembly.ready()?.start(links_within(options.workers)?)?;

    let mut tasks = JoinSet::new();
    let ticker = Ticker { log: Arc::new(log.clone()), observed, others: None, rules: rules.clone() };
    tasks.spawn(ticker.run(stop.clone()));
    let letters = Arc::new(dlq::letters_of(letters, log.clone(), options.data()));
    let reader = with_memory(Arc::new(reader), &rules, log.identity().partitions, &mut tasks, &stop);
    let config = IngestConfig {
        pairs_kept: pairs_kept(&rules),
        memory_bound: memory_bound.clone(),
        uncounted: Some(view.observed().uncounted.clone()),
        tracer,
        ..options.server.ingest(rules.max_future_ms, &request_memory)
    };
    let watched = health::watch(&view, &Handle::current());
    let searched = Arc::new(log.clone());
    let dashboard =
        Dashboard::of_pipeline(reader, annotations, searched, &view, rules.clone(), letters, (tokens, address));
    let dashboard = Dashboard { is_demo: options.demo, ..dashboard.with_refused() };
    if let Some(certificates) = dashboard.certificate_watch(CERTIFICATES_EVERY) {
        tasks.spawn(certificates.run(stop.clone()));
    }
    let app = app(config, &log, dashboard, &view, &known, &stop);
    // It reads the log: where such a connection closes last, SQLite leaves its journal behind.
    drop(view);
    tasks.spawn(admin::flush_on_signal(feeds.clone(), stop.clone()));
    if let Some(bound) = memory_bound {
        tasks.spawn(bound.follow(resident_memory_bytes, stop.clone()));
    }
    if let Some(notifier) = notifier {
        let stop = stop.clone();
        tasks.spawn_blocking(move || notifier.run(&stop));
    }
    let store = StoreUrl::Sqlite(data_file(options.data()));
    tasks.spawn(maintenance::daily(store, PostgresOptions::default(), options.retention, stop.clone()));
    if options.demo {
        let (demo, from) = demo::load(&log).await?;
        tasks.spawn(demo::run(demo, from, log.clone(), stop.clone()));
    }
    let measured = targets.borrow().len();
    let plan = (measured > 0).then(|| options.probe.plan()).transpose()?;
    let page = listening_on(tls.as_ref(), address);
    FirstLines::of(options, measured, is_new, &rules, &page).log();
    tasks.spawn(probe(plan, options.probe.clone(), targets, log.clone(), stop.clone()));
    tasks.spawn(Arc::clone(&reload).on_signal(hangups, stop.clone()));
    tasks.spawn(follow(source, list, stop.clone()));
    if let Some(tls) = tls.clone() {
        tasks.spawn(tls.follow(stop.clone()));
    }
    tracing::info!("listening on {page}");
    systemd::ready();

    let admin = Admin { levels: process.levels.clone(), feeds: Some(feeds.clone()), reload };
    let served = tokio::select! {
        served = netqoe_server::serve_over(tls.as_ref(), listener, app, &limits, stop.clone()) => served.context("can't go on serving"),
        served = admin.serve(&options.admin, stop.clone()) => served,
        error = failed.failure() => Err(error.into()),
    };
    stop.cancel();
    served?;
    while tasks.join_next().await.is_some() {}
    feeds.end();
    let totals =
        tokio::task::spawn_blocking(move || pipeline.join()).await.context("can't wait for the pipeline")??;
    drop(watched);
    log.close();
    tracing::info!(events = totals.events.read, rows = totals.rows, "drained");
    Ok(())
}

/// The data file, opened once for each that works on it.
struct Opened {
    log: SqliteLog,
    store: OpenedStore,
    /// For incidents.
    incidents: MeasuredStore,
    /// Where what comes late counts.
    corrections: Option<MeasuredStore>,
    /// Where there are receivers of notifications.
    outbox: Option<Box<dyn Outbox>>,
    letters: SqliteDeadLetters,
    annotations: SqliteAnnotations,
    reader: MeasuredReader<SqliteReader>,
    health: StoreHealth,
}

fn open(
    options: &UpOptions,
    has_receivers: bool,
    rules: &Rules,
    metrics: &Metrics,
    tracer: &Tracer,
) -> anyhow::Result<Opened> {
    let folder = options.data();
    netqoe_datafile::make_folder(folder)
        .with_context(|| format!("can't make the data folder {}; choose another with --data", folder.display()))?;
    if netqoe_datafile::is_open_to_others(folder) {
        tracing::warn!(folder = %folder.display(), "{}", netqoe_datafile::OPEN_TO_OTHERS);
    }
    let path = data_file(folder);
    let write_turn = Arc::default();
    let clock = Arc::new(|| LogTime::from_ms(now_ms()));
    let log_options = SqliteLogOptions {
        retention_ms: i64::try_from(options.log_max_age.as_millis()).unwrap_or(i64::MAX),
        max_bytes: options.log_max_bytes,
        believe_clock_after: options.believe_clock_after,
        tracer: tracer.clone(),
        ..SqliteLogOptions::new(clock, Arc::clone(&write_turn))
    };
    let log = SqliteLog::open(&path, log_options)?;
    let store = SqliteStore::open(&path, Arc::clone(&write_turn), store_clock())?;
    let incidents = SqliteStore::open(&path, Arc::clone(&write_turn), store_clock())?;
    let corrections = || SqliteStore::open(&path, Arc::clone(&write_turn), store_clock());
    let corrections = rules.has_corrections().then(corrections).transpose()?;
    let outbox = || StoreUrl::Sqlite(path.clone()).connect_outbox(&PostgresOptions::default(), Arc::clone(&write_turn));
    let outbox = has_receivers.then(outbox).transpose()?;
    let letters = SqliteDeadLetters::open(&path, Arc::clone(&write_turn))?;
    let annotations = SqliteAnnotations::open(&path, write_turn)?;
    let reader = SqliteReader::open(&path).context("can't read the store")?;
    let health = StoreHealth::default();
    let store = MeasuredStore::new(Box::new(store), metrics, &health);
    let store = OpenedStore::open(store, log.identity(), rules, process_name(), Patience::None)?;
    let incidents = MeasuredStore::new(Box::new(incidents), metrics, &StoreHealth::default());
    let measured = |own| MeasuredStore::new(Box::new(own), metrics, &StoreHealth::default());
    let corrections = corrections.map(measured);
    let reader = MeasuredReader::new(reader, MAX_CONNECTIONS, metrics, &health);
    Ok(Opened { log, store, incidents, corrections, outbox, letters, annotations, reader, health })
}

fn import(options: &UpOptions, file: &Path, log: &SqliteLog, rules: &Rules) -> Import {
    Import {
        file: file.to_owned(),
        log: log.clone(),
        data_file: data_file(options.data()),
        window_ms: rules.window_ms,
        retention_ms: ms(options.retention.retention),
    }
}

/// A pair is in memory for as long as its past may be of use to a window that is still to come.
fn pairs_kept(rules: &Rules) -> Duration {
    Duration::from_millis(rules.diagnosis.usual.reach_ms().unsigned_abs()) + STILL_ON_ITS_WAY
}

/// The pairs that are in memory from the start.
fn known_pairs(store: &OpenedStore, rules: &Rules) -> Vec<(Arc<str>, Arc<str>)> {
    let earliest_ms = now_ms() - ms(pairs_kept(rules));
    let is_recent = |past: &&PairPast| past.rows.last().is_none_or(|newest| newest.start.ms() >= earliest_ms);
    let history = store.resume.history.iter().filter(is_recent);
    history.map(|past| (Arc::clone(&past.client_id), Arc::clone(&past.target))).collect()
}

/// The routes of ingest and what people look at, on one listener and behind the same tokens.
fn app(
    config: IngestConfig,
    log: &SqliteLog,
    dashboard: Dashboard,
    view: &Arc<View>,
    known: &[(Arc<str>, Arc<str>)],
    stop: &CancellationToken,
) -> axum::Router {
    let (metrics, mut checks) = (view.observed().metrics.clone(), health::checks(view));
    checks.extend(config.memory_bound.as_ref().map(memory::check));
    let clock = Arc::new(SystemClock::new());
    let ingest = Ingest::new(Arc::new(log.clone()), metrics.clone(), dashboard.tokens.clone(), config, clock);
    known.iter().for_each(|(client_id, target)| ingest.know_pair(client_id, target));
    let (routes, access) = dashboard.routes(stop);
    let app = netqoe_server::assemble(routes.into_iter().chain([ingest.router()]), metrics, checks, access);
    app.merge(netqoe_dashboard::page()).merge(fixed_object::router())
}

/// Follows the lists of targets.
async fn follow(source: TargetSource, list: watch::Sender<Vec<PlannedTarget>>, stop: CancellationToken) {
    if let Err(error) = source.follow(list, stop).await {
        tracing::error!("the lists of targets are not followed: {error:#}");
    }
}

/// The probe of this process: it measures the targets, and what it finds goes into the log like any client's events. Without a plan, it
/// begins once there are targets.
async fn probe(
    plan: Option<Plan>,
    options: ProbeOptions,
    mut targets: watch::Receiver<Vec<PlannedTarget>>,
    log: SqliteLog,
    stop: CancellationToken,
) {
    if plan.is_none() {
        let has_targets = targets.wait_for(|targets| !targets.is_empty());
        if stop.run_until_cancelled(has_targets).await.is_none_or(|waited| waited.is_err()) {
            return;
        }
    }
    let plan = match plan.map_or_else(|| options.plan(), Ok) {
        Ok(plan) => Plan { targets, at_once: true, ..plan },
        Err(error) => return tracing::error!("nothing is measured: {error:#}"),
    };
    let mut rng = StdRng::from_rng(&mut rand::rng());
    let now = || EventTime::from_ms(now_ms());
    if let Err(error) = netqoe_probe::run_probe(plan, ToLog(log), now, &mut rng, stop).await {
        tracing::error!("{error}");
    }
}

struct ToLog(SqliteLog);

impl Reporter for ToLog {
    type Error = ReportError;

    async fn report(&self, event_json: String) -> Result<(), ReportError> {
        let line = add_recv_ts(event_json.as_bytes(), now_ms()).ok_or(netqoe_model::Invalid::NotAnObject)?;
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
