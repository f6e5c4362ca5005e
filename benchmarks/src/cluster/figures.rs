//! What is measured, as one table.

use std::fmt;
use std::time::Duration;

/// One line of the table.
#[derive(Debug, Default)]
pub(super) struct Figure {
    what: String,
    per_second: Option<f64>,
    /// p50, p95, p99.
    milliseconds: Option<[f64; 3]>,
}

pub(super) const QUANTILES: [f64; 3] = [0.5, 0.95, 0.99];

pub(super) const HEADING: &str = "| measured | a second | p50 ms | p95 ms | p99 ms |\n| --- | --- | --- | --- | --- |";

impl Figure {
    pub(super) fn rate(what: impl Into<String>, per_second: f64) -> Self {
        Self { what: what.into(), per_second: Some(per_second), milliseconds: None }
    }

    pub(super) fn quantiles(what: impl Into<String>, per_second: f64, milliseconds: [f64; 3]) -> Self {
        Self { what: what.into(), per_second: Some(per_second), milliseconds: Some(milliseconds) }
    }

    /// One time, which stands in the column of the median.
    pub(super) fn time(what: impl Into<String>, time: Duration) -> Self {
        let milliseconds = [time.as_secs_f64() * 1000.0, f64::NAN, f64::NAN];
        Self { what: what.into(), per_second: None, milliseconds: Some(milliseconds) }
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rate = self.per_second.map(|rate| format!(" {}", grouped(rate.round() as u64)));
        write!(f, "| {} |{} |", self.what, rate.unwrap_or_default())?;
        for milliseconds in self.milliseconds.unwrap_or([f64::NAN; 3]) {
            if milliseconds.is_nan() {
                f.write_str(" |")?;
            } else if milliseconds < 100.0 {
                write!(f, " {milliseconds:.1} |")?;
            } else {
                write!(f, " {} |", grouped(milliseconds.round() as u64))?;
            }
        }
        Ok(())
    }
}

/// With a comma after each three digits.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_is_a_line_of_the_table() {
        let rate = Figure::rate("events", 1_234_567.8);
        assert_eq!(rate.to_string(), "| events | 1,234,568 | | | |");
        let quantiles = Figure::quantiles("posts", 999.0, [0.25, 12.0, 1500.0]);
        assert_eq!(quantiles.to_string(), "| posts | 999 | 0.2 | 12.0 | 1,500 |");
        assert_eq!(Figure::time("recovery", Duration::from_secs(2)).to_string(), "| recovery | | 2,000 | | |");
    }
}
