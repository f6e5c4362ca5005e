//! The cluster under everything that can happen to it at once: whatever was killed, cut off, held still or sent twice, the
//! rows are those of the log, and the log holds all that was acknowledged.
//!
//! `NETQOE_CHAOS_SEED` chooses another run, `NETQOE_CHAOS_SECONDS` a longer one; `cargo xtask chaos` sets both. A fault comes
//! a random pause after the cluster has recovered from the one before, which it has when all of it works and commits again
//! (`pace.rs`); so the schedule is the same on a slow machine, and takes longer.
//!
//! With the feature `planted-faults`, the processes can be broken from within. `planted.rs` demands that a run says so, and
//! `crash_loop.rs` that a record which ends its process is set aside: `cargo xtask chaos --planted`.

mod cluster;
#[cfg(feature = "planted-faults")]
mod crash_loop;
mod director;
mod pace;
#[cfg(feature = "planted-faults")]
mod planted;
mod record;
mod run;
mod schedule;

use std::time::Duration;

const SEED_VARIABLE: &str = "NETQOE_CHAOS_SEED";
const SECONDS_VARIABLE: &str = "NETQOE_CHAOS_SECONDS";
/// How long faults are planned for where nobody says otherwise: each kind comes once, and some again.
const LENGTH: Duration = Duration::from_secs(150);

#[test]
fn the_cluster_loses_nothing_and_counts_nothing_twice() {
    let number = |variable: &str| std::env::var(variable).ok().map(|text| text.parse::<u64>().unwrap());
    let seed = number(SEED_VARIABLE).unwrap_or_else(rand::random);
    let length = number(SECONDS_VARIABLE).map_or(LENGTH, Duration::from_secs);
    let problems = run::run(seed, schedule::schedule(seed, length), None);
    assert_eq!(problems, Vec::<String>::new(), "{SEED_VARIABLE}={seed}");
}
