//! Whether two tables of rows are the same.

use std::cmp::Ordering;

use anyhow::{Context, ensure};

/// What a row is known by comes first.
const KEYS: usize = 3;
const COLUMNS: [&str; 19] = [
    "client_id",
    "target",
    "window_start_ts",
    "successes",
    "dns errors",
    "tcp errors",
    "tls errors",
    "http errors",
    "throughput errors",
    "dns_p50",
    "dns_p95",
    "tcp_p50",
    "tcp_p95",
    "tls_p50",
    "tls_p95",
    "ttfb_p50",
    "ttfb_p95",
    "throughput_p50",
    "throughput_p95",
];

/// Rows as CSV, ordered, in which equal rows have equal texts. No name has a comma or a quotation mark in it.
pub(super) struct Rows {
    text: String,
    /// Where each line lies in the text, in the order of the lines.
    lines: Vec<std::ops::Range<usize>>,
}

impl Rows {
    /// From CSV without a header, in any order. Some quote texts and some do not.
    pub(super) fn parse(mut text: String) -> anyhow::Result<Self> {
        text.retain(|c| c != '"' && c != '\r');
        let mut lines = Vec::new();
        let mut start = 0;
        for (number, line) in (1..).zip(text.split_terminator('\n')) {
            check(line).with_context(|| format!("line {number}: {line}"))?;
            lines.push(start..start + line.len());
            start += line.len() + 1;
        }
        // Where one name is the beginning of another one, the comma behind it keeps rows in the order of their keys.
        lines.sort_unstable_by(|a, b| text[a.clone()].cmp(&text[b.clone()]));
        Ok(Self { text, lines })
    }

    pub(super) fn count(&self) -> usize {
        self.lines.len()
    }

    fn line(&self, number: usize) -> Option<&str> {
        self.lines.get(number).map(|line| &self.text[line.clone()])
    }
}

/// Counts, microseconds and kbit/s are whole numbers, each written in one way.
fn check(line: &str) -> anyhow::Result<()> {
    ensure!(line.split(',').count() == COLUMNS.len(), "a row has {} columns", COLUMNS.len());
    for (field, column) in line.split(',').zip(COLUMNS).skip(KEYS - 1) {
        let is_number =
            field.bytes().all(|byte| byte.is_ascii_digit()) && (field.len() <= 1 || !field.starts_with('0'));
        let may_be_absent = column.contains("_p");
        ensure!(is_number && (may_be_absent || !field.is_empty()), "{column} is not a whole number");
    }
    Ok(())
}

/// What is not the same.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Differences {
    pub(super) count: u64,
    /// The first of them.
    pub(super) shown: Vec<String>,
}

pub(super) fn compare(expected: &Rows, got: &Rows, shown: usize) -> Differences {
    let mut differences = Differences::default();
    let mut note = |difference: &dyn Fn() -> String| {
        differences.count += 1;
        if differences.shown.len() < shown {
            differences.shown.push(difference());
        }
    };
    let (mut of_expected, mut of_got) = (0, 0);
    loop {
        let order = match (expected.line(of_expected), got.line(of_got)) {
            (None, None) => return differences,
            (Some(row), None) => {
                note(&|| format!("missing: {row}"));
                Ordering::Less
            }
            (None, Some(row)) => {
                note(&|| format!("too many: {row}"));
                Ordering::Greater
            }
            (Some(expected), Some(got)) => {
                let order = key(expected).cmp(key(got));
                match order {
                    Ordering::Less => note(&|| format!("missing: {expected}")),
                    Ordering::Greater => note(&|| format!("too many: {got}")),
                    Ordering::Equal if expected != got => note(&|| difference(expected, got)),
                    Ordering::Equal => {}
                }
                order
            }
        };
        of_expected += usize::from(order.is_le());
        of_got += usize::from(order.is_ge());
    }
}

