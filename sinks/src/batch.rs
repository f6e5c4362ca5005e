//! What one commit writes, gathered from its partitions into the order in which a store takes it best.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

use hashbrown::HashMap;
use netqoe_model::{AggregateRow, ClientRow, PartitionCommit};

/// The rows of all partitions by client, target and window. Rows of one key lie together in a store, so that
/// neighbours here are mostly on one page there. The order of rows of the same window is kept.
pub(crate) fn rows_by_key(partitions: &[PartitionCommit]) -> Vec<&AggregateRow> {
    let mut rows: Vec<&AggregateRow> = partitions.iter().flat_map(|partition| &partition.rows).collect();
    let (clients, targets) = (Places::of(&rows, |row| &row.client_id), Places::of(&rows, |row| &row.target));
    // Places are compared in their stead: most names are not in the processor's cache, and each is met many times.
    rows.sort_by_cached_key(|row| (clients.get(&row.client_id), targets.get(&row.target), row.window.start));
    rows
}

/// The places of names in their order, by where the names lie in memory: rows mostly share them.
struct Places(HashMap<usize, u32>);

impl Places {
    fn of<'a>(rows: &[&'a AggregateRow], name: impl Fn(&'a AggregateRow) -> &'a Arc<str>) -> Self {
        let mut places = HashMap::new();
        let mut names = Vec::new();
        let mut newest = None;
        for name in rows.iter().map(|row| name(row)) {
            // Rows of one pair mostly come together.
            if newest != Some(address(name)) && places.insert(address(name), 0).is_none() {
                names.push(name);
            }
            newest = Some(address(name));
        }
        names.sort_unstable();
        for (place, same) in (0..).zip(names.chunk_by(|a, b| a == b)) {
            places.extend(same.iter().map(|name| (address(name), place)));
        }
        Self(places)
    }

    fn get(&self, name: &Arc<str>) -> u32 {
        self.0.get(&address(name)).copied().unwrap_or_default() // all of them are there
    }
}

fn address(name: &Arc<str>) -> usize {
    Arc::as_ptr(name).cast::<u8>() as usize
}

fn by_key(a: &AggregateRow, b: &AggregateRow) -> Ordering {
    let by_name = |a: &Arc<str>, b: &Arc<str>| if Arc::ptr_eq(a, b) { Ordering::Equal } else { a.cmp(b) };
    by_name(&a.client_id, &b.client_id)
        .then_with(|| by_name(&a.target, &b.target))
        .then(a.window.start.cmp(&b.window.start))
}

/// One row for each key and window, where `rows` are in the order of [`rows_by_key`]: the one that would stand at the
/// end if they were written one after the other.
pub(crate) fn last_of_each<'a>(rows: &[&'a AggregateRow]) -> Vec<&'a AggregateRow> {
    rows.chunk_by(|a, b| by_key(a, b).is_eq())
        .filter_map(|same| same.iter().max_by_key(|row| row.window.as_of))
        .copied()
        .collect()
}

/// What all partitions say of each client, as one row.
pub(crate) fn clients<'a>(clients: impl Iterator<Item = &'a ClientRow>) -> Vec<Cow<'a, ClientRow>> {
    let mut merged: BTreeMap<&str, Cow<'_, ClientRow>> = BTreeMap::new();
    for client in clients {
        merged
            .entry(&client.client_id)
            .and_modify(|earlier| earlier.to_mut().absorb(client))
            .or_insert(Cow::Borrowed(client));
    }
    merged.into_values().collect()
}

/// Text that every store takes: PostgreSQL has no U+0000, which the reason for refusing a line may quote.
pub(crate) fn storable(text: &str) -> Cow<'_, str> {
    if text.contains('\0') { Cow::Owned(text.replace('\0', "\u{FFFD}")) } else { Cow::Borrowed(text) }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use netqoe_model::{Checkpoint, ClientContext, EventTime, LogTime, WindowRow, WindowStart};

    use super::*;

    fn row(client: &str, start: i64, as_of: i64, count_success: u32) -> AggregateRow {
        AggregateRow {
            client_id: Arc::from(client),
            target: Arc::from("t"),
            window: WindowRow {
                start: WindowStart::from_ms(start),
                is_final: false,
                as_of: LogTime::from_ms(as_of),
                count_success,
                errors: [0; 5],
                percentiles: [None; 5],
                network: None,
                tags: None,
            },
            diagnosis: None,
            ended_runs: vec![],
            pair_state: None,
        }
    }

    fn commit(rows: Vec<AggregateRow>, clients: Vec<ClientRow>) -> PartitionCommit {
        PartitionCommit {
            checkpoint: Checkpoint::default(),
            rows,
            clients,
            dead_letters: vec![],
            looks: vec![],
            waiting: vec![],
            oldest_record: None,
        }
    }

    #[test]
    fn the_last_row_of_the_newest_log_time_stays() {
        let commits = [
            commit(vec![row("b", 0, 1, 1), row("a", 60_000, 5, 2), row("a", 0, 1, 3)], vec![]),
            commit(vec![row("b", 0, 1, 4), row("a", 60_000, 4, 5)], vec![]),
        ];
        let counts: Vec<u32> =
            last_of_each(&rows_by_key(&commits)).iter().map(|row| row.window.count_success).collect();
        assert_eq!(counts, [3, 2, 4]);
    }

    #[test]
    fn a_client_keeps_its_first_and_last_time_and_the_newest_context() {
        let client = |first, last, isp: &str| ClientRow {
            client_id: Arc::from("a"),
            context: ClientContext { isp: Some(isp.to_owned()), ..ClientContext::default() },
            first_seen: EventTime::from_ms(first),
            last_seen: EventTime::from_ms(last),
        };
        let commits = [
            commit(vec![], vec![client(5, 9, "new"), client(3, 4, "old")]),
            commit(vec![], vec![client(7, 9, "newer")]),
        ];
        let merged = clients(commits.iter().flat_map(|commit| &commit.clients));
        assert_eq!(merged.len(), 1);
        assert_eq!((merged[0].first_seen.ms(), merged[0].last_seen.ms()), (3, 9));
        assert_eq!(merged[0].context.isp.as_deref(), Some("newer"));
    }

    #[test]
    fn only_what_no_store_takes_is_replaced() {
        assert_eq!(storable("a\0b"), "a\u{FFFD}b");
        assert!(matches!(storable("'\"😀\u{1}"), Cow::Borrowed(_)));
    }
}
