//! The secret that all processes of a cluster share.

use std::fmt;

use hmac::{Hmac, KeyInit};
use sha2::Sha256;

/// What all processes of a cluster know and nobody else does. It is never shown, and never sent.
#[derive(Clone, Default)]
pub struct Secret(String);

impl Secret {
    /// The secret that this text holds, without the white space around it.
    pub fn new(text: &str) -> Self {
        Self(text.trim().to_owned())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A message authentication code with this secret as its key.
    pub(crate) fn mac(&self) -> Hmac<Sha256> {
        // HMAC takes a key of any length.
        #[allow(clippy::expect_used)]
        Hmac::new_from_slice(self.0.as_bytes()).expect("any key will do")
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_never_shown() {
        assert_eq!(format!("{:?}", Secret::new("hush")), "Secret");
    }
}
