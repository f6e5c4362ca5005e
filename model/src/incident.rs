//! What an incident says: which pairs suffer from one cause, since when and how badly. How it is found is not decided here.
//!
//! Decision: D-088.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{Label, LogTime, Severity, WindowStart};

/// What the pairs of an incident have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Dimension {
    /// One client.
    #[serde(rename = "client")]
    Client,
    /// One target.
    #[serde(rename = "target")]
    Target,
    /// The targets at one host.
    #[serde(rename = "host")]
    Host,
    /// The clients of one provider, and one target.
    #[serde(rename = "isp×target")]
    IspTarget,
    /// The clients of one site that have one kind of network.
    #[serde(rename = "site×network_type")]
    SiteNetworkType,
    /// The clients of one site.
    #[serde(rename = "site")]
    Site,
    /// The targets in one hosting network.
    #[serde(rename = "hosting")]
    Hosting,
    /// The clients of one provider.
    #[serde(rename = "isp")]
    Isp,
    /// The clients that have one kind of network.
    #[serde(rename = "network_type")]
    NetworkType,
    /// All pairs.
    #[serde(rename = "everything")]
    Everything,
    /// The clients with one value of one label. Last: where the same pairs have something in common that netqoe sees itself, that is named.
    #[serde(rename = "client.NAME")]
    ClientLabel,
    /// The targets with one value of one label.
    #[serde(rename = "target.NAME")]
    TargetLabel,
}

impl Dimension {
    /// All dimensions, in the order in which they are preferred where two causes explain the same pairs.
    pub const ALL: [Self; 12] = [
        Self::Client,
        Self::Target,
        Self::Host,
        Self::IspTarget,
        Self::SiteNetworkType,
        Self::Site,
        Self::Hosting,
        Self::Isp,
        Self::NetworkType,
        Self::Everything,
        Self::ClientLabel,
        Self::TargetLabel,
    ];

    /// As stores, the API and the documents write it, but for labels: [`DimensionName`](crate::DimensionName) has their names. The
    /// parts of two that are joined stand on both sides of `×`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Target => "target",
            Self::Host => "host",
            Self::IspTarget => "isp×target",
            Self::SiteNetworkType => "site×network_type",
            Self::Site => "site",
            Self::Hosting => "hosting",
            Self::Isp => "isp",
            Self::NetworkType => "network_type",
            Self::Everything => "everything",
            Self::ClientLabel => "client.NAME",
            Self::TargetLabel => "target.NAME",
        }
    }
}

impl fmt::Display for Dimension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A value of a dimension: `client` and `probe-07`, say.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cause {
    /// What its pairs have in common.
    pub dimension: Dimension,
    /// The value: two texts where two dimensions are joined, the name and the value of a label, none for
    /// [`Dimension::Everything`], otherwise one.
    pub value: Vec<Arc<str>>,
}

/// Where an incident stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IncidentState {
    /// It goes on, or has been quiet for less time than a gap may last.
    Open,
    /// It is over.
    Closed,
    /// Later events took its evidence away, or another incident has taken its place: it should not have been told.
    Withdrawn,
}

impl IncidentState {
    /// All states.
    pub const ALL: [Self; 3] = [Self::Open, Self::Closed, Self::Withdrawn];

    /// As stores, the API and the documents write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// The state with this name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

/// Which incident: 16 hexadecimal digits, a function of the label, the cause and the window by which it was first told. It stays
/// the same when the cause is amended, and in every run over the same log.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct IncidentId(pub Arc<str>);

impl fmt::Display for IncidentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How many pairs speak for an incident, and how many against it, of those that its cause holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Weight {
    /// Pairs with its label.
    pub degraded: u32,
    /// Healthy pairs.
    pub healthy: u32,
}

/// An incident as a whole, as of one look.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incident {
    /// Which one.
    pub id: IncidentId,
    /// What its pairs suffer from.
    pub label: Label,
    /// What its pairs have in common.
    pub cause: Cause,
    /// Where it stands.
    pub state: IncidentState,
    /// Why it was withdrawn, in plain words.
    pub withdrawn_because: Option<Arc<str>>,
    /// The first window with its evidence.
    pub opened: WindowStart,
    /// The log time at which it was first told.
    pub detected: LogTime,
    /// The log time at which it got its present cause and label.
    pub named: LogTime,
    /// The newest window with evidence that keeps it open.
    pub last: WindowStart,
    /// The end of `last`, once it is over or withdrawn.
    pub closed: Option<LogTime>,
    /// The worst that its pairs have now; when it is over, the worst that they had at last.
    pub severity: Severity,
    /// The worst that its pairs have had.
    pub peak_severity: Severity,
    /// The evidence when it was first told under its present cause.
    pub at_first: Weight,
    /// The evidence of its newest look.
    pub now: Weight,
    /// Pairs that have had its label since it opened.
    pub pairs: u32,
    /// Clients of these pairs.
    pub clients: u32,
    /// Targets of these pairs.
    pub targets: u32,
    /// How often it was amended: 0 when it was first told.
    pub revision: u32,
    /// The look that it reflects.
    pub as_of: WindowStart,
}

