//! The labels that people give to clients and targets: `team` is `core`, say. In code they are tags, since a label is what a
//! diagnosis says; on the wire, in options and on the page they are called labels, as their users call them.
//!
//! Decision: D-104.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserializer, Serialize, Serializer};

/// Labels that a client or a target may have. Each is a dimension of every query and a cause that incidents are looked for in.
pub const MAX_TAGS: usize = 16;
/// Longest name of a label, in bytes. It is written in URLs and at the head of columns.
pub const MAX_TAG_KEY_BYTES: usize = 64;
/// Longest value of a label, in bytes. Every row of a pair carries its values.
pub const MAX_TAG_VALUE_BYTES: usize = 256;

/// Names and values as a text has them, before they are put in order.
type Members<'a> = Vec<(Cow<'a, str>, Cow<'a, str>)>;

/// The labels of one client or one target: values by name. Two are equal, and ordered, as their texts are.
#[derive(Clone, Debug, Default)]
pub struct Tags {
    /// As a JSON object with its names in order; empty where there is no label.
    json: Box<str>,
    /// By name.
    by_key: Box<[(Arc<str>, Arc<str>)]>,
}

impl Tags {
    /// The labels that a JSON text says: an object of at most [`MAX_TAGS`] texts, or null for none. Of a name that stands twice, the
    /// last value counts.
    pub fn parse(json: &str) -> Option<Self> {
        let mut members = members(json)?;
        // The sort is stable, so the last of those with the same name is the one that was written last.
        members.sort_by(|(a, _), (b, _)| a.cmp(b));
        let mut by_key: Vec<(Arc<str>, Arc<str>)> = Vec::with_capacity(members.len());
        for (key, value) in members {
            match by_key.last_mut() {
                Some((known, last)) if **known == *key => *last = value.into(),
                _ => by_key.push((key.into(), value.into())),
            }
        }
        let mut tags = Self { json: Box::default(), by_key: by_key.into() };
        if !tags.is_empty() {
            tags.json = serde_json::to_string(&tags).ok()?.into();
        }
        Some(tags)
    }

    /// Whether there is no label.
    pub fn is_empty(&self) -> bool {
        self.by_key.is_empty()
    }

    /// As the stores have them: a JSON object whose names are in order; `None` where there is no label.
    pub fn json(&self) -> Option<&str> {
        (!self.is_empty()).then_some(&*self.json)
    }

    /// Name and value of each, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&Arc<str>, &Arc<str>)> {
        self.by_key.iter().map(|(key, value)| (key, value))
    }

    /// The value of the label with this name.
    pub fn get(&self, key: &str) -> Option<&Arc<str>> {
        let place = self.by_key.binary_search_by(|(known, _)| (**known).cmp(key)).ok()?;
        Some(&self.by_key[place].1)
    }
}

impl PartialEq for Tags {
    fn eq(&self, other: &Self) -> bool {
        self.json == other.json
    }
}

impl Eq for Tags {}

impl PartialOrd for Tags {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Tags {
    fn cmp(&self, other: &Self) -> Ordering {
        self.json.cmp(&other.json)
    }
}

impl Hash for Tags {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.json.hash(state);
    }
}

impl Serialize for Tags {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

/// Whether a JSON text says labels, or null. What an event says is checked where it is read, and taken apart only once for many events.
pub(crate) fn are_tags(json: &str) -> bool {
    members(json).is_some()
}

/// A regular expression for what [`is_tag_key`] takes, without anchors.
pub fn tag_key_pattern() -> String {
    format!("[a-zA-Z_][a-zA-Z0-9_]{{0,{}}}", MAX_TAG_KEY_BYTES - 1)
}

/// Whether this can be the name of a label: `[a-zA-Z_][a-zA-Z0-9_]*`, so that it needs no quotes anywhere.
pub fn is_tag_key(key: &str) -> bool {
    let starts = key.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_');
    starts && key.len() <= MAX_TAG_KEY_BYTES && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

fn is_tag_value(value: &str) -> bool {
    // PostgreSQL does not accept U+0000 in texts.
    value.len() <= MAX_TAG_VALUE_BYTES && !value.contains('\0')
}

/// The members of a JSON object that says labels, as they are written; none for null.
fn members(json: &str) -> Option<Members<'_>> {
    let mut deserializer = serde_json::Deserializer::from_str(json);
    let members = deserializer.deserialize_any(MembersVisitor).ok()?;
    deserializer.end().ok()?;
    Some(members)
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of texts")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Vec::new())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let mut found = Vec::new();
        while let Some(Text(key)) = members.next_key()? {
            let Text(value) = members.next_value()?;
            if found.len() == MAX_TAGS || !is_tag_key(&key) || !is_tag_value(&value) {
                return Err(A::Error::custom("no labels"));
            }
            found.push((key, value));
        }
        Ok(found)
    }
}

