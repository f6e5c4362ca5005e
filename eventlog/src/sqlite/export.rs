//! The log as text, for a replay elsewhere.

use std::io::Write;
use std::path::Path;

use netqoe_model::Position;
use rusqlite::Connection;

use super::inspect::{Findings, each_record};
use super::stored_record::Verdict;
use super::{at_rest, records};
use crate::LogError;
use crate::record::write_lines;

/// Writes all that is not damaged, and only then says what is.
pub(super) fn export(path: &Path, out: &mut dyn Write) -> Result<u64, LogError> {
    let connection = at_rest::open_reader(path)?;
    let mut line_count = 0;
    let findings = write(&connection, path, out, &mut line_count)?;
    out.flush()?;
    findings.check(path)?;
    Ok(line_count)
}

fn write(
    connection: &Connection,
    path: &Path,
    out: &mut dyn Write,
    line_count: &mut u64,
) -> Result<Findings, LogError> {
    let unreadable = |error: rusqlite::Error| LogError::of(path, &error);
    let first_checked: Position = records::first_checked(connection).map_err(unreadable)?;
    let mut written = Ok(());
    let findings = each_record(connection, first_checked, |record, verdict| {
        if verdict != Verdict::Damaged && written.is_ok() {
            let lines = write_lines(record.lines, record.log_time_ms.unwrap_or_default(), out);
            written = lines.map(|lines| *line_count += lines);
        }
        written.is_ok()
    });
    written?;
    findings.map_err(unreadable)
}
