//! What can be asked of incidents, as it stands in a URL.

use netqoe_model::{DimensionName, IncidentState, Label, LogTime, Severity};
use netqoe_sinks::read::{IncidentFilter, IncidentQuery, Paged, UnmeasuredFilter};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::answer::Refusal;
use crate::labelled::Labelled;
use crate::parameters::{Cursor, Limit, one_of, paged};
use crate::schema::{self, SEVERITIES};
use crate::values::Time;

/// Filters and paging.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct IncidentParameters {
    /// `open`, `closed` or `withdrawn` ones only.
    #[param(inline, value_type = Option<schema::IncidentState>)]
    state: Option<String>,
    /// With this label only.
    #[param(inline, value_type = Option<schema::IncidentLabel>)]
    label: Option<String>,
    /// This severe now, or at last.
    #[param(inline, value_type = Option<schema::Severity>)]
    severity: Option<String>,
    /// With a cause of this dimension only; that of a label is written `client.team`.
    #[param(inline, value_type = Option<schema::CauseDimension>)]
    dimension: Option<String>,
    /// With a pair of this client only.
    client_id: Option<String>,
    /// With a pair of this target only.
    target: Option<String>,
    /// With a pair that had this label, such as `client.team=core`, in its first window with the incident's; several: that had
    /// each of them.
    #[serde(default)]
    #[param(inline, value_type = Option<Labelled>)]
    labelled: Vec<String>,
    /// Not over at this time: Unix milliseconds or RFC 3339.
    #[param(inline, value_type = Option<Time>)]
    from: Option<String>,
    /// Opened before this time: Unix milliseconds or RFC 3339.
    #[param(inline, value_type = Option<Time>)]
    to: Option<String>,
    /// As they were known at this log time, before what came later amended, withdrew or corrected them: Unix milliseconds or RFC
    /// 3339. The filters are for what was known then.
    #[param(inline, value_type = Option<Time>)]
    as_of: Option<String>,
    /// Items a page; 100 where absent.
    #[param(inline, value_type = Option<Limit>)]
    limit: Option<String>,
    /// Where the page begins: `next_cursor` of the page before.
    cursor: Option<String>,
}

impl IncidentParameters {
    pub(super) fn as_of(&self) -> Result<Option<LogTime>, Refusal> {
        as_of(self.as_of.as_deref())
    }

    pub(super) fn query(self) -> Result<IncidentQuery, Refusal> {
        let page = paged(self.limit.as_deref(), self.cursor.as_deref())?;
        let filter = IncidentFilter {
            state: one_of("state", self.state.as_deref(), &IncidentState::ALL, IncidentState::as_str)?,
            without_withdrawn: false,
            label: one_of("label", self.label.as_deref(), &schema::INCIDENT_LABELS, Label::as_str)?,
            severity: one_of("severity", self.severity.as_deref(), &SEVERITIES, Severity::as_str)?,
            dimension: self.dimension.as_deref().map(dimension).transpose()?,
            from_ms: self.from.as_deref().map(|text| Time::read("from", text)).transpose()?,
            to_ms: self.to.as_deref().map(|text| Time::read("to", text)).transpose()?,
            client_id: self.client_id,
            target: self.target,
            tags: Labelled::read(&self.labelled)?,
        };
        Ok(IncidentQuery { filter, page })
    }
}

fn dimension(text: &str) -> Result<DimensionName, Refusal> {
    let names = DimensionName::all;
    DimensionName::parse(text).ok_or_else(|| Refusal::invalid(format!("dimension must be one of {}", names())))
}

fn as_of(text: Option<&str>) -> Result<Option<LogTime>, Refusal> {
    text.map(|text| Time::read("as_of", text).map(LogTime::from_ms)).transpose()
}

/// A log time alone.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct AsOfParameters {
    /// As it was known at this log time: Unix milliseconds or RFC 3339.
    #[param(inline, value_type = Option<Time>)]
    as_of: Option<String>,
}

impl AsOfParameters {
    pub(super) fn as_of(&self) -> Result<Option<LogTime>, Refusal> {
        as_of(self.as_of.as_deref())
    }
}

/// Paging alone.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct PageParameters {
    /// Items a page; 100 where absent.
    #[param(inline, value_type = Option<Limit>)]
    limit: Option<String>,
    /// Where the page begins: `next_cursor` of the page before.
    cursor: Option<String>,
}

impl PageParameters {
    pub(super) fn page<P: Cursor>(&self) -> Result<Paged<P>, Refusal> {
        paged(self.limit.as_deref(), self.cursor.as_deref())
    }
}

/// Names and paging.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct UnmeasuredParameters {
    /// Of this client only.
    client_id: Option<String>,
    /// Of this target only.
    target: Option<String>,
    /// With this label, such as `client.team=core`, when it was last measured; several: with each of them.
    #[serde(default)]
    #[param(inline, value_type = Option<Labelled>)]
    labelled: Vec<String>,
    /// Items a page; 100 where absent.
    #[param(inline, value_type = Option<Limit>)]
    limit: Option<String>,
    /// Where the page begins: `next_cursor` of the page before.
    cursor: Option<String>,
}

impl UnmeasuredParameters {
    pub(super) fn filter(&self) -> Result<UnmeasuredFilter, Refusal> {
        let (client_id, target) = (self.client_id.clone(), self.target.clone());
        Ok(UnmeasuredFilter { client_id, target, tags: Labelled::read(&self.labelled)? })
    }

    pub(super) fn page<P: Cursor>(&self) -> Result<Paged<P>, Refusal> {
        paged(self.limit.as_deref(), self.cursor.as_deref())
    }
}