/// A pair of an incident. There is one for each pair that has had its label while it was open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IncidentMember {
    /// Whose member.
    pub incident: IncidentId,
    /// The client that measured.
    pub client_id: Arc<str>,
    /// What was measured.
    pub target: Arc<str>,
    /// The first of its windows with the label.
    pub since: WindowStart,
    /// The newest of its windows with the label, once that is known: `None` as long as the pair stands so, and for one that still
    /// did when the incident was over. Then it is that of [`Incident::last`].
    pub until: Option<WindowStart>,
    /// The worst of its windows.
    pub severity: Severity,
}

/// What changed of an incident, for those who were told of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IncidentRevision {
    /// Of which.
    pub incident: IncidentId,
    /// Which of its revisions, from 0.
    pub revision: u32,
    /// The look at which it changed; of a correction, its log time.
    pub at: WindowStart,
    /// What changed.
    pub change: IncidentChange,
    /// How the incident stood after it.
    pub cause: Cause,
    /// Its severity after it.
    pub severity: Severity,
    /// Pairs that had its label then.
    pub degraded: u32,
    /// Where it stood after it.
    pub state: IncidentState,
    /// Why it was withdrawn or corrected, in plain words.
    pub because: Option<Arc<str>>,
}

/// What may change of an incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IncidentChange {
    /// It was told for the first time.
    Opened,
    /// More pairs show that its cause is another one.
    Cause,
    /// It became worse, or less bad.
    Severity,
    /// Another incident turned out to be a part of it.
    Absorbed,
    /// It ended.
    Closed,
    /// It should not have been told.
    Withdrawn,
    /// Measurements that came late show it in another way.
    Corrected,
}

impl IncidentChange {
    /// All changes.
    pub const ALL: [Self; 7] =
        [Self::Opened, Self::Cause, Self::Severity, Self::Absorbed, Self::Closed, Self::Withdrawn, Self::Corrected];

    /// As stores, the API and the documents write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Cause => "cause",
            Self::Severity => "severity",
            Self::Absorbed => "absorbed",
            Self::Closed => "closed",
            Self::Withdrawn => "withdrawn",
            Self::Corrected => "corrected",
        }
    }

    /// The change with this name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|change| change.as_str() == text)
    }

    /// Where an incident stands after it, as far as the change alone tells: one that is corrected may stand in any way.
    pub const fn leads_to(self) -> IncidentState {
        match self {
            Self::Closed => IncidentState::Closed,
            Self::Withdrawn => IncidentState::Withdrawn,
            Self::Opened | Self::Cause | Self::Severity | Self::Absorbed | Self::Corrected => IncidentState::Open,
        }
    }
}

/// A pair that has missed its rhythm.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unmeasured {
    /// The client that is silent.
    pub client_id: Arc<str>,
    /// What it measured.
    pub target: Arc<str>,
    /// The newest window that it has measured in.
    pub last: WindowStart,
    /// How far apart its measured windows usually are, in milliseconds.
    pub rhythm_ms: i64,
    /// The network of its newest window, where it is known.
    pub isp: Option<Arc<str>>,
    /// The site of its newest window, where it is known.
    pub site: Option<Arc<str>>,
}

/// How many pairs stand how, at one look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PairTally {
    /// With a label.
    pub degraded: u32,
    /// Measured, and nothing is out of the ordinary.
    pub healthy: u32,
    /// Measured, and there is too little to judge them by.
    pub unjudged: u32,
    /// Missing their rhythm for less than a day.
    pub unmeasured: u32,
}

/// What a look at the whole fleet has led to: everything that differs from the look before.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FleetChanges {
    /// The look.
    pub at: WindowStart,
    /// New and changed incidents, whole.
    pub incidents: Vec<Incident>,
    /// New and changed members.
    pub members: Vec<IncidentMember>,
    /// What is to be told, in order.
    pub revisions: Vec<IncidentRevision>,
    /// Pairs that have become unmeasured.
    pub unmeasured: Vec<Unmeasured>,
    /// Pairs that are unmeasured no more, since they are measured again or a day has passed: client and target.
    pub measured_again: Vec<(Arc<str>, Arc<str>)>,
    /// All pairs.
    pub tally: PairTally,
}
