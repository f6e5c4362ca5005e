//! The project's own commands, which a fresh machine runs with nothing but cargo: `cargo xtask test`.
//!
//! This crate must not know what netqoe does: it installs, starts, runs and stops.

mod steps;

use std::process::ExitCode;

/// What the process ends with where it was used in a wrong way.
const WRONG_USAGE: u8 = 2;

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let ["test"] = arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] else {
        eprintln!("usage: cargo xtask test\n\n  test   install what the tests need, and run all checks and tests");
        return ExitCode::from(WRONG_USAGE);
    };
    match steps::test() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}
