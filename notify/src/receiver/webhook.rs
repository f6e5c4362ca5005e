//! Our own JSON, signed where there is a key. `docs/notifications.md` says how to verify it.

use std::path::Path;

use hmac::{Hmac, KeyInit, Mac};
use serde_json::json;
use sha2::Sha256;

use super::Outcome;
use super::http::Endpoint;
use crate::config::UrlSource;
use crate::message::Message;
use crate::secret::Secret;

/// Holds the time and the proof.
const SIGNATURE_HEADER: &str = "netqoe-signature";

/// The form of the body. It changes where a receiver of an earlier one would misread it.
const VERSION: u8 = 1;

pub(super) struct Webhook {
    endpoint: Endpoint,
    key: Option<Secret>,
}

impl Webhook {
    pub(super) fn open(url: &UrlSource, key: Option<&Path>, ca_file: Option<&Path>) -> Result<Self, String> {
        let endpoint = Endpoint::open(url, "", ca_file)?;
        Ok(Self { endpoint, key: key.map(Secret::read).transpose()? })
    }

    pub(super) fn place(&self) -> String {
        self.endpoint.place()
    }

    pub(super) async fn deliver(&self, messages: &[Message], now_ms: i64) -> Outcome {
        let body = body(messages);
        let signed = self.key.as_ref().map(|key| (SIGNATURE_HEADER, signature(key, now_ms / 1000, &body)));
        self.endpoint.post(&signed.into_iter().collect::<Vec<_>>(), body).await
    }
}

pub(super) fn body(messages: &[Message]) -> String {
    json!({ "version": VERSION, "messages": messages }).to_string()
}

/// `t=` the time in Unix seconds, `v1=` the HMAC-SHA256 of that, a full stop and the body.
fn signature(key: &Secret, time_s: i64, body: &str) -> String {
    // HMAC takes a key of any length.
    #[allow(clippy::expect_used)]
    let mac = Hmac::<Sha256>::new_from_slice(key.expose().as_bytes()).expect("any key will do");
    let proof = mac.chain_update(format!("{time_s}.")).chain_update(body).finalize().into_bytes();
    let proof: String = proof.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("t={time_s},v1={proof}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example in `docs/notifications.md`.
    #[test]
    fn a_signature_is_what_openssl_says() {
        let signed = signature(&Secret::of("topsecret"), 1_700_000_000, r#"{"version":1,"messages":[]}"#);
        let expected = include_str!("../../../docs/notifications.md");
        assert!(expected.contains(&signed), "{signed}");
    }
}
