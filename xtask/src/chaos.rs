//! `cargo xtask chaos`: a cluster on real servers, and everything that can happen to it.

use std::process::Command;

use anyhow::ensure;

use crate::child::{cargo, stopped_by_signals, succeeds};

/// The one test of it that is no test of the harness.
const RANDOM_FAULTS: &str = "chaos::random_faults_lose_nothing_and_count_nothing_twice";
/// What is tried with faults that are planted into the processes.
const PLANTED: [&str; 2] = ["chaos::planted::", "chaos::crash_loop::"];

/// What is to happen.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Chaos {
    /// Random faults, with what these variables say of them.
    Random(Vec<(&'static str, u64)>),
    /// Faults that are planted into the processes: each must be found.
    Planted,
}

impl Chaos {
    /// None where the options are none.
    pub(crate) fn parse(options: &[&str]) -> Option<Self> {
        if options == ["--planted"] {
            return Some(Self::Planted);
        }
        let (pairs, rest) = options.as_chunks();
        let variable = |[option, number]: &[&str; 2]| {
            let variable = match *option {
                "--seed" => "NETQOE_CHAOS_SEED",
                "--seconds" => "NETQOE_CHAOS_SECONDS",
                _ => return None,
            };
            Some((variable, number.parse().ok()?))
        };
        let variables = pairs.iter().map(variable).collect::<Option<_>>()?;
        rest.is_empty().then_some(Self::Random(variables))
    }

    /// Lets it happen, and prints what does.
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let stopped = stopped_by_signals()?;
        netqoe_testbed::install_missing()?;
        ensure!(succeeds(&mut self.command(), &stopped)?, "what was found is printed above");
        Ok(())
    }

    /// What lets it happen.
    pub(crate) fn command(self) -> Command {
        let mut command = Command::new(cargo());
        command.args(["test", "--locked", "-p", "netqoe", "--test", "it"]);
        match self {
            Self::Random(variables) => {
                let variables = variables.iter().map(|(variable, number)| (*variable, number.to_string()));
                command.envs(variables).args(["--", "--nocapture", "--ignored", "--exact", RANDOM_FAULTS]);
            }
            Self::Planted => {
                command.args(["--features", "planted-faults", "--", "--nocapture", "--include-ignored"]);
                command.args(["--test-threads", "1"]).args(PLANTED);
            }
        }
        command
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_understood_or_refused() {
        let random = |variables: &[(&'static str, u64)]| Some(Chaos::Random(variables.to_vec()));
        assert_eq!(Chaos::parse(&[]), random(&[]));
        assert_eq!(
            Chaos::parse(&["--seed", "7", "--seconds", "600"]),
            random(&[("NETQOE_CHAOS_SEED", 7), ("NETQOE_CHAOS_SECONDS", 600)])
        );
        assert_eq!(Chaos::parse(&["--planted"]), Some(Chaos::Planted));
        for wrong in [&["--seed"][..], &["--seed", "x"], &["--planted", "--seed"], &["--sed", "7"]] {
            assert_eq!(Chaos::parse(wrong), None, "{wrong:?}");
        }
    }
}
