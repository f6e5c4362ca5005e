//! Scenarios: small fleets, minute by minute.

mod scenario;

mod life;
mod silence;
mod speed;
