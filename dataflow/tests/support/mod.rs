//! What the tests of the dataflow share: a reference from scratch, generated logs, feeds and a store in memory.

pub(crate) mod feeds;
pub(crate) mod logs;
pub(crate) mod reference;
pub(crate) mod store;
