//! `netqoe aggregate`: the dataflow from a log in JetStream to a store, as one process of a timely cluster.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use netqoe_cluster::{Cluster, Heartbeat, Loss, Lost, Membership};
use netqoe_eventlog::{EventLog, JetStreamLog};
use netqoe_model::{Generation, Rules};
use netqoe_notify::Notifier;
use netqoe_pipeline::{
    Assembly, Assignment, CorrectionPace, CorrectionsOver, MeasuredStore, Observed, OpenedStore, Patience, Running,
    Source, StoreHealth, StreamLetters, Ticker, View, set_aside,
};
use netqoe_server::{Tls, Tokens};
use netqoe_sinks::{PostgresOptions, Store, WriteTurn};
use netqoe_trace::Tracer;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::admin::Admin;
use super::dashboard::{Dashboard, with_memory};
use super::notify::Receivers;
use super::reload::{CanChange, Reload, hangups};
use super::runtime::request_threads;
use super::{
    admin, health, listening_on, maintenance, process_metrics, process_name, store_kind, store_reader, supervise,
};
use crate::clock::{now_ms, store_clock};
use crate::exit::{self, TAKEN_OVER};
use crate::options::AggregateOptions;
use crate::process::Process;
use crate::{shutdown, systemd};

/// What to do where the log's time is ahead of the clock: servers write the log.
const WAIT_FOR_SERVERS: &str = "set the clocks of this machine and of all NATS servers right; docs/cluster.md \
    says how to go on before they have caught up with the log";

/// How often the stream is looked through for certificates: each look makes consumers in the NATS servers.
const CERTIFICATES_EVERY: Duration = Duration::from_secs(60);

/// The command that replays a dead letter.
const REPLAY_LETTER: &str = "netqoe dlq replay --nats-url URL ID";

/// A connection that broke, or a transaction that was in another's way, is tried again before anybody hears of it.
const COMMIT_RETRIES: usize = 2;

pub(crate) fn run(options: &AggregateOptions, process: &Arc<Process>) -> anyhow::Result<()> {
    if options.supervise {
        return supervise::run();
    }
    let membership = options.membership()?;
    let (tokens, tls) = (options.server.tokens()?, options.server.tls()?);
    let receivers = Receivers::open(&process.configuration.notify)?;
    let listener = netqoe_server::listen(SocketAddr::new(options.listen, options.port), &tokens)?;
    let runtime = Arc::new(request_threads()?);
    let (stop, hangups) = {
        let _inside = runtime.enter();
        let stop = shutdown::on_signals().context("can't listen for signals")?;
        (stop, hangups().context("can't listen for SIGHUP")?)
    };
    let address = listener.local_addr().context("can't tell the port that is listened on")?;
    let reload =
        Reload::new(process, CanChange { tokens: Some((tokens.clone(), address)), tls: tls.clone(), targets: None });
    runtime.spawn(Arc::clone(&reload).on_signal(hangups, stop.clone()));
    if options.supervised {
        supervise::stop_with_supervisor(stop.clone())?;
    }
    let metrics = process_metrics::metrics();
    // Dropped last, so that the spans of what is committed at the end are delivered.
    let tracing = options.tracing.follow("netqoe-aggregate", &metrics)?;
    let observed = Observed::new(metrics, now_ms, tracing.tracer());
    // The store's driver waits on its own: it must not be used within the runtime.
    let Some(mut started) = start(options, &membership, observed, &runtime, &stop)? else { return Ok(()) };
    let first = match membership.process {
        0 => Some(First::connect(options, receivers, &started, &runtime, &stop)?),
        _ => None,
    };
    let admin = Admin { levels: process.levels.clone(), feeds: Some(started.running.feeds.clone()), reload };
    let front = Front { listener, tls, tokens, admin };
    let watched = health::watch(&started.running.view, runtime.handle());
    let ended = runtime.block_on(serve(options, &runtime, front, &mut started, first, stop));
    let Started { log, running, heartbeat, .. } = started;
    match &ended {
        Ok(Ended::Asked) => heartbeat.leave(&Loss::AskedToStop),
        Ok(Ended::Left(lost)) => tracing::info!("{lost}"),
        Err(error) if exit::code(error) == TAKEN_OVER => heartbeat.leave(&Loss::TakenOver),
        Err(_) => {}
    }
    let ended = ended?;
    running.feeds.stop();
    let totals = running.pipeline.join()?;
    drop(watched);
    log.close();
    tracing::info!(events = totals.events.read, rows = totals.rows, "drained");
    match ended {
        Ended::Asked => Ok(()),
        Ended::Left(lost) => Err(lost.into()),
    }
}

