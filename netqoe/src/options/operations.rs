//! The commands for operators.

use std::path::PathBuf;
use std::time::Duration;

#[cfg(feature = "bench")]
use clap::FromArgMatches;
use clap::{Args, Subcommand};
use netqoe_sinks::StoreUrl;

use super::nats::{DeadLetterArguments, NatsArguments};
use super::{DatabaseOptions, LetterName};

#[derive(Debug, Subcommand)]
pub(crate) enum DlqCommand {
    /// List dead letters, one JSON object a line, newest first
    List {
        #[command(flatten)]
        letters: DlqOptions,
        /// Maximum number of letters
        #[arg(long, env = "NETQOE_DLQ_LIMIT", default_value_t = 100)]
        limit: usize,
        /// Continue after this letter: the position of the last one shown
        #[arg(long, value_name = "POSITION")]
        after: Option<LetterName>,
    },
    /// Print the original bytes of a letter
    Show {
        #[command(flatten)]
        letters: DlqOptions,
        /// Position of the letter
        position: LetterName,
    },
    /// Append the originals to the log again; those that still can't be counted return
    Replay {
        #[command(flatten)]
        letters: DlqOptions,
        #[command(flatten)]
        choice: LetterChoice,
    },
    /// Delete letters
    Purge {
        #[command(flatten)]
        letters: DlqOptions,
        #[command(flatten)]
        choice: LetterChoice,
    },
}

#[derive(Args, Debug)]
pub(crate) struct DlqOptions {
    #[command(flatten)]
    pub(crate) dead_letters: DeadLetterArguments,
    #[command(flatten)]
    pub(crate) nats: NatsArguments,
    /// Folder of the data file of `up`, unless a NATS server is named. `up` must be stopped to replay letters this way; while
    /// it runs, its page can replay them
    #[arg(long, env = "NETQOE_DATA", value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
}

#[cfg(feature = "bench")]
impl DlqOptions {
    /// As a command of this program reads them that is given these words and the same variables.
    pub(crate) fn read(words: &[&str]) -> Result<Self, clap::Error> {
        let command = Self::augment_args(clap::Command::new("netqoe")).no_binary_name(true);
        Self::from_arg_matches(&command.try_get_matches_from(words)?)
    }
}

#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
pub(crate) struct LetterChoice {
    /// Positions of letters
    #[arg(value_name = "POSITION")]
    pub(crate) positions: Vec<LetterName>,
    /// All letters
    #[arg(long)]
    pub(crate) all: bool,
}

#[derive(Args, Debug)]
pub(crate) struct MigrateOptions {
    /// sqlite:PATH or postgres://…
    #[arg(long, env = "NETQOE_DATABASE_URL", value_name = "URL", hide_env_values = true)]
    pub(crate) database_url: StoreUrl,
    #[command(flatten)]
    pub(crate) database: DatabaseOptions,
}

#[derive(Args, Debug)]
pub(crate) struct MaintainOptions {
    /// sqlite:PATH or postgres://…
    #[arg(long, env = "NETQOE_DATABASE_URL", value_name = "URL", hide_env_values = true)]
    pub(crate) database_url: StoreUrl,
    #[command(flatten)]
    pub(crate) database: DatabaseOptions,
    #[command(flatten)]
    pub(crate) retention: RetentionOptions,
}

#[derive(Args, Clone, Copy, Debug)]
#[command(next_help_heading = "Retention")]
pub(crate) struct RetentionOptions {
    /// How long a store keeps rows
    #[arg(long, env = "NETQOE_RETENTION", default_value = "90d", value_parser = retention)]
    pub(crate) retention: Duration,
}

/// Histories reach back a day, and what is being written must not be deleted.
const LEAST_RETENTION: Duration = Duration::from_secs(2 * 86_400);

fn retention(text: &str) -> Result<Duration, String> {
    let retention = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    if retention >= LEAST_RETENTION { Ok(retention) } else { Err("rows are kept for at least 2d".to_owned()) }
}
