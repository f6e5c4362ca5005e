//! The configurations that are shipped are understood by the programs that they are for.

mod compose;
mod kubernetes;
mod nginx;

use std::path::{Path, PathBuf};
use std::process::Command;

use netqoe_testbed::PackagedPython;
use serde_json::Value;

/// How much a unit may still reach, in tenths: of 10 where nothing is kept from it.
const MOST_EXPOSED: &str = "--threshold=25";

/// Runs a program of Debian's, which may be where only root looks by itself.
/// Returns what it said.
fn run(program: &str, arguments: &[&str]) -> String {
    let path = format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap());
    let output = Command::new("env").arg(format!("PATH={path}")).arg(program).args(arguments).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program}: {said}");
    said
}

fn deploy(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy").join(file)
}

/// A variable that netqoe does not know would have no effect, and nobody would be told.
fn check_variable(name: &str) {
    let options = Path::new(env!("CARGO_MANIFEST_DIR")).join("../netqoe/src/options");
    let mut files = options.read_dir().unwrap().map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap());
    let is_option = files.any(|text| text.contains(&format!("env = \"{name}\"")));
    assert!(is_option || !name.starts_with("NETQOE_"), "{name} is no option of netqoe");
}

/// Secrets belong into files: variables are inherited, and shown by the tools that run containers.
fn check_no_secret(name: &str) {
    let is_secret = ["PASSWORD", "TOKEN", "SECRET", "DATABASE_URL"].iter().any(|word| name.contains(word));
    assert!(!is_secret || name.ends_with("_FILE"), "{name} is a secret, which belongs into a file");
}

/// What `read.py` says of files: what they hold, or what is wrong with them.
fn read(kind: &str, arguments: &[&str]) -> Result<Value, String> {
    read_by(&PackagedPython::for_deploy().unwrap(), kind, arguments)
}

fn read_by(python: &PackagedPython, kind: &str, arguments: &[&str]) -> Result<Value, String> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/deploy/read.py");
    let output = python.command().arg(script).arg(kind).args(arguments).output().unwrap();
    match output.status.success() {
        true => Ok(serde_json::from_slice(&output.stdout).unwrap()),
        false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
    }
}

#[test]
fn nats_server_reads_its_configuration() {
    run("nats-server", &["-t", "-c", deploy("nats/nats.conf").to_str().unwrap()]);
}

#[test]
fn systemd_reads_the_units() {
    if Command::new("systemd-analyze").arg("--version").output().is_err() {
        eprintln!("there is no systemd here, which cargo xtask test does not install");
        return;
    }
    for (name, instance) in
        [("netqoe-up", ""), ("netqoe-probe", ""), ("netqoe-ingest@", "8081"), ("netqoe-aggregate@", "0")]
    {
        let folder = tempfile::tempdir().unwrap();
        let unit = std::fs::read_to_string(deploy(&format!("systemd/{name}.service"))).unwrap();
        // The program need not be installed for its unit to be right.
        let unit = unit.replace("ExecStart=netqoe", "ExecStart=/bin/true");
        let file = folder.path().join(format!("{name}.service"));
        std::fs::write(&file, unit).unwrap();
        let said = run(
            "systemd-analyze",
            &["verify", "--man=no", folder.path().join(format!("{name}{instance}.service")).to_str().unwrap()],
        );
        // What it does not understand in a unit it only warns of, as it does of other units on the machine.
        assert!(!said.contains(name), "{said}");
        // Fails above the threshold, and says by what.
        run("systemd-analyze", &["security", "--offline=true", MOST_EXPOSED, file.to_str().unwrap()]);
    }
}
