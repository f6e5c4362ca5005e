//! A dead letter as a message: the original bytes, and in headers what is known of them.

use async_nats::jetstream::message::StreamMessage;
use async_nats::{HeaderMap, HeaderValue};
use bytes::Bytes;
use netqoe_model::{DeadLetter, LogTime, Position};

use super::continuity::ms;
use super::message::MESSAGE_ID;

const REASON: &str = "Netqoe-Reason";
const ORIGIN_SUBJECT: &str = "Netqoe-Origin-Subject";
const ORIGIN_SEQUENCE: &str = "Netqoe-Origin-Sequence";
const ORIGIN_LINE: &str = "Netqoe-Origin-Line";
const LOG_TIME: &str = "Netqoe-Log-Time";
/// How long the original was, where it did not fit into a message whole.
const ORIGINAL_BYTES: &str = "Netqoe-Original-Bytes";
/// Longest reason that is kept: more than any says, and little beside the original.
const MAX_REASON_CHARS: usize = 500;
/// What the headers take on the wire at most.
const HEADER_ROOM_BYTES: usize = 4 << 10;

/// A line of the log that could not be counted, as the stream of dead letters keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredLetter {
    /// Its place in the stream of dead letters.
    pub position: Position,
    /// When it was set aside.
    pub stored: LogTime,
    /// Why it can't be counted.
    pub reason: String,
    /// The subject of the message that held it.
    pub origin_subject: String,
    /// That message's place in the log.
    pub origin: Position,
    /// Which line of that message, from 0.
    pub origin_line: u32,
    /// The partition's log time when it was read.
    pub log_time: LogTime,
    /// The line.
    pub original: Vec<u8>,
    /// Whether the line goes on in the log: it was too long to be kept whole.
    pub is_cut: bool,
}

/// The message of a letter from a log: `original` is its line as it came at this subject. The server's limit may leave
/// no room for all of it.
pub(super) fn message(
    log: &str,
    subject: &str,
    letter: &DeadLetter,
    original: &[u8],
    max_payload: usize,
) -> (HeaderMap, Bytes) {
    let DeadLetter { position, line, log_time, reason, .. } = letter;
    let mut headers = HeaderMap::new();
    // The same letter has the same id in every run.
    headers.insert(MESSAGE_ID, value(&format!("{log}-{}-{line}", position.0)));
    headers.insert(REASON, value(reason));
    headers.insert(ORIGIN_SUBJECT, value(subject));
    headers.insert(ORIGIN_SEQUENCE, value(&position.0.to_string()));
    headers.insert(ORIGIN_LINE, value(&line.to_string()));
    headers.insert(LOG_TIME, value(&log_time.ms().to_string()));
    let kept_bytes = original.len().min(max_payload.saturating_sub(HEADER_ROOM_BYTES));
    if kept_bytes < original.len() {
        headers.insert(ORIGINAL_BYTES, value(&original.len().to_string()));
    }
    (headers, Bytes::copy_from_slice(&original[..kept_bytes]))
}

/// Text as a header takes it: on one line, without what can't be seen.
fn value(text: &str) -> HeaderValue {
    let visible = |character: char| if character.is_control() { ' ' } else { character };
    let text: String = text.chars().take(MAX_REASON_CHARS).map(visible).collect();
    HeaderValue::from(text.trim())
}

/// A letter as the stream has it. What others put there has no headers: that is then unknown.
pub(super) fn stored(message: &StreamMessage) -> StoredLetter {
    let text = |name: &str| message.headers.get(name).map(|value| value.as_str().to_owned());
    let number = |name: &str| text(name).and_then(|text| text.parse::<i64>().ok()).unwrap_or_default();
    StoredLetter {
        position: Position(message.sequence),
        stored: ms(message.time.unix_timestamp_nanos()),
        reason: text(REASON).unwrap_or_else(|| "unknown".to_owned()),
        origin_subject: text(ORIGIN_SUBJECT).unwrap_or_default(),
        origin: Position(number(ORIGIN_SEQUENCE).unsigned_abs()),
        origin_line: u32::try_from(number(ORIGIN_LINE)).unwrap_or_default(),
        log_time: LogTime::from_ms(number(LOG_TIME)),
        original: message.payload.to_vec(),
        is_cut: message.headers.get(ORIGINAL_BYTES).is_some(),
    }
}

#[cfg(test)]
mod tests {
    use netqoe_model::Partition;

    use super::*;

    fn letter(reason: &str) -> DeadLetter {
        DeadLetter {
            partition: Partition(1),
            position: Position(7),
            line: 2,
            log_time: LogTime::from_ms(9),
            reason: reason.to_owned(),
            original: Vec::new(),
        }
    }

    #[test]
    fn a_reason_becomes_a_header_whatever_is_in_it() {
        let reason = format!("bad\r\n\tvalue: \u{0}é{}", "x".repeat(10_000));
        let (headers, _) = message("log", "subject", &letter(&reason), b"", 1 << 20);
        let kept = headers.get(REASON).unwrap().as_str();
        assert!(kept.starts_with("bad   value:  é") && kept.chars().count() <= MAX_REASON_CHARS, "{kept}");
    }

    #[test]
    fn what_does_not_fit_is_cut_and_marked() {
        let (headers, payload) = message("log", "subject", &letter(""), &[b'x'; 10_000], 5_000);
        assert_eq!(payload.len(), 5_000 - HEADER_ROOM_BYTES);
        assert_eq!(headers.get(ORIGINAL_BYTES).unwrap().as_str(), "10000");
        let (headers, payload) = message("log", "subject", &letter(""), &[b'x'; 900], 5_000);
        assert_eq!((payload.len(), headers.get(ORIGINAL_BYTES)), (900, None));
    }
}
