//! What is wrong is said in one line, and the exit code tells what kind of wrong it is.

use std::net::TcpListener;
use std::os::unix::fs::FileExt;
use std::path::Path;

use serde_json::json;

use crate::support::{DATA_FILE, JSON, NO_RATE, Server, event, netqoe, post};

/// Of the tables of the log, and of those of the store.
const SCHEMA_HISTORIES: [&str; 2] = ["log_schema_history", "store_schema_history"];

const PLANT_VARIABLE: &str = "NETQOE_PLANT";

#[track_caller]
fn check(arguments: &[&str], code: i32, says: &str) {
    let output = netqoe().args(arguments).output().unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {message}");
    let lines: Vec<_> = message.lines().filter(|line| line.starts_with("netqoe: ")).collect();
    assert_eq!(lines.len(), 1, "{message}");
    assert!(lines[0].contains(says), "{message}");
    assert!(!message.contains("panicked"), "{message}");
}

/// `up` on this folder ends at once, for a reason that it says in one line.
#[track_caller]
fn check_data(data: &Path, says: &str) {
    check(&["up", "--data", data.to_str().unwrap(), "--port", "0"], 1, says);
}

/// A data folder that `up` has worked on, with a thousand events of as many clients.
fn used_data() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let (server, port) = Server::start_and_wait(folder.path(), &NO_RATE);
    let events: Vec<_> = (0..1000).map(|number| event("e", &format!("client-{number}"))).collect();
    assert_eq!(post(port, &[JSON], json!(events).to_string()).unwrap().status, 200);
    server.stop();
    folder
}

#[test]
fn an_unknown_option_or_key_is_wrong_usage() {
    check(&["up", "--frobnicate"], 2, "--frobnicate");
    check(&["replay", "--store", "mysql://x"], 2, "sqlite:PATH");
    check(&["up", "--interval", "0s"], 2, "must be from 100ms to 1day");
    check(&["up", "--timeout", "2h"], 2, "must be from 1ms to 1h");
    check(&["up", "--concurrency", "0"], 2, "--concurrency");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("netqoe.toml");
    for (text, says) in [
        ("[up]\nfrobnicate = 1", "unknown key `up.frobnicate`"),
        ("[upp]\nport = 1", "unknown key `upp`"),
        ("[up]\nport = 70000", "70000"),
        ("[up\n", "is not valid TOML"),
    ] {
        std::fs::write(&file, text).unwrap();
        check(&["--config", file.to_str().unwrap(), "config", "check"], 2, says);
    }
}

#[test]
fn what_was_probably_meant_is_said_with_the_command_to_ask() {
    check(&["up", "--prot", "1"], 2, "'--prot' found; a similar argument exists: '--port'; see `netqoe up --help`");
    check(&["log", "exports"], 2, "a similar subcommand exists: 'export'; see `netqoe log --help`");
    check(&["log", "export", "--date", "x"], 2, "see `netqoe log export --help`");
    check(&["querying"], 2, "see `netqoe --help`");
}

/// Options that the help of a command names.
fn options_in(help: &[&str]) -> usize {
    let output = netqoe().args(help).output().unwrap();
    let help = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{help}");
    help.lines().filter(|line| line.trim_start().starts_with('-') && line.contains("--")).count()
}

#[test]
fn help_shows_first_what_matters_first() {
    // Those of all commands, and --help itself.
    let everywhere = 4;
    for command in ["up", "probe", "ingest", "aggregate", "replay", "serve"] {
        let [first, all] = ["--help", "--help-all"].map(|flag| options_in(&[command, flag]));
        assert!(first <= 10 + everywhere && first < all, "{command}: {first} of {all}");
    }
    let help = String::from_utf8(netqoe().args(["up", "-h"]).output().unwrap().stdout).unwrap();
    assert!(help.contains("`netqoe up --help-all` lists all options"), "{help}");
}

