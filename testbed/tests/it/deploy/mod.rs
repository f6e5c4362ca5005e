//! The configurations that are shipped are understood by the programs that they are for.

mod nginx;

use std::path::{Path, PathBuf};
use std::process::Command;

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
    for (name, instance) in [("netqoe-ingest@", "8081"), ("netqoe-aggregate@", "0")] {
        let folder = tempfile::tempdir().unwrap();
        let unit = std::fs::read_to_string(deploy(&format!("systemd/{name}.service"))).unwrap();
        // The program need not be installed for its unit to be right.
        let unit = unit.replace("/usr/local/bin/netqoe", "/bin/true");
        std::fs::write(folder.path().join(format!("{name}.service")), unit).unwrap();
        let said = run(
            "systemd-analyze",
            &["verify", folder.path().join(format!("{name}{instance}.service")).to_str().unwrap()],
        );
        // What it does not understand in a unit it only warns of, as it does of other units on the machine.
        assert!(!said.contains(name), "{said}");
    }
}