/// A text that is borrowed where it holds no escapes.
#[derive(serde::Deserialize)]
#[serde(transparent)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// The labels of a pair: at least one of its client or of its target.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PairTags {
    client: Tags,
    target: Tags,
}

impl PairTags {
    /// With these labels of the client and of the target; `None` where neither has one.
    pub fn of(client: Tags, target: Tags) -> Option<Self> {
        (!client.is_empty() || !target.is_empty()).then_some(Self { client, target })
    }

    /// Of the JSON of the client's labels and of the target's, each empty where there are none. `None` where neither has one, and where
    /// one of the texts is no labels.
    pub fn parse(json: [&str; 2]) -> Option<Self> {
        let side = |json: &str| if json.is_empty() { Some(Tags::default()) } else { Tags::parse(json) };
        let [client, target] = json.map(side);
        Self::of(client?, target?)
    }

    /// The labels of one of the two.
    pub fn side(&self, side: Side) -> &Tags {
        match side {
            Side::Client => &self.client,
            Side::Target => &self.target,
        }
    }

    /// As the stores have them: the columns `client_labels` and `target_labels`.
    pub fn json(&self) -> [Option<&str>; 2] {
        [self.client.json(), self.target.json()]
    }

    /// The value of a label.
    pub fn get(&self, name: &TagName) -> Option<&Arc<str>> {
        self.side(name.side).get(&name.key)
    }

    /// All labels, those of the client first: whose, name and value.
    pub fn iter(&self) -> impl Iterator<Item = (Side, &Arc<str>, &Arc<str>)> {
        Side::ALL.into_iter().flat_map(|side| self.side(side).iter().map(move |(key, value)| (side, key, value)))
    }
}

/// Whose labels they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// The client's.
    Client,
    /// The target's.
    Target,
}

impl Side {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Client, Self::Target];

    /// What stands before the point of a dimension's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Target => "target",
        }
    }
}

/// A label as a dimension: `client.team`, `target.service`. It is written so everywhere.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TagName {
    /// Whose label it is.
    pub side: Side,
    /// Its name.
    pub key: Arc<str>,
}

impl TagName {
    /// The label that is written so.
    pub fn parse(text: &str) -> Option<Self> {
        let (side, key) = text.split_once('.')?;
        let side = Side::ALL.into_iter().find(|known| known.as_str() == side)?;
        is_tag_key(key).then(|| Self { side, key: key.into() })
    }
}

