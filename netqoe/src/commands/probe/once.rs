//! `netqoe probe --once`: a measurement of each target, or several, shown.

use std::io::IsTerminal;
use std::time::Duration;

use anyhow::Context;
use netqoe_model::EventTime;
use netqoe_probe::{Measurement, Plan, PlannedTarget, Settings, Stamp, measure, waterfall};
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use crate::clock::now_ms;
use crate::options::{Output, ProbeCommandOptions};
use crate::{output, shutdown};

/// From one measurement of all targets to the next, as `ping` does.
const EVERY: Duration = Duration::from_secs(1);
/// The label that heads what is shown.
const NAME: &str = "name";

/// A phase took longer than `--fail-above` allows.
#[derive(Debug, thiserror::Error)]
#[error("{target}: {phase} took {took_ms:.2} ms, which is above {limit_ms:.2} ms")]
pub(crate) struct Above {
    target: String,
    phase: &'static str,
    took_ms: f64,
    limit_ms: f64,
}

/// A target has failed.
#[derive(Debug, thiserror::Error)]
#[error("{target}: {failure}")]
pub(crate) struct Failed {
    target: String,
    failure: String,
    /// Whether standard output says so already, in words for people.
    pub(crate) is_shown: bool,
}

/// An error where a target has failed at any time, and else where one was too slow.
pub(super) async fn run(targets: &[PlannedTarget], options: &ProbeCommandOptions) -> anyhow::Result<()> {
    let plan = options.probe.plan()?;
    let targets: Vec<_> = targets.iter().map(|planned| (planned, planned.own.over(&plan.settings))).collect();
    let rounds = if options.watch { u64::MAX } else { options.count.map_or(1, Into::into) };
    let mut found = Found::default();
    if rounds == 1 {
        found.measure_all(&targets, &plan, options).await?;
        return found.into_result();
    }
    let stop = shutdown::on_signals().context("can't listen for signals")?;
    let mut turns = interval_at(Instant::now(), EVERY);
    turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
    for _ in 0..rounds {
        let round = async {
            turns.tick().await;
            found.measure_all(&targets, &plan, options).await
        };
        match stop.run_until_cancelled(round).await {
            Some(measured) => measured?,
            None => break,
        }
    }
    found.into_result()
}

/// The first of each kind.
#[derive(Default)]
struct Found {
    failed: Option<Failed>,
    above: Option<Above>,
}

impl Found {
    async fn measure_all(
        &mut self,
        targets: &[(&PlannedTarget, Settings)],
        plan: &Plan,
        options: &ProbeCommandOptions,
    ) -> anyhow::Result<()> {
        for (planned, settings) in targets {
            let ts = EventTime::from_ms(now_ms());
            let measurement = measure(&planned.target, settings).await;
            output::own_line(show(&measurement, planned, plan, ts, options.output))?;
            self.take(&measurement, options);
        }
        Ok(())
    }

    fn take(&mut self, measurement: &Measurement, options: &ProbeCommandOptions) {
        let target = measurement.target.to_string();
        match &measurement.failure {
            Some(failure) => {
                let is_shown = options.output == Output::Text;
                self.failed.get_or_insert_with(|| Failed { target, failure: failure.to_string(), is_shown });
            }
            None => self.above = self.above.take().or_else(|| above(measurement, options)),
        }
    }

    fn into_result(self) -> anyhow::Result<()> {
        match (self.failed, self.above) {
            (Some(failed), _) => Err(failed.into()),
            (None, Some(above)) => Err(above.into()),
            (None, None) => Ok(()),
        }
    }
}

fn show(measurement: &Measurement, planned: &PlannedTarget, plan: &Plan, ts: EventTime, output: Output) -> String {
    match output {
        Output::Json => measurement.to_labelled_event(Stamp {
            event_id: &uuid::Uuid::now_v7().to_string(),
            client_id: &plan.client_id,
            ts,
            client_labels: &plan.labels,
            target_labels: &planned.labels,
        }),
        Output::Text => waterfall(measurement, planned.labels.get(NAME), ts.ms() / 1000, is_coloured()),
    }
}

/// On a terminal, unless it was asked for that nothing is (<https://no-color.org>).
fn is_coloured() -> bool {
    let is_unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    std::io::stdout().is_terminal() && !is_unwanted
}

fn above(measurement: &Measurement, options: &ProbeCommandOptions) -> Option<Above> {
    options.fail_above.iter().find_map(|threshold| {
        let took = threshold.exceeded_by(measurement)?;
        Some(Above {
            target: measurement.target.to_string(),
            phase: threshold.phase,
            took_ms: took.as_secs_f64() * 1000.0,
            limit_ms: threshold.limit.as_secs_f64() * 1000.0,
        })
    })
}
