//! `GET /api/v1/different/measurements`: by what single measurements inside a region differ from those outside of it.

use std::collections::{BTreeMap, HashMap};

use netqoe_model::Event;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::Sample;
use super::answer::reason_of;
use crate::schema;

/// Values that are listed of each dimension.
const MAX_VALUES: usize = 20;
/// Values that are told apart of each dimension: others may send any number of them.
const MAX_DISTINCT: usize = 2_000;
/// Longest value that is told, in bytes.
const MAX_VALUE_BYTES: usize = 200;

/// By what the measurements inside a region differ from those outside of it. The dimension comes first of which a value differs most.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct MeasurementDifference {
    /// Measurements inside that were read.
    inside: u64,
    /// Measurements outside that were read.
    outside: u64,
    /// Whether these are all that the log has. If not, they are the newest of them: more were not read for one answer.
    is_whole: bool,
    /// Log time of the oldest record that the log still has, Unix milliseconds; null where it has discarded nothing.
    #[schema(required)]
    kept_since: Option<i64>,
    dimensions: Vec<MeasuredDimension>,
}

/// One way to group measurements.
#[derive(Debug, Serialize, ToSchema)]
struct MeasuredDimension {
    #[schema(value_type = schema::MeasuredDimensionName)]
    dimension: &'static str,
    /// Up to 20, the greatest difference first.
    values: Vec<MeasuredValue>,
}

/// The measurements with one value. Those of which it is unknown have none, and are counted all the same.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
struct MeasuredValue {
    value: String,
    inside: u64,
    outside: u64,
    /// Of all measurements inside, from 0 to 1.
    inside_share: f64,
    /// Of all measurements outside, from 0 to 1.
    outside_share: f64,
    /// `inside_share` − `outside_share`, from −1 to 1.
    difference: f64,
}

/// What a dimension is called, and how it is found in an event.
type Dimension = (&'static str, fn(&Event<'_>, &[u8], &Evidence) -> Option<String>);

const DIMENSIONS: [Dimension; 7] = [
    ("failure", |event, line, _| reason_of(line, event).map(|(_, reason)| reason)),
    ("status", |_, _, evidence| text(evidence.status.as_ref())),
    ("protocol", |_, _, evidence| text(evidence.protocol.as_ref())),
    ("ip_version", |_, _, evidence| text(evidence.ip_version.as_ref()).map(|version| format!("IPv{version}"))),
    ("tls_version", |_, _, evidence| text(evidence.tls.as_ref()?.get("version"))),
    ("address", |_, _, evidence| text(evidence.peer.as_ref())),
    ("name_server", |_, _, evidence| name_server(evidence.name_servers.as_ref()?)),
];

pub(crate) fn dimension_names() -> [&'static str; 7] {
    DIMENSIONS.map(|(name, _)| name)
}

