//! `netqoe serve`: the page and the query API over a store that others write, or that is finished. Nothing is written to it.
//!
//! Decision: D-101.

mod away;
mod progress;

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use anyhow::Context;
use axum::Router;
use axum::routing::post;
use netqoe_model::Rules;
use netqoe_model::metrics::Metrics;
use netqoe_pipeline::StoreHealth;
use netqoe_query::{Certificates, LiveFeed, watch_others};
use netqoe_server::{Code, ComponentCheck, Refusal, Tls, Tokens};
use netqoe_sinks::read::Reader;
use netqoe_sinks::{Served, StoreUrl};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use self::away::NoLetters;
use self::progress::Progress;
use super::admin::Admin;
use super::dashboard::{Dashboard, with_memory};
use super::reload::{CanChange, Reload, hangups};
use super::runtime::request_threads;
use super::{listening_on, other_rules, process_metrics, store_kind, store_reader};
use crate::options::ServeOptions;
use crate::process::Process;
use crate::shutdown;

/// What this server lacks, for those who ask for it.
const ONLY_READS: &str = "this server only reads a store";

pub(crate) fn run(options: &ServeOptions, process: &Arc<Process>) -> anyhow::Result<()> {
    let (tokens, tls) = (options.server.tokens()?, options.server.tls()?);
    // The store's driver waits on its own: it must not be used within the runtime.
    let served = options.store.look_at_served(&options.database.postgres())?;
    let listener = netqoe_server::listen(options.listen.address(), &tokens)?;
    request_threads()?.block_on(serve(options, process, Front { listener, tls, tokens }, served))
}

/// Where requests come in, and whose are answered.
struct Front {
    listener: TcpListener,
    tls: Option<Tls>,
    tokens: Tokens,
}

async fn serve(
    options: &ServeOptions,
    process: &Arc<Process>,
    Front { listener, tls, tokens }: Front,
    served: Served,
) -> anyhow::Result<()> {
    let stop = shutdown::on_signals().context("can't listen for signals")?;
    let hangups = hangups().context("can't listen for SIGHUP")?;
    let address = listener.local_addr().context("can't tell the port that is listened on")?;
    let can_change = CanChange { tokens: Some((tokens.clone(), address)), tls: tls.clone(), targets: None };
    let reload = Reload::new(process, can_change);

    let metrics = process_metrics::metrics();
    let mut tasks = JoinSet::new();
    tasks.spawn(Arc::clone(&reload).on_signal(hangups, stop.clone()));
    if let Some(tls) = tls.clone() {
        tasks.spawn(tls.follow(stop.clone()));
    }
    let app = app(options, served, tokens, address, &metrics, &mut tasks, &stop).await?;
    tracing::info!("showing {}, and writing nothing to it", options.store);
    tracing::info!("listening on {}", listening_on(tls.as_ref(), address));

    let admin = Admin { levels: process.levels.clone(), feeds: None, reload };
    let limits = options.server.limits(&options.server.memory());
    let ended = tokio::select! {
        served = netqoe_server::serve_over(tls.as_ref(), listener, app, &limits, stop.clone()) => served.context("can't go on serving"),
        served = admin.serve(&options.admin, stop.clone()) => served,
    };
    stop.cancel();
    ended?;
    while tasks.join_next().await.is_some() {}
    Ok(())
}

/// What people look at, health and metrics; and a plain answer for those who send events.
async fn app(
    options: &ServeOptions,
    served: Served,
    tokens: Tokens,
    address: SocketAddr,
    metrics: &Metrics,
    tasks: &mut JoinSet<()>,
    stop: &CancellationToken,
) -> anyhow::Result<Router> {
    let (rules, health, live) = (options.rules.rules(), StoreHealth::default(), LiveFeed::new(metrics.clone()));
    let reader = store_reader::open(&options.store, &options.database.postgres(), metrics, &health).await?;
    warn_of_other_rules(&options.store, &reader, &rules).await?;
    let progress = Arc::new(Progress::new(store_kind(&options.store), health));
    tasks.spawn(Arc::clone(&progress).follow(Arc::clone(&reader), stop.clone()));
    tasks.spawn(watch_others(live.clone(), Arc::clone(&reader), |_| false, stop.clone()));
    let reader = match served.partitions {
        Some(partitions) => with_memory(reader, &rules, partitions, tasks, stop),
        None => reader,
    };
    let check = Arc::clone(&progress);
    let check = Box::new(move || check.check_store());
    let checks = vec![ComponentCheck { component: "store", needed_for_ready: true, check }];
    let dashboard = Dashboard {
        reader,
        annotations: None,
        log: None,
        view: progress,
        certificates: Certificates::default(),
        uncounted: None,
        metrics: metrics.clone(),
        live,
        rules,
        tokens,
        letters: Arc::new(NoLetters),
        is_demo: false,
        address,
    };
    let (routes, access) = dashboard.routes(stop);
    let app = netqoe_server::assemble(routes, metrics.clone(), checks, access).merge(netqoe_dashboard::page());
    Ok(app.merge(Router::new().route("/api/v1/events", post(no_ingest)).route("/events", post(no_ingest))))
}

async fn warn_of_other_rules(store: &StoreUrl, reader: &Arc<dyn Reader>, rules: &Rules) -> anyhow::Result<()> {
    let (store, reader, rules) = (store.clone(), Arc::clone(reader), rules.clone());
    let look = move || other_rules::warn_of_served(&store, &*reader, &rules);
    tokio::task::spawn_blocking(look).await.context("looking at the store broke off")?
}

async fn no_ingest() -> Refusal {
    let message = format!("{ONLY_READS}; send events to `netqoe up` or `netqoe ingest`");
    Refusal::new(Code::MethodNotAllowed, message)
}
