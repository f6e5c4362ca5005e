//! What is installed beside the program, made with the program of the tests: nothing is built for it. `cargo xtask dist --try` installs the
//! real packages.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use netqoe_package::{Compression, Release};

use crate::support::netqoe;

fn documents() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let written = netqoe().args(["documents", "--to"]).arg(folder.path()).output().unwrap();
    assert!(written.status.success(), "{written:?}");
    folder
}

/// None where this machine does not have the program.
fn run(program: &str, arguments: &[&str], file: &Path) -> Option<Output> {
    let command = &mut Command::new(program);
    command.args(arguments).arg(file).env("LC_ALL", "C.UTF-8").env("MANWIDTH", "80").stdin(Stdio::null());
    match command.output() {
        Ok(output) => Some(output),
        Err(_) => {
            eprintln!("there is no {program} here, which cargo xtask test does not install");
            None
        }
    }
}

/// Whether the program, where it is there, has nothing to say against the file.
fn is_fine(program: &str, arguments: &[&str], file: &Path) {
    let Some(output) = run(program, arguments, file) else { return };
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.is_empty(), "{program} {}: {said}", file.display());
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

#[test]
fn each_command_has_a_manual_page() {
    let documents = documents();
    let pages = files(&documents.path().join("man1"));
    let names: Vec<_> = pages.iter().map(|page| page.file_stem().unwrap().to_str().unwrap()).collect();
    for name in ["netqoe", "netqoe-up", "netqoe-probe", "netqoe-log-export", "netqoe-config-check"] {
        assert!(names.contains(&name), "{names:?}");
    }
    assert!(!names.contains(&"netqoe-documents"), "what --help hides has no page");
    let up = fs::read_to_string(documents.path().join("man1/netqoe-up.1")).unwrap();
    assert!(up.contains("NETQOE_DATA") && up.contains("\\-\\-data"), "options stand there with their variables");
    for page in &pages {
        is_fine("man", &["--warnings", "--local-file", "--encoding=UTF-8"], page);
    }
}

#[test]
fn shells_read_the_completions() {
    let documents = documents();
    let completions = documents.path().join("completions");
    is_fine("bash", &["-n"], &completions.join("netqoe.bash"));
    is_fine("zsh", &["-n"], &completions.join("_netqoe"));
    is_fine("fish", &["--no-execute"], &completions.join("netqoe.fish"));
    // As a user has it who types `netqoe up --dem` and a tab.
    let script =
        "source \"$1\"; COMP_WORDS=(netqoe up --dem); COMP_CWORD=2; _netqoe netqoe --dem up; echo \"${COMPREPLY[@]}\"";
    let completed = run("bash", &["-c", script, "bash"], &completions.join("netqoe.bash")).unwrap();
    assert_eq!(String::from_utf8_lossy(&completed.stdout).trim(), "--demo", "{completed:?}");
}

#[test]
fn the_example_configuration_is_understood() {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/netqoe.toml");
    let checked = netqoe().args(["config", "check", "--config"]).arg(&example).output().unwrap();
    assert!(checked.status.success(), "{checked:?}");
    // And what is commented out, too.
    let text = fs::read_to_string(&example).unwrap();
    let is_setting = |line: &&str| {
        line.split_once(" = ").is_some_and(|(key, _)| key.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'))
    };
    let uncommented = text.lines().map(|line| line.strip_prefix("# ").filter(is_setting).unwrap_or(line));
    let folder = tempfile::tempdir().unwrap();
    let all = folder.path().join("netqoe.toml");
    fs::write(&all, uncommented.collect::<Vec<_>>().join("\n")).unwrap();
    let checked = netqoe().args(["config", "check", "--config"]).arg(&all).output().unwrap();
    assert!(checked.status.success(), "{checked:?}");
}

#[test]
fn the_version_names_the_commit() {
    let said = netqoe().arg("--version").output().unwrap();
    let version = String::from_utf8(said.stdout).unwrap();
    let rest = version.strip_prefix(concat!("netqoe ", env!("CARGO_PKG_VERSION"), " (commit ")).expect(&version);
    let git = |arguments: &[&str]| {
        let output = Command::new("git").args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).output().ok()?;
        output.status.success().then(|| String::from_utf8(output.stdout).unwrap().trim().to_owned())
    };
    // Sources without a repository of their own say so.
    match git(&["rev-parse", "--show-prefix"])
        .filter(|prefix| prefix == "netqoe/")
        .and_then(|_| git(&["rev-parse", "HEAD"]))
    {
        Some(commit) => assert_eq!(rest.get(..12), commit.get(..12), "{version}"),
        None => assert_eq!(rest, "unknown: built without git)\n"),
    }
}

