//! Schema, tables and indexes of a store in PostgreSQL.

use jiff::Timestamp;
use netqoe_sinks::{IndexReading, PostgresReadings, TableReading};

use super::finding::{Finding, megabytes};

/// Settings that the schema gives to tables whose rows are rewritten, and how large each may be.
const REWRITTEN: [(&str, f64); 2] =
    [("autovacuum_vacuum_scale_factor", 0.1), ("autovacuum_analyze_scale_factor", 0.05)];
/// Dead rows that are worth a look. Fewer are cleared away within moments, whenever autovacuum comes.
const MANY_DEAD: i64 = 10_000;
/// Uses of an index are counted for as long as this before its disuse says something: whoever looks at all does so within a week.
const COUNTED_MS: i64 = 7 * 86_400_000;
/// A smaller index costs nothing.
const LARGE_INDEX_BYTES: i64 = 1 << 20;

pub(super) fn judge(readings: &PostgresReadings, now_ms: i64) -> Vec<Finding> {
    let mut findings: Vec<_> = schema(readings).into_iter().collect();
    findings.extend(readings.tables.iter().filter_map(lacks_settings));
    findings.extend(readings.tables.iter().filter_map(has_many_dead));
    findings.extend(unused(readings, now_ms));
    findings
}

fn schema(readings: &PostgresReadings) -> Option<Finding> {
    let known = readings.known_schema_version;
    let (present, advice) = match readings.schema_version {
        Some(found) if found == known => return None,
        Some(found) if found > known => (
            format!("version {found}"),
            format!("use the newer netqoe that has written it: this one knows versions up to {known}"),
        ),
        Some(found) => (
            format!("version {found}"),
            format!("run `netqoe migrate`: this netqoe writes version {known} (`docs/operations/upgrade.md`)"),
        ),
        None => ("none".to_owned(), "run `netqoe migrate`, or see that the URL names the right database".to_owned()),
    };
    Some(Finding::problem("schema of the store", present, advice))
}

/// What somebody has taken from a table, or switched off.
fn lacks_settings(table: &TableReading) -> Option<Finding> {
    let TableReading { name, options, .. } = table;
    let option = |wanted: &str| options.iter().find_map(|option| option.strip_prefix(wanted)?.strip_prefix('='));
    if option("autovacuum_enabled").is_some_and(|value| ["off", "false", "no", "0"].contains(&value)) {
        let advice = format!(
            "ALTER TABLE {name} RESET (autovacuum_enabled): nothing else clears earlier versions of its rows away"
        );
        return Some(Finding::problem(format!("autovacuum of table {name}"), "off", advice));
    }
    let is_rewritten = name == "diagnoses" || name.starts_with("agg_1m_");
    let (wanted, most) = REWRITTEN.into_iter().filter(|_| is_rewritten).find(|(wanted, most)| {
        option(wanted).and_then(|value| value.parse::<f64>().ok()).is_none_or(|value| value > *most)
    })?;
    let present = option(wanted).unwrap_or("not set");
    let advice = format!(
        "ALTER TABLE {name} SET ({wanted} = {most}), as the schema has it: its rows are rewritten until they are final"
    );
    Some(Finding::problem(format!("{wanted} of table {name}"), present, advice))
}

fn has_many_dead(table: &TableReading) -> Option<Finding> {
    let TableReading { name, live, dead, vacuumed_ms, .. } = table;
    if *dead < MANY_DEAD || dead.saturating_mul(2) < *live {
        return None;
    }
    let vacuumed = vacuumed_ms.and_then(|ms| Timestamp::from_millisecond(ms).ok());
    let vacuumed = vacuumed.map_or_else(|| "never vacuumed".to_owned(), |time| format!("last vacuumed at {time:.0}"));
    let advice = format!(
        "autovacuum does not keep up: see its settings, and long transactions in pg_stat_activity; VACUUM (VERBOSE) {name} says what \
         holds it up"
    );
    Some(Finding::problem(format!("table {name}"), format!("{dead} dead rows beside {live}, {vacuumed}"), advice))
}

/// Indexes that nobody uses. Only a note: people may look at the page tomorrow, or at a replica.
fn unused(readings: &PostgresReadings, now_ms: i64) -> Vec<Finding> {
    let is_unused = |index: &&IndexReading| index.scans == 0 && index.bytes >= LARGE_INDEX_BYTES;
    let unused: Vec<_> = readings.indexes.iter().filter(is_unused).collect();
    let counted_ms = now_ms.saturating_sub(readings.counted_since_ms);
    if counted_ms < COUNTED_MS {
        let note = || {
            let present = format!("{} not used in {} hours", unused.len(), counted_ms / 3_600_000);
            Finding::note("indexes", present, "ask again once the server has counted for a week")
        };
        return (!unused.is_empty()).then(note).into_iter().collect();
    }
    let note = |index: &IndexReading| {
        let IndexReading { name, table, bytes, .. } = index;
        let present = format!("not used in {} days, {}", counted_ms / 86_400_000, megabytes(bytes.unsigned_abs()));
        let advice = "each commit keeps it up: drop it if you have added it; netqoe's own serve questions of the page, which a replica may \
                      answer";
        Finding::note(format!("index {name} of {table}"), present, advice)
    };
    unused.into_iter().map(note).collect()
}

