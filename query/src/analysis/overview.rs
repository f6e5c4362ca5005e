//! What the first screen says: who is hurt, where, since when.

use std::collections::BTreeMap;

use netqoe_model::{Label, Rules, Severity};
use netqoe_sinks::read::CurrentRecord;
use serde::Serialize;
use utoipa::ToSchema;

use super::current::{Current, degraded, since_ms};
use super::groups::{self, ClientGroup, IspGroup, Members, PairCounts, TargetGroup};
use super::networks::{self, Network};
use crate::answer::Evidence;
use crate::pipeline::Events;
use crate::schema;

/// Diagnoses that are listed: more than anybody reads.
const MAX_DIAGNOSES: usize = 500;

/// How the fleet is at one time, by the newest row of each pair of the five windows up to it. Pairs that have been silent
/// for longer do not count.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Overview {
    /// Start of the newest window with rows before `to`, Unix milliseconds; null without rows.
    #[schema(required)]
    at: Option<i64>,
    /// Length of a window.
    window_ms: i64,
    pairs: PairCounts,
    targets: Counts,
    clients: Counts,
    freshness: Freshness,
    /// Where all events of the log went.
    events: Events,
    by_target: Vec<TargetGroup>,
    by_target_left_off: usize,
    by_client: Vec<ClientGroup>,
    by_client_left_off: usize,
    by_isp: Vec<IspGroup>,
    by_isp_left_off: usize,
    /// The worst first.
    diagnoses: Vec<CurrentDiagnosis>,
    diagnoses_left_off: usize,
}

/// How many there are.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Counts {
    total: usize,
    /// Those with a degraded pair.
    degraded: usize,
}

/// How old the newest rows are.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(crate) struct Freshness {
    /// The latest log time that a row reflects, Unix milliseconds.
    #[schema(required)]
    newest_row_as_of: Option<i64>,
    /// When a row was written last, Unix milliseconds.
    #[schema(required)]
    newest_row_updated_at: Option<i64>,
}

/// What hurts a pair now.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CurrentDiagnosis {
    client_id: String,
    target: String,
    #[schema(required)]
    isp: Option<String>,
    #[schema(required)]
    network_type: Option<String>,
    /// Unix milliseconds.
    window_start_ts: i64,
    #[schema(value_type = schema::Label)]
    label: Label,
    #[schema(value_type = schema::Severity)]
    severity: Severity,
    /// Since when the pair has had this label, Unix milliseconds; null where its row does not say so.
    #[schema(required)]
    since: Option<i64>,
    evidence: Evidence,
    is_final: bool,
}

pub(crate) fn of(current: &Current, rules: &Rules) -> Overview {
    let degraded = &degraded(&current.rows)[..];
    let targets = groups::by(current, degraded, |row| &*row.pair.target);
    let clients = groups::by(current, degraded, |row| &*row.pair.client_id);
    let isps = groups::by(current, degraded, networks::isp);
    let (by_target, by_target_left_off) =
        groups::listed(&targets, |target, members, hurt| groups::of_target(target, members, hurt));
    let (by_client, by_client_left_off) =
        groups::listed(&clients, |client, members, hurt| groups::of_client(current, client, members, hurt));
    let (by_isp, by_isp_left_off) = groups::listed(&isps, |isp, members, hurt| groups::of_isp(*isp, members, hurt));
    let diagnoses = degraded.iter().take(MAX_DIAGNOSES);
    Overview {
        at: current.at_ms,
        window_ms: rules.window_ms,
        pairs: PairCounts::of(&current.rows),
        targets: Counts::of(&targets),
        clients: Counts::of(&clients),
        freshness: Freshness::of(&current.rows),
        events: current.ledger.into(),
        by_target,
        by_target_left_off,
        by_client,
        by_client_left_off,
        by_isp,
        by_isp_left_off,
        diagnoses: diagnoses.filter_map(|row| CurrentDiagnosis::of(row)).collect(),
        diagnoses_left_off: degraded.len().saturating_sub(MAX_DIAGNOSES),
    }
}

impl Counts {
    fn of<K>(groups: &BTreeMap<K, Members<'_>>) -> Self {
        Self { total: groups.len(), degraded: groups.values().filter(|members| members.is_degraded()).count() }
    }
}

impl Freshness {
    fn of(rows: &[CurrentRecord]) -> Self {
        Self {
            newest_row_as_of: rows.iter().map(|row| row.as_of.ms()).max(),
            newest_row_updated_at: rows.iter().map(|row| row.updated_at_ms).max(),
        }
    }
}

impl CurrentDiagnosis {
    /// None where nothing hurts.
    fn of(row: &CurrentRecord) -> Option<Self> {
        let (label, finding) = (row.label?, row.finding.as_deref()?);
        let network = Network::of(row.network.as_deref());
        Some(Self {
            client_id: row.pair.client_id.to_string(),
            target: row.pair.target.to_string(),
            isp: network.isp,
            network_type: network.network_type,
            window_start_ts: row.window_start.ms(),
            label,
            severity: finding.severity,
            since: since_ms(row),
            evidence: Evidence::of(label, finding.clone()),
            is_final: row.is_final,
        })
    }
}
