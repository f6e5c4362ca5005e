//! Where the value of an option comes from: its flag, else its environment variable, else `netqoe.toml`, else its default.
//!
//! The file's values become the defaults of the options that they name, so that each is checked, shown by `--help` and
//! overridden like any other. The file has a table for each command; options of all commands stand at its top. Who is notified of
//! what stands in lists of tables, which no option could hold: only the file has them.

mod difference;
mod faults;
#[cfg(test)]
mod reference;
mod shown;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{ArgMatches, Command, CommandFactory};
use netqoe_notify::{NotifyConfig, NotifyConfigError};
use toml::{Table, Value};

use crate::exit::WRONG_USAGE;
use crate::options::{Cli, only_first};
use crate::output;
pub(crate) use faults::check;
pub(crate) use shown::{Shown, shown};

/// The file that is read where none is named and it is there.
const DEFAULT_FILE: &str = "netqoe.toml";
/// Stands for a value that is not shown.
const HIDDEN: &str = "…";
/// Names another file.
const FILE_VARIABLE: &str = "NETQOE_CONFIG";
/// Asks for all options of a command; `--help` shows those that matter first.
const HELP_ALL: &str = "--help-all";

/// Why a command line or a file can't be acted on, or that help was asked for.
#[derive(Debug)]
pub(crate) enum Refused {
    /// With the command that it is about.
    CommandLine(Box<clap::Error>, String),
    /// All that is wrong with a file.
    File(Vec<String>),
}

impl From<clap::Error> for Refused {
    fn from(error: clap::Error) -> Self {
        Self::CommandLine(Box::new(error), PROGRAM.to_owned())
    }
}

impl Refused {
    /// What is wrong, each in one line.
    pub(crate) fn messages(&self) -> Vec<String> {
        match self {
            Self::CommandLine(error, command) => vec![one_line(error, command)],
            Self::File(messages) => messages.clone(),
        }
    }

    /// Says it in one line, or prints the help, and gives the exit code.
    pub(crate) fn report(&self) -> ExitCode {
        match self {
            Self::CommandLine(error, _) if !error.use_stderr() => {
                return match output::printed(error.print()) {
                    Ok(()) => ExitCode::SUCCESS,
                    Err(error) => error.report(),
                };
            }
            Self::CommandLine(error, _) if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
                error.print().unwrap_or_default();
            }
            refused => refused.messages().iter().for_each(output::complain_of),
        }
        ExitCode::from(WRONG_USAGE)
    }
}

const PROGRAM: &str = "netqoe";

/// The first paragraph of clap's message, what it takes for meant, and where to look further.
fn one_line(error: &clap::Error, command: &str) -> String {
    let message = error.render().to_string();
    let mut paragraphs =
        message.split("\n\n").map(|paragraph| paragraph.split_whitespace().collect::<Vec<_>>().join(" "));
    let line = paragraphs.next().unwrap_or_default();
    let line = line.strip_prefix("error: ").unwrap_or(&line);
    // Other tips repeat what was typed, which may be secret.
    let meant = paragraphs.filter_map(|paragraph| paragraph.strip_prefix("tip: ").map(str::to_owned));
    let meant: String = meant.filter(|tip| tip.contains("similar")).map(|tip| format!("; {tip}")).collect();
    format!("{line}{meant}; see `{command} --help`")
}

/// Whether a command line is about the configuration itself.
pub(crate) fn is_asked_for(arguments: &[OsString]) -> bool {
    named_command(arguments).starts_with("netqoe config")
}

/// The command that a command line is about, as far as it names one.
fn named_command(arguments: &[OsString]) -> String {
    let (mut command, mut name) = (Cli::command(), PROGRAM.to_owned());
    for word in arguments.iter().skip(1).filter_map(|word| word.to_str()) {
        if let Some(below) = command.find_subcommand(word) {
            name = format!("{name} {word}");
            command = below.clone();
        }
    }
    name
}

