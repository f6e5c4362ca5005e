//! Where a span goes when it ends. Nobody waits for anything here.

use std::fmt;
use std::time::Duration;

use crossbeam_channel::Sender;
use opentelemetry::Context;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{Span, SpanData, SpanProcessor};

use super::SpanCounts;

/// The near end of the queue.
pub(super) struct Queue {
    waiting: Sender<SpanData>,
    counts: SpanCounts,
}

impl Queue {
    pub(super) fn new(waiting: Sender<SpanData>, counts: SpanCounts) -> Self {
        Self { waiting, counts }
    }
}

impl SpanProcessor for Queue {
    fn on_start(&self, _: &mut Span, _: &Context) {}

    fn on_end(&self, span: SpanData) {
        // The other end is gone only where the process is ending.
        if self.waiting.try_send(span).is_err() {
            self.counts.had_no_room();
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }
}

impl fmt::Debug for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Queue")
    }
}
