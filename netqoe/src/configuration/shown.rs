//! Every value that a command would use, and where it comes from.

use std::ffi::OsString;

use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command, CommandFactory};
use toml::{Table, Value};

use super::{PROGRAM, Refused, at, file, has_user, read, with_defaults};
use crate::options::Cli;

/// What stands for a value that is secret.
const SECRET: &str = "(hidden)";
/// What stands for a value that there is not.
const NONE: &str = "-";

/// An option, its value, and what has set it.
pub(crate) struct Shown {
    pub(crate) option: String,
    pub(crate) value: String,
    pub(crate) origin: String,
}

/// The options of the command with these words, as it would find them if it were started with no others.
pub(crate) fn shown(arguments: &[OsString], words: &[String]) -> Result<Vec<Shown>, Refused> {
    let (mut command, mut table, mut name) = (Cli::command(), Table::new(), String::new());
    if let Some(file) = file(arguments)? {
        let mut faults = Vec::new();
        command = with_defaults(command, file.table.clone(), &mut Vec::new(), &mut faults);
        if !faults.is_empty() {
            return Err(at(&file.path, faults));
        }
        (table, name) = (file.table, file.path.display().to_string());
    }
    command = without_required(command);
    let line = [PROGRAM].into_iter().chain(words.iter().map(String::as_str));
    let matches = read(&mut command, line.map(OsString::from))
        .map_err(|error| Refused::CommandLine(Box::new(error), format!("{PROGRAM} config show")))?;
    let mut found = Vec::new();
    collect(&command, &matches, &table, &name, &mut found);
    Ok(found)
}

/// What the command line would have to say need not be said.
fn without_required(command: Command) -> Command {
    let command = command.mut_args(|argument| argument.required(false));
    command.mut_subcommands(without_required)
}

fn collect(command: &Command, matches: &ArgMatches, table: &Table, file: &str, found: &mut Vec<Shown>) {
    let below = matches.subcommand();
    let own = command.get_arguments().filter(|argument| !argument.is_hide_set() && argument.get_long().is_some());
    // Global options are shown where they stand in the file: at the top.
    let own = own.filter(|argument| !matches!(argument.get_id().as_str(), "help" | "version"));
    found.extend(own.map(|argument| of(argument, matches, table.contains_key(argument.get_id().as_str()), file)));
    if let Some((name, matches)) = below
        && let Some(command) = command.find_subcommand(name)
    {
        let nothing = Table::new();
        let table = match table.get(name) {
            Some(Value::Table(table)) => table,
            _ => &nothing,
        };
        let known: Vec<_> = found.iter().map(|shown| shown.option.clone()).collect();
        let mut of_command = Vec::new();
        collect(command, matches, table, file, &mut of_command);
        found.extend(of_command.into_iter().filter(|shown| !known.contains(&shown.option)));
    }
}

fn of(argument: &Arg, matches: &ArgMatches, is_in_file: bool, file: &str) -> Shown {
    let id = argument.get_id().as_str();
    let values = matches.try_get_raw(id).ok().flatten();
    let values: Vec<_> = values.into_iter().flatten().map(|value| value.to_string_lossy().into_owned()).collect();
    let origin = match matches.value_source(id) {
        _ if values.is_empty() => "not set".to_owned(),
        Some(ValueSource::EnvVariable) => {
            argument.get_env().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
        }
        Some(ValueSource::DefaultValue) if is_in_file => file.to_owned(),
        Some(ValueSource::DefaultValue) => "default".to_owned(),
        _ => "command line".to_owned(),
    };
    let is_secret = argument.is_hide_env_values_set() || values.iter().any(|value| has_user(value));
    let value = match values.is_empty() {
        true => NONE.to_owned(),
        false if is_secret => SECRET.to_owned(),
        false => values.join(","),
    };
    Shown { option: format!("--{}", argument.get_long().unwrap_or(id)), value, origin }
}
