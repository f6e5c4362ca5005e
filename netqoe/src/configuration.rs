//! Where the value of an option comes from: its flag, else its environment variable, else `netqoe.toml`, else its default.
//!
//! The file's values become the defaults of the options that they name, so that each is checked, shown by `--help` and
//! overridden like any other. The file has a table for each command; options of all commands stand at its top. Who is notified of
//! what stands in lists of tables, which no option could hold: only the file has them.

mod difference;
#[cfg(test)]
mod reference;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{ArgMatches, Command, CommandFactory};
use netqoe_notify::{NotifyConfig, NotifyConfigError};
use toml::{Table, Value};

use crate::exit::WRONG_USAGE;
use crate::options::Cli;
use crate::output;

/// The file that is read where none is named and it is there.
const DEFAULT_FILE: &str = "netqoe.toml";
/// Stands for a value that is not shown.
const HIDDEN: &str = "…";
/// Names another file.
const FILE_VARIABLE: &str = "NETQOE_CONFIG";

/// Why a command line or a file can't be acted on, or that help was asked for.
#[derive(Debug)]
pub(crate) enum Refused {
    CommandLine(Box<clap::Error>),
    File(String),
}

impl From<clap::Error> for Refused {
    fn from(error: clap::Error) -> Self {
        Self::CommandLine(Box::new(error))
    }
}

impl Refused {
    /// The same in one line.
    pub(crate) fn message(&self) -> String {
        match self {
            Self::CommandLine(error) => one_line(&error.render().to_string()),
            Self::File(message) => message.clone(),
        }
    }

    /// Says it in one line, or prints the help, and gives the exit code.
    pub(crate) fn report(&self) -> ExitCode {
        match self {
            Self::CommandLine(error) if !error.use_stderr() => {
                return match output::printed(error.print()) {
                    Ok(()) => ExitCode::SUCCESS,
                    Err(error) => error.report(),
                };
            }
            Self::CommandLine(error) if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
                error.print().unwrap_or_default();
            }
            refused => crate::output::complain_of(refused.message()),
        }
        ExitCode::from(WRONG_USAGE)
    }
}

/// The first paragraph of clap's message, with where to look further.
fn one_line(message: &str) -> String {
    let paragraph = message.split("\n\n").next().unwrap_or(message);
    let line = paragraph.split_whitespace().collect::<Vec<_>>().join(" ");
    let line = line.strip_prefix("error: ").unwrap_or(&line);
    format!("{line}; see `netqoe --help`, or `netqoe COMMAND --help`")
}

/// What the command line, the variables and the file say, read at one moment.
pub(crate) struct Loaded {
    pub(crate) matches: ArgMatches,
    /// Who is notified of what.
    pub(crate) notify: NotifyConfig,
}

/// Reads the command line over the environment over the file, and from the file who is notified.
pub(crate) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Loaded, Refused> {
    let arguments: Vec<_> = arguments.into_iter().collect();
    let mut command = Cli::command();
    let mut notify = NotifyConfig::default();
    if let Some(file) = file(&arguments)? {
        command = with_defaults(command, file.table, &mut Vec::new())
            .map_err(|error| Refused::File(format!("{}: {error}", file.path.display())))?;
        notify = file.notify;
    }
    Ok(Loaded { matches: read(&mut command, arguments)?, notify })
}

/// Reads a command line. A value that is refused is not shown where `--help` would not show it, or where it is a URL with a user: it may
/// hold a password.
fn read(command: &mut Command, words: impl IntoIterator<Item = OsString>) -> Result<ArgMatches, clap::Error> {
    command.try_get_matches_from_mut(words).map_err(|mut error| {
        let refused = error.get(ContextKind::InvalidArg).map(ToString::to_string);
        let has_user =
            matches!(error.get(ContextKind::InvalidValue), Some(ContextValue::String(value)) if has_user(value));
        if has_user || refused.is_some_and(|argument| is_hidden(command, &argument)) {
            error.insert(ContextKind::InvalidValue, ContextValue::String(HIDDEN.to_owned()));
        }
        error
    })
}

/// Whether this may be a URL with a user, and so with a password.
fn has_user(value: &str) -> bool {
    value.split_once("://").is_some_and(|(_, rest)| rest.contains('@'))
}

/// Whether `--help` hides the value of the option that is written so, of this command or one below.
fn is_hidden(command: &Command, written: &str) -> bool {
    let option = written.split(' ').next().and_then(|flag| flag.strip_prefix("--"));
    command
        .get_arguments()
        .any(|argument| argument.is_hide_env_values_set() && option.is_some() && argument.get_long() == option)
        || command.get_subcommands().any(|below| is_hidden(below, written))
}

/// Reads the values of the file as each command that it has a table for would.
pub(crate) fn check(arguments: impl IntoIterator<Item = OsString>) -> Result<(), Refused> {
    let arguments: Vec<_> = arguments.into_iter().collect();
    let Some(File { path, table, .. }) = file(&arguments)? else { return Ok(()) };
    let at = |error: String| Refused::File(format!("{}: {error}", path.display()));
    let command = with_defaults(Cli::command(), table.clone(), &mut Vec::new()).map_err(at)?;
    for words in commands(&table, &mut vec!["netqoe".to_owned()]) {
        match read(&mut command.clone(), words.into_iter().map(OsString::from)) {
            // What the file need not say, the command line may.
            Err(error) if error.kind() != ErrorKind::MissingRequiredArgument => {
                return Err(at(one_line(&error.render().to_string())));
            }
            _ => {}
        }
    }
    Ok(())
}