#[test]
fn config_check_names_the_file_and_all_that_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| netqoe().current_dir(folder.path()).args(arguments).output().unwrap();
    let nothing = run(&["config", "check"]);
    assert!(String::from_utf8_lossy(&nothing.stdout).contains("there is no netqoe.toml here"), "{nothing:?}");
    std::fs::write(folder.path().join("netqoe.toml"), "[up]\nport = 1").unwrap();
    let understood = run(&["config", "check"]);
    assert_eq!(String::from_utf8_lossy(&understood.stdout), "netqoe.toml: the configuration is understood\n");

    let text = "log_format = \"xml\"\n[up]\nport = 70000\nfrob = 1\ninterval = \"0s\"\n[log.export]\ndatum = 1\n\
        [[notify.receiver]]\nname = 7";
    std::fs::write(folder.path().join("netqoe.toml"), text).unwrap();
    let refused = run(&["config", "check"]);
    let said = String::from_utf8_lossy(&refused.stderr);
    assert_eq!((refused.status.code(), said.lines().count()), (Some(2), 6), "{said}");
    for fault in ["xml", "70000", "up.frob", "100ms to 1day", "log.export.datum", "receiver"] {
        let is_named = |line: &str| line.starts_with("netqoe: netqoe.toml: ") && line.contains(fault);
        assert_eq!(said.lines().filter(|line| is_named(line)).count(), 1, "{fault}: {said}");
    }
}

#[test]
fn config_show_says_where_each_value_comes_from() {
    let folder = tempfile::tempdir().unwrap();
    let text = "log_format = \"json\"\n[up]\nport = 1\nretention = \"9d\"\ntokens = \"hush-hush\"\n\
        [maintain]\ndatabase_url = \"postgres://me:hush@host/d\"";
    std::fs::write(folder.path().join("netqoe.toml"), text).unwrap();
    let shown = |command: &[&str]| {
        let mut show = netqoe();
        show.current_dir(folder.path()).args(["config", "show"]).args(command).env("NETQOE_PORT", "2");
        let output = show.env("NETQOE_NATS_URL", "nats://me:hush@host").output().unwrap();
        assert!(output.status.success(), "{output:?}");
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(!text.contains("hush"), "{text}");
        text
    };
    let up = shown(&[]);
    for expected in [
        ["--port", "2", "NETQOE_PORT"],
        ["--retention", "9d", "netqoe.toml"],
        ["--log-format", "json", "netqoe.toml"],
        ["--lateness", "120s", "default"],
        ["--tokens", "(hidden)", "netqoe.toml"],
        ["--demo", "false", "default"],
        ["--tokens-file", "-", "not"],
    ] {
        let is_it = |line: &str| line.split_whitespace().take(3).eq(expected);
        assert_eq!(up.lines().filter(|line| is_it(line)).count(), 1, "{expected:?}: {up}");
    }
    assert!(shown(&["maintain"]).contains("(hidden)"));
    assert!(shown(&["log", "export"]).contains("NETQOE_NATS_URL"));
    check(&["config", "show", "upp"], 2, "netqoe config show");
}

#[test]
fn what_is_in_the_way_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let taken = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    check(&["up", "--data", data, "--port", &taken.local_addr().unwrap().port().to_string()], 1, "in use");
    check(&["up", "--data", "/dev/null/x", "--port", "0"], 1, "/dev/null/x");
    std::fs::write(folder.path().join("netqoe.db"), "this is no database, whatever its name says of it, is it?")
        .unwrap();
    check(&["up", "--data", data, "--port", "0"], 1, "netqoe.db");
    check(&["up", "--data", data, "--port", "0", "--listen", "0.0.0.0"], 2, "token");
    check(&["replay", "--input", "/nowhere.ndjson", "--store", "sqlite:/dev/null/x"], 1, "/nowhere.ndjson");
}

#[test]
fn a_data_folder_that_cant_be_used_is_named() {
    check_data(Path::new("/proc"), "/proc/netqoe.db");
    let folder = used_data();
    let (server, _) = Server::start_and_wait(folder.path(), &[]);
    check_data(folder.path(), "in use by another netqoe");
    server.stop();
}

#[test]
fn a_data_file_of_a_newer_version_is_left_alone() {
    for history in SCHEMA_HISTORIES {
        let folder = used_data();
        let file = folder.path().join(DATA_FILE);
        let connection = rusqlite::Connection::open(&file).unwrap();
        let newer = format!("INSERT INTO {history} SELECT 99, name, applied_on, checksum FROM {history} LIMIT 1");
        assert_eq!(connection.execute(&newer, []).unwrap(), 1);
        drop(connection);
        let before = std::fs::read(&file).unwrap();
        check_data(folder.path(), "newer netqoe");
        assert_eq!(std::fs::read(&file).unwrap(), before, "{history}");
    }
}

