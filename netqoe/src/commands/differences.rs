//! The rows in which a replay differs from a live store, as a table.

use jiff::Timestamp;
use netqoe_sinks::read::{DifferentColumn, DifferentRow, Missing};
use serde_json::Value;

use crate::output::{self, OutputError};

const HEADS: [&str; 6] = ["CLIENT", "TARGET", "WINDOW", "COLUMN", "HERE", "THERE"];
/// What stands for NULL.
const NULL: &str = "-";

/// Prints rows one after the other, however many they are.
#[derive(Default)]
pub(super) struct Differences {
    has_heads: bool,
}

impl Differences {
    /// A line for each column that differs; `here` is what was replayed.
    pub(super) fn print(&mut self, row: &DifferentRow) -> Result<(), OutputError> {
        if !std::mem::replace(&mut self.has_heads, true) {
            output::own_line(line(HEADS))?;
        }
        lines(row).iter().try_for_each(output::line)
    }
}

fn lines(row: &DifferentRow) -> Vec<String> {
    let start_ms = row.start.ms();
    let start = Timestamp::from_millisecond(start_ms).map_or_else(|_| start_ms.to_string(), |time| time.to_string());
    // Quoted, so that no name looks like the rest of a line.
    let [client, target] = [&row.client_id, &row.target].map(|name| Value::from(&**name).to_string());
    let of_pair = |column: &str, here: &str, there: &str| line([&client, &target, &start, column, here, there]);
    match row.missing {
        Some(Missing::Live) => vec![of_pair("(row)", "there is one", "missing")],
        Some(Missing::Replayed) => vec![of_pair("(row)", "missing", "there is one")],
        None => {
            let value = |value: &Option<String>| value.clone().unwrap_or_else(|| NULL.to_owned());
            let column =
                |column: &DifferentColumn| of_pair(&column.name, &value(&column.replayed), &value(&column.live));
            row.columns.iter().map(column).collect()
        }
    }
}

fn line([client, target, start, column, here, there]: [&str; 6]) -> String {
    format!("{client:<24}  {target:<36}  {start:<20}  {column:<22}  {here:>14}  {there:>14}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use netqoe_model::WindowStart;

    #[test]
    fn each_column_is_a_line_and_a_missing_row_is_one() {
        let column = |name: &str, replayed: Option<&str>, live: Option<&str>| DifferentColumn {
            name: name.to_owned(),
            replayed: replayed.map(str::to_owned),
            live: live.map(str::to_owned),
        };
        let mut row = DifferentRow {
            client_id: "berlin \" 1".to_owned(),
            target: "https://a/".to_owned(),
            start: WindowStart::from_ms(1_700_000_040_000),
            columns: vec![column("dns_p95", Some("12.5"), Some("13")), column("isp", None, Some("a"))],
            missing: None,
        };
        let words = |row: &DifferentRow| -> Vec<Vec<String>> {
            lines(row)
                .iter()
                .map(|line| {
                    line.split("  ").map(|word| word.trim().to_owned()).filter(|word| !word.is_empty()).collect()
                })
                .collect()
        };
        let pair = [r#""berlin \" 1""#, r#""https://a/""#, "2023-11-14T22:14:00Z"];
        let expected = |rest: [&'static str; 3]| [&pair[..], &rest].concat();
        assert_eq!(words(&row), [expected(["dns_p95", "12.5", "13"]), expected(["isp", "-", "a"])]);
        row.missing = Some(Missing::Live);
        assert_eq!(words(&row), [expected(["(row)", "there is one", "missing"])]);
    }
}
