//! The shell blocks of `docs/operations/`, run as an operator would: those of a page in their order, in one shell and an empty
//! folder, with netqoe on the PATH.
//!
//! A comment before each block says whether it is run: `<!-- run -->`, or `<!-- not run: REASON -->`. A page that names
//! `$NETQOE_DATABASE_URL` or `$NETQOE_NATS_URL` gets an empty database, or a NATS server. What listens at 8081, 8082, 8083, 4222
//! or 8222 listens at a free port instead.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use netqoe_testbed::{Database, NatsServer, free_port};

use crate::support::PATIENCE;

const RUN: &str = "<!-- run -->";
const NOT_RUN: &str = "<!-- not run: ";
const BLOCK: &str = "```sh";
const END_OF_BLOCK: &str = "```";
/// The ports that the pages name; the first is the default of `up` and `ingest`, the last two are those of a NATS server.
const DOCUMENTED_PORTS: [&str; 5] = ["8081", "8082", "8083", "4222", "8222"];

/// Ends what the blocks have started, however they end.
const PREAMBLE: &str = "set -eu -o pipefail\ntrap 'kill $(jobs -p) 2>/dev/null; wait' EXIT\n";

fn pages() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/operations");
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut pages: Vec<_> = paths.filter(|path| path.extension().is_some_and(|ending| ending == "md")).collect();
    pages.sort();
    pages
}

/// The blocks of a page that are to be run, with the line at which each begins.
///
/// # Errors
/// The line of a block that does not say whether it is run, or gives no reason.
fn runnable(page: &str) -> Result<Vec<(usize, String)>, usize> {
    let mut lines = page.lines().enumerate();
    let (mut blocks, mut mark) = (Vec::new(), "");
    while let Some((index, line)) = lines.next() {
        if line.trim() != BLOCK {
            mark = line.trim();
            continue;
        }
        let block: Vec<_> =
            lines.by_ref().map(|(_, line)| line).take_while(|line| line.trim() != END_OF_BLOCK).collect();
        let reason = mark.strip_prefix(NOT_RUN).and_then(|rest| rest.strip_suffix(" -->"));
        match (mark, reason) {
            (RUN, _) => blocks.push((index + 1, block.join("\n"))),
            (_, Some(reason)) if !reason.trim().is_empty() => {}
            _ => return Err(index + 1),
        }
        mark = "";
    }
    Ok(blocks)
}

/// All blocks as one script, which says on standard error at which line of the page it is.
fn script(blocks: &[(usize, String)], ports: &[String]) -> String {
    let steps = blocks.iter().map(|(line, block)| format!("echo '== line {line}' >&2\n{block}\n"));
    let script = PREAMBLE.to_owned() + &steps.collect::<String>();
    DOCUMENTED_PORTS.iter().zip(ports).fold(script, |script, (documented, port)| script.replace(documented, port))
}

/// Runs the blocks of the page with this name.
#[track_caller]
fn check(name: &str) {
    let path = pages().into_iter().find(|path| path.file_name().is_some_and(|found| found == name)).unwrap();
    let page = fs::read_to_string(&path).unwrap();
    let blocks =
        runnable(&page).unwrap_or_else(|line| panic!("{name}:{line}: the block does not say whether it is run"));
    assert!(!blocks.is_empty(), "{name} has no block to run");
    let text: String = blocks.iter().map(|(_, block)| block.as_str()).collect();
    let folder = tempfile::tempdir().unwrap();
    let ports = DOCUMENTED_PORTS.map(|_| free_port().unwrap().to_string());

    let programs = Path::new(env!("CARGO_BIN_EXE_netqoe")).parent().unwrap();
    let search = std::env::join_paths(
        [programs.to_owned()].into_iter().chain(std::env::split_paths(&std::env::var_os("PATH").unwrap())),
    );
    let mut command = Command::new("timeout");
    command.args([&PATIENCE.as_secs().to_string(), "bash", "-c", &script(&blocks, &ports)]);
    command.env_clear().env("PATH", search.unwrap()).env("NETQOE_PORT", &ports[0]).env("HOME", folder.path());
    let database = text.contains("$NETQOE_DATABASE_URL").then(|| Database::fresh().unwrap());
    if let Some(database) = &database {
        command.env("NETQOE_DATABASE_URL", database.url());
    }
    let nats = text.contains("$NETQOE_NATS_URL").then(|| NatsServer::start().unwrap());
    if let Some(nats) = &nats {
        command.env("NETQOE_NATS_URL", nats.url());
    }
    // What a block starts may outlive the shell for a moment, so output goes to files, not to pipes that would stay open.
    let [said, log] = ["stdout", "stderr"].map(|name| tempfile::Builder::new().prefix(name).tempfile().unwrap());
    let status = command
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .stdout(said.reopen().unwrap())
        .stderr(log.reopen().unwrap())
        .status()
        .unwrap();
    let [said, log] = [said, log].map(|file| fs::read_to_string(file.path()).unwrap());
    assert!(status.success(), "{name}: {status}\n{said}\n{log}");
}

#[test]
fn each_block_says_whether_it_is_run() {
    for path in pages() {
        let page = fs::read_to_string(&path).unwrap();
        if let Err(line) = runnable(&page) {
            panic!("{}:{line}: write {RUN} or {NOT_RUN}REASON --> in the line before the block", path.display());
        }
    }
}

#[test]
fn a_block_without_a_mark_or_a_reason_is_found() {
    let page = |mark: &str| runnable(&format!("text\n{mark}\n```sh\nfalse\n```\n"));
    assert_eq!(page(RUN), Ok(vec![(3, "false".to_owned())]));
    assert_eq!(page("<!-- not run: there is no k6 here -->"), Ok(Vec::new()));
    for mark in ["", "text", "<!-- not run: -->", "<!-- not run:  -->", "<!-- runs -->"] {
        assert_eq!(page(mark), Err(3), "{mark}");
    }
    let twice = format!("{RUN}\n```sh\ntrue\n```\n```sh\nfalse\n```\n");
    assert_eq!(runnable(&twice), Err(5), "a mark is for one block");
}

/// A test for each page with blocks that are run.
macro_rules! pages {
    ($($test:ident: $name:literal,)*) => {
        $(#[test]
        fn $test() {
            check($name);
        })*

        #[test]
        fn every_page_with_such_blocks_is_run() {
            for path in pages() {
                let page = fs::read_to_string(&path).unwrap();
                let name = path.file_name().unwrap().to_str().unwrap().to_owned();
                let is_run = [$($name),*].contains(&name.as_str());
                assert_eq!(runnable(&page).is_ok_and(|blocks| !blocks.is_empty()), is_run, "{name}");
            }
        }
    };
}

pages! {
    backup: "backup.md",
    capacity: "capacity.md",
    load_testing: "load-testing.md",
    reload: "reload.md",
    retention: "retention.md",
    scaling: "scaling.md",
    tracing: "tracing.md",
    troubleshooting: "troubleshooting.md",
    tuning: "tuning.md",
    upgrade: "upgrade.md",
}
