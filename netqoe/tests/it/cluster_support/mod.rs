//! A cluster on real servers: started, loaded, and held against its own log.

mod audit;
mod events;
mod expected;
mod load;
mod others;
mod rig;
mod tables;
mod verdict;

pub(crate) use audit::Audit;
pub(crate) use expected::Log;
pub(crate) use load::{Load, Sent};
pub(crate) use rig::{Group, Nats, Rig, Shape};
pub(crate) use tables::Tables;
pub(crate) use verdict::Verdict;
