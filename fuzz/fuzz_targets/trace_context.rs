//! The header `traceparent` of requests and messages.

#![no_main]

use libfuzzer_sys::fuzz_target;
use netqoe_model::TraceContext;

fuzz_target!(|text: &str| {
    if let Ok(context) = text.parse::<TraceContext>() {
        assert!(context.trace_id != [0; 16] && context.span_id != [0; 8], "it names a span");
        assert_eq!(context.to_string().parse(), Ok(context));
    }
});
