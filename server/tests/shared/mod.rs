//! What tests of a listener need, those of this crate and those of what is served through it.

mod answer;
pub(crate) mod clock;
mod listening;

pub(crate) use answer::{Answer, send};
pub(crate) use clock::HandClock;
pub(crate) use listening::{Listening, PATIENCE, SHORT, begin_request, listening, one_answer, request_to, rest_of};
