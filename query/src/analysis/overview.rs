//! What the first screen says: who is hurt, where, since when.

use std::collections::{BTreeMap, HashSet};

use netqoe_model::{Label, LogTime, PairTally, Rules, Severity, Side, TagName};
use netqoe_sinks::read::{CurrentRecord, IncidentRecord};
use serde::Serialize;
use utoipa::ToSchema;

use super::asked::Scope;
use super::current::{Current, degraded, since_ms};
use super::fleet_now::{SilentClient, UnmeasuredSummary};
use super::groups::{self, ClientGroup, IspGroup, LabelGroup, Members, PairCounts, TargetGroup};
use super::networks::{self, Network};
use super::tags::LabelDimensions;
use crate::answer::{Evidence, Labels};
use crate::certificates::{Certificates, ExpiringCertificate};
use crate::incidents::answer::IncidentItem;
use crate::pipeline::Events;
use crate::schema;
use crate::words::{self, Hurt, Silent};

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
    /// Whether the data are generated, by `up --demo`.
    demo: bool,
    sentence: SentenceItem,
    /// Those that are open, the gravest first: by severity, by degraded pairs, by when they opened; 50 at most.
    incidents: Vec<IncidentItem>,
    incidents_left_off: u64,
    /// When an incident was over last, Unix milliseconds; null where none was.
    #[schema(required)]
    last_incident_closed: Option<i64>,
    unmeasured: UnmeasuredSummary,
    /// Certificates of targets that expire within 14 days or have expired, as the newest measurements in the log have seen them:
    /// up to ten, the first to expire first. Empty where the past is asked for, and where there is no log.
    certificates: Vec<ExpiringCertificate>,
    certificates_left_off: usize,
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
    /// Labels that current rows carry, those of most pairs first: `client.team`, `target.service`; 32 at most.
    #[schema(value_type = Vec<schema::LabelDimension>)]
    label_dimensions: Vec<String>,
    label_dimensions_left_off: usize,
    /// By the values of the label that is asked for with `by`; empty without it.
    by_label: Vec<LabelGroup>,
    by_label_left_off: usize,
    /// The worst first.
    diagnoses: Vec<CurrentDiagnosis>,
    diagnoses_left_off: usize,
}

