//! What every HTTP listener of netqoe has, whatever it serves: connections within limits of number, time and memory; tokens
//! and browser sessions; checks of where a request comes from; and the routes that tell how the process is.
//!
//! A request passes through the modules in this order: [`serve`] holds its connection, the head is checked, the routes of
//! [`assemble`] ask [`Authentication`] or [`SignIn`] whether it may send or read, and a [`Refusal`] says why not.
//!
//! This crate must not know what a request is about: no event, no log, no row, no answer to a question.
//!
//! Decision: D-085.

mod answer;
mod arriving;
mod attempts;
mod authentication;
mod clock;
mod connection;
mod document;
mod exchange;
mod exposition;
mod http2_frames;
pub mod limits;
mod memory;
mod operations;
mod outage;
mod own_host;
mod per_token;
mod places;
mod request_head;
mod same_origin;
mod server;
mod session;
mod session_keys;
mod sign_in;
mod signed_out;
mod tls;
mod tokens;

pub use answer::{Code, Refusal};
pub use authentication::Authentication;
pub use clock::{Clock, SystemClock};
pub use document::{described, for_readers, for_senders};
pub use limits::ServerLimits;
pub use memory::{Held, RequestMemory, TokenShare};
pub use operations::{ComponentCheck, OperationsAccess, assemble};
pub use outage::Outage;
pub use own_host::refuse_other_names;
pub use per_token::PerToken;
pub use same_origin::refuse_other_sites;
pub use server::{ServeError, bind, listen, serve, serve_over};
pub use sign_in::SignIn;
pub use tls::{ReadTls, Tls, TlsError};
pub use tokens::{Bearer, Grant, Replaced, TokenId, Tokens, TokensError};
