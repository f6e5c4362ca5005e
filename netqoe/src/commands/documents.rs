//! `netqoe documents`: manual pages and completions, from the options themselves. It is for whoever packages netqoe, and `--help` does not
//! show it.

use std::fs;
use std::path::Path;

use anyhow::Context;
use clap::{Command, CommandFactory};
use clap_complete::Shell;

use crate::options::{Cli, DocumentsOptions};

const MANUAL: &str = "man1";
const COMPLETIONS: &str = "completions";
const NAME: &str = "netqoe";
/// The one option whose default is that of the machine: the number of its cores.
const REPLAY: &str = "replay";
const WORKERS: &str = "workers";

pub(crate) fn run(options: &DocumentsOptions) -> anyhow::Result<()> {
    write(&options.to)
        .with_context(|| format!("can't write into {}; name another folder with --to", options.to.display()))
}

fn write(folder: &Path) -> std::io::Result<()> {
    let [manual, completions] = [MANUAL, COMPLETIONS].map(|name| folder.join(name));
    fs::create_dir_all(&manual)?;
    fs::create_dir_all(&completions)?;
    clap_mangen::generate_to(shown(), manual)?;
    for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
        clap_complete::generate_to(shell, &mut shown(), NAME, &completions)?;
    }
    Ok(())
}

/// The command line, as `--help` shows it: shells would complete what is hidden, too.
fn shown() -> Command {
    let all = Cli::command();
    let below = all.get_subcommands().filter(|below| !below.is_hide_set()).cloned().map(of_no_machine);
    let about = all.get_about().cloned().unwrap_or_default();
    Command::new(NAME)
        .version(env!("NETQOE_VERSION"))
        .about(about)
        .args(all.get_arguments().cloned())
        .subcommands(below)
}

fn of_no_machine(command: Command) -> Command {
    match command.get_name() {
        REPLAY => command.mut_arg(WORKERS, |workers| workers.hide_default_value(true)),
        _ => command,
    }
}