/// What the command line, the variables and the file say, read at one moment.
pub(crate) struct Loaded {
    pub(crate) matches: ArgMatches,
    /// The file that was read.
    pub(crate) file: Option<PathBuf>,
    /// Who is notified of what.
    pub(crate) notify: NotifyConfig,
}

/// Reads the command line over the environment over the file, and from the file who is notified.
pub(crate) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Loaded, Refused> {
    let mut arguments: Vec<_> = arguments.into_iter().collect();
    let mut command = with_help(Cli::command(), &mut arguments);
    let (mut notify, mut path) = (NotifyConfig::default(), None);
    if let Some(file) = file(&arguments)? {
        let mut faults = Vec::new();
        command = with_defaults(command, file.table, &mut Vec::new(), &mut faults);
        notify = file.notify.unwrap_or_else(|fault| {
            faults.push(fault);
            NotifyConfig::default()
        });
        if !faults.is_empty() {
            return Err(at(&file.path, faults));
        }
        path = Some(file.path);
    }
    let refused = |error| Refused::CommandLine(Box::new(error), named_command(&arguments));
    Ok(Loaded { matches: read(&mut command, arguments.clone()).map_err(refused)?, file: path, notify })
}

/// Hides options from `--help` that seldom matter, unless all are asked for.
fn with_help(command: Command, arguments: &mut [OsString]) -> Command {
    if let Some(all) = arguments.iter_mut().find(|argument| *argument == HELP_ALL) {
        *all = "--help".into();
        return command;
    }
    let asks = |argument: &OsString| argument == "--help" || argument == "-h" || argument == "help";
    if arguments.iter().any(asks) { only_first(command, HELP_ALL) } else { command }
}

/// Faults of a file, with its name.
fn at(path: &Path, faults: Vec<String>) -> Refused {
    Refused::File(faults.into_iter().map(|fault| format!("{}: {fault}", path.display())).collect())
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

/// The table of a command, in which receivers and routes stand too.
const NOTIFY: &str = "notify";

/// What a file says.
struct File {
    path: PathBuf,
    /// Values of options.
    table: Table,
    /// Who is notified of what, or what is wrong with that.
    notify: Result<NotifyConfig, String>,
}

/// The file, where one is named or the default one is there.
fn file(arguments: &[OsString]) -> Result<Option<File>, Refused> {
    let named = named_file(arguments).or_else(|| std::env::var_os(FILE_VARIABLE).map(PathBuf::from));
    let path = match named {
        Some(path) => path,
        None if Path::new(DEFAULT_FILE).exists() => DEFAULT_FILE.into(),
        None => return Ok(None),
    };
    let refused = |what: String| at(&path, vec![what]);
    let text = std::fs::read_to_string(&path).map_err(|error| refused(format!("can't be read: {error}")))?;
    let mut table = text.parse::<Table>().map_err(|error| refused(not_toml(&text, &error)))?;
    let notify = take_notify(&mut table).map_err(|error| error.to_string());
    if notify.is_err() {
        table.remove(NOTIFY);
    }
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

/// Makes the file's values the defaults of the options of this command, and its tables' those of the commands below. What
/// can't be one is added to `faults`.
fn with_defaults(mut command: Command, table: Table, place: &mut Vec<String>, faults: &mut Vec<String>) -> Command {
    for (key, value) in table {
        let known = command.get_arguments().any(|argument| argument.get_id() == key.as_str());
        place.push(key.clone());
        command = match value {
            Value::Table(table) if command.find_subcommand(&key).is_some() => {
                command.mut_subcommand(&key, |below| with_defaults(below, table, place, faults))
            }
            value if known => match texts(&value) {
                Some(values) => command.mut_arg(&key, |argument| {
                    let is_hidden = argument.is_hide_env_values_set();
                    argument.default_values(values).required(false).hide_default_value(is_hidden)
                }),
                None => {
                    faults.push(format!("`{}` must be a value or a list of values", place.join(".")));
                    command
                }
            },
            _ => {
                faults.push(unknown(&command, place));
                command
            }
        };
        place.pop();
    }
    command
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
