//! Incidents: which there are, what each says, and what people say of them.

pub(crate) mod answer;
mod document;
mod parameters;
mod planned;
mod route;
mod unmeasured;
mod written;

pub(crate) use planned::Planned;
pub(crate) use route::routes;
