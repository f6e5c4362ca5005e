//! `netqoe doctor`: whether a data file is what was written to it, or whether the servers of a cluster are set up as netqoe needs them.
//!
//! What a cluster's servers say is read first (`netqoe_sinks::PostgresReadings`, `netqoe_eventlog::JetStreamReadings`). Each module here
//! then turns readings into findings, and does nothing else.

mod clocks;
mod cluster;
mod connections;
mod file;
mod finding;
mod machine;
mod settings;
mod sql_text;
mod statements;
mod stream;
mod tables;

pub(super) use file::found;

use crate::options::DoctorOptions;

pub(crate) fn run(options: &DoctorOptions) -> anyhow::Result<()> {
    if options.database_url.is_some() || options.nats.is_given() {
        cluster::check(options)
    } else {
        file::check(&options.data)
    }
}
