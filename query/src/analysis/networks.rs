//! The networks of clients, by which pairs are grouped.

use std::collections::HashMap;

use netqoe_sinks::read::{ClientRecord, Filter, Query, ReadError, Rows};
use serde::Serialize;

use crate::pages::pages;

/// Clients that are read at once.
const PAGE: u16 = 10_000;

/// What a client says of its network.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Network {
    pub(crate) isp: Option<String>,
    pub(crate) network_type: Option<String>,
}

/// By client.
#[derive(Debug, Default)]
pub(crate) struct Networks(HashMap<String, Network>);

impl Networks {
    /// Of the client with this id, or of all; seen between these times (Unix milliseconds, the second is exclusive).
    pub(crate) fn read(
        rows: &dyn Rows,
        client_id: Option<&String>,
        [from_ms, to_ms]: [i64; 2],
    ) -> Result<Self, ReadError> {
        let filter =
            Filter { client_id: client_id.cloned(), from_ms: Some(from_ms), to_ms: Some(to_ms), ..Filter::default() };
        let query = Query { filter, after: None, limit: PAGE };
        let mut networks = HashMap::new();
        for page in pages(query, |query| rows.clients(query), |client| client.client_id.clone()) {
            networks.extend(page?.into_iter().map(|client| {
                let ClientRecord { client_id, isp, network_type, .. } = client;
                (client_id, Network { isp, network_type })
            }));
        }
        Ok(Self(networks))
    }

    /// Nothing is known of a client that the store does not know.
    pub(crate) fn of(&self, client_id: &str) -> Network {
        self.0.get(client_id).cloned().unwrap_or_default()
    }

    /// Memory that they take, about.
    pub(crate) fn bytes(&self) -> usize {
        let text = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        let of_client = |(client_id, network): (&String, &Network)| {
            size_of::<(String, Network)>() + client_id.len() + text(&network.isp) + text(&network.network_type)
        };
        self.0.iter().map(of_client).sum()
    }

    pub(crate) fn isp(&self, client_id: &str) -> Option<&str> {
        self.0.get(client_id)?.isp.as_deref()
    }
}

#[cfg(test)]
impl FromIterator<(String, Network)> for Networks {
    fn from_iter<I: IntoIterator<Item = (String, Network)>>(networks: I) -> Self {
        Self(networks.into_iter().collect())
    }
}
