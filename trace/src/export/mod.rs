//! Spans on their way to a collector: a bounded queue, and one thread that delivers what is in it.

mod collector;
mod counts;
mod headers;
mod queue;
mod thread;

use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};

use crate::{SampleRatio, Tracer};
pub use collector::{Collector, InvalidCollector};
pub use counts::SpanCounts;
pub use headers::Headers;
use queue::Queue;
use thread::Delivery;

/// Spans that wait, at most: some seconds of a busy server's, and about 2 MB. What does not fit is dropped and counted.
const MAX_WAITING_SPANS: usize = 2_048;

/// How long the last spans may take to be delivered at the end. The process has done all else by then.
const LAST_DELIVERY: Duration = Duration::from_secs(3);

/// Why there is no tracing.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The system gives no thread.
    #[error("can't start the thread that delivers spans: {0}")]
    Thread(#[from] std::io::Error),
    /// TLS can't be had.
    #[error(
        "the system has no trusted certificates to know the collector at {0} by; set SSL_CERT_FILE to a file of them"
    )]
    NoRoots(String),
}

/// Tracing of a process. Dropped, it delivers what waits, for three seconds at most; what ends later is lost.
#[derive(Default)]
pub struct Tracing {
    tracer: Tracer,
    /// None where tracing is off.
    _running: Option<Running>,
}

struct Running {
    provider: SdkTracerProvider,
    /// Taken and dropped to say that nothing more comes.
    closing: Option<Sender<()>>,
    /// Disconnected once the thread has ended.
    ended: Receiver<()>,
}

impl Tracing {
    /// Records spans of the service of this name, and delivers them to a collector. `ratio` of the traces that begin here is
    /// recorded; of those that others began, what they have decided to.
    ///
    /// # Errors
    /// [`StartError`].
    pub fn start(
        service: &'static str,
        collector: Collector,
        ratio: SampleRatio,
        counts: SpanCounts,
    ) -> Result<Self, StartError> {
        let resource = Resource::builder_empty()
            .with_service_name(service)
            .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
            .with_attribute(KeyValue::new("process.pid", i64::from(std::process::id())))
            .build();
        let (waiting, spans) = bounded(MAX_WAITING_SPANS);
        let (closing, closed) = bounded(0);
        let (ending, ended) = bounded(0);
        let delivery = Delivery::new(collector, &resource, counts.clone())?;
        std::thread::Builder::new().name("spans".to_owned()).spawn(move || {
            delivery.run(&spans, &closed);
            drop(ending);
        })?;
        let provider = SdkTracerProvider::builder()
            .with_sampler(Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(ratio.get()))))
            .with_max_links_per_span(crate::MAX_LINKS as u32)
            .with_resource(resource)
            .with_span_processor(Queue::new(waiting, counts.clone()))
            .build();
        Ok(Self {
            tracer: Tracer::new(provider.tracer("netqoe"), counts),
            _running: Some(Running { provider, closing: Some(closing), ended }),
        })
    }

    /// What starts spans.
    pub fn tracer(&self) -> Tracer {
        self.tracer.clone()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.closing.take();
        // Nothing is ever sent: its other end is dropped with the thread.
        if self.ended.recv_timeout(LAST_DELIVERY) == Err(RecvTimeoutError::Timeout) {
            tracing::warn!("the last spans were not delivered within {LAST_DELIVERY:?} and are lost");
        }
        // Nothing is waited for any more.
        if let Err(error) = self.provider.shutdown() {
            tracing::debug!("{error}");
        }
    }
}
