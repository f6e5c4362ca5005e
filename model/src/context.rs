//! What an event says about the network of its client.

use serde::Deserialize;
use serde_json::value::RawValue;

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

    /// The network that the text of a `network_context` names: as [`Self::parse`] reads it, but without a copy of the texts. Asked of
    /// nearly every event, as many contexts have an address that changes.
    pub fn network_in(json: &str) -> Option<Network> {
        if json.len() > MAX_CONTEXT_BYTES {
            return None;
        }
        let Some(PlainFields { network_type, interface_type, isp, site, user_label }) = PlainFields::of(json) else {
            return Self::parse(json).network();
        };
        Network::named(network_type.or(interface_type), isp, site.or(user_label))
    }

    /// The network that it names, if it names one.
    pub fn network(&self) -> Option<Network> {
        Network::named(self.network_type.as_deref(), self.isp.as_deref(), self.site.as_deref())
    }
}

/// The fields that are read of a context, where each is missing, null, or a text that stands in the JSON as it is.
struct PlainFields<'a> {
    network_type: Option<&'a str>,
    interface_type: Option<&'a str>,
    isp: Option<&'a str>,
    site: Option<&'a str>,
    user_label: Option<&'a str>,
}

impl<'a> PlainFields<'a> {
    /// `None` where one is something else, or the JSON is damaged.
    fn of(json: &'a str) -> Option<Self> {
        #[derive(Deserialize)]
        struct Fields<'a> {
            #[serde(borrow)]
            network_type: Option<&'a RawValue>,
            #[serde(borrow)]
            interface_type: Option<&'a RawValue>,
            #[serde(borrow)]
            isp: Option<&'a RawValue>,
            #[serde(borrow)]
            site: Option<&'a RawValue>,
            #[serde(borrow)]
            user_label: Option<&'a RawValue>,
        }
        let plain = |value: Option<&'a RawValue>| {
            let Some(value) = value else { return Some(None) };
            let text = value.get().strip_prefix('"')?.strip_suffix('"')?;
            (!text.contains('\\')).then_some(Some(text))
        };
        let fields: Fields<'a> = serde_json::from_str(json).ok()?;
        Some(Self {
            network_type: plain(fields.network_type)?,
            interface_type: plain(fields.interface_type)?,
            isp: plain(fields.isp)?,
            site: plain(fields.site)?,
            user_label: plain(fields.user_label)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_network_is_read_in_both_ways_alike(
            fields in prop::collection::vec((
                prop::sample::select(vec!["network_type", "interface_type", "isp", "site", "user_label", "source_ip"]),
                prop_oneof![
                    3 => "\"[a-c ]{0,3}\"",
                    1 => prop::sample::select(vec![
                        r#""a\u0000b""#, r#""\ud800""#, r#""a\"b""#, "null", "5", "1e999", r#"{"a":"b"}"#, "\"\u{1}\"", "\"ä", "[",
                    ]).prop_map(str::to_owned),
                ],
            ), 0..5),
        ) {
            let fields: Vec<_> = fields.iter().map(|(name, value)| format!("\"{name}\": {value}")).collect();
            let json = format!("{{{}}}", fields.join(", "));
            prop_assert_eq!(ClientContext::network_in(&json), ClientContext::parse(&json).network(), "{}", json);
        }
    }

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
