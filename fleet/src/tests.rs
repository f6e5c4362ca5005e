//! Scenarios: small fleets, minute by minute.

mod scenario;

mod fold;
mod labels;
mod life;
mod reference;
mod refold;
mod silence;
mod speed;
