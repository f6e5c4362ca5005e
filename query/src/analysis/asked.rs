//! What can be asked of many windows at once, as it stands in a URL.

use netqoe_model::{MAX_TIME_MS, Rules, TagName, TagValue};
use netqoe_sinks::read::{Extent, Filter, Matching, Measure, Query, ReadError, Rows};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::answer::Refusal;
use crate::labelled::Labelled;
use crate::schema::{LabelDimension, Measure as Measured};
use crate::values::{Time, Whole};

/// How far back is looked where no `from` is given.
const DEFAULT_RANGE_MS: i64 = 3_600_000;

/// Of a page that shows a chart: fewer points are no chart, more are finer than a screen.
const MIN_POINTS: u32 = 10;
const MAX_POINTS: u32 = 2000;
const DEFAULT_TIMELINE_POINTS: u32 = 240;
const DEFAULT_SERIES_POINTS: u32 = 400;
const DEFAULT_COMPARE_POINTS: u32 = 60;

/// How many points a chart may have.
type Points = Whole<MIN_POINTS, MAX_POINTS>;

/// Names, labels, and a range of time whose ends may be left open.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Scope {
    client_id: Option<String>,
    target: Option<String>,
    tags: Vec<TagValue>,
    from_ms: Option<i64>,
    to_ms: Option<i64>,
}

impl Scope {
    pub(crate) fn of(
        [client_id, target, from, to]: [&Option<String>; 4],
        labelled: &[String],
    ) -> Result<Self, Refusal> {
        Ok(Self {
            client_id: client_id.clone(),
            target: target.clone(),
            tags: Labelled::read(labelled)?,
            from_ms: from.as_deref().map(|text| Time::read("from", text)).transpose()?,
            to_ms: to.as_deref().map(|text| Time::read("to", text)).transpose()?,
        })
    }

    /// The scope whose times are between the same windows, at the start of one: so that all who ask within a window ask
    /// the same.
    pub(crate) fn in_whole_windows(self, rules: &Rules) -> Self {
        let up = |ms: i64| ms.saturating_add(rules.window_ms - 1).div_euclid(rules.window_ms) * rules.window_ms;
        Self { from_ms: self.from_ms.map(up), to_ms: self.to_ms.map(up), ..self }
    }

    /// The client and the target that are asked for, if any.
    pub(crate) fn names(&self) -> [Option<&str>; 2] {
        [self.client_id.as_deref(), self.target.as_deref()]
    }

    /// Whether labels are asked for.
    pub(crate) fn is_labelled(&self) -> bool {
        !self.tags.is_empty()
    }

    /// Where the range ends, if that was asked for.
    pub(crate) fn to_ms(&self) -> Option<i64> {
        self.to_ms
    }

    /// The newest window with rows before the end of the range, and the range: where it is left open, it ends after that
    /// window and begins an hour before its end. Without rows it is empty.
    pub(crate) fn resolve(self, rows: &dyn Rows, rules: &Rules) -> Result<Resolved, ReadError> {
        self.resolve_within(DEFAULT_RANGE_MS, rows, rules)
    }

    /// The same, where the range begins this long before its end, in milliseconds, if it is left open.
    pub(crate) fn resolve_within(self, range_ms: i64, rows: &dyn Rows, rules: &Rules) -> Result<Resolved, ReadError> {
        let filter = Filter { to_ms: self.to_ms, ..Filter::default() };
        let newest = rows.aggregates(&Query { filter, after: None, limit: 1 })?.items.pop();
        let at_ms = newest.map(|row| row.window.start.ms());
        let to_ms = self.to_ms.or(at_ms.map(|at_ms| at_ms + rules.window_ms)).unwrap_or(0);
        let from_ms = self.from_ms.unwrap_or(to_ms.saturating_sub(range_ms));
        // No row is beyond these, and what is made of them stays within what a store can compute.
        let [from_ms, to_ms] = [from_ms, to_ms].map(|ms| ms.clamp(0, MAX_TIME_MS));
        let Self { client_id, target, tags, .. } = self;
        Ok(Resolved { extent: Extent { client_id, target, tags, from_ms, to_ms }, at_ms })
    }
}

