use netqoe_model::{
    Cause, IncidentChange, IncidentMember, IncidentRevision, IncidentState, Label, Severity, Unmeasured, Weight,
};
use netqoe_sinks::read::{IncidentRecord, NoteRecord};
use serde::Serialize;
use utoipa::ToSchema;

use super::Planned;
use crate::{schema, words};

/// What suffers from one cause, since when and how badly. Times are Unix milliseconds.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Incident)]
pub(crate) struct IncidentItem {
    /// The same in every run over the same log, and whatever is amended.
    id: String,
    #[schema(value_type = schema::Label)]
    label: Label,
    cause: CauseItem,
    #[schema(value_type = schema::IncidentState)]
    state: IncidentState,
    /// Null where it was not withdrawn.
    #[schema(required)]
    withdrawn_because: Option<String>,
    /// Start of its first window with evidence.
    opened: i64,
    /// The log time at which it was first told.
    detected: i64,
    /// The log time at which it got its present cause and label.
    named: i64,
    /// Start of its newest window with evidence.
    last: i64,
    /// The end of `last`, once it is over or withdrawn.
    #[schema(required)]
    closed: Option<i64>,
    /// The worst that its pairs have now, or had at last.
    #[schema(value_type = schema::Severity)]
    severity: Severity,
    /// The worst that its pairs have had.
    #[schema(value_type = schema::Severity)]
    peak_severity: Severity,
    evidence: IncidentEvidence,
    /// Pairs that have had its label since it opened.
    pairs: u32,
    /// Clients of these pairs.
    clients: u32,
    /// Targets of these pairs.
    targets: u32,
    /// How often it was amended.
    revision: u32,
    /// The log time that it reflects. What came late may correct it later, as its revisions say.
    as_of: i64,
    /// What it is, in plain English and without times; plain text, no HTML. Names in it are cut.
    sentence: String,
    /// The first note that acknowledged it; null where nobody has.
    #[schema(required)]
    acknowledged: Option<Acknowledged>,
    /// Whether a maintenance window explains it: all of its evidence lies within one for its cause.
    planned: bool,
}

/// What the pairs of an incident have in common.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Cause)]
pub(crate) struct CauseItem {
    #[schema(value_type = schema::CauseDimension)]
    dimension: String,
    /// Two texts where two dimensions are joined, none for `everything`, otherwise one.
    value: Vec<String>,
}

/// Pairs that speak for an incident and against it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct IncidentEvidence {
    /// When it was first told under its present cause.
    at_first: WeightItem,
    /// At its newest look.
    now: WeightItem,
}

/// Pairs of a cause.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Weight)]
pub(crate) struct WeightItem {
    /// With the incident's label.
    degraded: u32,
    healthy: u32,
}

/// Who has taken up an incident, and when.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Acknowledged {
    /// Unix milliseconds.
    at: i64,
    by: String,
}

impl IncidentItem {
    pub(crate) fn of(record: IncidentRecord, planned: &Planned) -> Self {
        let IncidentRecord { incident, acknowledged } = record;
        Self {
            sentence: words::of_incident(&incident),
            planned: planned.explain(&incident),
            acknowledged: acknowledged.map(|taken| Acknowledged { at: taken.at_ms, by: taken.by }),
            id: incident.id.0.to_string(),
            label: incident.label,
            cause: (&incident.cause).into(),
            state: incident.state,
            withdrawn_because: incident.withdrawn_because.as_deref().map(str::to_owned),
            opened: incident.opened.ms(),
            detected: incident.detected.ms(),
            named: incident.named.ms(),
            last: incident.last.ms(),
            closed: incident.closed.map(|closed| closed.ms()),
            severity: incident.severity,
            peak_severity: incident.peak_severity,
            evidence: IncidentEvidence { at_first: incident.at_first.into(), now: incident.now.into() },
            pairs: incident.pairs,
            clients: incident.clients,
            targets: incident.targets,
            revision: incident.revision,
            as_of: incident.as_of.ms(),
        }
    }
}

