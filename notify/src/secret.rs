//! Secrets, which come from files alone: what stands in a configuration or a command line is seen by many.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Longest secret, in bytes. A file that is longer was named by mistake.
const MAX_BYTES: u64 = 16 << 10;

/// A text that no message shows.
#[derive(Clone)]
pub(crate) struct Secret(String);

impl Secret {
    /// From a file, without blanks and line ends around it. The error is a part of a sentence.
    pub(crate) fn read(path: &Path) -> Result<Self, String> {
        let unreadable = |reason: String| format!("can't read {}: {reason}", path.display());
        let file = File::open(path).map_err(|error| unreadable(error.to_string()))?;
        let mut text = String::new();
        file.take(MAX_BYTES + 1).read_to_string(&mut text).map_err(|error| unreadable(error.to_string()))?;
        if text.len() as u64 > MAX_BYTES {
            return Err(unreadable(format!("it is longer than {MAX_BYTES} bytes, so it holds no secret of ours")));
        }
        let text = text.trim();
        if text.is_empty() { Err(unreadable("it is empty".to_owned())) } else { Ok(Self(text.to_owned())) }
    }

    /// One that is none: it may be seen.
    pub(crate) fn of(text: &str) -> Self {
        Self(text.to_owned())
    }

    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_trimmed_and_not_shown() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        std::fs::write(&path, " pass word\r\n").unwrap();
        let secret = Secret::read(&path).unwrap();
        assert_eq!((secret.expose(), format!("{secret:?}").as_str()), ("pass word", "***"));
        for content in ["", "\n", &"x".repeat(20_000)] {
            std::fs::write(&path, content).unwrap();
            assert!(Secret::read(&path).unwrap_err().contains("key"), "{} bytes", content.len());
        }
        assert!(Secret::read(&folder.path().join("none")).unwrap_err().contains("none"));
    }
}
