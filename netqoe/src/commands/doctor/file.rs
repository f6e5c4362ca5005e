//! Whether a data file is what was written to it.

use std::path::Path;

use anyhow::{Context, ensure};
use netqoe_eventlog::{Inspection, SqliteLog};

use crate::commands::data_file;
use crate::output;

/// Damaged records that are listed.
const LISTED: usize = 20;

pub(super) fn check(folder: &Path) -> anyhow::Result<()> {
    let path = data_file(folder);
    let mut problems = open_to_others(folder, &path)?;
    let inspection = SqliteLog::inspect(&path)?;
    output::own_line(format_args!("{}: {} records of the event log", path.display(), inspection.findings.records))?;
    if inspection.findings.unchecked > 0 {
        output::own_line(format_args!(
            "{} of them were written before records had checksums: they are not checked",
            inspection.findings.unchecked
        ))?;
    }
    problems.extend(found(&inspection));
    for problem in &problems {
        output::line(problem)?;
    }
    output::own_line(format_args!(
        "rows are checked against the log by `netqoe log export --data {} | netqoe replay --store sqlite:NEW --diff sqlite:{}`",
        folder.display(),
        path.display()
    ))?;
    ensure!(problems.is_empty(), "{} problems were found in {}", problems.len(), path.display());
    output::own_line(format_args!("no problem was found"))?;
    Ok(())
}

/// What is wrong with a file's log and with the file, a line each.
pub(in crate::commands) fn found(inspection: &Inspection) -> Vec<String> {
    let Inspection { findings, sqlite } = inspection;
    let mut problems: Vec<_> = sqlite.iter().map(|problem| format!("SQLite: {}", problem.escape_debug())).collect();
    for position in findings.damaged_at.iter().take(LISTED) {
        problems.push(format!("the record at position {} is damaged: its checksum does not match", position.0));
    }
    if findings.damaged > LISTED as u64 {
        problems.push(format!("{} records are damaged in all", findings.damaged));
    }
    if let Some(first) = findings.first_missing {
        problems.push(format!("{} records are missing, the first at position {}", findings.missing, first.0));
    }
    problems
}

/// What other users of the machine can read or write.
fn open_to_others(folder: &Path, file: &Path) -> anyhow::Result<Vec<String>> {
    let mut problems = Vec::new();
    for (path, wanted) in [(folder, netqoe_datafile::FOLDER_MODE), (file, netqoe_datafile::FILE_MODE)] {
        let open = netqoe_datafile::open_mode(path).with_context(|| format!("can't look at {}", path.display()))?;
        if let Some(mode) = open {
            let path = path.display();
            problems.push(format!("{path} is open to other users (mode {mode:03o}): chmod {wanted:03o} {path}"));
        }
    }
    Ok(problems)
}

#[cfg(test)]
mod tests {
    use netqoe_eventlog::Findings;
    use netqoe_model::Position;

    use super::*;

    #[test]
    fn each_problem_is_a_line() {
        let findings = Findings {
            records: 9,
            damaged: 30,
            damaged_at: (1..=30).map(Position).collect(),
            missing: 2,
            first_missing: Some(Position(5)),
            ..Findings::default()
        };
        let problems = found(&Inspection { findings, sqlite: vec!["a\nb".to_owned()] });
        assert_eq!(problems[0], "SQLite: a\\nb");
        assert_eq!(problems[1], "the record at position 1 is damaged: its checksum does not match");
        assert_eq!(problems[21..], ["30 records are damaged in all", "2 records are missing, the first at position 5"]);
        assert!(found(&Inspection::default()).is_empty());
    }
}
