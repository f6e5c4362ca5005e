//! Which incidents are printed, and how.

use clap::Args;
use netqoe_model::IncidentState;
use netqoe_sinks::{ListedRange, StoreUrl};

use super::DatabaseOptions;
use super::history::{check_order, time};
use crate::exit::WrongUsage;

#[derive(Args, Debug)]
pub(crate) struct IncidentsOptions {
    /// Store with the incidents: sqlite:PATH or postgres://…
    #[arg(long, env = "NETQOE_STORE", value_name = "URL", hide_env_values = true)]
    pub(crate) store: StoreUrl,

    /// Print a JSON list with the pairs of each incident, instead of a table
    #[arg(long)]
    pub(crate) json: bool,

    /// Only incidents that were not over at this time: Unix milliseconds or RFC 3339
    #[arg(long, env = "NETQOE_FROM", value_name = "TIME", value_parser = time)]
    from: Option<i64>,

    /// Only incidents that began before this time
    #[arg(long, env = "NETQOE_TO", value_name = "TIME", value_parser = time)]
    to: Option<i64>,

    /// Only incidents in this state: open, closed or withdrawn
    #[arg(long, env = "NETQOE_INCIDENT_STATE", value_name = "STATE", value_parser = state)]
    state: Option<IncidentState>,

    #[command(flatten)]
    pub(crate) database: DatabaseOptions,
}

impl IncidentsOptions {
    /// Which incidents are asked for.
    pub(crate) fn range(&self) -> Result<ListedRange, WrongUsage> {
        check_order(self.from, self.to)?;
        Ok(ListedRange { from_ms: self.from, to_ms: self.to, state: self.state })
    }
}

fn state(text: &str) -> Result<IncidentState, &'static str> {
    IncidentState::parse(text).ok_or("a state is open, closed or withdrawn")
}
