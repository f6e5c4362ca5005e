//! What the document says of texts that are one of few: the types that answer know no OpenAPI, or are plain texts.

use std::borrow::Cow;

use netqoe_model::{
    Dimension, IncidentChange as ModelChange, IncidentState as ModelState, Label as ModelLabel,
    Severity as ModelSeverity, tag_key_pattern,
};
use netqoe_sinks::read::Measure as ModelMeasure;
use utoipa::openapi::schema::{AdditionalProperties, ArrayBuilder, Type};
use utoipa::openapi::{ObjectBuilder, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// A type of the document alone: one of these texts.
macro_rules! one_of {
    ($($name:ident: $texts:expr, $about:literal;)*) => {$(
        pub(crate) struct $name;

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                text($texts, $about)
            }
        }

        impl ToSchema for $name {
            fn name() -> Cow<'static, str> {
                stringify!($name).into()
            }
        }
    )*};
}

one_of! {
    Label: ModelLabel::ALL.map(ModelLabel::as_str), "What a diagnosis says of a pair.";
    Severity: SEVERITIES.map(ModelSeverity::as_str), "How much a pair is degraded.";
    Unit: ["ms", "Mbit/s", "share"], "`share`: of the measurements, from 0 to 1.";
    IncidentLabel: INCIDENT_LABELS.map(ModelLabel::as_str), "What an incident says of its pairs.";
    IncidentState: ModelState::ALL.map(ModelState::as_str), "`closed`: it is over. `withdrawn`: it should not have been told.";
    IncidentChange: ModelChange::ALL.map(ModelChange::as_str), "What changed of an incident.";
    MeasurementOutcome: MEASUREMENT_OUTCOMES,
        "`accepted`: its window counts it. `duplicate`: the window has counted another one with its id. `late`: it came after its \
         window was closed.";
    ShownPhase: ["total", "dns", "handshake", "ttfb", "throughput"], "What is shown of a pair over time.";
    MeasuredDimensionName: crate::measurements::different::dimension_names(), "By what measurements are grouped.";
    Measure: ModelMeasure::ALL.map(ModelMeasure::as_str), "A column of `agg_1m`.";
    LiveDetail: ["rows", "commits"], "What a live stream tells of.";
    LeftOut: ["refused", "late", "unreadable"],
        "`refused`: ingest did not take it. `late`: it came after its window was closed. `unreadable`: it is a dead letter.";
}

/// A type of the document alone: one of these texts, or the name of a label as a dimension.
macro_rules! one_of_or_a_label {
    ($($name:ident: $texts:expr, $about:literal;)*) => {$(
        pub(crate) struct $name;

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                or_a_label(&$texts, $about)
            }
        }

        impl ToSchema for $name {
            fn name() -> Cow<'static, str> {
                stringify!($name).into()
            }
        }
    )*};
}

one_of_or_a_label! {
    CauseDimension: causes(), "What the pairs of an incident have in common.";
    ScoredBy: ["pair", "target", "client", "isp", "fleet"], "What has a score.";
    DimensionName: ["client_id", "target", "isp", "network_type", "site"],
        "By what windows are grouped.";
}

fn or_a_label(texts: &[&str], about: &str) -> RefOr<Schema> {
    let pattern = format!("^({}|{})$", texts.join("|"), label_dimension());
    let about = format!("{about} One of `{}`, or a label, such as `client.team`.", texts.join("`, `"));
    let text = ObjectBuilder::new().schema_type(Type::String).pattern(Some(pattern));
    text.description(Some(about)).build().into()
}

/// The dimensions of causes that are no labels.
fn causes() -> Vec<&'static str> {
    Dimension::ALL.into_iter().filter(|dimension| dimension.side().is_none()).map(Dimension::as_str).collect()
}

/// A pattern for how the name of a label is written as a dimension.
pub(crate) fn label_dimension() -> String {
    format!(r"(client|target)\.{}", tag_key_pattern())
}

/// A type of the document alone: a label of clients or of targets.
pub(crate) struct LabelDimension;

impl PartialSchema for LabelDimension {
    fn schema() -> RefOr<Schema> {
        let name = ObjectBuilder::new().schema_type(Type::String).pattern(Some(format!("^{}$", label_dimension())));
        name.description(Some("A label of clients or of targets: `client.team`, `target.service`.")).build().into()
    }
}

impl ToSchema for LabelDimension {
    fn name() -> Cow<'static, str> {
        "LabelDimension".into()
    }
}

/// Labels that an incident can have.
pub(crate) const INCIDENT_LABELS: [ModelLabel; 5] = [
    ModelLabel::ErrorBound,
    ModelLabel::DnsBound,
    ModelLabel::HandshakeBound,
    ModelLabel::ServerBound,
    ModelLabel::ThroughputBound,
];

pub(crate) const MEASUREMENT_OUTCOMES: [&str; 3] = ["accepted", "duplicate", "late"];

pub(crate) const SEVERITIES: [ModelSeverity; 3] = [ModelSeverity::Minor, ModelSeverity::Major, ModelSeverity::Critical];

fn text<const N: usize>(texts: [&'static str; N], about: &str) -> RefOr<Schema> {
    let text = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(texts));
    text.description(Some(about)).build().into()
}

/// A type of the document alone: an event, of which anything may be a member.
pub(crate) struct AnyEvent;

impl PartialSchema for AnyEvent {
    fn schema() -> RefOr<Schema> {
        let about = "An event as it was accepted, with members that this version does not know, and `recv_ts_ms`.";
        ObjectBuilder::new()
            .schema_type(Type::Object)
            .additional_properties(Some(AdditionalProperties::FreeForm(true)))
            .description(Some(about))
            .build()
            .into()
    }
}

impl ToSchema for AnyEvent {
    fn name() -> Cow<'static, str> {
        "AnyEvent".into()
    }
}

/// A type of the document alone: counts by label, of the labels that occur.
pub(crate) struct CountsByLabel;

impl PartialSchema for CountsByLabel {
    fn schema() -> RefOr<Schema> {
        let counts = ArrayBuilder::new().items(u64::schema()).build();
        let by_label = ModelLabel::ALL
            .into_iter()
            .fold(ObjectBuilder::new(), |object, label| object.property(label.as_str(), counts.clone()));
        by_label.description(Some("Counts by label, of the labels that occur.")).build().into()
    }
}

impl ToSchema for CountsByLabel {
    fn name() -> Cow<'static, str> {
        "CountsByLabel".into()
    }
}
