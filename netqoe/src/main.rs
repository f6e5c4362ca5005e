//! The network quality-of-experience platform, in one binary.
//!
//! This crate wires the others together: commands, configuration, shutdown. What an event means, how rows come about
//! and where they land is theirs.

#![cfg_attr(not(test), warn(clippy::print_stdout, clippy::print_stderr))] // they panic where nobody reads: see output.rs

mod clock;
mod commands;
mod configuration;
mod exit;
mod logging;
mod options;
mod output;
mod panics;
#[cfg(feature = "planted-faults")]
mod planted;
mod process;
mod shutdown;
mod systemd;

use std::process::ExitCode;
use std::sync::Arc;

use options::Command;
use process::Process;

#[cfg(feature = "heap-profile")]
#[global_allocator]
static ALLOCATOR: netqoe_profile::Jemalloc = netqoe_profile::Jemalloc;
#[cfg(not(feature = "heap-profile"))]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    #[cfg(feature = "planted-faults")]
    if let Err(unknown) = planted::plant() {
        crate::output::complain_of(unknown);
        return ExitCode::from(exit::WRONG_USAGE);
    }
    let (configuration, cli) = match process::read() {
        Ok(read) => read,
        Err(refused) => return refused.report(),
    };
    let levels = logging::start(cli.log_format, cli.log_level.as_deref());
    panics::end_the_process();
    // Before any TLS configuration is made, or making it panics. There is no other provider yet.
    if rustls::crypto::aws_lc_rs::default_provider().install_default().is_err() {
        tracing::debug!("a TLS provider was installed before");
    }
    match run(&Arc::new(Process { configuration, cli, levels })) {
        Ok(()) => ExitCode::SUCCESS,
        // Whatever it was: nobody was to see more of it.
        Err(_) if output::has_gone() => ExitCode::from(exit::FAILED),
        // Standard output has told it already.
        Err(error) if error.downcast_ref().is_some_and(|failed: &commands::probe::Failed| failed.is_shown) => {
            ExitCode::from(exit::FAILED)
        }
        Err(error) => {
            crate::output::complain_of(format_args!("{error:#}"));
            ExitCode::from(exit::code(&error))
        }
    }
}

fn run(process: &Arc<Process>) -> anyhow::Result<()> {
    match &process.cli.command {
        Command::Up(options) => commands::up::run(options, process),
        Command::Probe(options) => commands::probe::run(options, process),
        Command::Ingest(options) => commands::ingest::run(options, process),
        Command::Aggregate(options) => commands::aggregate::run(options, process),
        Command::Replay(options) => commands::replay::run(options),
        Command::Serve(options) => commands::serve::run(options, process),
        Command::Incidents(options) => commands::incidents::run(options),
        Command::Log(options::LogCommand::Export(options)) => commands::log_export::run(options),
        Command::Log(options::LogCommand::HealClock(options)) => commands::heal_clock::run(options),
        Command::Doctor(options) => commands::doctor::run(options),
        Command::Backup(options) => commands::backup::backup(options),
        Command::Restore(options) => commands::backup::restore(options),
        Command::Dlq(command) => commands::dlq::run(command),
        Command::Migrate(options) => commands::maintenance::migrate(options),
        Command::Maintain(options) => commands::maintenance::maintain(options),
        Command::Notify(command) => commands::notify::run(command, &process.configuration.notify),
        Command::Rules(command) => commands::rules::run(command),
        Command::Bench(command) => commands::bench::run(command),
        Command::Config(command) => commands::config::run(command, process),
        Command::Documents(options) => commands::documents::run(options),
    }
}
