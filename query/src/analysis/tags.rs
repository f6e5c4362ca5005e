//! Labels of clients and targets, by which pairs are grouped.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use netqoe_model::{PairTags, Side, TagName};
use netqoe_sinks::read::{CurrentRecord, SplitRecord};

use crate::answer::Labels;

/// Labels that an answer has as dimensions: as many as a client and a target may have together. More are more than anybody chooses
/// from, and each of them costs a pass over all that is grouped.
pub(crate) const MAX_LABEL_DIMENSIONS: usize = 2 * netqoe_model::MAX_TAGS;

/// Labels that occur, those of most windows or pairs first; and how many are left off.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct LabelDimensions {
    pub(crate) names: Vec<TagName>,
    pub(crate) left_off: usize,
}

impl LabelDimensions {
    /// Those of some windows or pairs: how many have the same labels, and these.
    pub(crate) fn of<'a>(tagged: impl Iterator<Item = (u64, &'a Arc<PairTags>)>) -> Self {
        // Labels are shared, so there are far fewer of them than pairs.
        let mut counts: HashMap<*const PairTags, (u64, &PairTags)> = HashMap::new();
        tagged.for_each(|(count, tags)| counts.entry(Arc::as_ptr(tags)).or_insert((0, tags)).0 += count);
        let mut by_name: BTreeMap<(Side, &str), u64> = BTreeMap::new();
        for (count, tags) in counts.into_values() {
            tags.iter().for_each(|(side, key, _)| *by_name.entry((side, key)).or_default() += count);
        }
        let mut names: Vec<_> = by_name.into_iter().collect();
        names.sort_by_key(|(_, count)| Reverse(*count));
        let left_off = names.len().saturating_sub(MAX_LABEL_DIMENSIONS);
        names.truncate(MAX_LABEL_DIMENSIONS);
        let name = |((side, key), _): ((Side, &str), u64)| TagName { side, key: key.into() };
        Self { names: names.into_iter().map(name).collect(), left_off }
    }

    pub(crate) fn of_rows(rows: &[CurrentRecord]) -> Self {
        Self::of(rows.iter().filter_map(|row| Some((1, row.tags.as_ref()?))))
    }

    pub(crate) fn of_windows(records: &[SplitRecord]) -> Self {
        let windows = |record: &SplitRecord| record.inside_windows + record.outside_windows;
        Self::of(records.iter().filter_map(|record| Some((windows(record), record.tags.as_ref()?))))
    }
}

/// Of each client and each target, the labels of its newest row that carries any.
#[derive(Debug, Default)]
pub(crate) struct NewestTags {
    clients: HashMap<Arc<str>, Arc<PairTags>>,
    targets: HashMap<Arc<str>, Arc<PairTags>>,
}

impl NewestTags {
    /// Of rows by client and target. Of several newest rows of a client, the first target's counts, and the other way round.
    pub(crate) fn of(rows: &[CurrentRecord]) -> Self {
        let newest = |side: Side, name: fn(&CurrentRecord) -> &Arc<str>| {
            let mut newest: HashMap<Arc<str>, (i64, &Arc<PairTags>)> = HashMap::new();
            let tagged = rows.iter().filter_map(|row| Some((row, row.tags.as_ref()?)));
            for (row, tags) in tagged.filter(|(_, tags)| !tags.side(side).is_empty()) {
                let start_ms = row.window_start.ms();
                let known = newest.entry(Arc::clone(name(row))).or_insert((start_ms, tags));
                if start_ms > known.0 {
                    *known = (start_ms, tags);
                }
            }
            newest.into_iter().map(|(name, (_, tags))| (name, Arc::clone(tags))).collect()
        };
        Self {
            clients: newest(Side::Client, |row| &row.pair.client_id),
            targets: newest(Side::Target, |row| &row.pair.target),
        }
    }

    pub(crate) fn of_client(&self, client_id: &str) -> Labels {
        Labels::of(self.clients.get(client_id).map(|tags| &**tags), Side::Client)
    }

    pub(crate) fn of_target(&self, target: &str) -> Labels {
        Labels::of(self.targets.get(target).map(|tags| &**tags), Side::Target)
    }

    /// Memory that they take, about. The labels themselves are shared, and few.
    pub(crate) fn bytes(&self) -> usize {
        (self.clients.len() + self.targets.len()) * size_of::<(Arc<str>, Arc<PairTags>)>()
    }
}

#[cfg(test)]
mod tests {
    use netqoe_model::{LogTime, Tags, WindowStart};
    use netqoe_sinks::read::Pair;

    use super::*;

    fn tags(client: &str, target: &str) -> Option<Arc<PairTags>> {
        PairTags::of(Tags::parse(client).unwrap(), Tags::parse(target).unwrap()).map(Arc::new)
    }

    fn row(client_id: &str, target: &str, start_ms: i64, tags: Option<Arc<PairTags>>) -> CurrentRecord {
        CurrentRecord {
            pair: Pair { client_id: client_id.into(), target: target.into() },
            window_start: WindowStart::from_ms(start_ms),
            label: None,
            network: None,
            tags,
            finding: None,
            is_final: true,
            as_of: LogTime::from_ms(0),
            updated_at_ms: 0,
        }
    }

    #[test]
    fn a_client_has_the_labels_of_its_newest_row_that_carries_any() {
        let rows = [
            row("a", "s", 1, tags(r#"{"team":"old"}"#, r#"{"tier":"1"}"#)),
            row("a", "t", 2, tags(r#"{"team":"new"}"#, "{}")),
            row("a", "u", 2, tags(r#"{"team":"other"}"#, "{}")),
            row("a", "v", 3, tags("{}", r#"{"tier":"2"}"#)),
            row("b", "s", 9, None),
        ];
        let newest = NewestTags::of(&rows);
        let said = |labels: Labels| serde_json::to_string(&labels).unwrap();
        assert_eq!(said(newest.of_client("a")), r#"{"team":"new"}"#);
        assert_eq!(
            (said(newest.of_target("s")), said(newest.of_target("v"))),
            (r#"{"tier":"1"}"#.into(), r#"{"tier":"2"}"#.into())
        );
        assert_eq!((newest.of_client("b"), newest.of_target("t")), (Labels::default(), Labels::default()));
    }

    #[test]
    fn of_too_many_dimensions_those_of_most_windows_stay() {
        let many: Vec<String> = (0..16).map(|nth| format!(r#""k{nth:02}":"v""#)).collect();
        let many = format!("{{{}}}", many.join(","));
        let rows = [
            row("a", "t", 0, tags(&many, r#"{"z":"1"}"#)),
            row("b", "t", 0, tags(&many.replace('k', "l"), r#"{"z":"1"}"#)),
            row("c", "t", 0, tags(&many.replace('k', "l"), r#"{"z":"2"}"#)),
            row("d", "t", 0, None),
        ];
        let found = LabelDimensions::of_rows(&rows);
        assert_eq!((found.names.len(), found.left_off), (32, 1));
        let names: Vec<_> = found.names.iter().map(ToString::to_string).collect();
        assert_eq!(
            [&*names[0], &*names[1], &*names[16], &*names[17], &*names[31]],
            ["target.z", "client.l00", "client.l15", "client.k00", "client.k14"]
        );
        assert_eq!(LabelDimensions::of_rows(&rows[3..]), LabelDimensions::default());
    }
}
