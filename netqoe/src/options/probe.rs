//! What is measured from here, as options. The defaults are those of the tuning guide.

use std::num::NonZeroUsize;
use std::ops::RangeInclusive;
use std::time::Duration;

use clap::Args;
use netqoe_probe::{HostNameError, Plan, Settings, Target};

use super::positive;

/// More often, a target would be loaded rather than measured; more seldom, its windows would have no neighbours.
const INTERVAL: RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_hours(24);
/// In less time no connection comes about.
const TIMEOUT: RangeInclusive<Duration> = Duration::from_millis(1)..=Duration::from_hours(1);

#[derive(Args, Debug)]
#[command(next_help_heading = "Probe")]
pub(crate) struct ProbeOptions {
    /// Measures this http or https URL from here; may be given several times
    #[arg(long, env = "NETQOE_TARGET", value_name = "URL", value_delimiter = ',')]
    target: Vec<Target>,

    /// Time between two measurements of a target
    #[arg(long, env = "NETQOE_INTERVAL", default_value = "30s", value_parser = |text: &str| within(text, &INTERVAL))]
    interval: Duration,

    /// Longest time that one measurement may take
    #[arg(long, env = "NETQOE_TIMEOUT", default_value = "30s", value_parser = |text: &str| within(text, &TIMEOUT))]
    timeout: Duration,

    /// Measurements at the same time
    #[arg(long, env = "NETQOE_CONCURRENCY", default_value = "5", value_parser = positive::<NonZeroUsize>)]
    concurrency: NonZeroUsize,
}

impl ProbeOptions {
    /// What the probe does, under this machine's name; none where there is nothing to measure.
    pub(crate) fn plan(&self) -> Result<Option<Plan>, HostNameError> {
        if self.target.is_empty() {
            return Ok(None);
        }
        Ok(Some(Plan {
            interval: self.interval,
            concurrency: self.concurrency.get(),
            settings: Settings { timeout: self.timeout, ..Settings::default() },
            ..Plan::new(self.target.clone(), netqoe_probe::host_name()?)
        }))
    }
}

fn within(text: &str, range: &RangeInclusive<Duration>) -> Result<Duration, String> {
    let duration = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    let (shortest, longest) = (humantime::format_duration(*range.start()), humantime::format_duration(*range.end()));
    if range.contains(&duration) { Ok(duration) } else { Err(format!("must be from {shortest} to {longest}")) }
}
