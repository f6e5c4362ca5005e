//! The log as text, for a replay elsewhere.

use std::io::Write;
use std::ops::Range;
use std::path::Path;

use netqoe_model::{LogTime, Position};
use rusqlite::Connection;

use super::inspect::{Findings, each_record};
use super::stored_record::Verdict;
use super::{at_rest, records};
use crate::LogError;
use crate::as_text::AsText;

/// Writes all of these log times that is not damaged, and only then says what is.
pub(super) fn export(path: &Path, times: &Range<LogTime>, out: &mut dyn Write) -> Result<u64, LogError> {
    let connection = at_rest::open_reader(path)?;
    let mut text = AsText::new(out);
    let findings = write(&connection, path, times, &mut text)?;
    let line_count = text.end()?;
    findings.check(path)?;
    Ok(line_count)
}

fn write(
    connection: &Connection,
    path: &Path,
    times: &Range<LogTime>,
    text: &mut AsText<'_>,
) -> Result<Findings, LogError> {
    let unreadable = |error: rusqlite::Error| LogError::of(path, &error);
    let first_checked: Position = records::first_checked(connection).map_err(unreadable)?;
    let mut written = Ok(());
    let findings = each_record(connection, first_checked, |record, verdict| {
        let log_time = LogTime::from_ms(record.log_time_ms.unwrap_or_default());
        if verdict != Verdict::Damaged && written.is_ok() && times.contains(&log_time) {
            written = text.write(record.lines, log_time);
        }
        written.is_ok()
    });
    written?;
    findings.map_err(unreadable)
}
