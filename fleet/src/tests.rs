//! Scenarios: small fleets, minute by minute.

mod scenario;

mod fold;
mod life;
mod reference;
mod silence;
mod speed;
