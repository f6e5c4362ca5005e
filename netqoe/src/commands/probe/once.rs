//! `netqoe probe --once`: one measurement of each target, shown.

use std::io::IsTerminal;

use anyhow::bail;
use netqoe_model::EventTime;
use netqoe_probe::{Measurement, Target, measure, waterfall};

use crate::clock::now_ms;
use crate::options::{Output, ProbeCommandOptions};
use crate::output;

/// A phase took longer than `--fail-above` allows.
#[derive(Debug, thiserror::Error)]
#[error("{target}: {phase} took {took_ms:.2} ms, which is above {limit_ms:.2} ms")]
pub(crate) struct Above {
    target: String,
    phase: &'static str,
    took_ms: f64,
    limit_ms: f64,
}

/// An error where a target has failed, and else where one was too slow.
pub(super) async fn run(targets: &[Target], options: &ProbeCommandOptions) -> anyhow::Result<()> {
    let plan = options.probe.plan()?;
    let mut measurements = Vec::new();
    for target in targets {
        let ts = EventTime::from_ms(now_ms());
        let measurement = measure(target, &plan.settings).await;
        output::own_line(show(&measurement, &plan.client_id, ts, options.output))?;
        measurements.push(measurement);
    }
    for measurement in &measurements {
        if let Some(failure) = &measurement.failure {
            bail!("{}: {failure}", measurement.target);
        }
    }
    match measurements.iter().find_map(|measurement| above(measurement, options)) {
        Some(above) => Err(above.into()),
        None => Ok(()),
    }
}

fn show(measurement: &Measurement, client_id: &str, ts: EventTime, output: Output) -> String {
    match output {
        Output::Json => measurement.to_event(&uuid::Uuid::now_v7().to_string(), client_id, ts),
        Output::Text => {
            let is_coloured = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
            waterfall(measurement, ts.ms() / 1000, is_coloured)
        }
    }
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
