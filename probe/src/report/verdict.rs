//! What an answer decides about the events that were sent. Pure: from bytes to a decision.
//!
//! Decision: D-039.

use std::time::Duration;

use http::StatusCode;
use netqoe_model::EventTime;
use serde::Deserialize;
use serde_json::Value;

use super::clocks::Clocks;

/// Characters of a server's message that are kept and logged.
const MAX_MESSAGE_CHARS: usize = 300;

/// An answer, read whole.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    /// Of the header, in whichever form.
    pub(super) retry_after: Option<Duration>,
    /// Of the header: what time the endpoint has.
    pub(super) date: Option<EventTime>,
    pub(super) body: Vec<u8>,
}

/// What is to be done with the events of a batch.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Each event was decided on.
    Judged(Judged),
    /// Some event was refused, and the answer does not say which: send fewer at a time.
    Split,
    /// Nothing was decided: send them all again.
    Later(Delay),
}

/// Decisions by the place in the batch. Events that are in no list were taken.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Judged {
    /// Never to be sent again, and why.
    pub(super) refused: Vec<(usize, String)>,
    /// To be sent again.
    pub(super) put_off: Vec<usize>,
    /// Refused for their time, and a clock may be wrong: to be sent again, apart from the others. And their time.
    pub(super) untimely: Vec<(usize, EventTime)>,
    /// Why, if there are such.
    pub(super) delay: Option<Delay>,
}

/// What is known of an event that was sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sent {
    /// Whether it was measured under the name that the probe has now.
    pub(super) has_our_name: bool,
    /// When it was measured, by this machine's clock. `None` if that is not a valid time.
    pub(super) ts: Option<EventTime>,
}

/// Why events have to be sent again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Delay {
    pub(super) reason: String,
    /// When the server wants to be asked again.
    pub(super) retry_after: Option<Duration>,
}

/// What ingest answers: to a batch all of it, to a request that it refuses as a whole the first two.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Body {
    error: Option<String>,
    message: String,
    accepted: Option<usize>,
    rejected: usize,
    errors: Vec<RefusedEvent>,
}

#[derive(Debug, Deserialize)]
struct RefusedEvent {
    index: usize,
    error: String,
    #[serde(default)]
    message: String,
    #[serde(default)]
    retry_after: Value,
}

/// Decides on a batch of `events` events, from what is known of each and of the clocks.
///
/// Only an answer of ingest's own shape decides on events: the 200 of a hotel's login page has stored none of them, and the 400 of a
/// proxy refuses none.
pub(super) fn judge(answer: &Answer, events: usize, clocks: Clocks, sent: impl Fn(usize) -> Sent) -> Verdict {
    let Answer { status, retry_after, body, .. } = answer;
    let body: Body = serde_json::from_slice(body).unwrap_or_default();
    let later = |reason| Verdict::Later(Delay { reason, retry_after: *retry_after });
    match *status {
        StatusCode::OK | StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED if body.accepted.is_some() => {
            body.judge(events, *retry_after, clocks, sent).unwrap_or_else(|| match events {
                1 => later(format!("the answer of {status} does not fit what was sent")),
                _ => Verdict::Split,
            })
        }
        StatusCode::BAD_REQUEST if body.error.is_some() => undivided(&body, *status, events, clocks, sent),
        StatusCode::PAYLOAD_TOO_LARGE => undivided(&body, *status, events, clocks, sent),
        StatusCode::OK => later("the answer of 200 is not one of netqoe's ingest".to_owned()),
        _ => later(with_message(&format!("the endpoint answered with status {}", status.as_u16()), &body.message)),
    }
}

