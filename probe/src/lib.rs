//! The measuring agent: how long one user's connection to one target takes, phase by phase.
//!
//! [`measure`] makes one measurement. Its code follows the phases: `checks/` goes through those of each kind of target;
//! `dns/` asks for addresses, `connect/` tries them, `tls/` shakes hands, `http/` asks and reads, `throughput.rs` fetches
//! the fixed object over a connection of its own, `icmp/` sends echoes. With the feature `http3`, `quic/` stands for
//! `connect/` and `tls/` at once. Every phase is timed by its own events on one
//! monotonic clock; nothing is cached, resumed or reused between measurements. A phase that was not reached is absent, never 0.
//! `event.rs` writes a measurement as an event, `waterfall/` as lines for human eyes.
//!
//! [`run_probe`], in `agent/`, measures on a fixed schedule and hands each event to a [`Reporter`]. [`Reporting`], in
//! `report/`, is one that keeps events on disk until the endpoint has confirmed them. [`exporter`] shows the latest measurements
//! to Prometheus, and measures when it asks.
//!
//! This crate must not know the pipeline: how events are stored, or how they are judged.

mod agent;
mod checks;
mod clock;
mod clock_state;
mod connect;
mod connection;
mod deadline;
mod dns;
mod endpoint;
mod event;
mod evidence;
mod expectations;
mod exporter;
mod failure;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod host_address;
mod http;
mod icmp;
mod labels;
mod measure;
mod measuring;
mod module;
mod network;
mod opening;
mod phases;
mod planned;
mod provider;
mod proxy;
#[cfg(feature = "http3")]
mod quic;
mod report;
mod request;
mod route;
mod settings;
mod target_list;
mod target_settings;
mod throughput;
mod tls;
mod waterfall;
mod wire_events;

/// A method of HTTP.
pub use ::http::Method;
pub use agent::{
    AgentStopped, DEFAULT_INTERVAL, HostNameError, Observations, Plan, ProbeCounts, Reporter, Schedule, host_name,
    run_probe,
};
pub use clock::Span;
pub use clock_state::ClockState;
pub use connect::{Attempt, TcpInfo};
pub use dns::{
    DnsAnswer, DnsEvidence, DnsName, DnsOutcome, Family, InvalidName, NameSource, Reply, ResolvConf, ServerAddress,
    SystemLookup, addresses_in_hosts_file, parse_resolv_conf, read_answer,
};
pub use endpoint::{Check, Host, InvalidLocation, InvalidTarget, Target, WebUrl};
pub use event::Stamp;
pub use evidence::{EchoEvidence, Evidence, InterimAnswer, QuicInfo, Redirect, ThroughputEvidence, ToldHeader};
pub use expectations::{
    Expectations, ExpectedHeader, ExpectedText, InvalidExpectation, MAX_TEXT_BYTES, StatusRange, Unmet,
};
pub use exporter::{Askable, Families, InvalidQuestion, Question, exporter};
pub use failure::Failure;
pub use host_address::HostAddress;
pub use labels::{InvalidLabel, Label, Labels};
pub use measure::{Measurement, measure};
pub use module::InvalidModule;
pub use network::NetworkContext;
pub use phases::{Phases, Transfer};
pub use planned::{INTERVALS, PlannedTarget, TIMEOUTS};
pub use provider::{Provider, Providers, ProvidersError};
pub use proxy::{InvalidProxy, Proxy, ProxyEvidence};
pub use report::{
    Endpoint, InvalidEndpoint, InvalidToken, ReportCounts, ReportError, ReportSettings, ReportWatch, Reporting,
    SpoolBounds, SpoolError, ToSpool, Token, retry_after,
};
pub use request::{
    Authorization, InvalidRequest, MAX_REQUEST_BODY_BYTES, RequestHeader, RequestSettings, parse_method,
};
pub use settings::{DEFAULT_TIMEOUT, NameServers, Settings, ThroughputObject, parse_throughput};
pub use target_list::{InvalidList, MAX_LIST_BYTES, parse_target_list};
pub use target_settings::{ClientIdentity, InvalidWord, ListedTarget, OwnSettings, TargetWords};
pub use throughput::{FIXED_OBJECT_PATH, fixed_object};
pub use tls::{CertificateNames, TlsEvidence, TrustedRoots, trusted_roots};
pub use waterfall::{verdict, waterfall};
