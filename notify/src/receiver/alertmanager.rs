//! Alertmanager, by its API v2.
//!
//! An alert is known by its labels. So one whose severity or cause has changed ends, and another begins.

use std::path::Path;

use jiff::Timestamp;
use netqoe_model::{Cause, Severity};
use serde_json::{Value, json};

use super::Outcome;
use super::http::Endpoint;
use crate::config::UrlSource;
use crate::message::Message;

/// Where alerts are posted, below the base.
const PATH: &str = "/api/v2/alerts";

/// How long an alert stands whose end is not told. Alertmanager takes one without `endsAt` for over after five minutes.
const LONGEST_MS: i64 = 365 * 86_400_000;

pub(super) struct Alertmanager {
    endpoint: Endpoint,
}

impl Alertmanager {
    pub(super) fn open(url: &UrlSource, ca_file: Option<&Path>) -> Result<Self, String> {
        Ok(Self { endpoint: Endpoint::open(url, PATH, ca_file)? })
    }

    pub(super) fn place(&self) -> String {
        self.endpoint.place()
    }

    pub(super) async fn deliver(&self, messages: &[Message], now_ms: i64) -> Outcome {
        self.endpoint.post(&[], alerts(messages, now_ms).to_string()).await
    }
}

fn alerts(messages: &[Message], now_ms: i64) -> Value {
    Value::Array(messages.iter().flat_map(|message| of_message(message, now_ms)).collect())
}

/// The alert under the labels that Alertmanager knows it by, which ends if they have changed, and the one under the present labels.
fn of_message(message: &Message, now_ms: i64) -> Vec<Value> {
    let severity = message.previous_severity.unwrap_or(message.severity);
    let cause = message.previous_cause.as_ref().unwrap_or(&message.cause);
    let is_renamed = message.previous_severity.is_some() || message.previous_cause.is_some();
    // An end that lies ahead of Alertmanager's clock would not be one yet.
    let ended_ms = message.closed_ms.filter(|_| message.event.ends()).unwrap_or(now_ms).min(now_ms);
    if message.event.ends() {
        return vec![alert(message, severity, cause, ended_ms)];
    }
    let present = alert(message, message.severity, &message.cause, now_ms.saturating_add(LONGEST_MS));
    if is_renamed { vec![alert(message, severity, cause, now_ms), present] } else { vec![present] }
}

fn alert(message: &Message, severity: Severity, cause: &Cause, ends_ms: i64) -> Value {
    let mut alert = json!({
        "labels": {
            "alertname": "NetqoeIncident",
            "incident": message.incident,
            "label": message.label,
            "severity": severity,
            "cause_dimension": cause.dimension_name(),
            "cause_value": cause.texts().join(" × "),
        },
        "annotations": {
            "summary": message.summary,
            "description": format!("message {}", message.id),
        },
        "startsAt": rfc3339(message.opened_ms.min(ends_ms)),
        "endsAt": rfc3339(ends_ms),
    });
    if let Some(url) = &message.url {
        alert["generatorURL"] = url.as_str().into();
    }
    alert
}

fn rfc3339(unix_ms: i64) -> String {
    Timestamp::from_millisecond(unix_ms).unwrap_or(Timestamp::MAX).to_string()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use netqoe_model::Dimension;

    use super::*;
    use crate::message::MessageEvent;

    const NOW_MS: i64 = 1_800_000_000_000;

    fn message(event: MessageEvent) -> Message {
        let cause = Cause { dimension: Dimension::IspTarget, value: vec!["isp-a".into(), "https://x".into()] };
        Message { event, cause, opened_ms: NOW_MS - 600_000, closed_ms: None, ..Message::test(0) }
    }

    /// The names of `postableAlert` in Alertmanager's OpenAPI document: `labels` is required, and values are texts.
    #[test]
    fn an_alert_leads_to_the_page_where_that_is_known() {
        let url = Some("https://netqoe.example.org/?incident=1".to_owned());
        let linked = Message { url, ..message(MessageEvent::Opened) };
        assert_eq!(alerts(&[linked], NOW_MS)[0]["generatorURL"], "https://netqoe.example.org/?incident=1");
        assert!(alerts(&[message(MessageEvent::Opened)], NOW_MS)[0].get("generatorURL").is_none());
    }

    #[test]
    fn an_alert_has_the_fields_of_alertmanager() {
        let alerts = alerts(&[message(MessageEvent::Opened)], NOW_MS);
        let [alert] = alerts.as_array().unwrap().as_slice() else { panic!("{alerts}") };
        let known: BTreeSet<&str> = ["startsAt", "endsAt", "annotations", "labels", "generatorURL"].into();
        assert!(alert.as_object().unwrap().keys().all(|key| known.contains(key.as_str())), "{alert}");
        for set in ["labels", "annotations"] {
            assert!(alert[set].as_object().unwrap().values().all(Value::is_string), "{alert}");
        }
        assert_eq!(alert["labels"]["cause_value"], "isp-a × https://x");
        assert_eq!(alert["labels"]["cause_dimension"], "isp×target");
        for time in ["startsAt", "endsAt"] {
            alert[time].as_str().unwrap().parse::<Timestamp>().unwrap();
        }
        assert_eq!(alert["startsAt"], "2027-01-15T07:50:00Z");
    }

    /// The severities of the alerts and whether each is over, of a message at `NOW_MS`.
    #[track_caller]
    fn check(message: &Message, expected: &[(&str, bool)]) {
        let alerts = alerts(std::slice::from_ref(message), NOW_MS);
        let is_over = |alert: &Value| {
            let ends: Timestamp = alert["endsAt"].as_str().unwrap().parse().unwrap();
            ends.as_millisecond() <= NOW_MS
        };
        let found: Vec<_> = alerts
            .as_array()
            .unwrap()
            .iter()
            .map(|alert| (alert["labels"]["severity"].as_str().unwrap(), is_over(alert)))
            .collect();
        assert_eq!(found, expected, "{alerts}");
    }

    #[test]
    fn an_alert_ends_where_its_labels_change_and_with_its_incident() {
        check(&message(MessageEvent::Opened), &[("minor", false)]);
        let worse = |event| Message {
            severity: Severity::Critical,
            previous_severity: Some(Severity::Minor),
            ..message(event)
        };
        check(&worse(MessageEvent::Changed), &[("minor", true), ("critical", false)]);
        // What was told as minor ends as that.
        check(&worse(MessageEvent::Closed), &[("minor", true)]);
        check(&message(MessageEvent::Withdrawn), &[("minor", true)]);
        let ahead = Message { closed_ms: Some(NOW_MS + 60_000), ..message(MessageEvent::Closed) };
        check(&ahead, &[("minor", true)]);
    }
}
