//! What the document says of the bodies that people write: as much as JSON Schema has words for.

use std::borrow::Cow;

use netqoe_model::{Dimension, DimensionName, MAX_TARGET_BYTES, MAX_TIME_MS};
use utoipa::openapi::schema::{AdditionalProperties, OneOf, Type};
use utoipa::openapi::{ArrayBuilder, Object, ObjectBuilder, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::written::{MAX_AUTHOR_BYTES, MAX_TEXT_BYTES};
use crate::schema::label_dimension;

/// Texts without control characters other than line ends and tabs.
const PROSE: &str = r"^[^\u0000-\u0008\u000B\u000C\u000E-\u001F\u007F-\u009F]*$";
/// Texts without control characters.
const LINE: &str = r"^[^\u0000-\u001F\u007F-\u009F]*$";
const NAME: &str = r"^[^\u0000]+$";

/// A type of the document alone: what a person says.
pub(super) struct Prose;

impl PartialSchema for Prose {
    fn schema() -> RefOr<Schema> {
        text().max_length(Some(MAX_TEXT_BYTES)).pattern(Some(PROSE)).build().into()
    }
}

impl ToSchema for Prose {
    fn name() -> Cow<'static, str> {
        "Prose".into()
    }
}

/// A type of the document alone: who says it.
pub(super) struct Author;

impl PartialSchema for Author {
    fn schema() -> RefOr<Schema> {
        text().max_length(Some(MAX_AUTHOR_BYTES)).pattern(Some(LINE)).build().into()
    }
}

impl ToSchema for Author {
    fn name() -> Cow<'static, str> {
        "Author".into()
    }
}

/// A type of the document alone: a time that a maintenance window begins or ends at.
pub(super) struct PlannedTime;

impl PartialSchema for PlannedTime {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(0)).maximum(Some(MAX_TIME_MS)).build().into()
    }
}

impl ToSchema for PlannedTime {
    fn name() -> Cow<'static, str> {
        "PlannedTime".into()
    }
}

/// A type of the document alone: what is worked on.
pub(super) struct NewCause;

impl PartialSchema for NewCause {
    fn schema() -> RefOr<Schema> {
        let items = [0, 1, 2].into_iter().map(|texts| RefOr::T(Schema::Object(cause(texts)))).collect();
        let about = "What is worked on: `value` has two texts where two dimensions are joined, none for `everything`, otherwise one.";
        Schema::OneOf(OneOf { items, description: Some(about.to_owned()), ..OneOf::default() }).into()
    }
}

impl ToSchema for NewCause {
    fn name() -> Cow<'static, str> {
        "NewCause".into()
    }
}

/// A cause whose value has so many texts.
fn cause(texts: usize) -> Object {
    let is_plain = |dimension: &Dimension| dimension.side().is_none();
    let names = Dimension::ALL.into_iter().filter(is_plain).filter(|of| DimensionName::from(*of).texts() == texts);
    let mut names: Vec<_> = names.map(|dimension| dimension.as_str().to_owned()).collect();
    if Dimension::ALL.into_iter().any(|of| !is_plain(&of) && DimensionName::from(of).texts() == texts) {
        names.push(label_dimension());
    }
    let dimension = text().pattern(Some(format!("^({})$", names.join("|"))));
    let name = text().max_length(Some(MAX_TARGET_BYTES)).pattern(Some(NAME));
    let value = ArrayBuilder::new().items(name).min_items(Some(texts)).max_items(Some(texts));
    let cause = ObjectBuilder::new().property("dimension", dimension).property("value", value);
    let nothing_else = Some(AdditionalProperties::FreeForm(false));
    cause.required("dimension").required("value").additional_properties(nothing_else).build()
}

fn text() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}
