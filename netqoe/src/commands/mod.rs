//! The commands. Each reads from top to bottom as what it does.

mod admin;
pub(crate) mod aggregate;
pub(crate) mod backup;
pub(crate) mod bench;
pub(crate) mod config;
mod dashboard;
mod demo;
mod differences;
pub(crate) mod dlq;
pub(crate) mod doctor;
pub(crate) mod documents;
mod first_lines;
mod fixed_object;
pub(crate) mod heal_clock;
mod health;
mod import;
pub(crate) mod incidents;
pub(crate) mod ingest;
pub(crate) mod log_export;
pub(crate) mod maintenance;
mod memory;
pub(crate) mod notify;
mod other_rules;
pub(crate) mod probe;
mod process_metrics;
mod progress;
mod reload;
pub(crate) mod replay;
mod resources;
pub(crate) mod rules;
mod runtime;
pub(crate) mod serve;
mod starting;
mod store_reader;
pub(crate) mod supervise;
mod targets;
mod text_input;
pub(crate) mod up;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use netqoe_server::Tls;
use netqoe_sinks::StoreUrl;

/// The name of the one file in a data folder.
const DATA_FILE: &str = "netqoe.db";

fn data_file(folder: &Path) -> PathBuf {
    folder.join(DATA_FILE)
}

/// The URL of a listener.
fn listening_on(tls: Option<&Tls>, address: SocketAddr) -> String {
    let scheme = if tls.is_some() { "https" } else { "http" };
    format!("{scheme}://{address}")
}

/// What the page calls a store.
fn store_kind(store: &StoreUrl) -> &'static str {
    match store {
        StoreUrl::Sqlite(_) => "sqlite",
        StoreUrl::Postgres(_) => "postgres",
    }
}

/// What a store keeps of this process, so that somebody finds it.
fn process_name() -> String {
    let process = format!("process {}", std::process::id());
    // A machine need not have a name.
    netqoe_probe::host_name().map_or(process.clone(), |host| format!("{process} on {host}"))
}