/// Why a process ends in good order.
enum Ended {
    /// It was asked to.
    Asked,
    /// Another process was.
    Left(Lost),
}

/// Where requests come in, and whose are answered.
struct Front {
    listener: TcpListener,
    tls: Option<Tls>,
    tokens: Tokens,
    admin: Admin,
}

/// What process 0 does for all.
struct First {
    /// Follows the progress of the others.
    follower: Box<dyn Store>,
    /// Where there are receivers.
    notifier: Option<Notifier>,
}

impl First {
    fn connect(
        options: &AggregateOptions,
        receivers: Option<Receivers>,
        started: &Started,
        runtime: &Runtime,
        stop: &CancellationToken,
    ) -> anyhow::Result<Self> {
        let (url, postgres, patience) =
            (&options.database_url, options.database.postgres(), Patience::Until(stop.clone()));
        let follower = patience.insist(|| url.connect(&postgres, store_clock()))?;
        let Some(receivers) = receivers else { return Ok(Self { follower, notifier: None }) };
        let outbox = patience.insist(|| url.connect_outbox(&postgres, WriteTurn::default()))?;
        let (rules, metrics) = (options.rules.rules(), &started.running.view.observed().metrics);
        let notifier = receivers.notifier(outbox, started.generation, &rules, metrics, runtime.handle().clone());
        Ok(Self { follower, notifier: Some(notifier) })
    }
}

/// What works once the cluster has come together.
struct Started {
    generation: Generation,
    log: JetStreamLog,
    running: Running,
    heartbeat: Heartbeat,
}

/// Waits for the other processes and starts the workers; none where it was asked to stop before.
fn start(
    options: &AggregateOptions,
    membership: &Membership,
    observed: Observed,
    runtime: &Arc<Runtime>,
    stop: &CancellationToken,
) -> anyhow::Result<Option<Started>> {
    let rules = options.rules.rules();
    // It writes no events, and so no spans.
    let log = options.nats.open(Tracer::OFF)?;
    let given_up = || stop.is_cancelled();
    let Some(mut cluster) = Cluster::join(membership, given_up)? else { return Ok(None) };
    let health = StoreHealth::default();
    let patience = Patience::Until(stop.clone());
    // Few retries: this process waits by itself, and says why.
    let postgres = PostgresOptions { commit_retries: COMMIT_RETRIES, ..options.database.postgres() };
    let store = patience.insist(|| options.database_url.connect(&postgres, store_clock()))?;
    let store = MeasuredStore::new(store, &observed.metrics, &health);
    let Some(store) = open_store(store, patience, &log, &rules, membership, &cluster.heartbeat, given_up)? else {
        return Ok(None);
    };
    let own_store = || -> anyhow::Result<MeasuredStore> {
        let connect = || options.database_url.connect(&postgres, store_clock());
        let own = Patience::Until(stop.clone()).insist(connect)?;
        Ok(MeasuredStore::new(own, &observed.metrics, &StoreHealth::default()))
    };
    let fleet = match membership.process {
        0 => Some(store.fleet_link_over(own_store()?)),
        _ => None,
    };
    let corrections = if rules.has_corrections() {
        let link = store.fleet_link_over(own_store()?);
        Some(CorrectionsOver { link, pace: CorrectionPace::default() })
    } else {
        None
    };
    let letters = set_aside::in_stream(&log, options.dead_letters.stream(), Arc::clone(runtime))?;
    let generation = store.generation();
    let assembly = Assembly {
        source: Source::jetstream(&log, WAIT_FOR_SERVERS),
        store: store.setting_aside(letters),
        fleet,
        corrections,
        store_kind: store_kind(&options.database_url),
        store_health: health,
        rules,
        assignment: Assignment::of_cluster(membership.process, membership.processes(), options.workers),
        observed,
    };
    let ready = assembly.ready()?;
    cluster.heartbeat.carry(ready.feeds.epochs());
    let running = ready.start(cluster.links(options.workers)?)?;
    tracing::info!(process = membership.process, processes = %membership.processes(), "the cluster works");
    Ok(Some(Started { generation, log, running, heartbeat: cluster.heartbeat }))
}

