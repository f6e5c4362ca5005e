//! What answers questions about a store, by its URL.

use std::sync::Arc;

use netqoe_model::metrics::Metrics;
use netqoe_pipeline::{MeasuredReader, StoreHealth};
use netqoe_sinks::read::{MAX_CONNECTIONS, PostgresReader, Reader, SqliteReader};
use netqoe_sinks::{PostgresOptions, StoreUrl};
use tokio::runtime::Handle;

/// A reader of this store, whose questions are measured and tell how the store is.
pub(super) async fn open(
    store: &StoreUrl,
    postgres: &PostgresOptions,
    metrics: &Metrics,
    health: &StoreHealth,
) -> anyhow::Result<Arc<dyn Reader>> {
    Ok(match store {
        StoreUrl::Sqlite(path) => {
            Arc::new(MeasuredReader::new(SqliteReader::open(path)?, MAX_CONNECTIONS, metrics, health))
        }
        StoreUrl::Postgres(url) => {
            let reader = PostgresReader::connect(url, postgres, Handle::current()).await?;
            Arc::new(MeasuredReader::new(reader, postgres.max_open_connections, metrics, health))
        }
    })
}
