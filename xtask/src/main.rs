//! The project's own commands, which a fresh machine runs with nothing but cargo: `cargo xtask test`.
//!
//! This crate must not know how netqoe works: it installs, starts, runs and stops.

mod bench;
mod chaos;
mod child;
mod cluster_demo;
mod compiler;
mod dist;
mod flaky;
mod fuzz;
mod page;
mod scratch;
mod soak;
mod steps;
mod supply_chain;

use std::process::ExitCode;

use chaos::Chaos;
use fuzz::Fuzz;

/// What the process ends with where it was used in a wrong way.
const WRONG_USAGE: u8 = 2;
const USAGE: &str = "\
usage: cargo xtask COMMAND

  test                      install what the tests need, and run all checks and tests
  bench cluster [OPTION]…   start nats-server and PostgreSQL, and measure netqoe before them; the options are
                            those of `netqoe bench cluster`
  bench incidents [OPTION]… measure how soon incidents of a large fleet are found, on a SQLite file and before servers that it starts;
                            the options are those of `netqoe bench incidents`
  bench shared-limits [OPTION]…
                            start nats-server, and measure what rates that instances hold together take of a client's latency; the
                            options are those of `netqoe bench shared-limits`
  bench probe [OPTION]…     measure what the probe takes, beside blackbox_exporter; the options are those of `netqoe bench probe`
  bench peers [OPTION]…     measure how fast events become rows, beside DuckDB and ClickHouse from PyPI (206 MB) and the most that one core can
                            do, and compare the rows of all; the options are those of `netqoe bench peers`
  bench page                measure the page in a browser: its first screen over a day of a fleet, a large matrix, and how
                            soon a new event is shown
  cluster-demo              run a cluster on this machine for half a minute: two ingests behind nginx, an aggregate of two
                            processes, a load, and a crash in the middle of it
  chaos [--seconds N] [--seed S]
                            let random faults happen to a cluster under load for about so long, and hold its rows against
                            its log; a seed chooses the faults
  dist [--try]              make a Debian package and a tarball of netqoe as it is shipped, with checksums, in target/packages; with --try,
                            install, run and remove both in a clean Debian, which wants root and a mirror
  soak                      the long forms of tests, for as long as they take: random faults with a random seed, all planted faults, an
                            outage of minutes, and a network that parts the NATS servers of a cluster one after the other, with
                            Debian's nats-server and with a newer one, what the Helm chart makes, and the rows of DuckDB and ClickHouse beside netqoe's;
                            it wants root
  chaos --planted           plant faults into the cluster, and see that chaos finds each of them
  fuzz [--seconds N] [TARGET]…
                            let a fuzzer try what reads input that others write, for so long each";

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    if let Some(arguments) = compiler::arguments_for_rustc(&arguments) {
        return ended(compiler::run(arguments));
    }
    let arguments: Vec<_> = arguments.iter().map(|argument| argument.to_string_lossy().into_owned()).collect();
    let done = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["test"] => Some(steps::test()),
        ["bench", "cluster", ..] => Some(bench::cluster(&arguments[2..])),
        ["bench", "incidents", ..] => Some(bench::incidents(&arguments[2..])),
        ["bench", "shared-limits", ..] => Some(bench::shared_limits(&arguments[2..])),
        ["bench", "probe", ..] => Some(bench::probe(&arguments[2..])),
        ["bench", "peers", ..] => Some(bench::peers(&arguments[2..])),
        ["bench", "page"] => Some(bench::page()),
        ["cluster-demo"] => Some(cluster_demo::run()),
        ["dist", ..] => Some(dist::run(&arguments[1..])),
        ["soak"] => Some(soak::run()),
        ["chaos", ref options @ ..] => Chaos::parse(options).map(Chaos::run),
        ["fuzz", ref options @ ..] => Fuzz::parse(options).map(Fuzz::run),
        _ => None,
    };
    let Some(done) = done else {
        eprintln!("{USAGE}");
        return ExitCode::from(WRONG_USAGE);
    };
    ended(done.map(|()| true))
}

/// What the process ends with: whether it succeeded, where nothing kept it from trying.
fn ended(succeeded: anyhow::Result<bool>) -> ExitCode {
    match succeeded {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}
