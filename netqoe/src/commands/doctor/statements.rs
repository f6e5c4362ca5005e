//! Statements that take long, as `pg_stat_statements` counts them.

use netqoe_sinks::{StatementReading, Statements};

use super::finding::Finding;
use super::sql_text::without_values;

/// A statement that takes this long on average is slow: an answer of the page consists of a few, and 503 is answered after 5 s.
const SLOW_MS: f64 = 100.0;
/// Slow statements that are listed.
const LISTED: usize = 5;

pub(super) fn judge(statements: &Statements) -> Vec<Finding> {
    const WHAT: &str = "slow queries of PostgreSQL";
    let statements = match statements {
        Statements::NotInstalled => {
            let advice = "to see them, add pg_stat_statements to shared_preload_libraries, restart, and CREATE EXTENSION pg_stat_statements";
            return vec![Finding::note(WHAT, "not counted", advice)];
        }
        Statements::NotToBeRead => {
            let advice = "add pg_stat_statements to shared_preload_libraries and restart, or GRANT pg_read_all_stats to the role";
            return vec![Finding::note(WHAT, "they can't be read", advice)];
        }
        Statements::Of(statements) => statements,
    };
    let slow = statements.iter().filter(|statement| mean_ms(statement) >= SLOW_MS).take(LISTED);
    slow.map(|statement| {
        let StatementReading { text, calls, total_ms } = statement;
        let (mean_ms, total_s) = (mean_ms(statement), total_ms / 1_000.0);
        let present = format!("{calls} times {mean_ms:.0} ms, {total_s:.0} s in all: {}", without_values(text));
        let advice = "EXPLAIN (ANALYZE, BUFFERS) shows where the time goes; see shared_buffers, dead rows, --retention and a replica for queries";
        Finding::note("slow query of PostgreSQL", present, advice)
    })
    .collect()
}

fn mean_ms(statement: &StatementReading) -> f64 {
    if statement.calls > 0 { statement.total_ms / statement.calls as f64 } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statement(text: &str, calls: i64, total_ms: f64) -> StatementReading {
        StatementReading { text: text.to_owned(), calls, total_ms }
    }

    #[test]
    fn slow_ones_are_listed_without_values() {
        let quick = statement("SELECT quick", 1_000_000, 50_000_000.0);
        let slow = statement("SELECT x FROM t WHERE token = 'secret'", 30, 3_600.0);
        let findings = judge(&Statements::Of(vec![quick, slow.clone(), statement("SELECT never", 0, 0.0)]));
        let [finding] = &findings[..] else { panic!("{findings:?}") };
        assert_eq!(finding.present, "30 times 120 ms, 4 s in all: SELECT x FROM t WHERE token = …");
        assert_eq!(judge(&Statements::Of(vec![slow; 9])).len(), LISTED);
    }

    #[test]
    fn where_they_are_not_counted_it_says_how_they_are() {
        for (statements, present) in
            [(Statements::NotInstalled, "not counted"), (Statements::NotToBeRead, "they can't be read")]
        {
            let findings = judge(&statements);
            assert_eq!(findings[0].present, present);
            assert!(findings[0].advice.contains("shared_preload_libraries"));
        }
    }
}
