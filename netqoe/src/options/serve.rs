//! `netqoe serve`.

use clap::Args;
use netqoe_sinks::StoreUrl;

use super::{AdminOptions, DatabaseOptions, ListenOptions, RuleOptions, ServerOptions};

#[derive(Args, Debug)]
pub(crate) struct ServeOptions {
    /// Store to show: sqlite:PATH, also the data file of a running `up`, or postgres://… Nothing is written to it
    #[arg(long, env = "NETQOE_STORE", value_name = "URL", hide_env_values = true)]
    pub(crate) store: StoreUrl,

    #[command(flatten)]
    pub(crate) listen: ListenOptions,

    #[command(flatten)]
    pub(crate) admin: AdminOptions,

    #[command(flatten)]
    pub(crate) database: DatabaseOptions,

    #[command(flatten)]
    pub(crate) server: ServerOptions,

    #[command(flatten)]
    pub(crate) rules: RuleOptions,
}
