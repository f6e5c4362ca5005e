//! What this process was started with.

use clap::FromArgMatches;

use crate::configuration::{self, Loaded, Refused};
use crate::logging::LogLevels;
use crate::options::Cli;

/// What this process was started with, and what it logs.
pub(crate) struct Process {
    pub(crate) configuration: Loaded,
    pub(crate) cli: Cli,
    pub(crate) levels: LogLevels,
}

/// Reads the command line, the variables and the file as they are now.
pub(crate) fn read() -> Result<(Loaded, Cli), Refused> {
    let arguments: Vec<_> = std::env::args_os().collect();
    if configuration::is_asked_for(&arguments) {
        configuration::check(&arguments)?;
    }
    let loaded = configuration::parse(arguments)?;
    let cli = Cli::from_arg_matches(&loaded.matches)?;
    Ok((loaded, cli))
}
