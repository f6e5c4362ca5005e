//! What an answer says of the events that were sent. Pure: from bytes to a decision.

use std::time::Duration;

use http::StatusCode;
use serde::Deserialize;

/// Characters of a server's message that are kept and logged.
const MAX_MESSAGE_CHARS: usize = 300;

/// An answer, read whole.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    /// Of the header, where it is a number of seconds.
    pub(super) retry_after: Option<Duration>,
    pub(super) body: Vec<u8>,
}

/// What is to be done with the events of a batch.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Each event was decided on.
    Judged(Judged),
    /// Some event was refused and nobody says which: send fewer at a time.
    Split,
    /// Nothing was decided: send them all again.
    Later(Delay),
}

/// Decisions by the place in the batch. Events that are in neither list were taken.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Judged {
    /// Never to be sent again, and why.
    pub(super) refused: Vec<(usize, String)>,
    /// To be sent again.
    pub(super) put_off: Vec<usize>,
    /// Why, where there are such.
    pub(super) delay: Option<Delay>,
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
    retry_after: Option<u64>,
}

/// Decides on a batch of so many events. Whether one of them was measured under the name that the probe has now, it is told.
///
/// Only an answer of ingest's own shape decides on events: the 200 of a hotel's login page has stored none of them, and the 400 of a
/// proxy condemns none.
pub(super) fn judge(answer: &Answer, events: usize, has_our_name: impl Fn(usize) -> bool) -> Verdict {
    let Answer { status, retry_after, body } = answer;
    let body: Body = serde_json::from_slice(body).unwrap_or_default();
    let later = |reason| Verdict::Later(Delay { reason, retry_after: *retry_after });
    match *status {
        StatusCode::OK | StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED if body.accepted.is_some() => {
            body.judge(events, *retry_after, has_our_name).unwrap_or_else(|| match events {
                1 => later(format!("the answer of {status} does not fit what was sent")),
                _ => Verdict::Split,
            })
        }
        StatusCode::BAD_REQUEST if body.error.is_some() => undivided(&body, *status, events),
        StatusCode::PAYLOAD_TOO_LARGE => undivided(&body, *status, events),
        StatusCode::OK => later("the answer of 200 is not one of netqoe's ingest".to_owned()),
        _ => later(with_message(&format!("the endpoint answered with status {}", status.as_u16()), &body.message)),
    }
}

impl Body {
    /// `None` where it does not say what became of each of so many events.
    fn judge(
        self,
        events: usize,
        retry_after: Option<Duration>,
        has_our_name: impl Fn(usize) -> bool,
    ) -> Option<Verdict> {
        let is_whole = self.accepted?.checked_add(self.rejected)? == events && self.errors.len() == self.rejected;
        let are_apart = self.errors.windows(2).all(|pair| pair[0].index < pair[1].index);
        if !is_whole || !are_apart || self.errors.last().is_some_and(|last| last.index >= events) {
            return None;
        }
        let mut judged = Judged::default();
        for RefusedEvent { index, error, message, retry_after: own } in self.errors {
            let reason = with_message(&error, &message);
            if is_final(&error, || has_our_name(index)) {
                judged.refused.push((index, reason));
            } else {
                judged.put_off.push(index);
                let retry_after = retry_after.or(own.map(Duration::from_secs));
                judged.delay.get_or_insert(Delay { reason, retry_after });
            }
        }
        Some(Verdict::Judged(judged))
    }
}

/// Whether an event that was refused with this code is to be sent no more.
///
/// `unauthorized` of an event, in the answer to its batch, says that the token is known and bound to other clients. Under a name that
/// the probe no longer has, it will hardly be bound to it again; under the present one the token is mistaken, and whoever corrects it
/// wants the events.
fn is_final(code: &str, has_our_name: impl Fn() -> bool) -> bool {
    code.starts_with("invalid_") || code == "payload_too_large" || (code == "unauthorized" && !has_our_name())
}

/// A refusal without a word on which event it is about.
fn undivided(body: &Body, status: StatusCode, events: usize) -> Verdict {
    if events > 1 {
        return Verdict::Split;
    }
    let code = body.error.as_deref().unwrap_or(status.as_str());
    Verdict::Judged(Judged { refused: vec![(0, with_message(code, &body.message))], ..Judged::default() })
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
        judge(&Answer { status, retry_after: None, body: body.to_string().into_bytes() }, events, |index| index > 0)
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
        let Verdict::Judged(judged) = verdict(200, &batch(3, &errors[2..]), 4) else { panic!("it is judged") };
        assert_eq!(judged.delay.unwrap().retry_after, Some(Duration::from_secs(4)));
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
            body: Vec::new(),
        };
        let delay =
            Delay { reason: "the endpoint answered with status 503".to_owned(), retry_after: asked.retry_after };
        assert_eq!(judge(&asked, 1, |_| true), Verdict::Later(delay));
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
