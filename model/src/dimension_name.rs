//! How a dimension of causes is written: that of a label with the label's name.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{Cause, Dimension, Side, TagName};

/// The names that a dimension can have, for those who have written another one.
const NAMES: [&str; Dimension::ALL.len()] = {
    let mut names = [""; Dimension::ALL.len()];
    let mut place = 0;
    while place < names.len() {
        names[place] = Dimension::ALL[place].as_str();
        place += 1;
    }
    names
};

/// A dimension as stores, the API and the documents write it: `isp`, `isp×target`, `client.team`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DimensionName {
    dimension: Dimension,
    /// The name of the label, where it is one.
    key: Option<Arc<str>>,
}

impl DimensionName {
    /// The dimension that is written so.
    pub fn parse(text: &str) -> Option<Self> {
        if let Some(TagName { side, key }) = TagName::parse(text) {
            return Some(Self { dimension: Dimension::of_labels(side), key: Some(key) });
        }
        let plain = |dimension: &Dimension| dimension.as_str() == text && dimension.side().is_none();
        Dimension::ALL.into_iter().find(plain).map(Self::from)
    }

    /// The names that there are, in one text.
    pub fn all() -> String {
        NAMES.join(", ")
    }

    /// How many texts a value of it has, as it is written.
    pub fn texts(&self) -> usize {
        match self.dimension {
            Dimension::Everything => 0,
            Dimension::IspTarget | Dimension::SiteNetworkType => 2,
            _ => 1,
        }
    }

    /// The cause that is written with this name and these texts.
    pub fn with(&self, texts: impl IntoIterator<Item = Arc<str>>) -> Cause {
        Cause { dimension: self.dimension, value: self.key.iter().cloned().chain(texts).collect() }
    }

    /// Whether it is the dimension of this cause.
    pub fn is_of(&self, cause: &Cause) -> bool {
        self.dimension == cause.dimension && self.key.as_deref() == cause.label_key()
    }
}

impl From<Dimension> for DimensionName {
    fn from(dimension: Dimension) -> Self {
        Self { dimension, key: None }
    }
}

impl fmt::Display for DimensionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.dimension.side(), &self.key) {
            (Some(side), Some(key)) => write!(f, "{}.{key}", side.as_str()),
            _ => f.write_str(self.dimension.as_str()),
        }
    }
}

impl Serialize for DimensionName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for DimensionName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| D::Error::unknown_variant(&text, &NAMES))
    }
}

impl Dimension {
    /// That of the labels of clients, or of targets.
    const fn of_labels(side: Side) -> Self {
        match side {
            Side::Client => Self::ClientLabel,
            Side::Target => Self::TargetLabel,
        }
    }

    /// Whose labels it is of, where it is of labels.
    pub const fn side(self) -> Option<Side> {
        match self {
            Self::ClientLabel => Some(Side::Client),
            Self::TargetLabel => Some(Side::Target),
            _ => None,
        }
    }
}

impl Cause {
    /// The cause of the pairs with this value of a label.
    pub fn of_label(side: Side, key: &Arc<str>, value: &Arc<str>) -> Self {
        Self { dimension: Dimension::of_labels(side), value: vec![Arc::clone(key), Arc::clone(value)] }
    }

    /// The name of the label, where it is the value of one.
    pub fn label_key(&self) -> Option<&str> {
        self.dimension.side().map(|_| self.value.first().map_or("", |key| key))
    }

    /// Its dimension as it is written.
    pub fn dimension_name(&self) -> DimensionName {
        DimensionName { dimension: self.dimension, key: self.label_key().map(Arc::from) }
    }

    /// The texts of its value as it is written: the name of a label is in that of its dimension.
    pub fn texts(&self) -> &[Arc<str>] {
        let keys = usize::from(self.dimension.side().is_some());
        self.value.get(keys..).unwrap_or_default()
    }

    /// Whether both are values of one dimension: then they have no pair in common, unless they are the same.
    pub fn shares_dimension(&self, other: &Self) -> bool {
        self.dimension == other.dimension && self.label_key() == other.label_key()
    }
}

/// As a cause is written for people and programs.
#[derive(Serialize, Deserialize)]
struct Written<'a> {
    dimension: DimensionName,
    #[serde(borrow)]
    value: Cow<'a, [Arc<str>]>,
}

impl Serialize for Cause {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if !serializer.is_human_readable() {
            return (self.dimension, &self.value).serialize(serializer);
        }
        Written { dimension: self.dimension_name(), value: self.texts().into() }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Cause {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if !deserializer.is_human_readable() {
            let (dimension, value) = Deserialize::deserialize(deserializer)?;
            return Ok(Self { dimension, value });
        }
        let Written { dimension, value } = Written::deserialize(deserializer)?;
        Ok(dimension.with(value.into_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cause(json: &str) -> Cause {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn a_cause_is_written_with_the_name_of_its_label() {
        let team = Cause::of_label(Side::Client, &"team".into(), &"core".into());
        let json = r#"{"dimension":"client.team","value":["core"]}"#;
        assert_eq!((serde_json::to_string(&team).unwrap().as_str(), &cause(json)), (json, &team));
        assert_eq!((team.dimension_name().to_string().as_str(), team.texts().len()), ("client.team", 1));
        for json in [
            r#"{"dimension":"isp×target","value":["a","b"]}"#,
            r#"{"dimension":"everything","value":[]}"#,
            r#"{"dimension":"client","value":["client.team"]}"#,
        ] {
            assert_eq!(serde_json::to_string(&cause(json)).unwrap(), json);
        }
    }

    #[test]
    fn every_dimension_has_a_name_and_only_those_of_labels_have_a_key() {
        assert_eq!(NAMES, Dimension::ALL.map(Dimension::as_str));
        for dimension in Dimension::ALL.into_iter().filter(|dimension| dimension.side().is_none()) {
            assert_eq!(DimensionName::parse(dimension.as_str()), Some(dimension.into()));
        }
        for text in ["client.", "client.9", "target.a-b", "isp.team", "Client"] {
            assert_eq!(DimensionName::parse(text), None, "{text}");
        }
        let error = serde_json::from_str::<Cause>(r#"{"dimension":"clint","value":[]}"#).unwrap_err().to_string();
        assert!(error.starts_with("unknown variant `clint`, expected one of `client`"), "{error}");
    }

    #[test]
    fn two_labels_are_two_dimensions() {
        let label = |side, key: &str, value: &str| Cause::of_label(side, &key.into(), &value.into());
        let core = label(Side::Client, "team", "core");
        assert!(core.shares_dimension(&label(Side::Client, "team", "edge")));
        assert!(!core.shares_dimension(&label(Side::Client, "site", "core")));
        assert!(!core.shares_dimension(&label(Side::Target, "team", "core")));
        assert!(DimensionName::parse("client.team").unwrap().is_of(&core));
        assert!(!DimensionName::parse("client.site").unwrap().is_of(&core));
        assert!(!DimensionName::parse("client").unwrap().is_of(&core));
    }

    /// A store of another version may hold a value that has fewer texts than its dimension.
    #[test]
    fn a_cause_without_its_texts_is_no_panic() {
        for dimension in Dimension::ALL {
            let cause = Cause { dimension, value: Vec::new() };
            assert!(cause.texts().is_empty() && !cause.dimension_name().to_string().is_empty());
        }
    }
}
