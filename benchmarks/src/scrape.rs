//! What a process shows at `/metrics`, read as Prometheus would.

use std::time::Duration;

use anyhow::ensure;
use hyper::StatusCode;

use super::poster::Poster;

/// How often running processes are looked at: a few times in the shortest time that is measured.
pub(super) const EVERY: Duration = Duration::from_millis(20);
/// How long it may take until they have processed what there is.
pub(super) const PATIENCE: Duration = Duration::from_secs(600);

pub(super) const LAG: &str = "telemetry_queue_consumer_lag_messages";
pub(super) const PROCESSED: &str = "telemetry_events_processed_total";
pub(super) const ROWS: &str = "telemetry_db_rows_written_total";

/// The samples of one or several processes, each its name with its labels, and its value.
#[derive(Clone, Debug, Default)]
pub(super) struct Scrape(Vec<(String, f64)>);

/// How often a histogram has seen a value up to each bound, in the order of bounds.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Buckets(Vec<(f64, f64)>);

impl Scrape {
    /// Asks one process, and takes in what it shows.
    pub(super) async fn ask(&mut self, process: &mut Poster) -> anyhow::Result<()> {
        let answer = process.get("/metrics").await?;
        ensure!(answer.status == StatusCode::OK, "/metrics was answered with {}", answer.status);
        self.add(&String::from_utf8_lossy(&answer.body));
        Ok(())
    }

    /// What this text shows.
    #[cfg(test)]
    pub(super) fn of(text: &str) -> Self {
        let mut scrape = Self::default();
        scrape.add(text);
        scrape
    }

    /// Takes in the text of one process.
    fn add(&mut self, text: &str) {
        let samples = text.lines().filter(|line| !line.starts_with('#'));
        let samples = samples.filter_map(|line| line.rsplit_once(' '));
        self.0.extend(samples.filter_map(|(name, value)| Some((name.to_owned(), value.parse().ok()?))));
    }

    /// The sum of a metric over its labels and all processes.
    pub(super) fn sum(&self, name: &str) -> f64 {
        self.total(|sample| sample.split('{').next() == Some(name))
    }

    /// The sum of one sample over all processes; its labels belong to its name.
    pub(super) fn sample(&self, name: &str) -> f64 {
        self.total(|sample| sample == name)
    }

    fn total(&self, is_meant: impl Fn(&str) -> bool) -> f64 {
        // A sum of no numbers is -0, which is printed as such.
        self.0.iter().filter(|(sample, _)| is_meant(sample)).fold(0.0, |total, (_, value)| total + value)
    }

    /// A histogram, summed over all processes.
    pub(super) fn buckets(&self, name: &str) -> Buckets {
        let prefix = format!("{name}_bucket{{le=\"");
        let bound = |sample: &str| sample.strip_prefix(&prefix)?.strip_suffix("\"}")?.parse().ok();
        let mut buckets: Vec<(f64, f64)> = Vec::new();
        for (bound, count) in self.0.iter().filter_map(|(sample, count)| Some((bound(sample)?, count))) {
            match buckets.iter_mut().find(|(other, _)| *other == bound) {
                Some((_, sum)) => *sum += count,
                None => buckets.push((bound, *count)),
            }
        }
        buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
        Buckets(buckets)
    }
}

impl Buckets {
    /// What came since `earlier`.
    pub(super) fn since(mut self, earlier: &Self) -> Self {
        for ((_, count), (_, before)) in self.0.iter_mut().zip(&earlier.0) {
            *count -= before;
        }
        self
    }

    /// The value that this share of all lies below, taken to be evenly spread within a bucket, as `histogram_quantile`
    /// does. None where there is no value at all.
    pub(super) fn quantile(&self, share: f64) -> Option<f64> {
        let all = self.0.last().map(|(_, count)| *count).filter(|all| *all > 0.0)?;
        let rank = share * all;
        let (mut lower, mut below) = (0.0, 0.0);
        for &(upper, count) in &self.0 {
            if count >= rank && count > below {
                // Nothing is known of where values above the last bound lie.
                return Some(if upper.is_finite() {
                    lower + (upper - lower) * (rank - below) / (count - below)
                } else {
                    lower
                });
            }
            (lower, below) = (upper, count);
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scrape(texts: &[&str]) -> Scrape {
        let mut scrape = Scrape::default();
        texts.iter().for_each(|text| scrape.add(text));
        scrape
    }

    #[test]
    fn a_metric_is_summed_over_labels_and_processes() {
        let first = "# HELP a Text.\n# TYPE a counter\na{status=\"success\"} 3\na{status=\"late\"} 1\nab 100\n";
        assert_eq!(scrape(&[first, "a{status=\"success\"} 2\n"]).sum("a"), 6.0);
    }

    #[test]
    fn a_quantile_lies_within_its_bucket() {
        let text = |low, high| {
            format!("d_bucket{{le=\"0.1\"}} {low}\nd_bucket{{le=\"0.5\"}} {high}\nd_bucket{{le=\"+Inf\"}} {high}\n")
        };
        let (before, after) = (scrape(&[&text(5, 5)]).buckets("d"), scrape(&[&text(10, 15), &text(5, 5)]).buckets("d"));
        let since = after.since(&before);
        assert_eq!(since, Buckets(vec![(0.1, 10.0), (0.5, 15.0), (f64::INFINITY, 15.0)]));
        assert_eq!(since.quantile(1.0 / 3.0), Some(0.05));
        assert_eq!(since.quantile(1.0), Some(0.5));
        assert_eq!(Buckets::default().quantile(0.5), None);
    }
}