impl Body {
    /// `None` if it does not say what became of each event.
    fn judge(
        self,
        events: usize,
        retry_after: Option<Duration>,
        clocks: Clocks,
        sent: impl Fn(usize) -> Sent,
    ) -> Option<Verdict> {
        let is_whole = self.accepted?.checked_add(self.rejected)? == events && self.errors.len() == self.rejected;
        let are_apart = self.errors.windows(2).all(|pair| pair[0].index < pair[1].index);
        if !is_whole || !are_apart || self.errors.last().is_some_and(|last| last.index >= events) {
            return None;
        }
        let mut judged = Judged::default();
        for RefusedEvent { index, error, message, retry_after: own } in self.errors {
            let reason = with_message(&error, &message);
            match fate(&error, sent(index), clocks) {
                Fate::Refused => judged.refused.push((index, reason)),
                Fate::Untimely(ts) => judged.untimely.push((index, ts)),
                Fate::PutOff => {
                    judged.put_off.push(index);
                    let retry_after = retry_after.or(own.as_u64().map(Duration::from_secs));
                    judged.delay.get_or_insert(Delay { reason, retry_after });
                }
            }
        }
        Some(Verdict::Judged(judged))
    }
}

/// What becomes of an event that was refused.
enum Fate {
    Refused,
    PutOff,
    Untimely(EventTime),
}

/// What a refusal with this code means for the event.
///
/// `unauthorized` of an event, in the answer to its batch, says that the token is known and bound to other clients. Under a name that
/// the probe no longer has, it will hardly be bound to it again; under the present one the token is mistaken, and once it is
/// corrected, the events are wanted. `invalid_timestamp` compares two clocks, either of which may be wrong and be corrected.
fn fate(code: &str, sent: Sent, clocks: Clocks) -> Fate {
    match (code, sent.ts) {
        ("invalid_timestamp", Some(ts)) if clocks.may_be_wrong_about(ts) => Fate::Untimely(ts),
        ("payload_too_large", _) => Fate::Refused,
        ("unauthorized", _) if !sent.has_our_name => Fate::Refused,
        _ if code.starts_with("invalid_") => Fate::Refused,
        _ => Fate::PutOff,
    }
}

/// A refusal that does not say which event it is about.
fn undivided(body: &Body, status: StatusCode, events: usize, clocks: Clocks, sent: impl Fn(usize) -> Sent) -> Verdict {
    if events > 1 {
        return Verdict::Split;
    }
    let code = body.error.as_deref().unwrap_or(status.as_str());
    Verdict::Judged(match fate(code, sent(0), clocks) {
        Fate::Untimely(ts) => Judged { untimely: vec![(0, ts)], ..Judged::default() },
        // Whatever its code: the request as a whole was refused, and it is nothing but this event.
        _ => Judged { refused: vec![(0, with_message(code, &body.message))], ..Judged::default() },
    })
}

