//! In which options two readings of the configuration differ.

use std::ffi::OsString;

use clap::{ArgMatches, Command, CommandFactory};

use super::Loaded;
use crate::options::Cli;

/// What the file calls receivers and routes.
const NOTIFY: &str = "[[notify.receiver]] and [[notify.route]]";

impl Loaded {
    /// The options of this command that have another value in the other reading, by their names. Values are not shown: some are
    /// secret.
    pub(crate) fn differences(&self, other: &Self) -> Vec<String> {
        let mut found = Vec::new();
        differences(&Cli::command(), &self.matches, &other.matches, &mut found);
        if self.notify != other.notify {
            found.push(NOTIFY.to_owned());
        }
        found
    }
}

fn differences(command: &Command, ours: &ArgMatches, theirs: &ArgMatches, found: &mut Vec<String>) {
    for option in command.get_arguments() {
        let id = option.get_id().as_str();
        if values(ours, id) != values(theirs, id) {
            found.push(option.get_long().map_or_else(|| id.to_owned(), |long| format!("--{long}")));
        }
    }
    // The command line is the same, and so is the command.
    if let (Some((name, ours)), Some((_, theirs))) = (ours.subcommand(), theirs.subcommand())
        && let Some(below) = command.find_subcommand(name)
    {
        differences(below, ours, theirs, found);
    }
}

/// As they were written; none of an option that this command does not have.
fn values(matches: &ArgMatches, id: &str) -> Option<Vec<OsString>> {
    Some(matches.try_get_raw(id).ok()??.map(ToOwned::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::configuration::parse;

    #[track_caller]
    fn check(before: &str, after: &str, expected: &[&str]) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("netqoe.toml");
        let read = |text: &str| {
            std::fs::write(&path, text).unwrap();
            parse(["netqoe", "--config", path.to_str().unwrap(), "up"].map(OsString::from)).unwrap()
        };
        let before = read(before);
        assert_eq!(before.differences(&read(after)), expected, "{after}");
    }

    #[test]
    fn options_that_have_changed_are_named() {
        let before =
            "log_format = \"json\"\n[up]\nport = 1\ndemo = true\ntarget = [\"http://a/\"]\ntokens = \"secret\"";
        check(before, before, &[]);
        check(
            before,
            "log_format = \"json\"\n[up]\ndemo = true\nport = 1\ntarget = \"http://a/\"\ntokens = \"secret\"",
            &[],
        );
        check(
            before,
            "[up]\nport = 2\ntokens = \"another\"",
            &["--log-format", "--demo", "--target", "--port", "--tokens"],
        );
        check("", "[[notify.receiver]]\nname = \"a\"\nkind = \"webhook\"\nurl_file = \"f\"", &[NOTIFY]);
    }
}
