//! Degraded pairs by what they have in common: a target, a client, a provider.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use netqoe_model::{Label, PairTally, Severity};
use netqoe_sinks::read::{CurrentRecord, Pair};
use serde::Serialize;
use utoipa::ToSchema;

use super::current::{Current, is_degraded, since_ms};
use super::networks::isp;
use crate::schema;

/// Groups that are listed of each kind; they are the first screen of a page.
const MAX_GROUPS: usize = 500;
/// Names that stand for all of a group's.
const MAX_NAMES: usize = 5;

/// What all groups say.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Hurt {
    /// The most frequent among its degraded pairs.
    #[schema(value_type = schema::Label)]
    label: Label,
    /// The worst among them.
    #[schema(value_type = schema::Severity)]
    severity: Severity,
    /// Since when the first of them has had its label, Unix milliseconds; null where none of their rows says so.
    #[schema(required)]
    since: Option<i64>,
    pub(crate) degraded_pairs: usize,
    pairs: usize,
}

/// A target with degraded pairs.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TargetGroup {
    target: String,
    #[serde(flatten)]
    hurt: Hurt,
    /// Up to five of the clients that are hurt, worst first.
    clients: Vec<String>,
    client_count: usize,
    /// Up to five of the providers of these clients, by name.
    isps: Vec<String>,
    isp_count: usize,
    /// Whether each provider that measures the target is hurt. Clients that name none do not matter.
    all_isps: bool,
}

/// A client with degraded pairs.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ClientGroup {
    client_id: String,
    #[schema(required)]
    isp: Option<String>,
    #[schema(required)]
    network_type: Option<String>,
    #[serde(flatten)]
    hurt: Hurt,
    /// Up to five of the targets that are hurt, worst first.
    targets: Vec<String>,
    target_count: usize,
}

/// A provider with degraded pairs.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct IspGroup {
    /// Null for the clients that name none.
    #[schema(required)]
    isp: Option<String>,
    #[serde(flatten)]
    hurt: Hurt,
    /// Up to five of the clients that are hurt, worst first.
    clients: Vec<String>,
    client_count: usize,
    /// Up to five of the targets that are hurt, worst first.
    targets: Vec<String>,
    target_count: usize,
}

/// The value of a label that has degraded pairs.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LabelGroup {
    /// Null for the pairs without the label.
    #[schema(required)]
    value: Option<String>,
    #[serde(flatten)]
    hurt: Hurt,
    /// Up to five of the clients that are hurt, worst first.
    clients: Vec<String>,
    client_count: usize,
    /// Up to five of the targets that are hurt, worst first.
    targets: Vec<String>,
    target_count: usize,
}

/// The rows of a group.
#[derive(Debug, Default)]
pub(crate) struct Members<'a> {
    all: Vec<&'a CurrentRecord>,
    /// Worst first.
    degraded: Vec<&'a CurrentRecord>,
}

/// Rows by a key of theirs; `degraded` is worst first.
pub(crate) fn by<'a, K: Ord>(
    current: &'a Current,
    degraded: &[&'a CurrentRecord],
    key: impl Fn(&'a CurrentRecord) -> K,
) -> BTreeMap<K, Members<'a>> {
    let mut groups: BTreeMap<K, Members<'a>> = BTreeMap::new();
    for row in &current.rows {
        groups.entry(key(row)).or_default().all.push(row);
    }
    for row in degraded {
        groups.entry(key(row)).or_default().degraded.push(row);
    }
    groups
}

/// Those with a degraded pair, as they are listed, and how many are not listed: most pairs hurt first, then the worst.
pub(crate) fn listed<'a, K: Ord, G>(
    groups: &BTreeMap<K, Members<'a>>,
    group: impl Fn(&K, &Members<'a>, Hurt) -> G,
) -> (Vec<G>, usize) {
    let hurt = groups.iter().filter_map(|(key, members)| Some((key, members, members.hurt()?)));
    let mut hurt: Vec<_> = hurt.collect();
    hurt.sort_by_key(|(_, _, hurt)| (Reverse(hurt.degraded_pairs), Reverse(hurt.severity)));
    let left_off = hurt.len().saturating_sub(MAX_GROUPS);
    hurt.truncate(MAX_GROUPS);
    (hurt.into_iter().map(|(key, members, hurt)| group(key, members, hurt)).collect(), left_off)
}

