//! `netqoe ingest`: the HTTP API in front of a log in JetStream.

use std::sync::Arc;

use anyhow::Context;
use netqoe_eventlog::{Exchange, JetStreamLog};
use netqoe_ingest::{Ingest, IngestConfig, SharedLimits};
use netqoe_server::{ComponentCheck, OperationsAccess, SignIn, SystemClock, Tokens};
use tokio::runtime::Handle;
use uuid::Uuid;

use super::admin::Admin;
use super::reload::{CanChange, Reload, hangups};
use super::resources::resident_memory_bytes;
use super::runtime::request_threads;
use super::{listening_on, memory, process_metrics};
use crate::options::IngestOptions;
use crate::options::ms;
use crate::process::Process;
use crate::{shutdown, systemd};

pub(crate) fn run(options: &IngestOptions, process: &Arc<Process>) -> anyhow::Result<()> {
    let (tokens, tls) = (options.server.tokens()?, options.server.tls()?);
    let memory_bound = options.memory.max_memory.map(memory::bound).transpose()?;
    let listener = netqoe_server::listen(options.listen.address(), &tokens)?;
    let address = listener.local_addr().context("can't tell the port that is listened on")?;
    let threads = request_threads()?;
    let hangups = {
        let _inside = threads.enter();
        hangups().context("can't listen for SIGHUP")?
    };
    let metrics = process_metrics::metrics();
    let tracing = options.tracing.start("netqoe-ingest", &metrics)?;
    let log = options.nats.open(tracing.tracer())?;
    let request_memory = options.server.memory();
    let config = IngestConfig {
        memory_bound: memory_bound.clone(),
        shares_limits: options.shared_limits,
        tracer: tracing.tracer(),
        ..options.server.ingest(ms(options.max_future), &request_memory)
    };
    let clock = Arc::new(SystemClock::new());
    let access = OperationsAccess::at(address, SignIn::new(tokens.clone(), metrics.clone(), Arc::clone(&clock) as _));
    let reload =
        Reload::new(process, CanChange { tokens: Some((tokens.clone(), address)), tls: tls.clone(), targets: None });
    let ingest = Ingest::new(Arc::new(log.clone()), metrics.clone(), tokens.clone(), config, clock);
    let shared = Shared::of(&ingest, &tokens, &log);
    let checks = [Some(log_check(&log)), shared.as_ref().map(Shared::check), memory_bound.as_ref().map(memory::check)];
    let app = netqoe_server::assemble([ingest.router()], metrics, checks.into_iter().flatten().collect(), access);
    threads.block_on(async {
        let stop = shutdown::on_signals().context("can't listen for signals")?;
        if let Some(Shared { limits, exchange: Exchange { tell, heard } }) = shared {
            tokio::spawn(limits.run(tell, heard));
        }
        if let Some(bound) = memory_bound {
            tokio::spawn(bound.follow(resident_memory_bytes, stop.clone()));
        }
        tracing::info!("listening on {}", listening_on(tls.as_ref(), address));
        systemd::ready();
        // It computes nothing: it lives for as long as its threads come to what waits for them.
        let _watched = systemd::watch(&Handle::current(), || None);
        let _following = tls.clone().map(|tls| tokio::spawn(tls.follow(stop.clone())));
        let limits = options.server.limits(&request_memory);
        tokio::spawn(Arc::clone(&reload).on_signal(hangups, stop.clone()));
        let admin = Admin { levels: process.levels.clone(), feeds: None, reload };
        tokio::select! {
            served = netqoe_server::serve_over(tls.as_ref(), listener, app, &limits, stop.clone()) => served.context("can't go on serving"),
            served = admin.serve(&options.admin, stop.clone()) => served,
        }
    })?;
    log.close();
    tracing::info!("drained");
    Ok(())
}

fn log_check(log: &JetStreamLog) -> ComponentCheck {
    let checked = log.clone();
    ComponentCheck { component: "log", needed_for_ready: true, check: Box::new(move || checked.healthy()) }
}

/// Limits that other instances hold, too, where that was asked for.
struct Shared {
    limits: SharedLimits,
    exchange: Exchange,
}

impl Shared {
    fn of(ingest: &Ingest, tokens: &Tokens, log: &JetStreamLog) -> Option<Self> {
        let instance = Uuid::now_v7().simple().to_string();
        let limits = ingest.shared_limits(instance.clone(), tokens)?;
        Some(Self { limits, exchange: log.exchange(instance) })
    }

    /// Clients are served without it.
    fn check(&self) -> ComponentCheck {
        let silence = self.limits.silence();
        ComponentCheck { component: "limits", needed_for_ready: false, check: Box::new(move || silence.check()) }
    }
}
