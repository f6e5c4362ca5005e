//! Slack's incoming webhooks, and what takes the same (Mattermost, Rocket.Chat).

use std::path::Path;

use netqoe_model::Severity;
use serde_json::{Value, json};

use super::Outcome;
use super::http::Endpoint;
use crate::config::UrlSource;
use crate::message::{Message, MessageEvent};

pub(super) struct Slack {
    endpoint: Endpoint,
}

impl Slack {
    pub(super) fn open(url_file: &Path, ca_file: Option<&Path>) -> Result<Self, String> {
        Ok(Self { endpoint: Endpoint::open(&UrlSource::File(url_file.to_owned()), "", ca_file)? })
    }

    pub(super) fn place(&self) -> String {
        self.endpoint.place()
    }

    pub(super) async fn deliver(&self, messages: &[Message]) -> Outcome {
        self.endpoint.post(&[], body(messages).to_string()).await
    }
}

/// One attachment for each message: all of these programs show them, unlike blocks.
fn body(messages: &[Message]) -> Value {
    let attachments: Vec<Value> = messages
        .iter()
        .map(|message| {
            let text = plain(&message.summary);
            let mut attachment =
                json!({ "color": color(message), "fallback": text, "text": text, "footer": message.id, "mrkdwn_in": [] });
            if let Some(url) = &message.url {
                attachment["title"] = "Show the incident".into();
                attachment["title_link"] = url.as_str().into();
            }
            attachment
        })
        .collect();
    let heading = match messages {
        [_] => "netqoe".to_owned(),
        several => format!("netqoe: {} messages", several.len()),
    };
    json!({ "text": heading, "attachments": attachments, "unfurl_links": false, "unfurl_media": false })
}

/// Text that calls nobody and links nothing that its sender has not written: `<!channel>`, `<@user>` and links need `<`, and
/// Mattermost takes a bare `@channel`, which no longer is one with a character without width in it.
fn plain(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('@', "@\u{200b}")
}

fn color(message: &Message) -> &'static str {
    match (message.event, message.severity) {
        (MessageEvent::Closed, _) => "#2eb886",
        (MessageEvent::Withdrawn | MessageEvent::Test, _) => "#9a9a9a",
        (_, Severity::Critical) => "#c0282d",
        (_, Severity::Major) => "#e8912d",
        (_, Severity::Minor) => "#e8c22d",
    }
}

#[cfg(test)]
mod tests {
    use netqoe_model::{Cause, Dimension};

    use super::*;
    use crate::words;

    #[test]
    fn a_message_leads_to_the_page_where_that_is_known() {
        let linked = Message { url: Some("https://netqoe.example.org/?incident=1".to_owned()), ..Message::test(0) };
        let body = body(&[linked, Message::test(0)]);
        assert_eq!(body["attachments"][0]["title_link"], "https://netqoe.example.org/?incident=1");
        assert!(body["attachments"][1].get("title").is_none());
    }

    #[test]
    fn names_call_nobody() {
        let value = vec!["<!channel> <@U1> @here & <https://example.org|click>".into()];
        let cause = Cause { dimension: Dimension::Client, value };
        let mut message = Message { event: MessageEvent::Opened, cause, ..Message::test(0) };
        message.summary = words::sentence(&message);
        let body = body(&[message]);
        let text = body.pointer("/attachments/0/text").and_then(Value::as_str).unwrap();
        assert!(text.contains("&lt;!channel&gt; &lt;@\u{200b}U1&gt; @\u{200b}here &amp; "), "{text}");
        assert!(!text.contains('<') && !text.contains("@here"), "{text}");
    }

    #[test]
    fn several_messages_are_one_body() {
        let body = body(&[Message::test(1), Message::test(2)]);
        assert_eq!(body["text"], "netqoe: 2 messages");
        assert_eq!(body["attachments"].as_array().unwrap().len(), 2);
        assert_eq!(body["attachments"][1]["footer"], "test-2");
    }
}
