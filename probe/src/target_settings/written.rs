//! A target as a file writes it: keys and values, whatever the file's form.

use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};

use super::{InvalidWord, TargetWords};
use crate::{
    Family, INTERVALS, InvalidList, Label, Labels, PlannedTarget, TIMEOUTS, Target, parse_method, parse_throughput,
};

/// All keys of a target, for suggestions.
const KEYS: [&str; 24] = [
    "url",
    "name",
    "interval",
    "timeout",
    "labels",
    "ipv4",
    "ipv6",
    "throughput_url",
    "stay_on_host",
    "expect_status",
    "expect_text",
    "expect_header",
    "expect_certificate_days",
    "method",
    "header",
    "body",
    "user",
    "password_file",
    "bearer_token_file",
    "client_certificate",
    "client_key",
    "ca_file",
    "insecure",
    "proxy",
];
/// How alike a wrong key must be to one that is suggested, from 0 to 1.
const ALIKE: f64 = 0.8;
/// The label that a target's name is.
const NAME: &str = "name";

/// A target of a list, with what is said of it there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedTarget {
    /// What is measured.
    pub target: Target,
    /// Where it stands; the first line is 1.
    pub line: usize,
    /// From one turn to the next.
    pub interval: Option<Duration>,
    /// What it is called.
    pub labels: Labels,
    /// How it is measured.
    pub words: TargetWords,
}

impl ListedTarget {
    /// With nothing but labels.
    pub(crate) fn bare(target: Target, line: usize, labels: Labels) -> Self {
        Self { target, line, interval: None, labels, words: TargetWords::default() }
    }

    /// What is to be done, once the files are read that it names; those with a relative path, in `folder`.
    ///
    /// # Errors
    /// The word whose file can't be used.
    pub fn plan(&self, folder: &Path) -> Result<PlannedTarget, InvalidList> {
        let target = self.target.clone();
        let own = self.words.read(folder).map_err(|word| self.invalid(word))?;
        Ok(PlannedTarget { target, interval: self.interval, own: Arc::new(own), labels: Arc::new(self.labels.clone()) })
    }

    fn invalid(&self, word: InvalidWord) -> InvalidList {
        InvalidList::Word { line: self.line, target: self.target.to_string(), word }
    }
}

/// The keys and values of a target, with the line of each.
pub(crate) struct Fields {
    pub(crate) line: usize,
    pub(crate) all: Vec<(String, Value, usize)>,
}

impl Fields {
    /// The target that they describe. Every key must be known.
    pub(crate) fn target(self) -> Result<ListedTarget, InvalidList> {
        let Self { line, all } = self;
        let url = all.iter().find(|(key, ..)| key == "url");
        let no_url = || InvalidList::Key { line, cause: "a target has no url".to_owned() };
        let (_, url, url_line) = url.ok_or_else(no_url)?;
        let of_url = |cause: String| InvalidList::Key { line: *url_line, cause: format!("url: {cause}") };
        let target: Target = text(url).and_then(parsed).map_err(of_url)?;
        let mut listed = ListedTarget::bare(target, line, Labels::default());
        let mut labels = Vec::new();
        for (key, value, line) in &all {
            let taken = listed.take(key, value, &mut labels);
            taken.map_err(|cause| InvalidList::Word {
                line: *line,
                target: listed.target.to_string(),
                word: InvalidWord { key: known(key), cause },
            })?;
        }
        listed.labels =
            Labels::of(labels).map_err(|error| listed.invalid(InvalidWord::new("labels", error.to_string())))?;
        listed.words.check(&listed.target).map_err(|word| {
            let at = all.iter().find(|(key, ..)| key == word.key).map_or(line, |(.., line)| *line);
            InvalidList::Word { line: at, target: listed.target.to_string(), word }
        })?;
        Ok(listed)
    }
}

