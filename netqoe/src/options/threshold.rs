//! How long a phase of a measurement may take: `ttfb=500ms`.

use std::str::FromStr;
use std::time::Duration;

use netqoe_probe::Measurement;

/// The phases that may have a limit.
const PHASES: [&str; 6] = ["dns", "tcp", "tls", "ttfb", "body", "total"];

/// A limit of one phase.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Threshold {
    pub(crate) phase: &'static str,
    pub(crate) limit: Duration,
}

impl Threshold {
    /// How long the phase took, if longer than the limit.
    pub(crate) fn exceeded_by(&self, measurement: &Measurement) -> Option<Duration> {
        let phases = &measurement.phases;
        let took = match self.phase {
            "dns" => phases.dns?.duration(),
            "tcp" => phases.tcp?.duration(),
            "tls" => phases.tls?.duration(),
            "ttfb" => phases.ttfb?.duration(),
            "body" => phases.body?.duration(),
            _ => measurement.total,
        };
        (took > self.limit).then_some(took)
    }
}

impl FromStr for Threshold {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (phase, limit) = text.split_once('=').ok_or("must read like ttfb=500ms")?;
        let phase = PHASES.into_iter().find(|name| *name == phase);
        let phase = phase.ok_or_else(|| format!("the phase is one of {}", PHASES.join(", ")))?;
        let limit = humantime::parse_duration(limit).map_err(|error| error.to_string())?;
        Ok(Self { phase, limit })
    }
}
