//! Commits as they are made, to whoever listens. A reader that is too slow leaves and comes back; the pipeline is never
//! slowed.

mod changed_incidents;
mod feed;
mod kept;
mod others;
mod place;
mod readers;
mod route;
mod shared_rows;

pub use feed::LiveFeed;
pub use others::watch_others;
pub(crate) use route::routes;
