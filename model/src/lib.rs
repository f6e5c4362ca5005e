//! The shared vocabulary of netqoe: what an event, a key, a log time, a window row and a diagnosis are.
//!
//! This crate must not know any I/O: no file, no socket, no clock, no store. Everything in it is a value
//! or a pure function, so that every other crate can speak the same words without depending on another.

mod chunk;
mod clock_difference;
mod commit;
mod context;
mod diagnosis;
mod dimension_name;
mod escaped;
mod event;
mod fingerprint;
mod frontier;
mod host;
mod incident;
mod look;
mod maintenance_window;
pub mod metrics;
mod network;
mod partition;
#[cfg(feature = "planted-faults")]
pub mod planted;
mod row;
mod rules;
mod tag_value;
mod tags;
mod target;
mod thousandths;
mod tick;
mod time;
mod trace_context;
mod uncounted;

pub use chunk::{Chunk, SetAside};
pub use clock_difference::ClockDifference;
pub use commit::{
    AggregateRow, Checkpoint, ClientRow, DeadLetter, Generation, Ledger, LogIdentity, MAX_ATTEMPTS, PairPast,
    PartitionCommit, Position, Reclassified, Resume, WaitingCorrection,
};
pub use context::ClientContext;
pub use diagnosis::{Diagnosis, Evidence, Label, Run, Severity, UsualRange};
pub use dimension_name::DimensionName;
pub use escaped::escaped;
pub use event::{
    ErrorStage, Event, Invalid, MAX_CLIENT_ID_BYTES, MAX_EVENT_ID_BYTES, MAX_MEASUREMENT, MAX_TARGET_BYTES, Metric,
    Samples,
};
pub use fingerprint::Fingerprint;
pub use frontier::Frontier;
pub use host::names_this_machine;
pub use incident::{
    Cause, Dimension, FleetChanges, Incident, IncidentChange, IncidentId, IncidentMember, IncidentRevision,
    IncidentState, PairTally, Unmeasured, Weight,
};
pub use look::{InvalidLook, Look, Sighting, Standing};
pub use maintenance_window::MaintenanceWindow;
pub use network::{MAX_NETWORK_NAME_BYTES, Network};
pub use partition::{DEFAULT_PARTITIONS, Partition};
pub use row::{Percentiles, WindowRow};
pub use rules::{
    Centre, Condition, DiagnosisRules, ErrorRule, EvidenceRules, FailedSeverity, Figure, FleetRules, InvalidRules,
    LatencyLevel, LatencySeverity, PhaseRule, ROWS_PER_STATE, Rules, RulesFile, SeverityRules, Spread, ThroughputLevel,
    ThroughputSeverity, UsualRules,
};
pub use tag_value::TagValue;
pub use tags::{
    MAX_TAG_KEY_BYTES, MAX_TAG_VALUE_BYTES, MAX_TAGS, PairTags, Side, TagName, Tags, is_tag_key, tag_key_pattern,
};
pub use target::normalised;
pub use thousandths::{from_thousandths, to_thousandths};
pub use tick::Tick;
pub use time::{EventTime, LogTime, MAX_TIME_MS, WindowStart};
pub use trace_context::{InvalidTraceContext, TraceContext};
pub use uncounted::{Example, LastLeftOut, LeftOut, ReasonCount, Uncounted, UncountedRange};