/// What of an event can differ. Others may write anything there.
#[derive(Default, Deserialize)]
struct Explained {
    #[serde(default)]
    evidence: Evidence,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Evidence {
    status: Option<Value>,
    protocol: Option<Value>,
    ip_version: Option<Value>,
    tls: Option<Value>,
    peer: Option<Value>,
    name_servers: Option<Value>,
}

/// A text or a number.
fn text(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The server that has told addresses, or else the first that was asked.
fn name_server(answers: &Value) -> Option<String> {
    let answers = answers.as_array()?;
    let told = |answer: &&Value| answer["outcome"] == "addresses";
    text(answers.iter().find(told).or(answers.first())?.get("server"))
}

/// How often a value is there, inside and outside.
type Counts = HashMap<String, [u64; 2]>;

impl MeasurementDifference {
    /// Of samples of measurements inside and outside.
    pub(super) fn of(inside: &[Sample], outside: &[Sample]) -> Self {
        let mut by_dimension: [Counts; DIMENSIONS.len()] = Default::default();
        let counts = [inside, outside].map(|samples| samples.iter().flat_map(|sample| &sample.lines));
        let mut totals = [0; 2];
        for (side, lines) in counts.into_iter().enumerate() {
            for line in lines {
                totals[side] += u64::from(count(line, side, &mut by_dimension));
            }
        }
        let mut dimensions: Vec<_> = DIMENSIONS
            .iter()
            .zip(by_dimension)
            .map(|((dimension, _), counts)| MeasuredDimension::of(dimension, counts, totals))
            .filter(|dimension| !dimension.values.is_empty())
            .collect();
        dimensions.sort_by(|a, b| b.most().total_cmp(&a.most()));
        let all = || inside.iter().chain(outside);
        Self {
            inside: totals[0],
            outside: totals[1],
            is_whole: all().all(|sample| sample.is_whole),
            kept_since: all().filter_map(|sample| sample.kept_since_ms).max(),
            dimensions,
        }
    }
}

/// Counts an event by its values; false where the line is none.
fn count(line: &[u8], side: usize, by_dimension: &mut [Counts]) -> bool {
    let Ok(event) = Event::parse(line) else { return false };
    // What is no evidence as the probe writes it explains nothing.
    let Explained { evidence } = serde_json::from_slice(line).unwrap_or_default();
    for ((_, value), counts) in DIMENSIONS.iter().zip(by_dimension) {
        let Some(mut value) = value(&event, line, &evidence) else { continue };
        value.truncate(value.floor_char_boundary(MAX_VALUE_BYTES));
        if counts.len() < MAX_DISTINCT || counts.contains_key(&value) {
            counts.entry(value).or_default()[side] += 1;
        }
    }
    true
}

impl MeasuredDimension {
    fn of(dimension: &'static str, counts: Counts, totals: [u64; 2]) -> Self {
        // In one order whatever the order of the map is.
        let counts: BTreeMap<_, _> = counts.into_iter().collect();
        let mut values: Vec<_> = counts.into_iter().map(|(value, of)| MeasuredValue::of(value, of, totals)).collect();
        values.sort_by(|a, b| b.difference.abs().total_cmp(&a.difference.abs()));
        values.truncate(MAX_VALUES);
        Self { dimension, values }
    }

    /// How much its first value differs.
    fn most(&self) -> f64 {
        self.values.first().map_or(0.0, |value| value.difference.abs())
    }
}

impl MeasuredValue {
    fn of(value: String, [inside, outside]: [u64; 2], totals: [u64; 2]) -> Self {
        let share = |count: u64, total: u64| if total == 0 { 0.0 } else { count as f64 / total as f64 };
        let (inside_share, outside_share) = (share(inside, totals[0]), share(outside, totals[1]));
        Self { value, inside, outside, inside_share, outside_share, difference: inside_share - outside_share }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(evidence: &str, failed: bool) -> Vec<u8> {
        let stage = if failed { r#""http""# } else { "null" };
        format!(
            r#"{{"event_id":"e","client_id":"c","ts_ms":1,"target":"t","timing_measurements":{{}},"error_stage":{stage},"evidence":{evidence}}}"#
        )
        .into_bytes()
    }

    fn sample(lines: &[Vec<u8>]) -> [Sample; 1] {
        [Sample { lines: lines.to_vec(), is_whole: true, kept_since_ms: None }]
    }

    /// A dimension and its values, with their counts.
    type Told = (&'static str, Vec<(String, u64, u64)>);

    fn told(inside: &[Vec<u8>], outside: &[Vec<u8>]) -> Vec<Told> {
        let found = MeasurementDifference::of(&sample(inside), &sample(outside));
        let values = |of: MeasuredDimension| of.values.into_iter().map(|one| (one.value, one.inside, one.outside));
        found.dimensions.into_iter().map(|of| (of.dimension, values(of).collect())).collect()
    }

    #[test]
    fn each_dimension_counts_its_values_and_the_most_different_is_first() {
        let good = line(
            r#"{"status":200,"protocol":"HTTP/2","ip_version":4,"peer":"192.0.2.1","tls":{"version":"TLSv1.3"},
                "name_servers":[{"server":"192.0.2.9:53","outcome":"timeout"},{"server":"192.0.2.53:53","outcome":"addresses"}]}"#,
            false,
        );
        let bad = line(
            r#"{"status":503,"protocol":"HTTP/2","ip_version":6,"peer":"2001:db8::1","error_message":"status 503",
                "name_servers":[{"server":"192.0.2.9:53","outcome":"timeout"}]}"#,
            true,
        );
        let found = told(&[bad.clone(), bad, good.clone()], &[good.clone(), good]);
        let names: Vec<_> = found.iter().map(|(name, _)| *name).collect();
        assert_eq!(names, ["status", "ip_version", "tls_version", "address", "name_server", "failure", "protocol"]);
        let of = |name: &str| found.iter().find(|(dimension, _)| *dimension == name).unwrap().1.clone();
        assert_eq!(of("status"), [("200".to_owned(), 1, 2), ("503".to_owned(), 2, 0)]);
        assert_eq!(of("ip_version")[0], ("IPv4".to_owned(), 1, 2));
        assert_eq!(of("tls_version"), [("TLSv1.3".to_owned(), 1, 2)]);
        assert_eq!(of("name_server"), [("192.0.2.53:53".to_owned(), 1, 2), ("192.0.2.9:53".to_owned(), 2, 0)]);
        assert_eq!(of("failure").len(), 1);
        assert_eq!(of("protocol"), [("HTTP/2".to_owned(), 3, 2)]);
    }

    #[test]
    fn what_others_write_has_no_value_and_is_counted() {
        let odd = line(r#"{"status":[1],"peer":{"a":1},"tls":"no","name_servers":"none","ip_version":null}"#, false);
        let none = line("[]", false);
        let found = MeasurementDifference::of(&sample(&[odd, none, b"nonsense".to_vec()]), &[]);
        assert_eq!((found.inside, found.outside, found.dimensions.len()), (2, 0, 0));
    }

    #[test]
    fn values_are_bounded() {
        let many: Vec<_> =
            (0..MAX_DISTINCT + 9).map(|number| line(&format!(r#"{{"status":{number}}}"#), false)).collect();
        let long = line(&format!(r#"{{"peer":"{}"}}"#, "é".repeat(500)), false);
        let found = told(&[many, vec![long]].concat(), &[]);
        let sizes: Vec<_> = found.iter().map(|(name, values)| (*name, values.len(), values[0].0.len())).collect();
        assert_eq!(sizes, [("status", MAX_VALUES, 1), ("address", 1, MAX_VALUE_BYTES)]);
    }
}
