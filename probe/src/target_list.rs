//! Lists of targets in files: one URL a line, or what Prometheus's file-based service discovery reads.

use std::path::Path;

use serde::Deserialize;

use crate::{InvalidTarget, Target};

/// Why a text is no list of targets.
#[derive(Debug, thiserror::Error)]
pub enum InvalidList {
    /// A line that is no target.
    #[error("line {line}: {cause}")]
    Line {
        /// The first is 1.
        line: usize,
        /// What is wrong with it.
        cause: InvalidTarget,
    },
    /// An entry of a JSON list that is no target.
    #[error("{0}")]
    Entry(#[from] InvalidTarget),
    /// No such JSON.
    #[error("not a list for service discovery, [{{\"targets\": [\"https://example.com\"]}}]: {0}")]
    Json(#[from] serde_json::Error),
}

/// What Prometheus calls a target group. Its labels have no place in an event.
#[derive(Deserialize)]
struct TargetGroup {
    targets: Vec<String>,
}

/// The targets that a file holds: as JSON (`file_sd`) where its name ends so, or else one a line, with comments after `#`.
///
/// # Errors
/// [`InvalidList`], with the first thing that is wrong.
pub fn parse_target_list(path: &Path, text: &str) -> Result<Vec<Target>, InvalidList> {
    if path.extension().is_some_and(|extension| extension == "json") {
        let groups: Vec<TargetGroup> = serde_json::from_str(text)?;
        let targets = groups.iter().flat_map(|group| &group.targets).map(|target| target.parse());
        return Ok(targets.collect::<Result<_, _>>()?);
    }
    let lines = text.lines().map(|line| line.split_once(" #").map_or(line, |(before, _)| before).trim());
    let targets = (1..).zip(lines).filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    targets.map(|(line, text)| text.parse().map_err(|cause| InvalidList::Line { line, cause })).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(name: &str, text: &str) -> Result<Vec<String>, String> {
        let targets = parse_target_list(Path::new(name), text).map_err(|error| error.to_string())?;
        Ok(targets.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn a_line_is_a_target() {
        let text = "# ours\nhttps://a.test/x#part\n\n  tcp://b.test:22  # the gateway\r\n";
        assert_eq!(parse("targets", text).unwrap(), ["https://a.test/x#part", "tcp://b.test:22"]);
        assert_eq!(parse("targets", "").unwrap(), Vec::<String>::new());
        let error = parse("targets", "https://a.test\nb.test\n").unwrap_err();
        assert!(error.starts_with("line 2: ") && error.contains("must begin with"), "{error}");
    }

    #[test]
    fn service_discovery_is_read_without_its_labels() {
        let text = r#"[{"targets": ["https://a.test", "icmp://b.test"], "labels": {"site": "x"}}, {"targets": []}]"#;
        assert_eq!(parse("list.json", text).unwrap(), ["https://a.test", "icmp://b.test"]);
        assert!(parse("list.json", r#"[{"targets": ["a.test:9100"]}]"#).unwrap_err().contains("must begin with"));
        assert!(parse("list.json", "https://a.test").unwrap_err().contains("service discovery"));
    }
}
