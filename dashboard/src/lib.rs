//! The page that shows what the query API answers: made by npm when this crate is built, and embedded.
//!
//! This crate must not know what the page asks, nor how it is answered.

mod page;

pub use page::page;
