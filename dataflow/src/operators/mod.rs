//! The operators: they hold epochs and capabilities, and ask pure state for everything else.

mod collect;
mod decode;
mod judge;
mod window;

pub(crate) use collect::collect;
pub(crate) use decode::decode;
pub(crate) use judge::judged;
pub(crate) use window::windows;