impl<'a> Members<'a> {
    fn hurt(&self) -> Option<Hurt> {
        let severity = self.degraded.iter().filter_map(|row| Some(row.finding.as_ref()?.severity)).max()?;
        Some(Hurt {
            label: self.most_frequent_label()?,
            severity,
            since: self.degraded.iter().filter_map(|row| since_ms(row)).min(),
            degraded_pairs: self.degraded.len(),
            pairs: self.all.len(),
        })
    }

    /// Of equally frequent ones, the first that a measurement meets.
    fn most_frequent_label(&self) -> Option<Label> {
        let count = |label: Label| self.degraded.iter().filter(|row| row.label == Some(label)).count();
        Label::ALL.into_iter().rev().max_by_key(|&label| count(label)).filter(|&label| count(label) > 0)
    }

    /// Up to five of the names of its degraded rows, in their order, and how many there are.
    fn names(&self, name: impl Fn(&Pair) -> &str) -> (Vec<String>, usize) {
        let (mut seen, mut first) = (BTreeSet::new(), Vec::new());
        for row in &self.degraded {
            let name = name(&row.pair);
            if seen.insert(name) && first.len() < MAX_NAMES {
                first.push(name.to_owned());
            }
        }
        (first, seen.len())
    }

    pub(crate) fn is_degraded(&self) -> bool {
        !self.degraded.is_empty()
    }
}

pub(crate) fn of_target<'a>(target: &str, members: &Members<'a>, hurt: Hurt) -> TargetGroup {
    let isps_of = |rows: &[&'a CurrentRecord]| rows.iter().filter_map(|row| isp(row)).collect::<BTreeSet<_>>();
    let (measuring, isps) = (isps_of(&members.all), isps_of(&members.degraded));
    let (clients, client_count) = members.names(|pair| &pair.client_id);
    TargetGroup {
        target: target.to_owned(),
        hurt,
        clients,
        client_count,
        isp_count: isps.len(),
        all_isps: !isps.is_empty() && isps == measuring,
        isps: isps.into_iter().take(MAX_NAMES).map(str::to_owned).collect(),
    }
}

pub(crate) fn of_client(current: &Current, client_id: &str, members: &Members<'_>, hurt: Hurt) -> ClientGroup {
    let network = current.networks.of(client_id);
    let (targets, target_count) = members.names(|pair| &pair.target);
    ClientGroup {
        client_id: client_id.to_owned(),
        isp: network.isp,
        network_type: network.network_type,
        hurt,
        targets,
        target_count,
    }
}

pub(crate) fn of_isp(isp: Option<&str>, members: &Members<'_>, hurt: Hurt) -> IspGroup {
    let (clients, client_count) = members.names(|pair| &pair.client_id);
    let (targets, target_count) = members.names(|pair| &pair.target);
    IspGroup { isp: isp.map(str::to_owned), hurt, clients, client_count, targets, target_count }
}

pub(crate) fn of_label(value: Option<&str>, members: &Members<'_>, hurt: Hurt) -> LabelGroup {
    let (clients, client_count) = members.names(|pair| &pair.client_id);
    let (targets, target_count) = members.names(|pair| &pair.target);
    LabelGroup { value: value.map(str::to_owned), hurt, clients, client_count, targets, target_count }
}

/// How many pairs there are of each kind.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct PairCounts {
    total: usize,
    healthy: usize,
    degraded: usize,
    /// Without a baseline yet.
    unknown: usize,
    /// That miss their rhythm, for a day at most. Their rows count no longer.
    unmeasured: usize,
}

impl PairCounts {
    pub(crate) fn of(rows: &[CurrentRecord], unmeasured: usize) -> Self {
        let degraded = rows.iter().filter(|row| is_degraded(row)).count();
        let unknown = rows.iter().filter(|row| row.label.is_none()).count();
        let healthy = rows.len() - degraded - unknown;
        Self { total: rows.len() + unmeasured, healthy, degraded, unknown, unmeasured }
    }

    /// The same, as incidents count.
    pub(crate) fn tally(&self) -> PairTally {
        let [degraded, healthy, unjudged, unmeasured] = [self.degraded, self.healthy, self.unknown, self.unmeasured]
            .map(|count| u32::try_from(count).unwrap_or(u32::MAX));
        PairTally { degraded, healthy, unjudged, unmeasured }
    }
}
