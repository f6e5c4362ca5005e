//! Which spans are recorded.

use netqoe_model::TraceContext;
use netqoe_model::metrics::Metrics;
use netqoe_trace::{Contexts, Kind, MAX_LINKS, SpanCounts, Tracer, Tracing};

use crate::collector::{Collector, Delivered, Manner};

/// What a collector has got after this was done with a tracer of this ratio.
fn spans_of(ratio: &str, act: impl FnOnce(&Tracer)) -> Vec<Delivered> {
    let (collector, metrics) = (Collector::start(Manner::Takes), Metrics::new());
    let to = collector.url().parse().unwrap();
    let tracing = Tracing::start("tested", to, ratio.parse().unwrap(), SpanCounts::of(&metrics)).unwrap();
    act(&tracing.tracer());
    drop(tracing);
    let spans = collector.spans();
    assert_eq!(metrics.trace_spans_exported.get(), spans.len() as u64);
    spans
}

fn context(number: u8, sampled: bool) -> TraceContext {
    TraceContext { trace_id: [number; 16], span_id: [number; 8], sampled }
}

#[test]
fn the_ratio_decides_where_nobody_has() {
    let roots = |tracer: &Tracer| (0..400).for_each(|_| drop(tracer.start("report", Kind::Client, None)));
    assert_eq!(spans_of("0", roots).len(), 0);
    assert_eq!(spans_of("1", roots).len(), 400);
    let quarter = spans_of("0.25", roots).len();
    // Eight standard deviations to either side.
    assert!((30..170).contains(&quarter), "{quarter}");
}

#[test]
fn what_others_have_decided_holds() {
    let both = |tracer: &Tracer| {
        for sampled in [true, false] {
            let span = tracer.start("request", Kind::Server, Some(context(7, sampled)));
            let own = span.context().unwrap();
            assert_eq!((own.trace_id, own.sampled), ([7; 16], sampled));
            assert_ne!(own.span_id, [7; 8]);
            assert_eq!(span.sampled().is_some(), sampled);
        }
    };
    for ratio in ["0", "1"] {
        let spans = spans_of(ratio, both);
        let [Delivered { service, span }] = &spans[..] else { panic!("{spans:?}") };
        assert_eq!((service.as_str(), span.name.as_str()), ("tested", "request"));
        assert_eq!((&span.trace_id[..], &span.parent_span_id[..]), (&[7; 16][..], &[7; 8][..]));
    }
}

#[test]
fn what_is_not_recorded_tells_others_so() {
    let none = |tracer: &Tracer| {
        let own = tracer.start("report", Kind::Client, None).context().unwrap();
        assert!(own.to_string().ends_with("-00") && own.trace_id != [0; 16]);
    };
    assert_eq!(spans_of("0", none).len(), 0);
}

#[test]
fn a_batch_follows_the_first_and_links_to_some_of_the_others() {
    let spans = spans_of("1", |tracer| {
        let contexts: Contexts = (1..=40).map(|number| context(number, true)).collect();
        let mut span = tracer.follow("read", Kind::Consumer, &contexts, None);
        span.set_count("netqoe.records", 40);
        drop(span);
        drop(tracer.follow("read", Kind::Consumer, &Contexts::default(), None));
    });
    let [read] = &spans[..] else { panic!("a batch never begins a trace: {spans:?}") };
    assert_eq!((&read.span.trace_id[..], &read.span.parent_span_id[..]), (&[1; 16][..], &[1; 8][..]));
    let links: Vec<_> = read.span.links.iter().map(|link| (link.trace_id[0], link.span_id[0])).collect();
    assert_eq!(links, (2..).take(MAX_LINKS).map(|number| (number, number)).collect::<Vec<_>>());
    let said = [("netqoe.links_left_off", "7"), ("netqoe.records", "40")];
    assert_eq!(read.attributes(), said.map(|(name, value)| (name.to_owned(), value.to_owned())).into());
}
