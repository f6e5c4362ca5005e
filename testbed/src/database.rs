//! A PostgreSQL database of a test's own.

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, ensure};
use url::Url;

use crate::postgres::{self, Postgres};

/// The variable with the superuser's URL of a server that tests share. `cargo xtask test` sets it; without it each
/// [`Database`] has a server of its own.
pub const SHARED_SERVER: &str = "NETQOE_TEST_POSTGRES_URL";

/// A fresh database. What is made on a shared server stays there until that server is gone.
#[derive(Clone)]
pub struct Database {
    url: String,
    /// Stopped with the last database on it.
    _server: Option<Arc<Postgres>>,
}

impl Database {
    /// On the shared server where there is one, otherwise on a server of its own.
    ///
    /// # Errors
    /// Where no server can be started or reached.
    pub fn fresh() -> anyhow::Result<Self> {
        if let Ok(shared) = std::env::var(SHARED_SERVER) {
            return Ok(Self { url: create(&shared)?, _server: None });
        }
        let server = Postgres::start()?;
        Ok(Self { url: create(&server.url())?, _server: Some(Arc::new(server)) })
    }

    /// The superuser's URL of this database.
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Postgres {
    /// Makes a fresh database on this server, and returns the superuser's URL of it.
    ///
    /// # Errors
    /// Where the server can't be reached.
    pub fn database(&self) -> anyhow::Result<String> {
        create(&self.url())
    }
}

fn create(server: &str) -> anyhow::Result<String> {
    static MADE: AtomicU64 = AtomicU64::new(0);
    let mut url = Url::parse(server).with_context(|| format!("{SHARED_SERVER} is no URL"))?;
    // A process id alone is given to a later test of the same run, while the databases of the first are still there.
    let now_ns = SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos();
    let name = format!("test_{now_ns}_{}_{}", std::process::id(), MADE.fetch_add(1, Ordering::Relaxed));
    let created = Command::new(postgres::programs()?.join("createdb"))
        .arg(format!("--maintenance-db={server}"))
        .arg(&name)
        .status()
        .context("can't run createdb")?;
    ensure!(created.success(), "createdb could not make the database {name}");
    url.set_path(&name);
    Ok(url.into())
}
