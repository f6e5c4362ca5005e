//! Where people see an incident.

use url::Url;

use crate::message::{Message, MessageEvent};

/// The query parameter by which the page opens an incident.
const INCIDENT: &str = "incident";

/// The page's URL, as receivers of messages reach it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageUrl(Url);

impl PageUrl {
    /// The error is a part of a sentence.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let url = Url::parse(text).map_err(|error| format!("page_url: {text} is no URL: {error}"))?;
        if !["http", "https"].contains(&url.scheme()) {
            return Err(format!("page_url: {text} must begin with http:// or https://"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("page_url holds a user or a password, and would be sent to every receiver".to_owned());
        }
        Ok(Self(url))
    }

    /// Where the page shows the incident of a message; the page itself for a test message.
    pub(crate) fn of(&self, message: &Message) -> String {
        let mut url = self.0.clone();
        if message.event != MessageEvent::Test {
            url.query_pairs_mut().append_pair(INCIDENT, &message.incident.0);
        }
        url.into()
    }
}

#[cfg(test)]
mod tests {
    use netqoe_model::IncidentId;

    use super::*;

    #[test]
    fn an_incident_has_a_place_on_the_page() {
        let test = Message::test(0);
        assert_eq!(PageUrl::parse("http://host/qoe").unwrap().of(&test), "http://host/qoe", "it is of no incident");
        let incident = IncidentId("9f3b1c2ad4e5f607".into());
        let message = Message { event: MessageEvent::Closed, incident, ..test };
        let at = |page: &str| PageUrl::parse(page).unwrap().of(&message);
        assert_eq!(at("https://netqoe.example.org"), "https://netqoe.example.org/?incident=9f3b1c2ad4e5f607");
        assert_eq!(
            at("http://host:8080/qoe/?theme=dark"),
            "http://host:8080/qoe/?theme=dark&incident=9f3b1c2ad4e5f607"
        );
    }

    #[test]
    fn what_is_no_page_is_refused() {
        for wrong in ["netqoe", "ftp://host/", "https://user@host/", "https://:secret@host/"] {
            let refused = PageUrl::parse(wrong).unwrap_err();
            assert!(refused.contains("page_url") && !refused.contains("secret"), "{refused}");
        }
    }
}
