//! Connections to PostgreSQL, against what processes of netqoe may open.

use netqoe_sinks::{PostgresOptions, PostgresReadings};

use super::finding::Finding;
use super::settings::of_server;

/// What a process opens beside its pool for queries: for commits, for incidents, to follow its progress, for messages to receivers, for
/// what people write, and once a day for maintenance.
const BESIDE_QUERIES: i64 = 6;

pub(super) fn judge(readings: &PostgresReadings) -> Vec<Finding> {
    let number = |name: &str| readings.settings.get(name).and_then(|setting| setting.value.parse::<i64>().ok());
    let Some(all) = number("max_connections") else { return Vec::new() };
    // Newer servers keep some for roles of one kind, too.
    let kept = ["superuser_reserved_connections", "reserved_connections"].map(|name| number(name).unwrap_or(0));
    let usable = all - kept.iter().sum::<i64>();
    let pool = i64::try_from(PostgresOptions::default().max_open_connections).unwrap_or(i64::MAX);
    let one_process = pool.saturating_add(BESIDE_QUERIES);
    let mut findings = Vec::new();
    if usable < one_process {
        let present = format!("{all}, of which {usable} are for all");
        let advice = format!("set 100: one process that answers queries may open {one_process} (needs a restart)");
        findings.push(Finding::problem(of_server("max_connections"), present, advice));
    }
    let used = readings.connections;
    if used.saturating_mul(5) >= usable.saturating_mul(4) {
        let advice = format!(
            "raise max_connections, or put PgBouncer between: each process that answers queries may open {one_process}, and is refused \
             above the limit"
        );
        findings.push(Finding::problem(of_server("connections"), format!("{used} of {usable} are in use"), advice));
    }
    findings
}

#[cfg(test)]
mod tests {
    use netqoe_sinks::PostgresSetting;

    use super::super::finding::subjects;
    use super::*;

    fn readings(max: &str, connections: i64) -> PostgresReadings {
        let settings = [("max_connections", max), ("superuser_reserved_connections", "3")];
        let settings = settings.map(|(name, value)| {
            (name.to_owned(), PostgresSetting { value: value.to_owned(), ..PostgresSetting::default() })
        });
        PostgresReadings { settings: settings.into_iter().collect(), connections, ..PostgresReadings::default() }
    }

    #[test]
    fn one_process_fits_and_a_fifth_is_free() {
        assert_eq!(judge(&readings("100", 77)), []);
        assert_eq!(judge(&readings("34", 1)), []);
        assert_eq!(subjects(&judge(&readings("33", 1))), ["max_connections of PostgreSQL"]);
        assert_eq!(subjects(&judge(&readings("100", 78))), ["connections of PostgreSQL"]);
        assert_eq!(judge(&PostgresReadings::default()), [], "a server that does not say has none to judge");
    }
}
