//! `netqoe bench`: what netqoe takes and how fast it is, on the machine where it is asked.
//!
//! Most benches start the program that they are part of, as a user would, and look at it from outside. `insight` and
//! `query` run one part of it in their own process.
//!
//! This crate must not know how the commands of netqoe are wired: what it needs of the program is in [`Product`], and
//! all else goes through command lines, HTTP and metrics. No shipped binary has it.
//!
//! Decision: D-077.

mod backfill;
mod cluster;
mod crowd;
mod incidents;
mod insight;
mod limit;
mod live;
mod now;
mod options;
mod output;
mod peers;
mod poster;
mod posting;
mod probe;
mod process;
mod product;
mod query;
mod replay;
mod resources;
mod schedule;
mod scrape;
mod shared_limits;
mod threads;

pub use options::BenchCommand;
pub use output::OutputError;
pub use product::{Product, WrongUsage};

/// Measures, and prints tables.
///
/// # Errors
/// Where options do not fit together ([`WrongUsage`]), nothing takes the tables ([`OutputError`]), or a measurement
/// fails.
pub fn run(command: &BenchCommand, product: &Product) -> anyhow::Result<()> {
    match command {
        BenchCommand::Replay(options) => replay::run(options),
        BenchCommand::Cluster(options) => cluster::run(options, product),
        BenchCommand::Probe(options) => probe::run(options),
        BenchCommand::Query(options) => query::run(options, product),
        BenchCommand::Live(options) => live::run(options, product),
        BenchCommand::Crowd(options) => crowd::run(options, product),
        BenchCommand::SharedLimits(options) => shared_limits::run(options, product),
        BenchCommand::Incidents(options) => incidents::run(options, product),
        BenchCommand::Backfill(options) => backfill::run(options, product),
        BenchCommand::Insight(options) => insight::run(options, product),
        BenchCommand::Peers(options) => peers::run(options),
        BenchCommand::Limit(options) => limit::run(options),
    }
}
