//! Spans: what a batch went through and how long that took, for a collector of OpenTelemetry.
//!
//! A [`Tracer`] starts spans, `export` delivers them. A tracer that is off allocates nothing and asks no clock. Spans are of
//! batches (a report, a request, a message, a commit), never of events.
//!
//! This crate must not know what the spans are about: which there are is decided where the work is done.
//!
//! Decision: D-095.

mod contexts;
mod export;
mod tracer;

pub use contexts::{Contexts, MAX_LINKS};
pub use export::{Collector, Headers, InvalidCollector, SpanCounts, StartError, Tracing};
pub use tracer::{Kind, SampleRatio, Span, Tracer};
