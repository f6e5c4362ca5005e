//! What a message of the stream looks like, when it is published and when it is read.

use async_nats::HeaderMap;
use bytes::Bytes;
use netqoe_model::TraceContext;

use crate::record::put_on_one_line;

/// Says what a message holds: [`NDJSON`], or without it one event.
const CONTENT_TYPE: &str = "Content-Type";
/// Any number of events, one a line.
const NDJSON: &str = "application/x-ndjson";
/// Marks a message without events, which only moves its partition's log time.
const TICK: &str = "Netqoe-Tick";
/// By this id the server knows a message again that is published twice.
pub(super) const MESSAGE_ID: &str = "Nats-Msg-Id";
/// What headers of ours take on the wire at most: the first line, three headers, of which one holds a UUID and a number, and one
/// a span.
pub(super) const HEADER_ROOM_BYTES: usize = 256;

/// The headers of a message with these lines, or of a tick where there are none; with the span that publishes it, if its trace
/// is recorded.
pub(super) fn headers(id: &str, lines: &[u8], span: Option<TraceContext>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(MESSAGE_ID, id);
    if lines.is_empty() {
        headers.insert(TICK, "1");
    } else {
        headers.insert(CONTENT_TYPE, NDJSON);
    }
    if let Some(span) = span {
        headers.insert(TraceContext::HEADER, span.to_string());
    }
    headers
}

/// The span that published a message, if it says so once and its trace is recorded. Others may have written the header.
pub(super) fn span(headers: Option<&HeaderMap>) -> Option<TraceContext> {
    let mut spans = headers?.get_all(TraceContext::HEADER);
    let (span, None) = (spans.next()?, spans.next()) else { return None };
    span.as_str().parse().ok().filter(|context: &TraceContext| context.sampled)
}

/// The events of a message, one a line. If nothing says that it holds lines, it holds one event, however that is
/// formatted: line ends within JSON stand between tokens and become spaces.
pub(super) fn lines(headers: Option<&HeaderMap>, payload: &Bytes) -> Vec<u8> {
    let mut lines = payload.to_vec();
    if !is_ndjson(headers) {
        put_on_one_line(&mut lines);
    }
    lines
}

/// Whether a message holds lines, and not one event.
pub(super) fn is_ndjson(headers: Option<&HeaderMap>) -> bool {
    let content_type = headers.and_then(|headers| headers.get(CONTENT_TYPE));
    let media_type = content_type.and_then(|value| value.as_str().split(';').next());
    media_type.is_some_and(|media_type| media_type.trim().eq_ignore_ascii_case(NDJSON))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_event_may_be_formatted() {
        let payload = Bytes::from_static(b"{\r\n \"a\": 1\n}\n");
        assert_eq!(lines(None, &payload), b"{   \"a\": 1 } ");
        assert_eq!(lines(Some(&HeaderMap::new()), &payload), b"{   \"a\": 1 } ");
        assert_eq!(lines(Some(&headers("id", &payload, None)), &payload), payload);
    }

    #[test]
    fn a_media_type_may_have_parameters() {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, "Application/X-NDJSON; charset=utf-8");
        assert!(is_ndjson(Some(&headers)));
        headers.insert(CONTENT_TYPE, "application/json");
        assert!(!is_ndjson(Some(&headers)));
    }

    #[test]
    fn a_message_names_one_span_whose_trace_is_recorded() {
        const SPAN: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let found = |values: &[&str]| {
            let mut headers = HeaderMap::new();
            values.iter().for_each(|value| headers.append(TraceContext::HEADER, *value));
            span(Some(&headers)).map(|span| span.to_string())
        };
        assert_eq!(found(&[SPAN]).as_deref(), Some(SPAN));
        for values in [&[][..], &["nonsense"], &[&SPAN.replace("-01", "-00")], &[SPAN, SPAN]] {
            assert_eq!(found(values), None, "{values:?}");
        }
        assert_eq!(span(None), None);
        assert_eq!(span(Some(&headers("id", b"{}", SPAN.parse().ok()))), SPAN.parse().ok());
    }

    #[test]
    fn headers_fit_into_their_room() {
        let id = format!("{}-{}", uuid::Uuid::max(), u64::MAX);
        let span = TraceContext { trace_id: [255; 16], span_id: [255; 8], sampled: true };
        for lines in [&b""[..], b"{}\n"] {
            let headers = headers(&id, lines, Some(span));
            let bytes: usize = headers
                .iter()
                .flat_map(|(name, values)| values.iter().map(move |value| (name, value)))
                .map(|(name, value)| name.to_string().len() + value.as_str().len() + ": \r\n".len())
                .sum();
            assert!(bytes + "NATS/1.0\r\n\r\n".len() <= HEADER_ROOM_BYTES);
        }
    }
}
