//! A label with its value, as windows are asked for by it: `client.team=core`.

use std::fmt;
use std::sync::Arc;

use crate::tags::{PairTags, TagName};

/// A label and the value that it has.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TagValue {
    /// Which label.
    pub name: TagName,
    /// Its value, which may be empty.
    pub value: Arc<str>,
}

impl TagValue {
    /// What is written so: `client.team=core`. All that follows the first `=` is the value.
    pub fn parse(text: &str) -> Option<Self> {
        let (name, value) = text.split_once('=')?;
        Some(Self { name: TagName::parse(name)?, value: value.into() })
    }

    /// Whether the label is among these and has the value.
    pub fn is_of(&self, tags: Option<&PairTags>) -> bool {
        tags.and_then(|tags| tags.get(&self.name)).is_some_and(|value| *value == self.value)
    }

    /// The label as it stands in the JSON of its side, and nowhere else in it: a name that follows a quotation mark which no
    /// backslash precedes, and a colon, begins a member.
    pub fn member(&self) -> String {
        let [name, value] = [&*self.name.key, &*self.value].map(|text| serde_json::Value::from(text).to_string());
        format!("{name}:{value}")
    }
}

impl fmt::Display for TagValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.name, self.value)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::tags::{Side, Tags};

    fn label(text: &str) -> TagValue {
        TagValue::parse(text).unwrap()
    }

    #[test]
    fn a_label_is_written_in_one_way() {
        for (text, side, key, value) in [
            ("client.team=core", Side::Client, "team", "core"),
            ("target.a=", Side::Target, "a", ""),
            ("target.a= b=c:d\0", Side::Target, "a", " b=c:d\0"),
        ] {
            let found = label(text);
            assert_eq!((found.name.side, &*found.name.key, &*found.value), (side, key, value));
            assert_eq!(found.to_string(), text);
        }
        for text in ["", "client.team", "team=core", "client.=core", "=core", "client.te am=core", "client.team:core"] {
            assert_eq!(TagValue::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_label_is_that_of_its_side() {
        let tags = PairTags::of(Tags::parse(r#"{"team":"core"}"#).unwrap(), Tags::parse(r#"{"a":""}"#).unwrap());
        let is_of = |text: &str| label(text).is_of(tags.as_ref());
        assert!(is_of("client.team=core") && is_of("target.a="));
        assert!(!is_of("target.team=core") && !is_of("client.team=cor") && !is_of("client.a="));
        assert!(!label("client.team=").is_of(None));
    }

    proptest! {
        /// Also where a value looks like a member, and a name ends as another one.
        #[test]
        fn the_json_of_labels_has_a_member_where_they_have_the_label(
            members in prop::collection::btree_map("[xy]{1,2}", r#"([xy":,{}\\]|\\"|":"){0,5}"#, 0..5),
            other in r#"([xy":,{}\\]|\\"|":"){0,5}"#,
        ) {
            let tags = Tags::parse(&serde_json::to_string(&members).unwrap()).unwrap();
            let pair = PairTags::of(tags.clone(), Tags::default());
            for key in ["x", "y", "xx", "xy", "yx", "yy"] {
                for value in members.values().chain([&other]) {
                    let asked = label(&format!("client.{key}={value}"));
                    let has_member = tags.json().is_some_and(|json| json.contains(&asked.member()));
                    prop_assert_eq!(has_member, asked.is_of(pair.as_ref()), "{}", asked);
                }
            }
        }
    }
}
