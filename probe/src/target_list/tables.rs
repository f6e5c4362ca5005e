//! Targets with what is said of each: `[[target]]` in TOML, and the same keys in lists of JSON and YAML.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;
use serde_json::value::RawValue;

use super::groups::{json_error, yaml_error, yaml_line};
use super::{InvalidList, line_at};
use crate::target_settings::Fields;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    target: Vec<toml::Spanned<BTreeMap<String, toml::Spanned<Value>>>>,
}

/// What tells such a list from service discovery's.
#[derive(Deserialize)]
struct HasUrl {
    #[serde(default)]
    url: Option<IgnoredAny>,
}

pub(super) fn parse_toml(text: &str) -> Result<Vec<Fields>, InvalidList> {
    let file: File = toml::from_str(text).map_err(|error| toml_error(&error, text))?;
    let fields = file.target.into_iter().map(|target| {
        let at = target.span().start;
        let mut all: Vec<_> = target.into_inner().into_iter().map(|(key, value)| (key, value.span(), value)).collect();
        all.sort_by_key(|(_, span, _)| span.start);
        let all = all.into_iter().map(|(key, span, value)| (key, value.into_inner(), line_at(text, span.start)));
        Fields { line: line_at(text, at), all: all.collect() }
    });
    Ok(fields.collect())
}

/// `None` if it is a list of service discovery, or nothing that can be read.
pub(super) fn parse_json(text: &str) -> Option<Result<Vec<Fields>, InvalidList>> {
    let has_url = |target: &HasUrl| target.url.is_some();
    let is_such = serde_json::from_str::<Vec<HasUrl>>(text).is_ok_and(|targets| targets.iter().any(has_url));
    is_such.then(|| {
        let targets: Vec<&RawValue> = serde_json::from_str(text).map_err(|error| json_error(&error, 1))?;
        targets.into_iter().map(|target| json_fields(target, text)).collect()
    })
}

fn json_fields(target: &RawValue, text: &str) -> Result<Fields, InvalidList> {
    // Values are parts of the text.
    let line = |value: &RawValue| line_at(text, value.get().as_ptr().addr() - text.as_ptr().addr());
    let of_target = |error: serde_json::Error| json_error(&error, line(target));
    let values: BTreeMap<String, &RawValue> = serde_json::from_str(target.get()).map_err(of_target)?;
    let mut all = Vec::new();
    for (key, value) in values {
        all.push((key, serde_json::from_str(value.get()).map_err(of_target)?, line(value)));
    }
    Ok(Fields { line: line(target), all })
}

/// As [`parse_json`].
pub(super) fn parse_yaml(text: &str) -> Option<Result<Vec<Fields>, InvalidList>> {
    let has_url = |target: &HasUrl| target.url.is_some();
    let is_such = serde_saphyr::from_str::<Vec<HasUrl>>(text).is_ok_and(|targets| targets.iter().any(has_url));
    is_such.then(|| {
        let targets: Vec<serde_saphyr::Spanned<BTreeMap<String, serde_saphyr::Spanned<Value>>>> =
            serde_saphyr::from_str(text).map_err(|error| yaml_error(&error))?;
        let fields = targets.into_iter().map(|target| {
            let all = target.value.into_iter().map(|(key, value)| (key, value.value, yaml_line(value.referenced)));
            Fields { line: yaml_line(target.referenced), all: all.collect() }
        });
        Ok(fields.collect())
    })
}

fn toml_error(error: &toml::de::Error, text: &str) -> InvalidList {
    let line = error.span().map_or(1, |span| line_at(text, span.start));
    let cause = error.message().split(char::is_control).collect::<Vec<_>>().join(" ");
    InvalidList::Key { line, cause: format!("not a list of [[target]] tables in TOML: {cause}") }
}
