//! Runs: what hurt a pair from when to when.

use std::collections::{BTreeMap, BTreeSet};

use axum::Json;
use axum::extract::State;
use netqoe_model::{Label, MAX_TIME_MS, Rules, Severity};
use netqoe_sinks::read::{Filter, Pair, ReadError, RowPosition, Rows, RunRecord};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::answer::Refusal;
use crate::labelled::Labelled;
use crate::parameters::{Limit, Parameters};
use crate::queries::QueryApi;
use crate::query_string::QueryString;
use crate::schema;
use crate::values::Time;

pub(crate) fn routes() -> OpenApiRouter<QueryApi> {
    OpenApiRouter::new().routes(routes!(runs))
}

/// Filters, and how many.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct RunParameters {
    /// Of this client only.
    client_id: Option<String>,
    /// Of this target only.
    target: Option<String>,
    /// Windows that start at or after this time: Unix milliseconds or RFC 3339.
    #[param(inline, value_type = Option<Time>)]
    from: Option<String>,
    /// Windows that start before this time: Unix milliseconds or RFC 3339.
    #[param(inline, value_type = Option<Time>)]
    to: Option<String>,
    /// With this diagnosis only.
    #[param(inline, value_type = Option<schema::Label>)]
    label: Option<String>,
    /// With this label of their client or target only, such as `client.team=core`; several: with each of them.
    #[serde(default)]
    #[param(inline, value_type = Option<Labelled>)]
    labelled: Vec<String>,
    /// Runs at most; 100 where absent.
    #[param(inline, value_type = Option<Limit>)]
    limit: Option<String>,
}

/// Runs, those that began last first.
#[derive(Debug, Serialize, ToSchema)]
struct Runs {
    items: Vec<RunItem>,
    /// Whether there are more than these.
    has_more: bool,
}

/// Windows of one pair with the same label, short gaps included. Only windows that were asked for count, but
/// for where it began.
#[derive(Debug, Serialize, ToSchema)]
struct RunItem {
    client_id: String,
    target: String,
    #[schema(value_type = schema::Label)]
    label: Label,
    /// The worst of its windows'.
    #[schema(value_type = schema::Severity)]
    severity: Severity,
    /// Start of its first window, Unix milliseconds.
    since: i64,
    /// End of its last window, Unix milliseconds; null where it goes on.
    #[schema(required)]
    until: Option<i64>,
    /// Whether the pair's next window may belong to it.
    ongoing: bool,
    /// How many of its windows have the label.
    windows: u64,
}

/// What hurt a pair, from when to when: those that began last first. Takes time in proportion to the diagnoses between `from`
/// and `to`.
#[utoipa::path(get, path = "/api/v1/runs", params(RunParameters),
    responses((status = 200, body = Runs), (status = 400, body = Refusal),
        (status = 503, body = Refusal)))]
async fn runs(
    State(api): State<QueryApi>,
    QueryString(parameters): QueryString<RunParameters>,
) -> Result<Json<Runs>, Refusal> {
    let RunParameters { client_id, target, from, to, label, labelled, limit } = parameters;
    let parameters = Parameters { client_id, target, from, to, label, labelled, limit, cursor: None };
    let query = parameters.query::<RowPosition>()?;
    api.ask(move |store, rules| Ok(read(store.rows, &query.filter, query.limit, rules)?)).await.map(Json)
}

fn read(rows: &dyn Rows, filter: &Filter, limit: u16, rules: &Rules) -> Result<Runs, ReadError> {
    let page = rows.runs(filter, limit)?;
    let newest_ms = newest_ms(rows, &page.items, filter)?;
    let item = |run: RunRecord| {
        let newest_ms = newest_ms.get(&pair(&run)).copied();
        RunItem::of(run, newest_ms, rules)
    };
    Ok(Runs { items: page.items.into_iter().map(item).collect(), has_more: page.has_more })
}

/// Where the newest window starts of each pair that has a run, before the end of the time that was asked for.
fn newest_ms(rows: &dyn Rows, runs: &[RunRecord], filter: &Filter) -> Result<BTreeMap<Pair, i64>, ReadError> {
    let pairs: Vec<Pair> = runs.iter().map(pair).collect::<BTreeSet<_>>().into_iter().collect();
    let earliest_ms = runs.iter().map(|run| run.last_window.ms()).min().unwrap_or(0);
    let times_ms = [earliest_ms, filter.to_ms.unwrap_or(i64::MAX).clamp(0, MAX_TIME_MS)];
    let newest = rows.latest_labels(&pairs, times_ms, 1)?;
    Ok(pairs.into_iter().zip(newest).filter_map(|(pair, rows)| Some((pair, rows.first()?.window_start.ms()))).collect())
}

fn pair(run: &RunRecord) -> Pair {
    Pair { client_id: run.client_id.as_str().into(), target: run.target.as_str().into() }
}

impl RunItem {
    fn of(run: RunRecord, newest_ms: Option<i64>, rules: &Rules) -> Self {
        let last_ms = run.last_window.ms();
        let bridged_ms = i64::from(rules.diagnosis.evidence.bridged_windows) * rules.window_ms;
        let ongoing = newest_ms.is_none_or(|newest_ms| newest_ms - last_ms <= bridged_ms);
        Self {
            client_id: run.client_id,
            target: run.target,
            label: run.label,
            severity: run.worst_severity,
            since: run.since.ms(),
            until: (!ongoing).then_some(last_ms + rules.window_ms),
            ongoing,
            windows: run.windows,
        }
    }
}
