//! `netqoe config`: whether the configuration is understood, and what it comes to.

use crate::configuration::{Shown, shown};
use crate::exit::WrongUsage;
use crate::options::ConfigCommand;
use crate::output;
use crate::process::Process;

/// The command whose values are shown where none is named.
const USUAL: &str = "up";

pub(crate) fn run(command: &ConfigCommand, process: &Process) -> anyhow::Result<()> {
    match command {
        // Whoever gets here has had every key and value read.
        ConfigCommand::Check => match &process.configuration.file {
            Some(file) => output::line(format_args!("{}: the configuration is understood", file.display()))?,
            None => output::own_line("there is no netqoe.toml here, and --config names no file: nothing to check")?,
        },
        ConfigCommand::Show { command } => show(command)?,
    }
    Ok(())
}

fn show(command: &[String]) -> anyhow::Result<()> {
    let words = if command.is_empty() { vec![USUAL.to_owned()] } else { command.to_vec() };
    let arguments: Vec<_> = std::env::args_os().collect();
    let values = shown(&arguments, &words).map_err(|refused| WrongUsage(refused.messages().join("; ")))?;
    let width = |of: fn(&Shown) -> &str| values.iter().map(|shown| of(shown).chars().count()).max().unwrap_or_default();
    let (options, texts) = (width(|shown| &shown.option), width(|shown| &shown.value));
    for Shown { option, value, origin } in &values {
        output::line(format_args!("{option:<options$}  {value:<texts$}  {origin}"))?;
    }
    Ok(())
}
