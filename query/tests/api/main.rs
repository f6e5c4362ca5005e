//! The query API over a real store: what is asked of the router is answered from rows that the store has written.

#![allow(clippy::unwrap_used, clippy::panic)] // nothing here but tests

mod apart;
mod compare;
mod dead_letters;
mod different;
mod document;
mod filters;
mod final_windows;
mod fleet;
mod incidents;
mod items;
mod labelled;
mod labels;
mod live;
mod measurements;
mod one_snapshot;
mod pages;
mod pipeline;
mod questions;
mod refusals;
mod runs;
mod score;
mod series;
mod stores;
mod support;
mod timeline;
