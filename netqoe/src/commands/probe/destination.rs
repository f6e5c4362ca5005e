//! Where events go: to an endpoint by way of a spool, or to standard output.

use std::sync::{Arc, Mutex, PoisonError};

use netqoe_model::EventTime;
use netqoe_probe::{ReportWatch, Reporter, Reporting, SpoolError, ToSpool};
use netqoe_trace::Tracer;
use rand::SeedableRng;
use rand::rngs::StdRng;
use tokio_util::sync::CancellationToken;

use crate::clock::now_ms;
use crate::options::ReportOptions;
use crate::output::{self, OutputError};

pub(super) enum Destination {
    Endpoint(Reporting),
    /// What standard output did not take, if so.
    StandardOutput(Arc<Mutex<Option<OutputError>>>),
}

pub(super) enum ToDestination {
    Spool(ToSpool),
    /// What ends the probe where it takes nothing, and why that was.
    StandardOutput {
        stop: CancellationToken,
        failed: Arc<Mutex<Option<OutputError>>>,
    },
}

#[derive(Debug, thiserror::Error)]
pub(super) enum NotReported {
    #[error(transparent)]
    Spool(#[from] SpoolError),
    #[error("{0}")]
    StandardOutput(String),
}

impl Destination {
    /// From now on, what an earlier run has left is sent.
    pub(super) fn open(options: &ReportOptions, client_id: &str, tracer: Tracer) -> anyhow::Result<Self> {
        let Some(settings) = options.settings(client_id, tracer)? else {
            return Ok(Self::StandardOutput(Arc::default()));
        };
        let rng = StdRng::from_rng(&mut rand::rng());
        Ok(Self::Endpoint(Reporting::start(settings, || EventTime::from_ms(now_ms()), rng)?))
    }

    /// Where it fails for good, that is `stop`.
    pub(super) fn reporter(&self, stop: &CancellationToken) -> ToDestination {
        match self {
            Self::Endpoint(reporting) => ToDestination::Spool(reporting.reporter()),
            Self::StandardOutput(failed) => {
                ToDestination::StandardOutput { stop: stop.clone(), failed: Arc::clone(failed) }
            }
        }
    }

    /// What waits on the way to the endpoint, for others to look at.
    pub(super) fn watch(&self) -> Option<ReportWatch> {
        match self {
            Self::Endpoint(reporting) => Some(reporting.watch()),
            Self::StandardOutput(_) => None,
        }
    }

    /// Sends what can still be sent. Fails with what has ended the probe, if it was this.
    pub(super) async fn finish(self) -> Result<(), OutputError> {
        match self {
            Self::Endpoint(reporting) => {
                let counts = reporting.finish().await;
                tracing::info!(
                    sent = counts.sent,
                    set_aside = counts.set_aside,
                    dropped = counts.dropped(),
                    "reporting has ended; what waits in the spool is sent after the next start"
                );
                Ok(())
            }
            Self::StandardOutput(failed) => {
                let failed = failed.lock().unwrap_or_else(PoisonError::into_inner).take();
                failed.map_or(Ok(()), Err)
            }
        }
    }
}

impl Reporter for ToDestination {
    type Error = NotReported;

    async fn report(&self, event_json: String) -> Result<(), NotReported> {
        match self {
            Self::Spool(spool) => Ok(spool.report(event_json).await?),
            Self::StandardOutput { stop, failed } => output::line(event_json).map_err(|error| {
                // Nobody takes what is measured: whoever supervises this process is to see that.
                stop.cancel();
                let message = error.to_string();
                failed.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
                NotReported::StandardOutput(message)
            }),
        }
    }
}
