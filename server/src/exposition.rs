//! Metrics as text: in Prometheus's own format, or in OpenMetrics where that is asked for.
//!
//! OpenMetrics 1.0: <https://prometheus.io/docs/specs/om/open_metrics_spec/>.

use http::HeaderMap;
use http::header::ACCEPT;
use prometheus::TextEncoder;
use prometheus::proto::{MetricFamily, MetricType};

const OPEN_METRICS: &str = "application/openmetrics-text";
const OPEN_METRICS_FORMAT: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// Of names that end with their unit, as OpenMetrics asks.
const UNITS: [&str; 2] = ["seconds", "bytes"];

/// The text, and its content type.
///
/// # Errors
/// [`prometheus::Error`] if a family has no metric or no name.
pub(crate) fn expose(
    families: &[MetricFamily],
    asked: &HeaderMap,
) -> Result<(&'static str, String), prometheus::Error> {
    match asks_for_open_metrics(asked) {
        true => Ok((OPEN_METRICS_FORMAT, open_metrics(families)?)),
        false => Ok((prometheus::TEXT_FORMAT, TextEncoder::new().encode_to_string(families)?)),
    }
}

/// Prometheus asks for it with a higher weight than for its own format, where it takes it at all.
fn asks_for_open_metrics(asked: &HeaderMap) -> bool {
    let values = asked.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|one| {
        let mut parts = one.split(';').map(str::trim);
        let is_it = parts.next().is_some_and(|name| name.eq_ignore_ascii_case(OPEN_METRICS));
        is_it && !parts.filter_map(|part| part.strip_prefix("q=")).any(|weight| weight.parse() == Ok(0.0))
    })
}

/// What differs from Prometheus's format is the heads of families, the bounds of buckets, and the end.
fn open_metrics(families: &[MetricFamily]) -> Result<String, prometheus::Error> {
    let mut text = String::new();
    for family in families {
        let is_counter = family.get_field_type() == MetricType::COUNTER;
        let name = family.name().strip_suffix("_total").filter(|_| is_counter).unwrap_or(family.name());
        let kind = format!("{:?}", family.get_field_type()).to_lowercase();
        text += &format!("# TYPE {name} {kind}\n");
        if let Some(unit) = UNITS.into_iter().find(|unit| name.ends_with(&format!("_{unit}"))) {
            text += &format!("# UNIT {name} {unit}\n");
        }
        text += &format!("# HELP {name} {}\n", family.help().replace('\\', "\\\\").replace('"', "\\\""));
        let samples = TextEncoder::new().encode_to_string(std::slice::from_ref(family))?;
        for sample in samples.lines().filter(|line| !line.starts_with('#')) {
            text += &with_point(sample);
            text.push('\n');
        }
    }
    text += "# EOF\n";
    Ok(text)
}

/// A bound of a bucket has a decimal point: `le="1.0"`.
fn with_point(sample: &str) -> String {
    let bound = sample.split_once("le=\"").and_then(|(before, rest)| Some((before, rest.split_once('"')?)));
    match bound {
        Some((before, (bound, after))) if bound.bytes().all(|byte| byte.is_ascii_digit()) => {
            format!("{before}le=\"{bound}.0\"{after}")
        }
        _ => sample.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use prometheus::{Histogram, HistogramOpts, IntCounterVec, IntGauge, Opts, Registry};

    use super::*;

    fn asked(accept: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static(accept))])
    }

    #[test]
    fn it_is_asked_for_by_name() {
        let prometheus = "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
        assert!(asks_for_open_metrics(&asked(prometheus)));
        assert!(!asks_for_open_metrics(&asked("text/plain, application/openmetrics-text; q=0")));
        assert!(!asks_for_open_metrics(&asked("*/*")));
        assert!(!asks_for_open_metrics(&HeaderMap::new()));
    }

    #[test]
    fn a_family_of_each_kind() {
        let registry = Registry::new();
        let requests = IntCounterVec::new(Opts::new("requests_total", "All \"requests\"."), &["status"]).unwrap();
        requests.with_label_values(&["a\"b"]).inc_by(3);
        let free = IntGauge::new("free_bytes", "What is free.").unwrap();
        free.set(-2);
        let opts = HistogramOpts::new("took_seconds", "How long it took.").buckets(vec![0.5, 1.0]);
        let took = Histogram::with_opts(opts).unwrap();
        took.observe(0.75);
        registry.register(Box::new(requests)).unwrap();
        registry.register(Box::new(free)).unwrap();
        registry.register(Box::new(took)).unwrap();
        let (kind, text) = expose(&registry.gather(), &asked(OPEN_METRICS)).unwrap();
        assert_eq!(kind, OPEN_METRICS_FORMAT);
        let expected = "# TYPE free_bytes gauge\n# UNIT free_bytes bytes\n# HELP free_bytes What is free.\nfree_bytes -2\n\
                        # TYPE requests counter\n# HELP requests All \\\"requests\\\".\nrequests_total{status=\"a\\\"b\"} 3\n\
                        # TYPE took_seconds histogram\n# UNIT took_seconds seconds\n# HELP took_seconds How long it took.\n\
                        took_seconds_bucket{le=\"0.5\"} 0\ntook_seconds_bucket{le=\"1.0\"} 1\n\
                        took_seconds_bucket{le=\"+Inf\"} 1\ntook_seconds_sum 0.75\ntook_seconds_count 1\n# EOF\n";
        assert_eq!(text, expected);
        let (kind, text) = expose(&registry.gather(), &HeaderMap::new()).unwrap();
        assert_eq!(kind, prometheus::TEXT_FORMAT);
        assert!(text.contains("# TYPE requests_total counter\n") && !text.contains("EOF"), "{text}");
    }
}
