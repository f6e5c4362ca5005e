//! What is checked of the text of the repository and of its dependencies.
//!
//! `typos` comes from PyPI in seconds. `cargo machete` and `cargo deny` would have to be compiled, for minutes: they run
//! if they are installed.

use std::process::Command;
use std::sync::atomic::AtomicBool;

use anyhow::Context;

use crate::child::{cargo, has_extension, succeeds};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// A subcommand of cargo that only some machines have.
struct Extension {
    name: &'static str,
    arguments: &'static [&'static str],
    finds: &'static str,
}

const EXTENSIONS: [Extension; 2] = [
    Extension { name: "machete", arguments: &[], finds: "unused dependencies" },
    // Advisories are not among these: they change from day to day, and are fetched.
    Extension {
        name: "deny",
        arguments: &["--offline", "check", "licenses", "bans", "sources"],
        finds: "licenses and sources that are not allowed",
    },
];

/// The names of the checks that have failed.
pub(crate) fn check(stopped: &AtomicBool) -> anyhow::Result<Vec<&'static str>> {
    let mut failed = Vec::new();
    println!("\n== spelling: typos");
    let typos = netqoe_testbed::typos().context("can't check the spelling")?;
    if !succeeds(Command::new(typos).current_dir(ROOT), stopped)? {
        failed.push("spelling");
    }
    for Extension { name, arguments, finds } in EXTENSIONS {
        if !has_extension(name) {
            println!("== cargo {name}: not installed, so {finds} are not looked for; cargo install cargo-{name}");
            continue;
        }
        println!("\n== cargo {name}");
        if !succeeds(Command::new(cargo()).arg(name).args(arguments).current_dir(ROOT), stopped)? {
            failed.push(name);
        }
    }
    Ok(failed)
}
