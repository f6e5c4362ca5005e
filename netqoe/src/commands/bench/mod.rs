//! `netqoe bench`: what netqoe takes and how fast it is, on the machine where it is asked.

pub(crate) mod cluster;
pub(crate) mod insight;
pub(crate) mod live;
mod poster;
mod posting;
pub(crate) mod probe;
mod process;
pub(crate) mod query;
pub(crate) mod replay;
mod schedule;
mod scrape;