/// On one line and of bounded length, whatever the server has sent.
fn with_message(what: &str, message: &str) -> String {
    let text = if message.is_empty() { what.to_owned() } else { format!("{what}: {message}") };
    text.chars().take(MAX_MESSAGE_CHARS).map(|char| if char.is_control() { ' ' } else { char }).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// Of a batch whose first event was measured under another name.
    fn verdict(status: u16, body: &Value, events: usize) -> Verdict {
        let status = StatusCode::from_u16(status).unwrap();
        let answer = Answer { status, retry_after: None, date: None, body: body.to_string().into_bytes() };
        judge(&answer, events, AGREED, |index| sent(index, NOW_MS))
    }

    const NOW_MS: i64 = 1_700_000_000_000;
    const AGREED: Clocks = Clocks { ours: EventTime::from_ms(NOW_MS), endpoint: Some(EventTime::from_ms(NOW_MS)) };

    fn sent(index: usize, ts_ms: i64) -> Sent {
        Sent { has_our_name: index > 0, ts: Some(EventTime::from_ms(ts_ms)) }
    }

    fn batch(accepted: u64, errors: &[Value]) -> Value {
        json!({"accepted": accepted, "rejected": errors.len(), "errors": errors, "recv_ts_ms": 1})
    }

    fn error(index: u64, code: &str) -> Value {
        json!({"index": index, "error": code, "message": "m"})
    }

    fn refused(indexes: &[usize], code: &str) -> Vec<(usize, String)> {
        indexes.iter().map(|index| (*index, format!("{code}: m"))).collect()
    }

    fn is_later(verdict: &Verdict, says: &str) -> bool {
        matches!(verdict, Verdict::Later(delay) if delay.reason.contains(says))
    }

    #[test]
    fn all_taken() {
        assert_eq!(verdict(200, &batch(3, &[]), 3), Verdict::Judged(Judged::default()));
    }

    #[test]
    fn an_event_is_refused_alone() {
        let judged = Judged { refused: refused(&[1], "invalid_timestamp"), ..Judged::default() };
        assert_eq!(verdict(200, &batch(2, &[error(1, "invalid_timestamp")]), 3), Verdict::Judged(judged));
        let all = Judged { refused: refused(&[0, 1], "invalid_request"), ..Judged::default() };
        let mut answer = batch(0, &[error(0, "invalid_request"), error(1, "invalid_request")]);
        answer["error"] = "invalid_request".into();
        assert_eq!(verdict(400, &answer, 2), Verdict::Judged(all));
    }

    #[test]
    fn what_may_be_taken_later_is_not_refused() {
        let mut above_rate = error(2, "rate_limit_exceeded");
        above_rate["retry_after"] = 4.into();
        let errors = [error(0, "invalid_request"), error(1, "unauthorized"), above_rate];
        let Verdict::Judged(judged) = verdict(200, &batch(1, &errors), 4) else { panic!("it is judged") };
        assert_eq!((judged.refused, judged.put_off), (refused(&[0], "invalid_request"), vec![1, 2]));
        assert_eq!(judged.delay, Some(Delay { reason: "unauthorized: m".to_owned(), retry_after: None }));
        for (own, expected) in [(json!(4), Some(4)), (json!("soon"), None), (json!(-1), None), (json!(1e300), None)] {
            let mut error = errors[2].clone();
            error["retry_after"] = own;
            let Verdict::Judged(judged) = verdict(200, &batch(3, &[error]), 4) else { panic!("it is judged") };
            assert_eq!(judged.delay.unwrap().retry_after, expected.map(Duration::from_secs));
        }
    }

    #[test]
    fn a_time_that_has_not_come_refuses_no_event() {
        // The first and the third are of the future, the second has a time that has come, the fourth is refused for another reason.
        let ts_ms = |index: usize| [NOW_MS + 600_000, NOW_MS, NOW_MS + 1, NOW_MS + 600_000][index];
        let errors = [0, 1, 2].map(|index| error(index, "invalid_timestamp"));
        let errors = [&errors[..], &[error(3, "invalid_request")]].concat();
        let of = |body: Value, status: StatusCode, events: usize| {
            let answer = Answer { status, retry_after: None, date: None, body: body.to_string().into_bytes() };
            judge(&answer, events, AGREED, |index| sent(index, ts_ms(index)))
        };
        let Verdict::Judged(judged) = of(batch(1, &errors), StatusCode::OK, 5) else { panic!("it is judged") };
        let at = |index| (index, EventTime::from_ms(ts_ms(index)));
        assert_eq!((judged.untimely, judged.put_off, judged.delay), (vec![at(0), at(2)], Vec::new(), None));
        assert_eq!(judged.refused.iter().map(|(index, _)| *index).collect::<Vec<_>>(), [1, 3]);

        let alone = json!({"error": "invalid_timestamp", "message": "m"});
        assert_eq!(of(alone.clone(), StatusCode::BAD_REQUEST, 2), Verdict::Split);
        let judged = Judged { untimely: vec![at(0)], ..Judged::default() };
        assert_eq!(of(alone, StatusCode::BAD_REQUEST, 1), Verdict::Judged(judged));
    }

    #[test]
    fn what_is_no_time_never_becomes_one() {
        let answer = Answer {
            status: StatusCode::BAD_REQUEST,
            retry_after: None,
            date: None,
            body: batch(0, &[error(0, "invalid_timestamp")]).to_string().into_bytes(),
        };
        let unknown = Clocks { endpoint: None, ..AGREED };
        let Verdict::Judged(judged) = judge(&answer, 1, unknown, |_| Sent { has_our_name: true, ts: None }) else {
            panic!("it is judged")
        };
        assert_eq!((judged.refused.len(), judged.untimely.len()), (1, 0));
    }

    #[test]
    fn an_event_of_an_earlier_name_is_refused_where_the_token_is_bound_to_another() {
        let errors = [error(0, "unauthorized"), error(2, "unauthorized")];
        let mut none_taken = batch(0, &errors);
        none_taken["error"] = "unauthorized".into();
        none_taken["rejected"] = 2.into();
        none_taken["errors"][1]["index"] = 1.into();
        for (answer, events, put_off) in
            [(verdict(200, &batch(1, &errors), 3), 3, 2), (verdict(401, &none_taken, 2), 2, 1)]
        {
            let Verdict::Judged(judged) = answer else { panic!("{events} are judged") };
            assert_eq!((judged.refused, judged.put_off), (refused(&[0], "unauthorized"), vec![put_off]));
            assert_eq!(judged.delay.unwrap().reason, "unauthorized: m");
        }
        let unknown_token = json!({"error": "unauthorized", "message": "this token is not known here"});
        assert!(is_later(&verdict(401, &unknown_token, 1), "not known here"));
    }

    #[test]
    fn a_refusal_of_the_whole_is_found_by_splitting() {
        let answer = json!({"error": "invalid_request", "message": "m"});
        assert_eq!(verdict(400, &answer, 2), Verdict::Split);
        let judged = Judged { refused: refused(&[0], "invalid_request"), ..Judged::default() };
        assert_eq!(verdict(400, &answer, 1), Verdict::Judged(judged));
        assert_eq!(verdict(413, &Value::Null, 2), Verdict::Split);
        let Verdict::Judged(judged) = verdict(413, &Value::Null, 1) else { panic!("it is judged") };
        assert_eq!(judged.refused, [(0, "413".to_owned())]);
    }

    #[test]
    fn nothing_is_decided_where_the_endpoint_only_says_no() {
        for status in [301, 401, 403, 404, 405, 408, 415, 429, 500, 502, 503, 504] {
            let verdict = verdict(status, &json!({"error": "some", "message": "come again"}), 3);
            assert!(is_later(&verdict, &format!("status {status}: come again")), "{verdict:?}");
        }
        let asked = Answer {
            status: StatusCode::SERVICE_UNAVAILABLE,
            retry_after: Some(Duration::from_secs(9)),
            date: None,
            body: Vec::new(),
        };
        let delay =
            Delay { reason: "the endpoint answered with status 503".to_owned(), retry_after: asked.retry_after };
        assert_eq!(judge(&asked, 1, AGREED, |index| sent(index + 1, NOW_MS)), Verdict::Later(delay));
    }

    #[test]
    fn only_ingest_decides() {
        assert!(is_later(&verdict(200, &"<html>Welcome to our hotel".into(), 3), "not one of netqoe's"));
        assert!(is_later(&verdict(200, &json!({}), 1), "not one of netqoe's"));
        assert!(is_later(&verdict(400, &"<html>Bad Request".into(), 1), "status 400"));
    }

    #[test]
    fn an_answer_that_does_not_fit_decides_nothing() {
        let beyond = batch(1, &[error(2, "invalid_request")]);
        let twice = batch(0, &[error(0, "invalid_request"), error(0, "invalid_request")]);
        let unnamed = json!({"accepted": 0, "rejected": 2, "errors": []});
        let endless = json!({"accepted": u64::MAX, "rejected": u64::MAX, "errors": []});
        for answer in [&batch(1, &[]), &batch(3, &[]), &beyond, &twice, &unnamed, &endless] {
            assert_eq!(verdict(200, answer, 2), Verdict::Split, "{answer}");
        }
        assert!(is_later(&verdict(200, &batch(0, &[]), 1), "does not fit"));
    }

    #[test]
    fn a_message_is_short_and_on_one_line() {
        let answer = json!({"error": "invalid_request", "message": "a\nb\u{1b}[31m".to_owned() + &"x".repeat(9999)});
        let Verdict::Judged(judged) = verdict(400, &answer, 1) else { panic!("it is judged") };
        assert!(judged.refused[0].1.starts_with("invalid_request: a b [31mx"), "{judged:?}");
        assert_eq!(judged.refused[0].1.chars().count(), MAX_MESSAGE_CHARS);
    }
}