#[test]
fn a_package_holds_what_a_machine_wants_and_a_tarball_holds_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let release = Release {
        program: env!("CARGO_BIN_EXE_netqoe").into(),
        version: "1.2.3".to_owned(),
        committed_s: 1_700_000_000,
        licences: "the licences".to_owned(),
    };
    let deb = netqoe_package::deb(&release, Compression::None, folder.path()).unwrap();
    let fields = said(Command::new("dpkg-deb").arg("--field").arg(&deb));
    for field in ["Package: netqoe\n", "Version: 1.2.3-1\n", "Depends: libc6 (>= 2.", "systemd-sysusers"] {
        assert!(fields.contains(field), "{fields}");
    }
    let listed = said(Command::new("dpkg-deb").env("TZ", "UTC").arg("--contents").arg(&deb));
    let modes: BTreeMap<_, _> = listed.lines().map(mode_and_path).collect();
    for (path, mode) in [
        ("./usr/bin/netqoe", "-rwxr-xr-x root/root"),
        ("./etc/netqoe/netqoe.toml", "-rw-r--r-- root/root"),
        ("./usr/lib/systemd/system/netqoe-up.service", "-rw-r--r-- root/root"),
        ("./usr/lib/systemd/system/netqoe-aggregate@.service", "-rw-r--r-- root/root"),
        ("./usr/lib/sysusers.d/netqoe.conf", "-rw-r--r-- root/root"),
        ("./usr/share/man/man1/netqoe-up.1.gz", "-rw-r--r-- root/root"),
        ("./usr/share/bash-completion/completions/netqoe", "-rw-r--r-- root/root"),
        ("./usr/share/zsh/vendor-completions/_netqoe", "-rw-r--r-- root/root"),
        ("./usr/share/fish/vendor_completions.d/netqoe.fish", "-rw-r--r-- root/root"),
        ("./usr/share/doc/netqoe/third-party-licences.txt.gz", "-rw-r--r-- root/root"),
        ("./usr/share/doc/netqoe/", "drwxr-xr-x root/root"),
        ("./", "drwxr-xr-x root/root"),
    ] {
        assert_eq!(modes.get(path).map(String::as_str), Some(mode), "{path} in\n{listed}");
    }
    assert!(listed.lines().all(|line| line.contains("2023-11-14 22:13")), "all is as old as its commit\n{listed}");
    let scripts = folder.path().join("scripts");
    said(Command::new("dpkg-deb").arg("--control").arg(&deb).arg(&scripts));
    assert_eq!(fs::read_to_string(scripts.join("conffiles")).unwrap(), "/etc/netqoe/netqoe.toml\n");
    for script in ["postinst", "prerm", "postrm"] {
        is_fine("sh", &["-n"], &scripts.join(script));
    }

    // The program of the tests is large, and packing it would take a minute. What stands for it writes the same documents.
    let small = folder.path().join("netqoe");
    fs::write(&small, concat!("#!/bin/sh\nexec ", env!("CARGO_BIN_EXE_netqoe"), " \"$@\"\n")).unwrap();
    fs::set_permissions(&small, Permissions::from_mode(0o755)).unwrap();
    let release = Release { program: small, ..release };
    let tarball = netqoe_package::tarball(&release, folder.path()).unwrap();
    let listed = said(Command::new("tar").arg("-tzf").arg(&tarball));
    let local: Vec<_> = listed.lines().filter_map(|path| path.strip_prefix("netqoe-1.2.3-linux-x86_64/")).collect();
    // Of Debian alone are its changelogs and its form of the licence; zsh looks elsewhere, and an unpacked configuration is an example.
    let only_debian = ["changelog", "copyright", "vendor-completions"];
    for path in modes.keys().filter_map(|path| path.strip_prefix("./usr/")) {
        assert!(local.contains(&path) || only_debian.iter().any(|part| path.contains(part)), "{path} in\n{listed}");
    }

    let sums = netqoe_package::checksums(&[deb, tarball], folder.path()).unwrap();
    let checked = said(Command::new("sha256sum").arg("--check").arg(sums).current_dir(folder.path()));
    assert_eq!(checked.matches(": OK").count(), 2, "{checked}");
}

fn mode_and_path(line: &str) -> (&str, String) {
    let words: Vec<_> = line.split_whitespace().collect();
    (words[5], format!("{} {}", words[0], words[1]))
}

fn said(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}
