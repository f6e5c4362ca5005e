//! A message, as the outbox keeps it and the webhook sends it. `docs/notification.schema.json` is its schema.

use std::sync::Arc;

use netqoe_model::{Cause, Incident, IncidentChange, IncidentId, IncidentRevision, Label, Severity};
use netqoe_sinks::outbox::message_id;
use serde::{Deserialize, Serialize};

use crate::words;

/// Characters of a name in a message. Names come from events and may be much longer than anybody reads.
pub(crate) const MAX_NAME_CHARS: usize = 200;

/// Characters of a reason.
const MAX_REASON_CHARS: usize = 500;

/// What one receiver is told of one incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// The incident's id and the revision's number: the same in every attempt.
    pub id: String,
    /// Of which incident.
    pub incident: IncidentId,
    /// Of which of its revisions.
    pub revision: u32,
    /// What is told.
    pub event: MessageEvent,
    /// The message as a sentence.
    pub summary: String,
    /// What its pairs suffer from.
    pub label: Label,
    /// How bad it is.
    pub severity: Severity,
    /// How bad the receiver was told that it is, where that is no longer so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous_severity: Option<Severity>,
    /// What its pairs have in common.
    pub cause: Cause,
    /// The cause that the receiver was told, where it is another one now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous_cause: Option<Cause>,
    /// Why it was withdrawn.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub withdrawn_because: Option<String>,
    /// Whether measurements that came late show it so.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub corrected: bool,
    /// The first window with its evidence, in Unix milliseconds.
    pub opened_ms: i64,
    /// The log time at which netqoe knew of it, in Unix milliseconds.
    pub detected_ms: i64,
    /// When it ended, in Unix milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closed_ms: Option<i64>,
    /// The log time of the revision, in Unix milliseconds.
    pub at_ms: i64,
    /// Pairs that have had its label since it opened.
    pub pairs: u32,
    /// Clients of these pairs.
    pub clients: u32,
    /// Targets of these pairs.
    pub targets: u32,
    /// Pairs that had its label at the revision.
    pub degraded: u32,
    /// Where the page shows the incident. Not in the outbox: a delivery adds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// What a message tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MessageEvent {
    /// There is an incident.
    Opened,
    /// Its severity or its cause is another one.
    Changed,
    /// It is over.
    Closed,
    /// It should not have been told.
    Withdrawn,
    /// Somebody has asked whether messages arrive.
    Test,
}

impl MessageEvent {
    /// Whether an alert ends with it.
    pub(crate) fn ends(self) -> bool {
        matches!(self, Self::Closed | Self::Withdrawn | Self::Test)
    }
}

impl Message {
    /// What it says of the incident, without what it said of the time before.
    pub(crate) fn into_standing(self) -> Self {
        Self { previous_severity: None, previous_cause: None, corrected: false, ..self }
    }

    /// Tells a revision of an incident to somebody who knows how it stood at `known`.
    pub(crate) fn of(
        incident: &Incident,
        revision: &IncidentRevision,
        known: Option<&IncidentRevision>,
        event: MessageEvent,
    ) -> Self {
        let mut message = Self {
            id: message_id(&incident.id, revision.revision),
            incident: incident.id.clone(),
            revision: revision.revision,
            event,
            summary: String::new(),
            label: incident.label,
            severity: revision.severity,
            previous_severity: known.map(|known| known.severity).filter(|known| *known != revision.severity),
            cause: cut_cause(&revision.cause),
            previous_cause: known.map(|known| &known.cause).filter(|known| **known != revision.cause).map(cut_cause),
            withdrawn_because: incident
                .withdrawn_because
                .as_deref()
                .filter(|_| event == MessageEvent::Withdrawn)
                .map(|reason| words::cut(reason, MAX_REASON_CHARS)),
            corrected: revision.change == IncidentChange::Corrected && event != MessageEvent::Withdrawn,
            opened_ms: incident.opened.ms(),
            detected_ms: incident.detected.ms(),
            closed_ms: incident.closed.filter(|_| event.ends()).map(|closed| closed.ms()),
            at_ms: revision.at.ms(),
            pairs: incident.pairs,
            clients: incident.clients,
            targets: incident.targets,
            degraded: revision.degraded,
            url: None,
        };
        message.summary = words::sentence(&message);
        message
    }

    /// A message that says of itself that it is a test.
    pub fn test(now_ms: i64) -> Self {
        let mut message = Self {
            id: format!("test-{now_ms}"),
            incident: IncidentId("test".into()),
            revision: 0,
            event: MessageEvent::Test,
            summary: String::new(),
            label: Label::Healthy,
            severity: Severity::Minor,
            previous_severity: None,
            cause: Cause { dimension: netqoe_model::Dimension::Everything, value: vec![] },
            previous_cause: None,
            withdrawn_because: None,
            corrected: false,
            opened_ms: now_ms,
            detected_ms: now_ms,
            closed_ms: Some(now_ms),
            at_ms: now_ms,
            pairs: 0,
            clients: 0,
            targets: 0,
            degraded: 0,
            url: None,
        };
        message.summary = words::sentence(&message);
        message
    }
}

fn cut_cause(cause: &Cause) -> Cause {
    let value = cause.value.iter().map(|value| Arc::from(words::cut(value, MAX_NAME_CHARS))).collect();
    Cause { dimension: cause.dimension, value }
}
