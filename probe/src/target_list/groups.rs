//! What Prometheus's file-based service discovery reads: groups of targets with labels, in JSON or YAML.
//!
//! Prometheus refuses members that it does not know, takes groups without targets, and takes an empty YAML file as one without groups; an
//! empty JSON file is one that is being written.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_saphyr::Spanned;

use super::{InvalidList, Written, line_at};
use crate::{Label, Labels};

/// The label that chooses the module, where Prometheus asks blackbox_exporter.
const MODULE_LABEL: &str = "__param_module";
/// How labels begin that are for Prometheus itself.
const INTERNAL: &str = "__";

type GroupLabels = Option<BTreeMap<String, String>>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a group of targets")]
struct JsonGroup<'a> {
    #[serde(borrow, default)]
    targets: Option<Vec<&'a RawValue>>,
    #[serde(default)]
    labels: GroupLabels,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a group of targets")]
struct YamlGroup {
    #[serde(default)]
    targets: Option<Vec<Spanned<String>>>,
    #[serde(default)]
    labels: GroupLabels,
}

pub(super) fn parse_json(text: &str) -> Result<Vec<Written>, InvalidList> {
    if text.trim().is_empty() {
        let cause = "the file is empty; without targets it is []".to_owned();
        return Err(InvalidList::Groups { line: 1, cause });
    }
    let groups: Option<Vec<JsonGroup<'_>>> = serde_json::from_str(text).map_err(|error| json_error(&error, 1))?;
    let mut written = Vec::new();
    for JsonGroup { targets, labels } in groups.unwrap_or_default() {
        // A target is a part of the text.
        let line = |target: &RawValue| line_at(text, target.get().as_ptr().addr() - text.as_ptr().addr());
        let targets = targets.unwrap_or_default();
        let (module, labels) = sorted(labels, targets.first().map_or(1, |first| line(first)))?;
        for target in targets {
            let line = line(target);
            let text = serde_json::from_str(target.get()).map_err(|error| json_error(&error, line))?;
            written.push(Written { text, line, module: module.clone(), labels: labels.clone() });
        }
    }
    Ok(written)
}

pub(super) fn parse_yaml(text: &str) -> Result<Vec<Written>, InvalidList> {
    let groups: Option<Vec<Spanned<Option<YamlGroup>>>> =
        serde_saphyr::from_str(text).map_err(|error| yaml_error(&error))?;
    let mut written = Vec::new();
    for group in groups.unwrap_or_default() {
        let line = yaml_line(group.referenced);
        let no_group = || InvalidList::Groups { line, cause: "a group of targets is missing".to_owned() };
        let YamlGroup { targets, labels } = group.value.ok_or_else(no_group)?;
        let (module, labels) = sorted(labels, line)?;
        for target in targets.unwrap_or_default() {
            let line = yaml_line(target.referenced);
            written.push(Written { text: target.value, line, module: module.clone(), labels: labels.clone() });
        }
    }
    Ok(written)
}

/// The module, and the labels of the targets. One without a value is none, as for Prometheus.
fn sorted(labels: GroupLabels, line: usize) -> Result<(Option<String>, Labels), InvalidList> {
    let mut labels = labels.unwrap_or_default();
    labels.retain(|_, value| !value.is_empty());
    let module = labels.remove(MODULE_LABEL);
    let own = labels.into_iter().filter(|(name, _)| !name.starts_with(INTERNAL));
    let own = own.map(|(name, value)| Label::new(name, value)).collect::<Result<Vec<_>, _>>().and_then(Labels::of);
    Ok((module, own.map_err(|cause| InvalidList::Key { line, cause: format!("labels: {cause}") })?))
}

/// Of a text that begins on this line.
pub(super) fn json_error(error: &serde_json::Error, first_line: usize) -> InvalidList {
    let message = error.to_string();
    // The place stands apart.
    let cause = message.rsplit_once(" at line ").map_or(&*message, |(cause, _)| cause);
    InvalidList::Groups { line: (first_line + error.line()).saturating_sub(1).max(1), cause: cause.to_owned() }
}

pub(super) fn yaml_error(error: &serde_saphyr::Error) -> InvalidList {
    let line = error.location().map_or(1, yaml_line);
    let message = error.without_snippet().to_string();
    let cause = message.split(char::is_control).collect::<Vec<_>>().join(" ");
    InvalidList::Groups { line, cause }
}

pub(super) fn yaml_line(location: serde_saphyr::Location) -> usize {
    usize::try_from(location.line()).unwrap_or(usize::MAX).max(1)
}
