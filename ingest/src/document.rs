//! What the document says of the bodies that ingest takes: as much as JSON Schema has words for.

use std::borrow::Cow;

use netqoe_model::{
    ErrorStage, MAX_CLIENT_ID_BYTES, MAX_EVENT_ID_BYTES, MAX_MEASUREMENT, MAX_TAG_VALUE_BYTES, MAX_TAGS,
    MAX_TARGET_BYTES, MAX_TIME_MS, Metric, tag_key_pattern,
};
use netqoe_server::Refusal;
use serde_json::Value;
use utoipa::openapi::schema::{AdditionalProperties, AllOf, AnyOf, OneOf, SchemaType, Type};
use utoipa::openapi::{ArrayBuilder, ObjectBuilder, Ref, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::answer::{BatchRefusal, Refused};

/// Texts without U+0000, which PostgreSQL does not accept.
const TEXT: &str = r"^[^\u0000]*$";

/// An event of version 1.
pub(crate) struct NewEvent;

impl PartialSchema for NewEvent {
    fn schema() -> RefOr<Schema> {
        let versions = [Value::Null, 1.into(), "1".into(), "1.0".into()];
        let members = ObjectBuilder::new()
            .property(
                "schema_version",
                ObjectBuilder::new().schema_type(SchemaType::AnyValue).enum_values(Some(versions)),
            )
            .property(
                "event_id",
                name(MAX_EVENT_ID_BYTES, "What tells copies of the event from other events of its pair: a UUID, say."),
            )
            .property("client_id", name(MAX_CLIENT_ID_BYTES, "Who has measured."))
            .property("target", name(MAX_TARGET_BYTES, "What was measured."))
            .property("ts_ms", time())
            .property("error_stage", error_stage(false))
            .property("timing_measurements", or_null(measurements().into()))
            .property("client_labels", labels())
            .property("target_labels", labels())
            .property(
                "network_context",
                ObjectBuilder::new().schema_type(SchemaType::AnyValue).description(Some(NETWORK)),
            );
        let members = ["event_id", "client_id", "target", "ts_ms"].into_iter().fold(members, ObjectBuilder::required);
        let measured =
            ObjectBuilder::new().property("timing_measurements", measurements()).required("timing_measurements");
        let failed = ObjectBuilder::new().property("error_stage", error_stage(true)).required("error_stage");
        let outcome = AnyOf { items: vec![measured.into(), failed.into()], ..AnyOf::default() };
        let items = vec![members.into(), Schema::AnyOf(outcome).into()];
        Schema::AllOf(AllOf { items, description: Some(EVENT.to_owned()), ..AllOf::default() }).into()
    }
}

impl ToSchema for NewEvent {
    fn name() -> Cow<'static, str> {
        "NewEvent".into()
    }
}

const EVENT: &str = "An event of version 1: it has `timing_measurements`, or an `error_stage`, or both. Lengths are in bytes. Other members \
    are kept as they are.";
const NETWORK: &str = "The network that was measured over: `network_type`, `isp`, `site`.";

/// One event, or an array of them.
pub(crate) struct NewEvents;

impl PartialSchema for NewEvents {
    fn schema() -> RefOr<Schema> {
        let event = || RefOr::<Schema>::Ref(Ref::from_schema_name(NewEvent::name()));
        let events = ArrayBuilder::new().items(event()).min_items(Some(1)).build();
        Schema::OneOf(OneOf { items: vec![event(), events.into()], ..OneOf::default() }).into()
    }
}

impl ToSchema for NewEvents {
    fn name() -> Cow<'static, str> {
        "NewEvents".into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((NewEvent::name().into_owned(), NewEvent::schema()));
    }
}

/// What a batch is told holds what one event is told, so that both schemas may hold.
impl PartialSchema for Refused {
    fn schema() -> RefOr<Schema> {
        let one_of = [Refusal::name(), BatchRefusal::name()].map(|name| Ref::from_schema_name(name).into());
        let about = "What was not stored, none of it.".to_owned();
        Schema::AnyOf(AnyOf { items: one_of.into(), description: Some(about), ..AnyOf::default() }).into()
    }
}

impl ToSchema for Refused {
    fn name() -> Cow<'static, str> {
        "Refused".into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((Refusal::name().into_owned(), Refusal::schema()));
        schemas.push((BatchRefusal::name().into_owned(), BatchRefusal::schema()));
        Refusal::schemas(schemas);
        BatchRefusal::schemas(schemas);
    }
}

fn name(most: usize, means: &str) -> ObjectBuilder {
    let text = ObjectBuilder::new().schema_type(Type::String).description(Some(means));
    text.min_length(Some(1)).max_length(Some(most)).pattern(Some(TEXT))
}

fn time() -> ObjectBuilder {
    let time = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1)).maximum(Some(MAX_TIME_MS - 1));
    time.description(Some("When it was measured, Unix milliseconds; not much ahead of this server's clock."))
}

fn error_stage(is_needed: bool) -> ObjectBuilder {
    let stages = ErrorStage::ALL.into_iter().map(|stage| Value::from(stage.as_str()));
    let stages = stages.chain((!is_needed).then_some(Value::Null));
    let stage = ObjectBuilder::new().schema_type(SchemaType::AnyValue).enum_values(Some(stages));
    stage.description(Some("Where it failed, if it did."))
}

/// Milliseconds, and Mbit/s of the throughput.
fn measurements() -> ObjectBuilder {
    let measured = ObjectBuilder::new().schema_type(SchemaType::from_iter([Type::Number, Type::Null]));
    let measured = measured.minimum(Some(0)).maximum(Some(MAX_MEASUREMENT)).build();
    let name = |metric: Metric| match metric {
        Metric::Throughput => format!("{}_mbps", metric.as_str()),
        _ => format!("{}_ms", metric.as_str()),
    };
    let none = ObjectBuilder::new().description(Some("How long each phase took, and the throughput."));
    Metric::ALL.into_iter().fold(none, |object, metric| object.property(name(metric), measured.clone()))
}

fn labels() -> ObjectBuilder {
    let key = ObjectBuilder::new().schema_type(Type::String).pattern(Some(format!("^{}$", tag_key_pattern())));
    let value =
        ObjectBuilder::new().schema_type(Type::String).max_length(Some(MAX_TAG_VALUE_BYTES)).pattern(Some(TEXT));
    let labels = ObjectBuilder::new().schema_type(SchemaType::from_iter([Type::Object, Type::Null]));
    let labels = labels.property_names(Some(key.build())).max_properties(Some(MAX_TAGS));
    let labels = labels.additional_properties(Some(AdditionalProperties::RefOr(value.into())));
    labels.description(Some("Labels of one's own: values by name."))
}

fn or_null(schema: RefOr<Schema>) -> Schema {
    let null = ObjectBuilder::new().schema_type(Type::Null);
    Schema::OneOf(OneOf { items: vec![schema, null.into()], ..OneOf::default() })
}

/// A type of the document alone: how a body is compressed.
pub(crate) struct ContentEncoding;

impl PartialSchema for ContentEncoding {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new().schema_type(Type::String).enum_values(Some(["identity", "gzip", "zstd"])).build().into()
    }
}

impl ToSchema for ContentEncoding {}