impl From<&Cause> for CauseItem {
    fn from(cause: &Cause) -> Self {
        let value = cause.texts().iter().map(|text| text.to_string()).collect();
        Self { dimension: cause.dimension_name().to_string(), value }
    }
}

impl From<Weight> for WeightItem {
    fn from(Weight { degraded, healthy }: Weight) -> Self {
        Self { degraded, healthy }
    }
}

/// An incident with its history.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct IncidentDetail {
    #[serde(flatten)]
    pub(super) incident: IncidentItem,
    /// What changed of it, in order; the newest 500.
    pub(super) revisions: Vec<RevisionItem>,
    /// What people have said of it, in order; the newest 1,000, which are all.
    pub(super) notes: Vec<NoteItem>,
}

/// What changed of an incident.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = IncidentRevision)]
pub(super) struct RevisionItem {
    /// From 0.
    revision: u32,
    /// The log time at which it changed, or was corrected, Unix milliseconds.
    at: i64,
    #[schema(value_type = schema::IncidentChange)]
    change: IncidentChange,
    /// Its cause after it.
    cause: CauseItem,
    /// Its severity after it.
    #[schema(value_type = schema::Severity)]
    severity: Severity,
    /// Pairs that had its label then.
    degraded: u32,
    /// Where it stood after it.
    #[schema(value_type = schema::IncidentState)]
    state: IncidentState,
    /// Why it was withdrawn or corrected, in plain words; null with other changes.
    #[schema(required)]
    because: Option<String>,
}

impl From<IncidentRevision> for RevisionItem {
    fn from(revision: IncidentRevision) -> Self {
        Self {
            revision: revision.revision,
            at: revision.at.ms(),
            change: revision.change,
            cause: (&revision.cause).into(),
            severity: revision.severity,
            degraded: revision.degraded,
            state: revision.state,
            because: revision.because.as_deref().map(str::to_owned),
        }
    }
}

/// What a person has said of an incident.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = IncidentNote)]
pub(super) struct NoteItem {
    id: i64,
    /// Unix milliseconds.
    at: i64,
    by: String,
    text: String,
    /// Whether its author has taken the incident up with it.
    acknowledges: bool,
}

impl From<NoteRecord> for NoteItem {
    fn from(NoteRecord { id, at_ms, by, acknowledges, text }: NoteRecord) -> Self {
        Self { id, at: at_ms, by, text, acknowledges }
    }
}

/// A pair that has had an incident's label while it was open.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = IncidentPair)]
pub(super) struct MemberItem {
    client_id: String,
    target: String,
    /// Start of the first of its windows with the label, Unix milliseconds.
    since: i64,
    /// Start of the newest of them, Unix milliseconds; where it still has the label, the incident's `last`.
    until: i64,
    /// The worst of them.
    #[schema(value_type = schema::Severity)]
    severity: Severity,
}

impl From<IncidentMember> for MemberItem {
    fn from(member: IncidentMember) -> Self {
        Self {
            client_id: member.client_id.to_string(),
            target: member.target.to_string(),
            since: member.since.ms(),
            until: member.until.unwrap_or(member.since).ms(),
            severity: member.severity,
        }
    }
}

/// A pair that misses its rhythm.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Unmeasured)]
pub(super) struct UnmeasuredItem {
    client_id: String,
    target: String,
    /// Start of the newest window that it has measured in, Unix milliseconds.
    last: i64,
    /// How far apart its measured windows usually are, in milliseconds.
    rhythm_ms: i64,
    /// Of the network of its newest window; null where it is unknown.
    #[schema(required)]
    isp: Option<String>,
    #[schema(required)]
    site: Option<String>,
}

impl From<Unmeasured> for UnmeasuredItem {
    fn from(pair: Unmeasured) -> Self {
        Self {
            client_id: pair.client_id.to_string(),
            target: pair.target.to_string(),
            last: pair.last.ms(),
            rhythm_ms: pair.rhythm_ms,
            isp: pair.isp.as_deref().map(str::to_owned),
            site: pair.site.as_deref().map(str::to_owned),
        }
    }
}
