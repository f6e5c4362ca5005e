//! `netqoe log export`.

use std::io::{BufWriter, Write};

use netqoe_eventlog::SqliteLog;

use super::data_file;
use crate::options::LogExportOptions;
use crate::output::{self, OutputError};

pub(crate) fn run(options: &LogExportOptions) -> anyhow::Result<()> {
    let mut out = BufWriter::new(output::bytes());
    let lines = if options.nats.is_given() {
        options.nats.find()?.export(&mut out)?
    } else {
        SqliteLog::export(&data_file(&options.data), &mut out)?
    };
    out.flush().map_err(OutputError::from)?;
    tracing::info!(lines, "exported");
    Ok(())
}