/// Process 0 takes a new generation for the whole cluster, and the others go on in it.
fn open_store(
    store: MeasuredStore,
    patience: Patience,
    log: &JetStreamLog,
    rules: &Rules,
    membership: &Membership,
    heartbeat: &Heartbeat,
    given_up: impl Fn() -> bool,
) -> anyhow::Result<Option<OpenedStore>> {
    if membership.process == 0 {
        let store = OpenedStore::open(store, log.identity(), rules, process_name(), patience)?;
        heartbeat.announce(store.generation());
        return Ok(Some(store));
    }
    let Some(generation) = heartbeat.generation(given_up) else {
        return heartbeat.lost().map_or(Ok(None), |lost| Err(lost.into()));
    };
    Ok(Some(OpenedStore::join(store, generation, rules, patience)?))
}

/// Answers requests and moves idle partitions on, until it is asked to stop, another process stops, or something fails.
async fn serve(
    options: &AggregateOptions,
    runtime: &Arc<Runtime>,
    Front { listener, tls, tokens, admin }: Front,
    started: &mut Started,
    first: Option<First>,
    stop: CancellationToken,
) -> anyhow::Result<Ended> {
    let Started { log, running: Running { feeds, view, failed, .. }, heartbeat, .. } = started;
    let address = listener.local_addr().context("can't tell the port that is listened on")?;
    let mut tasks = JoinSet::new();
    tasks.spawn(admin::flush_on_signal(feeds.clone(), stop.clone()));
    if let Some(First { follower: store, notifier }) = first {
        if let Some(notifier) = notifier {
            let stop = stop.clone();
            tasks.spawn_blocking(move || notifier.run(&stop));
        }
        let (url, postgres) = (options.database_url.clone(), options.database.postgres());
        tasks.spawn(maintenance::daily(url, postgres, options.retention, stop.clone()));
        let (progress, view) = (options.consumer.progress(), Arc::clone(view));
        netqoe_pipeline::follow(log.clone(), progress, store, view, stop.clone(), Arc::clone(runtime))?;
    }
    let read_url = options.read_database_url.as_ref().unwrap_or(&options.database_url);
    let (metrics, store_health) = (&view.observed().metrics, view.store_health());
    let reader = store_reader::open(read_url, &options.database.postgres(), metrics, store_health).await?;
    let (assignment, rules) = (view.assignment(), options.rules.rules());
    // Of other processes, this one learns from the store.
    let others = (assignment.processes() > 1).then(|| Arc::clone(&reader));
    if let Some(reader) = others.clone() {
        let (live, owns) = (view.observed().live.clone(), move |partition| assignment.owns(partition));
        tasks.spawn(netqoe_query::watch_others(live, reader, owns, stop.clone()));
    }
    let (ticked, observed) = (Arc::new(log.clone()), view.observed().clone());
    let ticker = Ticker { log: ticked, observed, others, rules: rules.clone() };
    tasks.spawn(ticker.run(stop.clone()));
    let letters = log.find_dead_letters(options.dead_letters.stream()).await?;
    let letters = Arc::new(StreamLetters::new(letters, REPLAY_LETTER.to_owned()));
    let reader = with_memory(reader, &rules, log.identity().partitions, &mut tasks, &stop);
    let annotations = options.database_url.annotations(&options.database.postgres())?;
    let searched = Arc::new(log.clone());
    let dashboard = Dashboard::of_pipeline(reader, annotations, searched, view, rules, letters, (tokens, address));
    if let Some(certificates) = dashboard.certificate_watch(CERTIFICATES_EVERY) {
        tasks.spawn(certificates.run(stop.clone()));
    }
    let app = app(dashboard, view, &stop);
    tracing::info!("listening on {}", listening_on(tls.as_ref(), address));
    systemd::ready();
    if let Some(tls) = tls.clone() {
        tasks.spawn(tls.follow(stop.clone()));
    }
    let limits = options.server.limits(&options.server.memory());
    let ended = tokio::select! {
        served = netqoe_server::serve_over(tls.as_ref(), listener, app, &limits, stop.clone()) => {
            served.context("can't go on serving").map(|()| Ended::Asked)
        }
        served = admin.serve(&options.admin, stop.clone()) => served.map(|()| Ended::Asked),
        error = failed.failure() => Err(error.into()),
        lost = heartbeat.loss() => match lost.how {
            Loss::AskedToStop => Ok(Ended::Left(lost)),
            _ => Err(lost.into()),
        },
    };
    stop.cancel();
    let ended = ended?;
    while tasks.join_next().await.is_some() {}
    Ok(ended)
}

/// What people look at, health and metrics.
fn app(dashboard: Dashboard, view: &Arc<View>, stop: &CancellationToken) -> axum::Router {
    let (metrics, checks) = (view.observed().metrics.clone(), health::checks(view));
    let (routes, access) = dashboard.routes(stop);
    netqoe_server::assemble(routes, metrics, checks, access).merge(netqoe_dashboard::page())
}
