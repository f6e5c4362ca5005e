//! `netqoe probe`: the measuring agent.

mod destination;
mod exporter;
mod once;

use std::sync::Arc;

use anyhow::Context;
use netqoe_model::EventTime;
use netqoe_model::metrics::Metrics;
use netqoe_probe::{Plan, PlannedTarget};
use netqoe_trace::{Tracer, Tracing};
use rand::SeedableRng;
use rand::rngs::StdRng;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::watch;

use super::targets::TargetSource;
use destination::Destination;
pub(crate) use once::{Above, Failed};

use super::reload::{CanChange, Reload, hangups};
use crate::clock::now_ms;
use crate::exit::WrongUsage;
use crate::options::ProbeCommandOptions;
use crate::process::Process;
use crate::{shutdown, systemd};

pub(crate) fn run(options: &ProbeCommandOptions, process: &Arc<Process>) -> anyhow::Result<()> {
    let (list, given) = watch::channel(options.given()?);
    let source = TargetSource::new(given, &options.probe);
    if source.is_empty() && (options.once || options.metrics_listen.is_none()) {
        return Err(WrongUsage(
            "there is nothing to measure: give --target, --targets-file or --metrics-listen".to_owned(),
        )
        .into());
    }
    if !options.once && !options.fail_above.is_empty() {
        return Err(WrongUsage("--fail-above is for --once".to_owned()).into());
    }
    let runtime = one_thread()?;
    // Dropped last: what the probe does at its end has spans, too.
    let tracing =
        if options.once { Tracing::default() } else { options.tracing.start("netqoe-probe", &Metrics::new())? };
    let done = if options.once {
        runtime.block_on(once::run(&source.read()?, options))
    } else {
        runtime.block_on(measure(options, source, list, process, tracing.tracer()))
    };
    // The system's own lookups can't be given up, and may take half a minute.
    runtime.shutdown_background();
    done
}

/// A probe waits far more than it computes, and on one thread no phase waits for another thread to wake up.
fn one_thread() -> anyhow::Result<Runtime> {
    Builder::new_current_thread().enable_all().build().context("can't start the probe's thread")
}

async fn measure(
    options: &ProbeCommandOptions,
    source: TargetSource,
    given: watch::Sender<Vec<PlannedTarget>>,
    process: &Arc<Process>,
    tracer: Tracer,
) -> anyhow::Result<()> {
    let stop = shutdown::on_signals().context("can't listen for signals")?;
    let hangups = hangups().context("can't listen for SIGHUP")?;
    let reload = Reload::new(process, CanChange { targets: Some(given), ..CanChange::default() });
    tokio::spawn(reload.on_signal(hangups, stop.clone()));
    let (list, targets) = watch::channel(source.read()?);
    let plan = Plan { targets, ..options.probe.plan()? };
    // Before anybody is answered: a probe that can't report must not seem to work.
    let destination = Destination::open(&options.report, &plan.client_id, tracer)?;
    let listen = |address| exporter::start(address, &plan, destination.watch(), stop.clone());
    let exporter = options.metrics_listen.map(|metrics| listen(metrics.0)).transpose()?;
    let following = tokio::spawn(source.follow(list, stop.clone()));
    let mut rng = StdRng::from_rng(&mut rand::rng());
    let now = || EventTime::from_ms(now_ms());
    let reporter = destination.reporter(&stop);
    systemd::ready();
    // All measurements are made on the one thread that comes to this.
    let _watched = systemd::watch(&Handle::current(), || None);
    let counts = netqoe_probe::run_probe(plan, reporter, now, &mut rng, stop).await?;
    let finished = destination.finish().await;
    following.await.context("following the lists of targets has failed")??;
    if let Some(exporter) = exporter {
        exporter.await.context("serving metrics has failed")??;
    }
    tracing::info!(reported = counts.reported, refused = counts.refused, skipped = counts.skipped, "ended");
    Ok(finished?)
}
