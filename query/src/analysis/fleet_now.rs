//! What incidents and silence say of the fleet at one time, beside the rows of its pairs.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap, HashSet};

use netqoe_model::{Checkpoint, IncidentState, LogTime, PairTally, Rules, Unmeasured};
use netqoe_sinks::read::{
    CurrentRecord, Extent, IncidentFilter, IncidentRecord, Incidents, Paged, Pair, ReadError, UnmeasuredFilter,
};
use serde::Serialize;
use utoipa::ToSchema;

use super::asked::Resolved;
use crate::incidents::Planned;

/// Incidents that an overview lists: more than anybody reads at once.
const MAX_INCIDENTS: u16 = 50;
/// Silent clients that it lists.
const MAX_SILENT: usize = 10;
/// Unmeasured pairs that are read at once.
const PAGE: u16 = u16::MAX;

/// From one snapshot of the store.
#[derive(Debug, Default)]
pub(crate) struct FleetNow {
    /// The gravest of the incidents that are open, gravest first.
    pub(crate) incidents: Vec<IncidentRecord>,
    pub(crate) planned: Planned,
    /// How many incidents are open.
    pub(crate) open: u64,
    pub(crate) last_closed: Option<LogTime>,
    /// Pairs that miss their rhythm and have no newer row, by client and target.
    pub(crate) unmeasured: Vec<Unmeasured>,
    /// All pairs, as the newest look has found them.
    pub(crate) whole: PairTally,
    /// The newest log time of all partitions.
    pub(crate) log_time: Option<LogTime>,
    /// Whether a time is asked for that incidents have passed.
    pub(crate) is_past: bool,
}

impl FleetNow {
    /// Silence is known of the present alone.
    pub(crate) fn read(
        store: &dyn Incidents,
        checkpoints: &[Checkpoint],
        asked: &Resolved,
        to_ms: Option<i64>,
        rules: &Rules,
    ) -> Result<Self, ReadError> {
        let (through, whole) = store.tally()?.unzip();
        let is_past = to_ms.zip(through).is_some_and(|(to_ms, through)| to_ms <= through.ms());
        let then_ms = asked.at_ms.map_or(0, |at_ms| at_ms + rules.window_ms);
        let Extent { client_id, target, tags, .. } = asked.extent.clone();
        let names = IncidentFilter { client_id, target, tags, ..IncidentFilter::default() };
        let filter = match is_past {
            false => IncidentFilter { state: Some(IncidentState::Open), ..names },
            true => {
                IncidentFilter { without_withdrawn: true, from_ms: Some(then_ms - 1), to_ms: Some(then_ms), ..names }
            }
        };
        let incidents = store.gravest(&filter, MAX_INCIDENTS)?;
        Ok(Self {
            planned: Planned::of(store, &incidents)?,
            incidents,
            open: store.count(&filter)?,
            last_closed: store.last_closed(is_past.then(|| LogTime::from_ms(then_ms)))?,
            unmeasured: if is_past { Vec::new() } else { unmeasured(store, asked)? },
            whole: whole.unwrap_or_default(),
            log_time: checkpoints.iter().map(|checkpoint| checkpoint.log_time).max(),
            is_past,
        })
    }

    /// Memory that it takes, about: names are shared, and incidents few.
    pub(crate) fn bytes(&self) -> usize {
        self.unmeasured.len() * size_of::<Unmeasured>() + self.incidents.len() * 2 * size_of::<IncidentRecord>()
    }
}

/// All of them, page by page.
fn unmeasured(store: &dyn Incidents, asked: &Resolved) -> Result<Vec<Unmeasured>, ReadError> {
    let Extent { client_id, target, tags, .. } = asked.extent.clone();
    let filter = UnmeasuredFilter { client_id, target, tags };
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page = store.unmeasured(&filter, &Paged { after, limit: PAGE })?;
        after = page.items.last().map(pair);
        found.extend(page.items);
        if !page.has_more {
            return Ok(found);
        }
    }
}

fn pair(unmeasured: &Unmeasured) -> Pair {
    Pair { client_id: unmeasured.client_id.clone(), target: unmeasured.target.clone() }
}

/// A pair is either measured or not: who has a newer row than the one that it is missed since is measured again, and the row of
/// who is missed says nothing of now.
pub(super) fn separate(rows: &mut Vec<CurrentRecord>, unmeasured: &mut Vec<Unmeasured>) {
    if unmeasured.is_empty() {
        return;
    }
    let last: HashMap<Pair, _> = unmeasured.iter().map(|missed| (pair(missed), missed.last)).collect();
    let is_missed = |row: &CurrentRecord| last.get(&row.pair).is_some_and(|last| row.window_start <= *last);
    rows.retain(|row| !is_missed(row));
    let measured: HashSet<&Pair> = rows.iter().map(|row| &row.pair).collect();
    unmeasured.retain(|missed| !measured.contains(&pair(missed)));
}

/// Pairs that miss their rhythm, by client. Nothing where the past is asked for.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct UnmeasuredSummary {
    pub(super) pairs: usize,
    /// Those with the most such pairs, ten at most.
    pub(super) clients: Vec<SilentClient>,
    clients_left_off: usize,
}

/// A client with pairs that miss their rhythm.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct SilentClient {
    pub(super) client_id: String,
    /// How many of its pairs do.
    pub(super) pairs: usize,
    /// Start of the newest window that it has measured in with any of them, Unix milliseconds.
    pub(super) last: i64,
}

impl UnmeasuredSummary {
    pub(super) fn of(unmeasured: &[Unmeasured]) -> Self {
        let mut by_client: BTreeMap<&str, (usize, i64)> = BTreeMap::new();
        for missed in unmeasured {
            let (pairs, last) = by_client.entry(&missed.client_id).or_insert((0, i64::MIN));
            (*pairs, *last) = (*pairs + 1, (*last).max(missed.last.ms()));
        }
        let mut clients: Vec<_> = by_client.into_iter().collect();
        clients.sort_by_key(|(_, (pairs, _))| Reverse(*pairs));
        let clients_left_off = clients.len().saturating_sub(MAX_SILENT);
        let listed = clients.into_iter().take(MAX_SILENT);
        let listed =
            listed.map(|(client_id, (pairs, last))| SilentClient { client_id: client_id.to_owned(), pairs, last });
        Self { pairs: unmeasured.len(), clients: listed.collect(), clients_left_off }
    }

    /// How many clients there are.
    pub(super) fn client_count(&self) -> usize {
        self.clients.len() + self.clients_left_off
    }
}
