//! `netqoe serve`.

use std::net::IpAddr;

use clap::Args;
use netqoe_sinks::StoreUrl;

use super::{AdminOptions, DatabaseOptions, RuleOptions, ServerOptions};

#[derive(Args, Debug)]
pub(crate) struct ServeOptions {
    /// Store to show: sqlite:PATH, also the data file of a running `up`, or postgres://… Nothing is written to it
    #[arg(long, env = "NETQOE_STORE", value_name = "URL", hide_env_values = true)]
    pub(crate) store: StoreUrl,

    /// Address to listen on. Addresses other than loopback require tokens
    #[arg(long, env = "NETQOE_LISTEN", value_name = "ADDRESS", default_value = "127.0.0.1")]
    pub(crate) listen: IpAddr,

    /// Port to listen on; 0 chooses a free one
    #[arg(long, env = "NETQOE_PORT", default_value_t = 8081)]
    pub(crate) port: u16,

    #[command(flatten)]
    pub(crate) admin: AdminOptions,

    #[command(flatten)]
    pub(crate) database: DatabaseOptions,

    #[command(flatten)]
    pub(crate) server: ServerOptions,

    #[command(flatten)]
    pub(crate) rules: RuleOptions,
}
