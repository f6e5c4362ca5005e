//! What the tests of the dataflow share: a reference from scratch, generated pairs and logs, feeds and a store in memory.

pub(crate) mod compare;
pub(crate) mod feeds;
pub(crate) mod logs;
pub(crate) mod pairs;
pub(crate) mod reference;
pub(crate) mod rules;
pub(crate) mod soak;
pub(crate) mod store;