/// How the fleet is, in one sentence: that nobody measures; or the gravest open incident; or which pairs are degraded without
/// one; or who is silent; or that all is as usual.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Sentence)]
pub(crate) struct SentenceItem {
    /// Plain English without times; plain text, no HTML. Names in it are cut.
    text: String,
    /// Of what hurts; null where nothing does.
    #[schema(required, value_type = Option<schema::Severity>)]
    severity: Option<Severity>,
    /// The id of the incident that it tells of; null where it tells of none.
    #[schema(required)]
    incident: Option<String>,
    /// Since when it has been so, Unix milliseconds: since when the incident is open, pairs are degraded, somebody is silent, or
    /// the last incident is over. Null where that is unknown.
    #[schema(required)]
    since: Option<i64>,
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
    /// Empty if there are none.
    client_labels: Labels,
    /// Empty if there are none.
    target_labels: Labels,
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

/// What an overview tells beside what the store holds.
pub(crate) struct Beside {
    pub(crate) now_ms: i64,
    /// Whether the data are generated.
    pub(crate) demo: bool,
    /// Those that are listed, and how many others there are.
    pub(crate) certificates: (Vec<ExpiringCertificate>, usize),
}

/// Those that a scope is about. A certificate has no labels: those of the pair that has seen it last count.
pub(crate) fn certificates(
    all: &Certificates,
    scope: &Scope,
    current: &Current,
    now_ms: i64,
) -> (Vec<ExpiringCertificate>, usize) {
    let [client_id, target] = scope.names();
    let measured = current.rows.iter().map(|row| (&*row.pair.client_id, &*row.pair.target));
    let missed = current.fleet.unmeasured.iter().map(|missed| (&*missed.client_id, &*missed.target));
    let labelled = scope.is_labelled().then(|| measured.chain(missed).collect::<HashSet<_>>());
    let is_asked = |one: &ExpiringCertificate| {
        client_id.is_none_or(|client_id| one.client_id == client_id)
            && target.is_none_or(|target| one.target == target)
            && labelled.as_ref().is_none_or(|pairs| pairs.contains(&(&*one.client_id, &*one.target)))
    };
    all.listed(is_asked, now_ms)
}

pub(crate) fn of(current: &Current, by: Option<&TagName>, rules: &Rules, beside: Beside) -> Overview {
    let Beside { now_ms, demo, certificates } = beside;
    let (certificates, certificates_left_off) = if current.fleet.is_past { (Vec::new(), 0) } else { certificates };
    let degraded = &degraded(&current.rows)[..];
    let targets = groups::by(current, degraded, |row| &*row.pair.target);
    let clients = groups::by(current, degraded, |row| &*row.pair.client_id);
    let isps = groups::by(current, degraded, networks::isp);
    let (by_target, by_target_left_off) =
        groups::listed(&targets, |target, members, hurt| groups::of_target(target, members, hurt));
    let (by_client, by_client_left_off) =
        groups::listed(&clients, |client, members, hurt| groups::of_client(current, client, members, hurt));
    let (by_isp, by_isp_left_off) = groups::listed(&isps, |isp, members, hurt| groups::of_isp(*isp, members, hurt));
    let labels = LabelDimensions::of_rows(&current.rows);
    let (by_label, by_label_left_off) = by.map(|name| by_label(current, degraded, name)).unwrap_or_default();
    let diagnoses = degraded.iter().take(MAX_DIAGNOSES);
    let pairs = PairCounts::of(&current.rows, current.fleet.unmeasured.len());
    let measured = [clients.len(), targets.len()];
    let unmeasured = UnmeasuredSummary::of(&current.fleet.unmeasured);
    let item = |record: &IncidentRecord| IncidentItem::of(record.clone(), &current.fleet.planned);
    Overview {
        at: current.at_ms,
        window_ms: rules.window_ms,
        demo,
        sentence: sentence(current, degraded, &pairs.tally(), measured, &unmeasured, [rules.window_ms, now_ms]),
        incidents: current.fleet.incidents.iter().map(item).collect(),
        incidents_left_off: current.fleet.open.saturating_sub(current.fleet.incidents.len() as u64),
        last_incident_closed: current.fleet.last_closed.map(LogTime::ms),
        unmeasured,
        certificates,
        certificates_left_off,
        pairs,
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
        label_dimensions: labels.names.iter().map(ToString::to_string).collect(),
        label_dimensions_left_off: labels.left_off,
        by_label,
        by_label_left_off,
        diagnoses: diagnoses.filter_map(|row| CurrentDiagnosis::of(row)).collect(),
        diagnoses_left_off: degraded.len().saturating_sub(MAX_DIAGNOSES),
    }
}

/// Those with a degraded pair, by the value of a label, and how many are not listed.
fn by_label(current: &Current, degraded: &[&CurrentRecord], name: &TagName) -> (Vec<LabelGroup>, usize) {
    let values = groups::by(current, degraded, |row| row.tags.as_ref()?.get(name).map(|value| &**value));
    groups::listed(&values, |value, members, hurt| groups::of_label(*value, members, hurt))
}

fn sentence(
    current: &Current,
    degraded: &[&CurrentRecord],
    tally: &PairTally,
    measured: [usize; 2],
    unmeasured: &UnmeasuredSummary,
    [window_ms, now_ms]: [i64; 2],
) -> SentenceItem {
    let fleet = &current.fleet;
    let measured_ms = current.rows.iter().map(|row| row.window_start).max();
    let missed_ms = fleet.unmeasured.iter().map(|missed| missed.last).max();
    let told = words::of_fleet(&words::Fleet {
        gravest: fleet.incidents.first().map(|record| &record.incident),
        open: fleet.open,
        tally: *tally,
        whole: fleet.whole,
        worst: worst(degraded),
        silent: unmeasured.clients.first().map(|client| silent(client, current, window_ms)),
        silent_clients: unmeasured.client_count() as u64,
        measured: measured.map(|count| count as u64),
        last_closed_ms: fleet.last_closed.map(LogTime::ms),
        log_time_ms: fleet.log_time.map(LogTime::ms),
        measured_until_ms: measured_ms.max(missed_ms).map(|start| start.ms() + window_ms),
        now_ms: (!fleet.is_past).then_some(now_ms),
        window_ms,
    });
    SentenceItem {
        text: told.text,
        severity: told.severity,
        incident: told.incident.map(|incident| incident.id.to_string()),
        since: told.since_ms,
    }
}

fn worst<'a>(degraded: &[&'a CurrentRecord]) -> Option<Hurt<'a>> {
    let first = *degraded.first()?;
    let label = first.label?;
    Some(Hurt {
        client_id: &first.pair.client_id,
        target: &first.pair.target,
        label,
        severity: first.finding.as_ref()?.severity,
        since_ms: degraded.iter().filter_map(|row| since_ms(row)).min(),
        is_label_of_all: degraded.iter().all(|row| row.label == Some(label)),
    })
}

fn silent<'a>(client: &'a SilentClient, current: &Current, window_ms: i64) -> Silent<'a> {
    Silent {
        client_id: &client.client_id,
        pairs: client.pairs as u64,
        measures: current.rows.iter().any(|row| *row.pair.client_id == client.client_id),
        until_ms: client.last + window_ms,
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
            client_labels: Labels::of(row.tags.as_deref(), Side::Client),
            target_labels: Labels::of(row.tags.as_deref(), Side::Target),
            window_start_ts: row.window_start.ms(),
            label,
            severity: finding.severity,
            since: since_ms(row),
            evidence: Evidence::of(label, finding.clone()),
            is_final: row.is_final,
        })
    }
}
