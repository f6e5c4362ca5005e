//! The clients, and the network of each.

use std::sync::Arc;

use hashbrown::HashMap;
use netqoe_model::{ClientContext, ClientRow, EventTime, Network};

use super::kept_once::KeptOnce;
use crate::event_batch::Recency;

/// Index of a client in its partition.
pub(super) type ClientIndex = u32;

/// The clients of one partition.
#[derive(Debug, Default)]
pub(super) struct Clients {
    by_name: HashMap<Arc<str>, ClientIndex>,
    clients: Vec<Client>,
    free: Vec<ClientIndex>,
    changed: Vec<ClientIndex>,
    /// Those that clients and open windows name.
    networks: KeptOnce<Network>,
    /// What an event said that was older than its client's newest: kept only to be handed out.
    older: Option<Arc<Network>>,
}

#[derive(Debug)]
struct Client {
    name: Arc<str>,
    /// As the newest event said it; parsed only when a row is made of it.
    context: String,
    /// The one that the context names. Clients say the same again and again, so it is read once.
    network: Option<Arc<Network>>,
    first_seen: EventTime,
    newest: Recency,
    changed: bool,
    pairs: usize,
}

impl Clients {
    /// Another pair of this client.
    pub(super) fn add_pair(&mut self, name: &str) -> (ClientIndex, Arc<str>) {
        let index = match self.by_name.get(name) {
            Some(&index) => index,
            None => self.add(name),
        };
        let client = &mut self.clients[index as usize];
        client.pairs += 1;
        (index, client.name.clone())
    }

    fn add(&mut self, name: &str) -> ClientIndex {
        let client = Client {
            name: name.into(),
            context: String::new(),
            network: None,
            first_seen: EventTime::from_ms(i64::MAX),
            newest: Recency { ts: EventTime::from_ms(i64::MIN), came_late: false },
            changed: false,
            pairs: 0,
        };
        let name = client.name.clone();
        let index = if let Some(index) = self.free.pop() {
            self.clients[index as usize] = client;
            index
        } else {
            self.clients.push(client);
            self.clients.len() as ClientIndex - 1
        };
        self.by_name.insert(name, index);
        index
    }

    /// A pair of this client is forgotten, and the client with its last one. There is then nothing new to say of it:
    /// it changes only with events, and those are shown long before.
    pub(super) fn remove_pair(&mut self, index: ClientIndex) {
        let client = &mut self.clients[index as usize];
        client.pairs -= 1;
        if client.pairs == 0 && !client.changed {
            self.by_name.remove(&client.name);
            self.free.push(index);
        }
    }

    /// The client was seen in a counted event. Returns the network that the event names, if it names one.
    pub(super) fn see(&mut self, index: ClientIndex, recency: Recency, network_context: &str) -> Option<&Arc<Network>> {
        let client = &mut self.clients[index as usize];
        client.first_seen = client.first_seen.min(recency.ts);
        if !client.changed {
            client.changed = true;
            self.changed.push(index);
        }
        let is_newest = recency >= client.newest;
        if is_newest {
            client.newest = recency;
        }
        if client.context != network_context {
            let network = ClientContext::network_in(network_context);
            let network = network.map(|network| self.networks.of(network));
            if !is_newest {
                self.older = network;
                return self.older.as_ref();
            }
            client.context.clear();
            client.context.push_str(network_context);
            client.network = network;
        }
        client.network.as_ref()
    }

    /// The clients that changed since this was last asked.
    pub(super) fn take_changed(&mut self) -> Vec<ClientRow> {
        let rows = self.changed.iter().map(|&index| {
            let client = &mut self.clients[index as usize];
            client.changed = false;
            ClientRow {
                client_id: client.name.clone(),
                context: ClientContext::parse(&client.context),
                first_seen: client.first_seen,
                last_seen: client.newest.ts,
            }
        });
        let rows = rows.collect();
        self.changed.clear();
        rows
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: i64) -> EventTime {
        EventTime::from_ms(ms)
    }

    fn in_time(ms: i64) -> Recency {
        Recency { ts: EventTime::from_ms(ms), came_late: false }
    }

    #[test]
    fn the_newest_event_tells_the_network() {
        let mut clients = Clients::default();
        let (c, _) = clients.add_pair("c");
        clients.see(c, in_time(20), r#"{"isp":"new"}"#);
        clients.see(c, in_time(10), r#"{"isp":"old"}"#);
        let rows = clients.take_changed();
        assert_eq!((rows.len(), rows[0].first_seen, rows[0].last_seen), (1, ms(10), ms(20)));
        assert_eq!(rows[0].context.isp.as_deref(), Some("new"));
        assert!(clients.take_changed().is_empty());
    }

    #[test]
    fn each_event_names_its_own_network_whatever_came_before() {
        let mut clients = Clients::default();
        let (c, _) = clients.add_pair("c");
        let mut isp = |at, context: &str| clients.see(c, in_time(at), context).and_then(|network| network.isp.clone());
        assert_eq!(isp(20, r#"{"isp":"new"}"#).as_deref(), Some("new"));
        assert_eq!(isp(10, r#"{"isp":"old"}"#).as_deref(), Some("old"));
        assert_eq!(isp(20, r#"{"isp":"new"}"#).as_deref(), Some("new"));
        assert_eq!(isp(30, ""), None);
        assert_eq!(isp(10, ""), None);
    }

    #[test]
    fn of_events_with_the_same_time_the_last_in_the_log_tells_the_network() {
        let mut clients = Clients::default();
        let (c, _) = clients.add_pair("c");
        clients.see(c, Recency { ts: ms(20), came_late: true }, r#"{"isp":"late"}"#);
        clients.see(c, in_time(20), r#"{"isp":"in time"}"#);
        assert_eq!(clients.take_changed()[0].context.isp.as_deref(), Some("late"));
        clients.see(c, Recency { ts: ms(20), came_late: true }, r#"{"isp":"later"}"#);
        assert_eq!(clients.take_changed()[0].context.isp.as_deref(), Some("later"));
    }

    #[test]
    fn a_client_goes_with_its_last_pair() {
        let mut clients = Clients::default();
        let (c, _) = clients.add_pair("c");
        assert_eq!(clients.add_pair("c").0, c);
        clients.remove_pair(c);
        assert_eq!(clients.by_name.len(), 1);
        clients.remove_pair(c);
        assert_eq!(clients.by_name.len(), 0);
        assert_eq!(clients.add_pair("d").0, c, "its place is used again");
    }
}
