//! Starting spans, and what is known of one.

use std::fmt;
use std::str::FromStr;
use std::time::SystemTime;

use netqoe_model::TraceContext;
use opentelemetry::trace::{
    Link, Span as _, SpanBuilder, SpanContext, SpanId, SpanKind, Status, TraceContextExt, TraceFlags, TraceId,
    TraceState, Tracer as _,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::{SdkTracer, Span as SdkSpan};

use crate::{Contexts, SpanCounts};

/// What a span's attribute of links that are left off is called.
const LINKS_LEFT_OFF: &str = "netqoe.links_left_off";

/// The part of traces that is recorded where nobody has decided before, from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SampleRatio(f64);

impl SampleRatio {
    /// No trace begins here.
    pub const NONE: Self = Self(0.0);

    /// As a number.
    pub fn get(self) -> f64 {
        self.0
    }
}

impl FromStr for SampleRatio {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let ratio = text.parse().ok().filter(|ratio| (0.0..=1.0).contains(ratio));
        ratio.map(Self).ok_or("give a number from 0 to 1, such as 0.01 for one trace of a hundred")
    }
}

/// What others do with the work that a span is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// They are asked for it: a request that is sent.
    Client,
    /// They have asked for it: a request that is answered.
    Server,
    /// They will read what is written.
    Producer,
    /// They have written what is read.
    Consumer,
    /// Nothing.
    Internal,
}

/// Starts spans, or, if it is off, ones that are nothing. Clones are the same.
#[derive(Clone, Default)]
pub struct Tracer(Option<(SdkTracer, SpanCounts)>);

impl Tracer {
    /// One whose spans are nothing.
    pub const OFF: Self = Self(None);

    pub(crate) fn new(tracer: SdkTracer, counts: SpanCounts) -> Self {
        Self(Some((tracer, counts)))
    }

    /// What became of its spans; none where it is off.
    pub fn counts(&self) -> Option<&SpanCounts> {
        self.0.as_ref().map(|(_, counts)| counts)
    }

    /// Whether spans are recorded at all.
    pub fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// The present, if spans are recorded: the start of a span that may come to be.
    pub fn now(&self) -> Option<SystemTime> {
        self.0.as_ref().map(|_| SystemTime::now())
    }

    /// A span of the trace that `parent` names, if that is recorded. Without a parent it begins a trace, and the ratio
    /// decides.
    pub fn start(&self, name: &'static str, kind: Kind, parent: Option<TraceContext>) -> Span {
        let Some((tracer, _)) = &self.0 else { return Span(None) };
        let parent =
            parent.map_or_else(Context::new, |parent| Context::new().with_remote_span_context(span_context(parent)));
        Span(Some(Box::new(tracer.build_with_context(builder(name, kind), &parent))))
    }

    /// A span of a batch that stems from these, which began at `started` or begins now. If none of them is recorded, neither
    /// is the span: a batch never begins a trace.
    pub fn follow(
        &self,
        name: &'static str,
        kind: Kind,
        contexts: &Contexts,
        started: impl Into<Option<SystemTime>>,
    ) -> Span {
        let (Some((tracer, _)), Some(parent)) = (&self.0, contexts.parent()) else { return Span(None) };
        let links = contexts.links().iter().map(|link| Link::with_context(span_context(*link))).collect();
        let builder = builder(name, kind).with_links(links);
        let builder = match started.into() {
            Some(started) => builder.with_start_time(started),
            None => builder,
        };
        let parent = Context::new().with_remote_span_context(span_context(parent));
        let mut span = Span(Some(Box::new(tracer.build_with_context(builder, &parent))));
        if contexts.left_off() > 0 {
            span.set_count(LINKS_LEFT_OFF, contexts.left_off());
        }
        span
    }
}

impl fmt::Debug for Tracer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_on() { "Tracer(on)" } else { "Tracer(off)" })
    }
}

fn builder(name: &'static str, kind: Kind) -> SpanBuilder {
    SpanBuilder::from_name(name).with_kind(match kind {
        Kind::Client => SpanKind::Client,
        Kind::Server => SpanKind::Server,
        Kind::Producer => SpanKind::Producer,
        Kind::Consumer => SpanKind::Consumer,
        Kind::Internal => SpanKind::Internal,
    })
}

fn span_context(context: TraceContext) -> SpanContext {
    let flags = TraceFlags::default().with_sampled(context.sampled);
    let (trace_id, span_id) = (TraceId::from_bytes(context.trace_id), SpanId::from_bytes(context.span_id));
    SpanContext::new(trace_id, span_id, flags, true, TraceState::NONE)
}

/// Work that is under way. It ends when this is dropped.
#[derive(Debug, Default)]
pub struct Span(Option<Box<SdkSpan>>);

impl Span {
    /// What is handed on with the work, so that others' decisions follow this one. None where the tracer is off.
    pub fn context(&self) -> Option<TraceContext> {
        let context = self.0.as_ref()?.span_context();
        context.is_valid().then(|| TraceContext {
            trace_id: context.trace_id().to_bytes(),
            span_id: context.span_id().to_bytes(),
            sampled: context.is_sampled(),
        })
    }

    /// The same, if the trace is recorded.
    pub fn sampled(&self) -> Option<TraceContext> {
        self.context().filter(|context| context.sampled)
    }

    /// Says how many.
    pub fn set_count(&mut self, name: &'static str, count: u64) {
        if let Some(span) = self.recorded() {
            span.set_attribute(KeyValue::new(name, i64::try_from(count).unwrap_or(i64::MAX)));
        }
    }

    /// Says which. Nothing that a client has written, and no secret.
    pub fn set_text(&mut self, name: &'static str, text: &'static str) {
        if let Some(span) = self.recorded() {
            span.set_attribute(KeyValue::new(name, text));
        }
    }

    /// The work has failed; `why` is known when the program is written.
    pub fn fail(&mut self, why: &'static str) {
        if let Some(span) = self.recorded() {
            span.set_status(Status::error(why));
        }
    }

    fn recorded(&mut self) -> Option<&mut SdkSpan> {
        self.0.as_deref_mut().filter(|span| span.is_recording())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_is_from_0_to_1() {
        for (text, ratio) in [("0", Some(0.0)), ("0.25", Some(0.25)), ("1", Some(1.0))] {
            assert_eq!(text.parse::<SampleRatio>().ok().map(SampleRatio::get), ratio, "{text}");
        }
        for text in ["", "-0.1", "1.01", "NaN", "inf", "1%"] {
            assert!(text.parse::<SampleRatio>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_tracer_that_is_off_hands_nothing_on() {
        let parent = Some(TraceContext { trace_id: [1; 16], span_id: [1; 8], sampled: true });
        assert_eq!(Tracer::OFF.start("report", Kind::Client, parent).context(), None);
        assert_eq!(Tracer::OFF.follow("read", Kind::Consumer, &parent.into_iter().collect(), None).context(), None);
        assert_eq!(Tracer::OFF.now(), None);
    }
}