impl ListedTarget {
    fn take(&mut self, key: &str, value: &Value, labels: &mut Vec<Label>) -> Result<(), String> {
        let words = &mut self.words;
        let expects = &mut words.expectations;
        match key {
            "url" => {}
            "name" => labels.push(label(NAME, text(value)?)?),
            "interval" => self.interval = Some(time(value, &INTERVALS)?),
            "labels" => labels.extend(labels_of(value)?),
            "timeout" => words.timeout = Some(time(value, &TIMEOUTS)?),
            "ipv4" | "ipv6" if yes(value)? => {
                let family = if key == "ipv4" { Family::V4 } else { Family::V6 };
                if words.only.replace(family).is_some() {
                    return Err("a target has either ipv4 or ipv6".to_owned());
                }
            }
            "ipv4" | "ipv6" => {}
            "throughput_url" => {
                words.throughput = Some(parse_throughput(text(value)?).map_err(|error| error.to_string())?);
            }
            "stay_on_host" => words.stay_on_host = Some(yes(value)?),
            "expect_status" => expects.status = list(value, |value| parsed(&number_or_text(value)?))?,
            "expect_text" => expects.text = Some(parsed(text(value)?)?),
            "expect_header" => expects.headers = list(value, |value| parsed(text(value)?))?,
            "expect_certificate_days" => expects.certificate_days = Some(days(value)?),
            "method" => words.method = Some(parse_method(text(value)?).map_err(|error| error.to_string())?),
            "header" => words.headers = list(value, |value| parsed(text(value)?))?,
            "body" => words.body = Some(text(value)?.to_owned()),
            "user" => words.user = Some(text(value)?.to_owned()),
            "password_file" => words.password_file = Some(file(value)?),
            "bearer_token_file" => words.bearer_token_file = Some(file(value)?),
            "client_certificate" => words.client_certificate = Some(file(value)?),
            "client_key" => words.client_key = Some(file(value)?),
            "ca_file" => words.ca_file = Some(file(value)?),
            "insecure" => words.insecure = yes(value)?,
            "proxy" => words.proxy = Some(parsed(text(value)?)?),
            unknown => return Err(not_known(unknown)),
        }
        Ok(())
    }
}

/// A key as messages name it. An unknown one may be anything.
fn known(key: &str) -> &'static str {
    KEYS.iter().find(|known| **known == key).copied().unwrap_or("unknown key")
}

fn not_known(key: &str) -> String {
    let alike = KEYS.map(|known| (strsim::jaro_winkler(known, key), known));
    match alike.into_iter().max_by(|(a, _), (b, _)| a.total_cmp(b)) {
        Some((how_much, known)) if how_much >= ALIKE => format!("{key:?}; did you mean {known}?"),
        _ => format!("{key:?}; docs/probe.md lists those of a target"),
    }
}

fn parsed<T: FromStr<Err: ToString>>(text: &str) -> Result<T, String> {
    text.parse().map_err(|error: T::Err| error.to_string())
}

fn text(value: &Value) -> Result<&str, String> {
    value.as_str().ok_or_else(|| "it must be text in quotes".to_owned())
}

fn number_or_text(value: &Value) -> Result<String, String> {
    match value {
        Value::Number(number) => Ok(number.to_string()),
        Value::String(text) => Ok(text.clone()),
        _ => Err("it must be a number, text in quotes, or a list of them".to_owned()),
    }
}

fn yes(value: &Value) -> Result<bool, String> {
    value.as_bool().ok_or_else(|| "it must be true or false".to_owned())
}

fn days(value: &Value) -> Result<u32, String> {
    let days = value.as_u64().and_then(|days| u32::try_from(days).ok());
    days.ok_or_else(|| "it must be a number of days".to_owned())
}

fn file(value: &Value) -> Result<PathBuf, String> {
    text(value).map(PathBuf::from)
}

/// One value stands for a list of one.
fn list<T>(value: &Value, one: impl Fn(&Value) -> Result<T, String>) -> Result<Vec<T>, String> {
    value.as_array().map_or_else(|| Ok(vec![one(value)?]), |values| values.iter().map(&one).collect())
}

fn time(value: &Value, range: &RangeInclusive<Duration>) -> Result<Duration, String> {
    let text = value.as_str().ok_or_else(|| "it must be a time with its unit in quotes, such as \"30s\"".to_owned())?;
    let duration = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    let (shortest, longest) = (humantime::format_duration(*range.start()), humantime::format_duration(*range.end()));
    if range.contains(&duration) { Ok(duration) } else { Err(format!("it must be from {shortest} to {longest}")) }
}

fn label(name: &str, value: &str) -> Result<Label, String> {
    Label::new(name, value).map_err(|error| error.to_string())
}

fn labels_of(value: &Value) -> Result<Vec<Label>, String> {
    let of_text = |(name, value): (&String, &Value)| {
        let text = value.as_str().ok_or_else(|| format!("the value of label {name:?} must be text in quotes"))?;
        label(name, text)
    };
    let no_table = || "it must be a table of names and texts".to_owned();
    value.as_object().map(Map::iter).ok_or_else(no_table)?.map(of_text).collect()
}
