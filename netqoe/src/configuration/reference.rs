//! docs/configuration.md: every option of every command, written from the options themselves.

use std::fmt::Write as _;
use std::path::Path;

use clap::{Arg, ArgAction, Command, CommandFactory};
use netqoe_testbed::is_as_written;

use crate::options::Cli;

/// Where it is set, the file is written instead of compared.
const WRITE: &str = "NETQOE_WRITE_REFERENCE";
/// Its options depend on how netqoe was built.
const NOT_LISTED: [&str; 2] = ["bench", "help"];

const INTRODUCTION: &str = "\
# Configuration

Every option is a flag, an environment variable, and a key of `netqoe.toml`. The flag goes first, then the variable, then the file, then the default. The
file is `./netqoe.toml` if it exists, or the one that `--config` names. It has a table for each command, with the option's name as the key, with `_` for `-`; options of
all commands stand at its top:

```toml
log_format = \"json\"

[up]
data = \"/var/lib/netqoe\"
log_max_age = \"3d\"

[log.export]
data = \"/var/lib/netqoe\"
```

`netqoe config check` reads the file as each command would, and names every key and value that it does not understand. `netqoe config show up` prints each option of
`up` with its value and what has set it. `--help` shows the options of a command that matter first, `--help-all` all of them. Who is notified of what is described in
[notifications.md](notifications.md), rules in [diagnoses.md](diagnoses.md) and [incidents.md](incidents.md). Secrets belong into files: each option that takes one has a twin
that ends with `-file`.

Changes apply at the next start, but for tokens, targets and what is logged: a running process reads these again on SIGHUP, or
`POST /-/reload` on its admin port ([operations/reload.md](operations/reload.md)).

This page is written from the program (`NETQOE_WRITE_REFERENCE=1 cargo test -p netqoe reference`), and a test compares the two.
";

fn reference() -> String {
    let mut command = Cli::command();
    command.build();
    let mut text = INTRODUCTION.to_owned();
    table(&mut text, "All commands", command.get_arguments().filter(|option| option.is_global_set()));
    commands(&mut text, &command, "netqoe");
    text
}

fn commands(text: &mut String, command: &Command, name: &str) {
    let is_listed = |below: &&Command| !NOT_LISTED.contains(&below.get_name()) && !below.is_hide_set();
    for below in command.get_subcommands().filter(is_listed) {
        let name = format!("{name} {}", below.get_name());
        table(text, &format!("`{name}`"), below.get_arguments().filter(|option| !option.is_global_set()));
        commands(text, below, &name);
    }
}

fn table<'a>(text: &mut String, heading: &str, options: impl Iterator<Item = &'a Arg>) {
    let rows: String = options.filter_map(row).collect();
    if !rows.is_empty() {
        let _ = write!(
            text,
            "\n## {heading}\n\n| option | variable | default | meaning |\n| --- | --- | --- | --- |\n{rows}"
        );
    }
}

/// Nothing of what is no option: help, the version, and arguments without a name.
fn row(option: &Arg) -> Option<String> {
    if matches!(option.get_action(), ArgAction::Help | ArgAction::Version | ArgAction::HelpShort | ArgAction::HelpLong)
    {
        return None;
    }
    let name = match (option.get_short(), option.get_long()) {
        (Some(short), Some(long)) => format!("`-{short}`, `--{long}`"),
        (None, Some(long)) => format!("`--{long}`"),
        (Some(short), None) => format!("`-{short}`"),
        (None, None) => return None,
    };
    let variable = option.get_env().map(|name| format!("`{}`", name.to_string_lossy())).unwrap_or_default();
    let defaults: Vec<_> = option.get_default_values().iter().map(|value| value.to_string_lossy()).collect();
    let takes_value = option.get_action().takes_values();
    let default = if takes_value && !defaults.is_empty() { format!("`{}`", defaults.join(",")) } else { String::new() };
    let help = option.get_help().map(ToString::to_string).unwrap_or_default();
    let help = help.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|");
    let choices: Vec<_> = option.get_possible_values().iter().map(|value| format!("`{}`", value.get_name())).collect();
    let choices = if takes_value && !choices.is_empty() { format!(" ({})", choices.join(", ")) } else { String::new() };
    Some(format!("| {name} | {variable} | {default} | {help}{choices} |\n"))
}

#[test]
fn the_reference_lists_every_option() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/configuration.md");
    is_as_written(&path, &reference(), WRITE).unwrap();
}
