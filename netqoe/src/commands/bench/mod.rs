//! `netqoe bench`: what netqoe takes and how fast it is, on the machine where it is asked.

pub(crate) mod cluster;
mod poster;
pub(crate) mod probe;
pub(crate) mod query;
pub(crate) mod replay;
mod schedule;
