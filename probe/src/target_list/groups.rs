//! What Prometheus's file-based service discovery reads: groups of targets with labels, in JSON or YAML.
//!
//! Prometheus refuses members that it does not know, takes groups without targets, and takes an empty YAML file as one without groups; an
//! empty JSON file is one that is being written.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_saphyr::Spanned;

use super::{InvalidList, Written};

/// The label that chooses the module, where Prometheus asks blackbox_exporter. All others have no place in an event.
const MODULE_LABEL: &str = "__param_module";

type Labels = Option<BTreeMap<String, String>>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a group of targets")]
struct JsonGroup<'a> {
    #[serde(borrow, default)]
    targets: Option<Vec<&'a RawValue>>,
    #[serde(default)]
    labels: Labels,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a group of targets")]
struct YamlGroup {
    #[serde(default)]
    targets: Option<Vec<Spanned<String>>>,
    #[serde(default)]
    labels: Labels,
}

pub(super) fn parse_json(text: &str) -> Result<Vec<Written>, InvalidList> {
    if text.trim().is_empty() {
        let cause = "the file is empty; without targets it is []".to_owned();
        return Err(InvalidList::Groups { line: 1, cause });
    }
    let groups: Option<Vec<JsonGroup<'_>>> = serde_json::from_str(text).map_err(|error| json_error(&error, 1))?;
    let mut written = Vec::new();
    for JsonGroup { targets, labels } in groups.unwrap_or_default() {
        let module = module(labels);
        for target in targets.unwrap_or_default() {
            // It is a part of the text.
            let before = target.get().as_ptr().addr() - text.as_ptr().addr();
            let line = 1 + text.as_bytes()[..before].iter().filter(|byte| **byte == b'\n').count();
            let text = serde_json::from_str(target.get()).map_err(|error| json_error(&error, line))?;
            written.push(Written { text, line, module: module.clone() });
        }
    }
    Ok(written)
}

pub(super) fn parse_yaml(text: &str) -> Result<Vec<Written>, InvalidList> {
    let groups: Option<Vec<Spanned<Option<YamlGroup>>>> =
        serde_saphyr::from_str(text).map_err(|error| yaml_error(&error))?;
    let mut written = Vec::new();
    for group in groups.unwrap_or_default() {
        let line = line(group.referenced);
        let no_group = || InvalidList::Groups { line, cause: "a group of targets is missing".to_owned() };
        let YamlGroup { targets, labels } = group.value.ok_or_else(no_group)?;
        let module = module(labels);
        for target in targets.unwrap_or_default() {
            let line = self::line(target.referenced);
            written.push(Written { text: target.value, line, module: module.clone() });
        }
    }
    Ok(written)
}

fn module(labels: Labels) -> Option<String> {
    labels?.remove(MODULE_LABEL).filter(|module| !module.is_empty())
}

/// Of a text that begins on this line.
fn json_error(error: &serde_json::Error, first_line: usize) -> InvalidList {
    let message = error.to_string();
    // The place stands apart.
    let cause = message.rsplit_once(" at line ").map_or(&*message, |(cause, _)| cause);
    InvalidList::Groups { line: (first_line + error.line()).saturating_sub(1).max(1), cause: cause.to_owned() }
}

fn yaml_error(error: &serde_saphyr::Error) -> InvalidList {
    let line = error.location().map_or(1, line);
    let message = error.without_snippet().to_string();
    let cause = message.split(char::is_control).collect::<Vec<_>>().join(" ");
    InvalidList::Groups { line, cause }
}

fn line(location: serde_saphyr::Location) -> usize {
    usize::try_from(location.line()).unwrap_or(usize::MAX).max(1)
}
