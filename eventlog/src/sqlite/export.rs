//! The log as text, for a replay elsewhere.

use std::io::Write;
use std::path::Path;

use super::at_rest;
use crate::LogError;
use crate::record::write_lines;

/// One statement, and so one state of the log, whatever is appended meanwhile.
const EVENTS: &str = "SELECT log_time, lines FROM log_records WHERE length(lines) > 0 ORDER BY seq";

pub(super) fn export(path: &Path, out: &mut dyn Write) -> Result<u64, LogError> {
    let unreadable = |error: rusqlite::Error| LogError::of(path, &error);
    let connection = at_rest::open_reader(path)?;
    let mut select = connection.prepare(EVENTS).map_err(unreadable)?;
    let mut records = select.query([]).map_err(unreadable)?;
    let mut line_count = 0;
    while let Some(record) = records.next().map_err(unreadable)? {
        let log_time_ms = record.get(0).map_err(unreadable)?;
        let lines = record.get_ref(1).and_then(|lines| Ok(lines.as_blob()?)).map_err(unreadable)?;
        line_count += write_lines(lines, log_time_ms, out)?;
    }
    out.flush()?;
    Ok(line_count)
}
