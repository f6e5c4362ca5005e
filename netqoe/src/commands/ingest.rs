//! `netqoe ingest`: the HTTP API in front of a log in JetStream.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context;
use netqoe_ingest::Ingest;
use netqoe_server::{ComponentCheck, OperationsAccess, SignIn, SystemClock};

use super::admin::Admin;
use super::process_metrics;
use super::runtime::request_threads;
use crate::logging::LogLevels;
use crate::options::IngestOptions;
use crate::options::ms;
use crate::shutdown;

pub(crate) fn run(options: &IngestOptions, levels: &LogLevels) -> anyhow::Result<()> {
    let tokens = options.server.tokens()?;
    let listener = netqoe_server::listen(SocketAddr::new(options.listen, options.port), &tokens)?;
    let address = listener.local_addr().context("can't tell the port that is listened on")?;
    let log = options.nats.open()?;
    let metrics = process_metrics::metrics();
    let memory = options.server.memory();
    let config = options.server.ingest(ms(options.max_future), &memory);
    let clock = Arc::new(SystemClock::new());
    let access = OperationsAccess::at(address, SignIn::new(tokens.clone(), metrics.clone(), Arc::clone(&clock) as _));
    let ingest = Ingest::new(Arc::new(log.clone()), metrics.clone(), tokens, config, clock);
    let checked = log.clone();
    let check = ComponentCheck { component: "log", needed_for_ready: true, check: Box::new(move || checked.healthy()) };
    let app = netqoe_server::assemble([ingest.router()], metrics, vec![check], access);
    request_threads()?.block_on(async {
        let stop = shutdown::on_signals().context("can't listen for signals")?;
        tracing::info!("listening on http://{address}");
        let (limits, admin) = (options.server.limits(&memory), Admin { levels: levels.clone(), feeds: None });
        tokio::select! {
            served = netqoe_server::serve(listener, app, &limits, stop.clone()) => served.context("can't go on serving"),
            served = admin.serve(&options.admin, stop.clone()) => served,
        }
    })?;
    log.close();
    tracing::info!("drained");
    Ok(())
}
