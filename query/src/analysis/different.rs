//! What differs inside a region of a chart from the rest of it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::AddAssign;

use netqoe_model::{Network, Rules, TagName};
use netqoe_sinks::read::{Matching, Snapshot, SplitRecord};
use serde::Serialize;
use utoipa::ToSchema;

use super::asked::Scope;
use super::pairs::of_all_pairs;
use super::tags::LabelDimensions;
use crate::answer::Refusal;
use crate::schema;

/// Values that are listed of each dimension.
const MAX_VALUES: usize = 20;

/// By what the windows that match inside a region differ from those outside. The dimension comes first of which a value
/// differs most.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Difference {
    /// Which windows match: `degraded`, or a metric and its bounds.
    matches: String,
    inside: Share,
    outside: Share,
    dimensions: Vec<Dimension>,
    /// Labels beyond the 32 that most windows have.
    label_dimensions_left_off: usize,
}

/// How many windows match.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Share {
    windows: u64,
    matching: u64,
}

/// One way to group windows.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Dimension {
    /// `client_id`, `target`, `isp`, `network_type`, `site`, or a label, such as `client.team`; all but the first two are those of each window.
    #[schema(value_type = schema::DimensionName)]
    dimension: Cow<'static, str>,
    /// Up to 20, the greatest difference first. Values without windows inside are left out, and so is what is unknown on one side.
    values: Vec<DimensionValue>,
}

/// The windows with one value.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DimensionValue {
    /// Null for the windows of which it is unknown.
    #[schema(required)]
    value: Option<String>,
    inside_windows: u64,
    inside_matching: u64,
    outside_windows: u64,
    outside_matching: u64,
    /// Share of its windows inside that match; null where it has none.
    #[schema(required)]
    inside_share: Option<f64>,
    /// Share of its windows outside that match; null where it has none.
    #[schema(required)]
    outside_share: Option<f64>,
    /// `inside_share` − `outside_share`, from −1 to 1. Where one is null, the share of all windows stands for it.
    difference: f64,
}

impl Share {
    fn share(self) -> Option<f64> {
        (self.windows > 0).then(|| self.matching as f64 / self.windows as f64)
    }
}

/// Windows inside and outside.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Sides {
    inside: Share,
    outside: Share,
}

impl From<&SplitRecord> for Sides {
    fn from(record: &SplitRecord) -> Self {
        Self {
            inside: Share { windows: record.inside_windows, matching: record.inside_matching },
            outside: Share { windows: record.outside_windows, matching: record.outside_matching },
        }
    }
}

impl AddAssign for Sides {
    fn add_assign(&mut self, other: Self) {
        for (sum, share) in [(&mut self.inside, other.inside), (&mut self.outside, other.outside)] {
            sum.windows += share.windows;
            sum.matching += share.matching;
        }
    }
}

/// What differences are made of.
pub(crate) struct Found {
    matching: Matching,
    records: Vec<SplitRecord>,
}

pub(crate) fn read(
    store: Snapshot<'_>,
    scope: Scope,
    inside_ms: [i64; 2],
    matching: Matching,
    rules: &Rules,
) -> Result<Found, Refusal> {
    let extent = scope.resolve(store.rows, rules)?.extent;
    let records = of_all_pairs(|limit| store.summaries.split(&extent, inside_ms, &matching, limit))?;
    Ok(Found { matching, records })
}

pub(crate) fn of(found: &Found) -> Difference {
    difference(&found.matching, &found.records)
}

fn difference(matching: &Matching, records: &[SplitRecord]) -> Difference {
    let mut all = Sides::default();
    records.iter().for_each(|record| all += record.into());
    let by = |dimension: Cow<'static, str>, value: &dyn Fn(&SplitRecord) -> Option<String>| {
        let mut values: BTreeMap<Option<String>, Sides> = BTreeMap::new();
        records.iter().for_each(|record| *values.entry(value(record)).or_default() += record.into());
        Dimension::of(dimension, values, all)
    };
    let labels = LabelDimensions::of_windows(records);
    let mut dimensions = vec![
        by("client_id".into(), &|record| Some(record.pair.client_id.to_string())),
        by("target".into(), &|record| Some(record.pair.target.to_string())),
        by("isp".into(), &|record| named(record, |network| network.isp.as_deref())),
        by("network_type".into(), &|record| named(record, |network| network.network_type.as_deref())),
        by("site".into(), &|record| named(record, |network| network.site.as_deref())),
    ];
    dimensions.extend(labels.names.iter().map(|name| by(name.to_string().into(), &|record| labelled(record, name))));
    dimensions.sort_by(|a, b| b.most().total_cmp(&a.most()));
    let (matches, label_dimensions_left_off) = (describe(matching), labels.left_off);
    Difference { matches, inside: all.inside, outside: all.outside, dimensions, label_dimensions_left_off }
}

/// A name of the network that the windows were measured over.
fn named(record: &SplitRecord, name: fn(&Network) -> Option<&str>) -> Option<String> {
    record.network.as_deref().and_then(name).map(str::to_owned)
}

/// The value of a label that the windows have.
fn labelled(record: &SplitRecord, name: &TagName) -> Option<String> {
    Some(record.tags.as_ref()?.get(name)?.to_string())
}

fn describe(matching: &Matching) -> String {
    match matching {
        Matching::Degraded => "degraded".to_owned(),
        Matching::Within(measure, [min, max]) => {
            let from = if min.is_finite() { format!(" from {min}") } else { String::new() };
            let to = if max.is_finite() { format!(" to {max}") } else { String::new() };
            format!("{}{from}{to}", measure.as_str())
        }
    }
}

impl Dimension {
    fn of(dimension: Cow<'static, str>, values: BTreeMap<Option<String>, Sides>, all: Sides) -> Self {
        // What has no windows inside tells nothing of what is inside; of what is unknown, both sides must be there to compare.
        let tells = |value: &Option<String>, sides: &Sides| {
            sides.inside.windows > 0 && (value.is_some() || sides.outside.windows > 0)
        };
        let values = values.into_iter().filter(|(value, sides)| tells(value, sides));
        let mut values: Vec<_> = values.map(|(value, sides)| DimensionValue::of(value, sides, all)).collect();
        values.sort_by(|a, b| b.difference.abs().total_cmp(&a.difference.abs()));
        values.truncate(MAX_VALUES);
        Self { dimension, values }
    }

    /// How much its first value differs.
    fn most(&self) -> f64 {
        self.values.first().map_or(0.0, |value| value.difference.abs())
    }
}

impl DimensionValue {
    fn of(value: Option<String>, Sides { inside, outside }: Sides, all: Sides) -> Self {
        let or_all = |share: Share, all: Share| share.share().or(all.share()).unwrap_or(0.0);
        Self {
            value,
            inside_windows: inside.windows,
            inside_matching: inside.matching,
            outside_windows: outside.windows,
            outside_matching: outside.matching,
            inside_share: inside.share(),
            outside_share: outside.share(),
            difference: or_all(inside, all.inside) - or_all(outside, all.outside),
        }
    }
}