/// The pages from this share of the file on, to that one, hold nothing that SQLite ever wrote.
#[test]
fn a_data_file_that_is_damaged_is_named() {
    for (from, to) in [(0.0, 0.1), (0.3, 0.7), (0.1, 1.0)] {
        let folder = used_data();
        let path = folder.path().join(DATA_FILE);
        let file = std::fs::File::options().write(true).open(&path).unwrap();
        let bytes = file.metadata().unwrap().len() as f64;
        let (from, to) = ((from * bytes) as u64, (to * bytes) as u64);
        file.write_all_at(&vec![0xa5; (to - from) as usize], from).unwrap();
        check_data(folder.path(), "netqoe.db");
    }
}

#[test]
fn tokens_stand_in_one_place() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("netqoe.toml");
    std::fs::write(&file, "[up]\ntokens_file = \"tokens\"").unwrap();
    let (data, file) = (folder.path().to_str().unwrap(), file.to_str().unwrap());
    let up = ["--config", file, "up", "--data", data, "--port", "0", "--tokens", "a-secret"];
    check(&up, 2, "tokens_file and tokens are both set");
    check(&["up", "--data", data, "--tokens-file", "/nowhere/tokens"], 2, "can't read the tokens in /nowhere/tokens");
    check(&["up", "--tokens", "a-secret", "--tokens-file", "tokens"], 2, "cannot be used with");
}

/// Found before any server is asked.
#[test]
fn options_that_do_not_fit_together_are_wrong_usage() {
    let (nats, database) = (["--nats-url", "nats://127.0.0.1:1"], ["--database-url", "postgres://127.0.0.1:1/d"]);
    let folder = tempfile::tempdir().unwrap();
    let hosts = folder.path().join("hosts");
    std::fs::write(&hosts, "127.0.0.1:1\n\n127.0.0.1:2\n").unwrap();
    let hosts = hosts.to_str().unwrap();
    for (options, says) in [
        (&["-n", "2", "-p", "2"][..], "-p 2 is none of 2 processes"),
        (&["-n", "3", "-h", hosts], "names 2 processes, -n asks for 3"),
        (&["-n", "2", "-h", "/nowhere/hosts"], "can't read the host file /nowhere/hosts"),
        (&["-n", "65535"], "give a host file"),
        (&["-w", "0"], "'--workers <WORKERS>': give a whole number, 1 or more"),
        (&["-n", "70000"], "it is too large"),
        (&["--nats-ca", "/nowhere/ca.pem"], "/nowhere/ca.pem"),
        (&["--nats-user", "me"], "--nats-user needs a password"),
        (&["--listen", "0.0.0.0"], "tokens"),
    ] {
        let options = [&["aggregate", "--port", "0"], &nats[..], &database, options].concat();
        check(&options, 2, says);
    }
    let file = format!("sqlite:{}", folder.path().join("store.db").display());
    check(
        &[&["aggregate", "-n", "2", "--database-url", &file], &nats[..]].concat(),
        2,
        "not by -n 2; give one process",
    );
    check(&[&["aggregate"], &nats[..]].concat(), 2, "--database-url");
    for command in [&["aggregate", "--database-url", &file][..], &["ingest", "--port", "0"], &["dlq", "list"]] {
        check(command, 2, "no NATS server is named; give --nats-url");
    }
    check(&["migrate"], 2, "--database-url");
    check(&["maintain"], 2, "--database-url");
    let part = ["--from", "2", "--to", "1"];
    check(&[&["replay", "--store", &file], &part[..]].concat(), 2, "--from 2 is not before --to 1");
}

#[test]
fn a_password_is_not_shown() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("netqoe.toml");
    let file = file.to_str().unwrap();
    for url in ["mysql://me:hush@host/d", "postgres://me:hush@host:port/d"] {
        check_hidden(&["maintain", "--database-url", url], "names no store");
        check_hidden(&["replay", "--store", "sqlite:a", "--diff", url], "names no store");
        std::fs::write(file, format!("[maintain]\ndatabase_url = \"{url}\"")).unwrap();
        check_hidden(&["--config", file, "config", "check"], "names no store");
        check_hidden(&["--config", file, "maintain"], "names no store");
    }
    check_hidden(&["dlq", "list", "--nats-url", "http://me:hush@host"], "nats://HOST:PORT");
    std::fs::write(file, "[maintain]\ndatabase_url = \"postgres://me:hush@host/d\"").unwrap();
    let mut help = netqoe();
    help.args(["--config", file, "maintain", "--help"]);
    let help = String::from_utf8(help.output().unwrap().stdout).unwrap();
    assert!(help.contains("--database-url") && !help.contains("hush"), "{help}");
}

