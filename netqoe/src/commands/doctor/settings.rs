//! Settings of PostgreSQL, against `docs/operations/tuning.md` and `deploy/postgres/postgresql.conf`.

use netqoe_sinks::{PostgresReadings, PostgresSetting};

use super::finding::Finding;

const MIB: f64 = (1 << 20) as f64;
const GIB: f64 = 1024.0 * MIB;
const SECOND: f64 = 1_000.0;

/// Checkpoints from which on the reasons for them say something.
const ENOUGH_CHECKPOINTS: i64 = 10;
/// The version that netqoe is tested with.
const TESTED_VERSION: i64 = 150_000;

/// What one setting should be.
struct Rule {
    name: &'static str,
    is_met: fn(&PostgresSetting) -> bool,
    advice: &'static str,
}

const RULES: [Rule; 11] = [
    Rule {
        name: "shared_buffers",
        is_met: |setting| amount(setting) >= 256.0 * MIB,
        advice: "set 256MB or more, in production a quarter of the machine's memory: the pages of the open windows are written every few \
                 seconds, and should stay in the server's own cache",
    },
    Rule {
        name: "work_mem",
        is_met: |setting| (4.0 * MIB..=64.0 * MIB).contains(&amount(setting)),
        advice: "set 4MB to 64MB: with less, queries of the page sort on the disk; and each of all connections may take it several times",
    },
    Rule {
        name: "max_wal_size",
        is_met: |setting| amount(setting) >= 4.0 * GIB,
        advice: "set 4GB: otherwise checkpoints come because the log is full, and after each of them every page is logged as a whole \
                 again",
    },
    Rule {
        name: "checkpoint_timeout",
        is_met: |setting| amount(setting) >= 300.0 * SECOND,
        advice: "set 5min or more: after each checkpoint every page that changes is logged as a whole again",
    },
    Rule {
        name: "checkpoint_completion_target",
        is_met: |setting| amount(setting) >= 0.9,
        advice: "set 0.9: a checkpoint is then spread over almost all of the time until the next, and commits do not stall on a burst \
                 of writes",
    },
    Rule {
        name: "autovacuum",
        is_met: is_on,
        advice: "set on: a row is rewritten until it is final, and nothing else clears its earlier versions away",
    },
    Rule {
        name: "autovacuum_max_workers",
        is_met: |setting| amount(setting) >= 4.0,
        advice: "set 4: one for the month that is being written, and some for the other tables meanwhile (needs a restart)",
    },
    Rule {
        name: "autovacuum_naptime",
        is_met: |setting| amount(setting) <= 30.0 * SECOND,
        advice: "set 30s: the rows of a month change all the time, and there is then little to do each time",
    },
    Rule {
        name: "synchronous_commit",
        is_met: |setting| setting.value != "off",
        advice: "set on: a crash of the server may otherwise take back what people were told is saved, such as notes and maintenance \
                 windows, and receivers are told of incidents again",
    },
    Rule {
        name: "fsync",
        is_met: is_on,
        advice: "set on: a crash of the machine may otherwise leave a database that can't be used",
    },
    Rule {
        name: "full_page_writes",
        is_met: is_on,
        advice: "set on: a crash of the machine may otherwise leave pages that are half written",
    },
];

pub(super) fn judge(readings: &PostgresReadings) -> Vec<Finding> {
    let unmet = RULES.iter().filter_map(|rule| {
        let setting = readings.settings.get(rule.name)?;
        let finding = || Finding::problem(of_server(rule.name), &setting.shown, rule.advice);
        (!(rule.is_met)(setting)).then(finding)
    });
    let mut findings: Vec<_> = unmet.collect();
    let [timed, requested] = readings.checkpoints;
    let all = timed + requested;
    if all >= ENOUGH_CHECKPOINTS && requested > timed {
        let present = format!("{requested} of {all} came before their time");
        findings.push(Finding::problem(
            of_server("checkpoints"),
            present,
            "raise max_wal_size until most come by time",
        ));
    }
    if readings.version_number < TESTED_VERSION {
        let advice = "use 15 or newer: netqoe is not tested with older ones";
        findings.push(Finding::problem(of_server("the version"), &readings.version, advice));
    }
    findings
}

