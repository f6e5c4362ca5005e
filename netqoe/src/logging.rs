//! Logs, on standard error.

use clap::ValueEnum;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// What libraries say of their daily work is nothing that an operator wants to see, unless `RUST_LOG` names them.
const QUIET: &str = "async_nats=warn,hickory_resolver=warn,refinery_core=warn,timely=warn";
const DEFAULT: &str = "info";

/// Begins to log. `RUST_LOG` says what.
pub(crate) fn start(format: LogFormat) {
    let asked_for = std::env::var(EnvFilter::DEFAULT_ENV).ok();
    let parsed = filter(asked_for.as_deref().unwrap_or(DEFAULT));
    let misunderstood = parsed.as_ref().err().map(ToString::to_string);
    start_with(format, parsed.unwrap_or_else(|_| EnvFilter::new(format!("{QUIET},{DEFAULT}"))));
    if let Some(error) = misunderstood {
        tracing::warn!("{} is not understood, and `{DEFAULT}` is taken instead: {error}", EnvFilter::DEFAULT_ENV);
    }
}

/// What is logged; the last word on a target counts.
fn filter(asked_for: &str) -> Result<EnvFilter, ParseError> {
    EnvFilter::builder().parse(format!("{QUIET},{asked_for}"))
}

fn start_with(format: LogFormat, filter: EnvFilter) {
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false);
    match format {
        LogFormat::Text => lines.with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr())).init(),
        LogFormat::Json => lines.json().init(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What of the client library's own lines is shown, as the filter writes it.
    #[track_caller]
    fn check(asked_for: &str, of_client: &str) {
        let filter = filter(asked_for).unwrap().to_string();
        let directives: Vec<_> = filter.split(',').filter(|directive| directive.starts_with("async_nats=")).collect();
        assert_eq!(directives, [of_client], "{filter}");
    }

    #[test]
    fn libraries_are_quiet_unless_they_are_named() {
        check(DEFAULT, "async_nats=warn");
        check("debug", "async_nats=warn");
        check("debug,async_nats=info", "async_nats=info");
        assert!(filter("netqoe=loud").is_err());
    }
}