/// What a row is known by, and the comma behind it.
fn key(line: &str) -> &str {
    let end = line.match_indices(',').nth(KEYS - 1).map_or(line.len(), |(comma, _)| comma + 1);
    &line[..end]
}

/// In which columns two rows of one key differ.
fn difference(expected: &str, got: &str) -> String {
    let pairs = COLUMNS.iter().zip(expected.split(',').zip(got.split(',')));
    let differing = pairs.filter(|(_, (expected, got))| expected != got);
    let named: Vec<_> = differing
        .map(|(column, (expected, got))| format!("{column} is {} instead of {}", or_null(got), or_null(expected)))
        .collect();
    format!("{} {}", key(expected).trim_end_matches(','), named.join(", "))
}

fn or_null(field: &str) -> &str {
    if field.is_empty() { "null" } else { field }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PERCENTILES: &str = "10,20,11,21,12,22,13,23,14,24";

    fn row(client: &str, start: u32, counts: &str, percentiles: &str) -> String {
        format!("{client},t,{start},{counts},{percentiles}\n")
    }

    fn plain(client: &str, start: u32) -> String {
        row(client, start, "5,0,0,1,0,0", PERCENTILES)
    }

    #[track_caller]
    fn check_differences(expected: &[String], got: &[String], differences: &[&str]) {
        let parsed = |rows: &[String]| Rows::parse(rows.concat()).unwrap();
        let found = compare(&parsed(expected), &parsed(got), 10);
        assert_eq!(found.shown, differences);
        assert_eq!(found.count, differences.len() as u64);
    }

    #[test]
    fn order_and_quotation_marks_make_no_difference() {
        let quoted = plain("b", 60_000).replace("b,t", "\"b\",\"t\"").replace('\n', "\r\n");
        check_differences(&[plain("a", 60_000), plain("b", 60_000)], &[quoted, plain("a", 60_000)], &[]);
        check_differences(&[], &[], &[]);
    }

    #[test]
    fn each_difference_is_found_and_named() {
        let expected = [plain("a", 60_000), plain("a", 120_000), plain("a-b", 60_000), plain("c", 60_000)];
        let got = [
            row("a", 60_000, "6,0,0,1,0,0", ",20,11,21,12,22,13,23,14,25"),
            plain("a-b", 60_000),
            plain("a-b", 60_000),
            plain("b", 60_000),
        ];
        check_differences(
            &expected,
            &got,
            &[
                &format!("missing: {}", plain("a", 120_000).trim_end()),
                "a,t,60000 successes is 6 instead of 5, dns_p50 is null instead of 10, throughput_p95 is 25 instead of 24",
                &format!("too many: {}", plain("a-b", 60_000).trim_end()),
                &format!("too many: {}", plain("b", 60_000).trim_end()),
                &format!("missing: {}", plain("c", 60_000).trim_end()),
            ],
        );
    }

    #[test]
    fn only_the_first_differences_are_shown() {
        let rows = Rows::parse((0..5).map(|client| plain(&client.to_string(), 60_000)).collect()).unwrap();
        let differences = compare(&rows, &Rows::parse(String::new()).unwrap(), 2);
        assert_eq!((differences.count, differences.shown.len()), (5, 2));
    }

    #[test]
    fn what_is_no_row_is_refused() {
        let refused = |text: &str| format!("{:#}", Rows::parse(text.to_owned()).err().unwrap());
        assert!(refused("a,t,60000\n").contains("line 1: a,t,60000: a row has 19 columns"));
        let with = |percentiles| plain("a", 0) + &row("a", 60_000, "5,0,0,1,0,0", percentiles);
        assert!(refused(&with("10.5,20,11,21,12,22,13,23,14,24")).contains("dns_p50 is not a whole number"));
        assert!(refused(&with("10,020,11,21,12,22,13,23,14,24")).contains("dns_p95 is not a whole number"));
        assert!(refused(&row("a", 0, ",0,0,1,0,0", PERCENTILES)).contains("successes is not a whole number"));
    }
}