/// The command lines of the commands that have a table of their own.
fn commands(table: &Table, words: &mut Vec<String>) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for (key, value) in table {
        if let Value::Table(below) = value {
            words.push(key.clone());
            let deeper = commands(below, words);
            if deeper.is_empty() {
                found.push(words.clone());
            } else {
                found.extend(deeper);
            }
            words.pop();
        }
    }
    found
}

/// The table of a command, in which receivers and routes stand too.
const NOTIFY: &str = "notify";

/// What a file says.
struct File {
    path: PathBuf,
    /// Values of options.
    table: Table,
    notify: NotifyConfig,
}

/// The file, where one is named or the default one is there.
fn file(arguments: &[OsString]) -> Result<Option<File>, Refused> {
    let named = named_file(arguments).or_else(|| std::env::var_os(FILE_VARIABLE).map(PathBuf::from));
    let path = match named {
        Some(path) => path,
        None if Path::new(DEFAULT_FILE).exists() => DEFAULT_FILE.into(),
        None => return Ok(None),
    };
    let refused = |what: String| Refused::File(format!("{}: {what}", path.display()));
    let text = std::fs::read_to_string(&path).map_err(|error| refused(format!("can't be read: {error}")))?;
    let mut table = text.parse::<Table>().map_err(|error| refused(not_toml(&text, &error)))?;
    let notify = take_notify(&mut table).map_err(|error| refused(error.to_string()))?;
    Ok(Some(File { path, table, notify }))
}

/// What is wrong, and in which line. The line is not shown, as the library's own text would: it may hold a secret.
fn not_toml(text: &str, error: &toml::de::Error) -> String {
    let message = error.message().split_whitespace().collect::<Vec<_>>().join(" ");
    let before = error.span().and_then(|span| text.get(..span.start));
    let line = before.map(|before| format!("line {}: ", before.matches('\n').count() + 1)).unwrap_or_default();
    format!("is not valid TOML: {line}{message}")
}

/// Takes what is no value of an option out of the table (D-089).
fn take_notify(table: &mut Table) -> Result<NotifyConfig, NotifyConfigError> {
    let Some(Value::Table(notify)) = table.get_mut(NOTIFY) else { return Ok(NotifyConfig::default()) };
    let config = NotifyConfig::take(notify)?;
    if notify.is_empty() {
        table.remove(NOTIFY);
    }
    Ok(config)
}

/// `--config FILE` must be known before the rest can be read.
fn named_file(arguments: &[OsString]) -> Option<PathBuf> {
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        if argument == "--config" {
            return arguments.next().map(PathBuf::from);
        }
        if let Some(path) = argument.to_str().and_then(|text| text.strip_prefix("--config=")) {
            return Some(path.into());
        }
    }
    None
}

/// Makes the file's values the defaults of the options of this command, and its tables' those of the commands below.
fn with_defaults(mut command: Command, table: Table, place: &mut Vec<String>) -> Result<Command, String> {
    for (key, value) in table {
        let known = command.get_arguments().any(|argument| argument.get_id() == key.as_str());
        place.push(key.clone());
        command = match value {
            Value::Table(table) if command.find_subcommand(&key).is_some() => {
                let mut refused = None;
                let below = |below| {
                    with_defaults(below, table, place).unwrap_or_else(|error| {
                        refused = Some(error);
                        Command::new("refused")
                    })
                };
                let command = command.mut_subcommand(&key, below);
                if let Some(error) = refused {
                    return Err(error);
                }
                command
            }
            value if known => {
                let values = texts(&value)
                    .ok_or_else(|| format!("`{}` must be a value or a list of values", place.join(".")))?;
                command.mut_arg(&key, |argument| {
                    let is_hidden = argument.is_hide_env_values_set();
                    argument.default_values(values).required(false).hide_default_value(is_hidden)
                })
            }
            _ => return Err(unknown(&command, place)),
        };
        place.pop();
    }
    Ok(command)
}

fn unknown(command: &Command, place: &[String]) -> String {
    let keys = command.get_arguments().map(|argument| argument.get_id().as_str().to_owned());
    let shown = command.get_subcommands().filter(|below| !below.is_hide_set());
    let tables = shown.map(|below| format!("[{}]", below.get_name()));
    let known: Vec<_> = keys.filter(|key| key != "help" && key != "version").chain(tables).collect();
    format!("unknown key `{}`; known here: {}", place.join("."), known.join(", "))
}

/// A value as it would be written on the command line.
fn texts(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::String(text) => Some(vec![text.clone()]),
        Value::Integer(_) | Value::Float(_) | Value::Boolean(_) => Some(vec![value.to_string()]),
        Value::Array(values) => values.iter().map(|value| texts(value)?.pop()).collect(),
        Value::Datetime(_) | Value::Table(_) => None,
    }
}