impl fmt::Display for TagName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.side.as_str(), self.key)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn json_of(json: &str) -> Option<String> {
        Some(Tags::parse(json)?.json().unwrap_or("none").to_owned())
    }

    #[test]
    fn labels_have_one_text_however_they_are_written() {
        for (json, text) in [
            (r#"{"team":"core","site":"Oslo"}"#, r#"{"site":"Oslo","team":"core"}"#),
            (" { \"te\\u0061m\" : \"c\\u006fre\" ,\n\"_9\":\"\"} ", r#"{"_9":"","team":"core"}"#),
            (r#"{"a":"1","b":"2","a":"3"}"#, r#"{"a":"3","b":"2"}"#),
            (r#"{"a":"é\n\u0001\u202e"}"#, "{\"a\":\"é\\n\\u0001\u{202e}\"}"),
            ("{}", "none"),
            ("null", "none"),
        ] {
            assert_eq!(json_of(json).as_deref(), Some(text), "{json}");
        }
    }

    #[test]
    fn what_breaks_a_bound_is_no_labels() {
        let many = |count: usize| {
            let members: Vec<_> = (0..count).map(|nth| format!(r#""k{nth}":"v""#)).collect();
            format!("{{{}}}", members.join(","))
        };
        let key = |bytes: usize| format!(r#"{{"{}":"v"}}"#, "k".repeat(bytes));
        let value = |text: &str| format!(r#"{{"k":"{text}"}}"#);
        for json in [many(MAX_TAGS), key(MAX_TAG_KEY_BYTES), value(&"é".repeat(128)), value(&"\\u00e9".repeat(128))] {
            assert!(Tags::parse(&json).is_some(), "{json}");
        }
        for json in [
            many(MAX_TAGS + 1),
            key(MAX_TAG_KEY_BYTES + 1),
            value(&"é".repeat(129)),
            value("\\u0000"),
            value("\\ud800"),
            r#"{"":"v"}"#.into(),
            r#"{"9a":"v"}"#.into(),
            r#"{"a.b":"v"}"#.into(),
            r#"{"a-b":"v"}"#.into(),
            r#"{"é":"v"}"#.into(),
            r#"{"a":5}"#.into(),
            r#"{"a":null}"#.into(),
            r#"{"a":{"b":"c"}}"#.into(),
            r#"{"a":"v"}x"#.into(),
            r#"{"a":"v""#.into(),
            "[]".into(),
            "\"a\"".into(),
            "5".into(),
            "true".into(),
            "".into(),
        ] {
            assert_eq!(Tags::parse(&json), None, "{json}");
            assert!(!are_tags(&json), "{json}");
        }
    }

    #[test]
    fn a_pair_without_labels_has_none() {
        let tags = |json| Tags::parse(json).unwrap();
        assert_eq!(PairTags::of(tags("{}"), tags("null")), None);
        let pair = PairTags::of(tags(r#"{"b":"1","a":"2"}"#), tags(r#"{"a":"3"}"#)).unwrap();
        let all: Vec<_> = pair.iter().map(|(side, key, value)| format!("{}.{key}={value}", side.as_str())).collect();
        assert_eq!(all, ["client.a=2", "client.b=1", "target.a=3"]);
        let of_target = PairTags::of(tags("{}"), tags(r#"{"a":"3"}"#));
        assert_eq!(of_target.as_ref().unwrap().json(), [None, Some(r#"{"a":"3"}"#)]);
        assert_eq!(PairTags::parse(["", r#"{"a":"3"}"#]), of_target);
        assert_eq!(["", "{}", "[]"].map(|json| PairTags::parse([json, ""])), [None, None, None]);
    }

    #[test]
    fn a_dimension_is_written_in_one_way() {
        let name = TagName::parse("client.team").unwrap();
        assert_eq!((name.side, &*name.key, name.to_string()), (Side::Client, "team", "client.team".to_owned()));
        for text in
            ["", "client", "client.", ".team", "clients.team", "client.a.b", "Client.team", "client.9", " client.a"]
        {
            assert_eq!(TagName::parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn the_text_of_labels_is_read_back(members in prop::collection::btree_map("[a-c_]{1,3}", "[^\0]{0,9}", 0..6)) {
            let written = serde_json::to_string(&members).unwrap();
            let tags = Tags::parse(&written).unwrap();
            let read: Vec<_> = tags.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect();
            prop_assert_eq!(read, members.clone().into_iter().collect::<Vec<_>>());
            prop_assert_eq!(Tags::parse(tags.json().unwrap_or("null")), Some(tags.clone()));
            for (key, value) in &members {
                prop_assert_eq!(tags.get(key).map(|found| &**found), Some(&**value));
            }
            prop_assert_eq!(tags.get("zz"), None);
        }

        #[test]
        fn any_text_is_looked_at(text: String) {
            prop_assert_eq!(Tags::parse(&text).is_some(), are_tags(&text));
        }
    }
}
