//! `netqoe bench query`: how soon the page's questions are answered, over a store with a day of a fleet in it.

mod asking;
mod filling;
mod fleet;
mod showing;

use std::sync::Arc;
use std::time::Instant;

use anyhow::Context;
use netqoe_model::Rules;
use netqoe_query::{Filling, FinalWindowsReader};
use netqoe_sinks::read::{PostgresReader, ReadError, Reader, SqliteReader};
use netqoe_sinks::{PostgresOptions, StoreUrl};
use tokio::runtime::Handle;

use self::fleet::Fleet;
use crate::now::now_ms;
use crate::options::BenchQueryOptions;
use crate::output;
use crate::product::Product;
use crate::threads::request_threads;

pub(crate) fn run(options: &BenchQueryOptions, product: &Product) -> anyhow::Result<()> {
    let fleet = Fleet::new(options, now_ms());
    // The store's driver waits on its own: it must not be used within the runtime.
    let store = options.database_url.connect(&PostgresOptions::default(), Arc::new(now_ms))?;
    let fleet = filling::fill(store, fleet)?;
    let runtime = request_threads()?;
    runtime.block_on(async {
        let store = reader(&options.database_url).await.context("can't read the store")?;
        let reader = Arc::new(FinalWindowsReader::new(store, &Rules::default(), filling::PARTITIONS));
        remember(Arc::clone(&reader)).await?;
        if options.show {
            return showing::show(reader, product).await;
        }
        asking::measure(reader, &fleet, options.questions.get()).await
    })?;
    Ok(output::caution_of_debug_build()?)
}

/// Takes into memory what has settled, as a server does in the background in twice the time.
async fn remember(reader: Arc<FinalWindowsReader>) -> anyhow::Result<()> {
    let began = Instant::now();
    let filling = Arc::clone(&reader);
    tokio::task::spawn_blocking(move || {
        while filling.fill_one()? == Filling::GoesOn {}
        Ok::<_, ReadError>(())
    })
    .await
    .context("filling memory was given up")??;
    output::line(format_args!("{}; it took {:.1} s to read them.\n", reader.tell(), began.elapsed().as_secs_f64()))?;
    Ok(())
}

async fn reader(url: &StoreUrl) -> anyhow::Result<Arc<dyn Reader>> {
    Ok(match url {
        StoreUrl::Sqlite(path) => Arc::new(SqliteReader::open(path)?),
        StoreUrl::Postgres(url) => {
            Arc::new(PostgresReader::connect(url, &PostgresOptions::default(), Handle::current()).await?)
        }
    })
}
