//! What the benches need of the program that they are part of.

use std::io;

use netqoe_model::RulesFile;
use tokio_util::sync::CancellationToken;

/// Functions of netqoe that a command line can't ask for.
pub struct Product {
    /// A token that the first SIGTERM or Ctrl-C cancels. Called within a runtime.
    pub stop_on_signals: fn() -> io::Result<CancellationToken>,
    /// Rules by their name or of a file, or what is wrong with them.
    pub rules: fn(name_or_file: &str) -> Result<RulesFile, String>,
    /// Deletes the streams of the log and of the dead letters that these words name, as `netqoe dlq` reads them. Called
    /// outside of any runtime.
    pub delete_streams: fn(words: &[&str]) -> anyhow::Result<()>,
}

/// Options that are wrong in a way that their syntax does not show.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct WrongUsage(pub String);
