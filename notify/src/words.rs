//! A message as one plain sentence.

use std::borrow::Cow;
use std::time::Duration;

use netqoe_model::{Cause, Dimension, Label, Severity, escaped};

use crate::message::{Message, MessageEvent};

/// Stands for what was cut off.
const CUT: char = '…';

/// The first characters of a text, with a sign where there are more.
pub(crate) fn cut(text: &str, max_chars: usize) -> String {
    if text.chars().nth(max_chars).is_none() {
        return text.to_owned();
    }
    text.chars().take(max_chars).chain([CUT]).collect()
}

/// The sentence of a message. It is one line, whatever the names are.
pub(crate) fn sentence(message: &Message) -> String {
    let (what, whose) = (trouble(message.label), subject(&message.cause));
    let how_many = how_many(message);
    let sentence = match message.event {
        MessageEvent::Opened => format!("{}: {what} for {whose}, {how_many}", capital(message.severity)),
        MessageEvent::Changed => format!("{}: {what} for {whose}, {how_many}", changed(message)),
        MessageEvent::Closed => format!("Over{}: {what} for {whose}, {how_many}", lasted(message)),
        MessageEvent::Withdrawn => {
            let why = message.withdrawn_because.as_deref().map_or(String::new(), |why| format!("; {}", escaped(why)));
            format!("Withdrawn, as a correction: {what} for {whose}{why}")
        }
        MessageEvent::Test => "This is a test message from netqoe; nothing is wrong".to_owned(),
    };
    if message.corrected { format!("As a correction: {sentence}") } else { sentence }
}

fn trouble(label: Label) -> &'static str {
    match label {
        Label::ErrorBound => "measurements fail",
        Label::DnsBound => "name resolution is slow",
        Label::HandshakeBound => "connecting is slow",
        Label::ServerBound => "servers answer slowly",
        Label::ThroughputBound => "transfers are slow",
        Label::Healthy => "nothing is wrong",
    }
}

/// A cause in words.
pub(crate) fn subject(cause: &Cause) -> String {
    let value = |index: usize| cause.value.get(index).map_or(Cow::Borrowed("?"), |value| escaped(value));
    match cause.dimension {
        Dimension::Client => format!("client {}", value(0)),
        Dimension::Target => format!("target {}", value(0)),
        Dimension::Host => format!("host {}", value(0)),
        Dimension::IspTarget => format!("provider {} to target {}", value(0), value(1)),
        Dimension::SiteNetworkType => format!("site {} over {}", value(0), value(1)),
        Dimension::Site => format!("site {}", value(0)),
        Dimension::Hosting => format!("hosting network {}", value(0)),
        Dimension::Isp => format!("provider {}", value(0)),
        Dimension::NetworkType => format!("network type {}", value(0)),
        Dimension::Everything => "everything".to_owned(),
        Dimension::ClientLabel => format!("clients with {} {}", value(0), value(1)),
        Dimension::TargetLabel => format!("targets with {} {}", value(0), value(1)),
    }
}

fn how_many(message: &Message) -> String {
    let count = |count: u32, one: &str| format!("{count} {one}{}", if count == 1 { "" } else { "s" });
    let (pairs, clients) = (count(message.pairs, "pair"), count(message.clients, "client"));
    format!("{pairs} of {clients} and {}", count(message.targets, "target"))
}

fn changed(message: &Message) -> String {
    let severity = match message.previous_severity {
        Some(previous) => format!("Now {}, was {}", message.severity.as_str(), previous.as_str()),
        None => capital(message.severity).to_owned(),
    };
    match &message.previous_cause {
        Some(previous) => format!("{severity} (told before as {})", subject(previous)),
        None => severity,
    }
}

fn lasted(message: &Message) -> String {
    let lasted_ms = message.closed_ms.map_or(0, |closed| closed.saturating_sub(message.opened_ms));
    match u64::try_from(lasted_ms / 60_000) {
        Ok(minutes) if minutes > 0 => {
            format!(" after {}", humantime::format_duration(Duration::from_secs(minutes * 60)))
        }
        _ => String::new(),
    }
}

fn capital(severity: Severity) -> &'static str {
    match severity {
        Severity::Minor => "Minor",
        Severity::Major => "Major",
        Severity::Critical => "Critical",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(event: MessageEvent, dimension: Dimension, value: &[&str]) -> Message {
        let cause = Cause { dimension, value: value.iter().map(|part| (*part).into()).collect() };
        Message {
            event,
            cause,
            label: Label::HandshakeBound,
            severity: Severity::Major,
            pairs: 12,
            clients: 3,
            targets: 1,
            opened_ms: 0,
            closed_ms: Some(75 * 60_000),
            ..Message::test(0)
        }
    }

    #[track_caller]
    fn check(message: &Message, expected: &str) {
        assert_eq!(sentence(message), expected);
    }

    #[test]
    fn an_incident_is_said_in_one_sentence() {
        let provider = |event| message(event, Dimension::Isp, &["isp-a"]);
        check(
            &provider(MessageEvent::Opened),
            "Major: connecting is slow for provider isp-a, 12 pairs of 3 clients and 1 target",
        );
        let changed = Message { previous_severity: Some(Severity::Minor), ..provider(MessageEvent::Changed) };
        check(
            &changed,
            "Now major, was minor: connecting is slow for provider isp-a, 12 pairs of 3 clients and 1 target",
        );
        let moved = Message {
            previous_cause: Some(Cause { dimension: Dimension::Client, value: vec!["c".into()] }),
            ..provider(MessageEvent::Changed)
        };
        check(
            &moved,
            "Major (told before as client c): connecting is slow for provider isp-a, 12 pairs of 3 clients and 1 target",
        );
        check(
            &provider(MessageEvent::Closed),
            "Over after 1h 15m: connecting is slow for provider isp-a, 12 pairs of 3 clients and 1 target",
        );
    }

    #[test]
    fn hostile_names_stay_on_the_line() {
        let hostile = message(MessageEvent::Opened, Dimension::IspTarget, &["a\r\nBcc: x@example.org", "b\u{202e}c"]);
        let sentence = sentence(&hostile);
        assert!(!sentence.contains(char::is_control) && !sentence.contains('\u{202e}'), "{sentence}");
        assert_eq!(subject(&Cause { dimension: Dimension::Client, value: vec![] }), "client ?");
    }

    #[test]
    fn long_texts_are_cut_between_characters() {
        assert_eq!(cut("grün", 4), "grün");
        assert_eq!(cut("grüne", 4), "grün…");
        assert_eq!(cut("", 4), "");
    }
}
