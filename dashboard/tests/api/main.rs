//! The query API over a real SQLite store: what is asked of the router is answered from rows that the store has written.

#![allow(clippy::unwrap_used, clippy::panic)] // nothing here but tests

mod dead_letters;
mod document;
mod filters;
mod items;
mod live;
mod page;
mod pages;
mod pipeline;
mod refusals;
mod support;