#[track_caller]
fn check_hidden(arguments: &[&str], says: &str) {
    check(arguments, 2, says);
    let output = netqoe().args(arguments).output().unwrap();
    assert!(!String::from_utf8(output.stderr).unwrap().contains("hush"), "{arguments:?}");
}

/// What tests break on purpose can't be broken in what others use: the program does not even know the variable.
#[test]
#[cfg_attr(feature = "planted-faults", ignore = "wants a program without the feature: cargo xtask soak")]
fn nothing_can_be_planted() {
    let program = std::fs::read(env!("CARGO_BIN_EXE_netqoe")).unwrap();
    assert!(!String::from_utf8_lossy(&program).contains(PLANT_VARIABLE));
    let output = netqoe().args(["config", "check"]).env(PLANT_VARIABLE, "no-fence").output().unwrap();
    assert_eq!((output.status.code(), &*output.stderr), (Some(0), &b""[..]), "{output:?}");
}

/// In a build for tests it says so loudly, and knows what it can break.
#[cfg(feature = "planted-faults")]
#[test]
fn what_is_planted_is_said_and_known() {
    let plant = |name: &str| netqoe().args(["config", "check"]).env(PLANT_VARIABLE, name).output().unwrap();
    let planted = plant("no-fence");
    assert_eq!(planted.status.code(), Some(0), "{planted:?}");
    assert!(String::from_utf8_lossy(&planted.stderr).contains("BROKEN ON PURPOSE"), "{planted:?}");
    let unknown = plant("no-fences");
    assert_eq!(unknown.status.code(), Some(2), "{unknown:?}");
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("no planted fault is named no-fences"), "{unknown:?}");
}

/// The options of a command that its help shows without a variable.
fn without_a_variable(command: &[&str]) -> Vec<String> {
    let output = netqoe().args(command).arg("--help-all").output().unwrap();
    let help = String::from_utf8(output.stdout).unwrap();
    let mut without = Vec::new();
    for line in help.lines().map(str::trim) {
        if line.starts_with('-') && line.contains("--") && !line.contains("--help") {
            without.push(line.to_owned());
        } else if line.starts_with("[env: NETQOE_") {
            without.pop();
        }
    }
    without
}

#[cfg(feature = "bench")]
#[test]
fn options_of_benches_are_checked_and_have_variables() {
    check(&["bench", "insight", "--rules", "nonesuch"], 2, "neither a file nor one of steady, classic");
    check(&["bench", "insight", "--seeds", "5..3"], 2, "the first seed is at most the last");
    check(&["bench", "insight", "--shortest-fault", "4h"], 2, "the shortest no longer than the longest");
    check(&["bench", "insight", "--noise=-1"], 2, "the noise is a number from 0 to 10");
    check(&["bench", "insight", "--noise", "11"], 2, "the noise is a number from 0 to 10");
    check(&["bench", "peers", "--python", "/nowhere/python3"], 1, "--python names a Python");
    for bench in ["replay", "peers", "limit"] {
        assert_eq!(without_a_variable(&["bench", bench]), Vec::<String>::new(), "{bench}");
    }
}

#[cfg(not(feature = "bench"))]
#[test]
fn a_build_without_benches_says_how_to_get_one_with_them() {
    for words in [&["bench"][..], &["bench", "replay", "--runs", "5"], &["bench", "--help"]] {
        check(words, 2, "cargo build --release --features bench");
    }
}

#[test]
fn every_option_has_a_variable() {
    for command in [&["up"][..], &["replay"], &["log", "export"], &["rules", "test"], &["config", "check"]] {
        assert_eq!(without_a_variable(command), Vec::<String>::new(), "{command:?}");
    }
}

/// Flag over variable over file over default.
#[test]
fn the_nearest_value_counts() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("netqoe.toml");
    std::fs::write(&file, "[up]\nport = 1111\ndemo = true").unwrap();
    let shown = |variable: Option<&str>| {
        let mut command = netqoe();
        command.args(["--config", file.to_str().unwrap(), "up", "--help"]);
        command.envs(variable.map(|port| ("NETQOE_PORT", port)));
        String::from_utf8(command.output().unwrap().stdout).unwrap()
    };
    assert!(shown(None).contains("[default: 1111]"));
    assert!(shown(Some("2222")).contains("NETQOE_PORT=2222"));
}
