//! All that is wrong with a configuration file, at once.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::CommandFactory;
use clap::error::ErrorKind;
use toml::{Table, Value};

use super::{PROGRAM, Refused, at, file, one_line, read, with_defaults};
use crate::options::Cli;

/// What the file need not say, the command line may.
const NO_FAULTS: [ErrorKind; 3] = [
    ErrorKind::MissingRequiredArgument,
    ErrorKind::MissingSubcommand,
    ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand,
];

/// Reads each value of the file as the command would that it is for. The file that was checked; none where there is none.
pub(crate) fn check(arguments: &[OsString]) -> Result<Option<PathBuf>, Refused> {
    let Some(file) = file(arguments)? else { return Ok(None) };
    let mut faults = Vec::new();
    with_defaults(Cli::command(), file.table.clone(), &mut Vec::new(), &mut faults);
    faults.extend(file.notify.err());
    for place in places(&file.table, &mut Vec::new()) {
        let alone = alone(&file.table, &place);
        let mut unknown = Vec::new();
        let mut command = with_defaults(Cli::command(), alone, &mut Vec::new(), &mut unknown);
        let words = words(&place);
        match read(&mut command, words.iter().map(OsString::from)) {
            Err(error) if unknown.is_empty() && !NO_FAULTS.contains(&error.kind()) => {
                let fault = one_line(&error, &words.join(" "));
                if !faults.contains(&fault) {
                    faults.push(fault);
                }
            }
            _ => {}
        }
    }
    if faults.is_empty() { Ok(Some(file.path)) } else { Err(at(&file.path, faults)) }
}

/// Where values stand: the tables above each, and its key.
fn places(table: &Table, above: &mut Vec<String>) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for (key, value) in table {
        above.push(key.clone());
        match value {
            Value::Table(below) => found.extend(places(below, above)),
            _ => found.push(above.clone()),
        }
        above.pop();
    }
    found
}

/// A table with the value at this place alone.
fn alone(table: &Table, place: &[String]) -> Table {
    let mut alone = Table::new();
    if let Some((key, below)) = place.split_first()
        && let Some(value) = table.get(key)
    {
        let value = match value {
            Value::Table(table) if !below.is_empty() => Value::Table(self::alone(table, below)),
            value => value.clone(),
        };
        alone.insert(key.clone(), value);
    }
    alone
}

/// The command that the value is for. Those at the top are for all.
fn words(place: &[String]) -> Vec<String> {
    let tables = place.split_last().map_or(&[][..], |(_, tables)| tables);
    let mut words = vec![PROGRAM.to_owned()];
    if tables.is_empty() {
        words.extend(["config", "check"].map(str::to_owned));
    } else {
        words.extend(tables.iter().cloned());
    }
    words
}
