//! The project's own commands, which a fresh machine runs with nothing but cargo: `cargo xtask test`.
//!
//! This crate must not know how netqoe works: it installs, starts, runs and stops.

mod bench;
mod child;
mod cluster_demo;
mod steps;

use std::process::ExitCode;

/// What the process ends with where it was used in a wrong way.
const WRONG_USAGE: u8 = 2;
const USAGE: &str = "\
usage: cargo xtask COMMAND

  test                      install what the tests need, and run all checks and tests
  bench cluster [OPTION]…   start nats-server and PostgreSQL, and measure the release build before them; the options are
                            those of `netqoe bench cluster`
  cluster-demo              run a cluster on this machine for half a minute: two ingests behind nginx, an aggregate of two
                            processes, a load, and a crash in the middle of it";

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let done = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["test"] => steps::test(),
        ["bench", "cluster", ..] => bench::cluster(&arguments[2..]),
        ["cluster-demo"] => cluster_demo::run(),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(WRONG_USAGE);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}
