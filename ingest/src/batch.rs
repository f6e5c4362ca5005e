//! The events of a body: found, checked one by one, and none lost because of its neighbour.

use std::fmt;

use memchr::memchr_iter;
use netqoe_eventlog::{add_recv_ts, with_recv_ts, with_recv_ts_and_target};
use netqoe_model::{Event, Invalid, normalised};
use netqoe_server::{Code, Grant, Refusal};
use serde::de::{Deserializer as _, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::answer::not_an_event;
use crate::media::MediaType;
use crate::nesting::{MAX_NESTING, too_deep};
use crate::refusals::Refusals;
use crate::turned_away::{Claim, TurnedAway};

/// What every event of a request is checked against.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    /// The clients whose events the request may hold.
    pub(crate) grant: Grant,
    /// When the request was received.
    pub(crate) recv_ts_ms: i64,
    /// How far after it an event may lie.
    pub(crate) max_future_ms: i64,
}

/// A valid event, as it goes to the log.
#[derive(Debug)]
pub(crate) struct Candidate {
    /// Its place in the request.
    pub(crate) index: u64,
    pub(crate) client_id: String,
    /// In its one spelling (D-104).
    pub(crate) target: String,
    /// The event with its `recv_ts_ms`, and with the target in that spelling.
    pub(crate) line: Vec<u8>,
}

impl Candidate {
    pub(crate) fn claim(&self) -> Claim {
        Claim::of(&self.client_id, &self.target)
    }
}

/// What a body holds.
#[derive(Debug)]
pub(crate) enum Parsed {
    One { event_id: String, event: Candidate },
    Batch(Batch),
}

/// The events of an array or of lines.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    /// Valid events, in their order.
    pub(crate) candidates: Vec<Candidate>,
    /// What was refused.
    pub(crate) refused: Refusals,
}

/// Reads a body. Where it is one event, or no array or lines at all, it is accepted or refused as a whole.
pub(crate) fn parse(media_type: MediaType, body: &[u8], rules: &Rules) -> Result<Parsed, TurnedAway> {
    let body = trimmed(body);
    match (media_type, body.first()) {
        (_, None) => {
            let message = "the body is empty; send one event, or an array of events";
            Err(Refusal::new(Code::InvalidRequest, message).into())
        }
        (MediaType::JsonLines, _) => Ok(Parsed::Batch(parse_lines(body, rules))),
        (MediaType::Json, Some(b'[')) => Ok(Parsed::Batch(parse_array(body, rules)?)),
        (MediaType::Json, _) => {
            let turned_away = |refusal| TurnedAway { claim: Claim::in_text(body), ..TurnedAway::from(refusal) };
            let (event_id, event) = rules.candidate(0, body).map_err(turned_away)?;
            Ok(Parsed::One { event_id, event })
        }
    }
}

/// A malformed array is refused whole: after the first error nobody can tell where an event begins.
fn parse_array(body: &[u8], rules: &Rules) -> Result<Batch, Refusal> {
    let malformed = |error: &dyn fmt::Display| {
        let message = format!("the body is not a valid JSON array: {error}; nothing of it was accepted");
        Refusal::new(Code::InvalidRequest, message)
    };
    let text = std::str::from_utf8(body).map_err(|error| malformed(&error))?;
    let mut batch = Batch::default();
    let mut index = 0;
    let mut json = serde_json::Deserializer::from_str(text);
    json.deserialize_seq(Elements(|element: &RawValue| {
        batch.take(index, element.get().as_bytes(), rules);
        index += 1;
    }))
    .and_then(|()| json.end())
    .map_err(|error| malformed(&error))?;
    Ok(batch)
}

/// A bad line is refused alone.
fn parse_lines(body: &[u8], rules: &Rules) -> Batch {
    let mut batch = Batch::default();
    let mut index = 0;
    let mut start = 0;
    for end in memchr_iter(b'\n', body).chain([body.len()]) {
        let line = trimmed(&body[start..end]);
        start = end + 1;
        if !line.is_empty() {
            batch.take(index, line, rules);
            index += 1;
        }
    }
    batch
}

impl Rules {
    fn check<'a>(&self, text: &'a [u8]) -> Result<Event<'a>, Refusal> {
        if too_deep(text) {
            let message = format!("JSON may nest {MAX_NESTING} levels deep; an event needs two");
            return Err(Refusal::new(Code::InvalidRequest, message));
        }
        let event = Event::parse(text).map_err(|invalid| not_an_event(&invalid))?;
        let ahead_ms = event.ts.ms().saturating_sub(self.recv_ts_ms);
        if ahead_ms > self.max_future_ms {
            return Err(not_an_event(&Invalid::FutureTimestamp { ahead_ms, max_future_ms: self.max_future_ms }));
        }
        if !self.grant.allows(&event.client_id) {
            let message = "this token is bound to other clients; send the event with a token for its client_id";
            return Err(Refusal::new(Code::Unauthorized, message));
        }
        Ok(event)
    }

    /// The event, with its id, as it goes to the log.
    fn candidate(&self, index: u64, text: &[u8]) -> Result<(String, Candidate), Refusal> {
        let event = self.check(text)?;
        let target = normalised(&event.target);
        let line = match (event.has_recv, event.target == target) {
            (true, true) => with_recv_ts(text, self.recv_ts_ms),
            (false, true) => add_recv_ts(text, self.recv_ts_ms),
            (_, false) => with_recv_ts_and_target(text, self.recv_ts_ms, &target, &event.target),
        };
        let target = target.into_owned();
        // A line with a time that a sender has written would make all that follow it late in an exported log.
        let line = line.ok_or_else(|| not_an_event(&Invalid::NotAnObject))?;
        let client_id = event.client_id.into_owned();
        Ok((event.event_id.into_owned(), Candidate { index, client_id, target, line }))
    }
}

impl Batch {
    fn take(&mut self, index: u64, text: &[u8], rules: &Rules) {
        match rules.candidate(index, text) {
            Ok((_, candidate)) => self.candidates.push(candidate),
            Err(refusal) => self.refused.push(index, refusal, || Claim::in_text(text)),
        }
    }
}

/// Without the white space of JSON around it, and without a byte order mark before it.
fn trimmed(text: &[u8]) -> &[u8] {
    let text = without_white_space(text);
    text.strip_prefix("\u{feff}".as_bytes()).map_or(text, without_white_space)
}

/// Other white space, such as a form feed, is no part of JSON.
fn without_white_space(text: &[u8]) -> &[u8] {
    let is_token = |byte: &u8| !matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
    let start = text.iter().position(is_token).unwrap_or(text.len());
    let end = text.iter().rposition(is_token).map_or(start, |last| last + 1);
    &text[start..end]
}

/// Hands on an array's elements as they are written, one at a time: a list of them could take many times the memory
/// of the body.
struct Elements<F>(F);

impl<'de, F: FnMut(&'de RawValue)> Visitor<'de> for Elements<F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of events")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut elements: A) -> Result<(), A::Error> {
        while let Some(element) = elements.next_element::<&RawValue>()? {
            (self.0)(element);
        }
        Ok(())
    }
}
