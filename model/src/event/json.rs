//! Any JSON to members, by serde.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::Invalid;
use super::members::{Place, Raw, RawTimings, Scalar, Timings};

/// How [`Raw`] names, within serde's error, that the line is JSON but no object.
const NOT_AN_OBJECT: &str = "not an object";

/// The members of a line, or why it is not a JSON object.
pub(super) fn read(text: &str) -> Result<Raw<'_>, Invalid> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let raw = Raw::deserialize(&mut deserializer).and_then(|raw| deserializer.end().map(|()| raw));
    raw.map_err(|error| match error.to_string() {
        message if message.starts_with(NOT_AN_OBJECT) => Invalid::NotAnObject,
        message => Invalid::Json(message),
    })
}

impl<'de> Deserialize<'de> for Scalar<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ScalarVisitor)
    }
}

struct ScalarVisitor;

impl<'de> Visitor<'de> for ScalarVisitor {
    type Value = Scalar<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Scalar::Null)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(Scalar::Other)
    }

    fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
        Ok(Scalar::Integer(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        Ok(i64::try_from(value).map_or(Scalar::Float(value as f64), Scalar::Integer))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Self::Value, E> {
        Ok(Scalar::Float(value))
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Self::Value, E> {
        Ok(Scalar::Text(Cow::Borrowed(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Self::Value, E> {
        Ok(Scalar::Text(Cow::Owned(value.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Scalar::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        while members.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Scalar::Other)
    }
}

/// A member's name, as the place of its value in what it is a member of. It is read as it is written: the grammar of a JSON
/// text is checked then, while an unknown name may hold escapes that stand for no text.
struct Name<'raw, R, T>(&'raw mut R, fn(&'raw mut R, &[u8]) -> T);

impl<'de, R, T> DeserializeSeed<'de> for Name<'_, R, T> {
    type Value = T;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        let written = <&RawValue>::deserialize(deserializer)?.get();
        // A lone surrogate makes no text, and no known name holds one.
        let name = serde_json::from_str::<Unescaped<'_>>(written).map_or(Cow::Borrowed(written), |name| name.0);
        Ok((self.1)(self.0, name.as_bytes()))
    }
}

/// A text that is borrowed where it holds no escapes.
#[derive(Deserialize)]
#[serde(transparent)]
struct Unescaped<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de> Deserialize<'de> for Raw<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = Raw<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an event")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let mut raw = Raw::default();
        while let Some(place) = members.next_key_seed(Name(&mut raw, Raw::place))? {
            match place {
                Place::Scalar(scalar) => *scalar = members.next_value()?,
                Place::Optional(scalar) => *scalar = Some(members.next_value()?),
                Place::Timings(timings) => *timings = Some(members.next_value()?),
                Place::Text(text) => *text = Some(members.next_value::<&RawValue>()?.get()),
                Place::Nowhere => drop(members.next_value::<IgnoredAny>()?),
            }
        }
        Ok(raw)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Err(A::Error::custom(NOT_AN_OBJECT))
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<Self::Value, E> {
        Err(E::custom(NOT_AN_OBJECT))
    }

    fn visit_bool<E: serde::de::Error>(self, _: bool) -> Result<Self::Value, E> {
        Err(E::custom(NOT_AN_OBJECT))
    }

    fn visit_i64<E: serde::de::Error>(self, _: i64) -> Result<Self::Value, E> {
        Err(E::custom(NOT_AN_OBJECT))
    }

    fn visit_u64<E: serde::de::Error>(self, _: u64) -> Result<Self::Value, E> {
        Err(E::custom(NOT_AN_OBJECT))
    }

    fn visit_f64<E: serde::de::Error>(self, _: f64) -> Result<Self::Value, E> {
        Err(E::custom(NOT_AN_OBJECT))
    }

    fn visit_str<E: serde::de::Error>(self, _: &str) -> Result<Self::Value, E> {
        Err(E::custom(NOT_AN_OBJECT))
    }
}

impl<'de> Deserialize<'de> for Timings<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TimingsVisitor)
    }
}

struct TimingsVisitor;

impl<'de> Visitor<'de> for TimingsVisitor {
    type Value = Timings<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("measurements")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let mut timings = RawTimings::default();
        while let Some(place) = members.next_key_seed(Name(&mut timings, RawTimings::place))? {
            match place {
                Some(scalar) => *scalar = members.next_value()?,
                None => drop(members.next_value::<IgnoredAny>()?),
            }
        }
        Ok(Timings::Object(timings))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Timings::Null)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(Timings::Other)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(Timings::Other)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(Timings::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(Timings::Other)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
        Ok(Timings::Other)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Timings::Other)
    }
}