#[cfg(test)]
mod tests {
    use super::super::finding::{Grade, subjects};
    use super::*;

    const NOW_MS: i64 = 1_800_000_000_000;
    const DAY_MS: i64 = 86_400_000;

    fn readings() -> PostgresReadings {
        PostgresReadings { schema_version: Some(8), known_schema_version: 8, ..PostgresReadings::default() }
    }

    fn table(name: &str, options: &[&str]) -> TableReading {
        TableReading {
            name: name.to_owned(),
            options: options.iter().map(|option| (*option).to_owned()).collect(),
            ..TableReading::default()
        }
    }

    fn of_tables(tables: Vec<TableReading>) -> Vec<Finding> {
        judge(&PostgresReadings { tables, ..readings() }, NOW_MS)
    }

    #[test]
    fn the_schema_is_the_one_that_is_known() {
        assert_eq!(judge(&readings(), NOW_MS), []);
        for (found, advice) in
            [(None, "netqoe migrate"), (Some(7), "netqoe migrate"), (Some(9), "use the newer netqoe")]
        {
            let findings = judge(&PostgresReadings { schema_version: found, ..readings() }, NOW_MS);
            assert_eq!(subjects(&findings), ["schema of the store"]);
            assert!(findings[0].advice.contains(advice), "{findings:?}");
        }
    }

    #[test]
    fn tables_that_are_rewritten_are_vacuumed_early() {
        let [vacuum, analyze] = ["autovacuum_vacuum_scale_factor=0.1", "autovacuum_analyze_scale_factor=0.05"];
        let as_made = ["fillfactor=90", vacuum, analyze];
        assert_eq!(of_tables(vec![table("agg_1m_2026_01", &as_made), table("clients", &[])]), []);
        for (options, what) in [
            (&[vacuum][..], "autovacuum_analyze_scale_factor of table diagnoses"),
            (&[analyze], "autovacuum_vacuum_scale_factor of table diagnoses"),
            (&["autovacuum_vacuum_scale_factor=0.5", analyze], "autovacuum_vacuum_scale_factor of table diagnoses"),
            (&["autovacuum_enabled=false", vacuum, analyze], "autovacuum of table diagnoses"),
        ] {
            assert_eq!(subjects(&of_tables(vec![table("diagnoses", options)])), [what]);
        }
        assert_eq!(
            subjects(&of_tables(vec![table("looks", &["autovacuum_enabled=off"])])),
            ["autovacuum of table looks"]
        );
        assert_eq!(of_tables(vec![table("looks", &["autovacuum_enabled=on"])]), []);
    }

    #[test]
    fn dead_rows_are_named_where_they_pile_up() {
        let with = |live, dead| of_tables(vec![TableReading { live, dead, ..table("looks", &[]) }]);
        assert_eq!(with(20_001, 10_000), []);
        assert_eq!(with(0, 9_999), []);
        let found = with(20_000, 10_000);
        assert_eq!(found[0].present, "10000 dead rows beside 20000, never vacuumed");
        let vacuumed = TableReading { dead: 10_000, vacuumed_ms: Some(0), ..table("looks", &[]) };
        assert!(of_tables(vec![vacuumed])[0].present.ends_with("last vacuumed at 1970-01-01T00:00:00Z"));
    }

    #[test]
    fn an_index_that_nobody_uses_is_noted_after_a_week() {
        let with = |scans, bytes, days: i64| {
            let index = IndexReading { name: "i".to_owned(), table: "t".to_owned(), scans, bytes };
            let counted_since_ms = NOW_MS - days * DAY_MS;
            judge(&PostgresReadings { indexes: vec![index], counted_since_ms, ..readings() }, NOW_MS)
        };
        let noted = with(0, LARGE_INDEX_BYTES, 7);
        assert_eq!((noted[0].grade, &*noted[0].present), (Grade::Note, "not used in 7 days, 1.0 MB"));
        assert_eq!(subjects(&with(0, LARGE_INDEX_BYTES, 6)), ["indexes"]);
        for (scans, bytes, days) in [(1, LARGE_INDEX_BYTES, 7), (0, 8_192, 7), (1, LARGE_INDEX_BYTES, 6)] {
            assert_eq!(with(scans, bytes, days), [], "{scans} {bytes} {days}");
        }
    }
}
