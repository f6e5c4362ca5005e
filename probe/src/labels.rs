//! Labels: what people call a client or a target, in words of their own.

use std::collections::BTreeMap;
use std::str::FromStr;

use netqoe_model::{MAX_TAG_KEY_BYTES, MAX_TAG_VALUE_BYTES, MAX_TAGS, is_tag_key};
use serde::Serialize;

/// The labels of a client or a target, each name once.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Labels(BTreeMap<String, String>);

/// One label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// Letters, digits and `_`; the first is no digit.
    pub name: String,
    /// Any text without control characters.
    pub value: String,
}

/// Why something is no label, or one too many.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidLabel {
    /// No `=`.
    #[error("{0:?} has no =; a label is written as NAME=VALUE")]
    Form(String),
    /// A name that a label can't have.
    #[error(
        "{0:?} can't be the name of a label: letters, digits and _, no digit first, at most {MAX_TAG_KEY_BYTES} bytes"
    )]
    Name(String),
    /// A value that a label can't have.
    #[error("the value of label {0} must be text of at most {MAX_TAG_VALUE_BYTES} bytes without control characters")]
    Value(String),
    /// The name is taken.
    #[error("label {0} is given twice")]
    Twice(String),
    /// Too many.
    #[error("there are more than {MAX_TAGS} labels")]
    TooMany,
}

impl Label {
    /// A label, if both can be that.
    ///
    /// # Errors
    /// [`InvalidLabel::Name`] and [`InvalidLabel::Value`].
    pub fn new(name: impl Into<String>, value: impl Into<String>) -> Result<Self, InvalidLabel> {
        let (name, value) = (name.into(), value.into());
        if !is_tag_key(&name) {
            return Err(InvalidLabel::Name(name));
        }
        if value.len() > MAX_TAG_VALUE_BYTES || value.contains(char::is_control) {
            return Err(InvalidLabel::Value(name));
        }
        Ok(Self { name, value })
    }
}

impl FromStr for Label {
    type Err = InvalidLabel;

    fn from_str(text: &str) -> Result<Self, InvalidLabel> {
        let (name, value) = text.split_once('=').ok_or_else(|| InvalidLabel::Form(text.to_owned()))?;
        Self::new(name, value)
    }
}

impl Labels {
    /// All of these.
    ///
    /// # Errors
    /// [`InvalidLabel::Twice`] and [`InvalidLabel::TooMany`].
    pub fn of(labels: impl IntoIterator<Item = Label>) -> Result<Self, InvalidLabel> {
        let mut known = BTreeMap::new();
        for Label { name, value } in labels {
            if known.contains_key(&name) {
                return Err(InvalidLabel::Twice(name));
            }
            known.insert(name, value);
            if known.len() > MAX_TAGS {
                return Err(InvalidLabel::TooMany);
            }
        }
        Ok(Self(known))
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The value under this name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_refused(text: &str, says: &str) {
        let message = text.parse::<Label>().unwrap_err().to_string();
        assert!(message.contains(says) && !message.contains(char::is_control), "{message}");
    }

    #[test]
    fn a_label_is_a_name_and_any_text() {
        let label: Label = "site=Berlin = Mitte, 2. Stock".parse().unwrap();
        assert_eq!((&*label.name, &*label.value), ("site", "Berlin = Mitte, 2. Stock"));
        assert!("_a9=".parse::<Label>().is_ok());
        check_refused("site", "no =");
        for name in ["", "9a", "a-b", "a b", "\u{e4}", &"a".repeat(MAX_TAG_KEY_BYTES + 1)] {
            check_refused(&format!("{name}=x"), "can't be the name");
        }
        for value in ["a\nb", "\0", &"x".repeat(MAX_TAG_VALUE_BYTES + 1)] {
            check_refused(&format!("a={value}"), "the value of label a");
        }
    }

    #[test]
    fn each_name_is_there_once_and_they_are_few() {
        let label = |n: usize| Label::new(format!("a{n}"), "x").unwrap();
        assert!(Labels::of((0..MAX_TAGS).map(label)).is_ok());
        assert_eq!(Labels::of((0..=MAX_TAGS).map(label)), Err(InvalidLabel::TooMany));
        assert_eq!(Labels::of([label(1), label(1)]), Err(InvalidLabel::Twice("a1".to_owned())));
    }
}
