//! The page that shows what the query API answers: made by npm when this crate is built, and embedded.
//!
//! This crate must not know how the page's questions are answered: the types of the answers come from `query/openapi.json`.

mod page;

pub use page::page;
