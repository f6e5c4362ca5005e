//! What went wrong with TLS, in plain words: the libraries' texts are for programmers. And certificates from files, with
//! the same words where they can't be used.
//!
//! It does not know which connection it is for: the caller names the options that change anything.

mod fault;
mod files;
mod words;

pub use fault::{Cause, Fault, Remedies};
pub use files::{FileError, certificates_in, check_key_pair, key_pair_in, roots_in};
pub use words::{MAX_NAMES, is_untrusted, of_certificate, of_io, of_tls, other_name};
