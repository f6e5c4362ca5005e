//! `netqoe bench`: what the benches need of this program, in a build that has them, and how to get one, in others.

#[cfg(feature = "bench")]
use netqoe_benchmarks::{BenchCommand, OutputError, Product};

#[cfg(feature = "bench")]
use crate::{
    commands::runtime::request_threads,
    options::{DlqOptions, rules_file},
    output, shutdown,
};
#[cfg(not(feature = "bench"))]
use crate::{exit::WrongUsage, options::NoBench};

#[cfg(feature = "bench")]
pub(crate) fn run(command: &BenchCommand) -> anyhow::Result<()> {
    let product = Product { stop_on_signals: shutdown::on_signals, rules: rules_file, delete_streams };
    netqoe_benchmarks::run(command, &product).map_err(|error| match error.downcast() {
        // A reader of standard output that has gone ends this command as it ends all others.
        Ok(OutputError(error)) => output::OutputError::from(error).into(),
        Err(error) => error,
    })
}

#[cfg(not(feature = "bench"))]
pub(crate) fn run(asked: &NoBench) -> anyhow::Result<()> {
    // What comes behind the name may hold a password.
    let name = asked.words.first().filter(|word| !word.starts_with('-')).map(|name| format!(" {name}"));
    let name = name.unwrap_or_default();
    let how = format!("`netqoe bench{name}` needs a build with the benches: cargo build --release --features bench");
    Err(WrongUsage(how).into())
}

/// Deletes the streams of the log and of the dead letters. No process must be left that works on them.
#[cfg(feature = "bench")]
fn delete_streams(words: &[&str]) -> anyhow::Result<()> {
    let DlqOptions { nats, dead_letters, data: _ } = DlqOptions::read(words)?;
    let (runtime, log) = (request_threads()?, nats.open(netqoe_trace::Tracer::OFF)?);
    let letters = runtime.block_on(log.dead_letters(dead_letters.stream()))?;
    runtime.block_on(letters.delete())?;
    Ok(log.delete()?)
}
