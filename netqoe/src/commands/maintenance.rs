//! `netqoe migrate` and `netqoe maintain`, and the daily run of the latter.

use std::time::Duration;

use netqoe_pipeline::Patience;
use netqoe_sinks::{Maintained, Maintenance, PostgresOptions, StoreError, StoreUrl};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::clock::{now_ms, store_clock};
use crate::options::{MaintainOptions, MigrateOptions, RetentionOptions, ms};
use crate::output;

const EVERY: Duration = Duration::from_secs(86_400);
/// How soon a store is maintained that could not be for a reason that passes.
const AGAIN_AFTER: Duration = Duration::from_secs(60);
/// Partitions that are there before the first row comes, so that no commit has to make one.
const MONTHS_AHEAD: u16 = 3;

pub(crate) fn migrate(options: &MigrateOptions) -> anyhow::Result<()> {
    Patience::OfACommand.insist(|| options.database_url.connect(&options.database.postgres(), store_clock()))?;
    output::line(json!({ "store": options.database_url.to_string(), "schema": "up to date" }))?;
    Ok(())
}

pub(crate) fn maintain(options: &MaintainOptions) -> anyhow::Result<()> {
    let done =
        Patience::OfACommand.insist(|| once(&options.database_url, &options.database.postgres(), options.retention))?;
    output::line(json!({
        "months_made": done.months_made, "months_dropped": done.months_dropped, "rows_deleted": done.rows_deleted,
        "diagnoses_deleted": done.diagnoses_deleted, "clients_deleted": done.clients_deleted,
        "dead_letters_deleted": done.dead_letters_deleted, "incidents_deleted": done.incidents_deleted,
    }))?;
    Ok(())
}

fn once(store: &StoreUrl, postgres: &PostgresOptions, retention: RetentionOptions) -> Result<Maintained, StoreError> {
    let maintenance =
        Maintenance { now_ms: now_ms(), retention_ms: ms(retention.retention), months_ahead: MONTHS_AHEAD };
    store.connect_for_maintenance(postgres)?.maintain(&maintenance)
}

/// Maintains a store now and then once a day, until `stop`.
pub(super) async fn daily(
    store: StoreUrl,
    postgres: PostgresOptions,
    retention: RetentionOptions,
    stop: CancellationToken,
) {
    let mut interval = tokio::time::interval(EVERY);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = interval.tick() => {}
        }
        let (store, postgres) = (store.clone(), postgres.clone());
        let done = tokio::task::spawn_blocking(move || once(&store, &postgres, retention));
        match done.await {
            Ok(Ok(done)) if done.is_nothing() => tracing::debug!("the store is maintained; there was nothing to do"),
            Ok(Ok(done)) => tracing::info!("the store is maintained; {done}"),
            Ok(Err(error)) if error.may_pass() => {
                tracing::warn!("the store could not be maintained, which is tried again in a minute: {error}");
                interval.reset_after(AGAIN_AFTER);
            }
            Ok(Err(error)) => {
                tracing::warn!("the store could not be maintained, which is tried again tomorrow: {error}");
            }
            Err(error) => tracing::error!("maintaining the store broke off: {error}"),
        }
    }
}
