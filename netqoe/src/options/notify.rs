//! `netqoe notify`, as options.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use netqoe_sinks::StoreUrl;

use super::DatabaseOptions;

#[derive(Debug, Subcommand)]
pub(crate) enum NotifyCommand {
    /// Send a test message to each receiver of the configuration file; exit with 1 if one did not take it
    Test {
        /// Only to this receiver; may be given several times
        #[arg(long, env = "NETQOE_RECEIVER", value_name = "NAME", value_delimiter = ',')]
        receiver: Vec<String>,
    },
    /// Show what waits for each receiver, one JSON object a line
    #[command(visible_alias = "status")]
    List(Box<NotifyListOptions>),
}

#[derive(Args, Debug)]
pub(crate) struct NotifyListOptions {
    /// Store of `aggregate`: sqlite:PATH or postgres://…; without it, the data file of `up` is read
    #[arg(long, env = "NETQOE_DATABASE_URL", value_name = "URL", hide_env_values = true)]
    pub(crate) database_url: Option<StoreUrl>,

    /// Folder of the data file of `up`
    #[arg(long, env = "NETQOE_DATA", value_name = "DIR", default_value = "netqoe-data")]
    pub(crate) data: PathBuf,

    #[command(flatten)]
    pub(crate) database: DatabaseOptions,
}
