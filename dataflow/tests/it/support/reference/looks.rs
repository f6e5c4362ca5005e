//! What every look shows, computed from scratch at each minute.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use netqoe_model::{Diagnosis, Network, PairTags, Rules, Standing};

use super::{Key, Record, Row, run_all};

/// What a look says of a window.
pub(crate) type Seen = (Standing, Option<Arc<Network>>, Option<Arc<PairTags>>);

/// By the look, and then by client, target and window. Looks that show nothing are left out.
pub(crate) type Looks = BTreeMap<i64, BTreeMap<Key, Seen>>;

/// The looks of one partition's log (or of a whole file), up to `through`: "what is new, or came to something else than in
/// the look before, of the windows that are open or close at the look".
pub(crate) fn looks(records: &[Record], rules: &Rules, through: i64) -> Looks {
    let times = log_times(records);
    let (mut looks, mut seen) = (Looks::new(), BTreeMap::<Key, Seen>::new());
    let Some(first) = times.iter().copied().find(|time| *time > 0) else { return looks };
    let mut at = first / rules.window_ms * rules.window_ms;
    let (mut before, mut same) = (0, 0);
    // For so many looks after an event, a window may begin or close.
    let eventful = (rules.max_future_ms + rules.lateness_ms) / rules.window_ms + 3;
    while at <= through {
        let count = times.partition_point(|time| *time <= at);
        same = if count == before { same + 1 } else { 0 };
        before = count;
        let rows = if same <= eventful { run_all(&records[..count], rules).rows } else { BTreeMap::new() };
        let mut look = BTreeMap::new();
        for (key, row) in rows {
            let closes_after = key.2 + rules.window_ms + rules.lateness_ms;
            let news = (standing(&row, rules), row.network, row.tags);
            if key.2 < at && closes_after >= at && seen.get(&key) != Some(&news) {
                seen.insert(key.clone(), news.clone());
                look.insert(key, news);
            }
        }
        if !look.is_empty() {
            looks.insert(at, look);
        }
        at += rules.window_ms;
    }
    looks
}

/// The log time of each record: given, or the running maximum of what the lines say.
pub(crate) fn log_times(records: &[Record]) -> Vec<i64> {
    let mut log_time = 0;
    let mut time = |(given, line): &Record| {
        log_time = match given {
            Some(given) => *given,
            None => netqoe_model::Event::parse(line.as_bytes())
                .map_or(log_time, |event| log_time.max(event.recv.unwrap_or(event.ts).ms())),
        };
        log_time
    };
    records.iter().map(&mut time).collect()
}

/// "Unjudged; working, if most of its measurements succeeded."
fn standing(row: &Row, rules: &Rules) -> Standing {
    let failed: u32 = row.errors.iter().sum();
    let most_fail = f64::from(failed) >= rules.diagnosis.error_bound.share * f64::from(failed + row.count_success);
    match &row.judged.diagnosis {
        None if failed > 0 && most_fail => Standing::Unjudged,
        None => Standing::Working,
        Some(Diagnosis { finding: None, .. }) => row.judged.suspected.map_or(Standing::Healthy, Standing::Suspected),
        Some(Diagnosis { label, finding: Some(finding) }) => Standing::Degraded(*label, finding.0),
    }
}

/// Fails with the first look that differs, and nothing else.
#[track_caller]
pub(crate) fn assert_same_looks(found: &Looks, expected: &Looks) {
    let ats: BTreeSet<_> = found.keys().chain(expected.keys()).collect();
    for at in ats {
        let [found, expected] = [found, expected].map(|looks| looks.get(at).cloned().unwrap_or_default());
        let only = |these: &BTreeMap<Key, Seen>, those: &BTreeMap<Key, Seen>| -> Vec<_> {
            these.clone().into_iter().filter(|(key, seen)| those.get(key) != Some(seen)).collect()
        };
        let [more, fewer] = [only(&found, &expected), only(&expected, &found)];
        assert!(more.is_empty() && fewer.is_empty(), "look {at} has\n{more:?}\ninstead of\n{fewer:?}");
    }
}