/// What is asked for, once the store has been looked at.
#[derive(Debug)]
pub(crate) struct Resolved {
    pub(crate) extent: Extent,
    /// Start of the newest window with rows before the end of the extent, whoever they are of.
    pub(crate) at_ms: Option<i64>,
}

/// Names and times.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct FleetParameters {
    /// Of this client only.
    client_id: Option<String>,
    /// Of this target only.
    target: Option<String>,
    /// Windows that start at or after this time: Unix milliseconds or RFC 3339; an hour before `to` where absent.
    #[param(inline, value_type = Option<Time>)]
    from: Option<String>,
    /// Windows that start before this time: Unix milliseconds or RFC 3339; after the newest where absent.
    #[param(inline, value_type = Option<Time>)]
    to: Option<String>,
    /// With this label of their client or target only, such as `client.team=core`; several: with each of them.
    #[serde(default)]
    #[param(inline, value_type = Option<Labelled>)]
    labelled: Vec<String>,
}

impl FleetParameters {
    pub(crate) fn scope(&self) -> Result<Scope, Refusal> {
        Scope::of([&self.client_id, &self.target, &self.from, &self.to], &self.labelled)
    }
}

/// Names, times, and a label by whose values hurt pairs are grouped.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct OverviewParameters {
    /// Of this client only.
    client_id: Option<String>,
    /// Of this target only.
    target: Option<String>,
    /// Windows that start at or after this time: Unix milliseconds or RFC 3339; an hour before `to` where absent.
    #[param(inline, value_type = Option<Time>)]
    from: Option<String>,
    /// Windows that start before this time: Unix milliseconds or RFC 3339; after the newest where absent.
    #[param(inline, value_type = Option<Time>)]
    to: Option<String>,
    /// With this label of their client or target only, such as `client.team=core`; several: with each of them.
    #[serde(default)]
    #[param(inline, value_type = Option<Labelled>)]
    labelled: Vec<String>,
    /// A label, such as `client.team`: `by_label` has its values.
    #[param(inline, value_type = Option<LabelDimension>)]
    by: Option<String>,
}

impl OverviewParameters {
    pub(crate) fn scope(&self) -> Result<Scope, Refusal> {
        Scope::of([&self.client_id, &self.target, &self.from, &self.to], &self.labelled)
    }

    pub(crate) fn by(&self) -> Result<Option<TagName>, Refusal> {
        let Some(text) = &self.by else { return Ok(None) };
        let name = TagName::parse(text);
        name.map(Some).ok_or_else(|| Refusal::invalid("by must be a label, written as client.NAME or target.NAME"))
    }
}

/// Names, times, and how many points a chart may have.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct TimelineParameters {
    /// Of this client only.
    client_id: Option<String>,
    /// Of this target only.
    target: Option<String>,
    /// Windows that start at or after this time: Unix milliseconds or RFC 3339; an hour before `to` where absent.
    #[param(inline, value_type = Option<Time>)]
    from: Option<String>,
    /// Windows that start before this time: Unix milliseconds or RFC 3339; after the newest where absent.
    #[param(inline, value_type = Option<Time>)]
    to: Option<String>,
    /// With this label of their client or target only, such as `client.team=core`; several: with each of them.
    #[serde(default)]
    #[param(inline, value_type = Option<Labelled>)]
    labelled: Vec<String>,
    /// Points at most; 240 where absent.
    #[param(inline, value_type = Option<Points>)]
    max_points: Option<String>,
}

impl TimelineParameters {
    pub(crate) fn scope(&self) -> Result<Scope, Refusal> {
        Scope::of([&self.client_id, &self.target, &self.from, &self.to], &self.labelled)
    }

    pub(crate) fn max_points(&self) -> Result<u32, Refusal> {
        Ok(Points::read("max_points", self.max_points.as_deref())?.unwrap_or(DEFAULT_TIMELINE_POINTS))
    }
}

