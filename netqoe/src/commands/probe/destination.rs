//! Where events go: to an endpoint by way of a spool, or to standard output.

use std::io::{self, Write};

use netqoe_model::EventTime;
use netqoe_probe::{ReportWatch, Reporter, Reporting, SpoolError, ToSpool};
use rand::SeedableRng;
use rand::rngs::StdRng;

use crate::clock::now_ms;
use crate::options::ReportOptions;

pub(super) enum Destination {
    Endpoint(Reporting),
    StandardOutput,
}

pub(super) enum ToDestination {
    Spool(ToSpool),
    StandardOutput,
}

#[derive(Debug, thiserror::Error)]
pub(super) enum NotReported {
    #[error(transparent)]
    Spool(#[from] SpoolError),
    #[error("standard output takes nothing: {0}")]
    StandardOutput(#[from] io::Error),
}

impl Destination {
    /// From now on, what an earlier run has left is sent.
    pub(super) fn open(options: &ReportOptions, client_id: &str) -> anyhow::Result<Self> {
        let Some(settings) = options.settings(client_id)? else { return Ok(Self::StandardOutput) };
        let rng = StdRng::from_rng(&mut rand::rng());
        Ok(Self::Endpoint(Reporting::start(settings, || EventTime::from_ms(now_ms()), rng)?))
    }

    pub(super) fn reporter(&self) -> ToDestination {
        match self {
            Self::Endpoint(reporting) => ToDestination::Spool(reporting.reporter()),
            Self::StandardOutput => ToDestination::StandardOutput,
        }
    }

    /// What waits on the way to the endpoint, for others to look at.
    pub(super) fn watch(&self) -> Option<ReportWatch> {
        match self {
            Self::Endpoint(reporting) => Some(reporting.watch()),
            Self::StandardOutput => None,
        }
    }

    /// Sends what can still be sent.
    pub(super) async fn finish(self) {
        if let Self::Endpoint(reporting) = self {
            let counts = reporting.finish().await;
            tracing::info!(
                sent = counts.sent,
                set_aside = counts.set_aside,
                dropped = counts.dropped(),
                "reporting has ended; what waits in the spool is sent after the next start"
            );
        }
    }
}

impl Reporter for ToDestination {
    type Error = NotReported;

    async fn report(&self, event_json: String) -> Result<(), NotReported> {
        match self {
            Self::Spool(spool) => Ok(spool.report(event_json).await?),
            Self::StandardOutput => {
                let mut output = io::stdout().lock();
                writeln!(output, "{event_json}")?;
                Ok(output.flush()?)
            }
        }
    }
}
