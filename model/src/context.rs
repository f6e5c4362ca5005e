//! What an event says about the network of its client.

use serde::Deserialize;

use crate::Network;

/// Longest `network_context` that is kept, in bytes. Real ones are about a hundred; the store keeps one a client.
const MAX_CONTEXT_BYTES: usize = 4096;

/// The network of a client, as its newest event tells it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientContext {
    /// `network_type`, or `interface_type` as some probes call it.
    pub network_type: Option<String>,
    /// The provider.
    pub isp: Option<String>,
    /// Where the client is: `site`, or `user_label` where there is none.
    pub site: Option<String>,
    /// The whole `network_context` as JSON text, with what else it says (`source_ip`, `vpn_enabled`, `user_label`, …).
    pub json: Option<String>,
}

impl ClientContext {
    /// From the text of `network_context`. A text that is not an object, or is longer than 4 KiB, gives an empty
    /// context: a client is counted whatever it says about its network.
    pub fn parse(json: &str) -> Self {
        #[derive(Deserialize)]
        struct Fields {
            network_type: Option<serde_json::Value>,
            interface_type: Option<serde_json::Value>,
            isp: Option<serde_json::Value>,
            site: Option<serde_json::Value>,
            user_label: Option<serde_json::Value>,
        }
        if json.len() > MAX_CONTEXT_BYTES {
            return Self::default();
        }
        let Ok(fields) = serde_json::from_str::<Fields>(json) else { return Self::default() };
        // PostgreSQL does not accept U+0000 in texts.
        let text = |value: Option<serde_json::Value>| Some(value?.as_str()?.replace('\0', ""));
        Self {
            network_type: text(fields.network_type).or_else(|| text(fields.interface_type)),
            isp: text(fields.isp),
            site: text(fields.site).or_else(|| text(fields.user_label)),
            json: Some(json.to_owned()),
        }
    }

    /// The network that it names, if it names one.
    pub fn network(&self) -> Option<Network> {
        Network::named(self.network_type.as_deref(), self.isp.as_deref(), self.site.as_deref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_both_names_of_the_network_type() {
        let context = ClientContext::parse(r#"{"interface_type": "wifi", "isp": "A\u0000B", "vpn_enabled": true}"#);
        assert_eq!(context.network_type.as_deref(), Some("wifi"));
        assert_eq!(context.isp.as_deref(), Some("AB"));
        assert_eq!(
            ClientContext::parse(r#"{"network_type": "lte", "interface_type": "x"}"#).network_type.as_deref(),
            Some("lte")
        );
    }

    #[test]
    fn the_site_is_the_label_where_no_site_is_named() {
        for (json, site) in [
            (r#"{"site": "Oslo", "user_label": "home"}"#, Some("Oslo")),
            (r#"{"site": null, "user_label": "home"}"#, Some("home")),
            (r#"{"site": 5, "user_label": "home"}"#, Some("home")),
            (r#"{"vpn_enabled": true}"#, None),
        ] {
            assert_eq!(ClientContext::parse(json).site.as_deref(), site, "{json}");
            assert_eq!(ClientContext::parse(json).network(), Network::named(None, None, site), "{json}");
        }
    }

    #[test]
    fn what_is_no_context_says_nothing() {
        for json in ["null", "[1]", "3", "{", r#""text""#] {
            assert_eq!(ClientContext::parse(json), ClientContext::default(), "{json}");
        }
        assert_eq!(ClientContext::parse(r#"{"isp": 5}"#).isp, None);
    }
}
