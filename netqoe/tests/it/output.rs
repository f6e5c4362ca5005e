//! Standard output that takes nothing, and input that is compressed.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;

use crate::support::{event, netqoe};

/// Whoever waits for a replay to go on should know what it waits for.
#[test]
fn a_replay_says_that_it_reads_what_is_typed() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store.db");
    let replay = format!("{} replay --store sqlite:{}", env!("CARGO_BIN_EXE_netqoe"), store.display());
    let run = |command: &str| {
        let output = Command::new("sh").args(["-c", command]).stdin(Stdio::null()).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8([output.stdout, output.stderr].concat()).unwrap()
    };
    let says = "reading events from standard input";
    // Ctrl-D, on a terminal of its own.
    let on_a_terminal = run(&format!("printf '\\004' | script -qec '{replay}' /dev/null"));
    assert!(on_a_terminal.contains(says), "{on_a_terminal}");
    let elsewhere = run(&replay);
    assert!(!elsewhere.contains(says), "{elsewhere}");
}

#[test]
fn no_command_panics_where_its_output_is_full_or_nobody_reads_it() {
    let folder = tempfile::tempdir().unwrap();
    let (events, store) = (folder.path().join("events.ndjson"), folder.path().join("store.db"));
    std::fs::write(&events, event("e", "c").to_string()).unwrap();
    let store = format!("sqlite:{}", store.display());
    let commands = [
        &["--help"][..],
        &["--version"],
        &["config", "check"],
        &["rules", "show", "steady"],
        &["probe", "--once", "tcp://127.0.0.1:1"],
        &["probe", "--once", "tcp://127.0.0.1:1", "--output", "json"],
        &["probe", "--target", "tcp://127.0.0.1:1", "--interval", "100ms"],
        &["replay", "--input", events.to_str().unwrap(), "--store", &store],
    ];
    for command in commands {
        let run = |output: Stdio| netqoe().env("RUST_LOG", "off").args(command).stdout(output).output().unwrap();
        let full = run(File::options().write(true).open("/dev/full").unwrap().into());
        let said = String::from_utf8(full.stderr).unwrap();
        assert_eq!(full.status.code(), Some(1), "{command:?}: {said}");
        assert!(said.starts_with("netqoe: can't write to standard output: "), "{command:?}: {said}");
        assert_eq!(said.lines().count(), 1, "{command:?}: {said}");

        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let gone = run(writer.into());
        let said = String::from_utf8(gone.stderr).unwrap();
        assert_eq!((gone.status.code(), said.as_str()), (Some(1), ""), "{command:?}");
    }
}

#[test]
fn a_probe_whose_reader_goes_ends() {
    let mut command = netqoe();
    command.args(["probe", "--target", "tcp://127.0.0.1:1", "--interval", "100ms"]);
    let mut probe = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut events = BufReader::new(probe.stdout.take().unwrap());
    events.read_line(&mut String::new()).unwrap();
    drop(events);
    assert_eq!(probe.wait().unwrap().code(), Some(1));
}

#[test]
fn compressed_events_are_replayed_whole_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let lines: String = (0..500).map(|number| event(&format!("e-{number}"), "c").to_string() + "\n").collect();
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(lines.as_bytes()).unwrap();
    let gzip = encoder.finish().unwrap();
    let zstd = zstd::encode_all(lines.as_bytes(), 1).unwrap();
    for (name, whole) in [("gzip", &gzip), ("zstd", &zstd)] {
        let (path, store) = (folder.path().join(name), folder.path().join(format!("{name}.db")));
        let replay = |bytes: &[u8]| {
            std::fs::write(&path, bytes).unwrap();
            let mut command = netqoe();
            command.args(["replay", "--store", &format!("sqlite:{}", store.display()), "--input"]);
            command.arg(&path).output().unwrap()
        };
        let broken = replay(&whole[..whole.len() - 9]);
        let said = String::from_utf8(broken.stderr).unwrap();
        assert_eq!(broken.status.code(), Some(1), "{name}: {said}");
        assert!(said.contains(&format!("the {name} file ends before its time")), "{said}");
        assert!(!store.exists(), "{name}: a part of it would look like the whole");
        let whole = replay(whole);
        let figures: Value = serde_json::from_slice(&whole.stdout).unwrap();
        assert_eq!((&figures["read"], &figures["accepted"]), (&500.into(), &500.into()), "{name}: {figures}");
    }
}