/// How a setting, or a figure, of the server is called.
pub(super) fn of_server(what: &str) -> String {
    format!("{what} of PostgreSQL")
}

/// In bytes, milliseconds, or as it is where it has no unit.
fn amount(setting: &PostgresSetting) -> f64 {
    let value = setting.value.parse().unwrap_or(0.0);
    let unit = match setting.unit.as_deref() {
        Some("kB") => 1024.0,
        Some("8kB") => 8192.0,
        Some("MB") => MIB,
        Some("s") => SECOND,
        Some("min") => 60.0 * SECOND,
        _ => 1.0,
    };
    value * unit
}

fn is_on(setting: &PostgresSetting) -> bool {
    setting.value == "on"
}

#[cfg(test)]
mod tests {
    use super::super::finding::subjects;
    use super::*;

    /// As `deploy/postgres/postgresql.conf` and the server's defaults have them: value, unit.
    const GOOD: [(&str, &str, &str); 11] = [
        ("shared_buffers", "32768", "8kB"),
        ("work_mem", "4096", "kB"),
        ("max_wal_size", "4096", "MB"),
        ("checkpoint_timeout", "300", "s"),
        ("checkpoint_completion_target", "0.9", ""),
        ("autovacuum", "on", ""),
        ("autovacuum_max_workers", "4", ""),
        ("autovacuum_naptime", "30", "s"),
        ("synchronous_commit", "on", ""),
        ("fsync", "on", ""),
        ("full_page_writes", "on", ""),
    ];

    fn setting(value: &str, unit: &str) -> PostgresSetting {
        let unit = Some(unit.to_owned()).filter(|unit| !unit.is_empty());
        PostgresSetting { value: value.to_owned(), unit, shown: format!("shown {value}") }
    }

    fn good() -> PostgresReadings {
        let settings = GOOD.map(|(name, value, unit)| (name.to_owned(), setting(value, unit)));
        let settings = settings.into_iter().collect();
        PostgresReadings { settings, version_number: 150_018, checkpoints: [30, 10], ..PostgresReadings::default() }
    }

    #[test]
    fn what_the_guide_sets_is_good() {
        assert_eq!(judge(&good()), []);
        assert_eq!(GOOD.len(), RULES.len());
    }

    #[test]
    fn each_setting_that_is_worse_is_named_alone() {
        for (name, value, unit) in [
            ("shared_buffers", "16384", "8kB"),
            ("work_mem", "64", "kB"),
            ("work_mem", "131072", "kB"),
            ("max_wal_size", "1024", "MB"),
            ("checkpoint_timeout", "30", "s"),
            ("checkpoint_completion_target", "0.5", ""),
            ("autovacuum", "off", ""),
            ("autovacuum_max_workers", "3", ""),
            ("autovacuum_naptime", "60", "s"),
            ("synchronous_commit", "off", ""),
            ("fsync", "off", ""),
            ("full_page_writes", "off", ""),
        ] {
            let mut readings = good();
            readings.settings.insert(name.to_owned(), setting(value, unit));
            let findings = judge(&readings);
            assert_eq!(subjects(&findings), [format!("{name} of PostgreSQL")], "{value}");
            assert_eq!(findings[0].present, format!("shown {value}"));
        }
    }

    #[test]
    fn settings_that_are_safe_as_well_are_left_alone() {
        for (name, value) in [("synchronous_commit", "remote_apply"), ("synchronous_commit", "local")] {
            let mut readings = good();
            readings.settings.insert(name.to_owned(), setting(value, ""));
            assert_eq!(judge(&readings), [], "{value}");
        }
    }

    #[test]
    fn checkpoints_should_come_by_time_and_the_server_be_one_that_is_tested() {
        let hurried = PostgresReadings { checkpoints: [4, 6], ..good() };
        assert_eq!(
            judge(&hurried)[0].to_string().split(';').next(),
            Some("checkpoints of PostgreSQL: 6 of 10 came before their time")
        );
        assert_eq!(judge(&PostgresReadings { checkpoints: [0, 9], ..good() }), [], "these are too few to tell");
        let old = PostgresReadings { version: "14.9".to_owned(), version_number: 140_009, ..good() };
        assert_eq!(subjects(&judge(&old)), ["the version of PostgreSQL"]);
    }
}
