//! The network quality-of-experience platform, in one binary.
//!
//! This crate wires the others together: commands, configuration, shutdown. What an event means, how rows come about
//! and where they land is theirs.

mod clock;
mod commands;
mod configuration;
mod group;
mod logging;
mod measured;
mod options;
mod panics;
mod pipeline;
mod shutdown;

use std::process::ExitCode;

use clap::FromArgMatches;
use options::{Cli, Command};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What the process ends with where a command has failed; 2, wrong usage, is said by [`configuration`].
const FAILED: u8 = 1;
/// What a process of a cluster ends with where another one of them was lost: nothing is wrong with this one.
pub(crate) const GROUP_LOST: u8 = 3;

/// What `probe --once` ends with where the target works and is slower than `--fail-above` allows.
const FAILED_ABOVE: u8 = 3;

fn main() -> ExitCode {
    let cli = match read() {
        Ok(cli) => cli,
        Err(refused) => return refused.report(),
    };
    logging::start(cli.log_format);
    panics::end_the_process();
    // Before any TLS configuration is made, or making it panics. There is no other provider yet.
    if rustls::crypto::ring::default_provider().install_default().is_err() {
        tracing::debug!("a TLS provider was installed before");
    }
    match run(cli.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("netqoe: {error:#}");
            ExitCode::from(exit_code(&error))
        }
    }
}

fn exit_code(error: &anyhow::Error) -> u8 {
    if error.is::<group::Lost>() {
        return GROUP_LOST;
    }
    if error.is::<commands::probe::Above>() {
        return FAILED_ABOVE;
    }
    if error.is::<options::WrongUsage>() {
        return configuration::WRONG_USAGE;
    }
    // Whoever supervises ends as the other has ended; with no code of its own that was killed.
    let supervised = error.downcast_ref::<commands::supervise::Failed>().and_then(|failed| failed.0.code());
    supervised.and_then(|code| u8::try_from(code).ok()).unwrap_or(FAILED)
}

fn read() -> Result<Cli, configuration::Refused> {
    let cli = Cli::from_arg_matches(&configuration::parse(std::env::args_os())?)?;
    if matches!(cli.command, Command::Config(_)) {
        configuration::check(std::env::args_os())?;
    }
    Ok(cli)
}

fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Up(options) => commands::up::run(&options),
        Command::Probe(options) => commands::probe::run(&options),
        Command::Ingest(options) => commands::ingest::run(&options),
        Command::Aggregate(options) => commands::aggregate::run(&options),
        Command::Replay(options) => commands::replay::run(&options),
        Command::Log(options::LogCommand::Export(options)) => commands::log_export::run(&options),
        Command::Dlq(command) => commands::dlq::run(&command),
        Command::Migrate(options) => commands::maintenance::migrate(&options),
        Command::Maintain(options) => commands::maintenance::maintain(&options),
        Command::Bench(options::BenchCommand::Replay(options)) => commands::bench_replay::run(&options),
        Command::Bench(options::BenchCommand::Cluster(options)) => commands::bench_cluster::run(&options),
        Command::Config(options::ConfigCommand::Check) => commands::config_check(),
    }
}
