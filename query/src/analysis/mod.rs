//! Answers about many windows at once: how the fleet is, and the charts that lead to why.
//!
//! Each is a pure fold of what a reader finds. Rows are added up here or in the store, never is a percentile averaged.

mod asked;
mod band;
mod compare;
mod current;
mod different;
mod fleet_now;
mod groups;
mod history;
mod matrix;
mod networks;
mod overview;
mod pairs;
mod points;
mod routes;
mod score;
mod series;
mod shared;
mod tags;
mod timeline;

pub(crate) use asked::DifferentMeasurementsParameters;
pub(crate) use routes::routes;
pub(crate) use shared::SharedAnswers;
