//! Who is told what of incidents, and how it gets there: pure decisions, an outbox in the store, and four kinds of receivers.
//!
//! This crate must not know how incidents are found, what reads them, nor where options come from. It asks a store for what is
//! new ([`netqoe_sinks::Outbox`]), and the clock and randomness are given to it.
//!
//! Decision: D-089.

mod config;
mod letter_box;
mod message;
mod page;
mod pattern;
mod pause;
mod postman;
mod rate;
mod receiver;
mod route;
mod secret;
mod task;
mod tell;
mod words;

pub use config::{NotifyConfig, NotifyConfigError, ReceiverConfig, ReceiverKind};
pub use letter_box::Policy;
pub use message::{Message, MessageEvent};
pub use page::PageUrl;
pub use postman::{Delivery, Postman};
pub use receiver::{Outcome, Receiver};
pub use route::Route;
pub use task::{Notifier, test_receivers};
pub use tell::messages;