/// One pair, times, and how many points a chart may have.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct SeriesParameters {
    /// Of this client.
    #[param(required)]
    client_id: Option<String>,
    /// Of this target.
    #[param(required)]
    target: Option<String>,
    /// Windows that start at or after this time: Unix milliseconds or RFC 3339; an hour before `to` where absent.
    #[param(inline, value_type = Option<Time>)]
    from: Option<String>,
    /// Windows that start before this time: Unix milliseconds or RFC 3339; after the newest where absent.
    #[param(inline, value_type = Option<Time>)]
    to: Option<String>,
    /// With this label of their client or target only, such as `client.team=core`; several: with each of them.
    #[serde(default)]
    #[param(inline, value_type = Option<Labelled>)]
    labelled: Vec<String>,
    /// Points at most; 400 where absent.
    #[param(inline, value_type = Option<Points>)]
    max_points: Option<String>,
}

impl SeriesParameters {
    pub(crate) fn scope(&self) -> Result<Scope, Refusal> {
        if self.client_id.is_none() || self.target.is_none() {
            return Err(Refusal::invalid("a series is of one pair; name it with client_id and target"));
        }
        Scope::of([&self.client_id, &self.target, &self.from, &self.to], &self.labelled)
    }

    pub(crate) fn max_points(&self) -> Result<u32, Refusal> {
        Ok(Points::read("max_points", self.max_points.as_deref())?.unwrap_or(DEFAULT_SERIES_POINTS))
    }
}

/// A target or a client, times, and how many points a chart may have.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct CompareParameters {
    /// The pairs of this client: either this or a target.
    client_id: Option<String>,
    /// The pairs of this target: either this or a client.
    target: Option<String>,
    /// Windows that start at or after this time: Unix milliseconds or RFC 3339; an hour before `to` where absent.
    #[param(inline, value_type = Option<Time>)]
    from: Option<String>,
    /// Windows that start before this time: Unix milliseconds or RFC 3339; after the newest where absent.
    #[param(inline, value_type = Option<Time>)]
    to: Option<String>,
    /// With this label of their client or target only, such as `client.team=core`; several: with each of them.
    #[serde(default)]
    #[param(inline, value_type = Option<Labelled>)]
    labelled: Vec<String>,
    /// Points at most; 60 where absent.
    #[param(inline, value_type = Option<Points>)]
    max_points: Option<String>,
}

impl CompareParameters {
    pub(crate) fn scope(&self) -> Result<Scope, Refusal> {
        if self.client_id.is_some() == self.target.is_some() {
            return Err(Refusal::invalid(
                "pairs of one client or of one target are compared; give client_id or target",
            ));
        }
        Scope::of([&self.client_id, &self.target, &self.from, &self.to], &self.labelled)
    }

    pub(crate) fn max_points(&self) -> Result<u32, Refusal> {
        Ok(Points::read("max_points", self.max_points.as_deref())?.unwrap_or(DEFAULT_COMPARE_POINTS))
    }
}

/// Names, times, and a region of a chart.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct DifferentParameters {
    /// Of this client only.
    client_id: Option<String>,
    /// Of this target only.
    target: Option<String>,
    /// Windows that start at or after this time: Unix milliseconds or RFC 3339; an hour before `to` where absent.
    #[param(inline, value_type = Option<Time>)]
    from: Option<String>,
    /// Windows that start before this time: Unix milliseconds or RFC 3339; after the newest where absent.
    #[param(inline, value_type = Option<Time>)]
    to: Option<String>,
    /// With this label of their client or target only, such as `client.team=core`; several: with each of them.
    #[serde(default)]
    #[param(inline, value_type = Option<Labelled>)]
    labelled: Vec<String>,
    /// Where the region begins: Unix milliseconds or RFC 3339.
    #[param(inline, required, value_type = Option<Time>)]
    inside_from: Option<String>,
    /// Where the region ends: Unix milliseconds or RFC 3339, exclusive.
    #[param(inline, required, value_type = Option<Time>)]
    inside_to: Option<String>,
    /// A percentile column of `agg_1m`, or `count_error`; degraded windows match where absent.
    #[param(inline, value_type = Option<Measured>)]
    metric: Option<String>,
    /// The least value that matches.
    #[param(value_type = Option<f64>)]
    min: Option<String>,
    /// The greatest value that matches.
    #[param(value_type = Option<f64>)]
    max: Option<String>,
}

