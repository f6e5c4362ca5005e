//! `netqoe log export`.

use std::io::{BufWriter, Write};

use anyhow::Context;
use netqoe_eventlog::SqliteLog;

use super::data_file;
use crate::options::LogExportOptions;

pub(crate) fn run(options: &LogExportOptions) -> anyhow::Result<()> {
    let mut out = BufWriter::new(std::io::stdout().lock());
    let lines = if options.nats.is_given() {
        options.nats.find()?.export(&mut out)?
    } else {
        SqliteLog::export(&data_file(&options.data), &mut out)?
    };
    out.flush().context("can't write to standard output")?;
    tracing::info!(lines, "exported");
    Ok(())
}
