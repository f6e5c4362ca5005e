//! The options that matter first: what `--help` shows of commands that have many.

use clap::Command;

/// By command: at most ten, by their ids.
const FIRST: [(&str, &[&str]); 6] = [
    ("up", &["demo", "target", "interval", "data", "import", "listen", "port", "tokens_file", "retention", "rules"]),
    (
        "probe",
        &[
            "targets_file",
            "interval",
            "timeout",
            "client_id",
            "once",
            "output",
            "fail_above",
            "endpoint",
            "token_file",
            "metrics_listen",
        ],
    ),
    (
        "ingest",
        &["nats_url", "listen", "port", "tokens_file", "tls_cert", "tls_key", "rate", "event_rate", "shared_limits"],
    ),
    (
        "aggregate",
        &[
            "workers",
            "processes",
            "process",
            "hosts",
            "supervise",
            "nats_url",
            "database_url",
            "port",
            "tokens_file",
            "rules",
        ],
    ),
    ("replay", &["input", "nats_url", "from", "to", "store", "diff", "workers", "rules"]),
    ("serve", &["store", "listen", "port", "tokens_file", "tls_cert", "tls_key", "admin_port", "rules"]),
];

/// Hides the others of these commands. Help says which `flag` shows all.
pub(crate) fn only_first(mut command: Command, flag: &str) -> Command {
    for (name, first) in FIRST {
        command = command.mut_subcommand(name, |below| {
            let says = format!("`netqoe {name} {flag}` lists all options.");
            let after = below.get_after_help().map_or_else(|| says.clone(), |after| format!("{says}\n{after}"));
            let below = below.mut_args(|argument| {
                let is_first = first.contains(&argument.get_id().as_str()) || argument.is_positional();
                if is_first { argument } else { argument.hide(true) }
            });
            below.after_help(after)
        });
    }
    command
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::options::Cli;

    #[test]
    fn each_first_option_is_there_and_they_are_few() {
        let command = Cli::command();
        for (name, first) in FIRST {
            let below = command.find_subcommand(name).unwrap();
            assert!(first.len() <= 10, "{name}");
            for id in first {
                assert!(below.get_arguments().any(|argument| argument.get_id() == id), "{name}: {id}");
            }
        }
    }
}
