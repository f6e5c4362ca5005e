//! Values that parameters have: how their texts are read, and what the document says of them, from one definition.

use jiff::Timestamp;
use utoipa::openapi::schema::{AnyOf, KnownFormat, SchemaFormat, Type};
use utoipa::openapi::{ObjectBuilder, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::answer::Refusal;

/// A whole number from one bound to another.
pub(crate) struct Whole<const LEAST: u32, const MOST: u32>;

impl<const LEAST: u32, const MOST: u32> Whole<LEAST, MOST> {
    /// The number that a parameter says, if it says any.
    pub(crate) fn read<N: TryFrom<u32>>(name: &str, text: Option<&str>) -> Result<Option<N>, Refusal> {
        let Some(text) = text else { return Ok(None) };
        let number = text.parse().ok().filter(|number| (LEAST..=MOST).contains(number));
        let number = number.and_then(|number| number.try_into().ok());
        let wrong = || Refusal::invalid(format!("{name} must be a whole number from {LEAST} to {MOST}"));
        number.map(Some).ok_or_else(wrong)
    }
}

impl<const LEAST: u32, const MOST: u32> PartialSchema for Whole<LEAST, MOST> {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(LEAST)).maximum(Some(MOST)).build().into()
    }
}

impl<const LEAST: u32, const MOST: u32> ToSchema for Whole<LEAST, MOST> {}

/// A share, from 0 to 1.
pub(crate) struct Share;

impl Share {
    /// The share that a parameter says, if it says any.
    pub(crate) fn read(name: &str, text: Option<&str>) -> Result<Option<f64>, Refusal> {
        let Some(text) = text else { return Ok(None) };
        let share = text.parse().ok().filter(|share| (0.0..=1.0).contains(share));
        share.map(Some).ok_or_else(|| Refusal::invalid(format!("{name} must be a number from 0 to 1")))
    }
}

impl PartialSchema for Share {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new().schema_type(Type::Number).minimum(Some(0)).maximum(Some(1)).build().into()
    }
}

impl ToSchema for Share {}

/// A time: Unix milliseconds or RFC 3339.
pub(crate) struct Time;

impl Time {
    /// The time that a parameter says, in Unix milliseconds.
    pub(crate) fn read(name: &str, text: &str) -> Result<i64, Refusal> {
        let parsed = text.parse().ok().or_else(|| Some(text.parse::<Timestamp>().ok()?.as_millisecond()));
        parsed.ok_or_else(|| {
            Refusal::invalid(format!("{name} must be Unix milliseconds or RFC 3339, as 2026-01-31T12:00:00Z"))
        })
    }
}

impl PartialSchema for Time {
    fn schema() -> RefOr<Schema> {
        let milliseconds =
            ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(i64::MIN)).maximum(Some(i64::MAX));
        let date = ObjectBuilder::new().schema_type(Type::String);
        let date = date.format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)));
        Schema::AnyOf(AnyOf { items: vec![milliseconds.into(), date.into()], ..AnyOf::default() }).into()
    }
}

impl ToSchema for Time {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_milliseconds_or_rfc_3339() {
        assert_eq!(Time::read("from", "1700000000000").unwrap(), 1_700_000_000_000);
        assert_eq!(Time::read("from", "1970-01-01T00:00:01Z").unwrap(), 1_000);
        assert!(Time::read("from", "yesterday").is_err());
    }

    #[test]
    fn a_number_lies_within_its_bounds() {
        let read = |text| Whole::<1, 10>::read::<u16>("limit", text).map_err(|_| ());
        assert_eq!([None, Some("1"), Some("10")].map(read), [Ok(None), Ok(Some(1)), Ok(Some(10))]);
        assert_eq!(["", "0", "11", "1.0", "ten"].map(|text| read(Some(text))), [Err(()); 5]);
        let schema = serde_json::to_value(Whole::<1, 10>::schema()).unwrap();
        assert_eq!(schema, serde_json::json!({ "type": "integer", "minimum": 1, "maximum": 10 }));
    }
}
