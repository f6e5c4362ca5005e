//! The query API: what the store holds, as JSON, and what is being written to it, as server-sent events; how the pipeline is.
//!
//! This crate must not know the page, nor the log, nor run what makes rows: it reads a store, is told of rows that were
//! written, and looks at pipeline, dead letters and measurements through three narrow traits. Of the dataflow it knows the state of a pair,
//! as pure arithmetic over rows, so that a chart can't differ from a diagnosis.
//!
//! Decision: D-084.

mod analysis;
mod answer;
mod certificates;
mod corrections;
mod dead_letters;
mod final_windows;
mod incidents;
mod labelled;
mod labels;
mod live;
mod measurements;
mod pages;
mod parameters;
mod pipeline;
mod queries;
mod query_string;
mod runs;
mod schema;
mod spelling;
mod values;
mod words;

pub use certificates::{Certificates, EXPIRES_SOON_MS, ExpiringCertificate};
pub use dead_letters::{DeadLetters, DeadLettersError, Letter, Page as LetterPage, SHOWN_BYTES};
pub use final_windows::{Filling, FinalWindowsReader, keep_filled};
pub use live::{LiveFeed, watch_others};
pub use measurements::{Found, FoundEvent, Measurements, MeasurementsError, Place, Sample, Sampled, Sought};
pub use pipeline::{
    Delays, Events, Part, PartitionProgress, PipelineApi, PipelineState, PipelineView, UncountedEvents,
};
pub use queries::{QueryApi, document};