/// Names, times, and a region of a chart.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct DifferentMeasurementsParameters {
    /// Of this client only.
    client_id: Option<String>,
    /// Of this target only.
    target: Option<String>,
    /// Measured at or after this time: Unix milliseconds or RFC 3339; an hour before `to` where absent.
    #[param(inline, value_type = Option<Time>)]
    from: Option<String>,
    /// Measured before this time: Unix milliseconds or RFC 3339; now where absent.
    #[param(inline, value_type = Option<Time>)]
    to: Option<String>,
    /// Where the region begins: Unix milliseconds or RFC 3339.
    #[param(inline, required, value_type = Option<Time>)]
    inside_from: Option<String>,
    /// Where the region ends: Unix milliseconds or RFC 3339, exclusive.
    #[param(inline, required, value_type = Option<Time>)]
    inside_to: Option<String>,
}

impl DifferentMeasurementsParameters {
    /// The client and the target that are asked for, if any.
    pub(crate) fn names(&self) -> [Option<String>; 2] {
        [self.client_id.clone(), self.target.clone()]
    }

    pub(crate) fn range_ms(&self, now_ms: i64) -> Result<[i64; 2], Refusal> {
        let to_ms = self.to.as_deref().map_or(Ok(now_ms), |text| Time::read("to", text))?;
        let from_ms =
            self.from.as_deref().map_or(Ok(to_ms.saturating_sub(DEFAULT_RANGE_MS)), |text| Time::read("from", text))?;
        Ok([from_ms, to_ms])
    }

    /// The times of the region.
    pub(crate) fn inside_ms(&self) -> Result<[i64; 2], Refusal> {
        region(&self.inside_from, &self.inside_to)
    }
}

/// The times of a region.
fn region(from: &Option<String>, to: &Option<String>) -> Result<[i64; 2], Refusal> {
    let bound = |name, text: &Option<String>| match text {
        Some(text) => Time::read(name, text),
        None => Err(Refusal::invalid("which region? give inside_from and inside_to")),
    };
    let inside_ms = [bound("inside_from", from)?, bound("inside_to", to)?];
    if inside_ms[0] < inside_ms[1] {
        Ok(inside_ms)
    } else {
        Err(Refusal::invalid("the region is empty; inside_from must be before inside_to"))
    }
}

impl DifferentParameters {
    pub(crate) fn scope(&self) -> Result<Scope, Refusal> {
        Scope::of([&self.client_id, &self.target, &self.from, &self.to], &self.labelled)
    }

    /// The times of the region.
    pub(crate) fn inside_ms(&self) -> Result<[i64; 2], Refusal> {
        region(&self.inside_from, &self.inside_to)
    }

    pub(crate) fn matching(&self) -> Result<Matching, Refusal> {
        let bound = |name, text: &Option<String>| {
            let number = text.as_ref().map(|text| text.parse::<f64>().ok().filter(|value| value.is_finite()));
            number.map(|value| value.ok_or_else(|| Refusal::invalid(format!("{name} must be a number")))).transpose()
        };
        let bounds = [bound("min", &self.min)?, bound("max", &self.max)?];
        match (&self.metric, bounds) {
            (None, [None, None]) => Ok(Matching::Degraded),
            (None, _) => Err(Refusal::invalid("min and max are bounds of a metric; name it with metric")),
            (Some(_), [None, None]) => Err(Refusal::invalid("which values match? give min or max")),
            (Some(name), [min, max]) => {
                let names = || Measure::ALL.map(Measure::as_str).join(", ");
                let unknown = || Refusal::invalid(format!("metric must be one of {}", names()));
                let bounds = [min.unwrap_or(f64::NEG_INFINITY), max.unwrap_or(f64::INFINITY)];
                Ok(Matching::Within(Measure::parse(name).ok_or_else(unknown)?, bounds))
            }
        }
    }
}
