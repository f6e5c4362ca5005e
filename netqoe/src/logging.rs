//! Logs, on standard error.

use std::fmt;
use std::io::{self, IsTerminal, Write};
use std::sync::Arc;

use clap::ValueEnum;
use netqoe_model::escaped;
use parking_lot::Mutex;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::field::RecordFields;
use tracing_subscriber::filter::ParseError;
use tracing_subscriber::fmt::FormatFields;
use tracing_subscriber::fmt::format::{DefaultFields, Writer};
use tracing_subscriber::reload;

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

/// What is logged, which can be changed while the process runs. Clones are the same.
#[derive(Clone)]
pub(crate) struct LogLevels(Arc<Shown>);

struct Shown {
    asked_for: Mutex<String>,
    show: Show,
}

/// Changes the filter.
type Show = Box<dyn Fn(EnvFilter) -> Result<(), reload::Error> + Send + Sync>;

impl LogLevels {
    /// As `RUST_LOG` would say it.
    pub(crate) fn get(&self) -> String {
        self.0.asked_for.lock().clone()
    }

    /// Logs this from now on. An error where it is not understood: then all stays as it is.
    pub(crate) fn set(&self, asked_for: &str) -> Result<(), String> {
        let filter = filter(asked_for).map_err(|error| error.to_string())?;
        let mut present = self.0.asked_for.lock();
        (self.0.show)(filter).map_err(|error| error.to_string())?;
        asked_for.clone_into(&mut present);
        Ok(())
    }
}

/// What `RUST_LOG` says, or else the default.
pub(crate) fn default_level() -> String {
    std::env::var(EnvFilter::DEFAULT_ENV).unwrap_or_else(|_| DEFAULT.to_owned())
}

/// The value of an option that says what is logged, where it is understood.
pub(crate) fn level(text: &str) -> Result<String, String> {
    filter(text).map(|_| text.to_owned()).map_err(|error| error.to_string())
}

/// Begins to log; where no option says what, `RUST_LOG` does.
pub(crate) fn start(format: LogFormat, level: Option<&str>) -> LogLevels {
    let asked_for = level.map_or_else(default_level, str::to_owned);
    let parsed = filter(&asked_for);
    let misunderstood = parsed.as_ref().err().map(ToString::to_string);
    let show = start_with(format, parsed.unwrap_or_else(|_| EnvFilter::new(format!("{QUIET},{DEFAULT}"))));
    if let Some(error) = &misunderstood {
        tracing::warn!("{} is not understood, and `{DEFAULT}` is taken instead: {error}", EnvFilter::DEFAULT_ENV);
    }
    let asked_for = if misunderstood.is_some() { DEFAULT.to_owned() } else { asked_for };
    LogLevels(Arc::new(Shown { asked_for: Mutex::new(asked_for), show }))
}

/// What is logged; the last word on a target counts.
fn filter(asked_for: &str) -> Result<EnvFilter, ParseError> {
    EnvFilter::builder().parse(format!("{QUIET},{asked_for}"))
}

/// Answers what changes the filter.
fn start_with(format: LogFormat, filter: EnvFilter) -> Show {
    // Where standard error takes nothing, there is nobody to tell, and to try would panic.
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_target(false)
        .log_internal_errors(false);
    match format {
        LogFormat::Text => {
            let lines = lines.with_ansi(io::stderr().is_terminal()).fmt_fields(EscapedFields).with_filter_reloading();
            let handle = lines.reload_handle();
            lines.init();
            Box::new(move |filter| handle.reload(filter))
        }
        LogFormat::Json => {
            let lines = lines.with_writer(|| EscapedLines(io::stderr())).json().with_filter_reloading();
            let handle = lines.reload_handle();
            lines.init();
            Box::new(move |filter| handle.reload(filter))
        }
    }
}

/// Messages and fields, without what would command a terminal: names and texts of others stand in them.
struct EscapedFields;

impl<'writer> FormatFields<'writer> for EscapedFields {
    fn format_fields<R: RecordFields>(&self, mut writer: Writer<'writer>, fields: R) -> fmt::Result {
        let mut text = String::new();
        DefaultFields::new().format_fields(Writer::new(&mut text), fields)?;
        writer.write_str(&escaped(&text))
    }
}

/// Lines of JSON, each written in one piece, in which the same is escaped as JSON does.
struct EscapedLines<W>(W);

impl<W: Write> Write for EscapedLines<W> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(buffer);
        let (line, end) = text.strip_suffix('\n').map_or((&*text, ""), |line| (line, "\n"));
        self.0.write_all(format!("{}{end}", escaped(line)).as_bytes())?;
        Ok(buffer.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
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
    fn names_in_lines_are_escaped() {
        let (lines, name) = (Arc::new(Mutex::new(Vec::new())), "a\u{1b}[2J\n\u{9b}31m\u{202e}b");
        let text = tracing_subscriber::fmt().fmt_fields(EscapedFields).with_ansi(false);
        let json = tracing_subscriber::fmt().json();
        let writer = |lines: &Arc<Mutex<Vec<u8>>>| {
            let lines = Arc::clone(lines);
            move || EscapedLines(Shared(Arc::clone(&lines)))
        };
        let say = || {
            tracing::info!(client = name, debugged = ?name, "from {name}");
        };
        let plain = Arc::clone(&lines);
        tracing::subscriber::with_default(text.with_writer(move || Shared(Arc::clone(&plain))).finish(), say);
        tracing::subscriber::with_default(json.with_writer(writer(&lines)).finish(), say);
        let written = String::from_utf8(lines.lock().clone()).unwrap();
        assert_eq!(written.lines().count(), 2, "{written}");
        assert!(!written.contains(['\u{1b}', '\u{9b}', '\u{202e}']), "{written:?}");
        let line: serde_json::Value = serde_json::from_str(written.lines().last().unwrap()).unwrap();
        assert_eq!(line["fields"]["client"], name);
    }

    struct Shared(Arc<Mutex<Vec<u8>>>);

    impl Write for Shared {
        fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
            self.0.lock().write(buffer)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn libraries_are_quiet_unless_they_are_named() {
        check(DEFAULT, "async_nats=warn");
        check("debug", "async_nats=warn");
        check("debug,async_nats=info", "async_nats=info");
        assert!(filter("netqoe=loud").is_err());
    }
}
