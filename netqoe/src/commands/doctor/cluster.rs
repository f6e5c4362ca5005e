//! The servers of a cluster: what they say is read, judged, and printed, a line each.

use anyhow::{bail, ensure};
use netqoe_eventlog::{JetStreamReadings, LogError};
use netqoe_sinks::{PostgresReadings, StoreUrl};

use super::finding::{Finding, Grade, megabytes};
use super::{clocks, connections, machine, settings, statements, stream, tables};
use crate::clock::{now_ms, store_clock};
use crate::commands::resources::max_open_files;
use crate::exit::WrongUsage;
use crate::options::DoctorOptions;
use crate::output;

pub(super) fn check(options: &DoctorOptions) -> anyhow::Result<()> {
    let mut findings: Vec<_> = machine::judge(max_open_files()).into_iter().collect();
    if let Some(store) = &options.database_url {
        findings.extend(store_findings(store, options)?);
    }
    if options.nats.is_given() {
        findings.extend(log_findings(options)?);
    }
    for finding in &findings {
        output::line(finding)?;
    }
    let problems = findings.iter().filter(|finding| finding.grade == Grade::Problem).count();
    ensure!(problems == 0, "{problems} problems were found; docs/operations/tuning.md says more about each setting");
    output::own_line(format_args!("no problem was found"))?;
    Ok(())
}

/// A server that can't be reached is a finding as well, so that the other one is looked at all the same.
fn store_findings(store: &StoreUrl, options: &DoctorOptions) -> anyhow::Result<Vec<Finding>> {
    let StoreUrl::Postgres(url) = store else {
        bail!(WrongUsage(format!(
            "{store} is a file, not a server; to check a data file, give its folder as --data, and no --database-url"
        )));
    };
    let readings = match PostgresReadings::of(url, &options.database.postgres(), &store_clock()) {
        Ok(readings) => readings,
        Err(error) => return Ok(vec![unreadable("PostgreSQL", &error)]),
    };
    output::line(format_args!(
        "PostgreSQL {} at {store}: {} tables of netqoe, {} connections",
        readings.version,
        readings.tables.len(),
        readings.connections
    ))?;
    let mut findings = settings::judge(&readings);
    findings.extend(connections::judge(&readings));
    findings.extend(tables::judge(&readings, now_ms()));
    findings.extend(statements::judge(&readings.statements));
    findings.extend(clocks::of_postgres(readings.clock));
    Ok(findings)
}

fn log_findings(options: &DoctorOptions) -> anyhow::Result<Vec<Finding>> {
    let readings = match JetStreamReadings::of(options.nats.log()?) {
        Ok(readings) => readings,
        Err(error @ (LogError::Url | LogError::ConnectionFile { .. })) => return Err(error.into()),
        Err(error) => return Ok(vec![unreadable("NATS", &error)]),
    };
    output::line(format_args!(
        "NATS {} at {}: stream {} with {} messages, {}, {} readers",
        readings.version,
        readings.servers,
        readings.stream,
        readings.messages.0,
        megabytes(readings.bytes.0),
        readings.consumers.len()
    ))?;
    let mut findings = stream::judge(&readings);
    findings.extend(clocks::of_log(readings.clock, readings.newest_ahead_ms));
    Ok(findings)
}

fn unreadable(server: &str, error: &dyn std::error::Error) -> Finding {
    Finding::problem(server, "it can't be judged", error.to_string())
}
