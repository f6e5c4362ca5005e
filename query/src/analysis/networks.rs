//! The networks that windows were measured over, by which pairs are grouped. What the past says of a client is what its
//! rows of that time say: the network that the client is in now is another question.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use netqoe_sinks::read::{CurrentRecord, Pair, SplitRecord};
use serde::Serialize;

/// What is known of a network.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Network {
    pub(crate) isp: Option<String>,
    pub(crate) network_type: Option<String>,
}

impl Network {
    /// All of it is unknown where a row names none.
    pub(crate) fn of(network: Option<&netqoe_model::Network>) -> Self {
        let names = network.map_or([None; 3], netqoe_model::Network::names);
        let [network_type, isp, _] = names.map(|name| name.map(str::to_owned));
        Self { isp, network_type }
    }
}

/// The provider of a row's network.
pub(crate) fn isp(row: &CurrentRecord) -> Option<&str> {
    row.network.as_ref()?.isp.as_deref()
}

/// Of each client, the network of its newest row that names one.
#[derive(Debug, Default)]
pub(crate) struct Networks(HashMap<Arc<str>, Arc<netqoe_model::Network>>);

impl Networks {
    /// Of rows by client and target. Of several newest rows, the first target's counts.
    pub(crate) fn of_clients(rows: &[CurrentRecord]) -> Self {
        let of_client = |rows: &[CurrentRecord]| {
            let named = rows.iter().rev().filter_map(|row| Some((row, row.network.as_ref()?)));
            let (row, network) = named.max_by_key(|(row, _)| row.window_start)?;
            Some((Arc::clone(&row.pair.client_id), Arc::clone(network)))
        };
        Self(rows.chunk_by(|a, b| a.pair.client_id == b.pair.client_id).filter_map(of_client).collect())
    }

    /// All is unknown of a client without such a row.
    pub(crate) fn of(&self, client_id: &str) -> Network {
        Network::of(self.0.get(client_id).map(|network| &**network))
    }

    /// Memory that they take, about. Networks are shared, and few.
    pub(crate) fn bytes(&self) -> usize {
        self.0.len() * size_of::<(Arc<str>, Arc<netqoe_model::Network>)>()
    }
}

/// Of each pair, what most of its windows have: over which network they were measured, say. `records` are by pair; of what as many
/// windows have, the last counts.
pub(crate) fn of_most_windows<'a, T: Ord>(
    records: &'a [SplitRecord],
    what: impl Fn(&'a SplitRecord) -> &'a T,
) -> HashMap<&'a Pair, &'a T> {
    let of_pair = |records: &'a [SplitRecord]| {
        let mut windows: BTreeMap<&T, u64> = BTreeMap::new();
        let counts = records.iter().map(|record| (what(record), record.inside_windows + record.outside_windows));
        counts.for_each(|(what, count)| *windows.entry(what).or_default() += count);
        windows.into_iter().max_by_key(|(_, count)| *count).map(|(what, _)| what)
    };
    let pairs = records.chunk_by(|a, b| a.pair == b.pair);
    pairs.filter_map(|records| Some((&records[0].pair, of_pair(records)?))).collect()
}

#[cfg(test)]
mod tests {
    use netqoe_model::{LogTime, WindowStart};

    use super::*;

    fn network(isp: Option<&str>) -> Option<Arc<netqoe_model::Network>> {
        netqoe_model::Network::named(None, isp, None).map(Arc::new)
    }

    fn row(client_id: &str, target: &str, start_ms: i64, isp: Option<&str>) -> CurrentRecord {
        CurrentRecord {
            pair: Pair { client_id: client_id.into(), target: target.into() },
            window_start: WindowStart::from_ms(start_ms),
            label: None,
            network: network(isp),
            tags: None,
            finding: None,
            is_final: true,
            as_of: LogTime::from_ms(0),
            updated_at_ms: 0,
        }
    }

    #[test]
    fn a_client_has_the_network_of_its_newest_row_that_names_one() {
        let rows = [
            row("a", "s", 1, Some("old")),
            row("a", "t", 2, Some("first")),
            row("a", "u", 2, Some("second")),
            row("a", "v", 3, None),
            row("b", "t", 9, None),
        ];
        let networks = Networks::of_clients(&rows);
        assert_eq!(networks.of("a").isp.as_deref(), Some("first"));
        assert_eq!((networks.of("b"), networks.of("c")), (Network::default(), Network::default()));
    }

    #[test]
    fn a_pair_has_the_network_of_most_of_its_windows() {
        let split = |target: &str, isp, inside_windows, outside_windows| SplitRecord {
            inside_windows,
            outside_windows,
            ..SplitRecord::none_of(Pair { client_id: "a".into(), target: target.into() }, network(isp), None)
        };
        let records = [
            split("t", None, 1, 1),
            split("t", Some("x"), 2, 1),
            split("u", None, 5, 0),
            split("u", Some("x"), 1, 3),
            // Apart by their labels.
            split("v", None, 3, 0),
            split("v", Some("x"), 2, 0),
            split("v", Some("x"), 0, 2),
        ];
        let networks = of_most_windows(&records, |record| &record.network);
        let isp = |record: &SplitRecord| Network::of(networks[&record.pair].as_deref()).isp;
        assert_eq!([0, 2, 4].map(|nth| isp(&records[nth])), [Some("x".to_owned()), None, Some("x".to_owned())]);
    }
}
