//! The operators: they hold epochs and capabilities, and ask pure state for everything else.

mod baseline;
mod collect;
mod decode;
mod window;

pub(crate) use baseline::with_baselines;
pub(crate) use collect::collect;
pub(crate) use decode::decode;
pub(crate) use window::windows;
