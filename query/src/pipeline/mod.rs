//! How the pipeline is, for the page that shows it. This crate knows it only by [`PipelineView`].

mod route;
mod state;
mod uncounted;

pub use route::PipelineApi;
pub(crate) use route::routes;
pub use state::{Delays, Events, Part, PartitionProgress, PipelineState, PipelineView};
pub use uncounted::UncountedEvents;
