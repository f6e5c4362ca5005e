//! What stands behind the `?` of a URL, where a parameter may stand several times.

use std::borrow::Cow;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use serde::de::value::{Error, MapDeserializer, SeqDeserializer};
use serde::de::{DeserializeOwned, Deserializer, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;
use url::form_urlencoded::parse;

use crate::answer::Refusal;
use crate::labelled::LABELLED;

/// Parameters of a question. One that stands twice, or is not known, is refused: only [`LABELLED`] may stand several times.
pub(crate) struct QueryString<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for QueryString<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        let found = read(parts.uri.query().unwrap_or_default());
        found.map(Self).map_err(|reason| Refusal::invalid(format!("the parameters are not understood: {reason}")))
    }
}

fn read<T: DeserializeOwned>(query: &str) -> Result<T, Error> {
    let (mut parameters, mut labelled) = (Vec::new(), Vec::new());
    for (name, value) in parse(query.as_bytes()) {
        match &*name {
            LABELLED => labelled.push(value),
            _ => parameters.push((name, Values::One(value))),
        }
    }
    if !labelled.is_empty() {
        parameters.push((LABELLED.into(), Values::All(labelled)));
    }
    T::deserialize(MapDeserializer::new(parameters.into_iter()))
}

/// What is given for a parameter.
enum Values<'a> {
    One(Cow<'a, str>),
    All(Vec<Cow<'a, str>>),
}

impl<'de> IntoDeserializer<'de> for Values<'_> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for Values<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self {
            Self::One(value) => visitor.visit_string(value.into_owned()),
            Self::All(values) => visitor.visit_seq(SeqDeserializer::new(values.into_iter())),
        }
    }

    /// What is given is not absent.
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct newtype_struct seq tuple
        tuple_struct map struct enum identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, PartialEq, Eq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Parameters {
        from: Option<String>,
        #[serde(default)]
        labelled: Vec<String>,
    }

    fn found(query: &str) -> Result<(Option<String>, Vec<String>), String> {
        let found = read(query).map(|Parameters { from, labelled }| (from, labelled));
        found.map_err(|error| error.to_string())
    }

    #[test]
    fn labels_may_stand_several_times_and_nothing_else() {
        let text = str::to_owned;
        assert_eq!(found(""), Ok((None, vec![])));
        assert_eq!(found("from="), Ok((Some(text("")), vec![])));
        let both = vec![text("client.a=b"), text("target.ü= &")];
        assert_eq!(found("labelled=client.a=b&from=1&labelled=target.%C3%BC%3D+%26"), Ok((Some(text("1")), both)));
        assert_eq!(found("from=1&from=1"), Err(text("duplicate field `from`")));
        let unknown = "unknown field `to`, expected `from` or `labelled`";
        assert_eq!(found("to=1"), Err(text(unknown)));
    }
}
